package image_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom/image"
)

func ExampleOpen() {
	// A registry with one image.
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ref := strings.TrimPrefix(server.URL, "http://") + "/app:v1"
	img, err := testimage.Build(testimage.Options{}, testimage.Layer{Files: []testimage.File{{Name: "hello", Body: "world"}}})
	if err != nil {
		log.Fatal(err)
	}
	tag, err := name.NewTag(ref)
	if err != nil {
		log.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		log.Fatal(err)
	}

	o, err := image.Open(context.Background(), ref, image.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	fmt.Println(o.Platform(), o.Digest() == img.ID())

	_, err = image.Open(context.Background(), strings.Replace(ref, "v1", "v2", 1), image.Options{})
	fmt.Println("absent:", errors.Is(err, assay.ErrAbsent), "could not be read:", errors.Is(err, assay.ErrUnchecked))
	// Output:
	// linux/amd64 true
	// absent: true could not be read: false
}

func ExampleOpen_folder() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	o, err := image.Open(context.Background(), "dir:"+dir, image.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	fmt.Println(o.Folder() == dir, o.Image() == nil)
	// Output: true true
}

func ExampleRegistry() {
	r := image.Registry{PlainHTTP: []string{"registry.test:5000"}}
	ref, err := r.ParseReference("registry.test:5000/app")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ref.Name(), ref.Context().Scheme())
	// Output: registry.test:5000/app:latest http
}

// What a build says is in its images. It is a claim that nobody signed.
func ExampleOpened_AttachedSBOMs() {
	ctx := context.Background()
	dir := exampleIndex()
	defer os.RemoveAll(dir)
	o, err := image.Open(ctx, "oci:"+dir, image.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	for s, err := range o.AttachedSBOMs(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(s.Subject == o.Digest(), s.PredicateType, string(s.Predicate))
	}
	// Output: true https://spdx.dev/Document {"spdxVersion":"SPDX-2.3"}
}

// Provenance that nobody signed, for package provenance, ReadStatement.
func ExampleOpened_AttachedProvenances() {
	ctx := context.Background()
	dir := exampleIndex()
	defer os.RemoveAll(dir)
	o, err := image.Open(ctx, "oci:"+dir, image.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer o.Close()
	for s, err := range o.AttachedProvenances(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(s.Subject == o.Digest(), s.PredicateType, string(s.Predicate))
	}
	// Output: true https://slsa.dev/provenance/v1 {"buildDefinition":{},"runDetails":{}}
}

// exampleIndex writes a layout of one image with its SBOM and its provenance beside it,
// as BuildKit does.
func exampleIndex() string {
	img, err := testimage.Build(testimage.Options{}, testimage.Layer{Files: []testimage.File{{Name: "hello"}}})
	if err != nil {
		log.Fatal(err)
	}
	statement := []byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://spdx.dev/Document","subject":[{"digest":{"sha256":"` +
		img.ID().Hex() + `"}}],"predicate":{"spdxVersion":"SPDX-2.3"}}`)
	built := []byte(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v1","subject":[{"digest":{"sha256":"` +
		img.ID().Hex() + `"}}],"predicate":{"buildDefinition":{},"runDetails":{}}}`)
	att, err := testimage.Build(testimage.Options{},
		testimage.Layer{Blob: statement, Tar: statement, MediaType: "application/vnd.in-toto+json"},
		testimage.Layer{Blob: built, Tar: built, MediaType: "application/vnd.in-toto+json"})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: att, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{
				"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": img.ID().String(),
			}}})
	if _, err := layout.Write(dir, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index})); err != nil {
		log.Fatal(err)
	}
	return dir
}
