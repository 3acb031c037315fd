package npm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testscalibr"
)

var digests = cmp.Comparer(func(a, b assay.Digest) bool { return a == b })

// Package-lock, pnpm and Yarn test data of another tool, with what it expects.
func TestLocksOfOthers(t *testing.T) {
	for _, c := range []struct {
		folder string
		parse  func(string, []byte) (*Lock, error)
		least  int
	}{
		{"packagelockjson", ParseLock, 20},
		{"pnpmlock", ParsePnpm, 30},
		{"yarnlock", ParseYarn, 20},
	} {
		t.Run(c.folder, func(t *testing.T) {
			cases := testscalibr.Cases(t, "extractor/filesystem/language/javascript/"+c.folder)
			if len(cases) < c.least {
				t.Errorf("%d cases", len(cases))
			}
			for _, row := range cases {
				if strings.HasSuffix(row.File, "/both/package-lock.json") {
					continue // not read there, for the npm-shrinkwrap.json beside it
				}
				// Folders of the project are no packages here.
				row.Packages = slices.DeleteFunc(row.Packages, func(p string) bool {
					return strings.HasPrefix(p, "@my-monorepo/") || p == "@ws/ansi-regex@0.0.0-use.local" || p == "etag@1.8.0" && strings.Contains(row.File, "/files.v")
				})
				t.Run(filepath.Base(row.File), func(t *testing.T) {
					data, err := os.ReadFile(row.File)
					if err != nil {
						t.Fatal(err)
					}
					lock, err := c.parse(row.File, data)
					if err != nil {
						if !row.Fails {
							t.Error(err)
						}
						return
					}
					if row.Fails && !lock.Partial {
						t.Errorf("neither an error nor partial")
					}
					var got []string
					for _, p := range lock.Packages {
						got = append(got, p.Name+"@"+p.Version)
					}
					want := slices.Clone(row.Packages)
					slices.Sort(want)
					slices.Sort(got)
					if d := cmp.Diff(slices.Compact(want), slices.Compact(got)); d != "" {
						t.Error("packages (-osv-scalibr +here):\n" + d)
					}
				})
			}
		})
	}
}

func checkLock(t *testing.T, l *Lock, err error) {
	t.Helper()
	if (l == nil) == (err == nil) {
		t.Fatalf("%v, %v", l, err)
	}
	if err != nil {
		if !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
			t.Fatal(err)
		}
		return
	}
	for _, p := range l.Packages {
		if !ValidName(p.Name) || p.Version == "" && p.Resolved == "" {
			t.Fatalf("%+v", p)
		}
		for _, d := range p.Depends {
			if d < 0 || d >= len(l.Packages) {
				t.Fatalf("%+v", p)
			}
		}
	}
}

