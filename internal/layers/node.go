package layers

import (
	"slices"
	"strings"
)

// node is a name in the tree.
type node struct {
	name string
	file *File // nil of one that was removed from a large folder
	in   *folder
}

// folder is what is in one. Most are small, and archives list what is in them mostly in
// order, so it is a sorted list; with a map beside it where a large one is not.
type folder struct {
	kids []*node
	// byName has the kids that are there, if they are not sorted.
	byName map[string]*node
	// ragged tells that some kids are removed ones.
	ragged bool
}

const (
	// few is up to how many kids are looked through one by one.
	few = 8
	// many is from how many kids on none is put between others, or taken out there:
	// the time must not grow with the square of the size of a folder.
	many = 512
)

// kid gives the one of a name that is there, or nil.
func (n *node) kid(name string) *node {
	if n.in == nil {
		return nil
	}
	if n.in.byName != nil {
		return n.in.byName[name]
	}
	if i, ok := n.in.find(name); ok && n.in.kids[i].file != nil {
		return n.in.kids[i]
	}
	return nil
}

// find gives the place of a name in a sorted folder.
func (d *folder) find(name string) (int, bool) {
	if len(d.kids) <= few {
		for i, k := range d.kids {
			if k.name == name {
				return i, true
			}
		}
	}
	low, high := 0, len(d.kids)
	if high > 0 && d.kids[high-1].name < name {
		return high, false // as when names come in order
	}
	for low < high {
		if i := int(uint(low+high) / 2); d.kids[i].name < name {
			low = i + 1
		} else {
			high = i
		}
	}
	return low, low < len(d.kids) && d.kids[low].name == name
}

// put adds a kid of a name that there is none of.
func (n *node) put(k *node) *node {
	if n.in == nil {
		n.in = &folder{}
	}
	d, name := n.in, k.name
	if len(d.kids) > 0 && d.byName == nil && d.kids[len(d.kids)-1].name >= name {
		i, found := d.find(name)
		if found { // and is a removed one
			d.kids[i] = k
			return k
		}
		if len(d.kids) <= many {
			d.kids = slices.Insert(d.kids, i, k)
			return k
		}
		d.sweep()
		d.byName = make(map[string]*node, len(d.kids)+len(d.kids)/4)
		for _, k := range d.kids {
			d.byName[k.name] = k
		}
	}
	d.kids = append(d.kids, k)
	if d.byName != nil {
		d.byName[name] = k
	}
	return k
}

// become makes another file of the node, one that nothing is in.
func (n *node) become(f *File) { n.file, n.in = f, nil }

// remove takes a kid away.
func (n *node) remove(k *node) {
	d := n.in
	switch {
	case d.byName != nil:
		delete(d.byName, k.name)
	case len(d.kids) <= many:
		if i, ok := d.find(k.name); ok {
			d.kids = slices.Delete(d.kids, i, i+1)
		}
		return
	}
	k.file, d.ragged = nil, true
}

// living are the kids that are there. They may be removed one by one meanwhile.
func (n *node) living() []*node {
	if n.in == nil {
		return nil
	}
	n.in.sweep()
	return slices.Clone(n.in.kids)
}

// sweep forgets the kids that were removed.
func (d *folder) sweep() {
	if d.ragged {
		d.kids = slices.DeleteFunc(d.kids, func(k *node) bool { return k.file == nil })
		d.ragged = false
	}
}

// tidy leaves the kids that are there, sorted, and gives them.
func (n *node) tidy() []*node {
	if n.in == nil {
		return nil
	}
	n.in.sweep()
	if n.in.byName != nil {
		slices.SortFunc(n.in.kids, func(a, b *node) int { return strings.Compare(a.name, b.name) })
		n.in.byName = nil
	}
	return n.in.kids
}

// tidyAll is tidy of a tree.
func (n *node) tidyAll() {
	for _, k := range n.tidy() {
		k.tidyAll()
	}
}
