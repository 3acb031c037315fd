package toc

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// The footers at the very end of a blob.
const (
	stargzFooter    = 51 // an empty gzip member; its extra field has the table's offset
	stargzOldFooter = 47 // of stargz, before eStargz: without a subfield header
	chunkedFrame    = 8  // the header of a skippable frame
	chunkedFooter   = 64
	chunkedOld      = 40 // before there was tar-split
	manifestType    = 1  // a table like that of CRFS
	stargzMagic     = "STARGZ"
)

// maxFooter is the length of the longest footer.
const maxFooter = chunkedFrame + chunkedFooter

var chunkedMagics = [...]string{"GNUlInUx", "GnUlInUx"}

// parseStargzFooter finds the footer at the end of tail. It gives the offset of the
// table in the blob and the length of the footer.
func parseStargzFooter(tail []byte) (offset int64, length int, ok bool) {
	for _, n := range [...]int{stargzFooter, stargzOldFooter} {
		if len(tail) < n {
			continue
		}
		f := tail[len(tail)-n:]
		// RFC 1952: magic, method, a flag for the extra field and no other, its length.
		extra := 22
		if n == stargzFooter {
			extra = 26
		}
		if f[0] != 0x1f || f[1] != 0x8b || f[2] != 8 || f[3] != 4 || int(binary.LittleEndian.Uint16(f[10:])) != extra {
			continue
		}
		field := f[12 : 12+extra]
		if n == stargzFooter {
			if field[0] != 'S' || field[1] != 'G' || binary.LittleEndian.Uint16(field[2:]) != 22 {
				continue
			}
			field = field[4:]
		}
		if string(field[16:]) != stargzMagic {
			continue
		}
		at, err := strconv.ParseUint(string(field[:16]), 16, 50)
		if err != nil {
			continue
		}
		return int64(at), n, true
	}
	return 0, 0, false
}

// parseChunkedFooter finds the footer at the end of tail.
func parseChunkedFooter(tail []byte) (Position, bool) {
	for _, n := range [...]int{chunkedFooter, chunkedOld} {
		if len(tail) < chunkedFrame+n {
			continue
		}
		f := tail[len(tail)-n-chunkedFrame:]
		if !bytes.Equal(f[:4], []byte{0x50, 0x2a, 0x4d, 0x18}) || int(binary.LittleEndian.Uint32(f[4:])) != n {
			continue
		}
		f = f[chunkedFrame:]
		if magic := string(f[n-8:]); magic != chunkedMagics[0] && magic != chunkedMagics[1] {
			continue
		}
		var v [4]uint64
		small := true
		for i := range v {
			v[i] = binary.LittleEndian.Uint64(f[8*i:])
			small = small && v[i] > 0 && v[i] < 1<<50
		}
		if !small || v[3] != manifestType {
			continue
		}
		return Position{Offset: int64(v[0]), Length: int64(v[1]), Inflated: int64(v[2])}, true
	}
	return Position{}, false
}
