package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/provenance"
	"github.com/assaykit/assay/verify"
)

// corpusAt is after the last signature of the corpus.
var corpusAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// corpus is slsa-verifier's test data, which real builders made and its authors tampered
// with.
type corpus struct {
	folder string
	root   []byte
	seen   map[string]bool // what was asked everything about
}

func newCorpus(t *testing.T) corpus {
	t.Helper()
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	root, err := os.ReadFile(filepath.Join(dir, "sigstore-public-good.trusted_root.json"))
	if err != nil {
		t.Fatal(err)
	}
	return corpus{filepath.Join(dir, "slsa-verifier"), root, map[string]bool{}}
}

// verify asks about a digest, of what one file of the corpus has.
func (c corpus) verify(t *testing.T, policy verify.Policy, digest assay.Digest, e ...assay.Envelope) *verify.Report {
	t.Helper()
	v, err := verify.New(verify.Trust{TrustedRoot: c.root}, policy, verify.At(corpusAt))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(t.Context(), digest, attest.FromEnvelopes(e...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func workflows() verify.SignerRule {
	return verify.SignerRule{Name: "github", Issuer: testsigstore.GitHubIssuer, SubjectPattern: "https://github[.]com/.+"}
}

// Everything in the corpus that can be verified by sigstore's public root is, by the whole
// way from the file to builder, source and level; and the rest is refused for the reason
// that is true.
func TestCorpusVerified(t *testing.T) {
	c := newCorpus(t)
	accepted, refused, levels := 0, map[verify.Reason]int{}, map[int]int{}
	err := filepath.WalkDir(c.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains([]string{".tsv", ".pem"}, filepath.Ext(path)) {
			return err
		}
		name, _ := filepath.Rel(c.folder, path)
		found, err := attest.FromFiles(path).Discover(t.Context(), assay.Digest{})
		if err != nil {
			return err
		}
		if len(found.Ignored) > 0 || (len(found.Faults) > 0) != strings.HasSuffix(name, "-no-signature.json") {
			t.Errorf("%s: ignored %v, faults %v", name, found.Ignored, found.Faults)
		}
		for e := range found.Bundle.Envelopes() {
			u, err := attest.ReadUnverified(e)
			if err != nil {
				if !strings.HasPrefix(name, "vsa/") {
					t.Errorf("%s: %v", name, err)
				}
				continue // see TestCorpusSummary
			}
			policy := verify.Policy{Signers: []verify.SignerRule{workflows()}, Require: []assay.Kind{assay.KindProvenance}}
			digest := u.Subjects[0].Digest[0]
			r := c.verify(t, policy, digest, e)
			a := r.Attestations[0]
			if want := expected(name, e, u); a.Reason != want {
				t.Errorf("%s: %s, %s (%s), want %s", name, a.State, a.Reason, a.Detail, want)
			}
			if a.State != assay.Proven {
				refused[a.Reason]++
				continue
			}
			accepted++
			levels[c.built(t, name, policy, digest, e, r)]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d accepted, by level %v; refused: %v", accepted, levels, refused)
	if accepted < 90 || levels[3] < 60 || levels[2] == 0 || levels[1] == 0 || levels[0] != 1 || refused[verify.LogUnproven] < 5 || refused[verify.SignerUntrusted] < 150 {
		t.Error("the corpus was not looked at")
	}
}

// expected is what comes of an envelope, by what is known of its file.
func expected(name string, e assay.Envelope, u *attest.Unverified) verify.Reason {
	switch {
	case strings.HasSuffix(name, "invalid-signature-encoding.json") && e.MediaType() == assay.MediaTypeDSSE:
		return verify.EnvelopeMalformed
	case e.MediaType() == assay.MediaTypeDSSE:
		return verify.SignerUntrusted // by a key of Google's, or a certificate that nobody witnessed
	case u.PredicateType == provenance.PredicateNPMPublish:
		return verify.SignerUntrusted // by a key of npm's
	case strings.Contains(name, "-invalidsigprov"):
		return verify.LogUnproven // the payload was changed
	}
	return verify.Holds
}

// built holds an accepted provenance against what it is of, and against what it is not, and
// gives its level.
func (c corpus) built(t *testing.T, name string, policy verify.Policy, digest assay.Digest, e assay.Envelope, r *verify.Report) int {
	t.Helper()
	p := slices.Collect(verify.Evidence[*assay.Provenance](r))[0]
	doc := p.Evidence()
	if strings.HasPrefix(name, "bcr/MODULE-wrong-signer") {
		check(t, r, verify.CheckBuilder, assay.Refuted, verify.BuilderNotAllowed)
		check(t, r, verify.CheckSignerClaims, assay.Refuted, verify.Contradiction)
		return r.BuildLevel()
	}
	if own := p.Signer().Claims.BuildSignerURI; own != doc.Builder.ID {
		// Nobody speaks for another builder without being let.
		if r.Err() == nil {
			t.Errorf("%s: %s spoke for %s", name, p.Signer(), doc.Builder.ID)
		}
		policy.Signers[0].Builders = []string{doc.Builder.ID}
	}
	policy.Sources, policy.RefPattern = []string{strings.TrimSuffix(doc.Source.Repository, ".git")}, regexp.QuoteMeta(doc.Source.Ref)
	ask := func(change func(*verify.Policy)) *verify.Report {
		changed := policy
		if change != nil {
			change(&changed)
		}
		return c.verify(t, changed, digest, e)
	}
	good := ask(nil)
	for _, id := range []string{verify.CheckBuilder, verify.CheckSignerClaims, verify.CheckSource} {
		check(t, good, id, assay.Proven, verify.Holds)
	}
	if good.Err() != nil {
		t.Errorf("%s: %v", name, good.Err())
	}
	kind := doc.Builder.ID + " " + string(doc.Format) + " " + e.MediaType()
	if c.seen[kind] {
		return good.BuildLevel() // nothing of the rest is new
	}
	c.seen[kind] = true
	check(t, ask(func(p *verify.Policy) { p.Sources = []string{policy.Sources[0] + "x"} }), verify.CheckSource, assay.Refuted, verify.SourceNotAllowed)
	if doc.Source.Ref != "" {
		check(t, ask(func(p *verify.Policy) { p.RefPattern = "refs/heads/of-nobody" }), verify.CheckSource, assay.Refuted, verify.RefNotAllowed)
	}
	if level := good.BuildLevel(); level < 3 {
		check(t, ask(func(p *verify.Policy) { p.MinBuildLevel = level + 1 }), verify.CheckLevel, assay.Refuted, verify.LevelTooLow)
	}
	if a := c.verify(t, policy, assay.SumSHA256([]byte("another")), e).Attestations[0]; a.Reason != verify.SubjectMismatch {
		t.Errorf("%s: of another artifact: %s", name, a.Reason)
	}
	if a := c.verify(t, policy, digest, tampered(t, e, doc.Source.Commit.Hex())).Attestations[0]; a.State == assay.Proven {
		t.Errorf("%s: of another commit: %+v", name, a)
	}
	return good.BuildLevel()
}

// tampered is the envelope with another commit in its payload.
func tampered(t *testing.T, e assay.Envelope, commit string) assay.Envelope {
	t.Helper()
	var doc struct {
		Envelope struct {
			Payload string `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(e.Raw(), &doc); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(doc.Envelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.ReplaceAll(payload, []byte(commit), []byte(commit[1:]+commit[:1]))
	if bytes.Equal(changed, payload) {
		t.Fatalf("no %s in %s", commit, payload)
	}
	raw := bytes.Replace(e.Raw(), []byte(doc.Envelope.Payload), []byte(base64.StdEncoding.EncodeToString(changed)), 1)
	if bytes.Equal(raw, e.Raw()) {
		t.Fatal("the payload is written otherwise")
	}
	return assay.NewEnvelope(e.MediaType(), raw)
}

// The attestations of a package, as npm's registry answers with them, are evidence on a
// component.
func TestCorpusComponent(t *testing.T) {
	c := newCorpus(t)
	f := newFixture(t)
	for file, want := range map[string]int{"gundam-visor-cli-v1-tag.tgz.json": 1, "gundam-visor-cli-v1-tag-invalidsigprov.tgz.json": 0} {
		answer := filepath.Join(c.folder, "npm", "gha", file)
		envelopes, err := attest.ReadFiles(t.Context(), answer)
		if err != nil || len(envelopes) != 2 {
			t.Fatalf("%d envelopes, %v", len(envelopes), err)
		}
		u, err := attest.ReadUnverified(envelopes[0])
		if err != nil {
			t.Fatal(err)
		}
		pkg := u.Subjects[0]
		list := &assay.SBOM{Root: f.sbom.Root, Components: []assay.Component{{ID: "a", Type: assay.TypeLibrary, Name: "gundam-visor", PURL: purl(pkg.Name), Version: purl(pkg.Name).Version(), Hashes: pkg.Digest}}}
		rule := workflows()
		rule.Builders, rule.ComponentsOnly = []string{"https://github.com/actions/runner/github-hosted"}, true
		policy := verify.Policy{Signers: append(f.policy().Signers, rule), MinComponents: 100, ContentsUnsafe: true}
		v, err := verify.New(verify.Trust{TrustedRoot: c.root, Keys: f.trust().Keys}, policy, verify.At(corpusAt), verify.Components(attest.FromFiles(answer)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(t.Context(), f.digest, attest.FromEnvelopes(f.sign(t, f.signer, list)))
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		if got := r.Components; got.Total != 1 || got.Identified != 1 || got.FromSource != want || (r.Err() == nil) != (want == 1) {
			t.Errorf("%s: %+v, %v", file, got, r.Err())
		}
		if want == 1 && r.Components.Proven[0].Source.Repository != "https://github.com/ramonpetgrave64/gundam-visor" {
			t.Errorf("got %+v", r.Components.Proven[0])
		}
	}
}

// Google's summary of an image of a virtual machine is about it by a digest of its own kind,
// which identifies no image: its signature holds, and it stands in for nothing.
func TestCorpusSummary(t *testing.T) {
	c := newCorpus(t)
	dir := filepath.Join(c.folder, "vsa", "gce", "v1")
	text, err := os.ReadFile(filepath.Join(dir, "vsa_signing_public_key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := verify.ParseKey("key", text)
	if err != nil {
		t.Fatal(err)
	}
	id, err := key.ID()
	if err != nil {
		t.Fatal(err)
	}
	envelopes, err := attest.ReadFiles(t.Context(), filepath.Join(dir, "gke-gce-pre.bcid-vsa.jsonl"))
	if err != nil || len(envelopes) != 1 {
		t.Fatalf("%d envelopes, %v", len(envelopes), err)
	}
	for name, tt := range map[string]struct {
		keys   []verify.Key
		reason verify.Reason
		says   string
	}{
		"with its key": {[]verify.Key{key}, verify.StatementMalformed, "/subject"},
		"with another": {newFixture(t).trust().Keys, verify.SignatureInvalid, ""},
	} {
		v, err := verify.New(verify.Trust{Keys: tt.keys}, verify.Policy{Signers: []verify.SignerRule{{Name: "google", Key: id}}, Require: []assay.Kind{assay.KindSummary}}, verify.At(corpusAt))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(t.Context(), assay.SumSHA256(nil), attest.FromEnvelopes(envelopes...))
		if err != nil {
			t.Fatal(err)
		}
		if a := r.Attestations[0]; a.State == assay.Proven || a.Reason != tt.reason || !strings.Contains(a.Detail, tt.says) || r.Err() == nil {
			t.Errorf("%s: %+v, %v", name, a, r.Err())
		}
	}
}
