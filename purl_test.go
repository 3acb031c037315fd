package assay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	packageurl "github.com/package-url/packageurl-go"

	"github.com/assaykit/assay"
)

// corpus gives a folder of the public test data, or skips the test.
func corpus(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA does not name the folder of public test data")
	}
	return filepath.Join(dir, name)
}

type purlCase struct {
	Description string          `json:"description"`
	Group       string          `json:"test_group"`
	Type        string          `json:"test_type"`
	Input       json.RawMessage `json:"input"`
	Output      json.RawMessage `json:"expected_output"`
	Failure     bool            `json:"expected_failure"`
}

type purlCaseParts struct {
	Type, Namespace, Name, Version, Subpath string
	Qualifiers                              map[string]string
}

// TestPURLSpec runs the test suite of package-url/purl-spec. Its "required" cases
// are about conforming purls and hold for ParsePURL; the "recommended" ones mend
// purls that do not conform, which is what NormalizePURL is for.
func TestPURLSpec(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t, "purl-spec"), "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct{ Tests []purlCase }
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for i, c := range doc.Tests {
			cases++
			t.Run(fmt.Sprintf("%s/%d/%s", strings.TrimSuffix(filepath.Base(file), "-test.json"), i, c.Type), func(t *testing.T) { runPURLCase(t, c) })
		}
	}
	if cases < 586 {
		t.Errorf("ran %d cases, the suite has 586", cases)
	}
}

func runPURLCase(t *testing.T, c purlCase) {
	t.Logf("%s: %s (%s)", c.Description, c.Input, c.Group)
	var got assay.PURL
	var err error
	if c.Type == "build" {
		var in purlCaseParts
		mustJSON(t, c.Input, &in)
		got, err = assay.NewPURL(assay.PURLParts(assay.PURLParts{
			Type: in.Type, Namespace: in.Namespace, Name: in.Name, Version: in.Version, Qualifiers: in.Qualifiers, Subpath: in.Subpath,
		}))
	} else {
		var in string
		mustJSON(t, c.Input, &in)
		parse := assay.ParsePURL
		if c.Group == "recommended" {
			parse = assay.NormalizePURL
		}
		got, err = parse(in)
	}
	if c.Failure {
		if !errors.Is(err, assay.ErrInvalid) || !got.IsZero() {
			t.Fatalf("got %q, %v, want an error", got, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.Type != "parse" {
		var want string
		mustJSON(t, c.Output, &want)
		if got.String() != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		return
	}
	var want purlCaseParts
	mustJSON(t, c.Output, &want)
	if want.Qualifiers == nil {
		want.Qualifiers = map[string]string{}
	}
	parts := got.Parts()
	if diff := cmp.Diff(want, purlCaseParts{parts.Type, parts.Namespace, parts.Name, parts.Version, parts.Subpath, parts.Qualifiers}); diff != "" {
		t.Error(diff)
	}
}

func mustJSON(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func TestParsePURL(t *testing.T) {
	for in, want := range map[string]string{
		"pkg:deb/debian/curl@7.88.1-10?distro=debian-12&arch=amd64": "pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12",
		"PKG:Golang/GitHub.com/Foo/Bar@v1.0.0":                      "pkg:golang/github.com/foo/bar@v1.0.0",
		"pkg:npm/@angular/core@1.0.0":                               "pkg:npm/%40angular/core@1.0.0",
		"pkg:pypi/Foo_Bar":                                          "pkg:pypi/foo-bar",
		"pkg:generic/a@1?x=&y=2":                                    "pkg:generic/a@1?y=2",
		"pkg:generic/a#x//y/":                                       "pkg:generic/a#x/y",
		"pkg:git/codeberg.org/GNOME/fonts":                          "pkg:git/codeberg.org/GNOME/fonts",
		"pkg:git/h/a%2Fb":                                           "pkg:git/h/a/b",
		"pkg:generic/ns//a%2Fb":                                     "pkg:generic/ns/a%2Fb",
		"pkg:maven/g/a@1?Repository_URL=x":                          "pkg:maven/g/a@1?repository_url=x",
	} {
		got, err := assay.ParsePURL(in)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", in, got, err, want)
		}
	}
	for name, in := range map[string]string{
		"empty": "", "no scheme": "npm/a", "no name": "pkg:npm", "bad escape": "pkg:npm/%zz",
		"upper-case key": "pkg:deb/debian/curl?Arch=amd64", "duplicate key": "pkg:deb/debian/curl?arch=a&arch=b",
		"two spellings of a key": "pkg:maven/g/a?repository_url=a&Repository_url=b",
		"slash in namespace":     "pkg:golang/a%2fb/c", "slash in subpath": "pkg:golang/a/c#x%2Fy",
		"subpath climbs": "pkg:golang/a/c#..", "subpath climbs later": "pkg:golang/a/c#x/%2e%2e",
		"not UTF-8": "pkg:golang/%ff/c", "not UTF-8 in qualifier": "pkg:golang/a/c?x=%ff",
		"git without host": "pkg:git/only",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := assay.ParsePURL(in)
			var e *assay.Error
			if !errors.As(err, &e) || !errors.Is(err, assay.ErrInvalid) || e.Value != in || !got.IsZero() {
				t.Errorf("got %q, %#v", got, err)
			}
		})
	}
}

func TestNormalizePURL(t *testing.T) {
	for in, want := range map[string]string{
		"pkg:rpm/fedora/curl@1?Arch=i386":                "pkg:rpm/fedora/curl@1?arch=i386",
		"pkg:git/GitHub.com/Foo/Bar@v1":                  "pkg:git/github.com/foo/bar@v1",
		"pkg:git/gitlab.gnome.org/GNOME/adwaita-fonts":   "pkg:git/gitlab.gnome.org/GNOME/adwaita-fonts",
		"pkg:deb/debian/curl@7.88.1?arch=amd64":          "pkg:deb/debian/curl@7.88.1?arch=amd64",
		"pkg:golang/golang.org/x/mod@v0.1.0#semver/test": "pkg:golang/golang.org/x/mod@v0.1.0#semver/test",
	} {
		got, err := assay.NormalizePURL(in)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "pkg:golang/a%2Fb/c", "pkg:rpm/f/c?Arch=a&arch=b"} {
		if got, err := assay.NormalizePURL(in); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %s, %v", in, got, err)
		}
	}
}

