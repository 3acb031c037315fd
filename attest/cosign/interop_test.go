package cosign_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	sigstorecosign "github.com/sigstore/cosign/v2/pkg/cosign"
	ociremote "github.com/sigstore/cosign/v2/pkg/oci/remote"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/cosign"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

var testResult = &assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}}

func pushed(t *testing.T, r *testregistry.Registry) name.Digest {
	t.Helper()
	img := must(random.Image(64, 1))
	ref := must(name.NewDigest(r.Ref("app@" + must(img.Digest()).String())))
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	return ref
}

func checks(t *testing.T, key crypto.PublicKey) *sigstorecosign.CheckOpts {
	t.Helper()
	sv, err := signature.LoadDefaultVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	return &sigstorecosign.CheckOpts{SigVerifier: sv, TrustedMaterial: root.TrustedMaterialCollection{}, IgnoreTlog: true, NewBundleFormat: true}
}

// What is published, cosign discovers and verifies, with referrers API and without.
func TestCosignVerifies(t *testing.T) {
	for _, o := range []testregistry.Options{{}, {NoReferrers: true}} {
		r := testregistry.InProcess(t, o)
		ref := pushed(t, r)
		for kind, key := range keys() {
			private, _, err := cosign.EncryptKey(key, []byte("pw"))
			if err != nil {
				t.Fatal(err)
			}
			signer, err := cosign.LoadSigner("cosign.key", private, []byte("pw"))
			if err != nil {
				t.Fatal(err)
			}
			ref := ref
			if kind != "P-256" {
				ref = pushed(t, r)
			}
			if _, err := attest.Publish(t.Context(), signer, ref.String(), attest.PublishOptions{}, testResult); err != nil {
				t.Fatal(err)
			}
			got, _, err := sigstorecosign.VerifyImageAttestations(t.Context(), ref, checks(t, key.Public()))
			if err != nil || len(got) != 1 {
				t.Errorf("%s, %+v: %d attestations, %v", kind, o, len(got), err)
			}
			if _, _, err := sigstorecosign.VerifyImageAttestations(t.Context(), ref, checks(t, keys()["P-256"].Public())); err == nil {
				t.Errorf("%s: verified with another key", kind)
			}
		}
	}
}

// What cosign attaches as a bundle is discovered.
func TestCosignAttaches(t *testing.T) {
	for _, o := range []testregistry.Options{{}, {NoReferrers: true}} {
		r := testregistry.InProcess(t, o)
		ref := pushed(t, r)
		digest := assay.MustDigest(ref.DigestStr())
		signer := must(attest.NewKeySigner(keys()["P-256"]))
		stmt := must(attest.NewStatement(testResult, attest.StatementOptions{}, assay.Subject{Digest: assay.DigestSet{digest}}))
		e := must(attest.Sign(t.Context(), signer, stmt))
		if err := ociremote.WriteAttestationNewBundleFormat(ref, e.Raw(), string(stmt.PredicateType())); err != nil {
			t.Fatal(err)
		}
		found := must(attest.FromRegistry(r.Ref("app"), image.Registry{}).Discover(t.Context(), digest))
		if found.Bundle.Len() != 1 || !found.Complete() {
			t.Fatalf("%+v: found %d, faults %v", o, found.Bundle.Len(), found.Faults)
		}
		for got := range found.Bundle.Envelopes() {
			if got.Digest() != e.Digest() || got.MediaType() != assay.MediaTypeSigstoreBundle {
				t.Errorf("found %s %s", got.MediaType(), got.Digest())
			}
		}
		// Beside what is attached by us, both are there.
		more := must(attest.Sign(t.Context(), must(attest.NewKeySigner(keys()["P-384"])), stmt))
		if _, err := attest.Attach(t.Context(), ref.String(), attest.AttachOptions{}, more); err != nil {
			t.Fatal(err)
		}
		if found := must(attest.FromRegistry(r.Ref("app"), image.Registry{}).Discover(t.Context(), digest)); found.Bundle.Len() != 2 {
			t.Errorf("%+v: found %d, faults %v", o, found.Bundle.Len(), found.Faults)
		}
	}
}

// A key that is not the signer's does not decrypt into one that is.
func TestWrongPasswordSignsNothing(t *testing.T) {
	private, _, err := cosign.EncryptKey(keys()["Ed25519"], []byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := cosign.LoadSigner("k", private, nil); s != nil || !errors.Is(err, assay.ErrUnchecked) || strings.Contains(err.Error(), "pw") {
		t.Errorf("signer %v, %v", s, err)
	}
}
