package witness

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

const (
	opLog         = "log signature"
	maxEntryBytes = 8 << 20
)

// verifier is the key as logs take it.
type verifier struct {
	details string // protobuf-specs, PublicKeyDetails; empty where Rekor v2 has no name for it
	hash    crypto.Hash
	block   *pem.Block
}

func newVerifier(s Signature) (verifier, error) {
	var v verifier
	switch k := s.Public.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			v.details, v.hash = "PKIX_ECDSA_P256_SHA_256", crypto.SHA256
		case elliptic.P384():
			v.details, v.hash = "PKIX_ECDSA_P384_SHA_384", crypto.SHA384
		}
	case *rsa.PublicKey:
		switch n := k.N.BitLen(); n {
		case 2048, 3072, 4096:
			v.details, v.hash = "PKIX_RSA_PKCS1V15_"+strconv.Itoa(n)+"_SHA256", crypto.SHA256
		}
	case ed25519.PublicKey:
	}
	if s.Certificate != nil {
		v.block = &pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate}
		return v, nil
	}
	der, err := x509.MarshalPKIXPublicKey(s.Public)
	if err != nil {
		return v, &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Field: "public key", Err: err}
	}
	v.block = &pem.Block{Type: "PUBLIC KEY", Bytes: der}
	return v, nil
}

// CanLog reports whether logs of the services take signatures of the key: Rekor v2
// records what was hashed first, and Ed25519 does not hash.
func (s Services) CanLog(pub crypto.PublicKey) bool {
	_, pure := pub.(ed25519.PublicKey)
	return s.logs.need == 0 || s.logs.services[0].Version == 1 || !pure
}

// logV2 records in Rekor v2 (rekor-tiles v2.3, rekor_service.proto, CreateEntry).
func (w *Witness) logV2(ctx context.Context, to Service, s Signature, v verifier) (*protorekor.TransparencyLogEntry, error) {
	if v.details == "" {
		return nil, &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Subject: request.Name(to.URL), Field: "public key", Bound: "ECDSA or RSA, for Rekor v2"}
	}
	h := v.hash.New()
	h.Write(attest.PAE(assay.MediaTypeInToto, s.Payload))
	digest := h.Sum(nil)
	type raw struct {
		Bytes []byte `json:"rawBytes"`
	}
	var body struct {
		Request struct {
			Digest    []byte `json:"digest"`
			Signature struct {
				Content  []byte `json:"content"`
				Verifier struct {
					Certificate *raw   `json:"x509Certificate,omitempty"`
					Public      *raw   `json:"publicKey,omitempty"`
					Details     string `json:"keyDetails"`
				} `json:"verifier"`
			} `json:"signature"`
		} `json:"hashedRekordRequestV002"`
	}
	r := &body.Request
	r.Digest, r.Signature.Content, r.Signature.Verifier.Details = digest, s.Signature, v.details
	if v.block.Type == "CERTIFICATE" {
		r.Signature.Verifier.Certificate = &raw{v.block.Bytes}
	} else {
		r.Signature.Verifier.Public = &raw{v.block.Bytes}
	}
	resp, err := w.post(ctx, to, "api/v2/log/entries", body)
	if request.Status(err) == http.StatusConflict {
		return nil, &assay.Error{Op: opLog, Kind: assay.ErrUnchecked, Subject: request.Name(to.URL), Err: ErrLogged}
	}
	if err != nil {
		return nil, err
	}
	bad := func(field, bound string, cause error) error {
		return &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Subject: request.Name(to.URL), Field: field, Bound: bound, Err: cause}
	}
	if err := strictjson.Check(request.Name(to.URL), resp.Body, strictjson.Limits{MaxBytes: maxEntryBytes}); err != nil {
		return nil, err
	}
	var e protorekor.TransparencyLogEntry
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(resp.Body, &e); err != nil {
		return nil, bad("", "a log entry", err)
	}
	switch {
	case e.GetInclusionProof().GetCheckpoint().GetEnvelope() == "":
		return nil, bad("/inclusionProof/checkpoint", "a checkpoint", nil)
	case !contains(e.CanonicalizedBody, digest) || !contains(e.CanonicalizedBody, s.Signature):
		return nil, refuted(to)
	}
	return &e, nil
}

func refuted(to Service) error {
	return &assay.Error{Op: opLog, Kind: assay.ErrRefuted, Subject: request.Name(to.URL), Field: "/canonicalizedBody", Bound: "an entry of the signature that was sent"}
}

// contains reports whether a log entry's body has the bytes, which it has in base64
// or in hexadecimal.
func contains(body, what []byte) bool {
	return bytes.Contains(body, []byte(base64.StdEncoding.EncodeToString(what))) || bytes.Contains(body, []byte(hex.EncodeToString(what)))
}

func (w *Witness) post(ctx context.Context, to Service, path string, body any) (*request.Response, error) {
	data, err := strictjson.Marshal(body)
	if err != nil {
		return nil, &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Err: err}
	}
	return w.HTTP.Do(ctx, request.Request{
		Op: opLog, Method: http.MethodPost, URL: strings.TrimSuffix(to.URL, "/") + "/" + path, Body: data, Max: maxEntryBytes,
		Header: map[string]string{"Content-Type": "application/json", "Accept": "application/json"},
		Want:   []int{http.StatusCreated, http.StatusOK},
	})
}

