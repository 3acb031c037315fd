package keyless_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/keyless"
	"github.com/assaykit/assay/internal/testsigstore"
)

// environment is one of a process.
type environment map[string]string

func (e environment) get(k string) string { return e[k] }

// secret is what must not be in errors, and service a server that answers as f says.
const secret = "s3cr3t-access-token-of-the-job"

func service(t testing.TB, f http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL
}

// The services of CI systems and clouds, each asked as its documentation says.
func TestAmbientServices(t *testing.T) {
	answer := ""
	code := 200
	header := http.Header{}
	var last *http.Request
	var body string
	elsewhere := service(t, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	url := service(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		last, body = r, string(b)
		for k, v := range header {
			w.Header()[k] = v
		}
		if r.URL.Path == "/computeMetadata/v1/instance/service-accounts/default/token" {
			w.Header().Set("Metadata-Flavor", "Google")
			_, _ = io.WriteString(w, `{"access_token":"`+secret+`","expires_in":1,"token_type":"Bearer"}`)
			return
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, answer)
	})
	host := strings.TrimPrefix(url, "http://")
	tests := []struct {
		name   string
		env    environment
		source func(environment) keyless.TokenSource
		good   string
		header http.Header
		check  func() bool
		needs  []string // variables without which it is absent
	}{
		{"GitHub", environment{"ACTIONS_ID_TOKEN_REQUEST_URL": url + "/x?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret},
			func(e environment) keyless.TokenSource { return keyless.GitHubToken{Env: e.get} }, `{"count":1,"value":"the-token"}`, nil,
			func() bool {
				q := last.URL.Query()
				return last.Method == "GET" && last.Header.Get("Authorization") == "Bearer "+secret && q.Get("audience") == "sigstore" && q.Get("api-version") == "2"
			}, []string{"ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}},
		{"Buildkite", environment{"BUILDKITE_AGENT_ACCESS_TOKEN": secret, "BUILDKITE_JOB_ID": "0190-ab", "BUILDKITE_AGENT_ENDPOINT": url + "/v3/"},
			func(e environment) keyless.TokenSource { return keyless.BuildkiteToken{Env: e.get} }, `{"token":"the-token"}`, nil,
			func() bool {
				return last.Method == "POST" && last.URL.Path == "/v3/jobs/0190-ab/oidc/tokens" && last.Header.Get("Authorization") == "Token "+secret && body == `{"audience":"sigstore"}`
			}, []string{"BUILDKITE_AGENT_ACCESS_TOKEN", "BUILDKITE_JOB_ID"}},
		{"Google", environment{"GCE_METADATA_HOST": host},
			func(e environment) keyless.TokenSource { return keyless.GoogleToken{Env: e.get} }, "the-token\n", http.Header{"Metadata-Flavor": {"Google"}},
			func() bool {
				return last.Header.Get("Metadata-Flavor") == "Google" && last.URL.Path == "/computeMetadata/v1/instance/service-accounts/default/identity" &&
					last.URL.Query().Get("audience") == "sigstore" && last.URL.Query().Get("format") == "full"
			}, nil},
		{"Google, impersonating", environment{"GCE_METADATA_HOST": host, "GOOGLE_SERVICE_ACCOUNT_NAME": "signer@p.iam.gserviceaccount.com"},
			func(e environment) keyless.TokenSource { return keyless.GoogleToken{Env: e.get, IAMEndpoint: url} }, `{"token":"the-token"}`, nil,
			func() bool {
				return last.Method == "POST" && last.URL.Path == "/v1/projects/-/serviceAccounts/signer@p.iam.gserviceaccount.com:generateIdToken" &&
					last.Header.Get("Authorization") == "Bearer "+secret && body == `{"audience":"sigstore","includeEmail":true}`
			}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, code, header = tt.good, 200, tt.header
			ctx := t.Context()
			got, err := tt.source(tt.env).Token(ctx, "sigstore")
			if err != nil || got != "the-token" {
				t.Fatalf("got %q, %v", got, err)
			}
			if !tt.check() {
				t.Errorf("asked with %s %s %v %s", last.Method, last.URL, last.Header, body)
			}
			for _, v := range tt.needs {
				less := environment{}
				for k, x := range tt.env {
					if k != v {
						less[k] = x
					}
				}
				if _, err := tt.source(less).Token(ctx, "sigstore"); assay.KindOf(err) != assay.ErrAbsent || !strings.Contains(err.Error(), v) {
					t.Errorf("without %s: %v", v, err)
				}
			}
			for _, bad := range []struct {
				name, answer string
				code         int
				kind         error
				says         string
			}{
				{"forbidden", secret, 403, assay.ErrUnchecked, "403"},
				{"not there", secret, 404, assay.ErrUnchecked, "404"},
				{"redirect", "", 307, assay.ErrUnchecked, "redirects are not followed"},
				{"a member twice", `{"value":"` + secret + `","value":"b","token":"a","token":"b"}`, 200, assay.ErrInvalid, "strict JSON"},
				{"no token", `{}`, 200, assay.ErrInvalid, "a token"},
				{"not a string", `{"value":1,"token":1}`, 200, assay.ErrInvalid, "a token"},
				{"without end", strings.Repeat(" ", 1<<17), 200, assay.ErrUnchecked, "at most 65536 bytes"},
			} {
				if tt.name == "Google" && (bad.kind == assay.ErrInvalid) {
					continue // it is the token itself, which is read where it is used
				}
				answer, code = bad.answer, bad.code
				header = http.Header{"Location": {elsewhere}}
				for k, v := range tt.header {
					header[k] = v
				}
				_, err := tt.source(tt.env).Token(ctx, "sigstore")
				if assay.KindOf(err) != bad.kind || !strings.Contains(err.Error(), bad.says) {
					t.Errorf("%s: got %v, want %v that says %s", bad.name, err, bad.kind, bad.says)
				}
				if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "audience=") || errors.Is(err, assay.ErrAbsent) {
					t.Errorf("%s: %v", bad.name, err)
				}
			}
		})
	}
	if _, err := (keyless.GoogleToken{Env: environment{"GCE_METADATA_HOST": host}.get}).Token(t.Context(), "sigstore"); err == nil {
		t.Error("a server without Metadata-Flavor was believed")
	}
	for name, source := range map[string]keyless.TokenSource{
		"a job that is a path":        keyless.BuildkiteToken{Env: environment{"BUILDKITE_AGENT_ACCESS_TOKEN": secret, "BUILDKITE_JOB_ID": "../x", "BUILDKITE_AGENT_ENDPOINT": url}.get},
		"plain HTTP":                  keyless.BuildkiteToken{Env: environment{"BUILDKITE_AGENT_ACCESS_TOKEN": secret, "BUILDKITE_JOB_ID": "1", "BUILDKITE_AGENT_ENDPOINT": "http://agent.example"}.get},
		"plain HTTP of GitHub":        keyless.GitHubToken{Env: environment{"ACTIONS_ID_TOKEN_REQUEST_URL": "http://actions.example", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}.get},
		"an account that is a path":   keyless.GoogleToken{Env: environment{"GCE_METADATA_HOST": host}.get, ServiceAccount: "a@b/../c"},
		"a metadata host with a path": keyless.GoogleToken{Env: environment{"GCE_METADATA_HOST": host + "/x"}.get},
	} {
		if _, err := source.Token(t.Context(), "sigstore"); assay.KindOf(err) != assay.ErrInvalid || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGivenTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if _, err := keyless.FileToken(file).Token(t.Context(), ""); assay.KindOf(err) != assay.ErrAbsent {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(file, []byte("a.b.c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gitlab := environment{"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": "d.e.f", "HTTPS___CA_EXAMPLE_ID_TOKEN": "g.h.i", "MINE": "j.k.l"}
	for _, tt := range []struct {
		source         keyless.TokenSource
		audience, want string
	}{
		{keyless.FileToken(file), "sigstore", "a.b.c"},
		{keyless.GitLabToken{Env: gitlab.get}, "sigstore", "d.e.f"},
		{keyless.GitLabToken{Env: gitlab.get}, "https://ca.example", "g.h.i"},
		{keyless.GitLabToken{Env: gitlab.get, Variable: "MINE"}, "sigstore", "j.k.l"},
		{keyless.VariableToken{Env: gitlab.get, Name: "MINE"}, "sigstore", "j.k.l"},
		{keyless.StaticToken("x"), "sigstore", "x"},
	} {
		if got, err := tt.source.Token(t.Context(), tt.audience); err != nil || got != tt.want {
			t.Errorf("%T: got %q, %v", tt.source, got, err)
		}
	}
	for _, source := range []keyless.TokenSource{
		keyless.GitLabToken{Env: environment{"SIGSTORE_ID_TOKEN": "x"}.get}, keyless.GitLabToken{Env: environment{"GITLAB_CI": "true"}.get},
		keyless.VariableToken{Env: gitlab.get, Name: "NONE"}, keyless.StaticToken(""), keyless.SPIFFEToken{Env: environment{}.get},
	} {
		if _, err := source.Token(t.Context(), "sigstore"); assay.KindOf(err) != assay.ErrAbsent {
			t.Errorf("%T: got %v, want %v", source, err, assay.ErrAbsent)
		}
	}
}

// The order is that of the documentation, and what is there and fails ends it.
func TestAmbient(t *testing.T) {
	url := service(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Metadata-Flavor", "Google")
		switch {
		case strings.HasPrefix(r.URL.Path, "/github"):
			_, _ = io.WriteString(w, `{"value":"github"}`)
		case strings.HasPrefix(r.URL.Path, "/jobs"):
			_, _ = io.WriteString(w, `{"token":"buildkite"}`)
		default:
			_, _ = io.WriteString(w, "google")
		}
	})
	env := environment{
		"SIGSTORE_ID_TOKEN":            "given",
		"ACTIONS_ID_TOKEN_REQUEST_URL": url + "/github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
		"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN_": "",
		"BUILDKITE_AGENT_ACCESS_TOKEN": "t", "BUILDKITE_JOB_ID": "1", "BUILDKITE_AGENT_ENDPOINT": url,
		"GCE_METADATA_HOST": strings.TrimPrefix(url, "http://"),
	}
	for _, step := range []struct{ want, without string }{
		{"given", "SIGSTORE_ID_TOKEN"}, {"github", "ACTIONS_ID_TOKEN_REQUEST_URL"}, {"buildkite", "BUILDKITE_JOB_ID"}, {"google", "GCE_METADATA_HOST"},
	} {
		got, err := keyless.Ambient(keyless.AmbientOptions{Env: env.get}).Token(t.Context(), "sigstore")
		if err != nil || got != step.want {
			t.Errorf("got %q, %v, want %q", got, err, step.want)
		}
		delete(env, step.without)
	}
	if _, err := keyless.FirstOf(keyless.VariableToken{Name: "NONE", Env: env.get}, keyless.GitLabToken{Env: env.get}).Token(t.Context(), "sigstore"); assay.KindOf(err) != assay.ErrAbsent ||
		!strings.Contains(err.Error(), "NONE") || !strings.Contains(err.Error(), "GitLab") {
		t.Errorf("none: %v", err)
	}
	down := environment{"ACTIONS_ID_TOKEN_REQUEST_URL": "https://127.0.0.1:1/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := keyless.FirstOf(keyless.GitHubToken{Env: down.get}, keyless.StaticToken("other")).Token(ctx, "sigstore"); assay.KindOf(err) != assay.ErrUnchecked || strings.Contains(err.Error(), secret) {
		t.Errorf("one that is there and fails: %v", err)
	}
}

func TestReuse(t *testing.T) {
	o := testsigstore.NewOIDC(t)
	now := time.Now()
	var asked int
	source := keyless.Reuse(tokens(func(ctx context.Context) (string, error) {
		asked++
		return o.Token(ctx, testsigstore.EmailClaims("a@example.com"))
	}), func() time.Time { return now })
	for _, tt := range []struct {
		later time.Duration
		asked int
	}{{0, 1}, {5 * time.Minute, 1}, {9 * time.Minute, 2}} {
		now = time.Now().Add(tt.later)
		if _, err := source.Token(t.Context(), "sigstore"); err != nil || asked != tt.asked {
			t.Errorf("after %s: asked %d times, want %d; %v", tt.later, asked, tt.asked, err)
		}
	}
}

// rawCodec passes messages as they are.
type rawCodec struct{}

func (rawCodec) Name() string                  { return "proto" }
func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// workloadAPI is a SPIFFE workload API on a real gRPC server.
func workloadAPI(t testing.TB, network string, answer func(request []byte) ([]byte, error)) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "w")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		address = filepath.Join(dir, "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}))
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "SpiffeWorkloadAPI", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "FetchJWTSVID",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			if got := md.Get("workload.spiffe.io"); len(got) != 1 || got[0] != "true" {
				return nil, status.Error(codes.InvalidArgument, "security header missing")
			}
			var request []byte
			if err := decode(&request); err != nil {
				return nil, err
			}
			out, err := answer(request)
			return &out, err
		}}}}, struct{}{})
	go func() { _ = server.Serve(l) }() // it ends with the test
	t.Cleanup(server.Stop)
	return network + "://" + l.Addr().String()
}

