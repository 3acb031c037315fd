package provenance

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// place is where provenance states something.
type place struct{ field, value string }

// claimRow ties a claim to the places of provenance that must say the same.
type claimRow struct {
	name    string
	claimed func(*assay.Claims) string
	stated  func(*assay.Provenance, ci) []place // nil: no build type states it
	same    func(claimed, stated string) bool
}

// ci is a kind of build type, by how it states what certificates claim.
type ci int

const (
	otherCI        ci = iota
	githubWorkflow    // GitHub's own: workflow and internalParameters.github
	githubSigner      // slsa-github-generator: variables, and the builder is who signs
	githubOther       // variables; the builder is another than who signs
	gitlabJob         // [BuildTypeGitLab]
	gitlabRunner
	buildkiteJob
	circleJob
)

const generatorTypes = "https://github.com/slsa-framework/slsa-github-generator"

func ciOf(p *assay.Provenance) ci {
	switch p.BuildType {
	case BuildTypeGitHub:
		return githubWorkflow
	case buildTypeGitHubOld:
		return githubWorkflow
	case buildTypeContainer, generatorTypes + "/go@v1", generatorTypes + "/generic@v1":
		return githubSigner
	case buildTypeDelegator:
		return githubOther
	case BuildTypeGitLab:
		return gitlabJob
	case BuildTypeBuildkite:
		return buildkiteJob
	case BuildTypeCircleCI:
		return circleJob
	}
	switch d := dialectOf(p.BuildType); {
	case d == GitLabRunner:
		return gitlabRunner
	case strings.HasPrefix(p.BuildType, npmTypes+"gha/"), strings.HasPrefix(p.BuildType, generatorTypes):
		return githubOther
	}
	return otherCI
}

func (c ci) github() bool { return c == githubWorkflow || c == githubSigner || c == githubOther }

// claimTable has all claims, in the order of Fulcio's extensions (fulcio v1.8.8,
// docs/oid-info.md and config/identity/config.yaml).
var claimTable = []claimRow{
	{"githubWorkflowTrigger", func(c *assay.Claims) string { return c.GitHubWorkflowTrigger }, statedEvent, sameText},
	{"githubWorkflowSHA", func(c *assay.Claims) string { return c.GitHubWorkflowSHA }, statedCommit, sameText},
	{"githubWorkflowName", func(c *assay.Claims) string { return c.GitHubWorkflowName }, nil, nil},
	{"githubWorkflowRepository", func(c *assay.Claims) string { return c.GitHubWorkflowRepository }, statedGitHubName, sameText},
	{"githubWorkflowRef", func(c *assay.Claims) string { return c.GitHubWorkflowRef }, statedRef, sameRef},
	{"buildSignerURI", func(c *assay.Claims) string { return c.BuildSignerURI }, statedBuilder, sameText},
	{"buildSignerDigest", func(c *assay.Claims) string { return c.BuildSignerDigest }, nil, nil},
	{"runnerEnvironment", func(c *assay.Claims) string { return c.RunnerEnvironment }, statedRunner, sameText},
	{"sourceRepositoryURI", func(c *assay.Claims) string { return c.SourceRepositoryURI }, statedRepository, sameRepository},
	{"sourceRepositoryDigest", func(c *assay.Claims) string { return c.SourceRepositoryDigest }, statedCommit, sameText},
	{"sourceRepositoryRef", func(c *assay.Claims) string { return c.SourceRepositoryRef }, statedRef, sameRef},
	{"sourceRepositoryIdentifier", func(c *assay.Claims) string { return c.SourceRepositoryIdentifier }, statedRepositoryID, sameText},
	{"sourceRepositoryOwnerURI", func(c *assay.Claims) string { return c.SourceRepositoryOwnerURI }, statedOwner, sameText},
	{"sourceRepositoryOwnerIdentifier", func(c *assay.Claims) string { return c.SourceRepositoryOwnerIdentifier }, statedOwnerID, sameText},
	{"buildConfigURI", func(c *assay.Claims) string { return c.BuildConfigURI }, statedConfig, samePath},
	{"buildConfigDigest", func(c *assay.Claims) string { return c.BuildConfigDigest }, statedConfigDigest, sameText},
	{"buildTrigger", func(c *assay.Claims) string { return c.BuildTrigger }, statedEvent, sameText},
	{"runInvocationURI", func(c *assay.Claims) string { return c.RunInvocationURI }, statedRun, sameRun},
	{"sourceRepositoryVisibilityAtSigning", func(c *assay.Claims) string { return c.SourceRepositoryVisibilityAtSigning }, nil, nil},
	{"deploymentEnvironment", func(c *assay.Claims) string { return c.DeploymentEnvironment }, nil, nil},
	{"tokenSubject", func(c *assay.Claims) string { return c.TokenSubject }, nil, nil},
}

// internal gives the internal parameter at the path, if it is a scalar.
func internal(p *assay.Provenance, path ...string) place {
	return place{internalAt + "/" + strings.Join(path, "/"), text(p.InternalParameters, path)}
}

func text(params map[string]json.RawMessage, path []string) string {
	raw := params[path[0]]
	for _, k := range path[1:] {
		var m map[string]json.RawMessage
		if len(raw) == 0 || strictjson.Unmarshal("parameter", raw, &m, strictjson.Limits{}) != nil {
			return ""
		}
		raw = m[k]
	}
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' {
		return ""
	}
	s, _ := scalar(raw)
	return s
}

