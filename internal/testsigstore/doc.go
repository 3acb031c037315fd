// Package testsigstore gives tests a private sigstore: something that issues
// certificates, logs signatures and timestamps them, and the trusted root that
// verifies the result.
//
// There are two, for two purposes:
//
//   - [Virtual] is in the test's own process. It writes serialized bundles and
//     trusted roots with nothing installed, in milliseconds, at any time of
//     signing, and with any part of the material missing, expired or foreign.
//     Plain "go test ./..." uses it. Start with [NewVirtual] and
//     [Virtual.SignDSSE].
//   - [Stack] is the real Fulcio, Rekor v2 and timestamp authority, each a
//     process on loopback with keys of its own, and an OIDC issuer. It runs where
//     ASSAY_SERVERS names the folder of their binaries. Start with [Start], or
//     with [Main] and [Shared] to start it once for a test binary.
//
// [Virtual.Serve] has a Virtual answer over HTTP as the real servers do, so that
// one test of a signing client runs against both: it takes a *[Stack].
//
// Nothing here is safe outside of tests: keys are unprotected and certificates
// are issued to whoever asks.
package testsigstore
