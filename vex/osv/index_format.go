package osv

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/assaykit/assay"
)

// An index is one file, which is never changed:
//
//	header   8 bytes magic, 4 bytes format
//	records  one after the other, source by source, in the order of the sources
//	blocks   of the table, and between them the groups of names for one vulnerability
//	top      where each block of the table is, and its first key
//	meta     JSON: [Info], the ecosystems, where the records of each source are
//	footer   where top and meta are, the size of the file, checksums
//
// Everything outside of the header has a checksum of its own, which is compared when
// it is read: to compare one of the whole file would be to read it whole. It is read by
// position and not mapped, because a mapped file that is cut off while it is in use
// ends the process. That is why this is no embedded store: bbolt trusts the pages that
// it maps, and of 400 of its files that were cut off or had bits changed it ended the
// process by a signal for 55, panicked for 68, and gave other answers for 30.
const (
	magic      = "assayosv"
	format     = 2
	headerSize = 12
	footerSize = 4*8 + 8 + 3*4 + 8

	// blockSize is when a block of the table is full. It holds one entry at least.
	blockSize = 4 << 10
	// maxTop and maxMeta are far above what 100 million records need.
	maxTop  = 1 << 30
	maxMeta = 64 << 20
	// maxBlock is one entry of a package that ten million advisories are about.
	maxBlock = 1 << 27
)

// Keys of the table are a letter and what is looked up. The letters are in the order in
// which an index is built: what a group is depends on the records, and which records
// of a package stand as well.
const (
	keyRecord  = 'a' // an id: its records
	keyGroup   = 'g' // an id: the group of its aliases
	keyMark    = 'k' // an id: the records that say it is exploited
	keyPackage = 'p' // ecosystem, NUL, name: the parts of records about it
)

func header() []byte {
	return binary.BigEndian.AppendUint32([]byte(magic), format)
}

// footer says where things are.
type footer struct {
	top, meta       extent
	size            int64
	topCRC, metaCRC uint32
}

// extent is a piece of the file.
type extent struct{ at, n int64 }

func (f footer) encode() []byte {
	var b []byte
	for _, v := range []int64{f.top.at, f.top.n, f.meta.at, f.meta.n, f.size} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	b = binary.BigEndian.AppendUint32(b, f.topCRC)
	b = binary.BigEndian.AppendUint32(b, f.metaCRC)
	b = appendCRC(b, 0)
	return append(b, magic...)
}

// damaged is the error of an index that is not as it was written.
func damaged(path, field, value, bound string) *assay.Error {
	return &assay.Error{Op: "read advisory index", Kind: assay.ErrInvalid, Subject: path, Field: field, Value: value, Bound: bound}
}

// readFooter tells a file that is no index from one that is cut off, and from one of a
// format that is not known here.
func readFooter(path string, r io.ReaderAt, size int64) (footer, error) {
	var f footer
	head := make([]byte, headerSize)
	if n, err := r.ReadAt(head, 0); n < headerSize {
		if err != io.EOF {
			return f, unread(path, err)
		}
		if n == 0 || n < len(magic) || string(head[:len(magic)]) != magic {
			return f, damaged(path, "header", string(head[:n]), "an advisory index")
		}
		return f, damaged(path, "size", strconv.FormatInt(size, 10), "a whole file")
	}
	if string(head[:len(magic)]) != magic {
		return f, damaged(path, "header", string(head[:len(magic)]), "an advisory index")
	}
	if v := binary.BigEndian.Uint32(head[len(magic):]); v != format {
		return f, &assay.Error{Op: "read advisory index", Kind: assay.ErrUnchecked, Subject: path, Field: "format",
			Value: strconv.FormatUint(uint64(v), 10), Bound: strconv.Itoa(format) + "; build the index anew, or use the version of this library that wrote it"}
	}
	b := make([]byte, footerSize)
	if size < headerSize+footerSize {
		return f, damaged(path, "size", strconv.FormatInt(size, 10), "a whole file")
	}
	if _, err := r.ReadAt(b, size-footerSize); err != nil {
		return f, unread(path, err)
	}
	sums := b[:footerSize-len(magic)]
	if _, ok := checked(sums); !ok || !bytes.HasSuffix(b, []byte(magic)) {
		return f, damaged(path, "footer", "", "a whole file: this one is cut off or changed")
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	f.top, f.meta, f.size = extent{at(0), at(1)}, extent{at(2), at(3)}, at(4)
	f.topCRC, f.metaCRC = binary.BigEndian.Uint32(b[40:]), binary.BigEndian.Uint32(b[44:])
	if f.size != size {
		return f, damaged(path, "size", strconv.FormatInt(size, 10), strconv.FormatInt(f.size, 10)+" bytes")
	}
	if !f.top.within(size-footerSize, maxTop) || !f.meta.within(size-footerSize, maxMeta) {
		return f, damaged(path, "footer", "", "pieces that are in the file")
	}
	return f, nil
}

// within reports whether the piece is between the header and end, and at most most.
func (e extent) within(end, most int64) bool {
	return e.at >= headerSize && e.n >= 0 && e.n <= most && e.at <= end && e.n <= end-e.at
}

func unread(path string, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return damaged(path, "size", "", "a whole file: this one was cut off")
	}
	return &assay.Error{Op: "read advisory index", Kind: assay.ErrUnchecked, Subject: path, Err: err}
}

// readPiece reads a piece whose checksum is elsewhere.
func readPiece(path, what string, r io.ReaderAt, e extent, crc uint32) ([]byte, error) {
	b := make([]byte, e.n)
	if _, err := r.ReadAt(b, e.at); err != nil && (err != io.EOF || e.n > 0) {
		return nil, unread(path, err)
	}
	if crc32.Checksum(b, castagnoli) != crc {
		return nil, damaged(path, what, "", "the bytes that were written: the checksum differs")
	}
	return b, nil
}
