package catalog

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/gem"
	"github.com/assaykit/assay/sbom/internal/license"
)

const gemName = "gem"

// gemArchive is the fact about a .gem file: its digest. Beside it there are *gem.Spec.
type gemArchive assay.Digest

type gemVisitor struct{ budget *budget }

func (gemVisitor) Name() string { return gemName }

func (gemVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular {
		return layers.WantNothing
	}
	switch {
	case strings.HasSuffix(f.Path, ".gemspec"):
		if home, _ := gemHome(f.Path); home != "" {
			return layers.WantContent | layers.WantOptional | layers.WantAnyName
		}
	case strings.HasSuffix(f.Path, ".gem"):
		if path.Base(f.Parent()) == "cache" {
			return layers.WantHash | layers.WantAnyName
		}
	}
	return layers.WantNothing
}

// gemHome gives the folder that a specification's gem is installed in, "" for a
// gemspec that RubyGems and Bundler do not load from that place. checkout tells a
// gem that Bundler checked out of version control.
func gemHome(p string) (home string, checkout bool) {
	dir := path.Dir(p)
	if path.Base(dir) == "default" {
		dir = path.Dir(dir)
	}
	if path.Base(dir) == "specifications" {
		return path.Dir(dir), false
	}
	// HOME/bundler/gems/NAME-REVISION/NAME.gemspec
	if gems := path.Dir(dir); path.Base(gems) == "gems" && path.Base(path.Dir(gems)) == "bundler" {
		return path.Dir(path.Dir(gems)), true
	}
	return "", false
}

func (v gemVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	if strings.HasSuffix(f.Path, ".gem") {
		return gemArchive(c.SHA256), nil
	}
	s, err := gem.ParseSpec(f.Path, c.Bytes)
	if err != nil {
		return faulty{err}, nil
	}
	return s, v.budget.take(f, s.Size())
}

// installedGem is one gem in one home.
type installedGem struct {
	*gem.Spec
	home string
	node *node
}

func (m *maker) gems() error {
	for _, facts := range [][]layers.Fact{m.res.Facts(gemName), m.res.HistoryFacts(gemName)} {
		for _, f := range facts {
			bad, ok := f.Value.(faulty)
			if !ok {
				continue
			}
			m.skip(gemName, f, bad.err)
			if f.Removed < 0 {
				m.found["gem"], m.partial["components:gem"] = true, true
			}
		}
	}
	archives := map[string]assay.Digest{}
	for f, sum := range layers.Facts[gemArchive](m.res, gemName) {
		archives[f.Path] = assay.Digest(sum)
	}
	specs := lineages(m.res, gemName, func(s *gem.Spec) map[string]int { return map[string]int{s.FullName(): 0} })
	byName := map[string][]*installedGem{}
	var all []*installedGem
	current(specs, func(file string, layer int, s *gem.Spec, _ int) {
		c := gemComponent(file, s)
		c.Locations = []assay.Location{m.location(file, layer)}
		home, _ := gemHome(file)
		if sum := archives[path.Join(home, "cache", s.FullName()+".gem")]; !sum.IsZero() {
			c.Hashes = assay.DigestSet{sum}
		}
		g := &installedGem{s, home, m.add(c)}
		m.found["gem"] = true
		byName[s.Name] = append(byName[s.Name], g)
		all = append(all, g)
	})
	for _, l := range unbroken(m, gemName, specs) {
		history(m, []lineage[*gem.Spec]{l}, func(s *gem.Spec, _ int) assay.Component { return gemComponent(l.path, s) })
	}
	// The newest first, as RubyGems takes it.
	for _, list := range byName {
		slices.SortStableFunc(list, func(a, b *installedGem) int { return gem.Compare(b.Version, a.Version) })
	}
	nodes := make([]*node, 0, len(all))
	for _, g := range all {
		nodes = append(nodes, g.node)
		if g.Partial {
			m.partial["dependencies:gem"] = true
		}
		for _, d := range g.Requires {
			if err := m.alive(); err != nil {
				return err
			}
			to := satisfying(byName[d.Name], d.Allowed, g.home)
			if to == nil {
				m.partial["dependencies:gem"] = true
				continue
			}
			if err := m.relate(g.node, assay.DependsOn, to.node); err != nil {
				return err
			}
		}
	}
	reach(nodes)
	return nil
}

// satisfying is the newest gem that meets the requirements; of equal ones that of the
// same home.
func satisfying(list []*installedGem, allowed []string, home string) *installedGem {
	var out *installedGem
	for _, g := range list {
		if out != nil && gem.Compare(g.Version, out.Version) < 0 {
			break
		}
		if gem.Satisfies(g.Version, allowed) && (out == nil || out.home != home && g.home == home) {
			out = g
		}
	}
	return out
}

func gemComponent(file string, s *gem.Spec) assay.Component {
	c := assay.Component{
		Type: assay.TypeLibrary, Name: s.Name, Version: s.Version, Description: s.Summary, Supplier: strings.Join(s.Authors, ", "),
		FoundBy: gemName, PURL: purl("gem", "", s.Name, s.Version, map[string]string{"platform": s.Platform}),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("gem:" + s.FullName())
	}
	for _, l := range s.Licenses {
		if l := license.Declared(l); l != (assay.License{}) && !slices.Contains(c.Licenses, l) {
			c.Licenses = append(c.Licenses, l)
		}
	}
	c.Creator = c.Supplier
	referOr(&c, assay.RefWebsite, s.Homepage, "assay:gem:homepage")
	for _, l := range s.Links {
		labeled(&c, strings.TrimSuffix(l.Key, "_uri"), l.URL)
	}
	if path.Base(path.Dir(file)) == "default" {
		c.Properties = withProperty(c.Properties, "assay:gem:default", "true")
	}
	if _, checkout := gemHome(file); checkout {
		dir := path.Base(path.Dir(file))
		if i := strings.LastIndexByte(dir, '-'); i >= 0 {
			c.Properties = withProperty(c.Properties, "assay:gem:revision", dir[i+1:])
		}
	}
	return c
}
