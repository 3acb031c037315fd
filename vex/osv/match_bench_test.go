package osv_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// largeImage is an SBOM of n components of the packages of a generated data set, most
// of them in versions that are newer than their fixes.
func largeImage(tb testing.TB, n, records int) *assay.SBOM {
	tb.Helper()
	forms := map[string]string{
		"npm": "pkg:npm/%s@%s", "PyPI": "pkg:pypi/%s@%s", "Maven": "pkg:maven/%s@%s", "Go": "pkg:golang/%s@v%s",
		"Debian": "pkg:deb/debian/%s@%s?distro=debian-12", "Ubuntu": "pkg:deb/ubuntu/%s@%s?distro=ubuntu-24.04", "Red Hat": "pkg:rpm/redhat/%s@%s?distro=rhel-9.4",
		"SUSE": "pkg:rpm/suse/%s@%s?distro=sles-15.6", "Alpine": "pkg:apk/alpine/%s@%s?distro=alpine-3.21.0", "Wolfi": "pkg:apk/wolfi/%s@%s", "MinimOS": "pkg:apk/minimos/%s@%s",
	}
	r := rand.New(rand.NewPCG(5, 6))
	seen := map[string]bool{}
	var purls []string
	for len(purls) < n {
		s := shares[r.IntN(len(shares))]
		form := forms[s.ecosystem]
		if form == "" { // names of repositories are of no package
			continue
		}
		name := packageName(s, r.IntN(max(s.packages*records/600_000, 1)))
		if s.ecosystem == "Maven" {
			name = strings.Replace(name, ":", "/", 1)
		}
		p := fmt.Sprintf(form, name, fmt.Sprintf("8.%d.%d", r.IntN(20), r.IntN(20)))
		if !seen[p] {
			seen[p] = true
			purls = append(purls, p)
		}
	}
	return sbomOf(purls...)
}

// BenchmarkMatch matches the 1,000 components of a large image against an index of
// ASSAY_OSV_RECORDS records, which is on the disk and in its cache.
func BenchmarkMatch(b *testing.B) {
	path := filepath.Join(b.TempDir(), "index")
	n := size(b)
	build(b, path, generated(b, n)...)
	db := open(b, path)
	sbom := largeImage(b, 1000, n)
	opts := osv.MatchOptions{Time: january(1)}
	scan, err := osv.Match(context.Background(), db, sbom, opts) // warms the cache
	if err != nil {
		b.Fatal(err)
	}
	if len(scan.Findings) < 100 || len(scan.Unevaluated) > 0 || scan.Coverage.Components != 1000 {
		b.Fatalf("%d findings, %d of %d components not evaluated: %v", len(scan.Findings), len(scan.Unevaluated), scan.Coverage.Components, scan.Unevaluated[:min(3, len(scan.Unevaluated))])
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := cpuTime()
	for b.Loop() {
		if _, err := osv.Match(context.Background(), db, sbom, opts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime()-start).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
	runtime.ReadMemStats(&after)
	// All that is allocated, an upper bound of what is in use at once.
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "MiB/op")
	b.ReportMetric(float64(len(scan.Findings)), "findings")
}
