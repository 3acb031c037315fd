package attest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

var (
	digestA = assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	digestB = assay.MustDigest("sha256:" + strings.Repeat("b", 64))
)

func TestNewStatement(t *testing.T) {
	a := assay.Subject{Name: "app <x>", Digest: assay.DigestSet{digestA}}
	b := assay.Subject{Digest: assay.DigestSet{digestB}}
	got, err := attest.NewStatement(testResult("t"), attest.StatementOptions{}, b, a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app <x>","digest":{"sha256":"` + digestA.Hex() + `"}},{"digest":{"sha256":"` + digestB.Hex() +
		`"}}],"predicateType":"https://in-toto.io/attestation/test-result/v0.1","predicate":{"result":"PASSED","configuration":[],"passedTests":["t"]}}`
	if s := string(got.Payload()); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if got.Evidence().Kind() != assay.KindTestResult {
		t.Errorf("evidence is %s", got.Evidence().Kind())
	}
	h, err := attest.ParseStatement("s", got.Payload())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got.Subjects(), h.Subjects, cmpopts.EquateComparable(assay.Digest{})); diff != "" {
		t.Errorf("subjects (-made +read):\n%s", diff)
	}
	if h.PredicateType != got.PredicateType() {
		t.Errorf("predicate type %s, want %s", h.PredicateType, got.PredicateType())
	}
}

func TestNewStatementOpaque(t *testing.T) {
	sub := assay.Subject{Digest: assay.DigestSet{digestA}}
	raw := json.RawMessage("{ \"a\" : [1.50, \"\\u00e9\"],\n\"b\":2 }")
	got, err := attest.NewStatement(&assay.Opaque{Type: "https://e.example/x", Predicate: raw}, attest.StatementOptions{}, sub)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(got.Payload()); !strings.HasSuffix(s, `"predicate":{"a":[1.50,"\u00e9"],"b":2}}`) {
		t.Errorf("got %s", s)
	}
}

func TestNewStatementRefuses(t *testing.T) {
	sub := assay.Subject{Digest: assay.DigestSet{digestA}}
	tests := []struct {
		name     string
		ev       assay.Evidence
		opts     attest.StatementOptions
		subjects []assay.Subject
		kind     error
		says     string
	}{
		{"nil", nil, attest.StatementOptions{}, []assay.Subject{sub}, assay.ErrInvalid, "evidence"},
		{"no subject", testResult(), attest.StatementOptions{}, nil, assay.ErrInvalid, "in-toto S2"},
		{"no digest", testResult(), attest.StatementOptions{}, []assay.Subject{{Name: "x"}}, assay.ErrInvalid, "in-toto S2"},
		{"too many subjects", testResult(), attest.StatementOptions{}, make([]assay.Subject, 1025), assay.ErrBound, "1025 subjects"},
		{"another type", testResult(), attest.StatementOptions{PredicateType: assay.PredicateSPDX}, []assay.Subject{sub}, assay.ErrInvalid, "spdx"},
		{"scan", &assay.Scan{}, attest.StatementOptions{}, []assay.Subject{sub}, assay.ErrInvalid, "/scanner/uri"},
		{"remediation", &assay.Remediation{}, attest.StatementOptions{}, []assay.Subject{sub}, assay.ErrInvalid, "/stream"},
		{"invalid test result", &assay.TestResult{Result: "fine"}, attest.StatementOptions{}, []assay.Subject{sub}, assay.ErrInvalid, "fine"},
		{"opaque, a member twice", &assay.Opaque{Type: "https://e.example/x", Predicate: json.RawMessage(`{"a":1,"a":2}`)}, attest.StatementOptions{}, []assay.Subject{sub}, assay.ErrInvalid, "/a"},
		{"opaque, no type", &assay.Opaque{Predicate: json.RawMessage(`{}`)}, attest.StatementOptions{}, []assay.Subject{sub}, assay.ErrInvalid, "in-toto S3"},
		{"opaque of a known type", &assay.Opaque{Type: assay.PredicateTest, Predicate: json.RawMessage(`{"result":"fine"}`)}, attest.StatementOptions{}, []assay.Subject{sub}, assay.ErrInvalid, "/result"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := attest.NewStatement(tt.ev, tt.opts, tt.subjects...)
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v that says %s", err, tt.kind, tt.says)
			}
		})
	}
}

