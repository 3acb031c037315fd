package cosign_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/cosign"
	"github.com/assaykit/assay/attest/keyless"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/internal/testserver"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
)

// program is the real cosign, with a home and a key of its own.
type program struct {
	t      *testing.T
	path   string
	dir    string
	env    []string
	public crypto.PublicKey
}

// theCosign needs ASSAY_SERVERS, where it is beside the servers.
func theCosign(t *testing.T) *program {
	t.Helper()
	testserver.Require(t)
	path, err := testserver.Binary("cosign")
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, path: path, dir: t.TempDir()}
	p.run("generate-key-pair")
	p.public = must(cosign.ParsePublicKey("cosign.pub", must(os.ReadFile(filepath.Join(p.dir, "cosign.pub")))))
	p.file("predicate.json", []byte(`{"a":1}`))
	// It wants a root of trust even where only a key is to be trusted.
	p.file("root.json", testsigstore.NewVirtual(t).TrustedRootJSON())
	return p
}

func (p *program) file(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) try(args ...string) (string, error) {
	cmd := exec.CommandContext(p.t.Context(), p.path, args...)
	cmd.Dir = p.dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "COSIGN_") || strings.HasPrefix(s, "SIGSTORE_") }),
		"HOME="+p.dir, "COSIGN_PASSWORD=pw", "COSIGN_EXPERIMENTAL=1", "TUF_ROOT="+p.dir)
	cmd.Env = append(cmd.Env, p.env...)
	out, err := cmd.Output()
	if err != nil {
		err = errors.Join(err, errors.New(stderr.String()))
	}
	return string(out), err
}

func (p *program) run(args ...string) string {
	p.t.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.t.Fatalf("cosign %s: %v", strings.Join(args, " "), err)
	}
	return out
}

var withReferrersAndWithout = map[string]func(testing.TB, testregistry.Options) *testregistry.Registry{
	"distribution": testregistry.Start, "with the referrers API": testregistry.InProcess,
}

// found reads everything about a digest, sorts it by what it says it is, and checks
// each signature with the key: that is how to see that bytes and annotations arrived.
func found(t *testing.T, src attest.Source, d assay.Digest, key crypto.PublicKey) (kinds []string, places map[string][]string) {
	t.Helper()
	f := must(src.Discover(t.Context(), d))
	if !f.Complete() {
		t.Errorf("faults %v", f.Faults)
	}
	places = map[string][]string{}
	for e := range f.Bundle.Envelopes() {
		u, err := attest.ReadUnverified(e)
		if err != nil {
			t.Fatal(err)
		}
		if len(u.Subjects) != 1 || !u.Subjects[0].Digest.Has(d) {
			t.Errorf("%s is about %v", u, u.Subjects)
		}
		kind := string(u.Format) + " " + string(u.PredicateType)
		kinds = append(kinds, kind)
		places[kind] = append(places[kind], e.Sources()...)
		if key != nil {
			checkSignature(t, e, key)
		}
	}
	slices.Sort(kinds)
	return kinds, places
}

func checkSignature(t *testing.T, e assay.Envelope, key crypto.PublicKey) {
	t.Helper()
	var doc struct {
		DSSEEnvelope *json.RawMessage
		PayloadType  string
		Payload      []byte
		Signatures   []struct{ Sig []byte }
	}
	message, sig := e.Raw(), []byte(nil)
	if s := e.Annotations()[assay.AnnotationSignature]; s != "" {
		sig = must(base64.StdEncoding.DecodeString(s))
	} else {
		if err := json.Unmarshal(message, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.DSSEEnvelope != nil {
			if err := json.Unmarshal(*doc.DSSEEnvelope, &doc); err != nil {
				t.Fatal(err)
			}
		}
		message, sig = attest.PAE(doc.PayloadType, doc.Payload), doc.Signatures[0].Sig
	}
	sum := sha256.Sum256(message)
	ok := false
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(key, sum[:], sig)
	case ed25519.PublicKey:
		ok = ed25519.Verify(key, message, sig)
	case *rsa.PublicKey:
		ok = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil
	}
	if !ok {
		t.Errorf("the signature of %s in %v is not over what was found", e.MediaType(), e.Sources())
	}
}

