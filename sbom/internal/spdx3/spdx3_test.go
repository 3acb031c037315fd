package spdx3_test

import (
	"errors"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/spdx"
	"github.com/assaykit/assay/sbom/internal/spdx3"
)

var (
	same   = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(assay.Digest{}, assay.PURL{}), cmpopts.IgnoreFields(assay.SBOM{}, "Format")}
	silent = func(string, assay.ComponentID, string) {}
)

// write gives the document of an SBOM, in the form that package sbom makes.
func write(t testing.TB, doc *assay.SBOM) (*assay.SBOM, []byte) {
	t.Helper()
	form, err := canon.Form(doc, silent)
	if err != nil {
		t.Fatal(err)
	}
	if form.Serial == "" {
		form.Serial = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"
	}
	if form.Created.IsZero() {
		form.Created = time.Unix(0, 0).UTC()
	}
	data, err := spdx3.Encode(form, silent)
	if err != nil {
		t.Fatal(err)
	}
	return form, data
}

// Every id comes back, whatever it is made of: also those that look like IRIs, like
// those of the document, and like what is no component.
func TestIDs(t *testing.T) {
	doc := &assay.SBOM{Serial: "https://e.example/doc", Created: time.Unix(0, 0).UTC(), Version: 1, Components: []assay.Component{}}
	for _, id := range []assay.ComponentID{"a", "A b", "/sbom", "%2Fsbom", "pkg:npm/%40a/b@1", "https://e.example/doc", "https://e.example/doc#a", "https://e.example/doc#/sbom",
		"https://e.example/other#x", "urn:x:y", "ü", "\u2028", "\"\\", "http://e.example/a b", "NoneElement", "_:b"} {
		doc.Components = append(doc.Components, assay.Component{ID: id, Type: assay.TypeLibrary, Name: "n"})
	}
	form, data := write(t, doc)
	got, err := spdx3.Decode("f", data, silent)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if d := cmp.Diff(form, got, same); d != "" {
		t.Error(d)
	}
}

func FuzzIDs(f *testing.F) {
	f.Add("https://e.example/doc", "a", "https://e.example/doc#a")
	f.Add("urn:x:\"", "/", "%2F")
	f.Fuzz(func(t *testing.T, serial, a, b string) {
		serial = "x:" + serial
		if a == b || a == "" || b == "" || !utf8.ValidString(a) || !utf8.ValidString(b) || !utf8.ValidString(serial) || !spdx.ValidNamespace(serial) {
			t.Skip()
		}
		doc := &assay.SBOM{Serial: serial, Created: time.Unix(0, 0).UTC(), Version: 1, Components: []assay.Component{
			{ID: assay.ComponentID(a), Type: assay.TypeLibrary}, {ID: assay.ComponentID(b), Type: assay.TypeFile}}}
		form, data := write(t, doc)
		got, err := spdx3.Decode("f", data, silent)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if d := cmp.Diff(form, got, same); d != "" {
			t.Error(d)
		}
	})
}

// What is read is written, and then read as the same.
func FuzzDecode(f *testing.F) {
	_, data := write(f, &assay.SBOM{Root: assay.Component{ID: "r", Type: assay.TypeContainer, Name: "r", Supplier: "s"},
		Components: []assay.Component{{ID: "a", Type: assay.TypeCrypto, Name: "a", CPEs: []string{"x"}, Properties: map[string]string{"p": "q"},
			Licenses: []assay.License{{Expression: "MIT"}, {Name: "own", Concluded: true}}}},
		Relations:    []assay.Relation{{From: "r", Kind: assay.DependsOn, To: "a"}, {From: "a", Kind: assay.OwnedBy, To: "r"}},
		Completeness: []assay.Completeness{{Scope: "dependencies", Aggregate: "complete"}}})
	f.Add(data)
	f.Add([]byte(`{"@context":["https://spdx.org/rdf/3.0.0/spdx-context.jsonld",{"d":"https://e.example/doc#"}],"@graph":[{"@type":"spdx:Software/Package","@id":"d:a","creationInfo":{"type":"CreationInfo","specVersion":"3.0.0","created":"2026-01-02T03:04:05Z","createdBy":"SpdxOrganization"},"verifiedUsing":"_:h"},{"type":"Hash","@id":"_:h","algorithm":"md5","hashValue":"00000000000000000000000000000000"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := spdx3.Decode("f", data, silent)
		if err != nil {
			if _, ok := errors.AsType[*assay.Error](err); !ok {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		form, again := write(t, doc)
		back, err := spdx3.Decode("again", again, silent)
		if err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
		if d := cmp.Diff(form, back, same); d != "" {
			t.Errorf("%s\n%s\n%s", d, data, again)
		}
	})
}
