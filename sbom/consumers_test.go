package sbom_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// debianScan is what debianContents gives to all who ask. They do not change it.
var debianScan struct {
	sync.Once
	contents *sbom.Contents
	err      error
}

// debianOptions are those of [debianContents].
var debianOptions = sbom.Options{Repository: "registry.example/team/debian"}

// debianDocument is the SBOM of the Debian image.
func debianDocument(t *testing.T) *assay.SBOM { return debianContents(t).SBOM }

// debianContents is the scan of the Debian image that all tests share, because the race
// detector takes minutes for each.
func debianContents(t *testing.T) *sbom.Contents {
	t.Helper()
	img, _ := debianImage(t)
	debianScan.Do(func() {
		debianScan.contents, debianScan.err = sbom.Scan(context.Background(), img, debianOptions)
	})
	if debianScan.err != nil {
		t.Fatal(debianScan.err)
	}
	return debianScan.contents
}

// cycloneDXProgram is for the CycloneDX project's own library for JavaScript. It
// says "ok" or what is wrong, a line for each file.
const cycloneDXProgram = `
const { Validation } = require(process.argv[2] + '/node_modules/@cyclonedx/cyclonedx-library')
const fs = require('fs')
;(async () => {
  for (const file of process.argv.slice(3)) {
    const text = fs.readFileSync(file, 'utf8')
    const wrong = await new Validation.JsonStrictValidator(JSON.parse(text).specVersion).validate(text)
    console.log(wrong === null ? 'ok' : JSON.stringify(wrong))
  }
})().catch(e => { console.error(e); process.exit(1) })
`

