package predicate_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/predicate"
)

var (
	digest  = assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	subject = assay.Subject{Name: "app", Digest: assay.DigestSet{digest}}
	at      = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	same    = cmp.Options{cmpopts.EquateComparable(assay.Digest{}, assay.PURL{}), cmpopts.EquateEmpty()}
)

func summary() *assay.Summary {
	return &assay.Summary{
		Verifier: "https://verifier.example", VerifierVersion: map[string]string{"assay": "1"}, TimeVerified: at,
		ResourceURI: "registry.example/app", Policy: assay.Resource{URI: "https://policy.example", Digest: assay.DigestSet{digest}},
		Inputs: []assay.Resource{{URI: "a", Digest: assay.DigestSet{digest}}}, Passed: true,
		Levels: []string{"ORG_SOURCE_X", "SLSA_BUILD_LEVEL_3"}, DependencyLevels: map[string]int{"SLSA_BUILD_LEVEL_1": 2}, SLSAVersion: "1.2",
	}
}

// What is encoded decodes to the same, by the type it was encoded as.
func TestRoundTrip(t *testing.T) {
	none, unclaimed := summary(), summary()
	none.DependencyLevels, unclaimed.DependencyLevels = map[string]int{}, nil
	tests := []struct {
		name string
		ev   assay.Evidence
		o    predicate.Options
		want assay.PredicateType
	}{
		{"CycloneDX", sbom(), predicate.Options{}, assay.PredicateCycloneDX},
		{"SPDX", sbom(), predicate.Options{Type: assay.PredicateSPDX}, assay.PredicateSPDX},
		{"SPDX 2.3", sbom(), predicate.Options{Type: "https://spdx.dev/Document/v2.3"}, "https://spdx.dev/Document/v2.3"},
		{"SPDX 3", sbom(), predicate.Options{Type: "https://spdx.dev/Document/v3.0.1"}, "https://spdx.dev/Document/v3.0.1"},
		{"provenance", provenance(), predicate.Options{}, assay.PredicateSLSA1},
		{"VEX", vexDoc(), predicate.Options{Subjects: []assay.Subject{subject}}, assay.PredicateOpenVEX},
		{"VEX unversioned", vexDoc(), predicate.Options{Type: "https://openvex.dev/ns", Subjects: []assay.Subject{subject}}, "https://openvex.dev/ns"},
		{"posture", &assay.Posture{Facts: []assay.Fact{{Attribute: "POSTURE_NO_SHELL", State: assay.Proven, Stage: assay.Minimal}}, Producer: assay.Tool{Name: "t", Version: "1"}, Config: digest}, predicate.Options{}, assay.PredicateSCAI},
		{"summary", summary(), predicate.Options{}, assay.PredicateVSA},
		{"summary without dependencies", none, predicate.Options{}, assay.PredicateVSA},
		{"summary without claim of dependencies", unclaimed, predicate.Options{}, assay.PredicateVSA},
		{"test result", &assay.TestResult{Result: "WARNED", Configuration: []assay.Resource{{URI: "x"}}, WarnedTests: []string{"w"}, URL: "https://x.example"}, predicate.Options{}, assay.PredicateTest},
		{"remediation", remediated(), predicate.Options{}, assay.PredicateRemediation},
		{"scan", scanned(), predicate.Options{}, assay.PredicateVulns02},
		{"scan of v0.1", scanned(), predicate.Options{Type: assay.PredicateVulns01}, assay.PredicateVulns01},
		{"scan for cosign", scanned(), predicate.Options{Type: assay.PredicateCosignVuln}, assay.PredicateCosignVuln},
		{"opaque", &assay.Opaque{Type: "https://e.example/x", Predicate: json.RawMessage(`{"a": 1}`)}, predicate.Options{}, "https://e.example/x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			typ, body, err := predicate.Encode(tt.ev, tt.o)
			if err != nil || typ != tt.want {
				t.Fatalf("got type %s, %v, want %s", typ, err, tt.want)
			}
			typ2, body2, err := predicate.Encode(tt.ev, tt.o)
			if err != nil || typ2 != typ || string(body2) != string(body) {
				t.Errorf("encoded again: %s, %v", body2, err)
			}
			got, err := predicate.Decode("p", typ, body, tt.o.Subjects...)
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind() != tt.ev.Kind() {
				t.Fatalf("decoded a %s of a %s", got.Kind(), tt.ev.Kind())
			}
			switch tt.ev.(type) {
			case *assay.Summary, *assay.TestResult, *assay.Remediation, *assay.Opaque:
				if diff := cmp.Diff(tt.ev, got, same); diff != "" {
					t.Errorf("(-encoded +decoded):\n%s", diff)
				}
			}
			if s, ok := got.(*assay.Summary); ok && (s.DependencyLevels == nil) != (tt.ev.(*assay.Summary).DependencyLevels == nil) {
				t.Error("no dependencies and no claim of them are the same")
			}
			// Another tool's document of a known type is kept as it is.
			typ, kept, err := predicate.Encode(&assay.Opaque{Type: typ, Predicate: body}, predicate.Options{Subjects: tt.o.Subjects})
			if err != nil || typ != tt.want || string(kept) != string(body) {
				t.Errorf("kept %s, %v", kept, err)
			}
		})
	}
}

