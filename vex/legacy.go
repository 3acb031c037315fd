package vex

import (
	"cmp"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// The structs of OpenVEX v0.0.1. Two members have two shapes: a version that is
// text there is a number in v0.2.0, and documents with the unversioned @context
// (ATTESTING.md has one) use v0.2.0's structs below it.
type wireDocument001 struct {
	Context     string             `json:"@context"`
	ID          string             `json:"@id"`
	Author      string             `json:"author"`
	Role        string             `json:"role"`
	Timestamp   string             `json:"timestamp"`
	LastUpdated string             `json:"last_updated"`
	Version     json.RawMessage    `json:"version"`
	Tooling     string             `json:"tooling"`
	Supplier    string             `json:"supplier"`
	Statements  []wireStatement001 `json:"statements"`
}

type wireStatement001 struct {
	ID                       string            `json:"@id"`
	Version                  *int              `json:"version"`
	Vulnerability            json.RawMessage   `json:"vulnerability"`
	VulnDescription          string            `json:"vuln_description"`
	Timestamp                string            `json:"timestamp"`
	LastUpdated              string            `json:"last_updated"`
	Products                 []json.RawMessage `json:"products"`
	Subcomponents            []string          `json:"subcomponents"`
	Status                   string            `json:"status"`
	Supplier                 string            `json:"supplier"`
	StatusNotes              string            `json:"status_notes"`
	Justification            *string           `json:"justification"`
	ImpactStatement          string            `json:"impact_statement"`
	ActionStatement          string            `json:"action_statement"`
	ActionStatementTimestamp string            `json:"action_statement_timestamp"`
}

func (r *reader) read001(data []byte, context string) (*assay.VEX, error) {
	var old wireDocument001
	if err := strictjson.Unmarshal(r.name, data, &old, strictjson.Limits{MaxBytes: maxDocument, RejectUnknown: true}); err != nil {
		return nil, ruled(err)
	}
	w := wireDocument{
		ID: old.ID, Author: old.Author, Role: old.Role, Timestamp: old.Timestamp, LastUpdated: old.LastUpdated,
		Tooling: old.Tooling, Statements: make([]wireStatement, len(old.Statements)),
	}
	if e := version001(&w.Version, old.Version); e != nil {
		return nil, r.fail(e)
	}
	mixed := ""
	for i := range old.Statements {
		field, err := r.statement001(&w.Statements[i], &old.Statements[i], old.Supplier)
		if err != nil {
			e := broken(6, field, "", "")
			if inner, ok := errors.AsType[*assay.Error](err); ok {
				e.Value, e.Bound, e.Err = inner.Value, inner.Bound, inner.Err
				e.Rule = cmp.Or(inner.Rule, e.Rule)
				if inner.Field != "/" {
					e.Field += inner.Field
				}
			}
			return nil, r.fail(within(e, "statements", i))
		}
		if field != "" && mixed == "" {
			mixed = "/statements/" + strconv.Itoa(i) + field
		}
	}
	if mixed != "" {
		// Structs of v0.2.0 below a context that has none. A document that names
		// v0.0.1 outright has no excuse.
		e := broken(1, mixed, "a struct of v0.2.0", "text, under "+context)
		if context == context001 {
			return nil, r.fail(e)
		}
		r.warn(e)
	}
	return r.document(w, format001)
}

// statement001 brings an old statement into the new form. Without an error, field
// is the member that had the new form already; with one, the member at fault.
func (r *reader) statement001(w *wireStatement, old *wireStatement001, supplier string) (field string, err error) {
	*w = wireStatement{
		ID: old.ID, Version: old.Version, Timestamp: old.Timestamp, LastUpdated: old.LastUpdated, Status: old.Status,
		Supplier: old.Supplier, StatusNotes: old.StatusNotes, Justification: old.Justification,
		ImpactStatement: old.ImpactStatement, ActionStatement: old.ActionStatement,
		ActionStatementTimestamp: old.ActionStatementTimestamp,
	}
	if w.Supplier == "" {
		w.Supplier = supplier
	}
	strict := strictjson.Limits{RejectUnknown: true}
	mixed := ""
	switch {
	case len(old.Vulnerability) == 0: // the checker reports it
	case old.Vulnerability[0] == '{':
		mixed = "/vulnerability"
		if err := strictjson.Unmarshal(r.name, old.Vulnerability, &w.Vulnerability, strict); err != nil {
			return "/vulnerability", err
		}
	default:
		if err := strictjson.Unmarshal(r.name, old.Vulnerability, &w.Vulnerability.Name, strict); err != nil {
			return "/vulnerability", err
		}
	}
	if old.VulnDescription != "" {
		w.Vulnerability.Description = old.VulnDescription
	}
	for i, raw := range old.Products {
		var p wireProduct
		at := "/products/" + strconv.Itoa(i)
		if raw[0] == '{' {
			if mixed == "" {
				mixed = at
			}
			err = strictjson.Unmarshal(r.name, raw, &p, strict)
		} else {
			err = strictjson.Unmarshal(r.name, raw, &p.ID, strict)
		}
		if err != nil {
			return at, err
		}
		// v0.0.1 has the subcomponents at the statement: they are of each product.
		for _, s := range old.Subcomponents {
			p.Subcomponents = append(p.Subcomponents, wireComponent{ID: s})
		}
		w.Products = append(w.Products, p)
	}
	if len(old.Products) == 0 && len(old.Subcomponents) > 0 {
		return "/subcomponents", broken(10, "", "", "products that they are parts of")
	}
	return mixed, nil
}

// version001 reads a version that is text or a number.
func version001(v **int, raw json.RawMessage) *assay.Error {
	if len(raw) == 0 {
		return nil
	}
	s := string(raw)
	if raw[0] == '"' {
		if err := strictjson.Unmarshal("version", raw, &s, strictjson.Limits{}); err != nil {
			return broken(5, "/version", string(raw), "a whole number")
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || s[0] == '+' {
		return broken(5, "/version", s, "a whole number")
	}
	*v = &n
	return nil
}
