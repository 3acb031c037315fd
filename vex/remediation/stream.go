package remediation

import (
	"slices"
	"time"

	"github.com/assaykit/assay"
)

// count fills in what the findings come to.
func (r *Result) count() {
	var took []time.Duration
	for i := range r.Findings {
		f := &r.Findings[i]
		switch f.Status {
		case Met:
			r.Counts.Met++
		case Open:
			r.Counts.Open++
		case Breached:
			r.Counts.Breached++
			if f.Late() {
				r.Counts.Late++
			}
		case Excluded:
			r.Counts.Excluded++
		case Withdrawn:
			r.Counts.Withdrawn++
		default:
			r.Counts.Unknown++
		}
		if d, ok := f.Took(); ok && (f.Status == Met || f.Status == Breached) {
			took = append(took, d)
		}
	}
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	r.Achieved = Achieved{Count: len(took), P50: percentile(took, 50), P90: percentile(took, 90), Max: took[len(took)-1]}
}

// percentile is the nearest rank in what is sorted and not empty.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[max(1, (len(sorted)*p+99)/100)-1]
}

func (v *evaluation) rebuild(images []assay.ImageBuild) Rebuild {
	r := Rebuild{State: assay.Proven}
	var cutoff time.Time
	if v.Rebuild != nil && v.Rebuild.OverDays > 0 {
		cutoff = v.at.AddDate(0, 0, -v.Rebuild.OverDays)
	}
	var last time.Time
	for i := range images {
		if v.proven(images[i].Signed) != "" {
			r.Missing = append(r.Missing, images[i].Digest)
			continue
		}
		t := images[i].Signed.Time
		if !last.IsZero() && t.After(cutoff) {
			r.Longest = max(r.Longest, t.Sub(last))
		}
		if t.After(last) {
			last = t
		}
	}
	if !last.IsZero() {
		r.Current = v.at.Sub(last)
		r.Longest = max(r.Longest, r.Current)
	}
	if v.Rebuild == nil {
		return r
	}
	// An image without a time makes a gap longer than it was, never shorter: what is
	// in time without it is in time.
	switch {
	case !last.IsZero() && r.Longest <= time.Duration(v.Rebuild.WithinHours)*time.Hour:
	case len(r.Missing) > 0:
		r.State = assay.Unknown
	default:
		r.State = assay.Refuted
	}
	return r
}
