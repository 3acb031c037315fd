package triage_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/triage"
)

// stream is what govulncheck writes, in its shape: GO-2026-0001 is called, GO-2026-0002 imported,
// GO-2026-0003 required, and GO-2026-0004 of no version that is used.
func stream(level, mode string) string {
	osv := func(id, alias string) string {
		return `{"osv": {"schema_version": "1.3.1", "id": "` + id + `", "published": "2026-10-01T00:00:00Z", "aliases": ["` + alias + `"], "summary": "about ` + id + `", "credits": [{"name": "x"}]}}` + "\n"
	}
	find := func(id, fixed, frame string) string {
		return `{"finding": {"osv": "` + id + `", "fixed_version": "` + fixed + `", "trace": [` + frame + `]}}` + "\n"
	}
	s := `{"config": {"protocol_version": "v1.0.0", "scanner_name": "govulncheck", "scanner_version": "v1.1.4", "db": "https://vuln.go.dev", "db_last_modified": "2026-11-01T12:00:00Z", "scan_level": "` + level + `", "scan_mode": "` + mode + `"}}
{"progress": {"message": "Scanning"}}
{"SBOM": {"go_version": "go1.26.3", "modules": [{"path": "example.com/lib", "version": "v1.2.3"}], "roots": ["example.com/tool", "example.com/app"]}}
` + osv("GO-2026-0001", "CVE-2026-0001") + osv("GO-2026-0002", "CVE-2026-0002") + osv("GO-2026-0003", "CVE-2026-0003") + osv("GO-2026-0004", "CVE-2026-0004") +
		find("GO-2026-0001", "v1.3.0", `{"module": "example.com/lib", "version": "v1.2.3"}`) +
		find("GO-2026-0002", "", `{"module": "stdlib", "version": "v1.26.3"}`) +
		find("GO-2026-0003", "v2.0.0", `{"module": "example.com/only", "version": "v1.2.3"}`)
	if level != "module" {
		s += find("GO-2026-0001", "v1.3.0", `{"module": "example.com/lib", "version": "v1.2.3", "package": "example.com/lib/a"}`) +
			find("GO-2026-0002", "", `{"module": "stdlib", "version": "v1.26.3", "package": "net/http"}`)
	}
	if level == "symbol" {
		s += find("GO-2026-0001", "v1.3.0", `{"module": "example.com/lib", "version": "v1.2.3", "package": "example.com/lib/a", "function": "Get", "receiver": "*T"},
			{"module": "example.com/app", "package": "example.com/app", "function": "main", "position": {"filename": "main.go", "offset": 1, "line": 1, "column": 1}}`) +
			find("GO-2026-0001", "v1.3.0", `{"module": "example.com/lib", "version": "v1.2.3", "package": "example.com/lib/a", "function": "Do"}`)
	}
	return s
}

