package triage_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

// A scan found two vulnerabilities. The vendor says that neither matters: of one because
// its component is not there, which the contents of the image refute.
func ExampleTriage() {
	lib := assay.Component{ID: "lib", Name: "lib", PURL: assay.MustPURL("pkg:golang/example.com/lib@v1.2.3")}
	contents := &assay.SBOM{Root: assay.Component{ID: "image"}, Components: []assay.Component{lib}}
	image, err := vex.ImageProduct(assay.MustDigest("sha256:"+strings.Repeat("ab", 32)), "registry.example/team/app")
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	d := vex.New("security@example.com", vex.Options{Time: at})
	d.NotAffected("CVE-2026-0001", assay.ComponentNotPresent, image)
	d.NotAffected("CVE-2026-0002", assay.InlineMitigationsAlreadyExist, image)
	doc, err := d.Build()
	if err != nil {
		panic(err)
	}
	scan := &assay.Scan{Findings: []assay.Finding{
		{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, PURL: lib.PURL},
		{Vulnerability: assay.Vulnerability{ID: "GO-2026-0002", Aliases: []assay.VulnID{"CVE-2026-0002"}}, PURL: lib.PURL},
	}}
	r, err := triage.Triage(scan, vex.NewTimeline([]*assay.VEX{doc}, at), contents, triage.Options{Image: image, Inventory: contents})
	if err != nil {
		panic(err)
	}
	for _, d := range r.Decisions {
		fmt.Println(d.Finding.Vulnerability.ID, d.State, d.Reason, d.Checked)
	}
	// Output:
	// CVE-2026-0001 contradicted component-present refuted
	// GO-2026-0002 not_affected stated unknown
}

// govulncheck analyzed a program of the image: it imports the vulnerable package and
// does not call what is vulnerable in it.
func ExampleReachability() {
	g, err := triage.ReadGovulncheck("govulncheck.json", strings.NewReader(`
		{"config": {"protocol_version": "v1.0.0", "scan_level": "symbol", "scan_mode": "source"}}
		{"osv": {"id": "GO-2026-0001", "aliases": ["CVE-2026-0001"]}}
		{"finding": {"osv": "GO-2026-0001", "fixed_version": "v1.3.0", "trace": [{"module": "example.com/lib", "version": "v1.2.3", "package": "example.com/lib"}]}}`))
	if err != nil {
		panic(err)
	}
	lib := assay.MustPURL("pkg:golang/example.com/lib@v1.2.3")
	contents := &assay.SBOM{Components: []assay.Component{{ID: "lib", PURL: lib, Locations: []assay.Location{{Path: "usr/bin/app"}}}}}
	scan := &assay.Scan{Findings: []assay.Finding{{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, PURL: lib}}}
	scan, err = triage.Reachability(scan, contents, triage.Run{Result: g, File: "usr/bin/app"})
	if err != nil {
		panic(err)
	}
	fmt.Println(scan.Findings[0].Reachable)
	// Output:
	// refuted
}

// What a scan found becomes statements for a person to look over: what has a fix is to
// be upgraded, and the rest has to be looked into.
func ExampleDraft() {
	image, err := vex.ImageProduct(assay.MustDigest("sha256:"+strings.Repeat("ab", 32)), "registry.example/team/app")
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	scan := &assay.Scan{Findings: []assay.Finding{
		{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, PURL: assay.MustPURL("pkg:deb/debian/libssl3@3.0.15-1"), Fix: assay.Fix{Version: "3.0.16-1"}},
		{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0002"}, PURL: assay.MustPURL("pkg:deb/debian/zlib1g@1.2.13")},
	}}
	r, err := triage.Triage(scan, vex.NewTimeline(nil, at), nil, triage.Options{Image: image})
	if err != nil {
		panic(err)
	}
	draft, err := triage.Draft(r, "security@example.com", image, triage.DraftOptions{Document: vex.Options{Time: at}})
	if err != nil {
		panic(err)
	}
	doc, err := draft.Build()
	if err != nil {
		panic(err)
	}
	for _, s := range doc.Statements {
		fmt.Println(s.Vulnerability.ID, s.Status, s.ActionStatement)
	}
	// Output:
	// CVE-2026-0001 affected Upgrade libssl3 to version 3.0.16-1.
	// CVE-2026-0002 under_investigation
}
