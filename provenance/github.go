package provenance

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// GitHub is the [CI] of GitHub Actions, on github.com, on a subdomain of ghe.com, or
// on an Enterprise Server.
//
// The facts are the claims of the job's OIDC token, whose signature is checked
// against the keys of its issuer. The job needs the permission "id-token: write".
// Where a variable GITHUB_* that states the same fact is set, it must agree.
//
// builder.id is the claim job_workflow_ref, the workflow that really runs the job,
// which may be a reusable one in another repository. No variable states it; see
// Options.BuilderIDUnsafe for jobs without the permission.
//
// The build type was written for the events create, release, push and
// workflow_dispatch. As GitHub's own attestations do, this states any other event
// (a schedule, say) in the same form: internalParameters.github.event_name tells.
type GitHub struct{}

// Name is "GitHub Actions".
func (GitHub) Name() string { return "GitHub Actions" }

// Detect reports whether GITHUB_ACTIONS is "true".
func (GitHub) Detect(env func(key string) (string, bool)) bool {
	v, _ := env("GITHUB_ACTIONS")
	return v == "true"
}

// githubFacts are what the token claims and what variables state. Of each fact, the
// claim and the variable.
var githubFacts = []struct{ claim, variable string }{
	{"event_name", "GITHUB_EVENT_NAME"},
	{"iss", ""},
	{"job_workflow_ref", ""},
	{"ref", "GITHUB_REF"},
	{"repository", "GITHUB_REPOSITORY"},
	{"repository_id", "GITHUB_REPOSITORY_ID"},
	{"repository_owner_id", "GITHUB_REPOSITORY_OWNER_ID"},
	{"run_attempt", "GITHUB_RUN_ATTEMPT"},
	{"run_id", "GITHUB_RUN_ID"},
	{"runner_environment", "RUNNER_ENVIRONMENT"},
	{"sha", "GITHUB_SHA"},
	{"workflow_ref", "GITHUB_WORKFLOW_REF"},
}

// Provenance implements [CI].
func (g GitHub) Provenance(ctx context.Context, opts Options) (*assay.Provenance, error) {
	opts = opts.filled()
	server, err := githubServer(opts.Env)
	if err != nil {
		return nil, err
	}
	facts, err := g.facts(ctx, opts, server)
	if err != nil {
		return nil, err
	}
	return githubProvenance(opts, server, facts)
}

// githubServer is where the job runs, "https://github.com".
func githubServer(env func(string) (string, bool)) (string, error) {
	v, _ := env("GITHUB_SERVER_URL")
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return "", &assay.Error{Op: environmentOp, Kind: kindOfMissing(v), Subject: "GITHUB_SERVER_URL", Value: tellable(v), Bound: "an https URL of a server"}
	}
	return "https://" + strings.ToLower(u.Host), nil
}

func kindOfMissing(v string) error {
	if v == "" {
		return assay.ErrAbsent
	}
	return assay.ErrInvalid
}

// githubIssuer is the issuer that belongs to a server. It is never taken from the
// token, which would let whoever made the token say who vouches for it.
func githubIssuer(server string) string {
	host := strings.TrimPrefix(server, "https://")
	switch {
	case host == "github.com":
		return "https://token.actions.githubusercontent.com"
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://token.actions." + host
	}
	return server + "/_services/token"
}

// facts gives every fact by the name of its claim.
func (g GitHub) facts(ctx context.Context, opts Options, server string) (map[string]string, error) {
	issuer := opts.Issuer
	if issuer == "" {
		issuer = githubIssuer(server)
	}
	requestURL, _ := opts.Env("ACTIONS_ID_TOKEN_REQUEST_URL")
	requestToken, _ := opts.Env("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	if requestURL == "" && requestToken == "" {
		return githubVariables(opts)
	}
	if requestURL == "" || requestToken == "" {
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrInvalid, Subject: "GitHub Actions", Bound: "both or none of ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN"}
	}
	claims, err := fetchClaims(ctx, opts, tokenRequest{url: requestURL, bearer: requestToken, issuer: issuer})
	if err != nil {
		return nil, err
	}
	facts := make(map[string]string, len(githubFacts))
	var missing []string
	for _, f := range githubFacts {
		var v string
		raw, ok := claims[f.claim]
		if ok && strictjson.Unmarshal("OIDC token", raw, &v, strictjson.Limits{}) != nil {
			return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrInvalid, Subject: "OIDC token", Field: f.claim, Value: string(raw), Bound: "a string"}
		}
		if v == "" {
			missing = append(missing, f.claim)
		}
		facts[f.claim] = v
	}
	if len(missing) > 0 {
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrInvalid, Subject: "OIDC token", Field: "claims", Bound: "the claims that are missing: " + strings.Join(missing, ", ")}
	}
	for _, f := range githubFacts {
		if f.variable == "" {
			continue
		}
		if v, _ := opts.Env(f.variable); v != "" && v != facts[f.claim] {
			return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrRefuted, Subject: "GitHub Actions", Field: f.variable,
				Value: v, Bound: "the OIDC token's claim " + f.claim + ", " + facts[f.claim]}
		}
	}
	if id := opts.BuilderIDUnsafe; id != "" && id != server+"/"+facts["job_workflow_ref"] {
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrRefuted, Subject: "GitHub Actions", Field: "builder.id",
			Value: id, Bound: "the OIDC token's claim job_workflow_ref, " + facts["job_workflow_ref"]}
	}
	return facts, nil
}

