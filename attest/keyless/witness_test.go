package keyless_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
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

// tokensOf are those of a person, by the stack's issuer.
func tokensOf(s *testsigstore.Stack) tokens {
	return func(ctx context.Context) (string, error) {
		return s.Token(ctx, testsigstore.EmailClaims("signer@example.com"))
	}
}

// verifies checks a bundle with sigstore-go, by so many logs and authorities.
func verifies(t testing.TB, rootJSON []byte, e assay.Envelope, logs, tsas int) (*bundle.Bundle, error) {
	t.Helper()
	var b bundle.Bundle
	if err := b.UnmarshalJSON(e.Raw()); err != nil {
		t.Fatal(err)
	}
	trusted, err := root.NewTrustedRootFromJSON(rootJSON)
	if err != nil {
		t.Fatal(err)
	}
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1)}
	if logs > 0 {
		options = append(options, verify.WithTransparencyLog(logs))
	}
	if tsas > 0 {
		options = append(options, verify.WithSignedTimestamps(tsas))
	}
	v, err := verify.NewVerifier(trusted, options...)
	if err != nil {
		t.Fatal(err)
	}
	id, err := verify.NewShortCertificateIdentity("", ".+", "signer@example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(&b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithCertificateIdentity(id)))
	return &b, err
}

func payloads(t testing.TB, n int) [][]byte {
	t.Helper()
	var out [][]byte
	for i := range n {
		s, err := attest.NewStatement(&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}, PassedTests: []string{fmt.Sprint(i)}}, attest.StatementOptions{},
			assay.Subject{Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("a", 64))}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s.Payload())
	}
	return out
}

// counter is a transport that counts the requests by their path.
type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[r.URL.Path]++
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// Several statements take one token and one certificate.
func TestSignAll(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *testsigstore.Stack{
		"real servers": testsigstore.Shared,
		"virtual":      func(t testing.TB) *testsigstore.Stack { return testsigstore.NewVirtual(t).Serve(t) },
	} {
		t.Run(name, func(t *testing.T) {
			stack := start(t)
			var asked atomic.Int32
			requests := &counter{}
			signer, err := keyless.New(keyless.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON(), Transport: requests,
				Token: tokens(func(ctx context.Context) (string, error) { asked.Add(1); return tokensOf(stack)(ctx) })})
			if err != nil {
				t.Fatal(err)
			}
			const n = 6
			all := payloads(t, n)
			envelopes, err := signer.SignAll(t.Context(), all...)
			if err != nil {
				t.Fatal(err)
			}
			certificates := map[string]bool{}
			for i, e := range envelopes {
				b, err := verifies(t, stack.TrustedRootJSON(), e, 1, 1)
				if err != nil {
					t.Fatal(err)
				}
				if string(b.GetDsseEnvelope().GetPayload()) != string(all[i]) {
					t.Errorf("envelope %d has another payload", i)
				}
				certificates[string(b.GetVerificationMaterial().GetCertificate().GetRawBytes())] = true
			}
			var certified int
			for path, n := range requests.n {
				if strings.HasSuffix(path, "/signingCert") {
					certified += n
				}
			}
			if len(envelopes) != n || len(certificates) != 1 || asked.Load() != 1 || certified != 1 {
				t.Errorf("%d envelopes with %d certificates, %d tokens, %d requests for a certificate", len(envelopes), len(certificates), asked.Load(), certified)
			}
			if none, err := signer.SignAll(t.Context()); err != nil || len(none) != 0 || asked.Load() != 1 {
				t.Errorf("nothing to sign: %v, %v", none, err)
			}
		})
	}
}

// A certificate that is about to expire is not signed with.
func TestSignAllRenews(t *testing.T) {
	stack := testsigstore.NewVirtual(t).Serve(t)
	var asked atomic.Int32
	signer, err := keyless.New(keyless.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON(),
		Timeout: 11 * time.Minute, // longer than the certificate lives
		Token:   tokens(func(ctx context.Context) (string, error) { asked.Add(1); return tokensOf(stack)(ctx) })})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.SignAll(t.Context(), payloads(t, 3)...); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("%d tokens, want one before and one for each", n)
	}
}