func readGovulncheck(t testing.TB, s string) *triage.Govulncheck {
	t.Helper()
	g, err := triage.ReadGovulncheck("gv.json", strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestReadGovulncheck(t *testing.T) {
	g := readGovulncheck(t, stream("symbol", "source"))
	want := &triage.Govulncheck{
		Scanner: assay.Scanner{URI: "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck", Version: "v1.1.4", DBURI: "https://vuln.go.dev", DBUpdated: on(0)},
		Level:   triage.SymbolLevel, Mode: "source", GoVersion: "go1.26.3", Roots: []string{"example.com/app", "example.com/tool"},
	}
	for _, c := range []struct {
		id, module, fixed string
		level             triage.Level
		symbols           []string
	}{
		{"1", "pkg:golang/example.com/lib@v1.2.3", "v1.3.0", triage.SymbolLevel, []string{"example.com/lib/a.Do", "example.com/lib/a.T.Get"}},
		{"2", "pkg:golang/stdlib@1.26.3", "", triage.PackageLevel, nil},
		{"3", "pkg:golang/example.com/only@v1.2.3", "v2.0.0", triage.ModuleLevel, nil},
	} {
		id := assay.VulnID("GO-2026-000" + c.id)
		want.Calls = append(want.Calls, triage.Call{
			Vulnerability: assay.Vulnerability{ID: id, IRI: "https://pkg.go.dev/vuln/" + string(id), Aliases: []assay.VulnID{assay.VulnID("CVE-2026-000" + c.id)}, Description: "about " + string(id)},
			Published:     on(-31).Add(-12 * 60 * 60 * 1e9), Module: purl(c.module), Fixed: c.fixed, Level: c.level, Symbols: c.symbols,
		})
	}
	if d := cmp.Diff(want, g, cmp.Comparer(func(a, b assay.PURL) bool { return a == b })); d != "" {
		t.Error(d)
	}
	// Messages may come in any order after the first.
	lines := strings.SplitAfter(strings.ReplaceAll(stream("symbol", "source"), "},\n\t\t\t{", "},{"), "\n")
	lines = lines[:len(lines)-1]
	turned := lines[0]
	for i := len(lines) - 1; i > 0; i-- {
		turned += lines[i]
	}
	if d := cmp.Diff(g, readGovulncheck(t, turned), cmp.Comparer(func(a, b assay.PURL) bool { return a == b })); d != "" {
		t.Error(d)
	}
	// One that was withdrawn is none.
	s := strings.Replace(stream("symbol", "source"), `"id": "GO-2026-0001", "published"`, `"id": "GO-2026-0001", "withdrawn": "2026-10-02T00:00:00Z", "published"`, 1)
	if g := readGovulncheck(t, s); len(g.Calls) != 2 || g.Calls[0].Vulnerability.ID != "GO-2026-0002" {
		t.Errorf("got %+v", g.Calls)
	}
}

func TestReadGovulncheckRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ old, new, says string }{
		"another protocol": {`"v1.0.0"`, `"v2.0.0"`, "message 0/config/protocol_version"},
		"no level":         {`"scan_level": "symbol", `, ``, "/scan_level"},
		"a query":          {`"source"`, `"query"`, "query"},
		"not strict":       {`"scan_mode"`, `"scan_mode": "binary", "scan_mode"`, "message 0"},
		"two of a kind":    {`{"progress": {"message": "Scanning"}}`, `{"progress": {}, "osv": {}}`, "exactly one"},
		"none":             {`{"progress": {"message": "Scanning"}}`, `{}`, "exactly one"},
		"null":             {`{"progress": {"message": "Scanning"}}`, `{"progress": null}`, "not null"},
		"unknown message":  {`{"progress":`, `{"verdict":`, "verdict"},
		"other case":       {`{"progress":`, `{"Progress":`, "Progress"},
		"config twice":     {`{"progress": {"message": "Scanning"}}`, `{"config": {"protocol_version": "v1.0.0"}}`, "message 1/config"},
		"not an object":    {`{"progress": {"message": "Scanning"}}`, `[]`, "message 1"},
		"a wrong type":     {`"fixed_version": "v2.0.0"`, `"fixed_version": 2`, "message 9"},
		"no trace":         {`"trace": [{"module": "stdlib", "version": "v1.26.3"}]`, `"trace": []`, "/finding/trace"},
		"no module":        {`{"module": "stdlib", "version": "v1.26.3"}`, `{"version": "v1.26.3"}`, "/trace/0/module"},
		"bad module":       {`{"module": "stdlib"`, `{"module": "a//"`, "a//"},
		"not described":    {`"id": "GO-2026-0003"`, `"id": "GO-2026-0005"`, "GO-2026-0003"},
		"no name":          {`"id": "GO-2026-0003"`, `"id": ""`, "/osv/id"},
		"bad name":         {`"GO-2026-0003"`, `"a b"`, "a b"},
		"bad alias":        {`"CVE-2026-0003"`, `"CVE-3"`, "CVE-3"},
		"cut off":          {`"position": {"filename": "main.go", "offset": 1, "line": 1, "column": 1}}]}}` + "\n", ``, "message"},
		"more than asked":  {`"scan_level": "symbol"`, `"scan_level": "package"`, "level of the scan"},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.ReplaceAll(stream("symbol", "source"), tt.old, tt.new)
			if name == "cut off" {
				in = in[:len(in)-200]
			} else if in == stream("symbol", "source") {
				t.Fatal("nothing was broken")
			}
			g, err := triage.ReadGovulncheck("gv.json", strings.NewReader(in))
			if g != nil {
				t.Error("a run came with the error")
			}
			wantError(t, err, assay.ErrInvalid, "gv.json", tt.says)
		})
	}
	_, err := triage.ReadGovulncheck("gv.json", strings.NewReader(""))
	wantError(t, err, assay.ErrInvalid, "configuration")
	_, err = triage.ReadGovulncheck("gv.json", strings.NewReader(`{"progress": {}}`))
	wantError(t, err, assay.ErrInvalid, "configuration first")
	_, err = triage.ReadGovulncheck("gv.json", io.MultiReader(strings.NewReader(`{"config": `), iotest.ErrReader(errors.New("no line"))))
	wantError(t, err, assay.ErrUnchecked, "no line")
}

func TestReach(t *testing.T) {
	for _, tt := range []struct {
		level, mode string
		want        string // of called, imported and required
	}{
		{"symbol", "source", "proven: refuted:vulnerable_code_not_in_execute_path refuted:vulnerable_code_not_present"},
		{"symbol", "binary", "unknown: refuted:vulnerable_code_not_in_execute_path refuted:vulnerable_code_not_present"},
		{"package", "source", "unknown: unknown: refuted:vulnerable_code_not_present"},
		{"module", "binary", "unknown: unknown: unknown:"},
	} {
		g := readGovulncheck(t, stream(tt.level, tt.mode))
		var got []string
		for _, q := range [][2]string{{"CVE-2026-0001", "pkg:golang/example.com/lib@1.2.3"}, {"GO-2026-0002", "pkg:golang/stdlib@1.26.3"}, {"GO-2026-0003", "pkg:golang/example.com/only@v1.2.3"}} {
			s, why := g.Reach(assay.Vulnerability{ID: assay.VulnID(q[0])}, purl(q[1]))
			got = append(got, s.String()+":"+string(why))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s %s: got %s", tt.level, tt.mode, got)
		}
		for _, q := range [][2]string{{"CVE-2026-0004", "pkg:golang/example.com/lib@1.2.3"}, {"GO-2026-0003", "pkg:golang/example.com/only@v1.2.4"}, {"GO-2026-0003", "pkg:golang/example.com/lib@v1.2.3"}} {
			if s, why := g.Reach(assay.Vulnerability{ID: assay.VulnID(q[0])}, purl(q[1])); s != assay.Unknown || why != "" {
				t.Errorf("%v: got %s", q, s)
			}
		}
	}
}

