package sbom_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

type file = testimage.File

const osRelease = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\nCPE_NAME=cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*\n"

// layersOf makes one layer of each list of files.
func layersOf(files ...[]file) []testimage.Layer {
	var out []testimage.Layer
	for _, f := range files {
		out = append(out, testimage.Layer{Files: f})
	}
	return out
}

func scan(t *testing.T, opts sbom.Options, layers ...[]file) *sbom.Contents {
	t.Helper()
	img := testimage.New(t, layersOf(layers...)...)
	c, err := sbom.Scan(context.Background(), img, opts)
	if err != nil {
		t.Fatal(err)
	}
	checkCached(t, img, opts, c)
	return c
}

// dpkgStatus makes a status database of "name version [field: value]...".
func dpkgStatus(pkgs ...string) file {
	var b strings.Builder
	for _, p := range pkgs {
		f := strings.SplitN(p, " ", 3)
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: M <m@example.org>\nVersion: %s\n", f[0], f[1])
		if len(f) > 2 {
			b.WriteString(f[2] + "\n")
		}
		b.WriteString("\n")
	}
	return file{Name: "var/lib/dpkg/status", Body: b.String()}
}

// found gives the components, but for the operating system, as "name@version" with
// the layers and paths they were found at.
func found(c *sbom.Contents) map[string][]string {
	out := map[string][]string{}
	for _, comp := range c.SBOM.Components {
		if comp.Type == assay.TypeOperatingSystem {
			continue
		}
		k := comp.Name + "@" + comp.Version
		for _, l := range comp.Locations {
			layer := slices.IndexFunc(c.Layers, func(x sbom.Layer) bool { return x.DiffID == l.Layer })
			out[k] = append(out[k], fmt.Sprintf("%d %s", layer, l.Path))
		}
	}
	return out
}

func relations(c *sbom.Contents) []string {
	var out []string
	name := func(id assay.ComponentID) string {
		comp, _ := c.SBOM.Component(id)
		if id == c.SBOM.Root.ID {
			return "root"
		}
		return comp.Name
	}
	for _, r := range c.SBOM.Relations {
		out = append(out, fmt.Sprintf("%s %s %s", name(r.From), r.Kind, name(r.To)))
	}
	slices.Sort(out)
	return out
}

func aggregates(c *sbom.Contents) map[string]string {
	out := map[string]string{}
	for _, s := range c.SBOM.Completeness {
		if s.Of == "" {
			out[s.Scope] = s.Aggregate
		}
	}
	return out
}

func TestScanDpkgLayers(t *testing.T) {
	c := scan(t, sbom.Options{},
		[]file{
			{Name: "etc/os-release", Body: osRelease}, dpkgStatus("a 1", "b 1", "c 1"),
			{Name: "usr/share/doc/a/copyright", Body: "Format: copyright-format/1.0\n\nFiles: *\nLicense: Expat\n"},
			testimage.Symlink("usr/share/doc/b", "a"),
		},
		[]file{dpkgStatus("a 1", "b 2 Depends: a (>= 1), d | e, missing\nSource: src (3)", "d 1 Provides: virtual\nDepends: virtual")},
		[]file{dpkgStatus("a 1", "b 2 Depends: a (>= 1), d | e, missing\nSource: src (3)", "d 1 Provides: virtual\nDepends: virtual", "f 1")},
	)
	const db = "var/lib/dpkg/status"
	if d := cmp.Diff(map[string][]string{"a@1": {"0 " + db}, "b@2": {"1 " + db}, "d@1": {"1 " + db}, "f@1": {"2 " + db}}, found(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"b dependsOn a", "b dependsOn d", "root contains a", "root contains b", "root contains d", "root contains debian", "root contains f"}, relations(c)); d != "" {
		t.Error(d)
	}
	var past []string
	for _, p := range c.History {
		past = append(past, fmt.Sprintf("%s %d %d %s", p.Component.PURL, p.Layer, p.By, p.Replaced))
	}
	const q = "?arch=amd64&distro=debian-12"
	if d := cmp.Diff([]string{"pkg:deb/debian/b@1" + q + " 0 1 pkg:deb/debian/b@2" + q, "pkg:deb/debian/c@1" + q + " 0 1 "}, past); d != "" {
		t.Error(d)
	}
	b, ok := c.SBOM.Component("pkg:deb/debian/b@2" + q)
	if !ok {
		t.Fatal("no b")
	}
	b.Locations = nil
	if d := cmp.Diff(assay.Component{
		ID: "pkg:deb/debian/b@2" + q, Type: assay.TypeLibrary, Name: "b", Version: "2", Supplier: "M <m@example.org>", FoundBy: "dpkg",
		Source: assay.SourcePackage{Name: "src", Version: "3"}, Licenses: []assay.License{{Expression: "MIT"}},
	}, *b, cmp.Comparer(func(a, b assay.PURL) bool { return true })); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"components": "unknown", "components:deb": "complete", "dependencies:deb": "incomplete"}, aggregates(c)); d != "" {
		t.Error(d)
	}
	os, ok := c.SBOM.Component("os:debian-12")
	if !ok || os.Type != assay.TypeOperatingSystem || len(os.CPEs) != 1 || len(os.Locations) != 1 {
		t.Errorf("operating system: %+v", os)
	}
}

