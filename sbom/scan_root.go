package sbom

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// annotate adds to the root what the annotations of the image's manifest say (OCI
// image-spec v1.1, annotations.md). Labels of the configuration are not asked: they
// are inherited from the base image, whose vendor is not the image's.
func (c *Contents) annotate(root *assay.Component) {
	said := func(key string) string {
		return strings.ToValidUTF8(strings.TrimSpace(c.Annotations["org.opencontainers.image."+key]), "\uFFFD")
	}
	root.Supplier, root.Description = said("vendor"), said("description")
	if text := said("licenses"); text != "" {
		root.Licenses = []assay.License{license.Declared(text)}
	}
}
