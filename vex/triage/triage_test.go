package triage_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

func TestTriage(t *testing.T) {
	const (
		absent   = assay.ComponentNotPresent
		notThere = assay.VulnerableCodeNotPresent
		notRun   = assay.VulnerableCodeNotInExecutePath
		guarded  = assay.InlineMitigationsAlreadyExist
	)
	lib, ssl := named("pkg:golang/example.com/lib@1.2.3"), named("pkg:deb/debian/libssl3@3.0.15-1")
	anySSL := named("pkg:deb/debian/libssl3")
	app, tool := named("pkg:golang/example.com/app"), named("pkg:golang/example.com/tool")
	ranged := named("pkg:deb/debian/libssl3?vers=vers:generic/%3C4")
	gone := named("pkg:golang/example.com/gone@v1.0.0")
	without := func(ids ...assay.ComponentID) *assay.SBOM {
		s := inventory()
		s.Components = slices.DeleteFunc(s.Components, func(c assay.Component) bool { return slices.Contains(ids, c.ID) })
		s.Relations = slices.DeleteFunc(s.Relations, func(r assay.Relation) bool { return slices.Contains(ids, r.To) || slices.Contains(ids, r.From) })
		return s
	}
	changed := func(edit func(*assay.SBOM)) *assay.SBOM {
		s := inventory()
		edit(s)
		return s
	}
	reached := func(f assay.Finding, s assay.State) assay.Finding { f.Reachable = s; return f }
	phantom := assay.Finding{Vulnerability: assay.Vulnerability{ID: cve}, Component: "x", PURL: gone.PURL}
	says := func(status assay.Status, why assay.Justification, products ...assay.Product) *assay.VEX {
		return statement("a@example.com", 0, status, why, products...)
	}
	docs := func(d ...*assay.VEX) []*assay.VEX { return d }
	older := vex.Ages{NotAffected: 240 * time.Hour, Fixed: 9 * 24 * time.Hour, UnderInvestigation: 24 * time.Hour, Affected: time.Hour}
	img := triage.Options{Image: image}
	for name, tt := range map[string]struct {
		f       assay.Finding
		doc     *assay.SBOM
		o       triage.Options
		docs    []*assay.VEX
		state   triage.State
		reason  triage.Reason
		checked assay.State
	}{
		"nobody speaks":        {finding("ssl"), inventory(), img, nil, triage.Open, triage.NoStatement, 0},
		"affected":             {finding("ssl"), inventory(), img, docs(says(assay.Affected, "", image)), triage.Open, triage.StatedAffected, 0},
		"under investigation":  {finding("ssl"), inventory(), img, docs(says(assay.UnderInvestigation, "", image)), triage.UnderInvestigation, triage.Stated, 0},
		"mitigated":            {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, guarded, part(image, ssl))), triage.NotAffected, triage.Stated, 0},
		"of another part":      {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, guarded, part(image, lib))), triage.Open, triage.NoStatement, 0},
		"of another image":     {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, guarded, must(vex.ImageProduct(dig2, "registry.example/team/app")))), triage.Open, triage.NoStatement, 0},
		"no reason":            {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, "", image)), triage.Unknown, triage.NoJustification, 0},
		"no reason, accepted":  {finding("ssl"), inventory(), triage.Options{Image: image, FreeText: true}, docs(says(assay.NotAffected, "", image)), triage.NotAffected, triage.Stated, 0},
		"component as product": {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, guarded, anySSL)), triage.NotAffected, triage.Stated, 0},
		"one of two programs":  {finding("lib"), inventory(), img, docs(says(assay.NotAffected, guarded, part(app, lib))), triage.Open, triage.PartlySpokenOf, 0},
		"both programs":        {finding("lib"), inventory(), img, docs(says(assay.NotAffected, guarded, part(app, lib), part(tool, lib))), triage.NotAffected, triage.Stated, 0},
		"worse program":        {finding("lib"), inventory(), img, docs(says(assay.NotAffected, guarded, part(app, lib)), statement("a@example.com", 1, assay.Affected, "", part(tool, lib))), triage.Open, triage.StatedAffected, 0},
		"a file of no program": {finding("lib"), changed(func(s *assay.SBOM) {
			s.Components[1].Locations = append(s.Components[1].Locations, assay.Location{Path: "opt/lib"})
		}), img, docs(says(assay.NotAffected, guarded, part(app, lib), part(tool, lib))), triage.Unknown, triage.EdgesIncomplete, 0},
		"no files, edges complete": {finding("lib"), changed(func(s *assay.SBOM) {
			s.Components[1].Locations = nil
			s.Completeness = append(s.Completeness, assay.Completeness{Scope: "dependencies", Aggregate: "complete"})
		}), img, docs(says(assay.NotAffected, guarded, part(app, lib), part(tool, lib))), triage.NotAffected, triage.Stated, 0},
		"no SBOM":                     {finding("ssl"), nil, img, docs(says(assay.NotAffected, guarded, part(image, anySSL))), triage.NotAffected, triage.Stated, 0},
		"no SBOM, no image":           {finding("ssl"), nil, triage.Options{}, docs(says(assay.NotAffected, guarded, part(image, anySSL))), triage.Open, triage.NoStatement, 0},
		"absent, but in the SBOM":     {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, absent, image)), triage.Contradicted, triage.ComponentPresent, assay.Refuted},
		"absent, but in the bytes":    {phantom, inventory(), triage.Options{Image: image, Inventory: changed(func(s *assay.SBOM) { s.Components[0].PURL = gone.PURL })}, docs(says(assay.NotAffected, absent, image)), triage.Contradicted, triage.ComponentPresent, assay.Refuted},
		"other one absent, in bytes":  {phantom, inventory(), triage.Options{Image: image, Inventory: changed(func(s *assay.SBOM) { s.Components[0].PURL = purl("pkg:golang/example.com/gone@v2.0.0") })}, docs(says(assay.NotAffected, absent, part(image, named("pkg:golang/example.com/gone")))), triage.Contradicted, triage.ComponentPresent, assay.Refuted},
		"absent in the bytes":         {phantom, inventory(), triage.Options{Image: image, Inventory: inventory()}, docs(says(assay.NotAffected, absent, image)), triage.NotAffected, triage.Stated, assay.Proven},
		"absent in a complete SBOM":   {phantom, inventory(), img, docs(says(assay.NotAffected, absent, image)), triage.NotAffected, triage.Stated, assay.Proven},
		"absent in some SBOM":         {phantom, changed(func(s *assay.SBOM) { s.Completeness = nil }), img, docs(says(assay.NotAffected, absent, image)), triage.Unknown, triage.NotLookedUp, 0},
		"absent in incomplete bytes":  {phantom, inventory(), triage.Options{Image: image, Inventory: changed(func(s *assay.SBOM) { s.Completeness[1].Aggregate = "incomplete" })}, docs(says(assay.NotAffected, absent, image)), triage.Unknown, triage.NotLookedUp, 0},
		"absent, nothing to look in":  {phantom, nil, img, docs(says(assay.NotAffected, absent, image)), triage.Unknown, triage.NotLookedUp, 0},
		"absent by file":              {assay.Finding{Vulnerability: assay.Vulnerability{ID: cve}, PURL: purl("pkg:generic/x@1")}, inventory(), triage.Options{Image: image, Inventory: inventory()}, docs(says(assay.NotAffected, absent, part(image, assay.Product{ID: "pkg:generic/x@1", PURL: purl("pkg:generic/x@1"), Digests: assay.DigestSet{dig2}}))), triage.Contradicted, triage.ComponentPresent, assay.Refuted},
		"removed from the SBOM":       {finding("ssl"), without("ssl"), triage.Options{Image: image, Inventory: inventory()}, docs(says(assay.NotAffected, absent, image)), triage.Contradicted, triage.ComponentPresent, assay.Refuted},
		"code not there, reachable":   {reached(finding("ssl"), assay.Proven), inventory(), img, docs(says(assay.NotAffected, notThere, image)), triage.Contradicted, triage.CodeReachable, assay.Refuted},
		"code not run, reachable":     {reached(finding("ssl"), assay.Proven), inventory(), img, docs(says(assay.NotAffected, notRun, image)), triage.Contradicted, triage.CodeReachable, assay.Refuted},
		"code not run, so it is":      {reached(finding("ssl"), assay.Refuted), inventory(), img, docs(says(assay.NotAffected, notRun, image)), triage.NotAffected, triage.Stated, assay.Proven},
		"code not run, who knows":     {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, notRun, image)), triage.NotAffected, triage.Stated, 0},
		"mitigated and reachable":     {reached(finding("ssl"), assay.Proven), inventory(), img, docs(says(assay.NotAffected, guarded, image)), triage.NotAffected, triage.Stated, 0},
		"reachability is no word":     {reached(finding("ssl"), assay.Refuted), inventory(), img, nil, triage.Open, triage.NoStatement, 0},
		"fixed, yet affected":         {finding("ssl"), inventory(), img, docs(says(assay.Fixed, "", image)), triage.Contradicted, triage.StillAffected, assay.Refuted},
		"fixed in that version":       {finding("ssl"), inventory(), img, docs(says(assay.Fixed, "", part(image, ssl))), triage.Contradicted, triage.StillAffected, assay.Refuted},
		"backported by trusted":       {finding("ssl"), inventory(), triage.Options{Image: image, Backporters: []string{"a@example.com"}}, docs(says(assay.Fixed, "", part(image, ssl))), triage.Fixed, triage.Stated, 0},
		"trusted, but of any version": {finding("ssl"), inventory(), triage.Options{Image: image, Backporters: []string{"a@example.com"}}, docs(says(assay.Fixed, "", part(image, anySSL))), triage.Contradicted, triage.StillAffected, assay.Refuted},
		"backported by pedigree": {finding("ssl"), changed(func(s *assay.SBOM) {
			s.Relations = append(s.Relations, assay.Relation{From: "ssl", Kind: assay.DescendantOf, To: "lib"})
		}), img, docs(says(assay.Fixed, "", part(image, ssl))), triage.Fixed, triage.Stated, 0},
		"fixed in that build":    {finding("ssl"), inventory(), img, docs(says(assay.Fixed, "", part(image, assay.Product{ID: "urn:x:ssl", Digests: assay.DigestSet{dig}}))), triage.Fixed, triage.Stated, 0},
		"fixed in the component": {finding("ssl"), inventory(), triage.Options{Backporters: []string{"a@example.com"}}, docs(says(assay.Fixed, "", ssl)), triage.Fixed, triage.Stated, 0},
		"authors disagree":       {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, guarded, image), statement("b@example.com", -5, assay.Affected, "", image)), triage.Contradicted, triage.AuthorsDisagree, 0},
		"another closes, later":  {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, guarded, image), statement("b@example.com", -5, assay.Fixed, "", image)), triage.NotAffected, triage.Stated, 0},
		"not expired":            {finding("ssl"), inventory(), triage.Options{Image: image, Ages: older}, docs(says(assay.NotAffected, guarded, image)), triage.NotAffected, triage.Stated, 0},
		"expired":                {finding("ssl"), inventory(), triage.Options{Image: image, Ages: older}, docs(statement("a@example.com", -1, assay.NotAffected, guarded, image)), triage.Unknown, triage.Expired, 0},
		"expired and refuted":    {finding("ssl"), inventory(), triage.Options{Image: image, Ages: older}, docs(says(assay.Fixed, "", image)), triage.Contradicted, triage.StillAffected, assay.Refuted},
		"stale investigation":    {finding("ssl"), inventory(), triage.Options{Image: image, Ages: older}, docs(says(assay.UnderInvestigation, "", image)), triage.UnderInvestigation, triage.Stated, 0},
		"not yet stated":         {finding("ssl"), inventory(), img, docs(statement("a@example.com", 11, assay.NotAffected, guarded, image)), triage.Open, triage.NoStatement, 0},
		"nothing to know it by":  {assay.Finding{Vulnerability: assay.Vulnerability{ID: cve}}, inventory(), img, docs(says(assay.NotAffected, guarded, part(image, lib))), triage.Open, triage.NoStatement, 0},
		"a range, undecided":     {finding("ssl"), inventory(), img, docs(says(assay.NotAffected, guarded, part(image, ssl)), statement("b@example.com", 1, assay.Affected, "", part(image, ranged))), triage.Open, triage.RangeUndecided, 0},
		"the image itself":       {finding("root"), inventory(), img, docs(says(assay.NotAffected, guarded, image)), triage.NotAffected, triage.Stated, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, tt.f, tt.doc, tt.o, tt.docs...)
			if d.State != tt.state || d.Reason != tt.reason || d.Checked != tt.checked || d.Detail == "" {
				t.Errorf("got %s (%s), checked %s: %s\nwant %s (%s), checked %s", d.State, d.Reason, d.Checked, d.Detail, tt.state, tt.reason, tt.checked)
			}
			if spoken := d.Reason != triage.NoStatement && d.Reason != triage.RangeUndecided; spoken != (len(d.Grounds) > 0) {
				t.Errorf("%s rests on %v", d.Reason, d.Grounds)
			}
			if (len(d.Against) > 0) != (strings.HasPrefix(name, "authors") || d.Reason == triage.RangeUndecided) {
				t.Errorf("against it are %v", d.Against)
			}
			if stale := strings.HasPrefix(name, "expired") || strings.HasPrefix(name, "stale"); stale == d.StaleSince.IsZero() {
				t.Errorf("stale since %v", d.StaleSince)
			}
			for _, g := range d.Grounds {
				if g.Author == "" || g.Document == "" || g.Version != 1 || g.Time.IsZero() || g.ProductBasis == "" || g.Entry.Statement().Status != g.Status {
					t.Errorf("a ground is %+v", g)
				}
			}
		})
	}
}

