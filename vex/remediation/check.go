package remediation

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// The bounds of a record; beyond them it is [assay.ErrBound].
const (
	MaxImages  = 100_000
	MaxEntries = 2_000_000
)

// check holds a record to its rules, which the documentation of the package has. What
// is sorted is what the evaluation leans on; the order of entries does not matter.
func check(r *assay.Remediation) *assay.Error {
	if r == nil {
		return broken("R1", "", "", "a record")
	}
	c := checker{asOf: r.AsOf, index: make(map[assay.Digest]int, len(r.Images))}
	e := c.record(r)
	if e != nil && e.Subject == "" {
		e.Subject = r.Stream
	}
	return e
}

type checker struct {
	asOf  time.Time
	index map[assay.Digest]int
	// built and signed are the latest of the images so far.
	built, signed time.Time
}

func broken(rule, field, value, bound string) *assay.Error {
	return &assay.Error{Op: "check remediation record", Kind: assay.ErrInvalid, Field: field, Value: value, Bound: bound, Rule: "remediation " + rule}
}

func (c *checker) record(r *assay.Remediation) *assay.Error {
	if !filled(r.Stream) {
		return broken("R1", "/stream", r.Stream, "the name of a stream")
	}
	if e := c.time("/asOf", r.AsOf, false); e != nil {
		return e
	}
	if len(r.Images) > MaxImages || len(r.Entries) > MaxEntries {
		e := broken("R1", "", strconv.Itoa(len(r.Images))+" images, "+strconv.Itoa(len(r.Entries))+" entries",
			"at most "+strconv.Itoa(MaxImages)+" and "+strconv.Itoa(MaxEntries))
		e.Kind = assay.ErrBound
		return e
	}
	if len(r.Images) == 0 {
		return broken("R1", "/images", "", "at least one image")
	}
	if r.Entries == nil {
		return broken("R1", "/entries", "", "a list of entries, which may be empty")
	}
	for i := range r.Images {
		if e := c.image(r.Images, i); e != nil {
			return under(e, "/images/", i)
		}
	}
	for i := range r.Entries {
		if e := c.entry(&r.Entries[i]); e != nil {
			return under(e, "/entries/", i)
		}
	}
	return c.occurrences(r.Entries)
}

// under puts an error's field below an element.
func under(e *assay.Error, list string, i int) *assay.Error {
	e.Field = list + strconv.Itoa(i) + e.Field
	return e
}

func filled(s string) bool { return strings.TrimSpace(s) != "" }

// time wants whole, comparable times; of what happened, none after the record ends.
func (c *checker) time(field string, t time.Time, past bool) *assay.Error {
	if t.IsZero() {
		return broken("R2", field, "", "a time")
	}
	if y := t.Year(); y < 1 || y > 9999 || t.Location() != time.UTC {
		return broken("R2", field, t.String(), "a time in UTC, of the years 1 to 9999")
	}
	if past && t.After(c.asOf) {
		return broken("R2", field, t.Format(time.RFC3339Nano), "not after the end of the record, "+c.asOf.Format(time.RFC3339Nano))
	}
	return nil
}

func (c *checker) dated(field string, d assay.Dated, past bool) *assay.Error {
	if d.IsZero() {
		return nil
	}
	if e := c.time(field+"/time", d.Time, past); e != nil {
		return e
	}
	switch d.Basis {
	case assay.BasisWitnessed, assay.BasisSigned, assay.BasisAdvisory:
		if len(d.Evidence) == 0 {
			return broken("R3", field+"/evidence", "", "what says so: the date is "+string(d.Basis))
		}
	case assay.BasisUnsigned:
	default:
		return broken("R3", field+"/basis", string(d.Basis), "witnessed, signed, advisory or unsigned")
	}
	return c.resources(field+"/evidence", d.Evidence)
}

func (c *checker) resources(field string, list []assay.Resource) *assay.Error {
	for i := range list {
		if e := c.resource(field+"/"+strconv.Itoa(i), &list[i]); e != nil {
			return e
		}
		if i > 0 && list[i].Compare(list[i-1]) <= 0 {
			return broken("R4", field+"/"+strconv.Itoa(i), list[i].URI, "sorted, and each once")
		}
	}
	return nil
}

func (c *checker) resource(field string, r *assay.Resource) *assay.Error {
	if r.Validate() != nil {
		return broken("R4", field, r.Name, "a uri, digest or content")
	}
	// What else a descriptor can have is of no use here, and lets two records that say
	// the same differ.
	if r.DownloadLocation != "" || len(r.Content) > 0 || len(r.Annotations) > 0 {
		return broken("R4", field, r.URI, "name, uri, digest and mediaType alone")
	}
	return nil
}

