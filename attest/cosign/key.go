package cosign

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"strconv"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

// The types of PEM blocks that cosign writes: the second until version 2.
const (
	pemSigstore = "ENCRYPTED SIGSTORE PRIVATE KEY"
	pemCosign   = "ENCRYPTED COSIGN PRIVATE KEY"
	pemPublic   = "PUBLIC KEY"
)

// maxKeyFile bounds key files; an RSA key of 4096 bits takes 5 KB.
const maxKeyFile = 64 << 10

// LoadSigner decrypts a private key, the content of a cosign.key, and makes the
// signer of it. The name is for errors. Keys of kinds that [attest.NewKeySigner]
// refuses are refused.
func LoadSigner(name string, file, password []byte, opts ...attest.KeyOption) (*attest.KeySigner, error) {
	key, err := DecryptKey(name, file, password)
	if err != nil {
		return nil, err
	}
	return attest.NewKeySigner(key, opts...)
}

// DecryptKey decrypts a private key, the content of a cosign.key. A password that is
// wrong and a file that was changed cannot be told apart; both are
// [assay.ErrUnchecked].
func DecryptKey(name string, file, password []byte) (crypto.Signer, error) {
	bad := func(kind error, field, value, bound string, cause error) error {
		return &assay.Error{Op: "read cosign key", Kind: kind, Subject: name, Field: field, Value: value, Bound: bound, Err: cause}
	}
	body, err := block(name, file, pemSigstore, pemCosign)
	if err != nil {
		return nil, err
	}
	der, err := encrypted.Decrypt(body, password)
	if err != nil {
		return nil, bad(assay.ErrUnchecked, "", "", "a key that the password decrypts", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, bad(assay.ErrInvalid, "private key", "", "PKCS #8", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, bad(assay.ErrInvalid, "private key", "", "a key that signs", nil)
	}
	return signer, nil
}

// EncryptKey encrypts a private key as a cosign.key and gives the cosign.pub beside
// it. An empty password is accepted, as cosign accepts it, and protects nothing.
func EncryptKey(key crypto.Signer, password []byte) (private, public []byte, err error) {
	if _, err := attest.NewKeySigner(key); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, &assay.Error{Op: "write cosign key", Kind: assay.ErrInvalid, Field: "private key", Bound: "a key in memory", Err: err}
	}
	body, err := encrypted.Encrypt(der, password)
	if err != nil {
		return nil, nil, &assay.Error{Op: "write cosign key", Kind: assay.ErrUnchecked, Err: err}
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, &assay.Error{Op: "write cosign key", Kind: assay.ErrInvalid, Field: "public key", Err: err}
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemSigstore, Bytes: body}),
		pem.EncodeToMemory(&pem.Block{Type: pemPublic, Bytes: pub}), nil
}

// ParsePublicKey reads a cosign.pub.
func ParsePublicKey(name string, file []byte) (crypto.PublicKey, error) {
	der, err := block(name, file, pemPublic)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, &assay.Error{Op: "read cosign key", Kind: assay.ErrInvalid, Subject: name, Field: "public key", Bound: "PKIX", Err: err}
	}
	return key, nil
}

// block gives the content of the one PEM block that the file must be.
func block(name string, file []byte, types ...string) ([]byte, error) {
	bad := &assay.Error{Op: "read cosign key", Kind: assay.ErrInvalid, Subject: name, Field: "PEM"}
	if len(file) > maxKeyFile {
		bad.Kind, bad.Value, bad.Bound = assay.ErrBound, strconv.Itoa(len(file))+" bytes", "at most "+strconv.Itoa(maxKeyFile)
		return nil, bad
	}
	b, rest := pem.Decode(file)
	if b == nil {
		bad.Bound = types[0]
		return nil, bad
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		bad.Bound = "nothing after the first block"
		return nil, bad
	}
	for _, t := range types {
		if b.Type == t {
			return b.Bytes, nil
		}
	}
	bad.Value, bad.Bound = b.Type, types[0]
	return nil, bad
}
