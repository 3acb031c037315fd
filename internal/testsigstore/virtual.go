package testsigstore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/encoding/protojson"
)

// BundleMediaType is the media type of the bundles.
const BundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// Virtual is a sigstore in the test's own process: a certificate authority as
// Fulcio is, two transparency logs as Rekor v1 and v2 are, and a timestamp
// authority. It is safe for concurrent use.
type Virtual struct {
	now    time.Time
	fulcio *authority
	rekor  map[RekorVersion]*transparencyLog
	tsa    *stamper
	root   []byte
}

// NewVirtual makes one, with new keys. Two of them do not trust each other.
func NewVirtual(t testing.TB) *Virtual {
	t.Helper()
	v, err := newVirtual()
	if err != nil {
		t.Fatalf("virtual sigstore: %v", err)
	}
	return v
}

func newVirtual() (*Virtual, error) {
	v := &Virtual{now: time.Now().UTC().Truncate(time.Second), rekor: map[RekorVersion]*transparencyLog{}}
	var err error
	if v.fulcio, err = newAuthority("fulcio", x509.ExtKeyUsageCodeSigning); err != nil {
		return nil, err
	}
	if v.tsa, err = newStamper("tsa", time.Time{}); err != nil {
		return nil, err
	}
	for version, host := range map[RekorVersion]string{RekorV1: "rekor1.test", RekorV2: "rekor2.test"} {
		if v.rekor[version], err = newLog(version, host); err != nil {
			return nil, err
		}
	}
	if v.root, err = v.trustedRoot(); err != nil {
		return nil, err
	}
	return v, nil
}

// TrustedRootJSON is the trusted_root.json (media type
// application/vnd.dev.sigstore.trustedroot+json;version=0.1) that verifies what
// v signs. It has no certificate transparency log: certificates carry no SCT.
func (v *Virtual) TrustedRootJSON() []byte {
	return bytes.Clone(v.root)
}

func (v *Virtual) trustedRoot() ([]byte, error) {
	logs := map[string]*root.TransparencyLog{}
	for _, l := range v.rekor {
		logs[fmt.Sprintf("%x", l.keyID)] = &root.TransparencyLog{
			BaseURL:             "https://" + l.host,
			ID:                  l.keyID,
			ValidityPeriodStart: validFrom.Add(time.Duration(l.version) * time.Second), // sorts them
			HashFunc:            crypto.SHA256,
			PublicKey:           l.key.Public(),
			SignatureHashFunc:   crypto.SHA256,
		}
	}
	return trustedRootJSON(v.fulcio.trusted("https://fulcio.test"), v.tsa.trusted("https://tsa.test"), logs)
}

// trustedRootJSON makes a trusted_root.json of one of each, without a
// certificate transparency log. Unlike protojson's, its bytes depend on the
// content alone.
func trustedRootJSON(ca *root.FulcioCertificateAuthority, tsa *root.SigstoreTimestampingAuthority, logs map[string]*root.TransparencyLog) ([]byte, error) {
	tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{ca}, map[string]*root.TransparencyLog{},
		[]root.TimestampingAuthority{tsa}, logs)
	if err != nil {
		return nil, err
	}
	b, err := tr.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return compact(b)
}

// compact takes out the spaces that protojson puts in at random.
func compact(b []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// SignOptions vary what [Virtual.SignDSSEWith] makes. The zero value is a valid
// bundle, signed when v was made, with a Rekor v2 entry and a timestamp.
type SignOptions struct {
	// At is the time of signing, as the timestamp and a Rekor v1 entry state
	// it. Zero is when v was made.
	At time.Time
	// CertificateAge is how long before At the certificate was issued. It lives
	// ten minutes: 11*time.Minute makes one that had expired, -time.Minute one
	// that was not valid yet.
	CertificateAge time.Duration
	// Rekor is the kind of log entry.
	Rekor RekorVersion
	// NoLog leaves the log entry out, NoTimestamp the timestamp. Without a
	// timestamp only Rekor v1 gives a time.
	NoLog, NoTimestamp bool
	// CA, Log and TSA take that one part from another Virtual, which the trusted
	// root of v does not list. Nil is v itself.
	CA, Log, TSA *Virtual
	// LogPayload is a payload the log entry is about in place of the signed one.
	LogPayload []byte
	// LogSignature and StampSignature are signatures that the log entry and the
	// timestamp are about in place of the one made.
	LogSignature, StampSignature []byte
}

// SignDSSE signs a payload as id and gives the bundle, serialized as protobuf
// JSON with media type [BundleMediaType].
func (v *Virtual) SignDSSE(t testing.TB, id Identity, payloadType string, payload []byte) []byte {
	t.Helper()
	return v.SignDSSEWith(t, id, payloadType, payload, SignOptions{})
}

// SignDSSEWith is SignDSSE with options.
func (v *Virtual) SignDSSEWith(t testing.TB, id Identity, payloadType string, payload []byte, o SignOptions) []byte {
	t.Helper()
	b, err := v.sign(id, payloadType, payload, o)
	if err != nil {
		t.Fatalf("virtual sigstore: sign as %s: %v", id.SAN, err)
	}
	return b
}

func (v *Virtual) sign(id Identity, payloadType string, payload []byte, o SignOptions) ([]byte, error) {
	ca, log, tsa, at := v, v, v, v.now
	if o.CA != nil {
		ca = o.CA
	}
	if o.Log != nil {
		log = o.Log
	}
	if o.TSA != nil {
		tsa = o.TSA
	}
	if !o.At.IsZero() {
		at = o.At
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf, err := ca.fulcio.certify(id, key.Public(), at.Add(-o.CertificateAge))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(dsse.PAE(payloadType, payload))
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	material := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_Certificate{
			Certificate: &protocommon.X509Certificate{RawBytes: leaf.Raw},
		},
	}
	if !o.NoLog {
		l, ok := log.rekor[o.Rekor]
		if !ok {
			return nil, fmt.Errorf("no Rekor version %d", o.Rekor)
		}
		e, err := l.entry(leaf, payloadType, either(o.LogPayload, payload), either(o.LogSignature, sig), at)
		if err != nil {
			return nil, err
		}
		material.TlogEntries = []*protorekor.TransparencyLogEntry{e}
	}
	if !o.NoTimestamp {
		stamp, err := tsa.tsa.stamp(either(o.StampSignature, sig), at)
		if err != nil {
			return nil, err
		}
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: stamp}},
		}
	}
	b, err := protojson.Marshal(&protobundle.Bundle{
		MediaType:            BundleMediaType,
		VerificationMaterial: material,
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			PayloadType: payloadType,
			Payload:     payload,
			Signatures:  []*protodsse.Signature{{Sig: sig}},
		}},
	})
	if err != nil {
		return nil, err
	}
	return compact(b)
}

// either gives the replacement where there is one.
func either(replacement, made []byte) []byte {
	if replacement != nil {
		return replacement
	}
	return made
}
