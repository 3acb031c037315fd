package attest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

// An index is opened as an index, by its digest, and never as one of its images.
func TestIndex(t *testing.T) {
	registry := testregistry.InProcess(t, testregistry.Options{})
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "a", Body: "b"}}})
	x := testimage.NewIndex(t, testimage.Member{Image: img, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}})
	testimage.PushIndex(t, registry.Ref("app:base"), x)
	ref, err := name.NewDigest(registry.Ref("app@" + x.ID().String()))
	if err != nil {
		t.Fatal(err)
	}
	held, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	absent := assay.SumSHA256([]byte("absent"))
	stored := attest.FromRegistry(registry.Ref("app"), image.Registry{})
	for name, source := range map[string]interface {
		attest.Source
		Index(context.Context, assay.Digest) (v1.ImageIndex, error)
		Image(context.Context, assay.Digest) (v1.Image, error)
	}{
		"registry": stored,
		"held":     attest.FromIndex(held),
		"joined":   attest.Join(attest.FromEnvelopes(), attest.FromImage(img), stored),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := source.Index(t.Context(), x.ID())
			if err != nil {
				t.Fatal(err)
			}
			raw, err := got.RawManifest()
			if err != nil || assay.SumSHA256(raw) != x.ID() {
				t.Errorf("got %s, %v", raw, err)
			}
			opened, err := source.Image(t.Context(), img.ID())
			if err != nil {
				t.Fatal(err)
			}
			if h, err := opened.Digest(); err != nil || h.String() != img.ID().String() {
				t.Errorf("got %s, %v", h, err)
			}
			if got, err := source.Image(t.Context(), x.ID()); err == nil {
				t.Errorf("the index was opened as an image: %v", got)
			}
			if got, err := source.Index(t.Context(), img.ID()); err == nil {
				t.Errorf("the image was opened as an index: %v", got)
			}
			if _, err := source.Index(t.Context(), absent); !errors.Is(err, assay.ErrAbsent) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := attest.FromIndex(nil).Index(t.Context(), x.ID()); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if _, err := stored.Image(t.Context(), x.ID()); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
