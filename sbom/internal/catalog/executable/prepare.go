package executable

import (
	"encoding/binary"

	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

const (
	// PlanSize is how much of the beginning of a content [Prepare] looks at: the header,
	// and the table of segments behind it.
	PlanSize = 64 << 10
	// names is how much before the table of sections is kept: linkers put the names of
	// the sections there, and what was added to a file that was linked.
	names = 1 << 20
	// maxNotes bounds a segment of notes.
	maxNotes = 1 << 20
)

// Prepare wants of a content that goes by what [OpenAt] will read, as far as the first
// [PlanSize] bytes tell, which are kept. It gives the parts in which the texts will be
// that the program uses: more than [File.Texts] will say, and perhaps not all.
func Prepare(c *sparse.Content) (texts []sparse.Range) {
	all := []sparse.Range{{To: c.Size()}}
	head := c.Kept(0, min(c.Size(), HeadSize))
	switch KindOf(head) {
	case ELF:
		return prepareELF(c, head)
	case PE, MachO:
		f := &File{Kind: KindOf(head), content: c}
		err := f.foreign(head)
		known := err == nil && len(c.Missing()) == 0
		c.Forget()
		if known {
			return f.Texts()
		}
		return all
	}
	return nil
}

func prepareELF(c *sparse.Content, head []byte) []sparse.Range {
	t, err := readTables(head)
	if err != nil {
		return nil
	}
	f := &File{Kind: ELF, content: c, big: t.order == binary.BigEndian}
	defer c.Forget()
	c.Want(sparse.Range{From: t.phoff, To: t.phoff + t.phsize*t.phnum})
	f.segments(t)
	isGo := false
	for _, s := range f.sections { // of notes
		if s.n <= maxNotes {
			c.Want(s.area())
		}
	}
	f.Notes(func(n Note) bool {
		isGo = n.Owner == "Go"
		return !isGo
	})
	if t.hasSections() {
		end := t.shoff + t.shsize*max(t.shnum, 1)
		c.Want(sparse.Range{From: t.shoff - min(t.shoff, names), To: end})
		f.names(t)
	}
	switch {
	case isGo:
		return nil // what it is made of, its build information says
	case len(f.loaded) == 0:
		return []sparse.Range{{To: c.Size()}}
	}
	var parts []sparse.Range
	for i := range f.loaded {
		// Code and texts are in one segment where the linker makes one of all that
		// cannot be written, with the header.
		if s := &f.loaded[i]; !s.code || s.from == 0 || !t.hasSections() {
			parts = append(parts, s.area())
		}
	}
	return union(parts)
}

// names wants the names of the sections, if the table of sections is at the beginning:
// the linker of Go puts it there.
func (f *File) names(t tables) {
	h := f.content.Kept(t.shoff+t.shstr*t.shsize, t.shsize)
	if h == nil {
		return
	}
	from, n := uint64(t.order.Uint32(h[16:])), uint64(t.order.Uint32(h[20:]))
	if t.wide {
		from, n = t.order.Uint64(h[24:]), t.order.Uint64(h[32:])
	}
	if f.content.Inside(from, n) && n <= names {
		f.content.Want(sparse.Range{From: from, To: from + n})
	}
}

// IsGo reports whether there is build information of Go, as a section; or a note of its
// linker, in a file without sections.
func (f *File) IsGo() bool {
	if f.Has(".go.buildinfo") || f.Has("__go_buildinfo") {
		return true
	}
	isGo := false
	if f.Kind == ELF && f.bare {
		f.Notes(func(n Note) bool {
			isGo = n.Owner == "Go"
			return !isGo
		})
	}
	return isGo
}
