package scan_test

import (
	"testing"
	"time"

	vulns "github.com/in-toto/attestation/go/predicates/vulns/v02"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay/vex/scan"
)

// TestInTotoLibrary has in-toto's own library read what is written. Members that it
// does not know it must be told to pass over, as the specification asks of readers.
func TestInTotoLibrary(t *testing.T) {
	var doc vulns.Vulns
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(must(scan.Encode(full(), "")), &doc); err != nil {
		t.Fatal(err)
	}
	s := doc.GetScanner()
	if s.GetUri() != "pkg:github/e/scanner" || s.GetVersion() != "1.2" || s.GetDb().GetUri() != "https://db.example" || s.GetDb().GetVersion() != "7" ||
		!s.GetDb().GetLastUpdate().AsTime().Equal(day(1)) || !doc.GetMetadata().GetScanStartedOn().AsTime().Equal(day(2)) || !doc.GetMetadata().GetScanFinishedOn().AsTime().Equal(day(3)) {
		t.Errorf("%v", &doc)
	}
	if len(s.GetResult()) != 2 || s.GetResult()[0].GetId() != "CVE-2026-0001" || len(s.GetResult()[0].GetSeverity()) != 5 {
		t.Fatalf("%v", s.GetResult())
	}
	// All of a finding is there for who looks into the annotations.
	fields := s.GetResult()[0].GetAnnotations()[0].GetFields()["assay_finding"].GetStructValue().GetFields()
	if fields["purl"].GetStringValue() != "pkg:golang/example.com/m@v1.0.0" || fields["fix"].GetStructValue().GetFields()["available"].GetStringValue() != day(5).Format(time.RFC3339Nano) {
		t.Errorf("%v", fields)
	}
}
