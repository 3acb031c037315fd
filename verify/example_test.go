package verify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify"
)

// exampleEvidence is a provenance that somebody signed, the digest it is about, and
// the signer.
func exampleEvidence() (assay.Digest, assay.Envelope, *attest.KeySigner) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := attest.NewKeySigner(key)
	if err != nil {
		log.Fatal(err)
	}
	digest := assay.SumSHA256([]byte("an image's manifest"))
	statement, err := attest.NewStatement(newProvenance(), attest.StatementOptions{}, assay.Subject{Name: "app", Digest: assay.DigestSet{digest}})
	if err != nil {
		log.Fatal(err)
	}
	envelope, err := attest.Sign(context.Background(), signer, statement)
	if err != nil {
		log.Fatal(err)
	}
	return digest, envelope, signer
}

func Example() {
	digest, envelope, signer := exampleEvidence()

	verifier, err := verify.New(
		verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}},
		verify.Policy{
			Signers: []verify.SignerRule{{Name: "ci", Key: signer.Identity().Key, Builders: []string{"https://builder.example/v1"}}},
			Require: []assay.Kind{assay.KindProvenance},
		})
	if err != nil {
		log.Fatal(err)
	}
	// attest.FromRegistry finds what is attached to an image in its registry.
	report, err := verifier.Verify(context.Background(), digest, attest.FromEnvelopes(envelope))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("policy:", report.Verdict.Policy)
	for p := range verify.Evidence[*assay.Provenance](report) {
		fmt.Println("built by", p.Evidence().Builder.ID, "says", p.Rule())
	}
	// Output:
	// policy: proven
	// built by https://builder.example/v1 says ci
}

func ExampleReport_Err() {
	digest, _, signer := exampleEvidence()
	verifier, err := verify.New(
		verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}},
		verify.Policy{
			Signers: []verify.SignerRule{{Name: "ci", Key: signer.Identity().Key}},
			Require: []assay.Kind{assay.KindSBOM},
		})
	if err != nil {
		log.Fatal(err)
	}
	report, err := verifier.Verify(context.Background(), digest, attest.FromEnvelopes())
	if err != nil {
		log.Fatal(err)
	}
	err = report.Err()
	fmt.Println(errors.Is(err, assay.ErrRefuted), errors.Is(err, assay.ErrUnchecked))
	check, _ := report.Check("evidence/sbom")
	fmt.Println(check.Reason, "-", check.Detail)
	// Output:
	// true false
	// absent - every store was read, and no sbom was accepted
}

func ExampleReport_Missing() {
	digest, envelope, signer := exampleEvidence()
	verifier, err := verify.New(
		verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}},
		verify.Policy{Signers: []verify.SignerRule{{Name: "ci", Key: signer.Identity().Key}}},
		verify.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
	if err != nil {
		log.Fatal(err)
	}
	report, err := verifier.Verify(context.Background(), digest, attest.FromEnvelopes(envelope))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stage", report.Verdict.Stage, "next", report.Verdict.Next)
	missing := report.Missing()
	i := slices.IndexFunc(missing, func(c verify.Check) bool { return c.ID == verify.CheckContents })
	fmt.Println(missing[i].ID, missing[i].State, missing[i].Reason)
	// Output:
	// stage none next minimal
	// image/contents unknown no-contents
}

func ExampleParsePolicy() {
	_, err := verify.ParsePolicy("policy.json", []byte(`{
		"schema": "https://github.com/assaykit/assay/policy/v0.1",
		"signers": [{"name": "ci", "issuer": "https://issuer.example", "subject": "https://ci.example/release"}],
		"requires": ["sbom"]
	}`))
	fmt.Println(err)
	// Output:
	// read JSON: policy.json: /requires: invalid: got "requires", want a member that is known here
}

// Keys come as files; how the image's bytes are read, and how much at once, is up to the
// program.
func ExampleParseKey() {
	key, err := verify.ParseKey("cosign.pub", []byte(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`))
	if err != nil {
		log.Fatal(err)
	}
	id, err := attest.KeyID(key.Public)
	if err != nil {
		log.Fatal(err)
	}
	_, err = verify.New(verify.Trust{Keys: []verify.Key{key}},
		verify.Policy{Signers: []verify.SignerRule{{Name: "release", Key: id}}, Require: []assay.Kind{assay.KindSBOM}},
		verify.Workers(2), verify.Scanning(sbom.Options{Strict: true}))
	fmt.Println(id, err)
	_, err = verify.ParseKey("cosign.pub", []byte("not PEM"))
	fmt.Println(err)
	// Output:
	// sha256:06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9 <nil>
	// read public key: cosign.pub: invalid, want a PEM block PUBLIC KEY
}
