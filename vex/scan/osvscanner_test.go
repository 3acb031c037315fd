package scan_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
)

// TestOSVScanner reads what osv-scanner itself reports of Go modules, asked offline
// with the real records of Go.
func TestOSVScanner(t *testing.T) {
	t.Parallel()
	scanner, corpora := os.Getenv("ASSAY_OSV_SCANNER"), os.Getenv("ASSAY_CORPORA")
	if scanner == "" || corpora == "" {
		t.Skip("ASSAY_OSV_SCANNER names no osv-scanner, or ASSAY_CORPORA no folder with osv/Go.zip")
	}
	dir := t.TempDir()
	database := filepath.Join(dir, "osv-scalibr", "Go")
	if err := os.MkdirAll(database, 0o700); err != nil {
		t.Fatal(err)
	}
	zip, err := filepath.Abs(filepath.Join(corpora, "osv", "Go.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(zip, filepath.Join(database, "all.zip")); err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(dir, "go.mod"), filepath.Join(dir, "out.json")
	const modules = "module example.com/x\n\ngo 1.20\n\nrequire (\n\tgolang.org/x/text v0.3.0\n\tgolang.org/x/net v0.1.0\n\tgithub.com/dgrijalva/jwt-go v3.2.0+incompatible\n\tgolang.org/x/sync v0.10.0\n)\n"
	if err := os.WriteFile(in, []byte(modules), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), scanner, "scan", "source", "--offline", "--no-resolve", "--format", "json", "--output-file", out, "-L", in)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY="+dir)
	said, _ := cmd.CombinedOutput() // it exits with 1 because it found something
	report, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	s, err := scan.ReadReport(out, report)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Unevaluated) != 0 {
		t.Errorf("not evaluated: %+v", s.Unevaluated)
	}
	// Every group of the report is a finding, and nothing else is.
	var plain struct {
		Results []struct {
			Packages []struct {
				Package struct{ Name string }
				Groups  []struct{ IDs []string }
			}
		}
	}
	if err := json.Unmarshal(report, &plain); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, r := range plain.Results {
		for _, p := range r.Packages {
			for _, g := range p.Groups {
				want = append(want, p.Package.Name+" "+g.IDs[0])
			}
		}
	}
	byID := map[assay.VulnID]assay.Finding{}
	for _, f := range s.Findings {
		parts := f.PURL.Parts()
		got = append(got, parts.Namespace+"/"+parts.Name+" "+f.Vulnerability.ID.String())
		if parts.Name == "text" {
			byID[f.Vulnerability.ID] = f
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" || len(want) < 20 {
		t.Errorf("%d groups (-report +read):\n%s", len(want), d)
	}
	one := assay.Finding{
		Vulnerability: assay.Vulnerability{ID: "GO-2020-0015", Aliases: []assay.VulnID{"CVE-2020-14040", "GHSA-5rcv-m4m3-hfh7"}},
		PURL:          assay.MustPURL("pkg:golang/golang.org/x/text@v0.3.0"), Published: time.Date(2021, 4, 14, 20, 4, 52, 0, time.UTC), Fix: assay.Fix{Version: "0.3.3", State: assay.FixAvailable},
		Imports: []assay.Import{
			{Path: "golang.org/x/text/encoding/unicode", Symbols: []string{"bomOverride.Transform", "utf16Decoder.Transform"}},
			{Path: "golang.org/x/text/transform", Symbols: []string{"String"}},
		},
	}
	if d := cmp.Diff(one, byID["GO-2020-0015"], same); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	s.StartedOn, s.FinishedOn, s.Scanner.DBUpdated = day(1), day(1), day(1)
	diff(t, s, must(scan.Read("p", assay.PredicateVulns02, must(scan.Encode(s, "")))))
}
