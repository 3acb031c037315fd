package image

import (
	"context"
	"io"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// img is a [v1.Image] in a store. Manifest and configuration are read and verified;
// layers are opened when asked for.
type img struct {
	s           store
	desc        v1.Descriptor
	raw, config []byte
	manifest    *v1.Manifest
	file        *v1.ConfigFile
}

var _ v1.Image = (*img)(nil)

// readImage reads an image's manifest, unless raw is it already, and configuration.
func readImage(ctx context.Context, s store, d v1.Descriptor, raw []byte) (*img, error) {
	if raw == nil {
		var err error
		if raw, err = document(ctx, s, d, aManifest, maxManifest); err != nil {
			return nil, err
		}
	}
	m, err := layers.ParseManifest(d.Digest.String(), raw, string(d.MediaType))
	if err != nil {
		return nil, err
	}
	i := &img{s: s, desc: d, raw: raw, manifest: m}
	i.desc.Size = int64(len(raw))
	if i.desc.MediaType == "" {
		i.desc.MediaType = m.MediaType
	}
	if i.desc.MediaType == "" {
		i.desc.MediaType = types.OCIManifestSchema1
	}
	if i.config, err = document(ctx, s, m.Config, aConfig, maxConfig); err != nil {
		return nil, err
	}
	if i.file, err = layers.ParseConfig(m.Config.Digest.String(), i.config); err != nil {
		return nil, err
	}
	return i, nil
}

func (i *img) platform() assay.Platform {
	return assay.Platform{OS: i.file.OS, Architecture: i.file.Architecture, Variant: i.file.Variant, OSVersion: i.file.OSVersion}.Normalize()
}

func (i *img) Layers() ([]v1.Layer, error) {
	ls := make([]v1.Layer, len(i.manifest.Layers))
	for n := range ls {
		ls[n] = &layer{i, i.manifest.Layers[n], n}
	}
	return ls, nil
}

func (i *img) MediaType() (types.MediaType, error) { return i.desc.MediaType, nil }
func (i *img) Size() (int64, error)                { return i.desc.Size, nil }
func (i *img) ConfigName() (v1.Hash, error)        { return i.manifest.Config.Digest, nil }
func (i *img) ConfigFile() (*v1.ConfigFile, error) { return i.file.DeepCopy(), nil }
func (i *img) RawConfigFile() ([]byte, error)      { return i.config, nil }
func (i *img) Digest() (v1.Hash, error)            { return i.desc.Digest, nil }
func (i *img) Manifest() (*v1.Manifest, error)     { return i.manifest.DeepCopy(), nil }
func (i *img) RawManifest() ([]byte, error)        { return i.raw, nil }
func (i *img) absent(what string, h v1.Hash) error {
	return &assay.Error{Op: "read image", Kind: assay.ErrAbsent, Subject: i.desc.Digest.String(), Field: what, Value: h.String()}
}

func (i *img) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if h == i.manifest.Config.Digest {
		return &layer{i, i.manifest.Config, -1}, nil
	}
	for n, d := range i.manifest.Layers {
		if d.Digest == h {
			return &layer{i, d, n}, nil
		}
	}
	return nil, i.absent("layer", h)
}

func (i *img) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	for n, d := range i.file.RootFS.DiffIDs {
		if d == h && n < len(i.manifest.Layers) {
			return &layer{i, i.manifest.Layers[n], n}, nil
		}
	}
	return nil, i.absent("diffID", h)
}

// layer is a [v1.Layer] in a store.
type layer struct {
	img  *img
	desc v1.Descriptor
	at   int // -1 for the configuration
}

var _ layers.Blob = (*layer)(nil)

func (l *layer) Digest() (v1.Hash, error)            { return l.desc.Digest, nil }
func (l *layer) Size() (int64, error)                { return l.desc.Size, nil }
func (l *layer) MediaType() (types.MediaType, error) { return l.desc.MediaType, nil }

