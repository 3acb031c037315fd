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

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/strictjson"
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
}

type trustedKey struct {
	id       assay.Digest // SHA-256 of the PKIX, DER form
	window   bool
	material root.TrustedMaterial
}

// MinRSABits is the smallest RSA modulus that is trusted.
const MinRSABits = 2048

// New checks the trust and prepares an opener.
//
// Defaults: a signature made with a certificate must be in one transparency log
// and have one certificate transparency log's promise wherever the trusted root
// lists any such log, and always have one witnessed time.
func New(t Trust) (*Opener, error) {
	o := &Opener{}
	if len(t.TrustedRoot) > 0 {
		const name = "trusted root"
		if err := strictjson.Check(name, t.TrustedRoot, strictjson.Limits{}); err != nil {
			return nil, err
		}
		material, err := root.NewTrustedRootFromJSON(t.TrustedRoot)
		if err != nil {
			return nil, &assay.Error{Op: "read trusted root", Kind: assay.ErrInvalid, Subject: name, Err: err}
		}
		if len(material.FulcioCertificateAuthorities()) == 0 {
			return nil, &assay.Error{Op: "read trusted root", Kind: assay.ErrInvalid, Subject: name, Field: "/certificateAuthorities", Bound: "at least one"}
		}
		o.material = material
		o.logs = atLeast(t.Logs, len(material.RekorLogs()))
		if o.certificates, err = verify.NewVerifier(material, certificateOptions(t, material)...); err != nil {
			return nil, &assay.Error{Op: "read trusted root", Kind: assay.ErrInvalid, Subject: name, Err: err}
		}
	}
	for i, k := range t.Keys {
		tk, err := newKey(k, o.material)
		if err != nil {
			return nil, &assay.Error{Op: "trust key", Kind: assay.ErrInvalid, Field: fmt.Sprintf("keys/%d", i), Err: err}
		}
		// Of two windows for one key, the order of the keys would decide.
		if slices.ContainsFunc(o.keys, func(k trustedKey) bool { return k.id == tk.id }) {
			return nil, &assay.Error{Op: "trust key", Kind: assay.ErrInvalid, Field: fmt.Sprintf("keys/%d", i), Value: tk.id.String(), Bound: "each key once"}
		}
		o.keys = append(o.keys, tk)
	}
	if o.certificates == nil && len(o.keys) == 0 {
		return nil, &assay.Error{Op: "set up trust", Kind: assay.ErrInvalid, Bound: "a trusted root or at least one key"}
	}
	return o, nil
}

// atLeast is a threshold: the one that is asked for, or 1 where the trusted root
// lists anything to meet it with.
func atLeast(n, listed int) int {
	if n == 0 && listed > 0 {
		return 1
	}
	return n
}

func certificateOptions(t Trust, material *root.TrustedRoot) []verify.VerifierOption {
	opts := []verify.VerifierOption{verify.WithoutStatementPredicate(), verify.WithObserverTimestamps(max(1, t.Authorities))}
	if n := atLeast(t.Logs, len(material.RekorLogs())); n > 0 {
		opts = append(opts, verify.WithTransparencyLog(n))
	}
	if t.Authorities > 0 {
		opts = append(opts, verify.WithSignedTimestamps(t.Authorities))
	}
	if n := atLeast(t.CTLogs, len(material.CTLogs())); n > 0 {
		opts = append(opts, verify.WithSignedCertificateTimestamps(n))
	}
	return opts
}

func newKey(k Key, witnesses root.TrustedMaterial) (trustedKey, error) {
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
	v, err := signature.LoadDefaultVerifier(k.Public)
	if err != nil {
		return trustedKey{}, err
	}
	// The hint of a bundle is a claim; the key that verifies is what counts.
	key := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(v, k.ValidFrom, k.ValidUntil), nil
	})
	material := root.TrustedMaterialCollection{key}
	if witnesses != nil {
		material = append(material, witnesses)
	}
	return trustedKey{id, !k.ValidFrom.IsZero() || !k.ValidUntil.IsZero(), material}, nil
}

func (o *Opener) openKey(b *entity) (*Proven, error) {
	if len(o.keys) == 0 {
		return nil, fail(StepTrust, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted,
			Bound: "a signature by a certificate: no key is trusted"})
	}
	vm := b.GetVerificationMaterial()
	carriesLog := len(vm.GetTlogEntries()) > 0
	witnessed := o.material != nil && (carriesLog || len(vm.GetTimestampVerificationData().GetRfc3161Timestamps()) > 0)

	opts := []verify.VerifierOption{verify.WithoutStatementPredicate()}
	if witnessed {
		opts = append(opts, verify.WithObserverTimestamps(1))
		if carriesLog {
			opts = append(opts, verify.WithTransparencyLog(1))
		}
	} else {
		opts = append(opts, verify.WithNoObserverTimestamps())
	}

	hint := b.content.PublicKey().Hint()
	hinted, named := o.byHint(hint)
	failure := fail(StepSignature, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted, Value: hint,
		Bound: "a signature by one of the trusted keys"})
	for _, k := range o.keys {
		// One that names another of our keys is not tried with this one: it could
		// only fail, at the price of a signature check.
		if named && hinted != k.id {
			continue
		}
		v, err := verify.NewVerifier(k.material, opts...)
		if err != nil {
			return nil, fail(StepTrust, &assay.Error{Op: "verify signature", Kind: assay.ErrUnchecked, Err: err})
		}
		result, err := v.Verify(b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithKey()))
		if err != nil {
			// A failure of another step than the signature means that this key did
			// sign, or cannot be told from one that did: it is the better reason.
			if f := classify(v, k.material, b, err); f.Step != StepSignature {
				failure = f
			}
			continue
		}
		p := proven(b)
		p.Signer = assay.KeyIdentity(k.id)
		p.Times = times(result.VerifiedTimestamps)
		if witnessed {
			p.Logs = provenLogs(b, k.material, carriesLog)
		}
		if k.window && len(p.Times) == 0 {
			return nil, fail(StepTime, &assay.Error{Op: "verify signature", Kind: assay.ErrUnchecked, Subject: p.Signer.String(),
				Bound: "a witnessed time: the key is valid only for a time"})
		}
		return p, nil
	}
	return nil, failure
}

// byHint finds the trusted key that a hint names in one of the spellings in use:
// the hexadecimal or base64 SHA-256 of the PKIX form.
func (o *Opener) byHint(hint string) (assay.Digest, bool) {
	for _, k := range o.keys {
		sum, err := hex.DecodeString(k.id.Hex())
		if err != nil {
			continue
		}
		switch hint {
		case k.id.Hex(), k.id.String(), "SHA256:" + base64.RawStdEncoding.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum):
			return k.id, true
		}
	}
	return assay.Digest{}, false
}
