package sbom

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// pair finds for each component of the old side at most one of the new side, the
// closest first, and calls found. Each round is one pass, so that many components of
// one name cost no more than their number.
func (g *group) pair(found func(a, b *comparand)) {
	if len(g.side[0]) == 1 && len(g.side[1]) == 1 { // nearly all are
		a, b := g.side[0][0], g.side[1][0]
		a.matched, b.matched = true, true
		found(a, b)
		return
	}
	if len(g.side[0]) == 0 || len(g.side[1]) == 0 {
		return
	}
	for _, list := range g.side {
		slices.SortFunc(list, func(x, y *comparand) int {
			if c, ok := compareVersions(x.PURL.Type(), x.version, y.version); ok && c != 0 {
				return c
			}
			return compareComponents(*x.Component, *y.Component)
		})
	}
	for _, like := range []func(*comparand) string{
		func(c *comparand) string {
			return c.version + "\x00" + c.details() + "\x00" + hashText(c) + "\x00" + pathText(c.Component)
		},
		func(c *comparand) string { return c.version + "\x00" + c.details() + "\x00" + hashText(c) },
		func(c *comparand) string { return c.version + "\x00" + c.details() },
		func(c *comparand) string { return c.version + "\x00" + c.qualifiers["arch"] },
		func(c *comparand) string { return c.details() },
		func(c *comparand) string { return c.qualifiers["arch"] },
		func(*comparand) string { return "" },
	} {
		waiting := make(map[string][]*comparand)
		for _, c := range g.side[1] {
			if !c.matched {
				k := like(c)
				waiting[k] = append(waiting[k], c)
			}
		}
		if len(waiting) == 0 {
			return
		}
		for _, c := range g.side[0] {
			if c.matched {
				continue
			}
			k := like(c)
			if list := waiting[k]; len(list) > 0 {
				waiting[k] = list[1:]
				c.matched, list[0].matched = true, true
				found(c, list[0])
			}
		}
	}
}

// details are the qualifiers as one text.
func (c *comparand) details() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(c.qualifiers)) {
		b.WriteString(k + "=" + c.qualifiers[k] + "&")
	}
	return b.String()
}

func hashText(c *comparand) string { return join(c.Hashes) }

func pathText(c *assay.Component) string {
	var paths []string
	for _, l := range c.Locations {
		paths = append(paths, l.Path)
	}
	slices.Sort(paths)
	return strings.Join(slices.Compact(paths), ", ")
}

// changes are the fields in which two components of one key differ.
func changes(a, b *comparand) []FieldChange {
	var out []FieldChange
	add := func(field, old, new string) {
		if old != new {
			out = append(out, FieldChange{Field: field, Old: old, New: new})
		}
	}
	add("type", string(a.Type), string(b.Type))
	add("name", a.Name, b.Name)
	if old, new := cmp.Or(a.version, a.Version), cmp.Or(b.version, b.Version); old != new {
		out = append(out, FieldChange{"version", old, new, direction(b.PURL.Type(), old, new)})
	}
	// Most are the same, and texts are made of those that are not only.
	if a.PURL != b.PURL {
		add("purl", unversioned(a), unversioned(b))
	}
	if !slices.Equal(a.CPEs, b.CPEs) {
		add("cpes", sortedText(a.CPEs), sortedText(b.CPEs))
	}
	if !slices.Equal(a.Licenses, b.Licenses) {
		add("licenses", licenseText(licensesOf(a.Component, false)), licenseText(licensesOf(b.Component, false)))
		add("concluded licenses", licenseText(licensesOf(a.Component, true)), licenseText(licensesOf(b.Component, true)))
	}
	if !a.Hashes.Equal(b.Hashes) {
		algorithms := make(map[assay.Algorithm]bool)
		for _, d := range slices.Concat(a.Hashes, b.Hashes) {
			algorithms[d.Algorithm()] = true
		}
		for _, alg := range slices.Sorted(maps.Keys(algorithms)) {
			add("hash "+string(alg), a.Hashes.Get(alg).Hex(), b.Hashes.Get(alg).Hex())
		}
	}
	add("supplier", a.Supplier, b.Supplier)
	add("creator", a.Creator, b.Creator)
	if !sameReferences(a.Component, b.Component) {
		add("references", referenceText(a.References), referenceText(b.References))
	}
	add("description", a.Description, b.Description)
	if a.Source != b.Source {
		add("source", sourceText(a.Source), sourceText(b.Source))
	}
	if !slices.Equal(a.Locations, b.Locations) {
		add("locations", pathText(a.Component), pathText(b.Component))
	}
	add("foundBy", a.FoundBy, b.FoundBy)
	if maps.Equal(a.Properties, b.Properties) {
		return out
	}
	names := maps.Clone(a.Properties)
	if names == nil {
		names = make(map[string]string)
	}
	maps.Copy(names, b.Properties)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add("property "+name, a.Properties[name], b.Properties[name])
	}
	return out
}

// unversioned is the purl as it is compared: without the version, and without the
// epoch, which is a part of it.
func unversioned(c *comparand) string {
	if c.PURL.IsZero() {
		return ""
	}
	p := c.PURL.Parts()
	p.Version, p.Qualifiers = "", c.qualifiers
	out, err := assay.NewPURL(p)
	if err != nil { // a type that requires a version or the epoch
		return c.PURL.String()
	}
	return out.String()
}

func referenceText(list []assay.Reference) string {
	var texts []string
	for _, r := range list {
		t := string(r.Type) + " " + r.URL
		for _, d := range r.Hashes {
			t += " " + d.String()
		}
		if r.Comment != "" {
			t += " (" + r.Comment + ")"
		}
		texts = append(texts, t)
	}
	return sortedText(texts)
}

func sortedText(list []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(list))), ", ")
}

func completenessChanges(old, new *assay.SBOM) []FieldChange {
	was, is := statementsOf(old), statementsOf(new)
	scopes := make(map[string]bool)
	for _, all := range []statements{was, is} {
		for s := range all {
			if s.Of == "" {
				scopes[s.Scope] = true
			}
		}
	}
	var out []FieldChange
	for _, scope := range slices.Sorted(maps.Keys(scopes)) {
		key := assay.Completeness{Scope: scope}
		if was[key] != is[key] {
			out = append(out, FieldChange{Field: scope, Old: was[key], New: is[key]})
		}
	}
	return out
}
