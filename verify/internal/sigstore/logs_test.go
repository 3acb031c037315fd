package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/assaykit/assay"
)

// logs are a Rekor v1 and a Rekor v2 of one entry each, and a signature to log.
type logs struct {
	root   *Root
	v1     *ecdsa.PrivateKey
	v2     ed25519.PrivateKey
	key    Key
	pem    []byte
	signed *Signed
	raw    []byte // the envelope
}

const v1ID, v2ID = "one", "two"

func newLogs(t *testing.T) *logs {
	t.Helper()
	l := &logs{v1: newKey(t), root: &Root{logs: map[string]*transparencyLog{}}}
	pub, v2, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l.v2 = v2
	for id, in := range map[string]*root.TransparencyLog{
		v1ID: {BaseURL: "https://rekor1.test", PublicKey: l.v1.Public()}, v2ID: {BaseURL: "https://rekor2.test", PublicKey: pub},
	} {
		in.ID, in.ValidityPeriodStart = []byte(id), begin
		if l.root.logs[id], err = newLog(in); err != nil {
			t.Fatal(err)
		}
	}
	signer := newKey(t)
	if l.key, err = NewKey(signer.Public()); err != nil {
		t.Fatal(err)
	}
	l.pem = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: l.key.der})
	payload := []byte(`{"a":1}`)
	digest := sum(crypto.SHA256, preAuthentication(assay.MediaTypeInToto, payload), payload)
	sig, err := ecdsa.SignASN1(rand.Reader, signer, digest)
	if err != nil {
		t.Fatal(err)
	}
	l.raw = fmt.Appendf(nil, `{"payload":%q,"payloadType":%q,"signatures":[{"sig":%q}]}`, base64.StdEncoding.EncodeToString(payload),
		assay.MediaTypeInToto, base64.StdEncoding.EncodeToString(sig))
	l.signed = &Signed{}
	l.signed.setDSSE(assay.MediaTypeInToto, payload, sig)
	if err := l.signed.Verify(signer.Public(), nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// entry puts a body into a log, as Rekor v1 with a promise, as v2 with a proof.
func (l *logs) entry(t *testing.T, v2 bool, body string) Entry {
	t.Helper()
	e := Entry{LogID: []byte(v1ID), Index: 7, Time: begin.Add(time.Hour).Unix(), Body: []byte(body)}
	var err error
	if !v2 {
		digest := sha256.Sum256(e.promised())
		if e.Promise, err = ecdsa.SignASN1(rand.Reader, l.v1, digest[:]); err != nil {
			t.Fatal(err)
		}
		return e
	}
	e.LogID, e.Index, e.Time = []byte(v2ID), 0, 0
	leaf := leafHash(e.Body)
	text := "rekor2.test\n1\n" + base64.StdEncoding.EncodeToString(leaf[:]) + "\n"
	sig := binary.BigEndian.AppendUint32(nil, l.root.logs[v2ID].hint)
	sig = append(sig, ed25519.Sign(l.v2, []byte(text))...)
	e.Proof = &Proof{Size: 1, Root: leaf[:], Checkpoint: text + "\n— rekor2.test " + base64.StdEncoding.EncodeToString(sig) + "\n"}
	return e
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type obj = map[string]any

// Every kind of entry that cosign and its like have written since 2021 proves a
// signature, and none proves another one.
func TestKindsOfEntries(t *testing.T) {
	l := newLogs(t)
	hash := func(b []byte) obj {
		s := sha256.Sum256(b)
		return obj{"algorithm": "sha256", "value": hex.EncodeToString(s[:])}
	}
	payload := l.signed.Payload
	pae := l.signed.digestBy(crypto.SHA256)
	other, otherKey := []byte("other"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: mustKey(t)})
	b64 := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }
	v2 := func(sig, der []byte) obj {
		return obj{"content": sig, "verifier": obj{"keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey": obj{"rawBytes": der}}}
	}
	type parts struct{ sig, payload, digest, key, envelope []byte }
	good := parts{l.signed.Signature, payload, pae, l.pem, l.raw}
	kinds := map[string]struct {
		v2   bool
		body func(p parts) any
		// has tells which parts the kind holds.
		sig, payload, digest, envelope bool
	}{
		"dsse 0.0.1": {body: func(p parts) any {
			return obj{"apiVersion": "0.0.1", "kind": "dsse", "spec": obj{"payloadHash": hash(p.payload), "envelopeHash": hash(p.envelope),
				"signatures": []any{obj{"signature": p.sig, "verifier": p.key}}}}
		}, sig: true, payload: true},
		"intoto 0.0.2": {body: func(p parts) any {
			return obj{"apiVersion": "0.0.2", "kind": "intoto", "spec": obj{"content": obj{"hash": hash(p.envelope), "payloadHash": hash(p.payload),
				"envelope": obj{"payloadType": "x", "signatures": []any{obj{"publicKey": p.key, "sig": b64(p.sig)}}}}}}
		}, sig: true, payload: true},
		"intoto 0.0.1": {body: func(p parts) any {
			return obj{"apiVersion": "0.0.1", "kind": "intoto", "spec": obj{"content": obj{"hash": hash(p.envelope), "payloadHash": hash(p.payload)}, "publicKey": p.key}}
		}, payload: true, envelope: true},
		"intoto 0.0.1 of 2021": {body: func(p parts) any {
			return obj{"apiVersion": "0.0.1", "kind": "intoto", "spec": obj{"content": obj{"hash": hash(p.envelope)}, "publicKey": p.key}}
		}, envelope: true},
		"hashedrekord 0.0.2": {v2: true, body: func(p parts) any {
			return obj{"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": obj{"hashedRekordV002": obj{
				"data": obj{"algorithm": "SHA2_256", "digest": p.digest}, "signature": v2(p.sig, der(p.key))}}}
		}, sig: true, digest: true},
		"dsse 0.0.2": {v2: true, body: func(p parts) any {
			s := sha256.Sum256(p.payload)
			return obj{"apiVersion": "0.0.2", "kind": "dsse", "spec": obj{"dsseV002": obj{
				"payloadHash": obj{"algorithm": "SHA2_256", "digest": s[:]}, "signatures": []any{v2(p.sig, der(p.key))}}}}
		}, sig: true, payload: true},
	}
	open := func(e Entry) error {
		s := *l.signed
		s.Entries, s.envelope = []Entry{e}, l.raw
		logged, err := l.root.Logs(&s, l.key, func(time.Time) bool { return true })
		if err == nil && DistinctLogs(logged) != 1 {
			return fmt.Errorf("%d logs", len(logged))
		}
		return err
	}
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			if err := open(l.entry(t, k.v2, text(t, k.body(good)))); err != nil {
				t.Errorf("good: %v", err)
			}
			refuse := func(what string, has bool, change func(*parts)) {
				p := good
				change(&p)
				if err := open(l.entry(t, k.v2, text(t, k.body(p)))); has && err == nil {
					t.Errorf("an entry of another %s was accepted", what)
				}
			}
			refuse("signature", k.sig, func(p *parts) { p.sig = other })
			refuse("payload", k.payload, func(p *parts) { p.payload = other })
			refuse("digest", k.digest, func(p *parts) { d := sha256.Sum256(other); p.digest = d[:] })
			refuse("envelope", k.envelope, func(p *parts) { p.envelope = other })
			refuse("key", true, func(p *parts) { p.key = otherKey })
			e := l.entry(t, k.v2, text(t, k.body(good)))
			e.Body = append(e.Body, ' ')
			if open(e) == nil {
				t.Error("a body that the log does not have was accepted")
			}
			foreign := newLogs(t).entry(t, k.v2, text(t, k.body(good)))
			if open(foreign) == nil {
				t.Error("an entry of another log was accepted")
			}
		})
	}
	unknown := l.entry(t, false, `{"apiVersion":"0.0.1","kind":"rpm","spec":{}}`)
	if err := open(unknown); err == nil || !strings.Contains(err.Error(), "rpm") {
		t.Errorf("an unknown kind: got %v", err)
	}
	twice := *l.signed
	e := l.entry(t, false, text(t, kinds["dsse 0.0.1"].body(good)))
	twice.Entries = []Entry{e, e}
	if _, err := l.root.Logs(&twice, l.key, func(time.Time) bool { return true }); err == nil {
		t.Error("the same entry twice was accepted")
	}
	early := *l.signed
	early.Entries = []Entry{e}
	if _, err := l.root.Logs(&early, l.key, func(time.Time) bool { return false }); err == nil {
		t.Error("a time at which the key was not valid was accepted")
	}
}

