package remediation

import (
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// Held is what is at hand of the evidence on which exclusions rest; see [EvaluateAgainst].
type Held struct {
	// Statements are those that were verified, VEX documents of authors who may speak of
	// the images among them.
	Statements []Known
	// Documents are others that whoever asks has read.
	Documents []Document
}

// Document is a document that is no statement, such as the minutes of a board, of which
// whoever asks knows what it decides. A record cannot make more of it.
type Document struct {
	// Digest is that of its bytes. REQUIRED, of a strong algorithm.
	Digest assay.Digest `json:"digest"`
	// Vulnerabilities are those that it is about, by identifier or alias. REQUIRED.
	Vulnerabilities []assay.VulnID `json:"vulnerabilities"`
	// Reason is end-of-life, disputed or risk-accepted. REQUIRED.
	Reason Reason `json:"reason"`
	// From is when it was decided; an exclusion that begins earlier is none. REQUIRED.
	From time.Time `json:"from"`
	// Until is when that ends; zero is never.
	Until time.Time `json:"until,omitzero"`
}

// Validate holds a document to what is REQUIRED of it.
func (d Document) Validate() error {
	bad := func(field, value, bound string) error {
		return &assay.Error{Op: "check document", Kind: assay.ErrInvalid, Subject: d.Digest.String(), Field: field, Value: value, Bound: bound}
	}
	switch {
	case !d.Digest.Algorithm().Strong():
		return bad("/digest", d.Digest.String(), "a digest that identifies content")
	case len(d.Vulnerabilities) == 0 || slices.Contains(d.Vulnerabilities, ""):
		return bad("/vulnerabilities", "", "the vulnerabilities that it is about")
	case d.Reason != EndOfLife && d.Reason != Disputed && d.Reason != RiskAccepted:
		return bad("/reason", string(d.Reason), "end-of-life, disputed or risk-accepted")
	case d.From.IsZero():
		return bad("/from", "", "when it was decided")
	case !d.Until.IsZero() && !d.Until.After(d.From):
		return bad("/until", d.Until.String(), "after it begins")
	}
	return nil
}

// ExclusionNote is how the status notes of a VEX statement begin that bears out an
// exclusion: "risk-accepted until 2027-01-31T00:00:00Z", or "end-of-life". What follows
// on it is set off by a colon, a period or a line.
func ExclusionNote(reason Reason, until time.Time) string {
	if until.IsZero() {
		return string(reason)
	}
	return string(reason) + " until " + stamp(until)
}

// holdings are what an evaluation holds exclusions to; nil takes the record's word.
type holdings struct {
	*against
	documents []Document
}

// open says what keeps an exclusion of the record from being taken; empty if nothing does.
func (h *holdings) open(e *assay.RemediationEntry, x *assay.Exclusion) string {
	if h == nil {
		return ""
	}
	why := "its evidence is not at hand"
	for _, r := range x.Evidence {
		for _, d := range h.documents {
			if !r.Digest.Has(d.Digest) {
				continue
			}
			if why = d.short(e, x); why == "" {
				return ""
			}
		}
	}
	for _, k := range h.statements(x.Evidence) {
		doc, ok := k.Evidence.(*assay.VEX)
		if ok && h.superseded(doc) {
			why = "a later version of its evidence is at hand"
			continue
		}
		if !ok {
			why = "its evidence is a statement that excludes nothing"
			continue
		}
		note := ExclusionNote(Reason(x.Reason), x.Until)
		says := h.says(doc, e, func(s *assay.VEXStatement) bool {
			rest, ok := strings.CutPrefix(s.StatusNotes, note)
			return ok && (rest == "" || strings.ContainsAny(rest[:1], ":.\n")) && s.Status != assay.Fixed
		})
		switch late := k.late(x.From); {
		case says != assay.Proven:
			why = "its evidence does not say " + note
		case late != "":
			why = late
		default:
			return ""
		}
	}
	return why
}

// superseded reports whether a later version of a document is at hand.
func (h *holdings) superseded(doc *assay.VEX) bool {
	return h.newest[[2]string{doc.ID, doc.Author}] > doc.Version
}

// short says where an exclusion goes beyond the document.
func (d *Document) short(e *assay.RemediationEntry, x *assay.Exclusion) string {
	switch {
	case !slices.ContainsFunc(d.Vulnerabilities, e.Vulnerability.Is):
		return "its evidence is about other vulnerabilities"
	case string(d.Reason) != x.Reason:
		return "its evidence says " + string(d.Reason)
	case x.From.Time.Before(d.From):
		return "its evidence is of " + stamp(d.From)
	case !d.Until.IsZero() && (x.Until.IsZero() || x.Until.After(d.Until)):
		return "its evidence ends at " + stamp(d.Until)
	}
	return ""
}

// notAffected says why a status of not_affected is not taken: no document at hand has it
// for the last image.
func (h *holdings) notAffected(e *assay.RemediationEntry) string {
	if h == nil {
		return ""
	}
	last := *e
	last.FirstImage = e.LastImage
	for _, doc := range h.docs {
		if !h.superseded(doc) && h.says(doc, &last, func(s *assay.VEXStatement) bool { return s.Status == assay.NotAffected }) == assay.Proven {
			return ""
		}
	}
	return "no document at hand says so of image " + e.LastImage.String()
}

// noFix says why it is not taken that there is no fix: the scan is not at hand, or says
// otherwise.
func (h *holdings) noFix(e *assay.RemediationEntry) string {
	if h == nil {
		return ""
	}
	for _, k := range h.statements(e.LastSeen.Evidence) {
		scan, ok := k.Evidence.(*assay.Scan)
		if !ok {
			continue
		}
		found := false
		for _, f := range h.found(scan, e) {
			found = true
			if f.Fix.State != assay.FixNone && f.Fix.State != assay.FixRefused || !f.Fix.Available.IsZero() {
				return "the scan does not say so"
			}
		}
		if found {
			return ""
		}
	}
	return "the scan that says so is not at hand"
}

// found are the findings of a scan that are the entry's.
func (a *against) found(scan *assay.Scan, e *assay.RemediationEntry) []*assay.Finding {
	index := a.findings[scan]
	if index == nil {
		index = map[key][]int{}
		for i := range scan.Findings {
			f := &scan.Findings[i]
			k := key{vulnerability: f.Vulnerability.ID, component: f.PURL.Package()}
			if k.component.IsZero() {
				k.id = f.Component
			}
			index[k] = append(index[k], i)
		}
		a.findings[scan] = index
	}
	var out []*assay.Finding
	for _, v := range append([]assay.VulnID{e.Vulnerability.ID}, e.Vulnerability.Aliases...) {
		for _, i := range index[key{v, e.Component, e.ComponentID}] {
			out = append(out, &scan.Findings[i])
		}
	}
	return out
}

// spoken are the statements of a document on a vulnerability, in order.
func (a *against) spoken(doc *assay.VEX, v assay.Vulnerability) []int {
	index := a.spokenOf[doc]
	if index == nil {
		index = map[assay.VulnID][]int{}
		for i := range doc.Statements {
			s := &doc.Statements[i].Vulnerability
			for _, id := range append([]assay.VulnID{s.ID}, s.Aliases...) {
				index[id] = append(index[id], i)
			}
		}
		a.spokenOf[doc] = index
	}
	var out []int
	for _, id := range append([]assay.VulnID{v.ID}, v.Aliases...) {
		out = append(out, index[id]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// says reports whether a document has a statement of the kind about the entry: about one
// of the images in which it was, through the component. It is unknown where the products
// cannot be compared with what the entry has.
func (a *against) says(doc *assay.VEX, e *assay.RemediationEntry, is func(*assay.VEXStatement) bool) assay.State {
	out := assay.Refuted
	for _, i := range a.spoken(doc, e.Vulnerability) {
		s := &doc.Statements[i]
		if !is(s) {
			continue
		}
		if len(s.Products) == 0 {
			out = likelier(out, assay.Unknown)
		}
		for _, p := range s.Products {
			out = likelier(out, a.product(p, e))
		}
	}
	return out
}

// likelier is the answer where one of two suffices.
func likelier(a, b assay.State) assay.State {
	order := []assay.State{assay.Refuted, assay.Unknown, assay.Proven}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// product reports whether a product of a statement is the entry's component in an image
// that had it.
func (a *against) product(p assay.Product, e *assay.RemediationEntry) assay.State {
	if len(p.Subcomponents) == 0 && component(p, e) == assay.Proven {
		return assay.Proven // spoken of by itself
	}
	digests := slices.Clone(p.Digests)
	if d, err := assay.ParseDigest(p.PURL.Version()); err == nil {
		digests = append(digests, d)
	}
	digests = slices.DeleteFunc(digests, func(d assay.Digest) bool { return !d.Algorithm().Strong() })
	image := assay.Unknown // by its name, or as part of an index
	for _, d := range digests {
		i, ok := a.image[d]
		switch {
		case ok && a.image[e.FirstImage] <= i && i <= a.image[e.LastImage]:
			image = assay.Proven
		case ok && image != assay.Proven:
			image = assay.Refuted
		}
	}
	part := assay.Proven
	if len(p.Subcomponents) > 0 {
		part = assay.Refuted
		for _, sub := range p.Subcomponents {
			part = likelier(part, component(sub, e))
		}
	}
	return image.And(part)
}

// component reports whether what a statement names is the entry's component in one of
// the versions found.
func component(p assay.Product, e *assay.RemediationEntry) assay.State {
	switch {
	case p.PURL.IsZero() || e.Component.IsZero():
		return assay.Unknown
	case p.PURL.Package() != e.Component:
		return assay.Refuted
	case strings.Contains(p.PURL.String(), "vers="):
		return assay.Unknown
	case p.PURL.Version() == "" || slices.ContainsFunc(e.Versions, func(v string) bool { return strings.TrimPrefix(v, "v") == strings.TrimPrefix(p.PURL.Version(), "v") }):
		return assay.Proven
	}
	return assay.Refuted
}
