package vex_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// Every rule of the package comment is broken here, and the breach is named: by an error,
// by a warning where what breaks it is in circulation, or by what would be answered if the
// rule were not kept.
func TestRules(t *testing.T) {
	refused := func(old, new string, says ...string) func(*testing.T, string) {
		return func(t *testing.T, rule string) {
			v, _, err := vex.Read("doc", change(t, old, new))
			if v != nil {
				t.Error("a document came with the error")
			}
			wantRule(t, err, assay.ErrInvalid, rule, says...)
		}
	}
	// odd is read with a warning, and never written.
	odd := func(old, new string) func(*testing.T, string) {
		return func(t *testing.T, rule string) {
			v, warnings, err := vex.Read("doc", change(t, old, new))
			if err != nil || !slices.ContainsFunc(warnings, func(w vex.Warning) bool { return w.Rule == rule }) {
				t.Fatalf("got %v, %v", warnings, err)
			}
			if _, err := vex.Encode(v); err == nil {
				t.Error("it is written")
			} else {
				wantRule(t, err, assay.ErrInvalid, rule)
			}
		}
	}
	at := func(s assay.VEXStatement) string { return s.Timestamp.UTC().Format("2006-01-02") }
	const product = `"products":[{"@id":"pkg:npm/a@1"}],`
	breaks := map[int][]func(*testing.T, string){
		1: {refused("/ns/v0.2.0", "/ns/v9.9.9", "v9.9.9"), refused(`"@context":"https://openvex.dev/ns/v0.2.0",`, "", "/@context")},
		2: {refused("https://example.com/v", "v 1", "/@id"), odd("pkg:npm/a@1\"}", `a b"}`)},
		3: {refused(`"author":"a@example.com"`, `"author":" "`, "/author")},
		4: {refused(`"timestamp":"2026-11-01T12:00:00Z",`, "", "/timestamp"), refused("2026-11-01T12:00:00Z", "2026-11-01", "/timestamp")},
		5: {refused(`"version":1`, `"version":0`, "/version"), func(t *testing.T, rule string) {
			old, _, _ := vex.Read("old", []byte(minimal))
			next, _, _ := vex.Read("next", change(t, status, `"status":"under_investigation"`))
			wantRule(t, vex.CheckUpdate(old, next), assay.ErrRefuted, rule)
		}},
		6: {refused(`"statements":[`, `"statements":[],"x":[`), refused(`"version":1`, `"version":1,"extra":1`, "extra"), refused(`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1"},{"@id":"pkg:npm/a@1"}`, "/statements/0/products/1")},
		7: {refused(status, `"status":"fine"`, "fine")},
		8: {refused(status, `"status":"not_affected"`, "/justification"), refused(status, `"status":"not_affected","justification":"trust_me"`, "trust_me")},
		9: {refused(status, `"status":"affected"`, "/action_statement")},
		10: {func(t *testing.T, rule string) {
			v, warnings, err := vex.Read("doc", change(t, product, ""))
			if err != nil || len(warnings) != 1 || warnings[0].Rule != rule {
				t.Fatalf("got %v, %v", warnings, err)
			}
			_, err = vex.Encode(v)
			wantRule(t, err, assay.ErrInvalid, rule)
		}},
		// The statement's own time and products go before those around it.
		11: {func(t *testing.T, _ string) {
			inherits, _, err := vex.Read("doc", []byte(minimal))
			own, _, err2 := vex.Read("doc", change(t, product, product+`"timestamp":"2026-10-01T00:00:00Z",`))
			if err != nil || err2 != nil || at(inherits.Statements[0]) != "2026-11-01" || at(own.Statements[0]) != "2026-10-01" {
				t.Errorf("got %v %v", inherits, own)
			}
			p, err := vex.ReadPredicate("p", vex.PredicateType, []byte(minimal), []assay.Subject{subject("other", digA)})
			if err != nil || len(p.VEX.Statements) != 0 || len(p.Ignored) == 0 {
				t.Errorf("the subject stands in for a product that is there: %+v, %v", p, err)
			}
		}},
		12: {func(t *testing.T, rule string) {
			old, _, _ := vex.Read("old", []byte(minimal))
			next := must(vex.Edit(old, vex.Options{Time: on(5)}).Fixed("CVE-2026-0002", image).Build())
			if at(next.Statements[0]) != "2026-11-01" && at(next.Statements[1]) != "2026-11-01" {
				t.Errorf("the time of what was not touched moved: %+v", next.Statements)
			}
			moved := *next
			moved.Statements = slices.Clone(next.Statements)
			for i := range moved.Statements {
				moved.Statements[i].Timestamp = on(5)
			}
			wantRule(t, vex.CheckUpdate(old, &moved), assay.ErrRefuted, rule)
		}},
		13: {refused(`{"name":"CVE-2026-0001"}`, `{"@id":"https://example.com/cve"}`, "/vulnerability/name"), refused("CVE-2026-0001", "CVE-26-1", "CVE-26-1")},
		14: {refused(`"@id":"pkg:npm/a@1"`, `"@id":"pkg:npm/a@1","hashes":{"blake3":"`+hexA+`"}`, "blake3"), refused(`"@id":"pkg:npm/a@1"`, `"@id":"pkg:npm/a@1","identifiers":{"purl":"npm/a"}`, "npm/a")},
		15: {odd(`"@id":"pkg:npm/a@1"`, `"hashes":{"sha-256":"`+hexA+`"}`)},
		// Later statements override, and ties go to the worst.
		16: {func(t *testing.T, _ string) {
			not := must(vex.New("a@example.com", vex.Options{Time: on(1), ID: "urn:x:1"}).NotAffected("CVE-2026-0001", assay.ComponentNotPresent, image).Build())
			is := must(vex.New("a@example.com", vex.Options{Time: on(1), ID: "urn:x:2"}).Affected("CVE-2026-0001", "Upgrade.", image).Build())
			later := must(vex.New("a@example.com", vex.Options{Time: on(2), ID: "urn:x:3"}).Fixed("CVE-2026-0001", image).Build())
			v := assay.Vulnerability{ID: "CVE-2026-0001"}
			for _, docs := range [][]*assay.VEX{{not, is, later}, {later, is, not}} {
				if a := vex.StatusOf(docs, image, v, on(1)); a.Status != assay.Affected || len(a.Contradictions) != 1 {
					t.Errorf("a tie: %s, %v", a.Status, a.Contradictions)
				}
				if a := vex.StatusOf(docs, image, v, on(3)); a.Status != assay.Fixed {
					t.Errorf("later: %s", a.Status)
				}
			}
		}},
		17: {func(t *testing.T, rule string) {
			doc := must(vex.New("a@example.com", vex.Options{Time: day}).Fixed("CVE-2026-0001", image, other).Build())
			_, _, err := vex.EncodePredicate(doc, []assay.Subject{subject("app", digA)})
			wantRule(t, err, assay.ErrInvalid, rule, "/statements/0/products/1")
		}},
		18: {func(t *testing.T, rule string) {
			_, err := vex.ReadPredicate("p", "https://openvex.dev/ns/v9.9.9", []byte(minimal), []assay.Subject{subject("app", digA)})
			wantRule(t, err, assay.ErrInvalid, rule, "v9.9.9")
		}},
	}
	for n := 1; n <= 18; n++ {
		rule := "OpenVEX " + strconv.Itoa(n)
		if len(breaks[n]) == 0 {
			t.Errorf("nothing breaks %s", rule)
		}
		for i, f := range breaks[n] {
			t.Run(rule+"/"+strconv.Itoa(i), func(t *testing.T) { f(t, rule) })
		}
	}
}
