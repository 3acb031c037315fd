package attest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

func ecKey(t testing.TB, c elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func edKey(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// opaqueKey hides which key it is, as one in hardware does.
type opaqueKey struct{ crypto.Signer }

// What each kind of key signs, sigstore-go's verifier accepts with that key, and
// with no other.
func TestKeySigner(t *testing.T) {
	tests := []struct {
		name string
		key  crypto.Signer
		// same is whether signing twice gives the same bytes.
		same bool
	}{
		{"ECDSA P-256", ecKey(t, elliptic.P256()), true},
		{"ECDSA P-384", ecKey(t, elliptic.P384()), true},
		{"Ed25519", edKey(t), true},
		{"RSA 2048", rsaKey(t, 2048), true},
		{"RSA 3072", rsaKey(t, 3072), true},
		{"in hardware", opaqueKey{ecKey(t, elliptic.P384())}, false},
	}
	digest := assay.MustDigest("sha256:" + strings.Repeat("aa", 32))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := attest.NewKeySigner(tt.key)
			if err != nil {
				t.Fatal(err)
			}
			e := envelope(t, s, digest, "a")
			if again := envelope(t, s, digest, "a"); (e.Digest() == again.Digest()) != tt.same {
				t.Errorf("signed twice: the same is %t, want %t", !tt.same, tt.same)
			}
			if err := verifyWith(t, e, s.Hint(), tt.key.Public(), digest); err != nil {
				t.Error(err)
			}
			var b bundle.Bundle
			if err := b.UnmarshalJSON(e.Raw()); err != nil {
				t.Fatal(err)
			}
			if hint := b.GetVerificationMaterial().GetPublicKey().GetHint(); hint != s.Hint() {
				t.Errorf("hint %q, want %q", hint, s.Hint())
			}
			other := ecKey(t, elliptic.P256())
			if verifyWith(t, e, s.Hint(), other.Public(), digest) == nil {
				t.Error("verified with another key")
			}
			raw := strings.Replace(string(e.Raw()), `"payload":"ey`, `"payload":"eY`, 1)
			if verifyWith(t, assay.NewEnvelope(e.MediaType(), []byte(raw)), s.Hint(), tt.key.Public(), digest) == nil {
				t.Error("verified a changed payload")
			}
		})
	}
}

// verifyWith is the independent oracle.
func verifyWith(t testing.TB, e assay.Envelope, hint string, key crypto.PublicKey, digest assay.Digest) error {
	t.Helper()
	var b bundle.Bundle
	if err := b.UnmarshalJSON(e.Raw()); err != nil {
		t.Fatal(err)
	}
	sv, err := signature.LoadDefaultVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	trusted := root.NewTrustedPublicKeyMaterialFromMapping(map[string]*root.ExpiringKey{
		hint: root.NewExpiringKey(sv, time.Time{}, time.Time{}),
	})
	v, err := verify.NewVerifier(trusted, verify.WithNoObserverTimestamps())
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = 0xaa
	}
	_, err = v.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest(string(digest.Algorithm()), raw), verify.WithKey()))
	return err
}

func TestKeySignerRefuses(t *testing.T) {
	weak := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: rsaKey(t, 2048).Public().(*rsa.PublicKey).N, E: 65537}}
	weak.N = weak.N.Rsh(weak.N, 1024)
	tests := []struct {
		name string
		key  crypto.Signer
		says string
	}{
		{"none", nil, "a private key"},
		{"P-521", ecKey(t, elliptic.P521()), "P-521"},
		{"P-224", ecKey(t, elliptic.P224()), "P-224"},
		{"RSA 1024", weak, "RSA of 1024 bits"},
		{"RSA odd", rsaKey(t, 2056), "RSA of 2056 bits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := attest.NewKeySigner(tt.key); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := attest.NewKeySigner(newKey(t), attest.WithHint("")); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("empty hint: %v", err)
	}
	s, err := attest.NewKeySigner(newKey(t), attest.WithHint("mine"))
	if err != nil || s.Hint() != "mine" {
		t.Errorf("hint: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Sign(ctx, []byte("{}")); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := attest.Sign(t.Context(), s, assay.Statement[*assay.SBOM]{}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("zero statement: %v", err)
	}
}

// The vectors of the DSSE specification, protocol.md.
func TestPAE(t *testing.T) {
	if got, want := string(attest.PAE("http://example.com/HelloWorld", []byte("hello world"))), "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := string(attest.PAE("", nil)), "DSSEv1 0  0 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := string(attest.PAE("é", []byte("☃"))), "DSSEv1 2 é 3 ☃"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkKeySign(b *testing.B) {
	key := ecKey(b, elliptic.P256()).(*ecdsa.PrivateKey)
	s, err := attest.NewKeySigner(key)
	if err != nil {
		b.Fatal(err)
	}
	payload := []byte(`{"x":"` + strings.Repeat("a", 1<<20) + `"}`)
	start := time.Now()
	const floors = 20
	for range floors {
		h := crypto.SHA256.New()
		h.Write(payload)
		if _, err := key.Sign(nil, h.Sum(nil), crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
	floor := float64(time.Since(start)) / floors
	for b.Loop() {
		if _, err := s.Sign(b.Context(), payload); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/floor, "x-floor")
}
