package catalog_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zlib"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

// elfWith makes a 64-bit ELF program of sections: names that begin with ".note" are
// notes, all others are data that is loaded.
func elfWith(sections map[string]string) string {
	o := binary.LittleEndian
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	o.PutUint16(b[16:], 2)
	o.PutUint16(b[52:], 64)
	o.PutUint16(b[58:], 64)
	names, headers := "\x00", make([]byte, 64)
	add := func(name string, typ, flags uint64, data string) {
		h := make([]byte, 64)
		o.PutUint32(h, uint32(len(names)))
		o.PutUint32(h[4:], uint32(typ))
		o.PutUint64(h[8:], flags)
		o.PutUint64(h[24:], uint64(len(b)))
		o.PutUint64(h[32:], uint64(len(data)))
		names += name + "\x00"
		b, headers = append(b, data...), append(headers, h...)
	}
	for _, name := range slices.Sorted(maps(sections)) {
		typ := uint64(1)
		if strings.HasPrefix(name, ".note") {
			typ = 7
		}
		add(name, typ, 2, sections[name])
	}
	names += ".shstrtab\x00"
	add("", 3, 0, names)
	o.PutUint64(b[40:], uint64(len(b)))
	o.PutUint16(b[60:], uint16(len(headers)/64))
	o.PutUint16(b[62:], uint16(len(headers)/64-1))
	return string(append(b, headers...))
}

func maps(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func crates(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func note(json string) string {
	json += strings.Repeat("\x00", 4-len(json)%4)
	b := binary.LittleEndian.AppendUint32(nil, 4)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(json)))
	b = binary.LittleEndian.AppendUint32(b, 0xcafe1a7e)
	return string(b) + "FDO\x00" + json
}

func text(s ...string) map[string]string {
	return map[string]string{".rodata": "\x00" + strings.Join(s, "\x00") + "\x00"}
}

// found tells components as "type id @ locations", and relations between them.
func found(t *testing.T, layers ...testimage.Layer) (components, relations []string, inv *catalog.Inventory) {
	t.Helper()
	inv, err := inventory(context.Background(), testimage.New(t, layers...))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range inv.Components {
		var at []string
		for _, l := range c.Locations {
			at = append(at, l.Path)
		}
		slices.Sort(at)
		components = append(components, fmt.Sprintf("%s %s @ %s", c.Type, c.ID, strings.Join(at, " ")))
	}
	for _, r := range inv.Relations {
		relations = append(relations, fmt.Sprintf("%s %s %s", r.From, r.Kind, r.To))
	}
	slices.Sort(components)
	slices.Sort(relations)
	return components, relations, inv
}

