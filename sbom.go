package assay

import (
	"cmp"
	"slices"
	"time"
)

// SBOM is the inventory of one image or folder, neutral of the format it was read
// from.
type SBOM struct {
	// Root is the component that the document describes: the image.
	Root Component `json:"root"`
	// Components are sorted by ID; IDs are unique, and none is Root's.
	Components []Component `json:"components"`
	// Relations are sorted and unique; every end is Root or a component.
	Relations []Relation `json:"relations,omitempty"`
	// Serial is the document's own identifier: the CycloneDX serialNumber, the SPDX
	// documentNamespace.
	Serial string `json:"serial,omitempty"`
	// Version is the CycloneDX revision of the document, 1 or more.
	Version int `json:"version,omitzero"`
	// Created is when the document says it was made. It is a claim.
	Created time.Time `json:"created,omitzero"`
	// Authors are people and organisations that made the document.
	Authors []string `json:"authors,omitempty"`
	Tools   []Tool   `json:"tools,omitempty"`
	// Lifecycle says from what it was made: "build", "post-build", "operations",
	// "discovery" (CycloneDX 1.5 lifecycles; CISA 2025 generation context).
	Lifecycle string `json:"lifecycle,omitempty"`
	// Completeness is what the author states of the inventory and its edges.
	Completeness []Completeness `json:"completeness,omitempty"`
	// Format is where it was read from or is to be written to, such as
	// "cyclonedx-json/1.6"; empty while it is in no document.
	Format string `json:"format,omitempty"`
	// Layers are the diffIDs of the image, bottom first, where known.
	Layers []Digest `json:"layers,omitempty"`
	// Rest is the document that the SBOM was read from, where that says more than
	// the SBOM does. Writing the SBOM in a format of the same family says it again.
	// It is no part of the inventory, and of comparisons.
	Rest Rest `json:"rest,omitzero"`
}

// Rest is a document that says more than the model has a place for. Nothing in it is
// evidence until a reader of its format has checked it.
type Rest struct {
	// Format is that of the document, as in [SBOM].Format; empty if there is none.
	Format string `json:"format,omitempty"`
	// Data are the document's bytes. They are shared between copies of an SBOM, and
	// not to be changed.
	Data []byte `json:"data,omitempty"`
}

// Tool is a program that made a document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Vendor  string `json:"vendor,omitempty"`
}

// Completeness is a statement on how much of something the document lists.
type Completeness struct {
	// Of is what the statement is about: a component, or the whole if empty.
	Of ComponentID `json:"of,omitempty"`
	// Scope is "components" or "dependencies", then optionally an ecosystem after a
	// colon: "dependencies:deb".
	Scope string `json:"scope"`
	// Aggregate is "complete", "incomplete" or "unknown" (CycloneDX compositions).
	Aggregate string `json:"aggregate"`
}

// Component finds a component by its ID, Root included. The SBOM must be
// normalized. What it points to is the SBOM's own.
func (s *SBOM) Component(id ComponentID) (*Component, bool) {
	if id == s.Root.ID {
		return &s.Root, true
	}
	i, ok := slices.BinarySearchFunc(s.Components, id, func(c Component, id ComponentID) int { return cmp.Compare(c.ID, id) })
	if !ok {
		return nil, false
	}
	return &s.Components[i], true
}

// Normalize brings the SBOM to the order its fields promise, drops repeated
// relations, and reports duplicate IDs, and edges and statements of completeness
// about nothing. An SBOM for which it gives an error is sorted, and not to be used.
func (s *SBOM) Normalize() error {
	slices.SortFunc(s.Components, func(a, b Component) int { return cmp.Compare(a.ID, b.ID) })
	for i := range s.Components {
		c := &s.Components[i]
		if c.ID == "" || c.ID == s.Root.ID || i > 0 && c.ID == s.Components[i-1].ID {
			return &Error{Op: "normalize SBOM", Kind: ErrInvalid, Subject: c.Name, Field: "id", Value: string(c.ID), Bound: "a unique id"}
		}
		c.normalize()
	}
	s.Root.normalize()
	slices.SortFunc(s.Relations, Relation.Compare)
	s.Relations = slices.Compact(s.Relations)
	ids := make(map[ComponentID]bool, len(s.Components)+1)
	if len(s.Relations) > 0 {
		for i := range s.Components {
			ids[s.Components[i].ID] = true
		}
		ids[s.Root.ID] = s.Root.ID != ""
	}
	for _, r := range s.Relations {
		for _, id := range [...]ComponentID{r.From, r.To} {
			if !ids[id] {
				return &Error{Op: "normalize SBOM", Kind: ErrInvalid, Field: "relation " + string(r.Kind), Value: string(id), Bound: "the id of a component"}
			}
		}
	}
	slices.SortFunc(s.Completeness, func(a, b Completeness) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Aggregate, b.Aggregate))
	})
	s.Completeness = slices.Compact(s.Completeness)
	for _, c := range s.Completeness {
		if _, ok := s.Component(c.Of); !ok && c.Of != "" {
			return &Error{Op: "normalize SBOM", Kind: ErrInvalid, Field: "completeness of " + c.Scope, Value: string(c.Of), Bound: "the id of a component"}
		}
	}
	return nil
}

func (c *Component) normalize() {
	slices.SortFunc(c.Locations, Location.Compare)
	c.Locations = slices.Compact(c.Locations)
	slices.Sort(c.CPEs)
	c.CPEs = slices.Compact(c.CPEs)
	c.References = SortReferences(c.References)
}