// Two logs and two authorities witness one signature, of both versions of Rekor.
func TestWitnesses(t *testing.T) {
	a, b := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	sa, sb := a.Serve(t), b.Serve(t)
	// Authorities are told apart by their URI.
	both := testsigstore.MergeRoots(t, sa.TrustedRootJSON(), testsigstore.EditRoot(t, sb.TrustedRootJSON(), "timestampAuthorities",
		func(i map[string]any) { i["uri"] = "https://tsa-b.test" }))
	ca := []testsigstore.Service{{URL: sa.FulcioURL}}
	tsas := []testsigstore.Service{{URL: sa.TimestampURL}, {URL: sb.TimestampURL}}
	tests := []struct {
		name       string
		services   testsigstore.Services
		logs, tsas int
	}{
		{"all", testsigstore.Services{CAs: ca, Logs: []testsigstore.Service{{URL: sa.RekorURL, Version: 2}, {URL: sb.RekorURL, Version: 2}}, TSAs: tsas}, 2, 2},
		{"any", testsigstore.Services{CAs: ca, Logs: []testsigstore.Service{{URL: sa.RekorURL, Version: 2}, {URL: sb.RekorURL, Version: 2}}, LogSelector: "ANY", TSAs: tsas, TSASelector: "ANY"}, 1, 1},
		{"exactly", testsigstore.Services{CAs: ca, Logs: []testsigstore.Service{{URL: sa.RekorURL, Version: 2}, {URL: sb.RekorURL, Version: 2}}, LogSelector: "EXACT", LogCount: 2, TSAs: tsas, TSASelector: "EXACT", TSACount: 1}, 2, 1},
		{"the newer version", testsigstore.Services{CAs: ca, Logs: []testsigstore.Service{{URL: sa.RekorV1URL}, {URL: sb.RekorURL, Version: 2}}, TSAs: tsas}, 1, 2},
		{"Rekor v1 alone gives the time", testsigstore.Services{CAs: ca, Logs: []testsigstore.Service{{URL: sa.RekorV1URL}, {URL: sb.RekorV1URL}}}, 2, 0},
		{"one of an operator", testsigstore.Services{CAs: ca, Logs: []testsigstore.Service{{URL: sa.RekorURL, Version: 2, Operator: "o"}, {URL: "https://old.example", Version: 2, Operator: "o", From: time.Unix(1, 0)}}, TSAs: tsas}, 1, 2},
		{"no log", testsigstore.Services{CAs: ca, TSAs: tsas}, 0, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signer, err := keyless.New(keyless.Options{SigningConfig: testsigstore.SigningConfig(t, tt.services), TrustedRoot: both, Token: tokensOf(sa)})
			if err != nil {
				t.Fatal(err)
			}
			e, err := attest.Sign(t.Context(), signer, statement(t))
			if err != nil {
				t.Fatal(err)
			}
			got, err := verifies(t, both, e, tt.logs, tt.tsas)
			if err != nil {
				t.Fatal(err)
			}
			m := got.GetVerificationMaterial()
			if len(m.GetTlogEntries()) != tt.logs || len(m.GetTimestampVerificationData().GetRfc3161Timestamps()) != tt.tsas {
				t.Errorf("%d entries and %d timestamps, want %d and %d", len(m.GetTlogEntries()), len(m.GetTimestampVerificationData().GetRfc3161Timestamps()), tt.logs, tt.tsas)
			}
		})
	}
}

