package provenance_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// certified gives the claims that Fulcio puts into the certificate of a job's token, by
// the templates of its configuration (fulcio v1.8.8, config/identity/config.yaml).
func certified(ci, issuer string, token map[string]any) assay.Claims {
	s := func(name string) string { return fmt.Sprint(token[name]) }
	switch ci {
	case "GitHub Actions":
		const url = "https://github.com/"
		return assay.Claims{
			GitHubWorkflowTrigger: s("event_name"), GitHubWorkflowSHA: s("sha"), GitHubWorkflowRepository: s("repository"), GitHubWorkflowRef: s("ref"),
			BuildSignerURI: url + s("job_workflow_ref"), RunnerEnvironment: s("runner_environment"),
			SourceRepositoryURI: url + s("repository"), SourceRepositoryDigest: s("sha"), SourceRepositoryRef: s("ref"), SourceRepositoryIdentifier: s("repository_id"),
			SourceRepositoryOwnerURI: url + strings.Split(s("repository"), "/")[0], SourceRepositoryOwnerIdentifier: s("repository_owner_id"),
			BuildConfigURI: url + s("workflow_ref"), BuildTrigger: s("event_name"),
			RunInvocationURI: url + s("repository") + "/actions/runs/" + s("run_id") + "/attempts/" + s("run_attempt"), SourceRepositoryVisibilityAtSigning: "public",
		}
	case "GitLab CI":
		kind := "tags"
		if s("ref_type") == "branch" {
			kind = "heads"
		}
		return assay.Claims{
			BuildSignerURI: "https://" + s("ci_config_ref_uri"), RunnerEnvironment: s("runner_environment"),
			SourceRepositoryURI: issuer + "/" + s("project_path"), SourceRepositoryDigest: s("sha"), SourceRepositoryRef: "refs/" + kind + "/" + s("ref"),
			SourceRepositoryIdentifier: s("project_id"), SourceRepositoryOwnerURI: issuer + "/group", SourceRepositoryOwnerIdentifier: s("namespace_id"),
			BuildConfigURI: "https://" + s("ci_config_ref_uri"), BuildTrigger: s("pipeline_source"), RunInvocationURI: issuer + "/" + s("project_path") + "/-/jobs/" + s("job_id"),
		}
	case "Buildkite":
		return assay.Claims{
			RunInvocationURI:  "https://buildkite.com/" + s("organization_slug") + "/" + s("pipeline_slug") + "/builds/" + s("build_number") + "#" + s("job_id"),
			RunnerEnvironment: s("runner_environment"), SourceRepositoryDigest: s("build_commit"), BuildTrigger: s("build_source"),
		}
	case "CircleCI":
		const claim = "oidc.circleci.com/"
		return assay.Claims{
			BuildConfigURI:   "https://circleci.com/api/v2/pipeline/" + s(claim+"pipeline-id") + "/config",
			BuildSignerURI:   "https://circleci.com/api/v2/projects/" + s(claim+"project-id") + "/pipeline-definitions/" + s(claim+"pipeline-definition-id"),
			RunInvocationURI: "https://app.circleci.com//workflow/" + s(claim+"workflow-id") + "/job/" + s(claim+"job-id"), RunnerEnvironment: `""`,
			SourceRepositoryRef: s(claim + "vcs-ref"), SourceRepositoryURI: s(claim + "vcs-origin"),
		}
	}
	return assay.Claims{}
}

