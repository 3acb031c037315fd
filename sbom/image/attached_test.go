package image

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
)

// statement makes an in-toto statement about a digest.
func statement(predicateType, predicate string, about assay.Digest) string {
	return `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"` + predicateType + `","subject":[{"name":"pkg:docker/app","digest":{"` +
		string(about.Algorithm()) + `":"` + about.Hex() + `"}}],"predicate":` + predicate + `}`
}

// attestations packs statements as BuildKit does.
func attestations(t testing.TB, statements ...string) *testimage.Image {
	var ls []testimage.Layer
	for _, s := range statements {
		ls = append(ls, testimage.Layer{Blob: []byte(s), Tar: []byte(s), MediaType: inTotoLayer})
	}
	return testimage.New(t, ls...)
}

func TestAttachedSBOMs(t *testing.T) {
	_, a, b := twoPlatforms(t)
	linux := func(arch string) assay.Platform { return assay.Platform{OS: "linux", Architecture: arch} }
	const doc = `{ "spdxVersion": "SPDX-2.3" }`
	forA := statement("https://spdx.dev/Document", doc, a.ID())
	x := testimage.NewIndex(t,
		testimage.Member{Image: a, Platform: linux("amd64")},
		testimage.Member{Image: b, Platform: linux("arm")},
		testimage.Member{Image: attestations(t, statement("https://slsa.dev/provenance/v1", "{}", a.ID()), forA), Attests: a},
		testimage.Member{Image: attestations(t, forA, "{", statement("https://spdx.dev/Document", "{}", b.ID())), Attests: b})
	o := opened(t, "oci:"+testimage.WriteLayout(t, testimage.Layout{Indexes: map[string]*testimage.Index{"v1": x}})+":v1", Options{Platform: linux("amd64")})
	var got []AttachedSBOM
	var errs []error
	for s, err := range o.AttachedSBOMs(t.Context()) {
		if err != nil {
			if s.Statement != nil {
				t.Errorf("a statement beside %v", err)
			}
			errs = append(errs, err)
			continue
		}
		got = append(got, s)
	}
	if len(got) != 2 || len(errs) != 2 {
		t.Fatalf("got %+v and %v", got, errs)
	}
	if s := got[0]; s.Subject != a.ID() || s.Platform != linux("amd64") || string(s.Statement) != forA || string(s.Predicate) != doc ||
		s.PredicateType != assay.PredicateSPDX || s.Manifest != o.Attestations()[0].Digest || s.Digest.String() != testimage.Sum([]byte(forA)).String() {
		t.Errorf("got %+v", s)
	}
	if s := got[1]; s.Subject != b.ID() || s.Platform.Architecture != "arm" {
		t.Errorf("got %+v", s)
	}
	if !errors.Is(errs[0], assay.ErrRefuted) || !strings.Contains(errs[0].Error(), b.ID().String()) {
		t.Errorf("about another image: %v", errs[0])
	}
	if !errors.Is(errs[1], assay.ErrInvalid) {
		t.Errorf("no JSON: %v", errs[1])
	}
	for range o.AttachedSBOMs(t.Context()) {
		break // must not go on
	}
}

