// Quickstart shows the library's main job from end to end, with nothing but Go and
// no network: it packs a program as an image into a registry of its own, makes the
// evidence about it, signs and attaches that, finds it again, verifies it, and prints
// the report. Then it tampers with the evidence in five ways and shows each refused.
//
//	go run ./examples/quickstart            its own executable is the program
//	go run ./examples/quickstart IMAGE      a reference, oci:PATH, oci-archive:PATH or docker-archive:PATH
//
// The signing key is made on the spot and kept in memory: whoever runs this is the
// signer and the verifier. With a real key, or keyless, only signer and trust change.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	registry, closeRegistry, err := startRegistry()
	if err != nil {
		return err
	}
	defer closeRegistry()

	subject, err := theImage(ctx, args)
	if err != nil {
		return err
	}
	keys, err := newKeys()
	if err != nil {
		return err
	}

	step(out, "1. an image in a registry")
	home, err := registry.push(ctx, "app", subject.image)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n%s\n", subject.origin, home)

	step(out, "2. one pass over its layers, and the evidence about it")
	made, err := makeEvidence(ctx, subject, home)
	if err != nil {
		return err
	}
	made.describe(out)

	step(out, "3. signed and attached")
	attached, err := attest.Publish(ctx, keys.ours, home.String(), attest.PublishOptions{}, made.all()...)
	if err != nil {
		return err
	}
	for _, r := range attached.Referrers {
		fmt.Fprintf(out, "%s  %s\n", short(r.Manifest), r.PredicateType)
	}

	step(out, "4. discovered and verified")
	policy, err := keys.policy(made)
	if err != nil {
		return err
	}
	verifier, err := verify.New(verify.Trust{Keys: []verify.Key{{Public: keys.ours.Public()}}}, policy)
	if err != nil {
		return err
	}
	r, err := verifier.Verify(ctx, home.digest, attest.FromRegistry(home.repository, home.access))
	if err != nil {
		return err
	}
	if err := report.Text(out, r); err != nil {
		return err
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("the evidence that was just made does not hold: %w", err)
	}

	step(out, "5. tampered with")
	for _, t := range tamperings(subject, made, keys) {
		if err := show(ctx, out, registry, verifier, subject, t); err != nil {
			return err
		}
	}
	return nil
}

// show attaches tampered evidence to a copy of the image and prints why it is
// refused. That it is not refused is an error.
func show(ctx context.Context, out io.Writer, registry *registry, verifier *verify.Verifier, subject *subject, t tampering) error {
	place, err := registry.push(ctx, "tampered/"+t.repository, subject.image)
	if err != nil {
		return err
	}
	if err := t.attach(ctx, place); err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	r, err := verifier.Verify(ctx, place.digest, attest.FromRegistry(place.repository, place.access))
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	if r.Verdict.Policy != assay.Refuted {
		return fmt.Errorf("%s: the policy is %s, it should be refuted", t.name, r.Verdict.Policy)
	}
	fmt.Fprintf(out, "\n%s: policy %s\n", t.name, r.Verdict.Policy)
	for _, a := range r.Attestations {
		if a.State != assay.Proven {
			fmt.Fprintf(out, "  attestation %s %s: %s: %s\n", short(a.Envelope), a.State, a.Reason, a.Detail)
		}
	}
	for _, c := range r.Checks {
		if c.State == assay.Refuted && (c.Required || c.ID == verify.CheckSBOMContents) {
			fmt.Fprintf(out, "  check %s %s: %s: %s\n", c.ID, c.State, c.Reason, c.Detail)
		}
	}
	return nil
}

func step(out io.Writer, title string) { fmt.Fprintf(out, "\n== %s\n", title) }

func short(d assay.Digest) string { return d.Hex()[:12] }
