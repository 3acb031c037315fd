package testregistry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/assaykit/assay/internal/testregistry"
)

// roundTrip pushes an image, pulls it again, and asks for its referrers.
func roundTrip(t *testing.T, r *testregistry.Registry, opts ...remote.Option) v1.Hash {
	t.Helper()
	image, err := random.Image(1024, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref := reference(t, r, "octo/app:v1")
	if err := remote.Write(ref, image, opts...); err != nil {
		t.Fatal(err)
	}
	want, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(ref, opts...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pulled.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("pulled %v, pushed %v", got, want)
	}
	return want
}

// status is what the registry answers to a GET.
func status(t *testing.T, url string) int {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestReferrersAPI(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB, testregistry.Options) *testregistry.Registry
		opts  testregistry.Options
		want  int
	}{
		"in process":         {testregistry.InProcess, testregistry.Options{}, http.StatusOK},
		"in process without": {testregistry.InProcess, testregistry.Options{NoReferrers: true}, http.StatusNotFound},
		"distribution":       {testregistry.Start, testregistry.Options{}, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.start(t, c.opts)
			digest := roundTrip(t, r)
			if got := status(t, r.URL+"/v2/octo/app/referrers/"+digest.String()); got != c.want {
				t.Errorf("the referrers API answers %d, want %d", got, c.want)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	opts := testregistry.Options{User: "dev", Password: "s3cret"}
	for name, start := range map[string]func(testing.TB, testregistry.Options) *testregistry.Registry{
		"in process": testregistry.InProcess, "distribution": testregistry.Start,
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, opts)
			t.Setenv("DOCKER_CONFIG", r.DockerConfig(t))
			roundTrip(t, r, remote.WithAuthFromKeychain(authn.DefaultKeychain))
			if got := status(t, r.URL+"/v2/"); got != http.StatusUnauthorized {
				t.Errorf("status %d without credentials, want %d", got, http.StatusUnauthorized)
			}
			ref := reference(t, r, "octo/app:v1")
			var refused *transport.Error
			if _, err := remote.Image(ref); !errors.As(err, &refused) || refused.StatusCode != http.StatusUnauthorized {
				t.Errorf("error %v, want status 401", err)
			}
		})
	}
}

