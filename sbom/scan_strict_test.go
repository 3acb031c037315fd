package sbom_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// A database that is broken, in part or in whole, costs what cannot be read of it and
// nothing else: that is said, and with Strict it is an error that names it.
func TestScanBrokenDatabase(t *testing.T) {
	const good = "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
	const apk = "P:a\nV:1\nA:x86_64\n"
	list := func(s string) []file {
		return []file{{Name: "var/lib/dpkg/status", Body: good}, {Name: "var/lib/dpkg/info/a.list", Body: s}, {Name: "usr/bin/a", Body: script, Mode: 0o755}}
	}
	for name, tt := range map[string]struct {
		files  []file
		found  []string
		scope  string
		file   string
		reason string
		bound  bool
	}{
		"a record of dpkg": {[]file{{Name: "var/lib/dpkg/status", Body: "Package: x\nVersion 1\n\n" + good}}, []string{"a"}, "components:deb", "var/lib/dpkg/status", "line 2", false},
		"all of dpkg":      {[]file{{Name: "var/lib/dpkg/status", Body: strings.Repeat("\x00\xff", 50)}}, nil, "components:deb", "var/lib/dpkg/status", "line 1", false},
		"dpkg cut": {[]file{{Name: "var/lib/dpkg/status", Body: good + "\nPackage: b\nArchitecture: all\nStatus: install ok installed\nVersion: 1.2"}},
			[]string{"a"}, "components:deb", "var/lib/dpkg/status", "cut", false},
		"a file of status.d": {[]file{{Name: "var/lib/dpkg/status.d/a", Body: strings.TrimSpace(good)}, {Name: "var/lib/dpkg/status.d/b", Body: "Version: 1\n"}},
			[]string{"a"}, "components:deb", "var/lib/dpkg/status.d/b", "package name", false},
		"a list without end":      {list("/usr/bin/a"), []string{"a", "usr/bin/a"}, "components:generic", "var/lib/dpkg/info/a.list", "cut", false},
		"a list with other bytes": {list("/usr\n/usr/bin/\x00a\n"), []string{"a", "usr/bin/a"}, "components:generic", "var/lib/dpkg/info/a.list", "line 2", false},
		"a record of apk":         {[]file{{Name: "lib/apk/db/installed", Body: "P:x\n\n" + apk + "\n"}}, []string{"a"}, "components:apk", "lib/apk/db/installed", "P and V", false},
		"apk cut":                 {[]file{{Name: "lib/apk/db/installed", Body: apk + "\nP:b\nV:1"}}, []string{"a"}, "components:apk", "lib/apk/db/installed", "cut", false},
		"all of apk":              {[]file{{Name: "lib/apk/db/installed", Body: "\x1f\x8b\x00\n"}}, nil, "components:apk", "lib/apk/db/installed", "line 1", false},
		"a record of opkg":        {[]file{{Name: "usr/lib/opkg/status", Body: "x\n\n" + good}}, []string{"a"}, "components:opkg", "usr/lib/opkg/status", "line 1", false},
		"too large": {[]file{{Name: "var/lib/dpkg/status", Body: good + strings.Repeat("\n", 5000)}, {Name: "lib/apk/db/installed", Body: apk}},
			[]string{"a"}, "components:deb", "var/lib/dpkg/status", "larger", true},
	} {
		t.Run(name, func(t *testing.T) {
			opts := sbom.Options{Bounds: sbom.Bounds{File: 4096}}
			files := append(tt.files, file{Name: "usr/lib/node_modules/p/package.json", Body: `{"name":"p","version":"1"}`})
			c := scan(t, opts, files)
			var names []string
			for _, one := range c.SBOM.Components {
				names = append(names, one.Name)
			}
			want := append(slices.Clone(tt.found), "p")
			slices.Sort(names)
			slices.Sort(want)
			if d := cmp.Diff(want, names); d != "" {
				t.Error("components (-want +got):\n" + d)
			}
			if got := aggregates(c); got[tt.scope] != "incomplete" || got["components:npm"] != "complete" {
				t.Errorf("%v", got)
			}
			told := false
			for _, s := range c.Skipped {
				told = told || strings.Contains(s.Reason, tt.reason)
				if s.Path != tt.file || s.History {
					t.Errorf("skipped %+v", s)
				}
			}
			if !told {
				t.Errorf("skipped %+v", c.Skipped)
			}

			opts.Strict = true
			kind := assay.ErrInvalid
			if tt.bound {
				kind = assay.ErrBound
			}
			img := testimage.New(t, layersOf(files)...)
			got, err := sbom.Scan(context.Background(), img, opts)
			if got != nil || assay.KindOf(err) != kind || !strings.Contains(err.Error(), tt.file) || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("strict: %v, %v", got, err)
			}
			// A database below a good one is nothing that a container sees.
			whole := file{Name: tt.file, Body: good}
			switch {
			case strings.HasPrefix(tt.file, "lib/apk"):
				whole.Body = apk
			case strings.HasSuffix(tt.file, ".list"):
				whole.Body = "/usr/bin/a\n"
			}
			if got, err := sbom.Scan(context.Background(), testimage.New(t, layersOf(files, []file{whole})...), opts); err != nil {
				t.Errorf("strict, below a good one: %v", err)
			} else if a := aggregates(got)[tt.scope]; a == "incomplete" {
				t.Errorf("below a good one: %s is %q, skipped %+v", tt.scope, a, got.Skipped)
			}
		})
	}
}

