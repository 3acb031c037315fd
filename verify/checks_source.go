package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/provenance"
)

// Revisions looks for verification summaries of SLSA's source track in these sources, about
// the commits that accepted provenance of the image names: somebody, in most cases who
// hosts the repository, vouches for how the commit came to be (SLSA v1.2,
// source-requirements.md). They are statements about other subjects than the image, which
// no registry lists, so that they are given: as files, or as envelopes that came from git
// notes. They are proven by the same trust and policy; the signer needs a [SignerRule] with
// the verifier among its Verifiers. What is found is in [Report.SourceLevels], and is no
// evidence of the image itself.
//
// A [Record] keeps of what is found the envelopes that were accepted, as it does of
// [Components].
func Revisions(sources ...attest.Source) Option {
	return func(v *Verifier) error {
		if len(sources) == 0 || slices.Contains(sources, nil) {
			return &assay.Error{Op: "set up verifier", Kind: assay.ErrInvalid, Field: "Revisions", Bound: "at least one source of evidence"}
		}
		v.revisions = attest.Join(sources...)
		return nil
	}
}

// SourceLevelRule says who must vouch for the commit that an image was built from. With
// it, [Revisions] must have the summary.
type SourceLevelRule struct {
	// Verifier is the verifier.id of the summary. REQUIRED; some signer must be tied to it
	// by [SignerRule.Verifiers].
	Verifier string `json:"verifier"`
	// Min is the level of SLSA's source track, 1 to 4. REQUIRED.
	Min int `json:"min"`
	// Properties are names that must be verified besides: SLSA_SOURCE_TWO_PARTY_REVIEWED,
	// or ORG_SOURCE_ and what an organization calls it.
	Properties []string `json:"properties,omitempty"`
	// Policy is the URI of the policy that was verified against; empty means any.
	Policy string `json:"policy,omitempty"`
	// RefPattern is a pattern (RE2) that must match all of one of the refs that the commit
	// was verified on, "refs/heads/main"; empty means any, and none.
	RefPattern string `json:"refPattern,omitempty"`
	// MaxAge is how old the summary may be, by the time that it states and by that which
	// was witnessed. REQUIRED. One that a key signed without a witness may be of any age,
	// and does not count.
	MaxAge Duration `json:"maxAge"`
}

// SourceLevel is what an accepted summary of the source track says of a commit that
// provenance names.
type SourceLevel struct {
	// Envelope has the summary, Signer signed it, and SignedBy is when that was witnessed.
	Envelope assay.Digest   `json:"envelope"`
	Signer   assay.Identity `json:"signer"`
	SignedBy time.Time      `json:"signedBy,omitzero"`
	// Verifier is for whom the signer speaks, as the policy says.
	Verifier   string       `json:"verifier"`
	Repository string       `json:"repository"`
	Commit     assay.Digest `json:"commit"`
	// Refs are the branches and tags that it was verified on.
	Refs []string `json:"refs,omitempty"`
	// Level is 0 to 4, that of a summary that failed 0. Verified are all names that it
	// states.
	Level    int      `json:"level"`
	Verified []string `json:"verified,omitempty"`
}

func (p *compiledPolicy) compileSourceLevel() error {
	r := p.SourceLevel
	if r == nil {
		return nil
	}
	bad := func(field, value, bound string) error {
		return &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Field: "/sourceLevel/" + field, Value: value, Bound: bound}
	}
	var err error
	switch p.sourceRefs, err = anchored(r.RefPattern); {
	case err != nil:
		return bad("refPattern", r.RefPattern, err.Error())
	case r.Verifier == "" || !slices.ContainsFunc(p.rules, func(s compiledRule) bool {
		return !s.ComponentsOnly && s.allows(assay.KindSummary) && slices.Contains(s.Verifiers, r.Verifier)
	}):
		return bad("verifier", r.Verifier, "a verifier that some signer may speak for")
	case r.Min < 1 || r.Min > 4:
		return bad("min", fmt.Sprint(r.Min), "1 to 4")
	case r.MaxAge <= 0:
		return bad("maxAge", time.Duration(r.MaxAge).String(), "more than 0")
	}
	for i, name := range r.Properties {
		if name == "" || slices.Contains(r.Properties[:i], name) || strings.Contains(name, "_LEVEL_") {
			return bad(fmt.Sprintf("properties/%d", i), name, "the name of a property, once")
		}
	}
	return nil
}

