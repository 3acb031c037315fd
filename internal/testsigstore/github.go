package testsigstore

import (
	"strings"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// GitHubIssuer is the issuer of GitHub Actions' tokens.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// Workflow is one run of a GitHub Actions workflow. Zero fields get the value in
// parentheses.
type Workflow struct {
	Repository string // owner/name (octo-org/octo-repo)
	Path       string // of the workflow file (.github/workflows/release.yml)
	Name       string // of the workflow (release)
	Ref        string // git ref (refs/heads/main)
	SHA        string // commit, 40 hexadecimal digits (0123456789abcdef...)
	Event      string // what triggered it (push)
	Runner     string // github-hosted or self-hosted (github-hosted)
	Visibility string // public, private or internal (public)
	RunID      string // (1234567890)
	Attempt    string // (1)
	RepoID     string // numeric id of the repository (74)
	OwnerID    string // numeric id of the owner (65)
}

func (w Workflow) withDefaults() Workflow {
	for _, f := range []struct {
		field *string
		value string
	}{
		{&w.Repository, "octo-org/octo-repo"},
		{&w.Path, ".github/workflows/release.yml"},
		{&w.Name, "release"},
		{&w.Ref, "refs/heads/main"},
		{&w.SHA, "0123456789abcdef0123456789abcdef01234567"},
		{&w.Event, "push"},
		{&w.Runner, "github-hosted"},
		{&w.Visibility, "public"},
		{&w.RunID, "1234567890"},
		{&w.Attempt, "1"},
		{&w.RepoID, "74"},
		{&w.OwnerID, "65"},
	} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	return w
}

// SAN is the subject alternative name that Fulcio gives the run.
func (w Workflow) SAN() string {
	w = w.withDefaults()
	return "https://github.com/" + w.Repository + "/" + w.Path + "@" + w.Ref
}

// Identity is what Fulcio certifies the run as. An empty issuer is
// [GitHubIssuer].
func (w Workflow) Identity(issuer string) Identity {
	w = w.withDefaults()
	if issuer == "" {
		issuer = GitHubIssuer
	}
	owner, _, _ := strings.Cut(w.Repository, "/")
	return Identity{
		SAN:    w.SAN(),
		Issuer: issuer,
		Extensions: certificate.Extensions{
			GithubWorkflowTrigger:               w.Event,
			GithubWorkflowSHA:                   w.SHA,
			GithubWorkflowName:                  w.Name,
			GithubWorkflowRepository:            w.Repository,
			GithubWorkflowRef:                   w.Ref,
			BuildSignerURI:                      w.SAN(),
			BuildSignerDigest:                   w.SHA,
			RunnerEnvironment:                   w.Runner,
			SourceRepositoryURI:                 "https://github.com/" + w.Repository,
			SourceRepositoryDigest:              w.SHA,
			SourceRepositoryRef:                 w.Ref,
			SourceRepositoryIdentifier:          w.RepoID,
			SourceRepositoryOwnerURI:            "https://github.com/" + owner,
			SourceRepositoryOwnerIdentifier:     w.OwnerID,
			BuildConfigURI:                      w.SAN(),
			BuildConfigDigest:                   w.SHA,
			BuildTrigger:                        w.Event,
			RunInvocationURI:                    "https://github.com/" + w.Repository + "/actions/runs/" + w.RunID + "/attempts/" + w.Attempt,
			SourceRepositoryVisibilityAtSigning: w.Visibility,
		},
	}
}

// Claims are the claims of the OIDC token that GitHub mints for the run; the
// issuer adds its own name, the audience and the times.
func (w Workflow) Claims() Claims {
	w = w.withDefaults()
	owner, _, _ := strings.Cut(w.Repository, "/")
	ref := w.Repository + "/" + w.Path + "@" + w.Ref
	return Claims{
		"sub":                   "repo:" + w.Repository + ":ref:" + w.Ref,
		"actor":                 "octocat",
		"event_name":            w.Event,
		"job_workflow_ref":      ref,
		"job_workflow_sha":      w.SHA,
		"ref":                   w.Ref,
		"ref_type":              "branch",
		"repository":            w.Repository,
		"repository_id":         w.RepoID,
		"repository_owner":      owner,
		"repository_owner_id":   w.OwnerID,
		"repository_visibility": w.Visibility,
		"run_attempt":           w.Attempt,
		"run_id":                w.RunID,
		"runner_environment":    w.Runner,
		"sha":                   w.SHA,
		"workflow":              w.Name,
		"workflow_ref":          ref,
		"workflow_sha":          w.SHA,
	}
}

// Claims are the claims of an OIDC token, by name.
type Claims map[string]any

// EmailClaims are the claims of a person's token.
func EmailClaims(address string) Claims {
	return Claims{"sub": address, "email": address, "email_verified": true}
}
