package osv

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"sort"
	"strconv"
	"sync"
)

// tableWriter writes sorted keys with their values in blocks. A block is entries
// (length of key, length of value, key, value) and a CRC-32C.
type tableWriter struct {
	out   *fileWriter
	block []byte
	first []byte // key of the block
	top   encoder
	count int
}

func (t *tableWriter) add(key, value []byte) error {
	if len(t.block) > 0 && len(t.block)+len(key)+len(value) > blockSize {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if len(t.block) == 0 {
		t.first = append(t.first[:0], key...)
	}
	t.block = binary.AppendUvarint(t.block, uint64(len(key)))
	t.block = binary.AppendUvarint(t.block, uint64(len(value)))
	t.block = append(t.block, key...)
	t.block = append(t.block, value...)
	t.count++
	return nil
}

func (t *tableWriter) flush() error {
	if len(t.block) == 0 {
		return nil
	}
	t.block = appendCRC(t.block, 0)
	t.top.text(string(t.first))
	t.top.offset(t.out.at)
	t.top.uint(len(t.block))
	_, err := t.out.Write(t.block)
	t.block = t.block[:0]
	return err
}

// table looks keys up. Where its blocks are is in memory, some 50 bytes for each 4 KiB
// of the table; the blocks are read when they are asked for.
type table struct {
	path   string
	r      io.ReaderAt
	blocks []block
	// buffers are for what is read and not kept.
	buffers sync.Pool
}

type block struct {
	first string
	extent
}

// newTable reads where the blocks are; all of them end before end.
func newTable(path string, r io.ReaderAt, top []byte, end int64) (*table, error) {
	t := &table{path: path, r: r, buffers: sync.Pool{New: func() any { return new([]byte) }}}
	d := decoder{s: string(top)}
	for d.s != "" {
		b := block{d.text(), extent{d.offset(), int64(d.uint(maxBlock))}}
		if d.bad || !b.within(end, maxBlock) || len(t.blocks) > 0 && t.blocks[len(t.blocks)-1].first >= b.first {
			return nil, damaged(path, "table", strconv.Itoa(len(t.blocks)), "blocks in the order of their keys")
		}
		t.blocks = append(t.blocks, b)
	}
	return t, nil
}

// get gives the value of a key, nil if there is none.
func (t *table) get(key string) ([]byte, error) {
	i := sort.Search(len(t.blocks), func(i int) bool { return t.blocks[i].first > key }) - 1
	if i < 0 {
		return nil, nil
	}
	var found []byte
	asked := []byte(key)
	err := t.entries(i, func(k, v []byte) bool {
		switch bytes.Compare(k, asked) {
		case 0:
			found = slices.Clone(v)
			return false
		case 1:
			return false
		}
		return true
	})
	return found, err
}

// entries calls yield with the entries of block i until it says no. What it is given
// holds until it returns.
func (t *table) entries(i int, yield func(key, value []byte) bool) error {
	e := t.blocks[i].extent
	buf := t.buffers.Get().(*[]byte)
	defer t.buffers.Put(buf)
	*buf = slices.Grow((*buf)[:0], int(e.n))[:e.n]
	if _, err := t.r.ReadAt(*buf, e.at); err != nil {
		return unread(t.path, err)
	}
	b, ok := checked(*buf)
	bad := func() error {
		return damaged(t.path, "offset "+strconv.FormatInt(e.at, 10), "", "a block of the table as it was written")
	}
	if !ok {
		return bad()
	}
	for len(b) > 0 {
		klen, n := binary.Uvarint(b)
		vlen, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 || klen > uint64(len(b)) || vlen > uint64(len(b)) || klen+vlen > uint64(len(b)-n-m) {
			return bad()
		}
		key := b[n+m : n+m+int(klen)]
		b = b[n+m+int(klen):]
		if !yield(key, b[:vlen]) {
			return nil
		}
		b = b[vlen:]
	}
	return nil
}

// pointers are pieces of the file, each written as its distance from the end of the one
// before, so that neighbors take little.
func appendPointer(b []byte, before int64, e extent) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, e.at-before), uint64(e.n))
}

func (t *table) pointers(value []byte, end int64) ([]extent, error) {
	out := make([]extent, 0, min(len(value)/3+1, 64))
	at := int64(0)
	for len(value) > 0 {
		delta, n := binary.Varint(value)
		size, m := binary.Uvarint(value[max(n, 0):])
		e := extent{at + delta, int64(size)}
		if n <= 0 || m <= 0 || !e.within(end, maxChunk) {
			return nil, damaged(t.path, "table", strconv.FormatInt(e.at, 10), "a piece that is in the file")
		}
		out = append(out, e)
		at, value = e.at+e.n, value[n+m:]
	}
	return out, nil
}
