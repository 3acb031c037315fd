package verify

import (
	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/posture"
)

// postureClaims answers whether what was signed of posture is so. An attribute that
// was signed and that the bytes refute is false, whoever signed it.
func (c *subjectCase) postureClaims() Check {
	t := newTally(CheckPostureClaims)
	actual, err := c.assessed()
	for _, p := range c.postures {
		switch {
		case err != nil:
			t.add(assay.Unknown, ContentsUnreadable, p.Envelope(), err.Error())
		case actual == nil:
			t.add(assay.Unknown, c.contents.reason, p.Envelope(), c.contents.detail)
		default:
			state, reason := assay.Proven, Holds
			var findings []string
			for _, d := range posture.Compare(p.Evidence(), actual) {
				findings = append(findings, d.String())
				if d.State == assay.Refuted {
					state, reason = assay.Refuted, ShownFalse
				} else if state == assay.Proven {
					state, reason = assay.Unknown, NotShown
				}
			}
			t.add(state, reason, p.Envelope(), findings...)
		}
	}
	return t.done(words{
		holds:   "every signed claim holds on the image's bytes",
		refuted: "a signed claim is not true of the image's bytes",
		open:    "not every signed claim could be held against the image's bytes",
		nothing: "no posture was accepted",
	})
}

// postureRules answers each rule: by the image's bytes where they are at hand. With
// claimed, a signed claim stands in for bytes that are not.
func (c *subjectCase) postureRules(claimed bool) []Check {
	actual, err := c.assessed()
	var out []Check
	for _, rule := range posture.Rules() {
		check := Check{ID: "posture/" + string(rule.Attribute), Stage: rule.Stage, Reason: NotShown}
		switch {
		case err != nil:
			check.Reason, check.Detail = ContentsUnreadable, err.Error()
		case actual != nil:
			f, ok := actual.Fact(rule.Attribute)
			if !ok {
				break
			}
			check.State, check.Detail = f.State, f.Reason
			switch f.State {
			case assay.Proven:
				check.Reason = Holds
			case assay.Refuted:
				check.Reason = ShownFalse
			}
			for _, l := range f.Found {
				check.Findings = append(check.Findings, l.Path)
			}
			if f.FoundTotal > len(f.Found) {
				check.FindingsTotal = f.FoundTotal // the fact lists a few
			}
		default:
			check.Reason, check.Detail = c.contents.reason, c.contents.detail
			for _, p := range c.postures {
				f, ok := p.Evidence().Fact(rule.Attribute)
				if ok && f.State == assay.Proven && claimed {
					check.State, check.Reason = assay.Proven, Holds
					check.Detail = "claimed by " + p.Signer().String() + ", not checked on the image's bytes"
					check.Evidence = append(check.Evidence, p.Envelope())
				}
			}
		}
		out = append(out, check)
	}
	return out
}
