package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
	"github.com/assaykit/assay/vex"
)

func TestGenuine(t *testing.T) {
	f := newFixture(t)
	r := f.verify(t, f.genuine(t))
	if r.Verdict.Policy != assay.Proven || r.Err() != nil {
		t.Errorf("policy is %s: %v", r.Verdict.Policy, r.Err())
	}
	if r.Verdict.Stage != assay.Hardened || !r.Verdict.Reaches(assay.Minimal) || r.Verdict.Reaches(assay.Secure) {
		t.Errorf("stage is %s", r.Verdict.Stage)
	}
	for _, id := range []string{"evidence/sbom", "evidence/provenance", "evidence/vex", "evidence/posture", verify.CheckContents, verify.CheckSBOMContents,
		verify.CheckBuilder, verify.CheckSignerClaims, verify.CheckVEXProducts, verify.CheckVEXSubcomponent, verify.CheckVEXConsistent, verify.CheckVEXAuthor, verify.CheckPostureClaims} {
		check(t, r, id, assay.Proven, verify.Holds)
	}
	// What nothing proves yet is unknown, and keeps the image from being secure.
	check(t, r, verify.CheckRemediation, assay.Unknown, verify.NotStated)
	check(t, r, verify.CheckScan, assay.Unknown, verify.NotStated)
	check(t, r, verify.CheckScanCoverage, assay.Unknown, verify.NotStated)
	if r.Verdict.Next != assay.Secure || !slices.Contains(r.Verdict.Missing, verify.CheckRemediation) || len(r.Missing()) != len(r.Verdict.Missing) {
		t.Errorf("missing: %v", r.Verdict.Missing)
	}

	docs := slices.Collect(verify.Evidence[*assay.SBOM](r))
	if len(docs) != 1 {
		t.Fatalf("%d SBOMs", len(docs))
	}
	d := docs[0]
	if d.Signer() != f.signer.Identity() || d.Rule() != "ci" || !d.SignedBy().IsZero() || !d.Subject().Digest.Has(f.digest) {
		t.Errorf("proof is %+v", d)
	}
	if len(d.Evidence().Components) != len(f.sbom.Components) {
		t.Errorf("%d components", len(d.Evidence().Components))
	}
}

