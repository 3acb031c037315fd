package layers

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/assaykit/assay"
)

// finish takes what was merged, looks again at what was wanted under another name, and
// sorts the facts into those that hold and those that are history.
func (c *collector) finish(ctx context.Context, res *Result, g *merging,
	again func(ctx context.Context, layer int, only map[int][]request) error) error {
	harvests := g.harvests
	if err := g.finish(ctx, res); err != nil {
		return err
	}
	missed, err := c.missed(ctx, res.Tree, harvests)
	if err != nil {
		return err
	}
	which := slices.Sorted(maps.Keys(missed))
	err = inParallel(ctx, c.opts.Workers, len(which), func(ctx context.Context, i int) error {
		h := harvests[which[i]]
		h.again = missed[which[i]]
		return h.settle(func(only map[int][]request) error { return again(ctx, which[i], only) })
	})
	if err != nil {
		return err
	}
	c.sort(res, harvests)
	return nil
}

// missed finds the wanted names whose contents did not go by under that name, by
// layer and position of the content. Those that want no content are visited.
func (c *collector) missed(ctx context.Context, t *Tree, harvests []*harvest) (map[int]map[int][]request, error) {
	missed := make(map[int]map[int][]request)
	need := func(q request) {
		at := q.as.content()
		if missed[at.Layer] == nil {
			missed[at.Layer] = make(map[int][]request)
		}
		missed[at.Layer][at.pos] = append(missed[at.Layer][at.pos], q)
	}
	for n := 0; n < len(t.files); n++ {
		f := t.files[n]
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, &assay.Error{Op: "merge layers", Kind: assay.ErrUnchecked, Err: context.Cause(ctx)}
		}
		// Nearly all files were matched under their final name.
		if f.Type != Symlink && f.same == nil && f.wrote == "" || f.Implied {
			continue
		}
		for i, v := range c.visitors {
			w := v.Match(f)
			switch {
			case f.Type == Symlink && w&needsContent != 0:
				to, err := t.Lookup(f.Path)
				if err != nil || to.Type != Regular || v.Match(to)&needsContent != 0 || to.content().seen&(1<<i) != 0 {
					continue // it leads nowhere, or the file is a matter of its own
				}
				as := *to
				as.Path, as.same = f.Path, to
				need(request{visitor: i, want: w, as: &as, of: to})
			case f.Type != Regular || w&needsContent == 0:
				if w&WantVisit != 0 && f.same != nil {
					if err := c.visit(ctx, harvests[f.Layer], f, request{visitor: i, as: f, of: f}, Content{}); err != nil {
						return nil, err
					}
				}
			case c.saw(i, f):
			default:
				need(request{visitor: i, want: w, as: f, of: f})
			}
		}
	}
	return missed, nil
}

// saw reports whether a visitor saw the content of f under a name that counts.
func (c *collector) saw(visitor int, f *File) bool {
	bit := uint64(1) << visitor
	if f.same == nil {
		return f.seen&bit != 0
	}
	return f.content().seen&f.content().any&bit != 0
}

// sort makes the result's facts of what the layers gave.
func (c *collector) sort(res *Result, harvests []*harvest) {
	res.facts, res.gone = make(map[string][]Fact), make(map[string][]Fact)
	// The other names of contents, for facts that hold under any.
	names := make(map[*File][]*File)
	for _, f := range res.Tree.files {
		if f.same != nil {
			names[f.content()] = append(names[f.content()], f)
		}
	}
	for _, h := range harvests {
		res.Skipped = append(res.Skipped, h.skipped...)
		for _, r := range h.facts {
			v := c.visitors[r.visitor]
			if r.as != nil {
				res.facts[v.Name()] = append(res.facts[v.Name()], Fact{Path: r.as.Path, File: r.of, Layer: r.as.ContentLayer, Removed: -1, Value: r.value})
				continue
			}
			held := false
			if r.file.gone == 0 {
				held = true
				res.facts[v.Name()] = append(res.facts[v.Name()], Fact{Path: r.file.Path, File: r.file, Layer: r.file.ContentLayer, Removed: -1, Value: r.value})
			}
			if r.file.any&(1<<r.visitor) != 0 {
				for _, f := range names[r.file] {
					if v.Match(f)&^(WantOptional|WantAnyName) != 0 {
						held = true
						res.facts[v.Name()] = append(res.facts[v.Name()], Fact{Path: f.Path, File: f, Layer: f.ContentLayer, Removed: -1, Value: r.value})
					}
				}
			}
			if !held {
				res.gone[v.Name()] = append(res.gone[v.Name()], Fact{Path: r.file.Path, File: r.file, Layer: r.file.ContentLayer, Removed: int(r.file.gone) - 1, Value: r.value})
			}
		}
	}
	byPath := func(a, b Fact) int {
		return cmp.Or(comparePaths(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.File.pos, b.File.pos))
	}
	for _, facts := range res.facts {
		slices.SortStableFunc(facts, byPath)
	}
	for _, facts := range res.gone {
		slices.SortStableFunc(facts, byPath)
	}
	slices.SortStableFunc(res.Skipped, func(a, b Skipped) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), comparePaths(a.Path, b.Path), cmp.Compare(a.Visitor, b.Visitor))
	})
}
