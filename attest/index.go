package attest

import (
	"context"
	"errors"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/image"
)

// IndexSource is an image index that the caller holds, with the images in it. It has no
// envelopes.
type IndexSource struct{ index v1.ImageIndex }

// FromIndex gives an index, and the bytes of the images that it lists, to whoever checks
// evidence against them.
func FromIndex(index v1.ImageIndex) *IndexSource { return &IndexSource{index} }

// Discover implements [Source]; it finds nothing.
func (s *IndexSource) Discover(_ context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject)}, nil
}

// Index gives the index if it has the digest, or one that it lists; another is an
// [assay.ErrAbsent].
func (s *IndexSource) Index(_ context.Context, digest assay.Digest) (v1.ImageIndex, error) {
	raw, err := s.raw(digest)
	if err != nil {
		return nil, err
	}
	got, err := hashBy(digest.Algorithm(), raw)
	if err != nil || got == digest {
		return s.index, err
	}
	h, err := listedIn(raw, "open index", digest)
	if err != nil {
		return nil, err
	}
	x, err := s.index.ImageIndex(h)
	if err != nil {
		return nil, unreached("open index", digest.String(), err)
	}
	return x, nil
}

// Image gives the image if the index lists it; another is an [assay.ErrAbsent].
func (s *IndexSource) Image(_ context.Context, digest assay.Digest) (v1.Image, error) {
	raw, err := s.raw(digest)
	if err != nil {
		return nil, err
	}
	h, err := listedIn(raw, "open image", digest)
	if err != nil {
		return nil, err
	}
	img, err := s.index.Image(h)
	if err != nil {
		return nil, unreached("open image", digest.String(), err)
	}
	return img, nil
}

func listedIn(index []byte, op string, digest assay.Digest) (v1.Hash, error) {
	list, err := readIndex(digest.String(), index)
	if err != nil {
		return v1.Hash{}, err
	}
	if !slices.ContainsFunc(list, func(d descriptor) bool { return d.Digest == digest }) {
		return v1.Hash{}, &assay.Error{Op: op, Kind: assay.ErrAbsent, Subject: digest.String(), Bound: "a manifest that the index lists"}
	}
	return v1.Hash{Algorithm: string(digest.Algorithm()), Hex: digest.Hex()}, nil
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
