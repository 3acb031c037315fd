package keyless

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/internal/witness"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// Issuer gives the OpenID Connect issuer that a signing config names for a time, for
// [BrowserToken] and [DeviceToken].
func Issuer(signingConfig []byte, now time.Time) (string, error) {
	c, err := witness.ParseConfig(signingConfig)
	if err != nil {
		return "", err
	}
	s, err := c.Issuer(now)
	return s.URL, err
}

const (
	maxAnswer = 256 << 10 // of an issuer
	scopes    = "openid email"
)

// issuer is an OpenID Connect issuer that has been asked for its endpoints.
type issuer struct {
	url       string
	client    request.Client
	Issuer    string `json:"issuer"`
	Authorize string `json:"authorization_endpoint"`
	Token     string `json:"token_endpoint"`
	Device    string `json:"device_authorization_endpoint"`
}

// discover reads the issuer's configuration (OpenID Connect Discovery 1.0, section
// 4), which must be of the issuer that was asked. Its endpoints may be on other
// hosts, as the issuer says, but not over plain HTTP.
func discover(ctx context.Context, raw string, transport http.RoundTripper) (*issuer, error) {
	if err := request.CheckURL(opToken, "issuer", raw, true, false); err != nil {
		return nil, err
	}
	i := &issuer{url: raw, client: request.Client{Transport: transport}}
	resp, err := i.client.Do(ctx, request.Request{Op: opToken, Max: maxAnswer,
		URL: strings.TrimSuffix(raw, "/") + "/.well-known/openid-configuration", Header: map[string]string{"Accept": "application/json"}})
	if err != nil {
		return nil, answered(request.Name(raw), err)
	}
	if err := i.parse(resp.Body); err != nil {
		return nil, err
	}
	return i, nil
}

func (i *issuer) parse(data []byte) error {
	if err := strictjson.Unmarshal(i.url, data, i, strictjson.Limits{MaxBytes: maxAnswer}); err != nil {
		return err
	}
	if i.Issuer != i.url {
		return &assay.Error{Op: opToken, Kind: assay.ErrRefuted, Subject: i.url, Field: "/issuer", Value: i.Issuer, Bound: i.url,
			Rule: "OpenID Connect Discovery 1.0, section 4.3"}
	}
	for _, e := range []struct{ field, url string }{
		{"/authorization_endpoint", i.Authorize}, {"/token_endpoint", i.Token}, {"/device_authorization_endpoint", i.Device},
	} {
		if e.url == "" {
			continue
		}
		if err := request.CheckURL(opToken, e.field, e.url, true, false); err != nil {
			return err
		}
	}
	if i.Token == "" {
		return &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: i.url, Field: "/token_endpoint", Bound: "an https URL"}
	}
	return nil
}

// post sends a form. Answers are JSON, with status 400 for what went wrong (RFC
// 6749, section 5.2).
func (i *issuer) post(ctx context.Context, to string, form url.Values, secrets ...string) ([]byte, error) {
	resp, err := i.client.Do(ctx, request.Request{
		Op: opToken, Method: http.MethodPost, URL: to, Body: []byte(form.Encode()), Max: maxAnswer, Silent: true, Secrets: secrets,
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
		Want:   []int{http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden},
	})
	if err != nil {
		return nil, answered(i.url, err)
	}
	return resp.Body, nil
}

// answer is what a token endpoint says.
type answer struct {
	IDToken string `json:"id_token"`
	Error   string `json:"error"`
	Detail  string `json:"error_description"`
}

// parseTokens reads the answer of a token endpoint. It shows nothing of it but the
// error, of which there is one where there is no token.
func parseTokens(name string, data []byte) (answer, error) {
	var a answer
	if strictjson.Unmarshal(name, data, &a, strictjson.Limits{MaxBytes: maxAnswer}) != nil || (a.IDToken == "") == (a.Error == "") {
		return answer{}, &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: name, Bound: "an id_token or an error, in strict JSON"}
	}
	return a, nil
}

// refused is an error that the issuer says (RFC 6749, section 5.2).
func refused(name string, a answer) error {
	return &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: name, Field: "error", Value: strings.TrimSpace(a.Error + " " + a.Detail), Bound: "a token"}
}

// accept checks a token that the issuer gave to this client (OpenID Connect Core
// 1.0, section 3.1.3.7). It came from the issuer itself over TLS, which that section
// takes in place of the signature's check; Fulcio makes that.
func (i *issuer) accept(token, client, nonce string, now time.Time) (string, error) {
	c, err := readClaims(i.url, token)
	if err != nil {
		return "", err
	}
	if c.issuer != i.Issuer {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrRefuted, Subject: i.url, Field: "/iss", Value: c.issuer, Bound: i.Issuer}
	}
	if err := c.check(i.url, client, now); err != nil {
		return "", err
	}
	if nonce != "" && subtle.ConstantTimeCompare([]byte(c.nonce), []byte(nonce)) != 1 {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrRefuted, Subject: i.url, Field: "/nonce", Bound: "the nonce that was sent"}
	}
	return token, nil
}

// pkce is a secret and what is shown of it first (RFC 7636).
type pkce struct{ verifier, challenge string }

func newPKCE() pkce {
	v := secret()
	sum := sha256.Sum256([]byte(v))
	return pkce{v, base64.RawURLEncoding.EncodeToString(sum[:])}
}

// secret is 256 random bits.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func clockOr(clock func() time.Time) func() time.Time {
	if clock == nil {
		return time.Now
	}
	return clock
}
