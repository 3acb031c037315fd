package verify_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

// Faults that verifiers of this field had, by their advisories. Those that are not
// below are held elsewhere:
//
//	CVE-2022-35929, CVE-2025-25204  TestAbsent
//	CVE-2026-54787                  TestKeyWindow here, envelope.TestKeyWindowNeedsWitness
//	GHSA-fx35-mq7g-6g98             TestSignerRules, envelope.TestCertificatesRefused
//	CVE-2023-46737, CVE-2024-29902  attest.TestDiscoverBounds
//	cosign issue 5044               envelope.TestEveryPartReplaced, envelope.FuzzOpen
//	CVE-2022-47633, CVE-2023-33959  TestContentsThatLie, attest.TestDiscoverFaults
//	CVE-2025-29778                  TestParsePolicyRefused
//	CVE-2024-23332                  TestKeyless (a day later), TestOldSignatureWitnessedAnew
//	CVE-2026-48501, CVE-2025-27403  attest.TestDiscoverPages
//	CVE-2022-29173, CVE-2026-23991, tufroot.TestRefuses
//	CVE-2026-23992, GHSA-3633
//	CVE-2026-24137, CVE-2026-24686  tufroot.TestNewRefuses
//	CVE-2021-41087, GHSA-pmwq       layout.TestRulesOfNames
//	connaisseur PR 2150 (quorum)    TestMinSigners, envelope's tests of several signatures
//	CVE-2025-62375                  nothing is taken from documents embedded in evidence
//	CVE-2024-47534                  delegations of TUF are not followed
//	CVE-2026-44310                  envelope.TestPanicIsARefusal
//	GHSA-77vh-xpmg-72qh             attest.TestDiscoverFaults
//	ampel PR 363 (unsigned)         TestRefusedAttestations
//	ampel issue 298 (workers)       TestOrderAndWorkersDoNotMatter
//	guac issue 876 (unverified)     TestReportRoundTrip
//	retagger issue 1237 (429, 5xx)  TestStoresThatFail
func TestAdvisories(t *testing.T) {
	f := newFixture(t)
	v, foreign := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	bundle := func(o testsigstore.SignOptions) []byte {
		if o.At.IsZero() {
			o.At = at
		}
		return f.sign(t, virtualSigner{t, v, run.Identity(""), o}, workflowProvenance(t, run)).Raw()
	}
	statement := func(predicateType, subject, predicate string) []byte {
		payload := `{"_type":"https://in-toto.io/Statement/v1","subject":[` + subject + `],"predicateType":"` + predicateType + `","predicate":` + predicate + `}`
		return v.SignDSSEWith(t, run.Identity(""), assay.MediaTypeInToto, []byte(payload), testsigstore.SignOptions{At: at})
	}
	ours := `{"name":"x","digest":{"sha256":"` + f.digest.Hex() + `"}}`
	v1, v2 := testsigstore.SignOptions{Rekor: testsigstore.RekorV1}, testsigstore.SignOptions{}
	with := func(o testsigstore.SignOptions, change func(*testsigstore.SignOptions)) []byte {
		change(&o)
		return bundle(o)
	}
	otherPayload := func(o *testsigstore.SignOptions) { o.LogPayload = []byte("{}") }
	otherSignature := func(o *testsigstore.SignOptions) { o.LogSignature = []byte("signature") }
	// Another certificate of the same signer: a key that did not make the signature.
	otherKey := func(raw []byte) []byte {
		var m map[string]any
		if err := json.Unmarshal(bundle(v2), &m); err != nil {
			t.Fatal(err)
		}
		certificate := m["verificationMaterial"].(map[string]any)["certificate"]
		return editJSON(t, raw, func(m map[string]any) { m["verificationMaterial"].(map[string]any)["certificate"] = certificate })
	}
	twice := func(raw []byte, times int, path ...string) []byte {
		return editJSON(t, raw, func(m map[string]any) {
			for _, p := range path[:len(path)-1] {
				m = m[p].(map[string]any)
			}
			last := path[len(path)-1]
			m[last] = slices.Repeat(m[last].([]any), times)
		})
	}
	stamp := func(raw []byte, change func([]byte) []byte) []byte {
		return editJSON(t, raw, func(m map[string]any) {
			s := m["verificationMaterial"].(map[string]any)["timestampVerificationData"].(map[string]any)["rfc3161Timestamps"].([]any)[0].(map[string]any)
			var der []byte
			b, _ := json.Marshal(s["signedTimestamp"])
			if err := json.Unmarshal(b, &der); err != nil {
				t.Fatal(err)
			}
			s["signedTimestamp"] = change(der)
		})
	}
	trustedLeaf := timestampLeaf(t, v.TrustedRootJSON())
	alien := bundle(testsigstore.SignOptions{TSA: foreign})

	for _, tt := range []struct {
		name   string
		trust  verify.Trust
		raw    []byte
		reason verify.Reason
	}{
		{"genuine", verify.Trust{}, bundle(v2), verify.Holds},
		{"genuine, Rekor v1", verify.Trust{}, bundle(v1), verify.Holds},
		{"CVE-2022-23649 an entry of the log that is about another signature", verify.Trust{}, with(v1, otherSignature), verify.LogUnproven},
		{"CVE-2022-23649 the same, Rekor v2", verify.Trust{}, with(v2, otherSignature), verify.LogUnproven},
		{"CVE-2022-36056 an entry that is about another payload", verify.Trust{}, with(v1, otherPayload), verify.LogUnproven},
		{"CVE-2026-22703 the same, Rekor v2", verify.Trust{}, with(v2, otherPayload), verify.LogUnproven},
		{"CVE-2026-22703 an entry that is about another key", verify.Trust{}, otherKey(bundle(v1)), verify.LogUnproven},
		{"CVE-2024-51746 the same, Rekor v2", verify.Trust{}, otherKey(bundle(v2)), verify.LogUnproven},
		{"CVE-2026-39395 a payload that is no JSON", verify.Trust{}, v.SignDSSEWith(t, run.Identity(""), assay.MediaTypeInToto, []byte("junk"), testsigstore.SignOptions{At: at}), verify.StatementMalformed},
		{"CVE-2026-39395 a predicate of another type than is stated", verify.Trust{}, statement(string(assay.PredicateSLSA1), ours, `{"bomFormat":"CycloneDX","specVersion":"1.6"}`), verify.PredicateMalformed},
		{"CVE-2026-39395 SPDX in CycloneDX's name", verify.Trust{}, statement(string(assay.PredicateCycloneDX), ours, spdx), verify.PredicateMalformed},
		{"CVE-2026-24122 an intermediate that had expired", verify.Trust{}, bundle(testsigstore.SignOptions{Rekor: testsigstore.RekorV1, NoTimestamp: true, At: time.Date(2105, 1, 1, 0, 0, 0, 0, time.UTC)}), verify.CertificateUntrusted},
		{"CVE-2024-45395 log entries without number", verify.Trust{}, twice(bundle(v1), 100, "verificationMaterial", "tlogEntries"), verify.EnvelopeMalformed},
		{"CVE-2024-45395 timestamps without number", verify.Trust{}, twice(bundle(v2), 100, "verificationMaterial", "timestampVerificationData", "rfc3161Timestamps"), verify.EnvelopeMalformed},
		{"CVE-2024-45395 subjects without number", verify.Trust{}, statement(string(assay.PredicateSLSA1), strings.Repeat(ours+",", attest.MaxSubjects)+ours, "{}"), verify.StatementMalformed},
		{"CVE-2024-45395 digests without number", verify.Trust{}, statement(string(assay.PredicateSLSA1), `{"digest":{`+digests(40)+`}}`, "{}"), verify.StatementMalformed},
		{"CVE-2026-49834 two logs, met by one twice", verify.Trust{TransparencyLogs: 2}, twice(bundle(v1), 2, "verificationMaterial", "tlogEntries"), verify.LogUnproven},
		{"CVE-2026-49834 two authorities, met by one twice", verify.Trust{TimestampAuthorities: 2}, twice(bundle(v2), 2, "verificationMaterial", "timestampVerificationData", "rfc3161Timestamps"), verify.TimeUnwitnessed},
		{"genuine, with a certificate more in the timestamp", verify.Trust{}, stamp(bundle(v2), func(der []byte) []byte {
			return withCertificate(t, der, timestampLeaf(t, foreign.TrustedRootJSON()), false)
		}), verify.Holds},
		{"CVE-2026-39984 a forged certificate put first beside a genuine timestamp", verify.Trust{}, stamp(bundle(v2), func(der []byte) []byte {
			return withCertificate(t, der, timestampLeaf(t, foreign.TrustedRootJSON()), true)
		}), verify.Holds},
		{"CVE-2026-39984 the trusted authority's certificate, put first beside a forged timestamp", verify.Trust{}, stamp(alien, func(der []byte) []byte { return withCertificate(t, der, trustedLeaf, true) }), verify.TimeUnwitnessed},
		{"CVE-2026-39984 put last", verify.Trust{}, stamp(alien, func(der []byte) []byte { return withCertificate(t, der, trustedLeaf, false) }), verify.TimeUnwitnessed},
		{"CVE-2025-66564 a timestamp that says it has 2 GiB", verify.Trust{}, stamp(bundle(v2), func([]byte) []byte { return []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x30} }), verify.TimeUnwitnessed},
		{"CVE-2025-66564 a timestamp that is deep", verify.Trust{}, stamp(bundle(v2), func([]byte) []byte { return bytes.Repeat([]byte{0x30, 0x80}, 1<<16) }), verify.TimeUnwitnessed},
		{"GHSA-r2xv another payload type", verify.Trust{}, v.SignDSSEWith(t, run.Identity(""), "application/vnd.example+json", []byte("{}"), testsigstore.SignOptions{At: at}), verify.EnvelopeUnsupported},
		{"GHSA-r2xv another subject", verify.Trust{}, statement(string(assay.PredicateSLSA1), `{"name":"registry.example/app","digest":{"sha256":"`+strings.Repeat("ab", 32)+`"}}`, "{}"), verify.SubjectMismatch},
		{"CVE-2021-41087 a subject by pattern", verify.Trust{}, statement(string(assay.PredicateSLSA1), `{"name":"*","digest":{"sha256":"`+strings.Repeat("ab", 32)+`"}}`, "{}"), verify.SubjectMismatch},
		{"the digest in another case", verify.Trust{}, statement(string(assay.PredicateSLSA1), `{"digest":{"sha256":"`+strings.ToUpper(f.digest.Hex())+`"}}`, "{}"), verify.StatementMalformed},
		{"the algorithm in another case", verify.Trust{}, statement(string(assay.PredicateSLSA1), `{"digest":{"SHA256":"`+f.digest.Hex()+`"}}`, "{}"), verify.StatementMalformed},
		{"the digest by a weak algorithm's name", verify.Trust{}, statement(string(assay.PredicateSLSA1), `{"digest":{"gitCommit":"`+f.digest.Hex()+`"}}`, "{}"), verify.SubjectMismatch},
		{"two members of one name in the statement", verify.Trust{}, statement(string(assay.PredicateSLSA1), ours, `{},"predicate":{}`), verify.StatementMalformed},
		// CVE-2026-44309: what was signed, not what it means.
		{"CVE-2026-44309 the statement in other bytes", verify.Trust{}, editJSON(t, bundle(v2), func(m map[string]any) {
			e := m["dsseEnvelope"].(map[string]any)
			var payload []byte
			b, _ := json.Marshal(e["payload"])
			if err := json.Unmarshal(b, &payload); err != nil {
				t.Fatal(err)
			}
			e["payload"] = append(payload, '\n')
		}), verify.LogUnproven},
		{"a signature over an artifact, in place of the statement that was logged", verify.Trust{}, editJSON(t, bundle(v2), func(m map[string]any) {
			delete(m, "dsseEnvelope")
			m["messageSignature"] = map[string]any{"messageDigest": map[string]any{"algorithm": "SHA2_256", "digest": make([]byte, 32)}, "signature": []byte("x")}
		}), verify.LogUnproven},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.trust.TrustedRoot = v.TrustedRootJSON()
			verifier, err := verify.New(tt.trust, verify.Policy{Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}}}, verify.At(at))
			if err != nil {
				t.Fatal(err)
			}
			r, err := verifier.Verify(context.Background(), f.digest, attest.FromEnvelopes(assay.NewEnvelope(assay.MediaTypeSigstoreBundle, tt.raw)))
			if err != nil {
				t.Fatal(err)
			}
			a := r.Attestations[0]
			if a.Reason != tt.reason || (a.State == assay.Proven) != (tt.reason == verify.Holds) {
				t.Errorf("got %s, %s: %s, want %s", a.State, a.Reason, a.Detail, tt.reason)
			}
			if (r.Err() == nil) != (tt.reason == verify.Holds) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
}

