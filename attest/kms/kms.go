// Package kms signs with keys that are in a key management service, through
// sigstore's interface to them (github.com/sigstore/sigstore/pkg/signature/kms).
//
// Start with [New], which takes the key as a provider of sigstore's gives it, or with
// [Open], which finds the provider by the key's reference ("awskms://…",
// "gcpkms://…", "azurekms://…", "hashivault://…"). No provider is linked in: the
// program imports the one that it uses, and pays for that one alone. Both give an
// attest.KeySigner, so that what signs with a key in memory signs with this one.
//
// To verify, [PublicKey] gives what verify.Key wants.
//
// # What is promised
//
// The context of each call reaches the service. Each signature is checked with the
// public key that the service gave at first, before it is given: a key that was
// replaced meanwhile, or that signs with another scheme than its default one
// (RSA-PSS), is an error and not an envelope that nobody can verify. No program is
// started: sigstore's plug-ins, which are programs found by name, are not used by
// [Open].
package kms

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/sigstore/sigstore/pkg/signature"
	sigkms "github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

// New makes a signer of a key that a provider gave. It asks the service for the
// public key, once. What attest.NewKeySigner says of keys holds for it; WithHint may
// be given.
func New(ctx context.Context, key signature.Signer, opts ...attest.KeyOption) (*attest.KeySigner, error) {
	if key == nil {
		return nil, &assay.Error{Op: "make KMS signer", Kind: assay.ErrInvalid, Field: "key", Bound: "a key"}
	}
	pub, err := PublicKey(ctx, key)
	if err != nil {
		return nil, err
	}
	return attest.NewKeySigner(remote{key, pub}, opts...)
}

// Open makes a signer of the key that a reference names. A reference whose provider
// is not linked into the program is [assay.ErrAbsent].
func Open(ctx context.Context, reference string, opts ...attest.KeyOption) (*attest.KeySigner, error) {
	linked := sigkms.SupportedProviders()
	if !slices.ContainsFunc(linked, func(p string) bool { return strings.HasPrefix(reference, p) }) {
		slices.Sort(linked)
		bound := "a provider that the program imports"
		if len(linked) > 0 {
			bound += ", of " + strings.Join(linked, ", ")
		}
		return nil, &assay.Error{Op: "open KMS key", Kind: assay.ErrAbsent, Subject: reference, Bound: bound}
	}
	get := func(hash crypto.Hash) (sigkms.SignerVerifier, crypto.PublicKey, error) {
		key, err := sigkms.Get(ctx, reference, hash)
		if err != nil {
			return nil, nil, &assay.Error{Op: "open KMS key", Kind: assay.ErrUnchecked, Subject: reference, Err: err}
		}
		pub, err := PublicKey(ctx, key)
		return key, pub, err
	}
	key, pub, err := get(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	// A provider wants the hash before it says what the key is.
	if k, ok := pub.(*ecdsa.PublicKey); ok && k.Curve == elliptic.P384() {
		if key, pub, err = get(crypto.SHA384); err != nil {
			return nil, err
		}
	}
	return attest.NewKeySigner(remote{key, pub}, opts...)
}

// PublicKey asks the service for the public key.
func PublicKey(ctx context.Context, key signature.PublicKeyProvider) (crypto.PublicKey, error) {
	pub, err := key.PublicKey(options.WithContext(ctx))
	if err == nil && pub == nil {
		err = errors.New("no key")
	}
	if err != nil {
		return nil, &assay.Error{Op: "get public key of KMS", Kind: assay.ErrUnchecked, Err: err}
	}
	return pub, nil
}

// remote is the key as attest.KeySigner takes it.
type remote struct {
	key signature.Signer
	pub crypto.PublicKey
}

var _ attest.ContextSigner = remote{}

func (r remote) Public() crypto.PublicKey { return r.pub }

// Sign implements crypto.Signer, for a digest.
func (r remote) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return r.key.SignMessage(nil, options.WithDigest(digest), options.WithCryptoSignerOpts(opts))
}

// SignContext implements attest.ContextSigner.
func (r remote) SignContext(ctx context.Context, message []byte, hash crypto.Hash) ([]byte, error) {
	o := []signature.SignOption{options.WithContext(ctx)}
	if hash != 0 {
		o = append(o, options.WithCryptoSignerOpts(hash))
	}
	return r.key.SignMessage(bytes.NewReader(message), o...)
}
