package remediation_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/remediation"
)

const repository = "registry.example/app"

var (
	zlib12 = assay.MustPURL("pkg:deb/debian/zlib1g@1.2?arch=amd64&distro=debian-12")
	zlib13 = assay.MustPURL("pkg:deb/debian/zlib1g@1.3?arch=amd64&distro=debian-12")
	curl   = assay.MustPURL("pkg:deb/debian/curl@8.0?arch=amd64&distro=debian-12")
)

// bug is a finding of CVE-2026-0001 in zlib 1.2.
func bug() assay.Finding {
	return assay.Finding{
		Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, PURL: zlib12, Published: at("2026-03-01 12:00"),
		Severities: []assay.Severity{{Source: "nvd", Rating: assay.RatingCritical}},
		Fix:        assay.Fix{Version: "1.3", State: assay.FixAvailable, Available: at("2026-03-01 12:00"), AvailableBy: "release"},
	}
}

// scan is a witnessed scan of the components, with a database of its day.
func scan(end string, components []assay.PURL, findings ...assay.Finding) remediation.Scan {
	finished := at(end)
	statement := remediation.Statement("", []byte("scan "+end))
	return remediation.Scan{
		Scan: &assay.Scan{
			Scanner:    assay.Scanner{URI: "https://scanner.example", DBUpdated: finished.Truncate(24 * time.Hour)},
			StartedOn:  finished.Add(-time.Minute),
			FinishedOn: finished,
			Coverage:   &assay.Coverage{Components: len(components), Digest: assay.CoverageDigest(components), Ecosystems: []string{"deb"}},
			Findings:   findings,
		},
		Statement: statement, Signed: remediation.Witnessed(finished.Add(time.Minute), log, statement), Components: components,
	}
}

// build is an image that was built an hour before it was signed.
func build(d assay.Digest, signed string, scans ...remediation.Scan) remediation.Build {
	return remediation.Build{Image: d, Built: remediation.Claimed(at(signed).Add(-time.Hour), proof), Signed: remediation.Witnessed(at(signed), log), Scans: scans}
}

// nightly are three images; the last has zlib 1.3.
func nightly() []remediation.Build {
	return []remediation.Build{
		build(imgA, "2026-03-01 02:00", scan("2026-03-01 18:00", []assay.PURL{zlib12, curl}, bug())),
		build(imgB, "2026-03-02 02:00", scan("2026-03-02 18:00", []assay.PURL{zlib12, curl}, bug())),
		build(imgC, "2026-03-03 02:00", scan("2026-03-03 18:00", []assay.PURL{zlib13, curl})),
	}
}

