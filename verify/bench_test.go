package verify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

// rawCheck is the time of one P-256 signature check, measured here and now: the
// floor that each figure below is a multiple of.
func rawCheck(b *testing.B) time.Duration {
	b.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256([]byte("message"))
	sig, err := ecdsa.SignASN1(rand.Reader, k, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	const rounds = 200
	start := time.Now()
	for range rounds {
		if !ecdsa.VerifyASN1(&k.PublicKey, sum[:], sig) {
			b.Fatal("does not verify")
		}
	}
	return time.Since(start) / rounds
}

func benchmark(b *testing.B, v *verify.Verifier, digest assay.Digest, checks int, sources ...attest.Source) {
	raw := rawCheck(b) * time.Duration(checks)
	b.ReportAllocs()
	for b.Loop() {
		r, err := v.Verify(context.Background(), digest, sources...)
		if err != nil || r.Err() != nil {
			b.Fatal(err, r.Err())
		}
	}
	per := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(per)/float64(raw), "x-floor")
}

// BenchmarkVerifyKeys verifies SBOM, provenance, VEX and posture signed with a key:
// four signature checks. The image's bytes are not at hand, so what is beside the
// signatures is reading the documents and the joins.
func BenchmarkVerifyKeys(b *testing.B) {
	f := newFixture(b)
	p := f.policy()
	p.ContentsUnsafe = true
	v, err := verify.New(f.trust(), p, verify.At(at), verify.Workers(1))
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, v, f.digest, 4, attest.FromEnvelopes(f.genuine(b)...))
}

// BenchmarkVerifyKeyless verifies one provenance with a certificate, a Rekor v2 entry
// and a timestamp. It takes four signature checks: of the payload, the certificate,
// the log's checkpoint and the timestamp. The chains above are verified once.
func BenchmarkVerifyKeyless(b *testing.B) {
	f := newFixture(b)
	sigstore := testsigstore.NewVirtual(b)
	run := testsigstore.Workflow{}
	v, err := verify.New(verify.Trust{TrustedRoot: sigstore.TrustedRootJSON()}, verify.Policy{
		Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}},
		Require: []assay.Kind{assay.KindProvenance},
	}, verify.At(at), verify.Workers(1))
	if err != nil {
		b.Fatal(err)
	}
	e := f.sign(b, virtualSigner{b, sigstore, run.Identity(""), testsigstore.SignOptions{At: at}}, workflowProvenance(b, run))
	benchmark(b, v, f.digest, 4, attest.FromEnvelopes(e))
}

// BenchmarkVerifyContents is BenchmarkVerifyKeys with the image's bytes hashed and
// scanned, and the SBOM and posture held against them.
func BenchmarkVerifyContents(b *testing.B) {
	f := newFixture(b)
	v, err := verify.New(f.trust(), f.policy(), verify.At(at), verify.Workers(1))
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, v, f.digest, 4, attest.FromEnvelopes(f.genuine(b)...), attest.FromImage(f.image))
}
