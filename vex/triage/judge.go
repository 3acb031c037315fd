package triage

import (
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// verdict is what one way's statement comes to.
type verdict struct {
	state   State
	reason  Reason
	detail  string
	checked assay.State
	stale   time.Time
}

// judge holds the statement of one way against what is known of the component.
func (t *triager) judge(f assay.Finding, c *assay.Component, w vex.Way) verdict {
	a := w.Answer
	s := &a.Statement
	by := "by " + a.Source.Document.Author + " in " + a.Source.Document.ID
	since, expired := a.Expired(t.o.Ages, t.line.At())
	v := verdict{reason: Stated}
	if expired {
		v.stale = since
	}
	switch a.Status {
	case assay.Affected:
		v.state, v.reason, v.detail = Open, StatedAffected, "stated to be affected "+by
		return v
	case assay.UnderInvestigation:
		v.state, v.detail = UnderInvestigation, "under investigation "+by
		if expired {
			v.detail += ", overdue since " + since.UTC().Format(time.RFC3339)
		}
		return v
	case assay.Fixed:
		v.state, v.detail = Fixed, "stated to be fixed "+by
		if !t.backport(c, w) {
			v.state, v.reason, v.checked = Contradicted, StillAffected, assay.Refuted
			v.detail = "stated to be fixed " + by + ", but the version is affected, and the statement is not about a backport"
		}
	case assay.NotAffected:
		v = t.notAffected(f, c, w, v)
		v.detail += " " + by
	}
	if v.state == Contradicted {
		return v
	}
	for _, c := range a.Contradictions {
		if c.Other.Statement().Status == assay.Affected {
			v.state, v.reason, v.checked = Contradicted, AuthorsDisagree, assay.Unknown
			v.detail = "stated to be " + string(s.Status) + " " + by + ", and to be affected by " + c.Other.Document.Author + " in " + c.Other.Document.ID
			return v
		}
	}
	if expired {
		v.state, v.reason = Unknown, Expired
		v.detail = "the statement " + by + " expired on " + since.UTC().Format(time.RFC3339)
	}
	return v
}

// notAffected holds a justification against the contents and the reachable code.
func (t *triager) notAffected(f assay.Finding, c *assay.Component, w vex.Way, v verdict) verdict {
	s := &w.Answer.Statement
	v.state, v.detail = NotAffected, "not affected: "+string(s.Justification)
	switch s.Justification {
	case assay.ComponentNotPresent:
		where, state := t.present(f, c, w)
		switch state {
		case assay.Proven:
			v.state, v.reason, v.checked = Contradicted, ComponentPresent, assay.Refuted
			v.detail = "stated not to be present, but it is, " + where + ";"
		case assay.Refuted:
			v.checked = assay.Proven
		default:
			v.state, v.reason = Unknown, NotLookedUp
			v.detail = "stated not to be present, and nothing shows that it is not,"
		}
	case assay.VulnerableCodeNotPresent, assay.VulnerableCodeNotInExecutePath:
		switch f.Reachable {
		case assay.Proven:
			v.state, v.reason, v.checked = Contradicted, CodeReachable, assay.Refuted
			v.detail = string(s.Justification) + " is stated, but the code is reachable;"
		case assay.Refuted:
			v.checked = assay.Proven
		}
	case "":
		v.detail = "not affected: " + s.ImpactStatement
		if !t.o.FreeText {
			v.state, v.reason = Unknown, NoJustification
			v.detail = "stated not to be affected without a justification"
		}
	}
	return v
}

// backport reports whether a statement of fixed may stand against the finding.
func (t *triager) backport(c *assay.Component, w vex.Way) bool {
	asked := vex.ComponentProduct(*c)
	e := w.Answer.Source
	version := false
	for _, stated := range statedParts(w, c) {
		switch vex.Match(stated, asked).Product {
		case vex.ByDigest:
			return true
		case vex.ByPURL:
			version = version || stated.PURL.Version() != ""
		}
	}
	return version && (slices.Contains(t.o.Backporters, e.Document.Author) || t.shown.modified(c.ID))
}

// statedParts is what the statement of a way names as the component.
func statedParts(w vex.Way, c *assay.Component) []assay.Product {
	var out []assay.Product
	for _, p := range w.Answer.Source.Statement().Products {
		if len(p.Subcomponents) > 0 {
			out = append(out, p.Subcomponents...)
		} else if w.Product == c.ID {
			out = append(out, p)
		}
	}
	return out
}
