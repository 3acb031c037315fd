package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/cosign"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/internal/testsigstore"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"assay": main}) }

// password protects the cosign key.
const password = "open sesame"

// TestScripts drives the program as a shell does. What the scripts find in their
// environment is made here, by [world.setup].
func TestScripts(t *testing.T) {
	w := newWorld(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               w.setup,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"expand":  expand,
			"replace": replace,
			"detach":  detach,
			"alone":   alone,
		},
	})
}

// world is what all scripts share; none of them changes it.
type world struct {
	t              testing.TB
	registry       *testregistry.Registry
	image, arm     *testimage.Image
	index          *testimage.Index
	sigstore       *testsigstore.Stack
	files          string // keys, and the sigstore's configuration
	keyID, otherID string
}

const status = `Package: app
Status: install ok installed
Architecture: amd64
Version: 1.2.3-1
Maintainer: Somebody <somebody@example.com>
Depends: libfoo (>= 2)

Package: libfoo
Status: install ok installed
Architecture: amd64
Version: 2.0-1
Maintainer: Somebody <somebody@example.com>
`

func base(program string) []testimage.File {
	return []testimage.File{
		{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\nNAME=\"Debian GNU/Linux\"\n"},
		{Name: "etc/passwd", Body: "nonroot:x:65532:65532::/:/sbin/nologin\n"},
		{Name: "etc/group", Body: "nonroot:x:65532:\n"},
		{Name: "var/lib/dpkg/status", Body: status},
		{Name: "usr/bin/app", Mode: 0o755, Body: program},
	}
}

