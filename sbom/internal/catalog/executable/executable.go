// Package executable reads the formats of executables as far as the catalogers need
// them: which format a file has, where its named sections are, and where its
// strings are.
//
// Start with [KindOf] for the first bytes of a file, and [Open] for the whole of
// it. Nothing is copied: sections are parts of the content. What is read is bounded
// by the size of the content, however the headers lie: no byte of it is given twice
// as [File.Strings]. Of a file that is too large to be held, [Prepare] and [OpenAt]
// read what has to be read.
package executable

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
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

// section is a part of an executable.
type section struct {
	name    string
	from, n uint64 // inside of the content, and not empty
	addr    uint64
	// text tells that its bytes may be text that the program uses: it is loaded and
	// not code.
	text bool
	note bool
	// of segments
	code, writable bool
}

func (s *section) area() sparse.Range { return sparse.Range{From: s.from, To: s.from + s.n} }

// File is an executable.
type File struct {
	Kind     Kind
	content  *sparse.Content
	sections []section
	// loaded are the parts that are loaded.
	loaded []section
	big    bool // big-endian
	cut    bool // a part that is loaded is not in it
	bare   bool // there are no sections that can be read
}

var errNot = errors.New("not an executable")

// Open reads the headers. Those that point outside of the file are left out, as
// loaders do not read them either. The error is of kind [assay.ErrInvalid].
func Open(content []byte) (*File, error) { return OpenAt(sparse.Whole(content)) }

// OpenAt is [Open] of what is kept of a content. If the content lacks something after
// that, or after a method of the file, what they gave means nothing.
func OpenAt(content *sparse.Content) (*File, error) {
	head := content.Slice(0, min(content.Size(), HeadSize))
	f := &File{Kind: KindOf(head), content: content}
	var err error
	switch f.Kind {
	case ELF:
		err = f.elf(head)
	case PE, MachO:
		err = f.foreign(head)
	default:
		err = errNot
	}
	if err != nil && !f.cut {
		return nil, &assay.Error{Op: "read executable", Kind: assay.ErrInvalid, Err: err}
	}
	return f, nil
}

// Damage is an error of kind [assay.ErrInvalid] if parts that the headers tell, and a
// loader needs, are beyond the end of the file: it was cut.
func (f *File) Damage() error {
	if !f.cut {
		return nil
	}
	return &assay.Error{Op: "read executable", Kind: assay.ErrInvalid, Value: "a file of " + strconv.FormatUint(f.content.Size(), 10) + " bytes",
		Bound: "all parts that its headers tell", Err: errors.New("it was cut")}
}

// Has reports whether there is a section of that name.
func (f *File) Has(name string) bool { return f.named(name) != nil }

// Section gives the content of the first section of that name, nil if there is
// none.
func (f *File) Section(name string) []byte {
	if s := f.named(name); s != nil {
		return f.content.Slice(s.from, s.n)
	}
	return nil
}

func (f *File) named(name string) *section {
	for i := range f.sections {
		if f.sections[i].name == name {
			return &f.sections[i]
		}
	}
	return nil
}

// Data gives where an ELF file keeps data that it can write: the section of that name,
// or the first segment of the kind. Addr is its address in memory, and ok false if there
// is neither.
func (f *File) Data(name string) (at sparse.Range, addr uint64, ok bool) {
	s := f.named(name)
	for i := 0; s == nil && i < len(f.loaded); i++ {
		if f.loaded[i].writable && !f.loaded[i].code {
			s = &f.loaded[i]
		}
	}
	if s == nil {
		return sparse.Range{}, 0, false
	}
	return s.area(), s.addr, true
}

// Strings gives the parts of the file where the texts are that the program uses, as
// [File.Texts] says.
func (f *File) Strings() [][]byte {
	var out [][]byte
	for _, r := range f.Texts() {
		out = append(out, f.content.Slice(r.From, r.Len()))
	}
	return out
}

// Texts says where the texts are that the program uses: in what is loaded and is no
// code. A file without sections is given as far as it is loaded, code and all. The
// parts are in order and do not overlap.
func (f *File) Texts() []sparse.Range {
	var parts []sparse.Range
	for i := range f.sections {
		if f.sections[i].text {
			parts = append(parts, f.sections[i].area())
		}
	}
	for i := 0; len(parts) == 0 || i > 0 && i < len(f.loaded); i++ {
		if i == len(f.loaded) {
			return []sparse.Range{{To: f.content.Size()}}
		}
		parts = append(parts, f.loaded[i].area())
	}
	return union(parts)
}

// union orders ranges and joins those that touch. It changes them.
func union(parts []sparse.Range) []sparse.Range {
	slices.SortFunc(parts, func(a, b sparse.Range) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	out := parts[:0]
	for _, p := range parts {
		if n := len(out); n > 0 && p.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, p.To)
			continue
		}
		out = append(out, p)
	}
	return out
}
