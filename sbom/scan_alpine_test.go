package sbom_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
)

// TestScanAlpine reads the images that come with osv-scalibr and compares with what
// the topmost database in their layers lists, read here the plainest way.
func TestScanAlpine(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
	}
	for name, least := range map[string]int{"alpine.tar": 10, "alpine-with-packages.tar": 20} {
		t.Run(name, func(t *testing.T) {
			// Not with go-containerregistry's tarball: it packs each layer to learn its digest.
			opened, err := image.Open(context.Background(), "docker-archive:"+filepath.Join(dir, "artifact/image/layerscanning/image/testdata", name), image.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			img := opened.Image()
			c, err := sbom.Scan(context.Background(), img, sbom.Options{})
			if err != nil {
				t.Fatal(err)
			}
			versions := apkDatabases(t, img)
			want := versions[len(versions)-1].packages
			if len(want) < least {
				t.Fatalf("%d packages in the database", len(want))
			}
			got := map[string]string{}
			for _, comp := range c.SBOM.Components {
				if comp.FoundBy != "apk" {
					continue
				}
				p := comp.PURL.Parts()
				if p.Type != "apk" || p.Namespace != "alpine" || p.Qualifiers["arch"] == "" || !strings.HasPrefix(p.Qualifiers["distro"], "alpine-3") {
					t.Errorf("purl %s", comp.PURL)
				}
				got[comp.Name] = comp.Version
				// The layer is the first whose database lists it, and so on to the top.
				first := 0
				for i := len(versions) - 1; i >= 0 && versions[i].packages[comp.Name] == comp.Version; i-- {
					first = versions[i].layer
				}
				if comp.Locations[0].Layer != c.Layers[first].DiffID {
					t.Errorf("%s is of layer %d by its databases", comp.ID, first)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			for _, p := range c.History {
				if p.Component.FoundBy == "apk" && versions[len(versions)-1].packages[p.Component.Name] == p.Component.Version {
					t.Errorf("%s is history and there", p.Component.ID)
				}
			}
			if got := aggregates(c); got["components:apk"] != "complete" || got["dependencies:apk"] != "complete" {
				t.Error(got)
			}
			musl := slices.ContainsFunc(c.SBOM.Relations, func(r assay.Relation) bool {
				return r.Kind == assay.DependsOn && strings.Contains(string(r.From), "/busybox@") && strings.Contains(string(r.To), "/musl@")
			})
			if !musl {
				t.Error("busybox does not depend on musl")
			}
			if id, ok := c.Owner("bin/busybox"); !ok || !strings.Contains(string(id), "/busybox@") {
				t.Errorf("owner of bin/busybox: %q", id)
			}
			t.Logf("%d packages, %d versions of the database, %d in history", len(got), len(versions), len(c.History))
		})
	}
}

type apkVersion struct {
	layer    int
	packages map[string]string
}

func apkDatabases(t *testing.T, img v1.Image) []apkVersion {
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var out []apkVersion
	for i, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		tr := tar.NewReader(r)
		for {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(h.Name, "lib/apk/db/installed") {
				continue
			}
			b, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			v := apkVersion{i, map[string]string{}}
			for _, p := range strings.Split(string(b), "\n\n") {
				var name, version string
				for _, line := range strings.Split(p, "\n") {
					if n, ok := strings.CutPrefix(line, "P:"); ok {
						name = n
					}
					if n, ok := strings.CutPrefix(line, "V:"); ok {
						version = n
					}
				}
				if name != "" {
					v.packages[name] = version
				}
			}
			out = append(out, v)
		}
		_ = r.Close()
	}
	if len(out) == 0 {
		t.Fatal(fmt.Errorf("no database in %d layers", len(layers)))
	}
	return out
}
