package catalog_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
)

// FuzzRPMInventory: whatever the databases hold, the image has an inventory that
// makes a valid SBOM, the same one every time.
func FuzzRPMInventory(f *testing.F) {
	a, b := rpmtest.SQLite(512, glibc.Header()), rpmtest.SQLite(512, rpmtest.Headers(glibc, app)...)
	f.Add(a, rpmtest.Log(binary.LittleEndian, 512, a, b), rpmtest.BDB(binary.LittleEndian, bash.Header()), "%NAME%\na\n\n%VERSION%\n1\n\n%DEPENDS%\na\n", "Package: a\nVersion: 1\nDepends: a\n")
	f.Add(b, []byte("x"), rpmtest.BDB(binary.BigEndian, glibc.Header(), []byte("x")), "%NAME%\n\xff\n\n%VERSION%\n\xff\n\n%LICENSE%\n\xff\n", "Package: \xff\nVersion: \xff\nArchitecture: ?&\n")
	f.Fuzz(func(t *testing.T, sqlite, log, bdb []byte, desc, status string) {
		const dir = "var/lib/rpm/"
		lower := []testimage.File{db(dir+"rpmdb.sqlite", sqlite), db(dir+"Packages", bdb), {Name: "var/lib/pacman/local/a-1/desc", Body: desc},
			{Name: "var/lib/pacman/local/a-1/files", Body: desc}, {Name: "usr/lib/opkg/status", Body: status}, {Name: "usr/lib/opkg/info/a.list", Body: status}}
		upper := []testimage.File{db(dir+"rpmdb.sqlite-wal", log), db(dir+"Packages", sqlite), {Name: "var/lib/opkg/status", Body: status}}
		img, err := testimage.Build(testimage.Options{}, testimage.Layer{Files: lower, Compression: testimage.None}, testimage.Layer{Files: upper, Compression: testimage.None})
		if err != nil {
			t.Skip(err)
		}
		inv, err := inventory(context.Background(), img)
		if err != nil {
			if inv != nil || !errors.Is(err, assay.ErrBound) {
				t.Fatalf("%v with %v", inv, err)
			}
			return
		}
		doc := assay.SBOM{Root: assay.Component{ID: "root"}, Components: inv.Components, Relations: inv.Relations}
		if err := doc.Normalize(); err != nil {
			t.Fatal(err)
		}
		if _, err := strictjson.Marshal(doc); err != nil {
			t.Fatal(err)
		}
		again, err := inventory(context.Background(), img)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(again.Components, func(a, b assay.Component) int { return strings.Compare(string(a.ID), string(b.ID)) })
		if d := cmp.Diff(doc.Components, again.Components, cmp.Comparer(func(a, b assay.PURL) bool { return a == b }), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(summary(inv, "rpm"), summary(again, "rpm")); d != "" {
			t.Fatal(d)
		}
	})
}
