package verify_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/verify"
)

// baseLayer is the lowest layer of the images that [newFixture] makes.
func baseLayer() testimage.Layer {
	return testimage.Layer{Files: []testimage.File{
		{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\nNAME=\"Debian GNU/Linux\"\n"},
		{Name: "etc/passwd", Body: "nonroot:x:65532:65532::/:/sbin/nologin\n"},
		{Name: "etc/group", Body: "nonroot:x:65532:\n"},
		{Name: "var/lib/dpkg/status", Body: status},
	}}
}

// swapped is a source that has another image than the one it is asked for.
type swapped struct{ image v1.Image }

func (swapped) Discover(_ context.Context, d assay.Digest) (*attest.Found, error) {
	return &attest.Found{Bundle: assay.NewBundle(d)}, nil
}
func (s swapped) Image(context.Context, assay.Digest) (v1.Image, error) { return s.image, nil }

func TestBase(t *testing.T) {
	f := newFixture(t)
	base := testimage.New(t, baseLayer())
	other := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "etc/os-release", Body: "ID=other\n"}}})
	names := func(digests ...assay.Digest) []assay.Resource {
		var out []assay.Resource
		for _, d := range digests {
			out = append(out, assay.Resource{URI: "pkg:docker/base@1", Digest: assay.DigestSet{d}})
		}
		return out
	}
	image := attest.FromImage(f.image)
	for name, tt := range map[string]struct {
		policy    []assay.Digest
		materials []assay.Resource
		sources   []attest.Source
		state     assay.State
		reason    verify.Reason
		says      string
	}{
		"named by the policy":      {[]assay.Digest{base.ID()}, nil, []attest.Source{image, attest.FromImage(base)}, assay.Proven, verify.Holds, "lowest 1 layers"},
		"named by the provenance":  {nil, names(base.ID()), []attest.Source{image, attest.FromImage(base)}, assay.Proven, verify.Holds, "pkg:docker/base@1"},
		"beside that of a stage":   {nil, names(other.ID(), base.ID()), []attest.Source{image, attest.FromImage(other), attest.FromImage(base)}, assay.Proven, verify.Holds, base.ID().String()},
		"one of several":           {[]assay.Digest{other.ID(), base.ID()}, nil, []attest.Source{image, attest.FromImage(base)}, assay.Proven, verify.Holds, base.ID().String()},
		"another":                  {[]assay.Digest{other.ID()}, nil, []attest.Source{image, attest.FromImage(other)}, assay.Refuted, verify.BaseNotAllowed, "none of the base images"},
		"named by the wrong one":   {[]assay.Digest{other.ID()}, names(base.ID()), []attest.Source{image, attest.FromImage(other), attest.FromImage(base)}, assay.Refuted, verify.BaseNotAllowed, "none of the base images"},
		"a stage alone":            {nil, names(other.ID()), []attest.Source{image, attest.FromImage(other)}, assay.Unknown, verify.NotShown, "not shown"},
		"not to be had":            {[]assay.Digest{base.ID()}, nil, []attest.Source{image}, assay.Unknown, verify.NotShown, "not shown"},
		"another under its digest": {[]assay.Digest{base.ID()}, nil, []attest.Source{image, swapped{other}}, assay.Unknown, verify.NotShown, "not shown"},
		"without the image":        {[]assay.Digest{base.ID()}, nil, []attest.Source{attest.FromImage(base)}, assay.Unknown, verify.NoContents, "no source has the image"},
		"none named":               {nil, nil, []attest.Source{image}, assay.Unknown, verify.NotStated, "neither"},
		"a material of no image":   {nil, []assay.Resource{{URI: "https://example.com/base", Digest: assay.DigestSet{base.ID()}}}, []attest.Source{image}, assay.Unknown, verify.NotStated, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvenance()
			p.Materials = append(p.Materials, tt.materials...)
			policy := verify.Policy{Signers: f.policy().Signers, Bases: tt.policy}
			r := f.ask(t, policy, nil, append([]attest.Source{attest.FromEnvelopes(f.sign(t, f.signer, p))}, tt.sources...)...)
			c := check(t, r, verify.CheckBase, tt.state, tt.reason)
			if !strings.Contains(c.Detail, tt.says) {
				t.Errorf("detail is %q, want %q", c.Detail, tt.says)
			}
			// What the policy asks for fails it where it is not proven.
			if want := len(tt.policy) > 0; c.Required != want || want && tt.state != assay.Proven && r.Err() == nil {
				t.Errorf("required %v, error %v", c.Required, r.Err())
			}
		})
	}
}

// What a record says of a base image is proven again, from the base's own documents.
func TestBaseInRecord(t *testing.T) {
	f := newFixture(t)
	base := testimage.New(t, baseLayer())
	other := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "a", Body: "b"}}})
	policy := verify.Policy{Signers: f.policy().Signers, Bases: []assay.Digest{base.ID()}}
	r := f.ask(t, policy, nil, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image), attest.FromImage(base))
	text := string(record(t, r))
	manifest := func(i *testimage.Image) string {
		raw, err := i.RawManifest()
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	lie := strings.Replace(text, manifest(base), manifest(other), 1)
	if lie == text {
		t.Fatal("the record has no manifest of the base")
	}
	rec, err := verify.ReadRecord("record.json", []byte(lie))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Replay(context.Background(), nil); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("with another base under the digest: %v", err)
	}
	if _, err := verify.ReadRecord("record.json", []byte(strings.Replace(text, `,"config":"`, `,"other":"`, 1))); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("half a base was read: %v", err)
	}
}
