package vex

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/assaykit/assay"
)

// Answer is what a set of documents says of a product and a vulnerability at a time.
type Answer struct {
	// Status is empty if nothing speaks to the question, or if Undecided has a statement
	// of affected or under_investigation that would count.
	Status assay.Status
	// Statement is the one that counts, enriched by earlier ones. See [StatusOf].
	Statement assay.VEXStatement
	// Source is where Statement is from. Its document is nil if there is none.
	Source Entry
	// History is every statement that speaks to the question, the oldest first; the
	// last is Source.
	History []Entry
	// Contradictions are the statements that disagree with the one that counts.
	Contradictions []Contradiction
	// Undecided are statements that may be about the product, because whether its version
	// is in their range cannot be told; the oldest first.
	Undecided []Entry
}

// Entry is a statement of a document.
type Entry struct {
	Document *assay.VEX
	// Index is the statement's in the document.
	Index int
	// Time is when it began to hold: its timestamp, or its last update if later,
	// because what it said before that is not known.
	Time time.Time
	// Match says how it is about the product that was asked about.
	Match Matching
}

// Statement gives the statement as the document has it.
func (e Entry) Statement() *assay.VEXStatement { return &e.Document.Statements[e.Index] }

// String gives one line.
func (e Entry) String() string {
	s := e.Statement()
	return fmt.Sprintf("%s %s %s (%s, /statements/%d of %s version %d, by %s)", s.Vulnerability.ID, s.Status, formatTime(e.Time),
		e.Match.Product, e.Index, e.Document.ID, e.Document.Version, e.Document.Author)
}

// Contradiction is two statements of which one must be wrong.
type Contradiction struct {
	// Counts is the statement that [StatusOf] went by.
	Counts Entry
	Other  Entry
	// SameTime: both are of the same time. Otherwise it is the last word of another
	// author, who never took it back.
	SameTime bool
}

// String gives one line.
func (c Contradiction) String() string {
	if c.SameTime {
		return "at the same time: " + c.Counts.String() + "; " + c.Other.String()
	}
	return "authors disagree: " + c.Counts.String() + "; " + c.Other.String()
}

// StatusOf says what the documents say of the product and the vulnerability at a
// time. It is a function of the set of documents: their order does not matter. The
// caller vouches for them: every document counts the same here, so give only those
// whose authors may speak about the product.
//
// A statement speaks to the question if [Match] finds one of its products to be the
// one asked about; if its vulnerability's name is the ID or an alias asked about, or
// the ID asked about is its alias; and if it held at that time, see [Entry]. That two
// vulnerabilities share an alias joins nothing: a distribution's advisory is an alias
// of every CVE that it is about.
//
// Of several versions of one document, by identifier and author, the highest that
// was issued by then counts, alone.
//
// The newest statement counts. Where several are of the same time the worst status
// does, in the order affected, under_investigation, fixed, not_affected; a statement
// about a part is no better than one about the whole. Ties that are left are broken
// by document ID, version, author and index. A different status at the same time
// is a contradiction; so is a last word of another author of affected against fixed
// or not_affected, or the reverse.
//
// A statement whose version range cannot be decided on ([Match]) closes nothing, and one
// of affected or under_investigation that would count leaves the status open: it is in
// Undecided, and the status is empty.
//
// What the statement that counts leaves empty is taken from earlier ones, the newest
// first: description, IRI and further aliases of the vulnerability, and the supplier;
// notes, justification, impact and action (with its time) only from statements of the
// same status, up to the newest of another.
func StatusOf(docs []*assay.VEX, product assay.Product, vulnerability assay.Vulnerability, at time.Time) Answer {
	return NewTimeline(docs, at).Status(product, vulnerability)
}

// Timeline is a set of documents as of a time, indexed for many questions. It does
// not change, and may be shared.
type Timeline struct {
	at    time.Time
	named map[assay.VulnID]*bucket // by the vulnerability's name; Match is not set
	alias map[assay.VulnID]*bucket // by aliases that are not the name
}

// NewTimeline indexes the documents, which must not be changed afterwards.
func NewTimeline(docs []*assay.VEX, at time.Time) *Timeline {
	t := &Timeline{at.UTC(), map[assay.VulnID]*bucket{}, map[assay.VulnID]*bucket{}}
	for _, doc := range current(docs, at) {
		for i := range doc.Statements {
			s := &doc.Statements[i]
			since := latest(s.Timestamp, s.LastUpdated)
			if s.Timestamp.IsZero() || since.After(at) {
				continue
			}
			e := Entry{Document: doc, Index: i, Time: since.UTC()}
			put(t.named, s.Vulnerability.ID, e)
			for _, a := range s.Vulnerability.Aliases {
				if a != s.Vulnerability.ID {
					put(t.alias, a, e)
				}
			}
		}
	}
	for _, m := range []map[assay.VulnID]*bucket{t.named, t.alias} {
		for _, b := range m {
			b.index()
		}
	}
	return t
}

// At is the time that the timeline is as of, in UTC.
func (t *Timeline) At() time.Time { return t.at }

