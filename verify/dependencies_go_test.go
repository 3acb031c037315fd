package verify_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
)

const linkedModule = "github.com/google/go-cmp"

// goProgram links a program with a module of this one's, and gives its bytes and the sum
// of the module as go.sum has it.
func goProgram(t *testing.T) (program []byte, module assay.Digest) {
	t.Helper()
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	var version, sum string
	var own strings.Builder
	for line := range strings.Lines(string(sums)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != linkedModule {
			continue
		}
		own.WriteString(line)
		if !strings.HasSuffix(f[1], "/go.mod") {
			version, sum = f[1], f[2]
		}
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:"))
	if err != nil {
		t.Fatal(err)
	}
	if module, err = assay.NewDigest(assay.DirHash, hex.EncodeToString(raw)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, body := range map[string]string{
		"go.mod":  "module example.org/tool\n\ngo 1.26\n\nrequire " + linkedModule + " " + version + "\n",
		"go.sum":  own.String(),
		"main.go": "package main\n\nimport \"" + linkedModule + "/cmp\"\n\nfunc main() { println(cmp.Equal(1, 2)) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", "tool", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if program, err = os.ReadFile(filepath.Join(dir, "tool")); err != nil {
		t.Fatal(err)
	}
	return program, module
}

// A Go module is known by its sum in go.sum, which the program that it is linked into has
// (in-toto S8: the digest is spelled dirHash, and dirHash1 in the specification's example).
func TestComponentsOfGoProgram(t *testing.T) {
	program, module := goProgram(t)
	f := newFixture(t)
	f.image = testimage.New(t, baseLayer(), testimage.Layer{Files: []testimage.File{{Name: "usr/bin/tool", Mode: 0o755, Body: string(program)}}})
	f.digest = f.image.ID()
	registry := testregistry.InProcess(t, testregistry.Options{})
	statement := func(subject string) assay.Envelope {
		return f.raw(t, `{"_type":"https://in-toto.io/Statement/v1","subject":[`+subject+`],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{`+
			`"buildType":"https://builder.example/type/v1","externalParameters":{"target":"lib"}},"runDetails":{"builder":{"id":"`+builderID+`"}}}}`)
	}
	digests := func(format string) string {
		return fmt.Sprintf(`{"name":"pkg:golang/%s","digest":{`+format+`}}`, linkedModule, module.Hex())
	}
	sum := sha1.Sum(program)
	for name, tt := range map[string]struct {
		envelope assay.Envelope
		verified int
	}{
		"dirHash":              {statement(digests(`"dirHash":%q`)), 1},
		"dirHash1":             {statement(digests(`"dirHash1":%q`)), 1},
		"beside another":       {statement(digests(`"sha1":"` + hex.EncodeToString(sum[:]) + `","dirHash":%q`)), 1},
		"of the program":       {statement(`{"digest":{"sha256":"` + assay.SumSHA256(program).Hex() + `"}}`), 1},
		"the sum as sha256":    {statement(digests(`"sha256":%q`)), 0},
		"upper case":           {statement(strings.ReplaceAll(digests(`"dirHash":%q`), module.Hex(), strings.ToUpper(module.Hex()))), 0},
		"another module":       {statement(strings.ReplaceAll(digests(`"dirHash":%q`), module.Hex(), strings.Repeat("0", 64))), 0},
		"SHA-1 of the program": {statement(`{"digest":{"sha1":"` + hex.EncodeToString(sum[:]) + `"}}`), 0},
	} {
		t.Run(name, func(t *testing.T) {
			// A registry can have nothing by such a digest, and that is no fault of it.
			r := f.ask(t, verify.Policy{Signers: f.policy().Signers}, []verify.Option{verify.Components(attest.FromEnvelopes(tt.envelope), attest.FromRegistry(registry.Ref("lib"), image.Registry{}))},
				attest.FromEnvelopes(f.sign(t, f.signer, f.provenance)), attest.FromImage(f.image))
			c := r.Components
			if c.Verified != tt.verified || len(c.Proven) != tt.verified || len(c.Faults) != 0 {
				t.Fatalf("got %+v", c)
			}
			if tt.verified > 0 && strings.HasPrefix(name, "dirHash") && (c.Proven[0].Digest != module || !strings.HasPrefix(c.Proven[0].Name, "pkg:golang/"+linkedModule)) {
				t.Errorf("got %+v", c.Proven[0])
			}
		})
	}
	t.Run("no evidence of an image", func(t *testing.T) {
		v, err := verify.New(f.trust(), f.policy())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(t.Context(), module, attest.FromEnvelopes()); err == nil {
			t.Error("a Go module was taken for an image")
		}
	})
}

// What MD5 or SHA-1 alone name, nothing vouches for (in-toto S4).
func TestComponentsByWeakDigest(t *testing.T) {
	f := newFixture(t)
	weak := sha1.Sum([]byte("left-pad"))
	lock := `{"name":"app","lockfileVersion":3,"packages":{"node_modules/left-pad":{"version":"1.3.0","resolved":"https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz","integrity":"sha1-` + base64.StdEncoding.EncodeToString(weak[:]) + `"}}}`
	f.image = testimage.New(t, baseLayer(), testimage.Layer{Files: []testimage.File{
		{Name: "app/node_modules/.package-lock.json", Body: lock},
		{Name: "app/node_modules/left-pad/package.json", Body: `{"name":"left-pad","version":"1.3.0"}`},
	}})
	f.digest = f.image.ID()
	d, err := assay.NewDigest(assay.SHA1, hex.EncodeToString(weak[:]))
	if err != nil {
		t.Fatal(err)
	}
	e := f.sign(t, f.signer, newProvenance(), about(d))
	r := f.ask(t, verify.Policy{Signers: f.policy().Signers}, []verify.Option{verify.Components(attest.FromEnvelopes(e))},
		attest.FromEnvelopes(f.sign(t, f.signer, f.provenance)), attest.FromImage(f.image))
	if c := r.Components; c.Total != 3 || c.Identified != 0 || c.Verified != 0 {
		t.Errorf("got %+v", c)
	}
}
