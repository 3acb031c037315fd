package dpkg

import (
	"errors"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

const status = `Package: libc6
Status: install ok installed
Priority: optional
Section: libs
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: glibc (2.36-9)
Version: 2.36-9+b1
Depends: libgcc-s1, libcrypt1 (>= 1:4.4.10-10~) | libxcrypt [amd64], foo:any (<< 2)
Provides: libc6-virtual, ld (= 2)
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
Description: GNU C Library: Shared libraries
 Contains the standard libraries.
 .
 And more.

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

package: half
Status: install reinstreq half-configured
Architecture: all
Version: 1:2-3
Pre-Depends: libc6 (>= 2.36)
`

func TestParseStatus(t *testing.T) {
	got, faults := ParseStatus([]byte(status))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []Package{
		{
			Name: "libc6", Version: "2.36-9+b1", Architecture: "amd64", MultiArch: "same", State: "installed", Section: "libs",
			Source: assay.SourcePackage{Name: "glibc", Version: "2.36-9"}, Summary: "GNU C Library: Shared libraries",
			Maintainer: "GNU Libc Maintainers <debian-glibc@lists.debian.org>",
			Depends: []Group{
				{{Name: "libgcc-s1"}},
				{{Name: "libcrypt1", Op: ">=", Version: "1:4.4.10-10~"}, {Name: "libxcrypt"}},
				{{Name: "foo", Arch: "any", Op: "<<", Version: "2"}},
			},
			Provides: []Provided{{Name: "libc6-virtual"}, {"ld", "2"}},
		},
		{Name: "gone", Version: "1", Architecture: "all", State: "config-files", Source: assay.SourcePackage{Name: "gone", Version: "1"}},
		{
			Name: "half", Version: "1:2-3", Architecture: "all", State: "half-configured",
			Source:  assay.SourcePackage{Name: "half", Version: "1:2-3"},
			Depends: []Group{{{Name: "libc6", Op: ">=", Version: "2.36"}}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got[1].Unpacked() || !got[2].Unpacked() {
		t.Error("config-files counts as unpacked, or half-configured does not")
	}
}

func TestParseStatusRefuses(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"no colon":           {"Package: a\nVersion 1\n", "line 2"},
		"stray continuation": {" a\n", "line 1"},
		"repeated field":     {"Package: a\nVersion: 1\nversion: 2\n", "line 3"},
		"no name":            {"Version: 1\n", "a package name"},
		"slash in name":      {"Package: a/b\nVersion: 1\n", `"a/b"`},
		"no version":         {"Package: a\nStatus: install ok installed\n", "a Version"},
		"unknown state":      {"Package: a\nVersion: 1\nStatus: install ok fine\n", "install ok fine"},
		"two states":         {"Package: a\nVersion: 1\nStatus: install ok\n", "Status of a"},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := ParseStatus([]byte(c.data))
			if len(faults) != 1 || !errors.Is(faults[0], assay.ErrInvalid) || got != nil || !strings.Contains(faults[0].Error(), c.want) {
				t.Errorf("got %v, %v; want a fault with %q", got, faults, c.want)
			}
			// The paragraphs around it are read, and so are the lines counted.
			around := "Package: x\nVersion: 1\n\n" + c.data + "Rest: of it\n more\n\nPackage: y\nVersion: 2\n"
			if got, faults := ParseStatus([]byte(around)); len(got) != 2 || got[0].Name != "x" || got[1].Name != "y" || len(faults) != 1 {
				t.Errorf("among others: got %v, %v", got, faults)
			}
		})
	}
}

// A database of nothing but faults tells a hundred, and how many more there are.
func TestParseStatusFaults(t *testing.T) {
	got, faults := ParseStatus([]byte(strings.Repeat("x\n\n", MaxFaults+50)))
	if len(got) != 0 || len(faults) != MaxFaults+1 || !strings.Contains(faults[MaxFaults].Error(), "50 records more") {
		t.Errorf("got %v, %d faults, last %v", got, len(faults), faults[len(faults)-1])
	}
	long := strings.Repeat("x", 1<<20)
	if _, faults = ParseStatus([]byte(long)); len(faults) != 1 || len(faults[0].(*assay.Error).Value) > 256 {
		t.Error("a fault keeps the line whole")
	}
}

func TestWhole(t *testing.T) {
	for in, want := range map[string]string{"": "", "a\n": "a\n", "a\n\n": "a\n\n", "a": "", "a\nb": "a\n", "a\n\nb\nc": "a\n\nb\n"} {
		got, err := Whole([]byte(in))
		if string(got) != want || (err == nil) != (in == want) {
			t.Errorf("%q gives %q, %v", in, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "line "+strconv.Itoa(1+strings.Count(in, "\n"))) {
			t.Error(err)
		}
	}
}

func TestCheckLists(t *testing.T) {
	for in, want := range map[string]bool{"": true, "/.\n/bin\n/bin/a b\n": true, "/bin": false, "/bin\n\n/etc\n": false, "/bin\n/a\x00\n": false} {
		if _, err := CheckList(in); (err == nil) != want || err != nil && !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("list %q: %v", in, err)
		}
	}
	if got, err := CheckList("/a\n\n/b\n/cut"); err == nil || got != "/a\n\n/b\n" {
		t.Errorf("cut: %q, %v", got, err)
	}
	sum := strings.Repeat("0f", 16)
	for in, want := range map[string]bool{"": true, sum + "  bin/a\n\n" + sum + " *b": true, sum + "\n": false, "x" + sum[1:] + "  a\n": false, sum + "  a\x00\n": false, "\x7fELF": false} {
		if err := CheckSums(in); (err == nil) != want || err != nil && !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("sums %q: %v", in, err)
		}
	}
}

