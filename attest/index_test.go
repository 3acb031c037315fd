package attest_test

import (
	"context"
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

func listing(list ...mutate.Appendable) v1.ImageIndex {
	x := v1.ImageIndex(empty.Index)
	for _, a := range list {
		x = mutate.AppendManifests(x, mutate.IndexAddendum{Add: a})
	}
	return x
}

func digestOf(t *testing.T, x interface{ Digest() (v1.Hash, error) }) assay.Digest {
	t.Helper()
	h, err := x.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return assay.MustDigest(h.String())
}

// An image is found however deep the index that lists it is below the one that is held.
func TestIndexBelow(t *testing.T) {
	deep := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "deep", Body: "1"}}})
	near := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "near", Body: "2"}}})
	two := listing(deep)
	one := listing(near, two)
	s := attest.FromIndex(listing(one, two))
	for name, want := range map[string]*testimage.Image{"near": near, "deep": deep} {
		img, err := s.Image(t.Context(), want.ID())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := digestOf(t, img); got != want.ID() {
			t.Errorf("%s: got %s", name, got)
		}
	}
	for name, want := range map[string]v1.ImageIndex{"one": one, "two": two} {
		x, err := s.Index(t.Context(), digestOf(t, want))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := digestOf(t, x); got != digestOf(t, want) {
			t.Errorf("%s: got %s", name, got)
		}
		if _, err := s.Image(t.Context(), digestOf(t, want)); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s was opened as an image: %v", name, err)
		}
	}
	if _, err := s.Index(t.Context(), deep.ID()); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("an image was opened as an index: %v", err)
	}
	if _, err := s.Image(t.Context(), assay.SumSHA256([]byte("absent"))); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.Image(ctx, deep.ID()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// hollow lists indexes that it does not have, or has others in their place.
type hollow struct {
	heldIndex
	other v1.ImageIndex
}

// heldIndex embeds an index under a name that is none of its methods.
type heldIndex = v1.ImageIndex

func (h hollow) ImageIndex(v1.Hash) (v1.ImageIndex, error) {
	if h.other == nil {
		return nil, errors.New("gone")
	}
	return h.other, nil
}

// What could not be looked into may have the image: that is not the same as its absence.
func TestIndexBelowUnread(t *testing.T) {
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "a", Body: "b"}}})
	nested := listing(img)
	tower := nested
	for range 40 {
		tower = listing(tower)
	}
	for name, tt := range map[string]struct {
		index v1.ImageIndex
		says  string
	}{
		"gone":         {hollow{listing(nested), nil}, "gone"},
		"another":      {hollow{listing(nested), listing()}, digestOf(t, nested).String()},
		"no manifests": {hollow{listing(nested), emptyIndex{}}, "index digest"},
		"a tower":      {tower, "deep"},
	} {
		_, err := attest.FromIndex(tt.index).Image(t.Context(), img.ID())
		if !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// emptyIndex has bytes that are no index.
type emptyIndex struct{ heldIndex }

func (emptyIndex) RawManifest() ([]byte, error) { return []byte("{}"), nil }
