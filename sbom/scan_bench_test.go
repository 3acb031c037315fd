package sbom_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
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
// parallel, with nothing verified and nothing read. Figures are medians, x-cpu is the
// ratio of processor time. The image is that of ASSAY_DEBIAN_IMAGE, or one made of Go's
// own sources and this test's executable.
func BenchmarkScan(b *testing.B) {
	img := benchImage(b)
	ctx := context.Background()
	var floors, scans, floorCPU, scanCPU []time.Duration
	var inflated int64
	for b.Loop() {
		start, cpu := time.Now(), cpuTime()
		inflated = inflate(b, img)
		floors, floorCPU = append(floors, time.Since(start)), append(floorCPU, cpuTime()-cpu)
		start, cpu = time.Now(), cpuTime()
		if _, err := sbom.Scan(ctx, img, sbom.Options{}); err != nil {
			b.Fatal(err)
		}
		scans, scanCPU = append(scans, time.Since(start)), append(scanCPU, cpuTime()-cpu)
	}
	floor, scan := median(floors), median(scans)
	b.ReportMetric(float64(scan)/float64(floor), "x-floor")
	if least := median(floorCPU); least > 0 {
		b.ReportMetric(float64(median(scanCPU))/float64(least), "x-cpu")
	}
	b.ReportMetric(float64(inflated)/scan.Seconds()/1e6, "MB/s")
	b.ReportMetric(float64(scan.Milliseconds()), "ms/scan")
	b.ReportMetric(float64(floor.Milliseconds()), "ms/floor")
}

func benchImage(b *testing.B) v1.Image {
	if os.Getenv("ASSAY_DEBIAN_IMAGE") == "" {
		return goImage(b)
	}
	img, _ := debianImage(b)
	return img
}

// BenchmarkScanMemory tells the largest heap during a scan, above what there was
// before, garbage included, beside the size of the image; and of an image that is not
// in memory itself, all the memory of a process that does nothing but scan it.
func BenchmarkScanMemory(b *testing.B) {
	img := benchImage(b)
	inflated := inflate(b, img)
	layers, err := img.Layers()
	if err != nil {
		b.Fatal(err)
	}
	var packed int64
	for _, l := range layers {
		n, err := l.Size()
		if err != nil {
			b.Fatal(err)
		}
		packed += n
	}
	var peaks []uint64
	for b.Loop() {
		peaks = append(peaks, peak(func() {
			if _, err := sbom.Scan(context.Background(), img, sbom.Options{}); err != nil {
				b.Fatal(err)
			}
		}))
	}
	slices.Sort(peaks)
	b.ReportMetric(float64(peaks[len(peaks)/2])/1e6, "peak-MB")
	b.ReportMetric(float64(packed)/1e6, "image-MB")
	b.ReportMetric(float64(inflated)/1e6, "inflated-MB")
	if os.Getenv("ASSAY_DEBIAN_IMAGE") == "" {
		return
	}
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run", "^$", "-test.bench", "^BenchmarkScanAlone$", "-test.benchtime", "1x")
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	words := strings.Fields(string(out))
	at := slices.Index(words, "rss-MB")
	if at < 1 {
		b.Fatalf("no rss-MB in %s", out)
	}
	rss, err := strconv.ParseFloat(words[at-1], 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(rss, "rss-MB")
}

// BenchmarkScanAlone scans and does nothing else, and tells all the memory of it.
func BenchmarkScanAlone(b *testing.B) {
	img := benchImage(b)
	for b.Loop() {
		if _, err := sbom.Scan(context.Background(), img, sbom.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(residentPeak())/1e6, "rss-MB")
}

// peak is the largest growth of heap and stacks in use while f runs, by samples.
func peak(f func()) uint64 {
	debug.FreeOSMemory()
	heap := func() (n uint64) {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
		metrics.Read(s)
		for i := range s {
			n += s[i].Value.Uint64()
		}
		return n
	}
	before := heap()
	done, result := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		most := before
		for {
			most = max(most, heap())
			select {
			case <-tick.C:
			case <-done:
				result <- most - before
				return
			}
		}
	}()
	f()
	close(done)
	return <-result
}

// Executables are read into memory, but not each into its own: what a scan allocates
// does not grow with them.
func TestScanAllocations(t *testing.T) {
	const size, count = 2 << 20, 24
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02" // an executable that nobody linked
	var files []file
	for i := range count {
		files = append(files, file{Name: fmt.Sprintf("bin/%d", i), Mode: 0o755, Body: elf + strings.Repeat("\x00", size)})
	}
	img := testimage.New(t, testimage.Layer{Files: files})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := sbom.Scan(context.Background(), img, sbom.Options{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size*count/3 {
		t.Errorf("%d bytes allocated for %d bytes of executables", got, size*count)
	}
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
