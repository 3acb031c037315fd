package vex

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Read decodes an OpenVEX document of v0.2.0 or v0.0.1 and holds it to the rules of
// the package documentation. The name, of a file or blob, is for errors, which are
// [*assay.Error] with the JSON pointer of the offence and the rule it breaks.
//
// Statements come complete: an inherited timestamp is filled in. A statement that
// has no products is a Warning of rule 10 and has none in the result either, until
// [InheritSubjects] completes it; no evaluation takes it to be about anything.
// Products, subcomponents, CPEs and aliases come sorted, times in UTC; statements
// keep their order. A v0.0.1 document comes as v0.2.0 would say it, with Format
// "openvex/0.0.1".
func Read(name string, data []byte) (*assay.VEX, []Warning, error) {
	r := &reader{name: name, purls: map[string]assay.PURL{}}
	v, err := r.read(data)
	if err != nil {
		return nil, nil, err
	}
	return v, r.warnings, nil
}

// maxDocument has room for the 300,000 statements of a large vendor.
const maxDocument = 512 << 20

// reader turns the wire form into the model.
type reader struct {
	name     string
	warnings []Warning
	at       string                // prefix of the fields of warnings
	purls    map[string]assay.PURL // documents repeat the same few products
}

// warn keeps a breach as a warning.
func (r *reader) warn(e *assay.Error) {
	r.warnings = append(r.warnings, Warning{e.Rule, r.name, r.at + e.Field, e.Value, e.Bound})
}

// fail finishes the error of a breach.
func (r *reader) fail(e *assay.Error) error {
	e.Op, e.Subject = "read OpenVEX", r.name
	return e
}

func (r *reader) read(data []byte) (*assay.VEX, error) {
	var w wireDocument
	err := strictjson.Unmarshal(r.name, data, &w, strictjson.Limits{MaxBytes: maxDocument, RejectUnknown: true})
	if err != nil || w.Context != Context {
		// Which rules it must be read by is in the document itself.
		var peek struct {
			Context string `json:"@context"`
		}
		if peekErr := strictjson.Unmarshal(r.name, data, &peek, strictjson.Limits{MaxBytes: maxDocument}); peekErr != nil {
			return nil, ruled(peekErr)
		}
		switch peek.Context {
		case Context:
			return nil, ruled(err)
		case contextUnversioned, context001:
			if e := refuseNull(data); e != nil {
				return nil, r.fail(e)
			}
			return r.read001(data, peek.Context)
		}
		return nil, r.fail(broken(1, "/@context", peek.Context, Context+", or "+contextUnversioned+" for v0.0.1"))
	}
	if e := refuseNull(data); e != nil {
		return nil, r.fail(e)
	}
	return r.document(w, format020)
}

// document converts, checks, and then sorts; in that order, because the pointers in
// errors are those of the document.
func (r *reader) document(w wireDocument, format string) (*assay.VEX, error) {
	v := &assay.VEX{ID: w.ID, Author: w.Author, AuthorRole: w.Role, Tooling: w.Tooling, Format: format}
	var e *assay.Error
	if v.Timestamp, e = parseTime("/timestamp", w.Timestamp); e != nil {
		return nil, r.fail(e)
	}
	if v.LastUpdated, e = parseTime("/last_updated", w.LastUpdated); e != nil {
		return nil, r.fail(e)
	}
	if w.Version != nil {
		v.Version = *w.Version
	}
	v.Statements = make([]assay.VEXStatement, len(w.Statements))
	for i := range w.Statements {
		r.at = "/statements/" + strconv.Itoa(i)
		if e := r.statement(&v.Statements[i], &w.Statements[i], v); e != nil {
			return nil, r.fail(within(e, "statements", i))
		}
	}
	r.at = ""
	c := checker{odd: r.warn}
	if e := c.document(v); e != nil {
		return nil, r.fail(e)
	}
	normalize(v)
	return v, nil
}

func (r *reader) statement(s *assay.VEXStatement, w *wireStatement, doc *assay.VEX) *assay.Error {
	*s = assay.VEXStatement{
		ID: w.ID, Status: assay.Status(w.Status), StatusNotes: w.StatusNotes, Supplier: w.Supplier,
		ImpactStatement: w.ImpactStatement, ActionStatement: w.ActionStatement,
	}
	if w.Version != nil {
		switch s.Version = *w.Version; {
		case s.Version < 0:
			return broken(5, "/version", strconv.Itoa(s.Version), "1 or more")
		case s.Version == 0: // S: "defaults to zero"; J: at least 1
			r.warn(broken(5, "/version", "0", "no version, or 1 and more"))
		}
	}
	if w.Justification != nil {
		if *w.Justification == "" {
			return broken(8, "/justification", `""`, "one of the five justification labels, or no member")
		}
		s.Justification = assay.Justification(*w.Justification)
	}
	var e *assay.Error
	if s.Timestamp, e = parseTime("/timestamp", w.Timestamp); e != nil {
		return e
	}
	if s.Timestamp.IsZero() { // rule 11
		s.Timestamp = doc.Timestamp
	}
	if s.LastUpdated, e = parseTime("/last_updated", w.LastUpdated); e != nil {
		return e
	}
	if s.ActionStatementTimestamp, e = parseTime("/action_statement_timestamp", w.ActionStatementTimestamp); e != nil {
		return e
	}
	if s.Vulnerability, e = r.vulnerability(&w.Vulnerability); e != nil {
		return e
	}
	if len(w.Products) == 0 {
		return nil
	}
	at := r.at
	defer func() { r.at = at }()
	s.Products = make([]assay.Product, len(w.Products))
	for i := range w.Products {
		r.at = at + "/products/" + strconv.Itoa(i)
		if e := r.product(&s.Products[i], &w.Products[i]); e != nil {
			return within(e, "products", i)
		}
	}
	return nil
}

