package sbom_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// everything gives all that a scan found as text, but for what only tells how.
func everything(t testing.TB, c *sbom.Contents) string {
	t.Helper()
	var b bytes.Buffer
	doc, _, err := sbom.Encode(c.SBOM, sbom.CycloneDXJSON, sbom.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(doc)
	for _, l := range c.Layers {
		l.Cached = false
		fmt.Fprintf(&b, "layer %+v\n", l)
	}
	fmt.Fprintf(&b, "%s %s %v\n", c.Manifest, c.ConfigDigest, c.Platform)
	for _, s := range c.Skipped {
		fmt.Fprintf(&b, "skipped %+v\n", s)
	}
	for _, s := range c.Ambiguous {
		fmt.Fprintf(&b, "ambiguous %+v\n", s)
	}
	for _, s := range c.History {
		fmt.Fprintf(&b, "history %+v\n", s)
	}
	for f := range c.Files() {
		id, _ := c.Owner(f.Path)
		fmt.Fprintf(&b, "file %+v of %s\n", f, id)
	}
	for r := range c.Removed() {
		fmt.Fprintf(&b, "removed %+v\n", r)
	}
	for _, p := range sbom.SmallFiles() {
		data, err := c.ReadSmall(p)
		fmt.Fprintf(&b, "%s %q %v\n", p, data, err)
	}
	return b.String()
}

// failures gives a logger that fails the test when something of the cache fails.
func failures(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(writerFunc(func(line []byte) {
		if strings.Contains(string(line), "msg=cache") {
			t.Errorf("%s", line)
		}
	}), nil))
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

// checkCached scans again with a cache, first empty and then warm, and wants the same
// of both. All tests that scan do.
func checkCached(t testing.TB, img v1.Image, opts sbom.Options, c *sbom.Contents) {
	t.Helper()
	if len(opts.Catalogers) > 0 {
		return
	}
	opts.Cache, opts.Logger = sbom.NewMemoryCache(0), failures(t)
	want := everything(t, c)
	for _, state := range []string{"empty", "warm"} {
		got, err := sbom.Scan(context.Background(), img, opts)
		if err != nil {
			t.Fatalf("%s cache: %v", state, err)
		}
		if diff := cmp.Diff(want, everything(t, got)); diff != "" {
			t.Errorf("%s cache: %s", state, diff)
		}
		for i, l := range got.Layers {
			// A layer can be in an image twice.
			if l.Cached != (state == "warm") && (state == "warm" || !slices.ContainsFunc(got.Layers[:i], func(o sbom.Layer) bool { return o.DiffID == l.DiffID })) {
				t.Errorf("%s cache: layer %d cached: %t", state, i, l.Cached)
			}
		}
	}
}

// unreadable is an image whose blobs of some diffIDs are gone.
type unreadable struct {
	v1.Image
	gone map[v1.Hash]bool
	read *int
}

type unreadableLayer struct {
	v1.Layer
	img unreadable
}

func (u unreadable) Layers() ([]v1.Layer, error) {
	ls, err := u.Image.Layers()
	for i, l := range ls {
		ls[i] = unreadableLayer{l, u}
	}
	return ls, err
}

func (l unreadableLayer) Compressed() (io.ReadCloser, error) {
	if h, err := l.Layer.DiffID(); err != nil || l.img.gone[h] {
		return nil, fmt.Errorf("no blob of diffID %s", h)
	}
	*l.img.read++
	return l.Layer.Compressed()
}

// A layer that was seen in one image is not read for another.
func TestCacheAcrossImages(t *testing.T) {
	base := []file{{Name: "etc/os-release", Body: osRelease}, dpkgStatus("a 1"), {Name: "gone"}}
	for name, cache := range map[string]sbom.Cache{"memory": sbom.NewMemoryCache(0), "disk": diskCache(t, t.TempDir(), 0)} {
		opts := sbom.Options{Cache: cache, Logger: failures(t), Workers: 1}
		first := testimage.New(t, layersOf(base, []file{{Name: "first"}})...)
		if _, err := sbom.Scan(t.Context(), first, opts); err != nil {
			t.Fatal(err)
		}
		// The same layer, compressed in another way, below another one.
		zstd := testimage.New(t, testimage.Layer{Files: base, Compression: testimage.Zstd}, testimage.Layer{Files: []file{testimage.Whiteout("gone"), dpkgStatus("a 2")}})
		ids, err := zstd.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		u := unreadable{zstd, map[v1.Hash]bool{ids.RootFS.DiffIDs[0]: true}, &read}
		got, err := sbom.Scan(t.Context(), u, opts)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, err := sbom.Scan(t.Context(), zstd, sbom.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(everything(t, want), everything(t, got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if !got.Layers[0].Cached || got.Layers[1].Cached || read != 1 {
			t.Errorf("%s: cached %t and %t, %d read", name, got.Layers[0].Cached, got.Layers[1].Cached, read)
		}
	}
}

// What is not the same scan is not served.
func TestCacheKeys(t *testing.T) {
	img := testimage.New(t, layersOf([]file{dpkgStatus("a 1")})...)
	cache := sbom.NewMemoryCache(0)
	cached := func(o sbom.Options) bool {
		o.Cache, o.Logger = cache, failures(t)
		c, err := sbom.Scan(t.Context(), img, o)
		if err != nil {
			t.Fatal(err)
		}
		return c.Layers[0].Cached
	}
	for _, tt := range []struct {
		name string
		opts sbom.Options
		want bool
	}{
		{"first", sbom.Options{}, false},
		{"second", sbom.Options{}, true},
		{"other workers", sbom.Options{Workers: 1, RootName: "x"}, true},
		{"files", sbom.Options{Files: true}, false},
		{"files again", sbom.Options{Files: true}, true},
		{"bound", sbom.Options{Bounds: sbom.Bounds{File: 1000}}, false},
		{"memory that is the bound on files", sbom.Options{Memory: 1000}, true},
		{"wrong digest", sbom.Options{}, true},
	} {
		if got := cached(tt.opts); got != tt.want {
			t.Errorf("%s: cached %t", tt.name, got)
		}
	}
	// What the manifest's chain does not vouch for is refused whatever is cached.
	if _, err := sbom.Scan(t.Context(), img, sbom.Options{Cache: cache, Digest: testimage.New(t).ID()}); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("another digest: %v", err)
	}
	for _, b := range []sbom.Bounds{{TotalEntries: 1}, {TotalInflated: 100}} {
		two := testimage.New(t, layersOf([]file{dpkgStatus("a 1")}, []file{{Name: "b"}})...)
		o := sbom.Options{Cache: cache, Bounds: b, Workers: 1}
		for range 2 {
			if _, err := sbom.Scan(t.Context(), two, o); !errors.Is(err, assay.ErrBound) {
				t.Errorf("%+v: %v", b, err)
			}
		}
	}
}

// A layer whose bytes do not have its diffID is never kept.
func TestCacheKeepsVerified(t *testing.T) {
	lying := testimage.New(t, testimage.Layer{Files: []file{dpkgStatus("evil 1")}, DiffID: testimage.Sum([]byte("another layer"))})
	cache := sbom.NewMemoryCache(0)
	for range 2 {
		if _, err := sbom.Scan(t.Context(), lying, sbom.Options{Cache: cache}); !errors.Is(err, assay.ErrRefuted) {
			t.Fatalf("got %v", err)
		}
	}
	if n := cache.Bytes(); n != 0 {
		t.Errorf("%d bytes are kept", n)
	}
}

// brokenCache fails, or gives what nobody put there.
type brokenCache struct {
	get func(key string) (string, bool, error)
}

func (b brokenCache) Get(_ context.Context, key string) (string, bool, error) { return b.get(key) }
func (brokenCache) Put(context.Context, string, string) error {
	return errors.New("no room")
}

func TestCacheFailures(t *testing.T) {
	img := testimage.New(t, layersOf([]file{dpkgStatus("a 1")})...)
	want, err := sbom.Scan(t.Context(), img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		get  func(string) (string, bool, error)
		says string
	}{
		{"unreadable", func(string) (string, bool, error) { return "", false, errors.New("disk on fire") }, "disk on fire"},
		{"empty", func(string) (string, bool, error) { return "", true, nil }, "format or diffID"},
		{"garbage", func(string) (string, bool, error) { return strings.Repeat("x", 1000), true, nil }, "format or diffID"},
	} {
		var out bytes.Buffer
		got, err := sbom.Scan(t.Context(), img, sbom.Options{Cache: brokenCache{tt.get}, Logger: slog.New(slog.NewTextHandler(&out, nil))})
		if err != nil || everything(t, got) != everything(t, want) || got.Layers[0].Cached {
			t.Errorf("%s: %v", tt.name, err)
		}
		for _, s := range []string{tt.says, "no room"} {
			if !strings.Contains(out.String(), s) {
				t.Errorf("%s: %q does not say %q", tt.name, out.String(), s)
			}
		}
	}
}

func TestMemoryCache(t *testing.T) {
	c := sbom.NewMemoryCache(3000)
	put := func(key string, n int) {
		if err := c.Put(t.Context(), key, strings.Repeat("x", n)); err != nil {
			t.Fatal(err)
		}
	}
	has := func(key string) bool {
		_, ok, err := c.Get(t.Context(), key)
		return ok && err == nil
	}
	put("a", 700)
	put("b", 700)
	put("c", 700)
	if !has("a") || c.Bytes() > 3000 {
		t.Errorf("%d bytes", c.Bytes())
	}
	put("d", 700) // b is the one that was not used for the longest
	if !has("a") || has("b") || !has("c") || !has("d") || c.Bytes() > 3000 {
		t.Errorf("%t %t %t %t, %d bytes", has("a"), has("b"), has("c"), has("d"), c.Bytes())
	}
	put("d", 100)
	put("huge", 3000)
	if has("huge") || !has("a") {
		t.Error("what is larger than the cache takes its place")
	}
	none := sbom.NewMemoryCache(-1)
	if err := none.Put(t.Context(), "a", ""); err != nil || none.Bytes() != 0 {
		t.Errorf("a cache of nothing keeps %d bytes, %v", none.Bytes(), err)
	}
}

func diskCache(t testing.TB, dir string, limit int64) *sbom.DiskCache {
	t.Helper()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := sbom.NewDiskCache(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestDiskCache(t *testing.T) {
	dir := t.TempDir()
	c, other := diskCache(t, dir, 0), diskCache(t, dir, 0)
	if _, ok, err := c.Get(t.Context(), "a"); ok || err != nil {
		t.Errorf("empty: %t %v", ok, err)
	}
	for _, v := range []string{"one", "", "two"} {
		if err := c.Put(t.Context(), "a/../b\n", v); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := other.Get(t.Context(), "a/../b\n"); !ok || err != nil || got != v {
			t.Errorf("got %q %t %v, want %q", got, ok, err, v)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if info, err := files[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// Whatever is changed or missing is found out, deleted and told.
	name := filepath.Join(dir, files[0].Name())
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(whole) + 2 {
		broken := bytes.Clone(whole)
		switch {
		case i < len(whole):
			broken[i] ^= 1
		case i == len(whole):
			broken = broken[:i-1]
		default:
			broken = append(broken, 0)
		}
		if err := os.WriteFile(name, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		got, ok, err := c.Get(t.Context(), "a/../b\n")
		if ok || got != "" || !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), files[0].Name()) {
			t.Fatalf("byte %d: %q %t %v", i, got, ok, err)
		}
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	// The entry of another key under this one's name.
	if err := c.Put(t.Context(), "other", "x"); err != nil {
		t.Fatal(err)
	}
	files, _ = os.ReadDir(dir)
	if err := os.Rename(filepath.Join(dir, files[0].Name()), name); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := c.Get(t.Context(), "a/../b\n"); ok || !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("another key: %t %v", ok, err)
	}
}

func TestDiskCacheRoom(t *testing.T) {
	dir := t.TempDir()
	c := diskCache(t, dir, 3500)
	testimage.WriteFile(t, filepath.Join(dir, "notes.txt"), make([]byte, 9000))
	stale, fresh := filepath.Join(dir, "a.assay-part"), filepath.Join(dir, "b.assay-part")
	testimage.WriteFile(t, stale, []byte("x"))
	testimage.WriteFile(t, fresh, []byte("x"))
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(stale, old, old); err != nil {
		t.Fatal(err)
	}
	has := func(key string) bool {
		_, ok, err := c.Get(t.Context(), key)
		return ok && err == nil
	}
	for i := range 9 {
		if err := c.Put(t.Context(), fmt.Sprint(i), strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
		if i > 0 && !has("0") {
			t.Fatalf("the one in use went with %d", i)
		}
		time.Sleep(2 * time.Millisecond) // so that the times of files differ
	}
	if !has("8") || has("2") || !has("7") {
		t.Errorf("8 %t, 7 %t, 2 %t", has("8"), has("7"), has("2"))
	}
	if err := c.Put(t.Context(), "huge", strings.Repeat("x", 4000)); err != nil || has("huge") {
		t.Errorf("larger than the cache: %t, %v", has("huge"), err)
	}
	for name, there := range map[string]bool{"notes.txt": true, "a.assay-part": false, "b.assay-part": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiskCacheRefused(t *testing.T) {
	dir := t.TempDir()
	if runtime.GOOS != "windows" {
		if err := os.Chmod(dir, 0o770); err != nil {
			t.Fatal(err)
		}
		if _, err := sbom.NewDiskCache(dir, 0); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "770") {
			t.Errorf("a folder that others can write to: %v", err)
		}
	}
	testimage.WriteFile(t, filepath.Join(dir, "file"), nil)
	if _, err := sbom.NewDiskCache(filepath.Join(dir, "file"), 0); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("a file: %v", err)
	}
	if c, err := sbom.NewDiskCache(filepath.Join(dir, "new", "folder"), 0); err != nil {
		t.Error(err)
	} else {
		c.Close()
		if err := c.Put(t.Context(), "a", ""); !errors.Is(err, assay.ErrUnchecked) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// Several processes are several caches of one folder.
func TestDiskCacheShared(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		c := diskCache(t, dir, 20_000)
		wg.Go(func() {
			for i := range 60 {
				key := fmt.Sprint(i % 7)
				want := strings.Repeat(key, 2000)
				if err := c.Put(t.Context(), key, want); err != nil {
					t.Error(err)
				}
				if got, ok, err := c.Get(t.Context(), key); err != nil || ok && got != want {
					t.Errorf("%s: %q %v", key, got, err)
				}
			}
		})
	}
	wg.Wait()
	var size int64
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			size += info.Size()
		}
	}
	if size > 20_000+3000*4 {
		t.Errorf("%d bytes", size)
	}
}

// The second scan reads no layer.
func ExampleNewMemoryCache() {
	img, err := testimage.Build(testimage.Options{}, testimage.Layer{Files: []testimage.File{dpkgStatus("libc6 2.36")}})
	if err != nil {
		log.Fatal(err)
	}
	cache := sbom.NewMemoryCache(64 << 20)
	for range 2 {
		c, err := sbom.Scan(context.Background(), img, sbom.Options{Digest: img.ID(), Cache: cache})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.SBOM.Components[0].Name, c.Layers[0].Cached)
	}
	// Output:
	// libc6 false
	// libc6 true
}

// A cache that several runs, and several processes, share.
func ExampleNewDiskCache() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	img, err := testimage.Build(testimage.Options{}, testimage.Layer{Files: []testimage.File{dpkgStatus("libc6 2.36")}})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		cache, err := sbom.NewDiskCache(dir, 1<<30)
		if err != nil {
			log.Fatal(err)
		}
		c, err := sbom.Scan(context.Background(), img, sbom.Options{Digest: img.ID(), Cache: cache})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.Layers[0].Cached)
		if err := cache.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// false
	// true
}

// The layers of a real image give the same from a cache.
func TestCacheDebian(t *testing.T) {
	img, _ := debianImage(t)
	checkCached(t, img, debianOptions, debianContents(t))
}
