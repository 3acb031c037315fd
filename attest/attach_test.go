package attest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

// registries are the ways a registry lists referrers.
var registries = []struct {
	name  string
	start func(testing.TB) *testregistry.Registry
	api   bool
}{
	{"referrers API", func(t testing.TB) *testregistry.Registry { return testregistry.InProcess(t, testregistry.Options{}) }, true},
	{"fallback tag", func(t testing.TB) *testregistry.Registry {
		return testregistry.InProcess(t, testregistry.Options{NoReferrers: true})
	}, false},
	{"distribution", func(t testing.TB) *testregistry.Registry { return testregistry.Start(t, testregistry.Options{}) }, false},
}

func TestPublishAndDiscover(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	for _, tt := range registries {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.start(t)
			ref, digest := pushImage(t, r)
			signer := newSigner(t)
			first, err := attest.Publish(t.Context(), signer, r.Ref("app:latest"), attest.PublishOptions{}, testResult("a"), testResult("b"))
			if err != nil {
				t.Fatal(err)
			}
			if first.Subject != digest || len(first.Referrers) != 2 || !first.Referrers[0].New || (first.FallbackTag == "") != tt.api {
				t.Errorf("attached %+v", first)
			}
			found := discover(t, attest.FromRegistry(r.Ref("app"), image.Registry{}), digest)
			if found.Bundle.Len() != 2 || len(found.Faults) != 0 || !found.Complete() {
				t.Fatalf("found %d envelopes, faults %v", found.Bundle.Len(), found.Faults)
			}
			for e := range found.Bundle.Envelopes() {
				if e.MediaType() != assay.MediaTypeSigstoreBundle || !strings.HasPrefix(e.Sources()[0], r.Ref("app@sha256:")) {
					t.Errorf("envelope %s of %v", e.MediaType(), e.Sources())
				}
			}

			// Again, by digest this time: the same bytes, so nothing new.
			proxy := testregistry.Front(t, r)
			again, err := attest.Publish(t.Context(), signer, proxy.Ref("app@"+digest.String()), attest.PublishOptions{}, testResult("b"), testResult("a"))
			if err != nil {
				t.Fatal(err)
			}
			// The subject's name is the repository, and the proxy has another.
			if len(again.Referrers) != 2 {
				t.Errorf("attached again: %+v", again)
			}
			third, err := attest.Publish(t.Context(), signer, ref, attest.PublishOptions{}, testResult("b"), testResult("a"))
			if err != nil {
				t.Fatal(err)
			}
			for i := range third.Referrers {
				third.Referrers[i].New = !third.Referrers[i].New
			}
			if diff := cmp.Diff(first, third, cmpopts.EquateComparable(assay.Digest{})); diff != "" {
				t.Errorf("published the same again (-first +again):\n%s", diff)
			}
		})
	}
}

func TestAttachAgainWritesNothing(t *testing.T) {
	for _, tt := range registries[:2] {
		t.Run(tt.name, func(t *testing.T) {
			r := testregistry.Front(t, tt.start(t))
			ref, digest := pushImage(t, &r.Registry)
			e := envelope(t, newSigner(t), digest, "a")
			if _, err := attest.Attach(t.Context(), ref, attest.AttachOptions{}, e, e); err != nil {
				t.Fatal(err)
			}
			tag := "manifests/sha256-" + digest.Hex()
			tags, blobs := r.Count("PUT", tag), r.Count("POST", "")
			got, err := attest.Attach(t.Context(), ref, attest.AttachOptions{}, e)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Referrers) != 1 || got.Referrers[0].New || r.Count("PUT", tag) != tags || r.Count("POST", "") != blobs {
				t.Errorf("attached again: %+v, %d writes of the tag, %d uploads", got, r.Count("PUT", tag)-tags, r.Count("POST", "")-blobs)
			}
		})
	}
}

