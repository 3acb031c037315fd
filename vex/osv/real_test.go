package osv_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// eachJSON calls yield with every file *.json below a folder, if there is one.
func eachJSON(t *testing.T, root string, yield func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil && path == root {
			return fs.SkipAll
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			yield(path, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRealRecords reads the records of many databases that OSV-Scanner and osv-scalibr
// test themselves with: each has as many rows, ranges and events as encoding/json finds
// in it, and each version that a row lists, or begins at, is found to be affected.
func TestRealRecords(t *testing.T) {
	source, scalibr := os.Getenv("ASSAY_OSV_SCANNER_SOURCE"), os.Getenv("ASSAY_SCALIBR")
	if source == "" || scalibr == "" {
		t.Skip("ASSAY_OSV_SCANNER_SOURCE or ASSAY_SCALIBR names no source")
	}
	roots := []string{source, filepath.Join(scalibr, "detector"), filepath.Join(scalibr, "enricher"), filepath.Join(scalibr, "guidedremediation")}
	if c := os.Getenv("ASSAY_CORPORA"); c != "" {
		roots = append(roots, filepath.Join(c, "records"))
	}
	var all []osv.Advisory
	var files []string
	seen := map[assay.Digest]bool{}
	for _, root := range roots {
		eachJSON(t, root, func(path string, data []byte) {
			for _, record := range plainRecords(data) {
				sum := assay.SumSHA256(record)
				if seen[sum] {
					continue
				}
				seen[sum] = true
				a, err := osv.ReadAdvisory(path, record)
				if err != nil {
					t.Error(err)
					continue
				}
				if got, want := counts(a), plainCounts(t, record); got != want {
					t.Errorf("%s: %s has %v rows, ranges, events and versions, want %v", path, a.ID, got, want)
				}
				files = append(files, string(a.ID)+"-"+sum.Hex()[:8]+".json", string(record))
				all = append(all, *a)
			}
		})
	}
	x := built(t, folder("real", osv.FormatOSV, files...))
	if err := x.Check(t.Context()); err != nil || x.Info().Skipped > 0 {
		t.Errorf("%v, skipped %v", err, x.Skipped())
	}
	asked, undecided := 0, 0
	for _, a := range all {
		for i := range a.Affected {
			n, u := askRow(t, &a, &a.Affected[i])
			asked, undecided = asked+n, undecided+u
		}
	}
	t.Logf("%d records of %v; %d versions asked about, of which %d were not decided", len(all), x.Ecosystems(), asked, undecided)
	if len(all) < 50 || asked < 100 {
		t.Errorf("only %d records, %d versions", len(all), asked)
	}
}

// plainRecords are the records in a file: itself, or whatever in it looks like one.
func plainRecords(data []byte) (out [][]byte) {
	var walk func(raw json.RawMessage, depth int)
	walk = func(raw json.RawMessage, depth int) {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		switch {
		case depth > 12:
		case json.Unmarshal(raw, &object) == nil:
			if object["id"] != nil && object["modified"] != nil && object["affected"] != nil {
				out = append(out, raw)
				return
			}
			for _, v := range object {
				walk(v, depth+1)
			}
		case json.Unmarshal(raw, &list) == nil:
			for _, v := range list {
				walk(v, depth+1)
			}
		}
	}
	walk(data, 0)
	return out
}

func counts(a *osv.Advisory) (n [4]int) {
	n[0] = len(a.Affected)
	for _, row := range a.Affected {
		n[1] += len(row.Ranges)
		n[3] += len(row.Versions)
		for _, r := range row.Ranges {
			n[2] += len(r.Events)
		}
	}
	return n
}

func plainCounts(t *testing.T, record []byte) (n [4]int) {
	t.Helper()
	var w struct {
		Affected []struct {
			Versions []string
			Ranges   []struct{ Events []any }
		}
	}
	if err := json.Unmarshal(record, &w); err != nil {
		t.Fatal(err)
	}
	n[0] = len(w.Affected)
	for _, row := range w.Affected {
		n[1] += len(row.Ranges)
		n[3] += len(row.Versions)
		for _, r := range row.Ranges {
			n[2] += len(r.Events)
		}
	}
	return n
}

// askRow asks about the versions that a row is about, through a database of that record.
func askRow(t *testing.T, a *osv.Advisory, row *osv.Affected) (asked, undecided int) {
	t.Helper()
	p, ok := purlOf(row)
	if !ok || !a.Withdrawn.IsZero() {
		return 0, 0
	}
	versions := slices.Clone(row.Versions)
	for _, r := range row.Ranges {
		for _, e := range r.Events {
			if r.Type != osv.RangeGit && e.Kind == osv.Introduced && e.Version != "0" {
				versions = append(versions, e.Version)
			}
		}
	}
	const most = 40 // evenly, of rows that list thousands
	var purls []string
	for i := range min(most, len(versions)) {
		v := versions[i*len(versions)/min(most, len(versions))]
		parts := p
		if parts.Version = v; parts.Type == "golang" && parts.Name != "stdlib" && parts.Name != "toolchain" {
			parts.Version = "v" + v
		}
		if u, err := assay.NewPURL(parts); err == nil {
			purls = append(purls, u.String())
		}
	}
	slices.Sort(purls)
	purls = slices.Compact(purls)
	scan, err := osv.Match(t.Context(), &memory{records: []osv.Advisory{*a}}, sbomOf(purls...), osv.MatchOptions{Time: january(1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range scan.Findings {
		purls = slices.DeleteFunc(purls, func(p string) bool { return p == string(f.Component) })
		asked++
	}
	for _, u := range scan.Unevaluated {
		purls = slices.DeleteFunc(purls, func(p string) bool { return p == string(u.Component) })
		undecided++
	}
	if len(purls) > 0 {
		t.Errorf("%s: %s are not found", a.ID, purls)
	}
	return asked + undecided, undecided
}

func purlOf(row *osv.Affected) (assay.PURLParts, bool) {
	types := map[string]string{"Go": "golang", "npm": "npm", "PyPI": "pypi", "crates.io": "cargo", "Maven": "maven", "RubyGems": "gem", "NuGet": "nuget", "Packagist": "composer", "Hex": "hex", "Pub": "pub", "Bitnami": "bitnami"}
	typ := types[row.Ecosystem]
	parts := assay.PURLParts{Type: typ, Name: row.Name}
	sep := "/"
	if typ == "maven" {
		sep = ":"
	}
	if i := strings.LastIndex(row.Name, sep); i >= 0 {
		parts.Namespace, parts.Name = row.Name[:i], row.Name[i+1:]
	}
	return parts, typ != ""
}

// TestRealTrackers reads what the corpora have of the trackers of Debian and Alpine and
// of CISA's catalogue, and Go's database besides, which they always have. What the JSON
// says, read by encoding/json, is what matching answers.
func TestRealTrackers(t *testing.T) {
	corpora := os.Getenv("ASSAY_CORPORA")
	if corpora == "" {
		t.Skip("ASSAY_CORPORA names no folder with osv/Go.zip")
	}
	x := built(t, osv.Source{Name: "go", Format: osv.FormatOSV, Path: filepath.Join(corpora, "osv", "Go.zip")})
	if i := x.Info(); i.Advisories < 4000 || i.Skipped > 0 || !slices.Equal(x.Ecosystems(), []string{"Go"}) || x.Releases("Go") != nil {
		t.Errorf("Go: %+v, %v, %v", i, x.Ecosystems(), x.Skipped())
	}
	questions := map[osv.Format]int{}
	ask := func(db osv.Database, purl string, id assay.VulnID, want bool) {
		t.Helper()
		scan, err := osv.Match(t.Context(), only{db, id}, sbomOf(purl), osv.MatchOptions{Time: january(1)})
		if err != nil {
			t.Fatal(err)
		}
		// That a record could not be read is told without a component.
		decided := !slices.ContainsFunc(scan.Unevaluated, func(u assay.Unevaluated) bool { return u.Component != "" })
		if !decided || (len(scan.Findings) > 0) != want {
			t.Errorf("%s in %s: got %v %v, want %t", id, purl, found(scan), scan.Unevaluated, want)
		}
	}
	codenames := map[string]string{"jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "sid": "sid"}
	eachJSON(t, filepath.Join(corpora, "trackers", string(osv.FormatDebian)), func(path string, data []byte) {
		var plain map[string]map[string]struct {
			Releases json.RawMessage
		}
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatal(err)
		}
		db := built(t, osv.Source{Name: path, Format: osv.FormatDebian, Path: path})
		for source, list := range plain {
			for id, record := range list {
				var releases map[string]struct {
					Status string
					Fixed  string `json:"fixed_version"`
				}
				if json.Unmarshal(record.Releases, &releases) != nil {
					continue // counted as skipped
				}
				for name, r := range releases {
					distro := "?distro=debian-" + codenames[name]
					v := strings.ReplaceAll(r.Fixed, "+", "%2B")
					switch {
					case codenames[name] == "" || r.Status != "open" && r.Fixed == "0":
						continue
					case r.Status == "open":
						ask(db, "pkg:deb/debian/"+source+"@9999"+distro, assay.VulnID("DEBIAN-"+id), true)
					default:
						ask(db, "pkg:deb/debian/"+source+"@"+v+distro, assay.VulnID("DEBIAN-"+id), false)
						ask(db, "pkg:deb/debian/"+source+"@"+v+"~"+distro, assay.VulnID("DEBIAN-"+id), true)
					}
					questions[osv.FormatDebian]++
				}
			}
		}
	})
	secdb := filepath.Join(corpora, "trackers", string(osv.FormatAlpine))
	if _, err := os.Stat(secdb); err == nil {
		db := built(t, osv.Source{Name: "alpine", Format: osv.FormatAlpine, Path: secdb})
		eachJSON(t, secdb, func(_ string, data []byte) {
			var plain struct {
				DistroVersion string
				Packages      json.RawMessage
			}
			var packages []struct {
				Pkg struct {
					Name     string
					SecFixes map[string]any
				}
			}
			if err := json.Unmarshal(data, &plain); err != nil {
				t.Fatal(err)
			}
			if json.Unmarshal(plain.Packages, &packages) != nil || plain.DistroVersion == "v1" {
				return // an empty object; another distribution
			}
			for _, p := range packages {
				for fixed, ids := range p.Pkg.SecFixes {
					list, _ := ids.([]any)
					for _, id := range list {
						id, _, _ := strings.Cut(id.(string), " ")
						distro := "?distro=alpine-" + strings.TrimPrefix(plain.DistroVersion, "v")
						if fixed == "0" || len(p.Pkg.SecFixes) > 1 && again(p.Pkg.SecFixes, id) {
							continue
						}
						ask(db, "pkg:apk/alpine/"+p.Pkg.Name+"@"+fixed+distro, assay.VulnID("ALPINE-"+id), false)
						ask(db, "pkg:apk/alpine/"+p.Pkg.Name+"@0"+distro, assay.VulnID("ALPINE-"+id), true)
						questions[osv.FormatAlpine]++
					}
				}
			}
		})
	}
	eachJSON(t, filepath.Join(corpora, "trackers", string(osv.FormatKEV)), func(path string, data []byte) {
		var plain struct {
			Vulnerabilities []struct{ CveID, DateAdded, DueDate string }
		}
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatal(err)
		}
		db := built(t, osv.Source{Name: path, Format: osv.FormatKEV, Path: path})
		if i := db.Info(); i.Skipped > 0 {
			t.Errorf("%s: %v", path, db.Skipped())
		}
		for _, v := range plain.Vulnerabilities {
			a := advisory(t, db, assay.VulnID(v.CveID))
			if a == nil || a.Exploited == nil || a.Exploited.Added.Format("2006-01-02") != v.DateAdded || a.Exploited.Due.Format("2006-01-02") != v.DueDate {
				t.Errorf("%s: got %+v, want %+v", path, a, v)
			}
			questions[osv.FormatKEV]++
		}
	})
	t.Logf("Go's %d records, and of trackers: %v", x.Info().Advisories, questions)
}

// again reports a vulnerability that more than one version fixes.
func again(fixes map[string]any, id string) bool {
	n := 0
	for _, ids := range fixes {
		list, _ := ids.([]any)
		for _, i := range list {
			if text, _ := i.(string); strings.HasPrefix(text, id) {
				n++
			}
		}
	}
	return n > 1
}
