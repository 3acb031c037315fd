package layers

import (
	"context"
	"sync"

	"github.com/assaykit/assay"
)

// merging merges layers while others are still being read: a layer as soon as it and
// all below it are there.
type merging struct {
	mu       sync.Mutex
	m        *merger
	harvests []*harvest // nil of a layer that is not there
	next     int        // the lowest layer that is not merged
	busy     bool       // somebody merges, and will see what is added
	err      error
}

func newMerging(b Bounds, layers int) *merging {
	return &merging{m: newMerger(b), harvests: make([]*harvest, layers)}
}

// add takes what a layer gave, which nobody changes any more, and merges what can be.
// What goes wrong is told by finish, so that it does not depend on which layer is read
// first.
func (g *merging) add(ctx context.Context, i int, h *harvest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.harvests[i] = h
	if g.busy {
		return
	}
	g.busy = true
	for g.err == nil && g.next < len(g.harvests) && g.harvests[g.next] != nil {
		h := g.harvests[g.next]
		g.mu.Unlock()
		err := g.apply(ctx, g.next, h)
		g.mu.Lock()
		g.next++
		g.err = err
	}
	if g.err == nil && g.next > 0 && g.next == len(g.harvests)-1 {
		g.m.root.tidyAll() // there is time, until the last layer is there
	}
	g.busy = false
}

func (g *merging) apply(ctx context.Context, i int, h *harvest) error {
	if ctx.Err() != nil {
		return &assay.Error{Op: "merge layers", Kind: assay.ErrUnchecked, Err: context.Cause(ctx)}
	}
	err := g.m.apply(i, h.subject, h.entries)
	h.entries = nil
	return err
}

// finish gives what was merged of all layers.
func (g *merging) finish(ctx context.Context, res *Result) error {
	if g.err != nil {
		return g.err
	}
	if ctx.Err() != nil {
		return &assay.Error{Op: "merge layers", Kind: assay.ErrUnchecked, Err: context.Cause(ctx)}
	}
	res.Tree, res.History, res.Ambiguous = g.m.finish()
	return nil
}
