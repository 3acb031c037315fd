package verify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

// simpleSigning is what "cosign sign" signs of an image.
func simpleSigning(digest assay.Digest) string {
	return `{"critical":{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":"` + digest.String() +
		`"},"type":"cosign container image signature"},"optional":{"a":"b"}}`
}

// cosignLayer is a layer of cosign's ".sig" tag, signed by a key.
func cosignLayer(t testing.TB, k *ecdsa.PrivateKey, payload string) assay.Envelope {
	t.Helper()
	sum := sha256.Sum256([]byte(payload))
	sig, err := ecdsa.SignASN1(rand.Reader, k, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, []byte(payload), map[string]string{
		assay.AnnotationSignature: base64.StdEncoding.EncodeToString(sig)})
}

func ecKey(t testing.TB) (*ecdsa.PrivateKey, assay.Digest) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := attest.KeyID(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k, id
}

// A signature on the digest is proven to be that, and nothing more: it is no evidence
// of any other kind, and one on another digest is none of this image.
func TestImageSignatures(t *testing.T) {
	f := newFixture(t)
	k, id := ecKey(t)
	other := assay.SumSHA256([]byte("other"))
	trust := verify.Trust{Keys: []verify.Key{{Public: k.Public()}}}
	ask := func(t *testing.T, e assay.Envelope, kinds, require []assay.Kind) *verify.Report {
		t.Helper()
		v, err := verify.New(trust, verify.Policy{Signers: []verify.SignerRule{{Name: "release", Key: id, Kinds: kinds}}, Require: require}, verify.At(at))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), f.digest, attest.FromEnvelopes(e))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	signature := []assay.Kind{assay.KindSignature}
	statement := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"registry.example/app","digest":{"sha256":"` + f.digest.Hex() +
		`"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}`
	signer, err := attest.NewKeySigner(k)
	if err != nil {
		t.Fatal(err)
	}
	v3, err := signer.Sign(context.Background(), []byte(statement))
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]assay.Envelope{"a .sig layer": cosignLayer(t, k, simpleSigning(f.digest)), "cosign 3": v3} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, e, nil, signature)
			check(t, r, "evidence/signature", assay.Proven, verify.Holds)
			if r.Err() != nil {
				t.Error(r.Err())
			}
			got := slices.Collect(r.Signatures())
			if len(got) != 1 || *got[0].Signature != (verify.ImageSignature{Digest: f.digest, Reference: "registry.example/app"}) || got[0].Kind != assay.KindSignature {
				t.Errorf("got %+v", got)
			}
			if r := ask(t, e, nil, nil); r.Err() != nil {
				t.Errorf("a policy that asks for any attestation: %v", r.Err())
			}
			for range verify.Evidence[*assay.SBOM](r) {
				t.Error("a signature is evidence")
			}
			if r := ask(t, e, []assay.Kind{assay.KindSBOM}, nil); r.Attestations[0].Reason != verify.SignerNotAllowed || r.Err() == nil {
				t.Errorf("by whom may not sign: %+v", r.Attestations[0])
			}
			if r := ask(t, e, nil, []assay.Kind{assay.KindSBOM}); r.Err() == nil {
				t.Error("a signature passed for an SBOM")
			}
		})
	}
	for name, tt := range map[string]struct {
		payload string
		reason  verify.Reason
	}{
		"another digest":   {simpleSigning(other), verify.SubjectMismatch},
		"another type":     {`{"critical":{"identity":{},"image":{"docker-manifest-digest":"` + f.digest.String() + `"},"type":"atomic container signature"}}`, verify.StatementMalformed},
		"no digest":        {`{"critical":{"type":"cosign container image signature"}}`, verify.StatementMalformed},
		"a digest twice":   {`{"critical":{},"critical":{}}`, verify.StatementMalformed},
		"no JSON":          {`x`, verify.StatementMalformed},
		"a weak algorithm": {`{"critical":{"image":{"docker-manifest-digest":"md5:00"},"type":"cosign container image signature"}}`, verify.StatementMalformed},
	} {
		r := ask(t, cosignLayer(t, k, tt.payload), nil, signature)
		if a := r.Attestations[0]; a.Reason != tt.reason || a.State == assay.Proven || r.Err() == nil {
			t.Errorf("%s: got %s, %s: %s", name, a.State, a.Reason, a.Detail)
		}
	}
}

