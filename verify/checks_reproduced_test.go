package verify_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/provenance"
	"github.com/assaykit/assay/verify"
)

// builtBy is provenance of a builder, from a commit.
func builtBy(t *testing.T, builder, commit string) *assay.Provenance {
	t.Helper()
	p := newProvenance()
	c, err := assay.NewDigest(assay.GitCommit, commit)
	if err != nil {
		t.Fatal(err)
	}
	p.Builder.ID = builder
	p.BuildType = provenance.BuildTypeGitLab
	p.ExternalParameters = map[string]json.RawMessage{"repository": json.RawMessage(`"` + source + `"`)}
	p.Materials = []assay.Resource{{URI: "git+" + source, Digest: assay.DigestSet{c}}}
	return p
}

func TestReproduced(t *testing.T) {
	f := newFixture(t)
	second, third := newSigner(t), newSigner(t)
	const one, two, three = builderID, "https://second.example/v1", "https://third.example/v1"
	other := commit[1:] + commit[:1]
	ask := func(t *testing.T, change func(*verify.Policy), sources []attest.Source, envelopes ...assay.Envelope) *verify.Report {
		t.Helper()
		policy := verify.Policy{MinBuilders: 2, Signers: []verify.SignerRule{
			{Name: "one", Key: f.signer.Identity().Key, Builders: []string{one}, Operator: "the project"},
			{Name: "two", Key: second.Identity().Key, Builders: []string{two}, Operator: "a distribution"},
			{Name: "three", Key: third.Identity().Key, Builders: []string{three}, Operator: "a volunteer"},
		}}
		if change != nil {
			change(&policy)
		}
		trust := f.trust()
		trust.Keys = append(trust.Keys, verify.Key{Public: second.Public()}, verify.Key{Public: third.Public()})
		v, err := verify.New(trust, policy, verify.At(at))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(t.Context(), f.digest, append(sources, attest.FromEnvelopes(envelopes...), attest.FromImage(f.image))...)
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		return r
	}
	a := f.sign(t, f.signer, builtBy(t, one, commit))
	b := f.sign(t, second, builtBy(t, two, commit))
	c := f.sign(t, third, builtBy(t, three, commit))
	unreadable := []attest.Source{downSource{}}
	for name, tt := range map[string]struct {
		policy    func(*verify.Policy)
		sources   []attest.Source
		envelopes []assay.Envelope
		state     assay.State
		reason    verify.Reason
	}{
		"two":                          {nil, nil, []assay.Envelope{a, b}, assay.Proven, verify.Holds},
		"two, not asked for":           {func(p *verify.Policy) { p.MinBuilders = 0 }, nil, []assay.Envelope{a, b}, assay.Proven, verify.Holds},
		"three of three":               {func(p *verify.Policy) { p.MinBuilders = 3 }, nil, []assay.Envelope{a, b, c}, assay.Proven, verify.Holds},
		"two of three":                 {func(p *verify.Policy) { p.MinBuilders = 3 }, nil, []assay.Envelope{a, b}, assay.Refuted, verify.TooFewBuilders},
		"one":                          {nil, nil, []assay.Envelope{a}, assay.Refuted, verify.TooFewBuilders},
		"one, not asked for":           {func(p *verify.Policy) { p.MinBuilders = 0 }, nil, []assay.Envelope{a}, assay.Unknown, verify.NotShown},
		"one, and what was not read":   {nil, unreadable, []assay.Envelope{a}, assay.Unknown, verify.StoreUnreadable},
		"two, and what was not read":   {nil, unreadable, []assay.Envelope{a, b}, assay.Proven, verify.Holds},
		"none":                         {nil, nil, nil, assay.Unknown, verify.NotStated},
		"one operator of both":         {func(p *verify.Policy) { p.Signers[1].Operator = "the project" }, nil, []assay.Envelope{a, b}, assay.Refuted, verify.TooFewBuilders},
		"an operator that is not said": {func(p *verify.Policy) { p.Signers[1].Operator = "" }, nil, []assay.Envelope{a, b}, assay.Refuted, verify.TooFewBuilders},
		"another commit":               {nil, nil, []assay.Envelope{a, f.sign(t, second, builtBy(t, two, other))}, assay.Refuted, verify.TooFewBuilders},
		"of another image":             {nil, nil, []assay.Envelope{a, f.sign(t, second, builtBy(t, two, commit), about(program))}, assay.Refuted, verify.TooFewBuilders},
		"a builder of somebody else":   {nil, nil, []assay.Envelope{a, f.sign(t, f.signer, builtBy(t, two, commit))}, assay.Refuted, verify.TooFewBuilders},
		"by a stranger":                {nil, nil, []assay.Envelope{a, f.sign(t, f.stranger, builtBy(t, two, commit))}, assay.Refuted, verify.TooFewBuilders},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, tt.policy, tt.sources, tt.envelopes...)
			got := check(t, r, verify.CheckReproduced, tt.state, tt.reason)
			if got.Required != (r.Err() != nil) && tt.state != assay.Proven || r.Reproduced() != (tt.state == assay.Proven) {
				t.Errorf("required %v, reproduced %v, error %v", got.Required, r.Reproduced(), r.Err())
			}
		})
	}
	t.Run("summary", func(t *testing.T) {
		s, err := ask(t, nil, nil, a, b).Summary(summaryOptions())
		if err != nil || !slices.Contains(s.Levels, provenance.BuildReproduced) {
			t.Errorf("got %+v, %v", s, err)
		}
		if s, err = ask(t, func(p *verify.Policy) { p.MinBuilders = 0 }, nil, a).Summary(summaryOptions()); err != nil || slices.Contains(s.Levels, provenance.BuildReproduced) {
			t.Errorf("got %+v, %v", s, err)
		}
	})
	for _, n := range []int{-1, 1} {
		p := f.policy()
		p.MinBuilders = n
		if _, err := verify.New(f.trust(), p); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%d builders: %v", n, err)
		}
	}
}
