package layers_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testtoc"
)

// partly is an image whose layers give parts of their blobs.
type partly struct{ *testimage.Image }

type partlyLayer struct {
	v1.Layer
	blob []byte
}

func (i partly) Layers() ([]v1.Layer, error) {
	ls, err := i.Image.Layers()
	for n := range ls {
		d, _ := ls[n].Digest()
		ls[n] = partlyLayer{ls[n], i.Blob(d)}
	}
	return ls, err
}

func (l partlyLayer) Range(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.blob[offset : offset+length])), nil
}

// small wants all of every file but the large ones, of which it sees the beginning.
type small struct{}

func (small) Name() string { return "small" }
func (small) Match(f *layers.File) layers.Want {
	switch {
	case f.Type != layers.Regular:
		return layers.WantNothing
	case f.Size > 1<<20:
		return layers.WantPeek
	}
	return layers.WantContent | layers.WantHash
}
func (small) Peek(*layers.File, []byte) layers.Want { return layers.WantNothing }
func (small) Visit(_ context.Context, _ *layers.File, c layers.Content) (any, error) {
	return fmt.Sprint(len(c.Bytes), " ", c.SHA256), nil
}

func seen(r *layers.Result) (out []string) {
	for f := range r.Tree.All() {
		out = append(out, fmt.Sprintf("%s %s %o %d:%d %d %q %q %q", f.Path, f.Type, f.Mode, f.UID, f.GID, f.Size, f.Link, f.HardLink, f.Capabilities))
	}
	for _, f := range r.Facts("small") {
		out = append(out, fmt.Sprint(f.Path, " ", f.Value))
	}
	return out
}

// TestTOCOfLibrary reads layers that stargz-snapshotter's library wrote, eStargz in
// all its ways and zstd:chunked, and has the library read ours.
func TestTOCOfLibrary(t *testing.T) {
	noise := make([]byte, 9<<20)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(noise)
	fs := []testimage.File{{Name: "etc/"}, {Name: "etc/x", Body: "x"}, {Name: "large1", Body: string(noise)}, {Name: "mid", Body: string(noise[:700_000])},
		{Name: "empty"}, testimage.HardLink("h", "mid"), testimage.Symlink("s", "mid"), {Name: "dev", Type: '3'},
		{Name: "cap", Body: "c", Caps: testimage.CapNetBindService, Mode: 0o4755, UID: 5, GID: 6}, {Name: "large2", Body: string(noise)}}
	for i := range 100 {
		fs = append(fs, testimage.File{Name: fmt.Sprint("f", i), Body: string(noise[i : 2*i+i*50])})
	}
	archive, err := testimage.Tar(fs...)
	if err != nil {
		t.Fatal(err)
	}
	same := func(t *testing.T, l *testtoc.Layer) {
		t.Helper()
		img := partly{testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(l)}, l.Image())}
		whole, err := layers.Pass(t.Context(), img, layers.Options{}, small{})
		if err != nil {
			t.Fatal(err)
		}
		byTOC, err := layers.Pass(t.Context(), img, layers.Options{TrustTOC: true}, small{})
		if err != nil {
			t.Fatal(err)
		}
		if got := byTOC.Layers[0]; got.TOC.IsZero() {
			t.Errorf("read whole: %s", got.NoTOC)
		}
		if d := cmp.Diff(seen(whole), seen(byTOC)); d != "" {
			t.Errorf("whole and by table (-whole +table):\n%s", d)
		}
	}
	for _, tt := range []struct {
		name string
		zstd bool
		opts []estargz.Option
	}{
		{"estargz", false, nil},
		{"estargz in chunks", false, []estargz.Option{estargz.WithChunkSize(100_000)}},
		{"estargz with several files in a member", false, []estargz.Option{estargz.WithMinChunkSize(50_000)}},
		{"estargz with several chunks in a member", false, []estargz.Option{estargz.WithMinChunkSize(50_000), estargz.WithChunkSize(10_000)}},
		{"estargz to be prefetched", false, []estargz.Option{estargz.WithPrioritizedFiles([]string{"mid", "f7"})}},
		{"zstd chunked", true, nil},
		{"zstd chunked in chunks", true, []estargz.Option{estargz.WithChunkSize(100_000)}},
	} {
		t.Run("written/"+tt.name, func(t *testing.T) {
			l := &testtoc.Layer{Zstd: tt.zstd, Annotations: map[string]string{}}
			opts := tt.opts
			if tt.zstd {
				opts = append(opts, estargz.WithCompression(&chunked{&zstdchunked.Decompressor{}, &zstdchunked.Compressor{CompressionLevel: zstd.SpeedFastest, Metadata: l.Annotations}}))
			} else {
				opts = append(opts, estargz.WithCompressionLevel(gzip.BestSpeed))
			}
			b, err := estargz.Build(io.NewSectionReader(bytes.NewReader(archive), 0, int64(len(archive))), opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if l.Blob, err = io.ReadAll(b); err != nil {
				t.Fatal(err)
			}
			l.Annotations[estargz.TOCJSONDigestAnnotation] = b.TOCDigest().String()
			l.Tar = inflated(t, l)
			same(t, l)
		})
	}
	for _, o := range []testtoc.Options{{}, {ChunkSize: 10_000}, {Landmark: true}, {MinMember: 50_000}} {
		t.Run(fmt.Sprintf("read/%d %v %d", o.ChunkSize, o.Landmark, o.MinMember), func(t *testing.T) {
			l, err := testtoc.Stargz(archive, o)
			if err != nil {
				t.Fatal(err)
			}
			r, err := estargz.Open(io.NewSectionReader(bytes.NewReader(l.Blob), 0, int64(len(l.Blob))))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.TOCDigest().String(); got != l.Annotations[estargz.TOCJSONDigestAnnotation] {
				t.Errorf("the library computes digest %s, the annotations are %v", got, l.Annotations)
			}
			for _, n := range []string{"mid", "f7", "etc/x", "large1", "f99"} {
				e, ok := r.Lookup(n)
				f, err := r.OpenFile(n)
				if err != nil || !ok {
					t.Fatal(n, err)
				}
				data, err := io.ReadAll(f)
				if err != nil || testimage.Sum(data).String() != e.Digest {
					t.Errorf("%s has %d other bytes, %v", n, len(data), err)
				}
			}
			same(t, l)
		})
	}
}

// chunked is both directions of zstd:chunked, as the library wants them.
type chunked struct {
	*zstdchunked.Decompressor
	*zstdchunked.Compressor
}

func inflated(t *testing.T, l *testtoc.Layer) []byte {
	t.Helper()
	var r io.Reader
	var err error
	if l.Zstd {
		r, err = zstd.NewReader(bytes.NewReader(l.Blob))
	} else {
		r, err = gzip.NewReader(bytes.NewReader(l.Blob))
	}
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if _, err := io.Copy(&b, r); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}
