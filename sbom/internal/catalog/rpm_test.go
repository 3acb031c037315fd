package catalog_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/internal/catalog"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
)

const rpmRelease = "ID=fedora\nVERSION_ID=40\n"

var (
	glibc = rpmtest.Package{Name: "glibc", Version: "2.39", Provides: []string{"libc.so.6()(64bit)"}, Files: []string{"/lib64/libc.so.6"}, License: "LGPLv2+ and GPLv2+"}
	bash  = rpmtest.Package{Name: "bash", Version: "5.2", Release: "3", Epoch: "1", SourceRPM: "bash-5.2-3.src.rpm", License: "gpl-3.0-or-later", Vendor: "Fedora Project",
		Requires: []string{"libc.so.6()(64bit)", "rpmlib(PayloadIsZstd) 16777226 5.4", "(glibc >= 2 if none)"}, Files: []string{"/bin/bash", "/usr/share/doc/bash/README"}}
	app = rpmtest.Package{Name: "app", Requires: []string{"/bin/bash", "/usr/bin/bash", "glibc 12 2.39"}, Files: []string{"/srv/app"}}
	key = rpmtest.Package{Name: "gpg-pubkey", Version: "deadbeef"}
)

func take(t *testing.T, layers ...[]testimage.File) *catalog.Inventory {
	t.Helper()
	var all []testimage.Layer
	for _, l := range layers {
		all = append(all, testimage.Layer{Files: l})
	}
	inv, err := inventory(context.Background(), testimage.New(t, all...))
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// summary is what an inventory says of the components that a visitor found.
func summary(inv *catalog.Inventory, visitor string) []string {
	var out []string
	for _, c := range inv.Components {
		if c.FoundBy == visitor {
			out = append(out, c.Name+" "+c.Version)
		}
	}
	for _, p := range inv.Past {
		out = append(out, fmt.Sprintf("past %s %s, %d to %d", p.Component.Name, p.Component.Version, p.Layer, p.By))
	}
	for _, s := range inv.Skipped {
		out = append(out, fmt.Sprintf("skipped %s, history %v", s.Path, s.History))
	}
	for _, c := range inv.Completeness {
		// That nobody knows what a distribution as such depends on is always said.
		if c != (assay.Completeness{Of: "os:" + assay.ComponentID(inv.Release.Distro()), Scope: "dependencies", Aggregate: "unknown"}) {
			out = append(out, string(c.Of)+c.Scope+" "+c.Aggregate)
		}
	}
	slices.Sort(out)
	return out
}

func check(t *testing.T, inv *catalog.Inventory, visitor string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if d := cmp.Diff(want, summary(inv, visitor)); d != "" {
		t.Error(d)
	}
}

func db(name string, b []byte) testimage.File { return testimage.File{Name: name, Body: string(b)} }

func TestRPM(t *testing.T) {
	le := binary.LittleEndian
	for file, encode := range map[string]func(...[]byte) []byte{
		"var/lib/rpm/Packages":              func(v ...[]byte) []byte { return rpmtest.BDB(binary.BigEndian, v...) },
		"usr/lib/sysimage/rpm/Packages.db":  rpmtest.NDB,
		"usr/share/rpm/rpmdb.sqlite":        func(v ...[]byte) []byte { return rpmtest.SQLite(4096, v...) },
		"usr/lib/sysimage/rpm/rpmdb.sqlite": func(v ...[]byte) []byte { return rpmtest.SQLite(512, v...) },
		"usr/lib/sysimage/rpm/Packages":     func(v ...[]byte) []byte { return rpmtest.BDB(le, v...) },
	} {
		t.Run(file, func(t *testing.T) {
			older := bash
			older.Version = "5.1"
			inv := take(t,
				[]testimage.File{{Name: "etc/os-release", Body: rpmRelease}, testimage.Symlink("bin", "usr/bin"), {Name: "usr/bin/bash"}, {Name: "lib64/libc.so.6"},
					db(file, encode(rpmtest.Headers(key, glibc, older)...))},
				[]testimage.File{db(file, encode(rpmtest.Headers(key, glibc, bash)...))},
				[]testimage.File{{Name: "srv/app"}, db(file, encode(rpmtest.Headers(glibc, bash, app)...))},
			)
			check(t, inv, "rpm", "glibc 2.39-1", "bash 1:5.2-3", "app 1-1", "past bash 1:5.1-3, 0 to 1", "components:rpm complete", "dependencies:rpm complete")
			owners := map[string]assay.ComponentID{
				"usr/bin/bash":    "pkg:rpm/fedora/bash@5.2-3?arch=x86_64&distro=fedora-40&epoch=1&upstream=bash-5.2-3.src.rpm",
				"lib64/libc.so.6": "pkg:rpm/fedora/glibc@2.39-1?arch=x86_64&distro=fedora-40",
				"srv/app":         "pkg:rpm/fedora/app@1-1?arch=x86_64&distro=fedora-40",
			}
			if d := cmp.Diff(owners, installed(inv)); d != "" {
				t.Error(d)
			}
			var edges []string
			for _, r := range inv.Relations {
				edges = append(edges, string(r.Kind)+" "+name(r.From)+" "+name(r.To))
			}
			if d := cmp.Diff([]string{"dependsOn app bash", "dependsOn app glibc", "dependsOn bash glibc"}, edges); d != "" {
				t.Error(d)
			}
			c := inv.Components[slices.IndexFunc(inv.Components, func(c assay.Component) bool { return c.Name == "bash" })]
			if c.Supplier != "Fedora Project" || c.Source != (assay.SourcePackage{Name: "bash", Version: "5.2-3"}) ||
				len(c.Licenses) != 1 || c.Licenses[0].Expression != "GPL-3.0-or-later" || c.Properties["assay:rpm:header-digest"] == "" {
				t.Errorf("%+v", c)
			}
		})
	}
}

func name(id assay.ComponentID) string {
	s := string(id)
	s = s[strings.LastIndexByte(s[:strings.IndexByte(s, '@')], '/')+1:]
	return s[:strings.IndexByte(s, '@')]
}

// The log is a file of its own: what is installed is known when both are.
func TestRPMLog(t *testing.T) {
	const file = "var/lib/rpm/rpmdb.sqlite"
	const size = 1024
	a := rpmtest.SQLite(size, rpmtest.Headers(glibc, bash)...)
	b := rpmtest.SQLite(size, rpmtest.Headers(glibc, app)...)
	log := rpmtest.Log(binary.LittleEndian, size, a, b)
	complete := []string{"components:rpm complete", "dependencies:rpm incomplete"} // app wants bash
	t.Run("one layer", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file+"-wal", log), db(file, a)}), "rpm", append(complete, "glibc 2.39-1", "app 1-1")...)
	})
	t.Run("log in the upper layer", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file, a)}, nil, []testimage.File{db(file+"-wal", log)}), "rpm",
			append(complete, "glibc 2.39-1", "app 1-1", "past bash 1:5.2-3, 0 to 2")...)
	})
	t.Run("log in the upper layer is deleted", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file, a)}, []testimage.File{db(file+"-wal", log)}, []testimage.File{testimage.Whiteout(file + "-wal")}), "rpm",
			"glibc 2.39-1", "bash 1:5.2-3", "past app 1-1, 1 to 2", "components:rpm complete", "dependencies:rpm complete")
	})
	t.Run("checkpoint in the upper layer", func(t *testing.T) {
		inv := take(t, []testimage.File{db(file, a)}, []testimage.File{db(file+"-wal", log)}, []testimage.File{db(file, b), testimage.Whiteout(file + "-wal")})
		check(t, inv, "rpm", append(complete, "glibc 2.39-1", "app 1-1", "past bash 1:5.2-3, 0 to 1")...)
		layer := func(name string) assay.Digest {
			return inv.Components[slices.IndexFunc(inv.Components, func(c assay.Component) bool { return c.Name == name })].Locations[0].Layer
		}
		one := take(t, []testimage.File{db(file, a)})
		if layer("glibc") != one.Components[0].Locations[0].Layer || layer("app") == layer("glibc") {
			t.Error("layers of glibc and app:", layer("glibc"), layer("app"))
		}
	})
	t.Run("not a log", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file, a), db(file+"-wal", bytes.Repeat([]byte("x"), 99))}), "rpm",
			"glibc 2.39-1", "bash 1:5.2-3", "components:rpm incomplete", "dependencies:rpm incomplete", "skipped var/lib/rpm/rpmdb.sqlite-wal, history false")
	})
	t.Run("not a log in the upper layer", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file, a)}, []testimage.File{db(file+"-wal", log)}, []testimage.File{db(file+"-wal", bytes.Repeat([]byte("x"), 99))}), "rpm",
			"glibc 2.39-1", "bash 1:5.2-3", "components:rpm incomplete", "dependencies:rpm incomplete", "skipped var/lib/rpm/rpmdb.sqlite-wal, history false")
	})
	t.Run("log alone", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file+"-wal", log)}), "rpm")
	})
	t.Run("rollback journal", func(t *testing.T) {
		journal := "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\x00\x00\x00\x01" + strings.Repeat("\x00", 500)
		check(t, take(t, []testimage.File{db(file, a), {Name: file + "-journal", Body: journal}}), "rpm",
			"glibc 2.39-1", "bash 1:5.2-3", "components:rpm incomplete", "dependencies:rpm incomplete", "skipped var/lib/rpm/rpmdb.sqlite-journal, history false")
	})
}

