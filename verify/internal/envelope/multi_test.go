package envelope_test

import (
	"crypto"
	"crypto/elliptic"
	"encoding/json"
	"slices"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// CVE-2026-49834 and connaisseur's two signatures of one key: an envelope with several
// signatures is by as many signers as there are distinct keys that made them.
func TestSeveralSignatures(t *testing.T) {
	a, b, stranger := newKey(t, elliptic.P256()), newKey(t, elliptic.P384()), newKey(t, elliptic.P256())
	sig := func(k crypto.Signer, payload []byte) any {
		var in struct {
			E struct {
				Signatures []any `json:"signatures"`
			} `json:"dsseEnvelope"`
		}
		if err := json.Unmarshal(signedPayload(t, k, payload).Raw(), &in); err != nil {
			t.Fatal(err)
		}
		return in.E.Signatures[0]
	}
	id := func(k crypto.Signer) assay.Identity {
		d, err := attest.KeyID(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		return assay.KeyIdentity(d)
	}
	o := opener(t, envelope.Trust{Keys: []envelope.Key{{Public: a.Public()}, {Public: b.Public()}}})
	both := assay.DistinctIdentities([]assay.Identity{id(a), id(b)})
	for name, tt := range map[string]struct {
		signatures []any
		want       []assay.Identity
	}{
		"both":                     {[]any{sig(a, payload), sig(b, payload)}, both},
		"both, the other way":      {[]any{sig(b, payload), sig(a, payload)}, both},
		"one twice":                {[]any{sig(a, payload), sig(a, payload)}, []assay.Identity{id(a)}},
		"one and a stranger":       {[]any{sig(stranger, payload), sig(b, payload)}, []assay.Identity{id(b)}},
		"one, and one of another":  {[]any{sig(a, payload), sig(b, []byte("{}"))}, []assay.Identity{id(a)}},
		"a stranger":               {[]any{sig(stranger, payload), sig(stranger, payload)}, nil},
		"both, of another payload": {[]any{sig(a, []byte("{}")), sig(b, []byte("{}"))}, nil},
	} {
		raw, err := json.Marshal(map[string]any{"payload": payload, "payloadType": assay.MediaTypeInToto, "signatures": tt.signatures})
		if err != nil {
			t.Fatal(err)
		}
		p, err := o.Open(assay.NewEnvelope(assay.MediaTypeDSSE, raw))
		if (err == nil) != (len(tt.want) > 0) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if err == nil && !slices.Equal(p.Signers, tt.want) {
			t.Errorf("%s: signed by %v, want %v", name, p.Signers, tt.want)
		}
	}
}
