package attest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

// fast repeats requests without waiting long.
var fast = image.Registry{Backoff: time.Millisecond, Retries: 1}

func TestDiscoverFaults(t *testing.T) {
	status := func(path string, code int) testregistry.Fault {
		return testregistry.Fault{Method: "GET", Path: path, Status: code}
	}
	body := func(path, body string) testregistry.Fault {
		return testregistry.Fault{Method: "GET", Path: path, Rewrite: func([]byte) []byte { return []byte(body) }}
	}
	api, tag, blob := testregistry.Options{}, testregistry.Options{NoReferrers: true}, "/blobs/"
	tests := []struct {
		name    string
		options testregistry.Options
		fault   testregistry.Fault
		status  int
		kind    error
		says    string
	}{
		{"API 401", api, status("/referrers/", 401), 401, assay.ErrUnchecked, "referrers"},
		{"API 403", api, status("/referrers/", 403), 403, assay.ErrUnchecked, "referrers"},
		{"API 429", api, status("/referrers/", 429), 429, assay.ErrUnchecked, "referrers"},
		{"API 500", api, status("/referrers/", 500), 500, assay.ErrUnchecked, "referrers"},
		{"API 503", api, status("/referrers/", 503), 503, assay.ErrUnchecked, "referrers"},
		{"API truncated", api, testregistry.Fault{Method: "GET", Path: "/referrers/", Truncate: 20}, 0, assay.ErrUnchecked, "referrers"},
		{"API not JSON", api, body("/referrers/", `{"schemaVersion":2,"manifests":[`), 0, assay.ErrInvalid, "read JSON"},
		{"API a member twice", api, body("/referrers/", `{"schemaVersion":2,"manifests":[],"manifests":[]}`), 0, assay.ErrInvalid, "manifests"},
		{"API both kinds", api, body("/referrers/", `{"schemaVersion":2,"manifests":[],"layers":[]}`), 0, assay.ErrInvalid, "not both"},
		{"API a bad digest", api, body("/referrers/", `{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x","size":1}]}`), 0, assay.ErrInvalid, "/manifests/0/digest"},
		{"API null", api, body("/referrers/", `null`), 0, assay.ErrInvalid, "schemaVersion"},
		{"tag 401", tag, status("/manifests/sha256-", 401), 401, assay.ErrUnchecked, "sha256-"},
		{"tag 500", tag, status("/manifests/sha256-", 500), 500, assay.ErrUnchecked, "sha256-"},
		{"tag is an image", tag, body("/manifests/sha256-", `{"schemaVersion":2,"config":{},"layers":[]}`), 0, assay.ErrInvalid, "/manifests"},
		{"artifact gone", api, status("/manifests/sha256:", 404), 404, assay.ErrUnchecked, "read what is listed"},
		{"artifact 429", api, status("/manifests/sha256:", 429), 429, assay.ErrUnchecked, "429"},
		{"artifact changed", api, testregistry.Fault{Method: "GET", Path: "/manifests/sha256:", Corrupt: true}, 0, assay.ErrRefuted, "digest"},
		{"blob 404", api, status(blob, 404), 404, assay.ErrUnchecked, "read what is listed"},
		{"blob 403", api, status(blob, 403), 403, assay.ErrUnchecked, blob},
		{"blob changed", api, testregistry.Fault{Method: "GET", Path: blob, Corrupt: true}, 0, assay.ErrRefuted, "digest"},
		{"blob longer", api, testregistry.Fault{Method: "GET", Path: blob, Rewrite: func(b []byte) []byte { return append(b, ' ') }}, 0, assay.ErrRefuted, "size"},
		{"blob shorter", api, testregistry.Fault{Method: "GET", Path: blob, Rewrite: func(b []byte) []byte { return b[1:] }}, 0, assay.ErrRefuted, "size"},
		{"blob truncated", api, testregistry.Fault{Method: "GET", Path: blob, Truncate: 10}, 0, assay.ErrUnchecked, blob},
		{"connect 503", api, testregistry.Fault{Method: "GET", Path: "^/v2/$", Status: 503}, 503, assay.ErrUnchecked, "connect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			back := testregistry.InProcess(t, tt.options)
			ref, digest := pushImage(t, back)
			if _, err := attest.Attach(t.Context(), ref, attest.AttachOptions{}, envelope(t, newSigner(t), digest, "a")); err != nil {
				t.Fatal(err)
			}
			r := testregistry.Front(t, back, tt.fault)
			found := discover(t, attest.FromRegistry(r.Ref("app"), fast), digest)
			if found.Complete() || found.Err() == nil {
				t.Fatalf("complete, with %d envelopes and faults %v", found.Bundle.Len(), found.Faults)
			}
			if found.Bundle.Len() != 0 {
				t.Errorf("found %d envelopes", found.Bundle.Len())
			}
			f := found.Faults[0]
			for _, x := range found.Faults {
				if strings.Contains(x.Err.Error(), tt.says) {
					f = x
				}
			}
			if f.Store != r.Ref("app") || f.Status != tt.status || f.Kind != attest.Unreadable || !errors.Is(f.Err, tt.kind) || !strings.Contains(f.Err.Error(), tt.says) {
				t.Errorf("fault %+v (%v), want status %d, %v that says %s", f, f.Err, tt.status, tt.kind, tt.says)
			}
			if errors.Is(f.Err, assay.ErrAbsent) {
				t.Errorf("unreadable is called absent: %v", f.Err)
			}
		})
	}
}

