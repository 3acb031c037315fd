package image

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// store is where manifests and blobs are. What it gives is not verified.
type store interface {
	// blob opens what a descriptor describes.
	blob(ctx context.Context, d v1.Descriptor, k kind) (io.ReadCloser, error)
	// String names the store in errors.
	String() string
}

// kind is what a blob is. Registries keep manifests apart from the rest, and what is
// small has to come soon.
type kind int

const (
	aManifest kind = iota // or an index
	aConfig
	aLayer
)

// The bounds on documents, those of the layer engine.
const (
	maxManifest = 4 << 20
	maxConfig   = 8 << 20
)

// document reads a manifest, index or configuration, and verifies it.
func document(ctx context.Context, s store, d v1.Descriptor, k kind, limit int64) ([]byte, error) {
	fail := func(is error, field, value, bound string, err error) error {
		return &assay.Error{Op: "read image", Kind: is, Subject: s.String(), Field: join(d.Digest.String(), field), Value: value, Bound: bound, Err: err}
	}
	if d.Size > limit {
		return nil, fail(assay.ErrBound, "size", strconv.FormatInt(d.Size, 10)+" bytes", "at most "+strconv.FormatInt(limit, 10), nil)
	}
	rc, err := s.blob(ctx, d, k)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	data, err := readAll(rc, limit)
	switch {
	case err != nil:
		return nil, keepKind(err, fail(assay.ErrUnchecked, "", "", "", err))
	case int64(len(data)) > limit:
		return nil, fail(assay.ErrBound, "size", "more than "+strconv.FormatInt(limit, 10)+" bytes", "at most "+strconv.FormatInt(limit, 10), nil)
	}
	got, err := sum(d.Digest, data)
	if err != nil {
		return nil, err
	}
	if got != d.Digest {
		return nil, fail(assay.ErrRefuted, "digest", got.String(), d.Digest.String(), nil)
	}
	if d.Size >= 0 && int64(len(data)) != d.Size {
		return nil, fail(assay.ErrRefuted, "size", strconv.Itoa(len(data)), strconv.FormatInt(d.Size, 10)+" bytes", nil)
	}
	return data, nil
}

// unknownSize is the size in a descriptor that was made of a digest alone.
const unknownSize = -1

// readAll reads up to one byte more than the limit.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, limit+1))
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

// keepKind leaves an error alone that says already what kind it is.
func keepKind(err, otherwise error) error {
	if _, ok := errors.AsType[*assay.Error](err); ok {
		return err
	}
	return otherwise
}

func hasher(algorithm string) (hash.Hash, error) {
	switch algorithm {
	case "sha256":
		return sha256.New(), nil
	case "sha384":
		return sha512.New384(), nil
	case "sha512":
		return sha512.New(), nil
	}
	return nil, &assay.Error{Op: "read image", Kind: assay.ErrInvalid, Field: "digest algorithm", Value: algorithm, Bound: "sha256, sha384 or sha512"}
}

func sum(as v1.Hash, data []byte) (v1.Hash, error) {
	h, err := hasher(as.Algorithm)
	if err != nil {
		return v1.Hash{}, err
	}
	h.Write(data)
	return v1.Hash{Algorithm: as.Algorithm, Hex: hex.EncodeToString(h.Sum(nil))}, nil
}

func hashOf(d assay.Digest) v1.Hash {
	return v1.Hash{Algorithm: string(d.Algorithm()), Hex: d.Hex()}
}

func digestOf(h v1.Hash) assay.Digest {
	d, _ := assay.NewDigest(assay.Algorithm(h.Algorithm), h.Hex)
	return d
}

// verifier checks size and digest of what passes, at its end.
type verifier struct {
	io.ReadCloser
	d    v1.Descriptor
	name string
	h    hash.Hash
	n    int64
}

func verified(rc io.ReadCloser, d v1.Descriptor, name string) (io.ReadCloser, error) {
	h, err := hasher(d.Digest.Algorithm)
	if err != nil {
		rc.Close()
		return nil, err
	}
	return &verifier{ReadCloser: rc, d: d, name: name, h: h}, nil
}

// Read implements [io.Reader].
func (v *verifier) Read(b []byte) (int, error) {
	n, err := v.ReadCloser.Read(b)
	v.h.Write(b[:n])
	v.n += int64(n)
	refuted := func(field, got, want string) (int, error) {
		return 0, &assay.Error{Op: "read layer", Kind: assay.ErrRefuted, Subject: v.name, Field: v.d.Digest.String() + " " + field, Value: got, Bound: want}
	}
	if v.n > v.d.Size {
		return refuted("size", "more than "+strconv.FormatInt(v.d.Size, 10), strconv.FormatInt(v.d.Size, 10)+" bytes")
	}
	if err == io.EOF {
		if v.n != v.d.Size {
			return refuted("size", strconv.FormatInt(v.n, 10), strconv.FormatInt(v.d.Size, 10)+" bytes")
		}
		if got := hex.EncodeToString(v.h.Sum(nil)); got != v.d.Digest.Hex {
			return refuted("digest", v.d.Digest.Algorithm+":"+got, v.d.Digest.String())
		}
	}
	return n, err
}
