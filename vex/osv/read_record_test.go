package osv_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

func TestReadAdvisory(t *testing.T) {
	got, err := osv.ReadAdvisory("GHSA-aaaa-bbbb-cccc.json", []byte(`{
		"schema_version": "1.7.0", "id": "GHSA-AAAA-BBBB-CCCC", "modified": "2026-03-02T10:00:00.5Z", "published": "2026-03-01T12:00:00+02:00",
		"aliases": ["CVE-2026-0001", "cve-2026-0001", "no identifier", "GHSA-aaaa-bbbb-cccc"], "upstream": ["CVE-2026-0002"], "related": ["GO-2026-0001"],
		"summary": "Worse than it looks", "details": "left out", "references": [{"type": "WEB", "url": "https://example.com"}],
		"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {"type": "Ubuntu", "score": "medium"}, {"type": "Ubuntu", "score": "negligible"}],
		"affected": [
			{"package": {"ecosystem": "npm", "name": "left-pad", "purl": "pkg:npm/left-pad"}, "versions": ["1.0.0"],
			 "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.3.0"}, {"introduced": "2.0.0"}, {"last_affected": "2.1.0"}]}],
			 "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],
			 "database_specific": {"severity": "LOW", "imports": 7}, "ecosystem_specific": ["anything"]},
			{"package": {"ecosystem": "Go", "name": "example.com/m", "purl": "no purl"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
			 "ecosystem_specific": {"imports": [{"path": "example.com/m/p", "symbols": ["F"], "goos": ["linux"]}]}},
			{"ranges": [{"type": "GIT", "repo": "https://example.com/r.git", "events": [{"introduced": "0"}, {"limit": "abc"}]}]}],
		"database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-1"], "nested": {"severity": "HIGH"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &osv.Advisory{
		ID: "GHSA-aaaa-bbbb-cccc", Aliases: []assay.VulnID{"CVE-2026-0001"}, Upstream: []assay.VulnID{"CVE-2026-0002"}, Related: []assay.VulnID{"GO-2026-0001"},
		Summary: "Worse than it looks", Published: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Modified: time.Date(2026, 3, 2, 10, 0, 0, 5e8, time.UTC),
		Severities: []assay.Severity{
			{Source: "ghsa", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {Source: "ghsa", Rating: assay.RatingMedium}, {Source: "ghsa", Rating: assay.RatingLow}, {Source: "ghsa", Rating: assay.RatingMedium}},
		Affected: []osv.Affected{
			{Ecosystem: "npm", Name: "left-pad", PURL: assay.MustPURL("pkg:npm/left-pad"), Versions: []string{"1.0.0"},
				Ranges:     []osv.Range{{Type: osv.RangeSemVer, Events: []osv.Event{{Kind: osv.Introduced, Version: "0"}, {Kind: osv.Fixed, Version: "1.3.0"}, {Kind: osv.Introduced, Version: "2.0.0"}, {Kind: osv.LastAffected, Version: "2.1.0"}}}},
				Severities: []assay.Severity{{Source: "ghsa", Vector: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}, {Source: "ghsa", Rating: assay.RatingLow}}},
			{Ecosystem: "Go", Name: "example.com/m", Ranges: []osv.Range{{Type: osv.RangeSemVer, Events: []osv.Event{{Kind: osv.Introduced, Version: "0"}}}},
				Imports: []assay.Import{{Path: "example.com/m/p", Symbols: []string{"F"}, GOOS: []string{"linux"}}}},
			{Ranges: []osv.Range{{Type: osv.RangeGit, Repo: "https://example.com/r.git", Events: []osv.Event{{Kind: osv.Introduced, Version: "0"}, {Kind: osv.Limit, Version: "abc"}}}}},
		},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReadAdvisoryDatesThatAreNotKnown(t *testing.T) {
	a, err := osv.ReadAdvisory("x", []byte(`{"id":"X-1","published":"1969-12-31T23:59:59Z","modified":"0001-01-01T00:00:00Z","withdrawn":"1970-01-01T00:00:00Z"}`))
	if err != nil || !a.Published.IsZero() || !a.Modified.IsZero() || a.Withdrawn.Unix() != 0 {
		t.Errorf("got %+v, %v", a, err)
	}
}

// record puts the affected part of a record around what is given.
func record(affected string) string {
	return `{"id":"X-1","affected":[` + affected + `]}`
}

func TestReadAdvisoryRefuses(t *testing.T) {
	pkg := `"package":{"ecosystem":"npm","name":"a"}`
	for name, tt := range map[string]struct {
		in   string
		kind error
		says []string
	}{
		"no JSON":              {`{"id":`, assay.ErrInvalid, []string{"r.json"}},
		"duplicate member":     {`{"id":"X-1","id":"X-2"}`, assay.ErrInvalid, []string{"/id", "once"}},
		"duplicate deep":       {record(`{` + pkg + `,"database_specific":{"a":1,"a":2}}`), assay.ErrInvalid, []string{"/affected/0/database_specific/a"}},
		"trailing data":        {`{"id":"X-1"}{}`, assay.ErrInvalid, []string{"nothing after"}},
		"wrong type":           {`{"id":7}`, assay.ErrInvalid, []string{"/id"}},
		"no id":                {`{"affected":[]}`, assay.ErrInvalid, []string{"/id"}},
		"later schema":         {`{"schema_version":"2.0.0","id":"X-1"}`, assay.ErrUnchecked, []string{"/schema_version", "2.0.0"}},
		"bad id":               {`{"id":"CVE-1"}`, assay.ErrInvalid, []string{"/id", "CVE-1"}},
		"id with a line":       {`{"id":"X\n1"}`, assay.ErrInvalid, []string{"/id"}},
		"bad time":             {`{"id":"X-1","modified":"yesterday"}`, assay.ErrInvalid, []string{"/modified", "yesterday"}},
		"bad withdrawn":        {`{"id":"X-1","withdrawn":"2026-13-01T00:00:00Z"}`, assay.ErrInvalid, []string{"/withdrawn"}},
		"no package":           {record(`{"versions":["1"]}`), assay.ErrInvalid, []string{"/affected/0"}},
		"no ecosystem":         {record(`{"package":{"name":"a"}}`), assay.ErrInvalid, []string{"/affected/0/package/ecosystem"}},
		"release only":         {record(`{"package":{"ecosystem":":12","name":"a"}}`), assay.ErrInvalid, []string{"/ecosystem", ":12"}},
		"no name":              {record(`{"package":{"ecosystem":"npm"}}`), assay.ErrInvalid, []string{"/affected/0/package/name"}},
		"name with NUL":        {record(`{"package":{"ecosystem":"npm","name":"a\u0000b"}}`), assay.ErrInvalid, []string{"/affected/0/package/name"}},
		"unknown range":        {record(`{` + pkg + `,"ranges":[{"type":"CALVER","events":[{"introduced":"0"}]}]}`), assay.ErrInvalid, []string{"/affected/0/ranges/0/type", "CALVER"}},
		"range without events": {record(`{` + pkg + `,"ranges":[{"type":"SEMVER"}]}`), assay.ErrInvalid, []string{"/affected/0/ranges/0/events"}},
		"never introduced":     {record(`{` + pkg + `,"ranges":[{"type":"SEMVER","events":[{"fixed":"1"}]}]}`), assay.ErrInvalid, []string{"/ranges/0/events", "introduced"}},
		"event of two":         {record(`{` + pkg + `,"ranges":[{"type":"SEMVER","events":[{"introduced":"0","fixed":"1"}]}]}`), assay.ErrInvalid, []string{"/ranges/0/events/0"}},
		"event of none":        {record(`{` + pkg + `,"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"patched":"1"}]}]}`), assay.ErrInvalid, []string{"/ranges/0/events/1"}},
		"event without":        {record(`{` + pkg + `,"ranges":[{"type":"SEMVER","events":[{"introduced":""}]}]}`), assay.ErrInvalid, []string{"/ranges/0/events/0"}},
		"no repository":        {record(`{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}`), assay.ErrInvalid, []string{"/ranges/0/repo"}},
		"too large":            {`{"id":"X-1","details":"` + strings.Repeat("x", 64<<20) + `"}`, assay.ErrBound, []string{"r.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := osv.ReadAdvisory("r.json", []byte(tt.in))
			if a != nil || !errors.Is(err, tt.kind) {
				t.Fatalf("got %+v, %v", a, err)
			}
			for _, s := range append(tt.says, "r.json") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}
