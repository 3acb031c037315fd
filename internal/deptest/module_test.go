package deptest_test

import (
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/assaykit/assay/internal/deptest"
)

const module = "github.com/assaykit/assay"

// budgetFile has a line for each public package: its path within the module, how
// many packages outside of the standard library and the module it imports, and
// how many modules they come from.
const budgetFile = "budget.txt"

var update = flag.Bool("update", false, "write the figures of now to "+budgetFile)

// loaded is the module; "go list" takes a second, so all tests share it.
var loaded struct {
	once  sync.Once
	graph *deptest.Graph
}

func graph(t *testing.T) *deptest.Graph {
	t.Helper()
	loaded.once.Do(func() { loaded.graph = deptest.Load(t, module+"/...") })
	if loaded.graph == nil {
		t.Fatal("the module could not be loaded")
	}
	return loaded.graph
}

// rel is the path within the module: "." is its root.
func rel(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// top is the first element of the path within the module.
func top(path string) string {
	first, _, _ := strings.Cut(rel(path), "/")
	return first
}

// internal reports whether a package cannot be imported from outside.
func internal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}

// public gives the packages that a stranger can import.
func public(g *deptest.Graph) (out []*deptest.Package) {
	for _, p := range g.Matched() {
		if !internal(p.ImportPath) && p.Name != "main" && len(p.GoFiles) > 0 {
			out = append(out, p)
		}
	}
	return out
}

func TestBudgets(t *testing.T) {
	g := graph(t)
	if *update {
		writeBudgets(t, g)
	}
	b, err := os.ReadFile(budgetFile)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for n, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var path string
		var limits deptest.Limits
		if _, err := fmt.Sscanf(line, "%s %d %d", &path, &limits.Packages, &limits.Modules); err != nil {
			t.Fatalf("%s:%d: %q: %v", budgetFile, n+1, line, err)
		}
		full := module
		if path != "." {
			full += "/" + path
		}
		if listed[full] {
			t.Errorf("%s:%d: %s stands twice", budgetFile, n+1, path)
		}
		listed[full] = true
		g.Budget(t, full, limits)
	}
	for _, p := range public(g) {
		if !listed[p.ImportPath] {
			packages, modules := g.Count(p.ImportPath)
			t.Errorf("%s has no budget; it imports %d packages of %d modules, in %s: %s %d %d",
				p.ImportPath, len(packages), len(modules), budgetFile, rel(p.ImportPath), len(packages), len(modules))
		}
	}
}

func writeBudgets(t *testing.T, g *deptest.Graph) {
	t.Helper()
	var out strings.Builder
	out.WriteString("# package, packages and modules it imports outside of the standard library and this module\n")
	for _, p := range public(g) {
		packages, modules := g.Count(p.ImportPath)
		fmt.Fprintf(&out, "%s %d %d\n", rel(p.ImportPath), len(packages), len(modules))
	}
	if err := os.WriteFile(budgetFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rank orders the packages: each may import those below it and its own kin.
var rank = map[string]int{
	".":          0,
	"sbom":       1,
	"provenance": 1,
	"vex":        1,
	"attest":     2,
	"verify":     3,
	"examples":   4,
}

// TestArrows: assay <- sbom, provenance, vex <- attest <- verify <- examples,
// whatever internal package is between.
func TestArrows(t *testing.T) {
	g := graph(t)
	for _, p := range g.Matched() {
		from, ok := rank[top(p.ImportPath)]
		if !ok {
			if !internal(p.ImportPath) {
				t.Errorf("%s has no place in the order of the packages", p.ImportPath)
			}
			continue
		}
		for _, d := range g.Deps(p.ImportPath) {
			if !d.Own() || top(d.ImportPath) == "internal" {
				continue
			}
			if to, ok := rank[top(d.ImportPath)]; top(d.ImportPath) != top(p.ImportPath) && (!ok || to >= from) {
				t.Errorf("%s imports %s, against the order of the packages", p.ImportPath, d.ImportPath)
			}
		}
	}
}

// forbidden says what the packages below a folder must not import, directly or
// not.
var forbidden = map[string][]string{
	"sbom":       {"github.com/sigstore"},
	"provenance": {"github.com/sigstore", "github.com/google/go-containerregistry", "oras.land", "github.com/containerd", "github.com/containers"},
	"vex":        {"github.com/sigstore"},
	"attest":     {"github.com/sigstore/cosign"},
	"verify":     {"github.com/sigstore/cosign"},
}

func TestForbidden(t *testing.T) {
	g := graph(t)
	for _, p := range g.Matched() {
		if rel(p.ImportPath) == "attest/cosign" {
			continue
		}
		g.Budget(t, p.ImportPath, deptest.Limits{Packages: 1 << 20, Modules: 1 << 20, Forbid: forbidden[top(p.ImportPath)]})
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "github.com/sigstore/cosign/") {
				t.Errorf("%s imports %s; attest/cosign alone does", p.ImportPath, i)
			}
			if strings.HasPrefix(rel(i), "internal/test") && !strings.HasPrefix(rel(p.ImportPath), "internal/test") {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, i)
			}
		}
	}
}

// TestRoot: the evidence model imports the standard library and packageurl-go.
func TestRoot(t *testing.T) {
	_, modules := graph(t).Count(module)
	for _, m := range modules {
		if m != "github.com/package-url/packageurl-go" {
			t.Errorf("%s imports module %s", module, m)
		}
	}
}

// TestPackageComments: one file of every package says what it is for.
func TestPackageComments(t *testing.T) {
	for _, p := range graph(t).Matched() {
		var docs []string
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc == nil {
				continue
			}
			docs = append(docs, name)
			want := "Package " + p.Name + " "
			if p.Name == "main" {
				want = "" // "Command x", or a sentence with the program's name
			}
			if text := f.Doc.Text(); !strings.HasPrefix(text, want) || len(strings.Fields(text)) < 5 {
				t.Errorf("%s: the comment of %s begins %q, want %q and what it is for", p.ImportPath, name, firstLine(text), want)
			}
		}
		if len(p.GoFiles)+len(p.CgoFiles) > 0 && len(docs) != 1 {
			t.Errorf("%s has a package comment in %d of its files, want one: %v", p.ImportPath, len(docs), docs)
		}
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
