package witnessed

import (
	"context"
	"crypto"
	"log/slog"
	"net/http"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/internal/witness"
	"github.com/assaykit/assay/internal/strictjson"
)

// Options say who witnesses. SigningConfig is required.
type Options struct {
	// SigningConfig is JSON of media type
	// application/vnd.dev.sigstore.signingconfig.v0.2+json. Its certificate
	// authorities are not used.
	SigningConfig []byte
	// TrustedRoot is JSON of a trusted_root.json to verify the witnesses' answers
	// with before a bundle is given. Nil does not verify.
	TrustedRoot []byte
	// Transport is for all services; nil is [http.DefaultTransport].
	Transport http.RoundTripper
	// Retries of each request that was throttled, failed in the server or got no
	// answer: 2. Negative is none.
	Retries int
	// Timeout of each request: 30 seconds.
	Timeout time.Duration
	// Clock says which services are valid; nil is [time.Now].
	Clock func() time.Time
	// Logger is told which witnesses failed and were replaced; nil discards.
	Logger *slog.Logger
}

// Key signs with a key: attest.KeySigner, kms.Signer.
type Key interface {
	attest.Signer
	// Public is the key that verifies the signatures.
	Public() crypto.PublicKey
	// Hint names it in the bundles.
	Hint() string
}

// Signer signs with a key and has the signatures witnessed. It is safe for
// concurrent use, as far as its [Key] is.
type Signer struct {
	key     Key
	witness *witness.Witness
}

var _ attest.BatchSigner = (*Signer)(nil)

// New checks the signing config and makes the signer; it contacts nobody. A config
// that names no log and no authority is refused, and so is an Ed25519 key where the
// log is Rekor of version 2, which records hashes.
func New(key Key, o Options) (*Signer, error) {
	const op = "make witnessed signer"
	if key == nil {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: "key", Bound: "a key"}
	}
	w, err := witness.New(op, witness.Options{SigningConfig: o.SigningConfig, TrustedRoot: o.TrustedRoot, Transport: o.Transport,
		Retries: o.Retries, Timeout: o.Timeout, Clock: o.Clock, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	use, err := w.Services()
	if err != nil {
		return nil, err
	}
	if use.None() {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: "signing config", Bound: "a transparency log or a timestamp authority"}
	}
	if !use.CanLog(key.Public()) {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: "key", Value: "Ed25519", Bound: "ECDSA or RSA, for Rekor v2"}
	}
	return &Signer{key, w}, nil
}

// Public is the key that verifies the signatures.
func (s *Signer) Public() crypto.PublicKey { return s.key.Public() }

// Sign implements attest.Signer.
func (s *Signer) Sign(ctx context.Context, payload []byte) (assay.Envelope, error) {
	e, err := s.key.Sign(ctx, payload)
	if err != nil {
		return assay.Envelope{}, err
	}
	var doc struct {
		Envelope struct {
			Signatures []struct {
				Sig []byte `json:"sig"`
			} `json:"signatures"`
		} `json:"dsseEnvelope"`
	}
	if err := strictjson.Unmarshal("bundle of the key", e.Raw(), &doc, strictjson.Limits{}); err != nil {
		return assay.Envelope{}, err
	}
	if n := len(doc.Envelope.Signatures); n != 1 {
		return assay.Envelope{}, &assay.Error{Op: "sign", Kind: assay.ErrInvalid, Subject: "bundle of the key", Field: "/dsseEnvelope/signatures", Bound: "one signature"}
	}
	return s.witness.Bundle(ctx, witness.Signature{Payload: payload, Signature: doc.Envelope.Signatures[0].Sig, Public: s.key.Public(), Hint: s.key.Hint()})
}

// SignAll implements attest.BatchSigner. When one payload cannot be signed, or
// witnessed as the signing config wants, no envelope is given.
func (s *Signer) SignAll(ctx context.Context, payloads ...[]byte) ([]assay.Envelope, error) {
	return witness.Each(ctx, payloads, s.Sign)
}
