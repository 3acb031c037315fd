package remediation_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

// large is a record of a year of nightly images and 100,000 entries.
func large(b testing.TB) *assay.Remediation {
	b.Helper()
	start := at("2026-01-01")
	r := &assay.Remediation{Stream: "registry.example/app:1", AsOf: start.AddDate(1, 0, 0)}
	for i := range 365 {
		img := assay.ImageBuild{Digest: assay.SumSHA256([]byte(fmt.Sprint("image", i))), Signed: remediation.Witnessed(start.AddDate(0, 0, i), log)}
		if i > 0 {
			img.Previous = r.Images[i-1].Digest
		}
		r.Images = append(r.Images, img)
	}
	ratings := []assay.Rating{"low", "medium", "high", "critical"}
	for i := range 100_000 {
		day := i % 340
		seen := remediation.Claimed(start.AddDate(0, 0, day), proof)
		e := assay.RemediationEntry{
			Vulnerability: assay.Vulnerability{ID: assay.VulnID(fmt.Sprintf("CVE-2026-%06d", i)), Aliases: []assay.VulnID{assay.VulnID(fmt.Sprintf("GO-2026-%06d", i))}},
			Component:     zlib, Occurrence: 1, Versions: []string{"1.2"},
			Severities: []assay.SeverityChange{{Severities: []assay.Severity{{Source: "nvd", Score: 7.5, Rating: ratings[i%4]}}, At: seen},
				{Severities: []assay.Severity{{Source: "nvd", Score: 9.8, Rating: "critical"}}, At: remediation.Claimed(seen.Time.Add(time.Hour), proof)}},
			Published: assay.Dated{Time: seen.Time, Basis: assay.BasisAdvisory, Evidence: []assay.Resource{proof}},
			Fix:       assay.RemediationFix{State: assay.FixAvailable, Version: "1.3", Available: assay.Dated{Time: seen.Time, Basis: assay.BasisAdvisory, Evidence: []assay.Resource{proof}}},
			FirstSeen: seen, LastSeen: seen, FirstImage: r.Images[day].Digest, LastImage: r.Images[day].Digest,
		}
		if i%3 != 0 {
			e.FixedImage = r.Images[day+1+i%20].Digest
		}
		r.Entries = append(r.Entries, e)
	}
	return r
}

// BenchmarkEvaluate100000 compares with what cannot be left out: to look at each entry
// once and allocate its answer.
func BenchmarkEvaluate100000(b *testing.B) {
	r := large(b)
	for _, name := range []string{remediation.ProfileDefault, remediation.ProfileSevenWorkingDays} {
		b.Run(name, func(b *testing.B) {
			p := named(b, name)
			floor := func() {
				answers := make([]remediation.Finding, 0, len(r.Entries))
				for i := range r.Entries {
					e := &r.Entries[i]
					answers = append(answers, remediation.Finding{Vulnerability: e.Vulnerability.ID, Component: e.Component, Start: e.Published.Time, Deadline: e.Published.Time.Add(168 * time.Hour)})
				}
				sink = answers
			}
			var low, ours time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := cpuTime()
				floor()
				mid := cpuTime()
				if _, err := remediation.Evaluate(r, p, r.AsOf); err != nil {
					b.Fatal(err)
				}
				low, ours = low+mid-start, ours+cpuTime()-mid
			}
			b.ReportMetric(float64(ours)/float64(low), "x-floor")
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N)/float64(len(r.Entries)), "cpu-ns/entry")
		})
	}
}

var sink []remediation.Finding

// BenchmarkRead100000 compares with encoding/json, which checks nothing.
func BenchmarkRead100000(b *testing.B) {
	data := must(remediation.Encode(large(b)))
	b.SetBytes(int64(len(data)))
	var low, ours time.Duration
	for b.Loop() {
		start := cpuTime()
		var r assay.Remediation
		if err := json.Unmarshal(data, &r); err != nil {
			b.Fatal(err)
		}
		mid := cpuTime()
		if _, err := remediation.Read("bench", data); err != nil {
			b.Fatal(err)
		}
		low, ours = low+mid-start, ours+cpuTime()-mid
	}
	b.ReportMetric(float64(ours)/float64(low), "x-floor")
}

// BenchmarkRecord is a year of nightly images with 300 components, scanned once each,
// of which 40 have something that comes and goes.
func BenchmarkRecord(b *testing.B) {
	var builds []remediation.Build
	for i := range 365 {
		night := at("2026-01-01").AddDate(0, 0, i)
		var components []assay.PURL
		var findings []assay.Finding
		for j := range 300 {
			p := assay.MustPURL(fmt.Sprintf("pkg:deb/debian/lib%d@1.%d?arch=amd64", j, (i+j)/30))
			components = append(components, p)
			if (i+j)%30 < 4 {
				f := bug()
				f.Vulnerability.ID, f.PURL, f.Published, f.Fix.Available = assay.VulnID(fmt.Sprintf("CVE-2026-%04d", 1000+j)), p, night, night
				findings = append(findings, f)
			}
		}
		builds = append(builds, build(assay.SumSHA256(fmt.Append(nil, i)), night.Format("2006-01-02 15:04"), scan(night.Add(time.Hour).Format("2006-01-02 15:04"), components, findings...)))
	}
	b.ReportAllocs()
	start := cpuTime()
	entries := 0
	for b.Loop() {
		r, err := remediation.Record("s", builds, remediation.Options{})
		if err != nil {
			b.Fatal(err)
		}
		entries = len(r.Entries)
	}
	b.ReportMetric(float64((cpuTime()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(entries), "entries")
}
