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
	var history []string
	past := map[vulnerable][]assay.Vulnerability{}
	for _, r := range c.remediations {
		if line, result := v.record(t, c, r); result != nil {
			history = append(history, line)
			follow(past, r.Evidence(), result)
		}
	}
	scanned, seen := false, c.sightings()
	for _, s := range list {
		scanned = true
		if s.err != nil {
			t.add(assay.Unknown, NotShown, s.scan.Envelope(), s.err.Error())
			continue
		}
		v.deadlines(t, c, s, past, seen)
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

// vulnerable is what findings and entries of records are the same by: a vulnerability under
// one of its names, and a component.
type vulnerable struct {
	id        assay.VulnID
	component assay.PURL // without version
	ref       assay.ComponentID
}

// called gives every name of it. Two are the same if one has the other's identifier.
func called(v assay.Vulnerability, component assay.PURL, ref assay.ComponentID) []vulnerable {
	if component = component.Package(); !component.IsZero() {
		ref = ""
	}
	out := []vulnerable{{v.ID, component, ref}}
	for _, a := range v.Aliases {
		out = append(out, vulnerable{a, component, ref})
	}
	return out
}

// sameVulnerability reports whether one is named by the other.
func sameVulnerability(a, b assay.Vulnerability) bool {
	return a.Is(b.ID) || b.Is(a.ID)
}

// follow collects what the record follows as something that is open now: with the date on
// which it was first seen, that this image still has and that nothing excludes.
func follow(into map[vulnerable][]assay.Vulnerability, record *assay.Remediation, result *remediation.Result) {
	type name struct {
		vulnerable
		occurrence int
	}
	open := map[name]bool{}
	for i := range result.Findings {
		f := &result.Findings[i]
		open[name{vulnerable{f.Vulnerability, f.Component, f.ComponentID}, f.Occurrence}] = f.Status == remediation.Open || f.Status == remediation.Breached
	}
	for i := range record.Entries {
		e := &record.Entries[i]
		if e.FixedImage.IsZero() && !e.FirstSeen.IsZero() && open[name{vulnerable{e.Vulnerability.ID, e.Component, e.ComponentID}, e.Occurrence}] {
			for _, n := range called(e.Vulnerability, e.Component, e.ComponentID) {
				into[n] = append(into[n], e.Vulnerability)
			}
		}
	}
}

func followed(by map[vulnerable][]assay.Vulnerability, f *assay.Finding) bool {
	return slices.ContainsFunc(called(f.Vulnerability, f.PURL, f.Component), func(n vulnerable) bool {
		return slices.ContainsFunc(by[n], func(v assay.Vulnerability) bool { return sameVulnerability(v, f.Vulnerability) })
	})
}

// sighting is a finding of an accepted scan.
type sighting struct {
	*assay.Finding
	finished time.Time
}

// sightings are the findings of all accepted scans.
func (c *subjectCase) sightings() map[vulnerable][]sighting {
	out := map[vulnerable][]sighting{}
	for _, s := range c.scans {
		for i := range s.Evidence().Findings {
			f := &s.Evidence().Findings[i]
			for _, n := range called(f.Vulnerability, f.PURL, f.Component) {
				out[n] = append(out[n], sighting{f, s.Evidence().FinishedOn})
			}
		}
	}
	return out
}

// earliest gives a finding the earliest dates that any accepted scan of the image has for
// it. A database that moves its dates, and a scanner that has just been asked, give no
// time that was not there before.
func earliest(f assay.Finding, seen map[vulnerable][]sighting) assay.Finding {
	early := func(to *time.Time, t time.Time) {
		if !t.IsZero() && (to.IsZero() || t.Before(*to)) {
			*to = t
		}
	}
	for _, n := range called(f.Vulnerability, f.PURL, f.Component) {
		for _, o := range seen[n] {
			if !sameVulnerability(o.Vulnerability, f.Vulnerability) {
				continue
			}
			early(&f.Published, o.Published)
			early(&f.Fix.Available, o.Fix.Available)
			early(&f.FirstSeen, o.FirstSeen)
			early(&f.FirstSeen, o.finished)
		}
	}
	return f
}

// deadlines holds what is left of one scan to the profile.
func (v *Verifier) deadlines(t *tally, c *subjectCase, s triaged, past map[vulnerable][]assay.Vulnerability, seen map[vulnerable][]sighting) {
	left := *s.scan.Evidence()
	left.Findings = nil
	var undated []assay.Finding
	for _, d := range s.result.Remaining() {
		left.Findings = append(left.Findings, earliest(d.Finding, seen))
		if d.Finding.FirstSeen.IsZero() {
			undated = append(undated, d.Finding)
		}
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
	if slices.Contains(v.policy.sla.Start.Events, remediation.FirstSeen) {
		for _, f := range undated {
			if !followed(past, &f) {
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
		case f.Status == remediation.Unknown && f.Unchecked && !f.Stopped.IsZero():
			// Late at worst, and that is no fault of this image.
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
		case f.Status == remediation.Withdrawn:
			t.add(assay.Proven, Holds, assay.Digest{}, what+": the advisory was withdrawn")
		}
	}
}

// record holds a remediation record to the profile, and to the statements it rests on as
// far as they are about this image and were accepted. It gives what the record says of the
// past, and how it stands; nil if it counts for nothing. What it leaves out or calls
// remediated hides nothing: a fresh scan is held to the profile by itself.
func (v *Verifier) record(t *tally, c *subjectCase, r Verified[*assay.Remediation]) (string, *remediation.Result) {
	record := r.Evidence()
	if !c.endsHere(record) {
		t.add(assay.Unknown, OtherImage, r.Envelope(), "the remediation record of "+record.Stream+" does not end with this image")
		return "", nil
	}
	if signed := r.SignedBy(); !signed.IsZero() && record.AsOf.After(signed.Add(clockSkew)) {
		t.add(assay.Refuted, Contradiction, r.Envelope(), fmt.Sprintf("the remediation record of %s ends on %s, after it was signed, by %s", record.Stream, stamp(record.AsOf), stamp(signed)))
		return "", nil
	}
	if record.AsOf.After(c.report.At) {
		t.add(assay.Unknown, FromTheFuture, r.Envelope(), "the remediation record of "+record.Stream+" ends on "+stamp(record.AsOf))
		return "", nil
	}
	known := v.known(c)
	result, err := remediation.EvaluateAgainst(record, v.policy.sla, c.report.At, remediation.Held{Statements: known, Documents: v.policy.ExclusionDocuments})
	if err != nil {
		t.add(assay.Unknown, NotShown, r.Envelope(), err.Error())
		return "", nil
	}
	grounds, err := remediation.CheckAgainst(record, known)
	if err != nil {
		t.add(assay.Unknown, NotShown, r.Envelope(), err.Error())
		return "", nil
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
	return fmt.Sprintf("%s; %d of its claims are borne out by what was accepted, and %d rest on what is not at hand", line, grounds.Proven, grounds.Unknown), result
}

func (c *subjectCase) endsHere(r *assay.Remediation) bool {
	n := len(r.Images)
	return n > 0 && slices.Contains(c.about, r.Images[n-1].Digest)
}

// known are the accepted statements, to hold a record to, without VEX for whose author its
// signer may not speak.
func (v *Verifier) known(c *subjectCase) []remediation.Known {
	out := make([]remediation.Known, 0, len(c.report.evidence))
	for _, e := range c.report.evidence {
		if doc, ok := narrow[*assay.VEX](e); ok && !v.speaks(doc) {
			continue
		}
		s := e.Statement()
		out = append(out, remediation.Known{Statement: assay.SumSHA256(s.Payload()), Subjects: s.Subjects(), Evidence: e.Evidence(), Signed: e.SignedBy()})
	}
	return out
}
