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
			return contents{Contents: scanned, reason: Holds}, nil
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
	return sbom.Scan(ctx, img, o)
}
