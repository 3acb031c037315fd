package cyclonedx

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// compositionOf is how a statement of completeness is written. One about a single
// component needs no more than the format has. One about the whole, or about an
// ecosystem, lists the references it amounts to, for every reader, and says itself
// in its bom-ref.
func compositionOf(s assay.Completeness, doc *assay.SBOM) composition {
	out := composition{Aggregate: s.Aggregate}
	what, ecosystem, _ := strings.Cut(s.Scope, ":")
	if s.Of == "" || ecosystem != "" {
		out.BOMRef = wholeRef + s.Aggregate + ":" + s.Scope + "@" + string(s.Of)
	}
	switch {
	case what == "components" && ecosystem == "":
		if of := orRoot(s.Of, doc); of != "" {
			out.Assemblies = []string{string(of)}
		}
	case what == "dependencies" && s.Of != "":
		out.Dependencies = []string{string(s.Of)}
	case what == "dependencies":
		if doc.Root.ID != "" && covers(ecosystem, &doc.Root) {
			out.Dependencies = append(out.Dependencies, string(doc.Root.ID))
		}
		for i := range doc.Components {
			if c := &doc.Components[i]; covers(ecosystem, c) {
				out.Dependencies = append(out.Dependencies, string(c.ID))
			}
		}
	}
	return out
}

// parseWhole reads the bom-ref that compositionOf writes.
func parseWhole(ref string) (assay.Completeness, bool) {
	rest, ok := strings.CutPrefix(ref, wholeRef)
	if !ok {
		return assay.Completeness{}, false
	}
	aggregate, rest, ok1 := strings.Cut(rest, ":")
	scope, of, ok2 := strings.Cut(rest, "@")
	what, ecosystem, _ := strings.Cut(scope, ":")
	s := assay.Completeness{Of: assay.ComponentID(of), Scope: scope, Aggregate: aggregate}
	return s, ok1 && ok2 && (what == "components" || what == "dependencies") && (of == "" || ecosystem != "") && scope != what+":"
}

func orRoot(id assay.ComponentID, doc *assay.SBOM) assay.ComponentID {
	if id == "" {
		return doc.Root.ID
	}
	return id
}

func covers(ecosystem string, c *assay.Component) bool {
	return ecosystem == "" || c.PURL.Type() == ecosystem
}

// coverage is of which components the dependencies are stated to be all listed, so
// that none listed means none.
type coverage struct {
	ecosystems map[string]bool                // of the whole; "" is all of it
	of         map[assay.ComponentID][]string // the same of one component
}

func newCoverage(list []assay.Completeness) *coverage {
	v := &coverage{make(map[string]bool), make(map[assay.ComponentID][]string)}
	for _, s := range list {
		what, ecosystem, _ := strings.Cut(s.Scope, ":")
		switch {
		case s.Aggregate != "complete" || what != "dependencies":
		case s.Of == "":
			v.ecosystems[ecosystem] = true
		default:
			v.of[s.Of] = append(v.of[s.Of], ecosystem)
		}
	}
	return v
}

func (v *coverage) covers(c *assay.Component) bool {
	if v.ecosystems[""] || len(v.ecosystems) > 0 && v.ecosystems[c.PURL.Type()] {
		return true
	}
	return len(v.of) > 0 && slices.ContainsFunc(v.of[c.ID], func(ecosystem string) bool { return covers(ecosystem, c) })
}

// compositions are those of a document, each once.
type compositions struct {
	list []composition
	seen map[string][]int // by what tells nearly all apart
}

func (l *compositions) add(c composition) {
	key := c.BOMRef + "\x00" + c.Aggregate
	for _, refs := range [...][]string{c.Assemblies, c.Dependencies} {
		key += "\x00"
		if len(refs) > 0 {
			key += refs[0]
		}
	}
	if slices.ContainsFunc(l.seen[key], func(i int) bool { return l.list[i].equal(c) }) {
		return
	}
	if l.seen == nil {
		l.seen = make(map[string][]int)
	}
	l.seen[key] = append(l.seen[key], len(l.list))
	l.list = append(l.list, c)
}
