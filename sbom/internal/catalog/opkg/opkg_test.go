package opkg

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
)

const status = `Package: libuci20130104
ABIVersion: 20130104
Version: 2023.08.10~5781664d-r1
Depends: libc, libubox20240329 (>= 1) | x
Provides: libuci
Status: install ok installed
Architecture: x86_64
Installed-Time: 1730715936

Package: gone
Version: 1
Status: deinstall ok not-installed
Architecture: all

Package: busybox
Version: 1.36.1-r2
Status: install user installed
Essential: yes
Architecture: x86_64
Conffiles:
 /etc/syslog.conf e3b0c44298fc1c14
License: GPL-2.0
CPE-ID: cpe:/a:busybox:busybox
Source: feeds/base/utils/busybox
SourceName: busybox
Maintainer:  A  <a@b>
Description:  Core utilities
 for embedded Linux
`

func TestParseStatus(t *testing.T) {
	got, faults := ParseStatus([]byte(status))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []Package{
		{
			Name: "libuci20130104", Version: "2023.08.10~5781664d-r1", Arch: "x86_64", State: "installed", Provides: []dpkg.Provided{{Name: "libuci"}},
			Depends: []dpkg.Group{{{Name: "libc"}}, {{Name: "libubox20240329", Op: ">=", Version: "1"}, {Name: "x"}}},
		},
		{Name: "gone", Version: "1", Arch: "all", State: "not-installed"},
		{
			Name: "busybox", Version: "1.36.1-r2", Arch: "x86_64", State: "installed", Essential: true, License: "GPL-2.0", CPE: "cpe:/a:busybox:busybox",
			Source: "feeds/base/utils/busybox", SourceName: "busybox", Maintainer: "A <a@b>", Summary: "Core utilities",
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got[1].Unpacked() || !got[2].Unpacked() {
		t.Error("states")
	}
	x := NewIndex([]*Package{&got[0], &got[2]})
	if f := x.Satisfying(dpkg.Group{{Name: "libuci"}}, "all"); !slices.Equal(f, []int{0}) {
		t.Error(f)
	}
}

func TestParseStatusRefuses(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"no name":    {"Version: 1\n", "Package"},
		"no version": {"Package: a\n", "a version"},
		"bad status": {"Package: a\nVersion: 1\nStatus: ok\n", "Status of a"},
		"bad state":  {"Package: a\nVersion: 1\nStatus: install ok sleeping\n", "sleeping"},
		"twice":      {"Package: a\nPackage: b\n", "line 2"},
		"no field":   {"x\n", "line 1"},
	} {
		got, faults := ParseStatus([]byte(c.data))
		if got != nil || len(faults) != 1 || !errors.Is(faults[0], assay.ErrInvalid) || !strings.Contains(faults[0].Error(), c.want) || !strings.Contains(faults[0].Error(), "opkg") {
			t.Errorf("%s: got %v, %v; want a fault with %q", name, got, faults, c.want)
		}
	}
}

func TestListFiles(t *testing.T) {
	got := slices.Collect(ListFiles("/bin/busybox\n/bin/ash\t0120777\tbusybox\n./etc/x\n/\n\n"))
	if d := cmp.Diff([]string{"bin/busybox", "bin/ash", "etc/x"}, got); d != "" {
		t.Error(d)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(status))
	f.Add([]byte("Package: a\nVersion: 1\nDepends: (,|\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for p := range ListFiles(string(data)) {
			if p == "" || strings.HasPrefix(p, "/") {
				t.Fatalf("%q", p)
			}
		}
		pkgs, faults := ParseStatus(data)
		for _, err := range faults {
			if !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
				t.Fatal(err)
			}
		}
		var all []*Package
		for i := range pkgs {
			if pkgs[i].Name == "" || pkgs[i].Unpacked() && pkgs[i].Version == "" {
				t.Fatalf("%+v", pkgs[i])
			}
			all = append(all, &pkgs[i])
		}
		x := NewIndex(all)
		for _, p := range all {
			if p.Unpacked() && len(x.Satisfying(dpkg.Group{{Name: p.Name}}, "all")) == 0 {
				t.Fatalf("%s does not satisfy itself", p.Name)
			}
		}
	})
}

// A real status file of OpenWrt.
func TestRealStatus(t *testing.T) {
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no source of the module github.com/google/osv-scalibr")
	}
	data, err := os.ReadFile(filepath.Join(dir, "extractor/filesystem/os/dpkg/testdata/opkg/valid"))
	if err != nil {
		t.Fatal(err)
	}
	pkgs, faults := ParseStatus(data)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var got []string
	for _, p := range pkgs {
		got = append(got, p.Name+" "+p.Version+" "+p.Arch+" "+p.State)
	}
	want := []string{"ubus 2024.10.20~252a9b0c-r1 x86_64 installed", "libuci20130104 2023.08.10~5781664d-r1 x86_64 installed", "busybox 1.36.1-r2 x86_64 installed"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
