package osv_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/vex/osv"
)

// TestGovulncheck shows that findings for real Go programs are those of govulncheck in
// binary mode at the level of modules, by the same records: the test's own program,
// servers if there are any, and programs built of some 600 modules in versions that are
// on both sides of their fixes. Besides there are those of records that spell a module's
// path in another case, as github.com/0xJacky/Nginx-UI, which govulncheck takes for
// another module and package URLs do not.
func TestGovulncheck(t *testing.T) {
	govulncheck, corpora := os.Getenv("ASSAY_GOVULNCHECK"), os.Getenv("ASSAY_CORPORA")
	if govulncheck == "" {
		t.Skip("ASSAY_GOVULNCHECK names no govulncheck")
	}
	if corpora == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	archive := filepath.Join(corpora, "osv", "Go.zip")
	records := goRecords(t, archive)
	vulndb := t.TempDir()
	writeVulnDB(t, vulndb, records)
	index := filepath.Join(t.TempDir(), "go.index")
	report, err := osv.Build(t.Context(), index, osv.BuildOptions{}, osv.Source{Name: "Go", Format: osv.FormatOSV, Path: archive})
	if err != nil || report.Info.Skipped > 0 || report.Info.Advisories != len(records) {
		t.Fatalf("got %+v, %v, want %d records", report, err, len(records))
	}
	db, err := osv.Open(index)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	programs := append([]string{self, govulncheck}, oldPrograms(t, records)...)
	if servers := os.Getenv("ASSAY_SERVERS"); servers != "" {
		entries, err := os.ReadDir(servers)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				programs = append(programs, filepath.Join(servers, e.Name()))
			}
		}
	}
	spelled := map[string]bool{}
	for _, r := range records {
		for _, a := range r.Affected {
			spelled[r.ID+" "+a.Package.Name] = true
		}
	}
	total := 0
	for _, program := range programs {
		want := runGovulncheck(t, govulncheck, vulndb, program)
		got := slices.DeleteFunc(scanProgram(t, db, program), func(f string) bool { return !spelled[f[:strings.LastIndexByte(f, ' ')]] })
		if diff := diff(want, got); diff != "" {
			t.Errorf("%s: -govulncheck +assay\n%s", filepath.Base(program), diff)
		}
		t.Logf("%s: %d findings", filepath.Base(program), len(want))
		total += len(want)
	}
	if total < 300 {
		t.Errorf("%d findings in all: too few to show anything", total)
	}
}

// goRecord is what the layout of the Go vulnerability database needs of a record.
type goRecord struct {
	ID        string `json:"id"`
	Modified  string `json:"modified"`
	Withdrawn string `json:"withdrawn"`
	Affected  []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Events []struct {
				Introduced, Fixed string
			} `json:"events"`
		} `json:"ranges"`
	} `json:"affected"`
	data []byte
}

func goRecords(t *testing.T, archive string) []goRecord {
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var out []goRecord
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		rec := goRecord{data: data}
		if err := errors.Join(err, r.Close(), json.Unmarshal(data, &rec)); err != nil {
			t.Fatal(f.Name, err)
		}
		out = append(out, rec)
	}
	return out
}

// writeVulnDB writes records as go.dev/doc/security/vuln/database lays them out.
func writeVulnDB(t *testing.T, dir string, records []goRecord) {
	type vuln struct {
		ID       string `json:"id"`
		Modified string `json:"modified"`
	}
	type mod struct {
		Path  string `json:"path"`
		Vulns []vuln `json:"vulns"`
	}
	modules := map[string]*mod{}
	var vulns []vuln
	write := func(name string, data []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range records {
		v := vuln{r.ID, r.Modified}
		vulns = append(vulns, v)
		for _, a := range r.Affected {
			name := a.Package.Name
			m := modules[name]
			if m == nil {
				m = &mod{Path: name}
				modules[name] = m
			}
			if !slices.Contains(m.Vulns, v) {
				m.Vulns = append(m.Vulns, v)
			}
		}
		write("ID/"+r.ID+".json", r.data)
	}
	list := slices.SortedFunc(maps.Values(modules), func(a, b *mod) int { return cmp.Compare(a.Path, b.Path) })
	for name, v := range map[string]any{"db": map[string]string{"modified": "2026-08-21T00:00:00Z"}, "modules": list, "vulns": vulns} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		write("index/"+name+".json", data)
	}
}

