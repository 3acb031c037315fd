package spdx3

import (
	"cmp"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/spdx"
)

// edges are relationships of one type from one element.
type edges struct {
	kind         string
	comment      string
	completeness string
	to           []string
}

// relationships writes one for each element and type, however many it relates to.
func (e *encoder) relationships(order []*assay.Component) {
	out := make(map[assay.ComponentID][]assay.Relation) // by From, sorted
	made := make(map[assay.ComponentID][]string)        // what is generated from one
	for _, r := range e.doc.Relations {
		if r.Kind == assay.GeneratedFrom {
			made[r.To] = append(made[r.To], e.ids[r.From])
		} else {
			out[r.From] = append(out[r.From], r)
		}
	}
	type group struct {
		from string
		edges
	}
	groups := make([]group, 0, 2*len(order))
	for _, c := range order {
		start := len(groups)
		add := func(x edges) { groups = append(groups, group{e.ids[c.ID], x}) }
		seen := map[assay.RelationKind]bool{}
		for rest := out[c.ID]; len(rest) > 0; {
			kind := rest[0].Kind
			seen[kind] = true
			x := edges{kind: string(kind)}
			n := 0
			for ; n < len(rest) && rest[n].Kind == kind; n++ {
				x.to = append(x.to, e.ids[rest[n].To])
			}
			rest = rest[n:]
			switch kind {
			case assay.DependsOn, assay.Contains, assay.DescendantOf:
			default:
				x.kind, x.comment = "other", spdx.KindComment(kind)
			}
			aggregate, _ := e.claims.about(c, kind)
			x.completeness = written(aggregate)
			add(x)
		}
		if aggregate, always := e.claims.about(c, assay.DependsOn); always && !seen[assay.DependsOn] {
			none := noAssertionElement
			if aggregate == "complete" {
				none = noneElement
			}
			add(edges{kind: "dependsOn", completeness: written(aggregate), to: []string{none}})
		}
		if file := e.files[c.ID]; file != "" {
			add(edges{kind: distributed, completeness: "complete", to: []string{file}})
		}
		if to := made[c.ID]; len(to) > 0 {
			add(edges{kind: "generates", to: to})
		}
		for _, concluded := range []bool{false, true} {
			x := edges{kind: map[bool]string{false: "hasDeclaredLicense", true: "hasConcludedLicense"}[concluded]}
			for _, l := range c.Licenses {
				if l.Concluded == concluded {
					id, ok := e.licenses[l.Expression]
					if !ok {
						id = e.licenses["\x00"+l.Name]
					}
					x.to = append(x.to, id)
				}
			}
			if len(x.to) > 0 {
				add(x)
			}
		}
		slices.SortFunc(groups[start:], func(a, b group) int {
			return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.comment, b.comment))
		})
	}
	for i, g := range groups {
		slices.Sort(g.to)
		id := e.ns.own("relationship/" + index(i, len(groups)))
		e.related = append(e.related, id)
		e.open()
		e.optional("comment", g.comment)
		if g.completeness != "" {
			e.raw("completeness", g.completeness)
		}
		e.raw("creationInfo", creationID)
		e.iri("from", g.from)
		e.raw("relationshipType", g.kind)
		e.iri("spdxId", id)
		e.list("to", g.to...)
		e.raw("type", "Relationship")
		e.close()
	}
}
