package image

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay/internal/layers"
)

// ranger is a store that can give a part of a blob, unverified. An error that is
// [layers.ErrNoRange] says that only the whole can be had.
type ranger interface {
	blobRange(ctx context.Context, d v1.Descriptor, offset, length int64) (io.ReadCloser, error)
}

var _ layers.Ranger = (*layer)(nil)

// Range opens a part of the layer as it is stored, unverified. Registries can give it;
// what is read from files is read whole.
func (l *layer) Range(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	if s, ok := l.img.s.(ranger); ok {
		return s.blobRange(ctx, l.desc, offset, length)
	}
	return nil, layers.ErrNoRange
}

// blobRange asks the store only: where else a foreign layer is, nobody said that parts
// of it can be had.
func (f *foreign) blobRange(ctx context.Context, d v1.Descriptor, offset, length int64) (io.ReadCloser, error) {
	if s, ok := f.store.(ranger); ok {
		return s.blobRange(ctx, d, offset, length)
	}
	return nil, layers.ErrNoRange
}

// blobRange makes one request for one range (RFC 9110, section 14; OCI
// distribution-spec v1.1, "Pulling blobs"). A server need not know ranges: an answer
// that is not exactly the range is none. The same credentials, redirects and retries
// hold as for whole blobs.
func (s *remoteStore) blobRange(ctx context.Context, d v1.Descriptor, offset, length int64) (io.ReadCloser, error) {
	id := d.Digest.String()
	url := s.repo.Scheme() + "://" + s.repo.RegistryStr() + "/v2/" + s.repo.RepositoryStr() + "/blobs/" + id
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, s.fail(id, err)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	req.Header.Set("Accept-Encoding", "identity") // offsets are those of the blob as it is
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, s.fail(id, cause(ctx, err))
	}
	none := func(what string) (io.ReadCloser, error) {
		resp.Body.Close()
		return nil, s.fail(id, fmt.Errorf("%w: %s", layers.ErrNoRange, what))
	}
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK, http.StatusRequestedRangeNotSatisfiable, http.StatusNotImplemented:
		return none("status " + strconv.Itoa(resp.StatusCode))
	default:
		err := transport.CheckError(resp, http.StatusPartialContent)
		resp.Body.Close()
		return nil, s.fail(id, err)
	}
	got := resp.Header.Get("Content-Range")
	if want := fmt.Sprintf("bytes %d-%d/", offset, offset+length-1); got != want+strconv.FormatInt(d.Size, 10) && got != want+"*" {
		return none("Content-Range " + strconv.Quote(got) + ", want " + want + strconv.FormatInt(d.Size, 10))
	}
	if resp.ContentLength >= 0 && resp.ContentLength != length {
		return none(fmt.Sprintf("%d bytes, want %d", resp.ContentLength, length))
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return none("Content-Encoding " + strconv.Quote(e))
	}
	return resp.Body, nil
}
