package sbom_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// listCataloger reads lists of "package-url [package-url it depends on]...".
type listCataloger struct{ name string }

func (l listCataloger) Name() string         { return l.name }
func (listCataloger) Match(f sbom.File) bool { return strings.HasSuffix(f.Path, ".list") }

func (listCataloger) Visit(_ context.Context, f sbom.File, content []byte) ([]sbom.Found, error) {
	var out []sbom.Found
	for s := bufio.NewScanner(bytes.NewReader(content)); s.Scan(); {
		fields := strings.Fields(s.Text())
		if fields[0] == "nameless" {
			return []sbom.Found{{}}, nil
		}
		if name, ok := strings.CutPrefix(fields[0], "plain:"); ok {
			out = append(out, sbom.Found{Component: assay.Component{Name: name, Version: "1"}})
			continue
		}
		var one sbom.Found
		for i, field := range fields {
			p, err := assay.ParsePURL(field)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				one.Component = assay.Component{Name: p.Parts().Name, Version: p.Parts().Version, PURL: p, Supplier: "from " + f.Path, Properties: map[string]string{"x:y": "z"}}
			} else {
				one.DependsOn = append(one.DependsOn, p)
			}
		}
		out = append(out, one)
	}
	return out, nil
}

type completeCataloger struct {
	listCataloger
	ecosystems []string
}

func (c completeCataloger) Ecosystems() []string { return c.ecosystems }

func pasts(c *sbom.Contents) []string {
	var out []string
	for _, p := range c.History {
		out = append(out, fmt.Sprintf("%s %d %d %s", p.Component.ID, p.Layer, p.By, p.Replaced))
	}
	return out
}

func TestCatalogerLayers(t *testing.T) {
	c := scan(t, sbom.Options{Catalogers: []sbom.Cataloger{listCataloger{"mine"}}},
		[]file{{Name: "a.list", Body: "pkg:conan/zlib@1.2\npkg:conan/gone@1\nplain:thing\n"}, {Name: "deleted.list", Body: "pkg:conan/deleted@1"}, {Name: "bad.list", Body: "pkg:broken"}},
		[]file{{Name: "a.list", Body: "pkg:conan/zlib@1.2\npkg:conan/app@2 pkg:conan/zlib@1.2 pkg:conan/missing@1\nplain:thing\n"},
			testimage.Whiteout("deleted.list"), testimage.Whiteout("bad.list"), testimage.HardLink("b.list", "a.list"), testimage.Symlink("c.list", "a.list")},
	)
	if d := cmp.Diff(map[string][]string{"zlib@1.2": {"0 a.list", "1 b.list"}, "app@2": {"1 a.list", "1 b.list"}, "thing@1": {"0 a.list", "1 b.list"}}, found(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"app dependsOn zlib", "root contains app", "root contains thing"}, relations(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"pkg:conan/deleted@1 0 1 ", "pkg:conan/gone@1 0 1 "}, pasts(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"components": "unknown", "components:conan": "unknown", "dependencies:conan": "incomplete"}, aggregates(c)); d != "" {
		t.Error(d)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Visitor != "mine" || c.Skipped[0].Path != "bad.list" || !c.Skipped[0].History {
		t.Errorf("skipped %+v", c.Skipped)
	}
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy != "mine" || comp.Type != assay.TypeLibrary {
			t.Errorf("%s: found by %q, type %q", comp.ID, comp.FoundBy, comp.Type)
		}
	}
	roundTrip(t, c.SBOM)
}

