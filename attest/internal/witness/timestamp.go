package witness

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"net/http"

	"github.com/digitorus/timestamp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
)

const maxTimestampBytes = 1 << 20

// timestamp asks an authority that it saw the signature (RFC 3161). Whether the
// answer can be trusted is for who verifies; here it is only read whether it is
// about this signature.
func (w *Witness) timestamp(ctx context.Context, to Service, sig []byte) ([]byte, error) {
	const op = "timestamp"
	sum := sha256.Sum256(sig)
	query, err := (&timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:]}).Marshal()
	if err != nil {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Err: err}
	}
	resp, err := w.HTTP.Do(ctx, request.Request{
		Op: op, Method: http.MethodPost, URL: to.URL, Body: query, Max: maxTimestampBytes,
		Header: map[string]string{"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
		Want:   []int{http.StatusOK, http.StatusCreated},
	})
	if err != nil {
		return nil, err
	}
	answer, err := timestamp.ParseResponse(resp.Body)
	if err != nil {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: request.Name(to.URL), Bound: "a timestamp response", Rule: "RFC 3161, section 2.4.2", Err: err}
	}
	if answer.HashAlgorithm != crypto.SHA256 || !bytes.Equal(answer.HashedMessage, sum[:]) {
		return nil, &assay.Error{Op: op, Kind: assay.ErrRefuted, Subject: request.Name(to.URL), Field: "messageImprint", Bound: "a timestamp of the signature that was sent"}
	}
	return resp.Body, nil
}
