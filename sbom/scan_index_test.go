package sbom_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// testIndex is a [v1.ImageIndex] whose parts can be swapped.
type testIndex struct {
	raw    []byte
	digest v1.Hash
	images map[v1.Hash]v1.Image
	below  map[v1.Hash]v1.ImageIndex
	err    error
}

func (x *testIndex) MediaType() (types.MediaType, error)       { return types.OCIImageIndex, nil }
func (x *testIndex) Digest() (v1.Hash, error)                  { return x.digest, x.err }
func (x *testIndex) Size() (int64, error)                      { return int64(len(x.raw)), nil }
func (x *testIndex) IndexManifest() (*v1.IndexManifest, error) { panic("not to be trusted") }
func (x *testIndex) RawManifest() ([]byte, error)              { return x.raw, x.err }
func (x *testIndex) Image(h v1.Hash) (v1.Image, error) {
	if img := x.images[h]; img != nil {
		return img, nil
	}
	return nil, fmt.Errorf("no image %s", h)
}
func (x *testIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	if i := x.below[h]; i != nil {
		return i, nil
	}
	return nil, fmt.Errorf("no index %s", h)
}

func indexOf(t testing.TB, members ...testimage.Member) *testIndex {
	made := testimage.NewIndex(t, members...)
	x := &testIndex{raw: made.Raw, digest: testimage.Sum(made.Raw), images: map[v1.Hash]v1.Image{}, below: map[v1.Hash]v1.ImageIndex{}}
	for _, m := range members {
		x.images[m.Image.Descriptor().Digest] = m.Image
	}
	return x
}

// over is an index of indexes.
func over(below ...*testIndex) *testIndex {
	x := &testIndex{below: map[v1.Hash]v1.ImageIndex{}}
	var list []string
	for _, b := range below {
		x.below[b.digest] = b
		list = append(list, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, types.OCIImageIndex, b.digest, len(b.raw)))
	}
	x.raw = []byte(fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, types.OCIImageIndex, strings.Join(list, ",")))
	x.digest = testimage.Sum(x.raw)
	return x
}

func platformImage(t testing.TB, arch string, files ...file) *testimage.Image {
	return testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.Architecture = arch }}, layersOf(files)...)
}

func TestScanIndex(t *testing.T) {
	release := file{Name: "etc/os-release", Body: osRelease}
	npm := file{Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3"}`}
	amd, arm := platformImage(t, "amd64", release, dpkgStatus("a 1", "b 1 Depends: a"), npm), platformImage(t, "arm64", release, dpkgStatus("a 1"), npm)
	attest := platformImage(t, "amd64", file{Name: "x", Body: "y"})
	x := indexOf(t,
		testimage.Member{Image: amd, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}},
		testimage.Member{Image: attest, Attests: amd},
		// An annotation does not hide an image that a runtime would take.
		testimage.Member{Image: arm, Platform: assay.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"}},
		testimage.Member{Image: amd, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}},
	)
	got, err := sbom.ScanIndex(context.Background(), x, sbom.Options{Digest: assay.MustDigest(x.digest.String()), Repository: "registry.example/team/app"})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, i := range got.Images {
		found = append(found, i.Platform.String()+" "+i.Digest.String())
		if i.Contents.Manifest != i.Digest {
			t.Errorf("%s has the contents of %s", i.Digest, i.Contents.Manifest)
		}
	}
	if d := cmp.Diff([]string{"linux/amd64 " + amd.ID().String(), "linux/arm64 " + arm.ID().String()}, found); d != "" {
		t.Error(d)
	}
	doc := got.SBOM
	if doc.Root.ID != assay.ComponentID("index:"+got.Digest.String()) || doc.Root.PURL.String() != "pkg:oci/app@"+got.Digest.String()+"?repository_url=registry.example%2Fteam%2Fapp" {
		t.Errorf("root %s %s", doc.Root.ID, doc.Root.PURL)
	}
	names := map[string]int{}
	for _, c := range doc.Components {
		names[c.Name]++
	}
	// dpkgStatus makes packages of amd64 in both, so a is one.
	if d := cmp.Diff(map[string]int{"a": 1, "b": 1, "ms": 1, "debian": 1, "app": 2}, names); d != "" {
		t.Error(d)
	}
	ms, _ := doc.Component("pkg:npm/ms@2.1.3")
	if len(ms.Locations) != 2 {
		t.Errorf("locations of both platforms: %v", ms.Locations)
	}
	for _, img := range []*testimage.Image{amd, arm} {
		id := assay.ComponentID("image:" + img.ID().String())
		for _, r := range []assay.Relation{{From: doc.Root.ID, Kind: assay.Contains, To: id}, {From: id, Kind: assay.Contains, To: "pkg:npm/ms@2.1.3"}} {
			if !slices.Contains(doc.Relations, r) {
				t.Errorf("no %v", r)
			}
		}
		if !slices.Contains(doc.Completeness, assay.Completeness{Of: id, Scope: "components:deb", Aggregate: "complete"}) {
			t.Errorf("nothing on the packages of %s in %v", id, doc.Completeness)
		}
	}
	if len(got.Conflicts) != 0 {
		t.Errorf("%v", got.Conflicts)
	}
	for _, f := range formats {
		back, err := sbom.Read("x", encode(t, doc, f))
		if err != nil {
			t.Fatal(err)
		}
		if d := sbom.Diff(doc, back); !d.Empty() {
			t.Errorf("%s: %s", f, d)
		}
	}
	// Below another index it is the same images.
	nested, err := sbom.ScanIndex(context.Background(), over(x), sbom.Options{Repository: "registry.example/team/app"})
	if err != nil || len(nested.Images) != 2 || nested.Images[1].Digest != arm.ID() {
		t.Errorf("%v %v", nested, err)
	}
}

