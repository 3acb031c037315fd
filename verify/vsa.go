package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/provenance"
)

// SummaryRule lets a verification summary stand in for evidence that is not attached
// (SLSA v1.2, verification_summary.md): somebody whom the policy names has verified it,
// against a policy that it names. Where the evidence itself was accepted, it is what
// counts, and the summary is not asked.
//
// A summary stands in only if a [SignerRule] ties its signer to the verifier it names
// ([SignerRule.Verifiers]) and it was witnessed when it was signed: by a transparency log
// or a timestamp authority. One that a key signed without a witness may be of any age.
// Both the witnessed time and the time that the summary states must be within MaxAge.
type SummaryRule struct {
	// Verifier is the verifier.id. REQUIRED; some signer must be tied to it.
	Verifier string `json:"verifier"`
	// Resource is the resourceUri. REQUIRED, compared as text.
	Resource string `json:"resource"`
	// Policy is the URI of the policy that it was verified against, REQUIRED, and
	// PolicyDigest its digest: the summary must have it if this is not zero.
	Policy       string       `json:"policy"`
	PolicyDigest assay.Digest `json:"policyDigest,omitzero"`
	// Levels are what must have been verified, see [provenance.SummaryExpectations].
	// Where the summary stands in for provenance, [Policy.MinBuildLevel] is among them; so
	// is SLSA_BUILD_REPRODUCED with [Policy.MinBuilders], and the level of
	// [Policy.SourceLevel].
	Levels []string `json:"levels,omitempty"`
	// MaxAge is how old it may be. REQUIRED.
	MaxAge Duration `json:"maxAge"`
	// For are the kinds of evidence it stands in for. REQUIRED.
	For []assay.Kind `json:"for"`
	// ContentsUnsafe lets it stand in for the image's bytes, too, where no source has
	// them, and for the comparison of the SBOM with them. Nobody has looked at the
	// bytes then.
	ContentsUnsafe bool `json:"contentsUnsafe,omitzero"`
}

func (p *compiledPolicy) compileSummaries() error {
	for i, r := range p.Summaries {
		bad := func(field, value, bound string) error {
			return &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Field: fmt.Sprintf("/summaries/%d/%s", i, field), Value: value, Bound: bound}
		}
		tied := slices.ContainsFunc(p.rules, func(s compiledRule) bool {
			return s.allows(assay.KindSummary) && slices.Contains(s.Verifiers, r.Verifier)
		})
		switch {
		case r.Verifier == "" || !tied:
			return bad("verifier", r.Verifier, "a verifier that some signer may speak for")
		case r.Resource == "":
			return bad("resource", "", "the URI of the resource")
		case r.Policy == "":
			return bad("policy", "", "the URI of the policy that was verified against")
		case !r.PolicyDigest.IsZero() && !r.PolicyDigest.Algorithm().Strong():
			return bad("policyDigest", r.PolicyDigest.String(), "a digest that identifies content, such as sha256")
		case r.MaxAge <= 0:
			return bad("maxAge", time.Duration(r.MaxAge).String(), "more than 0")
		case len(r.For) == 0:
			return bad("for", "", "at least one kind of evidence")
		}
		for j, k := range r.For {
			if !slices.Contains(allKinds, k) || k == assay.KindOpaque || k == assay.KindSummary {
				return bad(fmt.Sprintf("for/%d", j), string(k), "a kind of evidence other than summaries")
			}
		}
	}
	return nil
}

// voucher is a summary that stands in for evidence.
type voucher struct {
	rule     SummaryRule
	envelope assay.Digest
}

// vouchers finds the summaries that stand in for evidence, and answers whether there is
// one for each rule of the policy.
func (v *Verifier) vouchers(c *subjectCase) Check {
	check := Check{ID: CheckVouched, State: assay.Proven, Reason: Holds}
	for _, rule := range v.policy.Summaries {
		state, reason, found := assay.Unknown, NotStated, false
		var why []string
		for s := range Evidence[*assay.Summary](c.report) {
			if s.Evidence().Verifier != rule.Verifier {
				continue // of somebody else, for another rule or none
			}
			got, because, detail := v.vouches(s, rule, c.report.At)
			if got == assay.Proven {
				found = true
				c.vouched = append(c.vouched, voucher{rule, s.Envelope()})
				check.Evidence = append(check.Evidence, s.Envelope())
				break
			}
			why = append(why, fmt.Sprintf("%s, by %s: %s", s.Envelope(), rule.Verifier, detail))
			if got == assay.Refuted || len(why) == 1 {
				state, reason = got, because
			}
		}
		if found {
			continue
		}
		if len(why) == 0 {
			why = []string{"no summary by " + rule.Verifier + " was accepted"}
		}
		check.Findings = append(check.Findings, why...)
		if before := check.State; before.And(state) != before {
			check.State, check.Reason = before.And(state), reason
		}
	}
	switch check.State {
	case assay.Proven:
		check.Detail = "verification summaries stand in as the policy says"
	default:
		slices.Sort(check.Findings)
		check.Detail = "a verification summary does not stand in: " + check.Findings[0]
	}
	return check
}