func TestTriageAliases(t *testing.T) {
	for name, tt := range map[string]struct {
		finding   assay.Vulnerability
		statement assay.VulnID
		aliases   []assay.VulnID
		state     triage.State
	}{
		"same":                         {assay.Vulnerability{ID: "CVE-2026-0001"}, "CVE-2026-0001", nil, triage.NotAffected},
		"the finding's alias":          {assay.Vulnerability{ID: "GO-1", Aliases: []assay.VulnID{"CVE-2026-0001"}}, "CVE-2026-0001", nil, triage.NotAffected},
		"the statement's alias":        {assay.Vulnerability{ID: "GO-1"}, "CVE-2026-0001", []assay.VulnID{"GO-1"}, triage.NotAffected},
		"no more than a shared alias":  {assay.Vulnerability{ID: "CVE-2026-0002", Aliases: []assay.VulnID{"DSA-1"}}, "CVE-2026-0001", []assay.VulnID{"DSA-1"}, triage.Open},
		"another vulnerability at all": {assay.Vulnerability{ID: "CVE-2026-0002"}, "CVE-2026-0001", nil, triage.Open},
	} {
		t.Run(name, func(t *testing.T) {
			d := vex.New("a@example.com", vex.Options{Time: on(0)})
			d.NotAffected(tt.statement, assay.InlineMitigationsAlreadyExist, image).Aliases(tt.aliases...)
			f := finding("ssl")
			f.Vulnerability = tt.finding
			if got := decide(t, f, inventory(), triage.Options{Image: image}, must(d.Build())); got.State != tt.state {
				t.Errorf("got %s: %s", got.State, got.Detail)
			}
		})
	}
}

