package rpmtest

import (
	"bytes"
	"encoding/binary"
)

// SQLite gives an SQLite database with the table Packages, whose rows are numbered
// from 1.
func SQLite(pageSize int, values ...[]byte) []byte {
	be := binary.BigEndian
	var pages [][]byte
	page := func() (uint32, []byte) {
		pages = append(pages, make([]byte, pageSize))
		return uint32(len(pages)), pages[len(pages)-1]
	}
	_, first := page()
	root, table := page()

	// leaf puts cells into a page whose header is at the offset.
	leaf := func(p []byte, at int, cells [][]byte) {
		p[at] = 13
		be.PutUint16(p[at+3:], uint16(len(cells)))
		end := len(p)
		for i, c := range cells {
			end -= len(c)
			copy(p[end:], c)
			be.PutUint16(p[at+8+2*i:], uint16(end))
		}
		be.PutUint16(p[at+5:], uint16(end))
	}
	sql := "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
	leaf(first, 100, [][]byte{cell(1, record("table", "Packages", "Packages", []byte{byte(root)}, sql), nil)})

	var leaves []uint32 // with the greatest row of each
	var last []uint64
	var cells [][]byte
	room := pageSize - 8
	for i, v := range values {
		body := record(nil, v)
		tail, local := []byte(nil), len(body)
		if u := pageSize; len(body) > u-35 {
			least := (u-12)*32/255 - 23
			if local = least + (len(body)-least)%(u-4); local > u-35 {
				local = least
			}
			n, p := page()
			tail = be.AppendUint32(nil, n)
			for rest := body[local:]; ; {
				rest = rest[copy(p[4:], rest):]
				if len(rest) == 0 {
					break
				}
				var next []byte
				n, next = page()
				be.PutUint32(p, n)
				p = next
			}
		}
		c := cell(uint64(i+1), body, tail)
		if len(tail) > 0 {
			c = append(append(prefix(uint64(i+1), len(body)), body[:local]...), tail...)
		}
		if room -= len(c) + 2; room < 0 {
			n, p := page()
			leaf(p, 0, cells)
			leaves, last = append(leaves, n), append(last, uint64(i))
			cells, room = nil, pageSize-8-len(c)-2
		}
		cells = append(cells, c)
	}
	if len(leaves) == 0 {
		leaf(table, 0, cells)
	} else {
		n, p := page()
		leaf(p, 0, cells)
		table[0] = 5
		be.PutUint16(table[3:], uint16(len(leaves)))
		be.PutUint32(table[8:], n)
		end := pageSize
		for i, l := range leaves {
			c := append(be.AppendUint32(nil, l), varint(last[i])...)
			end -= len(c)
			copy(table[end:], c)
			be.PutUint16(table[12+2*i:], uint16(end))
		}
		be.PutUint16(table[5:], uint16(end))
	}
	copy(first, "SQLite format 3\x00")
	be.PutUint16(first[16:], uint16(pageSize)) // 65536 does not fit, and is not needed
	first[18], first[19] = 2, 2
	first[21], first[22], first[23] = 64, 32, 32
	be.PutUint32(first[24:], 1)
	be.PutUint32(first[28:], uint32(len(pages)))
	be.PutUint32(first[44:], 4)
	be.PutUint32(first[56:], 1)
	be.PutUint32(first[92:], 1)
	return bytes.Join(pages, nil)
}

// Log gives a write-ahead log that turns one database into another: a frame for each
// page that differs, the last of which ends the transaction. Further databases are
// further transactions. order is that of the checksums.
func Log(order binary.ByteOrder, pageSize int, states ...[]byte) []byte {
	be := binary.BigEndian
	magic := uint32(0x377f0682)
	if order == binary.ByteOrder(binary.BigEndian) {
		magic |= 1
	}
	out := be.AppendUint32(nil, magic)
	out = be.AppendUint32(out, 3007000)
	out = be.AppendUint32(out, uint32(pageSize))
	out = be.AppendUint32(out, 0)
	out = append(out, "saltSALT"...)
	var a, b uint32
	sum := func(p []byte) {
		for ; len(p) > 0; p = p[8:] {
			a += order.Uint32(p) + b
			b += order.Uint32(p[4:]) + a
		}
	}
	sum(out)
	out = be.AppendUint32(be.AppendUint32(out, a), b)
	for i := 1; i < len(states); i++ {
		from, to := states[i-1], states[i]
		var changed []int
		for at := 0; at < len(to); at += pageSize {
			if at+pageSize > len(from) || !bytes.Equal(from[at:at+pageSize], to[at:at+pageSize]) {
				changed = append(changed, at)
			}
		}
		for n, at := range changed {
			commit := 0
			if n == len(changed)-1 {
				commit = len(to) / pageSize
			}
			f := be.AppendUint32(nil, uint32(at/pageSize+1))
			f = be.AppendUint32(f, uint32(commit))
			sum(f)
			sum(to[at : at+pageSize])
			f = append(f, "saltSALT"...)
			f = be.AppendUint32(be.AppendUint32(f, a), b)
			out = append(append(out, f...), to[at:at+pageSize]...)
		}
	}
	return out
}

func prefix(row uint64, length int) []byte { return append(varint(uint64(length)), varint(row)...) }

func cell(row uint64, body, tail []byte) []byte {
	return append(append(prefix(row, len(body)), body...), tail...)
}

// record encodes null (nil), text, and []byte: an integer of one byte, or a blob.
func record(values ...any) []byte {
	var types, body []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			types = append(types, 0)
		case string:
			types = append(types, varint(uint64(13+2*len(v)))...)
			body = append(body, v...)
		case []byte:
			if len(v) == 1 {
				types = append(types, 1)
			} else {
				types = append(types, varint(uint64(12+2*len(v)))...)
			}
			body = append(body, v...)
		}
	}
	n := len(types) + 1
	if n > 127 {
		panic("a header of more than 127 bytes")
	}
	return append(append([]byte{byte(n)}, types...), body...)
}

func varint(v uint64) []byte {
	out := []byte{byte(v & 0x7f)}
	for v >>= 7; v > 0; v >>= 7 {
		out = append([]byte{byte(v&0x7f) | 0x80}, out...)
	}
	return out
}
