package layers

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
)

// lying is an image whose parts can be replaced.
type lying struct {
	v1.Image
	manifest, config []byte
	mediaType        types.MediaType
	blob             func(i int, v1 v1.Layer) (io.ReadCloser, error)
	layersErr        error
}

func (l *lying) RawManifest() ([]byte, error) {
	if l.manifest != nil {
		return l.manifest, nil
	}
	return l.Image.RawManifest()
}

func (l *lying) RawConfigFile() ([]byte, error) {
	if l.config != nil {
		return l.config, nil
	}
	return l.Image.RawConfigFile()
}

func (l *lying) MediaType() (types.MediaType, error) {
	if l.mediaType != "" {
		return l.mediaType, nil
	}
	return l.Image.MediaType()
}

func (l *lying) Layers() ([]v1.Layer, error) {
	ls, err := l.Image.Layers()
	if l.blob != nil {
		for i := range ls {
			ls[i] = lyingLayer{ls[i], l, i}
		}
	}
	if l.layersErr != nil {
		return nil, l.layersErr
	}
	return ls, err
}

type lyingLayer struct {
	v1.Layer
	l *lying
	i int
}

func (l lyingLayer) Compressed() (io.ReadCloser, error) { return l.l.blob(l.i, l.Layer) }

func body(b []byte) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

func honest(t testing.TB) *testimage.Image {
	return testimage.New(t,
		files(F{Name: "a", Body: strings.Repeat("hello ", 50_000)}),
		L{Compression: testimage.Zstd, Files: []F{{Name: "b", Body: "b"}}})
}