func TestAttachedProvenances(t *testing.T) {
	_, a, b := twoPlatforms(t)
	linux := func(arch string) assay.Platform { return assay.Platform{OS: "linux", Architecture: arch} }
	forB := statement("https://slsa.dev/provenance/v0.2", `{ "builder": {} }`, b.ID())
	x := testimage.NewIndex(t,
		testimage.Member{Image: a, Platform: linux("amd64")},
		testimage.Member{Image: b, Platform: linux("arm")},
		testimage.Member{Image: attestations(t, statement("https://spdx.dev/Document", "{}", a.ID()), statement("https://slsa.dev/provenance/v1", "{}", b.ID())), Attests: a},
		testimage.Member{Image: attestations(t, forB), Attests: b})
	o := opened(t, "oci:"+testimage.WriteLayout(t, testimage.Layout{Indexes: map[string]*testimage.Index{"v1": x}})+":v1", Options{Platform: linux("amd64")})
	var got []AttachedProvenance
	var errs []error
	for s, err := range o.AttachedProvenances(t.Context()) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got = append(got, s)
	}
	if len(got) != 1 || got[0].Subject != b.ID() || got[0].Platform != linux("arm") || string(got[0].Statement) != forB ||
		string(got[0].Predicate) != `{ "builder": {} }` || got[0].PredicateType != assay.PredicateSLSA02 {
		t.Errorf("got %+v", got)
	}
	if len(errs) != 1 || !errors.Is(errs[0], assay.ErrRefuted) {
		t.Errorf("about another image: %v", errs)
	}
	for range o.AttachedProvenances(t.Context()) {
		break // must not go on
	}
}

func TestAttachedSBOMErrors(t *testing.T) {
	img := sample(t, "x")
	for _, tt := range []struct {
		name, statement string
		kind            error
		says            string
	}{
		{"another type", strings.Replace(statement("https://spdx.dev/Document", "{}", img.ID()), "Statement/v0.1", "Statement/v2", 1), assay.ErrInvalid, "/_type"},
		{"no predicate type", statement("", "{}", img.ID()), assay.ErrInvalid, "/predicateType"},
		{"uppercase digest", strings.Replace(statement("https://spdx.dev/Document", "{}", img.ID()), img.ID().Hex(), strings.ToUpper(img.ID().Hex()), 1), assay.ErrInvalid, "/subject/0/digest"},
		{"no subject", `{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://spdx.dev/Document","predicate":{}}`, assay.ErrRefuted, "/subject"},
		{"two subjects by one name", `{"_type":"https://in-toto.io/Statement/v1","subject":[],"subject":[]}`, assay.ErrInvalid, "subject"},
	} {
		x := testimage.NewIndex(t, testimage.Member{Image: img}, testimage.Member{Image: attestations(t, tt.statement), Attests: img})
		o := opened(t, "oci:"+testimage.WriteLayout(t, testimage.Layout{Indexes: map[string]*testimage.Index{"v1": x}})+":v1", Options{})
		n := 0
		for _, err := range o.AttachedSBOMs(t.Context()) {
			if n++; !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d results", tt.name, n)
		}
	}
}

