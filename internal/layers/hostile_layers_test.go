package layers

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
)

// manyEntries is the tar archive of so many empty files, made as it is read.
type manyEntries struct {
	count, next int
	header      []byte
	sum         int // of the header without digits and checksum
	rest        []byte
	read        atomic.Int64
}

const (
	manyDigits   = 9
	manyPrefix   = "files/"
	tarBlock     = 512
	tarChecksum  = 148
	tarChecksums = 8
)

func newManyEntries(t testing.TB, count int) *manyEntries {
	t.Helper()
	data, err := testimage.Tar(F{Name: manyPrefix + strings.Repeat("0", manyDigits)})
	if err != nil {
		t.Fatal(err)
	}
	m := &manyEntries{count: count, header: bytes.Clone(data[:tarBlock])}
	copy(m.header[tarChecksum:], strings.Repeat(" ", tarChecksums))
	for _, b := range m.header {
		m.sum += int(b)
	}
	return m
}

func (m *manyEntries) size() int64 { return int64(m.count)*tarBlock + 2*tarBlock }

func (m *manyEntries) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		switch {
		case m.next < m.count:
			n, sum := m.next, m.sum
			for i := len(manyPrefix) + manyDigits - 1; i >= len(manyPrefix); i-- {
				m.header[i] = '0' + byte(n%10)
				sum += n % 10
				n /= 10
			}
			copy(m.header[tarChecksum:], fmt.Appendf(nil, "%06o\x00 ", sum))
			m.rest = m.header
		case m.next < m.count+2:
			m.rest = make([]byte, tarBlock)
		default:
			return 0, io.EOF
		}
		m.next++
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	m.read.Add(int64(n))
	return n, nil
}

// streamed is an image of one uncompressed layer that open gives anew at each call.
func streamed(t testing.TB, size int64, digest v1.Hash, open func() io.Reader) v1.Image {
	t.Helper()
	img := testimage.NewWith(t, testimage.Options{
		Config:   func(c *v1.ConfigFile) { c.RootFS.DiffIDs[0] = digest },
		Manifest: func(m *v1.Manifest) { m.Layers[0].Digest, m.Layers[0].Size = digest, size },
	}, L{Compression: testimage.None, Files: []F{{Name: "a"}}})
	return &lying{Image: img, blob: func(int, v1.Layer) (io.ReadCloser, error) { return io.NopCloser(open()), nil }}
}

// A layer of ten million entries is refused at the bound, and not read on: what it
// costs does not depend on how many there are.
func TestHostileTenMillionEntries(t *testing.T) {
	var source *manyEntries
	size := newManyEntries(t, 10_000_000).size()
	img := streamed(t, size, testimage.Sum(nil), func() io.Reader {
		source = newManyEntries(t, 10_000_000)
		return source
	})
	res, err := Pass(t.Context(), img, Options{Bounds: Bounds{Entries: 100_000}})
	if res != nil || !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "at most Entries 100000") {
		t.Fatalf("%v, %v", res, err)
	}
	if n := source.read.Load(); n > size/20 {
		t.Errorf("read %d of %d bytes", n, size)
	}
	if res, err = Pass(t.Context(), img, Options{Bounds: Bounds{Entries: -1, TotalEntries: 150_000}}); res != nil || !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "TotalEntries 150000") {
		t.Fatalf("%v, %v", res, err)
	}
}

// With the bounds lifted an entry takes no more memory than [Bounds.TotalEntries] says.
func TestHostileEntriesLifted(t *testing.T) {
	const count = 300_000
	hash := sha256.New()
	if _, err := io.Copy(hash, newManyEntries(t, count)); err != nil {
		t.Fatal(err)
	}
	digest := v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", hash.Sum(nil))}
	img := streamed(t, newManyEntries(t, count).size(), digest, func() io.Reader { return newManyEntries(t, count) })
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	res, err := Pass(t.Context(), img, Options{Bounds: Bounds{Entries: -1, TotalEntries: -1}})
	if err != nil {
		t.Fatal(err)
	}
	after := heap()
	if res.Layers[0].Entries != count {
		t.Fatalf("%d entries", res.Layers[0].Entries)
	}
	per := float64(after-min(before, after)) / count
	t.Logf("%.0f bytes an entry", per)
	if per > 300 {
		t.Errorf("%.0f bytes an entry", per)
	}
	runtime.KeepAlive(res)
}

