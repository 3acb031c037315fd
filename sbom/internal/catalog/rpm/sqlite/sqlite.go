// Package sqlite reads the rows of a table of an SQLite 3 database, its write-ahead
// log included, from bytes and without writing anything (sqlite.org/fileformat2.html).
//
// Start with [Open]; [ParseLog] reads the log and [Database.With] applies it. A
// database and its log can come from different places at different times, so both
// can be kept: [Database.Keep] is the database without what the table does not need.
package sqlite

import (
	"encoding/binary"
	"strconv"

	"github.com/assaykit/assay"
)

const (
	magic      = "SQLite format 3\x00"
	headerSize = 100
)

// Is reports whether the data begin as an SQLite 3 database does.
func Is(data []byte) bool { return len(data) >= len(magic) && string(data[:len(magic)]) == magic }

// Database is a database that can be read several times. It does not change.
type Database struct {
	size  int    // of a page
	file  []byte // the whole file, or
	kept  map[uint32][]byte
	pages uint32 // that the file has
	log   *Log   // nil if there is none
}

// Open reads the header of a database. data is kept. An error is of kind
// [assay.ErrInvalid].
func Open(data []byte) (*Database, error) {
	if len(data) < headerSize {
		return nil, invalid(1, strconv.Itoa(len(data))+" bytes", "a header of 100 bytes")
	}
	if !Is(data) {
		return nil, invalid(1, strconv.Quote(string(data[:len(magic)])), "an SQLite 3 database")
	}
	size := pageSize(uint32(binary.BigEndian.Uint16(data[16:])))
	if size == 0 {
		return nil, invalid(1, "page size "+strconv.Itoa(int(binary.BigEndian.Uint16(data[16:]))), "a power of two from 512 to 65536")
	}
	if len(data) < size {
		return nil, invalid(1, strconv.Itoa(len(data))+" bytes", "a page of "+strconv.Itoa(size))
	}
	return &Database{size: size, file: data, pages: uint32(min(int64(len(data)/size), 1<<32-2))}, nil
}

// pageSize gives 0 for what is none. The header has 1 for 65536, the log has 65536.
func pageSize(n uint32) int {
	if n == 1 {
		n = 1 << 16
	}
	if n < 512 || n > 1<<16 || n&(n-1) != 0 {
		return 0
	}
	return int(n)
}

// With gives the database as it is with a log. A log whose pages have another size
// is an error of kind [assay.ErrInvalid].
func (d *Database) With(log *Log) (*Database, error) {
	if log == nil || len(log.pages) == 0 {
		return d, nil
	}
	if log.size != d.size {
		return nil, invalid(1, "a log with pages of "+strconv.Itoa(log.size)+" bytes", "pages of "+strconv.Itoa(d.size))
	}
	with := *d
	with.log = log
	return &with, nil
}

// Keep gives the database with copies of those pages that reading the table takes,
// for later. keep makes the copies. If the table cannot be read all pages are kept,
// because the log may have what is missing: a checkpoint that was interrupted leaves
// a database that is sound with its log only.
//
// A page that the log starts to use for the table is in the log; so nothing is
// missing that a log could need.
func (d *Database) Keep(table string, keep func([]byte) []byte) *Database {
	w := d.walker()
	err := w.table(table, func(int64, [][]byte) error { return nil })
	out := &Database{size: d.size, pages: d.pages, kept: map[uint32][]byte{}}
	if err != nil {
		for n := range d.pages {
			out.kept[n+1] = keep(d.stored(n + 1))
		}
		return out
	}
	for n := range w.seen {
		out.kept[n] = keep(d.stored(n))
	}
	return out
}

// stored gives a page of the file, nil if it is not there.
func (d *Database) stored(n uint32) []byte {
	if d.kept != nil {
		return d.kept[n]
	}
	if n == 0 || n > d.pages {
		return nil
	}
	return d.file[int(n-1)*d.size:][:d.size:d.size]
}

// page gives a page as a reader of database and log sees it.
func (d *Database) page(n uint32) []byte {
	if d.log != nil {
		if n > d.log.count {
			return nil
		}
		if p := d.log.pages[n]; p != nil {
			return p
		}
	}
	return d.stored(n)
}

// Each calls yield for the rows of a table, in the order of their numbers. The
// columns of a row are nil for null; text and blobs are their bytes; integers and
// floating point numbers are as stored, big endian, without leading bytes. They are
// valid during the call only. A column that is the number of the row is null, as it
// is stored.
//
// An error is of kind [assay.ErrInvalid] and names the page; of kind
// [assay.ErrAbsent] if there is no such table; or yield's. A page is read once, so
// circles are an error and all rows add up to less than the database.
func (d *Database) Each(table string, yield func(row int64, columns [][]byte) error) error {
	return d.walker().table(table, yield)
}

func (d *Database) walker() *walker { return &walker{d: d, seen: map[uint32]bool{}} }

// header checks page 1, which the log may have.
func (d *Database) header() (usable int, err error) {
	h := d.page(1)
	if h == nil || !Is(h) {
		return 0, invalid(1, "no header", "an SQLite 3 database")
	}
	if s := pageSize(uint32(binary.BigEndian.Uint16(h[16:]))); s != d.size {
		return 0, invalid(1, "page size "+strconv.Itoa(s), strconv.Itoa(d.size))
	}
	if v := h[19]; v > 2 {
		return 0, invalid(1, "format version "+strconv.Itoa(int(v)), "1 or 2")
	}
	usable = d.size - int(h[20])
	if usable < 480 {
		return 0, invalid(1, strconv.Itoa(usable)+" usable bytes in a page", "at least 480")
	}
	if e := binary.BigEndian.Uint32(h[56:]); e > 1 {
		return 0, invalid(1, "text encoding "+strconv.FormatUint(uint64(e), 10), "1 (UTF-8)")
	}
	// The number of pages counts only if the writer knew of it.
	if n := binary.BigEndian.Uint32(h[28:]); d.log == nil && n > d.pages && binary.BigEndian.Uint32(h[24:]) == binary.BigEndian.Uint32(h[92:]) {
		return 0, invalid(1, strconv.FormatUint(uint64(d.pages), 10)+" pages", strconv.FormatUint(uint64(n), 10)+" as the header says")
	}
	return usable, nil
}

func invalid(page uint32, value, want string) *assay.Error {
	return &assay.Error{Op: "read SQLite database", Kind: assay.ErrInvalid, Field: "page " + strconv.FormatUint(uint64(page), 10), Value: value, Bound: want}
}
