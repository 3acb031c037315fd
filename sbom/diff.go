package sbom

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Delta is what changed from one SBOM to another. Its JSON is an object of the
// members "added", "removed" and "changed", which are always there, and "root" and
// "completeness".
type Delta struct {
	// Added and Removed are components that only the new or the old SBOM has,
	// sorted by purl, then type, name and version.
	Added   []assay.Component `json:"added"`
	Removed []assay.Component `json:"removed"`
	// Changed are components that both have, sorted as they were in the old one.
	Changed []ComponentChange `json:"changed"`
	// Root is what changed about the root.
	Root []FieldChange `json:"root,omitempty"`
	// Completeness is what changed in the statements about the whole document; the
	// fields are their scopes.
	Completeness []FieldChange `json:"completeness,omitempty"`
}

// ComponentChange is one component, as it was and as it is.
type ComponentChange struct {
	Old assay.Component `json:"old"`
	New assay.Component `json:"new"`
	// Fields are what changed, in the order of the fields of [assay.Component].
	Fields []FieldChange `json:"fields"`
}

// Direction is where a version went.
type Direction string

const (
	// Up is to a later version, Down to an earlier one.
	Up   Direction = "up"
	Down Direction = "down"
	// UnknownDirection is for versions whose order is not known here.
	UnknownDirection Direction = "unknown"
)

// FieldChange is one field with its values in words, "" if there is none.
type FieldChange struct {
	// Field is "type", "name", "version", "purl" (all of it but the version),
	// "cpes", "licenses", "concluded licenses", "hash ALGORITHM", "supplier",
	// "description", "source", "locations", "foundBy" or "property NAME".
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
	// Direction is set for versions.
	Direction Direction `json:"direction,omitempty"`
}

func (c FieldChange) String() string {
	s := printable(c.Field) + " " + printable(c.Old) + " -> " + printable(c.New)
	if c.Direction != "" {
		s += " (" + string(c.Direction) + ")"
	}
	return s
}

// Empty reports whether nothing changed.
func (d Delta) Empty() bool {
	return len(d.Added)+len(d.Removed)+len(d.Changed)+len(d.Root)+len(d.Completeness) == 0
}

// String gives one line for each component that came or went and for each field that
// changed: "+ pkg:npm/a@1", "- pkg:npm/b@1", "~ pkg:npm/c@1: version 1 -> 2 (up)".
// What could steer a terminal is written as U+FFFD.
func (d Delta) String() string {
	var b strings.Builder
	for i := range d.Added {
		fmt.Fprintf(&b, "+ %s\n", describe(&d.Added[i]))
	}
	for i := range d.Removed {
		fmt.Fprintf(&b, "- %s\n", describe(&d.Removed[i]))
	}
	for i := range d.Changed {
		c := &d.Changed[i]
		for _, f := range c.Fields {
			fmt.Fprintf(&b, "~ %s: %s\n", describe(&c.Old), f)
		}
	}
	for _, f := range d.Root {
		fmt.Fprintf(&b, "~ root: %s\n", f)
	}
	for _, f := range d.Completeness {
		fmt.Fprintf(&b, "~ completeness: %s\n", f)
	}
	return b.String()
}

// MarshalJSON implements [json.Marshaler]: empty lists are lists.
func (d Delta) MarshalJSON() ([]byte, error) {
	type plain Delta
	p := plain(d)
	p.Added, p.Removed, p.Changed = notNil(p.Added), notNil(p.Removed), notNil(p.Changed)
	return json.Marshal(p)
}

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Diff tells what changed from an old SBOM to a new one, of the same image at
// another time or of a rebuilt one. Components are joined as [Compare] joins them, by
// the purl without version and qualifiers, without a purl by type and name, and one
// to one: of several of one name first those that are equal, then those of one
// version, then those of equal qualifiers, then of one architecture, then in the
// order of their versions. What is left was added or removed.
//
// All fields of a component are compared but its ID and, of locations, the layers;
// and of the purl, what is no version. Relations are not compared. Unlike Compare,
// which tells a false claim from a true one, a detail that only one side has is a
// change.
//
// Whether a version went up or down is said for deb, for golang, npm and cargo
// (semantic versions), and for any that are numbers with dots; for others it is
// [UnknownDirection]. The result is sorted and does not depend on the order of
// components.
func Diff(old, new *assay.SBOM) Delta {
	var d Delta
	sides := [2]*assay.SBOM{old, new}
	groups := make(map[string]*group, len(old.Components))
	for side, doc := range sides {
		for i := range doc.Components {
			c := newComparand(&doc.Components[i])
			g := groups[c.key]
			if g == nil {
				g = &group{}
				groups[c.key] = g
			}
			g.side[side] = append(g.side[side], c)
		}
	}
	for _, g := range groups { // in any order: all lists are sorted at the end
		g.pair(func(a, b *comparand) {
			if fields := changes(a, b); len(fields) > 0 {
				d.Changed = append(d.Changed, ComponentChange{*a.Component, *b.Component, fields})
			}
		})
		for _, c := range g.side[0] {
			if !c.matched {
				d.Removed = append(d.Removed, *c.Component)
			}
		}
		for _, c := range g.side[1] {
			if !c.matched {
				d.Added = append(d.Added, *c.Component)
			}
		}
	}
	slices.SortFunc(d.Added, compareComponents)
	slices.SortFunc(d.Removed, compareComponents)
	slices.SortFunc(d.Changed, func(x, y ComponentChange) int {
		return cmp.Or(compareComponents(x.Old, y.Old), compareComponents(x.New, y.New))
	})
	d.Root = changes(newComparand(&old.Root), newComparand(&new.Root))
	d.Completeness = completenessChanges(old, new)
	return d
}
