package testsigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// Authorities are valid through all times that a test may sign at.
var (
	validFrom  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	validUntil = time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC)
)

// certificateLifetime is Fulcio's.
const certificateLifetime = 10 * time.Minute

// authority is a root, and an intermediate that issues, as Fulcio's public
// instance has them.
type authority struct {
	root, intermediate *x509.Certificate
	key                *ecdsa.PrivateKey
}

func newAuthority(name string, use x509.ExtKeyUsage) (*authority, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root := caTemplate(name + "-root")
	rootCert, err := issue(root, root, rootKey.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	intermediate := caTemplate(name + "-intermediate")
	intermediate.ExtKeyUsage = []x509.ExtKeyUsage{use}
	intermediate.MaxPathLenZero = true
	cert, err := issue(intermediate, rootCert, key.Public(), rootKey)
	if err != nil {
		return nil, err
	}
	return &authority{root: rootCert, intermediate: cert, key: key}, nil
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name, Organization: []string{"assay test"}},
		NotBefore:             validFrom,
		NotAfter:              validUntil,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
}

func issue(template, parent *x509.Certificate, pub crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 150))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// certify issues what Fulcio issues: ten minutes, code signing, no subject.
func (a *authority) certify(id Identity, pub crypto.PublicKey, from time.Time) (*x509.Certificate, error) {
	extensions, err := id.render()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		NotBefore:       from,
		NotAfter:        from.Add(certificateLifetime),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: extensions,
	}
	if strings.Contains(id.SAN, "://") {
		u, err := url.Parse(id.SAN)
		if err != nil {
			return nil, err
		}
		template.URIs = []*url.URL{u}
	} else {
		template.EmailAddresses = []string{id.SAN}
	}
	return issue(template, a.intermediate, pub, a.key)
}

// trusted is the authority as a trusted root lists it.
func (a *authority) trusted(uri string) *root.FulcioCertificateAuthority {
	return &root.FulcioCertificateAuthority{
		Root:                a.root,
		Intermediates:       []*x509.Certificate{a.intermediate},
		ValidityPeriodStart: validFrom,
		URI:                 uri,
	}
}

// stamper is a timestamp authority (RFC 3161).
type stamper struct {
	*authority
	leaf    *x509.Certificate
	leafKey *ecdsa.PrivateKey
}

// newStamper makes one whose certificate is valid until a time; zero is far away.
func newStamper(name string, until time.Time) (*stamper, error) {
	a, err := newAuthority(name, x509.ExtKeyUsageTimeStamping)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := timestampingTemplate(name)
	if !until.IsZero() {
		template.NotAfter = until
	}
	leaf, err := issue(template, a.intermediate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &stamper{authority: a, leaf: leaf, leafKey: key}, nil
}

// trusted is the authority as a trusted root lists it.
func (s *stamper) trusted(uri string) *root.SigstoreTimestampingAuthority {
	return &root.SigstoreTimestampingAuthority{
		Root:                s.root,
		Intermediates:       []*x509.Certificate{s.intermediate},
		Leaf:                s.leaf,
		ValidityPeriodStart: validFrom,
		URI:                 uri,
	}
}

// timestampingTemplate has the critical extended key usage that RFC 3161,
// section 2.3 demands and that x509.Certificate.ExtKeyUsage cannot express.
func timestampingTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{"assay test"}},
		NotBefore: validFrom,
		NotAfter:  validUntil,
		KeyUsage:  x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{
			Id:       asn1.ObjectIdentifier{2, 5, 29, 37},
			Critical: true,
			// SEQUENCE of the one OID 1.3.6.1.5.5.7.3.8, id-kp-timeStamping.
			Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08},
		}},
	}
}

// stamp says that sig existed at a time.
func (s *stamper) stamp(sig []byte, at time.Time) ([]byte, error) {
	sum := sha256.Sum256(sig)
	return s.answer(&timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true}, at)
}

// answer answers a timestamp request.
func (s *stamper) answer(r *timestamp.Request, at time.Time) ([]byte, error) {
	token := timestamp.Timestamp{
		HashAlgorithm:     r.HashAlgorithm,
		HashedMessage:     r.HashedMessage,
		Time:              at.UTC(),
		Nonce:             r.Nonce,
		Policy:            asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
		AddTSACertificate: r.Certificates,
	}
	return token.CreateResponseWithOpts(s.leaf, s.leafKey, crypto.SHA256)
}
