package java

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

// The records of a zip file (APPNOTE 6.3.10, 4.3).
const (
	localSize   = 30
	entrySize   = 46
	endSize     = 22
	end64Size   = 56
	locatorSize = 20
	stored      = 0
	deflated    = 8
	encrypted   = 1
	largeExtra  = 1 // tag of the zip64 extended information
)

var (
	localMagic   = []byte("PK\x03\x04")
	entryMagic   = []byte("PK\x01\x02")
	endMagic     = []byte("PK\x05\x06")
	end64Magic   = []byte("PK\x06\x06")
	locatorMagic = []byte("PK\x06\x07")
)

// zipEntry is an entry of the central directory, which is what Java goes by.
type zipEntry struct {
	name         []byte
	method       uint16
	flags        uint16
	sum          uint32
	packed, size uint64
	at           uint64 // of the local header, in the content
}

var errZip = errors.New("zip")

// tailSize is where the record is that ends an archive: it is followed by a comment of
// at most 65,535 bytes.
const tailSize = endSize + 1<<16

// zipEntries calls yield for each entry of the central directory. It allocates
// nothing for an entry: an archive can be made to have some millions of them.
func zipEntries(c *sparse.Content, yield func(zipEntry) error) error {
	// The comment can hold what looks like a record.
	from := c.Size() - min(c.Size(), tailSize)
	tail := c.Slice(from, c.Size()-from)
	end := -1
	for to := len(tail); end < 0; {
		at := bytes.LastIndex(tail[:to], endMagic)
		if at < 0 {
			return fmt.Errorf("%w: no end of the central directory", errZip)
		}
		if n := len(tail) - at; n >= endSize && endSize+int(binary.LittleEndian.Uint16(tail[at+20:])) <= n {
			end = at
		}
		to = at + len(endMagic) - 1
	}
	e := tail[end:]
	ends := from + uint64(end)
	num, size, offset := binary.LittleEndian.Uint16(e[10:]), uint64(binary.LittleEndian.Uint32(e[12:])), uint64(binary.LittleEndian.Uint32(e[16:]))
	if num == 0xffff || size == 0xffffffff || offset == 0xffffffff {
		if l := ends - min(ends, locatorSize); ends >= locatorSize && bytes.HasPrefix(c.Slice(l, locatorSize), locatorMagic) {
			at := binary.LittleEndian.Uint64(c.Slice(l, locatorSize)[8:])
			r := c.Slice(at, end64Size)
			// What stands before the archive is not counted in the offset.
			if at > l || l-at < end64Size || !bytes.HasPrefix(r, end64Magic) {
				near := l - min(l, tailSize)
				if i := bytes.LastIndex(c.Slice(near, l-near), end64Magic); i >= 0 {
					at, r = near+uint64(i), c.Slice(near+uint64(i), end64Size)
				}
			}
			if at > l || l-at < end64Size || !bytes.HasPrefix(r, end64Magic) {
				return fmt.Errorf("%w: no zip64 end of the central directory", errZip)
			}
			size, offset = binary.LittleEndian.Uint64(r[40:]), binary.LittleEndian.Uint64(r[48:])
			ends = at
		}
	}
	if size > ends {
		return fmt.Errorf("%w: a central directory of %d bytes in %d", errZip, size, ends)
	}
	start := ends - size // the archive may have a program before it
	if offset > start {
		return fmt.Errorf("%w: a central directory at %d, which ends at %d", errZip, offset, ends)
	}
	before := start - offset
	dir := c.Slice(start, size)
	for i := uint64(0); len(dir) > 0; i++ {
		if len(dir) < entrySize || !bytes.HasPrefix(dir, entryMagic) {
			return fmt.Errorf("%w: entry %d is broken", errZip, i)
		}
		name, extra, comment := int(binary.LittleEndian.Uint16(dir[28:])), int(binary.LittleEndian.Uint16(dir[30:])), int(binary.LittleEndian.Uint16(dir[32:]))
		n := entrySize + name + extra + comment
		if len(dir) < n {
			return fmt.Errorf("%w: entry %d is cut", errZip, i)
		}
		z := zipEntry{
			name: dir[entrySize : entrySize+name], flags: binary.LittleEndian.Uint16(dir[8:]), method: binary.LittleEndian.Uint16(dir[10:]),
			sum: binary.LittleEndian.Uint32(dir[16:]), packed: uint64(binary.LittleEndian.Uint32(dir[20:])), size: uint64(binary.LittleEndian.Uint32(dir[24:])),
			at: uint64(binary.LittleEndian.Uint32(dir[42:])),
		}
		z.large(dir[entrySize+name : entrySize+name+extra])
		z.at += before
		if err := yield(z); err != nil {
			return err
		}
		dir = dir[n:]
	}
	return nil
}

