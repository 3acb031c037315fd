// Package bdb reads the values of a Berkeley DB hash database, as rpm 4 kept its
// packages in (var/lib/rpm/Packages), of either byte order.
//
// Start with [Each]. The database is read as rpm does: through its buckets, so that
// what lies in pages that no bucket reaches is no value.
package bdb

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"

	"github.com/assaykit/assay"
)

const (
	hashMagic  = 0x061561
	btreeMagic = 0x053162

	metaSize   = 512 // what is read of page 0
	headerSize = 26  // of any other page

	pageInvalid      = 0
	pageHashUnsorted = 2
	pageOverflow     = 7
	pageHashMeta     = 8
	pageHash         = 13

	itemKeyData = 1
	itemOffPage = 3

	// MinPage and MaxPage are the smallest and the largest page size of Berkeley DB.
	MinPage, MaxPage = 512, 64 << 10
)

// Is reports whether the data begin as a hash database does.
func Is(data []byte) bool {
	if len(data) < 16 {
		return false
	}
	return binary.LittleEndian.Uint32(data[12:]) == hashMagic || binary.BigEndian.Uint32(data[12:]) == hashMagic
}

type reader struct {
	data  []byte
	order binary.ByteOrder
	size  uint32 // of a page
	pages uint32
	seen  []uint64 // bits: pages that were read
	buf   []byte
}