func TestForeignLayers(t *testing.T) {
	whole := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "windows"}}})
	m, _ := whole.Manifest()
	blob := whole.Blob(m.Layers[0].Digest)
	var asked, auth atomic.Int64
	give := func(body []byte) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.Header.Get("Authorization") != "" {
				auth.Add(1)
			}
			if body == nil {
				w.WriteHeader(404)
				return
			}
			_, _ = w.Write(body)
		}))
		t.Cleanup(s.Close)
		return s
	}
	right, wrong, none := give(blob), give([]byte(strings.Repeat("x", len(blob)))), give(nil)
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	for _, tt := range []struct {
		name  string
		urls  []string
		hosts []string
		kind  error
		asked int64
		says  []string
	}{
		{"not allowed", []string{right.URL + "/l"}, nil, assay.ErrUnchecked, 0, []string{"Options.ForeignLayers", right.URL}},
		{"another host allowed", []string{right.URL + "/l"}, []string{host(wrong)}, assay.ErrUnchecked, 0, []string{"Options.ForeignLayers"}},
		{"allowed", []string{right.URL + "/l"}, []string{host(right)}, nil, 1, nil},
		{"the second", []string{none.URL + "/l", right.URL + "/l"}, []string{host(right), host(none)}, nil, 2, nil},
		{"only the allowed one", []string{wrong.URL + "/l", right.URL + "/l"}, []string{host(right)}, nil, 1, nil},
		{"not there", []string{none.URL + "/l"}, []string{host(none)}, assay.ErrUnchecked, 1, []string{"404", none.URL}},
		{"other bytes", []string{wrong.URL + "/l"}, []string{host(wrong)}, assay.ErrRefuted, 1, nil},
		{"credentials in the URL", []string{"http://a:b@" + host(right) + "/l"}, []string{host(right)}, assay.ErrUnchecked, 0, nil},
		{"a file", []string{"file:///etc/passwd"}, []string{""}, assay.ErrUnchecked, 0, nil},
		{"no TLS", []string{"http://mcr.example/l"}, []string{"mcr.example"}, assay.ErrUnchecked, 0, []string{"PlainHTTP"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img := testimage.NewWith(t, testimage.Options{Manifest: func(m *v1.Manifest) {
				m.Layers[0].URLs, m.Layers[0].MediaType = tt.urls, types.OCIRestrictedLayer
			}}, testimage.Layer{Files: []testimage.File{{Name: "windows"}}})
			lm, _ := img.Manifest()
			files := testimage.Layout{Images: map[string]*testimage.Image{"v1": img}}.Files(t)
			dir := t.TempDir()
			for p, data := range files {
				if !strings.HasSuffix(p, lm.Layers[0].Digest.Hex) {
					testimage.WriteFile(t, dir+"/"+p, data)
				}
			}
			asked.Store(0)
			o := openedOnly(t, "oci:"+dir+":v1", Options{Registry: quick(), ForeignLayers: tt.hosts})
			_, err := layers.Pass(t.Context(), o.Image(), layers.Options{Digest: img.ID()})
			if !errors.Is(err, tt.kind) || (err == nil) != (tt.kind == nil) || asked.Load() != tt.asked {
				t.Fatalf("got %v after %d requests, want %v after %d", err, asked.Load(), tt.kind, tt.asked)
			}
			if tt.kind == nil {
				return
			}
			for _, s := range append(tt.says, lm.Layers[0].Digest.String()) {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not name %q", err, s)
				}
			}
			if assay.KindOf(err) != tt.kind {
				t.Errorf("kind %v", assay.KindOf(err))
			}
		})
	}
	if auth.Load() > 0 {
		t.Error("credentials went to another host")
	}
}

// A registry may have foreign layers; then nobody else is asked.
func TestForeignLayerInRegistry(t *testing.T) {
	img := testimage.NewWith(t, testimage.Options{Manifest: func(m *v1.Manifest) {
		m.Layers[0].URLs = []string{"https://example.invalid/l"}
	}}, testimage.Layer{Files: []testimage.File{{Name: "a"}}})
	ref := push(t, serve(t, nil), "app:v1", img)
	o := openedOnly(t, ref, Options{Registry: quick(), ForeignLayers: []string{"example.invalid"}})
	if _, err := layers.Pass(t.Context(), o.Image(), layers.Options{Digest: img.ID()}); err != nil {
		t.Error(err)
	}
}

func openedOnly(t *testing.T, ref string, opts Options) *Opened {
	t.Helper()
	o, err := Open(t.Context(), ref, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// FuzzAttached reads statements as hostile indexes have them.
func FuzzAttached(f *testing.F) {
	img := testimage.New(f)
	f.Add(statement("https://spdx.dev/Document", "{}", img.ID()))
	f.Add(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{}}]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, s string) {
		x := testimage.NewIndex(t, testimage.Member{Image: img}, testimage.Member{Image: attestations(t, s), Attests: img})
		o, err := Open(t.Context(), "oci:"+testimage.WriteLayout(t, testimage.Layout{Indexes: map[string]*testimage.Index{"v1": x}})+":v1", Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		for got, err := range o.AttachedSBOMs(t.Context()) {
			if err != nil {
				if assay.KindOf(err) == nil {
					t.Fatalf("an error without a kind: %v", err)
				}
				continue
			}
			if !json.Valid(got.Statement) || len(got.Predicate) > 0 && !strings.Contains(s, string(got.Predicate)) {
				t.Fatalf("got %+v", got)
			}
		}
	})
}
