package scan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
)

var (
	same  = cmp.Options{cmpopts.EquateComparable(assay.Digest{}, assay.PURL{}), cmpopts.EquateEmpty()}
	sum   = assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	types = []assay.PredicateType{assay.PredicateVulns02, assay.PredicateVulns01, assay.PredicateCosignVuln}
)

const critical = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

func day(n int) time.Time { return time.Date(2026, 1, n, 3, 4, 5, 600, time.UTC) }

// full has a value in every field.
func full() *assay.Scan {
	return &assay.Scan{
		Scanner:    assay.Scanner{URI: "pkg:github/e/scanner", Version: "1.2", DBURI: "https://db.example", DBVersion: "7", DBDigest: assay.DigestSet{sum}, DBUpdated: day(1)},
		StartedOn:  day(2),
		FinishedOn: day(3),
		Inputs: []assay.Resource{{Name: "n", URI: "https://sbom.example", Digest: assay.DigestSet{sum}, Content: []byte("x"), DownloadLocation: "https://d.example",
			MediaType: "application/json", Annotations: map[string]json.RawMessage{"k": json.RawMessage(`1`)}}},
		Coverage: &assay.Coverage{Components: 5, Digest: sum, Ecosystems: []string{"deb", "golang"}},
		Findings: []assay.Finding{
			{
				Vulnerability: assay.Vulnerability{IRI: "https://v.example/1", ID: "CVE-2026-0001", Aliases: []assay.VulnID{"GHSA-aaaa-bbbb-cccc"}, Description: "bad"},
				Component:     "c1", PURL: assay.MustPURL("pkg:golang/example.com/m@v1.0.0"),
				Severities: []assay.Severity{{Source: "nvd", Vector: critical, Score: 9.8, Rating: assay.RatingCritical}, {Source: "debian", Rating: assay.RatingLow}, {Score: 5}},
				Published:  day(4), Fix: assay.Fix{Version: "v1.0.1", State: assay.FixAvailable, Available: day(5), AvailableBy: "release"},
				Exploited:  &assay.Exploited{Catalogue: "CISA KEV", Added: day(6), Due: day(7)},
				Advisories: []assay.VulnID{"GHSA-aaaa-bbbb-cccc", "GO-2026-0001"}, Reachable: assay.Refuted, FirstSeen: day(8),
				Imports: []assay.Import{{Path: "example.com/m", Symbols: []string{"F"}, GOOS: []string{"linux"}, GOARCH: []string{"arm64"}}},
			},
			{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0002"}, Component: "c2"},
		},
		Unevaluated: []assay.Unevaluated{{Vulnerability: "CVE-2026-0003", Component: "c3", PURL: assay.MustPURL("pkg:deb/debian/x@1"), Reason: "unknown version"}, {Vulnerability: "CVE-2026-0004", Reason: "r"}},
	}
}

func diff(t *testing.T, want, got *assay.Scan) {
	t.Helper()
	if d := cmp.Diff(want, got, same); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
