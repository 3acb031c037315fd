package catalog

import (
	"cmp"
	"context"
	"path"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/pacman"
	"github.com/assaykit/assay/sbom/internal/license"
)

const (
	pacmanName = "pacman"
	pacmanDir  = "var/lib/pacman/local/"
)

// The facts of the pacman visitor, beside *pacman.Package: the text of a files file.
type pacmanFiles string

type pacmanVisitor struct{ budget *budget }

func (pacmanVisitor) Name() string { return pacmanName }

func (pacmanVisitor) Match(f *layers.File) layers.Want {
	name, ok := strings.CutPrefix(f.Path, pacmanDir)
	if !ok || f.Type != layers.Regular && f.Type != layers.Symlink {
		return layers.WantNothing
	}
	if dir, base, ok := strings.Cut(name, "/"); ok && dir != "" && (base == "desc" || base == "files") {
		return layers.WantContent | layers.WantOptional
	}
	return layers.WantNothing
}

func (v pacmanVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	if f.Base() == "files" {
		return pacmanFiles(c.Bytes), v.budget.take(f, len(c.Bytes))
	}
	p, err := pacman.ParseDesc(string(c.Bytes))
	if err != nil {
		return faulty{err}, nil
	}
	return p, v.budget.take(f, p.Size())
}

func isPacmanFiles(p string) bool { return path.Base(p) == "files" }

func (m *maker) pacman() error {
	m.faults(pacmanName, "alpm")
	dbs := lineages(m.res, pacmanName, func(p *pacman.Package) map[string]int { return map[string]int{p.Name + "\x00" + p.Version: 0} })
	known := unbroken(m, pacmanName, dbs)
	if lost := lostPaths(known); len(lost) > 0 && !anyCurrent(dbs) {
		// A file is one package; that it goes is how packages go, but not all of them.
		lost[0].Path = strings.TrimSuffix(pacmanDir, "/")
		m.lostDatabase(pacmanName, "alpm", false, lost[:1])
	}
	var pkgs []*pacman.Package
	var nodes []*node
	byDir := map[string]*node{}
	current(dbs, func(file string, layer int, p *pacman.Package, _ int) {
		c := m.alpm(p)
		c.Locations = []assay.Location{m.location(file, layer)}
		n := m.add(c)
		n.top = true
		pkgs, nodes = append(pkgs, p), append(nodes, n)
		byDir[path.Dir(file)] = n
		m.found["alpm"] = true
	})
	history(m, known, func(p *pacman.Package, _ int) assay.Component { return m.alpm(p) })

	for f, text := range layers.Facts[pacmanFiles](m.res, pacmanName) {
		n := byDir[path.Dir(f.Path)]
		if n == nil {
			continue
		}
		list, err := pacman.ParseFiles(string(text))
		if err != nil {
			m.skip(pacmanName, f, err)
			continue
		}
		for _, file := range list {
			if err := m.alive(); err != nil {
				return err
			}
			m.own(file, n)
		}
	}
	index := pacman.NewIndex(pkgs)
	for i, p := range pkgs {
		for _, d := range p.Depends {
			found, err := index.Satisfying(d)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				m.partial["dependencies:alpm"] = true
			}
			for _, j := range found {
				if err := m.relate(nodes[i], assay.DependsOn, nodes[j]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (m *maker) alpm(p *pacman.Package) assay.Component {
	c := assay.Component{
		Type: assay.TypeLibrary, Name: p.Name, Version: p.Version, Supplier: p.Packager, Description: p.Summary, FoundBy: pacmanName,
		// A namespace is required (purl-spec, alpm); pacman is Arch's.
		PURL: purl("alpm", cmp.Or(m.release.ID, "arch"), p.Name, p.Version, map[string]string{"arch": p.Arch, "distro": m.release.Distro()}),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("alpm:" + p.Name + "@" + p.Version + ":" + p.Arch)
	}
	if p.Base != "" {
		c.Source = assay.SourcePackage{Name: p.Base, Version: p.Version}
	}
	for _, l := range p.Licenses {
		if l := license.Declared(l); l != (assay.License{}) {
			c.Licenses = append(c.Licenses, l)
		}
	}
	referOr(&c, assay.RefWebsite, p.URL, "assay:alpm:url")
	c.Properties = withProperty(c.Properties, "assay:alpm:validation", strings.Join(p.Validation, ", "))
	if p.Explicit {
		c.Properties = withProperty(c.Properties, "assay:alpm:explicit", "true")
	}
	return c
}
