package osv

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/version"
)

// events reads "introduced 0, fixed 1.2".
func events(s string) []Event {
	var out []Event
	for e := range strings.SplitSeq(s, ", ") {
		kind, version, _ := strings.Cut(e, " ")
		out = append(out, Event{EventKind(kind), version})
	}
	return out
}

func semverRange(s string) Range    { return Range{Type: RangeSemVer, Events: events(s)} }
func ecosystemRange(s string) Range { return Range{Type: RangeEcosystem, Events: events(s)} }

var gitRange = Range{Type: RangeGit, Repo: "https://example.com/x", Events: events("introduced 0, fixed 8b5121be2f68")}

func TestEvaluate(t *testing.T) {
	const none, open = assay.FixUnknown, assay.FixNone
	fixed := func(v string) assay.Fix { return assay.Fix{Version: v, State: assay.FixAvailable} }
	state := func(s assay.FixState) assay.Fix { return assay.Fix{State: s} }
	row := func(rs ...Range) Affected { return Affected{Name: "x", Ranges: rs} }
	listed := func(vs ...string) Affected { return Affected{Name: "x", Versions: vs} }
	for _, tt := range []struct {
		name      string
		ecosystem string
		version   string
		rows      []Affected
		want      verdict
		fix       assay.Fix
		reason    string
	}{
		{"in a range", "Go", "1.2.3", []Affected{row(semverRange("introduced 0, fixed 1.2.4"))}, affected, fixed("1.2.4"), ""},
		{"at the fix", "Go", "1.2.4", []Affected{row(semverRange("introduced 0, fixed 1.2.4"))}, unaffected, assay.Fix{}, ""},
		{"before the introduction", "Go", "1.1.9", []Affected{row(semverRange("introduced 1.2.0, fixed 1.2.4"))}, unaffected, assay.Fix{}, ""},
		{"at the introduction", "Go", "1.2.0", []Affected{row(semverRange("introduced 1.2.0, fixed 1.2.4"))}, affected, fixed("1.2.4"), ""},
		{"no end", "Go", "9.0.0", []Affected{row(semverRange("introduced 1.2.0"))}, affected, state(open), ""},
		{"between intervals", "Go", "1.1.0", []Affected{row(semverRange("introduced 0, fixed 1.0.0, introduced 2.0.0, fixed 2.1.0"))}, unaffected, assay.Fix{}, ""},
		{"in the second interval", "Go", "2.0.5", []Affected{row(semverRange("introduced 0, fixed 1.0.0, introduced 2.0.0, fixed 2.1.0"))}, affected, fixed("2.1.0"), ""},
		{"unsorted events", "Go", "2.0.5", []Affected{row(semverRange("fixed 2.1.0, introduced 2.0.0, fixed 1.0.0, introduced 0"))}, affected, fixed("2.1.0"), ""},
		{"unsorted events, fixed", "Go", "1.0.5", []Affected{row(semverRange("fixed 2.1.0, introduced 2.0.0, fixed 1.0.0, introduced 0"))}, unaffected, assay.Fix{}, ""},
		{"a second range", "npm", "3.0.0", []Affected{row(semverRange("introduced 1.0.0, fixed 1.1.0"), semverRange("introduced 3.0.0, fixed 3.0.1"))}, affected, fixed("3.0.1"), ""},
		{"a second row", "npm", "3.0.0", []Affected{row(semverRange("introduced 1.0.0, fixed 1.1.0")), row(semverRange("introduced 3.0.0, fixed 3.0.1"))}, affected, fixed("3.0.1"), ""},
		{"the fix of one range is in another", "Go", "1.0.0", []Affected{row(semverRange("introduced 1.0.0, fixed 1.5.0"), semverRange("introduced 1.4.0, fixed 1.6.0"), semverRange("introduced 1.0.0, fixed 1.6.0"))}, affected, fixed("1.6.0"), ""},
		{"the fix is in a range without an end", "Go", "1.0.0", []Affected{row(semverRange("introduced 1.0.0, fixed 1.5.0"), semverRange("introduced 1.4.0"))}, affected, state(none), ""},
		{"last affected", "npm", "2.1.214", []Affected{row(semverRange("introduced 0, last_affected 2.1.214"))}, affected, state(none), ""},
		{"after last affected", "npm", "2.1.215", []Affected{row(semverRange("introduced 0, last_affected 2.1.214"))}, unaffected, assay.Fix{}, ""},
		{"one version", "npm", "1.0.0", []Affected{row(semverRange("introduced 1.0.0, last_affected 1.0.0"))}, affected, state(none), ""},
		{"before a limit", "npm", "1.0.0", []Affected{row(semverRange("introduced 0, limit 2.0.0"))}, affected, state(none), ""},
		{"at a limit", "npm", "2.0.0", []Affected{row(semverRange("introduced 0, limit 2.0.0"))}, unaffected, assay.Fix{}, ""},
		{"before one of two limits", "npm", "2.0.0", []Affected{row(semverRange("introduced 0, limit 2.0.0, limit 3.0.0"))}, affected, state(none), ""},
		{"an infinite limit", "npm", "2.0.0", []Affected{row(semverRange("introduced 0, limit 1.0.0, limit *"))}, affected, state(open), ""},
		{"introduced and fixed at once", "npm", "2.0.0", []Affected{row(semverRange("introduced 2.0.0, fixed 2.0.0"))}, unaffected, assay.Fix{}, ""},
		{"fixed and introduced again at once", "npm", "2.0.0", []Affected{row(semverRange("introduced 1.0.0, fixed 2.0.0, introduced 2.0.0"))}, affected, state(open), ""},
		{"before 0", "Debian", "0~beta", []Affected{row(ecosystemRange("introduced 0, fixed 0"))}, affected, fixed("0"), ""},
		{"never in this release", "Debian", "1.0-1", []Affected{row(ecosystemRange("introduced 0, fixed 0"))}, unaffected, assay.Fix{}, ""},
		{"Debian's order", "Debian", "1.0~rc1-1", []Affected{row(ecosystemRange("introduced 0, fixed 1.0-1"))}, affected, fixed("1.0-1"), ""},
		{"an old version of Alpine's", "Alpine", "1.9.5_p2-r0", []Affected{row(ecosystemRange("introduced 0, fixed 1.8.31p1-r0"))}, unaffected, assay.Fix{}, ""},
		{"two old versions of Alpine's", "Alpine", "1.9.5-r0", []Affected{row(ecosystemRange("introduced 1.8.1p1-r0, fixed 1.8.31p1-r0"))}, unknown, assay.Fix{}, "1.8.31p1-r0"},
		{"listed", "PyPI", "1.0", []Affected{listed("0.9", "1.0")}, affected, assay.Fix{}, ""},
		{"listed in another spelling", "PyPI", "1.0", []Affected{listed("v1.0.0")}, affected, assay.Fix{}, ""},
		{"listed by Go's spelling", "Go", "1.0.0", []Affected{listed("v1.0.0")}, affected, assay.Fix{}, ""},
		{"not listed", "PyPI", "1.1", []Affected{listed("0.9", "1.0")}, unaffected, assay.Fix{}, ""},
		{"listed beside a range", "PyPI", "5.0", []Affected{{Name: "x", Versions: []string{"5.0"}, Ranges: []Range{ecosystemRange("introduced 0, fixed 1.0")}}}, affected, assay.Fix{}, ""},
		{"a list of an ecosystem without an order", "GitHub Actions", "v4", []Affected{listed("v3")}, unaffected, assay.Fix{}, ""},
		{"listed of an ecosystem without an order", "GitHub Actions", "v4", []Affected{listed("v4")}, affected, assay.Fix{}, ""},
		{"SemVer in an ecosystem without an order", "GitHub Actions", "4.0.0", []Affected{row(semverRange("introduced 0, fixed 4.0.1"))}, affected, fixed("4.0.1"), ""},
		{"a range of an ecosystem without an order", "GitHub Actions", "4.0.0", []Affected{row(ecosystemRange("introduced 0, fixed 4.0.1"))}, unknown, assay.Fix{}, "GitHub Actions"},
		{"everything, of an ecosystem without an order", "GitHub Actions", "main", []Affected{row(ecosystemRange("introduced 0"))}, affected, state(open), ""},
		{"SemVer, and the version is PyPI's", "PyPI", "1.0rc1", []Affected{row(semverRange("introduced 0, fixed 4.0.1"))}, unknown, assay.Fix{}, "1.0rc1"},
		{"commits before a range", "Go", "1.0.0", []Affected{row(gitRange, semverRange("introduced 0, fixed 1.1.0"))}, affected, fixed("1.1.0"), ""},
		{"commits before a range that ends", "Go", "1.2.0", []Affected{row(gitRange, semverRange("introduced 0, fixed 1.1.0"))}, unaffected, assay.Fix{}, ""},
		{"commits beside a list", "Go", "1.2.0", []Affected{{Name: "x", Versions: []string{"1.1.0"}, Ranges: []Range{gitRange}}}, unaffected, assay.Fix{}, ""},
		{"commits only", "Go", "1.2.0", []Affected{row(gitRange)}, unknown, assay.Fix{}, "commits only, of x"},
		{"commits only, and another row decides", "Go", "1.2.0", []Affected{row(gitRange), listed("1.2.0")}, affected, assay.Fix{}, ""},
		{"nothing", "Go", "1.2.0", []Affected{{Name: "x"}}, unknown, assay.Fix{}, "names no versions and no ranges of x"},
		{"a range without events", "Go", "1.2.0", []Affected{row(Range{Type: RangeSemVer})}, unknown, assay.Fix{}, "an introduced event"},
		{"a range without a beginning", "Go", "1.2.0", []Affected{row(semverRange("fixed 2.0.0"))}, unknown, assay.Fix{}, "an introduced event"},
		{"an unknown type", "Go", "1.2.0", []Affected{row(Range{Type: "VIBES", Events: events("introduced 0")})}, unknown, assay.Fix{}, "VIBES"},
		{"an unknown event", "Go", "1.2.0", []Affected{row(semverRange("introduced 0, felt 1.0.0"))}, unknown, assay.Fix{}, "felt"},
		{"a fix that is no version", "Go", "1.2.0", []Affected{row(semverRange("introduced 0, fixed next"))}, unknown, assay.Fix{}, "next"},
		{"a fix that is no version, and another range", "Go", "1.2.0", []Affected{row(semverRange("introduced 0, fixed next"), semverRange("introduced 0, fixed 2.0.0"))}, affected, assay.Fix{}, ""},
		{"an event without a version", "Go", "1.2.0", []Affected{row(semverRange("introduced 0, fixed"))}, unknown, assay.Fix{}, "a version"},
		{"no version", "npm", "latest", []Affected{row(semverRange("introduced 1.0.0, fixed 2.0.0"))}, unknown, assay.Fix{}, "latest"},
		{"no version, not listed", "npm", "latest", []Affected{listed("1.0.0")}, unknown, assay.Fix{}, "latest"},
		{"no version, and every version", "npm", "latest", []Affected{row(semverRange("introduced 0"))}, affected, state(open), ""},
		{"no version, and every version but one", "npm", "latest", []Affected{row(semverRange("introduced 0, fixed 9.9.9"))}, unknown, assay.Fix{}, "latest"},
		{"a long version", "npm", strings.Repeat("1", 513), []Affected{row(semverRange("introduced 0, fixed 9.9.9"))}, unknown, assay.Fix{}, "512 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var chosen []*Affected
			for i := range tt.rows {
				chosen = append(chosen, &tt.rows[i])
			}
			before := fmt.Sprint(tt.rows)
			s := subject{query: &Query{Ecosystem: tt.ecosystem, Name: "x", Version: tt.version}}
			got := s.evaluate(chosen)
			if got.verdict != tt.want || !strings.Contains(got.reason, tt.reason) || (tt.reason == "") != (got.reason == "") {
				t.Errorf("got %d %q, want %d %q", got.verdict, got.reason, tt.want, tt.reason)
			}
			if diff := cmp.Diff(tt.fix, got.fix); diff != "" {
				t.Errorf("fix: %s", diff)
			}
			if after := fmt.Sprint(tt.rows); after != before {
				t.Errorf("the advisory was changed: %s", after)
			}
		})
	}
}

