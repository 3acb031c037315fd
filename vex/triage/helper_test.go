package triage_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

const cve = assay.VulnID("CVE-2026-0001")

var (
	day   = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	dig   = assay.MustDigest("sha256:" + strings.Repeat("a1", 32))
	dig2  = assay.MustDigest("sha256:" + strings.Repeat("b2", 32))
	image = must(vex.ImageProduct(dig, "registry.example/team/app"))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func on(days int) time.Time { return day.AddDate(0, 0, days) }

func purl(s string) assay.PURL { return must(assay.ParsePURL(s)) }

func named(s string) assay.Product { return vex.PURLProduct(purl(s)) }

func part(p assay.Product, subs ...assay.Product) assay.Product {
	p.Subcomponents = subs
	return p
}

// inventory is an image with two programs: app has lib and ssl, tool has lib.
func inventory() *assay.SBOM {
	at := func(paths ...string) []assay.Location {
		var out []assay.Location
		for _, p := range paths {
			out = append(out, assay.Location{Path: p})
		}
		return out
	}
	s := &assay.SBOM{
		Root: assay.Component{ID: "root", Type: assay.TypeContainer, Name: "image", PURL: image.PURL},
		Components: []assay.Component{
			{ID: "app", Name: "app", Hashes: assay.DigestSet{dig2}, PURL: purl("pkg:golang/example.com/app@v1.0.0"), Locations: at("bin/app")},
			{ID: "tool", Name: "tool", PURL: purl("pkg:golang/example.com/tool@v1.0.0"), Locations: at("bin/tool")},
			{ID: "lib", Name: "lib", PURL: purl("pkg:golang/example.com/lib@v1.2.3"), Locations: at("bin/app", "bin/tool")},
			{ID: "only", Name: "only", PURL: purl("pkg:golang/example.com/only@v1.2.3"), Locations: at("bin/app")},
			{ID: "ssl", Name: "libssl3", Version: "3.0.15-1", PURL: purl("pkg:deb/debian/libssl3@3.0.15-1?arch=amd64"), Hashes: assay.DigestSet{dig}},
		},
		Relations: []assay.Relation{
			{From: "app", Kind: assay.DependsOn, To: "lib"}, {From: "app", Kind: assay.DependsOn, To: "only"}, {From: "tool", Kind: assay.DependsOn, To: "lib"},
			{From: "root", Kind: assay.DependsOn, To: "app"}, {From: "root", Kind: assay.DependsOn, To: "tool"}, {From: "root", Kind: assay.DependsOn, To: "ssl"},
		},
		Completeness: []assay.Completeness{{Scope: "components", Aggregate: "unknown"}, {Scope: "components:golang", Aggregate: "complete"}},
	}
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	return s
}

// finding is of the component with that identifier in the inventory.
func finding(id assay.ComponentID) assay.Finding {
	f := assay.Finding{Vulnerability: assay.Vulnerability{ID: cve, Aliases: []assay.VulnID{"GO-2026-0001"}}, Component: id}
	if c, ok := inventory().Component(id); ok {
		f.PURL = c.PURL
	}
	return f
}

// statement is a document of one statement, by that author, on that day.
func statement(author string, days int, status assay.Status, why assay.Justification, products ...assay.Product) *assay.VEX {
	d := vex.New(author, vex.Options{Time: on(days)})
	switch status {
	case assay.NotAffected:
		c := d.NotAffected(cve, why, products...)
		if why == "" {
			c.Impact("it is not")
		}
	case assay.Affected:
		d.Affected(cve, "Upgrade.", products...)
	case assay.Fixed:
		d.Fixed(cve, products...)
	default:
		d.UnderInvestigation(cve, products...)
	}
	return must(d.Build())
}

func decide(t *testing.T, f assay.Finding, doc *assay.SBOM, o triage.Options, docs ...*assay.VEX) triage.Decision {
	t.Helper()
	r, err := triage.Triage(&assay.Scan{Findings: []assay.Finding{f}}, vex.NewTimeline(docs, on(10)), doc, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Decisions) != 1 {
		t.Fatalf("got %d decisions", len(r.Decisions))
	}
	return r.Decisions[0]
}

func wantError(t *testing.T, err error, kind error, says ...string) {
	t.Helper()
	if _, ok := errors.AsType[*assay.Error](err); !ok || !errors.Is(err, kind) {
		t.Fatalf("got %v, want %v", err, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}
