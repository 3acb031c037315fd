package vex

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// CycloneDX is what a CycloneDX document may leave open.
type CycloneDX struct {
	// Author answers for the statements where the document names nobody.
	Author string
	// Time is when the document was issued where it does not say so itself.
	Time time.Time
	// Base is the IRI that the identifier of a document without serialNumber is
	// derived below. Default: [DefaultBase].
	Base string
	// Resolve finds the product that a BOM-Link ("urn:cdx:...") into another document
	// names. Default: it stays an IRI, which only the same link matches.
	Resolve func(link string) (p assay.Product, ok bool)
}

// ReadCycloneDX reads the vulnerabilities of a CycloneDX document of version 1.4 or
// later, in JSON, as VEX, with what could not be carried over. Its Format is like
// "cyclonedx-json/1.6".
//
// A vulnerability without analysis, or without a component that it affects, states
// nothing and is a Loss. Of the states, resolved and resolved_with_pedigree are fixed,
// exploitable is affected, in_triage is under_investigation, not_affected is itself,
// and so is false_positive. Justifications that OpenVEX has no label for
// (requires_configuration, requires_dependency, requires_environment) become impact
// statements; not_affected without justification and detail says nothing why, and is
// left out as a Loss. Recommendation and workaround are the action statement.
//
// A statement is about the component of the metadata, with the component that is
// referred to as subcomponent; about that alone, if the metadata name none. Where the same
// purl is in several places, without hashes to tell them apart, a statement that closes
// something for some of them is a Loss. Where its
// purl has no version, the versions and ranges that the document lists as affected
// become purls with a version, or with the qualifier "vers".
func ReadCycloneDX(name string, data []byte, o CycloneDX) (*assay.VEX, []Loss, error) {
	var w cdxDocument
	if err := strictjson.Unmarshal(name, data, &w, strictjson.Limits{MaxBytes: maxDocument}); err != nil {
		return nil, nil, err
	}
	r := &cdxReader{o: o, refs: map[string]assay.Product{}, named: map[assay.PURL][]string{}}
	v, e := r.document(&w)
	if e != nil {
		e.Op, e.Subject = "read CycloneDX VEX", name
		return nil, nil, e
	}
	return v, r.losses, nil
}

type cdxReader struct {
	o      CycloneDX
	losses losses
	refs   map[string]assay.Product
	// named are the bom-refs of a purl that is in several places.
	named  map[assay.PURL][]string
	root   assay.Product // zero if the metadata name none
	ref    string        // of the root
	issued time.Time
}

func cdxBroken(field, value, want string) *assay.Error {
	return &assay.Error{Kind: assay.ErrInvalid, Field: field, Value: value, Bound: want, Rule: "CycloneDX " + strings.TrimLeft(field, "/")}
}

func (r *cdxReader) document(w *cdxDocument) (*assay.VEX, *assay.Error) {
	switch {
	case w.BOMFormat != "CycloneDX":
		return nil, cdxBroken("/bomFormat", w.BOMFormat, "CycloneDX")
	case !slices.Contains([]string{"1.4", "1.5", "1.6", "1.7"}, w.SpecVersion):
		return nil, cdxBroken("/specVersion", w.SpecVersion, "1.4 to 1.7")
	case w.Version < 0:
		return nil, cdxBroken("/version", strconv.Itoa(w.Version), "1 or more")
	}
	v := &assay.VEX{ID: w.SerialNumber, Version: max(1, w.Version), Author: r.o.Author, Format: "cyclonedx-json/" + w.SpecVersion}
	var e *assay.Error
	if v.Timestamp, e = parseTime("/metadata/timestamp", w.Metadata.Timestamp); e != nil {
		return nil, e
	}
	if v.Timestamp.IsZero() {
		v.Timestamp = r.o.Time.UTC().Round(0)
	}
	r.issued = v.Timestamp
	if a := authors(&w.Metadata); a != "" {
		v.Author = a
	}
	if c := w.Metadata.Component; c != nil {
		if e := r.component("/metadata/component", c); e != nil {
			return nil, e
		}
		r.root, r.ref = r.refs[c.Ref], c.Ref
		if c.Ref == "" {
			if r.root, e = r.product("/metadata/component", c); e != nil {
				return nil, e
			}
		}
		if productName(r.root) == "" {
			return nil, cdxBroken("/metadata/component", c.Name, "a purl, CPE, hash or bom-ref that names the product")
		}
	}
	for i := range w.Components {
		if e := r.component("/components/"+strconv.Itoa(i), &w.Components[i]); e != nil {
			return nil, e
		}
	}
	for i := range w.Vulnerabilities {
		at := "/vulnerabilities/" + strconv.Itoa(i)
		s, ok, e := r.statement(at, &w.Vulnerabilities[i])
		if e != nil {
			return nil, e
		}
		if ok {
			v.Statements = append(v.Statements, s)
		}
	}
	derive := v.ID == ""
	if derive {
		if v.ID, e = baseIRI(r.o.Base); e != nil {
			return nil, e
		}
	}
	c := checker{complete: true, odd: func(e *assay.Error) {
		r.losses.add(e.Field, e.Value, "odd as OpenVEX, which wants "+e.Bound+" ("+e.Rule+")")
	}}
	if e := c.document(v); e != nil {
		return nil, e
	}
	normalize(v)
	if derive {
		return v, deriveID(v)
	}
	return v, nil
}

