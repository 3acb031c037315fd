package scan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
	"github.com/assaykit/assay/vex/severity"
)

// stable holds a scan that was read to what it promises: it is sorted, names what its
// findings are in and its severities can be rated or say why not; and what is written
// of it reads as the same, in the same bytes.
func stable(t *testing.T, s *assay.Scan, typ assay.PredicateType) {
	for i, f := range s.Findings {
		if i > 0 && s.Findings[i-1].Compare(f) > 0 {
			t.Fatalf("not sorted: %+v", s.Findings)
		}
		if d := (severity.Preference{}).Decide(f.Severities); d.Rating == "" && d.Least != "" && len(d.Errors) == 0 {
			t.Fatalf("%+v: %+v", f.Severities, d)
		}
	}
	body, err := scan.Encode(s, typ)
	if err != nil {
		return // a report has not all that is required
	}
	again, err := scan.Read("again", typ, body)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if d := cmp.Diff(s, again, same); d != "" {
		t.Fatalf("(-read +read again):\n%s", d)
	}
	if twice, err := scan.Encode(again, typ); err != nil || string(twice) != string(body) {
		t.Fatalf("%s\n%s, %v", body, twice, err)
	}
}

func FuzzRead(f *testing.F) {
	for i, typ := range types {
		f.Add(uint8(i), must(scan.Encode(full(), typ)))
		f.Add(uint8(i), []byte(foreign))
	}
	for _, report := range []string{grypeV6, trivyV2, osvV2, `{}`, `[]`} {
		f.Add(uint8(2), []byte(`{"scanner":{"uri":"u","result":`+report+`},"metadata":{"scanStartedOn":"2026-04-01T09:00:00Z","scanFinishedOn":"2026-04-01T09:30:00Z"}}`))
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		typ := types[int(n)%len(types)]
		s, err := scan.Read("p", typ, body)
		if err != nil {
			if s != nil || assay.KindOf(err) == nil {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		for i := range s.Findings {
			if s.Findings[i].Vulnerability.ID == "" {
				t.Fatal("a finding of no vulnerability")
			}
		}
		stable(t, s, typ)
	})
}

func FuzzReadReport(f *testing.F) {
	for _, report := range []string{grypeV6, trivyV2, osvV2, `{"matches":[]}`, `{"SchemaVersion":2}`, `{"results":[]}`,
		`{"matches":[{"vulnerability":{"id":"X-1","fix":{"versions":["1","2"]}},"artifact":{"name":"n","version":"1","purl":"pkg:pypi/n@1"}}]}`,
		`{"results":[{"packages":[{"package":{"name":"g:a","ecosystem":"Maven","version":"1"},"groups":[{"ids":["X-1"],"aliases":["CVE-1"]}]}]}]}`} {
		f.Add([]byte(report))
	}
	f.Fuzz(func(t *testing.T, report []byte) {
		s, err := scan.ReadReport("r", report)
		if err != nil {
			if s != nil || assay.KindOf(err) == nil {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		for _, x := range s.Findings {
			if x.Vulnerability.ID == "" {
				t.Fatal("a finding of no vulnerability")
			}
		}
		s.StartedOn, s.FinishedOn, s.Scanner.DBUpdated = day(1), day(1), day(1)
		stable(t, s, assay.PredicateVulns02)
		if _, err := scan.Encode(s, assay.PredicateVulns02); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
