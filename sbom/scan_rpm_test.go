package sbom_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// rpmReleases are the distributions of the databases of the go-rpmdb module.
var rpmReleases = map[string]string{
	"centos7-many/Packages": "ID=centos\nVERSION_ID=7\n", "centos8-modularitylabel/Packages": "ID=centos\nVERSION_ID=8\n",
	"ubi8-s390x/Packages": "ID=rhel\nVERSION_ID=8.4\n", "sle15-bci/Packages.db": "ID=sles\nVERSION_ID=15.4\n",
	"fedora35/rpmdb.sqlite": "ID=fedora\nVERSION_ID=35\n", "cbl-mariner-2.0/rpmdb.sqlite": "ID=mariner\nVERSION_ID=2.0\n",
}

// Images with real databases: the components are what rpm lists, and the document
// survives each format.
func TestScanRPM(t *testing.T) {
	dir := os.Getenv("ASSAY_RPMDB")
	if dir == "" {
		t.Skip("ASSAY_RPMDB names no source of the module github.com/knqyf263/go-rpmdb")
	}
	for db, release := range rpmReleases {
		t.Run(filepath.Dir(db), func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "pkg", "testdata", db))
			if err != nil {
				t.Fatal(err)
			}
			img := testimage.New(t, testimage.Layer{Files: []testimage.File{
				{Name: "etc/os-release", Body: release}, testimage.Symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm"),
				{Name: "usr/lib/sysimage/rpm/" + filepath.Base(db), Body: string(data)},
			}})
			c, err := sbom.Scan(context.Background(), img, sbom.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range c.Skipped {
				t.Errorf("skipped %+v", s)
			}
			got := map[string]bool{}
			depends := 0
			for _, comp := range c.SBOM.Components {
				if comp.FoundBy != "rpm" {
					continue
				}
				p := comp.PURL.Parts()
				if p.Type != "rpm" || p.Name != comp.Name || p.Qualifiers["arch"] == "" || p.Qualifiers["upstream"] == "" || comp.Supplier == "" ||
					comp.Source.Name == "" || len(comp.Licenses) != 1 || comp.Properties["assay:rpm:header-digest"] == "" {
					t.Errorf("%s lacks a fact: %+v", comp.ID, comp)
				}
				got[comp.Name+" "+comp.Version+" "+p.Qualifiers["arch"]] = true
			}
			for _, r := range c.SBOM.Relations {
				if r.Kind == assay.DependsOn {
					depends++
				}
			}
			if filepath.Base(db) != "Packages.db" { // which Debian's rpm does not read
				if d := cmp.Diff(rpmList(t, db, data), got); d != "" {
					t.Errorf("packages (-rpm +scan):\n%s", d)
				}
			}
			if a := aggregates(c); a["components:rpm"] != "complete" {
				t.Error(a)
			}
			if depends < len(got) {
				t.Errorf("%d dependencies of %d packages", depends, len(got))
			}
			roundTrip(t, c.SBOM)
			t.Logf("%d packages, %d dependencies, %s", len(got), depends, aggregates(c)["dependencies:rpm"])
		})
	}
}

func rpmList(t *testing.T, db string, data []byte) map[string]bool {
	program, err := exec.LookPath("rpm")
	if err != nil {
		t.Fatal("ASSAY_RPMDB is set, and there is no rpm to compare with:", err)
	}
	dir := t.TempDir() // rpm writes beside what it reads
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(db)), data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-qa", "--nosignature", "--dbpath", dir, "--queryformat", `%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH}\n`).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "gpg-pubkey ") {
			want[line] = true
		}
	}
	return want
}
