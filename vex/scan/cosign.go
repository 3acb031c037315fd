package scan

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// readCosign reads cosign's specification COSIGN_VULN_ATTESTATION_SPEC.
func readCosign(name string, predicate []byte) (*assay.Scan, error) {
	const t = assay.PredicateCosignVuln
	var w wirePredicate[jsontext.Value]
	if err := strictjson.Unmarshal(name, predicate, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if w.Scanner == nil {
		return nil, absent(name, "/scanner", t)
	}
	result := w.Scanner.Result
	if len(result) == 0 || result.Kind() == 'n' {
		return nil, absent(name, "/scanner/result", t)
	}
	s := head(&w)
	if err := checkHead(readOp, name, s, t); err != nil {
		return nil, err
	}
	report, err := cosignReport(name, result)
	if err != nil {
		return nil, &assay.Error{Op: readOp, Kind: assay.KindOf(err), Subject: name, Field: "/scanner/result", Err: err}
	}
	r, p := report.Scanner, &s.Scanner
	fill(&p.URI, r.URI)
	fill(&p.Version, r.Version)
	if p.DBURI == "" && p.DBVersion == "" && p.DBUpdated.IsZero() && len(p.DBDigest) == 0 {
		p.DBURI, p.DBVersion, p.DBUpdated, p.DBDigest = r.DBURI, r.DBVersion, r.DBUpdated, r.DBDigest
	} else if p.DBUpdated.IsZero() && (p.DBVersion == "" || p.DBVersion == r.DBVersion) {
		p.DBUpdated = r.DBUpdated // of the same database
	}
	if s.StartedOn.IsZero() && s.FinishedOn.IsZero() {
		s.StartedOn, s.FinishedOn = report.StartedOn, report.FinishedOn
	}
	if len(s.Inputs) == 0 {
		s.Inputs = report.Inputs
	}
	s.Findings, s.Unevaluated = report.Findings, append(s.Unevaluated, report.Unevaluated...)
	sortUnevaluated(s.Unevaluated)
	return s, nil
}

func fill(to *string, from string) {
	if *to == "" {
		*to = from
	}
}

// cosignReport reads the result of a predicate: ours, or a report.
func cosignReport(name string, result jsontext.Value) (*assay.Scan, error) {
	if result.Kind() == '{' && firstMember(result) == "vulnerabilities" {
		var own ownResult
		if err := strictjson.Unmarshal(name, result, &own, strictjson.Limits{}); err != nil {
			return nil, err
		}
		if own.Vulnerabilities != nil {
			findings, err := readResults(name, "/vulnerabilities/", assay.PredicateCosignVuln, own.Vulnerabilities)
			return &assay.Scan{Findings: findings}, err
		}
	}
	s, err := ReadReport(name, result)
	if errors.Is(err, errFormat) {
		return &assay.Scan{Unevaluated: []assay.Unevaluated{{Reason: "the report in scanner.result is in no format that is read: what the scanner found is not known"}}}, nil
	}
	return s, err
}
