package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
)

// What the suite assumes where a case does not say otherwise (its
// test/assets/bundle-verify/README.md).
const (
	defaultIdentity = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
	defaultIssuer   = "https://token.actions.githubusercontent.com"
)

// cases are the suite's.
func cases(t *testing.T) []string {
	t.Helper()
	corpora := os.Getenv("ASSAY_CORPORA")
	if corpora == "" {
		t.Skip("ASSAY_CORPORA is not set: it names the folder of public corpora, sigstore-conformance among them")
	}
	// The commands run elsewhere than the test.
	corpora, err := filepath.Abs(corpora)
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(corpora, "sigstore-conformance", "bundle-verify", "*", "bundle.sigstore.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range dirs {
		dirs[i] = filepath.Dir(d)
	}
	if len(dirs) != 70 {
		t.Fatalf("the corpus has %d cases, want 70", len(dirs))
	}
	return dirs
}

// arguments are those that the suite gives, in its order.
func arguments(t *testing.T, dir string, byDigest bool) []string {
	t.Helper()
	file := func(name, otherwise string) string {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return otherwise
		}
		return filepath.Join(dir, name)
	}
	text := func(name, otherwise string) string {
		if f := file(name, ""); f != "" {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimSpace(string(b))
		}
		return otherwise
	}
	args := []string{"verify-bundle", "--bundle", filepath.Join(dir, "bundle.sigstore.json")}
	if key := file("key.pub", ""); key != "" {
		args = append(args, "--key", key)
	} else {
		args = append(args, "--certificate-identity", text("identity", defaultIdentity), "--certificate-oidc-issuer", text("issuer", defaultIssuer))
	}
	corpora := filepath.Join(dir, "..", "..", "..")
	args = append(args, "--trusted-root", file("trusted_root.json", filepath.Join(corpora, "sigstore-public-good.trusted_root.json")))
	artifact := file("artifact", filepath.Join(dir, "..", "a.txt"))
	if byDigest {
		b, err := os.ReadFile(artifact)
		if err != nil {
			t.Fatal(err)
		}
		artifact = assay.SumSHA256(b).String()
	}
	return append(args, artifact)
}

// All cases of the suite come out as their names say, by path and by digest.
func TestVerify(t *testing.T) {
	checks, good := 0, 0
	for _, dir := range cases(t) {
		for _, byDigest := range []bool{false, true} {
			name, want := filepath.Base(dir), !strings.HasSuffix(dir, "_fail")
			if byDigest {
				name += " by digest"
			}
			checks++
			t.Run(name, func(t *testing.T) {
				err := run(context.Background(), arguments(t, dir, byDigest))
				if (err == nil) != want {
					t.Errorf("got %v", err)
				}
				if err == nil {
					good++
				}
			})
		}
	}
	if checks != 140 || good != 42 {
		t.Errorf("%d checks, %d of them good; want 140 and 42", checks, good)
	}
}

// The built program answers by its exit code.
func TestProgram(t *testing.T) {
	all := cases(t)
	program := filepath.Join(t.TempDir(), "sigstore-conformance")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, dir := range all {
		if i%7 != 0 && !strings.Contains(dir, "managed-key") {
			continue
		}
		for _, byDigest := range []bool{false, true} {
			out, err := exec.Command(program, arguments(t, dir, byDigest)...).CombinedOutput()
			if (err == nil) == strings.HasSuffix(dir, "_fail") {
				t.Errorf("%s: %v\n%s", filepath.Base(dir), err, out)
			}
			if (err == nil) != (len(out) == 0) {
				t.Errorf("%s: %v, and it says %q", filepath.Base(dir), err, out)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"verify"},
		{"verify-bundle"},
		{"verify-bundle", "--bundle", "x"},
		{"verify-bundle", "--bundle", "x", "a", "b"},
		{"verify-bundle", "--identity-token", "x", "--bundle", "x", "a"},
		{"sign-bundle", "--key", "x", "--bundle", "x", "a"},
	} {
		if _, _, err := parse(args); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