func reference(t *testing.T, r *testregistry.Registry, rest string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(r.Ref(rest))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// pushed gives a registry with an image and the path of one of its layers.
func pushed(t *testing.T) (*testregistry.Registry, string, []byte) {
	t.Helper()
	r := testregistry.InProcess(t, testregistry.Options{})
	image, err := random.Image(1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	ref := reference(t, r, "octo/app:v1")
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	compressed, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer compressed.Close()
	content, err := io.ReadAll(compressed)
	if err != nil {
		t.Fatal(err)
	}
	return r, "/v2/octo/app/blobs/" + digest.String(), content
}

// get gives status, header and body, and the error of reading it.
func get(t *testing.T, url string, timeout time.Duration) (int, http.Header, []byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, body, err
}

func TestFaults(t *testing.T) {
	r, path, content := pushed(t)
	const long, short = time.Minute, 200 * time.Millisecond
	t.Run("none", func(t *testing.T) {
		p := testregistry.Front(t, r)
		if _, _, body, err := get(t, p.URL+path, long); err != nil || !cmp.Equal(content, body) {
			t.Errorf("error %v, or another body", err)
		}
	})
	t.Run("status", func(t *testing.T) {
		p := testregistry.Front(t, r, testregistry.Fault{Path: "/blobs/", Status: 429, Header: map[string]string{"Retry-After": "3"}, Times: 1})
		code, header, _, err := get(t, p.URL+path, long)
		if err != nil || code != 429 || header.Get("Retry-After") != "3" {
			t.Errorf("status %d, Retry-After %q, error %v", code, header.Get("Retry-After"), err)
		}
		if code, _, _, err := get(t, p.URL+path, long); err != nil || code != 200 {
			t.Errorf("status %d, error %v once the fault is over", code, err)
		}
		want := []testregistry.Request{{Method: "GET", Path: path, Fault: 0}, {Method: "GET", Path: path, Fault: -1}}
		if diff := cmp.Diff(want, p.Requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if got := p.Count("GET", "/blobs/"); got != 2 {
			t.Errorf("counted %d requests, want 2", got)
		}
	})
	t.Run("hang", func(t *testing.T) {
		p := testregistry.Front(t, r, testregistry.Fault{Path: "/blobs/", Hang: true})
		if _, _, _, err := get(t, p.URL+path, short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want a deadline", err)
		}
	})
	t.Run("drop", func(t *testing.T) {
		p := testregistry.Front(t, r, testregistry.Fault{Path: "/blobs/", Drop: true})
		if _, _, _, err := get(t, p.URL+path, long); !errors.Is(err, io.EOF) {
			t.Errorf("error %v, want an end", err)
		}
	})
	t.Run("stall", func(t *testing.T) {
		p := testregistry.Front(t, r, testregistry.Fault{Path: "/blobs/", Stall: 100})
		// The client gives up once it has what there is, however long that took.
		ctx, giveUp := context.WithCancel(t.Context())
		defer giveUp()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body := make([]byte, 100)
		if _, err := io.ReadFull(answer.Body, body); err != nil || !cmp.Equal(content[:100], body) {
			t.Fatalf("the first 100 bytes: error %v, or others", err)
		}
		time.AfterFunc(50*time.Millisecond, giveUp)
		if more, err := io.ReadAll(answer.Body); !errors.Is(err, context.Canceled) || len(more) != 0 {
			t.Errorf("%d more bytes, error %v, want none before the client gives up", len(more), err)
		}
	})
	t.Run("truncate", func(t *testing.T) {
		p := testregistry.Front(t, r, testregistry.Fault{Path: "/blobs/", Truncate: 100})
		_, _, body, err := get(t, p.URL+path, long)
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != 100 {
			t.Errorf("%d bytes, error %v, want 100 and an unexpected end", len(body), err)
		}
	})
	t.Run("lie on the second fetch", func(t *testing.T) {
		p := testregistry.Front(t, r, testregistry.Fault{Path: "/blobs/", After: 1, Corrupt: true})
		if _, _, body, err := get(t, p.URL+path, long); err != nil || !cmp.Equal(content, body) {
			t.Errorf("first fetch: error %v, or another body", err)
		}
		if _, _, body, err := get(t, p.URL+path, long); err != nil || len(body) != len(content) || cmp.Equal(content, body) {
			t.Errorf("second fetch: error %v, %d of %d bytes, the same body %t", err, len(body), len(content), cmp.Equal(content, body))
		}
	})
	t.Run("rewrite", func(t *testing.T) {
		p := testregistry.Front(t, r, testregistry.Fault{
			Path: "/manifests/", Rewrite: func([]byte) []byte { return []byte("{}") }, Header: map[string]string{"Docker-Content-Digest": "sha256:00"},
		})
		_, header, body, err := get(t, p.URL+"/v2/octo/app/manifests/v1", long)
		if err != nil || string(body) != "{}" || header.Get("Docker-Content-Digest") != "sha256:00" {
			t.Errorf("body %q, digest %q, error %v", body, header.Get("Docker-Content-Digest"), err)
		}
	})
}

// TestFrontOfPush pushes through a proxy: upload locations must lead back to it.
func TestFrontOfPush(t *testing.T) {
	for name, start := range map[string]func(testing.TB, testregistry.Options) *testregistry.Registry{
		"in process": testregistry.InProcess, "distribution": testregistry.Start,
	} {
		t.Run(name, func(t *testing.T) {
			p := testregistry.Front(t, start(t, testregistry.Options{}))
			roundTrip(t, &p.Registry)
			for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodGet} {
				if p.Count(method, "") == 0 {
					t.Errorf("no %s came through the proxy", method)
				}
			}
		})
	}
}