// Every envelope below is refused, with its reason, and the verdict rests on the
// others alone.
func TestRefusedAttestations(t *testing.T) {
	f := newFixture(t)
	other := assay.Subject{Name: "registry.example/app", Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("cd", 32))}}
	weak := assay.Subject{Name: f.subject().Name, Digest: assay.DigestSet{assay.MustDigest("sha1:" + strings.Repeat("cd", 20))}}
	subject := `"subject":[{"name":"x","digest":{"sha256":"` + f.digest.Hex() + `"}}]`
	for name, tt := range map[string]struct {
		envelope assay.Envelope
		state    assay.State
		reason   verify.Reason
		says     string
	}{
		"another image's SBOM":    {f.sign(t, f.signer, f.sbom, other), assay.Refuted, verify.SubjectMismatch, "cdcd"},
		"a weak digest":           {f.sign(t, f.signer, f.sbom, weak), assay.Refuted, verify.SubjectMismatch, "sha1"},
		"a stranger":              {f.sign(t, f.stranger, f.sbom), assay.Refuted, verify.SignatureInvalid, "does not match"},
		"no subject":              {f.raw(t, `{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"https://cyclonedx.org/bom","predicate":{}}`), assay.Refuted, verify.StatementMalformed, "/subject"},
		"subject without digest":  {f.raw(t, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{}}],"predicateType":"https://cyclonedx.org/bom","predicate":{}}`), assay.Refuted, verify.StatementMalformed, "/subject/0"},
		"duplicate subject":       {f.raw(t, `{"_type":"https://in-toto.io/Statement/v1",`+subject+`,`+subject+`,"predicateType":"https://cyclonedx.org/bom","predicate":{}}`), assay.Refuted, verify.StatementMalformed, "/subject"},
		"trailing data":           {f.raw(t, `{"_type":"https://in-toto.io/Statement/v1",`+subject+`,"predicateType":"https://cyclonedx.org/bom","predicate":{}}{}`), assay.Refuted, verify.StatementMalformed, "nothing after the value"},
		"another _type":           {f.raw(t, `{"_type":"https://in-toto.io/Statement/v9",`+subject+`,"predicateType":"https://cyclonedx.org/bom","predicate":{}}`), assay.Refuted, verify.StatementMalformed, "/_type"},
		"payload is no JSON":      {f.raw(t, `hello`), assay.Refuted, verify.StatementMalformed, ""},
		"predicate is no SBOM":    {f.raw(t, `{"_type":"https://in-toto.io/Statement/v1",`+subject+`,"predicateType":"https://cyclonedx.org/bom","predicate":{"a":1}}`), assay.Refuted, verify.PredicateMalformed, ""},
		"unknown predicate type":  {f.raw(t, `{"_type":"https://in-toto.io/Statement/v1",`+subject+`,"predicateType":"https://example.com/p","predicate":{}}`), assay.Unknown, verify.PredicateUnknown, ""},
		"an unsigned statement":   {assay.NewEnvelope(assay.MediaTypeSigstoreBundle, []byte(`{"_type":"https://in-toto.io/Statement/v1",`+subject+`,"predicateType":"https://cyclonedx.org/bom","predicate":{}}`)), assay.Refuted, verify.Unsigned, ""},
		"no envelope":             {assay.NewEnvelope(assay.MediaTypeSigstoreBundle, []byte("junk")), assay.Refuted, verify.EnvelopeMalformed, ""},
		"DSSE without signatures": {assay.NewEnvelope(assay.MediaTypeDSSE, []byte(`{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}`)), assay.Refuted, verify.EnvelopeMalformed, "at least one"},
	} {
		t.Run(name, func(t *testing.T) {
			genuine := f.genuine(t)
			r := f.verify(t, append(genuine, tt.envelope))
			if r.Verdict.Policy != assay.Proven {
				t.Errorf("an attestation that is refused decided: %v", r.Err())
			}
			a := attestation(t, r, tt.envelope)
			if a.State != tt.state || a.Reason != tt.reason || !strings.Contains(a.Detail, tt.says) {
				t.Errorf("got %s, %s: %s", a.State, a.Reason, a.Detail)
			}

			// On its own it is worth nothing.
			r = f.verify(t, []assay.Envelope{tt.envelope})
			check(t, r, "evidence/sbom", assay.Refuted, verify.Absent)
			if !errors.Is(r.Err(), assay.ErrRefuted) || r.Verdict.Policy != assay.Refuted {
				t.Errorf("got %v", r.Err())
			}
		})
	}
}

func attestation(t testing.TB, r *verify.Report, e assay.Envelope) verify.Attestation {
	t.Helper()
	for _, a := range r.Attestations {
		if a.Envelope == e.Digest() {
			return a
		}
	}
	t.Fatal("the report does not list the envelope")
	return verify.Attestation{}
}

// GHSA-fgw4-5g7h-2vqj and cosign's CVE-2022-35929: nothing, or valid attestations of
// other types only, is not what was asked for.
func TestAbsent(t *testing.T) {
	f := newFixture(t)
	any := verify.Policy{Signers: f.policy().Signers}
	r := f.ask(t, any, nil, attest.FromEnvelopes())
	check(t, r, verify.CheckEvidenceAny, assay.Refuted, verify.Absent)
	if !errors.Is(r.Err(), assay.ErrRefuted) || r.Verdict.Stage != assay.None {
		t.Errorf("got %v, stage %s", r.Err(), r.Verdict.Stage)
	}

	r = f.verify(t, []assay.Envelope{f.sign(t, f.signer, f.vex), f.sign(t, f.signer, f.posture), f.sign(t, f.signer, f.sbom)})
	check(t, r, "evidence/provenance", assay.Refuted, verify.Absent)
	if !errors.Is(r.Err(), assay.ErrRefuted) {
		t.Errorf("got %v", r.Err())
	}
}

// A subject that is not the first counts; the name never does.
func TestSubjects(t *testing.T) {
	f := newFixture(t)
	other := assay.Subject{Name: "z", Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("00", 32))}}
	e := f.sign(t, f.signer, f.sbom, other, f.subject())
	if a := attestation(t, f.verify(t, []assay.Envelope{e}), e); a.State != assay.Proven {
		t.Errorf("got %+v", a)
	}
}

func TestOrderAndWorkersDoNotMatter(t *testing.T) {
	f := newFixture(t)
	envelopes := append(f.genuine(t), f.sign(t, f.stranger, f.sbom), f.raw(t, "junk"), f.raw(t, "other junk"))
	envelopes = append(envelopes, envelopes[0], envelopes[4]) // found twice
	var want []byte
	for i := range 12 {
		rand.Shuffle(len(envelopes), func(i, j int) { envelopes[i], envelopes[j] = envelopes[j], envelopes[i] })
		var got bytes.Buffer
		if err := report.JSON(&got, f.verify(t, envelopes, verify.Workers(1+i%5))); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got.Bytes()
		} else if !bytes.Equal(want, got.Bytes()) {
			t.Fatalf("reports differ:\n%s\n%s", want, got.Bytes())
		}
	}
}

func TestSBOMAgainstContents(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*assay.SBOM)
		says   string
	}{
		"missing": {func(s *assay.SBOM) { drop(s, "libfoo") }, "missing: pkg:deb/debian/libfoo@2.0-1"},
		"phantom": {func(s *assay.SBOM) {
			s.Components = append(s.Components, assay.Component{ID: "x", Type: assay.TypeLibrary, Name: "ghost", Version: "1", PURL: purl("pkg:deb/debian/ghost@1?arch=amd64")})
		}, "phantom: pkg:deb/debian/ghost@1"},
		"changed": {func(s *assay.SBOM) {
			for i := range s.Components {
				if c := &s.Components[i]; c.Name == "libfoo" {
					c.Version, c.PURL = "3.0-1", purl(strings.Replace(c.PURL.String(), "2.0-1", "3.0-1", 1))
				}
			}
		}, "changed: pkg:deb/debian/libfoo@3.0-1"},
		"empty": {func(s *assay.SBOM) { s.Components, s.Relations, s.Completeness = nil, nil, nil }, "missing: pkg:deb/debian/app@1.2.3-1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			tt.change(f.sbom)
			r := f.verify(t, f.genuine(t))
			c := check(t, r, verify.CheckSBOMContents, assay.Refuted, verify.ContentsDiffer)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q", c.Findings)
			}
			if r.Verdict.Policy != assay.Refuted {
				t.Errorf("policy is %s", r.Verdict.Policy)
			}
			// An SBOM that was signed and is wrong fails a policy that asks for none.
			r = f.ask(t, verify.Policy{Signers: f.policy().Signers}, nil, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image))
			if r.Verdict.Policy != assay.Refuted {
				t.Errorf("policy that asks for nothing is %s", r.Verdict.Policy)
			}
		})
	}
}

func drop(s *assay.SBOM, name string) {
	var id assay.ComponentID
	s.Components = slices.DeleteFunc(s.Components, func(c assay.Component) bool {
		if c.Name == name {
			id = c.ID
		}
		return c.Name == name
	})
	s.Relations = slices.DeleteFunc(s.Relations, func(r assay.Relation) bool { return r.From == id || r.To == id })
}

func purl(s string) assay.PURL {
	p, err := assay.ParsePURL(s)
	if err != nil {
		panic(err)
	}
	return p
}

func TestWithoutContents(t *testing.T) {
	f := newFixture(t)
	source := attest.FromEnvelopes(f.genuine(t)...)
	r := f.ask(t, f.policy(), nil, source)
	check(t, r, verify.CheckContents, assay.Unknown, verify.NoContents)
	check(t, r, verify.CheckSBOMContents, assay.Unknown, verify.NoContents)
	if r.Verdict.Policy != assay.Unknown || !errors.Is(r.Err(), assay.ErrUnchecked) || r.Verdict.Stage != assay.None {
		t.Errorf("got %v, stage %s", r.Err(), r.Verdict.Stage)
	}
	p := f.policy()
	p.ContentsUnsafe = true
	r = f.ask(t, p, nil, source)
	if r.Verdict.Policy != assay.Proven || r.Verdict.Stage != assay.Hardened {
		t.Errorf("got %v, stage %s", r.Err(), r.Verdict.Stage)
	}
}

// What is given as the image must be the image: its digests are recomputed.
func TestContentsThatLie(t *testing.T) {
	f := newFixture(t)
	liar := testimage.NewWith(t, testimage.Options{}, testimage.Layer{Files: []testimage.File{{Name: "a", Body: "1"}}, Blob: []byte("not the blob")})
	f.digest = liar.ID()
	r := f.ask(t, verify.Policy{Signers: f.policy().Signers}, nil, attest.FromEnvelopes(f.sign(t, f.signer, f.sbom)), attest.FromImage(liar))
	c, _ := r.Check(verify.CheckContents)
	if c.State == assay.Proven || r.Verdict.Policy == assay.Proven {
		t.Errorf("got %+v, policy %s", c, r.Verdict.Policy)
	}
	other := newFixture(t)
	r = f.ask(t, verify.Policy{Signers: f.policy().Signers}, nil, attest.FromEnvelopes(f.sign(t, f.signer, f.sbom)), imageFor{other.image, nil})
	check(t, r, verify.CheckContents, assay.Refuted, verify.ContentsMismatch)
	if r.Verdict.Policy != assay.Refuted {
		t.Errorf("policy is %s", r.Verdict.Policy)
	}
}

// imageFor is a source that answers every digest with one image, or none, and error.
type imageFor struct {
	image v1.Image
	err   error
}

func (imageFor) Discover(_ context.Context, d assay.Digest) (*attest.Found, error) {
	return &attest.Found{Bundle: assay.NewBundle(d)}, nil
}

func (s imageFor) Image(context.Context, assay.Digest) (v1.Image, error) { return s.image, s.err }

func TestVEX(t *testing.T) {
	absent := assay.Product{ID: "pkg:deb/debian/absent@1", PURL: purl("pkg:deb/debian/absent@1")}
	for name, tt := range map[string]struct {
		parts  func(*fixture, *testing.T) []assay.Product
		say    func(*vex.Draft, assay.Product)
		id     string
		state  assay.State
		reason verify.Reason
		says   string
	}{
		"component_not_present that is present": {nil, func(d *vex.Draft, p assay.Product) { d.NotAffected("CVE-2026-1000", assay.ComponentNotPresent, p) },
			verify.CheckVEXSubcomponent, assay.Refuted, verify.Contradiction, "libfoo"},
		"component_not_present that is absent": {func(*fixture, *testing.T) []assay.Product { return []assay.Product{absent} },
			func(d *vex.Draft, p assay.Product) { d.NotAffected("CVE-2026-1000", assay.ComponentNotPresent, p) },
			verify.CheckVEXSubcomponent, assay.Proven, verify.Holds, ""},
		"a part that is not in the image": {func(*fixture, *testing.T) []assay.Product { return []assay.Product{absent} },
			func(d *vex.Draft, p assay.Product) { d.Fixed("CVE-2026-1000", p) },
			verify.CheckVEXSubcomponent, assay.Refuted, verify.Contradiction, "pkg:deb/debian/absent@1 is not in the image"},
		// Nothing looks for packages of conda: that none was found proves nothing.
		"component_not_present of a kind that nobody looked for": {func(*fixture, *testing.T) []assay.Product {
			return []assay.Product{{ID: "pkg:conda/absent@1", PURL: purl("pkg:conda/absent@1")}}
		}, func(d *vex.Draft, p assay.Product) { d.NotAffected("CVE-2026-1000", assay.ComponentNotPresent, p) },
			verify.CheckVEXSubcomponent, assay.Unknown, verify.NotShown, "pkg:conda/absent@1 was not found"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			parts := []assay.Product{vex.ComponentProduct(f.component(t, "libfoo"))}
			if tt.parts != nil {
				parts = tt.parts(f, t)
			}
			f.vex = newVEXAbout(t, f.digest, tt.say, parts...)
			r := f.verify(t, f.genuine(t))
			c := check(t, r, tt.id, tt.state, tt.reason)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q", c.Findings)
			}
			if (r.Verdict.Policy == assay.Refuted) != (tt.state == assay.Refuted) {
				t.Errorf("policy is %s", r.Verdict.Policy)
			}
		})
	}
}

func TestVEXContradictions(t *testing.T) {
	f := newFixture(t)
	against := f.newVEX(t, func(d *vex.Draft, p assay.Product) { d.Affected("CVE-2026-1000", "Upgrade.", p) })
	against.Author = "else@example.com"
	r := f.verify(t, append(f.genuine(t), f.sign(t, f.signer, against)))
	check(t, r, verify.CheckVEXConsistent, assay.Refuted, verify.Contradiction)
	check(t, r, verify.CheckVEXAuthor, assay.Refuted, verify.SignerNotAllowed)
	if r.Verdict.Policy != assay.Refuted {
		t.Errorf("policy is %s", r.Verdict.Policy)
	}
}

func TestVEXOfAnotherImage(t *testing.T) {
	f := newFixture(t)
	otherDigest := assay.MustDigest("sha256:" + strings.Repeat("ee", 32))
	doc := newVEXAbout(t, otherDigest, func(d *vex.Draft, p assay.Product) { d.Fixed("CVE-2026-1000", p) })
	body, err := vex.Encode(doc)
	if err != nil {
		t.Fatal(err)
	}
	payload := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":"` + f.digest.Hex() + `"}}],"predicateType":"https://openvex.dev/ns/v0.2.0","predicate":` + string(body) + `}`
	r := f.verify(t, []assay.Envelope{f.raw(t, payload)})
	check(t, r, verify.CheckVEXProducts, assay.Refuted, verify.OtherImage)
}

