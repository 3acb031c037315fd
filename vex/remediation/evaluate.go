package remediation

import (
	"cmp"
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/severity"
)

// Evaluate says for each entry of the record how it stands at a time against the
// deadline that the profile gives it.
//
// Nothing but the record, the profile and the time goes in. The record has to be one
// that [Encode] writes, in any order of entries, and the time not before its AsOf:
// what was known earlier is another record. Later is fine, and takes for granted that
// nothing happened since, so what is open then comes to be breached.
//
// As the time goes on a finding that is met stays met, and one that is breached or
// unknown stays so. One that is open becomes breached when its deadline passes, or
// unknown, where the record does not know whether the last images have it, or when the
// clock started. One that is excluded becomes any of these three when the exclusion ends.
//
// The error is [assay.ErrInvalid] for a record, profile or time that is not as above,
// and [assay.ErrUnchecked] for a time zone that this machine does not know.
//
// The record is taken at its word; [EvaluateAgainst] is for that of others.
func Evaluate(record *assay.Remediation, profile *Profile, at time.Time) (*Result, error) {
	return evaluate(record, profile, at, nil)
}

// EvaluateAgainst is [Evaluate], and takes no exclusion on the record's word:
//
//   - end-of-life, disputed and risk-accepted want evidence that is at hand. A document
//     bears out what it decided, for its vulnerabilities and its time. A statement has to be
//     a VEX document that speaks of the vulnerability in this component of an image that
//     has it, in notes that begin with [ExclusionNote], and was witnessed by when the
//     exclusion begins.
//   - vex-not-affected wants a document that says so of the last image, and
//     no-fix-available the scan that says so.
//
// What would be breached, but for an exclusion that could not be checked, is unknown, with
// Finding.Unchecked: not excluded. It becomes breached when the exclusion ends.
func EvaluateAgainst(record *assay.Remediation, profile *Profile, at time.Time, held Held) (*Result, error) {
	for _, d := range held.Documents {
		if err := d.Validate(); err != nil {
			return nil, err
		}
	}
	return evaluate(record, profile, at, &held)
}

func evaluate(record *assay.Remediation, profile *Profile, at time.Time, held *Held) (*Result, error) {
	if e := profile.check(); e != nil {
		return nil, e
	}
	if e := check(record); e != nil {
		return nil, e
	}
	if at.Before(record.AsOf) {
		return nil, &assay.Error{Op: "evaluate remediation record", Kind: assay.ErrInvalid, Subject: record.Stream, Field: "/asOf",
			Value: record.AsOf.Format(time.RFC3339Nano), Bound: "not after the time of asking, " + at.UTC().Format(time.RFC3339Nano)}
	}
	days, e := profile.Calendar.open()
	if e != nil {
		return nil, e
	}
	v := evaluation{Profile: profile, days: days, at: at.UTC(),
		sources: severity.Preference{Sources: profile.SeveritySources, OnlySources: len(profile.SeveritySources) > 0},
		images:  make(map[assay.Digest]*assay.ImageBuild, len(record.Images))}
	if held != nil {
		v.held = &holdings{hold(record, held.Statements), held.Documents}
	}
	for i := range record.Images {
		v.images[record.Images[i].Digest] = &record.Images[i]
	}
	r := &Result{Stream: record.Stream, Profile: profile.Name, At: at.UTC(), AsOf: record.AsOf, Findings: make([]Finding, 0, len(record.Entries))}
	for _, entry := range inOrder(record.Entries) {
		r.Findings = append(r.Findings, v.finding(entry))
	}
	r.count()
	r.Rebuild = v.rebuild(record.Images)
	return r, nil
}

// inOrder leaves the caller's slice as it is.
func inOrder(entries []assay.RemediationEntry) []*assay.RemediationEntry {
	out := make([]*assay.RemediationEntry, len(entries))
	for i := range entries {
		out[i] = &entries[i]
	}
	if !slices.IsSortedFunc(out, (*assay.RemediationEntry).Compare) {
		slices.SortFunc(out, (*assay.RemediationEntry).Compare)
	}
	return out
}

type evaluation struct {
	*Profile
	days    *days
	sources severity.Preference
	at      time.Time
	images  map[assay.Digest]*assay.ImageBuild
	held    *holdings
}