func TestParsePnpm(t *testing.T) {
	integrity := "{integrity: " + sri512 + "}"
	for title, c := range map[string]string{
		"5.4": `lockfileVersion: 5.4
packages:
  /@s/b/2.0.0_c@1.0.0:
    resolution: ` + integrity + `
    dependencies:
      c_d: 1.0.0
  /c_d/1.0.0:
    resolution: ` + integrity + `
    dev: true
  github.com/o/git/abc:
    resolution: {commit: abc, repo: https://x.test/o/git, type: git}
    name: git
    version: 3.0.0
    dependencies:
      '@s/b': 2.0.0_c@1.0.0
`,
		"6.0": `lockfileVersion: '6.0'
packages:
  /@s/b@2.0.0(c@1.0.0):
    resolution: ` + integrity + `
    dependencies:
      c_d: 1.0.0
  /c_d@1.0.0:
    resolution: ` + integrity + `
    dev: true
  github.com/o/git/abc:
    resolution: {commit: abc, repo: https://x.test/o/git, type: git}
    name: git
    version: 3.0.0
    dependencies:
      '@s/b': 2.0.0(c@1.0.0)
`,
		"9.0": `lockfileVersion: '9.0'
packages:
  '@s/b@2.0.0':
    resolution: ` + integrity + `
  c_d@1.0.0:
    resolution: ` + integrity + `
    dev: true
  git@https://x.test/o/git#abc:
    resolution: {commit: abc, repo: https://x.test/o/git, type: git}
    version: 3.0.0
snapshots:
  '@s/b@2.0.0(c@1.0.0)':
    dependencies:
      c_d: 1.0.0
  c_d@1.0.0: {}
  git@https://x.test/o/git#abc:
    dependencies:
      '@s/b': 2.0.0(c@1.0.0)
`,
	} {
		t.Run(title, func(t *testing.T) {
			got, err := ParsePnpm("pnpm-lock.yaml", []byte(c))
			if err != nil {
				t.Fatal(err)
			}
			set := ParseIntegrity(sri512)
			want := &Lock{Packages: []Locked{
				{Name: "@s/b", Version: "2.0.0", Integrity: set, Depends: []int{1}},
				{Name: "c_d", Version: "1.0.0", Integrity: set, Dev: true},
				{Name: "git", Version: "3.0.0", Resolved: "https://x.test/o/git#abc", Depends: []int{0}},
			}}
			if d := cmp.Diff(want, got, digests); d != "" {
				t.Error(d)
			}
		})
	}
	for _, bad := range []string{"a: 1", "lockfileVersion: 9\npackages:\n  a@1:\n  a@1:\n"} {
		if got, err := ParsePnpm("dir/pnpm-lock.yaml", []byte(bad)); got != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "dir/pnpm-lock.yaml") {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}

func TestParseYarn(t *testing.T) {
	const classic = `# yarn lockfile v1


a@^1, "@s/b@>=2 <3":
  version "2.1.0"
  resolved "https://registry.yarnpkg.com/@s/b/-/b-2.1.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709"
  dependencies:
    c "npm:real@^1"

"c@npm:real@^1":
  version "1.0.0"
  resolved "https://registry.yarnpkg.com/real/-/real-1.0.0.tgz#da39a3ee5e6b4b0d3255bfef95601890afd80709"
  integrity ` + sri512 + `
  optionalDependencies:
    missing "^1"
`
	got, err := ParseYarn("yarn.lock", []byte(classic))
	if err != nil {
		t.Fatal(err)
	}
	want := &Lock{Packages: []Locked{
		{Name: "a", Version: "2.1.0", Resolved: "https://registry.yarnpkg.com/@s/b/-/b-2.1.0.tgz", Integrity: ParseIntegrity(sri1), Depends: []int{1}},
		{Name: "real", Version: "1.0.0", Resolved: "https://registry.yarnpkg.com/real/-/real-1.0.0.tgz", Integrity: ParseIntegrity(sri512)},
	}}
	if d := cmp.Diff(want, got, digests); d != "" {
		t.Error(d)
	}
	const berry = `__metadata:
  version: 8
  cacheKey: 10c0

"@s/b@npm:>=2 <3, @s/b@npm:^2":
  version: 2.1.0
  resolution: "@s/b@npm:2.1.0"
  dependencies:
    c: "npm:real@^1"
    old: ^3
  checksum: 10c0/ab
  languageName: node
  linkType: hard

"c@npm:real@^1":
  version: 1.0.0
  resolution: "real@npm:1.0.0"

"old@npm:^3":
  version: 3.0.0
  resolution: "old@https://x.test/old.git#commit=1"

"root@workspace:.":
  version: 0.0.0-use.local
  resolution: "root@workspace:."
  dependencies:
    old: ^3
`
	if got, err = ParseYarn("yarn.lock", []byte(berry)); err != nil {
		t.Fatal(err)
	}
	want = &Lock{Packages: []Locked{
		{Name: "@s/b", Version: "2.1.0", Depends: []int{1, 2}},
		{Name: "old", Version: "3.0.0", Resolved: "https://x.test/old.git#commit=1"},
		{Name: "real", Version: "1.0.0"},
	}}
	if d := cmp.Diff(want, got, digests); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"a@1", "a@1:\n version \"1\"", "  version \"1\"", "a@1, :\n", "a@1:\n  version \"1", "a@1:\n  version", "__metadata:\n  a: *b\n", "\"a@1:\n"} {
		if got, err := ParseYarn("dir/yarn.lock", []byte(bad)); got != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "dir/yarn.lock") {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}

func FuzzParsePnpm(f *testing.F) {
	f.Add([]byte("lockfileVersion: 5.3\npackages:\n  /a/1.0.0_b@1:\n    resolution: {integrity: x}\n    dependencies:\n      b: 1.0.0\n"))
	f.Add([]byte("lockfileVersion: \"0\n\n"))
	f.Add([]byte("lockfileVersion: '9.0'\npackages:\n  '@s/a@1.0.0':\n    resolution: {tarball: x}\nsnapshots:\n  '@s/a@1.0.0(b@1)': {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParsePnpm("x", data)
		checkLock(t, l, err)
	})
}

func FuzzParseYarn(f *testing.F) {
	f.Add([]byte("a@^1, \"b@npm:c@2\":\n  version \"1.0.0\"\n  resolved \"u#1\"\n  dependencies:\n    a \"^1\"\n"))
	f.Add([]byte("__metadata:\n  version: 8\n\"a@npm:^1\":\n  version: 1\n  resolution: \"a@npm:1\"\n  dependencies:\n    a: ^1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseYarn("x", data)
		checkLock(t, l, err)
	})
}

// BenchmarkParsePnpm gives its time as a multiple of what the parser of YAML takes to
// make the tree of the whole file.
func BenchmarkParsePnpm(b *testing.B) {
	var text strings.Builder
	text.WriteString("lockfileVersion: '9.0'\n\npackages:\n\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "  '@scope/package-%d@1.0.%d':\n    resolution: {integrity: %s}\n    engines: {node: '>=12'}\n\n", i, i, sri512)
	}
	data := []byte(text.String())
	begin := time.Now()
	const rounds = 3
	for range rounds {
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			b.Fatal(err)
		}
	}
	floor := time.Since(begin) / rounds
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePnpm("x", data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), "x-floor")
}
