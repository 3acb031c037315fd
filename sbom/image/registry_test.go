package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
)

// quick is a configuration that does not make tests wait, and knows no credentials
// of the one who runs them.
func quick() Registry {
	return Registry{Keychain: anonymous{}, Backoff: time.Millisecond}
}

type anonymous struct{}

func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// serve starts a registry whose answers can be changed before they are given.
func serve(t *testing.T, change func(w http.ResponseWriter, r *http.Request, next http.Handler)) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Setup") != "" || change == nil {
			inner.ServeHTTP(w, r)
			return
		}
		change(w, r, inner)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// push writes past what change does.
func push(t *testing.T, host, at string, img *testimage.Image) string {
	t.Helper()
	ref, err := Registry{}.ParseReference(host + "/" + at)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithTransport(setup{})); err != nil {
		t.Fatal(err)
	}
	return host + "/" + at
}

type setup struct{}

func (setup) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Setup", "1")
	return http.DefaultTransport.RoundTrip(r)
}

func TestRegistry(t *testing.T) {
	host := testimage.Registry(t)
	img := sample(t, "x")
	testimage.Push(t, host+"/app:v1", img)
	x, a, b := twoPlatforms(t)
	testimage.PushIndex(t, host+"/multi:v1", x)
	opts := Options{Registry: quick()}
	for _, ref := range []string{"/app:v1", "/app@" + img.ID().String(), "/app:v1@" + img.ID().String()} {
		if o := opened(t, host+ref, opts); o.Digest() != img.ID() {
			t.Errorf("%s: %s", ref, o.Digest())
		}
	}
	opts.Platform = assay.Platform{OS: "linux", Architecture: "arm"}
	if o := opened(t, host+"/multi:v1", opts); o.Digest() != b.ID() || o.IndexDigest() != x.ID() || len(o.Platforms()) != 2 {
		t.Errorf("index: %+v", o)
	}
	opts.Platform = assay.Platform{}
	if o := opened(t, host+"/multi@"+a.ID().String(), opts); o.Digest() != a.ID() {
		t.Errorf("member: %+v", o)
	}
	refused(t, host+"/app:v2", opts, assay.ErrAbsent, "v2", "404")
	refused(t, host+"/nothing:v1", opts, assay.ErrAbsent, "nothing")
	refused(t, "Not A Reference", opts, assay.ErrInvalid, "Not A Reference")
}

func TestRegistryAnswers(t *testing.T) {
	img := sample(t, "x")
	m, _ := img.Manifest()
	raw, _ := img.RawManifest()
	layer := m.Layers[0].Digest
	is := func(kind string) func(r *http.Request) bool {
		return func(r *http.Request) bool { return strings.Contains(r.URL.Path, kind) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
	}
	give := func(mt string, b []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", mt)
			w.Write(b)
		}
	}
	for _, tt := range []struct {
		name  string
		which func(*http.Request) bool
		does  http.HandlerFunc
		kind  error
		says  []string
	}{
		{"401", is("/manifests/"), status(401), assay.ErrUnchecked, []string{"401"}},
		{"403", is("/manifests/"), status(403), assay.ErrUnchecked, []string{"403"}},
		{"404", is("/manifests/"), status(404), assay.ErrAbsent, []string{"404"}},
		{"429", is("/manifests/"), status(429), assay.ErrUnchecked, []string{"429"}},
		{"500", is("/manifests/"), status(500), assay.ErrUnchecked, []string{"500"}},
		{"503 for long", is("/manifests/"), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(503)
		}, assay.ErrUnchecked, []string{"503"}},
		{"404 to the handshake", is("/v2/"), status(404), assay.ErrUnchecked, []string{"404"}},
		{"500 to the handshake", is("/v2/"), status(500), assay.ErrUnchecked, []string{"500"}},
		{"404 for the config", is(m.Config.Digest.Hex), status(404), assay.ErrUnchecked, []string{"404", m.Config.Digest.String()}},
		{"404 for a layer", is(layer.Hex), status(404), assay.ErrUnchecked, []string{"404", layer.String()}},
		{"500 for a layer", is(layer.Hex), status(500), assay.ErrUnchecked, []string{"500", layer.String()}},
		{"another manifest", is("/manifests/"), give("application/vnd.oci.image.manifest.v1+json", append([]byte(" "), raw...)), assay.ErrRefuted, []string{img.ID().String()}},
		{"another config", is(m.Config.Digest.Hex), give("", bytes.Repeat([]byte("x"), int(m.Config.Size))), assay.ErrRefuted, []string{m.Config.Digest.String()}},
		{"another layer", is(layer.Hex), give("", bytes.Repeat([]byte("x"), int(m.Layers[0].Size))), assay.ErrRefuted, []string{layer.String()}},
		{"a shorter layer", is(layer.Hex), give("", img.Blob(layer)[:50]), assay.ErrRefuted, []string{layer.String(), "size"}},
		{"a layer without end", is(layer.Hex), func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, assay.ErrRefuted, []string{layer.String(), "size"}},
		{"a layer that breaks off", is(layer.Hex), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			w.Write(img.Blob(layer)[:50])
		}, assay.ErrUnchecked, []string{layer.String(), "EOF"}},
		{"a manifest said to be an index", is("/manifests/"), give("application/vnd.oci.image.index.v1+json", raw), assay.ErrInvalid, []string{"members"}},
		{"a manifest without end", is("/manifests/"), func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
					return
				}
			}
		}, assay.ErrBound, []string{"4194304"}},
		{"a redirect into the open", is("/manifests/"), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.invalid/x", http.StatusFound)
		}, assay.ErrUnchecked, []string{"PlainHTTP", "example.invalid"}},
		{"a circle of redirects", is("/manifests/"), func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, assay.ErrUnchecked, []string{"redirects"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if tt.which(r) {
					tt.does(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
			push(t, host, "app:v1", img)
			o, err := Open(t.Context(), host+"/app@"+img.ID().String(), Options{Registry: quick()})
			if err == nil {
				defer o.Close()
				_, err = layers.Pass(t.Context(), o.Image(), layers.Options{Digest: img.ID()})
			}
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, want %v", err, tt.kind)
			}
			if tt.kind == assay.ErrUnchecked && errors.Is(err, assay.ErrAbsent) {
				t.Errorf("%v says that the image is absent", err)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not name %q", err, s)
				}
			}
		})
	}
}

