package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testsigstore"
)

func TestMain(m *testing.M) { testsigstore.Main(m) }

// What sign-bundle writes with real servers, verify-bundle accepts, and nothing else
// with it.
func TestSign(t *testing.T) {
	stack := testsigstore.Shared(t)
	ctx := context.Background()
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	artifact, other := file("a.txt", []byte("content\n")), file("b.txt", []byte("other\n"))
	digest := assay.SumSHA256([]byte("content\n"))
	statement := file("statement.json", []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a.txt","digest":{"sha256":"`+
		digest.Hex()+`"}}],"predicateType":"https://example.com/p","predicate":{}}`))
	trusted, config := file("root.json", stack.TrustedRootJSON()), file("config.json", stack.SigningConfigJSON())
	workflow := testsigstore.Workflow{}
	for name, in := range map[string][]string{"file": {artifact}, "statement": {"--in-toto", statement}} {
		t.Run(name, func(t *testing.T) {
			token, err := stack.Token(ctx, workflow.Claims())
			if err != nil {
				t.Fatal(err)
			}
			bundle := filepath.Join(dir, name+".sigstore.json")
			args := append([]string{"sign-bundle"}, in[:len(in)-1]...)
			args = append(args, "--identity-token", token, "--bundle", bundle, "--trusted-root", trusted, "--signing-config", config, in[len(in)-1])
			if err := run(ctx, args); err != nil {
				t.Fatal(err)
			}
			verify := func(subject, artifact string) error {
				return run(ctx, []string{"verify-bundle", "--bundle", bundle, "--certificate-identity", subject,
					"--certificate-oidc-issuer", stack.ActionsIssuer(), "--trusted-root", trusted, artifact})
			}
			for _, what := range []string{artifact, digest.String()} {
				if err := verify(workflow.SAN(), what); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			if verify(workflow.SAN(), other) == nil || verify(workflow.SAN(), assay.SumSHA256(nil).String()) == nil {
				t.Error("another file was accepted")
			}
			if verify(workflow.SAN()+"x", artifact) == nil {
				t.Error("another signer was accepted")
			}
		})
	}
}
