package apk

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
)

const installed = `C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:alpine-baselayout
V:3.4.3-r1
A:x86_64
S:8899
L:GPL-2.0-only
o:alpine-baselayout
m:Natanael Copa <ncopa@alpinelinux.org>
T:Alpine base dir structure and init scripts
U:https://git.alpinelinux.org/
c:bd965a7ebf7fd8f07d7a0cc0d7375bf3e4eb9b24
D:alpine-baselayout-data=3.4.3-r1 /bin/sh so:libc.musl-x86_64.so.1 !baselayout<2 x@edge>1 y@edge
F:
R:top
F:etc
M:0:0:1777
R:motd
a:0:0:644
Z:Q1SLkS9hBidUbPwwrw+XR0Whv3ww8=
F:usr

P:busybox
V:1.36.1-r5
A:x86_64
p:/bin/sh cmd:sh=1.36.1-r5
F:bin
R:busybox
`

func TestParseInstalled(t *testing.T) {
	got, faults := ParseInstalled(installed)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []Package{
		{
			Name: "alpine-baselayout", Version: "3.4.3-r1", Architecture: "x86_64", License: "GPL-2.0-only", Origin: "alpine-baselayout",
			Maintainer: "Natanael Copa <ncopa@alpinelinux.org>", Summary: "Alpine base dir structure and init scripts",
			URL: "https://git.alpinelinux.org/", Commit: "bd965a7ebf7fd8f07d7a0cc0d7375bf3e4eb9b24", Checksum: "Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=",
			Depends: []Dependency{{"alpine-baselayout-data", "=3.4.3-r1"}, {Name: "/bin/sh"}, {Name: "so:libc.musl-x86_64.so.1"}, {"x", ">1"}, {Name: "y"}},
			Files:   []string{"top", "etc/motd"},
		},
		{
			Name: "busybox", Version: "1.36.1-r5", Architecture: "x86_64",
			Provides: []Dependency{{Name: "/bin/sh"}, {"cmd:sh", "=1.36.1-r5"}}, Files: []string{"bin/busybox"},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseInstalledRefuses(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"no colon":   {"P:a\nV1\n", "line 2"},
		"no version": {"P:a\n\nP:b\nV:1\n", "line 2"},
		"no name":    {"V:1\n", "a package with P and V"},
		"two names":  {"P:a\nP:b\nV:1\n", "line 2"},
		"bad name":   {"P:a b\nV:1\n", `"P:a b"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := ParseInstalled(c.data)
			got = slices.DeleteFunc(got, func(p Package) bool { return p.Name == "b" && p.Version == "1" })
			if len(faults) != 1 || !errors.Is(faults[0], assay.ErrInvalid) || len(got) != 0 || !strings.Contains(faults[0].Error(), c.want) {
				t.Errorf("got %v, %v; want a fault with %q", got, faults, c.want)
			}
			// The records around it are read.
			around := "P:x\nV:1\n\n" + strings.TrimSuffix(c.data, "\n") + "\n\nP:y\nV:2\nF:bin\nR:y\n"
			got, faults = ParseInstalled(around)
			if got = slices.DeleteFunc(got, func(p Package) bool { return p.Name == "b" && p.Version == "1" }); len(got) != 2 || got[0].Name != "x" || got[1].Name != "y" || len(faults) != 1 {
				t.Errorf("among others: got %v, %v", got, faults)
			}
		})
	}
}

func TestSatisfying(t *testing.T) {
	x := NewIndex([]Package{
		{Name: "a", Depends: []Dependency{{Name: "/bin/b"}, {Name: "/nowhere"}}},
		{Name: "b", Files: []string{"bin/b"}, Provides: []Dependency{{Name: "so:b.so", Constraint: "=1"}, {Name: "v"}}},
		{Name: "c", Provides: []Dependency{{Name: "v"}}},
	})
	for in, want := range map[string][]int{"a": {0}, "so:b.so": {1}, "v": {1, 2}, "/bin/b": {1}, "/nowhere": nil, "none": nil} {
		if d := cmp.Diff(want, x.Satisfying(Dependency{Name: in})); d != "" {
			t.Error(in, d)
		}
	}
}

func FuzzParseInstalled(f *testing.F) {
	f.Add(installed)
	f.Add("P:a\nV:1\nD:! @ = >=\np:~\nR:x\n\n\n")
	f.Fuzz(func(t *testing.T, data string) {
		pkgs, faults := ParseInstalled(data)
		for _, err := range faults {
			if !errors.Is(err, assay.ErrInvalid) {
				t.Fatal(err)
			}
		}
		again, more := ParseInstalled("broken\n\n" + data)
		if len(more) != len(faults)+1 && len(more) != dpkg.MaxFaults+1 || !cmp.Equal(pkgs, again) {
			t.Fatalf("behind a broken record: %v, %v", again, more)
		}
		x := NewIndex(pkgs)
		for _, p := range pkgs {
			if p.Name == "" || p.Version == "" {
				t.Fatalf("%+v", p)
			}
			if len(x.Satisfying(Dependency{Name: p.Name})) == 0 {
				t.Fatalf("%s does not satisfy itself", p.Name)
			}
		}
	})
}