// message is protobuf of strings and messages by field number, one digit each.
func message(fields ...string) []byte {
	var out []byte
	for i := 0; i < len(fields); i += 2 {
		out = append(out, (fields[i][0]-'0')<<3|2, byte(len(fields[i+1])))
		out = append(out, fields[i+1]...)
	}
	return out
}

func TestSPIFFE(t *testing.T) {
	two := message("1", string(message("1", "spiffe://a/default", "2", "default-token")), "1", string(message("1", "spiffe://a/other", "2", "other-token", "3", "hint")))
	for _, network := range []string{"unix", "tcp"} {
		var request string
		socket := workloadAPI(t, network, func(b []byte) ([]byte, error) { request = string(b); return two, nil })
		got, err := keyless.SPIFFEToken{Env: environment{"SPIFFE_ENDPOINT_SOCKET": socket}.get}.Token(t.Context(), "sigstore")
		if err != nil || got != "default-token" || request != string(message("1", "sigstore")) {
			t.Errorf("%s: got %q, %v for %q", network, got, err, request)
		}
		got, err = keyless.SPIFFEToken{Socket: socket, ID: "spiffe://a/other"}.Token(t.Context(), "sigstore")
		if err != nil || got != "other-token" || request != string(message("1", "sigstore", "2", "spiffe://a/other")) {
			t.Errorf("%s: got %q, %v for %q", network, got, err, request)
		}
		if _, err := (keyless.SPIFFEToken{Socket: socket, ID: "spiffe://a/none"}).Token(t.Context(), "sigstore"); assay.KindOf(err) != assay.ErrInvalid {
			t.Errorf("%s: an id that is not there: %v", network, err)
		}
	}
	for _, tt := range []struct {
		name   string
		answer func([]byte) ([]byte, error)
		kind   error
		says   string
	}{
		{"denied", func([]byte) ([]byte, error) { return nil, status.Error(codes.PermissionDenied, "no identity issued") }, assay.ErrUnchecked, "7 no identity issued"},
		{"nothing", func([]byte) ([]byte, error) { return nil, nil }, assay.ErrInvalid, "a JWT-SVID"},
		{"no token", func([]byte) ([]byte, error) { return message("1", string(message("1", "spiffe://a/b"))), nil }, assay.ErrInvalid, "a JWT-SVID"},
		{"not protobuf", func([]byte) ([]byte, error) { return []byte{0xff, 0xff}, nil }, assay.ErrInvalid, "a JWT-SVID"},
		{"too much", func([]byte) ([]byte, error) { return make([]byte, 1<<17), nil }, assay.ErrBound, "65536"},
	} {
		if _, err := (keyless.SPIFFEToken{Socket: workloadAPI(t, "unix", tt.answer)}).Token(t.Context(), "sigstore"); assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %v that says %s", tt.name, err, tt.kind, tt.says)
		}
	}
	for _, socket := range []string{"/run/spire.sock", "unix://host/path", "unix:path", "tcp://host:1", "tcp://127.0.0.1", "https://127.0.0.1:1", "unix:///x?y"} {
		if _, err := (keyless.SPIFFEToken{Socket: socket}).Token(t.Context(), "sigstore"); assay.KindOf(err) != assay.ErrInvalid {
			t.Errorf("socket %s: %v", socket, err)
		}
	}
	if _, err := (keyless.SPIFFEToken{Socket: "unix:///nowhere/at/all"}).Token(t.Context(), "sigstore"); assay.KindOf(err) != assay.ErrUnchecked {
		t.Errorf("no socket: %v", err)
	}
}
