package attest

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// dsseJSON is a DSSE envelope (DSSE v1.0.2, envelope.md).
type dsseJSON struct {
	Payload     string          `json:"payload"`
	PayloadType string          `json:"payloadType"`
	Signatures  []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"`
}

const bundleTypePrefix = "application/vnd.dev.sigstore.bundle"

// sniff says what JSON is: the media type of an envelope, or of a statement that
// nobody signed, or empty for something else. An error is for what is not strict JSON.
func sniff(name string, raw []byte, max int64) (string, error) {
	// The values are not looked at, so any other kind of document is let pass.
	var members map[string]json.RawMessage
	if err := strictjson.Check(name, raw, strictjson.Limits{MaxBytes: max}); err != nil {
		return "", err
	}
	if strictjson.Unmarshal(name, raw, &members, strictjson.Limits{MaxBytes: max}) != nil {
		return "", nil
	}
	var mediaType string
	if strictjson.Unmarshal(name, members["mediaType"], &mediaType, strictjson.Limits{}) == nil && strings.HasPrefix(mediaType, bundleTypePrefix) {
		if mediaType == bundleTypePrefix+"+json;version=0.3" {
			mediaType = assay.MediaTypeSigstoreBundle
		}
		return mediaType, nil
	}
	if members["payload"] != nil && members["payloadType"] != nil && members["signatures"] != nil {
		return assay.MediaTypeDSSE, nil
	}
	var statement string
	if strictjson.Unmarshal(name, members["_type"], &statement, strictjson.Limits{}) == nil && strings.HasPrefix(statement, "https://in-toto.io/Statement/") {
		return assay.MediaTypeInToto, nil
	}
	var signed struct {
		Type string `json:"_type"`
	}
	if members["signatures"] != nil && strictjson.Unmarshal(name, members["signed"], &signed, strictjson.Limits{MaxBytes: max}) == nil && signed.Type == "link" {
		return assay.MediaTypeLink, nil
	}
	return "", nil
}

// peek reads the statement of an envelope, unverified: to write annotations, and to
// refuse to attach what cannot be evidence about the subject.
func peek(e assay.Envelope) (*Header, error) {
	name := e.Digest().String()
	bad := func(field, value, bound, rule string, cause error) error {
		return &assay.Error{Op: "read envelope", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Rule: rule, Err: cause}
	}
	var doc struct {
		Bundled *dsseJSON `json:"dsseEnvelope"`
		dsseJSON
	}
	if err := strictjson.Unmarshal(name, e.Raw(), &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	env, at := &doc.dsseJSON, ""
	if e.MediaType() != assay.MediaTypeDSSE && e.MediaType() != assay.MediaTypeInToto {
		env, at = doc.Bundled, "/dsseEnvelope"
	}
	switch {
	case env == nil:
		return nil, bad("/dsseEnvelope", "", "a DSSE envelope", "", nil)
	case !statementPayload(env.PayloadType):
		return nil, bad(at+"/payloadType", env.PayloadType, assay.MediaTypeInToto, "in-toto S7", nil)
	case len(env.Signatures) == 0 || env.Signatures[0].Sig == "":
		return nil, bad(at+"/signatures", "", "a signature", "", nil)
	}
	payload, err := decodeBase64(env.Payload)
	if err != nil {
		return nil, bad(at+"/payload", "", "base64", "", err)
	}
	return ParseStatement(name, payload)
}

// statementPayload accepts the payload types of in-toto attestation v1.2,
// spec/v1/envelope.md.
func statementPayload(t string) bool {
	return t == assay.MediaTypeInToto ||
		strings.HasPrefix(t, "application/vnd.in-toto.") && strings.HasSuffix(t, "+json")
}

// decodeBase64 reads both alphabets (DSSE v1.0.2, protocol.md).
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "-_") {
		return base64.URLEncoding.DecodeString(s)
	}
	return base64.StdEncoding.DecodeString(s)
}
