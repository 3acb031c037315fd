package image

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// Archives and layouts that others wrote: those with which go-containerregistry
// tests itself.
func TestOthersWrote(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/go-containerregistry").Output()
	if err != nil {
		t.Skip("the module's source is not at hand: ", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "pkg", "v1")
	archives, err := filepath.Glob(filepath.Join(dir, "tarball", "testdata", "*.tar"))
	if err != nil || len(archives) == 0 {
		t.Skip("the module's test data are not at hand: ", err)
	}
	checked := 0
	for _, a := range archives {
		theirs, err := tarball.ImageFromPath(a, nil)
		if err != nil {
			continue // several images
		}
		want, err := theirs.ConfigName()
		if err != nil {
			continue
		}
		o, err := Open(t.Context(), "docker-archive:"+a, Options{})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(a), err)
			continue
		}
		if got, _ := o.Image().ConfigName(); got != want {
			t.Errorf("%s: got %s, want %s", a, got, want)
		}
		_, err = layers.Pass(t.Context(), o.Image(), layers.Options{Digest: o.Digest()})
		o.Close()
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(a), err)
			continue
		}
		checked++
	}
	if checked == 0 {
		t.Error("no archive was compared")
	}
}

// What go-containerregistry writes now.
func TestOthersWrite(t *testing.T) {
	img, err := random.Image(1000, 3)
	if err != nil {
		t.Fatal(err)
	}
	h, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p, err := layout.Write(dir, must(random.Index(1000, 1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AppendImage(img); err != nil {
		t.Fatal(err)
	}
	o, err := Open(t.Context(), "oci:"+dir+"@"+h.String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	res, err := layers.Pass(t.Context(), o.Image(), layers.Options{Digest: assay.MustDigest(h.String())})
	if err != nil || len(res.Layers) != 3 {
		t.Errorf("got %+v, %v", res, err)
	}
	if _, err := layers.Pass(t.Context(), img, layers.Options{Digest: o.Digest()}); err != nil {
		t.Errorf("the image itself: %v", err)
	}
	if _, err := Open(t.Context(), "oci:"+dir, Options{}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("three images and no tag: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
