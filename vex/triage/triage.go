package triage

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// Options are what else is known, and the policy. The zero value is the strictest.
type Options struct {
	// Image names the image as statements do, beside what the SBOM says of its root;
	// see [vex.ImageProduct].
	Image assay.Product
	// Inventory is what the bytes of the image showed, such as the SBOM of
	// [sbom.Contents]. Components that an upper layer removed are not in it, so they are
	// not present. Nil: only the SBOM is asked what is present, and component_not_present
	// stands only where it states that it is complete.
	//
	// [sbom.Contents]: https://pkg.go.dev/github.com/assaykit/assay/sbom#Contents
	Inventory *assay.SBOM
	// Ages are how long statements may go without being renewed. An expired fixed or
	// not_affected makes a finding unknown; others are marked in
	// [Decision].StaleSince. The zero value is no limit.
	Ages vex.Ages
	// Backporters are authors who fix packages without raising the version that
	// advisories go by, as distributions do. See [Triage], fixed.
	Backporters []string
	// FreeText lets not_affected stand with an impact statement alone, which no program
	// can check.
	FreeText bool
}

// Result is the triage of a scan.
type Result struct {
	// At is the time as of which the statements were read.
	At time.Time `json:"at"`
	// Decisions has one for each finding, in the order of [assay.Finding.Compare].
	Decisions []Decision `json:"decisions"`
	// Unevaluated is what the scan could not decide. It is unknown, whatever statements
	// say.
	Unevaluated []assay.Unevaluated `json:"unevaluated,omitempty"`
}

// Remaining are the decisions that close nothing, in order.
func (r *Result) Remaining() []Decision {
	var out []Decision
	for _, d := range r.Decisions {
		if !d.State.Closed() {
			out = append(out, d)
		}
	}
	return out
}

// Count is the number of findings in each state. Unknown includes what the scan could
// not decide.
func (r *Result) Count() map[State]int {
	out := map[State]int{}
	for _, d := range r.Decisions {
		out[d.State]++
	}
	if len(r.Unevaluated) > 0 {
		out[Unknown] += len(r.Unevaluated)
	}
	return out
}

// Stale are the decisions whose statements should have been renewed, in order.
func (r *Result) Stale() []Decision {
	var out []Decision
	for _, d := range r.Decisions {
		if !d.StaleSince.IsZero() {
			out = append(out, d)
		}
	}
	return out
}

// Triage decides on every finding of a scan, as of the time of the timeline.
//
// What is stated of a finding is [vex.Timeline.StatusIn] of its component, so a
// statement counts if its vulnerability has the finding's identifier or an alias of it,
// or the reverse, and if its product is the image, the component, or anything on the
// ways between them in the SBOM. Of a finding with several CVEs, such as an advisory's,
// each has to be spoken of, and the worst state counts. Of a component that the SBOM has several times the
// worst state counts. Without an SBOM the image and the component are all there is.
//
// affected, or nothing stated on some way to the component, leaves a finding open.
// under_investigation never closes. Another author's last word of affected contradicts
// fixed and not_affected. A statement about a product in between closes only what the
// SBOM shows all ways to: by stating that its edges are complete, or because every file
// that the component was found in is that of a product that is spoken of.
//
// not_affected is held against what is known:
//
//   - component_not_present is refuted if the SBOM or the inventory has the component
//     that the finding or the statement names; it is proven if the inventory has not, or
//     the SBOM has not and states that its components are complete.
//   - vulnerable_code_not_present and vulnerable_code_not_in_execute_path are refuted by
//     code that is reachable, and proven by code that is not.
//   - The other two are the author's word, which nothing here can check.
//
// fixed says that the image has the fix, and the finding that its version is affected.
// So the finding contradicts it, with one exception: where a fix was backported, the
// version that advisories go by stays. A statement stands for a backport if it names
// the component by a digest that it has; or if it names its exact version, and either
// the author is one of Options.Backporters or the SBOM says that the component is a
// modified other one ([assay.DescendantOf]).
func Triage(scan *assay.Scan, line *vex.Timeline, doc *assay.SBOM, o Options) (*Result, error) {
	switch {
	case scan == nil:
		return nil, missing("scan")
	case line == nil:
		return nil, missing("timeline")
	}
	t := &triager{line: line, o: o, shown: newShown(doc), bytes: newShown(o.Inventory)}
	if doc != nil {
		t.image = line.In(doc, o.Image)
	}
	r := &Result{At: line.At(), Decisions: make([]Decision, 0, len(scan.Findings)), Unevaluated: slices.Clone(scan.Unevaluated)}
	for i, f := range scan.Findings {
		if f.Vulnerability.ID == "" {
			return nil, &assay.Error{Op: "triage", Kind: assay.ErrInvalid, Field: "/findings/" + strconv.Itoa(i) + "/vulnerability/id", Bound: "an identifier"}
		}
		r.Decisions = append(r.Decisions, t.finding(f))
	}
	slices.SortStableFunc(r.Decisions, func(a, b Decision) int { return a.Finding.Compare(b.Finding) })
	slices.SortStableFunc(r.Unevaluated, func(a, b assay.Unevaluated) int {
		return cmp.Or(cmp.Compare(a.Vulnerability, b.Vulnerability), a.PURL.Compare(b.PURL), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Reason, b.Reason))
	})
	return r, nil
}

