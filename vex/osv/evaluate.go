package osv

import (
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/version"
)

// verdict is what an advisory says of a version.
type verdict int8

const (
	unaffected verdict = iota
	affected
	// unknown is neither: something that would decide could not be read.
	unknown
)

// evaluation is what the rows of an advisory say of a version.
type evaluation struct {
	verdict verdict
	// reason names what could not be read, of unknown.
	reason string
	// matched are the rows by which the version is affected.
	matched []*Affected
	// fix is of the rows alone; fixed is its version, read.
	fix   assay.Fix
	fixed version.Version
}

// subject is the version that advisories are asked about, read once.
type subject struct {
	query *Query
	order version.Order
	own   reading // by the order of the ecosystem
	sem   reading // by SemVer, for ranges that say they are
	ready bool
}

// reading is a version, or why it is none.
type reading struct {
	version version.Version
	err     error
}

func (r *reading) read(o version.Order, ecosystem, text string) {
	if o == "" {
		r.err = version.Unordered(ecosystem)
		return
	}
	r.version, r.err = version.ParseStrict(o, text)
}

func (s *subject) prepare() {
	if s.ready {
		return
	}
	s.ready = true
	s.order = version.In(s.query.Ecosystem, s.query.Release)
	s.own.read(s.order, s.query.Ecosystem, s.query.Version)
	if s.order == version.SemVer {
		s.sem = s.own
	} else {
		s.sem.read(version.SemVer, s.query.Ecosystem, s.query.Version)
	}
}

// evaluate decides by the rows of one advisory, which are all about the package and
// release asked for (OSV schema, Evaluation). One row that includes the version is
// enough; a row that cannot be decided leaves the question open, unless another one
// includes the version.
func (s *subject) evaluate(rows []*Affected) evaluation {
	s.prepare()
	var out evaluation
	for _, row := range rows {
		v, reason := s.row(row)
		switch {
		case v == affected:
			out.matched = append(out.matched, row)
		case v == unknown && out.reason == "":
			out.reason = reason
		}
	}
	switch {
	case len(out.matched) > 0:
		out.verdict, out.reason = affected, ""
		out.fix, out.fixed = s.fix(rows)
	case out.reason != "":
		out.verdict = unknown
	}
	return out
}

// row decides by one row.
func (s *subject) row(row *Affected) (verdict, string) {
	if s.query.Version == "" {
		return unknown, "the component has no version"
	}
	// By the schema's algorithm a row that names neither versions nor ranges includes
	// nothing. It breaks the schema, which requires one of them, and names a package
	// as affected without saying where: that is no proof of anything.
	if len(row.Versions) == 0 && len(row.Ranges) == 0 {
		return unknown, "the advisory names no versions and no ranges of " + row.Name
	}
	result, reason := unaffected, ""
	decided := len(row.Versions) > 0
	for i := range row.Ranges {
		r := &row.Ranges[i]
		if r.Type == RangeGit {
			continue // versions have no place in the order of commits
		}
		decided = true
		in, err := s.inRange(r)
		switch {
		case in:
			result = affected
		case err != nil && result == unaffected:
			result, reason = unknown, err.Error()
		}
	}
	if result == affected || s.listed(row) {
		return affected, ""
	}
	if !decided {
		return unknown, "the advisory has ranges of commits only, of " + row.Name
	}
	// A list is decided by equality alone, but only of what is a version.
	if result == unaffected && s.own.err != nil && s.order != "" {
		return unknown, s.own.err.Error()
	}
	return result, reason
}

// listed reports whether the row's versions have the subject's, spelled the same or
// the same to the ecosystem. Where ranges say as much, the list is only the ranges
// written out, and what it has is spelled as the ecosystem spells it.
func (s *subject) listed(row *Affected) bool {
	v := s.query.Version
	if slices.Contains(row.Versions, v) {
		return true
	}
	ranged := slices.ContainsFunc(row.Ranges, func(r Range) bool { return r.Type != RangeGit })
	if ranged || s.own.err != nil {
		return false
	}
	return slices.ContainsFunc(row.Versions, func(text string) bool {
		w, err := version.Parse(s.order, s.spelled(text))
		if err != nil {
			return false
		}
		d, err := s.own.version.Compare(&w)
		return err == nil && d == 0
	})
}

// spelled gives a version of a record as the versions of queries are spelled.
func (s *subject) spelled(text string) string {
	if s.query.Ecosystem != "Go" && s.query.Ecosystem != "Kubernetes" {
		return text
	}
	if isGoItself(s.query.Name) && len(text) > 2 && text[:2] == "go" {
		return version.FromGoRelease(text)
	}
	return version.FromGo(text)
}
