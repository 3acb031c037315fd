package triage_test

import (
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

// An advisory of several vulnerabilities is settled by a word on each of them, or on the
// advisory, and not by one on any.
func TestFindingOfSeveralVulnerabilities(t *testing.T) {
	const dsa, first, second = assay.VulnID("DSA-5999-1"), assay.VulnID("CVE-2026-0001"), assay.VulnID("CVE-2026-0002")
	of := func(id assay.VulnID, aliases ...assay.VulnID) assay.Finding {
		f := finding("ssl")
		f.Vulnerability = assay.Vulnerability{ID: id, Aliases: aliases}
		return f
	}
	advisory := of(dsa, first, second)
	not := func(id assay.VulnID, aliases ...assay.VulnID) *assay.VEX {
		d := vex.New("a@example.com", vex.Options{Time: on(0)})
		d.NotAffected(id, assay.InlineMitigationsAlreadyExist, image).Aliases(aliases...)
		return must(d.Build())
	}
	affected := func(id assay.VulnID) *assay.VEX {
		return must(vex.New("a@example.com", vex.Options{Time: on(1)}).Affected(id, "Upgrade.", image).Build())
	}
	for name, tt := range map[string]struct {
		f     assay.Finding
		docs  []*assay.VEX
		state triage.State
	}{
		"one of two":                {advisory, []*assay.VEX{not(first)}, triage.Open},
		"the other":                 {advisory, []*assay.VEX{not(second)}, triage.Open},
		"both":                      {advisory, []*assay.VEX{not(first), not(second)}, triage.NotAffected},
		"the advisory":              {advisory, []*assay.VEX{not(dsa)}, triage.NotAffected},
		"one, by the other's alias": {advisory, []*assay.VEX{not(first, second)}, triage.NotAffected},
		"one, as of the advisory":   {advisory, []*assay.VEX{not(first, dsa)}, triage.Open},
		"both, and one is affected": {advisory, []*assay.VEX{not(dsa), affected(second)}, triage.Open},
		"two names of one":          {of(first, second), []*assay.VEX{not(first)}, triage.Open},
		"one CVE":                   {of(dsa, first), []*assay.VEX{not(first)}, triage.NotAffected},
		"one CVE, named twice":      {of(first, first, "GO-2026-0001"), []*assay.VEX{not("GO-2026-0001")}, triage.NotAffected},
	} {
		for _, doc := range []*assay.SBOM{inventory(), nil} {
			if got := decide(t, tt.f, doc, triage.Options{Image: image}, tt.docs...); got.State != tt.state || got.Finding.Vulnerability.ID != tt.f.Vulnerability.ID {
				t.Errorf("%s: got %s (%s), want %s", name, got.State, got.Detail, tt.state)
			}
		}
	}
}
