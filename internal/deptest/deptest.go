// Package deptest holds packages to a budget of what they import.
//
// Who imports a library imports all that it imports: every package is code that
// runs in their process, every module a supply chain. A budget makes growth a
// decision that somebody writes down.
//
// Start with [Load] and [Graph.Budget], or with [Budget] for a single package.
package deptest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Package is a package of the graph, as "go list" gives it, without its tests.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
	Standard   bool // of the standard library
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
	ImportMap  map[string]string
	Module     *struct {
		Path string
		Main bool
	}
	DepOnly bool // not matched by the patterns, only imported
}

// Own reports whether the package is of the module itself.
func (p *Package) Own() bool { return p.Module != nil && p.Module.Main }

// Graph is packages and all that they import.
type Graph struct {
	packages map[string]*Package
}

// Limits is a budget. What counts is outside of the standard library and of the
// module itself.
type Limits struct {
	Packages int // imported, directly or not
	Modules  int // they come from
	// Forbid are import paths that must not be among them, nor anything below
	// them.
	Forbid []string
}

// Load reads the packages that the patterns match, and all that they import, for
// the platform the test runs on.
func Load(t testing.TB, patterns ...string) *Graph {
	t.Helper()
	g, err := load(patterns)
	if err != nil {
		t.Fatalf("load %v: %v", patterns, err)
	}
	return g
}

func load(patterns []string) (*Graph, error) {
	var stderr bytes.Buffer
	list := exec.Command("go", append([]string{
		"list", "-deps", "-json=ImportPath,Name,Dir,Standard,GoFiles,CgoFiles,Imports,ImportMap,Module,DepOnly", "--",
	}, patterns...)...)
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	g := &Graph{packages: map[string]*Package{}}
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		g.packages[p.ImportPath] = &p
	}
}

// Matched gives the packages that the patterns matched, sorted.
func (g *Graph) Matched() []*Package {
	var out []*Package
	for _, path := range slices.Sorted(maps.Keys(g.packages)) {
		if p := g.packages[path]; !p.DepOnly {
			out = append(out, p)
		}
	}
	return out
}

// Deps gives everything that a package imports, directly or not, sorted; nil if
// there is no such package.
func (g *Graph) Deps(path string) []*Package {
	seen := map[string]*Package{}
	var visit func(*Package)
	visit = func(p *Package) {
		for _, i := range p.Imports {
			if m, ok := p.ImportMap[i]; ok {
				i = m // vendored in the standard library
			}
			if d := g.packages[i]; d != nil && seen[i] == nil {
				seen[i] = d
				visit(d)
			}
		}
	}
	if p := g.packages[path]; p != nil {
		visit(p)
	}
	var out []*Package
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		out = append(out, seen[k])
	}
	return out
}

// Count gives the packages outside of the standard library and of the module that
// a package imports, directly or not, and the modules they come from, sorted.
func (g *Graph) Count(path string) (packages, modules []string) {
	from := map[string]bool{}
	for _, d := range g.Deps(path) {
		if d.Standard || d.Own() {
			continue
		}
		packages = append(packages, d.ImportPath)
		if d.Module != nil {
			from[d.Module.Path] = true
		}
	}
	return packages, slices.Sorted(maps.Keys(from))
}

// Budget fails the test if the package does not exist or exceeds its limits; the
// message has the figures.
func (g *Graph) Budget(t testing.TB, path string, limits Limits) {
	t.Helper()
	for _, problem := range g.check(path, limits) {
		t.Error(problem)
	}
}

func (g *Graph) check(path string, limits Limits) (problems []string) {
	if p := g.packages[path]; p == nil {
		return []string{fmt.Sprintf("%s: there is no such package", path)}
	}
	packages, modules := g.Count(path)
	if len(packages) > limits.Packages || len(modules) > limits.Modules {
		problems = append(problems, fmt.Sprintf(
			"%s imports %d packages of %d modules, its budget is %d of %d; the modules:\n\t%s",
			path, len(packages), len(modules), limits.Packages, limits.Modules, strings.Join(modules, "\n\t")))
	}
	for _, d := range g.Deps(path) {
		for _, f := range limits.Forbid {
			if within(d.ImportPath, f) {
				problems = append(problems, fmt.Sprintf("%s imports %s, which is forbidden to it: %s",
					path, d.ImportPath, strings.Join(g.way(path, d.ImportPath), " imports ")))
			}
		}
	}
	return problems
}

// within reports whether an import path is another one or below it.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

// way gives a shortest chain of imports from one package to another.
func (g *Graph) way(from, to string) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			var way []string
			for ; at != ""; at = before[at] {
				way = append(way, at)
			}
			slices.Reverse(way)
			return way
		}
		for _, i := range g.packages[at].Imports {
			if _, seen := before[i]; !seen && g.packages[i] != nil {
				before[i] = at
				queue = append(queue, i)
			}
		}
	}
	return nil
}

// Budget loads one package and holds it to its limits; see [Graph.Budget].
func Budget(t testing.TB, path string, limits Limits) {
	t.Helper()
	Load(t, path).Budget(t, path, limits)
}