// Each calls yield for each package of rpm in the database, in the order of the
// buckets. The number is rpm's, the value is valid during the call only. An error
// is of kind [assay.ErrInvalid] and names the page, or is yield's.
//
// A page is read once: a chain of pages that goes in a circle, or two values that
// share pages, are an error. So values add up to less than the database.
func Each(data []byte, yield func(number uint32, value []byte) error) error {
	r := &reader{data: data}
	if err := r.open(); err != nil {
		return err
	}
	meta := data[:metaSize]
	buckets := r.order.Uint32(meta[72:])
	if buckets >= r.pages {
		return invalid(0, strconv.FormatUint(uint64(buckets), 10)+" as the last bucket", "less than the "+strconv.FormatUint(uint64(r.pages), 10)+" pages")
	}
	for b := range buckets + 1 {
		// Buckets were added in groups that double, each group at its own offset.
		group := bits.Len32(b)
		if group >= 32 {
			return invalid(0, "bucket "+strconv.FormatUint(uint64(b), 10), "a bucket of 32 groups")
		}
		page := b + r.order.Uint32(meta[96+4*group:])
		if err := r.bucket(page, yield); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) open() error {
	if len(r.data) < metaSize {
		return invalid(0, strconv.Itoa(len(r.data))+" bytes", "a page of at least 512 bytes")
	}
	switch {
	case binary.LittleEndian.Uint32(r.data[12:]) == hashMagic:
		r.order = binary.LittleEndian
	case binary.BigEndian.Uint32(r.data[12:]) == hashMagic:
		r.order = binary.BigEndian
	case binary.LittleEndian.Uint32(r.data[12:]) == btreeMagic, binary.BigEndian.Uint32(r.data[12:]) == btreeMagic:
		return invalid(0, "a btree database", "a hash database")
	default:
		return invalid(0, "magic "+strconv.Quote(string(r.data[12:16])), "a Berkeley DB hash database")
	}
	if v := r.order.Uint32(r.data[16:]); v < 7 || v > 10 {
		return invalid(0, "hash version "+strconv.FormatUint(uint64(v), 10), "7 to 10")
	}
	if e := r.data[24]; e != 0 {
		return invalid(0, "encryption "+strconv.Itoa(int(e)), "a database that is not encrypted")
	}
	if t := r.data[25]; t != pageHashMeta {
		return invalid(0, "type "+strconv.Itoa(int(t)), "a page of type 8")
	}
	r.size = r.order.Uint32(r.data[20:])
	if r.size < MinPage || r.size > MaxPage || r.size&(r.size-1) != 0 {
		return invalid(0, "page size "+strconv.FormatUint(uint64(r.size), 10), "a power of two from 512 to 65536")
	}
	r.pages = uint32(min(uint64(len(r.data))/uint64(r.size), 1<<32-1))
	if last := r.order.Uint32(r.data[32:]); last >= r.pages {
		return invalid(0, strconv.Itoa(len(r.data))+" bytes", "at least "+strconv.FormatUint((uint64(last)+1)*uint64(r.size), 10)+" for page "+strconv.FormatUint(uint64(last), 10))
	}
	r.seen = make([]uint64, r.pages/64+1)
	return nil
}

// page gives a page that was not read before.
func (r *reader) page(n uint32) ([]byte, error) {
	if n == 0 || n >= r.pages {
		return nil, invalid(n, "page "+strconv.FormatUint(uint64(n), 10), "one of the "+strconv.FormatUint(uint64(r.pages), 10)+" pages")
	}
	if r.seen[n/64]&(1<<(n%64)) != 0 {
		return nil, invalid(n, "a page that belongs to two values", "each page once")
	}
	r.seen[n/64] |= 1 << (n % 64)
	p := r.data[uint64(n)*uint64(r.size):][:r.size:r.size]
	if at := r.order.Uint32(p[8:]); at != n && p[25] != pageInvalid {
		return nil, invalid(n, "page number "+strconv.FormatUint(uint64(at), 10), strconv.FormatUint(uint64(n), 10))
	}
	return p, nil
}

func (r *reader) bucket(n uint32, yield func(uint32, []byte) error) error {
	for first := true; n != 0; first = false {
		p, err := r.page(n)
		if err != nil {
			return err
		}
		switch t := p[25]; {
		case t == pageHash || t == pageHashUnsorted:
		case t == pageInvalid && first && allZero(p[12:]):
			return nil // a bucket that nothing was put into yet
		default:
			return invalid(n, "type "+strconv.Itoa(int(t)), "a hash page")
		}
		if err := r.items(n, p, yield); err != nil {
			return err
		}
		n = r.order.Uint32(p[16:])
	}
	return nil
}

// items reads the pairs of key and value of one page.
func (r *reader) items(n uint32, p []byte, yield func(uint32, []byte) error) error {
	count := int(r.order.Uint16(p[20:]))
	if count%2 != 0 || headerSize+2*count > len(p) {
		return invalid(n, strconv.Itoa(count)+" items", "pairs that fit the page")
	}
	end := len(p)
	item := func(i int) ([]byte, error) {
		at := int(r.order.Uint16(p[headerSize+2*i:]))
		if at < headerSize+2*count || at >= end {
			return nil, invalid(n, "item "+strconv.Itoa(i)+" at "+strconv.Itoa(at), "an offset below "+strconv.Itoa(end))
		}
		it := p[at:end]
		end = at
		return it, nil
	}
	for i := 0; i < count; i += 2 {
		key, err := item(i)
		if err != nil {
			return err
		}
		value, err := item(i + 1)
		if err != nil {
			return err
		}
		if key[0] != itemKeyData || len(key) != 5 {
			return invalid(n, "key of type "+strconv.Itoa(int(key[0]))+" and "+strconv.Itoa(len(key)-1)+" bytes", "a number of 4 bytes")
		}
		number := r.order.Uint32(key[1:])
		var data []byte
		switch value[0] {
		case itemKeyData:
			data = value[1:]
		case itemOffPage:
			if len(value) < 12 {
				return invalid(n, "a reference of "+strconv.Itoa(len(value))+" bytes", "12 bytes")
			}
			if data, err = r.overflow(r.order.Uint32(value[4:]), r.order.Uint32(value[8:])); err != nil {
				return err
			}
		default:
			return invalid(n, "value of type "+strconv.Itoa(int(value[0])), "1 (here) or 3 (elsewhere)")
		}
		if number == 0 {
			continue // the next number that rpm gives
		}
		if err := yield(number, data); err != nil {
			return err
		}
	}
	return nil
}

// overflow joins the pages of a value. The buffer is used again.
func (r *reader) overflow(n, length uint32) ([]byte, error) {
	if uint64(length) > uint64(len(r.data)) {
		return nil, invalid(n, "a value of "+strconv.FormatUint(uint64(length), 10)+" bytes", "less than the database")
	}
	r.buf = r.buf[:0]
	first := n
	for n != 0 {
		p, err := r.page(n)
		if err != nil {
			return nil, err
		}
		if p[25] != pageOverflow {
			return nil, invalid(n, "type "+strconv.Itoa(int(p[25])), "an overflow page")
		}
		used := int(r.order.Uint16(p[22:]))
		if headerSize+used > len(p) || len(r.buf)+used > int(length) {
			return nil, invalid(n, strconv.Itoa(used)+" bytes", "what fits the page and the value")
		}
		r.buf = append(r.buf, p[headerSize:headerSize+used]...)
		n = r.order.Uint32(p[16:])
	}
	if len(r.buf) != int(length) {
		return nil, invalid(first, strconv.Itoa(len(r.buf))+" bytes", "a value of "+strconv.FormatUint(uint64(length), 10))
	}
	return r.buf, nil
}

func allZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

func invalid(page uint32, value, want string) *assay.Error {
	return &assay.Error{Op: "read Berkeley DB", Kind: assay.ErrInvalid, Field: "page " + strconv.FormatUint(uint64(page), 10), Value: value, Bound: want}
}
