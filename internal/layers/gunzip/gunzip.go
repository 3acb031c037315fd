// Package gunzip inflates gzip (RFC 1951, RFC 1952): [NewReader] is all of it. It gives
// what the readers of the standard library and of klauspost/compress give, and refuses
// what one of them refuses, in less time: it writes to where the caller wants the content, with
// no window between, and decodes several symbols for each look at the input. Memory is
// bounded by the format.
//
// It is made for long streams that are read in large pieces: each call of
// [Reader.Read] keeps the last 32 KiB for the next one.
package gunzip

import (
	"bufio"
	"errors"
	"hash/crc32"
	"io"
)

// Errors of content that is no gzip.
var (
	ErrHeader   = errors.New("gzip: invalid header")
	ErrChecksum = errors.New("gzip: invalid checksum")
	ErrCorrupt  = errors.New("gzip: corrupt data")
)

const (
	window  = 32 << 10
	maxText = 512 // bytes of a name or comment
)

// state is what comes next in the stream.
type state uint8

const (
	atHeader state = iota
	atBlock
	inStored
	inCodes
	atTrailer
)

// Reader gives the content of all members of a gzip stream. It is not for concurrent
// use.
type Reader struct {
	src *bufio.Reader
	err error // why there is no more

	// The input at hand, which is the buffer of src, how much of it was taken, and the
	// bits of it that were not used. Bits above the count may be set: then they are
	// those of what comes next.
	in    []byte
	at    int
	bits  uint64
	count uint
	ended bool // src is
	pad   uint // how many zeros were taken for bytes beyond the end

	state state
	first bool // the member is the first one
	last  bool // the block is the last one
	left  int  // of a stored block

	// A match that did not fit.
	length, distance int

	begin int          // where in the output of this call the member begins
	kept  int          // how much there is of old
	old   [window]byte // what was before it

	sum, size uint32 // of the member, up to summed
	summed    int

	literals  [literalTable]entry
	distances [distanceTable]entry
	lengths   [1 << lengthBits]entry
	lens      [288 + 32]uint8
}

// NewReader reads the header that src begins with. It reads all of src, except for what
// follows an error.
func NewReader(src *bufio.Reader) (*Reader, error) {
	z := new(Reader)
	return z, z.Reset(src)
}

// Reset makes z what [NewReader] gives.
func (z *Reader) Reset(src *bufio.Reader) error {
	z.src, z.err, z.in, z.at, z.bits, z.count, z.ended, z.pad = src, nil, nil, 0, 0, 0, false, 0
	z.state, z.first, z.kept, z.length, z.begin, z.summed = atHeader, true, 0, 0, 0, 0
	if src != nil {
		z.err = z.header(0)
	}
	return z.err
}

// Read implements [io.Reader].
func (z *Reader) Read(p []byte) (n int, err error) {
	if z.err != nil || len(p) == 0 {
		return 0, z.err
	}
	z.begin, z.summed = 0, 0
	for n < len(p) && z.err == nil {
		n, z.err = z.step(p, n)
	}
	z.checksum(p[:n])
	z.keep(p[z.begin:n])
	if n > 0 && z.err == io.EOF {
		return n, nil
	}
	return n, z.err
}

// keep takes what later matches may refer to.
func (z *Reader) keep(p []byte) {
	if z.begin > 0 {
		z.kept = 0
	}
	if len(p) >= window {
		z.kept = copy(z.old[:], p[len(p)-window:])
		return
	}
	if over := z.kept + len(p) - window; over > 0 {
		z.kept = copy(z.old[:], z.old[over:z.kept])
	}
	z.kept += copy(z.old[z.kept:], p)
}

func (z *Reader) checksum(p []byte) {
	z.sum = crc32.Update(z.sum, crc32.IEEETable, p[z.summed:])
	z.size += uint32(len(p) - z.summed)
	z.summed = len(p)
}

