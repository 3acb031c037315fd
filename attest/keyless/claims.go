package keyless

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// DefaultAudience is who tokens are for, unless [Options.Audience] names another:
// the client id that Fulcio's public instance, and most private ones, go by.
const DefaultAudience = "sigstore"

// maxClockSkew is how far the clocks of an issuer and of this machine may differ
// for a token that is not valid yet.
const maxClockSkew = time.Minute

// claims are what is read of a token (RFC 7519, section 4.1; OpenID Connect Core
// 1.0, section 2). Nothing of them is verified here: it is Fulcio that verifies. They
// are read to not send a token where it is of no use.
type claims struct {
	issuer, subject string
	email           string
	emailVerified   bool
	audience        []string
	expires         time.Time
	notBefore       time.Time
	nonce           string
}

// readClaims reads a JWT in compact form (RFC 7515, section 7.1). Errors show
// nothing of it.
func readClaims(name, token string) (*claims, error) {
	bad := func(field, bound string) error {
		return &assay.Error{Op: "read OIDC token", Kind: assay.ErrInvalid, Subject: name, Field: field, Bound: bound}
	}
	if len(token) > maxToken {
		return nil, &assay.Error{Op: "read OIDC token", Kind: assay.ErrBound, Subject: name, Bound: "at most 65536 bytes"}
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] == "" || parts[2] == "" {
		return nil, bad("", "a signed JWT in compact form")
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil {
		return nil, bad("payload", "base64url")
	}
	var doc struct {
		Issuer        string          `json:"iss"`
		Subject       string          `json:"sub"`
		Audience      json.RawMessage `json:"aud"`
		Expires       *float64        `json:"exp"`
		NotBefore     *float64        `json:"nbf"`
		Email         string          `json:"email"`
		EmailVerified json.RawMessage `json:"email_verified"`
		Nonce         string          `json:"nonce"`
	}
	if err := strictjson.Unmarshal(name, payload, &doc, strictjson.Limits{MaxBytes: maxToken}); err != nil {
		return nil, bad("payload", "claims in strict JSON") // the cause shows the claims
	}
	c := &claims{issuer: doc.Issuer, subject: doc.Subject, email: doc.Email, nonce: doc.Nonce}
	// One audience may stand without a list, and some issuers write the truth in
	// quotes.
	var single string
	if strictjson.Unmarshal(name, doc.Audience, &single, strictjson.Limits{}) == nil && single != "" {
		c.audience = []string{single}
	} else if strictjson.Unmarshal(name, doc.Audience, &c.audience, strictjson.Limits{}) != nil {
		return nil, bad("/aud", "an audience")
	}
	switch string(doc.EmailVerified) {
	case "", "null", "false", `"false"`:
	case "true", `"true"`:
		c.emailVerified = true
	default:
		return nil, bad("/email_verified", "true or false")
	}
	if doc.Expires == nil || *doc.Expires <= 0 || *doc.Expires > 1<<40 {
		return nil, bad("/exp", "a time in seconds")
	}
	c.expires = time.Unix(int64(*doc.Expires), 0)
	if doc.NotBefore != nil {
		if *doc.NotBefore < 0 || *doc.NotBefore > 1<<40 {
			return nil, bad("/nbf", "a time in seconds")
		}
		c.notBefore = time.Unix(int64(*doc.NotBefore), 0)
	}
	return c, nil
}

// check refuses a token that is for somebody else, or not for now.
func (c *claims) check(name, audience string, now time.Time) error {
	bad := func(field, value, bound string) error {
		return &assay.Error{Op: "check OIDC token", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound}
	}
	switch {
	case !slices.Contains(c.audience, audience):
		return bad("/aud", strings.Join(c.audience, ", "), audience)
	case !now.Before(c.expires):
		return bad("/exp", c.expires.UTC().Format(time.RFC3339), "a time after "+now.UTC().Format(time.RFC3339))
	case c.notBefore.After(now.Add(maxClockSkew)):
		return bad("/nbf", c.notBefore.UTC().Format(time.RFC3339), "a time before "+now.UTC().Format(time.RFC3339))
	}
	return nil
}

// identity is what Fulcio wants to see signed by the key: the email address where
// there is one, the subject otherwise.
func (c *claims) identity() (string, error) {
	bad := &assay.Error{Op: "read OIDC token", Kind: assay.ErrInvalid, Subject: "OIDC token"}
	switch {
	case c.email != "" && !c.emailVerified:
		bad.Field, bad.Bound = "/email_verified", "an address that the issuer has verified"
		return "", bad
	case c.email != "":
		return c.email, nil
	case c.subject == "":
		bad.Field, bad.Bound = "/sub", "a subject"
		return "", bad
	}
	return c.subject, nil
}
