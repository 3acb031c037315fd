package triage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

// BenchmarkTriage decides on 1,000 findings in an SBOM of 1,000 components, by 2,000
// statements. The floor is asking the timeline the same questions about the image,
// without graph and checks.
func BenchmarkTriage(b *testing.B) {
	doc := &assay.SBOM{Root: assay.Component{ID: "root", PURL: image.PURL}}
	d := vex.New("a@example.com", vex.Options{Time: on(0)})
	scan := &assay.Scan{}
	for i := range 1000 {
		c := assay.Component{ID: assay.ComponentID(fmt.Sprintf("lib%d", i)), PURL: purl(fmt.Sprintf("pkg:deb/debian/lib%d@1.%d-1?arch=amd64", i, i))}
		doc.Components = append(doc.Components, c)
		doc.Relations = append(doc.Relations, assay.Relation{From: "root", Kind: assay.Contains, To: c.ID})
		id := assay.VulnID(fmt.Sprintf("CVE-2026-%05d", i))
		scan.Findings = append(scan.Findings, assay.Finding{Vulnerability: assay.Vulnerability{ID: id}, Component: c.ID, PURL: c.PURL})
		d.NotAffected(id, assay.VulnerableCodeNotInExecutePath, part(image, vex.PURLProduct(c.PURL)))
		d.UnderInvestigation(id, part(image, vex.PURLProduct(c.PURL))).Since(on(-1))
	}
	if err := doc.Normalize(); err != nil {
		b.Fatal(err)
	}
	line := vex.NewTimeline([]*assay.VEX{must(d.Build())}, on(1))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		r, err := triage.Triage(scan, line, doc, triage.Options{Image: image, Inventory: doc})
		if err != nil || r.Count()[triage.NotAffected] != 1000 {
			b.Fatal(r.Count(), err)
		}
	}
	b.StopTimer()
	begin := time.Now()
	for range b.N {
		for _, f := range scan.Findings {
			if line.Status(part(image, vex.PURLProduct(f.PURL)), f.Vulnerability).Status != assay.NotAffected {
				b.Fatal(f)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Since(begin)), "x-floor")
}
