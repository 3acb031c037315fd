package testsigstore_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay/internal/testsigstore"
)

func TestMain(m *testing.M) { testsigstore.Main(m) }

// TestStack signs with the real servers through sigstore-go.
func TestStack(t *testing.T) { testStack(t, testsigstore.Shared(t)) }

// TestServe signs with those of a Virtual in the same way.
func TestServe(t *testing.T) { testStack(t, testsigstore.NewVirtual(t).Serve(t)) }

// testStack signs with servers as their signing config names them, and verifies
// with their trusted root.
func testStack(t *testing.T, s *testsigstore.Stack) {
	config, err := root.NewSigningConfigFromJSON(s.SigningConfigJSON())
	if err != nil {
		t.Fatal(err)
	}
	run := testsigstore.Workflow{Repository: "octo-org/app", Ref: "refs/tags/v1.0.0"}
	for name, c := range map[string]struct {
		claims testsigstore.Claims
		id     testsigstore.Identity
	}{
		"email":    {testsigstore.EmailClaims("dev@example.com"), testsigstore.Email("dev@example.com", s.Issuer())},
		"workflow": {run.Claims(), run.Identity(s.ActionsIssuer())},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			token, err := s.Token(ctx, c.claims)
			if err != nil {
				t.Fatal(err)
			}
			b := signWith(ctx, t, config, token)
			result, err := check(s.TrustedRootJSON(), b, c.id, logAndStamp...)
			if err != nil {
				t.Fatal(err)
			}
			want := c.id.Extensions
			want.Issuer = c.id.Issuer
			if diff := cmp.Diff(want, result.Signature.Certificate.Extensions); diff != "" {
				t.Errorf("certificate extensions (-want +got):\n%s", diff)
			}
			if _, err := check(testsigstore.NewVirtual(t).TrustedRootJSON(), b, c.id, logAndStamp...); err == nil {
				t.Error("verified with a root that does not list the servers")
			}
		})
	}
	t.Run("token of another issuer", func(t *testing.T) {
		token, err := testsigstore.NewOIDC(t).Token(t.Context(), testsigstore.EmailClaims("dev@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		keypair, err := sign.NewEphemeralKeypair(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = sign.NewFulcio(&sign.FulcioOptions{BaseURL: s.FulcioURL}).
			GetCertificate(t.Context(), keypair, &sign.CertificateProviderOptions{IDToken: token})
		if err == nil {
			t.Error("Fulcio certified a token of an issuer that it does not know")
		}
	})
}

func signWith(ctx context.Context, t *testing.T, config *root.SigningConfig, token string) []byte {
	t.Helper()
	keypair, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		t.Fatal(err)
	}
	rekor := config.RekorLogURLs()[0]
	b, err := sign.Bundle(&sign.DSSEData{Data: statement, PayloadType: payloadType}, keypair, sign.BundleOptions{
		Context:                    ctx,
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: config.FulcioCertificateAuthorityURLs()[0].URL}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: token},
		TimestampAuthorities: []*sign.TimestampAuthority{sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{
			URL: config.TimestampAuthorityURLs()[0].URL,
		})},
		TransparencyLogs: []sign.Transparency{sign.NewRekor(&sign.RekorOptions{BaseURL: rekor.URL, Version: rekor.MajorAPIVersion})},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := protojson.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestActionsTokenService asks for a token as a workflow run does.
func TestActionsTokenService(t *testing.T) {
	o := testsigstore.NewOIDC(t)
	env, err := o.ActionsEnvironment(testsigstore.Workflow{Repository: "octo-org/app"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(token string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=elsewhere", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var body struct{ Value string }
		if answer.StatusCode == http.StatusOK {
			if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
		}
		return answer.StatusCode, body.Value
	}
	if status, _ := ask("wrong"); status != http.StatusUnauthorized {
		t.Errorf("status %d for a wrong request token, want %d", status, http.StatusUnauthorized)
	}
	status, token := ask(env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	var claims struct{ Iss, Aud, Repository string }
	decodeToken(t, token, &claims)
	if claims.Iss != o.ActionsIssuer() || claims.Aud != "elsewhere" || claims.Repository != "octo-org/app" {
		t.Errorf("claims %+v", claims)
	}
}

func decodeToken(t *testing.T, token string, into any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %q is not a JWT", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, into); err != nil {
		t.Fatal(err)
	}
}
