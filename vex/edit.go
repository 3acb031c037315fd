package vex

import (
	"strconv"
	"time"

	"github.com/assaykit/assay"
)

// Edit begins the next version of a document: the same identifier and author, one
// version more, issued now. The statements that are there stay as they are, with
// their own times (OPENVEX-SPEC.md, Updating Statements with Inherited Data; rule
// 12); what is added comes after them and overrides them by being later. That keeps
// the history, and is the way to give a new status. [Draft.Change] and [Draft.Drop]
// are for statements that were wrong from the start.
//
// Role and Tooling of the options replace the document's where they are set; ID and
// Base must be empty. [Draft.Build] refuses a draft that changes nothing, and a time
// before the document's last.
func Edit(doc *assay.VEX, o Options) *Draft {
	return &Draft{author: doc.Author, opts: o, base: clone(doc)}
}

// change is what happens to a statement of the document that is edited.
type change struct {
	index int
	edit  func(*assay.VEXStatement) // nil drops the statement
}

// Change corrects statement i of the document that [Edit] was given: edit changes a
// copy of it. The statement keeps its time, whatever edit does to that, and is last
// updated when the new version is issued; its own version, if it has one, is raised.
// An evaluation takes it to hold from then on only, because what it said before is
// no longer there. Several changes of one statement follow each other.
//
// [Draft.Build] refuses a change that leaves the statement as it was (rule 5), and an
// index that the document does not have (rule 6).
func (d *Draft) Change(i int, edit func(*assay.VEXStatement)) *Draft {
	d.changes = append(d.changes, change{i, edit})
	return d
}

// Drop takes statement i out of the document that [Edit] was given. Indexes of the
// others remain those of that document.
func (d *Draft) Drop(i int) *Draft {
	d.changes = append(d.changes, change{index: i})
	return d
}

func (d *Draft) successor(t time.Time) (*assay.VEX, *assay.Error) {
	switch {
	case d.opts.ID != "" || d.opts.Base != "":
		return nil, broken(5, "/@id", d.opts.ID+d.opts.Base, "no new identifier for a new version of a document")
	case len(d.claims) == 0 && len(d.changes) == 0:
		return nil, broken(5, "/version", strconv.Itoa(d.base.Version), "a change, to make a new version of")
	}
	last := latest(d.base.Timestamp, d.base.LastUpdated)
	if t.Before(last) {
		return nil, broken(4, "/timestamp", formatTime(t), "a time not before "+formatTime(last)+", when the document was last changed")
	}
	v := clone(d.base)
	if e := d.change(v, t); e != nil {
		return nil, e
	}
	v.Version++
	v.Timestamp, v.LastUpdated, v.Format = t, t, format020
	if d.opts.Role != "" {
		v.AuthorRole = d.opts.Role
	}
	if d.opts.Tooling != "" {
		v.Tooling = d.opts.Tooling
	}
	return v, nil
}

// change applies what was asked for to the copy v of the base.
func (d *Draft) change(v *assay.VEX, t time.Time) *assay.Error {
	dropped := make([]bool, len(v.Statements))
	touched := map[int]bool{}
	for _, c := range d.changes {
		at := "/statements/" + strconv.Itoa(c.index)
		if c.index < 0 || c.index >= len(v.Statements) || dropped[c.index] {
			return broken(6, at, "", "a statement of the document that is edited")
		}
		if c.edit == nil {
			dropped[c.index] = true
			continue
		}
		s := cloneStatement(&v.Statements[c.index])
		c.edit(&s)
		// What the caller left in the statement stays the caller's.
		v.Statements[c.index] = cloneStatement(&s)
		touched[c.index] = true
	}
	kept := v.Statements[:0]
	for i := range v.Statements {
		if dropped[i] {
			continue
		}
		s := &v.Statements[i]
		if touched[i] {
			was := &d.base.Statements[i]
			s.Timestamp, s.LastUpdated = was.Timestamp, was.LastUpdated
			if sameStatement(s, was) {
				return broken(5, "/statements/"+strconv.Itoa(i), string(s.Vulnerability.ID), "a change")
			}
			s.Vulnerability.ID = canonical(s.Vulnerability.ID)
			for j, a := range s.Vulnerability.Aliases {
				s.Vulnerability.Aliases[j] = canonical(a)
			}
			s.LastUpdated = t
			if was.Version > 0 && s.Version <= was.Version {
				s.Version = was.Version + 1
			}
		}
		kept = append(kept, *s)
	}
	v.Statements = kept
	return nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// CheckUpdate tells whether next is a fair successor of old, both as [Read] gives
// them: any change raises the version (rule 5), and a statement that is otherwise
// untouched keeps its time (rule 12), whether it is spelt out or inherited. A
// statement may be changed or dropped. Changing one that has an @id of its own and a
// version raises that version. A false update is [assay.ErrRefuted].
func CheckUpdate(old, next *assay.VEX) error {
	bad := func(e *assay.Error) error {
		e.Op, e.Subject, e.Kind = "check OpenVEX update", next.ID, assay.ErrRefuted
		return e
	}
	switch {
	case old.ID != next.ID:
		return bad(broken(2, "/@id", next.ID, old.ID))
	case old.Author != next.Author:
		return bad(broken(3, "/author", next.Author, old.Author))
	}
	a, b := clone(old), clone(next)
	normalize(a)
	normalize(b)
	if sameDocument(a, b) {
		return nil
	}
	if b.Version <= a.Version {
		return bad(broken(5, "/version", strconv.Itoa(b.Version), "more than "+strconv.Itoa(a.Version)+", because the content differs"))
	}
	// Statements are told apart by what they say without their times, and those
	// with an @id by it.
	timeless := func(s *assay.VEXStatement) string {
		c := *s
		c.Timestamp, c.LastUpdated = time.Time{}, time.Time{}
		return statementKey(&c)
	}
	times := map[string][]time.Time{}
	named := map[string]*assay.VEXStatement{}
	for i := range a.Statements {
		s := &a.Statements[i]
		times[timeless(s)] = append(times[timeless(s)], s.Timestamp)
		if _, twice := named[s.ID]; twice || s.ID == "" {
			s = nil // names no one statement
		}
		named[a.Statements[i].ID] = s
	}
	var moved []int
	for i := range b.Statements {
		s := &b.Statements[i]
		if was := named[s.ID]; was != nil && was.Version > 0 && s.Version <= was.Version && statementKey(s) != statementKey(was) {
			return bad(broken(5, "/statements/"+strconv.Itoa(i)+"/version", strconv.Itoa(s.Version),
				"more than "+strconv.Itoa(was.Version)+", because the statement differs"))
		}
		key := timeless(s)
		was, ok := times[key]
		if !ok {
			continue
		}
		found := false
		for j, t := range was {
			if found = t.Equal(s.Timestamp); found {
				times[key] = append(was[:j:j], was[j+1:]...)
				break
			}
		}
		if !found {
			moved = append(moved, i)
		}
	}
	// A repetition at a later time beside the original is a new statement; in place
	// of the original, it is the original with its time changed.
	for _, i := range moved {
		s := &b.Statements[i]
		if was := times[timeless(s)]; len(was) > 0 {
			return bad(broken(12, "/statements/"+strconv.Itoa(i)+"/timestamp", formatTime(s.Timestamp), formatTime(was[0])+", as before"))
		}
	}
	return nil
}
