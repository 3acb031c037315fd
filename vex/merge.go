package vex

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
)

// Merged is what [Merge] makes of many documents.
type Merged struct {
	// Documents has one for each author, by author and role.
	Documents []*assay.VEX
	// Superseded are documents of which a higher version is there too.
	Superseded []*assay.VEX
	// Repeated are statements left out because they say what another does.
	Repeated []Entry
	// Contradictions are those of the whole set at the time of its newest document.
	Contradictions []Contradiction
}

// Merge brings many documents down to one for each author. OpenVEX has one author for
// all statements of a document, who answers for them: in one document, the words of
// all but one author would become another's. [Compile] makes that step where it is
// wanted, and says whose words they were.
//
// Of several versions of one document the highest counts, as in [StatusOf]. Of
// statements of one author that are equal, one stays. Of a run of statements that
// differ in their times only, with nothing else of that author on the same
// vulnerability in between, the first and the last stay, so that the status at every
// time is what it was, and so is its age at the end. Statement identifiers and
// versions are no difference; of those, that of the lowest document identifier stays.
// A document that is its author's only one stays as it is, repetitions aside.
//
// A merged document is new: its identifier is derived from its content, below
// Options.Base, its version is 1, and its time that of the newest document merged, or
// Options.Time. Options.ID must be empty, and Options.Role too: a role is the author's
// own. The result does not depend on the order of the documents. Every document is
// held to the rules ([Validate]) before and after.
func Merge(docs []*assay.VEX, o Options) (*Merged, error) {
	if o.ID != "" || o.Role != "" {
		e := broken(2, "options", o.ID+o.Role, "no identifier and no role, because there is a document for each author")
		e.Op = "merge OpenVEX"
		return nil, e
	}
	set, err := prepare(docs)
	if err != nil {
		return nil, err
	}
	m := &Merged{Superseded: set.superseded}
	for len(set.docs) > 0 {
		first := set.docs[0]
		n := slices.IndexFunc(set.docs, func(v *assay.VEX) bool { return v.Author != first.Author || v.AuthorRole != first.AuthorRole })
		if n < 0 {
			n = len(set.docs)
		}
		entries, repeated := reduce(set.docs[:n])
		m.Repeated = append(m.Repeated, repeated...)
		if n == 1 && len(repeated) == 0 {
			m.Documents = append(m.Documents, clone(first))
		} else {
			v, e := assemble(first.Author, first.AuthorRole, set.docs[:n], entries, o, nil)
			if e != nil {
				e.Op = "merge OpenVEX"
				return nil, e
			}
			m.Documents = append(m.Documents, v)
		}
		set.docs = set.docs[n:]
	}
	m.Contradictions = set.without(m.Repeated)
	return m, nil
}

// Compile makes one document of many in the name of author, who then answers for all
// of it: every statement of somebody else begins its status notes with who made it
// and where, such as "Stated by security@example.com in https://example.com/vex/1
// version 2." Statements of different authors stay apart, also where they say the
// same, and so do those who contradict each other. Otherwise it is as [Merge]; the
// options are those of [New], and may name an identifier.
//
// A compilation is for people, and for tools that take one file. Programs that decide
// by author want the documents of [Merge].
func Compile(author string, docs []*assay.VEX, o Options) (*assay.VEX, []Contradiction, error) {
	set, err := prepare(docs)
	if err != nil {
		return nil, nil, err
	}
	var entries, repeated []Entry
	all := set.docs
	for rest := all; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(v *assay.VEX) bool { return v.Author != rest[0].Author })
		if n < 0 {
			n = len(rest)
		}
		kept, again := reduce(rest[:n])
		entries, repeated = append(entries, kept...), append(repeated, again...)
		rest = rest[n:]
	}
	v, e := assemble(author, o.Role, all, entries, o, func(s *assay.VEXStatement, doc *assay.VEX) {
		if doc.Author == author {
			return
		}
		note := "Stated by " + doc.Author + " in " + doc.ID + " version " + strconv.Itoa(doc.Version) + "."
		if s.StatusNotes != "" {
			note += " " + s.StatusNotes
		}
		s.StatusNotes = note
	})
	if e != nil {
		e.Op = "compile OpenVEX"
		return nil, nil, e
	}
	return v, set.without(repeated), nil
}

type mergeSet struct {
	docs, superseded []*assay.VEX // by author, role, identifier, version
	contradictions   []Contradiction
}

// without leaves out the contradictions of statements that are themselves left out:
// the one that stays in their place has them as well.
func (s *mergeSet) without(repeated []Entry) []Contradiction {
	gone := func(e Entry) bool {
		return slices.ContainsFunc(repeated, func(r Entry) bool { return r.Document == e.Document && r.Index == e.Index })
	}
	return slices.DeleteFunc(s.contradictions, func(c Contradiction) bool { return gone(c.Counts) || gone(c.Other) })
}