const script = "#!/bin/sh\nexit\n"

// What is missing in a broken database is not known to be gone.
func TestScanBrokenDatabaseHistory(t *testing.T) {
	c := scan(t, sbom.Options{}, []file{dpkgStatus("a 1", "b 1")}, []file{{Name: "var/lib/dpkg/status", Body: "Package: a\nVersion: 2\n\nPackage: b\nVers\n"}})
	if got := found(c); len(got) != 1 || len(c.History) != 0 {
		t.Errorf("found %v, history %+v", got, c.History)
	}
}

func TestScanStrict(t *testing.T) {
	ctx := context.Background()
	files := []file{{Name: "var/lib/dpkg/status", Body: "x\n\ny\n"}, {Name: "etc/os-release", Body: "ID=debian\n"}, {Name: "srv/node_modules/a/package.json", Body: "{"}}
	// All that is wrong is told, ordered by file.
	_, err := sbom.Scan(ctx, testimage.New(t, layersOf(files)...), sbom.Options{Strict: true})
	if err == nil || !errors.Is(err, assay.ErrInvalid) {
		t.Fatal(err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "srv/node_modules/a/package.json") || !strings.Contains(lines[1], "line 1") || !strings.Contains(lines[2], "line 3") {
		t.Errorf("%q", lines)
	}
	// A database that was removed is no error of its format.
	_, err = sbom.Scan(ctx, testimage.New(t, layersOf([]file{dpkgStatus("a 1")}, []file{testimage.Whiteout("var/lib/dpkg")})...), sbom.Options{Strict: true})
	if assay.KindOf(err) != assay.ErrUnchecked || !strings.Contains(err.Error(), "var/lib/dpkg/status") {
		t.Errorf("removed: %v", err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "var/lib/dpkg"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "var/lib/dpkg/status"), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sbom.ScanFolder(ctx, dir, sbom.Options{}); err != nil {
		t.Error(err)
	}
	if _, err := sbom.ScanFolder(ctx, dir, sbom.Options{Strict: true}); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "var/lib/dpkg/status") {
		t.Errorf("folder: %v", err)
	}
	idx := indexOf(t, testimage.Member{Image: testimage.New(t, layersOf([]file{{Name: "var/lib/dpkg/status", Body: "x\n"}})...)})
	if _, err := sbom.ScanIndex(ctx, idx, sbom.Options{Strict: true}); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "var/lib/dpkg/status") {
		t.Errorf("index: %v", err)
	}
}
