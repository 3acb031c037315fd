package envelope_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify/internal/envelope"
)

var payload = []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":"` + strings.Repeat("ab", 32) + `"}}],"predicateType":"https://example.com/p","predicate":{}}`)

func opener(t testing.TB, trust envelope.Trust) *envelope.Opener {
	t.Helper()
	o, err := envelope.New(trust)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func bundle(raw []byte) assay.Envelope { return assay.NewEnvelope(assay.MediaTypeSigstoreBundle, raw) }

func TestCertificates(t *testing.T) {
	v := testsigstore.NewVirtual(t)
	id := testsigstore.Workflow{}.Identity("https://token.actions.example")
	o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()})
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, tt := range map[string]struct {
		options testsigstore.SignOptions
		witness string
	}{
		"rekor v2 and timestamp": {testsigstore.SignOptions{At: at}, "timestamp-authority"},
		"rekor v1":               {testsigstore.SignOptions{At: at, Rekor: testsigstore.RekorV1, NoTimestamp: true}, "transparency-log"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := o.Open(bundle(v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, tt.options)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p.Payload, payload) {
				t.Errorf("payload is %q", p.Payload)
			}
			if p.Signers[0].Subject != id.SAN || p.Signers[0].Issuer != id.Issuer || p.Signers[0].Claims.SourceRepositoryURI != id.Extensions.SourceRepositoryURI || p.Signers[0].Claims.BuildSignerURI == "" {
				t.Errorf("signer is %+v", p.Signers[0])
			}
			if len(p.Times) != 1 || !p.Times[0].At.Equal(at) || p.Times[0].Witness != tt.witness {
				t.Errorf("times are %+v", p.Times)
			}
			if len(p.Logs) != 1 {
				t.Errorf("logs are %+v", p.Logs)
			}
		})
	}
}

func TestCertificatesRefused(t *testing.T) {
	v, foreign := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	trust := envelope.Trust{TrustedRoot: v.TrustedRootJSON()}
	for name, tt := range map[string]struct {
		trust   envelope.Trust
		options testsigstore.SignOptions
		edit    func(t *testing.T, raw []byte) []byte
		step    envelope.Step
		kind    error
	}{
		"foreign CA":               {trust, testsigstore.SignOptions{CA: foreign}, nil, envelope.StepCertificate, assay.ErrRefuted},
		"foreign log":              {trust, testsigstore.SignOptions{Log: foreign}, nil, envelope.StepLog, assay.ErrRefuted},
		"foreign authority":        {trust, testsigstore.SignOptions{TSA: foreign}, nil, envelope.StepTime, assay.ErrRefuted},
		"no log entry":             {trust, testsigstore.SignOptions{NoLog: true}, nil, envelope.StepLog, assay.ErrRefuted},
		"no witnessed time":        {trust, testsigstore.SignOptions{NoTimestamp: true}, nil, envelope.StepTime, assay.ErrRefuted},
		"certificate had expired":  {trust, testsigstore.SignOptions{CertificateAge: 11 * time.Minute}, nil, envelope.StepCertificate, assay.ErrRefuted},
		"entry of another payload": {trust, testsigstore.SignOptions{LogPayload: []byte("{}"), Rekor: testsigstore.RekorV1}, nil, envelope.StepLog, assay.ErrRefuted},
		"time of another":          {trust, testsigstore.SignOptions{StampSignature: []byte("x")}, nil, envelope.StepTime, assay.ErrRefuted},
		"two logs wanted":          {envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Logs: 2}, testsigstore.SignOptions{}, nil, envelope.StepLog, assay.ErrRefuted},
		"two authorities wanted":   {envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Authorities: 2}, testsigstore.SignOptions{}, nil, envelope.StepTime, assay.ErrRefuted},
		"changed payload": {trust, testsigstore.SignOptions{Rekor: testsigstore.RekorV1}, func(t *testing.T, raw []byte) []byte {
			return edit(t, raw, func(m map[string]any) { m["dsseEnvelope"].(map[string]any)["payload"] = "e30=" })
		}, envelope.StepLog, assay.ErrRefuted},
		"two signatures": {trust, testsigstore.SignOptions{}, func(t *testing.T, raw []byte) []byte {
			return edit(t, raw, func(m map[string]any) {
				e := m["dsseEnvelope"].(map[string]any)
				e["signatures"] = append(e["signatures"].([]any), e["signatures"].([]any)[0])
			})
		}, envelope.StepParse, assay.ErrInvalid},
		"other payload type": {trust, testsigstore.SignOptions{}, func(t *testing.T, raw []byte) []byte {
			return edit(t, raw, func(m map[string]any) { m["dsseEnvelope"].(map[string]any)["payloadType"] = "text/plain" })
		}, envelope.StepUnsupported, assay.ErrUnchecked},
		"unknown version": {trust, testsigstore.SignOptions{}, func(t *testing.T, raw []byte) []byte {
			return edit(t, raw, func(m map[string]any) { m["mediaType"] = "application/vnd.dev.sigstore.bundle.v9.0+json" })
		}, envelope.StepUnsupported, assay.ErrUnchecked},
		"duplicate member": {trust, testsigstore.SignOptions{}, func(t *testing.T, raw []byte) []byte {
			return append([]byte(`{"mediaType":"x",`), raw[1:]...)
		}, envelope.StepParse, assay.ErrInvalid},
		"trailing data": {trust, testsigstore.SignOptions{}, func(t *testing.T, raw []byte) []byte { return append(raw, "{}"...) }, envelope.StepParse, assay.ErrInvalid},
		"truncated":     {trust, testsigstore.SignOptions{}, func(t *testing.T, raw []byte) []byte { return raw[:len(raw)/2] }, envelope.StepParse, assay.ErrInvalid},
		"no root": {envelope.Trust{Keys: []envelope.Key{{Public: newKey(t, elliptic.P256()).Public()}}}, testsigstore.SignOptions{}, nil,
			envelope.StepTrust, assay.ErrUnchecked},
		// GHSA-fx35-mq7g-6g98: a bare key where a certificate is expected.
		"key in place of the certificate": {trust, testsigstore.SignOptions{}, func(t *testing.T, raw []byte) []byte {
			return edit(t, raw, func(m map[string]any) {
				vm := m["verificationMaterial"].(map[string]any)
				delete(vm, "certificate")
				vm["publicKey"] = map[string]any{"hint": "x"}
			})
		}, envelope.StepTrust, assay.ErrRefuted},
	} {
		t.Run(name, func(t *testing.T) {
			raw := v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, tt.options)
			if tt.edit != nil {
				raw = tt.edit(t, raw)
			}
			refused(t, opener(t, tt.trust), bundle(raw), tt.step, tt.kind)
		})
	}
}

