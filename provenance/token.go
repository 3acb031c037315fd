package provenance

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const (
	tokenOp = "check OIDC token"
	// maxAnswer bounds each answer of the token service and the issuer.
	maxAnswer = 1 << 20
	// leeway is for clocks that differ.
	leeway = time.Minute
)

// signatureAlgorithms are the asymmetric ones: with a shared secret, whoever can
// check a token can make one.
var signatureAlgorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

type tokenRequest struct {
	url, bearer string // the CI's token service
	issuer      string // who must have signed
}

// fetchClaims gets the job's OIDC token and gives its claims, once the signature,
// issuer, audience and validity are checked.
func fetchClaims(ctx context.Context, opts Options, req tokenRequest) (map[string]json.RawMessage, error) {
	u, err := httpsURL(req.url)
	if err != nil {
		return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrInvalid, Subject: "ACTIONS_ID_TOKEN_REQUEST_URL", Err: err}
	}
	q := u.Query()
	q.Set("audience", opts.Audience)
	u.RawQuery = q.Encode()
	var answer struct {
		Value string `json:"value"`
	}
	if err := getJSON(ctx, opts, u, req.bearer, &answer); err != nil {
		return nil, err
	}
	jws, err := jose.ParseSignedCompact(answer.Value, signatureAlgorithms)
	if err != nil {
		return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrInvalid, Subject: u.Host, Field: "/value", Bound: "a signed token", Err: err}
	}
	return readClaims(ctx, opts, req.issuer, []string{opts.Audience}, jws)
}

// readClaims gives the claims of a token, once the signature, issuer, audience and
// validity are checked.
func readClaims(ctx context.Context, opts Options, issuer string, audiences []string, jws *jose.JSONWebSignature) (map[string]json.RawMessage, error) {
	payload, err := verifyToken(ctx, opts, issuer, jws)
	if err != nil {
		return nil, err
	}
	var claims map[string]json.RawMessage
	if err := strictjson.Unmarshal("OIDC token", payload, &claims, strictjson.Limits{MaxBytes: maxAnswer}); err != nil {
		return nil, err
	}
	if err := checkStandardClaims(claims, issuer, audiences, opts.Now()); err != nil {
		return nil, err
	}
	opts.Logger.DebugContext(ctx, "provenance: OIDC token verified", "issuer", issuer)
	return claims, nil
}

// verifyToken checks the signature against the issuer's published keys (OpenID
// Connect Discovery 1.0, section 4).
func verifyToken(ctx context.Context, opts Options, issuer string, jws *jose.JSONWebSignature) ([]byte, error) {
	at, err := httpsURL(strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration")
	if err != nil {
		return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrInvalid, Subject: issuer, Err: err}
	}
	var config struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := getJSON(ctx, opts, at, "", &config); err != nil {
		return nil, err
	}
	if config.Issuer != issuer {
		return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrInvalid, Subject: at.String(), Field: "/issuer", Value: config.Issuer, Bound: issuer}
	}
	keysAt, err := httpsURL(config.JWKSURI)
	if err != nil {
		return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrInvalid, Subject: at.String(), Field: "/jwks_uri", Err: err}
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := getJSON(ctx, opts, keysAt, "", &set); err != nil {
		return nil, err
	}
	header := jws.Signatures[0].Protected
	var failed error
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		// Sets may hold keys of kinds that are not known here; they are not ours.
		if key.UnmarshalJSON(raw) != nil || key.KeyID != header.KeyID || !key.IsPublic() ||
			key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		payload, err := jws.Verify(key.Key)
		if err == nil {
			return payload, nil
		}
		failed = err
	}
	if failed != nil {
		return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrRefuted, Subject: issuer, Field: "signature", Value: header.Algorithm + " by key " + header.KeyID, Err: failed}
	}
	return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrUnchecked, Subject: keysAt.String(), Field: "kid", Value: header.KeyID,
		Bound: "one of the " + strconv.Itoa(len(set.Keys)) + " keys of the issuer"}
}

// checkStandardClaims checks iss, aud, exp, nbf and iat (RFC 7519, section 4.1).
func checkStandardClaims(claims map[string]json.RawMessage, issuer string, audiences []string, now time.Time) error {
	refuted := func(field, value, bound string) error {
		return &assay.Error{Op: tokenOp, Kind: assay.ErrRefuted, Subject: "OIDC token", Field: field, Value: value, Bound: bound}
	}
	if iss := stringClaim(claims["iss"]); iss != issuer {
		return refuted("iss", iss, issuer)
	}
	var many []string
	if aud := stringClaim(claims["aud"]); aud != "" {
		many = []string{aud}
	} else if json.Unmarshal(claims["aud"], &many) != nil {
		many = nil
	}
	if !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(many, a) }) {
		return refuted("aud", strings.Join(many, ", "), strings.Join(audiences, ", "))
	}
	for _, c := range []struct {
		name     string
		required bool
		holds    func(t time.Time) bool
		bound    string
	}{
		{"exp", true, func(t time.Time) bool { return now.Before(t.Add(leeway)) }, "a time after "},
		{"nbf", false, func(t time.Time) bool { return !now.Before(t.Add(-leeway)) }, "a time not after "},
		{"iat", true, func(t time.Time) bool { return !now.Before(t.Add(-leeway)) }, "a time not after "},
	} {
		raw, ok := claims[c.name]
		if !ok && !c.required {
			continue
		}
		var seconds float64
		if !ok || json.Unmarshal(raw, &seconds) != nil || seconds < 0 || seconds > 1<<40 {
			return &assay.Error{Op: tokenOp, Kind: assay.ErrInvalid, Subject: "OIDC token", Field: c.name, Value: string(raw), Bound: "seconds since 1970"}
		}
		if t := time.Unix(int64(seconds), 0); !c.holds(t) {
			return refuted(c.name, t.UTC().Format(time.RFC3339), c.bound+now.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

func stringClaim(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func httpsURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("not an https URL of a host") // the URL may hold a secret
	}
	return u, nil
}

// getJSON reads one answer. The bearer token goes to this URL and nowhere else: a
// redirect is an error. No error repeats the query, which may identify the job.
func getJSON(ctx context.Context, opts Options, u *url.URL, bearer string, into any) error {
	at := u.Scheme + "://" + u.Host + u.Path
	unchecked := func(value, bound string, err error) error {
		return &assay.Error{Op: tokenOp, Kind: assay.ErrUnchecked, Subject: at, Value: value, Bound: bound, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return unchecked("", "a request", nil)
	}
	req.Header.Set("Accept", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := *opts.HTTPClient
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return unchecked("", "an answer", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return unchecked(res.Status, "status 200, without redirect", nil)
	}
	_, err = strictjson.Read(at, io.LimitReader(res.Body, maxAnswer+1), into, strictjson.Limits{MaxBytes: maxAnswer})
	return err
}
