package sigstore

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/assaykit/assay/internal/strictjson"
)

// body is what a log entry says: that a key signed a digest. Which fields are there
// depends on the kind.
type body struct {
	v2        bool
	signature []byte // nil in intoto 0.0.1, which has none
	key       []byte // DER of the certificate or of the public key
	isCert    bool   // known for v2 only; PEM and DER say it themselves
	hash      crypto.Hash
	digest    []byte // of the message, or of what DSSE signs; hashedrekord
	payload   []byte // SHA-256 of the DSSE payload
	envelope  []byte // SHA-256 of the DSSE envelope's bytes; intoto 0.0.1
}

type bodyHash struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// bodyV1 has the fields of all kinds of Rekor v1 entries that are read here.
type bodyV1 struct {
	// hashedrekord 0.0.1
	Data struct {
		Hash bodyHash `json:"hash"`
	} `json:"data"`
	Signature struct {
		Content   []byte `json:"content"`
		PublicKey struct {
			Content []byte `json:"content"` // PEM
		} `json:"publicKey"`
	} `json:"signature"`
	// dsse 0.0.1
	PayloadHash bodyHash `json:"payloadHash"`
	Signatures  []struct {
		Signature []byte `json:"signature"`
		Verifier  []byte `json:"verifier"` // PEM
	} `json:"signatures"`
	// intoto 0.0.1 and 0.0.2
	Content struct {
		Hash        bodyHash `json:"hash"`
		PayloadHash bodyHash `json:"payloadHash"`
		Envelope    struct {
			Signatures []struct {
				PublicKey []byte `json:"publicKey"` // PEM
				Sig       []byte `json:"sig"`       // base64 once more
			} `json:"signatures"`
		} `json:"envelope"`
	} `json:"content"`
	PublicKey []byte `json:"publicKey"` // PEM; intoto 0.0.1
	// Rekor v2
	HashedRekordV002 *bodyV2 `json:"hashedRekordV002"`
	DSSEV002         *bodyV2 `json:"dsseV002"`
}

type bodyV2 struct {
	Data        outputV2      `json:"data"`
	Signature   signatureV2   `json:"signature"`
	PayloadHash outputV2      `json:"payloadHash"`
	Signatures  []signatureV2 `json:"signatures"`
}

type outputV2 struct {
	Algorithm string `json:"algorithm"`
	Digest    []byte `json:"digest"`
}

type signatureV2 struct {
	Content  []byte `json:"content"`
	Verifier struct {
		X509Certificate *rawBytes `json:"x509Certificate"`
		PublicKey       *rawBytes `json:"publicKey"`
	} `json:"verifier"`
}

type rawBytes struct {
	RawBytes []byte `json:"rawBytes"`
}

// parseBody reads the body of an entry: of Rekor v1 hashedrekord, dsse and intoto
// 0.0.1 and intoto 0.0.2, of Rekor v2 hashedrekord and dsse 0.0.2. What is not of one
// of these kinds is [ErrUnsupported].
func parseBody(raw []byte) (*body, error) {
	var in struct {
		Kind       string `json:"kind"`
		APIVersion string `json:"apiVersion"`
		Spec       bodyV1 `json:"spec"`
	}
	if err := strictjson.Unmarshal("log entry", raw, &in, strictjson.Limits{}); err != nil {
		return nil, err
	}
	spec := &in.Spec
	out := &body{}
	var err error
	switch in.Kind + " " + in.APIVersion {
	case "hashedrekord 0.0.1":
		out.signature = spec.Signature.Content
		out.hash, out.digest, err = spec.Data.Hash.read()
		return out.pem(spec.Signature.PublicKey.Content, err)
	case "dsse 0.0.1":
		if len(spec.Signatures) == 0 {
			return nil, errors.New("log entry: no signatures")
		}
		out.signature = spec.Signatures[0].Signature
		out.payload, err = spec.PayloadHash.sha256()
		return out.pem(spec.Signatures[0].Verifier, err)
	case "intoto 0.0.2":
		sigs := spec.Content.Envelope.Signatures
		if len(sigs) == 0 {
			return nil, errors.New("log entry: no signatures")
		}
		if out.signature, err = base64.StdEncoding.DecodeString(string(sigs[0].Sig)); err != nil {
			return nil, errors.New("log entry: the signature is not base64 in base64")
		}
		out.payload, err = spec.Content.PayloadHash.sha256()
		return out.pem(sigs[0].PublicKey, err)
	case "intoto 0.0.1":
		// The payload's hash came with later versions of the server.
		if spec.Content.PayloadHash != (bodyHash{}) {
			if out.payload, err = spec.Content.PayloadHash.sha256(); err != nil {
				return nil, err
			}
		}
		out.envelope, err = spec.Content.Hash.sha256()
		return out.pem(spec.PublicKey, err)
	case "hashedrekord 0.0.2":
		if spec.HashedRekordV002 == nil {
			return nil, errors.New("log entry: no hashedRekordV002")
		}
		out.hash, out.digest, err = spec.HashedRekordV002.Data.read()
		return out.verifier(spec.HashedRekordV002.Signature, err)
	case "dsse 0.0.2":
		if spec.DSSEV002 == nil || len(spec.DSSEV002.Signatures) == 0 {
			return nil, errors.New("log entry: no signatures")
		}
		var h crypto.Hash
		h, out.payload, err = spec.DSSEV002.PayloadHash.read()
		if err == nil && h != crypto.SHA256 {
			return nil, errors.New("log entry: payloadHash is not SHA2_256")
		}
		return out.verifier(spec.DSSEV002.Signatures[0], err)
	}
	return nil, fmt.Errorf("%w: log entry of kind %q, version %q", ErrUnsupported, in.Kind, in.APIVersion)
}

