package sbom

import (
	"context"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// BaseProof is the answer to whether an image was built on another one.
type BaseProof struct {
	// State is [assay.Proven] if all layers of the base are the lowest of the image,
	// in their order, [assay.Refuted] if not, and [assay.Unknown] if they cannot be
	// compared: some of their diffIDs are by different algorithms, or of the image's
	// nobody computed.
	State assay.State
	// Base and Image are the digests of the two manifests.
	Base, Image assay.Digest
	// Layers is how many layers the base has, if State is Proven: the layers of the
	// image with a lower index are from the base. Otherwise it is the index of the
	// lowest layer in which the two differ or cannot be compared; the image has no
	// layer of that index if it has fewer than the base.
	Layers int
	// Repacked are the layers, by index below Layers, whose contents are those of the
	// base and whose blobs are not: a build unpacked and compressed them again.
	Repacked []int
	// Reason is in words. Empty if State is Proven.
	Reason string
}

// ProveBase tells whether the scanned image has all layers of a base image at its
// bottom. Of the base only manifest and configuration are read, and hashed: want is
// the digest of its manifest, and required, because a proof about an image that
// nobody named proves nothing.
//
// Layers are compared by diffID, the digest of what is unpacked. Those of the
// scanned image were computed from its bytes (or by an earlier scan, see
// [Layer.Cached]); those of the base are stated by its configuration, which want
// vouches for. Layers that were read by their tables of contents ([Options.TrustTOC])
// prove nothing, and State is [assay.Unknown]. Equal layers show that the image has the base's files. They do not
// show who built it, nor that the configuration (user, entrypoint, environment) was
// inherited.
//
// Two blobs of one digest with different diffIDs cannot be: one configuration lies,
// and State is [assay.Refuted].
//
// An error says that there is no answer: [assay.ErrInvalid] for a want that is zero,
// contents of a folder, documents against the rules, or a base without layers, which
// any image would be built on; [assay.ErrRefuted] if the base's documents are not
// those of the digest, [assay.ErrUnchecked] if they cannot be read, [assay.ErrBound] if
// they are too large.
func ProveBase(ctx context.Context, c *Contents, base v1.Image, want assay.Digest) (BaseProof, error) {
	fail := func(subject, field, bound string) (BaseProof, error) {
		return BaseProof{}, &assay.Error{Op: "prove base image", Kind: assay.ErrInvalid, Subject: subject, Field: field, Bound: bound}
	}
	switch {
	case want.IsZero():
		return fail("", "base digest", "the digest of the base image's manifest")
	case c.Manifest.IsZero():
		return fail("", "contents", "the contents of an image")
	}
	res, stated, err := layers.Describe(ctx, base, layers.Options{Digest: want})
	if err != nil {
		return BaseProof{}, err
	}
	if len(stated) == 0 {
		return fail(want.String(), "/layers", "a base image with layers")
	}
	p := BaseProof{Base: res.Manifest, Image: c.Manifest}
	for i, s := range stated {
		p.Layers = i
		at := "layer " + strconv.Itoa(i)
		if i == len(c.Layers) {
			p.State = assay.Refuted
			p.Reason = "the image has " + strconv.Itoa(i) + " layers, the base " + strconv.Itoa(len(stated))
			return p, nil
		}
		l := c.Layers[i]
		diffID, blob := hashDigest(s.DiffID), hashDigest(s.Digest)
		switch {
		case !l.TOC.IsZero():
			p.Reason = at + " was read by its table of contents, so that nothing is proven of its diffID"
			return p, nil
		case diffID == l.DiffID:
		case blob == l.Digest:
			p.State = assay.Refuted
			p.Reason = at + " is the same blob, but of diffID " + l.DiffID.String() + " and not, as the base's configuration says, " + diffID.String()
			return p, nil
		case diffID.Algorithm() != l.DiffID.Algorithm():
			p.Reason = at + " has a diffID by " + string(l.DiffID.Algorithm()) + " in the image and by " + string(diffID.Algorithm()) + " in the base"
			return p, nil
		default:
			p.State = assay.Refuted
			p.Reason = at + " is " + l.DiffID.String() + " in the image and " + diffID.String() + " in the base"
			return p, nil
		}
		if blob != l.Digest {
			p.Repacked = append(p.Repacked, i)
		}
	}
	p.State, p.Layers = assay.Proven, len(stated)
	return p, nil
}

func hashDigest(h v1.Hash) assay.Digest {
	d, _ := assay.NewDigest(assay.Algorithm(h.Algorithm), h.Hex) // checked when it was read
	return d
}

// FromBase tells the components that the lowest n layers brought, n being
// [BaseProof.Layers] of a proof: those with a location in one of them. A component
// that upper layers have a copy of, too, is among them; one of which the base's copy
// was removed or replaced is not, see [Contents.History]. The image itself and
// components without location are not.
func (c *Contents) FromBase(n int) map[assay.ComponentID]bool {
	base := make(map[assay.Digest]bool)
	for i, l := range c.Layers {
		// A diffID that is in the base and again above it has the same files twice.
		if i < n && !l.DiffID.IsZero() {
			base[l.DiffID] = true
		}
	}
	out := make(map[assay.ComponentID]bool)
	for i := range c.SBOM.Components {
		for _, l := range c.SBOM.Components[i].Locations {
			if base[l.Layer] {
				out[c.SBOM.Components[i].ID] = true
				break
			}
		}
	}
	return out
}
