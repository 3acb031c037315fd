package layers

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"io"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

// Streamer is a [Visitor] that can read a content as it goes by. What it wants the
// content of and is larger than [Options.Whole] it gets as a stream, so that nothing
// holds the whole of it; smaller files it is shown as every visitor is.
type Streamer interface {
	Visitor
	// Stream begins to read a file. Asked is what [Stream.Visit] asked for in the
	// reading before this one, nil in the first. It must not keep f.
	Stream(f *File, asked any) Stream
}

// Stream reads one content. It is used by one goroutine, and should keep no more of
// the content than [StreamMemory], whatever its size.
type Stream interface {
	// Write is given all of the content, piece by piece. It must not keep b.
	Write(b []byte)
	// Visit is called at the end, with the digests that were wanted. The fact is that
	// of [Visitor.Visit]. If what went by was not enough, ask is not nil: then fact is
	// ignored, and the layer is read again at once for another stream that is told
	// what the first one asked for. A content is read at most [MaxReadings] times. If
	// ask is of type [Beyond] there is no use in that: the content is skipped.
	Visit(ctx context.Context, f *File, c Content) (fact, ask any, err error)
	// Close is called once, however the reading ended.
	Close()
}

// Beyond says why a content cannot be read as a stream.
type Beyond string

const (
	// StreamMemory is what the streams of one content may take in all, and what they
	// take of [Options.Memory].
	StreamMemory = 8 << 20
	// MaxReadings of one content.
	MaxReadings = 4
)

// streaming is a stream of one of those who asked for a content.
type streaming struct {
	answer int
	Stream
}

// canStream reports whether all who want the content can do without holding it.
func (c *collector) canStream(answers []request) bool {
	return !slices.ContainsFunc(answers, func(a request) bool { return a.want&WantContent != 0 && c.streamers[a.visitor] == nil })
}

// goBy lets a content go by, for those who want it as a stream and for its digest.
// The streams are to be closed even if there is an error.
func (c *collector) goBy(ctx context.Context, h *harvest, f *File, head []byte, r io.Reader, answers []request, all Want) ([]streaming, assay.Digest, error) {
	var out []streaming
	for i, a := range answers {
		if a.want&WantContent != 0 {
			out = append(out, streaming{i, c.streamers[a.visitor].Stream(a.seen(f), a.ask)})
		}
	}
	var d, d512 hash.Hash
	if all&(WantHash|WantHash512) != 0 {
		d = sha256.New()
	}
	if all&WantHash512 != 0 {
		d512 = sha512.New()
	}
	if h.chunk == nil {
		h.chunk = make([]byte, chunkSize)
	}
	n := int64(0)
	take := func(b []byte) {
		n += int64(len(b))
		if d != nil {
			d.Write(b)
		}
		if d512 != nil {
			d512.Write(b)
		}
		for _, s := range out {
			s.Write(b)
		}
	}
	take(head)
	if err := copyContext(ctx, take, r, h.chunk); err != nil {
		return out, assay.Digest{}, err
	}
	if n < f.Size && len(out) > 0 { // a file in a folder, that changed
		return out, assay.Digest{}, io.ErrUnexpectedEOF
	}
	if d != nil {
		f.sum = (*[32]byte)(d.Sum(nil))
	}
	if d512 != nil {
		return out, digest512(d512.Sum(nil)), nil
	}
	return out, assay.Digest{}, nil
}

// visitStream takes the fact of a stream, or notes that the content is to be read
// again for it.
func (c *collector) visitStream(ctx context.Context, h *harvest, f *File, q request, s Stream, content Content) error {
	seen := q.seen(f)
	fact, ask, err := s.Visit(ctx, seen, content)
	if err != nil {
		return c.visitorFailed(h, q, seen, err)
	}
	switch ask := ask.(type) {
	case nil:
		if fact != nil {
			h.facts = append(h.facts, rawFact{q.visitor, f, q.as, q.of, fact})
		}
		return nil
	case Beyond:
		return c.skip(h, f, q, string(ask))
	}
	if q.readings++; q.readings >= MaxReadings {
		return c.skip(h, f, q, "has its parts in an order that takes more than "+strconv.Itoa(MaxReadings)+" readings")
	}
	q.at, q.ask = f, ask
	if h.again == nil {
		h.again = make(map[int][]request)
	}
	h.again[f.pos] = append(h.again[f.pos], q)
	return nil
}

// skip notes that a visitor does not get a content, if it can do without.
func (c *collector) skip(h *harvest, f *File, q request, reason string) error {
	if q.want&WantOptional == 0 {
		return h.fail("read layer", assay.ErrBound, f.Path, strconv.FormatInt(f.Size, 10)+" bytes", reason, nil)
	}
	h.skipped = append(h.skipped, Skipped{Visitor: c.visitors[q.visitor].Name(), Path: q.seen(f).Path,
		Layer: h.index, Size: f.Size, Reason: reason})
	return nil
}

// settle reads a layer again until no stream asks for more.
func (h *harvest) settle(again func(only map[int][]request) error) error {
	if len(h.again) == 0 {
		return nil
	}
	for len(h.again) > 0 {
		only := h.again
		h.again = nil
		if err := again(only); err != nil {
			return err
		}
	}
	// As if they had been there at once: the cache relies on that.
	slices.SortStableFunc(h.facts, func(a, b rawFact) int { return a.file.pos - b.file.pos })
	return nil
}
