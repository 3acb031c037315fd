package verify

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// Trust is what signatures are proven against. At least one of TrustedRoot and
// Keys is needed; there is no default root, because whom to trust is the caller's
// decision.
type Trust struct {
	// TrustedRoot is a sigstore trusted_root.json
	// (application/vnd.dev.sigstore.trustedroot+json;version=0.1). Certificates,
	// transparency logs and timestamp authorities are trusted through it alone.
	TrustedRoot []byte
	// Keys are public keys that are trusted by themselves, each once.
	Keys []Key
	// TransparencyLogs is how many distinct logs of the trusted root must have
	// recorded a signature made with a certificate. 0 means 1 where the trusted root
	// lists a log, and none where it does not.
	TransparencyLogs int
	// TimestampAuthorities is how many distinct ones must have witnessed a signature
	// made with a certificate. 0 means that one witnessed time of either kind, a
	// log's or an authority's, is enough; none at all never is.
	TimestampAuthorities int
	// CertificateTransparencyLogs is how many distinct ones must have promised to
	// record the certificate. 0 means 1 where the trusted root lists one.
	CertificateTransparencyLogs int
}

// Key is a trusted public key: ECDSA P-256 or P-384, Ed25519, or RSA of at least
// 2048 bits. Outside of its window, by a witnessed time, its signatures count for
// nothing; with a window set, a signature without a witnessed time does not count
// either. Zero times leave that end open.
//
// A key's signature stands by itself: the thresholds of [Trust] are not for keys, and
// those here are 0 unless they are set. What comes along with it counts as far as the
// trusted root can prove it. An entry of a log that the root lists must hold; an entry
// of any other log, and a timestamp of any other authority, are passed over, because
// whoever stores the bundle could as well have left them out. A witness proves no more
// than that the signature is not younger: that an image was rebuilt lately is never
// shown by what a key signed.
type Key struct {
	Public     crypto.PublicKey
	ValidFrom  time.Time
	ValidUntil time.Time
	// TransparencyLogs and TimestampAuthorities are how many distinct ones of the
	// trusted root must have witnessed a signature by the key.
	TransparencyLogs     int
	TimestampAuthorities int
}

// ParseKey reads a PEM "PUBLIC KEY" (PKIX). The name is for errors.
func ParseKey(name string, data []byte) (Key, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "PUBLIC KEY" {
		got := ""
		if block != nil {
			got = block.Type
		}
		return Key{}, &assay.Error{Op: "read public key", Kind: assay.ErrInvalid, Subject: name, Value: got, Bound: "a PEM block PUBLIC KEY"}
	}
	if next, _ := pem.Decode(rest); next != nil {
		return Key{}, &assay.Error{Op: "read public key", Kind: assay.ErrInvalid, Subject: name, Value: next.Type, Bound: "one PEM block"}
	}
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, &assay.Error{Op: "read public key", Kind: assay.ErrInvalid, Subject: name, Err: err}
	}
	return Key{Public: pub}, nil
}

func (t Trust) opener() (*envelope.Opener, error) {
	in := envelope.Trust{
		TrustedRoot: t.TrustedRoot,
		Logs:        t.TransparencyLogs,
		Authorities: t.TimestampAuthorities,
		CTLogs:      t.CertificateTransparencyLogs,
	}
	for _, n := range []struct {
		field string
		value int
	}{{"TransparencyLogs", t.TransparencyLogs}, {"TimestampAuthorities", t.TimestampAuthorities}, {"CertificateTransparencyLogs", t.CertificateTransparencyLogs}} {
		if n.value < 0 {
			return nil, &assay.Error{Op: "set up trust", Kind: assay.ErrInvalid, Field: n.field, Bound: "0 or more"}
		}
	}
	for _, k := range t.Keys {
		if !k.ValidUntil.IsZero() && k.ValidUntil.Before(k.ValidFrom) {
			return nil, &assay.Error{Op: "set up trust", Kind: assay.ErrInvalid, Field: "ValidUntil", Value: k.ValidUntil.Format(time.RFC3339), Bound: "a time after ValidFrom"}
		}
		if k.TransparencyLogs < 0 || k.TimestampAuthorities < 0 {
			return nil, &assay.Error{Op: "set up trust", Kind: assay.ErrInvalid, Field: "Keys", Bound: "thresholds of 0 or more"}
		}
		in.Keys = append(in.Keys, envelope.Key{Public: k.Public, ValidFrom: k.ValidFrom, ValidUntil: k.ValidUntil,
			Logs: k.TransparencyLogs, Authorities: k.TimestampAuthorities})
	}
	return envelope.New(in)
}

// ID is the key's [attest.KeyID], by which rules name it.
func (k Key) ID() (assay.Digest, error) { return attest.KeyID(k.Public) }
