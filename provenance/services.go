package provenance

import (
	"cmp"
	"net/url"
	"strings"
)

// Build types of CI jobs; see the package documentation for their parameters.
const (
	BuildTypeGitLab     = "https://github.com/assaykit/assay/provenance/gitlab-ci/v1"
	BuildTypeBuildkite  = "https://github.com/assaykit/assay/provenance/buildkite/v1"
	BuildTypeCircleCI   = "https://github.com/assaykit/assay/provenance/circleci/v1"
	BuildTypeCloudBuild = "https://github.com/assaykit/assay/provenance/google-cloud-build/v1"
	BuildTypeJenkins    = "https://github.com/assaykit/assay/provenance/jenkins/v1"
	BuildTypeCodeBuild  = "https://github.com/assaykit/assay/provenance/aws-codebuild/v1"
	BuildTypeAzure      = "https://github.com/assaykit/assay/provenance/azure-pipelines/v1"
	BuildTypeWoodpecker = "https://github.com/assaykit/assay/provenance/woodpecker/v1"
	BuildTypeDrone      = "https://github.com/assaykit/assay/provenance/drone/v1"
	defaultGitLabAud    = "sigstore" // of the token that GitLab's templates request for signing
	buildkiteIssuer     = "https://agent.buildkite.com"
	circleCIAPI         = "https://circleci.com/api/v2"
	circleClaim         = "oidc.circleci.com/"
	circleCIApp         = "https://app.circleci.com"
	cloudBuildConsole   = "https://console.cloud.google.com/cloud-build/builds"
)

// Known gives the CIs that [FromEnvironment] tries after those of the options, in this
// order: GitHub Actions, GitLab CI, Buildkite, CircleCI, Google Cloud Build, AWS
// CodeBuild, Azure Pipelines, Woodpecker, Drone, Jenkins. Tekton runs are read with
// [FromTekton], as its controller sees them.
//
// GitLab CI, Buildkite and CircleCI vouch for a job with an OIDC token, as GitHub does;
// what the token does not claim is taken from variables and named in the result. The
// others have none: their jobs need Options.BuilderIDUnsafe.
func Known() []CI {
	return []CI{GitHub{}, gitLab(), buildkite(), circleCI(), cloudBuild(), codeBuild(), azurePipelines(), woodpecker(), drone(), jenkins()}
}

// whenSet detects a CI by a variable; with values, by one of these.
func whenSet(variable string, values ...string) func(func(string) (string, bool)) bool {
	return func(env func(string) (string, bool)) bool {
		v, _ := env(variable)
		if len(values) == 0 {
			return v != ""
		}
		for _, want := range values {
			if strings.EqualFold(v, want) {
				return true
			}
		}
		return false
	}
}

// gitLab: docs.gitlab.com/ci/secrets/id_token_authentication, ci/variables/predefined_variables.
// The builder is what Fulcio names as build signer: the pipeline's configuration.
func gitLab() CI {
	return &service{
		name: "GitLab CI", buildType: BuildTypeGitLab, internal: "gitlab", detect: whenSet("GITLAB_CI", "true"),
		token: func(env func(string) string) tokenSource {
			return tokenSource{issuer: strings.TrimSuffix(env("CI_SERVER_URL"), "/"), variables: []string{"ASSAY_ID_TOKEN", "SIGSTORE_ID_TOKEN"}, audiences: []string{defaultGitLabAud}}
		},
		facts: []fact{
			{"server", "iss", "CI_SERVER_URL", true},
			{"project", "project_path", "CI_PROJECT_PATH", true},
			{"project_id", "project_id", "CI_PROJECT_ID", false},
			{"namespace_id", "namespace_id", "CI_PROJECT_NAMESPACE_ID", false},
			{"sha", "sha", "CI_COMMIT_SHA", true},
			{"ref", "ref", "CI_COMMIT_REF_NAME", true},
			{"ref_type", "ref_type", "", false},
			{"tag", "", "CI_COMMIT_TAG", false},
			{"ref_path", "ref_path", "", false},
			{"config", "ci_config_ref_uri", "", false},
			{"job_id", "job_id", "CI_JOB_ID", true},
			{"pipeline_id", "pipeline_id", "CI_PIPELINE_ID", false},
			{"pipeline_source", "pipeline_source", "CI_PIPELINE_SOURCE", false},
			{"runner_environment", "runner_environment", "", false},
			{"runner_id", "runner_id", "CI_RUNNER_ID", false},
		},
		pairs: func(f map[string]string) []pair {
			// The tag is the ref, where it is a tag that is built, and otherwise not set.
			claimed, claim := f["ref"], "ref"
			if f["ref_type"] != "" && f["ref_type"] != "tag" {
				claimed, claim = "no tag, but "+f["ref_type"]+" "+f["ref"], "ref_type"
			}
			return []pair{{"CI_COMMIT_TAG", f["tag"], claim, claimed}}
		},
		compose: func(f map[string]string) job {
			server := strings.TrimSuffix(f["server"], "/")
			j := job{repository: server + "/" + f["project"], commit: f["sha"], ref: f["ref_path"], run: server + "/" + f["project"] + "/-/jobs/" + f["job_id"],
				internal: pick(f, "namespace_id", "pipeline_id", "pipeline_source", "project_id", "runner_environment", "runner_id")}
			switch {
			case j.ref != "":
			case f["ref_type"] == "tag" || f["ref_type"] == "" && f["tag"] != "":
				j.ref = "refs/tags/" + f["ref"]
			case f["ref_type"] == "branch" || f["ref_type"] == "":
				j.ref = "refs/heads/" + f["ref"]
			}
			if f["config"] != "" {
				j.config = "https://" + f["config"]
				j.builder = j.config
			}
			return j
		},
	}
}