func TestExecutables(t *testing.T) {
	node := elfWith(text("node.js/v20.11.0", " deflate 1.3.0.1-motley Copyright 1995-2023 Jean-loup Gailly"))
	python := elfWith(text("cpython-311", "PYTHONHOME", "3.11.2"))
	app, script := elfWith(text("hello", "OpenSSL 3.0.2 15 Mar 2022", "error:%08lX:%s", "rsaEncryption")), "#!/usr/bin/env -S bash -e\n:"
	git1, git2 := elfWith(text("git/2.39.5", "GIT_USER_AGENT", "one")), elfWith(text("git/2.39.5", "GIT_USER_AGENT", "two"))
	rusty := elfWith(map[string]string{".dep-v0": crates(t, `{"packages":[{"name":"rg","version":"1.0.0","source":"local","dependencies":[1,2],"root":true},`+
		`{"name":"libc","version":"0.2.1","source":"crates.io"},{"name":"cc","version":"1.1.0","source":"crates.io","kind":"build"}]}`)})
	noted := elfWith(map[string]string{".note.package": note(`{"type":"rpm","os":"fedora","osVersion":"40","name":"coreutils","version":"9.4-6.fc40","architecture":"x86_64"}`)})
	files := []testimage.File{
		{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=12\n"},
		{Name: "var/lib/dpkg/status", Body: "Package: git\nVersion: 1:2.39.5-0\nArchitecture: amd64\nStatus: install ok installed\n"},
		{Name: "var/lib/dpkg/info/git.list", Body: "/usr/bin/git\n/usr/bin/owned\n"},
		{Name: "var/lib/dpkg/info/git.postinst", Body: script, Mode: 0o755}, {Name: "var/lib/dpkg/info/git:amd64.prerm", Body: script, Mode: 0o755},
		{Name: "usr/bin/git", Body: git1, Mode: 0o755}, {Name: "usr/bin/owned", Body: app, Mode: 0o755},
		{Name: "opt/git/bin/x", Body: git1, Mode: 0o755}, {Name: "opt/git/bin/y", Body: git2, Mode: 0o755},
		{Name: "opt/n", Body: node, Mode: 0o755},
		{Name: "usr/local/bin/py", Body: python, Mode: 0o755},
		{Name: "usr/local/lib/python3.11/lib-dynload/math.so", Body: elfWith(text("m"))},
		{Name: "usr/local/lib/python3.11/site-packages/stray.so", Body: elfWith(text("s"))},
		{Name: "srv/app", Body: app}, {Name: "srv/run", Body: script, Mode: 0o755}, {Name: "srv/text.sh", Body: script},
		{Name: "srv/rg", Body: rusty, Mode: 0o755}, {Name: "srv/ls", Body: noted, Mode: 0o755},
		{Name: "usr/local/go/VERSION", Body: "go1.26.8\ntime 2026-08-28T16:20:06Z\n"}, {Name: "usr/local/go/bin/go", Body: elfWith(text("g")), Mode: 0o755},
		{Name: "usr/local/go/src/make.bash", Body: "#!/bin/bash\n:", Mode: 0o755},
		{Name: "opt/jdk/release", Body: "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\n"}, {Name: "opt/jdk/bin/java", Body: elfWith(text("j")), Mode: 0o755},
		{Name: "opt/jdk/lib/server/libjvm.so", Body: elfWith(text("OpenJDK 64-Bit Server VM (17.0.9+9) for linux-amd64 JRE (17.0.9+9), built on", "JNI_CreateJavaVM"))},
		{Name: "VERSION", Body: "go1.1\n"}, {Name: "release", Body: "JAVA_VERSION=\"1\"\n"},
	}
	components, relations, inv := found(t, testimage.Layer{Files: files})
	sum := func(s string) string { return string(assay.SumSHA256([]byte(s)).String()) }
	want := []string{
		"application pkg:generic/git@2.39.5 @ opt/git/bin/x opt/git/bin/y",
		"application pkg:generic/go@1.26.8 @ usr/local/go/VERSION",
		"application pkg:generic/node@20.11.0 @ opt/n",
		"application pkg:generic/openjdk@17.0.9 @ opt/jdk/lib/server/libjvm.so opt/jdk/release",
		"application pkg:generic/python@3.11.2 @ usr/local/bin/py",
		"application rust-binary:" + sum(rusty) + " @ srv/rg",
		"file file:opt/git/bin/x @ opt/git/bin/x",
		"file file:opt/git/bin/y @ opt/git/bin/y",
		"file file:srv/app @ srv/app",
		"file file:srv/run @ srv/run",
		"file file:usr/local/lib/python3.11/site-packages/stray.so @ usr/local/lib/python3.11/site-packages/stray.so",
		"library pkg:cargo/libc@0.2.1 @ srv/rg",
		"library pkg:deb/debian/git@1:2.39.5-0?arch=amd64&distro=debian-12 @ var/lib/dpkg/status",
		"library pkg:generic/openssl@3.0.2 @ srv/app",
		"library pkg:generic/zlib@1.3.0.1 @ opt/n",
		"library pkg:rpm/fedora/coreutils@9.4-6.fc40?arch=x86_64&distro=fedora-40 @ srv/ls",
		"operating-system os:debian-12 @ etc/os-release",
	}
	if d := cmp.Diff(want, components); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		"file:srv/app contains pkg:generic/openssl@3.0.2",
		"pkg:generic/git@2.39.5 contains file:opt/git/bin/x",
		"pkg:generic/git@2.39.5 contains file:opt/git/bin/y",
		"pkg:generic/node@20.11.0 contains pkg:generic/zlib@1.3.0.1",
		"rust-binary:" + sum(rusty) + " dependsOn pkg:cargo/libc@0.2.1",
	}, relations); d != "" {
		t.Error(d)
	}
	byID := map[assay.ComponentID]assay.Component{}
	for _, c := range inv.Components {
		byID[c.ID] = c
	}
	if c := byID["file:srv/run"]; c.Properties["assay:unclaimed"] != "true" || c.Properties["assay:interpreter"] != "bash" || c.Hashes.Get(assay.SHA256) != assay.SumSHA256([]byte(script)) {
		t.Errorf("%+v", c)
	}
	if c := byID["file:opt/git/bin/x"]; c.Properties["assay:unclaimed"] != "" {
		t.Errorf("%+v", c)
	}
	if c := byID["pkg:generic/node@20.11.0"]; !slices.Equal(c.CPEs, []string{"cpe:2.3:a:nodejs:node.js:20.11.0:*:*:*:*:*:*:*"}) || c.Hashes.Get(assay.SHA256) != assay.SumSHA256([]byte(node)) {
		t.Errorf("%+v", c)
	}
	if c := byID[assay.ComponentID("rust-binary:"+sum(rusty))]; c.Properties["assay:cargo:build-dependencies"] != "cc@1.1.0" {
		t.Errorf("%+v", c)
	}
}

