package attest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/image"
)

// client speaks the distribution protocol (OCI distribution-spec v1.1) to one
// repository. go-containerregistry's own client hides what is needed here: the
// OCI-Subject header, the pages of the referrers list, and the status of a failure.
type client struct {
	repo    name.Repository
	http    *http.Client
	timeout time.Duration // of one request with its answer; none if negative
	retries int           // of an answer that breaks off
	wait    time.Duration // before the first of them
}

const (
	maxManifestBytes = 4 << 20  // OCI distribution-spec v1.1, Pushing Manifests
	maxIndexBytes    = 32 << 20 // a referrers list, which is no manifest, with all pages
	maxPages         = 1000
	maxErrorBytes    = 64 << 10
	requestTries     = 3
	retryWait        = 100 * time.Millisecond
	maxRetryWait     = 5 * time.Second
	defaultTimeout   = 2 * time.Minute // as image.Registry has them
	defaultRetries   = 3
	defaultBackoff   = 500 * time.Millisecond
)

func newClient(ctx context.Context, repo name.Repository, reg image.Registry, actions string) (*client, error) {
	auth, inner, err := reach(ctx, reg, repo)
	if err != nil {
		return nil, &assay.Error{Op: "find credentials", Kind: assay.ErrUnchecked, Subject: repo.Name(), Err: err}
	}
	c := &client{repo: repo, timeout: cmp.Or(reg.Timeout, defaultTimeout), retries: max(0, cmp.Or(reg.Retries, defaultRetries)), wait: cmp.Or(reg.Backoff, defaultBackoff)}
	limited, cancel := c.limitTime(ctx)
	defer cancel()
	t, err := transport.NewWithContext(limited, repo.Registry, auth, inner, []string{repo.Scope(actions)})
	if err != nil {
		return nil, unreached("connect to registry", repo.Name(), cause(limited, err))
	}
	c.http = &http.Client{Transport: t, CheckRedirect: checkRedirect}
	return c, nil
}

// limitTime is the bound on one request and its answer.
func (c *client) limitTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("the registry took longer than %s", c.timeout))
}

// cause adds why the context ended to an error that may not say it.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil && !errors.Is(err, c) {
		return fmt.Errorf("%w: %w", c, err)
	}
	return err
}

// unreached keeps the status of an error of go-containerregistry's.
func unreached(op, subject string, err error) error {
	if te, ok := errors.AsType[*transport.Error](err); ok {
		err = &statusError{status: te.StatusCode, detail: cut(te.Error())}
	}
	return &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: subject, Err: err}
}

// statusError is an answer that is not the one asked for.
type statusError struct {
	status int
	detail string
}

func (e *statusError) Error() string {
	s := "status " + strconv.Itoa(e.status)
	if t := http.StatusText(e.status); t != "" {
		s += " " + t
	}
	if e.detail != "" {
		s += ": " + e.detail
	}
	return s
}

// statusOf gives the HTTP status that caused err, or 0.
func statusOf(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	return 0
}

