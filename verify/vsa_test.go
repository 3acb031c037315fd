package verify_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/provenance"
	"github.com/assaykit/assay/verify"
)

const (
	verifierID  = "https://verifier.example/v1"
	resourceURI = "pkg:oci/app?repository_url=registry.example/app"
	policyURI   = "https://verifier.example/policies/release"
)

func summaryOptions() verify.SummaryOptions {
	return verify.SummaryOptions{Verifier: verifierID, VerifierVersion: map[string]string{"assay": "v0.1"}, ResourceURI: resourceURI, PolicyURI: policyURI}
}

func TestSummaryOfReport(t *testing.T) {
	f := newFixture(t)
	r := f.verify(t, f.genuine(t))
	s, err := r.Summary(summaryOptions())
	if err != nil {
		t.Fatal(err)
	}
	digest, err := f.policy().Digest()
	if err != nil {
		t.Fatal(err)
	}
	if !s.Passed || s.Verifier != verifierID || s.ResourceURI != resourceURI || !s.TimeVerified.Equal(at) || s.Policy.URI != policyURI || !s.Policy.Digest.Has(digest) ||
		!slices.Equal(s.Levels, []string{"ASSAY_STAGE_HARDENED", "SLSA_BUILD_LEVEL_1"}) || s.DependencyLevels != nil {
		t.Errorf("got %+v", s)
	}
	var inputs []assay.Digest
	for _, i := range s.Inputs {
		inputs = append(inputs, i.Digest.Get(assay.SHA256))
	}
	var want []assay.Digest
	for _, a := range r.Attestations {
		want = append(want, a.Envelope)
	}
	if !slices.Equal(inputs, want) || len(inputs) != 4 {
		t.Errorf("inputs are %v, want %v", inputs, want)
	}
	// What was refused is no input.
	refused := f.sign(t, f.stranger, f.provenance)
	s2, err := f.verify(t, append(f.genuine(t), refused)).Summary(summaryOptions())
	if err != nil || slices.ContainsFunc(s2.Inputs, func(i assay.Resource) bool { return i.Digest.Has(refused.Digest()) }) {
		t.Errorf("a refused envelope is an input: %v", err)
	}
	// Another policy has another digest.
	other := f.policy()
	other.Stage = assay.Minimal
	if d, err := other.Digest(); err != nil || d == digest {
		t.Errorf("digest %s, %v", d, err)
	}
}

