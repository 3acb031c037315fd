package scalibr

import (
	"testing"
	"testing/fstest"

	"github.com/assaykit/assay/sbom"
)

func TestViewIsFS(t *testing.T) {
	v := &view{file: sbom.File{Path: "usr/lib/a", Mode: 0o644, Size: 1}, content: []byte("a"), osRelease: []byte("ID=x"), late: true}
	v2 := *v
	v2.osRelease = nil
	early := *v
	early.late, early.osRelease = false, nil
	own := &view{file: sbom.File{Path: release, Mode: 0o644, Size: 1}, content: []byte("a"), late: true}
	if err := fstest.TestFS(v, "usr/lib/a", release); err != nil {
		t.Error(err)
	}
	if err := fstest.TestFS(&v2, "usr/lib/a"); err != nil {
		t.Error(err)
	}
	if err := fstest.TestFS(own, release); err != nil {
		t.Error(err)
	}
	if v.asked || v2.asked || own.asked {
		t.Error("nothing to ask for")
	}
	if _, err := early.Open("usr/lib/a"); err != nil || early.asked {
		t.Error("its own file is there", err)
	}
	if b, err := early.Open(release); err != nil || !early.asked {
		t.Error("os-release is to come", b, err)
	}
}
