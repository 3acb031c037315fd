package layers

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers/toc"
)

// members reads the gzip members or zstd frames of a blob, in order. Several chunks
// can be in one.
type members struct {
	s        *stream
	f        *fetcher
	isZstd   bool
	in       *bufio.Reader
	gz       *gzip.Reader
	zr       *zstd.Decoder
	z        io.Reader  // what inflates the member that is open
	offset   int64      // of that member; -1 if none is
	pos      int64      // how much of it was inflated
	src      keepsError // where it comes from
	inflated int64      // of all members
	err      error      // that ended the reading of a content
	skipped  []byte     // a buffer
}

// keepsError keeps the error of a reader.
type keepsError struct {
	io.Reader
	err error
}

func (f *keepsError) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

func (m *members) close() {
	m.f.close()
	if m.zr != nil {
		m.zr.Close()
	}
}

// seek makes the chunk what is read next. more is where the chunks end that are read
// after it.
func (m *members) seek(ctx context.Context, c toc.Chunk, more int64) error {
	if m.offset != c.Offset || m.pos > c.Inner {
		m.offset = -1
		r, err := m.f.open(ctx, part{c.Offset, c.End}, more)
		if err != nil {
			return err
		}
		m.src = keepsError{Reader: r}
		if m.in == nil {
			m.in = bufio.NewReaderSize(&m.src, 32<<10)
		} else {
			m.in.Reset(&m.src)
		}
		if err := m.start(); err != nil {
			return m.broken(c, err)
		}
		m.offset, m.pos = c.Offset, 0
	}
	if m.skipped == nil {
		m.skipped = make([]byte, 32<<10)
	}
	for m.pos < c.Inner {
		if err := ctx.Err(); err != nil {
			return m.s.fail(assay.ErrUnchecked, "", "", "", context.Cause(ctx))
		}
		if _, err := m.read(c, m.skipped[:min(int64(len(m.skipped)), c.Inner-m.pos)]); err != nil {
			return err
		}
	}
	return nil
}

// start begins to inflate a member.
func (m *members) start() (err error) {
	if !m.isZstd {
		if m.gz == nil {
			m.gz, err = gzip.NewReader(m.in)
		} else {
			err = m.gz.Reset(m.in)
		}
		if err == nil {
			m.gz.Multistream(false)
			m.z = m.gz
		}
		return err
	}
	if m.zr == nil {
		m.zr, err = zstd.NewReader(m.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(uint64(min(max(m.s.opts.Bounds.Window, zstd.MinWindowSize), 1<<32))))
	} else {
		err = m.zr.Reset(m.in)
	}
	m.z = m.zr
	return err
}

