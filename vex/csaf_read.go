package vex

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// ReadCSAF reads a CSAF document of version 2.0 or 2.1 as VEX, with what could not be
// carried over. Every category that has product statuses is read, csaf_vex and
// csaf_security_advisory among them. The result is held to the rules of [Read]; its
// Format is "csaf/2.0" or "csaf/2.1", and [Encode] writes it as OpenVEX.
//
// The identifier is tracking/id where that is an IRI, else the publisher's namespace
// and it. The author is the publisher's name, the role its category. A product is
// named by its identification helper; one that has none gets an IRI below the
// document's, which nothing else matches. Where the branch is of a range of versions, the
// package URL gets it as qualifier "vers", if that is how it is spelt; else what does not
// tell versions apart names nothing, and is a Loss: a range that is fixed must not pass for
// every version. A relationship is its outer product with the
// inner as subcomponent. What is part of a part can only be called a part of the whole:
// not_affected there, and fixed without a version, would be said of too much, and is a
// Loss. Flags are justifications, threats of category impact are impact statements, remediations are action statements. A statement dates from its
// flag, threat or remediation, else from the current release, because what earlier
// releases said is not in the document.
//
// Status fixed and first_fixed is fixed; known, first and last affected is affected.
// Nothing becomes not_affected that has neither flag nor impact statement: it is left
// out as a Loss. Affected without remediation stays, with an action statement that
// says so. A vulnerability without notes (6.1.27.5), a version that reads like a range
// (6.1.31) and a status that OpenVEX has not (6.1.27.7) are a Loss as well.
//
// The mandatory tests of CSAF 2.0 that are about what is read are errors that name
// their section, such as "CSAF 6.1.6": products and groups that are defined nowhere,
// twice or in a circle (6.1.1 to 6.1.5), contradicting statuses (6.1.6), package URLs
// (6.1.13), the revision history and the version (6.1.14, 6.1.16 to 6.1.22, 6.1.30),
// languages of translations (6.1.15, 6.1.28), a CVE, party, digest or flag where one is
// too many (6.1.23 to 6.1.25, 6.1.33), the category (6.1.26), vulnerabilities and their
// identifiers (6.1.27.8, 6.1.27.11), and flags and remediations of no product (6.1.29,
// 6.1.32). Scores, weaknesses and the document's own language (6.1.7 to 6.1.12) are not
// read. Of 2.1, product paths are read as relationships are, and those of the tests that it
// adds are errors that are about what is read: 6.1.27.12, 6.1.34 to 6.1.45, 6.1.50, 6.1.52,
// 6.1.53, 6.1.57 to 6.1.59 and 6.1.61. A document that was withdrawn or superseded states
// nothing, and is an error (6.1.27.15).
func ReadCSAF(name string, data []byte) (*assay.VEX, []Loss, error) {
	var w csafDocument
	if err := strictjson.Unmarshal(name, data, &w, strictjson.Limits{}); err != nil {
		return nil, nil, err
	}
	r := &csafReader{products: map[string]csafNamed{}, groups: map[string][]string{}, seen: map[assay.VulnID]bool{}}
	v, e := r.document(&w)
	if e != nil {
		e.Op, e.Subject = "read CSAF", name
		return nil, nil, e
	}
	return v, r.losses, nil
}

type csafReader struct {
	losses   losses
	id       string
	products map[string]csafNamed
	groups   map[string][]string
	seen     map[assay.VulnID]bool
	released time.Time
}

// csafNamed is what a product_id stands for.
type csafNamed struct {
	product assay.Product
	// inner and outer are product_ids, of a relationship.
	inner, outer string
	// long is a path with products between these.
	long  bool
	field string
	// versions is the range in the name of its branch; empty if it is of one version.
	versions string
}

func csafBroken(section, field, value, want string) *assay.Error {
	return &assay.Error{Kind: assay.ErrInvalid, Field: field, Value: value, Bound: want, Rule: "CSAF " + section}
}