func TestAttachIndex(t *testing.T) {
	for _, tt := range registries {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.start(t)
			index, platforms := pushIndex(t, r)
			signer := newSigner(t)
			want := map[assay.Digest]assay.Digest{}
			for _, d := range append(platforms, index) {
				e := envelope(t, signer, d, "a")
				want[d] = e.Digest()
				if _, err := attest.Attach(t.Context(), r.Ref("app@"+d.String()), attest.AttachOptions{}, e); err != nil {
					t.Fatal(err)
				}
			}
			found := discover(t, attest.FromRegistry(r.Ref("app"), image.Registry{}), index)
			got := map[assay.Digest]assay.Digest{index: digests(found.Bundle)[0]}
			var names []string
			for p := range found.Bundle.Platforms() {
				names = append(names, p.Platform.String())
				got[p.Bundle.Subject()] = digests(p.Bundle)[0]
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(assay.Digest{})); diff != "" {
				t.Errorf("envelopes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, names); diff != "" {
				t.Errorf("platforms (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]attest.Ignored{{Store: r.Ref("app"), Type: "application/vnd.docker.container.image.v1+json", Count: 1}}, found.Ignored); diff != "" {
				t.Errorf("ignored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttachRefuses(t *testing.T) {
	r := testregistry.Front(t, testregistry.InProcess(t, testregistry.Options{}))
	ref, digest := pushImage(t, &r.Registry)
	signer := newSigner(t)
	other := assay.MustDigest("sha256:" + strings.Repeat("0", 64))
	writes := func() int { return r.Count("POST", "") + r.Count("PUT", "") }
	before := writes()
	good := envelope(t, signer, digest, "a")
	payload := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + digest.Hex() + `"}}],"predicateType":"https://e.example/x"}`
	tests := []struct {
		name string
		ref  string
		e    assay.Envelope
		kind error
		says []string
	}{
		{"another digest", ref, envelope(t, signer, other, "a"), assay.ErrRefuted, []string{"/subject", other.String(), digest.String()}},
		{"unsigned", ref, assay.NewEnvelope(assay.MediaTypeDSSE, []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}`)), assay.ErrInvalid, []string{"/signatures"}},
		{"bare statement", ref, assay.NewEnvelope(assay.MediaTypeInToto, []byte(payload)), assay.ErrInvalid, []string{"/payloadType"}},
		{"payload type", ref, assay.NewEnvelope(assay.MediaTypeDSSE, []byte(`{"payloadType":"text/plain","payload":"e30=","signatures":[{"sig":"AA=="}]}`)), assay.ErrInvalid, []string{"/payloadType", "text/plain", "in-toto S7"}},
		{"not JSON", ref, assay.NewEnvelope(assay.MediaTypeSigstoreBundle, []byte(`{`)), assay.ErrInvalid, []string{"read JSON"}},
		{"no such image", r.Ref("app@" + other.String()), good, assay.ErrAbsent, []string{"404", other.String()}},
		{"no such tag", r.Ref("app:none"), good, assay.ErrAbsent, []string{"404", "app/manifests/none"}},
		{"reference", "not a reference", good, assay.ErrInvalid, []string{"not a reference"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := attest.Attach(t.Context(), tt.ref, attest.AttachOptions{}, good, tt.e)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, want %v", err, tt.kind)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
	if n := writes() - before; n != 0 {
		t.Errorf("%d writes", n)
	}
	if _, err := attest.Attach(t.Context(), ref, attest.AttachOptions{OtherSubjectsUnsafe: true}, envelope(t, signer, other, "a")); err != nil {
		t.Error(err)
	}
}

// A failure partway leaves nothing visible.
func TestAttachAllOrNothing(t *testing.T) {
	tests := []struct {
		name    string
		options testregistry.Options
		fault   testregistry.Fault
		says    string
	}{
		{"credentials", testregistry.Options{}, testregistry.Fault{Method: "POST", Path: "/blobs/uploads/", Status: 401}, "401"},
		{"third blob", testregistry.Options{}, testregistry.Fault{Method: "PUT", Path: "/blobs/uploads/", After: 2, Status: 500}, "500"},
		{"second manifest", testregistry.Options{}, testregistry.Fault{Method: "PUT", Path: "/manifests/sha256:", After: 1, Status: 403}, "403"},
		{"referrers API", testregistry.Options{}, testregistry.Fault{Method: "GET", Path: "/referrers/", Status: 500}, "500"},
		{"second manifest, fallback tag", testregistry.Options{NoReferrers: true}, testregistry.Fault{Method: "PUT", Path: "/manifests/sha256:", After: 1, Status: 500}, "500"},
		{"the fallback tag", testregistry.Options{NoReferrers: true}, testregistry.Fault{Method: "PUT", Path: "/manifests/sha256-", Status: 500}, "500"},
		{"reading the fallback tag", testregistry.Options{NoReferrers: true}, testregistry.Fault{Method: "GET", Path: "/manifests/sha256-", Status: 429}, "429"},
		{"throttled", testregistry.Options{}, testregistry.Fault{Method: "PUT", Path: "/manifests/sha256:", After: 1, Status: 429, Header: map[string]string{"Retry-After": "3600"}}, "429"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			back := testregistry.InProcess(t, tt.options)
			_, digest := pushImage(t, back)
			signer := newSigner(t)
			r := testregistry.Front(t, back, tt.fault)
			_, err := attest.Attach(t.Context(), r.Ref("app@"+digest.String()), attest.AttachOptions{Registry: image.Registry{Backoff: time.Millisecond}},
				envelope(t, signer, digest, "a"), envelope(t, signer, digest, "b"), envelope(t, signer, digest, "c"))
			if !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want %s", err, tt.says)
			}
			found := discover(t, attest.FromRegistry(back.Ref("app"), image.Registry{}), digest)
			if found.Bundle.Len() != 0 || !found.Complete() {
				t.Errorf("left %d envelopes, faults %v", found.Bundle.Len(), found.Faults)
			}
		})
	}
}

func TestAttachTakesBackOrSays(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	_, digest := pushImage(t, back)
	signer := newSigner(t)
	r := testregistry.Front(t, back,
		testregistry.Fault{Method: "PUT", Path: "/manifests/sha256:", After: 1, Status: 500},
		testregistry.Fault{Method: "DELETE", Status: 405})
	_, err := attest.Attach(t.Context(), r.Ref("app@"+digest.String()), attest.AttachOptions{},
		envelope(t, signer, digest, "a"), envelope(t, signer, digest, "b"))
	if err == nil || !strings.Contains(err.Error(), "take back what was attached") || !strings.Contains(err.Error(), "405") {
		t.Fatalf("got %v", err)
	}
}

// A registry may answer too late once, and too often asked once.
func TestAttachRetries(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	_, digest := pushImage(t, back)
	r := testregistry.Front(t, back,
		testregistry.Fault{Method: "PUT", Path: "/manifests/", Times: 1, Status: 503},
		testregistry.Fault{Method: "GET", Path: "/referrers/", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "0"}})
	if _, err := attest.Attach(t.Context(), r.Ref("app@"+digest.String()), attest.AttachOptions{}, envelope(t, newSigner(t), digest, "a")); err != nil {
		t.Fatal(err)
	}
}

func TestAttachConcurrently(t *testing.T) {
	for _, tt := range registries {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := tt.start(t)
			ref, digest := pushImage(t, r)
			signer := newSigner(t)
			const writers = 6
			var wg sync.WaitGroup
			errs := make([]error, writers)
			for i := range writers {
				e := envelope(t, signer, digest, strings.Repeat("x", i+1))
				wg.Go(func() { _, errs[i] = attest.Attach(t.Context(), ref, attest.AttachOptions{}, e) })
			}
			wg.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			found := discover(t, attest.FromRegistry(r.Ref("app"), image.Registry{}), digest)
			if found.Bundle.Len() != writers || len(found.Faults) != 0 {
				t.Errorf("found %d envelopes of %d writers, faults %v", found.Bundle.Len(), writers, found.Faults)
			}
		})
	}
}

// What another program keeps under the tag is not overwritten.
func TestAttachForeignTag(t *testing.T) {
	r := testregistry.InProcess(t, testregistry.Options{NoReferrers: true})
	ref, digest := pushImage(t, r)
	put := func(tag, mediaType, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "PUT", r.URL+"/v2/app/manifests/"+tag, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", mediaType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 201 {
			t.Fatal(resp.Status)
		}
	}
	tag := "sha256-" + digest.Hex()
	put(tag, "application/vnd.oci.image.manifest.v1+json", `{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:`+strings.Repeat("0", 64)+`","size":1},"layers":[]}`)
	e := envelope(t, newSigner(t), digest, "a")
	if _, err := attest.Attach(t.Context(), ref, attest.AttachOptions{}, e); !errors.Is(err, assay.ErrInvalid) {
		t.Fatalf("got %v, want %v", err, assay.ErrInvalid)
	}

	// An entry with members that are not known here keeps them.
	put("sha256:"+strings.Repeat("0", 64), "application/x", "{}")
	entry := `{"mediaType":"application/x","digest":"sha256:` + strings.Repeat("1", 64) + `","size":2,"urls":["https://e.example"],"x":1}`
	put(tag, "application/vnd.oci.image.index.v1+json", `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[`+entry+`]}`)
	if _, err := attest.Attach(t.Context(), ref, attest.AttachOptions{}, e); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(r.URL + "/v2/app/manifests/" + tag)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), entry) {
		t.Errorf("the tag has %s, %v; want the entry %s", body, err, entry)
	}
}

func TestAttachCreated(t *testing.T) {
	r := testregistry.InProcess(t, testregistry.Options{})
	ref, digest := pushImage(t, r)
	e := envelope(t, newSigner(t), digest, "a")
	manifest := func(o attest.AttachOptions) assay.Digest {
		t.Helper()
		a, err := attest.Attach(t.Context(), ref, o, e)
		if err != nil {
			t.Fatal(err)
		}
		return a.Referrers[0].Manifest
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	if a, b := manifest(attest.AttachOptions{}), manifest(attest.AttachOptions{Created: time.Unix(1700000000, 0)}); a != b {
		t.Errorf("SOURCE_DATE_EPOCH gives %s, the same time as an option %s", a, b)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "today")
	if _, err := attest.Attach(t.Context(), ref, attest.AttachOptions{}, e); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "today") {
		t.Errorf("got %v", err)
	}
}

func TestAttachGivesUp(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	_, digest := pushImage(t, back)
	r := testregistry.Front(t, back, testregistry.Fault{Method: "PUT", Path: "/manifests/", Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := attest.Attach(ctx, r.Ref("app@"+digest.String()), attest.AttachOptions{}, envelope(t, newSigner(t), digest, "a"))
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, assay.ErrUnchecked) {
		t.Fatalf("got %v", err)
	}
}
