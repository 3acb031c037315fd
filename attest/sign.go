package attest

import (
	"context"
	"strconv"

	"github.com/assaykit/assay"
)

// Signer makes signed envelopes of in-toto statements. [KeySigner] signs with a
// key; package attest/keyless has one that signs with a certificate.
type Signer interface {
	// Sign signs the payload, a statement, as payload type
	// [assay.MediaTypeInToto], and gives a sigstore bundle v0.3.
	Sign(ctx context.Context, payload []byte) (assay.Envelope, error)
}

// Sign signs the bytes that the statement was made with.
func Sign[E assay.Evidence](ctx context.Context, signer Signer, stmt assay.Statement[E]) (assay.Envelope, error) {
	payload := stmt.Payload()
	if len(payload) == 0 {
		return assay.Envelope{}, &assay.Error{Op: "sign statement", Kind: assay.ErrInvalid, Field: "payload", Bound: "a statement made by NewStatement"}
	}
	return signer.Sign(ctx, payload)
}

// BatchSigner is a [Signer] that signs several payloads at once for less than one
// after the other: with one certificate, say.
type BatchSigner interface {
	Signer
	// SignAll gives an envelope for each payload, in their order, or none at all.
	SignAll(ctx context.Context, payloads ...[]byte) ([]assay.Envelope, error)
}

// SignAll signs the statements: all, or none. It does so in one go where the signer
// is a [BatchSigner].
func SignAll[E assay.Evidence](ctx context.Context, signer Signer, stmts ...assay.Statement[E]) ([]assay.Envelope, error) {
	payloads := make([][]byte, len(stmts))
	for i, s := range stmts {
		if payloads[i] = s.Payload(); len(payloads[i]) == 0 {
			return nil, &assay.Error{Op: "sign statement", Kind: assay.ErrInvalid, Subject: strconv.Itoa(i), Field: "payload", Bound: "a statement made by NewStatement"}
		}
	}
	if len(stmts) == 0 {
		return nil, nil
	}
	if b, ok := signer.(BatchSigner); ok {
		out, err := b.SignAll(ctx, payloads...)
		if err == nil && len(out) != len(payloads) {
			err = &assay.Error{Op: "sign statements", Kind: assay.ErrUnchecked, Value: strconv.Itoa(len(out)) + " envelopes", Bound: strconv.Itoa(len(payloads))}
		}
		if err != nil {
			return nil, err
		}
		return out, nil
	}
	out := make([]assay.Envelope, len(payloads))
	for i, p := range payloads {
		var err error
		if out[i], err = signer.Sign(ctx, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PAE is the pre-authentication encoding, the bytes that a DSSE signature covers
// (DSSE v1.0.2, protocol.md#signature-definition).
func PAE(payloadType string, payload []byte) []byte {
	header := paeHeader(payloadType, len(payload))
	return append(append(make([]byte, 0, len(header)+len(payload)), header...), payload...)
}

// paeHeader is the encoding up to the payload.
func paeHeader(payloadType string, size int) []byte {
	b := append(make([]byte, 0, len(payloadType)+48), "DSSEv1 "...)
	b = append(strconv.AppendInt(b, int64(len(payloadType)), 10), ' ')
	b = append(append(b, payloadType...), ' ')
	return append(strconv.AppendInt(b, int64(size), 10), ' ')
}