func sbom() *assay.SBOM {
	return &assay.SBOM{Created: at, Components: []assay.Component{{ID: "c", Type: assay.TypeLibrary, Name: "lib", Version: "1"}}}
}

func remediated() *assay.Remediation {
	seen := assay.Dated{Time: at, Basis: assay.BasisSigned, Evidence: []assay.Resource{{Digest: assay.DigestSet{digest}}}}
	return &assay.Remediation{Stream: "registry.example/app", AsOf: at, Images: []assay.ImageBuild{{Digest: digest}}, Entries: []assay.RemediationEntry{{
		Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Component: assay.MustPURL("pkg:deb/debian/zlib"), Occurrence: 1,
		FirstSeen: seen, LastSeen: seen, FirstImage: digest, LastImage: digest,
	}}}
}

func provenance() *assay.Provenance {
	return &assay.Provenance{BuildType: "https://build.example/t", ExternalParameters: map[string]json.RawMessage{"a": json.RawMessage(`1`)}, Builder: assay.Builder{ID: "https://builder.example"}}
}

func scanned() *assay.Scan {
	return &assay.Scan{Scanner: assay.Scanner{URI: "https://scanner.example", DBUpdated: at}, StartedOn: at, FinishedOn: at, Coverage: &assay.Coverage{Components: 1},
		Findings: []assay.Finding{{Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Component: "c", Severities: []assay.Severity{{Source: "nvd", Rating: assay.RatingHigh}}}}}
}

func vexDoc() *assay.VEX {
	return &assay.VEX{ID: "https://vex.example/1", Author: "a", Timestamp: at, Version: 1, Statements: []assay.VEXStatement{{
		Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Timestamp: at, Status: assay.Fixed,
		Products: []assay.Product{{ID: "https://p.example/app", Digests: assay.DigestSet{digest}}},
	}}}
}

