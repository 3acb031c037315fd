package verify_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
)

// bases are images for one platform each, and what is built on the first.
type indexFixture struct {
	*fixture
	base, arm, other *testimage.Image
	amd64, arm64     assay.Platform
}

func newIndexFixture(t *testing.T) indexFixture {
	t.Helper()
	return indexFixture{
		fixture: newFixture(t), base: testimage.New(t, baseLayer()),
		arm:   testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.Architecture = "arm64" }}, testimage.Layer{Files: []testimage.File{{Name: "etc/arm", Body: "arm"}}}),
		other: testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "etc/other", Body: "other"}}}),
		amd64: assay.Platform{OS: "linux", Architecture: "amd64"}, arm64: assay.Platform{OS: "linux", Architecture: "arm64"},
	}
}

// A build whose FROM line has no platform names its base by the digest of an index.
func TestBaseByIndex(t *testing.T) {
	t.Run("in process", func(t *testing.T) { testBaseByIndex(t, testregistry.InProcess(t, testregistry.Options{})) })
	t.Run("distribution", func(t *testing.T) { testBaseByIndex(t, testregistry.Start(t, testregistry.Options{})) })
}

func testBaseByIndex(t *testing.T, registry *testregistry.Registry) {
	f := newIndexFixture(t)
	amd64 := func(i *testimage.Image) testimage.Member { return testimage.Member{Image: i, Platform: f.amd64} }
	arm64 := testimage.Member{Image: f.arm, Platform: f.arm64}
	missing := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "etc/gone", Body: "gone"}}})
	for what, tt := range map[string]struct {
		members []testimage.Member
		gone    *testimage.Image
		state   assay.State
		reason  verify.Reason
		says    string
	}{
		"one":                        {[]testimage.Member{arm64, amd64(f.base)}, nil, assay.Proven, verify.Holds, f.base.ID().String() + " in index "},
		"variant":                    {[]testimage.Member{{Image: f.base, Platform: assay.Platform{OS: "linux", Architecture: "amd64", Variant: "v3"}}}, nil, assay.Proven, verify.Holds, "lowest 1 layers"},
		"no platform stated":         {[]testimage.Member{arm64, {Image: f.base}}, nil, assay.Proven, verify.Holds, "lowest 1 layers"},
		"two of one platform":        {[]testimage.Member{amd64(f.other), amd64(f.base)}, nil, assay.Proven, verify.Holds, f.base.ID().String()},
		"two of one platform, other": {[]testimage.Member{amd64(f.other), amd64(missing)}, nil, assay.Refuted, verify.BaseNotAllowed, "none of the base images"},
		"another":                    {[]testimage.Member{arm64, amd64(f.other)}, nil, assay.Refuted, verify.BaseNotAllowed, "none of the base images"},
		"of another platform":        {[]testimage.Member{arm64}, nil, assay.Unknown, verify.NotShown, "not shown"},
		"its own attestation":        {[]testimage.Member{{Image: f.base, Attests: f.base}}, nil, assay.Unknown, verify.NotShown, "not shown"},
		"itself":                     {[]testimage.Member{amd64(f.image)}, nil, assay.Unknown, verify.NotShown, "not shown"},
		"child missing":              {[]testimage.Member{amd64(f.other), amd64(missing)}, missing, assay.Unknown, verify.NotShown, "not shown"},
		"child missing, other there": {[]testimage.Member{amd64(missing), amd64(f.base)}, missing, assay.Proven, verify.Holds, f.base.ID().String()},
	} {
		t.Run(what, func(t *testing.T) {
			repository := registry.Ref(strings.ReplaceAll(strings.ReplaceAll(what, " ", "-"), ",", ""))
			for _, m := range tt.members {
				testimage.Push(t, repository+":part", m.Image)
			}
			x := testimage.NewIndex(t, tt.members...)
			testimage.PushIndex(t, repository+":base", x)
			if tt.gone != nil {
				r, err := name.NewDigest(repository + "@" + tt.gone.ID().String())
				if err != nil {
					t.Fatal(err)
				}
				if err := remote.Delete(r); err != nil {
					t.Fatal(err)
				}
			}
			policy := verify.Policy{Signers: f.policy().Signers, Bases: []assay.Digest{x.ID()}}
			r := f.ask(t, policy, nil, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image), attest.FromRegistry(repository, image.Registry{PlainHTTP: []string{registry.Host}}))
			c := check(t, r, verify.CheckBase, tt.state, tt.reason)
			if !strings.Contains(c.Detail, tt.says) {
				t.Errorf("detail is %q, findings %q, want %q", c.Detail, c.Findings, tt.says)
			}
			if (r.Err() == nil) != (tt.state == assay.Proven) {
				t.Errorf("got %v", r.Err())
			}
			if tt.gone != nil && tt.state == assay.Unknown && !strings.Contains(strings.Join(c.Findings, " "), missing.ID().String()) {
				t.Errorf("the findings do not name what is missing: %q", c.Findings)
			}
		})
	}
}

