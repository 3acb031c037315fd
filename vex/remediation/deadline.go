package remediation

import (
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/severity"
)

// rated is a rating from a time on.
type rated struct {
	rating assay.Rating // empty is unknown
	at     assay.Dated
}

// deadline finds by when the finding has to be remediated. It leaves zero where there
// is no deadline, and where there is one that is not known; then limited is true, and
// what is missing is told.
func (v *evaluation) deadline(s *state) {
	ratings := v.ratings(s.entry)
	s.Rating = v.rating(ratings[len(ratings)-1].rating)
	var due time.Time
	if v.Due != nil {
		if c := v.catalogued(s.entry); c != nil {
			s.limited = true
			if why := unusable(c.Due, assay.BasisWitnessed, assay.BasisSigned, assay.BasisAdvisory); why != "" {
				s.Missing = append(s.Missing, "due: "+why)
				return
			}
			due = v.days.due(c.Due.Time)
		}
		if v.Due.Only {
			s.Deadline = due
			return
		}
	}
	deadline, known := v.limits(s, ratings)
	switch {
	case !known:
		s.limited = true
	case deadline.IsZero() || !due.IsZero() && due.Before(deadline):
		s.Deadline = due
	default:
		s.limited, s.Deadline = true, deadline
	}
}

// limits applies the limits of the ratings one after the other. The deadline is zero
// if there is none; if it is not known, what is missing is told.
func (v *evaluation) limits(s *state, ratings []rated) (deadline time.Time, known bool) {
	if !slices.ContainsFunc(ratings, func(r rated) bool { return !v.limit(v.rating(r.rating)).Unlimited }) {
		return time.Time{}, true
	}
	start := s.Start
	if len(s.startMissing) > 0 {
		s.Missing = append(s.Missing, s.startMissing...)
		if start = s.notBefore; start.IsZero() {
			return time.Time{}, false
		}
	}
	from := func(at time.Time, r assay.Rating) time.Time {
		if l := v.limit(r); !l.Unlimited {
			return v.days.add(at, l)
		}
		return time.Time{} // never
	}
	late := func(t, deadline time.Time) bool { return !deadline.IsZero() && t.After(deadline) }
	// Nobody had rated it at first: who then does so in time has rated it all along.
	if len(ratings) > 1 && ratings[0].rating == "" && unusable(ratings[1].at, assay.BasisWitnessed, assay.BasisSigned, assay.BasisAdvisory) == "" &&
		!late(ratings[1].at.Time, from(start, v.rating(""))) {
		ratings = ratings[1:]
	}
	if v.SeverityChange == AsFirstRated {
		ratings = ratings[:1]
	}
	for _, change := range ratings[1:] {
		if why := unusable(change.at, assay.BasisWitnessed, assay.BasisSigned, assay.BasisAdvisory); why != "" {
			s.Missing = append(s.Missing, "severity-change: "+why)
			return time.Time{}, false
		}
	}
	for len(ratings) > 1 && !ratings[1].at.Time.After(start) {
		ratings = ratings[1:] // rated anew before the clock started
	}
	s.Rating = v.rating(ratings[0].rating)
	deadline = from(start, s.Rating)
	for _, change := range ratings[1:] {
		at := change.at.Time
		if late(at, deadline) || !s.Stopped.IsZero() && !at.Before(s.Stopped) {
			break
		}
		rating := v.rating(change.rating)
		next := from(at, rating)
		earlier := !next.IsZero() && (deadline.IsZero() || next.Before(deadline))
		if v.SeverityChange == Restart || earlier {
			deadline, s.Rating = next, rating
		}
	}
	return deadline, true
}

// ratings are what the profile's sources say over time, without repetitions; there is
// always one. The first holds from the start.
func (v *evaluation) ratings(e *assay.RemediationEntry) []rated {
	out := make([]rated, 0, 1)
	for i := range e.Severities {
		r := v.sources.Decide(e.Severities[i].Severities).Rating
		if n := len(out); n == 0 || out[n-1].rating != r {
			out = append(out, rated{r, e.Severities[i].At})
		}
	}
	if len(out) == 0 {
		out = append(out, rated{})
	}
	return out
}

// rating is the one that counts for a rating that may be unknown.
func (v *evaluation) rating(r assay.Rating) assay.Rating {
	switch {
	case severity.Known(r):
		return r
	case v.UnknownRating != "":
		return v.UnknownRating
	}
	return assay.RatingCritical
}

func (v *evaluation) limit(r assay.Rating) Limit {
	l, ok := v.Limits[r]
	if !ok && r == assay.RatingNone {
		l = v.Limits[assay.RatingLow]
	}
	return l
}
