package verify_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

// as signs evidence as an identity.
func (k keylessFixture) as(t testing.TB, id testsigstore.Identity, e assay.Evidence, about ...assay.Subject) assay.Envelope {
	t.Helper()
	return k.sign(t, virtualSigner{t, k.sigstore, id, testsigstore.SignOptions{At: at}}, e, about...)
}

// judge asks with the keys and the authority of the fixture, an hour later.
func (k keylessFixture) judge(t testing.TB, policy verify.Policy, opts []verify.Option, sources ...attest.Source) *verify.Report {
	t.Helper()
	v, err := verify.New(verify.Trust{TrustedRoot: k.sigstore.TrustedRootJSON(), Keys: []verify.Key{{Public: k.signer.Public()}, {Public: k.stranger.Public()}}},
		policy, append([]verify.Option{verify.At(at.Add(time.Hour))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(t.Context(), k.digest, sources...)
	if err != nil {
		t.Fatal(err)
	}
	replays(t, r)
	return r
}

// Who may sign provenance as one builder cannot sign it as another that is named nearly so.
func TestBuildersOfSimilarNames(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	rule := verify.SignerRule{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}
	policy := verify.Policy{Signers: []verify.SignerRule{rule}, Require: []assay.Kind{assay.KindProvenance}, MinBuildLevel: 2}
	for _, id := range []string{
		run.SAN() + "/", run.SAN() + "?x=1", run.SAN() + "#x", run.SAN() + " ", strings.Replace(run.SAN(), "github.com", "GitHub.com", 1),
		strings.Replace(run.SAN(), "https", "http", 1), strings.Replace(run.SAN(), "@refs/heads/", "@", 1), strings.Replace(run.SAN(), "refs/heads/main", "refs/tags/main", 1),
		strings.Replace(run.SAN(), "github.com/", "github.com:443/", 1), strings.Replace(run.SAN(), "/.github", "//.github", 1), strings.Replace(run.SAN(), "/octo-org/", "/octo-org/../octo-org/", 1),
	} {
		p := workflowProvenance(t, run)
		p.Builder.ID = id
		if _, err := attest.NewStatement(p, attest.StatementOptions{}, k.subject()); err != nil {
			continue // no URI: nobody can even state it
		}
		r := k.judge(t, policy, nil, attest.FromEnvelopes(k.by(t, run, p)))
		check(t, r, verify.CheckBuilder, assay.Refuted, verify.BuilderNotAllowed)
		check(t, r, verify.CheckLevel, assay.Refuted, verify.LevelTooLow)
		if !errors.Is(r.Err(), assay.ErrRefuted) {
			t.Errorf("%s: %v", id, r.Err())
		}
	}
	r := k.judge(t, policy, nil, attest.FromEnvelopes(k.by(t, run, workflowProvenance(t, run))))
	check(t, r, verify.CheckBuilder, assay.Proven, verify.Holds)
	if r.Err() != nil || r.BuildLevel() != 2 {
		t.Errorf("level %d, %v", r.BuildLevel(), r.Err())
	}
}

// What a certificate does not claim, and provenance says of itself, is no source: certificates
// of some CIs leave out the commit, or the repository, so that a job could name any.
func TestSourceOfNobodysClaim(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	all := run.Identity("").Extensions
	for name, tt := range map[string]struct {
		change func(*certificate.Extensions)
		policy func(*verify.Policy)
		state  assay.State
	}{
		"all is claimed":           {func(*certificate.Extensions) {}, nil, assay.Proven},
		"the commit is not":        {func(e *certificate.Extensions) { e.SourceRepositoryDigest, e.GithubWorkflowSHA = "", "" }, nil, assay.Unknown},
		"the repository is not":    {func(e *certificate.Extensions) { e.SourceRepositoryURI, e.GithubWorkflowRepository = "", "" }, nil, assay.Unknown},
		"the ref is not":           {func(e *certificate.Extensions) { e.SourceRepositoryRef, e.GithubWorkflowRef = "", "" }, nil, assay.Unknown},
		"the ref is not asked for": {func(e *certificate.Extensions) { e.SourceRepositoryRef, e.GithubWorkflowRef = "", "" }, func(p *verify.Policy) { p.RefPattern = "" }, assay.Proven},
		"the ref is of either":     {func(e *certificate.Extensions) { e.SourceRepositoryRef, e.GithubWorkflowRef = "main", "" }, nil, assay.Unknown},
		"nothing is, but the policy names the builder": {func(e *certificate.Extensions) { *e = certificate.Extensions{BuildSignerURI: e.BuildSignerURI} }, func(p *verify.Policy) {
			p.Signers[0].Builders = []string{run.SAN()}
		}, assay.Proven},
	} {
		t.Run(name, func(t *testing.T) {
			id := run.Identity("")
			tt.change(&id.Extensions)
			policy := verify.Policy{Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}}, Sources: []string{all.SourceRepositoryURI}, RefPattern: "refs/heads/main"}
			if tt.policy != nil {
				tt.policy(&policy)
			}
			r := k.judge(t, policy, nil, attest.FromEnvelopes(k.as(t, id, workflowProvenance(t, run))))
			check(t, r, verify.CheckBuilder, assay.Proven, verify.Holds)
			reason := verify.NotStated
			if tt.state == assay.Proven {
				reason = verify.Holds
			}
			c := check(t, r, verify.CheckSource, tt.state, reason)
			if (r.Err() == nil) != (tt.state == assay.Proven) || tt.state != assay.Proven && !strings.Contains(c.Detail, "own word") {
				t.Errorf("%v: %s", r.Err(), c.Detail)
			}
		})
	}
}

// A policy that says where images are built from, or how, asks for that whether or not it
// requires provenance by name.
func TestExpectationsAreRequired(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	fork := run
	fork.Repository = "evil-org/octo-repo"
	signers := []verify.SignerRule{{Name: "any", Issuer: testsigstore.GitHubIssuer, SubjectPattern: "https://github[.]com/.+"}}
	own, repository := k.by(t, run, workflowProvenance(t, run)), run.Identity("").Extensions.SourceRepositoryURI
	foreign := k.by(t, fork, workflowProvenance(t, fork))
	for name, policy := range map[string]verify.Policy{
		"source":     {Signers: signers, Sources: []string{repository}},
		"ref":        {Signers: signers, Sources: []string{repository}, RefPattern: "refs/heads/.+"},
		"level":      {Signers: signers, Sources: []string{repository}, MinBuildLevel: 2},
		"parameters": {Signers: signers, Parameters: map[string]json.RawMessage{"/workflow/repository": json.RawMessage(`"` + repository + `"`)}},
	} {
		if err := k.judge(t, policy, nil, attest.FromEnvelopes(own)).Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := k.judge(t, policy, nil, attest.FromEnvelopes(foreign)).Err(); !errors.Is(err, assay.ErrRefuted) {
			t.Errorf("%s, of a fork: %v", name, err)
		}
		// A good one beside it does not make it a good one.
		if err := k.judge(t, policy, nil, attest.FromEnvelopes(own, foreign)).Err(); !errors.Is(err, assay.ErrRefuted) {
			t.Errorf("%s, beside that of a fork: %v", name, err)
		}
		if err := k.judge(t, policy, nil, attest.FromEnvelopes(k.by(t, run, k.posture))).Err(); !errors.Is(err, assay.ErrUnchecked) {
			t.Errorf("%s, without provenance: %v", name, err)
		}
	}
}

// What somebody calls a reusable workflow for is of the caller, whatever the workflow is
// trusted for; and the caller is not the workflow.
func TestReusableWorkflowOfAnother(t *testing.T) {
	k := newKeylessFixture(t)
	caller := testsigstore.Workflow{}
	const shared = "https://github.com/octo-org/ci/.github/workflows/image.yml@refs/tags/v1"
	called := func(by testsigstore.Workflow) (testsigstore.Identity, *assay.Provenance) {
		id, p := by.Identity(""), workflowProvenance(t, by)
		id.SAN, id.Extensions.BuildSignerURI, p.Builder.ID = shared, shared, shared
		return id, p
	}
	policy := verify.Policy{
		Signers: []verify.SignerRule{{Name: "shared", Issuer: testsigstore.GitHubIssuer, Subject: shared}},
		Sources: []string{caller.Identity("").Extensions.SourceRepositoryURI}, MinBuildLevel: 3,
		BuildLevels: []verify.BuildLevelRule{{Signer: "shared", Builder: shared, Level: 3}},
	}
	id, p := called(caller)
	if r := k.judge(t, policy, nil, attest.FromEnvelopes(k.as(t, id, p))); r.Err() != nil || r.BuildLevel() != 3 {
		t.Errorf("level %d, %v", r.BuildLevel(), r.Err())
	}
	stranger := caller
	stranger.Repository = "evil-org/octo-repo"
	id, p = called(stranger)
	check(t, k.judge(t, policy, nil, attest.FromEnvelopes(k.as(t, id, p))), verify.CheckSource, assay.Refuted, verify.SourceNotAllowed)
	_, lie := called(caller)
	r := k.judge(t, policy, nil, attest.FromEnvelopes(k.as(t, id, lie)))
	check(t, r, verify.CheckSignerClaims, assay.Refuted, verify.Contradiction)
	check(t, r, verify.CheckLevel, assay.Refuted, verify.LevelTooLow)
	// The caller's own job is not the workflow.
	policy.Signers[0] = verify.SignerRule{Name: "shared", Issuer: testsigstore.GitHubIssuer, SubjectPattern: "https://github[.]com/octo-org/.+"}
	r = k.judge(t, policy, nil, attest.FromEnvelopes(k.by(t, caller, lie)))
	check(t, r, verify.CheckBuilder, assay.Refuted, verify.BuilderNotAllowed)
	if !errors.Is(r.Err(), assay.ErrRefuted) {
		t.Errorf("got %v", r.Err())
	}
}

// The run of one server of a CI is not that of another, though both have the same address:
// an authority that was set up with the address of gitlab.com gives it to all.
func TestRunOfAnotherServer(t *testing.T) {
	k := newKeylessFixture(t)
	const own, other = "https://gitlab.example", "https://gitlab.other.example"
	server := func(issuer string) testsigstore.Identity {
		id := testsigstore.Workflow{}.Identity(issuer)
		id.Extensions = certificate.Extensions{BuildSignerURI: id.SAN, RunnerEnvironment: "gitlab-hosted", SourceRepositoryURI: source, SourceRepositoryDigest: commit,
			SourceRepositoryRef: "refs/heads/main", RunInvocationURI: "https://gitlab.com/org/app/-/jobs/7"}
		return id
	}
	policy := verify.Policy{Signers: []verify.SignerRule{
		{Name: "own", Issuer: own, Subject: server(own).SAN, Builders: []string{builderID}},
		{Name: "other", Issuer: other, Subject: server(other).SAN, Kinds: []assay.Kind{assay.KindSBOM}},
	}, SameRun: []assay.Kind{assay.KindSBOM}}
	built := k.as(t, server(own), builtBy(t, builderID, commit))
	check(t, k.judge(t, policy, nil, attest.FromEnvelopes(built, k.as(t, server(own), k.sbom))), verify.CheckRun, assay.Proven, verify.Holds)
	check(t, k.judge(t, policy, nil, attest.FromEnvelopes(built, k.as(t, server(other), k.sbom))), verify.CheckRun, assay.Refuted, verify.OtherRun)
	// Nobody may sign provenance from there.
	r := k.judge(t, policy, nil, attest.FromEnvelopes(k.as(t, server(other), builtBy(t, builderID, commit))))
	if a := r.Attestations[0]; a.Reason != verify.SignerNotAllowed {
		t.Errorf("got %+v", a)
	}
}

// Two builds by one hand are no reproduction, however many issuers, builders and rules.
func TestReproducedByOneHand(t *testing.T) {
	k := newKeylessFixture(t)
	one, two := testsigstore.Workflow{}, testsigstore.Workflow{Repository: "octo-org/second"}
	hosted := func(w testsigstore.Workflow, issuer, environment string) testsigstore.Identity {
		id := w.Identity(issuer)
		id.Extensions = certificate.Extensions{BuildSignerURI: id.SAN, RunnerEnvironment: environment, SourceRepositoryURI: source, SourceRepositoryDigest: commit, RunInvocationURI: source + "/runs/1"}
		return id
	}
	person := func(w testsigstore.Workflow, issuer string) testsigstore.Identity {
		return testsigstore.Identity{SAN: w.SAN(), Issuer: issuer}
	}
	for name, tt := range map[string]struct {
		first, second testsigstore.Identity
		operators     [2]string
		state         assay.State
	}{
		"two CIs":                              {hosted(one, "https://ci.example", "hosted"), hosted(two, "https://other.example", "hosted"), [2]string{}, assay.Proven},
		"one CI":                               {hosted(one, "https://ci.example", "hosted"), hosted(two, "https://ci.example", "hosted"), [2]string{}, assay.Refuted},
		"one CI, two customers":                {hosted(one, "https://ci.example/org/1", "hosted"), hosted(two, "https://ci.example/org/2", "hosted"), [2]string{}, assay.Refuted},
		"GitHub, and an enterprise's":          {hosted(one, testsigstore.GitHubIssuer, "github-hosted"), hosted(two, testsigstore.GitHubIssuer+"/octo-enterprise", "github-hosted"), [2]string{}, assay.Refuted},
		"one machine behind two CIs":           {hosted(one, "https://ci.example", "self-hosted"), hosted(two, "https://other.example", "self-hosted"), [2]string{}, assay.Refuted},
		"a machine of its own and a CI":        {hosted(one, "https://ci.example", "hosted"), hosted(two, "https://other.example", "self-hosted"), [2]string{}, assay.Refuted},
		"the same, and whose machine it is":    {hosted(one, "https://ci.example", "hosted"), hosted(two, "https://other.example", "self-hosted"), [2]string{"", "a volunteer"}, assay.Proven},
		"one person, by two issuers":           {person(one, "https://accounts.example"), person(two, "https://login.example"), [2]string{}, assay.Refuted},
		"one CI, of which one has an operator": {hosted(one, "https://ci.example/org/1", "hosted"), hosted(two, "https://ci.example/org/2", "hosted"), [2]string{"CI", ""}, assay.Refuted},
		"one operator of two CIs":              {hosted(one, "https://ci.example", "hosted"), hosted(two, "https://other.example", "hosted"), [2]string{"CI", "CI"}, assay.Refuted},
	} {
		t.Run(name, func(t *testing.T) {
			policy := verify.Policy{MinBuilders: 2, Signers: []verify.SignerRule{
				{Name: "one", Issuer: tt.first.Issuer, Subject: tt.first.SAN, Builders: []string{builderID}, Operator: tt.operators[0]},
				{Name: "two", Issuer: tt.second.Issuer, Subject: tt.second.SAN, Builders: []string{"https://second.example"}, Operator: tt.operators[1]},
			}}
			r := k.judge(t, policy, nil, attest.FromEnvelopes(k.as(t, tt.first, builtBy(t, builderID, commit)), k.as(t, tt.second, builtBy(t, "https://second.example", commit))))
			reason := verify.TooFewBuilders
			if tt.state == assay.Proven {
				reason = verify.Holds
			}
			check(t, r, verify.CheckReproduced, tt.state, reason)
			if (r.Err() == nil) != (tt.state == assay.Proven) || r.Reproduced() != (tt.state == assay.Proven) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
	t.Run("of a commit that nobody claims", func(t *testing.T) {
		first, second := hosted(one, "https://ci.example", "hosted"), hosted(two, "https://other.example", "hosted")
		second.Extensions.SourceRepositoryDigest = ""
		policy := verify.Policy{MinBuilders: 2, Signers: []verify.SignerRule{
			{Name: "one", Issuer: first.Issuer, Subject: first.SAN, Builders: []string{builderID}}, {Name: "two", Issuer: second.Issuer, Subject: second.SAN},
		}}
		r := k.judge(t, policy, nil, attest.FromEnvelopes(k.as(t, first, builtBy(t, builderID, commit)), k.as(t, second, builtBy(t, second.SAN, commit))))
		if c := check(t, r, verify.CheckReproduced, assay.Refuted, verify.TooFewBuilders); !strings.Contains(strings.Join(c.Findings, " "), "own word") {
			t.Errorf("findings are %q", c.Findings)
		}
	})
}

// A summary stands in for what it is named for, on the word of who is named for it.
func TestSummaryThatSaysTooMuch(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	genuine := func() *assay.Summary {
		return &assay.Summary{Verifier: verifierID, TimeVerified: at.Add(-time.Minute), ResourceURI: resourceURI, Passed: true, Policy: assay.Resource{URI: policyURI},
			Levels: []string{"SLSA_BUILD_LEVEL_3", "SLSA_BUILD_REPRODUCED", "SLSA_SOURCE_LEVEL_4"}, DependencyLevels: map[string]int{"SLSA_BUILD_LEVEL_3": 1000}}
	}
	rule := verify.SignerRule{Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}
	ask := func(t *testing.T, s *assay.Summary, change func(*verify.Policy), opts ...verify.Option) *verify.Report {
		t.Helper()
		policy := standingIn(rule, assay.Digest{})
		if change != nil {
			change(&policy)
		}
		return k.judge(t, policy, opts, attest.FromEnvelopes(k.by(t, run, s)))
	}
	if err := ask(t, genuine(), nil).Err(); err != nil {
		t.Fatal(err)
	}
	// Names that are nearly the verifier's, the resource's and the policy's.
	for _, change := range []func(*assay.Summary, string){
		func(s *assay.Summary, by string) { s.Verifier += by }, func(s *assay.Summary, by string) { s.ResourceURI += by }, func(s *assay.Summary, by string) { s.Policy.URI += by },
	} {
		for _, by := range []string{"/", "?", "#", "%20", "x"} {
			s := genuine()
			change(s, by)
			if err := ask(t, s, nil).Err(); err == nil {
				t.Errorf("%s, of %s by %s, stands in", s.Verifier, s.ResourceURI, s.Policy.URI)
			}
		}
	}
	for name, tt := range map[string]struct {
		summary func(*assay.Summary)
		policy  func(*verify.Policy)
		opts    []verify.Option
		id      string
		state   assay.State
		reason  verify.Reason
	}{
		"dependencies are its own word": {nil, func(p *verify.Policy) { p.MinComponents = 1 }, []verify.Option{verify.Components(attest.FromEnvelopes())}, verify.CheckComponents, assay.Unknown, verify.NotStated},
		"a base":                        {nil, func(p *verify.Policy) { p.Bases = []assay.Digest{assay.SumSHA256([]byte("base"))} }, nil, verify.CheckBase, assay.Unknown, verify.NoContents},
		"a run":                         {nil, func(p *verify.Policy) { p.SameRun = []assay.Kind{assay.KindSummary} }, nil, verify.CheckRun, assay.Unknown, verify.NotStated},
		"what is nested":                {nil, func(p *verify.Policy) { p.Nested = true }, nil, verify.CheckNested, assay.Unknown, verify.NotStated},
		"three builders":                {nil, func(p *verify.Policy) { p.MinBuilders = 3 }, nil, verify.CheckReproduced, assay.Unknown, verify.NotStated},
		"two builders":                  {nil, func(p *verify.Policy) { p.MinBuilders = 2 }, nil, verify.CheckReproduced, assay.Proven, verify.Vouched},
		"two builders, unsaid":          {func(s *assay.Summary) { s.Levels = s.Levels[:1] }, func(p *verify.Policy) { p.MinBuilders = 2 }, nil, verify.CheckReproduced, assay.Unknown, verify.NotStated},
		"signers": {nil, func(p *verify.Policy) { p.MinSigners = map[assay.Kind]int{assay.KindProvenance: 1} }, nil,
			verify.CheckSigners + "provenance", assay.Refuted, verify.TooFewSigners},
		"a kind that it is not for": {nil, func(p *verify.Policy) { p.Require = append(p.Require, assay.KindVEX) }, nil, "evidence/vex", assay.Refuted, verify.Absent},
		"verified after it was signed": {func(s *assay.Summary) { s.TimeVerified = at.Add(10 * time.Minute) }, nil, nil,
			verify.CheckVouched, assay.Refuted, verify.Contradiction},
		"verified in the future": {func(s *assay.Summary) { s.TimeVerified = at.Add(2 * time.Hour) }, nil, nil, verify.CheckVouched, assay.Refuted, verify.TooOld},
		"by who makes components": {nil, func(p *verify.Policy) {
			p.Signers = append(p.Signers, verify.SignerRule{Name: "other", Key: k.signer.Identity().Key, Verifiers: []string{verifierID}})
			p.Signers[0].ComponentsOnly = true
		}, nil, verify.CheckVouched, assay.Unknown, verify.NotStated},
	} {
		t.Run(name, func(t *testing.T) {
			s := genuine()
			if tt.summary != nil {
				tt.summary(s)
			}
			r := ask(t, s, tt.policy, tt.opts...)
			check(t, r, tt.id, tt.state, tt.reason)
			if (r.Err() == nil) != (tt.state == assay.Proven) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
	// A summary is no evidence for a summary, and nothing in it vouches for its signer.
	t.Run("for itself", func(t *testing.T) {
		policy := standingIn(rule, assay.Digest{})
		policy.Summaries[0].For = []assay.Kind{assay.KindSummary}
		if _, err := verify.New(k.trust(), policy); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/summaries/0/for/0") {
			t.Errorf("got %v", err)
		}
		s := genuine()
		first := k.sign(t, k.stranger, s)
		s.Inputs = []assay.Resource{{URI: "self", Digest: assay.DigestSet{first.Digest()}}}
		policy = standingIn(rule, assay.Digest{})
		r := k.judge(t, policy, nil, attest.FromEnvelopes(first, k.sign(t, k.stranger, s), k.as(t, run.Identity(""), s, k.subject(), about(first.Digest()))))
		if a := attestation(t, r, first); a.Reason != verify.SignerNotAllowed {
			t.Errorf("got %+v", a)
		}
		// That of the verifier counts by itself.
		if r.Err() != nil {
			t.Error(r.Err())
		}
	})
}

// A commit that somebody vouches for is that of the image if more than the job says so.
func TestSourceLevelOfNobodysClaim(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	forge, err := k.signer.Sign(t.Context(), []byte(sourceStatement()))
	if err != nil {
		t.Fatal(err)
	}
	vouched := stamped(t, forge, k.sigstore, at)
	for name, tt := range map[string]struct {
		commit string
		state  assay.State
		reason verify.Reason
	}{
		"claimed":   {commit, assay.Proven, verify.Holds},
		"unclaimed": {"", assay.Unknown, verify.NotStated},
	} {
		id := run.Identity("")
		id.Extensions = certificate.Extensions{BuildSignerURI: id.SAN, SourceRepositoryURI: source, SourceRepositoryDigest: tt.commit}
		policy := verify.Policy{
			Signers: []verify.SignerRule{{Name: "ci", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()},
				{Name: "forge", Key: k.signer.Identity().Key, Kinds: []assay.Kind{assay.KindSummary}, Verifiers: []string{sourceVerifier}}},
			SourceLevel: &verify.SourceLevelRule{Verifier: sourceVerifier, Min: 2, Properties: []string{"ORG_SOURCE_SCANNED"}, MaxAge: verify.Duration(24 * time.Hour)},
		}
		r := k.judge(t, policy, []verify.Option{verify.Revisions(attest.FromEnvelopes(vouched))}, attest.FromEnvelopes(k.as(t, id, builtBy(t, id.SAN, commit))))
		check(t, r, verify.CheckSourceLevel, tt.state, tt.reason)
		s, err := r.Summary(summaryOptions())
		if tt.state != assay.Proven {
			if err == nil {
				t.Errorf("%s: summed up as %v", name, s.Levels)
			}
			continue
		}
		// Who takes the summary for the evidence is told what it says of the source.
		if err != nil || !slices.Equal(s.Levels, []string{"ORG_SOURCE_SCANNED", "SLSA_BUILD_LEVEL_1", "SLSA_SOURCE_LEVEL_3"}) {
			t.Fatalf("%s: %+v, %v", name, s, err)
		}
		taker := standingIn(verify.SignerRule{Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}, assay.Digest{})
		taker.Signers[0].Verifiers = []string{verifierID, sourceVerifier}
		taker.SourceLevel = policy.SourceLevel
		s.TimeVerified = at
		check(t, k.judge(t, taker, nil, attest.FromEnvelopes(k.by(t, run, s))), verify.CheckSourceLevel, assay.Proven, verify.Vouched)
		taker.SourceLevel = &verify.SourceLevelRule{Verifier: sourceVerifier, Min: 4, MaxAge: verify.Duration(time.Hour)}
		check(t, k.judge(t, taker, nil, attest.FromEnvelopes(k.by(t, run, s))), verify.CheckVouched, assay.Refuted, verify.SummaryDiffers)
	}
}

// A base image is named by a digest that identifies it.
func TestBaseByWeakDigest(t *testing.T) {
	f := newIndexFixture(t)
	for _, weak := range []string{"md5:" + strings.Repeat("a", 32), "sha1:" + strings.Repeat("a", 40)} {
		d := assay.MustDigest(weak)
		p := newProvenance()
		p.Materials = append(p.Materials, assay.Resource{URI: "pkg:docker/base@1", Digest: assay.DigestSet{d}})
		r := f.ask(t, verify.Policy{Signers: f.policy().Signers}, nil, attest.FromEnvelopes(f.sign(t, f.signer, p)), attest.FromImage(f.image), attest.FromImage(f.base))
		check(t, r, verify.CheckBase, assay.Unknown, verify.NotStated)
		if _, err := verify.New(f.trust(), verify.Policy{Signers: f.policy().Signers, Bases: []assay.Digest{d}}); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/bases/0") {
			t.Errorf("got %v", err)
		}
	}
}