// state collects what is found out about one entry.
type state struct {
	Finding
	entry *assay.RemediationEntry
	// startMissing says why there is no start. Where the latest of several events counts
	// and others are known, notBefore is the latest of those, and the deadline is one that
	// the real one is not before.
	startMissing []string
	notBefore    time.Time
	limited      bool // by a limit or due date, known or not
	// claimedWhat are the events whose time does not count, and claimed the earliest
	// of their times; zero if one has none.
	claimedWhat []string
	claimed     time.Time
	// unchecked are the exclusions whose evidence does not bear them out.
	unchecked []string
}

func (v *evaluation) finding(entry *assay.RemediationEntry) Finding {
	s := &state{entry: entry, Finding: Finding{Vulnerability: entry.Vulnerability.ID, Component: entry.Component,
		ComponentID: entry.ComponentID, Occurrence: entry.Occurrence}}
	v.start(s)
	v.stop(s)
	v.deadline(s)
	v.decide(s)
	return s.Finding
}

func (v *evaluation) decide(s *state) {
	if d := s.entry.Withdrawn; !d.IsZero() {
		// When that was is of no account, so a claim is as good as a witness.
		why := unusable(d, assay.BasisWitnessed, assay.BasisSigned)
		if why == "" && !identified(d.Evidence) {
			why = "its evidence has no digest"
		}
		if why == "" {
			s.Status, s.Evidence, s.Stopped, s.StoppedBy, s.Missing = Withdrawn, d.Evidence, time.Time{}, "", nil
			return
		}
		s.claimedWhat = append(s.claimedWhat, "withdrawn: "+why)
		s.claimed = time.Time{}
	}
	stopped, known := !s.Stopped.IsZero(), !s.Deadline.IsZero()
	if stopped && known && !s.Stopped.After(s.Deadline) {
		s.Status = Met
		return
	}
	if v.excluded(s) {
		s.Status = Excluded
		return
	}
	if v.accepted(s) {
		if stopped { // by the end of what was accepted
			s.Status = Met
		} else {
			s.Status = Excluded
		}
		return
	}
	s.Status = Unknown
	switch {
	case !s.limited:
		s.Status = Excluded
		s.Exclusion = NoLimit
		if v.Due != nil && v.Due.Only {
			s.Exclusion = NotCatalogued
		}
	case !known:
		// Missing has been told.
	case len(s.claimedWhat) > 0 && !s.claimed.After(s.Deadline):
		// It may have been in time, and what shows it was not.
		s.Missing = append(s.Missing, s.claimedWhat...)
	case !s.notBefore.IsZero() && (stopped || len(s.claimedWhat) > 0):
		// The deadline may be later.
	case stopped:
		s.Status = Breached
	case len(s.claimedWhat) > 0:
		// Nobody claims to be late who is not.
		s.Status = Breached
		s.Missing = append(s.Missing, s.claimedWhat...)
	case !v.at.After(s.Deadline):
		s.Status = Open
	case !s.notBefore.IsZero():
		// The deadline may be later.
	case len(s.entry.Undecided) > 0 && !s.entry.LastSeen.Time.After(s.Deadline):
		u := s.entry.Undecided[0]
		s.Missing = append(s.Missing, "whether image "+u.Image.String()+" still has it: "+u.Reason)
	default:
		s.Status = Breached
	}
	if len(s.unchecked) > 0 && (s.Status == Breached || s.Status == Unknown) {
		s.Status, s.Unchecked = Unknown, s.Status == Breached
		s.Missing = append(s.Missing, s.unchecked...)
	}
	if s.Status == Breached {
		s.Since = s.Deadline
		// What came in with an old vulnerability was in order before it did.
		if first := s.entry.FirstSeen.Time; first.After(s.Since) && (s.Stopped.IsZero() || !first.After(s.Stopped)) {
			s.Since = first
		}
	}
}

// start finds when the clock starts.
func (v *evaluation) start(s *state) {
	pick := v.Start.Pick
	for i, event := range v.Start.Events {
		var d assay.Dated
		switch event {
		case Published:
			d = s.entry.Published
		case FixAvailable:
			d = s.entry.Fix.Available
		case FirstSeen:
			d = s.entry.FirstSeen
		case KEVAdded:
			if c := v.catalogued(s.entry); c != nil {
				d = c.Added
			}
		}
		if why := unusable(d, assay.BasisWitnessed, assay.BasisSigned, assay.BasisAdvisory); why != "" {
			s.startMissing = append(s.startMissing, string(event)+": "+why)
			continue
		}
		if i == 0 || s.Start.IsZero() || d.Time.After(s.Start) == (pick != Earliest) {
			s.Start = d.Time
		}
	}
	if v.Regression == Reappearance && s.entry.Occurrence > 1 {
		if why := unusable(s.entry.FirstSeen, assay.BasisWitnessed, assay.BasisSigned); why != "" {
			s.startMissing = append(s.startMissing, string(FirstSeen)+": "+why)
		} else if s.entry.FirstSeen.Time.After(s.Start) {
			s.Start = s.entry.FirstSeen.Time
		}
	}
	if len(s.startMissing) > 0 {
		if pick != Earliest {
			s.notBefore = s.Start
		}
		s.Start = time.Time{}
	}
}

