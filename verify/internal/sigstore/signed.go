package sigstore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/assaykit/assay"
)

// Bounds on what a signature may bring along. A bundle has one or two of each.
const (
	MaxEntries    = 32
	MaxTimestamps = 32
)

// Signed is a signature with all that came with it, taken apart. Nothing of it is
// proven.
type Signed struct {
	// Certificate is whom the signature says it is by; nil for a key, of which Hint
	// is a name.
	Certificate *x509.Certificate
	Hint        string
	// Signature is over the DSSE envelope's payload and type where Payload is set, and
	// else over a message that has the digest.
	Signature   []byte
	Payload     []byte
	PayloadType string
	Hash        crypto.Hash
	Digest      []byte
	// Entries and Timestamps are the witnesses.
	Entries    []Entry
	Timestamps [][]byte

	dsse     bool
	bare     bool   // a DSSE envelope without a bundle around it
	envelope []byte // the DSSE envelope byte for byte, as it was logged; nil if not known
	stamped  []byte // what the timestamps are over
	pae      map[crypto.Hash][]byte
}

// Entry is an entry of a transparency log.
type Entry struct {
	LogID []byte
	// Index and Time are the log's word if the promise is; else Time is nobody's.
	Index, Time int64
	Body        []byte
	// Promise is Rekor v1's signed entry timestamp.
	Promise []byte
	Proof   *Proof
}

// Proof is a proof of inclusion.
type Proof struct {
	Index, Size int64
	Root        []byte
	Hashes      [][]byte
	Checkpoint  string
}

// IsDSSE reports whether the signature is a DSSE envelope's.
func (s *Signed) IsDSSE() bool { return s.dsse }

// setDSSE makes s the signature of an envelope.
func (s *Signed) setDSSE(payloadType string, payload, sig []byte) {
	s.dsse, s.PayloadType, s.Payload, s.Signature, s.stamped = true, payloadType, payload, sig, sig
}

// setMessage makes s the signature of a message.
func (s *Signed) setMessage(h crypto.Hash, digest, sig []byte) {
	s.Hash, s.Digest, s.Signature, s.stamped = h, digest, sig, sig
}

// preAuthentication is what DSSE signs before the payload (DSSE v1.0.2, protocol.md).
func preAuthentication(payloadType string, payload []byte) []byte {
	out := make([]byte, 0, len("DSSEv1   ")+len(payloadType)+2*20)
	out = append(out, "DSSEv1 "...)
	out = strconv.AppendInt(out, int64(len(payloadType)), 10)
	out = append(out, ' ')
	out = append(out, payloadType...)
	out = append(out, ' ')
	out = strconv.AppendInt(out, int64(len(payload)), 10)
	return append(out, ' ')
}

// digestBy is the digest that the signature is over, by a hash: a log entry and the
// signature ask for the same one.
func (s *Signed) digestBy(h crypto.Hash) []byte {
	if d, ok := s.pae[h]; ok {
		return d
	}
	d := sum(h, preAuthentication(s.PayloadType, s.Payload), s.Payload)
	if s.pae == nil {
		s.pae = map[crypto.Hash][]byte{}
	}
	s.pae[h] = d
	return d
}

// Verify checks the signature itself, by the key: that of the certificate, or one
// that the caller trusts. A message, where there is one, must have the digest; it is
// needed where the digest is not enough, which is so for Ed25519 keys.
func (s *Signed) Verify(pub crypto.PublicKey, message []byte) error {
	h, err := hashOf(pub)
	if err != nil {
		return err
	}
	if s.dsse {
		return s.verifyDSSE(pub, h)
	}
	if message != nil && !bytes.Equal(sum(s.Hash, message), s.Digest) {
		return errors.New("the message does not have the digest that is signed")
	}
	if _, ok := pub.(ed25519.PublicKey); ok && s.Certificate == nil {
		if message == nil {
			return errors.New("an Ed25519 key's signature over a message needs the message, not its digest")
		}
		return verifyMessage(pub, message, s.Signature)
	}
	hashes := [...]crypto.Hash{h, crypto.SHA256}
	use := hashes[:1]
	if s.compatible(pub) {
		use = hashes[:]
	}
	err = fmt.Errorf("a digest by %v, and the key signs those by %v", s.Hash, h)
	for _, h := range use {
		switch {
		case h == s.Hash:
			err = verifyDigest(pub, h, s.Digest, s.Signature)
		case message != nil:
			err = verifyDigest(pub, h, sum(h, message), s.Signature)
		default:
			continue
		}
		if err == nil {
			return nil
		}
	}
	return err
}

func (s *Signed) verifyDSSE(pub crypto.PublicKey, h crypto.Hash) error {
	if k, ok := pub.(ed25519.PublicKey); ok {
		message := append(preAuthentication(s.PayloadType, s.Payload), s.Payload...)
		return verifyMessage(k, message, s.Signature)
	}
	err := verifyDigest(pub, h, s.digestBy(h), s.Signature)
	if err != nil && s.compatible(pub) {
		return verifyDigest(pub, crypto.SHA256, s.digestBy(crypto.SHA256), s.Signature)
	}
	if k, ok := pub.(*ecdsa.PublicKey); err != nil && ok && s.bare && s.Certificate == nil {
		if der := fixedWidth(k, s.Signature); der != nil {
			return verifyDigest(pub, h, s.digestBy(h), der)
		}
	}
	return err
}

// fixedWidth gives the ASN.1 of a signature whose two numbers are written one after the
// other, each as wide as the curve's order (IEEE P1363, as in JOSE): DSSE does not say how
// a signature is written, and Google's verification summaries are signed so. It is nil if
// the width is another.
func fixedWidth(k *ecdsa.PublicKey, sig []byte) []byte {
	width := (k.Curve.Params().N.BitLen() + 7) / 8
	if len(sig) != 2*width {
		return nil
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[:width]))
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[width:]))
	})
	der, err := b.Bytes()
	if err != nil {
		return nil
	}
	return der
}

// compatible reports whether SHA-256 is accepted where the key would use another
// hash: certificates for P-384 and P-521 keys, as old clients used them.
func (s *Signed) compatible(pub crypto.PublicKey) bool {
	k, ok := pub.(*ecdsa.PublicKey)
	return ok && s.Certificate != nil && (k.Curve == elliptic.P384() || k.Curve == elliptic.P521())
}

// MessageDigest is the digest that the signature of a message is over.
func (s *Signed) MessageDigest() (assay.Digest, error) {
	alg := assay.SHA256
	switch s.Hash {
	case crypto.SHA384:
		alg = assay.SHA384
	case crypto.SHA512:
		alg = assay.SHA512
	}
	return assay.NewDigest(alg, hex.EncodeToString(s.Digest))
}
