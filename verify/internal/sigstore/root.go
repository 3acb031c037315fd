package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// Root is a trusted root, made ready. It is safe for concurrent use.
type Root struct {
	logs        map[string]*transparencyLog // by log id
	ctLogs      map[[32]byte]*transparencyLog
	authorities []*authority
	stampers    []*stamper
}

// period is a time of validity with both ends included; a zero end is open.
type period struct{ from, until time.Time }

func (p period) has(t time.Time) bool {
	return (p.from.IsZero() || !t.Before(p.from)) && (p.until.IsZero() || !t.After(p.until))
}

// and is the time in both.
func (p period) and(o period) period {
	if o.from.After(p.from) {
		p.from = o.from
	}
	if p.until.IsZero() || !o.until.IsZero() && o.until.Before(p.until) {
		p.until = o.until
	}
	return p
}

// transparencyLog is Rekor's, or a certificate transparency log.
type transparencyLog struct {
	uri    string
	id     []byte
	key    crypto.PublicKey
	unique [sha256.Size]byte // of the key: two entries for one key are one log
	valid  period
	// host is the name of the log in the checkpoints of Rekor v2, and hint what
	// begins its signatures there; none if it has no usable base URL.
	host string
	hint uint32
	// hintV1 begins its signatures in the checkpoints of Rekor v1.
	hintV1 uint32
}

// ParseRoot reads a trusted_root.json (protobuf-specs, sigstore_trustroot.proto).
func ParseRoot(raw []byte) (*Root, error) {
	material, err := root.NewTrustedRootFromJSON(raw)
	if err != nil {
		return nil, err
	}
	r := &Root{logs: map[string]*transparencyLog{}, ctLogs: map[[32]byte]*transparencyLog{}}
	for _, l := range material.RekorLogs() {
		out, err := newLog(l)
		if err != nil {
			return nil, fmt.Errorf("tlogs: %s: %w", l.BaseURL, err)
		}
		r.logs[string(l.ID)] = out
	}
	for _, l := range material.CTLogs() {
		if len(l.ID) != sha256.Size {
			return nil, fmt.Errorf("ctlogs: %s: a log id of %d bytes", l.BaseURL, len(l.ID))
		}
		out, err := newLog(l)
		if err != nil {
			return nil, fmt.Errorf("ctlogs: %s: %w", l.BaseURL, err)
		}
		r.ctLogs[[32]byte(l.ID)] = out
	}
	for i, ca := range material.FulcioCertificateAuthorities() {
		f, ok := ca.(*root.FulcioCertificateAuthority)
		if !ok || f.Root == nil {
			return nil, fmt.Errorf("certificateAuthorities/%d: no root certificate", i)
		}
		r.authorities = append(r.authorities, newAuthority(f))
	}
	for i, tsa := range material.TimestampingAuthorities() {
		s, ok := tsa.(*root.SigstoreTimestampingAuthority)
		if !ok {
			return nil, fmt.Errorf("timestampAuthorities/%d: of a kind that is not known", i)
		}
		if s.Root == nil {
			return nil, fmt.Errorf("timestampAuthorities/%d: no root certificate", i)
		}
		r.stampers = append(r.stampers, newStamper(s))
	}
	return r, nil
}

func newLog(l *root.TransparencyLog) (*transparencyLog, error) {
	der, err := x509.MarshalPKIXPublicKey(l.PublicKey)
	if err != nil {
		return nil, err
	}
	if _, err := hashOf(l.PublicKey); err != nil {
		return nil, err
	}
	out := &transparencyLog{uri: l.BaseURL, id: slices.Clone(l.ID), key: l.PublicKey, unique: sha256.Sum256(der),
		valid: period{l.ValidityPeriodStart, l.ValidityPeriodEnd}}
	out.hintV1 = bigEndian(out.unique[:])
	if u, err := url.Parse(l.BaseURL); err == nil {
		out.host = u.Hostname()
		out.hint = noteHint(out.host, l.PublicKey, der)
	}
	return out, nil
}

// noteHint is the key id in signed notes (c2sp.org/signed-note). Sigstore's ECDSA
// logs do not bind it to the name.
func noteHint(name string, pub crypto.PublicKey, der []byte) uint32 {
	switch k := pub.(type) {
	case ed25519.PublicKey:
		return bigEndian(sum(crypto.SHA256, []byte(name+"\n\x01"), k))
	case *rsa.PublicKey:
		return bigEndian(sum(crypto.SHA256, []byte(name+"\n\xffPKIX-RSA-PKCS#1v1.5"), der))
	}
	return bigEndian(sum(crypto.SHA256, der))
}

func bigEndian(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// HasLogs, HasCTLogs and HasAuthorities report whether the root lists any.
func (r *Root) HasLogs() bool        { return len(r.logs) > 0 }
func (r *Root) HasCTLogs() bool      { return len(r.ctLogs) > 0 }
func (r *Root) HasAuthorities() bool { return len(r.authorities) > 0 }

// promise checks a signed entry timestamp of Rekor v1: ECDSA over the SHA-256 of
// canonical JSON, at a time when the log's key was valid.
func (l *transparencyLog) promise(signed []byte, at time.Time, sig []byte) error {
	key, ok := l.key.(*ecdsa.PublicKey)
	switch {
	case !ok:
		return fmt.Errorf("the log's key is a %T, which signs no inclusion promises", l.key)
	case l.valid.from.IsZero() || !l.valid.has(at):
		return errors.New("the integrated time is outside of the validity of the log's key")
	}
	digest := sha256.Sum256(signed)
	if !ecdsa.VerifyASN1(key, digest[:], sig) {
		return errors.New("the inclusion promise does not match")
	}
	return nil
}
