package osv_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// folder is a source of files that are given as names and contents in turn.
func folder(name string, format osv.Format, files ...string) osv.Source {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return osv.Source{Name: name, Format: format, FS: fsys}
}

// records is a source of records.
func records(name string, list ...string) osv.Source {
	var files []string
	for _, r := range list {
		files = append(files, string(assay.SumSHA256([]byte(r)).Hex()[:16])+".json", r)
	}
	return folder(name, osv.FormatOSV, files...)
}

// zipped are files in an archive.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// written is a file with that content.
func written(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// built is an index of the sources.
func built(t testing.TB, sources ...osv.Source) *osv.Index {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index")
	build(t, path, sources...)
	return open(t, path)
}

func entries(t testing.TB, x osv.Database, ecosystem, name string) []osv.Entry {
	t.Helper()
	e, err := x.Entries(t.Context(), ecosystem, name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func advisory(t testing.TB, x osv.Database, id assay.VulnID) *osv.Advisory {
	t.Helper()
	a, err := x.Advisory(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// diff is how two values differ.
func diff(want, got any) string {
	return cmp.Diff(want, got, cmpopts.EquateComparable(assay.PURL{}, assay.Digest{}))
}
