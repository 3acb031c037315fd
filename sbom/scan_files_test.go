package sbom_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

func sumOf(s string) assay.Digest {
	h := sha256.Sum256([]byte(s))
	return assay.MustDigest("sha256:" + hex.EncodeToString(h[:]))
}

func TestScanFiles(t *testing.T) {
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02" + strings.Repeat("\x00", 47)
	layers := [][]file{
		{dpkgStatus("a 1"), {Name: "var/lib/dpkg/info/a.list", Body: "/.\n/usr\n/usr/bin\n/usr/bin/a\n"}, {Name: "usr/bin/a", Body: elf, Mode: 0o755},
			{Name: "gone", Body: "gone"}, {Name: "same", Body: "old"}},
		{testimage.Whiteout("gone"), {Name: "same", Body: "new"}, {Name: "script", Body: "#!/bin/sh\n"}, {Name: "x.zip", Body: "PK\x03\x04rest"},
			testimage.HardLink("usr/bin/b", "usr/bin/a"), testimage.Symlink("link", "same"), {Name: "folder/"}, {Name: "empty"}, {Name: "bad\xff", Body: "1"}, {Name: "bad\xfe", Body: "2"}},
	}
	plain := scan(t, sbom.Options{}, layers...)
	c := scan(t, sbom.Options{Files: true}, layers...)
	got := map[string]string{}
	for _, f := range c.SBOM.Components {
		if f.Type != assay.TypeFile {
			continue
		}
		if f.Name == "usr/bin/b" && f.Properties["assay:unclaimed"] != "true" || f.Name != "usr/bin/b" && f.FoundBy != "files" || len(f.Hashes) != 1 || len(f.Locations) != 1 || f.Locations[0].Path != f.Name || f.Properties["bsi:component:filename"] != filepath.Base(f.Name) {
			t.Errorf("%+v", f)
		}
		file, _ := c.Get(f.Name)
		if file.Path == f.Name && file.HardLink == "" && file.DiffID != f.Locations[0].Layer {
			t.Errorf("%s in layer %s, not %s", f.Name, f.Locations[0].Layer, file.DiffID)
		}
		text := f.Hashes[0].Hex()[:8]
		for _, p := range []string{"executable", "archive", "structured"} {
			if v := f.Properties["bsi:component:"+p]; v != "" {
				text += " " + v
			}
		}
		for _, r := range c.SBOM.Relations {
			if r.From == f.ID && r.Kind == assay.OwnedBy {
				text += " of a"
			} else if r.To == f.ID && r.Kind == assay.Contains && r.From == c.SBOM.Root.ID {
				text += " of root"
			}
		}
		got[string(f.ID)] = text
	}
	h := func(s string) string { return sumOf(s).Hex()[:8] }
	want := map[string]string{
		"file:usr/bin/a": h(elf) + " executable of a", "file:usr/bin/b": h(elf) + " executable of root", "file:same": h("new") + " of root",
		"file:script": h("#!/bin/sh\n") + " executable of root", "file:x.zip": h("PK\x03\x04rest") + " archive structured of root", "file:empty": h("") + " of root",
		`file:bad\xfe`: h("2") + " of root", `file:bad\xff`: h("1") + " of root",
		"file:var/lib/dpkg/status": h(layers[0][0].Body) + " of root", "file:var/lib/dpkg/info/a.list": h(layers[0][1].Body) + " of root",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// Without files it is the document that it is by default.
	packages := sbom.Filter(c.SBOM, func(c *assay.Component) bool { return c.FoundBy != "files" })
	for i := range packages.Components { // what is said of an executable that is listed anyway
		for _, name := range []string{"filename", "executable"} {
			delete(packages.Components[i].Properties, "bsi:component:"+name)
		}
	}
	packages.Completeness = plain.SBOM.Completeness
	if d := cmp.Diff(plain.SBOM, packages, equal); d != "" {
		t.Error(d)
	}
	for _, f := range formats {
		data, lost, err := sbom.Encode(c.SBOM, f, sbom.EncodeOptions{})
		if err != nil || len(lost) > 0 {
			t.Errorf("%s: %v %v", f, lost, err)
		}
		back, err := sbom.Read("x", data)
		if err != nil {
			t.Fatal(err)
		}
		if d := sbom.Diff(c.SBOM, back); !d.Empty() {
			t.Errorf("%s: %s", f, d)
		}
	}
}

func TestScanFolderFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := sbom.ScanFolder(context.Background(), dir, sbom.Options{Files: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.SBOM.Components) != 1 || c.SBOM.Components[0].Hashes[0] != sumOf("1") {
		t.Errorf("%+v", c.SBOM.Components)
	}
}

// Names that cannot be told apart once they are UTF-8 cost no square of their number.
func TestScanFilesHostile(t *testing.T) {
	var files []file
	for i := range 5000 {
		files = append(files, file{Name: "d/" + string([]byte{0x80 + byte(i%64), 0x80 + byte(i/64%64), 0xc0 + byte(i/4096)})})
	}
	c := scan(t, sbom.Options{Files: true}, files)
	if len(c.SBOM.Components) != 5000 {
		t.Errorf("%d components", len(c.SBOM.Components))
	}
	ids := map[assay.ComponentID]bool{}
	for _, f := range c.SBOM.Components {
		ids[f.ID] = true
	}
	if len(ids) != 5000 {
		t.Errorf("%d ids", len(ids))
	}
}

// The root says what the manifest's annotations say, and not what labels do, which
// are the base image's as well.
func TestScanAnnotations(t *testing.T) {
	img := testimage.NewWith(t, testimage.Options{
		Manifest: func(m *v1.Manifest) {
			m.Annotations = map[string]string{"org.opencontainers.image.vendor": " Acme ", "org.opencontainers.image.licenses": "mit or Apache-2.0", "org.opencontainers.image.description": "An app"}
		},
		Config: func(c *v1.ConfigFile) {
			c.Config.Labels = map[string]string{"org.opencontainers.image.vendor": "Base", "org.opencontainers.image.licenses": "GPL-2.0-only"}
		},
	}, layersOf([]file{{Name: "a"}})...)
	c, err := sbom.Scan(context.Background(), img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	root := c.SBOM.Root
	if root.Supplier != "Acme" || root.Description != "An app" || !slices.Equal(root.Licenses, []assay.License{{Expression: "MIT OR Apache-2.0"}}) {
		t.Errorf("%+v", root)
	}
}