// Deleting the database hides packages from scanners that look at the end only.
func TestScanDeletedDatabase(t *testing.T) {
	c := scan(t, sbom.Options{}, []file{dpkgStatus("a 1")}, []file{testimage.Whiteout("var/lib/dpkg")})
	if len(found(c)) != 0 || len(c.History) != 1 || c.History[0].Component.Name != "a" || c.History[0].By != 1 {
		t.Errorf("found %v, history %+v", found(c), c.History)
	}
	if got := aggregates(c)["components:deb"]; got != "incomplete" {
		t.Errorf("components:deb is %q", got)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Path != "var/lib/dpkg/status" || !strings.Contains(c.Skipped[0].Reason, "removed") {
		t.Errorf("skipped %+v", c.Skipped)
	}
}

func TestScanDistroless(t *testing.T) {
	exe := tinyGo("path\texample.org/tool\nmod\texample.org/tool\tv1.0.0\n")
	c := scan(t, sbom.Options{}, []file{
		{Name: "usr/lib/os-release", Body: osRelease},
		testimage.Symlink("etc/os-release", "../usr/lib/os-release"),
		{Name: "var/lib/dpkg/status.d/base", Body: "Package: base\nVersion: 1\nArchitecture: all\n"},
		{Name: "var/lib/dpkg/status.d/base.md5sums", Body: "d41d8cd98f00b204e9800998ecf8427e  usr/share/x\n"},
		{Name: "var/lib/dpkg/status.d/tool", Body: "Package: tool\nVersion: 2\nArchitecture: amd64\nDepends: base\n"},
		{Name: "var/lib/dpkg/status.d/tool.md5sums", Body: "d41d8cd98f00b204e9800998ecf8427e  bin/tool\n"},
		testimage.Symlink("bin", "usr/bin"),
		{Name: "usr/bin/tool", Body: exe, Mode: 0o755}, {Name: "usr/share/x"},
	})
	got := found(c)
	for k, want := range map[string]string{"base@1": "0 var/lib/dpkg/status.d/base", "tool@2": "0 var/lib/dpkg/status.d/tool"} {
		if !slices.Equal(got[k], []string{want}) {
			t.Errorf("%s: %v", k, got[k])
		}
	}
	if id, ok := c.Owner("usr/bin/tool"); !ok || !strings.HasPrefix(string(id), "pkg:deb/debian/tool@2") {
		t.Errorf("owner of usr/bin/tool: %q", id)
	}
	if id, ok := c.Owner("usr/bin"); ok {
		t.Errorf("a folder has the owner %q", id)
	}
	owned := false
	for _, r := range c.SBOM.Relations {
		if r.Kind == assay.OwnedBy && strings.HasPrefix(string(r.From), "go-binary:sha256:") && strings.HasPrefix(string(r.To), "pkg:deb/debian/tool@2") {
			owned = true
		}
	}
	if !owned {
		t.Errorf("the executable is not owned by its package: %v", relations(c))
	}
}

func goExecutable(tb testing.TB) string {
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

func TestScanGo(t *testing.T) {
	t.Parallel()
	exe := goExecutable(t)
	// Packing them would take most of the time.
	plain := func(f ...file) testimage.Layer { return testimage.Layer{Files: f, Compression: testimage.None} }
	img := testimage.New(t,
		plain(file{Name: "opt/data.bin", Body: exe, Mode: 0o644}, file{Name: "usr/tool", Body: exe},
			file{Name: "opt/broken", Body: strings.ReplaceAll(exe, "\xff Go buildinf:", "\xff No buildinf:")}),
		plain(testimage.HardLink("app", "usr/tool"), file{Name: "opt/data.bin", Body: exe}),
	)
	c, err := sbom.Scan(context.Background(), img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimPrefix(runtime.Version(), "go")
	version, _, _ = strings.Cut(version, " ")
	std, ok := c.SBOM.Component(assay.ComponentID("pkg:golang/stdlib@" + version))
	if !ok {
		t.Fatalf("no standard library in %v", found(c))
	}
	var layers []string
	for _, l := range std.Locations {
		layers = append(layers, l.Path)
	}
	if d := cmp.Diff([]string{"app", "opt/data.bin", "usr/tool"}, layers); d != "" {
		t.Error(d)
	}
	n := 0
	for _, comp := range c.SBOM.Components {
		if comp.Type == assay.TypeApplication {
			n++
			if len(comp.Locations) != 3 || comp.Hashes.Get(assay.SHA256).IsZero() || comp.Properties["assay:go:toolchain"] != runtime.Version() {
				t.Errorf("%+v", comp)
			}
			// It came with the first layer, though the second wrote it again.
			if comp.Locations[1] != (assay.Location{Layer: c.Layers[0].DiffID, Path: "opt/data.bin"}) {
				t.Errorf("locations %+v", comp.Locations)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d executables", n)
	}
	if !slices.Contains(relations(c), "root contains sbom.test") || !slices.Contains(relations(c), "sbom.test dependsOn stdlib") {
		t.Error(relations(c))
	}
	want := map[string]string{"components": "unknown", "dependencies:golang": "incomplete", "components:golang": "complete"}
	if runtime.GOOS == "linux" {
		want["components:golang"] = "incomplete"
		if len(c.Skipped) != 1 || c.Skipped[0].Path != "opt/broken" || c.Skipped[0].History {
			t.Errorf("skipped %+v", c.Skipped)
		}
	}
	if d := cmp.Diff(want, aggregates(c)); d != "" {
		t.Error(d)
	}
}

func TestScanTooLarge(t *testing.T) {
	c := scan(t, sbom.Options{Bounds: sbom.Bounds{File: 4096}}, []file{{Name: "x", Body: tinyGo("path\texample.org/tool\n") + strings.Repeat("\x00", 4096)}})
	if len(c.Skipped) != 0 || aggregates(c)["components:golang"] != "complete" { // it is read as it goes by
		t.Errorf("skipped %+v, %v", c.Skipped, aggregates(c))
	}
	big := dpkgStatus("a 1", "b 1", "c 1")
	if c = scan(t, sbom.Options{Bounds: sbom.Bounds{File: 64}}, []file{big}); len(c.Skipped) != 1 || c.Skipped[0].Path != big.Name || aggregates(c)["components:deb"] != "incomplete" {
		t.Errorf("skipped %+v, %v", c.Skipped, aggregates(c))
	}
	_, err := sbom.Scan(context.Background(), testimage.New(t, layersOf([]file{big}, []file{dpkgStatus("a 2")})...), sbom.Options{Memory: 1600})
	if !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "Memory") {
		t.Errorf("got %v", err)
	}
}

func pkgJSON(dir, name, version, more string) file {
	if more != "" {
		more = "," + more
	}
	return file{Name: dir + "/package.json", Body: fmt.Sprintf(`{"name":%q,"version":%q,"license":"MIT"%s}`, name, version, more)}
}

func TestScanNPM(t *testing.T) {
	const sri = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
	c := scan(t, sbom.Options{}, []file{
		pkgJSON("app", "shop", "1.0.0", `"dependencies":{"a":"1","@s/b":"1","alias":"npm:real@1","ws":"*","missing":"1"},"devDependencies":{"dev":"1","nodev":"1"}`),
		{Name: "app/package-lock.json", Body: `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","integrity":"` + sri + `"},"node_modules/not-installed":{"version":"1.0.0"},"node_modules/dev":{"version":"9.9.9","integrity":"` + sri + `"}}}`},
		pkgJSON("app/node_modules/a", "a", "1.0.0", `"dependencies":{"c":"1"},"optionalDependencies":{"o":"1"},"peerDependencies":{"@s/b":"1"}`),
		pkgJSON("app/node_modules/a/node_modules/c", "c", "1.0.0", ``),
		pkgJSON("app/node_modules/c", "c", "2.0.0", `"dependencies":{"a":"1"}`),
		pkgJSON("app/node_modules/@s/b", "@s/b", "1.0.0", `"dependencies":{"c":"2"}`),
		pkgJSON("app/node_modules/alias", "real", "1.0.0", ``),
		pkgJSON("app/node_modules/dev", "dev", "1.0.0", ``),
		pkgJSON("app/node_modules/a/test/fixture", "fixture", "1.0.0", ``),
		{Name: "app/node_modules/mark/package.json", Body: `{"type":"module"}`},
		{Name: "app/node_modules/broken/package.json", Body: `{"name":"broken","name":"again"}`},
		{Name: "app/test/package.json", Body: `{not json`},
		testimage.Symlink("app/node_modules/ws", "../packages/ws"),
		pkgJSON("app/packages/ws", "ws", "1.0.0", `"dependencies":{"c":"2"}`),
		// As pnpm lays it out: the folder is elsewhere, its dependencies beside it.
		testimage.Symlink("srv/node_modules/p", ".pnpm/p@1/node_modules/p"),
		pkgJSON("srv/node_modules/.pnpm/p@1/node_modules/p", "p", "1.0.0", `"dependencies":{"q":"1"}`),
		testimage.Symlink("srv/node_modules/.pnpm/p@1/node_modules/q", "../../q@1/node_modules/q"),
		pkgJSON("srv/node_modules/.pnpm/q@1/node_modules/q", "q", "1.0.0", ``),
		pkgJSON("usr/lib/node_modules/c", "c", "1.0.0", ``),
		{Name: "lonely/package-lock.json", Body: `{"lockfileVersion":3,"packages":{"node_modules/x":{"version":"1.0.0"}}}`},
	})
	want := map[string][]string{
		"shop@1.0.0": {"0 app/package.json"},
		"a@1.0.0":    {"0 app/node_modules/a/package.json"},
		"c@1.0.0":    {"0 app/node_modules/a/node_modules/c/package.json", "0 usr/lib/node_modules/c/package.json"},
		"c@2.0.0":    {"0 app/node_modules/c/package.json"},
		"@s/b@1.0.0": {"0 app/node_modules/@s/b/package.json"},
		"real@1.0.0": {"0 app/node_modules/alias/package.json"},
		"dev@1.0.0":  {"0 app/node_modules/dev/package.json"},
		"ws@1.0.0":   {"0 app/packages/ws/package.json"},
		"p@1.0.0":    {"0 srv/node_modules/.pnpm/p@1/node_modules/p/package.json"},
		"q@1.0.0":    {"0 srv/node_modules/.pnpm/q@1/node_modules/q/package.json"},
	}
	if d := cmp.Diff(want, found(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		"@s/b dependsOn c", "a dependsOn @s/b", "a dependsOn c", "c dependsOn a", "p dependsOn q", "root contains p", "root contains shop",
		"shop dependsOn @s/b", "shop dependsOn a", "shop dependsOn dev", "shop dependsOn real", "shop dependsOn ws", "ws dependsOn c",
	}, relations(c)); d != "" {
		t.Error(d)
	}
	for id, hashed := range map[assay.ComponentID]bool{"pkg:npm/a@1.0.0": true, "pkg:npm/dev@1.0.0": false, "pkg:npm/%40s/b@1.0.0": false} {
		comp, ok := c.SBOM.Component(id)
		if !ok || comp.Hashes.Get(assay.SHA512).IsZero() == hashed {
			t.Errorf("%s: %v, %+v", id, ok, comp)
		}
	}
	if d := cmp.Diff(map[string]string{"components": "unknown", "components:npm": "incomplete", "dependencies:npm": "incomplete"}, aggregates(c)); d != "" {
		t.Error(d)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Path != "app/node_modules/broken/package.json" || !strings.Contains(c.Skipped[0].Reason, `"name"`) {
		t.Errorf("skipped %+v", c.Skipped)
	}
}

func TestScanNPMHistory(t *testing.T) {
	c := scan(t, sbom.Options{},
		[]file{pkgJSON("node_modules/a", "a", "1.0.0", ""), pkgJSON("node_modules/b", "b", "1.0.0", "")},
		[]file{pkgJSON("node_modules/a", "a", "1.0.1", ""), testimage.Whiteout("node_modules/b"), pkgJSON("x/node_modules/c", "c", "1.0.0", "")},
		[]file{pkgJSON("x/node_modules/c", "c", "1.0.0", `"description":"written again"`)},
	)
	if d := cmp.Diff(map[string][]string{"a@1.0.1": {"1 node_modules/a/package.json"}, "c@1.0.0": {"1 x/node_modules/c/package.json"}}, found(c)); d != "" {
		t.Error(d)
	}
	var past []string
	for _, p := range c.History {
		past = append(past, fmt.Sprintf("%s %d %d %s", p.Component.PURL, p.Layer, p.By, p.Replaced))
	}
	if d := cmp.Diff([]string{"pkg:npm/a@1.0.0 0 1 pkg:npm/a@1.0.1", "pkg:npm/b@1.0.0 0 1 "}, past); d != "" {
		t.Error(d)
	}
}

// Two packages of one name and version with other contents are two components.
func TestScanContradiction(t *testing.T) {
	lock := func(dir, sri string) file {
		return file{Name: dir + "/node_modules/.package-lock.json", Body: `{"packages":{"node_modules/a":{"version":"1.0.0","integrity":"` + sri + `"}}}`}
	}
	c := scan(t, sbom.Options{}, []file{
		pkgJSON("x/node_modules/a", "a", "1.0.0", ""), lock("x", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
		pkgJSON("y/node_modules/a", "a", "1.0.0", ""), lock("y", "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
	})
	var ids []string
	for _, comp := range c.SBOM.Components {
		ids = append(ids, string(comp.ID)+" "+comp.PURL.String()+" "+comp.Locations[0].Path)
	}
	if d := cmp.Diff([]string{
		"pkg:npm/a@1.0.0 pkg:npm/a@1.0.0 x/node_modules/a/package.json",
		"pkg:npm/a@1.0.0#sha1:0000000000000000000000000000000000000000 pkg:npm/a@1.0.0 y/node_modules/a/package.json",
	}, ids); d != "" {
		t.Error(d)
	}
}

func TestScanApk(t *testing.T) {
	const db = "C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nm:T <t@example.org>\np:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl-x86_64.so.1\n\n" +
		"P:busybox\nV:1.37.0-r0\nA:x86_64\nL:GPL-2.0-only\no:busybox-src\nD:so:libc.musl-x86_64.so.1\nF:bin\nR:busybox\n\n"
	c := scan(t, sbom.Options{}, []file{
		{Name: "etc/os-release", Body: "ID=alpine\nVERSION_ID=3.21.0\n"}, {Name: "usr/lib/apk/db/installed", Body: db}, testimage.Symlink("lib", "usr/lib"),
		{Name: "usr/lib/ld-musl-x86_64.so.1"}, {Name: "bin/busybox"},
	})
	comp, ok := c.SBOM.Component("pkg:apk/alpine/busybox@1.37.0-r0?arch=x86_64&distro=alpine-3.21.0")
	if !ok || comp.Source != (assay.SourcePackage{Name: "busybox-src", Version: "1.37.0-r0"}) || !slices.Equal(comp.Licenses, []assay.License{{Expression: "GPL-2.0-only"}}) {
		t.Errorf("%v %+v", found(c), comp)
	}
	if d := cmp.Diff([]string{"busybox dependsOn musl", "root contains alpine", "root contains busybox", "root contains musl"}, relations(c)); d != "" {
		t.Error(d)
	}
	if id, ok := c.Owner("usr/lib/ld-musl-x86_64.so.1"); !ok || !strings.Contains(string(id), "musl@") {
		t.Errorf("owner %q", id)
	}
	if d := cmp.Diff(map[string]string{"components": "unknown", "components:apk": "complete", "dependencies:apk": "complete"}, aggregates(c)); d != "" {
		t.Error(d)
	}
}

func TestScanOptions(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	img := testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) {
		c.Created = v1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))}
	}}, layersOf([]file{{Name: "x"}})...)
	ctx := context.Background()
	c, err := sbom.Scan(ctx, img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.SBOM.Created.Format(time.RFC3339Nano); got != "2026-01-02T02:04:05Z" {
		t.Error(got)
	}
	if r := c.SBOM.Root; r.Name != img.ID().String() || r.Version != r.Name || !r.PURL.IsZero() || !r.Hashes.Has(img.ID()) || r.Type != assay.TypeContainer {
		t.Errorf("%+v", r)
	}
	if s := c.SBOM; s.Lifecycle != "post-build" || s.Serial != "" || s.Tools[0].Name != "assay" {
		t.Errorf("%+v", s)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	_, err = sbom.Scan(ctx, img, sbom.Options{
		Digest: img.ID(), Repository: "registry.example:5000/Team/app", RootVersion: "1.2", Tool: assay.Tool{Name: "t"}, Authors: []string{"A"},
		Logger: slog.New(slog.DiscardHandler), Progress: func(sbom.Progress) {},
	})
	if err == nil {
		t.Error("a repository with capitals was taken")
	}
	c, err = sbom.Scan(ctx, img, sbom.Options{Digest: img.ID(), Repository: "registry.example:5000/team/app", RootVersion: "1.2", Tool: assay.Tool{Name: "t"}, Authors: []string{"A"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "pkg:oci/app@" + img.ID().String() + "?arch=amd64&repository_url=registry.example:5000%2Fteam%2Fapp"
	if r := c.SBOM.Root; r.PURL.String() != want || r.Name != "app" || r.Version != "1.2" {
		t.Errorf("%+v\nwant %s", r, want)
	}
	if c.SBOM.Created.Unix() != 1000000000 || c.SBOM.Tools[0].Name != "t" || len(c.SBOM.Authors) != 1 {
		t.Errorf("%+v", c.SBOM)
	}
	for _, bad := range []string{"x", "-1", "99999999999999", "1.5"} {
		t.Setenv("SOURCE_DATE_EPOCH", bad)
		if _, err := sbom.Scan(ctx, img, sbom.Options{}); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", "")
	other := assay.MustDigest("sha256:" + strings.Repeat("0", 64))
	if c, err := sbom.Scan(ctx, img, sbom.Options{Digest: other}); c != nil || !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("another digest: %v", err)
	}
	if _, err := sbom.Scan(ctx, img, sbom.Options{Repository: "a@b"}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestScanFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rootfs")
	for _, f := range []file{{Name: "etc/os-release", Body: osRelease}, dpkgStatus("a 1"), pkgJSON("app/node_modules/b", "b", "1.0.0", "")} {
		p := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(f.Body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := sbom.ScanFolder(context.Background(), dir, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(found(c))); !slices.Equal(got, []string{"a@1", "b@1.0.0"}) {
		t.Error(got)
	}
	if c.SBOM.Root.Name != "rootfs" || c.SBOM.Root.Type != assay.TypeFile || !c.Manifest.IsZero() || len(c.SBOM.Layers) != 0 || c.SBOM.Created.IsZero() {
		t.Errorf("%+v", c.SBOM.Root)
	}
	if _, err := sbom.ScanFolder(context.Background(), filepath.Join(dir, "none"), sbom.Options{}); !errors.Is(err, assay.ErrAbsent) && !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("got %v", err)
	}
}

// Whatever the order in which layers are read, the document is the same.
