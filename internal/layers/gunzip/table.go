package gunzip

import (
	"math/bits"
)

// An entry of a decoding table says what the next bits mean. The lowest eight bits are
// how many bits to drop; where extra bits follow the code they are included, and bits 8
// to 11 are the length of the code alone. The value is above bit 16.
type entry = uint32

const (
	literal = 1 << 31 // the value is a byte of the content
	special = 1 << 15 // a code that stands for no value; with one of the next two, or invalid
	more    = 1 << 14 // bits 8 to 11 index the table that begins at the value
	end     = 1 << 13 // of the block

	maxCode      = 15 // bits of a code
	literalBits  = 11
	distanceBits = 8
	lengthBits   = 7

	// The most entries that tables of so many first bits take for so many symbols of 15
	// bits are 2342 and 402 (zlib's "enough"); these are the powers of two above.
	literalTable  = 4096
	distanceTable = 512
)

// What each symbol means, without the length of its code.
var (
	literals  = literalEntries()
	distances = distanceEntries()
	lengths   = func() (out [19]entry) {
		for i := range out {
			out[i] = entry(i) << 16
		}
		return out
	}()
)

// literalEntries are those of section 3.2.5 of RFC 1951.
func literalEntries() (out [288]entry) {
	for i := range 256 {
		out[i] = literal | entry(i)<<16
	}
	out[256] = special | end
	base := 3
	for i := range 28 {
		extra := max(0, i/4-1)
		out[257+i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	out[285] = 258 << 16
	out[286], out[287] = special, special
	return out
}

func distanceEntries() (out [32]entry) {
	base := 1
	for i := range 30 {
		extra := max(0, i/2-1)
		out[i] = entry(base)<<16 | entry(extra)
		base += 1 << extra
	}
	out[30], out[31] = special, special
	return out
}

// build makes the table of the canonical code whose lengths are given. It is false for
// lengths that are those of no complete code; no code at all is one, and so is a single
// code of one bit.
func build(table []entry, first int, lens []uint8, meaning []entry) bool {
	var count, next [maxCode + 2]int
	for _, n := range lens {
		count[n]++
	}
	used, space := 0, 0
	count[0] = 0
	for n := 1; n <= maxCode; n++ {
		next[n+1] = next[n] + count[n]
		used += count[n]
		space += count[n] << (maxCode - n)
	}
	if used == 0 || used == 1 && count[1] == 1 {
		for i := range 1 << first {
			table[i] = special
		}
		for sym, n := range lens {
			for i := 0; n == 1 && i < 1<<first; i += 2 {
				table[i] = meaning[sym] + 1<<8 + 1
			}
		}
		return true
	}
	if space != 1<<maxCode {
		return false
	}
	var sorted [288]uint16
	for sym, n := range lens {
		if n > 0 {
			sorted[next[n]] = uint16(sym)
			next[n]++
		}
	}
	symbol := func(n int) entry {
		return entry(n)<<8 + entry(n)
	}
	// The codes in order, bits reversed as they are read. Tables of few bits are doubled
	// to those of more.
	code, n, at := 0, 1, 0
	for count[n] == 0 {
		n++
	}
	size := 1 << min(n, first)
	for ; n <= first; n++ {
		for range count[n] {
			table[code] = meaning[sorted[at]] + symbol(n)
			at++
			if code == size-1 { // the last one
				for ; size < 1<<first; size *= 2 {
					copy(table[size:2*size], table[:size])
				}
				return true
			}
			code = after(code, n)
		}
		if n < first {
			copy(table[size:2*size], table[:size])
			size *= 2
		}
	}
	// What is longer goes into further tables, one for each of the first bits.
	size = 1 << first
	prefix, start, left := -1, 0, 0
	for left = count[n]; ; left-- {
		for left == 0 {
			n++
			left = count[n]
		}
		if code&(1<<first-1) != prefix {
			prefix, start = code&(1<<first-1), size
			width := n - first
			for taken := left; taken < 1<<width; {
				width++
				taken = taken*2 + count[first+width]
			}
			size += 1 << width
			table[prefix] = entry(start)<<16 | special | more | entry(width)<<8 | entry(first)
		}
		e := meaning[sorted[at]] + symbol(n-first)
		at++
		for i := start + code>>first; i < size; i += 1 << (n - first) {
			table[i] = e
		}
		if code == 1<<n-1 {
			return true
		}
		code = after(code, n)
	}
}

// after is the code of n bits that follows one that is not the last, bits reversed.
func after(code, n int) int {
	bit := 1 << (bits.Len(uint(code^(1<<n-1))) - 1)
	return code&(bit-1) | bit
}
