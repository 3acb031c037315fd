package keyless_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/keyless"
	"github.com/assaykit/assay/internal/testsigstore"
)

// browse does what a browser does with a URL.
func browse(_ context.Context, url string) error {
	go func() {
		resp, err := http.Get(url)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}()
	return nil
}

// A person logs in with a browser, and with a device, and Fulcio certifies them.
func TestPersonSigns(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *testsigstore.Stack{
		"real servers": testsigstore.Shared,
		"virtual":      func(t testing.TB) *testsigstore.Stack { return testsigstore.NewVirtual(t).Serve(t) },
	} {
		t.Run(name, func(t *testing.T) {
			stack := start(t)
			issuer, err := keyless.Issuer(stack.SigningConfigJSON(), time.Now())
			if err != nil || issuer != stack.Issuer() {
				t.Fatalf("issuer %q, %v", issuer, err)
			}
			var shown keyless.DevicePrompt
			for name, source := range map[string]keyless.TokenSource{
				"browser": keyless.BrowserToken{Issuer: issuer, Open: browse},
				"device":  keyless.DeviceToken{Issuer: issuer, Show: func(_ context.Context, p keyless.DevicePrompt) error { shown = p; return nil }},
			} {
				signer, err := keyless.New(keyless.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON(), Token: source})
				if err != nil {
					t.Fatal(err)
				}
				e, err := signer.Sign(t.Context(), payloads(t, 1)[0])
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if _, err := verifies(t, stack.TrustedRootJSON(), e, 1, 1); err == nil || !strings.Contains(err.Error(), testsigstore.Person) {
					t.Errorf("%s: signed by another than %s: %v", name, testsigstore.Person, err)
				}
			}
			if shown.Code != "ABCD-EFGH" || shown.Expires != time.Minute || !strings.HasSuffix(shown.URLWithCode, "/login?code=ABCD-EFGH") {
				t.Errorf("shown %+v", shown)
			}
		})
	}
}

// token is a JWT that nobody checks the signature of.
func tokenOf(t testing.TB, claims map[string]any) string {
	t.Helper()
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(b) + ".c2lnbmF0dXJl"
}