// What cosign signs and attaches, in each of its formats, is found as it was made; so
// is what it saves to a folder and loads from there.
func TestProgramAttaches(t *testing.T) {
	for name, start := range withReferrersAndWithout {
		t.Run(name, func(t *testing.T) {
			p := theCosign(t)
			r := start(t, testregistry.Options{})
			ref := pushed(t, r)
			digest := assay.MustDigest(ref.DigestStr())
			by := []string{"--key", "cosign.key", "--tlog-upload=false", "--yes"}
			do := func(command string, more ...string) {
				t.Helper()
				p.run(slices.Concat([]string{command}, by, more, []string{ref.String()})...)
			}
			statement := func(n string) []string {
				return []string{"--predicate", "predicate.json", "--type", "https://example.com/" + n}
			}
			do("sign")
			do("sign", "--annotations", "n=2")
			do("attest", statement("tag")...)
			do("attest", statement("tag2")...)
			const payload, dsse, bundle = "cosign signature ", "DSSE envelope https://example.com/", "sigstore bundle "
			inTags := []string{dsse + "tag", dsse + "tag2", payload, payload}

			// These are what "cosign save" keeps.
			p.run("save", "--dir", "saved", ref.String())
			kinds, _ := found(t, attest.FromLayout(filepath.Join(p.dir, "saved")), digest, p.public)
			if diff := cmp.Diff(inTags, kinds); diff != "" {
				t.Errorf("saved (-want +got):\n%s", diff)
			}
			again := r.Ref("loaded:v1")
			p.run("load", "--dir", "saved", again)
			if kinds, _ = found(t, attest.FromRegistry(again, image.Registry{}), digest, p.public); !cmp.Equal(inTags, kinds) {
				t.Errorf("loaded %v", kinds)
			}

			do("sign", "--registry-referrers-mode=oci-1-1", "--annotations", "n=3")
			do("sign", "--new-bundle-format", "--trusted-root", "root.json")
			do("attest", append(statement("bundle"), "--new-bundle-format", "--trusted-root", "root.json")...)
			want := slices.Concat(inTags, []string{payload, bundle + "https://sigstore.dev/cosign/sign/v1", bundle + "https://example.com/bundle"})
			slices.Sort(want)
			src := attest.FromRegistry(r.Ref("app"), image.Registry{})
			kinds, places := found(t, src, digest, p.public)
			if diff := cmp.Diff(want, kinds); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			tag := r.Ref("app:sha256-" + digest.Hex())
			if diff := cmp.Diff([]string{tag + ".att"}, places[dsse+"tag"]); diff != "" {
				t.Error(diff)
			}
			if n := len(slices.Compact(slices.Sorted(slices.Values(places[payload])))); n != 2 {
				t.Errorf("signatures are in %v", places[payload])
			}
			// Read beside the folder, each is there once, and both places are named.
			kinds, places = found(t, attest.Join(src, attest.FromLayout(filepath.Join(p.dir, "saved"))), digest, p.public)
			if diff := cmp.Diff(want, kinds); diff != "" {
				t.Errorf("joined (-want +got):\n%s", diff)
			}
			if len(places[dsse+"tag"]) != 2 {
				t.Errorf("found in %v", places[dsse+"tag"])
			}
		})
	}
}

// What it made in each format is proven by the key, with what it says.
func TestProgramIsVerified(t *testing.T) {
	p := theCosign(t)
	r := testregistry.Start(t, testregistry.Options{})
	p.file("result.json", []byte(`{"result":"PASSED","configuration":[]}`))
	policy := verify.Policy{Signers: []verify.SignerRule{{Name: "ci", Key: must(attest.KeyID(p.public))}}, Require: []assay.Kind{assay.KindTestResult}, ContentsUnsafe: true}
	v := must(verify.New(verify.Trust{Keys: []verify.Key{must(verify.ParseKey("cosign.pub", must(os.ReadFile(filepath.Join(p.dir, "cosign.pub")))))}}, policy))
	for name, more := range map[string][]string{"tag": nil, "bundle": {"--new-bundle-format", "--trusted-root", "root.json"}} {
		ref := pushed(t, r)
		by := []string{"--key", "cosign.key", "--tlog-upload=false", "--yes"}
		p.run(slices.Concat([]string{"sign"}, by, more, []string{ref.String()})...)
		p.run(slices.Concat([]string{"attest", "--predicate", "result.json", "--type", string(assay.PredicateTest)}, by, more, []string{ref.String()})...)
		src := attest.FromRegistry(ref.Context().Name(), image.Registry{})
		report := must(v.Verify(t.Context(), assay.MustDigest(ref.DigestStr()), src))
		if report.Err() != nil || len(report.Attestations) != 2 {
			t.Errorf("%s: %v", name, report.Err())
		}
		for _, a := range report.Attestations {
			if a.State != assay.Proven {
				t.Errorf("%s: %+v", name, a)
			}
		}
		// Nothing of it is about another image.
		if report := must(v.Verify(t.Context(), assay.MustDigest(pushed(t, r).DigestStr()), src)); report.Err() == nil {
			t.Errorf("%s: proven for another image", name)
		}
	}
}

