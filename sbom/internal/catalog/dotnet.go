package catalog

import (
	"context"
	"errors"
	"path"
	"strings"
	"sync"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/dotnet"
)

const dotnetName = "dotnet"

// dotnetDeps is the fact about a file of dependencies.
type dotnetDeps struct {
	libraries []dotnet.Library
	faults    []error // of entries
}

type dotnetVisitor struct{ budget *budget }

func (dotnetVisitor) Name() string { return dotnetName }

func (dotnetVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular || !strings.HasSuffix(f.Path, ".deps.json") {
		return layers.WantNothing
	}
	return layers.WantContent | layers.WantOptional | layers.WantAnyName
}

func (v dotnetVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	libs, faults, err := dotnet.Parse(f.Path, c.Bytes)
	if errors.Is(err, dotnet.ErrNotDotnet) {
		return nil, nil
	}
	if err != nil {
		return faulty{err}, nil
	}
	size := 512 * len(faults)
	for i := range libs {
		size += libs[i].Size()
	}
	return dotnetDeps{libs, faults}, v.budget.take(f, size)
}

func (m *maker) dotnet() error {
	for _, facts := range [][]layers.Fact{m.res.Facts(dotnetName), m.res.HistoryFacts(dotnetName)} {
		for _, f := range facts {
			if bad, ok := f.Value.(faulty); ok {
				m.skip(dotnetName, f, bad.err)
				if f.Removed < 0 {
					m.found["nuget"], m.partial["components:nuget"] = true, true
				}
			}
		}
	}
	files := lineages(m.res, dotnetName, func(d dotnetDeps) map[string]int {
		keys := map[string]int{}
		for i := range d.libraries {
			if l := &d.libraries[i]; l.Package() != "" && len(l.Files) > 0 {
				keys[l.Name+"\x00"+l.Version] = i
			}
		}
		return keys
	})
	faults := func(d dotnetDeps) []error { return d.faults }
	recordFaults(m, dotnetName, "nuget", files, faults)
	gone := sync.OnceValue(func() removal { return m.removals(false) })
	for i := range files {
		l := &files[i]
		v, ok := l.last()
		if !ok {
			continue
		}
		if err := m.dotnetProgram(l, v.value.libraries, gone); err != nil {
			return err
		}
	}
	history(m, sound(intact(m, dotnetName, "nuget", files), faults), func(d dotnetDeps, i int) assay.Component { return nuget(&d.libraries[i]) })
	return nil
}

// dotnetProgram adds the libraries of one program. What has no file in the image is
// no component: packages that only bring others, and what was linked into the
// program. Dependencies lead through it all the same.
func (m *maker) dotnetProgram(l *lineage[dotnetDeps], libs []dotnet.Library, gone func() removal) error {
	dir := path.Dir(l.path)
	name := strings.TrimSuffix(path.Base(l.path), ".deps.json")
	nodes := make([]*node, len(libs))
	for i := range libs {
		lib := &libs[i]
		own := lib.Type == "project" && strings.EqualFold(lib.Name, name)
		var there []string
		for _, f := range lib.Files {
			if p := m.assembly(dir, lib, f); p != "" {
				there = append(there, p)
			}
		}
		if len(there) == 0 {
			m.dotnetPast(l, lib, dir, gone)
			continue
		}
		c := nuget(lib)
		if own {
			c.Type = assay.TypeApplication
		}
		layer := l.introduced(len(l.versions)-1, lib.Name+"\x00"+lib.Version)
		c.Locations = []assay.Location{m.location(l.path, layer)}
		n := m.add(c)
		nodes[i] = n
		n.top = n.top || own
		m.found["nuget"] = true
		for _, p := range there {
			m.claim(p, n)
		}
		// The host that starts the program is made of the SDK's, with its name.
		if own {
			m.claim(path.Join(dir, name), n)
			m.claim(path.Join(dir, name+".exe"), n)
		}
	}
	wanted := make([]bool, len(libs))
	for i, n := range nodes {
		if n == nil {
			continue
		}
		seen := map[int]bool{}
		todo := []int{i}
		for len(todo) > 0 {
			at := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if libs[at].Missing > 0 {
				m.partial["dependencies:nuget"] = true
			}
			for _, j := range libs[at].Depends {
				if err := m.alive(); err != nil {
					return err
				}
				if seen[j] {
					continue
				}
				seen[j] = true
				if nodes[j] == nil {
					todo = append(todo, j)
					continue
				}
				wanted[j] = true
				if err := m.relate(n, assay.DependsOn, nodes[j]); err != nil {
					return err
				}
			}
		}
	}
	for i, n := range nodes {
		if n != nil && !wanted[i] {
			n.top = true
		}
	}
	return nil
}

// dotnetPast notes a library that is listed still, of which an upper layer removed the
// files.
func (m *maker) dotnetPast(l *lineage[dotnetDeps], lib *dotnet.Library, dir string, gone func() removal) {
	if lib.Package() == "" {
		return
	}
	last := -1
	for _, file := range lib.Files {
		for _, p := range assemblies(dir, lib, file) {
			if by, ok := gone()[p]; ok {
				last = max(last, by)
				break
			}
		}
	}
	layer := l.introduced(len(l.versions)-1, lib.Name+"\x00"+lib.Version)
	if last <= layer {
		return // what lists it came later
	}
	c := nuget(lib)
	c.Locations = []assay.Location{m.location(l.path, layer)}
	m.past = append(m.past, past{c, layer, last})
}

// assembly finds a file of a library: beside the program, where a build copies it,
// or as the package has it.
func (m *maker) assembly(dir string, lib *dotnet.Library, file string) string {
	for _, p := range assemblies(dir, lib, file) {
		if f, err := m.res.Tree.Lookup("/" + p); err == nil && f.Type == layers.Regular {
			return f.Path
		}
	}
	return ""
}

// assemblies are where a file of a library can be.
func assemblies(dir string, lib *dotnet.Library, file string) []string {
	names := []string{path.Base(file), file, path.Join(path.Base(path.Dir(file)), path.Base(file)),
		path.Join(strings.ToLower(lib.Name), strings.ToLower(lib.Version), file)}
	var out []string
	for _, n := range names {
		if p := path.Join(dir, n); !strings.HasPrefix(p, "..") {
			out = append(out, p)
		}
	}
	return out
}

func nuget(lib *dotnet.Library) assay.Component {
	c := assay.Component{Type: assay.TypeLibrary, Name: lib.Name, Version: lib.Version, FoundBy: dotnetName}
	if p := lib.Package(); p != "" {
		c.Name = p
		c.PURL = purl("nuget", "", p, lib.Version, nil)
		if !lib.SHA512.IsZero() {
			c.Hashes = assay.DigestSet{lib.SHA512}
		}
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("dotnet-" + lib.Type + ":" + lib.Name + "@" + lib.Version)
	}
	return c
}
