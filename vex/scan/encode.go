package scan

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const encodeOp = "encode scan"

// Encode writes a scan as a predicate of one of three types; no type is
// [assay.PredicateVulns02], in-toto vulns v0.2. Findings and what was not evaluated
// are sorted.
//
// These types have no members for components, fixes, dates and what was asked about.
// They are in two members more, which [Read] gives back whole, and which others
// ignore: "assay_finding" in the annotations of a result is an [assay.Finding],
// "assay_scan" in the predicate holds the database's digest, the inputs, the coverage
// and what could not be evaluated. Who ignores the latter sees the findings only.
// Results are written as in the example of v0.1, which v0.2 has too; a predicate of
// cosign's type has them in the member "vulnerabilities" of its result, for which
// there is no format.
//
// The scanner's URI, the times of start and end, and for both in-toto types the time
// of the database's last update are required: without one, with an identifier that is
// not canonical or an end before the start the error is an [assay.ErrInvalid].
func Encode(s *assay.Scan, t assay.PredicateType) ([]byte, error) {
	if t == "" {
		t = assay.PredicateVulns02
	}
	if t.Kind() != assay.KindScan {
		return nil, &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Field: "predicateType", Value: string(t), Bound: string(assay.PredicateVulns02)}
	}
	if s == nil {
		return nil, &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Bound: "a scan, not nil"}
	}
	if err := checkHead(encodeOp, "", s, t); err != nil {
		return nil, err
	}
	results, err := encodeFindings(s.Findings)
	if err != nil {
		return nil, err
	}
	unevaluated, err := checkedUnevaluated(s.Unevaluated)
	if err != nil {
		return nil, err
	}
	db := &wireDB{URI: s.Scanner.DBURI, Version: s.Scanner.DBVersion, LastUpdate: wireTime{utc(s.Scanner.DBUpdated)}}
	meta := &wireMetadata{Started: wireTime{utc(s.StartedOn)}, Finished: wireTime{utc(s.FinishedOn)}}
	extra := &wireExtra{DBDigest: s.Scanner.DBDigest, Inputs: s.Inputs, Coverage: s.Coverage, Unevaluated: unevaluated}
	if len(extra.DBDigest) == 0 && len(extra.Inputs) == 0 && extra.Coverage == nil && len(extra.Unevaluated) == 0 {
		extra = nil
	}
	if t == assay.PredicateCosignVuln {
		return marshal(&wirePredicate[ownResult]{
			Invocation: &wireInvocation{Parameters: jsontext.Value("[]")},
			Scanner:    &wireScanner[ownResult]{URI: s.Scanner.URI, Version: s.Scanner.Version, DB: db, Result: ownResult{results}},
			Metadata:   meta, Extra: extra,
		})
	}
	return marshal(&wirePredicate[[]wireResult]{
		Scanner:  &wireScanner[[]wireResult]{URI: s.Scanner.URI, Version: s.Scanner.Version, DB: db, Result: results},
		Metadata: meta, Extra: extra,
	})
}

func marshal(v any) ([]byte, error) {
	body, err := strictjson.Marshal(v)
	if err != nil {
		return nil, &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Err: err}
	}
	return body, nil
}

// checkHead applies the rules of a type to all but the findings, in both directions.
func checkHead(op, name string, s *assay.Scan, t assay.PredicateType) error {
	missing := func(field, bound string) error {
		return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: field, Bound: bound, Rule: "required by " + string(t)}
	}
	if t != assay.PredicateCosignVuln || op == encodeOp {
		switch {
		case s.Scanner.URI == "":
			return missing("/scanner/uri", "the scanner's URI")
		case s.Scanner.DBUpdated.IsZero() && t != assay.PredicateCosignVuln:
			return missing("/scanner/db/lastUpdate", "when the database was last updated")
		case s.StartedOn.IsZero():
			return missing("/metadata/scanStartedOn", "when the scan started")
		case s.FinishedOn.IsZero():
			return missing("/metadata/scanFinishedOn", "when the scan finished")
		}
	}
	if !s.FinishedOn.IsZero() && s.FinishedOn.Before(s.StartedOn) {
		return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: "/metadata/scanFinishedOn", Value: s.FinishedOn.Format(time.RFC3339), Bound: "not before scanStartedOn, " + s.StartedOn.Format(time.RFC3339)}
	}
	return nil
}

func encodeFindings(findings []assay.Finding) ([]wireResult, error) {
	type encoded struct {
		finding assay.Finding
		bytes   []byte // of those that are alike; what orders them is all they say
	}
	list := make([]encoded, len(findings))
	for i, f := range findings {
		if err := checkFinding(f); err != nil {
			err.Field = "findings/" + strconv.Itoa(i) + "/" + err.Field
			return nil, err
		}
		list[i].finding = inUTC(f)
	}
	slices.SortStableFunc(list, func(a, b encoded) int { return a.finding.Compare(b.finding) })
	for i := range list {
		if i > 0 && list[i].finding.Compare(list[i-1].finding) == 0 || i+1 < len(list) && list[i].finding.Compare(list[i+1].finding) == 0 {
			var err error
			if list[i].bytes, err = marshal(list[i].finding); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(list, func(a, b encoded) int {
		return cmp.Or(a.finding.Compare(b.finding), bytes.Compare(a.bytes, b.bytes))
	})
	out := make([]wireResult, len(list))
	for i := range list {
		f := &list[i].finding
		out[i] = wireResult{ID: string(f.Vulnerability.ID), Severity: standardSeverities(f.Severities), Annotations: []wireAnnotation{{f}}}
	}
	return out, nil
}

// checkFinding refuses what would come back as something else.
func checkFinding(f assay.Finding) *assay.Error {
	if f.Vulnerability.ID == "" {
		return &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Field: "vulnerability/id", Bound: "an identifier"}
	}
	return cmp.Or(canonical("vulnerability/id", f.Vulnerability.ID), canonical("vulnerability/aliases", f.Vulnerability.Aliases...), canonical("advisories", f.Advisories...))
}

func canonical(field string, ids ...assay.VulnID) *assay.Error {
	for _, id := range ids {
		if c, err := assay.ParseVulnID(string(id)); err != nil || c != id {
			return &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Field: field, Value: string(id), Bound: "an identifier in canonical spelling", Err: err}
		}
	}
	return nil
}

func checkedUnevaluated(list []assay.Unevaluated) ([]assay.Unevaluated, error) {
	for i, u := range list {
		if u.Vulnerability != "" {
			if err := canonical("unevaluated/"+strconv.Itoa(i)+"/vulnerability", u.Vulnerability); err != nil {
				return nil, err
			}
		}
	}
	list = slices.Clone(list)
	sortUnevaluated(list)
	return list, nil
}

func sortUnevaluated(list []assay.Unevaluated) {
	slices.SortFunc(list, func(a, b assay.Unevaluated) int {
		return cmp.Or(cmp.Compare(a.Vulnerability, b.Vulnerability), a.PURL.Compare(b.PURL), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Reason, b.Reason))
	})
}

// utc has one spelling for each instant.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// inUTC gives a copy whose times are in UTC.
func inUTC(f assay.Finding) assay.Finding {
	f.Published, f.FirstSeen, f.Fix.Available = utc(f.Published), utc(f.FirstSeen), utc(f.Fix.Available)
	if f.Exploited != nil {
		e := *f.Exploited
		e.Added, e.Due = utc(e.Added), utc(e.Due)
		f.Exploited = &e
	}
	return f
}
