package witness

import (
	"crypto"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
)

func statusError(err error) *request.StatusError {
	e, _ := errors.AsType[*request.StatusError](err)
	return e
}

// finish makes the bundle and verifies it.
func (w *Witness) finish(s Signature, material *protobundle.VerificationMaterial, use Services) (assay.Envelope, error) {
	b := &protobundle.Bundle{
		MediaType:            assay.MediaTypeSigstoreBundle,
		VerificationMaterial: material,
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: s.Payload, PayloadType: assay.MediaTypeInToto, Signatures: []*protodsse.Signature{{Sig: s.Signature}},
		}},
	}
	if w.trusted != nil {
		if err := w.verify(b, s, use); err != nil {
			return assay.Envelope{}, &assay.Error{Op: "verify what was signed", Kind: assay.ErrUnchecked, Subject: "trusted root",
				Bound: "a bundle that the trusted root verifies", Err: err}
		}
	}
	raw, err := encode(b)
	if err != nil {
		return assay.Envelope{}, &assay.Error{Op: "encode bundle", Kind: assay.ErrUnchecked, Err: err}
	}
	return assay.NewEnvelope(assay.MediaTypeSigstoreBundle, raw), nil
}

// encode takes out the spaces that protojson puts in at random.
func encode(b *protobundle.Bundle) ([]byte, error) {
	raw, err := protojson.Marshal(b)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(raw)
	if err := value.Compact(); err != nil {
		return nil, err
	}
	return value, nil
}

// verify demands every witness that was asked, so that one whose answer does not
// hold is noticed now, and not by who verifies.
func (w *Witness) verify(b *protobundle.Bundle, s Signature, use Services) error {
	var options []verify.VerifierOption
	if n := use.tsas.need; n > 0 {
		options = append(options, verify.WithSignedTimestamps(n))
	}
	if n := use.logs.need; n > 0 {
		options = append(options, verify.WithTransparencyLog(n))
	}
	if use.tsas.need == 0 {
		if s.Certificate != nil {
			options = append(options, verify.WithIntegratedTimestamps(use.logs.need))
		} else {
			options = append(options, verify.WithNoObserverTimestamps())
		}
	}
	trusted := root.TrustedMaterial(w.trusted)
	who := verify.WithoutIdentitiesUnsafe() // whom the authority certified is for who verifies
	if s.Certificate == nil {
		key, err := trustKey(s.Public)
		if err != nil {
			return err
		}
		trusted = root.TrustedMaterialCollection{w.trusted, key}
		who = verify.WithKey()
	}
	v, err := verify.NewVerifier(trusted, options...)
	if err != nil {
		return err
	}
	entity, err := bundle.NewBundle(b)
	if err != nil {
		return err
	}
	// The statement was made a moment ago, of subjects that its maker chose.
	_, err = v.Verify(entity, verify.NewPolicy(verify.WithoutArtifactUnsafe(), who))
	return err
}

func trustKey(pub crypto.PublicKey) (root.TrustedMaterial, error) {
	v, err := signature.LoadDefaultVerifier(pub)
	if err != nil {
		return nil, err
	}
	key := root.NewExpiringKey(v, time.Time{}, time.Time{})
	return root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) { return key, nil }), nil
}
