package rpm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
)

var full = rpmtest.Package{
	Name: "bash", Version: "5.2", Release: "1.fc40", Epoch: "2", SourceRPM: "bash-src-5.2-1.fc40.src.rpm", License: "GPL-3.0-or-later",
	Vendor: "Vendor", Summary: "A shell", Modularity: "m:1:2:3",
	Provides: []string{"bash 8 2:5.2-1.fc40", "/bin/sh", "/bin/sh"}, Requires: []string{"libc.so.6()(64bit)", "rpmlib(X) 16777226 4.0-1", "(a or b)", "glibc 12 2.30"},
	Files: []string{"/usr/bin/bash", "/usr/bin/sh", "!/usr/share/doc/bash", "/usr/share/bash"},
}

func TestParsePackage(t *testing.T) {
	got, err := rpm.ParsePackage(full.Header())
	if err != nil {
		t.Fatal(err)
	}
	want := &rpm.Package{
		Name: "bash", Version: "5.2", Release: "1.fc40", Epoch: "2", Arch: "x86_64", SourceRPM: "bash-src-5.2-1.fc40.src.rpm", License: "GPL-3.0-or-later",
		Vendor: "Vendor", Summary: "A shell", Modularity: "m:1:2:3", SigMD5: got.SigMD5, HeaderDigest: got.HeaderDigest,
		Provides: []rpm.Dependency{{Name: "bash", Flags: rpm.Equal, EVR: "2:5.2-1.fc40"}, {Name: "/bin/sh"}},
		Requires: []rpm.Dependency{{Name: "libc.so.6()(64bit)"}, {Name: "rpmlib(X)", Flags: rpm.RPMLib | rpm.Less | rpm.Equal, EVR: "4.0-1"},
			{Name: "(a or b)"}, {Name: "glibc", Flags: rpm.Greater | rpm.Equal, EVR: "2.30"}},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(rpm.Package{}), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if got.HeaderDigest.IsZero() || len(got.SigMD5) != 32 {
		t.Error(got.HeaderDigest, got.SigMD5)
	}
	if d := cmp.Diff([]string{"usr/bin/bash", "usr/bin/sh", "usr/share/bash"}, slices.Collect(got.Files())); d != "" {
		t.Error(d)
	}
	if s := got.Source(); s != (assay.SourcePackage{Name: "bash-src", Version: "5.2-1.fc40"}) || got.EVR() != "2:5.2-1.fc40" {
		t.Error(s, got.EVR())
	}
}

func TestSource(t *testing.T) {
	for in, want := range map[string]assay.SourcePackage{
		"a-b-1-2.src.rpm": {Name: "a-b", Version: "1-2"}, "a-1-2.nosrc.rpm": {Name: "a", Version: "1-2"},
		"(none)": {}, "": {}, "a-1.src.rpm": {}, "-1-2.src.rpm": {}, "a-1-2.rpm": {},
	} {
		if got := (&rpm.Package{SourceRPM: in}).Source(); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// at is the offset of the value of a tag in a header's index.
func at(t *testing.T, b []byte, tag uint32, field int) []byte {
	t.Helper()
	for i := 8; i < 8+16*int(binary.BigEndian.Uint32(b)); i += 16 {
		if binary.BigEndian.Uint32(b[i:]) == tag {
			return b[i+4*field:]
		}
	}
	t.Fatal("no tag", tag)
	return nil
}

func TestParsePackageRefuses(t *testing.T) {
	be := binary.BigEndian
	for name, c := range map[string]struct {
		damage func(b []byte) []byte
		want   string
		kind   error
	}{
		"empty":            {func(b []byte) []byte { return nil }, "0 bytes", assay.ErrInvalid},
		"truncated":        {func(b []byte) []byte { return b[:len(b)-1] }, "by its lengths", assay.ErrInvalid},
		"absurd entries":   {func(b []byte) []byte { be.PutUint32(b, 1<<31); return b }, "entries", assay.ErrInvalid},
		"absurd data":      {func(b []byte) []byte { be.PutUint32(b[4:], 1<<31); return b }, "2147483648 bytes", assay.ErrInvalid},
		"offset":           {func(b []byte) []byte { be.PutUint32(at(t, b, 1000, 2), 1<<30); return b }, "tag 1000", assay.ErrInvalid},
		"type":             {func(b []byte) []byte { be.PutUint32(at(t, b, 1001, 1), 4); return b }, "tag 1001", assay.ErrInvalid},
		"no name":          {func(b []byte) []byte { be.PutUint32(at(t, b, 1000, 0), 9999); return b }, "tag 1000", assay.ErrInvalid},
		"array count":      {func(b []byte) []byte { be.PutUint32(at(t, b, 1117, 3), 1<<30); return b }, "tag 1117", assay.ErrInvalid},
		"array too long":   {func(b []byte) []byte { be.PutUint32(at(t, b, 1118, 3), 200); return b }, "tag 1118", assay.ErrInvalid},
		"fewer folders":    {func(b []byte) []byte { be.PutUint32(at(t, b, 1118, 3), 1); return b }, "less than the 1 folders", assay.ErrInvalid},
		"fewer indexes":    {func(b []byte) []byte { be.PutUint32(at(t, b, 1116, 3), 1); return b }, "as many as files", assay.ErrInvalid},
		"fewer flags":      {func(b []byte) []byte { be.PutUint32(at(t, b, 1048, 3), 1); return b }, "as many of each", assay.ErrInvalid},
		"no end":           {func(b []byte) []byte { be.PutUint32(at(t, b, 273, 2), be.Uint32(b[4:])); return b }, "without an end", assay.ErrInvalid},
		"changed":          {func(b []byte) []byte { return bytes.Replace(b, []byte("A shell"), []byte("A snail"), 1) }, "tag 273", assay.ErrRefuted},
		"format of sqlite": {func(b []byte) []byte { copy(b, "SQLite format 3\x00"); return b }, "header", assay.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := rpm.ParsePackage(c.damage(full.Header()))
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || (p != nil) != (c.kind == assay.ErrRefuted) {
				t.Errorf("got %v, %v; want an error with %q", p, err, c.want)
			}
		})
	}
}

// The cases of rpm's own documentation and of what is odd.
func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0}, {"1.0", "2.0", -1}, {"2.0.1", "2.0.1", 0}, {"2.0", "2.0.1", -1}, {"2.0.1a", "2.0.1", 1},
		{"5.5p1", "5.5p2", -1}, {"5.5p10", "5.5p1", 1}, {"10xyz", "10.1xyz", -1}, {"xyz10", "xyz10.1", -1}, {"xyz.4", "8", -1},
		{"5.6p1", "6.5p1", -1}, {"6.0.rc1", "6.0", 1}, {"10b2", "10a1", 1}, {"1.0aa", "1.0a", 1}, {"10.0001", "10.0039", -1},
		{"4.999.9", "5.0", -1}, {"20101121", "20101122", -1}, {"2_0", "2.0", 0}, {"a", "a+", 0}, {"+", "_", 0}, {"1.05", "1.5", 0},
		{"1.0~rc1", "1.0", -1}, {"1.0~rc1", "1.0~rc2", -1}, {"1.0~rc1~git123", "1.0~rc1", -1},
		{"1.0^", "1.0", 1}, {"1.0^git1", "1.0^git2", -1}, {"1.0^git1", "1.01", -1}, {"1.0^20160101", "1.0.1", -1}, {"1.0~rc1^git1", "1.0~rc1", 1},
		{"1.0^git1~pre", "1.0^git1", -1}, {"0000000000000000000000000000001", "1", 0}, {"99999999999999999999", "100000000000000000000", -1},
	} {
		if got := rpm.CompareVersions(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := rpm.CompareVersions(c.b, c.a); got != -c.want {
			t.Errorf("%s and %s: %d, want %d", c.b, c.a, got, -c.want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"1:1-1", "2-1", 1}, {"0:1-1", "1-1", 0}, {"1", "1-9", 0}, {"1-2", "1-10", -1}, {":1", "1", 0}} {
		if got := rpm.CompareEVR(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSatisfying(t *testing.T) {
	var pkgs []*rpm.Package
	for _, p := range []rpmtest.Package{
		{Name: "a", Version: "2", Provides: []string{"lib(x)(64bit)", "v 8 3"}, Files: []string{"/usr/bin/a"}, Requires: []string{"/usr/bin/a", "/lost", "(/usr/share/b or z)"}},
		{Name: "b", Version: "1", Release: "5", Provides: []string{"v 8 1", "w"}, Files: []string{"/usr/share/b", "!/usr/bin/none"}, Requires: []string{"/usr/bin/none", "/bin/b"}},
	} {
		got, err := rpm.ParsePackage(p.Header())
		if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, got)
	}
	x := rpm.NewIndex(pkgs, func(p string) (int, bool) { return 1, p == "/bin/b" })
	ge := rpm.Greater | rpm.Equal
	for _, c := range []struct {
		d    rpm.Dependency
		want []int
		ok   bool
	}{
		{rpm.Dependency{Name: "a"}, []int{0}, true},
		{rpm.Dependency{Name: "a", Flags: ge, EVR: "2"}, []int{0}, true},
		{rpm.Dependency{Name: "a", Flags: rpm.Greater, EVR: "2"}, nil, false},
		{rpm.Dependency{Name: "a", Flags: rpm.Less, EVR: "1:0"}, []int{0}, true},
		{rpm.Dependency{Name: "b", Flags: rpm.Equal, EVR: "1"}, []int{1}, true},
		{rpm.Dependency{Name: "b", Flags: rpm.Equal, EVR: "1-6"}, nil, false},
		{rpm.Dependency{Name: "v"}, []int{0, 1}, true},
		{rpm.Dependency{Name: "v", Flags: ge, EVR: "2"}, []int{0}, true},
		{rpm.Dependency{Name: "w", Flags: ge, EVR: "2"}, []int{1}, true},
		{rpm.Dependency{Name: "lib(x)(64bit)"}, []int{0}, true},
		{rpm.Dependency{Name: "/usr/bin/a"}, []int{0}, true},
		{rpm.Dependency{Name: "/usr/bin/none"}, nil, false},
		{rpm.Dependency{Name: "/bin/b"}, []int{1}, true},
		{rpm.Dependency{Name: "/lost"}, nil, false},
		{rpm.Dependency{Name: "none", Flags: rpm.MissingOK}, nil, true},
		{rpm.Dependency{Name: "rpmlib(X)", Flags: rpm.Less, EVR: "1"}, nil, true},
		{rpm.Dependency{Name: "x", Flags: rpm.RPMLib}, nil, true},
		{rpm.Dependency{Name: "(a and b)"}, []int{0, 1}, true},
		{rpm.Dependency{Name: "(a and b and z)"}, []int{0, 1}, false},
		{rpm.Dependency{Name: "(z or b or a)"}, []int{1, 0}, true},
		{rpm.Dependency{Name: "(z or y)"}, nil, false},
		{rpm.Dependency{Name: "(/usr/share/b or z)"}, []int{1}, true},
		{rpm.Dependency{Name: "(a >= 2 if b)"}, []int{0}, true},
		{rpm.Dependency{Name: "(a >= 3 if b)"}, nil, false},
		{rpm.Dependency{Name: "(z if y)"}, nil, true},
		{rpm.Dependency{Name: "(z if y else a)"}, []int{0}, true},
		{rpm.Dependency{Name: "(a unless b else z)"}, nil, false},
		{rpm.Dependency{Name: "(a unless z)"}, []int{0}, true},
		{rpm.Dependency{Name: "(v with lib(x)(64bit))"}, []int{0}, true},
		{rpm.Dependency{Name: "(v without lib(x)(64bit))"}, []int{1}, true},
		{rpm.Dependency{Name: "(v >= 1 with v < 2)"}, []int{1}, true},
		{rpm.Dependency{Name: "((a if z) and (b or y))"}, []int{1}, true},
		{rpm.Dependency{Name: "(a"}, nil, false}, {rpm.Dependency{Name: "(a and)"}, nil, false}, {rpm.Dependency{Name: "()"}, nil, false},
		{rpm.Dependency{Name: "(a xor b)"}, nil, false}, {rpm.Dependency{Name: "(a >=)"}, nil, false}, {rpm.Dependency{Name: "(a) b"}, nil, false},
		{rpm.Dependency{Name: strings.Repeat("(", 100) + "a" + strings.Repeat(")", 100)}, nil, false},
	} {
		got, ok, err := x.Satisfying(c.d)
		if err != nil || ok != c.ok || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v %v %v, want %v %v", c.d, got, ok, err, c.want, c.ok)
		}
	}
}

func TestSatisfyingBound(t *testing.T) {
	p := &rpm.Package{Name: "p", Version: "1", Release: "1"}
	for i := range 100_000 {
		p.Provides = append(p.Provides, rpm.Dependency{Name: "x", Flags: rpm.Equal, EVR: fmt.Sprint(i)})
	}
	x := rpm.NewIndex([]*rpm.Package{p}, nil)
	for range 10_000 {
		if _, _, err := x.Satisfying(rpm.Dependency{Name: "x", Flags: rpm.Less, EVR: strings.Repeat("~", 640)}); err != nil {
			if !errors.Is(err, assay.ErrBound) {
				t.Error(err)
			}
			return
		}
	}
	t.Error("no bound")
}

// FuzzParsePackage: a header gives a package that can be used, or an error.
func FuzzParsePackage(f *testing.F) {
	f.Add(full.Header())
	f.Add(rpmtest.Package{Name: "a"}.Header())
	f.Add(rpmtest.Package{Name: "a", Requires: []string{"(a with (b or c >= 1) if d else e)"}}.Header())
	f.Fuzz(func(t *testing.T, blob []byte) {
		p, err := rpm.ParsePackage(blob)
		if err != nil && (p != nil) != errors.Is(err, assay.ErrRefuted) {
			t.Fatalf("%v with %v", p, err)
		}
		if p == nil {
			if assay.KindOf(err) != assay.ErrInvalid && assay.KindOf(err) != assay.ErrBound {
				t.Fatal(err)
			}
			return
		}
		if p.Name == "" || p.Version == "" || p.Release == "" || p.Size() == 0 {
			t.Fatalf("%+v", p)
		}
		for file := range p.Files() {
			if file == "" || strings.HasPrefix(file, "/") {
				t.Fatalf("file %q", file)
			}
		}
		x := rpm.NewIndex([]*rpm.Package{p}, nil)
		if found, ok, err := x.Satisfying(rpm.Dependency{Name: p.Name}); err == nil && p.Name[0] != '(' && (!ok || len(found) == 0) {
			t.Fatalf("%s does not satisfy itself", p.Name)
		}
		for _, d := range p.Requires {
			if _, _, err := x.Satisfying(d); err != nil && !errors.Is(err, assay.ErrBound) {
				t.Fatal(err)
			}
		}
	})
}

// FuzzCompareEVR: it is an order.
func FuzzCompareEVR(f *testing.F) {
	f.Add("1:2.0~rc1-3", "2.0^git-3", "2.0")
	f.Add("", "~", "^")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if rpm.CompareEVR(a, a) != 0 || rpm.CompareEVR(a, b) != -rpm.CompareEVR(b, a) {
			t.Fatalf("%q and %q", a, b)
		}
		va, vb, vc := rpm.CompareVersions(a, b), rpm.CompareVersions(b, c), rpm.CompareVersions(a, c)
		if va == vb && va != 0 && vc != va {
			t.Fatalf("%q, %q and %q: %d %d %d", a, b, c, va, vb, vc)
		}
	})
}
