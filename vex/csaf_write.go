package vex

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// CSAF is what a CSAF document says that OpenVEX does not.
type CSAF struct {
	// Namespace is the publisher's, a URL. Default: scheme and host of the document's
	// identifier where that is http or https; otherwise REQUIRED.
	Namespace string
	// Category is the publisher's: coordinator, discoverer, other, translator, user or
	// vendor. Default: the author's role if it is one of these, else other.
	Category string
	// Title is the document's. Default: "VEX of " and the author.
	Title string
}

// maxRevisions bounds the revision history, which has to have one entry for each
// version (CSAF 2.0, section 6.1.21).
const maxRevisions = 1000

// EncodeCSAF writes the document under the VEX profile of CSAF 2.0 (section 4.5), with
// what could not be carried over: CSAF states one status for each vulnerability and
// product, so what later statements override is left out, and it has no time for
// fixed and under_investigation. The document is held to the rules first, as by
// [Encode]. The same document gives the same bytes.
//
// [ReadCSAF] gives back what is no Loss.
func EncodeCSAF(doc *assay.VEX, o CSAF) ([]byte, []Loss, error) {
	fail := func(e *assay.Error) error {
		e.Op, e.Subject = "write CSAF", doc.ID
		return e
	}
	if e := (&checker{complete: true}).document(doc); e != nil {
		return nil, nil, fail(e)
	}
	w := &csafWriter{doc: clone(doc), ids: map[string]string{}}
	normalize(w.doc)
	out, e := w.document(o)
	if e != nil {
		return nil, nil, fail(e)
	}
	data, err := strictjson.MarshalIndent(out)
	if err != nil {
		return nil, nil, fail(&assay.Error{Kind: assay.ErrInvalid, Err: err})
	}
	return append(data, '\n'), w.losses, nil
}

type csafWriter struct {
	doc      *assay.VEX
	losses   losses
	ids      map[string]string // product_id by the product's content
	tree     csafTree
	released time.Time
}

func (w *csafWriter) document(o CSAF) (*csafDocument, *assay.Error) {
	v := w.doc
	if v.Version > maxRevisions {
		return nil, &assay.Error{Kind: assay.ErrBound, Field: "/version", Value: strconv.Itoa(v.Version),
			Bound: strconv.Itoa(maxRevisions) + " revisions, all of which CSAF lists", Rule: "CSAF 6.1.21"}
	}
	if o.Namespace == "" {
		if u, err := url.Parse(v.ID); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
			o.Namespace = u.Scheme + "://" + u.Host
		}
	}
	if !isIRI(o.Namespace) {
		return nil, csafBroken("3.2.1.8", "namespace", o.Namespace, "the URL of the publisher")
	}
	categories := []string{"coordinator", "discoverer", "other", "translator", "user", "vendor"}
	if o.Category == "" {
		o.Category = "other"
		if slices.Contains(categories, v.AuthorRole) {
			o.Category = v.AuthorRole
		}
	}
	if !slices.Contains(categories, o.Category) {
		return nil, csafBroken("3.2.1.8.1", "category", o.Category, strings.Join(categories, ", "))
	}
	if v.AuthorRole != o.Category {
		w.losses.add("/role", v.AuthorRole, "a publisher has a category; "+o.Category+" is written")
	}
	out := &csafDocument{}
	d := &out.Document
	d.Category, d.CSAFVersion = "csaf_vex", "2.0"
	d.Publisher = csafPublisher{Category: o.Category, Name: v.Author, Namespace: o.Namespace}
	d.Title = cmp.Or(o.Title, "VEX of "+v.Author)
	w.released = latest(v.Timestamp, v.LastUpdated)
	for i := range v.Statements {
		s := &v.Statements[i]
		if t := latest(s.Timestamp, s.LastUpdated); t.After(w.released) {
			return nil, broken(4, "/statements/"+strconv.Itoa(i)+"/timestamp", formatTime(t), "a time not after the document's, "+formatTime(w.released))
		}
	}
	d.Tracking = csafTracking{
		CurrentReleaseDate: formatTime(w.released), ID: v.ID, InitialReleaseDate: formatTime(v.Timestamp), Status: "final", Version: strconv.Itoa(v.Version),
	}
	if v.Tooling != "" {
		d.Tracking.Generator = &csafGenerator{}
		d.Tracking.Generator.Engine.Name = v.Tooling
	}
	for n := 1; n <= v.Version; n++ {
		date := d.Tracking.InitialReleaseDate
		if n == v.Version {
			date = d.Tracking.CurrentReleaseDate
		}
		d.Tracking.RevisionHistory = append(d.Tracking.RevisionHistory, csafRevision{date, strconv.Itoa(n), "Version " + strconv.Itoa(n) + "."})
	}
	w.vulnerabilities(out)
	out.ProductTree = w.tree
	return out, nil
}

