package scan

import (
	"bytes"
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

const reportOp = "read scanner report"

// errFormat is the cause where a document is none of the reports that are read.
var errFormat = errors.New("not a report of Grype, Trivy or OSV-Scanner")

// ReadReport reads the JSON report of Grype ([ReadGrype]), Trivy ([ReadTrivy]) or
// OSV-Scanner ([ReadOSVScanner]). Which it is, the first member says that only one of
// them writes at the top: no two have one in common. Anything else is an
// [assay.ErrUnchecked]. The name, of the file, is for errors; a report has at most 128
// MiB.
//
// Three things hold for all. A finding has the scanner's own identifier of the
// vulnerability, and the severities of every source that the report names. A
// component without a package URL that can be read has "name@version" as its
// identifier instead, so that the finding is not lost. What the user of the scanner
// had it suppress, where the report still tells of it, is a finding like all others:
// who signs for an image decides by VEX what does not count.
//
// None of the reports says reliably what was asked about, so that Coverage is nil, nor
// when the scan started, and only Grype's tells the database. Who signs the scan adds
// what it knows.
func ReadReport(name string, data []byte) (*assay.Scan, error) {
	switch reportFormat(data) {
	case "grype":
		return ReadGrype(name, data)
	case "trivy":
		return ReadTrivy(name, data)
	case "osv-scanner":
		return ReadOSVScanner(name, data)
	}
	return nil, &assay.Error{Op: reportOp, Kind: assay.ErrUnchecked, Subject: name, Err: errFormat}
}

// reportFormat goes through the members at the top until one tells.
func reportFormat(data []byte) string {
	found := ""
	members(data, func(name string) bool {
		switch name {
		case "matches", "ignoredMatches", "descriptor":
			found = "grype"
		case "SchemaVersion", "ArtifactName", "Results":
			found = "trivy"
		case "results", "experimental_config":
			found = "osv-scanner"
		}
		return found == ""
	})
	return found
}

// firstMember gives the name of an object's first member, "" if there is none.
func firstMember(data []byte) (first string) {
	members(data, func(name string) bool { first = name; return false })
	return first
}

// members gives the names of an object's members, until one of them is not to be
// followed by more or the JSON is none.
func members(data []byte, more func(name string) bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return
	}
	for dec.PeekKind() == '"' {
		t, err := dec.ReadToken()
		if err != nil || !more(t.String()) || dec.SkipValue() != nil {
			return
		}
	}
}

// report collects what a reader understands.
type report struct {
	name string
	scan *assay.Scan
}

func newReport(name string, scanner assay.Scanner) *report {
	return &report{name, &assay.Scan{Scanner: scanner, Findings: []assay.Finding{}}}
}

// done sorts, and drops what was found in several places and is the same.
func (r *report) done() *assay.Scan {
	slices.SortStableFunc(r.scan.Findings, assay.Finding.Compare)
	r.scan.Findings = slices.CompactFunc(r.scan.Findings, func(a, b assay.Finding) bool { return a.Compare(b) == 0 && reflect.DeepEqual(a, b) })
	sortUnevaluated(r.scan.Unevaluated)
	r.scan.Unevaluated = slices.Compact(r.scan.Unevaluated)
	return r.scan
}

func (r *report) bad(field, value, bound string, err error) error {
	return &assay.Error{Op: reportOp, Kind: assay.ErrInvalid, Subject: r.name, Field: field, Value: value, Bound: bound, Err: err}
}

func (r *report) unevaluated(f assay.Finding, reason string) {
	r.scan.Unevaluated = append(r.scan.Unevaluated, assay.Unevaluated{Vulnerability: f.Vulnerability.ID, Component: f.Component, PURL: f.PURL, Reason: reason})
}

// id reads the identifier of a vulnerability. One that is none leaves the question
// what it is about: the finding is not evaluated.
func (r *report) id(f *assay.Finding, field, text string) (bool, error) {
	if text == "" {
		return false, r.bad(field, "", "an identifier", nil)
	}
	id, err := assay.ParseVulnID(text)
	if err != nil {
		r.unevaluated(*f, "the scanner reports the vulnerability "+strconv.Quote(text)+", which is no identifier")
		return false, nil
	}
	f.Vulnerability.ID = id
	return true, nil
}

// ids reads identifiers that are not the vulnerability's own. What is none may have
// been the name that a VEX document has for it.
func (r *report) ids(f *assay.Finding, texts ...string) (out []assay.VulnID) {
	for _, text := range texts {
		if id, err := assay.ParseVulnID(text); err == nil {
			out = append(out, id)
		} else {
			r.unevaluated(*f, "the scanner reports the other name "+strconv.Quote(text)+", which is no identifier")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// component names what a finding is in.
func component(f *assay.Finding, purl, name, version string) {
	if purl != "" {
		if p, err := assay.NormalizePURL(purl); err == nil {
			f.PURL = p
			return
		}
	}
	f.Component = assay.ComponentID(strings.TrimSuffix(name+"@"+version, "@"))
	if f.Component == "" {
		f.Component = assay.ComponentID(purl)
	}
}

// date reads a day or a time of RFC 3339; one before 1970 is not known.
func (r *report) date(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return time.Time{}, r.bad(field, text, "a day, or a time of RFC 3339", err)
		}
	}
	return known(t), nil
}

// addSeverity leaves out what is there already, of the same source.
func addSeverity(f *assay.Finding, s assay.Severity) {
	if s.Vector == "" && s.Score == 0 && s.Rating == "" {
		return
	}
	if !slices.Contains(f.Severities, s) {
		f.Severities = append(f.Severities, s)
	}
}

func addWord(f *assay.Finding, source, word string) {
	if s, ok := wordOrVector(source, word); ok {
		addSeverity(f, s)
	}
}

// addScore takes a score of zero with a vector for one that was not given: the vector
// says what it is.
func addScore(f *assay.Finding, source, vector string, score float64) {
	addSeverity(f, assay.Severity{Source: source, Vector: vector, Score: score})
}

func sortSeverities(f *assay.Finding) {
	slices.SortFunc(f.Severities, func(a, b assay.Severity) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Vector, b.Vector), cmp.Compare(a.Score, b.Score), cmp.Compare(a.Rating, b.Rating))
	})
}

// firstFix gives the least version that is after the installed one, by the order of
// the ecosystem: of releases that are maintained side by side each has its own fix.
// Where the order is not known, or a version is none of it, only a single version is
// an answer.
func firstFix(ecosystem, installed string, versions []string) string {
	var first string
	for _, v := range versions {
		if v == "" {
			continue
		}
		after, err := osv.Compare(ecosystem, v, installed)
		if err != nil {
			if len(versions) == 1 {
				return v
			}
			return ""
		}
		if after <= 0 {
			continue
		}
		if first == "" {
			first = v
		} else if n, err := osv.Compare(ecosystem, v, first); err == nil && n < 0 {
			first = v
		}
	}
	return first
}

// fixState is what a version means for the state, where the tool has none.
func fixState(version string) assay.FixState {
	if version != "" {
		return assay.FixAvailable
	}
	return assay.FixUnknown
}