// CVE-2026-54787: a witnessed time outside of the key's window.
func TestKeyWindow(t *testing.T) {
	f := newFixture(t)
	v := testsigstore.NewVirtual(t)
	e := stamped(t, f.sign(t, f.signer, f.provenance), v, at)
	for name, tt := range map[string]struct {
		from, until time.Time
		reason      verify.Reason
	}{
		"inside": {at.Add(-time.Hour), at.Add(time.Hour), verify.Holds},
		"before": {at.Add(time.Second), time.Time{}, verify.TimeUnwitnessed},
		"after":  {time.Time{}, at.Add(-time.Second), verify.TimeUnwitnessed},
	} {
		trust := verify.Trust{TrustedRoot: v.TrustedRootJSON(), Keys: []verify.Key{{Public: f.signer.Public(), ValidFrom: tt.from, ValidUntil: tt.until}}}
		verifier, err := verify.New(trust, f.policy(), verify.At(at))
		if err != nil {
			t.Fatal(err)
		}
		r, err := verifier.Verify(context.Background(), f.digest, attest.FromEnvelopes(e))
		if err != nil {
			t.Fatal(err)
		}
		if a := r.Attestations[0]; a.Reason != tt.reason {
			t.Errorf("%s: %s: %s", name, a.Reason, a.Detail)
		}
	}
}

