package attest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/image"
)

// IndexSource is an image index that the caller holds, with the images in it. It has no
// envelopes.
type IndexSource struct{ index v1.ImageIndex }

// FromIndex gives an index, and the bytes of the images that it lists, itself or in an
// index below it, to whoever checks evidence against them.
func FromIndex(index v1.ImageIndex) *IndexSource { return &IndexSource{index} }

// Discover implements [Source]; it finds nothing.
func (s *IndexSource) Discover(_ context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject)}, nil
}

// Index gives the index if it has the digest, or one that is below it. Another is an
// [assay.ErrAbsent]; if a part of what is below could not be read, an
// [assay.ErrUnchecked].
func (s *IndexSource) Index(ctx context.Context, digest assay.Digest) (v1.ImageIndex, error) {
	raw, err := s.raw(digest)
	if err != nil {
		return nil, err
	}
	got, err := hashBy(digest.Algorithm(), raw)
	if err != nil || got == digest {
		return s.index, err
	}
	return openBelow(ctx, s.index, raw, "open index", digest, v1.ImageIndex.ImageIndex)
}

// Image gives the image if it is listed, by the index or by one that is below it. Another
// is an [assay.ErrAbsent]; if a part of what is below could not be read, an
// [assay.ErrUnchecked].
func (s *IndexSource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	raw, err := s.raw(digest)
	if err != nil {
		return nil, err
	}
	return openBelow(ctx, s.index, raw, "open image", digest, v1.ImageIndex.Image)
}

// openBelow opens what has the digest and is listed in the tree of indexes, nearest first.
// Whoever made the tree decides how large it is, so that it is bounded, and what could
// not be looked into is no proof that it does not have the digest.
func openBelow[T any](ctx context.Context, top v1.ImageIndex, raw []byte, op string, digest assay.Digest, open func(v1.ImageIndex, v1.Hash) (T, error)) (T, error) {
	var none T
	_, wantsIndex := any(&none).(*v1.ImageIndex)
	type level struct {
		index v1.ImageIndex
		raw   []byte
		depth int
	}
	var problems []error
	seen := map[assay.Digest]bool{}
	entries := 0
	for queue := []level{{top, raw, 0}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		list, err := readIndex(digest.String(), at.raw)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, d := range list {
			if d.Digest == digest && types.MediaType(d.MediaType).IsIndex() != wantsIndex {
				return none, &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: digest.String(), Value: d.MediaType, Bound: "what is listed as such"}
			}
			if d.Digest == digest {
				got, err := open(at.index, v1.Hash{Algorithm: string(digest.Algorithm()), Hex: digest.Hex()})
				if err != nil {
					return none, unreached(op, digest.String(), err)
				}
				return got, nil
			}
		}
		for _, d := range list {
			if entries++; entries > layers.MaxIndexMembers {
				break
			}
			if !types.MediaType(d.MediaType).IsIndex() || seen[d.Digest] {
				continue
			}
			seen[d.Digest] = true
			if err := ctx.Err(); err != nil {
				return none, &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
			}
			if at.depth == layers.MaxIndexDepth {
				problems = append(problems, &assay.Error{Op: op, Kind: assay.ErrBound, Subject: d.Digest.String(), Bound: fmt.Sprintf("indexes at most %d deep", layers.MaxIndexDepth)})
				continue
			}
			x, text, err := indexBelow(at.index, d.Digest)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			queue = append(queue, level{x, text, at.depth + 1})
		}
		if entries > layers.MaxIndexMembers {
			problems = append(problems, &assay.Error{Op: op, Kind: assay.ErrBound, Subject: digest.String(), Bound: fmt.Sprintf("at most %d entries of indexes", layers.MaxIndexMembers)})
			break
		}
	}
	if len(problems) > 0 {
		return none, &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: digest.String(), Err: errors.Join(problems...)}
	}
	return none, &assay.Error{Op: op, Kind: assay.ErrAbsent, Subject: digest.String(), Bound: "a manifest that the index lists"}
}