func mustKey(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(newKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func der(text []byte) []byte {
	b, _ := pem.Decode(text)
	return b.Bytes
}

// CVE-2026-49834: a threshold of logs is met by distinct ones, and one key is one log
// under whatever names a trusted root lists it.
func TestDistinctLogs(t *testing.T) {
	l := newLogs(t)
	s := sha256.Sum256(l.signed.Payload)
	spec := obj{"payloadHash": obj{"algorithm": "sha256", "value": hex.EncodeToString(s[:])},
		"signatures": []any{obj{"signature": l.signed.Signature, "verifier": l.pem}}}
	v1 := text(t, obj{"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
	v2 := text(t, obj{"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": obj{"hashedRekordV002": obj{
		"data": obj{"algorithm": "SHA2_256", "digest": l.signed.digestBy(crypto.SHA256)}, "signature": obj{"content": l.signed.Signature,
			"verifier": obj{"publicKey": obj{"rawBytes": l.key.der}}}}}})
	alias := *l.root.logs[v1ID]
	alias.id = []byte("alias")
	l.root.logs["alias"] = &alias
	again := l.entry(t, false, v1)
	again.LogID, again.Promise = []byte("alias"), nil
	digest := sha256.Sum256(again.promised())
	var err error
	if again.Promise, err = ecdsa.SignASN1(rand.Reader, l.v1, digest[:]); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		entries []Entry
		want    int
	}{
		"two":                        {[]Entry{l.entry(t, false, v1), l.entry(t, true, v2)}, 2},
		"one under two names":        {[]Entry{l.entry(t, false, v1), again}, 1},
		"one that nobody knows":      {[]Entry{l.entry(t, false, v1), {LogID: []byte("x"), Body: []byte("junk")}}, 1},
		"one whose promise is false": {[]Entry{l.entry(t, true, v2), {LogID: []byte(v1ID), Index: 9, Time: 1, Body: []byte(v1), Promise: []byte("x")}}, 1},
	} {
		signed := *l.signed
		signed.Entries = tt.entries
		logged, err := l.root.Logs(&signed, l.key, func(time.Time) bool { return true })
		if err != nil || DistinctLogs(logged) != tt.want {
			t.Errorf("%s: %d distinct logs, %v, want %d", name, DistinctLogs(logged), err, tt.want)
		}
	}
}
