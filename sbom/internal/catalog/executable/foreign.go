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

func (f *File) macho(from, size uint64) error {
	if !f.content.Inside(from, size) {
		return errors.New("an architecture is cut")
	}
	m, err := macho.NewFile(io.NewSectionReader(f.content, int64(from), int64(size)))
	if err != nil {
		return err
	}
	for _, s := range m.Sections {
		if s.Offset > 0 {
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