// buildkite: buildkite.com/docs/agent/cli/reference/oidc. The builder is the pipeline,
// as Fulcio names it.
func buildkite() CI {
	return &service{
		name: "Buildkite", buildType: BuildTypeBuildkite, internal: "buildkite", detect: whenSet("BUILDKITE", "true"),
		token: func(func(string) string) tokenSource {
			return tokenSource{issuer: buildkiteIssuer, variables: []string{"ASSAY_ID_TOKEN"}}
		},
		facts: []fact{
			{"organization", "organization_slug", "BUILDKITE_ORGANIZATION_SLUG", true},
			{"pipeline", "pipeline_slug", "BUILDKITE_PIPELINE_SLUG", true},
			{"number", "build_number", "BUILDKITE_BUILD_NUMBER", true},
			{"job", "job_id", "BUILDKITE_JOB_ID", true},
			{"commit", "build_commit", "BUILDKITE_COMMIT", true},
			{"branch", "build_branch", "BUILDKITE_BRANCH", false},
			{"tag", "build_tag", "BUILDKITE_TAG", false},
			{"repository", "", "BUILDKITE_REPO", true},
			{"source", "build_source", "BUILDKITE_SOURCE", false},
			{"step_key", "step_key", "BUILDKITE_STEP_KEY", false},
			{"runner_environment", "runner_environment", "", false},
			{"proof", "iss", "", false},
		},
		compose: func(f map[string]string) job {
			pipeline := "https://buildkite.com/" + f["organization"] + "/" + f["pipeline"]
			branch := f["branch"]
			if strings.Contains(branch, ":") {
				branch = "" // "owner:branch", of a fork, is no ref of the repository
			}
			j := job{repository: f["repository"], commit: f["commit"], ref: branchOrTag(branch, f["tag"]),
				run: pipeline + "/builds/" + f["number"] + "#" + f["job"], config: pipeline,
				internal: map[string]string{"build_source": f["source"], "runner_environment": f["runner_environment"], "step_key": f["step_key"]}}
			if f["proof"] != "" {
				j.builder = pipeline
			}
			return j
		},
	}
}

// circleCI: circleci.com/docs/openid-connect-tokens. The builder is the pipeline's
// definition, as Fulcio names it.
func circleCI() CI {
	return &service{
		name: "CircleCI", buildType: BuildTypeCircleCI, internal: "circleci", detect: whenSet("CIRCLECI", "true"),
		token: func(env func(string) string) tokenSource {
			org := env("CIRCLE_ORGANIZATION_ID")
			return tokenSource{issuer: "https://oidc.circleci.com/org/" + org, variables: []string{"CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"}, audiences: []string{org}}
		},
		facts: []fact{
			{"project", circleClaim + "project-id", "CIRCLE_PROJECT_ID", true},
			{"definition", circleClaim + "pipeline-definition-id", "", false},
			{"pipeline", circleClaim + "pipeline-id", "CIRCLE_PIPELINE_ID", false},
			{"workflow", circleClaim + "workflow-id", "CIRCLE_WORKFLOW_ID", true},
			{"job", circleClaim + "job-id", "CIRCLE_WORKFLOW_JOB_ID", true},
			{"origin", circleClaim + "vcs-origin", "", false},
			{"repository", "", "CIRCLE_REPOSITORY_URL", false},
			{"ref", circleClaim + "vcs-ref", "", false},
			{"branch", "", "CIRCLE_BRANCH", false},
			{"tag", "", "CIRCLE_TAG", false},
			{"commit", "", "CIRCLE_SHA1", true},
			{"ssh_rerun", circleClaim + "ssh-rerun", "", false},
		},
		// A trigger may be of another repository than the one that is checked out.
		pairs: func(f map[string]string) []pair {
			out := []pair{{"CIRCLE_REPOSITORY_URL", anyScheme(f["repository"]), circleClaim + "vcs-origin", anyScheme(f["origin"])}}
			if f["tag"] != "" {
				return append(out, pair{"CIRCLE_TAG", branchOrTag("", f["tag"]), circleClaim + "vcs-ref", f["ref"]})
			}
			return append(out, pair{"CIRCLE_BRANCH", branchOrTag(f["branch"], ""), circleClaim + "vcs-ref", f["ref"]})
		},
		compose: func(f map[string]string) job {
			j := job{repository: f["repository"], commit: f["commit"], ref: cmp.Or(f["ref"], branchOrTag(f["branch"], f["tag"])),
				run:      circleCIApp + "/workflow/" + f["workflow"] + "/job/" + f["job"],
				internal: map[string]string{"pipeline_id": f["pipeline"], "project_id": f["project"], "ssh_rerun": f["ssh_rerun"]}}
			if f["origin"] != "" {
				j.repository = withScheme(f["origin"])
			}
			if f["definition"] != "" {
				j.builder = circleCIAPI + "/projects/" + f["project"] + "/pipeline-definitions/" + f["definition"]
				j.config = j.builder
			}
			return j
		},
	}
}