// A claim that somebody signed and that the bytes refute fails, whoever signed it.
func TestPostureThatIsNotTrue(t *testing.T) {
	f := newFixture(t)
	clean := f.posture
	f = newFixtureWith(t, testimage.File{Name: "bin/sh", Mode: 0o4755, Body: "shell"})
	claimed := *f.posture
	claimed.Facts = clean.Facts
	f.posture = &claimed
	r := f.verify(t, f.genuine(t))
	c := check(t, r, verify.CheckPostureClaims, assay.Refuted, verify.ShownFalse)
	if all := strings.Join(c.Findings, "\n"); !strings.Contains(all, "POSTURE_NO_SHELL") || !strings.Contains(all, "POSTURE_NO_SETUID") {
		t.Errorf("findings are %q", c.Findings)
	}
	check(t, r, "posture/POSTURE_NO_SHELL", assay.Refuted, verify.ShownFalse)
	if r.Verdict.Stage != assay.None || r.Verdict.Policy != assay.Refuted {
		t.Errorf("stage %s, policy %s", r.Verdict.Stage, r.Verdict.Policy)
	}
}

// "Absent" and "could not be read" are different answers, for every way in which a
// registry can fail.
func TestStoresThatFail(t *testing.T) {
	f := newFixture(t)
	for name, fault := range map[string]testregistry.Fault{
		"unauthorized": {Status: http.StatusUnauthorized},
		"forbidden":    {Status: http.StatusForbidden},
		"too many":     {Status: http.StatusTooManyRequests},
		"broken":       {Status: http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			home := testregistry.InProcess(t, testregistry.Options{})
			ref := testimage.Push(t, home.Ref("app:v1"), f.image)
			fault.Path = "/referrers/"
			proxy := testregistry.Front(t, home, fault)
			quick := image.Registry{Retries: -1, Backoff: time.Millisecond, MaxRetryAfter: time.Millisecond}
			r := f.ask(t, f.policy(), nil, attest.FromRegistry(proxy.Host+"/"+ref.RepositoryStr(), quick))
			check(t, r, "evidence/sbom", assay.Unknown, verify.StoreUnreadable)
			if len(r.Faults) == 0 || r.Verdict.Policy == assay.Proven || errors.Is(r.Err(), assay.ErrRefuted) {
				t.Errorf("faults %+v, %v", r.Faults, r.Err())
			}
		})
	}
	t.Run("absent", func(t *testing.T) {
		home := testregistry.InProcess(t, testregistry.Options{})
		ref := testimage.Push(t, home.Ref("app:v1"), f.image)
		r := f.ask(t, f.policy(), nil, attest.FromRegistry(ref.Context().Name(), image.Registry{}))
		check(t, r, "evidence/sbom", assay.Refuted, verify.Absent)
		check(t, r, verify.CheckContents, assay.Proven, verify.Holds)
	})
}

