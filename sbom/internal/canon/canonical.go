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
// scan or a reader made. It changes nothing, and gives false in case of doubt.
func isForm(doc *assay.SBOM) bool {
	f := formed{licenses: make(map[assay.License]bool)}
	if doc.Root.ID == "" && (doc.Root.Name != "" || doc.Root.Type != "") || !f.component(&doc.Root) {
		return false
	}
	ids := make(map[assay.ComponentID]bool, len(doc.Components)+1)
	if doc.Root.ID != "" {
		ids[doc.Root.ID] = true
	}
	for i := range doc.Components {
		c := &doc.Components[i]
		if c.ID == "" || c.ID == doc.Root.ID || i > 0 && doc.Components[i-1].ID >= c.ID || !f.component(c) {
			return false
		}
		ids[c.ID] = true
	}
	for i, r := range doc.Relations {
		if i > 0 && doc.Relations[i-1].Compare(r) >= 0 || r.Kind == "" || !utf8.ValidString(string(r.Kind)) || !ids[r.To] {
			return false
		}
		if (i == 0 || doc.Relations[i-1].From != r.From) && !ids[r.From] {
			return false
		}
	}
	for i, s := range doc.Completeness {
		if i > 0 && compareCompleteness(doc.Completeness[i-1], s) >= 0 || !ValidCompleteness(s) || s.Of != "" && !ids[s.Of] {
			return false
		}
	}
	for i, t := range doc.Tools {
		if !utf8.ValidString(t.Name) || !utf8.ValidString(t.Version) || !utf8.ValidString(t.Vendor) || slices.Contains(doc.Tools[:i], t) {
			return false
		}
	}
	if slices.ContainsFunc(doc.Authors, func(a string) bool { return a == "" || !utf8.ValidString(a) }) || !utf8.ValidString(doc.Lifecycle) {
		return false
	}
	return !slices.ContainsFunc(doc.Layers, assay.Digest.IsZero)
}

type formed struct{ licenses map[assay.License]bool }

// component does for one what former.component does.
func (f formed) component(c *assay.Component) bool {
	if c.ID != "" && (!ValidType(c.Type) || !utf8.ValidString(string(c.ID))) {
		return false
	}
	for _, s := range [...]string{c.Name, c.Version, c.Supplier, c.Creator, c.Description, c.Source.Name, c.Source.Version, c.FoundBy} {
		if !utf8.ValidString(s) {
			return false
		}
	}
	for i, cpe := range c.CPEs {
		if cpe == "" || i > 0 && c.CPEs[i-1] >= cpe || !utf8.ValidString(cpe) {
			return false
		}
	}
	for i, d := range c.Hashes {
		if i > 0 && c.Hashes[i-1].Compare(d) >= 0 {
			return false
		}
	}
	for i, l := range c.Locations {
		if i > 0 && c.Locations[i-1].Compare(l) >= 0 || !utf8.ValidString(l.Path) {
			return false
		}
	}
	for i, l := range c.Licenses {
		if !f.license(l) || i > 0 && license.Compare(c.Licenses[i-1], l) >= 0 {
			return false
		}
	}
	for i, r := range c.References {
		if !ValidReference(r.Type) || r.URL == "" && len(r.Hashes) == 0 || !utf8.ValidString(r.URL) || !utf8.ValidString(r.Comment) ||
			strings.ContainsFunc(r.URL, noURI) || i > 0 && c.References[i-1].Compare(r) >= 0 {
			return false
		}
		for j, d := range r.Hashes {
			if j > 0 && r.Hashes[j-1].Compare(d) >= 0 {
				return false
			}
		}
	}
	for name, value := range c.Properties {
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

// license is the same for one that was asked for before, as nearly all are.
func (f formed) license(l assay.License) bool {
	if ok, known := f.licenses[l]; known {
		return ok
	}
	text := l.Expression + l.Name
	ok := text != "" && utf8.ValidString(text) && license.Parse(text, l.Concluded) == l
	f.licenses[l] = ok
	return ok
}
