package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/verify"
)

const script = "#!/bin/sh\necho ok\n"

// program is the digest of the one executable in the fixture's image.
var program = assay.SumSHA256([]byte(script))

func about(d assay.Digest) assay.Subject { return assay.Subject{Digest: assay.DigestSet{d}} }

// downSource is a source that cannot be read.
type downSource struct{}

func (downSource) Discover(_ context.Context, d assay.Digest) (*attest.Found, error) {
	return &attest.Found{Bundle: assay.NewBundle(d), Faults: []attest.Fault{{Store: "mirror", Kind: attest.Unreadable, Err: errors.New("down")}}}, nil
}

func TestComponents(t *testing.T) {
	f := newFixture(t)
	base := testimage.New(t, baseLayer())
	f.image = testimage.New(t, baseLayer(), testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: script}}})
	f.digest = f.image.ID()
	library := newSigner(t)
	withSource := func() *assay.Provenance {
		p := newProvenance()
		c, err := assay.NewDigest(assay.GitCommit, commit)
		if err != nil {
			t.Fatal(err)
		}
		p.BuildType = "https://github.com/assaykit/assay/provenance/gitlab-ci/v1"
		p.ExternalParameters = map[string]json.RawMessage{"repository": json.RawMessage(`"` + source + `"`)}
		p.Materials = []assay.Resource{{URI: "git+" + source, Digest: assay.DigestSet{c}}}
		return p
	}
	ask := func(t *testing.T, change func(*verify.Policy), own []assay.Envelope, sources ...attest.Source) *verify.Report {
		t.Helper()
		policy := verify.Policy{Signers: append(f.policy().Signers,
			verify.SignerRule{Name: "library", Key: library.Identity().Key, Builders: []string{builderID}, ComponentsOnly: true}),
			Bases: []assay.Digest{base.ID()}}
		if change != nil {
			change(&policy)
		}
		trust := f.trust()
		trust.Keys = append(trust.Keys, verify.Key{Public: library.Public()})
		options := []verify.Option{verify.At(at)}
		if len(sources) > 0 {
			options = append(options, verify.Components(sources...))
		}
		v, err := verify.New(trust, policy, options...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(t.Context(), f.digest, attest.FromEnvelopes(append(own, f.sign(t, f.signer, f.provenance))...), attest.FromImage(f.image), attest.FromImage(base))
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		return r
	}
	ofProgram := f.sign(t, library, withSource(), about(program))
	ofBase := f.sign(t, library, newProvenance(), about(base.ID()))

	t.Run("program and base", func(t *testing.T) {
		r := ask(t, nil, nil, attest.FromEnvelopes(ofProgram, ofBase))
		c := r.Components
		// Two packages without digest, the program, and the base.
		if c == nil || c.Total != 4 || c.Identified != 2 || c.Verified != 2 || c.FromSource != 1 || len(c.Proven) != 2 {
			t.Fatalf("got %+v", c)
		}
		for _, p := range c.Proven {
			if p.Digest == program && (p.Envelope != ofProgram.Digest() || p.Source.Repository != source || p.Level != 1 || p.Builder != builderID || p.Signer != library.Identity()) {
				t.Errorf("got %+v", p)
			}
		}
		check(t, r, verify.CheckComponents, assay.Unknown, verify.NotShown)
		if r.Err() != nil {
			t.Error(r.Err())
		}
		s, err := r.Summary(summaryOptions())
		if err != nil || !maps.Equal(s.DependencyLevels, map[string]int{"SLSA_BUILD_LEVEL_1": 2, "SLSA_BUILD_LEVEL_UNEVALUATED": 2}) {
			t.Errorf("dependencies are %v, %v", s, err)
		}
	})
	for name, envelopes := range map[string][]assay.Envelope{
		"by nobody that is known":        {f.sign(t, f.stranger, withSource(), about(program))},
		"of something else":              {f.sign(t, library, withSource(), about(assay.SumSHA256([]byte("other"))))},
		"of a builder that is not its":   {f.sign(t, library, func() *assay.Provenance { p := withSource(); p.Builder.ID = "https://other.example"; return p }(), about(program))},
		"an SBOM":                        {f.sign(t, library, f.sbom, about(program))},
		"of the base, by another digest": {f.sign(t, library, withSource(), about(assay.SumSHA256([]byte("base"))))},
	} {
		t.Run(name, func(t *testing.T) {
			if c := ask(t, nil, nil, attest.FromEnvelopes(envelopes...)).Components; c.Verified != 0 || c.FromSource != 0 || len(c.Proven) != 0 {
				t.Errorf("got %+v", c)
			}
		})
	}
	t.Run("not looked for", func(t *testing.T) {
		r := ask(t, nil, []assay.Envelope{ofProgram})
		if r.Components != nil {
			t.Errorf("got %+v", r.Components)
		}
		check(t, r, verify.CheckComponents, assay.Unknown, verify.NotStated)
	})
	t.Run("no evidence of the image", func(t *testing.T) {
		e := f.sign(t, library, newProvenance())
		r := ask(t, nil, []assay.Envelope{e}, attest.FromEnvelopes(e))
		if a := attestation(t, r, e); a.Reason != verify.SignerNotAllowed {
			t.Errorf("got %+v", a)
		}
	})
	t.Run("enough", func(t *testing.T) {
		r := ask(t, func(p *verify.Policy) { p.MinComponents = 25 }, nil, attest.FromEnvelopes(ofProgram))
		check(t, r, verify.CheckComponents, assay.Proven, verify.Holds)
		if r.Err() != nil {
			t.Error(r.Err())
		}
	})
	t.Run("too few", func(t *testing.T) {
		r := ask(t, func(p *verify.Policy) { p.MinComponents = 26 }, nil, attest.FromEnvelopes(ofProgram))
		check(t, r, verify.CheckComponents, assay.Refuted, verify.CoverageTooLow)
		if !errors.Is(r.Err(), verify.CoverageTooLow) {
			t.Errorf("got %v", r.Err())
		}
	})
	t.Run("too few that could be read", func(t *testing.T) {
		r := ask(t, func(p *verify.Policy) { p.MinComponents = 50 }, nil, attest.FromEnvelopes(ofProgram), downSource{})
		check(t, r, verify.CheckComponents, assay.Unknown, verify.StoreUnreadable)
		if !errors.Is(r.Err(), assay.ErrUnchecked) || len(r.Components.Faults) != 1 {
			t.Errorf("got %v, %+v", r.Err(), r.Components.Faults)
		}
	})
}

