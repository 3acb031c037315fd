package spdx3

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// licenseOf reads what a license relationship refers to.
func (d *decoder) licenseOf(iri string, o *object, concluded bool, depth int) (assay.License, bool) {
	switch {
	case o == nil || o.class == nil:
		if id, ok := strings.CutPrefix(iri, licensePrefix); ok && license.IsID(id) {
			return assay.License{Expression: strings.Clone(id), Concluded: concluded}, true
		}
		return assay.License{}, false
	case o.class.name == "simplelicensing_LicenseExpression":
		d.used[o.id] = true
		text := o.text("simplelicensing_licenseExpression")
		name, other := d.custom(o, text)
		if name != "" {
			return license.Parse(name, concluded), true
		}
		l := license.Parse(text, concluded)
		if text == "NOASSERTION" || text == "NONE" || text == "" {
			return l, false
		}
		if l.Expression == "" {
			d.lose(o.place.member("simplelicensing_licenseExpression"), "", "not a valid SPDX expression; kept as a name")
		}
		if other {
			d.lose(o.place.member("simplelicensing_customIdToUri"), "", "the model keeps the text of a license that stands alone only")
		}
		return l, true
	case o.class.name == "simplelicensing_SimpleLicensingText" || o.class.name == "expandedlicensing_CustomLicense":
		if name := d.textOf(o); name != "" {
			return license.Parse(name, concluded), true
		}
	case o.class.name == "expandedlicensing_ListedLicense":
		if i := strings.LastIndexByte(o.id, '/'); license.IsID(o.id[i+1:]) {
			d.used[o.id] = true
			return assay.License{Expression: strings.Clone(o.id[i+1:]), Concluded: concluded}, true
		}
	case o.class.name == "expandedlicensing_ConjunctiveLicenseSet" || o.class.name == "expandedlicensing_DisjunctiveLicenseSet":
		var terms []string
		for _, it := range o.node.get("expandedlicensing_member").values() {
			iri, member := d.target(&it.value)
			if depth == 0 {
				return assay.License{}, false
			}
			l, ok := d.licenseOf(iri, member, concluded, depth-1)
			if !ok || l.Expression == "" {
				return assay.License{}, false
			}
			if license.IsCompound(l.Expression) {
				l.Expression = "(" + l.Expression + ")"
			}
			terms = append(terms, l.Expression)
		}
		d.used[o.id] = true
		operator := " AND "
		if o.class.name == "expandedlicensing_DisjunctiveLicenseSet" {
			operator = " OR "
		}
		l := license.Parse(strings.Join(terms, operator), concluded)
		return l, l.Expression != ""
	}
	return assay.License{}, false
}

// custom gives the statement that a lone LicenseRef stands for, and whether the
// expression maps any other.
func (d *decoder) custom(o *object, expression string) (name string, other bool) {
	for _, it := range o.node.get("simplelicensing_customIdToUri").values() {
		entry := object{node: d.object(&it.value)}
		if entry.node == nil {
			continue
		}
		key, text := entry.text("key"), d.byID[d.iri(entry.text("value"))]
		if text == nil || text.class == nil || key != strings.TrimSpace(expression) {
			other = true
			continue
		}
		if name = d.textOf(text); name == "" {
			other = true
		}
	}
	return name, other
}

// textOf gives the name of a license text, or the text itself if it is short.
func (d *decoder) textOf(o *object) string {
	name, text := o.text("name"), o.text("simplelicensing_licenseText")
	switch {
	case name != "" && text != name:
		if !d.used[o.id] {
			d.lose(o.place.member("simplelicensing_licenseText"), "", "the model keeps the name of a license only")
		}
	case name == "" && len(text) <= 120 && !strings.ContainsAny(text, "\r\n"):
		name = text
	}
	if name != "" {
		d.used[o.id] = true
	}
	return name
}
