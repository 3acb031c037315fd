package sbom_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/assaykit/assay/sbom"
)

// One pass over an image gives the inventory, and the facts on files that others
// judge.
func ExampleScan() {
	// An image as one gets it from a registry, a layout or a build.
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, f := range []struct {
		name, body string
		mode       int64
	}{
		{"etc/os-release", "ID=debian\nVERSION_ID=12\n", 0o644},
		{"var/lib/dpkg/status", "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\nDepends: libc6 (>= 2.14)\n\n" +
			"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9+deb12u14\n", 0o644},
		{"app/node_modules/ms/package.json", `{"name":"ms","version":"2.1.3","license":"MIT"}`, 0o644},
		{"usr/bin/su", "…", 0o4755},
	} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.body))}); err != nil {
			log.Fatal(err)
		}
		if _, err := io.WriteString(w, f.body); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		log.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		log.Fatal(err)
	}

	found, err := sbom.Scan(context.Background(), img, sbom.Options{Repository: "registry.example/team/app"})
	if err != nil {
		log.Fatal(err) // nothing was found out: see the kinds of errors
	}
	for _, c := range found.SBOM.Components {
		fmt.Println(c.Type, c.ID)
	}
	for _, r := range found.SBOM.Relations {
		if r.From != found.SBOM.Root.ID {
			fmt.Println(r.From, r.Kind, r.To)
		}
	}
	for f := range found.Files() {
		if f.Executable() {
			fmt.Println(f.Mode, f.Path)
		}
	}
	// Output:
	// operating-system os:debian-12
	// library pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12
	// library pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12
	// library pkg:npm/ms@2.1.3
	// pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12 dependsOn pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12
	// urwxr-xr-x usr/bin/su
}
