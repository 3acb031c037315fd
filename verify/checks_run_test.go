package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

// keylessFixture is a fixture whose evidence is signed by runs of workflows.
type keylessFixture struct {
	*fixture
	sigstore *testsigstore.Virtual
}

func newKeylessFixture(t testing.TB) keylessFixture {
	return keylessFixture{newFixture(t), testsigstore.NewVirtual(t)}
}

// by signs evidence in a run.
func (k keylessFixture) by(t testing.TB, run testsigstore.Workflow, e assay.Evidence) assay.Envelope {
	t.Helper()
	return k.sign(t, virtualSigner{t, k.sigstore, run.Identity(""), testsigstore.SignOptions{At: at}}, e)
}

func (k keylessFixture) ask(t testing.TB, change func(*verify.Policy), sources ...attest.Source) *verify.Report {
	t.Helper()
	run := testsigstore.Workflow{}
	policy := verify.Policy{Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN(), Builders: []string{"https://actions.github.io/buildtypes/workflow/v1"}}}}
	change(&policy)
	v, err := verify.New(verify.Trust{TrustedRoot: k.sigstore.TrustedRootJSON()}, policy, verify.At(at.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(context.Background(), k.digest, sources...)
	if err != nil {
		t.Fatal(err)
	}
	replays(t, r)
	return r
}

func TestSameRun(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	otherRun, otherCommit := run, run
	otherRun.RunID = "99"
	otherCommit.SHA = strings.Repeat("f", 40)
	own := k.by(t, run, workflowProvenance(t, run))
	required := func(p *verify.Policy) { p.SameRun = []assay.Kind{assay.KindSBOM} }
	told := func(*verify.Policy) {}
	for name, tt := range map[string]struct {
		policy    func(*verify.Policy)
		envelopes []assay.Envelope
		state     assay.State
		reason    verify.Reason
		fails     bool
	}{
		"the same run":                     {required, []assay.Envelope{own, k.by(t, run, k.sbom)}, assay.Proven, verify.Holds, false},
		"the same run, told":               {told, []assay.Envelope{own, k.by(t, run, k.sbom)}, assay.Proven, verify.Holds, false},
		"another run":                      {required, []assay.Envelope{own, k.by(t, otherRun, k.sbom)}, assay.Refuted, verify.OtherRun, true},
		"another run, told":                {told, []assay.Envelope{own, k.by(t, otherRun, k.sbom)}, assay.Unknown, verify.NotShown, false},
		"the same run at another commit":   {told, []assay.Envelope{own, k.by(t, otherCommit, k.sbom)}, assay.Refuted, verify.Contradiction, true},
		"one run of two commits":           {told, []assay.Envelope{own, k.by(t, otherCommit, workflowProvenance(t, otherCommit))}, assay.Refuted, verify.Contradiction, true},
		"no provenance":                    {required, []assay.Envelope{k.by(t, run, k.sbom)}, assay.Unknown, verify.NotStated, true},
		"nothing of the kind, but another": {required, []assay.Envelope{own, k.by(t, otherRun, k.posture)}, assay.Unknown, verify.NotStated, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := k.ask(t, tt.policy, attest.FromEnvelopes(tt.envelopes...))
			check(t, r, verify.CheckRun, tt.state, tt.reason)
			if (r.Err() != nil) != tt.fails {
				t.Errorf("got %v", r.Err())
			}
		})
	}
	t.Run("signed by a key", func(t *testing.T) {
		policy := k.fixture.policy()
		policy.SameRun = []assay.Kind{assay.KindSBOM}
		r := k.fixture.ask(t, policy, nil, attest.FromEnvelopes(k.genuine(t)...), attest.FromImage(k.image))
		check(t, r, verify.CheckRun, assay.Unknown, verify.NotStated)
		if r.Err() == nil {
			t.Error("the policy is met")
		}
	})
}