// revision is a commit that provenance names, and what was found about it.
type revision struct {
	faults    []Fault
	summaries []sourceSummary
	// refused says why summaries do not count, sorted.
	refused []string
}

type sourceSummary struct {
	SourceLevel
	doc *provenance.SourceSummary
}

// findRevisions looks for the summaries of every commit that accepted provenance names, and
// proves them; nil if nobody looks.
func (v *Verifier) findRevisions(ctx context.Context, in inputs, c *subjectCase) error {
	if in.revisions == nil {
		return nil
	}
	c.revisions = map[assay.Digest]revision{}
	var ask []assay.Digest
	for _, p := range c.provenances {
		d := p.Evidence().Source.Commit
		if _, seen := c.revisions[d]; d.IsZero() || seen {
			continue
		}
		c.revisions[d] = revision{}
		if _, known := in.revisions[d]; !known {
			ask = append(ask, d)
		}
	}
	slices.SortFunc(ask, assay.Digest.Compare)
	shared := openings{}
	if err := v.discoverAbout(ctx, v.revisions, ofSource, ask, shared, in.revisions, c.report.At); err != nil {
		return err
	}
	for d := range c.revisions {
		found := in.revisions[d]
		r := revision{faults: found.faults}
		for _, e := range found.envelopes {
			s, why := v.sourceSummary(ctx, shared.of(e), d, c.report.At)
			if why != "" {
				r.refused = append(r.refused, clip(e.Digest().String()+": "+why))
				continue
			}
			r.summaries = append(r.summaries, s)
			c.report.SourceLevels = append(c.report.SourceLevels, s.SourceLevel)
		}
		slices.Sort(r.refused)
		c.revisions[d] = r
	}
	slices.SortFunc(c.report.SourceLevels, func(a, b SourceLevel) int {
		return cmp.Or(a.Commit.Compare(b.Commit), a.Envelope.Compare(b.Envelope))
	})
	return ctx.Err()
}

// sourceSummary proves one envelope about a commit, or says why it does not count.
func (v *Verifier) sourceSummary(ctx context.Context, o *opening, commit assay.Digest, at time.Time) (sourceSummary, string) {
	a, verified := v.open(ctx, o, []assay.Digest{commit}, at, ofSource)
	if a.State != assay.Proven || verified == nil {
		return sourceSummary{}, string(a.Reason)
	}
	s, ok := narrow[*assay.Summary](*verified)
	if !ok {
		return sourceSummary{}, "it is " + string(a.Kind)
	}
	doc, err := provenance.ReadSourceSummary(a.Envelope.String(), s.Statement().Payload())
	switch {
	case err != nil:
		return sourceSummary{}, err.Error()
	case doc.Commit != commit:
		return sourceSummary{}, "it is about " + doc.Commit.String()
	case !slices.Contains(v.policy.rule(s.Rule()).Verifiers, doc.Verifier):
		return sourceSummary{}, fmt.Sprintf("%s may not speak for verifier %s", s.Signer(), doc.Verifier)
	}
	l := SourceLevel{
		Envelope: a.Envelope, Signer: s.Signer(), SignedBy: s.SignedBy(), Verifier: clip(doc.Verifier),
		Repository: clip(canonicalRepository(doc.ResourceURI)), Commit: commit, Refs: clipAll(slices.Clone(doc.Refs)),
		Verified: clipAll(slices.Sorted(slices.Values(doc.Levels))),
	}
	if doc.Passed {
		l.Level = doc.Level
	}
	return sourceSummary{l, doc}, ""
}