// step does what comes next, and gives how much of p is filled.
func (z *Reader) step(p []byte, n int) (int, error) {
	switch z.state {
	case atHeader:
		return n, z.header(n)
	case atBlock:
		return n, z.block()
	case inStored:
		return z.stored(p, n)
	case inCodes:
		return z.codes(p, n)
	}
	z.checksum(p[:n])
	return n, z.trailer()
}

// fill gets more input: at least one byte that was not there, unless src ended. The
// last eight bytes before at stay, for those that are in bits.
func (z *Reader) fill() error {
	if z.ended {
		return nil
	}
	back := min(z.at, 8)
	_, _ = z.src.Discard(z.at - back) // they are buffered
	have := len(z.in) - (z.at - back)
	z.at = back
	_, err := z.src.Peek(have + 1)
	z.in, _ = z.src.Peek(z.src.Buffered())
	switch err {
	case nil:
		return nil
	case io.EOF:
		z.ended = true
		return nil
	}
	return err
}

// need makes bits hold at least n of them, at most 48, with zeros after the end.
func (z *Reader) need(n uint) error {
	for z.count < n {
		if z.at < len(z.in) {
			z.bits |= uint64(z.in[z.at]) << z.count
			z.at++
			z.count += 8
			continue
		}
		if !z.ended {
			if err := z.fill(); err != nil {
				return err
			}
			continue
		}
		// What is above count is no bit of the input, which ended.
		z.pad++
		z.count += 8
	}
	return nil
}

// take drops n bits. It is false if there were not so many.
func (z *Reader) take(n uint) bool {
	z.bits >>= n
	z.count -= n
	return z.count >= 8*z.pad
}

// get gives the next n bits.
func (z *Reader) get(n uint) (uint, error) {
	if err := z.need(n); err != nil {
		return 0, err
	}
	v := uint(z.bits) & (1<<n - 1)
	if !z.take(n) {
		return 0, io.ErrUnexpectedEOF
	}
	return v, nil
}

// align drops the rest of a byte and gives back the whole ones.
func (z *Reader) align() {
	whole := z.count/8 - z.pad
	z.at -= int(whole)
	z.bits, z.count, z.pad = 0, 0, 0
}

func (z *Reader) byte() (byte, error) {
	for z.at == len(z.in) {
		if z.ended {
			return 0, io.ErrUnexpectedEOF
		}
		if err := z.fill(); err != nil {
			return 0, err
		}
	}
	b := z.in[z.at]
	z.at++
	return b, nil
}

// header reads that of a member, whose content begins at n of the output.
func (z *Reader) header(n int) error {
	for z.at == len(z.in) {
		if z.ended {
			if z.first {
				return io.ErrUnexpectedEOF
			}
			return io.EOF
		}
		if err := z.fill(); err != nil {
			return err
		}
	}
	sum := uint32(0)
	var err error
	next := func() byte {
		var b [1]byte
		if err == nil {
			if b[0], err = z.byte(); err == nil {
				sum = crc32.Update(sum, crc32.IEEETable, b[:])
			}
		}
		return b[0]
	}
	text := func() {
		for i := 0; next() != 0 && err == nil; i++ {
			if i == maxText-1 {
				err = ErrHeader
			}
		}
	}
	magic := [3]byte{next(), next(), next()}
	flags := next()
	if err == nil && (magic != [3]byte{0x1f, 0x8b, 8} || flags>>5 != 0) {
		return ErrHeader // section 2.3.1.2 of RFC 1952: unknown flags could mean anything
	}
	for range 6 { // time, extra flags and system
		next()
	}
	if flags&4 != 0 {
		for range int(next()) | int(next())<<8 {
			next()
		}
	}
	if flags&8 != 0 {
		text() // a name
	}
	if flags&16 != 0 {
		text() // a comment
	}
	if flags&2 != 0 {
		want := uint16(sum)
		if got := uint16(next()) | uint16(next())<<8; err == nil && got != want {
			return ErrHeader
		}
	}
	if err != nil {
		return err
	}
	z.sum, z.size, z.begin, z.summed, z.first = 0, 0, n, n, false
	z.kept = 0
	z.state = atBlock
	return nil
}