// One log of two real ones goes away while a signature is made: where the config
// lets any of them do, the other records; where it wants all, nothing is signed.
func TestLogGoesAway(t *testing.T) {
	gone, stays := testsigstore.Start(t), testsigstore.Shared(t)
	both := testsigstore.MergeRoots(t, gone.TrustedRootJSON(), stays.TrustedRootJSON())
	logs := []testsigstore.Service{{URL: gone.RekorURL, Version: 2}, {URL: stays.RekorURL, Version: 2}}
	services := testsigstore.Services{CAs: []testsigstore.Service{{URL: stays.FulcioURL}}, TSAs: []testsigstore.Service{{URL: stays.TimestampURL}}, Logs: logs}
	sign := func(selector string, token keyless.TokenSource, logger *slog.Logger) (assay.Envelope, error) {
		t.Helper()
		services.LogSelector = selector
		signer, err := keyless.New(keyless.Options{SigningConfig: testsigstore.SigningConfig(t, services), TrustedRoot: both, Token: token, Retries: -1, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		return signer.Sign(t.Context(), payloads(t, 1)[0])
	}
	e, err := sign("ALL", tokensOf(stays), nil)
	if err != nil {
		t.Fatalf("both logs serve: %v", err)
	}
	if _, err := verifies(t, both, e, 2, 1); err != nil {
		t.Fatal(err)
	}
	// The token is asked for after the services were chosen.
	var once sync.Once
	stopping := tokens(func(ctx context.Context) (string, error) { once.Do(gone.StopLog); return tokensOf(stays)(ctx) })
	var said strings.Builder
	if e, err = sign("ANY", stopping, slog.New(slog.NewTextHandler(&said, nil))); err != nil {
		t.Fatal(err)
	}
	if _, err := verifies(t, stays.TrustedRootJSON(), e, 1, 1); err != nil {
		t.Error(err)
	}
	if !strings.Contains(said.String(), gone.RekorURL) {
		t.Errorf("the log that went away was not named: %q", said.String())
	}
	if _, err := sign("ALL", tokensOf(stays), nil); !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), gone.RekorURL) {
		t.Errorf("got %v, want %v that names %s", err, assay.ErrUnchecked, gone.RekorURL)
	}
}