// What a CI's token claims is what its provenance says, in Fulcio's words; any other
// claim is a contradiction.
func TestAgree(t *testing.T) {
	is := newIssuer(t)
	jobs := ciJobs(is.URL)
	circle := jobs["CircleCI"]
	circle.claims["oidc.circleci.com/pipeline-id"] = "pl-1"
	github := map[string]any{}
	for k, v := range is.claims {
		github[k] = v
	}
	for name, want := range map[string]struct {
		agreed string
		state  assay.State
	}{
		"GitHub Actions": {"buildConfigURI buildSignerURI buildTrigger githubWorkflowRef githubWorkflowRepository githubWorkflowSHA githubWorkflowTrigger runInvocationURI runnerEnvironment sourceRepositoryDigest sourceRepositoryIdentifier sourceRepositoryOwnerIdentifier sourceRepositoryOwnerURI sourceRepositoryRef sourceRepositoryURI", assay.Proven},
		"GitLab CI":      {"buildConfigURI buildSignerURI buildTrigger runInvocationURI runnerEnvironment sourceRepositoryDigest sourceRepositoryIdentifier sourceRepositoryOwnerIdentifier sourceRepositoryOwnerURI sourceRepositoryRef sourceRepositoryURI", assay.Proven},
		// Its certificates do not say the repository.
		"Buildkite": {"buildTrigger runInvocationURI runnerEnvironment sourceRepositoryDigest", assay.Unknown},
		// Its certificates do not say the commit.
		"CircleCI": {"buildConfigURI buildSignerURI runInvocationURI runnerEnvironment sourceRepositoryRef sourceRepositoryURI", assay.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			opts, token := is.options(is.env()), github
			if name != "GitHub Actions" {
				opts, token = jobs[name].options(is), jobs[name].claims
			}
			p, err := provenance.FromEnvironment(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			text, err := provenance.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			if p, err = provenance.Read("p", assay.PredicateSLSA1, text); err != nil {
				t.Fatal(err)
			}
			claims := certified(name, is.URL, token)
			a := provenance.Agree(claims, p)
			if c := a.Contradictions(); len(c) > 0 {
				t.Fatalf("contradictions: %v", c)
			}
			var agreed []string
			for _, f := range a.Agreed() {
				agreed = append(agreed, f.Claim)
			}
			slices.Sort(agreed)
			if got := strings.Join(slices.Compact(agreed), " "); got != want.agreed {
				t.Errorf("agreed\n%s\nwant\n%s\nunstated: %v", got, want.agreed, a.Unstated())
			}
			if a.SameRun() != want.state {
				t.Errorf("same run: %v", a.SameRun())
			}
			// Every claim that agreed, changed, contradicts.
			v := reflect.ValueOf(&claims).Elem()
			for i := range v.NumField() {
				claim, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
				if !slices.Contains(agreed, claim) {
					continue
				}
				old := v.Field(i).String()
				v.Field(i).SetString(old + "x")
				changed := provenance.Agree(claims, p)
				if c := changed.Contradictions(); len(c) == 0 || c[0].Claim != claim || !strings.Contains(c[0].String(), old+"x") || changed.SameRun() != assay.Refuted {
					t.Errorf("%s changed: %v", claim, c)
				}
				v.Field(i).SetString(old)
			}
		})
	}
}

