package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
		if slices.Contains(v.policy.rule(e.Rule()).VEXAuthors, e.Evidence().Author) {
			doc, _ := c.aboutThis(e)
			docs = append(docs, doc)
		}
	}
	line := vex.NewTimeline(docs, c.report.At)
	o := triage.Options{Image: assay.Product{Digests: assay.DigestSet(c.about)}}
	var graph *assay.SBOM
	if inventories := c.inventories(); len(inventories) > 0 {
		graph = inventories[0]
	}
	if c.contents.inspection != nil {
		o.Inventory = c.contents.sbom
	}
	var out []triaged
	for _, s := range scans {
		r, err := triage.Triage(s.Evidence(), line, graph, o)
		out = append(out, triaged{s, r, err})
	}
	return out
}

// findings answers whether what closes findings holds: VEX is not contradicted by the
// image, its inventory or other VEX, and the scanner could decide every question. That a
// finding is open is no fault of it; see [CheckRemediation].
func (v *Verifier) findings(list []triaged) Check {
	t := newTally(CheckFindings)
	count := map[triage.State]int{}
	for _, s := range list {
		if s.err != nil {
			t.add(assay.Unknown, NotShown, s.scan.Envelope(), s.err.Error())
			continue
		}
		t.add(assay.Proven, Holds, s.scan.Envelope())
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
