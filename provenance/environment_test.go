package provenance_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	bearer  = "bearer-of-the-job"
	wfRef   = "octo/repo/.github/workflows/release.yml@refs/tags/pkg@v1"
	builder = "octo/shared/.github/workflows/build.yml@refs/heads/main"
)

// issuer is GitHub's token service and OIDC issuer, in this process.
type issuer struct {
	*httptest.Server
	key        *ecdsa.PrivateKey
	claims     map[string]any
	kid        string
	sign       func(claims []byte) string // replaces the signed token
	overrides  map[string]http.HandlerFunc
	authorized []string // paths that were asked with a bearer token
}

func newIssuer(t testing.TB) *issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is := &issuer{key: key, kid: "k1", overrides: map[string]http.HandlerFunc{}}
	is.Server = httptest.NewTLSServer(http.HandlerFunc(is.serve))
	t.Cleanup(is.Close)
	is.claims = map[string]any{
		"iss": is.URL, "exp": now.Add(time.Minute * 5).Unix(), "nbf": now.Unix(), "iat": now.Unix(),
		"event_name": "push", "job_workflow_ref": builder, "ref": "refs/tags/pkg@v1", "repository": "octo/repo",
		"repository_id": "74", "repository_owner_id": "65", "run_attempt": "2", "run_id": "1234",
		"runner_environment": "github-hosted", "sha": commit, "workflow_ref": wfRef, "actor": "someone",
	}
	return is
}

func (is *issuer) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		is.authorized = append(is.authorized, r.URL.Path)
	}
	if h, ok := is.overrides[r.URL.Path]; ok {
		h(w, r)
		return
	}
	switch r.URL.Path {
	case "/token":
		if r.Header.Get("Authorization") != "Bearer "+bearer || r.URL.Query().Get("api-version") != "2.0" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		claims := maps.Clone(is.claims)
		if _, ok := claims["aud"]; !ok {
			claims["aud"] = r.URL.Query().Get("audience")
		}
		b, _ := json.Marshal(claims)
		fmt.Fprintf(w, `{"count":1,"value":%q}`, is.token(b))
	case "/.well-known/openid-configuration":
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, is.URL, is.URL+"/jwks")
	case "/jwks":
		b, _ := json.Marshal(jose.JSONWebKey{Key: is.key.Public(), KeyID: "k1", Use: "sig", Algorithm: "ES256"})
		fmt.Fprintf(w, `{"keys":[{"kty":"future","kid":"k0"},%s]}`, b)
	default:
		http.NotFound(w, r)
	}
}

func (is *issuer) token(claims []byte) string {
	if is.sign != nil {
		return is.sign(claims)
	}
	return signed(is.key, is.kid, claims)
}

func signed(key *ecdsa.PrivateKey, kid string, claims []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		panic(err)
	}
	jws, err := signer.Sign(claims)
	if err != nil {
		panic(err)
	}
	s, _ := jws.CompactSerialize()
	return s
}

// env is a job's environment, with secrets that must not come out.
func (is *issuer) env() map[string]string {
	return map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "octo/repo", "GITHUB_REF": "refs/tags/pkg@v1",
		"GITHUB_SHA": commit, "GITHUB_WORKFLOW_REF": wfRef, "GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY_ID": "74", "GITHUB_REPOSITORY_OWNER_ID": "65",
		"GITHUB_RUN_ID": "1234", "GITHUB_RUN_ATTEMPT": "2", "RUNNER_ENVIRONMENT": "github-hosted",
		"ACTIONS_ID_TOKEN_REQUEST_URL": is.URL + "/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": bearer,
		"GITHUB_TOKEN": "ghs_secret", "AWS_SECRET_ACCESS_KEY": "aws_secret", "GITHUB_ACTOR": "someone",
	}
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := env[k]; return v, ok }
}

