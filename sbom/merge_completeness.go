package sbom

import (
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// The three answers that a statement of completeness has.
const (
	complete   = "complete"
	incomplete = "incomplete"
	unknown    = "unknown"
)

// allOf is what holds of the whole if both hold of parts of it.
func allOf(a, b string) string {
	switch {
	case a == incomplete || b == incomplete:
		return incomplete
	case a == complete && b == complete:
		return complete
	}
	return unknown
}

// statements are those of one document, by what they are about and scope; Of is the
// document's own id.
type statements map[assay.Completeness]string

func statementsOf(doc *assay.SBOM) statements {
	out := make(statements, len(doc.Completeness))
	for _, s := range doc.Completeness {
		key := assay.Completeness{Of: s.Of, Scope: s.Scope}
		if have, ok := out[key]; ok {
			out[key] = allOf(have, s.Aggregate)
		} else {
			out[key] = s.Aggregate
		}
	}
	return out
}

// about is what the document states of a component. A statement about all
// dependencies, or about those of an ecosystem, says something of each only if it is
// that nothing is missing.
func (s statements) about(c *assay.Component, scope string) string {
	if a, ok := s[assay.Completeness{Of: c.ID, Scope: scope}]; ok {
		return a
	}
	if scope == "dependencies" && (s.whole("dependencies") == complete || !c.PURL.IsZero() && s.whole("dependencies:"+c.PURL.Type()) == complete) {
		return complete
	}
	return unknown
}

// whole is what the document states in general; what is complete is so in each
// ecosystem.
func (s statements) whole(scope string) string {
	if a, ok := s[assay.Completeness{Scope: scope}]; ok {
		return a
	}
	if what, _, narrow := strings.Cut(scope, ":"); narrow && s[assay.Completeness{Scope: what}] == complete {
		return complete
	}
	return unknown
}

// completeness merges the statements of all documents.
func (m *merger) completeness(docs []*assay.SBOM, root *union) []assay.Completeness {
	all := make([]statements, len(docs))
	ecosystems := make([]map[string]bool, len(docs)) // that have a component; "" is any
	own := make([]map[*union]*assay.Component, len(docs))
	scopes := make(map[string]bool)
	type subject struct {
		of    *union
		scope string
	}
	subjects := make(map[subject]bool)
	for i, doc := range docs {
		all[i], ecosystems[i], own[i] = statementsOf(doc), map[string]bool{}, map[*union]*assay.Component{}
		each := func(c *assay.Component) {
			ecosystems[i][""] = true
			if !c.PURL.IsZero() {
				ecosystems[i][c.PURL.Type()] = true
			}
		}
		for j := range doc.Components {
			each(&doc.Components[j])
		}
		if doc.Root.ID != "" {
			each(&doc.Root)
		}
		for s, a := range all[i] {
			switch {
			case s.Of != "":
				subjects[subject{m.ids[i][s.Of], s.Scope}] = true
				continue
			case strings.HasPrefix(s.Scope, "components") && m.roots[i] != nil && m.roots[i] != root:
				// What is said of the whole document is said of its root.
				subjects[subject{m.roots[i], s.Scope}] = true
				key := assay.Completeness{Of: doc.Root.ID, Scope: s.Scope}
				if have, ok := all[i][key]; ok {
					a = allOf(have, a)
				}
				all[i][key] = a
			}
			scopes[s.Scope] = true
		}
		if len(all[i]) == 0 {
			continue
		}
		byUnion := make(map[*union]*assay.Component, len(doc.Components)+1)
		for j := range doc.Components {
			byUnion[m.ids[i][doc.Components[j].ID]] = &doc.Components[j]
		}
		if doc.Root.ID != "" {
			byUnion[m.roots[i]] = &doc.Root
		}
		own[i] = byUnion
	}
	var out []assay.Completeness
	state := func(id assay.ComponentID, scope string, said []string) {
		result := said[0]
		for _, a := range said[1:] {
			result = allOf(result, a)
		}
		out = append(out, assay.Completeness{Of: id, Scope: scope, Aggregate: result})
	}
	for s := range subjects {
		var said []string
		for _, i := range s.of.docs {
			if i < 0 {
				continue
			}
			c := own[i][s.of]
			if c == nil { // the document states nothing at all
				said = append(said, unknown)
				continue
			}
			said = append(said, all[i].about(c, s.scope))
		}
		state(s.of.c.ID, s.scope, said)
		if slices.Contains(said, complete) && slices.Contains(said, incomplete) {
			m.conflicts = append(m.conflicts, Conflict{s.of.c.ID, "completeness " + s.scope, []string{incomplete, complete}})
		}
	}
	oneRoot := root != nil && !slices.ContainsFunc(m.roots, func(u *union) bool { return u != root })
	for _, scope := range slices.Sorted(maps.Keys(scopes)) {
		what, ecosystem, _ := strings.Cut(scope, ":")
		var said []string
		for i := range docs {
			_, states := all[i][assay.Completeness{Scope: scope}]
			if states || what != "dependencies" || ecosystems[i][ecosystem] {
				said = append(said, all[i].whole(scope))
			}
		}
		state("", scope, said)
		if oneRoot && slices.Contains(said, complete) && slices.Contains(said, incomplete) {
			m.conflicts = append(m.conflicts, Conflict{"", "completeness " + scope, []string{incomplete, complete}})
		}
	}
	return out
}
