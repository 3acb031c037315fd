package toc_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers/toc"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testtoc"
)

// blob gives parts of what is in memory.
type blob []byte

func (b blob) Range(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	if offset < 0 || length < 0 || offset+length > int64(len(b)) {
		return nil, errors.New("outside of the blob")
	}
	return io.NopCloser(bytes.NewReader(b[offset : offset+length])), nil
}

var limits = toc.Limits{Bytes: 1 << 20, Entries: 1000, Content: 1 << 30, Window: 8 << 20}

func sample(t testing.TB) []byte {
	t.Helper()
	archive, err := testimage.Tar(
		testimage.File{Name: "d/", Mode: 0o1777, UID: 1, GID: 2},
		testimage.File{Name: "d/f", Body: strings.Repeat("abcdefgh", 10), Mode: 0o4755, Caps: testimage.CapNetBindService},
		testimage.File{Name: "zeros", Body: strings.Repeat("\x00", 64) + "x"},
		testimage.File{Name: "empty"}, testimage.HardLink("h", "d/f"), testimage.Symlink("s", "../x"),
	)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name string
		pack func([]byte, testtoc.Options) (*testtoc.Layer, error)
		o    testtoc.Options
	}{
		{"estargz", testtoc.Stargz, testtoc.Options{ChunkSize: 32}},
		{"estargz, several chunks in a member", testtoc.Stargz, testtoc.Options{ChunkSize: 32, MinMember: 60}},
		{"zstd chunked", testtoc.Chunked, testtoc.Options{ChunkSize: 32}},
		{"zstd chunked by its footer", testtoc.Chunked, testtoc.Options{ChunkSize: 32, NoPosition: true}},
		{"zstd chunked of old", testtoc.Chunked, testtoc.Options{ChunkSize: 32, OldPrefix: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := tt.pack(sample(t), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			at, ok, err := toc.Locate("layer", l.Zstd, l.Annotations)
			if err != nil || !ok {
				t.Fatalf("not found: %v", err)
			}
			got, err := toc.Read(t.Context(), blob(l.Blob), "layer", int64(len(l.Blob)), at, limits)
			if err != nil {
				t.Fatal(err)
			}
			var want []*tar.Header
			for r := tar.NewReader(bytes.NewReader(l.Tar)); ; {
				h, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, &tar.Header{Typeflag: h.Typeflag, Name: h.Name, Linkname: h.Linkname, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid, Size: h.Size, PAXRecords: h.PAXRecords})
			}
			var have []*tar.Header
			for i := range got.Files {
				have = append(have, got.Files[i].Header())
			}
			if !l.Zstd {
				if got.Index == nil || got.Index.Name != toc.IndexName || int64(len(got.JSON)) != got.Index.Size {
					t.Errorf("index %+v", got.Index)
				}
				have = append(have, &tar.Header{Typeflag: tar.TypeReg, Name: got.Index.Name, Size: got.Index.Size, Mode: got.Index.Mode})
			}
			if d := cmp.Diff(want, have); d != "" {
				t.Errorf("headers (-tar +table):\n%s", d)
			}
			check(t, got)
			if got.Digest.IsZero() || got.Fetched == 0 {
				t.Errorf("digest %s, %d bytes fetched", got.Digest, got.Fetched)
			}
		})
	}
}

