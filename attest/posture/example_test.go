package posture_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/sbom"
)

// exampleImage has a program and a shell, and runs as uid 65532.
func exampleImage() (v1.Image, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, name := range []string{"app", "bin/sh"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", Config: v1.Config{User: "65532", Entrypoint: []string{"/app"}},
		RootFS: must(img.ConfigFile()).RootFS,
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ExampleAssess() {
	img, err := exampleImage()
	if err != nil {
		fmt.Println(err)
		return
	}
	contents, err := sbom.Scan(context.Background(), img, sbom.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := posture.Assess(contents, posture.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range p.Facts {
		if f.State != assay.Proven || f.Attribute == posture.NonRootUser {
			fmt.Println(f.Attribute, f.State, f.Reason)
			for _, l := range f.Found {
				fmt.Println(" ", l.Path)
			}
		}
	}
	// Output:
	// POSTURE_NONROOT_USER proven user "65532" is uid 65532, gid 0
	// POSTURE_NO_SHELL refuted executables named like a shell: 1
	//   bin/sh
}

func ExampleRead() {
	p, err := posture.Read("posture.json", []byte(`{"attributes":[{"attribute":"POSTURE_NO_SHELL"}]}`))
	fmt.Println(p.Facts[0].Attribute, p.Facts[0].State, err)
	_, err = posture.Read("posture.json", []byte(`{"attributes":[]}`))
	fmt.Println(err)
	// Output:
	// POSTURE_NO_SHELL proven <nil>
	// read posture: posture.json: /attributes: invalid, want at least one attribute (SCAI v0.3)
}

// A claim that somebody signed, against the same rules run on the bytes.
func ExampleCompare() {
	claimed := &assay.Posture{Facts: []assay.Fact{{Attribute: posture.NoShell, State: assay.Proven}}}
	img, err := exampleImage()
	if err != nil {
		fmt.Println(err)
		return
	}
	contents, err := sbom.Scan(context.Background(), img, sbom.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	actual, err := posture.Assess(contents, posture.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range posture.Compare(claimed, actual) {
		fmt.Println(d)
	}
	data, err := posture.Encode(actual)
	fmt.Println(len(data) > 0, err)
	// Output:
	// POSTURE_NO_SHELL refuted: executables named like a shell: 1, the first is bin/sh
	// true <nil>
}

// Which rules there are, and what each wants.
func ExampleRules() {
	for _, r := range posture.Rules() {
		if r.Attribute == posture.NoShell {
			fmt.Println(r.Attribute, "for", r.Stage)
			fmt.Println(r.Title)
			fmt.Println(len(r.Standards) > 0)
		}
	}
	fmt.Println(len(posture.Rules()))
	// Output:
	// POSTURE_NO_SHELL for minimal
	// there is no shell
	// true
	// 16
}
