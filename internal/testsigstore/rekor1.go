package testsigstore

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore/pkg/signature"
)

// rekorV1Server answers as Rekor v1 does: dsse entries, and 409 with the place of the
// entry for one that it has.
type rekorV1Server struct {
	log *transparencyLog

	mu      sync.Mutex
	entries map[string][]byte // answers by id
}

func (s *rekorV1Server) create(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, known, err := s.add(body)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case known:
		w.Header().Set("Location", "/rekor1/api/v1/log/entries/"+id)
		http.Error(w, `{"code":409,"message":"an equivalent entry already exists in the transparency log"}`, http.StatusConflict)
		return
	}
	w.Header().Set("ETag", id)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	// A client that hangs up meanwhile is no failure of ours.
	_, _ = w.Write(s.get(id))
}

func (s *rekorV1Server) get(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[id]
}

func (s *rekorV1Server) read(w http.ResponseWriter, r *http.Request) {
	answer := s.get(r.PathValue("id"))
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // see create
}

func (s *rekorV1Server) add(body []byte) (id string, known bool, err error) {
	var request struct {
		Kind, APIVersion string
		Spec             struct {
			ProposedContent struct {
				Envelope  string
				Verifiers [][]byte
			}
		}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return "", false, err
	}
	p := request.Spec.ProposedContent
	if request.Kind != "dsse" || request.APIVersion != "0.0.1" || len(p.Verifiers) != 1 {
		return "", false, errors.New("not a dsse request with one verifier")
	}
	var envelope dsse.Envelope
	if err := json.Unmarshal([]byte(p.Envelope), &envelope); err != nil {
		return "", false, err
	}
	payload, err := base64.StdEncoding.DecodeString(envelope.Payload)
	if err != nil || len(envelope.Signatures) != 1 {
		return "", false, errors.Join(errors.New("not an envelope with one signature"), err)
	}
	sig, err := base64.StdEncoding.DecodeString(envelope.Signatures[0].Sig)
	if err != nil {
		return "", false, err
	}
	block, _ := pem.Decode(p.Verifiers[0])
	if block == nil {
		return "", false, errors.New("no PEM")
	}
	var pub crypto.PublicKey
	if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
		pub = cert.PublicKey
	} else if pub, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		return "", false, err
	}
	check, err := signature.LoadDefaultVerifier(pub)
	if err != nil {
		return "", false, err
	}
	if err := check.VerifySignature(strings.NewReader(string(sig)), strings.NewReader(string(dsse.PAE(envelope.PayloadType, payload)))); err != nil {
		return "", false, fmt.Errorf("signature: %w", err)
	}
	sum := sha256.Sum256([]byte(p.Envelope + string(p.Verifiers[0])))
	id = hex.EncodeToString(sum[:])
	if s.get(id) != nil {
		return id, true, nil
	}
	content, err := dsseBody(block, envelope.PayloadType, payload, sig)
	if err != nil {
		return "", false, err
	}
	e, err := s.log.add(&protorekor.KindVersion{Kind: "dsse", Version: "0.0.1"}, content, time.Now())
	if err != nil {
		return "", false, err
	}
	answer, err := json.Marshal(map[string]any{id: answerV1(e)})
	if err != nil {
		return "", false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[id] = answer
	return id, false, nil
}

// answerV1 is the entry in the form of Rekor v1's API.
func answerV1(e *protorekor.TransparencyLogEntry) any {
	proof := e.InclusionProof
	hashes := []string{}
	for _, h := range proof.Hashes {
		hashes = append(hashes, hex.EncodeToString(h))
	}
	return map[string]any{
		"body":           e.CanonicalizedBody,
		"integratedTime": e.IntegratedTime,
		"logID":          hex.EncodeToString(e.LogId.KeyId),
		"logIndex":       e.LogIndex,
		"verification": map[string]any{
			"signedEntryTimestamp": e.InclusionPromise.SignedEntryTimestamp,
			"inclusionProof": map[string]any{
				"checkpoint": proof.Checkpoint.Envelope,
				"hashes":     hashes,
				"logIndex":   proof.LogIndex,
				"rootHash":   hex.EncodeToString(proof.RootHash),
				"treeSize":   proof.TreeSize,
			},
		},
	}
}
