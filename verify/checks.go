package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// The IDs of checks. Those of posture rules are "posture/" and the attribute, those
// of required evidence "evidence/" and the kind.
const (
	CheckEvidenceAny     = "evidence/any"
	CheckPlatforms       = "image/platforms" // of an index, and of what may be one
	CheckSigners         = "signers/"        // before the kind, where the policy wants several
	CheckContents        = "image/contents"
	CheckSBOMContents    = "sbom/contents"
	CheckBuilder         = "provenance/builder"
	CheckSignerClaims    = "provenance/signer"
	CheckSource          = "provenance/source"
	CheckMaterials       = "provenance/sbom"
	CheckLevel           = "provenance/level"
	CheckReproduced      = "provenance/reproduced"
	CheckSourceLevel     = "provenance/source-level"
	CheckBase            = "provenance/base"
	CheckComponents      = "provenance/components"
	CheckParameters      = "provenance/parameters"
	CheckRun             = "provenance/run"
	CheckNested          = "provenance/nested"
	CheckVEXProducts     = "vex/products"
	CheckVEXSubcomponent = "vex/subcomponents"
	CheckVEXConsistent   = "vex/consistent"
	CheckVEXAuthor       = "vex/author"
	CheckPostureClaims   = "posture/claims"
	CheckSummaryPassed   = "summary/passed"
	CheckVouched         = "summary/vouched"
	CheckTestsPassed     = "test-result/passed"
	CheckRebuilt         = "schedule/rebuilt"
	CheckScan            = "scan/fresh"
	CheckScanCoverage    = "scan/coverage"
	CheckFindings        = "scan/findings"
	CheckRemediation     = "remediation/sla"
)

// joins are checks that a refutation of fails every policy: two things that were
// accepted, or one and the image's bytes, cannot both be true.
var joins = []string{CheckContents, CheckSBOMContents, CheckBuilder, CheckSignerClaims, CheckMaterials,
	CheckVEXProducts, CheckVEXSubcomponent, CheckVEXConsistent, CheckVEXAuthor, CheckPostureClaims}

func isJoin(id string) bool { return slices.Contains(joins, id) }

// subjectCase is everything there is to judge one image by.
type subjectCase struct {
	report      *Report
	about       []assay.Digest
	contents    contents
	sboms       []Verified[*assay.SBOM]
	provenances []Verified[*assay.Provenance]
	vexes       []Verified[*assay.VEX]
	postures    []Verified[*assay.Posture]
	scans       []Verified[*assay.Scan]
	// remediations are what is stated of the streams that the image is in.
	remediations []Verified[*assay.Remediation]
	// bases are the images that are named as a base, by digest, and baseLayers how many
	// of the lowest layers are shown to be one's.
	bases []*namedBase
	// unsigned are the provenances that nobody signed, by envelope.
	unsigned   []unsignedProvenance
	baseLayers int
	// revisions are the commits that provenance names, and what was found of them.
	revisions map[assay.Digest]revision
	// vouched are the summaries that stand in for evidence.
	vouched []voucher
}

// assessed is what the posture rules say of the image's bytes; nil if those are not
// at hand.
func (c *subjectCase) assessed() (*assay.Posture, error) {
	if c.contents.inspection == nil {
		return nil, nil
	}
	return c.contents.posture, c.contents.postureErr
}

func newCase(r *Report, c contents, about []assay.Digest) *subjectCase {
	return &subjectCase{
		report: r, about: about, contents: c,
		sboms:        slices.Collect(Evidence[*assay.SBOM](r)),
		provenances:  slices.Collect(Evidence[*assay.Provenance](r)),
		vexes:        slices.Collect(Evidence[*assay.VEX](r)),
		postures:     slices.Collect(Evidence[*assay.Posture](r)),
		scans:        slices.Collect(Evidence[*assay.Scan](r)),
		remediations: slices.Collect(Evidence[*assay.Remediation](r)),
	}
}

// inventories are the component lists to join with: that of the image's bytes if
// they are at hand, which is the truth, and else those that were signed.
func (c *subjectCase) inventories() []*assay.SBOM {
	if c.contents.inspection != nil {
		return []*assay.SBOM{c.contents.sbom}
	}
	var out []*assay.SBOM
	for _, s := range c.sboms {
		out = append(out, s.Evidence())
	}
	return out
}

