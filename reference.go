package assay

import (
	"cmp"
	"slices"
)

// ReferenceType says what is to be found at a [Reference], by the words of CycloneDX
// 1.7 (externalReferences).
type ReferenceType string

// The types that the packages of this module look for. The others of CycloneDX are
// valid as well.
const (
	RefWebsite ReferenceType = "website"
	RefVCS     ReferenceType = "vcs"
	// RefDistribution is where the component can be had as it is deployed; the hashes
	// are those of what is there.
	RefDistribution ReferenceType = "distribution"
	// RefSource is where its source code can be had.
	RefSource        ReferenceType = "source-distribution"
	RefIssueTracker  ReferenceType = "issue-tracker"
	RefLicense       ReferenceType = "license"
	RefDocumentation ReferenceType = "documentation"
	RefAdvisories    ReferenceType = "advisories"
	// RefSecurityTxt is a security.txt (RFC 9116).
	RefSecurityTxt ReferenceType = "rfc-9116"
	RefOther       ReferenceType = "other"
)

// Reference is a place outside of the SBOM that says more of a component, or has it.
// Nothing here fetches one: it is a claim.
type Reference struct {
	Type ReferenceType `json:"type"`
	// URL is a URI; empty where only the hashes of what would be there are known.
	URL string `json:"url,omitempty"`
	// Hashes are of what is found at the URL.
	Hashes  DigestSet `json:"hashes,omitempty"`
	Comment string    `json:"comment,omitempty"`
}

// Compare orders references by type, URL, comment, hashes.
func (r Reference) Compare(o Reference) int {
	return cmp.Or(cmp.Compare(r.Type, o.Type), cmp.Compare(r.URL, o.URL), cmp.Compare(r.Comment, o.Comment),
		slices.CompareFunc(r.Hashes, o.Hashes, Digest.Compare))
}

// SortReferences sorts references and drops repetitions, as [SBOM.Normalize] does
// with those of each component. The list itself is changed.
func SortReferences(list []Reference) []Reference {
	slices.SortFunc(list, Reference.Compare)
	return slices.CompactFunc(list, func(a, b Reference) bool { return a.Compare(b) == 0 })
}

// Reference gives the first reference of a type.
func (c *Component) Reference(t ReferenceType) (Reference, bool) {
	for _, r := range c.References {
		if r.Type == t {
			return r, true
		}
	}
	return Reference{}, false
}
