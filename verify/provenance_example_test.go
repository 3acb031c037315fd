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
