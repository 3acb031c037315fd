package envelope

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/verify/internal/sigstore"
)

// Trust is what signatures are proven against.
type Trust struct {
	// TrustedRoot is a sigstore trusted_root.json; empty trusts no certificate.
	TrustedRoot []byte
	Keys        []Key
	// Logs, Authorities and CTLogs are how many distinct ones must have witnessed a
	// signature made with a certificate. Zero is the default of New.
	Logs, Authorities, CTLogs int
}

// Key is a trusted public key. Zero times leave that end of its window open.
type Key struct {
	Public                crypto.PublicKey
	ValidFrom, ValidUntil time.Time
	// Logs and Authorities are how many distinct ones must have witnessed a signature
	// by the key.
	Logs, Authorities int
}

type trustedKey struct {
	Key
	id    assay.Digest // SHA-256 of the PKIX, DER form
	key   sigstore.Key
	names []string // in the spellings of hints
}

// MinRSABits is the smallest RSA modulus that is trusted.
const MinRSABits = sigstore.MinRSABits

// New checks the trust and prepares an opener.
//
// Defaults: a signature made with a certificate must be in one transparency log
// and have one certificate transparency log's promise wherever the trusted root
// lists any such log, and always have one witnessed time.
func New(t Trust) (*Opener, error) {
	o := &Opener{logs: t.Logs, authorities: t.Authorities, ctLogs: t.CTLogs}
	if len(t.TrustedRoot) > 0 {
		const name = "trusted root"
		if err := strictjson.Check(name, t.TrustedRoot, strictjson.Limits{}); err != nil {
			return nil, err
		}
		root, err := sigstore.ParseRoot(t.TrustedRoot)
		if err != nil {
			return nil, &assay.Error{Op: "read trusted root", Kind: assay.ErrInvalid, Subject: name, Err: err}
		}
		if !root.HasAuthorities() && len(t.Keys) == 0 {
			return nil, &assay.Error{Op: "read trusted root", Kind: assay.ErrInvalid, Subject: name, Field: "/certificateAuthorities", Bound: "at least one"}
		}
		o.root = root
		o.logs, o.ctLogs = atLeast(t.Logs, root.HasLogs()), atLeast(t.CTLogs, root.HasCTLogs())
	}
	for i, k := range t.Keys {
		bad := func(value, bound string, err error) error {
			return &assay.Error{Op: "trust key", Kind: assay.ErrInvalid, Field: fmt.Sprintf("keys/%d", i), Value: value, Bound: bound, Err: err}
		}
		tk, err := newKey(k)
		if err != nil {
			return nil, bad("", "", err)
		}
		// Of two windows for one key, the order of the keys would decide.
		if slices.ContainsFunc(o.keys, func(k trustedKey) bool { return k.id == tk.id }) {
			return nil, bad(tk.id.String(), "each key once", nil)
		}
		if o.root == nil && (k.Logs > 0 || k.Authorities > 0) {
			return nil, bad(tk.id.String(), "a trusted root, for the witnesses that its signatures need", nil)
		}
		o.keys = append(o.keys, tk)
	}
	if o.root == nil && len(o.keys) == 0 {
		return nil, &assay.Error{Op: "set up trust", Kind: assay.ErrInvalid, Bound: "a trusted root or at least one key"}
	}
	return o, nil
}

// atLeast is a threshold: the one that is asked for, or 1 where the trusted root
// lists anything to meet it with.
func atLeast(n int, listed bool) int {
	if n == 0 && listed {
		return 1
	}
	return n
}

func newKey(k Key) (trustedKey, error) {
	switch pub := k.Public.(type) {
	case *ecdsa.PublicKey:
		if pub == nil || pub.Curve != elliptic.P256() && pub.Curve != elliptic.P384() {
			return trustedKey{}, errors.New("want curve P-256 or P-384")
		}
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			return trustedKey{}, fmt.Errorf("Ed25519 key of %d bytes, want %d", len(pub), ed25519.PublicKeySize)
		}
	case *rsa.PublicKey:
		if pub == nil || pub.N == nil || pub.N.BitLen() < MinRSABits {
			return trustedKey{}, fmt.Errorf("want an RSA key of at least %d bits", MinRSABits)
		}
	default:
		return trustedKey{}, fmt.Errorf("key of type %T, want ECDSA, Ed25519 or RSA", k.Public)
	}
	id, err := attest.KeyID(k.Public)
	if err != nil {
		return trustedKey{}, err
	}
	key, err := sigstore.NewKey(k.Public)
	if err != nil {
		return trustedKey{}, err
	}
	raw, err := hex.DecodeString(id.Hex())
	if err != nil {
		return trustedKey{}, err
	}
	return trustedKey{k, id, key, []string{id.Hex(), id.String(),
		"SHA256:" + base64.RawStdEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw)}}, nil
}

