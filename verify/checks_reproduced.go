package verify

import (
	"fmt"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// reproduced answers whether builders that are operated independently of each other made
// this very image from one commit: what one of them may have put into it, the others did
// not put there.
func (v *Verifier) reproduced(c *subjectCase) Check {
	check := Check{ID: CheckReproduced}
	var builds []provenance.Build
	for _, p := range c.provenances {
		check.Evidence = append(check.Evidence, p.Envelope())
		state, _, finding := v.speaksFor(p)
		if state != assay.Proven {
			check.Findings = append(check.Findings, fmt.Sprintf("%s does not count: %s", p.Envelope(), finding))
			continue
		}
		if agreed, wrong := v.agreement(p); agreed == assay.Refuted {
			check.Findings = append(check.Findings, fmt.Sprintf("%s does not count: %s", p.Envelope(), wrong[0]))
			continue
		}
		if !v.believed(p) {
			check.Findings = append(check.Findings, fmt.Sprintf("%s does not count: %s", p.Envelope(), unbelieved("it was built from "+p.Evidence().Source.Commit.Hex(), p)))
			continue
		}
		builds = append(builds, provenance.Build{
			Provenance: p.Evidence(), Signer: p.Signer(), Operator: v.policy.rule(p.Rule()).Operator,
			// It may be of an index above: that is of this image, too.
			Subjects: []assay.Subject{{Digest: assay.DigestSet{c.report.Digest}}},
		})
	}
	r := provenance.ReproducedBy(c.report.Digest, builds...)
	check.Findings = append(check.Findings, r.Reasons...)
	want := max(v.policy.MinBuilders, 2)
	check.Detail = plural(r.Independent, "independent builder") + " made it from one commit"
	if r.Independent < want {
		check.Detail += fmt.Sprintf(", of %d that must", want)
	}
	open := slices.ContainsFunc(c.report.Attestations, func(a Attestation) bool {
		return a.State == assay.Unknown && (a.Kind == assay.KindProvenance || a.Kind == "") && a.Reason != FromTheFuture
	})
	switch {
	case len(c.provenances) == 0:
		check.Reason, check.Detail = NotStated, "no provenance was accepted"
	case r.Independent >= want:
		check.State, check.Reason = assay.Proven, Holds
	case v.policy.MinBuilders == 0:
		check.Reason = NotShown
	case len(c.report.Faults) > 0:
		check.Reason = StoreUnreadable
		check.Detail += "; a store could not be read: " + c.report.Faults[0].Store
	case open:
		check.Reason = Unchecked
	default:
		check.State, check.Reason = assay.Refuted, TooFewBuilders
	}
	return check
}

// Reproduced reports whether independent builders are shown to have made the image; for
// an index, each image in it.
func (r *Report) Reproduced() bool {
	if len(r.Platforms) > 0 {
		return !slices.ContainsFunc(r.Platforms, func(p *Report) bool { return !p.Reproduced() })
	}
	c, ok := r.Check(CheckReproduced)
	return ok && c.State == assay.Proven && c.Reason == Holds
}
