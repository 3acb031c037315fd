package attest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

func certificate(t testing.TB) []byte {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), EmailAddresses: []string{"dev@example.com"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: must(asn1.MarshalWithParams("https://idp.example", "utf8"))}}}
	return must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))
}

// What an envelope says of itself is given, whichever its format, and is never more
// than that.
func TestReadUnverified(t *testing.T) {
	statement := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"` + digestA.Hex() + `"}}],"predicateType":"https://example.com/p","predicate":{}}`
	dsse := func(sigs string) string {
		return fmt.Sprintf(`{"payloadType":"application/vnd.in-toto+json","payload":%q,"signatures":[%s]}`, base64.StdEncoding.EncodeToString([]byte(statement)), sigs)
	}
	der := certificate(t)
	pemCert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	bundle := func(material, content string) string {
		return `{"mediaType":"` + bundleType + `","verificationMaterial":{` + material + `},` + content + `}`
	}
	subject := []assay.Subject{{Name: "app", Digest: assay.DigestSet{digestA}}}
	simple := `{"critical":{"identity":{"docker-reference":"app"},"image":{"docker-manifest-digest":"` + digestA.String() + `"},"type":"cosign container image signature"},"optional":null}`
	by := attest.UnverifiedSignature{Certificate: true, Names: []string{"dev@example.com"}, Issuer: "https://idp.example"}
	for _, tt := range []struct {
		name string
		e    assay.Envelope
		want attest.Unverified
		says string
	}{
		{"bundle by key", assay.NewEnvelope(bundleType, []byte(bundle(`"publicKey":{"hint":"h"}`, `"dsseEnvelope":`+dsse(`{"sig":"AA=="}`)))),
			attest.Unverified{Format: attest.FormatBundle, PredicateType: "https://example.com/p", Subjects: subject, Signatures: []attest.UnverifiedSignature{{KeyHint: "h"}}},
			`unverified sigstore bundle of "https://example.com/p" about ` + digestA.String() + `, by key "h"`},
		{"bundle by certificate", assay.NewEnvelope(bundleType, []byte(bundle(`"certificate":{"rawBytes":"`+base64.StdEncoding.EncodeToString(der)+`"},"tlogEntries":[{},{}],"timestampVerificationData":{"rfc3161Timestamps":[{}]}`,
			`"dsseEnvelope":`+dsse(`{"sig":"AA=="}`)))),
			attest.Unverified{Format: attest.FormatBundle, PredicateType: "https://example.com/p", Subjects: subject, Signatures: []attest.UnverifiedSignature{by}, LogEntries: 2, Timestamps: 1},
			`by "dev@example.com"`},
		{"bundle over a file", assay.NewEnvelope(bundleType, []byte(bundle(`"x509CertificateChain":{"certificates":[{"rawBytes":"AA=="}]}`,
			`"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"`+base64.StdEncoding.EncodeToString(make([]byte, 32))+`"},"signature":"AA=="}`))),
			attest.Unverified{Format: attest.FormatBundle, Subjects: []assay.Subject{{Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("0", 64))}}}, Signatures: []attest.UnverifiedSignature{{Certificate: true}}},
			"by somebody with a certificate"},
		{"DSSE", assay.NewEnvelope(assay.MediaTypeDSSE, []byte(dsse(`{"sig":"AA==","keyid":"k"},{"sig":"AQ=="}`))),
			attest.Unverified{Format: attest.FormatDSSE, PredicateType: "https://example.com/p", Subjects: subject, Signatures: []attest.UnverifiedSignature{{KeyHint: "k"}, {}}},
			`DSSE envelope of "https://example.com/p"`},
		{"DSSE of cosign", assay.NewAnnotatedEnvelope(assay.MediaTypeDSSE, []byte(dsse(`{"sig":"AA=="}`)), map[string]string{
			assay.AnnotationCertificate: pemCert, assay.AnnotationRekorBundle: "{}", assay.AnnotationTimestamp: "{}"}),
			attest.Unverified{Format: attest.FormatDSSE, PredicateType: "https://example.com/p", Subjects: subject, Signatures: []attest.UnverifiedSignature{by}, LogEntries: 1, Timestamps: 1}, "dev@"},
		{"signature of cosign", assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, []byte(simple), map[string]string{assay.AnnotationSignature: "AA=="}),
			attest.Unverified{Format: attest.FormatCosign, Subjects: subject, Signatures: []attest.UnverifiedSignature{{}}}, "by a key"},
		{"payload of cosign", assay.NewEnvelope(assay.MediaTypeSimpleSigning, []byte(simple)), attest.Unverified{Format: attest.FormatCosign, Subjects: subject}, "not signed"},
		{"statement", assay.NewEnvelope(assay.MediaTypeInToto, []byte(statement)),
			attest.Unverified{Format: attest.FormatStatement, PredicateType: "https://example.com/p", Subjects: subject}, "unverified unsigned statement of"},
		{"signed something else", assay.NewEnvelope(assay.MediaTypeDSSE, []byte(`{"payloadType":"text/plain","payload":"AA==","signatures":[{"sig":"AA=="}]}`)),
			attest.Unverified{Format: attest.FormatDSSE, Signatures: []attest.UnverifiedSignature{{}}}, "by a key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := attest.ReadUnverified(tt.e)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got, sameDigest); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if s := got.String(); !strings.HasPrefix(s, "unverified ") || !strings.Contains(s, tt.says) {
				t.Errorf("says %s", s)
			}
		})
	}
	for name, raw := range map[string]string{
		"nothing": `{}`, "no JSON": `{`, "a member twice": `{"_type":"a","_type":"b"}`, "not base64": `{"payloadType":"application/vnd.in-toto+json","payload":"*","signatures":[]}`,
		"no statement": `{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}`, "no image": `{"critical":{}}`,
	} {
		e := assay.NewEnvelope("", []byte(raw))
		if u, err := attest.ReadUnverified(e); u != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), e.Digest().String()) {
			t.Errorf("%s: %v, %v", name, u, err)
		}
	}
}

// Whatever the bytes: no panic, and either a description or an error.
func FuzzReadUnverified(f *testing.F) {
	e := envelope(f, newSigner(f), digestA, "a")
	f.Add(e.Raw(), "", "")
	f.Add([]byte(payloadA), "AA==", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(f)})))
	f.Add([]byte(`{"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"AA=="}},"verificationMaterial":{"x509CertificateChain":{"certificates":[{"rawBytes":"-_"}]}}}`), "", "")
	f.Fuzz(func(t *testing.T, raw []byte, signature, cert string) {
		u, err := attest.ReadUnverified(assay.NewAnnotatedEnvelope("", raw, map[string]string{assay.AnnotationSignature: signature, assay.AnnotationCertificate: cert}))
		if (u == nil) == (err == nil) {
			t.Fatalf("%v, %v", u, err)
		}
		if u != nil && !strings.HasPrefix(u.String(), "unverified ") {
			t.Fatal(u.String())
		}
	})
}