func (is *issuer) options(env map[string]string) provenance.Options {
	return provenance.Options{Env: lookup(env), HTTPClient: is.Client(), Issuer: is.URL, Now: func() time.Time { return now }}
}

func githubWant() *assay.Provenance {
	sha := assay.MustDigest("gitCommit:" + commit)
	return &assay.Provenance{
		BuildType: "https://actions.github.io/buildtypes/workflow/v1",
		ExternalParameters: map[string]json.RawMessage{
			"workflow": json.RawMessage(`{"path":".github/workflows/release.yml","ref":"refs/tags/pkg@v1","repository":"https://github.com/octo/repo"}`)},
		InternalParameters: map[string]json.RawMessage{
			"github": json.RawMessage(`{"event_name":"push","repository_id":"74","repository_owner_id":"65","runner_environment":"github-hosted"}`)},
		Materials:    []assay.Resource{{URI: "git+https://github.com/octo/repo@refs/tags/pkg@v1", Digest: assay.DigestSet{sha}}},
		Builder:      assay.Builder{ID: "https://github.com/" + builder},
		InvocationID: "https://github.com/octo/repo/actions/runs/1234/attempts/2",
		Source:       assay.Source{Repository: "https://github.com/octo/repo", Commit: sha, Ref: "refs/tags/pkg@v1"},
	}
}

