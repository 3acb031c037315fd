// Package keyless signs statements without a key to keep: a certificate authority
// (Fulcio) certifies a key that lives for one signature, to whoever an OIDC token
// says is signing; a transparency log (Rekor) and timestamp authorities witness it.
//
// Start with [New], which takes the services from a signing config, and a
// [TokenSource]: [GitHubToken] in GitHub Actions, [StaticToken] where something else
// has the token. The [Signer] is an attest.Signer.
//
// # What is promised
//
// No service is built in and nothing is fetched to find one: what is contacted is
// what the signing config names. Rekor of version 2 and 1 are supported; version 2
// gives no time, so a config that has it and no timestamp authority is refused
// before anything is signed.
//
// With [Options.TrustedRoot], every bundle is verified by it before it is given, so
// a log or authority that answers with what does not verify is noticed when signing.
//
// The package is apart from package attest because of its dependencies, which a
// verifier does not need.
package keyless