// checks answers every question, in a fixed order.
func (v *Verifier) checks(c *subjectCase) []Check {
	var out []Check
	add := func(stage assay.Stage, required bool, check Check) {
		check.Stage = stage
		check.Required = required || stage > assay.None && stage <= v.policy.Stage
		out = append(out, check.finish())
	}
	if len(v.policy.Summaries) > 0 {
		add(assay.None, false, v.vouchers(c))
	}
	requires := func(k assay.Kind) bool { return slices.Contains(v.policy.Require, k) }

	if len(v.policy.Require)+len(v.policy.Layouts) == 0 && v.policy.Stage == assay.None {
		add(assay.None, true, c.any())
	}
	for _, k := range allKinds {
		switch k {
		case assay.KindSBOM, assay.KindProvenance, assay.KindVEX:
			add(assay.Secure, requires(k), c.standIn(k, false, c.present(k)))
		case assay.KindOpaque:
		default:
			if requires(k) {
				add(assay.None, true, c.standIn(k, false, c.present(k)))
			}
			if requires(k) && (k == assay.KindSummary || k == assay.KindTestResult) {
				add(assay.None, true, c.standIn(k, false, v.passed(c, k)))
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(v.policy.MinSigners)) {
		add(assay.None, true, v.signers(c, k))
	}
	contentsStage := assay.Minimal
	if v.policy.ContentsUnsafe {
		contentsStage = assay.None
	}
	// Bytes that were offered and could not be read are not the same as none.
	add(contentsStage, !v.policy.ContentsUnsafe && c.contents.reason != NoContents, c.standIn(assay.KindSBOM, true, c.bytes()))
	add(sbomStage(v.policy), requires(assay.KindSBOM) && !v.policy.ContentsUnsafe, c.standIn(assay.KindSBOM, true, c.sbomContents()))

	// Who says what an image may be built from, or how, wants to know who built it.
	source := len(v.policy.Sources) > 0 || v.policy.refs != nil
	provenance := requires(assay.KindProvenance) || source || v.policy.expectsParameters()
	built := func(check Check) Check { return c.standIn(assay.KindProvenance, false, check) }
	add(assay.Secure, provenance, built(v.builder(c)))
	add(assay.Secure, false, built(v.signerClaims(c)))
	add(assay.Secure, source, built(v.source(c)))
	add(assay.None, v.policy.MinBuildLevel > 0, built(v.level(c)))
	if check := v.reproduced(c); v.policy.MinBuilders > 2 { // a summary tells of two
		add(assay.None, true, check)
	} else {
		add(assay.None, v.policy.MinBuilders > 0, built(check))
	}
	add(assay.None, v.policy.SourceLevel != nil, built(v.sourceLevel(c)))
	add(assay.None, v.policy.expectsParameters(), built(v.parameters(c)))
	add(assay.None, len(v.policy.SameRun) > 0, v.run(c))
	add(assay.None, v.policy.Nested, c.nested())
	add(assay.None, false, c.materials())
	add(assay.None, len(v.policy.Bases) > 0, v.base(c))
	add(assay.None, v.policy.MinComponents > 0, v.covered(c))

	vex := func(check Check) Check { return c.standIn(assay.KindVEX, false, check) }
	add(assay.Secure, requires(assay.KindVEX), vex(c.vexProducts()))
	add(assay.Secure, false, vex(c.vexSubcomponents()))
	add(assay.Secure, false, vex(c.vexConsistent()))
	add(assay.None, false, v.vexAuthor(c))

	add(assay.None, false, c.postureClaims())
	for _, check := range c.postureRules(v.policy.ContentsUnsafe) {
		add(check.Stage, false, check)
	}

	add(assay.Secure, false, v.rebuilt(c))
	scan := requires(assay.KindScan)
	add(assay.Secure, scan, c.standIn(assay.KindScan, false, v.scanned(c)))
	add(assay.Secure, scan, c.standIn(assay.KindScan, false, v.scanCoverage(c)))
	triaged := v.triage(c)
	add(assay.Secure, scan, c.standIn(assay.KindScan, false, v.findings(c, triaged)))
	add(assay.Secure, v.policy.Policy.SLA != nil || requires(assay.KindRemediation), c.standIn(assay.KindRemediation, false, v.remediated(c, triaged)))
	return out
}

// sbomStage: only with the bytes can an SBOM be shown to match them, so a policy
// that does without the bytes does without this check.
func sbomStage(p *compiledPolicy) assay.Stage {
	if p.ContentsUnsafe {
		return assay.None
	}
	return assay.Secure
}

// finish sorts and cuts the lists of a check.
func (c Check) finish() Check {
	c.Detail = clip(c.Detail)
	for i, f := range c.Findings {
		c.Findings[i] = clip(f)
	}
	slices.Sort(c.Findings)
	c.Findings = slices.Compact(c.Findings)
	if n := len(c.Findings); n > MaxFindings {
		c.FindingsTotal = max(c.FindingsTotal, n)
		c.Findings = c.Findings[:MaxFindings]
	}
	slices.SortFunc(c.Evidence, assay.Digest.Compare)
	c.Evidence = slices.Compact(c.Evidence)
	return c
}

// tally collects the answers of several documents to one question. The worst
// counts: one that is refuted refutes, and one that is unknown leaves it open.
type tally struct {
	check Check
	any   bool
}

func newTally(id string) *tally {
	return &tally{check: Check{ID: id, State: assay.Proven, Reason: Holds}}
}

func (t *tally) add(state assay.State, reason Reason, evidence assay.Digest, findings ...string) {
	t.any = true
	t.check.Findings = append(t.check.Findings, findings...)
	if !evidence.IsZero() {
		t.check.Evidence = append(t.check.Evidence, evidence)
	}
	before := t.check.State
	t.check.State = before.And(state)
	// The reason is that of the first answer that made the state what it is.
	if t.check.State != before && t.check.State == state {
		t.check.Reason = reason
	}
}

// words are what a check says in each of its answers; open is for unknown, and
// nothing for when there was nothing to ask about.
type words struct{ holds, refuted, open, nothing string }

// done gives the check; one that nothing answered is unknown.
func (t *tally) done(w words) Check {
	c := t.check
	switch {
	case !t.any:
		c.State, c.Reason, c.Detail = assay.Unknown, NotStated, w.nothing
		return c
	case c.State == assay.Proven:
		c.Detail = w.holds
		return c
	case c.State == assay.Refuted:
		c.Detail = w.refuted
	default:
		c.Detail = w.open
	}
	if n := len(c.Findings); n > 0 {
		slices.Sort(c.Findings)
		c.Detail += ": " + c.Findings[0]
		if n > 1 {
			c.Detail += fmt.Sprintf(" (and %d more)", n-1)
		}
	}
	return c
}

// any answers whether there is any evidence at all, for a policy that asks for
// nothing in particular: no attestations is never success.
func (c *subjectCase) any() Check {
	check := Check{ID: CheckEvidenceAny}
	for _, e := range c.report.evidence {
		if e.Evidence().Kind() != assay.KindOpaque {
			check.Evidence = append(check.Evidence, e.Envelope())
		}
	}
	for a := range c.report.Signatures() {
		check.Evidence = append(check.Evidence, a.Envelope)
	}
	return c.presence(check, "attestation")
}

// present answers whether evidence of a kind was accepted.
func (c *subjectCase) present(k assay.Kind) Check {
	check := Check{ID: "evidence/" + string(k)}
	for _, e := range c.report.evidence {
		if e.Evidence().Kind() == k {
			check.Evidence = append(check.Evidence, e.Envelope())
		}
	}
	if k == assay.KindSignature {
		for a := range c.report.Signatures() {
			check.Evidence = append(check.Evidence, a.Envelope)
		}
	}
	// What was refused is why there is none; it is the first thing a reader wants
	// to know. What could not be checked may be what is missing.
	for _, a := range c.report.Attestations {
		if a.State != assay.Proven && (a.Kind == k || a.Kind == "") {
			check.Findings = append(check.Findings, fmt.Sprintf("%s: %s", a.Envelope, a.Reason))
			if a.State == assay.Unknown && a.Reason != FromTheFuture {
				check.Reason = Unchecked
			}
		}
	}
	if len(check.Evidence) > 0 {
		check.Findings = nil
	}
	return c.presence(check, string(k))
}

// signers answers whether enough distinct signers stated evidence of a kind.
func (v *Verifier) signers(c *subjectCase, k assay.Kind) Check {
	check := Check{ID: CheckSigners + string(k)}
	var who []assay.Identity
	for _, a := range c.report.Attestations {
		rule := v.policy.rule(a.Rule)
		if a.State != assay.Proven || a.Kind != k {
			continue
		}
		check.Evidence = append(check.Evidence, a.Envelope)
		for _, id := range append([]assay.Identity{a.Signer}, a.Cosigners...) {
			if rule.names(id) {
				who = append(who, id)
			}
		}
	}
	who = assay.DistinctIdentities(who)
	want := v.policy.MinSigners[k]
	check.Detail = fmt.Sprintf("%d of %d distinct signers stated %s", len(who), want, k)
	for _, id := range who {
		check.Findings = append(check.Findings, id.String())
	}
	open := slices.ContainsFunc(c.report.Attestations, func(a Attestation) bool {
		return a.State == assay.Unknown && (a.Kind == k || a.Kind == "") && a.Reason != FromTheFuture
	})
	switch {
	case len(who) >= want:
		check.State, check.Reason = assay.Proven, Holds
	case len(c.report.Faults) > 0:
		check.Reason = StoreUnreadable
		check.Detail += ", and a store could not be read: " + c.report.Faults[0].Store
	case open:
		check.Reason = Unchecked
	default:
		check.State, check.Reason = assay.Refuted, TooFewSigners
	}
	return check
}

// passed answers whether what was accepted of a kind that has an outcome says that it
// was a good one: a summary of a verification that failed is no reason to pass.
func (v *Verifier) passed(c *subjectCase, k assay.Kind) Check {
	id := CheckSummaryPassed
	if k == assay.KindTestResult {
		id = CheckTestsPassed
	}
	t := newTally(id)
	for _, e := range c.report.evidence {
		var ok bool
		var what string
		switch e := e.Evidence().(type) {
		case *assay.Summary:
			ok, what = e.Passed, "verified by "+e.Verifier+": failed"
		case *assay.TestResult:
			ok, what = e.Result != "FAILED", "tests failed"
		}
		verifiers := v.policy.rule(e.Rule()).Verifiers
		switch s, _ := e.Evidence().(*assay.Summary); {
		case e.Evidence().Kind() != k:
		case s != nil && len(verifiers) > 0 && !slices.Contains(verifiers, s.Verifier):
			t.add(assay.Refuted, VerifierNotAllowed, e.Envelope(), fmt.Sprintf("%s may not speak for verifier %s", e.Signer(), s.Verifier))
		case ok:
			t.add(assay.Proven, Holds, e.Envelope())
		default:
			t.add(assay.Refuted, ShownFalse, e.Envelope(), what)
		}
	}
	return t.done(words{
		holds:   "every outcome is a good one",
		refuted: "an outcome is a failure",
		nothing: "no " + string(k) + " was accepted",
	})
}

func (c *subjectCase) presence(check Check, what string) Check {
	switch {
	case len(check.Evidence) > 0:
		check.State, check.Reason = assay.Proven, Holds
		check.Detail = plural(len(check.Evidence), what) + " accepted"
	case len(c.report.Faults) > 0:
		check.State, check.Reason = assay.Unknown, StoreUnreadable
		check.Detail = "no " + what + " was accepted, and a store could not be read: " + c.report.Faults[0].Store
	case check.Reason == Unchecked:
		check.Detail = "no " + what + " was accepted; " + plural(len(check.Findings), "attestation") + " refused or not checked"
	default:
		check.State, check.Reason = assay.Refuted, Absent
		check.Detail = "every store was read, and no " + what + " was accepted"
		if n := len(check.Findings); n > 0 {
			check.Detail += "; " + plural(n, "attestation") + " refused or not checked"
		}
	}
	return check
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "s") || what == "vex" || what == "provenance" || what == "posture" || what == "remediation" {
		return fmt.Sprintf("%d %s documents", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// bytes answers whether the image's bytes are what its digest names. The scan
// recomputed every digest; had one differed, there were no contents.
func (c *subjectCase) bytes() Check {
	check := Check{ID: CheckContents, Reason: c.contents.reason, Detail: c.contents.detail}
	switch c.contents.reason {
	case Holds:
		check.State = assay.Proven
		check.Detail = fmt.Sprintf("%d layers hashed against the manifest and the configuration", len(c.contents.layers))
		cached := 0
		for _, l := range c.contents.layers {
			if l.Cached {
				cached++
			}
		}
		if cached > 0 {
			// The chain from the digest to each diffID was verified now, the bytes of
			// these layers when they were put into the cache.
			check.Detail += fmt.Sprintf(", %d of them when they were read before", cached)
		}
	case ContentsMismatch:
		check.State = assay.Refuted
	}
	return check
}
