package sbom

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Profile is a standard that says what an SBOM has to contain.
type Profile string

const (
	// NTIA2021 is "The Minimum Elements For a Software Bill of Materials (SBOM)",
	// United States Department of Commerce, 12 July 2021. The rules were held against
	// its text.
	NTIA2021 Profile = "ntia-2021"
	// CISA2025 is the draft for public comment of "2025 Minimum Elements for a
	// Software Bill of Materials (SBOM)", CISA, 22 August 2025. It was never in
	// force; its sections are named here by the elements that they are about. The
	// rules were held against the list of its data fields and their definitions as
	// other publications quote it, not against the draft itself.
	CISA2025 Profile = "cisa-2025-draft"
	// CISA2026 is "2026 Minimum Elements for a Software Bill of Materials (SBOM)" of
	// CISA and authorities of other countries, 29 July 2026, which replaces that of
	// 2021. The rules were held against two independent summaries that quote its
	// elements and definitions, not against the document itself.
	CISA2026 Profile = "cisa-2026"
	// BSI210 is Technical Guideline BSI TR-03183-2, version 2.1.0, 20 August 2025. The
	// rules were held against its text, and against version 0.1.2 of the BSI's
	// taxonomy of properties for CycloneDX.
	BSI210 Profile = "bsi-tr-03183-2-2.1.0"
)

// Profiles are all that [Check] knows.
func Profiles() []Profile { return []Profile{NTIA2021, CISA2025, CISA2026, BSI210} }

// ParseProfile reads the name of a profile, such as a flag's value.
func ParseProfile(s string) (Profile, error) {
	if p := Profile(s); slices.Contains(Profiles(), p) {
		return p, nil
	}
	var names []string
	for _, p := range Profiles() {
		names = append(names, string(p))
	}
	return "", &assay.Error{Op: "parse profile", Kind: assay.ErrInvalid, Value: s, Bound: "one of " + strings.Join(names, ", ")}
}

// Element is one thing that a profile demands.
type Element struct {
	// Name is what the standard calls it.
	Name string
	// Section is where the standard demands it.
	Section string
	// Undecided says why no typed SBOM can answer whether it is there, so that
	// [Check] is silent about it; empty for the elements that Check decides.
	Undecided string
}

// Elements are all that the profile demands, in the order of the standard; none for
// an unknown profile. Those that are undecided remain for a person, or for whoever
// has the bytes of the document, to check.
func (p Profile) Elements() []Element {
	var out []Element
	for _, r := range rules[p] {
		out = append(out, Element{r.element, r.section, r.undecided})
	}
	return out
}

// Defect is an element that an SBOM does not have, or that cannot be told to be there.
type Defect struct {
	Profile Profile `json:"profile"`
	// Element and Section are those of the profile's [Element].
	Element string `json:"element"`
	Section string `json:"section"`
	// Component is the one that lacks it, empty for the document.
	Component assay.ComponentID `json:"component,omitempty"`
	// Field is the one of [assay.SBOM] or [assay.Component] that would hold it.
	Field string `json:"field"`
	// Missing says what is wanted there.
	Missing string `json:"missing"`
	// State is [assay.Refuted] where the standard is not met. It is [assay.Unknown]
	// where the standard demands something only if it exists, or accepts a statement
	// that the SBOM's type has no place for, so that it may well be met.
	State assay.State `json:"state"`
}

// String gives one line.
func (d Defect) String() string {
	s := string(d.Profile) + ", " + d.Section + ", " + d.Element + ": "
	if d.Component != "" {
		s += string(d.Component) + ": "
	}
	s += d.Field + ": want " + d.Missing
	if d.State == assay.Unknown {
		s += " (if there is any)"
	}
	return printable(s)
}

