package sigstore

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}

	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidECDSASHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSASHA384 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidECDSASHA512 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidRSA         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidSHA256RSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidSHA384RSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	oidSHA512RSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	oidEd25519     = asn1.ObjectIdentifier{1, 3, 101, 112}
)

var errTimestamp = errors.New("the timestamp is malformed")

// token is a timestamp (RFC 3161, section 2.4.2) taken apart. Nothing is proven.
type token struct {
	certificates []byte // what came along, DER, one after the other
	issuer       []byte // DER of who signed: the name of the issuer, and the number
	serial       *big.Int
	signer       []byte // both, as they are
	hash         crypto.Hash
	algorithm    x509.SignatureAlgorithm
	attributes   []byte // what is signed
	signature    []byte
	content      []byte
	digest       []byte // of the content, as the attributes have it

	imprintHash crypto.Hash
	imprint     []byte
	at          time.Time
}

// parseToken reads the answer of an authority, in DER (RFC 3161 and RFC 5652), that
// grants what was asked and has exactly one signer.
func parseToken(raw []byte) (*token, error) {
	in := cryptobyte.String(raw)
	var answer, status, content, explicit, data cryptobyte.String
	var code int
	var oid asn1.ObjectIdentifier
	zero := cbasn1.Tag(0).Constructed().ContextSpecific()
	if !in.ReadASN1(&answer, cbasn1.SEQUENCE) || !in.Empty() || !answer.ReadASN1(&status, cbasn1.SEQUENCE) || !status.ReadASN1Integer(&code) {
		return nil, errTimestamp
	}
	if code != 0 {
		return nil, fmt.Errorf("the authority answered with status %d", code)
	}
	if !answer.ReadASN1(&content, cbasn1.SEQUENCE) || !answer.Empty() || !content.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!content.ReadASN1(&explicit, zero) || !content.Empty() || !explicit.ReadASN1(&data, cbasn1.SEQUENCE) || !explicit.Empty() {
		return nil, errTimestamp
	}
	t := &token{}
	var version int
	var algorithms, encapsulated, octets, certificates, signers, signer cryptobyte.String
	if !data.ReadASN1Integer(&version) || !data.ReadASN1(&algorithms, cbasn1.SET) || !data.ReadASN1(&encapsulated, cbasn1.SEQUENCE) ||
		!encapsulated.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidTSTInfo) ||
		!encapsulated.ReadASN1(&explicit, zero) || !encapsulated.Empty() || !explicit.ReadASN1(&octets, cbasn1.OCTET_STRING) || !explicit.Empty() {
		return nil, errTimestamp
	}
	var has bool
	if !data.ReadOptionalASN1(&certificates, &has, zero) || !data.SkipOptionalASN1(cbasn1.Tag(1).Constructed().ContextSpecific()) ||
		!data.ReadASN1(&signers, cbasn1.SET) || !data.Empty() {
		return nil, errTimestamp
	}
	if !signers.ReadASN1(&signer, cbasn1.SEQUENCE) || !signers.Empty() {
		return nil, errors.New("the timestamp does not have exactly one signer")
	}
	t.content, t.certificates = octets, certificates
	if err := t.readSigner(signer); err != nil {
		return nil, err
	}
	// The signer's is among the algorithms that the message announces (RFC 5652,
	// section 5.1): a set that says something else was not written by an authority.
	announced := false
	for !algorithms.Empty() {
		hash, err := readAlgorithm(&algorithms)
		if err != nil {
			return nil, err
		}
		announced = announced || hashByOID(hash) == t.hash
	}
	if !announced {
		return nil, errors.New("the timestamp does not announce the hash of its signer")
	}
	return t, t.readInfo(octets)
}

// readSigner reads a SignerInfo (RFC 5652, section 5.3).
func (t *token) readSigner(in cryptobyte.String) error {
	zero := cbasn1.Tag(0).Constructed().ContextSpecific()
	var version int
	var sid, issuer, attributes, signature cryptobyte.String
	var has bool
	if !in.ReadASN1Integer(&version) || !in.ReadASN1(&sid, cbasn1.SEQUENCE) {
		return errors.New("the timestamp does not name its signer by issuer and number")
	}
	t.signer, t.serial = sid, new(big.Int)
	if !sid.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || !sid.ReadASN1Integer(t.serial) || !sid.Empty() {
		return errTimestamp
	}
	t.issuer = issuer
	hash, err := readAlgorithm(&in)
	if err != nil {
		return err
	}
	if t.hash = hashByOID(hash); t.hash == 0 {
		return fmt.Errorf("the timestamp is by the hash %v, want SHA-2", hash)
	}
	if !in.ReadOptionalASN1(&attributes, &has, zero) || !has {
		return errors.New("the timestamp has no signed attributes")
	}
	algorithm, err := readAlgorithm(&in)
	if err != nil {
		return err
	}
	if t.algorithm = signatureByOID(algorithm, t.hash); t.algorithm == x509.UnknownSignatureAlgorithm {
		return fmt.Errorf("the timestamp is signed by the algorithm %v", algorithm)
	}
	if !in.ReadASN1(&signature, cbasn1.OCTET_STRING) || !in.SkipOptionalASN1(cbasn1.Tag(1).Constructed().ContextSpecific()) || !in.Empty() {
		return errTimestamp
	}
	t.signature = signature
	// The attributes are signed under the tag of a SET (RFC 5652, section 5.4).
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
	if t.attributes, err = b.Bytes(); err != nil {
		return err
	}
	return t.readAttributes(attributes)
}

