package vex_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// said is a document of one author with a statement on each of the days.
func said(author string, statements ...assay.VEXStatement) *assay.VEX {
	v := &assay.VEX{ID: "https://example.com/" + author, Author: author, Timestamp: on(-100), Version: 1, Statements: statements}
	return v
}

func says(day int, id assay.VulnID, s assay.Status, products ...assay.Product) assay.VEXStatement {
	if len(products) == 0 {
		products = []assay.Product{image}
	}
	return assay.VEXStatement{Vulnerability: assay.Vulnerability{ID: id}, Timestamp: on(day), Status: s, Products: products}
}

func aliased(s assay.VEXStatement, aliases ...assay.VulnID) assay.VEXStatement {
	s.Vulnerability.Aliases = aliases
	return s
}

func updated(s assay.VEXStatement, day int) assay.VEXStatement {
	s.LastUpdated = on(day)
	return s
}

func version(v *assay.VEX, n, day int) *assay.VEX {
	v.Version, v.Timestamp = n, on(day)
	return v
}

func TestStatusOf(t *testing.T) {
	const id = assay.VulnID("CVE-2026-0001")
	docs := func(v ...*assay.VEX) []*assay.VEX { return v }
	for name, tt := range map[string]struct {
		docs       []*assay.VEX
		asked      assay.Vulnerability
		product    assay.Product
		at         int
		want       assay.Status
		history    int
		contradict int
	}{
		"nothing":                {nil, assay.Vulnerability{}, image, 0, "", 0, 0},
		"one":                    {docs(said("a", says(0, id, assay.Fixed))), assay.Vulnerability{}, image, 0, assay.Fixed, 1, 0},
		"later than asked":       {docs(said("a", says(1, id, assay.Fixed))), assay.Vulnerability{}, image, 0, "", 0, 0},
		"another vulnerability":  {docs(said("a", says(0, "CVE-2026-0002", assay.Fixed))), assay.Vulnerability{}, image, 0, "", 0, 0},
		"another product":        {docs(said("a", says(0, id, assay.Fixed, other))), assay.Vulnerability{}, image, 0, "", 0, 0},
		"no product":             {docs(said("a", assay.VEXStatement{Vulnerability: assay.Vulnerability{ID: id}, Timestamp: on(0), Status: assay.Fixed})), assay.Vulnerability{}, image, 0, "", 0, 0},
		"newest":                 {docs(said("a", says(1, id, assay.Affected), says(0, id, assay.UnderInvestigation))), assay.Vulnerability{}, image, 9, assay.Affected, 2, 0},
		"newest of then":         {docs(said("a", says(0, id, assay.UnderInvestigation), says(2, id, assay.Affected))), assay.Vulnerability{}, image, 1, assay.UnderInvestigation, 1, 0},
		"newest of two files":    {docs(said("a", says(2, id, assay.Fixed)), said("b", says(1, id, assay.UnderInvestigation))), assay.Vulnerability{}, image, 9, assay.Fixed, 2, 0},
		"updated since":          {docs(said("a", updated(says(0, id, assay.Fixed), 5))), assay.Vulnerability{}, image, 4, "", 0, 0},
		"updated by then":        {docs(said("a", updated(says(0, id, assay.Fixed), 5), says(4, id, assay.UnderInvestigation))), assay.Vulnerability{}, image, 5, assay.Fixed, 2, 0},
		"tie: worst":             {docs(said("a", says(0, id, assay.NotAffected), says(0, id, assay.Affected), says(0, id, assay.Fixed))), assay.Vulnerability{}, image, 0, assay.Affected, 3, 2},
		"tie: investigation":     {docs(said("a", says(0, id, assay.UnderInvestigation), says(0, id, assay.Fixed))), assay.Vulnerability{}, image, 0, assay.UnderInvestigation, 2, 1},
		"tie: agreement":         {docs(said("a", says(0, id, assay.Fixed)), said("b", says(0, id, assay.Fixed))), assay.Vulnerability{}, image, 0, assay.Fixed, 2, 0},
		"an old tie":             {docs(said("a", says(0, id, assay.Fixed), says(0, id, assay.Affected), says(1, id, assay.Fixed))), assay.Vulnerability{}, image, 1, assay.Fixed, 3, 0},
		"authors disagree":       {docs(said("a", says(0, id, assay.Affected)), said("b", says(1, id, assay.NotAffected))), assay.Vulnerability{}, image, 1, assay.NotAffected, 2, 1},
		"authors agree by now":   {docs(said("a", says(0, id, assay.Affected), says(1, id, assay.Fixed)), said("b", says(2, id, assay.NotAffected))), assay.Vulnerability{}, image, 2, assay.NotAffected, 3, 0},
		"an investigation ended": {docs(said("a", says(0, id, assay.UnderInvestigation)), said("b", says(1, id, assay.NotAffected))), assay.Vulnerability{}, image, 1, assay.NotAffected, 2, 0},
		"one author's progress":  {docs(said("a", says(0, id, assay.Affected), says(1, id, assay.Fixed))), assay.Vulnerability{}, image, 1, assay.Fixed, 2, 0},

		"asked by alias":             {docs(said("a", aliased(says(0, "GHSA-aaaa-bbbb-cccc", assay.Fixed), id))), assay.Vulnerability{}, image, 0, assay.Fixed, 1, 0},
		"asked with aliases":         {docs(said("a", says(0, "GHSA-aaaa-bbbb-cccc", assay.Fixed))), assay.Vulnerability{ID: id, Aliases: []assay.VulnID{"GHSA-aaaa-bbbb-cccc"}}, image, 0, assay.Fixed, 1, 0},
		"alias with name later":      {docs(said("a", says(0, id, assay.UnderInvestigation), aliased(says(1, "GHSA-aaaa-bbbb-cccc", assay.Fixed), id))), assay.Vulnerability{}, image, 1, assay.Fixed, 2, 0},
		"its own alias":              {docs(said("a", aliased(says(0, id, assay.Fixed), id))), assay.Vulnerability{ID: id, Aliases: []assay.VulnID{id}}, image, 0, assay.Fixed, 1, 0},
		"name and alias asked":       {docs(said("a", aliased(says(0, "GHSA-aaaa-bbbb-cccc", assay.Fixed), id))), assay.Vulnerability{ID: id, Aliases: []assay.VulnID{"GHSA-aaaa-bbbb-cccc"}}, image, 0, assay.Fixed, 1, 0},
		"a shared advisory is no ID": {docs(said("a", aliased(says(0, "CVE-2026-0002", assay.Fixed), "DSA-1-1"))), assay.Vulnerability{ID: id, Aliases: []assay.VulnID{"DSA-1-1"}}, image, 0, "", 0, 0},

		"part of it":             {docs(said("a", says(0, id, assay.NotAffected, parts(image, zlib)))), assay.Vulnerability{}, parts(image, zlib), 0, assay.NotAffected, 1, 0},
		"another part":           {docs(said("a", says(0, id, assay.NotAffected, parts(image, zlib)))), assay.Vulnerability{}, parts(image, ssl), 0, "", 0, 0},
		"the whole, by a part":   {docs(said("a", says(0, id, assay.NotAffected, parts(image, zlib)))), assay.Vulnerability{}, image, 0, "", 0, 0},
		"part is no better":      {docs(said("a", says(0, id, assay.NotAffected, parts(image, zlib)), says(0, id, assay.Affected))), assay.Vulnerability{}, parts(image, zlib), 0, assay.Affected, 2, 1},
		"superseded":             {docs(version(said("a", says(0, id, assay.NotAffected)), 1, 0), version(said("a", says(-1, id, assay.Affected)), 2, 1)), assay.Vulnerability{}, image, 9, assay.Affected, 1, 0},
		"not superseded by then": {docs(version(said("a", says(0, id, assay.NotAffected)), 1, 0), version(said("a", says(-1, id, assay.Affected)), 2, 5)), assay.Vulnerability{}, image, 4, assay.NotAffected, 1, 0},
		"only a later version":   {docs(version(said("a", says(0, id, assay.UnderInvestigation), says(5, id, assay.Affected)), 2, 5)), assay.Vulnerability{}, image, 4, assay.UnderInvestigation, 1, 0},
		"given twice":            {docs(said("a", says(0, id, assay.Fixed)), said("a", says(0, id, assay.Fixed)), nil), assay.Vulnerability{}, image, 0, assay.Fixed, 1, 0},
		"two of one version":     {docs(said("a", says(0, id, assay.Fixed)), said("a", says(0, id, assay.Affected))), assay.Vulnerability{}, image, 0, assay.Affected, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.asked.ID == "" {
				tt.asked.ID = id
			}
			got := vex.StatusOf(tt.docs, tt.product, tt.asked, on(tt.at))
			if got.Status != tt.want || len(got.History) != tt.history || len(got.Contradictions) != tt.contradict {
				t.Errorf("got %q, %d statements, contradictions %v", got.Status, len(got.History), got.Contradictions)
			}
			if (got.Source.Document != nil) != (tt.want != "") {
				t.Error("source and status disagree")
			}
			slices.Reverse(tt.docs)
			back := vex.StatusOf(tt.docs, tt.product, tt.asked, on(tt.at))
			if back.Status != got.Status || len(back.Contradictions) != len(got.Contradictions) || fmt.Sprint(back.History) != fmt.Sprint(got.History) {
				t.Errorf("in the other order %q, %v", back.Status, back.History)
			}
		})
	}
}