const spdx = `{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"x","documentNamespace":"https://x.example/1","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: x"]},"packages":[]}`

func digests(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"x%d":"00"`, i)
	}
	return strings.Join(list, ",")
}

func editJSON(t testing.TB, raw []byte, change func(map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stamped gives the envelope with a timestamp of its signature, as anybody can have
// one made at any time.
func stamped(t testing.TB, e assay.Envelope, v *testsigstore.Virtual, when time.Time) assay.Envelope {
	t.Helper()
	var b struct {
		E struct {
			Signatures []struct{ Sig []byte } `json:"signatures"`
		} `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(e.Raw(), &b); err != nil {
		t.Fatal(err)
	}
	o := testsigstore.SignOptions{At: when, StampSignature: b.E.Signatures[0].Sig}
	var other map[string]any
	if err := json.Unmarshal(v.SignDSSEWith(t, testsigstore.Email("a@b.example", "https://i.example"), assay.MediaTypeInToto, []byte("{}"), o), &other); err != nil {
		t.Fatal(err)
	}
	raw := editJSON(t, e.Raw(), func(m map[string]any) {
		m["verificationMaterial"].(map[string]any)["timestampVerificationData"] = other["verificationMaterial"].(map[string]any)["timestampVerificationData"]
	})
	return assay.NewEnvelope(assay.MediaTypeSigstoreBundle, raw)
}

