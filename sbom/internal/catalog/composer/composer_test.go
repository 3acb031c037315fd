package composer

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testscalibr"
)

var digests = cmp.Comparer(func(a, b assay.Digest) bool { return a == b })

// A composer.lock has the packages in the same form as installed.json, under
// "packages" and "packages-dev".
func TestLocksOfOthers(t *testing.T) {
	for _, c := range testscalibr.Cases(t, "extractor/filesystem/language/php/composerlock") {
		t.Run(filepath.Base(c.File), func(t *testing.T) {
			data, err := os.ReadFile(c.File)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, key := range []string{"packages", "packages-dev"} {
				var lock map[string]json.RawMessage
				if err := json.Unmarshal(data, &lock); err != nil || lock[key] == nil {
					if !c.Fails {
						t.Skip("no list of packages")
					}
					return
				}
				pkgs, err := ParseInstalled(c.File, lock[key])
				if err != nil {
					if !c.Fails {
						t.Fatal(err)
					}
					return
				}
				for _, p := range pkgs {
					got = append(got, p.Name+"@"+p.Version)
				}
			}
			slices.Sort(c.Packages)
			slices.Sort(got)
			if d := cmp.Diff(c.Packages, got); d != "" && len(got)+len(c.Packages) > 0 {
				t.Error("packages (-osv-scalibr +here):\n" + d)
			}
		})
	}
}

const installed = `{"packages":[{"name":"Acme/Lib","version":"v1.2.3","version_normalized":"1.2.3.0","type":"library","description":"d",
	"source":{"type":"git","url":"https://x.test/lib.git","reference":"abc"},
	"dist":{"type":"zip","url":"https://x.test/lib.zip","reference":"abc","shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	"require":{"php":">=8","ext-json":"*","Acme/Other":"^1","psr/log-implementation":"1"},"provide":{"psr/x":"1"},"replace":[],
	"license":["MIT","GPL-2.0-only OR ISC"],"authors":[{"name":"A","email":"a@example.org"}],"homepage":"https://x.test/","support":{"issues":"https://x.test/i","email":"a@example.org","docs":7},"install-path":"../acme/lib"},
	{"name":"acme/meta","version":"1","type":"metapackage","install-path":null,"dist":{"shasum":""}}],
	"dev":true,"dev-package-names":["acme/META"]}`

func TestParseInstalled(t *testing.T) {
	got, err := ParseInstalled("x", []byte(installed))
	if err != nil {
		t.Fatal(err)
	}
	want := []Package{
		{Name: "Acme/Lib", Version: "v1.2.3", Description: "d", Type: "library", Supplier: "A <a@example.org>",
			Homepage: "https://x.test/", Support: []Link{{"issues", "https://x.test/i"}},
			Licenses: []assay.License{{Expression: "MIT OR (GPL-2.0-only OR ISC)"}}, Source: "https://x.test/lib.git", Revision: "abc",
			Dist: "https://x.test/lib.zip", Hashes: assay.DigestSet{assay.MustDigest("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709")},
			Path: "../acme/lib", Requires: []string{"acme/other", "psr/log-implementation"}, Provides: []string{"psr/x"}},
		{Name: "acme/meta", Version: "1", Type: "metapackage", Dev: true},
	}
	if d := cmp.Diff(want, got, digests); d != "" {
		t.Error(d)
	}
	got, err = ParseInstalled("x", []byte(`[{"name":"a/b","version":"dev-main","license":"MIT"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Package{{Name: "a/b", Version: "dev-main", Path: "../a/b", Licenses: []assay.License{{Expression: "MIT"}}}}, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "null", "{}", `{"packages":{}}`, `[{"name":"a","version":"1"}]`, `[{"name":"a/b"}]`, `[{"name":"a/b","version":"1","name":"c/d"}]`, `[] []`, `[{"name":"a/b/c","version":"1"}]`, "[7]"} {
		if p, err := ParseInstalled("d/installed.json", []byte(bad)); p != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "d/installed.json") {
			t.Errorf("%q: %v, %v", bad, p, err)
		}
	}
}

func FuzzParseInstalled(f *testing.F) {
	f.Add([]byte(installed))
	f.Add([]byte(`[{"name":"a/b","version":"1","require":[],"license":[1,"x"],"authors":[1]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		pkgs, err := ParseInstalled("x", data)
		if err != nil {
			if pkgs != nil || !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
				t.Fatalf("%v, %v", pkgs, err)
			}
			return
		}
		for _, p := range pkgs {
			if !strings.Contains(p.Name, "/") || p.Version == "" || p.Size() < len(p.Name) {
				t.Fatalf("%+v", p)
			}
		}
	})
}

func BenchmarkParseInstalled(b *testing.B) {
	one := strings.TrimSuffix(strings.TrimPrefix(installed, `{"packages":[`), `],
	"dev":true,"dev-package-names":["acme/META"]}`)
	text := []byte("[" + strings.Repeat(one+",", 99) + one + "]")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseInstalled("x", text); err != nil {
			b.Fatal(err)
		}
	}
}