func (z *Reader) trailer() error {
	z.align()
	var want [2]uint32
	for i := range want {
		for j := range 4 {
			b, err := z.byte()
			if err != nil {
				return err
			}
			want[i] |= uint32(b) << (8 * j)
		}
	}
	if want != [2]uint32{z.sum, z.size} {
		return ErrChecksum
	}
	z.state = atHeader
	return nil
}

// block reads the header of a block.
func (z *Reader) block() error {
	if z.last {
		z.last = false
		z.state = atTrailer
		return nil
	}
	h, err := z.get(3)
	if err != nil {
		return err
	}
	z.last = h&1 != 0
	switch h >> 1 {
	case 0:
		z.align()
		var b [4]int
		for i := range b {
			c, err := z.byte()
			if err != nil {
				return err
			}
			b[i] = int(c)
		}
		z.left = b[0] | b[1]<<8
		if z.left^(b[2]|b[3]<<8) != 0xffff {
			return ErrCorrupt
		}
		z.state = inStored
		return nil
	case 1:
		for i := range 288 {
			z.lens[i] = [...]uint8{8, 9, 7, 8}[btoi(i > 143)+btoi(i > 255)+btoi(i > 279)]
		}
		for i := range 32 {
			z.lens[288+i] = 5
		}
		return z.tables(288, 32)
	case 2:
		return z.dynamic()
	}
	return ErrCorrupt
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// order is that in which the lengths of the code of lengths are.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the codes of a block.
func (z *Reader) dynamic() error {
	h, err := z.get(14)
	if err != nil {
		return err
	}
	nlit, ndist, nlen := int(h&31)+257, int(h>>5&31)+1, int(h>>10)+4
	if nlit > 286 || ndist > 30 {
		return ErrCorrupt
	}
	var lens [19]uint8
	for _, sym := range order[:nlen] {
		n, err := z.get(3)
		if err != nil {
			return err
		}
		lens[sym] = uint8(n)
	}
	if !build(z.lengths[:], lengthBits, lens[:], lengths[:]) {
		return ErrCorrupt
	}
	for i := 0; i < nlit+ndist; {
		if err := z.need(lengthBits + 7); err != nil {
			return err
		}
		e := z.lengths[z.bits&(1<<lengthBits-1)]
		if e&special != 0 {
			if z.pad > 0 {
				return io.ErrUnexpectedEOF
			}
			return ErrCorrupt
		}
		if !z.take(uint(e & 15)) {
			return io.ErrUnexpectedEOF
		}
		sym := uint8(e >> 16)
		if sym < 16 {
			z.lens[i] = sym
			i++
			continue
		}
		value, extra, times := uint8(0), uint(3), 3
		switch sym {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value, extra = z.lens[i-1], 2
		case 18:
			extra, times = 7, 11
		}
		times += int(z.bits & (1<<extra - 1))
		if !z.take(extra) {
			return io.ErrUnexpectedEOF
		}
		if i+times > nlit+ndist {
			return ErrCorrupt
		}
		for range times {
			z.lens[i] = value
			i++
		}
	}
	return z.tables(nlit, ndist)
}

// tables makes those of the block.
func (z *Reader) tables(nlit, ndist int) error {
	if !build(z.literals[:], literalBits, z.lens[:nlit], literals[:]) ||
		!build(z.distances[:], distanceBits, z.lens[nlit:nlit+ndist], distances[:]) {
		return ErrCorrupt
	}
	z.state = inCodes
	return nil
}

// stored copies a block that is not packed.
func (z *Reader) stored(p []byte, n int) (int, error) {
	for z.left > 0 && n < len(p) {
		if z.at == len(z.in) {
			if z.ended {
				return n, io.ErrUnexpectedEOF
			}
			if err := z.fill(); err != nil {
				return n, err
			}
			continue
		}
		k := copy(p[n:], z.in[z.at:min(len(z.in), z.at+z.left)])
		n += k
		z.at += k
		z.left -= k
	}
	if z.left == 0 {
		z.state = atBlock
	}
	return n, nil
}
