package witnessed_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/witnessed"
	"github.com/assaykit/assay/internal/testsigstore"
)

// sigstore-go's own client of the conformance protocol accepts what is written with
// real servers. For certificates it demands a promise of a certificate transparency
// log, which a private Fulcio does not give; its verifier judges those in package
// keyless.
func TestSigstoreGoClient(t *testing.T) {
	stack := testsigstore.Shared(t)
	dir := t.TempDir()
	client := filepath.Join(dir, "client")
	if out, err := exec.Command("go", "build", "-o", client, "github.com/sigstore/sigstore-go/test/conformance").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	signer := keySigner(t, key, err)
	s, err := witnessed.New(signer, witnessed.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON()})
	if err != nil {
		t.Fatal(err)
	}
	envelopes, err := attest.SignAll(t.Context(), s, statements(t, 2)...)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public := file("key.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	root := file("root.json", stack.TrustedRootJSON())
	for _, e := range envelopes {
		bundle := file("bundle.json", e.Raw())
		for what, accepted := range map[string]bool{digest.String(): true, "sha256:" + strings.Repeat("b", 64): false} {
			out, err := exec.Command(client, "verify-bundle", "--bundle", bundle, "--key", public, "--trusted-root", root, what).CombinedOutput()
			if (err == nil) != accepted {
				t.Errorf("%s: %v\n%s", what, err, out)
			}
		}
	}
}
