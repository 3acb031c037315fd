package sbom_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

func TestFilter(t *testing.T) {
	const whole = "components complete;components:deb complete;components:npm complete;dependencies:deb complete;dependencies:npm complete"
	for name, tt := range map[string]struct {
		drop   string // ids
		states string
		want   string
	}{
		"nothing": {"", whole, whole},
		"what depends on nothing and nothing on it": {"lone", whole,
			"components complete;components:deb complete;components:npm complete;dependencies:deb complete;dependencies:npm complete"},
		"what others depend on":       {"b", whole, "components incomplete;components:deb incomplete;components:npm complete;dependencies:deb incomplete;dependencies:npm incomplete"},
		"what depends on others":      {"n", whole, "components incomplete;components:deb complete;components:npm incomplete;dependencies:deb complete;dependencies:npm complete"},
		"nothing was stated":          {"b", "", "components incomplete;components:deb incomplete;dependencies:deb incomplete;dependencies:npm incomplete"},
		"statements of what is gone":  {"n", "n dependencies complete", "components incomplete;components:npm incomplete"},
		"statements of what lost one": {"b", "a dependencies complete;n dependencies unknown", "components incomplete;components:deb incomplete;dependencies:deb incomplete;dependencies:npm incomplete;a dependencies incomplete;n dependencies incomplete"},
		"all dependencies":            {"n", "dependencies complete", "components incomplete;components:npm incomplete;dependencies complete"},
		"all dependencies, one lost":  {"b", "dependencies complete", "components incomplete;components:deb incomplete;dependencies incomplete;dependencies:deb incomplete;dependencies:npm incomplete"},
		"the root's":                  {"b", "root components complete", "components incomplete;components:deb incomplete;dependencies:deb incomplete;dependencies:npm incomplete;root components incomplete"},
		"without ecosystem":           {"a", "", "components incomplete;components:deb incomplete;f dependencies incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			doc := &assay.SBOM{
				Root: assay.Component{ID: "root", Type: assay.TypeContainer, Name: "image"}, Serial: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
				Components: []assay.Component{
					{ID: "a", Type: assay.TypeLibrary, Name: "a", PURL: purl(t, "pkg:deb/debian/a@1")}, {ID: "b", Type: assay.TypeLibrary, Name: "b", PURL: purl(t, "pkg:deb/debian/b@1")},
					{ID: "f", Type: assay.TypeFile, Name: "f"}, {ID: "n", Type: assay.TypeLibrary, Name: "n", PURL: purl(t, "pkg:npm/n@1")},
				},
				Relations: []assay.Relation{{From: "a", Kind: assay.DependsOn, To: "b"}, {From: "f", Kind: assay.DependsOn, To: "a"}, {From: "n", Kind: assay.DependsOn, To: "b"},
					{From: "n", Kind: assay.OwnedBy, To: "a"}, {From: "root", Kind: assay.Contains, To: "b"}},
			}
			for _, s := range strings.FieldsFunc(tt.states, func(r rune) bool { return r == ';' }) {
				f := strings.Fields(s)
				c := assay.Completeness{Scope: f[len(f)-2], Aggregate: f[len(f)-1]}
				if len(f) == 3 {
					c.Of = assay.ComponentID(f[0])
				}
				doc.Completeness = append(doc.Completeness, c)
			}
			before := fmt.Sprint(*doc)
			out := sbom.Filter(doc, func(c *assay.Component) bool { return string(c.ID) != tt.drop })
			if fmt.Sprint(*doc) != before {
				t.Error("the document was changed")
			}
			var got []string
			for _, s := range out.Completeness {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Of, s.Scope, s.Aggregate)))
			}
			if d := cmp.Diff(tt.want, strings.Join(got, ";")); d != "" {
				t.Error(d)
			}
			if out.Root.ID != "root" || (out.Serial == "") != (len(out.Components) < 4) {
				t.Errorf("root %q, serial %q", out.Root.ID, out.Serial)
			}
			if err := out.Normalize(); err != nil { // no edge and no statement about nothing
				t.Error(err)
			}
			for _, r := range doc.Relations {
				gone := string(r.From) == tt.drop || string(r.To) == tt.drop
				if kept := strings.Contains(inventory(out), fmt.Sprintf("%s %s %s\n", r.From, r.Kind, r.To)); kept == gone {
					t.Errorf("%v: kept %v", r, kept)
				}
			}
		})
	}
}

func TestFilterRich(t *testing.T) {
	for seed := range uint64(30) {
		doc := rich(t, seed, 8)
		out := sbom.Filter(doc, func(c *assay.Component) bool { return c.Type != assay.TypeFile && !c.PURL.IsZero() })
		for _, f := range formats {
			if _, err := sbom.Read("x", encode(t, out, f)); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		}
		for _, c := range out.Components {
			if c.PURL.IsZero() || c.Type == assay.TypeFile {
				t.Errorf("kept %s", c.ID)
			}
		}
		all := sbom.Filter(doc, func(*assay.Component) bool { return true })
		if d := cmp.Diff(doc, all, equal); d != "" {
			t.Errorf("seed %d: keeping all is no copy: %s", seed, d)
		}
	}
}
