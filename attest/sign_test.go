package attest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
)

// batch is a signer of several at once, which counts.
type batch struct {
	attest.Signer
	calls, gives int
	err          error
}

func (b *batch) SignAll(ctx context.Context, payloads ...[]byte) ([]assay.Envelope, error) {
	b.calls++
	var out []assay.Envelope
	for _, p := range payloads[:min(b.gives, len(payloads))] {
		e, err := b.Sign(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, b.err
}

func TestSignAll(t *testing.T) {
	var stmts []assay.Statement[assay.Evidence]
	for _, name := range []string{"a", "b", "c"} {
		s, err := attest.NewStatement(testResult(name), attest.StatementOptions{}, assay.Subject{Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("a", 64))}})
		if err != nil {
			t.Fatal(err)
		}
		stmts = append(stmts, s)
	}
	signer := newSigner(t)
	one, err := attest.SignAll(t.Context(), signer, stmts...)
	if err != nil || len(one) != 3 {
		t.Fatalf("%d envelopes, %v", len(one), err)
	}
	b := &batch{Signer: signer, gives: 3}
	all, err := attest.SignAll(t.Context(), b, stmts...)
	if err != nil || b.calls != 1 {
		t.Fatalf("%d calls, %v", b.calls, err)
	}
	for i := range all {
		if all[i].Digest() != one[i].Digest() {
			t.Errorf("statement %d: one by one %s, at once %s", i, one[i].Digest(), all[i].Digest())
		}
	}
	if none, err := attest.SignAll[assay.Evidence](t.Context(), b); err != nil || none != nil || b.calls != 1 {
		t.Errorf("nothing to sign: %v, %v, %d calls", none, err, b.calls)
	}
	// Half an answer is none.
	for _, bad := range []*batch{{Signer: signer, gives: 2}, {Signer: signer, gives: 2, err: errors.New("the log went away")}} {
		if got, err := attest.SignAll(t.Context(), bad, stmts...); err == nil || got != nil {
			t.Errorf("got %d envelopes, %v", len(got), err)
		}
	}
	if _, err := attest.SignAll(t.Context(), signer, append(stmts, assay.Statement[assay.Evidence]{})...); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a statement that was not made: %v", err)
	}
	// Publish signs in one go.
	r := testregistry.InProcess(t, testregistry.Options{})
	ref, _ := pushImage(t, r)
	b.calls = 0
	if _, err := attest.Publish(t.Context(), b, ref, attest.PublishOptions{}, testResult("a"), testResult("b")); err != nil || b.calls != 1 {
		t.Errorf("%d calls, %v", b.calls, err)
	}
}
