package witness

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/assaykit/assay"
)

// concurrency is how many payloads of a batch are signed and witnessed side by side.
const concurrency = 4

// Each signs all payloads, in their order. When one cannot be signed no envelope is
// given.
func Each(ctx context.Context, payloads [][]byte, sign func(context.Context, []byte) (assay.Envelope, error)) ([]assay.Envelope, error) {
	out := make([]assay.Envelope, len(payloads))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for i, p := range payloads {
		g.Go(func() (err error) {
			out[i], err = sign(ctx, p)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}
