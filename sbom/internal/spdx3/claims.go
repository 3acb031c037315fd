package spdx3

import (
	"strings"

	"github.com/assaykit/assay"
)

// claims are a document's statements of completeness, as far as relationships can
// say them: of what a component contains, and of what it depends on.
type claims struct {
	of    map[assay.ComponentID][]assay.Completeness
	whole []assay.Completeness
	root  assay.ComponentID
}

func claimsOf(doc *assay.SBOM) *claims {
	c := &claims{of: make(map[assay.ComponentID][]assay.Completeness), root: doc.Root.ID}
	for _, s := range doc.Completeness {
		if s.Of == "" {
			c.whole = append(c.whole, s)
		} else {
			c.of[s.Of] = append(c.of[s.Of], s)
		}
	}
	return c
}

// caution orders what is stated: of several statements the most careful is written.
var caution = map[string]int{"complete": 1, "unknown": 2, "incomplete": 3}

// about gives what is stated of a component's edges of a kind, and whether it must
// be said even if there are none. That is so for dependencies only: components that
// nothing contains are in the document all the same.
func (c *claims) about(x *assay.Component, kind assay.RelationKind) (aggregate string, always bool) {
	scope := map[assay.RelationKind]string{assay.Contains: "components", assay.DependsOn: "dependencies"}[kind]
	if scope == "" {
		return "", false
	}
	consider := func(s assay.Completeness, binding bool) {
		what, ecosystem, _ := strings.Cut(s.Scope, ":")
		if what != scope || ecosystem != "" && (kind != assay.DependsOn || x.PURL.Type() != ecosystem) {
			return
		}
		if caution[s.Aggregate] > caution[aggregate] {
			aggregate = s.Aggregate
		}
		always = always || kind == assay.DependsOn && (binding || s.Aggregate == "complete")
	}
	for _, s := range c.of[x.ID] {
		consider(s, true)
	}
	if kind == assay.DependsOn || x.ID == c.root {
		for _, s := range c.whole {
			consider(s, false)
		}
	}
	return aggregate, always
}

// written is the word of the format for an aggregate, and read the reverse.
func written(aggregate string) string {
	if aggregate == "unknown" {
		return "noAssertion"
	}
	return aggregate
}

func readAggregate(word string) string {
	if word == "noAssertion" {
		return "unknown"
	}
	return word
}
