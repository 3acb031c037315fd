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
// document's, which nothing else matches. A relationship is its outer product with the
// inner as subcomponent. Flags are justifications, threats of category impact are
// impact statements, remediations are action statements. A statement dates from its
// flag, threat or remediation, else from the current release, because what earlier
// releases said is not in the document.
//
// Status fixed and first_fixed is fixed; known, first and last affected is affected.
// Nothing becomes not_affected that has neither flag nor impact statement: it is left
// out as a Loss. Affected without remediation stays, with an action statement that
// says so. Errors name the test or section of CSAF 2.0 that is broken, such as
// "CSAF 6.1.6": a product that is defined twice (6.1.2) or nowhere (6.1.1), circular
// relationships (6.1.3), contradicting statuses (6.1.6), a vulnerability without
// identifier (6.1.27.8), a status that nothing states (6.1.27.7 is a Loss).
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
	field        string
}

func csafBroken(section, field, value, want string) *assay.Error {
	return &assay.Error{Kind: assay.ErrInvalid, Field: field, Value: value, Bound: want, Rule: "CSAF " + section}
}

func (r *csafReader) document(w *csafDocument) (*assay.VEX, *assay.Error) {
	d := &w.Document
	if d.CSAFVersion != "2.0" && d.CSAFVersion != "2.1" {
		return nil, csafBroken("3.2.1.4", "/document/csaf_version", d.CSAFVersion, "2.0 or 2.1")
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

func (r *csafReader) define(field string, p *csafProduct, n csafNamed) *assay.Error {
	if p.ProductID == "" {
		return csafBroken("3.1.8", field+"/product_id", "", "an identifier")
	}
	if _, ok := r.products[p.ProductID]; ok {
		return csafBroken("6.1.2", field+"/product_id", p.ProductID, "each product defined once")
	}
	var named bool
	var e *assay.Error
	if n.product, named, e = r.helper(field+"/product_identification_helper", p.Helper); e != nil {
		return e
	}
	switch {
	case named:
		n.inner, n.outer = "", ""
		if n.product.ID == "" && len(n.product.CPEs) == 0 {
			// Hashes alone are no name to OpenVEX (rule 15).
			n.product.ID = r.id + "#" + url.PathEscape(p.ProductID)
		}
	case n.inner == "":
		n.product = assay.Product{ID: r.id + "#" + url.PathEscape(p.ProductID)}
		r.losses.add(field, p.Name, "the product has only a name; its IRI here is of this document alone")
	}
	n.field = field
	r.products[p.ProductID] = n
	return nil
}

func (r *csafReader) helper(field string, h *csafHelper) (p assay.Product, named bool, e *assay.Error) {
	if h == nil {
		return p, false, nil
	}
	purls := h.PURLs
	if h.PURL != "" {
		purls = append([]string{h.PURL}, purls...)
	}
	for i, s := range purls {
		if i > 0 {
			r.losses.add(field+"/purls", s, "OpenVEX has one purl for a product")
			continue
		}
		q, err := assay.ParsePURL(s)
		if err != nil {
			e := csafBroken("6.1.13", field+"/purl", s, "a package URL")
			e.Err = err
			return p, false, e
		}
		p.PURL = q
	}
	if h.CPE != "" {
		if !strings.HasPrefix(h.CPE, prefixCPE22) && !strings.HasPrefix(h.CPE, prefixCPE23) {
			return p, false, csafBroken("3.1.3.3.1", field+"/cpe", h.CPE, "a CPE name")
		}
		p.CPEs = []string{h.CPE}
	}
	switch {
	case len(h.Hashes) > 1:
		r.losses.add(field+"/hashes", "", "the hashes are of several files, and OpenVEX has those of one")
	case len(h.Hashes) == 1:
		for _, f := range h.Hashes[0].FileHashes {
			label := ""
			for _, n := range csafHashNames {
				if n[0] == strings.ToLower(f.Algorithm) {
					label = n[1]
				}
			}
			alg, ok := hashAlgorithm(label)
			if !ok {
				r.losses.add(field+"/hashes", f.Algorithm, "OpenVEX has no label for the algorithm")
				continue
			}
			d, err := assay.NewDigest(alg, strings.ToLower(f.Value))
			if err != nil || !p.Digests.Get(alg).IsZero() {
				return p, false, csafBroken("3.1.3.3.2", field+"/hashes", f.Value, "one digest of each algorithm, in hexadecimal")
			}
			p.Digests = append(p.Digests, d)
		}
	}
	for i, u := range h.URIs {
		if !isIRI(u.URI) || p.ID != "" {
			r.losses.add(field+"/x_generic_uris/"+strconv.Itoa(i), u.URI, "OpenVEX has one IRI for a product")
			continue
		}
		p.ID = u.URI
	}
	if p.ID == "" {
		p.ID = p.PURL.String()
	}
	return p, p.ID != "" || len(p.CPEs) > 0 || len(p.Digests) > 0, nil
}

// tree collects what is defined.
func (r *csafReader) tree(t *csafTree) *assay.Error {
	for i := range t.FullProductNames {
		if e := r.define("/product_tree/full_product_names/"+strconv.Itoa(i), &t.FullProductNames[i], csafNamed{}); e != nil {
			return e
		}
	}
	if e := r.branches("/product_tree", t.Branches); e != nil {
		return e
	}
	for i := range t.Relationships {
		rel := &t.Relationships[i]
		at := "/product_tree/relationships/" + strconv.Itoa(i)
		switch rel.Category {
		case "default_component_of", "optional_component_of", "external_component_of", "installed_on", "installed_with":
		default:
			return csafBroken("3.2.2.4.1", at+"/category", rel.Category, "one of the five categories")
		}
		if rel.Reference == "" || rel.RelatesTo == "" {
			return csafBroken("3.2.2.4", at, "", "two products")
		}
		if e := r.define(at+"/full_product_name", &rel.Product, csafNamed{inner: rel.Reference, outer: rel.RelatesTo}); e != nil {
			return e
		}
		if rel.Category != "default_component_of" {
			r.losses.add(at+"/category", rel.Category, "OpenVEX says only that it is a part")
		}
	}
	for i, g := range t.ProductGroups {
		at := "/product_tree/product_groups/" + strconv.Itoa(i)
		if _, ok := r.groups[g.GroupID]; ok {
			return csafBroken("6.1.5", at+"/group_id", g.GroupID, "each group defined once")
		}
		r.groups[g.GroupID] = g.ProductIDs
	}
	return nil
}

func (r *csafReader) branches(at string, bs []csafBranch) *assay.Error {
	for i := range bs {
		here := at + "/branches/" + strconv.Itoa(i)
		if bs[i].Product != nil {
			if bs[i].Category == "product_version_range" {
				r.losses.add(here+"/name", bs[i].Name, "OpenVEX takes the product as identified, not the range in its name")
			}
			if e := r.define(here+"/product", bs[i].Product, csafNamed{}); e != nil {
				return e
			}
		}
		if e := r.branches(here, bs[i].Branches); e != nil {
			return e
		}
	}
	return nil
}

// resolve gives the product that a product_id stands for.
func (r *csafReader) resolve(field, id string) (assay.Product, *assay.Error) {
	n, ok := r.products[id]
	if !ok {
		return assay.Product{}, csafBroken("6.1.1", field, id, "a product that the product tree defines")
	}
	if n.inner == "" {
		return cloneProduct(n.product), nil
	}
	inner, e := r.end(n.field, id, func(n csafNamed) string { return n.inner })
	if e != nil {
		return assay.Product{}, e
	}
	outer, e := r.end(n.field, id, func(n csafNamed) string { return n.outer })
	if e != nil {
		return assay.Product{}, e
	}
	outer.Subcomponents = []assay.Product{inner}
	return outer, nil
}

// end follows relationships on one side to a product that is none.
func (r *csafReader) end(field, id string, next func(csafNamed) string) (assay.Product, *assay.Error) {
	for range len(r.products) + 1 {
		n, ok := r.products[id]
		if !ok {
			return assay.Product{}, csafBroken("6.1.1", field, id, "a product that the product tree defines")
		}
		if n.inner == "" {
			return cloneProduct(n.product), nil
		}
		id = next(n)
	}
	return assay.Product{}, csafBroken("6.1.3", field, id, "relationships without circle")
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
	if r.seen[base.ID] {
		return nil, csafBroken("6.1.23", at, string(base.ID), "each vulnerability once")
	}
	r.seen[base.ID] = true
	if len(w.Scores) > 0 {
		r.losses.add(at+"/scores", "", "OpenVEX has no scores")
	}
	status := map[string]assay.Status{}
	var order []string
	for _, l := range []struct {
		field  string
		ids    []string
		status assay.Status
	}{
		{"known_affected", w.Status.KnownAffected, assay.Affected}, {"first_affected", w.Status.FirstAffected, assay.Affected},
		{"last_affected", w.Status.LastAffected, assay.Affected}, {"known_not_affected", w.Status.KnownNotAffected, assay.NotAffected},
		{"fixed", w.Status.Fixed, assay.Fixed}, {"first_fixed", w.Status.FirstFixed, assay.Fixed},
		{"under_investigation", w.Status.UnderInvestigation, assay.UnderInvestigation},
	} {
		for i, id := range l.ids {
			switch was, ok := status[id]; {
			case !ok:
				status[id] = l.status
				order = append(order, id)
			case was != l.status:
				return nil, csafBroken("6.1.6", at+"/product_status/"+l.field+"/"+strconv.Itoa(i), id, string(was)+", as stated besides")
			}
		}
	}
	for _, l := range []struct {
		field string
		ids   []string
	}{{"recommended", w.Status.Recommended}, {"unknown", w.Status.Unknown}} {
		if len(l.ids) > 0 {
			r.losses.add(at+"/product_status/"+l.field, l.ids[0], "OpenVEX has no such status")
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
			if len(f.GroupIDs) == 0 && len(f.ProductIDs) == 0 {
				return false, csafBroken("6.1.32", field, f.Label, "the products that the flag is about")
			}
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
			if s.Justification != "" && s.Justification != j {
				r.losses.add(field+"/label", f.Label, "OpenVEX has one justification; "+string(s.Justification)+" is taken")
				continue
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
