package image

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
)

// FuzzArchive: whatever is in an archive, opening it as either kind ends with an
// image or an error of this module.
func FuzzArchive(f *testing.F) {
	img := testimage.New(f, testimage.Layer{Files: []testimage.File{{Name: "a"}}})
	files := testimage.Layout{Images: map[string]*testimage.Image{"v1": img}}.Files(f)
	f.Add(testimage.TarOf(f, files))
	links, err := testimage.Tar(testimage.Symlink("manifest.json", "../x"), testimage.HardLink("x", "manifest.json"), testimage.File{Name: "index.json", Body: "{}"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(links)
	m, err := testimage.Tar(testimage.File{Name: "manifest.json", Body: `[{"Config":"c","Layers":["c"]}]`}, testimage.File{Name: "c", Body: `{"rootfs":{"type":"layers","diff_ids":["` + testimage.Sum(nil).String() + `"]}}`})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m)
	path := filepath.Join(f.TempDir(), "a.tar")
	f.Fuzz(func(t *testing.T, data []byte) {
		testimage.WriteFile(t, path, data)
		for _, scheme := range []string{"oci-archive:", "docker-archive:"} {
			o, err := Open(t.Context(), scheme+path, Options{})
			if err == nil {
				_, err = layers.Pass(t.Context(), o.Image(), layers.Options{Digest: o.Digest(), Bounds: layers.Bounds{Inflated: 1 << 22}})
				o.Close()
			}
			var e *assay.Error
			if err != nil && (!errors.As(err, &e) || e.Kind == nil) {
				t.Fatalf("an error of no kind: %v", err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"oci:x", "oci:x:y@sha256:z", "docker-archive:a:b:c", "dir:", "a/b@c", "oci-archive:@", ":"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if l, err := parse(s); err == nil && l.scheme != "" && l.path == "" {
			t.Fatalf("%q: %+v", s, l)
		}
	})
}
