package layers

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// Blob is implemented by layers that can give their bytes as they are stored, with
// nothing verified. A pass verifies them itself, and prefers this to
// [v1.Layer.Compressed], which may hash what is then hashed again.
type Blob interface {
	Blob(context.Context) (io.ReadCloser, error)
}

// Pass reads an image once. Every digest is recomputed; see the package comment for
// what is promised and which errors there are. Errors of visitors are wrapped.
//
// The methods of v1.Image know no context: when ctx ends, a call that hangs in one
// of them is left behind.
func Pass(ctx context.Context, img v1.Image, opts Options, visitors ...Visitor) (*Result, error) {
	opts = opts.withDefaults()
	c, err := newCollector(opts, visitors)
	if err != nil {
		return nil, err
	}
	res, streams, err := describe(ctx, img, opts)
	if err != nil {
		return nil, err
	}
	spare := new(spares)
	defer spare.close()
	for _, s := range streams {
		s.spare = spare
	}
	merged := newMerging(opts.Bounds, len(streams))
	res.Layers = make([]Layer, len(streams))
	err = inOrder(ctx, opts.Workers, readingOrder(len(streams), opts.Cache != nil), func(ctx context.Context, i int) error {
		s := streams[i]
		h := &harvest{index: i, subject: s.desc.Digest.String()}
		done, err := c.restore(ctx, s, h)
		if err == nil && !done {
			done, err = c.byTOC(ctx, s, h)
		}
		if err == nil && !done {
			err = s.read(ctx, func(ctx context.Context, r io.Reader) error {
				return c.walk(ctx, h, r, &s.entries, nil)
			})
		}
		if err == nil {
			err = h.settle(func(only map[int][]request) error { return c.readAgain(ctx, s, &s.info, h, only) })
		}
		if err == nil && !done {
			c.keep(ctx, s, h)
		}
		if err != nil {
			return err
		}
		s.info.Entries = int(s.entries.Load())
		s.info.MediaType = string(s.desc.MediaType)
		res.Layers[i] = s.info
		if s.report != nil {
			s.report(Progress{Layer: i, Digest: s.info.Digest, Done: s.info.Size, Total: s.info.Size, Entries: s.info.Entries, Finished: true})
		}
		merged.add(ctx, i, h)
		return nil
	})
	if err != nil {
		return nil, err
	}
	createdBy(res)
	again := func(ctx context.Context, i int, only map[int][]request) error {
		return c.readAgain(ctx, streams[i], &res.Layers[i], merged.harvests[i], only)
	}
	if err := c.finish(ctx, res, merged, again); err != nil {
		return nil, err
	}
	return res, nil
}

// readAgain reads a layer for what is wanted of the entries of these positions.
func (c *collector) readAgain(ctx context.Context, s *stream, info *Layer, h *harvest, only map[int][]request) error {
	again := s.again()
	if !info.TOC.IsZero() {
		fetched, err := c.againByTOC(ctx, again, h, only)
		info.Fetched += fetched
		return err
	}
	return again.read(ctx, func(ctx context.Context, r io.Reader) error {
		return c.walk(ctx, h, r, nil, only)
	})
}

func newCollector(opts Options, visitors []Visitor) (*collector, error) {
	c := &collector{opts: opts, memory: newMemory(opts.Memory, opts.Workers)}
	c.visitors = append([]Visitor{retainer{opts.Bounds.Retained}}, visitors...)
	names := make(map[string]bool)
	for _, v := range c.visitors {
		if names[v.Name()] {
			return nil, &assay.Error{Op: "read layers", Kind: assay.ErrInvalid, Field: "visitors", Value: v.Name(), Bound: "names that are all different"}
		}
		names[v.Name()] = true
		p, _ := v.(Peeker)
		c.peekers = append(c.peekers, p)
		s, _ := v.(Streamer)
		c.streamers = append(c.streamers, s)
	}
	if len(c.visitors) > 64 {
		return nil, &assay.Error{Op: "read layers", Kind: assay.ErrBound, Field: "visitors", Value: strconv.Itoa(len(visitors)), Bound: "at most 63 visitors"}
	}
	return c, nil
}

