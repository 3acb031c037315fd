// Package testregistry gives tests a container registry on loopback, and one that
// misbehaves.
//
// [InProcess] is go-containerregistry's registry in the test's own process, with
// the OCI 1.1 referrers API or without it; it needs nothing. [Start] is the real
// distribution registry as a process, which has no referrers API; it needs
// ASSAY_SERVERS (see package testserver). [Front] stands before either, counts
// the requests, and answers some of them wrongly: with an error, too little,
// other bytes, or not at all.
package testregistry

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"golang.org/x/crypto/bcrypt"

	"github.com/assaykit/assay/internal/testserver"
)

// Options are of both registries. The zero value asks for no credentials and has
// all APIs the registry has.
type Options struct {
	// User and Password, if set, are asked for with HTTP basic authentication.
	User, Password string
	// NoReferrers leaves the referrers API out, so that clients fall back to the
	// tag schema. The real registry never has it.
	NoReferrers bool
}

// Registry is a registry that serves.
type Registry struct {
	Host string // 127.0.0.1:PORT, as it stands in references
	URL  string // http://127.0.0.1:PORT

	options Options
}

// Ref gives the reference of what is after the host: "repo:tag", "repo@digest".
func (r *Registry) Ref(rest string) string { return r.Host + "/" + rest }

// DockerConfig writes a Docker configuration with the registry's credentials and
// gives its folder, which is what DOCKER_CONFIG names.
func (r *Registry) DockerConfig(t testing.TB) string {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte(r.options.User + ":" + r.options.Password))
	b, err := json.Marshal(map[string]any{"auths": map[string]any{r.Host: map[string]string{"auth": auth}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// InProcess starts go-containerregistry's registry, which the end of the test
// stops. What is pushed is in memory.
func InProcess(t testing.TB, o Options) *Registry {
	t.Helper()
	handler := registry.New(
		registry.WithReferrersSupport(!o.NoReferrers),
		registry.Logger(log.New(io.Discard, "", 0)))
	if o.User != "" {
		handler = authenticate(o, handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &Registry{Host: strings.TrimPrefix(server.URL, "http://"), URL: server.URL, options: o}
}

func authenticate(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); ok && user == o.User && password == o.Password {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		writeError(w, http.StatusUnauthorized)
	})
}

// Start starts the real distribution registry, which the end of the test stops.
// It skips the test where ASSAY_SERVERS is not set; where it is set, a registry
// that is missing or does not start fails it.
func Start(t testing.TB, o Options) *Registry {
	t.Helper()
	testserver.Require(t)
	dir := t.TempDir()
	if err := configure(dir, o); err != nil {
		t.Fatalf("registry: %v", err)
	}
	p, err := testserver.Start(testserver.Spec{
		Binary: "registry", Dir: dir, Ports: 1, Ready: "/v2/",
		Args: func([]string) []string { return []string{"serve", filepath.Join(dir, "config.yml")} },
		Env:  func(p []string) []string { return []string{"REGISTRY_HTTP_ADDR=127.0.0.1:" + p[0]} },
	})
	if err != nil {
		t.Fatalf("registry: %v", err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("registry:\n%s", p.Tail())
		}
	})
	return &Registry{Host: strings.TrimPrefix(p.URL, "http://"), URL: p.URL, options: o}
}

// configure writes the registry's configuration; JSON is YAML.
func configure(dir string, o Options) error {
	config := map[string]any{
		"version": 0.1,
		"log":     map[string]any{"level": "warn", "accesslog": map[string]any{"disabled": true}},
		"storage": map[string]any{
			"filesystem": map[string]any{"rootdirectory": filepath.Join(dir, "data")},
			"delete":     map[string]any{"enabled": true},
		},
		"http": map[string]any{"addr": "127.0.0.1:0"},
	}
	if o.User != "" {
		hash, err := bcrypt.GenerateFromPassword([]byte(o.Password), bcrypt.MinCost)
		if err != nil {
			return err
		}
		users := filepath.Join(dir, "htpasswd")
		if err := os.WriteFile(users, fmt.Appendf(nil, "%s:%s\n", o.User, hash), 0o600); err != nil {
			return err
		}
		config["auth"] = map[string]any{"htpasswd": map[string]any{"realm": "test", "path": users}}
	}
	b, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.yml"), b, 0o600)
}
