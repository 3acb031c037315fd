// Package ndb reads the packages of rpm's own database format (Packages.db), as
// SUSE's distributions have it.
//
// Start with [Each].
package ndb

import (
	"bytes"
	"encoding/binary"
	"hash/adler32"
	"strconv"

	"github.com/assaykit/assay"
)

const (
	magic     = "RpmP"
	slotMagic = "Slot"
	blobMagic = "BlbS"
	tailMagic = "BlbE"

	slotSize = 16
	pageSize = 4096
	block    = 16 // the unit of offsets and lengths
	headSize = 16
	tailSize = 12
)

// Is reports whether the data begin as such a database does.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }

// Each calls yield for each package in the database, in the order of its slots. The
// value is part of data. An error is of kind [assay.ErrInvalid] and names the slot,
// of kind [assay.ErrRefuted] if a package does not match its checksum, or is
// yield's. Values add up to no more than the database.
func Each(data []byte, yield func(number uint32, value []byte) error) error {
	if len(data) < 2*slotSize {
		return invalid(0, strconv.Itoa(len(data))+" bytes", "a header of 32 bytes")
	}
	if !Is(data) {
		return invalid(0, strconv.Quote(string(data[:4])), strconv.Quote(magic))
	}
	if v := binary.LittleEndian.Uint32(data[4:]); v != 0 {
		return invalid(0, "version "+strconv.FormatUint(uint64(v), 10), "version 0")
	}
	pages := uint64(binary.LittleEndian.Uint32(data[12:]))
	if pages == 0 || pages*pageSize > uint64(len(data)) {
		return invalid(0, strconv.FormatUint(pages, 10)+" pages of slots", "1 to "+strconv.Itoa(len(data)/pageSize))
	}
	slots := int(pages * pageSize / slotSize)
	left := uint64(len(data)) - pages*pageSize
	numbers := map[uint32]bool{}
	for i := 2; i < slots; i++ { // the header takes the room of two
		s := data[i*slotSize:][:slotSize]
		if string(s[:4]) != slotMagic {
			return invalid(i, strconv.Quote(string(s[:4])), strconv.Quote(slotMagic))
		}
		number := binary.LittleEndian.Uint32(s[4:])
		if number == 0 {
			continue
		}
		if numbers[number] {
			return invalid(i, "package "+strconv.FormatUint(uint64(number), 10)+" again", "each package once")
		}
		numbers[number] = true
		at, n := uint64(binary.LittleEndian.Uint32(s[8:]))*block, uint64(binary.LittleEndian.Uint32(s[12:]))*block
		if at < pages*pageSize || at+n > uint64(len(data)) || n > left {
			return invalid(i, strconv.FormatUint(n, 10)+" bytes at "+strconv.FormatUint(at, 10), "room of its own behind the slots, in "+strconv.Itoa(len(data))+" bytes")
		}
		left -= n
		value, err := blob(i, number, data[at:at+n])
		if err != nil {
			return err
		}
		if err := yield(number, value); err != nil {
			return err
		}
	}
	return nil
}

// blob checks the head, the tail and the checksum of a package.
func blob(slot int, number uint32, b []byte) ([]byte, error) {
	if len(b) < headSize+tailSize {
		return nil, invalid(slot, strconv.Itoa(len(b))+" bytes", "a head and a tail")
	}
	tail := b[len(b)-tailSize:]
	if string(b[:4]) != blobMagic || string(tail[8:]) != tailMagic {
		return nil, invalid(slot, strconv.Quote(string(b[:4]))+" and "+strconv.Quote(string(tail[8:])), strconv.Quote(blobMagic)+" and "+strconv.Quote(tailMagic))
	}
	if n := binary.LittleEndian.Uint32(b[4:]); n != number {
		return nil, invalid(slot, "package "+strconv.FormatUint(uint64(n), 10), strconv.FormatUint(uint64(number), 10))
	}
	length := binary.LittleEndian.Uint32(b[12:])
	if uint64(length) > uint64(len(b)-headSize-tailSize) || binary.LittleEndian.Uint32(tail[4:]) != length {
		return nil, invalid(slot, "a length of "+strconv.FormatUint(uint64(length), 10), "one that fits and is that of the tail")
	}
	if have, want := adler32.Checksum(b[:len(b)-tailSize]), binary.LittleEndian.Uint32(tail); have != want {
		return nil, &assay.Error{Op: "read rpm's ndb", Kind: assay.ErrRefuted, Field: "slot " + strconv.Itoa(slot),
			Value: "checksum " + strconv.FormatUint(uint64(have), 16), Bound: strconv.FormatUint(uint64(want), 16)}
	}
	return b[headSize : headSize+length], nil
}

func invalid(slot int, value, want string) *assay.Error {
	return &assay.Error{Op: "read rpm's ndb", Kind: assay.ErrInvalid, Field: "slot " + strconv.Itoa(slot), Value: value, Bound: want}
}
