package sbom_test

import (
	"context"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// readOnly is a cache that is always as warm as it was.
type readOnly struct{ sbom.Cache }

func (readOnly) Put(context.Context, string, []byte) error { return nil }

// BenchmarkScanWarm measures a scan of an image of which a cache has all layers but
// the top one, against a scan of that layer alone, in the same run: the figure is what
// merging the layers, making the inventory and reading the cache cost besides. The
// lower layers are those of BenchmarkScan; the top one is an application, this test's
// executable with its sources.
func BenchmarkScanWarm(b *testing.B) {
	below := benchImage(b)
	top := testimage.Layer{Files: []testimage.File{
		{Name: "srv/app", Mode: 0o755, Body: goExecutable(b)},
		{Name: "srv/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3"}`},
	}}
	alone := testimage.New(b, top)
	img := onTop(b, below, alone)
	for name, cache := range map[string]sbom.Cache{"memory": sbom.NewMemoryCache(1 << 30), "disk": diskCache(b, b.TempDir(), 1<<30)} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			if _, err := sbom.Scan(ctx, below, sbom.Options{Cache: cache, Logger: failures(b)}); err != nil {
				b.Fatal(err)
			}
			var floors, warms []time.Duration
			took := func(img v1.Image, o sbom.Options) time.Duration {
				start := time.Now()
				c, err := sbom.Scan(ctx, img, o)
				if err != nil {
					b.Fatal(err)
				}
				for i, l := range c.Layers {
					if l.Cached != (o.Cache != nil && i < len(c.Layers)-1) {
						b.Fatalf("layer %d: cached %t", i, l.Cached)
					}
				}
				return time.Since(start)
			}
			cold := took(img, sbom.Options{})
			for b.Loop() {
				floors = append(floors, took(alone, sbom.Options{}))
				warms = append(warms, took(img, sbom.Options{Cache: readOnly{cache}, Logger: failures(b)}))
			}
			floor, warm := median(floors), median(warms)
			b.ReportMetric(float64(warm)/float64(floor), "x-floor")
			b.ReportMetric(float64(cold)/float64(floor), "x-cold")
			b.ReportMetric(float64(warm.Milliseconds()), "ms/warm")
			b.ReportMetric(float64(floor.Milliseconds()), "ms/floor")
		})
	}
}

// onTop puts the layers of one image on those of another.
func onTop(t testing.TB, below v1.Image, above *testimage.Image) v1.Image {
	t.Helper()
	ls, err := above.Layers()
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(below, ls...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
