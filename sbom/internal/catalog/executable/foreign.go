package executable

import (
	"bytes"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"fmt"
)

const (
	peCode       = 0x20
	peData       = 0x40
	machoCode    = 0x80000400 // instructions, pure or some
	maxUniversal = 16
)

// foreign reads the sections of PE and Mach-O files, which images for Linux rarely
// have.
func (f *File) foreign() (err error) {
	// The packages say that they are not hardened against hostile files.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading it panicked: %v", r)
		}
	}()
	if f.Kind == PE {
		p, err := pe.NewFile(bytes.NewReader(f.content))
		if err != nil {
			return err
		}
		for _, s := range p.Sections {
			if data := f.slice(uint64(s.Offset), uint64(s.Size)); len(data) > 0 {
				f.sections = append(f.sections, Section{Name: s.Name, Data: data, from: int(s.Offset),
					text: s.Characteristics&peData != 0 && s.Characteristics&peCode == 0})
			}
		}
		return nil
	}
	if magic := f.content[:4]; magic[0] != 0xCA {
		return f.macho(0, uint64(len(f.content)))
	}
	num, size := uint64(binary.BigEndian.Uint32(f.content[4:])), uint64(20)
	if f.content[3] == 0xBF {
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
	part := f.slice(from, size)
	m, err := macho.NewFile(bytes.NewReader(part))
	if err != nil {
		return err
	}
	for _, s := range m.Sections {
		if data := f.slice(from+uint64(s.Offset), s.Size); s.Offset > 0 && len(data) > 0 {
			f.sections = append(f.sections, Section{Name: s.Name, Data: data, from: int(from) + int(s.Offset), text: s.Flags&machoCode == 0})
		}
	}
	return nil
}
