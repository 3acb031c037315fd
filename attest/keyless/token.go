package keyless

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// TokenSource gives the OIDC token that says who signs.
type TokenSource interface {
	// Token gives a token for the audience. It is called for every signature.
	Token(ctx context.Context, audience string) (string, error)
}

// StaticToken is a token that something else got. It must be for the right audience,
// and be valid as long as there is something to sign.
type StaticToken string

// Token implements [TokenSource].
func (t StaticToken) Token(context.Context, string) (string, error) {
	if t == "" {
		return "", &assay.Error{Op: "get OIDC token", Kind: assay.ErrAbsent, Subject: "static token"}
	}
	return string(t), nil
}

// GitHubToken asks GitHub Actions for the token of the running job, which needs the
// permission "id-token: write".
type GitHubToken struct {
	// Env reads the environment; nil is [os.Getenv].
	Env func(string) string
	// Client makes the request; nil is [http.DefaultClient].
	Client *http.Client
}

const maxToken = 64 << 10

// Token implements [TokenSource]. Outside of GitHub Actions, and in jobs without the
// permission, it is [assay.ErrAbsent].
func (g GitHubToken) Token(ctx context.Context, audience string) (string, error) {
	env := g.Env
	if env == nil {
		env = os.Getenv
	}
	const urlVar, tokenVar = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
	fail := func(kind error, field, value, bound string, cause error) error {
		return &assay.Error{Op: "get OIDC token", Kind: kind, Subject: "GitHub Actions", Field: field, Value: value, Bound: bound, Err: cause}
	}
	bearer := env(tokenVar)
	if env(urlVar) == "" || bearer == "" {
		return "", fail(assay.ErrAbsent, urlVar+" and "+tokenVar, "", `a job with the permission "id-token: write"`, nil)
	}
	u, err := url.Parse(env(urlVar))
	if err != nil || u.Host == "" {
		return "", fail(assay.ErrInvalid, urlVar, env(urlVar), "a URL", nil)
	}
	q := u.Query()
	q.Set("audience", audience)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", fail(assay.ErrInvalid, urlVar, "", "", err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Accept", "application/json")
	resp, err := cmp.Or(g.Client, http.DefaultClient).Do(req)
	if err != nil {
		return "", fail(assay.ErrUnchecked, "", "", "", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fail(assay.ErrUnchecked, "status", strconv.Itoa(resp.StatusCode), "200", nil)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken+1))
	if err != nil {
		return "", fail(assay.ErrUnchecked, "", "", "", err)
	}
	var answer struct {
		Value string `json:"value"`
	}
	if err := strictjson.Unmarshal("GitHub Actions token", body, &answer, strictjson.Limits{MaxBytes: maxToken}); err != nil {
		return "", err
	}
	if answer.Value == "" {
		return "", fail(assay.ErrInvalid, "/value", "", "a token", nil)
	}
	return answer.Value, nil
}