// Nothing attached is absent, and complete.
func TestDiscoverAbsent(t *testing.T) {
	for _, tt := range registries {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.start(t)
			_, digest := pushImage(t, r)
			found := discover(t, attest.FromRegistry(r.Ref("app:latest"), image.Registry{}), digest)
			if !found.Complete() || found.Err() != nil || len(found.Faults) != 1 || found.Faults[0].Kind != attest.Absent || !errors.Is(found.Faults[0].Err, assay.ErrAbsent) {
				t.Errorf("faults %v", found.Faults)
			}
			// Not even the image is there.
			found = discover(t, attest.FromRegistry(r.Ref("app"), image.Registry{}), digestA)
			if !found.Complete() || len(found.Faults) != 2 || found.Faults[1].Status != 404 {
				t.Errorf("faults %v", found.Faults)
			}
		})
	}
}

func TestDiscoverHangs(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	_, digest := pushImage(t, back)
	for _, path := range []string{"/v2/$", "/referrers/", "/manifests/"} {
		t.Run(path, func(t *testing.T) {
			r := testregistry.Front(t, back, testregistry.Fault{Path: path, Hang: true})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			found, err := attest.FromRegistry(r.Ref("app"), fast).Discover(ctx, digest)
			if err != nil {
				t.Fatal(err)
			}
			if found.Complete() || !errors.Is(found.Err(), context.DeadlineExceeded) || !errors.Is(found.Err(), assay.ErrUnchecked) {
				t.Errorf("faults %v", found.Faults)
			}
		})
	}
}

func TestDiscoverRefusesQuestion(t *testing.T) {
	if _, err := attest.FromRegistry("registry.example/app", image.Registry{}).Discover(t.Context(), assay.Digest{}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("no digest: %v", err)
	}
	if _, err := attest.FromRegistry("Not A Name", image.Registry{}).Discover(t.Context(), digestA); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("no repository: %v", err)
	}
}

// scripted is a registry of fixed answers by path.
func scripted(t testing.TB, answers map[string]string, header func(http.ResponseWriter, *http.Request)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		body, ok := answers[strings.TrimPrefix(r.URL.RequestURI(), "/v2/app")]
		if !ok {
			w.WriteHeader(404)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		if strings.Contains(body, `"layers"`) {
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		}
		if header != nil {
			header(w, r)
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://") + "/app"
}

func entry(body, artifactType string) string {
	d := assay.NewEnvelope("", []byte(body)).Digest()
	return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":%d,"artifactType":%q}`, d, len(body), artifactType)
}

func index(entries ...string) string {
	return `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + strings.Join(entries, ",") + `]}`
}

func at(body string) string { return assay.NewEnvelope("", []byte(body)).Digest().String() }

func artifactJSON(subject, artifactType, layerType, blob string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"artifactType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":%q,"digest":%q,"size":%d}],"subject":{"mediaType":"x","digest":%q,"size":1}}`,
		artifactType, layerType, at(blob), len(blob), subject)
}

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

func TestDiscoverPages(t *testing.T) {
	var pages []string
	answers := map[string]string{"/manifests/" + digestA.String(): "x"}
	for i := range 3 {
		blob := fmt.Sprintf(`{"n":%d}`, i)
		m := artifactJSON(digestA.String(), bundleType, bundleType, blob)
		answers["/manifests/"+at(m)], answers["/blobs/"+at(blob)] = m, blob
		pages = append(pages, index(entry(m, bundleType)))
	}
	list := "/referrers/" + digestA.String()
	answers[list], answers[list+"?p=1"], answers[list+"?p=2"] = pages[0], pages[1], pages[2]
	next := map[string]string{list: list + "?p=1", list + "?p=1": list + "?p=2"}
	link := func(w http.ResponseWriter, r *http.Request) {
		if n := next[strings.TrimPrefix(r.URL.RequestURI(), "/v2/app")]; n != "" {
			if strings.HasPrefix(n, "/") {
				n = "/v2/app" + n
			}
			w.Header().Add("Link", "<"+n+`>; rel="next"`)
		}
	}
	repo := scripted(t, answers, link)
	if found := discover(t, attest.FromRegistry(repo, fast), digestA); found.Bundle.Len() != 3 {
		t.Errorf("found %d envelopes on 3 pages, faults %v", found.Bundle.Len(), found.Faults)
	}
	for _, tt := range []struct{ name, next, says string }{
		{"a page again", list + "?p=1", "a page that was not read yet"},
		{"another host", "http://evil.example/x", "evil.example"},
		{"no URL", "http://[::1", "a URL of"},
	} {
		next[list+"?p=1"] = tt.next
		found := discover(t, attest.FromRegistry(repo, fast), digestA)
		if found.Bundle.Len() != 2 || found.Complete() || !strings.Contains(found.Err().Error(), tt.says) {
			t.Errorf("%s: %d envelopes, %v", tt.name, found.Bundle.Len(), found.Err())
		}
	}
	next[list+"?p=1"] = list + "?p=404"
	if found := discover(t, attest.FromRegistry(repo, fast), digestA); found.Complete() {
		t.Error("a page that is not there is taken for the end")
	}
}

