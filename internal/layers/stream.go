package layers

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// Sizes of the buffers between the stages of one layer: large enough that handing
// them over costs nothing, small enough to stay in the cache.
const (
	blobBuffer, blobBuffers       = 64 << 10, 4
	inflateBuffer, inflateBuffers = 128 << 10, 6
)

// stream is the verified reading of one blob, three goroutines and the caller:
//
//	read and hash the blob | inflate | hash the tar | walk the tar
type stream struct {
	index  int
	desc   v1.Descriptor
	diffID assay.Digest
	open   func(context.Context) (io.ReadCloser, error)
	ranger Ranger // nil if the layer is none
	opts   Options
	total  *atomic.Int64 // inflated bytes of the image
	report func(Progress)
	spare  *spares

	entries atomic.Int64
	info    Layer

	// What each stage found. Written by its goroutine, read after it ended; for
	// the first two fields, and what is in info of the blob, ended says so.
	source  error // the blob could not be read
	blob    error // the blob is not what the manifest says
	ended   bool  // the blob was read to its end, or to an error
	stalled bool  // the blob's source gave nothing for too long
	inflate error // the blob is no such compressed stream
	bound   error // too much
	sum     []byte
}

// read runs walk on the tar stream and then settles what counts: a blob that is not
// what the manifest says makes all else moot.
func (s *stream) read(parent context.Context, walk func(context.Context, io.Reader) error) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	var stages sync.WaitGroup
	blob := newPipe(blobBuffers, blobBuffer, s.spare)
	raw := newPipe(inflateBuffers, inflateBuffer, s.spare)
	tar := raw
	// Not waited for: its source may hang where nothing reaches it.
	go s.readBlob(ctx, blob)
	stages.Go(func() { s.inflateBlob(ctx, blob, raw) })
	if !s.sameDigest() {
		tar = &pipe{full: make(chan []byte, inflateBuffers), free: raw.free}
		stages.Go(func() { s.hashTar(raw, tar) })
	}
	r := &pipeReader{ctx: ctx, p: tar}
	err := walk(ctx, r)
	if err == nil || !errors.Is(err, assay.ErrBound) {
		// The rest counts for the digests even if no more can be made of it.
		s.info.Trailing, _ = r.drain()
	}
	cancel()
	stages.Wait()
	s.spare.keep(r.buf)
	s.spare.reclaim(raw)
	s.spare.reclaim(tar)
	if s.ended { // else somebody may still write to what its source gives
		s.spare.reclaim(blob)
	}
	return s.settle(parent, err)
}

// settle orders what the stages found.
func (s *stream) settle(ctx context.Context, walkErr error) error {
	switch {
	case s.bound != nil:
		return s.bound
	case errors.Is(walkErr, assay.ErrBound):
		return walkErr
	case s.ended && s.blob != nil:
		return s.blob
	case ctx.Err() != nil:
		return s.fail(assay.ErrUnchecked, "", "", "", context.Cause(ctx))
	case s.stalled:
		return s.fail(assay.ErrUnchecked, "", "", "a byte within "+s.opts.Stall.String(), errStalled)
	case s.ended && s.source != nil:
		return s.fail(assay.ErrUnchecked, "", "", "", s.source)
	case s.inflate != nil:
		return s.inflate
	case !s.ended:
		return s.fail(assay.ErrUnchecked, "", "", "a blob that is read to its end", walkErr)
	}
	s.info.DiffID = s.info.Digest
	if !s.sameDigest() {
		s.info.DiffID, _ = assay.NewDigest(s.diffID.Algorithm(), hex.EncodeToString(s.sum))
	}
	if s.info.DiffID != s.diffID {
		return s.fail(assay.ErrRefuted, "diffID", s.info.DiffID.String(), s.diffID.String(), nil)
	}
	return walkErr
}

// again is the same stream, unread. It is not reported and counts by itself.
func (s *stream) again() *stream {
	return &stream{index: s.index, desc: s.desc, diffID: s.diffID, open: s.open, ranger: s.ranger, opts: s.opts, total: new(atomic.Int64), spare: s.spare}
}

func (s *stream) fail(kind error, field, value, bound string, err error) error {
	return &assay.Error{Op: "read layer", Kind: kind, Subject: s.desc.Digest.String(), Field: field, Value: value, Bound: bound, Err: err}
}

// sameDigest reports whether the blob is the tar, so that one digest is both.
func (s *stream) sameDigest() bool {
	return layerMediaTypes[string(s.desc.MediaType)] == packedNone && s.diffID.Algorithm() == assay.Algorithm(s.desc.Digest.Algorithm)
}

