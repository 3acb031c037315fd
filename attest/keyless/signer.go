package keyless

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/internal/witness"
	"github.com/assaykit/assay/internal/request"
)

// Options are what a [Signer] is made of. SigningConfig and Token are required.
type Options struct {
	// SigningConfig is JSON of media type
	// application/vnd.dev.sigstore.signingconfig.v0.2+json. Of the services it names,
	// those are used that are valid now, and as many as it says: see the package
	// comment.
	SigningConfig []byte
	// Token says who signs.
	Token TokenSource
	// TrustedRoot is JSON of a trusted_root.json to verify each bundle with before it
	// is given. Nil does not verify.
	TrustedRoot []byte
	// Audience of the token; empty is "sigstore". A token for another is not sent.
	Audience string
	// Transport is for all services; nil is [http.DefaultTransport].
	Transport http.RoundTripper
	// Retries of each request that was throttled, failed in the server or got no
	// answer: 2. Negative is none.
	Retries int
	// Timeout of each request: 30 seconds.
	Timeout time.Duration
	// Clock says which services and tokens are valid; nil is [time.Now].
	Clock func() time.Time
	// PlainHTTPUnsafe sends the token to a certificate authority over plain HTTP, on
	// other hosts than this one: who listens can sign as whoever the token is of.
	PlainHTTPUnsafe bool
	// Logger is told which witnesses failed and were replaced; nil discards.
	Logger *slog.Logger
}

// Signer signs with a new key and certificate for each call. It is safe for
// concurrent use, as far as its [TokenSource] is. It is an attest.BatchSigner:
// [Signer.SignAll] uses one certificate for all that it signs.
type Signer struct {
	witness  *witness.Witness
	token    TokenSource
	audience string
	timeout  time.Duration
	plain    bool
}

var _ attest.BatchSigner = (*Signer)(nil)

// New checks the signing config and makes the signer; it contacts nobody.
func New(o Options) (*Signer, error) {
	const op = "make keyless signer"
	if o.Token == nil {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: "Token", Bound: "a source of tokens"}
	}
	w, err := witness.New(op, witness.Options{SigningConfig: o.SigningConfig, TrustedRoot: o.TrustedRoot, Transport: o.Transport,
		Retries: o.Retries, Timeout: o.Timeout, Clock: o.Clock, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	s := &Signer{witness: w, token: o.Token, audience: o.Audience, timeout: o.Timeout, plain: o.PlainHTTPUnsafe}
	if s.audience == "" {
		s.audience = DefaultAudience
	}
	if s.timeout <= 0 {
		s.timeout = 30 * time.Second
	}
	if _, err := s.authority(); err != nil {
		return nil, err
	}
	return s, nil
}

// authority is the certificate authority for this time. It is asked only if
// something witnesses the time of signing, without which its certificate, which
// lives for minutes, proves nothing.
func (s *Signer) authority() (witness.Service, error) {
	ca, err := s.witness.Config.CA(s.witness.Clock())
	if err != nil {
		return ca, err
	}
	if err := request.CheckURL("select services", "/caUrls", ca.URL, true, s.plain); err != nil {
		return ca, err
	}
	use, err := s.witness.Services()
	if err != nil {
		return ca, err
	}
	if !use.Timed() {
		return ca, &assay.Error{Op: "select services", Kind: assay.ErrInvalid, Subject: "signing config", Field: "/tsaUrls",
			Bound: "a timestamp authority, because nothing else witnesses the time of signing"}
	}
	return ca, nil
}

// Sign implements attest.Signer.
func (s *Signer) Sign(ctx context.Context, payload []byte) (assay.Envelope, error) {
	out, err := s.SignAll(ctx, payload)
	if err != nil {
		return assay.Envelope{}, err
	}
	return out[0], nil
}

// SignAll implements attest.BatchSigner: it asks for one token and one certificate,
// and signs all payloads with that; another pair is asked for only if the first
// expires meanwhile. When one payload cannot be signed, or witnessed as the signing
// config wants, no envelope is given. What logs have recorded by then stays there:
// it is the trace of a signature that was made, and proves nothing to anybody who is
// not given the envelope.
func (s *Signer) SignAll(ctx context.Context, payloads ...[]byte) ([]assay.Envelope, error) {
	if len(payloads) == 0 {
		return nil, nil
	}
	b := &batch{signer: s, lock: make(chan struct{}, 1)}
	// The first certificate is had before anything is signed, so that a token that
	// is refused is refused once.
	if _, err := b.certified(ctx); err != nil {
		return nil, err
	}
	return witness.Each(ctx, payloads, b.sign)
}

// batch is one call of [Signer.SignAll].
type batch struct {
	signer *Signer
	lock   chan struct{} // of held; a mutex that a context can end the wait for
	held   *certified
}

// certified is a key and the certificate for it.
type certified struct {
	key  *ecdsa.PrivateKey
	cert *certificate
}

// certified gives the certificate, and a new one where the last would expire before
// the witnesses have answered.
func (b *batch) certified(ctx context.Context) (*certified, error) {
	select {
	case b.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, &assay.Error{Op: "sign keyless", Kind: assay.ErrUnchecked, Err: context.Cause(ctx)}
	}
	defer func() { <-b.lock }()
	s := b.signer
	if b.held != nil && s.witness.Clock().Add(s.timeout).Before(b.held.cert.until) {
		return b.held, nil
	}
	ca, err := s.authority()
	if err != nil {
		return nil, err
	}
	token, err := s.token.Token(ctx, s.audience)
	if err != nil {
		return nil, err
	}
	claims, err := readClaims("OIDC token", token)
	if err != nil {
		return nil, err
	}
	if err := claims.check("OIDC token", s.audience, s.witness.Clock()); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, &assay.Error{Op: "make key", Kind: assay.ErrUnchecked, Err: err}
	}
	cert, err := s.certify(ctx, ca, token, claims, key)
	if err != nil {
		return nil, err
	}
	b.held = &certified{key, cert}
	return b.held, nil
}

// sign signs one payload. A log that has the entry already, because the answer to
// the first try was lost, is given a new signature, once.
func (b *batch) sign(ctx context.Context, payload []byte) (assay.Envelope, error) {
	for again := false; ; again = true {
		c, err := b.certified(ctx)
		if err != nil {
			return assay.Envelope{}, err
		}
		sum := sha256.Sum256(attest.PAE(assay.MediaTypeInToto, payload))
		sig, err := ecdsa.SignASN1(rand.Reader, c.key, sum[:])
		if err != nil {
			return assay.Envelope{}, &assay.Error{Op: "sign keyless", Kind: assay.ErrUnchecked, Err: err}
		}
		e, err := b.signer.witness.Bundle(ctx, witness.Signature{Payload: payload, Signature: sig, Public: c.key.Public(), Certificate: c.cert.der})
		if err != nil && errors.Is(err, witness.ErrLogged) && !again {
			continue
		}
		return e, err
	}
}
