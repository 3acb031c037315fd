package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

func inventory(ctx context.Context, img *testimage.Image) (*catalog.Inventory, error) {
	c := catalog.New(0)
	res, err := layers.Pass(ctx, img, layers.Options{}, c.Visitors()...)
	if err != nil {
		return nil, err
	}
	return c.Inventory(ctx, res)
}

// installed is what installed which file, by its path.
func installed(inv *catalog.Inventory) map[string]assay.ComponentID {
	out := map[string]assay.ComponentID{}
	for f, id := range inv.Owners() {
		out[f.Path] = id
	}
	return out
}

// Packages that all provide and want one name would have as many edges as there are
// pairs.
func TestRelationsBound(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&b, "Package: p%d\nVersion: 1\nProvides: x\nDepends: x\n\n", i)
	}
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "var/lib/dpkg/status", Body: b.String()}}})
	if inv, err := inventory(context.Background(), img); inv != nil || !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "relations") {
		t.Errorf("got %v", err)
	}
}

func TestInventoryStops(t *testing.T) {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, "Package: p%d\nVersion: 1\nDepends: p1\n\n", i)
	}
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "var/lib/dpkg/status", Body: b.String()}}})
	c := catalog.New(0)
	res, err := layers.Pass(context.Background(), img, layers.Options{}, c.Visitors()...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if inv, err := c.Inventory(ctx, res); inv != nil || !errors.Is(err, assay.ErrUnchecked) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Records of diversions are much larger than their lines.
func TestDiversionsBound(t *testing.T) {
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "var/lib/dpkg/diversions", Body: strings.Repeat("a\n", 30_000)}}})
	_, err := layers.Pass(context.Background(), img, layers.Options{}, catalog.New(1<<20).Visitors()...)
	if !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "var/lib/dpkg/diversions") {
		t.Errorf("got %v", err)
	}
}

// A list may name more folders than are remembered; it still counts to its end.
func TestManyFolders(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&list, "/%x/a\n", i)
	}
	list.WriteString("/bin/b\n")
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{
		{Name: "var/lib/dpkg/status", Body: "Package: b\nVersion: 1\nArchitecture: amd64\n"},
		{Name: "var/lib/dpkg/info/b.list", Body: list.String()},
		{Name: "bin/b"},
	}})
	inv, err := inventory(context.Background(), img)
	if err != nil || installed(inv)["bin/b"] == "" {
		t.Errorf("%v, owner %q", err, installed(inv)["bin/b"])
	}
}

// A diverted file is that of the package only where dpkg put it.
func TestDiversion(t *testing.T) {
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{
		{Name: "var/lib/dpkg/status", Body: "Package: a\nVersion: 1\nArchitecture: amd64\n\nPackage: b\nVersion: 1\nArchitecture: amd64\n"},
		{Name: "var/lib/dpkg/info/a:amd64.list", Body: "/.\n/bin\n/bin/sh\n"},
		{Name: "var/lib/dpkg/info/b.list", Body: "/bin/sh\n/bin/b\n/gone\n"},
		{Name: "var/lib/dpkg/diversions", Body: "/bin/sh\n/bin/sh.distrib\nb\n"},
		{Name: "bin/sh"}, {Name: "bin/sh.distrib"}, {Name: "bin/b"},
	}})
	inv, err := inventory(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]assay.ComponentID{"bin/sh": "pkg:deb/b@1?arch=amd64", "bin/sh.distrib": "pkg:deb/a@1?arch=amd64", "bin/b": "pkg:deb/b@1?arch=amd64"}
	if d := cmp.Diff(want, installed(inv)); d != "" {
		t.Error(d)
	}
}

// FuzzInventory: whatever the databases hold, there is an error or an inventory that
// makes a valid SBOM, the same one every time.
func FuzzInventory(f *testing.F) {
	f.Add("Package: a\nVersion: 1\nDepends: b | c\n\nPackage: b\nVersion: 1\nProvides: c\n", "P:m\nV:1\nD:so:x /bin/sh\np:so:x=1\nF:bin\nR:sh\n",
		`{"name":"@s/a","version":"1.0.0","dependencies":{"@s/a":"1"}}`, `{"packages":{"node_modules/a":{"version":"1.0.0","integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="}}}`,
		"ID=debian\nVERSION_ID=12\n")
	f.Add("Package: a\nVersion: 1\nMaintainer: J\xf6rg\nSection: \xf6\nSource: \xf6 (\xf6)\n", "P:\xf6\nV:1\nL:\xf6\n", "{}", "{}", "ID=\xf6\nCPE_NAME=\xf6")
	f.Add("Package: a b\n", "x", "{", "[]", "ID=/?#@%")
	f.Add("Package: %\nVersion: @?#\nArchitecture: a b&c\n", "P:?\nV:#\nA:&\n", `{"name":"?","version":"@#/"}`, "{}", "ID=\xff")
	f.Fuzz(func(t *testing.T, status, apk, pkg, lock, release string) {
		files := []testimage.File{
			{Name: "etc/os-release", Body: release}, {Name: "var/lib/dpkg/status", Body: status}, {Name: "lib/apk/db/installed", Body: apk},
			{Name: "node_modules/a/package.json", Body: pkg}, {Name: "package.json", Body: pkg}, {Name: "node_modules/.package-lock.json", Body: lock},
		}
		img, err := testimage.Build(testimage.Options{}, testimage.Layer{Files: files, Compression: testimage.None}, testimage.Layer{Files: files[1:4:4], Compression: testimage.None})
		if err != nil {
			t.Skip(err)
		}
		inv, err := inventory(context.Background(), img)
		if err != nil {
			if inv != nil || !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
				t.Fatalf("%v with %v", inv, err)
			}
			return
		}
		doc := assay.SBOM{Root: assay.Component{ID: "root"}, Components: inv.Components, Relations: inv.Relations}
		if err := doc.Normalize(); err != nil {
			t.Fatal(err)
		}
		for _, id := range inv.Top {
			if _, ok := doc.Component(id); !ok {
				t.Fatalf("top %s is no component", id)
			}
		}
		if _, err := strictjson.Marshal(doc); err != nil {
			t.Fatal(err)
		}
		again, err := inventory(context.Background(), img)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(again.Components, func(a, b assay.Component) int { return strings.Compare(string(a.ID), string(b.ID)) })
		if d := cmp.Diff(doc.Components, again.Components, cmp.Comparer(func(a, b assay.PURL) bool { return a == b }), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
			t.Fatal(d)
		}
	})
}
