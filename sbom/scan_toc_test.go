package sbom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testtoc"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
)

// counting is a registry that counts the bytes of blobs that it gives.
type counting struct {
	host            string
	bytes, requests atomic.Int64
}

func (c *counting) reset() { c.bytes.Store(0); c.requests.Store(0) }

func newCounting(t testing.TB) *counting {
	c := &counting{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			c.requests.Add(1)
			w = &countingWriter{w, c}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	c.host = strings.TrimPrefix(s.URL, "http://")
	return c
}

type countingWriter struct {
	http.ResponseWriter
	c *counting
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.c.bytes.Add(int64(n))
	return n, err
}

// noise cannot be compressed and begins as no format does.
func noise(n int, seed byte) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return "noise" + string(b)
}

// tocLayers are two layers of some hundred files, with much data that is no software.
func tocLayers(t testing.TB, data int, below, above func([]byte, testtoc.Options) (*testtoc.Layer, error), o testtoc.Options) []*testtoc.Layer {
	t.Helper()
	low := []file{
		{Name: "etc/os-release", Body: osRelease}, dpkgStatus("a 1", "b 2 Depends: a", "gone 1"),
		{Name: "etc/passwd", Body: "root:x:0:0::/root:/bin/sh\n"},
		{Name: "var/lib/dpkg/info/a.list", Body: "/.\n/usr\n/usr/bin\n/usr/bin/a\n"},
		{Name: "usr/share/doc/a/copyright", Body: "Format: copyright-format/1.0\n\nFiles: *\nLicense: Expat\n"},
		{Name: "usr/bin/a", Mode: 0o4755, Body: tinyGo("path\texample.org/a\nmod\texample.org/a\tv1.0.0\ndep\texample.org/dep\tv1.2.0\n")},
		testimage.HardLink("usr/bin/a-too", "usr/bin/a"),
		{Name: "usr/bin/net", Mode: 0o755, Body: "#!/bin/sh\n", Caps: testimage.CapNetBindService},
		{Name: "opt/old/x", Body: "x"}, {Name: "tmp/", Mode: 0o1777},
		{Name: "var/data/db", Body: noise(data, 1)},
	}
	for i := range 300 {
		low = append(low, file{Name: fmt.Sprintf("usr/share/f%d", i), Body: strings.Repeat(fmt.Sprint(i, " text\n"), i)})
	}
	up := []file{
		dpkgStatus("a 1", "b 2 Depends: a"),
		{Name: "srv/app/package.json", Body: `{"name":"app","version":"1.0.0","dependencies":{"left":"^1.0.0"}}`},
		testimage.Opaque("opt/old"), testimage.Whiteout("usr/bin/net"),
		{Name: "usr/local/bin/go-tool", Mode: 0o755, Body: tinyGo("path\texample.org/tool\nmod\texample.org/tool\tv2.0.0\n")},
		{Name: "usr/local/bin/script", Mode: 0o755, Body: "#!/bin/sh\nexec true\n"},
		testimage.Symlink("usr/local/bin/s", "script"),
		{Name: "var/data/model", Body: noise(data, 2)},
	}
	for i := range 100 {
		up = append(up, pkgJSON(fmt.Sprintf("srv/app/node_modules/m%d", i), fmt.Sprintf("m%d", i), "1.0.0", ""),
			file{Name: fmt.Sprintf("srv/app/node_modules/m%d/index.js", i), Body: noise(200+i, byte(i))})
	}
	up = append(up, pkgJSON("srv/app/node_modules/left", "left", "1.3.0", ""))
	var out []*testtoc.Layer
	for _, l := range []struct {
		files []file
		pack  func([]byte, testtoc.Options) (*testtoc.Layer, error)
	}{{low, below}, {up, above}} {
		archive, err := testimage.Tar(l.files...)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := l.pack(archive, o)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, packed)
	}
	return out
}

func pushTOC(t testing.TB, r *counting, layers []*testtoc.Layer) string {
	t.Helper()
	var ls []testimage.Layer
	for _, l := range layers {
		ls = append(ls, l.Image())
	}
	img := testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(layers...)}, ls...)
	return testimage.Push(t, r.host+"/app:v1", img).Name()
}

