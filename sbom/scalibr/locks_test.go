package scalibr_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/scalibr"
)

// localPackages are folders of the project itself, which the extractors list as if they
// were of the registry. Whatever has such a name there is another package.
var localPackages = map[string][]string{
	"packagelockjson/files.v2.json":             {"etag 1.8.0"},
	"packagelockjson/workspaces-object.v3.json": {"@my-monorepo/pkg-b 2.0.0"},
	"packagelockjson/workspaces.v3.json":        {"@my-monorepo/client 1.0.0", "@my-monorepo/excluded 1.0.0", "@my-monorepo/pkg-a 1.0.0"},
	"yarnlock/exclude-root.v2.lock":             {"@ws/ansi-regex 0.0.0-use.local"},
	"yarnlock/files.v1.lock":                    {"etag 1.8.0"},
}

// TestOracleLockFiles compares what lock files of every version of their formats name
// with what osv-scalibr's extractors find in them.
func TestOracleLockFiles(t *testing.T) {
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
	}
	for _, o := range []struct {
		folder, as string
		new        func(*cpb.PluginConfig) (filesystem.Extractor, error)
	}{
		{"packagelockjson", "package-lock.json", packagelockjson.New},
		{"pnpmlock", "pnpm-lock.yaml", pnpmlock.New},
		{"yarnlock", "yarn.lock", yarnlock.New},
	} {
		e, err := o.new(&cpb.PluginConfig{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := scalibr.New(e)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "extractor/filesystem/language/javascript", o.folder, "testdata", "*.*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			t.Run(o.folder+"/"+filepath.Base(file), func(t *testing.T) {
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "srv/" + o.as, Body: string(body)}}})
				contents, err := sbom.Scan(context.Background(), img, sbom.Options{LockFiles: true, Catalogers: []sbom.Cataloger{apart{c}}})
				if err != nil {
					t.Fatal(err)
				}
				ours, theirs := map[string]bool{}, map[string]bool{}
				for _, one := range contents.SBOM.Components {
					switch one.FoundBy {
					case "npm":
						ours[nameVersion(&one)] = true
					case c.Name():
						theirs[nameVersion(&one)] = true
					}
				}
				for _, local := range localPackages[o.folder+"/"+filepath.Base(file)] {
					if !theirs[local] || ours[local] {
						t.Errorf("%s is listed as differing and does not", local)
					}
					delete(theirs, local)
				}
				if strings.HasPrefix(filepath.Base(file), "invalid-path") {
					// The extractor gives the file up; here the other entries stand.
					if len(theirs) > 0 || len(ours) == 0 {
						t.Errorf("osv-scalibr %v, scan %v", theirs, ours)
					}
					return
				}
				if d := cmp.Diff(theirs, ours); d != "" {
					t.Errorf("(-osv-scalibr +scan):\n%s%+v", d, contents.Skipped)
				}
			})
		}
	}
}
