package verify_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/keyless"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
)

func TestMain(m *testing.M) { testsigstore.Main(m) }

// tokens gives the token of one workflow run.
type tokens struct {
	stack  *testsigstore.Stack
	claims testsigstore.Claims
}

func (t tokens) Token(ctx context.Context, _ string) (string, error) {
	return t.stack.Token(ctx, t.claims)
}

// The whole chain on real servers: certificates of Fulcio, entries in Rekor v2,
// timestamps of the timestamp authority, and a distribution registry, which has no
// referrers API.
func TestRealServers(t *testing.T) {
	stack := testsigstore.Shared(t)
	home := testregistry.Start(t, testregistry.Options{})
	f := newFixture(t)
	run := testsigstore.Workflow{}
	signer, err := keyless.New(keyless.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON(), Token: tokens{stack, run.Claims()}})
	if err != nil {
		t.Fatal(err)
	}
	ref := testimage.Push(t, home.Ref("team/app:v1"), f.image)
	before := time.Now().Add(-time.Minute)
	attached, err := attest.Publish(context.Background(), signer, ref.String(), attest.PublishOptions{}, f.sbom, workflowProvenance(t, run), f.vex, f.posture)
	if err != nil {
		t.Fatal(err)
	}
	if attached.FallbackTag == "" {
		t.Error("the registry has grown a referrers API; the fallback tag was not used")
	}

	policy := verify.Policy{
		Signers: []verify.SignerRule{{
			Name: "release", Issuer: stack.ActionsIssuer(), Subject: run.SAN(), VEXAuthors: []string{vexAuthor},
		}},
		Require: []assay.Kind{assay.KindSBOM, assay.KindProvenance, assay.KindVEX, assay.KindPosture},
		Stage:   assay.Hardened,
		Sources: []string{run.Identity("").Extensions.SourceRepositoryURI},
	}
	ask := func(change func(*verify.Policy)) *verify.Report {
		t.Helper()
		p := policy
		p.Signers = slices.Clone(policy.Signers)
		if change != nil {
			change(&p)
		}
		v, err := verify.New(verify.Trust{TrustedRoot: stack.TrustedRootJSON()}, p)
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), f.digest, attest.FromRegistry(ref.Context().Name(), image.Registry{}))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}

	r := ask(nil)
	if r.Err() != nil || r.Verdict.Stage != assay.Hardened {
		var b bytes.Buffer
		if err := report.Text(&b, r); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("%v\n%s", r.Err(), b.String())
	}
	for _, id := range []string{verify.CheckBuilder, verify.CheckSignerClaims, verify.CheckSource, verify.CheckRebuilt} {
		check(t, r, id, assay.Proven, verify.Holds)
	}
	for p := range verify.Evidence[*assay.Provenance](r) {
		if p.SignedBy().Before(before) || len(p.LogEntries()) != 1 || p.Witnesses()[0].Kind != "timestamp-authority" {
			t.Errorf("witnesses %+v, log entries %+v", p.Witnesses(), p.LogEntries())
		}
	}

	r = ask(func(p *verify.Policy) { p.Signers[0].Subject += "/other" })
	if r.Verdict.Policy != assay.Refuted || r.Attestations[0].Reason != verify.SignerNotAllowed {
		t.Errorf("another subject: policy %s, %+v", r.Verdict.Policy, r.Attestations[0])
	}
	foreign, err := verify.New(verify.Trust{TrustedRoot: testsigstore.NewVirtual(t).TrustedRootJSON()}, policy)
	if err != nil {
		t.Fatal(err)
	}
	r, err = foreign.Verify(context.Background(), f.digest, attest.FromRegistry(ref.Context().Name(), image.Registry{}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict.Policy != assay.Refuted || r.Attestations[0].State != assay.Refuted {
		t.Errorf("another root: policy %s, %+v", r.Verdict.Policy, r.Attestations[0])
	}
}
