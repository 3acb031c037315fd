package keyless

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// GoogleToken asks Google Cloud's metadata server for a token of the machine's
// service account (cloud.google.com, "Verify VM identity"), or of another service
// account that the machine's may impersonate (IAM Credentials API,
// generateIdToken).
type GoogleToken struct {
	// ServiceAccount to impersonate, an email address. Empty takes
	// GOOGLE_SERVICE_ACCOUNT_NAME from the environment, and without it the machine's
	// own.
	ServiceAccount string
	// IAMEndpoint is the base URL of the IAM Credentials API; empty is
	// https://iamcredentials.googleapis.com.
	IAMEndpoint string
	// Env reads the environment; nil is [os.Getenv]. GCE_METADATA_HOST names another
	// metadata server than metadata.google.internal.
	Env func(string) string
	// Transport makes the requests; nil is [http.DefaultTransport].
	Transport http.RoundTripper
}

const googleSubject = "Google Cloud"

// Token implements [TokenSource]. On machines that are not Google's it is
// [assay.ErrAbsent].
func (g GoogleToken) Token(ctx context.Context, audience string) (string, error) {
	env := getenv(g.Env)
	if !onGoogle(env) {
		return "", absent(googleSubject, "GCE_METADATA_HOST", "a machine of Google Cloud")
	}
	account := g.ServiceAccount
	if account == "" {
		account = env("GOOGLE_SERVICE_ACCOUNT_NAME")
	}
	if account != "" {
		return g.impersonate(ctx, env, account, audience)
	}
	data, err := g.metadata(ctx, env, "instance/service-accounts/default/identity?"+url.Values{"audience": {audience}, "format": {"full"}}.Encode())
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}

// metadata asks the metadata server. It speaks plain HTTP, on a link that ends in
// the machine's host; the header keeps a server that is not it from being believed.
func (g GoogleToken) metadata(ctx context.Context, env func(string) string, path string) ([]byte, error) {
	const flavor = "Metadata-Flavor"
	host := env("GCE_METADATA_HOST")
	if host == "" {
		host = "metadata.google.internal"
	}
	if u, err := url.Parse("http://" + host); err != nil || u.Host != host || u.User != nil {
		return nil, &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: googleSubject, Field: "GCE_METADATA_HOST", Value: host, Bound: "a host"}
	}
	resp, err := request.Client{Transport: g.Transport}.Do(ctx, request.Request{
		Op: opToken, URL: "http://" + host + "/computeMetadata/v1/" + path, Max: maxToken, Silent: true,
		Header: map[string]string{flavor: "Google"},
	})
	if err != nil {
		return nil, answered(googleSubject, err)
	}
	if got := resp.Header.Get(flavor); got != "Google" {
		return nil, &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: googleSubject, Field: flavor, Value: got, Bound: "Google"}
	}
	return resp.Body, nil
}

func (g GoogleToken) impersonate(ctx context.Context, env func(string) string, account, audience string) (string, error) {
	// It becomes a part of a path.
	if strings.ContainsAny(account, "/?#%: ") || !strings.Contains(account, "@") {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: googleSubject, Field: "service account", Value: account, Bound: "an email address"}
	}
	endpoint := g.IAMEndpoint
	if endpoint == "" {
		endpoint = "https://iamcredentials.googleapis.com"
	}
	if err := request.CheckURL(opToken, "IAMEndpoint", endpoint, true, false); err != nil {
		return "", err
	}
	data, err := g.metadata(ctx, env, "instance/service-accounts/default/token")
	if err != nil {
		return "", err
	}
	access, err := parseAnswer(googleSubject, "access_token", data)
	if err != nil {
		return "", err
	}
	body, err := strictjson.Marshal(map[string]any{"audience": audience, "includeEmail": true})
	if err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: googleSubject, Field: "audience", Err: err}
	}
	return fetchToken(ctx, googleSubject, "token", g.Transport, request.Request{
		Method: http.MethodPost, URL: strings.TrimSuffix(endpoint, "/") + "/v1/projects/-/serviceAccounts/" + account + ":generateIdToken", Body: body,
		Header: map[string]string{"Authorization": "Bearer " + access, "Content-Type": "application/json"}, Secrets: []string{access},
	})
}
