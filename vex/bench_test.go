package vex_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// large is about 2,000 statements on an image and three of 300 components each.
func large(b *testing.B) *assay.VEX {
	b.Helper()
	d := vex.New("security@example.com", vex.Options{Time: day})
	for i := range 2000 {
		var subs []assay.Product
		for j := range 3 {
			subs = append(subs, vex.PURLProduct(must(assay.ParsePURL(fmt.Sprintf("pkg:deb/debian/lib%d@1.%d-1?arch=amd64&distro=debian-12", (i+j)%300, j)))))
		}
		d.NotAffected(assay.VulnID(fmt.Sprintf("CVE-2026-%05d", i)), assay.VulnerableCodeNotInExecutePath, parts(image, subs...)).
			Notes("The image has no caller of the vulnerable function.").Aliases(assay.VulnID(fmt.Sprintf("GO-2026-%04d", i)))
	}
	v, err := d.Build()
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// plain is what encoding/json would be asked to read: the shape, and no rules.
type plain struct {
	Context    string `json:"@context"`
	ID         string `json:"@id"`
	Author     string `json:"author"`
	Timestamp  string `json:"timestamp"`
	Version    int    `json:"version"`
	Statements []struct {
		Vulnerability struct {
			Name    string   `json:"name"`
			Aliases []string `json:"aliases"`
		} `json:"vulnerability"`
		Timestamp string `json:"timestamp"`
		Products  []struct {
			ID            string            `json:"@id"`
			Identifiers   map[string]string `json:"identifiers"`
			Hashes        map[string]string `json:"hashes"`
			Subcomponents []struct {
				ID          string            `json:"@id"`
				Identifiers map[string]string `json:"identifiers"`
			} `json:"subcomponents"`
		} `json:"products"`
		Status        string `json:"status"`
		StatusNotes   string `json:"status_notes"`
		Justification string `json:"justification"`
	} `json:"statements"`
}

func floor(b *testing.B, f func() error) time.Duration {
	b.Helper()
	const rounds = 10
	start := time.Now()
	for range rounds {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start) / rounds
}

func report(b *testing.B, floor time.Duration) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(floor.Nanoseconds()), "x-floor")
}

func BenchmarkRead(b *testing.B) {
	data := must(vex.Encode(large(b)))
	low := floor(b, func() error { var p plain; return json.Unmarshal(data, &p) })
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := vex.Read("bench", data); err != nil {
			b.Fatal(err)
		}
	}
	report(b, low)
}

func BenchmarkEncode(b *testing.B) {
	v := large(b)
	data := must(vex.Encode(v))
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		b.Fatal(err)
	}
	low := floor(b, func() error { _, err := json.MarshalIndent(p, "", "  "); return err })
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := vex.Encode(v); err != nil {
			b.Fatal(err)
		}
	}
	report(b, low)
}

// BenchmarkTimeline asks about each of the 2,000 vulnerabilities in one component;
// the floor is a map look-up for each.
func BenchmarkTimeline(b *testing.B) {
	v := large(b)
	line := vex.NewTimeline([]*assay.VEX{v}, on(1))
	index := map[assay.VulnID]*assay.VEXStatement{}
	for i := range v.Statements {
		index[v.Statements[i].Vulnerability.ID] = &v.Statements[i]
	}
	found := 0
	low := floor(b, func() error {
		for i := range v.Statements {
			if index[v.Statements[i].Vulnerability.ID] != nil {
				found++
			}
		}
		return nil
	})
	for b.Loop() {
		for i := range v.Statements {
			s := &v.Statements[i]
			asked := assay.Product{PURL: image.PURL, Digests: image.Digests, Subcomponents: s.Products[0].Subcomponents[:1]}
			if a := line.Status(asked, assay.Vulnerability{ID: s.Vulnerability.ID}); a.Status != assay.NotAffected {
				b.Fatal(a)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(v.Statements)), "ns/question")
	report(b, low)
}

// vendor is 300,000 statements: 60,000 vulnerabilities in five packages each, and one
// in 3,000 more.
func vendor(b *testing.B) *assay.VEX {
	b.Helper()
	v := &assay.VEX{ID: "https://example.com/vex", Author: "vendor", Timestamp: day, Version: 1}
	for i := range 300_000 {
		id := fmt.Sprintf("CVE-2026-%05d", i%60_000)
		if i%100 == 99 {
			id = "CVE-2026-99999"
		}
		p := must(assay.ParsePURL(fmt.Sprintf("pkg:rpm/vendor/package-%d@1.%d-1?arch=x86_64", i/60, i%60)))
		s := says(0, assay.VulnID(id), assay.NotAffected, vex.PURLProduct(p))
		s.Justification = assay.VulnerableCodeNotPresent
		v.Statements = append(v.Statements, s)
	}
	return v
}

func BenchmarkReadVendor(b *testing.B) {
	data := must(vex.Encode(vendor(b)))
	start := time.Now()
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		b.Fatal(err)
	}
	low := time.Since(start)
	p = plain{}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := vex.Read("bench", data); err != nil {
			b.Fatal(err)
		}
	}
	report(b, low)
}

// BenchmarkAskVendor asks 3,000 questions: each second one is about the vulnerability
// that has 3,000 statements.
func BenchmarkAskVendor(b *testing.B) {
	v := vendor(b)
	start := time.Now()
	line := vex.NewTimeline([]*assay.VEX{v}, on(1))
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/index")
	// In time of the processor, to which other work on the machine does not add.
	n, used := 0, cpuTime()
	for b.Loop() {
		for i := 0; i < len(v.Statements); i += 200 {
			for _, s := range []*assay.VEXStatement{&v.Statements[i], &v.Statements[i+99]} {
				if a := line.Status(s.Products[0], s.Vulnerability); a.Status != assay.NotAffected {
					b.Fatal(a)
				}
				n++
			}
		}
	}
	b.ReportMetric(float64((cpuTime()-used).Nanoseconds())/float64(n), "cpu-ns/question")
}
