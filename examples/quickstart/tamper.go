package main

import (
	"context"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom"
)

// tampering is one way to attach evidence that must not pass.
type tampering struct {
	name       string
	repository string // where the tampered copy goes
	attach     func(context.Context, place) error
}

func tamperings(s *subject, made *evidence, k *keys) []tampering {
	out := []tampering{
		{"another image's SBOM", "sbom", func(ctx context.Context, p place) error {
			// All of it is genuine, and the signer is the right one: it is only about
			// something else.
			other, err := otherImage()
			if err != nil {
				return err
			}
			contents, err := sbom.Scan(ctx, other, sbom.Options{})
			if err != nil {
				return err
			}
			stmt, err := attest.NewStatement(contents.SBOM, attest.StatementOptions{},
				assay.Subject{Name: "other", Digest: assay.DigestSet{contents.Manifest}})
			if err != nil {
				return err
			}
			envelope, err := attest.Sign(ctx, k.ours, stmt)
			if err != nil {
				return err
			}
			if _, err := attest.Attach(ctx, p.String(), attest.AttachOptions{OtherSubjectsUnsafe: true}, envelope); err != nil {
				return err
			}
			return publish(ctx, k.ours, p, made.without(made.sbom))
		}},
		{"a wrong signer", "signer", func(ctx context.Context, p place) error {
			return publish(ctx, k.theirs, p, made.all())
		}},
	}
	// An image without packages has no component to change, and of one that was given
	// there is no provenance to remove.
	if changed, ok := withAnotherVersion(made.sbom); ok {
		out = append(out, tampering{"a changed component", "component", func(ctx context.Context, p place) error {
			return publish(ctx, k.ours, p, append(made.without(made.sbom), changed))
		}})
	}
	if made.provenance != nil {
		out = append(out, tampering{"a removed provenance", "provenance", func(ctx context.Context, p place) error {
			return publish(ctx, k.ours, p, made.without(made.provenance))
		}})
	}
	if made.scan != nil {
		out = append(out, tampering{"a scan of last week", "scan", func(ctx context.Context, p place) error {
			old, err := scan(ctx, made.sbom, time.Now().AddDate(0, 0, -7))
			if err != nil {
				return err
			}
			return publish(ctx, k.ours, p, append(made.without(made.scan), old))
		}})
	}
	return out
}

func publish(ctx context.Context, signer attest.Signer, p place, list []assay.Evidence) error {
	_, err := attest.Publish(ctx, signer, p.String(), attest.PublishOptions{}, list...)
	return err
}

// withAnotherVersion gives a copy of the SBOM in which one component claims another
// version than is installed: what somebody would do to hide a vulnerable one.
func withAnotherVersion(doc *assay.SBOM) (*assay.SBOM, bool) {
	out := *doc
	out.Components = append([]assay.Component(nil), doc.Components...)
	for i := range out.Components {
		c := &out.Components[i]
		if c.PURL.IsZero() || c.Version == "" {
			continue
		}
		parts := c.PURL.Parts()
		parts.Version = "v99.0.0"
		purl, err := assay.NewPURL(parts)
		if err != nil {
			continue
		}
		c.PURL, c.Version = purl, parts.Version
		return &out, true
	}
	return nil, false
}
