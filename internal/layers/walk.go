package layers

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"

	"github.com/assaykit/assay"
)

const paxCapability = "SCHILY.xattr.security.capability"

// collector shows files to visitors and keeps their facts. There is one for each
// pass; what it gathers for one layer is in a harvest.
type collector struct {
	opts     Options
	visitors []Visitor
	// nil where the visitor is none
	peekers   []Peeker
	streamers []Streamer
	memory    *memory
	entries   atomic.Int64 // of all layers
}

// chunkSize is how much of a content goes by at once.
const chunkSize = 64 << 10

// harvest is what one layer gave.
type harvest struct {
	index   int
	subject string // names the layer in errors
	entries []entry
	facts   []rawFact
	skipped []Skipped
	again   map[int][]request // what streams asked for, by position
	slab    []File            // files are allocated many at a time
	head    [PeekSize]byte    // what peekers are shown
	chunk   []byte            // what goes by
}

type rawFact struct {
	visitor int
	file    *File // the entry with the content
	as, of  *File // see request
	value   any
}

// request is one visitor's wish about one content. In a second look as is the file
// as the visitor is to see it, under the name that it wanted, and is that the fact
// is about; in the first look both are nil, since both are the file at hand.
type request struct {
	visitor int
	want    Want
	as, of  *File
	// Of what a stream asked for: the entry with the content, the times it was read,
	// and what is wanted of it.
	at       *File
	readings int
	ask      any
}

// content is the entry whose bytes a second look is at.
func (q request) content() *File {
	if q.at != nil {
		return q.at
	}
	return q.as.content()
}

func (h *harvest) newFile() *File {
	if len(h.slab) == 0 {
		h.slab = make([]File, 64)
	}
	f := &h.slab[0]
	h.slab = h.slab[1:]
	return f
}

func (h *harvest) fail(op string, kind error, path, value, bound string, err error) error {
	return &assay.Error{Op: op, Kind: kind, Subject: h.subject, Field: path, Value: value, Bound: bound, Err: err}
}

// walk reads a tar stream. Without only it is the first look: all entries are
// recorded and matched. With it, it serves the requests for the entries of these
// positions.
func (c *collector) walk(ctx context.Context, h *harvest, r io.Reader, count *atomic.Int64, only map[int][]request) error {
	tr := tar.NewReader(r)
	b := c.opts.Bounds
	for pos := 0; ; pos++ {
		if pos%256 == 0 && ctx.Err() != nil {
			return h.fail("read layer", assay.ErrUnchecked, "", "", "", context.Cause(ctx))
		}
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return h.fail("read layer", assay.ErrInvalid, fmt.Sprintf("tar entry %d", pos), "", "", err)
		}
		if only != nil {
			if wishes := only[pos]; wishes != nil {
				if err := c.show(ctx, h, wishes[0].content(), wishes, tr); err != nil {
					return err
				}
			}
			continue
		}
		count.Add(1)
		if pos >= b.Entries {
			return h.fail("read layer", assay.ErrBound, "entries", "more than "+strconv.Itoa(b.Entries), "at most Entries "+strconv.Itoa(b.Entries), nil)
		}
		if c.entries.Add(1) > int64(b.TotalEntries) {
			return h.fail("read layer", assay.ErrBound, "entries of all layers", "more than "+strconv.Itoa(b.TotalEntries), "at most TotalEntries "+strconv.Itoa(b.TotalEntries), nil)
		}
		if err := c.first(ctx, h, pos, hdr, tr); err != nil {
			return err
		}
	}
}

// first records an entry and shows it to those who want it.
func (c *collector) first(ctx context.Context, h *harvest, pos int, hdr *tar.Header, r io.Reader) error {
	if hdr.Typeflag == tar.TypeXGlobalHeader {
		return nil // archive metadata; what it sets was never applied to files
	}
	f, err := c.file(h, hdr)
	if err != nil {
		return err
	}
	f.pos = pos
	o, target, skip, bad := whiteout(f.Path)
	switch {
	case bad != "":
		return h.fail("read layer", assay.ErrInvalid, hdr.Name, "", bad, nil)
	case skip:
		return nil
	case o != opAdd:
		f.Path = target
		h.entries = append(h.entries, entry{o, f})
		return nil
	}
	h.entries = append(h.entries, entry{opAdd, f})
	if f.HardLink != "" {
		return nil // its content went by, or is in a lower layer: see look
	}
	return c.match(ctx, h, f, r)
}

// match asks the visitors about f and serves them.
func (c *collector) match(ctx context.Context, h *harvest, f *File, r io.Reader) error {
	var buf [8]request
	wishes := buf[:0]
	for i, v := range c.visitors {
		w := v.Match(f)
		switch {
		case w&needsContent == 0 && w&WantVisit == 0:
		case f.Type == Symlink && w&needsContent != 0:
			// What it leads to is known when the layers are merged.
		case f.Type != Regular || w&needsContent == 0:
			if err := c.visit(ctx, h, f, request{visitor: i}, Content{}); err != nil {
				return err
			}
		default:
			wishes = append(wishes, request{visitor: i, want: w})
		}
	}
	if len(wishes) == 0 {
		return nil
	}
	return c.show(ctx, h, f, wishes, r)
}

