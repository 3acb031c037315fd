package keyless

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/assaykit/assay"
)

// BrowserToken has a person log in with a browser on this machine: OAuth's
// authorization code with PKCE, to a redirect on loopback (RFC 8252, RFC 7636).
// [Reuse] keeps the token, so that the person is asked once.
type BrowserToken struct {
	// Issuer is the URL of the OpenID Connect issuer; see [Issuer].
	Issuer string
	// ClientID is who asks; empty is the audience, "sigstore" with sigstore's own
	// issuers. The token is for this client, so it must be the audience.
	ClientID string
	// ClientSecret is for issuers that give one to clients on people's machines,
	// where it is not secret. Empty sends none.
	ClientSecret string
	// Open shows the URL to the person: by starting a browser, or by printing it. It
	// must not wait for the person. Required.
	Open func(ctx context.Context, url string) error
	// Wait is how long the person has: five minutes.
	Wait time.Duration
	// Transport makes the requests; nil is [http.DefaultTransport].
	Transport http.RoundTripper
	// Clock checks the token; nil is [time.Now].
	Clock func() time.Time
}

const (
	defaultWait  = 5 * time.Minute
	callbackPath = "/auth/callback"
)

// Token implements [TokenSource].
func (b BrowserToken) Token(ctx context.Context, audience string) (string, error) {
	if b.Open == nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Field: "Open", Bound: "a function that shows a URL"}
	}
	client := b.ClientID
	if client == "" {
		client = audience
	}
	wait := b.Wait
	if wait <= 0 {
		wait = defaultWait
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	i, err := discover(ctx, b.Issuer, b.Transport)
	if err != nil {
		return "", err
	}
	if i.Authorize == "" {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: b.Issuer, Field: "/authorization_endpoint", Bound: "an issuer that people log in to"}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: "loopback", Err: err}
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: "loopback", Err: err}
	}
	state, nonce, proof := secret(), secret(), newPKCE()
	redirect := "http://localhost:" + port + callbackPath // the name that sigstore's client is registered with
	at, err := url.Parse(i.Authorize)
	if err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: b.Issuer, Field: "/authorization_endpoint", Bound: "a URL"}
	}
	q := at.Query()
	for k, v := range map[string]string{
		"response_type": "code", "client_id": client, "redirect_uri": redirect, "scope": scopes,
		"state": state, "nonce": nonce, "code_challenge": proof.challenge, "code_challenge_method": "S256",
	} {
		q.Set(k, v)
	}
	at.RawQuery = q.Encode()
	code, err := b.code(ctx, l, state, at.String())
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "redirect_uri": {redirect},
		"code": {code}, "code_verifier": {proof.verifier}}
	if b.ClientSecret != "" {
		form.Set("client_secret", b.ClientSecret)
	}
	data, err := i.post(ctx, i.Token, form, code, proof.verifier, b.ClientSecret)
	if err != nil {
		return "", err
	}
	a, err := parseTokens(i.url, data)
	if err != nil {
		return "", err
	}
	if a.Error != "" {
		return "", refused(i.url, a)
	}
	return i.accept(a.IDToken, client, nonce, clockOr(b.Clock)())
}

// code shows the URL and waits for the browser to come back with the code. What
// comes without the state that was sent is not an answer to it: it is refused, and
// the right one waited for.
func (b BrowserToken) code(ctx context.Context, l net.Listener, state, show string) (string, error) {
	type result struct {
		code string
		err  error
	}
	came := make(chan result, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.Method != http.MethodGet || r.URL.Path != callbackPath {
			http.NotFound(w, r)
			return
		}
		if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
			http.Error(w, "this is not the answer to a login that was started here", http.StatusBadRequest)
			return
		}
		var out result
		switch {
		case q.Get("error") != "":
			out.err = refused(b.Issuer, answer{Error: q.Get("error"), Detail: q.Get("error_description")})
		case q.Get("code") == "":
			out.err = &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: b.Issuer, Field: "code", Bound: "a code"}
		default:
			out.code = q.Get("code")
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		text := "You are logged in, and can close this window.\n"
		if out.err != nil {
			w.WriteHeader(http.StatusForbidden)
			text = "You are not logged in.\n"
		}
		// A browser that is closed meanwhile has given the code all the same.
		_, _ = w.Write([]byte(text))
		select {
		case came <- out:
		default: // one answer is enough
		}
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		// Lets the browser read the page; after a second it has had its time.
		if server.Shutdown(stop) != nil {
			server.Close()
		}
	}()
	if err := b.Open(ctx, show); err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: b.Issuer, Field: "Open", Err: err}
	}
	select {
	case r := <-came:
		return r.code, r.err
	case err := <-ended:
		return "", &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: "loopback", Err: err}
	case <-ctx.Done():
		return "", &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: b.Issuer, Bound: "somebody who logs in",
			Err: ctx.Err()}
	}
}
