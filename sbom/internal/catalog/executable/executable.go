// Package executable reads the formats of executables as far as the catalogers need
// them: which format a file has, where its named sections are, and where its
// strings are.
//
// Start with [KindOf] for the first bytes of a file, and [Open] for the whole of
// it. Nothing is copied: sections are parts of the content. What is read is bounded
// by the size of the content, however the headers lie: no byte of it is given twice
// as [File.Strings].
package executable

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/assaykit/assay"
)

// Kind is a format of executables.
type Kind string

// The formats that [KindOf] tells apart.
const (
	ELF    Kind = "elf"
	PE     Kind = "pe"
	MachO  Kind = "mach-o"
	Script Kind = "script" // a text whose first line names its interpreter
)

// HeadSize is how many of the first bytes [KindOf] needs.
const HeadSize = 64

// KindOf tells what a file is that starts with head; "" is for what no kernel or
// loader runs. ELF objects that were not linked and core dumps are none.
func KindOf(head []byte) Kind {
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		if Interpreter(head) != "" {
			return Script
		}
	case len(head) < 20:
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		if t := order(head).Uint16(head[16:]); t == elfExec || t == elfDyn {
			return ELF
		}
	case bytes.HasPrefix(head, []byte("MZ")):
		// The header of DOS has 64 bytes and ends in the place of the real one.
		if len(head) >= 64 && binary.LittleEndian.Uint32(head[0x3c:]) >= 4 {
			return PE
		}
	case bytes.HasPrefix(head, []byte("\xFE\xED\xFA\xCE")), bytes.HasPrefix(head, []byte("\xFE\xED\xFA\xCF")),
		bytes.HasPrefix(head, []byte("\xCE\xFA\xED\xFE")), bytes.HasPrefix(head, []byte("\xCF\xFA\xED\xFE")):
		return MachO
	case bytes.HasPrefix(head, []byte("\xCA\xFE\xBA\xBE")), bytes.HasPrefix(head, []byte("\xCA\xFE\xBA\xBF")):
		// A universal binary has few architectures; a Java class file, which starts
		// with the same bytes, has its version there, 45 or more.
		if binary.BigEndian.Uint32(head[4:]) < 45 {
			return MachO
		}
	}
	return ""
}

// Interpreter gives the program that runs a script, as its first line names it
// (execve(2), Interpreter scripts): "/bin/sh", or "python3" for
// "/usr/bin/env python3". It is "" for what is no script.
func Interpreter(head []byte) string {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return ""
	}
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	words := bytes.Fields(line)
	if len(words) == 0 || words[0][0] != '/' {
		return "" // "#![no_std]" of a source file, or nothing
	}
	if bytes.HasSuffix(words[0], []byte("/env")) {
		for _, w := range words[1:] {
			if w[0] != '-' && !bytes.ContainsRune(w, '=') {
				return string(w)
			}
		}
	}
	return string(words[0])
}

// Section is a part of an executable.
type Section struct {
	Name string
	Data []byte
	// text tells that its bytes may be text that the program uses: it is loaded and
	// not code.
	text bool
	note bool
	from int // offset in the content
}

// File is an executable.
type File struct {
	Kind     Kind
	content  []byte
	sections []Section
	// loaded are the parts that are loaded, for files that have no sections.
	loaded []Section
	big    bool // big-endian
}

var errNot = errors.New("not an executable")

// Open reads the headers. Those that point outside of the file are left out, as
// loaders do not read them either. The error is of kind [assay.ErrInvalid].
func Open(content []byte) (*File, error) {
	f := &File{Kind: KindOf(content), content: content}
	var err error
	switch f.Kind {
	case ELF:
		err = f.elf()
	case PE, MachO:
		err = f.foreign()
	default:
		err = errNot
	}
	if err != nil {
		return nil, &assay.Error{Op: "read executable", Kind: assay.ErrInvalid, Err: err}
	}
	return f, nil
}

// Section gives the content of the first section of that name, nil if there is
// none.
func (f *File) Section(name string) []byte {
	for _, s := range f.sections {
		if s.Name == name {
			return s.Data
		}
	}
	return nil
}

// Strings gives the parts of the file where the texts are that the program uses:
// what is loaded and is no code. A file without sections is given as far as it is
// loaded, code and all. The parts do not overlap.
func (f *File) Strings() [][]byte {
	parts := slices.DeleteFunc(slices.Clone(f.sections), func(s Section) bool { return !s.text })
	if len(parts) == 0 {
		parts = slices.Clone(f.loaded)
	}
	if len(parts) == 0 {
		return [][]byte{f.content}
	}
	slices.SortFunc(parts, func(a, b Section) int { return cmp.Or(a.from-b.from, len(a.Data)-len(b.Data)) })
	var out [][]byte
	from, to := parts[0].from, parts[0].from
	for _, p := range parts {
		if p.from > to {
			out = append(out, f.content[from:to])
			from = p.from
		}
		to = max(to, p.from+len(p.Data))
	}
	return append(out, f.content[from:to])
}

// slice is a part of the content, nil if it is not inside of it.
func (f *File) slice(from, size uint64) []byte {
	n := uint64(len(f.content))
	if from > n || size > n-from {
		return nil
	}
	return f.content[from : from+size : from+size]
}
