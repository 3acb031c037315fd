package sigstore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// maxAnnotation bounds what is read out of one annotation: a log entry may hold a
// whole attestation.
const maxAnnotation = 16 << 20

// ParseCosign takes a layer of cosign's ".sig" and ".att" tags apart (cosign
// specs/SIGNATURE_SPEC.md): the payload or the DSSE envelope that the layer is, with
// the signature, certificate, signed entry timestamp of Rekor v1 and RFC 3161
// timestamp in its annotations. The name is for errors.
//
// The chain in the annotations is not looked at: the intermediate certificates are
// those of the trusted root.
func ParseCosign(name, mediaType string, raw []byte, annotations map[string]string, limits strictjson.Limits) (*Signed, error) {
	bad := func(annotation, bound string, err error) error {
		return &assay.Error{Op: "read cosign layer", Kind: assay.ErrInvalid, Subject: name, Field: "annotation " + annotation, Bound: bound, Err: err}
	}
	var s *Signed
	signature := annotations[assay.AnnotationSignature]
	switch {
	case mediaType == assay.MediaTypeSimpleSigning || signature != "":
		sig, err := base64.StdEncoding.DecodeString(signature)
		if err != nil || len(sig) == 0 {
			return nil, bad(assay.AnnotationSignature, "base64 of a signature", err)
		}
		s = &Signed{}
		s.setMessage(crypto.SHA256, sum(crypto.SHA256, raw), sig)
	default:
		list, err := ParseDSSE(name, raw, limits)
		if err != nil {
			return nil, err
		}
		if len(list) != 1 {
			return nil, &assay.Error{Op: "read cosign layer", Kind: assay.ErrInvalid, Subject: name, Field: "/signatures",
				Value: fmt.Sprint(len(list)), Bound: "exactly one signature: the annotations are of one"}
		}
		// The log and the authority saw the envelope as it is, not its signature.
		s = list[0]
		s.envelope, s.stamped = raw, raw
	}
	if text := annotations[assay.AnnotationCertificate]; text != "" {
		block, rest := pem.Decode([]byte(text))
		if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
			// A bare key here must not pass for a certificate (GHSA-fx35-mq7g-6g98).
			return nil, bad(assay.AnnotationCertificate, "one PEM block CERTIFICATE", nil)
		}
		var err error
		if s.Certificate, err = x509.ParseCertificate(block.Bytes); err != nil {
			return nil, bad(assay.AnnotationCertificate, "a certificate", err)
		}
	}
	if text := annotations[assay.AnnotationRekorBundle]; text != "" {
		e, err := rekorBundle(name, []byte(text))
		if err != nil {
			return nil, bad(assay.AnnotationRekorBundle, "a signed entry timestamp", err)
		}
		s.Entries = []Entry{*e}
	}
	if text := annotations[assay.AnnotationTimestamp]; text != "" {
		var in struct {
			SignedRFC3161Timestamp []byte
		}
		if err := strictjson.Unmarshal(name, []byte(text), &in, strictjson.Limits{MaxBytes: maxAnnotation}); err != nil {
			return nil, bad(assay.AnnotationTimestamp, "an RFC 3161 answer", err)
		}
		s.Timestamps = [][]byte{in.SignedRFC3161Timestamp}
	}
	return s, nil
}

func rekorBundle(name string, raw []byte) (*Entry, error) {
	var in struct {
		SignedEntryTimestamp []byte
		Payload              struct {
			Body           []byte `json:"body"`
			IntegratedTime int64  `json:"integratedTime"`
			LogIndex       int64  `json:"logIndex"`
			LogID          string `json:"logID"`
		}
	}
	if err := strictjson.Unmarshal(name, raw, &in, strictjson.Limits{MaxBytes: maxAnnotation}); err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(in.Payload.LogID)
	if err != nil {
		return nil, err
	}
	return &Entry{LogID: id, Index: in.Payload.LogIndex, Time: in.Payload.IntegratedTime, Body: in.Payload.Body, Promise: in.SignedEntryTimestamp}, nil
}
