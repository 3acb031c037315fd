package layers

import (
	"encoding/hex"
	"strings"

	"github.com/assaykit/assay"
)

// Type is the kind of a file. A hard link is of the kind of its target.
type Type uint8

// The kinds of files that a layer can hold.
const (
	Regular Type = iota
	Dir
	Symlink
	CharDevice
	BlockDevice
	Fifo
)

// String gives a word for the kind.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}

var typeNames = [...]string{"file", "folder", "symbolic link", "character device", "block device", "fifo"}

// The bits of [File.Mode] beside the nine permissions.
const (
	ModeSetuid = 0o4000
	ModeSetgid = 0o2000
	ModeSticky = 0o1000
)

// File is what is known of one file: its header, and where it came from. A File of
// a [Result] must not be changed.
type File struct {
	// Path is clean, separated by slashes and without a leading one; the root
	// folder is ".". It may hold any byte but NUL; it need not be UTF-8.
	Path string
	Type Type
	// Implied marks a folder that no layer has an entry for; it exists because
	// something lies in it. It belongs to root, with mode 0755.
	Implied bool
	// Mode is the permissions with the setuid, setgid and sticky bits, 07777.
	Mode uint32
	// UID and GID are numeric; names in headers are ignored, as runtimes do.
	UID, GID int
	// Size is the length of a regular file's content, in bytes.
	Size int64
	// Link is the target of a symbolic link as it is written.
	Link string
	// HardLink is the clean path of the file that this one is another name of, for
	// entries that were hard links.
	HardLink string
	// Capabilities is the raw value of the extended attribute security.capability
	// (struct vfs_cap_data, linux/capability.h), "" if there is none.
	Capabilities string
	// Layer is the index of the layer with the entry, counted from 0 at the base;
	// -1 for the root folder if no layer has an entry for it.
	Layer int
	// ContentLayer is the index of the layer with the content. It is below Layer
	// for a hard link to a file of a lower layer.
	ContentLayer int

	sum   *[32]byte // SHA-256 of the content, if it was wanted
	seen  uint64    // the visitors, by index, that were shown this entry in the stream
	any   uint64    // of these, those that promised WantAnyName
	pos   int       // index of the entry in its layer
	same  *File     // for a hard link: the file whose content this is
	wrote string    // the path in the header, if it was written through a link
	gone  int32     // one more than the index of the layer that removed it; 0 if it is there
	place int32     // one more than the index in the tree; 0 if it is in none
}

// Executable reports whether anybody may execute the regular file.
func (f *File) Executable() bool { return f.Type == Regular && f.Mode&0o111 != 0 }

// Base is the last part of the path.
func (f *File) Base() string { return f.Path[strings.LastIndexByte(f.Path, '/')+1:] }

// Parent is the path of the folder that the file is in; "." for those in the root
// and for the root itself.
func (f *File) Parent() string {
	if i := strings.LastIndexByte(f.Path, '/'); i >= 0 {
		return f.Path[:i]
	}
	return "."
}

// SHA256 is the digest of the content, zero unless a visitor wanted it.
func (f *File) SHA256() assay.Digest {
	sum := f.content().sum
	if sum == nil {
		return assay.Digest{}
	}
	d, _ := assay.NewDigest(assay.SHA256, hex.EncodeToString(sum[:]))
	return d
}

// content is the entry that carries the bytes of f.
func (f *File) content() *File {
	for f.same != nil {
		f = f.same
	}
	return f
}