// cloudBuild: cloud.google.com/build/docs/configuring-builds/substitute-variable-values.
// A step sees a substitution only if the build maps it to a variable of its name
// (options.automapSubstitutions). Google's own provenance is the one to prefer: its
// service signs it, and a step cannot.
func cloudBuild() CI {
	return &service{
		name: "Google Cloud Build", buildType: BuildTypeCloudBuild, internal: "cloudbuild", detect: whenSet("BUILDER_OUTPUT"),
		facts: []fact{
			{"project", "", "PROJECT_ID", true},
			{"build", "", "BUILD_ID", true},
			{"location", "", "LOCATION", false},
			{"repository", "", "_REPOSITORY_URI", false},
			{"full_name", "", "REPO_FULL_NAME", false},
			{"commit", "", "COMMIT_SHA", true},
			{"branch", "", "BRANCH_NAME", false},
			{"tag", "", "TAG_NAME", false},
			{"trigger", "", "TRIGGER_NAME", false},
			{"config", "", "TRIGGER_BUILD_CONFIG_PATH", false},
		},
		compose: func(f map[string]string) job {
			j := job{repository: f["repository"], commit: f["commit"], ref: branchOrTag(f["branch"], f["tag"]), config: f["config"],
				run:      cloudBuildConsole + ";region=" + cmp.Or(f["location"], "global") + "/" + f["build"],
				internal: map[string]string{"build_id": f["build"], "location": f["location"], "project_id": f["project"], "trigger": f["trigger"]}}
			if j.repository == "" && f["full_name"] != "" {
				j.repository = "https://github.com/" + f["full_name"] // the variable is defined for repositories there only
			}
			return j
		},
	}
}

// codeBuild: docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html.
func codeBuild() CI {
	return &service{
		name: "AWS CodeBuild", buildType: BuildTypeCodeBuild, internal: "codebuild", detect: whenSet("CODEBUILD_BUILD_ARN"),
		facts: []fact{
			{"arn", "", "CODEBUILD_BUILD_ARN", true},
			{"build", "", "CODEBUILD_BUILD_ID", false},
			{"repository", "", "CODEBUILD_SOURCE_REPO_URL", true},
			{"commit", "", "CODEBUILD_RESOLVED_SOURCE_VERSION", true},
			{"ref", "", "CODEBUILD_WEBHOOK_HEAD_REF", false},
			{"trigger", "", "CODEBUILD_WEBHOOK_EVENT", false},
			{"initiator", "", "CODEBUILD_INITIATOR", false},
		},
		compose: func(f map[string]string) job {
			return job{repository: f["repository"], commit: f["commit"], ref: f["ref"], run: f["arn"],
				internal: map[string]string{"build_arn": f["arn"], "initiator": f["initiator"], "webhook_event": f["trigger"]}}
		},
	}
}

// azurePipelines: learn.microsoft.com/azure/devops/pipelines/build/variables.
func azurePipelines() CI {
	return &service{
		name: "Azure Pipelines", buildType: BuildTypeAzure, internal: "azure", detect: whenSet("TF_BUILD", "true"),
		facts: []fact{
			{"collection", "", "SYSTEM_COLLECTIONURI", true},
			{"project", "", "SYSTEM_TEAMPROJECT", true},
			{"build", "", "BUILD_BUILDID", true},
			{"definition", "", "SYSTEM_DEFINITIONID", false},
			{"repository", "", "BUILD_REPOSITORY_URI", true},
			{"commit", "", "BUILD_SOURCEVERSION", true},
			{"ref", "", "BUILD_SOURCEBRANCH", true},
			{"reason", "", "BUILD_REASON", false},
			{"self_hosted", "", "AGENT_ISSELFHOSTED", false},
		},
		compose: func(f map[string]string) job {
			project := strings.TrimSuffix(f["collection"], "/") + "/" + url.PathEscape(f["project"])
			j := job{repository: f["repository"], commit: f["commit"], ref: f["ref"], run: project + "/_build/results/" + f["build"],
				internal: map[string]string{"definition_id": f["definition"], "reason": f["reason"], "self_hosted": f["self_hosted"]}}
			if f["definition"] != "" {
				j.config = project + "/_build/definition/" + f["definition"]
			}
			return j
		},
	}
}