func TestReachability(t *testing.T) {
	called, imported := stream("symbol", "source"), strings.ReplaceAll(stream("symbol", "source"), `"function"`, `"position_of"`)
	linked, module := stream("symbol", "binary"), stream("module", "binary")
	f := finding("lib") // in bin/app and bin/tool
	reachable := func(s assay.State) func(assay.Finding) assay.Finding {
		return func(f assay.Finding) assay.Finding { f.Reachable = s; return f }
	}
	asIs := reachable(assay.Unknown)
	for name, tt := range map[string]struct {
		runs string // of app, then tool; "-" is none
		edit func(assay.Finding) assay.Finding
		want assay.State
	}{
		"one calls it":              {"called imported", asIs, assay.Proven},
		"the other calls it":        {"imported called", asIs, assay.Proven},
		"both do not":               {"imported imported", asIs, assay.Refuted},
		"one was not analyzed":      {"imported -", asIs, assay.Unknown},
		"one not far enough":        {"imported module", asIs, assay.Unknown},
		"one contains it":           {"imported linked", asIs, assay.Unknown},
		"nothing at all":            {"- -", asIs, assay.Unknown},
		"known to be reachable":     {"imported imported", reachable(assay.Proven), assay.Proven},
		"known not to be":           {"called -", reachable(assay.Refuted), assay.Proven},
		"nothing said against it":   {"- module", reachable(assay.Refuted), assay.Refuted},
		"another ecosystem, though": {"imported imported", func(f assay.Finding) assay.Finding { f.PURL = purl("pkg:npm/lib@1.2.3"); return f }, assay.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			var runs []triage.Run
			for i, r := range strings.Fields(tt.runs) {
				if text := map[string]string{"called": called, "imported": imported, "linked": linked, "module": module}[r]; text != "" {
					runs = append(runs, triage.Run{Result: readGovulncheck(t, text), File: []string{"bin/app", "bin/tool"}[i]})
				}
			}
			scan := &assay.Scan{Findings: []assay.Finding{tt.edit(f)}}
			was := scan.Findings[0].Reachable
			out, err := triage.Reachability(scan, inventory(), runs...)
			if err != nil {
				t.Fatal(err)
			}
			if out.Findings[0].Reachable != tt.want || scan.Findings[0].Reachable != was {
				t.Errorf("got %s, want %s", out.Findings[0].Reachable, tt.want)
			}
		})
	}
	// Without an SBOM a run has to be about the whole.
	scan := &assay.Scan{Findings: []assay.Finding{f}}
	for file, want := range map[string]assay.State{"": assay.Refuted, "bin/app": assay.Unknown} {
		out := must(triage.Reachability(scan, nil, triage.Run{Result: readGovulncheck(t, imported), File: file}))
		if out.Findings[0].Reachable != want {
			t.Errorf("%q: got %s", file, out.Findings[0].Reachable)
		}
	}
	_, err := triage.Reachability(nil, nil)
	wantError(t, err, assay.ErrInvalid, "scan")
	_, err = triage.Reachability(scan, nil, triage.Run{})
	wantError(t, err, assay.ErrInvalid, "run")
}

// What is read is a scan whose findings can be decided on and drafted about; errors are
// typed and name the input.
func FuzzReadGovulncheck(f *testing.F) {
	for _, s := range [][2]string{{"symbol", "source"}, {"symbol", "binary"}, {"package", "source"}, {"module", "binary"}} {
		f.Add([]byte(stream(s[0], s[1])))
	}
	f.Add([]byte(`{"config":{"protocol_version":"v1","scan_level":"symbol","scan_mode":"source"}}{"finding":{"osv":"x","trace":[{"module":"a/b"}]}}{"osv":{"id":"x"}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		g, err := triage.ReadGovulncheck("fuzz", strings.NewReader(string(in)))
		if err != nil {
			if e, ok := errors.AsType[*assay.Error](err); !ok || g != nil || e.Subject != "fuzz" || e.Kind == nil {
				t.Fatalf("got %v with the error %v", g, err)
			}
			return
		}
		scan := g.Scan()
		if len(scan.Findings) != len(g.Calls) {
			t.Fatalf("%d findings of %d calls", len(scan.Findings), len(g.Calls))
		}
		again := must(triage.Reachability(scan, nil, triage.Run{Result: g}))
		for i, f := range again.Findings {
			if was := scan.Findings[i].Reachable; f.Reachable != was && was == assay.Proven {
				t.Fatalf("%s: %s became %s", f.Vulnerability.ID, was, f.Reachable)
			}
		}
		draftAll(t, scan)
	})
}
