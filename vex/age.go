package vex

import (
	"slices"
	"time"

	"github.com/assaykit/assay"
)

// Ages are how long a status may go without being stated anew. OpenVEX has no
// expiry, so these are the reader's own policy. Zero is no limit.
type Ages struct {
	UnderInvestigation, Affected, NotAffected, Fixed time.Duration
}

func (a Ages) of(s assay.Status) time.Duration {
	switch s {
	case assay.UnderInvestigation:
		return a.UnderInvestigation
	case assay.Affected:
		return a.Affected
	case assay.NotAffected:
		return a.NotAffected
	case assay.Fixed:
		return a.Fixed
	}
	return 0
}

// Stale is a statement that still counts and should have been renewed or followed up.
type Stale struct {
	Entry Entry
	// Since is when it became stale: its time and the greatest age.
	Since time.Time
}

// Expired reports whether the statement that counts is older at that time than its
// status may be, and since when. Whoever decides on the answer then has to take the
// status for unknown; an older statement is no better, so none comes in its place.
// An age reached to the instant is not exceeded.
func (a Answer) Expired(most Ages, at time.Time) (since time.Time, expired bool) {
	limit := most.of(a.Status)
	if limit <= 0 || a.Source.Document == nil {
		return time.Time{}, false
	}
	since = a.Source.Time.Add(limit)
	return since, at.After(since)
}

// Stale lists the statements that count for one of their own products, as of the time
// of the timeline, and are older than their status may be; the longest stale first,
// then by document, version, author and index.
func (t *Timeline) Stale(most Ages) []Stale {
	var out []Stale
	t.each(func(e Entry) {
		limit := most.of(e.Statement().Status)
		if limit <= 0 || !t.at.After(e.Time.Add(limit)) || !t.counts(e) {
			return
		}
		out = append(out, Stale{e, e.Time.Add(limit)})
	})
	slices.SortFunc(out, func(a, b Stale) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return compareEntries(a.Entry, b.Entry)
	})
	return out
}

// Contradictions lists the statements that disagree on one of their own products, as
// [StatusOf] defines it, each pair once, in the order of the statements that count.
func (t *Timeline) Contradictions() []Contradiction {
	type key struct {
		a, b         *assay.VEX
		aIndex, bInd int
	}
	seen := map[key]bool{}
	var out []Contradiction
	t.each(func(e Entry) {
		for _, p := range e.Statement().Products {
			for _, c := range t.Status(p, assay.Vulnerability{ID: e.Statement().Vulnerability.ID}).Contradictions {
				k := key{c.Counts.Document, c.Other.Document, c.Counts.Index, c.Other.Index}
				if !seen[k] {
					seen[k] = true
					out = append(out, c)
				}
			}
		}
	})
	slices.SortStableFunc(out, func(a, b Contradiction) int {
		if c := compareEntries(a.Counts, b.Counts); c != 0 {
			return c
		}
		return compareEntries(a.Other, b.Other)
	})
	return out
}

// each visits every statement that holds at the time of the timeline once.
func (t *Timeline) each(visit func(Entry)) {
	for _, b := range t.named {
		for _, e := range b.entries {
			visit(e)
		}
	}
}

// counts reports whether the statement is the last word on one of its products.
func (t *Timeline) counts(e Entry) bool {
	s := e.Statement()
	for _, p := range s.Products {
		src := t.Status(p, assay.Vulnerability{ID: s.Vulnerability.ID}).Source
		if src.Document == e.Document && src.Index == e.Index {
			return true
		}
	}
	return false
}
