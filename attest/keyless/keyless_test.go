package keyless_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/keyless"
	"github.com/assaykit/assay/internal/testsigstore"
)

func TestMain(m *testing.M) { testsigstore.Main(m) }

func statement(t testing.TB) assay.Statement[assay.Evidence] {
	t.Helper()
	s, err := attest.NewStatement(&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}}, attest.StatementOptions{},
		assay.Subject{Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("a", 64))}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type tokens func(ctx context.Context) (string, error)

func (f tokens) Token(ctx context.Context, audience string) (string, error) {
	if audience != "sigstore" {
		return "", errors.New("audience " + audience)
	}
	return f(ctx)
}

// The real servers sign, and sigstore-go's verifier agrees.
func TestSign(t *testing.T) {
	stack := testsigstore.Shared(t)
	signer, err := keyless.New(keyless.Options{
		SigningConfig: stack.SigningConfigJSON(),
		TrustedRoot:   stack.TrustedRootJSON(),
		Token: tokens(func(ctx context.Context) (string, error) {
			return stack.Token(ctx, testsigstore.EmailClaims("signer@example.com"))
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	stmt := statement(t)
	e, err := attest.Sign(t.Context(), signer, stmt)
	if err != nil {
		t.Fatal(err)
	}
	if e.MediaType() != assay.MediaTypeSigstoreBundle {
		t.Errorf("media type %s", e.MediaType())
	}

	var b bundle.Bundle
	if err := b.UnmarshalJSON(e.Raw()); err != nil {
		t.Fatal(err)
	}
	trusted, err := root.NewTrustedRootFromJSON(stack.TrustedRootJSON())
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.NewVerifier(trusted, verify.WithSignedTimestamps(1), verify.WithTransparencyLog(1))
	if err != nil {
		t.Fatal(err)
	}
	id, err := verify.NewShortCertificateIdentity("", ".+", "signer@example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	digest := make([]byte, 32)
	for i := range digest {
		digest[i] = 0xaa
	}
	got, err := v.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", digest), verify.WithCertificateIdentity(id)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Statement.GetPredicateType() != string(assay.PredicateTest) {
		t.Errorf("predicate type %s", got.Statement.GetPredicateType())
	}
	if string(b.GetDsseEnvelope().GetPayload()) != string(stmt.Payload()) {
		t.Error("another payload was signed")
	}
}

// A trusted root that is not the servers' is noticed when signing.
func TestSignVerifies(t *testing.T) {
	stack := testsigstore.Shared(t)
	signer, err := keyless.New(keyless.Options{
		SigningConfig: stack.SigningConfigJSON(),
		TrustedRoot:   testsigstore.NewVirtual(t).TrustedRootJSON(),
		Token: tokens(func(ctx context.Context) (string, error) {
			return stack.Token(ctx, testsigstore.EmailClaims("signer@example.com"))
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attest.Sign(t.Context(), signer, statement(t)); !errors.Is(err, assay.ErrUnchecked) {
		t.Fatalf("got %v, want %v", err, assay.ErrUnchecked)
	}
}

func config(fulcio, tlog string, version int, tsa string) []byte {
	service := func(url string, version int) string {
		if url == "" {
			return "[]"
		}
		return fmt.Sprintf(`[{"url":%q,"majorApiVersion":%d,"validFor":{"start":"2020-01-01T00:00:00Z"},"operator":"test"}]`, url, version)
	}
	return fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":%s,"rekorTlogUrls":%s,"tsaUrls":%s,
		"rekorTlogConfig":{"selector":"ANY"},"tsaConfig":{"selector":"ANY"}}`, service(fulcio, 1), service(tlog, version), service(tsa, 1))
}

func TestNewRefuses(t *testing.T) {
	token := keyless.StaticToken("x")
	tests := []struct {
		name string
		o    keyless.Options
		says string
	}{
		{"no token", keyless.Options{SigningConfig: config("https://f.example", "https://r.example", 2, "https://t.example")}, "Token"},
		{"no config", keyless.Options{Token: token}, "signing config"},
		{"not a config", keyless.Options{Token: token, SigningConfig: []byte(`{"mediaType":"x"}`)}, "/mediaType"},
		{"a member twice", keyless.Options{Token: token, SigningConfig: []byte(`{"mediaType":"x","mediaType":"y"}`)}, "mediaType"},
		{"no Fulcio", keyless.Options{Token: token, SigningConfig: config("", "https://r.example", 2, "https://t.example")}, "/caUrls"},
		{"no witness of time", keyless.Options{Token: token, SigningConfig: config("https://f.example", "https://r.example", 2, "")}, "/tsaUrls"},
		{"no log of a known version", keyless.Options{Token: token, SigningConfig: config("https://f.example", "https://r.example", 3, "https://t.example")}, "/rekorTlogUrls"},
		{"not valid yet", keyless.Options{Token: token, SigningConfig: config("https://f.example", "https://r.example", 2, "https://t.example"),
			Clock: func() time.Time { return time.Unix(0, 0) }}, "/caUrls"},
		{"not a root", keyless.Options{Token: token, SigningConfig: config("https://f.example", "https://r.example", 1, ""), TrustedRoot: []byte("{}")}, "TrustedRoot"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := keyless.New(tt.o); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error that says %s", err, tt.says)
			}
		})
	}
	if _, err := keyless.New(keyless.Options{Token: token, SigningConfig: config("https://f.example", "https://r.example", 1, "")}); err != nil {
		t.Errorf("Rekor v1 gives the time itself: %v", err)
	}
}

// jwt looks like a token; nobody checks it here.
func jwt() keyless.StaticToken {
	return keyless.StaticToken("e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"sigstore","exp":4102444800,"sub":"s","email":"a@example.com","email_verified":true}`)) + ".e30")
}

func TestSignFails(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hang") {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-hang:
			case <-r.Context().Done():
			}
			return
		}
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer server.Close()
	defer close(hang)
	for _, tt := range []struct{ name, path, says string }{{"refused", "/no", "403"}, {"hangs", "/hang", "deadline"}} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := keyless.New(keyless.Options{SigningConfig: config(server.URL+tt.path, server.URL, 1, ""), Token: jwt()})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if tt.path == "/hang" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
				defer cancel()
			}
			start := time.Now()
			_, err = s.Sign(ctx, []byte("{}"))
			if !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), server.URL+tt.path) {
				t.Errorf("got %v", err)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("gave up after %s", d)
			}
		})
	}
}

func ExampleNew() {
	signingConfig, err := json.Marshal(map[string]any{
		"mediaType":       "application/vnd.dev.sigstore.signingconfig.v0.2+json",
		"caUrls":          []any{map[string]any{"url": "https://fulcio.example", "majorApiVersion": 1, "validFor": map[string]any{"start": "2025-01-01T00:00:00Z"}, "operator": "example"}},
		"rekorTlogUrls":   []any{map[string]any{"url": "https://rekor.example", "majorApiVersion": 2, "validFor": map[string]any{"start": "2025-01-01T00:00:00Z"}, "operator": "example"}},
		"rekorTlogConfig": map[string]any{"selector": "ANY"},
	})
	if err != nil {
		panic(err)
	}
	_, err = keyless.New(keyless.Options{SigningConfig: signingConfig, Token: keyless.GitHubToken{}})
	fmt.Println(err)
	// Output: select services: signing config: /tsaUrls: invalid, want a timestamp authority, because nothing else witnesses the time of signing
}
