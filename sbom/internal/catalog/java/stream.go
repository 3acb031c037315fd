package java

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"path"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

// Bounds on what is kept of an archive that goes by.
const (
	// streamTail is kept of its end: the directory of some twenty thousand entries.
	streamTail = 2 << 20
	// streamTexts is kept of texts that say what it is, before the directory tells
	// whether they count; textGuess of one whose length its local header does not tell.
	streamTexts = 2 << 20
	textGuess   = 16 << 10
	// streamAsked is what can be asked for.
	streamAsked = 8 << 20
	// largeMember is an archive in it that is read while no other one is.
	largeMember = 2 << 20
)

// Asked is what a reading of an archive lacked, with what it found.
type Asked struct {
	parts   []sparse.Range
	members []zipEntry // in order
	found   map[uint64]*member
	sum     assay.Digest
}

// member is an archive in one that goes by.
type member struct {
	z       zipEntry
	archive *Archive
	err     error
	spent   spent // on it, if the directory has it
}

// Stream reads an archive that goes by: the archives in it one by one when their
// content is there, and the rest at its end, by the directory. What it reads before it
// has seen the directory counts only as far as that says the same.
type Stream struct {
	content *sparse.Content
	r       reader
	asked   Asked
	lacks   []zipEntry
	full    bool
	texts   uint64 // kept of them
	sha1    hash.Hash

	// What is waited for: a local header, its name, or the end of a member.
	begin, until uint64 // of the header, and of what is waited for
	at           func()
	guess        bool   // nothing was asked for
	free         uint64 // where headers are looked for again
	edge         []byte // the last bytes, in which a header may have begun
}

// NewStream is for an archive of that size. Asked is what [Stream.Parse] gave in a
// reading before, nil in the first.
func NewStream(size int64, limits Limits, asked *Asked, shared *Shared) *Stream {
	s := &Stream{r: reader{limits: limits.filled(), shared: shared}, guess: asked == nil}
	s.content = sparse.New(size, streamTail+streamTexts+streamAsked+s.r.limits.Live)
	if asked != nil {
		s.asked = *asked
	}
	if s.asked.found == nil {
		s.asked.found = map[uint64]*member{}
	}
	if s.asked.sum.IsZero() {
		s.sha1 = sha1.New()
	}
	s.content.Want(sparse.Range{From: uint64(size) - min(uint64(size), streamTail), To: uint64(size)})
	var n uint64
	for _, p := range s.asked.parts {
		if n += p.Len(); n > streamAsked+streamTail+streamTexts || !s.content.Want(p) {
			s.full = true
			break
		}
	}
	return s
}

// Write takes the next piece.
func (s *Stream) Write(b []byte) {
	if s.sha1 != nil {
		s.sha1.Write(b)
	}
	for len(b) > 0 {
		if s.at == nil {
			s.wait(b)
		}
		n := uint64(len(b))
		if s.at != nil {
			n = min(n, s.until-s.content.At())
		}
		s.feed(b[:n])
		b = b[n:]
		if s.at != nil && s.content.At() == s.until {
			then := s.at
			s.at = nil
			then()
		}
	}
}

func (s *Stream) feed(b []byte) {
	s.content.Write(b)
	if n := len(localMagic) - 1; len(b) >= n {
		s.edge = append(s.edge[:0], b[len(b)-n:]...)
	} else {
		s.edge = append(s.edge, b...)
		s.edge = s.edge[max(0, len(s.edge)-n):]
	}
}

