package sqlite

import (
	"encoding/binary"
	"strconv"

	"github.com/assaykit/assay"
)

const (
	logMagic   = 0x377f0682 // the last bit tells the byte order of the checksums
	logVersion = 3007000
	logHeader  = 32
	frameSize  = 24
)

// Log is what a write-ahead log holds of the last transaction that was committed.
type Log struct {
	size  int
	count uint32 // pages of the database
	pages map[uint32][]byte
}

// ParseLog reads a write-ahead log (sqlite.org/fileformat2.html, section 4) as a
// process does that opens the database first: frames count as long as their salts are
// those of the header and their checksums, each over all before it, are right, and of
// those all up to the last one that ends a transaction. What is behind is of a
// transaction that was not finished or of one that a checkpoint finished before.
// keep makes copies of the pages.
//
// An empty log, or one whose header was not written, has no pages. An error is of
// kind [assay.ErrInvalid]: this is no log, and SQLite reads the database without it,
// or not at all if it is of another version.
func ParseLog(data []byte, keep func([]byte) []byte) (*Log, error) {
	l := &Log{pages: map[uint32][]byte{}}
	if len(data) < logHeader || allZero(data[:logHeader]) {
		return l, nil
	}
	m := binary.BigEndian.Uint32(data)
	if m&^1 != logMagic {
		return nil, badLog(0, "magic "+strconv.FormatUint(uint64(m), 16), "377f0682 or 377f0683")
	}
	var order binary.ByteOrder = binary.LittleEndian
	if m&1 != 0 {
		order = binary.BigEndian
	}
	if v := binary.BigEndian.Uint32(data[4:]); v != logVersion {
		return nil, badLog(0, "version "+strconv.FormatUint(uint64(v), 10), strconv.Itoa(logVersion))
	}
	if l.size = pageSize(binary.BigEndian.Uint32(data[8:])); l.size == 0 {
		return nil, badLog(0, "page size "+strconv.FormatUint(uint64(binary.BigEndian.Uint32(data[8:])), 10), "a power of two from 512 to 65536")
	}
	sum := checksum{order: order}
	sum.add(data[:24])
	if !sum.is(data[24:]) {
		return nil, badLog(0, "a header that does not match its checksum", "one that does")
	}
	salts := string(data[16:24])
	// at is where the newest version of a page is, of the transaction that is being
	// read in next, and of those that ended in at.
	at, next := map[uint32]int{}, map[uint32]int{}
	for o := logHeader; len(data)-o >= frameSize+l.size; o += frameSize + l.size {
		f := data[o:]
		page, count := binary.BigEndian.Uint32(f), binary.BigEndian.Uint32(f[4:])
		if string(f[8:16]) != salts || page == 0 {
			break
		}
		sum.add(f[:8])
		sum.add(f[frameSize : frameSize+l.size])
		if !sum.is(f[16:]) {
			break
		}
		next[page] = o + frameSize
		if count == 0 {
			continue
		}
		l.count = count
		for p, o := range next {
			at[p] = o
		}
		clear(next)
	}
	for p, o := range at {
		if p <= l.count {
			l.pages[p] = keep(data[o : o+l.size])
		}
	}
	return l, nil
}

// Pages is how many pages of the database the log has.
func (l *Log) Pages() int { return len(l.pages) }

// checksum is the algorithm of section 4.2.
type checksum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (c *checksum) add(p []byte) {
	a, b := c.a, c.b
	if c.order == binary.LittleEndian {
		for ; len(p) >= 8; p = p[8:] {
			a += binary.LittleEndian.Uint32(p) + b
			b += binary.LittleEndian.Uint32(p[4:]) + a
		}
	} else {
		for ; len(p) >= 8; p = p[8:] {
			a += binary.BigEndian.Uint32(p) + b
			b += binary.BigEndian.Uint32(p[4:]) + a
		}
	}
	c.a, c.b = a, b
}

// is compares with what is stored, which is big endian always.
func (c *checksum) is(stored []byte) bool {
	return binary.BigEndian.Uint32(stored) == c.a && binary.BigEndian.Uint32(stored[4:]) == c.b
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func badLog(offset int, value, want string) *assay.Error {
	return &assay.Error{Op: "read write-ahead log", Kind: assay.ErrInvalid, Field: "offset " + strconv.Itoa(offset), Value: value, Bound: want}
}