// zeros is a tar archive of one file of so many zeros, made as it is read.
func zeros(t testing.TB, name string, size int64) io.Reader {
	t.Helper()
	data, err := testimage.Tar(F{Name: name, Body: "x"})
	if err != nil {
		t.Fatal(err)
	}
	h := bytes.Clone(data[:tarBlock])
	copy(h[124:], fmt.Appendf(nil, "%011o\x00", size))
	copy(h[tarChecksum:], strings.Repeat(" ", tarChecksums))
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[tarChecksum:], fmt.Appendf(nil, "%06o\x00 ", sum))
	return io.MultiReader(bytes.NewReader(h), io.LimitReader(zeroReader{}, (size+tarBlock-1)/tarBlock*tarBlock), bytes.NewReader(make([]byte, 2*tarBlock)))
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A layer that inflates to thousands of times its size is refused at the bound on what
// comes out, whatever compression made it so small, and before it has come out.
func TestHostileTarBomb(t *testing.T) {
	const size = 256 << 20
	for name, c := range map[string]testimage.Compression{"gzip": testimage.Gzip, "zstd": testimage.Zstd} {
		t.Run(name, func(t *testing.T) {
			plain, err := io.ReadAll(zeros(t, "bomb", size))
			if err != nil {
				t.Fatal(err)
			}
			blob, err := testimage.Compress(c, plain)
			if err != nil {
				t.Fatal(err)
			}
			if len(blob) > size/500 {
				t.Fatalf("%d bytes are no bomb", len(blob))
			}
			img := testimage.New(t, L{Compression: c, Tar: plain, Blob: blob})
			plain = nil
			peak := heapPeak(func() {
				res, err := Pass(t.Context(), img, Options{Bounds: Bounds{Inflated: 64 << 20}})
				if res != nil || !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "Inflated") {
					t.Errorf("%v, %v", res, err)
				}
			})
			if peak > 48<<20 {
				t.Errorf("%d bytes of memory", peak)
			}
			// A content that a visitor wants is refused by its own bound, from its header.
			res, err := Pass(t.Context(), img, Options{Bounds: Bounds{File: 1 << 20}}, all{})
			if res != nil || !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "at most File 1048576") || !strings.Contains(err.Error(), "bomb") {
				t.Errorf("%v, %v", res, err)
			}
		})
	}
}

// heapPeak is the largest growth of the heap while f runs, by samples.
func heapPeak(f func()) uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	done, end := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(end)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	f()
	close(done)
	<-end
	return most - before
}

// Links that lead out of the root, or in circles, end inside it or nowhere, whichever
// way they are asked for.
func TestHostileLinks(t *testing.T) {
	img := testimage.New(t, files(
		sym("out", "../../../../etc/passwd"), sym("abs", "/etc/passwd"), sym("up", ".."), F{Name: "etc/passwd", Body: "inside"},
		sym("a", "b"), sym("b", "a"), sym("self", "self"), sym("deep/x", "../deep/x/y"), sym("root", "/"),
		sym("long/0", "1"), sym("long/1", "../long/0/2")))
	res, err := Pass(t.Context(), img, Options{}, all{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"out", "abs", "up/etc/passwd", "up/up/up/etc/passwd", "root/root/etc/passwd"} {
		f, err := res.Tree.Lookup(p)
		if err != nil || f == nil || f.Path != "etc/passwd" {
			t.Errorf("%s leads to %+v, %v", p, f, err)
		}
	}
	for _, p := range []string{"a", "b", "self", "self/x", "deep/x", "deep/x/y", "long/0", "long/1", "out/x"} {
		if f, err := res.Tree.Lookup(p); err == nil && f != nil {
			t.Errorf("%s leads to %+v", p, f)
		}
	}
	// Nothing can be put outside, or through a circle.
	for name, f := range map[string]F{"name": {Name: "../x"}, "circle": {Name: "a/x"}, "self": {Name: "self/x"}, "hard link": hard("h", "../../etc/shadow"), "hard link to nothing": hard("h", "a/b")} {
		res, err := Pass(t.Context(), testimage.New(t, files(sym("a", "b"), sym("b", "a"), sym("self", "self")), files(f)), Options{})
		if res != nil || !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
}
