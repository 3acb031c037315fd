package provenance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

const byproductOp = "add by-products"

// Byproduct describes something that a build left besides its results, such as its log:
// by the SHA-256 of what r gives, read once. The name tells it apart, as "build.log" does;
// the URI says where it is kept, and may be empty, as may be the media type. Contents are
// not carried along: a log may hold secrets.
//
// No name and no URI is [assay.ErrInvalid], a reader that fails [assay.ErrUnchecked].
func Byproduct(name, uri, mediaType string, r io.Reader) (assay.Resource, error) {
	if name == "" && uri == "" {
		return assay.Resource{}, &assay.Error{Op: byproductOp, Kind: assay.ErrInvalid, Field: "name", Bound: "a name or a URI"}
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return assay.Resource{}, &assay.Error{Op: byproductOp, Kind: assay.ErrUnchecked, Subject: name + uri, Err: err}
	}
	d, err := assay.NewDigest(assay.SHA256, hex.EncodeToString(h.Sum(nil)))
	if err != nil {
		return assay.Resource{}, err
	}
	return assay.Resource{Name: name, URI: uri, MediaType: mediaType, Digest: assay.DigestSet{d}}, nil
}

// WithByproducts gives a copy of p that has the by-products as well, sorted, each once
// (SLSA v1.2, build-provenance.md, runDetails.byproducts). A descriptor that identifies
// nothing is [assay.ErrInvalid] (in-toto S5), and so is provenance of SLSA v0.2 or v0.1,
// which have no place for them, and one that was read with by-products of which it keeps
// members that are not known. p is not changed.
func WithByproducts(p *assay.Provenance, byproducts ...assay.Resource) (*assay.Provenance, error) {
	fail := func(field, value, bound, rule string) error {
		return &assay.Error{Op: byproductOp, Kind: assay.ErrInvalid, Field: field, Value: value, Bound: bound, Rule: rule}
	}
	if p.Format == assay.PredicateSLSA02 || p.Format == assay.PredicateSLSA01 {
		return nil, fail("format", string(p.Format), string(assay.PredicateSLSA1), "SLSA P9")
	}
	for i, b := range byproducts {
		if b.Validate() != nil {
			return nil, fail(strconv.Itoa(i), b.Name, "a uri, digest or content", "in-toto S5")
		}
	}
	for at := range p.Extensions {
		if _, _, ok := indexed(at, byproductsAt); ok {
			return nil, fail(at, "", "by-products without members that are not known", "")
		}
	}
	out := clone(p)
	out.Byproducts = append(slices.Clone(p.Byproducts), byproducts...)
	slices.SortFunc(out.Byproducts, assay.Resource.Compare)
	var err error
	out.Byproducts = slices.CompactFunc(out.Byproducts, func(a, b assay.Resource) bool {
		x, err1 := json.Marshal(a)
		y, err2 := json.Marshal(b)
		err = errors.Join(err, err1, err2)
		return a.Compare(b) == 0 && string(x) == string(y)
	})
	if err != nil {
		return nil, &assay.Error{Op: byproductOp, Kind: assay.ErrInvalid, Bound: "annotations that are JSON values", Err: err}
	}
	return out, nil
}
