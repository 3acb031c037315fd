package verify_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
)

// A bare envelope may have an ECDSA signature as two numbers of one width each, as Google
// signs verification summaries; a sigstore bundle may not.
func TestSignaturesOfFixedWidth(t *testing.T) {
	digest := assay.SumSHA256([]byte("image"))
	payload := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + digest.Hex() + `"}}],"predicateType":"https://slsa.dev/verification_summary/v1","predicate":` + plainSummary + `}`
	message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(assay.MediaTypeInToto), assay.MediaTypeInToto, len(payload), payload)
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id, err := attest.KeyID(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(message)
		hashed := sum[:]
		if curve == elliptic.P384() {
			long := sha512.Sum384(message)
			hashed = long[:]
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, hashed)
		if err != nil {
			t.Fatal(err)
		}
		width := curve.Params().BitSize / 8
		sig := append(r.FillBytes(make([]byte, width)), s.FillBytes(make([]byte, width))...)
		zero := make([]byte, 2*width)
		order := append(curve.Params().N.FillBytes(make([]byte, width)), new(big.Int).SetInt64(1).FillBytes(make([]byte, width))...)
		envelope := func(sig []byte) assay.Envelope {
			text, err := json.Marshal(map[string]any{"payload": []byte(payload), "payloadType": assay.MediaTypeInToto, "signatures": []any{map[string][]byte{"sig": sig}}})
			if err != nil {
				t.Fatal(err)
			}
			return assay.NewEnvelope(assay.MediaTypeDSSE, text)
		}
		bundle := fmt.Appendf(nil, `{"mediaType":%q,"verificationMaterial":{"publicKey":{"hint":""}},"dsseEnvelope":{"payload":%q,"payloadType":%q,"signatures":[{"sig":%q}]}}`,
			assay.MediaTypeSigstoreBundle, base64.StdEncoding.EncodeToString([]byte(payload)), assay.MediaTypeInToto, base64.StdEncoding.EncodeToString(sig))
		v, err := verify.New(verify.Trust{Keys: []verify.Key{{Public: key.Public()}}}, verify.Policy{Signers: []verify.SignerRule{{Name: "key", Key: id}}, Require: []assay.Kind{assay.KindSummary}}, verify.At(at))
		if err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			e     assay.Envelope
			state assay.State
		}{
			"as it is":         {envelope(sig), assay.Proven},
			"one bit changed":  {envelope(append(bytes.Clone(sig[:len(sig)-1]), sig[len(sig)-1]^1)), assay.Refuted},
			"shorter":          {envelope(sig[1:]), assay.Refuted},
			"longer":           {envelope(append([]byte{0}, sig...)), assay.Refuted},
			"the other way":    {envelope(append(bytes.Clone(sig[width:]), sig[:width]...)), assay.Refuted},
			"zeros":            {envelope(zero), assay.Refuted},
			"beyond the order": {envelope(order), assay.Refuted},
			"in a bundle":      {assay.NewEnvelope(assay.MediaTypeSigstoreBundle, bundle), assay.Refuted},
		} {
			r, err := v.Verify(t.Context(), digest, attest.FromEnvelopes(tt.e))
			if err != nil {
				t.Fatal(err)
			}
			if a := r.Attestations[0]; a.State != tt.state || (r.Err() == nil) != (tt.state == assay.Proven) || tt.state != assay.Proven && a.Reason != verify.SignatureInvalid {
				t.Errorf("%s, %s: %+v, %v", curve.Params().Name, name, a, r.Err())
			}
		}
	}
}
