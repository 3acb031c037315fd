// Package keyless signs statements without a key to keep: a certificate authority
// (Fulcio) certifies a key that lives for one call, to whoever an OIDC token says is
// signing; transparency logs (Rekor) and timestamp authorities witness it.
//
// Start with [New], which takes the services from a signing config, and a
// [TokenSource]: [Ambient] takes the identity of what the program runs in, GitHub
// Actions, GitLab CI, Buildkite, SPIFFE or Google Cloud; [BrowserToken] and
// [DeviceToken] have a person log in; [StaticToken], [FileToken] and [VariableToken]
// are for tokens that something else got. The [Signer] is an attest.Signer, and an
// attest.BatchSigner: attest.Publish, and attest.SignAll, sign all their statements
// with one certificate.
//
// # The signing config
//
// Version 0.2 is read (protobuf-specs, sigstore_trustroot.proto, SigningConfig), and
// members that are not known are refused. Of each kind of service those count that
// are valid at the time of the call, have the highest version of the API that is
// spoken (Rekor 2 and 1, Fulcio and timestamp authorities 1), and are the newest of
// their operator. Of logs and authorities the selector says how many are asked: ALL,
// ANY one, or EXACT as many as it counts. The newest come first; where one fails, the
// next is asked in its place, as long as the selector leaves one. A bundle has as many
// witnesses as the config asks for, or it is not given.
//
// # What is promised
//
// No service is built in and nothing is fetched to find one: what is contacted is
// what the signing config, the environment or the issuer names. Rekor of version 2
// gives no time, so a config that has it and no timestamp authority is refused before
// anything is signed.
//
// A token goes to Fulcio only: not over plain HTTP, not after a redirect, and not
// before it was read that it is for Fulcio's audience and has not expired. No error
// and no log line shows a token, a code or a key.
//
// What is answered is about what was asked, or refused: certificates are of the key
// that was sent, timestamps and log entries of the signature. With
// [Options.TrustedRoot], every bundle is verified by it, with all its witnesses,
// before it is given, so a log or authority that answers with what does not verify,
// because its keys were rotated or have expired, is noticed when signing.
//
// The package is apart from package attest because of its dependencies, which a
// verifier does not need. Package attest/witnessed has the signatures of a key
// witnessed in the same way.
package keyless
