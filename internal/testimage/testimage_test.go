package testimage_test

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/assaykit/assay/internal/testimage"
)

func layers() []testimage.Layer {
	return []testimage.Layer{
		{Files: []testimage.File{{Name: "etc/"}, {Name: "etc/passwd", Body: "root:x:0:0::/:/bin/sh\n"}, {Name: "su", Mode: 0o4755}}},
		{Files: []testimage.File{testimage.Whiteout("etc/passwd"), testimage.Symlink("a", "etc"), {Name: "nc", Caps: testimage.CapNetBindService}}},
	}
}

// The images must be right by somebody else's measure, which knows gzip only.
func TestOthersRead(t *testing.T) {
	img := testimage.New(t, layers()...)
	if again := testimage.New(t, layers()...); again.ID() != img.ID() {
		t.Errorf("built twice: %s and %s", img.ID(), again.ID())
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	p, err := layout.FromPath(testimage.WriteLayout(t, testimage.Layout{Images: map[string]*testimage.Image{"v1": img}}))
	if err != nil {
		t.Fatal(err)
	}
	h, _ := img.Digest()
	got, err := p.Image(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(got); err != nil {
		t.Error(err)
	}
	d, err := tarball.ImageFromPath(testimage.WriteDocker(t, map[string]*testimage.Image{"example.com/a:v1": img}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(d); err != nil {
		t.Error(err)
	}
	host := testimage.Registry(t)
	ref := testimage.Push(t, host+"/a:v1", img)
	r, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(r); err != nil {
		t.Error(err)
	}
	x := testimage.NewIndex(t, testimage.Member{Image: img}, testimage.Member{Image: testimage.New(t), Attests: img})
	idx, err := remote.Index(testimage.PushIndex(t, host+"/a:x", x))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := idx.IndexManifest(); err != nil || len(m.Manifests) != 2 {
		t.Errorf("index: %v, %v", m, err)
	}
}
