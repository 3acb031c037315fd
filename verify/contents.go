package verify

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/sbom"
)

// contents is what the image's bytes show, or why they are not at hand.
type contents struct {
	*inspection // nil unless reason is Holds
	reason      Reason
	detail      string
}

// inspection is what the checks ask of an image's bytes. Whatever they look at is in
// here, so that a [Record] can keep it.
type inspection struct {
	platform assay.Platform // as the configuration says
	layers   []inspectedLayer
	// sbom is the inventory of the bytes.
	sbom *assay.SBOM
	// posture is what the posture rules say of them; nil with an error.
	posture    *assay.Posture
	postureErr error
}

// inspectedLayer is one layer, base first.
type inspectedLayer struct {
	Digest assay.Digest `json:"digest"`
	DiffID assay.Digest `json:"diffId"`
	// Cached tells a layer whose bytes were hashed in an earlier scan.
	Cached bool `json:"cached,omitzero"`
}

func inspect(c *sbom.Contents) *inspection {
	i := &inspection{platform: c.Platform, sbom: c.SBOM}
	for _, l := range c.Layers {
		i.layers = append(i.layers, inspectedLayer{l.Digest, l.DiffID, l.Cached})
	}
	i.posture, i.postureErr = posture.Assess(c, posture.Options{})
	return i
}

// contents scans the image, if a source has it. The error is for a cancelled
// context; that the bytes are wrong, or cannot be had, is an answer.
func (v *Verifier) contents(ctx context.Context, sources []attest.Source, digest assay.Digest) (contents, error) {
	c := contents{reason: NoContents, detail: "no source has the image"}
	// The first source that gives the bytes is enough, because they are hashed: which
	// of the others fails or lies, and whether it was asked, must not matter.
	worse := func(err error) {
		n := contents{reason: contentsReason(err), detail: err.Error()}
		if c.reason == NoContents || n.reason == ContentsMismatch && c.reason != ContentsMismatch || n.reason == c.reason && n.detail < c.detail {
			c = n
		}
	}
	cancelled := func() error {
		if ctx.Err() == nil {
			return nil
		}
		return &assay.Error{Op: "verify", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: ctx.Err()}
	}
	for _, s := range sources {
		src, ok := s.(ImageSource)
		if !ok {
			continue
		}
		img, err := src.Image(ctx, digest)
		if assay.KindOf(err) == assay.ErrAbsent {
			continue
		}
		if err == nil && img == nil {
			err = &assay.Error{Op: "open image", Kind: assay.ErrUnchecked, Subject: digest.String(), Bound: "an image, or an error"}
		}
		if err != nil {
			worse(err)
			continue
		}
		scanned, err := v.scanImage(ctx, img, digest)
		if err := cancelled(); err != nil {
			return contents{}, err
		}
		if err == nil {
			return contents{inspection: inspect(scanned), reason: Holds}, nil
		}
		worse(err)
	}
	return c, cancelled()
}

func contentsReason(err error) Reason {
	if assay.KindOf(err) == assay.ErrRefuted {
		return ContentsMismatch
	}
	return ContentsUnreadable
}

func (v *Verifier) scanImage(ctx context.Context, img v1.Image, digest assay.Digest) (*sbom.Contents, error) {
	o := v.scan
	o.Digest = digest
	o.LockFiles = false // what a lock file names is not in the image for that
	return sbom.Scan(ctx, img, o)
}
