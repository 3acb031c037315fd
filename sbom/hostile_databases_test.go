package sbom_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// Each beginning of a database in text: the packages before the cut are found, and
// what is behind it is said to be unknown, wherever the cut leaves a trace.
func TestHostileTruncatedText(t *testing.T) {
	const other = `{"name":"p","version":"1"}`
	for scope, db := range map[string]struct{ path, record string }{
		"components:deb":  {"var/lib/dpkg/status", "Package: %\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2-3\n\n"},
		"components:apk":  {"lib/apk/db/installed", "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:%\nV:1.2-r3\nA:x86_64\nF:bin\nR:%\n\n"},
		"components:opkg": {"usr/lib/opkg/status", "Package: %\nVersion: 1.2-3\nStatus: install user installed\nArchitecture: all\n\n"},
	} {
		t.Run(scope, func(t *testing.T) {
			whole := strings.ReplaceAll(db.record, "%", "one") + strings.ReplaceAll(db.record, "%", "two")
			for n := range len(whole) + 1 {
				cut := whole[:n]
				c := scan(t, sbom.Options{}, []file{{Name: db.path, Body: cut}, {Name: "srv/node_modules/p/package.json", Body: other}})
				got := found(c)
				if got["p@1"] == nil {
					t.Fatalf("%d bytes hide the rest of the image", n)
				}
				delete(got, "p@1")
				// A file that ends where a record does is a whole database; one that ends
				// within a line is none; where a line ends, fields may be missing that must
				// be there, or none.
				record, line := n == 0 || strings.HasSuffix(cut, "\n\n"), strings.HasSuffix(cut, "\n")
				if a := aggregates(c)[scope]; record && a == "incomplete" || !record && !line && a != "incomplete" {
					t.Errorf("%d bytes, up to %q: %s is %q, found %v", n, cut[max(0, n-20):], scope, a, got)
				}
				if records := strings.Count(cut, "\n\n"); len(got) < records {
					t.Errorf("%d bytes: %d records, found %v", n, records, got)
				}
				for id := range got {
					if !slices.Contains([]string{"one@1.2-3", "two@1.2-3", "one@1.2-r3", "two@1.2-r3"}, id) {
						t.Errorf("%d bytes: found %s", n, id)
					}
				}
			}
		})
	}
}

// Beginnings of databases of rpm, of each kind that there is, cut where they have
// structure and where they have not: never as many packages as there are and nothing
// said, and never the rest of the image hidden.
func TestHostileTruncatedRPM(t *testing.T) {
	dir := os.Getenv("ASSAY_RPMDB")
	if dir == "" {
		t.Skip("ASSAY_RPMDB names no source of the module github.com/knqyf263/go-rpmdb")
	}
	for _, db := range []string{"ubi8-s390x/Packages", "sle15-bci/Packages.db", "cbl-mariner-2.0/rpmdb.sqlite"} {
		t.Run(filepath.Dir(db), func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "pkg", "testdata", db))
			if err != nil {
				t.Fatal(err)
			}
			whole := len(rpmsIn(t, db, string(data), true))
			page := 4096
			cuts := []int{0, 1, 15, 16, 99, 100, 511, 512, page - 1, page, page + 1, 2*page + 24, len(data) / 2, len(data)/2/page*page + 0, len(data) - page - 1, len(data) - page, len(data) - 1}
			for i := 1; i < 6; i++ {
				cuts = append(cuts, len(data)*i/6+i*37)
			}
			for _, n := range cuts {
				if got := rpmsIn(t, db, string(data[:n]), false); len(got) > whole {
					t.Errorf("%d of %d bytes: %d packages of %d", n, len(data), len(got), whole)
				}
			}
		})
	}
}

