package vex_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// Rule 12 in the specification's own example: the statement that inherited its time
// keeps it when the document gets a new one.
func TestEditFreezesTimes(t *testing.T) {
	old, _, err := vex.Read("minimal", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	before := must(vex.Encode(old))
	d := vex.Edit(old, vex.Options{Time: on(1), Tooling: "t"})
	d.Affected("CVE-2026-0001", "Upgrade.", old.Statements[0].Products...)
	next := must(d.Build())
	if next.ID != old.ID || next.Author != old.Author || next.Version != 2 || !next.Timestamp.Equal(on(1)) || !next.LastUpdated.Equal(on(1)) || next.Tooling != "t" {
		t.Errorf("got %+v", next)
	}
	if d := cmp.Diff(old.Statements[0], next.Statements[0], equal); d != "" {
		t.Error("the old statement changed:", d)
	}
	if !next.Statements[1].Timestamp.Equal(on(1)) {
		t.Errorf("got %v", next.Statements[1].Timestamp)
	}
	if err := vex.CheckUpdate(old, next); err != nil {
		t.Error(err)
	}
	if string(must(vex.Encode(old))) != string(before) {
		t.Error("Edit changed its argument")
	}
	// What was written stays true through another reader.
	back, _, err := vex.Read("back", must(vex.Encode(next)))
	if err != nil || !back.Statements[0].Timestamp.Equal(day) {
		t.Error(back, err)
	}
}

func TestEditRefuses(t *testing.T) {
	old := everything(t)
	add := func(o vex.Options) *vex.Claim { return vex.Edit(old, o).Fixed("CVE-2026-0009", image) }
	_, err := vex.Edit(old, vex.Options{Time: on(1)}).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 5", old.ID, "a change")
	_, err = add(vex.Options{Time: on(1), ID: "urn:x:y"}).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 5", "urn:x:y")
	_, err = add(vex.Options{Time: on(-1)}).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 4", "2026-10-31")
	_, err = vex.Edit(old, vex.Options{Time: day}).Fixed("CVE-2026-0004", image).Since(on(-3)).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 6", "/statements/5")
}

func TestCheckUpdate(t *testing.T) {
	update := func(edit func(v *assay.VEX)) error {
		v := must(vex.Edit(everything(t), vex.Options{Time: on(1)}).Fixed("CVE-2026-0005", image).Build())
		edit(v)
		return vex.CheckUpdate(everything(t), v)
	}
	for name, edit := range map[string]func(v *assay.VEX){
		"as edited":               func(*assay.VEX) {},
		"a statement dropped":     func(v *assay.VEX) { v.Statements = v.Statements[1:] },
		"a statement said again":  func(v *assay.VEX) { v.Statements[5] = v.Statements[1]; v.Statements[5].Timestamp = on(1) },
		"a statement reworded":    func(v *assay.VEX) { v.Statements[3].StatusNotes = "x"; v.Statements[3].Timestamp = on(1) },
		"statements in new order": func(v *assay.VEX) { v.Statements[1], v.Statements[2] = v.Statements[2], v.Statements[1] },
	} {
		if err := update(edit); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tt := range map[string]struct {
		rule, says string
		edit       func(v *assay.VEX)
	}{
		"version":           {"OpenVEX 5", "/version", func(v *assay.VEX) { v.Version = 1 }},
		"another document":  {"OpenVEX 2", "urn:x:y", func(v *assay.VEX) { v.ID = "urn:x:y" }},
		"another author":    {"OpenVEX 3", "mallory", func(v *assay.VEX) { v.Author = "mallory" }},
		"a time moved":      {"OpenVEX 12", "/statements/3/timestamp", func(v *assay.VEX) { v.Statements[3].Timestamp = on(1) }},
		"a version kept":    {"OpenVEX 5", "/statements/0/version", func(v *assay.VEX) { v.Statements[0].StatusNotes = "x" }},
		"a version dropped": {"OpenVEX 5", "/statements/0/version", func(v *assay.VEX) { v.Statements[0].Version = 0; v.Statements[0].StatusNotes = "x" }},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "a version") {
				old := everything(t)
				old.Statements[0].Version = 1
				v := must(vex.Edit(old, vex.Options{Time: on(1)}).Fixed("CVE-2026-0005", image).Build())
				tt.edit(v)
				wantRule(t, vex.CheckUpdate(old, v), assay.ErrRefuted, tt.rule, tt.says)
				return
			}
			wantRule(t, update(tt.edit), assay.ErrRefuted, tt.rule, tt.says)
		})
	}
	if err := vex.CheckUpdate(everything(t), everything(t)); err != nil {
		t.Errorf("nothing changed: %v", err)
	}
	// An inherited time that moves with the document's is the mistake that rule 12
	// is about.
	old, _, _ := vex.Read("old", []byte(minimal))
	moved := strings.NewReplacer("2026-11-01T12", "2026-11-02T12", `"version":1`, `"version":2`).Replace(minimal)
	next, _, err := vex.Read("next", []byte(moved))
	if err != nil {
		t.Fatal(err)
	}
	wantRule(t, vex.CheckUpdate(old, next), assay.ErrRefuted, "OpenVEX 12", "/statements/0/timestamp", "2026-11-01T12:00:00Z")
}

