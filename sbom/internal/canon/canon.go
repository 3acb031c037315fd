// Package canon brings an SBOM to the one form that is written: the same contents
// give the same bytes, however they are ordered.
package canon

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// Types are the component types of CycloneDX 1.6, which are the model's.
var types = []assay.ComponentType{assay.TypeApplication, assay.TypeFramework, assay.TypeLibrary, assay.TypeContainer, assay.TypePlatform,
	assay.TypeOperatingSystem, assay.TypeDevice, assay.TypeDeviceDriver, assay.TypeFirmware, assay.TypeFile, assay.TypeModel, assay.TypeData, assay.TypeCrypto}

// ValidType reports whether the model knows the type.
func ValidType(t assay.ComponentType) bool { return slices.Contains(types, t) }

// ValidCompleteness reports whether the statement is one that the model defines.
func ValidCompleteness(s assay.Completeness) bool {
	what, ecosystem, named := strings.Cut(s.Scope, ":")
	return (what == "components" || what == "dependencies") && named == (ecosystem != "") && !strings.Contains(ecosystem, "@") &&
		slices.Contains([]string{"complete", "incomplete", "unknown"}, s.Aggregate)
}

// Form gives a copy of doc that is normalized, sorted and valid. It shares slices with
// doc, and is not to be changed in its parts. It reports what it had to change: bytes that are
// not UTF-8, which JSON cannot hold and file names of an image may have, and
// expressions that are none.
func Form(doc *assay.SBOM, report func(field string, id assay.ComponentID, reason string)) (*assay.SBOM, error) {
	f := &former{subject: doc.Root.Name, report: report, expressions: make(map[string]bool)}
	out := *doc
	out.Version = max(1, doc.Version)
	out.Format = ""
	if y := out.Created.UTC().Year(); !out.Created.IsZero() && (y < 0 || y > 9999) {
		return nil, f.invalid("created", out.Created.String(), "a year of four digits")
	}
	if others, ok := f.isForm(doc); ok {
		out.Components = slices.Clip(doc.Components)
		if out.Components == nil {
			out.Components = []assay.Component{}
		}
		if len(others) == 0 || f.repair(&out, others) {
			return &out, nil
		}
	}
	if err := f.rebuild(doc, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func (f *former) invalid(field, value, want string) error {
	return &assay.Error{Op: "write SBOM", Kind: assay.ErrInvalid, Subject: f.subject, Field: field, Value: value, Bound: want}
}

// rebuild makes all of out anew, a copy of doc.
func (f *former) rebuild(doc, out *assay.SBOM) error {
	out.Components = make([]assay.Component, len(doc.Components))
	for i := range doc.Components {
		out.Components[i] = f.component(&doc.Components[i])
	}
	out.Root = f.component(&doc.Root)
	if out.Root.ID == "" && (out.Root.Name != "" || out.Root.Type != "") {
		return f.invalid("root.id", "", "the id of the root component")
	}
	out.Relations = slices.Clone(doc.Relations)
	out.Completeness = slices.Clone(doc.Completeness)
	out.Authors = nil
	for _, a := range doc.Authors {
		if a = f.utf8("authors", "", a); a != "" {
			out.Authors = append(out.Authors, a)
		}
	}
	out.Tools = slices.Clone(doc.Tools)
	for i := range out.Tools {
		t := &out.Tools[i]
		t.Name, t.Version, t.Vendor = f.utf8("tools", "", t.Name), f.utf8("tools", "", t.Version), f.utf8("tools", "", t.Vendor)
	}
	out.Tools = Unique(out.Tools) // as every format but SPDX 2 has them
	out.Lifecycle = f.utf8("lifecycle", "", doc.Lifecycle)
	for _, d := range out.Layers {
		if d.IsZero() {
			return f.invalid("layers", "", "digests")
		}
	}
	if err := out.Normalize(); err != nil {
		return err
	}
	out.Completeness = slices.Compact(out.Completeness)
	for i := range len(out.Components) + 1 {
		c := &out.Root
		if i > 0 {
			c = &out.Components[i-1]
		}
		if c.ID != "" && !ValidType(c.Type) {
			return f.invalid(string(c.ID)+".type", string(c.Type), "a component type of CycloneDX 1.6")
		}
		if strings.ToValidUTF8(string(c.ID), "") != string(c.ID) {
			return f.invalid("id", string(c.ID), "UTF-8")
		}
		for _, r := range c.References {
			if !ValidReference(r.Type) {
				return f.invalid(string(c.ID)+".references", string(r.Type), "a type of reference of CycloneDX 1.7")
			}
		}
	}
	for _, s := range out.Completeness {
		if !ValidCompleteness(s) {
			return f.invalid("completeness", s.Scope+" "+s.Aggregate, "components or dependencies, optionally of an ecosystem, that are complete, incomplete or unknown")
		}
		if _, ok := out.Component(s.Of); s.Of != "" && !ok {
			return f.invalid("completeness.of", string(s.Of), "the id of a component")
		}
	}
	for _, r := range out.Relations {
		if r.Kind == "" || strings.ToValidUTF8(string(r.Kind), "") != string(r.Kind) {
			return f.invalid("relation", string(r.Kind), "a kind of relation")
		}
		if r.From == "" || r.To == "" {
			return f.invalid("relation "+string(r.Kind), "", "the id of a component")
		}
	}
	return nil
}

// Unique keeps the first of those that are the same. It changes the list.
func Unique[T comparable](list []T) []T {
	for i := 1; i < len(list); i++ {
		if slices.Contains(list[:i], list[i]) {
			list = slices.Delete(list, i, i+1)
			i--
		}
	}
	return list
}

type former struct {
	subject     string
	report      func(field string, id assay.ComponentID, reason string)
	expressions map[string]bool // whether they are valid ones
}

// repair brings components to the form that all the rest is in. It gives false where
// one of them cannot be.
func (f *former) repair(doc *assay.SBOM, others []int) bool {
	var told []func()
	report := f.report
	f.report = func(field string, id assay.ComponentID, reason string) {
		told = append(told, func() { report(field, id, reason) })
	}
	defer func() { f.report = report }()
	list, root := slices.Clone(doc.Components), doc.Root
	for _, i := range others {
		c := &root
		if i >= 0 {
			c = &list[i]
		}
		if *c = f.component(c); refused(c) {
			return false
		}
	}
	doc.Components, doc.Root = list, root
	for _, tell := range told {
		tell()
	}
	return true
}

func (f *former) utf8(field string, id assay.ComponentID, s string) string {
	clean := strings.ToValidUTF8(s, "\uFFFD")
	if clean != s {
		f.report(field, id, "bytes that are not UTF-8 are replaced by U+FFFD")
	}
	return clean
}

// component gives a copy. What is as it has to be is shared.
func (f *former) component(c *assay.Component) assay.Component {
	out := *c
	for _, s := range [...]struct {
		field string
		value *string
	}{{"name", &out.Name}, {"version", &out.Version}, {"supplier", &out.Supplier}, {"creator", &out.Creator}, {"description", &out.Description},
		{"source", &out.Source.Name}, {"source", &out.Source.Version}, {"foundBy", &out.FoundBy}} {
		*s.value = f.utf8(s.field, c.ID, *s.value)
	}
	if !ordered(c.CPEs, strings.Compare, validCPE) {
		out.CPEs = nil
		for _, cpe := range c.CPEs {
			if cpe = f.utf8("cpes", c.ID, cpe); cpe != "" {
				out.CPEs = append(out.CPEs, cpe)
			}
		}
		slices.Sort(out.CPEs)
		out.CPEs = slices.Compact(out.CPEs)
	}
	if !ordered(c.Licenses, license.Compare, f.license) {
		out.Licenses = f.sortedLicenses(c)
	}
	out.Hashes = sorted(c.Hashes)
	if !ordered(c.Locations, assay.Location.Compare, validLocation) {
		out.Locations = slices.Clone(c.Locations)
		for i := range out.Locations {
			out.Locations[i].Path = f.utf8("locations", c.ID, out.Locations[i].Path)
		}
		slices.SortFunc(out.Locations, assay.Location.Compare)
		out.Locations = slices.Compact(out.Locations)
	}
	if !ordered(c.References, assay.Reference.Compare, validReference) {
		out.References = f.references(c)
	}
	if !validProperties(c.Properties) {
		out.Properties = make(map[string]string, len(c.Properties))
		for name, value := range c.Properties {
			out.Properties[strings.ToValidUTF8(name, "\uFFFD")] = strings.ToValidUTF8(value, "\uFFFD")
		}
		f.report("properties", c.ID, "bytes that are not UTF-8 are replaced by U+FFFD")
	}
	return out
}

func (f *former) sortedLicenses(c *assay.Component) []assay.License {
	out := make([]assay.License, 0, len(c.Licenses))
	for _, l := range c.Licenses {
		if f.license(l) {
			out = append(out, l)
			continue
		}
		text := f.utf8("licenses", c.ID, cmp.Or(l.Expression, l.Name))
		if text == "" {
			f.report("licenses", c.ID, "a license without expression and name")
			continue
		}
		parsed := license.Parse(text, l.Concluded)
		if l.Expression != "" && parsed.Expression == "" {
			f.report("licenses", c.ID, "not a valid SPDX expression, and written as a name: "+l.Expression)
		}
		out = append(out, parsed)
	}
	license.Sort(&out)
	return out
}

// sorted gives the digests in order, each once.
func sorted(list assay.DigestSet) assay.DigestSet {
	if ordered(list, assay.Digest.Compare, nil) {
		return list
	}
	list = slices.Clone(list)
	slices.SortFunc(list, assay.Digest.Compare)
	return slices.Compact(list)
}
