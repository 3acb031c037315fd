package vex_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// mergeable are three authors, two of whom contradict each other, repetitions, and an
// old version.
func mergeable() []*assay.VEX {
	named := func(name string, v *assay.VEX) *assay.VEX { v.ID += "/" + name; v.Timestamp = on(0); return v }
	why := func(s assay.VEXStatement) assay.VEXStatement {
		s.Justification = assay.ComponentNotPresent
		return s
	}
	act := func(s assay.VEXStatement) assay.VEXStatement { s.ActionStatement = "Upgrade."; return s }
	const one, two = "CVE-2026-0001", "CVE-2026-0002"
	return []*assay.VEX{
		named("1", said("a", why(says(1, one, assay.NotAffected)), says(1, two, assay.UnderInvestigation))),
		named("2", said("a", why(says(1, one, assay.NotAffected)), says(2, two, assay.UnderInvestigation))),
		named("3", said("a", says(3, two, assay.UnderInvestigation), says(4, two, assay.Fixed), says(5, two, assay.UnderInvestigation))),
		version(named("4", said("a", says(9, one, assay.Fixed, other))), 1, 0),
		version(named("4", said("a", says(8, one, assay.Fixed, other))), 2, 8),
		named("1", said("b", act(says(1, one, assay.Affected)), says(1, two, assay.Fixed, other))),
		named("1", said("c", says(4, two, assay.Fixed, zlib))),
	}
}

func TestMerge(t *testing.T) {
	docs := mergeable()
	m, err := vex.Merge(docs, vex.Options{Base: "https://example.com/merged"})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Documents) != 3 || len(m.Superseded) != 1 || m.Superseded[0].Version != 1 || len(m.Repeated) != 2 || len(m.Contradictions) != 1 {
		t.Fatalf("got %d documents, superseded %v, repeated %v, contradictions %v", len(m.Documents), m.Superseded, m.Repeated, m.Contradictions)
	}
	a := m.Documents[0]
	if a.Author != "a" || a.Version != 1 || !a.Timestamp.Equal(on(8)) || !strings.HasPrefix(a.ID, "https://example.com/merged/vex-") || len(a.Statements) != 6 {
		t.Errorf("got %+v", a)
	}
	if d := cmp.Diff(docs[5].Statements, m.Documents[1].Statements, equal); d != "" || m.Documents[1].ID != docs[5].ID {
		t.Error("a lone document changed:", m.Documents[1].ID, d)
	}
	for _, v := range m.Documents {
		if err := vex.Validate(v); err != nil {
			t.Error(err)
		}
	}
	// The order of what comes in changes nothing.
	for range 10 {
		mixed := slices.Clone(docs)
		rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		again := must(vex.Merge(mixed, vex.Options{Base: "https://example.com/merged"}))
		if d := cmp.Diff(m.Documents, again.Documents, equal); d != "" {
			t.Fatal(d)
		}
	}
	// Merging what is merged changes nothing.
	again := must(vex.Merge(m.Documents, vex.Options{}))
	if d := cmp.Diff(m.Documents, again.Documents, equal); d != "" || len(again.Repeated) != 0 {
		t.Error(d, again.Repeated)
	}
	// Nor does merging change any answer, before or after.
	current := slices.Delete(slices.Clone(docs), 3, 4)
	for d := range 12 {
		for _, p := range []assay.Product{image, other, zlib} {
			for _, id := range []assay.VulnID{"CVE-2026-0001", "CVE-2026-0002"} {
				// Versions count from when they were issued; so ask of the statements.
				ask := func(docs []*assay.VEX) vex.Answer {
					var out []*assay.VEX
					for _, v := range docs {
						c := *v
						c.Timestamp = on(0)
						out = append(out, &c)
					}
					return vex.StatusOf(out, p, assay.Vulnerability{ID: id}, on(d))
				}
				was, is := ask(current), ask(m.Documents)
				if was.Status != is.Status || (len(was.Contradictions) > 0) != (len(is.Contradictions) > 0) || was.Source.Document != nil && was.Source.Document.Author != is.Source.Document.Author {
					t.Errorf("day %d, %s in %s: %q %v became %q %v", d, id, p.ID, was.Status, was.Contradictions, is.Status, is.Contradictions)
				}
			}
		}
	}
}

func TestCompile(t *testing.T) {
	v, contradictions, err := vex.Compile("b", mergeable(), vex.Options{Role: "compiler", Time: on(10)})
	if err != nil {
		t.Fatal(err)
	}
	if v.Author != "b" || v.AuthorRole != "compiler" || !v.Timestamp.Equal(on(10)) || len(v.Statements) != 9 || len(contradictions) != 1 {
		t.Errorf("got %+v %v", v, contradictions)
	}
	notes := map[string]int{}
	for _, s := range v.Statements {
		notes[s.StatusNotes]++
	}
	want := map[string]int{
		"": 2, "Stated by a in https://example.com/a/1 version 1.": 2, "Stated by a in https://example.com/a/3 version 1.": 3,
		"Stated by a in https://example.com/a/4 version 2.": 1, "Stated by c in https://example.com/c/1 version 1.": 1,
	}
	if d := cmp.Diff(want, notes); d != "" {
		t.Error(d)
	}
	if _, err := vex.Encode(v); err != nil {
		t.Error(err)
	}
}

func TestMergeRefuses(t *testing.T) {
	_, err := vex.Merge(nil, vex.Options{})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 6", "at least one document")
	_, err = vex.Merge(mergeable(), vex.Options{ID: "urn:x:y"})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 2", "urn:x:y")
	_, err = vex.Merge(mergeable(), vex.Options{Base: "no iri"})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 2", "no iri")
	bad := mergeable()
	bad[2].Statements[0].Status = "sane"
	_, err = vex.Merge(bad, vex.Options{})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 7", "/statements/0/status", bad[2].ID)
	_, _, err = vex.Compile(" ", mergeable(), vex.Options{})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 3")
}

// A statement identifier that two documents use names one statement afterwards.
func TestMergeStatementIDs(t *testing.T) {
	docs := mergeable()[:2]
	docs[0].Statements[1].ID, docs[1].Statements[1].ID = "https://example.com/s", "https://example.com/s"
	m := must(vex.Merge(docs, vex.Options{}))
	n := 0
	for _, s := range m.Documents[0].Statements {
		if s.ID != "" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d statements have the identifier", n)
	}
}
