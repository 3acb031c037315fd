package catalog_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

func self(tb testing.TB) string {
	tb.Helper()
	exe, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// binaryKinds are binaries that are known by what is in them, and the ecosystem.
func binaryKinds(t *testing.T) map[string]struct{ name, scope, body, found string } {
	t.Helper()
	return map[string]struct{ name, scope, body, found string }{
		"Go":   {"opt/app", "golang", self(t), "pkg:golang/stdlib@"},
		"jar":  {"opt/app.jar", "maven", jarOf(t, append(project("app", "1.0", ""), "BOOT-INF/lib/lib-2.0.jar", jarOf(t, project("lib", "2.0", "")...))...), "pkg:maven/g/lib@2.0"},
		"Rust": {"opt/app", "cargo", elfLoaded(map[string]string{".dep-v0": crates(t, `{"packages":[{"name":"libc","version":"0.2.1","source":"crates.io"}]}`), ".rodata": "tail"}), "pkg:cargo/libc@0.2.1"},
		"node": {"opt/app", "generic", elfLoaded(text("node.js/v20.11.0")), "pkg:generic/node@20.11.0"},
		"note": {"opt/app", "generic", elfLoaded(map[string]string{".note.package": note(`{"type":"rpm","os":"fedora","osVersion":"40","name":"coreutils","version":"9.4-6.fc40","architecture":"x86_64"}`)}), "pkg:rpm/fedora/coreutils@9.4-6.fc40"},
		"whl":  {"opt/app-1-py3-none-any.whl", "pypi", jarOf(t, "app-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: app\nVersion: 1\n"), "pkg:pypi/app@1"},
	}
}

// elfLoaded is [elfWith] with a segment that has all of the file.
func elfLoaded(sections map[string]string) string {
	b := []byte(elfWith(sections))
	header := make([]byte, 56)
	put := func(at int, v uint64) {
		for i := range 8 {
			header[at+i] = byte(v >> (8 * i))
		}
	}
	header[0], header[4] = 1, 4 // PT_LOAD, readable
	put(32, uint64(len(b)+len(header)))
	put(40, uint64(len(b)+len(header)))
	for i := range 8 {
		b[32+i] = byte(uint64(len(b)) >> (8 * i)) // e_phoff
	}
	b[54], b[56] = 56, 1
	return string(append(b, header...))
}

func ids(inv *catalog.Inventory) string {
	var out strings.Builder
	for _, c := range inv.Components {
		out.WriteString(string(c.ID) + "\n")
	}
	return out.String()
}

func pasts(inv *catalog.Inventory) string {
	var out strings.Builder
	for _, p := range inv.Past {
		fmt.Fprintf(&out, "%s by %d\n", p.Component.ID, p.By)
	}
	return out.String()
}

// A binary that an upper layer replaces by a broken one is neither there nor history: it
// is known that nobody knows what is in it.
func TestBrokenBinary(t *testing.T) {
	t.Parallel()
	for name, b := range binaryKinds(t) {
		t.Run(name, func(t *testing.T) {
			file := testimage.File{Name: b.name, Body: b.body, Mode: 0o755}
			plain := func(f ...testimage.File) testimage.Layer {
				return testimage.Layer{Files: f, Compression: testimage.None}
			}
			_, _, inv := found(t, plain(file))
			if !strings.Contains(ids(inv), b.found) || len(inv.Skipped) > 0 {
				t.Fatalf("%s\nskipped %+v", ids(inv), inv.Skipped)
			}
			broken := map[string]string{"garbage": strings.Repeat("\x01\xfe", 400), "a text": "gone, and nobody knows what came\n"}
			for i, n := range []int{64, len(b.body) / 2, 300, len(b.body) / 3, len(b.body) * 2 / 3, len(b.body) - 1} {
				if n < len(b.body) && (name != "Go" || i < 2) { // that is large, and takes its time
					broken[fmt.Sprintf("the first %d of %d bytes", n, len(b.body))] = b.body[:n]
				}
			}
			if name == "Go" {
				// It lacks nothing that a loader needs.
				_, _, inv := found(t, plain(file), plain(testimage.File{Name: b.name, Body: b.body[:len(b.body)-1], Mode: 0o755}))
				if len(inv.Components) < 3 || !strings.Contains(ids(inv), b.found) || strings.Contains(ids(inv), "generic") || len(inv.Skipped) > 0 {
					t.Errorf("without its last byte: %s, skipped %+v", ids(inv), inv.Skipped)
				}
			}
			for what, body := range broken {
				_, _, inv := found(t, plain(file), plain(testimage.File{Name: b.name, Body: body, Mode: 0o755}))
				told := slices.ContainsFunc(inv.Skipped, func(s catalog.Skipped) bool {
					return s.Path == b.name && s.Layer == 1 && !s.History && s.Reason != "" && s.Err != nil
				})
				open := false
				for _, c := range inv.Completeness {
					open = open || c.Scope == "components:"+b.scope && c.Aggregate == "incomplete"
				}
				if strings.Contains(ids(inv), b.found) || strings.Contains(pasts(inv), b.found) || !told || !open {
					t.Errorf("%s: components\n%shistory\n%sskipped %+v\n%+v", what, ids(inv), pasts(inv), inv.Skipped, inv.Completeness)
				}
			}
			for what, upper := range map[string]testimage.File{
				"removed": testimage.Whiteout(b.name), "a link": testimage.Symlink(b.name, "elsewhere"), "nothing": {Name: b.name},
				"another program": {Name: b.name, Body: elfLoaded(text("hello")), Mode: 0o755}, "a script": {Name: b.name, Body: "#!/bin/sh\n:", Mode: 0o755},
			} {
				if name == "jar" && what == "another program" {
					continue // a program may stand before an archive, and there is none
				}
				if name == "Go" && (what == "a link" || what == "nothing") {
					continue
				}
				_, _, inv := found(t, plain(file), plain(upper))
				if strings.Contains(ids(inv), b.found) || !strings.Contains(pasts(inv), b.found) || len(inv.Skipped) > 0 {
					t.Errorf("%s: components\n%shistory\n%sskipped %+v", what, ids(inv), pasts(inv), inv.Skipped)
				}
			}
		})
	}
}

// What is well-formed and tells no package hides none either: where a lower layer had one
// in its place, nobody knows whether that is gone.
func TestEmptiedMetadata(t *testing.T) {
	folder := []testimage.File{{Name: "app/vendor/a/a/README"}, {Name: "opt/go/bin/go"}}
	for name, c := range map[string]struct {
		file testimage.File
		bad  []string
		past bool // its packages are history all the same
	}{
		"npm":          {testimage.File{Name: "app/node_modules/a/package.json", Body: `{"name":"a","version":"1"}`}, []string{"", "{}", `{"name":"a"}`, `{"version":"1"}`, "null", "[]", `{"name":"a","version":7}`}, false},
		"yarn":         {testimage.File{Name: "app/.yarn/cache/a-npm-1.zip", Body: yarnZip(t, "a", `{"name":"a","version":"1"}`)}, []string{"", yarnZip(t, "a", `{}`), jarOf(t, "x", "y")}, false},
		"python":       {testimage.File{Name: "usr/lib/python3/dist-packages/a-1.dist-info/METADATA", Body: "Metadata-Version: 2.1\nName: a\nVersion: 1\n"}, []string{"", "Name: a\n", "Version: 1\n", "\n\n"}, false},
		"gem":          {testimage.File{Name: "usr/lib/ruby/gems/3.1.0/specifications/a-1.gemspec", Body: "Gem::Specification.new do |s|\n  s.name = \"a\".freeze\n  s.version = \"1\"\nend\n"}, []string{"", "# x\n", "Gem::Specification.new do |s|\n  s.name = \"a\".freeze\nend\n"}, false},
		"composer":     {testimage.File{Name: "app/vendor/composer/installed.json", Body: `{"packages":[{"name":"a/a","version":"1"}]}`}, []string{"", "{}", "null", `{"packages":null}`, `{"packages":[{"name":"a/a"}]}`, `{"packages":[1]}`}, false},
		"nuget":        {testimage.File{Name: "app/vendor/a/a/x.deps.json", Body: `{"runtimeTarget":{"name":"t"},"targets":{"t":{"A/1":{"runtime":{"README":{}}}}},"libraries":{"A/1":{"type":"package"}}}`}, []string{"", "{}", "null", "[]", `{"libraries":{"A/1":{"type":"package"}}}`}, false},
		"go":           {testimage.File{Name: "opt/go/VERSION", Body: "go1.26.8\n"}, []string{"x", "gox\n"}, false},
		"pacman":       {testimage.File{Name: "var/lib/pacman/local/a-1-1/desc", Body: "%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n"}, []string{"", "%NAME%\na\n", "%VERSION%\n1-1\n"}, false},
		"opkg control": {testimage.File{Name: "usr/lib/opkg/info/a.control", Body: "Package: a\nVersion: 1\n"}, []string{"Package: a\n"}, false},
		// As if it had been removed.
		"dpkg": {testimage.File{Name: "var/lib/dpkg/status", Body: "Package: a\nVersion: 1\n"}, []string{"", "\n"}, true},
		"apk":  {testimage.File{Name: "lib/apk/db/installed", Body: "P:a\nV:1\n"}, []string{"", "\n"}, true},
		"opkg": {testimage.File{Name: "usr/lib/opkg/status", Body: "Package: a\nVersion: 1\n"}, []string{"", "\n"}, true},
	} {
		for _, bad := range c.bad {
			_, _, inv := found(t, testimage.Layer{Files: append(folder[:2:2], c.file)}, testimage.Layer{Files: []testimage.File{{Name: c.file.Name, Body: bad}}})
			told := slices.ContainsFunc(inv.Skipped, func(s catalog.Skipped) bool {
				return s.Path == c.file.Name && s.Layer == 1 && !s.History && s.Reason != ""
			})
			open := slices.ContainsFunc(inv.Completeness, func(c assay.Completeness) bool {
				return strings.HasPrefix(c.Scope, "components:") && c.Aggregate == "incomplete"
			})
			if len(inv.Components) > 0 || (len(inv.Past) > 0) != c.past || !told || !open {
				t.Errorf("%s, %q: components\n%shistory\n%sskipped %+v\n%+v", name, bad, ids(inv), pasts(inv), inv.Skipped, inv.Completeness)
			}
		}
	}
}

// What is listed still, of which an upper layer removed the files, is history.
func TestListedStill(t *testing.T) {
	_, _, inv := found(t, testimage.Layer{Files: []testimage.File{
		{Name: "app/x.deps.json", Body: `{"runtimeTarget":{"name":"t"},"targets":{"t":{"A/1":{"runtime":{"lib/A.dll":{}}},"B/2":{"runtime":{"B.dll":{}}},"Never/3":{"runtime":{"N.dll":{}}}}},` +
			`"libraries":{"A/1":{"type":"package"},"B/2":{"type":"package"},"Never/3":{"type":"package"}}}`},
		{Name: "app/A.dll"}, {Name: "app/B.dll"},
		{Name: "www/vendor/composer/installed.json", Body: `{"packages":[{"name":"a/a","version":"1","install-path":"../a/a"},{"name":"b/b","version":"2","install-path":"../b/b"},{"name":"n/n","version":"3","install-path":"../n/n"}]}`},
		{Name: "www/vendor/a/a/src/x.php"}, {Name: "www/vendor/b/b/x.php"},
	}}, testimage.Layer{Files: []testimage.File{testimage.Whiteout("app/A.dll"), testimage.Whiteout("www/vendor/a")}})
	if got := ids(inv); got != "pkg:composer/b/b@2\npkg:nuget/B@2\n" {
		t.Error(got)
	}
	if got := pasts(inv); got != "pkg:composer/a/a@1 by 1\npkg:nuget/A@1 by 1\n" {
		t.Error(got)
	}
	if len(inv.Skipped) != 1 || !strings.Contains(inv.Skipped[0].Reason, "n/n 3") {
		t.Errorf("%+v", inv.Skipped)
	}
}

// Packages by notes, runtimes that say what they are, and libraries linked into programs
// have a history too.
func TestExecutableHistory(t *testing.T) {
	noted := elfWith(map[string]string{".note.package": note(`{"type":"rpm","os":"fedora","osVersion":"40","name":"coreutils","version":"9.4-6.fc40","architecture":"x86_64"}`)})
	app := elfWith(text("hello", "OpenSSL 3.0.2 15 Mar 2022", "error:%08lX:%s", "rsaEncryption"))
	files := []testimage.File{
		{Name: "srv/ls", Body: noted}, {Name: "srv/app", Body: app},
		{Name: "opt/go/VERSION", Body: "go1.26.8\n"}, {Name: "opt/go/bin/go", Body: elfWith(text("g"))},
		{Name: "opt/jdk/release", Body: "JAVA_VERSION=\"17.0.9\"\n"}, {Name: "opt/jdk/bin/java", Body: elfWith(text("j"))},
		{Name: "opt/none/VERSION", Body: "go1.25.0\n"},
	}
	_, _, inv := found(t, testimage.Layer{Files: files}, testimage.Layer{Files: []testimage.File{
		testimage.Whiteout("srv"), testimage.Whiteout("opt/go"), testimage.Whiteout("opt/none"), {Name: "opt/jdk/release", Body: "JAVA_VERSION=\"21.0.1\"\n"}}})
	var got []string
	for _, p := range inv.Past {
		got = append(got, fmt.Sprintf("%s %d %d %s", p.Component.ID, p.Layer, p.By, p.Replaced))
	}
	if d := cmp.Diff([]string{
		"pkg:generic/go@1.26.8 0 1 ",
		"pkg:generic/openjdk@17.0.9 0 1 pkg:generic/openjdk@21.0.1",
		"pkg:generic/openssl@3.0.2 0 1 ",
		"pkg:rpm/fedora/coreutils@9.4-6.fc40?arch=x86_64&distro=fedora-40 0 1 ",
	}, got); d != "" {
		t.Error(d)
	}
}

// The folders that a package's dependencies are looked for in: its own, then what was
// installed by hand, then the distribution's; of the same version or of any.
func TestPythonFolders(t *testing.T) {
	meta := func(folder, name, version, more string) testimage.File {
		return testimage.File{Name: folder + "/" + name + "-" + version + ".dist-info/METADATA", Body: "Name: " + name + "\nVersion: " + version + "\n" + more}
	}
	const needs = "Requires-Dist: x\n"
	_, relations, _ := found(t, testimage.Layer{Files: []testimage.File{
		meta("usr/lib/python3.11/dist-packages", "own", "1", "Requires-Dist: y\n"), meta("usr/lib/python3.11/dist-packages", "y", "1", ""),
		meta("usr/lib/python3.11/dist-packages", "a", "1", needs),
		meta("usr/lib/python3/dist-packages", "x", "1", ""), meta("usr/local/lib/python3.11/dist-packages", "x", "2", ""), meta("usr/local/lib/python3.12/dist-packages", "x", "3", ""),
		meta("usr/lib/python3.12/dist-packages", "b", "1", needs),
		meta("usr/lib/python3.13/dist-packages", "c", "1", needs),
		meta("usr/lib/python3/dist-packages", "d", "1", "Requires-Dist: y\n"),
		meta("srv/app", "e", "1", needs),
		{Name: "opt/v/pyvenv.cfg"}, meta("opt/v/lib/python3.11/dist-packages", "f", "1", needs), meta("opt/v/lib/python3.11/dist-packages", "g", "1", "Requires-Dist: h\n"), meta("opt/v/lib64/python3.11/dist-packages", "h", "1", ""),
		meta("opt/w/lib/python3.11/dist-packages", "i", "1", needs),
	}})
	if d := cmp.Diff([]string{
		"pkg:pypi/a@1 dependsOn pkg:pypi/x@2",
		"pkg:pypi/b@1 dependsOn pkg:pypi/x@3",
		"pkg:pypi/c@1 dependsOn pkg:pypi/x@1",
		"pkg:pypi/d@1 dependsOn pkg:pypi/y@1",
		"pkg:pypi/e@1 dependsOn pkg:pypi/x@2",
		"pkg:pypi/g@1 dependsOn pkg:pypi/h@1",
		"pkg:pypi/i@1 dependsOn pkg:pypi/x@2",
		"pkg:pypi/own@1 dependsOn pkg:pypi/y@1",
	}, relations); d != "" {
		t.Error(d)
	}
}
