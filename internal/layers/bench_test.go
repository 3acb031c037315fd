package layers

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay/internal/testimage"
)

// benchLayer is a layer of realistic content: sources, archives and executables of
// the Go installation, up to 96 MiB.
var benchLayer = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil
	}
	root, err := os.OpenRoot(strings.TrimSpace(string(goroot)))
	if err != nil {
		return nil
	}
	defer root.Close()
	for _, dir := range []string{"bin", "pkg", "src"} {
		_ = fs.WalkDir(root.FS(), dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || b.Len() > 96<<20 {
				return nil
			}
			data, err := root.ReadFile(path)
			if err != nil {
				return nil
			}
			mode := int64(0o644)
			if dir != "src" {
				mode = 0o755
			}
			_ = w.WriteHeader(&tar.Header{Name: "usr/local/go/" + path, Mode: mode, Size: int64(len(data)), Typeflag: tar.TypeReg})
			_, _ = w.Write(data)
			return nil
		})
	}
	_ = w.Close()
	return b.Bytes()
})

// executables is a visitor as catalogers of programs are.
type executables struct{}

func (executables) Name() string { return "executables" }
func (executables) Match(f *File) Want {
	if f.Executable() {
		return WantPeek | WantOptional | WantAnyName
	}
	return WantNothing
}
func (executables) Peek(_ *File, head []byte) Want {
	if bytes.HasPrefix(head, []byte("\x7fELF")) {
		return WantContent
	}
	return WantNothing
}
func (executables) Visit(_ context.Context, _ *File, c Content) (any, error) {
	return len(c.Bytes), nil
}

// floor is what nobody who reads a layer can do without: inflate it and walk the
// tar. Of an uncompressed layer, where there is nothing to inflate, it is to hash it
// and walk the tar.
func floor(b *testing.B, c testimage.Compression, blob []byte) time.Duration {
	start := time.Now()
	var r io.Reader = bytes.NewReader(blob)
	switch c {
	case testimage.Gzip:
		z, err := gzip.NewReader(r)
		if err != nil {
			b.Fatal(err)
		}
		r = z
	case testimage.Zstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			b.Fatal(err)
		}
		defer z.Close()
		r = z
	case testimage.None:
		sha256.Sum256(blob)
	}
	tr := tar.NewReader(r)
	for {
		if _, err := tr.Next(); err == io.EOF {
			break
		} else if err != nil {
			b.Fatal(err)
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func BenchmarkPass(b *testing.B) {
	data := benchLayer()
	if len(data) < 32<<20 {
		b.Skip("no Go installation to make a layer of")
	}
	for c, name := range []string{testimage.Gzip: "gzip", testimage.Zstd: "zstd", testimage.None: "none"} {
		c := testimage.Compression(c)
		b.Run(name, func(b *testing.B) {
			img, err := testimage.Build(testimage.Options{}, testimage.Layer{Tar: data, Compression: c})
			if err != nil {
				b.Fatal(err)
			}
			m, _ := img.Manifest()
			blob := img.Blob(m.Layers[0].Digest)
			b.SetBytes(int64(len(data)))
			var base, ours []time.Duration
			for b.Loop() {
				// Side by side, so that what else the machine does hits both.
				base = append(base, floor(b, c, blob))
				start := time.Now()
				if _, err := Pass(b.Context(), img, Options{}, executables{}); err != nil {
					b.Fatal(err)
				}
				ours = append(ours, time.Since(start))
			}
			b.ReportMetric(float64(median(ours))/float64(median(base)), "x-floor")
			b.ReportMetric(float64(len(data))/median(ours).Seconds()/1e6, "pass-MB/s")
		})
	}
}