// show gives the content of one regular file to those who asked for it.
func (c *collector) show(ctx context.Context, h *harvest, f *File, wishes []request, r io.Reader) error {
	var buf [8]request
	answers := append(buf[:0], wishes...)
	var all Want
	for _, a := range answers {
		all |= a.want
	}
	var head []byte
	if all&WantPeek != 0 {
		head = h.head[:min(f.Size, PeekSize)]
		if _, err := io.ReadFull(r, head); err != nil {
			return h.fail("read layer", assay.ErrInvalid, f.Path, "", "", err)
		}
		all = 0
		for i, a := range answers {
			if a.want&WantPeek != 0 {
				answers[i].want = a.want &^ WantPeek
				if p := c.peekers[a.visitor]; p != nil {
					answers[i].want |= p.Peek(a.seen(f), head) &^ WantPeek
				}
			}
			all |= answers[i].want
		}
	}
	for _, a := range answers {
		f.seen |= 1 << a.visitor
		if a.want&WantAnyName != 0 {
			f.any |= 1 << a.visitor
		}
	}
	large := all&WantContent != 0 && f.Size > c.opts.Whole
	if large && !c.canStream(answers) && f.Size <= c.opts.Bounds.File {
		large = false // it has to be held for somebody
	}
	if large || all&WantContent != 0 && f.Size > c.opts.Bounds.File {
		bound := "is larger than the bound: at most File " + strconv.FormatInt(c.opts.Bounds.File, 10) + " bytes"
		all = 0
		for i, a := range answers {
			if a.want&WantContent != 0 && (!large || c.streamers[a.visitor] == nil) {
				if err := c.skip(h, f, a, bound); err != nil {
					return err
				}
				answers[i].want = 0
			}
			all |= answers[i].want
		}
	}
	if all&WantHash != 0 && f.sum != nil {
		all &^= WantHash // it was read before
	}
	var content Content
	var streams []streaming
	switch {
	case all&WantContent != 0 && !large:
		b, err := c.memory.get(ctx, f.Size)
		if err != nil {
			return h.fail("read layer", assay.ErrUnchecked, f.Path, "", "", context.Cause(ctx))
		}
		defer c.memory.put(b)
		n := copy(b, head)
		if _, err := io.ReadFull(r, b[n:]); err != nil {
			return h.fail("read layer", assay.ErrInvalid, f.Path, "", "", err)
		}
		content.Bytes = b[:len(b):len(b)]
		if all&WantHash != 0 {
			sum := sha256.Sum256(b)
			f.sum = &sum
		}
		if all&WantHash512 != 0 {
			sum := sha512.Sum512(b)
			content.SHA512 = digest512(sum[:])
		}
	case all&WantHash != 0 && all&(WantContent|WantHash512) == 0 && knownSum(r) != nil:
		f.sum = knownSum(r)
	case all&(WantContent|WantHash|WantHash512) != 0:
		// A sparse file can say that it is of any size.
		if f.Size > c.opts.Bounds.Inflated {
			return h.fail("read layer", assay.ErrBound, f.Path, strconv.FormatInt(f.Size, 10)+" bytes",
				"at most Inflated "+strconv.FormatInt(c.opts.Bounds.Inflated, 10)+" bytes", nil)
		}
		if all&WantContent != 0 {
			if err := c.memory.take(ctx, StreamMemory); err != nil {
				return h.fail("read layer", assay.ErrUnchecked, f.Path, "", "", context.Cause(ctx))
			}
			defer c.memory.giveBack(StreamMemory)
		}
		var err error
		streams, content.SHA512, err = c.goBy(ctx, h, f, head, r, answers, all)
		defer func() {
			for _, s := range streams {
				s.Close()
			}
		}()
		if err != nil {
			return h.fail("read layer", assay.ErrInvalid, f.Path, "", "", err)
		}
	}
	for _, s := range streams {
		a := answers[s.answer]
		answers[s.answer].want = 0
		if err := c.visitStream(ctx, h, f, a, s, content.of(f, a)); err != nil {
			return err
		}
	}
	for _, a := range answers {
		if a.want&^(WantOptional|WantAnyName) == 0 {
			continue
		}
		if err := c.visit(ctx, h, f, a, content.of(f, a)); err != nil {
			return err
		}
	}
	return nil
}

// of is what the visitor wanted of it.
func (c Content) of(f *File, q request) (given Content) {
	if q.want&WantContent != 0 {
		given.Bytes = c.Bytes
	}
	if q.want&WantHash != 0 {
		given.SHA256 = f.SHA256()
	}
	if q.want&WantHash512 != 0 {
		given.SHA512 = c.SHA512
	}
	return given
}

// seen is the file as the visitor is to see it: under the name that it wanted.
func (q request) seen(f *File) *File {
	if q.as != nil {
		return q.as
	}
	return f
}

func (c *collector) visit(ctx context.Context, h *harvest, f *File, q request, content Content) error {
	seen := q.seen(f)
	fact, err := c.visitors[q.visitor].Visit(ctx, seen, content)
	if err != nil {
		return c.visitorFailed(h, q, seen, err)
	}
	if fact != nil {
		h.facts = append(h.facts, rawFact{q.visitor, f, q.as, q.of, fact})
	}
	return nil
}

func (c *collector) visitorFailed(h *harvest, q request, seen *File, err error) error {
	return fmt.Errorf("%s: layer %s: %s: %w", c.visitors[q.visitor].Name(), h.subject, seen.Path, err)
}

// copyContext reads until the end, and stops when the context ends: a sparse file
// can go on without reading from its source.
func copyContext(ctx context.Context, w func([]byte), r io.Reader, buf []byte) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		w(buf[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func digest512(sum []byte) assay.Digest {
	d, _ := assay.NewDigest(assay.SHA512, hex.EncodeToString(sum)) // of its length
	return d
}