// Provenance of the base counts whether it is of the index or of the image in it, and a
// material that names the index is compared as well.
func TestBaseByIndexNamedByProvenance(t *testing.T) {
	f := newIndexFixture(t)
	x := testimage.NewIndex(t, testimage.Member{Image: f.arm, Platform: f.arm64}, testimage.Member{Image: f.base, Platform: f.amd64})
	for what, about := range map[string]assay.Digest{"the index": x.ID(), "the image": f.base.ID()} {
		t.Run(what, func(t *testing.T) {
			p := newProvenance()
			p.Materials = append(p.Materials, assay.Resource{URI: "pkg:docker/base@1", Digest: assay.DigestSet{x.ID()}})
			subject := assay.Subject{Digest: assay.DigestSet{about}}
			r := f.ask(t, verify.Policy{Signers: f.policy().Signers}, []verify.Option{verify.Components(attest.FromEnvelopes(f.sign(t, f.signer, newProvenance(), subject)))},
				attest.FromEnvelopes(f.sign(t, f.signer, p)), attest.FromImage(f.image), attest.FromIndex(indexOf(t, x)))
			check(t, r, verify.CheckBase, assay.Proven, verify.Holds)
			if len(r.Components.Proven) != 1 || r.Components.Proven[0].Digest != about {
				t.Errorf("got %+v", r.Components)
			}
		})
	}
}

// The image that is the base may be listed by an index below the one that is named.
func TestBaseInIndexBelow(t *testing.T) {
	f := newIndexFixture(t)
	nested := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: f.base})
	top := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: f.other}, mutate.IndexAddendum{Add: nested})
	for what, named := range map[string]v1.ImageIndex{"the index above": top, "the index below": nested} {
		h, err := named.Digest()
		if err != nil {
			t.Fatal(err)
		}
		policy := verify.Policy{Signers: f.policy().Signers, Bases: []assay.Digest{assay.MustDigest(h.String())}}
		r := f.ask(t, policy, nil, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image), attest.FromIndex(top))
		c := check(t, r, verify.CheckBase, assay.Proven, verify.Holds)
		if !strings.Contains(c.Detail, f.base.ID().String()+" in index "+h.String()) || r.Err() != nil {
			t.Errorf("%s: %q, %v", what, c.Detail, r.Err())
		}
	}
}

// indexOf opens an index as who read it from a layout has it.
func indexOf(t *testing.T, x *testimage.Index) v1.ImageIndex {
	t.Helper()
	o, err := image.Open(t.Context(), "oci:"+testimage.WriteLayout(t, testimage.Layout{Indexes: map[string]*testimage.Index{"base": x}})+"@"+x.ID().String(), image.Options{Platform: assay.Platform{OS: "linux", Architecture: "amd64"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o.Index()
}

// What a record says of an index is held to the index's digest when it is replayed.
func TestBaseIndexInRecord(t *testing.T) {
	f := newIndexFixture(t)
	x := testimage.NewIndex(t, testimage.Member{Image: f.base, Platform: f.amd64})
	other := testimage.NewIndex(t, testimage.Member{Image: f.base, Platform: f.amd64}, testimage.Member{Image: f.other, Platform: f.amd64})
	policy := verify.Policy{Signers: f.policy().Signers, Bases: []assay.Digest{x.ID()}}
	r := f.ask(t, policy, nil, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image), attest.FromIndex(indexOf(t, x)))
	check(t, r, verify.CheckBase, assay.Proven, verify.Holds)
	text := string(record(t, r))
	lie := strings.Replace(text, base64.StdEncoding.EncodeToString(x.Raw), base64.StdEncoding.EncodeToString(other.Raw), 1)
	if lie == text {
		t.Fatal("the record has no index")
	}
	rec, err := verify.ReadRecord("record.json", []byte(lie))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Replay(t.Context(), nil); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("with another index under the digest: %v", err)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for _, b := range doc["bases"].([]any) {
		b.(map[string]any)["index"] = "e30="
	}
	both, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.ReadRecord("record.json", both); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/bases/") {
		t.Errorf("an image that is an index was read: %v", err)
	}
}
