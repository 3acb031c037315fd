package verify

import (
	"testing"

	"github.com/assaykit/assay"
)

// Certificates from before 2023 have the deprecated claims alone; beside others these
// fill no gap. Of an issuer that is not github.com's, OWNER/NAME names no repository.
func TestBuildClaims(t *testing.T) {
	old := assay.Claims{GitHubWorkflowRepository: "org/app", GitHubWorkflowSHA: "abc", GitHubWorkflowRef: "refs/heads/main", GitHubWorkflowTrigger: "push"}
	got := buildClaims(assay.Identity{Issuer: gitHubIssuer, Claims: old})
	if got.SourceRepositoryURI != "https://github.com/org/app" || got.SourceRepositoryDigest != "abc" || got.SourceRepositoryRef != "refs/heads/main" || got.BuildTrigger != "push" {
		t.Errorf("got %+v", got)
	}
	hostless := old
	hostless.GitHubWorkflowRepository = ""
	if got := buildClaims(assay.Identity{Issuer: "https://issuer.example", Claims: old}); got != hostless {
		t.Errorf("of another issuer: got %+v", got)
	}
	mixed := old
	mixed.RunnerEnvironment = "github-hosted"
	if got := buildClaims(assay.Identity{Issuer: gitHubIssuer, Claims: mixed}); got != mixed {
		t.Errorf("beside newer claims: got %+v", got)
	}
}