func (c *checker) image(images []assay.ImageBuild, i int) *assay.Error {
	img := &images[i]
	if !img.Digest.Algorithm().Strong() {
		return broken("R5", "/digest", img.Digest.String(), "a digest that identifies content")
	}
	if _, twice := c.index[img.Digest]; twice {
		return broken("R5", "/digest", img.Digest.String(), "each image once")
	}
	c.index[img.Digest] = i
	if i == 0 && !img.Previous.IsZero() {
		return broken("R5", "/previous", img.Previous.String(), "none: the record begins here")
	}
	if i > 0 && img.Previous != images[i-1].Digest {
		return broken("R5", "/previous", img.Previous.String(), images[i-1].Digest.String())
	}
	if e := c.dated("/built", img.Built, true); e != nil {
		return e
	}
	if e := c.dated("/signed", img.Signed, true); e != nil {
		return e
	}
	if e := cmp.Or(order("/built", c.built, img.Built), order("/signed", c.signed, img.Signed), order("/signed", img.Built.Time, img.Signed)); e != nil {
		return e
	}
	if img.Built.Time.After(c.built) {
		c.built = img.Built.Time
	}
	if img.Signed.Time.After(c.signed) {
		c.signed = img.Signed.Time
	}
	for j := range img.Scans {
		if e := cmp.Or(c.scan(&img.Scans[j]), order("/finished", img.Built.Time, img.Scans[j].Finished)); e != nil {
			return under(e, "/scans/", j)
		}
		if j > 0 && compareScans(img.Scans[j-1], img.Scans[j]) >= 0 {
			return broken("R5", "/scans/"+strconv.Itoa(j), "", "sorted by end and statement, and each once")
		}
	}
	return nil
}

// order wants a date not before another, where both are known; clocks may differ.
func order(field string, before time.Time, d assay.Dated) *assay.Error {
	if d.IsZero() || before.IsZero() || !d.Time.Before(before.Add(-MaxSkew)) {
		return nil
	}
	return broken("R2", field+"/time", d.Time.Format(time.RFC3339Nano), "not before "+before.Format(time.RFC3339Nano))
}

func compareScans(a, b assay.ImageScan) int {
	if n := a.Finished.Time.Compare(b.Finished.Time); n != 0 {
		return n
	}
	return a.Statement.Compare(b.Statement)
}

func (c *checker) scan(s *assay.ImageScan) *assay.Error {
	if e := c.resource("/statement", &s.Statement); e != nil {
		return e
	}
	if s.Scanner == "" {
		return broken("R5", "/scanner", "", "the URI of the scanner")
	}
	if !s.DBUpdated.IsZero() {
		if e := c.time("/dbUpdated", s.DBUpdated, true); e != nil {
			return e
		}
	}
	if e := c.dated("/finished", s.Finished, true); e != nil {
		return e
	}
	if e := cmp.Or(c.dated("/signed", s.Signed, true), order("/signed", s.Finished.Time, s.Signed)); e != nil {
		return e
	}
	if cov := s.Coverage; cov != nil {
		if cov.Components < 0 {
			return broken("R5", "/coverage/components", strconv.Itoa(cov.Components), "a count")
		}
		if cov.Digest.IsZero() {
			return broken("R5", "/coverage/digest", "", "a digest")
		}
		if e := increasing("/coverage/ecosystems", cov.Ecosystems); e != nil {
			return e
		}
	}
	return nil
}

// increasing wants words, sorted, each once.
func increasing[T ~string](field string, words []T) *assay.Error {
	for i, w := range words {
		if w == "" || i > 0 && w <= words[i-1] {
			return broken("R6", field+"/"+strconv.Itoa(i), string(w), "not empty, sorted, each once")
		}
	}
	return nil
}

// occurrences wants each entry once, and those of one vulnerability counted from 1
// and one after the other.
func (c *checker) occurrences(entries []assay.RemediationEntry) *assay.Error {
	sorted := inOrder(entries)
	for i, e := range sorted {
		want, after := 1, -1
		if i > 0 {
			if p := sorted[i-1]; p.Vulnerability.ID == e.Vulnerability.ID && p.Component == e.Component && p.ComponentID == e.ComponentID {
				want, after = p.Occurrence+1, c.index[p.FixedImage]
				switch {
				case !p.Withdrawn.IsZero():
					after = c.index[p.LastImage]
				case p.FixedImage.IsZero():
					return broken("R6", "/entries", string(e.Vulnerability.ID)+" "+e.Component.String()+" again", "another occurrence only after the last was fixed or withdrawn")
				}
			}
		}
		if e.Occurrence != want {
			return broken("R6", "/entries", string(e.Vulnerability.ID)+" "+e.Component.String()+", occurrence "+strconv.Itoa(e.Occurrence), "occurrence "+strconv.Itoa(want))
		}
		if c.index[e.FirstImage] <= after && after >= 0 {
			return broken("R6", "/entries", string(e.Vulnerability.ID)+" "+e.Component.String()+", first in "+e.FirstImage.String(), "an image after the last occurrence ended")
		}
	}
	return nil
}
