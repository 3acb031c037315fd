// Package witnessed signs statements with a key and has the signatures witnessed: by
// transparency logs (Rekor) and timestamp authorities (RFC 3161). A signature of a
// key alone says nothing about when it was made; a witnessed one does, so that it
// still counts after the key was retired, and is seen by those who watch the logs.
//
// Start with [New], which takes an attest.KeySigner, or the signer of a key in a key
// management service (attest/kms), and a signing config. The [Signer] is an
// attest.Signer.
//
// # What is promised
//
// What is promised of signing configs, witnesses and the trusted root is that of
// package attest/keyless. The bundle's certificate is replaced by the key's hint.
//
// A key that signs deterministically gives one signature for one statement. Rekor of
// version 2 records a signature once and does not give the entry out again: signing
// the same statement with such a key again is an error, which says so, where the log
// answers that way. Keep the envelope.
package witnessed
