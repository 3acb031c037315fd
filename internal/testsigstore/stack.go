package testsigstore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	rekornote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/assaykit/assay/internal/testserver"
)

// rekorHost is the name of the log in its checkpoints. Verifiers take it from the
// base URL in the trusted root, whatever address the log is reached at.
const rekorHost = "rekor.local"

// Stack is a Fulcio, a Rekor v2 and a timestamp authority that serve, and the OIDC
// issuer that Fulcio trusts. Its OIDC methods mint the tokens that Fulcio
// certifies. [Start] and [Shared] give the real ones, [Virtual.Serve] those of a
// Virtual.
type Stack struct {
	*OIDC

	// FulcioURL and RekorURL are base URLs; TimestampURL is where timestamp
	// requests are posted.
	FulcioURL, RekorURL, TimestampURL string
	// RekorV1URL is the base URL of a Rekor v1, which only a Virtual has. The signing
	// config does not name it.
	RekorV1URL string

	rekor     *testserver.Process
	processes []*testserver.Process
	root      []byte
}

// Start starts the servers, which takes a second or two, and stops them at the
// end of the test. It skips the test where ASSAY_SERVERS is not set; where it is
// set, a server that is missing or does not start fails it.
func Start(t testing.TB) *Stack {
	t.Helper()
	return StartWith(t, Options{})
}

// Options vary the servers that [StartWith] starts.
type Options struct {
	// TimestampUntil ends the life of the timestamp authority's certificate. The
	// server goes on stamping after that. Zero is far away.
	TimestampUntil time.Time
}

// StartWith is [Start] with options.
func StartWith(t testing.TB, o Options) *Stack {
	t.Helper()
	testserver.Require(t)
	s, err := start(t.TempDir(), o)
	if err != nil {
		t.Fatalf("sigstore stack: %v", err)
	}
	t.Cleanup(func() {
		s.stop()
		s.report(t)
	})
	return s
}

// shared is the stack of the test binary, which [Main] stops.
var shared struct {
	running bool // Main is at work
	once    sync.Once
	dir     string
	stack   *Stack
	err     error
}

