package verify

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// everywhere sums up, for an index, what each of its images has of every kind of
// evidence that is asked for: the checks of the images with one ID become one. What
// one platform has does not hide what another lacks, and which lacks what is said.
func everywhere(platforms []*Report) []Check {
	var out []Check
	for _, id := range evidenceIDs(platforms) {
		c := Check{ID: id, State: assay.Proven, Reason: Holds}
		kind := kindName(strings.TrimPrefix(id, evidencePrefix))
		has := 0
		for _, p := range platforms {
			// An image that was not asked, because another was of another kind, is not
			// thereby one that has it; but all images are asked the same.
			sub, ok := p.Check(id)
			if !ok {
				sub = Check{State: assay.Unknown, Reason: NotShown}
			}
			c.Stage, c.Required = max(c.Stage, sub.Stage), c.Required || sub.Required
			c.Evidence = append(c.Evidence, sub.Evidence...)
			if sub.State == assay.Proven {
				has++
				continue
			}
			if c.State.And(sub.State) != c.State {
				c.State, c.Reason = c.State.And(sub.State), sub.Reason
			}
			switch {
			case len(p.Platforms) > 0:
				c.Findings = append(c.Findings, sub.Findings...)
			case sub.State == assay.Refuted:
				c.Findings = append(c.Findings, platformName(p)+" has no "+kind)
			default:
				c.Findings = append(c.Findings, platformName(p)+" may have no "+kind+": "+string(sub.Reason))
			}
		}
		switch missing := len(platforms) - has; {
		case missing == 0:
			c.Detail = "each of " + plural(len(platforms), "platform") + " has " + kind
			if len(platforms) == 1 {
				c.Detail = "the one platform has " + kind
			}
		default:
			c = c.finish() // sorts what is missing
			c.Detail = strings.Join(c.Findings[:min(len(c.Findings), 3)], ", ")
			if len(c.Findings) > 3 {
				c.Detail += ", …"
			}
		}
		out = append(out, c.finish())
	}
	return out
}

const evidencePrefix = "evidence/"

// evidenceIDs are the IDs of the checks for evidence, in the order of the images'.
func evidenceIDs(platforms []*Report) []string {
	var out []string
	for _, p := range platforms {
		for _, c := range p.Checks {
			if strings.HasPrefix(c.ID, evidencePrefix) && !slices.Contains(out, c.ID) {
				out = append(out, c.ID)
			}
		}
	}
	return out
}

// kindName is a kind of evidence in words.
func kindName(kind string) string {
	switch kind {
	case "any":
		return "evidence"
	case string(assay.KindSBOM):
		return "SBOM"
	case string(assay.KindVEX):
		return "VEX"
	}
	return strings.ReplaceAll(kind, "-", " ")
}

func platformName(r *Report) string {
	if s := r.Platform.String(); s != "" {
		return s
	}
	return r.Digest.String()
}
