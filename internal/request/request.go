// Package request sends the requests that may carry a secret: to certificate
// authorities, identity providers, transparency logs, timestamp authorities and
// repositories of trust.
//
// Start with [Client.Do]. It promises that a redirect is never followed, so that
// what was meant for one host does not reach another; that answers are bounded;
// that an error says which host and status it is of, and neither a secret nor the
// query of a URL, which may be one; and that the context ends everything.
package request

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// Client is how requests are sent. The zero value is ready.
type Client struct {
	// Transport is the way out; nil is [http.DefaultTransport].
	Transport http.RoundTripper
	// Timeout of one try: 30 seconds.
	Timeout time.Duration
	// Retries of a request that was throttled, failed in the server, or got no
	// answer: 2. Negative is none.
	Retries int
	// Wait before the first retry, which then doubles: half a second. What a server
	// asks for in Retry-After is waited for, up to ten seconds.
	Wait time.Duration
}

// Request is what to send.
type Request struct {
	Op      string // in words, for errors
	Method  string // empty is GET
	URL     string
	Header  map[string]string
	Body    []byte
	Max     int64 // bytes of the answer that are read; more is an error
	Want    []int // statuses that are answers; none is 200
	Secrets []string
	// Silent keeps what a server says beside another status out of the error.
	Silent bool
}

// Response is an answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// StatusError is an answer with a status that was not asked for.
type StatusError struct {
	Status int
	Detail string // what the server said, cut, without secrets
	Header http.Header
}

func (e *StatusError) Error() string {
	s := "status " + strconv.Itoa(e.Status)
	if t := http.StatusText(e.Status); t != "" {
		s += " " + t
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Status gives the status that caused err, 0 if none did.
func Status(err error) int {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Status
	}
	return 0
}

const (
	defaultTimeout = 30 * time.Second
	defaultRetries = 2
	defaultWait    = 500 * time.Millisecond
	maxRetryAfter  = 10 * time.Second
	maxDetail      = 200
	maxErrorBytes  = 16 << 10
)

// Do sends the request, again where that may help.
func (c Client) Do(ctx context.Context, r Request) (*Response, error) {
	tries := 1 + defaultRetries
	if c.Retries > 0 {
		tries = 1 + c.Retries
	} else if c.Retries < 0 {
		tries = 1
	}
	wait := c.Wait
	if wait <= 0 {
		wait = defaultWait
	}
	for try := 1; ; try++ {
		resp, err := c.once(ctx, r)
		if err == nil {
			return resp, nil
		}
		pause, again := retry(err)
		if try >= tries || !again || ctx.Err() != nil {
			return nil, err
		}
		t := time.NewTimer(max(wait, pause))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, fail(r, assay.ErrUnchecked, "", "", errors.Join(context.Cause(ctx), err))
		case <-t.C:
		}
		wait *= 2
	}
}

// retry says whether trying again may help, and how long the server wants to be
// left alone.
func retry(err error) (time.Duration, bool) {
	e, ok := errors.AsType[*StatusError](err)
	if !ok {
		// No answer, or half of one; not an answer that breaks a bound.
		return 0, assay.KindOf(err) == assay.ErrUnchecked
	}
	if e.Status != http.StatusTooManyRequests && (e.Status < 500 || e.Status == http.StatusNotImplemented) {
		return 0, false
	}
	n, err := strconv.Atoi(e.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0, true
	}
	after := time.Duration(min(n, 3600)) * time.Second
	return after, after <= maxRetryAfter
}

func fail(r Request, kind error, value, bound string, cause error) error {
	return &assay.Error{Op: r.Op, Kind: kind, Subject: Name(r.URL), Value: value, Bound: bound, Err: cause}
}

// Name is a URL as it may be shown: without user, query and fragment.
func Name(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "a URL that cannot be parsed"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func (c Client) once(ctx context.Context, r Request) (*Response, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, body)
	if err != nil {
		return nil, fail(r, assay.ErrInvalid, "", "a URL", nil)
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	client := http.Client{
		Transport: c.Transport,
		// What was meant for this host is for no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fail(r, assay.ErrUnchecked, "", "", redacted(err, r.Secrets))
	}
	defer resp.Body.Close()
	want := r.Want
	if len(want) == 0 {
		want = []int{http.StatusOK}
	}
	if slices.Contains(want, resp.StatusCode) {
		data, err := io.ReadAll(io.LimitReader(resp.Body, r.Max+1))
		switch {
		case err != nil:
			return nil, fail(r, assay.ErrUnchecked, "", "", redacted(err, r.Secrets))
		case int64(len(data)) > r.Max:
			return nil, fail(r, assay.ErrBound, "more", "at most "+strconv.FormatInt(r.Max, 10)+" bytes", nil)
		}
		return &Response{resp.StatusCode, resp.Header, data}, nil
	}
	out := &StatusError{Status: resp.StatusCode, Header: resp.Header}
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		out.Detail = "redirects are not followed"
	case !r.Silent:
		// What is said beside an error is worth reading and not worth failing for.
		data, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
		out.Detail = cut(redact(string(bytes.TrimSpace(data)), r.Secrets))
	}
	kind := assay.ErrUnchecked
	if resp.StatusCode == http.StatusNotFound {
		kind = assay.ErrAbsent
	}
	return nil, fail(r, kind, "", "", out)
}

// hidden is an error whose text is known to have no secret; what it wraps is found
// by errors.Is.
type hidden struct {
	text string
	err  error
}

func (h hidden) Error() string        { return h.text }
func (h hidden) Is(target error) bool { return errors.Is(h.err, target) }

// redacted takes the URL, which net/http writes into errors, and secrets out.
func redacted(err error, secrets []string) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return hidden{redact(err.Error(), secrets), err}
}

func redact(s string, secrets []string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		s = strings.ReplaceAll(s, secret, "[secret]")
		// A part of a token is a secret as well: the signature, above all.
		for part := range strings.SplitSeq(secret, ".") {
			if len(part) >= 16 {
				s = strings.ReplaceAll(s, part, "[secret]")
			}
		}
	}
	return s
}

func cut(s string) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "") + "…"
	}
	return s
}

// CheckURL refuses what is not an absolute http or https URL, what has a user in
// it, and, where secrets are sent, plain HTTP to any host but this one, unless it is
// allowed.
func CheckURL(op, field, raw string, secret, plainAllowed bool) error {
	u, err := url.Parse(raw)
	bad := &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: field, Value: Name(raw), Bound: "an https URL"}
	switch {
	case err != nil, u.Host == "", u.User != nil, u.Scheme != "https" && u.Scheme != "http":
		return bad
	case u.Scheme == "http" && secret && !plainAllowed && !loopback(u.Hostname()):
		bad.Rule = "secrets do not go over plain HTTP"
		return bad
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
