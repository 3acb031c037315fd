package provenance_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// ciJob is a job of a CI: its variables, and what its token claims.
type ciJob struct {
	env    map[string]string
	claims map[string]any // nil: the CI has no token
	token  string         // the variable that holds it; empty: it is asked for
	aud    string

	buildType, builder, repository, ref, config, run string
	internal                                         string
	unverified                                       []string
}

func ciJobs(issuer string) map[string]ciJob {
	return map[string]ciJob{
		"GitLab CI": {
			env: map[string]string{"GITLAB_CI": "true", "CI_SERVER_URL": issuer, "CI_PROJECT_PATH": "group/app", "CI_PROJECT_ID": "7", "CI_COMMIT_SHA": commit,
				"CI_COMMIT_REF_NAME": "v1", "CI_COMMIT_TAG": "v1", "CI_JOB_ID": "99", "CI_JOB_TOKEN": "secret-job", "CI_PIPELINE_SOURCE": "push", "CI_RUNNER_ID": "3"},
			claims: map[string]any{"project_path": "group/app", "project_id": "7", "namespace_id": "6", "sha": commit, "ref": "v1", "ref_type": "tag", "job_id": "99",
				"pipeline_id": "42", "pipeline_source": "push", "ci_config_ref_uri": "gitlab.example/group/app//.gitlab-ci.yml@refs/tags/v1", "runner_environment": "gitlab-hosted", "runner_id": 3},
			token: "SIGSTORE_ID_TOKEN", aud: "sigstore", buildType: provenance.BuildTypeGitLab,
			builder: "https://gitlab.example/group/app//.gitlab-ci.yml@refs/tags/v1", config: "https://gitlab.example/group/app//.gitlab-ci.yml@refs/tags/v1",
			repository: issuer + "/group/app", ref: "refs/tags/v1", run: issuer + "/group/app/-/jobs/99",
			internal: `{"gitlab":{"namespace_id":"6","pipeline_id":"42","pipeline_source":"push","project_id":"7","runner_environment":"gitlab-hosted","runner_id":"3"}}`,
		},
		"Buildkite": {
			env: map[string]string{"BUILDKITE": "true", "BUILDKITE_ORGANIZATION_SLUG": "org", "BUILDKITE_PIPELINE_SLUG": "app", "BUILDKITE_BUILD_NUMBER": "5", "BUILDKITE_JOB_ID": "j-1",
				"BUILDKITE_COMMIT": commit, "BUILDKITE_BRANCH": "main", "BUILDKITE_REPO": "git@git.example:org/app.git", "BUILDKITE_AGENT_ACCESS_TOKEN": "secret-agent"},
			claims: map[string]any{"organization_slug": "org", "pipeline_slug": "app", "build_number": 5, "job_id": "j-1", "build_commit": commit, "build_branch": "main",
				"build_source": "webhook", "runner_environment": "self-hosted"},
			buildType: provenance.BuildTypeBuildkite, builder: "https://buildkite.com/org/app", config: "https://buildkite.com/org/app",
			repository: "ssh://git.example/org/app", ref: "refs/heads/main", run: "https://buildkite.com/org/app/builds/5#j-1", unverified: []string{"BUILDKITE_REPO"},
			internal: `{"buildkite":{"build_source":"webhook","runner_environment":"self-hosted"}}`,
		},
		"CircleCI": {
			env: map[string]string{"CIRCLECI": "true", "CIRCLE_ORGANIZATION_ID": "org-1", "CIRCLE_PROJECT_ID": "p-1", "CIRCLE_WORKFLOW_ID": "w-1", "CIRCLE_WORKFLOW_JOB_ID": "j-1",
				"CIRCLE_SHA1": commit, "CIRCLE_BRANCH": "main", "CIRCLE_REPOSITORY_URL": "https://user:secret-url@git.example/org/app.git"},
			claims: map[string]any{"oidc.circleci.com/project-id": "p-1", "oidc.circleci.com/pipeline-definition-id": "d-1", "oidc.circleci.com/workflow-id": "w-1",
				"oidc.circleci.com/job-id": "j-1", "oidc.circleci.com/vcs-origin": "git.example/org/app", "oidc.circleci.com/vcs-ref": "refs/heads/main", "oidc.circleci.com/ssh-rerun": false},
			token: "CIRCLE_OIDC_TOKEN_V2", aud: "org-1", buildType: provenance.BuildTypeCircleCI,
			builder: "https://circleci.com/api/v2/projects/p-1/pipeline-definitions/d-1", config: "https://circleci.com/api/v2/projects/p-1/pipeline-definitions/d-1",
			repository: "https://git.example/org/app", ref: "refs/heads/main", run: "https://app.circleci.com/workflow/w-1/job/j-1",
			unverified: []string{"CIRCLE_SHA1"}, internal: `{"circleci":{"project_id":"p-1","ssh_rerun":"false"}}`,
		},
		"Google Cloud Build": {
			env:       map[string]string{"BUILDER_OUTPUT": "/builder/outputs", "PROJECT_ID": "prj", "BUILD_ID": "b-1", "LOCATION": "europe-west1", "REPO_FULL_NAME": "org/app", "COMMIT_SHA": commit, "TAG_NAME": "v1"},
			buildType: provenance.BuildTypeCloudBuild, repository: "https://github.com/org/app", ref: "refs/tags/v1",
			run: "https://console.cloud.google.com/cloud-build/builds;region=europe-west1/b-1", internal: `{"cloudbuild":{"build_id":"b-1","location":"europe-west1","project_id":"prj"}}`,
			unverified: []string{"BUILD_ID", "COMMIT_SHA", "LOCATION", "PROJECT_ID", "REPO_FULL_NAME", "TAG_NAME"},
		},
		"AWS CodeBuild": {
			env: map[string]string{"CODEBUILD_BUILD_ARN": "arn:aws:codebuild:eu-1:1:build/app:1", "CODEBUILD_SOURCE_REPO_URL": "https://git.example/org/app.git",
				"CODEBUILD_RESOLVED_SOURCE_VERSION": commit, "AWS_SECRET_ACCESS_KEY": "secret-aws"},
			buildType: provenance.BuildTypeCodeBuild, repository: "https://git.example/org/app", run: "arn:aws:codebuild:eu-1:1:build/app:1", internal: `{"codebuild":{"build_arn":"arn:aws:codebuild:eu-1:1:build/app:1"}}`,
			unverified: []string{"CODEBUILD_BUILD_ARN", "CODEBUILD_RESOLVED_SOURCE_VERSION", "CODEBUILD_SOURCE_REPO_URL"},
		},
		"Azure Pipelines": {
			env: map[string]string{"TF_BUILD": "True", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/org/", "SYSTEM_TEAMPROJECT": "My Project", "BUILD_BUILDID": "12", "SYSTEM_DEFINITIONID": "3",
				"BUILD_REPOSITORY_URI": "https://org@dev.azure.com/org/p/_git/app", "BUILD_SOURCEVERSION": commit, "BUILD_SOURCEBRANCH": "refs/heads/main", "SYSTEM_ACCESSTOKEN": "secret-azure"},
			buildType: provenance.BuildTypeAzure, repository: "https://dev.azure.com/org/p/_git/app", ref: "refs/heads/main",
			config: "https://dev.azure.com/org/My%20Project/_build/definition/3", run: "https://dev.azure.com/org/My%20Project/_build/results/12", internal: `{"azure":{"definition_id":"3"}}`,
			unverified: []string{"BUILD_BUILDID", "BUILD_REPOSITORY_URI", "BUILD_SOURCEBRANCH", "BUILD_SOURCEVERSION", "SYSTEM_COLLECTIONURI", "SYSTEM_DEFINITIONID", "SYSTEM_TEAMPROJECT"},
		},
		"Woodpecker": {
			env: map[string]string{"CI": "woodpecker", "CI_REPO_URL": "https://git.example/org/app", "CI_COMMIT_SHA": commit, "CI_COMMIT_REF": "refs/heads/main", "CI_PIPELINE_URL": "https://ci.example/repos/1/pipeline/2",
				"CI_NETRC_PASSWORD": "secret-netrc"},
			buildType: provenance.BuildTypeWoodpecker, repository: "https://git.example/org/app", ref: "refs/heads/main", run: "https://ci.example/repos/1/pipeline/2",
			unverified: []string{"CI_COMMIT_REF", "CI_COMMIT_SHA", "CI_PIPELINE_URL", "CI_REPO_URL"},
		},
		"Drone": {
			env: map[string]string{"DRONE": "true", "DRONE_REPO_LINK": "https://git.example/org/app", "DRONE_COMMIT_SHA": commit, "DRONE_COMMIT_REF": "refs/tags/v1", "DRONE_BUILD_LINK": "https://ci.example/org/app/2",
				"DRONE_BUILD_EVENT": "tag"},
			buildType: provenance.BuildTypeDrone, repository: "https://git.example/org/app", ref: "refs/tags/v1", run: "https://ci.example/org/app/2", internal: `{"drone":{"event":"tag"}}`,
			unverified: []string{"DRONE_BUILD_EVENT", "DRONE_BUILD_LINK", "DRONE_COMMIT_REF", "DRONE_COMMIT_SHA", "DRONE_REPO_LINK"},
		},
		"Jenkins": {
			env: map[string]string{"JENKINS_URL": "https://ci.example/", "GIT_URL": "https://bot:secret-git@git.example/org/app.git", "GIT_COMMIT": commit, "GIT_BRANCH": "origin/main",
				"BUILD_URL": "https://ci.example/job/app/2/", "JOB_NAME": "app", "BUILD_NUMBER": "2"},
			buildType: provenance.BuildTypeJenkins, repository: "https://git.example/org/app", run: "https://ci.example/job/app/2", internal: `{"jenkins":{"build_number":"2","job":"app"}}`,
			unverified: []string{"BUILD_NUMBER", "BUILD_URL", "GIT_COMMIT", "GIT_URL", "JOB_NAME"},
		},
	}
}