// rpmsIn scans an image with the database and gives the packages. It fails if any are
// missing without that being said.
func rpmsIn(t *testing.T, db, data string, complete bool) []string {
	t.Helper()
	img := testimage.New(t, testimage.Layer{Compression: testimage.None, Files: []file{
		{Name: "usr/lib/sysimage/rpm/" + filepath.Base(db), Body: data}, {Name: "srv/node_modules/p/package.json", Body: `{"name":"p","version":"1"}`}}})
	c, err := sbom.Scan(context.Background(), img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	other := false
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy == "rpm" {
			out = append(out, comp.Name)
		}
		other = other || comp.Name == "p"
	}
	if !other {
		t.Errorf("%d bytes hide the rest of the image", len(data))
	}
	if a := aggregates(c)["components:rpm"]; complete && (a != "complete" || len(c.Skipped) > 0) || !complete && a == "complete" || !complete && len(c.Skipped) == 0 && len(data) > 0 {
		t.Errorf("%d bytes: %q with %d packages, skipped %+v", len(data), a, len(out), c.Skipped)
	}
	return out
}

// A database that becomes another one half-way gives what can be read of it, and the
// rest is a known unknown.
func TestHostileFormatChange(t *testing.T) {
	const deb = "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
	const apk = "P:b\nV:2\nA:x86_64\n\n"
	sqlite := "SQLite format 3\x00\x10\x00\x01\x01" + strings.Repeat("\x00", 80)
	for name, tt := range map[string]struct {
		path, body, scope string
		found             string
	}{
		"dpkg to apk":       {"var/lib/dpkg/status", deb + apk + deb, "components:deb", "a@1"},
		"dpkg to sqlite":    {"var/lib/dpkg/status", deb + sqlite, "components:deb", "a@1"},
		"dpkg to JSON":      {"var/lib/dpkg/status", deb + `{"Package": "b"}` + "\n", "components:deb", "a@1"},
		"dpkg to UTF-16":    {"var/lib/dpkg/status", deb + "P\x00a\x00c\x00k\x00a\x00g\x00e\x00:\x00 \x00b\x00\n\x00", "components:deb", "a@1"},
		"apk to dpkg":       {"lib/apk/db/installed", apk + deb + apk, "components:apk", "b@2"},
		"apk to an archive": {"lib/apk/db/installed", apk + "\x1f\x8b\x08\x00\x00\x00\n", "components:apk", "b@2"},
		"opkg to apk":       {"usr/lib/opkg/status", strings.Replace(deb, "install ok", "install user", 1) + apk, "components:opkg", "a@1"},
		"sqlite to ndb":     {"usr/lib/sysimage/rpm/rpmdb.sqlite", sqlite + strings.Repeat("\x00", 4096-len(sqlite)) + "RpmP" + strings.Repeat("\x01", 4092), "components:rpm", ""},
		"ndb to sqlite":     {"usr/lib/sysimage/rpm/Packages.db", "RpmP\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00" + strings.Repeat("\x00", 16) + sqlite + strings.Repeat("S", 4096), "components:rpm", ""},
		"bdb to text":       {"var/lib/rpm/Packages", strings.Repeat("\x00", 12) + "\x61\x15\x06\x00\x0a\x00\x00\x00\x00\x10\x00\x00" + strings.Repeat(deb, 60), "components:rpm", ""},
	} {
		t.Run(name, func(t *testing.T) {
			files := []file{{Name: tt.path, Body: tt.body}, {Name: "srv/node_modules/p/package.json", Body: `{"name":"p","version":"1"}`}}
			c := scan(t, sbom.Options{}, files)
			got := found(c)
			if got["p@1"] == nil || tt.found != "" && got[tt.found] == nil || len(got) != 1+min(1, len(tt.found)) {
				t.Errorf("found %v", got)
			}
			if a := aggregates(c); a[tt.scope] != "incomplete" || a["components:npm"] != "complete" {
				t.Errorf("%v", a)
			}
			told := false
			for _, s := range c.Skipped {
				told = told || s.Path == tt.path && s.Reason != ""
			}
			if !told {
				t.Errorf("skipped %+v", c.Skipped)
			}
			if c, err := sbom.Scan(context.Background(), testimage.New(t, layersOf(files)...), sbom.Options{Strict: true}); c != nil || err == nil || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("strict: %v, %v", c, err)
			}
		})
	}
}
