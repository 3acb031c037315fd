package provenance_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

var verifiedAt = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func summary() *assay.Summary {
	d := assay.DigestSet{assay.MustDigest("sha256:" + hash)}
	return &assay.Summary{
		Verifier: "https://verifier.example/v1", VerifierVersion: map[string]string{"assay": "1"}, TimeVerified: verifiedAt,
		ResourceURI: "pkg:oci/app@sha256:" + hash, Policy: assay.Resource{URI: "https://policy.example/p", Digest: d},
		Inputs: []assay.Resource{{URI: "https://a.example/1", Digest: d}}, Passed: true,
		Levels: []string{"ORG_X", "SLSA_BUILD_LEVEL_2", provenance.BuildReproduced}, DependencyLevels: map[string]int{"SLSA_BUILD_LEVEL_1": 2}, SLSAVersion: "1.2",
	}
}

var sameSummary = cmp.Options{cmpopts.EquateComparable(assay.Digest{})} // nil and empty differ

func TestSummaryRoundTrip(t *testing.T) {
	none, unclaimed, failed := summary(), summary(), summary()
	none.DependencyLevels, unclaimed.DependencyLevels = map[string]int{}, nil
	failed.Passed, failed.Levels, failed.TimeVerified, failed.Inputs = false, []string{}, time.Time{}, nil
	for name, s := range map[string]*assay.Summary{"full": summary(), "no dependencies": none, "no claim": unclaimed, "failed": failed} {
		b, err := provenance.EncodeSummary(s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := provenance.ReadSummary(name, b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(s, got, sameSummary); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if _, stated := m["dependencyLevels"]; stated != (name != "no claim") {
			t.Errorf("%s: %s", name, b)
		}
	}
}

// Each rule is broken by one change of a good document.
func TestSummaryRulesBroken(t *testing.T) {
	good, err := provenance.EncodeSummary(summary())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, field, rule string }{
		{"no verifier", `"id":"https://verifier.example/v1"`, `"id":""`, "/verifier/id", "VSA V1"},
		{"no resource", `"resourceUri":"pkg:oci/app@sha256:` + hash + `"`, `"resourceUri":null`, "/resourceUri", "VSA V1"},
		{"no policy", `"uri":"https://policy.example/p"`, `"name":"p"`, "/policy/uri", "VSA V1"},
		{"another result", "PASSED", "PASS", "/verificationResult", "VSA V1"},
		{"no levels", `"verifiedLevels"`, `"levels"`, "/verifiedLevels", "VSA V1"},
		{"two of a track", `"ORG_X"`, `"SLSA_BUILD_LEVEL_3"`, "/verifiedLevels/1", "VSA V2"},
		{"an input without digest", `{"uri":"https://a.example/1","digest":{"sha256":"` + hash + `"}}`, `{"uri":"https://a.example/1"}`, "/inputAttestations/0/digest", "VSA V3"},
		{"an input that is nothing", `{"uri":"https://a.example/1","digest":{"sha256":"` + hash + `"}}`, `{"name":"x"}`, "/inputAttestations/0", "in-toto S5"},
		{"fewer than no dependencies", `"SLSA_BUILD_LEVEL_1":2`, `"SLSA_BUILD_LEVEL_1":-2`, "/dependencyLevels/SLSA_BUILD_LEVEL_1", "VSA V4"},
		{"dependencies of no level", `"SLSA_BUILD_LEVEL_1":2`, `"":2`, "/dependencyLevels/", "VSA V4"},
	} {
		changed := strings.Replace(string(good), tt.old, tt.new, 1)
		if changed == string(good) {
			t.Fatalf("%s: nothing was changed in %s", tt.name, good)
		}
		_, err := provenance.ReadSummary("vsa.json", []byte(changed))
		e, ok := errors.AsType[*assay.Error](err)
		if !ok || !errors.Is(err, assay.ErrInvalid) || e.Field != tt.field || e.Rule != tt.rule || e.Subject != "vsa.json" {
			t.Errorf("%s: got %v, want %s at %s", tt.name, err, tt.rule, tt.field)
		}
	}
	for _, level := range []string{"SLSA_MINE", "SLSA_BUILD_LEVEL_03", "SLSA_BUILD_LEVEL_", "SLSA_LEVEL_3"} {
		s := summary()
		s.Levels = []string{level}
		if _, err := provenance.EncodeSummary(s); err == nil || !strings.Contains(err.Error(), "VSA V2") || !strings.Contains(err.Error(), level) {
			t.Errorf("%s was written: %v", level, err)
		}
		s = summary()
		s.DependencyLevels = map[string]int{level: 1}
		if _, err := provenance.EncodeSummary(s); err == nil || !strings.Contains(err.Error(), "VSA V2") {
			t.Errorf("dependencies at %s were written: %v", level, err)
		}
	}
	s := summary()
	s.Verifier = "me"
	if _, err := provenance.EncodeSummary(s); err == nil || !strings.Contains(err.Error(), "VSA V1") {
		t.Errorf("a verifier that is no URI was written: %v", err)
	}
	if _, err := provenance.EncodeSummary(nil); err == nil {
		t.Error("nil was written")
	}
}

func expectations() provenance.SummaryExpectations {
	return provenance.SummaryExpectations{
		Verifier: "https://verifier.example/v1", Resource: "pkg:oci/app@sha256:" + hash,
		Policy: assay.Resource{URI: "https://policy.example/p", Digest: assay.DigestSet{assay.MustDigest("sha256:" + hash)}},
		Levels: []string{"SLSA_BUILD_LEVEL_2", provenance.BuildReproduced}, MaxAge: time.Hour, Now: verifiedAt.Add(time.Hour),
	}
}

func TestCheckSummary(t *testing.T) {
	type S = assay.Summary
	type X = provenance.SummaryExpectations
	for _, tt := range []struct {
		name   string
		change func(*S, *X)
		kind   error // nil: met
		says   string
	}{
		{"met", func(*S, *X) {}, nil, ""},
		{"a higher level", func(s *S, _ *X) { s.Levels[1] = "SLSA_BUILD_LEVEL_3" }, nil, ""},
		{"no policy digest wanted", func(s *S, x *X) { x.Policy.Digest, s.Policy.Digest = nil, nil }, nil, ""},
		{"any age", func(s *S, x *X) { x.MaxAge, x.AnyAgeUnsafe, s.TimeVerified = 0, true, time.Time{} }, nil, ""},
		{"no level wanted", func(_ *S, x *X) { x.Levels = nil }, nil, ""},
		{"another verifier", func(s *S, _ *X) { s.Verifier += "/x" }, assay.ErrRefuted, "/verifier/id"},
		{"another resource", func(s *S, _ *X) { s.ResourceURI += "x" }, assay.ErrRefuted, "/resourceUri"},
		{"another policy", func(s *S, _ *X) { s.Policy.URI += "x" }, assay.ErrRefuted, "/policy/uri"},
		{"another policy's digest", func(s *S, _ *X) {
			s.Policy.Digest = assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("b", 64))}
		}, assay.ErrRefuted, "/policy/digest/sha256"},
		{"no policy digest", func(s *S, _ *X) { s.Policy.Digest = nil }, assay.ErrUnchecked, "/policy/digest"},
		{"failed", func(s *S, _ *X) { s.Passed = false }, assay.ErrRefuted, "/verificationResult"},
		{"a lower level", func(s *S, _ *X) { s.Levels[1] = "SLSA_BUILD_LEVEL_1" }, assay.ErrRefuted, "SLSA_BUILD_LEVEL_2"},
		{"another track", func(s *S, _ *X) { s.Levels[1] = "SLSA_SOURCE_LEVEL_4" }, assay.ErrUnchecked, "SLSA_BUILD_LEVEL_2"},
		{"not evaluated", func(s *S, _ *X) { s.Levels[1] = "SLSA_BUILD_LEVEL_UNEVALUATED" }, assay.ErrUnchecked, "UNEVALUATED"},
		{"a level spelled otherwise", func(s *S, _ *X) { s.Levels[1] = "SLSA_BUILD_LEVEL_03" }, assay.ErrUnchecked, "SLSA_BUILD_LEVEL_2"},
		{"no property", func(s *S, _ *X) { s.Levels = s.Levels[:2] }, assay.ErrUnchecked, "REPRODUCED"},
		{"too old", func(_ *S, x *X) { x.MaxAge-- }, assay.ErrRefuted, "/timeVerified"},
		{"of tomorrow", func(_ *S, x *X) { x.Now = verifiedAt.Add(-1) }, assay.ErrRefuted, "/timeVerified"},
		{"of no time", func(s *S, _ *X) { s.TimeVerified = time.Time{} }, assay.ErrUnchecked, "/timeVerified"},
		{"a broken summary", func(s *S, _ *X) { s.Inputs[0].Digest = nil }, assay.ErrInvalid, "VSA V3"},
		{"nothing expected", func(_ *S, x *X) { *x = X{} }, assay.ErrInvalid, "verifier"},
		{"no resource expected", func(_ *S, x *X) { x.Resource = "" }, assay.ErrInvalid, "resource"},
		{"no policy expected", func(_ *S, x *X) { x.Policy = assay.Resource{} }, assay.ErrInvalid, "policy"},
		{"no age expected", func(_ *S, x *X) { x.MaxAge = 0 }, assay.ErrInvalid, "maxAge"},
		{"no time to compare", func(_ *S, x *X) { x.Now = time.Time{} }, assay.ErrInvalid, "maxAge"},
		{"an empty level expected", func(_ *S, x *X) { x.Levels = []string{""} }, assay.ErrInvalid, "levels"},
		{"UNEVALUATED expected", func(_ *S, x *X) { x.Levels = []string{"SLSA_BUILD_LEVEL_UNEVALUATED"} }, assay.ErrInvalid, "levels"},
	} {
		s, x := summary(), expectations()
		tt.change(s, &x)
		err := provenance.CheckSummary(s, x)
		if tt.kind == nil {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %v of %s", tt.name, err, tt.kind, tt.says)
		}
		if !errors.Is(err, assay.ErrInvalid) && !strings.Contains(err.Error(), "VSA V5") {
			t.Errorf("%s: no rule in %v", tt.name, err)
		}
	}
	if err := provenance.CheckSummary(nil, expectations()); err == nil {
		t.Error("nil meets expectations")
	}
}

