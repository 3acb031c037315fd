package attest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

// pushEverything puts an index with one platform into a registry, and evidence about
// both in each kind of store.
func pushEverything(t testing.TB, r *testregistry.Registry) assay.Digest {
	t.Helper()
	digestOf := func(h v1.Hash, err error) assay.Digest {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return assay.MustDigest(h.String())
	}
	layer := func(body, mediaType string, annotations map[string]string) v1.Image {
		t.Helper()
		img, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
			Layer: static.NewLayer([]byte(body), types.MediaType(mediaType)), Annotations: annotations, MediaType: types.MediaType(mediaType)})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	img := must(random.Image(64, 1))
	image := digestOf(img.Digest())
	statement := `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[{"name":"_","digest":{"sha256":"` + image.Hex() + `"}}],"predicate":{}}`
	idx := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: layer(statement, assay.MediaTypeInToto, nil), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.String()}}})
	top := digestOf(idx.Digest())
	if err := remote.WriteIndex(mustRef(t, r.Ref("app:v1")), idx); err != nil {
		t.Fatal(err)
	}
	signer := newSigner(t)
	for _, d := range []assay.Digest{top, image} {
		tag := r.Ref("app:sha256-" + d.Hex())
		if err := remote.Write(mustRef(t, tag+".att"), layer(string(envelope(t, signer, d, "att").Raw()), bundleType, nil)); err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(mustRef(t, tag+".sig"), layer(`{"critical":{"image":{"docker-manifest-digest":"`+d.String()+`"}}}`, assay.MediaTypeSimpleSigning,
			map[string]string{assay.AnnotationSignature: "AA=="})); err != nil {
			t.Fatal(err)
		}
		if _, err := attest.Attach(t.Context(), r.Ref("app@"+d.String()), attest.AttachOptions{}, envelope(t, signer, d, "referrer")); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// everything is what pushEverything put there: the envelopes by subject.
func everything(found *attest.Found) map[string][]string {
	out := map[string][]string{}
	var walk func(b *assay.Bundle)
	walk = func(b *assay.Bundle) {
		for e := range b.Envelopes() {
			out[b.Subject().String()] = append(out[b.Subject().String()], e.Digest().String())
		}
		for p := range b.Platforms() {
			walk(p.Bundle)
		}
	}
	walk(found.Bundle)
	return out
}

// Whatever goes wrong, with whichever request, once or for good: either everything is
// found all the same, or the report says that something could not be read. It never
// says that less is there than is, and it comes in time.
func TestAnyFaultAtAnyRequest(t *testing.T) {
	replace := func(s string) func([]byte) []byte { return func([]byte) []byte { return []byte(s) } }
	retry := map[string]string{"Retry-After": "0"}
	type kind struct {
		name  string
		fault testregistry.Fault
		heals bool // if it happens once
	}
	faults := []kind{
		{"401", testregistry.Fault{Status: 401}, false},
		{"403", testregistry.Fault{Status: 403}, false},
		{"429", testregistry.Fault{Status: 429}, true},
		{"429 with Retry-After", testregistry.Fault{Status: 429, Header: retry}, true},
		{"429 until tomorrow", testregistry.Fault{Status: 429, Header: map[string]string{"Retry-After": "86400"}}, false},
		{"500", testregistry.Fault{Status: 500}, true},
		{"503 with Retry-After", testregistry.Fault{Status: 503, Header: retry}, true},
		{"302 to nowhere", testregistry.Fault{Status: 302, Header: map[string]string{"Location": "http://127.0.0.1:1/"}}, false},
		{"truncated", testregistry.Fault{Truncate: 10}, true},
		{"corrupt", testregistry.Fault{Corrupt: true}, false},
		{"nothing", testregistry.Fault{Rewrite: replace("")}, false},
		{"null", testregistry.Fault{Rewrite: replace("null")}, false},
		{"another object", testregistry.Fault{Rewrite: replace(`{"schemaVersion":2,"manifests":[{}]}`)}, false},
		{"a member twice", testregistry.Fault{Rewrite: func(b []byte) []byte { return append([]byte(`{"schemaVersion":2,"schemaVersion":2,`), b[1:]...) }}, false},
		{"endless", testregistry.Fault{Rewrite: func(b []byte) []byte { return append(b, make([]byte, 5<<20)...) }}, false},
		{"dropped", testregistry.Fault{Drop: true}, true},
		{"no answer", testregistry.Fault{Hang: true}, false},
		{"no end", testregistry.Fault{Stall: 10}, false},
	}
	for i, registry := range registries {
		faults := faults
		if i > 0 {
			faults = slices.DeleteFunc(slices.Clone(faults), func(f kind) bool {
				return !slices.Contains([]string{"403", "429 with Retry-After", "500", "truncated", "corrupt", "no answer"}, f.name)
			})
		}
		t.Run(registry.name, func(t *testing.T) {
			back := registry.start(t)
			digest := pushEverything(t, back)
			front := testregistry.Front(t, back)
			clean := discover(t, attest.FromRegistry(front.Ref("app"), image.Registry{}), digest)
			want := everything(clean)
			count := 0
			for _, list := range want {
				count += len(list)
			}
			if count != 7 || !clean.Complete() {
				t.Fatalf("without a fault: %d envelopes, %v", count, clean.Faults)
			}
			var paths []string
			absent := map[string]bool{} // where a 404 is right
			for _, q := range front.Requests() {
				paths = append(paths, q.Path)
				absent[q.Path] = status(t, back.URL+q.Path) == 404
			}
			try := func(t *testing.T, path string, fault testregistry.Fault, heals bool, what string) {
				fault.Path = "^" + regexp.QuoteMeta(path) + "$"
				reach := image.Registry{Retries: 1, Backoff: time.Millisecond}
				if fault.Hang || fault.Stall > 0 {
					reach.HeaderTimeout, reach.Timeout = 300*time.Millisecond, 500*time.Millisecond
				}
				r := testregistry.Front(t, back, fault)
				start := time.Now()
				found := discover(t, attest.FromRegistry(r.Ref("app"), reach), digest)
				took := time.Since(start)
				same := cmp.Equal(want, everything(found))
				switch {
				case found.Complete() && !same:
					t.Errorf("%s: complete, and not all is there", what)
				case heals && fault.Times == 1 && (!same || !found.Complete()):
					t.Errorf("%s: a fault that heals: %v", what, found.Faults)
				case fault.Times == 0 && fault.Status != 0 && found.Complete() && !(fault.Status == 401 && path == "/v2/"):
					t.Errorf("%s: nobody noticed", what)
				case took > time.Minute:
					t.Errorf("%s: took %s", what, took)
				}
			}
			for _, path := range slices.Compact(slices.Sorted(slices.Values(paths))) {
				t.Run(path, func(t *testing.T) {
					var all sync.WaitGroup
					defer all.Wait()
					slots := make(chan struct{}, 8)
					for _, f := range faults {
						// The handshake, and what is not there, have no body to spoil.
						if (path == "/v2/" || absent[path]) && f.fault.Status == 0 && !f.fault.Hang && !f.fault.Drop {
							continue
						}
						for _, times := range []int{0, 1} {
							if times == 1 && (f.fault.Hang || f.fault.Stall > 0) {
								continue // not repeated, so once is for good
							}
							fault := f.fault
							fault.Times = times
							slots <- struct{}{}
							all.Go(func() {
								defer func() { <-slots }()
								try(t, path, fault, f.heals, fmt.Sprintf("%s (times %d)", f.name, times))
							})
						}
					}
				})
			}
		})
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Whoever gives no deadline gets an answer all the same.
func TestTimeIsBounded(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	digest := pushEverything(t, back)
	for name, fault := range map[string]testregistry.Fault{"hang": {Path: "/(manifests|blobs|referrers)/", Hang: true}, "stall": {Path: "/(manifests|blobs|referrers)/", Stall: 1}} {
		t.Run(name, func(t *testing.T) {
			r := testregistry.Front(t, back, fault)
			start := time.Now()
			found := discover(t, attest.FromRegistry(r.Ref("app"), image.Registry{}).WithLimits(attest.Limits{Time: 200 * time.Millisecond}), digest)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if found.Complete() || !strings.Contains(found.Err().Error(), "discovery took longer than 200ms") {
				t.Errorf("faults %v", found.Faults)
			}
		})
	}
	// What could not be begun any more is one fault and not thousands.
	list := make([]string, 5000)
	for i := range list {
		list[i] = fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%064x","size":1,"artifactType":%q}`, i, bundleType)
	}
	repo := scripted(t, map[string]string{"/referrers/" + digestA.String(): index(list...), "/manifests/" + digestA.String(): layered()}, func(_ http.ResponseWriter, r *http.Request) {})
	// The time is over once it has begun with them, however long that took.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	front := slow(t, repo, "/manifests/sha256:000", cancel)
	found, err := attest.FromRegistry(front, fast).Discover(ctx, digestA)
	if err != nil || found.Complete() || len(found.Faults) > 100 || !strings.Contains(found.Err().Error(), "were not read") {
		t.Errorf("%d faults, %v", len(found.Faults), err)
	}
}

// slow is a registry before another that answers some paths only when asked to stop,
// and says when it is asked for one of them.
func slow(t *testing.T, repo, path string, asked func()) string {
	t.Helper()
	host, rest, _ := strings.Cut(repo, "/")
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, path) {
			asked()
			<-r.Context().Done()
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://") + "/" + rest
}

// A list of referrers that has no end: another page always, and nothing in them.
func TestEndlessPages(t *testing.T) {
	var pages atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/referrers/") {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(404)
			}
			return
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		w.Header().Set("Link", fmt.Sprintf(`<%s?n=%d>; rel="next"`, r.URL.Path, pages.Add(1)))
		fmt.Fprint(w, index())
	}))
	defer s.Close()
	found := discover(t, attest.FromRegistry(strings.TrimPrefix(s.URL, "http://")+"/app", fast), digestA)
	if found.Complete() || !strings.Contains(found.Err().Error(), "at most 1000 pages") {
		t.Errorf("faults %v", found.Faults)
	}
	if n := pages.Load(); n > 1001 {
		t.Errorf("%d pages", n)
	}
}