// unusable says why a date cannot be taken, in words; "" if it can.
func unusable(d assay.Dated, bases ...assay.Basis) string {
	switch {
	case d.IsZero():
		return "no date is known"
	case !slices.Contains(bases, d.Basis):
		return "its date is " + string(d.Basis) + " only"
	}
	return ""
}

// proven says why a date that somebody would like to be early cannot be taken.
func (v *evaluation) proven(d assay.Dated) string {
	if v.AllowClaimedTimesUnsafe {
		return unusable(d, assay.BasisWitnessed, assay.BasisSigned)
	}
	return unusable(d, assay.BasisWitnessed)
}

// catalogued is the entry of the profile's catalogue.
func (v *evaluation) catalogued(e *assay.RemediationEntry) *assay.Catalogued {
	name := CISAKEV
	if v.Due != nil {
		name = v.Due.Catalogue
	}
	for i := range e.Exploited {
		if e.Exploited[i].Catalogue == name {
			return &e.Exploited[i]
		}
	}
	return nil
}

// stop finds what stopped the clock first, of what is shown.
func (v *evaluation) stop(s *state) {
	status := holding(s.entry)
	for _, what := range v.Stop {
		var d assay.Dated
		happened, shown := false, ""
		switch what {
		case PatchedImageSigned:
			if img := v.images[s.entry.FixedImage]; img != nil {
				d, happened = img.Signed, true
				// When it was signed is one thing, and that it is clean another.
				if why := unusable(s.entry.FirstClean, assay.BasisWitnessed, assay.BasisSigned); why != "" {
					shown = "the scan that shows it to be clean: " + why
				}
			}
		case FirstClean:
			d, happened = s.entry.FirstClean, !s.entry.FixedImage.IsZero()
		case VEXFixed:
			if status != nil && status.Status == assay.Fixed {
				d, happened = status.At, true
			}
		case VEXNotAffected:
			if status != nil && status.Status == assay.NotAffected {
				d, happened = status.At, true
			}
		}
		if !happened {
			continue
		}
		if why := cmp.Or(v.proven(d), shown); why != "" {
			if len(s.claimedWhat) == 0 || d.Time.Before(s.claimed) {
				s.claimed = d.Time
			}
			s.claimedWhat = append(s.claimedWhat, string(what)+": "+why)
			continue
		}
		if s.Stopped.IsZero() || d.Time.Before(s.Stopped) {
			s.Stopped, s.StoppedBy, s.Evidence = d.Time, what, d.Evidence
		}
	}
}

// holding is when the status that holds at the end of the record came to hold.
func holding(e *assay.RemediationEntry) *assay.StatusChange {
	i := len(e.VEX) - 1
	if i < 0 {
		return nil
	}
	for i > 0 && e.VEX[i-1].Status == e.VEX[i].Status {
		i-- // another justification
	}
	return &e.VEX[i]
}

// excluded reports a fact for which no deadline applies, whenever it came to light.
func (v *evaluation) excluded(s *state) bool {
	for _, rule := range v.Exclusions {
		switch rule.Reason {
		case NoFix:
			if v.noFix(s, rule) {
				return true
			}
		case NotAffected:
			if h := holding(s.entry); h != nil && h.Status == assay.NotAffected && v.holds(s, NotAffected, h.At, h.At.Evidence, v.held.notAffected(s.entry)) {
				return true
			}
		case EndOfLife, Disputed:
			for i := range s.entry.Exclusions {
				x := &s.entry.Exclusions[i]
				if x.Reason == string(rule.Reason) && v.within(s, rule, x) && (x.Until.IsZero() || !v.at.After(x.Until)) && v.holds(s, rule.Reason, x.From, x.Evidence, v.held.open(s.entry, x)) {
					s.Until = x.Until
					return true
				}
			}
		}
	}
	return false
}