func TestStatusEnriched(t *testing.T) {
	a := aliased(says(0, "CVE-2026-0001", assay.NotAffected), "GHSA-aaaa-bbbb-cccc")
	a.StatusNotes, a.Justification, a.Supplier, a.Vulnerability.Description = "old", assay.ComponentNotPresent, "s", "d"
	b := says(1, "CVE-2026-0001", assay.Affected)
	b.ActionStatement, b.Supplier = "upgrade", "t"
	c := says(2, "CVE-2026-0001", assay.Affected)
	c.StatusNotes = "new"
	got := vex.StatusOf([]*assay.VEX{said("x", a, b, c)}, image, assay.Vulnerability{ID: "CVE-2026-0001"}, on(9)).Statement
	want := aliased(says(2, "CVE-2026-0001", assay.Affected), "GHSA-aaaa-bbbb-cccc")
	want.StatusNotes, want.ActionStatement, want.Supplier, want.Vulnerability.Description = "new", "upgrade", "t", "d"
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Error(d) // the justification of another status must not be here
	}
}

func TestContradictionString(t *testing.T) {
	a := vex.StatusOf([]*assay.VEX{said("a", says(0, "X-1", assay.Affected)), said("b", says(1, "X-1", assay.Fixed)), said("c", says(1, "X-1", assay.NotAffected))},
		image, assay.Vulnerability{ID: "X-1"}, on(1))
	if len(a.Contradictions) != 2 {
		t.Fatal(a.Contradictions)
	}
	for _, c := range a.Contradictions {
		if s := c.String(); !strings.Contains(s, "by b") || !strings.Contains(s, "by "+c.Other.Document.Author) || c.SameTime != strings.Contains(s, "same time") {
			t.Errorf("got %q", s)
		}
	}
}

