package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for the hashes below
	_ "crypto/sha512"
	"errors"
	"fmt"
)

// Keys outside of these are not verified with: short ones are broken, and a long one
// in a hostile certificate would cost more than everything else together.
const (
	MinRSABits = 2048
	maxRSABits = 8192
)

var errSignature = errors.New("the signature does not match")

// hashOf is the hash that goes with a key (sigstore's registry of algorithms,
// architecture-docs/algorithm-registry.md). For Ed25519 it is that of Ed25519ph.
func hashOf(pub crypto.PublicKey) (crypto.Hash, error) {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return crypto.SHA256, nil
		case elliptic.P384():
			return crypto.SHA384, nil
		case elliptic.P521():
			return crypto.SHA512, nil
		}
		return 0, errors.New("an ECDSA key of a curve other than P-256, P-384 and P-521")
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < MinRSABits || n > maxRSABits {
			return 0, fmt.Errorf("an RSA key of %d bits, want %d to %d", n, MinRSABits, maxRSABits)
		}
		return crypto.SHA256, nil
	case ed25519.PublicKey:
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("a key of type %T", pub)
}

// verifyDigest checks a signature over a digest: ECDSA, RSA PKCS #1 v1.5, or
// Ed25519ph.
func verifyDigest(pub crypto.PublicKey, h crypto.Hash, digest, sig []byte) error {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(k, digest, sig) {
			return errSignature
		}
		return nil
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(k, h, digest, sig); err != nil {
			return errSignature
		}
		return nil
	case ed25519.PublicKey:
		if h != crypto.SHA512 {
			return errors.New("Ed25519ph signs SHA-512 digests only")
		}
		if err := ed25519.VerifyWithOptions(k, digest, sig, &ed25519.Options{Hash: crypto.SHA512}); err != nil {
			return errSignature
		}
		return nil
	}
	return fmt.Errorf("a key of type %T", pub)
}

// verifyMessage checks a signature over a message: with the hash of the key, or
// Ed25519 over the message itself.
func verifyMessage(pub crypto.PublicKey, message, sig []byte) error {
	if k, ok := pub.(ed25519.PublicKey); ok {
		if !ed25519.Verify(k, message, sig) {
			return errSignature
		}
		return nil
	}
	h, err := hashOf(pub)
	if err != nil {
		return err
	}
	return verifyDigest(pub, h, sum(h, message), sig)
}

// sum hashes the parts, one after the other.
func sum(h crypto.Hash, parts ...[]byte) []byte {
	w := h.New()
	for _, p := range parts {
		w.Write(p)
	}
	return w.Sum(nil)
}