// entryV1 is an entry as Rekor v1 gives it (rekor v1, openapi.yaml, LogEntry).
type entryV1 struct {
	Body           []byte `json:"body"`
	IntegratedTime int64  `json:"integratedTime"`
	LogID          string `json:"logID"`
	LogIndex       int64  `json:"logIndex"`
	Verification   struct {
		SignedEntryTimestamp []byte `json:"signedEntryTimestamp"`
		InclusionProof       *struct {
			Checkpoint string   `json:"checkpoint"`
			Hashes     []string `json:"hashes"`
			LogIndex   int64    `json:"logIndex"`
			RootHash   string   `json:"rootHash"`
			TreeSize   int64    `json:"treeSize"`
		} `json:"inclusionProof"`
	} `json:"verification"`
}

// logV1 records a dsse entry in Rekor v1. Where the log has it already, that entry
// is as good.
func (w *Witness) logV1(ctx context.Context, to Service, s Signature, v verifier) (*protorekor.TransparencyLogEntry, error) {
	envelope, err := strictjson.Marshal(map[string]any{
		"payload":     s.Payload,
		"payloadType": assay.MediaTypeInToto,
		"signatures":  []any{map[string]any{"sig": s.Signature}},
	})
	if err != nil {
		return nil, &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Err: err}
	}
	resp, err := w.post(ctx, to, "api/v1/log/entries", map[string]any{
		"apiVersion": "0.0.1",
		"kind":       "dsse",
		"spec": map[string]any{"proposedContent": map[string]any{
			"envelope":  string(envelope),
			"verifiers": []any{pem.EncodeToMemory(v.block)},
		}},
	})
	if e, ok := conflict(err); ok {
		location, bad := existing(to, e.Header.Get("Location"))
		if bad != nil {
			return nil, bad
		}
		resp, err = w.HTTP.Do(ctx, request.Request{Op: opLog, URL: location, Max: maxEntryBytes, Header: map[string]string{"Accept": "application/json"}})
	}
	if err != nil {
		return nil, err
	}
	return parseV1(to, resp.Body, s.Signature)
}

// parseV1 reads what Rekor v1 answers: an object with the one entry, by its id.
func parseV1(to Service, data, sig []byte) (*protorekor.TransparencyLogEntry, error) {
	name := request.Name(to.URL)
	bad := func(field, value, bound string, cause error) error {
		return &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Err: cause}
	}
	var answer map[string]entryV1
	if err := strictjson.Unmarshal(name, data, &answer, strictjson.Limits{MaxBytes: maxEntryBytes}); err != nil {
		return nil, err
	}
	if len(answer) != 1 {
		return nil, bad("", strconv.Itoa(len(answer))+" entries", "one entry", nil)
	}
	for _, e := range answer {
		proof := e.Verification.InclusionProof
		if proof == nil || proof.Checkpoint == "" {
			return nil, bad("/verification/inclusionProof", "", "an inclusion proof with a checkpoint", nil)
		}
		out := &protorekor.TransparencyLogEntry{
			LogIndex: e.LogIndex, IntegratedTime: e.IntegratedTime, CanonicalizedBody: e.Body,
			LogId:            &protocommon.LogId{},
			InclusionPromise: &protorekor.InclusionPromise{SignedEntryTimestamp: e.Verification.SignedEntryTimestamp},
			InclusionProof: &protorekor.InclusionProof{LogIndex: proof.LogIndex, TreeSize: proof.TreeSize,
				Checkpoint: &protorekor.Checkpoint{Envelope: proof.Checkpoint}},
		}
		var err error
		if out.LogId.KeyId, err = hex.DecodeString(e.LogID); err != nil {
			return nil, bad("/logID", e.LogID, "hexadecimal", err)
		}
		if out.InclusionProof.RootHash, err = hex.DecodeString(proof.RootHash); err != nil {
			return nil, bad("/verification/inclusionProof/rootHash", proof.RootHash, "hexadecimal", err)
		}
		for i, h := range proof.Hashes {
			b, err := hex.DecodeString(h)
			if err != nil {
				return nil, bad("/verification/inclusionProof/hashes/"+strconv.Itoa(i), h, "hexadecimal", err)
			}
			out.InclusionProof.Hashes = append(out.InclusionProof.Hashes, b)
		}
		var kind struct {
			Kind       string `json:"kind"`
			APIVersion string `json:"apiVersion"`
		}
		if err := strictjson.Unmarshal(name, e.Body, &kind, strictjson.Limits{MaxBytes: maxEntryBytes}); err != nil {
			return nil, err
		}
		if kind.Kind == "" || kind.APIVersion == "" {
			return nil, bad("/body/kind", kind.Kind+" "+kind.APIVersion, "a kind and its version", nil)
		}
		if !contains(e.Body, sig) {
			return nil, refuted(to)
		}
		out.KindVersion = &protorekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion}
		return out, nil
	}
	panic("unreachable") // one entry was counted
}

func conflict(err error) (*request.StatusError, bool) {
	e := statusError(err)
	return e, e != nil && e.Status == http.StatusConflict
}

// existing gives where the log has an entry, which is with the log itself.
func existing(to Service, location string) (string, error) {
	base, err := url.Parse(to.URL)
	if err != nil {
		return "", &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Subject: request.Name(to.URL), Err: err}
	}
	u, err := base.Parse(location)
	if err != nil || location == "" || u.Host != base.Host {
		return "", &assay.Error{Op: opLog, Kind: assay.ErrInvalid, Subject: request.Name(to.URL), Field: "Location", Value: location, Bound: "the entry that the log has already", Err: err}
	}
	u.Scheme = base.Scheme
	return u.String(), nil
}