// A registry that gives tokens, which end: the third request with one is refused.
func TestTokens(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	digest := pushEverything(t, back)
	target := must(url.Parse(back.URL))
	pass := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	left := map[string]int{}
	given, refused := 0, 0
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/token" {
			if user, password, ok := r.BasicAuth(); !ok || user != "dev" || password != "s3cret" || r.URL.Query().Get("scope") != "repository:app:pull" {
				w.WriteHeader(401)
				return
			}
			given++
			token := fmt.Sprint("token", given)
			left[token] = 3
			_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
			return
		}
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if left[token] == 0 {
			refused++
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/token",service="test",scope="repository:app:pull"`)
			w.WriteHeader(401)
			return
		}
		left[token]--
		pass.ServeHTTP(w, r)
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	want := everything(discover(t, attest.FromRegistry(back.Ref("app"), fast), digest))
	keychain := fixed{host, authn.AuthConfig{Username: "dev", Password: "s3cret"}}
	found := discover(t, attest.FromRegistry(host+"/app", image.Registry{Keychain: keychain}).WithLimits(attest.Limits{Concurrency: 1}), digest)
	if !found.Complete() || !cmp.Equal(want, everything(found)) {
		t.Errorf("faults %v", found.Faults)
	}
	mu.Lock()
	t.Logf("%d tokens, %d requests refused", given, refused)
	mu.Unlock()
	// Without credentials nothing is found, and nothing is called absent.
	found = discover(t, attest.FromRegistry(host+"/app", image.Registry{Keychain: authn.NewMultiKeychain()}), digest)
	if found.Complete() || found.Bundle.Len() != 0 {
		t.Errorf("faults %v", found.Faults)
	}
}

type fixed struct {
	host string
	auth authn.AuthConfig
}

func (f fixed) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() != f.host {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(f.auth), nil
}

// A registry that answers differently the second time gets no second time.
func TestSecondAnswer(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	digest := pushEverything(t, back)
	want := everything(discover(t, attest.FromRegistry(back.Ref("app"), fast), digest))
	r := testregistry.Front(t, back, testregistry.Fault{Path: "/(manifests|blobs)/", After: 100, Corrupt: true})
	for range 2 {
		found := discover(t, attest.FromRegistry(r.Ref("app"), fast), digest)
		if !found.Complete() || !cmp.Equal(want, everything(found)) {
			t.Errorf("faults %v", found.Faults)
		}
	}
	paths := map[string]int{}
	for _, q := range r.Requests() {
		paths[q.Path]++
	}
	for p, n := range paths {
		if n != 2 {
			t.Errorf("%s: %d times in two calls", p, n)
		}
	}
}
