package sigstore

import (
	"crypto"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// bundleForm is the JSON of a bundle (protobuf-specs, sigstore_bundle.proto,
// sigstore_rekor.proto and sigstore_common.proto), by the names that every client
// writes. It is read in one pass, and members that are not known are errors, as they
// are in protobuf's JSON.
type bundleForm struct {
	MediaType            string        `json:"mediaType"`
	VerificationMaterial *materialForm `json:"verificationMaterial"`
	DSSEEnvelope         *dsseForm     `json:"dsseEnvelope"`
	MessageSignature     *messageForm  `json:"messageSignature"`
}

type materialForm struct {
	PublicKey *struct {
		Hint string `json:"hint"`
	} `json:"publicKey"`
	X509CertificateChain *struct {
		Certificates []certificateForm `json:"certificates"`
	} `json:"x509CertificateChain"`
	Certificate               *certificateForm `json:"certificate"`
	TlogEntries               []entryForm      `json:"tlogEntries"`
	TimestampVerificationData struct {
		RFC3161Timestamps []struct {
			SignedTimestamp base64Form `json:"signedTimestamp"`
		} `json:"rfc3161Timestamps"`
	} `json:"timestampVerificationData"`
}

type certificateForm struct {
	RawBytes base64Form `json:"rawBytes"`
}

type entryForm struct {
	LogIndex integerForm `json:"logIndex"`
	LogID    struct {
		KeyID base64Form `json:"keyId"`
	} `json:"logId"`
	KindVersion *struct {
		Kind    string `json:"kind"`
		Version string `json:"version"`
	} `json:"kindVersion"`
	IntegratedTime   integerForm `json:"integratedTime"`
	InclusionPromise struct {
		SignedEntryTimestamp base64Form `json:"signedEntryTimestamp"`
	} `json:"inclusionPromise"`
	InclusionProof *struct {
		LogIndex   integerForm  `json:"logIndex"`
		RootHash   base64Form   `json:"rootHash"`
		TreeSize   integerForm  `json:"treeSize"`
		Hashes     []base64Form `json:"hashes"`
		Checkpoint struct {
			Envelope string `json:"envelope"`
		} `json:"checkpoint"`
	} `json:"inclusionProof"`
	CanonicalizedBody base64Form `json:"canonicalizedBody"`
}

type dsseForm struct {
	Payload     base64Form `json:"payload"`
	PayloadType string     `json:"payloadType"`
	Signatures  []struct {
		Sig   base64Form `json:"sig"`
		KeyID string     `json:"keyid"`
	} `json:"signatures"`
}

type messageForm struct {
	MessageDigest struct {
		Algorithm algorithmForm `json:"algorithm"`
		Digest    base64Form    `json:"digest"`
	} `json:"messageDigest"`
	Signature base64Form `json:"signature"`
}

// base64Form is bytes in either alphabet of base64, padded or not.
type base64Form []byte

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (b *base64Form) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil || v.Kind() == 'n' {
		return err
	}
	if v.Kind() != '"' {
		return errors.New("want base64")
	}
	text := v[1 : len(v)-1]
	plain := true
	for _, c := range text {
		if c == '\\' || c == '-' || c == '_' || c == '\n' {
			plain = false
			break
		}
	}
	if !plain {
		if text, err = jsontext.AppendUnquote(nil, v); err != nil {
			return err
		}
	}
	encoding := base64.StdEncoding
	if !plain && strings.ContainsAny(string(text), "-_") {
		encoding = base64.URLEncoding
	}
	if len(text)%4 != 0 {
		encoding = encoding.WithPadding(base64.NoPadding)
	}
	*b, err = encoding.AppendDecode(make([]byte, 0, encoding.DecodedLen(len(text))), text)
	return err
}

// integerForm is a 64-bit integer, as a string or a number.
type integerForm int64

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (i *integerForm) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil || v.Kind() == 'n' {
		return err
	}
	text := string(v)
	if v.Kind() == '"' {
		text = text[1 : len(text)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	*i = integerForm(n)
	return err
}

// algorithmForm is the name or number of a hash of sigstore_common.proto's
// HashAlgorithm.
type algorithmForm crypto.Hash

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (a *algorithmForm) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch string(v) {
	case `"SHA2_256"`, "1":
		*a = algorithmForm(crypto.SHA256)
	case `"SHA2_384"`, "2":
		*a = algorithmForm(crypto.SHA384)
	case `"SHA2_512"`, "3":
		*a = algorithmForm(crypto.SHA512)
	}
	return nil
}