// Signatures of before and after a rotation of all keys verify with a root that has
// both, each with its own, and neither with the other.
func TestRotatedKeys(t *testing.T) {
	before, after := testsigstore.Start(t), testsigstore.Shared(t)
	both := testsigstore.MergeRoots(t, after.TrustedRootJSON(), before.TrustedRootJSON())
	for _, s := range []struct{ in, other *testsigstore.Stack }{{before, after}, {after, before}} {
		signer, err := keyless.New(keyless.Options{SigningConfig: s.in.SigningConfigJSON(), TrustedRoot: both, Token: tokensOf(s.in)})
		if err != nil {
			t.Fatal(err)
		}
		e, err := signer.Sign(t.Context(), payloads(t, 1)[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range [][]byte{both, s.in.TrustedRootJSON()} {
			if _, err := verifies(t, r, e, 1, 1); err != nil {
				t.Error(err)
			}
		}
		if _, err := verifies(t, s.other.TrustedRootJSON(), e, 1, 1); err == nil {
			t.Error("verified with the keys of the other time")
		}
		// A client that was not told of the rotation notices when it signs.
		signer, err = keyless.New(keyless.Options{SigningConfig: s.in.SigningConfigJSON(), TrustedRoot: s.other.TrustedRootJSON(), Token: tokensOf(s.in)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Sign(t.Context(), payloads(t, 1)[0]); !errors.Is(err, assay.ErrUnchecked) {
			t.Errorf("got %v, want %v", err, assay.ErrUnchecked)
		}
	}
}

// A real authority goes on stamping after its certificate expired. What it stamped
// before counts, what it stamps after does not.
func TestExpiredAuthority(t *testing.T) {
	var stack *testsigstore.Stack
	signer := func(r []byte) *keyless.Signer {
		t.Helper()
		s, err := keyless.New(keyless.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: r, Token: tokensOf(stack)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var early assay.Envelope
	var until time.Time
	// On a machine that is busy the servers may take longer to start than the
	// certificate lives; then it lives longer.
	for life := 8 * time.Second; ; life *= 2 {
		until = time.Now().Add(life).Truncate(time.Second)
		stack = testsigstore.StartWith(t, testsigstore.Options{TimestampUntil: until})
		var err error
		if early, err = signer(stack.TrustedRootJSON()).Sign(t.Context(), payloads(t, 1)[0]); err == nil {
			break
		}
		if time.Now().Before(until) || life > time.Minute {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Until(until.Add(1500 * time.Millisecond)))
	late, err := signer(nil).Sign(t.Context(), payloads(t, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifies(t, stack.TrustedRootJSON(), early, 1, 1); err != nil {
		t.Errorf("stamped before the end: %v", err)
	}
	if _, err := verifies(t, stack.TrustedRootJSON(), late, 1, 1); err == nil {
		t.Error("stamped after the end, and verified")
	}
	if _, err := signer(stack.TrustedRootJSON()).Sign(t.Context(), payloads(t, 1)[0]); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("signed with an authority that has expired: got %v, want %v", err, assay.ErrUnchecked)
	}
	// An authority that the trusted root has retired.
	retired := testsigstore.EditRoot(t, stack.TrustedRootJSON(), "timestampAuthorities", func(i map[string]any) {
		i["validFor"] = map[string]any{"start": "2000-01-01T00:00:00Z", "end": "2020-01-01T00:00:00Z"}
	})
	if _, err := verifies(t, retired, early, 1, 1); err == nil {
		t.Error("stamped by an authority after its window, and verified")
	}
}

// front is a service that misbehaves before the right one.
func front(t testing.TB, target string, f func(w http.ResponseWriter, r *http.Request, pass http.Handler)) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(&url.URL{Scheme: u.Scheme, Host: u.Host}) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(w, r, pass) }))
	t.Cleanup(server.Close)
	return server.URL + u.Path
}

// What a service answers is read with suspicion, and what it says is repeated
// without the token.
func TestServicesMisbehave(t *testing.T) {
	stack := testsigstore.NewVirtual(t).Serve(t)
	other := testsigstore.NewVirtual(t).Serve(t)
	token, err := stack.Token(t.Context(), testsigstore.EmailClaims("signer@example.com"))
	if err != nil {
		t.Fatal(err)
	}
	var leaked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { leaked.Add(1) }))
	defer elsewhere.Close()
	status := func(code int, body string) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { http.Error(w, body, code) }
	}
	redirect := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}
	endless := func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		b := []byte(strings.Repeat(" ", 1<<16))
		w.WriteHeader(http.StatusCreated)
		for {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}
	// replayed gives the answer to the first request to all.
	replayed := func() func(http.ResponseWriter, *http.Request, http.Handler) {
		var mu sync.Mutex
		var first []byte
		return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				rec := httptest.NewRecorder()
				pass.ServeHTTP(rec, r)
				first = rec.Body.Bytes()
			}
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(first)
		}
	}
	type service func(s *testsigstore.Services, url string)
	fulcio := service(func(s *testsigstore.Services, url string) { s.CAs[0].URL = url })
	rekor := service(func(s *testsigstore.Services, url string) { s.Logs[0].URL = url })
	rekor1 := service(func(s *testsigstore.Services, url string) { s.Logs[0] = testsigstore.Service{URL: url} })
	tsa := service(func(s *testsigstore.Services, url string) { s.TSAs[0].URL = url })
	tests := []struct {
		name   string
		set    service
		target string
		f      func(http.ResponseWriter, *http.Request, http.Handler)
		twice  bool // the first signature is made
		kind   error
		says   string
	}{
		{"Fulcio redirects", fulcio, stack.FulcioURL, redirect, false, assay.ErrUnchecked, "redirects are not followed"},
		{"Fulcio repeats the token", fulcio, stack.FulcioURL, status(400, "bad token "+token), false, assay.ErrUnchecked, "bad token [secret]"},
		{"Fulcio repeats half of it", fulcio, stack.FulcioURL, status(400, "bad signature "+token[strings.LastIndex(token, ".")+1:]), false, assay.ErrUnchecked, "bad signature [secret]"},
		{"Fulcio without end", fulcio, stack.FulcioURL, endless, false, assay.ErrBound, "at most 1048576 bytes"},
		{"Fulcio with no certificate", fulcio, stack.FulcioURL, status(200, `{"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}}}`), false, assay.ErrInvalid, "/signedCertificateEmbeddedSct/chain/certificates/0"},
		{"Fulcio with a member twice", fulcio, stack.FulcioURL, status(200, `{"a":1,"a":2}`), false, assay.ErrInvalid, "/a"},
		{"Fulcio with another's certificate", fulcio, stack.FulcioURL, replayed(), true, assay.ErrRefuted, "a certificate of the key that was sent"},
		{"Rekor redirects", rekor, stack.RekorURL, redirect, false, assay.ErrUnchecked, "redirects are not followed"},
		{"Rekor with another's entry", rekor, stack.RekorURL, replayed(), true, assay.ErrRefuted, "an entry of the signature that was sent"},
		{"Rekor without end", rekor, stack.RekorURL, endless, false, assay.ErrBound, "at most"},
		{"Rekor with no entry", rekor, stack.RekorURL, status(201, `{}`), false, assay.ErrInvalid, "/inclusionProof/checkpoint"},
		{"Rekor of others", rekor, other.RekorURL, func(w http.ResponseWriter, r *http.Request, pass http.Handler) { pass.ServeHTTP(w, r) }, false, assay.ErrUnchecked, "trusted root"},
		{"Rekor v1 with another's entry", rekor1, stack.RekorV1URL, replayed(), true, assay.ErrRefuted, "an entry of the signature that was sent"},
		{"Rekor v1 with no entry", rekor1, stack.RekorV1URL, status(201, `{}`), false, assay.ErrInvalid, "one entry"},
		{"Rekor v1 sends elsewhere", rekor1, stack.RekorV1URL, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Location", elsewhere.URL+"/entry")
			w.WriteHeader(http.StatusConflict)
		}, false, assay.ErrInvalid, "Location"},
		{"authority with another's timestamp", tsa, stack.TimestampURL, replayed(), true, assay.ErrRefuted, "messageImprint"},
		{"authority with nothing", tsa, stack.TimestampURL, status(200, "{}"), false, assay.ErrInvalid, "RFC 3161"},
		{"authority of others", tsa, other.TimestampURL, func(w http.ResponseWriter, r *http.Request, pass http.Handler) { pass.ServeHTTP(w, r) }, false, assay.ErrUnchecked, "trusted root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			services := testsigstore.Services{CAs: []testsigstore.Service{{URL: stack.FulcioURL}}, Logs: []testsigstore.Service{{URL: stack.RekorURL, Version: 2}},
				TSAs: []testsigstore.Service{{URL: stack.TimestampURL}}}
			tt.set(&services, front(t, tt.target, tt.f))
			signer, err := keyless.New(keyless.Options{SigningConfig: testsigstore.SigningConfig(t, services), TrustedRoot: stack.TrustedRootJSON(),
				Token: keyless.StaticToken(token), Retries: -1})
			if err != nil {
				t.Fatal(err)
			}
			if tt.twice {
				if _, err := signer.Sign(t.Context(), payloads(t, 1)[0]); err != nil {
					t.Fatal(err)
				}
			}
			e, err := signer.Sign(t.Context(), payloads(t, 1)[0])
			if assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want %v that says %q", err, tt.kind, tt.says)
			}
			if strings.Contains(err.Error(), token) || strings.Contains(err.Error(), token[strings.LastIndex(token, ".")+1:]) {
				t.Errorf("the error has the token: %v", err)
			}
			if e.Size() != 0 {
				t.Error("an envelope beside an error")
			}
		})
	}
	if n := leaked.Load(); n != 0 {
		t.Errorf("%d requests went to a host that nobody named", n)
	}
}

