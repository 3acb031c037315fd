package scan

import (
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const readOp = "read scan"

// Read reads a predicate of in-toto vulns v0.2 or v0.1, or of cosign's vuln v1, of at
// most 128 MiB. The name, of the file or blob, is for errors. Findings are sorted.
//
// Of the in-toto types all that is required has to be there, and an error names what
// is not: scanner.uri, scanner.db.lastUpdate, scanner.result, the id and the severity
// of each result, both times. Members that are not known are ignored.
//
// What [Encode] added comes back whole. It must say the same as the standard members:
// where a finding in the annotations has another id or other severities than the
// result it belongs to, two readers would see different findings, and that is an
// [assay.ErrInvalid]. Without it a finding has no component, and a scan no coverage. A
// severity whose method names CVSS is a score, a vector or a word of no source; of all
// others the method is the source, and only of "nvd" a number is a score. One whose
// method names EPSS, which is no severity, is left out; a value that is none of these
// is kept as a vector that cannot be read.
//
// Cosign's type has nothing that is required but the scanner and its result, which is
// the report of a scanner: one that [ReadReport] reads gives the findings, and for any
// other the scan has an [assay.Unevaluated] that says so, and no findings. What the
// predicate says of scanner, database and times is preferred to the report.
func Read(name string, t assay.PredicateType, predicate []byte) (*assay.Scan, error) {
	switch t {
	case assay.PredicateVulns02, assay.PredicateVulns01:
		return readVulns(name, t, predicate)
	case assay.PredicateCosignVuln:
		return readCosign(name, predicate)
	}
	return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: "predicateType", Value: string(t), Bound: string(assay.PredicateVulns02)}
}

func readVulns(name string, t assay.PredicateType, predicate []byte) (*assay.Scan, error) {
	var w wirePredicate[[]wireResult]
	if err := strictjson.Unmarshal(name, predicate, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if w.Scanner == nil {
		return nil, absent(name, "/scanner", t)
	}
	if w.Metadata == nil {
		return nil, absent(name, "/metadata", t)
	}
	if w.Scanner.DB == nil {
		return nil, absent(name, "/scanner/db", t)
	}
	if w.Scanner.Result == nil {
		return nil, absent(name, "/scanner/result", t)
	}
	s := head(&w)
	if err := checkHead(readOp, name, s, t); err != nil {
		return nil, err
	}
	var err error
	if s.Findings, err = readResults(name, "/scanner/result/", t, w.Scanner.Result); err != nil {
		return nil, err
	}
	return s, nil
}

func absent(name, field string, t assay.PredicateType) error {
	return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field, Bound: "this member", Rule: "required by " + string(t)}
}

// head reads all but the result.
func head[R any](w *wirePredicate[R]) *assay.Scan {
	s := &assay.Scan{Scanner: assay.Scanner{URI: w.Scanner.URI, Version: w.Scanner.Version}}
	if db := w.Scanner.DB; db != nil {
		s.Scanner.DBURI, s.Scanner.DBVersion, s.Scanner.DBUpdated = db.URI, db.Version, known(db.LastUpdate.at)
	}
	if w.Metadata != nil {
		s.StartedOn, s.FinishedOn = known(w.Metadata.Started.at), known(w.Metadata.Finished.at)
	}
	if x := w.Extra; x != nil {
		s.Scanner.DBDigest, s.Inputs, s.Coverage, s.Unevaluated = x.DBDigest, x.Inputs, x.Coverage, x.Unevaluated
		sortUnevaluated(s.Unevaluated)
	}
	return s
}

// earliest is before every vulnerability that was ever published. Databases write
// earlier dates for "not known".
var earliest = time.Unix(0, 0)

func known(t time.Time) time.Time {
	if t.Before(earliest) {
		return time.Time{}
	}
	return t.UTC()
}

func readResults(name, at string, t assay.PredicateType, results []wireResult) ([]assay.Finding, error) {
	out := make([]assay.Finding, 0, len(results))
	for i := range results {
		r, field := &results[i], at+strconv.Itoa(i)
		if r.Nested != nil && t == assay.PredicateVulns01 {
			if r.ID != "" || r.Severity != nil || r.Annotations != nil {
				return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field, Bound: "members either in vulnerability or beside it"}
			}
			r, field = r.Nested, field+"/vulnerability"
		}
		if r.ID == "" {
			return nil, absent(name, field+"/id", t)
		}
		if r.Severity == nil {
			return nil, absent(name, field+"/severity", t)
		}
		id, err := assay.ParseVulnID(r.ID)
		if err != nil {
			return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field + "/id", Err: err}
		}
		f, err := readResult(name, field, id, r)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, assay.Finding.Compare)
	return out, nil
}

func readResult(name, field string, id assay.VulnID, r *wireResult) (assay.Finding, error) {
	contradiction := func(member, value, want string) error {
		return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field + "/annotations/" + member, Value: value, Bound: want}
	}
	var own *assay.Finding
	for _, a := range r.Annotations {
		if a.Finding != nil && own != nil {
			return assay.Finding{}, contradiction("assay_finding", "", "one finding for a result")
		}
		if a.Finding != nil {
			own = a.Finding
		}
	}
	if own != nil {
		if own.Vulnerability.ID != id {
			return assay.Finding{}, contradiction("assay_finding/vulnerability/id", string(own.Vulnerability.ID), string(id))
		}
		if !slices.Equal(standardSeverities(own.Severities), r.Severity) {
			return assay.Finding{}, contradiction("assay_finding/severities", "", "the severities of the result")
		}
		return inUTC(*own), nil
	}
	f := assay.Finding{Vulnerability: assay.Vulnerability{ID: id}}
	for i, w := range r.Severity {
		if w.Method == "" {
			return assay.Finding{}, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field + "/severity/" + strconv.Itoa(i) + "/method", Bound: "the name of a method"}
		}
		if s, ok := foreignSeverity(w); ok {
			f.Severities = append(f.Severities, s)
		}
	}
	return f, nil
}