// woodpecker: woodpecker-ci.org/docs/usage/environment.
func woodpecker() CI {
	return &service{
		name: "Woodpecker", buildType: BuildTypeWoodpecker, internal: "woodpecker", detect: whenSet("CI", "woodpecker"),
		facts: []fact{
			{"repository", "", "CI_REPO_URL", true},
			{"commit", "", "CI_COMMIT_SHA", true},
			{"ref", "", "CI_COMMIT_REF", true},
			{"run", "", "CI_PIPELINE_URL", true},
			{"event", "", "CI_PIPELINE_EVENT", false},
			{"number", "", "CI_PIPELINE_NUMBER", false},
			{"workflow", "", "CI_WORKFLOW_NAME", false},
		},
		compose: func(f map[string]string) job {
			return job{repository: f["repository"], commit: f["commit"], ref: f["ref"], run: f["run"],
				internal: map[string]string{"event": f["event"], "pipeline_number": f["number"], "workflow": f["workflow"]}}
		},
	}
}

// drone: docs.drone.io/pipeline/environment/reference. Harness CI sets the same.
func drone() CI {
	return &service{
		name: "Drone", buildType: BuildTypeDrone, internal: "drone", detect: whenSet("DRONE", "true"),
		facts: []fact{
			{"repository", "", "DRONE_REPO_LINK", true},
			{"commit", "", "DRONE_COMMIT_SHA", true},
			{"ref", "", "DRONE_COMMIT_REF", true},
			{"run", "", "DRONE_BUILD_LINK", true},
			{"event", "", "DRONE_BUILD_EVENT", false},
			{"number", "", "DRONE_BUILD_NUMBER", false},
			{"stage", "", "DRONE_STAGE_NAME", false},
		},
		compose: func(f map[string]string) job {
			return job{repository: f["repository"], commit: f["commit"], ref: f["ref"], run: f["run"],
				internal: map[string]string{"build_number": f["number"], "event": f["event"], "stage": f["stage"]}}
		},
	}
}

// jenkins: the Git plugin's variables. GIT_BRANCH is a name of the clone
// ("origin/main"), which is no ref of the repository, and so is not stated. BRANCH_NAME, of
// a multibranch project, is the branch, unless it stands for a change or a tag.
func jenkins() CI {
	return &service{
		name: "Jenkins", buildType: BuildTypeJenkins, internal: "jenkins", detect: whenSet("JENKINS_URL"),
		facts: []fact{
			{"repository", "", "GIT_URL", true},
			{"commit", "", "GIT_COMMIT", true},
			{"run", "", "BUILD_URL", true},
			{"job", "", "JOB_NAME", true},
			{"job_url", "", "JOB_URL", false},
			{"number", "", "BUILD_NUMBER", false},
			{"node", "", "NODE_NAME", false},
			{"tag", "", "TAG_NAME", false},
			{"branch", "", "BRANCH_NAME", false},
			{"change", "", "CHANGE_ID", false},
		},
		compose: func(f map[string]string) job {
			branch := f["branch"]
			if f["change"] != "" {
				branch = ""
			}
			j := job{repository: f["repository"], commit: f["commit"], run: f["run"], config: f["job_url"], ref: branchOrTag(branch, f["tag"]),
				internal: map[string]string{"build_number": f["number"], "job": f["job"], "node": f["node"]}}
			return j
		},
	}
}

func pick(f map[string]string, names ...string) map[string]string {
	out := make(map[string]string, len(names))
	for _, n := range names {
		out[n] = f[n]
	}
	return out
}

// branchOrTag gives the ref of a name that a CI states as one or the other.
func branchOrTag(branch, tag string) string {
	switch {
	case tag != "":
		return "refs/tags/" + tag
	case branch != "":
		return "refs/heads/" + branch
	}
	return ""
}

// anyScheme gives host and path of a repository's address: clones go by several schemes.
func anyScheme(address string) string {
	u, err := publicURI(address)
	if err != nil {
		u, err = publicURI(withScheme(address))
	}
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(u, "://")
	return rest
}

// withScheme adds what CircleCI leaves out: "github.com/owner/name".
func withScheme(s string) string {
	if strings.Contains(s, "://") {
		return s
	}
	return "https://" + s
}
