package remediation

import (
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
)

// Known is a statement that was verified, to hold a record to.
type Known struct {
	// Statement is the SHA-256 of its signed bytes, as [Statement] has it.
	Statement assay.Digest
	Subjects  []assay.Subject
	Evidence  assay.Evidence
	// Signed is the earliest time at which its signature was witnessed; zero if it
	// was not.
	Signed time.Time
}

// Claim is something that a record says and a statement does not bear out.
type Claim struct {
	// Field is a JSON pointer into the record.
	Field string `json:"field"`
	// Statement is what it was held to.
	Statement assay.Digest `json:"statement"`
	// Says is what is wrong, for people.
	Says string `json:"says"`
}

// Grounds are what became of the claims of a record.
type Grounds struct {
	// Proven counts the claims that statements at hand bear out, Unknown those that rest
	// on others.
	Proven  int `json:"proven"`
	Unknown int `json:"unknown"`
	// Refuted are sorted by field and statement.
	Refuted []Claim `json:"refuted,omitempty"`
}

// State is refuted if a claim is, and proven only if all are.
func (g *Grounds) State() assay.State {
	switch {
	case len(g.Refuted) > 0:
		return assay.Refuted
	case g.Unknown > 0:
		return assay.Unknown
	}
	return assay.Proven
}

// CheckAgainst holds a record to statements that were verified, in any order. A verifier
// of one image mostly has those about that image, so that the claims about the images
// before it stay unknown.
//
// What is claimed of a scan is its image, scanner, database, coverage and dates; that
// everything it found is in the record, in the life of an entry, with dates that are not
// later than the scan's; and that what the record says is clean, it did not find. Of a
// provenance: its image, and when the build finished. Of a VEX document: that it has the
// status. Of whatever is witnessed: that it was by then. The time at which an image was
// signed is borne out by any statement about the image that was witnessed by then.
//
// Of what was withdrawn: that the scan, of the last image that had it or a later one, did
// not find it. A document is held to what it says of the image and the component, where it
// names these by digest and package URL.
//
// What exclusions rest on is for [EvaluateAgainst]. The error is that of a record that
// breaks a rule.
func CheckAgainst(record *assay.Remediation, known []Known) (*Grounds, error) {
	if e := check(record); e != nil {
		return nil, e
	}
	a := hold(record, known)
	for i := range record.Entries {
		e := &record.Entries[i]
		for _, v := range append([]assay.VulnID{e.Vulnerability.ID}, e.Vulnerability.Aliases...) {
			k := key{v, e.Component, e.ComponentID}
			a.entries[k] = append(a.entries[k], i)
		}
	}
	for i := range record.Images {
		a.build(i)
	}
	for i := range record.Entries {
		a.entry(i)
	}
	slices.SortFunc(a.grounds.Refuted, func(x, y Claim) int {
		return slices.Compare([]string{x.Field, x.Statement.String(), x.Says}, []string{y.Field, y.Statement.String(), y.Says})
	})
	a.grounds.Refuted = slices.Compact(a.grounds.Refuted)
	return &a.grounds, nil
}

// hold indexes what is known of a record that breaks no rule.
func hold(record *assay.Remediation, known []Known) *against {
	a := &against{record: record, known: map[assay.Digest]*Known{}, signed: map[assay.Digest]time.Time{},
		image: map[assay.Digest]int{}, entries: map[key][]int{}, newest: map[[2]string]int{},
		spokenOf: map[*assay.VEX]map[assay.VulnID][]int{}, findings: map[*assay.Scan]map[key][]int{}}
	for i := range known {
		k := &known[i]
		a.known[k.Statement] = k
		if doc, ok := k.Evidence.(*assay.VEX); ok {
			a.docs = append(a.docs, doc)
			id := [2]string{doc.ID, doc.Author}
			a.newest[id] = max(a.newest[id], doc.Version)
		}
		for _, s := range k.Subjects {
			for _, d := range s.Digest {
				if t := a.signed[d]; d.Algorithm().Strong() && !k.Signed.IsZero() && (t.IsZero() || k.Signed.Before(t)) {
					a.signed[d] = k.Signed
				}
			}
		}
	}
	for i := range record.Images {
		a.image[record.Images[i].Digest] = i
	}
	return a
}

