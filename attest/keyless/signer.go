package keyless

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Options are what a [Signer] is made of. SigningConfig and Token are required.
type Options struct {
	// SigningConfig is JSON of media type
	// application/vnd.dev.sigstore.signingconfig.v0.2+json. Of the services it names,
	// those are used that are valid now, and as many as it says.
	SigningConfig []byte
	// Token says who signs.
	Token TokenSource
	// TrustedRoot is JSON of a trusted_root.json to verify each bundle with before it
	// is given. Nil does not verify.
	TrustedRoot []byte
	// Audience of the token; empty is "sigstore".
	Audience string
	// Transport is for Fulcio and the timestamp authorities; nil is
	// [http.DefaultTransport].
	Transport http.RoundTripper
	// Retries of each request that was throttled or failed in the server: 2. Negative
	// is none.
	Retries int
	// Timeout of each request: 30 seconds.
	Timeout time.Duration
	// Clock says which services are valid; nil is [time.Now].
	Clock func() time.Time
}

// Signer signs with a new key and certificate for each signature. It is safe for
// concurrent use, as far as its [TokenSource] is.
type Signer struct {
	options Options
	config  *root.SigningConfig
	trusted root.TrustedMaterial
}

const defaultRetries = 2

// New checks the signing config and makes the signer; it contacts nobody.
func New(o Options) (*Signer, error) {
	bad := func(field, bound string, cause error) error {
		return &assay.Error{Op: "make keyless signer", Kind: assay.ErrInvalid, Field: field, Bound: bound, Err: cause}
	}
	if o.Token == nil {
		return nil, bad("Token", "a source of tokens", nil)
	}
	if err := strictjson.Check("signing config", o.SigningConfig, strictjson.Limits{MaxBytes: 1 << 20}); err != nil {
		return nil, err
	}
	s := &Signer{options: o}
	var err error
	if s.config, err = root.NewSigningConfigFromJSON(o.SigningConfig); err != nil {
		return nil, bad("SigningConfig", root.SigningConfigMediaType02, err)
	}
	if o.TrustedRoot != nil {
		if err := strictjson.Check("trusted root", o.TrustedRoot, strictjson.Limits{MaxBytes: 16 << 20}); err != nil {
			return nil, err
		}
		trusted, err := root.NewTrustedRootFromJSON(o.TrustedRoot)
		if err != nil {
			return nil, bad("TrustedRoot", "a trusted root", err)
		}
		s.trusted = trusted
	}
	if s.options.Audience == "" {
		s.options.Audience = "sigstore"
	}
	if s.options.Retries == 0 {
		s.options.Retries = defaultRetries
	}
	if s.options.Timeout <= 0 {
		s.options.Timeout = 30 * time.Second
	}
	if s.options.Clock == nil {
		s.options.Clock = time.Now
	}
	if _, err := s.services(); err != nil {
		return nil, err
	}
	return s, nil
}

// services are those that the config names for this time.
type services struct {
	fulcio root.Service
	logs   []root.Service
	tsas   []root.Service
}

func (s *Signer) services() (services, error) {
	var out services
	now := s.options.Clock()
	bad := func(field, bound string, cause error) error {
		return &assay.Error{Op: "select services", Kind: assay.ErrInvalid, Subject: "signing config", Field: field, Bound: bound, Err: cause}
	}
	var err error
	if out.fulcio, err = root.SelectService(s.config.FulcioCertificateAuthorityURLs(), sign.FulcioAPIVersions, now); err != nil {
		return out, bad("/caUrls", "a certificate authority that is valid now", err)
	}
	if urls := s.config.RekorLogURLs(); len(urls) > 0 {
		if out.logs, err = root.SelectServices(urls, s.config.RekorLogURLsConfig(), sign.RekorAPIVersions, now); err != nil {
			return out, bad("/rekorTlogUrls", "transparency logs that are valid now", err)
		}
	}
	if urls := s.config.TimestampAuthorityURLs(); len(urls) > 0 {
		if out.tsas, err = root.SelectServices(urls, s.config.TimestampAuthorityURLsConfig(), sign.TimestampAuthorityAPIVersions, now); err != nil {
			return out, bad("/tsaUrls", "timestamp authorities that are valid now", err)
		}
	}
	witnessed := len(out.tsas) > 0 || slices.ContainsFunc(out.logs, func(l root.Service) bool { return l.MajorAPIVersion == 1 })
	if !witnessed {
		return out, bad("/tsaUrls", "a timestamp authority, because nothing else witnesses the time of signing", nil)
	}
	return out, nil
}

