package remediation

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

func (c *checker) entry(e *assay.RemediationEntry) *assay.Error {
	if err := c.names(e); err != nil {
		return err
	}
	if err := c.life(e); err != nil {
		return err
	}
	for _, d := range [...]struct {
		field string
		date  assay.Dated
	}{{"/published", e.Published}, {"/fix/available", e.Fix.Available}, {"/firstSeen", e.FirstSeen}, {"/lastSeen", e.LastSeen}, {"/firstClean", e.FirstClean}, {"/withdrawn", e.Withdrawn}} {
		if err := c.dated(d.field, d.date, true); err != nil {
			return err
		}
	}
	if !e.FirstSeen.IsZero() && !e.LastSeen.IsZero() && e.LastSeen.Time.Before(e.FirstSeen.Time) {
		return broken("R6", "/lastSeen/time", e.LastSeen.Time.String(), "not before it was first seen")
	}
	switch e.Fix.State {
	case assay.FixUnknown, assay.FixAvailable, assay.FixNone, assay.FixRefused:
	default:
		return broken("R6", "/fix/state", string(e.Fix.State), "fixed, not-fixed or wont-fix")
	}
	for i := range e.Severities {
		if err := c.severity(e.Severities, i); err != nil {
			return under(err, "/severities/", i)
		}
	}
	for i := range e.Exploited {
		x := &e.Exploited[i]
		field := "/exploited/" + strconv.Itoa(i)
		if x.Catalogue == "" || i > 0 && x.Catalogue <= e.Exploited[i-1].Catalogue {
			return broken("R6", field+"/catalogue", x.Catalogue, "not empty, sorted, each once")
		}
		if err := c.dated(field+"/added", x.Added, true); err != nil {
			return err
		}
		if err := c.dated(field+"/due", x.Due, false); err != nil {
			return err
		}
	}
	return c.statements(e)
}

func (c *checker) names(e *assay.RemediationEntry) *assay.Error {
	v := &e.Vulnerability
	if v.ID == "" {
		return broken("R6", "/vulnerability/id", "", "an identifier")
	}
	if v.IRI != "" || v.Description != "" {
		return broken("R6", "/vulnerability", string(v.ID), "identifiers alone")
	}
	if err := increasing("/vulnerability/aliases", v.Aliases); err != nil {
		return err
	}
	if slices.Contains(v.Aliases, v.ID) {
		return broken("R6", "/vulnerability/aliases", string(v.ID), "no alias that is the identifier")
	}
	if e.Component.IsZero() == (e.ComponentID == "") {
		return broken("R6", "/component", e.Component.String(), "one of component and componentId")
	}
	if e.Component != e.Component.Package() {
		return broken("R6", "/component", e.Component.String(), e.Component.Package().String())
	}
	if e.Occurrence < 1 {
		return broken("R6", "/occurrence", strconv.Itoa(e.Occurrence), "1 or more")
	}
	if err := increasing("/versions", e.Versions); err != nil {
		return err
	}
	for i, d := range e.Doubts {
		if !filled(d) {
			return broken("R6", "/doubts/"+strconv.Itoa(i), d, "a text")
		}
	}
	return nil
}

// life wants the images in the order of the stream.
func (c *checker) life(e *assay.RemediationEntry) *assay.Error {
	at := func(field string, d assay.Digest, after int) (int, *assay.Error) {
		i, ok := c.index[d]
		if !ok || i < after {
			return 0, broken("R7", field, d.String(), "an image of the record, in its order")
		}
		return i, nil
	}
	first, err := at("/firstImage", e.FirstImage, 0)
	if err != nil {
		return err
	}
	last, err := at("/lastImage", e.LastImage, first)
	if err != nil {
		return err
	}
	end := len(c.index)
	if e.FixedImage.IsZero() {
		if !e.FirstClean.IsZero() {
			return broken("R7", "/firstClean", e.FirstClean.Time.String(), "none without the image that is clean")
		}
	} else if end, err = at("/fixedImage", e.FixedImage, last+1); err != nil {
		return err
	}
	if !e.Withdrawn.IsZero() && !e.FixedImage.IsZero() {
		return broken("R7", "/withdrawn", e.Withdrawn.Time.String(), "none with an image that is clean")
	}
	before := last
	for i, u := range e.Undecided {
		field := "/undecided/" + strconv.Itoa(i)
		n, err := at(field+"/image", u.Image, before+1)
		if err != nil {
			return err
		}
		if n >= end {
			return broken("R7", field+"/image", u.Image.String(), "an image before the one that is clean")
		}
		if !filled(u.Reason) {
			return broken("R7", field+"/reason", u.Reason, "a text")
		}
		before = n
	}
	return nil
}

