package vex_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// A statement that was wrong is corrected; the others keep their times.
func ExampleDraft_Change() {
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	product := vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0"))
	d := vex.New("security@example.com", vex.Options{Time: first})
	d.NotAffected("CVE-2026-0001", assay.VulnerableCodeNotPresent, product)
	d.Fixed("CVE-2026-0002", product)
	doc, err := d.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := vex.Edit(doc, vex.Options{Time: first.AddDate(0, 0, 7)}).Change(0, func(s *assay.VEXStatement) {
		s.Justification = assay.VulnerableCodeNotInExecutePath
	}).Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("version", next.Version)
	for _, s := range next.Statements {
		fmt.Println(s.Vulnerability.ID, s.Justification, s.Timestamp.Format(time.DateOnly), !s.LastUpdated.IsZero())
	}
	// Output:
	// version 2
	// CVE-2026-0001 vulnerable_code_not_in_execute_path 2026-11-01 true
	// CVE-2026-0002  2026-11-01 false
}

// Two documents of one author become one; another author's stays apart, and that they
// disagree is told.
func ExampleMerge() {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	product := vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0"))
	document := func(author, id string, state func(*vex.Draft)) *assay.VEX {
		d := vex.New(author, vex.Options{Time: at, ID: "https://example.com/" + id})
		state(d)
		doc, err := d.Build()
		if err != nil {
			panic(err)
		}
		return doc
	}
	m, err := vex.Merge([]*assay.VEX{
		document("a@example.com", "1", func(d *vex.Draft) { d.Fixed("CVE-2026-0001", product) }),
		document("a@example.com", "2", func(d *vex.Draft) { d.Fixed("CVE-2026-0001", product); d.Fixed("CVE-2026-0002", product) }),
		document("b@example.com", "3", func(d *vex.Draft) { d.Affected("CVE-2026-0002", "Upgrade.", product) }),
	}, vex.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range m.Documents {
		fmt.Println(v.Author, len(v.Statements))
	}
	fmt.Println("repeated", len(m.Repeated))
	for _, c := range m.Contradictions {
		fmt.Println(c.Counts.Document.Author, c.Counts.Statement().Status, "against", c.Other.Document.Author, c.Other.Statement().Status)
	}
	// Output:
	// a@example.com 2
	// b@example.com 1
	// repeated 1
	// b@example.com affected against a@example.com fixed
}

// One file for tools that take no more; it says whose words they were.
func ExampleCompile() {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	product := vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0"))
	doc, err := vex.New("a@example.com", vex.Options{Time: at, ID: "https://example.com/1"}).Fixed("CVE-2026-0001", product).Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	all, _, err := vex.Compile("c@example.com", []*assay.VEX{doc}, vex.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(all.Author, all.Statements[0].StatusNotes)
	// Output:
	// c@example.com Stated by a@example.com in https://example.com/1 version 1.
}

// An investigation that nobody ended.
func ExampleTimeline_Stale() {
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	product := vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0"))
	doc, err := vex.New("a@example.com", vex.Options{Time: began}).UnderInvestigation("CVE-2026-0001", product).Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	line := vex.NewTimeline([]*assay.VEX{doc}, began.AddDate(0, 0, 30))
	for _, s := range line.Stale(vex.Ages{UnderInvestigation: 14 * 24 * time.Hour}) {
		fmt.Println(s.Entry.Statement().Vulnerability.ID, "since", s.Since.Format(time.DateOnly))
	}
	// Output:
	// CVE-2026-0001 since 2026-11-15
}

// That one user of a library does not call it says nothing of the other.
func ExampleTimeline_StatusIn() {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	component := func(name string) assay.Component {
		return assay.Component{ID: assay.ComponentID(name), PURL: assay.MustPURL("pkg:npm/" + name + "@1.0.0")}
	}
	sbom := &assay.SBOM{
		Root: component("image"), Components: []assay.Component{component("lib"), component("one"), component("two")},
		Relations: []assay.Relation{{From: "image", Kind: assay.DependsOn, To: "one"}, {From: "image", Kind: assay.DependsOn, To: "two"},
			{From: "one", Kind: assay.DependsOn, To: "lib"}, {From: "two", Kind: assay.DependsOn, To: "lib"}},
	}
	one := vex.ComponentProduct(component("one"))
	one.Subcomponents = []assay.Product{vex.ComponentProduct(component("lib"))}
	doc, err := vex.New("a@example.com", vex.Options{Time: at}).NotAffected("CVE-2026-0001", assay.VulnerableCodeNotInExecutePath, one).Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	got := vex.NewTimeline([]*assay.VEX{doc}, at).StatusIn(sbom, assay.Product{}, "lib", assay.Vulnerability{ID: "CVE-2026-0001"})
	fmt.Printf("%q %s %s %v\n", got.Status, got.Ways[0].Product, got.Ways[0].Answer.Status, got.Uncovered)
	// Output:
	// "" one not_affected [two]
}

func ExampleReadGovulncheck() {
	const output = `{
	  "@context": "https://openvex.dev/ns/v0.2.0", "@id": "govulncheck/vex:0f2f", "author": "Unknown Author",
	  "timestamp": "2026-11-01T12:00:00Z", "version": 1, "tooling": "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck",
	  "statements": [{"vulnerability": {"@id": "https://pkg.go.dev/vuln/GO-2026-0001", "name": "GO-2026-0001"}, "status": "affected",
	    "products": [{"@id": "Unknown Product", "subcomponents": [{"@id": "pkg:golang/example.com%2Fa@v0.3.0"}]}]}]}`
	v, warnings, err := vex.ReadGovulncheck("govulncheck.json", []byte(output), vex.Govulncheck{
		Author: "security@example.com", Product: vex.PURLProduct(assay.MustPURL("pkg:golang/example.com/app@v1.0.0")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := v.Statements[0].Products[0]
	fmt.Println(p.ID, p.Subcomponents[0].PURL)
	fmt.Println(v.Statements[0].ActionStatement)
	fmt.Println(len(warnings), "repairs")
	// Output:
	// pkg:golang/example.com/app@v1.0.0 pkg:golang/example.com/a@v0.3.0
	// Upgrade example.com/a to a version that is listed as fixed: https://pkg.go.dev/vuln/GO-2026-0001
	// 5 repairs
}

func ExampleEncodeCSAF() {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	doc, err := vex.New("security@example.com", vex.Options{Time: at, ID: "https://example.com/vex/1", Role: "vendor"}).
		Fixed("CVE-2026-0001", vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0"))).Supplier("npm").Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	data, losses, err := vex.EncodeCSAF(doc, vex.CSAF{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(string(data), `"category": "csaf_vex"`), losses)
	back, _, err := vex.ReadCSAF("csaf.json", data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.ID, back.Statements[0].Status, back.Statements[0].Products[0].PURL)
	// Output:
	// true [/statements/0/supplier: "npm": CSAF has no place for it]
	// https://example.com/vex/1 fixed pkg:npm/app@1.0.0
}

func ExampleEncodeCycloneDX() {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	app := vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0"))
	part := app
	part.Subcomponents = []assay.Product{vex.PURLProduct(assay.MustPURL("pkg:npm/lib@2.0.0"))}
	doc, err := vex.New("security@example.com", vex.Options{Time: at, ID: "https://example.com/vex/1"}).
		NotAffected("CVE-2026-0001", assay.VulnerableCodeNotInExecutePath, part).Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	data, losses, err := vex.EncodeCycloneDX(doc, app)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(string(data), `"justification": "code_not_reachable"`), losses)
	back, _, err := vex.ReadCycloneDX("vex.cdx.json", data, vex.CycloneDX{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := back.Statements[0].Products[0]
	fmt.Println(p.PURL, p.Subcomponents[0].PURL, back.Statements[0].Status)
	// Output:
	// true [/@id: "https://example.com/vex/1": a serialNumber is a UUID; one derived from it is written]
	// pkg:npm/app@1.0.0 pkg:npm/lib@2.0.0 not_affected
}