// read inflates some bytes of a chunk, or of what is before it. It gives at least one
// byte or an error.
func (m *members) read(c toc.Chunk, b []byte) (int, error) {
	n, err := fill(m.z, b)
	m.pos += int64(n)
	m.inflated += int64(n)
	if m.inflated > m.s.opts.Bounds.Inflated {
		return 0, m.s.tooMuch("Inflated", m.s.opts.Bounds.Inflated)
	}
	if m.s.total.Add(int64(n)) > m.s.opts.Bounds.TotalInflated {
		return 0, m.s.tooMuch("TotalInflated", m.s.opts.Bounds.TotalInflated)
	}
	if n == len(b) {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return 0, m.broken(c, err)
}

// broken tells a source that failed from a chunk that is not what the table says.
func (m *members) broken(c toc.Chunk, err error) error {
	m.offset = -1
	at := fmt.Sprintf("chunk at %d", c.Offset)
	switch {
	case m.src.err != nil:
		return m.src.err
	case isBound(err):
		return m.s.fail(assay.ErrBound, at, "", fmt.Sprintf("at most Window %d bytes", m.s.opts.Bounds.Window), err)
	}
	if _, ok := errors.AsType[*assay.Error](err); ok {
		return err
	}
	return m.s.fail(assay.ErrRefuted, at, "", strconv.FormatInt(c.Inner+c.Size, 10)+" bytes", err)
}

// fileContent reads the content of a file by its chunks, each of which is fetched
// when it is read. What it gives is verified when the chunk is read to its end, which
// finish sees to.
type fileContent struct {
	ctx   context.Context // of the layer that is read
	m     *members
	t     *toc.Table
	f     *toc.File
	next  int   // the chunk after the one that is read
	begun int64 // of the content, up to that chunk
	left  int64 // of the chunk that is read
	chunk hash.Hash
	whole hash.Hash // nil if the digest of the only chunk says the same
}

// Read implements [io.Reader].
func (f *fileContent) Read(b []byte) (int, error) {
	n, err := f.read(b)
	if err != nil && err != io.EOF {
		f.m.err = err
	}
	return n, err
}

func (f *fileContent) read(b []byte) (int, error) {
	if f.left == 0 {
		if f.f.First+f.next == f.f.Last {
			return 0, io.EOF
		}
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	c := f.t.Chunks[f.f.First+f.next-1]
	b = b[:min(int64(len(b)), f.left)]
	if c.Zeros {
		clear(b)
	} else if _, err := f.m.read(c, b); err != nil {
		return 0, err
	}
	f.left -= int64(len(b))
	if !c.Zeros {
		f.chunk.Write(b)
	}
	if f.whole != nil {
		f.whole.Write(b)
	}
	if f.left > 0 {
		return len(b), nil
	}
	return len(b), f.verify(c)
}

// open goes to the next chunk. Whoever reads more than a peek reads all.
func (f *fileContent) open() error {
	c := f.t.Chunks[f.f.First+f.next]
	if f.chunk == nil {
		f.chunk = sha256.New()
		if f.f.HasSum && f.f.Last-f.f.First > 1 {
			f.whole = sha256.New()
		}
	}
	f.chunk.Reset()
	if !c.Zeros {
		more := c.End
		if f.begun >= PeekSize {
			for _, d := range f.t.Chunks[f.f.First+f.next : f.f.Last] {
				more = max(more, d.End)
			}
		}
		if err := f.m.seek(f.ctx, c, more); err != nil {
			return err
		}
	}
	f.next++
	f.begun += c.Size
	f.left = c.Size
	return nil
}

// verify compares what was read with the table, at the end of a chunk.
func (f *fileContent) verify(c toc.Chunk) error {
	if !c.Zeros && [sha256.Size]byte(f.chunk.Sum(nil)) != c.Sum {
		return f.refuted("chunk at "+strconv.FormatInt(c.Offset, 10), f.chunk.Sum(nil), c.Sum)
	}
	if f.whole != nil && f.f.First+f.next == f.f.Last && [sha256.Size]byte(f.whole.Sum(nil)) != f.f.Sum {
		return f.refuted("digest", f.whole.Sum(nil), f.f.Sum)
	}
	return nil
}

func (f *fileContent) refuted(what string, got []byte, want [sha256.Size]byte) error {
	return f.m.s.fail(assay.ErrRefuted, f.f.Name+" "+what, "sha256:"+hex.EncodeToString(got), "sha256:"+hex.EncodeToString(want[:]), nil)
}

// finish reads the chunk that was begun to its end, so that what was seen of it is
// verified.
func (f *fileContent) finish() error {
	if f.left == 0 || f.t.Chunks[f.f.First+f.next-1].Zeros {
		return nil
	}
	var buf [8 << 10]byte
	for f.left > 0 {
		if err := f.ctx.Err(); err != nil {
			return f.m.s.fail(assay.ErrUnchecked, "", "", "", context.Cause(f.ctx))
		}
		if _, err := f.Read(buf[:]); err != nil {
			return err
		}
	}
	return nil
}

// sum256 implements summed: the table says what the digest is.
func (f *fileContent) sum256() *[sha256.Size]byte {
	if !f.f.HasSum {
		return nil
	}
	sum := f.f.Sum
	return &sum
}