func refused(t *testing.T, o *envelope.Opener, e assay.Envelope, step envelope.Step, kind error) {
	t.Helper()
	p, err := o.Open(e)
	f, ok := errors.AsType[*envelope.Failure](err)
	if p != nil || !ok {
		t.Fatalf("opened to %+v, %v", p, err)
	}
	if f.Step != step || !errors.Is(err, kind) {
		t.Errorf("got %s (%v), want %s (%v)", f.Step, err, step, kind)
	}
}

func edit(t testing.TB, raw []byte, change func(map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t testing.TB, key crypto.Signer, opts ...attest.KeyOption) assay.Envelope {
	t.Helper()
	return signedPayload(t, key, payload, opts...)
}

func signedPayload(t testing.TB, key crypto.Signer, payload []byte, opts ...attest.KeyOption) assay.Envelope {
	t.Helper()
	s, err := attest.NewKeySigner(key, opts...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Sign(context.Background(), payload)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestKeys(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other := newKey(t, elliptic.P256())
	for name, key := range map[string]crypto.Signer{"P-256": newKey(t, elliptic.P256()), "P-384": newKey(t, elliptic.P384()), "Ed25519": ed, "RSA": r} {
		t.Run(name, func(t *testing.T) {
			o := opener(t, envelope.Trust{Keys: []envelope.Key{{Public: other.Public()}, {Public: key.Public()}}})
			id, err := attest.KeyID(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range []assay.Envelope{signed(t, key), signed(t, key, attest.WithHint("some name"))} {
				p, err := o.Open(e)
				if err != nil {
					t.Fatal(err)
				}
				if p.Signers[0] != assay.KeyIdentity(id) || !bytes.Equal(p.Payload, payload) || len(p.Times) != 0 {
					t.Errorf("got %+v", p)
				}
			}
			refused(t, opener(t, envelope.Trust{Keys: []envelope.Key{{Public: other.Public()}}}), signed(t, key), envelope.StepSignature, assay.ErrRefuted)
			// A hint is a claim: naming a trusted key does not make its signature.
			hint := signed(t, other)
			var m struct {
				VM struct {
					PK struct{ Hint string } `json:"publicKey"`
				} `json:"verificationMaterial"`
			}
			if err := json.Unmarshal(hint.Raw(), &m); err != nil {
				t.Fatal(err)
			}
			refused(t, opener(t, envelope.Trust{Keys: []envelope.Key{{Public: other.Public()}}}), signed(t, key, attest.WithHint(m.VM.PK.Hint)), envelope.StepSignature, assay.ErrRefuted)
		})
	}
}

// CVE-2026-54787: a signature counts only inside the key's window, and a time that
// nobody witnessed is inside of none.
func TestKeyWindowNeedsWitness(t *testing.T) {
	key := newKey(t, elliptic.P256())
	o := opener(t, envelope.Trust{Keys: []envelope.Key{{Public: key.Public(), ValidUntil: time.Now().Add(time.Hour)}}})
	refused(t, o, signed(t, key), envelope.StepTime, assay.ErrUnchecked)
}

func TestBareDSSE(t *testing.T) {
	key := newKey(t, elliptic.P256())
	var b struct {
		E json.RawMessage `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(signed(t, key).Raw(), &b); err != nil {
		t.Fatal(err)
	}
	o := opener(t, envelope.Trust{Keys: []envelope.Key{{Public: key.Public()}}})
	p, err := o.Open(assay.NewEnvelope(assay.MediaTypeDSSE, b.E))
	if err != nil || !bytes.Equal(p.Payload, payload) {
		t.Fatalf("got %+v, %v", p, err)
	}
	// Without a key there is nothing to prove a bare envelope with (it has no
	// witnessed time either).
	v := testsigstore.NewVirtual(t)
	refused(t, opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()}), assay.NewEnvelope(assay.MediaTypeDSSE, b.E), envelope.StepTrust, assay.ErrRefuted)
}

// Whoever stores a bundle can add entries to it that nobody proved: those of another
// log, and any where the trusted root lists no log. They are never given as proven.
func TestLogEntriesThatNobodyProved(t *testing.T) {
	v, foreign := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	raw := v.SignDSSE(t, id, assay.MediaTypeInToto, payload)
	entry := func(raw []byte) any {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return m["verificationMaterial"].(map[string]any)["tlogEntries"].([]any)[0]
	}
	alien := entry(foreign.SignDSSE(t, id, assay.MediaTypeInToto, payload))
	both := edit(t, raw, func(m map[string]any) {
		vm := m["verificationMaterial"].(map[string]any)
		vm["tlogEntries"] = append(vm["tlogEntries"].([]any), alien)
	})
	genuine, err := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()}).Open(bundle(raw))
	if err != nil || len(genuine.Logs) != 1 {
		t.Fatalf("got %+v, %v", genuine, err)
	}
	p, err := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()}).Open(bundle(both))
	if err != nil || len(p.Logs) != 1 || p.Logs[0] != genuine.Logs[0] {
		t.Errorf("beside a genuine entry: got %+v, %v", p, err)
	}
	noLogs := edit(t, v.TrustedRootJSON(), func(m map[string]any) { delete(m, "tlogs") })
	for name, raw := range map[string][]byte{"genuine": raw, "both": both} {
		p, err := opener(t, envelope.Trust{TrustedRoot: noLogs}).Open(bundle(raw))
		if err != nil || len(p.Logs) != 0 {
			t.Errorf("%s, without trusted logs: got %+v, %v", name, p, err)
		}
	}
}

// The media type that a store gives is not signed. The same bytes under another one
// are the same evidence, whichever the bundle of all envelopes keeps.
func TestMediaTypeDoesNotDecide(t *testing.T) {
	key := newKey(t, elliptic.P256())
	o := opener(t, envelope.Trust{Keys: []envelope.Key{{Public: key.Public()}}})
	var b struct {
		E json.RawMessage `json:"dsseEnvelope"`
	}
	whole := signed(t, key).Raw()
	if err := json.Unmarshal(whole, &b); err != nil {
		t.Fatal(err)
	}
	for _, raw := range [][]byte{whole, b.E} {
		for _, mediaType := range []string{assay.MediaTypeSigstoreBundle, assay.MediaTypeDSSE, assay.MediaTypeInToto, "application/vnd.dev.sigstore.bundle+json;version=0.1", ""} {
			if p, err := o.Open(assay.NewEnvelope(mediaType, raw)); err != nil || !bytes.Equal(p.Payload, payload) {
				t.Errorf("as %q: got %+v, %v", mediaType, p, err)
			}
		}
	}
}

// DSSE v1.0.2, protocol.md: both alphabets of base64 are accepted.
func TestURLSafeBase64(t *testing.T) {
	var o *envelope.Opener
	var b struct {
		E map[string]any `json:"dsseEnvelope"`
	}
	for { // until there is a character that differs; a key signs the same bytes alike
		key := newKey(t, elliptic.P256())
		o = opener(t, envelope.Trust{Keys: []envelope.Key{{Public: key.Public()}}})
		if err := json.Unmarshal(signed(t, key).Raw(), &b); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.E["signatures"].([]any)[0].(map[string]any)["sig"].(string), "+/") {
			break
		}
	}
	sig := b.E["signatures"].([]any)[0].(map[string]any)
	safe := strings.NewReplacer("+", "-", "/", "_")
	b.E["payload"], sig["sig"] = safe.Replace(b.E["payload"].(string)), safe.Replace(sig["sig"].(string))
	raw, err := json.Marshal(b.E)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := o.Open(assay.NewEnvelope(assay.MediaTypeDSSE, raw)); err != nil || !bytes.Equal(p.Payload, payload) {
		t.Errorf("got %+v, %v", p, err)
	}
}

// Bundles before v0.3 carry a chain of certificates. Only the leaf is taken of it: a
// root that the bundle brings along is trusted no more than any other byte.
func TestCertificateChains(t *testing.T) {
	v, foreign := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	chain := func(raw, root []byte) []byte {
		var r struct {
			CAs []struct {
				Chain struct {
					Certificates []any `json:"certificates"`
				} `json:"certChain"`
			} `json:"certificateAuthorities"`
		}
		if err := json.Unmarshal(root, &r); err != nil {
			t.Fatal(err)
		}
		return edit(t, raw, func(m map[string]any) {
			m["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
			vm := m["verificationMaterial"].(map[string]any)
			vm["x509CertificateChain"] = map[string]any{"certificates": append([]any{vm["certificate"]}, r.CAs[0].Chain.Certificates...)}
			delete(vm, "certificate")
		})
	}
	o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()})
	p, err := o.Open(bundle(chain(v.SignDSSE(t, id, assay.MediaTypeInToto, payload), v.TrustedRootJSON())))
	if err != nil || p.Signers[0].Subject != id.SAN {
		t.Errorf("got %+v, %v", p, err)
	}
	raw := v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{CA: foreign})
	refused(t, o, bundle(chain(raw, foreign.TrustedRootJSON())), envelope.StepCertificate, assay.ErrRefuted)
}

func TestTrustRefused(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no weak keys: ", err)
	}
	root, twice := testsigstore.NewVirtual(t).TrustedRootJSON(), newKey(t, elliptic.P256())
	for name, trust := range map[string]envelope.Trust{
		"nothing":         {},
		"weak RSA":        {Keys: []envelope.Key{{Public: weak.Public()}}},
		"P-521":           {Keys: []envelope.Key{{Public: newKey(t, elliptic.P521()).Public()}}},
		"key twice":       {Keys: []envelope.Key{{Public: twice.Public(), ValidUntil: time.Now()}, {Public: twice.Public()}}},
		"nil key":         {Keys: []envelope.Key{{}}},
		"private key":     {Keys: []envelope.Key{{Public: weak}}},
		"root duplicate":  {TrustedRoot: append([]byte(`{"mediaType":"a",`), root[1:]...)},
		"root trailing":   {TrustedRoot: append(bytes.Clone(root), '{')},
		"root without CA": {TrustedRoot: []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`)},
		"root is no root": {TrustedRoot: []byte(`{"a":1}`)},
	} {
		if o, err := envelope.New(trust); o != nil || !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %v, %v", name, o, err)
		}
	}
}

// FuzzOpen holds the opener to its one promise: whatever the bytes are, a payload
// comes out only if it is the one that was signed.
func FuzzOpen(f *testing.F) {
	v := testsigstore.NewVirtual(f)
	key := newKey(f, elliptic.P256())
	o := opener(f, envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Keys: []envelope.Key{{Public: key.Public()}}})
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	f.Add(v.SignDSSE(f, id, assay.MediaTypeInToto, payload), false)
	f.Add(v.SignDSSEWith(f, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{Rekor: testsigstore.RekorV1}), false)
	f.Add(signed(f, key).Raw(), false)
	f.Add([]byte(`{"payload":"","payloadType":"","signatures":[{"sig":""}]}`), true)
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{}},"dsseEnvelope":null}`), false)
	f.Fuzz(func(t *testing.T, raw []byte, bare bool) {
		mt := assay.MediaTypeSigstoreBundle
		if bare {
			mt = assay.MediaTypeDSSE
		}
		p, err := o.Open(assay.NewEnvelope(mt, raw))
		if err == nil && !bytes.Equal(p.Payload, payload) {
			t.Fatalf("proved a payload that nobody signed: %q", p.Payload)
		}
		if _, ok := errors.AsType[*envelope.Failure](err); err != nil && !ok {
			t.Fatalf("untyped error %v", err)
		}
	})
}
