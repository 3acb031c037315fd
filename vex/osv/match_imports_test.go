package osv_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// TestMatchImports has where a vulnerability is in its finding, as the records say.
func TestMatchImports(t *testing.T) {
	type imports = []assay.Import
	record := func(id assay.VulnID, rows ...osv.Affected) osv.Advisory {
		return osv.Advisory{ID: id, Aliases: []assay.VulnID{"CVE-2026-1"}, Affected: rows}
	}
	in := func(events string, list ...assay.Import) osv.Affected {
		r := row("Go", "example.com/m", events)
		r.Imports = list
		return r
	}
	a, b := assay.Import{Path: "example.com/m/a", Symbols: []string{"F"}}, assay.Import{Path: "example.com/m/b", GOOS: []string{"linux"}}
	for _, tt := range []struct {
		name    string
		records []osv.Advisory
		want    imports
	}{
		{"one", []osv.Advisory{record("GO-1", in("introduced 0", b, a))}, imports{a, b}},
		{"none", []osv.Advisory{record("GO-1", in("introduced 0"))}, nil},
		{"a row that does not include it", []osv.Advisory{record("GO-1", in("introduced 0", a), in("introduced 9.0.0", b))}, imports{a}},
		{"two rows", []osv.Advisory{record("GO-1", in("introduced 0", a), in("introduced 0", b))}, imports{a, b}},
		{"two rows, of which one is about everything", []osv.Advisory{record("GO-1", in("introduced 0", a), in("introduced 0"))}, nil},
		{"a record that does not say", []osv.Advisory{record("GHSA-1111-1111-1111", in("introduced 0")), record("GO-1", in("introduced 0", a))}, imports{a}},
		{"two records", []osv.Advisory{record("GO-1", in("introduced 0", a)), record("GO-2", in("introduced 0", assay.Import{Path: a.Path, Symbols: []string{"E"}}))},
			imports{{Path: a.Path, Symbols: []string{"E", "F"}}}},
		{"a record that cannot be decided", []osv.Advisory{record("GO-1", in("introduced 0", a)), record("GO-2", in("introduced 0, fixed next", b))}, imports{a}},
	} {
		scan := match(t, &memory{records: tt.records}, sbomOf("pkg:golang/example.com/m@v1.0.0"))
		if len(scan.Findings) != 1 {
			t.Fatalf("%s: %v %v", tt.name, found(scan), scan.Unevaluated)
		}
		if diff := cmp.Diff(tt.want, scan.Findings[0].Imports); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	// As the records of Go's database have it, through an index.
	x := built(t, records("s", `{"id":"GO-2026-1","affected":[{"package":{"ecosystem":"Go","name":"example.com/m"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
		"ecosystem_specific":{"imports":[{"path":"example.com/m/a","symbols":["F"]},{"path":"example.com/m/b","goos":["linux"]}]}}]}`))
	if diff := cmp.Diff(imports{a, b}, match(t, x, sbomOf("pkg:golang/example.com/m@v1.0.0")).Findings[0].Imports); diff != "" {
		t.Error(diff)
	}
}
