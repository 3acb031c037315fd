package remediation

import (
	"slices"

	"github.com/assaykit/assay"
)

// remains reports whether an image has the component in a version that was reported. A
// scan that does not report it then shows no fix.
func (r *recorder) remains(l *life, image int) bool {
	return slices.ContainsFunc(r.scans[image], func(s *scanned) bool { return l.in(s) })
}

// in reports whether what was reported is among the components that a scan was asked
// about.
func (l *life) in(s *scanned) bool {
	for _, report := range l.reports {
		for _, f := range report.findings {
			if f.PURL.Version() == "" {
				continue
			}
			if slices.ContainsFunc(s.Components, func(p assay.PURL) bool { return p.Matches(f.PURL) && p.Version() != "" || f.PURL.Matches(p) }) {
				return true
			}
		}
	}
	return false
}

// withdrawn finds the scan that shows that an advisory does not hold any more: each
// scanner that ever reported it was asked again, after its last report and with a newer
// database, of an image that has a version that was reported, and reports it no more.
// That of the scanner that was the last to do so counts. Else it says what is missing.
func (r *recorder) withdrawn(l *life, image int) (*scanned, string) {
	last := map[string]*scanned{} // of each scanner, the last that reported it
	reporting := map[*scanned]bool{}
	for _, report := range l.reports {
		s := report.scan
		reporting[s] = true
		if have := last[s.record.Scanner]; have == nil || s.finished.Time.After(have.finished.Time) || s.finished.IsZero() {
			last[s.record.Scanner] = s
		}
	}
	var newest *scanned
	for scanner, before := range last {
		var found *scanned
		for _, s := range r.scans[image] {
			if s.record.Scanner != scanner || reporting[s] || !l.in(s) || r.blind(l, s) != "" || !newer(before, s) {
				continue
			}
			if found == nil || s.shown().Time.Before(found.shown().Time) {
				found = s
			}
		}
		if found == nil {
			return nil, "it has the component in a version that was reported, and not each scanner that reported it takes that back with newer advisories"
		}
		if newest == nil || compareShown(found, newest) > 0 {
			newest = found
		}
	}
	return newest, ""
}

// newer reports whether a scan came after another, and asked a database that is newer.
func newer(before, after *scanned) bool {
	a, b := before.record, after.record
	return !before.finished.IsZero() && after.finished.Time.After(before.finished.Time) &&
		!a.DBUpdated.IsZero() && b.DBUpdated.After(a.DBUpdated) && !a.DBDigest.Match(b.DBDigest)
}

func compareShown(a, b *scanned) int {
	if n := a.shown().Time.Compare(b.shown().Time); n != 0 {
		return n
	}
	return compareScans(a.record, b.record)
}