func (r *csafReader) document(w *csafDocument) (*assay.VEX, *assay.Error) {
	d := &w.Document
	if d.CSAFVersion != "2.0" && d.CSAFVersion != "2.1" {
		return nil, csafBroken("3.2.1.4", "/document/csaf_version", d.CSAFVersion, "2.0 or 2.1")
	}
	if d.CSAFVersion != "2.0" {
		if e := csafTimes(w); e != nil {
			return nil, e
		}
	}
	v := &assay.VEX{Author: d.Publisher.Name, AuthorRole: d.Publisher.Category, Format: "csaf/" + d.CSAFVersion}
	if strings.TrimSpace(v.Author) == "" {
		return nil, csafBroken("3.2.1.8", "/document/publisher/name", "", "who publishes the document")
	}
	if d.Tracking.Generator != nil {
		v.Tooling = d.Tracking.Generator.Engine.Name
	}
	r.id = d.Tracking.ID
	if !isIRI(r.id) && r.id != "" {
		r.id = strings.TrimSuffix(d.Publisher.Namespace, "/") + "/" + url.PathEscape(r.id)
	}
	if !isIRI(r.id) {
		return nil, csafBroken("3.2.1.12", "/document/tracking/id", d.Tracking.ID, "an identifier, below a namespace that is an IRI")
	}
	v.ID = r.id
	if d.Tracking.Status != "final" && d.Tracking.Status != "interim" {
		return nil, csafBroken("3.2.1.12.7", "/document/tracking/status", d.Tracking.Status, "final or interim")
	}
	var e *assay.Error
	if v.Timestamp, e = csafTime("/document/tracking/initial_release_date", d.Tracking.InitialReleaseDate, true); e != nil {
		return nil, e
	}
	if r.released, e = csafTime("/document/tracking/current_release_date", d.Tracking.CurrentReleaseDate, true); e != nil {
		return nil, e
	}
	if r.released.Before(v.Timestamp) {
		return nil, csafBroken("3.2.1.12.1", "/document/tracking/current_release_date", d.Tracking.CurrentReleaseDate, "a time not before the initial release")
	}
	if v.Version, e = r.version(&d.Tracking); e != nil {
		return nil, e
	}
	if !r.released.Equal(v.Timestamp) || v.Version > 1 {
		v.LastUpdated = r.released
	}
	if e := r.tree(&w.ProductTree); e != nil {
		return nil, e
	}
	if e := csafRules(w, r.groups); e != nil {
		return nil, e
	}
	if len(w.Vulnerabilities) == 0 {
		return nil, csafBroken("6.1.27.11", "/vulnerabilities", "", "at least one")
	}
	for i := range w.Vulnerabilities {
		ss, e := r.vulnerability("/vulnerabilities/"+strconv.Itoa(i), &w.Vulnerabilities[i])
		if e != nil {
			return nil, e
		}
		v.Statements = append(v.Statements, ss...)
	}
	if len(v.Statements) == 0 {
		return nil, csafBroken("6.1.27.7", "/vulnerabilities", "", "a product status that VEX has")
	}
	c := checker{odd: func(e *assay.Error) {
		r.losses.add(e.Field, e.Value, "odd as OpenVEX, which wants "+e.Bound+" ("+e.Rule+")")
	}}
	if e := c.document(v); e != nil {
		return nil, e
	}
	normalize(v)
	return v, nil
}

func csafTime(field, s string, required bool) (time.Time, *assay.Error) {
	if s == "" && required {
		return time.Time{}, csafBroken("3.1", field, "", "a time")
	}
	return parseTime(field, s)
}

// version is that of integer versioning, else the number of revisions.
func (r *csafReader) version(t *csafTracking) (int, *assay.Error) {
	n, err := strconv.Atoi(t.Version)
	if err == nil && n >= 1 {
		return n, nil
	}
	if t.Version == "" {
		return 0, csafBroken("3.2.1.12.8", "/document/tracking/version", "", "a version")
	}
	n = max(1, len(t.RevisionHistory))
	r.losses.add("/document/tracking/version", t.Version, "OpenVEX counts versions; the number of revisions, "+strconv.Itoa(n)+", is taken")
	return n, nil
}

