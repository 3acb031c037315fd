package spdx

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/shape"
)

// packageManager is the category of purls, for which the schemas of JSON in 2.2 do
// not have the name that the specification gives it.
func (d *dialect) packageManager() string {
	if d.old && !d.tagValue {
		return "PACKAGE_MANAGER"
	}
	return "PACKAGE-MANAGER"
}

// isVCS reports whether a location is one of version control (SPDX 2.3, 7.7).
func isVCS(url string) bool {
	tool, _, ok := strings.Cut(url, "+")
	return ok && slices.Contains([]string{"git", "hg", "svn", "bzr", "cvs"}, tool)
}

// isLocation reports whether a downloadLocation can be the URL.
func isLocation(url string) bool { return stated(url) && strings.Contains(url, ":") }

// SameReference reports whether two references are one but for their digests.
func SameReference(a, b assay.Reference) bool {
	return a.Type == b.Type && a.URL == b.URL && a.Comment == b.Comment
}

// references writes those that the package has members for. SPDX 2 has no digests of
// what is elsewhere: references with some are in the facts, and there as well where
// other readers look for them.
func (e *encoder) references(c *assay.Component, p *pkg, f *ComponentFacts) {
	list := c.References
	for len(list) > 0 {
		n := 1
		hashed := len(list[0].Hashes) > 0
		for ; n < len(list) && SameReference(list[n], list[0]); n++ {
			hashed = true // one of them has digests, since they differ
		}
		r := list[0]
		held := r.URL != "" && e.as.text(r.Comment) == r.Comment
		if hashed || !held {
			f.References = append(f.References, list[:n]...)
		}
		list = list[n:]
		switch {
		case !held:
		case r.Comment == "" && r.Type == assay.RefWebsite && p.Homepage == "" && isLocation(r.URL):
			p.Homepage = r.URL
		case r.Comment == "" && p.DownloadLocation == noAssertion && isLocation(r.URL) &&
			(r.Type == assay.RefDistribution && !isVCS(r.URL) || r.Type == assay.RefVCS && isVCS(r.URL)):
			p.DownloadLocation = r.URL
		case r.Type == assay.RefAdvisories && !e.as.old: // 2.2 has no such type
			p.ExternalRefs = append(p.ExternalRefs, external{"SECURITY", "advisory", r.URL, r.Comment})
		default:
			p.ExternalRefs = append(p.ExternalRefs, external{"OTHER", string(r.Type), r.URL, r.Comment})
		}
	}
}

// references reads them.
func (d *decoder) references(e *element, p *pkg, found []assay.Reference, c *assay.Component) error {
	if stated(p.Homepage) {
		found = append(found, assay.Reference{Type: assay.RefWebsite, URL: d.word(p.Homepage, e.pointer+"/homepage")})
	}
	if l := p.DownloadLocation; stated(l) {
		r := assay.Reference{Type: assay.RefDistribution, URL: d.word(l, e.pointer+"/downloadLocation")}
		if isVCS(l) {
			r.Type = assay.RefVCS
		}
		found = append(found, r)
	}
	return d.known(e, found, c)
}

func (d *decoder) word(url, pointer string) string {
	word := canon.Word(url)
	if word != url {
		d.lose(pointer, canon.Encoded)
	}
	return word
}

// known unites what the element's members say with what the facts say more exactly.
func (d *decoder) known(e *element, found []assay.Reference, c *assay.Component) error {
	more := e.facts.References
	for _, r := range more {
		if !canon.ValidReference(r.Type) || r.URL == "" && len(r.Hashes) == 0 || canon.Word(r.URL) != r.URL {
			return d.invalid(e.pointer+"/annotations", "references", "references of known types, with a URI or digests")
		}
	}
	c.References = assay.SortReferences(Unite(found, more))
	return nil
}

// Unite gives the references that more has, and of the others those that are not
// there with digests.
func Unite(found, more []assay.Reference) []assay.Reference {
	out := slices.Clone(more)
	for _, r := range found {
		if !slices.ContainsFunc(more, func(o assay.Reference) bool { return SameReference(r, o) }) {
			out = append(out, r)
		}
	}
	return out
}

// referenceType is what an external reference is to the model.
func referenceType(r *external) (assay.ReferenceType, bool) {
	switch t := assay.ReferenceType(r.Type); {
	case r.Locator == "":
	case r.Category == "SECURITY" && r.Type == "advisory":
		return assay.RefAdvisories, true
	case r.Category == "OTHER" && canon.ValidReference(t):
		return t, true
	}
	return "", false
}

// comment reports that of an external reference for which the model has no place.
func (d *decoder) comment(r *external, pointer string, i int) {
	if r.Comment != "" {
		d.lose(shape.Pointer(pointer, i)+"/comment", "the model has no place for it")
	}
}

// externals reads the purl and the CPEs, and gives what are references to the model.
func (d *decoder) externals(list []external, pointer string, c *assay.Component) (found []assay.Reference, err error) {
	for i, r := range list {
		here := shape.Pointer(pointer, i)
		if t, ok := referenceType(&r); ok {
			found = append(found, assay.Reference{Type: t, URL: d.word(r.Locator, here+"/referenceLocator"), Comment: r.Comment})
			continue
		}
		switch r.Type {
		case "purl":
			p, err := assay.ParsePURL(r.Locator)
			if err != nil {
				return nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: here + "/referenceLocator", Value: r.Locator, Bound: "a package URL", Err: err}
			}
			if c.PURL.IsZero() {
				c.PURL = p
			} else if c.PURL != p {
				d.lose(here, "the model has one purl of a component, the first")
				continue
			}
			d.comment(&r, pointer, i)
		case "cpe22Type", "cpe23Type":
			if r.Locator != "" {
				c.CPEs = append(c.CPEs, r.Locator)
				d.comment(&r, pointer, i)
			}
		default:
			d.lose(here, "the model has no place for references of type "+r.Type)
		}
	}
	slices.Sort(c.CPEs)
	c.CPEs = slices.Compact(c.CPEs)
	return found, nil
}