func TestParseStatement(t *testing.T) {
	hexA := digestA.Hex()
	good := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + hexA + `"}}],"predicateType":"https://e.example/x","predicate":{}}`
	subject := func(s string) string {
		return strings.Replace(good, `[{"digest":{"sha256":"`+hexA+`"}}]`, s, 1)
	}
	tests := []struct {
		name, payload string
		kind          error
		says          []string
	}{
		{"good", good, nil, nil},
		{"v0.1", strings.Replace(good, "Statement/v1", "Statement/v0.1", 1), nil, nil},
		{"unknown members", strings.Replace(good, `{"_type"`, `{"extra":{"a":[]},"_type"`, 1), nil, nil},
		{"no predicate", strings.Replace(good, `,"predicate":{}`, "", 1), nil, nil},
		{"unknown algorithm beside a known one", subject(`[{"digest":{"x512":"zz","sha256":"` + hexA + `"}}]`), nil, nil},
		{"dirHash1", subject(`[{"digest":{"dirHash1":"` + hexA + `"}}]`), nil, nil},
		{"S1 another type", strings.Replace(good, "Statement/v1", "Statement/v2", 1), assay.ErrInvalid, []string{"/_type", "Statement/v2", "in-toto S1"}},
		{"S1 case", strings.Replace(good, `"_type"`, `"_Type"`, 1), assay.ErrInvalid, []string{"/_type", "in-toto S1"}},
		{"S2 no subject", subject(`[]`), assay.ErrInvalid, []string{"/subject", "in-toto S2"}},
		{"S2 null", subject(`null`), assay.ErrInvalid, []string{"/subject", "in-toto S2"}},
		{"S2 no digest", subject(`[{"digest":{"sha256":"` + hexA + `"}},{"name":"x"}]`), assay.ErrInvalid, []string{"/subject/1/digest", "in-toto S2"}},
		{"S2 empty digest", subject(`[{"digest":{"sha256":""}}]`), assay.ErrInvalid, []string{"/subject/0/digest/sha256", "in-toto S2"}},
		{"S3 type", strings.Replace(good, "https://e.example/x", "x y", 1), assay.ErrInvalid, []string{"/predicateType", "x y", "in-toto S3"}},
		{"S3 none", strings.Replace(good, "https://e.example/x", "", 1), assay.ErrInvalid, []string{"/predicateType", "in-toto S3"}},
		{"S4 upper case", subject(`[{"digest":{"sha256":"` + strings.ToUpper(hexA) + `"}}]`), assay.ErrInvalid, []string{"/subject/0/digest", "in-toto S4"}},
		{"S4 length", subject(`[{"digest":{"sha256":"aa"}}]`), assay.ErrInvalid, []string{"/subject/0/digest", "in-toto S4"}},
		{"only unknown algorithms", subject(`[{"digest":{"x512":"aa"}}]`), assay.ErrUnchecked, []string{"/subject", "in-toto S4"}},
		{"a member twice", strings.Replace(good, `"predicate":{}`, `"predicate":{},"predicateType":"https://e.example/y"`, 1), assay.ErrInvalid, []string{"predicateType"}},
		{"a digest twice", subject(`[{"digest":{"sha256":"` + hexA + `","sha256":"` + digestB.Hex() + `"}}]`), assay.ErrInvalid, []string{"/subject/0/digest/sha256"}},
		{"trailing", good + "{}", assay.ErrInvalid, []string{"nothing after"}},
		{"not an object", `[]`, assay.ErrInvalid, []string{"read JSON"}},
		{"many subjects", subject(`[` + strings.TrimSuffix(strings.Repeat(`{"digest":{"sha256":"`+hexA+`"}},`, 1025), ",") + `]`), assay.ErrBound, []string{"1025 subjects"}},
		{"deep", strings.Replace(good, `"predicate":{}`, `"predicate":`+strings.Repeat("[", 200)+strings.Repeat("]", 200), 1), assay.ErrBound, []string{"depth"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := attest.ParseStatement("a-file", []byte(tt.payload))
			if tt.kind == nil {
				if err != nil || len(h.Subjects) != 1 {
					t.Fatalf("got %+v, %v", h, err)
				}
				return
			}
			if h != nil || !errors.Is(err, tt.kind) {
				t.Fatalf("got %+v, %v, want %v", h, err, tt.kind)
			}
			for _, s := range append(tt.says, "a-file") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

// What is read can be written, and reads the same.
func FuzzParseStatement(f *testing.F) {
	s, err := attest.NewStatement(testResult("t"), attest.StatementOptions{}, assay.Subject{Name: "é", Digest: assay.DigestSet{digestA}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Payload())
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"digest":{"sha1":"` + strings.Repeat("0", 40) + `","x":"y"}}],"predicateType":"a:b","predicate":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, err := attest.ParseStatement("f", payload)
		if err != nil {
			if h != nil {
				t.Fatal("a header beside an error")
			}
			return
		}
		if h.PredicateType.Kind() != assay.KindOpaque || h.Predicate == nil {
			return
		}
		again, err := attest.NewStatement(&assay.Opaque{Type: h.PredicateType, Predicate: h.Predicate}, attest.StatementOptions{}, h.Subjects...)
		if err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		h2, err := attest.ParseStatement("f", again.Payload())
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		third, err := attest.NewStatement(&assay.Opaque{Type: h2.PredicateType, Predicate: h2.Predicate}, attest.StatementOptions{}, h2.Subjects...)
		if err != nil || string(third.Payload()) != string(again.Payload()) {
			t.Fatalf("written again: %s, %v; want %s", third.Payload(), err, again.Payload())
		}
	})
}

func ExampleParseStatement() {
	h, err := attest.ParseStatement("statement.json", []byte(`{
		"_type": "https://in-toto.io/Statement/v1",
		"subject": [{"name": "app", "digest": {"sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}],
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": {}
	}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(h.PredicateType.Kind(), h.Subjects[0].Digest[0].Algorithm())
	// Output: provenance sha256
}