func TestNoSummary(t *testing.T) {
	f := newFixture(t)
	for name, tt := range map[string]struct {
		report  *verify.Report
		options verify.SummaryOptions
		kind    error
		says    string
	}{
		"policy not met":      {f.verify(t, nil), summaryOptions(), assay.ErrRefuted, "evidence/"},
		"policy not checked":  {f.ask(t, f.policy(), nil, attest.FromEnvelopes(f.genuine(t)...)), summaryOptions(), assay.ErrUnchecked, "image/contents"},
		"of no verification":  {&verify.Report{Verdict: verify.Verdict{Policy: assay.Proven}}, summaryOptions(), assay.ErrAbsent, "a report that Verify made"},
		"without verifier":    {f.verify(t, f.genuine(t)), verify.SummaryOptions{ResourceURI: resourceURI, PolicyURI: policyURI}, assay.ErrInvalid, "VSA V1"},
		"without resource":    {f.verify(t, f.genuine(t)), verify.SummaryOptions{Verifier: verifierID, PolicyURI: policyURI}, assay.ErrInvalid, "VSA V1"},
		"without policy":      {f.verify(t, f.genuine(t)), verify.SummaryOptions{Verifier: verifierID, ResourceURI: resourceURI}, assay.ErrInvalid, "VSA V1"},
		"verifier is no name": {f.verify(t, f.genuine(t)), verify.SummaryOptions{Verifier: "me", ResourceURI: resourceURI, PolicyURI: policyURI}, assay.ErrInvalid, "VSA V1"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := tt.report.Summary(tt.options)
			if s != nil || !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
}

// standingIn is a policy that takes a summary for SBOM and provenance.
func standingIn(signer verify.SignerRule, digest assay.Digest) verify.Policy {
	signer.Name, signer.Verifiers = "verifier", []string{verifierID}
	return verify.Policy{
		Signers: []verify.SignerRule{signer},
		Require: []assay.Kind{assay.KindProvenance},
		Summaries: []verify.SummaryRule{{Verifier: verifierID, Resource: resourceURI, Policy: policyURI, PolicyDigest: digest,
			MaxAge: verify.Duration(24 * time.Hour), For: []assay.Kind{assay.KindProvenance, assay.KindSBOM}}},
	}
}

func TestSummaryStandsIn(t *testing.T) {
	f := newFixture(t)
	sigstore := testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	policyDigest := assay.SumSHA256([]byte("policy"))
	genuine := func() *assay.Summary {
		return &assay.Summary{Verifier: verifierID, TimeVerified: at.Add(-time.Minute), ResourceURI: resourceURI, Passed: true,
			Policy: assay.Resource{URI: policyURI, Digest: assay.DigestSet{policyDigest}}, Levels: []string{"SLSA_BUILD_LEVEL_2"}}
	}
	sign := func(t *testing.T, s *assay.Summary, about ...assay.Subject) assay.Envelope {
		return f.sign(t, virtualSigner{t, sigstore, run.Identity(""), testsigstore.SignOptions{At: at}}, s, about...)
	}
	ask := func(t *testing.T, policy verify.Policy, asked time.Time, envelopes ...assay.Envelope) *verify.Report {
		t.Helper()
		v, err := verify.New(verify.Trust{TrustedRoot: sigstore.TrustedRootJSON(), Keys: []verify.Key{{Public: f.signer.Public()}}}, policy, verify.At(asked))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), f.digest, attest.FromEnvelopes(envelopes...))
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		return r
	}
	keyless := verify.SignerRule{Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}
	for name, tt := range map[string]struct {
		change func(*assay.Summary)
		policy func(*verify.Policy)
		after  time.Duration
		state  assay.State
		reason verify.Reason
	}{
		"genuine":           {nil, nil, time.Hour, assay.Proven, verify.Holds},
		"high enough":       {nil, func(p *verify.Policy) { p.MinBuildLevel = 2 }, time.Hour, assay.Proven, verify.Holds},
		"failed":            {func(s *assay.Summary) { s.Passed = false }, nil, time.Hour, assay.Refuted, verify.SummaryDiffers},
		"another verifier":  {func(s *assay.Summary) { s.Verifier = "https://other.example" }, nil, time.Hour, assay.Unknown, verify.NotStated},
		"another resource":  {func(s *assay.Summary) { s.ResourceURI += "x" }, nil, time.Hour, assay.Refuted, verify.SummaryDiffers},
		"another policy":    {func(s *assay.Summary) { s.Policy.URI += "x" }, nil, time.Hour, assay.Refuted, verify.SummaryDiffers},
		"a changed policy":  {func(s *assay.Summary) { s.Policy.Digest = assay.DigestSet{assay.SumSHA256(nil)} }, nil, time.Hour, assay.Refuted, verify.SummaryDiffers},
		"no policy digest":  {func(s *assay.Summary) { s.Policy.Digest = nil }, nil, time.Hour, assay.Unknown, verify.NotStated},
		"too low":           {nil, func(p *verify.Policy) { p.MinBuildLevel = 3 }, time.Hour, assay.Refuted, verify.SummaryDiffers},
		"level not stated":  {nil, func(p *verify.Policy) { p.Summaries[0].Levels = []string{"SLSA_SOURCE_LEVEL_1"} }, time.Hour, assay.Unknown, verify.NotStated},
		"too old":           {nil, nil, 25 * time.Hour, assay.Refuted, verify.TooOld},
		"verified long ago": {func(s *assay.Summary) { s.TimeVerified = at.Add(-48 * time.Hour) }, nil, time.Hour, assay.Refuted, verify.TooOld},
		"no time":           {func(s *assay.Summary) { s.TimeVerified = time.Time{} }, nil, time.Hour, assay.Unknown, verify.NotStated},
		"dated after it":    {func(s *assay.Summary) { s.TimeVerified = at.Add(30 * time.Minute) }, nil, time.Hour, assay.Refuted, verify.Contradiction},
		"signer of no verifier": {nil, func(p *verify.Policy) {
			p.Signers = append(p.Signers, verify.SignerRule{Name: "other", Key: f.signer.Identity().Key, Verifiers: []string{verifierID}})
			p.Signers[0].Verifiers = []string{"https://other.example"}
		}, time.Hour, assay.Refuted, verify.VerifierNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			s, policy := genuine(), standingIn(keyless, policyDigest)
			if tt.change != nil {
				tt.change(s)
			}
			if tt.policy != nil {
				tt.policy(&policy)
			}
			r := ask(t, policy, at.Add(tt.after), sign(t, s))
			check(t, r, verify.CheckVouched, tt.state, tt.reason)
			if tt.state != assay.Proven {
				check(t, r, "evidence/provenance", assay.Refuted, verify.Absent)
				if r.Err() == nil {
					t.Error("the policy is met")
				}
				return
			}
			for _, id := range []string{"evidence/provenance", "evidence/sbom", verify.CheckBuilder, verify.CheckSignerClaims, verify.CheckSource} {
				check(t, r, id, assay.Proven, verify.Vouched)
			}
			// Nobody looked at the bytes, and at what was not asked for.
			check(t, r, verify.CheckContents, assay.Unknown, verify.NoContents)
			check(t, r, verify.CheckSBOMContents, assay.Unknown, verify.NotStated)
			check(t, r, "evidence/vex", assay.Refuted, verify.Absent)
			if err := r.Err(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("of another image", func(t *testing.T) {
		r := ask(t, standingIn(keyless, policyDigest), at, sign(t, genuine(), assay.Subject{Digest: assay.DigestSet{assay.SumSHA256([]byte("other"))}}))
		check(t, r, "evidence/provenance", assay.Refuted, verify.Absent)
	})
	t.Run("beside provenance that does not hold", func(t *testing.T) {
		policy := standingIn(keyless, policyDigest)
		p := workflowProvenance(t, run)
		p.Builder.ID = "https://other.example/builder"
		r := ask(t, policy, at, sign(t, genuine()), f.sign(t, virtualSigner{t, sigstore, run.Identity(""), testsigstore.SignOptions{At: at}}, p))
		check(t, r, verify.CheckBuilder, assay.Refuted, verify.BuilderNotAllowed)
		if !errors.Is(r.Err(), assay.ErrRefuted) {
			t.Errorf("got %v", r.Err())
		}
	})
	t.Run("contents", func(t *testing.T) {
		policy := standingIn(keyless, policyDigest)
		policy.Require = append(policy.Require, assay.KindSBOM)
		if r := ask(t, policy, at, sign(t, genuine())); !errors.Is(r.Err(), assay.ErrUnchecked) {
			t.Errorf("got %v", r.Err())
		}
		policy.Summaries[0].ContentsUnsafe = true
		r := ask(t, policy, at, sign(t, genuine()))
		check(t, r, verify.CheckContents, assay.Proven, verify.Vouched)
		check(t, r, verify.CheckSBOMContents, assay.Proven, verify.Vouched)
		if r.Err() != nil {
			t.Error(r.Err())
		}
	})
	t.Run("by a key without a witness", func(t *testing.T) {
		r := ask(t, standingIn(verify.SignerRule{Key: f.signer.Identity().Key}, policyDigest), at, f.sign(t, f.signer, genuine()))
		c := check(t, r, verify.CheckVouched, assay.Unknown, verify.NotStated)
		if !strings.Contains(c.Detail, "witnessed") || r.Err() == nil {
			t.Errorf("%s, %v", c.Detail, r.Err())
		}
	})
	t.Run("by a key with a timestamp", func(t *testing.T) {
		e := stamped(t, f.sign(t, f.signer, genuine()), sigstore, at)
		r := ask(t, standingIn(verify.SignerRule{Key: f.signer.Identity().Key}, policyDigest), at, e)
		check(t, r, verify.CheckVouched, assay.Proven, verify.Holds)
		if r.Err() != nil {
			t.Error(r.Err())
		}
	})
	// A summary of a report of this package stands in for what it was made of.
	t.Run("round trip", func(t *testing.T) {
		report := f.verify(t, f.genuine(t))
		s, err := report.Summary(summaryOptions())
		if err != nil {
			t.Fatal(err)
		}
		digest, err := f.policy().Digest()
		if err != nil {
			t.Fatal(err)
		}
		policy := standingIn(keyless, digest)
		policy.Summaries[0].Levels = []string{"ASSAY_STAGE_HARDENED", provenance.BuildLevel{N: 1}.String()}
		if r := ask(t, policy, at.Add(time.Hour), sign(t, s)); r.Err() != nil {
			t.Error(r.Err())
		}
	})
}

// A summary that is merely required is of a verifier that its signer may speak for.
func TestRequiredSummaryOfAnotherVerifier(t *testing.T) {
	f := newFixture(t)
	s := &assay.Summary{Verifier: verifierID, TimeVerified: at, ResourceURI: resourceURI, Passed: true, Policy: assay.Resource{URI: policyURI}, Levels: []string{"SLSA_BUILD_LEVEL_2"}}
	policy := verify.Policy{Signers: []verify.SignerRule{{Name: "v", Key: f.signer.Identity().Key, Verifiers: []string{verifierID}}}, Require: []assay.Kind{assay.KindSummary}}
	if r := f.ask(t, policy, nil, attest.FromEnvelopes(f.sign(t, f.signer, s))); r.Err() != nil {
		t.Error(r.Err())
	}
	s.Verifier = "https://other.example"
	r := f.ask(t, policy, nil, attest.FromEnvelopes(f.sign(t, f.signer, s)))
	check(t, r, verify.CheckSummaryPassed, assay.Refuted, verify.VerifierNotAllowed)
	if !errors.Is(r.Err(), verify.VerifierNotAllowed) {
		t.Errorf("got %v", r.Err())
	}
}
