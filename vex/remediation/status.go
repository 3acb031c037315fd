package remediation

import (
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// statuses follows what the VEX documents say of each entry.
//
// A document counts from when its signature was witnessed, else from the times that it
// bears. At each time at which something about the vulnerability came to be known, the
// question is asked for the newest image by then that has it; and once more at the end,
// for the last. So documents that are made anew for each image continue each other,
// and an image without one has no status.
func (r *recorder) statuses(record *assay.Remediation, lives []*life) *assay.Error {
	h := newStatements(r.options.VEX)
	if len(h.docs) == 0 {
		return nil
	}
	timelines := map[time.Time]*vex.Timeline{}
	at := func(t time.Time) *vex.Timeline {
		if timelines[t] == nil {
			timelines[t] = h.timeline(t)
		}
		return timelines[t]
	}
	index := map[assay.Digest]int{}
	for i := range record.Images {
		index[record.Images[i].Digest] = i
	}
	for i := range record.Entries {
		e := &record.Entries[i]
		var times []time.Time
		for _, v := range append([]assay.VulnID{e.Vulnerability.ID}, e.Vulnerability.Aliases...) {
			for _, ev := range h.events[v] {
				if !ev.at.After(r.asOf) {
					times = append(times, ev.at)
				}
			}
		}
		if len(times) == 0 {
			continue
		}
		slices.SortFunc(times, time.Time.Compare)
		times = slices.CompactFunc(times, time.Time.Equal)
		first, last := index[e.FirstImage], index[e.LastImage]
		for _, t := range times {
			img := first
			for n := first; n <= last; n++ {
				if d := since(&record.Images[n]); !d.IsZero() && !d.After(t) {
					img = n
				}
			}
			a, err := r.ask(at(t), e, lives[i].parts(img), record.Images[img].Digest)
			if err != nil {
				return err
			}
			change(e, a, h.date(e, t, a))
		}
		a, err := r.ask(at(r.asOf), e, lives[i].parts(last), e.LastImage)
		if err != nil {
			return err
		}
		h.end(e, a, &record.Images[last], r.asOf)
	}
	return nil
}

// end records the status of the last image, where that is not the one of the images
// before it: since the image was signed, because a document that came later would have
// been asked about it. If that is no later than the last change, nothing shows when.
func (h *statements) end(e *assay.RemediationEntry, a vex.Answer, img *assay.ImageBuild, asOf time.Time) {
	var before assay.StatusChange
	if n := len(e.VEX); n > 0 {
		before = e.VEX[n-1]
	}
	if before.Status == a.Status {
		return
	}
	at := assay.Dated{Time: asOf, Basis: assay.BasisUnsigned}
	if i := h.source(a, img.Signed.Time); img.Signed.Time.After(before.At.Time) && (i >= 0 || a.Status == "") {
		at = img.Signed
		if i >= 0 {
			if doc := h.dated(at.Time, i); doc.Basis == at.Basis {
				at = dated(at.Time, at.Basis, append(slices.Clone(at.Evidence), doc.Evidence...)...)
			} else {
				at = doc
			}
		}
	}
	if !at.Time.After(before.At.Time) { // at one instant, and the last word counts
		e.VEX = e.VEX[:len(e.VEX)-1]
	}
	change(e, a, at)
}

// since is when an image was there.
func since(img *assay.ImageBuild) time.Time {
	if !img.Signed.IsZero() {
		return img.Signed.Time
	}
	return img.Built.Time
}

func change(e *assay.RemediationEntry, a vex.Answer, at assay.Dated) {
	justification := a.Statement.Justification
	if a.Status != assay.NotAffected {
		justification = ""
	}
	if n := len(e.VEX); n == 0 && a.Status == "" || n > 0 && e.VEX[n-1].Status == a.Status && e.VEX[n-1].Justification == justification {
		return
	}
	e.VEX = append(e.VEX, assay.StatusChange{Status: a.Status, Justification: justification, At: at})
}

// ask puts the question for each CVE and version: the worst answer counts, and
// nobody's word on one of them leaves them all open.
func (r *recorder) ask(t *vex.Timeline, e *assay.RemediationEntry, parts [][]assay.Product, image assay.Digest) (vex.Answer, *assay.Error) {
	product := assay.Product{Digests: assay.DigestSet{image}}
	if r.options.Repository != "" {
		p, err := vex.ImageProduct(image, r.options.Repository)
		if err != nil {
			return vex.Answer{}, &assay.Error{Op: "record remediation", Kind: assay.ErrInvalid, Subject: r.stream, Field: "/repository", Value: r.options.Repository, Err: err}
		}
		product = p
	}
	var worst vex.Answer
	asked := false
	for _, v := range questions(e.Vulnerability) {
		for _, part := range parts {
			p := product
			p.Subcomponents = part
			a := t.Status(p, v)
			if a.Status == "" && len(part) == 1 {
				a = t.Status(part[0], v)
			}
			if !asked || badness(a.Status) > badness(worst.Status) {
				worst, asked = a, true
			}
		}
	}
	return worst, nil
}

// questions are one for each CVE, with the aliases that are none.
func questions(v assay.Vulnerability) []assay.Vulnerability {
	var cves, others []assay.VulnID
	for _, id := range append([]assay.VulnID{v.ID}, v.Aliases...) {
		if isCVE(id) {
			cves = append(cves, id)
		} else {
			others = append(others, id)
		}
	}
	if len(cves) < 2 {
		return []assay.Vulnerability{v}
	}
	out := make([]assay.Vulnerability, len(cves))
	for i, id := range cves {
		out[i] = assay.Vulnerability{ID: id, Aliases: others}
	}
	return out
}

// parts are the component, each way it was found in an image; or in any, where no scan
// of that one found it.
func (l *life) parts(image int) [][]assay.Product {
	var purls []assay.PURL
	here := slices.ContainsFunc(l.reports, func(r *report) bool { return r.scan.image == image })
	for _, report := range l.reports {
		if here && report.scan.image != image {
			continue
		}
		for _, f := range report.findings {
			purls = append(purls, f.PURL)
		}
	}
	slices.SortFunc(purls, assay.PURL.Compare)
	var out [][]assay.Product
	for _, p := range slices.Compact(purls) {
		if p.IsZero() {
			out = append(out, nil)
		} else {
			out = append(out, []assay.Product{vex.PURLProduct(p)})
		}
	}
	return out
}

func badness(s assay.Status) int {
	switch s {
	case assay.Affected:
		return 4
	case assay.UnderInvestigation:
		return 3
	case assay.Fixed:
		return 1
	case assay.NotAffected:
		return 0
	}
	return 2
}

// statements are the VEX documents by when they came to be known.
type statements struct {
	docs   []VEX
	known  []time.Time // zero where the documents own times count
	events map[assay.VulnID][]event
}

// event is that a document came to say something.
type event struct {
	at  time.Time
	doc int
}

func newStatements(docs []VEX) *statements {
	h := &statements{docs: slices.Clone(docs), events: map[assay.VulnID][]event{}}
	key := func(v VEX) string { return v.Doc.ID + "\x00" + v.Doc.Author + "\x00" + strconv.Itoa(v.Doc.Version) }
	slices.SortStableFunc(h.docs, func(a, b VEX) int {
		if n := a.Statement.Compare(b.Statement); n != 0 {
			return n
		}
		if n := a.known().Compare(b.known()); n != 0 {
			return n
		}
		return slices.Compare([]string{key(a)}, []string{key(b)})
	})
	// The same bytes, signed again, are known since the first time.
	h.docs = slices.CompactFunc(h.docs, func(a, b VEX) bool {
		return len(a.Statement.Digest) > 0 && a.Statement.Compare(b.Statement) == 0 && (a.Signed.Basis == b.Signed.Basis)
	})
	for i, d := range h.docs {
		h.known = append(h.known, d.known())
		for _, s := range d.Doc.Statements {
			at := utc(s.Timestamp)
			if s.LastUpdated.After(at) {
				at = utc(s.LastUpdated)
			}
			if k := h.known[i]; k.After(at) {
				at = k
			}
			for _, v := range append([]assay.VulnID{s.Vulnerability.ID}, s.Vulnerability.Aliases...) {
				h.events[v] = append(h.events[v], event{at, i})
			}
		}
	}
	return h
}

func (v VEX) known() time.Time {
	if v.Signed.Basis == assay.BasisWitnessed {
		return utc(v.Signed.Time)
	}
	return time.Time{}
}

// timeline has the documents that were known by then.
func (h *statements) timeline(at time.Time) *vex.Timeline {
	var docs []*assay.VEX
	for i, d := range h.docs {
		if !h.known[i].After(at) {
			docs = append(docs, d.Doc)
		}
	}
	return vex.NewTimeline(docs, at)
}

// date is a time with the document that counts then, which was known by then; where
// none does any more, with one that came then.
func (h *statements) date(e *assay.RemediationEntry, t time.Time, a vex.Answer) assay.Dated {
	if i := h.source(a, t); i >= 0 {
		return h.dated(t, i)
	}
	doc := len(h.docs) - 1
	for _, v := range append([]assay.VulnID{e.Vulnerability.ID}, e.Vulnerability.Aliases...) {
		for _, ev := range h.events[v] {
			if ev.at.Equal(t) {
				doc = min(doc, ev.doc)
			}
		}
	}
	return h.dated(t, doc)
}

// source finds the document that an answer is from, by its best signature that was
// known by then; -1 if there is none.
func (h *statements) source(a vex.Answer, t time.Time) int {
	best := -1
	for i, d := range h.docs {
		if d.Doc == a.Source.Document && !h.known[i].After(t) && (best < 0 || better(h.dated(t, i), h.dated(t, best))) {
			best = i
		}
	}
	return best
}

func (h *statements) dated(t time.Time, doc int) assay.Dated {
	d := h.docs[doc]
	switch d.Signed.Basis {
	case assay.BasisWitnessed:
		return dated(t, assay.BasisWitnessed, append([]assay.Resource{d.Statement}, d.Signed.Evidence...)...)
	case assay.BasisSigned:
		return dated(t, assay.BasisSigned, d.Statement)
	}
	return dated(t, assay.BasisUnsigned, d.Statement)
}