// The answer of a log that had recorded is lost: the entry is found again in Rekor
// v1, and replaced by one of a new signature in Rekor v2.
func TestLostAnswer(t *testing.T) {
	stack := testsigstore.NewVirtual(t).Serve(t)
	for _, tt := range []struct {
		name    string
		url     string
		version int
	}{{"Rekor v1", stack.RekorV1URL, 1}, {"Rekor v2", stack.RekorURL, 2}} {
		t.Run(tt.name, func(t *testing.T) {
			seen := map[string]bool{}
			var mu sync.Mutex
			var lost, conflicts int
			lossy := front(t, tt.url, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				mu.Lock()
				defer mu.Unlock()
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				if tt.version == 2 && seen[string(body)] {
					conflicts++
					http.Error(w, "an equivalent entry already exists in the transparency log with index 7", http.StatusConflict)
					return
				}
				seen[string(body)] = true
				if lost == 0 {
					lost++
					pass.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				}
				pass.ServeHTTP(w, r)
			})
			signer, err := keyless.New(keyless.Options{TrustedRoot: stack.TrustedRootJSON(), Token: tokensOf(stack),
				SigningConfig: testsigstore.SigningConfig(t, testsigstore.Services{CAs: []testsigstore.Service{{URL: stack.FulcioURL}},
					Logs: []testsigstore.Service{{URL: lossy, Version: tt.version}}, TSAs: []testsigstore.Service{{URL: stack.TimestampURL}}})})
			if err != nil {
				t.Fatal(err)
			}
			e, err := signer.Sign(t.Context(), payloads(t, 1)[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verifies(t, stack.TrustedRootJSON(), e, 1, 1); err != nil {
				t.Error(err)
			}
			if lost != 1 || tt.version == 2 && conflicts != 1 {
				t.Errorf("%d answers lost, %d conflicts", lost, conflicts)
			}
		})
	}
}

// Only tokens that are for Fulcio, and for now, are sent to it, and not over plain
// HTTP.
func TestTokenIsChecked(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1) }))
	defer server.Close()
	stack := testsigstore.NewVirtual(t).Serve(t)
	claims := func(c testsigstore.Claims) keyless.TokenSource {
		return tokens(func(ctx context.Context) (string, error) {
			all := testsigstore.EmailClaims("signer@example.com")
			for k, v := range c {
				all[k] = v
			}
			return stack.Token(ctx, all)
		})
	}
	now := time.Now()
	for _, tt := range []struct {
		name, says string
		token      keyless.TokenSource
	}{
		{"another audience", "/aud", claims(testsigstore.Claims{"aud": "https://cloud.example"})},
		{"other audiences", "/aud", claims(testsigstore.Claims{"aud": []string{"a", "b"}})},
		{"expired", "/exp", claims(testsigstore.Claims{"exp": now.Add(-time.Second).Unix()})},
		{"never expires", "/exp", claims(testsigstore.Claims{"exp": nil})},
		{"not valid yet", "/nbf", claims(testsigstore.Claims{"nbf": now.Add(time.Hour).Unix()})},
		{"an address that nobody verified", "/email_verified", claims(testsigstore.Claims{"email_verified": false})},
		{"nobody", "/sub", claims(testsigstore.Claims{"email": "", "sub": ""})},
		{"no token", "signed JWT", keyless.StaticToken("hunter2")},
		{"not base64", "base64url", keyless.StaticToken("a.hunter2!.b")},
		{"not claims", "claims", keyless.StaticToken("a.aHVudGVyMg.b")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			signer, err := keyless.New(keyless.Options{SigningConfig: config(server.URL, server.URL, 1, ""), Token: tt.token})
			if err != nil {
				t.Fatal(err)
			}
			_, err = signer.Sign(t.Context(), []byte("{}"))
			if assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %v that says %s", err, assay.ErrInvalid, tt.says)
			}
		})
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	plain := config("http://fulcio.example", "https://r.example", 1, "")
	if _, err := keyless.New(keyless.Options{SigningConfig: plain, Token: keyless.StaticToken("x")}); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "plain HTTP") {
		t.Errorf("plain HTTP: %v", err)
	}
	if _, err := keyless.New(keyless.Options{SigningConfig: plain, Token: keyless.StaticToken("x"), PlainHTTPUnsafe: true}); err != nil {
		t.Errorf("plain HTTP, allowed: %v", err)
	}
}
