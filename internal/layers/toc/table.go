package toc

import (
	"archive/tar"
	"crypto/sha256"

	"github.com/assaykit/assay"
)

// Table is a table of contents that was verified.
type Table struct {
	// Digest is that by which the table was verified: of the JSON document, or of it
	// as it is stored, see [Locator].
	Digest assay.Digest
	// Files are the entries of the layer, in the order of the table.
	Files []File
	// Chunks are the pieces that the contents of all files are stored in, in the order
	// of the files and of the blob.
	Chunks []Chunk
	// End is where in the blob its contents end: no chunk goes further.
	End int64
	// Index is the entry that the table itself is in the tar archive of eStargz, and
	// JSON its content. Index is nil for zstd:chunked, which hides the table from who
	// unpacks the blob.
	Index *tar.Header
	JSON  []byte
	// Fetched is how many bytes of the blob it took.
	Fetched int64
}

// File is one entry.
type File struct {
	Name, Link string
	Type       byte // a type flag of archive/tar
	Mode       int64
	UID, GID   int64
	Size       int64
	// Capabilities is the extended attribute security.capability.
	Capabilities string
	// Sum is the SHA-256 digest of the content, if HasSum.
	Sum    [sha256.Size]byte
	HasSum bool
	// Its chunks are Chunks[First:Last] of the table, none for what has no content.
	First, Last int
}

// Chunk is a piece of a file's content.
type Chunk struct {
	// Offset and End delimit the gzip member or zstd frame in the blob that has it.
	Offset, End int64
	// Inner is where in the uncompressed member it begins.
	Inner int64
	// Size is its length, uncompressed.
	Size int64
	// Sum is its SHA-256 digest.
	Sum [sha256.Size]byte
	// Zeros tells a chunk of nothing but zeros, which need not be read.
	Zeros bool
}

// Header gives the entry as the tar archive has it, as far as the table tells.
func (f *File) Header() *tar.Header {
	h := &tar.Header{Typeflag: f.Type, Name: f.Name, Linkname: f.Link, Mode: f.Mode, Uid: int(f.UID), Gid: int(f.GID), Size: f.Size}
	if f.Capabilities != "" {
		h.PAXRecords = map[string]string{"SCHILY.xattr." + capability: f.Capabilities}
	}
	return h
}

const capability = "security.capability"