func TestLies(t *testing.T) {
	img := honest(t)
	m, _ := img.Manifest()
	first := m.Layers[0].Digest.String()
	blob0 := img.Blob(m.Layers[0].Digest)
	flipped := bytes.Clone(blob0)
	flipped[len(flipped)/2] ^= 1
	broken := errors.New("connection reset")
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	serve := func(b []byte) func(int, v1.Layer) (io.ReadCloser, error) {
		return func(i int, l v1.Layer) (io.ReadCloser, error) {
			if i == 0 {
				return body(b)
			}
			return l.Compressed()
		}
	}
	for _, tt := range []struct {
		name string
		img  v1.Image
		opts Options
		kind error
		says []string
	}{
		{"another digest was asked for", img, Options{Digest: assay.MustDigest("sha256:" + strings.Repeat("0", 64))}, assay.ErrRefuted, []string{"manifest digest", img.ID().String(), "sha256:000"}},
		{"another manifest", &lying{Image: img, manifest: []byte(`{}`)}, Options{Digest: img.ID()}, assay.ErrRefuted, []string{"manifest digest"}},
		{"another config", &lying{Image: img, config: []byte(`{"os":"linux"}`)}, Options{}, assay.ErrRefuted, []string{"config digest", m.Config.Digest.String()}},
		{"a flipped bit", &lying{Image: img, blob: serve(flipped)}, Options{}, assay.ErrRefuted, []string{first, "digest"}},
		{"another blob", &lying{Image: img, blob: serve(img.Blob(m.Layers[1].Digest))}, Options{}, assay.ErrRefuted, []string{first, "size"}},
		{"a shorter blob", &lying{Image: img, blob: serve(blob0[:len(blob0)-9])}, Options{}, assay.ErrRefuted, []string{first, "size", fmt.Sprint(len(blob0) - 9), fmt.Sprint(len(blob0))}},
		{"a longer blob", &lying{Image: img, blob: serve(append(bytes.Clone(blob0), 0))}, Options{}, assay.ErrRefuted, []string{first, "size"}},
		{"garbage in place of the blob", &lying{Image: img, blob: serve([]byte("garbage"))}, Options{}, assay.ErrRefuted, []string{first}},
		{"diffID", testimage.New(t, L{Files: []F{{Name: "a"}}, DiffID: testimage.Sum(nil)}), Options{}, assay.ErrRefuted, []string{"diffID", testimage.Sum(nil).String()}},
		{"diffID, uncompressed", testimage.New(t, L{Files: []F{{Name: "a"}}, Compression: testimage.None, DiffID: testimage.Sum(nil)}), Options{}, assay.ErrRefuted, []string{"diffID"}},
		{"blob that cannot be opened", &lying{Image: img, blob: func(i int, l v1.Layer) (io.ReadCloser, error) { return nil, broken }}, Options{}, assay.ErrUnchecked, []string{"connection reset", "sha256:"}},
		{"connection that breaks", &lying{Image: img, blob: func(i int, l v1.Layer) (io.ReadCloser, error) {
			if i != 0 {
				return l.Compressed()
			}
			return io.NopCloser(io.MultiReader(bytes.NewReader(blob0[:100]), &failing{broken})), nil
		}}, Options{}, assay.ErrUnchecked, []string{first, "connection reset"}},
		{"source that verifies itself", &lying{Image: img, blob: func(i int, l v1.Layer) (io.ReadCloser, error) {
			if i != 0 {
				return l.Compressed()
			}
			return io.NopCloser(io.MultiReader(bytes.NewReader(flipped), &failing{errors.New(`error verifying sha256 checksum after reading 1 bytes; got "x", want "y"`)})), nil
		}}, Options{}, assay.ErrRefuted, []string{first, "digest"}},
		{"layers that cannot be listed", &lying{Image: img, layersErr: broken}, Options{}, assay.ErrUnchecked, []string{"connection reset"}},
		{"garbage gzip", testimage.New(t, L{Blob: []byte("\x1f\x8bgarbage")}), Options{}, assay.ErrInvalid, []string{"gzip stream", testimage.Sum([]byte("\x1f\x8bgarbage")).String()}},
		{"truncated gzip", testimage.New(t, L{Blob: blob0[:len(blob0)-20]}), Options{}, assay.ErrInvalid, []string{"gzip stream", "unexpected EOF"}},
		{"gzip with trailing garbage", testimage.New(t, L{Blob: append(bytes.Clone(blob0), "trailing"...)}), Options{}, assay.ErrInvalid, []string{"gzip stream"}},
		{"truncated zstd", testimage.New(t, L{Compression: testimage.Zstd, Blob: img.Blob(m.Layers[1].Digest)[:30]}), Options{}, assay.ErrInvalid, []string{"zstd stream"}},
		{"gzip said to be plain", testimage.New(t, L{Files: []F{{Name: "a"}}, MediaType: types.OCIUncompressedLayer}), Options{}, assay.ErrInvalid, []string{"media type", "gzip", "uncompressed"}},
		{"plain said to be gzip", testimage.New(t, L{Files: []F{{Name: "a"}}, Compression: testimage.None, MediaType: types.OCILayer}), Options{}, assay.ErrInvalid, []string{"media type"}},
		{"zstd said to be gzip", testimage.New(t, L{Files: []F{{Name: "a"}}, Compression: testimage.Zstd, MediaType: types.OCILayer}), Options{}, assay.ErrInvalid, []string{"zstd"}},
		{"no file system", testimage.New(t, L{MediaType: "application/vnd.in-toto+json"}), Options{}, assay.ErrInvalid, []string{"/layers/0/mediaType", "in-toto"}},
		{"garbage tar", testimage.New(t, L{Tar: bytes.Repeat([]byte("garbage!"), 200)}), Options{}, assay.ErrInvalid, []string{"tar entry 0"}},
		{"truncated tar", testimage.New(t, L{Tar: must(testimage.Tar(F{Name: "a", Body: strings.Repeat("x", 2000)}))[:1000]}), Options{}, assay.ErrInvalid, []string{"tar entry 1"}},
		{"too few diffIDs", testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.RootFS.DiffIDs = nil }}, files()), Options{}, assay.ErrInvalid, []string{"/rootfs/diff_ids", "0 diffIDs"}},
		{"too much history", testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.History = append(c.History, v1.History{}) }}, files()), Options{}, assay.ErrInvalid, []string{"/history", "2 entries"}},
		{"manifest that is an index too", &lying{Image: img, manifest: []byte(`{"schemaVersion":2,"layers":[],"manifests":[]}`)}, Options{Digest: assay.MustDigest(testimage.Sum([]byte(`{"schemaVersion":2,"layers":[],"manifests":[]}`)).String())}, assay.ErrInvalid, []string{"/manifests"}},
		{"media type that differs", &lying{Image: img, mediaType: types.DockerManifestSchema2}, Options{}, assay.ErrInvalid, []string{"/mediaType"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := Pass(t.Context(), tt.img, tt.opts, executables{})
			if !errors.Is(err, tt.kind) || res != nil {
				t.Fatalf("got %v, %v, want %v and nothing else", res, err, tt.kind)
			}
			for _, other := range []error{assay.ErrRefuted, assay.ErrUnchecked, assay.ErrInvalid, assay.ErrBound, assay.ErrAbsent} {
				if other != tt.kind && errors.Is(err, other) {
					t.Errorf("%v is %v too", err, other)
				}
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not name %q", err, s)
				}
			}
		})
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// hanging is a source that gives some bytes and then nothing, until it is closed.
type hanging struct {
	io.Reader
	closed chan struct{}
}