func authors(m *cdxMetadata) string {
	var names []string
	for _, a := range m.Authors {
		if n := cmp.Or(a.Name, a.Email); n != "" {
			names = append(names, n)
		}
	}
	for _, c := range []*cdxContact{m.Manufacturer, m.Supplier} {
		if c != nil && len(names) == 0 && c.Name != "" {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// component records a component and those in it by their bom-ref.
func (r *cdxReader) component(at string, c *cdxComponent) *assay.Error {
	p, e := r.product(at, c)
	if e != nil {
		return e
	}
	if c.Ref != "" {
		if _, twice := r.refs[c.Ref]; twice {
			return cdxBroken(at+"/bom-ref", c.Ref, "each bom-ref once")
		}
		r.refs[c.Ref] = p
		if !p.PURL.IsZero() {
			r.named[p.PURL] = append(r.named[p.PURL], c.Ref)
		}
	}
	for i := range c.Components {
		if e := r.component(at+"/components/"+strconv.Itoa(i), &c.Components[i]); e != nil {
			return e
		}
	}
	return nil
}

// product names a component; its ID is its bom-ref where that is an IRI and nothing
// else names it.
func (r *cdxReader) product(at string, c *cdxComponent) (assay.Product, *assay.Error) {
	var p assay.Product
	if c.PURL != "" {
		q, err := assay.ParsePURL(c.PURL)
		if err != nil {
			e := cdxBroken(at+"/purl", c.PURL, "a package URL")
			e.Err = err
			return p, e
		}
		p.PURL, p.ID = q, q.String()
	}
	if c.CPE != "" {
		if !strings.HasPrefix(c.CPE, prefixCPE22) && !strings.HasPrefix(c.CPE, prefixCPE23) {
			return p, cdxBroken(at+"/cpe", c.CPE, "a CPE name")
		}
		p.CPEs = []string{c.CPE}
	}
	for i, h := range c.Hashes {
		field := at + "/hashes/" + strconv.Itoa(i)
		label := ""
		for _, n := range cdxHashNames {
			if n[0] == h.Alg {
				label = n[1]
			}
		}
		alg, ok := hashAlgorithm(label)
		if !ok {
			r.losses.add(field, h.Alg, "OpenVEX has no label for the algorithm")
			continue
		}
		d, err := assay.NewDigest(alg, strings.ToLower(h.Content))
		if err != nil || !p.Digests.Get(alg).IsZero() {
			return p, cdxBroken(field+"/content", h.Content, "one digest of each algorithm, in hexadecimal")
		}
		p.Digests = append(p.Digests, d)
	}
	if p.ID == "" && len(p.CPEs) == 0 && c.Ref != "" {
		p.ID = c.Ref
		if !isIRI(c.Ref) {
			p.ID = "urn:x-bom-ref:" + escapeIRI(c.Ref)
		}
	}
	return p, nil
}

// escapeIRI escapes all but unreserved characters.
func escapeIRI(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x80 && (plainCPE(c|0x20) || plainCPE(c)) && c > ' ' {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
	}
	return b.String()
}

func (r *cdxReader) statement(at string, w *cdxVulnerability) (s assay.VEXStatement, ok bool, e *assay.Error) {
	if w.Analysis == nil || w.Analysis.State == "" {
		r.losses.add(at+"/analysis", w.ID, "without state nothing is stated; left out")
		return s, false, nil
	}
	id, e := vulnID(at+"/id", w.ID)
	if e != nil {
		return s, false, e
	}
	s.Vulnerability = assay.Vulnerability{ID: id, Description: w.Description}
	for i, ref := range w.References {
		field := at + "/references/" + strconv.Itoa(i) + "/id"
		alias, e := vulnID(field, ref.ID)
		if e != nil {
			r.losses.add(field, ref.ID, "it is no identifier of a vulnerability")
		} else if alias != id && !slices.Contains(s.Vulnerability.Aliases, alias) {
			s.Vulnerability.Aliases = append(s.Vulnerability.Aliases, alias)
		}
	}
	if ok, e := r.analysis(at, w, &s); e != nil || !ok {
		return s, false, e
	}
	spoken := map[string]bool{}
	for i := range w.Affects {
		spoken[w.Affects[i].Ref] = true
	}
	for i := range w.Affects {
		field := at + "/affects/" + strconv.Itoa(i)
		ps, e := r.affects(field, &w.Affects[i])
		if e != nil {
			return s, false, e
		}
		if p := r.refs[w.Affects[i].Ref]; settled(s.Status) && !strong(p.Digests) &&
			slices.ContainsFunc(r.named[p.PURL], func(ref string) bool { return !spoken[ref] }) {
			r.losses.add(field+"/ref", w.Affects[i].Ref, "it is so in one of several places, and OpenVEX would say it of all; left out")
			continue
		}
		for _, p := range ps {
			s.Products = joinProduct(s.Products, p)
		}
	}
	if len(s.Products) == 0 {
		r.losses.add(at+"/affects", w.ID, "without component nothing is stated; left out")
		return s, false, nil
	}
	return s, true, nil
}

func (r *cdxReader) analysis(at string, w *cdxVulnerability, s *assay.VEXStatement) (bool, *assay.Error) {
	a := w.Analysis
	var e *assay.Error
	if s.Timestamp, e = parseTime(at+"/analysis/firstIssued", a.FirstIssued); e != nil {
		return false, e
	}
	if s.LastUpdated, e = parseTime(at+"/analysis/lastUpdated", a.LastUpdated); e != nil {
		return false, e
	}
	if s.Timestamp.IsZero() {
		s.Timestamp, s.LastUpdated = s.LastUpdated, time.Time{}
	}
	if s.Timestamp.IsZero() {
		s.Timestamp = r.issued
	}
	switch a.State {
	case "resolved", "resolved_with_pedigree":
		s.Status, s.StatusNotes = assay.Fixed, a.Detail
	case "in_triage":
		s.Status, s.StatusNotes = assay.UnderInvestigation, a.Detail
	case "exploitable":
		s.Status, s.StatusNotes = assay.Affected, a.Detail
		action := []string{w.Recommendation, w.Workaround}
		if len(a.Response) > 0 {
			action = append(action, "Response: "+strings.Join(a.Response, ", ")+".")
		}
		s.ActionStatement = strings.Join(slices.DeleteFunc(action, func(s string) bool { return strings.TrimSpace(s) == "" }), "\n")
		if s.ActionStatement == "" {
			s.ActionStatement = "No remediation is stated."
			r.losses.add(at+"/recommendation", "", "nothing says what to do; said so")
		}
	case "not_affected", "false_positive":
		s.Status = assay.NotAffected
		return r.justify(at, a, s)
	default:
		return false, cdxBroken(at+"/analysis/state", a.State, "one of the six states")
	}
	return true, nil
}

// justify says why a product is not affected.
func (r *cdxReader) justify(at string, a *cdxAnalysis, s *assay.VEXStatement) (bool, *assay.Error) {
	s.ImpactStatement = a.Detail
	field, why := at+"/analysis/justification", a.Justification
	switch why {
	case "":
	case "code_not_present":
		s.Justification = assay.VulnerableCodeNotPresent
	case "code_not_reachable":
		s.Justification = assay.VulnerableCodeNotInExecutePath
	case "protected_by_mitigating_control":
		s.Justification = assay.InlineMitigationsAlreadyExist
	case "protected_by_compiler", "protected_at_runtime", "protected_at_perimeter":
		s.Justification = assay.InlineMitigationsAlreadyExist
		r.losses.add(field, why, "OpenVEX has one label for mitigations")
	case "requires_configuration", "requires_dependency", "requires_environment":
		s.ImpactStatement = strings.TrimSpace(why + " " + a.Detail)
		r.losses.add(field, why, "OpenVEX has no label for it; it is in the impact statement")
	default:
		return false, cdxBroken(field, why, "one of the nine justifications")
	}
	if a.State == "false_positive" {
		s.ImpactStatement = strings.TrimSpace("false_positive " + s.ImpactStatement)
		r.losses.add(at+"/analysis/state", a.State, "OpenVEX has not_affected only; it is in the impact statement")
	}
	if s.Justification == "" && strings.TrimSpace(s.ImpactStatement) == "" {
		r.losses.add(at+"/analysis", a.State, "without justification and detail nothing says why; left out")
		return false, nil
	}
	return true, nil
}

// affects gives the products of one reference.
func (r *cdxReader) affects(at string, w *cdxAffects) ([]assay.Product, *assay.Error) {
	if r.ref != "" && w.Ref == r.ref {
		return r.versions(at, w.Ref, cloneProduct(r.root), w.Versions), nil
	}
	p, ok := r.refs[w.Ref]
	if !ok {
		if !strings.HasPrefix(w.Ref, "urn:cdx:") || !isIRI(w.Ref) {
			return nil, cdxBroken(at+"/ref", w.Ref, "a component of the document, or a BOM-Link")
		}
		if r.o.Resolve != nil {
			p, ok = r.o.Resolve(w.Ref)
		}
		if !ok {
			p = assay.Product{ID: w.Ref}
			r.losses.add(at+"/ref", w.Ref, "the component is in another document; only the same link matches it")
		}
		// What another document has is no part of this one's component.
		return []assay.Product{p}, nil
	}
	var out []assay.Product
	for _, q := range r.versions(at, w.Ref, p, w.Versions) {
		if r.root.ID == "" && r.root.PURL.IsZero() && len(r.root.CPEs)+len(r.root.Digests) == 0 {
			out = append(out, q)
			continue
		}
		whole := cloneProduct(r.root)
		whole.Subcomponents = []assay.Product{q}
		out = append(out, whole)
	}
	return out, nil
}

// versions spells the versions out where the purl leaves them open. Without purl they
// cannot be stated, and what names every version then names nothing.
func (r *cdxReader) versions(at, ref string, p assay.Product, vs []cdxVersion) []assay.Product {
	if len(vs) == 0 {
		return []assay.Product{p}
	}
	if p.PURL.IsZero() || p.PURL.Version() != "" {
		r.losses.add(at+"/versions", "", "the component has its own version, or no purl; it counts")
		p.CPEs = slices.DeleteFunc(slices.Clone(p.CPEs), func(s string) bool {
			n, ok := parseCPE(s)
			every := ok && n[cpeVersion] == "*" && p.PURL.IsZero()
			if every {
				r.losses.add(at+"/versions", s, "it names every version, and not these; left out")
			}
			return every
		})
		if p.ID == "" && len(p.CPEs) == 0 {
			p.ID = "urn:x-bom-ref:" + escapeIRI(ref)
		}
		return []assay.Product{p}
	}
	var out []assay.Product
	for i, v := range vs {
		field := at + "/versions/" + strconv.Itoa(i)
		if v.Status != "" && v.Status != "affected" {
			r.losses.add(field, v.Status, "the analysis is of the affected versions; left out")
			continue
		}
		parts := p.PURL.Parts()
		parts.Version = v.Version
		if v.Range != "" {
			parts.Qualifiers["vers"] = v.Range
			if _, _, ok := parseVers(v.Range); !ok {
				r.losses.add(field+"/range", v.Range, "it is no version range; left out")
				continue
			}
		}
		q, err := assay.NewPURL(parts)
		if err != nil || (v.Version == "") == (v.Range == "") {
			r.losses.add(field, v.Version+v.Range, "it is neither one version nor one range; left out")
			continue
		}
		// Hashes and CPE are of no one version.
		out = append(out, PURLProduct(q))
	}
	return out
}
