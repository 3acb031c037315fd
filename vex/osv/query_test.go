package osv_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

func TestQueries(t *testing.T) {
	type q = osv.Query
	debian := &assay.Component{Type: assay.TypeOperatingSystem, Name: "debian", Version: "12"}
	sid := &assay.Component{Type: assay.TypeOperatingSystem, Name: "debian", Properties: map[string]string{"assay:os:codename": "sid"}}
	leap := &assay.Component{Type: assay.TypeOperatingSystem, Name: "opensuse-leap", Version: "15.6"}
	for _, tt := range []struct {
		purl   string
		source assay.SourcePackage
		system *assay.Component
		want   []q
	}{
		{purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12", source: assay.SourcePackage{Name: "openssl", Version: "3.0.11-1~deb12u2"},
			want: []q{{Ecosystem: "Debian", Release: "12", Name: "openssl", Version: "3.0.11-1~deb12u2"}}},
		{purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2+b1?upstream=openssl&distro=debian-12.5",
			want: []q{{Ecosystem: "Debian", Release: "12", Name: "openssl", Version: "3.0.11-1~deb12u2"}}},
		{purl: "pkg:deb/debian/gcc@4:12.2.0-3?upstream=gcc-defaults%401.203&distro=bookworm",
			want: []q{{Ecosystem: "Debian", Release: "12", Name: "gcc-defaults", Version: "1.203"}}},
		{purl: "pkg:deb/debian/bash@5.2-2%2Bb3", system: debian, want: []q{{Ecosystem: "Debian", Release: "12", Name: "bash", Version: "5.2-2"}}},
		{purl: "pkg:deb/debian/bash@5.2-2", system: sid, want: []q{{Ecosystem: "Debian", Release: "sid", Name: "bash", Version: "5.2-2"}}},
		{purl: "pkg:deb/debian/curl@7.88?distro=debian-trixie&epoch=1", want: []q{{Ecosystem: "Debian", Release: "13", Name: "curl", Version: "1:7.88"}}},
		{purl: "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.10?distro=ubuntu-22.04", want: []q{{Ecosystem: "Ubuntu", Release: "22.04", Name: "curl", Version: "7.81.0-1ubuntu1.10"}}},
		{purl: "pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.10?distro=jammy", want: []q{{Ecosystem: "Ubuntu", Release: "22.04", Name: "curl", Version: "7.81.0-1ubuntu1.10"}}},
		{purl: "pkg:apk/alpine/libcrypto3@3.3.1-r0?distro=alpine-3.20.3", source: assay.SourcePackage{Name: "openssl", Version: "3.3.1-r0"},
			want: []q{{Ecosystem: "Alpine", Release: "v3.20", Name: "openssl", Version: "3.3.1-r0"}}},
		{purl: "pkg:apk/alpine/busybox@1.37-r0?distro=alpine-3.22.0_alpha20250108", want: []q{{Ecosystem: "Alpine", Release: "edge", Name: "busybox", Version: "1.37-r0"}}},
		{purl: "pkg:apk/wolfi/libcrypto3@3.3.1-r0?distro=wolfi-20230201", source: assay.SourcePackage{Name: "openssl", Version: "3.3.1-r0"},
			want: []q{{Ecosystem: "Wolfi", Name: "openssl", Version: "3.3.1-r0"}, {Ecosystem: "Wolfi", Name: "libcrypto3", Version: "3.3.1-r0", Beside: true}}},
		{purl: "pkg:apk/chainguard/go@1.22-r0", want: []q{{Ecosystem: "Chainguard", Name: "go", Version: "1.22-r0"}}},
		{purl: "pkg:apk/minimos/go@1.22-r0", want: []q{{Ecosystem: "MinimOS", Name: "go", Version: "1.22-r0"}}},
		{purl: "pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?arch=x86_64&distro=rhel-9.3&epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm",
			want: []q{{Ecosystem: "Red Hat", Release: "9", Name: "openssl", Version: "1:3.0.7-24.el9"}, {Ecosystem: "Red Hat", Release: "9", Name: "openssl-libs", Version: "1:3.0.7-24.el9", Beside: true}}},
		{purl: "pkg:rpm/rocky/bash@5.1-6.el9?distro=rocky-9.2", want: []q{{Ecosystem: "Rocky Linux", Release: "9", Name: "bash", Version: "5.1-6.el9"}}},
		{purl: "pkg:rpm/almalinux/bash@5.1-6.el9?distro=almalinux-9.2", want: []q{{Ecosystem: "AlmaLinux", Release: "9", Name: "bash", Version: "5.1-6.el9"}}},
		{purl: "pkg:rpm/opensuse/bash@5.1-6?distro=opensuse-leap-15.6", want: []q{{Ecosystem: "openSUSE", Release: "Leap 15.6", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/opensuse/bash@5.1-6", system: leap, want: []q{{Ecosystem: "openSUSE", Release: "Leap 15.6", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/opensuse/bash@5.1-6?distro=opensuse-tumbleweed-20240101", want: []q{{Ecosystem: "openSUSE", Release: "Tumbleweed", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/suse/bash@5.1-6?distro=sles-15.5", want: []q{{Ecosystem: "SUSE", Release: "15 SP5", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/suse/bash@5.1-6?distro=sles-15", want: []q{{Ecosystem: "SUSE", Release: "15", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/suse/bash@5.1-6?distro=sle-micro-5.5", want: []q{{Ecosystem: "SUSE", Release: "Micro 5.5", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/photon/bash@5.1-6?distro=photon-5.0", want: []q{{Ecosystem: "Photon OS", Release: "5.0", Name: "bash", Version: "5.1-6"}}},
		// As other tools write them.
		{purl: "pkg:rpm/rhel/bash@5.1-6?distro=rhel-9.1", want: []q{{Ecosystem: "Red Hat", Release: "9", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/redhat/bash@5.1-6?distro=redhat-7.7", want: []q{{Ecosystem: "Red Hat", Release: "7", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/redhat/bash@5.1-6?distro=rhel-8.10%2Beus", want: []q{{Ecosystem: "Red Hat", Release: "8", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/rocky-linux/bash@5.1-6?distro=rocky-linux-9", want: []q{{Ecosystem: "Rocky Linux", Release: "9", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/alma/bash@5.1-6?distro=alma-8.5&epoch=1", want: []q{{Ecosystem: "AlmaLinux", Release: "8", Name: "bash", Version: "1:5.1-6"}}},
		{purl: "pkg:rpm/sles/bash@5.1-6?distro=sles-15.5", want: []q{{Ecosystem: "SUSE", Release: "15 SP5", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/opensuse-leap/bash@5.1-6?distro=opensuse-leap-15.6", want: []q{{Ecosystem: "openSUSE", Release: "Leap 15.6", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/cbl-mariner/bash@5.1-6?distro=cbl-mariner-2.0", want: []q{{Ecosystem: "Azure Linux", Release: "2", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:rpm/azurelinux/bash@5.1-6?distro=azurelinux-3.0", want: []q{{Ecosystem: "Azure Linux", Release: "3", Name: "bash", Version: "5.1-6"}}},
		{purl: "pkg:apk/alpine/bash@5?distro=3.10.2", want: []q{{Ecosystem: "Alpine", Release: "v3.10", Name: "bash", Version: "5"}}},
		{purl: "pkg:deb/ubuntu/bash@5?distro=resolute", want: []q{{Ecosystem: "Ubuntu", Release: "26.04", Name: "bash", Version: "5"}}},
		{purl: "pkg:apk/cleanstart/bash@5", want: []q{{Ecosystem: "CleanStart", Name: "bash", Version: "5"}}},
		{purl: "pkg:apk/alpaquita/bash@5?distro=alpaquita-23", want: []q{{Ecosystem: "Alpaquita", Release: "23", Name: "bash", Version: "5"}}},
		{purl: "pkg:apk/bellsoft-hardened-containers/bash@5?distro=bellsoft-hardened-containers-stream", want: []q{{Ecosystem: "BellSoft Hardened Containers", Release: "stream", Name: "bash", Version: "5"}}},
		{purl: "pkg:deb/echo/bash@5", want: []q{{Ecosystem: "Echo", Name: "bash", Version: "5"}}},
		{purl: "pkg:apk/dhi/curl@8.4.0-r0?os_distro=alpine&os_name=dhi&os_version=3.23", want: []q{{Ecosystem: "Docker Hardened Images", Release: "Alpine:v3.23", Name: "curl", Version: "8.4.0-r0"}}},
		{purl: "pkg:deb/dhi/curl@8.4.0-1?os_version=13", want: []q{{Ecosystem: "Docker Hardened Images", Release: "Debian:13", Name: "curl", Version: "8.4.0-1"}}},
		// What Root patched, and what it patched.
		{purl: "pkg:deb/ubuntu/rootio-gnupg2@2.2.27-3ubuntu2.4.root.io.1?distro=ubuntu-22.04",
			want: []q{{Ecosystem: "Root", Release: "Ubuntu:22.04", Name: "rootio-gnupg2", Version: "2.2.27-3ubuntu2.4.root.io.1"}, {Ecosystem: "Ubuntu", Release: "22.04", Name: "gnupg2", Version: "2.2.27-3ubuntu2.4", Beside: true}}},
		{purl: "pkg:deb/debian/libmagic@8.6?distro=debian-12", source: assay.SourcePackage{Name: "rootio-imagemagick", Version: "8:6.9.root.io.2"},
			want: []q{{Ecosystem: "Root", Release: "Debian:12", Name: "rootio-imagemagick", Version: "8:6.9.root.io.2"}, {Ecosystem: "Debian", Release: "12", Name: "imagemagick", Version: "8:6.9", Beside: true}}},
		{purl: "pkg:apk/alpine/rootio-util-linux@2.38.1-r10071?distro=alpine-3.18.2",
			want: []q{{Ecosystem: "Root", Release: "Alpine:3.18", Name: "rootio-util-linux", Version: "2.38.1-r10071"}, {Ecosystem: "Alpine", Release: "v3.18", Name: "util-linux", Version: "2.38.1-r10071", Beside: true}}},
		{purl: "pkg:npm/%40rootio/semver@7.5.2-root.io.1", want: []q{{Ecosystem: "Root", Release: "npm", Name: "@rootio/semver", Version: "7.5.2-root.io.1"}, {Ecosystem: "npm", Name: "semver", Version: "7.5.2", Beside: true}}},
		{purl: "pkg:pypi/rootio_requests@2.31.0%2Broot.io.1", want: []q{{Ecosystem: "Root", Release: "PyPI", Name: "rootio-requests", Version: "2.31.0+root.io.1"}, {Ecosystem: "PyPI", Name: "requests", Version: "2.31.0", Beside: true}}},
		{purl: "pkg:maven/io.root.org.springframework/spring-core@5.3.40-root.io.1",
			want: []q{{Ecosystem: "Root", Release: "Maven", Name: "io.root.org.springframework:spring-core", Version: "5.3.40-root.io.1"}, {Ecosystem: "Maven", Name: "org.springframework:spring-core", Version: "5.3.40", Beside: true}}},
		{purl: "pkg:golang/github.com/Masterminds/goutils@v1.1.0", want: []q{{Ecosystem: "Go", Name: "github.com/masterminds/goutils", Version: "1.1.0"}}},
		{purl: "pkg:golang/stdlib@1.22rc1", want: []q{{Ecosystem: "Go", Name: "stdlib", Version: "1.22.0-rc.1"}}},
		{purl: "pkg:golang/stdlib@go1.21.3", want: []q{{Ecosystem: "Go", Name: "stdlib", Version: "1.21.3"}}},
		{purl: "pkg:golang/toolchain@1.22", want: []q{{Ecosystem: "Go", Name: "toolchain", Version: "1.22.0"}}},
		{purl: "pkg:golang/k8s.io/apiserver@v0.29.0", want: []q{{Ecosystem: "Go", Name: "k8s.io/apiserver", Version: "0.29.0"}, {Ecosystem: "Kubernetes", Name: "k8s.io/apiserver", Version: "0.29.0", Beside: true}}},
		{purl: "pkg:npm/%40angular/core@12.0.0", want: []q{{Ecosystem: "npm", Name: "@angular/core", Version: "12.0.0"}}},
		{purl: "pkg:pypi/Zope.Interface@5.0", want: []q{{Ecosystem: "PyPI", Name: "zope-interface", Version: "5.0"}}},
		{purl: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", want: []q{{Ecosystem: "Maven", Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.1"}}},
		{purl: "pkg:gem/rails@6.0", want: []q{{Ecosystem: "RubyGems", Name: "rails", Version: "6.0"}}},
		{purl: "pkg:cargo/serde_json@1.0.0", want: []q{{Ecosystem: "crates.io", Name: "serde-json", Version: "1.0.0"}}},
		{purl: "pkg:composer/symfony/http-kernel@6.0.0", want: []q{{Ecosystem: "Packagist", Name: "symfony/http-kernel", Version: "6.0.0"}}},
		{purl: "pkg:nuget/Newtonsoft.Json@12.0.1", want: []q{{Ecosystem: "NuGet", Name: "newtonsoft.json", Version: "12.0.1"}}},
		{purl: "pkg:hex/phoenix@1.0.0", want: []q{{Ecosystem: "Hex", Name: "phoenix", Version: "1.0.0"}}},
		{purl: "pkg:pub/http@1.0.0", want: []q{{Ecosystem: "Pub", Name: "http", Version: "1.0.0"}}},
		{purl: "pkg:conan/openssl@3.0.3?channel=stable&user=conan", want: []q{{Ecosystem: "ConanCenter", Name: "openssl", Version: "3.0.3"}}},
		{purl: "pkg:hackage/aeson@1.0", want: []q{{Ecosystem: "Hackage", Name: "aeson", Version: "1.0"}}},
		{purl: "pkg:cran/readxl@1.0", want: []q{{Ecosystem: "CRAN", Name: "readxl", Version: "1.0"}}},
		{purl: "pkg:swift/github.com/apple/swift-nio@2.0.0", want: []q{{Ecosystem: "SwiftURL", Name: "github.com/apple/swift-nio", Version: "2.0.0"}}},
		{purl: "pkg:githubactions/Actions/checkout@v4", want: []q{{Ecosystem: "GitHub Actions", Name: "actions/checkout", Version: "v4"}}},
		{purl: "pkg:bitnami/wordpress@6.2.0", want: []q{{Ecosystem: "Bitnami", Name: "wordpress", Version: "6.2.0"}}},
	} {
		c := assay.Component{Name: "x", PURL: assay.MustPURL(tt.purl), Source: tt.source}
		got, err := osv.Queries(&c, tt.system)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", tt.purl, err, diff)
		}
	}
}

func TestQueriesThatCannotBeAsked(t *testing.T) {
	ubuntu := &assay.Component{Type: assay.TypeOperatingSystem, Name: "ubuntu", Version: "22.04"}
	for _, tt := range []struct{ purl, says string }{
		{"", "a package URL"},
		{"pkg:deb/debian/bash?distro=debian-12", "a version"},
		{"pkg:generic/redis@7.0.0", `got "generic"`},
		{"pkg:oci/alpine@sha256:00", `got "oci"`},
		{"pkg:maven/log4j@1", "the group"},
		{"pkg:deb/raspbian/bash@5", `got "raspbian"`},
		{"pkg:rpm/fedora/bash@5?distro=fedora-40", `got "fedora"`},
		{"pkg:deb/bash@5?distro=debian-12", "a distribution"},
		{"pkg:apk/alpine/bash@5?distro=alpine-next", `got "alpine-next"`},
		{"pkg:deb/debian/bash@5?distro=ubuntu-22.04", `got "ubuntu-22.04", want the release of Debian`},
		{"pkg:deb/debian/bash@5", `got "ubuntu-22.04", want the release of Debian`},
		{"pkg:rpm/suse/bash@5?distro=sles", "the release of SUSE"},
		{"pkg:rpm/redhat/bash@5?distro=hummingbird-20251124", "the release of Red Hat"},
		{"pkg:rpm/centos/bash@5?distro=centos-7.6", `got "centos"`},
		{"pkg:rpm/oracle/bash@5?distro=oracle-8.0", `got "oracle"`},
		{"pkg:rpm/amazon/bash@5?distro=amazon-2", `got "amazon"`},
		{"pkg:dhi/curl@8.4.0-r0", `got "dhi"`},
		{"pkg:deb/dhi/curl@8.4.0-1", "the release of Docker Hardened Images"},
		{"pkg:apk/curl@7.61.1?distro=alpine-3.20.3", "a distribution"},
	} {
		c := assay.Component{Name: "x"}
		if tt.purl != "" {
			c.PURL = assay.MustPURL(tt.purl)
		}
		got, err := osv.Queries(&c, ubuntu)
		if !errors.Is(err, assay.ErrUnchecked) || got != nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, %v, want an error that says %s", tt.purl, got, err, tt.says)
		}
	}
	c := assay.Component{Name: "bash", PURL: assay.MustPURL("pkg:deb/debian/bash@5")}
	if got, err := osv.Queries(&c, nil); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("a package of no known release: got %v, %v", got, err)
	}
	// Without a version there is a question, of which nothing can be decided.
	c = assay.Component{PURL: assay.MustPURL("pkg:npm/left-pad")}
	if got, err := osv.Queries(&c, nil); err != nil || len(got) != 1 || got[0].Version != "" {
		t.Errorf("got %v, %v", got, err)
	}
	// A version besides the package URL's is as good.
	c = assay.Component{PURL: assay.MustPURL("pkg:npm/left-pad"), Version: "1.3.0"}
	if got, err := osv.Queries(&c, nil); err != nil || got[0].Version != "1.3.0" {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzQueries(f *testing.F) {
	f.Add("pkg:deb/debian/libssl3@3.0.11-1~deb12u2+b1?upstream=openssl%401.0&distro=debian-12", "debian", "12")
	f.Add("pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm", "rhel", "9.3")
	f.Add("pkg:rpm/suse/bash@5?distro=sle-micro-", "sle-micro", "-")
	f.Add("pkg:apk/alpine/busybox@1?distro=-", "alpine", ".")
	f.Add("pkg:golang/stdlib@go", "", "")
	f.Add("pkg:golang/tdlib@go", "", "") // a version, though none of Go's
	f.Fuzz(func(t *testing.T, purl, id, release string) {
		p, err := assay.ParsePURL(purl)
		if err != nil {
			return
		}
		c := assay.Component{PURL: p}
		queries, err := osv.Queries(&c, &assay.Component{Type: assay.TypeOperatingSystem, Name: id, Version: release})
		if (err == nil) == (len(queries) == 0) || err != nil && !errors.Is(err, assay.ErrUnchecked) {
			t.Fatalf("%s: got %v, %v", purl, queries, err)
		}
		for i, q := range queries {
			if q.Ecosystem == "" || strings.Contains(q.Ecosystem, ":") || q.Name == "" || q.Version == "" && p.Version() != "" || q.Beside != (i > 0) || q.Name != osv.NormalName(q.Ecosystem, q.Name) {
				t.Errorf("%s: %+v", purl, q)
			}
		}
	})
}
