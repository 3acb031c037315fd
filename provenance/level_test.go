package provenance_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const (
	githubTokens = "https://token.actions.githubusercontent.com"
	workflow     = "https://github.com/o/r/.github/workflows/build.yml@refs/heads/main"
	shared       = "https://github.com/o/ci/.github/workflows/image.yml@refs/tags/v1"
	generator    = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0"
	cloudWorker  = "https://cloudbuild.googleapis.com/GoogleHostedWorker"
)

func githubSigner(subject, config, runner string) assay.Identity {
	return assay.Identity{Issuer: githubTokens, Subject: subject, SubjectKind: assay.SubjectURI,
		Claims: assay.Claims{BuildSignerURI: subject, BuildConfigURI: config, RunnerEnvironment: runner}}
}

func by(builder string) *assay.Provenance {
	return &assay.Provenance{Builder: assay.Builder{ID: builder}}
}

func TestLevel(t *testing.T) {
	googleKey, otherKey := assay.MustDigest("sha256:"+hash), assay.MustDigest("sha256:"+strings.Repeat("b", 64))
	table := append(provenance.WellKnownBuilders(), provenance.ReusableWorkflow(shared), provenance.GoogleCloudBuild(googleKey))
	old := githubSigner(generator, "", "")
	old.Claims = assay.Claims{}
	email := githubSigner(workflow, workflow, "github-hosted")
	email.SubjectKind = assay.SubjectEmail
	gitlab := githubSigner(workflow, workflow, "github-hosted")
	gitlab.Issuer = "https://gitlab.com"
	asserts := by(workflow)
	asserts.Extensions = map[string]json.RawMessage{"/runDetails/metadata/acme_slsaLevel": json.RawMessage(`4`)}
	for _, tt := range []struct {
		name   string
		signer assay.Identity
		p      *assay.Provenance
		level  int
		says   string
	}{
		{"a generator", githubSigner(generator, workflow, "github-hosted"), by(generator), 3, "slsa-github-generator"},
		{"a generator, old certificate", old, by(generator), 3, "slsa-github-generator"},
		{"a generator, elsewhere", githubSigner(generator, workflow, "self-hosted"), by(generator), 1, "it ran self-hosted"},
		{"a generator at a branch", githubSigner(strings.Replace(generator, "tags/v2.1.0", "heads/main", 1), workflow, "github-hosted"), by(strings.Replace(generator, "tags/v2.1.0", "heads/main", 1)), 2, "runner of GitHub's"},
		{"a generator's fork", githubSigner(strings.Replace(generator, "slsa-framework/", "evil/", 1), workflow, "github-hosted"), by(strings.Replace(generator, "slsa-framework/", "evil/", 1)), 2, "runner of GitHub's"},
		{"a workflow that says it is a generator", githubSigner(workflow, workflow, "github-hosted"), by(generator), 1, "may not speak for it"},
		{"a delegator", githubSigner(strings.Replace(generator, "generator_generic", "delegator_generic", 1), workflow, "github-hosted"), by(strings.Replace(generator, "generator_generic", "builder_maven", 1)), 3, "delegator"},
		{"a delegator for somebody else", githubSigner(strings.Replace(generator, "generator_generic", "delegator_generic", 1), workflow, "github-hosted"), by(shared), 1, "may not speak for it"},
		{"a workflow", githubSigner(workflow, workflow, "github-hosted"), by(workflow), 2, "runner of GitHub's"},
		{"a workflow, self-hosted", githubSigner(workflow, workflow, "self-hosted"), by(workflow), 1, "it ran self-hosted"},
		{"a workflow, nobody knows where", githubSigner(workflow, workflow, ""), by(workflow), 1, "does not claim where"},
		{"a workflow as an email", email, by(workflow), 1, "not vouched for"},
		{"a workflow, another issuer", gitlab, by(workflow), 1, "not vouched for"},
		{"what the document asserts", githubSigner(workflow, workflow, "self-hosted"), asserts, 1, "no entry"},
		{"a vetted reusable workflow", githubSigner(shared, workflow, "github-hosted"), by(shared), 3, "vouches for"},
		{"that workflow, called by nobody", githubSigner(shared, shared, "github-hosted"), by(shared), 2, "no other workflow called it"},
		{"a reusable workflow that nobody vetted", githubSigner(workflow, shared, "github-hosted"), by(workflow), 2, "runner of GitHub's"},
		{"another for the vetted one", githubSigner(workflow, shared, "github-hosted"), by(shared), 1, "may not speak for it"},
		{"Cloud Build", assay.KeyIdentity(googleKey), by(cloudWorker), 3, "Google Cloud Build"},
		{"Cloud Build v0.3", assay.KeyIdentity(googleKey), by(cloudWorker + "@v0.3"), 3, "Google Cloud Build"},
		{"Cloud Build, another mode", assay.KeyIdentity(googleKey), by(cloudWorker + "@v0.1"), 1, "no entry"},
		{"Cloud Build, another key", assay.KeyIdentity(otherKey), by(cloudWorker), 1, "is not the key"},
		{"a key in a workflow's name", assay.KeyIdentity(googleKey), by(workflow), 1, "not vouched for"},
		{"nobody", assay.Identity{}, by(workflow), 1, "no entry"},
		{"an unknown builder", assay.KeyIdentity(googleKey), by(""), 0, "no builder"},
		{"nothing", assay.KeyIdentity(googleKey), nil, 0, "no builder"},
	} {
		got := provenance.Level(tt.signer, tt.p, table)
		if got.N != tt.level || !strings.Contains(strings.Join(got.Reasons, "\n"), tt.says) {
			t.Errorf("%s: %v, because\n%s\nwant %d, saying %s", tt.name, got, strings.Join(got.Reasons, "\n"), tt.level, tt.says)
		}
	}
	if got := provenance.Level(githubSigner(workflow, workflow, "github-hosted"), by(workflow), nil); got.N != 1 || got.String() != "SLSA_BUILD_LEVEL_1" {
		t.Errorf("without a table: %v", got)
	}
	for _, e := range table {
		if !strings.HasPrefix(e.Source, "https://") || e.Name == "" {
			t.Errorf("%+v has no source", e)
		}
	}
}

