package sbom_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// debianImage opens the image that .ci/debian-image builds, beside which are the
// answers of dpkg-query, npm, go, pip and gem to what is in it.
func debianImage(tb testing.TB) (v1.Image, string) {
	tb.Helper()
	dir := os.Getenv("ASSAY_DEBIAN_IMAGE")
	if dir == "" {
		tb.Skip("ASSAY_DEBIAN_IMAGE names no folder with a Debian image")
	}
	idx, err := layout.ImageIndexFromPath(filepath.Join(dir, "layout"))
	if err != nil {
		tb.Fatal(err)
	}
	m, err := idx.IndexManifest()
	if err != nil {
		tb.Fatal(err)
	}
	img, err := idx.Image(m.Manifests[0].Digest)
	if err != nil {
		tb.Fatal(err)
	}
	return img, dir
}

func TestScanDebian(t *testing.T) {
	t.Parallel()
	img, dir := debianImage(t)
	c := debianContents(t)
	for _, s := range c.Skipped {
		t.Errorf("skipped %+v", s)
	}
	for _, s := range c.SBOM.Completeness {
		t.Logf("%s: %s", s.Scope, s.Aggregate)
	}
	t.Run("dpkg", func(t *testing.T) { compareDpkg(t, c, filepath.Join(dir, "dpkg.tsv")) })
	t.Run("npm", func(t *testing.T) { compareNPM(t, c, filepath.Join(dir, "npm.json")) })
	t.Run("pip", func(t *testing.T) { comparePip(t, c, dir) })
	t.Run("gem", func(t *testing.T) { compareGems(t, c, dir) })
	t.Run("jar", func(t *testing.T) { compareJars(t, c, dir) })
	files, err := filepath.Glob(filepath.Join(dir, "gomod-*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no answers of go version -m", err)
	}
	var paths []string
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) { paths = append(paths, compareGo(t, c, f)) })
	}
	// Nothing extra: every Go executable is one that go was asked about.
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy == "go" && comp.Type == assay.TypeApplication {
			for _, l := range comp.Locations {
				if !slices.Contains(paths, l.Path) {
					t.Errorf("Go executable %s was not asked about", l.Path)
				}
			}
		}
	}
	roundTrip(t, c.SBOM)
	again, err := sbom.Scan(context.Background(), img, sbom.Options{Workers: 1, Repository: debianOptions.Repository})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(mustJSON(t, c.SBOM), mustJSON(t, again.SBOM)); d != "" {
		t.Error("scanning twice gives different documents:", d)
	}
}