func TestThroughARegistry(t *testing.T) {
	f := newFixture(t)
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.Push(t, home.Ref("app:v1"), f.image)
	if _, err := attest.Publish(context.Background(), f.signer, ref.String(), attest.PublishOptions{}, f.sbom, f.provenance, f.posture, f.vex); err != nil {
		t.Fatal(err)
	}
	r := f.ask(t, f.policy(), nil, attest.FromRegistry(ref.Context().Name(), image.Registry{}))
	if r.Verdict.Policy != assay.Proven || r.Verdict.Stage != assay.Hardened {
		t.Errorf("got %v, stage %s", r.Err(), r.Verdict.Stage)
	}
}

func TestCancelled(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v, err := verify.New(f.trust(), f.policy())
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(ctx, f.digest, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image))
	if r != nil || !errors.Is(err, context.Canceled) || !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestDigestMustIdentify(t *testing.T) {
	f := newFixture(t)
	v, err := verify.New(f.trust(), f.policy())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []assay.Digest{{}, assay.MustDigest("sha1:" + strings.Repeat("ab", 20))} {
		if _, err := v.Verify(context.Background(), d, attest.FromEnvelopes()); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %v", d, err)
		}
	}
	if _, err := v.Verify(context.Background(), f.digest); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("no source: got %v", err)
	}
}