func TestDiscoverWhatIsAttached(t *testing.T) {
	list := "/referrers/" + digestA.String()
	answers := map[string]string{}
	var entries []string
	add := func(listed, m, blob string) {
		answers["/manifests/"+at(m)], answers["/blobs/"+at(blob)] = m, blob
		entries = append(entries, entry(m, listed))
	}
	subject := digestA.String()
	add("", artifactJSON(subject, bundleType, bundleType, "{}"), "{}")
	add("application/vnd.oci.empty.v1+json", artifactJSON(subject, "", assay.MediaTypeDSSE, `{"dsse":1}`), `{"dsse":1}`)
	add(assay.MediaTypeInToto, artifactJSON(subject, assay.MediaTypeInToto, assay.MediaTypeInToto, `{"intoto":1}`), `{"intoto":1}`)
	add("application/vnd.example.sbom", artifactJSON(subject, "application/vnd.example.sbom", "text/plain", "a"), "a")
	add("application/vnd.example.sbom", artifactJSON(subject, "application/vnd.example.sbom", "text/plain", "b"), "b")
	add("", artifactJSON(subject, "application/vnd.example.hidden", "text/plain", "c"), "c")
	foreign := artifactJSON(digestB.String(), bundleType, bundleType, `{"foreign":1}`)
	add(bundleType, foreign, `{"foreign":1}`)
	answers[list] = index(entries...)
	repo := scripted(t, answers, nil)
	found := discover(t, attest.FromRegistry(repo, fast), digestA)
	var types []string
	for e := range found.Bundle.Envelopes() {
		types = append(types, e.MediaType())
	}
	if diff := cmp.Diff(3, len(types)); diff != "" {
		t.Errorf("envelopes %v (-want +got):\n%s", types, diff)
	}
	want := []attest.Ignored{{Store: repo, Type: "application/vnd.example.hidden", Count: 1}, {Store: repo, Type: "application/vnd.example.sbom", Count: 2}}
	if diff := cmp.Diff(want, found.Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
	if err := found.Err(); !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), "/subject/digest") || !strings.Contains(err.Error(), digestB.String()) {
		t.Errorf("another subject: %v", err)
	}
}

// Which envelopes fit into a budget does not depend on which answer comes first.
func TestDiscoverBudgetIsDeterministic(t *testing.T) {
	answers := map[string]string{}
	var entries []string
	for i := range 40 {
		blob := fmt.Sprintf(`{"n":%d}`, 1000+i)
		m := artifactJSON(digestA.String(), bundleType, bundleType, blob)
		answers["/manifests/"+at(m)], answers["/blobs/"+at(blob)] = m, blob
		entries = append(entries, entry(m, bundleType))
	}
	answers["/referrers/"+digestA.String()] = index(entries...)
	source := attest.FromRegistry(scripted(t, answers, nil), fast).WithLimits(attest.Limits{TotalBytes: 5 * 10})
	var want []assay.Digest
	for range 10 {
		found := discover(t, source, digestA)
		var got []assay.Digest
		for e := range found.Bundle.Envelopes() {
			got = append(got, e.Digest())
		}
		if want == nil {
			want = got
		}
		if len(got) != 5 || !slices.Equal(got, want) || !errors.Is(found.Err(), assay.ErrBound) {
			t.Fatalf("%d envelopes, %d faults: %v, before %v", len(got), len(found.Faults), got, want)
		}
	}
}

