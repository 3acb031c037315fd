package remediation

import (
	"maps"
	"slices"
	"time"

	"github.com/assaykit/assay"
)

// entry writes down one life.
func (r *recorder) entry(l *life) assay.RemediationEntry {
	e := assay.RemediationEntry{
		Vulnerability: assay.Vulnerability{ID: l.key.vulnerability}, Component: l.key.component, ComponentID: l.key.id,
		Occurrence: l.occurrence, FirstImage: r.builds[l.first].Image, LastImage: r.builds[l.last].Image, Undecided: l.undecided,
	}
	for _, v := range r.names.all[l.key.vulnerability] {
		if v != l.key.vulnerability {
			e.Vulnerability.Aliases = append(e.Vulnerability.Aliases, v)
		}
	}
	slices.Sort(e.Vulnerability.Aliases)
	if l.clean != nil {
		e.FixedImage = r.builds[l.fixed].Image
		e.FirstClean = l.clean.shown()
	}
	if l.withdrawn != nil {
		e.Withdrawn = l.withdrawn.shown()
	}
	reports := slices.Clone(l.reports)
	slices.SortStableFunc(reports, func(a, b *report) int { return compareScans(a.scan.record, b.scan.record) })
	r.seen(&e, reports)
	r.dates(&e, reports)
	e.Severities = severities(reports)
	for _, x := range r.options.Exclusions {
		if r.names.find(x.Vulnerability) == l.key.vulnerability && (x.Component.IsZero() || x.Component.Package() == l.key.component) {
			x.Exclusion.Until, x.Exclusion.From = utc(x.Until), normal(x.From)
			e.Exclusions = append(e.Exclusions, x.Exclusion)
		}
	}
	slices.SortFunc(e.Exclusions, compareExclusions)
	e.Exclusions = slices.CompactFunc(e.Exclusions, func(a, b assay.Exclusion) bool { return compareExclusions(a, b) == 0 })
	return e
}

// seen is when it was reported, and in what versions.
func (r *recorder) seen(e *assay.RemediationEntry, reports []*report) {
	undated := false
	for _, report := range reports {
		at := report.scan.finished
		if at.IsZero() {
			undated = true
		} else {
			e.FirstSeen = earliest(e.FirstSeen, at)
			if at.Time.After(e.LastSeen.Time) || at.Time.Equal(e.LastSeen.Time) && better(at, e.LastSeen) {
				e.LastSeen = at
			}
		}
		for _, f := range report.findings {
			if v := f.PURL.Version(); v != "" {
				e.Versions = append(e.Versions, v)
			}
			// A scan that knows the lineage may have seen it before.
			if f.FirstSeen.IsZero() || e.Occurrence > 1 {
				continue
			}
			if d := dated(f.FirstSeen, at.Basis, report.scan.Statement); d.Basis != "" && !r.doubt(e, "firstSeen", d.Time) {
				e.FirstSeen = earliest(e.FirstSeen, d)
			}
		}
	}
	if undated {
		e.FirstSeen = assay.Dated{}
		e.Doubts = append(e.Doubts, "firstSeen: a scan that reports it does not say when it ended")
		slices.Sort(e.Doubts)
		e.Doubts = slices.Compact(e.Doubts)
	}
	slices.Sort(e.Versions)
	e.Versions = slices.Compact(e.Versions)
}

// doubt reports a date after the end of the record, and writes it down.
func (r *recorder) doubt(e *assay.RemediationEntry, what string, t time.Time) bool {
	if !t.After(r.asOf) {
		return false
	}
	e.Doubts = append(e.Doubts, what+": "+utc(t).Format(time.RFC3339Nano)+" is after the end of the record")
	slices.Sort(e.Doubts)
	e.Doubts = slices.Compact(e.Doubts)
	return true
}

// dates are those of the advisories. The fix is the one of the last scan, and can be
// had since the earliest date that any gives.
func (r *recorder) dates(e *assay.RemediationEntry, reports []*report) {
	catalogues := map[string]assay.Catalogued{}
	for _, report := range reports {
		s := report.scan
		state, version := assay.FixUnknown, ""
		for i, f := range report.findings {
			if !f.Published.IsZero() && !r.doubt(e, "published", f.Published) {
				e.Published = earliest(e.Published, s.advised(f.Published))
			}
			if !f.Fix.Available.IsZero() && !r.doubt(e, "fix available", f.Fix.Available) {
				if d := earliest(e.Fix.Available, s.advised(f.Fix.Available)); !d.Time.Equal(e.Fix.Available.Time) {
					e.Fix.Available, e.Fix.AvailableBy = d, f.Fix.AvailableBy
				}
			}
			if i == 0 || fixRank(f.Fix.State) > fixRank(state) {
				state, version = f.Fix.State, f.Fix.Version
			} else if f.Fix.State == state && (version == "" || f.Fix.Version != "" && f.Fix.Version < version) {
				version = f.Fix.Version
			}
			if x := f.Exploited; x != nil && x.Catalogue != "" {
				c := catalogues[x.Catalogue]
				c.Catalogue = x.Catalogue
				if !x.Added.IsZero() && !r.doubt(e, "added to "+x.Catalogue, x.Added) {
					c.Added = earliest(c.Added, s.advised(x.Added))
				}
				if !x.Due.IsZero() {
					c.Due = earliest(c.Due, s.advised(x.Due))
				}
				catalogues[x.Catalogue] = c
			}
		}
		e.Fix.State, e.Fix.Version = state, version
	}
	for _, name := range slices.Sorted(maps.Keys(catalogues)) {
		e.Exploited = append(e.Exploited, catalogues[name])
	}
}

// fixRank orders what several findings of a scan say of a fix: one that can be had
// overrules the rest, and none is believed only if nobody is unsure.
func fixRank(s assay.FixState) int {
	switch s {
	case assay.FixAvailable:
		return 3
	case assay.FixNone, assay.FixRefused:
		return 1
	}
	return 2
}

// severities are the changes of what the sources say: what each scanner said last,
// together.
func severities(reports []*report) []assay.SeverityChange {
	var out []assay.SeverityChange
	last := map[string][]assay.Severity{}
	for _, report := range reports {
		var now []assay.Severity
		for _, f := range report.findings {
			now = append(now, f.Severities...)
		}
		last[report.scan.record.Scanner] = now
		var all []assay.Severity
		for _, list := range last {
			all = append(all, list...)
		}
		all = slices.DeleteFunc(all, func(s assay.Severity) bool { return s == (assay.Severity{}) })
		slices.SortFunc(all, compareSeverities)
		all = slices.Compact(all)
		if n := len(out); n == 0 || !slices.Equal(out[n-1].Severities, all) {
			out = append(out, assay.SeverityChange{Severities: all, At: report.scan.finished})
		}
	}
	return out
}
