package osv_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// TestPipes are refused: opening one would wait for whoever writes to it. What a link
// leads to is read.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	record := written(t, "record.json", []byte(npm("X-1", "")))
	if err := os.Symlink(record, filepath.Join(dir, "a.json")); err != nil {
		t.Fatal(err)
	}
	build := func(path string) error {
		_, err := osv.Build(t.Context(), t.TempDir()+"/index", osv.BuildOptions{Time: day}, osv.Source{Name: "s", Format: osv.FormatOSV, Path: path})
		return err
	}
	if err := build(dir); err != nil {
		t.Error(err)
	}
	pipe := filepath.Join(dir, "b.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe} {
		if err := build(path); !errors.Is(err, assay.ErrUnchecked) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}
