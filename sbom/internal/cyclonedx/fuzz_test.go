package cyclonedx_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

// checkDecode writes what was read in every version and encoding. What is written
// can be read, is the same without a loss, and the same document in its own format.
func checkDecode(t *testing.T, data []byte, xml bool) {
	if xml {
		if d := cyclonedx.PlainDiffers(data); d != "" {
			t.Fatalf("(all XML, plain XML) %s\n%s", d, data)
		}
		if d, _ := cyclonedx.WireXMLDiffers(data); d != "" {
			t.Fatalf("(-in turn +at once) %s\n%s", d, data)
		}
	}
	doc, err := cyclonedx.Decode("fuzz", data, xml, ignore)
	if err != nil {
		if _, ok := errors.AsType[*assay.Error](err); !ok {
			t.Fatalf("untyped error %v", err)
		}
		return
	}
	form, err := canon.Form(doc, ignore)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if !xml {
		if d := cyclonedx.WireDiffers(data); d != "" {
			t.Fatalf("(-tags +read) %s\n%s", d, data)
		}
	}
	if xml {
		// Indentation says nothing.
		indented, err := cyclonedx.IndentXML(data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := cyclonedx.Decode("indented", indented, true, ignore)
		if err != nil {
			t.Fatalf("%v\n%s", err, indented)
		}
		if d := cmp.Diff(doc, again, equalSBOM); d != "" {
			t.Fatalf("(-read +indented) %s\n%s", d, indented)
		}
	}
	for _, to := range targets() {
		if d, _ := cyclonedx.DirectXMLDiffers(form, to.Version); d != "" {
			t.Fatalf("%s: (-by the tree +at once) %s\n%s", to.name, d, data)
		}
		var lost []string
		out, err := cyclonedx.Encode(form, to.Target, func(field string, _ assay.ComponentID, reason string) { lost = append(lost, field+": "+reason) })
		if err != nil {
			t.Fatalf("%s: cannot write what was read: %v\n%s", to.name, err, data)
		}
		again, err := cyclonedx.Decode("again", out, to.XML, ignore)
		if err != nil {
			t.Fatalf("%s: cannot read what was written: %v\n%s\n%s", to.name, err, data, out)
		}
		got, err := canon.Form(again, ignore)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(form, got, equalSBOM); d != "" && len(lost) == 0 {
			t.Fatalf("%s: (-read +read again) %s\n%s\n%s", to.name, d, data, out)
		}
		if !strings.HasSuffix(doc.Format, "/"+to.version) || to.XML != xml {
			continue
		}
		if len(lost) > 0 {
			t.Fatalf("%s: lost %q\n%s", to.name, lost, data)
		}
		if doc.Rest.Format != "" {
			if d := cyclonedx.Differ(data, out, xml); d != "" {
				t.Fatalf("%s: %s\n%s\n%s", to.name, d, data, out)
			}
		}
	}
}

func seed(f *testing.F, ext string) {
	form := inventory(f, 3)
	for _, to := range targets() {
		if to.XML != (ext == "xml") {
			continue
		}
		data, err := cyclonedx.Encode(form, to.Target, ignore)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	files, _ := filepath.Glob(filepath.Join(os.Getenv("ASSAY_CORPORA"), "cyclonedx-spec", "1.[0-7]", "*."+ext))
	for _, name := range files {
		f.Add(load(f, name))
	}
}

func FuzzDecodeXML(f *testing.F) {
	seed(f, "xml")
	const ns = `<bom xmlns="http://cyclonedx.org/schema/bom/`
	for _, s := range []string{
		ns + `1.6"/>`,
		ns + `1.0" version="1"><components><component type="library"><name>a</name><version>1</version><modified>false</modified></component></components></bom>`,
		ns + `1.5" xmlns:x="urn:x" x:a="1" version="1"><components y="2"><component type="library" bom-ref="a"><name>a</name><x:e><b/></x:e></component></components><dependencies><dependency ref="a"><dependency ref="a"><dependency ref="a"/></dependency></dependency></dependencies></bom>`,
		ns + `1.7"><metadata><tools><components><component type="application"><name>t</name></component></components></tools></metadata><components><component type="data" isExternal="true"><name>&#x9;a&amp;<![CDATA[]]></name><versionRange>vers:x/*</versionRange><licenses><license><id>MIT</id></license><expression>MIT OR ISC</expression></licenses></component></components></bom>`,
	} {
		f.Add([]byte(s))
	}
	// What is at the edge of plain XML.
	for _, text := range []string{"x&amp;y", "x&amp", "&lt;a&gt;&quot;&apos;", "&#65;", "a]]>b", "\r\n", "é", "\uffff", "\ufffd", "\xff", "&amp;lt;", "a\tb\nc", "<![CDATA[x]]>", "a<!-- c -->b", "\x7f", "&ampx;"} {
		f.Add([]byte(ns + `1.6" version="1"><components><component type="library" bom-ref="` + text + `"><name>` + text + `</name></component></components></bom>`))
		f.Add([]byte(ns + `1.6" version="1"><components><component type="library"><name>` + text + `</name></component></components></bom>`))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkDecode(t, data, true) })
}

func FuzzDecodeJSON(f *testing.F) {
	seed(f, "json")
	f.Fuzz(func(t *testing.T, data []byte) { checkDecode(t, data, false) })
}
