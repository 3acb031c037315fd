package verify

import (
	"fmt"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// sbomContents answers whether every SBOM that was accepted describes the image's
// bytes: nothing missing, nothing that is not there, no other version. What could not
// be read of the image, and executables that an SBOM says nothing about, leave it open.
func (c *subjectCase) sbomContents() Check {
	t := newTally(CheckSBOMContents)
	for _, s := range c.sboms {
		if c.contents.inspection == nil {
			t.add(assay.Unknown, c.contents.reason, s.Envelope(), c.contents.detail)
			continue
		}
		d := sbom.Compare(s.Evidence(), c.contents.sbom)
		var findings []string
		if !s.Subject().Digest.Has(c.report.Digest) {
			// It is about an index above, and may list what is in its other images.
			for _, p := range d.Phantom {
				findings = append(findings, label(p)+" is in the SBOM of the index and not in this image")
			}
			d.Phantom = nil
		}
		if !d.Empty() {
			t.add(assay.Refuted, ContentsDiffer, s.Envelope(), differences(d)...)
			continue
		}
		state, reason := assay.Proven, Holds
		open := func(why Reason) {
			if state == assay.Proven {
				state, reason = assay.Unknown, why
			}
		}
		if more := unread(d); len(more) > 0 {
			open(ContentsIncomplete)
			findings = append(findings, more...)
		}
		if n := len(d.Undescribed); n > 0 {
			open(NotDescribed)
			findings = append(findings, fmt.Sprintf("%d executables of no package are in the image, and the SBOM says nothing about them", n))
			for i := range d.Undescribed {
				findings = append(findings, "not described: "+label(d.Undescribed[i]))
			}
		}
		for _, u := range d.Uncompared {
			// What the SBOM leaves out of a type that many leave out is no claim; what
			// it lists and was not looked for is one that nobody checked.
			if u.Claimed > 0 {
				open(NotShown)
				findings = append(findings, fmt.Sprintf("%d components of type %s are in the SBOM and were not looked for", u.Claimed, u.Type))
			}
		}
		t.add(state, reason, s.Envelope(), findings...)
	}
	return t.done(words{
		holds:   "every component was found in the image's bytes, and no other",
		refuted: "an SBOM does not describe the image's bytes",
		open:    "no SBOM could be held against the image's bytes",
		nothing: "no SBOM was accepted",
	})
}

// unread says what of the image could not be read, and what that leaves open.
func unread(d sbom.Difference) []string {
	var out []string
	for _, scope := range d.Incomplete {
		out = append(out, scope+" of the image could not all be read")
	}
	for _, u := range d.Unproven {
		if u.Claimed {
			out = append(out, "not found: "+label(u.Component)+" is in the SBOM, and may be in what was not read")
		} else {
			out = append(out, "not explained: "+label(u.Component)+" is in the image, and may belong to a package that was not read")
		}
	}
	return out
}

func differences(d sbom.Difference) []string {
	var out []string
	for _, m := range d.Missing {
		out = append(out, "missing: "+label(m)+" is in the image and not in the SBOM")
	}
	for _, p := range d.Phantom {
		out = append(out, "phantom: "+label(p)+" is in the SBOM and not in the image")
	}
	for _, ch := range d.Changed {
		out = append(out, fmt.Sprintf("changed: %s in the SBOM is %s in the image (%s)", label(ch.Claimed), label(ch.Actual), ch.Field))
	}
	return out
}

func label(c assay.Component) string {
	if !c.PURL.IsZero() {
		return c.PURL.String()
	}
	if c.Version != "" {
		return c.Name + " " + c.Version
	}
	return c.Name
}
