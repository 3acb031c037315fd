package attest

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// FileSource reads envelopes from files or a folder.
type FileSource struct {
	paths  []string
	folder bool
	limits Limits
}

// FromFiles reads every envelope of the files, whatever it is about.
func FromFiles(paths ...string) *FileSource { return &FileSource{paths: paths} }

// FromFolder reads the files of a folder.
func FromFolder(dir string) *FileSource { return &FileSource{paths: []string{dir}, folder: true} }

// Discover implements [Source].
func (s *FileSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	return nil, errNotYet
}

// EnvelopeSource is envelopes that the caller holds.
type EnvelopeSource struct{ envelopes []assay.Envelope }

// FromEnvelopes gives the envelopes for any subject.
func FromEnvelopes(envelopes ...assay.Envelope) *EnvelopeSource {
	return &EnvelopeSource{envelopes}
}

// Discover implements [Source].
func (s *EnvelopeSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject, s.envelopes...)}, nil
}

// ImageSource is an image that the caller holds; it has no envelopes.
type ImageSource struct{ image v1.Image }

// FromImage gives the bytes of an image to whoever checks evidence against them.
func FromImage(image v1.Image) *ImageSource { return &ImageSource{image} }

// Discover implements [Source]; it finds nothing.
func (s *ImageSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject)}, nil
}

// Image gives the image if it has the digest.
func (s *ImageSource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	return nil, errNotYet
}

// JoinedSource is several sources read as one.
type JoinedSource struct{ sources []Source }

// Join reads all sources and merges what they hold. Their order does not matter.
func Join(sources ...Source) *JoinedSource { return &JoinedSource{sources} }

// Discover implements [Source].
func (s *JoinedSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	return nil, errNotYet
}

// Image asks the sources that can open images, in their order.
func (s *JoinedSource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	return nil, errNotYet
}

// ReadFiles reads the envelopes of files and of the files in folders.
func ReadFiles(paths ...string) ([]assay.Envelope, error) { return nil, errNotYet }

// WriteFile writes the envelopes to one file.
func WriteFile(path string, envelopes ...assay.Envelope) error { return errNotYet }