// Main runs the tests of a binary and then stops the stack that [Shared] started.
// It is the body of a TestMain.
func Main(m *testing.M) {
	shared.running = true
	code := m.Run()
	if shared.stack != nil {
		shared.stack.stop()
	}
	if shared.dir != "" {
		if err := os.RemoveAll(shared.dir); err != nil {
			fmt.Fprintln(os.Stderr, "sigstore stack:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Shared is [Start], once for a test binary. The binary's TestMain calls [Main].
func Shared(t testing.TB) *Stack {
	t.Helper()
	testserver.Require(t)
	if !shared.running {
		t.Fatal("testsigstore.Shared needs a TestMain that calls testsigstore.Main")
	}
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "testsigstore"); shared.err == nil {
			shared.stack, shared.err = start(shared.dir, Options{})
		}
	})
	if shared.err != nil {
		t.Fatalf("sigstore stack: %v", shared.err)
	}
	t.Cleanup(func() { shared.stack.report(t) })
	return shared.stack
}

// TrustedRootJSON is the trusted_root.json that verifies what the servers sign.
// It has no certificate transparency log: certificates carry no SCT.
func (s *Stack) TrustedRootJSON() []byte { return bytes.Clone(s.root) }

// SigningConfigJSON is the signing config (media type
// application/vnd.dev.sigstore.signingconfig.v0.2+json) that names the servers. It
// follows the URLs of s, so that a copy of s with another URL, of a proxy, names
// that.
func (s *Stack) SigningConfigJSON() []byte {
	b, err := s.newSigningConfig()
	if err != nil {
		panic(err) // nothing in it can fail but this code
	}
	return b
}

// Token mints a token that Fulcio accepts; see [OIDC.Token].
func (s *Stack) Token(ctx context.Context, claims Claims) (string, error) {
	return s.OIDC.Token(ctx, claims)
}

func (s *Stack) stop() {
	for _, p := range s.processes {
		p.Stop()
	}
	s.OIDC.close()
}

// report shows what the servers printed where the test failed.
func (s *Stack) report(t testing.TB) {
	if !t.Failed() {
		return
	}
	for _, p := range s.processes {
		t.Logf("%s:\n%s", filepath.Base(p.Log), p.Tail())
	}
}

// StopLog kills the transparency log, as a machine that goes away does.
func (s *Stack) StopLog() { s.rekor.Stop() }

func start(dir string, o Options) (*Stack, error) {
	oidc, err := newOIDC() // Fulcio asks it while it starts
	if err != nil {
		return nil, err
	}
	s := &Stack{OIDC: oidc}
	if err := s.start(dir, o); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *Stack) start(dir string, o Options) error {
	fulcio, err := newAuthority("fulcio", x509.ExtKeyUsageCodeSigning)
	if err != nil {
		return err
	}
	tsa, err := newStamper("tsa", o.TimestampUntil)
	if err != nil {
		return err
	}
	_, rekor, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	config, err := json.Marshal(fulcioConfig(s.OIDC))
	if err != nil {
		return err
	}
	// JSON is YAML. The document marker keeps Fulcio from reading it as its JSON
	// format, which has other names.
	config = append([]byte("---\n"), config...)
	for name, write := range map[string]func() ([]byte, error){
		"fulcio.yaml": func() ([]byte, error) { return config, nil },
		"fulcio.crt":  func() ([]byte, error) { return chain(fulcio.intermediate, fulcio.root), nil },
		"fulcio.key":  func() ([]byte, error) { return keyPEM(fulcio.key) },
		"tsa.crt":     func() ([]byte, error) { return chain(tsa.leaf, tsa.intermediate, tsa.root), nil },
		"tsa.key":     func() ([]byte, error) { return keyPEM(tsa.leafKey) },
		"rekor.key":   func() ([]byte, error) { return keyPEM(rekor) },
	} {
		b, err := write()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	urls, err := s.serve(serverSpecs(dir))
	if err != nil {
		return err
	}
	s.FulcioURL, s.RekorURL, s.TimestampURL = urls[0], urls[1], urls[2]+"/api/v1/timestamp"

	_, logID, err := rekornote.KeyHash(rekorHost, rekor.Public())
	if err != nil {
		return err
	}
	s.root, err = trustedRootJSON(
		fulcio.trusted(s.FulcioURL), tsa.trusted(s.TimestampURL),
		map[string]*root.TransparencyLog{fmt.Sprintf("%x", logID): {
			BaseURL:             "https://" + rekorHost,
			ID:                  logID,
			ValidityPeriodStart: validFrom,
			HashFunc:            crypto.SHA256,
			PublicKey:           rekor.Public(),
			SignatureHashFunc:   crypto.SHA512,
		}})
	return err
}

// serve starts the servers side by side and gives their URLs in order.
func (s *Stack) serve(specs []testserver.Spec) ([]string, error) {
	processes := make([]*testserver.Process, len(specs))
	errs := make([]error, len(specs))
	var wg sync.WaitGroup
	for i, spec := range specs {
		wg.Go(func() { processes[i], errs[i] = testserver.Start(spec) })
	}
	wg.Wait()
	var urls []string
	for i, p := range processes {
		if p != nil {
			s.processes = append(s.processes, p)
			urls = append(urls, p.URL)
		}
		if specs[i].Binary == "posix" {
			s.rekor = p
		}
	}
	return urls, errors.Join(errs...)
}

// serverSpecs are Fulcio, Rekor and the timestamp authority. Every port is given:
// defaults, of the metrics above all, collide.
func serverSpecs(dir string) []testserver.Spec {
	return []testserver.Spec{{
		Binary: "fulcio", Dir: dir, Ports: 3, Ready: "/healthz",
		Args: func(p []string) []string {
			return []string{
				"serve", "--host", "127.0.0.1", "--port", p[0], "--grpc-host", "127.0.0.1", "--grpc-port", p[1],
				"--metrics-port", p[2], "--legacy-unix-domain-socket", "@assay-fulcio-" + p[0],
				"--ca", "fileca", "--fileca-cert", "fulcio.crt", "--fileca-key", "fulcio.key", "--fileca-key-passwd", "none",
				"--fileca-watch=false", "--ct-log-url", "", "--config-path", "fulcio.yaml",
			}
		},
	}, {
		Binary: "posix", Dir: dir, Ports: 3, Ready: "/healthz",
		Args: func(p []string) []string {
			return []string{
				"serve", "--hostname", rekorHost, "--signer-filepath", "rekor.key", "--storage-dir", filepath.Join(dir, "tiles"),
				"--http-port", p[0], "--grpc-port", p[1], "--http-metrics-port", p[2],
				"--checkpoint-interval", "1s", "--batch-max-age", "50ms",
			}
		},
	}, {
		// Its metrics are on port 2112, whatever is said.
		Binary: "timestamp-server", Dir: dir, Socket: "tsa.sock", Ready: "/ping",
		Args: func([]string) []string {
			return []string{
				"serve", "--socket-path", "tsa.sock", "--scheme", "unix", "--timestamp-signer", "file",
				"--file-signer-key-path", "tsa.key", "--certificate-chain-path", "tsa.crt", "--disable-ntp-monitoring",
			}
		},
	}}
}

// fulcioConfig trusts the two issuers, and says how a workflow's claims become
// the extensions of its certificate, as Fulcio's public instance does.
func fulcioConfig(o *OIDC) any {
	const provider, url = "github-workflow", "{{ .url }}/"
	issuer := func(url string, more map[string]any) map[string]any {
		out := map[string]any{"issuer-url": url, "client-id": Audience}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	return map[string]any{
		"oidc-issuers": map[string]any{
			o.Issuer():        issuer(o.Issuer(), map[string]any{"type": "email"}),
			o.ActionsIssuer(): issuer(o.ActionsIssuer(), map[string]any{"type": "ci-provider", "ci-provider": provider}),
		},
		"ci-issuer-metadata": map[string]any{provider: map[string]any{
			"default-template-values":           map[string]string{"url": "https://github.com"},
			"subject-alternative-name-template": url + "{{ .job_workflow_ref }}",
			"extension-templates": map[string]string{
				"github-workflow-trigger":                 "event_name",
				"github-workflow-sha":                     "sha",
				"github-workflow-name":                    "workflow",
				"github-workflow-repository":              "repository",
				"github-workflow-ref":                     "ref",
				"build-signer-uri":                        url + "{{ .job_workflow_ref }}",
				"build-signer-digest":                     "job_workflow_sha",
				"runner-environment":                      "runner_environment",
				"source-repository-uri":                   url + "{{ .repository }}",
				"source-repository-digest":                "sha",
				"source-repository-ref":                   "ref",
				"source-repository-identifier":            "repository_id",
				"source-repository-owner-uri":             url + "{{ .repository_owner }}",
				"source-repository-owner-identifier":      "repository_owner_id",
				"build-config-uri":                        url + "{{ .workflow_ref }}",
				"build-config-digest":                     "workflow_sha",
				"build-trigger":                           "event_name",
				"run-invocation-uri":                      url + "{{ .repository }}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}",
				"source-repository-visibility-at-signing": "repository_visibility",
			},
		}},
	}
}

func (s *Stack) newSigningConfig() ([]byte, error) {
	service := func(url string, version uint32) []root.Service {
		return []root.Service{{URL: url, MajorAPIVersion: version, ValidityPeriodStart: validFrom, Operator: "test"}}
	}
	any1 := root.ServiceConfiguration{Selector: prototrustroot.ServiceSelector_ANY}
	config, err := root.NewSigningConfig(root.SigningConfigMediaType02,
		service(s.FulcioURL, 1), service(s.Issuer(), 1),
		service(s.RekorURL, 2), any1, service(s.TimestampURL, 1), any1)
	if err != nil {
		return nil, err
	}
	b, err := config.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return compact(b)
}

func chain(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
