package verify_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

// BenchmarkVerifySix verifies SBOM, provenance, VEX, posture, test result and summary
// of one image, each keyless with a Rekor v2 entry and a timestamp, on one core. The
// image's bytes are not at hand. The target is 10 ms; x-floor is the time over that of
// the 24 raw signature checks.
func BenchmarkVerifySix(b *testing.B) {
	f := newFixture(b)
	sigstore := testsigstore.NewVirtual(b)
	run := testsigstore.Workflow{}
	v, err := verify.New(verify.Trust{TrustedRoot: sigstore.TrustedRootJSON()}, verify.Policy{
		Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN(), VEXAuthors: []string{vexAuthor}}},
		Require: []assay.Kind{assay.KindSBOM, assay.KindProvenance, assay.KindVEX, assay.KindPosture, assay.KindTestResult, assay.KindSummary}, ContentsUnsafe: true,
	}, verify.At(at), verify.Workers(1))
	if err != nil {
		b.Fatal(err)
	}
	signer := virtualSigner{b, sigstore, run.Identity(""), testsigstore.SignOptions{At: at}}
	var all []assay.Envelope
	for _, e := range []assay.Evidence{f.sbom, workflowProvenance(b, run), f.vex, f.posture,
		&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{{URI: "https://ci.example/tests"}}},
		&assay.Summary{Verifier: "https://verifier.example", TimeVerified: at, ResourceURI: "registry.example/app", Policy: assay.Resource{URI: "https://policy.example"},
			Passed: true, Levels: []string{"SLSA_BUILD_LEVEL_2"}, SLSAVersion: "1.2"}} {
		all = append(all, f.sign(b, signer, e))
	}
	benchmark(b, v, f.digest, 24, attest.FromEnvelopes(all...))
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Millisecond), "ms")
}

// BenchmarkVerifyThousand verifies a thousand images, each with a keyless provenance of
// its own, under one verifier: signers and roots are shared. x-floor is the time of one
// image over that of its four raw signature checks; x-scales is how many times faster
// all processors are than one.
func BenchmarkVerifyThousand(b *testing.B) {
	const images = 1000
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
	signer := virtualSigner{b, sigstore, run.Identity(""), testsigstore.SignOptions{At: at}}
	type image struct {
		digest   assay.Digest
		evidence attest.Source
	}
	var set []image
	p := workflowProvenance(b, run)
	for i := range images {
		d := assay.SumSHA256(fmt.Append(nil, i))
		set = append(set, image{d, attest.FromEnvelopes(f.sign(b, signer, p, assay.Subject{Name: "app", Digest: assay.DigestSet{d}}))})
	}
	all := func(workers int) time.Duration {
		var next atomic.Int64
		done := make(chan error, workers)
		start := time.Now()
		for range workers {
			go func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= images {
						done <- nil
						return
					}
					r, err := v.Verify(context.Background(), set[i].digest, set[i].evidence)
					if err == nil {
						err = r.Err()
					}
					if err != nil {
						done <- err
						return
					}
				}
			}()
		}
		for range workers {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	var raw, one, many time.Duration
	for b.Loop() {
		raw += rawCheck(b) * 4 // in turn with what is measured, for a machine that is shared
		one += all(1)
		many += all(runtime.GOMAXPROCS(0))
	}
	b.ReportMetric(float64(one)/images/float64(raw), "x-floor")
	b.ReportMetric(float64(one)/float64(many), "x-scales")
}
