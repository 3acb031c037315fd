package toc

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay"
)

// Source gives a part of a blob as it is stored.
type Source interface {
	// Range gives length bytes from offset. Its reader ends after them, or with an
	// error.
	Range(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// Unusable is the error for a table that is not there or that nothing can be made of,
// while nothing is wrong with the blob: it is to be read whole.
type Unusable struct{ Reason string }

// Error implements error.
func (u Unusable) Error() string { return "the table of contents " + u.Reason }

// tailSize is how much of the end of an eStargz blob is fetched at once: nearly all
// tables are in it, so that it takes one request to have them.
const tailSize = 128 << 10

// maxHeaders is the most that the tar headers before a table take.
const maxHeaders = 1 << 20

// IndexName is the entry of eStargz that its table is in.
const IndexName = "stargz.index.json"

// Read fetches the table of a blob of the size and verifies it. The subject names the
// layer in errors.
//
// Errors: [Unusable]; [assay.ErrRefuted] if the table is not the one that the
// annotations tell of, [assay.ErrInvalid] if it breaks the rules, [assay.ErrBound] for
// too many entries or too much content; and those of the source.
func Read(ctx context.Context, src Source, subject string, size int64, l Locator, lim Limits) (*Table, error) {
	if l.Zstd {
		return readChunked(ctx, src, subject, size, l, lim)
	}
	return readStargz(ctx, src, subject, size, l, lim)
}

func readStargz(ctx context.Context, src Source, subject string, size int64, l Locator, lim Limits) (*Table, error) {
	tail, err := fetch(ctx, src, max(0, size-tailSize), min(size, tailSize))
	if err != nil {
		return nil, err
	}
	fetched := int64(len(tail))
	at, footer, ok := parseStargzFooter(tail)
	end := size - int64(footer) // of the table
	switch {
	case !ok:
		return nil, Unusable{"is not announced by a footer"}
	case at <= 0 || at >= end:
		return nil, Unusable{"is outside of the blob"}
	case end-at > lim.Bytes:
		return nil, Unusable{fmt.Sprintf("is larger than the bound of %d bytes", lim.Bytes)}
	}
	tail = tail[:len(tail)-footer]
	if have := end - int64(len(tail)); at < have {
		head, err := fetch(ctx, src, at, have-at)
		if err != nil {
			return nil, err
		}
		fetched += int64(len(head))
		tail = append(head, tail...)
	} else {
		tail = tail[at-have:]
	}
	z, err := gzip.NewReader(bytes.NewReader(tail))
	if err != nil {
		return nil, Unusable{"cannot be inflated: " + err.Error()}
	}
	z.Multistream(false)
	tr := tar.NewReader(io.LimitReader(z, lim.Bytes+maxHeaders))
	h, err := tr.Next()
	switch {
	case err != nil:
		return nil, Unusable{"is in no tar archive: " + err.Error()}
	case h.Name != IndexName || h.Typeflag != tar.TypeReg:
		return nil, Unusable{"is not " + IndexName}
	case h.Size > lim.Bytes:
		return nil, Unusable{fmt.Sprintf("is larger than the bound of %d bytes", lim.Bytes)}
	}
	var doc bytes.Buffer
	if _, err := io.Copy(&doc, tr); err != nil {
		return nil, Unusable{"is cut off: " + err.Error()}
	}
	if err := verify(subject, "table of contents", doc.Bytes(), l.JSON); err != nil {
		return nil, err
	}
	t, err := Parse(subject, doc.Bytes(), at, lim)
	if err != nil {
		return nil, err
	}
	t.Digest, t.Index, t.JSON, t.Fetched = l.JSON, h, doc.Bytes(), fetched
	return t, nil
}

func readChunked(ctx context.Context, src Source, subject string, size int64, l Locator, lim Limits) (*Table, error) {
	p, fetched := l.Position, int64(0)
	if p == (Position{}) {
		tail, err := fetch(ctx, src, max(0, size-maxFooter), min(size, maxFooter))
		if err != nil {
			return nil, err
		}
		fetched = int64(len(tail))
		var ok bool
		if p, ok = parseChunkedFooter(tail); !ok {
			return nil, Unusable{"is not announced by a footer"}
		}
	}
	switch {
	case p.Offset <= chunkedFrame || p.Length > size-p.Offset:
		return nil, Unusable{"is outside of the blob"}
	case p.Length > lim.Bytes || p.Inflated > lim.Bytes:
		return nil, Unusable{fmt.Sprintf("is larger than the bound of %d bytes", lim.Bytes)}
	}
	packed, err := fetch(ctx, src, p.Offset, p.Length)
	if err != nil {
		return nil, err
	}
	if err := verify(subject, "table of contents, compressed,", packed, l.Packed); err != nil {
		return nil, err
	}
	z, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(uint64(min(max(lim.Window, zstd.MinWindowSize), 1<<32))))
	if err != nil {
		return nil, Unusable{"cannot be inflated: " + err.Error()}
	}
	defer z.Close()
	var doc bytes.Buffer
	switch n, err := io.Copy(&doc, io.LimitReader(z, p.Inflated+1)); {
	case err != nil:
		return nil, Unusable{"cannot be inflated: " + err.Error()}
	case n != p.Inflated:
		return nil, invalid(subject, "table of contents, inflated size", fmt.Sprint(n), fmt.Sprint(p.Inflated), nil)
	}
	if err := verify(subject, "table of contents", doc.Bytes(), l.JSON); err != nil {
		return nil, err
	}
	t, err := Parse(subject, doc.Bytes(), p.Offset-chunkedFrame, lim)
	if err != nil {
		return nil, err
	}
	t.Digest, t.Fetched = l.Packed, fetched+p.Length
	if t.Digest.IsZero() {
		t.Digest = l.JSON
	}
	return t, nil
}

// verify compares data with a digest, if there is one to compare with.
func verify(subject, what string, data []byte, want assay.Digest) error {
	if want.IsZero() {
		return nil
	}
	sum := sha256.Sum256(data)
	got, err := assay.NewDigest(assay.SHA256, hex.EncodeToString(sum[:]))
	if err == nil && got != want {
		err = &assay.Error{Op: "read table of contents", Kind: assay.ErrRefuted, Subject: subject, Field: what + " digest",
			Value: got.String(), Bound: want.String()}
	}
	return err
}

func fetch(ctx context.Context, src Source, offset, length int64) ([]byte, error) {
	rc, err := src.Range(ctx, offset, length)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	var b bytes.Buffer // grows with what comes, not with what was announced
	n, err := io.Copy(&b, io.LimitReader(rc, length))
	if err == nil && n < length {
		err = io.ErrUnexpectedEOF
	}
	return b.Bytes(), err
}
