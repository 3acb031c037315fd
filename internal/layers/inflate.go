package layers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// compression is how a blob is packed.
type compression string

const (
	packedNone compression = "uncompressed"
	packedGzip compression = "gzip"
	packedZstd compression = "zstd"
)

// layerMediaTypes are those of file system layers: OCI image-spec v1.1, layer.md,
// and what Docker's image manifest v2, schema 2 has.
var layerMediaTypes = map[string]compression{
	"application/vnd.oci.image.layer.v1.tar":                       packedNone,
	"application/vnd.oci.image.layer.v1.tar+gzip":                  packedGzip,
	"application/vnd.oci.image.layer.v1.tar+zstd":                  packedZstd,
	"application/vnd.oci.image.layer.nondistributable.v1.tar":      packedNone,
	"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": packedGzip,
	"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": packedZstd,
	"application/vnd.docker.image.rootfs.diff.tar":                 packedNone,
	"application/vnd.docker.image.rootfs.diff.tar.gzip":            packedGzip,
	"application/vnd.docker.image.rootfs.diff.tar.zstd":            packedZstd,
	"application/vnd.docker.image.rootfs.foreign.diff.tar":         packedNone,
	"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip":    packedGzip,
	"application/vnd.docker.image.rootfs.foreign.diff.tar.zstd":    packedZstd,
}

// sniff tells the compression by the first bytes.
func sniff(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return packedGzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return packedZstd
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18:
		return packedZstd // begins with a skippable frame
	}
	return packedNone
}

// inflater gives the uncompressed stream of a blob. Memory is bounded by window
// for zstd and by the format for gzip.
func inflater(r *bufio.Reader, c compression, window int64, spare *spares) (io.Reader, func(), error) {
	switch c {
	case packedGzip:
		z := spare.gunzip()
		return z, func() { spare.keepGunzip(z) }, z.Reset(r)
	case packedZstd:
		if z := spare.decoder(); z != nil {
			if err := z.Reset(r); err != nil {
				return nil, nil, err
			}
			return z, func() { spare.keepDecoder(z) }, nil
		}
		z, err := zstd.NewReader(r,
			zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(uint64(min(max(window, zstd.MinWindowSize), 1<<32))))
		if err != nil {
			return nil, nil, err
		}
		return z, func() { spare.keepDecoder(z) }, nil
	}
	return r, func() {}, nil
}

// isBound reports whether inflating failed for want of memory allowed.
func isBound(err error) bool {
	return errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded)
}

// isMismatch recognizes the errors by which go-containerregistry's own verifying
// readers report a wrong digest or size. They are of a type that it does not
// export, and must not be taken for a failing network.
func isMismatch(err error) bool {
	return strings.Contains(err.Error(), "error verifying")
}
