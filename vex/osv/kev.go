package osv

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// kevCatalogue is the name of the catalogue in [assay.Exploited].
const kevCatalogue = "CISA KEV"

type kevWire struct {
	Count           *int             `json:"count"`
	Vulnerabilities []jsontext.Value `json:"vulnerabilities"`
}

type kevEntry struct {
	ID        string `json:"cveID"`
	Name      string `json:"vulnerabilityName"`
	DateAdded string `json:"dateAdded"`
	DueDate   string `json:"dueDate"`
}

// readKEV reads CISA's catalogue of known exploited vulnerabilities. Each entry is a
// record that says so and nothing of packages; it joins the advisories of the
// vulnerability by its names. A catalogue that counts other than it has is not whole.
func readKEV(name string, data []byte, to taker) error {
	var w kevWire
	if err := strictjson.Unmarshal(name, data, &w, strictjson.Limits{}); err != nil {
		return err
	}
	r := recordReader{name}
	if w.Vulnerabilities == nil {
		return r.bad("/vulnerabilities", "", "a list of vulnerabilities", "CISA KEV")
	}
	if w.Count != nil && *w.Count != len(w.Vulnerabilities) {
		return r.bad("/count", strconv.Itoa(*w.Count), strconv.Itoa(len(w.Vulnerabilities))+", as many as there are vulnerabilities", "CISA KEV")
	}
	for i, value := range w.Vulnerabilities {
		field := "/vulnerabilities/" + strconv.Itoa(i)
		a, err := r.exploited(field, value)
		if err != nil {
			err = to.skip(field, err)
		} else {
			err = to.add(a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r recordReader) exploited(field string, value jsontext.Value) (*Advisory, error) {
	var w kevEntry
	if err := strictjson.Unmarshal(r.name, value, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if w.ID == "" {
		return nil, r.bad(field+"/cveID", "", "an identifier", "CISA KEV")
	}
	id, err := assay.ParseVulnID(w.ID)
	if err != nil {
		return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: r.name, Field: field + "/cveID", Rule: "CISA KEV", Err: err}
	}
	a := &Advisory{ID: id, Summary: w.Name, Exploited: &assay.Exploited{Catalogue: kevCatalogue}}
	for _, d := range []struct {
		field, text string
		to          *time.Time
	}{{"/dateAdded", w.DateAdded, &a.Exploited.Added}, {"/dueDate", w.DueDate, &a.Exploited.Due}} {
		if d.text == "" {
			continue
		}
		if *d.to, err = time.Parse(time.DateOnly, d.text); err != nil {
			return nil, r.bad(field+d.field, d.text, "a date, YYYY-MM-DD", "CISA KEV")
		}
	}
	return a, nil
}
