package triage

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// shown is a list of components, indexed by package and by digest. Nil shows nothing.
type shown struct {
	doc      *assay.SBOM
	byID     map[assay.ComponentID]*assay.Component
	byName   map[string][]*assay.Component // of package URLs without version
	descends map[assay.ComponentID]bool
}

func newShown(doc *assay.SBOM) *shown {
	if doc == nil {
		return nil
	}
	s := &shown{doc, map[assay.ComponentID]*assay.Component{}, map[string][]*assay.Component{}, map[assay.ComponentID]bool{}}
	s.add(&doc.Root)
	for i := range doc.Components {
		s.add(&doc.Components[i])
	}
	for _, r := range doc.Relations {
		if r.Kind == assay.DescendantOf {
			s.descends[r.From] = true
		}
	}
	return s
}

func (s *shown) add(c *assay.Component) {
	s.byID[c.ID] = c
	if !c.PURL.IsZero() {
		name := c.PURL.Package().String()
		s.byName[name] = append(s.byName[name], c)
	}
}

// find gives the components that a finding is about: by its identifier where its
// package URL is the component's, else all that its package URL covers.
func (s *shown) find(f assay.Finding) []*assay.Component {
	if s == nil {
		return nil
	}
	if c := s.byID[f.Component]; c != nil && (f.PURL.IsZero() || covers(f.PURL, c.PURL) || covers(c.PURL, f.PURL)) {
		return []*assay.Component{c}
	}
	if f.PURL.IsZero() {
		return nil
	}
	var out []*assay.Component
	for _, c := range s.byName[f.PURL.Package().String()] {
		if covers(f.PURL, c.PURL) || covers(c.PURL, f.PURL) {
			out = append(out, c)
		}
	}
	return out
}

// covers is the matching of package vex, which knows that versions of Go have a "v" or
// not.
func covers(a, b assay.PURL) bool {
	return !a.IsZero() && !b.IsZero() && vex.Match(vex.PURLProduct(a), vex.PURLProduct(b)).OK()
}

// modified reports whether the component is said to be a modified other one.
func (s *shown) modified(id assay.ComponentID) bool { return s != nil && s.descends[id] }

// holds gives a component that the product names, nil if there is none.
func (s *shown) holds(p assay.Product) *assay.Component {
	if s == nil {
		return nil
	}
	p.Subcomponents = nil
	try := func(c *assay.Component) bool { return vex.Match(p, vex.ComponentProduct(*c)).OK() }
	if !p.PURL.IsZero() {
		for _, c := range s.byName[p.PURL.Package().String()] {
			if try(c) {
				return c
			}
		}
	}
	if len(p.Digests) > 0 || len(p.CPEs) > 0 || p.PURL.IsZero() {
		for i := range s.doc.Components {
			if c := &s.doc.Components[i]; try(c) {
				return c
			}
		}
	}
	return nil
}

// present looks up what component_not_present is stated of: the finding's component and
// what the statement names. It is proven, with where, refuted, or unknown.
func (t *triager) present(f assay.Finding, c *assay.Component, w vex.Way) (string, assay.State) {
	names := append([]assay.Product{vex.ComponentProduct(*c)}, statedParts(w, c)...)
	for _, list := range []struct {
		what string
		in   *shown
	}{{"in the contents of the image", t.bytes}, {"in the SBOM", t.shown}} {
		if found := list.in.find(f); len(found) > 0 {
			return list.what + at(found[0]), assay.Proven
		}
		for _, p := range names {
			if found := list.in.holds(p); found != nil {
				return list.what + at(found), assay.Proven
			}
		}
	}
	eco := c.PURL.Type()
	if t.bytes != nil {
		if s := t.bytes.components(eco); s != "incomplete" && s != "unknown" {
			return "", assay.Refuted
		}
		return "", assay.Unknown
	}
	if t.shown != nil && t.shown.components(eco) == "complete" {
		return "", assay.Refuted
	}
	return "", assay.Unknown
}

func at(c *assay.Component) string {
	out := " as " + string(c.ID)
	if len(c.Locations) > 0 {
		out += " at " + c.Locations[0].Path
	}
	return out
}

// components is what the document states of how many components of an ecosystem it
// lists: complete, incomplete, unknown, or nothing.
func (s *shown) components(ecosystem string) string {
	whole, narrow := "", ""
	for _, c := range s.doc.Completeness {
		if c.Of != "" && c.Of != s.doc.Root.ID {
			continue
		}
		switch scope, of, _ := strings.Cut(c.Scope, ":"); {
		case scope != "components":
		case of == "":
			whole = c.Aggregate
		case of == ecosystem:
			narrow = c.Aggregate
		}
	}
	switch {
	case narrow != "":
		return narrow
	case whole == "unknown":
		// What is not known of the whole is no word on an ecosystem of which nothing was
		// found; a scan never knows the whole.
		return ""
	}
	return whole
}

// allSpokenOf reports whether every file that the component was found in is one of a
// product that was spoken of.
func (s *shown) allSpokenOf(c *assay.Component, ways []vex.Way) bool {
	if s == nil || len(c.Locations) == 0 {
		return false
	}
	var paths []string
	for _, w := range ways {
		if w.Product == c.ID || w.Product == s.doc.Root.ID {
			return true // the statement is about the component, wherever it is
		}
		if p := s.byID[w.Product]; p != nil {
			for _, l := range p.Locations {
				paths = append(paths, l.Path)
			}
		}
	}
	return !slices.ContainsFunc(c.Locations, func(l assay.Location) bool { return !slices.Contains(paths, l.Path) })
}
