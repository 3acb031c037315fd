package gunzip

import (
	"encoding/binary"
	"io"
)

const (
	// What one round of the fast loop may read at most, and write.
	roundIn  = 16
	roundOut = 4 + 258 + 8
)

// codes decodes a block as far as p goes.
func (z *Reader) codes(p []byte, n int) (int, error) {
	for n < len(p) {
		if z.length > 0 {
			var err error
			if n, err = z.match(p, n); err != nil {
				return n, err
			}
			continue
		}
		if z.pad == 0 && len(z.in)-z.at >= roundIn && len(p)-n >= roundOut {
			var done bool
			var err error
			if n, done, err = z.fast(p, n); err != nil || done {
				return n, err
			}
			if z.length > 0 {
				continue
			}
		}
		var done bool
		var err error
		if n, done, err = z.one(p, n); err != nil || done {
			return n, err
		}
	}
	return n, nil
}

// fast decodes while there is plenty of input and room. It is done at the end of the
// block. It leaves a match to [Reader.match] that reaches back before p.
func (z *Reader) fast(p []byte, n int) (_ int, done bool, _ error) {
	in, at, hold, count := z.in, z.at, z.bits, z.count
	lits, dists := &z.literals, &z.distances
	lastIn, lastOut := len(in)-roundIn, len(p)-roundOut
	var failed error
	for at <= lastIn && n <= lastOut {
		hold |= binary.LittleEndian.Uint64(in[at:]) << (count & 63)
		at += int((63 - count) >> 3)
		count |= 56
		// Four literals of the first table take 44 bits of the 56.
		e := lits[hold&(1<<literalBits-1)]
		if e&literal != 0 {
			hold >>= e & 63
			count -= uint(e & 63)
			p[n] = byte(e >> 16)
			n++
			if e = lits[hold&(1<<literalBits-1)]; e&literal != 0 {
				hold >>= e & 63
				count -= uint(e & 63)
				p[n] = byte(e >> 16)
				n++
				if e = lits[hold&(1<<literalBits-1)]; e&literal != 0 {
					hold >>= e & 63
					count -= uint(e & 63)
					p[n] = byte(e >> 16)
					n++
					if e = lits[hold&(1<<literalBits-1)]; e&literal != 0 {
						hold >>= e & 63
						count -= uint(e & 63)
						p[n] = byte(e >> 16)
						n++
						continue
					}
				}
			}
			hold |= binary.LittleEndian.Uint64(in[at:]) << (count & 63)
			at += int((63 - count) >> 3)
			count |= 56
		}
		if e&special != 0 {
			if e&more != 0 {
				hold >>= literalBits
				count -= literalBits
				e = lits[(uint(e>>16)&0x7fff+uint(hold)&(1<<(e>>8&15)-1))&(literalTable-1)]
				if e&literal != 0 {
					hold >>= e & 63
					count -= uint(e & 63)
					p[n] = byte(e >> 16)
					n++
					continue
				}
			}
			if e&special != 0 {
				if e&end == 0 {
					failed = ErrCorrupt
					break
				}
				hold >>= e & 63
				count -= uint(e & 63)
				done = true
				break
			}
		}
		// A length and a distance take 48 bits at most.
		length := int(e>>16) + int((hold&(1<<(e&63)-1))>>(e>>8&15))
		hold >>= e & 63
		count -= uint(e & 63)
		e = dists[hold&(1<<distanceBits-1)]
		if e&special != 0 {
			if e&more != 0 {
				hold >>= distanceBits
				count -= distanceBits
				e = dists[(uint(e>>16)+uint(hold)&(1<<(e>>8&15)-1))&(distanceTable-1)]
			}
			if e&special != 0 {
				failed = ErrCorrupt
				break
			}
		}
		distance := int(e>>16) + int((hold&(1<<(e&63)-1))>>(e>>8&15))
		hold >>= e & 63
		count -= uint(e & 63)
		from := n - distance
		if from < z.begin {
			z.length, z.distance = length, distance
			break
		}
		// Up to seven bytes more than the match are written, and overwritten by what
		// comes next.
		switch {
		case distance >= 8 && length <= 32:
			to, src := p[n:n+40], p[from:]
			for i := 0; i < length; i += 8 {
				binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(src[i:]))
			}
		case distance >= length:
			copy(p[n:n+length], p[from:])
		case distance == 1:
			v := uint64(p[from]) * 0x0101010101010101
			to := p[n : n+length+8]
			for ; len(to) >= 8; to = to[8:] {
				binary.LittleEndian.PutUint64(to, v)
			}
		default:
			overlap(p[from:n+length], distance)
		}
		n += length
	}
	z.at, z.bits, z.count = at, hold, count
	if done {
		z.state = atBlock
	}
	return n, done, failed
}

// overlap repeats the first bytes until p is full.
func overlap(p []byte, first int) {
	for first < len(p) {
		first += copy(p[first:], p[:first])
	}
}

// one decodes a symbol with care.
func (z *Reader) one(p []byte, n int) (_ int, done bool, _ error) {
	if err := z.need(48); err != nil {
		return n, false, err
	}
	e := z.literals[z.bits&(1<<literalBits-1)]
	if e&more != 0 && e&special != 0 {
		z.take(literalBits)
		e = z.literals[uint(e>>16)+uint(z.bits)&(1<<(e>>8&15)-1)]
	}
	switch {
	case e&literal != 0:
		if !z.take(uint(e & 63)) {
			return n, false, io.ErrUnexpectedEOF
		}
		p[n] = byte(e >> 16)
		return n + 1, false, nil
	case e&special != 0 && e&end == 0:
		return n, false, z.invalid()
	case e&special != 0:
		if !z.take(uint(e & 63)) {
			return n, false, io.ErrUnexpectedEOF
		}
		z.state = atBlock
		return n, true, nil
	}
	length := int(e>>16) + int((z.bits&(1<<(e&63)-1))>>(e>>8&15))
	if !z.take(uint(e & 63)) {
		return n, false, io.ErrUnexpectedEOF
	}
	e = z.distances[z.bits&(1<<distanceBits-1)]
	if e&more != 0 && e&special != 0 {
		z.take(distanceBits)
		e = z.distances[uint(e>>16)+uint(z.bits)&(1<<(e>>8&15)-1)]
	}
	if e&special != 0 {
		return n, false, z.invalid()
	}
	distance := int(e>>16) + int((z.bits&(1<<(e&63)-1))>>(e>>8&15))
	if !z.take(uint(e & 63)) {
		return n, false, io.ErrUnexpectedEOF
	}
	z.length, z.distance = length, distance
	return n, false, nil
}

// invalid is what bits are that mean nothing; zeros after the end are not there.
func (z *Reader) invalid() error {
	if z.pad > 0 {
		return io.ErrUnexpectedEOF
	}
	return ErrCorrupt
}

// match copies what z.length and z.distance say, as far as p goes.
func (z *Reader) match(p []byte, n int) (int, error) {
	here := n - z.begin // what the member has in p
	before := z.kept
	if z.distance > here+before {
		return n, ErrCorrupt
	}
	for z.length > 0 && n < len(p) {
		var k int
		to := p[n:min(len(p), n+z.length)]
		if back := z.distance - (n - z.begin); back > 0 {
			k = copy(to, z.old[z.kept-back:z.kept])
		} else {
			k = copy(to, p[n-z.distance:n])
		}
		n += k
		z.length -= k
	}
	return n, nil
}
