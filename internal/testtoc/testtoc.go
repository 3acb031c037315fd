// Package testtoc writes layers with a table of contents for tests, eStargz and
// zstd:chunked, rightly or with what a test changes of them.
//
// Start with [Stargz] and [Chunked]. The same arguments give the same bytes.
package testtoc

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay/internal/testimage"
)

// Layer is a layer with a table of contents.
type Layer struct {
	// Blob is the layer as stored and Tar uncompressed.
	Blob, Tar []byte
	// Annotations are those that its descriptor needs.
	Annotations map[string]string
	Zstd        bool
	// Table is where the table is in the blob, from and to.
	Table [2]int

	blob, tar []byte // without the table
}

// Image gives what testimage builds an image of, with the annotations in it.
func (l *Layer) Image() testimage.Layer {
	out := testimage.Layer{Blob: l.Blob, Tar: l.Tar}
	if l.Zstd {
		out.Compression = testimage.Zstd
	}
	return out
}

// Annotate is for testimage.Options.Manifest: it puts the annotations of the layers
// into a manifest, nil for a layer without.
func Annotate(layers ...*Layer) func(*v1.Manifest) {
	return func(m *v1.Manifest) {
		for i, l := range layers {
			if l != nil {
				m.Layers[i].Annotations = l.Annotations
			}
		}
	}
}

// Options say how a layer is written.
type Options struct {
	// ChunkSize is the most that is in one chunk. Default 64 KiB.
	ChunkSize int
	// MinMember lets members of eStargz have several chunks: as many as it takes to
	// have that many bytes compressed.
	MinMember int
	// Landmark puts the entry first that tells eStargz to prefetch nothing.
	Landmark bool
	// Edit changes the table before it is written, JSON what was written of it. The
	// annotations are of what comes out.
	Edit func(*TOC)
	JSON func([]byte) []byte
	// OldPrefix and NoPosition are for zstd:chunked: annotations as they were at first,
	// and without the position.
	OldPrefix, NoPosition bool
}

// TOC is a table, as it is in the two formats.
type TOC struct {
	Version  int      `json:"version"`
	Entries  []*Entry `json:"entries"`
	TarSplit string   `json:"tarSplitDigest,omitempty"`
}

// Entry is an entry of a table.
type Entry struct {
	Type        string            `json:"type"`
	Name        string            `json:"name"`
	LinkName    string            `json:"linkName,omitempty"`
	Mode        int64             `json:"mode,omitempty"`
	Size        int64             `json:"size,omitempty"`
	UID         int               `json:"uid,omitempty"`
	GID         int               `json:"gid,omitempty"`
	ModTime     string            `json:"modtime,omitempty"`
	Xattrs      map[string][]byte `json:"xattrs,omitempty"`
	Digest      string            `json:"digest,omitempty"`
	Offset      int64             `json:"offset,omitempty"`
	EndOffset   int64             `json:"endOffset,omitempty"`
	InnerOffset int64             `json:"innerOffset,omitempty"`
	ChunkOffset int64             `json:"chunkOffset,omitempty"`
	ChunkSize   int64             `json:"chunkSize,omitempty"`
	ChunkDigest string            `json:"chunkDigest,omitempty"`
	ChunkType   string            `json:"chunkType,omitempty"`
}

// Find gives the entry of a name, which must be there.
func (t *TOC) Find(name string) *Entry {
	for _, e := range t.Entries {
		if e.Name == name {
			return e
		}
	}
	panic("no entry " + name)
}

// Stargz packs a tar archive as eStargz.
func Stargz(archive []byte, o Options) (*Layer, error) {
	w := &writer{o: o}
	gz, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w.begin = func() io.WriteCloser { gz.Reset(&w.blob); return gz }
	if err := w.files(archive); err != nil {
		return nil, err
	}
	doc, err := w.table()
	if err != nil {
		return nil, err
	}
	return stargz(w.blob.Bytes(), w.tar.Bytes(), doc)
}

