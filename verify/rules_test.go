package verify_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/provenance"
	"github.com/assaykit/assay/verify"
)

// rule is one of those that provenance, its statements and summaries of verifications are
// held to: in-toto attestation v1.2, SLSA v1.2 build-provenance.md and
// verification_summary.md, numbered as in the documentation of package provenance.
type rule struct {
	// breaks gives what comes of breaking it: an error that names it. Of a rule that binds
	// the reader alone, which no document can break, it is nil, and holds tells whether the
	// reader keeps it.
	breaks func(*testing.T) error
	holds  func(*testing.T)
	// tests are others that hold it, by package and name.
	tests []string
}

const (
	plainPredicate = `{"buildDefinition":{"buildType":"https://b.example/t","externalParameters":{"a":1},"resolvedDependencies":[{"uri":"git+https://g.example/o/r","digest":{"gitCommit":"` + commit + `"}}]},` +
		`"runDetails":{"builder":{"id":"https://b.example"},"metadata":{"startedOn":"2026-05-06T10:00:00Z","finishedOn":"2026-05-06T11:00:00Z"},"byproducts":[{"uri":"https://b.example/log"}]}}`
	plainSummary = `{"verifier":{"id":"https://v.example"},"timeVerified":"2026-05-06T10:00:00Z","resourceUri":"pkg:oci/app","policy":{"uri":"https://v.example/p"},` +
		`"inputAttestations":[{"uri":"https://v.example/a","digest":{"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}],"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_2"],"dependencyLevels":{"SLSA_BUILD_LEVEL_1":2}}`
)

// changed replaces a part of a document, which must have it.
func changed(t *testing.T, doc string, changes ...string) []byte {
	t.Helper()
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(doc, changes[i]) {
			t.Fatalf("the document has no %s", changes[i])
		}
		doc = strings.Replace(doc, changes[i], changes[i+1], 1)
	}
	return []byte(doc)
}

func plainStatement() string {
	return `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"` + strings.Repeat("a", 64) + `"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":` + plainPredicate + `}`
}

func statement(changes ...string) func(*testing.T) error {
	return func(t *testing.T) error {
		_, err := attest.ParseStatement("statement.json", changed(t, plainStatement(), changes...))
		return err
	}
}

func predicate(changes ...string) func(*testing.T) error {
	return func(t *testing.T) error {
		_, err := provenance.Read("predicate.json", assay.PredicateSLSA1, changed(t, plainPredicate, changes...))
		return err
	}
}

func summary(changes ...string) func(*testing.T) error {
	return func(t *testing.T) error {
		_, err := provenance.ReadSummary("summary.json", changed(t, plainSummary, changes...))
		return err
	}
}

