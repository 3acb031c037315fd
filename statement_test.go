package assay_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func subject(t *testing.T, name string, digests ...assay.Digest) assay.Subject {
	t.Helper()
	set, err := assay.NewDigestSet(digests...)
	if err != nil {
		t.Fatal(err)
	}
	return assay.Subject{Name: name, Digest: set}
}

func TestStatement(t *testing.T) {
	md := assay.MustDigest("md5:" + hexOf("a", 32))
	payload := []byte(`{"a":1}`)
	subjects := []assay.Subject{subject(t, "first", sha("b"), md), subject(t, "second", sha("c"))}
	vex := &assay.VEX{ID: "https://example.com/vex"}
	s, err := assay.NewStatement(payload, assay.PredicateOpenVEX, subjects, vex)
	if err != nil {
		t.Fatal(err)
	}
	// Nothing that is handed in or out changes the statement.
	payload[0], subjects[0].Name, subjects[0].Digest[0] = 'x', "x", sha("d")
	s.Payload()[0] = 'x'
	s.Subjects()[0].Digest[0] = sha("d")
	if string(s.Payload()) != `{"a":1}` || s.PredicateType() != assay.PredicateOpenVEX || s.Evidence() != vex {
		t.Errorf("got %s, %s, %v", s.Payload(), s.PredicateType(), s.Evidence())
	}
	if diff := cmp.Diff("first second", s.Subjects()[0].Name+" "+s.Subjects()[1].Name); diff != "" {
		t.Error(diff)
	}
	for _, d := range []assay.Digest{sha("b"), sha("c")} {
		if sub, ok := s.About(d); !ok || !sub.Digest.Has(d) {
			t.Errorf("not about %s: %v", d, s.Subjects())
		}
	}
	for _, d := range []assay.Digest{sha("d"), md, {}} {
		if sub, ok := s.About(d); ok {
			t.Errorf("about %s: %v", d, sub)
		}
	}
	wide := s.Any()
	if back, ok := assay.As[*assay.VEX](wide); !ok || back.Evidence() != vex || string(back.Payload()) != `{"a":1}` {
		t.Error("As does not undo Any")
	}
	if _, ok := assay.As[*assay.SBOM](wide); ok {
		t.Error("a VEX statement became an SBOM statement")
	}
}

func TestNewStatementRefuses(t *testing.T) {
	ok := []assay.Subject{subject(t, "a", sha("a"))}
	var none *assay.SBOM
	for name, tt := range map[string]struct {
		payload  string
		typ      assay.PredicateType
		subjects []assay.Subject
		evidence assay.Evidence
		says     string
	}{
		"no payload":       {"", assay.PredicateOpenVEX, ok, &assay.VEX{}, "payload"},
		"no type":          {"{}", "", ok, &assay.VEX{}, "predicate type"},
		"no subject":       {"{}", assay.PredicateOpenVEX, nil, &assay.VEX{}, "subject"},
		"no digest":        {"{}", assay.PredicateOpenVEX, []assay.Subject{ok[0], {Name: "b"}}, &assay.VEX{}, "in-toto S2"},
		"no evidence":      {"{}", assay.PredicateOpenVEX, ok, nil, "predicate"},
		"nil pointer":      {"{}", assay.PredicateSPDX, ok, none, "predicate"},
		"another kind":     {"{}", assay.PredicateOpenVEX, ok, &assay.SBOM{}, "sbom"},
		"unknown as known": {"{}", "https://example.com/type", ok, &assay.SBOM{}, "sbom"},
	} {
		s, err := assay.NewStatement([]byte(tt.payload), tt.typ, tt.subjects, tt.evidence)
		if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want one that says %q", name, err, tt.says)
		}
		if s.Payload() != nil || s.Evidence() != nil {
			t.Errorf("%s: a statement beside an error", name)
		}
	}
	for typ, e := range map[assay.PredicateType]assay.Evidence{
		assay.PredicateCycloneDX: &assay.SBOM{}, assay.PredicateSLSA02: &assay.Provenance{}, assay.PredicateOpenVEX: &assay.VEX{}, assay.PredicateVulns02: &assay.Scan{},
		assay.PredicateSCAI: &assay.Posture{}, assay.PredicateRemediation: &assay.Remediation{}, assay.PredicateTest: &assay.TestResult{},
		assay.PredicateVSA: &assay.Summary{}, "https://example.com/type": &assay.Opaque{}, assay.PredicateSPDX: &assay.Opaque{},
	} {
		if _, err := assay.NewStatement([]byte("{}"), typ, ok, e); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestSubjectAndResource(t *testing.T) {
	if err := (assay.Subject{Name: "a"}).Validate(); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "a: digest") {
		t.Errorf("got %v", err)
	}
	if err := (assay.Resource{Name: "a"}).Validate(); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "in-toto S5") {
		t.Errorf("got %v", err)
	}
	for _, r := range []assay.Resource{{URI: "https://a"}, {Digest: assay.DigestSet{sha("a")}}, {Content: []byte("a")}} {
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
	}
	list := []assay.Resource{
		{}, {Content: []byte("a")}, {MediaType: "a"}, {DownloadLocation: "a"}, {Digest: assay.DigestSet{sha("a")}}, {Digest: assay.DigestSet{sha("a"), sha("b")}},
		{Digest: assay.DigestSet{sha("b")}}, {Name: "a"}, {URI: "a"},
	}
	for i, a := range list {
		for j, b := range list {
			if got := a.Compare(b); got != max(-1, min(1, i-j)) {
				t.Errorf("%d, %d: got %d", i, j, got)
			}
		}
	}
}
