package pacman

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

const desc = `%NAME%
gawk

%VERSION%
1:5.3.1-1

%BASE%
gawk-base

%DESC%
GNU version of awk

%URL%
https://www.gnu.org/software/gawk/

%ARCH%
x86_64

%PACKAGER%
A <a@b>

%REASON%
1

%LICENSE%
GPL-3.0-or-later
custom:x

%VALIDATION%
pgp

%DEPENDS%
sh
glibc>=2.30
libreadline.so=8-64

%OPTDEPENDS%
x: y

%PROVIDES%
awk
libgawk.so=1-64

%XDATA%
pkgtype=pkg
`

func TestParseDesc(t *testing.T) {
	got, err := ParseDesc(desc)
	if err != nil {
		t.Fatal(err)
	}
	want := &Package{
		Name: "gawk", Version: "1:5.3.1-1", Base: "gawk-base", Arch: "x86_64", Summary: "GNU version of awk",
		URL: "https://www.gnu.org/software/gawk/", Packager: "A <a@b>", Licenses: []string{"GPL-3.0-or-later", "custom:x"}, Validation: []string{"pgp"},
		Depends:  []Dependency{{Name: "sh"}, {"glibc", ">=", "2.30"}, {"libreadline.so", "=", "8-64"}},
		Provides: []Dependency{{Name: "awk"}, {"libgawk.so", "=", "1-64"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data, want string
		kind       error
	}{
		"empty":       {"", "%NAME%", assay.ErrInvalid},
		"no version":  {"%NAME%\na\n", "%VERSION%", assay.ErrInvalid},
		"bad name":    {"%NAME%\na/b\n\n%VERSION%\n1\n", "a/b", assay.ErrInvalid},
		"two names":   {"%NAME%\na\nb\n\n%VERSION%\n1\n", "line 3", assay.ErrInvalid},
		"name again":  {"%NAME%\na\n\n%NAME%\nb\n", "line 4", assay.ErrInvalid},
		"no section":  {"NAME\na\n", "line 1", assay.ErrInvalid},
		"open":        {"%NAME\na\n", "line 1", assay.ErrInvalid},
		"many values": {"%DEPENDS%\n" + strings.Repeat("a\n", maxValues+1), "at most", assay.ErrBound},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseDesc(c.data)
			if got != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want an error with %q", got, err, c.want)
			}
		})
	}
}

func TestParseFiles(t *testing.T) {
	got, err := ParseFiles("%FILES%\nusr/\nusr/bin/\nusr/bin/gawk\n\n%BACKUP%\netc/x\tabc\n")
	if err != nil || !cmp.Equal(got, []string{"usr/bin/gawk"}) {
		t.Error(got, err)
	}
	if _, err := ParseFiles("x"); !errors.Is(err, assay.ErrInvalid) {
		t.Error(err)
	}
}

// The cases of vercmp(8), and of what is odd.
func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0a", "1.0b", -1}, {"1.0b", "1.0beta", -1}, {"1.0beta", "1.0p", -1}, {"1.0p", "1.0pre", -1}, {"1.0pre", "1.0rc", -1}, {"1.0rc", "1.0", -1},
		{"1.0", "1.0.a", -1}, {"1.0.a", "1.0.1", -1}, {"1", "1.0", -1}, {"1.0", "1.1", -1}, {"1.1", "1.1.1", -1}, {"1.1.1", "1.2", -1}, {"1.2", "2.0", -1},
		{"2.0", "3.0.0", -1}, {"1:1.0", "2.0", 1}, {"1.0-1", "1.0", 0}, {"1.0-1", "1.0-2", -1}, {"0:1", "1", 0}, {"1.01", "1.1", 0}, {"1..0", "1.0", 1},
	} {
		if got := CompareVersions(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := CompareVersions(c.b, c.a); got != -c.want {
			t.Errorf("%s and %s: %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

func TestSatisfying(t *testing.T) {
	x := NewIndex([]*Package{
		{Name: "a", Version: "1:2-1", Provides: []Dependency{{"lib.so", "=", "1-64"}, {Name: "v"}}},
		{Name: "b", Version: "1-1", Provides: []Dependency{{"lib.so", "=", "2-64"}, {"v", "=", "3"}}},
	})
	for _, c := range []struct {
		d    string
		want []int
	}{
		{"a", []int{0}}, {"a>3", []int{0}}, {"a<3", nil}, {"a=1:2", []int{0}}, {"lib.so=2-64", []int{1}}, {"lib.so", []int{0, 1}},
		{"v", []int{0, 1}}, {"v>=3", []int{1}}, {"none", nil}, {"b: why", []int{1}}, {"b<=1-1", []int{1}},
	} {
		got, err := x.Satisfying(parseDependency(c.d))
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("%s: %v %v, want %v", c.d, got, err, c.want)
		}
	}
}

func FuzzParseDesc(f *testing.F) {
	f.Add(desc)
	f.Add("%NAME%\r\na\r\n\r\n%VERSION%\n1\n%DEPENDS%\n=\n\n%DEPENDS%\n")
	f.Fuzz(func(t *testing.T, data string) {
		if files, err := ParseFiles(data); err != nil && (files != nil || assay.KindOf(err) == nil) {
			t.Fatal(files, err)
		}
		p, err := ParseDesc(data)
		if err != nil {
			if p != nil || !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
				t.Fatalf("%v with %v", p, err)
			}
			return
		}
		x := NewIndex([]*Package{p})
		if found, err := x.Satisfying(Dependency{Name: p.Name}); err != nil || len(found) == 0 {
			t.Fatalf("%+v does not satisfy itself", p)
		}
		for _, d := range p.Depends {
			if _, err := x.Satisfying(d); err != nil {
				t.Fatal(err)
			}
			if CompareVersions(d.Version, p.Version) != -CompareVersions(p.Version, d.Version) {
				t.Fatalf("%q and %q", d.Version, p.Version)
			}
		}
	})
}

// Files of real packages, and the ones that scalibr made of them.
func TestRealDesc(t *testing.T) {
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no source of the module github.com/google/osv-scalibr")
	}
	for file, want := range map[string]string{
		"valid": "gawk 5.3.1-1 [{sh  } {glibc  } {mpfr  }]", "valid_one_dep": "filesystem 2024.11.21-1 [{iana-etc  }]",
		"valid_no_dep": "libxml2 2.13.5-1 []",
	} {
		data, err := os.ReadFile(filepath.Join(dir, "extractor/filesystem/os/pacman/testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseDesc(string(data))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got := fmt.Sprintf("%s %s %v", p.Name, p.Version, p.Depends); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}
