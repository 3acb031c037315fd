package osv_test

import (
	"archive/zip"
	"cmp"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay/vex/osv"
)

// What an index of a generated data set says of every package, and of every record, is
// what reading all records one by one says.
func TestIndexAgreesWithItsRecords(t *testing.T) {
	sources := generated(t, 3000)
	// Real records besides, where there are any.
	if corpora := os.Getenv("ASSAY_CORPORA"); corpora != "" {
		sources = append(sources, osv.Source{Name: "real Go", Format: osv.FormatOSV, Path: filepath.Join(corpora, "osv/Go.zip")})
	}
	path := filepath.Join(t.TempDir(), "index")
	if _, err := osv.Build(t.Context(), path, osv.WithSortMemory(osv.BuildOptions{Time: day}, 64<<10), sources...); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	if err := x.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	type key struct{ ecosystem, name string }
	want := map[key][]osv.Entry{}
	count := 0
	for _, s := range sources {
		eachRead(t, s, func(a *osv.Advisory) {
			count++
			rows := map[key][]osv.Affected{}
			for _, row := range a.Affected {
				base, _, _ := strings.Cut(row.Ecosystem, ":")
				k := key{base, osv.NormalName(base, row.Name)}
				if base == "" {
					k = key{"GIT", row.Ranges[0].Repo}
				}
				rows[k] = append(rows[k], row)
			}
			for k, list := range rows {
				want[k] = append(want[k], osv.Entry{Advisory: a.ID, Withdrawn: a.Withdrawn, Affected: list})
			}
			about := advisory(t, x, a.ID)
			a.Affected = nil
			for _, alias := range a.Aliases {
				if !slices.Contains(about.Aliases, alias) {
					t.Errorf("%s: the alias %s is not there: %v", a.ID, alias, about.Aliases)
				}
			}
			a.Aliases, about.Aliases = nil, nil
			if d := diff(a, about); d != "" {
				t.Fatal(d)
			}
		})
	}
	if count < 2900 || x.Info().Advisories != count {
		t.Errorf("%d records, %d advisories", count, x.Info().Advisories)
	}
	for k, list := range want {
		slices.SortStableFunc(list, func(a, b osv.Entry) int { return cmp.Compare(a.Advisory, b.Advisory) })
		if d := diff(list, entries(t, x, k.ecosystem, k.name)); d != "" {
			t.Fatalf("%+v: %s", k, d)
		}
	}
	ecosystems := map[string]bool{}
	for k := range want {
		ecosystems[k.ecosystem] = true
	}
	if d := diff(slices.Sorted(maps.Keys(ecosystems)), x.Ecosystems()); d != "" {
		t.Error(d)
	}
}

// eachRead reads the records of an archive one by one.
func eachRead(t *testing.T, s osv.Source, yield func(*osv.Advisory)) {
	t.Helper()
	z, err := zip.OpenReader(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		a, err := osv.ReadAdvisory(f.Name, data)
		if err != nil {
			t.Fatal(err)
		}
		yield(a)
	}
}