// options gives the job its token, and its environment.
func (j ciJob) options(is *issuer) provenance.Options {
	env := maps.Clone(j.env)
	o := is.options(env)
	o.Issuer = is.URL
	if j.claims == nil {
		o.BuilderIDUnsafe = "https://builder.example/self"
		return o
	}
	claims := maps.Clone(j.claims)
	claims["iss"], claims["exp"], claims["iat"] = is.URL, now.Add(time.Minute).Unix(), now.Unix()
	claims["aud"] = j.aud
	if j.aud == "" {
		claims["aud"] = "assay"
	}
	text, _ := json.Marshal(claims)
	if j.token != "" {
		env[j.token] = is.token(text)
	} else {
		o.Token = func(_ context.Context, audience string) (string, error) { return is.token(text), nil }
	}
	return o
}

// Every CI states the same kind of thing, from where it says it, and no secret.
func TestServices(t *testing.T) {
	is := newIssuer(t)
	for name, j := range ciJobs(is.URL) {
		t.Run(name, func(t *testing.T) {
			p, err := provenance.FromEnvironment(t.Context(), j.options(is))
			if err != nil {
				t.Fatal(err)
			}
			if j.builder == "" {
				j.builder = "https://builder.example/self"
			}
			sha := assay.MustDigest("gitCommit:" + commit)
			want := &assay.Provenance{
				BuildType: j.buildType, Builder: assay.Builder{ID: j.builder}, InvocationID: j.run,
				ExternalParameters: map[string]json.RawMessage{"repository": quote(j.repository)},
				Materials:          []assay.Resource{{URI: "git+" + j.repository, Digest: assay.DigestSet{sha}}},
				Source:             assay.Source{Repository: j.repository, Commit: sha, Ref: j.ref},
			}
			if len(j.unverified) > 0 {
				want.Extensions = map[string]json.RawMessage{"/runDetails/metadata/assay_claims": quote("unverified"), "/runDetails/metadata/assay_variables": quote(j.unverified)}
			}
			if j.ref != "" {
				want.ExternalParameters["ref"] = quote(j.ref)
				want.Materials[0].URI += "@" + j.ref
			}
			if j.config != "" {
				want.ExternalParameters["config"] = quote(j.config)
			}
			if j.internal != "" {
				if err := json.Unmarshal([]byte(j.internal), &want.InternalParameters); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(want, p, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
				t.Fatal(d)
			}
			text, err := provenance.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "secret") {
				t.Errorf("a secret came along: %s", text)
			}
			read, err := provenance.Read("predicate.json", assay.PredicateSLSA1, text)
			if err != nil || read.Source != p.Source {
				t.Errorf("read back: %+v, %v; want %+v", read, err, p.Source)
			}
		})
	}
}