func TestRows(t *testing.T) {
	for _, tt := range []struct {
		query Query
		rows  string
		want  string
	}{
		{Query{Ecosystem: "Debian", Release: "12"}, "Debian:11 Debian:12 Debian:120 Debian Ubuntu:12", "Debian:12 Debian"},
		{Query{Ecosystem: "Debian", Release: "sid"}, "Debian:13 Debian:sid", "Debian:sid"},
		{Query{Ecosystem: "Alpine", Release: "v3.20"}, "Alpine:v3.2 Alpine:v3.20 Alpine:v3.21", "Alpine:v3.20"},
		{Query{Ecosystem: "Ubuntu", Release: "22.04"}, "Ubuntu:20.04:LTS Ubuntu:22.04:LTS Ubuntu:Pro:22.04:LTS", "Ubuntu:22.04:LTS"},
		{Query{Ecosystem: "Ubuntu", Release: "16.04"}, "Ubuntu:Pro:16.04:LTS Ubuntu:22.04:LTS", "Ubuntu:Pro:16.04:LTS"},
		{Query{Ecosystem: "Ubuntu", Release: "22.04", Version: "1.0+esm2"}, "Ubuntu:22.04:LTS Ubuntu:Pro:22.04:LTS", "Ubuntu:Pro:22.04:LTS"},
		{Query{Ecosystem: "Ubuntu", Release: "22.04", Version: "1.0"}, "Ubuntu:Pro:FIPS:22.04:LTS", ""},
		{Query{Ecosystem: "Ubuntu", Release: "22.04", Version: "1.0+Fips1"}, "Ubuntu:Pro:FIPS-updates:22.04:LTS Ubuntu:22.04:LTS", "Ubuntu:Pro:FIPS-updates:22.04:LTS"},
		{Query{Ecosystem: "Rocky Linux", Release: "9"}, "Rocky_Linux:8 Rocky_Linux:9 Rocky_Linux:9.2 Rocky_Linux", "Rocky_Linux:9 Rocky_Linux:9.2 Rocky_Linux"},
		{Query{Ecosystem: "Red Hat", Release: "9"}, "Red_Hat:enterprise_linux:9::baseos Red_Hat:enterprise_linux:8::baseos Red_Hat:rhel_eus:9.2::baseos Red_Hat:openshift:4.12::el9", "Red_Hat:enterprise_linux:9::baseos"},
		{Query{Ecosystem: "Red Hat", Release: "10"}, "Red_Hat:enterprise_linux:10.0 Red_Hat:enterprise_linux:10.1", "Red_Hat:enterprise_linux:10.0 Red_Hat:enterprise_linux:10.1"},
		{Query{Ecosystem: "SUSE", Release: "15 SP5"}, "SUSE:Linux_Enterprise_Server_15_SP5 SUSE:Linux_Enterprise_Server_15_SP5-LTSS SUSE:Linux_Enterprise_Server_15_SP4 SUSE:Linux_Enterprise_Module_for_Basesystem_15_SP5 SUSE:Linux_Enterprise_Micro_5.5 SUSE:Package_Hub_115_SP5",
			"SUSE:Linux_Enterprise_Server_15_SP5 SUSE:Linux_Enterprise_Server_15_SP5-LTSS SUSE:Linux_Enterprise_Module_for_Basesystem_15_SP5"},
		{Query{Ecosystem: "SUSE", Release: "15"}, "SUSE:Linux_Enterprise_Server_15 SUSE:Linux_Enterprise_Server_15_SP5 SUSE:Linux_Enterprise_Server_15-LTSS", "SUSE:Linux_Enterprise_Server_15 SUSE:Linux_Enterprise_Server_15-LTSS"},
		{Query{Ecosystem: "SUSE", Release: "Micro 5.5"}, "SUSE:Linux_Enterprise_Micro_5.5 SUSE:Linux_Enterprise_Micro_5.1", "SUSE:Linux_Enterprise_Micro_5.5"},
		{Query{Ecosystem: "openSUSE", Release: "Leap 15.6"}, "openSUSE:Leap_15.6 openSUSE:Leap_Micro_5.5 openSUSE:Tumbleweed", "openSUSE:Leap_15.6"},
		{Query{Ecosystem: "openEuler", Release: "24.03"}, "openEuler:24.03-LTS openEuler:24.03-LTS-SP1 openEuler:22.03-LTS", "openEuler:24.03-LTS openEuler:24.03-LTS-SP1"},
		{Query{Ecosystem: "Docker Hardened Images", Release: "Debian:13"}, "Docker_Hardened_Images:Debian:trixie Docker_Hardened_Images:Debian:13 Docker_Hardened_Images:Debian:bookworm Docker_Hardened_Images:Alpine:3.23", "Docker_Hardened_Images:Debian:trixie Docker_Hardened_Images:Debian:13"},
		{Query{Ecosystem: "Docker Hardened Images", Release: "Alpine:v3.23"}, "Docker_Hardened_Images:Debian:trixie Docker_Hardened_Images:Alpine:3.23 Docker_Hardened_Images", "Docker_Hardened_Images:Alpine:3.23 Docker_Hardened_Images"},
		{Query{Ecosystem: "Root", Release: "Debian:12"}, "Root:Debian:12 Root:Debian:11 Root:npm Root:Debian", "Root:Debian:12"},
		{Query{Ecosystem: "Echo"}, "Echo Echo:PyPI Echo:npm", "Echo"},
		{Query{Ecosystem: "Debian", Release: "12"}, "Debian:bookworm Debian:bullseye Debian:12.5 Debian:unstable", "Debian:bookworm Debian:12.5"},
		{Query{Ecosystem: "Ubuntu", Release: "22.04"}, "Ubuntu:jammy Ubuntu:Pro:jammy Ubuntu:noble Ubuntu:22.04.1:LTS", "Ubuntu:jammy Ubuntu:22.04.1:LTS"},
		{Query{Ecosystem: "Alpine", Release: "v3.20"}, "Alpine:3.20 Alpine:v3.20.1 Alpine:v3.2", "Alpine:3.20 Alpine:v3.20.1"},
		{Query{Ecosystem: "openSUSE", Release: "Leap 15.6"}, "openSUSE:Leap_15.6_NonFree openSUSE:Leap_15.60", "openSUSE:Leap_15.6_NonFree"},
		{Query{Ecosystem: "Maven"}, "Maven Maven:https://maven.google.com npm", "Maven Maven:https://maven.google.com"},
	} {
		var all []Affected
		for e := range strings.FieldsSeq(tt.rows) {
			all = append(all, Affected{Ecosystem: strings.ReplaceAll(strings.ReplaceAll(e, "_", " "), "enterprise linux", "enterprise_linux")})
		}
		var got []string
		for _, r := range rows(&tt.query, all) {
			got = append(got, strings.ReplaceAll(r.Ecosystem, " ", "_"))
		}
		if diff := cmp.Diff(strings.Fields(tt.want), got); diff != "" && (tt.want != "" || got != nil) {
			t.Errorf("%v: %s", tt.query, diff)
		}
	}
}