// TestCycloneDXLibrary has the CycloneDX project's validator judge documents of a
// real image in all versions of JSON that are written.
func TestCycloneDXLibrary(t *testing.T) {
	t.Parallel()
	library := os.Getenv("ASSAY_CYCLONEDX_LIBRARY")
	if library == "" {
		t.Skip("ASSAY_CYCLONEDX_LIBRARY names no folder with @cyclonedx/cyclonedx-library in its node_modules")
	}
	doc, dir := debianDocument(t), t.TempDir()
	program := filepath.Join(dir, "validate.cjs")
	args := []string{program, library}
	write := func(name string, data []byte) {
		args = append(args, filepath.Join(dir, name))
		if err := os.WriteFile(args[len(args)-1], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(program, []byte(cycloneDXProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	versions := []string{"1.4", "1.5", "1.6", "1.7"}
	for _, v := range versions {
		data, _, err := sbom.Encode(doc, sbom.CycloneDXJSON+sbom.Format("@"+v), sbom.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data[:200]), `"specVersion":"`+v+`"`) {
			t.Fatalf("%s: %s", v, data[:200])
		}
		write(v+".json", data)
	}
	// The validator finds something wrong where there is.
	write("wrong.json", []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library"}]}`))
	out, err := exec.CommandContext(t.Context(), "node", args...).Output()
	if err != nil {
		t.Fatal(err, stderr(err))
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(versions)+1 {
		t.Fatalf("%d answers: %s", len(lines), out)
	}
	for i, v := range versions {
		if lines[i] != "ok" {
			t.Errorf("CycloneDX %s: %.1000s", v, lines[i])
		}
	}
	if lines[len(versions)] == "ok" {
		t.Error("a component without a name is accepted")
	}
}

func stderr(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return string(e.Stderr)
	}
	return ""
}

// TestOSVScanner shows that osv-scanner lists the packages of our documents, all of
// them and no others. SPDX 3 it does not read ("JSON document does not contain
// spdxVersion field").
func TestOSVScanner(t *testing.T) {
	t.Parallel()
	scanner := os.Getenv("ASSAY_OSV_SCANNER")
	if scanner == "" {
		t.Skip("ASSAY_OSV_SCANNER names no osv-scanner")
	}
	doc := debianDocument(t)
	for _, tt := range []struct {
		format sbom.Format
		file   string
	}{
		{sbom.CycloneDXJSON + "@1.4", "bom.cdx.json"}, {sbom.CycloneDXJSON + "@1.5", "bom.cdx.json"},
		{sbom.CycloneDXJSON, "bom.cdx.json"}, {sbom.CycloneDXJSON + "@1.7", "bom.cdx.json"}, {sbom.CycloneDXXML, "bom.cdx.xml"},
		{sbom.SPDXJSON, "bom.spdx.json"}, {sbom.SPDXTagValue, "bom.spdx"}, {oldSPDXJSON, "bom.spdx.json"}, {oldTagValue, "bom.spdx"},
	} {
		t.Run(string(tt.format), func(t *testing.T) {
			data, _, err := sbom.Encode(doc, tt.format, sbom.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			spdx := strings.HasPrefix(string(tt.format), "spdx")
			var want []string
			all := doc.Components
			if spdx {
				all = append(slices.Clone(all), doc.Root) // a package like all others there
			}
			for _, c := range all {
				if c.PURL.IsZero() {
					// Nothing to look advisories up by, unless it has a CPE.
					for _, cpe := range c.CPEs[:min(1, len(c.CPEs))] {
						if spdx {
							want = append(want, cpe)
						} else {
							want = append(want, c.Name+" "+c.Version)
						}
					}
					continue
				}
				p := c.PURL.Parts()
				name := p.Name
				// It takes the name of a component from CycloneDX, and from SPDX that of the
				// package URL without its namespace.
				if !spdx && p.Type != "pypi" { // of which it normalizes the names
					name = strings.ReplaceAll(c.Name, ":", "/")
				}
				if spdx && p.Type == "golang" && name == "go" {
					name = "stdlib" // it takes any module of that last name for Go's own
				}
				want = append(want, name+" "+c.Version)
			}
			if len(want) < 200 {
				t.Fatalf("%d packages", len(want))
			}
			got := osvPackages(t, scanner, tt.file, data)
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(slices.Compact(want), slices.Compact(got)); d != "" {
				t.Errorf("packages (-document +osv-scanner):\n%s", d)
			}
		})
	}
}

// osvPackages gives "name version" of what osv-scanner lists. It exits with an error
// because it has no database of advisories; what it read it lists all the same.
func osvPackages(t *testing.T, scanner, name string, data []byte) []string {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, name), filepath.Join(dir, "out.json")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), scanner, "scan", "source", "--offline", "--no-resolve", "--all-packages",
		"--format", "json", "--output-file", out, "-L", in)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY="+dir)
	said, _ := cmd.CombinedOutput()
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var result struct {
		Results []struct {
			Packages []struct {
				Package struct{ Name, Version string }
			}
		}
	}
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var got []string
	for _, r := range result.Results {
		for _, p := range r.Packages {
			got = append(got, strings.ReplaceAll(p.Package.Name, ":", "/")+" "+p.Package.Version)
		}
	}
	return got
}

// CycloneDX 1.4 has no place to say which statement of completeness is which, and
// wants them to be different.
func TestCycloneDX14Compositions(t *testing.T) {
	root := assay.Component{ID: "root", Type: assay.TypeContainer, Name: "root"}
	doc := &assay.SBOM{Root: root, Components: []assay.Component{{ID: "pkg:npm/a@1", Type: assay.TypeLibrary, Name: "a", Version: "1", PURL: assay.MustPURL("pkg:npm/a@1")}},
		Completeness: []assay.Completeness{
			{Scope: "components", Aggregate: "unknown"}, {Of: "root", Scope: "components", Aggregate: "unknown"},
			{Scope: "components:deb", Aggregate: "complete"}, {Scope: "components:npm", Aggregate: "complete"},
			{Scope: "dependencies:npm", Aggregate: "complete"}, {Of: "pkg:npm/a@1", Scope: "dependencies", Aggregate: "complete"},
		}}
	data, loss, err := sbom.Encode(doc, sbom.CycloneDXJSON+"@1.4", sbom.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Compositions []json.RawMessage }
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, c := range got.Compositions {
		list = append(list, string(c))
	}
	if d := cmp.Diff([]string{`{"aggregate":"unknown","assemblies":["root"]}`, `{"aggregate":"complete","dependencies":["pkg:npm/a@1"]}`}, list); d != "" {
		t.Error(d)
	}
	for _, scope := range []string{"components:deb", "components:npm"} {
		if !slices.ContainsFunc(loss, func(l sbom.Loss) bool { return l.Field == "completeness" && strings.Contains(l.Reason, scope) }) {
			t.Errorf("the loss of %s is not told: %+v", scope, loss)
		}
	}
}