// vouches reports whether a summary is what a rule wants.
func (v *Verifier) vouches(s Verified[*assay.Summary], rule SummaryRule, at time.Time) (assay.State, Reason, string) {
	if !slices.Contains(v.policy.rule(s.Rule()).Verifiers, rule.Verifier) {
		return assay.Refuted, VerifierNotAllowed, s.Signer().String() + " may not speak for the verifier"
	}
	want := provenance.SummaryExpectations{
		Verifier: rule.Verifier, Resource: rule.Resource, Policy: assay.Resource{URI: rule.Policy},
		Levels: slices.Clone(rule.Levels), MaxAge: time.Duration(rule.MaxAge), Now: at,
	}
	if !rule.PolicyDigest.IsZero() {
		want.Policy.Digest = assay.DigestSet{rule.PolicyDigest}
	}
	if n := v.policy.MinBuildLevel; n > 0 && slices.Contains(rule.For, assay.KindProvenance) {
		want.Levels = append(want.Levels, provenance.BuildLevel{N: n}.String())
	}
	// What the policy wants to be shown of a build, the summary must say.
	if v.policy.MinBuilders > 0 && slices.Contains(rule.For, assay.KindProvenance) {
		want.Levels = append(want.Levels, provenance.BuildReproduced)
	}
	if r := v.policy.SourceLevel; r != nil && slices.Contains(rule.For, assay.KindProvenance) {
		want.Levels = append(append(want.Levels, sourceLevelName(r.Min)), r.Properties...)
	}
	return meets(s.Evidence(), want, s.SignedBy(), at)
}

// meets reports whether a summary says what is wanted, and was witnessed in time.
func meets(s *assay.Summary, want provenance.SummaryExpectations, signed, at time.Time) (assay.State, Reason, string) {
	if err := provenance.CheckSummary(s, want); err != nil {
		reason := NotStated
		if e, ok := errors.AsType[*assay.Error](err); ok && e.Kind == assay.ErrRefuted {
			if reason = SummaryDiffers; e.Field == "/timeVerified" {
				reason = TooOld
			}
		}
		return stateOf(err), reason, err.Error()
	}
	switch {
	case signed.IsZero():
		return assay.Unknown, NotStated, "nobody witnessed when it was signed"
	case at.Sub(signed) > want.MaxAge:
		return assay.Refuted, TooOld, fmt.Sprintf("signed by %s, and may be %s old", signed.Format(time.RFC3339), want.MaxAge)
	case s.TimeVerified.After(signed.Add(clockSkew)):
		return assay.Refuted, Contradiction, fmt.Sprintf("signed by %s, and says that it verified later: %s", signed.Format(time.RFC3339), s.TimeVerified.UTC().Format(time.RFC3339))
	}
	return assay.Proven, Holds, ""
}

// standIn answers a question about evidence of a kind by a summary, if there is no such
// evidence and the question was left open for that.
func (c *subjectCase) standIn(k assay.Kind, contents bool, check Check) Check {
	if check.State == assay.Proven || check.Reason == ContentsMismatch {
		return check
	}
	for _, e := range c.report.evidence {
		if e.Evidence().Kind() == k {
			return check
		}
	}
	for _, s := range c.vouched {
		if !slices.Contains(s.rule.For, k) || contents && (!s.rule.ContentsUnsafe || c.contents.reason != NoContents) {
			continue
		}
		return Check{ID: check.ID, State: assay.Proven, Reason: Vouched, Detail: "verified by " + s.rule.Verifier + ", whose summary stands in", Evidence: []assay.Digest{s.envelope}}
	}
	return check
}

// Digest identifies the policy, whatever its file looks like: the SHA-256 of its JSON as
// [Record] writes it, with defaults filled in. It is what a [Report.Summary] says it was
// verified against. A policy that is not valid has none.
func (p Policy) Digest() (assay.Digest, error) {
	c, err := p.compile()
	if err != nil {
		return assay.Digest{}, err
	}
	c.Schema = PolicySchema
	text, err := strictjson.Marshal(c.Policy)
	if err != nil {
		return assay.Digest{}, &assay.Error{Op: "hash policy", Kind: assay.ErrInvalid, Err: err}
	}
	return assay.SumSHA256(text), nil
}