type against struct {
	record  *assay.Remediation
	known   map[assay.Digest]*Known
	signed  map[assay.Digest]time.Time // by image, the earliest
	image   map[assay.Digest]int
	entries map[key][]int // by each name of the vulnerability, and component
	grounds Grounds

	docs []*assay.VEX
	// newest is the highest version at hand of a document, by identifier and author.
	newest map[[2]string]int
	// What is asked for is found by these, because records, documents and scans can all be
	// large; each is filled in when it is first asked for.
	spokenOf map[*assay.VEX]map[assay.VulnID][]int
	findings map[*assay.Scan]map[key][]int
}

// statements finds the evidence that is at hand; there may be several, and none.
func (a *against) statements(evidence []assay.Resource) []*Known {
	var out []*Known
	for _, r := range evidence {
		if k := a.known[r.Digest.Get(assay.SHA256)]; k != nil {
			out = append(out, k)
		}
	}
	return out
}

// hold counts a claim: says is what is wrong with it, empty if nothing is.
func (a *against) hold(field string, k *Known, says string) {
	switch {
	case k == nil:
		a.grounds.Unknown++
	case says == "":
		a.grounds.Proven++
	default:
		a.grounds.Refuted = append(a.grounds.Refuted, Claim{field, k.Statement, says})
	}
}

func (k *Known) about(image assay.Digest) bool {
	return slices.ContainsFunc(k.Subjects, func(s assay.Subject) bool { return s.Digest.Has(image) })
}