// vulnerabilities groups the statements that count by vulnerability.
func (w *csafWriter) vulnerabilities(out *csafDocument) {
	line := NewTimeline([]*assay.VEX{w.doc}, w.released)
	index := map[assay.VulnID]int{}
	notes := map[assay.VulnID]map[string]bool{}
	for i := range w.doc.Statements {
		s := &w.doc.Statements[i]
		m := notes[s.Vulnerability.ID]
		if m == nil {
			m = map[string]bool{}
			notes[s.Vulnerability.ID] = m
		}
		m[s.StatusNotes] = true
	}
	for i := range w.doc.Statements {
		s := &w.doc.Statements[i]
		at := "/statements/" + strconv.Itoa(i)
		var ids []string
		for j, p := range s.Products {
			p, ok := w.losses.counting(line, at+"/products/"+strconv.Itoa(j), i, s, p, "CSAF")
			if !ok {
				continue
			}
			ids = append(ids, w.product(at+"/products/"+strconv.Itoa(j), p)...)
		}
		if len(ids) == 0 {
			continue
		}
		n, ok := index[s.Vulnerability.ID]
		if !ok {
			n = len(out.Vulnerabilities)
			index[s.Vulnerability.ID] = n
			out.Vulnerabilities = append(out.Vulnerabilities, w.vulnerability(&s.Vulnerability))
		}
		cv := &out.Vulnerabilities[n]
		w.merge(at, cv, &s.Vulnerability)
		if s.StatusNotes != "" {
			note := csafNote{"details", s.StatusNotes}
			switch {
			case len(notes[s.Vulnerability.ID]) > 1:
				w.losses.add(at+"/status_notes", s.StatusNotes, "CSAF has notes for a vulnerability, and its statements differ in theirs")
			case !slices.Contains(cv.Notes, note):
				cv.Notes = append(cv.Notes, note)
			}
		}
		w.statement(at, cv, s, slices.Compact(sorted(ids, cmp.Compare[string])))
	}
	for i := range out.Vulnerabilities {
		// The profile wants a note (section 4.5).
		if cv := &out.Vulnerabilities[i]; len(cv.Notes) == 0 {
			cv.Notes = []csafNote{{"general", cmp.Or(cv.CVE, firstID(cv.IDs))}}
		}
	}
}

func firstID(ids []csafID) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0].Text
}

func (w *csafWriter) vulnerability(v *assay.Vulnerability) csafVulnerability {
	cv := csafVulnerability{}
	if strings.HasPrefix(string(v.ID), "CVE-") {
		cv.CVE = string(v.ID)
	} else {
		cv.IDs = []csafID{{SystemName: systemOf(v.ID), Text: string(v.ID)}}
	}
	if v.Description != "" {
		cv.Notes = append(cv.Notes, csafNote{"description", v.Description})
	}
	return cv
}

// merge adds what another statement says of the same vulnerability.
func (w *csafWriter) merge(at string, cv *csafVulnerability, v *assay.Vulnerability) {
	for _, a := range v.Aliases {
		if a != v.ID && !slices.ContainsFunc(cv.IDs, func(id csafID) bool { return id.Text == string(a) }) {
			cv.IDs = append(cv.IDs, csafID{SystemName: systemOf(a), Text: string(a)})
		}
	}
	if v.IRI != "" {
		w.losses.add(at+"/vulnerability/@id", v.IRI, "CSAF has no IRI for a vulnerability")
	}
	if v.Description != "" && !slices.Contains(cv.Notes, csafNote{"description", v.Description}) {
		w.losses.add(at+"/vulnerability/description", v.Description, "another statement describes the vulnerability otherwise")
	}
}

// systemOf names the database that an identifier is of.
func systemOf(id assay.VulnID) string {
	prefix, _, ok := strings.Cut(string(id), "-")
	switch {
	case prefix == "GHSA":
		return "GitHub Advisory Database"
	case prefix == "GO":
		return "Go Vulnerability Database"
	case ok && prefix != "":
		return prefix
	}
	return "unknown"
}

func (w *csafWriter) statement(at string, cv *csafVulnerability, s *assay.VEXStatement, ids []string) {
	about := csafAbout{ProductIDs: ids}
	since := latest(s.Timestamp, s.LastUpdated)
	kept := since.Equal(w.released)
	switch s.Status {
	case assay.NotAffected:
		cv.Status.KnownNotAffected = append(cv.Status.KnownNotAffected, ids...)
		if s.Justification != "" {
			cv.Flags = append(cv.Flags, csafFlag{formatTime(since), about, string(s.Justification)})
		}
		if s.ImpactStatement != "" {
			cv.Threats = append(cv.Threats, csafThreat{"impact", formatTime(since), s.ImpactStatement, about})
		}
		kept = true
	case assay.Affected:
		cv.Status.KnownAffected = append(cv.Status.KnownAffected, ids...)
		date := s.ActionStatementTimestamp
		if date.IsZero() {
			date = since
			w.losses.add(at+"/action_statement_timestamp", "", "a remediation has one time; the statement's is written")
		}
		kept = date.Equal(since)
		cv.Remediations = append(cv.Remediations, csafRemedy{Category: "mitigation", Date: formatTime(date), Details: s.ActionStatement, csafAbout: about})
	case assay.Fixed:
		cv.Status.Fixed = append(cv.Status.Fixed, ids...)
	case assay.UnderInvestigation:
		cv.Status.UnderInvestigation = append(cv.Status.UnderInvestigation, ids...)
	}
	if !kept {
		w.losses.add(at+"/timestamp", formatTime(since), "CSAF has no time for it but the release's")
	}
	if !s.LastUpdated.IsZero() {
		w.losses.add(at+"/last_updated", formatTime(s.LastUpdated), "CSAF has one time")
	}
	for _, l := range []struct{ field, value string }{
		{"/@id", s.ID}, {"/supplier", s.Supplier},
	} {
		if l.value != "" {
			w.losses.add(at+l.field, l.value, "CSAF has no place for it")
		}
	}
	if s.Version > 0 {
		w.losses.add(at+"/version", strconv.Itoa(s.Version), "CSAF has no place for it")
	}
	if s.Status != assay.NotAffected && (s.Justification != "" || s.ImpactStatement != "") {
		w.losses.add(at+"/justification", string(s.Justification)+s.ImpactStatement, "CSAF has it with known_not_affected")
	}
	if s.Status != assay.Affected && s.ActionStatement != "" {
		w.losses.add(at+"/action_statement", s.ActionStatement, "CSAF has it with known_affected")
	}
}