// readAttributes finds the two that RFC 5652, section 11 demands, each once.
func (t *token) readAttributes(in cryptobyte.String) error {
	typed := false
	for !in.Empty() {
		var attribute, values cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !in.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&oid) ||
			!attribute.ReadASN1(&values, cbasn1.SET) || !attribute.Empty() {
			return errTimestamp
		}
		switch {
		case oid.Equal(oidContentType):
			var kind asn1.ObjectIdentifier
			if typed || !values.ReadASN1ObjectIdentifier(&kind) || !values.Empty() || !kind.Equal(oidTSTInfo) {
				return errTimestamp
			}
			typed = true
		case oid.Equal(oidMessageDigest):
			var digest cryptobyte.String
			if t.digest != nil || !values.ReadASN1(&digest, cbasn1.OCTET_STRING) || !values.Empty() {
				return errTimestamp
			}
			t.digest = digest
		}
	}
	if !typed || t.digest == nil {
		return errors.New("the timestamp's signed attributes do not have its type and digest")
	}
	return nil
}

// readInfo reads a TSTInfo (RFC 3161, section 2.4.2).
func (t *token) readInfo(raw cryptobyte.String) error {
	var info, imprint, value, when cryptobyte.String
	var version int
	var policy asn1.ObjectIdentifier
	serial := new(big.Int)
	if !raw.ReadASN1(&info, cbasn1.SEQUENCE) || !raw.Empty() || !info.ReadASN1Integer(&version) || version != 1 ||
		!info.ReadASN1ObjectIdentifier(&policy) || !info.ReadASN1(&imprint, cbasn1.SEQUENCE) {
		return errTimestamp
	}
	hash, err := readAlgorithm(&imprint)
	if err != nil {
		return err
	}
	if t.imprintHash = hashByOID(hash); t.imprintHash == 0 {
		return fmt.Errorf("the timestamp is of a digest by %v, want SHA-2", hash)
	}
	if !imprint.ReadASN1(&value, cbasn1.OCTET_STRING) || !imprint.Empty() || !info.ReadASN1Integer(serial) ||
		!info.ReadASN1(&when, cbasn1.GeneralizedTime) {
		return errTimestamp
	}
	t.imprint = value
	// Fractions of a second are allowed here, and nowhere else in DER's times.
	s := string(when)
	t.at, err = time.Parse("20060102150405Z", s)
	if err != nil || strings.ContainsAny(s, ",") || strings.Contains(s, ".") && strings.HasSuffix(s, "0Z") {
		return errTimestamp
	}
	return nil
}

func readAlgorithm(in *cryptobyte.String) (asn1.ObjectIdentifier, error) {
	var algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return nil, errTimestamp
	}
	return oid, nil
}

func hashByOID(oid asn1.ObjectIdentifier) crypto.Hash {
	switch {
	case oid.Equal(oidSHA256):
		return crypto.SHA256
	case oid.Equal(oidSHA384):
		return crypto.SHA384
	case oid.Equal(oidSHA512):
		return crypto.SHA512
	}
	return 0
}

func signatureByOID(oid asn1.ObjectIdentifier, h crypto.Hash) x509.SignatureAlgorithm {
	pick := func(a256, a384, a512 x509.SignatureAlgorithm) x509.SignatureAlgorithm {
		switch h {
		case crypto.SHA256:
			return a256
		case crypto.SHA384:
			return a384
		}
		return a512
	}
	switch {
	case oid.Equal(oidECDSASHA256):
		return x509.ECDSAWithSHA256
	case oid.Equal(oidECDSASHA384):
		return x509.ECDSAWithSHA384
	case oid.Equal(oidECDSASHA512):
		return x509.ECDSAWithSHA512
	case oid.Equal(oidECPublicKey):
		return pick(x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512)
	case oid.Equal(oidSHA256RSA):
		return x509.SHA256WithRSA
	case oid.Equal(oidSHA384RSA):
		return x509.SHA384WithRSA
	case oid.Equal(oidSHA512RSA):
		return x509.SHA512WithRSA
	case oid.Equal(oidRSA):
		return pick(x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA)
	case oid.Equal(oidEd25519):
		return x509.PureEd25519
	}
	return x509.UnknownSignatureAlgorithm
}

// isOf checks that the token is of these bytes.
func (t *token) isOf(stamped []byte) error {
	if !bytes.Equal(sum(t.imprintHash, stamped), t.imprint) {
		return errors.New("the timestamp is of something else")
	}
	if !bytes.Equal(sum(t.hash, t.content), t.digest) {
		return errors.New("the timestamp's content does not have the digest that is signed")
	}
	return nil
}

// check proves that the certificate's key signed the token.
func (t *token) check(signer *x509.Certificate) error {
	if err := signer.CheckSignature(t.algorithm, t.attributes, t.signature); err != nil {
		return errors.New("the timestamp's signature does not match")
	}
	return nil
}

// isBy reports whether the token names the certificate as its signer's.
func (t *token) isBy(c *x509.Certificate) bool {
	return c.SerialNumber.Cmp(t.serial) == 0 && bytes.Equal(c.RawIssuer, t.issuer)
}

// key identifies everything about the token that the chain of its signer depends on.
func (t *token) key() [sha256.Size]byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(t.signer))))
	h.Write(t.signer)
	h.Write(t.certificates)
	return [sha256.Size]byte(h.Sum(nil))
}
