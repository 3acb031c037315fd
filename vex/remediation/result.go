package remediation

import (
	"time"

	"github.com/assaykit/assay"
)

// Status says how a finding stands against its deadline.
type Status string

const (
	// Met: it was remediated by its deadline.
	Met Status = "met"
	// Open: it is not, and the deadline has not passed.
	Open Status = "open"
	// Breached: it is shown not to be, or was too late.
	Breached Status = "breached"
	// Excluded: no deadline applies.
	Excluded Status = "excluded"
	// Withdrawn: the advisory was withdrawn or corrected, so there was nothing to remediate.
	// It is neither met nor breached, whenever that was, and took no time.
	Withdrawn Status = "withdrawn"
	// Unknown: a date is missing or rests on nothing that counts. It is no pass.
	Unknown Status = "unknown"
)

// Result is how a record stands against a profile at a time. In JSON, durations are in
// nanoseconds.
type Result struct {
	Stream  string    `json:"stream"`
	Profile string    `json:"profile"`
	At      time.Time `json:"at"`
	// AsOf is where the record ends. What happened between it and At is not known.
	AsOf time.Time `json:"asOf"`
	// Findings are one for each entry, sorted as the record's are.
	Findings []Finding `json:"findings"`
	Counts   Counts    `json:"counts"`
	// Achieved is over all findings with a start and a remediation, in time or late.
	Achieved Achieved `json:"achieved"`
	Rebuild  Rebuild  `json:"rebuild"`
}

// Finding is the answer for one entry.
type Finding struct {
	Vulnerability assay.VulnID      `json:"vulnerability"`
	Component     assay.PURL        `json:"component,omitzero"`
	ComponentID   assay.ComponentID `json:"componentId,omitempty"`
	Occurrence    int               `json:"occurrence"`
	// Rating is the one that the deadline rests on.
	Rating assay.Rating `json:"rating"`
	Status Status       `json:"status"`
	// Start is when the clock started; zero if that is not known.
	Start time.Time `json:"start,omitzero"`
	// Deadline is the last instant that is in time; zero if there is none. Where Start is
	// not known and Deadline is, it is one that the real one is not before.
	Deadline time.Time `json:"deadline,omitzero"`
	// Stopped is when it was remediated, and by what; zero while it is not.
	Stopped   time.Time `json:"stopped,omitzero"`
	StoppedBy Stop      `json:"stoppedBy,omitempty"`
	// Since is when a breached finding became so.
	Since time.Time `json:"since,omitzero"`
	// Exclusion is why a finding is excluded, or what moved its deadline; Until its end.
	Exclusion Reason    `json:"exclusion,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	// Evidence is what the exclusion or withdrawal rests on, or the time of Stopped.
	Evidence []assay.Resource `json:"evidence,omitempty"`
	// Unchecked says that it is unknown only because an exclusion is not borne out by what
	// is at hand; see [EvaluateAgainst].
	Unchecked bool `json:"unchecked,omitempty"`
	// Missing says what leaves a finding unknown: the event, and why its date does not
	// count. Of other findings it is what was not taken into account.
	Missing []string `json:"missing,omitempty"`
}

// Late reports a finding that was remediated after its deadline.
func (f *Finding) Late() bool { return f.Status == Breached && !f.Stopped.IsZero() }

// Took is the time from start to remediation, and whether both are known. What was
// remediated before the clock started took no time.
func (f *Finding) Took() (time.Duration, bool) {
	if f.Start.IsZero() || f.Stopped.IsZero() {
		return 0, false
	}
	return max(0, f.Stopped.Sub(f.Start)), true
}

// Counts are of findings.
type Counts struct {
	Met      int `json:"met"`
	Open     int `json:"open"`
	Breached int `json:"breached"`
	// Late are those of Breached that are remediated by now.
	Late      int `json:"late"`
	Excluded  int `json:"excluded"`
	Withdrawn int `json:"withdrawn"`
	Unknown   int `json:"unknown"`
}

// Share is the part of what is due that was in time: met of met, breached and
// unknown. It is not ok where nothing was due.
func (c Counts) Share() (share float64, ok bool) {
	n := c.Met + c.Breached + c.Unknown
	if n == 0 {
		return 0, false
	}
	return float64(c.Met) / float64(n), true
}

// Achieved are times from start to remediation. A percentile p of N times is the
// nearest rank: the ceil(p/100·N)-th smallest, so it is always one that occurred.
type Achieved struct {
	Count int           `json:"count"`
	P50   time.Duration `json:"p50"`
	P90   time.Duration `json:"p90"`
	Max   time.Duration `json:"max"`
}

// Rebuild is how often the stream was built, by the times its images were signed.
type Rebuild struct {
	// State answers whether the profile's rule is kept: refuted if a gap is too long,
	// unknown if the time of an image is, proven if there is no rule.
	State assay.State `json:"state"`
	// Longest is the longest gap between two images, or from the last to the time
	// of asking, that the rule looks at; Current is the latter.
	Longest time.Duration `json:"longest"`
	Current time.Duration `json:"current"`
	// Missing names the images without a time that counts.
	Missing []assay.Digest `json:"missing,omitempty"`
}

// State answers whether every deadline was kept: refuted if one was not, also if it
// has been remediated since; else unknown if one is not known, or the rebuild is not;
// proven otherwise. What is open and not yet due, or excluded, does no harm.
func (r *Result) State() assay.State { return r.state(r.Counts.Breached) }

// Current is as State, and forgives what was late and is remediated by now.
func (r *Result) Current() assay.State { return r.state(r.Counts.Breached - r.Counts.Late) }

func (r *Result) state(breached int) assay.State {
	findings := assay.Proven
	switch {
	case breached > 0:
		findings = assay.Refuted
	case r.Counts.Unknown > 0:
		findings = assay.Unknown
	}
	return findings.And(r.Rebuild.State)
}