func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		name   string
		code   int
		after  string
		fails  int
		change func(*Registry)
		ok     bool
		asked  int32
	}{
		{"busy once", 429, "0", 1, nil, true, 2},
		{"in trouble three times", 503, "", 3, nil, true, 4},
		{"in trouble too often", 502, "", 9, nil, false, 4},
		{"no retries", 500, "", 1, func(r *Registry) { r.Retries = -1 }, false, 1},
		{"busy for too long", 429, "31", 1, nil, false, 1},
		{"a date", 429, "Wed, 21 Oct 2099 07:28:00 GMT", 1, nil, true, 2},
		{"refused", 403, "", 1, nil, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int32
			host := serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if strings.Contains(r.URL.Path, "/manifests/") && int(asked.Add(1)) <= tt.fails {
					if tt.after != "" {
						w.Header().Set("Retry-After", tt.after)
					}
					w.WriteHeader(tt.code)
					return
				}
				next.ServeHTTP(w, r)
			})
			push(t, host, "app:v1", sample(t, "x"))
			r := quick()
			if tt.change != nil {
				tt.change(&r)
			}
			_, err := Open(t.Context(), host+"/app:v1", Options{Registry: r})
			if (err == nil) != tt.ok || asked.Load() != tt.asked {
				t.Errorf("got %v after %d requests, want %d", err, asked.Load(), tt.asked)
			}
		})
	}
}

func TestHangingRegistry(t *testing.T) {
	stop := make(chan struct{})
	hang := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}
	img := sample(t, "x")
	m, _ := img.Manifest()
	for _, path := range []string{"/v2/", "/manifests/", m.Config.Digest.Hex, m.Layers[0].Digest.Hex} {
		for _, after := range []int{0, 10} { // bytes of the answer
			host := serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if !strings.HasSuffix(r.URL.Path, path) && !(path == "/manifests/" && strings.Contains(r.URL.Path, path)) {
					next.ServeHTTP(w, r)
					return
				}
				if after > 0 {
					w.Header().Set("Content-Length", "1000")
					w.Write(make([]byte, after))
					w.(http.Flusher).Flush()
				}
				hang(w, r)
			})
			push(t, host, "app:v1", img)
			scan := func(ctx context.Context, r Registry) error {
				o, err := Open(ctx, host+"/app:v1", Options{Registry: r})
				if err == nil {
					defer o.Close()
					_, err = layers.Pass(ctx, o.Image(), layers.Options{Stall: 50 * time.Millisecond})
				}
				return err
			}
			r := quick()
			r.HeaderTimeout, r.Timeout = 50*time.Millisecond, 100*time.Millisecond
			start := time.Now()
			err := scan(t.Context(), r)
			if !errors.Is(err, assay.ErrUnchecked) && !(after > 0 && path == "/v2/" && err == nil) || time.Since(start) > 20*time.Second {
				t.Errorf("%s after %d bytes: got %v in %s", path, after, err, time.Since(start))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			start = time.Now()
			if err := scan(ctx, quick()); !errors.Is(err, assay.ErrUnchecked) && !errors.Is(err, assay.ErrRefuted) || time.Since(start) > 20*time.Second {
				t.Errorf("%s after %d bytes: got %v in %s", path, after, err, time.Since(start))
			}
			cancel()
		}
	}
	close(stop)
}

