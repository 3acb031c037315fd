package scan_test

import (
	"fmt"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
	"github.com/assaykit/assay/vex/severity"
)

// A report of Grype becomes a predicate, which reads as the same scan.
func ExampleReadReport() {
	report := []byte(`{"matches": [{
		"vulnerability": {"id": "GHSA-aaaa-bbbb-cccc", "namespace": "github:language:go", "severity": "Moderate", "fix": {
			"versions": ["1.2.4"], "state": "fixed", "available": [{"version": "1.2.4", "date": "2026-02-03", "kind": "release"}]}},
		"relatedVulnerabilities": [{"id": "CVE-2026-0001", "namespace": "nvd:cpe", "cvss": [{"source": "nvd@nist.gov", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}]}],
		"artifact": {"name": "example.com/m", "version": "v1.2.3", "purl": "pkg:golang/example.com/m@v1.2.3"}}],
		"descriptor": {"name": "grype", "version": "0.110.0", "timestamp": "2026-04-01T10:00:00Z", "db": {"status": {"schemaVersion": "v6.1.4", "built": "2026-04-01T06:00:00Z", "valid": true}}}}`)
	s, err := scan.ReadReport("grype.json", report)
	if err != nil {
		fmt.Println(err)
		return
	}
	s.StartedOn = time.Date(2026, 4, 1, 9, 59, 0, 0, time.UTC) // which the report does not tell
	predicate, err := scan.Encode(s, assay.PredicateVulns02)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err = scan.Read("predicate", assay.PredicateVulns02, predicate)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range s.Findings {
		rating, source, _ := severity.Of(f)
		fmt.Println(f.Vulnerability.ID, f.Vulnerability.Aliases, f.PURL, rating, source)
		fmt.Println(f.Fix.State, f.Fix.Version, f.Fix.Available.Format(time.DateOnly), f.Fix.AvailableBy)
	}
	// Output:
	// GHSA-aaaa-bbbb-cccc [CVE-2026-0001] pkg:golang/example.com/m@v1.2.3 high nvd
	// fixed 1.2.4 2026-02-03 release
}

// A predicate without the time of the database is not written.
func ExampleEncode() {
	_, err := scan.Encode(&assay.Scan{Scanner: assay.Scanner{URI: "pkg:github/e/scanner"}}, assay.PredicateVulns02)
	fmt.Println(err)
	// Output:
	// encode scan: /scanner/db/lastUpdate: invalid, want when the database was last updated (required by https://in-toto.io/attestation/vulns/v0.2)
}