// A program that an upper layer replaces is history, unless a distribution's
// packages account for it.
func TestProgramHistory(t *testing.T) {
	old, now := elfWith(text("node.js/v18.0.0")), elfWith(text("node.js/v20.0.0"))
	_, _, inv := found(t,
		testimage.Layer{Files: []testimage.File{{Name: "usr/bin/node", Body: old}, {Name: "opt/node", Body: old}}},
		testimage.Layer{Files: []testimage.File{{Name: "opt/node", Body: now}, testimage.Whiteout("usr/bin/node"),
			{Name: "lib/apk/db/installed", Body: "P:musl\nV:1\n"}}})
	if len(inv.Past) != 1 || inv.Past[0].Component.ID != "pkg:generic/node@18.0.0" || inv.Past[0].Replaced != "pkg:generic/node@20.0.0" || inv.Past[0].By != 1 {
		t.Errorf("%+v", inv.Past)
	}
}

func jarOf(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		e, err := w.Create(files[i])
		if err == nil {
			_, err = e.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func project(artifact, version, depends string) []string {
	at := "META-INF/maven/g/" + artifact + "/"
	pom := "<project><groupId>g</groupId><artifactId>" + artifact + "</artifactId><version>" + version + "</version><licenses><license><name>Apache License, Version 2.0</name></license></licenses><dependencies>"
	for _, d := range strings.Fields(depends) {
		pom += "<dependency><groupId>g</groupId><artifactId>" + d + "</artifactId></dependency>"
	}
	return []string{at + "pom.properties", "groupId=g\nartifactId=" + artifact + "\nversion=" + version + "\n", at + "pom.xml", pom + "</dependencies></project>"}
}

func TestJava(t *testing.T) {
	lib := jarOf(t, project("lib", "2.0", "")...)
	plain := jarOf(t, "a/B.class", "x")
	app := jarOf(t, append(append(project("app", "1.0", "lib shaded gone"), project("shaded", "3", "")...), "BOOT-INF/lib/lib-2.0.jar", lib, "BOOT-INF/lib/plain-7.jar", plain)...)
	components, relations, inv := found(t, testimage.Layer{Files: []testimage.File{
		{Name: "srv/app-1.0.jar", Body: app}, {Name: "ext/lib.jar", Body: lib}, {Name: "ext/broken.jar", Body: lib[:100]}, {Name: "ext/no.jar", Body: "text" + strings.Repeat(" ", 99)},
		{Name: "tmp/noname", Body: lib},
	}})
	if d := cmp.Diff([]string{
		"application pkg:maven/g/app@1.0 @ srv/app-1.0.jar",
		"library java:plain@7 @ srv/app-1.0.jar!/BOOT-INF/lib/plain-7.jar",
		"library pkg:maven/g/lib@2.0 @ ext/lib.jar srv/app-1.0.jar!/BOOT-INF/lib/lib-2.0.jar tmp/noname",
		"library pkg:maven/g/shaded@3 @ srv/app-1.0.jar",
	}, components); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		"pkg:maven/g/app@1.0 contains java:plain@7",
		"pkg:maven/g/app@1.0 dependsOn pkg:maven/g/lib@2.0",
		"pkg:maven/g/app@1.0 dependsOn pkg:maven/g/shaded@3",
	}, relations); d != "" {
		t.Error(d)
	}
	if len(inv.Skipped) != 1 || inv.Skipped[0].Path != "ext/broken.jar" {
		t.Errorf("%+v", inv.Skipped)
	}
	if !slices.Contains(inv.Completeness, assay.Completeness{Scope: "components:maven", Aggregate: "incomplete"}) {
		t.Errorf("%+v", inv.Completeness)
	}
	for _, c := range inv.Components {
		if c.Name == "lib" && (c.Hashes.Get(assay.SHA256) != assay.SumSHA256([]byte(lib)) || c.Hashes.Get(assay.SHA1).IsZero() || c.Licenses[0].Expression != "Apache-2.0") {
			t.Errorf("%+v", c)
		}
	}
}

