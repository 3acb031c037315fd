package testsigstore

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Audience is who tokens are for if nobody else is named.
const Audience = "sigstore"

// OIDC is an issuer of OpenID Connect tokens on loopback, in the test's own
// process. It is two issuers with one key: one of people's tokens, and one of
// workflows' under the path /actions.
//
// It also answers as GitHub Actions' token service does: see
// [OIDC.ActionsEnvironment]. [Person] logs in to the people's issuer with a browser
// (OAuth's authorization code with PKCE) or a device (RFC 8628).
type OIDC struct {
	server *httptest.Server
	signer jose.Signer
	keys   jose.JSONWebKeySet
	logins logins
}

// NewOIDC starts one, which the end of the test stops.
func NewOIDC(t testing.TB) *OIDC {
	t.Helper()
	o, err := newOIDC()
	if err != nil {
		t.Fatalf("OIDC issuer: %v", err)
	}
	t.Cleanup(o.close)
	return o
}

func newOIDC() (*OIDC, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	const keyID = "test"
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: keyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	o := &OIDC{
		signer: signer,
		keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
			Key: key.Public(), KeyID: keyID, Algorithm: string(jose.ES256), Use: "sig",
		}}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", o.configuration(""))
	mux.HandleFunc("GET /actions/.well-known/openid-configuration", o.configuration("/actions"))
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, o.keys) })
	mux.HandleFunc("GET /actions/token/{workflow}", o.actionsToken)
	mux.HandleFunc("GET /authorize", o.authorize)
	mux.HandleFunc("POST /device", o.device)
	mux.HandleFunc("POST /token", o.token)
	o.server = httptest.NewServer(mux)
	return o, nil
}

func (o *OIDC) close() { o.server.Close() }

// Issuer is the URL of the issuer of people's tokens.
func (o *OIDC) Issuer() string { return o.server.URL }

// ActionsIssuer is the URL of the issuer of workflows' tokens.
func (o *OIDC) ActionsIssuer() string { return o.server.URL + "/actions" }

func (o *OIDC) configuration(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{
			"issuer":                                o.server.URL + path,
			"jwks_uri":                              o.server.URL + "/keys",
			"authorization_endpoint":                o.server.URL + "/authorize",
			"token_endpoint":                        o.server.URL + "/token",
			"device_authorization_endpoint":         o.server.URL + "/device",
			"response_types_supported":              []string{"id_token"},
			"subject_types_supported":               []string{"public"},
			"id_token_signing_alg_values_supported": []string{string(jose.ES256)},
		})
	}
}

// writeJSON answers; a client that hangs up meanwhile is no failure of ours.
func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// Token mints a token: of the people's issuer if the claims have an email, of the
// workflows' otherwise. It is for [Audience] and lives ten minutes; claims
// override all of this.
func (o *OIDC) Token(ctx context.Context, claims Claims) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	issuer := o.ActionsIssuer()
	if _, ok := claims["email"]; ok {
		issuer = o.Issuer()
	}
	now := time.Now()
	all := Claims{
		"iss": issuer,
		"aud": Audience,
		"iat": now.Unix(),
		"nbf": now.Unix(),
		"exp": now.Add(10 * time.Minute).Unix(),
	}
	for k, v := range claims {
		all[k] = v
	}
	return jwt.Signed(o.signer).Claims(map[string]any(all)).Serialize()
}

// requestToken is what the token service wants to see before it gives a token.
const requestToken = "request-token"

// ActionsEnvironment is the part of a workflow run's environment that an OIDC
// token is asked with: ACTIONS_ID_TOKEN_REQUEST_URL and
// ACTIONS_ID_TOKEN_REQUEST_TOKEN.
func (o *OIDC) ActionsEnvironment(w Workflow) (map[string]string, error) {
	b, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"ACTIONS_ID_TOKEN_REQUEST_URL":   fmt.Sprintf("%s/actions/token/%x?api-version=2.0", o.server.URL, b),
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": requestToken,
	}, nil
}

// actionsToken is GitHub's token service: the run is in the path, hexadecimal.
func (o *OIDC) actionsToken(w http.ResponseWriter, r *http.Request) {
	if got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || got != requestToken {
		http.Error(w, "wrong request token", http.StatusUnauthorized)
		return
	}
	var b []byte
	if _, err := fmt.Sscanf(r.PathValue("workflow"), "%x", &b); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var run Workflow
	if err := json.Unmarshal(b, &run); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	claims := run.Claims()
	if aud := r.URL.Query().Get("audience"); aud != "" {
		claims["aud"] = aud
	}
	token, err := o.Token(r.Context(), claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{"count": len(token), "value": token})
}