func newImage(t testing.TB, architecture string) *testimage.Image {
	return testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) {
		c.OS, c.Architecture = "linux", architecture
		c.Created = v1.Time{Time: time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)}
		c.Config.User = "65532:65532"
		c.Config.Entrypoint = []string{"/usr/bin/app"}
		c.Config.Env = []string{"PATH=/usr/bin"}
	}}, testimage.Layer{Files: base("program for " + architecture)})
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, registry: testregistry.InProcess(t, testregistry.Options{}), files: t.TempDir()}
	w.image, w.arm = newImage(t, "amd64"), newImage(t, "arm64")
	w.index = testimage.NewIndex(t,
		testimage.Member{Image: w.image, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}},
		testimage.Member{Image: w.arm, Platform: assay.Platform{OS: "linux", Architecture: "arm64"}})
	w.sigstore = testsigstore.NewVirtual(t).Serve(t)
	w.write("signing_config.json", w.sigstore.SigningConfigJSON())
	w.write("trusted_root.json", w.sigstore.TrustedRootJSON())

	key := w.newKey()
	private, public, err := cosign.EncryptKey(key, []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	w.write("cosign.key", private)
	w.write("cosign.pub", public)
	w.keyID = w.id(key)

	other := w.newKey()
	private, err = x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	w.write("other.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	public, err = x509.MarshalPKIXPublicKey(other.Public())
	if err != nil {
		t.Fatal(err)
	}
	w.write("other.pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	w.otherID = w.id(other)
	return w
}

func (w *world) newKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

func (w *world) id(key crypto.Signer) string {
	id, err := attest.KeyID(key.Public())
	if err != nil {
		w.t.Fatal(err)
	}
	return id.String()
}

func (w *world) write(file string, data []byte) {
	testimage.WriteFile(w.t, filepath.Join(w.files, file), data)
}

// setup gives each script a repository of its own with an image and an index, the
// same as files, keys, a sigstore, and registries that fail.
func (w *world) setup(env *testscript.Env) error {
	repository := strings.ToLower(filepath.Base(env.WorkDir))
	image := testimage.Push(w.t, w.registry.Ref(repository+":latest"), w.image)
	index := testimage.PushIndex(w.t, w.registry.Ref(repository+":multi"), w.index)
	token, err := w.sigstore.Token(w.t.Context(), testsigstore.EmailClaims("dev@example.com"))
	if err != nil {
		return err
	}
	testimage.WriteFile(w.t, filepath.Join(env.WorkDir, "token"), []byte(token+"\n"))

	folder := filepath.Join(env.WorkDir, "rootfs")
	for _, f := range base("program") {
		testimage.WriteFile(w.t, filepath.Join(folder, f.Name), []byte(f.Body))
	}
	// A port that was free a moment ago may be another test's server by now.
	const dead = "127.0.0.1:1"
	// It has what the script writes to github.json.
	github := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		bundle, err := os.ReadFile(filepath.Join(env.WorkDir, "github.json"))
		switch {
		case r.URL.Path == "/repos/octo/app":
		case r.URL.Path == "/repos/octo/app/attestations/"+w.image.ID().String() && err == nil:
			fmt.Fprintf(rw, `{"attestations":[{"bundle":%s}]}`, bundle)
		default:
			rw.WriteHeader(http.StatusNotFound)
		}
	}))
	w.t.Cleanup(github.Close)
	corrupt := testregistry.Front(w.t, w.registry, testregistry.Fault{Path: "/blobs/", Corrupt: true})
	denied := testregistry.Front(w.t, w.registry, testregistry.Fault{Path: "referrers|sha256-", Status: 403})
	for k, v := range map[string]string{
		"HOME":           env.WorkDir,
		"DOCKER_CONFIG":  env.WorkDir,
		"REPOSITORY":     w.registry.Ref(repository),
		"IMAGE":          image.String(),
		"DIGEST":         w.image.ID().String(),
		"HEX":            w.image.ID().Hex(),
		"ARM_DIGEST":     w.arm.ID().String(),
		"INDEX":          index.String(),
		"INDEX_DIGEST":   w.index.ID().String(),
		"GITHUB":         github.URL,
		"DEAD_IMAGE":     dead + "/app@" + w.image.ID().String(),
		"CORRUPT_IMAGE":  corrupt.Ref(repository + "@" + w.image.ID().String()),
		"DENIED_IMAGE":   denied.Ref(repository + "@" + w.image.ID().String()),
		"LAYOUT":         "oci:" + testimage.WriteLayout(w.t, w.layout()),
		"ARCHIVE":        "oci-archive:" + testimage.WriteArchive(w.t, w.layout()),
		"DOCKER":         "docker-archive:" + testimage.WriteDocker(w.t, map[string]*testimage.Image{"app:latest": w.image}),
		"FOLDER":         "dir:" + folder,
		"FILES":          w.files,
		"KEY":            filepath.Join(w.files, "cosign.key"),
		"PUB":            filepath.Join(w.files, "cosign.pub"),
		"KEY_ID":         w.keyID,
		"OTHER_KEY":      filepath.Join(w.files, "other.key"),
		"OTHER_PUB":      filepath.Join(w.files, "other.pub"),
		"OTHER_KEY_ID":   w.otherID,
		"PASSWORD":       password,
		"TOKEN":          filepath.Join(env.WorkDir, "token"),
		"ISSUER":         w.sigstore.Issuer(),
		"SIGNING_CONFIG": filepath.Join(w.files, "signing_config.json"),
		"TRUSTED_ROOT":   filepath.Join(w.files, "trusted_root.json"),
	} {
		env.Setenv(k, v)
	}
	return nil
}

func (w *world) layout() testimage.Layout {
	return testimage.Layout{
		Images:  map[string]*testimage.Image{"latest": w.image},
		Indexes: map[string]*testimage.Index{"multi": w.index},
	}
}

// exits CODE COMMAND [ARG...] runs a program that must exit with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exits with %d, want %d", args[1], got, want)
	}
}

// expand FILE... puts the script's variables into files, as $NAME.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	for _, file := range args {
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(os.Expand(ts.ReadFile(file), ts.Getenv)), 0o644))
	}
}

// replace OLD NEW FILE changes a file, which must hold OLD.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace OLD NEW FILE")
	}
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%s does not hold %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.ReplaceAll(text, args[0], args[1])), 0o644))
}

// detach FILE deletes from the registry what assay attest has printed into the file.
func detach(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: detach FILE")
	}
	ref, err := name.NewDigest(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(remote.Delete(ref))
}

// alone FILE checks that there is nothing else in the file's folder: no remains of
// writing it.
func alone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: alone FILE")
	}
	path := ts.MkAbs(args[0])
	entries, err := os.ReadDir(filepath.Dir(path))
	ts.Check(err)
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		ts.Fatalf("beside %s: %v", path, fmt.Sprint(entries))
	}
}
