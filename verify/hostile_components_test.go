package verify_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
)

func layerOf(name string) testimage.Layer {
	return testimage.Layer{Files: []testimage.File{{Name: name, Body: name}}}
}

// Any number of images may have the same layers. An image has one base all the same, so
// that nobody raises the share of what is verified by naming more of them.
func TestManyBasesAreOne(t *testing.T) {
	f := newFixture(t)
	program := testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: script}}}
	f.image = testimage.New(t, baseLayer(), layerOf("etc/second"), program)
	f.digest = f.image.ID()
	p := newProvenance()
	sources := []attest.Source{attest.FromImage(f.image)}
	var evidence []assay.Envelope
	for i := range 5 {
		twin := testimage.Options{Config: func(c *v1.ConfigFile) { c.Author = strings.Repeat("x", i+1) }}
		for _, base := range []*testimage.Image{testimage.NewWith(t, twin, baseLayer()), testimage.NewWith(t, twin, baseLayer(), layerOf("etc/second"))} {
			p.Materials = append(p.Materials, assay.Resource{URI: "pkg:docker/base@1", Digest: assay.DigestSet{base.ID()}})
			sources = append(sources, attest.FromImage(base))
			evidence = append(evidence, f.sign(t, f.signer, builtBy(t, builderID, commit), about(base.ID())))
		}
	}
	policy := verify.Policy{Signers: f.policy().Signers, MinComponents: 26}
	r := f.ask(t, policy, []verify.Option{verify.Components(attest.FromEnvelopes(evidence...))}, append(sources, attest.FromEnvelopes(f.sign(t, f.signer, p)))...)
	check(t, r, verify.CheckBase, assay.Proven, verify.Holds)
	// Two packages, the program and the base.
	if c := r.Components; c.Total != 4 || c.Verified != 1 || c.FromSource != 1 {
		t.Errorf("got %+v", c)
	}
	check(t, r, verify.CheckComponents, assay.Refuted, verify.CoverageTooLow)
	s, err := f.ask(t, verify.Policy{Signers: f.policy().Signers}, []verify.Option{verify.Components(attest.FromEnvelopes(evidence...))}, append(sources, attest.FromEnvelopes(f.sign(t, f.signer, p)))...).Summary(summaryOptions())
	if err != nil || !maps.Equal(s.DependencyLevels, map[string]int{"SLSA_BUILD_LEVEL_1": 1, "SLSA_BUILD_LEVEL_UNEVALUATED": 3}) {
		t.Errorf("dependencies are %+v, %v", s, err)
	}
}

// A hundred copies of what is verified are one thing.
func TestCopiesOfAComponentAreOne(t *testing.T) {
	f := newFixture(t)
	files := baseLayer().Files
	for i := range 100 {
		files = append(files, testimage.File{Name: fmt.Sprintf("usr/bin/app%d", i), Mode: 0o755, Body: script})
	}
	f.image = testimage.New(t, testimage.Layer{Files: files})
	f.digest = f.image.ID()
	evidence := verify.Components(attest.FromEnvelopes(f.sign(t, f.signer, builtBy(t, builderID, commit), about(program))))
	r := f.ask(t, verify.Policy{Signers: f.policy().Signers, MinComponents: 34}, []verify.Option{evidence}, attest.FromImage(f.image))
	if c := r.Components; c.Total != 3 || c.FromSource != 1 || c.Proven[0].Name != "usr/bin/app0" {
		t.Errorf("got %+v", c)
	}
	check(t, r, verify.CheckComponents, assay.Refuted, verify.CoverageTooLow)
}