// sourceLevel answers whether who controls the source vouches for the commit that each
// provenance names, at the level that the policy wants.
func (v *Verifier) sourceLevel(c *subjectCase) Check {
	t := newTally(CheckSourceLevel)
	rule := v.policy.SourceLevel
	for _, p := range c.provenances {
		source := p.Evidence().Source
		commit := source.Commit
		what := fmt.Sprintf("%s, commit %s: ", source.Repository, commit.Hex())
		found := c.revisions[commit]
		switch {
		case commit.IsZero() || source.Repository == "":
			t.add(assay.Unknown, NotStated, p.Envelope(), "the provenance does not name repository and commit")
			continue
		case c.revisions == nil:
			t.add(assay.Unknown, NotStated, p.Envelope(), what+"summaries of the source were not looked for")
			continue
		case rule != nil && !v.believed(p):
			// A job could name any commit that somebody vouches for.
			t.add(assay.Unknown, NotStated, p.Envelope(), unbelieved("it was built from "+commit.Hex(), p))
			continue
		case rule == nil:
			for _, s := range found.summaries {
				t.add(assay.Unknown, NotStated, s.Envelope, fmt.Sprintf("%sthe policy asks for no level; %s says %d", what, s.Verifier, s.Level))
			}
			t.add(assay.Unknown, NotStated, p.Envelope())
			continue
		}
		var findings []string
		state, reason := assay.Unknown, NotStated
		var evidence assay.Digest
		for _, s := range found.summaries {
			if s.Verifier != rule.Verifier {
				continue
			}
			got, because, detail := v.meetsSourceLevel(s, source, c.report.At)
			if got == assay.Proven {
				state, reason, evidence, findings = got, because, s.Envelope, nil
				break
			}
			findings = append(findings, what+s.Envelope.String()+": "+detail)
			if got == assay.Refuted && state == assay.Unknown {
				state, reason, evidence = got, because, s.Envelope
			}
		}
		switch {
		case state == assay.Proven:
		case len(found.faults) > 0:
			// What could not be read may be the summary that is wanted.
			state, reason, evidence = assay.Unknown, StoreUnreadable, assay.Digest{}
			findings = append(findings, what+"a store could not be read: "+found.faults[0].Store)
		case len(findings) == 0:
			state, reason = assay.Refuted, Absent
			findings = []string{what + "no summary by " + rule.Verifier + " was accepted"}
		}
		for _, why := range found.refused {
			if state != assay.Proven {
				findings = append(findings, what+"refused "+why)
			}
		}
		t.add(state, reason, evidence, findings...)
		if !evidence.IsZero() {
			t.check.Evidence = append(t.check.Evidence, p.Envelope())
		}
	}
	return t.done(words{
		holds:   "the source of each provenance is vouched for at the level that the policy wants",
		refuted: "the source is not vouched for as the policy wants",
		open:    "it is not known whether the source is vouched for",
		nothing: "no provenance was accepted",
	})
}

// meetsSourceLevel holds one summary, by the right verifier, against the rule and against
// what the image was built from.
func (v *Verifier) meetsSourceLevel(s sourceSummary, source assay.Source, at time.Time) (assay.State, Reason, string) {
	rule := v.policy.SourceLevel
	if got, want := canonicalRepository(s.doc.ResourceURI), canonicalRepository(source.Repository); got != want {
		// A commit is in every fork of its repository.
		return assay.Refuted, SummaryDiffers, "it is of " + got
	}
	want := provenance.SummaryExpectations{
		Verifier: rule.Verifier, Resource: s.doc.ResourceURI, Policy: assay.Resource{URI: cmp.Or(rule.Policy, s.doc.Policy.URI)},
		Levels: append([]string{sourceLevelName(rule.Min)}, rule.Properties...),
		MaxAge: time.Duration(rule.MaxAge), Now: at,
	}
	if state, reason, detail := meets(s.doc.Summary, want, s.SignedBy, at); state != assay.Proven {
		return state, reason, detail
	}
	if re := v.policy.sourceRefs; re != nil && !slices.ContainsFunc(s.doc.Refs, re.MatchString) {
		if len(s.doc.Refs) == 0 {
			return assay.Unknown, NotStated, "it names no ref, and the policy wants " + rule.RefPattern
		}
		return assay.Refuted, RefNotAllowed, "it is of " + strings.Join(s.doc.Refs, ", ") + ", the policy wants " + rule.RefPattern
	}
	return assay.Proven, Holds, ""
}
