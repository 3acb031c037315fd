package sigstore

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// MaxSignatures bounds the signatures of one DSSE envelope.
const MaxSignatures = 32

// ParseDSSE takes a bare DSSE envelope apart (DSSE v1.0.2, envelope.md), into one
// [Signed] for each of its signatures. It brings no certificate and no witness along.
// The name is for errors.
func ParseDSSE(name string, raw []byte, limits strictjson.Limits) ([]*Signed, error) {
	var in struct {
		Payload     *string `json:"payload"`
		PayloadType string  `json:"payloadType"`
		Signatures  []struct {
			KeyID string `json:"keyid"`
			Sig   string `json:"sig"`
		} `json:"signatures"`
	}
	if err := strictjson.Unmarshal(name, raw, &in, limits); err != nil {
		return nil, err
	}
	bad := func(field, value, bound string, err error) error {
		return &assay.Error{Op: "read envelope", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Err: err}
	}
	switch {
	case in.Payload == nil:
		return nil, bad("/payload", "", "a DSSE envelope", nil)
	case len(in.Signatures) == 0:
		return nil, bad("/signatures", "0", "at least one signature", nil)
	case len(in.Signatures) > MaxSignatures:
		return nil, bad("/signatures", fmt.Sprint(len(in.Signatures)), fmt.Sprintf("%d signatures at most", MaxSignatures), nil)
	}
	payload, err := decodeBase64(*in.Payload)
	if err != nil {
		return nil, bad("/payload", "", "base64", err)
	}
	out := make([]*Signed, len(in.Signatures))
	for i, s := range in.Signatures {
		sig, err := decodeBase64(s.Sig)
		if err != nil {
			return nil, bad(fmt.Sprintf("/signatures/%d/sig", i), "", "base64", err)
		}
		if i == 0 {
			out[i] = &Signed{bare: true}
			out[i].setDSSE(in.PayloadType, payload, sig)
		} else {
			other := *out[0]
			other.Signature, other.stamped = sig, sig
			out[i] = &other
		}
		out[i].Hint = s.KeyID
	}
	return out, nil
}

// decodeBase64 reads both alphabets, as a verifier must (DSSE v1.0.2, protocol.md).
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "-_") {
		return base64.URLEncoding.DecodeString(s)
	}
	return base64.StdEncoding.DecodeString(s)
}