// product gives the product_ids that stand for a product: of its own, or of a
// relationship for each part.
func (w *csafWriter) product(at string, p assay.Product) []string {
	whole := p
	whole.Subcomponents = nil
	outer := w.define(at, whole)
	if len(p.Subcomponents) == 0 {
		return []string{outer}
	}
	var ids []string
	for i, sub := range p.Subcomponents {
		inner := w.define(at+"/subcomponents/"+strconv.Itoa(i), sub)
		key := "relationship " + inner + " " + outer
		id, ok := w.ids[key]
		if !ok {
			id = w.next(key)
			w.tree.Relationships = append(w.tree.Relationships, csafRelationship{
				Category: "default_component_of", Reference: inner, RelatesTo: outer,
				Product: csafProduct{Name: productName(sub) + " in " + productName(p), ProductID: id},
			})
		}
		ids = append(ids, id)
	}
	return ids
}

// csafCPE is what a CPE has to be like (CSAF 2.0, section 3.1.3.3.1).
var csafCPE = regexp.MustCompile(`^(cpe:2\.3:[aho*\-](:(` + csafValue + `|[*\-])){5}(:([a-zA-Z]{2,3}(-([a-zA-Z]{2}|[0-9]{3}))?|[*\-]))(:(` + csafValue +
	`|[*\-])){4}|[cC][pP][eE]:/[AHOaho]?(:[A-Za-z0-9._\-~%]*){0,6})$`)

const csafValue = `(\?*|\*?)([a-zA-Z0-9\-._]|\\[\\*?!"#$%&'()+,/:;<=>@\[\]^` + "`" + `{|}~])+(\?*|\*?)`

func (w *csafWriter) next(key string) string {
	id := fmt.Sprintf("CSAFPID-%04d", len(w.ids)+1)
	w.ids[key] = id
	return id
}

func (w *csafWriter) define(at string, p assay.Product) string {
	key := fmt.Sprintf("%#v", p)
	if id, ok := w.ids[key]; ok {
		return id
	}
	id := w.next(key)
	h := &csafHelper{PURL: p.PURL.String()}
	for _, c := range p.CPEs {
		if csafCPE.MatchString(c) && (h.CPE == "" || strings.HasPrefix(c, prefixCPE23)) {
			h.CPE = c
		}
	}
	for _, c := range p.CPEs {
		label, reason := "/identifiers/cpe22", "CSAF has one CPE for a product"
		if strings.HasPrefix(c, prefixCPE23) {
			label = "/identifiers/cpe23"
		}
		if !csafCPE.MatchString(c) {
			reason = "it is not as the schema of CSAF wants a CPE"
		}
		if c != h.CPE {
			w.losses.add(at+label, c, reason)
		}
	}
	if len(p.Digests) > 0 {
		file := csafHashes{Filename: productName(p)}
		for _, d := range p.Digests {
			for _, n := range csafHashNames {
				if n[1] == hashLabel(d.Algorithm()) {
					file.FileHashes = append(file.FileHashes, csafHash{n[0], d.Hex()})
				}
			}
			if hashLabel(d.Algorithm()) == "blake2b-256" {
				w.losses.add(at+"/hashes/blake2b-256", d.Hex(), "CSAF names hashes as OpenSSL does, which has none for it")
			}
		}
		if len(file.FileHashes) > 0 {
			h.Hashes = []csafHashes{file}
		}
	}
	switch {
	case p.ID == "" || p.ID == p.PURL.String():
	case strings.ContainsFunc(p.ID, func(r rune) bool { return r > 126 }):
		w.losses.add(at+"/@id", p.ID, "CSAF wants a URI, which has ASCII characters only")
	default:
		h.URIs = []csafURI{{Context, p.ID}}
	}
	full := csafProduct{Name: productName(p), ProductID: id, Helper: h}
	if empty, _ := json.Marshal(h); string(empty) == "{}" {
		full.Helper = nil
	}
	w.tree.FullProductNames = append(w.tree.FullProductNames, full)
	return id
}