// Whatever address a variable holds, who asks with what password is not part of it, and
// what else is in the environment stays there.
func TestServicesTellNoSecret(t *testing.T) {
	is := newIssuer(t)
	for name, j := range ciJobs(is.URL) {
		t.Run(name, func(t *testing.T) {
			j.env = maps.Clone(j.env)
			if name == "Jenkins" {
				j.env["JOB_URL"] = "https://ci.example/job/app/"
			}
			addresses := 0
			for k, v := range j.env {
				// What a token claims, too, must be as it claims it.
				if scheme, rest, ok := strings.Cut(v, "://"); ok && v != is.URL {
					addresses++
					if _, after, named := strings.Cut(rest, "@"); named {
						rest = after
					}
					j.env[k] = scheme + "://me:secret@" + rest + "?token=secret"
				}
			}
			for _, k := range []string{"NPM_TOKEN", "AWS_SESSION_TOKEN", "CI_JOB_TOKEN", "GIT_PASSWORD", "PATH", "HOME", "DRONE_NETRC_PASSWORD", "BUILD_SECRET", "CI_REGISTRY_PASSWORD"} {
				j.env[k] = "secret-" + k
			}
			p, err := provenance.FromEnvironment(t.Context(), j.options(is))
			if err != nil {
				t.Fatal(err)
			}
			text, err := provenance.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "secret") || strings.Contains(string(text), "eyJ") {
				t.Errorf("a secret came along: %s", text)
			}
			if addresses == 0 && name != "GitLab CI" && name != "Buildkite" && name != "Google Cloud Build" {
				t.Error("no address was changed")
			}
		})
	}
}

