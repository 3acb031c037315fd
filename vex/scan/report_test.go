package scan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
)

// The reports of these tests were written by hand, member by member from the structs
// that the tools encode (grype v0.1xx presenter/models, trivy pkg/types, osv-scanner
// pkg/models): they have every member that is read, and some that are not.

const grypeV6 = `{
 "matches": [
  {
   "vulnerability": {"id": "GHSA-aaaa-bbbb-cccc", "dataSource": "https://e.example", "namespace": "github:language:go", "severity": "High", "urls": [],
    "cvss": [{"type": "Secondary", "version": "3.1", "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "metrics": {"baseScore": 7.5}, "vendorMetadata": {}}],
    "epss": [{"cve": "CVE-2026-0001", "epss": 0.03, "percentile": 0.42, "date": "0001-01-01"}],
    "fix": {"versions": ["1.0.9", "2.0.3", "2.1.0"], "state": "fixed", "available": [{"version": "1.0.9", "date": "2025-01-01", "kind": "release"}, {"version": "2.0.3", "date": "2026-02-03", "kind": "first-observed"}]},
    "advisories": [], "risk": 1.68},
   "relatedVulnerabilities": [{"id": "CVE-2026-0001", "dataSource": "x", "namespace": "nvd:cpe", "severity": "Critical", "urls": [],
    "cvss": [{"source": "nvd@nist.gov", "type": "Primary", "version": "3.1", "vector": "` + critical + `", "metrics": {"baseScore": 9.8}, "vendorMetadata": {}}],
    "knownExploited": [{"cve": "CVE-2026-0001", "dateAdded": "2026-03-01", "dueDate": "2026-03-22", "knownRansomwareCampaignUse": "Known"}, {"cve": "CVE-2026-0001", "dateAdded": "2026-03-02", "dueDate": "2026-03-20", "knownRansomwareCampaignUse": "Known"}]}],
   "matchDetails": [{"type": "exact-direct-match", "matcher": "go-module-matcher", "searchedBy": {}, "found": {}}],
   "artifact": {"id": "a246fd2054833c93", "name": "example.com/m", "version": "v2.0.1", "type": "go-module", "locations": [], "language": "go", "licenses": [], "cpes": [], "purl": "pkg:golang/example.com/m@v2.0.1", "upstreams": []}
  },
  {
   "vulnerability": {"id": "CVE-2026-0002", "namespace": "debian:distro:debian:12", "severity": "Negligible", "urls": [], "cvss": [],
    "fix": {"versions": [], "state": "wont-fix"}, "advisories": [{"id": "DSA-1-1", "link": "x"}], "risk": 0},
   "relatedVulnerabilities": [{"id": "CVE-2026-0002", "namespace": "nvd:cpe", "severity": "Unknown", "urls": [], "cvss": [{"version": "3.1", "vector": "CVSS:3.1/half", "metrics": {"baseScore": 0}, "vendorMetadata": {}}]}],
   "matchDetails": [], "artifact": {"name": "thing", "version": "1.0-1", "type": "deb", "purl": ""}
  },
  {
   "vulnerability": {"id": "ALAS-2026-1", "namespace": "amazon:distro:amazonlinux:2", "severity": "Medium", "urls": [], "cvss": [], "fix": {"versions": ["1:2.0-1"], "state": "fixed"}, "advisories": []},
   "relatedVulnerabilities": [{"id": "CVE-2026-0004", "namespace": "nvd:cpe", "severity": "Low", "urls": [], "cvss": []}, {"id": "CVE-2026-0003", "namespace": "nvd:cpe", "severity": "High", "urls": [], "cvss": []}],
   "matchDetails": [{"type": "x", "matcher": "y", "fix": {"suggestedVersion": "1:2.0-1"}}], "artifact": {"name": "p", "version": "1:1.0-1", "type": "rpm", "purl": "pkg:rpm/amzn/p@1.0-1?epoch=1"}
  }
 ],
 "ignoredMatches": [
  {
   "vulnerability": {"id": "CVE-2026-0005", "namespace": "nvd:cpe", "severity": "Low", "urls": [], "cvss": [], "fix": {"versions": [], "state": "not-fixed"}, "advisories": []},
   "relatedVulnerabilities": [], "matchDetails": [], "artifact": {"name": "q", "version": "1", "type": "python", "purl": "pkg:pypi/q@1"},
   "appliedIgnoreRules": [{"vulnerability": "CVE-2026-0005", "namespace": "", "vex-status": "not_affected"}]
  }
 ],
 "alertsByPackage": [{"package": {"name": "old", "version": "1", "purl": "pkg:deb/debian/old@1"}, "alerts": [{"type": "distro-eol", "message": "Package is from end-of-life distro: debian 8"}]}],
 "source": {"type": "image", "target": {"userInput": "registry.example/app:1", "imageID": "sha256:b", "manifestDigest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
 "distro": {"name": "debian", "version": "12", "idLike": []},
 "descriptor": {"name": "grype", "version": "0.110.0", "configuration": {}, "timestamp": "2026-04-01T12:00:00+02:00",
  "db": {"status": {"schemaVersion": "v6.1.4", "from": "https://grype.anchore.io/databases/v6/db.tar.zst?checksum=sha256%3Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "built": "2026-04-01T06:00:00Z", "path": "/db", "valid": true},
   "providers": {"nvd": {"captured": "2026-04-01T00:00:00Z", "input": "xxh64:1"}}}}
}`