// What several catalogers find is one component, and what is built in decides.
func TestCatalogerMerge(t *testing.T) {
	const ms = "pkg:npm/ms@2.1.3"
	c := scan(t, sbom.Options{Catalogers: []sbom.Cataloger{listCataloger{"one"}, listCataloger{"two"}}}, []file{
		{Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3","license":"MIT"}`},
		{Name: "x.list", Body: ms + "\npkg:conan/x@1 " + ms},
	})
	if d := cmp.Diff(map[string][]string{"ms@2.1.3": {"0 app/node_modules/ms/package.json", "0 x.list"}, "x@1": {"0 x.list"}}, found(c)); d != "" {
		t.Error(d)
	}
	m, ok := c.SBOM.Component(ms)
	if !ok || m.FoundBy != "npm" || m.Supplier != "from x.list" || len(m.Licenses) != 1 || m.Properties["x:y"] != "z" {
		t.Errorf("got %+v", m)
	}
	if x, ok := c.SBOM.Component("pkg:conan/x@1"); !ok || x.FoundBy != "one" {
		t.Errorf("got %+v", x)
	}
	if d := cmp.Diff([]string{"root contains ms", "root contains x", "x dependsOn ms"}, relations(c)); d != "" {
		t.Error(d)
	}
	if got := aggregates(c)["components:npm"]; got != "complete" {
		t.Errorf("components:npm is %s", got)
	}
}

func TestCatalogerCompleteness(t *testing.T) {
	good, bad := file{Name: "a.list", Body: "pkg:conan/zlib@1.2"}, file{Name: "bad.list", Body: "nameless"}
	for _, tt := range []struct {
		name       string
		ecosystems []string
		files      []file
		bounds     sbom.Bounds
		want       map[string]string
	}{
		{"unknown", nil, []file{good}, sbom.Bounds{}, map[string]string{"components": "unknown", "components:conan": "unknown", "dependencies:conan": "unknown"}},
		{"vouched for", []string{"conan"}, []file{good}, sbom.Bounds{}, map[string]string{"components": "unknown", "components:conan": "complete", "dependencies:conan": "unknown"}},
		{"broken file", []string{"conan"}, []file{good, bad}, sbom.Bounds{}, map[string]string{"components": "unknown", "components:conan": "incomplete", "dependencies:conan": "unknown"}},
		{"nothing but a broken file", []string{"conan"}, []file{bad}, sbom.Bounds{}, map[string]string{"components": "unknown", "components:conan": "incomplete", "dependencies:conan": "unknown"}},
		{"too large", []string{"conan"}, []file{good}, sbom.Bounds{File: 10}, map[string]string{"components": "unknown", "components:conan": "incomplete", "dependencies:conan": "unknown"}},
		{"broken file of an unknown ecosystem", nil, []file{good, bad}, sbom.Bounds{}, map[string]string{"components": "unknown", "components:conan": "incomplete", "dependencies:conan": "unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := scan(t, sbom.Options{Catalogers: []sbom.Cataloger{completeCataloger{listCataloger{"mine"}, tt.ecosystems}}, Bounds: tt.bounds}, tt.files)
			if d := cmp.Diff(tt.want, aggregates(c)); d != "" {
				t.Error(d)
			}
		})
	}
}

// lateCataloger names what it finds after the distribution.
type lateCataloger struct{ listCataloger }

func (lateCataloger) Visit(context.Context, sbom.File, []byte) ([]sbom.Found, error) {
	return nil, sbom.ErrLater
}

func (lateCataloger) VisitLater(_ context.Context, f sbom.File, content, osRelease []byte) ([]sbom.Found, error) {
	if bytes.HasPrefix(content, []byte("broken")) {
		return nil, errors.New("broken")
	}
	distro, _, _ := strings.Cut(string(osRelease), "\n")
	return []sbom.Found{{Component: assay.Component{Name: string(content), Version: distro}}}, nil
}

func TestCatalogerLater(t *testing.T) {
	c := scan(t, sbom.Options{Catalogers: []sbom.Cataloger{lateCataloger{listCataloger{"late"}}}},
		[]file{{Name: "a.list", Body: "old"}, {Name: "b.list", Body: "b"}, {Name: "etc/os-release", Body: "ID=one\n"}, {Name: "c.list", Body: "broken"}},
		[]file{{Name: "a.list", Body: "new"}},
		[]file{{Name: "etc/os-release", Body: "ID=two\n"}})
	if d := cmp.Diff(map[string][]string{"new@ID=two": {"1 a.list"}, "b@ID=two": {"0 b.list"}}, found(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"late:old@ID=two 0 1 "}, pasts(c)); d != "" {
		t.Error(d)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Path != "c.list" || c.Skipped[0].Reason != "broken" || c.Skipped[0].History {
		t.Errorf("skipped %+v", c.Skipped)
	}
	_, err := sbom.Scan(context.Background(), testimage.New(t, layersOf([]file{{Name: "a.list", Body: strings.Repeat("x", 4000)}, {Name: "b.list", Body: strings.Repeat("x", 4000)}})...),
		sbom.Options{Catalogers: []sbom.Cataloger{lateCataloger{listCataloger{"late"}}}, Memory: 6000})
	if !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), ".list") {
		t.Errorf("contents beyond the budget: %v", err)
	}
}