// What is broken is said, and hides nothing else.
func TestRPMBroken(t *testing.T) {
	const file = "var/lib/rpm/Packages"
	le := binary.LittleEndian
	whole := rpmtest.BDB(le, rpmtest.Headers(glibc, bash)...)
	incomplete := []string{"components:rpm incomplete", "dependencies:rpm incomplete"}
	t.Run("truncated", func(t *testing.T) {
		inv := take(t, []testimage.File{db(file, whole)}, []testimage.File{db(file, whole[:len(whole)-600]), {Name: "var/lib/dpkg/status", Body: "Package: a\nVersion: 1\n"}})
		check(t, inv, "rpm", append(incomplete, "skipped "+file+", history false", "components:deb complete", "dependencies:deb complete")...)
	})
	t.Run("half of it", func(t *testing.T) {
		half := bytes.Clone(whole)
		copy(half[len(half)-512:], "SQLite format 3\x00")
		half[len(half)-512+25] = 9
		check(t, take(t, []testimage.File{db(file, whole)}, []testimage.File{db(file, half)}), "rpm", append(incomplete, "glibc 2.39-1", "skipped "+file+", history false")...)
	})
	t.Run("one header", func(t *testing.T) {
		bad := bash.Header()
		bad[3] = 0xff
		check(t, take(t, []testimage.File{db(file, rpmtest.BDB(le, glibc.Header(), bad, app.Header()))}), "rpm",
			append(incomplete, "glibc 2.39-1", "app 1-1", "skipped "+file+", history false")...)
	})
	t.Run("header that was changed", func(t *testing.T) {
		bad := bytes.Replace(bash.Header(), []byte("5.2\x00"), []byte("9.9\x00"), 1)
		check(t, take(t, []testimage.File{db(file, rpmtest.BDB(le, glibc.Header(), bad))}), "rpm",
			append(incomplete, "glibc 2.39-1", "bash 1:9.9-3", "skipped "+file+", history false")...)
	})
	t.Run("in a lower layer", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file, whole[:700])}, []testimage.File{db(file, whole)}), "rpm",
			"glibc 2.39-1", "bash 1:5.2-3", "components:rpm complete", "dependencies:rpm complete", "skipped "+file+", history true")
	})
	t.Run("deleted", func(t *testing.T) {
		check(t, take(t, []testimage.File{db(file, whole)}, []testimage.File{testimage.Whiteout(file)}), "rpm",
			append(incomplete, "past glibc 2.39-1, 0 to 1", "past bash 1:5.2-3, 0 to 1", "skipped "+file+", history false")...)
	})
	t.Run("converted", func(t *testing.T) {
		inv := take(t, []testimage.File{db(file, whole)}, []testimage.File{testimage.Whiteout(file), db("usr/lib/sysimage/rpm/rpmdb.sqlite", rpmtest.SQLite(512, rpmtest.Headers(glibc, bash)...))})
		check(t, inv, "rpm", "glibc 2.39-1", "bash 1:5.2-3", "components:rpm complete", "dependencies:rpm complete")
	})
	t.Run("two that differ", func(t *testing.T) {
		inv := take(t, []testimage.File{db(file, whole), db("var/lib/rpm/rpmdb.sqlite", rpmtest.SQLite(512, glibc.Header()))})
		check(t, inv, "rpm", append(incomplete, "glibc 2.39-1", "bash 1:5.2-3", "skipped var/lib/rpm/rpmdb.sqlite, history false")...)
	})
	t.Run("behind a link", func(t *testing.T) {
		inv := take(t, []testimage.File{testimage.Symlink("var/lib/rpm", "/opt/db"), db("opt/db/Packages", whole)})
		check(t, inv, "rpm", append(incomplete, "skipped opt/db/Packages, history false")...)
	})
}