// prepare checks, normalizes copies, sorts, and takes out what is superseded.
func prepare(docs []*assay.VEX) (*mergeSet, error) {
	var all []*assay.VEX
	for _, v := range docs {
		if v == nil {
			continue
		}
		if err := Validate(v); err != nil {
			return nil, err
		}
		v = clone(v)
		normalize(v)
		all = append(all, v)
	}
	if len(all) == 0 {
		e := broken(6, "/statements", "", "at least one document")
		e.Op = "merge OpenVEX"
		return nil, e
	}
	slices.SortFunc(all, func(a, b *assay.VEX) int {
		if c := cmp.Or(cmp.Compare(a.Author, b.Author), cmp.Compare(a.AuthorRole, b.AuthorRole), cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.Version, b.Version)); c != 0 {
			return c
		}
		return cmp.Compare(documentKey(a), documentKey(b))
	})
	at := issued(all)
	set := &mergeSet{docs: current(all, at)}
	for _, v := range all {
		if !slices.ContainsFunc(set.docs, func(o *assay.VEX) bool {
			return o == v || o.ID == v.ID && o.Author == v.Author && o.Version == v.Version
		}) {
			set.superseded = append(set.superseded, v)
		}
	}
	set.contradictions = NewTimeline(set.docs, at).Contradictions()
	return set, nil
}

// documentKey tells documents apart that claim to be the same version of one.
func documentKey(v *assay.VEX) string {
	k := formatTime(v.Timestamp) + formatTime(v.LastUpdated) + v.Tooling
	for i := range v.Statements {
		k += statementKey(&v.Statements[i])
	}
	return k
}

// issued is the newest time that any document or statement bears.
func issued(docs []*assay.VEX) time.Time {
	var t time.Time
	for _, v := range docs {
		t = latest(t, latest(v.Timestamp, v.LastUpdated))
		for i := range v.Statements {
			t = latest(t, latest(v.Statements[i].Timestamp, v.Statements[i].LastUpdated))
		}
	}
	return t
}

// reduce takes repetitions out of the statements of one author, which it gives by
// time.
func reduce(docs []*assay.VEX) (kept, repeated []Entry) {
	var all []Entry
	for _, v := range docs {
		for i := range v.Statements {
			s := &v.Statements[i]
			all = append(all, Entry{Document: v, Index: i, Time: latest(s.Timestamp, s.LastUpdated)})
		}
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	type run struct{ first, last int } // indexes of all; last is -1 for a run of one
	runs := map[string]*run{}
	latestOn := map[assay.VulnID]string{} // the statement last made on it
	drop := make([]bool, len(all))
	for i, e := range all {
		s := e.Statement()
		key := wordsKey(s)
		r := runs[key]
		if r != nil {
			switch prev := all[max(r.first, r.last)].Statement(); {
			case sameTimes(prev, s):
				drop[i] = true
				continue
			case !undisturbed(latestOn, s, key) || !prev.LastUpdated.Equal(s.LastUpdated):
				r = nil
			}
		}
		if r == nil {
			runs[key] = &run{i, -1}
		} else {
			if r.last >= 0 {
				drop[r.last] = true
			}
			r.last = i
		}
		for _, id := range append([]assay.VulnID{s.Vulnerability.ID}, s.Vulnerability.Aliases...) {
			latestOn[id] = key
		}
	}
	for i, e := range all {
		if drop[i] {
			repeated = append(repeated, e)
		} else {
			kept = append(kept, e)
		}
	}
	return kept, repeated
}

func undisturbed(latestOn map[assay.VulnID]string, s *assay.VEXStatement, key string) bool {
	if latestOn[s.Vulnerability.ID] != key {
		return false
	}
	return !slices.ContainsFunc(s.Vulnerability.Aliases, func(a assay.VulnID) bool { return latestOn[a] != key })
}

func sameTimes(a, b *assay.VEXStatement) bool {
	return a.Timestamp.Equal(b.Timestamp) && a.LastUpdated.Equal(b.LastUpdated)
}

// wordsKey is what a statement says, whenever and under whatever name.
func wordsKey(s *assay.VEXStatement) string {
	c := *s
	c.ID, c.Version, c.Timestamp, c.LastUpdated = "", 0, time.Time{}, time.Time{}
	return statementKey(&c)
}

// assemble makes the document.
func assemble(author, role string, docs []*assay.VEX, entries []Entry, o Options, edit func(*assay.VEXStatement, *assay.VEX)) (*assay.VEX, *assay.Error) {
	t := o.Time.UTC().Round(0)
	if o.Time.IsZero() {
		t = issued(docs)
	}
	v := &assay.VEX{ID: o.ID, Author: author, AuthorRole: role, Timestamp: t, Version: 1, Tooling: o.Tooling, Format: format020}
	derive := v.ID == ""
	if derive {
		var e *assay.Error
		if v.ID, e = baseIRI(o.Base); e != nil {
			return nil, e
		}
	}
	named := map[string]bool{}
	for _, en := range entries {
		s := cloneStatement(en.Statement())
		if named[s.ID] {
			s.ID, s.Version = "", 0 // an identifier names one statement
		}
		if s.ID != "" {
			named[s.ID] = true
		}
		if edit != nil {
			edit(&s, en.Document)
		}
		v.Statements = append(v.Statements, s)
	}
	if e := (&checker{complete: true}).document(v); e != nil {
		return nil, e
	}
	normalize(v)
	if derive {
		return v, deriveID(v)
	}
	return v, nil
}
