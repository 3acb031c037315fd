// Package sparse keeps parts of a content that goes by and is too large to be held.
//
// Start with [New], say with [Content.Want] which parts are of interest, and give the
// content to [Content.Write] piece by piece. Readers take parts of it with
// [Content.Slice] or [Content.ReadAt]; what they wanted and was not kept is in
// [Content.Missing], and whatever they concluded is void then: the content must be
// read again with those parts wanted. [Whole] is a content that is held.
package sparse

import (
	"cmp"
	"io"
	"slices"
)

// Range is the bytes from From up to and without To.
type Range struct{ From, To uint64 }

// Len is how many bytes it has.
func (r Range) Len() uint64 { return r.To - r.From }

// Bounds on one content.
const (
	// reach is how far Want can look back.
	reach = 64
	// maxParts bounds how many parts are kept, and how many are told to be missing.
	maxParts = 4096
	// near is how far apart missing parts are told as one.
	near = 4096
)

// Content is a content of which parts are kept.
type Content struct {
	size, at uint64
	parts    []part // disjoint, in order
	next     int    // the first part that is not complete
	held     uint64
	limit    uint64
	full     bool
	recent   []byte // the last bytes that went by
	missing  []Range
	track    bool
	taken    []Range
}

// part is a part that is kept, or will be.
type part struct {
	Range
	data []byte // as far as it went by
}

// New is a content of that size, of which at most limit bytes are kept.
func New(size, limit int64) *Content {
	return &Content{size: uint64(size), limit: uint64(limit), recent: make([]byte, 0, reach)}
}

// Whole is a content that is held in memory.
func Whole(b []byte) *Content {
	n := uint64(len(b))
	return &Content{size: n, at: n, next: 1, parts: []part{{Range{0, n}, b}}}
}

// Size is the length of the content.
func (c *Content) Size() uint64 { return c.size }

// At is how much of it went by.
func (c *Content) At() uint64 { return c.at }

// Full reports whether more was wanted than can be kept.
func (c *Content) Full() bool { return c.full }

// Want says that a part is of interest. What went by is not to be had any more, but
// for the last 64 bytes. It reports whether the rest of it will be kept.
func (c *Content) Want(r Range) bool {
	r.To = min(r.To, c.size)
	r.From = max(r.From, c.at-uint64(len(c.recent)))
	for i := 0; r.From < r.To; i++ {
		// The gap before part i is what is not kept yet.
		gap := r
		if i < len(c.parts) {
			p := c.parts[i].Range
			if p.To <= r.From {
				continue
			}
			gap.To = min(gap.To, p.From)
			r.From = max(r.From, min(p.To, r.To))
		} else {
			r.From = r.To
		}
		if gap.From >= gap.To {
			continue
		}
		if gap.Len() > c.limit-c.held || len(c.parts) >= maxParts {
			c.full = true
			return false
		}
		c.held += gap.Len()
		p := part{Range: gap}
		if gap.From < c.at {
			p.data = append(make([]byte, 0, gap.Len()), c.recent[uint64(len(c.recent))-(c.at-gap.From):min(uint64(len(c.recent)), uint64(len(c.recent))-(c.at-gap.From)+gap.Len())]...)
		}
		c.parts = slices.Insert(c.parts, i, p)
	}
	c.next = 0
	for c.next < len(c.parts) && c.parts[c.next].To <= c.at {
		c.next++
	}
	return true
}

// Write lets more of the content go by. It never fails.
func (c *Content) Write(b []byte) {
	end := c.at + uint64(len(b))
	for c.next < len(c.parts) && c.parts[c.next].From < end {
		p := &c.parts[c.next]
		from := p.From + uint64(len(p.data)) // of what is still to be kept, at or after c.at
		to := min(p.To, end)
		if p.data == nil {
			p.data = make([]byte, 0, p.Len())
		}
		p.data = append(p.data, b[from-c.at:to-c.at]...)
		if p.To > end {
			break
		}
		c.next++
	}
	c.at = end
	if n := len(b); n >= reach {
		c.recent = append(c.recent[:0], b[n-reach:]...)
	} else {
		if over := len(c.recent) + n - reach; over > 0 {
			c.recent = c.recent[:copy(c.recent, c.recent[over:])]
		}
		c.recent = append(c.recent, b...)
	}
}

