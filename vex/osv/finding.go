package osv

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/version"
	"github.com/assaykit/assay/vex/severity"
)

// maxNames is how many names of one vulnerability are followed. Records that call each
// other by more are no longer about one.
const maxNames = 64

// vulnerability is one, by all its names, and what was said of it.
type vulnerability struct {
	names []assay.VulnID // sorted
	hits  []*hit
}

// report makes findings of the advisories that include a component, and tells of those
// that may.
func (m *worker) report(ctx context.Context, c *assay.Component, hits []hit) error {
	if len(hits) == 0 {
		return nil
	}
	var all []*vulnerability
	for i := range hits {
		vs, err := m.vulnerabilities(ctx, hits[i].advisory)
		if err != nil {
			return err
		}
		for _, names := range vs {
			all = join(all, &vulnerability{names, []*hit{&hits[i]}})
		}
	}
	for _, v := range all {
		advisories := v.advisories(affected)
		if len(advisories) == 0 {
			id := v.id(v.advisories(unknown))
			for _, h := range v.hits {
				m.cannot(c, id, string(h.advisory)+": "+h.reason)
			}
			continue
		}
		f, err := m.finding(ctx, v, advisories)
		if err != nil {
			return err
		}
		f.Component, f.PURL = c.ID, c.PURL
		m.findings = append(m.findings, f)
	}
	return nil
}

// join adds a vulnerability to others, as one with those that it shares a name with.
func join(all []*vulnerability, v *vulnerability) []*vulnerability {
	return append(slices.DeleteFunc(all, func(o *vulnerability) bool {
		if !slices.ContainsFunc(o.names, func(n assay.VulnID) bool { return slices.Contains(v.names, n) }) {
			return false
		}
		for _, h := range o.hits {
			if !slices.Contains(v.hits, h) {
				v.hits = append(v.hits, h)
			}
		}
		v.names = append(v.names, o.names...)
		slices.Sort(v.names)
		v.names = slices.Compact(v.names)
		return true
	}), v)
}