func (c *checker) severity(list []assay.SeverityChange, i int) *assay.Error {
	s := &list[i]
	if err := c.dated("/at", s.At, true); err != nil {
		return err
	}
	if i > 0 && s.At.Time.Before(list[i-1].At.Time) && !s.At.IsZero() {
		return broken("R8", "/at/time", s.At.Time.String(), "not before the last change")
	}
	for j, v := range s.Severities {
		field := "/severities/" + strconv.Itoa(j)
		switch v.Rating {
		case "", assay.RatingNone, assay.RatingLow, assay.RatingMedium, assay.RatingHigh, assay.RatingCritical:
		default:
			return broken("R8", field+"/rating", string(v.Rating), "none, low, medium, high or critical")
		}
		if !(v.Score >= 0 && v.Score <= 10) { // NaN is none of it
			return broken("R8", field+"/score", strconv.FormatFloat(v.Score, 'g', -1, 64), "0 to 10")
		}
		if v == (assay.Severity{}) {
			return broken("R8", field, "", "a severity")
		}
		if j > 0 && compareSeverities(s.Severities[j-1], v) >= 0 {
			return broken("R8", field, v.Source, "sorted by source, vector, score and rating, each once")
		}
	}
	return nil
}

func compareSeverities(a, b assay.Severity) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Vector, b.Vector), cmp.Compare(a.Score, b.Score), cmp.Compare(a.Rating, b.Rating))
}

func (c *checker) statements(e *assay.RemediationEntry) *assay.Error {
	for i, s := range e.VEX {
		field := "/vex/" + strconv.Itoa(i)
		if s.Status != "" {
			if _, err := assay.ParseStatus(string(s.Status)); err != nil {
				return broken("R9", field+"/status", string(s.Status), "a VEX status")
			}
		}
		if s.Justification != "" {
			if _, err := assay.ParseJustification(string(s.Justification)); err != nil || s.Status != assay.NotAffected {
				return broken("R9", field+"/justification", string(s.Justification), "a VEX justification, of not_affected")
			}
		}
		if s.At.IsZero() {
			return broken("R9", field+"/at", "", "a time")
		}
		if err := c.dated(field+"/at", s.At, true); err != nil {
			return err
		}
		if i > 0 && !s.At.Time.After(e.VEX[i-1].At.Time) {
			return broken("R9", field+"/at/time", s.At.Time.String(), "after the last change")
		}
	}
	for i, x := range e.Exclusions {
		field := "/exclusions/" + strconv.Itoa(i)
		switch Reason(x.Reason) {
		case EndOfLife, Disputed, RiskAccepted:
		default:
			return broken("R10", field+"/reason", x.Reason, "end-of-life, disputed or risk-accepted; what the scan and VEX say is not repeated")
		}
		if x.From.IsZero() {
			return broken("R10", field+"/from", "", "a time")
		}
		if err := c.dated(field+"/from", x.From, true); err != nil {
			return err
		}
		if !x.Until.IsZero() {
			if err := c.time(field+"/until", x.Until, false); err != nil {
				return err
			}
			if !x.Until.After(x.From.Time) {
				return broken("R10", field+"/until", x.Until.String(), "after it begins")
			}
		}
		if err := c.resources(field+"/evidence", x.Evidence); err != nil {
			return err
		}
		if i > 0 && compareExclusions(e.Exclusions[i-1], x) >= 0 {
			return broken("R10", field, x.Reason, "sorted by begin, reason and end, each once")
		}
	}
	return nil
}

func compareExclusions(a, b assay.Exclusion) int {
	return cmp.Or(a.From.Time.Compare(b.From.Time), cmp.Compare(a.Reason, b.Reason), a.Until.Compare(b.Until), cmp.Compare(a.Note, b.Note),
		slices.CompareFunc(a.Evidence, b.Evidence, assay.Resource.Compare))
}