// roundTrip writes the document in each format and reads it back.
func roundTrip(t *testing.T, doc *assay.SBOM) {
	t.Helper()
	for _, f := range []sbom.Format{sbom.CycloneDXJSON, sbom.SPDXJSON} {
		b, loss, err := sbom.Encode(doc, f, sbom.EncodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		for _, l := range loss {
			// CycloneDX has an expression only on its own, not in a list of licences.
			if f != sbom.CycloneDXJSON || l.Field != "licenses" {
				t.Errorf("%s: lost %+v", f, l)
			}
		}
		back, err := sbom.Read("scan", b)
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if d := sbom.Compare(back, doc); !d.Empty() {
			t.Errorf("%s: %+v", f, d)
		}
		t.Logf("%s: %d bytes", f, len(b))
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lines gives the lines of a file.
func lines(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

func compareDpkg(t *testing.T, c *sbom.Contents, file string) {
	var want, got []string
	for _, l := range lines(t, file) {
		f := strings.Split(l, "\t")
		if len(f) != 4 {
			t.Fatalf("line %q", l)
		}
		if !strings.HasSuffix(f[3], " config-files") && !strings.HasSuffix(f[3], " not-installed") {
			name, _, _ := strings.Cut(f[0], ":")
			want = append(want, name+" "+f[1]+" "+f[2])
		}
	}
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy == "dpkg" {
			p := comp.PURL.Parts()
			if p.Type != "deb" || p.Namespace != "debian" || p.Name != comp.Name || p.Version != comp.Version || p.Qualifiers["distro"] != "debian-12" {
				t.Errorf("purl of %s %s is %s", comp.Name, comp.Version, comp.PURL)
			}
			if comp.Supplier == "" || comp.Source.Name == "" || len(comp.Locations) != 1 || comp.Locations[0].Layer.IsZero() {
				t.Errorf("%s lacks a fact: %+v", comp.Name, comp)
			}
			got = append(got, comp.Name+" "+comp.Version+" "+p.Qualifiers["arch"])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Error("packages (-dpkg-query +scan):\n" + d)
	}
}

type npmNode struct {
	Name, Version string
	Dependencies  map[string]*npmNode
}

func compareNPM(t *testing.T, c *sbom.Contents, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var root npmNode
	if err := json.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	want, edges := map[string]bool{}, map[string]bool{}
	var walk func(name string, n *npmNode)
	walk = func(name string, n *npmNode) {
		id := name + "@" + n.Version
		want[id] = true
		for k, d := range n.Dependencies {
			if d.Version == "" {
				continue // an optional one that is not installed
			}
			edges[id+" > "+k+"@"+d.Version] = true
			walk(k, d)
		}
	}
	walk(root.Name, &root)

	byID, app := map[assay.ComponentID]string{}, ""
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy == "npm" && comp.Type == assay.TypeApplication && comp.Name == root.Name {
			app = path.Dir(comp.Locations[0].Path)
		}
	}
	if app == "" {
		t.Fatalf("no application %s", root.Name)
	}
	got, gotEdges := map[string]bool{}, map[string]bool{}
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy != "npm" {
			continue
		}
		in := slices.ContainsFunc(comp.Locations, func(l assay.Location) bool { return strings.HasPrefix(l.Path, app+"/") })
		if !in {
			// The rest is what Debian's packages ship, and says so.
			if !slices.ContainsFunc(c.SBOM.Relations, func(r assay.Relation) bool { return r.From == comp.ID && r.Kind == assay.OwnedBy }) {
				t.Errorf("%s at %v is of no package", comp.ID, comp.Locations)
			}
			continue
		}
		byID[comp.ID] = comp.Name + "@" + comp.Version
		got[byID[comp.ID]] = true
		if comp.Type == assay.TypeLibrary && comp.Hashes.Get(assay.SHA512).IsZero() {
			t.Errorf("%s has no integrity", comp.ID)
		}
	}
	for _, r := range c.SBOM.Relations {
		if r.Kind == assay.DependsOn && byID[r.From] != "" {
			gotEdges[byID[r.From]+" > "+byID[r.To]] = true
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error("packages (-npm +scan):\n" + d)
	}
	if d := cmp.Diff(edges, gotEdges); d != "" {
		t.Error("edges (-npm +scan):\n" + d)
	}
}

// compareGo gives the path of the executable that the answer is about.
func compareGo(t *testing.T, c *sbom.Contents, file string) string {
	var exe, stdlib string
	want := map[string]string{} // module@version to its sum
	last := ""
	for i, l := range lines(t, file) {
		if i == 0 {
			p, v, ok := strings.Cut(l, ": go")
			if !ok {
				t.Fatalf("line %q", l)
			}
			exe, stdlib = strings.TrimPrefix(strings.TrimSpace(p), "/"), strings.TrimSpace(v)
			continue
		}
		f := strings.Split(strings.TrimSpace(l), "\t")
		switch f[0] {
		case "=>":
			delete(want, last)
			fallthrough
		case "mod", "dep":
			sum := ""
			if len(f) > 3 {
				sum = f[3]
			}
			last = f[1] + "@" + f[2]
			want[last] = sum
		}
	}
	want["stdlib@"+stdlib] = ""
	var id assay.ComponentID
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy == "go" && comp.Type == assay.TypeApplication && slices.ContainsFunc(comp.Locations, func(l assay.Location) bool { return l.Path == exe }) {
			id = comp.ID
			if comp.Hashes.Get(assay.SHA256).IsZero() {
				t.Error("no digest of the executable")
			}
		}
	}
	if id == "" {
		t.Fatalf("no executable at %s", exe)
	}
	got := map[string]string{}
	for _, r := range c.SBOM.Relations {
		if r.From == id && r.Kind == assay.DependsOn {
			comp, _ := c.SBOM.Component(r.To)
			got[comp.Name+"@"+comp.Version] = comp.Properties["assay:go:h1"]
			if (comp.Properties["assay:go:h1"] != "") == comp.Hashes.Get(assay.DirHash).IsZero() {
				t.Errorf("%s: hash and sum do not agree", comp.ID)
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error("modules (-go +scan):\n" + d)
	}
	return exe
}