// What cosign signs of an index and, with --recursive, of each image in it.
func TestProgramSignsIndex(t *testing.T) {
	p := theCosign(t)
	r := testregistry.Start(t, testregistry.Options{})
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: must(random.Image(64, 1)), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	ref := must(name.NewDigest(r.Ref("app@" + must(idx.Digest()).String())))
	if err := remote.WriteIndex(ref, idx); err != nil {
		t.Fatal(err)
	}
	p.run("sign", "--key", "cosign.key", "--tlog-upload=false", "--yes", "--recursive", ref.String())
	p.run("attest", "--key", "cosign.key", "--tlog-upload=false", "--yes", "--predicate", "predicate.json", "--type", "https://example.com/x", ref.String())
	p.run("save", "--dir", "saved", ref.String())
	digest := assay.MustDigest(ref.DigestStr())
	for name, tt := range map[string]struct {
		src   attest.Source
		below int // of each platform: they are not among what is saved
	}{
		"registry": {attest.FromRegistry(r.Ref("app"), image.Registry{}), 1}, "layout": {attest.FromLayout(filepath.Join(p.dir, "saved")), 0},
	} {
		f := must(tt.src.Discover(t.Context(), digest))
		platforms := 0
		for b := range f.Bundle.Platforms() {
			platforms++
			if b.Bundle.Len() != tt.below {
				t.Errorf("%s: %s has %d", name, b.Platform, b.Bundle.Len())
			}
		}
		if !f.Complete() || f.Bundle.Len() != 2 || platforms != 2 {
			t.Errorf("%s: %d, %d platforms, faults %v", name, f.Bundle.Len(), platforms, f.Faults)
		}
	}
}

// What is published here, cosign verifies, lists and downloads.
func TestProgramVerifies(t *testing.T) {
	for name, start := range withReferrersAndWithout {
		t.Run(name, func(t *testing.T) {
			p := theCosign(t)
			r := start(t, testregistry.Options{})
			ref := pushed(t, r)
			signer := must(cosign.LoadSigner("cosign.key", must(os.ReadFile(filepath.Join(p.dir, "cosign.key"))), []byte("pw")))
			attached := must(attest.Publish(t.Context(), signer, ref.String(), attest.PublishOptions{}, testResult))
			p.listsAndDownloads(ref, attached)
			verify := []string{"verify-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog", "--new-bundle-format", "--trusted-root", "root.json", "--type"}
			p.run(append(verify, string(assay.PredicateTest), ref.String())...)
			if _, err := p.try(append(verify, "https://example.com/other", ref.String())...); err == nil {
				t.Error("verified as a statement of another type")
			}
			if _, err := p.try(append(verify, string(assay.PredicateTest), pushed(t, r).String())...); err == nil {
				t.Error("verified for another image")
			}
			other := theCosign(t)
			if _, err := other.try(append(verify, string(assay.PredicateTest), ref.String())...); err == nil {
				t.Error("verified by another key")
			}
		})
	}
}

// listsAndDownloads checks that "cosign tree" names what was attached, and that
// "cosign download attestation" gives its bytes.
func (p *program) listsAndDownloads(ref name.Digest, attached *attest.Attached) {
	p.t.Helper()
	a := attached.Referrers[0]
	tree := p.run("tree", "--experimental-oci11", ref.String())
	if !strings.Contains(tree, a.Manifest.String()) || !strings.Contains(tree, a.Envelope.String()) {
		p.t.Errorf("tree does not have %s:\n%s", a.Manifest, tree)
	}
	down := strings.TrimSpace(p.run("download", "attestation", ref.String()))
	f := must(attest.FromRegistry(ref.Context().Name(), image.Registry{}).Discover(p.t.Context(), assay.MustDigest(ref.DigestStr())))
	for e := range f.Bundle.Envelopes() {
		var got, want any
		if err := errors.Join(json.Unmarshal([]byte(down), &got), json.Unmarshal(e.Raw(), &want)); err != nil {
			p.t.Fatalf("%v: %s", err, down)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			p.t.Errorf("downloaded (-want +got):\n%s", diff)
		}
	}
}

