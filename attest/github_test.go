package attest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

// github answers as the attestations API does.
type github struct {
	*httptest.Server
	t      testing.TB
	pages  [][]string // entries of each page, of JSON
	exists bool
	status map[string]int    // by path
	blobs  map[string][]byte // of bundle URLs
	link   func(page int) string

	mu     sync.Mutex // blobs are asked for at once
	tokens []string   // that came with requests of blobs
}

func newGitHub(t testing.TB) *github {
	g := &github{t: t, exists: true, status: map[string]int{}, blobs: map[string][]byte{}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *github) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if body, ok := g.blobs[r.URL.Path]; ok {
		g.mu.Lock()
		g.tokens = append(g.tokens, r.Header.Get("Authorization"))
		g.mu.Unlock()
		_, _ = w.Write(body)
		return
	}
	if code := g.status[r.URL.Path]; code != 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(code)
		return
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer s3cret-token":
		w.WriteHeader(404)
	case r.URL.Path == "/api/v3/repos/octo/app" && g.exists:
		fmt.Fprint(w, `{"id":1}`)
	case r.URL.Path == "/api/v3/repos/octo/app/attestations/"+digestA.String() && len(g.pages) > 0:
		page, _ := strconv.Atoi(r.URL.Query().Get("after"))
		if g.link != nil {
			w.Header().Set("Link", g.link(page))
		} else if page+1 < len(g.pages) {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?before=x&per_page=100>; rel="prev", <%s%s?per_page=100&after=%d>; rel="next"`, g.URL, r.URL.Path, g.URL, r.URL.Path, page+1))
		}
		fmt.Fprint(w, `{"attestations":[`+strings.Join(g.pages[page], ",")+`]}`)
	default:
		w.WriteHeader(404)
	}
}

func (g *github) source() *attest.GitHubSource {
	return attest.FromGitHub(g.URL+"/api/v3", "repos/octo/app", attest.GitHubOptions{Token: "s3cret-token"})
}

func inline(e assay.Envelope) string {
	return `{"bundle":` + string(e.Raw()) + `,"repository_id":1,"bundle_url":"https://elsewhere.example/x"}`
}

func linked(url string) string { return `{"bundle":null,"repository_id":1,"bundle_url":"` + url + `"}` }

// Bundles on all pages are found, those in the list and those beside it.
func TestGitHub(t *testing.T) {
	g := newGitHub(t)
	s := newSigner(t)
	a, b, c, d := envelope(t, s, digestA, "a"), envelope(t, s, digestA, "b"), envelope(t, s, digestA, "c"), envelope(t, s, digestB, "d")
	g.blobs["/store/b"] = snappy.Encode(nil, b.Raw())
	g.blobs["/store/c"] = c.Raw()
	g.pages = [][]string{{inline(a), linked(g.URL + "/store/b")}, {linked(g.URL + "/store/c")}, {inline(a), inline(d)}}
	found := discover(t, g.source(), digestA)
	if diff := cmp.Diff(sortedDigests(a, b, c, d), digests(found.Bundle), sameDigest); diff != "" || !found.Complete() {
		t.Errorf("faults %v (-want +got):\n%s", found.Faults, diff)
	}
	for e := range found.Bundle.Envelopes() {
		if e.MediaType() != assay.MediaTypeSigstoreBundle || !slices.Equal(e.Sources(), []string{g.URL + "/api/v3/repos/octo/app/attestations/" + digestA.String()}) {
			t.Errorf("%s in %v", e.MediaType(), e.Sources())
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Equal(g.tokens, []string{"", ""}) {
		t.Errorf("the store was sent %q", g.tokens)
	}
}

// Absent is only what GitHub says is not there, and lets us look at.
func TestGitHubAbsent(t *testing.T) {
	g := newGitHub(t)
	if found := discover(t, g.source(), digestA); !found.Complete() || len(found.Faults) != 1 || !errors.Is(found.Faults[0].Err, assay.ErrAbsent) {
		t.Errorf("none: faults %v", found.Faults)
	}
	g.pages = [][]string{{}}
	if found := discover(t, g.source(), digestA); !found.Complete() || len(found.Faults) != 1 {
		t.Errorf("an empty list: faults %v", found.Faults)
	}
	g.pages, g.exists = nil, false
	if found := discover(t, g.source(), digestA); found.Complete() || !strings.Contains(found.Err().Error(), "the token may read") || found.Faults[0].Status != 404 {
		t.Errorf("a repository that may not be seen: faults %v", found.Faults)
	}
	g.exists = true
	found := discover(t, attest.FromGitHub(g.URL+"/api/v3", "repos/octo/app", attest.GitHubOptions{Token: "another"}), digestA)
	if found.Complete() || strings.Contains(found.Err().Error(), "another") {
		t.Errorf("a wrong token: faults %v", found.Faults)
	}
	if found := discover(t, g.source(), assay.MustDigest("sha512:"+strings.Repeat("a", 128))); found.Complete() {
		t.Errorf("sha512: faults %v", found.Faults)
	}
}

func TestGitHubFaults(t *testing.T) {
	s := newSigner(t)
	a := envelope(t, s, digestA, "a")
	list := "/api/v3/repos/octo/app/attestations/" + digestA.String()
	for _, tt := range []struct {
		name   string
		change func(g *github)
		finds  int
		kind   error
		says   string
		status int
	}{
		{"403", func(g *github) { g.status[list] = 403 }, 0, assay.ErrUnchecked, "403", 403},
		{"429", func(g *github) { g.status[list] = 429 }, 0, assay.ErrUnchecked, "429", 429},
		{"500", func(g *github) { g.status[list] = 500 }, 0, assay.ErrUnchecked, "500", 500},
		{"redirect", func(g *github) { g.status[list] = 301 }, 0, assay.ErrUnchecked, "301", 301},
		{"neither bundle nor URL", func(g *github) { g.pages[0] = append(g.pages[0], `{"repository_id":1}`) }, 1, assay.ErrInvalid, "/bundle_url", 0},
		{"no bundle", func(g *github) { g.pages[0] = append(g.pages[0], `{"bundle":{"x":1}}`) }, 1, assay.ErrInvalid, "/mediaType", 0},
		{"a string", func(g *github) { g.pages[0] = append(g.pages[0], `{"bundle":"x"}`) }, 1, assay.ErrInvalid, "entry 1", 0},
		{"an entry that is none", func(g *github) { g.pages[0] = append(g.pages[0], `7`) }, 0, assay.ErrInvalid, "/attestations/1", 0},
		{"a member twice", func(g *github) { g.pages[0] = append(g.pages[0], `{"bundle":null,"bundle":{}}`) }, 0, assay.ErrInvalid, "bundle", 0},
		{"stored nowhere", func(g *github) { g.pages[0] = append(g.pages[0], linked(g.URL+"/store/none")) }, 1, assay.ErrUnchecked, "read what is listed", 404},
		{"stored badly", func(g *github) {
			g.blobs["/store/x"] = []byte("\xff\xff\xff")
			g.pages[0] = append(g.pages[0], linked(g.URL+"/store/x"))
		}, 1, assay.ErrInvalid, "snappy", 0},
		{"a bomb", func(g *github) {
			g.blobs["/store/x"] = snappy.Encode(nil, make([]byte, 3<<20))
			g.pages[0] = append(g.pages[0], linked(g.URL+"/store/x"))
		}, 1, assay.ErrBound, "3145728", 0},
		{"plain file", func(g *github) { g.pages[0] = append(g.pages[0], linked("file:///etc/passwd")) }, 1, assay.ErrInvalid, "https", 0},
		{"page again", func(g *github) {
			g.link = func(int) string { return "<" + g.URL + list + `?per_page=100>; rel="next"` }
		}, 1, assay.ErrInvalid, "was not read yet", 0},
		{"page elsewhere", func(g *github) { g.link = func(int) string { return `<https://evil.example/>; rel="next"` } }, 1, assay.ErrInvalid, "evil.example", 0},
		{"pages without end", func(g *github) {
			n := 0
			g.pages[0] = nil
			g.link = func(int) string { n++; return fmt.Sprintf(`<%s%s?x=%d>; rel="next"`, g.URL, list, n) }
		}, 0, assay.ErrBound, "1000 pages", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGitHub(t)
			g.pages = [][]string{{inline(a)}}
			tt.change(g)
			src := attest.FromGitHub(g.URL+"/api/v3", "repos/octo/app", attest.GitHubOptions{Token: "s3cret-token", Limits: attest.Limits{BlobBytes: 1 << 20}})
			found := discover(t, src, digestA)
			err := found.Err()
			if found.Bundle.Len() != tt.finds || found.Complete() || !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("found %d, want %d; faults %v, want %s", found.Bundle.Len(), tt.finds, found.Faults, tt.says)
			}
			if found.Faults[0].Status != tt.status || errors.Is(err, assay.ErrAbsent) {
				t.Errorf("status %d, want %d: %v", found.Faults[0].Status, tt.status, err)
			}
		})
	}
}

