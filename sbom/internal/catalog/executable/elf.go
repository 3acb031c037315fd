package executable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// Values of the System V ABI, chapters 4 and 5.
const (
	elfExec = 2
	elfDyn  = 3

	sectionNote   = 7
	sectionNoBits = 8
	flagAlloc     = 2
	flagExec      = 4
	flagPacked    = 0x800 // SHF_COMPRESSED

	segmentLoad = 1
	segmentNote = 4

	segmentCode     = 1
	segmentWritable = 2
)

// maxHeaders bounds the sections and the segments that are read: more than 65,535
// take an extension that no linker needs for a program.
const maxHeaders = 1 << 16

func order(head []byte) binary.ByteOrder {
	if head[5] == 2 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// elf reads the section and program headers. It does not use debug/elf, which
// allocates some hundred times for each file: an image has thousands of them.
func (f *File) elf(b []byte) error {
	t, err := readTables(b)
	if err != nil {
		return err
	}
	f.big = t.order == binary.BigEndian
	f.segments(t)
	// What debuggers read has the segments of the program that it is of, and sections of
	// its own.
	cut := f.cut
	whole := f.elfSections(t)
	f.cut = cut && !whole || t.phnum > 0 && !f.content.Inside(t.phoff, t.phsize*t.phnum)
	f.bare = !slices.ContainsFunc(f.sections, func(s section) bool { return s.name != "" })
	return nil
}

// tables is what the header of an ELF file says: where the tables of segments and
// sections are, the size and number of their entries, and which section has names.
type tables struct {
	order                       binary.ByteOrder
	wide                        bool
	phoff, phsize, phnum        uint64
	shoff, shsize, shnum, shstr uint64
}

func readTables(b []byte) (t tables, err error) {
	o := order(b)
	t.order, t.wide = o, b[4] == 2
	if b[4] != 1 && b[4] != 2 || b[5] != 1 && b[5] != 2 {
		return t, errors.New("ELF: unknown class or byte order")
	}
	var at int // of e_phentsize
	switch {
	case t.wide && len(b) >= 64:
		t.phoff, t.shoff, at = o.Uint64(b[32:]), o.Uint64(b[40:]), 54
	case !t.wide && len(b) >= 52:
		t.phoff, t.shoff, at = uint64(o.Uint32(b[28:])), uint64(o.Uint32(b[32:])), 42
	default:
		return t, errors.New("ELF: the header is cut")
	}
	t.phsize, t.phnum = uint64(o.Uint16(b[at:])), uint64(o.Uint16(b[at+2:]))
	t.shsize, t.shnum, t.shstr = uint64(o.Uint16(b[at+4:])), uint64(o.Uint16(b[at+6:])), uint64(o.Uint16(b[at+8:]))
	return t, nil
}

// hasSections reports whether there is a table of sections.
func (t *tables) hasSections() bool {
	return t.shoff != 0 && (t.shsize >= 64 || !t.wide && t.shsize >= 40)
}

// table gives a whole table, so that all of it is missing if any of it is; nil if the
// end of the file cuts it. Small parts of it are taken by themselves then.
func (f *File) table(off, size uint64) bool {
	return !f.content.Inside(off, size) || f.content.Slice(off, size) != nil
}

func (f *File) segments(t tables) {
	o := t.order
	least := uint64(32)
	if t.wide {
		least = 56
	}
	if t.phsize < least || !f.table(t.phoff, t.phsize*t.phnum) {
		return
	}
	for i := range min(t.phnum, maxHeaders) {
		h := f.slice(t.phoff+i*t.phsize, t.phsize)
		if h == nil {
			return
		}
		typ := o.Uint32(h)
		if typ != segmentLoad && typ != segmentNote {
			continue
		}
		s := section{note: typ == segmentNote}
		var flags uint32
		if t.wide {
			flags, s.from, s.addr, s.n = o.Uint32(h[4:]), o.Uint64(h[8:]), o.Uint64(h[16:]), o.Uint64(h[32:])
		} else {
			s.from, s.addr, s.n, flags = uint64(o.Uint32(h[4:])), uint64(o.Uint32(h[8:])), uint64(o.Uint32(h[16:])), o.Uint32(h[24:])
		}
		s.code, s.writable = flags&segmentCode != 0, flags&segmentWritable != 0
		if s.n > 0 && f.content.Inside(s.from, s.n) {
			if s.note {
				f.sections = append(f.sections, s)
			} else {
				f.loaded = append(f.loaded, s)
			}
		} else if s.n > 0 && !s.note {
			f.cut = true
		}
	}
}

// elfSections reports whether there are sections, and all of them are in the file.
func (f *File) elfSections(t tables) (whole bool) {
	if !t.hasSections() {
		return false
	}
	o, wide, off, size, num := t.order, t.wide, t.shoff, t.shsize, t.shnum
	if !f.table(off, size*num) {
		return false
	}
	type header struct{ name, typ, flags, addr, from, n uint64 }
	read := func(i uint64) (header, bool) {
		h := f.slice(off+i*size, size)
		if h == nil {
			return header{}, false
		}
		s := header{name: uint64(o.Uint32(h)), typ: uint64(o.Uint32(h[4:]))}
		if wide {
			s.flags, s.addr, s.from, s.n = o.Uint64(h[8:]), o.Uint64(h[16:]), o.Uint64(h[24:]), o.Uint64(h[32:])
		} else {
			s.flags, s.addr, s.from, s.n = uint64(o.Uint32(h[8:])), uint64(o.Uint32(h[12:])), uint64(o.Uint32(h[16:])), uint64(o.Uint32(h[20:]))
		}
		return s, true
	}
	if first, ok := read(0); ok { // where large numbers are kept
		if num == 0 {
			num = first.n
		}
	}
	var names []byte
	if s, ok := read(t.shstr); ok {
		names = f.slice(s.from, s.n)
	}
	whole = num > 0
	for i := range min(num, maxHeaders) {
		h, ok := read(i)
		if !ok {
			return false
		}
		if h.typ != 0 && h.typ != sectionNoBits && !f.content.Inside(h.from, h.n) {
			whole = false
		}
		if h.typ == 0 || h.typ == sectionNoBits || h.flags&flagPacked != 0 {
			continue
		}
		s := section{from: h.from, n: h.n, addr: h.addr}
		if s.n == 0 || !f.content.Inside(s.from, s.n) {
			continue
		}
		if h.name < uint64(len(names)) {
			name := names[h.name:]
			if end := bytes.IndexByte(name[:min(len(name), 64)], 0); end >= 0 {
				s.name = string(name[:end])
			}
		}
		// Notes about the file are loaded; others are for debuggers, and can be large.
		s.note = h.typ == sectionNote && (h.flags&flagAlloc != 0 || s.name == ".note.package")
		s.text = h.typ == 1 && h.flags&flagAlloc != 0 && h.flags&flagExec == 0 && !unwind(s.name)
		if s.text || s.note || strings.HasPrefix(s.name, ".") {
			f.sections = append(f.sections, s)
		}
	}
	return whole
}

// unwind tells sections of tables that hold no text.
func unwind(name string) bool {
	switch name {
	case ".eh_frame", ".eh_frame_hdr", ".gcc_except_table", ".gopclntab", ".typelink", ".itablink", ".got", ".got.plt":
		return true
	}
	return false
}

// Note is a note of an ELF file (System V ABI, chapter 5, Note Section).
type Note struct {
	Owner string
	Type  uint32
	Desc  []byte
}

// Notes calls yield for each note until that gives false. Notes that are broken end
// the section that they are in.
func (f *File) Notes(yield func(Note) bool) {
	var o binary.ByteOrder = binary.LittleEndian
	if f.big {
		o = binary.BigEndian
	}
	total := uint64(0)
	for _, s := range f.sections {
		if !s.note {
			continue
		}
		// A hostile file can have all of its sections in one place.
		if total += s.n; total > 2*f.content.Size()+1024 {
			return
		}
		for b := f.slice(s.from, s.n); len(b) >= 12; {
			name, desc, typ := uint64(o.Uint32(b)), uint64(o.Uint32(b[4:])), o.Uint32(b[8:])
			at := 12 + pad(name)
			end := at + desc
			if end > uint64(len(b)) || name > uint64(len(b)) {
				break
			}
			if !yield(Note{string(bytes.TrimRight(b[12:12+min(name, 64)], "\x00")), typ, b[at:end]}) {
				return
			}
			if next := at + pad(desc); next < uint64(len(b)) {
				b = b[next:]
			} else {
				break
			}
		}
	}
}

// slice is a part of the content, nil if it is not inside of it.
func (f *File) slice(from, size uint64) []byte { return f.content.Slice(from, size) }

func pad(n uint64) uint64 { return (n + 3) &^ 3 }
