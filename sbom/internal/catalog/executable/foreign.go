package executable

import (
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	peCode       = 0x20
	peData       = 0x40
	machoCode    = 0x80000400 // instructions, pure or some
	maxUniversal = 16
)

// foreign reads the sections of PE and Mach-O files, which images for Linux rarely
// have.
func (f *File) foreign(head []byte) (err error) {
	// The packages say that they are not hardened against hostile files.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading it panicked: %v", r)
		}
	}()
	if f.Kind == PE {
		f.cut = f.cutPE(head)
		p, err := pe.NewFile(f.content)
		if err != nil {
			return err
		}
		for _, s := range p.Sections {
			f.put(section{name: s.Name, from: uint64(s.Offset), n: uint64(s.Size),
				text: s.Characteristics&peData != 0 && s.Characteristics&peCode == 0})
		}
		return nil
	}
	if head[0] != 0xCA {
		return f.macho(0, f.content.Size())
	}
	num, size := uint64(binary.BigEndian.Uint32(head[4:])), uint64(20)
	if head[3] == 0xBF {
		size = 32
	}
	if num > maxUniversal {
		return fmt.Errorf("%d architectures, at most %d", num, maxUniversal)
	}
	for i := range num {
		h := f.slice(8+i*size, size)
		if h == nil {
			return fmt.Errorf("architecture %d is cut", i)
		}
		from, n := uint64(binary.BigEndian.Uint32(h[8:])), uint64(binary.BigEndian.Uint32(h[12:]))
		if size == 32 {
			from, n = binary.BigEndian.Uint64(h[8:]), binary.BigEndian.Uint64(h[16:])
		}
		if err := f.macho(from, n); err != nil {
			return err
		}
	}
	return nil
}

// cutPE reports whether a section is beyond the end of the file. Package debug/pe does
// not read the files of all machines, those that .NET compiles ahead of time for Linux
// among them.
func (f *File) cutPE(head []byte) bool {
	o, at := binary.LittleEndian, uint64(binary.LittleEndian.Uint32(head[0x3c:]))
	h := f.slice(at, 24)
	if h == nil || string(h[:4]) != "PE\x00\x00" {
		return false // a program of DOS
	}
	num, table := uint64(o.Uint16(h[6:])), at+24+uint64(o.Uint16(h[20:]))
	for i := range num {
		s := f.slice(table+i*40, 40)
		if s == nil {
			return true
		}
		if n := min(o.Uint32(s[8:]), o.Uint32(s[16:])); n > 0 && !f.content.Inside(uint64(o.Uint32(s[20:])), uint64(n)) {
			return true
		}
	}
	return false
}

func (f *File) macho(from, size uint64) error {
	if !f.content.Inside(from, size) {
		f.cut = true
		return errors.New("an architecture is cut")
	}
	m, err := macho.NewFile(io.NewSectionReader(f.content, int64(from), int64(size)))
	if err != nil {
		return err
	}
	for _, s := range m.Sections {
		if s.Offset > 0 {
			f.cut = f.cut || !f.content.Inside(from+uint64(s.Offset), s.Size)
			f.put(section{name: s.Name, from: from + uint64(s.Offset), n: s.Size, text: s.Flags&machoCode == 0})
		}
	}
	return nil
}

func (f *File) put(s section) {
	if s.n > 0 && f.content.Inside(s.from, s.n) {
		f.sections = append(f.sections, s)
	}
}
