package executable

import (
	"bytes"
	"encoding/binary"
	"errors"
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
func (f *File) elf() error {
	b := f.content
	o := order(b)
	f.big = o == binary.BigEndian
	wide := b[4] == 2
	if b[4] != 1 && b[4] != 2 || b[5] != 1 && b[5] != 2 {
		return errors.New("ELF: unknown class or byte order")
	}
	var shoff, phoff uint64
	var at int // of e_phentsize
	switch {
	case wide && len(b) >= 64:
		phoff, shoff, at = o.Uint64(b[32:]), o.Uint64(b[40:]), 54
	case !wide && len(b) >= 52:
		phoff, shoff, at = uint64(o.Uint32(b[28:])), uint64(o.Uint32(b[32:])), 42
	default:
		return errors.New("ELF: the header is cut")
	}
	phsize, phnum := uint64(o.Uint16(b[at:])), uint64(o.Uint16(b[at+2:]))
	shsize, shnum, shstr := uint64(o.Uint16(b[at+4:])), uint64(o.Uint16(b[at+6:])), uint64(o.Uint16(b[at+8:]))
	f.segments(o, wide, phoff, phsize, phnum)
	f.elfSections(o, wide, shoff, shsize, shnum, shstr)
	return nil
}

func (f *File) segments(o binary.ByteOrder, wide bool, off, size, num uint64) {
	least := uint64(32)
	if wide {
		least = 56
	}
	if size < least {
		return
	}
	for i := range min(num, maxHeaders) {
		h := f.slice(off+i*size, size)
		if h == nil {
			return
		}
		typ := o.Uint32(h)
		if typ != segmentLoad && typ != segmentNote {
			continue
		}
		s := Section{note: typ == segmentNote}
		var from, n uint64
		if wide {
			from, n = o.Uint64(h[8:]), o.Uint64(h[32:])
		} else {
			from, n = uint64(o.Uint32(h[4:])), uint64(o.Uint32(h[16:]))
		}
		if s.Data = f.slice(from, n); len(s.Data) > 0 {
			s.from = int(from)
			if s.note {
				f.sections = append(f.sections, s)
			} else {
				f.loaded = append(f.loaded, s)
			}
		}
	}
}

func (f *File) elfSections(o binary.ByteOrder, wide bool, off, size, num, str uint64) {
	least := uint64(40)
	if wide {
		least = 64
	}
	if size < least || off == 0 {
		return
	}
	type header struct{ name, typ, flags, from, n uint64 }
	read := func(i uint64) (header, bool) {
		h := f.slice(off+i*size, size)
		if h == nil {
			return header{}, false
		}
		s := header{name: uint64(o.Uint32(h)), typ: uint64(o.Uint32(h[4:]))}
		if wide {
			s.flags, s.from, s.n = o.Uint64(h[8:]), o.Uint64(h[24:]), o.Uint64(h[32:])
		} else {
			s.flags, s.from, s.n = uint64(o.Uint32(h[8:])), uint64(o.Uint32(h[16:])), uint64(o.Uint32(h[20:]))
		}
		return s, true
	}
	if first, ok := read(0); ok { // where large numbers are kept
		if num == 0 {
			num = first.n
		}
	}
	var names []byte
	if s, ok := read(str); ok {
		names = f.slice(s.from, s.n)
	}
	for i := range min(num, maxHeaders) {
		h, ok := read(i)
		if !ok {
			return
		}
		if h.typ == 0 || h.typ == sectionNoBits || h.flags&flagPacked != 0 {
			continue
		}
		s := Section{Data: f.slice(h.from, h.n), from: int(h.from), note: h.typ == sectionNote}
		if len(s.Data) == 0 {
			continue
		}
		if h.name < uint64(len(names)) {
			name := names[h.name:]
			if end := bytes.IndexByte(name[:min(len(name), 64)], 0); end >= 0 {
				s.Name = string(name[:end])
			}
		}
		s.text = h.typ == 1 && h.flags&flagAlloc != 0 && h.flags&flagExec == 0 && !unwind(s.Name)
		if s.text || s.note || strings.HasPrefix(s.Name, ".") {
			f.sections = append(f.sections, s)
		}
	}
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
	total := 0
	for _, s := range f.sections {
		if !s.note {
			continue
		}
		// A hostile file can have all of its sections in one place.
		if total += len(s.Data); total > 2*len(f.content)+1024 {
			return
		}
		for b := s.Data; len(b) >= 12; {
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

func pad(n uint64) uint64 { return (n + 3) &^ 3 }
