package osv_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

func match(t *testing.T, db osv.Database, sbom *assay.SBOM) *assay.Scan {
	t.Helper()
	scan, err := osv.Match(t.Context(), db, sbom, osv.MatchOptions{Time: january(20)})
	if err != nil {
		t.Fatal(err)
	}
	return scan
}

// found are the findings as "ID in component by records".
func found(scan *assay.Scan) []string {
	var out []string
	for _, f := range scan.Findings {
		out = append(out, fmt.Sprintf("%s in %s by %s", f.Vulnerability.ID, f.PURL, f.Advisories))
	}
	return out
}

func TestMatch(t *testing.T) {
	const cvss = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	db := &memory{info: osv.Info{Digest: assay.SumSHA256([]byte("db")), Updated: january(19), Modified: january(18)}, records: []osv.Advisory{
		{ID: "GO-2026-0001", Aliases: []assay.VulnID{"CVE-2026-1", "GHSA-aaaa-bbbb-cccc"}, Published: january(5),
			Affected: []osv.Affected{row("Go", "example.com/Thing", "introduced 0, fixed 1.2.0")}},
		{ID: "GHSA-aaaa-bbbb-cccc", Aliases: []assay.VulnID{"CVE-2026-1"}, Published: january(3), Severities: []assay.Severity{{Source: "ghsa", Vector: cvss}},
			Affected: []osv.Affected{row("Go", "example.com/thing", "introduced 1.0.0, fixed 1.3.0")}, Fix: assay.Fix{Version: "1.3.0", Available: january(4), AvailableBy: "release"}},
		{ID: "CVE-2026-1", Exploited: &assay.Exploited{Catalogue: "CISA KEV", Added: january(6), Due: january(27)}, Severities: []assay.Severity{{Source: "nvd", Rating: assay.RatingHigh}}},
		{ID: "GO-2026-0002", Aliases: []assay.VulnID{"CVE-2026-2"}, Withdrawn: january(7), Affected: []osv.Affected{row("Go", "example.com/thing", "introduced 0")}},
	}}
	sbom := sbomOf("pkg:golang/example.com/thing@v1.1.0", "pkg:golang/example.com/other@v1.1.0")
	input := assay.Resource{Name: "sbom.json", Digest: assay.DigestSet{assay.SumSHA256([]byte("sbom"))}}
	got, err := osv.Match(t.Context(), db, sbom, osv.MatchOptions{Time: january(20), Inputs: []assay.Resource{input}, Scanner: assay.Scanner{Version: "1.0"}})
	want := &assay.Scan{
		Scanner: assay.Scanner{URI: "https://github.com/assaykit/assay/vex/osv", Version: "1.0", DBVersion: "2026-01-18T00:00:00Z",
			DBDigest: assay.DigestSet{assay.SumSHA256([]byte("db"))}, DBUpdated: january(19)},
		StartedOn: january(20), FinishedOn: january(20), Inputs: []assay.Resource{input},
		Coverage: &assay.Coverage{Components: 2, Ecosystems: []string{"golang"},
			Digest: assay.CoverageDigest([]assay.PURL{assay.MustPURL("pkg:golang/example.com/thing@v1.1.0"), assay.MustPURL("pkg:golang/example.com/other@v1.1.0")})},
		Findings: []assay.Finding{{
			Vulnerability: assay.Vulnerability{ID: "CVE-2026-1", Aliases: []assay.VulnID{"GHSA-aaaa-bbbb-cccc", "GO-2026-0001"}},
			Component:     "pkg:golang/example.com/thing@v1.1.0", PURL: assay.MustPURL("pkg:golang/example.com/thing@v1.1.0"),
			Severities: []assay.Severity{{Source: "ghsa", Vector: cvss, Score: 9.8, Rating: assay.RatingCritical}, {Source: "nvd", Rating: assay.RatingHigh}},
			Published:  january(3), Fix: assay.Fix{Version: "1.3.0", State: assay.FixAvailable, Available: january(4), AvailableBy: "release"},
			Exploited:  &assay.Exploited{Catalogue: "CISA KEV", Added: january(6), Due: january(27)},
			Advisories: []assay.VulnID{"GHSA-aaaa-bbbb-cccc", "GO-2026-0001"},
		}},
	}
	if diff := diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	// Before it was withdrawn the other advisory held.
	early, err := osv.Match(t.Context(), db, sbom, osv.MatchOptions{Time: january(6)})
	if err != nil || len(early.Findings) != 2 || early.Findings[1].Vulnerability.ID != "CVE-2026-2" {
		t.Errorf("a withdrawal to come counts already: %v, %v", found(early), err)
	}
}

