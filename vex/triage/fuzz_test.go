package triage_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

// What closes a finding is a statement on every way, which nothing that is known
// refutes; a newest word of affected opens it again; the order of documents is nothing.
func FuzzTriage(f *testing.F) {
	f.Add([]byte{0, 2, 0, 0, 0, 3, 0, 0, 1, 2})
	f.Add([]byte{1, 1, 4, 0, 2, 5, 1, 0, 6, 3, 2, 0, 7, 1, 0})
	f.Add([]byte{2, 0, 3, 2, 3, 4, 4, 4, 4, 5, 1, 9, 9, 8, 7, 6, 1, 1, 2, 3})
	doc := inventory()
	lib, ssl := named("pkg:golang/example.com/lib@1.2.3"), named("pkg:deb/debian/libssl3@3.0.15-1")
	app, tool := named("pkg:golang/example.com/app"), named("pkg:golang/example.com/tool")
	products := []assay.Product{image, part(image, lib), part(image, ssl), lib, ssl, app, part(app, lib), part(tool, lib), tool,
		named("pkg:deb/debian/libssl3"), named("pkg:deb/debian/libssl3?vers=vers:generic/%3C4")}
	why := []assay.Justification{assay.ComponentNotPresent, assay.VulnerableCodeNotInExecutePath, assay.InlineMitigationsAlreadyExist, ""}
	statuses := []assay.Status{assay.NotAffected, assay.NotAffected, assay.Fixed, assay.UnderInvestigation, assay.Affected}
	f.Fuzz(func(t *testing.T, in []byte) {
		next := func(n int) int {
			if len(in) == 0 {
				return 0
			}
			b := int(in[0])
			in = in[1:]
			return b % n
		}
		find := finding([]assay.ComponentID{"lib", "ssl", "app", "only"}[next(4)])
		find.Reachable = assay.State(next(3))
		o := triage.Options{Image: image, FreeText: next(2) == 0}
		if next(2) == 0 {
			o.Ages = vex.Ages{NotAffected: 72 * time.Hour}
		}
		var docs []*assay.VEX
		for len(in) > 0 && len(docs) < 8 {
			docs = append(docs, statement(string(rune('a'+next(2))), next(9), statuses[next(len(statuses))], why[next(len(why))], products[next(len(products))]))
		}
		d := decide(t, find, doc, o, docs...)
		turned := slices.Clone(docs)
		slices.Reverse(turned)
		if a, b := must(json.Marshal(d)), must(json.Marshal(decide(t, find, doc, o, turned...))); string(a) != string(b) {
			t.Fatalf("in another order\n%s\nwas\n%s", b, a)
		}
		if d.State.Closed() {
			if len(d.Grounds) == 0 || len(d.Uncovered) > 0 || d.Checked == assay.Refuted || d.State == triage.Fixed {
				t.Fatalf("closed: %+v", d)
			}
			for _, g := range d.Grounds {
				switch {
				case g.Status != assay.NotAffected, g.Justification == assay.ComponentNotPresent, g.Justification == "" && !o.FreeText,
					g.Justification == assay.VulnerableCodeNotInExecutePath && find.Reachable == assay.Proven, o.Ages.NotAffected > 0 && on(10).Sub(g.Time) > 72*time.Hour:
					t.Fatalf("%s closes: %+v", g.Entry, d)
				}
			}
			for _, g := range d.Against {
				if g.Status == assay.Affected {
					t.Fatalf("%s does not keep it open", g.Entry)
				}
			}
		}
		if d := decide(t, find, doc, o, append(docs, statement("z", 10, assay.Affected, "", image))...); d.State != triage.Open || d.Reason != triage.StatedAffected {
			t.Fatalf("affected, yet %+v", d)
		}
	})
}
