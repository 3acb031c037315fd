package scan_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
	"github.com/assaykit/assay/vex/severity"
)

// TestRoundTrip writes a scan with a value in every field, and reads the same.
func TestRoundTrip(t *testing.T) {
	var empty func(path string, v reflect.Value)
	empty = func(path string, v reflect.Value) {
		switch {
		case v.IsZero():
			t.Errorf("%s is not filled", path)
		case v.Kind() == reflect.Pointer:
			empty(path, v.Elem())
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
			empty(path+"[0]", v.Index(0))
		case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[assay.Scan]().PkgPath():
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					empty(path+"."+v.Type().Field(i).Name, v.Field(i))
				}
			}
		}
	}
	empty("scan", reflect.ValueOf(full()))
	for _, typ := range types {
		body, err := scan.Encode(full(), typ)
		if err != nil {
			t.Fatal(typ, err)
		}
		got, err := scan.Read("p", typ, body)
		if err != nil {
			t.Fatal(typ, err)
		}
		diff(t, full(), got)
		// The same bytes of whatever order, of all times of day, and of what was read.
		s := full()
		slices.Reverse(s.Findings)
		slices.Reverse(s.Unevaluated)
		s.Findings[1].Published = s.Findings[1].Published.In(time.FixedZone("", 3600))
		for _, s := range []*assay.Scan{s, got} {
			if again, err := scan.Encode(s, typ); err != nil || string(again) != string(body) {
				t.Errorf("%s: %v\n%s\n%s", typ, err, body, again)
			}
		}
	}
	// Findings that are alike in what orders them.
	one, other := full(), full()
	one.Findings[0].Advisories, other.Findings[0].Advisories = nil, nil
	one.Findings = append(one.Findings[:1:1], full().Findings[0])
	other.Findings = append(full().Findings[:1:1], other.Findings[0])
	if a, b := must(scan.Encode(one, "")), must(scan.Encode(other, "")); string(a) != string(b) {
		t.Errorf("%s\n%s", a, b)
	}
	// Little is enough.
	for _, s := range []*assay.Scan{
		{Scanner: assay.Scanner{URI: "x", DBUpdated: day(1)}, StartedOn: day(1), FinishedOn: day(1)},
		{Scanner: assay.Scanner{URI: "x", DBUpdated: day(1)}, StartedOn: day(1), FinishedOn: day(1), Coverage: &assay.Coverage{}},
	} {
		diff(t, s, must(scan.Read("p", assay.PredicateVulns02, must(scan.Encode(s, "")))))
	}
}

