package keyless

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// DeviceToken has a person log in with a browser on another machine: OAuth's device
// authorization grant (RFC 8628). [Reuse] keeps the token, so that the person is
// asked once.
type DeviceToken struct {
	// Issuer is the URL of the OpenID Connect issuer; see [Issuer].
	Issuer string
	// ClientID is who asks; empty is the audience. The token is for this client, so it
	// must be the audience.
	ClientID string
	// Show tells the person where to log in, and with what code. It must not wait for
	// the person. Required.
	Show func(ctx context.Context, p DevicePrompt) error
	// Transport makes the requests; nil is [http.DefaultTransport].
	Transport http.RoundTripper
	// Clock checks the token; nil is [time.Now].
	Clock func() time.Time
}

// DevicePrompt is what a person needs to log in.
type DevicePrompt struct {
	// URL is where to go, and Code what to enter there.
	URL, Code string
	// URLWithCode does without entering it; it may be empty.
	URLWithCode string
	// Expires is how long the code is good for.
	Expires time.Duration
}

const (
	defaultInterval = 5 * time.Second // RFC 8628, section 3.2
	maxInterval     = time.Minute
	maxDeviceWait   = time.Hour
	deviceGrant     = "urn:ietf:params:oauth:grant-type:device_code"
)

// deviceAnswer is RFC 8628, section 3.2.
type deviceAnswer struct {
	DeviceCode  string `json:"device_code"`
	UserCode    string `json:"user_code"`
	URL         string `json:"verification_uri"`
	URLComplete string `json:"verification_uri_complete"`
	Expires     int64  `json:"expires_in"`
	Interval    *int64 `json:"interval"`
	Error       string `json:"error"`
	Detail      string `json:"error_description"`
}

func parseDevice(name string, data []byte) (*deviceAnswer, error) {
	bad := func(field, bound string) error {
		return &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: name, Field: field, Bound: bound, Rule: "RFC 8628, section 3.2"}
	}
	var a deviceAnswer
	if strictjson.Unmarshal(name, data, &a, strictjson.Limits{MaxBytes: maxAnswer}) != nil {
		return nil, bad("", "an object in strict JSON")
	}
	switch {
	case a.Error != "":
		return nil, refused(name, answer{Error: a.Error, Detail: a.Detail})
	case a.DeviceCode == "":
		return nil, bad("/device_code", "a code")
	case a.UserCode == "":
		return nil, bad("/user_code", "a code")
	case a.Expires <= 0:
		return nil, bad("/expires_in", "a time in seconds")
	case a.Interval != nil && *a.Interval < 0:
		return nil, bad("/interval", "a time in seconds")
	}
	for _, u := range []struct{ field, url string }{{"/verification_uri", a.URL}, {"/verification_uri_complete", a.URLComplete}} {
		if u.url == "" && u.field == "/verification_uri_complete" {
			continue
		}
		if err := request.CheckURL(opToken, u.field, u.url, true, false); err != nil {
			return nil, err
		}
	}
	return &a, nil
}

// Token implements [TokenSource].
func (d DeviceToken) Token(ctx context.Context, audience string) (string, error) {
	if d.Show == nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Field: "Show", Bound: "a function that shows a code"}
	}
	client := d.ClientID
	if client == "" {
		client = audience
	}
	i, err := discover(ctx, d.Issuer, d.Transport)
	if err != nil {
		return "", err
	}
	if i.Device == "" {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: d.Issuer, Field: "/device_authorization_endpoint", Bound: "an issuer with the device grant"}
	}
	proof := newPKCE()
	data, err := i.post(ctx, i.Device, url.Values{"client_id": {client}, "scope": {scopes},
		"code_challenge": {proof.challenge}, "code_challenge_method": {"S256"}})
	if err != nil {
		return "", err
	}
	a, err := parseDevice(i.url, data)
	if err != nil {
		return "", err
	}
	wait := min(time.Duration(min(a.Expires, 1<<20))*time.Second, maxDeviceWait)
	if err := d.Show(ctx, DevicePrompt{URL: a.URL, Code: a.UserCode, URLWithCode: a.URLComplete, Expires: wait}); err != nil {
		return "", &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: d.Issuer, Field: "Show", Err: err}
	}
	interval := defaultInterval
	if a.Interval != nil {
		// Zero would be a busy loop, and a day is nobody's patience.
		interval = min(max(time.Duration(min(*a.Interval, 3600))*time.Second, time.Second), maxInterval)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	form := url.Values{"grant_type": {deviceGrant}, "client_id": {client}, "device_code": {a.DeviceCode}, "code_verifier": {proof.verifier}}
	nobody := func() error {
		return &assay.Error{Op: opToken, Kind: assay.ErrUnchecked, Subject: d.Issuer, Bound: "somebody who logs in within " + strconv.Itoa(int(wait.Seconds())) + " s", Err: ctx.Err()}
	}
	for {
		t := time.NewTimer(interval)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return "", nobody()
		}
		data, err := i.post(ctx, i.Token, form, a.DeviceCode, proof.verifier)
		if err != nil {
			if ctx.Err() != nil { // the time ended while the issuer was asked
				return "", nobody()
			}
			return "", err
		}
		got, err := parseTokens(i.url, data)
		if err != nil {
			return "", err
		}
		switch got.Error {
		case "":
			return i.accept(got.IDToken, client, "", clockOr(d.Clock)())
		case "authorization_pending":
		case "slow_down":
			interval = min(interval+5*time.Second, maxInterval)
		default:
			return "", refused(i.url, got)
		}
	}
}
