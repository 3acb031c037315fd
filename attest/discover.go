package attest

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// RegistrySource reads envelopes that are attached to images of one repository.
type RegistrySource struct {
	repository string
	registry   Registry
	limits     Limits
}

// FromRegistry reads from a repository, "registry.example/app". A tag or digest
// after it is accepted and ignored: what is discovered is about the digest asked for.
func FromRegistry(repository string, registry Registry) *RegistrySource {
	return &RegistrySource{repository: repository, registry: registry}
}

// WithLimits gives a source that is bounded by l.
func (s *RegistrySource) WithLimits(l Limits) *RegistrySource {
	c := *s
	c.limits = l
	return &c
}

// Discover implements [Source].
func (s *RegistrySource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	return nil, errNotYet
}

// Image opens the image with the digest. Its manifest is hashed against the digest;
// who reads its layers hashes those.
func (s *RegistrySource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	return nil, errNotYet
}
