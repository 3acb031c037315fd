package sigstore

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// authority issues certificates, as Fulcio does.
type authority struct {
	uri           string
	valid         period
	root          *x509.Certificate
	roots         *x509.CertPool
	intermediates *x509.CertPool
	// issuers are the certificates that may be directly above a leaf, with the chain
	// above them verified. whole is set if a chain above an issuer says something of
	// what is below it: then each leaf is verified along all of its chain.
	issuers []issuer
	whole   bool
}

// issuer is a certificate that may sign leaves at any time of a period: for that
// period the certificates above it are valid, too.
type issuer struct {
	certificate *x509.Certificate
	pool        *x509.CertPool // it alone
	valid       period
}

func newAuthority(ca *root.FulcioCertificateAuthority) *authority {
	a := &authority{uri: ca.URI, valid: period{ca.ValidityPeriodStart, ca.ValidityPeriodEnd}, root: ca.Root,
		roots: x509.NewCertPool(), intermediates: x509.NewCertPool()}
	a.roots.AddCert(ca.Root)
	for _, c := range ca.Intermediates {
		a.intermediates.AddCert(c)
	}
	a.add(ca.Root, []*x509.Certificate{ca.Root})
	all := append([]*x509.Certificate{ca.Root}, ca.Intermediates...)
	for _, c := range ca.Intermediates {
		// A chain depends on the time only through the validity of its certificates, so
		// one that holds at one time holds at all they share; and the first of those is
		// where one of them begins.
		for _, begins := range all {
			chains, err := c.Verify(x509.VerifyOptions{Roots: a.roots, Intermediates: a.intermediates, CurrentTime: begins.NotBefore,
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}})
			if err != nil {
				continue
			}
			for _, chain := range chains {
				a.add(c, chain)
			}
		}
	}
	return a
}

// add notes an issuer with the chain from it to the root.
func (a *authority) add(c *x509.Certificate, chain []*x509.Certificate) {
	for i, above := range chain[1:] {
		if constrained(above) || limited(above, i+1) {
			a.whole = true
			return
		}
	}
	valid := shared(chain)
	if slices.ContainsFunc(a.issuers, func(i issuer) bool { return i.certificate == c && i.valid == valid }) {
		return
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	a.issuers = append(a.issuers, issuer{c, pool, valid})
}

// shared is the time in which all certificates are valid.
func shared(chain []*x509.Certificate) period {
	var p period
	for _, c := range chain {
		p = p.and(period{c.NotBefore, c.NotAfter})
	}
	return p
}

// constrained reports whether a certificate limits the names in those below it.
func constrained(c *x509.Certificate) bool {
	return len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedIPRanges)+len(c.ExcludedIPRanges)+
		len(c.PermittedEmailAddresses)+len(c.ExcludedEmailAddresses)+len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0
}

// limited reports whether a certificate forbids that many intermediates below it.
func limited(c *x509.Certificate, below int) bool {
	return c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLenZero) && c.MaxPathLen < below
}

// verify proves that the authority issued the leaf, with all certificates valid at
// the time; it gives the issuing certificates that may be meant, and a period for
// which the answer is the same.
func (a *authority) verify(leaf *x509.Certificate, at time.Time) ([]*x509.Certificate, period, error) {
	if !a.valid.has(at) {
		return nil, period{}, errors.New("the time is outside of the validity of the authority")
	}
	options := x509.VerifyOptions{CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	if a.whole {
		options.Roots, options.Intermediates = a.roots, a.intermediates
		out, err := issuersOf(leaf.Verify(options))
		return out, period{at, at}, err
	}
	var out []*x509.Certificate
	err := errors.New("no issuer of the certificate is trusted")
	valid := period{leaf.NotBefore, leaf.NotAfter}.and(a.valid)
	for _, i := range a.issuers {
		if string(i.certificate.RawSubject) != string(leaf.RawIssuer) || !i.valid.has(at) {
			continue
		}
		options.Roots = i.pool
		above, failed := issuersOf(leaf.Verify(options))
		if failed != nil {
			err = failed
			continue
		}
		out, valid = append(out, above...), valid.and(i.valid)
	}
	if len(out) == 0 {
		return nil, period{}, err
	}
	return out, valid, nil
}

func issuersOf(chains [][]*x509.Certificate, err error) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, c := range chains {
		if len(c) > 1 {
			out = append(out, c[1])
		}
	}
	if err == nil && len(out) == 0 {
		err = errors.New("the certificate is its own issuer")
	}
	return out, err
}

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// Certificate proves that an authority of the trusted root issued the signer's
// certificate, and that it and all above it were valid at each of the times, and that
// certificate transparency logs, that many distinct ones, promised to record it.
func (r *Root) Certificate(s *Signed, times []time.Time, ctLogs int) error {
	leaf := s.Certificate
	if len(times) == 0 {
		return errors.New("no time to verify the certificate at")
	}
	// An alternative name of the kind otherName is one that Fulcio writes and crypto/x509
	// does not know; it is read in identity.
	if len(leaf.UnhandledCriticalExtensions) > 0 {
		c := *leaf
		c.UnhandledCriticalExtensions = nil
		for _, oid := range leaf.UnhandledCriticalExtensions {
			if !oid.Equal(oidSubjectAltName) {
				c.UnhandledCriticalExtensions = append(c.UnhandledCriticalExtensions, oid)
			}
		}
		leaf = &c
	}
	var issuers []*x509.Certificate
	var holds period
	for i, at := range times {
		if i > 0 && holds.has(at) {
			continue
		}
		var err error
		if issuers, holds, err = r.issuersAt(leaf, at); err != nil {
			return err
		}
	}
	if ctLogs > 0 {
		return r.promised(leaf, issuers, ctLogs)
	}
	return nil
}

// issuersAt finds the first authority that issued the leaf. The period is one in
// which the answer is the same.
func (r *Root) issuersAt(leaf *x509.Certificate, at time.Time) ([]*x509.Certificate, period, error) {
	err := errors.New("no certificate authority is trusted")
	for _, a := range r.authorities {
		issuers, valid, failed := a.verify(leaf, at)
		if failed == nil {
			return issuers, valid, nil
		}
		err = fmt.Errorf("at %s: %w", at.Format(time.RFC3339), failed)
	}
	return nil, period{}, err
}
