package attest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
)

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSigner(t testing.TB) *attest.KeySigner {
	t.Helper()
	s, err := attest.NewKeySigner(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testResult(passed ...string) *assay.TestResult {
	return &assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}, PassedTests: passed}
}

// envelope signs a statement about a digest.
func envelope(t testing.TB, s attest.Signer, d assay.Digest, test string) assay.Envelope {
	t.Helper()
	stmt, err := attest.NewStatement(testResult(test), attest.StatementOptions{}, assay.Subject{Name: "app", Digest: assay.DigestSet{d}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := attest.Sign(t.Context(), s, stmt)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// pushImage puts a random image into a registry and gives its reference by digest.
func pushImage(t testing.TB, r *testregistry.Registry) (string, assay.Digest) {
	t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	h, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	ref := r.Ref("app@" + h.String())
	if err := remote.Write(mustRef(t, r.Ref("app:latest")), img); err != nil {
		t.Fatal(err)
	}
	return ref, assay.MustDigest(h.String())
}

// pushIndex puts an index of two platforms and a BuildKit attestation manifest into
// a registry and gives the digests of the index and of the platforms.
func pushIndex(t testing.TB, r *testregistry.Registry) (index assay.Digest, platforms []assay.Digest) {
	t.Helper()
	var idx v1.ImageIndex = empty.Index
	for _, arch := range []string{"amd64", "arm64", "unknown"} {
		img, err := random.Image(64, 1)
		if err != nil {
			t.Fatal(err)
		}
		d := v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}
		if arch == "unknown" {
			d = v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"},
				Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"}}
		} else {
			h, err := img.Digest()
			if err != nil {
				t.Fatal(err)
			}
			platforms = append(platforms, assay.MustDigest(h.String()))
		}
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: d})
	}
	h, err := idx.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(mustRef(t, r.Ref("app:multi")), idx); err != nil {
		t.Fatal(err)
	}
	return assay.MustDigest(h.String()), platforms
}

func mustRef(t testing.TB, s string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func discover(t testing.TB, src attest.Source, d assay.Digest) *attest.Found {
	t.Helper()
	f, err := src.Discover(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// digests are those of the envelopes, sorted.
func digests(b *assay.Bundle) []assay.Digest {
	var out []assay.Digest
	for e := range b.Envelopes() {
		out = append(out, e.Digest())
	}
	return out
}
