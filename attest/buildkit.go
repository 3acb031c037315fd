package attest

import (
	"strconv"

	"github.com/assaykit/assay"
)

// Annotations of BuildKit (docs/attestations/attestation-storage.md).
const (
	annotationReferenceType   = "vnd.docker.reference.type"
	annotationReferenceDigest = "vnd.docker.reference.digest"
	attestationManifest       = "attestation-manifest"
)

// isUnknownPlatform reports whether an entry of an index is for a platform that no
// runtime asks for, as BuildKit's attestation manifests are. The annotation alone
// must not hide an image that one would run.
func isUnknownPlatform(d descriptor) bool {
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// buildKit lists the attestation manifests of an index with the images that they say
// they are about; one that names none of them, with the index. Nothing in them is
// signed, so this only decides where they are shown.
func (f *finder) buildKit(p *position) {
	n, count := p.node, 0
	for _, d := range n.index {
		if !isUnknownPlatform(d) {
			continue
		}
		if d.Annotations[annotationReferenceType] != attestationManifest {
			f.ignore("manifest for platform unknown/unknown")
			continue
		}
		if count++; count > f.limits.Platforms {
			f.fault("attestations in "+n.subject.String(), &assay.Error{Op: "read index", Kind: assay.ErrBound, Subject: f.name + "@" + n.subject.String(),
				Value: "more", Bound: "at most " + strconv.Itoa(f.limits.Platforms) + " attestation manifests"})
			return
		}
		at := n
		for _, c := range p.below {
			if c.node.subject.String() == d.Annotations[annotationReferenceDigest] {
				at = c.node
				break
			}
		}
		at.listed = append(at.listed, listed{digest: d.Digest, source: f.name + "@" + d.Digest.String()})
	}
}