// Jars of Debian are owned; one that a layer removed is history.
func TestJavaHistory(t *testing.T) {
	one, two := jarOf(t, project("a", "1", "")...), jarOf(t, project("a", "2", "")...)
	_, _, inv := found(t,
		testimage.Layer{Files: []testimage.File{{Name: "srv/a.jar", Body: one}, {Name: "srv/name-3.jar", Body: jarOf(t, "X.class", "")}}},
		testimage.Layer{Files: []testimage.File{{Name: "srv/a.jar", Body: two}, testimage.Whiteout("srv/name-3.jar")}})
	var got []string
	for _, p := range inv.Past {
		got = append(got, fmt.Sprintf("%s by %d, now %s", p.Component.ID, p.By, p.Replaced))
	}
	if d := cmp.Diff([]string{"java:name@3 by 1, now ", "pkg:maven/g/a@1 by 1, now pkg:maven/g/a@2"}, got); d != "" {
		t.Error(d)
	}
}

// A nest too deep is named, and what is above it found.
func TestJavaDepth(t *testing.T) {
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
	}
	content, err := os.ReadFile(filepath.Join(dir, "extractor/filesystem/language/java/archive/testdata/nested_at_100.jar"))
	if err != nil {
		t.Fatal(err)
	}
	_, _, inv := found(t, testimage.Layer{Files: []testimage.File{{Name: "n.jar", Body: string(content)}}})
	if len(inv.Skipped) != 1 || !strings.Contains(inv.Skipped[0].Reason, "Depth 16") || strings.Count(inv.Skipped[0].Path, "nested.jar") != 16 {
		t.Errorf("%+v", inv.Skipped)
	}
	if !slices.Contains(inv.Completeness, assay.Completeness{Scope: "components:maven", Aggregate: "incomplete"}) {
		t.Errorf("%+v", inv.Completeness)
	}
}

func TestDotnet(t *testing.T) {
	deps := `{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0/linux-x64"},"targets":{".NETCoreApp,Version=v8.0":{},".NETCoreApp,Version=v8.0/linux-x64":{
"App/1.0.0":{"dependencies":{"Meta":"1.0.0","Newtonsoft.Json":"13.0.3"},"runtime":{"App.dll":{}}},
"Meta/1.0.0":{"dependencies":{"Serilog":"3.0.0"}},
"Newtonsoft.Json/13.0.3":{"runtime":{"lib/net6.0/Newtonsoft.Json.dll":{"assemblyVersion":"13.0.0.0"}}},
"Serilog/3.0.0":{"runtime":{"lib/net7.0/Serilog.dll":{}}},
"Trimmed/1.0.0":{"runtime":{"lib/net7.0/Trimmed.dll":{}}},
"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1":{"native":{"libcoreclr.so":{}}}}},
"libraries":{"App/1.0.0":{"type":"project","sha512":""},"Meta/1.0.0":{"type":"package"},
"Newtonsoft.Json/13.0.3":{"type":"package","sha512":"sha512-` + strings.Repeat("A", 86) + `=="},"Serilog/3.0.0":{"type":"package"},"Trimmed/1.0.0":{"type":"package"},
"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1":{"type":"runtimepack"}}}`
	dll := "MZ" + strings.Repeat("\x00", 58) + "\x40\x00\x00\x00PE"
	components, relations, inv := found(t, testimage.Layer{Files: []testimage.File{
		{Name: "app/App.deps.json", Body: deps}, {Name: "app/App.dll", Body: dll}, {Name: "app/Newtonsoft.Json.dll", Body: dll + "1"}, {Name: "app/Serilog.dll", Body: dll + "2"},
		{Name: "app/libcoreclr.so", Body: elfWith(text("x"))}, {Name: "app/App", Body: elfWith(text("apphost")), Mode: 0o755}, {Name: "app/Other.dll", Body: dll + "3"},
		{Name: "bad/x.deps.json", Body: `{"libraries":{"a/1":{}}}`}, {Name: "js/editor.deps.json", Body: `["lodash"]`},
	}})
	if d := cmp.Diff([]string{
		"application dotnet-project:App@1.0.0 @ app/App.deps.json",
		"file file:app/Other.dll @ app/Other.dll",
		"library pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1 @ app/App.deps.json",
		"library pkg:nuget/Newtonsoft.Json@13.0.3 @ app/App.deps.json",
		"library pkg:nuget/Serilog@3.0.0 @ app/App.deps.json",
	}, components); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"dotnet-project:App@1.0.0 dependsOn pkg:nuget/Newtonsoft.Json@13.0.3", "dotnet-project:App@1.0.0 dependsOn pkg:nuget/Serilog@3.0.0"}, relations); d != "" {
		t.Error(d)
	}
	if len(inv.Skipped) != 1 || inv.Skipped[0].Path != "bad/x.deps.json" {
		t.Errorf("%+v", inv.Skipped)
	}
	for _, c := range inv.Components {
		if c.Name == "Newtonsoft.Json" && c.Hashes.Get(assay.SHA512).Hex() != strings.Repeat("0", 128) {
			t.Errorf("%+v", c.Hashes)
		}
	}
}

