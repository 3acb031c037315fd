package testsigstore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	rekorpb "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
	"google.golang.org/protobuf/encoding/protojson"
)

// maxRequest bounds what is read of a request.
const maxRequest = 4 << 20

// Serve answers on loopback as Fulcio, Rekor v2 and a timestamp authority do, for
// as much of their protocols as signing clients use: certificates for a public
// key with a proof of possession, hashedrekord entries, timestamp requests. It
// checks what they check: tokens, proofs and signatures. The end of the test stops
// it.
func (v *Virtual) Serve(t testing.TB) *Stack {
	t.Helper()
	o := NewOIDC(t)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /fulcio/api/v2/signingCert", answering(http.StatusOK, "application/json", func(r *http.Request, body []byte) ([]byte, error) {
		return v.signingCert(o, r.Header.Get("Authorization"), body)
	}))
	mux.HandleFunc("POST /rekor/api/v2/log/entries", answering(http.StatusCreated, "application/json", func(_ *http.Request, body []byte) ([]byte, error) {
		return v.logEntry(body)
	}))
	mux.HandleFunc("POST /tsa/api/v1/timestamp", answering(http.StatusCreated, "application/timestamp-reply", func(_ *http.Request, body []byte) ([]byte, error) {
		request, err := timestamp.ParseRequest(body)
		if err != nil {
			return nil, err
		}
		return v.tsa.answer(request, time.Now())
	}))
	old := &rekorV1Server{log: v.rekor[RekorV1], entries: map[string][]byte{}}
	mux.HandleFunc("POST /rekor1/api/v1/log/entries", old.create)
	mux.HandleFunc("GET /rekor1/api/v1/log/entries/{id}", old.read)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &Stack{
		RekorV1URL:   server.URL + "/rekor1",
		OIDC:         o,
		FulcioURL:    server.URL + "/fulcio",
		RekorURL:     server.URL + "/rekor",
		TimestampURL: server.URL + "/tsa/api/v1/timestamp",
		root:         v.TrustedRootJSON(),
	}
}

// answering is a handler that answers with what f gives, or with 400 and its
// error.
func answering(status int, mediaType string, f func(*http.Request, []byte) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err == nil {
			body, err = f(r, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		// A client that hangs up meanwhile is no failure of ours.
		_, _ = w.Write(body)
	}
}

// signingCert is Fulcio's (fulcio.proto, CreateSigningCertificate).
func (v *Virtual) signingCert(o *OIDC, authorization string, body []byte) ([]byte, error) {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		return nil, errors.New("no bearer token")
	}
	id, subject, err := o.identify(token)
	if err != nil {
		return nil, fmt.Errorf("identity token: %w", err)
	}
	var request struct {
		PublicKeyRequest struct {
			PublicKey         struct{ Content string }
			ProofOfPossession []byte
		}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	pub, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(request.PublicKeyRequest.PublicKey.Content))
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	verifier, err := signature.LoadDefaultVerifier(pub)
	if err != nil {
		return nil, err
	}
	proof := bytes.NewReader(request.PublicKeyRequest.ProofOfPossession)
	if err := verifier.VerifySignature(proof, strings.NewReader(subject)); err != nil {
		return nil, fmt.Errorf("proof of possession: %w", err)
	}
	leaf, err := v.fulcio.certify(id, pub, time.Now())
	if err != nil {
		return nil, err
	}
	var certs []string
	for _, c := range []*x509.Certificate{leaf, v.fulcio.intermediate, v.fulcio.root} {
		certs = append(certs, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	}
	return json.Marshal(map[string]any{
		"signedCertificateDetachedSct": map[string]any{"chain": map[string]any{"certificates": certs}},
	})
}

// identify checks a token of the issuers and gives whom Fulcio certifies for it,
// and the subject that the proof of possession signs.
func (o *OIDC) identify(token string) (Identity, string, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return Identity{}, "", err
	}
	var standard jwt.Claims
	var claims map[string]any
	if err := parsed.Claims(o.keys.Keys[0].Key, &standard, &claims); err != nil {
		return Identity{}, "", err
	}
	if err := standard.Validate(jwt.Expected{AnyAudience: jwt.Audience{Audience}, Time: time.Now()}); err != nil {
		return Identity{}, "", err
	}
	claim := func(name string) string { s, _ := claims[name].(string); return s }
	switch standard.Issuer {
	case o.Issuer():
		if claims["email_verified"] != true {
			return Identity{}, "", errors.New("email_verified is not true")
		}
		return Email(claim("email"), standard.Issuer), claim("email"), nil
	case o.ActionsIssuer():
		path, _, _ := strings.Cut(strings.TrimPrefix(claim("job_workflow_ref"), claim("repository")+"/"), "@")
		return Workflow{
			Repository: claim("repository"), Path: path, Name: claim("workflow"), Ref: claim("ref"), SHA: claim("sha"),
			Event: claim("event_name"), Runner: claim("runner_environment"), Visibility: claim("repository_visibility"),
			RunID: claim("run_id"), Attempt: claim("run_attempt"), RepoID: claim("repository_id"), OwnerID: claim("repository_owner_id"),
		}.Identity(standard.Issuer), standard.Subject, nil
	}
	return Identity{}, "", fmt.Errorf("unknown issuer %q", standard.Issuer)
}

// logEntry is Rekor's (rekor_service.proto, CreateEntry).
func (v *Virtual) logEntry(body []byte) ([]byte, error) {
	var request rekorpb.CreateEntryRequest
	if err := protojson.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	h := request.GetHashedRekordRequestV002()
	if h == nil {
		return nil, errors.New("not a hashedrekord request")
	}
	by := h.GetSignature().GetVerifier()
	algorithm, err := signature.GetAlgorithmDetails(by.GetKeyDetails())
	if err != nil {
		return nil, err
	}
	verifier := map[string]any{"keyDetails": by.GetKeyDetails().String()}
	var pub crypto.PublicKey
	if raw := by.GetX509Certificate().GetRawBytes(); raw != nil {
		verifier["x509Certificate"] = map[string]any{"rawBytes": raw}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			return nil, err
		}
		pub = cert.PublicKey
	} else {
		raw := by.GetPublicKey().GetRawBytes()
		verifier["publicKey"] = map[string]any{"rawBytes": raw}
		if pub, err = x509.ParsePKIXPublicKey(raw); err != nil {
			return nil, err
		}
	}
	check, err := signature.LoadVerifierFromAlgorithmDetails(pub, algorithm)
	if err != nil {
		return nil, err
	}
	if err := check.VerifySignature(bytes.NewReader(h.GetSignature().GetContent()), nil, options.WithDigest(h.GetDigest())); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	entry, err := v.rekor[RekorV2].addHashedRekord(algorithm.GetProtoHashType().String(), h.GetDigest(), h.GetSignature().GetContent(), verifier)
	if err != nil {
		return nil, err
	}
	return protojson.Marshal(entry)
}