func (h *hanging) Read(b []byte) (int, error) {
	if n, err := h.Reader.Read(b); n > 0 || err != io.EOF {
		return n, err
	}
	<-h.closed
	return 0, errors.New("closed")
}

func (h *hanging) Close() error { close(h.closed); return nil }

func TestHanging(t *testing.T) {
	img := honest(t)
	m, _ := img.Manifest()
	hang := func() v1.Image {
		return &lying{Image: img, blob: func(i int, l v1.Layer) (io.ReadCloser, error) {
			return &hanging{bytes.NewReader(img.Blob(m.Layers[i].Digest)[:10]), make(chan struct{})}, nil
		}}
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := Pass(t.Context(), hang(), Options{Stall: time.Minute})
		if !errors.Is(err, assay.ErrUnchecked) || !errors.Is(err, errStalled) || !strings.Contains(err.Error(), "1m0s") || !strings.Contains(err.Error(), "sha256:") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != time.Minute {
			t.Errorf("took %s", d)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := Pass(ctx, hang(), Options{Stall: -1})
		if !errors.Is(err, assay.ErrUnchecked) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("took %s", d)
		}
	})
}

func TestBounds(t *testing.T) {
	big := testimage.New(t, files(F{Name: "d/big", Body: strings.Repeat("x", 10_000)}, F{Name: "d/b"}), files(F{Name: "c", PAX: map[string]string{"SCHILY.xattr.user.a": strings.Repeat("v", 5000)}}))
	window, err := wideZstd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		bound  string
		img    v1.Image
		bounds Bounds
		says   string
	}{
		{"Layers", big, Bounds{Layers: 1}, "/layers"},
		{"Entries", big, Bounds{Entries: 1}, "entries"},
		{"TotalEntries", big, Bounds{TotalEntries: 2}, "entries of all layers"},
		{"PathLength", big, Bounds{PathLength: 4}, "d/big"},
		{"PathDepth", big, Bounds{PathDepth: 1}, "d/big"},
		{"Header", big, Bounds{Header: 4000}, "c: "},
		{"File", big, Bounds{File: 9_999}, "d/big"},
		{"Inflated", big, Bounds{Inflated: 5_000}, "inflated size"},
		{"TotalInflated", big, Bounds{TotalInflated: 15_000}, "inflated size"},
		{"Manifest", big, Bounds{Manifest: 100}, "manifest"},
		{"Config", big, Bounds{Config: 100}, "/config/size"},
		{"Window", testimage.New(t, L{Compression: testimage.Zstd, Blob: window}), Bounds{Window: 1 << 20}, "zstd window"},
		{"PathLength", testimage.New(t, files(sym("s", strings.Repeat("x", 50)))), Bounds{PathLength: 40}, "link target"},
		{"PathDepth", testimage.New(t, files(F{Name: "a/b/c/"}, sym("s", "a/b/c"), F{Name: "s/d/e"})), Bounds{PathDepth: 4}, "a/b/c/d/e"},
	} {
		t.Run(tt.bound, func(t *testing.T) {
			want, _ := tt.img.Digest()
			res, err := Pass(t.Context(), tt.img, Options{Digest: assay.MustDigest(want.String()), Bounds: tt.bounds}, all{})
			if !errors.Is(err, assay.ErrBound) || res != nil {
				t.Fatalf("got %v, %v", res, err)
			}
			if s := err.Error(); !strings.Contains(s, tt.bound) || !strings.Contains(s, tt.says) || !strings.Contains(s, "sha256:") {
				t.Errorf("%q does not name the bound %s, %q and a digest", s, tt.bound, tt.says)
			}
		})
	}
	if _, err := Pass(t.Context(), big, Options{Bounds: Bounds{Layers: -1, Entries: -1, TotalEntries: -1, PathLength: -1, PathDepth: -1, Header: -1, File: -1, Inflated: -1, TotalInflated: -1, Manifest: -1, Config: -1, Window: -1}}, all{}); err != nil {
		t.Errorf("without bounds: %v", err)
	}
}

