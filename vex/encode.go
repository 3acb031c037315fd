package vex

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Encode writes the document as OpenVEX v0.2.0, whatever version it was read from,
// after [Validate]. The same document gives the same bytes: indented, lists that are
// sets sorted, times in UTC, nothing escaped for HTML, one newline at the end. Each
// statement has its time spelt out, so that nothing hangs on the document's.
//
// [Read] gives the document back, Format aside. What Read accepted with a Warning
// that the rules call odd is refused here.
func Encode(doc *assay.VEX) ([]byte, error) {
	if e := (&checker{complete: true}).document(doc); e != nil {
		return nil, encodeError(doc, e)
	}
	data, err := strictjson.MarshalIndent(toWire(doc))
	if err != nil {
		return nil, &assay.Error{Op: "write OpenVEX", Subject: doc.ID, Kind: assay.ErrInvalid, Err: err}
	}
	return append(data, '\n'), nil
}

func encodeError(doc *assay.VEX, e *assay.Error) error {
	e.Op, e.Subject = "write OpenVEX", doc.ID
	return e
}

// toWire takes a document that was checked.
func toWire(doc *assay.VEX) *wireDocument {
	v := clone(doc)
	normalize(v)
	w := &wireDocument{
		Context: Context, ID: v.ID, Author: v.Author, Role: v.AuthorRole, Timestamp: formatTime(v.Timestamp),
		LastUpdated: formatTime(v.LastUpdated), Version: &v.Version, Tooling: v.Tooling,
		Statements: make([]wireStatement, len(v.Statements)),
	}
	for i := range v.Statements {
		s := &v.Statements[i]
		ws := &w.Statements[i]
		*ws = wireStatement{
			ID: s.ID, Timestamp: formatTime(s.Timestamp), LastUpdated: formatTime(s.LastUpdated), Status: string(s.Status),
			Supplier: s.Supplier, StatusNotes: s.StatusNotes, ImpactStatement: s.ImpactStatement,
			ActionStatement: s.ActionStatement, ActionStatementTimestamp: formatTime(s.ActionStatementTimestamp),
			Vulnerability: wireVulnerability{ID: s.Vulnerability.IRI, Name: string(s.Vulnerability.ID), Description: s.Vulnerability.Description},
		}
		if s.Version > 0 {
			ws.Version = &s.Version
		}
		if s.Justification != "" {
			j := string(s.Justification)
			ws.Justification = &j
		}
		for _, a := range s.Vulnerability.Aliases {
			ws.Vulnerability.Aliases = append(ws.Vulnerability.Aliases, string(a))
		}
		for _, p := range s.Products {
			wp := wireProduct{wireComponent: toWireComponent(p)}
			for _, sub := range p.Subcomponents {
				wp.Subcomponents = append(wp.Subcomponents, toWireComponent(sub))
			}
			ws.Products = append(ws.Products, wp)
		}
	}
	return w
}

func toWireComponent(p assay.Product) wireComponent {
	w := wireComponent{ID: p.ID}
	// The purl is written as identifier even where the @id is one, because readers
	// look for it in either place.
	id := wireIdentifiers{PURL: p.PURL.String()}
	for _, cpe := range p.CPEs {
		if strings.HasPrefix(cpe, prefixCPE23) {
			id.CPE23 = cpe
		} else {
			id.CPE22 = cpe
		}
	}
	if id != (wireIdentifiers{}) {
		w.Identifiers = &id
	}
	if len(p.Digests) > 0 {
		w.Hashes = make(map[string]string, len(p.Digests))
		for _, d := range p.Digests {
			w.Hashes[hashLabel(d.Algorithm())] = d.Hex()
		}
	}
	return w
}