// FuzzEvaluate compares with the algorithm as the schema writes it, over events of
// versions that are all readable, and looks for panics with those that are not.
func FuzzEvaluate(f *testing.F) {
	f.Add("Go", "1.2.0", "introduced 0, fixed 1.2.0, introduced 1.2.0, limit 2")
	f.Add("Debian", "1.0-1", "fixed 1.0-1, introduced 0, last_affected 2")
	f.Add("PyPI", "1.0a1", "introduced 1, introduced 1.0a1, last_affected 1.0a1, limit *")
	f.Add("Alpine", "1.2_p1-r0", "introduced 1.2p1, fixed 1.3p1")
	f.Add("Maven", "1.0", "limit 0, limit 1.0, introduced 0")
	f.Add("npm", "latest", "introduced 0")
	f.Fuzz(func(t *testing.T, ecosystem, v, list string) {
		if len(list) > 4096 {
			return
		}
		r := ecosystemRange(list)
		base, _ := splitEcosystem(ecosystem)
		s := subject{query: &Query{Ecosystem: base, Name: "x", Version: v}}
		got := s.evaluate([]*Affected{{Name: "x", Ranges: []Range{r}}})
		want, ok := oracle(base, v, r.Events)
		switch {
		case !ok:
			return
		case got.verdict == unknown && strings.Contains(got.reason, "a place beside"):
			return // two old versions of Alpine's
		case (got.verdict == affected) != want || got.verdict == unknown:
			t.Errorf("%s %q in %q: got %d (%s), want %t", base, v, list, got.verdict, got.reason, want)
		}
		if got.fix.Version == "" {
			return
		}
		if in, ok := oracle(base, got.fix.Version, r.Events); !ok || in {
			t.Errorf("%s %q in %q: the fix %q is affected", base, v, list, got.fix.Version)
		}
	})
}

