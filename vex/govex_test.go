package vex_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	govex "github.com/openvex/go-vex/pkg/vex"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// go-vex, the reference library, reads what is written here and finds the same in
// it, for all members that it knows.
func TestGoVexReadsOurs(t *testing.T) {
	doc := everything(t)
	got, err := govex.Parse(must(vex.Encode(doc)))
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != doc.ID || got.Author != doc.Author || got.AuthorRole != doc.AuthorRole || got.Version != doc.Version ||
		got.Tooling != doc.Tooling || !got.Timestamp.Equal(doc.Timestamp) || got.Context != vex.Context {
		t.Errorf("got %+v", got.Metadata)
	}
	if len(got.Statements) != len(doc.Statements) {
		t.Fatalf("got %d statements", len(got.Statements))
	}
	for i, want := range doc.Statements {
		s := got.Statements[i]
		if err := s.Validate(); err != nil {
			t.Errorf("statement %d: %v", i, err)
		}
		if s.ID != want.ID || string(s.Vulnerability.Name) != string(want.Vulnerability.ID) || s.Vulnerability.ID != want.Vulnerability.IRI ||
			s.Vulnerability.Description != want.Vulnerability.Description || len(s.Vulnerability.Aliases) != len(want.Vulnerability.Aliases) ||
			string(s.Status) != string(want.Status) || s.StatusNotes != want.StatusNotes || string(s.Justification) != string(want.Justification) ||
			s.ImpactStatement != want.ImpactStatement || s.ActionStatement != want.ActionStatement || !s.Timestamp.Equal(want.Timestamp) {
			t.Errorf("statement %d: got %+v", i, s)
		}
		for j, p := range want.Products {
			q := s.Products[j]
			if q.ID != p.ID || q.Identifiers[govex.PURL] != p.PURL.String() || len(q.Hashes) != len(p.Digests) || len(q.Subcomponents) != len(p.Subcomponents) {
				t.Errorf("statement %d product %d: got %+v", i, j, q)
			}
			for _, d := range p.Digests.Map() {
				found := false
				for _, h := range q.Hashes {
					found = found || string(h) == d
				}
				if !found {
					t.Errorf("statement %d product %d: hash %s is lost", i, j, d)
				}
			}
		}
	}
	if n := len(got.Matches("CVE-2026-0001", image.ID, []string{ssl.ID})); n != 1 {
		t.Errorf("go-vex matches %d statements to the image and its component", n)
	}
}

// The reverse: what go-vex writes is read.
func TestWeReadGoVex(t *testing.T) {
	d := govex.New()
	d.ID, d.Author, d.Timestamp = "https://example.com/v", "a@example.com", &day
	d.Statements = []govex.Statement{{
		Vulnerability: govex.Vulnerability{Name: "CVE-2026-0001", Aliases: []govex.VulnerabilityID{"GHSA-aaaa-bbbb-cccc"}},
		Products: []govex.Product{{
			Component:     govex.Component{ID: image.ID, Identifiers: map[govex.IdentifierType]string{govex.PURL: image.ID}, Hashes: map[govex.Algorithm]govex.Hash{govex.SHA256: govex.Hash(hexA)}},
			Subcomponents: []govex.Subcomponent{{Component: govex.Component{ID: ssl.ID}}},
		}},
		Status: govex.StatusNotAffected, Justification: govex.VulnerableCodeNotPresent, StatusNotes: "a & <b>",
	}}
	var b bytes.Buffer
	if err := d.ToJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, warnings, err := vex.Read("go-vex", b.Bytes())
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := must(vex.New("a@example.com", vex.Options{ID: "https://example.com/v", Time: day}).
		NotAffected("CVE-2026-0001", assay.VulnerableCodeNotPresent, parts(image, ssl)).Aliases("GHSA-aaaa-bbbb-cccc").Notes("a & <b>").Build())
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Error(d)
	}
}

// Every document of go-vex's own tests is read, or refused for the rule that it
// breaks: its parser accepts them all.
func TestGoVexTestdata(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/openvex/go-vex").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skip("the go command does not say where go-vex is:", err)
	}
	want := map[string]string{ // file: rule and what is at fault; empty: read
		"v0.2.0.json":           "",
		"v0.0.1.json":           "",
		"v0.0.1-noversion.json": "",
		"v001-1.vex.json":       "OpenVEX 6 /format",
		"v001-2.vex.json":       "OpenVEX 6 /format",
		"v020-1.vex.json":       "OpenVEX 4 /timestamp",
		"v020-2.vex.json":       "OpenVEX 4 /timestamp",
		"csaf.json":             "OpenVEX 1 /@context",
	}
	files, _ := filepath.Glob(filepath.Join(dir, "pkg/vex/testdata/*.json"))
	if len(files) != len(want) {
		t.Errorf("%d files, %d known", len(files), len(want))
	}
	for _, f := range files {
		name := filepath.Base(f)
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		v, warnings, err := vex.Read(name, data)
		rule, known := want[name]
		switch {
		case !known:
			t.Errorf("%s is new: got %v", name, err)
		case rule != "":
			fields := strings.Fields(rule)
			wantRule(t, err, assay.ErrInvalid, fields[0]+" "+fields[1], name, fields[2])
		case err != nil || len(warnings) > 0:
			t.Errorf("%s: %v, %q", name, err, warnings)
		default:
			// The same through go-vex.
			g, err := govex.Open(f)
			if err != nil || g.ID != v.ID || g.Version != v.Version || len(g.Statements) != len(v.Statements) {
				t.Errorf("%s: go-vex has %+v, %v", name, g, err)
			}
			if _, err := vex.Encode(v); err != nil {
				t.Error(err)
			}
		}
	}
}
