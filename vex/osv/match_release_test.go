package osv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// TestMatchReleasesThatAreNotCovered asks about releases that an index has nothing on. What
// it finds of other releases proves nothing, not even of packages that it has no record of.
func TestMatchReleasesThatAreNotCovered(t *testing.T) {
	const osvRecord = `{"id":"%s","modified":"2026-03-02T10:00:00Z","affected":[{"package":{"ecosystem":"%s","name":"%s"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]}]}`
	record := func(id, ecosystem, name string) string { return fmt.Sprintf(osvRecord, id, ecosystem, name) }
	for _, tt := range []struct {
		name    string
		records []string
		purl    string
		unknown bool
	}{
		{"covered", []string{record("A-1", "Debian:12", "bash")}, "pkg:deb/debian/bash@3?distro=debian-12", false},
		{"covered, and no record of the package", []string{record("A-1", "Debian:12", "bash")}, "pkg:deb/debian/zsh@3?distro=debian-12", false},
		{"an older one", []string{record("A-1", "Debian:11", "bash")}, "pkg:deb/debian/bash@3?distro=debian-12", true},
		{"an older one, and no record of the package", []string{record("A-1", "Debian:11", "bash")}, "pkg:deb/debian/zsh@3?distro=debian-12", true},
		{"one that begins the same", []string{record("A-1", "Debian:12", "bash")}, "pkg:deb/debian/zsh@3?distro=debian-1", true},
		{"of every release", []string{record("A-1", "Debian", "bash")}, "pkg:deb/debian/zsh@3?distro=debian-12", false},
		{"of every release, and of another", []string{record("A-1", "Debian", "bash"), record("A-2", "Debian:11", "bash")}, "pkg:deb/debian/bash@3?distro=debian-12", true},
		{"of another ecosystem", []string{record("A-1", "Debian:11", "bash"), record("A-2", "Debiania:12", "bash")}, "pkg:deb/debian/bash@3?distro=debian-12", true},
		{"Alpine", []string{record("A-1", "Alpine:v3.20", "bash")}, "pkg:apk/alpine/zsh@3?distro=alpine-3.20.9", false},
		{"a newer Alpine", []string{record("A-1", "Alpine:v3.20", "bash")}, "pkg:apk/alpine/zsh@3?distro=alpine-3.21.0", true},
		{"Alpine's edge", []string{record("A-1", "Alpine:v3.20", "bash")}, "pkg:apk/alpine/zsh@3?distro=alpine-edge", true},
		{"Ubuntu", []string{record("A-1", "Ubuntu:22.04:LTS", "bash")}, "pkg:deb/ubuntu/zsh@3?distro=ubuntu-22.04", false},
		{"Ubuntu in Pro alone", []string{record("A-1", "Ubuntu:Pro:14.04:LTS", "bash")}, "pkg:deb/ubuntu/zsh@3?distro=ubuntu-14.04", false},
		{"Ubuntu in FIPS alone", []string{record("A-1", "Ubuntu:Pro:FIPS:22.04:LTS", "bash")}, "pkg:deb/ubuntu/zsh@3+fips?distro=ubuntu-22.04", true},
		{"another Ubuntu", []string{record("A-1", "Ubuntu:22.04:LTS", "bash")}, "pkg:deb/ubuntu/zsh@3?distro=ubuntu-24.04", true},
		{"Red Hat", []string{record("A-1", "Red Hat:enterprise_linux:9::baseos", "bash")}, "pkg:rpm/redhat/zsh@3?distro=rhel-9.4", false},
		{"another Red Hat", []string{record("A-1", "Red Hat:enterprise_linux:9::baseos", "bash")}, "pkg:rpm/redhat/zsh@3?distro=rhel-10.0", true},
		{"a stream of Red Hat's that is kept up for longer", []string{record("A-1", "Red Hat:rhel_eus:9.2::baseos", "bash")}, "pkg:rpm/redhat/zsh@3?distro=rhel-9.2", true},
		{"Rocky Linux", []string{record("A-1", "Rocky Linux:9", "bash")}, "pkg:rpm/rocky/zsh@3?distro=rocky-9.2", false},
		{"another AlmaLinux", []string{record("A-1", "AlmaLinux:8", "bash")}, "pkg:rpm/almalinux/zsh@3?distro=almalinux-9.2", true},
		{"SUSE", []string{record("A-1", "SUSE:Linux Enterprise Server 15 SP5", "bash")}, "pkg:rpm/suse/zsh@3?distro=sles-15.5", false},
		{"another SUSE", []string{record("A-1", "SUSE:Linux Enterprise Server 15 SP5", "bash")}, "pkg:rpm/suse/zsh@3?distro=sles-15.6", true},
		{"Leap", []string{record("A-1", "openSUSE:Leap 15.6", "bash")}, "pkg:rpm/opensuse/zsh@3?distro=opensuse-leap-15.6", false},
		{"Tumbleweed", []string{record("A-1", "openSUSE:Leap 15.6", "bash")}, "pkg:rpm/opensuse/zsh@3?distro=opensuse-tumbleweed-20240101", true},
		{"no releases", []string{record("A-1", "Wolfi", "bash")}, "pkg:apk/wolfi/zsh@3", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := built(t, records("s", tt.records...))
			if err := x.Check(t.Context()); err != nil {
				t.Error(err)
			}
			scan := match(t, x, sbomOf(tt.purl))
			if len(scan.Findings) != 0 {
				t.Errorf("found %v", found(scan))
			}
			switch {
			case tt.unknown && (len(scan.Unevaluated) != 1 || !strings.Contains(scan.Unevaluated[0].Reason, "that the database has advisories of")):
				t.Errorf("not told to be unknown: %v", scan.Unevaluated)
			case !tt.unknown && len(scan.Unevaluated) != 0:
				t.Errorf("got %v", scan.Unevaluated)
			}
		})
	}
}

