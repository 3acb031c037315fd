package kms_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/signature"
	sigkms "github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/kms/fake" // a provider, as a program links one

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/kms"
	"github.com/assaykit/assay/verify"
)

var digest = assay.MustDigest("sha256:" + strings.Repeat("a", 64))

func sign(ctx context.Context, s attest.Signer) (assay.Envelope, error) {
	stmt, err := attest.NewStatement(&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}}, attest.StatementOptions{}, assay.Subject{Digest: assay.DigestSet{digest}})
	if err != nil {
		return assay.Envelope{}, err
	}
	return attest.Sign(ctx, s, stmt)
}

// proven verifies as a gate does, with the key that the service gives.
func proven(ctx context.Context, pub crypto.PublicKey, e assay.Envelope) (bool, error) {
	id, err := attest.KeyID(pub)
	if err != nil {
		return false, err
	}
	v, err := verify.New(verify.Trust{Keys: []verify.Key{{Public: pub}}}, verify.Policy{
		Signers: []verify.SignerRule{{Name: "kms", Key: id}}, Require: []assay.Kind{assay.KindTestResult}})
	if err != nil {
		return false, err
	}
	report, err := v.Verify(ctx, digest, attest.FromEnvelopes(e))
	if err != nil {
		return false, err
	}
	return report.Err() == nil, nil
}

func keys(t testing.TB) map[string]crypto.PrivateKey {
	t.Helper()
	p256, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, err3 := ed25519.GenerateKey(rand.Reader)
	rsa2048, err4 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.PrivateKey{"P-256": p256, "P-384": p384, "Ed25519": ed, "RSA": rsa2048}
}

// Keys that sigstore's own provider holds sign through its interface, found by their
// reference or given, and verify signs of them.
func TestKeys(t *testing.T) {
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			ctx := context.WithValue(t.Context(), fake.KmsCtxKey{}, key)
			opened, err := kms.Open(ctx, fake.ReferenceScheme+"key")
			if err != nil {
				t.Fatal(err)
			}
			held, err := sigkms.Get(ctx, fake.ReferenceScheme+"key", crypto.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			given, err := kms.New(ctx, held, attest.WithHint("kms key"))
			if err != nil || given.Hint() != "kms key" {
				t.Fatalf("%+v, %v", given, err)
			}
			pub, err := kms.PublicKey(ctx, held)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []*attest.KeySigner{opened, given} {
				e, err := sign(ctx, s)
				if err != nil {
					t.Fatal(err)
				}
				if ok, err := proven(ctx, pub, e); err != nil || !ok {
					t.Errorf("verified %v, %v", ok, err)
				}
			}
		})
	}
}

// service is a key whose service does as it likes.
type service struct {
	public func() (crypto.PublicKey, error)
	sign   func(message []byte) ([]byte, error)
	seen   context.Context
}

func (s *service) PublicKey(opts ...signature.PublicKeyOption) (crypto.PublicKey, error) {
	for _, o := range opts {
		o.ApplyContext(&s.seen)
	}
	return s.public()
}

func (s *service) SignMessage(m io.Reader, opts ...signature.SignOption) ([]byte, error) {
	for _, o := range opts {
		o.ApplyContext(&s.seen)
	}
	b, err := io.ReadAll(m)
	if err != nil {
		return nil, err
	}
	return s.sign(b)
}

func TestServiceMisbehaves(t *testing.T) {
	all := keys(t)
	own, other := all["RSA"].(*rsa.PrivateKey), all["P-256"].(*ecdsa.PrivateKey)
	another, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(s signature.Signer, err error) func([]byte) ([]byte, error) {
		if err != nil {
			t.Fatal(err)
		}
		return func(m []byte) ([]byte, error) { return s.SignMessage(strings.NewReader(string(m))) }
	}
	tests := []struct {
		name string
		sign func([]byte) ([]byte, error)
		kind error
		says string
	}{
		{"throttled", func([]byte) ([]byte, error) { return nil, errors.New("quota") }, assay.ErrUnchecked, "quota"},
		{"the key was replaced", with(signature.LoadRSAPKCS1v15Signer(another, crypto.SHA256)), assay.ErrRefuted, "a signature of this key"},
		{"by one of another kind", with(signature.LoadECDSASigner(other, crypto.SHA256)), assay.ErrRefuted, "a signature of this key"},
		{"another scheme", with(signature.LoadRSAPSSSigner(own, crypto.SHA256, nil)), assay.ErrRefuted, "PKCS #1 v1.5"},
		{"nothing", func([]byte) ([]byte, error) { return nil, nil }, assay.ErrRefuted, "a signature of this key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &service{public: func() (crypto.PublicKey, error) { return own.Public(), nil }, sign: tt.sign}
			signer, err := kms.New(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			type mark struct{}
			ctx := context.WithValue(t.Context(), mark{}, true)
			if _, err := sign(ctx, signer); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v that says %s", err, tt.kind, tt.says)
			}
			if s.seen == nil || s.seen.Value(mark{}) != true {
				t.Error("the context of the call did not reach the service")
			}
		})
	}
	for name, s := range map[string]*service{
		"no answer": {public: func() (crypto.PublicKey, error) { return nil, errors.New("down") }},
		"no key":    {public: func() (crypto.PublicKey, error) { return nil, nil }},
	} {
		if _, err := kms.New(t.Context(), s); assay.KindOf(err) != assay.ErrUnchecked {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := kms.New(t.Context(), nil); assay.KindOf(err) != assay.ErrInvalid {
		t.Errorf("nil: %v", err)
	}
	// A scheme that nobody linked is not looked for among programs.
	if _, err := kms.Open(t.Context(), "awskms:///key"); assay.KindOf(err) != assay.ErrAbsent || !strings.Contains(err.Error(), fake.ReferenceScheme) {
		t.Errorf("not linked: %v", err)
	}
}

// The program imports the provider that it uses; here it is sigstore's fake one.
func Example() {
	ctx := context.Background()
	signer, err := kms.Open(ctx, "fakekms://signing-key")
	if err != nil {
		panic(err)
	}
	envelope, err := sign(ctx, signer)
	if err != nil {
		panic(err)
	}
	fmt.Println(envelope.MediaType())
	// The verifier trusts the service's public key.
	_ = verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}}
	// Output: application/vnd.dev.sigstore.bundle.v0.3+json
}

// A key that a provider of sigstore's gives, here one in memory, signs like any other.
func ExampleNew() {
	ctx := context.Background()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	held, err := signature.LoadSigner(key, crypto.SHA256)
	if err != nil {
		panic(err)
	}
	signer, err := kms.New(ctx, held)
	if err != nil {
		panic(err)
	}
	envelope, err := sign(ctx, signer)
	if err != nil {
		panic(err)
	}
	public, err := kms.PublicKey(ctx, held)
	if err != nil {
		panic(err)
	}
	fmt.Println(proven(ctx, public, envelope))
	// Output:
	// true <nil>
}