type headCataloger struct{ listCataloger }

func (headCataloger) Match(sbom.File) bool { return true }
func (headCataloger) MatchHead(_ sbom.File, head []byte) bool {
	return bytes.HasPrefix(head, []byte("pkg:"))
}

func TestCatalogerHead(t *testing.T) {
	c := scan(t, sbom.Options{Catalogers: []sbom.Cataloger{headCataloger{listCataloger{"head"}}}},
		[]file{{Name: "any", Body: "pkg:conan/zlib@1.2"}, {Name: "other", Body: "nameless"}, {Name: "folder/"}})
	if d := cmp.Diff(map[string][]string{"zlib@1.2": {"0 any"}}, found(c)); d != "" || len(c.Skipped) > 0 {
		t.Error(d, c.Skipped)
	}
}

func TestCatalogerNames(t *testing.T) {
	img := testimage.New(t, layersOf([]file{{Name: "a"}})...)
	for _, names := range [][]string{{""}, {"dpkg"}, {"files"}, {"os-release"}, {"a", "a"}, {"a\x1b"}, {"a\xff"}} {
		var list []sbom.Cataloger
		for _, n := range names {
			list = append(list, listCataloger{n})
		}
		_, err := sbom.Scan(context.Background(), img, sbom.Options{Catalogers: list})
		e, ok := errors.AsType[*assay.Error](err)
		if !ok || !errors.Is(err, assay.ErrInvalid) || e.Field != "Options.Catalogers" || e.Value != names[len(names)-1] {
			t.Errorf("%q: %v", names, err)
		}
	}
	if _, err := sbom.Scan(context.Background(), img, sbom.Options{Catalogers: []sbom.Cataloger{nil}}); !errors.Is(err, assay.ErrInvalid) {
		t.Error(err)
	}
}

// stopping ends the scan from within.
type stopping struct {
	listCataloger
	cancel context.CancelFunc
}

func (s stopping) Visit(ctx context.Context, _ sbom.File, _ []byte) ([]sbom.Found, error) {
	s.cancel()
	return nil, ctx.Err()
}

func TestCatalogerCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c, err := sbom.Scan(ctx, testimage.New(t, layersOf([]file{{Name: "a.list", Body: "x"}})...), sbom.Options{Catalogers: []sbom.Cataloger{stopping{listCataloger{"s"}, cancel}}})
	if c != nil || !errors.Is(err, assay.ErrUnchecked) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestCatalogerDeterministic(t *testing.T) {
	var files []file
	for i := range 20 {
		files = append(files, file{Name: fmt.Sprintf("%d.list", i), Body: "pkg:conan/a@1 pkg:conan/b@1\npkg:conan/b@1 pkg:conan/a@1\nplain:x\n"})
	}
	want := mustJSON(t, scan(t, sbom.Options{Workers: 1, Catalogers: []sbom.Cataloger{listCataloger{"mine"}}}, files[:10], files[10:]).SBOM)
	for range 10 {
		if got := mustJSON(t, scan(t, sbom.Options{Workers: 4, Catalogers: []sbom.Cataloger{listCataloger{"mine"}}}, files[:10], files[10:]).SBOM); got != want {
			t.Fatal(cmp.Diff(want, got))
		}
	}
}
