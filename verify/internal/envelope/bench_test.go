package envelope_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// floor makes the raw signature checks that a bundle needs: those are what nobody can
// leave out.
func floor(t testing.TB, p256, ed int) func() {
	k := newKey(t, elliptic.P256())
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(payload)
	sig, err := ecdsa.SignASN1(rand.Reader, k, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	edSig := ed25519.Sign(priv, payload)
	return func() {
		for range p256 {
			if !ecdsa.VerifyASN1(&k.PublicKey, digest[:], sig) {
				panic("the floor does not hold")
			}
		}
		for range ed {
			if !ed25519.Verify(pub, payload, edSig) {
				panic("the floor does not hold")
			}
		}
	}
}

// turns measures functions in turn, so that what else the machine does meets all
// alike, and gives the processor time of each.
func turns(b *testing.B, fs ...func()) []float64 {
	b.Helper()
	out := make([]float64, len(fs))
	for b.Loop() {
		for i, f := range fs {
			before := cpu(b)
			for range 8 {
				f()
			}
			out[i] += cpu(b) - before
		}
	}
	return out
}

// BenchmarkOpen opens one keyless bundle; x-floor is the time of it over that of the
// raw signature checks it needs: of the payload, the certificate, and the log's
// checkpoint in both, besides of the timestamp with Rekor v2, and of the promise with
// v1. The chains above are known.
func BenchmarkOpen(b *testing.B) {
	v := testsigstore.NewVirtual(b)
	o := opener(b, envelope.Trust{TrustedRoot: v.TrustedRootJSON()})
	id := testsigstore.Workflow{}.Identity("https://token.actions.example")
	for name, tt := range map[string]struct {
		options  testsigstore.SignOptions
		p256, ed int
	}{
		"rekor-v2": {testsigstore.SignOptions{}, 3, 1},
		"rekor-v1": {testsigstore.SignOptions{Rekor: testsigstore.RekorV1, NoTimestamp: true}, 4, 0},
	} {
		b.Run(name, func(b *testing.B) {
			e := bundle(v.SignDSSEWith(b, id, assay.MediaTypeInToto, payload, tt.options))
			b.ReportAllocs()
			t := turns(b, func() {
				if _, err := o.Open(e); err != nil {
					b.Fatal(err)
				}
			}, floor(b, tt.p256, tt.ed))
			b.ReportMetric(t[0]/t[1], "x-floor")
		})
	}
}

// BenchmarkAgainstSigstore opens a set of different bundles, and has sigstore's own
// verifier verify them: x-faster and x-allocs are its time and allocations over those
// here. Both parse the bundle each time, and keep what they keep of the trusted root.
func BenchmarkAgainstSigstore(b *testing.B) {
	v := testsigstore.NewVirtual(b)
	sets := map[string][][]byte{}
	for i := range 16 {
		id := testsigstore.Email(fmt.Sprintf("dev%d@example.com", i), "https://accounts.example")
		sets["rekor-v2"] = append(sets["rekor-v2"], v.SignDSSE(b, id, assay.MediaTypeInToto, payload))
		sets["rekor-v1"] = append(sets["rekor-v1"], v.SignDSSEWith(b, id, assay.MediaTypeInToto, payload,
			testsigstore.SignOptions{Rekor: testsigstore.RekorV1, NoTimestamp: true}))
	}
	sets["mixed"] = append(slices.Clone(sets["rekor-v1"]), sets["rekor-v2"]...)
	for name, set := range sets {
		b.Run(name, func(b *testing.B) { against(b, v.TrustedRootJSON(), set) })
	}
	b.Run("public", func(b *testing.B) {
		dir := corpora(b)
		var set [][]byte
		bundles := slsaBundles(b, dir)
		for _, n := range sortedKeys(bundles) {
			set = append(set, bundles[n])
		}
		against(b, read(b, dir, "sigstore-public-good.trusted_root.json"), set[:16])
	})
}

func against(b *testing.B, trusted []byte, set [][]byte) {
	o, sigstore := opener(b, envelope.Trust{TrustedRoot: trusted}), newOracle(b, trusted, nil)
	ours := func() {
		for _, raw := range set {
			if _, err := o.Open(bundle(raw)); err != nil {
				b.Fatal(err)
			}
		}
	}
	theirs := func() {
		for _, raw := range set {
			if err := sigstore.open(raw); err != nil {
				b.Fatal(err)
			}
		}
	}
	a, c := testing.AllocsPerRun(1, ours), testing.AllocsPerRun(1, theirs)
	t := turns(b, ours, theirs)
	b.ReportMetric(t[1]/t[0], "x-faster")
	b.ReportMetric(c/a, "x-allocs")
	b.ReportMetric(a/float64(len(set)), "allocs/bundle")
}

// What is kept does not grow with the number of bundles seen.
func TestMemoryDoesNotGrow(t *testing.T) {
	v := testsigstore.NewVirtual(t)
	o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON()})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	stranger := testsigstore.NewVirtual(t)
	open := func(n int) {
		for i := range n {
			id := testsigstore.Email(fmt.Sprintf("dev%d@example.com", i), "https://accounts.example")
			if _, err := o.Open(bundle(v.SignDSSE(t, id, assay.MediaTypeInToto, payload))); err != nil {
				t.Fatal(err)
			}
			// Of an authority that is not trusted, too: whoever makes up timestamps fills
			// nothing.
			foreign := v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{TSA: stranger})
			if _, err := o.Open(bundle(foreign)); err == nil {
				t.Fatal("a foreign timestamp was accepted")
			}
		}
	}
	open(20)
	before := heap()
	open(200)
	if after := heap(); after > before+before/2+(1<<20) {
		t.Errorf("the heap grew from %d to %d bytes over 400 bundles", before, after)
	}
	runtime.KeepAlive(o)
}