// Each variable that says what the token claims must say the same.
func TestServicesContradicted(t *testing.T) {
	is := newIssuer(t)
	// These say where the job is, or have no claim: another value is another job's.
	other := []string{"GITLAB_CI", "CI_JOB_TOKEN", "BUILDKITE", "BUILDKITE_REPO", "BUILDKITE_AGENT_ACCESS_TOKEN", "CIRCLECI", "CIRCLE_ORGANIZATION_ID", "CIRCLE_SHA1"}
	compared := 0
	for name, j := range ciJobs(is.URL) {
		if j.claims == nil {
			continue
		}
		for k, v := range j.env {
			if slices.Contains(other, k) {
				continue
			}
			compared++
			changed := j
			changed.env = maps.Clone(j.env)
			changed.env[k] = strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return '0' + (r-'0'+1)%10
				}
				return r
			}, v) + "0"
			p, err := provenance.FromEnvironment(t.Context(), changed.options(is))
			if p != nil || !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), k) || !strings.Contains(err.Error(), "claim") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s, %s: %v, %v", name, k, p, err)
			}
		}
	}
	if compared < 18 {
		t.Errorf("only %d variables were compared", compared)
	}
}

func quote(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

// A job that contradicts itself, or leaves out what is needed, states nothing.
func TestServicesRefused(t *testing.T) {
	is := newIssuer(t)
	for name, c := range map[string]struct {
		ci     string
		change func(*ciJob, *provenance.Options)
		kind   error
		says   string
	}{
		"variable contradicts token": {"GitLab CI", func(j *ciJob, _ *provenance.Options) { j.env["CI_COMMIT_SHA"] = strings.Repeat("0", 40) }, assay.ErrRefuted, "CI_COMMIT_SHA"},
		"tag of a branch":            {"GitLab CI", func(j *ciJob, _ *provenance.Options) { j.claims["ref_type"] = "branch" }, assay.ErrRefuted, "CI_COMMIT_TAG"},
		"checkout of another": {"CircleCI", func(j *ciJob, _ *provenance.Options) {
			j.env["CIRCLE_REPOSITORY_URL"] = "git@git.example:org/other.git"
		}, assay.ErrRefuted, "CIRCLE_REPOSITORY_URL"},
		"branch of another":     {"CircleCI", func(j *ciJob, _ *provenance.Options) { j.env["CIRCLE_BRANCH"] = "other" }, assay.ErrRefuted, "CIRCLE_BRANCH"},
		"tag of another":        {"CircleCI", func(j *ciJob, _ *provenance.Options) { j.env["CIRCLE_TAG"] = "v1" }, assay.ErrRefuted, "CIRCLE_TAG"},
		"repository with a ref": {"Jenkins", func(j *ciJob, _ *provenance.Options) { j.env["GIT_URL"] = "https://git.example/org/app#main" }, assay.ErrInvalid, "repository"},
		"project of another":    {"GitLab CI", func(j *ciJob, _ *provenance.Options) { j.env["CI_PROJECT_PATH"] = "group/other" }, assay.ErrRefuted, "CI_PROJECT_PATH"},
		"no token, no builder":  {"GitLab CI", func(j *ciJob, _ *provenance.Options) { j.claims = nil }, assay.ErrUnchecked, "builder.id"},
		"token for another":     {"GitLab CI", func(j *ciJob, _ *provenance.Options) { j.aud = "vault" }, assay.ErrRefuted, "aud"},
		"token is none":         {"CircleCI", func(j *ciJob, _ *provenance.Options) { j.claims = nil; j.env["CIRCLE_OIDC_TOKEN"] = "eyJub3.a.token" }, assay.ErrInvalid, "CircleCI"},
		"no commit":             {"CircleCI", func(j *ciJob, _ *provenance.Options) { delete(j.env, "CIRCLE_SHA1") }, assay.ErrAbsent, "CIRCLE_SHA1"},
		"commit is none":        {"Jenkins", func(j *ciJob, _ *provenance.Options) { j.env["GIT_COMMIT"] = "HEAD" }, assay.ErrInvalid, "commit"},
		"no repository":         {"Jenkins", func(j *ciJob, _ *provenance.Options) { delete(j.env, "GIT_URL") }, assay.ErrAbsent, "GIT_URL"},
		"repository is a path":  {"Drone", func(j *ciJob, _ *provenance.Options) { j.env["DRONE_REPO_LINK"] = "/srv/git/app" }, assay.ErrInvalid, "repository"},
		"ref is none":           {"Azure Pipelines", func(j *ciJob, _ *provenance.Options) { j.env["BUILD_SOURCEBRANCH"] = "main" }, assay.ErrInvalid, "ref"},
		"not UTF-8":             {"Woodpecker", func(j *ciJob, _ *provenance.Options) { j.env["CI_PIPELINE_EVENT"] = "\xff" }, assay.ErrInvalid, "UTF-8"},
		"claim is a list": {"Buildkite", func(j *ciJob, _ *provenance.Options) {
			j.claims = maps.Clone(j.claims)
			j.claims["job_id"] = []string{"a"}
		}, assay.ErrInvalid, "job_id"},
		"another builder": {"Buildkite", nil, assay.ErrRefuted, "builder.id"},
		"no such program": {"Buildkite", nil, assay.ErrUnchecked, "token"},
	} {
		t.Run(name, func(t *testing.T) {
			j := ciJobs(is.URL)[c.ci]
			var unsafe bool
			if c.change != nil {
				unsafe = j.claims == nil
				c.change(&j, nil)
			}
			o := j.options(is)
			if !unsafe && j.claims == nil {
				o.BuilderIDUnsafe = ""
			}
			switch name {
			case "another builder":
				o.BuilderIDUnsafe = "https://builder.example/mine"
			case "no such program":
				o.Token = func(context.Context, string) (string, error) { return "", errors.New("exit status 1") }
			}
			p, err := provenance.FromEnvironment(t.Context(), o)
			if p != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "eyJ") {
				t.Errorf("%v, %v; want %v with %q", p, err, c.kind, c.says)
			}
		})
	}
}