// large takes over sizes that do not fit into 32 bits.
func (z *zipEntry) large(extra []byte) {
	for len(extra) >= 4 {
		tag, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		if tag == largeExtra {
			b := extra[:n]
			for _, v := range []*uint64{&z.size, &z.packed, &z.at} {
				if *v == 0xffffffff && len(b) >= 8 {
					*v, b = binary.LittleEndian.Uint64(b), b[8:]
				}
			}
		}
		extra = extra[n:]
	}
}

// body is where the content of an entry is, as it is stored, by its local header.
func (z *zipEntry) body(header []byte) (from uint64, err error) {
	if !bytes.HasPrefix(header, localMagic) {
		return 0, fmt.Errorf("%w: no local header", errZip)
	}
	return z.at + localSize + uint64(binary.LittleEndian.Uint16(header[26:])) + uint64(binary.LittleEndian.Uint16(header[28:])), nil
}

// slack is how much more there may be in a local header than in the directory.
const slack = 4096

// raw is the content of an entry as it is stored.
func (z *zipEntry) raw(c *sparse.Content) ([]byte, error) {
	if !c.Inside(z.at, localSize) {
		return nil, fmt.Errorf("%w: no local header", errZip)
	}
	header := c.Kept(z.at, localSize)
	if header == nil { // then neither is what follows
		to := min(c.Size()-z.at, localSize+uint64(len(z.name))+slack+min(z.packed, c.Size()))
		c.Slice(z.at, to)
		return nil, errLacks
	}
	from, err := z.body(header)
	if err != nil {
		return nil, err
	}
	if !c.Inside(from, z.packed) {
		return nil, errCut
	}
	if z.packed == 0 {
		return nil, nil
	}
	if data := c.Slice(from, z.packed); data != nil {
		return data, nil
	}
	return nil, errLacks
}

var errCut = fmt.Errorf("%w: the content is cut", errZip)

// errLacks is not seen by anybody: what lacks a part is read again.
var errLacks = errors.New("it is not kept")

// open gives the content of an entry. That of a stored one is a part of the archive;
// owned tells that it is not, and is in memory that buffer gave, after an error too.
func (z *zipEntry) open(c *sparse.Content, inflater *io.ReadCloser, buffer func(uint64) []byte) (data []byte, owned bool, err error) {
	raw, err := z.raw(c)
	if err != nil {
		return nil, false, err
	}
	switch {
	case z.flags&encrypted != 0:
		return nil, false, fmt.Errorf("%w: it is encrypted", errZip)
	case z.method == stored:
		if uint64(len(raw)) != z.size {
			return nil, false, fmt.Errorf("%w: %d bytes, the directory says %d", errZip, len(raw), z.size)
		}
		data = raw
	case z.method == deflated:
		// Deflate cannot give more than 1032 bytes for one.
		if z.size > uint64(len(raw))*1032+64 {
			return nil, false, fmt.Errorf("%w: %d bytes cannot become %d", errZip, len(raw), z.size)
		}
		if *inflater == nil {
			*inflater = flate.NewReader(bytes.NewReader(raw))
		} else if err := (*inflater).(flate.Resetter).Reset(bytes.NewReader(raw), nil); err != nil {
			return nil, false, err
		}
		data, owned = buffer(z.size), true
		if _, err := io.ReadFull(*inflater, data); err != nil {
			return data, true, fmt.Errorf("%w: %w", errZip, err)
		}
		var more [1]byte
		if n, err := (*inflater).Read(more[:]); n > 0 || err != io.EOF {
			return data, true, fmt.Errorf("%w: more than the %d bytes that the directory says", errZip, z.size)
		}
	default:
		return nil, false, fmt.Errorf("%w: compression method %d", errZip, z.method)
	}
	if got := crc32.ChecksumIEEE(data); got != z.sum {
		return data, owned, fmt.Errorf("%w: checksum %08x, the directory says %08x", errZip, got, z.sum)
	}
	return data, owned, nil
}