func wideZstd() ([]byte, error) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(bytes.Repeat([]byte("0123456789abcdef"), 1<<20)); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// all wants every content, and its digest.
type all struct{}

func (all) Name() string { return "all" }
func (all) Match(f *File) Want {
	if f.Type == Regular {
		return WantContent | WantHash
	}
	return WantNothing
}
func (all) Visit(_ context.Context, f *File, c Content) (any, error) {
	if int64(len(c.Bytes)) != f.Size || c.SHA256.String() != testimage.Sum(c.Bytes).String() {
		return nil, fmt.Errorf("%s: got %d bytes, %s", f.Path, len(c.Bytes), c.SHA256)
	}
	return string(c.Bytes), nil
}

func TestTrailing(t *testing.T) {
	data, err := testimage.Tar(F{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	hidden := append(append(bytes.Clone(data), make([]byte, 4096)...), "hidden"...)
	res, err := Pass(t.Context(), testimage.New(t, L{Tar: hidden}, L{Tar: data}, L{Tar: []byte{}}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if res.Layers[0].Trailing != 6 || res.Layers[1].Trailing != 0 || res.Layers[2].Entries != 0 {
		t.Errorf("got %+v", res.Layers)
	}
}

func TestSeveralMembers(t *testing.T) {
	data, err := testimage.Tar(F{Name: "a", Body: "1"}, F{Name: "b", Body: "2"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []testimage.Compression{testimage.Gzip, testimage.Zstd} {
		one, _ := testimage.Compress(c, data[:700])
		two, _ := testimage.Compress(c, data[700:])
		res, err := Pass(t.Context(), testimage.New(t, L{Compression: c, Tar: data, Blob: append(one, two...)}), Options{})
		if err != nil || res.Tree.Len() != 3 {
			t.Errorf("got %v, %v", res, err)
		}
	}
}

// FuzzPass: whatever the bytes of a layer, the pass ends without a panic, with a
// result or an error of this module, and the same one both times.
func FuzzPass(f *testing.F) {
	for _, fs := range [][]F{
		{{Name: "a", Body: "x"}, {Name: "d/"}, wh("b"), opq("d")},
		{sym("l", "d"), {Name: "l/x", Body: "y"}, hard("h", "l/x"), {Name: "h", Caps: testimage.CapNetBindService}},
		{{Name: "../x"}}, {{Name: strings.Repeat("n", 300), UID: 1 << 30}}, {{Name: "dev", Type: tar.TypeChar}},
	} {
		data, err := testimage.Tar(fs...)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
		z, _ := testimage.Compress(testimage.Gzip, data)
		f.Add(z, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, packed bool) {
		l := L{Tar: data, Compression: testimage.None}
		if sniff(data) != packedNone {
			packed = true
		}
		if packed {
			l = L{Blob: data, Tar: []byte{}}
		}
		img := testimage.New(t, l)
		opts := Options{Bounds: Bounds{Entries: 1000, File: 1 << 20, Inflated: 1 << 22}}
		res, err := Pass(t.Context(), img, opts, all{}, executables{})
		again, err2 := Pass(t.Context(), img, opts, all{}, executables{})
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("%v and then %v", err, err2)
		}
		if err != nil {
			var e *assay.Error
			if !errors.As(err, &e) || e.Kind == nil {
				t.Fatalf("an error of no kind: %v", err)
			}
			if res != nil {
				t.Fatal("a result with an error")
			}
			return
		}
		if fmt.Sprint(names(res.Tree)) != fmt.Sprint(names(again.Tree)) || len(res.Facts("all")) != len(again.Facts("all")) {
			t.Fatal("not the same twice")
		}
		last := ""
		for file := range res.Tree.All() {
			if file.Path != "." && (!isClean(file.Path) || comparePaths(last, file.Path) >= 0 && last != "") {
				t.Fatalf("%q after %q", file.Path, last)
			}
			if file.Path != "." {
				last = file.Path
			}
			if res.Tree.Get(file.Path) != file {
				t.Fatalf("%q is not where it is", file.Path)
			}
		}
		for _, fact := range res.Facts("all") {
			if res.Tree.Get(fact.Path) == nil {
				t.Fatalf("a fact about %q, which is not there", fact.Path)
			}
		}
	})
}

// sparse is a tar archive of one file in the old GNU format: data at an offset, and
// holes around it.
func sparse(t testing.TB, data string, offset, size int64) []byte {
	t.Helper()
	h := make([]byte, 512)
	octal := func(at, n int, v int64) { copy(h[at:], fmt.Sprintf("%0*o\x00", n-1, v)) }
	copy(h, "holes")
	octal(100, 8, 0o644)
	octal(108, 8, 0)
	octal(116, 8, 0)
	octal(124, 12, int64(len(data)))
	octal(136, 12, 0)
	h[156] = 'S'
	copy(h[257:], "ustar  \x00")
	octal(386, 12, offset)
	octal(398, 12, int64(len(data)))
	octal(483, 12, size)
	copy(h[148:], "        ")
	sum := int64(0)
	for _, b := range h {
		sum += int64(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	h = append(h, data...)
	h = append(h, make([]byte, (512-len(data)%512)%512+1024)...)
	return h
}

func TestSparse(t *testing.T) {
	res, err := Pass(t.Context(), testimage.New(t, L{Tar: sparse(t, "data", 1000, 5000)}), Options{}, all{})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("\x00", 1000) + "data" + strings.Repeat("\x00", 3996)
	for fact, got := range Facts[string](res, "all") {
		if fact.Path != "holes" || got != want {
			t.Errorf("%s: %d bytes", fact.Path, len(got))
		}
	}
	// Eight gigabytes in two kilobytes.
	huge := testimage.New(t, L{Tar: sparse(t, "data", 0, 1<<33-1)})
	if _, err := Pass(t.Context(), huge, Options{}, all{}); !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "holes") {
		t.Errorf("content: %v", err)
	}
	if _, err := Pass(t.Context(), huge, Options{Bounds: Bounds{Inflated: 1 << 20}}, hashes{}); !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "holes") {
		t.Errorf("hash: %v", err)
	}
	if res, err := Pass(t.Context(), huge, Options{}); err != nil || res.Tree.Get("holes").Size != 1<<33-1 {
		t.Errorf("nothing wanted: %v", err)
	}
}

type hashes struct{ all }

func (hashes) Match(f *File) Want { return all{}.Match(f) &^ WantContent }

// A budget that one file fills makes layers wait for each other, not fail.
func TestMemory(t *testing.T) {
	var ls []L
	for i := range 8 {
		ls = append(ls, files(F{Name: fmt.Sprint(i), Body: strings.Repeat("x", 9_000)}))
	}
	res, err := Pass(t.Context(), testimage.New(t, ls...), Options{Memory: 10_000, Workers: 8}, all{})
	if err != nil || len(res.Facts("all")) != 8 {
		t.Errorf("got %v", err)
	}
	if _, err := Pass(t.Context(), testimage.New(t, ls...), Options{Memory: 8_000}, all{}); !errors.Is(err, assay.ErrBound) {
		t.Errorf("got %v", err)
	}
}