// A flood of referrers, and sizes that lie, cost a bounded amount.
func TestDiscoverBounds(t *testing.T) {
	list := "/referrers/" + digestA.String()
	entries := make([]string, 100_000)
	for i := range entries {
		entries[i] = fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%064x","size":1,"artifactType":"text/x"}`, i)
	}
	repo := scripted(t, map[string]string{list: index(entries...)}, nil)
	start := time.Now()
	found := discover(t, attest.FromRegistry(repo, fast), digestA)
	if err := found.Err(); !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "at most 10000") {
		t.Errorf("got %v", err)
	}
	if n := found.Ignored[0].Count; n != attest.DefaultReferrers {
		t.Errorf("read %d entries", n)
	}
	t.Logf("100,000 referrers took %s", time.Since(start))

	m := strings.Replace(artifactJSON(digestA.String(), bundleType, bundleType, "{}"), `"size":2}],"subject"`, `"size":1000000000000}],"subject"`, 1)
	repo = scripted(t, map[string]string{list: index(entry(m, bundleType)), "/manifests/" + at(m): m, "/blobs/" + at("{}"): "{}"}, nil)
	if err := discover(t, attest.FromRegistry(repo, fast), digestA).Err(); !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "1000000000000") {
		t.Errorf("a large envelope: %v", err)
	}
	m = artifactJSON(digestA.String(), bundleType, bundleType, "{}")
	repo = scripted(t, map[string]string{list: index(entry(m, bundleType)), "/manifests/" + at(m): m, "/blobs/" + at("{}"): "{}"}, nil)
	if err := discover(t, attest.FromRegistry(repo, fast).WithLimits(attest.Limits{TotalBytes: 1}), digestA).Err(); !errors.Is(err, assay.ErrBound) {
		t.Errorf("total size: %v", err)
	}
	// An index in itself has no end... as far as digests allow; depth has one.
	inner := `{"schemaVersion":2,"manifests":[]}`
	answers := map[string]string{}
	for range 6 {
		answers["/manifests/"+at(inner)] = inner
		inner = index(strings.Replace(entry(inner, ""), "manifest.v1", "index.v1", 1))
	}
	answers["/manifests/"+at(inner)] = inner
	repo = scripted(t, answers, nil)
	if err := discover(t, attest.FromRegistry(repo, fast), assay.MustDigest(at(inner))).Err(); !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "an index in 3 others") {
		t.Errorf("depth: %v", err)
	}
}

// Both lists are read: an artifact may be in either.
func TestDiscoverMergesLists(t *testing.T) {
	old, fresh := artifactJSON(digestA.String(), bundleType, bundleType, `{"old":1}`), artifactJSON(digestA.String(), bundleType, bundleType, `{"new":1}`)
	repo := scripted(t, map[string]string{
		"/referrers/" + digestA.String():       index(entry(fresh, bundleType)),
		"/manifests/sha256-" + digestA.Hex():   index(entry(old, bundleType), entry(fresh, "text/x")),
		"/manifests/" + at(old):                old,
		"/manifests/" + at(fresh):              fresh,
		"/blobs/" + at(`{"old":1}`):            `{"old":1}`,
		"/blobs/" + at(`{"new":1}`):            `{"new":1}`,
		"/manifests/" + digestB.String() + "?": "",
	}, nil)
	if found := discover(t, attest.FromRegistry(repo, fast), digestA); found.Bundle.Len() != 2 || len(found.Ignored) != 0 {
		t.Errorf("found %d, ignored %v, faults %v", found.Bundle.Len(), found.Ignored, found.Faults)
	}
}

func TestRegistryImage(t *testing.T) {
	r := testregistry.InProcess(t, testregistry.Options{})
	_, digest := pushImage(t, r)
	src := attest.FromRegistry(r.Ref("app"), fast)
	img, err := src.Image(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := img.Digest(); err != nil || h.String() != digest.String() {
		t.Errorf("image %s, %v", h, err)
	}
	if _, err := src.Image(t.Context(), digestA); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("got %v, want %v", err, assay.ErrAbsent)
	}
	p := testregistry.Front(t, r, testregistry.Fault{Path: "/manifests/", Status: 403})
	if _, err := attest.FromRegistry(p.Ref("app"), fast).Image(t.Context(), digest); !errors.Is(err, assay.ErrUnchecked) || errors.Is(err, assay.ErrAbsent) || !strings.Contains(err.Error(), "403") {
		t.Errorf("got %v, want %v", err, assay.ErrUnchecked)
	}

	joined := attest.Join(attest.FromEnvelopes(), attest.FromImage(img), attest.FromRegistry(p.Ref("app"), fast))
	if _, err := joined.Image(t.Context(), digest); err != nil {
		t.Error(err)
	}
	if _, err := joined.Image(t.Context(), digestA); !errors.Is(err, assay.ErrUnchecked) || errors.Is(err, assay.ErrAbsent) {
		t.Errorf("one source could not be read: %v", err)
	}
	if _, err := attest.Join(attest.FromImage(img), src).Image(t.Context(), digestA); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("both sources were read: %v", err)
	}
	if _, err := attest.Join().Image(t.Context(), digestA); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("nothing was asked: %v", err)
	}
}
