package sbom_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"go/build"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// BenchmarkScan measures a scan against the least that any scanner must do with the
// same layers, in the same run: inflate them and walk the tar headers, layers in
// parallel, with nothing verified and nothing read. Figures are medians. The image is that of
// ASSAY_DEBIAN_IMAGE, or one made of Go's own sources and this test's executable.
func BenchmarkScan(b *testing.B) {
	var img v1.Image
	if os.Getenv("ASSAY_DEBIAN_IMAGE") != "" {
		img, _ = debianImage(b)
	} else {
		img = goImage(b)
	}
	ctx := context.Background()
	var floors, scans []time.Duration
	var inflated int64
	for b.Loop() {
		start := time.Now()
		inflated = inflate(b, img)
		floors = append(floors, time.Since(start))
		start = time.Now()
		if _, err := sbom.Scan(ctx, img, sbom.Options{}); err != nil {
			b.Fatal(err)
		}
		scans = append(scans, time.Since(start))
	}
	floor, scan := median(floors), median(scans)
	b.ReportMetric(float64(scan)/float64(floor), "x-floor")
	b.ReportMetric(float64(inflated)/scan.Seconds()/1e6, "MB/s")
	b.ReportMetric(float64(scan.Milliseconds()), "ms/scan")
	b.ReportMetric(float64(floor.Milliseconds()), "ms/floor")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// inflate is the floor. It gives the size of all layers.
func inflate(b *testing.B, img v1.Image) int64 {
	layers, err := img.Layers()
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	var total sync.Map
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, l := range layers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			n, err := walk(l)
			if err != nil {
				b.Error(err)
			}
			total.Store(i, n)
		})
	}
	wg.Wait()
	var sum int64
	total.Range(func(_, v any) bool { sum += v.(int64); return true })
	return sum
}

func walk(l v1.Layer) (int64, error) {
	rc, err := l.Compressed()
	if err != nil {
		return 0, err
	}
	defer rc.Close()
	buffered := bufio.NewReaderSize(rc, 256<<10)
	mt, err := l.MediaType()
	if err != nil {
		return 0, err
	}
	var r io.Reader
	if mt == types.OCILayerZStd {
		d, err := zstd.NewReader(buffered)
		if err != nil {
			return 0, err
		}
		defer d.Close()
		r = d
	} else if r, err = gzip.NewReader(buffered); err != nil {
		return 0, err
	}
	count := &counter{r: r}
	tr := tar.NewReader(count)
	for {
		if _, err := tr.Next(); errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, count)
			return count.n, err
		} else if err != nil {
			return 0, err
		}
	}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// goImage makes an image of Go's standard library and this test's executable.
func goImage(b *testing.B) v1.Image {
	var files []testimage.File
	src := filepath.Join(build.Default.GOROOT, "src")
	err := filepath.WalkDir(src, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files = append(files, testimage.File{Name: "usr/src" + filepath.ToSlash(strings.TrimPrefix(p, src)), Body: string(body)})
		return nil
	})
	if err != nil || len(files) == 0 {
		b.Skip("no sources of Go to make an image of: ", err)
	}
	app := []testimage.File{{Name: "app", Mode: 0o755, Body: goExecutable(b)}, dpkgStatus("a 1", "b 2 Depends: a")}
	img := testimage.New(b, testimage.Layer{Files: files}, testimage.Layer{Files: app, Compression: testimage.Zstd})
	if bytes.Equal(img.Blob(img.Digests()[0]), nil) {
		b.Fatal("an empty layer")
	}
	return img
}
