package predicate

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// The specification of each format's predicate allows the format's version after the
// type. SPDX 2 and 3 share their type; without a version, 2.3 is written, which more
// consumers read, and either is read.
const (
	spdx2 = assay.PredicateSPDX + "/v2."
	spdx3 = assay.PredicateSPDX + "/v3."
)

func encodeSBOM(doc *assay.SBOM, o Options) (assay.PredicateType, []byte, error) {
	var f sbom.Format
	switch o.Type {
	case "", assay.PredicateCycloneDX:
		f = sbom.CycloneDXJSON
	case assay.PredicateSPDX, spdx2 + "3":
		f = sbom.SPDXJSON
	case spdx3 + "0", spdx3 + "0.1":
		f = sbom.SPDX3JSON
	default:
		return "", nil, wrongType(o.Type, string(assay.PredicateCycloneDX)+", "+string(assay.PredicateSPDX)+", "+string(spdx2)+"3 or "+string(spdx3)+"0.1")
	}
	body, _, err := sbom.Encode(doc, f, sbom.EncodeOptions{Created: o.Created})
	if err != nil {
		return "", nil, err
	}
	if o.Type == "" {
		return f.PredicateType(), body, nil
	}
	return o.Type, body, nil
}

// decodeSBOM holds the document to the type that was signed: a reader who goes by
// the type and one who goes by the content must see the same.
func decodeSBOM(name string, t assay.PredicateType, predicate []byte) (*assay.SBOM, error) {
	doc, err := sbom.Read(name, predicate)
	if err != nil {
		return nil, err
	}
	var want []sbom.Format
	switch s := string(t); {
	case strings.HasPrefix(s, string(spdx2)):
		want = []sbom.Format{sbom.SPDXJSON}
	case strings.HasPrefix(s, string(spdx3)):
		want = []sbom.Format{sbom.SPDX3JSON}
	case strings.HasPrefix(s, string(assay.PredicateSPDX)):
		want = []sbom.Format{sbom.SPDXJSON, sbom.SPDX3JSON}
	default:
		want = []sbom.Format{sbom.CycloneDXJSON}
	}
	if format, _, _ := strings.Cut(doc.Format, "/"); !slices.Contains(want, sbom.Format(format)) {
		return nil, &assay.Error{Op: "read SBOM", Kind: assay.ErrInvalid, Subject: name, Field: "predicateType", Value: doc.Format, Bound: "a document of type " + string(t), Rule: "in-toto S7"}
	}
	return doc, nil
}