// TestForeignReader reads what was written as the specification alone has it.
func TestForeignReader(t *testing.T) {
	var doc struct {
		Scanner struct {
			URI, Version string
			DB           struct{ URI, Version, LastUpdate string }
			Result       []struct {
				ID       string
				Severity []struct{ Method, Score string }
			}
		}
		Metadata struct{ ScanStartedOn, ScanFinishedOn string }
	}
	if err := json.Unmarshal(must(scan.Encode(full(), "")), &doc); err != nil {
		t.Fatal(err)
	}
	got := must(json.Marshal(doc))
	const want = `{"Scanner":{"URI":"pkg:github/e/scanner","Version":"1.2","DB":{"URI":"https://db.example","Version":"7","LastUpdate":"2026-01-01T03:04:05.0000006Z"},` +
		`"Result":[{"ID":"CVE-2026-0001","Severity":[{"Method":"nvd","Score":"critical"},{"Method":"cvss_score","Score":"9.8"},{"Method":"cvss_vector","Score":"` + critical + `"},` +
		`{"Method":"debian","Score":"low"},{"Method":"cvss_score","Score":"5"}]},{"ID":"CVE-2026-0002","Severity":[]}]},` +
		`"Metadata":{"ScanStartedOn":"2026-01-02T03:04:05.0000006Z","ScanFinishedOn":"2026-01-03T03:04:05.0000006Z"}}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		t    assay.PredicateType
		edit func(*assay.Scan)
		says string
	}{
		"type":            {assay.PredicateVSA, func(*assay.Scan) {}, "verification_summary"},
		"no scanner":      {"", func(s *assay.Scan) { s.Scanner.URI = "" }, "/scanner/uri"},
		"no update":       {"", func(s *assay.Scan) { s.Scanner.DBUpdated = time.Time{} }, "/scanner/db/lastUpdate"},
		"no update, v0.1": {assay.PredicateVulns01, func(s *assay.Scan) { s.Scanner.DBUpdated = time.Time{} }, "vulns/v0.1"},
		"no start":        {"", func(s *assay.Scan) { s.StartedOn = time.Time{} }, "/metadata/scanStartedOn"},
		"no end":          {assay.PredicateCosignVuln, func(s *assay.Scan) { s.FinishedOn = time.Time{} }, "/metadata/scanFinishedOn"},
		"end before":      {"", func(s *assay.Scan) { s.FinishedOn = day(1) }, "not before"},
		"no id":           {"", func(s *assay.Scan) { s.Findings[1].Vulnerability.ID = "" }, "findings/1/vulnerability/id"},
		"id":              {"", func(s *assay.Scan) { s.Findings[0].Vulnerability.ID = "cve-2026-0001" }, "cve-2026-0001"},
		"alias":           {"", func(s *assay.Scan) { s.Findings[0].Vulnerability.Aliases[0] = "a b" }, "findings/0/vulnerability/aliases"},
		"advisory":        {"", func(s *assay.Scan) { s.Findings[0].Advisories[0] = "GHSA-1" }, "findings/0/advisories"},
		"unevaluated":     {"", func(s *assay.Scan) { s.Unevaluated[1].Vulnerability = "CVE-1" }, "unevaluated/1/vulnerability"},
		"state":           {"", func(s *assay.Scan) { s.Findings[0].Reachable = 9 }, "state"},
		"UTF-8":           {"", func(s *assay.Scan) { s.Findings[0].Vulnerability.Description = "\xff" }, "UTF-8"},
		"year":            {"", func(s *assay.Scan) { s.FinishedOn = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "year"},
	} {
		t.Run(name, func(t *testing.T) {
			s := full()
			tt.edit(s)
			body, err := scan.Encode(s, tt.t)
			if body != nil || assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %.80s, %v", body, err)
			}
		})
	}
	if _, err := scan.Encode(nil, ""); assay.KindOf(err) != assay.ErrInvalid {
		t.Error(err)
	}
	s := full()
	s.Scanner.DBUpdated = time.Time{} // of which cosign's specification has nothing
	diff(t, s, must(scan.Read("p", assay.PredicateCosignVuln, must(scan.Encode(s, assay.PredicateCosignVuln)))))
}

// foreign is the shape of the specification's example, with nothing of ours.
const foreign = `{"invocation":{"parameters":[]},"scanner":{"uri":"pkg:github/aquasecurity/trivy@244fd47","version":"0.19.2",
"db":{"uri":"pkg:github/aquasecurity/trivy-db","version":"v1","lastUpdate":"2026-08-06T19:45:50.52+02:00"},
"result":[{"id":"cve-2026-123400","severity":[{"method":"nvd","score":"medium"},{"method":"cvss_score","score":"5.2"},{"method":"epss","score":"0.97"}],"annotations":[{"k":1}]},
{"id":"CVE-2026-0001","severity":[{"method":"cvss","score":"` + critical + `"},{"method":"nvd","score":"0"},{"method":"vendor","score":"UNKNOWN"},{"method":"vendor","score":"77"},{"method":"cvss","score":"77"}]}]},
"metadata":{"scanStartedOn":"2026-08-06T17:45:50.52Z","scanFinishedOn":"2026-08-06T17:50:50.52Z"},"other":true}`

func TestReadForeign(t *testing.T) {
	want := &assay.Scan{
		Scanner:   assay.Scanner{URI: "pkg:github/aquasecurity/trivy@244fd47", Version: "0.19.2", DBURI: "pkg:github/aquasecurity/trivy-db", DBVersion: "v1", DBUpdated: time.Date(2026, 8, 6, 17, 45, 50, 520000000, time.UTC)},
		StartedOn: time.Date(2026, 8, 6, 17, 45, 50, 520000000, time.UTC), FinishedOn: time.Date(2026, 8, 6, 17, 50, 50, 520000000, time.UTC),
		Findings: []assay.Finding{
			{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Severities: []assay.Severity{{Vector: critical}, {Source: "nvd", Rating: assay.RatingNone}, {Source: "vendor", Vector: "77"}, {Vector: "77"}}},
			{Vulnerability: assay.Vulnerability{ID: "CVE-2026-123400"}, Severities: []assay.Severity{{Source: "nvd", Rating: assay.RatingMedium}, {Score: 5.2}}},
		},
	}
	for _, tt := range []struct {
		typ  assay.PredicateType
		body string
	}{{assay.PredicateVulns02, foreign}, {assay.PredicateVulns01, foreign}} {
		got, err := scan.Read("p", tt.typ, []byte(tt.body))
		if err != nil {
			t.Fatal(tt.typ, err)
		}
		diff(t, want, got)
		// What cannot be read may be the worst.
		if r, _, ok := severity.Of(assay.Finding{Severities: got.Findings[0].Severities[2:]}); ok {
			t.Errorf("77 is %s", r)
		}
	}
	const one = `{"scanner":{"uri":"x","db":{"lastUpdate":"2026-08-06T17:45:50Z"},"result":[{"vulnerability":{"id":"CVE-2026-0001","severity":[]}}]},"metadata":{"scanStartedOn":"2026-08-06T17:45:50Z","scanFinishedOn":"2026-08-06T17:45:50Z"}}`
	s, err := scan.Read("p", assay.PredicateVulns01, []byte(one))
	if err != nil || len(s.Findings) != 1 || s.Findings[0].Vulnerability.ID != "CVE-2026-0001" {
		t.Errorf("nested: %+v, %v", s, err)
	}
	if _, err := scan.Read("p", assay.PredicateVulns02, []byte(one)); assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), "/scanner/result/0/id") {
		t.Errorf("nested in v0.2: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	own := string(must(scan.Encode(full(), "")))
	replace := func(s, old, with string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("no %s in %s", old, s)
		}
		return strings.Replace(s, old, with, 1)
	}
	for name, tt := range map[string]struct{ body, says string }{
		"not JSON":       {`{`, "read JSON"},
		"twice":          {`{"scanner":{},"scanner":{}}`, "/scanner"},
		"empty":          {`{}`, "/scanner"},
		"null":           {`null`, "/scanner"},
		"list":           {`[]`, "read JSON"},
		"no metadata":    {replace(foreign, `"metadata"`, `"meta"`), "/metadata"},
		"no db":          {replace(foreign, `"db"`, `"database"`), "/scanner/db"},
		"no update":      {replace(foreign, `"lastUpdate"`, `"updated"`), "/scanner/db/lastUpdate"},
		"update of 0001": {replace(foreign, "2026-08-06T19:45:50.52+02:00", "0001-01-01T00:00:00Z"), "/scanner/db/lastUpdate"},
		"update, text":   {replace(foreign, "2026-08-06T19:45:50.52+02:00", "yesterday"), "/scanner/db/lastUpdate"},
		"update, empty":  {replace(foreign, "2026-08-06T19:45:50.52+02:00", ""), "/scanner/db/lastUpdate"},
		"no result":      {replace(foreign, `"result"`, `"results"`), "/scanner/result"},
		"null result":    {replace(foreign, `"result":[`, `"result":null,"x":[`), "/scanner/result"},
		"no URI":         {replace(foreign, `"uri":"pkg:github/aquasecurity/trivy@244fd47"`, `"uri":""`), "/scanner/uri"},
		"no id":          {replace(foreign, `{"id":"CVE-2026-0001",`, `{`), "/scanner/result/1/id"},
		"id":             {replace(foreign, `CVE-2026-0001`, `CVE 1`), "/scanner/result/1/id"},
		"no severity":    {replace(foreign, `"CVE-2026-0001","severity"`, `"CVE-2026-0001","severities"`), "/scanner/result/1/severity"},
		"no method":      {replace(foreign, `"method":"cvss",`, ``), "/scanner/result/1/severity/0/method"},
		"score, number":  {replace(foreign, `"5.2"`, `5.2`), "/scanner/result/0/severity/1/score"},
		"no start":       {replace(foreign, `"scanStartedOn"`, `"started"`), "/metadata/scanStartedOn"},
		"no end":         {replace(foreign, `"scanFinishedOn"`, `"ended"`), "/metadata/scanFinishedOn"},
		"end before":     {replace(foreign, "2026-08-06T17:50", "2026-08-06T17:40"), "/metadata/scanFinishedOn"},
		"another id":     {replace(own, `{"id":"CVE-2026-0001","sev`, `{"id":"CVE-2026-0009","sev`), "/scanner/result/0/annotations/assay_finding/vulnerability/id"},
		"other severity": {replace(own, `"score":"9.8"`, `"score":"1.8"`), "/scanner/result/0/annotations/assay_finding/severities"},
		"no severities":  {replace(own, `{"method":"debian","score":"low"},`, ``), "/scanner/result/0/annotations/assay_finding/severities"},
		"two findings":   {replace(own, `"annotations":[`, `"annotations":[{"assay_finding":{"vulnerability":{"id":"CVE-2026-0001"}}},`), "/scanner/result/0/annotations/assay_finding"},
		"purl":           {replace(own, `pkg:golang/`, `golang/`), "assay_finding/purl"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := scan.Read("a-blob", assay.PredicateVulns02, []byte(tt.body))
			if s != nil || assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "a-blob") {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
	if _, err := scan.Read("a-blob", assay.PredicateVSA, []byte(foreign)); assay.KindOf(err) != assay.ErrInvalid {
		t.Error(err)
	}
}