func grypeWant() *assay.Scan {
	amazon := func(id assay.VulnID, r assay.Rating) assay.Finding {
		return assay.Finding{Vulnerability: assay.Vulnerability{ID: id}, PURL: assay.MustPURL("pkg:rpm/amzn/p@1.0-1?epoch=1"), Advisories: []assay.VulnID{"ALAS-2026-1"},
			Severities: []assay.Severity{{Source: "amazon", Rating: assay.RatingMedium}, {Source: "nvd", Rating: r}}, Fix: assay.Fix{Version: "1:2.0-1", State: assay.FixAvailable}}
	}
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	return &assay.Scan{
		Scanner: assay.Scanner{URI: "pkg:github/anchore/grype", Version: "0.110.0", DBURI: "https://grype.anchore.io/databases/v6/db.tar.zst?checksum=sha256%3A" + strings.Repeat("a", 64),
			DBVersion: "v6.1.4", DBDigest: assay.DigestSet{sum}, DBUpdated: time.Date(2026, 4, 1, 6, 0, 0, 0, time.UTC)},
		FinishedOn: time.Date(2026, 4, 1, 10, 0, 0, 0, time.UTC),
		Inputs:     []assay.Resource{{Name: "registry.example/app:1", Digest: assay.DigestSet{sum}}},
		Findings: []assay.Finding{
			{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0002"}, Component: "thing@1.0-1", Advisories: []assay.VulnID{"DSA-1-1"},
				Severities: []assay.Severity{{Source: "debian", Rating: assay.RatingLow}, {Source: "nvd", Vector: "CVSS:3.1/half"}}, Fix: assay.Fix{State: assay.FixRefused}},
			amazon("CVE-2026-0003", assay.RatingHigh), amazon("CVE-2026-0004", assay.RatingLow),
			{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0005"}, PURL: assay.MustPURL("pkg:pypi/q@1"), Severities: []assay.Severity{{Source: "nvd", Rating: assay.RatingLow}}, Fix: assay.Fix{State: assay.FixNone}},
			{Vulnerability: assay.Vulnerability{ID: "GHSA-aaaa-bbbb-cccc", Aliases: []assay.VulnID{"CVE-2026-0001"}}, PURL: assay.MustPURL("pkg:golang/example.com/m@v2.0.1"),
				Severities: []assay.Severity{{Source: "ghsa", Rating: assay.RatingHigh}, {Source: "ghsa", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5},
					{Source: "nvd", Rating: assay.RatingCritical}, {Source: "nvd", Vector: critical, Score: 9.8}},
				Fix:       assay.Fix{Version: "2.0.3", State: assay.FixAvailable, Available: at(2026, 2, 3), AvailableBy: "first-observed"},
				Exploited: &assay.Exploited{Catalogue: "CISA KEV", Added: at(2026, 3, 1), Due: at(2026, 3, 20)}},
		},
		Unevaluated: []assay.Unevaluated{{PURL: assay.MustPURL("pkg:deb/debian/old@1"), Reason: "grype has an alert, distro-eol: Package is from end-of-life distro: debian 8"}},
	}
}

const trivyV2 = `{
 "SchemaVersion": 2, "Trivy": {"Version": "0.70.0"}, "ReportID": "1", "CreatedAt": "2026-04-01T12:00:00.000000005+02:00", "ArtifactID": "sha256:1", "ArtifactName": "registry.example/app:1", "ArtifactType": "container_image",
 "Metadata": {"OS": {"Family": "debian", "Name": "10.1", "EOSL": true}, "ImageID": "sha256:1", "RepoDigests": ["registry.example/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]},
 "Results": [
  {"Target": "app (debian 10.1)", "Class": "os-pkgs", "Type": "debian", "Packages": [{"ID": "bash@5.0-4"}],
   "Vulnerabilities": [{"VulnerabilityID": "CVE-2019-18276", "VendorIDs": ["DSA-2-1"], "PkgID": "bash@5.0-4", "PkgName": "bash",
    "PkgIdentifier": {"PURL": "pkg:deb/debian/bash@5.0-4?arch=amd64&distro=debian-10.1", "UID": "be7e", "BOMRef": "ref-1"}, "InstalledVersion": "5.0-4", "FixedVersion": "5.0-5", "Status": "fixed",
    "SeveritySource": "debian", "Severity": "LOW", "VendorSeverity": {"debian": 1, "nvd": 3, "alma": 0},
    "CVSS": {"nvd": {"V2Vector": "AV:L/AC:L/Au:N/C:C/I:C/A:C", "V3Vector": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "V2Score": 7.2, "V3Score": 7.8}, "ghsa": {"V40Vector": "CVSS:4.0/x", "V40Score": 8.1}},
    "PublishedDate": "2019-11-28T01:15:00Z", "LastModifiedDate": "2021-05-26T12:15:00Z", "Title": "t"}]},
  {"Target": "package-lock.json", "Class": "lang-pkgs", "Type": "npm",
   "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0003", "PkgID": "x", "PkgName": "x", "PkgIdentifier": {}, "InstalledVersion": "1", "Status": "will_not_fix", "Severity": "UNKNOWN"}],
   "ExperimentalModifiedFindings": [
    {"Type": "vulnerability", "Status": "not_affected", "Statement": "s", "Source": "./vex.json", "Finding": {"VulnerabilityID": "CVE-2017-16137", "PkgName": "debug", "PkgIdentifier": {"PURL": "pkg:npm/debug@3.0.1"},
     "InstalledVersion": "3.0.1", "FixedVersion": "2.6.9, 3.1.0, 3.2.7, 4.3.1", "Status": "fixed", "SeveritySource": "ghsa", "Severity": "MEDIUM"}},
    {"Type": "secret", "Status": "ignored", "Finding": {"RuleID": "x"}}, {"Type": "dream", "Status": "ignored", "Finding": {}}]},
  {"Target": "x", "Class": "secret", "Secrets": [{"RuleID": "r"}]}
 ]
}`

func trivyWant() *assay.Scan {
	return &assay.Scan{
		Scanner:    assay.Scanner{URI: "pkg:github/aquasecurity/trivy", Version: "0.70.0"},
		FinishedOn: time.Date(2026, 4, 1, 10, 0, 0, 5, time.UTC),
		Inputs:     []assay.Resource{{Name: "registry.example/app", Digest: assay.DigestSet{sum}}},
		Findings: []assay.Finding{
			{Vulnerability: assay.Vulnerability{ID: "CVE-2017-16137"}, PURL: assay.MustPURL("pkg:npm/debug@3.0.1"), Severities: []assay.Severity{{Source: "ghsa", Rating: assay.RatingMedium}}, Fix: assay.Fix{Version: "3.1.0", State: assay.FixAvailable}},
			{Vulnerability: assay.Vulnerability{ID: "CVE-2019-18276"}, Component: "ref-1", PURL: assay.MustPURL("pkg:deb/debian/bash@5.0-4?arch=amd64&distro=debian-10.1"),
				Severities: []assay.Severity{{Source: "debian", Rating: assay.RatingLow}, {Source: "ghsa", Vector: "CVSS:4.0/x", Score: 8.1}, {Source: "nvd", Rating: assay.RatingHigh},
					{Source: "nvd", Vector: "AV:L/AC:L/Au:N/C:C/I:C/A:C", Score: 7.2}, {Source: "nvd", Vector: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", Score: 7.8}},
				Published: time.Date(2019, 11, 28, 1, 15, 0, 0, time.UTC), Fix: assay.Fix{Version: "5.0-5", State: assay.FixAvailable}, Advisories: []assay.VulnID{"DSA-2-1"}},
			{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0003"}, Component: "x@1", Fix: assay.Fix{State: assay.FixRefused}},
		},
		Unevaluated: []assay.Unevaluated{
			{Reason: "the operating system debian 10.1 is past its end of support, so that trivy's database has nothing new for it"},
			{Reason: `trivy modified a finding of type "dream", which is not known, in "package-lock.json"`},
		},
	}
}

const osvV2 = `{
 "results": [
  {"source": {"path": "/go.mod", "type": "lockfile"}, "packages": [
   {"package": {"name": "example.com/m", "version": "2.0.1", "ecosystem": "Go"},
    "vulnerabilities": [
     {"id": "GO-2026-0001", "aliases": ["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"], "published": "2026-02-01T00:00:00Z", "modified": "2026-02-01T00:00:00Z",
      "affected": [{"package": {"name": "example.com/m", "ecosystem": "Go"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.9"}, {"introduced": "2.0.0"}, {"fixed": "2.0.3"}]}]}]},
     {"id": "GHSA-aaaa-bbbb-cccc", "aliases": ["CVE-2026-0001"], "published": "2026-01-31T00:00:00Z", "modified": "2026-02-01T00:00:00Z", "severity": [{"type": "CVSS_V3", "score": "` + critical + `"}],
      "affected": [{"package": {"name": "example.com/m", "ecosystem": "Go"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "2.0.0"}, {"fixed": "2.0.4"}]}]}], "database_specific": {"severity": "HIGH"}},
     {"id": "GO-2026-0002", "modified": "0001-01-01T00:00:00Z", "published": "0001-01-01T00:00:00Z", "affected": [{"package": {"name": "example.com/m", "ecosystem": "Go"}, "ranges": [{"type": "SEMVER", "events": []}]}]}],
    "groups": [
     {"ids": ["GHSA-aaaa-bbbb-cccc", "GO-2026-0001"], "aliases": ["CVE-2026-0001", "GHSA-aaaa-bbbb-cccc", "GO-2026-0001"], "max_severity": "9.8",
      "experimental_analysis": {"GO-2026-0001": {"called": false, "unimportant": false}, "GHSA-aaaa-bbbb-cccc": {"called": false, "unimportant": false}}},
     {"ids": ["GO-2026-0002"], "aliases": ["GO-2026-0002"], "max_severity": "", "experimental_analysis": {"GO-2026-0002": {"called": true, "unimportant": false}}}]},
   {"package": {"name": "fine", "version": "1", "ecosystem": "npm"}}]},
  {"source": {"path": "/status", "type": "os"}, "packages": [
   {"package": {"name": "curl", "os_package_name": "libcurl4", "version": "7.88.1-10", "ecosystem": "Debian:12"},
    "vulnerabilities": [{"id": "DEBIAN-CVE-2026-0003", "upstream": ["CVE-2026-0003"], "modified": "2026-02-01T00:00:00Z", "affected": [{"package": {"name": "curl", "ecosystem": "Debian:12"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}],
    "groups": [{"ids": ["DEBIAN-CVE-2026-0003"], "aliases": ["DEBIAN-CVE-2026-0003"], "experimental_analysis": {"DEBIAN-CVE-2026-0003": {"called": false, "unimportant": true}}}]},
   {"package": {"name": "thing", "version": "1", "ecosystem": "Moon"}, "groups": [{"ids": ["X-1"], "aliases": ["X-1"]}]}]}
 ],
 "experimental_config": {"licenses": {"summary": false, "allowlist": null}}
}`

func osvWant() *assay.Scan {
	m := assay.MustPURL("pkg:golang/example.com/m@v2.0.1")
	return &assay.Scan{
		Scanner: assay.Scanner{URI: "pkg:github/google/osv-scanner"},
		Findings: []assay.Finding{
			{Vulnerability: assay.Vulnerability{ID: "DEBIAN-CVE-2026-0003"}, PURL: assay.MustPURL("pkg:deb/debian/libcurl4@7.88.1-10")},
			{Vulnerability: assay.Vulnerability{ID: "GHSA-aaaa-bbbb-cccc", Aliases: []assay.VulnID{"CVE-2026-0001", "GO-2026-0001"}}, PURL: m, Advisories: []assay.VulnID{"GHSA-aaaa-bbbb-cccc", "GO-2026-0001"},
				Severities: []assay.Severity{{Source: "ghsa", Rating: assay.RatingHigh}, {Source: "ghsa", Vector: critical}},
				Published:  time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), Fix: assay.Fix{Version: "2.0.3", State: assay.FixAvailable}, Reachable: assay.Refuted},
			{Vulnerability: assay.Vulnerability{ID: "GO-2026-0002"}, PURL: m},
			{Vulnerability: assay.Vulnerability{ID: "X-1"}, Component: "Moon/thing@1"},
		},
		Unevaluated: []assay.Unevaluated{{Vulnerability: "GO-2026-0002", PURL: m,
			Reason: "the record of the vulnerability cannot be read: read advisory: a-report: /affected/0/ranges/0/events: invalid, want at least one event (OSV affected[].ranges[].events)"}},
	}
}

func TestReadReport(t *testing.T) {
	for name, tt := range map[string]struct {
		report string
		want   *assay.Scan
		read   func(string, []byte) (*assay.Scan, error)
	}{
		"grype": {grypeV6, grypeWant(), scan.ReadGrype}, "trivy": {trivyV2, trivyWant(), scan.ReadTrivy}, "osv-scanner": {osvV2, osvWant(), scan.ReadOSVScanner},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := scan.ReadReport("a-report", []byte(tt.report))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, tt.want, got)
			again, err := tt.read("a-report", []byte(tt.report))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, tt.want, again)
			// All of it can be signed, by who knows when the scan was.
			got.StartedOn, got.FinishedOn, got.Scanner.DBUpdated = day(1), day(2), day(1)
			for _, typ := range types {
				diff(t, got, must(scan.Read("p", typ, must(scan.Encode(got, typ)))))
			}
		})
	}
}

