package scan_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/scan"
)

// TestRealReports reads reports that the tools wrote themselves: those that OSV-Scanner
// tests itself with, and all that the corpora have of Grype, Trivy and OSV-Scanner.
// What each has to give is told by encoding/json alone.
func TestRealReports(t *testing.T) {
	source := os.Getenv("ASSAY_OSV_SCANNER_SOURCE")
	if source == "" {
		t.Skip("ASSAY_OSV_SCANNER_SOURCE names no source of OSV-Scanner")
	}
	roots := []string{source}
	if c := os.Getenv("ASSAY_CORPORA"); c != "" {
		roots = append(roots, filepath.Join(c, "reports"))
	}
	reports, said := map[string]int{}, map[string]int{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil && path == root && path != source {
				return fs.SkipAll // the corpora have none
			}
			if err != nil || d.IsDir() || !strings.Contains(d.Name(), ".json") && !strings.HasSuffix(d.Name(), ".golden") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if tool, want := plainReport(data); tool != "" {
				reports[tool]++
				said[tool] += len(want)
				checkReport(t, path, data, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("reports: %v, of vulnerabilities in packages: %v", reports, said)
	if reports["osv-scanner"] < 10 || said["osv-scanner"] < 20 {
		t.Errorf("only %v reports of %v vulnerabilities", reports, said)
	}
}

// plainFinding is what every report says of a vulnerability in a package.
type plainFinding struct {
	id        string
	purl      string // "" if the report has none
	published string
	fixed     bool // some version fixes it
	rated     bool // somebody rated it
}

// plainReport reads what it has to give, no tool if it is no report.
func plainReport(data []byte) (tool string, out []plainFinding) {
	var r struct {
		SchemaVersion int
		Results       []struct {
			Vulnerabilities []struct {
				VulnerabilityID, FixedVersion, Severity, PublishedDate string
				PkgIdentifier                                          struct{ PURL string }
			}
		}
		Matches *[]struct {
			Vulnerability struct {
				ID, Severity string
				Fix          struct{ Versions []string }
			}
			Artifact struct{ PURL string }
		}
		Descriptor json.RawMessage
	}
	var o struct {
		Results *[]struct {
			Packages []struct {
				Vulnerabilities []struct {
					ID        string
					Published string
				}
			}
		} `json:"results"`
	}
	// encoding/json does not tell "Results" from "results".
	switch {
	case bytes.Contains(data, []byte(`"SchemaVersion"`)) && bytes.Contains(data, []byte(`"ArtifactName"`)):
		if json.Unmarshal(data, &r) != nil || r.SchemaVersion != 2 {
			return "", nil
		}
		for _, res := range r.Results {
			for _, v := range res.Vulnerabilities {
				out = append(out, plainFinding{v.VulnerabilityID, v.PkgIdentifier.PURL, v.PublishedDate, v.FixedVersion != "", v.Severity != "" && v.Severity != "UNKNOWN"})
			}
		}
		return "trivy", out
	case bytes.Contains(data, []byte(`"matchDetails"`)):
		if json.Unmarshal(data, &r) != nil || r.Matches == nil || r.Descriptor == nil {
			return "", nil
		}
		for _, m := range *r.Matches {
			out = append(out, plainFinding{m.Vulnerability.ID, m.Artifact.PURL, "", len(m.Vulnerability.Fix.Versions) > 0, m.Vulnerability.Severity != "" && m.Vulnerability.Severity != "Unknown"})
		}
		return "grype", out
	case bytes.Contains(data, []byte(`"packages"`)) && bytes.Contains(data, []byte(`"results"`)):
		if json.Unmarshal(data, &o) != nil || o.Results == nil {
			return "", nil
		}
		for _, res := range *o.Results {
			for _, p := range res.Packages {
				for _, v := range p.Vulnerabilities {
					out = append(out, plainFinding{id: v.ID, published: v.Published})
				}
			}
		}
		return "osv-scanner", out
	}
	return "", nil
}

// checkReport reads a report, and looks for what it has to give.
func checkReport(t *testing.T, path string, data []byte, want []plainFinding) {
	t.Helper()
	s, err := scan.ReadReport(path, data)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	used := make([]bool, len(s.Findings))
	for _, w := range want {
		var purl assay.PURL
		if w.purl != "" {
			if purl, err = assay.ParsePURL(w.purl); err != nil {
				t.Errorf("%s: %s: %v", path, w.purl, err)
				continue
			}
		}
		id, err := assay.ParseVulnID(w.id)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		found := false
		for i, f := range s.Findings {
			if f.Vulnerability.ID != id && !slices.Contains(f.Advisories, id) || w.purl != "" && f.PURL != purl {
				continue
			}
			found, used[i] = true, true
			if w.purl != "" && (f.Fix.Version != "") != w.fixed || w.fixed && f.Fix.Version == "" {
				t.Errorf("%s: %s in %s: fix %+v, of a report that names one: %t", path, w.id, w.purl, f.Fix, w.fixed)
			}
			if w.rated && len(f.Severities) == 0 {
				t.Errorf("%s: %s in %s has no severity", path, w.id, w.purl)
			}
			if w.published != "" && !strings.HasPrefix(w.published, "0001") && f.Published.IsZero() {
				t.Errorf("%s: %s in %s has no date, want %s", path, w.id, w.purl, w.published)
			}
			if f.PURL.IsZero() && f.Component == "" {
				t.Errorf("%s: %s has no component", path, w.id)
			}
		}
		if !found {
			t.Errorf("%s: %s in %s is not found", path, w.id, w.purl)
		}
	}
	// What was suppressed is not in the list above, and is a finding too.
	for i, f := range s.Findings {
		if !used[i] && !bytes.Contains(data, []byte("ExperimentalModifiedFindings")) && !bytes.Contains(data, []byte("ignoredMatches")) && !bytes.Contains(data, []byte(`"groups"`)) {
			t.Errorf("%s: %s in %s is in no list of the report", path, f.Vulnerability.ID, f.PURL)
		}
	}
}