// advisories are the records with a verdict, sorted.
func (v *vulnerability) advisories(want verdict) []assay.VulnID {
	var out []assay.VulnID
	for _, h := range v.hits {
		if h.verdict == want {
			out = append(out, h.advisory)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// id is the name that most know a vulnerability by.
func (v *vulnerability) id(advisories []assay.VulnID) assay.VulnID {
	rank := func(id assay.VulnID) int {
		switch {
		case isCVE(id):
			return 0
		case strings.HasPrefix(string(id), "GHSA-"):
			return 1
		case slices.Contains(advisories, id):
			return 2
		}
		return 3
	}
	return slices.MinFunc(v.names, func(a, b assay.VulnID) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
}

func isCVE(id assay.VulnID) bool { return strings.HasPrefix(string(id), "CVE-") }

// record reads a record without its rows, nil if there is none.
func (m *worker) record(ctx context.Context, id assay.VulnID) (*Advisory, error) {
	if a, ok := m.records[id]; ok {
		return a, nil
	}
	a, err := m.db.Advisory(ctx, id)
	if err != nil {
		return nil, err
	}
	m.records[id] = a
	return a, nil
}

// vulnerabilities gives the names of each vulnerability that a record is about: its
// own, or those that it is downstream of. A distribution's record about one
// vulnerability is another name of that; one about several is none of them.
func (m *worker) vulnerabilities(ctx context.Context, id assay.VulnID) ([][]assay.VulnID, error) {
	a, err := m.record(ctx, id)
	if err != nil {
		return nil, err
	}
	if a == nil || len(a.Upstream) == 0 || isCVE(id) {
		names, err := m.names(ctx, id)
		return [][]assay.VulnID{names}, err
	}
	var out [][]assay.VulnID
	for _, up := range a.Upstream {
		names, err := m.names(ctx, up)
		if err != nil {
			return nil, err
		}
		out = append(out, names)
	}
	// Names of the same vulnerability may stand beside each other.
	var one []*vulnerability
	for _, names := range out {
		one = join(one, &vulnerability{names: names})
	}
	if len(one) == 1 {
		own, err := m.names(ctx, id)
		if err != nil {
			return nil, err
		}
		one[0].names = append(one[0].names, own...)
	}
	out = out[:0]
	for _, v := range one {
		slices.Sort(v.names)
		out = append(out, slices.Compact(v.names))
	}
	return out, nil
}

// names follows the aliases of a vulnerability, in whatever circles they lead, and
// where a record is downstream of one vulnerability that.
func (m *worker) names(ctx context.Context, id assay.VulnID) ([]assay.VulnID, error) {
	names := []assay.VulnID{id}
	for i := 0; i < len(names); i++ {
		a, err := m.record(ctx, names[i])
		if err != nil {
			return nil, err
		}
		if a == nil {
			continue
		}
		more := a.Aliases
		if len(a.Upstream) == 1 && !isCVE(a.ID) {
			more = slices.Concat(more, a.Upstream)
		}
		for _, n := range more {
			if len(names) < maxNames && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// finding joins what the records say of a vulnerability.
func (m *worker) finding(ctx context.Context, v *vulnerability, advisories []assay.VulnID) (assay.Finding, error) {
	id := v.id(advisories)
	f := assay.Finding{Vulnerability: assay.Vulnerability{ID: id}, Advisories: advisories}
	for _, n := range v.names {
		if n != id {
			f.Vulnerability.Aliases = append(f.Vulnerability.Aliases, n)
		}
	}
	told := slices.Concat(advisories, v.names)
	slices.Sort(told)
	for _, n := range slices.Compact(told) {
		a, err := m.record(ctx, n)
		if err != nil {
			return f, err
		}
		if a == nil || !a.Withdrawn.IsZero() && !a.Withdrawn.After(m.now) {
			continue
		}
		f.Published = earlier(f.Published, a.Published)
		if f.Exploited == nil || a.Exploited != nil && a.Exploited.Due.Before(f.Exploited.Due) {
			f.Exploited = a.Exploited
		}
		f.Severities = append(f.Severities, v.severities(a)...)
	}
	f.Severities = sortSeverities(f.Severities)
	f.Imports = v.imports()
	fix, err := m.fix(ctx, v)
	f.Fix = fix
	return f, err
}

// severities are those of the rows that include the component, or else the record's.
func (v *vulnerability) severities(a *Advisory) []assay.Severity {
	var out []assay.Severity
	for _, h := range v.hits {
		if h.advisory != a.ID {
			continue
		}
		for _, row := range h.matched {
			out = append(out, row.Severities...)
		}
	}
	if len(out) == 0 {
		out = a.Severities
	}
	return out
}

// sortSeverities scores vectors that have no score, and sorts. What cannot be scored
// stays as it is.
func sortSeverities(all []assay.Severity) []assay.Severity {
	for i, s := range all {
		if rated, err := severity.Rate(s); err == nil {
			all[i] = rated
		}
	}
	slices.SortFunc(all, func(a, b assay.Severity) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Vector, b.Vector), cmp.Compare(a.Score, b.Score), cmp.Compare(a.Rating, b.Rating))
	})
	return slices.Compact(all)
}

// fix joins what the records say of a fix: the highest of their versions, because
// before it one of them still includes the component, and since when it is there, the
// earliest that is told of that version. A record that knows no fix does not undo what
// another knows.
func (m *worker) fix(ctx context.Context, v *vulnerability) (assay.Fix, error) {
	var out assay.Fix
	var best version.Version
	for _, h := range v.hits {
		if h.verdict != affected {
			continue
		}
		a, err := m.record(ctx, h.advisory)
		if err != nil {
			return assay.Fix{}, err
		}
		fix := h.fix
		if a != nil {
			if fix.Version != "" && (a.Fix.Version == "" || a.Fix.Version == fix.Version) {
				fix.Available, fix.AvailableBy = a.Fix.Available, a.Fix.AvailableBy
			}
			if fix.Version == "" && a.Fix.State != assay.FixUnknown && a.Fix.State != assay.FixAvailable {
				fix.State = a.Fix.State
			}
		}
		switch {
		case fix.Version == "":
			if out.Version == "" && fixRank(fix.State) > fixRank(out.State) {
				out.State = fix.State
			}
		case out.Version == "":
			out, best = fix, h.fixed
		case fix.Version == out.Version:
			if !fix.Available.IsZero() && (out.Available.IsZero() || fix.Available.Before(out.Available)) {
				out.Available, out.AvailableBy = fix.Available, fix.AvailableBy
			}
		case best.Order == h.fixed.Order:
			if d, err := h.fixed.Compare(&best); err == nil && (d > 0 || d == 0 && fix.Version < out.Version) {
				out, best = fix, h.fixed
			}
		case fix.Version < out.Version: // of two orders: one of them, always the same
			out, best = fix, h.fixed
		}
	}
	return out, nil
}

// fixRank orders what is said where no version is named: that a fix is refused says
// more than that there is none.
func fixRank(s assay.FixState) int {
	switch s {
	case assay.FixRefused:
		return 2
	case assay.FixNone:
		return 1
	}
	return 0
}
