package testsigstore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Person is who logs in with a browser or a device.
const Person = "person@example.com"

// logins are those that were begun, by their code.
type logins struct {
	mu     sync.Mutex
	begun  map[string]login
	polled map[string]int // how often a device has asked
}

type login struct {
	client, redirect, challenge, nonce string
}

func (l *logins) begin(x login) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun == nil {
		l.begun, l.polled = map[string]login{}, map[string]int{}
	}
	code := rand.Text()
	l.begun[code] = x
	return code
}

// authorize is OAuth's authorization endpoint, with PKCE. The person is always logged
// in, and agrees.
func (o *OIDC) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	to, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || to.Hostname() != "localhost" || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" ||
		!strings.Contains(q.Get("scope"), "openid") {
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	code := o.logins.begin(login{q.Get("client_id"), q.Get("redirect_uri"), q.Get("code_challenge"), q.Get("nonce")})
	to.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

// device is the device authorization endpoint (RFC 8628).
func (o *OIDC) device(w http.ResponseWriter, r *http.Request) {
	code := o.logins.begin(login{client: r.FormValue("client_id"), challenge: r.FormValue("code_challenge")})
	writeJSON(w, map[string]any{"device_code": code, "user_code": "ABCD-EFGH", "verification_uri": o.server.URL + "/login",
		"verification_uri_complete": o.server.URL + "/login?code=ABCD-EFGH", "expires_in": 60, "interval": 1})
}

// token is the token endpoint. A device has to ask twice.
func (o *OIDC) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(reason string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]any{"error": reason})
	}
	device := strings.HasSuffix(r.FormValue("grant_type"), ":device_code")
	code := r.FormValue("code")
	if device {
		code = r.FormValue("device_code")
	}
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	o.logins.mu.Lock()
	l, ok := o.logins.begun[code]
	o.logins.polled[code]++
	pending := device && o.logins.polled[code] < 2
	if !pending {
		delete(o.logins.begun, code)
	}
	o.logins.mu.Unlock()
	switch {
	case !ok, l.client != r.FormValue("client_id"), l.redirect != r.FormValue("redirect_uri"),
		l.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		refuse("invalid_grant")
		return
	case pending:
		refuse("authorization_pending")
		return
	}
	claims := EmailClaims(Person)
	claims["aud"] = l.client
	if l.nonce != "" {
		claims["nonce"] = l.nonce
	}
	token, err := o.Token(r.Context(), claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{"access_token": "none", "token_type": "Bearer", "id_token": token})
}
