package verify_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
)

// Who has verified an image can say so to others, who then need not have what it was
// verified by.
func ExampleReport_Summary() {
	digest, envelope, signer := exampleEvidence()
	policy := verify.Policy{
		Signers: []verify.SignerRule{{Name: "ci", Key: signer.Identity().Key, Builders: []string{"https://builder.example/v1"}}},
		Require: []assay.Kind{assay.KindProvenance},
		// Whoever wrote this has looked at the builder.
		BuildLevels:   []verify.BuildLevelRule{{Signer: "ci", Builder: "https://builder.example/v1", Level: 2}},
		MinBuildLevel: 2,
	}
	verifier, err := verify.New(verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}}, policy,
		verify.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
	if err != nil {
		log.Fatal(err)
	}
	report, err := verifier.Verify(context.Background(), digest, attest.FromEnvelopes(envelope))
	if err != nil {
		log.Fatal(err)
	}
	summary, err := report.Summary(verify.SummaryOptions{
		Verifier:    "https://verifier.example/v1",
		ResourceURI: "pkg:oci/app?repository_url=registry.example/app",
		PolicyURI:   "https://verifier.example/policies/release",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(summary.Passed, summary.Levels, summary.TimeVerified)
	fmt.Println(len(summary.Inputs), "input:", summary.Inputs[0].Digest.Has(envelope.Digest()))
	// Output:
	// true [SLSA_BUILD_LEVEL_2] 2026-01-02 03:04:05 +0000 UTC
	// 1 input: true
}

// The provenance of what is in an image comes from sources of its own, and from signers
// who need not be trusted about the image.
func ExampleComponents() {
	library, envelope, signer := exampleEvidence()
	image := assay.SumSHA256([]byte("another image's manifest"))
	inventory := &assay.SBOM{Root: assay.Component{ID: "app", Type: assay.TypeContainer, Name: "app"}, Components: []assay.Component{
		{ID: "lib", Type: assay.TypeLibrary, Name: "lib", Version: "1.0", Hashes: assay.DigestSet{library}},
		{ID: "other", Type: assay.TypeLibrary, Name: "other", Version: "2.0"},
	}}
	statement, err := attest.NewStatement(inventory, attest.StatementOptions{}, assay.Subject{Digest: assay.DigestSet{image}})
	if err != nil {
		log.Fatal(err)
	}
	sbom, err := attest.Sign(context.Background(), signer, statement)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := verify.New(
		verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}},
		verify.Policy{Signers: []verify.SignerRule{
			{Name: "ci", Key: signer.Identity().Key, Kinds: []assay.Kind{assay.KindSBOM}},
			{Name: "library", Key: signer.Identity().Key, Builders: []string{"https://builder.example/v1"}, ComponentsOnly: true},
		}},
		verify.Components(attest.FromEnvelopes(envelope)))
	if err != nil {
		log.Fatal(err)
	}
	report, err := verifier.Verify(context.Background(), image, attest.FromEnvelopes(sbom))
	if err != nil {
		log.Fatal(err)
	}
	c := report.Components
	fmt.Println(c.Verified, "of", c.Total, "verified:", c.Proven[0].Name, "by", c.Proven[0].Builder)
	// Output:
	// 1 of 2 verified: lib 1.0 by https://builder.example/v1
}

// Who hosts a repository can vouch for a commit; the statement is about the commit, and is
// given to whoever asks about what was built from it.
func ExampleRevisions() {
	const commit = "1234567890123456789012345678901234567890"
	image, _, signer := exampleEvidence()
	ctx := context.Background()
	built, err := signer.Sign(ctx, []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"`+image.Hex()+`"}}],"predicateType":"https://slsa.dev/provenance/v1",
		"predicate":{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"repository":"https://github.com/org/app"}},
			"resolvedDependencies":[{"uri":"git+https://github.com/org/app@refs/heads/main","digest":{"gitCommit":"`+commit+`"}}]},"runDetails":{"builder":{"id":"https://builder.example/v1"}}}}`))
	if err != nil {
		log.Fatal(err)
	}
	vouched, err := signer.Sign(ctx, []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"gitCommit":"`+commit+`"},"annotations":{"sourceRefs":["refs/heads/main"]}}],
		"predicateType":"https://slsa.dev/verification_summary/v1","predicate":{"verifier":{"id":"https://forge.example"},"timeVerified":"2026-01-02T03:04:05Z",
			"resourceUri":"git+https://github.com/org/app","policy":{"uri":"https://forge.example/policy"},"verificationResult":"PASSED","verifiedLevels":["SLSA_SOURCE_LEVEL_3"]}}`))
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := verify.New(
		verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}},
		verify.Policy{
			Signers:     []verify.SignerRule{{Name: "ci and forge", Key: signer.Identity().Key, Builders: []string{"https://builder.example/v1"}, Verifiers: []string{"https://forge.example"}}},
			SourceLevel: &verify.SourceLevelRule{Verifier: "https://forge.example", Min: 2, MaxAge: verify.Duration(90 * 24 * time.Hour)},
		},
		verify.Revisions(attest.FromEnvelopes(vouched)), verify.At(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		log.Fatal(err)
	}
	report, err := verifier.Verify(ctx, image, attest.FromEnvelopes(built))
	if err != nil {
		log.Fatal(err)
	}
	level := report.SourceLevels[0]
	fmt.Println(level.Repository, level.Refs, level.Level)
	// A key's signature that nobody witnessed may be of any age.
	check, _ := report.Check(verify.CheckSourceLevel)
	fmt.Println(check.State, check.Reason)
	// Output:
	// https://github.com/org/app [refs/heads/main] 3
	// unknown not-stated
}
