package catalog_test

import (
	"testing"

	"github.com/assaykit/assay/internal/testimage"
)

// Where an upper layer replaces a file by a broken one nobody knows whether what it
// said before is gone, so that is no history; that it is broken is said.
func TestBrokenIsNotHistory(t *testing.T) {
	for name, file := range map[string]testimage.File{
		"npm":         {Name: "app/node_modules/a/package.json", Body: `{"name":"a","version":"1"}`},
		"an archive":  {Name: "app/.yarn/cache/a-npm-1.zip", Body: yarnZip(t, "a", `{"name":"a","version":"1"}`)},
		"python":      {Name: "usr/lib/python3/dist-packages/a-1.dist-info/METADATA", Body: "Metadata-Version: 2.1\nName: a\nVersion: 1\n"},
		"gem":         {Name: "usr/lib/ruby/gems/3.1.0/specifications/a-1.gemspec", Body: "Gem::Specification.new do |s|\n  s.name = \"a\".freeze\n  s.version = \"1\"\nend\n"},
		"composer":    {Name: "app/vendor/composer/installed.json", Body: `{"packages":[{"name":"a/a","version":"1"}]}`},
		"pacman":      {Name: "var/lib/pacman/local/a-1-1/desc", Body: "%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n"},
		"dpkg":        {Name: "var/lib/dpkg/status", Body: "Package: a\nVersion: 1\n"},
		"a status.d":  {Name: "var/lib/dpkg/status.d/a", Body: "Package: a\nVersion: 1\n"},
		"apk":         {Name: "lib/apk/db/installed", Body: "P:a\nV:1\n"},
		"opkg":        {Name: "usr/lib/opkg/status", Body: "Package: a\nVersion: 1\n"},
		"opkg, alone": {Name: "usr/lib/opkg/info/a.control", Body: "Package: a\nVersion: 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := testimage.File{Name: "app/vendor/a/a/README"} // of the package of Composer
			if inv := take(t, []testimage.File{file, folder}); len(inv.Components) != 1 || len(inv.Skipped) != 0 {
				t.Fatalf("%+v, skipped %+v", inv.Components, inv.Skipped)
			}
			bad := testimage.File{Name: file.Name, Body: "\x01\n"}
			inv := take(t, []testimage.File{file, folder}, []testimage.File{bad})
			if len(inv.Components) != 0 || len(inv.Past) != 0 {
				t.Errorf("%+v, history %+v", inv.Components, inv.Past)
			}
			told := false
			for _, s := range inv.Skipped {
				told = told || s.Path == file.Name && !s.History
			}
			open := false
			for _, c := range inv.Completeness {
				open = open || c.Aggregate == "incomplete"
			}
			if !told || !open {
				t.Errorf("skipped %+v, completeness %+v", inv.Skipped, inv.Completeness)
			}
			// One that is removed is.
			if inv = take(t, []testimage.File{file, folder}, []testimage.File{testimage.Whiteout(file.Name)}); len(inv.Past) != 1 {
				t.Errorf("removed: history %+v", inv.Past)
			}
		})
	}
}
