package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

// remediated answers whether the vulnerabilities in the image are remediated inside the
// policy's deadlines. What a fresh scan found, and VEX does not close, has one, and it has
// not passed; and so does all that a remediation record of the image's stream leaves open.
// A record adds what one scan cannot know, such as when something was first seen: the
// stricter of both counts. What was fixed too late before is listed, and is no fault of
// this image.
func (v *Verifier) remediated(c *subjectCase, list []triaged) Check {
	t := newTally(CheckRemediation)
	for _, s := range list {
		if s.err != nil {
			t.add(assay.Unknown, NotShown, s.scan.Envelope(), s.err.Error())
			continue
		}
		v.deadlines(t, c, s)
	}
	scanned := t.any
	var history []string
	for _, r := range c.remediations {
		if line := v.record(t, c, r); line != "" {
			history = append(history, line)
		}
	}
	slices.Sort(history)
	check := t.done(words{
		holds:   strings.Join(append([]string{"everything open is inside its deadline, by profile " + v.policy.sla.Name}, history...), "; "),
		refuted: "a deadline has passed",
		open:    "not everything open has a deadline",
		nothing: "no fresh scan was accepted",
	})
	if !scanned && check.State == assay.Proven {
		// A record ends when it was made; only a scan says what is open now.
		check.State, check.Reason, check.Detail = assay.Unknown, NotStated, "no fresh scan was accepted"
	}
	return check
}

// deadlines holds what is left of one scan to the profile.
func (v *Verifier) deadlines(t *tally, c *subjectCase, s triaged) {
	left := *s.scan.Evidence()
	left.Findings = nil
	for _, d := range s.result.Remaining() {
		left.Findings = append(left.Findings, d.Finding)
	}
	statement := remediation.Statement("scan", s.scan.Statement().Payload())
	signed := remediation.Claimed(left.FinishedOn, statement)
	if at := s.scan.SignedBy(); !at.IsZero() {
		signed = remediation.Witnessed(at, statement)
	}
	record, err := remediation.Record(c.about[0].String(), []remediation.Build{{
		Image: c.about[0], Scans: []remediation.Scan{{Scan: &left, Statement: statement, Signed: signed}},
	}}, remediation.Options{AsOf: c.report.At})
	var result *remediation.Result
	if err == nil {
		result, err = remediation.Evaluate(record, v.policy.sla, c.report.At)
	}
	if err != nil {
		t.add(assay.Unknown, NotShown, s.scan.Envelope(), err.Error())
		return
	}
	t.add(assay.Proven, Holds, s.scan.Envelope())
	v.results(t, result)
	// One scan does not tell when something was seen first, and each new one would start
	// the clock anew.
	if slices.Contains(v.policy.sla.Start.Events, remediation.FirstSeen) && !c.hasHistory() {
		for _, f := range left.Findings {
			if f.FirstSeen.IsZero() {
				t.add(assay.Unknown, NotStated, assay.Digest{}, findingLine(f)+": neither the scan nor a remediation record of this image says when it was first seen")
			}
		}
	}
	for _, u := range s.result.Unevaluated {
		if u.Vulnerability != "" {
			t.add(assay.Unknown, NotShown, assay.Digest{}, fmt.Sprintf("%s in %s: %s", u.Vulnerability, cmp.Or(u.PURL.String(), string(u.Component)), u.Reason))
		}
	}
}

// results adds the answer of each finding that is not remediated.
func (v *Verifier) results(t *tally, r *remediation.Result) {
	for i := range r.Findings {
		f := &r.Findings[i]
		what := fmt.Sprintf("%s in %s, %s", f.Vulnerability, cmp.Or(f.Component.String(), string(f.ComponentID)), cmp.Or(string(f.Rating), "not rated"))
		switch {
		case f.Status == remediation.Unknown:
			t.add(assay.Unknown, NotShown, assay.Digest{}, what+": "+strings.Join(f.Missing, ", "))
		case f.Status == remediation.Breached && !f.Late():
			t.add(assay.Refuted, TooOld, assay.Digest{}, what+": was due on "+stamp(f.Deadline))
		case f.Status == remediation.Open:
			due := ": due on "
			if f.Start.IsZero() {
				due = ": due not before " // not all is known that starts the clock
			}
			t.add(assay.Proven, Holds, assay.Digest{}, what+due+stamp(f.Deadline))
		case f.Status == remediation.Excluded:
			t.add(assay.Proven, Holds, assay.Digest{}, what+": excluded: "+string(f.Exclusion))
		}
	}
}

// record holds a remediation record to the profile, and to the statements it rests on as
// far as they are about this image and were accepted. It gives what the record says of the
// past. What it leaves out or calls remediated hides nothing: a fresh scan is held to the
// profile by itself.
func (v *Verifier) record(t *tally, c *subjectCase, r Verified[*assay.Remediation]) string {
	record := r.Evidence()
	if !c.endsHere(record) {
		t.add(assay.Unknown, OtherImage, r.Envelope(), "the remediation record of "+record.Stream+" does not end with this image")
		return ""
	}
	if signed := r.SignedBy(); !signed.IsZero() && record.AsOf.After(signed.Add(clockSkew)) {
		t.add(assay.Refuted, Contradiction, r.Envelope(), fmt.Sprintf("the remediation record of %s ends on %s, after it was signed, by %s", record.Stream, stamp(record.AsOf), stamp(signed)))
		return ""
	}
	if record.AsOf.After(c.report.At) {
		t.add(assay.Unknown, FromTheFuture, r.Envelope(), "the remediation record of "+record.Stream+" ends on "+stamp(record.AsOf))
		return ""
	}
	result, err := remediation.Evaluate(record, v.policy.sla, c.report.At)
	if err != nil {
		t.add(assay.Unknown, NotShown, r.Envelope(), err.Error())
		return ""
	}
	grounds, err := remediation.CheckAgainst(record, c.known())
	if err != nil {
		t.add(assay.Unknown, NotShown, r.Envelope(), err.Error())
		return ""
	}
	t.add(assay.Proven, Holds, r.Envelope())
	for _, claim := range grounds.Refuted {
		t.add(assay.Refuted, Contradiction, assay.Digest{}, fmt.Sprintf("the remediation record of %s, %s: %s", record.Stream, claim.Field, claim.Says))
	}
	v.results(t, result)
	line := fmt.Sprintf("stream %s: %d remediated in time, %d late", record.Stream, result.Counts.Met, result.Counts.Late)
	if a := result.Achieved; a.Count > 0 {
		line += fmt.Sprintf(", half within %s, 90%% within %s", a.P50.Round(time.Hour), a.P90.Round(time.Hour))
	}
	return line
}

// hasHistory reports whether a record of the stream that ends with this image was accepted.
func (c *subjectCase) hasHistory() bool {
	return slices.ContainsFunc(c.remediations, func(r Verified[*assay.Remediation]) bool { return c.endsHere(r.Evidence()) })
}

func (c *subjectCase) endsHere(r *assay.Remediation) bool {
	n := len(r.Images)
	return n > 0 && slices.Contains(c.about, r.Images[n-1].Digest)
}

// known are the accepted statements, to hold a record to.
func (c *subjectCase) known() []remediation.Known {
	out := make([]remediation.Known, 0, len(c.report.evidence))
	for _, e := range c.report.evidence {
		s := e.Statement()
		out = append(out, remediation.Known{Statement: assay.SumSHA256(s.Payload()), Subjects: s.Subjects(), Evidence: e.Evidence(), Signed: e.SignedBy()})
	}
	return out
}