// Drop forgets the parts that are inside of a range.
func (c *Content) Drop(r Range) {
	c.parts = slices.DeleteFunc(c.parts, func(p part) bool {
		if p.From < r.From || p.To > r.To {
			return false
		}
		c.held -= p.Len()
		return true
	})
	c.next = 0
	for c.next < len(c.parts) && c.parts[c.next].To <= c.at {
		c.next++
	}
}

// Inside reports whether the content has such a part.
func (c *Content) Inside(from, n uint64) bool { return from <= c.size && n <= c.size-from }

// Kept gives a part of the content, nil if it is not kept or not inside.
func (c *Content) Kept(from, n uint64) []byte {
	if !c.Inside(from, n) {
		return nil
	}
	i, found := slices.BinarySearchFunc(c.parts, from, func(p part, at uint64) int { return cmp.Compare(p.From, at) })
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	first := &c.parts[i]
	at := from - first.From
	if have := uint64(len(first.data)); at <= have && n <= have-at {
		return first.data[at : at+n : at+n]
	}
	var joined []byte // of parts that follow one another
	for ; uint64(len(joined)) < n; i++ {
		pos := from + uint64(len(joined))
		if i == len(c.parts) || pos < c.parts[i].From || pos-c.parts[i].From >= uint64(len(c.parts[i].data)) {
			return nil
		}
		data := c.parts[i].data[pos-c.parts[i].From:]
		joined = append(joined, data[:min(uint64(len(data)), n-uint64(len(joined)))]...)
	}
	return joined
}

// Slice gives a part of the content, nil if it is not inside. It is nil too for what
// is not kept, which is missing then.
func (c *Content) Slice(from, n uint64) []byte {
	b := c.Kept(from, n)
	if b == nil && c.Inside(from, n) && n > 0 {
		c.miss(Range{from, from + n})
	} else if c.track && b != nil {
		c.taken = append(c.taken, Range{from, from + n})
	}
	return b
}

// Track begins to note what [Content.Slice] gives, for [Content.Taken].
func (c *Content) Track() { c.track, c.taken = true, nil }

// Taken are the parts that were taken since [Content.Track].
func (c *Content) Taken() []Range { return c.taken }

// ReadAt implements [io.ReaderAt]. What is not kept reads as zeros and is missing
// then, so that one reading of a format finds as much as it can of what it lacks.
func (c *Content) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || uint64(off) >= c.size {
		return 0, io.EOF
	}
	n := min(uint64(len(b)), c.size-uint64(off))
	if data := c.Slice(uint64(off), n); data != nil {
		copy(b, data)
	} else {
		clear(b[:n])
	}
	if n < uint64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

func (c *Content) miss(r Range) {
	if len(c.missing) < maxParts {
		c.missing = append(c.missing, r)
	}
}

// Forget empties [Content.Missing], after a reading that was only tried.
func (c *Content) Forget() { c.missing = nil }

// Missing are the parts that readers wanted and were not kept, in order. Parts that
// lie next to each other are one.
func (c *Content) Missing() []Range { return Merge(c.missing) }

// Merge orders ranges and joins those that lie next to each other.
func Merge(rs []Range) []Range {
	rs = slices.Clone(rs)
	slices.SortFunc(rs, func(a, b Range) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	out := rs[:0]
	for _, r := range rs {
		if n := len(out); n > 0 && r.From <= out[n-1].To+near {
			out[n-1].To = max(out[n-1].To, r.To)
			continue
		}
		out = append(out, r)
	}
	return out
}
