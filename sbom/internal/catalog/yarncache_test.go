package catalog_test

import (
	"archive/zip"
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

func yarnZip(t testing.TB, name, manifest string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for file, text := range map[string]string{"node_modules/" + name + "/package.json": manifest, "node_modules/" + name + "/node_modules/x/package.json": "{"} {
		f, err := w.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Packages that Yarn runs out of archives are there, though there is no node_modules.
func TestYarnPlugAndPlay(t *testing.T) {
	a1 := testimage.File{Name: "app/.yarn/cache/a-npm-1.0.0-abc.zip", Body: yarnZip(t, "a", `{"name":"a","version":"1.0.0","dependencies":{"@s/b":"^2"}}`)}
	b := testimage.File{Name: "app/.yarn/cache/@s-b-npm-2.0.0-abc.zip", Body: yarnZip(t, "@s/b", `{"name":"@s/b","version":"2.0.0","license":"MIT"}`)}
	lock := testimage.File{Name: "app/yarn.lock", Body: "__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    \"@s/b\": \"npm:^2\"\n\n" +
		"\"@s/b@npm:^2\":\n  version: 2.0.0\n  resolution: \"@s/b@npm:2.0.0\"\n"}
	check(t, take(t, []testimage.File{a1, b, lock}), "npm", "@s/b 2.0.0", "a 1.0.0", "components:npm complete", "dependencies:npm complete")

	inv := take(t, []testimage.File{a1, b, lock})
	var edges []string
	for _, r := range inv.Relations {
		edges = append(edges, string(r.From)+" "+string(r.Kind)+" "+string(r.To))
	}
	if d := cmp.Diff([]string{"pkg:npm/a@1.0.0 dependsOn pkg:npm/%40s/b@2.0.0"}, edges); d != "" {
		t.Error(d)
	}
	for _, c := range inv.Components {
		if len(c.Locations) != 1 || !strings.HasSuffix(c.Locations[0].Path, ".zip") || c.Properties["assay:npm:archive"] != "yarn" {
			t.Errorf("%+v", c)
		}
	}
	// Without the lock file nobody says which version is meant.
	check(t, take(t, []testimage.File{a1, b}), "npm", "@s/b 2.0.0", "a 1.0.0", "components:npm complete", "dependencies:npm incomplete")
	// The folder that projects share.
	shared := testimage.File{Name: "root/.yarn/berry/cache/a-npm-1.0.0-abc.zip", Body: a1.Body}
	check(t, take(t, []testimage.File{shared, b, lock}), "npm", "@s/b 2.0.0", "a 1.0.0", "components:npm complete", "dependencies:npm complete")
	// What is removed is history, what is broken is known to be unknown.
	gone := testimage.Whiteout(a1.Name)
	check(t, take(t, []testimage.File{a1, b, lock}, []testimage.File{gone}), "npm", "@s/b 2.0.0", "components:npm complete", "dependencies:npm complete", "past a 1.0.0, 0 to 1")
	bad := testimage.File{Name: a1.Name, Body: a1.Body[:len(a1.Body)/2]}
	check(t, take(t, []testimage.File{bad, b}), "npm", "@s/b 2.0.0", "components:npm incomplete", "dependencies:npm complete", "skipped "+a1.Name+", history false")
	// An archive elsewhere is a file like another.
	check(t, take(t, []testimage.File{{Name: "app/cache/a.zip", Body: a1.Body}}), "npm")

	// A lock file adds nothing to what is there.
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{a1, b, lock}})
	cat := catalog.New(0)
	cat.LockFiles = true
	res, err := layers.Pass(context.Background(), img, layers.Options{}, cat.Visitors()...)
	if err != nil {
		t.Fatal(err)
	}
	if inv, err = cat.Inventory(context.Background(), res); err != nil {
		t.Fatal(err)
	}
	if len(inv.Components) != 2 || slices.ContainsFunc(inv.Components, func(c assay.Component) bool { return c.Properties["assay:npm:lock"] != "" }) {
		t.Errorf("%+v", inv.Components)
	}
}
