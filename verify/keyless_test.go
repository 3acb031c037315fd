package verify_test

import (
	"context"
	"encoding/json"
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

// virtualSigner signs as a workflow, at a time, by a sigstore in this process.
type virtualSigner struct {
	t       testing.TB
	v       *testsigstore.Virtual
	id      testsigstore.Identity
	options testsigstore.SignOptions
}

func (s virtualSigner) Sign(_ context.Context, payload []byte) (assay.Envelope, error) {
	return assay.NewEnvelope(assay.MediaTypeSigstoreBundle, s.v.SignDSSEWith(s.t, s.id, assay.MediaTypeInToto, payload, s.options)), nil
}

// workflowProvenance is what a GitHub workflow states of its own run.
func workflowProvenance(t testing.TB, w testsigstore.Workflow) *assay.Provenance {
	t.Helper()
	claims := w.Identity("").Extensions
	c, err := assay.NewDigest(assay.GitCommit, claims.SourceRepositoryDigest)
	if err != nil {
		t.Fatal(err)
	}
	workflow, err := json.Marshal(map[string]string{"ref": claims.SourceRepositoryRef, "repository": claims.SourceRepositoryURI, "path": ".github/workflows/release.yml"})
	if err != nil {
		t.Fatal(err)
	}
	return &assay.Provenance{
		BuildType:          provenance.BuildTypeGitHub,
		ExternalParameters: map[string]json.RawMessage{"workflow": workflow},
		Builder:            assay.Builder{ID: claims.BuildSignerURI},
		InvocationID:       claims.RunInvocationURI,
		Materials:          []assay.Resource{{URI: "git+" + claims.SourceRepositoryURI + "@" + claims.SourceRepositoryRef, Digest: assay.DigestSet{c}}},
	}
}

func TestKeyless(t *testing.T) {
	f := newFixture(t)
	v := testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	own := run.Identity("").Extensions
	ask := func(t *testing.T, p *assay.Provenance, change func(*verify.Policy), asked time.Time) *verify.Report {
		t.Helper()
		policy := verify.Policy{
			Signers: []verify.SignerRule{{
				Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN(),
				Kinds:  []assay.Kind{assay.KindProvenance},
				Claims: assay.Claims{RunnerEnvironment: "github-hosted"},
			}},
			Require: []assay.Kind{assay.KindProvenance},
			Sources: []string{own.SourceRepositoryURI},
		}
		if change != nil {
			change(&policy)
		}
		verifier, err := verify.New(verify.Trust{TrustedRoot: v.TrustedRootJSON()}, policy, verify.At(asked))
		if err != nil {
			t.Fatal(err)
		}
		e := f.sign(t, virtualSigner{t, v, run.Identity(""), testsigstore.SignOptions{At: at}}, p)
		r, err := verifier.Verify(context.Background(), f.digest, attest.FromEnvelopes(e))
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		return r
	}

	t.Run("agrees", func(t *testing.T) {
		r := ask(t, workflowProvenance(t, run), nil, at.Add(time.Hour))
		for _, id := range []string{"evidence/provenance", verify.CheckBuilder, verify.CheckSignerClaims, verify.CheckSource, verify.CheckRebuilt} {
			check(t, r, id, assay.Proven, verify.Holds)
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
		p := slices.Collect(verify.Evidence[*assay.Provenance](r))[0]
		if !p.SignedBy().Equal(at) || len(p.Witnesses()) != 1 || len(p.LogEntries()) != 1 || p.Signer().Claims.SourceRepositoryURI != own.SourceRepositoryURI {
			t.Errorf("proof is %v, %+v, %+v, %s", p.SignedBy(), p.Witnesses(), p.LogEntries(), p.Signer())
		}
	})
	for name, tt := range map[string]struct {
		change func(*assay.Provenance)
		id     string
		reason verify.Reason
		says   string
	}{
		"another workflow's builder": {func(p *assay.Provenance) {
			p.Builder.ID = "https://github.com/octo-org/octo-repo/.github/workflows/other.yml@refs/heads/main"
		},
			verify.CheckBuilder, verify.BuilderNotAllowed, "other.yml"},
		"another run": {func(p *assay.Provenance) {
			p.InvocationID = "https://github.com/octo-org/octo-repo/actions/runs/1/attempts/1"
		},
			verify.CheckSignerClaims, verify.Contradiction, "runInvocationURI"},
		"another commit": {func(p *assay.Provenance) {
			c, err := assay.NewDigest(assay.GitCommit, strings.Repeat("f", 40))
			if err != nil {
				t.Fatal(err)
			}
			p.Materials[0].Digest = assay.DigestSet{c}
		}, verify.CheckSignerClaims, verify.Contradiction, "sourceRepositoryDigest"},
	} {
		t.Run(name, func(t *testing.T) {
			p := workflowProvenance(t, run)
			tt.change(p)
			r := ask(t, p, nil, at.Add(time.Hour))
			c := check(t, r, tt.id, assay.Refuted, tt.reason)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q", c.Findings)
			}
			if !errors.Is(r.Err(), assay.ErrRefuted) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
	t.Run("another source", func(t *testing.T) {
		r := ask(t, workflowProvenance(t, run), func(p *verify.Policy) { p.Sources = []string{"https://github.com/octo-org/other"} }, at.Add(time.Hour))
		check(t, r, verify.CheckSource, assay.Refuted, verify.SourceNotAllowed)
		if !errors.Is(r.Err(), assay.ErrRefuted) {
			t.Errorf("got %v", r.Err())
		}
	})
	// The same bundle, asked about at another time.
	t.Run("a day later", func(t *testing.T) {
		r := ask(t, workflowProvenance(t, run), nil, at.Add(48*time.Hour))
		c := check(t, r, verify.CheckRebuilt, assay.Refuted, verify.TooOld)
		if !strings.Contains(c.Detail, at.Add(verify.DefaultRebuildWithin).Format(time.RFC3339)) {
			t.Errorf("the deadline is not named: %s", c.Detail)
		}
	})
	t.Run("before it was signed", func(t *testing.T) {
		r := ask(t, workflowProvenance(t, run), nil, at.Add(-time.Hour))
		check(t, r, "evidence/provenance", assay.Refuted, verify.Absent)
		if a := r.Attestations[0]; a.State != assay.Unknown || a.Reason != verify.FromTheFuture {
			t.Errorf("got %+v", a)
		}
	})
	for name, change := range map[string]func(*verify.SignerRule){
		"another subject":       func(s *verify.SignerRule) { s.Subject += "x" },
		"another issuer":        func(s *verify.SignerRule) { s.Issuer = "https://issuer.example" },
		"another claim":         func(s *verify.SignerRule) { s.Claims.RunnerEnvironment = "self-hosted" },
		"a pattern too short":   func(s *verify.SignerRule) { s.Subject, s.SubjectPattern = "", `https://github\.com/octo-org` },
		"a rule for other kind": func(s *verify.SignerRule) { s.Kinds = []assay.Kind{assay.KindVEX} },
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, workflowProvenance(t, run), func(p *verify.Policy) {
				change(&p.Signers[0])
				if name == "a rule for other kind" {
					p.Require = nil
				}
			}, at.Add(time.Hour))
			if a := r.Attestations[0]; a.State != assay.Refuted || a.Reason != verify.SignerNotAllowed {
				t.Errorf("got %+v", a)
			}
			if !errors.Is(r.Err(), assay.ErrRefuted) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
}