// How much of an image is verified is not to be known from a list that may leave out the
// rest: that of an SBOM alone, or of databases that cannot all be read.
func TestCoverageOfWhatIsNotKnown(t *testing.T) {
	f := newFixture(t)
	whole := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: script}}})
	broken := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: script}, {Name: "var/lib/dpkg/status", Body: "\x00\x01\x02"}}})
	evidence := []verify.Option{verify.Components(attest.FromEnvelopes(f.sign(t, f.signer, builtBy(t, builderID, commit), about(program))))}
	list := &assay.SBOM{Root: f.sbom.Root, Components: []assay.Component{{ID: "app", Type: assay.TypeFile, Name: "app", Hashes: assay.DigestSet{program}}}}
	for name, tt := range map[string]struct {
		image    *testimage.Image
		withhold bool
		unsafe   bool
		min      int
		state    assay.State
		reason   verify.Reason
	}{
		"bytes":                          {whole, false, false, 100, assay.Proven, verify.Holds},
		"bytes, not asked for":           {whole, false, false, 0, assay.Proven, verify.Holds},
		"SBOM alone":                     {whole, true, false, 100, assay.Unknown, verify.NoContents},
		"SBOM alone, not asked for":      {whole, true, false, 0, assay.Unknown, verify.NoContents},
		"SBOM alone, and that is enough": {whole, true, true, 100, assay.Proven, verify.Holds},
		"a broken database":              {broken, false, false, 50, assay.Unknown, verify.ContentsIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			f.image, f.digest = tt.image, tt.image.ID()
			policy := verify.Policy{Signers: f.policy().Signers, MinComponents: tt.min, ContentsUnsafe: tt.unsafe}
			sources := []attest.Source{attest.FromEnvelopes(f.sign(t, f.signer, list))}
			if !tt.withhold {
				contents, err := sbom.Scan(t.Context(), f.image, sbom.Options{})
				if err != nil {
					t.Fatal(err)
				}
				sources = []attest.Source{attest.FromEnvelopes(f.sign(t, f.signer, contents.SBOM)), attest.FromImage(f.image)}
			}
			r := f.ask(t, policy, evidence, sources...)
			check(t, r, verify.CheckComponents, tt.state, tt.reason)
			if tt.min > 0 && (r.Err() == nil) != (tt.state == assay.Proven) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
}

// Provenance of a component that nobody but its job says the source of is verified, and from
// no named source.
func TestComponentOfNobodysClaim(t *testing.T) {
	k := newKeylessFixture(t)
	k.image = testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: script}}})
	k.digest = k.image.ID()
	run := testsigstore.Workflow{}
	for claimed, want := range map[string]int{commit: 1, "": 0} {
		id := run.Identity("")
		id.Extensions.SourceRepositoryDigest, id.Extensions.GithubWorkflowSHA = claimed, claimed
		policy := verify.Policy{Signers: []verify.SignerRule{{Name: "library", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN()}}, MinComponents: 100}
		r := k.judge(t, policy, []verify.Option{verify.Components(attest.FromEnvelopes(k.as(t, id, workflowProvenance(t, run), about(program))))}, attest.FromImage(k.image))
		if c := r.Components; c.Verified != 1 || c.FromSource != want || (c.Proven[0].Source != assay.Source{}) != (want == 1) {
			t.Errorf("commit %q claimed: %+v", claimed, c)
		}
		if c, _ := r.Check(verify.CheckComponents); (c.State == assay.Proven) != (want == 1) || !c.Required {
			t.Errorf("commit %q claimed: %+v", claimed, c)
		}
	}
}

// A dependency of several images of an index is one dependency (VSA V4).
func TestDependenciesOfAnIndex(t *testing.T) {
	f := newFixture(t)
	with := func(architecture, name string) testimage.Member {
		layer := testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: script}, {Name: "usr/bin/" + name, Mode: 0o755, Body: "#!/bin/sh\n" + name}}}
		i := testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.Architecture = architecture }}, layer)
		return testimage.Member{Image: i, Platform: assay.Platform{OS: "linux", Architecture: architecture}}
	}
	index := testimage.NewIndex(t, with("amd64", "one"), with("arm64", "two"))
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.PushIndex(t, home.Ref("app:v1"), index)
	policy := verify.Policy{Signers: f.policy().Signers}
	v, err := verify.New(f.trust(), policy, verify.At(at), verify.Components(attest.FromEnvelopes(f.sign(t, f.signer, newProvenance(), about(program)))))
	if err != nil {
		t.Fatal(err)
	}
	own := attest.FromEnvelopes(f.sign(t, f.signer, newProvenance(), about(index.ID())))
	r, err := v.Verify(t.Context(), index.ID(), own, attest.FromRegistry(ref.Context().Name(), image.Registry{}))
	if err != nil {
		t.Fatal(err)
	}
	replays(t, r)
	s, err := r.Summary(summaryOptions())
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"SLSA_BUILD_LEVEL_1": 1, "SLSA_BUILD_LEVEL_UNEVALUATED": 2}; !maps.Equal(s.DependencyLevels, want) {
		t.Errorf("dependencies are %v, want %v", s.DependencyLevels, want)
	}
}

// What was held against signed evidence is an input as that is.
func TestSummaryNamesWhatIsNested(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	claims := run.Identity("").Extensions
	nested := nestedProvenance(t, k.digest, claims.SourceRepositoryURI, claims.SourceRepositoryDigest)
	own := k.by(t, run, workflowProvenance(t, run))
	for _, asked := range []bool{true, false} {
		s, err := k.ask(t, func(p *verify.Policy) { p.Nested = asked }, attest.FromEnvelopes(nested, own)).Summary(summaryOptions())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(s.Inputs, func(i assay.Resource) bool { return i.Digest.Has(nested.Digest()) }) || len(s.Inputs) != 2 {
			t.Errorf("asked for: %v, inputs are %v", asked, s.Inputs)
		}
	}
	other := nestedProvenance(t, k.digest, claims.SourceRepositoryURI, strings.Repeat("f", 40))
	if _, err := k.ask(t, func(p *verify.Policy) { p.Nested = true }, attest.FromEnvelopes(other, own)).Summary(summaryOptions()); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("got %v", err)
	}
}