func rules() map[string]rule {
	sum := strings.Repeat("a", 64)
	return map[string]rule{
		"in-toto S1": {statement("Statement/v1", "Statement/v2"), nil, []string{"attest.TestParseStatement"}},
		"in-toto S2": {statement(`"digest":{"sha256":"`+sum+`"}`, `"digest":{}`), nil, []string{"attest.TestParseStatement", "verify.TestComponentsByWeakDigest"}},
		"in-toto S3": {statement("https://slsa.dev/provenance/v1", "provenance v1"), nil, []string{"attest.TestParseStatement"}},
		"in-toto S4": {statement(sum, strings.ToUpper(sum)), nil, []string{"attest.TestParseStatement", "assay.TestDigestSet", "verify.TestComponentsOfGoProgram"}},
		"in-toto S5": {predicate(`{"uri":"https://b.example/log"}`, `{"name":"log"}`), nil, []string{"assay.TestSubjectAndResource", "provenance.TestReadRefused"}},
		"in-toto S6": {nil, readerOfMore, []string{"verify.TestOrderAndWorkersDoNotMatter", "attest.TestParseStatement"}},
		"in-toto S7": {payloadOfAnotherType, nil, []string{"verify.TestRefusedAttestations", "attest.TestAttachRefuses"}},
		"in-toto S8": {statement(`"sha256":"`+sum+`"`, `"dirHash":"`+sum+`","dirHash1":"`+strings.Repeat("b", 64)+`"`), nil, []string{"verify.TestComponentsOfGoProgram"}},
		"in-toto S9": {predicate(`{"buildDefinition"`, `{"build_definition":{"build_type":"https://b.example/t"},"buildDefinition"`), nil, []string{"provenance.TestWitnessAgreesWithInToto"}},

		"SLSA P1": {func(*testing.T) error {
			_, err := provenance.Read("predicate.json", "https://slsa.dev/provenance/v2", []byte(plainPredicate))
			return err
		}, nil, []string{"provenance.TestReadOldVersions"}},
		"SLSA P2": {predicate(`"id":"https://b.example"`, `"version":{}`), nil, []string{"provenance.TestReadRefused"}},
		"SLSA P3": {nil, emptyIsAbsent, []string{"provenance.TestEmptyIsAbsent"}},
		"SLSA P4": {predicate("https://b.example/t", provenance.BuildTypeGitHub), nil, []string{"verify.TestUnknownParameter"}},
		"SLSA P5": {predicate(`"externalParameters"`, `"internalParameters":{"a":2},"externalParameters"`), nil, []string{"provenance.TestReadRefused"}},
		"SLSA P6": {func(t *testing.T) error {
			p, err := provenance.Read("predicate.json", assay.PredicateSLSA1, []byte(plainPredicate))
			if err != nil {
				t.Fatal(err)
			}
			p.Source = assay.Source{Repository: "https://g.example/o/r", Commit: assay.MustDigest("gitCommit:" + strings.Repeat("b", 40))}
			_, err = provenance.Encode(p)
			return err
		}, nil, []string{"provenance.TestDialectsRefused"}},
		"SLSA P7": {levelOfOnesOwn, nil, []string{"verify.TestBuildersOfSimilarNames", "verify.TestReusableWorkflowOfAnother", "verify.TestBuildLevel", "provenance.TestLevel"}},
		"SLSA P8": {func(t *testing.T) error {
			p, err := provenance.Read("predicate.json", assay.PredicateSLSA1, []byte(plainPredicate))
			if err != nil {
				t.Fatal(err)
			}
			p.Extensions = map[string]json.RawMessage{"/runDetails/builder/id": json.RawMessage(`"https://other.example"`)}
			_, err = provenance.Encode(p)
			return err
		}, nil, []string{"provenance.TestEncodeRefused"}},
		"SLSA P9": {func(t *testing.T) error {
			p, err := provenance.Read("predicate.json", assay.PredicateSLSA02, []byte(`{"builder":{"id":"https://b.example"},"buildType":"https://b.example/t"}`))
			if err != nil {
				t.Fatal(err)
			}
			_, err = provenance.Encode(p)
			return err
		}, nil, []string{"provenance.TestCorpusConvertedWhole", "provenance.TestToV1OfRecipe", "provenance.TestToV1"}},
		"SLSA P10": {predicate("T11:00", "T09:00"), nil, []string{"provenance.TestReadRefused"}},

		"VSA V1": {summary(`"uri":"https://v.example/p"`, `"uri":""`), nil, []string{"provenance.TestSummaryRulesBroken"}},
		"VSA V2": {summary(`"SLSA_BUILD_LEVEL_2"`, `"SLSA_BUILD_LEVEL_2","SLSA_BUILD_LEVEL_3"`), nil, []string{"provenance.TestSummaryRulesBroken"}},
		"VSA V3": {summary(`,"digest":{"sha256":"`+sum+`"}`, ""), nil, []string{"verify.TestSummaryNamesWhatIsNested", "provenance.TestSummaryRulesBroken"}},
		"VSA V4": {summary(`"SLSA_BUILD_LEVEL_1":2`, `"SLSA_BUILD_LEVEL_1":-1`), nil, []string{"verify.TestDependenciesOfAnIndex", "verify.TestSummaryThatSaysTooMuch", "provenance.TestSummaryRulesBroken"}},
		"VSA V5": {func(t *testing.T) error {
			s, err := provenance.ReadSummary("summary.json", []byte(plainSummary))
			if err != nil {
				t.Fatal(err)
			}
			return provenance.CheckSummary(s, provenance.SummaryExpectations{Verifier: s.Verifier, Resource: "pkg:oci/other", Policy: s.Policy, MaxAge: time.Hour, Now: s.TimeVerified})
		}, nil, []string{"verify.TestSummaryThatSaysTooMuch", "provenance.TestCheckSummary", "verify.TestSummaryStandsIn"}},
		"VSA V6": {func(*testing.T) error {
			_, err := provenance.ReadSourceSummary("summary.json", []byte(sourceStatement("refs/heads/main", "main")))
			return err
		}, nil, []string{"verify.TestSourceLevelOfNobodysClaim", "provenance.TestReadSourceSummary", "verify.TestSourceLevel"}},
	}
}

