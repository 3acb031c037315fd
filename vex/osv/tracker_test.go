package osv_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

const debian = `{
"bash": {
  "CVE-2026-0001": {"description": "Worse", "scope": "remote", "releases": {
     "bookworm": {"status": "resolved", "repositories": {"bookworm": "5.2"}, "fixed_version": "5.2-1", "urgency": "high**"},
     "trixie": {"status": "open", "repositories": {"trixie": "5.3"}, "urgency": "not yet assigned"},
     "bullseye": {"status": "resolved", "fixed_version": "0", "urgency": "unimportant"},
     "sid": {"status": "undetermined", "urgency": "low"}}},
  "CVE-2026-0002": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0", "urgency": "low"}}},
  "CVE-2026-0003": {"releases": {"bookworm": {"status": "resolved", "urgency": "low"}}},
  "TEMP-0000001-ABCDEF": {"releases": {"experimental": {"status": "open", "urgency": "low"}}}
},
"dash": {"CVE-2026-0001": {"releases": {"bookworm": {"status": "open", "urgency": "medium"}}}}
}`

func ecosystemRange(events ...osv.Event) []osv.Range {
	return []osv.Range{{Type: osv.RangeEcosystem, Events: events}}
}

func TestDebianTracker(t *testing.T) {
	x := built(t, folder("debian", osv.FormatDebian, "tracker.json", debian))
	zero := osv.Event{Kind: osv.Introduced, Version: "0"}
	got := entries(t, x, "Debian", "bash")
	want := []osv.Entry{
		{Advisory: "DEBIAN-CVE-2026-0001", Affected: []osv.Affected{
			{Ecosystem: "Debian:12", Name: "bash", Ranges: ecosystemRange(zero, osv.Event{Kind: osv.Fixed, Version: "5.2-1"}), Severities: []assay.Severity{{Source: "debian", Rating: assay.RatingHigh}}},
			{Ecosystem: "Debian:sid", Name: "bash", Ranges: ecosystemRange(), Severities: []assay.Severity{{Source: "debian", Rating: assay.RatingLow}}},
			{Ecosystem: "Debian:13", Name: "bash", Ranges: ecosystemRange(zero)}}},
		{Advisory: "DEBIAN-TEMP-0000001-ABCDEF", Affected: []osv.Affected{
			{Ecosystem: "Debian:experimental", Name: "bash", Ranges: ecosystemRange(zero), Severities: []assay.Severity{{Source: "debian", Rating: assay.RatingLow}}}}},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	// The parts of two packages are one advisory.
	if e := entries(t, x, "Debian", "dash"); len(e) != 1 || e[0].Advisory != "DEBIAN-CVE-2026-0001" || len(e[0].Affected) != 1 {
		t.Errorf("got %+v", e)
	}
	a := advisory(t, x, "DEBIAN-CVE-2026-0001")
	if a.Summary != "Worse" || !cmp.Equal(a.Upstream, []assay.VulnID{"CVE-2026-0001"}) {
		t.Errorf("got %+v", a)
	}
	info := x.Info()
	if info.Advisories != 2 || info.Skipped != 1 || info.Sources[0].Advisories != 2 {
		t.Errorf("got %+v", info)
	}
	skipped := x.Skipped()
	if len(skipped) != 1 || skipped[0].File != "tracker.json/bash/CVE-2026-0003" || !strings.Contains(skipped[0].Reason, "resolved") {
		t.Errorf("got %+v", skipped)
	}
	if err := x.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAlpineSecDB(t *testing.T) {
	x := built(t, folder("alpine", osv.FormatAlpine,
		"v3.22/main.json", `{"distroversion": "v3.22", "reponame": "main", "packages": [
			{"pkg": {"name": "busybox", "secfixes": {"1.36-r2": ["CVE-2026-0001 CVE-2026-0009 (+ regression fix)", "XSA-1"], "1.36-r5": ["CVE-2026-0001"], "0": ["CVE-2026-0002"]}}},
			{"pkg": {"name": "broken", "secfixes": {"1": "CVE-2026-0003"}}},
			{"pkg": {"name": "odd", "secfixes": {"1-r0": ["CVE_2026_4", "ALPINE-1"]}}}]}`,
		"v3.22/community.json", `{"distroversion": "edge", "packages": [{"pkg": {"name": "tool", "secfixes": {"2-r0": ["CVE-2026-0001"]}}}]}`,
		"v3.22/empty.json", `{"distroversion": "edge", "packages": []}`))
	zero := osv.Event{Kind: osv.Introduced, Version: "0"}
	fixed := func(v string) osv.Range {
		return osv.Range{Type: osv.RangeEcosystem, Events: []osv.Event{zero, {Kind: osv.Fixed, Version: v}}}
	}
	row := func(ranges ...osv.Range) []osv.Affected {
		return []osv.Affected{{Ecosystem: "Alpine:v3.22", Name: "busybox", Ranges: ranges}}
	}
	want := []osv.Entry{
		{Advisory: "ALPINE-CVE-2026-0001", Affected: row(fixed("1.36-r2"), fixed("1.36-r5"))},
		{Advisory: "ALPINE-CVE-2026-0009", Affected: row(fixed("1.36-r2"))},
		{Advisory: "ALPINE-XSA-1", Affected: row(fixed("1.36-r2"))},
	}
	if d := diff(want, entries(t, x, "Alpine", "busybox")); d != "" {
		t.Error(d)
	}
	if e := entries(t, x, "Alpine", "tool"); len(e) != 1 || e[0].Affected[0].Ecosystem != "Alpine:edge" {
		t.Errorf("got %+v", e)
	}
	if a := advisory(t, x, "ALPINE-1"); a == nil || a.Upstream != nil {
		t.Errorf("got %+v", a)
	}
	var files []string
	for _, s := range x.Skipped() {
		files = append(files, s.File)
	}
	if d := diff([]string{"v3.22/main.json/packages/1/pkg", "v3.22/main.json/packages/2/pkg/secfixes/1-r0"}, files); d != "" {
		t.Error(d)
	}
}

// What is empty is an object in place of a list in Alpine's database, and a list in place
// of an object. What is not empty is not passed over.
func TestAlpineEmpty(t *testing.T) {
	main := `{"distroversion":"v3.12","packages":[{"pkg":{"name":"ansible","secfixes":{"2.7.9-r0":["CVE-2026-0001"],"2.8.0-r0":{}}}},{"pkg":{"name":"b","secfixes":[]}},{"pkg":{"name":"c","secfixes":{}}}]}`
	for _, community := range []string{`{}`, `[]`, `null`} {
		x := built(t, folder("alpine", osv.FormatAlpine, "main.json", main, "community.json", `{"distroversion":"v3.12","packages":`+community+`}`))
		if i := x.Info(); i.Advisories != 1 || i.Skipped != 0 {
			t.Errorf("%s: got %+v, %v", community, i, x.Skipped())
		}
	}
	for _, bad := range []string{`,"packages":{"a":1}`, `,"packages":"a"`, `,"packages":{"a":1`, ``} {
		path := t.TempDir() + "/index"
		_, err := osv.Build(t.Context(), path, osv.BuildOptions{Time: day}, folder("alpine", osv.FormatAlpine, "main.json", main, "other.json", `{"distroversion":"v3.12"`+bad+`}`))
		if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "other.json") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
	x := built(t, folder("alpine", osv.FormatAlpine, "main.json", `{"distroversion":"v3.12","packages":[{"pkg":{"name":"a","secfixes":["CVE-2026-0001"]}},{"pkg":{"name":"b","secfixes":{"1":{"CVE-2026-0001":1}}}},{"pkg":{"name":"c","secfixes":{"1":["CVE-2026-0001"]}}}]}`))
	if i := x.Info(); i.Advisories != 1 || i.Skipped != 2 {
		t.Errorf("got %+v, %v", i, x.Skipped())
	}
}

const kev = `{"title": "CISA Catalog", "count": 2, "vulnerabilities": [
	{"cveID": "CVE-2026-0001", "vulnerabilityName": "Worse", "dateAdded": "2026-03-01", "dueDate": "2026-03-22"},
	{"cveID": "CVE-2026-0005", "vulnerabilityName": "Known to them alone", "dateAdded": "2026-03-02", "dueDate": ""}]}`

// The catalogue joins by any name of the vulnerability, and by what a distribution's
// record is about.
func TestKEV(t *testing.T) {
	x := built(t, folder("kev", osv.FormatKEV, "kev.json", kev), folder("debian", osv.FormatDebian, "tracker.json", debian),
		records("osv",
			`{"id":"GHSA-aaaa-bbbb-cccc","aliases":["GO-2026-0001"],"affected":[{"package":{"ecosystem":"Go","name":"example.com/m"},"versions":["1"]}]}`,
			`{"id":"GO-2026-0001","aliases":["CVE-2026-0001"]}`,
			`{"id":"CVE-2026-0001","modified":"2026-01-01T00:00:00Z","summary":"as CVE has it"}`,
			`{"id":"GHSA-dddd-eeee-ffff","related":["CVE-2026-0001"]}`))
	want := &assay.Exploited{Catalogue: "CISA KEV", Added: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Due: time.Date(2026, 3, 22, 0, 0, 0, 0, time.UTC)}
	for _, id := range []assay.VulnID{"GHSA-aaaa-bbbb-cccc", "GO-2026-0001", "CVE-2026-0001", "DEBIAN-CVE-2026-0001"} {
		if a := advisory(t, x, id); a == nil {
			t.Errorf("%s: none", id)
		} else if d := diff(want, a.Exploited); d != "" {
			t.Errorf("%s: %s", id, d)
		}
	}
	if a := advisory(t, x, "GHSA-dddd-eeee-ffff"); a.Exploited != nil {
		t.Errorf("what is related is said to be exploited: %+v", a)
	}
	if a := advisory(t, x, "CVE-2026-0001"); a.Summary != "as CVE has it" || a.Modified.IsZero() {
		t.Errorf("got %+v", a)
	}
	if a := advisory(t, x, "CVE-2026-0005"); a == nil || a.Exploited == nil || !a.Exploited.Due.IsZero() {
		t.Errorf("got %+v", a)
	}
	if i := x.Info(); i.Advisories != 6 || i.Sources[1].Name != "kev" || i.Sources[1].Advisories != 2 {
		t.Errorf("got %+v", i)
	}
	if err := x.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A tracker that cannot be read to its end is an error, because nothing tells what
// would have followed.
func TestTrackersThatAreNotWhole(t *testing.T) {
	for name, tt := range map[string]struct {
		format osv.Format
		in     string
		says   string
	}{
		"debian cut off":      {osv.FormatDebian, debian[:len(debian)/2], "tracker.json"},
		"debian cut at end":   {osv.FormatDebian, debian[:len(debian)-1], "tracker.json"},
		"debian twice":        {osv.FormatDebian, `{"a":{},"a":{}}`, "/a"},
		"debian twice deep":   {osv.FormatDebian, `{"a":{"CVE-2026-0001":{},"CVE-2026-0001":{}}}`, "/a"},
		"debian list":         {osv.FormatDebian, `[]`, "an object"},
		"debian trailing":     {osv.FormatDebian, debian + "{}", "data after"},
		"debian empty":        {osv.FormatDebian, `{}`, "at least one record"},
		"alpine cut off":      {osv.FormatAlpine, `{"distroversion":"v3.22","packages":[`, "tracker.json"},
		"alpine no release":   {osv.FormatAlpine, `{"packages":[{"pkg":{"name":"a","secfixes":{"1":["CVE-2026-0001"]}}}]}`, "/distroversion"},
		"alpine other format": {osv.FormatAlpine, kev, "/distroversion"},
		"alpine no packages":  {osv.FormatAlpine, `{"distroversion":"v3.22"}`, "/packages"},
		"kev no list":         {osv.FormatKEV, `{"title":"KEV"}`, "/vulnerabilities"},
		"kev cut off":         {osv.FormatKEV, kev[:100], "tracker.json"},
		"kev counts":          {osv.FormatKEV, strings.Replace(kev, `"count": 2`, `"count": 3`, 1), "/count"},
		"kev empty":           {osv.FormatKEV, `{"vulnerabilities":[]}`, "at least one record"},
		"kev without ids":     {osv.FormatKEV, `{"vulnerabilities":[{"dateAdded":"2026-01-01"}]}`, "/vulnerabilities/0/cveID"},
		"kev bad date":        {osv.FormatKEV, `{"vulnerabilities":[{"cveID":"CVE-2026-0001","dueDate":"soon"}]}`, "soon"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir() + "/index"
			_, err := osv.Build(t.Context(), path, osv.BuildOptions{Time: day}, folder("s", tt.format, "tracker.json", tt.in))
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if _, err := osv.Open(path); err == nil {
				t.Error("an index was published")
			}
		})
	}
}
