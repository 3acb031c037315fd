// Gate is the least that stands between an image and a cluster: it lets an image
// pass that a policy accepts, and says why it does not let another.
//
//	go run ./examples/gate REPOSITORY@DIGEST TRUSTED_ROOT.json POLICY.json
//
// It exits with 0 only if every check that the policy requires is proven.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
)

func gate(ctx context.Context, repository string, digest assay.Digest, trustedRoot, policy []byte) error {
	p, err := verify.ParsePolicy("policy.json", policy)
	if err != nil {
		return err
	}
	v, err := verify.New(verify.Trust{TrustedRoot: trustedRoot}, p)
	if err != nil {
		return err
	}
	report, err := v.Verify(ctx, digest, attest.FromRegistry(repository, image.Registry{}))
	if err != nil {
		return err // nothing could be looked at
	}
	for doc := range verify.Evidence[*assay.SBOM](report) { // only what was verified
		fmt.Println(len(doc.Evidence().Components), "components, signed by", doc.Signer())
	}
	fmt.Println("stage:", report.Verdict.Stage)
	return report.Err() // nil only if every required check is proven
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("want REPOSITORY@DIGEST TRUSTED_ROOT.json POLICY.json")
	}
	repository, after, _ := strings.Cut(args[0], "@")
	digest, err := assay.ParseDigest(after)
	if err != nil {
		return err
	}
	root, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	policy, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	return gate(ctx, repository, digest, root, policy)
}
