package scan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
)

func finding(id assay.VulnID, purl string, aliases ...assay.VulnID) assay.Finding {
	return assay.Finding{Vulnerability: assay.Vulnerability{ID: id, Aliases: aliases}, PURL: assay.MustPURL(purl)}
}

func TestDiff(t *testing.T) {
	one := finding("CVE-2026-0001", "pkg:npm/a@1")
	with := func(f assay.Finding, edit func(*assay.Finding)) assay.Finding { edit(&f); return f }
	list := func(f ...assay.Finding) []assay.Finding { return f }
	for name, tt := range map[string]struct {
		old, new    []assay.Finding
		unevaluated []assay.Unevaluated
		want        string
	}{
		"nothing":       {want: "new [] gone [] undecided [] same [] changed []"},
		"same":          {old: list(one), new: list(one), want: "new [] gone [] undecided [] same [CVE-2026-0001 pkg:npm/a@1] changed []"},
		"new":           {new: list(one), want: "new [CVE-2026-0001 pkg:npm/a@1] gone [] undecided [] same [] changed []"},
		"gone":          {old: list(one), want: "new [] gone [CVE-2026-0001 pkg:npm/a@1] undecided [] same [] changed []"},
		"first seen":    {old: list(one), new: list(with(one, func(f *assay.Finding) { f.FirstSeen = day(1) })), want: "new [] gone [] undecided [] same [CVE-2026-0001 pkg:npm/a@1] changed []"},
		"still there":   {old: list(one), new: list(finding("CVE-2026-0001", "pkg:npm/a@2")), want: "new [] gone [] undecided [] same [] changed [CVE-2026-0001 pkg:npm/a@1 [component]]"},
		"other package": {old: list(one), new: list(finding("CVE-2026-0001", "pkg:npm/b@1")), want: "new [CVE-2026-0001 pkg:npm/b@1] gone [CVE-2026-0001 pkg:npm/a@1] undecided [] same [] changed []"},
		"alias":         {old: list(one), new: list(finding("GHSA-aaaa-bbbb-cccc", "pkg:npm/a@1", "CVE-2026-0001")), want: "new [] gone [] undecided [] same [] changed [CVE-2026-0001 pkg:npm/a@1 [vulnerability]]"},
		"alias of a third": {old: list(one, finding("X-9", "pkg:npm/z@1", "CVE-2026-0001", "GO-2026-0001")), new: list(finding("GO-2026-0001", "pkg:npm/a@1")),
			want: "new [] gone [X-9 pkg:npm/z@1] undecided [] same [] changed [CVE-2026-0001 pkg:npm/a@1 [vulnerability]]"},
		"one of two versions": {old: list(one, finding("CVE-2026-0001", "pkg:npm/a@2")), new: list(finding("CVE-2026-0001", "pkg:npm/a@2")),
			want: "new [] gone [CVE-2026-0001 pkg:npm/a@1] undecided [] same [CVE-2026-0001 pkg:npm/a@2] changed []"},
		"one of two names": {old: list(finding("CVE-2026-0001", "pkg:npm/a@1", "GHSA-aaaa-bbbb-cccc"), finding("CVE-2026-0002", "pkg:npm/a@1", "GHSA-aaaa-bbbb-cccc")), new: list(finding("CVE-2026-0002", "pkg:npm/a@1", "GHSA-aaaa-bbbb-cccc")),
			want: "new [] gone [CVE-2026-0001 pkg:npm/a@1] undecided [] same [CVE-2026-0002 pkg:npm/a@1] changed []"},
		"component": {old: list(assay.Finding{Vulnerability: assay.Vulnerability{ID: "X-1"}, Component: "c"}, assay.Finding{Vulnerability: assay.Vulnerability{ID: "X-1"}, Component: "d"}), new: list(assay.Finding{Vulnerability: assay.Vulnerability{ID: "X-1"}, Component: "d"}),
			want: "new [] gone [X-1 ] undecided [] same [X-1 ] changed []"},
		"all that can change": {old: list(one), new: list(with(one, func(f *assay.Finding) {
			f.Severities, f.Published, f.Fix, f.Exploited = []assay.Severity{{Score: 1}}, day(1), assay.Fix{Version: "2"}, &assay.Exploited{Catalogue: "k"}
			f.Advisories, f.Reachable, f.Component, f.Imports = []assay.VulnID{"X-1"}, assay.Proven, "c", []assay.Import{{Path: "p"}}
		})), want: "new [] gone [] undecided [] same [] changed [CVE-2026-0001 pkg:npm/a@1 [component severities published fix exploited advisories imports reachable]]"},
		"unevaluated, all":           {old: list(one), unevaluated: []assay.Unevaluated{{Reason: "r"}}, want: "new [] gone [] undecided [CVE-2026-0001 pkg:npm/a@1] same [] changed []"},
		"unevaluated, package":       {old: list(one), unevaluated: []assay.Unevaluated{{PURL: assay.MustPURL("pkg:npm/a@2")}}, want: "new [] gone [] undecided [CVE-2026-0001 pkg:npm/a@1] same [] changed []"},
		"unevaluated, vulnerability": {old: list(finding("X-1", "pkg:npm/a@1", "X-2")), unevaluated: []assay.Unevaluated{{Vulnerability: "X-2"}}, want: "new [] gone [] undecided [X-1 pkg:npm/a@1] same [] changed []"},
		"unevaluated, other package": {old: list(one), unevaluated: []assay.Unevaluated{{PURL: assay.MustPURL("pkg:npm/b@2")}, {Component: "x"}}, want: "new [] gone [CVE-2026-0001 pkg:npm/a@1] undecided [] same [] changed []"},
		"unevaluated, other name":    {old: list(one), unevaluated: []assay.Unevaluated{{Vulnerability: "X-2", PURL: assay.MustPURL("pkg:npm/a@1")}}, want: "new [] gone [CVE-2026-0001 pkg:npm/a@1] undecided [] same [] changed []"},
	} {
		t.Run(name, func(t *testing.T) {
			show := func(d *scan.Difference) string {
				names := func(list []assay.Finding) (out []string) {
					for _, f := range list {
						out = append(out, fmt.Sprintf("%s %s", f.Vulnerability.ID, f.PURL))
					}
					return out
				}
				var changed []string
				for _, c := range d.Changed {
					changed = append(changed, fmt.Sprintf("%s %s %v", c.Old.Vulnerability.ID, c.Old.PURL, c.What))
				}
				return fmt.Sprintf("new %v gone %v undecided %v same %v changed %v", names(d.New), names(d.Gone), names(d.Undecided), names(d.Same), changed)
			}
			old, new := &assay.Scan{Findings: tt.old}, &assay.Scan{Findings: tt.new, Unevaluated: tt.unevaluated}
			d, err := scan.Diff(old, new)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(d)); diff != "" {
				t.Error(diff)
			}
			// Whatever the order.
			slices.Reverse(tt.old)
			slices.Reverse(tt.new)
			if again, err := scan.Diff(old, new); err != nil || show(again) != show(d) {
				t.Errorf("%s, again %s, %v", show(d), show(again), err)
			}
		})
	}
	if _, err := scan.Diff(nil, &assay.Scan{}); assay.KindOf(err) != assay.ErrInvalid {
		t.Error(err)
	}
	// Everything is somewhere, once.
	d := must(scan.Diff(full(), must(scan.ReadGrype("r", []byte(grypeV6)))))
	if n := len(d.Gone) + len(d.Undecided) + len(d.Same) + len(d.Changed); n != len(full().Findings) {
		t.Errorf("%d of the old findings: %+v", n, d)
	}
}

func ExampleDiff() {
	old := &assay.Scan{Findings: []assay.Finding{
		{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, PURL: assay.MustPURL("pkg:deb/debian/curl@7.88.1-10")},
		{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0002"}, PURL: assay.MustPURL("pkg:deb/debian/curl@7.88.1-10")},
	}}
	rebuilt := &assay.Scan{Findings: []assay.Finding{
		{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0002"}, PURL: assay.MustPURL("pkg:deb/debian/curl@7.88.1-11")},
	}}
	d, err := scan.Diff(old, rebuilt)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range d.Gone {
		fmt.Println("gone:", f.Vulnerability.ID)
	}
	for _, c := range d.Changed {
		fmt.Println("still there:", c.New.Vulnerability.ID, "in", c.New.PURL.Version(), c.What)
	}
	// Output:
	// gone: CVE-2026-0001
	// still there: CVE-2026-0002 in 7.88.1-11 [component]
}