func record(t testing.TB, builds []remediation.Build, o remediation.Options) *assay.Remediation {
	t.Helper()
	r, err := remediation.Record("registry.example/app:1", builds, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecord(t *testing.T) {
	r := record(t, nightly(), remediation.Options{})
	b := nightly()
	first, second, clean := b[0].Scans[0], b[1].Scans[0], b[2].Scans[0]
	advisory := assay.Dated{Time: at("2026-03-01 12:00"), Basis: assay.BasisAdvisory, Evidence: []assay.Resource{first.Statement}}
	if second.Statement.Compare(first.Statement) < 0 {
		advisory.Evidence = []assay.Resource{second.Statement}
	}
	want := []assay.RemediationEntry{{
		Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Component: zlib, Occurrence: 1, Versions: []string{"1.2"},
		Severities: []assay.SeverityChange{{Severities: bug().Severities, At: remediation.Claimed(at("2026-03-01 18:00"), first.Statement)}},
		Published:  advisory,
		Fix:        assay.RemediationFix{State: assay.FixAvailable, Version: "1.3", Available: r.Entries[0].Fix.Available, AvailableBy: "release"},
		FirstSeen:  remediation.Claimed(at("2026-03-01 18:00"), first.Statement),
		LastSeen:   remediation.Claimed(at("2026-03-02 18:00"), second.Statement),
		FirstImage: imgA, LastImage: imgB, FixedImage: imgC, FirstClean: clean.Signed,
	}}
	if diff := cmp.Diff(want, r.Entries, same); diff != "" {
		t.Error(diff)
	}
	if got := r.Entries[0].Fix.Available; !got.Time.Equal(at("2026-03-01 12:00")) || got.Basis != assay.BasisAdvisory {
		t.Errorf("fix available %v", got)
	}
	if !r.AsOf.Equal(at("2026-03-03 18:01")) || len(r.Images) != 3 || r.Images[2].Previous != imgB || !r.Images[0].Previous.IsZero() {
		t.Errorf("as of %s, images %v", r.AsOf, r.Images)
	}
	if s := r.Images[2].Scans[0]; s.Scanner != "https://scanner.example" || s.Coverage == nil || s.Coverage.Digest != assay.CoverageDigest(clean.Components) || !s.DBUpdated.Equal(at("2026-03-03")) {
		t.Errorf("scan %+v", s)
	}
	res := evaluate(t, r, named(t, "7-14"), r.AsOf)
	if got, want := show(res.Findings[0]), "critical met, deadline 2026-03-08 12:00, stopped 2026-03-03 02:00, patched-image-signed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What cannot be shown to be gone is not fixed.
func TestNotShown(t *testing.T) {
	last := func(b []remediation.Build) *remediation.Scan { return &b[2].Scans[0] }
	for name, tt := range map[string]struct {
		change func([]remediation.Build) []remediation.Build
		why    string
	}{
		"not scanned":        {func(b []remediation.Build) []remediation.Build { b[2].Scans = nil; return b }, "was not scanned"},
		"no coverage":        {func(b []remediation.Build) []remediation.Build { last(b).Scan.Coverage = nil; return b }, "does not say what it covers"},
		"unknown components": {func(b []remediation.Build) []remediation.Build { last(b).Components = nil; return b }, "components of the image are not known"},
		"another coverage":   {func(b []remediation.Build) []remediation.Build { last(b).Components = []assay.PURL{zlib13}; return b }, "does not cover the components"},
		"another scanner": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Scanner.URI = "https://x.example"
			return b
		}, "no scanner that reported it"},
		"an older database": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Scanner.DBUpdated = at("2026-02-28")
			return b
		}, "as new as the one"},
		"no date of databases": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Scanner.DBUpdated = time.Time{}
			return b
		}, "as new as the one"},
		"a future database": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Scanner.DBUpdated = at("2026-04-01")
			return b
		}, "as new as the one"},
		"component unevaluated": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Unevaluated = []assay.Unevaluated{{PURL: zlib13, Reason: "version 1.3~"}}
			return b
		}, "could not decide: version 1.3~"},
		"vulnerability unevaluated": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Unevaluated = []assay.Unevaluated{{PURL: zlib13, Vulnerability: "CVE-2026-0001"}}
			return b
		}, "could not decide: no reason is given"},
		"everything unevaluated": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Unevaluated = []assay.Unevaluated{{Reason: "half a database"}}
			return b
		}, "could not decide: half a database"},
		"a component left out as undecided": {func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Unevaluated = []assay.Unevaluated{{PURL: zlib13, Reason: "version 1.3~"}}
			last(b).Scan.Coverage.Digest = assay.CoverageDigest([]assay.PURL{curl})
			return b
		}, "could not decide: version 1.3~"},
		"no package URL": {func(b []remediation.Build) []remediation.Build {
			for i := range 2 {
				b[i].Scans[0].Scan.Findings[0].PURL, b[i].Scans[0].Scan.Findings[0].Component = assay.PURL{}, "c1"
			}
			return b
		}, "no package URL"},
	} {
		t.Run(name, func(t *testing.T) {
			e := record(t, tt.change(nightly()), remediation.Options{}).Entries
			if len(e) != 1 || !e[0].FixedImage.IsZero() || !e[0].FirstClean.IsZero() || len(e[0].Undecided) != 1 || e[0].Undecided[0].Image != imgC || !strings.Contains(e[0].Undecided[0].Reason, tt.why) {
				t.Errorf("got %+v, want undecided: %s", e, tt.why)
			}
		})
	}
	for name, change := range map[string]func([]remediation.Build) []remediation.Build{
		"another vulnerability unevaluated": func(b []remediation.Build) []remediation.Build {
			last(b).Scan.Unevaluated = []assay.Unevaluated{{PURL: zlib13, Vulnerability: "CVE-2026-9999"}, {PURL: curl, Reason: "r"}, {Component: "c", Reason: "r"}}
			return b
		},
		"the component is gone": func(b []remediation.Build) []remediation.Build {
			b[2].Scans[0] = scan("2026-03-03 18:00", []assay.PURL{curl})
			return b
		},
		"the same database by digest": func(b []remediation.Build) []remediation.Build {
			for i := range b {
				b[i].Scans[0].Scan.Scanner.DBUpdated = time.Time{}
				b[i].Scans[0].Scan.Scanner.DBDigest = assay.DigestSet{assay.SumSHA256([]byte("db"))}
			}
			return b
		},
		"one of two scans": func(b []remediation.Build) []remediation.Build {
			blind := scan("2026-03-03 17:00", nil)
			blind.Scan.Coverage = nil
			b[2].Scans = append(b[2].Scans, blind)
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := record(t, change(nightly()), remediation.Options{}).Entries
			if len(e) != 1 || e[0].FixedImage != imgC || !e[0].FirstClean.Time.Equal(at("2026-03-03 18:01")) {
				t.Errorf("got %+v", e)
			}
		})
	}
	// One that does report it overrules any that do not.
	b := nightly()
	b[2].Scans = append(b[2].Scans, scan("2026-03-04 18:00", []assay.PURL{zlib13, curl}, bug()))
	if e := record(t, b, remediation.Options{}).Entries; e[0].LastImage != imgC || !e[0].FixedImage.IsZero() || len(e[0].Undecided) != 0 {
		t.Errorf("got %+v", e)
	}
}