// stargz puts a table behind contents.
func stargz(blob, archive, doc []byte) (*Layer, error) {
	var b, t bytes.Buffer
	b.Write(blob)
	t.Write(archive)
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	tw := tar.NewWriter(io.MultiWriter(z, &t))
	err = tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "stargz.index.json", Size: int64(len(doc))})
	if err == nil {
		_, err = tw.Write(doc)
	}
	if err == nil {
		err = tw.Close()
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, err
	}
	end := b.Len()
	b.Write(StargzFooter(int64(len(blob))))
	return &Layer{Blob: b.Bytes(), Tar: t.Bytes(), Table: [2]int{len(blob), end}, blob: blob, tar: archive,
		Annotations: map[string]string{"containerd.io/snapshot/stargz/toc.digest": sum(doc)}}, nil
}

// Retable gives the layer with another table in place of its own.
func (l *Layer) Retable(doc []byte) (*Layer, error) {
	if l.Zstd {
		return chunked(l.blob, l.tar, doc, Options{}), nil
	}
	return stargz(l.blob, l.tar, doc)
}

// StargzFooter is the footer of a blob whose table is at the offset.
func StargzFooter(offset int64) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
	z.Extra = fmt.Appendf([]byte{'S', 'G', 22, 0}, "%016xSTARGZ", offset)
	_ = z.Close() // into memory
	return b.Bytes()
}

// Chunked packs a tar archive as zstd:chunked.
func Chunked(archive []byte, o Options) (*Layer, error) {
	w := &writer{o: o, isZstd: true}
	enc := newZstd(io.Discard)
	w.begin = func() io.WriteCloser { enc.Reset(&w.blob); return enc }
	if err := w.files(archive); err != nil {
		return nil, err
	}
	if err := w.closing(); err != nil {
		return nil, err
	}
	w.toc.TarSplit = sum(tarSplit())
	doc, err := w.table()
	if err != nil {
		return nil, err
	}
	return chunked(w.blob.Bytes(), w.tar.Bytes(), doc, o), nil
}

func tarSplit() []byte { return packZstd([]byte(`{"type":2,"payload":"","position":0}`)) }

// chunked puts a table behind contents.
func chunked(blob, archive, doc []byte, o Options) *Layer {
	packed, split := packZstd(doc), tarSplit()
	var b bytes.Buffer
	b.Write(blob)
	at := b.Len() + 8
	skippable(&b, packed)
	splitAt := b.Len() + 8
	skippable(&b, split)
	skippable(&b, ChunkedFooter(at, len(packed), len(doc), splitAt, len(split)))
	prefix := "io.github.containers"
	if o.OldPrefix {
		prefix = "io.containers"
	}
	l := &Layer{Blob: b.Bytes(), Tar: archive, Zstd: true, Table: [2]int{at, at + len(packed)}, blob: blob, tar: archive,
		Annotations: map[string]string{prefix + ".zstd-chunked.manifest-checksum": sum(packed)}}
	if !o.NoPosition {
		l.Annotations[prefix+".zstd-chunked.manifest-position"] = fmt.Sprintf("%d:%d:%d:1", at, len(packed), len(doc))
		l.Annotations[prefix+".zstd-chunked.tarsplit-position"] = fmt.Sprintf("%d:%d:%d", splitAt, len(split), 36)
	}
	return l
}

// ChunkedFooter is what is in the last skippable frame.
func ChunkedFooter(at, packed, size, splitAt, splitPacked int) []byte {
	var b []byte
	for _, n := range []int{at, packed, size, 1, splitAt, splitPacked, 36} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return append(b, "GNUlInUx"...)
}

// writer writes what both formats have in common: a tar archive in many pieces.
type writer struct {
	o         Options
	isZstd    bool
	blob, tar bytes.Buffer
	begin     func() io.WriteCloser
	z         io.WriteCloser // the member that is written, nil if none is
	member    int            // where it begins in the blob
	inner     int            // its uncompressed length
	toc       TOC
}

// Write writes to the member, and to the uncompressed archive.
func (w *writer) Write(b []byte) (int, error) {
	if w.z == nil {
		w.z = w.begin()
	}
	w.inner += len(b)
	w.tar.Write(b)
	return w.z.Write(b)
}

func (w *writer) endMember() error {
	if w.z == nil {
		return nil
	}
	err := w.z.Close()
	w.z, w.member, w.inner = nil, w.blob.Len(), 0
	return err
}