// Keyless, with the servers of a private sigstore: what is signed here cosign verifies,
// and what it signs is found.
func TestProgramKeyless(t *testing.T) {
	p := theCosign(t)
	stack := testsigstore.Start(t)
	p.file("private.json", stack.TrustedRootJSON())
	r := testregistry.Start(t, testregistry.Options{})
	ref := pushed(t, r)
	claims := testsigstore.EmailClaims("dev@example.com")
	token := func() string { return must(stack.Token(t.Context(), claims)) }

	signer := must(keyless.New(keyless.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON(), Token: keyless.StaticToken(token())}))
	attached := must(attest.Publish(t.Context(), signer, ref.String(), attest.PublishOptions{}, testResult))
	p.listsAndDownloads(ref, attached)
	// The private authority has no log of certificates.
	verify := []string{"verify-attestation", "--new-bundle-format", "--trusted-root", "private.json", "--use-signed-timestamps", "--insecure-ignore-sct", "--certificate-oidc-issuer", stack.Issuer(),
		"--type", string(assay.PredicateTest), "--certificate-identity"}
	p.run(append(verify, "dev@example.com", ref.String())...)
	if _, err := p.try(append(verify, "eve@example.com", ref.String())...); err == nil {
		t.Error("verified for somebody else")
	}

	// This cosign writes entries of a type that version 2 of the log does not take any
	// more, so the timestamp is the only witness.
	root := filepath.Join(p.dir, "fulcio.pem")
	p.file("fulcio.pem", authority(t, stack.TrustedRootJSON()))
	p.env = append(p.env, "SIGSTORE_ROOT_FILE="+root)
	by := []string{"--fulcio-url", stack.FulcioURL, "--timestamp-server-url", stack.TimestampURL, "--tlog-upload=false", "--insecure-skip-verify", "--yes"}
	for name, more := range map[string][]string{
		"tag": {"attest", "--predicate", "predicate.json", "--type", "https://example.com/tag"}, "sign": {"sign"},
		"bundle": {"attest", "--predicate", "predicate.json", "--type", "https://example.com/bundle", "--new-bundle-format"},
	} {
		p.file(name, []byte(token())) // which is too long to be told from a file's name
		p.run(slices.Concat(more, by, []string{"--identity-token", name, ref.String()})...)
	}
	src := attest.FromRegistry(r.Ref("app"), image.Registry{})
	kinds, _ := found(t, src, assay.MustDigest(ref.DigestStr()), nil)
	if diff := cmp.Diff([]string{"DSSE envelope https://example.com/tag", "cosign signature ", "sigstore bundle https://example.com/bundle", "sigstore bundle " + string(assay.PredicateTest)}, kinds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for e := range must(src.Discover(t.Context(), assay.MustDigest(ref.DigestStr()))).Bundle.Envelopes() {
		u := must(attest.ReadUnverified(e))
		if len(u.Signatures) != 1 || !slices.Equal(u.Signatures[0].Names, []string{"dev@example.com"}) || u.Signatures[0].Issuer != stack.Issuer() || u.Timestamps != 1 {
			t.Errorf("%s: signed %+v, %d timestamps", u, u.Signatures, u.Timestamps)
		}
		if e.MediaType() != assay.MediaTypeSigstoreBundle {
			checkSignature(t, e, must(x509.ParseCertificate(pemBlock(t, e.Annotations()[assay.AnnotationCertificate]))).PublicKey)
		}
	}
}

func pemBlock(t *testing.T, s string) []byte {
	t.Helper()
	b, _ := pem.Decode([]byte(s))
	if b == nil {
		t.Fatalf("not PEM: %q", s)
	}
	return b.Bytes
}

// authority gives the certificates of the authority in a trusted root, in PEM.
func authority(t *testing.T, trusted []byte) []byte {
	t.Helper()
	var doc struct {
		CertificateAuthorities []struct {
			CertChain struct {
				Certificates []struct{ RawBytes []byte }
			}
		}
	}
	if err := json.Unmarshal(trusted, &doc); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, c := range doc.CertificateAuthorities[0].CertChain.Certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.RawBytes})...)
	}
	return out
}