func missing(what string) error {
	return &assay.Error{Op: "triage", Kind: assay.ErrInvalid, Field: what, Bound: "a " + what + ", though it may be empty"}
}

type triager struct {
	line  *vex.Timeline
	image *vex.ImageTimeline // nil without SBOM
	o     Options
	shown *shown // the SBOM
	bytes *shown // the inventory
}

// finding decides on one finding.
func (t *triager) finding(f assay.Finding) Decision {
	parts := t.shown.find(f)
	var out Decision
	for i, v := range questions(f.Vulnerability) {
		if len(parts) == 0 {
			if d := t.elsewhere(f, v); i == 0 || worse(d.State, out.State) {
				out = d
			}
		}
		for j, c := range parts {
			d := t.decide(f, c, t.image.Status(c.ID, v), t.shown.doc.Root.ID)
			if i+j == 0 || worse(d.State, out.State) {
				out = d
			}
		}
	}
	return out
}

// questions are one for each CVE, with the aliases that are none: an advisory can be about
// several, and what is said of one of them settles nothing of the others.
func questions(v assay.Vulnerability) []assay.Vulnerability {
	var cves, others []assay.VulnID
	for _, id := range append([]assay.VulnID{v.ID}, v.Aliases...) {
		list := &others
		if strings.HasPrefix(string(id), "CVE-") {
			list = &cves
		}
		if !slices.Contains(*list, id) {
			*list = append(*list, id)
		}
	}
	if len(cves) < 2 {
		return []assay.Vulnerability{v}
	}
	out := make([]assay.Vulnerability, len(cves))
	for i, id := range cves {
		out[i] = assay.Vulnerability{ID: id, Aliases: others}
	}
	return out
}

// elsewhere decides on a finding of a component that the SBOM lacks, or without SBOM:
// what is stated of it as part of the image counts all the same.
func (t *triager) elsewhere(f assay.Finding, v assay.Vulnerability) Decision {
	const root, part = "image", "component"
	doc := &assay.SBOM{
		Root: assay.Component{ID: root}, Components: []assay.Component{{ID: part, PURL: f.PURL}},
		Relations: []assay.Relation{{From: root, Kind: assay.DependsOn, To: part}},
	}
	if t.shown != nil {
		doc.Root = t.shown.doc.Root
		doc.Root.ID = root
	}
	d := t.decide(f, &doc.Components[0], t.line.In(doc, t.o.Image).Status(part, v), root)
	d.Uncovered = nil
	for _, list := range [][]Ground{d.Grounds, d.Against} {
		for i := range list {
			list[i].Product = "" // of no document
		}
	}
	return d
}

// decide joins the answers of all ways to a component.
func (t *triager) decide(f assay.Finding, c *assay.Component, r vex.Reached, root assay.ComponentID) Decision {
	d := Decision{Finding: f, State: Open, Reason: NoStatement, Detail: "nobody speaks of it"}
	between := false
	for i, w := range r.Ways {
		v := t.judge(f, c, w)
		if i == 0 || worse(v.state, d.State) {
			d.State, d.Reason, d.Detail, d.Checked = v.state, v.reason, v.detail, v.checked
			d.Justification, d.Action = w.Answer.Statement.Justification, w.Answer.Statement.ActionStatement
			d.StaleSince = v.stale
		}
		g := ground(w.Product, w.Answer.Source)
		g.Justification = w.Answer.Statement.Justification
		d.Grounds = addGround(d.Grounds, g)
		for _, c := range w.Answer.Contradictions {
			d.Against = addGround(d.Against, ground(w.Product, c.Other))
		}
		between = between || w.Product != root && w.Product != c.ID
	}
	for _, w := range r.Undecided {
		for _, e := range w.Answer.Undecided {
			d.Against = addGround(d.Against, ground(w.Product, e))
		}
	}
	if d.State == Open && d.Reason == StatedAffected {
		d.Uncovered = r.Uncovered
		return d
	}
	if len(r.Undecided) > 0 {
		e := r.Undecided[0].Answer.Undecided[0]
		d.State, d.Reason, d.Checked, d.Uncovered = Open, RangeUndecided, assay.Unknown, r.Uncovered
		d.Detail = "whether the version is in the range that " + e.Document.Author + " states in " + e.Document.ID + " cannot be told"
		return d
	}
	if len(r.Ways) == 0 {
		d.Uncovered = r.Uncovered
		return d
	}
	if len(r.Uncovered) > 0 {
		d.Uncovered = r.Uncovered
		d.State, d.Reason, d.Checked = Open, PartlySpokenOf, assay.Unknown
		d.Detail = "nobody speaks of it in " + joinIDs(r.Uncovered)
		return d
	}
	if d.State.Closed() && between && !r.Complete && !t.shown.allSpokenOf(c, r.Ways) {
		d.State, d.Reason, d.Checked = Unknown, EdgesIncomplete, assay.Unknown
		d.Detail = "the statements are about products of the image, and the SBOM does not say that nothing else has the component"
	}
	return d
}

func joinIDs(ids []assay.ComponentID) string {
	const most = 3
	var names []string
	for i, id := range ids {
		if i == most {
			names = append(names, strconv.Itoa(len(ids)-most)+" more")
			break
		}
		names = append(names, string(id))
	}
	return strings.Join(names, ", ")
}