// StatusOf against the plainest reading of its contract, on random histories.
func TestStatusOfAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	statuses := []assay.Status{assay.NotAffected, assay.Fixed, assay.UnderInvestigation, assay.Affected}
	for range 2000 {
		var docs []*assay.VEX
		for i := range 1 + rng.IntN(3) {
			var ss []assay.VEXStatement
			for range 1 + rng.IntN(4) {
				ss = append(ss, says(rng.IntN(4), assay.VulnID(fmt.Sprintf("X-%d", rng.IntN(2))), statuses[rng.IntN(4)], []assay.Product{image, other}[rng.IntN(2)]))
			}
			docs = append(docs, said(fmt.Sprint(i), ss...))
		}
		at := on(rng.IntN(4))
		worst, newest := -1, time.Time{}
		for _, d := range docs {
			for _, s := range d.Statements {
				if s.Vulnerability.ID != "X-0" || s.Products[0].ID != image.ID || s.Timestamp.After(at) || s.Timestamp.Before(newest) {
					continue
				}
				if s.Timestamp.After(newest) {
					worst, newest = -1, s.Timestamp
				}
				worst = max(worst, slices.Index(statuses, s.Status))
			}
		}
		var want assay.Status
		if worst >= 0 {
			want = statuses[worst]
		}
		rng.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		got := vex.StatusOf(docs, image, assay.Vulnerability{ID: "X-0"}, at)
		if got.Status != want {
			t.Fatalf("got %q, want %q: %v", got.Status, want, got.History)
		}
		if !reflect.DeepEqual(got, vex.NewTimeline(docs, at).Status(image, assay.Vulnerability{ID: "X-0"})) {
			t.Fatal("StatusOf and Timeline differ")
		}
	}
}