func TestRPMVendors(t *testing.T) {
	for id, want := range map[string]string{"rhel": "redhat", "sles": "suse", "opensuse-leap": "opensuse", "rocky": "rocky", "": ""} {
		inv := take(t, []testimage.File{{Name: "etc/os-release", Body: "ID=" + id + "\n"}, db("var/lib/rpm/Packages.db", rpmtest.NDB(glibc.Header()))})
		for _, c := range inv.Components {
			if c.FoundBy == "rpm" && c.PURL.Parts().Namespace != want {
				t.Errorf("%s: %s", id, c.PURL)
			}
		}
	}
}

func TestPacman(t *testing.T) {
	desc := func(name, version, more string) string {
		return "%NAME%\n" + name + "\n\n%VERSION%\n" + version + "\n\n%ARCH%\nx86_64\n\n%LICENSE%\nMIT\ncustom:x\n\n" + more
	}
	const dir = "var/lib/pacman/local/"
	inv := take(t,
		[]testimage.File{{Name: "etc/os-release", Body: "ID=arch\n"}, {Name: "usr/bin/a"}, testimage.Symlink("bin", "usr/bin"),
			{Name: dir + "ALPM_DB_VERSION", Body: "9\n"},
			{Name: dir + "a-1-1/desc", Body: desc("a", "1-1", "%DEPENDS%\nlibb.so=2-64\n")}, {Name: dir + "a-1-1/files", Body: "%FILES%\nusr/\nusr/bin/\nusr/bin/a\n"},
			{Name: dir + "b-1:2-1/desc", Body: desc("b", "1:2-1", "%BASE%\nbb\n\n%PROVIDES%\nlibb.so=2-64\n")}},
		[]testimage.File{testimage.Whiteout(dir + "a-1-1"), {Name: dir + "a-2-1/desc", Body: desc("a", "2-1", "%DEPENDS%\nlibb.so=2-64\n")},
			{Name: dir + "a-2-1/files", Body: "%FILES%\nbin/a\n"}},
	)
	check(t, inv, "pacman", "a 2-1", "b 1:2-1", "past a 1-1, 0 to 1", "components:alpm complete", "dependencies:alpm complete")
	if d := cmp.Diff(map[string]assay.ComponentID{"usr/bin/a": "pkg:alpm/arch/a@2-1?arch=x86_64&distro=arch"}, installed(inv)); d != "" {
		t.Error(d)
	}
	if len(inv.Relations) != 1 || name(inv.Relations[0].From) != "a" || name(inv.Relations[0].To) != "b" {
		t.Error(inv.Relations)
	}
	for _, c := range inv.Components {
		if c.Name == "b" && (c.Source != (assay.SourcePackage{Name: "bb", Version: "1:2-1"}) || len(c.Licenses) != 2) {
			t.Errorf("%+v", c)
		}
	}
	inv = take(t, []testimage.File{{Name: dir + "a-1-1/desc", Body: desc("a", "1-1", "")}, {Name: dir + "b-1-1/desc", Body: "%NAME%\nb\n"}})
	check(t, inv, "pacman", "a 1-1", "components:alpm incomplete", "dependencies:alpm incomplete", "skipped "+dir+"b-1-1/desc, history false")
	inv = take(t, []testimage.File{{Name: dir + "a-1-1/desc", Body: desc("a", "1-1", "")}, {Name: dir + "b-1-1/desc", Body: desc("b", "1-1", "")}}, []testimage.File{testimage.Whiteout("var/lib/pacman")})
	check(t, inv, "pacman", "past a 1-1, 0 to 1", "past b 1-1, 0 to 1", "components:alpm incomplete", "dependencies:alpm incomplete", "skipped var/lib/pacman/local, history false")
}

