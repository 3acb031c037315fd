package layers

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/assaykit/assay"
)

// Ranger is implemented by layers that can give a part of their bytes as they are
// stored, with nothing verified.
type Ranger interface {
	// Range gives length bytes from offset on. An error that is [ErrNoRange] says that
	// the source has whole blobs only.
	Range(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// ErrNoRange is the error of a source that does not give parts of blobs.
var ErrNoRange = errors.New("the source gives no part of a blob")

// ranges reads parts of one blob, with the same bound on stalling as a stream.
type ranges struct {
	s       *stream
	asked   atomic.Int64 // bytes
	fetched atomic.Int64 // of them so far
}

// Range implements toc.Source. It does not wait for the source: what fails shows when
// the reader is read. Reading ahead is bounded by the buffers of a pipe.
func (r *ranges) Range(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := newPipe(blobBuffers, blobBuffer, r.s.spare)
	r.asked.Add(length)
	go r.pump(ctx, p, offset, length)
	return &rangeReader{pipeReader{ctx: ctx, p: p, stall: max(0, r.s.opts.Stall)}, r.s, cancel}, nil
}

// pump is not waited for: its source may hang where nothing reaches it.
func (r *ranges) pump(ctx context.Context, out *pipe, offset, length int64) {
	rc, err := r.s.ranger.Range(ctx, offset, length)
	if err != nil {
		out.close(err)
		return
	}
	var once sync.Once
	closeSource := func() { once.Do(func() { _ = rc.Close() }) }
	stop := context.AfterFunc(ctx, closeSource)
	defer func() {
		stop()
		closeSource()
	}()
	for left := length; left > 0; {
		b, err := out.empty(ctx)
		if err != nil {
			out.close(err)
			return
		}
		n, err := fill(rc, b[:min(int64(len(b)), left)])
		left -= int64(n)
		done := r.fetched.Add(int64(n))
		out.send(b[:n])
		if r.s.report != nil {
			r.s.report(Progress{Layer: r.s.index, Digest: digestOf(r.s.desc.Digest), Done: min(done, r.s.desc.Size), Total: r.s.desc.Size, Entries: int(r.s.entries.Load())})
		}
		if err != nil && left > 0 {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			out.close(err)
			return
		}
	}
	out.close(nil)
}

type rangeReader struct {
	pipeReader
	s      *stream
	cancel context.CancelFunc
}

// Read implements [io.Reader]. What fails is of kind [assay.ErrUnchecked].
func (r *rangeReader) Read(b []byte) (int, error) {
	n, err := r.pipeReader.Read(b)
	return n, r.s.rangeError(err)
}

// skip goes forward.
func (r *rangeReader) skip(n int64) error {
	_, err := r.pipeReader.Seek(n, io.SeekCurrent)
	return r.s.rangeError(err)
}

func (r *rangeReader) Close() error {
	r.cancel()
	return nil
}

func (s *stream) rangeError(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.Is(err, errStalled):
		return s.fail(assay.ErrUnchecked, "", "", "a byte within "+s.opts.Stall.String(), err)
	}
	return keepKind(err, s.fail(assay.ErrUnchecked, "range", "", "", err))
}

// part is a part of a blob, from one offset up to another.
type part struct{ from, to int64 }

const (
	// rangeGap is how many bytes that nobody wants are fetched rather than making
	// another request: about what a connection transports while one is answered.
	rangeGap = 128 << 10
	// rangeSize is where a request ends if another can follow it, so that several are
	// under way at once.
	rangeSize = 16 << 20
	// rangesAhead is how many requests are under way. Each has the buffers of a pipe.
	rangesAhead = 3
)

// coalesce joins parts, which are in order, to those that are worth a request, and
// gives their length together.
func coalesce(parts []part) (runs []part, total int64) {
	for _, p := range parts {
		if n := len(runs); n > 0 && p.from-runs[n-1].to <= rangeGap && runs[n-1].to-runs[n-1].from < rangeSize {
			runs[n-1].to = max(runs[n-1].to, p.to)
			continue
		}
		runs = append(runs, p)
	}
	for _, r := range runs {
		total += r.to - r.from
	}
	return runs, total
}

// fetcher gives parts of a blob, in order, from requests that were made before they
// are needed. A part that nobody planned is asked for when it is.
type fetcher struct {
	r     *ranges
	runs  []part // not asked for so far
	ahead []*request206
	extra *request206
}

// request206 is a request for a part that is under way.
type request206 struct {
	part
	at int64 // what is read next
	*rangeReader
}

func (f *fetcher) request(ctx context.Context, p part) *request206 {
	rc, _ := f.r.Range(ctx, p.from, p.to-p.from)
	return &request206{p, p.from, rc.(*rangeReader)}
}

// close ends what is under way.
func (f *fetcher) close() {
	for _, q := range f.ahead {
		_ = q.Close()
	}
	if f.extra != nil {
		_ = f.extra.Close()
	}
	f.ahead, f.extra, f.runs = nil, nil, nil
}

// open gives a part. If it was not planned it is asked for together with what is
// behind it until more, which the caller is going to read.
func (f *fetcher) open(ctx context.Context, p part, more int64) (io.Reader, error) {
	for len(f.ahead) > 0 && f.ahead[0].to <= p.from {
		_ = f.ahead[0].Close()
		f.ahead = f.ahead[1:]
	}
	for len(f.ahead) < rangesAhead && len(f.runs) > 0 {
		f.ahead = append(f.ahead, f.request(ctx, f.runs[0]))
		f.runs = f.runs[1:]
	}
	q := f.extra
	if q == nil || !q.has(p) {
		if len(f.ahead) > 0 && f.ahead[0].has(p) {
			q = f.ahead[0]
		} else {
			if f.extra != nil {
				_ = f.extra.Close()
			}
			q = f.request(ctx, part{p.from, max(p.to, more)})
			f.extra = q
		}
	}
	if err := q.skip(p.from - q.at); err != nil {
		return nil, err
	}
	q.at = p.from
	return &section{q, p.to}, nil
}

// has reports whether the part can still be read from the request.
func (q *request206) has(p part) bool { return q.at <= p.from && p.to <= q.to }

// section is a part of what a request gives. It keeps what failed, since who inflates
// it may call that something else.
type section struct {
	q  *request206
	to int64
}

func (s *section) Read(b []byte) (int, error) {
	if s.q.at >= s.to {
		return 0, io.EOF
	}
	n, err := s.q.Read(b[:min(int64(len(b)), s.to-s.q.at)])
	s.q.at += int64(n)
	if err == io.EOF { // the pump gives all or an error
		err = s.q.s.fail(assay.ErrUnchecked, "range", strconv.FormatInt(s.q.at, 10), strconv.FormatInt(s.to, 10), io.ErrUnexpectedEOF)
	}
	return n, err
}
