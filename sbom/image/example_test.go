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
