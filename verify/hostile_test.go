package verify_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
	"github.com/assaykit/assay/vex"
)

// What those can do who write to a store, run one, or sign one kind of evidence.

// Anybody can have an old signature of a key witnessed again, today: that does not
// make an old image one that was rebuilt.
func TestOldSignatureWitnessedAnew(t *testing.T) {
	f := newFixture(t)
	v := testsigstore.NewVirtual(t)
	again := stamped(t, f.sign(t, f.signer, f.provenance), v, at)
	trust := f.trust()
	trust.TrustedRoot = v.TrustedRootJSON()
	verifier, err := verify.New(trust, f.policy(), verify.At(at))
	if err != nil {
		t.Fatal(err)
	}
	r, err := verifier.Verify(context.Background(), f.digest, attest.FromEnvelopes(again))
	if err != nil {
		t.Fatal(err)
	}
	if a := r.Attestations[0]; a.State != assay.Proven || !a.SignedBy.Equal(at) {
		t.Fatalf("got %+v", a)
	}
	if c := check(t, r, verify.CheckRebuilt, assay.Unknown, verify.NotStated); !strings.Contains(c.Detail, "key") {
		t.Errorf("detail is %s", c.Detail)
	}
}

// A commit is in every fork: a certificate that does not name the repository does not
// tie the provenance to its run. The deprecated claim names it only by OWNER/NAME, which
// is a repository on github.com if the token was github.com's, as Fulcio has it from there
// (docs/oid-info.md, 1.3.6.1.4.1.57264.1.5), and of nobody knows which host if not.
func TestCommitWithoutRepository(t *testing.T) {
	f := newFixture(t)
	v := testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	const tenant = "https://token.actions.tenant.ghe.com"
	for name, tt := range map[string]struct {
		issuer string
		change func(*certificate.Extensions)
		state  assay.State
		reason verify.Reason
	}{
		"both":                        {testsigstore.GitHubIssuer, func(*certificate.Extensions) {}, assay.Proven, verify.Holds},
		"neither":                     {testsigstore.GitHubIssuer, func(x *certificate.Extensions) { x.SourceRepositoryURI, x.GithubWorkflowRepository = "", "" }, assay.Unknown, verify.NotStated},
		"deprecated":                  {testsigstore.GitHubIssuer, func(x *certificate.Extensions) { x.SourceRepositoryURI = "" }, assay.Proven, verify.Holds},
		"deprecated, a fork":          {testsigstore.GitHubIssuer, func(x *certificate.Extensions) { x.SourceRepositoryURI, x.GithubWorkflowRepository = "", "fork/app" }, assay.Refuted, verify.Contradiction},
		"an enterprise on github.com": {testsigstore.GitHubIssuer + "/octo-enterprise", func(x *certificate.Extensions) { x.SourceRepositoryURI = "" }, assay.Proven, verify.Holds},
		"another GitHub":              {tenant, func(x *certificate.Extensions) { x.SourceRepositoryURI = "" }, assay.Unknown, verify.NotStated},
		"another GitHub, both":        {tenant, func(*certificate.Extensions) {}, assay.Proven, verify.Holds},
		"an issuer that looks alike":  {testsigstore.GitHubIssuer + ".example", func(x *certificate.Extensions) { x.SourceRepositoryURI = "" }, assay.Unknown, verify.NotStated},
	} {
		t.Run(name, func(t *testing.T) {
			id := run.Identity("")
			id.Issuer = tt.issuer
			tt.change(&id.Extensions)
			verifier, err := verify.New(verify.Trust{TrustedRoot: v.TrustedRootJSON()}, verify.Policy{
				Signers: []verify.SignerRule{{Name: "release", Issuer: tt.issuer, Subject: run.SAN()}},
			}, verify.At(at))
			if err != nil {
				t.Fatal(err)
			}
			e := f.sign(t, virtualSigner{t, v, id, testsigstore.SignOptions{At: at}}, workflowProvenance(t, run))
			r, err := verifier.Verify(context.Background(), f.digest, attest.FromEnvelopes(e))
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, verify.CheckSignerClaims, tt.state, tt.reason)
		})
	}
}