// Sign implements attest.Signer.
func (s *Signer) Sign(ctx context.Context, payload []byte) (assay.Envelope, error) {
	use, err := s.services()
	if err != nil {
		return assay.Envelope{}, err
	}
	token, err := s.options.Token.Token(ctx, s.options.Audience)
	if err != nil {
		return assay.Envelope{}, err
	}
	key, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		return assay.Envelope{}, failed("make key", "", err)
	}
	retries := uint(max(0, s.options.Retries))
	transport := boundTransport{ctx, s.options.Transport}
	o := sign.BundleOptions{
		Context: ctx,
		CertificateProvider: certifier{use.fulcio.URL, sign.NewFulcio(&sign.FulcioOptions{
			BaseURL: use.fulcio.URL, Timeout: s.options.Timeout, Retries: retries, Transport: transport})},
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: token},
		TrustedRoot:                s.trusted,
	}
	for _, t := range use.tsas {
		o.TimestampAuthorities = append(o.TimestampAuthorities, sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{
			URL: t.URL, Timeout: s.options.Timeout, Retries: retries, Transport: transport}))
	}
	for _, l := range use.logs {
		o.TransparencyLogs = append(o.TransparencyLogs, logger{l, sign.NewRekor(&sign.RekorOptions{
			BaseURL: l.URL, Timeout: s.options.Timeout, Retries: retries, Version: l.MajorAPIVersion})})
	}
	bundle, err := sign.Bundle(&sign.DSSEData{Data: payload, PayloadType: assay.MediaTypeInToto}, key, o)
	if err != nil {
		return assay.Envelope{}, failed("sign keyless", "", err)
	}
	raw, err := encode(bundle)
	if err != nil {
		return assay.Envelope{}, failed("encode bundle", "", err)
	}
	return assay.NewEnvelope(assay.MediaTypeSigstoreBundle, raw), nil
}

// encode takes out the spaces that protojson puts in at random.
func encode(bundle *protobundle.Bundle) ([]byte, error) {
	raw, err := protojson.Marshal(bundle)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(raw)
	if err := value.Compact(); err != nil {
		return nil, err
	}
	return value, nil
}

func failed(op, subject string, err error) error {
	return &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: subject, Err: err}
}

// certifier and logger say which service an error is of.
type certifier struct {
	url string
	sign.CertificateProvider
}

func (c certifier) GetCertificate(ctx context.Context, k sign.Keypair, o *sign.CertificateProviderOptions) ([]byte, error) {
	cert, err := c.CertificateProvider.GetCertificate(ctx, k, o)
	if err != nil {
		return nil, failed("get certificate", c.url, err)
	}
	return cert, nil
}

type logger struct {
	service root.Service
	sign.Transparency
}

func (l logger) GetTransparencyLogEntry(ctx context.Context, pem []byte, b *protobundle.Bundle) error {
	if err := l.Transparency.GetTransparencyLogEntry(ctx, pem, b); err != nil {
		return failed("log to Rekor v"+strconv.Itoa(int(l.service.MajorAPIVersion)), l.service.URL, err)
	}
	return nil
}

// boundTransport ends requests with the context of the call: those to Fulcio are
// made without one. It lives as long as the call.
type boundTransport struct {
	ctx   context.Context
	inner http.RoundTripper
}

func (t boundTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	inner := t.inner
	if inner == nil {
		inner = http.DefaultTransport
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	stop := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	resp, err := inner.RoundTrip(req.WithContext(ctx))
	if err != nil {
		stop()
		cancel(nil)
		return nil, err
	}
	resp.Body = boundBody{resp.Body, func() { stop(); cancel(nil) }}
	return resp, nil
}

// boundBody keeps the context until the answer has been read.
type boundBody struct {
	io.ReadCloser
	free func()
}

func (b boundBody) Close() error {
	defer b.free()
	return b.ReadCloser.Close()
}
