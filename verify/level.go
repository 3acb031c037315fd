package verify

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// BuildLevelRule says up to which level of SLSA's build track a signer is believed about
// a builder (SLSA v1.2, verifying-artifacts.md): how well the builder is isolated from
// those who use it, as who writes the policy has found it to be.
type BuildLevelRule struct {
	// Signer is the name of a signer rule. REQUIRED.
	Signer string `json:"signer"`
	// Builder is the builder.id, BuilderPattern a pattern (RE2) for all of it. One of
	// them is REQUIRED.
	Builder        string `json:"builder,omitempty"`
	BuilderPattern string `json:"builderPattern,omitempty"`
	// Level is 1, 2 or 3. REQUIRED.
	Level int `json:"level"`
}

// BuildLevel is the level of SLSA's build track that one accepted provenance shows. It
// follows from who signed and which builder is named, and from nothing that the
// document says of itself (SLSA P7).
type BuildLevel struct {
	// Envelope has the provenance.
	Envelope assay.Digest `json:"envelope"`
	// Builder is its builder.id.
	Builder string `json:"builder"`
	// Level is 0 to 3.
	Level int `json:"level"`
	// Reasons are what it follows from, and why it is not a higher one.
	Reasons []string `json:"reasons"`
}

type compiledLevel struct {
	BuildLevelRule
	builder *regexp.Regexp // nil: exact
}

func (p *compiledPolicy) compileLevels() error {
	bad := func(field, value, bound string) error {
		return &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Field: field, Value: value, Bound: bound}
	}
	if p.MinBuildLevel < 0 || p.MinBuildLevel > 3 {
		return bad("/minBuildLevel", fmt.Sprint(p.MinBuildLevel), "0 to 3")
	}
	for i, r := range p.BuildLevels {
		field := fmt.Sprintf("/buildLevels/%d/", i)
		re, err := anchored(r.BuilderPattern)
		switch {
		case !slices.ContainsFunc(p.rules, func(s compiledRule) bool { return s.Name == r.Signer && s.allows(assay.KindProvenance) }):
			return bad(field+"signer", r.Signer, "the name of a signer who may state provenance")
		case (r.Builder == "") == (r.BuilderPattern == ""):
			return bad(field+"builder", r.Builder, "a builder or a pattern for one, not both")
		case err != nil:
			return bad(field+"builderPattern", r.BuilderPattern, err.Error())
		case r.Level < 1 || r.Level > 3:
			return bad(field+"level", fmt.Sprint(r.Level), "1 to 3")
		}
		p.levels = append(p.levels, compiledLevel{r, re})
	}
	return nil
}

// buildLevels computes the level of each accepted provenance, in the order of their
// envelopes.
func (v *Verifier) buildLevels(c *subjectCase) []BuildLevel {
	var out []BuildLevel
	for _, p := range c.provenances {
		out = append(out, v.levelOf(p))
	}
	return out
}

func (v *Verifier) levelOf(p Verified[*assay.Provenance]) BuildLevel {
	e := p.Evidence()
	l := BuildLevel{Envelope: p.Envelope(), Builder: clip(e.Builder.ID)}
	if state, _ := v.agreement(p); state == assay.Refuted {
		l.Reasons = []string{"the provenance contradicts its signing certificate"}
		return l
	}
	known := provenance.Level(p.Signer(), e, provenance.WellKnownBuilders())
	l.Level, l.Reasons = known.N, known.Reasons
	for _, r := range v.policy.levels {
		about := r.Builder == e.Builder.ID
		if r.builder != nil {
			about = r.builder.MatchString(e.Builder.ID)
		}
		switch {
		case !about || l.Level == 0:
		case r.Signer == p.Rule():
			l.Reasons = append(l.Reasons, fmt.Sprintf("the policy believes signer %q about it, up to level %d", r.Signer, r.Level))
			l.Level = max(l.Level, r.Level)
		default:
			l.Reasons = append(l.Reasons, fmt.Sprintf("not level %d: the policy believes signer %q about it, and it was signed by %q", r.Level, r.Signer, p.Rule()))
		}
	}
	l.Reasons = clipAll(l.Reasons)
	return l
}

// BuildLevel is the highest level of SLSA's build track that accepted provenance shows;
// for an index, the lowest of its images'. That of a report whose policy is refuted
// means nothing.
func (r *Report) BuildLevel() int {
	level := 0
	for _, l := range r.BuildLevels {
		level = max(level, l.Level)
	}
	for i, p := range r.Platforms {
		if below := p.BuildLevel(); i == 0 || below < level {
			level = below
		}
	}
	return level
}

// level answers whether the build level is the one that the policy wants.
func (v *Verifier) level(c *subjectCase) Check {
	check := Check{ID: CheckLevel}
	best := -1
	for _, l := range c.report.BuildLevels {
		best = max(best, l.Level)
		check.Evidence = append(check.Evidence, l.Envelope)
		for _, reason := range l.Reasons {
			check.Findings = append(check.Findings, fmt.Sprintf("level %d, %s: %s", l.Level, l.Envelope, reason))
		}
	}
	want := v.policy.MinBuildLevel
	switch {
	case best < 0:
		check.Reason, check.Detail = NotStated, "no provenance was accepted"
	case best < want:
		check.State, check.Reason = assay.Refuted, LevelTooLow
		check.Detail = fmt.Sprintf("SLSA build level %d by signer and builder (SLSA P7), the policy wants %d", best, want)
	case best == 0:
		check.Reason, check.Detail = NotShown, "SLSA build level 0"
	default:
		check.State, check.Reason = assay.Proven, Holds
		check.Detail = fmt.Sprintf("SLSA build level %d", best)
	}
	return check
}
