package canon

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// isForm reports whether an SBOM is in the form that [Form] makes, as one is that a
// scan or a reader made, but for what is in the components that it gives: their places,
// or -1 for the root, which is last. It changes nothing, and gives false in case of doubt.
func (f *former) isForm(doc *assay.SBOM) (others []int, ok bool) {
	if doc.Root.ID == "" && (doc.Root.Name != "" || doc.Root.Type != "") {
		return nil, false
	}
	ids := make(map[assay.ComponentID]bool, len(doc.Components)+1)
	if doc.Root.ID != "" {
		ids[doc.Root.ID] = true
	}
	for i := range doc.Components {
		c := &doc.Components[i]
		if c.ID == "" || c.ID == doc.Root.ID || i > 0 && doc.Components[i-1].ID >= c.ID {
			return nil, false
		}
		if !f.formed(c) {
			others = append(others, i)
		}
		ids[c.ID] = true
	}
	if !f.formed(&doc.Root) {
		others = append(others, -1)
	}
	for i, r := range doc.Relations {
		if i > 0 && doc.Relations[i-1].Compare(r) >= 0 || r.Kind == "" || !utf8.ValidString(string(r.Kind)) || !ids[r.To] {
			return nil, false
		}
		if (i == 0 || doc.Relations[i-1].From != r.From) && !ids[r.From] {
			return nil, false
		}
	}
	for i, s := range doc.Completeness {
		if i > 0 && compareCompleteness(doc.Completeness[i-1], s) >= 0 || !ValidCompleteness(s) || s.Of != "" && !ids[s.Of] {
			return nil, false
		}
	}
	for i, t := range doc.Tools {
		if !utf8.ValidString(t.Name) || !utf8.ValidString(t.Version) || !utf8.ValidString(t.Vendor) || slices.Contains(doc.Tools[:i], t) {
			return nil, false
		}
	}
	if slices.ContainsFunc(doc.Authors, func(a string) bool { return a == "" || !utf8.ValidString(a) }) || !utf8.ValidString(doc.Lifecycle) {
		return nil, false
	}
	return others, !slices.ContainsFunc(doc.Layers, assay.Digest.IsZero)
}

// formed reports whether former.component would change nothing, and nothing in the
// component is refused.
func (f *former) formed(c *assay.Component) bool {
	if refused(c) {
		return false
	}
	for _, s := range [...]string{c.Name, c.Version, c.Supplier, c.Creator, c.Description, c.Source.Name, c.Source.Version, c.FoundBy} {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return ordered(c.CPEs, strings.Compare, validCPE) && ordered(c.Hashes, assay.Digest.Compare, nil) && ordered(c.Locations, assay.Location.Compare, validLocation) &&
		ordered(c.Licenses, license.Compare, f.license) && ordered(c.References, assay.Reference.Compare, validReference) && validProperties(c.Properties)
}

// refused reports whether there is something in the component that no form has.
func refused(c *assay.Component) bool {
	return c.ID != "" && (!ValidType(c.Type) || !utf8.ValidString(string(c.ID))) ||
		slices.ContainsFunc(c.References, func(r assay.Reference) bool { return !ValidReference(r.Type) })
}

// ordered reports whether a list is sorted, has each once, and all are valid.
func ordered[T any](list []T, compare func(a, b T) int, valid func(T) bool) bool {
	for i := range list {
		if i > 0 && compare(list[i-1], list[i]) >= 0 || valid != nil && !valid(list[i]) {
			return false
		}
	}
	return true
}

func validCPE(s string) bool { return s != "" && utf8.ValidString(s) }

func validLocation(l assay.Location) bool { return utf8.ValidString(l.Path) }

func validReference(r assay.Reference) bool {
	return ValidReference(r.Type) && (r.URL != "" || len(r.Hashes) > 0) && utf8.ValidString(r.URL) && utf8.ValidString(r.Comment) &&
		!strings.ContainsFunc(r.URL, noURI) && ordered(r.Hashes, assay.Digest.Compare, nil)
}

func validProperties(m map[string]string) bool {
	for name, value := range m {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return false
		}
	}
	return true
}

// compareCompleteness is the order that [assay.SBOM.Normalize] makes.
func compareCompleteness(a, b assay.Completeness) int {
	return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Aggregate, b.Aggregate))
}

// license reports whether one is as [license.Parse] makes it.
func (f *former) license(l assay.License) bool {
	switch {
	case l.Expression == "":
		return l.Name != "" && utf8.ValidString(l.Name) && !license.Valid(l.Name)
	case l.Name != "":
		return false
	case license.IsID(l.Expression):
		return true
	}
	ok, known := f.expressions[l.Expression]
	if !known {
		ok = utf8.ValidString(l.Expression) && license.Valid(l.Expression)
		f.expressions[l.Expression] = ok
	}
	return ok
}
