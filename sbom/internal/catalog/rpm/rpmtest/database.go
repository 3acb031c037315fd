package rpmtest

import (
	"encoding/binary"
	"hash/adler32"
)

const (
	bdbPage = 512
	header  = 26 // of a page of Berkeley DB
)

// BDB gives a Berkeley DB hash database of one bucket, with the values beside the
// pages of the bucket if they are short, and elsewhere if they are not. order is the
// byte order of the machine that wrote it.
func BDB(order binary.ByteOrder, values ...[]byte) []byte {
	pages := [][]byte{make([]byte, bdbPage)}
	page := func(kind byte) []byte {
		p := make([]byte, bdbPage)
		order.PutUint32(p[8:], uint32(len(pages)))
		p[25] = kind
		pages = append(pages, p)
		return p
	}
	bucket := page(13)
	var items [][]byte
	flush := func() {
		at := bdbPage
		order.PutUint16(bucket[20:], uint16(len(items)))
		for i, it := range items {
			at -= len(it)
			copy(bucket[at:], it)
			order.PutUint16(bucket[header+2*i:], uint16(at))
		}
		order.PutUint16(bucket[22:], uint16(at))
		items = nil
	}
	used := 0
	add := func(number uint32, value []byte) {
		key := append([]byte{1}, make([]byte, 4)...)
		order.PutUint32(key[1:], number)
		it := append([]byte{1}, value...)
		if len(value) > 64 {
			it = make([]byte, 12)
			it[0] = 3
			order.PutUint32(it[4:], uint32(len(pages)))
			order.PutUint32(it[8:], uint32(len(value)))
			for rest := value; len(rest) > 0; {
				p := page(7)
				n := copy(p[header:], rest)
				rest = rest[n:]
				order.PutUint16(p[22:], uint16(n))
				if len(rest) > 0 {
					order.PutUint32(p[16:], uint32(len(pages)))
				}
			}
		}
		if used += 4 + len(key) + len(it); used > bdbPage-header {
			flush()
			order.PutUint32(bucket[16:], uint32(len(pages)))
			bucket = page(13)
			used = 4 + len(key) + len(it)
		}
		items = append(items, key, it)
	}
	next := make([]byte, 4)
	order.PutUint32(next, uint32(len(values)+1))
	add(0, next)
	for i, v := range values {
		add(uint32(i+1), v)
	}
	flush()
	meta := pages[0]
	order.PutUint32(meta[12:], 0x061561)
	order.PutUint32(meta[16:], 9)
	order.PutUint32(meta[20:], bdbPage)
	meta[25] = 8
	order.PutUint32(meta[32:], uint32(len(pages)-1))
	order.PutUint32(meta[96:], 1) // bucket 0 is page 1
	var out []byte
	for _, p := range pages {
		out = append(out, p...)
	}
	return out
}

// NDB gives a database of rpm's own format.
func NDB(values ...[]byte) []byte {
	out := make([]byte, 4096)
	le := binary.LittleEndian
	copy(out, "RpmP")
	le.PutUint32(out[8:], 1)
	le.PutUint32(out[12:], 1)
	le.PutUint32(out[16:], uint32(len(values)+1))
	for i := 2; i < 256; i++ {
		copy(out[16*i:], "Slot")
	}
	for i, v := range values {
		b := append([]byte("BlbS"), make([]byte, 12)...)
		le.PutUint32(b[4:], uint32(i+1))
		le.PutUint32(b[8:], 1)
		le.PutUint32(b[12:], uint32(len(v)))
		b = append(b, v...)
		for (len(b)+12)%16 != 0 {
			b = append(b, 0)
		}
		b = le.AppendUint32(b, adler32.Checksum(b))
		b = le.AppendUint32(b, uint32(len(v)))
		b = append(b, "BlbE"...)
		slot := out[16*(i+2):]
		le.PutUint32(slot[4:], uint32(i+1))
		le.PutUint32(slot[8:], uint32(len(out)/16))
		le.PutUint32(slot[12:], uint32(len(b)/16))
		out = append(out, b...)
	}
	return out
}
