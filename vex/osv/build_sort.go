package osv

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// sortMemory is how many bytes of items a sorter holds before it writes them down.
const sortMemory = 32 << 20

// sorter brings items into the order of their bytes. What does not fit in its memory
// is sorted in runs, that are written to a file beside the index and merged.
type sorter struct {
	spill  string // the name of that file
	memory int

	arena []byte
	items []item
	file  *os.File
	runs  []extent
	size  int64
}

// item is a piece of the arena: a key, and what belongs to it. The prefix is of the
// key without its letter, which decides most comparisons.
type item struct {
	prefix   uint64
	at       uint32
	key, end uint32
}

// add takes a copy of a key and a value.
func (s *sorter) add(key, value []byte) error {
	if len(s.items) > 0 && (len(s.arena)+len(key)+len(value) > s.memory || len(s.items)*24 > s.memory) {
		if err := s.flush(); err != nil {
			return err
		}
	}
	var prefix [8]byte
	copy(prefix[:], key)
	it := item{prefix: binary.BigEndian.Uint64(prefix[:]), at: uint32(len(s.arena)), key: uint32(len(key))}
	s.arena = append(append(s.arena, key...), value...)
	it.end = uint32(len(s.arena))
	s.items = append(s.items, it)
	return nil
}

func (s *sorter) sort() {
	slices.SortFunc(s.items, func(a, b item) int {
		if a.prefix != b.prefix {
			if a.prefix < b.prefix {
				return -1
			}
			return 1
		}
		if c := bytes.Compare(s.arena[a.at:a.at+a.key], s.arena[b.at:b.at+b.key]); c != 0 {
			return c
		}
		return bytes.Compare(s.arena[a.at+a.key:a.end], s.arena[b.at+b.key:b.end])
	})
}

func (s *sorter) flush() (err error) {
	if s.file == nil {
		if s.file, err = os.OpenFile(s.spill, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return err
		}
	}
	s.sort()
	w := bufio.NewWriterSize(s.file, 256<<10)
	from := s.size
	var lengths [8]byte
	for _, it := range s.items {
		binary.BigEndian.PutUint32(lengths[:], it.key)
		binary.BigEndian.PutUint32(lengths[4:], it.end-it.at-it.key)
		w.Write(lengths[:])
		w.Write(s.arena[it.at:it.end])
		s.size += 8 + int64(it.end-it.at)
	}
	s.runs = append(s.runs, extent{from, s.size - from})
	s.arena, s.items = s.arena[:0], s.items[:0]
	return w.Flush()
}

// each calls yield with all items in order. What it is given holds until it returns.
func (s *sorter) each(yield func(key, value []byte) error) error {
	if len(s.runs) == 0 {
		s.sort()
		for _, it := range s.items {
			if err := yield(s.arena[it.at:it.at+it.key], s.arena[it.at+it.key:it.end]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.arena, s.items = nil, nil
	buffer := max(s.memory/len(s.runs), 4<<10)
	var h runHeap
	for _, e := range s.runs {
		r := &run{r: bufio.NewReaderSize(io.NewSectionReader(s.file, e.at, e.n), min(buffer, 256<<10))}
		if ok, err := r.next(); err != nil {
			return err
		} else if ok {
			h = append(h, r)
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		r := h[0]
		if err := yield(r.key, r.value); err != nil {
			return err
		}
		if ok, err := r.next(); err != nil {
			return err
		} else if ok {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return nil
}

// close removes the file.
func (s *sorter) close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.spill))
}

// run is one that is read back.
type run struct {
	r          *bufio.Reader
	buf        []byte
	key, value []byte
}

func (r *run) next() (bool, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(r.r, lengths[:]); err != nil {
		if err == io.EOF {
			err = nil
		}
		return false, err
	}
	k, v := int(binary.BigEndian.Uint32(lengths[:])), int(binary.BigEndian.Uint32(lengths[4:]))
	r.buf = slices.Grow(r.buf[:0], k+v)[:k+v]
	if _, err := io.ReadFull(r.r, r.buf); err != nil {
		return false, err
	}
	r.key, r.value = r.buf[:k], r.buf[k:]
	return true, nil
}

type runHeap []*run

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	if c := bytes.Compare(h[i].key, h[j].key); c != 0 {
		return c < 0
	}
	return bytes.Compare(h[i].value, h[j].value) < 0
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
