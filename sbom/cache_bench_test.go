package sbom_test

import (
	"context"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// readOnly is a cache that is always as warm as it was.
type readOnly struct{ sbom.Cache }

func (readOnly) Put(context.Context, string, string) error { return nil }

// BenchmarkScanWarm measures a scan of an image of which a cache has all layers but
// the top one, against a scan of that layer alone, in the same run: the figure is what
// merging the layers, making the inventory and reading the cache cost besides. That is
// so much for an image, whatever changed ("ms/besides"); the ratio depends on how large
// the changed layer is. The lower layers are those of BenchmarkScan; the top one is an
// application, this test's executable with a package. Of "own" the lower layers are those
// below the last large one of the same image, and that one is on top.
func BenchmarkScanWarm(b *testing.B) {
	below := benchImage(b)
	b.Run("app", func(b *testing.B) { benchWarm(b, below, appLayer(b)) })
	b.Run("own", func(b *testing.B) {
		ls, err := below.Layers()
		if err != nil {
			b.Fatal(err)
		}
		for i := len(ls) - 1; i > 0; i-- {
			if n, err := ls[i].Size(); err != nil {
				b.Fatal(err)
			} else if n > 1<<20 {
				benchWarm(b, onTop(b, empty.Image, ls[:i]...), onTop(b, empty.Image, ls[i]))
				return
			}
		}
		b.Skip("no layer above another that is worth a scan")
	})
}

func appLayer(b *testing.B) v1.Image {
	return testimage.New(b, testimage.Layer{Files: []testimage.File{
		{Name: "srv/app", Mode: 0o755, Body: goExecutable(b)},
		{Name: "srv/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3"}`},
	}})
}

func benchWarm(b *testing.B, below, alone v1.Image) {
	top, err := alone.Layers()
	if err != nil {
		b.Fatal(err)
	}
	img := onTop(b, below, top...)
	for name, cache := range map[string]sbom.Cache{"memory": sbom.NewMemoryCache(1 << 30), "disk": diskCache(b, b.TempDir(), 1<<30)} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			if _, err := sbom.Scan(ctx, below, sbom.Options{Cache: cache, Logger: failures(b)}); err != nil {
				b.Fatal(err)
			}
			var floors, warms, floorCPU, warmCPU []time.Duration
			took := func(img v1.Image, o sbom.Options, cpu *[]time.Duration) time.Duration {
				start, before := time.Now(), cpuTime()
				c, err := sbom.Scan(ctx, img, o)
				if err != nil {
					b.Fatal(err)
				}
				for i, l := range c.Layers {
					if l.Cached != (o.Cache != nil && i < len(c.Layers)-1) {
						b.Fatalf("layer %d: cached %t", i, l.Cached)
					}
				}
				*cpu = append(*cpu, cpuTime()-before)
				return time.Since(start)
			}
			cold := took(img, sbom.Options{}, new([]time.Duration))
			for b.Loop() {
				floors = append(floors, took(alone, sbom.Options{}, &floorCPU))
				warms = append(warms, took(img, sbom.Options{Cache: readOnly{cache}, Logger: failures(b)}, &warmCPU))
			}
			floor, warm := median(floors), median(warms)
			b.ReportMetric(float64(warm)/float64(floor), "x-floor")
			if least := median(floorCPU); least > 0 {
				b.ReportMetric(float64(median(warmCPU))/float64(least), "x-cpu")
			}
			b.ReportMetric(float64(cold)/float64(floor), "x-cold")
			b.ReportMetric(float64((warm - floor).Milliseconds()), "ms/besides")
			b.ReportMetric(float64(warm.Milliseconds()), "ms/warm")
			b.ReportMetric(float64(floor.Milliseconds()), "ms/floor")
		})
	}
}

// onTop puts layers on those of an image.
func onTop(t testing.TB, below v1.Image, above ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(below, above...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
