package layout

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// metadata is a signed document whose signatures are not proven yet.
type metadata struct {
	payload    []byte // JSON
	covered    []byte // what the signatures are over
	signatures []signature
}

type signature struct {
	keyID string
	sig   []byte
}

type metadataJSON struct {
	// A DSSE envelope, by itself or in a sigstore bundle.
	Bundled     *metadataJSON `json:"dsseEnvelope"`
	Payload     string        `json:"payload"`
	PayloadType string        `json:"payloadType"`
	// The format before it.
	Signed     json.RawMessage `json:"signed"`
	Signatures []struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	} `json:"signatures"`
}

// parse reads a DSSE envelope (in-toto ITE-5) or a document of the format before it,
// whose signatures cover the canonical JSON of what is signed.
func parse(name string, data []byte) (*metadata, error) {
	bad := func(field, value, bound string, err error) error {
		return &assay.Error{Op: "read in-toto metadata", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Err: err}
	}
	var doc metadataJSON
	if err := strictjson.Unmarshal(name, data, &doc, strictjson.Limits{MaxBytes: MaxBytes}); err != nil {
		return nil, err
	}
	if doc.Bundled != nil {
		doc = *doc.Bundled
	}
	m := &metadata{}
	decode := base64Text
	switch {
	case doc.Signed != nil && doc.PayloadType == "" && doc.Payload == "":
		var members map[string]any
		if err := strictjson.Unmarshal(name, doc.Signed, &members, strictjson.Limits{MaxBytes: MaxBytes}); err != nil {
			return nil, err
		}
		var err error
		// The members as they are, so that one which is not known here is covered.
		if m.covered, err = canonical(doc.Signed); err != nil {
			return nil, bad("/signed", "", "what has a canonical form", err)
		}
		m.payload, decode = doc.Signed, hex.DecodeString
	case doc.Signed == nil && isInToto(doc.PayloadType):
		payload, err := base64Text(doc.Payload)
		if err != nil {
			return nil, bad("/payload", "", "base64", err)
		}
		m.payload, m.covered = payload, dsse.PAE(doc.PayloadType, payload)
	default:
		return nil, bad("/payloadType", doc.PayloadType, assay.MediaTypeInToto, nil)
	}
	for _, s := range doc.Signatures {
		sig, err := decode(s.Sig)
		if err != nil || len(sig) == 0 {
			return nil, bad("/signatures", s.KeyID, "an encoded signature", err)
		}
		m.signatures = append(m.signatures, signature{s.KeyID, sig})
	}
	if len(m.signatures) == 0 {
		return nil, bad("/signatures", "", "at least one", nil)
	}
	return m, nil
}

func isInToto(t string) bool {
	return t == assay.MediaTypeInToto || strings.HasPrefix(t, "application/vnd.in-toto.") && strings.HasSuffix(t, "+json")
}

// canonical gives the OLPC canonical form of a JSON value.
func canonical(raw json.RawMessage) ([]byte, error) { return cjson.EncodeCanonical(raw) }

// base64Text reads both alphabets (DSSE v1.0.2, protocol.md).
func base64Text(s string) ([]byte, error) {
	if strings.ContainsAny(s, "-_") {
		return base64.URLEncoding.DecodeString(s)
	}
	return base64.StdEncoding.DecodeString(s)
}
