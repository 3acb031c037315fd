package main

import (
	"context"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
)

// located is an image that was named by digest, and where evidence about it is.
type located struct {
	digest     assay.Digest
	repository string // empty unless it is in a registry
	sources    []attest.Source
	close      func() error
}

// locate finds what is to be verified. In a registry it must be named by digest: a
// tag is somebody's promise. A layout or archive is opened, and is the source of its
// bytes.
func locate(ctx context.Context, ref string) (located, error) {
	if !isLocal(ref) {
		repository, after, ok := strings.Cut(ref, "@")
		if !ok {
			return located{}, misused("%s: name the image by digest, IMAGE@sha256:…", ref)
		}
		digest, err := assay.ParseDigest(after)
		if err != nil {
			return located{}, misused("%s: %v", ref, err)
		}
		return located{digest, repository, []attest.Source{attest.FromRegistry(repository, image.Registry{})}, func() error { return nil }}, nil
	}
	opened, err := image.Open(ctx, ref, image.Options{})
	if err != nil {
		return located{}, err
	}
	if opened.Folder() != "" {
		return located{}, misused("%s: a folder has no digest to verify", ref)
	}
	return located{opened.Digest(), "", []attest.Source{attest.FromImage(opened.Image())}, opened.Close}, nil
}

func isLocal(ref string) bool {
	for _, scheme := range []string{"oci:", "oci-archive:", "docker-archive:", "dir:"} {
		if strings.HasPrefix(ref, scheme) {
			return true
		}
	}
	return false
}

// scan reads an image, or a folder, once.
func scan(ctx context.Context, ref, platform string) (_ *sbom.Contents, err error) {
	var o image.Options
	if platform != "" {
		if o.Platform, err = assay.ParsePlatform(platform); err != nil {
			return nil, misused("--platform: %v", err)
		}
	}
	opened, err := image.Open(ctx, ref, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := opened.Close(); err == nil {
			err = e
		}
	}()
	if folder := opened.Folder(); folder != "" {
		return sbom.ScanFolder(ctx, folder, sbom.Options{})
	}
	so := sbom.Options{Digest: opened.Digest()}
	if !isLocal(ref) {
		r, err := image.Registry{}.ParseReference(ref)
		if err != nil {
			return nil, err
		}
		so.Repository = r.Context().Name()
	}
	return sbom.Scan(ctx, opened.Image(), so)
}
