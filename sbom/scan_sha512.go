package sbom

import (
	"context"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

const sha512Name = "files/sha512"

// sha512Visitor keeps the SHA-512 digest of every regular file, with its SHA-256,
// which says of what.
type sha512Visitor struct{}

func (sha512Visitor) Name() string { return sha512Name }

func (sha512Visitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular {
		return layers.WantNothing
	}
	return layers.WantHash | layers.WantHash512 | layers.WantAnyName
}

func (sha512Visitor) Visit(_ context.Context, _ *layers.File, c layers.Content) (any, error) {
	return c.SHA256.Hex() + c.SHA512.Hex(), nil
}

// addSHA512 gives the digest to every component that has the SHA-256 of the file
// where it is: that digest is the file's, and not of what the file was made from.
func addSHA512(c *Contents) {
	sums := make(map[string]string)
	for f, s := range layers.Facts[string](c.res, sha512Name) {
		sums[f.Path] = s
	}
	for i := range c.SBOM.Components {
		x := &c.SBOM.Components[i]
		own := x.Hashes.Get(assay.SHA256).Hex()
		if own == "" || !x.Hashes.Get(assay.SHA512).IsZero() {
			continue
		}
		at := slices.IndexFunc(x.Locations, func(l assay.Location) bool {
			s := sums[l.Path]
			return len(s) > len(own) && s[:len(own)] == own
		})
		if at < 0 {
			continue
		}
		d, err := assay.NewDigest(assay.SHA512, sums[x.Locations[at].Path][len(own):])
		if err != nil {
			continue // a record of a cache that is not one of ours
		}
		x.Hashes = append(slices.Clone(x.Hashes), d)
		slices.SortFunc(x.Hashes, assay.Digest.Compare)
		x.References = append(slices.Clone(x.References), assay.Reference{Type: assay.RefDistribution, Hashes: assay.DigestSet{d}})
	}
}
