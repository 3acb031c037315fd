package sigstore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/rekor/pkg/util"
	"golang.org/x/crypto/cryptobyte"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// stamp makes a timestamp over "x", and gives it with the certificate that made it.
func stamp(t testing.TB) ([]byte, *x509.Certificate) {
	t.Helper()
	k := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "tsa"}, NotBefore: begin, NotAfter: begin.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: oidExtKeyUsage, Critical: true,
			Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}}}}
	c := issue(t, template, template, k.Public(), k)
	out, err := (&timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: sum(crypto.SHA256, []byte("x")), Time: begin.Add(time.Minute),
		Policy: oidTSTInfo, AddTSACertificate: true}).CreateResponseWithOpts(c, k, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return out, c
}

// What is read of a timestamp is what the library that others use reads of it.
func FuzzParseToken(f *testing.F) {
	good, signer := stamp(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x30})
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 100))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := parseToken(raw)
		if err != nil {
			return
		}
		if token.isOf([]byte("x")) == nil && token.check(signer) == nil && token.isBy(signer) && !token.at.Equal(begin.Add(time.Minute)) {
			t.Fatalf("a time that nobody witnessed: %s", token.at)
		}
		other, err := timestamp.ParseResponse(raw)
		if err != nil {
			return
		}
		if !other.Time.Equal(token.at) || !bytes.Equal(other.HashedMessage, token.imprint) || other.HashAlgorithm != token.imprintHash {
			t.Errorf("read %s and %x, another reader %s and %x", token.at, token.imprint, other.Time, other.HashedMessage)
		}
	})
}

// What is read of a checkpoint is what Rekor's own code reads of it.
func FuzzParseCheckpoint(f *testing.F) {
	root := base64.StdEncoding.EncodeToString(make([]byte, 32))
	f.Add("rekor.example - 123\n5\n" + root + "\n\n— rekor.example AAAAAAA=\n")
	f.Add("rekor.example\n5\n" + root + "\nother\n\n— rekor.example AAAAAAA=\n— witness AAAAAAAB\n")
	f.Add("\n\n\n\n")
	f.Fuzz(func(t *testing.T, note string) {
		c, err := parseCheckpoint(note)
		if err != nil {
			return
		}
		c.isV1()
		if c.verify(&transparencyLog{host: c.origin}) == nil {
			t.Error("a log without a key signed it")
		}
		var other util.SignedCheckpoint
		if err := other.UnmarshalText([]byte(note)); err != nil {
			return
		}
		if other.Origin != c.origin || other.Size != c.size || !bytes.Equal(other.Hash, c.root[:]) || other.Note != c.text {
			t.Errorf("read %+v, another reader %+v", c, other)
		}
	})
}

func FuzzParseBody(f *testing.F) {
	for _, seed := range []string{
		`{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"00"}},"signature":{"content":"eA==","publicKey":{"content":"eA=="}}}}`,
		`{"apiVersion":"0.0.1","kind":"dsse","spec":{"payloadHash":{"algorithm":"sha256","value":"00"},"signatures":[{"signature":"eA==","verifier":"eA=="}]}}`,
		`{"apiVersion":"0.0.1","kind":"intoto","spec":{"content":{"hash":{"algorithm":"sha256","value":"00"}},"publicKey":"eA=="}}`,
		`{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{"envelope":{"signatures":[{"publicKey":"eA==","sig":"ZUE9PQ=="}]},"payloadHash":{"algorithm":"sha256","value":"00"}}}}`,
		`{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":{"algorithm":"SHA2_256","digest":"eA=="},"signature":{"content":"eA==","verifier":{"publicKey":{"rawBytes":"eA=="}}}}}}`,
		`{"apiVersion":"0.0.2","kind":"dsse","spec":{"dsseV002":{"payloadHash":{"algorithm":"SHA2_256","digest":"eA=="},"signatures":[{"content":"eA==","verifier":{"x509Certificate":{"rawBytes":"eA=="}}}]}}}`,
	} {
		f.Add([]byte(seed))
	}
	k, err := NewKey(newKey(f).Public())
	if err != nil {
		f.Fatal(err)
	}
	s := &Signed{}
	s.setDSSE(assay.MediaTypeInToto, []byte("{}"), []byte("sig"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := parseBody(raw)
		if err != nil {
			return
		}
		if b.digest == nil && b.payload == nil && b.envelope == nil {
			t.Error("an entry of nothing")
		}
		if b.matches(s, k) == nil && !bytes.Equal(b.key, k.der) && !k.equal(b.key) {
			t.Error("an entry of another key matches")
		}
	})
}

func FuzzWithoutSCTs(f *testing.F) {
	k := newKey(f)
	sct := pkix.Extension{Id: oidSCTList, Value: promise(f, k, [32]byte{1}, begin, []byte("x"), &x509.Certificate{}, nil)}
	c := issue(f, leafTemplate(sct), leafTemplate(sct), k.Public(), k)
	f.Add(c.RawTBSCertificate, sct.Value)
	f.Add([]byte{0x30, 0}, []byte{4, 2, 0, 0})
	f.Fuzz(func(t *testing.T, tbs, extension []byte) {
		if out, err := withoutSCTs(tbs); err == nil {
			if len(out) >= len(tbs) {
				t.Errorf("nothing was taken out")
			}
			in := cryptobyte.String(out)
			if !in.SkipASN1(0x30) || !in.Empty() {
				t.Errorf("what is left is no DER")
			}
		}
		if list, err := parseSCTs(extension); err == nil && len(list) > maxSCTs {
			t.Errorf("%d SCTs", len(list))
		}
	})
}

// FuzzParseBundle: what is parsed has what the steps that follow rely on.
func FuzzParseBundle(f *testing.F) {
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"},"tlogEntries":[{"logIndex":"1","logId":{"keyId":"eA=="},"kindVersion":{"kind":"a","version":"b"},"integratedTime":"1","inclusionProof":{"logIndex":1,"rootHash":"eA","treeSize":"2","hashes":["_-8="],"checkpoint":{"envelope":"x"}},"canonicalizedBody":"e30="}]},"dsseEnvelope":{"payload":"e30=","payloadType":"x","signatures":[{"sig":"eA==","keyid":""}]}}`))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1","verificationMaterial":{"publicKey":{}},"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},"signature":"eA=="}}`))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json","later":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := ParseBundle("fuzz", raw, strictjson.Limits{})
		if err != nil {
			return
		}
		if !s.dsse && (s.Hash == 0 || len(s.Digest) != s.Hash.Size()) || len(s.Entries) > MaxEntries || len(s.Timestamps) > MaxTimestamps {
			t.Errorf("accepted %+v", s)
		}
		if _, err := s.MessageDigest(); err != nil && !s.dsse {
			t.Error(err)
		}
	})
}

func FuzzIdentity(f *testing.F) {
	f.Add(9, []byte{0x0c, 1, 'x'}, []byte{0x30, 0})
	f.Add(8, []byte{0x0c, 5}, []byte{0x30, 0x0a, 0xa0, 0x08})
	f.Add(2, []byte("push"), []byte{})
	f.Fuzz(func(t *testing.T, arc int, value, san []byte) {
		if arc < 0 || arc > 1000 {
			return
		}
		id, err := Identity(&x509.Certificate{Extensions: []pkix.Extension{
			{Id: append(oidFulcio[:len(oidFulcio):len(oidFulcio)], arc), Value: value}, {Id: oidSubjectAltName, Value: san}}})
		if err == nil && (id.Subject == "" || id.SubjectKind != assay.SubjectOtherName) {
			t.Errorf("got %+v", id)
		}
	})
}
