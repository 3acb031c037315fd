package verify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/vex"
)

const (
	builderID = "https://builder.example/v1"
	vexAuthor = "security@example.com"
	source    = "https://git.example/org/app"
	commit    = "0123456789abcdef0123456789abcdef01234567"
)

// at is the time of asking of all tests that do not say another.
var at = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// status is a package database with two packages.
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

// fixture is an image with a full set of genuine evidence.
type fixture struct {
	image    *testimage.Image
	digest   assay.Digest
	contents *sbom.Contents

	signer, stranger *attest.KeySigner
	sbom             *assay.SBOM
	posture          *assay.Posture
	provenance       *assay.Provenance
	vex              *assay.VEX
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{image: testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) {
		c.Config.User = "65532:65532"
		c.Config.Entrypoint = []string{"/usr/bin/app"}
		c.Config.Env = []string{"PATH=/usr/bin"}
	}}, testimage.Layer{Files: []testimage.File{
		{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\nNAME=\"Debian GNU/Linux\"\n"},
		{Name: "etc/passwd", Body: "nonroot:x:65532:65532::/:/sbin/nologin\n"},
		{Name: "etc/group", Body: "nonroot:x:65532:\n"},
		{Name: "var/lib/dpkg/status", Body: status},
	}}, testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: "program"}}})}
	f.digest = f.image.ID()
	f.signer, f.stranger = newSigner(t), newSigner(t)

	var err error
	if f.contents, err = sbom.Scan(context.Background(), f.image, sbom.Options{Digest: f.digest, Repository: "registry.example/app"}); err != nil {
		t.Fatal(err)
	}
	f.sbom = f.contents.SBOM
	if f.posture, err = posture.Assess(f.contents, posture.Options{}); err != nil {
		t.Fatal(err)
	}
	f.provenance = newProvenance()
	f.vex = f.newVEX(t, func(d *vex.Draft, product assay.Product) {
		d.NotAffected("CVE-2026-1000", assay.VulnerableCodeNotPresent, product)
	})
	return f
}

func newSigner(t testing.TB) *attest.KeySigner {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.NewKeySigner(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newProvenance() *assay.Provenance {
	c, err := assay.NewDigest(assay.GitCommit, commit)
	if err != nil {
		panic(err)
	}
	return &assay.Provenance{
		BuildType:          "https://builder.example/type/v1",
		ExternalParameters: map[string]json.RawMessage{"target": json.RawMessage(`"app"`)},
		Builder:            assay.Builder{ID: builderID},
		Materials:          []assay.Resource{{URI: "git+" + source, Digest: assay.DigestSet{c}}},
	}
}

// newVEX authors a document about the fixture's image, through its package libfoo.
func (f *fixture) newVEX(t testing.TB, say func(*vex.Draft, assay.Product)) *assay.VEX {
	t.Helper()
	return newVEXAbout(t, f.digest, say, vex.ComponentProduct(f.component(t, "libfoo")))
}

func newVEXAbout(t testing.TB, digest assay.Digest, say func(*vex.Draft, assay.Product), parts ...assay.Product) *assay.VEX {
	t.Helper()
	product, err := vex.ImageProduct(digest, "registry.example/app", parts...)
	if err != nil {
		t.Fatal(err)
	}
	d := vex.New(vexAuthor, vex.Options{Time: at.Add(-time.Hour)})
	say(d, product)
	doc, err := d.Build()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func (f *fixture) component(t testing.TB, name string) assay.Component {
	t.Helper()
	for _, c := range f.sbom.Components {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("the SBOM has no %s", name)
	return assay.Component{}
}

func (f *fixture) subject() assay.Subject {
	return assay.Subject{Name: "registry.example/app", Digest: assay.DigestSet{f.digest}}
}

// sign makes an envelope of evidence about the fixture's image, or about others.
func (f *fixture) sign(t testing.TB, s attest.Signer, e assay.Evidence, subjects ...assay.Subject) assay.Envelope {
	t.Helper()
	if len(subjects) == 0 {
		subjects = []assay.Subject{f.subject()}
	}
	stmt, err := attest.NewStatement(e, attest.StatementOptions{}, subjects...)
	if err != nil {
		t.Fatal(err)
	}
	env, err := attest.Sign(context.Background(), s, stmt)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// raw signs a payload as it is.
func (f *fixture) raw(t testing.TB, payload string) assay.Envelope {
	t.Helper()
	env, err := f.signer.Sign(context.Background(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// genuine is all the evidence, signed by the right signer.
func (f *fixture) genuine(t testing.TB) []assay.Envelope {
	t.Helper()
	return []assay.Envelope{f.sign(t, f.signer, f.sbom), f.sign(t, f.signer, f.provenance), f.sign(t, f.signer, f.vex), f.sign(t, f.signer, f.posture)}
}

func (f *fixture) trust() verify.Trust {
	return verify.Trust{Keys: []verify.Key{{Public: f.signer.Public()}}}
}

func (f *fixture) policy() verify.Policy {
	return verify.Policy{
		Signers: []verify.SignerRule{{Name: "ci", Key: f.signer.Identity().Key, Builders: []string{builderID}, VEXAuthors: []string{vexAuthor}}},
		Require: []assay.Kind{assay.KindSBOM, assay.KindProvenance, assay.KindVEX, assay.KindPosture},
		Stage:   assay.Hardened,
	}
}

// verify asks about the image's digest, with its bytes at hand.
func (f *fixture) verify(t testing.TB, envelopes []assay.Envelope, opts ...verify.Option) *verify.Report {
	t.Helper()
	return f.askAbout(t, f.policy(), envelopes, opts...)
}

// askAbout is verify with another policy.
func (f *fixture) askAbout(t testing.TB, policy verify.Policy, envelopes []assay.Envelope, opts ...verify.Option) *verify.Report {
	t.Helper()
	return f.ask(t, policy, opts, attest.FromEnvelopes(envelopes...), attest.FromImage(f.image))
}

// askWith is askAbout with another trust, at another time.
func (f *fixture) askWith(t testing.TB, trust verify.Trust, policy verify.Policy, when time.Time, envelopes []assay.Envelope) *verify.Report {
	t.Helper()
	v, err := verify.New(trust, policy, verify.At(when))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(context.Background(), f.digest, attest.FromEnvelopes(envelopes...), attest.FromImage(f.image))
	if err != nil {
		t.Fatal(err)
	}
	replays(t, r)
	return r
}

func (f *fixture) ask(t testing.TB, policy verify.Policy, opts []verify.Option, sources ...attest.Source) *verify.Report {
	t.Helper()
	v, err := verify.New(f.trust(), policy, append([]verify.Option{verify.At(at)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(context.Background(), f.digest, sources...)
	if err != nil {
		t.Fatal(err)
	}
	replays(t, r)
	return r
}

func check(t testing.TB, r *verify.Report, id string, state assay.State, reason verify.Reason) verify.Check {
	t.Helper()
	c, ok := r.Check(id)
	if !ok {
		t.Fatalf("there is no check %s", id)
	}
	if c.State != state || c.Reason != reason {
		t.Errorf("%s is %s, %s (%s: %q), want %s, %s", id, c.State, c.Reason, c.Detail, c.Findings, state, reason)
	}
	return c
}