func (l *layer) DiffID() (v1.Hash, error) {
	if l.at < 0 {
		return l.desc.Digest, nil
	}
	if ids := l.img.file.RootFS.DiffIDs; l.at < len(ids) {
		return ids[l.at], nil
	}
	return v1.Hash{}, l.img.absent("diffID of layer "+strconv.Itoa(l.at), l.desc.Digest)
}

// Blob opens the layer as it is stored, unverified.
func (l *layer) Blob(ctx context.Context) (io.ReadCloser, error) {
	return l.img.s.blob(ctx, l.desc, aLayer)
}

// Compressed opens the layer as it is stored. Reading it to the end verifies it. The
// interface has no context; the time bounds of [Registry] hold.
func (l *layer) Compressed() (io.ReadCloser, error) {
	rc, err := l.Blob(context.Background())
	if err != nil {
		return nil, err
	}
	return verified(rc, l.desc, l.img.s.String())
}

// Uncompressed opens the layer's tar archive. Reading it to the end verifies it by
// its diffID.
func (l *layer) Uncompressed() (io.ReadCloser, error) {
	rc, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	return inflate(rc, l.desc.MediaType)
}

func inflate(rc io.ReadCloser, mt types.MediaType) (io.ReadCloser, error) {
	switch mt {
	case types.OCILayer, types.DockerLayer, types.OCIRestrictedLayer, types.DockerForeignLayer:
		z, err := gzip.NewReader(rc)
		if err != nil {
			rc.Close()
			return nil, err
		}
		return &inflated{z, rc}, nil
	case types.OCILayerZStd, dockerZstd:
		z, err := zstd.NewReader(rc, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			rc.Close()
			return nil, err
		}
		return &inflated{z.IOReadCloser(), rc}, nil
	}
	return rc, nil
}

type inflated struct {
	io.ReadCloser
	under io.Closer
}

func (i *inflated) Close() error {
	_ = i.ReadCloser.Close()
	return i.under.Close()
}

// index is a [v1.ImageIndex] in a store.
type index struct {
	s        store
	desc     v1.Descriptor
	raw      []byte
	manifest *v1.IndexManifest
}

var _ v1.ImageIndex = (*index)(nil)

func (x *index) MediaType() (types.MediaType, error) { return x.desc.MediaType, nil }
func (x *index) Digest() (v1.Hash, error)            { return x.desc.Digest, nil }
func (x *index) Size() (int64, error)                { return x.desc.Size, nil }
func (x *index) RawManifest() ([]byte, error)        { return x.raw, nil }
func (x *index) IndexManifest() (*v1.IndexManifest, error) {
	return x.manifest.DeepCopy(), nil
}

// Image opens a member. The interface has no context; see layer.Compressed.
func (x *index) Image(h v1.Hash) (v1.Image, error) {
	d, err := x.member(h)
	if err != nil {
		return nil, err
	}
	return readImage(context.Background(), x.s, d, nil)
}

// ImageIndex opens a member that is an index.
func (x *index) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	d, err := x.member(h)
	if err != nil {
		return nil, err
	}
	return readIndex(context.Background(), x.s, d, nil)
}

func (x *index) member(h v1.Hash) (v1.Descriptor, error) {
	for _, d := range x.manifest.Manifests {
		if d.Digest == h {
			return d, nil
		}
	}
	return v1.Descriptor{}, &assay.Error{Op: "read index", Kind: assay.ErrAbsent, Subject: x.desc.Digest.String(), Value: h.String()}
}

func readIndex(ctx context.Context, s store, d v1.Descriptor, raw []byte) (*index, error) {
	if raw == nil {
		var err error
		if raw, err = document(ctx, s, d, aManifest, maxManifest); err != nil {
			return nil, err
		}
	}
	m, err := layers.ParseIndex(d.Digest.String(), raw, string(d.MediaType))
	if err != nil {
		return nil, err
	}
	d.Size = int64(len(raw))
	if d.MediaType == "" {
		d.MediaType = m.MediaType
	}
	if d.MediaType == "" {
		d.MediaType = types.OCIImageIndex
	}
	return &index{s: s, desc: d, raw: raw, manifest: m}, nil
}