// A list of files says what a package installed. What an upper layer wrote over it, and
// the package manager did not, is not the package's.
func TestReplacedExecutables(t *testing.T) {
	status := func(version string) testimage.File {
		return testimage.File{Name: "var/lib/dpkg/status", Body: "Package: tools\nVersion: " + version + "\nArchitecture: amd64\nStatus: install ok installed\n"}
	}
	one, two := elfWith(text("one")), elfWith(text("two"))
	base := []testimage.File{status("1"), {Name: "var/lib/dpkg/info/tools.list", Body: "/usr/bin/a\n/usr/bin/b\n/usr/bin/c\n/usr/bin/d\n/etc/init.d/e\n/usr/bin/g\n/usr/lib/h\n"},
		{Name: "usr/bin/a", Body: one}, {Name: "usr/bin/b", Body: one}, {Name: "usr/bin/c", Body: one}, {Name: "usr/bin/d", Body: one},
		{Name: "etc/init.d/e", Body: "#!/bin/sh\n:", Mode: 0o755}, {Name: "usr/bin/g", Body: one}}
	top := []testimage.File{
		{Name: "usr/bin/a", Body: two}, {Name: "usr/bin/b", Body: one, Mode: 0o4755}, {Name: "usr/bin/c", Body: elfWith(text("node.js/v20.11.0"))},
		{Name: "etc/init.d/e", Body: "#!/bin/sh\ntrue", Mode: 0o755}, testimage.HardLink("usr/bin/g", "usr/bin/a"), {Name: "usr/lib/h", Body: two},
	}
	components, relations, inv := found(t, testimage.Layer{Files: base}, testimage.Layer{Files: top})
	if d := cmp.Diff([]string{
		"application pkg:generic/node@20.11.0 @ usr/bin/c",
		"file file:usr/bin/a @ usr/bin/a",
		"file file:usr/bin/g @ usr/bin/g",
		"library pkg:deb/tools@1?arch=amd64 @ var/lib/dpkg/status",
	}, components); d != "" || len(relations) > 0 {
		t.Error(d, relations)
	}
	for _, c := range inv.Components {
		if c.Name == "usr/bin/a" && (c.Properties["assay:replaces"] != "pkg:deb/tools@1?arch=amd64" || c.Properties["assay:unclaimed"] != "true") {
			t.Errorf("%+v", c)
		}
	}
	owned := installed(inv)
	for path, want := range map[string]bool{"usr/bin/a": false, "usr/bin/b": true, "usr/bin/c": false, "usr/bin/d": true, "etc/init.d/e": true, "usr/bin/g": false, "usr/lib/h": true} {
		if (owned[path] != "") != want {
			t.Errorf("%s is owned by %q", path, owned[path])
		}
	}
	// The package manager itself did.
	components, _, _ = found(t, testimage.Layer{Files: base}, testimage.Layer{Files: append(top, status("2"))})
	if d := cmp.Diff([]string{"library pkg:deb/tools@2?arch=amd64 @ var/lib/dpkg/status"}, components); d != "" {
		t.Error(d)
	}
}