// cut keeps an answer from flooding a log.
func cut(s string) string {
	const most = 200
	s = strings.ToValidUTF8(s, "")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

type request struct {
	method, path string
	url          string // in place of path
	accept       string
	contentType  string
	body         []byte
	max          int64 // bytes of the answer
	want         []int // statuses; others are errors
}

func (r request) reads() bool { return r.method == http.MethodGet || r.method == http.MethodHead }

type response struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request. The transport repeats what reads, where that may help; here
// the rest is repeated. It has the same effect twice as once, but for the start of an
// upload, which is then forgotten.
func (c *client) do(ctx context.Context, r request) (*response, error) {
	if r.url == "" {
		r.url = c.repo.Scheme() + "://" + c.repo.RegistryStr() + "/v2/" + c.repo.RepositoryStr() + r.path
	}
	if r.reads() {
		return c.read(ctx, r)
	}
	wait := retryWait
	for try := 1; ; try++ {
		resp, err := c.once(ctx, r)
		if err == nil {
			return resp, nil
		}
		var after time.Duration
		if resp != nil {
			after = retryAfter(resp.header)
		}
		if try == requestTries || ctx.Err() != nil || !mayHelp(err) || after > maxRetryWait {
			return nil, err
		}
		if err := sleep(ctx, max(wait, after)); err != nil {
			return nil, &assay.Error{Op: strings.ToLower(r.method), Kind: assay.ErrUnchecked, Subject: r.url, Err: err}
		}
		wait *= 3
	}
}

// read repeats an answer that broke off: its status has come, so that the transport
// takes it for one. The first bytes of an answer are never an answer.
func (c *client) read(ctx context.Context, r request) (*response, error) {
	wait := c.wait
	for try := 0; ; try++ {
		resp, err := c.once(ctx, r)
		var broken *brokenError
		switch {
		case err == nil:
			return resp, nil
		case try == c.retries || !errors.As(err, &broken) || ctx.Err() != nil:
			return nil, err
		}
		if sleep(ctx, wait) != nil {
			return nil, err
		}
		wait *= 2
	}
}

// brokenError is an answer that ended before its end.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "the answer broke off: " + e.err.Error() }

// Unwrap gives the cause.
func (e *brokenError) Unwrap() error { return e.err }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func mayHelp(err error) bool {
	switch statusOf(err) {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case 0:
		// A connection that was reset or cut, but not an answer that breaks a bound.
		return errors.Is(err, assay.ErrUnchecked)
	}
	return false
}

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n), 3600) * time.Second
}

// once gives the response beside the error where there was one, for its header.
func (c *client) once(ctx context.Context, r request) (*response, error) {
	fail := func(kind error, value, bound string, cause error) error {
		return &assay.Error{Op: strings.ToLower(r.method), Kind: kind, Subject: r.url, Value: value, Bound: bound, Err: cause}
	}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	ctx, cancel := c.limitTime(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
	if err != nil {
		return nil, fail(assay.ErrInvalid, "", "", err)
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreached(strings.ToLower(r.method), r.url, cause(ctx, err))
	}
	defer resp.Body.Close()
	out := &response{status: resp.StatusCode, header: resp.Header}
	for _, s := range r.want {
		if s != resp.StatusCode {
			continue
		}
		if r.method == http.MethodHead || r.max == 0 {
			return out, nil
		}
		out.body, err = io.ReadAll(io.LimitReader(resp.Body, r.max+1))
		switch {
		case ctx.Err() != nil && err != nil:
			return nil, fail(assay.ErrUnchecked, "", "", cause(ctx, err))
		case err != nil:
			return nil, fail(assay.ErrUnchecked, "", "", &brokenError{err})
		case int64(len(out.body)) > r.max:
			return nil, fail(assay.ErrBound, "more", fmt.Sprintf("at most %d bytes", r.max), nil)
		}
		return out, nil
	}
	detail, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
	kind := assay.ErrUnchecked
	if resp.StatusCode == http.StatusNotFound {
		kind = assay.ErrAbsent
	}
	return out, fail(kind, "", "", &statusError{resp.StatusCode, cut(string(bytes.TrimSpace(detail)))})
}

// manifest gets a manifest by tag or digest. Its bytes are hashed: by a digest,
// what is given is what was asked for.
func (c *client) manifest(ctx context.Context, reference string) (descriptor, []byte, error) {
	resp, err := c.do(ctx, request{method: http.MethodGet, path: "/manifests/" + reference, max: maxManifestBytes,
		accept: strings.Join([]string{typeManifest, typeIndex, typeDockerManifest, typeDockerList}, ", "), want: []int{http.StatusOK}})
	if err != nil {
		return descriptor{}, nil, err
	}
	sum := assay.SumSHA256(resp.body)
	if want, err := assay.ParseDigest(reference); err == nil {
		if sum, err = hashBy(want.Algorithm(), resp.body); err != nil {
			return descriptor{}, nil, err
		}
		if sum != want {
			return descriptor{}, nil, &assay.Error{Op: "read manifest", Kind: assay.ErrRefuted, Subject: c.repo.Name() + "@" + reference,
				Field: "digest", Value: sum.String(), Bound: want.String()}
		}
	}
	mediaType, _, _ := strings.Cut(resp.header.Get("Content-Type"), ";")
	return descriptor{MediaType: strings.TrimSpace(mediaType), Digest: sum, Size: int64(len(resp.body))}, resp.body, nil
}

// has asks whether the repository has a manifest or blob.
func (c *client) has(ctx context.Context, what string, d assay.Digest) (bool, error) {
	_, err := c.do(ctx, request{method: http.MethodHead, path: "/" + what + "/" + d.String(), want: []int{http.StatusOK},
		accept: typeManifest + ", " + typeIndex})
	if errors.Is(err, assay.ErrAbsent) {
		return false, nil
	}
	return err == nil, err
}

// putManifest pushes under a tag or digest and gives the OCI-Subject header.
func (c *client) putManifest(ctx context.Context, reference, mediaType string, body []byte) (subject string, err error) {
	resp, err := c.do(ctx, request{method: http.MethodPut, path: "/manifests/" + reference, contentType: mediaType, body: body,
		want: []int{http.StatusCreated, http.StatusOK, http.StatusAccepted}})
	if err != nil {
		return "", err
	}
	return resp.header.Get("OCI-Subject"), nil
}

func (c *client) deleteManifest(ctx context.Context, d assay.Digest) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: "/manifests/" + d.String(), want: []int{http.StatusAccepted, http.StatusOK, http.StatusNoContent}})
	if errors.Is(err, assay.ErrAbsent) {
		return nil
	}
	return err
}