func TestGitHubRefusesQuestion(t *testing.T) {
	for _, tt := range []struct{ endpoint, of, token string }{
		{"", "repos/o/a", ""}, {"ftp://x", "repos/o/a", ""}, {"http://api.example", "repos/o/a", "t"}, {"https://api.example?x", "repos/o/a", ""},
		{"https://u:p@api.example", "repos/o/a", ""}, {"https://api.example", "o/a", ""}, {"https://api.example", "repos/o/..", ""},
		{"https://api.example", "repos/o/a/b", ""}, {"https://api.example", "orgs/a?b", ""}, {"https://api.example", "gists/a", ""},
	} {
		if _, err := attest.FromGitHub(tt.endpoint, tt.of, attest.GitHubOptions{Token: tt.token}).Discover(t.Context(), digestA); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	start := time.Now()
	found := discover(t, attest.FromGitHub("http://127.0.0.1:1", "orgs/octo", attest.GitHubOptions{Limits: attest.Limits{Time: 100 * time.Millisecond}}), digestA)
	if found.Complete() || time.Since(start) > time.Minute {
		t.Errorf("nobody there: %v after %s", found.Faults, time.Since(start))
	}
}

// Whatever the API and the store answer: no panic, and what is found is what they said.
func FuzzGitHub(f *testing.F) {
	e := envelope(f, newSigner(f), digestA, "a")
	f.Add([]byte(`{"attestations":[`+inline(e)+`]}`), []byte{}, "")
	f.Add([]byte(`{"attestations":[{"bundle_url":"http://store.example/x"}]}`), snappy.Encode(nil, e.Raw()), `<http://api.example/2>; rel=next`)
	f.Add([]byte(`{"attestations":[{"bundle_url":"http://store.example/x"},{"bundle":{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1"}}]}`), e.Raw(), `<>,<x>;rel="next prev"`)
	f.Fuzz(func(t *testing.T, list, blob []byte, link string) {
		var requests atomic.Int64
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			requests.Add(1)
			w := httptest.NewRecorder()
			if r.URL.Host == "api.example" {
				w.Header().Set("Link", link)
				_, _ = w.Write(list)
			} else {
				if r.Header.Get("Authorization") != "" {
					t.Error("a foreign host got the token")
				}
				_, _ = w.Write(blob)
			}
			return w.Result(), nil
		})
		src := attest.FromGitHub("http://api.example", "users/octo", attest.GitHubOptions{Transport: transport, Limits: attest.Limits{BlobBytes: 1 << 20}})
		found, err := src.Discover(t.Context(), digestA)
		if err != nil {
			t.Fatal(err)
		}
		if n := requests.Load(); n > int64(3+len(list)) {
			t.Fatalf("%d requests", n)
		}
		for e := range found.Bundle.Envelopes() {
			if !json.Valid(e.Raw()) {
				t.Fatalf("found %q", e.Raw())
			}
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