func TestReportRoundTrip(t *testing.T) {
	f := newFixture(t)
	r := f.verify(t, append(f.genuine(t), f.raw(t, "junk")))
	var first, second bytes.Buffer
	if err := report.JSON(&first, r); err != nil {
		t.Fatal(err)
	}
	back, err := report.Read("r.json", first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := report.JSON(&second, back); err != nil || first.String() != second.String() {
		t.Errorf("%v\n%s\n%s", err, first.String(), second.String())
	}
	// A report that was read is no proof.
	for range verify.Evidence[assay.Evidence](back) {
		t.Error("a report from a file gave evidence")
	}
	if !json.Valid(first.Bytes()) {
		t.Error("not JSON")
	}
}

func newFixtureWith(t testing.TB, files ...testimage.File) *fixture {
	t.Helper()
	f := newFixture(t)
	img := testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) {
		c.Config.User = "65532:65532"
		c.Config.Entrypoint = []string{"/usr/bin/app"}
	}}, testimage.Layer{Files: append([]testimage.File{{Name: "var/lib/dpkg/status", Body: status}, {Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\n"}}, files...)})
	f.image, f.digest = img, img.ID()
	var err error
	if f.contents, err = sbom.Scan(context.Background(), img, sbom.Options{Digest: f.digest}); err != nil {
		t.Fatal(err)
	}
	f.sbom = f.contents.SBOM
	f.vex = f.newVEX(t, func(d *vex.Draft, p assay.Product) { d.Fixed("CVE-2026-1000", p) })
	return f
}
