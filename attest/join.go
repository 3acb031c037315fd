package attest

import (
	"context"
	"errors"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// EnvelopeSource is envelopes that the caller holds.
type EnvelopeSource struct{ envelopes []assay.Envelope }

// FromEnvelopes gives the envelopes, whatever they are about.
func FromEnvelopes(envelopes ...assay.Envelope) *EnvelopeSource {
	return &EnvelopeSource{slices.Clone(envelopes)}
}

// Discover implements [Source].
func (s *EnvelopeSource) Discover(_ context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject, s.envelopes...)}, nil
}

// ImageSource is an image that the caller holds. It has no envelopes.
type ImageSource struct{ image v1.Image }

// FromImage gives the bytes of an image to whoever checks evidence against them.
func FromImage(image v1.Image) *ImageSource { return &ImageSource{image} }

// Discover implements [Source]; it finds nothing.
func (s *ImageSource) Discover(_ context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject)}, nil
}

// Image gives the image if its manifest has the digest; another is an
// [assay.ErrAbsent].
func (s *ImageSource) Image(_ context.Context, digest assay.Digest) (v1.Image, error) {
	if s.image == nil {
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrInvalid, Field: "image", Bound: "an image"}
	}
	manifest, err := s.image.RawManifest()
	if err != nil {
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
	}
	got, err := hashBy(digest.Algorithm(), manifest)
	if err != nil {
		return nil, err
	}
	if got != digest {
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrAbsent, Subject: digest.String(), Value: got.String(), Bound: "the image with the digest"}
	}
	return s.image, nil
}

// JoinedSource is several sources read as one.
type JoinedSource struct{ sources []Source }

// Join reads all sources and merges what they hold; the order does not matter to
// what is found.
func Join(sources ...Source) *JoinedSource { return &JoinedSource{slices.Clone(sources)} }

// Discover implements [Source]. An error of one source is an error of all: evidence
// of the others, without what it would have said, is half an answer.
func (s *JoinedSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	out := &Found{Bundle: assay.NewBundle(subject)}
	ignored := map[Ignored]int{}
	for _, src := range s.sources {
		if src == nil {
			return nil, &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Subject: subject.String(), Field: "sources", Value: "nil", Bound: "a source"}
		}
		f, err := src.Discover(ctx, subject)
		if err != nil {
			return nil, err
		}
		if f == nil || f.Bundle == nil {
			return nil, &assay.Error{Op: "discover", Kind: assay.ErrUnchecked, Subject: subject.String(), Bound: "a source that gives a bundle, or an error"}
		}
		if err := out.Bundle.Merge(f.Bundle); err != nil {
			return nil, err
		}
		out.Faults = append(out.Faults, f.Faults...)
		for _, i := range f.Ignored {
			n := i.Count
			i.Count = 0
			ignored[i] += n
		}
	}
	for i, n := range ignored {
		i.Count = n
		out.Ignored = append(out.Ignored, i)
	}
	slices.SortFunc(out.Ignored, compareIgnored)
	slices.SortFunc(out.Faults, Fault.Compare)
	return out, nil
}

// Image asks the sources that can open images, in their order, and gives the first
// that has it. It is [assay.ErrAbsent] only if all that can open images say so.
func (s *JoinedSource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	var absent, errs []error
	for _, src := range s.sources {
		opener, ok := src.(interface {
			Image(context.Context, assay.Digest) (v1.Image, error)
		})
		if !ok {
			continue
		}
		img, err := opener.Image(ctx, digest)
		if err == nil {
			return img, nil
		}
		if errors.Is(err, assay.ErrAbsent) {
			absent = append(absent, err)
		} else {
			errs = append(errs, err)
		}
	}
	out := &assay.Error{Op: "open image", Kind: assay.ErrUnchecked, Subject: digest.String(), Bound: "a source that has the image", Err: errors.Join(errs...)}
	if len(errs) == 0 && len(absent) > 0 {
		out.Kind, out.Err = assay.ErrAbsent, errors.Join(absent...)
	}
	return nil, out
}
