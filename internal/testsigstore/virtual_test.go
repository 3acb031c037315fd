package testsigstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/assaykit/assay/internal/testsigstore"
)

const payloadType = "application/vnd.in-toto+json"

// statement is the least that sigstore-go takes for an in-toto statement.
var statement = []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"image","digest":{"sha256":"` +
	strings.Repeat("ab", 32) + `"}}],"predicateType":"https://example.com/p","predicate":{}}`)

// check verifies a serialized bundle with a serialized trusted root, as a
// stranger would.
func check(trusted, bundleJSON []byte, id testsigstore.Identity, opts ...verify.VerifierOption) (*verify.VerificationResult, error) {
	tr, err := root.NewTrustedRootFromJSON(trusted)
	if err != nil {
		return nil, err
	}
	var b bundle.Bundle
	if err := b.UnmarshalJSON(bundleJSON); err != nil {
		return nil, err
	}
	v, err := verify.NewVerifier(tr, opts...)
	if err != nil {
		return nil, err
	}
	want, err := verify.NewShortCertificateIdentity(id.Issuer, "", id.SAN, "")
	if err != nil {
		return nil, err
	}
	return v.Verify(&b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithCertificateIdentity(want)))
}

var (
	logAndStamp = []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithSignedTimestamps(1)}
	logOnly     = []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithIntegratedTimestamps(1)}
	stampOnly   = []verify.VerifierOption{verify.WithSignedTimestamps(1)}
)

func TestVirtualVerifies(t *testing.T) {
	v := testsigstore.NewVirtual(t)
	person := testsigstore.Email("dev@example.com", "https://accounts.example.com")
	run := testsigstore.Workflow{}.Identity("")
	past := time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, c := range map[string]struct {
		id      testsigstore.Identity
		options testsigstore.SignOptions
		with    []verify.VerifierOption
	}{
		"email, v2 and stamp":  {person, testsigstore.SignOptions{}, logAndStamp},
		"workflow":             {run, testsigstore.SignOptions{}, logAndStamp},
		"v1 and stamp":         {run, testsigstore.SignOptions{Rekor: testsigstore.RekorV1}, logAndStamp},
		"v1 without stamp":     {run, testsigstore.SignOptions{Rekor: testsigstore.RekorV1, NoTimestamp: true}, logOnly},
		"stamp without log":    {run, testsigstore.SignOptions{NoLog: true}, stampOnly},
		"signed long ago":      {run, testsigstore.SignOptions{At: past}, logAndStamp},
		"signed long ago, v1":  {run, testsigstore.SignOptions{At: past, Rekor: testsigstore.RekorV1}, logAndStamp},
		"at the end of its 10": {run, testsigstore.SignOptions{CertificateAge: 10 * time.Minute}, logAndStamp},
	} {
		t.Run(name, func(t *testing.T) {
			b := v.SignDSSEWith(t, c.id, payloadType, statement, c.options)
			result, err := check(v.TrustedRootJSON(), b, c.id, c.with...)
			if err != nil {
				t.Fatal(err)
			}
			want := c.id.Extensions
			want.Issuer = c.id.Issuer
			if diff := cmp.Diff(want, result.Signature.Certificate.Extensions); diff != "" {
				t.Errorf("certificate extensions (-want +got):\n%s", diff)
			}
			if got := result.Statement.GetPredicateType(); got != "https://example.com/p" {
				t.Errorf("predicate type %q", got)
			}
			if at := c.options.At; !at.IsZero() && !result.VerifiedTimestamps[0].Timestamp.Equal(at) {
				t.Errorf("verified time %v, want %v", result.VerifiedTimestamps[0].Timestamp, at)
			}
		})
	}
}

func TestVirtualRefused(t *testing.T) {
	v, foreign := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	id := testsigstore.Workflow{}.Identity("")
	for name, c := range map[string]struct {
		options testsigstore.SignOptions
		with    []verify.VerifierOption
		says    string
	}{
		"expired":             {testsigstore.SignOptions{CertificateAge: 11 * time.Minute}, logAndStamp, "verify leaf certificate"},
		"expired, v1":         {testsigstore.SignOptions{CertificateAge: 11 * time.Minute, Rekor: testsigstore.RekorV1}, logOnly, "outside certificate validity"},
		"not valid yet":       {testsigstore.SignOptions{CertificateAge: -time.Minute}, logAndStamp, "verify leaf certificate"},
		"foreign CA":          {testsigstore.SignOptions{CA: foreign}, logAndStamp, "verify leaf certificate"},
		"foreign log":         {testsigstore.SignOptions{Log: foreign}, logAndStamp, "not enough verified log entries"},
		"foreign log, v1":     {testsigstore.SignOptions{Log: foreign, Rekor: testsigstore.RekorV1}, logAndStamp, "not enough verified log entries"},
		"foreign TSA":         {testsigstore.SignOptions{TSA: foreign}, logAndStamp, "threshold not met for verified signed timestamps"},
		"no log":              {testsigstore.SignOptions{NoLog: true}, logAndStamp, "not enough verified log entries"},
		"no stamp":            {testsigstore.SignOptions{NoTimestamp: true}, logAndStamp, "threshold not met for verified signed timestamps"},
		"v2 gives no time":    {testsigstore.SignOptions{NoTimestamp: true}, logOnly, "threshold not met"},
		"other logged":        {testsigstore.SignOptions{LogPayload: []byte("{}")}, logAndStamp, "verifying inclusion"},
		"other logged, v1":    {testsigstore.SignOptions{LogPayload: []byte("{}"), Rekor: testsigstore.RekorV1}, logAndStamp, "payload hash"},
		"other sig stamped":   {testsigstore.SignOptions{StampSignature: []byte("other")}, logAndStamp, "threshold not met for verified signed timestamps"},
		"other sig logged v1": {testsigstore.SignOptions{LogSignature: []byte("other"), Rekor: testsigstore.RekorV1}, logAndStamp, "signature does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			b := v.SignDSSEWith(t, id, payloadType, statement, c.options)
			_, err := check(v.TrustedRootJSON(), b, id, c.with...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		})
	}
	t.Run("foreign root", func(t *testing.T) {
		if _, err := check(foreign.TrustedRootJSON(), v.SignDSSE(t, id, payloadType, statement), id, logAndStamp...); err == nil {
			t.Error("verified with a root that does not list the signer's authorities")
		}
	})
	t.Run("other identity", func(t *testing.T) {
		other := testsigstore.Workflow{Repository: "octo-org/fork"}.Identity("")
		if _, err := check(v.TrustedRootJSON(), v.SignDSSE(t, id, payloadType, statement), other, logAndStamp...); err == nil {
			t.Error("verified as another identity")
		}
	})
}
