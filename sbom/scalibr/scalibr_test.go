package scalibr_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dart/pubspec"
	"github.com/google/osv-scalibr/extractor/filesystem/os/dpkg"
	"github.com/google/osv-scalibr/inventory"
	"github.com/google/osv-scalibr/plugin"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/scalibr"
)

// fake is an extractor that does what its fields say.
type fake struct {
	needs    plugin.Capabilities
	required func(filesystem.FileAPI) bool
	extract  func(*filesystem.ScanInput) ([]*extractor.Package, error)
}

func (fake) Name() string                         { return "fake" }
func (fake) Version() int                         { return 1 }
func (f fake) Requirements() *plugin.Capabilities { return &f.needs }

func (f fake) FileRequired(api filesystem.FileAPI) bool {
	if f.required != nil {
		return f.required(api)
	}
	return strings.HasSuffix(api.Path(), ".fake")
}

func (f fake) Extract(_ context.Context, in *filesystem.ScanInput) (inventory.Inventory, error) {
	p, err := f.extract(in)
	return inventory.Inventory{Packages: p}, err
}

func adapt(t *testing.T, e filesystem.Extractor, err error) sbom.Cataloger {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c, err := scalibr.New(e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func scan(t *testing.T, c sbom.Cataloger, layers ...[]testimage.File) *sbom.Contents {
	t.Helper()
	var ls []testimage.Layer
	for _, f := range layers {
		ls = append(ls, testimage.Layer{Files: f})
	}
	got, err := sbom.Scan(context.Background(), testimage.New(t, ls...), sbom.Options{Catalogers: []sbom.Cataloger{c}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const lock = `packages:
  collection:
    dependency: "direct main"
    description:
      name: collection
      url: "https://pub.dartlang.org"
    source: hosted
    version: "VERSION"
`

// An extractor's packages obey the layers.
func TestLayers(t *testing.T) {
	e, err := pubspec.New(&cpb.PluginConfig{})
	c := scan(t, adapt(t, e, err),
		[]testimage.File{{Name: "app/pubspec.lock", Body: strings.Replace(lock, "VERSION", "1.17.0", 1)}, {Name: "gone/pubspec.lock", Body: strings.Replace(lock, "VERSION", "0.1.0", 1)}},
		[]testimage.File{{Name: "app/pubspec.lock", Body: strings.Replace(lock, "VERSION", "1.18.0", 1)}, testimage.Whiteout("gone"), {Name: "broken/pubspec.lock", Body: "packages: ["}})
	var got []string
	for _, one := range c.SBOM.Components {
		got = append(got, string(one.ID)+" "+one.FoundBy+" "+one.Locations[0].Path)
		if one.Locations[0].Layer != c.Layers[1].DiffID {
			t.Errorf("%s is of layer %s", one.ID, one.Locations[0].Layer)
		}
	}
	if d := cmp.Diff([]string{"pkg:pub/collection@1.18.0 scalibr:dart/pubspec app/pubspec.lock"}, got); d != "" {
		t.Error(d)
	}
	got = nil
	for _, p := range c.History {
		got = append(got, string(p.Component.ID)+" replaced by "+string(p.Replaced))
	}
	if d := cmp.Diff([]string{"pkg:pub/collection@0.1.0 replaced by pkg:pub/collection@1.18.0", "pkg:pub/collection@1.17.0 replaced by pkg:pub/collection@1.18.0"}, got); d != "" {
		t.Error(d)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Visitor != "scalibr:dart/pubspec" || c.Skipped[0].Path != "broken/pubspec.lock" {
		t.Errorf("skipped %+v", c.Skipped)
	}
	for _, s := range c.SBOM.Completeness {
		if s.Scope == "components:pub" && s.Aggregate != "incomplete" {
			t.Errorf("%s is %s", s.Scope, s.Aggregate)
		}
	}
}

// The distribution comes from the merged tree, whichever layer has it.
func TestDistribution(t *testing.T) {
	e, err := dpkg.New(&cpb.PluginConfig{})
	status := testimage.File{Name: "var/lib/dpkg/status", Body: "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n\n"}
	c := scan(t, adapt(t, e, err),
		[]testimage.File{{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"11\"\nVERSION_CODENAME=bullseye\n"}, status},
		[]testimage.File{{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"}})
	if _, ok := c.SBOM.Component("pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=bookworm"); !ok {
		t.Errorf("got %+v", c.SBOM.Components)
	}
}

func TestDependencies(t *testing.T) {
	c := scan(t, adapt(t, fake{extract: func(*filesystem.ScanInput) ([]*extractor.Package, error) {
		return []*extractor.Package{
			{Name: "child", Version: "1", PURLType: "cran", ID: "a", ParentIDs: map[string]bool{"b": true}, Licenses: []string{"MIT", "MIT"}},
			{Name: "parent", Version: "2", PURLType: "cran", ID: "b", SourceCode: &extractor.SourceCodeIdentifier{Repo: "https://example.org/r", Commit: "c0ffee"}},
			{Name: "stranger", Version: "3", ID: "c"},
			{Name: "odd", Version: "4", PURLType: "no type"},
		}, nil
	}}, nil), []testimage.File{{Name: "x.fake", Body: "x"}})
	var got []string
	for _, r := range c.SBOM.Relations {
		if r.From == c.SBOM.Root.ID {
			r.From = "root"
		}
		got = append(got, string(r.From)+" "+string(r.Kind)+" "+string(r.To))
	}
	if d := cmp.Diff([]string{"root contains pkg:cran/parent@2", "root contains scalibr:fake:odd@4", "root contains scalibr:fake:stranger@3", "pkg:cran/parent@2 dependsOn pkg:cran/child@1"}, got); d != "" {
		t.Error(d)
	}
	child, _ := c.SBOM.Component("pkg:cran/child@1")
	parent, _ := c.SBOM.Component("pkg:cran/parent@2")
	if d := cmp.Diff([]assay.License{{Name: "MIT"}}, child.Licenses); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"assay:scalibr:repository": "https://example.org/r", "assay:scalibr:commit": "c0ffee"}, parent.Properties); d != "" {
		t.Error(d)
	}
}

// What an extractor does wrong costs its own file only.
func TestFaultyExtractors(t *testing.T) {
	files := []testimage.File{{Name: "x.fake", Body: "x"}, {Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3"}`}}
	for name, tt := range map[string]struct {
		fake
		reason string
	}{
		"error":       {fake{extract: func(*filesystem.ScanInput) ([]*extractor.Package, error) { return nil, errors.New("no sense") }}, "no sense"},
		"panic":       {fake{extract: func(*filesystem.ScanInput) ([]*extractor.Package, error) { panic("oops") }}, "scalibr:fake panicked: oops"},
		"nil package": {fake{extract: func(*filesystem.ScanInput) ([]*extractor.Package, error) { return []*extractor.Package{nil}, nil }}, "a package without a name"},
		"no name": {fake{extract: func(*filesystem.ScanInput) ([]*extractor.Package, error) {
			return []*extractor.Package{{Version: "1"}}, nil
		}}, "a package without a name"},
		"panics on path": {fake{required: func(a filesystem.FileAPI) bool { return a.Path() == "x.fake" && a.Path()[100] == 0 }, extract: func(*filesystem.ScanInput) ([]*extractor.Package, error) { panic("again") }}, "scalibr:fake panicked: again"},
	} {
		t.Run(name, func(t *testing.T) {
			c := scan(t, adapt(t, tt.fake, nil), files)
			if len(c.Skipped) != 1 || c.Skipped[0].Path != "x.fake" || c.Skipped[0].Reason != tt.reason {
				t.Errorf("skipped %+v", c.Skipped)
			}
			if _, ok := c.SBOM.Component("pkg:npm/ms@2.1.3"); !ok || len(c.SBOM.Components) != 1 {
				t.Errorf("got %+v", c.SBOM.Components)
			}
		})
	}
}

// An extractor sees its file, os-release, and nothing of the machine.
func TestView(t *testing.T) {
	var seen []string
	c := scan(t, adapt(t, fake{extract: func(in *filesystem.ScanInput) ([]*extractor.Package, error) {
		seen = nil
		err := fs.WalkDir(in.FS, ".", func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				b, err := fs.ReadFile(in.FS, p)
				seen = append(seen, p+"="+string(b))
				return err
			}
			return err
		})
		if _, missing := in.FS.Open("app/other"); !errors.Is(missing, fs.ErrNotExist) {
			t.Error("a file that is not there:", missing)
		}
		if _, invalid := in.FS.Stat("../x"); !errors.Is(invalid, fs.ErrInvalid) {
			t.Error("an invalid name:", invalid)
		}
		if in.Info.Size() != 7 || in.Info.Name() != "x.fake" {
			t.Error("info", in.Info)
		}
		return nil, err
	}}, nil), []testimage.File{{Name: "app/x.fake", Body: "content"}, {Name: "app/other", Body: "other"}}, []testimage.File{{Name: "usr/lib/os-release", Body: "ID=alpine\n"}})
	if len(c.Skipped) > 0 {
		t.Error(c.Skipped)
	}
	if d := cmp.Diff([]string{"app/x.fake=content", "etc/os-release=ID=alpine\n"}, seen); d != "" {
		t.Error(d)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, needs := range map[string]plugin.Capabilities{
		"direct": {DirectFS: true}, "running": {RunningSystem: true}, "network": {Network: plugin.NetworkOnline},
		"folders": {ExtractFromDirs: true}, "unsafe": {AllowUnsafePlugins: true},
	} {
		c, err := scalibr.New(fake{needs: needs})
		if e, ok := errors.AsType[*assay.Error](err); c != nil || !ok || !errors.Is(err, assay.ErrInvalid) || e.Value != "fake" {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	if _, err := scalibr.New(nil); !errors.Is(err, assay.ErrInvalid) {
		t.Error(err)
	}
	for _, os := range []plugin.OS{plugin.OSAny, plugin.OSLinux, plugin.OSUnix, plugin.OSWindows} {
		if _, err := scalibr.New(fake{needs: plugin.Capabilities{OS: os}}); err != nil {
			t.Error(err)
		}
	}
}