// Which of several sources lies, fails or is asked first does not matter, because the
// bytes are hashed.
func TestOrderOfSourcesDoesNotMatter(t *testing.T) {
	f, other := newFixture(t), newFixtureWith(t, testimage.File{Name: "x", Body: "x"})
	evidence := attest.FromEnvelopes(f.genuine(t)...)
	liar, broken, honest := imageFor{other.image, nil}, imageFor{nil, errors.New("broken")}, attest.FromImage(f.image)
	nothing := imageFor{nil, nil}
	render := func(sources ...attest.Source) string {
		var b bytes.Buffer
		if err := report.JSON(&b, f.ask(t, f.policy(), nil, append(sources, evidence)...)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	good := render(honest)
	for _, sources := range [][]attest.Source{{liar, honest}, {honest, liar}, {broken, honest}, {broken, nothing, liar, honest}} {
		if got := render(sources...); got != good {
			t.Errorf("reports differ:\n%s\n%s", good, got)
		}
	}
	for _, sources := range [][]attest.Source{{liar, broken}, {broken, liar}, {broken, liar, nothing}, {nothing, liar}} {
		if got := render(sources...); got != render(liar) {
			t.Errorf("reports differ:\n%s", got)
		}
	}
	r := f.ask(t, f.policy(), nil, nothing, evidence)
	check(t, r, verify.CheckContents, assay.Unknown, verify.ContentsUnreadable)
}

// cancels ends the question while the image is being opened.
type cancels struct{ cancel func() }

func (cancels) Discover(_ context.Context, d assay.Digest) (*attest.Found, error) {
	return &attest.Found{Bundle: assay.NewBundle(d)}, nil
}

func (s cancels) Image(ctx context.Context, _ assay.Digest) (v1.Image, error) {
	s.cancel()
	return nil, ctx.Err()
}

func TestCancelledMidway(t *testing.T) {
	f := newFixture(t)
	v, err := verify.New(f.trust(), f.policy())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := v.Verify(ctx, f.digest, cancels{cancel}, attest.FromEnvelopes(f.genuine(t)...))
	if r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", r, err)
	}
}

// answers is a source that says what it is told to.
type answers struct {
	found *attest.Found
	err   error
}

func (s answers) Discover(context.Context, assay.Digest) (*attest.Found, error) {
	return s.found, s.err
}

func TestSourcesThatBreakTheirContract(t *testing.T) {
	f := newFixture(t)
	v, err := verify.New(f.trust(), f.policy())
	if err != nil {
		t.Fatal(err)
	}
	other := assay.NewBundle(assay.SumSHA256([]byte("other")))
	for name, s := range map[string]attest.Source{"nil": nil, "nothing": answers{}, "no bundle": answers{found: &attest.Found{}}, "another digest": answers{found: &attest.Found{Bundle: other}}} {
		if r, err := v.Verify(context.Background(), f.digest, attest.FromEnvelopes(f.genuine(t)...), s); r != nil || err == nil {
			t.Errorf("%s: got %v, %v", name, r, err)
		}
	}
	// What a store says in its errors cannot make a report that no format can hold.
	fault := attest.Fault{Store: "x\xff", Err: errors.New(strings.Repeat("\xff", 1<<20))}
	r := f.ask(t, f.policy(), nil, answers{found: &attest.Found{Bundle: assay.NewBundle(f.digest), Faults: []attest.Fault{fault}}})
	var b bytes.Buffer
	if err := report.JSON(&b, r); err != nil || b.Len() > 1<<16 {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}

// What could not be read may be an index of images that nobody looked at.
func TestManifestThatCouldNotBeRead(t *testing.T) {
	f := newFixture(t)
	p := f.policy()
	p.ContentsUnsafe = true
	found := &attest.Found{Bundle: assay.NewBundle(f.digest, f.genuine(t)...)}
	if r := f.ask(t, p, nil, answers{found: found}); r.Err() != nil {
		t.Fatal(r.Err())
	}
	found.Faults = []attest.Fault{{Store: "registry.example/app", Reference: f.digest.String()}} // and gives no reason
	r := f.ask(t, p, nil, answers{found: found})
	check(t, r, verify.CheckPlatforms, assay.Unknown, verify.StoreUnreadable)
	if r.Verdict.Policy != assay.Unknown || r.Verdict.Stage != assay.None {
		t.Errorf("policy %s, stage %s", r.Verdict.Policy, r.Verdict.Stage)
	}
}

// An attestation that could not be checked is not one that is absent.
func TestUncheckedIsNotAbsent(t *testing.T) {
	f := newFixture(t)
	e := f.sign(t, virtualSigner{t, testsigstore.NewVirtual(t), testsigstore.Email("a@b.example", "https://i.example"), testsigstore.SignOptions{At: at}}, f.sbom)
	r := f.verify(t, []assay.Envelope{e})
	if a := r.Attestations[0]; a.State != assay.Unknown || a.Reason != verify.SignerUntrusted {
		t.Fatalf("got %+v", a)
	}
	check(t, r, "evidence/sbom", assay.Unknown, verify.Unchecked)
}

// A verification that failed is no reason to pass, nor are tests that did.
func TestOutcomesCount(t *testing.T) {
	f := newFixture(t)
	summary := func(passed bool) *assay.Summary {
		return &assay.Summary{Verifier: "https://verifier.example", ResourceURI: "https://x.example", Policy: assay.Resource{URI: "https://p.example"}, Passed: passed, Levels: []string{}}
	}
	tests := func(result string) *assay.TestResult {
		return &assay.TestResult{Result: result, Configuration: []assay.Resource{}}
	}
	for name, tt := range map[string]struct {
		evidence []assay.Evidence
		id       string
		state    assay.State
	}{
		"passed":          {[]assay.Evidence{summary(true)}, verify.CheckSummaryPassed, assay.Proven},
		"failed":          {[]assay.Evidence{summary(false)}, verify.CheckSummaryPassed, assay.Refuted},
		"one failed":      {[]assay.Evidence{summary(true), summary(false)}, verify.CheckSummaryPassed, assay.Refuted},
		"tests passed":    {[]assay.Evidence{tests("PASSED")}, verify.CheckTestsPassed, assay.Proven},
		"tests with care": {[]assay.Evidence{tests("WARNED")}, verify.CheckTestsPassed, assay.Proven},
		"tests failed":    {[]assay.Evidence{tests("FAILED")}, verify.CheckTestsPassed, assay.Refuted},
	} {
		var envelopes []assay.Envelope
		for _, e := range tt.evidence {
			envelopes = append(envelopes, f.sign(t, f.signer, e))
		}
		p := verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{tt.evidence[0].Kind()}}
		r := f.ask(t, p, nil, attest.FromEnvelopes(envelopes...))
		if c, _ := r.Check(tt.id); c.State != tt.state || r.Verdict.Policy != tt.state {
			t.Errorf("%s: %+v, policy %s", name, c, r.Verdict.Policy)
		}
	}
}

// A statement may have several subjects. All that are this image count, whatever
// their order; a document about the others alone is none about this one.
func TestVEXOfSeveralSubjects(t *testing.T) {
	f := newFixture(t)
	sibling := assay.MustDigest("sha256:" + strings.Repeat("ee", 32))
	index := assay.Subject{Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("00", 32))}}
	ask := func(doc *assay.VEX, subjects ...assay.Subject) *verify.Report {
		t.Helper()
		p := verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindVEX}}
		b := assay.NewBundle(index.Digest[0], f.sign(t, f.signer, doc, subjects...))
		b.AddPlatform(assay.Platform{OS: "linux", Architecture: "amd64"}, assay.NewBundle(f.digest))
		v, err := verify.New(f.trust(), p, verify.At(at))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), index.Digest[0], answers{found: &attest.Found{Bundle: b}}, attest.FromImage(f.image))
		if err != nil {
			t.Fatal(err)
		}
		return r.Platforms[0]
	}
	// canonical statements have their subjects sorted: the index comes first.
	check(t, ask(f.vex, index, f.subject()), verify.CheckVEXProducts, assay.Proven, verify.Holds)

	other := newVEXAbout(t, sibling, func(d *vex.Draft, p assay.Product) { d.Fixed("CVE-2026-1000", p) })
	r := ask(other, index, assay.Subject{Digest: assay.DigestSet{sibling}})
	c := check(t, r, verify.CheckVEXProducts, assay.Unknown, verify.NotStated)
	if !c.Required || r.Verdict.Policy != assay.Unknown {
		t.Errorf("a document about a sibling decided: %+v, policy %s", c, r.Verdict.Policy)
	}
}

