// Package cosign reads and writes what cosign keeps in files: encrypted private keys
// and public keys in PEM.
//
// Start with [LoadSigner], which gives the [attest.KeySigner] of a key file.
// Envelopes that it signs and package attest attaches are bundles that
// cosign finds and verifies with the public key, once told not to ask for a log
// entry, which a signature by key alone does not have.
//
// The file format is PEM around a PKCS #8 key that is encrypted by scrypt and
// NaCl secretbox. It is read by go-securesystemslib, which cosign itself reads it
// by; cosign's own packages are many times the size and are imported by the tests
// of this package only.
package cosign