// readBlob reads the blob as it is stored, and checks size and digest. It writes
// its fields of s before it closes out.
func (s *stream) readBlob(ctx context.Context, out *pipe) {
	rc, err := s.open(ctx)
	if err != nil {
		s.source = err
		if isMismatch(err) {
			s.source, s.blob = nil, s.fail(assay.ErrRefuted, "digest", "", s.desc.Digest.String(), err)
		}
		out.close(err)
		return
	}
	// A read that hangs ends when its source is closed under it.
	var once sync.Once
	closeSource := func() { once.Do(func() { _ = rc.Close() }) }
	stop := context.AfterFunc(ctx, closeSource)
	defer func() {
		stop()
		closeSource()
	}()
	h := newHash(assay.Algorithm(s.desc.Digest.Algorithm))
	var size int64
	for {
		b, err := out.empty(ctx)
		if err != nil {
			s.source = err
			out.close(err)
			return
		}
		n, err := fill(rc, b)
		size += int64(n)
		h.Write(b[:n])
		if size > s.desc.Size {
			s.blob = s.fail(assay.ErrRefuted, "size", "more than "+strconv.FormatInt(s.desc.Size, 10), strconv.FormatInt(s.desc.Size, 10)+" bytes", nil)
			out.close(s.blob)
			return
		}
		out.send(b[:n])
		if s.report != nil {
			s.report(Progress{Layer: s.index, Digest: digestOf(s.desc.Digest), Done: size, Total: s.desc.Size, Entries: int(s.entries.Load())})
		}
		if err == nil {
			continue
		}
		got, _ := assay.NewDigest(assay.Algorithm(s.desc.Digest.Algorithm), hex.EncodeToString(h.Sum(nil)))
		switch {
		case err != io.EOF && !isMismatch(err):
			s.source = err
			out.close(err)
		case size != s.desc.Size:
			s.blob = s.fail(assay.ErrRefuted, "size", strconv.FormatInt(size, 10), strconv.FormatInt(s.desc.Size, 10)+" bytes", nil)
			out.close(s.blob)
		case got.String() != s.desc.Digest.String():
			s.blob = s.fail(assay.ErrRefuted, "digest", got.String(), s.desc.Digest.String(), nil)
			out.close(s.blob)
		default:
			s.info.Digest, s.info.Size = got, size
			out.close(nil)
		}
		return
	}
}

// fill reads until b is full, so that small reads of a source do not become small
// buffers.
func fill(r io.Reader, b []byte) (n int, err error) {
	for empty := 0; n < len(b) && err == nil; {
		var k int
		k, err = r.Read(b[n:])
		n += k
		if k > 0 {
			empty = 0
		} else if empty++; err == nil && empty > 100 {
			err = io.ErrNoProgress
		}
	}
	return n, err
}

// inflateBlob unpacks the blob. On failure it reads the rest of the blob, so that
// its digest still tells a lying source from a broken archive.
func (s *stream) inflateBlob(ctx context.Context, in, out *pipe) {
	src := &pipeReader{ctx: ctx, p: in, stall: max(0, s.opts.Stall)}
	err := s.unpack(ctx, bufio.NewReaderSize(src, 64<<10), out)
	if s.bound == nil && ctx.Err() == nil {
		_, _ = src.drain() // how the blob ended is in src and s
	}
	s.spare.keep(src.buf)
	s.inflate, s.ended, s.stalled = err, src.ended, errors.Is(src.err, errStalled)
	out.close(err)
}

func (s *stream) unpack(ctx context.Context, br *bufio.Reader, out *pipe) error {
	head, err := br.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	packed := sniff(head)
	if want := layerMediaTypes[string(s.desc.MediaType)]; packed != want {
		return s.fail(assay.ErrInvalid, "media type "+string(s.desc.MediaType), string(packed), string(want)+" content", nil)
	}
	broken := func(err error) error {
		switch {
		case ctx.Err() != nil:
			return err
		case isBound(err):
			s.bound = s.fail(assay.ErrBound, "zstd window", "", fmt.Sprintf("at most Window %d bytes", s.opts.Bounds.Window), err)
			return s.bound
		}
		return s.fail(assay.ErrInvalid, string(packed)+" stream", "", "", err)
	}
	z, done, err := inflater(br, packed, s.opts.Bounds.Window, s.spare)
	if err != nil {
		return broken(err)
	}
	defer done()
	var size int64
	for {
		b, err := out.empty(ctx)
		if err != nil {
			return err
		}
		n, err := fill(z, b)
		size += int64(n)
		if size > s.opts.Bounds.Inflated {
			s.bound = s.tooMuch("Inflated", s.opts.Bounds.Inflated)
			return s.bound
		}
		if s.total.Add(int64(n)) > s.opts.Bounds.TotalInflated {
			s.bound = s.tooMuch("TotalInflated", s.opts.Bounds.TotalInflated)
			return s.bound
		}
		out.send(b[:n])
		if err == io.EOF {
			s.info.Inflated = size
			return nil
		}
		if err != nil {
			return broken(err)
		}
	}
}

func (s *stream) tooMuch(bound string, limit int64) error {
	return s.fail(assay.ErrBound, "inflated size", "more than "+strconv.FormatInt(limit, 10), "at most "+bound+" "+strconv.FormatInt(limit, 10)+" bytes", nil)
}

// hashTar computes the diffID of what passes. It needs no context: both pipes have
// room for all the buffers there are, and the stage before always closes.
func (s *stream) hashTar(in, out *pipe) {
	h := newHash(s.diffID.Algorithm())
	for b := range in.full {
		h.Write(b)
		out.send(b)
	}
	s.sum = h.Sum(nil)
	out.close(in.err)
}

// newHash gives the hash of a digest algorithm that OCI registers; others were
// refused when the manifest was read.
func newHash(a assay.Algorithm) hash.Hash {
	switch a {
	case assay.SHA512:
		return sha512.New()
	case assay.SHA384:
		return sha512.New384()
	}
	return sha256.New()
}

// digestOf is zero for a digest that [assay.ParseDigest] refuses.
func digestOf(h v1.Hash) assay.Digest {
	d, _ := assay.NewDigest(assay.Algorithm(cmp.Or(h.Algorithm, "sha256")), h.Hex)
	return d
}