func (r *reader) vulnerability(w *wireVulnerability) (assay.Vulnerability, *assay.Error) {
	v := assay.Vulnerability{IRI: w.ID, Description: w.Description}
	id, e := vulnID("/vulnerability/name", w.Name)
	if e != nil {
		return v, e
	}
	v.ID = id
	for i, a := range w.Aliases {
		id, e := vulnID("/vulnerability/aliases/"+strconv.Itoa(i), a)
		if e != nil {
			return v, e
		}
		v.Aliases = append(v.Aliases, id)
	}
	return v, nil
}

func vulnID(field, s string) (assay.VulnID, *assay.Error) {
	id, err := assay.ParseVulnID(s)
	if err != nil {
		e := broken(13, field, s, "the identifier of a vulnerability")
		e.Err = err
		return "", e
	}
	return id, nil
}

func (r *reader) product(p *assay.Product, w *wireProduct) *assay.Error {
	if e := r.component(p, &w.wireComponent); e != nil {
		return e
	}
	if len(w.Subcomponents) == 0 {
		return nil
	}
	at := r.at
	defer func() { r.at = at }()
	p.Subcomponents = make([]assay.Product, len(w.Subcomponents))
	for i := range w.Subcomponents {
		r.at = at + "/subcomponents/" + strconv.Itoa(i)
		if e := r.component(&p.Subcomponents[i], &w.Subcomponents[i]); e != nil {
			return within(e, "subcomponents", i)
		}
	}
	return nil
}

func (r *reader) component(p *assay.Product, w *wireComponent) *assay.Error {
	p.ID = w.ID
	var e *assay.Error
	if p.Digests, e = r.readHashes(w.Hashes); e != nil {
		return e
	}
	if id := w.Identifiers; id != nil {
		if *id == (wireIdentifiers{}) {
			return broken(14, "/identifiers", "", "a purl, cpe22 or cpe23")
		}
		if id.PURL != "" {
			var err error
			if p.PURL, err = r.purl(id.PURL); err != nil {
				e := broken(14, "/identifiers/purl", id.PURL, "a package URL")
				e.Err = err
				return e
			}
		}
		for _, cpe := range []struct{ field, value, prefix string }{
			{"/identifiers/cpe22", id.CPE22, prefixCPE22}, {"/identifiers/cpe23", id.CPE23, prefixCPE23},
		} {
			if cpe.value == "" {
				continue
			}
			if !strings.HasPrefix(cpe.value, cpe.prefix) {
				return broken(14, cpe.field, cpe.value, "a name that begins with "+cpe.prefix)
			}
			p.CPEs = append(p.CPEs, cpe.value)
		}
	}
	if p.PURL.IsZero() && strings.HasPrefix(p.ID, "pkg:") {
		// A failure is the checker's to report.
		p.PURL, _ = r.purl(p.ID)
	}
	return nil
}

const (
	prefixCPE22 = "cpe:/"
	prefixCPE23 = "cpe:2.3:"
)

func (r *reader) purl(s string) (assay.PURL, error) {
	if p, ok := r.purls[s]; ok {
		return p, nil
	}
	p, err := assay.ParsePURL(s)
	if err == nil {
		r.purls[s] = p
	}
	return p, err
}

// ruled names the rule that a decoding error is a breach of.
func ruled(err error) error {
	e, ok := errors.AsType[*assay.Error](err)
	if !ok || !errors.Is(err, assay.ErrInvalid) || strings.HasPrefix(e.Field, "offset ") {
		return err
	}
	last := e.Field[strings.LastIndexByte(e.Field, '/')+1:]
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return err
	}
	n := 6
	switch last {
	case "@context":
		n = 1
	case "@id":
		n = 2
	case "author":
		n = 3
	case "timestamp", "last_updated", "action_statement_timestamp":
		n = 4
	case "version":
		n = 5
	case "status":
		n = 7
	case "justification":
		n = 8
	case "name":
		n = 13
	}
	if e.Bound == unknownMember || e.Bound == repeatedMember {
		n = 6
	}
	e.Rule = rule(n)
	return e
}

// How strictjson words it.
const (
	unknownMember  = "a member that is known here"
	repeatedMember = "each member name once"
)

// refuseNull finds a null: every member has a type, and none is null (rule 6). The
// decoder would take it for an absent member.
func refuseNull(data []byte) *assay.Error {
	if !bytes.Contains(data, []byte("null")) {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		t, err := dec.ReadToken()
		if err != nil { // strictjson has read it; this is the end
			return nil
		}
		if t.Kind() == 'n' {
			return broken(6, string(dec.StackPointer()), "null", "a value, or no member")
		}
	}
}
