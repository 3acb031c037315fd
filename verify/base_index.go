package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom"
)

// IndexSource is a source that also has indexes of images. [attest.FromRegistry] and
// [attest.FromIndex] are. It is asked where a base image is named by the digest of an
// index, as builds do whose FROM line has no platform.
type IndexSource interface {
	// Index opens the index with the digest.
	Index(ctx context.Context, digest assay.Digest) (v1.ImageIndex, error)
}

func readBaseIndex(ctx context.Context, s IndexSource, digest assay.Digest) (baseImage, error) {
	x, err := s.Index(ctx, digest)
	if err != nil {
		return baseImage{}, err
	}
	if x == nil {
		return baseImage{}, &assay.Error{Op: "open index", Kind: assay.ErrUnchecked, Subject: digest.String(), Bound: "an index, or an error"}
	}
	raw, err := x.RawManifest()
	if err != nil {
		return baseImage{}, &assay.Error{Op: "open index", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
	}
	mt, err := x.MediaType()
	if err != nil {
		return baseImage{}, &assay.Error{Op: "open index", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
	}
	b := baseImage{Digest: digest, MediaType: string(mt), Index: raw}
	_, err = b.members()
	return b, err
}

// maxIndexBytes bounds an index: what registries take for a manifest.
const maxIndexBytes = 4 << 20

// members reads the index, which must be what the digest names.
func (b baseImage) members() ([]v1.Descriptor, error) {
	if len(b.Index) > maxIndexBytes {
		return nil, &assay.Error{Op: "open index", Kind: assay.ErrBound, Subject: b.Digest.String(), Value: fmt.Sprint(len(b.Index), " bytes"), Bound: fmt.Sprintf("at most %d bytes", maxIndexBytes)}
	}
	got, err := layers.Sum(b.Digest.Algorithm(), b.Index)
	if err != nil {
		return nil, err
	}
	if got != b.Digest {
		return nil, &assay.Error{Op: "open index", Kind: assay.ErrRefuted, Subject: b.Digest.String(), Field: "index digest", Value: got.String(), Bound: b.Digest.String()}
	}
	x, err := layers.ParseIndex(b.Digest.String(), b.Index, b.MediaType)
	if err != nil {
		return nil, err
	}
	return x.Manifests, nil
}

// baseSearch looks for the base of one image.
type baseSearch struct {
	v  *Verifier
	in inputs
	c  *subjectCase
	// left is how many more images of indexes are asked for.
	left int
}

// prove holds the image against what has the digest. The error is for a cancelled
// context.
func (s *baseSearch) prove(ctx context.Context, digest assay.Digest) (baseAnswer, error) {
	b, err := s.read(ctx, digest)
	switch {
	case err != nil:
		return baseAnswer{}, err
	case b.Index != nil:
		return s.proveIndex(ctx, b)
	}
	return s.proveImage(ctx, b)
}

func (s *baseSearch) proveImage(ctx context.Context, b baseImage) (baseAnswer, error) {
	if b.Manifest == nil {
		return baseAnswer{detail: b.Detail}, nil
	}
	proof, err := sbom.ProveBase(ctx, s.c.contents.scanned(s.c.report.Digest), b.image(), b.Digest)
	if err != nil {
		return baseAnswer{detail: err.Error()}, ctx.Err()
	}
	a := baseAnswer{state: proof.State, detail: proof.Reason}
	if proof.State == assay.Proven {
		a.layers = proof.Layers
	}
	return a, nil
}

// read gives what was read of a base, and reads it the first time.
func (s *baseSearch) read(ctx context.Context, digest assay.Digest) (baseImage, error) {
	b, seen := s.in.bases[digest]
	if !seen {
		var err error
		if b, err = readBase(ctx, s.in.sources, digest); err != nil {
			return baseImage{}, err
		}
		s.in.bases[digest] = b
	}
	return b, nil
}

// proveIndex holds the image against those that the index lists for its platform, by
// operating system and architecture: of several, the build took one. It is built on none
// of them only if all could be compared.
func (s *baseSearch) proveIndex(ctx context.Context, index baseImage) (baseAnswer, error) {
	w := indexWalk{search: s, platform: s.c.contents.platform}
	if err := w.walk(ctx, index, 0); err != nil {
		return baseAnswer{}, err
	}
	var proven baseAnswer
	refuted := 0
	for _, d := range w.images {
		if s.left--; s.left < 0 {
			w.problems = append(w.problems, fmt.Sprintf("not asked for: more than %d images are named", maxBases))
			break
		}
		b, err := s.read(ctx, d)
		if err != nil {
			return baseAnswer{}, err
		}
		a := baseAnswer{detail: "the index lists an index as an image"}
		if b.Index == nil {
			if a, err = s.proveImage(ctx, b); err != nil {
				return baseAnswer{}, err
			}
		}
		switch {
		case a.state == assay.Proven && a.layers > proven.layers:
			proven, proven.through = a, d
		case a.state == assay.Refuted:
			refuted++
			fallthrough
		case a.state == assay.Unknown:
			w.problems = append(w.problems, d.String()+": "+a.detail)
		}
	}
	platform := cmp.Or(w.platform.String(), "a platform that is not known")
	what := "the index has no image for " + platform
	if len(w.problems) > 0 {
		slices.Sort(w.problems)
		what = "of those for " + platform + " in the index, " + strings.Join(w.problems[:min(len(w.problems), 3)], "; ")
	}
	switch {
	case proven.state == assay.Proven:
		return proven, nil
	case refuted > 0 && refuted == len(w.problems):
		return baseAnswer{state: assay.Refuted, detail: what}, nil
	}
	return baseAnswer{detail: what}, nil
}

// indexWalk finds the images for a platform in an index and in those below it.
type indexWalk struct {
	search   *baseSearch
	platform assay.Platform
	images   []assay.Digest
	problems []string
	count    int
}

func (w *indexWalk) walk(ctx context.Context, index baseImage, depth int) error {
	list, err := index.members()
	if err != nil {
		w.problems = append(w.problems, err.Error())
		return nil
	}
	for _, d := range list {
		if w.count++; w.count > layers.MaxIndexMembers || depth > layers.MaxIndexDepth {
			w.problems = append(w.problems, fmt.Sprintf("more than %d entries, or indexes more than %d deep", layers.MaxIndexMembers, layers.MaxIndexDepth))
			return nil
		}
		digest, err := assay.ParseDigest(d.Digest.String())
		if err != nil || layers.IsNoImage(d) || slices.Contains(w.images, digest) {
			continue
		}
		if digest == w.search.c.report.Digest {
			continue // nothing is built on itself
		}
		if d.Platform != nil {
			p := assay.Platform{OS: d.Platform.OS, Architecture: d.Platform.Architecture}
			if !p.Covers(w.platform) {
				continue
			}
		}
		if !d.MediaType.IsIndex() {
			w.images = append(w.images, digest)
			continue
		}
		below, err := w.search.read(ctx, digest)
		switch {
		case err != nil:
			return err
		case below.Index == nil:
			w.problems = append(w.problems, digest.String()+": "+below.Detail)
		default:
			if err := w.walk(ctx, below, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
