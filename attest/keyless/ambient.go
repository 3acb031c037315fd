package keyless

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// AmbientOptions say where [Ambient] looks. The zero value is this process's
// environment.
type AmbientOptions struct {
	// Env reads the environment; nil is [os.Getenv].
	Env func(string) string
	// Transport makes the requests; nil is [http.DefaultTransport].
	Transport http.RoundTripper
}

// projectedToken is where sigstore's tools expect a token that Kubernetes projects.
const projectedToken = "/var/run/sigstore/cosign/oidc-token"

// Ambient takes the identity of what this process runs in. The first that is there
// is used, in this order:
//
//  1. SIGSTORE_ID_TOKEN, a token given ([VariableToken]);
//  2. GitHub Actions ([GitHubToken]);
//  3. GitLab CI ([GitLabToken]);
//  4. Buildkite ([BuildkiteToken]);
//  5. the SPIFFE workload API, where SPIFFE_ENDPOINT_SOCKET names one ([SPIFFEToken]);
//  6. /var/run/sigstore/cosign/oidc-token ([FileToken]);
//  7. Google Cloud ([GoogleToken]).
//
// Each is recognized by its environment alone: nothing is contacted to find out. One
// that is there and fails is an error, and the others are not tried: a signature by
// another identity than the expected one is worse than none.
func Ambient(o AmbientOptions) *FirstToken {
	return FirstOf(
		VariableToken{Name: "SIGSTORE_ID_TOKEN", Env: o.Env},
		GitHubToken(o),
		GitLabToken{Env: o.Env},
		BuildkiteToken(o),
		SPIFFEToken{Env: o.Env},
		FileToken(projectedToken),
		GoogleToken{Env: o.Env, Transport: o.Transport},
	)
}

// FirstToken is the first of several sources that is there. Make one with [FirstOf]
// or [Ambient].
type FirstToken struct{ sources []TokenSource }

// FirstOf asks the sources in their order, and the next only where one is
// [assay.ErrAbsent].
func FirstOf(sources ...TokenSource) *FirstToken {
	return &FirstToken{append([]TokenSource(nil), sources...)}
}

// Token implements [TokenSource]. If no source is there, it is [assay.ErrAbsent],
// and the error says what each looked for.
func (f *FirstToken) Token(ctx context.Context, audience string) (string, error) {
	var errs []error
	for _, s := range f.sources {
		token, err := s.Token(ctx, audience)
		if err == nil {
			return token, nil
		}
		if assay.KindOf(err) != assay.ErrAbsent {
			return "", err
		}
		errs = append(errs, err)
	}
	return "", &assay.Error{Op: opToken, Kind: assay.ErrAbsent, Bound: "an identity", Err: errors.Join(errs...)}
}

// GitLabToken reads the token that a GitLab job's id_tokens put into its environment
// (docs.gitlab.com, "OpenID Connect (OIDC) authentication using ID tokens").
type GitLabToken struct {
	// Variable is its name. Empty is the audience in capitals, with "_" for what is
	// neither a letter nor a digit, and "_ID_TOKEN" after it: SIGSTORE_ID_TOKEN.
	Variable string
	// Env reads the environment; nil is [os.Getenv].
	Env func(string) string
}

// Token implements [TokenSource]. Outside of GitLab CI, and in jobs without the
// variable, it is [assay.ErrAbsent].
func (g GitLabToken) Token(_ context.Context, audience string) (string, error) {
	const subject = "GitLab CI"
	env := getenv(g.Env)
	if env("GITLAB_CI") != "true" {
		return "", absent(subject, "GITLAB_CI", "true")
	}
	name := g.Variable
	if name == "" {
		name = strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, strings.ToUpper(audience)) + "_ID_TOKEN"
	}
	token := strings.TrimSpace(env(name))
	if token == "" {
		return "", absent(subject, name, "a job with id_tokens of this name")
	}
	return token, nil
}

// BuildkiteToken asks the Buildkite agent's API for the token of the running job, as
// "buildkite-agent oidc request-token" does (buildkite.com/docs/agent/cli/reference/oidc).
type BuildkiteToken struct {
	// Env reads the environment; nil is [os.Getenv].
	Env func(string) string
	// Transport makes the request; nil is [http.DefaultTransport].
	Transport http.RoundTripper
}

// Token implements [TokenSource]. Outside of a Buildkite job it is
// [assay.ErrAbsent].
func (b BuildkiteToken) Token(ctx context.Context, audience string) (string, error) {
	const subject, tokenVar, jobVar, endpointVar = "Buildkite", "BUILDKITE_AGENT_ACCESS_TOKEN", "BUILDKITE_JOB_ID", "BUILDKITE_AGENT_ENDPOINT"
	env := getenv(b.Env)
	access, job := env(tokenVar), env(jobVar)
	if access == "" || job == "" {
		return "", absent(subject, tokenVar+" and "+jobVar, "a job")
	}
	// It becomes a part of a path.
	if strings.ContainsFunc(job, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: subject, Field: jobVar, Value: job, Bound: "a UUID"}
	}
	endpoint := env(endpointVar)
	if endpoint == "" {
		endpoint = "https://agent.buildkite.com/v3"
	}
	if err := request.CheckURL(opToken, endpointVar, endpoint, true, false); err != nil {
		return "", err
	}
	body, err := strictjson.Marshal(map[string]string{"audience": audience})
	if err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: subject, Field: "audience", Err: err}
	}
	return fetchToken(ctx, subject, "token", b.Transport, request.Request{
		Method: http.MethodPost, URL: strings.TrimSuffix(endpoint, "/") + "/jobs/" + job + "/oidc/tokens", Body: body,
		Header: map[string]string{"Authorization": "Token " + access, "Content-Type": "application/json"}, Secrets: []string{access},
	})
}

// onGoogle reports whether this machine is one of Google's, as their own libraries
// find out without asking the network.
func onGoogle(env func(string) string) bool {
	if env("GCE_METADATA_HOST") != "" {
		return true
	}
	name, err := os.ReadFile("/sys/class/dmi/id/product_name")
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(name)), "Google")
}
