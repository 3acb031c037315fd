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

// What Grype was told to ignore was found all the same.
func ExampleReadGrype() {
	s, err := scan.ReadGrype("grype.json", []byte(`{"matches": [], "ignoredMatches": [{
		"vulnerability": {"id": "CVE-2026-0001", "namespace": "nvd:cpe", "severity": "High", "fix": {"versions": [], "state": "wont-fix"}},
		"artifact": {"name": "zlib1g", "version": "1:1.2.13", "purl": "pkg:deb/debian/zlib1g@1%3A1.2.13?distro=debian-12"},
		"appliedIgnoreRules": [{"vulnerability": "CVE-2026-0001"}]}],
		"descriptor": {"name": "grype", "version": "0.110.0", "timestamp": "2026-04-01T10:00:00Z", "db": {"status": {"schemaVersion": "v6.1.4", "built": "2026-04-01T06:00:00Z", "valid": true}}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range s.Findings {
		fmt.Println(f.Vulnerability.ID, f.PURL, f.Fix.State)
	}
	fmt.Println(s.Scanner.Version, s.Scanner.DBUpdated.Format(time.RFC3339))
	// Output:
	// CVE-2026-0001 pkg:deb/debian/zlib1g@1:1.2.13?distro=debian-12 wont-fix
	// 0.110.0 2026-04-01T06:00:00Z
}

// An operating system that Trivy has no result for was not found clean.
func ExampleReadTrivy() {
	s, err := scan.ReadTrivy("trivy.json", []byte(`{"SchemaVersion": 2, "CreatedAt": "2026-04-01T10:00:00Z", "ArtifactType": "container_image",
		"Metadata": {"OS": {"Family": "debian", "Name": "12"}},
		"Results": [{"Target": "app", "Class": "lang-pkgs", "Type": "gobinary", "Vulnerabilities": [
			{"VulnerabilityID": "CVE-2026-0001", "PkgName": "example.com/m", "PkgIdentifier": {"PURL": "pkg:golang/example.com/m@v1.2.3"},
			"InstalledVersion": "v1.2.3", "FixedVersion": "1.2.4", "Severity": "HIGH", "SeveritySource": "ghsa"}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range s.Findings {
		rating, source, _ := severity.Of(f)
		fmt.Println(f.Vulnerability.ID, f.PURL, rating, source, "fixed in", f.Fix.Version)
	}
	for _, u := range s.Unevaluated {
		fmt.Println("not evaluated:", u.Reason)
	}
	// Output:
	// CVE-2026-0001 pkg:golang/example.com/m@v1.2.3 high ghsa fixed in 1.2.4
	// not evaluated: trivy has no result for the packages of the operating system debian 12
}

func ExampleReadOSVScanner() {
	s, err := scan.ReadOSVScanner("osv.json", []byte(`{"results": [{"source": {"path": "/app/go.mod", "type": "lockfile"}, "packages": [{
		"package": {"name": "example.com/m", "version": "1.2.3", "ecosystem": "Go"},
		"groups": [{"ids": ["GHSA-aaaa-bbbb-cccc", "GO-2026-0001"], "aliases": ["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc", "GO-2026-0001"]}],
		"vulnerabilities": [
			{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-03-03T00:00:00Z", "published": "2026-03-02T00:00:00Z", "aliases": ["CVE-2026-0001"]},
			{"id": "GO-2026-0001", "modified": "2026-03-03T00:00:00Z", "published": "2026-03-01T00:00:00Z", "aliases": ["CVE-2026-0001"],
			"affected": [{"package": {"ecosystem": "Go", "name": "example.com/m"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.4"}]}]}]}]}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range s.Findings {
		fmt.Println(f.Vulnerability.ID, f.Vulnerability.Aliases, f.PURL)
		fmt.Println("told by", f.Advisories, "since", f.Published.Format(time.DateOnly), "fixed in", f.Fix.Version)
	}
	// Output:
	// GHSA-aaaa-bbbb-cccc [CVE-2026-0001 GO-2026-0001] pkg:golang/example.com/m@v1.2.3
	// told by [GHSA-aaaa-bbbb-cccc GO-2026-0001] since 2026-03-01 fixed in 1.2.4
}
