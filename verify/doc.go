// Package verify answers, for one image digest, what the evidence about it
// proves: who says so, what was refused and why, and which stage the image has
// reached. It is the only package that turns what was discovered into evidence.
//
// # Where to start
//
//	v, err := verify.New(trust, policy)
//	report, err := v.Verify(ctx, digest, attest.FromRegistry(ref, registry))
//	if !report.Verdict.Reaches(assay.Hardened) { explain(report.Missing()) }
//	for sbom := range verify.Evidence[*assay.SBOM](report) { use(sbom.Evidence()) }
//
// [Trust] says which roots and keys signatures are proven against, [Policy] who of
// the signers may state what, and what is required. Both are needed to make a
// [Verifier], and a digest is needed to call it: there is no shorter way.
//
// # What is proven
//
// Verify finds all envelopes about the digest, proves each signature, matches the
// signer with the policy and the statement's subjects with the digest, and only
// then reads the predicate. What passed is a [Verified] value, which no other
// package can make. On these it runs the joins, each a [Check] in the report:
//
//   - the SBOM against the image's bytes, scanned and hashed in one pass;
//   - the provenance against the signing certificate's CI claims, the policy's
//     builders and sources, and the SBOM;
//   - VEX documents against the image, the SBOM and each other;
//   - posture claims against the image's bytes, by running the rules again.
//
// # Three answers
//
// Every check is proven, refuted or unknown. Unknown never passes a required
// check, and is never called refuted: evidence that is not attached although every
// store was read is refuted ("absent"), evidence that is not found while a store, or
// an attestation that may be it, could not be read or checked is unknown. An error from Verify means that nothing could be
// looked at; all else is in the report, and [Report.Err] sums it up.
//
// # What is promised
//
// The report depends on the evidence, the trust, the policy and the clock, and on
// nothing else: not on order, nor on the number of workers. Witnessed times (of
// transparency logs and timestamp authorities) are the only ones that decide;
// times that a document claims are never used for a decision. Attestations that
// are refused are listed and do not count, for or against: whoever can write to a
// registry could else fail any image.
//
// # What is not promised yet
//
// Scans and remediation records are not evidence in this version, so that no image
// is called secure: the checks that need them say unknown. Signatures are proven on
// sigstore bundles v0.1 to v0.3, with a DSSE envelope of one signature, and on bare
// DSSE envelopes that a trusted key signed.
package verify
