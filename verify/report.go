package verify

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// ReportSchema names the version of the report's JSON.
const ReportSchema = "https://github.com/assaykit/assay/report/v0.1"

// Report is what the evidence about one digest proves. Its JSON form is stable
// within a schema version; package verify/report renders it.
type Report struct {
	// Schema is [ReportSchema].
	Schema string `json:"schema"`
	// Digest is what was asked for.
	Digest assay.Digest `json:"digest"`
	// Platform is the one that the index above gives for it; zero without an index.
	Platform assay.Platform `json:"platform,omitzero"`
	// At is the time of asking.
	At time.Time `json:"at"`
	// Attestations are all envelopes that were found, sorted by digest: accepted,
	// refused, or not provable.
	Attestations []Attestation `json:"attestations"`
	// Faults are the stores that could not be read, sorted.
	Faults []Fault `json:"faults,omitempty"`
	// Skipped counts what was stored beside the envelopes and is none, sorted.
	Skipped []Skipped `json:"skipped,omitempty"`
	// BuildLevels are the levels of SLSA's build track that each accepted provenance
	// shows, with reasons, sorted by envelope.
	BuildLevels []BuildLevel `json:"buildLevels,omitempty"`
	// SourceLevels are what accepted summaries of SLSA's source track say of the commits
	// that provenance names, sorted by commit, then envelope; see [Revisions].
	SourceLevels []SourceLevel `json:"sourceLevels,omitempty"`
	// Components is how much of the image comes from verified source; nil if it was not
	// looked for.
	Components *Coverage `json:"components,omitzero"`
	// Checks are in a fixed order.
	Checks []Check `json:"checks"`
	// Platforms are the reports on the images below an index.
	Platforms []*Report `json:"platforms,omitempty"`
	// Verdict sums up Checks and Platforms.
	Verdict Verdict `json:"verdict"`

	evidence []Verified[assay.Evidence]
	basis    *basis // of the report that was asked for; nil in those below it
}

// Attestation is one envelope and what became of it.
type Attestation struct {
	// Envelope is the SHA-256 of its bytes.
	Envelope assay.Digest `json:"envelope"`
	// State is proven for one that was accepted as evidence, refuted for one that
	// was shown to be false, foreign or malformed, unknown for one that could not be
	// checked.
	State assay.State `json:"state"`
	// Reason is a stable code, Detail says it in words.
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
	// Sources are where it was found.
	Sources []string `json:"sources,omitempty"`
	// What follows is empty unless the signature was proven.
	PredicateType assay.PredicateType `json:"predicateType,omitempty"`
	Kind          assay.Kind          `json:"kind,omitempty"`
	// Signer is who signed, and Rule the name of the rule that lets them say this.
	Signer assay.Identity `json:"signer,omitzero"`
	Rule   string         `json:"rule,omitempty"`
	// Cosigners are others who are proven to have signed the same envelope, sorted.
	Cosigners []assay.Identity `json:"cosigners,omitempty"`
	// Signature is there for one of kind [assay.KindSignature], which states nothing.
	Signature *ImageSignature `json:"signature,omitempty"`
	// SignedBy is the earliest of the times of Witnesses, which are sorted.
	SignedBy  time.Time `json:"signedBy,omitzero"`
	Witnesses []Witness `json:"witnesses,omitempty"`
	// LogEntries are those that were proven; a bundle may carry others.
	LogEntries []LogEntry `json:"logEntries,omitempty"`
}

// Fault is a store that could not be read.
type Fault struct {
	// Store is where it is, and what was asked of it; Detail the error.
	Store  string `json:"store"`
	Detail string `json:"detail"`
}

// Skipped is something in a store that is no envelope, and was not looked at.
type Skipped struct {
	Store string `json:"store"`
	// Type is its artifact type or media type, or why it was skipped.
	Type  string `json:"type"`
	Count int    `json:"count"`
}

// Check is one question and its answer.
type Check struct {
	// ID is stable: "sbom/contents".
	ID    string      `json:"id"`
	State assay.State `json:"state"`
	// Reason is a stable code, Detail says it in words.
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
	// Findings are the single facts behind the answer, sorted, cut at [MaxFindings];
	// FindingsTotal counts them all where they were cut.
	Findings      []string `json:"findings,omitempty"`
	FindingsTotal int      `json:"findingsTotal,omitzero"`
	// Evidence are the digests of the envelopes the answer rests on, sorted.
	Evidence []assay.Digest `json:"evidence,omitempty"`
	// Stage is the stage that needs this to be proven; none if no stage does.
	Stage assay.Stage `json:"stage,omitzero"`
	// Required tells whether the policy needs it to be proven.
	Required bool `json:"required,omitzero"`
}

