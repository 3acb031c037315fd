package catalog_test

import (
	"context"
	"errors"
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

// FuzzLanguages: whatever metadata of languages hold, there is an error or an
// inventory that makes a valid SBOM, the same one every time.
func FuzzLanguages(f *testing.F) {
	f.Add("Name: a_B\nVersion: 1\nRequires-Dist: a-b[x]; extra == 'x' or os_name == 'posix'\n", "../../../bin/x,,\nx,,\n", "c\n[x]\na-b\n",
		"# stub: a 1 ruby lib\nGem::Specification.new do |s|\ns.licenses = ['MIT']\ns.add_dependency 'a', '~> 1'\nend",
		`{"packages":[{"name":"a/b","version":"1","require":{"a/b":"1","c/d":"1"},"provide":{"c/d":"1"},"install-path":"../a/b"}]}`,
		"a@^1:\n  version \"1\"\n  dependencies:\n    a \"^1\"\n", "lockfileVersion: 9\npackages:\n  a@1:\n    resolution: {integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=}\n")
	f.Add("Name: \xff%\nVersion: @?#\nAuthor: \xf6\nLicense: \xf6\n", "/\x00", "\xff", "# stub: \xff \xff \xff\n", "[]", "", "")
	f.Fuzz(func(t *testing.T, metadata, record, requires, spec, installed, yarn, pnpm string) {
		const site = "usr/lib/python3.11/site-packages/"
		files := []testimage.File{
			{Name: site + "a-1.dist-info/METADATA", Body: metadata}, {Name: site + "a-1.dist-info/RECORD", Body: record},
			{Name: site + "a.egg-info/PKG-INFO", Body: metadata}, {Name: site + "a.egg-info/requires.txt", Body: requires},
			{Name: "gems/specifications/a-1.gemspec", Body: spec}, {Name: "gems/cache/a-1.gem", Body: spec}, {Name: "vendor/composer/installed.json", Body: installed},
			{Name: "vendor/a/b/c"}, {Name: "yarn.lock", Body: yarn}, {Name: "pnpm-lock.yaml", Body: pnpm}, {Name: "bin/x"},
		}
		img, err := testimage.Build(testimage.Options{}, testimage.Layer{Files: files, Compression: testimage.None}, testimage.Layer{Files: files[2:7:7], Compression: testimage.None})
		if err != nil {
			t.Skip(err)
		}
		inventory := func() (*catalog.Inventory, error) {
			c := catalog.New(0)
			c.LockFiles = true
			res, err := layers.Pass(context.Background(), img, layers.Options{}, c.Visitors()...)
			if err != nil {
				return nil, err
			}
			return c.Inventory(context.Background(), res)
		}
		inv, err := inventory()
		if err != nil {
			if inv != nil || !errors.Is(err, assay.ErrBound) {
				t.Fatalf("%v with %v", inv, err)
			}
			return
		}
		doc := assay.SBOM{Root: assay.Component{ID: "root"}, Components: inv.Components, Relations: inv.Relations}
		if err := doc.Normalize(); err != nil {
			t.Fatal(err)
		}
		if _, err := strictjson.Marshal(doc); err != nil {
			t.Fatal(err)
		}
		// All can be reached from the top.
		reached := map[assay.ComponentID]bool{}
		for todo := slices.Clone(inv.Top); len(todo) > 0; todo = todo[1:] {
			if id := todo[0]; !reached[id] {
				reached[id] = true
				for _, r := range inv.Relations {
					if r.From == id {
						todo = append(todo, r.To)
					}
				}
			}
		}
		for _, c := range doc.Components {
			if c.Type == assay.TypeLibrary && !reached[c.ID] {
				t.Fatalf("%s cannot be reached", c.ID)
			}
		}
		again, err := inventory()
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(again.Components, func(a, b assay.Component) int { return strings.Compare(string(a.ID), string(b.ID)) })
		if d := cmp.Diff(doc.Components, again.Components, cmp.Comparer(func(a, b assay.PURL) bool { return a == b }), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
			t.Fatal(d)
		}
	})
}