// TestReleases are those of the records that stand, through updates too.
func TestReleases(t *testing.T) {
	path := t.TempDir() + "/index"
	update := func(modified string, releases ...string) *osv.Index {
		t.Helper()
		var rows []string
		for _, r := range releases {
			rows = append(rows, `{"package":{"ecosystem":"`+r+`","name":"a"},"versions":["1"]}`)
		}
		in := records("s", `{"id":"X-1","modified":"`+modified+`","affected":[`+strings.Join(rows, ",")+`]}`)
		in.Name = modified // beside the others
		if _, err := osv.Update(t.Context(), path, osv.BuildOptions{Time: day}, in); err != nil {
			t.Fatal(err)
		}
		x := open(t, path)
		if err := x.Check(t.Context()); err != nil {
			t.Error(err)
		}
		return x
	}
	x := update("2026-03-02T10:00:00Z", "Debian:12", "Debian:11", "Debian", "Debian:12", "Debian Sid:1", "Ubuntu:22.04:LTS", "Maven:https://maven.google.com")
	for ecosystem, want := range map[string][]string{"Debian": {"11", "12"}, "Ubuntu": {"22.04:LTS"}, "Maven": {"https://maven.google.com"}, "Debian Sid": {"1"}, "Deb": nil, "": nil, "Zzz": nil} {
		if d := cmp.Diff(want, x.Releases(ecosystem)); d != "" {
			t.Errorf("%s: %s", ecosystem, d)
		}
	}
	// A newer record with the same id takes its place.
	if d := cmp.Diff([]string{"13"}, update("2026-03-03T10:00:00Z", "Debian:13").Releases("Debian")); d != "" {
		t.Error(d)
	}
}

// TestTooManyReleases is refused: an index has to be read again.
func TestTooManyReleases(t *testing.T) {
	var rows []string
	for i := range 70_000 {
		rows = append(rows, fmt.Sprintf(`{"package":{"ecosystem":"Debian:%d","name":"a"},"versions":["1"]}`, i))
	}
	in := records("s", `{"id":"X-1","affected":[`+strings.Join(rows, ",")+`]}`)
	_, err := osv.Build(t.Context(), t.TempDir()+"/index", osv.BuildOptions{Time: day}, in)
	if assay.KindOf(err) != assay.ErrBound || !strings.Contains(err.Error(), "65536") {
		t.Errorf("got %v", err)
	}
	long := records("s", npm("X-2", ""), `{"id":"X-1","affected":[{"package":{"ecosystem":"Debian:`+strings.Repeat("1", 600)+`","name":"a"},"versions":["1"]}]}`)
	if r, err := osv.Build(t.Context(), t.TempDir()+"/index", osv.BuildOptions{Time: day}, long); err != nil || r.Info.Skipped != 1 {
		t.Errorf("got %v", err)
	}
}