// hashNamed knows the names of Rekor v1 and v2; 0 is none.
func hashNamed(name string) crypto.Hash {
	switch name {
	case "sha256", "SHA2_256":
		return crypto.SHA256
	case "sha384", "SHA2_384":
		return crypto.SHA384
	case "sha512", "SHA2_512":
		return crypto.SHA512
	}
	return 0
}

func (h bodyHash) read() (crypto.Hash, []byte, error) {
	alg := hashNamed(h.Algorithm)
	b, err := hex.DecodeString(h.Value)
	if alg == 0 || err != nil || len(b) != alg.Size() {
		return 0, nil, fmt.Errorf("log entry: %q is no digest by %q", h.Value, h.Algorithm)
	}
	return alg, b, nil
}

func (h bodyHash) sha256() ([]byte, error) {
	alg, b, err := h.read()
	if err == nil && alg != crypto.SHA256 {
		err = fmt.Errorf("log entry: a digest by %q, want sha256", h.Algorithm)
	}
	return b, err
}

func (o outputV2) read() (crypto.Hash, []byte, error) {
	alg := hashNamed(o.Algorithm)
	if alg == 0 || len(o.Digest) != alg.Size() {
		return 0, nil, fmt.Errorf("log entry: %d bytes are no digest by %q", len(o.Digest), o.Algorithm)
	}
	return alg, o.Digest, nil
}

func (b *body) pem(key []byte, err error) (*body, error) {
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("log entry: the key is not PEM")
	}
	b.key = block.Bytes
	return b, nil
}

func (b *body) verifier(s signatureV2, err error) (*body, error) {
	b.v2 = true
	switch {
	case err != nil:
		return nil, err
	case s.Verifier.X509Certificate != nil && s.Verifier.PublicKey == nil:
		b.key, b.isCert = s.Verifier.X509Certificate.RawBytes, true
	case s.Verifier.PublicKey != nil && s.Verifier.X509Certificate == nil:
		b.key = s.Verifier.PublicKey.RawBytes
	default:
		return nil, errors.New("log entry: want a certificate or a public key")
	}
	if b.signature = s.Content; len(b.signature) == 0 {
		return nil, errors.New("log entry: no signature")
	}
	return b, nil
}

// matches proves that the entry is about this signature: the same key, signature and
// signed content. An entry of something else proves nothing, however genuine
// (CVE-2022-36056, CVE-2026-22703).
func (b *body) matches(s *Signed, key Key) error {
	if b.v2 && b.isCert != (s.Certificate != nil) || !key.equal(b.key) {
		return errors.New("the log entry is of another key or certificate")
	}
	if b.signature != nil && !bytes.Equal(b.signature, s.Signature) {
		return errors.New("the log entry is of another signature")
	}
	switch {
	case b.digest != nil && s.dsse:
		// Rekor v2 logs the digest of what DSSE signs, by the key's own hash.
		h, err := hashOf(key.Public)
		if err != nil {
			return err
		}
		if !b.v2 {
			return errors.New("the log entry is of a message, and the bundle has an envelope")
		}
		if b.hash != h || !bytes.Equal(b.digest, s.digestBy(h)) {
			return errors.New("the log entry is of another envelope")
		}
	case b.digest != nil:
		if b.hash != s.Hash || !bytes.Equal(b.digest, s.Digest) {
			return errors.New("the log entry is of another digest")
		}
	case !s.dsse:
		return errors.New("the log entry is of an envelope, and the bundle has a message")
	default:
		return b.matchesEnvelope(s)
	}
	return nil
}

func (b *body) matchesEnvelope(s *Signed) error {
	if b.payload != nil && !bytes.Equal(b.payload, sum(crypto.SHA256, s.Payload)) {
		return errors.New("the log entry is of another payload")
	}
	if b.signature == nil { // intoto 0.0.1
		if s.envelope != nil {
			if got := sha256.Sum256(s.envelope); !bytes.Equal(b.envelope, got[:]) {
				return errors.New("the log entry is of another envelope")
			}
		} else if b.payload == nil {
			return errors.New("the log entry has only the hash of an envelope whose bytes are not known")
		}
	}
	return nil
}

// Key is a public key in the forms that are compared: DER of the certificate, or of
// the key.
type Key struct {
	Public crypto.PublicKey
	der    []byte
	isKey  bool
}

// CertificateKey is the key of a certificate.
func CertificateKey(c *x509.Certificate) Key { return Key{Public: c.PublicKey, der: c.Raw} }

// NewKey is a key by itself: ECDSA, RSA of at least [MinRSABits], or Ed25519.
func NewKey(pub crypto.PublicKey) (Key, error) {
	if _, err := hashOf(pub); err != nil {
		return Key{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	return Key{pub, der, true}, err
}

// equal compares with what a log entry has, which may be another encoding of the
// same public key.
func (k Key) equal(der []byte) bool {
	if bytes.Equal(k.der, der) {
		return true
	}
	if !k.isKey {
		return false
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return false
	}
	same, ok := k.Public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && same.Equal(pub)
}
