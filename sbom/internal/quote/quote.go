// Package quote finds, eight bytes at once, where a text needs a closer look before it
// goes into a document. Nearly all texts of an SBOM need none, and are most of what is
// written.
//
// Start with [AppendJSON] for a string of JSON, and with [IndexMarkup] for text that
// goes into XML or tag-value.
package quote

import (
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// String is text.
type String interface{ string | []byte }

const (
	each = 0x0101010101010101 // a byte, times this, is eight of it
	high = 0x80 * each
)

func load[T String](s T, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// The masks have the high bit of the first byte that is meant, and of none before it.
// Bytes above 0x7f are the caller's.

func below(x, c uint64) uint64 { return (x - c*each) &^ x }

func equal(x, c uint64) uint64 { x ^= c * each; return (x - each) &^ x }

func first(mask uint64) int { return bits.TrailingZeros64(mask) / 8 }

// IndexJSON gives the first byte at or after i that stands for itself in no string of
// JSON, or is not ASCII; the length of s if there is none.
func IndexJSON[T String](s T, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := load(s, i)
		if mask := (x | below(x, ' ') | equal(x, '"') | equal(x, '\\')) & high; mask != 0 {
			return i + first(mask)
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x80 || c == '"' || c == '\\' {
			return i
		}
	}
	return i
}

// IndexMarkup gives the first byte at or after i that is a control character, DEL, one
// of & < > " or not ASCII; the length of s if there is none.
func IndexMarkup[T String](s T, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := load(s, i)
		// With this bit set, < is as > is; and with that one, " as &.
		if mask := (x | below(x, ' ') | equal(x|2*each, '>') | equal(x|4*each, '&') | equal(x, 0x7f)) & high; mask != 0 {
			return i + first(mask)
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '&' || c == '<' || c == '>' {
			return i
		}
	}
	return i
}

// IndexControl gives the first byte at or after i that is a control character, DEL or
// not ASCII; the length of s if there is none.
func IndexControl[T String](s T, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := load(s, i)
		if mask := (x | below(x, ' ') | equal(x, 0x7f)) & high; mask != 0 {
			return i + first(mask)
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return i
		}
	}
	return i
}

// AppendJSON appends text as a string of JSON, as jsontext.AppendQuote does. The text
// is UTF-8.
func AppendJSON[T String](b []byte, s T) []byte {
	start := len(b)
	b = append(b, '"')
	for last := 0; ; {
		i := IndexJSON(s, last)
		b = append(b, s[last:i]...)
		if i == len(s) {
			return append(b, '"')
		}
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\', c)
			last = i + 1
			continue
		}
		b, _ = jsontext.AppendQuote(b[:start], s)
		return b
	}
}