func TestSatisfying(t *testing.T) {
	pkgs := []Package{
		{Name: "a", Version: "2.0-1", Architecture: "amd64"},
		{Name: "a", Version: "2.0-1", Architecture: "i386"},
		{Name: "mta", Version: "1", Architecture: "all", Provides: []Provided{{Name: "mail-agent"}, {"mail-abi", "3"}}},
		{Name: "removed", Version: "1", Architecture: "amd64", State: "config-files"},
		{Name: "tool", Version: "5", Architecture: "i386", MultiArch: "foreign"},
		{Name: "python3", Version: "3.11", Architecture: "i386", MultiArch: "allowed"},
	}
	x := NewIndex(pkgs)
	for in, want := range map[string][]int{
		"a":                       {0},
		"a:i386":                  {1},
		"a (>> 2.0-1)":            nil,
		"a (>= 2.0-1)":            {0},
		"a (= 2.0-1)":             {0},
		"a (<< 1) | mail-agent":   {2},
		"a | mail-agent":          {0, 2},
		"mail-agent (>= 1)":       nil,
		"mail-abi (>= 3)":         {2},
		"mail-abi (>= 4)":         nil,
		"removed":                 nil,
		"tool":                    {4},
		"python3":                 nil,
		"python3:any (>= 3.11~)":  {5},
		"a (2.0-1)":               {0},
		"nothing | [amd64] | (x)": nil,
	} {
		t.Run(in, func(t *testing.T) {
			var got []int
			for _, g := range parseDepends(in) {
				got = append(got, x.Satisfying(g, "amd64")...)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

var ordered = []string{
	"0~~", "0~", "0", "0+1", "1.0~rc1-1", "1.0~rc1-2", "1.0-1~deb12u1", "1.0-1", "1.0-1+b1", "1.0-1.1",
	"1.0a", "1.0+a", "1.0.1", "1.1", "1.9", "1.10", "2:0.1", "10:0.0",
}

func TestCompareVersions(t *testing.T) {
	for i, a := range ordered {
		for j, b := range ordered {
			if got := CompareVersions(a, b); got != sign(i-j) {
				t.Errorf("CompareVersions(%q, %q) = %d", a, b, got)
			}
		}
	}
	for _, p := range [][2]string{{"1.0", "1.00"}, {"0:1", "1"}, {"1-0", "1"}, {"1.0-", "1.0"}} {
		if CompareVersions(p[0], p[1]) != 0 {
			t.Errorf("%q and %q differ", p[0], p[1])
		}
	}
}

func TestCompareVersionsAsDpkgDoes(t *testing.T) {
	t.Parallel()
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("no dpkg")
	}
	for i, a := range ordered {
		for _, b := range ordered[i+1:] {
			if err := exec.Command(dpkg, "--compare-versions", a, "lt", b).Run(); err != nil {
				t.Errorf("dpkg: %q is not less than %q: %v", a, b, err)
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestFileLists(t *testing.T) {
	got := slices.Collect(ListFiles("/.\n/usr\n/usr/bin/a b\n\n/etc/x\r\n"))
	if d := cmp.Diff([]string{"usr", "usr/bin/a b", "etc/x"}, got); d != "" {
		t.Error(d)
	}
	got = slices.Collect(SumFiles("d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\nd41d8cd98f00b204e9800998ecf8427e  ./usr/b c\nd41d8cd98f00b204e9800998ecf8427e  .hidden\nshort\n"))
	if d := cmp.Diff([]string{"usr/bin/a", "usr/b c", ".hidden"}, got); d != "" {
		t.Error(d)
	}
	div := ParseDiversions("/bin/sh\n/bin/sh.distrib\ndash\n/usr/x\n/usr/x.local\n:\n/cut\n")
	if d := cmp.Diff([]Diversion{{"bin/sh", "bin/sh.distrib", "dash"}, {"usr/x", "usr/x.local", ":"}}, div); d != "" {
		t.Error(d)
	}
}

func TestParseCopyright(t *testing.T) {
	expr := func(s string) assay.License { return assay.License{Expression: s} }
	name := func(s string) assay.License { return assay.License{Name: s} }
	for title, c := range map[string]struct {
		text string
		want []assay.License
	}{
		"machine-readable": {`Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Source: https://example.org

Files: *
Copyright: 2020 A
License: GPL-2+
 The text.

Files: b
License: Expat or LGPL-2.1

Files: c
License: Expat or LGPL-2.1

Files: d
License: BSD-3-clause and Apache-2

Files: e
License: public-domain

Files: f
License: GPL-1+ or Artistic, and Expat

Files: g
License: GPL-3+ with Bison exception

Files: h
License: GFDL-1.3 and MPL-2

License: ISC
 Only the text of a licence that is referred to.
`, []assay.License{
			expr("GPL-2.0-or-later"), expr("MIT OR LGPL-2.1-only"), expr("BSD-3-Clause"), expr("Apache-2.0"), name("public-domain"),
			name("GPL-1+ or Artistic, and Expat"), name("GPL-3+ with Bison exception"), expr("GFDL-1.3-only"), expr("MPL-2.0"),
		}},
		"all known": {"Format: copyright-format/1.0\nFiles: *\nLicense: Expat\n\nFiles: a\nLicense: GPL-2 or ISC\n\nFiles: b\nLicense: Zlib and ISC\n",
			[]assay.License{expr("MIT AND (GPL-2.0-only OR ISC) AND Zlib AND ISC")}},
		"for people": {`On Debian systems see /usr/share/common-licenses/GPL-2.
Or "/usr/share/common-licenses/LGPL", and /usr/share/common-licenses/GPL-2 again.`,
			[]assay.License{name("GPL-2"), name("LGPL")}},
		"nothing":             {"Copyright somebody.", nil},
		"broken after header": {"Format: copyright-format/1.0\nLicense: Expat\nnonsense\n/usr/share/common-licenses/GPL-3", []assay.License{name("GPL-3")}},
	} {
		t.Run(title, func(t *testing.T) {
			if d := cmp.Diff(c.want, ParseCopyright([]byte(c.text))); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(status))
	f.Add([]byte("Package: a\nVersion: 1\nDepends: a (>= 1) | b:any [x] <y>, (\nProvides: c (= 1)\n"))
	f.Add([]byte(" \n\t\n:\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pkgs, faults := ParseStatus(data)
		for _, err := range faults {
			if !errors.Is(err, assay.ErrInvalid) {
				t.Fatal(err)
			}
		}
		// Blank lines between paragraphs say nothing, and what is broken says nothing
		// about what comes after it.
		again, more := ParseStatus(append([]byte("broken\n\n"), data...))
		if len(more) != len(faults)+1 && len(more) != MaxFaults+1 || !cmp.Equal(pkgs, again) {
			t.Fatalf("behind a broken record: %v, %v", again, more)
		}
		x := NewIndex(pkgs)
		for i := range pkgs {
			for _, g := range pkgs[i].Depends {
				for _, j := range x.Satisfying(g, pkgs[i].Architecture) {
					if !pkgs[j].Unpacked() {
						t.Fatal("satisfied by a package that is not there")
					}
				}
			}
		}
	})
}

func FuzzCompareVersions(f *testing.F) {
	for i := range ordered[1:] {
		f.Add(ordered[i], ordered[i+1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if CompareVersions(a, a) != 0 || CompareVersions(a, b) != -CompareVersions(b, a) {
			t.Fatalf("%q, %q", a, b)
		}
	})
}

func FuzzParseCopyright(f *testing.F) {
	f.Add([]byte("Format: copyright-format/1.0\n\nFiles: *\nLicense: GPL-2+ or (Expat, and X)\n"))
	f.Add([]byte("/usr/share/common-licenses/GPL-2/usr/share/common-licenses/"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, l := range ParseCopyright(data) {
			if (l.Expression == "") == (l.Name == "") {
				t.Fatalf("%+v", l)
			}
		}
	})
}

func FuzzFileLists(f *testing.F) {
	f.Add("/.\n/usr/bin/a\n", "d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n")
	f.Fuzz(func(t *testing.T, list, sums string) {
		for p := range ListFiles(list) {
			if p == "" || strings.HasPrefix(p, "/") {
				t.Fatalf("%q", p)
			}
		}
		for p := range SumFiles(sums) {
			if p == "" || strings.HasPrefix(p, "/") {
				t.Fatalf("%q", p)
			}
		}
		ParseDiversions(list)
	})
}
