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
// # Provenance
//
// These checks are about how the image was built. Each names in the report what it
// found, and is required where the policy asks for it:
//
//	provenance/builder     a signer may speak for the builder it names      SignerRule.Builders
//	provenance/signer      every claim of the certificate is what the       always
//	                       provenance says, for each CI (provenance.Agree)
//	provenance/source      built from a repository and ref that are named,  Sources, RefPattern
//	                       by more than the provenance's own word
//	provenance/level       the level of SLSA's build track, from signer     MinBuildLevel,
//	                       and builder alone, with reasons                  BuildLevels
//	provenance/reproduced  builders of independent operators made it from   MinBuilders,
//	                       one commit                                       SignerRule.Operator
//	provenance/source-     who controls the source vouches for the commit   SourceLevel,
//	level                  that was built (Revisions)                       SignerRule.Verifiers
//	provenance/parameters  build type and external parameters, exactly,     BuildTypes,
//	                       and no others                                    Parameters
//	provenance/run         signed in the CI's run, and at the commit, that  SameRun
//	                       provenance is of
//	provenance/nested      BuildKit's unsigned provenance names the commit  Nested
//	                       that the signed one names
//	provenance/sbom        materials and inventory are of the same          always
//	                       versions and digests, of every ecosystem
//	provenance/base        the lowest layers are those of a base image      Bases
//	provenance/components  components come from verified source             MinComponents
//
// What contradicts is refuted and fails every policy; what one side merely lacks is
// listed. Base images are read from the sources that have images ([ImageSource]), and those
// that are named by the digest of an index from the sources that have indexes
// ([IndexSource]).
//
// [Report.Summary] makes a verification summary of a report, and [Policy.Summaries] takes
// those of others for evidence that is not there (summary/vouched).
//
// # Vulnerabilities
//
// These checks are about what scanners found, and what became of it:
//
//	scan/fresh             scanned lately, by a database of late          ScanWithin,
//	                                                                      DatabaseWithin
//	scan/coverage          the scan asked about every component of the    ScanExempt
//	                       inventory
//	scan/findings          VEX closes only what the image, its inventory  always
//	                       and other VEX do not contradict
//	remediation/sla        what is open is inside its deadline, and what  SLA
//	                       a remediation record says was
//
// Of each scanner the newest scan that is fresh counts. When it ran, and the age of its
// database, are its signer's word; who may state scans is believed in that.
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
// times that a document claims are never used for a decision, but those of scans and of
// remediation, for which there is no other source. Attestations that
// are refused are listed and do not count, for or against: whoever can write to a
// registry could else fail any image.
//
// # Signatures
//
// Proven are signatures in sigstore bundles v0.1 to v0.3; in bare DSSE envelopes, by
// keys, as many of them as a rule asks for ([SignerRule.Threshold]); and in the ".sig"
// and ".att" layers of cosign before version 3, with what is in their annotations.
// Logs are Rekor v1 (promises, proofs and checkpoints; entries hashedrekord, dsse and
// intoto) and v2. A signature on the digest itself, as "cosign sign" makes it, states
// nothing: it is in [Report.Signatures] and no evidence of anything else. For single
// files see [SignatureVerifier].
package verify
