package osv_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/assaykit/assay/vex/osv"
)

// share is how many of a million records of a generated data set are of an ecosystem,
// near what osv.dev has.
type share struct {
	ecosystem, prefix string
	parts             int
	packages          int // of a data set of 600,000 records
	// releases are of a distribution, whose records have a row for each.
	releases []string
}

var shares = []share{
	{"npm", "MAL", 365_000, 150_000, nil},
	{"GIT", "CVE", 140_000, 8000, nil},
	{"Debian", "DEBIAN-CVE", 90_000, 4000, []string{"11", "12", "13", "14"}},
	{"Ubuntu", "UBUNTU-CVE", 87_000, 4000, []string{"16.04:LTS", "18.04:LTS", "20.04:LTS", "22.04:LTS", "24.04:LTS", "25.10"}},
	{"Red Hat", "RHSA", 70_000, 3000, []string{"enterprise_linux:8::appstream", "enterprise_linux:9::appstream"}},
	{"SUSE", "SUSE-SU", 60_000, 3000, []string{"Linux Enterprise Server 15 SP5", "Linux Enterprise Server 15 SP6"}},
	{"PyPI", "PYSEC", 60_000, 12_000, nil},
	{"MinimOS", "MINI", 50_000, 2000, nil},
	{"Maven", "GHSA", 30_000, 4000, nil},
	{"Go", "GO", 20_000, 2500, nil},
	{"Alpine", "ALPINE-CVE", 14_000, 1000, []string{"v3.20", "v3.21", "v3.22", "edge"}},
	{"Wolfi", "WOLFI-CVE", 14_000, 1000, nil},
}

// packageName is one of an ecosystem's packages; low numbers have most advisories.
func packageName(s share, n int) string {
	switch s.ecosystem {
	case "Go":
		return fmt.Sprintf("github.com/org%d/module%d", n%97, n)
	case "Maven":
		return fmt.Sprintf("org.example.group%d:artifact%d", n%97, n)
	case "GIT":
		return fmt.Sprintf("https://github.com/org%d/repo%d", n%97, n)
	}
	return fmt.Sprintf("package-%d", n)
}

// generatedRecord is record i of an ecosystem; the same numbers give the same record.
func generatedRecord(s share, i, packages int, text string) (name string, data []byte) {
	r := rand.New(rand.NewPCG(uint64(len(s.ecosystem))<<32|uint64(s.ecosystem[0]), uint64(i)))
	id := fmt.Sprintf("%s-2026-%04d", s.prefix, i)
	if s.prefix == "GHSA" {
		id = fmt.Sprintf("GHSA-%04x-%04x-%04x", i>>16&0xffff, i&0xffff, 0x2222)
	}
	type m = map[string]any
	version := func() string { return fmt.Sprintf("%d.%d.%d", r.IntN(9), r.IntN(20), r.IntN(20)) }
	// The sum of several makes some packages far more often affected than others.
	n := min(r.IntN(packages), r.IntN(packages))
	var affected []m
	rows := s.releases
	if rows == nil {
		rows = []string{""}
	}
	for _, release := range rows {
		row := m{}
		kind, eco := "ECOSYSTEM", s.ecosystem
		if release != "" {
			eco += ":" + release
		}
		if s.ecosystem == "Go" || s.ecosystem == "npm" {
			kind = "SEMVER"
		}
		events := []m{{"introduced": "0"}, {"fixed": version()}}
		if s.ecosystem == "GIT" {
			row["ranges"] = []m{{"type": "GIT", "repo": packageName(s, n), "events": []m{{"introduced": "0"}, {"fixed": fmt.Sprintf("%040x", r.Uint64())}}}}
		} else {
			row["package"] = m{"ecosystem": eco, "name": packageName(s, n)}
			row["ranges"] = []m{{"type": kind, "events": events}}
		}
		if s.releases != nil || s.ecosystem == "PyPI" {
			var list []string
			for range 4 + r.IntN(8) {
				list = append(list, version())
			}
			row["versions"] = list
			row["ecosystem_specific"] = m{"urgency": "not yet assigned", "binaries": []m{{"binary_name": "lib" + packageName(s, n), "binary_version": version()}}}
		}
		affected = append(affected, row)
	}
	rec := m{
		"schema_version": "1.7.3", "id": id, "modified": fmt.Sprintf("2026-%02d-%02dT10:11:12Z", 1+r.IntN(12), 1+r.IntN(28)),
		"published": fmt.Sprintf("2025-%02d-%02dT10:11:12Z", 1+r.IntN(12), 1+r.IntN(28)), "affected": affected,
		"summary": "Vulnerability in " + packageName(s, n), "details": text[r.IntN(len(text)/2):][:200+r.IntN(1200)],
		"references":        []m{{"type": "WEB", "url": "https://example.com/advisories/" + id}, {"type": "PACKAGE", "url": "https://example.com/" + packageName(s, n)}},
		"database_specific": m{"severity": "HIGH", "cwe_ids": []string{"CWE-79", "CWE-506"}, "source": "https://example.com/" + id + ".json"},
	}
	switch {
	case s.releases != nil:
		rec["upstream"] = []string{fmt.Sprintf("CVE-2026-%04d", i)}
	case s.ecosystem != "GIT" && s.ecosystem != "npm":
		rec["aliases"] = []string{fmt.Sprintf("CVE-2026-%04d", i)}
	}
	if i%2 == 0 {
		rec["severity"] = []m{{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
	}
	data, err := json.Marshal(rec)
	if err != nil {
		panic(err)
	}
	return id + ".json", data
}

// generated writes a data set of n records as one dump for each ecosystem.
func generated(t testing.TB, n int) []osv.Source {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	for text.Len() < 20_000 {
		fmt.Fprintf(&text, "%s of the function %x leads to ", []string{"A crafted input", "The length", "An attacker", "The state", "A race"}[r.IntN(5)], r.Uint32())
	}
	var out []osv.Source
	for _, s := range shares {
		path := filepath.Join(dir, s.ecosystem+".zip")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(file)
		for i := range n * s.parts / 1_000_000 {
			name, data := generatedRecord(s, i, max(s.packages*n/600_000, 1), text.String())
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write(data)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		out = append(out, osv.Source{Name: s.ecosystem, Format: osv.FormatOSV, Path: path})
	}
	return out
}
