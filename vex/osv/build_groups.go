package osv

import (
	"slices"

	"github.com/assaykit/assay"
)

// maxGroup bounds the names of one vulnerability. Groups in the wild have a handful; a
// record that names hundreds of others its aliases says that it is a collection, and
// to believe it would make one vulnerability of all of them.
const maxGroup = 64

// groups unifies the names of vulnerabilities (union-find). That aliases point in
// circles, or at each other, makes no difference.
type groups struct {
	number map[assay.VulnID]int32
	name   []assay.VulnID
	parent []int32
	size   []int32
}

func (g *groups) node(id assay.VulnID) int32 {
	n, ok := g.number[id]
	if !ok {
		if g.number == nil {
			g.number = map[assay.VulnID]int32{}
		}
		n = int32(len(g.name))
		g.number[id] = n
		g.name = append(g.name, id)
		g.parent = append(g.parent, n)
		g.size = append(g.size, 1)
	}
	return n
}

func (g *groups) root(n int32) int32 {
	for g.parent[n] != n {
		g.parent[n] = g.parent[g.parent[n]]
		n = g.parent[n]
	}
	return n
}

// join makes one group of those of two names, false if it were too large.
func (g *groups) join(a, b assay.VulnID) bool {
	x, y := g.root(g.node(a)), g.root(g.node(b))
	if x == y {
		return true
	}
	if g.size[x]+g.size[y] > maxGroup {
		return false
	}
	if g.size[x] < g.size[y] {
		x, y = y, x
	}
	g.parent[y] = x
	g.size[x] += g.size[y]
	return true
}

// all gives the groups of more than one name; names and groups are sorted.
func (g *groups) all() [][]assay.VulnID {
	byRoot := map[int32][]assay.VulnID{}
	for n := range g.name {
		if r := g.root(int32(n)); g.size[r] > 1 {
			byRoot[r] = append(byRoot[r], g.name[n])
		}
	}
	out := make([][]assay.VulnID, 0, len(byRoot))
	for _, names := range byRoot {
		slices.Sort(names)
		out = append(out, names)
	}
	slices.SortFunc(out, func(a, b []assay.VulnID) int { return slices.Compare(a[:1], b[:1]) })
	return out
}