// A component that the SBOM has twice is as bad as the worse of both.
func TestTriageComponentTwice(t *testing.T) {
	doc := inventory()
	again := doc.Components[3]
	again.ID = "ssl-2"
	again.Hashes = assay.DigestSet{dig2}
	doc.Components = append(doc.Components, again)
	if err := doc.Normalize(); err != nil {
		t.Fatal(err)
	}
	f := finding("ssl")
	stated := part(image, assay.Product{ID: "urn:x:ssl", Digests: assay.DigestSet{dig}})
	v := statement("a@example.com", 0, assay.NotAffected, assay.InlineMitigationsAlreadyExist, stated)
	if d := decide(t, f, doc, triage.Options{Image: image}, v); d.State != triage.NotAffected {
		t.Errorf("by identifier: %s", d.Detail)
	}
	f.Component = ""
	if d := decide(t, f, doc, triage.Options{Image: image}, v); d.State != triage.Open {
		t.Errorf("by package URL: %s", d.Detail)
	}
	// An identifier of another document is none of this one's.
	f.Component = "app"
	if d := decide(t, f, doc, triage.Options{Image: image}, v); d.State != triage.Open || slices.Contains(d.Uncovered, "app") {
		t.Errorf("by another's identifier: %s", d.Detail)
	}
}