// An entry that does not say all that it must gives no level.
func TestLevelOfBrokenTable(t *testing.T) {
	signer := githubSigner(workflow, workflow, "github-hosted")
	good := provenance.TrustedBuilder{Name: "x", Level: 3, Builder: ".*", Issuer: githubTokens, Subject: ".*"}
	if got := provenance.Level(signer, by(workflow), []provenance.TrustedBuilder{good}); got.N != 3 {
		t.Fatalf("%+v", got)
	}
	for name, change := range map[string]func(*provenance.TrustedBuilder){
		"level 4":                  func(e *provenance.TrustedBuilder) { e.Level = 4 },
		"level 0":                  func(e *provenance.TrustedBuilder) { e.Level = 0 },
		"no builder":               func(e *provenance.TrustedBuilder) { e.Builder = "" },
		"no issuer":                func(e *provenance.TrustedBuilder) { e.Issuer = "" },
		"no subject":               func(e *provenance.TrustedBuilder) { e.Subject = "" },
		"a broken builder":         func(e *provenance.TrustedBuilder) { e.Builder = "(" },
		"a broken subject":         func(e *provenance.TrustedBuilder) { e.Subject = "(" },
		"a builder that is a part": func(e *provenance.TrustedBuilder) { e.Builder = "https://github" },
		"a subject in two parts":   func(e *provenance.TrustedBuilder) { e.Subject = "x|https" },
		"a subject out of bounds":  func(e *provenance.TrustedBuilder) { e.Subject = "x)|(?:.*" },
	} {
		e := good
		change(&e)
		if got := provenance.Level(signer, by(workflow), []provenance.TrustedBuilder{e}); got.N != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestReproducedBy(t *testing.T) {
	artifact := assay.MustDigest("sha256:" + hash)
	at := func(d assay.Digest) []assay.Subject { return []assay.Subject{{Digest: assay.DigestSet{d}}} }
	build := func(builder, issuer string) provenance.Build {
		p := by(builder)
		p.Source = assay.Source{Repository: "https://github.com/o/r", Commit: assay.MustDigest("gitCommit:" + commit)}
		return provenance.Build{Provenance: p, Subjects: at(artifact), Signer: assay.Identity{Issuer: issuer, Subject: builder,
			Claims: assay.Claims{RunInvocationURI: issuer + "/runs/1", RunnerEnvironment: "hosted"}}}
	}
	const one, two = "https://one.example/b", "https://two.example/b"
	for _, tt := range []struct {
		name   string
		change func(a, b *provenance.Build)
		proven bool
		says   string
	}{
		{"two builders", func(_, _ *provenance.Build) {}, true, "operated by"},
		{"keys of known operators", func(a, b *provenance.Build) {
			a.Signer, a.Operator = assay.KeyIdentity(assay.MustDigest("sha256:"+hash)), "one"
			b.Signer, b.Operator = assay.KeyIdentity(assay.MustDigest("sha256:"+strings.Repeat("b", 64))), "two"
		}, true, "operated by one"},
		{"one builder twice", func(_, b *provenance.Build) { b.Provenance.Builder.ID = one }, false, "no two independent"},
		{"one operator", func(_, b *provenance.Build) { b.Signer.Issuer = "https://i.example" }, false, "no two independent"},
		{"one operator, an issuer of a customer's", func(_, b *provenance.Build) { b.Signer.Issuer = "https://i.example/org/2" }, false, "no two independent"},
		{"one operator, in capitals, with port", func(_, b *provenance.Build) { b.Signer.Issuer = "https://I.example:443" }, false, "no two independent"},
		{"one operator, given for one of them", func(_, b *provenance.Build) {
			b.Signer.Issuer, b.Operator = "https://i.example/org/2", "I"
		}, false, "given for another signer of i.example"},
		{"one operator, given for both", func(a, b *provenance.Build) {
			a.Operator, b.Operator = "I", "I"
		}, false, "no two independent"},
		{"somebody's own machine", func(_, b *provenance.Build) { b.Signer.Claims.RunnerEnvironment = "self-hosted" }, false, "a machine of the platform"},
		{"somebody's own machine, and who that is", func(_, b *provenance.Build) {
			b.Signer.Claims.RunnerEnvironment, b.Operator = "self-hosted", "two"
		}, true, "operated by two"},
		{"a machine that is not claimed", func(_, b *provenance.Build) { b.Signer.Claims.RunnerEnvironment = "" }, false, "a machine of the platform"},
		{"a person, or a cluster", func(_, b *provenance.Build) { b.Signer.Claims = assay.Claims{} }, false, "claims no run"},
		{"a key of nobody", func(_, b *provenance.Build) { b.Signer = assay.KeyIdentity(assay.MustDigest("sha256:" + hash)) }, false, "nobody says who operates"},
		{"nobody signed", func(_, b *provenance.Build) { b.Signer, b.Operator = assay.Identity{}, "two" }, false, "nobody signed"},
		{"another artifact", func(_, b *provenance.Build) {
			b.Subjects = at(assay.MustDigest("sha256:" + strings.Repeat("b", 64)))
		}, false, "not about"},
		{"no builder", func(_, b *provenance.Build) { b.Provenance.Builder.ID = "" }, false, "no builder"},
		{"no commit", func(_, b *provenance.Build) { b.Provenance.Source = assay.Source{} }, false, "the commit"},
		{"another commit", func(_, b *provenance.Build) {
			b.Provenance.Source.Commit = assay.MustDigest("gitCommit:" + strings.Repeat("a", 40))
		}, false, "no two independent"},
		{"no provenance", func(_, b *provenance.Build) { b.Provenance = nil }, false, "no builder"},
	} {
		a, b := build(one, "https://i.example"), build(two, "https://j.example")
		tt.change(&a, &b)
		for _, r := range []provenance.Reproduction{provenance.ReproducedBy(artifact, a, b), provenance.ReproducedBy(artifact, b, a)} {
			if (r.State == assay.Proven) != tt.proven || r.State == assay.Refuted || !strings.Contains(strings.Join(r.Reasons, "\n"), tt.says) {
				t.Errorf("%s: %+v", tt.name, r)
			}
			if tt.proven && !slices.Equal(r.Builders, []string{one, two}) || !tt.proven && r.Builders != nil {
				t.Errorf("%s: %v", tt.name, r.Builders)
			}
		}
	}
	// A weak digest is no identity, and what is said twice counts once, in any order.
	weak := assay.MustDigest("sha1:" + commit)
	a, b := build(one, "https://i.example"), build(two, "https://j.example")
	a.Subjects, b.Subjects = at(weak), at(weak)
	if r := provenance.ReproducedBy(weak, a, b); r.State != assay.Unknown {
		t.Errorf("by SHA-1: %+v", r)
	}
	x, y, z := build(one, "A"), build(one, "B"), build(two, "A")
	if r := provenance.ReproducedBy(artifact, x, y, z); r.State != assay.Proven {
		t.Errorf("%+v", r)
	}
	// Three that are independent of each other are more than three of which one is of both
	// others' operators.
	p, q := build("https://three.example/b", "C"), build("https://three.example/b", "A")
	for _, tt := range []struct {
		builds []provenance.Build
		want   int
	}{
		{nil, 0}, {[]provenance.Build{x}, 1}, {[]provenance.Build{x, z}, 1}, {[]provenance.Build{y, z}, 2}, {[]provenance.Build{x, y, z}, 2},
		{[]provenance.Build{y, z, p}, 3}, {[]provenance.Build{y, z, q}, 2}, {[]provenance.Build{x, y, z, p, q}, 3},
	} {
		for range 5 { // the order of maps must not matter
			if r := provenance.ReproducedBy(artifact, tt.builds...); r.Independent != tt.want {
				t.Errorf("%d independent builds, want %d: %+v", r.Independent, tt.want, r)
			}
		}
	}
	if r := provenance.ReproducedBy(artifact); r.State != assay.Unknown {
		t.Errorf("nothing: %+v", r)
	}
}

func TestHermeticAndReproducible(t *testing.T) {
	read := func(name string, changes ...string) *assay.Provenance {
		in := dialects[name]
		p, err := provenance.Read(name, in.t, []byte(strings.NewReplacer(changes...).Replace(in.predicate)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if h, r := provenance.Hermetic(nil), provenance.Reproducible(nil); h.State != assay.Unknown || r.State != assay.Unknown {
		t.Errorf("nothing: %v, %v", h, r)
	}
	for _, tt := range []struct {
		name                   string
		p                      *assay.Provenance
		hermetic, reproducible assay.State
		supports, against      string
	}{
		{"v1", read("BuildKit v1"), assay.Proven, assay.Refuted, "each of 2 materials has a digest", "/runDetails/metadata/buildkit_completeness"},
		{"v1 complete", read("BuildKit v1", `"resolvedDependencies": false`, `"resolvedDependencies": true`, `"buildkit_reproducible": false`, `"buildkit_reproducible": true`), assay.Proven, assay.Proven, "are stated to be complete", ""},
		{"v1 with network", read("BuildKit v1", `"buildkit_hermetic": true`, `"buildkit_hermetic": false`), assay.Refuted, assay.Refuted, "each of", "incomplete"},
		{"v1, unpinned", read("BuildKit v1", `"digest": {"sha256": "`+hash+`"}`, `"digest": {}`), assay.Proven, assay.Refuted, "", "pkg:docker/alpine"},
		{"v0.2", read("BuildKit v0.2"), assay.Proven, assay.Refuted, "each of", "incomplete"},
		{"no boolean", read("BuildKit v1", `"buildkit_hermetic": true`, `"buildkit_hermetic": "true"`), assay.Unknown, assay.Refuted, "each of", "incomplete"},
		{"another builder", read("Cloud Build v1"), assay.Unknown, assay.Unknown, "each of", ""},
	} {
		h, r := provenance.Hermetic(tt.p), provenance.Reproducible(tt.p)
		if h.State != tt.hermetic || r.State != tt.reproducible {
			t.Errorf("%s: %v, %v", tt.name, h, r)
		}
		if s := strings.Join(h.Supports, "\n"); !strings.Contains(s, tt.supports) || tt.supports == "" && s != "" {
			t.Errorf("%s: for it: %q", tt.name, s)
		}
		if s := strings.Join(h.Against, "\n"); !strings.Contains(s, tt.against) || tt.against == "" && s != "" {
			t.Errorf("%s: against it: %q", tt.name, s)
		}
	}
}