// noFix asks for a scan that says so and is not too old. Where an image was shown to
// be without the component there was no fix all the time.
func (v *evaluation) noFix(s *state, rule ExclusionRule) bool {
	fix, seen := &s.entry.Fix, s.entry.LastSeen
	if fix.State != assay.FixNone && fix.State != assay.FixRefused || !fix.Available.IsZero() {
		return false
	}
	if why := unusable(seen, assay.BasisWitnessed, assay.BasisSigned); why != "" {
		s.Missing = append(s.Missing, string(NoFix)+": the scan that says so: "+why)
		return false
	}
	if !identified(seen.Evidence) {
		s.Missing = append(s.Missing, string(NoFix)+": the scan that says so has no digest")
		return false
	}
	if rule.MaxDays > 0 && s.entry.FixedImage.IsZero() {
		until := seen.Time.Add(time.Duration(rule.MaxDays) * 24 * time.Hour)
		if v.at.After(until) {
			s.Missing = append(s.Missing, string(NoFix)+": the last scan that says so is of "+seen.Time.Format(time.RFC3339))
			return false
		}
		s.Until = until
	}
	if why := v.held.noFix(s.entry); why != "" {
		s.unchecked, s.Until = append(s.unchecked, string(NoFix)+": "+why), time.Time{}
		return false
	}
	s.Exclusion, s.Evidence = NoFix, seen.Evidence
	return true
}

// holds looks at what an exclusion rests on, and takes it if that suffices; open says why
// it is not borne out, where it is held to anything.
func (v *evaluation) holds(s *state, why Reason, from assay.Dated, evidence []assay.Resource, open string) bool {
	if bad := v.proven(from); bad != "" {
		s.Missing = append(s.Missing, string(why)+": "+bad)
		return false
	}
	if !identified(evidence) {
		s.Missing = append(s.Missing, string(why)+": its evidence has no digest")
		return false
	}
	if open != "" {
		s.unchecked = append(s.unchecked, string(why)+": "+open)
		return false
	}
	s.Exclusion, s.Evidence = why, evidence
	return true
}

// identified reports whether some evidence is told by a digest that identifies content.
func identified(evidence []assay.Resource) bool {
	return slices.ContainsFunc(evidence, func(r assay.Resource) bool {
		return slices.ContainsFunc(r.Digest, func(d assay.Digest) bool { return d.Algorithm().Strong() })
	})
}

// within holds an exclusion to the longest time for which it may be granted.
func (v *evaluation) within(s *state, rule ExclusionRule, x *assay.Exclusion) bool {
	if rule.MaxDays > 0 && (x.Until.IsZero() || x.Until.Sub(x.From.Time) > time.Duration(rule.MaxDays)*24*time.Hour) {
		s.Missing = append(s.Missing, x.Reason+": it is for longer than the profile allows")
		return false
	}
	return true
}

// accepted moves the deadline to the end of a risk that was accepted while there was
// still time; one acceptance can follow another. It reports whether the finding is
// then in time. An acceptance that comes after the deadline heals nothing.
func (v *evaluation) accepted(s *state) bool {
	i := slices.IndexFunc(v.Exclusions, func(r ExclusionRule) bool { return r.Reason == RiskAccepted })
	if i < 0 || s.Deadline.IsZero() {
		return false
	}
	before, unchecked := s.Finding, len(s.unchecked)
	moved := false
	// Where the deadline would be if what could not be checked were so.
	perhaps := s.Deadline
	for j := range s.entry.Exclusions { // sorted by their begin
		x := &s.entry.Exclusions[j]
		if x.Reason != string(RiskAccepted) || !v.within(s, v.Exclusions[i], x) {
			continue
		}
		if x.From.Time.After(perhaps) {
			s.Missing = append(s.Missing, x.Reason+": it came after the deadline")
			continue
		}
		if !x.Until.After(perhaps) {
			continue
		}
		was := len(s.unchecked)
		if v.holds(s, RiskAccepted, x.From, x.Evidence, v.held.open(s.entry, x)) {
			perhaps = x.Until
			if !x.From.Time.After(s.Deadline) {
				s.Deadline, s.Until, moved = x.Until, x.Until, true
			}
		} else if len(s.unchecked) > was {
			perhaps = x.Until
		}
	}
	if end := cmp.Or(s.Stopped, v.at); end.After(perhaps) {
		s.unchecked = s.unchecked[:unchecked] // too late in any case
	}
	if !moved {
		s.Exclusion, s.Evidence = before.Exclusion, before.Evidence
		return false
	}
	if !s.Stopped.IsZero() {
		if in := !s.Stopped.After(s.Deadline); in {
			s.Evidence = before.Evidence // of the time, as for all that are met
			return true
		}
		return false
	}
	return !v.at.After(s.Deadline)
}