// Status answers one question, as [StatusOf] does.
func (t *Timeline) Status(product assay.Product, vulnerability assay.Vulnerability) Answer {
	// One step along aliases, never two.
	asked := append([]assay.VulnID{vulnerability.ID}, vulnerability.Aliases...)
	slices.Sort(asked)
	var about []Entry
	keys := keysOf(product, true)
	for _, id := range slices.Compact(asked) {
		about = append(about, t.named[id].candidates(keys)...)
	}
	for _, e := range t.alias[vulnerability.ID].candidates(keys) {
		if !vulnerability.Is(e.Statement().Vulnerability.ID) {
			about = append(about, e)
		}
	}
	var entries, undecided []Entry
	for _, e := range about {
		unsure := false
		for _, p := range e.Statement().Products {
			m := Match(p, product)
			if m.OK() && (rank(m.Product) > rank(e.Match.Product) || m.Product == e.Match.Product && rank(m.Component) > rank(e.Match.Component)) {
				e.Match = m
			}
			unsure = unsure || m.Undecided
		}
		switch {
		case e.Match.OK():
			entries = append(entries, e)
		case unsure:
			e.Match.Undecided = true
			undecided = append(undecided, e)
		}
	}
	slices.SortFunc(entries, compareEntries)
	slices.SortFunc(undecided, compareEntries)
	if len(entries) == 0 {
		return Answer{Undecided: undecided}
	}
	win := entries[len(entries)-1]
	if !settled(win.Statement().Status) {
		undecided = nil // it cannot get worse than it may be
	}
	for _, e := range undecided {
		if !settled(e.Statement().Status) && compareEntries(e, win) > 0 {
			return Answer{Undecided: undecided}
		}
	}
	return Answer{
		Status: win.Statement().Status, Statement: enrich(entries), Source: win,
		History: entries, Contradictions: contradictions(entries), Undecided: undecided,
	}
}

// open reports whether a statement that may be about the product leaves the status open.
func (a Answer) open() bool {
	return a.Status == "" && slices.ContainsFunc(a.Undecided, func(e Entry) bool { return !settled(e.Statement().Status) })
}

// settled reports whether the status says that nothing is to be done.
func settled(s assay.Status) bool { return s == assay.Fixed || s == assay.NotAffected }

// current leaves out repetitions and superseded versions.
func current(docs []*assay.VEX, at time.Time) []*assay.VEX {
	issued := func(v *assay.VEX) bool { return !latest(v.Timestamp, v.LastUpdated).After(at) }
	type key struct{ id, author string }
	newest := map[key]int{}
	for _, v := range docs {
		if v != nil && issued(v) {
			k := key{v.ID, v.Author}
			newest[k] = max(newest[k], v.Version)
		}
	}
	var out []*assay.VEX
	for _, v := range docs {
		if v == nil {
			continue
		}
		if n, ok := newest[key{v.ID, v.Author}]; ok && (!issued(v) || v.Version != n) {
			continue
		}
		if !slices.ContainsFunc(out, func(o *assay.VEX) bool { return o == v || o.ID == v.ID && reflect.DeepEqual(o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

// severity orders statuses from good to bad.
func severity(s assay.Status) int {
	return slices.Index([]assay.Status{assay.NotAffected, assay.Fixed, assay.UnderInvestigation, assay.Affected}, s)
}

func compareEntries(a, b Entry) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(severity(a.Statement().Status), severity(b.Statement().Status)),
		cmp.Compare(a.Document.ID, b.Document.ID), cmp.Compare(a.Document.Version, b.Document.Version),
		cmp.Compare(a.Document.Author, b.Document.Author), cmp.Compare(a.Index, b.Index),
		// Two documents that claim to be the same version of the same one.
		cmp.Compare(statementKey(a.Statement()), statementKey(b.Statement())))
}

func contradictions(entries []Entry) []Contradiction {
	win := entries[len(entries)-1]
	status := win.Statement().Status
	var out []Contradiction
	spoken := map[string]bool{win.Document.Author: true}
	for _, e := range slices.Backward(entries[:len(entries)-1]) {
		other := e.Statement().Status
		tie := e.Time.Equal(win.Time)
		first := !spoken[e.Document.Author]
		spoken[e.Document.Author] = true
		if tie && other != status || !tie && first && opposed(status, other) {
			out = append(out, Contradiction{win, e, tie})
		}
	}
	return out
}

// opposed: an investigation that ended contradicts nothing.
func opposed(a, b assay.Status) bool {
	return a == assay.Affected && settled(b) || settled(a) && b == assay.Affected
}

func enrich(entries []Entry) assay.VEXStatement {
	s := cloneStatement(entries[len(entries)-1].Statement())
	fill := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	same := true
	for _, e := range slices.Backward(entries[:len(entries)-1]) {
		o := e.Statement()
		if o.Vulnerability.ID == s.Vulnerability.ID {
			fill(&s.Vulnerability.Description, o.Vulnerability.Description)
			fill(&s.Vulnerability.IRI, o.Vulnerability.IRI)
			s.Vulnerability.Aliases = append(s.Vulnerability.Aliases, o.Vulnerability.Aliases...)
		}
		fill(&s.Supplier, o.Supplier)
		if same = same && o.Status == s.Status; !same {
			continue
		}
		fill(&s.StatusNotes, o.StatusNotes)
		fill((*string)(&s.Justification), string(o.Justification))
		fill(&s.ImpactStatement, o.ImpactStatement)
		if s.ActionStatement == "" {
			s.ActionStatement, s.ActionStatementTimestamp = o.ActionStatement, o.ActionStatementTimestamp
		}
	}
	s.Vulnerability.Aliases = slices.Compact(sorted(s.Vulnerability.Aliases, cmp.Compare[assay.VulnID]))
	return s
}
