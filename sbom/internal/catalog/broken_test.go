package catalog_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

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
			for _, n := range []int{64, 300, len(b.body) / 3, len(b.body) / 2, len(b.body) * 2 / 3, len(b.body) - 1} {
				if n < len(b.body) {
					broken[fmt.Sprintf("the first %d of %d bytes", n, len(b.body))] = b.body[:n]
				}
			}
			if name == "Go" {
				// It lacks nothing that a loader needs.
				delete(broken, fmt.Sprintf("the first %d of %d bytes", len(b.body)-1, len(b.body)))
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
				_, _, inv := found(t, plain(file), plain(upper))
				if strings.Contains(ids(inv), b.found) || !strings.Contains(pasts(inv), b.found) || len(inv.Skipped) > 0 {
					t.Errorf("%s: components\n%shistory\n%sskipped %+v", what, ids(inv), pasts(inv), inv.Skipped)
				}
			}
		})
	}
}