// A report inside of cosign's predicate is read as by itself.
func TestReadCosign(t *testing.T) {
	predicate := func(result string) []byte {
		return []byte(`{"invocation":{"parameters":null,"uri":"","event_id":"","builder.id":""},"scanner":{"uri":"pkg:github/aquasecurity/trivy@0.70.0","version":"0.70.0","db":{"uri":"","version":""},"result":` + result +
			`},"metadata":{"scanStartedOn":"2026-04-01T09:00:00Z","scanFinishedOn":"2026-04-01T09:30:00Z"}}`)
	}
	started, finished := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC), time.Date(2026, 4, 1, 9, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		report string
		want   *assay.Scan
	}{{trivyV2, trivyWant()}, {grypeV6, grypeWant()}, {osvV2, osvWant()}} {
		got, err := scan.Read("a-report", assay.PredicateCosignVuln, predicate(tt.report))
		if err != nil {
			t.Fatal(err)
		}
		tt.want.Scanner.URI, tt.want.Scanner.Version, tt.want.StartedOn, tt.want.FinishedOn = "pkg:github/aquasecurity/trivy@0.70.0", "0.70.0", started, finished
		diff(t, tt.want, got)
	}
	for _, unknown := range []string{`{}`, `[]`, `"clean"`, `{"vulnerabilities":null}`, `{"something":[]}`} {
		got, err := scan.Read("p", assay.PredicateCosignVuln, predicate(unknown))
		if err != nil || len(got.Findings) != 0 || got.Coverage != nil || len(got.Unevaluated) != 1 || !strings.Contains(got.Unevaluated[0].Reason, "scanner.result") {
			t.Errorf("%s: %+v, %v", unknown, got, err)
		}
	}
	// The template with nothing filled in, and times that are not known.
	got, err := scan.Read("p", assay.PredicateCosignVuln, []byte(`{"scanner":{"uri":"","db":{"lastUpdate":""},"result":`+grypeV6+`},"metadata":{"scanStartedOn":"","scanFinishedOn":"0001-01-01T00:00:00Z"}}`))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, grypeWant(), got)
	for name, tt := range map[string]struct{ body, says string }{
		"no scanner":  {`{"metadata":{}}`, "/scanner"},
		"no result":   {`{"scanner":{"uri":"x"}}`, "/scanner/result"},
		"null result": {`{"scanner":{"uri":"x","result":null}}`, "/scanner/result"},
		"bad report":  {`{"scanner":{"uri":"x","result":{"matches":null}}}`, "/matches"},
		"bad own":     {`{"scanner":{"uri":"x","result":{"vulnerabilities":[{"id":"CVE-2026-0001"}]}}}`, "/vulnerabilities/0/severity"},
		"end before":  {`{"scanner":{"uri":"x","result":{}},"metadata":{"scanStartedOn":"2026-04-01T09:00:00Z","scanFinishedOn":"2026-03-01T09:00:00Z"}}`, "/metadata/scanFinishedOn"},
	} {
		if s, err := scan.Read("a-blob", assay.PredicateCosignVuln, []byte(tt.body)); s != nil || assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "a-blob") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

