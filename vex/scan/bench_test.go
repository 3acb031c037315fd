package scan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
)

// grypeReportOf writes a report as large as those of a large image: each match has
// descriptions, links and details, as Grype's do.
func grypeReportOf(matches int) []byte {
	var b strings.Builder
	b.WriteString(`{"matches":[`)
	for i := range matches {
		if i > 0 {
			b.WriteByte(',')
		}
		vulnerability := func(id, namespace string) string {
			return fmt.Sprintf(`"id":%q,"dataSource":"https://e.example/%s","namespace":%q,"severity":"High","urls":["https://e.example/a","https://e.example/b","https://e.example/c"],`+
				`"description":%q,"cvss":[{"source":"nvd@nist.gov","type":"Primary","version":"3.1","vector":%q,"metrics":{"baseScore":9.8,"exploitabilityScore":3.9,"impactScore":5.9},"vendorMetadata":{}}],`+
				`"epss":[{"cve":"CVE-2026-0001","epss":0.03,"percentile":0.42,"date":"2026-01-01"}],"cwes":[{"cve":"CVE-2026-0001","cwe":"CWE-1","source":"nvd@nist.gov","type":"Primary"}]`,
				id, id, namespace, strings.Repeat("what is wrong with it, and why ", 10), critical)
		}
		name := fmt.Sprintf("package-%d", i/5)
		fmt.Fprintf(&b, `{"vulnerability":{%s,"fix":{"versions":["2.0.%d"],"state":"fixed","available":[{"version":"2.0.%d","date":"2026-02-03","kind":"release"}]},"advisories":[],"risk":1.5},`+
			`"relatedVulnerabilities":[{%s}],"matchDetails":[{"type":"exact-direct-match","matcher":"go-module-matcher","searchedBy":{"language":"go","namespace":"github:language:go","package":{"name":%q,"version":"v1.0.0"}},`+
			`"found":{"vulnerabilityID":"X","versionConstraint":"<2.0.%d (go)"},"fix":{"suggestedVersion":"2.0.%d"}}],`+
			`"artifact":{"id":"%016x","name":%q,"version":"v1.0.0","type":"go-module","locations":[{"path":"/bin/app","layerID":"sha256:%064x","accessPath":"/bin/app","annotations":{"evidence":"primary"}}],"language":"go",`+
			`"licenses":[],"cpes":["cpe:2.3:a:e:%s:v1.0.0:*:*:*:*:*:*:*"],"purl":"pkg:golang/example.com/%s@v1.0.0","upstreams":[],"metadataType":"GolangBinMetadata","metadata":{"goCompiledVersion":"go1.26.3","architecture":"amd64"}}}`,
			vulnerability(fmt.Sprintf("GHSA-aaaa-bbbb-%04d", i), "github:language:go"), i%90, i%90, vulnerability(fmt.Sprintf("CVE-2026-%05d", i), "nvd:cpe"), name, i%90, i%90, i, name, i, name, name)
	}
	b.WriteString(`],"source":{"type":"image","target":{}},"distro":{},"descriptor":{"name":"grype","version":"0.110.0","timestamp":"2026-04-01T12:00:00Z","db":{"status":{"schemaVersion":"v6.1.4","built":"2026-04-01T06:00:00Z","valid":true}}}}`)
	return []byte(b.String())
}

// BenchmarkReadReport reads a report of 5,000 matches; the floor is encoding/json into
// plain structs of the same members, in the same run. The target is 2.
func BenchmarkReadReport(b *testing.B) {
	report := grypeReportOf(5000)
	type vulnerability struct {
		ID, Namespace, Severity string
		CVSS                    []struct {
			Source, Vector string
			Metrics        struct{ BaseScore float64 }
		}
		Fix struct {
			Versions  []string
			State     string
			Available []struct{ Version, Date, Kind string }
		}
		Advisories []struct{ ID string }
	}
	type plain struct {
		Matches []struct {
			Vulnerability          vulnerability
			RelatedVulnerabilities []vulnerability
			MatchDetails           []struct {
				Fix *struct{ SuggestedVersion string }
			}
			Artifact struct{ Name, Version, PURL string }
		}
	}
	var ours, floor time.Duration
	b.SetBytes(int64(len(report)))
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		s, err := scan.ReadReport("grype.json", report)
		ours += time.Since(start)
		if err != nil || len(s.Findings) != 5000 || len(s.Unevaluated) != 0 {
			b.Fatal(err)
		}
		start = time.Now()
		var p plain
		err = json.Unmarshal(report, &p)
		floor += time.Since(start)
		if err != nil || len(p.Matches) != 5000 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(ours)/float64(floor), "x-floor")
}

// BenchmarkRead reads the predicate of such a scan; the floor is encoding/json into
// the scan itself.
func BenchmarkRead(b *testing.B) {
	s := must(scan.ReadReport("grype.json", grypeReportOf(5000)))
	s.StartedOn = s.FinishedOn
	body := must(scan.Encode(s, assay.PredicateVulns02))
	var ours, floor time.Duration
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		s, err := scan.Read("p", assay.PredicateVulns02, body)
		ours += time.Since(start)
		if err != nil || len(s.Findings) != 5000 {
			b.Fatal(err)
		}
		start = time.Now()
		var p struct {
			Scanner struct {
				Result []struct {
					ID          string
					Severity    []struct{ Method, Score string }
					Annotations []struct {
						Finding assay.Finding `json:"assay_finding"`
					}
				}
			}
		}
		err = json.Unmarshal(body, &p)
		floor += time.Since(start)
		if err != nil || len(p.Scanner.Result) != 5000 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(ours)/float64(floor), "x-floor")
}