// githubVariables reads the facts from the environment, for a job without a token.
func githubVariables(opts Options) (map[string]string, error) {
	if opts.BuilderIDUnsafe == "" {
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrUnchecked, Subject: "GitHub Actions", Field: "builder.id",
			Bound: `the claim job_workflow_ref of an OIDC token, for which the job needs the permission "id-token: write"`}
	}
	facts := make(map[string]string, len(githubFacts))
	var missing []string
	for _, f := range githubFacts {
		if f.variable == "" {
			continue
		}
		v, _ := opts.Env(f.variable)
		if v == "" {
			missing = append(missing, f.variable)
		}
		facts[f.claim] = v
	}
	if len(missing) > 0 {
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrAbsent, Subject: "GitHub Actions", Bound: "the variables that are missing: " + strings.Join(missing, ", ")}
	}
	return facts, nil
}

// githubProvenance renders the facts in the form of the build type.
func githubProvenance(opts Options, server string, facts map[string]string) (*assay.Provenance, error) {
	fail := func(claim, bound string) error {
		return &assay.Error{Op: environmentOp, Kind: assay.ErrInvalid, Subject: "GitHub Actions", Field: claim, Value: facts[claim], Bound: bound}
	}
	for _, f := range githubFacts {
		if !utf8.ValidString(facts[f.claim]) {
			return nil, fail(f.claim, "UTF-8")
		}
	}
	commit, err := assay.NewDigest(assay.GitCommit, facts["sha"])
	if err != nil {
		return nil, fail("sha", "a git commit")
	}
	if owner, repo, ok := strings.Cut(facts["repository"], "/"); !ok || !plainName(owner) || !plainName(repo) {
		return nil, fail("repository", "owner/name")
	}
	if !strings.HasPrefix(facts["ref"], "refs/") {
		return nil, fail("ref", "refs/…")
	}
	for _, claim := range []string{"repository_id", "repository_owner_id", "run_id", "run_attempt"} {
		if strings.Trim(facts[claim], "0123456789") != "" {
			return nil, fail(claim, "a decimal number")
		}
	}
	if env := facts["runner_environment"]; !slices.Contains([]string{"github-hosted", "self-hosted"}, env) {
		return nil, fail("runner_environment", "github-hosted or self-hosted")
	}
	// "owner/name/path@ref"; path and ref may contain "@", but "@refs/" only starts
	// the ref, as a path ends in .yml or .yaml.
	path, ref, ok := strings.Cut(facts["workflow_ref"], "@refs/")
	path, inRepo := strings.CutPrefix(path, facts["repository"]+"/")
	if !ok || !inRepo || path == "" || ref == "" {
		return nil, fail("workflow_ref", facts["repository"]+"/path@refs/…; the build type describes workflows of the repository that is built")
	}
	repository := server + "/" + facts["repository"]
	builder, extensions := opts.BuilderIDUnsafe, map[string]json.RawMessage(nil)
	if w, ok := facts["job_workflow_ref"]; ok {
		builder = server + "/" + w
	} else {
		extensions = map[string]json.RawMessage{metadataAt + "/assay_claims": json.RawMessage(`"unverified"`)}
	}
	workflow, err := strictjson.Marshal(map[string]string{"path": path, "ref": "refs/" + ref, "repository": repository})
	if err != nil {
		return nil, fail("workflow_ref", "valid UTF-8")
	}
	context, err := strictjson.Marshal(map[string]string{
		"event_name": facts["event_name"], "repository_id": facts["repository_id"],
		"repository_owner_id": facts["repository_owner_id"], "runner_environment": facts["runner_environment"],
	})
	if err != nil {
		return nil, fail("event_name", "valid UTF-8")
	}
	return &assay.Provenance{
		BuildType:          BuildTypeGitHub,
		ExternalParameters: map[string]json.RawMessage{"workflow": workflow},
		InternalParameters: map[string]json.RawMessage{"github": context},
		Materials:          []assay.Resource{{URI: "git+" + repository + "@" + facts["ref"], Digest: assay.DigestSet{commit}}},
		Builder:            assay.Builder{ID: builder},
		InvocationID:       repository + "/actions/runs/" + facts["run_id"] + "/attempts/" + facts["run_attempt"],
		StartedOn:          opts.StartedOn.UTC(),
		FinishedOn:         opts.FinishedOn.UTC(),
		Source:             assay.Source{Repository: repository, Commit: commit, Ref: facts["ref"]},
		Extensions:         extensions,
	}, nil
}

// plainName reports a name as GitHub gives to owners and repositories.
func plainName(s string) bool {
	return s != "" && s != "." && s != ".." && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}
