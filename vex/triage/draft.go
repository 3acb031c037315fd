package triage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// DraftOptions are what else goes into a draft. The zero value is useful.
type DraftOptions struct {
	// Document is what the document says of itself, its time among it.
	Document vex.Options
	// Runs give the justification of code that is not reachable; see [Reachability].
	// Without them it is vulnerable_code_not_in_execute_path, which holds for code that is
	// not there as well.
	Runs []Run
	// SBOM has the files that the components of Runs are in.
	SBOM *assay.SBOM
	// Action gives the action statement of a finding that has a fix. Default:
	// "Upgrade example.com/lib to version 1.4.2."
	Action func(assay.Finding) string
}

// Draft begins the VEX document about a product for what is left to be said after a
// triage, in the name of author, for whom it is to look over and build. A triage with
// no documents drafts all of it.
//
//   - not_affected where analysis shows that the vulnerable code is not reachable
//     ([assay.Finding].Reachable is refuted), and nowhere else.
//   - affected, to be upgraded, where a fixed version is known.
//   - under_investigation where none is: what to do about it, which affected has to say,
//     is for people to find out.
//
// Findings that are closed get no statement, nor do those that somebody states to be
// affected, or to be under investigation while there is no fix. The vulnerable
// components are the product's subcomponents, and those of which the same is said share
// a statement. Components that are neither named by a package URL nor by the SBOM
// cannot be subcomponents, and are an error ([assay.ErrInvalid]); nothing to say is
// [assay.ErrAbsent].
func Draft(r *Result, author string, product assay.Product, o DraftOptions) (*vex.Draft, error) {
	if r == nil {
		return nil, missing("result")
	}
	in := newShown(o.SBOM)
	groups := map[string]*claim{}
	for _, d := range r.Decisions {
		c, ok := o.claim(d, in)
		if !ok {
			continue
		}
		part := vex.PURLProduct(d.Finding.PURL)
		if d.Finding.PURL.IsZero() {
			if in != nil && in.byID[d.Finding.Component] != nil {
				part = vex.ComponentProduct(*in.byID[d.Finding.Component])
			}
			if part.PURL.IsZero() && len(part.CPEs) == 0 {
				return nil, &assay.Error{Op: "draft VEX", Kind: assay.ErrInvalid, Subject: string(d.Finding.Vulnerability.ID), Field: "component",
					Value: string(d.Finding.Component), Bound: "a component with a package URL or CPE", Rule: "OpenVEX 10"}
			}
		}
		key := c.key()
		if groups[key] == nil {
			groups[key] = &c
		}
		g := groups[key]
		if !slices.ContainsFunc(g.parts, func(p assay.Product) bool { return p.Compare(part) == 0 }) {
			g.parts = append(g.parts, part)
		}
	}
	if len(groups) == 0 {
		return nil, &assay.Error{Op: "draft VEX", Kind: assay.ErrAbsent, Field: "decisions", Bound: "a finding that is not spoken of"}
	}
	list := make([]*claim, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *claim) int { return cmp.Compare(a.key(), b.key()) })
	out := vex.New(author, o.Document)
	for _, g := range list {
		p := product
		p.Subcomponents = g.parts
		var c *vex.Claim
		switch id := g.vulnerability.ID; g.status {
		case assay.NotAffected:
			c = out.NotAffected(id, g.why, p)
		case assay.Affected:
			c = out.Affected(id, g.action, p)
		default:
			c = out.UnderInvestigation(id, p)
		}
		c.Notes(g.notes).Aliases(g.vulnerability.Aliases...).Describe(g.vulnerability.IRI, g.vulnerability.Description)
	}
	return out, nil
}

// claim is what is said of one vulnerability in several components.
type claim struct {
	vulnerability assay.Vulnerability
	status        assay.Status
	why           assay.Justification
	action, notes string
	parts         []assay.Product
}

func (c *claim) key() string {
	ids := make([]string, 0, len(c.vulnerability.Aliases))
	for _, a := range c.vulnerability.Aliases {
		ids = append(ids, string(a))
	}
	return strings.Join([]string{string(c.vulnerability.ID), string(c.status), string(c.why), c.action, c.notes,
		strings.Join(ids, " "), c.vulnerability.IRI, c.vulnerability.Description}, "\x00")
}

// claim gives the statement that a decision calls for.
func (o *DraftOptions) claim(d Decision, in *shown) (claim, bool) {
	f := d.Finding
	c := claim{vulnerability: f.Vulnerability}
	c.vulnerability.Aliases = slices.Compact(slices.Sorted(slices.Values(f.Vulnerability.Aliases)))
	c.vulnerability.Aliases = slices.DeleteFunc(c.vulnerability.Aliases, func(a assay.VulnID) bool { return a == f.Vulnerability.ID || a == "" })
	switch {
	case d.State.Closed() || d.Reason == StatedAffected:
		return c, false
	case f.Reachable == assay.Refuted:
		c.status, c.why = assay.NotAffected, assay.VulnerableCodeNotInExecutePath
		if s, why := reachOf(f, in, o.Runs); s == assay.Refuted {
			c.why = why
		}
		c.notes = "Analysis of the code shows that the vulnerable symbols are not reachable."
	case f.Fix.Version != "":
		c.status = assay.Affected
		if o.Action != nil {
			c.action = o.Action(f)
		} else {
			c.action = "Upgrade " + nameOf(f) + " to version " + strings.TrimPrefix(f.Fix.Version, "v") + "."
		}
		if f.Reachable == assay.Proven {
			c.notes = "Analysis of the code shows that the vulnerable symbols are reachable."
		}
	case d.State == UnderInvestigation:
		return c, false
	default:
		c.status = assay.UnderInvestigation
	}
	return c, true
}

// nameOf is what people call the component.
func nameOf(f assay.Finding) string {
	if f.PURL.IsZero() {
		return string(f.Component)
	}
	p := f.PURL.Parts()
	if p.Namespace == "" || p.Type == "deb" || p.Type == "rpm" || p.Type == "apk" {
		return p.Name
	}
	return p.Namespace + "/" + p.Name
}
