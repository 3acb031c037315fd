package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

// triaged is what is to be done about the findings of one scan.
type triaged struct {
	scan   Verified[*assay.Scan]
	result *triage.Result
	err    error
}

// triage decides on the findings of each current scan: by the VEX documents that are
// about this image and whose author their signer may speak for, and by the image's bytes
// where they are at hand.
func (v *Verifier) triage(c *subjectCase) []triaged {
	scans := v.currentScans(c)
	if len(scans) == 0 {
		return nil
	}
	var docs []*assay.VEX
	for _, e := range c.vexes {
		if state, _, _ := dated(c.report.At, e); state == assay.Proven && v.speaks(e) {
			doc, _ := c.aboutThis(e)
			docs = append(docs, doc)
		}
	}
	line := vex.NewTimeline(docs, c.report.At)
	o := triage.Options{Image: assay.Product{Digests: assay.DigestSet{c.about[0]}}}
	within := time.Duration(v.policy.VEXWithin)
	o.Ages = vex.Ages{NotAffected: within, Fixed: within}
	graphs := c.inventories()
	if len(graphs) == 0 {
		graphs = []*assay.SBOM{nil}
	}
	if c.contents.inspection != nil {
		o.Inventory = c.contents.sbom
	}
	var out []triaged
	for _, s := range scans {
		var all *triage.Result
		for _, graph := range graphs {
			r, err := triage.Triage(s.Evidence(), line, graph, o)
			if err != nil {
				all = nil
				out = append(out, triaged{s, nil, err})
				break
			}
			all = worst(all, r)
		}
		if all != nil {
			out = append(out, triaged{s, all, nil})
		}
	}
	return out
}

// worst joins what is decided by different inventories: what closes a finding has to do so
// by each, or one that leaves something out would.
func worst(a, b *triage.Result) *triage.Result {
	if a == nil {
		return b
	}
	rank := func(s triage.State) int {
		return slices.Index([]triage.State{triage.NotAffected, triage.Fixed, triage.UnderInvestigation, triage.Unknown, triage.Contradicted, triage.Open}, s)
	}
	// Both are of one scan, and in one order.
	for i := range b.Decisions {
		if rank(b.Decisions[i].State) > rank(a.Decisions[i].State) {
			a.Decisions[i] = b.Decisions[i]
		}
	}
	return a
}

// speaks reports whether the signer of a VEX document may speak for its author.
func (v *Verifier) speaks(e Verified[*assay.VEX]) bool {
	return slices.Contains(v.policy.rule(e.Rule()).VEXAuthors, e.Evidence().Author)
}

// dropped are the findings of one scan that another, by the same scanner, of the same
// components and with the same database, leaves out: what it says is not what it found.
func dropped(a, b *assay.Scan) []string {
	if a.Scanner.URI != b.Scanner.URI || a.Scanner.Version != b.Scanner.Version || !a.Scanner.DBDigest.Match(b.Scanner.DBDigest) ||
		a.Coverage == nil || b.Coverage == nil || a.Coverage.Digest != b.Coverage.Digest {
		return nil
	}
	has := map[string]bool{}
	line := func(id assay.VulnID, p assay.PURL, c assay.ComponentID) string {
		return fmt.Sprintf("%s in %s", id, cmp.Or(p.String(), string(c), "a component"))
	}
	for _, f := range b.Findings {
		has[line(f.Vulnerability.ID, f.PURL, f.Component)] = true
	}
	for _, u := range b.Unevaluated {
		has[line(u.Vulnerability, u.PURL, u.Component)] = true
	}
	var out []string
	for _, f := range a.Findings {
		if what := line(f.Vulnerability.ID, f.PURL, f.Component); !has[what] {
			out = append(out, what)
		}
	}
	return out
}

// findings answers whether what closes findings holds: VEX is not contradicted by the
// image, its inventory or other VEX, and the scanner could decide every question, and does
// not deny what it found with the same database. That a finding is open is no fault of it;
// see [CheckRemediation].
func (v *Verifier) findings(c *subjectCase, list []triaged) Check {
	t := newTally(CheckFindings)
	count := map[triage.State]int{}
	for _, s := range list {
		if s.err != nil {
			t.add(assay.Unknown, NotShown, s.scan.Envelope(), s.err.Error())
			continue
		}
		t.add(assay.Proven, Holds, s.scan.Envelope())
		for _, o := range c.scans {
			for _, what := range dropped(o.Evidence(), s.scan.Evidence()) {
				t.add(assay.Refuted, Contradiction, o.Envelope(), fmt.Sprintf("%s: scan by %s found it with the same database, and another says that it is not there", what, o.Evidence().Scanner.URI))
			}
		}
		for _, d := range s.result.Decisions {
			count[d.State]++
			switch d.State {
			case triage.Contradicted:
				t.add(assay.Refuted, Contradiction, assay.Digest{}, findingLine(d.Finding)+": "+d.Detail)
			case triage.Unknown:
				t.add(assay.Unknown, NotShown, assay.Digest{}, findingLine(d.Finding)+": "+d.Detail)
			}
		}
		for _, u := range s.result.Unevaluated {
			if u.Vulnerability != "" {
				t.add(assay.Unknown, NotShown, assay.Digest{}, fmt.Sprintf("%s in %s: %s", u.Vulnerability, cmp.Or(u.PURL.String(), string(u.Component)), u.Reason))
			}
		}
	}
	var found []string
	for _, s := range []triage.State{triage.Open, triage.UnderInvestigation, triage.Fixed, triage.NotAffected} {
		if count[s] > 0 {
			found = append(found, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	return t.done(words{
		holds:   cmp.Or(strings.Join(found, ", "), "nothing was found"),
		refuted: "a finding is closed by what is not so",
		open:    "not every finding is decided",
		nothing: "no fresh scan was accepted",
	})
}

func findingLine(f assay.Finding) string {
	return fmt.Sprintf("%s in %s", f.Vulnerability.ID, cmp.Or(f.PURL.String(), string(f.Component), "a component"))
}