// late says what is wrong with a witnessed date; a claim of the author's is another's
// to check.
func (k *Known) late(d assay.Dated) string {
	switch {
	case d.Basis != assay.BasisWitnessed:
		return ""
	case k.Signed.IsZero():
		return "nobody witnessed the statement"
	case k.Signed.After(d.Time):
		return "the statement was witnessed later, at " + stamp(k.Signed)
	}
	return ""
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// firstOf gives the first fault that was found.
func firstOf(faults ...string) string {
	for _, f := range faults {
		if f != "" {
			return f
		}
	}
	return ""
}

func fault(wrong bool, says string) string {
	if wrong {
		return says
	}
	return ""
}

func (a *against) build(i int) {
	img := &a.record.Images[i]
	field := "/images/" + strconv.Itoa(i)
	if d := img.Built; !d.IsZero() {
		var at *Known
		says := ""
		for _, k := range a.statements(d.Evidence) {
			if p, ok := k.Evidence.(*assay.Provenance); ok {
				at = k
				says = firstOf(fault(!k.about(img.Digest), "the provenance is of another image"),
					fault(!p.FinishedOn.Equal(d.Time), "the provenance has "+stamp(p.FinishedOn)))
			}
		}
		a.hold(field+"/built", at, says)
	}
	if d := img.Signed; d.Basis == assay.BasisWitnessed {
		if t := a.signed[img.Digest]; !t.IsZero() && !t.After(d.Time) {
			a.grounds.Proven++
		} else {
			var at *Known
			says := ""
			for _, k := range a.statements(d.Evidence) {
				at = k
				says = firstOf(fault(!k.about(img.Digest), "the statement is about another image"), k.late(d))
			}
			a.hold(field+"/signed", at, says)
		}
	}
	for j := range img.Scans {
		a.scan(i, j)
	}
}

func (a *against) scan(i, j int) {
	img := &a.record.Images[i]
	s := &img.Scans[j]
	field := "/images/" + strconv.Itoa(i) + "/scans/" + strconv.Itoa(j)
	k := a.known[s.Statement.Digest.Get(assay.SHA256)]
	if k == nil {
		a.hold(field, nil, "")
		return
	}
	scan, ok := k.Evidence.(*assay.Scan)
	if !ok {
		a.hold(field, k, "the statement is no scan")
		return
	}
	c := scan.Scanner
	a.hold(field, k, firstOf(
		fault(!k.about(img.Digest), "the scan is of another image"),
		fault(c.URI != s.Scanner, "the scanner was "+c.URI),
		fault(!c.DBDigest.Equal(s.DBDigest), "the database was another"),
		fault(!s.DBUpdated.IsZero() && !c.DBUpdated.Equal(s.DBUpdated), "the database was of "+stamp(c.DBUpdated)),
		fault(!scan.FinishedOn.Equal(s.Finished.Time), "the scan ended at "+stamp(scan.FinishedOn)),
		fault(s.Coverage != nil && (scan.Coverage == nil || scan.Coverage.Digest != s.Coverage.Digest), "the scan covers something else"),
		k.late(s.Signed)))
	for n := range scan.Findings {
		a.finding(i, field, k, &scan.Findings[n])
	}
}

// finding looks for the entry of what a scan found.
func (a *against) finding(image int, field string, k *Known, f *assay.Finding) {
	name := key{vulnerability: f.Vulnerability.ID, component: f.PURL.Package()}
	if name.component.IsZero() {
		name.id = f.Component
	}
	says := "it found " + string(f.Vulnerability.ID) + " in " + f.PURL.String() + string(name.id) + ", and no entry has it"
	for _, n := range a.entries[name] {
		e := &a.record.Entries[n]
		if image < a.image[e.FirstImage] || image > a.image[e.LastImage] {
			continue
		}
		field, says = "/entries/"+strconv.Itoa(n), ""
		for _, d := range [...]struct {
			name string
			has  assay.Dated
			date time.Time
		}{{"published", e.Published, f.Published}, {"fix", e.Fix.Available, f.Fix.Available}, {"first seen", e.FirstSeen, k.Evidence.(*assay.Scan).FinishedOn}} {
			if !d.date.IsZero() && !d.has.IsZero() && d.date.Before(d.has.Time) {
				says = "the scan has an earlier date, " + d.name + " " + stamp(d.date)
			}
		}
		break
	}
	a.hold(field, k, says)
}

func (a *against) entry(i int) {
	e := &a.record.Entries[i]
	field := "/entries/" + strconv.Itoa(i)
	if d := e.FirstClean; !d.IsZero() {
		var at *Known
		says := ""
		for _, k := range a.statements(d.Evidence) {
			if scan, ok := k.Evidence.(*assay.Scan); ok {
				at = k
				says = firstOf(fault(!k.about(e.FixedImage), "the scan is of another image"), fault(len(a.found(scan, e)) > 0, "the scan found it"),
					k.late(d), fault(d.Basis != assay.BasisWitnessed && !scan.FinishedOn.Equal(d.Time), "the scan ended at "+stamp(scan.FinishedOn)))
			}
		}
		a.hold(field+"/firstClean", at, says)
	}
	if d := e.Withdrawn; !d.IsZero() {
		var at *Known
		says := ""
		for _, k := range a.statements(d.Evidence) {
			if scan, ok := k.Evidence.(*assay.Scan); ok {
				at = k
				says = firstOf(fault(!a.since(k, e.LastImage), "the scan is of another image"), fault(len(a.found(scan, e)) > 0, "the scan found it"),
					k.late(d), fault(d.Basis != assay.BasisWitnessed && !scan.FinishedOn.Equal(d.Time), "the scan ended at "+stamp(scan.FinishedOn)))
			}
		}
		a.hold(field+"/withdrawn", at, says)
	}
	for j, s := range e.VEX {
		var at *Known
		says := ""
		for _, k := range a.statements(s.At.Evidence) {
			if doc, ok := k.Evidence.(*assay.VEX); ok {
				state := assay.Proven
				if s.Status != "" {
					state = a.says(doc, e, func(v *assay.VEXStatement) bool { return v.Status == s.Status })
				}
				if state == assay.Unknown && k.late(s.At) == "" {
					continue
				}
				at = k
				says = firstOf(fault(state == assay.Refuted, "the document does not say "+string(s.Status)), k.late(s.At))
			}
		}
		a.hold(field+"/vex/"+strconv.Itoa(j), at, says)
	}
}

// since reports whether a statement is about an image, or one that came after it.
func (a *against) since(k *Known, image assay.Digest) bool {
	return slices.ContainsFunc(a.record.Images[a.image[image]:], func(b assay.ImageBuild) bool { return k.about(b.Digest) })
}