// about gives the product_ids that a flag, threat or remediation is about: all, if it
// names none.
func (r *csafReader) about(field string, a csafAbout) (func(id string) bool, *assay.Error) {
	if len(a.GroupIDs) == 0 && len(a.ProductIDs) == 0 {
		return func(string) bool { return true }, nil
	}
	set := map[string]bool{}
	for _, id := range a.ProductIDs {
		set[id] = true
	}
	for _, g := range a.GroupIDs {
		ids, ok := r.groups[g]
		if !ok {
			return nil, csafBroken("6.1.4", field+"/group_ids", g, "a group that the product tree defines")
		}
		for _, id := range ids {
			set[id] = true
		}
	}
	return func(id string) bool { return set[id] }, nil
}

func (r *csafReader) vulnerability(at string, w *csafVulnerability) ([]assay.VEXStatement, *assay.Error) {
	base, notes, e := r.identify(at, w)
	if e != nil {
		return nil, e
	}
	// Other identifiers may be of several, such as an advisory's.
	if w.CVE != "" && r.seen[base.ID] {
		return nil, csafBroken("6.1.23", at, string(base.ID), "each vulnerability once")
	}
	r.seen[base.ID] = true
	if len(w.Notes) == 0 {
		r.losses.add(at+"/notes", "", "nothing describes the vulnerability (CSAF 6.1.27.5)")
	}
	if len(w.Scores) > 0 {
		r.losses.add(at+"/scores", "", "OpenVEX has no scores")
	}
	if len(w.Metrics) > 0 {
		r.losses.add(at+"/metrics", "", "OpenVEX has no scores")
	}
	status := map[string]assay.Status{}
	var order []string
	for _, l := range w.Status.lists() {
		if l.status == "" {
			if len(l.ids) > 0 {
				r.losses.add(at+"/product_status/"+l.field, l.ids[0], "OpenVEX has no such status")
			}
			continue
		}
		for _, id := range l.ids {
			if _, ok := status[id]; !ok {
				status[id] = l.status
				order = append(order, id)
			}
		}
	}
	var out []assay.VEXStatement
	// Products of which the same is said share a statement.
	index := map[string]int{}
	for _, id := range order {
		s := assay.VEXStatement{Vulnerability: base, Status: status[id], StatusNotes: notes}
		if ok, e := r.explain(at, w, id, &s); e != nil || !ok {
			if e != nil {
				return nil, e
			}
			continue
		}
		p, e := r.resolve(at+"/product_status", id)
		if e != nil {
			return nil, e
		}
		if r.between(id) && (s.Status == assay.NotAffected || s.Status == assay.Fixed && !exact(p.Subcomponents)) {
			r.losses.add(at+"/product_status", id, "it is so in one part of the whole, and OpenVEX would say it of all; left out")
			continue
		}
		key := statementKey(&s)
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, cloneStatement(&s))
		}
		out[i].Products = joinProduct(out[i].Products, p)
	}
	return out, nil
}

// exact reports whether the parts are builds, of which what is fixed is so wherever they are.
func exact(parts []assay.Product) bool {
	return !slices.ContainsFunc(parts, func(p assay.Product) bool { return p.PURL.Version() == "" && !strong(p.Digests) })
}

// joinProduct adds a product to a list, or its parts to the same one there.
func joinProduct(ps []assay.Product, p assay.Product) []assay.Product {
	whole := func(q assay.Product) assay.Product { q.Subcomponents = nil; return q }
	for i := range ps {
		q := &ps[i]
		if compareProduct(whole(*q), whole(p)) != 0 || (len(q.Subcomponents) == 0) != (len(p.Subcomponents) == 0) {
			continue
		}
		for _, sub := range p.Subcomponents {
			if !slices.ContainsFunc(q.Subcomponents, func(o assay.Product) bool { return compareProduct(o, sub) == 0 }) {
				q.Subcomponents = append(q.Subcomponents, sub)
			}
		}
		return ps
	}
	return append(ps, p)
}