func TestMatchUnifiesAliases(t *testing.T) {
	const p = "pkg:npm/x@1.0.0"
	all := row("npm", "x", "introduced 0, fixed 2.0.0")
	id := func(ids ...assay.VulnID) []assay.VulnID { return ids }
	for _, tt := range []struct {
		name    string
		records []osv.Advisory
		want    string // of ID, aliases and advisories
	}{
		{"a circle", []osv.Advisory{
			{ID: "GHSA-1111-1111-1111", Aliases: id("OSV-1"), Affected: []osv.Affected{all}},
			{ID: "OSV-1", Aliases: id("GHSA-1111-1111-1111", "OSV-1"), Affected: []osv.Affected{all}},
		}, "GHSA-1111-1111-1111 [OSV-1] [GHSA-1111-1111-1111 OSV-1]"},
		{"a name that only another record tells", []osv.Advisory{
			{ID: "OSV-1", Aliases: id("GHSA-1111-1111-1111"), Affected: []osv.Affected{all}},
			{ID: "GHSA-1111-1111-1111", Aliases: id("CVE-2026-1")},
		}, "CVE-2026-1 [GHSA-1111-1111-1111 OSV-1] [OSV-1]"},
		{"records that share a name", []osv.Advisory{
			{ID: "A-1", Aliases: id("C-1"), Affected: []osv.Affected{all}},
			{ID: "B-1", Aliases: id("C-1"), Affected: []osv.Affected{all}},
		}, "A-1 [B-1 C-1] [A-1 B-1]"},
		{"no other name", []osv.Advisory{{ID: "MAL-2026-1", Affected: []osv.Affected{all}}}, "MAL-2026-1 [] [MAL-2026-1]"},
		{"downstream of one", []osv.Advisory{
			{ID: "DEBIAN-CVE-2026-1", Upstream: id("CVE-2026-1"), Affected: []osv.Affected{all}},
		}, "CVE-2026-1 [DEBIAN-CVE-2026-1] [DEBIAN-CVE-2026-1]"},
		{"downstream of several", []osv.Advisory{
			{ID: "USN-1-1", Upstream: id("CVE-2026-2", "CVE-2026-1", "UBUNTU-CVE-2026-1"), Affected: []osv.Affected{all}},
			{ID: "UBUNTU-CVE-2026-1", Upstream: id("CVE-2026-1"), Affected: []osv.Affected{all}},
		}, "CVE-2026-1 [UBUNTU-CVE-2026-1] [UBUNTU-CVE-2026-1 USN-1-1]\nCVE-2026-2 [] [USN-1-1]"},
		{"related is not the same", []osv.Advisory{
			{ID: "GHSA-1111-1111-1111", Related: id("CVE-2026-9"), Affected: []osv.Affected{all}},
		}, "GHSA-1111-1111-1111 [] [GHSA-1111-1111-1111]"},
	} {
		for range 2 {
			scan := match(t, &memory{records: tt.records}, sbomOf(p))
			var got []string
			for _, f := range scan.Findings {
				got = append(got, fmt.Sprint(f.Vulnerability.ID, " ", f.Vulnerability.Aliases, " ", f.Advisories))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" || len(scan.Unevaluated) > 0 {
				t.Errorf("%s: %v\n%s", tt.name, scan.Unevaluated, diff)
			}
			slices.Reverse(tt.records) // their order says nothing
		}
	}
	// Records that call each other by very many names end.
	var chain []osv.Advisory
	for i := range 1000 {
		chain = append(chain, osv.Advisory{ID: assay.VulnID(fmt.Sprintf("X-%04d", i)), Aliases: id(assay.VulnID(fmt.Sprintf("X-%04d", i+1)))})
	}
	chain[0].Affected = []osv.Affected{all}
	if scan := match(t, &memory{records: chain}, sbomOf(p)); len(scan.Findings) != 1 || len(scan.Findings[0].Vulnerability.Aliases) != 63 {
		t.Errorf("got %v", found(scan))
	}
}

