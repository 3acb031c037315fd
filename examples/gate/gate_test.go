package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify"
)

type signer struct {
	t  *testing.T
	v  *testsigstore.Virtual
	id testsigstore.Identity
}

func (s signer) Sign(_ context.Context, payload []byte) (assay.Envelope, error) {
	return assay.NewEnvelope(assay.MediaTypeSigstoreBundle, s.v.SignDSSE(s.t, s.id, assay.MediaTypeInToto, payload)), nil
}

func TestGate(t *testing.T) {
	ctx := context.Background()
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "app", Mode: 0o755, Body: "program"}}})
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.Push(t, home.Ref("app:v1"), img)
	sigstore := testsigstore.NewVirtual(t)
	ci := testsigstore.Email("ci@example.com", "https://issuer.example")
	policy, err := json.Marshal(verify.Policy{Schema: verify.PolicySchema,
		Signers: []verify.SignerRule{{Name: "ci", Issuer: ci.Issuer, Subject: ci.SAN}},
		Require: []assay.Kind{assay.KindSBOM}})
	if err != nil {
		t.Fatal(err)
	}

	open := func() error {
		return gate(ctx, ref.Context().Name(), img.ID(), sigstore.TrustedRootJSON(), policy)
	}
	if err := open(); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("nothing is attached: got %v", err)
	}
	contents, err := sbom.Scan(ctx, img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	publish := func(id testsigstore.Identity) {
		t.Helper()
		if _, err := attest.Publish(ctx, signer{t, sigstore, id}, ref.String(), attest.PublishOptions{}, contents.SBOM); err != nil {
			t.Fatal(err)
		}
	}
	publish(testsigstore.Email("else@example.com", "https://issuer.example"))
	if err := open(); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("somebody else signed: got %v", err)
	}
	publish(ci)
	if err := open(); err != nil {
		t.Errorf("got %v", err)
	}
}

// The README shows this program's core. It must be what is compiled and tested here.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(readme), "```go\n")
	block, _, closed := strings.Cut(block, "```")
	if !ok || !closed || !strings.Contains(string(source), block) {
		t.Errorf("the README's first Go block is not in main.go:\n%s", block)
	}
}
