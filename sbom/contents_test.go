package sbom_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

func TestContents(t *testing.T) {
	c := scan(t, sbom.Options{},
		[]file{
			{Name: "etc/passwd", Body: "root:x:0:0::/root:/bin/sh\n"}, {Name: "bin/", Mode: 0o777 | 0o1000},
			{Name: "bin/ping", Body: "x", Mode: 0o755 | 0o4000, UID: 1, GID: 2, Caps: testimage.CapNetBindService},
			testimage.Symlink("sbin", "bin"), {Name: "old", Body: "y"}, {Name: "changed"},
		},
		[]file{testimage.Whiteout("old"), {Name: "changed", Mode: 0o600}, {Name: "pong", Type: tar.TypeLink, Link: "bin/ping", Mode: 0o755, UID: 1, GID: 2}},
	)
	ping, err := c.Lookup("/sbin/ping")
	if err != nil {
		t.Fatal(err)
	}
	want := sbom.File{Path: "bin/ping", Mode: 0o755 | fs.ModeSetuid, UID: 1, GID: 2, Size: 1, RawCapabilities: testimage.CapNetBindService, DiffID: c.Layers[0].DiffID}
	if d := cmp.Diff(want, ping, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
		t.Error(d)
	}
	caps, err := ping.Capabilities()
	if err != nil || !caps.Effective || caps.IsZero() || !slices.Equal(caps.Names(), []string{"cap_net_bind_service"}) {
		t.Errorf("%+v, %v", caps, err)
	}
	modes := map[string]fs.FileMode{}
	for f := range c.Files() {
		modes[f.Path] = f.Mode
	}
	if d := cmp.Diff(map[string]fs.FileMode{
		".": fs.ModeDir | 0o755, "bin": fs.ModeDir | fs.ModeSticky | 0o777, "bin/ping": fs.ModeSetuid | 0o755, "changed": 0o600, "etc": fs.ModeDir | 0o755,
		"etc/passwd": 0o644, "pong": fs.ModeSetuid | 0o755, "sbin": fs.ModeSymlink | 0o777,
	}, modes); d != "" {
		t.Error(d)
	}
	if c.Len() != len(modes) {
		t.Errorf("%d files", c.Len())
	}
	var removed []string
	for r := range c.Removed() {
		removed = append(removed, fmt.Sprintf("%s %d %d %v", r.File.Path, r.File.Layer, r.By, r.Deleted))
	}
	if d := cmp.Diff([]string{"changed 0 1 false", "old 0 1 true"}, removed); d != "" {
		t.Error(d)
	}
	if b, err := c.ReadSmall("/etc/passwd"); err != nil || !strings.HasPrefix(string(b), "root:") {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := c.ReadSmall("etc/group"); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := c.ReadSmall("bin/ping"); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a file that is not kept: %v", err)
	}
	if _, err := c.Lookup("nowhere"); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("got %v", err)
	}
	if f, ok := c.Get("/sbin/"); !ok || f.Link != "bin" {
		t.Errorf("%+v", f)
	}
	if c.Platform.String() != "linux/amd64" || c.Config.OS != "linux" || c.ConfigDigest.IsZero() || len(c.SBOM.Layers) != 2 {
		t.Errorf("%+v", c.Platform)
	}
}

func TestDecodeCapabilities(t *testing.T) {
	v3 := "\x01\x00\x00\x03\x00\x20\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00\x00\x00\xe8\x03\x00\x00"
	got, err := sbom.DecodeCapabilities([]byte(v3))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sbom.Capabilities{Revision: 3, Effective: true, Permitted: 1<<13 | 1<<39 | 1<<40, RootID: 1000}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"cap_net_raw", "cap_bpf", "cap_checkpoint_restore"}, got.Names()); d != "" {
		t.Error(d)
	}
	if n := (sbom.Capabilities{Inheritable: 1 << 63}).Names(); !slices.Equal(n, []string{"cap_63"}) {
		t.Error(n)
	}
	for _, bad := range []string{"\x01", "\x00\x00\x00\x00", "\x01\x00\x00\x04" + v3[4:], v3[:20], v3 + "\x00", "\x03" + v3[1:]} {
		if c, err := sbom.DecodeCapabilities([]byte(bad)); err == nil || !errors.Is(err, assay.ErrInvalid) || c != (sbom.Capabilities{}) {
			t.Errorf("%q: %v, %v", bad, c, err)
		}
	}
}

func FuzzDecodeCapabilities(f *testing.F) {
	f.Add([]byte(testimage.CapNetBindService))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := sbom.DecodeCapabilities(raw); err == nil {
			c.Names()
		}
	})
}