func TestJoins(t *testing.T) {
	named := func(p assay.PURL, id assay.VulnID, aliases ...assay.VulnID) assay.Finding {
		f := bug()
		f.Vulnerability, f.PURL = assay.Vulnerability{ID: id, Aliases: aliases}, p
		return f
	}
	all := []assay.PURL{zlib12, curl}
	builds := func(first, second []assay.Finding) []remediation.Build {
		return []remediation.Build{build(imgA, "2026-03-01 02:00", scan("2026-03-01 18:00", all, first...)), build(imgB, "2026-03-02 02:00", scan("2026-03-02 18:00", all, second...))}
	}
	for name, tt := range map[string]struct {
		first, second []assay.Finding
		want          []string
	}{
		"by alias": {[]assay.Finding{named(zlib12, "GHSA-aaaa-bbbb-cccc", "CVE-2026-0001")}, []assay.Finding{named(zlib12, "CVE-2026-0001")}, []string{"CVE-2026-0001 zlib1g open"}},
		"by alias, over a third": {[]assay.Finding{named(zlib12, "GHSA-aaaa-bbbb-cccc", "CVE-2026-0001"), named(zlib12, "GO-2026-0001", "GHSA-aaaa-bbbb-cccc")}, []assay.Finding{named(zlib12, "GO-2026-0001")},
			[]string{"CVE-2026-0001 zlib1g open"}},
		"cyclic aliases": {[]assay.Finding{named(zlib12, "GHSA-aaaa-bbbb-cccc", "CVE-2026-0001"), named(zlib12, "CVE-2026-0001", "GHSA-aaaa-bbbb-cccc", "CVE-2026-0001")}, nil, []string{"CVE-2026-0001 zlib1g gone"}},
		"not by an advisory of several": {[]assay.Finding{named(zlib12, "CVE-2026-0001", "DSA-1-1"), named(zlib12, "CVE-2026-0002", "DSA-1-1")}, []assay.Finding{named(zlib12, "CVE-2026-0002", "DSA-1-1")},
			[]string{"CVE-2026-0001 zlib1g gone", "CVE-2026-0002 zlib1g open"}},
		"nor by its list of aliases": {[]assay.Finding{named(zlib12, "DSA-1-1", "CVE-2026-0001", "CVE-2026-0002"), named(zlib12, "CVE-2026-0001"), named(zlib12, "CVE-2026-0002")}, []assay.Finding{named(zlib12, "CVE-2026-0002")},
			[]string{"CVE-2026-0001 zlib1g gone", "CVE-2026-0002 zlib1g open", "DSA-1-1 zlib1g gone"}},
		"each component":   {[]assay.Finding{named(zlib12, "CVE-2026-0001"), named(curl, "CVE-2026-0001")}, []assay.Finding{named(curl, "CVE-2026-0001")}, []string{"CVE-2026-0001 curl open", "CVE-2026-0001 zlib1g gone"}},
		"another version":  {[]assay.Finding{named(zlib12, "CVE-2026-0001")}, []assay.Finding{named(zlib13, "CVE-2026-0001")}, []string{"CVE-2026-0001 zlib1g open"}},
		"nothing is found": {nil, nil, nil},
	} {
		var got []string
		for _, e := range record(t, builds(tt.first, tt.second), remediation.Options{}).Entries {
			state := "open"
			switch {
			case !e.FixedImage.IsZero():
				state = "fixed"
			case !e.Withdrawn.IsZero():
				state = "gone"
			}
			got = append(got, string(e.Vulnerability.ID)+" "+e.Component.Parts().Name+" "+state)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestRegressionOfARecord(t *testing.T) {
	b := append(nightly(),
		build(image("d"), "2026-03-04 02:00", scan("2026-03-04 18:00", []assay.PURL{zlib12, curl}, bug())),
		build(image("e"), "2026-03-05 02:00"),
		build(image("f"), "2026-03-06 02:00", scan("2026-03-06 18:00", []assay.PURL{zlib13, curl})))
	e := record(t, b, remediation.Options{}).Entries
	if len(e) != 2 || e[0].FixedImage != imgC || e[1].Occurrence != 2 || e[1].FirstImage != image("d") || e[1].FixedImage != image("f") ||
		!e[1].FirstSeen.Time.Equal(at("2026-03-04 18:00")) || len(e[1].Undecided) != 1 || e[1].Undecided[0].Image != image("e") {
		t.Errorf("got %+v", e)
	}
}

func TestDatesOfARecord(t *testing.T) {
	b := nightly()
	f := &b[1].Scans[0].Scan.Findings[0]
	f.Published, f.Fix.Available, f.Fix.AvailableBy = at("2026-02-20"), at("2026-02-25"), "commit"
	f.Severities = []assay.Severity{{Source: "nvd", Rating: assay.RatingHigh}}
	f.Exploited = &assay.Exploited{Catalogue: "CISA KEV", Added: at("2026-03-02"), Due: at("2026-03-23")}
	e := record(t, b, remediation.Options{}).Entries[0]
	if !e.Published.Time.Equal(at("2026-02-20")) || !e.Fix.Available.Time.Equal(at("2026-02-25")) || e.Fix.AvailableBy != "commit" {
		t.Errorf("the earliest date does not count: %v, %+v", e.Published, e.Fix)
	}
	if len(e.Severities) != 2 || e.Severities[1].Severities[0].Rating != assay.RatingHigh || !e.Severities[1].At.Time.Equal(at("2026-03-02 18:00")) {
		t.Errorf("severities %+v", e.Severities)
	}
	if len(e.Exploited) != 1 || !e.Exploited[0].Due.Time.Equal(at("2026-03-23")) || e.Exploited[0].Added.Basis != assay.BasisAdvisory {
		t.Errorf("exploited %+v", e.Exploited)
	}

	// What lies after the record is left out, and told.
	b = nightly()
	for i := range 2 {
		f := &b[i].Scans[0].Scan.Findings[0]
		f.Published, f.Fix.Available = at("2031-01-01"), at("2031-01-01")
		f.Exploited = &assay.Exploited{Catalogue: "CISA KEV", Added: at("2031-01-01"), Due: at("2031-01-02")}
	}
	e = record(t, b, remediation.Options{}).Entries[0]
	if !e.Published.IsZero() || !e.Fix.Available.IsZero() || len(e.Doubts) != 3 || !strings.Contains(e.Doubts[2], "published: 2031-01-01") || !e.Exploited[0].Added.IsZero() {
		t.Errorf("got %+v", e)
	}

	// Scans that nobody signed have dates that nobody signed.
	b = nightly()
	for i := range b {
		b[i].Scans[0].Signed = assay.Dated{}
	}
	r := record(t, b, remediation.Options{})
	if e := r.Entries[0]; e.Published.Basis != assay.BasisUnsigned || e.FirstSeen.Basis != assay.BasisUnsigned || e.FirstClean.Basis != assay.BasisUnsigned {
		t.Errorf("got %+v", e)
	}
	if got := evaluate(t, r, named(t, "7-14"), r.AsOf).Findings[0].Status; got != remediation.Unknown {
		t.Errorf("got %s", got)
	}

	// An image is clean by the word of whoever signed the scan, not of nobody.
	b = nightly()
	b[2].Scans[0].Signed = assay.Dated{}
	r = record(t, b, remediation.Options{})
	if got, want := show(evaluate(t, r, named(t, "7-14"), r.AsOf).Findings[0]), "critical unknown, deadline 2026-03-08 12:00; patched-image-signed: the scan that shows it to be clean: its date is unsigned only"; got != want {
		t.Errorf("got %s", got)
	}

	// A scan that bears no time leaves open when it was first seen.
	b = nightly()
	b[0].Scans[0].Scan.StartedOn, b[0].Scans[0].Scan.FinishedOn = time.Time{}, time.Time{}
	if e := record(t, b, remediation.Options{}).Entries[0]; !e.FirstSeen.IsZero() || len(e.Doubts) != 1 {
		t.Errorf("got %+v", e)
	}
	// An earlier sight that the scanner claims counts, because nobody gains by it.
	b = nightly()
	b[1].Scans[0].Scan.Findings[0].FirstSeen = at("2026-02-27")
	if e := record(t, b, remediation.Options{}).Entries[0]; !e.FirstSeen.Time.Equal(at("2026-02-27")) {
		t.Errorf("got %+v", e.FirstSeen)
	}
}

// There is no fix if the last scan says so of all that it found, and is unsure of none.
func TestNoFixOfARecord(t *testing.T) {
	for name, tt := range map[string]struct {
		states []assay.FixState
		want   assay.FixState
	}{
		"none":           {[]assay.FixState{assay.FixNone}, assay.FixNone},
		"refused":        {[]assay.FixState{assay.FixRefused}, assay.FixRefused},
		"unsure of one":  {[]assay.FixState{assay.FixNone, assay.FixUnknown}, assay.FixUnknown},
		"unsure, first":  {[]assay.FixState{assay.FixUnknown, assay.FixNone}, assay.FixUnknown},
		"one for one":    {[]assay.FixState{assay.FixNone, assay.FixAvailable}, assay.FixAvailable},
		"nothing stated": {[]assay.FixState{assay.FixUnknown}, assay.FixUnknown},
	} {
		b := nightly()[:1]
		b[0].Scans[0].Scan.Findings = nil
		for _, s := range tt.states {
			f := bug()
			f.Fix = assay.Fix{State: s}
			b[0].Scans[0].Scan.Findings = append(b[0].Scans[0].Scan.Findings, f)
		}
		r := record(t, b, remediation.Options{})
		if got := r.Entries[0].Fix.State; got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
		got := evaluate(t, r, named(t, "7-14"), at("2026-03-05")).Findings[0].Status
		if want := tt.want == assay.FixNone || tt.want == assay.FixRefused; (got == remediation.Excluded) != want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestExclusionsOfARecord(t *testing.T) {
	x := assay.Exclusion{Reason: "disputed", From: witnessed("2026-03-01"), Evidence: []assay.Resource{proof}}
	o := remediation.Options{Exclusions: []remediation.Exclusion{
		{Vulnerability: "GHSA-aaaa-bbbb-cccc", Exclusion: x}, {Vulnerability: "CVE-2026-0001", Component: curl, Exclusion: x},
		{Vulnerability: "CVE-2026-0001", Component: zlib13, Exclusion: x}, {Vulnerability: "CVE-2026-0009", Exclusion: x},
	}}
	b := nightly()
	b[0].Scans[0].Scan.Findings[0].Vulnerability.Aliases = []assay.VulnID{"GHSA-aaaa-bbbb-cccc"}
	e := record(t, b, o).Entries
	if len(e) != 1 || len(e[0].Exclusions) != 1 || e[0].Exclusions[0].Reason != "disputed" {
		t.Errorf("got %+v", e)
	}
}

func TestClocks(t *testing.T) {
	at1 := func(b []remediation.Build) *remediation.Build { return &b[1] }
	for name, tt := range map[string]struct {
		change func([]remediation.Build, *remediation.Options)
		field  string
	}{
		"ended before it began": {func(b []remediation.Build, _ *remediation.Options) {
			at1(b).Scans[0].Scan.StartedOn = at("2026-03-02 18:00:01")
		}, "/builds/1/scans/0/finishedOn"},
		"scanned before built": {func(b []remediation.Build, _ *remediation.Options) {
			at1(b).Built = claimed("2026-03-02 19:00")
			at1(b).Signed = assay.Dated{}
		}, "/builds/1/scans/0/finishedOn"},
		"scan signed before ended": {func(b []remediation.Build, _ *remediation.Options) {
			at1(b).Scans[0].Signed = witnessed("2026-03-02 17:54:59")
		}, "/builds/1/scans/0/signed"},
		"signed before built": {func(b []remediation.Build, _ *remediation.Options) { at1(b).Signed = witnessed("2026-03-02 00:54:59") }, "/builds/1/signed"},
		"out of order, signed": {func(b []remediation.Build, _ *remediation.Options) {
			at1(b).Built = assay.Dated{}
			at1(b).Signed = witnessed("2026-02-27")
		}, "/builds/1/signed"},
		"out of order, built":   {func(b []remediation.Build, _ *remediation.Options) { at1(b).Built = claimed("2026-02-27") }, "/builds/1/built"},
		"scanned in the future": {func(_ []remediation.Build, o *remediation.Options) { o.AsOf = at("2026-03-03 17:54:59") }, "/builds/2/scans/0/finishedOn"},
		"signed in the future": {func(b []remediation.Build, o *remediation.Options) {
			b[2].Scans = nil
			o.AsOf = at("2026-03-03 01:54:59")
		}, "/builds/2/signed"},
		"VEX in the future": {func(_ []remediation.Build, o *remediation.Options) {
			o.AsOf = at("2026-03-04")
			o.VEX = []remediation.VEX{{Doc: &assay.VEX{}, Statement: proof, Signed: witnessed("2026-03-05")}}
		}, "/vex/0/signed"},
		"exclusion in the future": {func(_ []remediation.Build, o *remediation.Options) {
			o.AsOf = at("2026-03-04")
			o.Exclusions = []remediation.Exclusion{{Vulnerability: "CVE-2026-0001", Exclusion: assay.Exclusion{From: witnessed("2026-03-05")}}}
		}, "/exclusions/0/from"},
		"no skew": {func(b []remediation.Build, o *remediation.Options) {
			o.Skew = -1
			at1(b).Signed = witnessed("2026-03-02 00:59:59")
		}, "/builds/1/signed"},
	} {
		t.Run(name, func(t *testing.T) {
			b, o := nightly(), remediation.Options{}
			tt.change(b, &o)
			r, err := remediation.Record("s", b, o)
			var e *assay.Error
			if r != nil || !errors.As(err, &e) || e.Kind != assay.ErrInvalid || e.Field != tt.field || e.Value == "" || e.Subject != "s" {
				t.Errorf("got %v, want an error at %s", err, tt.field)
			}
		})
	}
	// Inside the skew clocks differ, and nothing jumps.
	b, o := nightly(), remediation.Options{AsOf: at("2026-03-03 18:00")}
	b[1].Signed = witnessed("2026-03-02 00:55")
	r := record(t, b, o)
	if !r.AsOf.Equal(at("2026-03-03 18:01")) {
		t.Errorf("as of %s", r.AsOf)
	}
	if _, err := remediation.Record("s", nightly(), remediation.Options{Skew: 2 * time.Hour}); !errors.Is(err, assay.ErrBound) {
		t.Errorf("skew: %v", err)
	}
	for name, tt := range map[string]struct {
		builds []remediation.Build
		stream string
		o      remediation.Options
		says   string
	}{
		"no builds":      {nil, "s", remediation.Options{AsOf: at("2026-03-01")}, "/images"},
		"no stream":      {nightly(), " ", remediation.Options{}, "/stream"},
		"an image twice": {append(nightly(), build(imgC, "2026-03-04")), "s", remediation.Options{}, "/images/3/digest"},
		"a weak digest":  {[]remediation.Build{{Image: assay.MustDigest("sha1:" + strings.Repeat("a", 40))}}, "s", remediation.Options{AsOf: at("2026-03-01")}, "/images/0/digest"},
		"no dates":       {[]remediation.Build{{Image: imgA}}, "s", remediation.Options{}, "/asOf"},
		"nil scan":       {[]remediation.Build{build(imgA, "2026-03-04", remediation.Scan{})}, "s", remediation.Options{}, "/builds/0/scans/0"},
		"nil VEX":        {nightly(), "s", remediation.Options{VEX: []remediation.VEX{{}}}, "/vex/0"},
		"no statement":   {[]remediation.Build{build(imgA, "2026-03-04", remediation.Scan{Scan: &assay.Scan{Scanner: assay.Scanner{URI: "x"}}})}, "s", remediation.Options{}, "/images/0/scans/0/statement"},
		"repository":     {nightly(), "s", remediation.Options{Repository: "a b", VEX: []remediation.VEX{{Doc: notAffected(imgB, "2026-03-02"), Statement: proof}}}, "/repository"},
	} {
		if r, err := remediation.Record(tt.stream, tt.builds, tt.o); r != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want one that says %s", name, err, tt.says)
		}
	}
}

// notAffected is a document that says so of zlib 1.2 in an image.
func notAffected(d assay.Digest, when string) *assay.VEX {
	p := must(vex.ImageProduct(d, repository))
	p.Subcomponents = []assay.Product{vex.PURLProduct(zlib12)}
	v := vex.New("security@example.com", vex.Options{Time: at(when)})
	v.NotAffected("CVE-2026-0001", assay.VulnerableCodeNotPresent, p)
	return must(v.Build())
}

func affected(d assay.Digest, when string) *assay.VEX {
	v := vex.New("security@example.com", vex.Options{Time: at(when)})
	v.Affected("CVE-2026-0001", "upgrade", must(vex.ImageProduct(d, repository)))
	return must(v.Build())
}

func TestVEXOfARecord(t *testing.T) {
	doc := func(d *assay.VEX, signed string) remediation.VEX {
		statement := remediation.Statement("", []byte("vex "+d.ID))
		v := remediation.VEX{Doc: d, Statement: statement}
		if signed != "" {
			v.Signed = remediation.Witnessed(at(signed), log, statement)
		}
		return v
	}
	two := nightly()[:2]
	for name, tt := range map[string]struct {
		docs []remediation.VEX
		want []string
	}{
		"witnessed":                   {[]remediation.VEX{doc(notAffected(imgB, "2026-03-01 20:00"), "2026-03-02 04:00")}, []string{"not_affected 2026-03-02 04:00 witnessed"}},
		"nobody signed":               {[]remediation.VEX{doc(notAffected(imgB, "2026-03-02 20:00"), "")}, []string{"not_affected 2026-03-02 20:00 unsigned"}},
		"of the first image":          {[]remediation.VEX{doc(notAffected(imgA, "2026-03-01 20:00"), "2026-03-01 21:00")}, []string{"not_affected 2026-03-01 21:00 witnessed", " 2026-03-02 02:00 witnessed"}},
		"anew for each image":         {[]remediation.VEX{doc(notAffected(imgB, "2026-03-02 02:30"), "2026-03-02 03:00"), doc(notAffected(imgA, "2026-03-01 20:00"), "2026-03-01 21:00")}, []string{"not_affected 2026-03-01 21:00 witnessed"}},
		"revoked":                     {[]remediation.VEX{doc(notAffected(imgB, "2026-03-02 03:00"), "2026-03-02 03:00"), doc(affected(imgB, "2026-03-03"), "2026-03-03 01:00")}, []string{"not_affected 2026-03-02 03:00 witnessed", "affected 2026-03-03 01:00 witnessed"}},
		"before the image was signed": {[]remediation.VEX{doc(notAffected(imgB, "2026-03-02 01:00"), "2026-03-02 01:30")}, []string{"not_affected 2026-03-02 02:00 witnessed"}},
		"before that, by hearsay":     {[]remediation.VEX{doc(notAffected(imgB, "2026-03-02 01:00"), "")}, []string{"not_affected 2026-03-02 02:00 unsigned"}},
		"of another image":            {[]remediation.VEX{doc(notAffected(imgC, "2026-03-02"), "2026-03-02 03:00")}, nil},
		"after the record":            {[]remediation.VEX{doc(notAffected(imgB, "2026-04-02"), "")}, nil},
		"signed twice":                {[]remediation.VEX{{Doc: notAffected(imgB, "2026-03-02"), Statement: proof, Signed: witnessed("2026-03-02 09:00")}, {Doc: notAffected(imgB, "2026-03-02"), Statement: proof, Signed: witnessed("2026-03-02 03:00")}}, []string{"not_affected 2026-03-02 03:00 witnessed"}},
		"signed, not witnessed":       {[]remediation.VEX{{Doc: notAffected(imgB, "2026-03-02 03:00"), Statement: proof, Signed: claimed("2026-03-02 09:00")}}, []string{"not_affected 2026-03-02 03:00 signed"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t, two, remediation.Options{AsOf: at("2026-03-04"), Repository: repository, VEX: tt.docs})
			var got []string
			for _, s := range r.Entries[0].VEX {
				got = append(got, string(s.Status)+" "+s.At.Time.Format("2006-01-02 15:04")+" "+string(s.At.Basis))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	// A version that an image does not have any more needs no word.
	moved := nightly()[:2]
	newer := assay.MustPURL("pkg:deb/debian/zlib1g@1.2.0?arch=amd64&distro=debian-12")
	moved[0].Scans[0].Scan.Findings[0].PURL = newer
	r := record(t, moved, remediation.Options{AsOf: at("2026-03-04"), Repository: repository, VEX: []remediation.VEX{doc(notAffected(imgB, "2026-03-02"), "2026-03-02 03:00")}})
	if e := r.Entries[0]; len(e.VEX) != 1 || len(e.Versions) != 2 {
		t.Errorf("got %+v", e)
	}
	// Not affected by one of two versions is no word on the other.
	b := nightly()[:2]
	other := bug()
	other.PURL = assay.MustPURL("pkg:deb/debian/zlib1g@1.2.1?arch=amd64&distro=debian-12")
	b[1].Scans[0].Scan.Findings = append(b[1].Scans[0].Scan.Findings, other)
	r = record(t, b, remediation.Options{AsOf: at("2026-03-04"), Repository: repository, VEX: []remediation.VEX{doc(notAffected(imgB, "2026-03-02"), "2026-03-02 03:00")}})
	if len(r.Entries[0].VEX) != 0 {
		t.Errorf("got %+v", r.Entries[0].VEX)
	}
}

// The order of what is given besides the images does not matter, and the same input
// gives the same bytes.
func TestRecordOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var docs []remediation.VEX
	for _, d := range []*assay.VEX{notAffected(imgA, "2026-03-01 20:00"), notAffected(imgB, "2026-03-02 20:00"), affected(imgB, "2026-03-03"), notAffected(imgB, "2026-03-03 05:00")} {
		docs = append(docs, remediation.VEX{Doc: d, Statement: remediation.Statement("", []byte(d.ID))})
	}
	make := func() []remediation.Build {
		b := nightly()
		b[1].Scans = append(b[1].Scans, scan("2026-03-02 19:00", []assay.PURL{zlib12, curl}, bug()), scan("2026-03-03 04:00", []assay.PURL{zlib12, curl}))
		x, y := bug(), bug()
		x.Vulnerability, y.Vulnerability = assay.Vulnerability{ID: "GHSA-aaaa-bbbb-cccc", Aliases: []assay.VulnID{"CVE-2026-0001"}}, assay.Vulnerability{ID: "CVE-2026-0002"}
		y.PURL = curl
		b[0].Scans[0].Scan.Findings = append(b[0].Scans[0].Scan.Findings, x, y)
		return b
	}
	want := ""
	for range 50 {
		b, d := make(), slices.Clone(docs)
		rng.Shuffle(len(d), func(i, j int) { d[i], d[j] = d[j], d[i] })
		for i := range b {
			rng.Shuffle(len(b[i].Scans), func(j, k int) { b[i].Scans[j], b[i].Scans[k] = b[i].Scans[k], b[i].Scans[j] })
			for _, s := range b[i].Scans {
				f := s.Scan.Findings
				rng.Shuffle(len(f), func(j, k int) { f[j], f[k] = f[k], f[j] })
			}
		}
		got := string(must(remediation.Encode(record(t, b, remediation.Options{Repository: repository, VEX: d}))))
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}
