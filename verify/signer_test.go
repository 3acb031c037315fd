package verify

import (
	"testing"

	"github.com/assaykit/assay"
)

// Certificates from before 2023 have the deprecated claims alone; beside others these
// fill no gap.
func TestBuildClaims(t *testing.T) {
	old := assay.Claims{GitHubWorkflowRepository: "org/app", GitHubWorkflowSHA: "abc", GitHubWorkflowRef: "refs/heads/main", GitHubWorkflowTrigger: "push"}
	got := buildClaims(assay.Identity{Issuer: gitHubIssuer, Claims: old})
	if got.SourceRepositoryURI != "https://github.com/org/app" || got.SourceRepositoryDigest != "abc" || got.SourceRepositoryRef != "refs/heads/main" || got.BuildTrigger != "push" {
		t.Errorf("got %+v", got)
	}
	if got := buildClaims(assay.Identity{Issuer: "https://issuer.example", Claims: old}); got != old {
		t.Errorf("of another issuer: got %+v", got)
	}
	mixed := old
	mixed.RunnerEnvironment = "github-hosted"
	if got := buildClaims(assay.Identity{Issuer: gitHubIssuer, Claims: mixed}); got != mixed {
		t.Errorf("beside newer claims: got %+v", got)
	}
}