// indexBelow opens an index that another lists, and holds its bytes to the digest.
func indexBelow(parent v1.ImageIndex, digest assay.Digest) (v1.ImageIndex, []byte, error) {
	x, err := parent.ImageIndex(v1.Hash{Algorithm: string(digest.Algorithm()), Hex: digest.Hex()})
	if err != nil {
		return nil, nil, unreached("open index", digest.String(), err)
	}
	raw, err := x.RawManifest()
	if err != nil {
		return nil, nil, unreached("open index", digest.String(), err)
	}
	got, err := hashBy(digest.Algorithm(), raw)
	switch {
	case err != nil:
		return nil, nil, err
	case got != digest:
		return nil, nil, &assay.Error{Op: "open index", Kind: assay.ErrRefuted, Subject: digest.String(), Field: "index digest", Value: got.String(), Bound: digest.String()}
	}
	return x, raw, nil
}

func (s *IndexSource) raw(digest assay.Digest) ([]byte, error) {
	if s.index == nil {
		return nil, &assay.Error{Op: "open index", Kind: assay.ErrInvalid, Field: "index", Bound: "an index"}
	}
	raw, err := s.index.RawManifest()
	if err != nil {
		return nil, &assay.Error{Op: "open index", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
	}
	return raw, nil
}

// Index opens the index with the digest. Its bytes are hashed against the digest; what
// it lists is opened by [RegistrySource.Image].
func (s *RegistrySource) Index(ctx context.Context, digest assay.Digest) (v1.ImageIndex, error) {
	d, err := s.get(ctx, "open index", digest)
	if err != nil {
		return nil, err
	}
	if !d.MediaType.IsIndex() {
		return nil, &assay.Error{Op: "open index", Kind: assay.ErrInvalid, Subject: digest.String(), Value: string(d.MediaType), Bound: "an index"}
	}
	x, err := d.ImageIndex()
	if err != nil {
		return nil, unreached("open index", digest.String(), err)
	}
	return x, nil
}

// get reads a manifest. One that the registry says it does not have is an
// [assay.ErrAbsent].
func (s *RegistrySource) get(ctx context.Context, op string, digest assay.Digest) (*remote.Descriptor, error) {
	repo, err := parseRepository(s.registry, s.repository)
	if err != nil {
		return nil, err
	}
	d, err := getManifest(ctx, s.registry, repo, digest)
	if err != nil {
		err = unreached(op, repo.Name()+"@"+digest.String(), err)
		if e, ok := errors.AsType[*assay.Error](err); ok && statusOf(err) == 404 {
			e.Kind = assay.ErrAbsent
		}
		return nil, err
	}
	return d, nil
}

func getManifest(ctx context.Context, reg image.Registry, repo name.Repository, digest assay.Digest) (*remote.Descriptor, error) {
	return remote.Get(repo.Digest(digest.String()), reg.RemoteOptions(ctx, reg.NewTransport())...)
}

// Index asks the sources that can open indexes, in their order, as [JoinedSource.Image]
// does those that can open images.
func (s *JoinedSource) Index(ctx context.Context, digest assay.Digest) (v1.ImageIndex, error) {
	return first(s.sources, "open index", digest, func(src Source) (v1.ImageIndex, bool, error) {
		opener, ok := src.(interface {
			Index(context.Context, assay.Digest) (v1.ImageIndex, error)
		})
		if !ok {
			return nil, false, nil
		}
		x, err := opener.Index(ctx, digest)
		return x, true, err
	})
}

// first gives what the first source has; see [JoinedSource.Image].
func first[T any](sources []Source, op string, digest assay.Digest, open func(Source) (T, bool, error)) (T, error) {
	var absent, errs []error
	for _, src := range sources {
		got, ok, err := open(src)
		switch {
		case !ok:
		case err == nil:
			return got, nil
		case errors.Is(err, assay.ErrAbsent):
			absent = append(absent, err)
		default:
			errs = append(errs, err)
		}
	}
	out := &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: digest.String(), Bound: "a source that has it", Err: errors.Join(errs...)}
	if len(errs) == 0 && len(absent) > 0 {
		out.Kind, out.Err = assay.ErrAbsent, errors.Join(absent...)
	}
	var none T
	return none, out
}
