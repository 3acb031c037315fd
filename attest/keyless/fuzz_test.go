package keyless

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"
)

// FuzzClaims reads tokens: what passes the check is for the audience, and for now.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{
		`{"iss":"i","sub":"s","aud":"sigstore","exp":1800000001,"nbf":1700000000,"email":"a@b","email_verified":true}`,
		`{"aud":["a","sigstore"],"exp":1800000001.5,"sub":"s","email_verified":"true"}`,
		`{"aud":null,"exp":1}`, `{"aud":[],"exp":1e300}`, `{"aud":{},"exp":-1}`, `{"email":"a@b","email_verified":1}`, `[]`, ``,
	} {
		f.Add([]byte(s))
	}
	now := time.Unix(1800000000, 0)
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := readClaims("token", "e30."+base64.RawURLEncoding.EncodeToString(payload)+".c2ln")
		if err != nil || c.check("token", "sigstore", now) != nil {
			return
		}
		if !bytes.Contains(payload, []byte("sigstore")) && !bytes.Contains(payload, []byte(`\u`)) || !c.expires.After(now) || c.notBefore.After(now.Add(maxClockSkew)) {
			t.Errorf("accepted %+v of %s", c, payload)
		}
		if id, err := c.identity(); err == nil && (id == "" || c.email != "" && (!c.emailVerified || id != c.email)) {
			t.Errorf("identity %q of %s", id, payload)
		}
	})
}

// FuzzToken reads whatever is given as a token.
func FuzzToken(f *testing.F) {
	f.Add("e30.e30.e30")
	f.Add("..")
	f.Add("a.b")
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := readClaims("token", token); err == nil && c.expires.IsZero() {
			t.Errorf("no end of %+v", c)
		}
	})
}

// FuzzAnswers reads what token services, issuers, and Fulcio answer.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"value":"t"}`, `{"token":"t","value":""}`, `{"id_token":"t"}`, `{"error":"slow_down"}`, `{"id_token":"t","error":"e"}`,
		`{"device_code":"d","user_code":"u","verification_uri":"https://e.example","expires_in":9223372036854775807,"interval":0}`,
		`{"issuer":"https://i.example","token_endpoint":"https://i.example/t","authorization_endpoint":"http://x"}`,
		`{"signedCertificateEmbeddedSct":{"chain":{"certificates":["-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"]}}}`,
		`{"signedCertificateDetachedSct":{"chain":{"certificates":[]}}}`, `{}`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := parseAnswer("service", "value", data); (err == nil) != (got != "") {
			t.Errorf("token %q, %v", got, err)
		}
		if a, err := parseTokens("issuer", data); err == nil && (a.IDToken == "") == (a.Error == "") {
			t.Errorf("answer %+v", a)
		}
		if a, err := parseDevice("issuer", data); err == nil && (a.DeviceCode == "" || a.Expires <= 0 || a.URL == "") {
			t.Errorf("device %+v", a)
		}
		i := &issuer{url: "https://i.example"}
		if err := i.parse(data); err == nil && (i.Issuer != i.url || i.Token == "") {
			t.Errorf("issuer %+v", i)
		}
		if c, err := readCertificate("Fulcio", data); (err == nil) != (c != nil) {
			t.Errorf("certificate %v, %v", c, err)
		}
	})
}

// FuzzSVIDs reads the workload API's message.
func FuzzSVIDs(f *testing.F) {
	f.Add([]byte("\n\r\n\x04id-1\x12\x05tok-1"), "")
	f.Add([]byte("\n\r\n\x04id-1\x12\x05tok-1\n\r\n\x04id-2\x12\x05tok-2"), "id-2")
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, "")
	f.Fuzz(func(t *testing.T, data []byte, id string) {
		if got, err := parseSVIDs(data, id); (err == nil) != (got != "") || !bytes.Contains(data, []byte(got)) {
			t.Errorf("token %q, %v", got, err)
		}
	})
}
