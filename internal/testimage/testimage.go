// Package testimage builds container images in code, for tests: any layer contents,
// honest or hostile, as an image in memory, in a layout, an archive or a registry.
//
// Start with [New]. The same arguments give the same bytes.
package testimage

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// File is one entry of a layer. The zero value but for the name is an empty regular
// file of mode 0644, or a folder of mode 0755 if the name ends in a slash.
type File struct {
	Name string
	Body string
	// Mode is the permissions with the set-id and sticky bits; 0 is the default,
	// see [NoMode].
	Mode     int64
	UID, GID int
	// Type is a type flag of archive/tar; 0 is a regular file or folder.
	Type byte
	// Link is the target of a link; with Type 0 it makes a symbolic one.
	Link string
	// Caps is the raw extended attribute security.capability.
	Caps string
	// PAX is further PAX records.
	PAX map[string]string
}

// NoMode is a [File.Mode] of no permissions at all.
const NoMode = 1 << 40

// CapNetBindService is a raw file capability: cap_net_bind_service, permitted and
// effective, revision 2 (linux/capability.h, struct vfs_cap_data).
const CapNetBindService = "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// Whiteout deletes a file of a lower layer.
func Whiteout(path string) File {
	dir, base := "", path
	if i := bytes.LastIndexByte([]byte(path), '/'); i >= 0 {
		dir, base = path[:i+1], path[i+1:]
	}
	return File{Name: dir + ".wh." + base}
}

// Opaque hides what lower layers have in a folder.
func Opaque(folder string) File { return File{Name: folder + "/.wh..wh..opq"} }

// HardLink makes name another name of target.
func HardLink(name, target string) File {
	return File{Name: name, Type: tar.TypeLink, Link: target}
}

// Symlink makes name a symbolic link to target.
func Symlink(name, target string) File {
	return File{Name: name, Type: tar.TypeSymlink, Link: target, Mode: 0o777}
}

// Compression is how a layer is stored.
type Compression int

// The compressions of the OCI image-spec.
const (
	Gzip Compression = iota
	Zstd
	None
)

// Layer is one layer to build.
type Layer struct {
	Files       []File
	Compression Compression
	// Tar, if not nil, is the uncompressed layer in place of Files.
	Tar []byte
	// Blob, if not nil, is the stored layer, whatever it holds. The diffID is
	// still that of Tar or Files.
	Blob []byte
	// MediaType, if not "", is stated in place of the right one.
	MediaType types.MediaType
	// CreatedBy goes into the history; "" becomes "layer N".
	CreatedBy string
	// DiffID, if not zero, is stated in place of the right one.
	DiffID v1.Hash
}

// Options change the whole image.
type Options struct {
	// Config changes the configuration before it is encoded.
	Config func(*v1.ConfigFile)
	// Manifest changes the manifest before it is encoded.
	Manifest func(*v1.Manifest)
	// Docker takes the media types of Docker in place of OCI's.
	Docker bool
}

// New builds an image, linux/amd64, or fails the test.
func New(t testing.TB, layers ...Layer) *Image {
	t.Helper()
	return NewWith(t, Options{}, layers...)
}

// NewWith is [New] with options.
func NewWith(t testing.TB, opts Options, layers ...Layer) *Image {
	t.Helper()
	img, err := Build(opts, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Build is [NewWith] outside of tests.
func Build(opts Options, layers ...Layer) (*Image, error) {
	img := &Image{blobs: make(map[v1.Hash][]byte)}
	cf := v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	if opts.Docker {
		m.MediaType = types.DockerManifestSchema2
	}
	for i, l := range layers {
		data := l.Tar
		if data == nil {
			var err error
			if data, err = Tar(l.Files...); err != nil {
				return nil, err
			}
		}
		blob := l.Blob
		if blob == nil {
			var err error
			if blob, err = Compress(l.Compression, data); err != nil {
				return nil, err
			}
		}
		diffID, digest := l.DiffID, Sum(blob)
		if diffID == (v1.Hash{}) {
			diffID = Sum(data)
		}
		mt := l.MediaType
		if mt == "" {
			mt = mediaType(l.Compression, opts.Docker)
		}
		by := l.CreatedBy
		if by == "" {
			by = fmt.Sprintf("layer %d", i)
		}
		cf.RootFS.DiffIDs = append(cf.RootFS.DiffIDs, diffID)
		cf.History = append(cf.History, v1.History{CreatedBy: by})
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: mt, Digest: digest, Size: int64(len(blob))})
		img.blobs[digest] = blob
		img.layers = append(img.layers, &layer{img: img, at: i, diffID: diffID, blob: blob, tar: data})
	}
	if opts.Config != nil {
		opts.Config(&cf)
	}
	config, err := json.Marshal(cf)
	if err != nil {
		return nil, err
	}
	configType := types.OCIConfigJSON
	if opts.Docker {
		configType = types.DockerConfigJSON
	}
	m.Config = v1.Descriptor{MediaType: configType, Digest: Sum(config), Size: int64(len(config))}
	if opts.Manifest != nil {
		opts.Manifest(&m)
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	img.config, img.manifest, img.parsed = config, manifest, m
	img.blobs[m.Config.Digest] = config
	return img, nil
}

func mediaType(c Compression, docker bool) types.MediaType {
	switch {
	case docker && c == None:
		return types.DockerUncompressedLayer
	case docker && c == Gzip:
		return types.DockerLayer
	case c == None:
		return types.OCIUncompressedLayer
	case c == Zstd:
		return types.OCILayerZStd
	}
	return types.OCILayer
}

// Tar encodes files as a layer, in their order.
func Tar(files ...File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{
			Name: f.Name, Mode: f.Mode, Uid: f.UID, Gid: f.GID, Typeflag: f.Type, Linkname: f.Link,
			ModTime: time.Unix(0, 0), PAXRecords: maps.Clone(f.PAX),
		}
		folder := len(f.Name) > 0 && f.Name[len(f.Name)-1] == '/'
		switch {
		case f.Type != 0:
		case f.Link != "":
			h.Typeflag = tar.TypeSymlink
		case folder:
			h.Typeflag = tar.TypeDir
		default:
			h.Typeflag = tar.TypeReg
		}
		switch {
		case f.Mode == NoMode:
			h.Mode = 0
		case f.Mode == 0 && h.Typeflag == tar.TypeDir:
			h.Mode = 0o755
		case f.Mode == 0:
			h.Mode = 0o644
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(f.Body))
		}
		if f.Caps != "" {
			if h.PAXRecords == nil {
				h.PAXRecords = make(map[string]string)
			}
			h.PAXRecords["SCHILY.xattr.security.capability"] = f.Caps
		}
		if h.PAXRecords != nil {
			h.Format = tar.FormatPAX
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, f.Body); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Compress packs a layer.
func Compress(c Compression, data []byte) ([]byte, error) {
	var b bytes.Buffer
	var w io.WriteCloser
	switch c {
	case None:
		return data, nil
	case Zstd:
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		w = z
	default:
		w = gzip.NewWriter(&b)
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Sum is the SHA-256 digest.
func Sum(data []byte) v1.Hash {
	s := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(s[:])}
}

// Digests gives the digests of all blobs of the image but its manifest, sorted.
func (i *Image) Digests() []v1.Hash {
	return slices.SortedFunc(maps.Keys(i.blobs), func(a, b v1.Hash) int { return bytes.Compare([]byte(a.Hex), []byte(b.Hex)) })
}

// Blob gives a blob by its digest, nil if the image does not have it.
func (i *Image) Blob(h v1.Hash) []byte { return i.blobs[h] }
