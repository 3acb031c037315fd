package vex_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// graphSBOM has the edges "a>b" (depends on) and "a+b" (contains); the root is "root".
func graphSBOM(edges string) *assay.SBOM {
	purl := func(id string) assay.PURL { return must(assay.ParsePURL("pkg:npm/" + id + "@1.0.0")) }
	s := &assay.SBOM{Root: assay.Component{ID: "root", PURL: purl("root")}}
	have := map[string]bool{"root": true}
	for _, e := range strings.Fields(edges) {
		i := strings.IndexAny(e, ">+")
		for _, id := range []string{e[:i], e[i+1:]} {
			if !have[id] {
				have[id] = true
				s.Components = append(s.Components, assay.Component{ID: assay.ComponentID(id), PURL: purl(id)})
			}
		}
		kind := assay.DependsOn
		if e[i] == '+' {
			kind = assay.Contains
		}
		s.Relations = append(s.Relations, assay.Relation{From: assay.ComponentID(e[:i]), Kind: kind, To: assay.ComponentID(e[i+1:])})
	}
	return s
}

func TestStatusIn(t *testing.T) {
	const id = assay.VulnID("CVE-2026-0001")
	named := func(name string) assay.Product {
		return vex.PURLProduct(must(assay.ParsePURL("pkg:npm/" + name + "@1.0.0")))
	}
	// "a/lib=not_affected" is a statement about a with the subcomponent lib.
	stated := func(s string) assay.VEXStatement {
		what, status, _ := strings.Cut(s, "=")
		name, part, _ := strings.Cut(what, "/")
		p := named(name)
		if name == "image" {
			p = image
		}
		if part != "" {
			p = parts(p, named(part))
		}
		return says(0, id, assay.Status(status), p)
	}
	for name, tt := range map[string]struct {
		edges, statements string
		want              assay.Status
		ways, uncovered   string
	}{
		"nothing said":              {"root>a a>lib", "", "", "", "a"},
		"the component itself":      {"root>a a>lib", "lib=fixed", assay.Fixed, "lib", ""},
		"its only user":             {"root>a a>lib", "a/lib=not_affected", assay.NotAffected, "a", ""},
		"its user's whole":          {"root>a a>lib", "a=not_affected", assay.NotAffected, "a", ""},
		"another part of the user":  {"root>a a>lib a>zip", "a/zip=not_affected", "", "", "a"},
		"one of two users":          {"root>a a>lib root>b b>lib", "a/lib=not_affected", "", "a", "b"},
		"both users":                {"root>a a>lib root>b b>lib", "a/lib=not_affected b/lib=fixed", assay.Fixed, "a b", ""},
		"the worse of two":          {"root>a a>lib root>b b>lib", "a/lib=not_affected b/lib=affected", assay.Affected, "a b", ""},
		"a user and the root":       {"root>a a>lib root>lib", "a/lib=not_affected", "", "a", "lib"},
		"contained is no way":       {"root>a a>lib root+lib root+a", "a/lib=not_affected", assay.NotAffected, "a", ""},
		"contained alone is one":    {"root+lib", "lib=not_affected", assay.NotAffected, "lib", ""},
		"root outweighs":            {"root>a a>lib", "root/lib=not_affected a/lib=affected lib=affected", assay.NotAffected, "root", ""},
		"root by its image name":    {"root>a a>lib", "image/lib=not_affected", assay.NotAffected, "root", ""},
		"root under two names":      {"root>a a>lib", "image/lib=not_affected root/lib=affected", assay.Affected, "root root", ""},
		"outer outweighs inner":     {"root>a a>b b>lib", "a/lib=affected b/lib=not_affected", assay.Affected, "a", ""},
		"inner where outer silent":  {"root>a a>b b>lib", "b/lib=not_affected", assay.NotAffected, "b", ""},
		"diamond":                   {"root>a a>b a>c b>lib c>lib", "b/lib=not_affected", "", "b", "a"},
		"diamond, both":             {"root>a a>b a>c b>lib c>lib", "b/lib=not_affected c/lib=not_affected", assay.NotAffected, "b c", ""},
		"cycle":                     {"root>a a>b b>a b>lib", "b/lib=fixed", assay.Fixed, "b", ""},
		"cycle that hangs free":     {"a>b b>a b>lib root>z", "b/lib=fixed", "", "b", "lib"},
		"cycle through it":          {"root>lib lib>a a>lib", "a/lib=not_affected", "", "", "lib"},
		"beside the way":            {"root>a a>lib root>b", "b/lib=affected", "", "", "a"},
		"shared beyond":             {"root>a root>b a>c b>c c>lib", "a/lib=not_affected", "", "a", "b"},
		"under investigation there": {"root>a a>lib root>b b>lib", "a/lib=fixed b/lib=under_investigation", assay.UnderInvestigation, "a b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			doc := said("author")
			for _, s := range strings.Fields(tt.statements) {
				doc.Statements = append(doc.Statements, stated(s))
			}
			line := vex.NewTimeline([]*assay.VEX{doc}, on(1))
			sbom := graphSBOM(tt.edges)
			got := line.StatusIn(sbom, image, "lib", assay.Vulnerability{ID: id})
			var ways, uncovered []string
			for _, w := range got.Ways {
				ways = append(ways, string(w.Product))
			}
			for _, u := range got.Uncovered {
				uncovered = append(uncovered, string(u))
			}
			if d := cmp.Diff([]string{string(tt.want), tt.ways, tt.uncovered}, []string{string(got.Status), strings.Join(ways, " "), strings.Join(uncovered, " ")}); d != "" {
				t.Error(d)
			}
			// Neither the order of edges nor that of components matters.
			slices.Reverse(sbom.Relations)
			slices.Reverse(sbom.Components)
			again := line.StatusIn(sbom, image, "lib", assay.Vulnerability{ID: id})
			if again.Status != got.Status || len(again.Ways) != len(got.Ways) || !slices.Equal(again.Uncovered, got.Uncovered) {
				t.Errorf("in another order: %v %v", again.Status, again.Uncovered)
			}
		})
	}
}

func TestStatusInComplete(t *testing.T) {
	line := vex.NewTimeline(nil, on(0))
	for name, tt := range map[string]struct {
		is   []assay.Completeness
		want bool
	}{
		"nothing stated":        {nil, false},
		"complete":              {[]assay.Completeness{{Scope: "dependencies", Aggregate: "complete"}}, true},
		"components only":       {[]assay.Completeness{{Scope: "components", Aggregate: "complete"}}, false},
		"an ecosystem's are":    {[]assay.Completeness{{Scope: "dependencies:deb", Aggregate: "complete"}}, false},
		"an ecosystem's unsure": {[]assay.Completeness{{Scope: "dependencies", Aggregate: "complete"}, {Scope: "dependencies:npm", Aggregate: "unknown"}}, false},
	} {
		s := graphSBOM("root>lib")
		s.Completeness = tt.is
		if got := line.StatusIn(s, image, "lib", assay.Vulnerability{ID: "CVE-2026-0001"}).Complete; got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if got := line.StatusIn(graphSBOM("root>a"), image, "lib", assay.Vulnerability{ID: "CVE-2026-0001"}); got.Status != "" || len(got.Ways)+len(got.Uncovered) > 0 {
		t.Errorf("a component that is not there: %+v", got)
	}
}
