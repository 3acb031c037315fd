package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
)

// Registry is how registries are accessed. The zero value takes the credentials of
// the Docker configuration and the proxy of the environment.
type Registry struct {
	// Keychain gives credentials. Default [authn.DefaultKeychain]: the Docker
	// configuration with its credential helpers, and that of podman.
	Keychain authn.Keychain
	// Transport makes the requests. Default: one of its own, with the proxy of the
	// environment and the system's certificates. Retries, user agent and the bounds
	// below are added to it.
	Transport http.RoundTripper
	// UserAgent is sent with every request. Default "assay".
	UserAgent string
	// PlainHTTP are the hosts, with port if there is one, that may be talked to
	// without TLS. The machine itself (localhost, 127.0.0.0/8, ::1) always may.
	PlainHTTP []string
	// Mirrors gives for a registry's host the repositories' prefixes to try before
	// it, such as "mirror.example.com/docker-hub". What a mirror serves for a digest
	// is verified; what it serves for a tag is believed, as it is of the registry.
	Mirrors map[string][]string
	// HeaderTimeout is how long a server may take to begin to answer a request.
	// Default 30 seconds; negative for ever.
	HeaderTimeout time.Duration
	// Timeout is how long reading one manifest, configuration or list may take,
	// with the handshake and retries. Default two minutes; negative for ever.
	// Layers take as long as they take.
	Timeout time.Duration
	// Retries is how often a request is repeated when the server is busy (429) or
	// in trouble (408, 500, 502, 503, 504), or the connection broke. Default 3;
	// negative never.
	Retries int
	// Backoff is the pause before the first retry; it doubles. Default 500 ms.
	// A server's Retry-After counts instead.
	Backoff time.Duration
	// MaxRetryAfter is the longest Retry-After that is waited for. A longer one
	// ends the request with the answer as it is. Default 30 seconds.
	MaxRetryAfter time.Duration
}

func (r Registry) withDefaults() Registry {
	if r.Keychain == nil {
		r.Keychain = authn.DefaultKeychain
	}
	r.UserAgent = cmp.Or(r.UserAgent, "assay")
	r.HeaderTimeout = cmp.Or(r.HeaderTimeout, 30*time.Second)
	r.Timeout = cmp.Or(r.Timeout, 2*time.Minute)
	r.Retries = max(0, cmp.Or(r.Retries, 3))
	r.Backoff = cmp.Or(r.Backoff, 500*time.Millisecond)
	r.MaxRetryAfter = cmp.Or(r.MaxRetryAfter, 30*time.Second)
	return r
}

// NewTransport gives the transport with all that this configuration adds: retries,
// user agent, time bounds, and the refusal of plain HTTP where it is not allowed.
// It has no credentials. Make it once and use it for all requests.
func (r Registry) NewTransport() http.RoundTripper {
	r = r.withDefaults()
	inner := r.Transport
	if inner == nil {
		inner = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   50,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
		}
	}
	return &roundTripper{inner: inner, r: r}
}

// RemoteOptions are the options by which go-containerregistry's package remote works
// under this configuration. The transport is that of [Registry.NewTransport].
func (r Registry) RemoteOptions(ctx context.Context, transport http.RoundTripper) []remote.Option {
	d := r.withDefaults()
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(d.Keychain),
		remote.WithTransport(transport),
		remote.WithUserAgent(d.UserAgent),
		// The transport repeats already.
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
		remote.WithRetryStatusCodes(),
	}
}

// ParseReference reads a reference as Docker does ("ubuntu" is
// index.docker.io/library/ubuntu:latest), minding the hosts that have no TLS.
func (r Registry) ParseReference(s string) (name.Reference, error) {
	ref, err := name.ParseReference(s)
	if err == nil && slices.Contains(r.PlainHTTP, ref.Context().RegistryStr()) {
		ref, err = name.ParseReference(s, name.Insecure)
	}
	if err != nil {
		return nil, &assay.Error{Op: "parse image reference", Kind: assay.ErrInvalid, Value: s, Err: err}
	}
	return ref, nil
}

// roundTripper is what [Registry.NewTransport] adds. It keeps no state.
type roundTripper struct {
	inner http.RoundTripper
	r     Registry
}

// errHeaderTimeout is the cause when a server does not answer.
var errHeaderTimeout = errors.New("no answer in time")

// RoundTrip implements [http.RoundTripper].
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && !t.r.plain(req.URL.Host) {
		return nil, &assay.Error{Op: "talk to registry", Kind: assay.ErrUnchecked, Subject: req.URL.Host, Value: "http", Bound: "https, or the host among Registry.PlainHTTP"}
	}
	req = req.Clone(req.Context())
	// go-containerregistry names itself; so do we.
	if ua := req.Header.Get("User-Agent"); !strings.Contains(ua, t.r.UserAgent) {
		req.Header.Set("User-Agent", strings.TrimSpace(t.r.UserAgent+" "+ua))
	}
	for try := 0; ; try++ {
		resp, err := t.once(req)
		wait, again := t.again(req, resp, err, try)
		if !again {
			return resp, err
		}
		if resp != nil {
			_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
			resp.Body.Close()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-req.Context().Done():
			timer.Stop()
			return nil, context.Cause(req.Context())
		}
	}
}

// once makes one request and gives up on it if no header comes.
func (t *roundTripper) once(req *http.Request) (*http.Response, error) {
	if t.r.HeaderTimeout < 0 {
		return t.inner.RoundTrip(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(t.r.HeaderTimeout, func() {
		cancel(fmt.Errorf("%w: %s", errHeaderTimeout, t.r.HeaderTimeout))
	})
	resp, err := t.inner.RoundTrip(req.WithContext(ctx))
	if !timer.Stop() && ctx.Err() != nil && req.Context().Err() == nil {
		if err == nil {
			resp.Body.Close()
		}
		return nil, context.Cause(ctx)
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	resp.Body = &bodyEnd{resp.Body, cancel}
	return resp, nil
}

// bodyEnd frees the context of a request when its body is done with.
type bodyEnd struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *bodyEnd) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// again decides whether to repeat a request, and when. What has a body or is not
// idempotent is never repeated.
func (t *roundTripper) again(req *http.Request, resp *http.Response, err error, try int) (time.Duration, bool) {
	if try >= t.r.Retries || req.Context().Err() != nil || req.Method != http.MethodGet && req.Method != http.MethodHead {
		return 0, false
	}
	wait := t.r.Backoff << min(try, 10)
	if err != nil {
		// A hanging server hangs again; what is refused before it is sent stays so.
		var refused *assay.Error
		return wait, !errors.Is(err, errHeaderTimeout) && !errors.As(err, &refused) && isBroken(err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if after, ok := retryAfter(resp.Header.Get("Retry-After")); ok {
			return after, after <= t.r.MaxRetryAfter
		}
		return wait, true
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return wait, true
	}
	return 0, false
}

// isBroken reports whether a connection failed that may work the next time.
func isBroken(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return dns.IsTemporary || dns.IsTimeout
	case errors.As(err, &op):
		return op.Op != "dial" // nobody listens there
	}
	return false
}

// retryAfter reads the header of RFC 9110, section 10.2.3, in its form in seconds.
// The form with a date would need a clock that agrees with the server's.
func retryAfter(s string) (time.Duration, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return time.Duration(n) * time.Second, err == nil
}

// plain reports whether a host may be talked to without TLS.
func (r Registry) plain(hostport string) bool {
	if slices.Contains(r.PlainHTTP, hostport) {
		return true
	}
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