// Credentials are for the registry and nobody else.
func TestCredentials(t *testing.T) {
	var leaked atomic.Int32
	img := sample(t, "x")
	m, _ := img.Manifest()
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Add(1)
		}
		for _, l := range m.Layers {
			if strings.HasSuffix(r.URL.Path, l.Digest.Hex) {
				w.Write(img.Blob(l.Digest))
			}
		}
	}))
	defer cdn.Close()
	var agents atomic.Pointer[string]
	host := serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		ua := r.Header.Get("User-Agent")
		agents.Store(&ua)
		if user, pass, _ := r.BasicAuth(); user != "me" || pass != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(401)
			return
		}
		for _, l := range m.Layers {
			if strings.HasSuffix(r.URL.Path, l.Digest.Hex) {
				http.Redirect(w, r, strings.Replace(cdn.URL, "127.0.0.1", "localhost", 1)+"/"+l.Digest.Hex, http.StatusTemporaryRedirect)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
	ref := push(t, host, "app:v1", img)
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	refused(t, ref, Options{Registry: Registry{Backoff: time.Millisecond}}, assay.ErrUnchecked, "401")
	config, _ := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"username": "me", "password": "secret"}}})
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	opened(t, ref, Options{Registry: Registry{UserAgent: "assay/test"}})
	if leaked.Load() > 0 {
		t.Error("credentials went to another host")
	}
	if ua := *agents.Load(); !strings.HasPrefix(ua, "assay/test") {
		t.Errorf("user agent %q", ua)
	}
}

func TestMirrors(t *testing.T) {
	img, other := sample(t, "x"), sample(t, "other")
	up, mirror := serve(t, nil), serve(t, nil)
	push(t, up, "app:v1", img)
	push(t, mirror, "cache/app:v1", img)
	push(t, up, "only:v1", other)
	r := quick()
	r.Mirrors = map[string][]string{up: {mirror + "/nothing-here", mirror + "/cache"}}
	o := opened(t, up+"/app:v1", Options{Registry: r})
	if o.Digest() != img.ID() || !strings.Contains(o.s.String(), mirror) {
		t.Errorf("got %s from %s", o.Digest(), o.s)
	}
	if o := opened(t, up+"/only:v1", Options{Registry: r}); o.Digest() != other.ID() {
		t.Errorf("got %s", o.Digest())
	}
	refused(t, up+"/none:v1", Options{Registry: r}, assay.ErrAbsent, up)
	// A mirror that gives other bytes for a digest is passed over.
	lying := serve(t, func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		if strings.Contains(req.URL.Path, "/manifests/") {
			w.Write([]byte("{}"))
			return
		}
		next.ServeHTTP(w, req)
	})
	r.Mirrors = map[string][]string{up: {lying}}
	if o := opened(t, up+"/app@"+img.ID().String(), Options{Registry: r}); o.Digest() != img.ID() {
		t.Errorf("got %s", o.Digest())
	}
}

func TestPlain(t *testing.T) {
	r := Registry{PlainHTTP: []string{"intern.example:5000"}}
	for host, want := range map[string]bool{
		"localhost:5000": true, "127.0.0.1:80": true, "[::1]:80": true, "x.localhost": true, "intern.example:5000": true,
		"intern.example": false, "10.0.0.1:5000": false, "example.com": false, "localhost.example.com": false,
	} {
		if r.plain(host) != want {
			t.Errorf("%s: want %t", host, want)
		}
	}
	if ref, err := r.ParseReference("intern.example:5000/a:v1"); err != nil || ref.Context().Scheme() != "http" {
		t.Errorf("got %v, %v", ref, err)
	}
}

// What other packages do with go-containerregistry obeys the same configuration.
func TestRemoteOptions(t *testing.T) {
	var asked atomic.Int32
	host := serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/manifests/") && asked.Add(1) == 1 {
			w.WriteHeader(503)
			return
		}
		next.ServeHTTP(w, r)
	})
	ref := push(t, host, "app:v1", sample(t, "x"))
	r := quick()
	n, err := r.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Get(n, r.RemoteOptions(t.Context(), r.NewTransport())...); err != nil || asked.Load() != 2 {
		t.Errorf("got %v after %d requests", err, asked.Load())
	}
}
