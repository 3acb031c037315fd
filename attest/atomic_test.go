package attest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

// dying is a registry that answers a number of requests and is then gone. The last
// one it hears of is done, or not, and not answered either way.
func dying(t testing.TB, back *testregistry.Registry, answers int, doLast bool) (ref func(string) string) {
	t.Helper()
	target, err := url.Parse(back.URL)
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorLog: log.New(io.Discard, "", 0),
	}
	var n atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch i := n.Add(1); {
		case i <= int64(answers):
			pass.ServeHTTP(w, r)
			return
		case i == int64(answers)+1 && doLast:
			pass.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	return func(rest string) string { return host + "/" + rest }
}

// The registry dies after each request there is, for good, so that nothing can be
// taken back. At any of them all envelopes are visible, or none; attaching again
// finishes what was begun, to the same objects as without a failure; and once more
// writes nothing.
func TestAttachDies(t *testing.T) {
	options := attest.AttachOptions{Registry: image.Registry{Backoff: time.Millisecond}}
	for _, tt := range registries[:2] {
		t.Run(tt.name, func(t *testing.T) {
			signer := newSigner(t)
			clean := testregistry.Front(t, tt.start(t))
			_, digest := pushImage(t, &clean.Registry)
			envelopes := []assay.Envelope{envelope(t, signer, digest, "a"), envelope(t, signer, digest, "b"), envelope(t, signer, digest, "c")}
			before := len(clean.Requests())
			want, err := attest.Attach(t.Context(), clean.Ref("app@"+digest.String()), options, envelopes...)
			if err != nil {
				t.Fatal(err)
			}
			total := len(clean.Requests()) - before
			if total < 15 {
				t.Fatalf("%d requests", total)
			}
			if want.Set.IsZero() == tt.api {
				t.Errorf("attached %+v", want)
			}
			var wg sync.WaitGroup
			for k := range total + 1 {
				for _, doLast := range []bool{false, true} {
					// Registries are started, and the image put there, by the test's own
					// goroutine.
					back := testregistry.Front(t, tt.start(t))
					if err := copyImage(clean.Ref("app@"+digest.String()), back.Ref("app:latest")); err != nil {
						t.Fatal(err)
					}
					ref := dying(t, &back.Registry, k, doLast)
					wg.Go(func() {
						if err := dies(t.Context(), back, ref, digest, options, envelopes, want); err != nil {
							t.Errorf("after %d requests of %d, the next done: %v: %v", k, total, doLast, err)
						}
					})
				}
			}
			wg.Wait()
		})
	}
}

func copyImage(from, to string) error {
	src, err := name.ParseReference(from)
	if err != nil {
		return err
	}
	img, err := remote.Image(src)
	if err != nil {
		return err
	}
	dst, err := name.ParseReference(to)
	if err != nil {
		return err
	}
	return remote.Write(dst, img)
}

func dies(ctx context.Context, back *testregistry.Proxy, ref func(string) string, digest assay.Digest, options attest.AttachOptions, envelopes []assay.Envelope, want *attest.Attached) error {
	visible := func() (int, error) {
		found, err := attest.FromRegistry(back.Ref("app"), image.Registry{}).Discover(ctx, digest)
		if err != nil {
			return 0, err
		}
		if !found.Complete() {
			return 0, fmt.Errorf("faults %v", found.Faults)
		}
		return found.Bundle.Len(), nil
	}
	_, failed := attest.Attach(ctx, ref("app@"+digest.String()), options, envelopes...)
	n, err := visible()
	if err != nil {
		return err
	}
	if n != 0 && n != len(envelopes) || failed == nil && n == 0 {
		return fmt.Errorf("%d of %d envelopes are visible, error %w", n, len(envelopes), failed)
	}
	same := func(got *attest.Attached) error {
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(assay.Digest{}), cmpopts.IgnoreFields(attest.Referrer{}, "New"), cmpopts.IgnoreFields(attest.Attached{}, "Repository")); diff != "" {
			return fmt.Errorf("attached other objects (-want +got):\n%s", diff)
		}
		return nil
	}
	again, err := attest.Attach(ctx, back.Ref("app@"+digest.String()), options, envelopes...)
	if err != nil {
		return err
	}
	if n, err := visible(); err != nil || n != len(envelopes) {
		return fmt.Errorf("%d envelopes after attaching again, %w", n, err)
	}
	if err := same(again); err != nil {
		return err
	}
	writes := back.Count("PUT", "") + back.Count("POST", "") + back.Count("DELETE", "")
	third, err := attest.Attach(ctx, back.Ref("app@"+digest.String()), options, envelopes[2], envelopes[0], envelopes[1])
	if err != nil {
		return err
	}
	if n := back.Count("PUT", "") + back.Count("POST", "") + back.Count("DELETE", "") - writes; n != 0 {
		return fmt.Errorf("%d writes to attach what is attached", n)
	}
	return same(third)
}
