package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/vex"
)

// source is a program that has golang.org/x/text at a version with three known
// vulnerabilities: it calls what one is in, imports the package of another, and has
// nothing of the third. The library here is a stand-in with the names of the real one.
var source = map[string]string{
	"go.mod":             "module example.com/app\n\ngo 1.24\n\nrequire golang.org/x/text v0.3.0\n",
	"main.go":            "package main\n\nimport \"golang.org/x/text/language\"\n\nfunc main() { println(language.Parse(\"de\")) }\n",
	"vendor/modules.txt": "# golang.org/x/text v0.3.0\n## explicit\ngolang.org/x/text/language\n",
	"vendor/golang.org/x/text/language/language.go": "package language\n\n" +
		"//go:noinline\nfunc Parse(s string) int { return len(s) }\n\n//go:noinline\nfunc ParseAcceptLanguage(s string) int { return -len(s) }\n",
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// build gives the source folder and the executable.
func build(t *testing.T) (dir, binary string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range source {
		write(t, dir, name, []byte(text))
	}
	binary = filepath.Join(t.TempDir(), "app")
	command(t, dir, "go", "build", "-buildvcs=false", "-trimpath", "-o", binary, ".")
	return dir, binary
}

func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=vendor", "GOWORK=off")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// stream is what govulncheck says of the program, in its shape.
const stream = `{"config": {"protocol_version": "v1.0.0", "scanner_name": "govulncheck", "scanner_version": "v1.1.4", "scan_level": "symbol", "scan_mode": "source"}}
{"osv": {"id": "GO-2021-0113", "aliases": ["CVE-2021-38561"], "summary": "s"}}
{"osv": {"id": "GO-2022-1059", "aliases": ["CVE-2022-32149"], "summary": "s"}}
{"osv": {"id": "GO-2020-0015", "aliases": ["CVE-2020-14040"], "summary": "s"}}
{"finding": {"osv": "GO-2020-0015", "fixed_version": "v0.3.3", "trace": [{"module": "golang.org/x/text", "version": "v0.3.0"}]}}
{"finding": {"osv": "GO-2022-1059", "fixed_version": "v0.3.8", "trace": [{"module": "golang.org/x/text", "version": "v0.3.0", "package": "golang.org/x/text/language"}]}}
{"finding": {"osv": "GO-2021-0113", "fixed_version": "v0.3.7", "trace": [{"module": "golang.org/x/text", "version": "v0.3.0", "package": "golang.org/x/text/language", "function": "Parse"},
  {"module": "example.com/app", "package": "example.com/app", "function": "main"}]}}
`

// state runs the program and gives its document, and one line for each statement.
func state(t *testing.T, args ...string) (*assay.VEX, []string) {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1793534400")
	out := filepath.Join(t.TempDir(), "vex.json")
	var notes bytes.Buffer
	if err := run(append([]string{"-author", "security@example.com", "-o", out}, args...), &notes); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	v, warnings, err := vex.Read("vex.json", data)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if err := vex.Validate(v); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range v.Statements {
		var parts []string
		for _, c := range s.Products[0].Subcomponents {
			parts = append(parts, c.PURL.String())
		}
		lines = append(lines, strings.Join([]string{string(s.Vulnerability.ID), string(s.Status), string(s.Justification) + s.ActionStatement, strings.Join(parts, " ")}, " | "))
	}
	return v, lines
}

var wanted = []string{
	"GO-2020-0015 | not_affected | vulnerable_code_not_present | pkg:golang/golang.org/x/text@v0.3.0",
	"GO-2021-0113 | affected | Upgrade golang.org/x/text to version 0.3.7. | pkg:golang/golang.org/x/text@v0.3.0",
	"GO-2022-1059 | not_affected | vulnerable_code_not_in_execute_path | pkg:golang/golang.org/x/text@v0.3.0",
}

func TestFromJSON(t *testing.T) {
	_, binary := build(t)
	input := write(t, t.TempDir(), "govulncheck.json", []byte(stream))
	v, lines := state(t, "-binary", binary, input)
	if !slices.Equal(lines, wanted) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	product := v.Statements[0].Products[0]
	if product.PURL.String() != "pkg:golang/example.com/app" || product.Digests.Get(assay.SHA256) != assay.SumSHA256(data) {
		t.Errorf("the product is %+v", product)
	}

	// The SBOM of a folder with the program in it says the same.
	root := t.TempDir()
	write(t, root, "bin/app", data)
	contents, err := sbom.ScanFolder(t.Context(), root, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	doc, _, err := sbom.Encode(contents.SBOM, sbom.CycloneDXJSON, sbom.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, t.TempDir(), "sbom.cdx.json", doc)
	w, again := state(t, "-sbom", file, "-file", "/bin/app", input)
	if !slices.Equal(again, wanted) || w.Statements[0].Products[0].Compare(product) != 0 {
		t.Errorf("from the SBOM: %+v\n%s", w.Statements[0].Products, strings.Join(again, "\n"))
	}
	// In that image, what is stated of the program settles its findings.
	asked := vex.PURLProduct(assay.MustPURL("pkg:golang/golang.org/x/text@v0.3.0"))
	for _, c := range contents.SBOM.Components {
		if c.PURL != asked.PURL {
			continue
		}
		r := vex.NewTimeline([]*assay.VEX{w}, w.Timestamp).StatusIn(contents.SBOM, assay.Product{}, c.ID, assay.Vulnerability{ID: "CVE-2022-32149"})
		if r.Status != assay.NotAffected {
			t.Errorf("got %q on the ways %v, none on %v", r.Status, r.Ways, r.Uncovered)
		}
	}
}

func TestRefuses(t *testing.T) {
	_, binary := build(t)
	dir := t.TempDir()
	input := write(t, dir, "govulncheck.json", []byte(stream))
	other := write(t, dir, "other.json", []byte(strings.ReplaceAll(stream, `"v0.3.0"`, `"v0.3.1"`)))
	broken := write(t, dir, "broken.json", []byte(stream[:len(stream)-20]))
	empty := write(t, dir, "empty.json", []byte(stream[:strings.Index(stream, "\n")]))
	doc := write(t, dir, "sbom.json", []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": {"type": "container", "name": "x"}}}`))
	several := write(t, dir, "several.json", []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"metadata": {"component": {"type": "container", "name": "x", "purl": "pkg:oci/x@sha256:`+strings.Repeat("ab", 32)+`"}}, "components": [
		{"type": "library", "bom-ref": "a", "name": "a", "purl": "pkg:golang/golang.org/x/text@v0.3.0", "evidence": {"occurrences": [{"location": "bin/a"}, {"location": "bin/b"}]}}]}`))
	run := func(args ...string) error {
		return run(append([]string{"-o", filepath.Join(dir, "out.json")}, args...), io.Discard)
	}
	for name, tt := range map[string]struct {
		args []string
		kind error
		says string
	}{
		"no author":       {[]string{"-binary", binary, input}, nil, "-author"},
		"no program":      {[]string{"-author", "a", input}, nil, "-binary"},
		"two programs":    {[]string{"-author", "a", "-binary", binary, "-sbom", doc, input}, nil, "-sbom"},
		"no Go program":   {[]string{"-author", "a", "-binary", input, input}, nil, "unrecognized"},
		"another program": {[]string{"-author", "a", "-binary", binary, other}, assay.ErrRefuted, "v0.3.1"},
		"cut off":         {[]string{"-author", "a", "-binary", binary, broken}, assay.ErrInvalid, "broken.json"},
		"not in the SBOM": {[]string{"-author", "a", "-sbom", doc, "-file", "bin/app", input}, assay.ErrAbsent, "bin/app"},
		"which program":   {[]string{"-author", "a", "-sbom", several, input}, assay.ErrInvalid, "in 2 files"},
		"bad base":        {[]string{"-author", "a", "-base", "x y", "-binary", binary, input}, assay.ErrInvalid, "OpenVEX 2"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.says) || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("got %v, want %v with %q", err, tt.kind, tt.says)
			}
		})
	}
	if err := run("-author", "a", "-binary", binary, empty); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "out.json")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a document was written:", err)
	}
}

// What govulncheck itself writes of the program, with records of Go's own database.
func TestRealGovulncheck(t *testing.T) {
	govulncheck, corpora := os.Getenv("ASSAY_GOVULNCHECK"), os.Getenv("ASSAY_CORPORA")
	if corpora == "" {
		t.Skip("ASSAY_CORPORA is not set: the folder with osv/Go.zip")
	}
	if govulncheck == "" {
		t.Skip("ASSAY_GOVULNCHECK is not set: the path of govulncheck")
	}
	dir, binary := build(t)
	db := "file://" + filepath.ToSlash(database(t, filepath.Join(corpora, "osv", "Go.zip"), "golang.org/x/text"))
	for mode, args := range map[string][]string{
		"source": {"-C", dir, "./..."},
		"binary": {"-mode", "binary", binary},
	} {
		t.Run(mode, func(t *testing.T) {
			var both [][]string
			for _, format := range []string{"json", "openvex"} {
				data := command(t, dir, govulncheck, append([]string{"-db", db, "-format", format}, args...)...)
				v, lines := state(t, "-binary", binary, write(t, t.TempDir(), "govulncheck.json", data))
				for i, s := range v.Statements {
					if p := s.Products[0]; p.PURL.String() != "pkg:golang/example.com/app" || len(p.Digests) != 1 {
						t.Errorf("the product is %+v", p)
					}
					// The action is ours in both, with a version only from the JSON.
					lines[i] = strings.Join([]string{string(s.Vulnerability.ID), string(s.Status), string(s.Justification)}, " ")
				}
				both = append(both, lines)
			}
			if !slices.Equal(both[0], both[1]) {
				t.Errorf("from JSON\n%s\nfrom OpenVEX\n%s", strings.Join(both[0], "\n"), strings.Join(both[1], "\n"))
			}
			var want []string
			for _, w := range wanted {
				f := strings.Split(w, " | ")
				if f[1] == "affected" {
					f[2] = ""
				}
				want = append(want, f[0]+" "+f[1]+" "+f[2])
			}
			for _, w := range want {
				if !slices.Contains(both[0], w) {
					t.Errorf("no %q in\n%s", w, strings.Join(both[0], "\n"))
				}
			}
		})
	}
}

// database lays records about a module out as govulncheck wants a database.
func database(t *testing.T, archive, module string) string {
	t.Helper()
	type vuln struct {
		ID       string `json:"id"`
		Modified string `json:"modified"`
	}
	dir := t.TempDir()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	const modified = "2026-11-01T00:00:00Z"
	var vulns []vuln
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		var record struct {
			ID       string
			Affected []struct{ Package struct{ Name string } }
		}
		if err := json.Unmarshal(data, &record); err != nil {
			t.Fatal(err)
		}
		if len(record.Affected) > 0 && record.Affected[0].Package.Name == module {
			write(t, dir, "ID/"+record.ID+".json", data)
			vulns = append(vulns, vuln{record.ID, modified})
		}
	}
	for name, v := range map[string]any{
		"index/db.json": map[string]string{"modified": modified}, "index/vulns.json": vulns,
		"index/modules.json": []map[string]any{{"path": module, "vulns": vulns}},
	} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, data)
	}
	return dir
}
