package triage

import (
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// State is what is to be done about a finding.
type State string

const (
	// Open: nobody speaks of it, or it is stated that the image is affected.
	Open State = "open"
	// Contradicted: a statement that would close it is refuted by the SBOM, the contents
	// or the reachable code, or by another author's last word.
	Contradicted State = "contradicted"
	// Unknown: a statement would close it, but cannot be relied on.
	Unknown State = "unknown"
	// UnderInvestigation: it is stated that it is not known yet.
	UnderInvestigation State = "under_investigation"
	// Fixed: it is stated that the image contains a fix, and nothing refutes that.
	Fixed State = "fixed"
	// NotAffected: it is stated that the image is not affected, with a reason that
	// nothing refutes.
	NotAffected State = "not_affected"
)

// Closed reports whether nothing is left to be done. Everything but Fixed and
// NotAffected is open work.
func (s State) Closed() bool { return s == Fixed || s == NotAffected }

// badness orders states: of several, the first counts.
var badness = [...]State{Open, Contradicted, Unknown, UnderInvestigation, Fixed, NotAffected}

func worse(a, b State) bool {
	for _, s := range badness {
		if a == s || b == s {
			return a == s && b != s
		}
	}
	return false
}

// Reason says why a finding has its state.
type Reason string

const (
	// Open.
	NoStatement    Reason = "no-statement"
	StatedAffected Reason = "stated-affected"
	PartlySpokenOf Reason = "partly-spoken-of" // some ways to the component have no statement
	RangeUndecided Reason = "range-undecided"  // a statement may be about the version
	// Contradicted.
	AuthorsDisagree  Reason = "authors-disagree"
	ComponentPresent Reason = "component-present"
	CodeReachable    Reason = "code-reachable"
	StillAffected    Reason = "still-affected" // the version that is said to be fixed
	// Unknown.
	Expired         Reason = "expired"
	NotLookedUp     Reason = "not-looked-up" // nothing shows that the component is absent
	NoJustification Reason = "no-justification"
	EdgesIncomplete Reason = "edges-incomplete" // there may be more ways to the component
	// UnderInvestigation, Fixed and NotAffected.
	Stated Reason = "stated"
)

// Decision is the state of one finding, and what it rests on.
type Decision struct {
	Finding assay.Finding `json:"finding"`
	State   State         `json:"state"`
	Reason  Reason        `json:"reason"`
	// Detail says it in a line for people.
	Detail string `json:"detail"`
	// Justification is that of the statement that decides, where there is one.
	Justification assay.Justification `json:"justification,omitempty"`
	// Checked says whether the statement's reason was held against the contents or the
	// reachable code: proven, refuted, or unknown where nothing can show it.
	Checked assay.State `json:"checked"`
	// Action is what those who state affected advise.
	Action string `json:"action,omitempty"`
	// Grounds are the statements that decide, one for each way to the component;
	// Against are those that contradict them.
	Grounds []Ground `json:"grounds,omitempty"`
	Against []Ground `json:"against,omitempty"`
	// Uncovered are the components at which ways begin on which nobody speaks of it.
	Uncovered []assay.ComponentID `json:"uncovered,omitempty"`
	// StaleSince is when the statement that decides should have been renewed; zero if it
	// need not be. See [Options].Ages.
	StaleSince time.Time `json:"staleSince,omitzero"`
}

// Ground is a statement that a decision rests on.
type Ground struct {
	// Product is the component that the statement speaks of as product.
	Product   assay.ComponentID `json:"product,omitempty"`
	Document  string            `json:"document"`
	Version   int               `json:"version"`
	Author    string            `json:"author"`
	Statement int               `json:"statement"`
	Status    assay.Status      `json:"status"`
	// Justification is the statement's or, where it has none, that of an earlier one that
	// it goes on from ([vex.StatusOf]).
	Justification assay.Justification `json:"justification,omitempty"`
	// Time is since when it holds.
	Time time.Time `json:"time"`
	// ProductBasis and ComponentBasis say what product and component were found by.
	ProductBasis   vex.Basis `json:"productBasis"`
	ComponentBasis vex.Basis `json:"componentBasis"`
	// Entry is the statement itself.
	Entry vex.Entry `json:"-"`
}

func ground(product assay.ComponentID, e vex.Entry) Ground {
	return Ground{
		Product: product, Document: e.Document.ID, Version: e.Document.Version, Author: e.Document.Author, Statement: e.Index,
		Status: e.Statement().Status, Time: e.Time, ProductBasis: e.Match.Product, ComponentBasis: e.Match.Component, Entry: e,
	}
}

// addGround keeps each statement once: the root of an SBOM has two names.
func addGround(list []Ground, g Ground) []Ground {
	if slices.ContainsFunc(list, func(o Ground) bool {
		return o.Product == g.Product && o.Entry.Document == g.Entry.Document && o.Statement == g.Statement
	}) {
		return list
	}
	return append(list, g)
}