func (r *csafReader) identify(at string, w *csafVulnerability) (v assay.Vulnerability, notes string, e *assay.Error) {
	var ids []assay.VulnID
	add := func(field, s string) *assay.Error {
		id, e := vulnID(field, s)
		if e != nil {
			return e
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		return nil
	}
	if w.CVE != "" {
		if e := add(at+"/cve", w.CVE); e != nil {
			return v, "", e
		}
	}
	for i, id := range w.IDs {
		field := at + "/ids/" + strconv.Itoa(i) + "/text"
		if len(id.GroupIDs) > 0 || len(id.ProductIDs) > 0 {
			r.losses.add(field, id.Text, "the identifier is for some products, and OpenVEX has those for all")
			continue
		}
		if e := add(field, id.Text); e != nil {
			r.losses.add(field, id.Text, "it is no identifier of a vulnerability")
		}
	}
	if len(ids) == 0 {
		return v, "", csafBroken("6.1.27.8", at, "", "a cve, or ids")
	}
	v.ID, v.Aliases = ids[0], sorted(slices.Clone(ids[1:]), cmp.Compare[assay.VulnID])
	for i, n := range w.Notes {
		switch {
		case n.Category == "description" && v.Description == "":
			v.Description = n.Text
		case n.Category == "details" && notes == "":
			notes = n.Text
		case n.Category == "general" && n.Text == string(v.ID): // EncodeCSAF has to write one
		default:
			r.losses.add(at+"/notes/"+strconv.Itoa(i), n.Text, "OpenVEX has a description and status notes only")
		}
	}
	return v, notes, nil
}

// explain fills in what goes with the status, and the time; it is false for what
// cannot be stated.
func (r *csafReader) explain(at string, w *csafVulnerability, id string, s *assay.VEXStatement) (bool, *assay.Error) {
	date := func(field, d string) *assay.Error {
		t, e := csafTime(field, d, false)
		if e == nil && !t.IsZero() && !t.After(r.released) && t.After(s.Timestamp) {
			s.Timestamp = t
		}
		return e
	}
	join := func(to *string, text string) {
		if *to != "" {
			*to += "\n"
		}
		*to += text
	}
	if s.Status == assay.NotAffected {
		for i, f := range w.Flags {
			field := at + "/flags/" + strconv.Itoa(i)
			is, e := r.about(field, f.csafAbout)
			if e != nil {
				return false, e
			}
			if !is(id) {
				continue
			}
			j, err := assay.ParseJustification(f.Label)
			if err != nil {
				return false, csafBroken("3.2.3.5", field+"/label", f.Label, "one of the five labels")
			}
			s.Justification = j
			if e := date(field+"/date", f.Date); e != nil {
				return false, e
			}
		}
		for i, t := range w.Threats {
			field := at + "/threats/" + strconv.Itoa(i)
			is, e := r.about(field, t.csafAbout)
			if e != nil {
				return false, e
			}
			if t.Category != "impact" || !is(id) {
				continue
			}
			join(&s.ImpactStatement, t.Details)
			if e := date(field+"/date", t.Date); e != nil {
				return false, e
			}
		}
		if s.Justification == "" && strings.TrimSpace(s.ImpactStatement) == "" {
			r.losses.add(at+"/product_status/known_not_affected", id, "without flag or impact statement nothing says why (CSAF 6.1.27.9); left out")
			return false, nil
		}
	}
	if s.Status == assay.Affected {
		for i, m := range w.Remediations {
			field := at + "/remediations/" + strconv.Itoa(i)
			is, e := r.about(field, m.csafAbout)
			if e != nil {
				return false, e
			}
			if !is(id) {
				continue
			}
			text := m.Details
			if m.Category != "mitigation" {
				text = m.Category + ": " + text
			}
			if m.URL != "" {
				text += " " + m.URL
			}
			join(&s.ActionStatement, text)
			t, e := csafTime(field+"/date", m.Date, false)
			if e != nil {
				return false, e
			}
			s.ActionStatementTimestamp = latest(s.ActionStatementTimestamp, t)
			if e := date(field+"/date", m.Date); e != nil {
				return false, e
			}
		}
		if strings.TrimSpace(s.ActionStatement) == "" {
			s.ActionStatement = "No remediation is stated."
			r.losses.add(at+"/product_status/known_affected", id, "without remediation nothing says what to do (CSAF 6.1.27.10); said so")
		}
	}
	if s.Timestamp.IsZero() {
		s.Timestamp = r.released
	}
	return true, nil
}
