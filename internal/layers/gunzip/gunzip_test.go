package gunzip

import (
	"bufio"
	"bytes"
	stdflate "compress/flate"
	stdgzip "compress/gzip"
	"errors"
	"fmt"
	gobuild "go/build"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/gzip"
)

// pack gives a gzip member of the content.
func pack(t testing.TB, level int, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := stdgzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// contents are of all kinds that make different blocks.
func contents() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 200_000)
	skewed := make([]byte, 300_000) // codes of 15 bits
	far := make([]byte, 0, 200_000) // matches that reach back as far as they can
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	for i := range skewed {
		b := byte(0)
		for b < 40 && r.Uint32()&3 != 0 {
			b++
		}
		skewed[i] = b
	}
	block := random[:32768]
	for range 5 {
		far = append(far, block...)
	}
	var text bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&text, "line %d of a text, %x\n", i, r.Uint32()%1000)
	}
	return map[string][]byte{
		"nothing": nil, "one": {7}, "zeros": make([]byte, 1<<20), "random": random, "skewed": skewed, "far": far, "text": text.Bytes(),
		"pairs": bytes.Repeat([]byte("ab"), 50_000), "threes": bytes.Repeat([]byte("abc"), 50_000), "sevens": bytes.Repeat([]byte("abcdefg"), 50_000),
	}
}

// readAll reads in pieces of sizes that differ.
func readAll(r io.Reader, sizes ...int) ([]byte, error) {
	var out []byte
	for i := 0; ; i++ {
		p := make([]byte, sizes[i%len(sizes)])
		n, err := r.Read(p)
		out = append(out, p[:n]...)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

func TestRead(t *testing.T) {
	var everything, all []byte
	for name, content := range contents() {
		for _, level := range []int{stdflate.HuffmanOnly, stdflate.NoCompression, stdflate.BestSpeed, stdflate.DefaultCompression, stdflate.BestCompression} {
			packed := pack(t, level, content)
			for _, sizes := range [][]int{{128 << 10}, {1}, {1, 7, 300, 5000, 40_000}, {271}, {32 << 10}} {
				z, err := NewReader(bufio.NewReader(bytes.NewReader(packed)))
				if err != nil {
					t.Fatal(err)
				}
				if len(content) > 300_000 && sizes[0] == 1 {
					continue
				}
				got, err := readAll(z, sizes...)
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s, level %d, in %v: %d bytes of %d, %v", name, level, sizes, len(got), len(content), err)
				}
			}
			all, everything = append(all, packed...), append(everything, content...)
		}
	}
	z, err := NewReader(bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(all)), 16))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(z, 100_000, 3)
	if err != nil || !bytes.Equal(got, everything) {
		t.Errorf("members one after another: %d bytes of %d, %v", len(got), len(everything), err)
	}
	if err := z.Reset(bufio.NewReader(bytes.NewReader(pack(t, 6, []byte("again"))))); err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(z, 100); err != nil || string(got) != "again" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHeader(t *testing.T) {
	var b bytes.Buffer
	w := stdgzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = "a name", "a comment", []byte("SG\x02\x00ab")
	_, _ = w.Write([]byte("content"))
	_ = w.Close()
	z, err := NewReader(bufio.NewReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(z, 100); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

// What is cut off is an unexpected end, whatever is wrong besides; what is changed is
// noticed.
func TestBroken(t *testing.T) {
	content := contents()["text"][:3000]
	packed := pack(t, 6, content)
	for i := range packed {
		if _, err := run(packed[:i], 700); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %v", i, err)
		}
		changed := bytes.Clone(packed)
		changed[i] ^= 0x10
		got, err := run(changed, 700)
		if err == nil && !bytes.Equal(got, content) {
			t.Errorf("changed at %d: no error", i)
		}
	}
	sum := bytes.Clone(packed)
	sum[len(sum)-6]++
	if _, err := run(sum, 4096); !errors.Is(err, ErrChecksum) {
		t.Errorf("a wrong checksum: %v", err)
	}
	if _, err := run(append(bytes.Clone(packed), "trailing garbage"...), 4096); !errors.Is(err, ErrHeader) {
		t.Errorf("garbage after it: %v", err)
	}
	broken := errors.New("broken")
	z, err := NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(packed[:100]), iotest.ErrReader(broken))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(z, 100); err != broken {
		t.Errorf("a source that fails: %v", err)
	}
}

