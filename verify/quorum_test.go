package verify_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
)

// A policy may want several distinct signers to state a kind of evidence. One key is
// one signer, however many envelopes it makes.
func TestMinSigners(t *testing.T) {
	f := newFixture(t)
	policy := verify.Policy{
		Signers: []verify.SignerRule{
			{Name: "ci", Key: f.signer.Identity().Key, Builders: []string{builderID}},
			{Name: "audit", Key: f.stranger.Identity().Key, Kinds: []assay.Kind{assay.KindSBOM}},
		},
		MinSigners: map[assay.Kind]int{assay.KindSBOM: 2},
	}
	trust := verify.Trust{Keys: []verify.Key{{Public: f.signer.Public()}, {Public: f.stranger.Public()}}}
	ask := func(sources ...attest.Source) *verify.Report {
		t.Helper()
		v, err := verify.New(trust, policy, verify.At(at))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), f.digest, append(sources, attest.FromImage(f.image))...)
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		return r
	}
	first, again, second := f.sign(t, f.signer, f.sbom), f.sign(t, f.signer, f.sbom, assay.Subject{Name: "other name", Digest: assay.DigestSet{f.digest}}), f.sign(t, f.stranger, f.sbom)

	r := ask(attest.FromEnvelopes(first, second))
	if c := check(t, r, "signers/sbom", assay.Proven, verify.Holds); len(c.Findings) != 2 || r.Err() != nil {
		t.Errorf("%v: %v", c.Findings, r.Err())
	}
	r = ask(attest.FromEnvelopes(first, again))
	check(t, r, "signers/sbom", assay.Refuted, verify.TooFewSigners)
	if err := r.Err(); !errors.Is(err, verify.TooFewSigners) || !errors.Is(err, assay.ErrRefuted) || errors.Is(err, verify.Absent) {
		t.Error(err)
	}
	r = ask(attest.FromEnvelopes(first), failing{})
	check(t, r, "signers/sbom", assay.Unknown, verify.StoreUnreadable)
	if err := r.Err(); !errors.Is(err, verify.StoreUnreadable) || !errors.Is(err, assay.ErrUnchecked) {
		t.Error(err)
	}
	r = ask(attest.FromEnvelopes(first, assay.NewEnvelope("application/x", []byte("what?"))))
	if c, _ := r.Check("signers/sbom"); c.State == assay.Proven {
		t.Error("an envelope that is none was counted")
	}
	// The second signer may not state this kind.
	policy.MinSigners = map[assay.Kind]int{assay.KindProvenance: 2}
	r = ask(attest.FromEnvelopes(f.sign(t, f.signer, f.provenance), f.sign(t, f.stranger, f.provenance)))
	check(t, r, "signers/provenance", assay.Refuted, verify.TooFewSigners)

	for field, m := range map[string]map[assay.Kind]int{
		"/minSigners/sbom": {assay.KindSBOM: 0}, "/minSigners/opaque": {assay.KindOpaque: 1}, "/minSigners/tea": {"tea": 1},
	} {
		p := policy
		p.MinSigners = m
		if _, err := verify.New(trust, p); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// What is stored beside envelopes is told, and changes nothing.
func TestSkipped(t *testing.T) {
	f := newFixture(t)
	r := f.ask(t, f.policy(), nil, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image), beside{})
	if len(r.Skipped) != 1 || r.Skipped[0] != (verify.Skipped{Store: "store", Type: "application/x", Count: 3}) || r.Err() != nil {
		t.Errorf("%v, %v", r.Skipped, r.Err())
	}
}

// beside is a store that holds something else.
type beside struct{}

// Discover implements [attest.Source].
func (beside) Discover(_ context.Context, d assay.Digest) (*attest.Found, error) {
	return &attest.Found{Bundle: assay.NewBundle(d), Ignored: []attest.Ignored{{Store: "store", Type: "application/x", Count: 3}}}, nil
}
