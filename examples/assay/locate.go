package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
)

// located is an image, or an index, by digest, and where its bytes are.
type located struct {
	repository string // empty unless it is in a registry
	digest     assay.Digest
	source     attest.Source
	close      func() error
}

// locate finds what evidence is to be about. In a registry it must be named by
// digest: a tag is somebody's promise. The digest of a file or folder is computed.
func locate(ctx context.Context, ref string) (located, error) {
	if !isLocal(ref) {
		r, err := image.Registry{}.ParseReference(ref)
		if err != nil {
			return located{}, misused("%v", err)
		}
		digest, err := assay.ParseDigest(r.Identifier())
		if err != nil {
			return located{}, misused("%s: name the image by digest, IMAGE@sha256:…", ref)
		}
		repository := r.Context().Name()
		return located{repository, digest, attest.FromRegistry(repository, image.Registry{}), func() error { return nil }}, nil
	}
	if strings.HasPrefix(ref, "dir:") {
		return located{}, misused("%s: a folder has no digest that evidence could be about", ref)
	}
	opened, err := image.Open(ctx, ref, image.Options{})
	if err != nil {
		return located{}, err
	}
	digest := opened.Digest()
	if opened.Index() != nil {
		digest = opened.IndexDigest() // what was named, not the platform that was picked
	}
	source := attest.Source(local{opened})
	if isLayout(ref) {
		source = attest.Join(source, attest.FromLayout(layoutFolder(ref)))
	}
	return located{"", digest, source, opened.Close}, nil
}

// local is an image or index in a file or folder as a source: it has the bytes, and
// no evidence about them.
type local struct{ opened *image.Opened }

// Discover implements [attest.Source].
func (l local) Discover(_ context.Context, subject assay.Digest) (*attest.Found, error) {
	found := &attest.Found{Bundle: assay.NewBundle(subject)}
	if l.opened.Index() != nil && subject == l.opened.IndexDigest() {
		for _, v := range l.opened.Platforms() {
			found.Bundle.AddPlatform(v.Platform, assay.NewBundle(v.Digest))
		}
	}
	return found, nil
}

// Image implements [verify.ImageSource].
func (l local) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	for _, v := range l.opened.Platforms() {
		if v.Digest == digest {
			return l.opened.Variant(ctx, v)
		}
	}
	return nil, &assay.Error{Op: "open image", Kind: assay.ErrAbsent, Subject: l.opened.Reference(), Value: digest.String()}
}

func isLocal(ref string) bool {
	return slices.ContainsFunc([]string{"oci:", "oci-archive:", "docker-archive:", "dir:"}, func(scheme string) bool {
		return strings.HasPrefix(ref, scheme)
	})
}

// scan reads an image, or a folder, once.
func scan(ctx context.Context, e env, ref, platform string) (_ *sbom.Contents, err error) {
	var from image.Options
	var o sbom.Options
	if platform != "" {
		if from.Platform, err = assay.ParsePlatform(platform); err != nil {
			return nil, misused("--platform: %v", err)
		}
	}
	if !isLocal(ref) {
		r, err := image.Registry{}.ParseReference(ref)
		if err != nil {
			return nil, misused("%v", err)
		}
		o.Repository = r.Context().Name()
	}
	opened, err := image.Open(ctx, ref, from)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	var wipe func()
	o.Progress, wipe = e.progress()
	defer wipe()
	if folder := opened.Folder(); folder != "" {
		if platform != "" {
			return nil, misused("--platform: %s is a folder and has none", ref)
		}
		return sbom.ScanFolder(ctx, folder, o)
	}
	o.Digest = opened.Digest()
	return sbom.Scan(ctx, opened.Image(), o)
}