func TestMatchFix(t *testing.T) {
	record := func(id assay.VulnID, events string, fix assay.Fix) osv.Advisory {
		return osv.Advisory{ID: id, Aliases: []assay.VulnID{"CVE-2026-1"}, Fix: fix, Affected: []osv.Affected{row("npm", "x", events)}}
	}
	for _, tt := range []struct {
		name    string
		records []osv.Advisory
		want    assay.Fix
	}{
		{"the later of two", []osv.Advisory{record("A", "introduced 0, fixed 1.9.0", assay.Fix{}), record("B", "introduced 0, fixed 1.10.0", assay.Fix{})}, assay.Fix{Version: "1.10.0", State: assay.FixAvailable}},
		{"the earlier date of one", []osv.Advisory{record("A", "introduced 0, fixed 1.9.0", assay.Fix{Available: january(3), AvailableBy: "release"}), record("B", "introduced 0, fixed 1.9.0", assay.Fix{Available: january(2), AvailableBy: "commit"})},
			assay.Fix{Version: "1.9.0", State: assay.FixAvailable, Available: january(2), AvailableBy: "commit"}},
		{"a date of another version", []osv.Advisory{record("A", "introduced 0, fixed 1.9.0", assay.Fix{Version: "0.9.9", Available: january(3), AvailableBy: "release"})}, assay.Fix{Version: "1.9.0", State: assay.FixAvailable}},
		{"known to one", []osv.Advisory{record("A", "introduced 0", assay.Fix{}), record("B", "introduced 0, fixed 1.9.0", assay.Fix{})}, assay.Fix{Version: "1.9.0", State: assay.FixAvailable}},
		{"none", []osv.Advisory{record("A", "introduced 0", assay.Fix{})}, assay.Fix{State: assay.FixNone}},
		{"refused", []osv.Advisory{record("A", "introduced 0", assay.Fix{State: assay.FixRefused}), record("B", "introduced 0", assay.Fix{})}, assay.Fix{State: assay.FixRefused}},
		{"not told", []osv.Advisory{record("A", "introduced 0, last_affected 1.0.0", assay.Fix{})}, assay.Fix{}},
	} {
		scan := match(t, &memory{records: tt.records}, sbomOf("pkg:npm/x@1.0.0"))
		if len(scan.Findings) != 1 {
			t.Fatalf("%s: %v", tt.name, found(scan))
		}
		if diff := cmp.Diff(tt.want, scan.Findings[0].Fix); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestMatchReportsWhatItCannotDecide(t *testing.T) {
	db := &memory{info: osv.Info{Skipped: 3}, records: []osv.Advisory{
		{ID: "GO-1", Aliases: []assay.VulnID{"CVE-2026-1"}, Affected: []osv.Affected{row("Go", "example.com/a", "introduced 0, fixed next")}},
		{ID: "GO-2", Aliases: []assay.VulnID{"CVE-2026-1"}, Affected: []osv.Affected{row("Go", "example.com/b", "introduced 0, fixed next")}},
		{ID: "GO-3", Aliases: []assay.VulnID{"CVE-2026-1"}, Affected: []osv.Affected{row("Go", "example.com/b", "introduced 0, fixed 2.0.0")}},
		{ID: "GO-4", Affected: []osv.Affected{row("Go", "example.com/e", "introduced 0, fixed 2.0.0")}},
		{ID: "DSA-1", Upstream: []assay.VulnID{"CVE-2026-2"}, Affected: []osv.Affected{row("Debian:12", "bash", "introduced 0")}},
	}}
	sbom := sbomOf("pkg:golang/example.com/a@v1.0.0", "pkg:golang/example.com/b@v1.0.0", "pkg:golang/example.com/c@%28devel%29",
		"pkg:npm/x@1.0.0", "pkg:golang/example.com/d", "pkg:golang/example.com/e", "pkg:deb/debian/bash@5?distro=debian-13", "pkg:generic/redis@7")
	sbom.Components = append(sbom.Components,
		assay.Component{ID: "file", Type: assay.TypeFile, Name: "opt/tool"},
		assay.Component{ID: "owned", Type: assay.TypeFile, Name: "bin/bash"},
		assay.Component{ID: "binary", Type: assay.TypeApplication, Name: "server"},
		assay.Component{ID: "os", Type: assay.TypeOperatingSystem, Name: "debian", Version: "13"})
	sbom.Relations = []assay.Relation{
		{From: "owned", Kind: assay.OwnedBy, To: "pkg:deb/debian/bash@5?distro=debian-13"},
		{From: "binary", Kind: assay.DependsOn, To: "pkg:golang/example.com/a@v1.0.0"},
	}
	if err := sbom.Normalize(); err != nil {
		t.Fatal(err)
	}
	scan := match(t, db, sbom)
	if diff := cmp.Diff([]string{"CVE-2026-1 in pkg:golang/example.com/b@v1.0.0 by [GO-3]"}, found(scan)); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, u := range scan.Unevaluated {
		got = append(got, fmt.Sprintf("%s|%s|%s", u.Vulnerability, u.Component, u.Reason))
	}
	want := []string{
		`||3 records of the database could not be read when it was built`,
		`|file|ask for advisories: opt/tool: purl: could not be checked, want a package URL`,
		`|pkg:deb/debian/bash@5?distro=debian-13|ask for advisories: pkg:deb/debian/bash@5?distro=debian-13: distro: could not be checked: got "13", want a release of Debian that the database has advisories of`,
		`|pkg:generic/redis@7|ask for advisories: pkg:generic/redis@7: type: could not be checked: got "generic", want a type that advisories are written for`,
		`|pkg:npm/x@1.0.0|ask for advisories: pkg:npm/x@1.0.0: ecosystem: could not be checked: got "npm", want one that the database has advisories of`,
		`CVE-2026-1|pkg:golang/example.com/a@v1.0.0|GO-1: parse version: Go: version: invalid: got "next", want a version as the ecosystem spells it`,
		`GO-4|pkg:golang/example.com/e|GO-4: the component has no version`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Of example.com/c nothing is known, whatever its version is. All that has a package URL
	// was there to be asked about.
	if scan.Coverage.Components != 8 || !slices.Equal(scan.Coverage.Ecosystems, []string{"deb", "generic", "golang", "npm"}) {
		t.Errorf("coverage: %+v", scan.Coverage)
	}
}

func TestMatchReleases(t *testing.T) {
	db := &memory{records: []osv.Advisory{
		{ID: "DEBIAN-CVE-2026-1", Upstream: []assay.VulnID{"CVE-2026-1"}, Affected: []osv.Affected{
			row("Debian:11", "openssl", "introduced 0"), row("Debian:12", "openssl", "introduced 0, fixed 3.0.11-1~deb12u3"), row("Debian:13", "openssl", "introduced 0, fixed 0")}},
	}}
	for version, want := range map[string]int{
		"3.0.11-1~deb12u2?distro=debian-12": 1, "3.0.11-1~deb12u3?distro=debian-12": 0, "3.0.11-1~deb12u2?distro=debian-13": 0, "9.0?distro=debian-11": 1,
	} {
		if scan := match(t, db, sbomOf("pkg:deb/debian/openssl@"+version)); len(scan.Findings) != want || len(scan.Unevaluated) != 0 {
			t.Errorf("%s: got %v %v, want %d", version, found(scan), scan.Unevaluated, want)
		}
	}
}

func TestMatchPlatforms(t *testing.T) {
	windows := row("Go", "stdlib", "introduced 0, fixed 1.23.0")
	windows.Imports = []assay.Import{{Path: "os", GOOS: []string{"windows"}}}
	db := &memory{records: []osv.Advisory{{ID: "GO-1", Affected: []osv.Affected{windows}}}}
	binary := func(id, goos string) assay.Component {
		c := assay.Component{ID: assay.ComponentID(id), Type: assay.TypeApplication, Name: id, Properties: map[string]string{"assay:go:build:GOARCH": "amd64"}}
		if goos != "" {
			c.Properties["assay:go:build:GOOS"] = goos
		}
		return c
	}
	for _, tt := range []struct {
		name     string
		binaries []assay.Component
		platform assay.Platform
		want     int
	}{
		{"nothing is known", nil, assay.Platform{}, 1},
		{"Linux", []assay.Component{binary("a", "linux")}, assay.Platform{}, 0},
		{"Windows", []assay.Component{binary("a", "windows")}, assay.Platform{}, 1},
		{"both", []assay.Component{binary("a", "linux"), binary("b", "windows")}, assay.Platform{}, 1},
		{"Linux and unknown", []assay.Component{binary("a", "linux"), binary("b", "")}, assay.Platform{}, 1},
		{"Linux is asked for", nil, assay.Platform{OS: "linux"}, 0},
		{"another architecture is asked for", nil, assay.Platform{Architecture: "arm64"}, 1},
	} {
		sbom := sbomOf("pkg:golang/stdlib@1.22.0")
		for _, b := range tt.binaries {
			sbom.Components = append(sbom.Components, b)
			sbom.Relations = append(sbom.Relations, assay.Relation{From: b.ID, Kind: assay.DependsOn, To: "pkg:golang/stdlib@1.22.0"})
		}
		if err := sbom.Normalize(); err != nil {
			t.Fatal(err)
		}
		scan, err := osv.Match(t.Context(), db, sbom, osv.MatchOptions{Time: january(1), Platform: tt.platform})
		if err != nil || len(scan.Findings) != tt.want {
			t.Errorf("%s: got %v, %v, want %d", tt.name, found(scan), err, tt.want)
		}
	}
}

func TestMatchTime(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	scan, err := osv.Match(t.Context(), &memory{}, sbomOf(), osv.MatchOptions{})
	if want := time.Unix(1700000000, 0); err != nil || !scan.StartedOn.Equal(want) || !scan.FinishedOn.Equal(want) {
		t.Errorf("got %v, %v", scan, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if scan, err := osv.Match(t.Context(), &memory{}, sbomOf(), osv.MatchOptions{}); !errors.Is(err, assay.ErrInvalid) || scan != nil {
		t.Errorf("got %v, %v", scan, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "")
	scan, err = osv.Match(t.Context(), &memory{}, sbomOf(), osv.MatchOptions{})
	if err != nil || time.Since(scan.StartedOn).Abs() > time.Hour || scan.Findings == nil {
		t.Errorf("got %v, %v", scan, err)
	}
}

func TestMatchErrors(t *testing.T) {
	db := &memory{records: []osv.Advisory{{ID: "GO-1", Affected: []osv.Affected{row("npm", "x", "introduced 0")}}}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if scan, err := osv.Match(ctx, db, sbomOf("pkg:npm/x@1.0.0"), osv.MatchOptions{}); !errors.Is(err, context.Canceled) || assay.KindOf(err) != assay.ErrUnchecked || scan != nil {
		t.Errorf("got %v, %v", scan, err)
	}
	db.fail = errors.New("the disk is gone")
	if scan, err := osv.Match(t.Context(), db, sbomOf("pkg:npm/x@1.0.0"), osv.MatchOptions{}); !errors.Is(err, db.fail) || scan != nil {
		t.Errorf("got %v, %v", scan, err)
	}
}

func TestMatchIsDeterministic(t *testing.T) {
	db := &memory{}
	var purls []string
	for i := range 40 {
		name := fmt.Sprintf("p%02d", i)
		purls = append(purls, "pkg:npm/"+name+"@1.0.0", "pkg:pypi/"+name+"@latest", "pkg:cran/"+name)
		db.records = append(db.records,
			osv.Advisory{ID: assay.VulnID("A-" + name), Aliases: []assay.VulnID{"CVE-2026-1"}, Affected: []osv.Affected{row("npm", name, "introduced 0, fixed 2.0.0")}},
			osv.Advisory{ID: assay.VulnID("B-" + name), Aliases: []assay.VulnID{"CVE-2026-1"}, Affected: []osv.Affected{row("PyPI", name, "introduced 0, fixed 2.0.0")}})
	}
	want := match(t, db, sbomOf(purls...))
	if len(want.Findings) != 40 || len(want.Unevaluated) != 80 {
		t.Fatalf("got %d findings, %d unevaluated", len(want.Findings), len(want.Unevaluated))
	}
	if !slices.IsSortedFunc(want.Findings, assay.Finding.Compare) {
		t.Error("findings are not sorted")
	}
	var wg sync.WaitGroup
	for n := range 4 { // at once, on one database
		wg.Go(func() {
			sbom := sbomOf(purls...)
			scan, err := osv.Match(context.Background(), db, sbom, osv.MatchOptions{Time: january(20), Workers: n})
			if diff := diff(want, scan); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	wg.Wait()
}
