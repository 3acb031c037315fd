package image

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// AttachedSBOM is an SBOM that a build put into the index beside the image. Nobody
// signed it: who can write the index can write it, too. It is a claim to compare, and
// no evidence.
type AttachedSBOM struct {
	// Manifest is the digest of the attestation manifest, Digest that of the statement.
	Manifest, Digest assay.Digest
	// Subject is the digest of the image's manifest that the index and the statement
	// agree on.
	Subject assay.Digest
	// Platform is that of the subject, as the index has it; zero if the index has no
	// such image.
	Platform assay.Platform
	// Statement is the in-toto statement, byte for byte.
	Statement []byte
	// PredicateType says which format Predicate is in. BuildKit writes SBOMs as
	// [assay.PredicateSPDX].
	PredicateType assay.PredicateType
	// Predicate is the document, byte for byte, a part of Statement. It has not been
	// read.
	Predicate json.RawMessage
}

const (
	inTotoLayer = "application/vnd.in-toto+json"
	// maxStatement is above the 40 MiB that BuildKit stops at.
	maxStatement = 64 << 20
)

// AttachedSBOMs gives the SBOMs in the attestation manifests of the index (BuildKit,
// docs/attestations/attestation-storage.md), for all its platforms, in their order.
// Each statement is verified against its digest, and must be about the image that the
// index has it for; nothing else about it is. See [AttachedSBOM]: to trust a document,
// let package verify find one that is signed, and to know what is in the image, scan
// it.
//
// An error is about one manifest or statement, and the others follow. Its kinds are
// those of [Open]; a statement that is about another image than the index says is
// [assay.ErrRefuted], one larger than 64 MiB [assay.ErrBound].
func (o *Opened) AttachedSBOMs(ctx context.Context) iter.Seq2[AttachedSBOM, error] {
	return o.attachedOf(ctx, assay.KindSBOM)
}

// AttachedProvenance is the provenance that a build put into the index beside the
// image. As with [AttachedSBOM], nobody signed it.
type AttachedProvenance AttachedSBOM

// AttachedProvenances gives the provenance in the attestation manifests of the index,
// as AttachedSBOMs gives the SBOMs, with the same errors. BuildKit writes SLSA v1 or
// v0.2 about the manifest of one platform, never about the index, and in most cases
// does not say who built: package provenance, ReadStatement, reads it.
func (o *Opened) AttachedProvenances(ctx context.Context) iter.Seq2[AttachedProvenance, error] {
	return func(yield func(AttachedProvenance, error) bool) {
		for s, err := range o.attachedOf(ctx, assay.KindProvenance) {
			if !yield(AttachedProvenance(s), err) {
				return
			}
		}
	}
}

// attachedOf gives the statements of one kind, and what could not be read, of which
// nobody knows the kind.
func (o *Opened) attachedOf(ctx context.Context, kind assay.Kind) iter.Seq2[AttachedSBOM, error] {
	return func(yield func(AttachedSBOM, error) bool) {
		for _, a := range o.Attestations() {
			i, err := readImage(ctx, o.s, a.desc, nil)
			if err != nil {
				if !yield(AttachedSBOM{Manifest: a.Digest, Subject: a.Subject}, err) {
					return
				}
				continue
			}
			for _, d := range i.manifest.Layers {
				if d.MediaType != inTotoLayer {
					continue
				}
				s, err := o.attached(ctx, a, d)
				if err == nil && s.PredicateType.Kind() != kind {
					continue
				}
				if !yield(s, err) {
					return
				}
			}
		}
	}
}

func (o *Opened) attached(ctx context.Context, a Attestation, d v1.Descriptor) (AttachedSBOM, error) {
	out := AttachedSBOM{Manifest: a.Digest, Digest: digestOf(d.Digest), Subject: a.Subject}
	raw, err := document(ctx, o.s, d, aConfig, maxStatement) // a document, which has to come in time
	if err != nil {
		return out, err
	}
	var doc struct {
		Type    string `json:"_type"`
		Subject []struct {
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
	}
	if err := strictjson.Unmarshal(d.Digest.String(), raw, &doc, strictjson.Limits{}); err != nil {
		return out, err
	}
	fail := func(kind error, field, value, bound, rule string, err error) (AttachedSBOM, error) {
		return out, &assay.Error{Op: "read statement", Kind: kind, Subject: d.Digest.String(), Field: field, Value: value, Bound: bound, Rule: rule, Err: err}
	}
	if doc.Type != "https://in-toto.io/Statement/v1" && doc.Type != "https://in-toto.io/Statement/v0.1" {
		return fail(assay.ErrInvalid, "/_type", doc.Type, "https://in-toto.io/Statement/v1", "in-toto S1", nil)
	}
	t, err := assay.ParsePredicateType(doc.PredicateType)
	if err != nil {
		return fail(assay.ErrInvalid, "/predicateType", doc.PredicateType, "a URI", "in-toto S3", nil)
	}
	about := false
	for n, s := range doc.Subject {
		set, err := assay.ParseDigestSet(s.Digest)
		if err != nil {
			return fail(assay.ErrInvalid, "/subject/"+strconv.Itoa(n)+"/digest", "", "lowercase hexadecimal digests", "in-toto S4", err)
		}
		about = about || set.Has(a.Subject)
	}
	if !about {
		return fail(assay.ErrRefuted, "/subject", "", "a subject with the digest that the index has it for, "+a.Subject.String(), "", nil)
	}
	if i := slices.IndexFunc(o.walk.variants, func(v Variant) bool { return v.Digest == a.Subject }); i >= 0 {
		out.Platform = o.walk.variants[i].Platform
	}
	out.Statement, out.PredicateType, out.Predicate = raw, t, doc.Predicate
	return out, nil
}
