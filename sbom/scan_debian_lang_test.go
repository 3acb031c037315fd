package sbom_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/internal/catalog/python"
)

// names gives "name version" of the components that a cataloger found in places that
// are wanted, and the edges between those as "name > name".
func names(c *sbom.Contents, foundBy string, name func(*assay.Component) string, wanted func(path string) bool) (found map[string]bool, edges map[string]bool) {
	found, edges = map[string]bool{}, map[string]bool{}
	ids := map[assay.ComponentID]string{}
	for i := range c.SBOM.Components {
		comp := &c.SBOM.Components[i]
		if comp.FoundBy == foundBy && slices.ContainsFunc(comp.Locations, func(l assay.Location) bool { return wanted(l.Path) }) {
			ids[comp.ID] = name(comp)
			found[ids[comp.ID]] = true
		}
	}
	for _, r := range c.SBOM.Relations {
		if r.Kind == assay.DependsOn && ids[r.From] != "" && ids[r.To] != "" {
			edges[ids[r.From]+" > "+ids[r.To]] = true
		}
	}
	return found, edges
}

// answer reads what a native tool answered; images of before it was asked have none.
func answer(t *testing.T, dir, file string) []string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
		t.Skipf("%s in ASSAY_DEBIAN_IMAGE: build the image again with .ci/debian-image", file)
	}
	return lines(t, filepath.Join(dir, file))
}

func comparePip(t *testing.T, c *sbom.Contents, dir string) {
	var list []struct{ Name, Version string }
	if err := json.Unmarshal([]byte(strings.Join(answer(t, dir, "pip.json"), "\n")), &list); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, p := range list {
		want[python.NormalName(p.Name)+" "+p.Version] = true
	}
	id := func(c *assay.Component) string { return python.NormalName(c.Name) + " " + c.Version }
	got, _ := names(c, "python", id, func(p string) bool {
		// pip lists what lies directly in the folders that Python searches.
		info, base := path.Split(p)
		if info = strings.TrimSuffix(info, "/"); strings.HasSuffix(base, ".egg-info") {
			info = p
		}
		return path.Base(path.Dir(info)) == "dist-packages"
	})
	if d := cmp.Diff(want, got); d != "" {
		t.Error("packages (-pip +scan):\n" + d)
	}
	wantEdges := map[string]bool{}
	for _, l := range answer(t, dir, "pip-requires.tsv") {
		from, to, _ := strings.Cut(l, "\t")
		wantEdges[python.NormalName(from)+" > "+python.NormalName(to)] = true
	}
	_, edges := names(c, "python", func(c *assay.Component) string { return python.NormalName(c.Name) }, func(string) bool { return true })
	if d := cmp.Diff(wantEdges, edges); d != "" {
		t.Error("edges (-pip +scan):\n" + d)
	}
	// All but the one that pip itself installed are Debian's.
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy != "python" {
			continue
		}
		owned := slices.ContainsFunc(c.SBOM.Relations, func(r assay.Relation) bool { return r.From == comp.ID && r.Kind == assay.OwnedBy })
		if stock := comp.Name == "Shop-Stock"; owned == stock {
			t.Errorf("%s is of a Debian package: %t", comp.ID, owned)
		} else if stock {
			if comp.Supplier != "A. Shopkeeper <shop@example.org>" || !slices.Equal(comp.Licenses, []assay.License{{Expression: "Apache-2.0"}}) ||
				comp.Properties["assay:pypi:direct-url"] != "file:///tmp/stock" || comp.PURL.String() != "pkg:pypi/shop-stock@2.0.post1" {
				t.Errorf("%+v", comp)
			}
			if id, ok := c.Owner("usr/local/lib/python3.11/dist-packages/stock/__init__.py"); !ok || id != comp.ID {
				t.Errorf("its file is owned by %q", id)
			}
		}
	}
}

func compareGems(t *testing.T, c *sbom.Contents, dir string) {
	want := map[string]bool{}
	for _, l := range answer(t, dir, "gems.txt") {
		name, versions, ok := strings.Cut(strings.TrimSuffix(l, ")"), " (")
		if !ok {
			continue
		}
		for v := range strings.SplitSeq(versions, ", ") {
			want[name+" "+strings.TrimPrefix(v, "default: ")] = true
		}
	}
	all := func(string) bool { return true }
	id := func(c *assay.Component) string { return c.Name + " " + c.Version }
	got, gotEdges := names(c, "gem", id, all)
	if d := cmp.Diff(want, got); d != "" {
		t.Error("gems (-gem list +scan):\n" + d)
	}
	edges := map[string]bool{}
	for _, l := range answer(t, dir, "gem-requires.tsv") {
		f := strings.Split(l, "\t")
		if len(f) == 4 && f[2] != "" {
			edges[f[0]+" "+f[1]+" > "+f[2]+" "+f[3]] = true
		}
	}
	if d := cmp.Diff(edges, gotEdges); d != "" {
		t.Error("edges (-gem +scan):\n" + d)
	}
}
