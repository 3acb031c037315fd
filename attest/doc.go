// Package attest signs evidence about container images, puts it beside the image
// and finds it again.
//
// Evidence becomes an in-toto statement ([NewStatement]), a [Signer] makes it a
// signed envelope ([Sign]), and [Attach] pushes envelopes to the image's registry
// as OCI referrers. [Publish] is the three in one: every document is signed before
// the first is pushed, and what cannot be pushed whole is taken back.
//
// The other direction is a [Source]: [FromRegistry], [FromLayout], [FromGitHub],
// [FromFiles], [FromFolder] and [FromEnvelopes] read envelopes about a digest from
// where they are kept, whichever tool put them there, and [Join] reads several stores
// as one.
//
// # What is promised
//
// What a Source finds is untrusted. It is given as [assay.Envelope], which has no
// method that gives its content as evidence; package verify makes evidence of it,
// after it has proven the signature. What an envelope says of itself, to show it, is
// an [Unverified].
//
// A store that does not hold something ("absent") and a store that could not be
// read are told apart: the second is a [Fault] in [Found], with the store, the
// reference and the HTTP status. Nothing is skipped in silence.
//
// Every manifest and blob is hashed against the descriptor it was asked for by, and
// asked for once. Counts, sizes, depths and time are bounded ([Limits]). What is found
// does not depend on the order in which answers come.
//
// The same evidence, subject and key give the same bytes: statements and bundles
// are encoded in one canonical way, and ECDSA signatures of keys in memory are
// those of RFC 6979. Publishing twice changes nothing.
//
// # Where to start
//
// [Publish] to attach, [FromRegistry] to discover. Keys are signed with through
// [NewKeySigner]. Keyless signing, with certificate, transparency log and timestamp,
// is in package attest/keyless, keys in a key management service are in attest/kms,
// keys whose signatures are witnessed in attest/witnessed, and cosign's key files in
// attest/cosign, because each brings dependencies that a verifier does not need.
package attest