func FuzzSimpleSigning(f *testing.F) {
	k, id := ecKey(f)
	v, err := verify.NewSignatureVerifier(verify.Trust{Keys: []verify.Key{{Public: k.Public()}}}, verify.SignerRule{Name: "k", Key: id})
	if err != nil {
		f.Fatal(err)
	}
	digest := assay.SumSHA256(nil)
	f.Add(simpleSigning(digest))
	f.Add(`{"critical":{"image":{"docker-manifest-digest":""}}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		s, err := v.Verify(cosignLayer(t, k, payload), digest)
		if err == nil && !s.Subject.Digest.Has(digest) {
			t.Errorf("got %+v", s)
		}
	})
}

// A rule with several keys is met by as many distinct ones as it asks for, on the same
// envelope.
func TestThreshold(t *testing.T) {
	f := newFixture(t)
	a, idA := ecKey(t)
	b, idB := ecKey(t)
	stranger, _ := ecKey(t)
	stmt, err := attest.NewStatement(f.sbom, attest.StatementOptions{}, f.subject())
	if err != nil {
		t.Fatal(err)
	}
	envelope := func(keys ...*ecdsa.PrivateKey) assay.Envelope {
		var sigs []any
		for _, k := range keys {
			signer, err := attest.NewKeySigner(k)
			if err != nil {
				t.Fatal(err)
			}
			e, err := signer.Sign(context.Background(), stmt.Payload())
			if err != nil {
				t.Fatal(err)
			}
			var in struct {
				E struct {
					Signatures []any `json:"signatures"`
				} `json:"dsseEnvelope"`
			}
			if err := json.Unmarshal(e.Raw(), &in); err != nil {
				t.Fatal(err)
			}
			sigs = append(sigs, in.E.Signatures...)
		}
		raw, err := json.Marshal(map[string]any{"payload": stmt.Payload(), "payloadType": assay.MediaTypeInToto, "signatures": sigs})
		if err != nil {
			t.Fatal(err)
		}
		return assay.NewEnvelope(assay.MediaTypeDSSE, raw)
	}
	trust := verify.Trust{Keys: []verify.Key{{Public: a.Public()}, {Public: b.Public()}}}
	both := []assay.Digest{idA, idB}
	for name, tt := range map[string]struct {
		rule      verify.SignerRule
		keys      []*ecdsa.PrivateKey
		want      bool
		cosigners int
	}{
		"two of two":             {verify.SignerRule{Keys: both, Threshold: 2}, []*ecdsa.PrivateKey{a, b}, true, 1},
		"two of two, one twice":  {verify.SignerRule{Keys: both, Threshold: 2}, []*ecdsa.PrivateKey{a, a}, false, 0},
		"two of two, a stranger": {verify.SignerRule{Keys: both, Threshold: 2}, []*ecdsa.PrivateKey{a, stranger}, false, 0},
		"one of two":             {verify.SignerRule{Keys: both}, []*ecdsa.PrivateKey{b}, true, 0},
		"this one of both":       {verify.SignerRule{Key: idB}, []*ecdsa.PrivateKey{a, b}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			tt.rule.Name = "release"
			v, err := verify.New(trust, verify.Policy{Signers: []verify.SignerRule{tt.rule}, Require: []assay.Kind{assay.KindSBOM}}, verify.At(at))
			if err != nil {
				t.Fatal(err)
			}
			r, err := v.Verify(context.Background(), f.digest, attest.FromEnvelopes(envelope(tt.keys...)))
			if err != nil {
				t.Fatal(err)
			}
			got := r.Attestations[0]
			if (got.State == assay.Proven) != tt.want || !tt.want && got.Reason != verify.SignerNotAllowed {
				t.Errorf("got %s, %s: %s", got.State, got.Reason, got.Detail)
			}
			if tt.want && (len(got.Cosigners) != tt.cosigners || tt.rule.Key == idB && got.Signer.Key != idB) {
				t.Errorf("signed by %v with %v", got.Signer, got.Cosigners)
			}
		})
	}
	for name, rule := range map[string]verify.SignerRule{
		"more than there are":  {Keys: both, Threshold: 3},
		"less than none":       {Keys: both, Threshold: -1},
		"a key twice":          {Keys: []assay.Digest{idA, idA}, Threshold: 2},
		"keys and one":         {Key: idA, Keys: both},
		"keys and a subject":   {Keys: both, Issuer: "a", Subject: "b"},
		"without keys":         {Issuer: "a", Subject: "b", Threshold: 1},
		"an unknown name kind": {Issuer: "a", Subject: "b", SubjectKind: "dns"},
		"a claim and pattern":  {Issuer: "a", Subject: "b", Claims: assay.Claims{BuildTrigger: "push"}, ClaimPatterns: assay.Claims{BuildTrigger: "p.*"}},
		"a pattern of nothing": {Issuer: "a", Subject: "b", ClaimPatterns: assay.Claims{BuildTrigger: ".*"}},
		"a pattern that is no": {Issuer: "a", Subject: "b", ClaimPatterns: assay.Claims{BuildTrigger: "("}},
	} {
		rule.Name = "r"
		if _, err := verify.New(trust, verify.Policy{Signers: []verify.SignerRule{rule}}); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Claims are matched by patterns as by values: all of them, and all of each.
func TestClaimPatterns(t *testing.T) {
	v := testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	content := []byte("content")
	stmt := []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + assay.SumSHA256(content).Hex() + `"}}],"predicateType":"https://example.com/p","predicate":{}}`)
	e := assay.NewEnvelope(assay.MediaTypeSigstoreBundle, v.SignDSSE(t, run.Identity(""), assay.MediaTypeInToto, stmt))
	ext := run.Identity("").Extensions
	for name, tt := range map[string]struct {
		change func(*verify.SignerRule)
		want   bool
	}{
		"as it is":            {func(*verify.SignerRule) {}, true},
		"a URI":               {func(r *verify.SignerRule) { r.SubjectKind = assay.SubjectURI }, true},
		"an email address":    {func(r *verify.SignerRule) { r.SubjectKind = assay.SubjectEmail }, false},
		"a pattern":           {func(r *verify.SignerRule) { r.ClaimPatterns.SourceRepositoryURI = `https://github\.com/octo-org/.+` }, true},
		"a part of the value": {func(r *verify.SignerRule) { r.ClaimPatterns.SourceRepositoryURI = `https://github\.com/octo` }, false},
		"one of two": {func(r *verify.SignerRule) {
			r.ClaimPatterns.SourceRepositoryURI, r.ClaimPatterns.BuildTrigger = `https://github\.com/.+`, "never"
		}, false},
		"one that is not there": {func(r *verify.SignerRule) { r.ClaimPatterns.DeploymentEnvironment = "prod.+" }, false},
		"of the older kind":     {func(r *verify.SignerRule) { r.Claims.GitHubWorkflowRepository = ext.GithubWorkflowRepository }, true},
	} {
		rule := verify.SignerRule{Name: "ci", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}
		tt.change(&rule)
		s, err := verify.NewSignatureVerifier(verify.Trust{TrustedRoot: v.TrustedRootJSON()}, rule)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.VerifyContent(e, content)
		if (err == nil) != tt.want {
			t.Errorf("%s: got %v", name, err)
		}
		if err == nil && (got.Rule != "ci" || len(got.Signers) != 1 || got.SignedBy.IsZero() || len(got.LogEntries) != 1 || got.PredicateType != "https://example.com/p") {
			t.Errorf("%s: got %+v", name, got)
		}
		if err != nil && !errors.Is(err, assay.ErrRefuted) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := s.Verify(e, assay.SumSHA256(nil)); !errors.Is(err, assay.ErrRefuted) {
			t.Errorf("%s, another digest: got %v", name, err)
		}
	}
}

// Both trust and rule are needed, and a digest that identifies.
func TestSignatureVerifierRefuses(t *testing.T) {
	k, id := ecKey(t)
	v, err := verify.NewSignatureVerifier(verify.Trust{Keys: []verify.Key{{Public: k.Public()}}}, verify.SignerRule{Name: "k", Key: id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(cosignLayer(t, k, "{}"), assay.MustDigest("sha1:"+"0123456789012345678901234567890123456789")); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a weak digest: got %v", err)
	}
	if _, err := verify.NewSignatureVerifier(verify.Trust{}, verify.SignerRule{Name: "k", Key: id}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("no trust: got %v", err)
	}
	if _, err := verify.NewSignatureVerifier(verify.Trust{Keys: []verify.Key{{Public: k.Public()}}}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("no rule: got %v", err)
	}
}
