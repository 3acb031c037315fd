// Package assay is the evidence model of supply-chain evidence about container
// images: the vocabulary that every other package of this module speaks.
//
// It answers, together with its sibling packages, one question about an image
// digest, from evidence alone: is this image minimal, hardened and secure, who
// says so, and does it still hold today?
//
// # What is here
//
//   - Identifiers that have a grammar are types: [Digest], [PURL],
//     [PredicateType], [VulnID], [Platform], [Identity]. Each is parsed once,
//     into its canonical form, and compares with ==. A [DigestSet] is compared by
//     its methods.
//   - Evidence is a closed sum, [Evidence]: [*SBOM], [*Provenance], [*VEX],
//     [*Scan], [*Posture], [*Remediation], [*TestResult], [*Summary] and, for
//     predicate types that are not known, [*Opaque]. The types are neutral of
//     the document format they were read from.
//   - A [Statement] binds evidence to its subjects and keeps the exact bytes
//     that a signature covers. An [Envelope] is such a statement as it travels:
//     signed, unread and untrusted. A [Bundle] is all envelopes about one digest.
//   - [State] has three values, [Proven], [Refuted] and [Unknown]; the zero value
//     is Unknown. [Stage] is what they add up to.
//   - [Error] tells a false claim ([ErrRefuted]) from one that could not be
//     checked ([ErrUnchecked]); [KindOf] is what a caller switches on.
//
// # What is promised
//
// The package does no I/O, keeps no state and imports only the standard library
// and packageurl-go. Nothing read from a registry or a file is evidence before
// package verify has proven it: an [Envelope] has no method that gives its
// content as [Evidence]. The JSON of the evidence types is lossless and the same
// every time. It is for storing and for reports, not for signing: what is signed are
// the documents of the standards, which the sibling packages write.
//
// # Where to start
//
// Generate evidence with packages sbom, provenance, vex and attest/posture; sign
// and attach it with package attest; check it with package verify.
package assay
