package catalog

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// The engine lends the bytes of a file and uses their memory for the next one, so
// no fact may point into them.
func TestVisitorsKeepNoContent(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		dpkgStatus:                       "Package: a\nStatus: install ok installed\nVersion: 1-2\nArchitecture: amd64\nMaintainer: M <m@example.org>\nDepends: b (>= 2) | c\n",
		dpkgDiversions:                   "/bin/a\n/bin/b\npkg\n",
		dpkgInfo + "a.list":              "/.\n/bin\n/bin/a\n",
		dpkgInfo + "a.md5sums":           "d41d8cd98f00b204e9800998ecf8427e  bin/a\n",
		docDir + "a/copyright":           "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: x\nLicense: Expat\n text\n",
		apkPaths[0]:                      "C:Q1eVpkasfqZAukAXFYbgwt4xAMZWU=\nP:musl\nV:1.2-r3\nA:x86_64\nL:MIT\no:musl\nD:so:x\np:so:y=1\nF:lib\nR:libc.so\n\n",
		"app/package.json":               `{"name":"app","version":"1.0.0","license":"MIT","dependencies":{"x":"^1"},"devDependencies":{"y":"1"}}`,
		"app/package-lock.json":          `{"name":"app","lockfileVersion":3,"packages":{"":{"name":"app"},"node_modules/x":{"version":"1.0.0","resolved":"https://example.org/x.tgz","integrity":"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="}}}`,
		"app/self":                       string(self),
		"app/yarn.lock":                  "a@^1:\n  version \"1.0.0\"\n  resolved \"https://example.org/a.tgz\"\n",
		"app/pnpm-lock.yaml":             "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {tarball: https://example.org/a.tgz}\n",
		"p/a.dist-info/METADATA":         "Name: a\nVersion: 1\nSummary: s\nAuthor: x\nLicense: y\nRequires-Dist: b[c]; extra == 'd'\n",
		"p/a.dist-info/RECORD":           "a.py,sha256=x,1\n",
		"p/a.dist-info/direct_url.json":  `{"url":"https://example.org/a.git","vcs_info":{"vcs":"git","commit_id":"abc"}}`,
		"p/a.egg-info/requires.txt":      "b\n[c:os_name == 'nt']\nd\n",
		"g/specifications/a-1.gemspec":   "# stub: a 1 ruby lib\nGem::Specification.new do |s|\n  s.summary = \"s\"\n  s.licenses = [\"MIT\"]\n  s.add_dependency(%q<b>, [\">= 0\"])\nend\n",
		"vendor/composer/installed.json": `[{"name":"a/b","version":"1","description":"d","require":{"c/d":"1"},"license":"x"}]`,
	}
	seen := map[string]bool{}
	for _, v := range New(0).Visitors() {
		for path, body := range files {
			f := &layers.File{Path: path, Size: int64(len(body)), Mode: 0o755}
			want := v.Match(f)
			if p, ok := v.(layers.Peeker); ok && want&layers.WantPeek != 0 {
				want |= p.Peek(f, []byte(body[:min(len(body), layers.PeekSize)]))
			}
			if want&layers.WantContent == 0 {
				continue
			}
			kept, lent := []byte(body), []byte(body)
			expected, err := v.Visit(t.Context(), f, layers.Content{Bytes: kept})
			if err != nil {
				t.Fatal(err)
			}
			if _, bad := expected.(faulty); bad || expected == nil {
				continue
			}
			seen[path] = true
			got, err := v.Visit(t.Context(), f, layers.Content{Bytes: lent})
			if err != nil {
				t.Fatal(err)
			}
			copy(lent, bytes.Repeat([]byte("?"), len(lent)))
			if d := cmp.Diff(expected, got, cmp.Exporter(func(reflect.Type) bool { return true }), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
				t.Errorf("%s, %s: the fact changed with the content: %s", v.Name(), path, d)
			}
		}
	}
	for path := range files {
		if !seen[path] {
			t.Errorf("nobody made anything of %s", path)
		}
	}
}