func TestChange(t *testing.T) {
	old, _, err := vex.Read("full", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	keep := must(vex.Encode(old))
	var held *assay.VEXStatement
	next, err := vex.Edit(old, vex.Options{Time: on(2)}).Change(0, func(s *assay.VEXStatement) {
		s.Justification, s.Timestamp, s.LastUpdated = assay.ComponentNotPresent, on(1), on(1)
		held = s
	}).Build()
	if err != nil {
		t.Fatal(err)
	}
	held.Products[0].ID = "https://example.com/changed-afterwards"
	was, got := old.Statements[0], next.Statements[0]
	if got.Justification != assay.ComponentNotPresent || !got.Timestamp.Equal(was.Timestamp) || !got.LastUpdated.Equal(on(2)) || got.Version != was.Version+1 || got.Products[0].ID != was.Products[0].ID {
		t.Errorf("got %+v", got)
	}
	if d := cmp.Diff(old.Statements[1], next.Statements[1], equal); d != "" {
		t.Error("an untouched statement changed:", d)
	}
	if next.Version != old.Version+1 || string(must(vex.Encode(old))) != string(keep) {
		t.Error("version", next.Version, "or the argument changed")
	}
	if err := vex.CheckUpdate(old, next); err != nil {
		t.Error(err)
	}
	// What the statement said before the change is not known.
	if a := vex.StatusOf([]*assay.VEX{next}, image, assay.Vulnerability{ID: "CVE-2026-0001"}, on(1)); a.Status != "" {
		t.Errorf("got %v", a.Status)
	}
	dropped := must(vex.Edit(old, vex.Options{Time: on(2)}).Drop(0).Build())
	if len(dropped.Statements) != 1 || dropped.Statements[0].Vulnerability.ID != "CVE-2026-0002" || !dropped.Statements[0].Timestamp.Equal(old.Timestamp) {
		t.Errorf("got %+v", dropped.Statements)
	}
	if err := vex.CheckUpdate(old, dropped); err != nil {
		t.Error(err)
	}
}

func TestChangeRefuses(t *testing.T) {
	old := everything(t)
	edit := func() *vex.Draft { return vex.Edit(old, vex.Options{Time: on(1)}) }
	_, err := edit().Change(1, func(s *assay.VEXStatement) { s.Timestamp = on(5) }).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 5", "/statements/1", "a change")
	_, err = edit().Change(9, func(*assay.VEXStatement) {}).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 6", "/statements/9")
	_, err = edit().Drop(0).Drop(0).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 6", "/statements/0")
	_, err = edit().Drop(0).Drop(1).Drop(2).Drop(3).Drop(4).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 6", "at least one statement")
	_, err = edit().Change(2, func(s *assay.VEXStatement) { s.ActionStatement = "" }).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 9", "/statements/2")
	_, err = edit().Change(0, func(s *assay.VEXStatement) { s.Vulnerability.ID = "no id" }).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 13", "/statements/0")
}