func TestScanIndexRefuses(t *testing.T) {
	img := platformImage(t, "amd64", file{Name: "x", Body: "y"})
	other := platformImage(t, "arm64", file{Name: "x", Body: "z"})
	linux := assay.Platform{OS: "linux", Architecture: "amd64"}
	index := func() *testIndex { return indexOf(t, testimage.Member{Image: img, Platform: linux}) }
	deep := index()
	for range 6 {
		deep = over(deep)
	}
	wide := make([]testimage.Member, 1001)
	for i := range wide {
		wide[i] = testimage.Member{Image: img, Platform: linux}
	}
	swapped := index()
	swapped.images[img.Descriptor().Digest] = other
	lying := index()
	lying.raw = append(lying.raw, ' ')
	below := over(index())
	for h := range below.below {
		below.below[h] = indexOf(t, testimage.Member{Image: other, Platform: linux})
	}
	failing := index()
	failing.err = errors.New("no network")
	absent := index()
	clear(absent.images)
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for name, tt := range map[string]struct {
		index *testIndex
		opts  sbom.Options
		ctx   context.Context
		kind  error
		want  string
	}{
		"other digest":     {index(), sbom.Options{Digest: other.ID()}, nil, assay.ErrRefuted, other.ID().String()},
		"changed bytes":    {lying, sbom.Options{}, nil, assay.ErrRefuted, "digest"},
		"another image":    {swapped, sbom.Options{}, nil, assay.ErrRefuted, img.ID().String()},
		"another index":    {below, sbom.Options{}, nil, assay.ErrRefuted, "digest"},
		"no image":         {indexOf(t), sbom.Options{}, nil, assay.ErrAbsent, "an image in the index"},
		"only attestation": {indexOf(t, testimage.Member{Image: other, Attests: img}), sbom.Options{}, nil, assay.ErrAbsent, "an image in the index"},
		"too deep":         {deep, sbom.Options{}, nil, assay.ErrBound, "nested indexes"},
		"too wide":         {indexOf(t, wide...), sbom.Options{}, nil, assay.ErrBound, "1000"},
		"source fails":     {failing, sbom.Options{}, nil, assay.ErrUnchecked, "no network"},
		"image fails":      {absent, sbom.Options{}, nil, assay.ErrUnchecked, "no image"},
		"not an index":     {&testIndex{raw: []byte(`{}`), digest: testimage.Sum([]byte(`{}`))}, sbom.Options{}, nil, assay.ErrInvalid, "schemaVersion"},
		"cancelled":        {index(), sbom.Options{}, stopped, assay.ErrUnchecked, "canceled"},
		"repository":       {index(), sbom.Options{Repository: "UPPER:x"}, nil, assay.ErrInvalid, "Repository"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := tt.ctx
			if ctx == nil {
				ctx = context.Background()
			}
			got, err := sbom.ScanIndex(ctx, tt.index, tt.opts)
			if got != nil || assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %v and %q", err, tt.kind, tt.want)
			}
		})
	}
}
