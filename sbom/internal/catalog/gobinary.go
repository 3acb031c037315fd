package catalog

import (
	"cmp"
	"path"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/golang"
)

func (m *maker) golang() error {
	for _, facts := range [][]layers.Fact{m.res.Facts(goName), m.res.HistoryFacts(goName)} {
		for _, f := range facts {
			bad, ok := f.Value.(faulty)
			if !ok {
				continue
			}
			m.skip(goName, f, bad.err)
			if f.Removed < 0 {
				m.found["golang"], m.partial["components:golang"] = true, true
			}
		}
	}
	// The modules' own requirements are not recorded: what is known is which modules
	// are linked into which executable.
	m.partial["dependencies:golang"] = true

	files := lineages(m.res, goName, func(b goBinary) map[string]int {
		keys := map[string]int{}
		for i, c := range goComponents(b) {
			keys[identity(&c)] = i
		}
		return keys
	})
	for _, l := range files {
		v, ok := l.last()
		if !ok {
			continue
		}
		m.found["golang"] = true
		var binary *node
		for _, c := range goComponents(v.value) {
			c.Locations = []assay.Location{m.location(l.path, l.introduced(len(l.versions)-1, identity(&c)))}
			n := m.add(c)
			if binary == nil {
				binary, n.top = n, true
				continue
			}
			if err := m.relate(binary, assay.DependsOn, n); err != nil {
				return err
			}
		}
	}
	history(m, intact(m, goName, "golang", files), func(b goBinary, i int) assay.Component { return goComponents(b)[i] })
	return nil
}

// goComponents are the executable, then its main module, the standard library and
// the modules.
func goComponents(b goBinary) []assay.Component {
	name := b.Package
	if name == "" || name == "command-line-arguments" {
		name = b.Main.Path
	}
	if name == "" {
		name = "command-line-arguments"
	}
	exe := assay.Component{
		ID: assay.ComponentID("go-binary:" + b.sum.String()), Type: assay.TypeApplication, Name: path.Base(name), Version: b.Main.Version,
		Hashes: assay.DigestSet{b.sum}, FoundBy: goName,
	}
	exe.Properties = withProperty(exe.Properties, "assay:go:package", b.Package)
	exe.Properties = withProperty(exe.Properties, "assay:go:toolchain", b.Toolchain)
	for k, v := range b.Settings {
		exe.Properties = withProperty(exe.Properties, "assay:go:build:"+strings.TrimPrefix(k, "-"), v)
	}
	out := []assay.Component{exe}
	if b.Main.Path != "" {
		out = append(out, goModule(b.Main))
	}
	if v := b.Stdlib(); v != "" {
		out = append(out, assay.Component{
			Type: assay.TypeLibrary, Name: "stdlib", Version: v, FoundBy: goName,
			PURL: purl("golang", "", "stdlib", v, nil),
		})
	}
	for _, d := range b.Deps {
		out = append(out, goModule(d))
	}
	return out
}

func goModule(mod golang.Module) assay.Component {
	dir, base := "", mod.Path
	if i := strings.LastIndexByte(mod.Path, '/'); i >= 0 {
		dir, base = mod.Path[:i], mod.Path[i+1:]
	}
	c := assay.Component{
		Type: assay.TypeLibrary, Name: mod.Path, Version: mod.Version, FoundBy: goName,
		PURL: purl("golang", dir, base, mod.Version, nil),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("golang:" + cmp.Or(mod.Path, "unnamed") + "@" + mod.Version)
	}
	if h := mod.Hash(); !h.IsZero() {
		c.Hashes = assay.DigestSet{h}
	}
	c.Properties = withProperty(c.Properties, "assay:go:h1", mod.Sum)
	c.Properties = withProperty(c.Properties, "assay:go:replaces", mod.Stated)
	c.Properties = withProperty(c.Properties, "assay:go:folder", mod.Folder)
	if mod.Development {
		c.Properties = withProperty(c.Properties, "assay:go:development", "true")
	}
	return c
}