// SummaryOptions are what a report does not know about the summary of it.
type SummaryOptions struct {
	// Verifier is the URI of who verified. REQUIRED.
	Verifier        string
	VerifierVersion map[string]string
	// ResourceURI is where the image is to be found. REQUIRED.
	ResourceURI string
	// PolicyURI names the policy. REQUIRED. Its digest is [Policy.Digest].
	PolicyURI string
}

// Summary states, as a verification summary, that the policy of the report is met, for
// others who trust the verifier: sign it about [Report.Digest]. Its time is that of
// asking. Its inputs are all attestations that were accepted, by the digests of their
// envelopes, of an index those of all images, with those about components, the base image
// and the revision of the source that were, and the unsigned ones that a check was proven by
// ([Policy.Nested]).
//
// Its levels are the level of SLSA's build track, SLSA_BUILD_LEVEL_UNEVALUATED if no
// provenance shows one; SLSA_BUILD_REPRODUCED if independent builders made it
// ([Report.Reproduced]); if the policy has a [SourceLevelRule] that evidence meets, the
// level of the source track and the properties that it names; and the stage, as
// ASSAY_STAGE_HARDENED. Where provenance of components was looked for, dependencies are
// counted by level, each once however many images of an index have it.
//
// Only a report that [Verifier.Verify] or [Record.Replay] made, and whose policy is met,
// can be summed up: otherwise the error is [assay.ErrAbsent], or that of [Report.Err].
func (r *Report) Summary(o SummaryOptions) (*assay.Summary, error) {
	if r.basis == nil {
		return nil, &assay.Error{Op: "sum up report", Kind: assay.ErrAbsent, Subject: r.Digest.String(), Bound: "a report that Verify made"}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	digest, err := r.basis.policy.Digest()
	if err != nil {
		return nil, err
	}
	level := "SLSA_BUILD_LEVEL_UNEVALUATED"
	if n := r.BuildLevel(); n > 0 {
		level = provenance.BuildLevel{N: n}.String()
	}
	s := &assay.Summary{
		Verifier: o.Verifier, VerifierVersion: o.VerifierVersion, TimeVerified: r.At, ResourceURI: o.ResourceURI,
		Policy: assay.Resource{URI: o.PolicyURI, Digest: assay.DigestSet{digest}},
		Passed: true, Levels: []string{level}, SLSAVersion: "1.2",
	}
	if r.Verdict.Stage > assay.None {
		s.Levels = append(s.Levels, "ASSAY_STAGE_"+strings.ToUpper(r.Verdict.Stage.String()))
	}
	if r.Reproduced() {
		s.Levels = append(s.Levels, provenance.BuildReproduced)
	}
	if n := r.sourceLevel(); n > 0 {
		s.Levels = append(append(s.Levels, sourceLevelName(n)), r.basis.policy.SourceLevel.Properties...)
	}
	slices.Sort(s.Levels)
	s.DependencyLevels = r.dependencyLevels()
	for _, d := range r.inputs() {
		s.Inputs = append(s.Inputs, assay.Resource{Digest: assay.DigestSet{d}})
	}
	if _, err := provenance.EncodeSummary(s); err != nil {
		return nil, err
	}
	return s, nil
}

func sourceLevelName(n int) string { return fmt.Sprintf("SLSA_SOURCE_LEVEL_%d", n) }

// sourceLevel is the level that the source of all images is shown to be vouched for, 0 if
// it is not by summaries of it.
func (r *Report) sourceLevel() int {
	lowest := 0
	for i, p := range r.Platforms {
		if n := p.sourceLevel(); i == 0 || n < lowest {
			lowest = n
		}
	}
	c, ok := r.Check(CheckSourceLevel)
	if !ok || !c.Required || c.State != assay.Proven || c.Reason != Holds {
		return lowest
	}
	for _, l := range r.SourceLevels {
		if slices.Contains(c.Evidence, l.Envelope) && (lowest == 0 || l.Level < lowest) {
			lowest = l.Level
		}
	}
	return lowest
}

// inputs are the envelopes that were accepted, about the image or what it is made of, and
// others that an answer rests on, sorted.
func (r *Report) inputs() []assay.Digest {
	var out []assay.Digest
	for _, c := range r.Checks {
		if c.State == assay.Proven {
			out = append(out, c.Evidence...)
		}
	}
	for _, a := range r.Attestations {
		if a.State == assay.Proven {
			out = append(out, a.Envelope)
		}
	}
	if r.Components != nil {
		for _, p := range r.Components.Proven {
			out = append(out, p.Envelope)
		}
	}
	for _, l := range r.SourceLevels {
		out = append(out, l.Envelope)
	}
	for _, p := range r.Platforms {
		out = append(out, p.inputs()...)
	}
	slices.SortFunc(out, assay.Digest.Compare)
	return slices.Compact(out)
}