// wait finds the next local header that begins in b and was asked for, or, in the first
// reading, that is there.
func (s *Stream) wait(b []byte) {
	at := s.content.At()
	for len(s.asked.members) > 0 && (s.asked.members[0].at < at || s.asked.found[s.asked.members[0].at] != nil) {
		s.asked.members = s.asked.members[1:] // it overlaps with another one
	}
	if m := s.asked.members; len(m) > 0 && m[0].at < at+uint64(len(b)) {
		z := m[0]
		s.asked.members = m[1:]
		s.expect(z.at, localSize, func(header []byte) {
			from, err := z.body(header)
			if err == nil && !s.content.Inside(from, z.packed) {
				err = errCut
			}
			if err != nil {
				s.asked.found[z.at] = &member{z: z, err: invalid(err)}
				return
			}
			s.member(z, from)
		})
		return
	}
	if s.guess {
		if next := s.find(b); next != none {
			s.expect(next, localSize, s.header)
		}
	}
}

const none = ^uint64(0)

// find gives where a local header begins that no member has in it.
func (s *Stream) find(b []byte) uint64 {
	at := s.content.At()
	if s.free > at {
		if s.free-at >= uint64(len(b)) {
			return none
		}
		b, at = b[s.free-at:], s.free
	} else if len(s.edge) > 0 {
		joined := append(s.edge[:len(s.edge):len(s.edge)], b[:min(len(b), len(localMagic)-1)]...)
		if i := bytes.Index(joined, localMagic); i >= 0 && at-uint64(len(s.edge)-i) >= s.free {
			return at - uint64(len(s.edge)-i)
		}
	}
	if i := bytes.Index(b, localMagic); i >= 0 {
		return at + uint64(i)
	}
	return none
}

// expect keeps some bytes, and calls then with them when they are there.
func (s *Stream) expect(from, n uint64, then func([]byte)) {
	s.content.Want(sparse.Range{From: from, To: from + n})
	s.begin, s.until = from, from+n
	s.at = func() {
		if b := s.content.Kept(from, n); b != nil {
			then(b)
		}
	}
	s.free = max(s.free, from+1)
	if s.content.At() >= s.until { // it is there already
		then := s.at
		s.at = nil
		then()
	}
}

// header reads a local header.
func (s *Stream) header(h []byte) {
	at := s.begin
	z := zipEntry{flags: binary.LittleEndian.Uint16(h[6:]), method: binary.LittleEndian.Uint16(h[8:]), sum: binary.LittleEndian.Uint32(h[14:]),
		packed: uint64(binary.LittleEndian.Uint32(h[18:])), size: uint64(binary.LittleEndian.Uint32(h[22:])), at: at}
	name, extra := uint64(binary.LittleEndian.Uint16(h[26:])), uint64(binary.LittleEndian.Uint16(h[28:]))
	if name == 0 || name > 4096 {
		s.forget(at, localSize)
		return
	}
	s.expect(at, localSize+name, func(h []byte) {
		z.name = bytes.Clone(h[localSize:])
		from := at + localSize + name + extra
		known := z.flags&unknownSize == 0 && z.packed != 0xffffffff && z.size != 0xffffffff
		switch {
		case s.describes(z.name):
			n := z.packed
			if !known {
				n = textGuess
			}
			if r := (sparse.Range{From: at, To: from + n}); r.Len() <= streamTexts-min(s.texts, streamTexts) && s.content.Want(r) {
				s.texts += r.Len()
			}
		case known && HasExtension(string(z.name[max(0, len(z.name)-8):])) && s.asked.found[at] == nil:
			s.member(z, from)
			return
		default:
			s.forget(at, localSize+name)
		}
		if known {
			s.free = max(s.free, from+z.packed)
		}
	})
}

// unknownSize is the flag of an entry whose sizes follow its content.
const unknownSize = 8

func (s *Stream) describes(name []byte) bool {
	base := path.Base(string(name))
	return string(name) == "META-INF/MANIFEST.MF" || base == "pom.properties" || base == "pom.xml"
}

func (s *Stream) forget(at, n uint64) { s.content.Drop(sparse.Range{From: at, To: at + n}) }

