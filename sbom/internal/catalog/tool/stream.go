package tool

import (
	"cmp"
	"slices"

	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

const (
	// ahead is how much must be there behind a place for it to be looked at.
	ahead = maxText + window
	// streamBuffer is how much is looked at at once.
	streamBuffer = 64 << 10
	// maxHits bounds what is kept of a file of which it is not yet known where its texts
	// are.
	maxHits = 4096
)

// Stream looks at a file that goes by.
type Stream struct {
	s     *Scanner
	parts []sparse.Range // to look at, in order and disjoint
	exact bool           // they are the texts
	part  int
	at    uint64 // of the file, that went by

	buf    []byte // of the part, as far as it is looked at or will be
	base   uint64 // of buf in the file
	done   int    // of buf, that was looked at
	next   int    // of buf, where the search goes on: at done or after it
	inPart bool

	evidence evidence // if exact
	versions versions
	where    []uint64 // of each version, in the file
	hits     []hit    // if not exact
	context  []byte   // of the hits
	full     bool     // there are more hits
}

// hit is a text that was found, and may turn out to be none of the program's.
type hit struct {
	text   int
	at     uint64
	before int // of context
	n      int // of what is before it, the text, and what is after it, in context
	from   int
}

// Begin is for a file of which only those parts are of interest, in order and disjoint.
// Exact says that they are its texts, neither more nor less.
func (s *Scanner) Begin(parts []sparse.Range, exact bool) *Stream {
	return &Stream{s: s, parts: parts, exact: exact, evidence: evidence{s: s}}
}

// Write looks at the next piece of the file.
func (r *Stream) Write(b []byte) {
	for len(b) > 0 && r.part < len(r.parts) {
		p := r.parts[r.part]
		if r.at < p.From {
			n := min(uint64(len(b)), p.From-r.at)
			b, r.at = b[n:], r.at+n
			continue
		}
		if !r.inPart {
			r.inPart = true
			r.base, r.buf, r.done, r.next = r.at, r.buf[:0], 0, 0
		}
		if r.buf == nil {
			r.buf = make([]byte, 0, streamBuffer+2*ahead)
		}
		n := min(uint64(len(b)), p.To-r.at, uint64(cap(r.buf)-len(r.buf)))
		r.buf = append(r.buf, b[:n]...)
		b, r.at = b[n:], r.at+n
		if r.at == p.To {
			r.look(len(r.buf))
			r.inPart = false
			r.part++
		} else if len(r.buf) == cap(r.buf) {
			r.look(len(r.buf) - ahead)
			keep := r.done - ahead // what is before a place counts too
			r.buf = r.buf[:copy(r.buf, r.buf[keep:])]
			r.base += uint64(keep)
			r.done, r.next = r.done-keep, r.next-keep
		}
	}
	r.at += uint64(len(b))
}

// look searches up to a place in buf.
func (r *Stream) look(to int) {
	if r.next < to {
		r.next = r.s.search(r.buf, r.next, to, func(text, at int) {
			end := at + len(r.s.texts[text])
			if r.exact {
				r.evidence.add(text, r.buf[max(0, at-window):at], r.buf[end:min(len(r.buf), end+window)])
				return
			}
			r.hit(text, at, end)
		})
	}
	findVersions(r.buf, r.done, to, func(from, to int) {
		r.versions.add(r.buf[from:to])
		if !r.exact && len(r.where) < len(r.versions.all) {
			r.where = append(r.where, r.base+uint64(from))
		}
	})
	r.done = to
}

func (r *Stream) hit(text, at, end int) {
	if len(r.hits) == maxHits {
		r.full = true
		return
	}
	from, to := max(0, at-window), min(len(r.buf), end+window)
	if text >= len(r.s.patterns) {
		from, to = at, end
	}
	r.hits = append(r.hits, hit{text: text, at: r.base + uint64(at), before: at - from, from: len(r.context), n: to - from})
	r.context = append(r.context, r.buf[from:to]...)
}

// End gives what [Scanner.Scan] gives for those texts of the file, which are in order
// and disjoint. Ok is false if what was looked at, or kept of it, is not enough to tell:
// then the file must be read again for exactly these texts.
func (r *Stream) End(texts []sparse.Range) (found []Found, ok bool) {
	if r.exact {
		return r.evidence.settle(func() [][]byte { return r.versions.all }), true
	}
	for _, t := range texts {
		if !within(r.parts, t) {
			return nil, false
		}
	}
	e := evidence{s: r.s}
	for _, h := range r.hits {
		end := h.at + uint64(len(r.s.texts[h.text]))
		t, in := around(texts, sparse.Range{From: h.at, To: end})
		if !in {
			continue
		}
		before := r.context[h.from : h.from+h.before]
		after := r.context[h.from+h.before+len(r.s.texts[h.text]) : h.from+h.n]
		before = before[uint64(len(before))-min(uint64(len(before)), h.at-t.From):]
		after = after[:min(uint64(len(after)), t.To-end)]
		e.add(h.text, before, after)
	}
	if r.full {
		return nil, false
	}
	ok = true
	found = e.settle(func() [][]byte {
		ok = ok && !r.versions.full
		var all [][]byte
		for i, v := range r.versions.all {
			// A version needs what goes before it, up to its first point.
			if t, in := around(texts, sparse.Range{From: r.where[i], To: r.where[i] + 1}); in {
				all = append(all, v[:min(uint64(len(v)), t.To-r.where[i])])
			}
		}
		return all
	})
	return found, ok
}

// around gives the one of ranges, in order and disjoint, that has all of r.
func around(ranges []sparse.Range, r sparse.Range) (sparse.Range, bool) {
	i, found := slices.BinarySearchFunc(ranges, r.From, func(a sparse.Range, at uint64) int { return cmp.Compare(a.From, at) })
	if !found {
		i--
	}
	if i < 0 || r.To > ranges[i].To {
		return sparse.Range{}, false
	}
	return ranges[i], true
}

func within(ranges []sparse.Range, r sparse.Range) bool {
	_, ok := around(ranges, r)
	return ok
}
