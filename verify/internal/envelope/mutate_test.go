package envelope_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// sigstore-go 1.3.0 dereferenced nil on bundles with parts left out (cosign issue
// 5044; the N11 of the notes): each part of each kind of bundle is taken out, or
// replaced by another type of value, in turn. None may panic, and none may prove
// another payload.
func TestEveryPartReplaced(t *testing.T) {
	v := testsigstore.NewVirtual(t)
	key := newKey(t, elliptic.P256())
	o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Keys: []envelope.Key{{Public: key.Public()}}})
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	intoto := signedBody(t, v, id, `{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{"envelope":{"payload":"e30=","payloadType":"x","signatures":[{"publicKey":"YQ==","sig":"YQ==","keyid":""}]},"hash":{"algorithm":"sha256","value":"`+strings.Repeat("ab", 32)+`"},"payloadHash":{"algorithm":"sha256","value":"`+strings.Repeat("ab", 32)+`"}}}}`)
	bundles := map[string][]byte{
		"intoto":   intoto,
		"rekor v2": v.SignDSSE(t, id, assay.MediaTypeInToto, payload),
		"rekor v1": v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{Rekor: testsigstore.RekorV1}),
		"key":      signed(t, key).Raw(),
	}
	for name, raw := range bundles {
		var doc any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		try := func(path string) {
			t.Helper()
			out, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s: %s: panic: %v", name, path, p)
				}
			}()
			if p, err := o.Open(bundle(out)); err == nil && !bytes.Equal(p.Payload, payload) {
				t.Errorf("%s: %s proved %q", name, path, p.Payload)
			}
		}
		walk(doc, name, try)
	}
}

// signedBody is a bundle whose log entry has another body.
func signedBody(t *testing.T, v *testsigstore.Virtual, id testsigstore.Identity, body string) []byte {
	t.Helper()
	raw := v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{Rekor: testsigstore.RekorV1})
	return edit(t, raw, func(m map[string]any) {
		e := m["verificationMaterial"].(map[string]any)["tlogEntries"].([]any)[0].(map[string]any)
		e["canonicalizedBody"] = base64.StdEncoding.EncodeToString([]byte(body))
		e["kindVersion"] = map[string]any{"kind": "intoto", "version": "0.0.2"}
	})
}

// walk calls try with each value below v replaced, and puts it back.
func walk(v any, path string, try func(path string)) {
	replacements := []any{nil, map[string]any{}, []any{}, []any{nil}, "", "AA==", "0", -1.0, 9223372036854775807.0, true}
	switch v := v.(type) {
	case map[string]any:
		// Not over the map itself, which is changed meanwhile.
		for _, k := range slices.Sorted(maps.Keys(v)) {
			old := v[k]
			at := path + "/" + k
			if s, ok := old.(string); ok { // a document in the document
				var inner map[string]any
				if b, err := base64.StdEncoding.DecodeString(s); err == nil && json.Unmarshal(b, &inner) == nil {
					walk(inner, at, func(path string) {
						b, _ := json.Marshal(inner)
						v[k] = base64.StdEncoding.EncodeToString(b)
						try(path)
					})
				}
			}
			delete(v, k)
			try(at + " left out")
			for _, r := range replacements {
				v[k] = r
				try(fmt.Sprintf("%s = %v", at, r))
			}
			v[k] = old
			walk(old, at, try)
		}
	case []any:
		for i, old := range v {
			at := fmt.Sprintf("%s/%d", path, i)
			for _, r := range replacements {
				v[i] = r
				try(fmt.Sprintf("%s = %v", at, r))
			}
			v[i] = old
			walk(old, at, try)
		}
	}
}