func scanRef(t testing.TB, ref string, opts sbom.Options) *sbom.Contents {
	t.Helper()
	o, err := image.Open(t.Context(), ref, image.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	opts.Digest = o.Digest()
	c, err := sbom.Scan(t.Context(), o.Image(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestScanTrustTOC(t *testing.T) {
	const data = 6 << 20
	for _, tt := range []struct {
		name         string
		below, above func([]byte, testtoc.Options) (*testtoc.Layer, error)
		o            testtoc.Options
	}{
		{"estargz and zstd chunked", testtoc.Stargz, testtoc.Chunked, testtoc.Options{Landmark: true}},
		{"zstd chunked and estargz", testtoc.Chunked, testtoc.Stargz, testtoc.Options{MinMember: 50 << 10, ChunkSize: 20 << 10}},
	} {
		for _, files := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", files ", files), func(t *testing.T) {
				r := newCounting(t)
				ref := pushTOC(t, r, tocLayers(t, data, tt.below, tt.above, tt.o))
				r.reset()
				whole := scanRef(t, ref, sbom.Options{Files: files})
				all := r.bytes.Load()
				r.reset()
				byTOC := scanRef(t, ref, sbom.Options{Files: files, TrustTOC: true})
				if part := r.bytes.Load(); part > all/8 {
					t.Errorf("%d of %d bytes fetched, in %d requests", part, all, r.requests.Load())
				}
				var fetched int64
				for i := range byTOC.Layers {
					l := &byTOC.Layers[i]
					if l.TOC.IsZero() || l.NoTOC != "" || l.Inflated != 0 {
						t.Errorf("layer %d: %+v", i, *l)
					}
					fetched += l.Fetched
					// All else is to be the same.
					l.TOC, l.Fetched, l.Inflated = assay.Digest{}, 0, whole.Layers[i].Inflated
				}
				// What was asked for: of a request that is given up the registry may have
				// sent less; and it sent a manifest and a configuration besides.
				if fetched == 0 || fetched > all/8 || r.bytes.Load() > fetched+64<<10 {
					t.Errorf("%d of %d bytes fetched, and the registry gave %d", fetched, all, r.bytes.Load())
				}
				if d := cmp.Diff(everything(t, whole), everything(t, byTOC)); d != "" {
					t.Errorf("whole and by table (-whole +table):\n%s", d)
				}
				for _, want := range []string{"a", "b", "left", "m7", "example.org/tool"} {
					component(t, byTOC, want)
				}
			})
		}
	}
}

// What was read by a table does not prove the layers that it was read from.
func TestProveBaseTOC(t *testing.T) {
	r := newCounting(t)
	ref := pushTOC(t, r, tocLayers(t, 2<<20, testtoc.Stargz, testtoc.Chunked, testtoc.Options{}))
	o, err := image.Open(t.Context(), ref, image.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for _, trust := range []bool{false, true} {
		p, err := sbom.ProveBase(t.Context(), scanRef(t, ref, sbom.Options{TrustTOC: trust}), o.Image(), o.Digest())
		if err != nil {
			t.Fatal(err)
		}
		want := sbom.BaseProof{State: assay.Proven, Base: o.Digest(), Image: o.Digest(), Layers: 2}
		if trust {
			want.State, want.Layers, want.Reason = assay.Unknown, 0, "layer 0 was read by its table of contents, so that nothing is proven of its diffID"
		}
		if d := cmp.Diff(want, p, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
			t.Errorf("trust %v: %s", trust, d)
		}
	}
}

// A layer that a cache has is taken from there, because that was verified; one that
// was read by its table is not kept there.
func TestTrustTOCCache(t *testing.T) {
	r := newCounting(t)
	ref := pushTOC(t, r, tocLayers(t, 2<<20, testtoc.Stargz, testtoc.Chunked, testtoc.Options{}))
	cache := sbom.NewMemoryCache(0)
	for _, tt := range []struct{ trust, cached bool }{{true, false}, {true, false}, {false, false}, {true, true}} {
		c := scanRef(t, ref, sbom.Options{TrustTOC: tt.trust, Cache: cache, Logger: failures(t)})
		for i, l := range c.Layers {
			if l.Cached != tt.cached || l.TOC.IsZero() == (tt.trust && !tt.cached) {
				t.Errorf("%+v: layer %d: %+v", tt, i, l)
			}
		}
	}
}

// A table that lies is what TrustTOC trusts, and what a scan without it does not see.
func TestTrustTOCLie(t *testing.T) {
	lie := testtoc.Options{Edit: func(toc *testtoc.TOC) {
		for _, e := range toc.Entries {
			if strings.HasPrefix(e.Name, "var/lib/dpkg/status") {
				e.Name = "var/lib/dpkg/status-old"
			}
		}
	}}
	r := newCounting(t)
	ref := pushTOC(t, r, tocLayers(t, 2<<20, testtoc.Stargz, testtoc.Chunked, lie))
	if _, ok := found(scanRef(t, ref, sbom.Options{}))["a@1"]; !ok {
		t.Error("read whole, the package is not found")
	}
	if _, ok := found(scanRef(t, ref, sbom.Options{TrustTOC: true}))["a@1"]; ok {
		t.Error("the table was not trusted")
	}
	// A table that lies about what is fetched is found out.
	ref = pushTOC(t, r, tocLayers(t, 2<<20, testtoc.Stargz, testtoc.Chunked, testtoc.Options{Edit: func(toc *testtoc.TOC) {
		e := toc.Find("var/lib/dpkg/status")
		e.Digest, e.ChunkDigest = testimage.Sum(nil).String(), ""
	}}))
	o, err := image.Open(t.Context(), ref, image.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := sbom.Scan(t.Context(), o.Image(), sbom.Options{TrustTOC: true}); !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), "var/lib/dpkg/status") {
		t.Errorf("got %v", err)
	}
}

// BenchmarkScanTrustTOC measures a scan by tables of contents against a scan of the
// whole layers, of an image with much data from a registry on loopback, which is as
// fast as no network is: x-whole is the ratio of the times, bytes/whole that of the
// bytes fetched.
func BenchmarkScanTrustTOC(b *testing.B) {
	r := newCounting(b)
	ref := pushTOC(b, r, tocLayers(b, 64<<20, testtoc.Stargz, testtoc.Chunked, testtoc.Options{ChunkSize: 4 << 20}))
	o, err := image.Open(b.Context(), ref, image.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	var times [2][]time.Duration
	var fetched [2]int64
	for b.Loop() {
		for i, trust := range []bool{false, true} {
			r.reset()
			start := time.Now()
			if _, err := sbom.Scan(context.Background(), o.Image(), sbom.Options{TrustTOC: trust}); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
			fetched[i] = r.bytes.Load()
		}
	}
	b.ReportMetric(float64(median(times[1]))/float64(median(times[0])), "x-whole")
	b.ReportMetric(float64(fetched[1])/float64(fetched[0]), "bytes/whole")
	b.ReportMetric(float64(fetched[1])/1e6, "MB-fetched")
	b.ReportMetric(float64(fetched[0])/1e6, "MB-whole")
}
