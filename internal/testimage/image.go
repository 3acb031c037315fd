package testimage

import (
	"bytes"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
)

// Image is a [v1.Image] in memory.
type Image struct {
	manifest, config []byte
	parsed           v1.Manifest
	layers           []*layer
	blobs            map[v1.Hash][]byte
}

var _ v1.Image = (*Image)(nil)

// ID is the digest of the manifest in the form of this module.
func (i *Image) ID() assay.Digest { return assay.MustDigest(Sum(i.manifest).String()) }

// Layers implements [v1.Image].
func (i *Image) Layers() ([]v1.Layer, error) {
	ls := make([]v1.Layer, len(i.layers))
	for n, l := range i.layers {
		ls[n] = l
	}
	return ls, nil
}

// MediaType implements [v1.Image].
func (i *Image) MediaType() (types.MediaType, error) { return i.parsed.MediaType, nil }

// Size implements [v1.Image].
func (i *Image) Size() (int64, error) { return int64(len(i.manifest)), nil }

// ConfigName implements [v1.Image].
func (i *Image) ConfigName() (v1.Hash, error) { return Sum(i.config), nil }

// ConfigFile implements [v1.Image].
func (i *Image) ConfigFile() (*v1.ConfigFile, error) {
	return v1.ParseConfigFile(bytes.NewReader(i.config))
}

// RawConfigFile implements [v1.Image].
func (i *Image) RawConfigFile() ([]byte, error) { return i.config, nil }

// Digest implements [v1.Image].
func (i *Image) Digest() (v1.Hash, error) { return Sum(i.manifest), nil }

// Manifest implements [v1.Image].
func (i *Image) Manifest() (*v1.Manifest, error) { return i.parsed.DeepCopy(), nil }

// RawManifest implements [v1.Image].
func (i *Image) RawManifest() ([]byte, error) { return i.manifest, nil }

// LayerByDigest implements [v1.Image].
func (i *Image) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	for n, l := range i.layers {
		if i.parsed.Layers[n].Digest == h {
			return l, nil
		}
	}
	if h == i.parsed.Config.Digest {
		return &layer{img: i, at: -1, blob: i.config, tar: i.config, diffID: h}, nil
	}
	return nil, fmt.Errorf("no layer %s", h)
}

// LayerByDiffID implements [v1.Image].
func (i *Image) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	for _, l := range i.layers {
		if l.diffID == h {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no layer with diffID %s", h)
}

type layer struct {
	img       *Image
	at        int // -1 for the configuration
	diffID    v1.Hash
	blob, tar []byte
}

func (l *layer) descriptor() v1.Descriptor {
	if l.at < 0 {
		return l.img.parsed.Config
	}
	return l.img.parsed.Layers[l.at]
}

func (l *layer) Digest() (v1.Hash, error) { return l.descriptor().Digest, nil }
func (l *layer) DiffID() (v1.Hash, error) { return l.diffID, nil }
func (l *layer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.blob)), nil
}
func (l *layer) Uncompressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.tar)), nil
}
func (l *layer) Size() (int64, error) { return l.descriptor().Size, nil }
func (l *layer) MediaType() (types.MediaType, error) {
	return l.descriptor().MediaType, nil
}
