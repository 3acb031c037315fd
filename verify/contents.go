package verify

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom"
)

// contents is the image's bytes, or why they are not at hand.
type contents struct {
	*sbom.Contents // nil unless reason is Holds
	reason         Reason
	detail         string
}

// contents scans the image, if a source has it. The error is for a cancelled
// context; that the bytes are wrong, or cannot be had, is an answer.
func (v *Verifier) contents(ctx context.Context, sources []attest.Source, digest assay.Digest) (contents, error) {
	c := contents{reason: NoContents, detail: "no source has the image"}
	for _, s := range sources {
		src, ok := s.(ImageSource)
		if !ok {
			continue
		}
		img, err := src.Image(ctx, digest)
		if assay.KindOf(err) == assay.ErrAbsent {
			continue
		}
		if err != nil {
			c = contents{reason: contentsReason(err), detail: err.Error()}
			continue
		}
		scanned, err := v.scanImage(ctx, img, digest)
		if ctx.Err() != nil {
			return contents{}, &assay.Error{Op: "verify", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: ctx.Err()}
		}
		if err == nil {
			return contents{Contents: scanned, reason: Holds}, nil
		}
		c = contents{reason: contentsReason(err), detail: err.Error()}
		if c.reason == ContentsMismatch {
			// A source that gives other bytes than the digest names is not one to be
			// quietly replaced by the next.
			return c, nil
		}
	}
	return c, nil
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
	return sbom.Scan(ctx, img, o)
}
