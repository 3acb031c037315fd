package keyless

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/internal/witness"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

const (
	opCertify    = "get certificate"
	maxCertBytes = 1 << 20
)

type certificate struct {
	der   []byte
	until time.Time
}

// certify asks Fulcio for a certificate of the key for whoever the token is of
// (fulcio v1.8, fulcio.proto, CreateSigningCertificate). The proof that the key is
// ours signs the identity.
func (s *Signer) certify(ctx context.Context, ca witness.Service, token string, claims *claims, key *ecdsa.PrivateKey) (*certificate, error) {
	name := request.Name(ca.URL)
	fail := func(kind error, field, bound string, cause error) error {
		return &assay.Error{Op: opCertify, Kind: kind, Subject: name, Field: field, Bound: bound, Err: cause}
	}
	identity, err := claims.identity()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(identity))
	proof, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, fail(assay.ErrUnchecked, "", "", err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fail(assay.ErrUnchecked, "", "", err)
	}
	body, err := strictjson.Marshal(map[string]any{"publicKeyRequest": map[string]any{
		"publicKey":         map[string]any{"algorithm": "ECDSA", "content": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
		"proofOfPossession": proof,
	}})
	if err != nil {
		return nil, fail(assay.ErrUnchecked, "", "", err)
	}
	resp, err := s.witness.HTTP.Do(ctx, request.Request{
		Op: opCertify, Method: http.MethodPost, URL: strings.TrimSuffix(ca.URL, "/") + "/api/v2/signingCert", Body: body, Max: maxCertBytes,
		Header:  map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json"},
		Want:    []int{http.StatusOK, http.StatusCreated},
		Secrets: []string{token},
	})
	if err != nil {
		return nil, err
	}
	leaf, err := readCertificate(name, resp.Body)
	if err != nil {
		return nil, err
	}
	if pub, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || !pub.Equal(key.Public()) {
		return nil, fail(assay.ErrRefuted, "public key", "a certificate of the key that was sent", nil)
	}
	return &certificate{leaf.Raw, leaf.NotAfter}, nil
}

// readCertificate reads the leaf of what Fulcio answers. The rest of the chain is
// not used: who verifies has it from a trusted root.
func readCertificate(name string, data []byte) (*x509.Certificate, error) {
	type chain struct {
		Chain struct {
			Certificates []string `json:"certificates"`
		} `json:"chain"`
	}
	var answer struct {
		Embedded *chain `json:"signedCertificateEmbeddedSct"`
		Detached *chain `json:"signedCertificateDetachedSct"`
	}
	if err := strictjson.Unmarshal(name, data, &answer, strictjson.Limits{MaxBytes: maxCertBytes}); err != nil {
		return nil, err
	}
	bad := func(field string, cause error) error {
		return &assay.Error{Op: opCertify, Kind: assay.ErrInvalid, Subject: name, Field: field, Bound: "a certificate in PEM", Err: cause}
	}
	field, c := "/signedCertificateEmbeddedSct/chain/certificates/0", answer.Embedded
	if c == nil {
		field, c = "/signedCertificateDetachedSct/chain/certificates/0", answer.Detached
	}
	if c == nil || len(c.Chain.Certificates) == 0 {
		return nil, bad(field, nil)
	}
	block, _ := pem.Decode([]byte(c.Chain.Certificates[0]))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, bad(field, nil)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, bad(field, err)
	}
	return leaf, nil
}
