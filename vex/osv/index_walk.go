package osv

import (
	"bufio"
	"encoding/binary"
	"io"
	"slices"
)

// records calls yield with the records of an extent in their order, and where each is.
// What it is given holds until it returns.
func (x *Index) records(e metaExtent, yield func(record []byte, at extent) error) error {
	r := bufio.NewReaderSize(io.NewSectionReader(x.file, e.At, e.Size), 1<<20)
	at, left := e.At, e.Size
	var buf []byte
	for n := 0; left > 0 || n < e.Records; n++ {
		record, err := x.nextRecord(r, buf[:0], at, left)
		if err != nil {
			return err
		}
		size := int64(len(record))
		if n >= e.Records {
			return x.damagedAt(extent{at, size})
		}
		if err := yield(record, extent{at, size}); err != nil {
			return err
		}
		buf, at, left = record, at+size, left-size
	}
	return nil
}

// recordAt reads the record that is a piece of the file.
func (x *Index) recordAt(e extent) ([]byte, error) {
	record, err := x.nextRecord(io.NewSectionReader(x.file, e.at, e.n), nil, e.at, e.n)
	if err == nil && int64(len(record)) != e.n {
		err = x.damagedAt(e)
	}
	return record, err
}

// nextRecord reads a record with all its parts, and compares their checksums. It has
// at most left bytes.
func (x *Index) nextRecord(r io.Reader, buf []byte, at, left int64) ([]byte, error) {
	here := extent{at: at}
	fill := func(n int) bool {
		if n < 0 || int64(len(buf)+n) > left {
			return false
		}
		from := len(buf)
		buf = slices.Grow(buf, n)[:from+n]
		_, err := io.ReadFull(r, buf[from:])
		return err == nil
	}
	if !fill(4) {
		return nil, x.damagedAt(here)
	}
	n := int(binary.BigEndian.Uint32(buf))
	if n < headAt+crcSize || n > maxChunk || !fill(n-4) {
		return nil, x.damagedAt(here)
	}
	h, ok := decodeHead(buf)
	if !ok {
		return nil, x.damagedAt(here)
	}
	for _, n := range h.parts {
		from := len(buf)
		if n < crcSize || !fill(n) {
			return nil, x.damagedAt(here)
		}
		if _, ok := checked(buf[from:]); !ok {
			return nil, x.damagedAt(here)
		}
	}
	return buf, nil
}