func TestNewPURL(t *testing.T) {
	p, err := assay.NewPURL(assay.PURLParts{Type: "NPM", Namespace: "@a", Name: "b c", Version: "1+x", Qualifiers: map[string]string{"K": "v&w", "e": ""}, Subpath: "/d/"})
	if want := "pkg:npm/%40a/b%20c@1%2Bx?k=v%26w#d"; err != nil || p.String() != want {
		t.Fatalf("got %s, %v, want %s", p, err, want)
	}
	want := assay.PURLParts{Type: "npm", Namespace: "@a", Name: "b c", Version: "1+x", Qualifiers: map[string]string{"k": "v&w"}, Subpath: "d"}
	if diff := cmp.Diff(want, p.Parts()); diff != "" {
		t.Error(diff)
	}
	if p.Type() != "npm" || p.Version() != "1+x" || p.Qualifier("k") != "v&w" || p.Qualifier("e") != "" || p.Package() != assay.MustPURL("pkg:npm/%40a/b%20c") {
		t.Errorf("accessors: %s %s %s %s", p.Type(), p.Version(), p.Qualifier("k"), p.Package())
	}
	for name, parts := range map[string]assay.PURLParts{
		"zero":              {},
		"keys in two cases": {Type: "npm", Name: "a", Qualifiers: map[string]string{"k": "1", "K": "2"}},
		"not UTF-8":         {Type: "npm", Name: "a\xff"},
		"git, one part":     {Type: "git", Name: "a"},
		"subpath climbs":    {Type: "npm", Name: "a", Subpath: "../b"},
	} {
		if p, err := assay.NewPURL(parts); !errors.Is(err, assay.ErrInvalid) || !p.IsZero() {
			t.Errorf("%s: got %s, %v", name, p, err)
		}
	}
}

func TestPURLMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, purl string
		want          bool
	}{
		{"pkg:deb/debian/curl", "pkg:deb/debian/curl@1?arch=amd64", true},
		{"pkg:deb/debian/curl@1", "pkg:deb/debian/curl@1?arch=amd64", true},
		{"pkg:deb/debian/curl@1?arch=amd64", "pkg:deb/debian/curl@1?arch=amd64&distro=x", true},
		{"pkg:deb/debian/curl?arch=arm64", "pkg:deb/debian/curl@1?arch=amd64", false},
		{"pkg:deb/debian/curl?arch=amd64", "pkg:deb/debian/curl@1", false},
		{"pkg:deb/debian/curl@1", "pkg:deb/debian/curl", false},
		{"pkg:deb/debian/curl@1", "pkg:deb/debian/curl@10", false},
		{"pkg:deb/debian/curl", "pkg:deb/debian/curl2", false},
		{"pkg:deb/debian/curl", "pkg:deb/ubuntu/curl", false},
		{"pkg:golang/a/b#c", "pkg:golang/a/b@v1#c", true},
		{"pkg:golang/a/b#c", "pkg:golang/a/b@v1", false},
		{"pkg:golang/a/b", "pkg:golang/a/b", true},
	} {
		p, q := assay.MustPURL(tt.pattern), assay.MustPURL(tt.purl)
		if got := p.Matches(q); got != tt.want {
			t.Errorf("%s matches %s: got %v", p, q, got)
		}
	}
	var zero assay.PURL
	if p := assay.MustPURL("pkg:npm/a"); zero.Matches(p) || p.Matches(zero) || zero.Matches(zero) {
		t.Error("no purl matches")
	}
	a, b := assay.MustPURL("pkg:deb/debian/curl@1?arch=amd64"), assay.MustPURL("pkg:deb/debian/curl@1?arch=amd64&distro=x")
	if n := testing.AllocsPerRun(100, func() { a.Matches(b) }); n != 0 {
		t.Errorf("Matches allocates %v times", n)
	}
}

