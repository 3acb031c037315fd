package cyclonedx_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

func TestXMLRefused(t *testing.T) {
	const start = `<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1">`
	component := func(s string) string {
		return start + `<components><component type="library">` + s + `</component></components></bom>`
	}
	for name, tt := range map[string]struct {
		in   string
		kind error
		says []string
	}{
		"document type":      {`<!DOCTYPE bom [<!ENTITY a "b">]>` + start + `</bom>`, assay.ErrInvalid, []string{"DOCTYPE", "document type"}},
		"entity":             {component(`<name>&a;</name>`), assay.ErrInvalid, []string{"entity"}},
		"encoding":           {`<?xml version="1.0" encoding="UTF-16"?>` + start + `</bom>`, assay.ErrInvalid, []string{"encoding"}},
		"not UTF-8":          {component("<name>\xff</name>"), assay.ErrInvalid, []string{"UTF-8"}},
		"attribute twice":    {component(`<name>a</name><swid tagId="1" tagId="2" name="x"/>`), assay.ErrInvalid, []string{"tagId", "once"}},
		"twice by namespace": {`<bom xmlns="http://cyclonedx.org/schema/bom/1.6" xmlns:a="urn:a" xmlns:b="urn:a" a:x="1" b:x="2"/>`, assay.ErrInvalid, []string{"once"}},
		"prefix":             {component(`<name>a</name><x:y/>`), assay.ErrInvalid, []string{"x:y", "prefix"}},
		"tags":               {start + `<components></bom></components>`, assay.ErrInvalid, []string{"</bom>"}},
		"cut":                {start + `<components>`, assay.ErrInvalid, []string{"f.xml"}},
		"after the end":      {start + `</bom><bom/>`, assay.ErrInvalid, []string{"outside"}},
		"text after the end": {start + `</bom>x`, assay.ErrInvalid, []string{"outside"}},
		"unknown element":    {component(`<name>a</name><nmae>b</nmae>`), assay.ErrInvalid, []string{"/bom/components/component/nmae", "line 1", "knows here"}},
		"unknown attribute":  {start + `<metadata x="1"/></bom>`, assay.ErrInvalid, []string{`"x"`, "attribute"}},
		"later version":      {start + `<citations/></bom>`, assay.ErrInvalid, []string{"citations"}},
		"order":              {component(`<version>1</version><name>a</name>`), assay.ErrInvalid, []string{`"name"`, "before version"}},
		"element twice":      {component(`<name>a</name><name>b</name>`), assay.ErrInvalid, []string{"name", "once"}},
		"text":               {start + `<components>x</components></bom>`, assay.ErrInvalid, []string{`"x"`, "no text"}},
		"no namespace":       {`<bom version="1"/>`, assay.ErrInvalid, []string{"namespace"}},
		"other namespace":    {component(`<name xmlns="http://cyclonedx.org/schema/bom/1.5">a</name>`), assay.ErrInvalid, []string{"namespace"}},
		"version 1.8":        {`<bom xmlns="http://cyclonedx.org/schema/bom/1.8"/>`, assay.ErrUnchecked, []string{"1.8", "1.7"}},
		"no name":            {component(``), assay.ErrInvalid, []string{"/components/0", `"name"`}},
		"boolean":            {component(`<name>a</name><modified>yes</modified>`), assay.ErrInvalid, []string{`"yes"`, "true or false"}},
		"number":             {component(`<name>a</name><swid tagId="1" name="x" tagVersion="1e3"/>`), assay.ErrInvalid, []string{`"1e3"`}},
		"duplicate bom-ref":  {start + `<components><component type="library" bom-ref="a"><name>a</name></component><component type="library" bom-ref="a"><name>b</name></component></components></bom>`, assay.ErrInvalid, []string{"/components/1/bom-ref", `"a"`}},
		"depth":              {start + strings.Repeat(`<components><component type="library"><name>a</name>`, 70), assay.ErrBound, []string{"depth 129", "at most 128"}},
		"foreign depth":      {component(`<name>a</name>` + strings.Repeat(`<x xmlns="urn:x">`, 200)), assay.ErrBound, []string{"depth"}},
		"empty":              {``, assay.ErrInvalid, []string{"empty file"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cyclonedx.Decode("f.xml", []byte(tt.in), true, ignore)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, want %v", err, tt.kind)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

// What is not of CycloneDX is kept where it was, with its namespaces, and told.
func TestForeignXML(t *testing.T) {
	const in = `<b:bom xmlns:b="http://cyclonedx.org/schema/bom/1.6" xmlns:x="urn:x" xmlns:y="urn:y" version="1" x:a="1&#xA;2">` +
		`<b:components z="3"><b:component type="library"><b:name x:c="4">n</b:name><x:e><y:f g="&lt;"/>text</x:e></b:component></b:components></b:bom>`
	var told []string
	doc, err := cyclonedx.Decode("f.xml", []byte(in), true, func(field string, _ assay.ComponentID, _ string) { told = append(told, field) })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(told, " "), "/ /components /components/0 /components/0/name"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	out, err := cyclonedx.Encode(doc, cyclonedx.Target{Version: 6, XML: true}, ignore)
	if err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1" xmlns:x="urn:x" x:a="1&#xa;2">` +
		`<components z="3"><component type="library"><name xmlns:x="urn:x" x:c="4">n</name>` +
		`<x:e xmlns:x="urn:x" xmlns:y="urn:y"><y:f g="&lt;"/>text</x:e></component></components></bom>`
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	lost := 0
	if _, err := cyclonedx.Encode(doc, cyclonedx.Target{Version: 6}, func(string, assay.ComponentID, string) { lost++ }); err != nil || lost != 4 {
		t.Errorf("%d losses in JSON, %v", lost, err)
	}
}

// A signature is over the bytes, which are given back while nothing has changed.
func TestSignedXML(t *testing.T) {
	const in = "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\" version=\"1\">\n  <components/>\n  <ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>\n</bom>"
	doc, err := cyclonedx.Decode("f.xml", []byte(in), true, ignore)
	if err != nil {
		t.Fatal(err)
	}
	to := cyclonedx.Target{Version: 6, XML: true}
	if out, err := cyclonedx.Encode(doc, to, ignore); err != nil || string(out) != in {
		t.Errorf("got %s, %v", out, err)
	}
	doc.Components = append(doc.Components, assay.Component{ID: "a", Type: assay.TypeLibrary, Name: "a"})
	told := ""
	out, err := cyclonedx.Encode(doc, to, func(field string, _ assay.ComponentID, reason string) { told += field + " " + reason })
	if err != nil || !strings.Contains(told, "signature") || strings.Contains(string(out), "Signature") {
		t.Errorf("got %s, %v, told %q", out, err, told)
	}
}

// What an SBOM gained that a version does not have is told, also where the document
// that it was read from is of that version.
func TestGainedLoss(t *testing.T) {
	doc, err := cyclonedx.Decode("f", []byte(`{"bomFormat":"CycloneDX","specVersion":"1.4","version":1,"services":[{"name":"s"}]}`), false, ignore)
	if err != nil {
		t.Fatal(err)
	}
	doc.Lifecycle = "build"
	told := ""
	report := func(field string, _ assay.ComponentID, _ string) { told += field + " " }
	if _, err := cyclonedx.Encode(doc, cyclonedx.Target{Version: 4}, report); err != nil || told != "lifecycle " {
		t.Errorf("told %q, %v", told, err)
	}
	told = ""
	out, err := cyclonedx.Encode(doc, cyclonedx.Target{Version: 5}, report)
	if err != nil || told != "" || !strings.Contains(string(out), `"lifecycles":[{"phase":"build"}]`) || !strings.Contains(string(out), `"services":[{"name":"s"}]`) {
		t.Errorf("told %q, %v: %s", told, err, out)
	}
}

// What is written at once, and read at once, is what goes by way of the tree. If it were
// not, nothing would be wrong but the figures.
func TestXMLAtOnce(t *testing.T) {
	form := inventory(t, 9)
	form.Authors, form.Lifecycle = []string{"Jane <jane@e.example>", "Acme <https://e.example/>"}, "post-build"
	form.Components[1].Creator, form.Components[2].Creator = "Acme <https://e.example/x>", "Jane <jane@e.example>"
	form.Components[3].References = []assay.Reference{{Type: assay.RefWebsite, URL: "https://e.example/?a&b", Comment: "a\n<b>"}}
	form.Components[4].Licenses = []assay.License{{Expression: "MIT OR ISC", Concluded: true}}
	form.Components[5].CPEs = []string{"cpe:/a", "cpe:/b"}
	form.Components[6].Properties = map[string]string{"a b": "é & \"c\"\n\td", "": ""}
	for _, to := range targets() {
		if !to.XML {
			continue
		}
		if d, direct := cyclonedx.DirectXMLDiffers(form, to.Version); d != "" || !direct {
			t.Errorf("%s: written at once: %t %s", to.name, direct, d)
		}
		data, err := cyclonedx.Encode(form, to.Target, ignore)
		if err != nil {
			t.Fatal(err)
		}
		indented, err := cyclonedx.IndentXML(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{data, append(indented, '\n')} {
			if d, taken := cyclonedx.WireXMLDiffers(data); d != "" || !taken {
				t.Errorf("%s: read at once: %t %s", to.name, taken, d)
			}
			// Before 1.5, statements of completeness are read as of each component.
			if doc, err := cyclonedx.Decode("f.xml", data, true, ignore); err != nil || doc.Rest.Format != "" && to.Version > 4 {
				t.Errorf("%s: what was written keeps the document: %q, %v", to.name, doc.Rest.Format, err)
			}
		}
	}
}

// Whatever the reader at once does not know, it leaves to the others.
func TestXMLLeft(t *testing.T) {
	const start, end = `<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components><component type="library" bom-ref="a">`, `</component></components></bom>`
	const name = `<name>a</name>`
	for in, taken := range map[string]bool{
		start + name + end: true,
		start + `<publisher>p</publisher>` + name + `<scope>optional</scope>` + end:                                    true, // the model does not have them
		start + name + `<scope>never</scope>` + end:                                                                    false,
		start + name + name + end:                                                                                      false,
		start + `<description>d</description>` + name + end:                                                            false,
		start + name + `<version>1</version>` + end + " \n":                                                            true,
		start + name + `<version>1</version>` + end + "x":                                                              false,
		start + name + end + `<bom/>`:                                                                                  false,
		start + name + `<hashes><hash alg="MD5">x</hash></hashes>` + end:                                               false,
		start + name + `<hashes><hash>d41d8cd98f00b204e9800998ecf8427e</hash></hashes>`:                                false,
		start + name + `<licenses><license><id>MIT</id><name>x</name></license></licenses>` + end:                      false,
		start + name + `<licenses><license><id>MIT</id></license><expression>ISC</expression></licenses>` + end:        false,
		start + name + `<licenses><license><id>MIT</id></license><license><name/></license></licenses>` + end:          true,
		start + name + `<components><component type="file" bom-ref="a">` + name + `</component></components>` + end:    false, // a bom-ref twice
		start + name + `<components><component type="file" bom-ref="b">` + name + `</component></components>` + end:    true,
		start + name + `</component></components><dependencies><dependency ref="b"/></dependencies></bom>`:             false, // which nobody defines
		start + name + `</component></components><dependencies><dependency ref="a"/></dependencies></bom>`:             true,
		start + name + `</component></components><dependencies><dependency/></dependencies></bom>`:                     false,
		start + name + `<evidence><occurrences><occurrence><line>1</line></occurrence></occurrences></evidence>` + end: false,
		strings.Replace(start, ` version="1"`, ` version="01"`, 1) + name + end:                                        false,
		strings.Replace(start, ` version="1"`, ` version="1" version="1"`, 1) + name + end:                             false,
		strings.Replace(start, `1.6`, `1.06`, 1) + name + end:                                                          false,
		strings.Replace(start, `type="library" `, ``, 1) + name + end:                                                  false,
		strings.Replace(start, `type="library"`, `type='library'`, 1) + name + end:                                     false,
		start + `<!-- c -->` + name + end:                                                                              false,
		start + `<name>&#65;</name>` + end:                                                                             false,
		start + `<name>]]></name>` + end:                                                                               false,
		start + "<name>\r\n</name>" + end:                                                                              false,
		start + "<name>a\xff</name>" + end:                                                                             false,
	} {
		if d, got := cyclonedx.WireXMLDiffers([]byte(in)); got != taken || d != "" {
			t.Errorf("%s: read at once: %t, want %t %s", in, got, taken, d)
		}
	}
}
