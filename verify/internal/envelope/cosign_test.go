package envelope_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"maps"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// older takes a bundle apart into what cosign's ".att" tag has: the DSSE envelope, and
// the rest in annotations.
func older(t *testing.T, raw []byte) ([]byte, map[string]string) {
	t.Helper()
	var in struct {
		Envelope json.RawMessage `json:"dsseEnvelope"`
		Material struct {
			Certificate struct {
				Raw []byte `json:"rawBytes"`
			} `json:"certificate"`
			Entries []struct {
				Index   json.Number `json:"logIndex"`
				Time    json.Number `json:"integratedTime"`
				Body    string      `json:"canonicalizedBody"`
				Promise struct {
					SET string `json:"signedEntryTimestamp"`
				} `json:"inclusionPromise"`
				Log struct {
					ID []byte `json:"keyId"`
				} `json:"logId"`
			} `json:"tlogEntries"`
		} `json:"verificationMaterial"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatal(err)
	}
	e := in.Material.Entries[0]
	bundle, err := json.Marshal(map[string]any{"SignedEntryTimestamp": e.Promise.SET, "Payload": map[string]any{
		"body": e.Body, "integratedTime": e.Time, "logIndex": e.Index, "logID": hex.EncodeToString(e.Log.ID)}})
	if err != nil {
		t.Fatal(err)
	}
	return in.Envelope, map[string]string{
		assay.AnnotationSignature:   "",
		assay.AnnotationCertificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: in.Material.Certificate.Raw})),
		assay.AnnotationRekorBundle: string(bundle),
	}
}

// A ".att" layer is proven as the bundle of the same parts is, and each of its
// annotations must be the right one.
func TestCosignAttestation(t *testing.T) {
	v, foreign := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	v1 := testsigstore.SignOptions{Rekor: testsigstore.RekorV1, NoTimestamp: true}
	raw, annotations := older(t, v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, v1))
	_, others := older(t, v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, v1))
	_, strange := older(t, foreign.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, v1))
	o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()})
	with := func(changes map[string]string) assay.Envelope {
		a := maps.Clone(annotations)
		maps.Copy(a, changes)
		return assay.NewAnnotatedEnvelope(assay.MediaTypeDSSE, raw, a)
	}
	p, err := o.Open(with(nil))
	if err != nil || !bytes.Equal(p.Payload, payload) || p.Signers[0].Subject != id.SAN || len(p.Times) != 1 || len(p.Logs) != 1 {
		t.Fatalf("got %+v, %v", p, err)
	}
	for name, tt := range map[string]struct {
		changes map[string]string
		step    envelope.Step
		kind    error
	}{
		// CVE-2022-23649, GHSA-whqx: a genuine entry of something else.
		"another entry":                  {map[string]string{assay.AnnotationRekorBundle: others[assay.AnnotationRekorBundle]}, envelope.StepLog, assay.ErrRefuted},
		"an entry of another log":        {map[string]string{assay.AnnotationRekorBundle: strange[assay.AnnotationRekorBundle]}, envelope.StepLog, assay.ErrRefuted},
		"no entry":                       {map[string]string{assay.AnnotationRekorBundle: ""}, envelope.StepLog, assay.ErrRefuted},
		"another certificate":            {map[string]string{assay.AnnotationCertificate: others[assay.AnnotationCertificate]}, envelope.StepLog, assay.ErrRefuted},
		"no certificate":                 {map[string]string{assay.AnnotationCertificate: ""}, envelope.StepTrust, assay.ErrRefuted},
		"an entry that is no JSON":       {map[string]string{assay.AnnotationRekorBundle: "junk"}, envelope.StepParse, assay.ErrInvalid},
		"an entry with a member twice":   {map[string]string{assay.AnnotationRekorBundle: `{"Payload":{},"Payload":{}}`}, envelope.StepParse, assay.ErrInvalid},
		"a certificate that is none":     {map[string]string{assay.AnnotationCertificate: "junk"}, envelope.StepParse, assay.ErrInvalid},
		"two certificates":               {map[string]string{assay.AnnotationCertificate: annotations[assay.AnnotationCertificate] + others[assay.AnnotationCertificate]}, envelope.StepParse, assay.ErrInvalid},
		"a timestamp that is no JSON":    {map[string]string{assay.AnnotationTimestamp: "junk"}, envelope.StepParse, assay.ErrInvalid},
		"a signature beside an envelope": {map[string]string{assay.AnnotationSignature: "eA=="}, envelope.StepLog, assay.ErrRefuted},
		// GHSA-fx35-mq7g-6g98: a bare key where a certificate is.
		"a key for a certificate": {map[string]string{assay.AnnotationCertificate: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}))},
			envelope.StepParse, assay.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) { refused(t, o, with(tt.changes), tt.step, tt.kind) })
	}
}

func rawSignature(t testing.TB, k *ecdsa.PrivateKey, payload []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(payload)
	sig, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// A ".sig" layer is a signature on its payload, by a key here.
func TestCosignSignature(t *testing.T) {
	k, other := newKey(t, elliptic.P256()), newKey(t, elliptic.P256())
	simple := []byte(`{"critical":{"identity":{"docker-reference":"x"},"image":{"docker-manifest-digest":"sha256:00"},"type":"cosign container image signature"},"optional":null}`)
	layer := func(payload, signature []byte) assay.Envelope {
		return assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, payload, map[string]string{
			assay.AnnotationSignature: base64.StdEncoding.EncodeToString(signature)})
	}
	o := opener(t, envelope.Trust{Keys: []envelope.Key{{Public: k.Public()}}})
	p, err := o.Open(layer(simple, rawSignature(t, k, simple)))
	if err != nil || p.PayloadType != assay.MediaTypeSimpleSigning || !bytes.Equal(p.Payload, simple) || p.Digest != assay.SumSHA256(simple) {
		t.Fatalf("got %+v, %v", p, err)
	}
	refused(t, o, layer(simple, rawSignature(t, other, simple)), envelope.StepSignature, assay.ErrRefuted)
	refused(t, o, layer(append(simple, ' '), rawSignature(t, k, simple)), envelope.StepSignature, assay.ErrRefuted)
	refused(t, o, layer(simple, nil), envelope.StepParse, assay.ErrInvalid)
	refused(t, o, assay.NewEnvelope(assay.MediaTypeSimpleSigning, simple), envelope.StepParse, assay.ErrInvalid)
}

// FuzzCosign holds the older formats to the same promise as FuzzOpen.
func FuzzCosign(f *testing.F) {
	k := newKey(f, elliptic.P256())
	v := testsigstore.NewVirtual(f)
	simple := []byte(`{"critical":{}}`)
	o := opener(f, envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Keys: []envelope.Key{{Public: k.Public()}}})
	f.Add(simple, base64.StdEncoding.EncodeToString(rawSignature(f, k, simple)), "", "", "")
	f.Add([]byte(`{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"eA=="}]}`), "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		`{"SignedEntryTimestamp":"eA==","Payload":{"body":"e30=","integratedTime":1,"logIndex":1,"logID":"00"}}`, `{"SignedRFC3161Timestamp":"MAA="}`)
	f.Fuzz(func(t *testing.T, raw []byte, signature, certificate, entry, stamp string) {
		p, err := o.Open(assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, raw, map[string]string{assay.AnnotationSignature: signature,
			assay.AnnotationCertificate: certificate, assay.AnnotationRekorBundle: entry, assay.AnnotationTimestamp: stamp}))
		if err == nil && !bytes.Equal(p.Payload, simple) {
			t.Fatalf("proved %q, which nobody signed", p.Payload)
		}
	})
}

// The authority's word on a ".att" layer is about the envelope as it is, because its
// signature is in it.
func TestCosignTimestamp(t *testing.T) {
	v := testsigstore.NewVirtual(t)
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	v1 := testsigstore.SignOptions{Rekor: testsigstore.RekorV1, NoTimestamp: true}
	raw, annotations := older(t, v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, v1))
	o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()})
	for name, tt := range map[string]struct {
		stamped []byte
		want    int
	}{"of the envelope": {raw, 2}, "of something else": {[]byte("x"), 1}} {
		var in struct {
			Material struct {
				Data struct {
					Stamps []struct {
						Signed []byte `json:"signedTimestamp"`
					} `json:"rfc3161Timestamps"`
				} `json:"timestampVerificationData"`
			} `json:"verificationMaterial"`
		}
		// A bundle of its own, only to have the authority say so.
		if err := json.Unmarshal(v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{StampSignature: tt.stamped}), &in); err != nil {
			t.Fatal(err)
		}
		stamp, err := json.Marshal(map[string]any{"SignedRFC3161Timestamp": in.Material.Data.Stamps[0].Signed})
		if err != nil {
			t.Fatal(err)
		}
		a := maps.Clone(annotations)
		a[assay.AnnotationTimestamp] = string(stamp)
		p, err := o.Open(assay.NewAnnotatedEnvelope(assay.MediaTypeDSSE, raw, a))
		if err != nil || len(p.Times) != tt.want {
			t.Errorf("%s: got %+v, %v", name, p, err)
		}
	}
}
