package sbom

import (
	"io/fs"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// File is one file of an image, from the headers of its layers.
type File struct {
	// Path is clean, separated by slashes and without a leading one; the root
	// folder is ".". It may hold any byte but NUL; it need not be UTF-8.
	Path string
	// Mode is the kind of file and its permissions, with [fs.ModeSetuid],
	// [fs.ModeSetgid] and [fs.ModeSticky].
	Mode fs.FileMode
	// UID and GID are numeric; names in headers are ignored, as runtimes do.
	UID, GID int
	// Size is the length of a regular file's content, in bytes.
	Size int64
	// Link is the target of a symbolic link as it is written.
	Link string
	// HardLink is the path of the file that this one is another name of, if its
	// entry was a hard link.
	HardLink string
	// RawCapabilities is the extended attribute security.capability as it is, ""
	// if there is none. See [File.Capabilities].
	RawCapabilities string
	// Implied marks a folder that no layer has an entry for.
	Implied bool
	// Layer is the index of the layer with the entry, -1 for a root folder that no
	// layer has an entry for.
	Layer int
	// DiffID is the digest of that layer, uncompressed; zero for a folder on disk.
	DiffID assay.Digest
}

// Executable reports whether it is a regular file that anybody may execute.
func (f File) Executable() bool { return f.Mode.IsRegular() && f.Mode&0o111 != 0 }

// Location is where the file is, for evidence.
func (f File) Location() assay.Location { return assay.Location{Layer: f.DiffID, Path: f.Path} }

// Capabilities decodes the file capabilities; zero if there are none. The error is
// of kind [assay.ErrInvalid] if the attribute is not one that Linux would take.
func (f File) Capabilities() (Capabilities, error) {
	if f.RawCapabilities == "" {
		return Capabilities{}, nil
	}
	c, err := DecodeCapabilities([]byte(f.RawCapabilities))
	if err != nil {
		err.Subject = f.Path
		return Capabilities{}, err
	}
	return c, nil
}

func (c *Contents) file(f *layers.File) File {
	out := File{
		Path: f.Path, Mode: fs.FileMode(f.Mode & 0o777), UID: f.UID, GID: f.GID, Size: f.Size,
		Link: f.Link, HardLink: f.HardLink, RawCapabilities: f.Capabilities, Implied: f.Implied, Layer: f.Layer,
	}
	if f.Layer >= 0 && f.Layer < len(c.Layers) {
		out.DiffID = c.Layers[f.Layer].DiffID
	}
	switch f.Type {
	case layers.Dir:
		out.Mode |= fs.ModeDir
	case layers.Symlink:
		out.Mode |= fs.ModeSymlink
	case layers.CharDevice:
		out.Mode |= fs.ModeDevice | fs.ModeCharDevice
	case layers.BlockDevice:
		out.Mode |= fs.ModeDevice
	case layers.Fifo:
		out.Mode |= fs.ModeNamedPipe
	}
	if f.Mode&layers.ModeSetuid != 0 {
		out.Mode |= fs.ModeSetuid
	}
	if f.Mode&layers.ModeSetgid != 0 {
		out.Mode |= fs.ModeSetgid
	}
	if f.Mode&layers.ModeSticky != 0 {
		out.Mode |= fs.ModeSticky
	}
	return out
}

// clean brings the spellings that callers use to that of [File.Path]. It does not
// touch "..", which means nothing until links are resolved.
func clean(path string) string {
	path = strings.Trim(strings.TrimPrefix(path, "./"), "/")
	if path == "" {
		return "."
	}
	return path
}
