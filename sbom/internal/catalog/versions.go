package catalog

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// version is what one file was in the layers between two writes of it.
type version[T any] struct {
	fact  layers.Fact
	value T
	// keys has what tells the components in it apart, with their index in value.
	keys map[string]int
}

// lineage is all versions of the file of one path, oldest first.
type lineage[T any] struct {
	path     string
	versions []version[T]
	current  bool // the last one is in the merged tree
}

// lineages gives those of the files that a visitor has facts of type T on, ordered
// by path.
func lineages[T any](res *layers.Result, visitor string, keys func(T) map[string]int) []lineage[T] {
	var all []version[T]
	for _, facts := range [][]layers.Fact{res.HistoryFacts(visitor), res.Facts(visitor)} {
		for _, f := range facts {
			if v, ok := f.Value.(T); ok {
				all = append(all, version[T]{f, v, keys(v)})
			}
		}
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &all[i].fact, &all[j].fact
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(age(a), age(b)), i-j)
	})
	sorted := make([]version[T], len(all))
	out := make([]lineage[T], 0, len(all))
	for n, i := range order {
		sorted[n] = all[i]
		path, current := all[i].fact.Path, all[i].fact.Removed < 0
		if last := len(out) - 1; last >= 0 && out[last].path == path {
			l := &out[last]
			l.versions, l.current = sorted[n-len(l.versions):n+1:n+1], l.current || current
		} else {
			out = append(out, lineage[T]{path, sorted[n : n+1 : n+1], current})
		}
	}
	return out
}

// age orders the versions of one file; the current one is last.
func age(f *layers.Fact) int {
	if f.Removed < 0 {
		return math.MaxInt
	}
	return f.File.Layer
}

// last is the version in the merged tree.
func (l *lineage[T]) last() (version[T], bool) {
	if !l.current {
		return version[T]{}, false
	}
	return l.versions[len(l.versions)-1], true
}

// introduced is the layer of the oldest version that holds the component, of those
// that replaced one another without a gap up to version i.
func (l *lineage[T]) introduced(i int, key string) int {
	layer := l.versions[i].fact.File.Layer
	for ; i > 0; i-- {
		older := l.versions[i-1]
		if _, held := older.keys[key]; !held || older.fact.Removed != l.versions[i].fact.File.Layer {
			break
		}
		layer = older.fact.File.Layer
	}
	return layer
}

// current gives the components of the merged tree, with the layers that brought
// them, in the order of the paths and of the keys.
func current[T any](ls []lineage[T], yield func(path string, layer int, v T, i int)) {
	for _, l := range ls {
		v, ok := l.last()
		if !ok {
			continue
		}
		keys := make([]string, 0, len(v.keys))
		for k := range v.keys {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			yield(l.path, l.introduced(len(l.versions)-1, k), v.value, v.keys[k])
		}
	}
}

// history notes the components of versions that are gone, but for those that the
// next version has too.
func history[T any](m *maker, ls []lineage[T], component func(v T, i int) assay.Component) {
	for _, l := range ls {
		for i, v := range l.versions {
			if v.fact.Removed < 0 {
				continue
			}
			for k, n := range v.keys {
				if i+1 < len(l.versions) {
					if _, still := l.versions[i+1].keys[k]; still {
						continue
					}
				}
				layer := l.introduced(i, k)
				c := component(v.value, n)
				c.Locations = []assay.Location{m.location(l.path, layer)}
				m.past = append(m.past, past{c, layer, v.fact.Removed})
			}
		}
	}
}
