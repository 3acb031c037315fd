package canon

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
)

var equal = cmp.Options{cmp.Comparer(func(a, b assay.Digest) bool { return a == b }), cmp.Comparer(func(a, b assay.PURL) bool { return a == b })}

func form(t *testing.T, doc *assay.SBOM) *assay.SBOM {
	t.Helper()
	out, err := Form(doc, func(string, assay.ComponentID, string) {})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sample() *assay.SBOM {
	sum := assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	return &assay.SBOM{
		Root: assay.Component{ID: "r", Type: assay.TypeContainer, Name: "r"}, Version: 1, Layers: []assay.Digest{sum},
		Components: []assay.Component{
			{ID: "a", Type: assay.TypeLibrary, Name: "a", CPEs: []string{"x", "y"}, Licenses: []assay.License{{Name: "GPL"}, {Expression: "MIT"}}, Hashes: assay.DigestSet{sum},
				Locations: []assay.Location{{Path: "a"}, {Path: "b"}}, Properties: map[string]string{"a": "b"}, References: []assay.Reference{{Type: assay.RefVCS, URL: "https://a"}, {Type: assay.RefWebsite, URL: "https://b", Hashes: assay.DigestSet{sum}}}},
			{ID: "b", Type: assay.TypeFile, Name: "b"},
		},
		Relations:    []assay.Relation{{From: "a", Kind: assay.DependsOn, To: "b"}, {From: "r", Kind: assay.Contains, To: "a"}},
		Completeness: []assay.Completeness{{Scope: "components", Aggregate: "complete"}, {Of: "a", Scope: "dependencies", Aggregate: "unknown"}},
		Authors:      []string{"x"}, Tools: []assay.Tool{{Name: "a"}, {Name: "b"}}, Lifecycle: "build",
	}
}

func isForm(doc *assay.SBOM) bool {
	f := &former{expressions: make(map[string]bool)}
	others, ok := f.isForm(doc)
	return ok && len(others) == 0
}

// What is in the form is not copied, and whatever is not is seen.
func TestIsForm(t *testing.T) {
	if !isForm(sample()) || !isForm(form(t, sample())) || !isForm(&assay.SBOM{}) {
		t.Error("a document in the form is not taken for one")
	}
	a := func(d *assay.SBOM) *assay.Component { return &d.Components[0] }
	const bad = "a\xff"
	for name, change := range map[string]func(*assay.SBOM){
		"components":         func(d *assay.SBOM) { slices.Reverse(d.Components) },
		"id twice":           func(d *assay.SBOM) { d.Components[1].ID = "a" },
		"no id":              func(d *assay.SBOM) { d.Components[0].ID = "" },
		"id of the root":     func(d *assay.SBOM) { d.Components[0].ID = "r" },
		"odd id":             func(d *assay.SBOM) { d.Components[1].ID = bad },
		"root without id":    func(d *assay.SBOM) { d.Root.ID = "" },
		"type":               func(d *assay.SBOM) { a(d).Type = "x" },
		"name":               func(d *assay.SBOM) { a(d).Name = bad },
		"creator":            func(d *assay.SBOM) { a(d).Creator = bad },
		"foundBy":            func(d *assay.SBOM) { a(d).FoundBy = bad },
		"source":             func(d *assay.SBOM) { a(d).Source.Version = bad },
		"CPEs":               func(d *assay.SBOM) { slices.Reverse(a(d).CPEs) },
		"empty CPE":          func(d *assay.SBOM) { a(d).CPEs[0] = "" },
		"licenses":           func(d *assay.SBOM) { slices.Reverse(a(d).Licenses) },
		"license twice":      func(d *assay.SBOM) { a(d).Licenses[1] = a(d).Licenses[0] },
		"license of neither": func(d *assay.SBOM) { a(d).Licenses = []assay.License{{}} },
		"named expression":   func(d *assay.SBOM) { a(d).Licenses = []assay.License{{Name: "MIT"}} },
		"no expression":      func(d *assay.SBOM) { a(d).Licenses = []assay.License{{Expression: "GPL"}} },
		"hash twice":         func(d *assay.SBOM) { a(d).Hashes = append(a(d).Hashes, a(d).Hashes...) },
		"locations":          func(d *assay.SBOM) { slices.Reverse(a(d).Locations) },
		"path":               func(d *assay.SBOM) { a(d).Locations[1].Path = bad },
		"references":         func(d *assay.SBOM) { slices.Reverse(a(d).References) },
		"reference type":     func(d *assay.SBOM) { a(d).References[0].Type = "x" },
		"reference to none":  func(d *assay.SBOM) { a(d).References[0].URL = "" },
		"URL of two words":   func(d *assay.SBOM) { a(d).References[0].URL = "a b" },
		"comment":            func(d *assay.SBOM) { a(d).References[0].Comment = bad },
		"hashes of it": func(d *assay.SBOM) {
			a(d).References[1].Hashes = append(a(d).References[1].Hashes, a(d).References[1].Hashes...)
		},
		"property":            func(d *assay.SBOM) { a(d).Properties[bad] = "" },
		"value":               func(d *assay.SBOM) { a(d).Properties["a"] = bad },
		"relations":           func(d *assay.SBOM) { slices.Reverse(d.Relations) },
		"relation twice":      func(d *assay.SBOM) { d.Relations[1] = d.Relations[0] },
		"relation from none":  func(d *assay.SBOM) { d.Relations[1].From = "x" },
		"relation to none":    func(d *assay.SBOM) { d.Relations[0].To = "x" },
		"relation of no kind": func(d *assay.SBOM) { d.Relations[0].Kind = "" },
		"odd kind":            func(d *assay.SBOM) { d.Relations[0].Kind = bad },
		"completeness":        func(d *assay.SBOM) { slices.Reverse(d.Completeness) },
		"scope":               func(d *assay.SBOM) { d.Completeness[0].Scope = "x" },
		"completeness of one": func(d *assay.SBOM) { d.Completeness[1].Of = "x" },
		"tool twice":          func(d *assay.SBOM) { d.Tools[1] = d.Tools[0] },
		"tool":                func(d *assay.SBOM) { d.Tools[1].Vendor = bad },
		"author":              func(d *assay.SBOM) { d.Authors = []string{""} },
		"lifecycle":           func(d *assay.SBOM) { d.Lifecycle = bad },
		"license of the root": func(d *assay.SBOM) { d.Root.Licenses = []assay.License{{Name: "MIT"}} },
		"type of the root":    func(d *assay.SBOM) { d.Root.Type = "x" },
		"two of them":         func(d *assay.SBOM) { a(d).Name, d.Components[1].Name, d.Root.Name = bad, bad, bad },
		"layer":               func(d *assay.SBOM) { d.Layers[0] = assay.Digest{} },
	} {
		doc := sample()
		if change(doc); isForm(doc) {
			t.Errorf("%s: taken for the form", name)
			continue
		}
		out, err := Form(doc, func(string, assay.ComponentID, string) {})
		if err == nil && !isForm(out) {
			t.Errorf("%s: what Form makes is not taken for the form", name)
		}
		// Whichever way it is made.
		var told [2][]string
		tell := func(i int) func(string, assay.ComponentID, string) {
			return func(field string, id assay.ComponentID, reason string) {
				told[i] = append(told[i], field+" "+string(id)+" "+reason)
			}
		}
		doc.Version = 1
		out, err = Form(doc, tell(0))
		whole := *doc
		f := &former{subject: doc.Root.Name, report: tell(1), expressions: make(map[string]bool)}
		wholeErr := f.rebuild(doc, &whole)
		if fmt.Sprint(err) != fmt.Sprint(wholeErr) || !slices.Equal(told[0], told[1]) {
			t.Errorf("%s: %v %q, and %v %q", name, err, told[0], wholeErr, told[1])
		} else if d := cmp.Diff(&whole, out, equal, cmpopts.EquateEmpty()); err == nil && d != "" {
			t.Errorf("%s: (-rebuilt +form) %s", name, d)
		}
	}
}

// Both ways give the same.
func TestForm(t *testing.T) {
	doc := sample()
	want := form(t, sample())
	slices.Reverse(doc.Components)
	slices.Reverse(doc.Relations)
	if d := cmp.Diff(want, form(t, doc), equal); d != "" {
		t.Error(d)
	}
	doc = sample()
	doc.Created = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := Form(doc, nil); err == nil {
		t.Error("a year of five digits")
	}
}

func TestContact(t *testing.T) {
	for s, want := range map[string]Contact{
		"": {}, "Acme": {Name: "Acme"}, "Jane <j@e.example>": {Name: "Jane", Email: "j@e.example"}, "<j@e.example>": {Email: "j@e.example"},
		"Acme <https://e.example/x>": {Name: "Acme", URL: "https://e.example/x"}, "<http://e.example>": {URL: "http://e.example"},
		"a <b <c@d.example>": {Name: "a <b <c@d.example>"}, "Acme <x>": {Name: "Acme <x>"}, "Acme<j@e.example>": {Name: "Acme<j@e.example>"},
		" <j@e.example>": {Name: " <j@e.example>"}, "Acme <ftp://x>": {Name: "Acme <ftp://x>"}, "Acme >": {Name: "Acme >"},
	} {
		if got := ParseContact(s); got != want || got.String() != s {
			t.Errorf("%q: %+v, %q", s, got, got.String())
		}
	}
}
