package vex

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Reached is what is said of one component of an SBOM on all ways that lead to it.
type Reached struct {
	// Status is the worst of the ways' statuses; empty if a way is not Covered, or
	// the SBOM has no such component.
	Status assay.Status
	// Ways has an answer for each product in which the component was spoken of, the
	// outermost of its way, sorted by component.
	Ways []Way
	// Uncovered are the components at which a way begins on which nobody speaks of
	// the component: those the root needs directly, sorted.
	Uncovered []assay.ComponentID
	// Undecided has, like Ways, the answers that are open because of a statement whose
	// version range cannot be decided on; the ways to those products are Uncovered.
	Undecided []Way
	// Complete: the SBOM states that its edges are complete, so that there are no
	// more ways than those it lists.
	Complete bool
}

// Way is an answer about the component as part of a product.
type Way struct {
	// Product is the component that was spoken of as the product; the component
	// itself if it was spoken of without another.
	Product assay.ComponentID
	Answer  Answer
}

// StatusIn says what holds for a vulnerability of a component in the image that the
// SBOM describes. Statements can be about the image with the component as
// subcomponent; about something in between, such as a program of which the component
// is a library, which has it as subcomponent; or about the component as a product.
//
// The ways are those of the dependency graph from the root. A component that depends
// on others, or contains them, leads to those; what nothing else leads to, the root
// leads to. On each way the outermost product counts, because whoever speaks of it
// knows what is around the component; and of all ways the worst status. A way on
// which nobody speaks leaves the component unknown: that a program does not call a
// library says nothing of another that has the same library. That counts only as far
// as the SBOM lists the ways, so a policy that lets a part of the image speak for the
// component has to ask for Complete as well. Where a statement about a product may be
// about this version, and its range cannot be decided on, nothing further in counts.
//
// Image names the root as statements do, beside what the SBOM says of it: see
// [ImageProduct]. It can be zero.
func (t *Timeline) StatusIn(doc *assay.SBOM, image assay.Product, component assay.ComponentID, vulnerability assay.Vulnerability) Reached {
	return t.In(doc, image).Status(component, vulnerability)
}

// ImageTimeline is a timeline of what is said of the image that an SBOM describes, for
// many questions. It does not change, and may be shared.
type ImageTimeline struct {
	t        *Timeline
	doc      *assay.SBOM
	image    assay.Product
	graph    *graph
	complete bool
}

// In indexes the SBOM, which must not be changed afterwards. Image is as for
// [Timeline.StatusIn].
func (t *Timeline) In(doc *assay.SBOM, image assay.Product) *ImageTimeline {
	return &ImageTimeline{t, doc, image, newGraph(doc), edgesComplete(doc)}
}

// Status answers as [Timeline.StatusIn] does.
func (i *ImageTimeline) Status(component assay.ComponentID, vulnerability assay.Vulnerability) Reached {
	t, doc, image, g := i.t, i.doc, i.image, i.graph
	out := Reached{Complete: i.complete}
	part, ok := g.components[component]
	if !ok {
		return out
	}
	asked := ComponentProduct(*part)
	ask := func(p assay.Product, subs ...assay.Product) Answer {
		p.Subcomponents = subs
		return t.Status(p, vulnerability)
	}
	leads := g.leadingTo(component)
	worst := func(a Answer) {
		if out.Status == "" || severity(a.Status) > severity(out.Status) {
			out.Status = a.Status
		}
	}
	// The root first, under both of its names.
	rootNames := []assay.Product{image, ComponentProduct(doc.Root)}
	for _, name := range rootNames {
		subs := []assay.Product{asked}
		if component == doc.Root.ID {
			subs = nil
		}
		switch a := ask(name, subs...); {
		case a.Status != "":
			out.Ways = append(out.Ways, Way{doc.Root.ID, a})
			worst(a)
		case a.open():
			out.Undecided = append(out.Undecided, Way{doc.Root.ID, a})
		}
	}
	if len(out.Undecided) > 0 {
		out.Status = ""
		for _, id := range g.top {
			if leads[id] {
				out.Uncovered = append(out.Uncovered, id)
			}
		}
		if component == doc.Root.ID {
			out.Uncovered = []assay.ComponentID{component}
		}
		return out
	}
	if len(out.Ways) > 0 {
		return out
	}
	if component == doc.Root.ID {
		out.Uncovered = []assay.ComponentID{component}
		return out
	}
	// Then inward, as far as nobody speaks. What is said of a component does not
	// depend on the way to it, so each is asked once.
	silent := map[assay.ComponentID]bool{}
	seen := map[assay.ComponentID]bool{}
	stack := slices.Clone(g.top)
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[id] || !leads[id] {
			continue
		}
		seen[id] = true
		var a Answer
		if id == component {
			a = ask(asked)
		} else {
			a = ask(ComponentProduct(*g.components[id]), asked)
		}
		if a.Status != "" {
			out.Ways = append(out.Ways, Way{id, a})
			worst(a)
			continue
		}
		silent[id] = true
		if a.open() {
			out.Undecided = append(out.Undecided, Way{id, a})
			continue
		}
		if id != component {
			stack = append(stack, g.to[id]...)
		}
	}
	// Back out again from where nobody spoke to the end.
	open := g.through(component, silent)
	for _, w := range out.Undecided {
		for id := range g.through(w.Product, silent) {
			open[id] = true
		}
	}
	for _, id := range g.top {
		if open[id] {
			out.Uncovered = append(out.Uncovered, id)
		}
	}
	slices.SortFunc(out.Ways, func(a, b Way) int { return cmp.Compare(a.Product, b.Product) })
	slices.SortFunc(out.Undecided, func(a, b Way) int { return cmp.Compare(a.Product, b.Product) })
	if len(out.Uncovered) > 0 {
		out.Status = ""
	}
	return out
}