// MaxFindings cuts the list in a check.
const MaxFindings = 50

// Verdict sums the checks up.
type Verdict struct {
	// Stage is the highest stage all of whose checks are proven.
	Stage assay.Stage `json:"stage"`
	// Policy is proven if every required check is, refuted if a required check or any
	// join is refuted, and else unknown.
	Policy assay.State `json:"policy"`
	// Next is the stage above, and Missing the IDs of the checks that keep the image
	// from it. Both are empty for a secure image.
	Next    assay.Stage `json:"next,omitzero"`
	Missing []string    `json:"missing,omitempty"`
}

// Reaches reports whether the image has come at least as far as the stage.
func (v Verdict) Reaches(s assay.Stage) bool { return v.Stage >= s }

// Missing gives the checks that keep the image from the next stage. For an index
// they are those of its platforms.
func (r *Report) Missing() []Check {
	var out []Check
	for _, c := range r.Checks {
		if slices.Contains(r.Verdict.Missing, c.ID) {
			out = append(out, c)
		}
	}
	for _, p := range r.Platforms {
		out = append(out, p.Missing()...)
	}
	return out
}

// Check finds a check by its ID.
func (r *Report) Check(id string) (Check, bool) {
	for _, c := range r.Checks {
		if c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}

// Err is nil if the policy is met. Otherwise it names the first check that stands
// in the way and wraps [assay.ErrRefuted] or [assay.ErrUnchecked], and the check's
// [Reason].
func (r *Report) Err() error {
	if r.Verdict.Policy == assay.Proven {
		return nil
	}
	kind, want := assay.ErrUnchecked, assay.Unknown
	if r.Verdict.Policy == assay.Refuted {
		kind, want = assay.ErrRefuted, assay.Refuted
	}
	for _, c := range r.Checks {
		if c.State == want && c.counts() {
			return &assay.Error{Op: "verify", Kind: kind, Subject: r.Digest.String(), Field: c.ID, Value: c.Detail, Err: c.Reason}
		}
	}
	for _, p := range r.Platforms {
		if p.Verdict.Policy == r.Verdict.Policy {
			return p.Err()
		}
	}
	return &assay.Error{Op: "verify", Kind: kind, Subject: r.Digest.String()}
}

// Evidence gives all evidence of one kind that was verified, in the order of the
// envelopes' digests. It is the only way to read evidence out of a report.
func Evidence[E assay.Evidence](r *Report) iter.Seq[Verified[E]] {
	return func(yield func(Verified[E]) bool) {
		for _, v := range r.evidence {
			if n, ok := narrow[E](v); ok && !yield(n) {
				return
			}
		}
	}
}

// counts reports whether the check can fail the policy: required ones, every join,
// which is a check that no stage alone is about, and all in which two pieces of accepted
// evidence contradict each other.
func (c Check) counts() bool {
	return c.Required || c.State == assay.Refuted && (isJoin(c.ID) || c.Reason == Contradiction)
}

// conclude computes the verdict from the checks and the reports below.
func (r *Report) conclude() {
	policy, stage := assay.Proven, assay.Secure
	if len(r.Checks)+len(r.Platforms) == 0 {
		policy, stage = assay.Unknown, assay.None // nothing was asked
	}
	for _, c := range r.Checks {
		if c.counts() {
			policy = policy.And(c.State)
		}
	}
	for _, c := range r.Checks {
		if c.Stage > assay.None && c.State != assay.Proven {
			stage = min(stage, c.Stage-1)
		}
	}
	for _, p := range r.Platforms {
		policy = policy.And(p.Verdict.Policy)
		stage = min(stage, p.Verdict.Stage)
	}
	v := Verdict{Stage: stage, Policy: policy}
	if stage < assay.Secure {
		v.Next = stage + 1
		for _, c := range r.Checks {
			if c.Stage > assay.None && c.Stage <= v.Next && c.State != assay.Proven {
				v.Missing = append(v.Missing, c.ID)
			}
		}
	}
	r.Verdict = v
}

// maxText bounds one text of a report, in bytes. Errors and documents bring values of
// any length.
const maxText = 2048

// clip makes a text of unknown origin one that every format of a report can hold.
func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// clipAll clips texts, in place.
func clipAll(list []string) []string {
	for i, s := range list {
		list[i] = clip(s)
	}
	return list
}

func sortFaults(faults []Fault) []Fault {
	for i, f := range faults {
		faults[i] = Fault{clip(f.Store), clip(f.Detail)}
	}
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(faults)
}
