package attest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/assaykit/assay"
)

// AttachOptions say how envelopes are put beside an image. The zero value uses the
// Docker configuration's credentials and writes no time.
type AttachOptions struct {
	// Registry says how the registry is reached.
	Registry Registry
	// Created becomes the annotation org.opencontainers.image.created. Zero takes
	// SOURCE_DATE_EPOCH from the environment, and without it leaves the annotation
	// out: the time of day would make attaching again a different artifact.
	Created time.Time
	// Logger is told what is pushed; nil discards.
	Logger *slog.Logger
}

// Attached says what [Attach] left in the registry.
type Attached struct {
	// Repository is "registry.example/app".
	Repository string
	// Subject is the image's digest.
	Subject assay.Digest
	// Referrers are sorted by digest, each once.
	Referrers []Referrer
	// FallbackTag is the tag of the list of referrers, where the registry has no
	// referrers API (OCI distribution-spec v1.1, Referrers Tag Schema); else empty.
	FallbackTag string
}

// Referrer is one envelope in the registry.
type Referrer struct {
	// Manifest is the digest of the artifact's manifest.
	Manifest assay.Digest
	// Envelope is the digest of the envelope.
	Envelope assay.Digest
	// PredicateType is as the envelope states it, unverified.
	PredicateType assay.PredicateType
	// New is false if the registry had the manifest already.
	New bool
}

var errNotYet = errors.New("not yet")

// Attach pushes the envelopes as referrers of the image that ref names, by digest
// or by tag.
func Attach(ctx context.Context, ref string, opts AttachOptions, envelopes ...assay.Envelope) (*Attached, error) {
	return nil, errNotYet
}

// PublishOptions say how evidence is encoded and attached.
type PublishOptions struct {
	AttachOptions
	// Statement says how the evidence is encoded.
	Statement StatementOptions
}

// Publish signs evidence about the image that ref names and attaches it, all or
// nothing.
func Publish(ctx context.Context, signer Signer, ref string, opts PublishOptions, evidence ...assay.Evidence) (*Attached, error) {
	return nil, errNotYet
}