// What a CI calls a branch is a ref only if the repository has it, and two variables may
// contradict each other as a variable and a claim may.
func TestServicesRefs(t *testing.T) {
	is := newIssuer(t)
	for name, c := range map[string]struct {
		ci   string
		env  map[string]string
		ref  string
		says string
	}{
		"branch":             {"Jenkins", map[string]string{"BRANCH_NAME": "main"}, "refs/heads/main", ""},
		"tag":                {"Jenkins", map[string]string{"BRANCH_NAME": "v1", "TAG_NAME": "v1"}, "refs/tags/v1", ""},
		"change":             {"Jenkins", map[string]string{"BRANCH_NAME": "PR-7", "CHANGE_ID": "7"}, "", ""},
		"branch of a fork":   {"Buildkite", map[string]string{"BUILDKITE_BRANCH": "someone:main"}, "", ""},
		"branch itself":      {"Buildkite", nil, "refs/heads/main", ""},
		"tag is not the ref": {"GitLab CI", map[string]string{"CI_COMMIT_TAG": "v2"}, "", "CI_COMMIT_TAG"},
		"password in a URL":  {"GitLab CI", map[string]string{"CI_COMMIT_TAG": "https://me:secret@x.example/?token=secret"}, "", "CI_COMMIT_TAG"},
	} {
		j := ciJobs(is.URL)[c.ci]
		j.claims = nil
		maps.Copy(j.env, c.env)
		p, err := provenance.FromEnvironment(t.Context(), j.options(is))
		switch {
		case c.says != "":
			if p != nil || !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		case err != nil || p.Source.Ref != c.ref:
			t.Errorf("%s: %v, %v; want the ref %q", name, p, err, c.ref)
		}
	}
}
