package attest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // P-384 signs a SHA-384
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// KeySigner signs with a key and gives bundles that name the key by a hint. They
// have no log entry and no timestamp: who verifies them must be given the key, and
// nothing witnesses when they were signed.
type KeySigner struct {
	key  crypto.Signer
	id   assay.Digest
	hash crypto.Hash
	hint string
}

// KeyOption changes a [KeySigner].
type KeyOption func(*KeySigner)

// WithHint names the key in the bundle in place of [KeyID] in base64, which is what
// sigstore's own clients write and look keys up by.
func WithHint(hint string) KeyOption { return func(s *KeySigner) { s.hint = hint } }

// ContextSigner is the ability of a key that signs elsewhere, in a key management
// service: it is given the message, not its hash, and the context of the call. A
// [KeySigner] of such a key checks each signature before it gives it, because a
// service may hold another key by now, or sign with another scheme than the key's
// default one.
type ContextSigner interface {
	crypto.Signer
	// SignContext signs the message by the hash; zero, for Ed25519, hashes nothing.
	SignContext(ctx context.Context, message []byte, hash crypto.Hash) ([]byte, error)
}

// NewKeySigner takes an ECDSA key on P-256 or P-384 (signing SHA-256 and SHA-384),
// an Ed25519 key, or an RSA key of 2048, 3072 or 4096 bits (PKCS #1 v1.5 with
// SHA-256): the pairs that sigstore's algorithm registry has as defaults. Any other
// key is an [assay.ErrInvalid].
//
// The key may be in hardware, or in a service as a [ContextSigner]; package attest/kms
// makes one of a sigstore KMS key. A key in memory signs deterministically.
func NewKeySigner(key crypto.Signer, opts ...KeyOption) (*KeySigner, error) {
	if key == nil {
		return nil, &assay.Error{Op: "make key signer", Kind: assay.ErrInvalid, Field: "key", Bound: "a private key"}
	}
	hash, err := hashFor(key.Public())
	if err != nil {
		return nil, err
	}
	id, err := KeyID(key.Public())
	if err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(id.Hex())
	if err != nil {
		return nil, err
	}
	s := &KeySigner{key: key, id: id, hash: hash, hint: base64.StdEncoding.EncodeToString(raw)}
	for _, o := range opts {
		o(s)
	}
	if s.hint == "" {
		return nil, &assay.Error{Op: "make key signer", Kind: assay.ErrInvalid, Field: "hint", Bound: "a hint that is not empty"}
	}
	return s, nil
}

// hashFor gives the hash that is signed; zero for Ed25519, which signs the message.
func hashFor(pub crypto.PublicKey) (crypto.Hash, error) {
	bad := &assay.Error{Op: "make key signer", Kind: assay.ErrInvalid, Field: "key",
		Bound: "ECDSA on P-256 or P-384, Ed25519, or RSA of 2048, 3072 or 4096 bits"}
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return crypto.SHA256, nil
		case elliptic.P384():
			return crypto.SHA384, nil
		case nil:
			bad.Value = "ECDSA without a curve"
		default:
			bad.Value = "ECDSA on " + k.Params().Name
		}
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return 0, nil
		}
		bad.Value = "Ed25519 of " + strconv.Itoa(len(k)) + " bytes"
	case *rsa.PublicKey:
		if k.N != nil {
			switch k.N.BitLen() {
			case 2048, 3072, 4096:
				return crypto.SHA256, nil
			}
			bad.Value = "RSA of " + strconv.Itoa(k.N.BitLen()) + " bits"
		} else {
			bad.Value = "RSA without a modulus"
		}
	default:
		bad.Value = "a key of another algorithm"
	}
	return 0, bad
}

// KeyID is the SHA-256 of the public key in PKIX, DER form, as
// [assay.Identity.Key] has it.
func KeyID(pub crypto.PublicKey) (assay.Digest, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return assay.Digest{}, &assay.Error{Op: "identify key", Kind: assay.ErrInvalid, Field: "public key", Err: err}
	}
	return assay.SumSHA256(der), nil
}

