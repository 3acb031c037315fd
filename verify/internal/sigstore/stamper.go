package sigstore

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// stamper is a timestamp authority.
type stamper struct {
	uri           string
	valid         period
	leaf          *x509.Certificate // nil: any below the root may sign
	intermediates []*x509.Certificate
	roots         *x509.CertPool

	// An authority sends the same certificates with each timestamp. Those that were
	// verified are kept, with the time their chain is valid for; few, and all are
	// dropped when there are more, so that whoever makes up certificates gains nothing.
	mu    sync.Mutex
	known map[[sha256.Size]byte]knownSigner
}

type knownSigner struct {
	certificate *x509.Certificate
	valid       period
}

// maxKnownSigners bounds what is kept for one authority.
const maxKnownSigners = 16

func newStamper(s *root.SigstoreTimestampingAuthority) *stamper {
	out := &stamper{uri: s.URI, valid: period{s.ValidityPeriodStart, s.ValidityPeriodEnd}, leaf: s.Leaf,
		intermediates: s.Intermediates, roots: x509.NewCertPool(), known: map[[sha256.Size]byte]knownSigner{}}
	out.roots.AddCert(s.Root)
	return out
}

// Stamped is a proven timestamp.
type Stamped struct {
	// URI is the authority's, as the trusted root has it.
	URI string
	At  time.Time
}

// Times proves the timestamps: that authorities of the trusted root made them over
// this signature. Those that are not so are passed over, because anybody can add
// them; the errors say what is wrong with them. Of several by one authority the first
// counts.
func (r *Root) Times(s *Signed) ([]Stamped, []error) {
	var out []Stamped
	var faults []error
	var signers []*x509.Certificate
	for i, raw := range s.Timestamps {
		stamped, signer, err := r.stamp(raw, s.stamped)
		if err != nil {
			faults = append(faults, fmt.Errorf("timestamp %d: %w", i, err))
			continue
		}
		if slices.ContainsFunc(out, func(o Stamped) bool { return o.URI == stamped.URI }) ||
			slices.ContainsFunc(signers, func(c *x509.Certificate) bool {
				return bytes.Equal(c.RawSubjectPublicKeyInfo, signer.RawSubjectPublicKeyInfo)
			}) {
			faults = append(faults, fmt.Errorf("timestamp %d: another one by %s", i, stamped.URI))
			continue
		}
		out, signers = append(out, stamped), append(signers, signer)
	}
	return out, faults
}

func (r *Root) stamp(raw, stamped []byte) (Stamped, *x509.Certificate, error) {
	t, err := parseToken(raw)
	if err != nil {
		return Stamped{}, nil, err
	}
	if err := t.isOf(stamped); err != nil {
		return Stamped{}, nil, err
	}
	err = errors.New("no timestamp authority is trusted")
	for _, a := range r.stampers {
		signer, failed := a.signer(t)
		if failed == nil {
			failed = t.check(signer)
		}
		switch {
		case failed != nil:
		case !a.valid.has(t.at):
			failed = fmt.Errorf("%s is outside of the validity of the authority", t.at.Format(time.RFC3339))
		default:
			return Stamped{a.uri, t.at.UTC()}, signer, nil
		}
		err = failed
	}
	return Stamped{}, nil, err
}

// signer proves whose certificate the token was signed with: that it leads to the
// authority's root and that all above were valid at the time of the token.
func (a *stamper) signer(t *token) (*x509.Certificate, error) {
	key := t.key()
	a.mu.Lock()
	known, ok := a.known[key]
	a.mu.Unlock()
	if ok && known.valid.has(t.at) {
		return known.certificate, nil
	}
	signer, valid, err := a.chain(t)
	if err != nil {
		return nil, err
	}
	a.remember(key, knownSigner{signer, valid})
	return signer, nil
}

func (a *stamper) remember(key [sha256.Size]byte, k knownSigner) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxKnownSigners {
		clear(a.known)
	}
	a.known[key] = k
}

func (a *stamper) chain(t *token) (*x509.Certificate, period, error) {
	none := func(what string) (*x509.Certificate, period, error) { return nil, period{}, errors.New(what) }
	signer := a.leaf
	pool := x509.NewCertPool()
	for _, c := range a.intermediates {
		pool.AddCert(c)
	}
	if len(t.certificates) > 0 {
		sent, err := x509.ParseCertificates(t.certificates)
		if err != nil {
			return none("a certificate in the timestamp is malformed")
		}
		i := slices.IndexFunc(sent, t.isBy)
		if i < 0 || a.leaf != nil && !a.leaf.Equal(sent[i]) {
			return none("the timestamp is by another certificate")
		}
		signer = sent[i]
		for _, c := range sent {
			pool.AddCert(c)
		}
	}
	if signer == nil || !t.isBy(signer) {
		return none("the timestamp is by a certificate that is not known")
	}
	if err := mayStamp(signer); err != nil {
		return nil, period{}, err
	}
	chains, err := signer.Verify(x509.VerifyOptions{Roots: a.roots, Intermediates: pool, CurrentTime: t.at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return nil, period{}, err
	}
	for _, chain := range chains {
		if !slices.ContainsFunc(chain[1:max(1, len(chain)-1)], mayNotStamp) {
			return signer, shared(chain), nil
		}
	}
	return none("an intermediate certificate is not for timestamps")
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// mayStamp demands what RFC 3161, section 2.3 does: a certificate for timestamps
// alone, and critically so. One that could issue others is none.
func mayStamp(c *x509.Certificate) error {
	critical := slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidExtKeyUsage) && e.Critical })
	if c.IsCA || !critical || len(c.UnknownExtKeyUsage) > 0 || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping {
		return errors.New("the signer's certificate is not one for timestamps alone")
	}
	return nil
}

func mayNotStamp(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}
