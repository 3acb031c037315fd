package cyclonedx

import (
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

// coversDependencies reports whether the dependencies of c are stated to be all
// listed, so that none listed means none.
func coversDependencies(list []assay.Completeness, c *assay.Component) bool {
	for _, s := range list {
		what, ecosystem, _ := strings.Cut(s.Scope, ":")
		if s.Aggregate == "complete" && what == "dependencies" && (s.Of == "" || s.Of == c.ID) && covers(ecosystem, c) {
			return true
		}
	}
	return false
}
