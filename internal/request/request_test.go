package request_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
)

func TestDo(t *testing.T) {
	const secret = "aaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbb.cccccccccccccccccccc"
	var n atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		switch r.URL.Path {
		case "/good":
			_, _ = w.Write([]byte("12345"))
		case "/once":
			if i == 1 {
				w.Header().Set("Retry-After", "0")
				http.Error(w, "later", http.StatusTooManyRequests)
			}
		case "/busy":
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case "/tomorrow":
			w.Header().Set("Retry-After", "86400")
			http.Error(w, "tomorrow", http.StatusServiceUnavailable)
		case "/gone":
			panic(http.ErrAbortHandler)
		case "/cut":
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("12345"))
		case "/moved":
			http.Redirect(w, r, elsewhere.URL, http.StatusPermanentRedirect)
		case "/echo":
			http.Error(w, "you said "+r.Header.Get("Authorization"), http.StatusForbidden)
		case "/hang":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	tests := []struct {
		path  string
		max   int64
		kind  error // nil is an answer
		says  string
		tries int64
	}{
		{"/good", 5, nil, "", 1},
		{"/good", 4, assay.ErrBound, "at most 4 bytes", 1},
		{"/once", 5, nil, "", 2},
		{"/busy", 5, assay.ErrUnchecked, "503", 3},
		{"/tomorrow", 5, assay.ErrUnchecked, "503", 1},
		{"/gone", 5, assay.ErrUnchecked, "EOF", 3},
		{"/cut", 10, assay.ErrUnchecked, "EOF", 3},
		{"/moved", 5, assay.ErrUnchecked, "308 Permanent Redirect: redirects are not followed", 1},
		{"/echo", 5, assay.ErrUnchecked, "you said Bearer [secret]", 1},
		{"/none", 5, assay.ErrAbsent, "404", 1},
		{"/hang", 5, assay.ErrUnchecked, "deadline", 3},
	}
	for _, tt := range tests {
		t.Run(tt.path[1:], func(t *testing.T) {
			n.Store(0)
			// net/http tries again by itself on a connection that it kept. What is counted are
			// the requests that are made: one that is given up early the server may never see.
			transport := &counting{of: &http.Transport{DisableKeepAlives: true}}
			c := request.Client{Wait: time.Millisecond, Timeout: 100 * time.Millisecond, Transport: transport}
			if tt.path != "/hang" {
				c.Timeout = 0
			}
			resp, err := c.Do(t.Context(), request.Request{Op: "ask", URL: server.URL + tt.path + "?key=hidden#part", Max: tt.max,
				Header: map[string]string{"Authorization": "Bearer " + secret}, Secrets: []string{secret}})
			if tt.kind == nil {
				if err != nil || resp.Status != http.StatusOK {
					t.Errorf("got %+v, %v", resp, err)
				}
			} else if assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), server.URL+tt.path) {
				t.Errorf("got %v, want %v that says %s", err, tt.kind, tt.says)
			}
			if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "cccccccc")) {
				t.Errorf("a secret is in %v", err)
			}
			if got := transport.n.Load(); got != tt.tries {
				t.Errorf("%d tries, want %d", got, tt.tries)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (request.Client{}).Do(ctx, request.Request{URL: server.URL + "/busy"}); !errors.Is(err, context.Canceled) || assay.KindOf(err) != assay.ErrUnchecked {
		t.Errorf("got %v", err)
	}
}

// counting counts the requests that are made.
type counting struct {
	of http.RoundTripper
	n  atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.of.RoundTrip(r)
}

func TestCheckURL(t *testing.T) {
	for _, tt := range []struct {
		url           string
		secret, plain bool
		ok            bool
	}{
		{"https://a.example/x", true, false, true},
		{"http://a.example/x", true, false, false},
		{"http://a.example/x", true, true, true},
		{"http://a.example/x", false, false, true},
		{"http://127.0.0.1:1", true, false, true},
		{"http://[::1]:1", true, false, true},
		{"http://localhost:1", true, false, true},
		{"http://localhost.example", true, false, false},
		{"http://127.0.0.1.example", true, false, false},
		{"https://me@a.example", false, true, false},
		{"https:///x", false, true, false},
		{"file:///etc/passwd", false, true, false},
		{"a.example", false, true, false},
		{"", false, true, false},
		{"https://a.example/%zz", false, true, false},
	} {
		if err := request.CheckURL("ask", "url", tt.url, tt.secret, tt.plain); (err == nil) != tt.ok || err != nil && !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s, secret %v, plain %v: %v", tt.url, tt.secret, tt.plain, err)
		}
	}
}
