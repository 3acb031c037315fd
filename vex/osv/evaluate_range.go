package osv

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/version"
)

// rangeError is about a range that cannot be read. An advisory with one is unknown.
func rangeError(field, value, bound string) error {
	return &assay.Error{Op: "read range", Kind: assay.ErrInvalid, Field: field, Value: value, Bound: bound, Rule: "OSV schema, affected[].ranges[]"}
}

// reading gives the subject's version in the order of a type of ranges.
func (s *subject) reading(t RangeType) (*reading, error) {
	switch t {
	case RangeSemVer:
		return &s.sem, nil
	case RangeEcosystem:
		return &s.own, nil
	}
	return nil, rangeError("type", string(t), "SEMVER, ECOSYSTEM or GIT")
}

// inRange decides by one range. Where the subject's version cannot be read, a range
// that begins before any version and never ends includes it all the same.
func (s *subject) inRange(r *Range) (bool, error) {
	own, err := s.reading(r.Type)
	if err != nil {
		return false, err
	}
	if len(r.Events) > 0 && !slices.ContainsFunc(r.Events, func(e Event) bool { return e != Event{Introduced, "0"} }) {
		return true, nil
	}
	if own.err != nil {
		return false, own.err
	}
	return s.includes(r, &own.version)
}

// includes is IncludedInRanges of the OSV schema's evaluation, of one range. The
// algorithm walks the events in order of their versions, and each that the version
// has reached decides until the next one does. So the last of these decides, which
// needs no sorting; of several at one version it is the last of the record.
func (s *subject) includes(r *Range, v *version.Version) (bool, error) {
	var last point
	var reached, begins, limited, within bool
	for _, e := range r.Events {
		p, err := s.point(e, v.Order)
		if err != nil {
			return false, err
		}
		begins = begins || e.Kind == Introduced
		d := +1 // of v relative to the event
		if !p.first && !p.infinite {
			if d, err = v.Compare(&p.version); err != nil {
				return false, err
			}
		}
		switch {
		case e.Kind == Limit:
			limited = true
			within = within || p.infinite || d < 0
			continue
		case d < 0, d == 0 && e.Kind == LastAffected:
			continue
		}
		after := true
		if reached {
			if after, err = last.notAfter(&p); err != nil {
				return false, err
			}
		}
		if after {
			last, reached = p, true
		}
	}
	if !begins {
		return false, rangeError("events", "", "an introduced event")
	}
	return reached && last.kind == Introduced && (!limited || within), nil
}

// point is an event whose version was read.
type point struct {
	kind    EventKind
	version version.Version
	// first is before any version, and infinite after all of them.
	first, infinite bool
	// loose is a version that the order has a place for and the ecosystem does not
	// allow.
	loose bool
}

// notAfter reports whether p is before o, or at the same version.
func (p *point) notAfter(o *point) (bool, error) {
	switch {
	case p.first:
		return true, nil
	case o.first:
		return false, nil
	case p.loose && o.loose:
		return false, rangeError("events", p.version.Text, "a version that has a place beside "+o.version.Text)
	}
	d, err := p.version.Compare(&o.version)
	return d <= 0, err
}

// point reads an event. Alpine's records have old versions that apk itself does not
// take, such as 1.8.31p1-r0: beside a version that it does, their place is clear.
func (s *subject) point(e Event, o version.Order) (point, error) {
	p := point{kind: e.Kind}
	switch e.Kind {
	case Introduced:
		p.first = e.Version == "0"
	case Limit:
		p.infinite = strings.Contains(e.Version, "*")
	case Fixed, LastAffected:
	default:
		return p, rangeError("events", string(e.Kind), "introduced, fixed, last_affected or limit")
	}
	if p.first || p.infinite {
		return p, nil
	}
	text := e.Version
	if o == version.SemVer {
		text = s.spelled(text)
	}
	var err error
	p.version, err = version.ParseStrict(o, text)
	if err != nil && o == version.Alpine && text != "" && version.IsDigit(text[0]) {
		p.loose = true
		p.version, err = version.Parse(o, text)
	}
	return p, err
}

// fix finds the smallest fixed version above the subject's in the ranges that include
// it, which is not included in one of the advisory's ranges again. A range that
// includes the subject and has no end says that there is none.
func (s *subject) fix(rows []*Affected) (assay.Fix, version.Version) {
	var best version.Version
	var out assay.Fix
	for _, row := range rows {
		for i := range row.Ranges {
			r := &row.Ranges[i]
			if in, err := s.inRange(r); r.Type == RangeGit || err != nil || !in {
				continue
			}
			own, _ := s.reading(r.Type)
			ends := false
			for _, e := range r.Events {
				p, err := s.point(e, own.version.Order)
				if err != nil || own.err != nil || e.Kind == Introduced || p.infinite {
					continue
				}
				if d, err := own.version.Compare(&p.version); err != nil || d > 0 || d == 0 && e.Kind != LastAffected {
					continue
				}
				ends = true
				if e.Kind != Fixed || p.loose || s.reintroduced(rows, r.Type, &p.version) {
					continue
				}
				if out.Version != "" {
					// Of ranges in two orders the first is as good as the other.
					if best.Order != p.version.Order {
						continue
					}
					if d, err := best.Compare(&p.version); err != nil || d <= 0 {
						continue
					}
				}
				best = p.version
				out = assay.Fix{Version: e.Version, State: assay.FixAvailable}
			}
			if !ends && out.Version == "" {
				out.State = assay.FixNone
			}
		}
	}
	return out, best
}

// reintroduced reports whether a version is in a range of the same type of the
// advisory, or it cannot be told that it is not.
func (s *subject) reintroduced(rows []*Affected, t RangeType, v *version.Version) bool {
	for _, row := range rows {
		for i := range row.Ranges {
			if r := &row.Ranges[i]; r.Type == t {
				if in, err := s.includes(r, v); in || err != nil {
					return true
				}
			}
		}
	}
	return false
}