// Identity is who the signatures are from.
func (s *KeySigner) Identity() assay.Identity { return assay.KeyIdentity(s.id) }

// Public is the key that verifies the signatures.
func (s *KeySigner) Public() crypto.PublicKey { return s.key.Public() }

// Hint names the key in the bundles.
func (s *KeySigner) Hint() string { return s.hint }

// Sign implements [Signer].
func (s *KeySigner) Sign(ctx context.Context, payload []byte) (assay.Envelope, error) {
	if err := ctx.Err(); err != nil {
		return assay.Envelope{}, &assay.Error{Op: "sign", Kind: assay.ErrUnchecked, Err: err}
	}
	sig, err := s.sign(ctx, payload)
	if err != nil {
		return assay.Envelope{}, &assay.Error{Op: "sign", Kind: assay.ErrUnchecked, Subject: s.Identity().String(), Err: err}
	}
	hint, err := strictjson.Marshal(s.hint)
	if err != nil {
		return assay.Envelope{}, &assay.Error{Op: "sign", Kind: assay.ErrInvalid, Field: "hint", Value: s.hint, Err: err}
	}
	return assay.NewEnvelope(assay.MediaTypeSigstoreBundle, encodeBundle(hint, payload, sig)), nil
}

func (s *KeySigner) sign(ctx context.Context, payload []byte) ([]byte, error) {
	if remote, ok := s.key.(ContextSigner); ok {
		message := PAE(assay.MediaTypeInToto, payload)
		sig, err := remote.SignContext(ctx, message, s.hash)
		if err != nil {
			return nil, err
		}
		if !verifies(s.key.Public(), s.hash, message, sig) {
			return nil, &assay.Error{Op: "check signature", Kind: assay.ErrRefuted, Subject: s.Identity().String(),
				Bound: "a signature of this key, ECDSA in ASN.1, RSA in PKCS #1 v1.5"}
		}
		return sig, nil
	}
	var message []byte
	if s.hash == 0 {
		message = PAE(assay.MediaTypeInToto, payload)
	} else {
		h := s.hash.New()
		h.Write(paeHeader(assay.MediaTypeInToto, len(payload)))
		h.Write(payload)
		message = h.Sum(nil)
	}
	// Without a source of randomness crypto/ecdsa makes the deterministic signature
	// of RFC 6979. Keys of other kinds behind the interface may need the source.
	random := io.Reader(rand.Reader)
	if _, ok := s.key.(*ecdsa.PrivateKey); ok {
		random = nil
	}
	return s.key.Sign(random, message, s.hash)
}

func verifies(pub crypto.PublicKey, hash crypto.Hash, message, sig []byte) bool {
	if hash == 0 {
		k, ok := pub.(ed25519.PublicKey)
		return ok && ed25519.Verify(k, message, sig)
	}
	h := hash.New()
	h.Write(message)
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, h.Sum(nil), sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, hash, h.Sum(nil), sig) == nil
	}
	return false
}

// encodeBundle writes a sigstore bundle v0.3 (protobuf-specs v0.5,
// sigstore_bundle.proto) of a key. Base64 needs no escaping, so the payload, which
// can be many megabytes, is written once.
func encodeBundle(hint, payload, sig []byte) []byte {
	const (
		head = `{"mediaType":"` + assay.MediaTypeSigstoreBundle + `","verificationMaterial":{"publicKey":{"hint":`
		body = `}},"dsseEnvelope":{"payload":"`
		kind = `","payloadType":"` + assay.MediaTypeInToto + `","signatures":[{"sig":"`
		tail = `"}]}}`
	)
	b64 := base64.StdEncoding
	out := make([]byte, 0, len(head)+len(hint)+len(body)+b64.EncodedLen(len(payload))+len(kind)+b64.EncodedLen(len(sig))+len(tail))
	out = append(append(append(out, head...), hint...), body...)
	out = append(b64.AppendEncode(out, payload), kind...)
	return append(b64.AppendEncode(out, sig), tail...)
}