func TestOpkg(t *testing.T) {
	const dir = "usr/lib/opkg/"
	status := "Package: busybox\nVersion: 1.36-r2\nDepends: libc\nStatus: install ok installed\nArchitecture: x86_64\n\n" +
		"Package: musl\nVersion: 1\nProvides: libc\nStatus: install ok installed\nArchitecture: x86_64\n\nPackage: old\nVersion: 1\nStatus: deinstall ok not-installed\nArchitecture: all\n"
	control := "Package: busybox\nVersion: 1.36-r2\nLicense: GPL-2.0-only\nSourceName: busybox-src\nMaintainer: A\nDescription: tools\nArchitecture: x86_64\n"
	files := []testimage.File{{Name: "etc/os-release", Body: "ID=openwrt\nVERSION_ID=24.10\n"}, {Name: "bin/busybox"}, {Name: dir + "status", Body: status},
		{Name: dir + "info/busybox.control", Body: control}, {Name: dir + "info/busybox.list", Body: "/bin/busybox\n"}, {Name: dir + "info/busybox.postinst", Body: "x"}}
	inv := take(t, files)
	check(t, inv, "opkg", "busybox 1.36-r2", "musl 1", "components:opkg complete", "dependencies:opkg complete")
	if d := cmp.Diff(map[string]assay.ComponentID{"bin/busybox": "pkg:opkg/openwrt/busybox@1.36-r2?arch=x86_64&distro=openwrt-24.10"}, installed(inv)); d != "" {
		t.Error(d)
	}
	if len(inv.Relations) != 1 || name(inv.Relations[0].To) != "musl" {
		t.Error(inv.Relations)
	}
	for _, c := range inv.Components {
		if c.Name == "busybox" && (c.Source.Name != "busybox-src" || len(c.Licenses) != 1 || c.Supplier != "A" || c.Description != "tools") {
			t.Errorf("%+v", c)
		}
	}
	inv = take(t, files, []testimage.File{{Name: dir + "status", Body: strings.Replace(status, "1.36-r2", "1.37-r1", 1)}})
	check(t, inv, "opkg", "busybox 1.37-r1", "musl 1", "past busybox 1.36-r2, 0 to 1", "components:opkg complete", "dependencies:opkg complete")
	inv = take(t, files, []testimage.File{{Name: dir + "status", Body: "x"}})
	check(t, inv, "opkg", "components:opkg incomplete", "dependencies:opkg incomplete", "skipped "+dir+"status, history false")
	inv = take(t, []testimage.File{{Name: "var/lib/opkg/info/busybox.control", Body: control}})
	check(t, inv, "opkg", "busybox 1.36-r2", "components:opkg complete", "dependencies:opkg complete")
}
