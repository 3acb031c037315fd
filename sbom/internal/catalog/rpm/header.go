package rpm

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"

	"github.com/assaykit/assay"
)

// Types of tags (rpm's manual, "RPM v4 header format").
const (
	typeChar        = 1
	typeInt8        = 2
	typeInt16       = 3
	typeInt32       = 4
	typeInt64       = 5
	typeString      = 6
	typeBinary      = 7
	typeStringArray = 8
	typeI18NString  = 9
)

// Tags that are read.
const (
	tagImmutable = 63 // the region that is what the package's author signed

	tagSigDSA     = 267
	tagSigRSA     = 268
	tagSHA1       = 269
	tagSHA256     = 273
	tagSigOpenPGP = 278
	tagSigPGP     = 259
	tagSigMD5     = 261
	tagSigGPG     = 262

	tagName             = 1000
	tagVersion          = 1001
	tagRelease          = 1002
	tagEpoch            = 1003
	tagSummary          = 1004
	tagVendor           = 1011
	tagLicense          = 1014
	tagPackager         = 1015
	tagURL              = 1020
	tagArch             = 1022
	tagOldFileNames     = 1027
	tagFileStates       = 1029
	tagSourceRPM        = 1044
	tagProvideName      = 1047
	tagRequireFlags     = 1048
	tagRequireName      = 1049
	tagRequireVersion   = 1050
	tagProvideFlags     = 1112
	tagProvideVersion   = 1113
	tagDirIndexes       = 1116
	tagBaseNames        = 1117
	tagDirNames         = 1118
	tagPayloadDigest    = 5092
	tagPayloadAlgorithm = 5093
	tagModularity       = 5096
)

const (
	// maxEntries and maxData are what rpm itself takes (lib/header.c).
	maxEntries = 0xffff
	maxData    = 256 << 20

	entrySize = 16
	introSize = 8
)

// headerMagic is what a header starts with in a package, and is hashed with.
const headerMagic = "\x8e\xad\xe8\x01\x00\x00\x00\x00"

type entry struct {
	tag, typ, at, count uint32
}

// header is the index of a header and its data.
type header struct {
	blob    []byte
	data    []byte
	entries map[uint32]entry
}

// parseHeader reads the index: number of entries, length of the data, entries of
// tag, type, offset and count, then the data. Tags that are not read are not looked
// into, but for their offset.
func parseHeader(blob []byte) (*header, error) {
	if len(blob) < introSize {
		return nil, invalid("header", strconv.Itoa(len(blob))+" bytes", "at least 8")
	}
	il, dl := binary.BigEndian.Uint32(blob), binary.BigEndian.Uint32(blob[4:])
	if il == 0 || il > maxEntries || dl > maxData {
		return nil, invalid("header", strconv.FormatUint(uint64(il), 10)+" entries and "+strconv.FormatUint(uint64(dl), 10)+" bytes",
			"1 to "+strconv.Itoa(maxEntries)+" entries and at most "+strconv.Itoa(maxData)+" bytes")
	}
	if want := introSize + entrySize*int(il) + int(dl); len(blob) != want {
		return nil, invalid("header", strconv.Itoa(len(blob))+" bytes", strconv.Itoa(want)+" by its lengths")
	}
	h := &header{blob: blob, data: blob[introSize+entrySize*int(il):], entries: make(map[uint32]entry, il)}
	for i := range int(il) {
		e := blob[introSize+entrySize*i:]
		x := entry{
			tag: binary.BigEndian.Uint32(e), typ: binary.BigEndian.Uint32(e[4:]),
			at: binary.BigEndian.Uint32(e[8:]), count: binary.BigEndian.Uint32(e[12:]),
		}
		if x.at > dl {
			return nil, invalid("tag "+strconv.FormatUint(uint64(x.tag), 10), "offset "+strconv.FormatUint(uint64(x.at), 10), "at most "+strconv.FormatUint(uint64(dl), 10))
		}
		// What was added on installation is behind the region and replaces what is
		// in it.
		h.entries[x.tag] = x
	}
	return h, nil
}

func (h *header) fault(tag uint32, value, want string) error {
	return invalid("tag "+strconv.FormatUint(uint64(tag), 10), value, want)
}

// text reads a string, or the first of several: of a translated one that is the
// one in no particular language. It is "" if the tag is not there.
func (h *header) text(tag uint32) (string, error) {
	e, ok := h.entries[tag]
	if !ok {
		return "", nil
	}
	if e.typ != typeString && e.typ != typeI18NString && e.typ != typeStringArray || e.count == 0 {
		return "", h.fault(tag, "type "+strconv.FormatUint(uint64(e.typ), 10), "a string")
	}
	b, _, ok := bytes.Cut(h.data[e.at:], []byte{0})
	if !ok {
		return "", h.fault(tag, "a string without an end", "NUL at its end")
	}
	return string(b), nil
}