// timestampLeaf is the certificate of the timestamp authority in a trusted root.
func timestampLeaf(t testing.TB, root []byte) []byte {
	t.Helper()
	var r struct {
		TSA []struct {
			Chain struct {
				Certificates []struct {
					Raw []byte `json:"rawBytes"`
				} `json:"certificates"`
			} `json:"certChain"`
		} `json:"timestampAuthorities"`
	}
	if err := json.Unmarshal(root, &r); err != nil || len(r.TSA) == 0 || len(r.TSA[0].Chain.Certificates) == 0 {
		t.Fatalf("trusted root: %v", err)
	}
	return r.TSA[0].Chain.Certificates[0].Raw
}

// withCertificate puts a certificate into the bag of a timestamp response (RFC 3161:
// TimeStampResp, its ContentInfo, its SignedData), which no signature covers.
func withCertificate(t testing.TB, response, certificate []byte, first bool) []byte {
	t.Helper()
	resp := children(t, response)
	info := children(t, resp[1].FullBytes)
	data := children(t, info[1].Bytes)
	bag := slices.IndexFunc(data, func(v asn1.RawValue) bool { return v.Class == asn1.ClassContextSpecific && v.Tag == 0 })
	if bag < 0 {
		bag = 3
		data = slices.Insert(data, bag, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true})
	}
	bytes := slices.Concat(data[bag].Bytes, certificate)
	if first {
		bytes = slices.Concat(certificate, data[bag].Bytes)
	}
	data[bag] = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: bytes}
	info[1] = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: sequence(t, data)}
	resp[1] = asn1.RawValue{FullBytes: sequence(t, info)}
	return sequence(t, resp)
}

func children(t testing.TB, der []byte) []asn1.RawValue {
	t.Helper()
	var list []asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &list); err != nil || len(rest) > 0 {
		t.Fatalf("%d bytes left, %v", len(rest), err)
	}
	return list
}

func sequence(t testing.TB, list []asn1.RawValue) []byte {
	t.Helper()
	der, err := asn1.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