func (k *trustedKey) window() bool { return !k.ValidFrom.IsZero() || !k.ValidUntil.IsZero() }

func (k *trustedKey) valid(t time.Time) bool {
	return (k.ValidFrom.IsZero() || !t.Before(k.ValidFrom)) && (k.ValidUntil.IsZero() || !t.After(k.ValidUntil))
}

// key proves the signatures of keys, each of them by itself. One that is by nobody
// who is trusted is passed over: beside one that is, it proves and refutes nothing.
func (o *Opener) key(p *Proven, list []*sigstore.Signed, message []byte) error {
	if len(o.keys) == 0 {
		return fail(StepTrust, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted,
			Bound: "a signature by a certificate: no key is trusted"})
	}
	var failure error = fail(StepSignature, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted, Value: list[0].Hint,
		Bound: "a signature by one of the trusted keys"})
	for _, s := range list {
		k, err := o.keyOf(s, message)
		if k == nil {
			if err != nil && len(list) == 1 {
				failure = err
			}
			continue
		}
		// What fails from here on is worth more than that another signature is nobody's.
		if err := o.witnessed(p, s, k); err != nil {
			failure = err
			continue
		}
		p.Signers = append(p.Signers, assay.KeyIdentity(k.id))
	}
	if len(p.Signers) == 0 {
		return failure
	}
	return nil
}

// keyOf finds the trusted key that made the signature. A hint is a claim; it only
// says which key need not be tried.
func (o *Opener) keyOf(s *sigstore.Signed, message []byte) (*trustedKey, error) {
	named := func(k trustedKey) bool { return slices.Contains(k.names, s.Hint) }
	only := slices.IndexFunc(o.keys, named)
	var failure error
	for i := range o.keys {
		if only >= 0 && only != i {
			continue
		}
		err := s.Verify(o.keys[i].Public, message)
		if err == nil {
			return &o.keys[i], nil
		}
		if only == i || len(o.keys) == 1 {
			failure = fail(StepSignature, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted, Subject: o.keys[i].id.String(), Err: err})
		}
	}
	return nil, failure
}

// witnessed proves what the key needs to count, and all that the trusted root can
// prove of what came with its signature. Entries of logs that the root does not list
// are nothing: whoever stores the bundle can add them and take them away, and the
// key's signature stands by itself.
func (o *Opener) witnessed(p *Proven, s *sigstore.Signed, k *trustedKey) error {
	bad := func(step Step, kind error, bound string, err error) error {
		return fail(step, &assay.Error{Op: "verify signature", Kind: kind, Subject: "key " + k.id.String(), Bound: bound, Err: err})
	}
	var own Proven
	var stamped []sigstore.Stamped
	if o.root != nil {
		logged, err := o.root.Logs(s, k.key, k.valid)
		if err != nil {
			return bad(StepLog, assay.ErrRefuted, "", err)
		}
		if n := sigstore.DistinctLogs(logged); n < k.Logs {
			return bad(StepLog, assay.ErrRefuted, "", fmt.Errorf("%d transparency logs prove the entry, want %d", n, k.Logs))
		}
		var faults []error
		stamped, faults = o.root.Times(s)
		if len(stamped) < k.Authorities {
			return bad(StepTime, assay.ErrRefuted, "", errors.Join(append([]error{
				fmt.Errorf("%d timestamp authorities witnessed the time, want %d", len(stamped), k.Authorities)}, faults...)...))
		}
		own.witness(logged, stamped)
	}
	for _, t := range own.Times {
		if !k.valid(t.At) {
			return bad(StepTime, assay.ErrRefuted, "", fmt.Errorf("%s is outside of the key's window", t.At.Format(time.RFC3339)))
		}
	}
	if k.window() && len(own.Times) == 0 {
		return bad(StepTime, assay.ErrUnchecked, "a witnessed time: the key is valid only for a time", nil)
	}
	p.Times, p.Logs = append(p.Times, own.Times...), append(p.Logs, own.Logs...)
	return nil
}