func TestComponentsOfNoSource(t *testing.T) {
	f := newFixture(t)
	if _, err := verify.New(f.trust(), f.policy(), verify.Components()); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if _, err := verify.New(f.trust(), f.policy(), verify.Components(nil)); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// A record that lists a component twice could say two things of it.
func TestComponentsInRecord(t *testing.T) {
	f := newFixture(t)
	v, err := verify.New(f.trust(), f.policy(), verify.At(at), verify.Components(downSource{}))
	if err != nil {
		t.Fatal(err)
	}
	f.image = testimage.New(t, baseLayer(), testimage.Layer{Files: []testimage.File{{Name: "usr/bin/app", Mode: 0o755, Body: script}}})
	r, err := v.Verify(t.Context(), f.image.ID(), attest.FromImage(f.image))
	if err != nil {
		t.Fatal(err)
	}
	replays(t, r)
	text := string(record(t, r))
	at := `"found":[{"digest":"` + program.String() + `"`
	twice := strings.Replace(text, at, `"found":[{"digest":"`+program.String()+`"},{"digest":"`+program.String()+`"`, 1)
	if twice == text {
		t.Fatal("the record does not have the component")
	}
	if _, err := verify.ReadRecord("record.json", []byte(twice)); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/components/found/1/digest") {
		t.Errorf("got %v", err)
	}
}