// A predicate that is empty in some way is refused, whatever its type.
func TestEmptyPredicates(t *testing.T) {
	f := newFixture(t)
	for _, typ := range []assay.PredicateType{assay.PredicateCycloneDX, assay.PredicateSPDX, assay.PredicateSLSA1, assay.PredicateSLSA02, assay.PredicateSLSA01,
		assay.PredicateOpenVEX, assay.PredicateSCAI, assay.PredicateTest, assay.PredicateVSA} {
		for _, member := range []string{"", `,"predicate":null`, `,"predicate":{}`, `,"predicate":[]`, `,"predicate":""`, `,"predicate":[null]`} {
			e := f.raw(t, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"`+f.digest.Hex()+`"}}],"predicateType":"`+string(typ)+`"`+member+`}`)
			if a := attestation(t, f.verify(t, []assay.Envelope{e}), e); a.State == assay.Proven {
				t.Errorf("%s%s was accepted", typ, member)
			}
		}
	}
}

// An SBOM is held to every component, however it hides one.
func TestSBOMThatHides(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*assay.SBOM)
		state  assay.State
	}{
		"listed twice": {func(s *assay.SBOM) {
			c := s.Components[slices.IndexFunc(s.Components, func(c assay.Component) bool { return c.Name == "libfoo" })]
			c.ID = "again"
			s.Components = append(s.Components, c)
		}, assay.Proven},
		"twice, in two versions": {func(s *assay.SBOM) {
			c := s.Components[slices.IndexFunc(s.Components, func(c assay.Component) bool { return c.Name == "libfoo" })]
			c.ID, c.Version, c.PURL = "again", "9", purl(strings.Replace(c.PURL.String(), "2.0-1", "9", 1))
			s.Components = append(s.Components, c)
		}, assay.Refuted},
		"named without a purl": {func(s *assay.SBOM) {
			for i := range s.Components {
				s.Components[i].PURL = assay.PURL{}
			}
		}, assay.Refuted},
		"called a container": {func(s *assay.SBOM) {
			for i := range s.Components {
				s.Components[i].Type = assay.TypeContainer
			}
		}, assay.Refuted},
		"called a file": {func(s *assay.SBOM) {
			drop(s, "libfoo")
			s.Components = append(s.Components, assay.Component{ID: "f", Type: assay.TypeFile, Name: "usr/lib/libfoo.so"})
		}, assay.Refuted},
		"and what was not looked for": {func(s *assay.SBOM) {
			s.Components = append(s.Components, assay.Component{ID: "f", Type: assay.TypeFile, Name: "usr/lib/libfoo.so"})
		}, assay.Unknown},
	} {
		f := newFixture(t)
		tt.change(f.sbom)
		r := f.verify(t, f.genuine(t))
		if c, _ := r.Check(verify.CheckSBOMContents); c.State != tt.state {
			t.Errorf("%s: %s (%s: %q)", name, c.State, c.Detail, c.Findings)
		}
	}
}

// With unsafe contents, what the bytes refute still fails, and bytes that lie do.
func TestContentsUnsafeIsNoLicence(t *testing.T) {
	f := newFixture(t)
	p := f.policy()
	p.ContentsUnsafe = true
	other := newFixtureWith(t, testimage.File{Name: "bin/sh", Mode: 0o755, Body: "shell"})
	r := f.ask(t, p, nil, attest.FromEnvelopes(f.genuine(t)...), imageFor{other.image, nil})
	check(t, r, verify.CheckContents, assay.Refuted, verify.ContentsMismatch)
	if r.Verdict.Policy != assay.Refuted {
		t.Errorf("policy is %s", r.Verdict.Policy)
	}
	drop(f.sbom, "libfoo")
	r = f.ask(t, p, nil, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image))
	if r.Verdict.Policy != assay.Refuted {
		t.Errorf("policy is %s", r.Verdict.Policy)
	}
	// A claim that was never proven is none.
	f = newFixture(t)
	weak := *f.posture
	weak.Facts = slices.Clone(weak.Facts)
	for i := range weak.Facts {
		weak.Facts[i].State = assay.Unknown
	}
	f.posture = &weak
	r = f.ask(t, p, nil, attest.FromEnvelopes(f.genuine(t)...))
	if r.Verdict.Policy == assay.Proven || r.Verdict.Stage != assay.None {
		t.Errorf("policy %s, stage %s", r.Verdict.Policy, r.Verdict.Stage)
	}
}

// A question about an earlier time is not answered with what was witnessed later, a
// clock's inaccuracy apart.
func TestClock(t *testing.T) {
	f := newFixture(t)
	v := testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	e := f.sign(t, virtualSigner{t, v, run.Identity(""), testsigstore.SignOptions{At: at}}, workflowProvenance(t, run))
	for before, want := range map[time.Duration]assay.State{0: assay.Proven, 4 * time.Minute: assay.Proven, 6 * time.Minute: assay.Unknown} {
		verifier, err := verify.New(verify.Trust{TrustedRoot: v.TrustedRootJSON()}, verify.Policy{
			Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}},
		}, verify.At(at.Add(-before)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := verifier.Verify(context.Background(), f.digest, attest.FromEnvelopes(e))
		if err != nil {
			t.Fatal(err)
		}
		if a := r.Attestations[0]; a.State != want {
			t.Errorf("%s before: %+v", before, a)
		}
	}
}
