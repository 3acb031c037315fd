package cosign_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	sigstorecosign "github.com/sigstore/cosign/v2/pkg/cosign"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/cosign"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func keys() map[string]crypto.Signer {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	return map[string]crypto.Signer{
		"P-256":   must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"P-384":   must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"Ed25519": must(ed, err),
		"RSA":     must(rsa.GenerateKey(rand.Reader, 2048)),
	}
}

// What cosign writes is read.
func TestCosignWrites(t *testing.T) {
	for _, password := range []string{"", "correct horse"} {
		pair, err := sigstorecosign.GenerateKeyPair(func(bool) ([]byte, error) { return []byte(password), nil })
		if err != nil {
			t.Fatal(err)
		}
		signer, err := cosign.LoadSigner("cosign.key", pair.PrivateBytes, []byte(password))
		if err != nil {
			t.Fatal(err)
		}
		pub, err := cosign.ParsePublicKey("cosign.pub", pair.PublicBytes)
		if err != nil {
			t.Fatal(err)
		}
		if !pub.(*ecdsa.PublicKey).Equal(signer.Public()) {
			t.Error("the private key is not that of the public key")
		}
	}
}

// What is written, cosign reads, and it signs with the same key.
func TestCosignReads(t *testing.T) {
	for name, key := range keys() {
		t.Run(name, func(t *testing.T) {
			private, public, err := cosign.EncryptKey(key, []byte("pw"))
			if err != nil {
				t.Fatal(err)
			}
			sv, err := sigstorecosign.LoadPrivateKey(private, []byte("pw"), nil)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := sv.PublicKey()
			if err != nil {
				t.Fatal(err)
			}
			ours, err := cosign.ParsePublicKey("cosign.pub", public)
			if err != nil {
				t.Fatal(err)
			}
			if !theirs.(interface{ Equal(crypto.PublicKey) bool }).Equal(ours) {
				t.Error("cosign reads another key")
			}
			signer, err := cosign.LoadSigner("cosign.key", private, []byte("pw"))
			if err != nil {
				t.Fatal(err)
			}
			if id := must(attest.KeyID(theirs)); signer.Identity().Key != id {
				t.Errorf("signer is %s, want %s", signer.Identity(), id)
			}
		})
	}
}

func TestBadKeys(t *testing.T) {
	private, public, err := cosign.EncryptKey(keys()["P-256"], []byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	plain := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(keys()["P-256"]))})
	hostile := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED COSIGN PRIVATE KEY",
		Bytes: []byte(`{"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":"AA=="},"cipher":{"name":"nacl/secretbox","nonce":"AA=="},"ciphertext":"AA=="}`)})
	tests := []struct {
		name     string
		file     []byte
		password string
		kind     error
		says     string
	}{
		{"wrong password", private, "other", assay.ErrUnchecked, "password"},
		{"not encrypted", plain, "pw", assay.ErrInvalid, `"PRIVATE KEY"`},
		{"public", public, "pw", assay.ErrInvalid, `"PUBLIC KEY"`},
		{"empty", nil, "pw", assay.ErrInvalid, "PEM"},
		{"two", append(private, private...), "pw", assay.ErrInvalid, "nothing after"},
		{"large", make([]byte, 1<<20), "pw", assay.ErrBound, "1048576 bytes"},
		{"hostile scrypt", hostile, "pw", assay.ErrUnchecked, "scrypt parameters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cosign.LoadSigner("cosign.key", tt.file, []byte(tt.password))
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "cosign.key") {
				t.Errorf("got %v, want %v that says %s", err, tt.kind, tt.says)
			}
		})
	}
	if _, _, err := cosign.EncryptKey(must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)), nil); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("P-521: %v", err)
	}
}

func FuzzDecryptKey(f *testing.F) {
	private, public, err := cosign.EncryptKey(keys()["P-256"], nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(public)
	f.Add(private)
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 400 && string(file) != string(private) {
			t.Skip() // deriving a key takes a tenth of a second
		}
		if key, err := cosign.DecryptKey("f", file, nil); (key == nil) == (err == nil) {
			t.Errorf("key %v, error %v", key, err)
		}
	})
}

func ExampleLoadSigner() {
	// What "cosign generate-key-pair" writes.
	pair, err := sigstorecosign.GenerateKeyPair(func(bool) ([]byte, error) { return []byte("pw"), nil })
	if err != nil {
		panic(err)
	}
	signer, err := cosign.LoadSigner("cosign.key", pair.PrivateBytes, []byte("pw"))
	if err != nil {
		panic(err)
	}
	pub, err := cosign.ParsePublicKey("cosign.pub", pair.PublicBytes)
	if err != nil {
		panic(err)
	}
	id, err := attest.KeyID(pub)
	fmt.Println(signer.Identity().Key == id, err)
	// Output: true <nil>
}
