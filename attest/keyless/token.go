package keyless

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// TokenSource gives the OIDC token that says who signs.
type TokenSource interface {
	// Token gives a token for the audience. It is called once for each call of
	// [Signer.Sign] and [Signer.SignAll], and again if a certificate expires
	// meanwhile. An error that is [assay.ErrAbsent] says that the environment has no
	// such identity, so that another source may be asked.
	Token(ctx context.Context, audience string) (string, error)
}

const (
	opToken  = "get OIDC token"
	maxToken = 64 << 10
)

// StaticToken is a token that something else got. It must be for the right audience,
// and be valid as long as there is something to sign.
type StaticToken string

// Token implements [TokenSource].
func (t StaticToken) Token(context.Context, string) (string, error) {
	if t == "" {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrAbsent, Subject: "static token"}
	}
	return string(t), nil
}

// FileToken reads a token from a file, again for every signature: one that
// Kubernetes projects into a pod, or the JWT-SVID that spiffe-helper keeps fresh.
type FileToken string

// Token implements [TokenSource]. A file that is not there is [assay.ErrAbsent].
func (f FileToken) Token(context.Context, string) (string, error) {
	fail := func(kind error, bound string, err error) error {
		return &assay.Error{Op: opToken, Kind: kind, Subject: string(f), Bound: bound, Err: err}
	}
	file, err := os.Open(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fail(assay.ErrAbsent, "", err)
	} else if err != nil {
		return "", fail(assay.ErrUnchecked, "", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return "", fail(assay.ErrUnchecked, "", err)
	}
	token := strings.TrimSpace(string(data))
	switch {
	case len(data) > maxToken:
		return "", fail(assay.ErrBound, "at most 65536 bytes", nil)
	case token == "":
		return "", fail(assay.ErrInvalid, "a token", nil)
	}
	return token, nil
}

// VariableToken reads a token from the environment variable that it names.
// SIGSTORE_ID_TOKEN is what other signing tools read.
type VariableToken struct {
	Name string
	// Env reads the environment; nil is [os.Getenv].
	Env func(string) string
}

// Token implements [TokenSource]. A variable that is not set is [assay.ErrAbsent].
func (v VariableToken) Token(context.Context, string) (string, error) {
	token := strings.TrimSpace(getenv(v.Env)(v.Name))
	if token == "" {
		return "", absent("environment", v.Name, "a token")
	}
	return token, nil
}

func getenv(env func(string) string) func(string) string {
	if env == nil {
		return os.Getenv
	}
	return env
}

func absent(subject, field, bound string) error {
	return &assay.Error{Op: opToken, Kind: assay.ErrAbsent, Subject: subject, Field: field, Bound: bound}
}

// GitHubToken asks GitHub Actions for the token of the running job, which needs the
// permission "id-token: write" (docs.github.com, "OpenID Connect reference").
type GitHubToken struct {
	// Env reads the environment; nil is [os.Getenv].
	Env func(string) string
	// Transport makes the request; nil is [http.DefaultTransport].
	Transport http.RoundTripper
}

// Token implements [TokenSource]. Outside of GitHub Actions, and in jobs without the
// permission, it is [assay.ErrAbsent].
func (g GitHubToken) Token(ctx context.Context, audience string) (string, error) {
	const subject, urlVar, tokenVar = "GitHub Actions", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
	env := getenv(g.Env)
	bearer := env(tokenVar)
	if env(urlVar) == "" || bearer == "" {
		return "", absent(subject, urlVar+" and "+tokenVar, `a job with the permission "id-token: write"`)
	}
	if err := request.CheckURL(opToken, urlVar, env(urlVar), true, false); err != nil {
		return "", err
	}
	u, err := url.Parse(env(urlVar))
	if err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: subject, Field: urlVar, Bound: "a URL"}
	}
	q := u.Query()
	q.Set("audience", audience)
	u.RawQuery = q.Encode()
	return fetchToken(ctx, subject, "value", g.Transport, request.Request{
		URL: u.String(), Header: map[string]string{"Authorization": "Bearer " + bearer}, Secrets: []string{bearer},
	})
}

// fetchToken sends a request whose answer is JSON with the token as a member.
func fetchToken(ctx context.Context, subject, member string, transport http.RoundTripper, r request.Request) (string, error) {
	r.Op, r.Max, r.Silent = opToken, maxToken, true
	r.Header["Accept"] = "application/json"
	resp, err := request.Client{Transport: transport}.Do(ctx, r)
	if err != nil {
		return "", answered(subject, err)
	}
	return parseAnswer(subject, member, resp.Body)
}

// parseAnswer reads the token, a member of an object. What cannot be read is not
// shown: it may be the token.
func parseAnswer(subject, member string, data []byte) (string, error) {
	bad := &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: subject, Field: "/" + member, Bound: "a token, in strict JSON"}
	var members map[string]any
	if strictjson.Unmarshal(subject, data, &members, strictjson.Limits{MaxBytes: maxToken}) != nil {
		return "", bad
	}
	if token, ok := members[member].(string); ok && token != "" {
		return token, nil
	}
	return "", bad
}

// answered makes an error of a service that was there: it is never
// [assay.ErrAbsent], or another identity would be tried in its place.
func answered(subject string, err error) error {
	return &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: subject, Err: shown{err}}
}

// shown is an error of which the text and the cause count, and not the kind.
type shown struct{ err error }

func (s shown) Error() string { return s.err.Error() }
func (s shown) Is(target error) bool {
	return target != assay.ErrAbsent && errors.Is(s.err, target)
}
func (s shown) As(target any) bool {
	if t, ok := target.(**request.StatusError); ok {
		return errors.As(s.err, t)
	}
	return false
}

// ReusedToken keeps a token and gives it again until it is about to expire, so that
// a person is asked once. Make one with [Reuse].
type ReusedToken struct {
	source TokenSource
	clock  func() time.Time

	mu   sync.Mutex
	held map[string]heldToken // by audience
}

type heldToken struct {
	token string
	until time.Time
}

// reuseMargin is how much longer a token must be valid to be given again.
const reuseMargin = time.Minute

// Reuse gives a source that asks another only when it holds no token that is valid
// for a minute more. A nil clock is [time.Now].
func Reuse(source TokenSource, clock func() time.Time) *ReusedToken {
	if clock == nil {
		clock = time.Now
	}
	return &ReusedToken{source: source, clock: clock, held: map[string]heldToken{}}
}

// Token implements [TokenSource].
func (r *ReusedToken) Token(ctx context.Context, audience string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h, ok := r.held[audience]; ok && r.clock().Add(reuseMargin).Before(h.until) {
		return h.token, nil
	}
	token, err := r.source.Token(ctx, audience)
	if err != nil {
		return "", err
	}
	c, err := readClaims("OIDC token", token)
	if err != nil {
		return "", err
	}
	r.held[audience] = heldToken{token, c.expires}
	return token, nil
}
