package layers

import (
	"archive/tar"
	"fmt"
	"strconv"

	"github.com/assaykit/assay"
)

// file makes a File of a tar header.
func (c *collector) file(h *harvest, hdr *tar.Header) (*File, error) {
	b := c.opts.Bounds
	invalid := func(value, want string) error {
		return h.fail("read layer", assay.ErrInvalid, hdr.Name, value, want, nil)
	}
	if len(hdr.PAXRecords) > 0 {
		var size int64
		for k, v := range hdr.PAXRecords {
			size += int64(len(k) + len(v))
		}
		if size > b.Header {
			return nil, h.fail("read layer", assay.ErrBound, hdr.Name, strconv.FormatInt(size, 10)+" bytes of header records",
				"at most Header "+strconv.FormatInt(b.Header, 10)+" bytes", nil)
		}
	}
	path, ok := cleanName(hdr.Name)
	if !ok {
		return nil, invalid(hdr.Name, "a name inside the root")
	}
	if err := checkPath(path, b, h.subject); err != nil {
		return nil, err
	}
	f := h.newFile()
	*f = File{
		Path:         path,
		Mode:         uint32(hdr.Mode) & 0o7777,
		UID:          hdr.Uid,
		GID:          hdr.Gid,
		Capabilities: hdr.PAXRecords[paxCapability],
		Layer:        h.index,
		ContentLayer: h.index,
	}
	if f.UID < 0 || f.GID < 0 || int64(f.UID) > 1<<32-1 || int64(f.GID) > 1<<32-1 {
		return nil, invalid(fmt.Sprintf("%d:%d", f.UID, f.GID), "an owner of 32 bits")
	}
	switch hdr.Typeflag {
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		f.Size = hdr.Size
	case tar.TypeDir:
		f.Type = Dir
	case tar.TypeSymlink:
		f.Type, f.Link = Symlink, hdr.Linkname
		if f.Link == "" {
			return nil, invalid("", "a symbolic link to something")
		}
		if len(f.Link) > b.PathLength {
			return nil, h.fail("read layer", assay.ErrBound, path, strconv.Itoa(len(f.Link))+" bytes of link target",
				"at most PathLength "+strconv.Itoa(b.PathLength), nil)
		}
	case tar.TypeLink:
		if f.HardLink, ok = cleanName(hdr.Linkname); !ok {
			return nil, invalid(hdr.Linkname, "a hard link to a name inside the root")
		}
		if f.HardLink == "." {
			return nil, invalid(hdr.Linkname, "a hard link to a file")
		}
		if err := checkPath(f.HardLink, b, h.subject); err != nil {
			return nil, err
		}
	case tar.TypeChar:
		f.Type = CharDevice
	case tar.TypeBlock:
		f.Type = BlockDevice
	case tar.TypeFifo:
		f.Type = Fifo
	default:
		return nil, invalid(string(hdr.Typeflag), "an entry type that can be unpacked")
	}
	return f, nil
}