// describe reads manifest and configuration and checks that they belong together.
func describe(ctx context.Context, img v1.Image, opts Options) (*Result, []*stream, error) {
	fail := func(kind error, subject, field, value, bound string, err error) error {
		return &assay.Error{Op: "read image", Kind: kind, Subject: subject, Field: field, Value: value, Bound: bound, Err: err}
	}
	raw, err := await(ctx, img.RawManifest)
	if err != nil {
		return nil, nil, keepKind(err, fail(assay.ErrUnchecked, opts.Digest.String(), "manifest", "", "", err))
	}
	if int64(len(raw)) > opts.Bounds.Manifest {
		return nil, nil, fail(assay.ErrBound, opts.Digest.String(), "manifest", strconv.Itoa(len(raw))+" bytes", "at most Manifest "+strconv.FormatInt(opts.Bounds.Manifest, 10)+" bytes", nil)
	}
	want := opts.Digest
	if want.IsZero() {
		h, err := await(ctx, img.Digest)
		if err != nil {
			return nil, nil, keepKind(err, fail(assay.ErrUnchecked, "", "manifest", "", "", err))
		}
		if want = digestOf(h); want.IsZero() {
			return nil, nil, fail(assay.ErrInvalid, "", "manifest digest", h.String(), "a digest", nil)
		}
	}
	got, err := sumOf(want.Algorithm(), raw)
	if err != nil {
		return nil, nil, err
	}
	if got != want {
		return nil, nil, fail(assay.ErrRefuted, want.String(), "manifest digest", got.String(), want.String(), nil)
	}
	mt, err := await(ctx, img.MediaType)
	if err != nil {
		return nil, nil, keepKind(err, fail(assay.ErrUnchecked, got.String(), "media type", "", "", err))
	}
	m, err := ParseManifest(got.String(), raw, string(mt))
	if err != nil {
		return nil, nil, err
	}
	if len(m.Layers) > opts.Bounds.Layers {
		return nil, nil, fail(assay.ErrBound, got.String(), "/layers", strconv.Itoa(len(m.Layers)), "at most Layers "+strconv.Itoa(opts.Bounds.Layers), nil)
	}
	if m.Config.Size > opts.Bounds.Config {
		return nil, nil, fail(assay.ErrBound, got.String(), "/config/size", strconv.FormatInt(m.Config.Size, 10), "at most Config "+strconv.FormatInt(opts.Bounds.Config, 10)+" bytes", nil)
	}
	rawConfig, err := await(ctx, img.RawConfigFile)
	configDigest := digestOf(m.Config.Digest)
	if err != nil {
		if isMismatch(err) {
			return nil, nil, fail(assay.ErrRefuted, configDigest.String(), "config digest", "", configDigest.String(), err)
		}
		return nil, nil, keepKind(err, fail(assay.ErrUnchecked, configDigest.String(), "config", "", "", err))
	}
	if sum, err := sumOf(configDigest.Algorithm(), rawConfig); err != nil {
		return nil, nil, err
	} else if sum != configDigest {
		return nil, nil, fail(assay.ErrRefuted, configDigest.String(), "config digest", sum.String(), configDigest.String(), nil)
	}
	if int64(len(rawConfig)) != m.Config.Size {
		return nil, nil, fail(assay.ErrRefuted, configDigest.String(), "config size", strconv.Itoa(len(rawConfig)), strconv.FormatInt(m.Config.Size, 10)+" bytes", nil)
	}
	cf, err := ParseConfig(configDigest.String(), rawConfig)
	if err != nil {
		return nil, nil, err
	}
	if len(cf.RootFS.DiffIDs) != len(m.Layers) {
		return nil, nil, fail(assay.ErrInvalid, configDigest.String(), "/rootfs/diff_ids", strconv.Itoa(len(cf.RootFS.DiffIDs))+" diffIDs", strconv.Itoa(len(m.Layers))+", one for each layer", nil)
	}
	if filled := notEmpty(cf); len(cf.History) > 0 && filled != len(m.Layers) {
		return nil, nil, fail(assay.ErrInvalid, configDigest.String(), "/history", strconv.Itoa(filled)+" entries that are not empty", strconv.Itoa(len(m.Layers))+", one for each layer", nil)
	}
	ls, err := await(ctx, img.Layers)
	if err != nil {
		return nil, nil, keepKind(err, fail(assay.ErrUnchecked, got.String(), "/layers", "", "", err))
	}
	if len(ls) != len(m.Layers) {
		return nil, nil, fail(assay.ErrInvalid, got.String(), "/layers", strconv.Itoa(len(ls)), strconv.Itoa(len(m.Layers))+" layers", nil)
	}
	streams := make([]*stream, len(ls))
	var total atomic.Int64
	report := serialized(opts.Progress)
	for i, l := range ls {
		d := m.Layers[i]
		if _, ok := layerMediaTypes[string(d.MediaType)]; !ok {
			return nil, nil, fail(assay.ErrInvalid, got.String(), "/layers/"+strconv.Itoa(i)+"/mediaType", string(d.MediaType), "the media type of a file system layer", nil)
		}
		diffID := digestOf(cf.RootFS.DiffIDs[i])
		if _, err := sumOf(diffID.Algorithm(), nil); err != nil {
			return nil, nil, err
		}
		open := func(context.Context) (io.ReadCloser, error) { return l.Compressed() }
		if b, ok := l.(Blob); ok {
			open = b.Blob
		}
		ranger, _ := l.(Ranger)
		streams[i] = &stream{index: i, desc: d, diffID: diffID, open: open, ranger: ranger, opts: opts, total: &total, report: report}
	}
	platform := assay.Platform{OS: cf.OS, Architecture: cf.Architecture, Variant: cf.Variant, OSVersion: cf.OSVersion}
	return &Result{
		Manifest: got, MediaType: string(mt), ConfigDigest: configDigest, Config: cf,
		Annotations: m.Annotations, Platform: platform.Normalize(),
	}, streams, nil
}

