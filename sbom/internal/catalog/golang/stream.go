package golang

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/assaykit/assay/sbom/internal/catalog/executable"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

const (
	// streamLimit bounds what is kept of an executable that goes by.
	streamLimit = 4 << 20
	// infoSize is how much is kept of what looks like build information; that of a
	// program of a thousand modules takes 150 KB. maxInfos is how often: the texts of a
	// program that reads such information have its beginning too.
	infoSize = 192 << 10
	maxInfos = 8

	headSize = executable.PlanSize
)

// Stream reads an executable that goes by.
type Stream struct {
	content *sparse.Content
	planned bool
	edge    []byte   // the last bytes, in which a mark may have begun
	infos   []uint64 // where there may be build information
	more    bool     // there are more of them
	pclntab bool
	magic   bool
}

// NewStream is for an executable of that size. Wanted is what [Stream.Parse] told to
// be missing in a reading before.
func NewStream(size int64, wanted []sparse.Range) *Stream {
	s := &Stream{content: sparse.New(size, streamLimit)}
	s.content.Want(sparse.Range{To: headSize})
	for _, r := range wanted {
		s.content.Want(r)
	}
	return s
}

// Write takes the next piece.
func (s *Stream) Write(b []byte) {
	if !s.planned && s.content.At()+uint64(len(b)) > headSize {
		n := headSize - s.content.At()
		s.write(b[:n])
		executable.Prepare(s.content)
		s.planned, b = true, b[n:]
	}
	s.write(b)
}

func (s *Stream) write(b []byte) {
	// A mark in two pieces: the end of what went by with the beginning of this.
	if len(s.edge) > 0 && len(b) > 0 {
		joined := append(s.edge, b[:min(len(b), len(magic)-1)]...)
		s.search(joined, s.content.At()-uint64(len(s.edge)))
	}
	s.search(b, s.content.At())
	s.content.Write(b)
	if n := len(magic) - 1; len(b) >= n {
		s.edge = append(s.edge[:0], b[len(b)-n:]...)
	} else {
		s.edge = append(s.edge, b...)
		s.edge = s.edge[max(0, len(s.edge)-n):]
	}
}

// search looks for marks in what is about to go by.
func (s *Stream) search(b []byte, at uint64) {
	s.pclntab = s.pclntab || bytes.Contains(b, pclntab)
	for {
		i := bytes.Index(b, magic)
		if i < 0 {
			return
		}
		s.magic = true
		at += uint64(i)
		if len(s.infos) == maxInfos {
			s.more = true
			return
		}
		if at >= 2 {
			s.infos = append(s.infos, at-2)
			s.content.Want(sparse.Range{From: at - 2, To: at - 2 + infoSize})
		}
		b, at = b[i+len(magic):], at+uint64(len(magic))
	}
}

// Parse gives what [Parse] gives of the whole content. If missing is not empty it is
// nothing that it gives, and the executable must be read again for that. Full tells
// that this would not help: it takes more than is kept.
func (s *Stream) Parse() (_ *Binary, missing []sparse.Range, full bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = unreadable(fmt.Errorf("reading it panicked: %v", r))
		}
		missing = s.content.Missing()
		full = len(missing) > 0 && s.content.Full()
	}()
	info, err := s.read()
	if errors.As(err, new(cut)) {
		return nil, nil, false, unreadable(err)
	}
	if err != nil {
		if packed(s.content.Slice(0, min(s.content.Size(), headSize))) {
			return nil, nil, false, unreadable(errors.New("it is packed by UPX"))
		}
		if s.pclntab && linkedByGo(s.content) {
			return nil, nil, false, unreadable(err)
		}
		return nil, nil, false, ErrNotGo
	}
	return fromInfo(info), nil, false, nil
}

func (s *Stream) read() (*debug.BuildInfo, error) {
	if !s.magic {
		return nil, errNone
	}
	if err := damage(s.content); err != nil {
		return nil, err
	}
	if info, err := s.inline(); info != nil || err != nil {
		return info, err
	}
	return fallback(s.content)
}

var errNone = errors.New("no build information")

// inline reads what package debug/buildinfo reads of an ELF file in the format of Go
// 1.18 and later, with less of the file: debug/elf reads a part of each section that
// is compressed. It gives nothing where it cannot tell.
func (s *Stream) inline() (*debug.BuildInfo, error) {
	f, err := executable.OpenAt(s.content)
	if err != nil || f.Kind != executable.ELF || s.more {
		return nil, nil
	}
	at, addr, ok := f.Data(".go.buildinfo")
	if len(s.content.Missing()) > 0 {
		return nil, errors.New("more of the headers is to be read")
	}
	if !ok {
		return nil, errNone
	}
	const (
		align      = 16
		header     = 32
		flagsAt    = 15
		flagInline = 2
	)
	for _, start := range s.infos {
		if start < at.From || start >= at.To || (addr+start-at.From)%align != 0 {
			continue
		}
		b := s.content.Kept(start, min(infoSize, at.To-start))
		if len(b) < header || !bytes.HasPrefix(b, []byte("\xff ")) || b[flagsAt]&flagInline == 0 {
			return nil, nil
		}
		version, rest, ok := text(b[header:])
		if !ok {
			return nil, nil
		}
		mod, _, ok := text(rest)
		if !ok || version == "" {
			return nil, nil
		}
		// The linker puts 16 bytes before and after it.
		if len(mod) >= 33 && mod[len(mod)-17] == '\n' {
			mod = mod[16 : len(mod)-16]
		} else {
			mod = ""
		}
		info, err := debug.ParseBuildInfo(mod)
		if err != nil {
			return nil, err
		}
		info.GoVersion = version
		return info, nil
	}
	return nil, errNone
}

// text reads a text with its length before it.
func text(b []byte) (string, []byte, bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	b = b[size:]
	return string(b[:n]), b[n:], true
}