// check holds what a table that was read promises.
func check(t testing.TB, table *toc.Table) {
	t.Helper()
	last, content := toc.Chunk{}, int64(0)
	next := 0
	for i := range table.Files {
		f := &table.Files[i]
		if f.First != next || f.Last < f.First || f.Last > len(table.Chunks) {
			t.Fatalf("%s has chunks %d to %d after %d", f.Name, f.First, f.Last, next)
		}
		next = f.Last
		var size int64
		for _, c := range table.Chunks[f.First:f.Last] {
			if size += c.Size; c.Size <= 0 {
				t.Fatalf("chunk of %d bytes", c.Size)
			}
			if c.Zeros {
				continue
			}
			if c.Offset < last.Offset || c.Offset == last.Offset && (c.Inner < last.Inner+last.Size || c.Inner == 0 && last.Size > 0) ||
				c.Offset > last.Offset && c.Offset < last.End || c.End <= c.Offset || c.End > table.End || c.Sum == [32]byte{} {
				t.Fatalf("chunk %+v after %+v, contents end at %d", c, last, table.End)
			}
			last = c
		}
		if size != f.Size {
			t.Fatalf("%s: %d bytes in chunks, %d in all", f.Name, size, f.Size)
		}
		content += size
	}
	if next != len(table.Chunks) || content > limits.Content || len(table.Files) > limits.Entries {
		t.Fatalf("%d of %d chunks, %d bytes, %d entries", next, len(table.Chunks), content, len(table.Files))
	}
}

func TestLocateNone(t *testing.T) {
	stargz := map[string]string{"containerd.io/snapshot/stargz/toc.digest": testimage.Sum(nil).String()}
	for _, tt := range []struct {
		name        string
		zstd        bool
		annotations map[string]string
		want        bool
	}{
		{"nothing", false, nil, false},
		{"estargz", false, stargz, true},
		{"the digest of zstd chunked at gzip", false, map[string]string{"io.github.containers.zstd-chunked.manifest-checksum": testimage.Sum(nil).String()}, false},
		{"a position without a digest", true, map[string]string{"io.github.containers.zstd-chunked.manifest-position": "1:1:1:1"}, false},
		{"the digest of the document", true, stargz, true},
	} {
		if _, ok, err := toc.Locate("layer", tt.zstd, tt.annotations); ok != tt.want || err != nil {
			t.Errorf("%s: %v, %v", tt.name, ok, err)
		}
	}
}

// Every end of a blob that is cut off is no table, and not an accident.
func TestTruncated(t *testing.T) {
	for _, pack := range []func([]byte, testtoc.Options) (*testtoc.Layer, error){testtoc.Stargz, testtoc.Chunked} {
		l, err := pack(sample(t), testtoc.Options{ChunkSize: 32, NoPosition: true})
		if err != nil {
			t.Fatal(err)
		}
		at, _, err := toc.Locate("layer", l.Zstd, l.Annotations)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(l.Blob) {
			_, err := toc.Read(t.Context(), blob(l.Blob[:n]), "layer", int64(n), at, limits)
			if _, ok := errors.AsType[toc.Unusable](err); !ok {
				t.Fatalf("%d of %d bytes: %v", n, len(l.Blob), err)
			}
		}
	}
}

// Every bit counts: what is changed is refused or is no table any more.
func TestFlipped(t *testing.T) {
	for _, pack := range []func([]byte, testtoc.Options) (*testtoc.Layer, error){testtoc.Stargz, testtoc.Chunked} {
		l, err := pack(sample(t), testtoc.Options{ChunkSize: 32, NoPosition: true})
		if err != nil {
			t.Fatal(err)
		}
		at, _, err := toc.Locate("layer", l.Zstd, l.Annotations)
		if err != nil {
			t.Fatal(err)
		}
		want, err := toc.Read(t.Context(), blob(l.Blob), "layer", int64(len(l.Blob)), at, limits)
		if err != nil {
			t.Fatal(err)
		}
		for n := l.Table[0]; n < len(l.Blob); n++ {
			b := bytes.Clone(l.Blob)
			b[n] ^= 0x20
			got, err := toc.Read(t.Context(), blob(b), "layer", int64(len(b)), at, limits)
			_, unusable := errors.AsType[toc.Unusable](err)
			switch {
			case unusable, errors.Is(err, assay.ErrRefuted), errors.Is(err, assay.ErrInvalid):
			case err != nil:
				t.Fatalf("byte %d: %v", n, err)
			default: // a byte that means nothing, such as a time in a gzip header
				if d := cmp.Diff(want.Files, got.Files); d != "" {
					t.Fatalf("byte %d: another table: %s", n, d)
				}
			}
		}
	}
}