func edgesComplete(doc *assay.SBOM) bool {
	complete := false
	for _, c := range doc.Completeness {
		if c.Scope != "dependencies" && !strings.HasPrefix(c.Scope, "dependencies:") {
			continue
		}
		if c.Aggregate != "complete" {
			return false
		}
		if c.Scope == "dependencies" && (c.Of == "" || c.Of == doc.Root.ID) {
			complete = true
		}
	}
	return complete
}

// graph is the edges along which a component is part of another.
type graph struct {
	components map[assay.ComponentID]*assay.Component
	to, from   map[assay.ComponentID][]assay.ComponentID // without the root
	top        []assay.ComponentID                       // what the root leads to, sorted
}

func newGraph(doc *assay.SBOM) *graph {
	g := &graph{map[assay.ComponentID]*assay.Component{doc.Root.ID: &doc.Root}, map[assay.ComponentID][]assay.ComponentID{},
		map[assay.ComponentID][]assay.ComponentID{}, nil}
	for i := range doc.Components {
		g.components[doc.Components[i].ID] = &doc.Components[i]
	}
	direct := map[assay.ComponentID]bool{}
	for _, r := range doc.Relations {
		if r.Kind != assay.DependsOn && r.Kind != assay.Contains || r.From == r.To {
			continue
		}
		if g.components[r.From] == nil || g.components[r.To] == nil {
			continue
		}
		switch {
		case r.From != doc.Root.ID:
			g.to[r.From] = append(g.to[r.From], r.To)
			g.from[r.To] = append(g.from[r.To], r.From)
		case r.Kind == assay.DependsOn:
			// The root contains everything; what it depends on, it says so.
			direct[r.To] = true
		}
	}
	// A cycle that nothing leads into would hang in the air, with all that it leads
	// to. Such an SBOM does not say what the root needs of it, so it may need any.
	reached := map[assay.ComponentID]bool{}
	walk := func(start assay.ComponentID) {
		stack := []assay.ComponentID{start}
		for len(stack) > 0 {
			id := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if !reached[id] {
				reached[id] = true
				stack = append(stack, g.to[id]...)
			}
		}
	}
	for id := range g.components {
		if id != doc.Root.ID && (direct[id] || len(g.from[id]) == 0) {
			g.top = append(g.top, id)
			walk(id)
		}
	}
	ids := make([]assay.ComponentID, 0, len(g.components))
	for id := range g.components {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if id != doc.Root.ID && !reached[id] {
			g.top = append(g.top, id)
		}
	}
	slices.Sort(g.top)
	return g
}

// leadingTo is the component and all that it is part of.
func (g *graph) leadingTo(id assay.ComponentID) map[assay.ComponentID]bool { return g.through(id, nil) }

// through is the component and all that it is part of by way of those in only; nil is
// all.
func (g *graph) through(id assay.ComponentID, only map[assay.ComponentID]bool) map[assay.ComponentID]bool {
	out := map[assay.ComponentID]bool{}
	stack := []assay.ComponentID{id}
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !out[id] && (only == nil || only[id]) {
			out[id] = true
			stack = append(stack, g.from[id]...)
		}
	}
	return out
}