func TestAgreeSpellings(t *testing.T) {
	read := func(name string) *assay.Provenance {
		p, err := provenance.Read(name, dialects[name].t, []byte(dialects[name].predicate))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	source := func(ref string) *assay.Provenance {
		return &assay.Provenance{BuildType: "https://example.com/b", InvocationID: "https://g.codefresh.io/build/1",
			Source: assay.Source{Repository: "https://git.example/o/r", Ref: ref, Commit: assay.MustDigest("gitCommit:" + commit)}}
	}
	for _, tt := range []struct {
		name   string
		claims assay.Claims
		p      *assay.Provenance
		state  assay.State // of the one fact
	}{
		{"Codefresh's branch", assay.Claims{SourceRepositoryRef: "main"}, source("refs/heads/main"), assay.Proven},
		{"Codefresh's tag", assay.Claims{SourceRepositoryRef: "v1"}, source("refs/tags/v1"), assay.Proven},
		{"a ref that ends so", assay.Claims{SourceRepositoryRef: "main"}, source("refs/heads/x/main"), assay.Refuted},
		{"a full ref", assay.Claims{SourceRepositoryRef: "refs/tags/v1"}, source("refs/heads/v1"), assay.Refuted},
		{"Codefresh's run", assay.Claims{RunInvocationURI: "https://g.codefresh.io/build/1"}, source(""), assay.Proven},
		{"another run", assay.Claims{RunInvocationURI: "https://g.codefresh.io/build/12"}, source(""), assay.Refuted},
		{"a repository with .git", assay.Claims{SourceRepositoryURI: "https://Git.example/o/r.git"}, source(""), assay.Proven},
		{"a repository without scheme", assay.Claims{SourceRepositoryURI: "git.example/o/r"}, source(""), assay.Proven},
		{"a fork", assay.Claims{SourceRepositoryURI: "https://git.example/fork/r"}, source(""), assay.Refuted},
		{"a name at another host", assay.Claims{GitHubWorkflowRepository: "o/r"}, &assay.Provenance{BuildType: provenance.BuildTypeGitHub, Source: assay.Source{Repository: "https://evil.example/o/r"}}, assay.Refuted},
		{"a name at GitHub", assay.Claims{GitHubWorkflowRepository: "o/r"}, &assay.Provenance{BuildType: provenance.BuildTypeGitHub, Source: assay.Source{Repository: "https://github.com/o/r"}}, assay.Proven},
		{"another case", assay.Claims{SourceRepositoryURI: "https://git.example/O/r"}, source(""), assay.Refuted},
		{"a claim that none states", assay.Claims{TokenSubject: "x"}, source(""), assay.Unknown},
		{"a builder that is not the signer", assay.Claims{BuildSignerURI: "https://x.example"}, source(""), assay.Unknown},
		{"a runner's job", assay.Claims{RunInvocationURI: "https://gitlab.example.com/group/sub/project/-/jobs/77"}, read("GitLab runner v1"), assay.Proven},
		{"another job", assay.Claims{RunInvocationURI: "https://gitlab.example.com/group/sub/project/-/jobs/177"}, read("GitLab runner v1"), assay.Refuted},
		{"a runner's commit", assay.Claims{SourceRepositoryDigest: commit}, read("GitLab runner v1"), assay.Proven},
		{"a run of BuildKit's, which is none of the CI's", assay.Claims{RunInvocationURI: "https://github.com/o/r/actions/runs/1/attempts/1"}, read("BuildKit v1"), assay.Unknown},
		{"BuildKit's commit", assay.Claims{SourceRepositoryDigest: strings.Repeat("a", 40)}, read("BuildKit v1"), assay.Refuted},
		{"nothing", assay.Claims{SourceRepositoryDigest: commit}, nil, assay.Unknown},
	} {
		a := provenance.Agree(tt.claims, tt.p)
		var got []provenance.Fact
		for _, f := range a.Facts {
			if f.Claimed != "" {
				got = append(got, f)
			}
		}
		if len(got) != 1 || got[0].State != tt.state {
			t.Errorf("%s: %v", tt.name, a.Facts)
		}
	}
}

// What certificates do not claim, and provenance says, is told as well.
func TestAgreeUnclaimed(t *testing.T) {
	p, err := provenance.Read("npm", dialects["npm v0.2"].t, []byte(dialects["npm v0.2"].predicate))
	if err != nil {
		t.Fatal(err)
	}
	a := provenance.Agree(assay.Claims{}, p)
	if len(a.Facts) == 0 || len(a.Facts) != len(a.Unstated()) || a.SameRun() != assay.Unknown || !strings.Contains(a.Facts[0].String(), "does not claim it") {
		t.Errorf("%v", a.Facts)
	}
}

func FuzzAgree(f *testing.F) {
	for _, d := range dialects {
		f.Add(string(d.t), d.predicate, "https://github.com/o/r", "main")
	}
	f.Fuzz(func(t *testing.T, kind, predicate, uri, ref string) {
		p, err := provenance.Read("fuzz", assay.PredicateType(kind), []byte(predicate))
		if err != nil {
			return
		}
		claims := assay.Claims{SourceRepositoryURI: uri, SourceRepositoryRef: ref, RunInvocationURI: uri, BuildConfigURI: uri, BuildSignerURI: uri, SourceRepositoryDigest: p.Source.Commit.Hex()}
		a := provenance.Agree(claims, p)
		if len(a.Agreed())+len(a.Contradictions())+len(a.Unstated()) != len(a.Facts) {
			t.Fatal("a fact is of no state")
		}
		// What provenance says of itself never contradicts it.
		own := assay.Claims{SourceRepositoryURI: p.Source.Repository, SourceRepositoryRef: p.Source.Ref}
		for _, c := range provenance.Agree(own, p).Contradictions() {
			if c.Field == "source.repository" || c.Field == "source.ref" {
				t.Fatal(c)
			}
		}
		provenance.Hermetic(p)
		provenance.Level(assay.Identity{}, p, provenance.WellKnownBuilders())
	})
}