// runGovulncheck gives the findings of govulncheck, as "ID module fix".
func runGovulncheck(t *testing.T, govulncheck, vulndb, program string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), govulncheck, "-db", "file://"+filepath.ToSlash(vulndb), "-mode", "binary", "-scan", "module", "-format", "json", program)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("govulncheck %s: %v\n%s", program, err, stderr.Bytes())
	}
	found := map[string]bool{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var message struct {
			Finding *struct {
				OSV   string
				Fixed string `json:"fixed_version"`
				Trace []struct{ Module, Version string }
			}
		}
		switch err := d.Decode(&message); {
		case err == io.EOF:
			return slices.Sorted(maps.Keys(found))
		case err != nil:
			t.Fatal(err)
		case message.Finding != nil && len(message.Finding.Trace) != 1:
			t.Fatalf("%s is no finding about a module", message.Finding.OSV)
		case message.Finding != nil:
			f := message.Finding
			found[fmt.Sprintf("%s %s %s", f.OSV, f.Trace[0].Module, strings.TrimPrefix(f.Fixed, "v"))] = true
		}
	}
}

// scanProgram gives the findings in the SBOM of a program, as "ID module fix": one for
// each record, as govulncheck does.
func scanProgram(t *testing.T, db osv.Database, program string) []string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "program"), data, 0o755); err != nil {
		t.Fatal(err)
	}
	contents, err := sbom.ScanFolder(t.Context(), dir, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	scan, err := osv.Match(t.Context(), db, contents.SBOM, osv.MatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range scan.Findings {
		c, ok := contents.SBOM.Component(f.Component)
		if !ok {
			t.Fatalf("%s is in no component", f.Vulnerability.ID)
		}
		for _, id := range f.Advisories {
			fix := f.Fix.Version
			if len(f.Advisories) > 1 { // the fix is of all of them
				fix = fixOf(t, db, c, id)
			}
			out = append(out, fmt.Sprintf("%s %s %s", id, c.Name, fix))
		}
	}
	for _, u := range scan.Unevaluated {
		// What govulncheck passes over.
		if !strings.Contains(u.Reason, "has no version") {
			t.Errorf("%s: %+v", filepath.Base(program), u)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fixOf asks for the fix that one record tells.
func fixOf(t *testing.T, db osv.Database, c *assay.Component, id assay.VulnID) string {
	t.Helper()
	one := only{db, id}
	scan, err := osv.Match(t.Context(), one, &assay.SBOM{Root: assay.Component{ID: "root"}, Components: []assay.Component{*c}}, osv.MatchOptions{})
	if err != nil || len(scan.Findings) != 1 {
		t.Fatalf("%s: got %v, %v", id, scan, err)
	}
	return scan.Findings[0].Fix.Version
}

// oldPrograms builds programs of modules of the records, each in the version before a
// fix, at it, or before it was introduced: out of a module proxy with modules that are
// empty but for what makes them modules.
func oldPrograms(t *testing.T, records []goRecord) []string {
	t.Helper()
	versions := map[string][]string{}
	for _, r := range records {
		for _, a := range r.Affected {
			for _, rg := range a.Ranges {
				for _, e := range rg.Events {
					versions[a.Package.Name] = append(versions[a.Package.Name], around(cmp.Or(e.Fixed, e.Introduced))...)
				}
			}
		}
	}
	proxy, work := t.TempDir(), t.TempDir()
	env := append(os.Environ(), "GOPROXY=file://"+filepath.ToSlash(proxy), "GOFLAGS=-mod=mod -modcacherw", "GOMODCACHE="+filepath.Join(work, "mod"),
		"GOSUMDB=off", "GONOPROXY=", "GOPRIVATE=", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	names := slices.Sorted(maps.Keys(versions))
	var out []string
	for round := range 3 {
		dir := filepath.Join(work, fmt.Sprint("program", round))
		var mod, imports strings.Builder
		fmt.Fprintf(&mod, "module example.com/program%d\n\ngo 1.24\n\nrequire (\n", round)
		n := 0
		for i, name := range names {
			if i%2 == round%2 || n == 200 { // other ones each time
				continue
			}
			slices.Sort(versions[name])
			list := slices.Compact(versions[name])
			v := list[(i/2+round*7)%len(list)]
			if full, ok := publish(t, proxy, name, v); ok {
				fmt.Fprintf(&mod, "\t%s %s\n", name, full)
				fmt.Fprintf(&imports, "import _ %q\n", name)
				n++
			}
		}
		mod.WriteString(")\n")
		if n < 100 {
			t.Fatalf("%d modules", n)
		}
		err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod.String()), 0o644),
			os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\n"+imports.String()+"\nfunc main() {}\n"), 0o644))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "go", "build", "-p", "1", "-o", fmt.Sprint("program", round), ".")
		cmd.Dir, cmd.Env = dir, env
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%.2000s", err, b)
		}
		out = append(out, filepath.Join(dir, fmt.Sprint("program", round)))
	}
	return out
}

// around gives a version, the one before, and a pre-release of it.
func around(v string) []string {
	v = "v" + v
	if !semver.IsValid(v) || module.IsPseudoVersion(v) {
		return []string{"v0.0.0-20170101000000-000000000000"}
	}
	canonical := semver.Canonical(v)
	base := strings.TrimSuffix(canonical, semver.Prerelease(canonical))
	var major, minor, patch int
	if _, err := fmt.Sscanf(base, "v%d.%d.%d", &major, &minor, &patch); err != nil {
		return nil
	}
	out := []string{base, base + "-rc.1"}
	switch {
	case patch > 0:
		out = append(out, fmt.Sprintf("v%d.%d.%d", major, minor, patch-1))
	case minor > 0:
		out = append(out, fmt.Sprintf("v%d.%d.9", major, minor-1))
	}
	return out
}

// publish puts an empty module into a proxy, if there can be one of that version.
func publish(t *testing.T, proxy, name, v string) (full string, ok bool) {
	t.Helper()
	if name == "stdlib" || name == "toolchain" {
		return "", false
	}
	gomod := "module " + name + "\n"
	if module.Check(name, v) != nil {
		v += "+incompatible"
		if module.Check(name, v) != nil {
			return "", false
		}
	}
	// A path of main, of vendor or internal cannot be imported.
	if module.CheckImportPath(name) != nil || slices.ContainsFunc(strings.Split(name, "/"), func(s string) bool { return s == "internal" || s == "vendor" }) {
		return "", false
	}
	escaped, err := module.EscapePath(name)
	if err != nil {
		return "", false
	}
	file, err := module.EscapeVersion(v)
	if err != nil {
		return "", false
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	contents := map[string]string{"x.go": "package x\n\nvar X = 1\n", "go.mod": gomod}
	if strings.HasSuffix(v, "+incompatible") {
		delete(contents, "go.mod")
	}
	for _, n := range slices.Sorted(maps.Keys(contents)) {
		w, err := z.Create(name + "@" + v + "/" + n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, contents[n]); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	err = errors.Join(z.Close(), os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, file+".zip"), b.Bytes(), 0o644),
		os.WriteFile(filepath.Join(dir, file+".mod"), []byte(gomod), 0o644),
		os.WriteFile(filepath.Join(dir, file+".info"), []byte(fmt.Sprintf(`{"Version":%q,"Time":"2020-01-01T00:00:00Z"}`, v)), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return v, true
}
