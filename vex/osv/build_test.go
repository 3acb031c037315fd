package osv_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

var day = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// corpus is a file of real data, outside of this repository.
func corpus(t testing.TB, name string) string {
	t.Helper()
	corpora := os.Getenv("ASSAY_CORPORA")
	if corpora == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	return filepath.Join(corpora, name)
}

func build(t testing.TB, path string, sources ...osv.Source) *osv.Report {
	t.Helper()
	r, err := osv.Build(t.Context(), path, osv.BuildOptions{Time: day}, sources...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, path string) *osv.Index {
	t.Helper()
	x, err := osv.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// Every record of the Go vulnerability database is read.
func TestGoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	r := build(t, path, osv.Source{Name: "Go", Format: osv.FormatOSV, Path: corpus(t, "osv/Go.zip")})
	if r.Info.Advisories != 4291 || r.Info.Skipped != 0 || r.Read != 4291 {
		t.Errorf("got %+v", r)
	}
	x := open(t, path)
	if got := x.Ecosystems(); !cmp.Equal(got, []string{"Go"}) || !x.Knows("Go") || x.Knows("npm") {
		t.Errorf("got ecosystems %q", got)
	}
	a, err := x.Advisory(t.Context(), "GO-2020-0001")
	if err != nil {
		t.Fatal(err)
	}
	want := &osv.Advisory{
		ID: "GO-2020-0001", Aliases: []assay.VulnID{"CVE-2020-36567", "GHSA-6vm3-jj99-7229"},
		Summary: "Arbitrary log line injection in github.com/gin-gonic/gin", Published: time.Date(2021, 4, 14, 20, 4, 52, 0, time.UTC),
	}
	if d := diff(want, a); d != "" {
		t.Error(d)
	}
	entries, err := x.Entries(t.Context(), "Go", "github.com/gin-gonic/gin")
	if err != nil || len(entries) == 0 || entries[0].Advisory != "GO-2020-0001" || len(entries[0].Affected[0].Imports) != 1 {
		t.Errorf("got %+v, %v", entries, err)
	}
}