// blob gets a blob and hashes it against its descriptor.
func (c *client) blob(ctx context.Context, d descriptor) ([]byte, error) {
	subject := c.repo.Name() + "@" + d.Digest.String()
	resp, err := c.do(ctx, request{method: http.MethodGet, path: "/blobs/" + d.Digest.String(), max: d.Size, want: []int{http.StatusOK}})
	if errors.Is(err, assay.ErrBound) {
		return nil, &assay.Error{Op: "read blob", Kind: assay.ErrRefuted, Subject: subject, Field: "size", Value: "more",
			Bound: strconv.FormatInt(d.Size, 10) + " bytes, as the manifest says"}
	} else if err != nil {
		return nil, err
	}
	if n := int64(len(resp.body)); n != d.Size {
		return nil, &assay.Error{Op: "read blob", Kind: assay.ErrRefuted, Subject: subject, Field: "size",
			Value: strconv.FormatInt(n, 10), Bound: strconv.FormatInt(d.Size, 10) + " bytes, as the manifest says"}
	}
	sum, err := hashBy(d.Digest.Algorithm(), resp.body)
	if err != nil {
		return nil, err
	}
	if sum != d.Digest {
		return nil, &assay.Error{Op: "read blob", Kind: assay.ErrRefuted, Subject: subject, Field: "digest", Value: sum.String(), Bound: d.Digest.String()}
	}
	return resp.body, nil
}

// putBlob uploads a blob in one piece, unless the repository has it.
func (c *client) putBlob(ctx context.Context, d assay.Digest, body []byte) error {
	if ok, err := c.has(ctx, "blobs", d); err != nil || ok {
		return err
	}
	resp, err := c.do(ctx, request{method: http.MethodPost, path: "/blobs/uploads/", want: []int{http.StatusAccepted}})
	if err != nil {
		return err
	}
	base := c.repo.Scheme() + "://" + c.repo.RegistryStr() + "/v2/" + c.repo.RepositoryStr() + "/blobs/uploads/"
	target, err := resolveURL(base, resp.header.Get("Location"))
	if err != nil || resp.header.Get("Location") == "" {
		return &assay.Error{Op: "upload blob", Kind: assay.ErrInvalid, Subject: base, Field: "Location", Value: resp.header.Get("Location"), Bound: "a URL", Err: err}
	}
	q := target.Query()
	q.Set("digest", d.String())
	target.RawQuery = q.Encode()
	_, err = c.do(ctx, request{method: http.MethodPut, url: target.String(), contentType: "application/octet-stream", body: body, want: []int{http.StatusCreated}})
	return err
}

func resolveURL(base, ref string) (*url.URL, error) {
	b, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	return b.Parse(ref)
}
