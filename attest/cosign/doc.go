// Package cosign reads and writes what cosign keeps in files: encrypted private keys
// and public keys in PEM.
//
// Start with [LoadSigner], which gives the [attest.KeySigner] of a key file.
// Envelopes signed with it are what "cosign verify-blob-attestation" and
// "cosign verify-attestation" check with the public key and
// --insecure-ignore-tlog, because a bare key's signature is in no log.
//
// The file format is PEM around a PKCS #8 key that is encrypted by scrypt and
// NaCl secretbox. It is read by go-securesystemslib, which cosign itself reads it
// by; cosign's own packages are many times the size and are imported by the tests
// of this package only.
package cosign
