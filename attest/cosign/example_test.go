package cosign_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/cosign"
)

// The files are what "cosign generate-key-pair" writes, and "cosign verify --key" reads.
func ExampleEncryptKey() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	private, public, err := cosign.EncryptKey(key, []byte("correct horse"))
	if err != nil {
		panic(err)
	}
	again, err := cosign.DecryptKey("cosign.key", private, []byte("correct horse"))
	if err != nil {
		panic(err)
	}
	_, err = cosign.ParsePublicKey("cosign.pub", public)
	fmt.Println(key.Equal(again), err)
	_, err = cosign.DecryptKey("cosign.key", private, []byte("wrong"))
	fmt.Println(errors.Is(err, assay.ErrUnchecked))
	// Output:
	// true <nil>
	// true
}
