package python

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"

	"github.com/assaykit/assay"
)

// ErrNoMetadata tells that an archive is a zip file that holds no metadata of a
// package, as an egg of plain modules does.
var ErrNoMetadata = errors.New("no metadata of a package")

// maxMetadata bounds metadata inside of an archive, in bytes. They are inflated.
const maxMetadata = 16 << 20

// ParseArchive reads the metadata of a wheel ("NAME-VERSION.dist-info/METADATA", PEP
// 427) or an egg ("EGG-INFO/PKG-INFO"). The name is for errors, which are
// [ErrNoMetadata] or of kind [assay.ErrInvalid], [assay.ErrBound] or, for a zip
// feature that is not read here (zip64, other compression than deflate),
// [assay.ErrUnchecked]. Nothing but these files is inflated, and the list of files is
// walked where it lies, so the size of the archive bounds the cost.
func ParseArchive(name string, data []byte) (*Package, error) {
	entries := zipDirectory{name: name, data: data}
	if err := entries.open(); err != nil {
		return nil, err
	}
	var found, requires zipEntry
	for {
		e, err := entries.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		dir, base, ok := strings.Cut(e.name, "/")
		switch {
		case !ok:
		case base == "METADATA" && strings.HasSuffix(dir, ".dist-info"), base == "PKG-INFO" && dir == "EGG-INFO":
			if found.name != "" {
				return nil, entries.invalid(e.name, "metadata once")
			}
			found = e
		case base == "requires.txt" && dir == "EGG-INFO":
			requires = e
		}
	}
	if found.name == "" {
		return nil, ErrNoMetadata
	}
	text, err := entries.content(found)
	if err != nil {
		return nil, err
	}
	p, err := ParseMetadata(name, text)
	if err != nil {
		return nil, err
	}
	if requires.name != "" && len(p.Requires) == 0 {
		if text, err = entries.content(requires); err != nil {
			return nil, err
		}
		var partial bool
		p.Requires, partial = ParseRequires(text)
		p.Partial = p.Partial || partial
	}
	return p, nil
}

// zipDirectory walks the central directory of a zip file (APPNOTE.TXT 6.3.10, 4.3).
type zipDirectory struct {
	name string
	data []byte
	dir  []byte // what is left of the directory
	base int    // what precedes the archive, a script for instance
}

type zipEntry struct {
	name           string
	method         uint16
	packed, size   uint32
	offset, crcSum uint32
}

func (z *zipDirectory) invalid(field, want string) *assay.Error {
	return &assay.Error{Op: "read Python archive", Kind: assay.ErrInvalid, Subject: z.name, Field: field, Bound: want}
}

func (z *zipDirectory) unsupported(field, value string) *assay.Error {
	return &assay.Error{Op: "read Python archive", Kind: assay.ErrUnchecked, Subject: z.name, Field: field, Value: value}
}

func (z *zipDirectory) open() error {
	const end = 22 // the length of the end record without its comment
	tail := z.data[max(0, len(z.data)-end-65535):]
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || len(tail)-i < end {
		return z.invalid("", "an end of central directory record")
	}
	rec := tail[i:]
	size, offset := binary.LittleEndian.Uint32(rec[12:]), binary.LittleEndian.Uint32(rec[16:])
	if size == 0xffffffff || offset == 0xffffffff {
		return z.unsupported("", "zip64")
	}
	at := len(z.data) - len(tail) + i // of the end record, which the directory precedes
	begin := int64(at) - int64(size)
	if begin < 0 || begin < int64(offset) {
		return z.invalid("", "a central directory in the file")
	}
	z.base = int(begin - int64(offset))
	z.dir = z.data[begin:at]
	return nil
}

func (z *zipDirectory) next() (zipEntry, error) {
	const fixed = 46
	if len(z.dir) == 0 {
		return zipEntry{}, io.EOF
	}
	if len(z.dir) < fixed || !bytes.HasPrefix(z.dir, []byte("PK\x01\x02")) {
		return zipEntry{}, z.invalid("central directory", "an entry")
	}
	le := binary.LittleEndian
	h := z.dir
	n, extra, comment := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
	if len(h) < fixed+n+extra+comment {
		return zipEntry{}, z.invalid("central directory", "a whole entry")
	}
	z.dir = h[fixed+n+extra+comment:]
	e := zipEntry{method: le.Uint16(h[10:]), crcSum: le.Uint32(h[16:]), packed: le.Uint32(h[20:]), size: le.Uint32(h[24:]), offset: le.Uint32(h[42:])}
	// Only names that can be of interest are copied.
	if name := h[fixed : fixed+n]; bytes.HasSuffix(name, []byte("/METADATA")) || bytes.HasPrefix(name, []byte("EGG-INFO/")) {
		e.name = string(name)
	}
	return e, nil
}

func (z *zipDirectory) content(e zipEntry) ([]byte, error) {
	const fixed = 30
	at := int64(z.base) + int64(e.offset)
	if at+fixed > int64(len(z.data)) || !bytes.HasPrefix(z.data[at:], []byte("PK\x03\x04")) {
		return nil, z.invalid(e.name, "a local header")
	}
	le := binary.LittleEndian
	h := z.data[at:]
	from := at + fixed + int64(le.Uint16(h[26:])) + int64(le.Uint16(h[28:]))
	if from+int64(e.packed) > int64(len(z.data)) {
		return nil, z.invalid(e.name, "its content in the file")
	}
	if e.size > maxMetadata {
		return nil, &assay.Error{Op: "read Python archive", Kind: assay.ErrBound, Subject: z.name, Field: e.name, Value: "more bytes", Bound: "at most 16777216"}
	}
	packed := z.data[from : from+int64(e.packed)]
	var out []byte
	switch e.method {
	case 0:
		out = packed
	case 8:
		r := flate.NewReader(bytes.NewReader(packed))
		var err error
		if out, err = io.ReadAll(io.LimitReader(r, int64(e.size)+1)); err != nil {
			bad := z.invalid(e.name, "deflated content")
			bad.Err = err
			return nil, bad
		}
	default:
		return nil, z.unsupported(e.name, "compression other than deflate")
	}
	if len(out) != int(e.size) || crc32.ChecksumIEEE(out) != e.crcSum {
		return nil, z.invalid(e.name, "content of the size and checksum that the directory states")
	}
	return out, nil
}