func TestPURLText(t *testing.T) {
	testText(t, assay.MustPURL("pkg:npm/%40a/b@1"), `"pkg:npm/%40a/b@1"`)
	testText(t, assay.PURL{}, `""`)
	var p assay.PURL
	if err := json.Unmarshal([]byte(`"npm/a"`), &p); !errors.Is(err, assay.ErrInvalid) || !p.IsZero() {
		t.Errorf("got %s, %v", p, err)
	}
}

// testText checks that a value encodes as the text and reads back equal.
func testText[T comparable](t *testing.T, v T, want string) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil || string(data) != want {
		t.Fatalf("got %s, %v, want %s", data, err, want)
	}
	var back T
	if err := json.Unmarshal(data, &back); err != nil || back != v {
		t.Fatalf("got %v, %v, want %v", back, err, v)
	}
}

// FuzzParsePURL: a canonical purl reads back as itself, whole and from its parts,
// in both ways of reading; nothing panics.
func FuzzParsePURL(f *testing.F) {
	for _, s := range []string{
		"pkg:npm/%40angular/core@1.0.0?a=b#c/d", "pkg:git/h/a%2Fb@v", "pkg:GOLANG/%C4%B0/%E1%BA%9E", "pkg:generic/%2F", "pkg:generic/a%40b@c@d",
		"pkg:maven/a/b?Repository_url=%26%3D%23", "pkg:a/b#%2E%2E", "pkg:julia/x?uuid=1", "pkg:mlflow/A?repository_url=databricks", "pkg:cpan/A/b", "pkg:chrome-extension/a",
		"pkg:pypi/_", "pkg:x/%FF", "pkg:+/+", "pkg:a/ /%20@ ?a= #%20", "pkg:brew/node@20@20.1", "pkg:a/b?c=%00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lenient, lerr := assay.NormalizePURL(s)
		p, err := assay.ParsePURL(s)
		if err != nil {
			if !errors.Is(err, assay.ErrInvalid) || !p.IsZero() {
				t.Fatalf("got %q, %v", p, err)
			}
		}
		if err == nil && lerr != nil {
			t.Fatalf("%q parses and does not normalize: %v", s, lerr)
		}
		for _, p := range []assay.PURL{p, lenient} {
			if p.IsZero() {
				continue
			}
			again, err := assay.ParsePURL(p.String())
			if err != nil || again != p {
				t.Fatalf("%q: canonical %q reads as %q, %v", s, p, again, err)
			}
			parts := p.Parts()
			built, err := assay.NewPURL(parts)
			if err != nil || built != p {
				t.Fatalf("%q: parts of %q make %q, %v", s, p, built, err)
			}
			if !p.Matches(p) || !p.Package().Matches(p) || p.Type() != parts.Type || p.Version() != parts.Version {
				t.Fatalf("%q: accessors of %q disagree", s, p)
			}
			for k, v := range parts.Qualifiers {
				if p.Qualifier(k) != v {
					t.Fatalf("%q: qualifier %s of %q", s, k, p)
				}
			}
			if pkg, err := assay.ParsePURL(p.Package().String()); err == nil && pkg != p.Package() {
				t.Fatalf("%q: package %q reads as %q", s, p.Package(), pkg)
			}
		}
	})
}

// FuzzNewPURL: what is made of parts reads back as itself.
func FuzzNewPURL(f *testing.F) {
	f.Add("npm", "@a", "b", "1", "k", "v", "s")
	f.Add("git", "h/", "/a//b", "", "", "", "./x")
	f.Add("cpan", "A", "x", "", "é", "v", "//")
	f.Fuzz(func(t *testing.T, typ, namespace, name, version, key, value, subpath string) {
		p, err := assay.NewPURL(assay.PURLParts{Type: typ, Namespace: namespace, Name: name, Version: version, Qualifiers: map[string]string{key: value}, Subpath: subpath})
		if err != nil {
			return
		}
		again, err := assay.ParsePURL(p.String())
		if err != nil || again != p {
			t.Fatalf("%q reads as %q, %v", p, again, err)
		}
		if built, err := assay.NewPURL(p.Parts()); err != nil || built != p {
			t.Fatalf("parts of %q make %q, %v", p, built, err)
		}
	})
}

var benchPURLs = []string{
	"pkg:deb/debian/libcurl4@7.88.1-10%2Bdeb12u5?arch=amd64&distro=debian-12",
	"pkg:golang/google.golang.org/protobuf@v1.36.12",
	"pkg:npm/%40angular/animation@12.3.1",
	"pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1?classifier=sources&type=zip",
}

// BenchmarkParsePURL gives the ratio to packageurl-go parsing the same.
func BenchmarkParsePURL(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range benchPURLs {
			if _, err := assay.ParsePURL(s); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
	start := time.Now()
	for range b.N {
		for _, s := range benchPURLs {
			if _, err := packageurl.FromString(s); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Since(start)), "x-floor")
}

func BenchmarkPURLMatches(b *testing.B) {
	p, q := assay.MustPURL("pkg:deb/debian/libcurl4@7.88.1"), assay.MustPURL(benchPURLs[0])
	b.ReportAllocs()
	for b.Loop() {
		p.Matches(q)
	}
}