// member keeps an archive until its content is there, reads it, and forgets it.
func (s *Stream) member(z zipEntry, from uint64) {
	end := from + z.packed
	takes := z.packed
	if z.method != stored {
		takes += min(z.size, 1<<40)
	}
	if !s.content.Inside(from, z.packed) {
		return // the directory will say otherwise
	}
	if takes > uint64(s.r.limits.Live) {
		s.asked.found[z.at] = &member{z: z, err: bound(takes, "Live", s.r.limits.Live)}
		s.forget(z.at, localSize+uint64(len(z.name)))
		s.free = max(s.free, end)
		return
	}
	if takes > largeMember {
		s.r.lock()
	}
	s.free = max(s.free, end)
	if !s.content.Want(sparse.Range{From: z.at, To: end}) {
		s.r.unlock()
		return
	}
	s.until = end
	s.at = func() {
		m, before := &member{z: z}, s.r.spent
		m.archive, m.err = s.r.inner(string(z.name[:min(len(z.name), 1024)]), z, s.content, 1)
		m.spent = s.r.less(before)
		// What is in the way may be nothing that the directory has.
		if before == (spent{}) || !errors.Is(m.err, assay.ErrBound) {
			s.asked.found[z.at] = m
		}
		s.forget(z.at, end-z.at)
		s.r.unlock()
	}
	if s.content.At() >= end {
		then := s.at
		s.at = nil
		then()
	}
}

// Close gives back what is shared.
func (s *Stream) Close() { s.r.unlock() }

// Parse gives what [Parse] gives of the whole content. If asked is not nil it is nothing
// that it gives, and the archive must be read again for that. Full tells that this would
// not help: it takes more than is kept.
func (s *Stream) Parse(sum assay.Digest) (_ *Archive, asked *Asked, full bool, err error) {
	s.at = nil
	s.r.unlock()
	s.content.Forget()
	s.content.Track()
	if s.sha1 != nil {
		s.asked.sum, _ = assay.NewDigest(assay.SHA1, hex.EncodeToString(s.sha1.Sum(nil))) // of the right length
	}
	s.r.spent = spent{} // only what the directory has counts
	s.r.went = func(z zipEntry) (*Archive, error) {
		if m := s.asked.found[z.at]; m != nil && m.z.is(&z) {
			if s.r.archives >= s.r.limits.Archives {
				return nil, s.r.tooMany()
			}
			if s.r.spent = s.r.more(m.spent); s.r.inflated > s.r.limits.Inflated {
				return nil, bound(uint64(s.r.inflated), "Inflated", s.r.limits.Inflated)
			}
			return m.archive, m.err
		}
		if !s.content.Inside(z.at, localSize) {
			_, err := z.raw(s.content)
			return nil, invalid(err)
		}
		delete(s.asked.found, z.at)
		z.name = bytes.Clone(z.name)
		s.lacks = append(s.lacks, z)
		return nil, nil
	}
	a, err := s.r.archive(s.content, "", sum, 1)
	if missing := s.content.Missing(); len(missing) > 0 || len(s.lacks) > 0 {
		if s.full || len(s.lacks) > s.r.limits.Archives {
			return nil, nil, true, nil
		}
		slices.SortStableFunc(s.lacks, func(a, b zipEntry) int { return cmp.Compare(a.at, b.at) })
		// The next reading does not guess: what this one took is to be kept again.
		parts := sparse.Merge(append(append(s.asked.parts, missing...), s.content.Taken()...))
		return nil, &Asked{parts: parts, members: s.lacks, found: s.asked.found, sum: s.asked.sum}, false, nil
	}
	if err != nil {
		return nil, nil, false, &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Err: err}
	}
	a.SHA1 = s.asked.sum
	return a, nil, false, nil
}

// is reports whether two headers are of the same content.
func (z *zipEntry) is(o *zipEntry) bool {
	return z.at == o.at && z.method == o.method && z.sum == o.sum && z.packed == o.packed && z.size == o.size &&
		z.flags&encrypted == o.flags&encrypted && bytes.Equal(z.name, o.name)
}
