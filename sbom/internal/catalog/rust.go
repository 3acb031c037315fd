package catalog

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/rust"
)

const rustName = "rust"

// rust makes components of the crates that executables list. The facts are those of
// the visitor of executables, which reads each once.
func (m *maker) rust() error {
	for _, facts := range [][]layers.Fact{m.res.Facts(exeName), m.res.HistoryFacts(exeName)} {
		for _, f := range facts {
			if p, ok := f.Value.(*program); ok && p.CrateErr != nil {
				m.skip(rustName, f, p.CrateErr)
				if f.Removed < 0 {
					m.found["cargo"], m.partial["components:cargo"], m.partial["dependencies:cargo"] = true, true, true
				}
			}
		}
	}
	files := lineages(m.res, exeName, func(p *program) map[string]int {
		keys := map[string]int{}
		for i := range p.Crates {
			if c := crate(p, i); !p.Crates[i].Build() {
				keys[identity(&c)] = i
			}
		}
		return keys
	})
	for i := range files {
		l := &files[i]
		v, ok := l.last()
		if ok && v.value.Damage != nil && slices.ContainsFunc(l.versions, func(v version[*program]) bool { return len(v.keys) > 0 }) {
			m.skip(rustName, v.fact, v.value.Damage)
			m.incomplete("cargo")
		}
		if !ok || len(v.value.Crates) == 0 {
			continue
		}
		m.found["cargo"] = true
		if slices.ContainsFunc(m.res.Skipped, func(s layers.Skipped) bool { return s.Visitor == exeName }) {
			m.partial["components:cargo"] = true // it may have been such an executable
		}
		nodes := make([]*node, len(v.value.Crates))
		for j := range v.value.Crates {
			if v.value.Crates[j].Build() {
				continue
			}
			c := crate(v.value, j)
			c.Locations = []assay.Location{m.location(l.path, l.introduced(len(l.versions)-1, identity(&c)))}
			nodes[j] = m.add(c)
			nodes[j].top = nodes[j].top || v.value.Crates[j].Root
		}
		for j, n := range nodes {
			for _, d := range v.value.Crates[j].Depends {
				if n == nil || nodes[d] == nil {
					continue
				}
				if err := m.relate(n, assay.DependsOn, nodes[d]); err != nil {
					return err
				}
			}
		}
	}
	history(m, sound(intact(m, exeName, "cargo", files), (*program).damage), func(p *program, i int) assay.Component { return crate(p, i) })
	return nil
}

// crate makes the component of a crate. The root is the executable: an application,
// with its digest.
func crate(p *program, i int) assay.Component {
	k := &p.Crates[i]
	c := assay.Component{Type: assay.TypeLibrary, Name: k.Name, Version: k.Version, FoundBy: rustName}
	switch k.Source {
	case "crates.io":
		c.PURL = purl("cargo", "", k.Name, k.Version, nil)
	case "local", "":
		// What has no source is not of a registry: a crate of that name there is
		// another one.
	default:
		c.Properties = withProperty(c.Properties, "assay:cargo:source", k.Source)
	}
	if k.Root {
		c.Type = assay.TypeApplication
		c.Hashes = assay.DigestSet{p.Sum}
		c.Properties = withProperty(c.Properties, "assay:cargo:build-dependencies", buildCrates(p.Crates))
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("cargo:" + k.Name + "@" + k.Version)
		if k.Root {
			c.ID = assay.ComponentID("rust-binary:" + p.Sum.String())
		}
	}
	return c
}

// buildCrates are those that ran when the executable was built and are no part of
// it.
func buildCrates(all []rust.Crate) string {
	var out []string
	for i := range all {
		if all[i].Build() {
			out = append(out, all[i].Name+"@"+all[i].Version)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}