func TestReadReportRefuses(t *testing.T) {
	replace := func(s, old, with string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(s, old, with, 1)
	}
	for name, tt := range map[string]struct {
		body, says string
		kind       error
	}{
		"nothing":               {``, "not a report", assay.ErrUnchecked},
		"another":               {`{"runs":[],"version":"2.1.0"}`, "not a report", assay.ErrUnchecked},
		"list":                  {`[{"matches":[]}]`, "not a report", assay.ErrUnchecked},
		"cut off":               {grypeV6[:len(grypeV6)/2], "read JSON", assay.ErrInvalid},
		"more":                  {trivyV2 + "{}", "read JSON", assay.ErrInvalid},
		"twice":                 {`{"matches":[],"matches":[]}`, "/matches", assay.ErrInvalid},
		"grype, no matches":     {`{"descriptor":{}}`, "/matches", assay.ErrInvalid},
		"grype, no id":          {replace(grypeV6, `"id": "CVE-2026-0002", "namespace": "debian`, `"namespace": "debian`), "/matches/1/vulnerability/id", assay.ErrInvalid},
		"grype, fix date":       {replace(grypeV6, "2026-02-03", "yesterday"), "/matches/0/vulnerability/fix/available/1/date", assay.ErrInvalid},
		"grype, KEV date":       {replace(grypeV6, "2026-03-22", "22.3."), "/matches/0/relatedVulnerabilities/0/knownExploited/0/dueDate", assay.ErrInvalid},
		"grype, KEV added":      {replace(grypeV6, "2026-03-01", "1.3."), "/knownExploited/0/dateAdded", assay.ErrInvalid},
		"grype, built":          {replace(grypeV6, "2026-04-01T06:00:00Z", "now"), "/descriptor/db/built", assay.ErrInvalid},
		"grype, checksum":       {replace(grypeV6, "checksum=sha256", "checksum=md4"), "/descriptor/db/from", assay.ErrInvalid},
		"grype, time":           {replace(grypeV6, "2026-04-01T12:00:00+02:00", "noon"), "/descriptor/timestamp", assay.ErrInvalid},
		"grype, score":          {replace(grypeV6, `"baseScore": 7.5`, `"baseScore": "7.5"`), "/matches/0/vulnerability/cvss/0/metrics/baseScore", assay.ErrInvalid},
		"trivy, schema":         {replace(trivyV2, `"SchemaVersion": 2`, `"SchemaVersion": 3`), "/SchemaVersion", assay.ErrUnchecked},
		"trivy, no schema":      {`{"Results":[]}`, "/SchemaVersion", assay.ErrUnchecked},
		"trivy, date":           {replace(trivyV2, "2019-11-28T01:15:00Z", "2019-13-28"), "/Results/0/Vulnerabilities/0/PublishedDate", assay.ErrInvalid},
		"trivy, created":        {replace(trivyV2, "2026-04-01T12:00:00.000000005+02:00", "noon"), "/CreatedAt", assay.ErrInvalid},
		"trivy, no id":          {replace(trivyV2, `"VulnerabilityID": "CVE-2017-16137", `, ``), "/Results/1/ExperimentalModifiedFindings/0/Finding/VulnerabilityID", assay.ErrInvalid},
		"trivy, no finding":     {replace(trivyV2, `"Finding": {"VulnerabilityID"`, `"F": {"VulnerabilityID"`), "/Results/1/ExperimentalModifiedFindings/0/Finding", assay.ErrInvalid},
		"trivy, no object":      {replace(trivyV2, `"Finding": {"VulnerabilityID"`, `"Finding": [], "F": {"VulnerabilityID"`), "/Results/1/ExperimentalModifiedFindings/0/Finding", assay.ErrInvalid},
		"trivy, digest":         {replace(trivyV2, "app@sha256", "app@sha1"), "/Metadata/RepoDigests", assay.ErrInvalid},
		"trivy, severity":       {replace(trivyV2, `"nvd": 3`, `"nvd": 5`), "/Results/0/Vulnerabilities/0/VendorSeverity/nvd", assay.ErrInvalid},
		"osv, no results":       {`{"experimental_config":{}}`, "/results", assay.ErrInvalid},
		"osv, no id":            {replace(osvV2, `{"id": "GO-2026-0001", "aliases"`, `{"aliases"`), "/results/0/packages/0/vulnerabilities/0/id", assay.ErrInvalid},
		"osv, record no object": {replace(osvV2, `"vulnerabilities": [`, `"vulnerabilities": [7,`), "/results/0/packages/0/vulnerabilities/0", assay.ErrInvalid},
		"osv, empty group":      {replace(osvV2, `"ids": ["X-1"]`, `"ids": []`), "/results/1/packages/1/groups/0/ids", assay.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := scan.ReadReport("a-report", []byte(tt.body))
			if s != nil || assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "a-report") {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
}

// TestReportUnevaluated has what is not understood, and yet must not be lost.
func TestReportUnevaluated(t *testing.T) {
	match := func(vulnerability, related, artifact string) string {
		return `{"matches":[{"vulnerability":` + vulnerability + `,"relatedVulnerabilities":[` + related + `],"artifact":` + artifact + `}]}`
	}
	const artifact = `{"name":"n","version":"1","purl":"pkg:npm/n@1"}`
	for name, tt := range map[string]struct {
		report   string
		findings int
		reasons  []string
	}{
		"grype, id":         {match(`{"id":"CVE 1"}`, ``, artifact), 0, []string{`"CVE 1"`}},
		"grype, alias":      {match(`{"id":"X-1"}`, `{"id":"CVE-1"}`, artifact), 1, []string{`"CVE-1"`}},
		"grype, state":      {match(`{"id":"X-1","fix":{"state":"maybe"}}`, ``, artifact), 1, []string{`"maybe"`}},
		"grype, purl":       {match(`{"id":"X-1"}`, ``, `{"purl":"n@1"}`), 1, nil},
		"grype, db invalid": {`{"matches":[],"descriptor":{"db":{"status":{"valid":false,"error":"too old"}}}}`, 0, []string{"too old"}},
		"grype, db error":   {`{"matches":[],"descriptor":{"db":{"error":"gone"}}}`, 0, []string{"gone"}},
		"grype, v5":         {`{"matches":[],"descriptor":{"db":{"built":"2024-01-01T00:00:00Z","schemaVersion":5,"checksum":"sha256:` + strings.Repeat("a", 64) + `","error":null}}}`, 0, nil},
		"trivy, nothing":    {`{"SchemaVersion":2,"ArtifactName":"a"}`, 0, []string{`"a"`}},
		"trivy, OS":         {`{"SchemaVersion":2,"Metadata":{"OS":{"Family":"f","Name":"1"}},"Results":[{"Class":"lang-pkgs"}]}`, 0, []string{"f 1"}},
		"trivy, status":     {`{"SchemaVersion":2,"Results":[{"Class":"os-pkgs","Vulnerabilities":[{"VulnerabilityID":"X-1","PkgName":"p","Status":"odd"}]}]}`, 1, []string{`"odd"`}},
		"trivy, id":         {`{"SchemaVersion":2,"Results":[{"Class":"os-pkgs","Vulnerabilities":[{"VulnerabilityID":"CVE-1","PkgName":"p"}]}]}`, 0, []string{`"CVE-1"`}},
		"osv, id":           {`{"results":[{"packages":[{"package":{"name":"n","ecosystem":"npm"},"vulnerabilities":[{"id":"CVE-1"}],"groups":[{"ids":["CVE-1"]}]}]}]}`, 0, []string{`"CVE-1"`, `"CVE-1"`}},
		"osv, no group":     {`{"results":[{"packages":[{"package":{"name":"n","ecosystem":"npm"},"vulnerabilities":[{"id":"X-1","modified":"2026-01-01T00:00:00Z","aliases":["X-2"]}]}]}]}`, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := scan.ReadReport("r", []byte(tt.report))
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Findings) != tt.findings || len(s.Unevaluated) != len(tt.reasons) || s.Coverage != nil {
				t.Fatalf("%+v", s)
			}
			for i, want := range tt.reasons {
				if !strings.Contains(s.Unevaluated[i].Reason, want) {
					t.Errorf("%q does not say %s", s.Unevaluated[i].Reason, want)
				}
			}
			for _, f := range s.Findings {
				if f.PURL.IsZero() && f.Component == "" {
					t.Errorf("a finding of nothing: %+v", f)
				}
			}
		})
	}
	s := must(scan.ReadGrype("r", []byte(`{"matches":[],"descriptor":{"name":"fork","db":{"built":"2024-01-01T00:00:00Z","schemaVersion":5,"checksum":"sha256:`+strings.Repeat("a", 64)+`"}}}`)))
	want := assay.Scanner{URI: "fork", DBVersion: "5", DBDigest: assay.DigestSet{sum}, DBUpdated: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	if d := cmp.Diff(want, s.Scanner, same); d != "" {
		t.Error(d)
	}
}

// TestFirstFix has what stands in the place of a fixed version.
func TestFirstFix(t *testing.T) {
	for _, tt := range []struct{ purl, installed, fixed, want string }{
		{"pkg:npm/a@3.0.1", "3.0.1", "2.6.9, 3.1.0, 3.2.7, 4.3.1", "3.1.0"},
		{"pkg:npm/a@3.0.1", "3.0.1", "4.3.1,3.2.7", "3.2.7"},
		{"pkg:npm/a@5.0.0", "5.0.0", "4.3.1", ""}, // of other releases
		{"pkg:cargo/a@2.0.0", "2.0.0", ">= 3.1.0, >= 2.1.3, < 3.0.0", "2.1.3"},
		{"pkg:cargo/a@1.9.0", "1.9.0", ">= 2.1.0", "2.1.0"},
		{"pkg:gem/a@2.0.0", "2.0.0", "~> 2.0.5, >= 2.1.2", "2.0.5"},
		{"pkg:deb/debian/a@1.0-1", "1.0-1", "1.0-1+deb10u1", "1.0-1+deb10u1"},
		{"pkg:deb/debian/a@1.0~rc1-1", "1.0~rc1-1", "1.0~rc2-1", "1.0~rc2-1"},
		{"pkg:k8s/k8s.io%2Fkubelet@1.27.0", "1.27.0", "1.24.14, 1.25.9, 1.26.4, 1.27.1", "1.27.1"},
		{"pkg:odd/a@1", "1", "2", "2"}, // one is an answer, whatever the order
		{"pkg:odd/a@1", "1", "2, 3", ""},
		{"pkg:npm/a@1.0.0", "1.0.0", "", ""},
	} {
		s := must(scan.ReadTrivy("r", []byte(`{"SchemaVersion":2,"Results":[{"Class":"lang-pkgs","Vulnerabilities":[{"VulnerabilityID":"X-1","PkgIdentifier":{"PURL":"`+tt.purl+
			`"},"InstalledVersion":"`+tt.installed+`","FixedVersion":"`+tt.fixed+`"}]}]}`)))
		want := assay.Fix{Version: tt.want}
		if tt.fixed != "" {
			want.State = assay.FixAvailable
		}
		if got := s.Findings[0].Fix; got != want {
			t.Errorf("%s, fixed in %q: %+v", tt.purl, tt.fixed, got)
		}
	}
}
