package witnessed_test

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
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/witnessed"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

func TestMain(m *testing.M) { testsigstore.Main(m) }

var digest = assay.MustDigest("sha256:" + strings.Repeat("a", 64))

func statements(t testing.TB, n int) []assay.Statement[assay.Evidence] {
	t.Helper()
	var out []assay.Statement[assay.Evidence]
	for i := range n {
		s, err := attest.NewStatement(&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}, PassedTests: []string{fmt.Sprint(i)}}, attest.StatementOptions{},
			assay.Subject{Digest: assay.DigestSet{digest}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func keySigner(t testing.TB, key crypto.Signer, err error) *attest.KeySigner {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.NewKeySigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Keys of all kinds are witnessed, by real servers and Rekor v1, and count for a
// verifier that wants the key to have been valid when it signed: which a witness must
// say.
func TestSign(t *testing.T) {
	virtual := testsigstore.NewVirtual(t).Serve(t)
	p256, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsa3072, err3 := rsa.GenerateKey(rand.Reader, 3072)
	_, ed, err4 := ed25519.GenerateKey(rand.Reader)
	signers := map[string]*attest.KeySigner{"P-256": keySigner(t, p256, err1), "P-384": keySigner(t, p384, err2), "RSA": keySigner(t, rsa3072, err3), "Ed25519": keySigner(t, ed, err4)}
	v1 := testsigstore.SigningConfig(t, testsigstore.Services{Logs: []testsigstore.Service{{URL: virtual.RekorV1URL}}, TSAs: []testsigstore.Service{{URL: virtual.TimestampURL}}})
	for _, tt := range []struct {
		name    string
		stack   func(testing.TB) *testsigstore.Stack
		config  []byte // the stack's if nil
		without string
	}{
		{"real servers", testsigstore.Shared, nil, "Ed25519"},
		{"Rekor v1", func(testing.TB) *testsigstore.Stack { return virtual }, v1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := tt.stack(t)
			config := tt.config
			if config == nil {
				config = stack.SigningConfigJSON()
			}
			for name, key := range signers {
				s, err := witnessed.New(key, witnessed.Options{SigningConfig: config, TrustedRoot: stack.TrustedRootJSON()})
				if name == tt.without {
					if assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), "Rekor v2") {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				envelopes, err := attest.SignAll(t.Context(), s, statements(t, 2)...)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, e := range envelopes {
					if !strings.Contains(string(e.Raw()), `"tlogEntries":[{`) || !strings.Contains(string(e.Raw()), `"rfc3161Timestamps":[{`) || !strings.Contains(string(e.Raw()), `"hint":"`+key.Hint()) {
						t.Errorf("%s: no witnesses in %s", name, e.Raw())
					}
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	signer := keySigner(t, key, err)
	for _, tt := range []struct {
		name   string
		key    witnessed.Key
		config []byte
		says   string
	}{
		{"no key", nil, testsigstore.SigningConfig(t, testsigstore.Services{}), "a key"},
		{"no witness", signer, testsigstore.SigningConfig(t, testsigstore.Services{CAs: []testsigstore.Service{{URL: "https://ca.example"}}}), "a transparency log or a timestamp authority"},
		{"no config", signer, nil, "signing config"},
	} {
		if _, err := witnessed.New(tt.key, witnessed.Options{SigningConfig: tt.config}); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.says)
		}
	}
}

// liar signs something else than it is given.
type liar struct{ *attest.KeySigner }

func (l liar) Sign(ctx context.Context, _ []byte) (assay.Envelope, error) {
	return l.KeySigner.Sign(ctx, []byte(`{}`))
}

func TestOtherSignature(t *testing.T) {
	stack := testsigstore.NewVirtual(t).Serve(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s, err := witnessed.New(liar{keySigner(t, key, err)}, witnessed.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON(), Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := attest.Sign(t.Context(), s, statements(t, 1)[0]); err == nil || e.Size() != 0 {
		t.Errorf("a signature of something else was witnessed: %s", e.Raw())
	}
}

// exampleTB is what an example is without a test.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Cleanup(func())            {}
func (exampleTB) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (exampleTB) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// A key signs, a log records it and an authority says when.
func ExampleNew() {
	stack := testsigstore.NewVirtual(exampleTB{}).Serve(exampleTB{}) // services on loopback
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	keySigner, err := attest.NewKeySigner(key)
	if err != nil {
		panic(err)
	}
	signer, err := witnessed.New(keySigner, witnessed.Options{SigningConfig: stack.SigningConfigJSON(), TrustedRoot: stack.TrustedRootJSON()})
	if err != nil {
		panic(err)
	}
	envelope, err := attest.Sign(context.Background(), signer, statements(exampleTB{}, 1)[0])
	if err != nil {
		panic(err)
	}
	v, err := verify.New(
		verify.Trust{TrustedRoot: stack.TrustedRootJSON(), Keys: []verify.Key{{Public: signer.Public()}}},
		verify.Policy{Signers: []verify.SignerRule{{Name: "release", Key: keySigner.Identity().Key}}, Require: []assay.Kind{assay.KindTestResult}})
	if err != nil {
		panic(err)
	}
	report, err := v.Verify(context.Background(), digest, attest.FromEnvelopes(envelope))
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Verdict.Policy)
	// Output: proven
}
