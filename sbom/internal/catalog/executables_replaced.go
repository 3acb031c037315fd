package catalog

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// replaced takes from packages of distributions the executables that are not theirs any
// more, and gives those packages by path: an upper layer wrote another content over the
// file, and the package is not of that layer. A list of files says what was installed,
// not what is there. Configuration is meant to be changed.
func (m *maker) replaced() map[string]*node {
	if len(m.res.HistoryFacts(exeName)) == 0 {
		return nil
	}
	layerOf := map[assay.Digest]int{}
	for i := len(m.res.Layers) - 1; i >= 0; i-- {
		layerOf[m.res.Layers[i].DiffID] = i
	}
	older := map[string][]layers.Fact{}
	for _, f := range m.res.HistoryFacts(exeName) {
		if _, ok := f.Value.(*program); ok {
			older[f.Path] = append(older[f.Path], f)
		}
	}
	o, out := m.installs(), map[string]*node{}
	for _, f := range m.res.Facts(exeName) {
		p, ok := f.Value.(*program)
		if !ok || len(older[f.Path]) == 0 || strings.HasPrefix(f.Path, "etc/") {
			continue
		}
		n := o.of(f.File)
		if !n.distributes() {
			continue
		}
		since := 0
		for _, l := range n.c.Locations {
			since = max(since, layerOf[l.Layer])
		}
		own := func(f layers.Fact) bool { return f.Layer >= since }
		same := func(f layers.Fact) bool { return own(f) && f.Value.(*program).Sum == p.Sum }
		if f.Layer > since && slices.ContainsFunc(older[f.Path], own) && !slices.ContainsFunc(older[f.Path], same) {
			o.owners[o.tree.Place(f.File)] = nil
			out[f.File.Path] = n
		}
	}
	return out
}
