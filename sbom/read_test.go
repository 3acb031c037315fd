package sbom_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

const (
	cdx  = `{"bomFormat":"CycloneDX","specVersion":"1.6",`
	spdx = `{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"n","documentNamespace":"https://example.com/1","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: t"]},`
	pkgA = `"SPDXID":"SPDXRef-a","name":"a","downloadLocation":"NONE"`
)

func note(text string) string {
	return `"annotations":[{"annotator":"Tool: assay","annotationDate":"2026-01-01T00:00:00Z","annotationType":"OTHER","comment":"` + strings.ReplaceAll(text, `"`, `\"`) + `"}]`
}

func TestRefusedToRead(t *testing.T) {
	lib := `"components":[{"type":"library","bom-ref":"a","name":"a"`
	for name, tt := range map[string]struct {
		in   string
		kind error
		says []string
	}{
		"empty":              {"", assay.ErrInvalid, []string{"f.json", "empty file"}},
		"text":               {"hello", assay.ErrInvalid, []string{"hello"}},
		"array":              {"[]", assay.ErrInvalid, []string{"[]"}},
		"other JSON":         {`{"a":1,"b":2}`, assay.ErrInvalid, []string{"members a, b", "bomFormat"}},
		"empty object":       {`{}`, assay.ErrInvalid, []string{"bomFormat"}},
		"truncated":          {cdx + `"components":[`, assay.ErrInvalid, []string{"/components"}},
		"cut at once":        {`{"a`, assay.ErrInvalid, []string{"f.json"}},
		"CycloneDX XML 1.8":  {`<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.8"/>`, assay.ErrUnchecked, []string{"bom/1.8"}},
		"SPDX tag-value":     {"SPDXVersion: SPDX-2.3\n", assay.ErrInvalid, []string{"line 1", "created"}},
		"SPDX RDF":           {`<rdf:RDF xmlns:spdx="http://spdx.org/rdf/terms#"/>`, assay.ErrUnchecked, []string{"SPDX RDF"}},
		"SPDX 3.1":           {`{"@context":"https://spdx.org/rdf/3.1.0/spdx-context.jsonld","@graph":[]}`, assay.ErrUnchecked, []string{"/@context", "3.1.0"}},
		"SPDX 2.1":           {strings.Replace(spdx, "2.3", "2.1", 1) + `"packages":[]}`, assay.ErrUnchecked, []string{"/spdxVersion", "SPDX-2.1"}},
		"CycloneDX 1.8":      {`{"bomFormat":"CycloneDX","specVersion":"1.8"}`, assay.ErrUnchecked, []string{"/specVersion", `"1.8"`, "1.7"}},
		"a member of 1.7":    {cdx + `"citations":[]}`, assay.ErrInvalid, []string{"/citations", "CycloneDX 1.6"}},
		"duplicate member":   {cdx + `"version":1,"version":2}`, assay.ErrInvalid, []string{"/version", "once"}},
		"other case":         {cdx + `"Components":[]}`, assay.ErrInvalid, []string{`"Components"`}},
		"trailing data":      {cdx + `"version":1} {}`, assay.ErrInvalid, []string{"nothing after"}},
		"too deep":           {cdx + `"formulation":` + strings.Repeat("[", 130) + strings.Repeat("]", 130) + "}", assay.ErrBound, []string{"depth"}},
		"both formats":       {cdx + `"spdxVersion":"SPDX-2.3"}`, assay.ErrInvalid, []string{`"spdxVersion"`}},
		"version 0":          {cdx + `"version":0}`, assay.ErrInvalid, []string{"/version", `"0"`}},
		"no version in 1.5":  {`{"bomFormat":"CycloneDX","specVersion":"1.5"}`, assay.ErrInvalid, []string{`a member "version"`}},
		"serial":             {cdx + `"serialNumber":"urn:uuid:x"}`, assay.ErrInvalid, []string{"/serialNumber", "urn:uuid:x"}},
		"duplicate ref":      {cdx + lib + `},{"type":"library","bom-ref":"a","name":"b"}]}`, assay.ErrInvalid, []string{"/components/1/bom-ref", `"a"`, "unique"}},
		"ref of a service":   {cdx + lib + `}],"services":[{"bom-ref":"a","name":"s"}]}`, assay.ErrInvalid, []string{"/services/0/bom-ref"}},
		"dangling":           {cdx + lib + `}],"dependencies":[{"ref":"a","dependsOn":["b"]}]}`, assay.ErrInvalid, []string{"/dependencies/0/dependsOn/0", `"b"`}},
		"dangling relation":  {cdx + lib + `,"properties":[{"name":"assay:relation:contains","value":"b"}]}]}`, assay.ErrInvalid, []string{"/components/0/properties/0/value", `"b"`}},
		"purl":               {cdx + lib + `,"purl":"npm/a"}]}`, assay.ErrInvalid, []string{"/components/0/purl", "npm/a"}},
		"hash length":        {cdx + lib + `,"hashes":[{"alg":"SHA-256","content":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}]}]}`, assay.ErrInvalid, []string{"/components/0/hashes/0/content", "SHA-256"}},
		"two hashes":         {cdx + lib + `,"hashes":[{"alg":"MD5","content":"` + strings.Repeat("0", 32) + `"},{"alg":"MD5","content":"` + strings.Repeat("1", 32) + `"}]}]}`, assay.ErrInvalid, []string{"/components/0/hashes", "md5"}},
		"two foundBy":        {cdx + lib + `,"properties":[{"name":"assay:foundBy","value":"a"},{"name":"assay:foundBy","value":"b"}]}]}`, assay.ErrInvalid, []string{"/components/0/properties/1", "assay:foundBy"}},
		"layer":              {cdx + `"metadata":{"properties":[{"name":"assay:layer","value":"x"}]}}`, assay.ErrInvalid, []string{"/metadata/properties/0", `"x"`}},
		"mixed licenses":     {cdx + lib + `,"licenses":[{"expression":"MIT"},{"license":{"id":"MIT"}}]}]}`, assay.ErrInvalid, []string{"/components/0/licenses", "an expression alone"}},
		"license id":         {cdx + lib + `,"licenses":[{"license":{"id":"GPLv2"}}]}]}`, assay.ErrInvalid, []string{"/components/0/licenses/0/license/id", "GPLv2"}},
		"lying completeness": {cdx + lib + `}],"compositions":[{"bom-ref":"assay:completeness:complete:components@","aggregate":"unknown"}]}`, assay.ErrInvalid, []string{"/compositions/0"}},
		"completeness of one said of all": {cdx + lib + `},{"type":"library","bom-ref":"b","name":"b"}],"compositions":[{"bom-ref":"assay:completeness:complete:dependencies@","aggregate":"complete","dependencies":["a"]}]}`,
			assay.ErrInvalid, []string{"/compositions/0"}},

		"no name":           {spdx + `"packages":[{"SPDXID":"SPDXRef-a","downloadLocation":"NONE"}]}`, assay.ErrInvalid, []string{"/packages/0", `"name"`}},
		"duplicate SPDXID":  {spdx + `"packages":[{` + pkgA + `},{` + pkgA + `}]}`, assay.ErrInvalid, []string{"/packages/1/SPDXID", "SPDXRef-a"}},
		"document's SPDXID": {spdx + `"packages":[{` + strings.Replace(pkgA, "SPDXRef-a", "SPDXRef-DOCUMENT", 1) + `}]}`, assay.ErrInvalid, []string{"/packages/0/SPDXID"}},
		"SPDXID":            {spdx + `"packages":[{` + strings.Replace(pkgA, "SPDXRef-a", "a", 1) + `}]}`, assay.ErrInvalid, []string{"/packages/0/SPDXID"}},
		"dangling SPDXID":   {spdx + `"relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-b"}]}`, assay.ErrInvalid, []string{"/relationships/0/relatedSpdxElement", "SPDXRef-b"}},
		"data license":      {strings.Replace(spdx, "CC0-1.0", "MIT", 1) + `"packages":[]}`, assay.ErrInvalid, []string{"/dataLicense", "MIT"}},
		"namespace":         {strings.Replace(spdx, "com/1", "com/1#x", 1) + `"packages":[]}`, assay.ErrInvalid, []string{"/documentNamespace"}},
		"created":           {strings.Replace(spdx, "2026-01-01T00", "2026-01-01 00", 1) + `"packages":[]}`, assay.ErrInvalid, []string{"/creationInfo/created"}},
		"supplier":          {spdx + `"packages":[{` + pkgA + `,"supplier":"Acme"}]}`, assay.ErrInvalid, []string{"/packages/0/supplier", "Acme"}},
		"SPDX purl":         {spdx + `"packages":[{` + pkgA + `,"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"x"}]}]}`, assay.ErrInvalid, []string{"/packages/0/externalRefs/0/referenceLocator"}},
		"SPDX hash length":  {spdx + `"packages":[{` + pkgA + `,"checksums":[{"algorithm":"SHA256","checksumValue":"ab"}]}]}`, assay.ErrInvalid, []string{"/packages/0/checksums/0"}},
		// One document must not say one thing to us and another to everybody else.
		"lying license":  {spdx + `"packages":[{` + pkgA + `,"licenseDeclared":"MIT",` + note(`assay:component/1 {"licenses":[{"expression":"GPL-3.0-only"}]}`) + `}]}`, assay.ErrInvalid, []string{"/packages/0/annotations", "licenses"}},
		"lying type":     {spdx + `"packages":[{` + pkgA + `,"primaryPackagePurpose":"LIBRARY",` + note(`assay:component/1 {"type":"platform"}`) + `}]}`, assay.ErrInvalid, []string{"type"}},
		"lying supplier": {spdx + `"packages":[{` + pkgA + `,"supplier":"Organization: A",` + note(`assay:component/1 {"supplier":"B"}`) + `}]}`, assay.ErrInvalid, []string{"supplier"}},
		"lying id":       {spdx + `"packages":[{` + pkgA + `,` + note(`assay:component/1 {"id":"b"}`) + `}]}`, assay.ErrInvalid, []string{"id"}},
		"lying hash": {spdx + `"packages":[{` + pkgA + `,"checksums":[{"algorithm":"MD5","checksumValue":"` + strings.Repeat("0", 32) + `"}],` +
			note(`assay:component/1 {"hashes":{"md5":"`+strings.Repeat("1", 32)+`"}}`) + `}]}`, assay.ErrInvalid, []string{"/packages/0/checksums", "md5"}},
		"lying creators":   {spdx + note(`assay:document/1 {"creators":{"tools":[{"name":"other"}],"authors":[]}}`) + `}`, assay.ErrInvalid, []string{"creators"}},
		"lying root":       {spdx + `"packages":[{` + pkgA + `}],` + note(`assay:document/1 {"noRoot":true}`) + `}`, assay.ErrInvalid, []string{"noRoot"}},
		"unknown fact":     {spdx + `"packages":[{` + pkgA + `,` + note(`assay:component/1 {"new":1}`) + `}]}`, assay.ErrInvalid, []string{"/packages/0/annotations", "new"}},
		"facts of nothing": {spdx + note(`assay:document/1 {"completeness":[{"of":"x","scope":"components","aggregate":"complete"}]}`) + `}`, assay.ErrInvalid, []string{"completeness", `"x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			doc, lost, err := sbom.ReadReport("f.json", []byte(tt.in))
			if !errors.Is(err, tt.kind) || doc != nil || lost != nil {
				t.Fatalf("got %+v, %v; want %v", doc, err, tt.kind)
			}
			for _, s := range append(tt.says, "f.json") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

// What a foreign document says in ways of its own.
func TestForeignCycloneDX(t *testing.T) {
	in := `{"bomFormat":"CycloneDX","specVersion":"1.4","version":3,"metadata":{"timestamp":"2026-01-01T01:00:00+01:00",
		"tools":[{"vendor":"Acme","name":"gen","version":"1"}],"authors":[{"name":"Jane","email":"j@example.com","phone":"1"}]},
		"components":[{"type":"application","name":"app","scope":"optional","components":[
			{"type":"library","bom-ref":"core","group":"@angular","name":"core","version":"1","purl":"pkg:npm/%40angular/core@1",
			"licenses":[{"license":{"name":"MIT","url":"https://example.com"}},{"expression":"not valid"}],"hashes":[{"alg":"SHA-1","content":"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}],
			"externalReferences":[{"type":"vcs","url":"https://example.com"}],"properties":[{"name":"a","value":"1"},{"name":"a","value":"2"}]}]}],
		"services":[{"bom-ref":"svc","name":"s"}],"dependencies":[{"ref":"core","dependsOn":["svc"]},{"ref":"svc"}]}`
	doc, lost, err := sbom.ReadReport("f", []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	want := &assay.SBOM{
		Version: 3, Created: doc.Created, Format: "cyclonedx-json/1.4", Tools: []assay.Tool{{Name: "gen", Version: "1", Vendor: "Acme"}}, Authors: []string{"Jane <j@example.com>"},
		Components: []assay.Component{
			{ID: "#/components/0", Type: assay.TypeApplication, Name: "app"},
			{ID: "core", Type: assay.TypeLibrary, Name: "@angular/core", Version: "1", PURL: purl(t, "pkg:npm/%40angular/core@1"),
				Licenses: []assay.License{{Name: "not valid"}, {Expression: "MIT"}},
				Hashes:   assay.DigestSet{assay.MustDigest("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709")}, Properties: map[string]string{"a": "1"},
				References: []assay.Reference{{Type: assay.RefVCS, URL: "https://example.com"}}},
		},
		Relations: []assay.Relation{{From: "#/components/0", Kind: assay.Contains, To: "core"}},
	}
	for i := range want.Components {
		sortInside(&want.Components[i])
	}
	if d := cmp.Diff(want, doc, equal); d != "" {
		t.Error(d)
	}
	if doc.Created.Format("15:04 MST") != "00:00 UTC" {
		t.Errorf("created %v", doc.Created)
	}
	var got []string
	for _, l := range lost {
		got = append(got, string(l.Component)+" "+l.Field)
	}
	slices.Sort(got)
	if d := cmp.Diff([]string{
		" /dependencies/0/dependsOn/0", " /dependencies/1", " /metadata/authors/0/phone", " /services",
		"#/components/0 /components/0/scope", "core /components/0/components/0/licenses/0/license/url",
		"core /components/0/components/0/licenses/1/expression", "core /components/0/components/0/properties/1",
	}, got); d != "" {
		t.Error(d)
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bom.json")
	if _, err := sbom.ReadFile(path); !errors.Is(err, assay.ErrAbsent) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if _, err := sbom.ReadFile(dir); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("got %v", err)
	}
	want := small(t)
	if err := os.WriteFile(path, encode(t, want, sbom.SPDXJSON), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := sbom.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want.Format = "spdx-json/2.3"
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Error(d)
	}
}

func TestFormat(t *testing.T) {
	for f, want := range map[sbom.Format][2]string{
		sbom.CycloneDXJSON: {"application/vnd.cyclonedx+json", "https://cyclonedx.org/bom"},
		sbom.SPDXJSON:      {"application/spdx+json", "https://spdx.dev/Document"},
		sbom.SPDXTagValue:  {"text/spdx", ""},
		sbom.SPDX3JSON:     {"application/spdx+json", "https://spdx.dev/Document"},
		sbom.Table:         {"text/plain; charset=utf-8", ""},
		"other":            {"", ""},
	} {
		if got := [2]string{f.MediaType(), f.PredicateType().String()}; got != want {
			t.Errorf("%s: %v", f, got)
		}
		if p, err := sbom.ParseFormat(f.String()); (err == nil) != (want[0] != "") || err == nil && p != f {
			t.Errorf("ParseFormat(%s) = %s, %v", f, p, err)
		}
	}
}

// A byte order mark is allowed before text, and not before JSON.
func TestReadByteOrderMark(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	for f, valid := range map[sbom.Format]bool{sbom.CycloneDXXML: true, sbom.SPDXTagValue: true, sbom.CycloneDXJSON: false, sbom.SPDXJSON: false, sbom.SPDX3JSON: false} {
		data, _, err := sbom.Encode(small(t), f, sbom.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := sbom.Read("plain", data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sbom.Read("marked", append([]byte(mark), data...))
		switch {
		case !valid:
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "a byte order mark") {
				t.Errorf("%s: %v", f, err)
			}
		case err != nil:
			t.Errorf("%s: %v", f, err)
		default:
			if d := sbom.Compare(want, got); !d.Empty() || len(want.Components) != len(got.Components) {
				t.Errorf("%s: %v", f, d)
			}
		}
		if _, err := sbom.Read("twice", append([]byte(mark+mark), data...)); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s, two marks: %v", f, err)
		}
	}
}
