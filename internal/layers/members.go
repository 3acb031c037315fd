package layers

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Bounds on the tree of indexes below one, for everybody who walks it.
const (
	MaxIndexDepth   = 4
	MaxIndexMembers = 1000
)

// IsNoImage reports whether no runtime would take an entry of an index for an image:
// it is of another media type, or for a platform that nobody asks for. What its
// annotations say it is does not count, because runtimes do not look at them: an
// annotation must not hide an image that they would run.
func IsNoImage(d v1.Descriptor) bool {
	switch {
	case !d.MediaType.IsImage() && !d.MediaType.IsIndex():
		return true
	case d.Platform != nil:
		return IsNowhere(d)
	case d.ArtifactType != "" && !strings.HasPrefix(d.ArtifactType, "application/vnd.oci.image.") && !strings.HasPrefix(d.ArtifactType, "application/vnd.docker.container.image."):
		return true
	}
	return false
}

// IsNowhere reports whether the entry is for the platform that matches none, which
// BuildKit gives its attestation manifests.
func IsNowhere(d v1.Descriptor) bool {
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}
