package verify_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

func TestBuildLevel(t *testing.T) {
	k := newKeylessFixture(t)
	run := testsigstore.Workflow{}
	own := workflowProvenance(t, run)
	vouched := []verify.BuildLevelRule{{Signer: "release", Builder: own.Builder.ID, Level: 3}}
	selfHosted := run
	selfHosted.Runner = "self-hosted"
	for name, tt := range map[string]struct {
		run    testsigstore.Workflow
		change func(*assay.Provenance)
		levels []verify.BuildLevelRule
		want   int
		level  int
		state  assay.State
		says   string
	}{
		"hosted workflow":            {run, nil, nil, 2, 2, assay.Proven, "a runner of GitHub's"},
		"hosted workflow, too low":   {run, nil, nil, 3, 2, assay.Refuted, "docs.github.com"},
		"self-hosted":                {selfHosted, nil, nil, 2, 1, assay.Refuted, "self-hosted"},
		"vouched for":                {run, nil, vouched, 3, 3, assay.Proven, `believes signer "release"`},
		"vouched for by pattern":     {run, nil, []verify.BuildLevelRule{{Signer: "release", BuilderPattern: `https://github\.com/octo-org/.*`, Level: 3}}, 3, 3, assay.Proven, "up to level 3"},
		"vouched for another signer": {run, nil, []verify.BuildLevelRule{{Signer: "other", Builder: own.Builder.ID, Level: 3}}, 3, 2, assay.Refuted, `signed by "release"`},
		"a part of the pattern":      {run, nil, []verify.BuildLevelRule{{Signer: "release", BuilderPattern: `https://github\.com/octo-org/`, Level: 3}}, 3, 2, assay.Refuted, ""},
		"another builder": {run, func(p *assay.Provenance) { p.Builder.ID = "https://github.com/actions/runner/github-hosted" }, vouched, 2, 1, assay.Refuted,
			"no entry of the table"},
		"of another run": {run, func(p *assay.Provenance) {
			p.InvocationID = "https://github.com/octo-org/octo-repo/actions/runs/1/attempts/1"
		}, vouched, 1, 0, assay.Refuted, "contradicts its signing certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			p := workflowProvenance(t, tt.run)
			if tt.change != nil {
				tt.change(p)
			}
			r := k.ask(t, func(p *verify.Policy) {
				p.Signers = append(p.Signers, verify.SignerRule{Name: "other", Key: k.stranger.Identity().Key})
				p.Require, p.MinBuildLevel, p.BuildLevels = []assay.Kind{assay.KindProvenance}, tt.want, tt.levels
			}, attest.FromEnvelopes(k.by(t, tt.run, p)))
			if len(r.BuildLevels) != 1 || r.BuildLevels[0].Level != tt.level || r.BuildLevel() != tt.level {
				t.Fatalf("levels are %+v", r.BuildLevels)
			}
			reason := verify.Holds
			if tt.state != assay.Proven {
				reason = verify.LevelTooLow
			}
			c := check(t, r, verify.CheckLevel, tt.state, reason)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q, want %q", c.Findings, tt.says)
			}
			if (r.Err() == nil) != (tt.state == assay.Proven) {
				t.Errorf("got %v", r.Err())
			}
		})
	}
	t.Run("no provenance", func(t *testing.T) {
		r := k.ask(t, func(p *verify.Policy) { p.MinBuildLevel = 1 }, attest.FromEnvelopes(k.by(t, run, k.sbom)))
		check(t, r, verify.CheckLevel, assay.Unknown, verify.NotStated)
		if !errors.Is(r.Err(), assay.ErrUnchecked) {
			t.Errorf("got %v", r.Err())
		}
	})
}