// keepKind leaves an error alone that says already what kind it is.
func keepKind(err, otherwise error) error {
	if _, ok := errors.AsType[*assay.Error](err); ok {
		return err
	}
	return otherwise
}

// Sum computes a digest by an algorithm that OCI registers: sha256, sha384 or sha512.
func Sum(a assay.Algorithm, data []byte) (assay.Digest, error) { return sumOf(a, data) }

// sumOf computes a digest by an algorithm that OCI registers.
func sumOf(a assay.Algorithm, data []byte) (assay.Digest, error) {
	switch a {
	case assay.SHA256, assay.SHA384, assay.SHA512:
		h := newHash(a)
		h.Write(data)
		return assay.NewDigest(a, hex.EncodeToString(h.Sum(nil)))
	}
	return assay.Digest{}, &assay.Error{Op: "read image", Kind: assay.ErrInvalid, Field: "digest algorithm", Value: string(a), Bound: "sha256, sha384 or sha512"}
}

// await calls f, and gives up on it when the context ends.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	if err := ctx.Err(); err != nil {
		var none T
		return none, context.Cause(ctx)
	}
	ch := make(chan answer, 1)
	go func() {
		v, err := f()
		ch <- answer{v, err}
	}()
	select {
	case a := <-ch:
		return a.v, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// readingOrder is from the base up. With a cache the top layer is the first, because
// that is what changes: what is below it is taken from the cache and merged while it is
// read.
func readingOrder(n int, cached bool) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
		if cached {
			order[i] = (i + n - 1) % n
		}
	}
	return order
}

// inParallel calls f for 0 to n-1, see inOrder.
func inParallel(ctx context.Context, workers, n int, f func(context.Context, int) error) error {
	return inOrder(ctx, workers, readingOrder(n, false), f)
}

// inOrder calls f for the numbers of a permutation, some at once. The first failure
// stops the others. The error is that of the lowest number among those that failed by
// themselves.
func inOrder(ctx context.Context, workers int, order []int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n := len(order)
	errs := make([]error, n)
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || failed.Load() {
					return
				}
				i = order[i]
				if err := f(ctx, i); err != nil {
					// What fails after this was only told to stop.
					if failed.CompareAndSwap(false, true) || ctx.Err() == nil {
						errs[i] = err
					}
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func serialized(f func(Progress)) func(Progress) {
	if f == nil {
		return nil
	}
	var mu sync.Mutex
	return func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		f(p)
	}
}

func notEmpty(cf *v1.ConfigFile) int {
	n := 0
	for _, h := range cf.History {
		if !h.EmptyLayer {
			n++
		}
	}
	return n
}

// createdBy fills in what the history says of each layer.
func createdBy(res *Result) {
	i := 0
	for _, h := range res.Config.History {
		if !h.EmptyLayer {
			l := &res.Layers[i]
			l.CreatedBy, l.Comment, l.Author = h.CreatedBy, h.Comment, h.Author
			i++
		}
	}
}