func TestReadSourceSummary(t *testing.T) {
	s := summary()
	s.ResourceURI, s.Levels = "git+https://github.com/o/r", []string{"ORG_SOURCE_REVIEWED", "SLSA_SOURCE_LEVEL_3"}
	predicate, err := provenance.EncodeSummary(s)
	if err != nil {
		t.Fatal(err)
	}
	good := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"uri":"https://github.com/o/r/commit/1","digest":{"gitCommit":"` + commit +
		`"},"annotations":{"sourceRefs":["refs/heads/main","refs/tags/v1"]}}],"predicateType":"https://slsa.dev/verification_summary/v1","predicate":` + string(predicate) + `}`
	got, err := provenance.ReadSourceSummary("s", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if got.Level != 3 || got.Commit.Hex() != commit || strings.Join(got.Refs, " ") != "refs/heads/main refs/tags/v1" || got.Verifier != s.Verifier {
		t.Errorf("%+v", got)
	}
	for _, tt := range []struct{ name, old, new, says string }{
		{"no commit", `"gitCommit"`, `"sha1"`, "VSA V6"},
		{"a short ref", `refs/tags/v1`, `main`, "VSA V6"},
		{"no ref", `refs/tags/v1`, `refs/`, "VSA V6"},
		{"a ref twice", `refs/tags/v1`, `refs/heads/main`, "VSA V6"},
		{"no subject", `"subject":[{`, `"subject":[],"x":[{`, "VSA V6"},
		{"no level of the track", `"ORG_SOURCE_REVIEWED","SLSA_SOURCE_LEVEL_3"`, `"SLSA_BUILD_LEVEL_3"`, "VSA V6"},
		{"two levels of the track", `"ORG_SOURCE_REVIEWED"`, `"SLSA_SOURCE_LEVEL_2"`, "VSA V2"},
		{"another type", `verification_summary/v1`, `verification_summary/v0.2`, "VSA V6"},
		{"an older statement", `Statement/v1`, `Statement/v0.1`, "in-toto S1"},
		{"a broken digest", commit, commit[1:], "in-toto S4"},
	} {
		changed := strings.Replace(good, tt.old, tt.new, 1)
		if changed == good {
			t.Fatalf("%s: nothing was changed", tt.name)
		}
		if _, err := provenance.ReadSourceSummary("s", []byte(changed)); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// What is read is written, unless it is what only readers put up with; what is written
// reads the same.
func FuzzReadSummary(f *testing.F) {
	good, err := provenance.EncodeSummary(summary())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"verifier":{"id":"v"},"resourceUri":"r","policy":{"uri":"p"},"verificationResult":"FAILED","verifiedLevels":[],"dependencyLevels":{}}`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"gitCommit":"` + commit + `"},"annotations":{"sourceRefs":["refs/x"]}}],"predicateType":"https://slsa.dev/verification_summary/v1","predicate":` + string(good) + `}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := provenance.ReadSourceSummary("fuzz", b); err == nil && s.Commit.IsZero() {
			t.Fatal("no commit")
		}
		s, err := provenance.ReadSummary("fuzz", b)
		if err != nil {
			if _, ok := errors.AsType[*assay.Error](err); !ok {
				t.Fatalf("untyped: %v", err)
			}
			return
		}
		out, err := provenance.EncodeSummary(s)
		if err != nil {
			if !strings.Contains(err.Error(), "VSA V") {
				t.Fatalf("read, but not written: %v", err)
			}
			return
		}
		again, err := provenance.ReadSummary("again", out)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := provenance.EncodeSummary(again)
		if err != nil || string(twice) != string(out) || again.Passed != s.Passed || (again.DependencyLevels == nil) != (s.DependencyLevels == nil) {
			t.Fatalf("%s, then %s: %v", out, twice, err)
		}
	})
}