// nestedProvenance is what BuildKit puts beside an image, of a commit.
func nestedProvenance(t testing.TB, digest assay.Digest, repository, commit string) assay.Envelope {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1", "predicateType": assay.PredicateSLSA02,
		"subject": []any{map[string]any{"name": "app", "digest": map[string]string{"sha256": digest.Hex()}}},
		"predicate": map[string]any{
			"buildType": "https://mobyproject.org/buildkit@v1", "builder": map[string]string{"id": "https://builder.example/buildkit"},
			"invocation": map[string]any{"configSource": map[string]any{"uri": repository + ".git#refs/heads/main", "digest": map[string]string{"sha1": commit}}},
			"materials":  []any{map[string]any{"uri": repository + ".git#refs/heads/main", "digest": map[string]string{"sha1": commit}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return assay.NewEnvelope(assay.MediaTypeInToto, text)
}

func TestNestedProvenance(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	claims := run.Identity("").Extensions
	own := k.by(t, run, workflowProvenance(t, run))
	otherDigest := assay.SumSHA256([]byte("other"))
	for name, tt := range map[string]struct {
		nested []assay.Envelope
		state  assay.State
		reason verify.Reason
	}{
		"the same commit":    {[]assay.Envelope{nestedProvenance(t, k.digest, claims.SourceRepositoryURI, claims.SourceRepositoryDigest)}, assay.Proven, verify.Holds},
		"another commit":     {[]assay.Envelope{nestedProvenance(t, k.digest, claims.SourceRepositoryURI, strings.Repeat("f", 40))}, assay.Refuted, verify.NestedDiffers},
		"another repository": {[]assay.Envelope{nestedProvenance(t, k.digest, "https://github.com/fork/octo-repo", claims.SourceRepositoryDigest)}, assay.Refuted, verify.NestedDiffers},
		"of another image":   {[]assay.Envelope{nestedProvenance(t, otherDigest, claims.SourceRepositoryURI, claims.SourceRepositoryDigest)}, assay.Unknown, verify.NotStated},
		"none":               {nil, assay.Unknown, verify.NotStated},
	} {
		t.Run(name, func(t *testing.T) {
			r := k.ask(t, func(p *verify.Policy) { p.Nested = true }, attest.FromEnvelopes(append(tt.nested, own)...))
			check(t, r, verify.CheckNested, tt.state, tt.reason)
			if (r.Err() == nil) != (tt.state == assay.Proven) {
				t.Errorf("got %v", r.Err())
			}
			// What nobody signed cannot fail a policy that does not ask for it: who can
			// write to a registry could fail any image.
			if err := k.ask(t, func(*verify.Policy) {}, attest.FromEnvelopes(append(tt.nested, own)...)).Err(); err != nil {
				t.Errorf("not asked for: %v", err)
			}
		})
	}
}

// BuildKit cannot see the commit of a folder that its client sends; the client says it.
func TestNestedProvenanceOfFolder(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	claims := run.Identity("").Extensions
	own := k.by(t, run, workflowProvenance(t, run))
	const old, now = `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","subject":[{"digest":{"sha256":%q}}],"predicate":{` +
		`"buildType":"https://mobyproject.org/buildkit@v1","builder":{"id":""},"invocation":{"configSource":{"entryPoint":"Dockerfile"},"parameters":{"frontend":"dockerfile.v0","locals":[{"name":"context"}]}},` +
		`"metadata":{"https://mobyproject.org/buildkit@v1#metadata":{"vcs":{"localdir:context":".","revision":%q,"source":%q}}}}}`,
		`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","subject":[{"digest":{"sha256":%q}}],"predicate":{"buildDefinition":{` +
			`"buildType":"https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md","externalParameters":{"configSource":{"path":"Dockerfile"},"request":{"frontend":"dockerfile.v0","locals":[{"name":"context"}]}}},` +
			`"runDetails":{"builder":{"id":""},"metadata":{"buildkit_metadata":{"vcs":{"localdir:context":".","revision":%q,"source":%q}}}}}}`
	for version, format := range map[string]string{"v0.2": old, "v1": now} {
		for name, tt := range map[string]struct {
			revision, source string
			state            assay.State
			reason           verify.Reason
		}{
			"the same":           {claims.SourceRepositoryDigest, claims.SourceRepositoryURI + ".git", assay.Proven, verify.Holds},
			"with password":      {claims.SourceRepositoryDigest, strings.Replace(claims.SourceRepositoryURI, "https://", "https://user:secret@", 1), assay.Proven, verify.Holds},
			"without source":     {claims.SourceRepositoryDigest, "", assay.Proven, verify.Holds},
			"another commit":     {strings.Repeat("f", 40), claims.SourceRepositoryURI, assay.Refuted, verify.NestedDiffers},
			"another repository": {claims.SourceRepositoryDigest, "https://github.com/fork/octo-repo", assay.Refuted, verify.NestedDiffers},
			"not as committed":   {claims.SourceRepositoryDigest + "-dirty", claims.SourceRepositoryURI, assay.Refuted, verify.SourceModified},
			"not a commit":       {"v1.2.3", claims.SourceRepositoryURI, assay.Unknown, verify.NotStated},
			"nothing":            {"", "", assay.Unknown, verify.NotStated},
		} {
			t.Run(version+", "+name, func(t *testing.T) {
				nested := assay.NewEnvelope(assay.MediaTypeInToto, fmt.Appendf(nil, format, k.digest.Hex(), tt.revision, tt.source))
				r := k.ask(t, func(p *verify.Policy) { p.Nested = true }, attest.FromEnvelopes(nested, own))
				check(t, r, verify.CheckNested, tt.state, tt.reason)
				if (r.Err() == nil) != (tt.state == assay.Proven) || strings.Contains(reportJSON(t, r), "secret") {
					t.Errorf("got %v", r.Err())
				}
			})
		}
	}
}

func TestExpectations(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	repository := run.Identity("").Extensions.SourceRepositoryURI
	workflow := map[string]json.RawMessage{"/workflow/path": json.RawMessage(`".github/workflows/release.yml"`)}
	for name, tt := range map[string]struct {
		policy func(*verify.Policy)
		change func(*assay.Provenance)
		id     string
		state  assay.State
		reason verify.Reason
		says   string
	}{
		"ref": {func(p *verify.Policy) { p.Sources, p.RefPattern = []string{repository}, "refs/heads/ma.n" }, nil, verify.CheckSource, assay.Proven, verify.Holds, ""},
		"ref, part of it": {func(p *verify.Policy) { p.Sources, p.RefPattern = []string{repository}, "refs/heads/ma" }, nil,
			verify.CheckSource, assay.Refuted, verify.RefNotAllowed, "refs/heads/main"},
		"tag wanted": {func(p *verify.Policy) { p.Sources, p.RefPattern = []string{repository}, `refs/tags/v[0-9.]+` }, nil,
			verify.CheckSource, assay.Refuted, verify.RefNotAllowed, "refs/tags"},
		"ref not stated": {func(p *verify.Policy) { p.Sources, p.RefPattern = []string{repository}, "refs/heads/main" }, func(p *assay.Provenance) {
			p.Materials[0].URI = "git+" + repository
		}, verify.CheckSource, assay.Unknown, verify.NotStated, "does not name the ref"},
		"parameters": {func(p *verify.Policy) { p.Parameters = workflow }, nil, verify.CheckParameters, assay.Proven, verify.Holds, ""},
		"whole parameter, other order": {func(p *verify.Policy) {
			p.Parameters = map[string]json.RawMessage{"/workflow": json.RawMessage(`{"repository":"` + repository + `", "path":".github/workflows/release.yml","ref":"refs/heads/main"}`)}
		}, nil, verify.CheckParameters, assay.Proven, verify.Holds, ""},
		"another value": {func(p *verify.Policy) {
			p.Parameters = map[string]json.RawMessage{"/workflow/path": json.RawMessage(`".github/workflows/other.yml"`)}
		}, nil, verify.CheckParameters, assay.Refuted, verify.ParameterNotAllowed, "release.yml"},
		"not stated": {func(p *verify.Policy) {
			p.Parameters = map[string]json.RawMessage{"/workflow/environment": json.RawMessage(`"production"`)}
		}, nil, verify.CheckParameters, assay.Refuted, verify.ParameterNotAllowed, "is not stated"},
		"one more": {func(p *verify.Policy) { p.Parameters = workflow }, func(p *assay.Provenance) {
			p.ExternalParameters["inputs"] = json.RawMessage(`{"debug":true}`)
		}, verify.CheckParameters, assay.Unknown, verify.NotStated, `parameter "inputs"`},
		"one more, empty": {func(p *verify.Policy) { p.Parameters = workflow }, func(p *assay.Provenance) {
			p.ExternalParameters["inputs"] = json.RawMessage(`{}`)
		}, verify.CheckParameters, assay.Proven, verify.Holds, ""},
		"build type":         {func(p *verify.Policy) { p.BuildTypes = []string{"https://actions.github.io/buildtypes/workflow/v1"} }, nil, verify.CheckParameters, assay.Proven, verify.Holds, ""},
		"another build type": {func(p *verify.Policy) { p.BuildTypes = []string{"https://builder.example/v1"} }, nil, verify.CheckParameters, assay.Refuted, verify.ParameterNotAllowed, "buildtypes/workflow"},
		"nothing expected":   {func(*verify.Policy) {}, nil, verify.CheckParameters, assay.Unknown, verify.NotStated, "expects no parameters"},
	} {
		t.Run(name, func(t *testing.T) {
			p := workflowProvenance(t, run)
			if tt.change != nil {
				tt.change(p)
			}
			r := k.ask(t, func(p *verify.Policy) { p.Require = []assay.Kind{assay.KindProvenance}; tt.policy(p) }, attest.FromEnvelopes(k.by(t, run, p)))
			c := check(t, r, tt.id, tt.state, tt.reason)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q, want %q", c.Findings, tt.says)
			}
			if c.Required && (r.Err() == nil) != (tt.state == assay.Proven) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
}

// A parameter that a known build type does not define is refused before any policy is
// asked (SLSA P4).
func TestUnknownParameter(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	claims := run.Identity("").Extensions
	payload := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + k.digest.Hex() + `"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{` +
		`"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"repository":"` + claims.SourceRepositoryURI + `"},"backdoor":true}},"runDetails":{"builder":{"id":"` + claims.BuildSignerURI + `"}}}}`
	e, err := virtualSigner{t, k.sigstore, run.Identity(""), testsigstore.SignOptions{At: at}}.Sign(context.Background(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	r := k.ask(t, func(p *verify.Policy) { p.Require = []assay.Kind{assay.KindProvenance} }, attest.FromEnvelopes(e))
	if a := r.Attestations[0]; a.Reason != verify.PredicateMalformed || !strings.Contains(a.Detail, "SLSA P4") || r.Err() == nil {
		t.Errorf("got %+v, %v", a, r.Err())
	}
}