func run(packed []byte, size int) ([]byte, error) {
	z, err := NewReader(bufio.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	return readAll(z, size)
}

// FuzzRead compares with the readers of klauspost/compress and of the standard library.
func FuzzRead(f *testing.F) {
	for _, content := range contents() {
		content = content[:min(len(content), 5000)]
		for _, level := range []int{-2, 0, 1, 9} {
			f.Add(pack(f, level, content), uint16(len(content)/3))
		}
	}
	reserved := pack(f, 6, []byte("one"))
	reserved[3] = 0x20
	f.Add(reserved, uint16(2))
	f.Add(append(pack(f, 6, []byte("one")), "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xffname"...), uint16(21))
	f.Add(append(pack(f, 6, []byte("one")), pack(f, 6, []byte("two"))...), uint16(2))
	f.Fuzz(func(t *testing.T, packed []byte, size uint16) {
		const most = 4 << 20
		got, err := limited(func(r *bufio.Reader) (io.Reader, error) { return NewReader(r) }, packed, int(size)+1, most)
		want, wantErr := limited(func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) }, packed, 64<<10, most)
		std, stdErr := limited(func(r *bufio.Reader) (io.Reader, error) { return stdgzip.NewReader(r) }, packed, 64<<10, most)
		if len(got) >= most || len(want) >= most {
			if err == nil && wantErr == nil && !bytes.Equal(got[:min(len(got), len(want))], want[:min(len(got), len(want))]) {
				t.Fatal("other content")
			}
			return
		}
		// The standard library ignores reserved flags, klauspost's reader a member whose
		// header is cut off.
		if (err == nil) != (wantErr == nil && stdErr == nil) {
			t.Fatalf("%v, they say %v, %v", err, wantErr, stdErr)
		}
		if err == nil && (!bytes.Equal(got, want) || !bytes.Equal(got, std)) {
			t.Fatalf("%d bytes, they have %d and %d", len(got), len(want), len(std))
		}
	})
}

func limited(open func(*bufio.Reader) (io.Reader, error), packed []byte, size, most int) (out []byte, err error) {
	r, err := open(bufio.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	p := make([]byte, size)
	for len(out) < most {
		n, err := r.Read(p)
		out = append(out, p[:n]...)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// BenchmarkRead measures against the reader of klauspost/compress, on this package's
// test and on the sources of the standard library, or the blob that ASSAY_GZIP names.
func BenchmarkRead(b *testing.B) {
	var packed []byte
	if name := os.Getenv("ASSAY_GZIP"); name != "" {
		var err error
		if packed, err = os.ReadFile(name); err != nil {
			b.Fatal(err)
		}
	} else {
		exe, err := os.Executable()
		if err != nil {
			b.Fatal(err)
		}
		content, err := os.ReadFile(exe)
		if err != nil {
			b.Fatal(err)
		}
		sources, _ := filepath.Glob(filepath.Join(gobuild.Default.GOROOT, "src", "*", "*.go"))
		for _, name := range sources {
			text, err := os.ReadFile(name)
			if err != nil {
				b.Fatal(err)
			}
			content = append(content, text...)
		}
		packed = pack(b, 6, content)
	}
	p := make([]byte, 128<<10)
	read := func(r io.Reader, err error) (n int64, took time.Duration) {
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		for {
			k, err := r.Read(p)
			n += int64(k)
			if err == io.EOF {
				return n, time.Since(start)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	var ours, theirs time.Duration
	for b.Loop() {
		n, took := read(NewReader(bufio.NewReaderSize(bytes.NewReader(packed), 64<<10)))
		ours += took
		_, took = read(gzip.NewReader(bufio.NewReaderSize(bytes.NewReader(packed), 64<<10)))
		theirs += took
		b.SetBytes(n)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-klauspost")
}
