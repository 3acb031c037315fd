package testregistry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Fault is a way to answer wrongly. A request that no fault is for is passed to
// the registry and its answer back unchanged.
type Fault struct {
	// Method and Path say which requests: an HTTP method, and a regular
	// expression that is found in the path. Empty is any.
	Method, Path string
	// After is how many such requests are answered rightly first: 1 makes the
	// second fetch wrong. Times is how many are answered wrongly then; zero is
	// all.
	After, Times int

	// At most one of these; Header alone is a fault, too.

	// Status is answered instead, with Header and an error body in the registry
	// API's form.
	Status int
	// Hang keeps the request without any answer until the client gives up or the
	// test ends.
	Hang bool
	// Drop closes the connection without any answer.
	Drop bool
	// Stall sends that many bytes of the true body and then nothing more,
	// without closing.
	Stall int64
	// Truncate sends that many bytes of the true body, whose length was
	// announced, and closes the connection.
	Truncate int64
	// Corrupt flips one bit in the middle of the body.
	Corrupt bool
	// Rewrite gives another body. The length announced is the other's; the
	// headers, Docker-Content-Digest with them, are of the true one.
	Rewrite func(body []byte) []byte

	// Header is set on the wrong answer, over what is there: Retry-After,
	// Location, Docker-Content-Digest.
	Header map[string]string
}

// ways counts the wrong answers that the fault asks for.
func (f Fault) ways() int {
	n := 0
	for _, set := range []bool{f.Status != 0, f.Hang, f.Drop, f.Stall != 0, f.Truncate != 0, f.Corrupt, f.Rewrite != nil} {
		if set {
			n++
		}
	}
	return n
}

// Request is a request that came in.
type Request struct {
	Method, Path string
	Query        string
	Fault        int // index of the fault that answered it, -1 if none did
}

// Proxy is a registry with faults.
type Proxy struct {
	Registry

	done   chan struct{}
	paths  []*regexp.Regexp
	faults []Fault

	mu       sync.Mutex
	matched  []int // how many requests each fault was for
	requests []Request
}

// Front starts a proxy before a registry, which the end of the test stops. The
// first fault that is for a request answers it.
func Front(t testing.TB, r *Registry, faults ...Fault) *Proxy {
	t.Helper()
	target, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{done: make(chan struct{}), faults: faults, matched: make([]int, len(faults))}
	for _, f := range faults {
		re, err := regexp.Compile(f.Path)
		if err != nil {
			t.Fatalf("fault's path: %v", err)
		}
		if n := f.ways(); n > 1 || (n == 0 && f.Header == nil) {
			t.Fatalf("fault of %q has %d ways to answer wrongly, want one", f.Path, n)
		}
		p.paths = append(p.paths, re)
	}
	pass := &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(target)
			pr.Out.Host = pr.In.Host // so that upload locations lead back here
			// A transport that inflates by itself would change what is counted
			// and cut.
			pr.Out.Header.Set("Accept-Encoding", "identity")
		},
		ModifyResponse: func(answer *http.Response) error {
			if f, ok := answer.Request.Context().Value(faultKey{}).(Fault); ok {
				return p.spoil(f, answer)
			}
			return nil
		},
		FlushInterval: -1, // what is sent before a stall or a cut arrives
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	server := httptest.NewUnstartedServer(p.handler(pass))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	p.Registry = Registry{Host: strings.TrimPrefix(server.URL, "http://"), URL: server.URL, options: r.options}
	t.Cleanup(func() {
		close(p.done)
		server.CloseClientConnections()
		server.Close()
	})
	return p
}

type faultKey struct{}

// Requests are the requests that came in, in order.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// Count is how many requests had the method and a path in which the regular
// expression is found; empty is any.
func (p *Proxy) Count(method, path string) int {
	re := regexp.MustCompile(path)
	n := 0
	for _, r := range p.Requests() {
		if (method == "" || method == r.Method) && re.MatchString(r.Path) {
			n++
		}
	}
	return n
}

// pick notes the request and gives the fault that answers it.
func (p *Proxy) pick(r *http.Request) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	which := -1
	for i, f := range p.faults {
		if (f.Method != "" && f.Method != r.Method) || !p.paths[i].MatchString(r.URL.Path) {
			continue
		}
		p.matched[i]++
		if nth := p.matched[i]; nth > f.After && (f.Times == 0 || nth <= f.After+f.Times) {
			which = i
			break
		}
	}
	p.requests = append(p.requests, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Fault: which})
	if which < 0 {
		return Fault{}, false
	}
	return p.faults[which], true
}

func (p *Proxy) handler(pass http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := p.pick(r)
		switch {
		case !ok:
			pass.ServeHTTP(w, r)
		case f.Drop:
			panic(http.ErrAbortHandler)
		case f.Hang:
			p.wait(r.Context().Done())
			panic(http.ErrAbortHandler)
		case f.Status != 0:
			for k, v := range f.Header {
				w.Header().Set(k, v)
			}
			writeError(w, f.Status)
		default:
			pass.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, f)))
		}
	})
}

func (p *Proxy) wait(client <-chan struct{}) {
	select {
	case <-client:
	case <-p.done:
	}
}

// spoil makes the registry's answer the fault's.
func (p *Proxy) spoil(f Fault, answer *http.Response) error {
	for k, v := range f.Header {
		answer.Header.Set(k, v)
	}
	switch {
	case f.Stall > 0:
		answer.Body = &cut{Reader: io.LimitReader(answer.Body, f.Stall), Closer: answer.Body, end: func() error {
			p.wait(answer.Request.Context().Done())
			return errCut
		}}
	case f.Truncate > 0:
		answer.Body = &cut{Reader: io.LimitReader(answer.Body, f.Truncate), Closer: answer.Body, end: func() error { return errCut }}
	case f.Corrupt, f.Rewrite != nil:
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil {
			return err
		}
		if f.Rewrite != nil {
			body = f.Rewrite(body)
		} else if len(body) > 0 {
			body = bytes.Clone(body)
			body[len(body)/2] ^= 1
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		answer.ContentLength = int64(len(body))
		answer.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	return nil
}

var errCut = errors.New("cut by the test")

// cut is a body that ends otherwise than by its end.
type cut struct {
	io.Reader
	io.Closer
	end func() error
}

func (c *cut) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		err = c.end()
	}
	return n, err
}

// writeError answers in the form of the registry API (OCI distribution-spec v1.1,
// "Error Codes").
func writeError(w http.ResponseWriter, status int) {
	code := map[int]string{
		http.StatusUnauthorized:    "UNAUTHORIZED",
		http.StatusForbidden:       "DENIED",
		http.StatusNotFound:        "NAME_UNKNOWN",
		http.StatusTooManyRequests: "TOOMANYREQUESTS",
	}[status]
	if code == "" {
		code = "UNKNOWN"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that hangs up meanwhile is no failure of ours.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []any{map[string]string{"code": code, "message": "fault of the test"}},
	})
}