func TestEncodeRefuses(t *testing.T) {
	var none *assay.SBOM
	other := vexDoc()
	other.Statements[0].Products[0].Digests = assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("b", 64))}
	tests := []struct {
		name string
		ev   assay.Evidence
		o    predicate.Options
		kind error
		says string
	}{
		{"nothing", nil, predicate.Options{}, assay.ErrInvalid, "evidence"},
		{"nil SBOM", none, predicate.Options{}, assay.ErrInvalid, "sbom"},
		{"nil summary", (*assay.Summary)(nil), predicate.Options{}, assay.ErrInvalid, "summary"},
		{"nil test result", (*assay.TestResult)(nil), predicate.Options{}, assay.ErrInvalid, "test-result"},
		{"nil provenance", (*assay.Provenance)(nil), predicate.Options{}, assay.ErrInvalid, "provenance"},
		{"nil VEX", (*assay.VEX)(nil), predicate.Options{Subjects: []assay.Subject{subject}}, assay.ErrInvalid, ""},
		{"nil posture", (*assay.Posture)(nil), predicate.Options{}, assay.ErrInvalid, ""},
		{"nil opaque", (*assay.Opaque)(nil), predicate.Options{}, assay.ErrInvalid, ""},
		{"nil remediation", (*assay.Remediation)(nil), predicate.Options{}, assay.ErrInvalid, "remediation"},
		{"remediation without images", &assay.Remediation{Stream: "s", AsOf: at}, predicate.Options{}, assay.ErrInvalid, "/images"},
		{"nil scan", (*assay.Scan)(nil), predicate.Options{}, assay.ErrInvalid, "scan"},
		{"SBOM as VEX", sbom(), predicate.Options{Type: assay.PredicateOpenVEX}, assay.ErrInvalid, "cyclonedx"},
		{"VEX of another product", other, predicate.Options{Subjects: []assay.Subject{subject}}, assay.ErrInvalid, "OpenVEX 17"},
		{"scan without the time of its database", &assay.Scan{Scanner: assay.Scanner{URI: "x"}, StartedOn: at, FinishedOn: at}, predicate.Options{}, assay.ErrInvalid, "/scanner/db/lastUpdate"},
		{"scan as VEX", scanned(), predicate.Options{Type: assay.PredicateOpenVEX}, assay.ErrInvalid, "vulns/v0.2"},
		{"opaque as another type", &assay.Opaque{Type: "https://e.example/x", Predicate: json.RawMessage(`{}`)}, predicate.Options{Type: "https://e.example/y"}, assay.ErrInvalid, "https://e.example/y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, body, err := predicate.Encode(tt.ev, tt.o); body != nil || !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %s, %v, want %v that says %s", body, err, tt.kind, tt.says)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	_, cdx, err := predicate.Encode(sbom(), predicate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, three, err := predicate.Encode(sbom(), predicate.Options{Type: "https://spdx.dev/Document/v3.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if ev, err := predicate.Decode("a-blob", assay.PredicateSPDX, three); err != nil || ev.(*assay.SBOM).Format != "spdx3-json/3.0.1" {
		t.Errorf("SPDX 3 without a version in the type: %v, %v", ev, err)
	}
	tests := []struct {
		name, body string
		t          assay.PredicateType
		kind       error
		says       []string
	}{
		{"CycloneDX signed as SPDX", string(cdx), assay.PredicateSPDX, assay.ErrInvalid, []string{"cyclonedx", "spdx.dev"}},
		{"SPDX 3 signed as 2.3", string(three), "https://spdx.dev/Document/v2.3", assay.ErrInvalid, []string{"spdx3-json/3.0.1", "v2.3"}},
		{"SPDX type with provenance", `{"buildDefinition":{}}`, assay.PredicateSPDX, assay.ErrInvalid, nil},
		{"empty", ``, "https://e.example/x", assay.ErrInvalid, []string{"read JSON"}},
		{"a member twice", `{"a":1,"a":1}`, "https://e.example/x", assay.ErrInvalid, []string{"/a"}},
		{"remediation with an unknown member", `{"x": 1}`, assay.PredicateRemediation, assay.ErrInvalid, []string{"/x"}},
		{"scan, not JSON", `{`, assay.PredicateVulns02, assay.ErrInvalid, []string{"read JSON"}},
		{"scan without scanner", `{"x": 1}`, assay.PredicateVulns01, assay.ErrInvalid, []string{"/scanner", "vulns/v0.1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev, err := predicate.Decode("a-blob", tt.t, []byte(tt.body))
			if ev != nil || !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, %v", ev, err)
			}
			for _, s := range append(tt.says, "a-blob") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
	for _, typ := range []assay.PredicateType{"https://e.example/x"} {
		ev, err := predicate.Decode("a-blob", typ, []byte(`{"x": 1}`))
		if o, ok := ev.(*assay.Opaque); err != nil || !ok || o.Type != typ || string(o.Predicate) != `{"x": 1}` {
			t.Errorf("%s: %v, %v", typ, ev, err)
		}
	}
}

func TestSummaryRules(t *testing.T) {
	const good = `{"verifier":{"id":"v"},"resourceUri":"r","policy":{"uri":"p"},"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_2"]}`
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	tests := []struct{ name, body, field, rule string }{
		{"no verifier", replace(`"verifier":{"id":"v"},`, ""), "/verifier/id", "VSA V1"},
		{"no verifier id", replace(`{"id":"v"}`, `{"id":""}`), "/verifier/id", "VSA V1"},
		{"no resource", replace(`"resourceUri":"r",`, ""), "/resourceUri", "VSA V1"},
		{"no policy URI", replace(`{"uri":"p"}`, `{"digest":{}}`), "/policy/uri", "VSA V1"},
		{"result", replace("PASSED", "passed"), "/verificationResult", "VSA V1"},
		{"no levels", replace(`,"verifiedLevels":["SLSA_BUILD_LEVEL_2"]`, ""), "/verifiedLevels", "VSA V1"},
		{"null levels", replace(`["SLSA_BUILD_LEVEL_2"]`, "null"), "/verifiedLevels", "VSA V1"},
		{"two levels of a track", replace(`_2"]`, `_2","SLSA_BUILD_LEVEL_3"]`), "/verifiedLevels/1", "VSA V2"},
		{"a level twice", replace(`_2"]`, `_2","X","X"]`), "/verifiedLevels/2", "VSA V2"},
		{"empty level", replace(`"SLSA_BUILD_LEVEL_2"`, `""`), "/verifiedLevels/0", "VSA V2"},
		{"input without digest", replace(`"policy"`, `"inputAttestations":[{"uri":"a"}],"policy"`), "/inputAttestations/0/digest", "VSA V3"},
		{"input that is nothing", replace(`"policy"`, `"inputAttestations":[{"name":"a"}],"policy"`), "/inputAttestations/0", "in-toto S5"},
		{"count", replace(`"policy"`, `"dependencyLevels":{"X":-1},"policy"`), "/dependencyLevels/X", "VSA V4"},
	}
	if _, err := predicate.DecodeSummary("f", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := predicate.DecodeSummary("f", []byte(tt.body))
			var e *assay.Error
			if s != nil || !errors.As(err, &e) || e.Kind != assay.ErrInvalid || e.Field != tt.field || e.Rule != tt.rule || e.Subject != "f" {
				t.Errorf("got %v, want %s, %s", err, tt.field, tt.rule)
			}
		})
	}
	s := summary()
	s.Levels = []string{"SLSA_MY_OWN"}
	if _, err := predicate.EncodeSummary(s); err == nil || !strings.Contains(err.Error(), "SLSA_MY_OWN") {
		t.Errorf("a level of one's own that starts with SLSA_: %v", err)
	}
	s.Levels = []string{"SLSA_SOURCE_LEVEL_UNEVALUATED", "FAILED"}
	if _, err := predicate.EncodeSummary(s); err != nil {
		t.Error(err)
	}
}

func TestTestResultRules(t *testing.T) {
	for body, field := range map[string]string{
		`{"configuration":[]}`:                                "/result",
		`{"result":"ok","configuration":[]}`:                  "/result",
		`{"result":"PASSED"}`:                                 "/configuration",
		`{"result":"PASSED","configuration":[{"name":"x"}]}`:  "/configuration/0",
		`{"result":"PASSED","configuration":[{"uri":"x"},{}]`: "/",
	} {
		r, err := predicate.DecodeTestResult("f", []byte(body))
		var e *assay.Error
		if r != nil || !errors.As(err, &e) || e.Kind != assay.ErrInvalid || !strings.HasPrefix(e.Field, field) {
			t.Errorf("%s: %v, want %s", body, err, field)
		}
	}
}

// What decodes encodes, and decodes to the same.
func FuzzDecode(f *testing.F) {
	for _, ev := range []assay.Evidence{summary(), &assay.TestResult{Result: "FAILED", Configuration: []assay.Resource{{URI: "x"}}}} {
		typ, body, err := predicate.Encode(ev, predicate.Options{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(typ), body)
	}
	f.Add("https://e.example/x", []byte(`[1]`))
	f.Fuzz(func(t *testing.T, typ string, body []byte) {
		ev, err := predicate.Decode("f", assay.PredicateType(typ), body)
		if (ev == nil) == (err == nil) {
			t.Fatalf("evidence %v, error %v", ev, err)
		}
		switch ev.(type) {
		case *assay.Summary, *assay.TestResult:
		default:
			return // the other packages fuzz theirs
		}
		t2, again, err := predicate.Encode(ev, predicate.Options{})
		if err != nil {
			if s, ok := ev.(*assay.Summary); ok && strings.Contains(strings.Join(s.Levels, " "), "SLSA_") {
				return // read, and not written
			}
			t.Fatalf("cannot encode %s: %v", body, err)
		}
		ev2, err := predicate.Decode("f", t2, again)
		if err != nil {
			t.Fatalf("cannot decode %s: %v", again, err)
		}
		_, third, err := predicate.Encode(ev2, predicate.Options{})
		if err != nil || string(third) != string(again) {
			t.Fatalf("encoded %s, then %s, %v", again, third, err)
		}
	})
}
