package verify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
)

// One signature about one file: who signed, what they say of it, and when.
func ExampleSignatureVerifier() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := attest.NewKeySigner(key)
	if err != nil {
		log.Fatal(err)
	}
	file := []byte("a release")
	envelope, err := signer.Sign(context.Background(), []byte(`{"_type":"https://in-toto.io/Statement/v1",
		"subject":[{"name":"app.tar","digest":{"sha256":"`+assay.SumSHA256(file).Hex()+`"}}],
		"predicateType":"https://example.com/release/v1","predicate":{}}`))
	if err != nil {
		log.Fatal(err)
	}

	v, err := verify.NewSignatureVerifier(
		verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}},
		verify.SignerRule{Name: "release", Key: signer.Identity().Key})
	if err != nil {
		log.Fatal(err)
	}
	s, err := v.VerifyContent(envelope, file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Rule, "states", s.PredicateType, "of", s.Subject.Name)

	_, err = v.VerifyContent(envelope, []byte("another"))
	fmt.Println("another file:", assay.KindOf(err))
	// Output:
	// release states https://example.com/release/v1 of app.tar
	// another file: refuted
}