// variable gives what a build states of a GitHub variable, in both spellings.
func variable(p *assay.Provenance, name string) []place {
	return []place{internal(p, "GITHUB_"+name), internal(p, "github_"+strings.ToLower(name))}
}

// ofGitHub gives a member of internalParameters.github, or the variable.
func ofGitHub(p *assay.Provenance, c ci, member, name string) []place {
	switch {
	case c == githubWorkflow:
		return []place{internal(p, "github", member)}
	case c.github():
		return variable(p, name)
	}
	return nil
}

func statedEvent(p *assay.Provenance, c ci) []place {
	switch c {
	case gitlabJob:
		return []place{internal(p, "gitlab", "pipeline_source")}
	case buildkiteJob:
		return []place{internal(p, "buildkite", "build_source")}
	}
	return ofGitHub(p, c, "event_name", "EVENT_NAME")
}

func statedRunner(p *assay.Provenance, c ci) []place {
	switch c {
	case githubWorkflow:
		return []place{internal(p, "github", "runner_environment")}
	case gitlabJob:
		return []place{internal(p, "gitlab", "runner_environment")}
	case buildkiteJob:
		return []place{internal(p, "buildkite", "runner_environment")}
	case circleJob:
		// Fulcio's template writes two quotes for "no".
		at := internal(p, "circleci", "ssh_rerun")
		switch at.value {
		case "true":
			at.value = "ssh-rerun"
		case "false":
			at.value = `""`
		}
		return []place{at}
	}
	return nil
}

func statedRepositoryID(p *assay.Provenance, c ci) []place {
	if c == gitlabJob {
		return []place{internal(p, "gitlab", "project_id")}
	}
	return ofGitHub(p, c, "repository_id", "REPOSITORY_ID")
}

func statedOwnerID(p *assay.Provenance, c ci) []place {
	if c == gitlabJob {
		return []place{internal(p, "gitlab", "namespace_id")}
	}
	return ofGitHub(p, c, "repository_owner_id", "REPOSITORY_OWNER_ID")
}

func statedRepository(p *assay.Provenance, _ ci) []place {
	return []place{{"source.repository", p.Source.Repository}}
}

// statedGitHubName gives "owner/name", and the whole address of another host, which is no
// repository of GitHub's.
func statedGitHubName(p *assay.Provenance, c ci) []place {
	if !c.github() {
		return nil
	}
	name := strings.TrimPrefix(plainRepository(p.Source.Repository), "https://github.com/")
	return append([]place{{"source.repository", name}}, variable(p, "REPOSITORY")...)
}

func statedOwner(p *assay.Provenance, c ci) []place {
	repository := plainRepository(p.Source.Repository)
	i := strings.LastIndexByte(repository, '/')
	if repository == "" || i < 0 || !c.github() && c != gitlabJob && c != gitlabRunner {
		return nil
	}
	return []place{{"source.repository", repository[:i]}}
}

func statedCommit(p *assay.Provenance, c ci) []place {
	out := []place{{"source.commit", p.Source.Commit.Hex()}}
	if c == githubSigner || c == githubOther {
		out = append(out, variable(p, "SHA")...)
	}
	return out
}

func statedRef(p *assay.Provenance, c ci) []place {
	out := []place{{"source.ref", p.Source.Ref}}
	if c == githubSigner || c == githubOther {
		out = append(out, variable(p, "REF")...)
	}
	return out
}

func statedBuilder(p *assay.Provenance, c ci) []place {
	if p.BuildType == buildTypeGitHubOld || !slices.Contains([]ci{githubWorkflow, githubSigner, gitlabJob, circleJob}, c) {
		return nil // npm writes the former type, and names the runner
	}
	return []place{{builderIDAt, p.Builder.ID}}
}

func statedConfig(p *assay.Provenance, c ci) []place {
	switch c {
	case githubWorkflow:
		var wf [3]string
		for i, member := range []string{"repository", "path", "ref"} {
			if wf[i] = text(p.ExternalParameters, []string{"workflow", member}); wf[i] == "" {
				return nil
			}
		}
		return []place{{externalAt + "/workflow", plainRepository(wf[0]) + "/" + wf[1] + "@" + wf[2]}}
	case githubSigner, githubOther:
		return variable(p, "WORKFLOW_REF")
	case gitlabJob:
		return []place{{externalAt + "/config", text(p.ExternalParameters, []string{"config"})}}
	case circleJob:
		at := internal(p, "circleci", "pipeline_id")
		if at.value != "" {
			at.value = circleCIAPI + "/pipeline/" + at.value + "/config"
		}
		return []place{at}
	}
	return nil
}

func statedConfigDigest(p *assay.Provenance, c ci) []place {
	if c != githubSigner && c != githubOther {
		return nil
	}
	return variable(p, "WORKFLOW_SHA")
}

// statedRun gives the run where it is in a form that can be compared.
func statedRun(p *assay.Provenance, c ci) []place {
	var out []place
	id, field := p.InvocationID, metadataAt+"/invocationId"
	switch run, attempt, two := strings.Cut(id, "-"); {
	case strings.Contains(id, "://"), c == gitlabRunner && digits(id), c.github() && two && digits(run) && digits(attempt):
		out = append(out, place{field, id})
	}
	if c != githubSigner && c != githubOther {
		return out
	}
	runs, attempts := variable(p, "RUN_ID"), variable(p, "RUN_ATTEMPT")
	for i, run := range runs {
		if digits(run.value) && digits(attempts[i].value) {
			out = append(out, place{run.field, run.value + "-" + attempts[i].value})
		}
	}
	return out
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
