package layers

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Stated is what the manifest and configuration of an image say of one layer.
// Nothing of it was compared with the layer's bytes.
type Stated struct {
	v1.Descriptor
	DiffID v1.Hash
}

// Describe reads an image's manifest and configuration and no layer. The digests of
// both are recomputed, and they are held to the rules of [Pass]; the result is that
// of a pass, without what only the layers can tell.
func Describe(ctx context.Context, img v1.Image, opts Options) (*Result, []Stated, error) {
	res, streams, err := describe(ctx, img, opts.withDefaults())
	if err != nil {
		return nil, nil, err
	}
	stated := make([]Stated, len(streams))
	for i, s := range streams {
		stated[i] = Stated{s.desc, res.Config.RootFS.DiffIDs[i]}
	}
	return res, stated, nil
}