// Check holds an SBOM against a profile and names each defect, sorted by component,
// those of the document first, then in the order of the standard. No defects mean
// that nothing that can be decided is missing: see [Profile.Elements] for what
// cannot.
//
// What is judged is the SBOM as it was read, or is to be written: whether something
// is said, not at which member of a document it is said, nor whether it is true. The
// root counts as a component. Where a component has no Creator, its Supplier stands for
// the producer of CISA and the creator of the BSI, which sees a difference between
// them (3.2.9); and the Creator for the supplier of NTIA, which means the same by it.
//
// Of BSI TR-03183-2, a component that is an operating system, a container, a
// framework, a platform or a device is taken for a logical one (3.2.2), unless it has
// a file name; all others must be fully described, because nothing in a document
// tells logical or merely identified components from incomplete ones. The properties
// are those of the BSI's taxonomy for CycloneDX, "bsi:component:filename",
// "…:executable", "…:archive" and "…:structured". The hash of the deployable component
// may be among the component's, or as the guideline maps it (8.2) among those of a
// reference of type distribution. The creator of the document is one of its authors,
// who are metadata.authors or metadata.manufacturer in CycloneDX.
//
// An unknown profile, or an SBOM that breaks a rule of the model, is
// [assay.ErrInvalid].
func Check(doc *assay.SBOM, p Profile) ([]Defect, error) {
	if _, err := ParseProfile(string(p)); err != nil {
		return nil, err
	}
	in, err := newInspection(doc)
	if err != nil {
		return nil, err
	}
	var out []Defect
	for _, r := range rules[p] {
		report := func(id assay.ComponentID, field, missing string, state assay.State) {
			out = append(out, Defect{p, r.element, r.section, id, field, missing, state})
		}
		if r.document != nil {
			if f := r.document(in); f != nil {
				report("", f.field, f.missing, f.state)
			}
		}
		if r.component == nil {
			continue
		}
		for _, c := range in.components {
			if f := r.component(in, c); f != nil {
				report(c.ID, f.field, f.missing, f.state)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Defect) int { return cmp.Compare(a.Component, b.Component) })
	return out, nil
}

// inspection is an SBOM with what the rules look up.
type inspection struct {
	*assay.SBOM
	components []*assay.Component // the root first, if there is one
	related    map[assay.ComponentID]bool
	stated     statements
}

func newInspection(doc *assay.SBOM) (*inspection, error) {
	in := &inspection{SBOM: doc, related: make(map[assay.ComponentID]bool), stated: statementsOf(doc)}
	if doc.Root.ID != "" {
		in.components = append(in.components, &doc.Root)
	}
	for i := range doc.Components {
		in.components = append(in.components, &doc.Components[i])
	}
	ids := make(map[assay.ComponentID]bool, len(in.components))
	for _, c := range in.components {
		if c.ID == "" || ids[c.ID] {
			return nil, &assay.Error{Op: "check SBOM", Kind: assay.ErrInvalid, Subject: c.Name, Field: "id", Value: string(c.ID), Bound: "a unique id"}
		}
		ids[c.ID] = true
	}
	for _, r := range doc.Relations {
		for _, id := range [...]assay.ComponentID{r.From, r.To} {
			if !ids[id] {
				return nil, &assay.Error{Op: "check SBOM", Kind: assay.ErrInvalid, Field: "relation " + string(r.Kind), Value: string(id), Bound: "the id of a component"}
			}
			in.related[id] = true
		}
	}
	return in, nil
}

// coverage reports whether it is stated how complete the enumeration of what a
// component depends on is, or of what it contains; whatever is stated.
func (in *inspection) coverage(c *assay.Component) bool {
	stated := func(of assay.ComponentID, scope string) bool {
		_, ok := in.stated[assay.Completeness{Of: of, Scope: scope}]
		return ok
	}
	switch {
	case stated(c.ID, "dependencies"), stated(c.ID, "components"), stated("", "dependencies"):
		return true
	case c.ID == in.Root.ID:
		return stated("", "components")
	}
	return !c.PURL.IsZero() && stated("", "dependencies:"+c.PURL.Type())
}
