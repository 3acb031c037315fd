package layers

import (
	"context"
	"errors"
	"io"
	"time"
)

// pipe hands filled buffers from one goroutine to the next and empty ones back. It
// is what lets hashing, inflating and walking overlap without copying.
type pipe struct {
	full chan []byte
	free chan []byte // nil for a buffer that was not needed so far
	size int         // of a buffer
	from *spares     // where buffers are from
	err  error       // why there is no more; set before full is closed
}

func newPipe(buffers, size int, from *spares) *pipe {
	p := &pipe{full: make(chan []byte, buffers), free: make(chan []byte, buffers), size: size, from: from}
	for range buffers {
		p.free <- nil
	}
	return p
}

// empty gives the writer a buffer.
func (p *pipe) empty(ctx context.Context) ([]byte, error) {
	select {
	case b := <-p.free:
		if b == nil {
			b = p.from.buffer(p.size)
		}
		return b[:cap(b)], nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// send hands a buffer to the reader. There is always room: there are no more
// buffers than places for them.
func (p *pipe) send(b []byte) { p.full <- b }

// close ends the stream; nil means that it is complete.
func (p *pipe) close(err error) {
	p.err = err
	close(p.full)
}

// errStalled is a source that gives nothing for too long.
var errStalled = errors.New("the source stalled")

// pipeReader reads what a pipe transports.
type pipeReader struct {
	ctx   context.Context // of the one layer that is read; it ends with it
	p     *pipe
	buf   []byte // to give back
	rest  []byte
	stall time.Duration // 0 for never
	timer *time.Timer
	pos   int64
	err   error
	ended bool // the writer closed the pipe: what it wrote elsewhere can be read
}

// next makes rest hold something, or gives the error that ends the stream.
func (r *pipeReader) next() error {
	for len(r.rest) == 0 {
		if r.err != nil {
			return r.err
		}
		if r.buf != nil {
			r.p.free <- r.buf
			r.buf = nil
		}
		b, ok, err := r.receive()
		switch {
		case err != nil:
			r.err = err
		case !ok:
			r.err, r.ended = r.p.err, true
			if r.err == nil {
				r.err = io.EOF
			}
		default:
			r.buf, r.rest = b, b
		}
	}
	return nil
}

func (r *pipeReader) receive() ([]byte, bool, error) {
	select {
	case b, ok := <-r.p.full:
		return b, ok, nil
	default:
	}
	var expired <-chan time.Time
	if r.stall > 0 {
		if r.timer == nil {
			r.timer = time.NewTimer(r.stall)
		} else {
			r.timer.Reset(r.stall)
		}
		defer r.timer.Stop()
		expired = r.timer.C
	}
	select {
	case b, ok := <-r.p.full:
		return b, ok, nil
	case <-r.ctx.Done():
		return nil, false, context.Cause(r.ctx)
	case <-expired:
		return nil, false, errStalled
	}
}

// Read implements [io.Reader].
func (r *pipeReader) Read(b []byte) (int, error) {
	if err := r.next(); err != nil {
		return 0, err
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	r.pos += int64(n)
	return n, nil
}

// Seek skips forward, which is all that archive/tar asks for: that spares copying
// the contents that nobody wants.
func (r *pipeReader) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return 0, errors.ErrUnsupported
	}
	for offset > 0 {
		if err := r.next(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return r.pos, err
		}
		n := min(offset, int64(len(r.rest)))
		r.rest = r.rest[n:]
		r.pos += n
		offset -= n
	}
	return r.pos, nil
}

// drain reads to the end and gives the error that ended the stream, nil at its
// regular end, and the number of bytes from the first that is not zero.
func (r *pipeReader) drain() (trailing int64, err error) {
	for {
		if err := r.next(); err != nil {
			if err == io.EOF {
				err = nil
			}
			return trailing, err
		}
		if trailing == 0 {
			for len(r.rest) > 0 && r.rest[0] == 0 {
				r.rest = r.rest[1:]
			}
		}
		trailing += int64(len(r.rest))
		r.rest = nil
	}
}
