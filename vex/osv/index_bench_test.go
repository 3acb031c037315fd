package osv_test

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/vex/osv"
)

// records in the data set of the benchmarks: ASSAY_OSV_RECORDS, or 20,000.
func size(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("ASSAY_OSV_RECORDS"))
	if err != nil {
		n = 20_000
	}
	return n
}

// plain is the shape of a record, and no rules.
type plain struct {
	ID        string          `json:"id"`
	Modified  time.Time       `json:"modified"`
	Published time.Time       `json:"published"`
	Withdrawn time.Time       `json:"withdrawn"`
	Summary   string          `json:"summary"`
	Aliases   []string        `json:"aliases"`
	Upstream  []string        `json:"upstream"`
	Related   []string        `json:"related"`
	Severity  []plainSeverity `json:"severity"`
	Affected  []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
			PURL      string `json:"purl"`
		} `json:"package"`
		Versions []string `json:"versions"`
		Ranges   []struct {
			Type   string              `json:"type"`
			Repo   string              `json:"repo"`
			Events []map[string]string `json:"events"`
		} `json:"ranges"`
		Severity []plainSeverity `json:"severity"`
	} `json:"affected"`
}

type plainSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// parseOnce is the floor: inflate the dumps and parse each record, and no more.
func parseOnce(b *testing.B, sources []osv.Source) {
	b.Helper()
	var buf []byte
	for _, s := range sources {
		z, err := zip.OpenReader(s.Path)
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				b.Fatal(err)
			}
			if n := int(f.UncompressedSize64); cap(buf) < n {
				buf = make([]byte, n)
			}
			buf = buf[:f.UncompressedSize64]
			if _, err := io.ReadFull(r, buf); err != nil {
				b.Fatal(err)
			}
			r.Close()
			var p plain
			if err := strictjson.Unmarshal(f.Name, buf, &p, strictjson.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
		z.Close()
	}
}

func BenchmarkBuild(b *testing.B) {
	sources := generated(b, size(b))
	start := cpuTime()
	parseOnce(b, sources)
	floor := cpuTime() - start
	path := filepath.Join(b.TempDir(), "index")
	var used time.Duration
	for b.Loop() {
		start := cpuTime()
		build(b, path, sources...)
		used += cpuTime() - start
	}
	b.ReportMetric(used.Seconds()/float64(b.N)/floor.Seconds(), "x-floor-cpu")
	b.ReportMetric(floor.Seconds(), "floor-cpu-s")
	stat, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(stat.Size())/(1<<20), "MiB")
}

// BenchmarkUpdate replaces one source of many by one in which nothing has changed.
func BenchmarkUpdate(b *testing.B) {
	sources := generated(b, size(b))
	path := filepath.Join(b.TempDir(), "index")
	build(b, path, sources...)
	start := cpuTime()
	parseOnce(b, sources)
	floor := cpuTime() - start
	var used time.Duration
	for b.Loop() {
		start := cpuTime()
		update(b, path, day, sources[0])
		used += cpuTime() - start
	}
	b.ReportMetric(used.Seconds()/float64(b.N)/floor.Seconds(), "x-floor-cpu")
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "index")
	build(b, path, generated(b, size(b))...)
	for b.Loop() {
		x, err := osv.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		x.Close()
	}
}

// BenchmarkQuery asks about 1,000 packages, as a large image has, and of each the first
// advisory.
func BenchmarkQuery(b *testing.B) {
	path := filepath.Join(b.TempDir(), "index")
	n := size(b)
	build(b, path, generated(b, n)...)
	x := open(b, path)
	r := rand.New(rand.NewPCG(3, 4))
	type question struct{ ecosystem, name string }
	var questions []question
	for range 1000 {
		s := shares[r.IntN(len(shares))]
		questions = append(questions, question{s.ecosystem, packageName(s, r.IntN(max(s.packages*n/600_000, 1)))})
	}
	found := 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	for b.Loop() {
		found = 0
		for _, q := range questions {
			e, err := x.Entries(context.Background(), q.ecosystem, q.name)
			if err != nil {
				b.Fatal(err)
			}
			found += len(e)
			if len(e) > 0 {
				if a, err := x.Advisory(context.Background(), e[0].Advisory); a == nil || err != nil {
					b.Fatal(fmt.Sprint(a, err))
				}
			}
		}
	}
	b.ReportMetric(float64((cpuTime()-start).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(found), "entries")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "MiB/op")
}
