package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/provenance"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/vex"
)

// builderID names who built the image: this program, on the machine of whoever runs
// it. A CI has a URI of its own.
const builderID = "https://github.com/assaykit/assay/examples/quickstart"

const author = "quickstart@example.com"

// evidence is what is made about the image. Provenance, VEX and scan are nil for an image
// that this program did not build and knows nothing of.
type evidence struct {
	contents   *sbom.Contents
	sbom       *assay.SBOM
	posture    *assay.Posture
	provenance *assay.Provenance
	vex        *assay.VEX
	scan       *assay.Scan
}

func makeEvidence(ctx context.Context, s *subject, home place) (*evidence, error) {
	contents, err := sbom.Scan(ctx, s.image, sbom.Options{Digest: home.digest, Repository: home.repository})
	if err != nil {
		return nil, err
	}
	e := &evidence{contents: contents, sbom: contents.SBOM}
	if e.posture, err = posture.Assess(contents, posture.Options{}); err != nil {
		return nil, err
	}
	if s.build == nil {
		return e, nil
	}
	if e.provenance, err = provenance.FromBuildInfo(s.build, provenance.BuildOptions{BuilderID: builderID}); err != nil {
		return nil, err
	}
	if e.vex, err = aboutStandardLibrary(e.sbom, home); err != nil {
		return nil, err
	}
	e.scan, err = scan(ctx, e.sbom, time.Now())
	return e, err
}

// aboutStandardLibrary states what holds for every program of a current Go: the
// vulnerability was fixed in Go 1.22.4.
func aboutStandardLibrary(doc *assay.SBOM, home place) (*assay.VEX, error) {
	for _, c := range doc.Components {
		if !strings.HasPrefix(c.PURL.String(), "pkg:golang/stdlib@") {
			continue
		}
		product, err := vex.ImageProduct(home.digest, home.repository, vex.ComponentProduct(c))
		if err != nil {
			return nil, err
		}
		return vex.New(author, vex.Options{}).Fixed("CVE-2024-24790", product).Build()
	}
	return nil, nil
}

func (e *evidence) all() []assay.Evidence { return e.without(nil) }

// without gives all evidence but one.
func (e *evidence) without(left assay.Evidence) []assay.Evidence {
	list := []assay.Evidence{e.sbom, e.posture}
	if e.provenance != nil {
		list = append(list, e.provenance)
	}
	if e.vex != nil {
		list = append(list, e.vex)
	}
	if e.scan != nil {
		list = append(list, e.scan)
	}
	var out []assay.Evidence
	for _, x := range list {
		if x != left {
			out = append(out, x)
		}
	}
	return out
}

func (e *evidence) describe(out io.Writer) {
	fmt.Fprintf(out, "sbom        %d components, %d relations, from %d layers\n", len(e.sbom.Components), len(e.sbom.Relations), len(e.contents.Layers))
	proven := 0
	for _, f := range e.posture.Facts {
		if f.State == assay.Proven {
			proven++
		}
	}
	fmt.Fprintf(out, "posture     %d of %d attributes shown\n", proven, len(e.posture.Facts))
	if e.provenance != nil {
		fmt.Fprintf(out, "provenance  %d materials, built by %s\n", len(e.provenance.Materials), e.provenance.Builder.ID)
	}
	if e.vex != nil {
		for _, s := range e.vex.Statements {
			fmt.Fprintf(out, "vex         %s %s\n", s.Vulnerability.ID, s.Status)
		}
	}
	if e.scan != nil {
		fmt.Fprintf(out, "scan        %d findings in %d components\n", len(e.scan.Findings), e.scan.Coverage.Components)
	}
}

// keys are the signer whom the policy names, and one whom it does not.
type keys struct {
	ours, theirs *attest.KeySigner
}

func newKeys() (*keys, error) {
	var k keys
	for _, s := range []**attest.KeySigner{&k.ours, &k.theirs} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		if *s, err = attest.NewKeySigner(key); err != nil {
			return nil, err
		}
	}
	return &k, nil
}

// policy requires the kinds of evidence that were made, from our key, and, of an
// image that this program packed, that it is hardened.
func (k *keys) policy(made *evidence) (verify.Policy, error) {
	p := verify.Policy{
		Signers: []verify.SignerRule{{
			Name: "quickstart", Key: k.ours.Identity().Key,
			Builders: []string{builderID}, VEXAuthors: []string{author},
		}},
	}
	for _, e := range made.all() {
		p.Require = append(p.Require, e.Kind())
	}
	if made.provenance != nil {
		p.Stage = assay.Hardened
	}
	return p, nil
}