// oracle is IncludedInRanges of the schema, literally: of one range. It is not ok if
// the range or the version has something that cannot be read.
func oracle(ecosystem, v string, evs []Event) (in, ok bool) {
	o := version.Of(ecosystem)
	if o == "" {
		return false, false
	}
	compare := func(a, b string) int {
		d, err := Compare(ecosystem, a, b)
		if err != nil {
			panic(err)
		}
		return d
	}
	clean := func(text string) bool {
		if ecosystem == "Go" {
			text = version.FromGo(text)
		}
		_, err := version.ParseStrict(o, text)
		return err == nil || o == version.Alpine && text != "" && len(text) <= MaxVersion && version.IsDigit(text[0])
	}
	if _, err := version.ParseStrict(o, v); err != nil {
		return false, false
	}
	begins := false
	for _, e := range evs {
		begins = begins || e.Kind == Introduced
		switch {
		case e.Kind == Introduced && e.Version == "0", e.Kind == Limit && strings.Contains(e.Version, "*"):
		case !slices.Contains([]EventKind{Introduced, Fixed, LastAffected, Limit}, e.Kind), !clean(e.Version):
			return false, false
		}
	}
	if !begins {
		return false, false
	}
	limits := slices.DeleteFunc(slices.Clone(evs), func(e Event) bool { return e.Kind != Limit })
	if len(limits) > 0 && !slices.ContainsFunc(limits, func(e Event) bool { return strings.Contains(e.Version, "*") || compare(v, e.Version) < 0 }) {
		return false, true
	}
	evs = slices.DeleteFunc(slices.Clone(evs), func(e Event) bool { return e.Kind == Limit })
	slices.SortStableFunc(evs, func(a, b Event) int {
		zeroA, zeroB := a == Event{Introduced, "0"}, b == Event{Introduced, "0"}
		switch {
		case zeroA && zeroB:
			return 0
		case zeroA:
			return -1
		case zeroB:
			return +1
		}
		return compare(a.Version, b.Version)
	})
	for _, e := range evs {
		switch {
		case e.Kind == Introduced && (e.Version == "0" || compare(v, e.Version) >= 0):
			in = true
		case e.Kind == Fixed && compare(v, e.Version) >= 0:
			in = false
		case e.Kind == LastAffected && compare(v, e.Version) > 0:
			in = false
		}
	}
	return in, true
}
