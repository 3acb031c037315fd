package sqlite

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

const (
	pageInterior = 5
	pageLeaf     = 13
	// maxDepth is more than a table of 2^31 pages with two children each can need;
	// real ones have three levels.
	maxDepth   = 32
	maxColumns = 2000
)

// walker reads tables, each page once.
type walker struct {
	d      *Database
	usable int
	seen   map[uint32]bool
	last   int64 // number of the row before
	any    bool
	buf    []byte
	cols   [][]byte
}

func (w *walker) table(name string, yield func(int64, [][]byte) error) error {
	var err error
	if w.usable, err = w.d.header(); err != nil {
		return err
	}
	root := int64(-1)
	err = w.walk(1, 0, func(_ int64, c [][]byte) error { // type, name, tbl_name, rootpage, sql
		if len(c) >= 4 && string(c[0]) == "table" && strings.EqualFold(string(c[1]), name) {
			root = integer(c[3])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root == -1 {
		return &assay.Error{Op: "read SQLite database", Kind: assay.ErrAbsent, Field: "table " + name}
	}
	if root < 2 || root > math.MaxUint32 {
		return invalid(1, "root page "+strconv.FormatInt(root, 10)+" of table "+name, "a page behind the first")
	}
	w.any = false
	return w.walk(uint32(root), 0, yield)
}

// page gives a page that was not read before.
func (w *walker) page(n uint32) ([]byte, error) {
	if w.seen[n] {
		return nil, invalid(n, "a page that is used twice", "each page once")
	}
	p := w.d.page(n)
	if p == nil {
		return nil, invalid(n, "a page that is not there", "a page of the database")
	}
	w.seen[n] = true
	return p[:w.usable], nil
}

func (w *walker) walk(n uint32, depth int, yield func(int64, [][]byte) error) error {
	if depth > maxDepth {
		return invalid(n, "more levels", "at most "+strconv.Itoa(maxDepth))
	}
	p, err := w.page(n)
	if err != nil {
		return err
	}
	at := 0
	if n == 1 {
		at = headerSize
	}
	kind, head := p[at], 8
	if kind == pageInterior {
		head = 12
	} else if kind != pageLeaf {
		return invalid(n, "type "+strconv.Itoa(int(kind)), "a page of a table (5 or 13)")
	}
	count := int(binary.BigEndian.Uint16(p[at+3:]))
	if at+head+2*count > len(p) {
		return invalid(n, strconv.Itoa(count)+" cells", "what fits the page")
	}
	// Cells do not overlap; without this a page could have its content many times.
	left := len(p) - at - head - 2*count
	for i := range count {
		o := int(binary.BigEndian.Uint16(p[at+head+2*i:]))
		if o < at+head+2*count || o >= len(p) {
			return invalid(n, "cell "+strconv.Itoa(i)+" at "+strconv.Itoa(o), "an offset in the page")
		}
		if kind == pageInterior {
			if o+4 > len(p) {
				return invalid(n, "cell "+strconv.Itoa(i)+" at "+strconv.Itoa(o), "an offset in the page")
			}
			if err := w.walk(binary.BigEndian.Uint32(p[o:]), depth+1, yield); err != nil {
				return err
			}
			continue
		}
		used, err := w.cell(n, p[o:], yield)
		if err != nil {
			return err
		}
		if left -= used; left < 0 {
			return invalid(n, "cells that overlap", "each byte in one cell")
		}
	}
	if kind == pageInterior {
		return w.walk(binary.BigEndian.Uint32(p[at+8:]), depth+1, yield)
	}
	return nil
}

// cell reads one row and gives the bytes that it takes in its page.
func (w *walker) cell(n uint32, c []byte, yield func(int64, [][]byte) error) (int, error) {
	length, a := varint(c)
	row, b := varint(c[a:])
	if a == 0 || b == 0 || length > math.MaxInt32 {
		return 0, invalid(n, "a cell of "+strconv.FormatUint(length, 10)+" bytes", "a cell in the page, of less than 2 GiB")
	}
	number := int64(row)
	if w.any && number <= w.last {
		return 0, invalid(n, "row "+strconv.FormatInt(number, 10)+" after "+strconv.FormatInt(w.last, 10), "ascending rows")
	}
	w.last, w.any = number, true
	local, total := w.local(int(length)), a+b
	if total+local > len(c) {
		return 0, invalid(n, "a cell of "+strconv.Itoa(total+local)+" bytes", strconv.Itoa(len(c))+" bytes to the end of the page")
	}
	payload := c[total : total+local]
	total += local
	if local < int(length) {
		if total+4 > len(c) {
			return 0, invalid(n, "a cell without its overflow page", "four more bytes")
		}
		var err error
		if payload, err = w.overflow(binary.BigEndian.Uint32(c[total:]), payload, int(length)); err != nil {
			return 0, err
		}
		total += 4
	}
	cols, ok := w.record(payload)
	if !ok {
		return 0, invalid(n, "row "+strconv.FormatInt(number, 10), "a record")
	}
	return total, yield(number, cols)
}

// local is how much of a payload of that length is in its leaf page (section 1.6).
func (w *walker) local(length int) int {
	u := w.usable
	most := u - 35
	if length <= most {
		return length
	}
	least := (u-12)*32/255 - 23
	if k := least + (length-least)%(u-4); k <= most {
		return k
	}
	return least
}

func (w *walker) overflow(n uint32, local []byte, length int) ([]byte, error) {
	w.buf = append(w.buf[:0], local...)
	for len(w.buf) < length {
		p, err := w.page(n)
		if err != nil {
			return nil, err
		}
		next := binary.BigEndian.Uint32(p)
		w.buf = append(w.buf, p[4:min(len(p), 4+length-len(w.buf))]...)
		if done := len(w.buf) == length; done != (next == 0) {
			return nil, invalid(n, "overflow page "+strconv.FormatUint(uint64(next), 10)+" next, at byte "+strconv.Itoa(len(w.buf)), "the end of the row at byte "+strconv.Itoa(length))
		}
		n = next
	}
	return w.buf, nil
}

// record takes the columns of a row apart (section 2.1).
func (w *walker) record(p []byte) ([][]byte, bool) {
	size, n := varint(p)
	if n == 0 || size < uint64(n) || size > uint64(len(p)) {
		return nil, false
	}
	types, body := p[n:size], p[size:]
	w.cols = w.cols[:0]
	for len(types) > 0 {
		t, n := varint(types)
		if n == 0 || len(w.cols) == maxColumns {
			return nil, false
		}
		types = types[n:]
		var l uint64
		switch {
		case t == 0:
			w.cols = append(w.cols, nil)
			continue
		case t <= 4:
			l = t
		case t == 5:
			l = 6
		case t == 6, t == 7:
			l = 8
		case t == 8:
			w.cols = append(w.cols, []byte{0})
			continue
		case t == 9:
			w.cols = append(w.cols, []byte{1})
			continue
		case t < 12:
			return nil, false
		default:
			l = (t - 12) / 2
		}
		if l > uint64(len(body)) {
			return nil, false
		}
		w.cols = append(w.cols, body[:l:l])
		body = body[l:]
	}
	return w.cols, true
}

// integer reads an integer column.
func integer(b []byte) int64 {
	if len(b) == 0 || len(b) > 8 {
		return -1
	}
	v := int64(int8(b[0]))
	for _, c := range b[1:] {
		v = v<<8 | int64(c)
	}
	return v
}

// varint reads a number of one to nine bytes; no length means that b ends before.
func varint(b []byte) (uint64, int) {
	var v uint64
	for i := range min(len(b), 9) {
		if i == 8 {
			return v<<8 | uint64(b[i]), 9
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