// An issuer, or who stands between, that does not do as it should.
func TestInteractiveRefuses(t *testing.T) {
	var self string // of the issuer
	var mu sync.Mutex
	var config map[string]any
	var device, answer string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(config)
		case "/device":
			_, _ = io.WriteString(w, device)
		case "/token":
			if strings.Contains(answer, `"error"`) {
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(w, answer)
		}
	}))
	defer server.Close()
	self = server.URL
	good := func() map[string]any {
		return map[string]any{"issuer": self, "authorization_endpoint": self + "/authorize", "token_endpoint": self + "/token", "device_authorization_endpoint": self + "/device"}
	}
	const goodDevice = `{"device_code":"d3v1c3-s3cr3t","user_code":"A","verification_uri":"https://issuer.example/login","expires_in":60,"interval":0}`
	claims := func(change func(map[string]any)) string {
		c := map[string]any{"iss": self, "aud": "sigstore", "sub": "s", "exp": time.Now().Add(time.Hour).Unix()}
		change(c)
		return `{"id_token":"` + tokenOf(t, c) + `"}`
	}
	show := func(context.Context, keyless.DevicePrompt) error { return nil }
	tests := []struct {
		name   string
		do     func()
		kind   error
		says   string
		source keyless.TokenSource // a device if nil
	}{
		{"another issuer", func() { config["issuer"] = "https://other.example" }, assay.ErrRefuted, "/issuer", nil},
		{"plain HTTP", func() { config["token_endpoint"] = "http://issuer.example/token" }, assay.ErrInvalid, "/token_endpoint", nil},
		{"no token endpoint", func() { delete(config, "token_endpoint") }, assay.ErrInvalid, "/token_endpoint", nil},
		{"no devices", func() { delete(config, "device_authorization_endpoint") }, assay.ErrInvalid, "/device_authorization_endpoint", nil},
		{"no code", func() { device = `{"user_code":"A"}` }, assay.ErrInvalid, "/device_code", nil},
		{"never expires", func() { device = strings.Replace(goodDevice, `"expires_in":60`, `"expires_in":0`, 1) }, assay.ErrInvalid, "/expires_in", nil},
		{"a URL that is none", func() { device = strings.Replace(goodDevice, "https://issuer.example", "javascript:", 1) }, assay.ErrInvalid, "/verification_uri", nil},
		{"an unknown client", func() { device = `{"error":"invalid_client"}` }, assay.ErrUnchecked, "invalid_client", nil},
		{"denied", func() { answer = `{"error":"access_denied","error_description":"not today"}` }, assay.ErrUnchecked, "access_denied not today", nil},
		{"nobody came", func() {
			device = strings.Replace(goodDevice, `"expires_in":60`, `"expires_in":3`, 1)
			answer = `{"error":"authorization_pending"}`
		}, assay.ErrUnchecked, "somebody who logs in within 3 s", nil},
		{"neither token nor error", func() { answer = `{}` }, assay.ErrInvalid, "an id_token or an error", nil},
		{"a token of another issuer", func() { answer = claims(func(c map[string]any) { c["iss"] = "https://other.example" }) }, assay.ErrRefuted, "/iss", nil},
		{"a token for another", func() { answer = claims(func(c map[string]any) { c["aud"] = "other" }) }, assay.ErrInvalid, "/aud", nil},
		{"a token of yesterday", func() { answer = claims(func(c map[string]any) { c["exp"] = 1 }) }, assay.ErrInvalid, "/exp", nil},
		{"nothing to show with", func() {}, assay.ErrInvalid, "Show", keyless.DeviceToken{Issuer: self}},
		{"shown to nobody", func() {}, assay.ErrUnchecked, "no terminal", keyless.DeviceToken{Issuer: self,
			Show: func(context.Context, keyless.DevicePrompt) error { return errors.New("no terminal") }}},
		{"nothing to open with", func() {}, assay.ErrInvalid, "Open", keyless.BrowserToken{Issuer: self}},
		{"no browser", func() {}, assay.ErrUnchecked, "no browser", keyless.BrowserToken{Issuer: self,
			Open: func(context.Context, string) error { return errors.New("no browser") }}},
		{"nobody logs in", func() {}, assay.ErrUnchecked, "somebody who logs in", keyless.BrowserToken{Issuer: self, Wait: time.Second,
			Open: func(context.Context, string) error { return nil }}},
		{"denied in the browser", func() {}, assay.ErrUnchecked, "access_denied", keyless.BrowserToken{Issuer: self, Open: comeBack(url.Values{"error": {"access_denied"}}, false)}},
		{"a code of another login", func() {}, assay.ErrUnchecked, "somebody who logs in", keyless.BrowserToken{Issuer: self, Wait: time.Second,
			Open: comeBack(url.Values{"code": {"stolen"}}, true)}},
		{"a token of another login", func() { answer = claims(func(c map[string]any) { c["nonce"] = "other" }) }, assay.ErrRefuted, "/nonce",
			keyless.BrowserToken{Issuer: self, Open: comeBack(url.Values{"code": {"c0d3-s3cr3t"}}, false)}},
		{"the code is refused", func() { answer = `{"error":"invalid_grant"}` }, assay.ErrUnchecked, "invalid_grant",
			keyless.BrowserToken{Issuer: self, Open: comeBack(url.Values{"code": {"c0d3-s3cr3t"}}, false)}},
		{"plain HTTP issuer", func() {}, assay.ErrInvalid, "issuer", keyless.BrowserToken{Issuer: "http://issuer.example", Open: browse}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			config, device, answer = good(), goodDevice, ""
			tt.do()
			mu.Unlock()
			source := tt.source
			if source == nil {
				source = keyless.DeviceToken{Issuer: self, Show: show}
			}
			got, err := source.Token(t.Context(), "sigstore")
			if assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) || got != "" {
				t.Errorf("got %q, %v, want %v that says %s", got, err, tt.kind, tt.says)
			}
			if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "c2lnbmF0dXJl") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// comeBack is a browser that comes back at once, with what it is given, and with the
// state that was sent unless it is forged.
func comeBack(with url.Values, forged bool) func(context.Context, string) error {
	return func(ctx context.Context, shown string) error {
		u, err := url.Parse(shown)
		if err != nil {
			return err
		}
		q := url.Values{"state": {u.Query().Get("state")}}
		if forged {
			q.Set("state", "forged")
		}
		for k, v := range with {
			q[k] = v
		}
		return browse(ctx, u.Query().Get("redirect_uri")+"?"+q.Encode())
	}
}
