package vex

import (
	"strings"

	"github.com/assaykit/assay"
)

// ImageProduct names a container image so that every reader can find it: by purl
// (type oci: the last segment of the repository as name, the digest as version, the
// repository as repository_url), which is the @id as well, and by hash. The digest
// is that of a manifest or index; the repository is like
// "registry.example/team/app", without tag.
//
// Subcomponents are the parts of the image through which it is, or is not, affected;
// without any the statement is about the image as a whole. [ComponentProduct] makes
// one of an SBOM's component.
func ImageProduct(digest assay.Digest, repository string, subcomponents ...assay.Product) (assay.Product, error) {
	bad := &assay.Error{Op: "make image product", Kind: assay.ErrInvalid, Field: "repository", Value: repository}
	if !digest.Algorithm().Strong() || hashLabel(digest.Algorithm()) == "" {
		bad.Field, bad.Value, bad.Bound, bad.Rule = "digest", digest.String(), "a digest of a strong algorithm that OpenVEX names, such as sha256", rule(14)
		return assay.Product{}, bad
	}
	name := repository[strings.LastIndexByte(repository, '/')+1:]
	if name == "" || strings.ContainsAny(name, ":@") || strings.ContainsAny(repository, " @?#") || strings.Contains(repository, "://") {
		bad.Bound = "a repository without scheme, tag and digest, such as registry.example/team/app"
		return assay.Product{}, bad
	}
	p, err := assay.NewPURL(assay.PURLParts{
		Type: "oci", Name: name, Version: digest.String(),
		Qualifiers: map[string]string{"repository_url": repository},
	})
	if err != nil {
		bad.Err = err
		return assay.Product{}, bad
	}
	return assay.Product{
		ID: p.String(), PURL: p, Digests: assay.DigestSet{digest}, Subcomponents: cloneProducts(subcomponents),
	}, nil
}

// PURLProduct names a product, or a subcomponent, by its package URL.
func PURLProduct(p assay.PURL) assay.Product {
	return assay.Product{ID: p.String(), PURL: p}
}

// ComponentProduct names a component of an SBOM, for use as subcomponent: its purl,
// those of its hashes that OpenVEX has a label for, and its first CPE of each
// version. A component with neither purl nor CPE cannot be named in OpenVEX; that
// shows when the document is built (rules 10 and 15).
func ComponentProduct(c assay.Component) assay.Product {
	p := PURLProduct(c.PURL)
	var have22, have23 bool
	for _, cpe := range c.CPEs {
		switch {
		case strings.HasPrefix(cpe, prefixCPE23) && !have23:
			have23 = true
		case strings.HasPrefix(cpe, prefixCPE22) && !have22:
			have22 = true
		default:
			continue
		}
		p.CPEs = append(p.CPEs, cpe)
	}
	for _, d := range c.Hashes {
		if hashLabel(d.Algorithm()) != "" {
			p.Digests = append(p.Digests, d)
		}
	}
	return p
}

// purlDigest gives the digest that a purl of an image has as version.
func purlDigest(p assay.PURL) assay.Digest {
	if !isImage(p) {
		return assay.Digest{}
	}
	d, err := assay.ParseDigest(p.Parts().Version)
	if err != nil {
		return assay.Digest{}
	}
	return d
}

func isImage(p assay.PURL) bool { t := p.Type(); return t == "oci" || t == "docker" }

// productName is what a message calls a product.
func productName(p assay.Product) string {
	switch {
	case p.ID != "":
		return p.ID
	case !p.PURL.IsZero():
		return p.PURL.String()
	case len(p.Digests) > 0:
		return p.Digests[0].String()
	case len(p.CPEs) > 0:
		return p.CPEs[0]
	}
	return ""
}
