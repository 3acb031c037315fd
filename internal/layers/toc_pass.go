package layers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers/toc"
)

const (
	// tocMinBlob is the smallest blob whose table is asked for: two requests cost more
	// than the rest of it.
	tocMinBlob = 256 << 10
	// tocShare is the part of a blob, in percent, from which on it is read whole.
	tocShare = 60
)

// summed is content whose SHA-256 digest is known without reading it.
type summed interface{ sum256() *[32]byte }

// knownSum is that digest, nil if nothing tells it.
func knownSum(r io.Reader) *[32]byte {
	if s, ok := r.(summed); ok {
		return s.sum256()
	}
	return nil
}

// byTOC reads a layer by its table of contents. It reports false, with the reason in
// Layer.NoTOC if there is something to say, for a layer that is to be read whole; then
// no visitor has been shown anything of it.
func (c *collector) byTOC(ctx context.Context, s *stream, h *harvest) (bool, error) {
	if !c.opts.TrustTOC {
		return false, nil
	}
	l, ok, err := s.locate()
	if err != nil || !ok {
		return false, err
	}
	r := &tocReader{c: c, s: s, h: h, src: &ranges{s: s}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts, err := r.prepare(ctx, l, nil)
	runs, total := coalesce(parts)
	// A request costs as much as the bytes that are fetched to spare one.
	if err == nil && (r.t.Fetched+total+rangeGap*int64(len(runs)))/max(1, s.desc.Size/100) > tocShare {
		err = toc.Unusable{Reason: "would save less than " + strconv.Itoa(100-tocShare) + " % of the blob"}
	}
	if why, ok := errors.AsType[toc.Unusable](err); ok {
		s.info.NoTOC = why.Error()
		return false, nil
	}
	if errors.Is(err, ErrNoRange) {
		s.info.NoTOC = ErrNoRange.Error()
		return false, nil
	}
	if err == nil {
		err = r.walk(ctx, runs, nil)
	}
	if err != nil {
		return false, err
	}
	s.info = Layer{Digest: digestOf(s.desc.Digest), DiffID: s.diffID, Size: s.desc.Size, TOC: r.t.Digest, Fetched: r.src.asked.Load()}
	return true, nil
}

// againByTOC serves the requests for the entries of these positions of a layer that
// was read by its table. It gives how many bytes it asked for.
func (c *collector) againByTOC(ctx context.Context, s *stream, h *harvest, only map[int][]request) (int64, error) {
	l, _, err := s.locate()
	if err != nil {
		return 0, err
	}
	r := &tocReader{c: c, s: s, h: h, src: &ranges{s: s}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts, err := r.prepare(ctx, l, only)
	if err != nil {
		if why, ok := errors.AsType[toc.Unusable](err); ok {
			err = s.fail(assay.ErrUnchecked, "table of contents", "", "what was read a moment ago", why)
		}
		return 0, err
	}
	runs, _ := coalesce(parts)
	err = r.walk(ctx, runs, only)
	return r.src.asked.Load(), err
}

// locate reads what the layer's annotations say of a table.
func (s *stream) locate() (toc.Locator, bool, error) {
	packed := layerMediaTypes[string(s.desc.MediaType)]
	if packed == packedNone || len(s.desc.Annotations) == 0 {
		return toc.Locator{}, false, nil
	}
	l, ok, err := toc.Locate(s.desc.Digest.String(), packed == packedZstd, s.desc.Annotations)
	switch {
	case err != nil || !ok:
		return toc.Locator{}, false, err
	case s.ranger == nil:
		s.info.NoTOC = ErrNoRange.Error()
		return toc.Locator{}, false, nil
	case s.desc.Size < tocMinBlob:
		s.info.NoTOC = "the blob is smaller than " + strconv.Itoa(tocMinBlob) + " bytes"
		return toc.Locator{}, false, nil
	}
	return l, true, nil
}

// tocReader reads one layer by its table.
type tocReader struct {
	c   *collector
	s   *stream
	h   *harvest
	src *ranges
	t   *toc.Table
}

// prepare reads the table, and tells which parts of the blob are needed at least.
func (r *tocReader) prepare(ctx context.Context, l toc.Locator, only map[int][]request) ([]part, error) {
	b := r.c.opts.Bounds
	var err error
	r.t, err = toc.Read(ctx, r.src, r.h.subject, r.s.desc.Size, l, toc.Limits{Bytes: b.TOC, Entries: b.Entries, Content: b.Inflated, Window: b.Window})
	if err != nil {
		return nil, err
	}
	var parts []part
	scratch := &harvest{index: r.h.index, subject: r.h.subject}
	var one [1]File
	for i := range r.t.Files {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, r.h.fail("read layer", assay.ErrUnchecked, "", "", "", context.Cause(ctx))
		}
		f := &r.t.Files[i]
		var want Want
		if only != nil {
			for _, q := range only[i] {
				want |= q.want
			}
		} else {
			scratch.slab = one[:]
			file, err := r.c.file(scratch, f.Header())
			if err != nil {
				return nil, err
			}
			if want, err = r.c.wanted(file); err != nil {
				return nil, err
			}
		}
		for _, k := range r.needed(f, want) {
			if n := len(parts); !k.Zeros && (n == 0 || parts[n-1].to < k.End) {
				parts = append(parts, part{k.Offset, k.End})
			}
		}
	}
	return parts, nil
}

// wanted is what the visitors want of a file together.
func (c *collector) wanted(f *File) (all Want, err error) {
	o, _, skip, _ := whiteout(f.Path)
	if o != opAdd || skip || f.Type != Regular || f.HardLink != "" {
		return WantNothing, nil
	}
	for _, v := range c.visitors {
		all |= v.Match(f)
	}
	return all, nil
}

// needed are the chunks that are read whatever a peek decides.
func (r *tocReader) needed(f *toc.File, want Want) []toc.Chunk {
	chunks := r.t.Chunks[f.First:f.Last]
	switch {
	case want&WantContent != 0 && f.Size <= r.c.opts.Bounds.File || want&WantHash != 0 && !f.HasSum || want&WantHash512 != 0:
		return chunks
	case want&WantPeek != 0:
		n := 0
		for seen := int64(0); n < len(chunks) && seen < PeekSize; n++ {
			seen += chunks[n].Size
		}
		return chunks[:n]
	}
	return nil
}

// walk does for a table what collector.walk does for a tar stream.
func (r *tocReader) walk(ctx context.Context, runs []part, only map[int][]request) error {
	m := &members{s: r.s, f: &fetcher{r: r.src, runs: runs}, offset: -1, isZstd: layerMediaTypes[string(r.s.desc.MediaType)] == packedZstd}
	defer m.close()
	for i := range r.t.Files {
		if i%256 == 0 && ctx.Err() != nil {
			return r.h.fail("read layer", assay.ErrUnchecked, "", "", "", context.Cause(ctx))
		}
		if only != nil && only[i] == nil {
			continue
		}
		f := &r.t.Files[i]
		content := &fileContent{ctx: ctx, m: m, t: r.t, f: f}
		err := r.entry(ctx, i, func() error { return r.c.first(ctx, r.h, i, f.Header(), content) }, only, content)
		if err == nil {
			err = content.finish()
		}
		if m.err != nil {
			return m.err // the engine calls what cannot be read an invalid archive
		}
		if err != nil {
			return err
		}
	}
	if r.t.Index == nil {
		return nil
	}
	// Who unpacks the blob unpacks its table, too.
	i := len(r.t.Files)
	content := bytes.NewReader(r.t.JSON)
	return r.entry(ctx, i, func() error { return r.c.first(ctx, r.h, i, r.t.Index, content) }, only, content)
}

// entry shows one entry: the first time, or to those who asked for it.
func (r *tocReader) entry(ctx context.Context, i int, first func() error, only map[int][]request, content io.Reader) error {
	if only != nil {
		if wishes := only[i]; wishes != nil {
			return r.c.show(ctx, r.h, wishes[0].content(), wishes, content)
		}
		return nil
	}
	r.s.entries.Add(1)
	b := r.c.opts.Bounds
	if i >= b.Entries {
		return r.h.fail("read layer", assay.ErrBound, "entries", "more than "+strconv.Itoa(b.Entries), "at most Entries "+strconv.Itoa(b.Entries), nil)
	}
	if r.c.entries.Add(1) > int64(b.TotalEntries) {
		return r.h.fail("read layer", assay.ErrBound, "entries of all layers", "more than "+strconv.Itoa(b.TotalEntries), "at most TotalEntries "+strconv.Itoa(b.TotalEntries), nil)
	}
	return first()
}
