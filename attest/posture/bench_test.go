package posture_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// BenchmarkAssess gives the ratio to walking the same 20,000 files and keeping each.
func BenchmarkAssess(b *testing.B) {
	files, config := good()
	for i := range 20_000 {
		files = append(files, file{Name: fmt.Sprintf("usr/lib/python3/dist-packages/p%03d/module%d.py", i%200, i), Mode: 0o644 + int64(i%2)*0o111})
	}
	contents := scan(b, config, testimage.Layer{Files: files})
	var last sbom.File
	keep := func(f sbom.File) { last = f }
	var assessing, walking time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := posture.Assess(contents, posture.Options{}); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		for f := range contents.Files() {
			keep(f)
		}
		assessing, walking = assessing+middle.Sub(start), walking+time.Since(middle)
	}
	if last.Path == "" {
		b.Fatal("no files")
	}
	b.ReportMetric(float64(assessing)/float64(walking), "x-floor")
	b.ReportMetric(float64(assessing.Nanoseconds())/float64(b.N)/float64(contents.Len()), "ns/file")
}
