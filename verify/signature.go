package verify

import (
	"iter"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// ImageSignature is a signature on the digest of an image, as "cosign sign" makes it.
// It proves that the signer signed this digest, and nothing about what it is of.
type ImageSignature struct {
	// Digest is what was signed.
	Digest assay.Digest `json:"digest"`
	// Reference is the name that the signer gave the image
	// ("critical.identity.docker-reference" of cosign's payload); empty if none. It is
	// the signer's word, and nothing was matched by it.
	Reference string `json:"reference,omitempty"`
}

// Signatures gives the signatures on the digest itself that were accepted: by signers
// whom the policy lets sign, kind [assay.KindSignature].
func (r *Report) Signatures() iter.Seq[Attestation] {
	return func(yield func(Attestation) bool) {
		for _, a := range r.Attestations {
			if a.State == assay.Proven && a.Signature != nil && !yield(a) {
				return
			}
		}
	}
}

// predicateCosignSign is what "cosign sign" of version 3 states: a predicate of
// nothing.
const predicateCosignSign assay.PredicateType = "https://sigstore.dev/cosign/sign/v1"

// said is what an envelope says, in whichever form.
type said struct {
	header    *attest.Header
	kind      assay.Kind
	signature *ImageSignature // for KindSignature
}

func whatIsSaid(name string, p *envelope.Proven) (said, error) {
	switch {
	case p.PayloadType == assay.MediaTypeSimpleSigning:
		s, err := parseSimpleSigning(name, p.Payload)
		if err != nil {
			return said{}, err
		}
		return signatureOf(s), nil
	case !p.Digest.IsZero():
		return signatureOf(&ImageSignature{Digest: p.Digest}), nil
	}
	h, err := attest.ParseStatement(name, p.Payload)
	if err != nil {
		return said{}, err
	}
	if h.PredicateType == predicateCosignSign {
		s := &ImageSignature{}
		if len(h.Subjects) > 0 && len(h.Subjects[0].Digest) > 0 {
			s.Digest, s.Reference = h.Subjects[0].Digest[0], h.Subjects[0].Name
		}
		return said{h, assay.KindSignature, s}, nil
	}
	return said{h, h.PredicateType.Kind(), nil}, nil
}

func signatureOf(s *ImageSignature) said {
	subject := assay.Subject{Name: s.Reference, Digest: assay.DigestSet{s.Digest}}
	return said{&attest.Header{Subjects: []assay.Subject{subject}}, assay.KindSignature, s}
}

// parseSimpleSigning reads what cosign signs of an image (cosign
// specs/SIGNATURE_SPEC.md, "Simple Signing"). What the signer put beside it under
// "optional" is not looked at.
func parseSimpleSigning(name string, payload []byte) (*ImageSignature, error) {
	var in struct {
		Critical struct {
			Identity struct {
				Reference string `json:"docker-reference"`
			} `json:"identity"`
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
			Type string `json:"type"`
		} `json:"critical"`
	}
	if err := strictjson.Unmarshal(name, payload, &in, strictjson.Limits{MaxBytes: 1 << 20}); err != nil {
		return nil, err
	}
	bad := func(field, value, bound string, err error) error {
		return &assay.Error{Op: "read simple signing", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Err: err}
	}
	const kind = "cosign container image signature"
	if in.Critical.Type != kind {
		return nil, bad("/critical/type", in.Critical.Type, kind, nil)
	}
	d, err := assay.ParseDigest(in.Critical.Image.Digest)
	if err != nil {
		return nil, bad("/critical/image/docker-manifest-digest", in.Critical.Image.Digest, "a digest", err)
	}
	return &ImageSignature{Digest: d, Reference: in.Critical.Identity.Reference}, nil
}
