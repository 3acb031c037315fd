package catalog

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/composer"
)

const composerName = "composer"

type composerVisitor struct{ budget *budget }

func (composerVisitor) Name() string { return composerName }

func (composerVisitor) Match(f *layers.File) layers.Want {
	if f.Type == layers.Regular && strings.HasSuffix(f.Path, "/composer/installed.json") {
		return layers.WantContent | layers.WantOptional
	}
	return layers.WantNothing
}

func (v composerVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	pkgs, err := composer.ParseInstalled(f.Path, c.Bytes)
	if err != nil {
		return faulty{err}, nil
	}
	size := 0
	for i := range pkgs {
		size += pkgs[i].Size()
	}
	return pkgs, v.budget.take(f, size)
}

func (m *maker) composer() error {
	for _, facts := range [][]layers.Fact{m.res.Facts(composerName), m.res.HistoryFacts(composerName)} {
		for _, f := range facts {
			bad, ok := f.Value.(faulty)
			if !ok {
				continue
			}
			m.skip(composerName, f, bad.err)
			if f.Removed < 0 {
				m.found["composer"], m.partial["components:composer"] = true, true
			}
		}
	}
	files := lineages(m.res, composerName, func(pkgs []composer.Package) map[string]int {
		keys := map[string]int{}
		for i := range pkgs {
			keys[pkgs[i].Name+"\x00"+pkgs[i].Version+"\x00"+pkgs[i].Revision] = i
		}
		return keys
	})
	type installed struct {
		*composer.Package
		node *node
	}
	var nodes []*node
	gone := sync.OnceValue(func() removal { return m.removals(true) })
	byFile := map[string][]installed{}
	current(files, func(file string, layer int, pkgs []composer.Package, i int) {
		p := &pkgs[i]
		m.found["composer"] = true
		if p.Path != "" {
			// Composer's own record outlives a folder that was deleted by hand.
			at := path.Join("/", path.Dir(file), p.Path)
			if path.IsAbs(p.Path) {
				at = path.Clean(p.Path)
			}
			if f, err := m.res.Tree.Lookup(at); err != nil || f.Type != layers.Dir {
				if by, ok := gone()[strings.TrimPrefix(at, "/")]; ok && by > layer {
					c := composerComponent(p)
					c.Locations = []assay.Location{m.location(file, layer)}
					m.past = append(m.past, past{c, layer, by})
					return
				}
				m.partial["components:composer"] = true
				m.skipped = append(m.skipped, Skipped{Visitor: composerName, Path: file, Layer: layer,
					Reason: p.Name + " " + p.Version + " is recorded and has no folder " + at})
				return
			}
		}
		c := composerComponent(p)
		c.Locations = []assay.Location{m.location(file, layer)}
		n := m.add(c)
		nodes = append(nodes, n)
		byFile[file] = append(byFile[file], installed{p, n})
	})
	history(m, unbroken(m, composerName, files), func(pkgs []composer.Package, i int) assay.Component { return composerComponent(&pkgs[i]) })
	for _, file := range files {
		list := byFile[file.path]
		by := map[string][]*node{}
		for _, p := range list {
			for _, names := range [][]string{{strings.ToLower(p.Name)}, p.Provides, p.Replaces} {
				for _, n := range names {
					by[n] = append(by[n], p.node)
				}
			}
		}
		for _, p := range list {
			for _, r := range p.Requires {
				if len(by[r]) == 0 {
					m.partial["dependencies:composer"] = true
				}
				for _, to := range by[r] {
					if err := m.relate(p.node, assay.DependsOn, to); err != nil {
						return err
					}
				}
				if err := m.alive(); err != nil {
					return err
				}
			}
		}
	}
	reach(nodes)
	return nil
}

func composerComponent(p *composer.Package) assay.Component {
	vendor, name, _ := strings.Cut(p.Name, "/")
	c := assay.Component{
		Type: assay.TypeLibrary, Name: p.Name, Version: p.Version, Licenses: slices.Clone(p.Licenses), Description: p.Description,
		Supplier: p.Supplier, Creator: p.Supplier, FoundBy: composerName, Hashes: p.Hashes, PURL: purl("composer", vendor, name, p.Version, nil),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("composer:" + p.Name + "@" + p.Version)
	}
	c.Properties = withProperty(c.Properties, "assay:composer:revision", p.Revision)
	referOr(&c, assay.RefVCS, p.Source, "assay:composer:source")
	if u := link(p.Dist); u != "" {
		addReferences(&c, assay.Reference{Type: assay.RefDistribution, URL: u, Hashes: p.Hashes})
	}
	refer(&c, assay.RefWebsite, p.Homepage, "")
	for _, s := range p.Support {
		labeled(&c, s.Label, s.URL)
	}
	if p.Type != "library" {
		c.Properties = withProperty(c.Properties, "assay:composer:type", p.Type)
	}
	if p.Dev {
		c.Properties = withProperty(c.Properties, "assay:composer:dev", "true")
	}
	return c
}