// lines reads the strings of an array as they are, each with a NUL at its end.
func (h *header) lines(tag uint32) (b []byte, count int, err error) {
	e, ok := h.entries[tag]
	if !ok {
		return nil, 0, nil
	}
	if e.typ != typeStringArray && (e.typ != typeString || e.count != 1) {
		return nil, 0, h.fault(tag, "type "+strconv.FormatUint(uint64(e.typ), 10), "an array of strings")
	}
	rest := h.data[e.at:]
	if uint64(e.count) > uint64(len(rest)) {
		return nil, 0, h.fault(tag, strconv.FormatUint(uint64(e.count), 10)+" strings", "what fits in "+strconv.Itoa(len(rest))+" bytes")
	}
	n := 0
	for range e.count {
		i := bytes.IndexByte(rest[n:], 0)
		if i < 0 {
			return nil, 0, h.fault(tag, "a string without an end", "NUL at its end")
		}
		n += i + 1
	}
	return rest[:n], int(e.count), nil
}

// texts reads an array of strings.
func (h *header) texts(tag uint32) ([]string, error) {
	b, count, err := h.lines(tag)
	if err != nil || count == 0 {
		return nil, err
	}
	out := make([]string, 0, count)
	all := string(b)
	for from := 0; from < len(all); {
		end := from
		for all[end] != 0 {
			end++
		}
		out = append(out, all[from:end])
		from = end + 1
	}
	return out, nil
}

// numbers reads an array of 32 bit integers as they are, four bytes each.
func (h *header) numbers(tag uint32) ([]byte, error) { return h.array(tag, typeInt32, 4) }

func (h *header) array(tag, typ uint32, size int) ([]byte, error) {
	e, ok := h.entries[tag]
	if !ok {
		return nil, nil
	}
	if e.typ != typ {
		return nil, h.fault(tag, "type "+strconv.FormatUint(uint64(e.typ), 10), "type "+strconv.FormatUint(uint64(typ), 10))
	}
	rest := h.data[e.at:]
	if uint64(e.count)*uint64(size) > uint64(len(rest)) {
		return nil, h.fault(tag, strconv.FormatUint(uint64(e.count), 10)+" values", "what fits in "+strconv.Itoa(len(rest))+" bytes")
	}
	return rest[:int(e.count)*size], nil
}

func (h *header) has(tag uint32) bool { _, ok := h.entries[tag]; return ok }

// region writes the bytes that the digests of the header are of: what it was in the
// package, without what was added on installation. It is false if there is none, as
// in packages that rpm 3 made.
func (h *header) region(sum hash.Hash) bool {
	e := h.blob[introSize:]
	il := int(binary.BigEndian.Uint32(h.blob))
	if binary.BigEndian.Uint32(e) != tagImmutable || binary.BigEndian.Uint32(e[4:]) != typeBinary || binary.BigEndian.Uint32(e[12:]) != entrySize {
		return false
	}
	// The entry leads to a copy of itself at the end of the region, whose offset is
	// the length of the region's index, negative.
	end := int(binary.BigEndian.Uint32(e[8:]))
	if end+entrySize > len(h.data) {
		return false
	}
	back := -int64(int32(binary.BigEndian.Uint32(h.data[end+8:])))
	if back <= 0 || back%entrySize != 0 || back/entrySize > int64(il) {
		return false
	}
	intro := binary.BigEndian.AppendUint32([]byte(headerMagic), uint32(back/entrySize))
	sum.Write(binary.BigEndian.AppendUint32(intro, uint32(end+entrySize)))
	sum.Write(h.blob[introSize : introSize+int(back)])
	sum.Write(h.data[:end+entrySize])
	return true
}

// digest checks the header against the strongest digest that came with it, which
// it gives. The error is of kind [assay.ErrRefuted].
func (h *header) digest() (assay.Digest, error) {
	for _, d := range []struct {
		tag  uint32
		alg  assay.Algorithm
		hash func() hash.Hash
	}{{tagSHA256, assay.SHA256, sha256.New}, {tagSHA1, assay.SHA1, sha1.New}} {
		want, err := h.text(d.tag)
		if err != nil {
			return assay.Digest{}, err
		}
		if want == "" {
			continue
		}
		stated, err := assay.NewDigest(d.alg, want)
		if err != nil {
			return assay.Digest{}, err
		}
		sum := d.hash()
		if !h.region(sum) {
			return assay.Digest{}, nil
		}
		if have := hex.EncodeToString(sum.Sum(nil)); have != want {
			return assay.Digest{}, &assay.Error{Op: "check rpm header", Kind: assay.ErrRefuted, Field: "tag " + strconv.FormatUint(uint64(d.tag), 10),
				Value: have, Bound: want}
		}
		return stated, nil
	}
	return assay.Digest{}, nil
}

func invalid(field, value, want string) *assay.Error {
	return &assay.Error{Op: "read rpm header", Kind: assay.ErrInvalid, Field: field, Value: value, Bound: want}
}
