package catalog_test

import (
	std "cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
)

// The package URLs of distributions, by what their images have in os-release.
func TestDistributions(t *testing.T) {
	databases := map[string]testimage.File{
		"deb":  {Name: "var/lib/dpkg/status", Body: "Package: p\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n"},
		"apk":  {Name: "lib/apk/db/installed", Body: "P:p\nV:2-r3\nA:x86_64\n\n"},
		"alpm": {Name: "var/lib/pacman/local/p-2-3/desc", Body: "%NAME%\np\n\n%VERSION%\n1:2-3\n\n%ARCH%\nx86_64\n"},
		"opkg": {Name: "usr/lib/opkg/status", Body: "Package: p\nVersion: 2-r3\nStatus: install user installed\nArchitecture: x86_64\n\n"},
		"rpm":  db("var/lib/rpm/Packages.db", rpmtest.NDB(rpmtest.Package{Name: "p", Version: "2", Release: "3", Epoch: "1"}.Header())),
	}
	for name, c := range map[string]struct{ kind, release, want string }{
		"Debian 12":           {"deb", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n", "pkg:deb/debian/p@1:2-3?arch=amd64&distro=debian-12"},
		"Debian unstable":     {"deb", "ID=debian\nVERSION_CODENAME=forky\n", "pkg:deb/debian/p@1:2-3?arch=amd64&distro=debian-forky"},
		"Ubuntu":              {"deb", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\nVERSION_CODENAME=noble\n", "pkg:deb/ubuntu/p@1:2-3?arch=amd64&distro=ubuntu-24.04"},
		"Raspbian":            {"deb", "ID=raspbian\nID_LIKE=debian\nVERSION_ID='11'\n", "pkg:deb/raspbian/p@1:2-3?arch=amd64&distro=raspbian-11"},
		"Kali":                {"deb", "ID=kali\nVERSION_ID=\"2026.1\"\nID_LIKE=debian\n", "pkg:deb/kali/p@1:2-3?arch=amd64&distro=kali-2026.1"},
		"Alpine":              {"apk", "ID=alpine\nVERSION_ID=3.22.1\n", "pkg:apk/alpine/p@2-r3?arch=x86_64&distro=alpine-3.22.1"},
		"Alpine edge":         {"apk", "ID=alpine\nVERSION_ID=3.23_alpha20260101\n", "pkg:apk/alpine/p@2-r3?arch=x86_64&distro=alpine-3.23_alpha20260101"},
		"Wolfi":               {"apk", "ID=wolfi\nNAME=\"Wolfi\"\nVERSION_ID=\"20230201\"\n", "pkg:apk/wolfi/p@2-r3?arch=x86_64&distro=wolfi-20230201"},
		"Chainguard":          {"apk", "ID=chainguard\nVERSION_ID=\"20230214\"\n", "pkg:apk/chainguard/p@2-r3?arch=x86_64&distro=chainguard-20230214"},
		"Arch Linux":          {"alpm", "ID=arch\nBUILD_ID=rolling\nVERSION_ID=20260101.0.1\n", "pkg:alpm/arch/p@1:2-3?arch=x86_64&distro=arch-20260101.0.1"},
		"Manjaro":             {"alpm", "ID=manjaro\nID_LIKE=arch\n", "pkg:alpm/manjaro/p@1:2-3?arch=x86_64&distro=manjaro"},
		"OpenWrt":             {"opkg", "ID=\"openwrt\"\nID_LIKE=\"lede openwrt\"\nVERSION_ID=\"23.05.5\"\n", "pkg:opkg/openwrt/p@2-r3?arch=x86_64&distro=openwrt-23.05.5"},
		"Yocto":               {"opkg", "ID=poky\nVERSION_ID=5.0.3\n", "pkg:opkg/poky/p@2-r3?arch=x86_64&distro=poky-5.0.3"},
		"Fedora":              {"rpm", "ID=fedora\nVERSION_ID=42\n", "pkg:rpm/fedora/p@2-3?arch=x86_64&distro=fedora-42&epoch=1"},
		"RHEL":                {"rpm", "ID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.6\"\n", "pkg:rpm/redhat/p@2-3?arch=x86_64&distro=rhel-9.6&epoch=1"},
		"CentOS Stream":       {"rpm", "ID=\"centos\"\nVERSION_ID=\"10\"\n", "pkg:rpm/centos/p@2-3?arch=x86_64&distro=centos-10&epoch=1"},
		"Rocky":               {"rpm", "ID=\"rocky\"\nVERSION_ID=\"9.4\"\n", "pkg:rpm/rocky/p@2-3?arch=x86_64&distro=rocky-9.4&epoch=1"},
		"AlmaLinux":           {"rpm", "ID=\"almalinux\"\nVERSION_ID=\"8.10\"\n", "pkg:rpm/almalinux/p@2-3?arch=x86_64&distro=almalinux-8.10&epoch=1"},
		"Oracle":              {"rpm", "ID=\"ol\"\nVERSION_ID=\"8.9\"\n", "pkg:rpm/ol/p@2-3?arch=x86_64&distro=ol-8.9&epoch=1"},
		"Amazon":              {"rpm", "ID=\"amzn\"\nVERSION_ID=\"2023\"\n", "pkg:rpm/amzn/p@2-3?arch=x86_64&distro=amzn-2023&epoch=1"},
		"Photon":              {"rpm", "ID=photon\nVERSION_ID=5.0\n", "pkg:rpm/photon/p@2-3?arch=x86_64&distro=photon-5.0&epoch=1"},
		"Azure Linux":         {"rpm", "ID=azurelinux\nVERSION_ID=\"3.0\"\n", "pkg:rpm/azurelinux/p@2-3?arch=x86_64&distro=azurelinux-3.0&epoch=1"},
		"openSUSE Leap":       {"rpm", "ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"\n", "pkg:rpm/opensuse/p@2-3?arch=x86_64&distro=opensuse-leap-15.6&epoch=1"},
		"openSUSE Tumbleweed": {"rpm", "ID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20260101\"\n", "pkg:rpm/opensuse/p@2-3?arch=x86_64&distro=opensuse-tumbleweed-20260101&epoch=1"},
		"SLES":                {"rpm", "ID=\"sles\"\nVERSION_ID=\"15.6\"\n", "pkg:rpm/suse/p@2-3?arch=x86_64&distro=sles-15.6&epoch=1"},
		"none":                {"deb", "", "pkg:deb/p@1:2-3?arch=amd64"},
		"no ID":               {"deb", "NAME=Linux\nVERSION_ID=7\n", "pkg:deb/p@1:2-3?arch=amd64"},
		"odd letters":         {"deb", "ID=\"My Distro\"\nVERSION_ID=\"1&2\"\n", "pkg:deb/my%20distro/p@1:2-3?arch=amd64&distro=my%20distro-1%262"},
	} {
		t.Run(name, func(t *testing.T) {
			db := databases[c.kind]
			files := []testimage.File{db, {Name: "usr/lib/os-release", Body: c.release}, testimage.Symlink("etc/os-release", "../usr/lib/os-release")}
			_, _, inv := found(t, testimage.Layer{Files: files})
			var got []string
			for _, one := range inv.Components {
				if one.Name == "p" {
					got = append(got, one.PURL.String())
				}
			}
			if d := cmp.Diff(c.want, strings.Join(got, " ")); d != "" {
				t.Error(d)
			}
			if c.kind == "opkg" || inv.Release.IsZero() {
				return
			}
			// A program that carries a note of its package is that package.
			version := map[string]string{"deb": "1:2-3", "apk": "2-r3", "alpm": "1:2-3", "rpm": "1:2-3"}[c.kind]
			arch := map[string]string{"deb": "amd64"}[c.kind]
			program := elfWith(map[string]string{".note.package": note(fmt.Sprintf(`{"type":%q,"os":%q,"osVersion":%q,"name":"p","version":%q,"architecture":%q}`,
				c.kind, inv.Release.ID, std.Or(inv.Release.VersionID, inv.Release.Codename), version, std.Or(arch, "x86_64")))})
			_, _, inv = found(t, testimage.Layer{Files: append(files, testimage.File{Name: "opt/p", Body: program})})
			n := 0
			for _, one := range inv.Components {
				if one.Name == "p" {
					n++
				}
			}
			if n != 1 && inv.Release.VersionID+inv.Release.Codename != "" {
				t.Errorf("with a program of it: %s", ids(inv))
			}
		})
	}
}