// closing ends the archive.
func (w *writer) closing() error {
	if _, err := w.Write(make([]byte, 1024)); err != nil {
		return err
	}
	return w.endMember()
}

func (w *writer) files(archive []byte) error {
	w.toc.Version = 1
	if w.o.Landmark {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: ".no.prefetch.landmark", Size: 1, Mode: 0o644}
		if err := w.file(h, strings.NewReader("\x0f")); err != nil {
			return err
		}
	}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = w.file(h, r)
		}
		if err != nil {
			return err
		}
	}
	return w.endMember()
}

var types = map[byte]string{tar.TypeReg: "reg", tar.TypeDir: "dir", tar.TypeSymlink: "symlink", tar.TypeLink: "hardlink",
	tar.TypeChar: "char", tar.TypeBlock: "block", tar.TypeFifo: "fifo"}

func (w *writer) file(h *tar.Header, r io.Reader) error {
	e := &Entry{Type: types[h.Typeflag], Name: h.Name, LinkName: h.Linkname, Mode: h.Mode, UID: h.Uid, GID: h.Gid}
	for k, v := range h.PAXRecords {
		if name, ok := strings.CutPrefix(k, "SCHILY.xattr."); ok {
			if e.Xattrs == nil {
				e.Xattrs = map[string][]byte{}
			}
			e.Xattrs[name] = []byte(v)
		}
	}
	w.toc.Entries = append(w.toc.Entries, e)
	h = &tar.Header{Typeflag: h.Typeflag, Name: h.Name, Linkname: h.Linkname, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid, Size: h.Size,
		PAXRecords: maps.Clone(h.PAXRecords), Format: h.Format}
	tw := tar.NewWriter(w)
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	e.Size = int64(len(data))
	if len(data) > 0 || !w.isZstd {
		e.Digest = sum(data)
	}
	if len(data) == 0 {
		return nil
	}
	size := w.o.ChunkSize
	if size == 0 {
		size = 64 << 10
	}
	first := e
	for at := 0; at < len(data); at += size {
		part := data[at:min(len(data), at+size)]
		if at > 0 {
			e = &Entry{Type: "chunk", Name: h.Name, ChunkOffset: int64(at)}
			w.toc.Entries = append(w.toc.Entries, e)
		}
		if w.isZstd || w.o.MinMember == 0 || w.blob.Len()-w.member >= w.o.MinMember {
			if err := w.endMember(); err != nil {
				return err
			}
			w.member = w.blob.Len()
		} else {
			e.InnerOffset = int64(w.inner)
		}
		e.Offset = int64(w.member)
		if !w.isZstd || len(data) > size {
			e.ChunkDigest = sum(part)
		}
		if w.isZstd && len(data) > size || !w.isZstd && len(part) == size {
			e.ChunkSize = int64(len(part))
		}
		if w.isZstd && len(data) > size && len(bytes.Trim(part, "\x00")) == 0 {
			e.ChunkType = "zeros"
		}
		if _, err := tw.Write(part); err != nil {
			return err
		}
		if w.isZstd {
			if err := w.endMember(); err != nil {
				return err
			}
		}
	}
	if w.isZstd {
		first.EndOffset = int64(w.blob.Len())
	}
	return tw.Flush()
}

func (w *writer) table() ([]byte, error) {
	if w.o.Edit != nil {
		w.o.Edit(&w.toc)
	}
	doc, err := json.MarshalIndent(w.toc, "", "\t")
	if err == nil && w.o.JSON != nil {
		doc = w.o.JSON(doc)
	}
	return doc, err
}

func newZstd(out io.Writer) *zstd.Encoder {
	z, _ := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest)) // the options are right
	return z
}

func packZstd(data []byte) []byte {
	var b bytes.Buffer
	z := newZstd(&b)
	_, _ = z.Write(data) // into memory
	_ = z.Close()
	return b.Bytes()
}

func skippable(b *bytes.Buffer, data []byte) {
	b.Write([]byte{0x50, 0x2a, 0x4d, 0x18})
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(data))))
	b.Write(data)
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(s[:])
}