func TestTriageResult(t *testing.T) {
	scan := &assay.Scan{
		Findings: []assay.Finding{finding("ssl"), finding("lib"), finding("app")},
		Unevaluated: []assay.Unevaluated{
			{Vulnerability: "CVE-2026-0009", PURL: purl("pkg:deb/debian/z@1"), Reason: "version"}, {PURL: purl("pkg:deb/debian/a@1"), Reason: "ecosystem"}},
	}
	docs := []*assay.VEX{
		statement("a@example.com", 0, assay.NotAffected, assay.InlineMitigationsAlreadyExist, part(image, named("pkg:golang/example.com/lib"))),
		statement("b@example.com", 0, assay.UnderInvestigation, "", part(image, named("pkg:golang/example.com/app"))),
	}
	run := func(scan *assay.Scan, docs ...*assay.VEX) *triage.Result {
		r, err := triage.Triage(scan, vex.NewTimeline(docs, on(10)), inventory(), triage.Options{Image: image, Ages: vex.Ages{UnderInvestigation: time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := run(scan, docs...)
	want := map[triage.State]int{triage.Open: 1, triage.NotAffected: 1, triage.UnderInvestigation: 1, triage.Unknown: 2}
	if d := cmp.Diff(want, r.Count()); d != "" {
		t.Error(d)
	}
	if len(r.Remaining()) != 2 || len(r.Stale()) != 1 || r.Stale()[0].Finding.Component != "app" || !r.At.Equal(on(10)) {
		t.Errorf("got %+v", r)
	}
	if r.Unevaluated[0].Reason != "ecosystem" {
		t.Errorf("got %+v", r.Unevaluated)
	}
	// The order of nothing matters.
	slices.Reverse(scan.Findings)
	slices.Reverse(scan.Unevaluated)
	slices.Reverse(docs)
	a, b := must(json.Marshal(r)), must(json.Marshal(run(scan, docs...)))
	if !bytes.Equal(a, b) {
		t.Errorf("got\n%s\nthen\n%s", a, b)
	}
	for _, s := range []string{`"state":"not_affected"`, `"checked":"unknown"`, `"document":"https://openvex.dev/docs/public/vex-`, `"componentBasis":"purl"`} {
		if !bytes.Contains(a, []byte(s)) {
			t.Errorf("no %s in %s", s, a)
		}
	}
}

func TestTriageRefuses(t *testing.T) {
	line := vex.NewTimeline(nil, on(0))
	_, err := triage.Triage(nil, line, nil, triage.Options{})
	wantError(t, err, assay.ErrInvalid, "scan")
	_, err = triage.Triage(&assay.Scan{}, nil, nil, triage.Options{})
	wantError(t, err, assay.ErrInvalid, "timeline")
	_, err = triage.Triage(&assay.Scan{Findings: []assay.Finding{{}}}, line, nil, triage.Options{})
	wantError(t, err, assay.ErrInvalid, "/findings/0/vulnerability/id")
}
