package sbom

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Filter gives a copy of an SBOM with the root and those components for which keep
// is true. Relations of what was left out are left out with it, and so are statements
// about it. The copy shares its components' slices and maps with doc, which keep must
// not change.
//
// The copy says of itself that it is not all: "incomplete" of the components, of
// those of the ecosystems that lost any, of the dependencies of each ecosystem whose
// components lost one, and of those of components without an ecosystem that did.
// What the document stated otherwise about them becomes "incomplete". Its Serial is
// empty, because it is another document, and so is Rest. If nothing is left out it is
// a copy.
//
// The document must be one that [assay.SBOM.Normalize] accepts.
func Filter(doc *assay.SBOM, keep func(*assay.Component) bool) *assay.SBOM {
	out := *doc
	out.Components = make([]assay.Component, 0, len(doc.Components))
	gone := make(map[assay.ComponentID]bool)
	typeOf := map[assay.ComponentID]string{doc.Root.ID: doc.Root.PURL.Type()}
	lost := make(map[string]bool) // scopes
	for i := range doc.Components {
		c := &doc.Components[i]
		typeOf[c.ID] = c.PURL.Type()
		if keep(c) {
			out.Components = append(out.Components, *c)
			continue
		}
		gone[c.ID] = true
		lost["components"] = true
		if t := c.PURL.Type(); t != "" {
			lost["components:"+t] = true
		}
	}
	out.Relations, out.Completeness = nil, nil
	out.Authors, out.Tools, out.Layers = slices.Clone(doc.Authors), slices.Clone(doc.Tools), slices.Clone(doc.Layers)
	if len(gone) == 0 {
		out.Relations, out.Completeness = slices.Clone(doc.Relations), slices.Clone(doc.Completeness)
		return &out
	}
	out.Serial, out.Rest = "", assay.Rest{}            // which has what is left out
	cut := make(map[assay.ComponentID]map[string]bool) // what components lost
	nameless := make(map[assay.ComponentID]bool)       // without an ecosystem, that lost dependencies
	lostEdge := false
	for _, r := range doc.Relations {
		if !gone[r.From] && !gone[r.To] {
			out.Relations = append(out.Relations, r)
			continue
		}
		if gone[r.From] {
			continue
		}
		scope := ""
		switch r.Kind {
		case assay.DependsOn:
			scope, lostEdge = "dependencies", true
			if t := typeOf[r.From]; t != "" {
				lost[scope+":"+t] = true
			} else {
				nameless[r.From] = true
			}
		case assay.Contains:
			scope = "components"
		default:
			continue
		}
		if cut[r.From] == nil {
			cut[r.From] = make(map[string]bool)
		}
		cut[r.From][scope] = true
	}
	for id := range nameless {
		out.Completeness = append(out.Completeness, assay.Completeness{Of: id, Scope: "dependencies", Aggregate: incomplete})
	}
	for _, s := range doc.Completeness {
		what, _, _ := strings.Cut(s.Scope, ":")
		switch {
		case gone[s.Of]:
			continue
		case s.Of == "" && s.Scope == "dependencies" && lostEdge, s.Of == "" && lost[s.Scope], s.Of != "" && cut[s.Of][what], s.Of == doc.Root.ID && s.Of != "" && lost[s.Scope]:
			s.Aggregate = incomplete
		}
		out.Completeness = append(out.Completeness, s)
	}
	for scope := range lost {
		out.Completeness = append(out.Completeness, assay.Completeness{Scope: scope, Aggregate: incomplete})
	}
	slices.SortFunc(out.Completeness, compareCompleteness)
	out.Completeness = slices.Compact(out.Completeness)
	return &out
}

// compareCompleteness is the order that [assay.SBOM.Normalize] promises.
func compareCompleteness(a, b assay.Completeness) int {
	return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Aggregate, b.Aggregate))
}