// payloadOfAnotherType is a statement in an envelope that says it has text.
func payloadOfAnotherType(t *testing.T) error {
	sigstore, run := testsigstore.NewVirtual(t), testsigstore.Workflow{}
	raw := sigstore.SignDSSEWith(t, run.Identity(""), "text/plain", []byte(plainStatement()), testsigstore.SignOptions{At: at})
	v, err := verify.NewSignatureVerifier(verify.Trust{TrustedRoot: sigstore.TrustedRootJSON()}, verify.SignerRule{Name: "ci", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(assay.NewEnvelope(assay.MediaTypeSigstoreBundle, raw), assay.MustDigest("sha256:"+strings.Repeat("a", 64)))
	return err
}

// levelOfOnesOwn asks for a level that the provenance claims for itself.
func levelOfOnesOwn(t *testing.T) error {
	f := newFixture(t)
	p := newProvenance()
	p.ExternalParameters["level"] = json.RawMessage(`"SLSA_BUILD_LEVEL_3"`)
	policy := verify.Policy{Signers: f.policy().Signers, MinBuildLevel: 3}
	return f.ask(t, policy, nil, attest.FromEnvelopes(f.sign(t, f.signer, p)), attest.FromImage(f.image)).Err()
}

// readerOfMore: members that are not known are ignored, wherever they are, and what is
// added takes away nothing.
func readerOfMore(t *testing.T) {
	more := changed(t, plainStatement(), `{"_type"`, `{"more":1,"_type"`, `{"name":"app"`, `{"more":[],"name":"app"`, `{"buildDefinition":{`, `{"more":{},"buildDefinition":{"more":true,`,
		`"builder":{`, `"builder":{"more":"x",`, `"metadata":{`, `"metadata":{"more":0,`, `{"uri":"git+`, `{"more":null,"uri":"git+`)
	h, err := attest.ParseStatement("statement.json", more)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provenance.Read("statement.json", h.PredicateType, h.Predicate); err != nil {
		t.Error(err)
	}
	if _, err := provenance.ReadSummary("summary.json", changed(t, plainSummary, `{"verifier":{`, `{"more":1,"verifier":{"more":2,`)); err != nil {
		t.Error(err)
	}
	f := newFixture(t)
	own := f.genuine(t)
	one, two := f.verify(t, own), f.verify(t, append(slices.Clone(own), f.sign(t, f.stranger, f.provenance), f.raw(t, "{}")))
	if one.Verdict.Policy != assay.Proven || two.Verdict.Policy != assay.Proven || two.Verdict.Stage != one.Verdict.Stage {
		t.Errorf("%+v became %+v", one.Verdict, two.Verdict)
	}
}

// emptyIsAbsent: null, empty and absent are the same.
func emptyIsAbsent(t *testing.T) {
	read := func(changes ...string) (string, error) {
		p, err := provenance.Read("p", assay.PredicateSLSA1, changed(t, plainPredicate, changes...))
		if err != nil {
			return "", err
		}
		text, err := provenance.Encode(p)
		return string(text), err
	}
	const byproducts, builder = `,"byproducts":[{"uri":"https://b.example/log"}]`, `"id":"https://b.example"`
	want, err := read(byproducts, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, empty := range []string{"null", "[]", "[{}]"} {
		if got, err := read(byproducts, `,"byproducts":`+empty); err != nil || got != want {
			t.Errorf("%s: %s, %v", empty, got, err)
		}
	}
	_, absent := read(builder, `"version":null`)
	for _, empty := range []string{"null", `""`} {
		if _, err := read(builder, `"id":`+empty); err == nil || absent == nil || err.Error() != absent.Error() {
			t.Errorf("%s: %v, want %v", empty, err, absent)
		}
	}
}

// Each rule is broken here, or kept where only a reader can break it, and the error names
// it; the other tests that hold it exist.
func TestRules(t *testing.T) {
	all := rules()
	total := 0
	for prefix, n := range map[string]int{"in-toto S": 9, "SLSA P": 10, "VSA V": 6} {
		for i := range n {
			total++
			if name := prefix + strconv.Itoa(i+1); all[name].tests == nil {
				t.Errorf("%s is not here", name)
			}
		}
	}
	if len(all) != total {
		t.Errorf("%d rules, want %d", len(all), total)
	}
	known := testNames(t)
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			switch {
			case (r.breaks == nil) == (r.holds == nil):
				t.Error("neither broken nor kept")
			case r.holds != nil:
				r.holds(t)
			default:
				err := r.breaks(t)
				if err == nil || !strings.Contains(err.Error(), "("+name+")") {
					t.Errorf("got %v, want one that names %s", err, name)
				}
				if _, ok := errors.AsType[*assay.Error](err); !ok {
					t.Errorf("%T is no assay.Error", err)
				}
			}
			if len(r.tests) == 0 {
				t.Error("no other test holds it")
			}
			for _, test := range r.tests {
				if !slices.Contains(known, test) {
					t.Errorf("there is no test %s", test)
				}
			}
		})
	}
}

// testNames are all tests of this module, by the name of their package's folder.
func testNames(t *testing.T) []string {
	t.Helper()
	var out []string
	test := regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`)
	for folder, name := range map[string]string{"..": "assay", "../attest": "attest", "../provenance": "provenance", ".": "verify"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range test.FindAllStringSubmatch(string(text), -1) {
				out = append(out, name+"."+m[1])
			}
		}
	}
	return out
}