func TestGitHub(t *testing.T) {
	is := newIssuer(t)
	var log bytes.Buffer
	opts := is.options(is.env())
	opts.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	got, err := provenance.FromEnvironment(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(githubWant(), got); d != "" {
		t.Error(d)
	}
	b, err := provenance.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{bearer, "secret", "someone"} {
		if bytes.Contains(b, []byte(secret)) || strings.Contains(log.String(), secret) {
			t.Errorf("%q came out:\n%s\n%s", secret, b, &log)
		}
	}
	again, err := provenance.Read("again", assay.PredicateSLSA1, b)
	if err != nil {
		t.Fatal(err)
	}
	again.Format = ""
	if d := diff(got, again); d != "" {
		t.Errorf("read back: %s", d)
	}
	if want := []string{"/token"}; strings.Join(is.authorized, " ") != want[0] {
		t.Errorf("the bearer token went to %v", is.authorized)
	}
	agree(t, got, b)
}

// The claims suffice: no variable but the server's and the token service's is needed.
func TestGitHubClaimsOnly(t *testing.T) {
	is := newIssuer(t)
	env := map[string]string{}
	for _, k := range []string{"GITHUB_ACTIONS", "GITHUB_SERVER_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"} {
		env[k] = is.env()[k]
	}
	got, err := provenance.FromEnvironment(t.Context(), is.options(env))
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(githubWant(), got); d != "" {
		t.Error(d)
	}
}

func TestGitHubWithoutToken(t *testing.T) {
	is := newIssuer(t)
	env := is.env()
	delete(env, "ACTIONS_ID_TOKEN_REQUEST_URL")
	delete(env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	opts := is.options(env)
	p, err := provenance.FromEnvironment(t.Context(), opts)
	if p != nil || !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), "id-token: write") {
		t.Fatalf("a builder was made up: %v, %v", p, err)
	}
	opts.BuilderIDUnsafe = "https://github.com/octo/other"
	got, err := provenance.FromEnvironment(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	want := githubWant()
	want.Builder.ID = opts.BuilderIDUnsafe
	want.Extensions = ext("/runDetails/metadata/assay_claims", `"unverified"`)
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := provenance.Encode(got); err != nil {
		t.Error(err)
	}
	for _, k := range []string{"GITHUB_SHA", "GITHUB_RUN_ATTEMPT", "RUNNER_ENVIRONMENT"} {
		without := maps.Clone(env)
		delete(without, k)
		opts.Env = lookup(without)
		if _, err := provenance.FromEnvironment(t.Context(), opts); !errors.Is(err, assay.ErrAbsent) || !strings.Contains(err.Error(), k) {
			t.Errorf("without %s: %v", k, err)
		}
	}
}

func TestGitHubRefused(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, body) }
	}
	for name, tt := range map[string]struct {
		mutate func(is *issuer, env map[string]string)
		kind   error
		says   []string
	}{
		"other sha":        {func(_ *issuer, e map[string]string) { e["GITHUB_SHA"] = strings.Repeat("f", 40) }, assay.ErrRefuted, []string{"GITHUB_SHA", "ffff", "claim sha", commit}},
		"other repository": {func(_ *issuer, e map[string]string) { e["GITHUB_REPOSITORY"] = "evil/repo" }, assay.ErrRefuted, []string{"GITHUB_REPOSITORY", "evil/repo", "octo/repo"}},
		"signed by other": {func(is *issuer, _ map[string]string) {
			is.sign = func(b []byte) string { return signed(other, "k1", b) }
		}, assay.ErrRefuted, []string{"signature", "k1"}},
		"unknown key": {func(is *issuer, _ map[string]string) { is.kid = "k9" }, assay.ErrUnchecked, []string{"k9"}},
		"unsigned": {func(is *issuer, _ map[string]string) {
			is.sign = func([]byte) string { return "eyJhbGciOiJub25lIn0.e30." }
		}, assay.ErrInvalid, nil},
		"shared secret":   {func(is *issuer, _ map[string]string) { is.sign = hmacSigned }, assay.ErrInvalid, nil},
		"other issuer":    {func(is *issuer, _ map[string]string) { is.claims["iss"] = "https://evil.example" }, assay.ErrRefuted, []string{"iss", "evil.example"}},
		"other audience":  {func(is *issuer, _ map[string]string) { is.claims["aud"] = []string{"sigstore"} }, assay.ErrRefuted, []string{"aud", "sigstore"}},
		"expired":         {func(is *issuer, _ map[string]string) { is.claims["exp"] = now.Add(-2 * time.Minute).Unix() }, assay.ErrRefuted, []string{"exp"}},
		"not yet":         {func(is *issuer, _ map[string]string) { is.claims["nbf"] = now.Add(2 * time.Minute).Unix() }, assay.ErrRefuted, []string{"nbf"}},
		"no expiry":       {func(is *issuer, _ map[string]string) { delete(is.claims, "exp") }, assay.ErrInvalid, []string{"exp"}},
		"claims missing":  {func(is *issuer, _ map[string]string) { delete(is.claims, "sha"); delete(is.claims, "run_id") }, assay.ErrInvalid, []string{"run_id, sha"}},
		"claim no string": {func(is *issuer, _ map[string]string) { is.claims["run_id"] = 1234 }, assay.ErrInvalid, []string{"run_id", "1234"}},
		"sha no commit":   {func(is *issuer, e map[string]string) { is.claims["sha"] = "main"; delete(e, "GITHUB_SHA") }, assay.ErrInvalid, []string{"sha", "main"}},
		"foreign workflow": {func(is *issuer, e map[string]string) {
			is.claims["workflow_ref"] = builder
			delete(e, "GITHUB_WORKFLOW_REF")
		}, assay.ErrInvalid, []string{"workflow_ref", "octo/shared"}},
		"repository path": {func(is *issuer, e map[string]string) {
			is.claims["repository"] = "octo/.."
			delete(e, "GITHUB_REPOSITORY")
		}, assay.ErrInvalid, []string{"repository"}},
		"half a token":     {func(_ *issuer, e map[string]string) { delete(e, "ACTIONS_ID_TOKEN_REQUEST_TOKEN") }, assay.ErrInvalid, []string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN"}},
		"token by http":    {func(_ *issuer, e map[string]string) { e["ACTIONS_ID_TOKEN_REQUEST_URL"] = "http://h/token" }, assay.ErrInvalid, []string{"ACTIONS_ID_TOKEN_REQUEST_URL", "https"}},
		"no server":        {func(_ *issuer, e map[string]string) { delete(e, "GITHUB_SERVER_URL") }, assay.ErrAbsent, []string{"GITHUB_SERVER_URL"}},
		"server with path": {func(_ *issuer, e map[string]string) { e["GITHUB_SERVER_URL"] = "https://github.com/x" }, assay.ErrInvalid, []string{"GITHUB_SERVER_URL"}},
		"server with user": {func(_ *issuer, e map[string]string) { e["GITHUB_SERVER_URL"] = "https://me:" + bearer + "@github.com" }, assay.ErrInvalid, []string{"GITHUB_SERVER_URL"}},
		"no CI":            {func(_ *issuer, e map[string]string) { delete(e, "GITHUB_ACTIONS") }, assay.ErrAbsent, []string{"GitHub Actions, GitLab CI"}},
		"401":              {func(_ *issuer, e map[string]string) { e["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "stale" }, assay.ErrUnchecked, []string{"401", "/token"}},
		"500 of the issuer": {func(is *issuer, _ map[string]string) {
			is.overrides["/.well-known/openid-configuration"] = answer(500, "")
		}, assay.ErrUnchecked, []string{"500"}},
		"config of other": {func(is *issuer, _ map[string]string) {
			is.overrides["/.well-known/openid-configuration"] = answer(200, `{"issuer":"https://evil.example"}`)
		}, assay.ErrInvalid, []string{"evil.example"}},
		"keys by http": {func(is *issuer, _ map[string]string) {
			is.overrides["/.well-known/openid-configuration"] = answer(200, `{"issuer":"`+is.URL+`","jwks_uri":"http://h/"}`)
		}, assay.ErrInvalid, []string{"jwks_uri"}},
		"answer not JSON": {func(is *issuer, _ map[string]string) { is.overrides["/token"] = answer(200, "<html>") }, assay.ErrInvalid, []string{"/token"}},
		"endless answer":  {func(is *issuer, _ map[string]string) { is.overrides["/jwks"] = answer(200, strings.Repeat(" ", 2<<20)) }, assay.ErrBound, []string{"/jwks"}},
		"claim stated twice": {func(is *issuer, _ map[string]string) {
			is.sign = func(b []byte) string { return signed(is.key, "k1", append([]byte(`{"sha":"x",`), b[1:]...)) }
		}, assay.ErrInvalid, []string{"/sha"}},
	} {
		t.Run(name, func(t *testing.T) {
			is := newIssuer(t)
			env := is.env()
			tt.mutate(is, env)
			p, err := provenance.FromEnvironment(t.Context(), is.options(env))
			if p != nil || !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, %v; want %v", p, err, tt.kind)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if strings.Contains(err.Error(), bearer) || strings.Contains(err.Error(), "api-version") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

func hmacSigned(claims []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: bytes.Repeat([]byte{1}, 32)}, nil)
	if err != nil {
		panic(err)
	}
	jws, _ := signer.Sign(claims)
	s, _ := jws.CompactSerialize()
	return s
}

// A redirect would carry the bearer token along, or let another host answer.
func TestGitHubRedirect(t *testing.T) {
	is := newIssuer(t)
	asked := false
	thief := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer thief.Close()
	for _, path := range []string{"/token", "/.well-known/openid-configuration", "/jwks"} {
		is.overrides = map[string]http.HandlerFunc{path: http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect).ServeHTTP}
		if _, err := provenance.FromEnvironment(t.Context(), is.options(is.env())); !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), "307") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if asked {
		t.Error("the redirect was followed")
	}
}

func TestGitHubCanceled(t *testing.T) {
	is := newIssuer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := provenance.FromEnvironment(ctx, is.options(is.env())); !errors.Is(err, assay.ErrUnchecked) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// The issuer follows from the server, never from the token.
func TestGitHubIssuerOfServer(t *testing.T) {
	for server, want := range map[string]string{
		"https://github.com":       "https://token.actions.githubusercontent.com/.well-known/openid-configuration",
		"https://octo.ghe.com":     "https://token.actions.octo.ghe.com/.well-known/openid-configuration",
		"https://git.example.test": "https://git.example.test/_services/token/.well-known/openid-configuration",
	} {
		is := newIssuer(t)
		env := is.env()
		env["GITHUB_SERVER_URL"] = server
		opts := is.options(env)
		opts.Issuer = ""
		var asked string
		inner := is.Client().Transport
		opts.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "openid-configuration") {
				asked = r.URL.String()
				return nil, errors.New("stop here")
			}
			return inner.RoundTrip(r)
		})}
		if _, err := provenance.FromEnvironment(t.Context(), opts); !errors.Is(err, assay.ErrUnchecked) || asked != want {
			t.Errorf("%s: asked %q, want %q; %v", server, asked, want, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// otherCI is how a caller adds a CI.
type otherCI struct{ p *assay.Provenance }

func (otherCI) Name() string { return "Other CI" }
func (otherCI) Detect(env func(string) (string, bool)) bool {
	v, _ := env("OTHER_CI")
	return v == "yes"
}
func (c otherCI) Provenance(context.Context, provenance.Options) (*assay.Provenance, error) {
	return c.p, nil
}

// Where the CI leaves out what is needed there is no provenance, but there is a CI.
func TestDetect(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"GitHub Actions": {"GITHUB_ACTIONS": "true", "GITLAB_CI": "true"}, "GitLab CI": {"GITLAB_CI": "true"}, "Buildkite": {"BUILDKITE": "true"},
		"CircleCI": {"CIRCLECI": "true"}, "Google Cloud Build": {"BUILDER_OUTPUT": "/o"}, "AWS CodeBuild": {"CODEBUILD_BUILD_ARN": "arn:aws:x"},
		"Azure Pipelines": {"TF_BUILD": "True"}, "Woodpecker": {"CI": "woodpecker"}, "Drone": {"DRONE": "true"}, "Jenkins": {"JENKINS_URL": "https://ci.example/"},
		"Other CI": {"OTHER_CI": "yes", "GITHUB_ACTIONS": "true"},
		"":         {"CI": "true", "GITHUB_ACTIONS": "false", "GITLAB_CI": "", "TF_BUILD": "no"},
	} {
		opts := provenance.Options{Env: lookup(env), CIs: []provenance.CI{otherCI{}}, BuilderIDUnsafe: "https://builder.example/self"}
		ci, ok := provenance.Detect(opts)
		if ok != (name != "") || ok && ci.Name() != name {
			t.Errorf("%v: detected %v, want %q", env, ci, name)
		}
		if p, err := provenance.FromEnvironment(t.Context(), opts); p != nil || err == nil {
			t.Errorf("%s: stated %v of nothing", name, p)
		}
	}
}

func TestOtherCI(t *testing.T) {
	env := map[string]string{"OTHER_CI": "yes", "GITHUB_ACTIONS": "true"}
	want := &assay.Provenance{BuildType: "https://example.com/b", ExternalParameters: ext("p", "1"), Builder: assay.Builder{ID: "https://example.com/ci"}}
	got, err := provenance.FromEnvironment(t.Context(), provenance.Options{Env: lookup(env), CIs: []provenance.CI{otherCI{want}}})
	if err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	// What it gives is held to the rules.
	for _, bad := range []*assay.Provenance{nil, {BuildType: "https://example.com/b", ExternalParameters: ext("p", "1")}} {
		if got, err := provenance.FromEnvironment(t.Context(), provenance.Options{Env: lookup(env), CIs: []provenance.CI{otherCI{bad}}}); err == nil || got != nil {
			t.Errorf("accepted %v", bad)
		}
	}
}
