package scan

import (
	"strings"

	"github.com/assaykit/assay"
)

// purlType gives the purl type of an ecosystem of OSV, and of distributions the
// namespace.
func purlType(ecosystem string) (typ, namespace string) {
	switch ecosystem {
	case "Go", "Kubernetes":
		return "golang", ""
	case "npm", "PyPI", "Maven", "NuGet", "Hex", "Pub", "CRAN", "Hackage", "Bitnami", "Bioconductor", "opam":
		return strings.ToLower(ecosystem), ""
	case "crates.io":
		return "cargo", ""
	case "RubyGems":
		return "gem", ""
	case "Packagist":
		return "composer", ""
	case "ConanCenter":
		return "conan", ""
	case "SwiftURL":
		return "swift", ""
	case "GitHub Actions":
		return "githubactions", ""
	case "Debian", "Ubuntu", "Echo":
		return "deb", strings.ToLower(ecosystem)
	case "Alpine", "Alpaquita", "Chainguard", "CleanStart", "Wolfi", "MinimOS":
		return "apk", strings.ToLower(ecosystem)
	case "BellSoft Hardened Containers":
		return "apk", "bellsoft-hardened-containers"
	case "Red Hat":
		return "rpm", "redhat"
	case "Rocky Linux":
		return "rpm", "rocky"
	case "AlmaLinux", "Mageia", "openEuler", "openSUSE":
		return "rpm", strings.ToLower(ecosystem)
	case "SUSE":
		return "rpm", "suse"
	case "Azure Linux":
		return "rpm", "azurelinux"
	case "Photon OS":
		return "rpm", "photon"
	}
	return "", ""
}

// ecosystemOf is the way back, as far as the order of versions goes.
func ecosystemOf(purlType string) string {
	switch purlType {
	case "golang":
		return "Go"
	case "npm":
		return "npm"
	case "cargo":
		return "crates.io"
	case "pypi":
		return "PyPI"
	case "maven":
		return "Maven"
	case "nuget":
		return "NuGet"
	case "gem":
		return "RubyGems"
	case "composer":
		return "Packagist"
	case "hex":
		return "Hex"
	case "pub":
		return "Pub"
	case "cran":
		return "CRAN"
	case "hackage":
		return "Hackage"
	case "conan":
		return "ConanCenter"
	case "swift", "cocoapods", "k8s", "githubactions": // by Semantic Versioning
		return "SwiftURL"
	case "bitnami":
		return "Bitnami"
	case "bioconductor":
		return "Bioconductor"
	case "deb":
		return "Debian"
	case "apk":
		return "Alpine"
	case "rpm":
		return "Red Hat"
	}
	return ""
}

// ecosystemPURL makes a package URL of what OSV calls a package. It is zero for an
// ecosystem that has no type of package URL here, and for a name that has none. The
// release of a distribution is left out, because it is spelled in several ways.
func ecosystemPURL(ecosystem, name, version string) assay.PURL {
	base, _, _ := strings.Cut(ecosystem, ":")
	typ, namespace := purlType(base)
	if typ == "" || name == "" {
		return assay.PURL{}
	}
	parts := assay.PURLParts{Type: typ, Namespace: namespace, Name: name, Version: version}
	switch {
	case typ == "maven":
		group, artifact, ok := strings.Cut(name, ":")
		if !ok {
			return assay.PURL{}
		}
		parts.Namespace, parts.Name = group, artifact
	case namespace == "":
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			parts.Namespace, parts.Name = name[:i], name[i+1:]
		}
	}
	if typ == "golang" && name != "stdlib" && name != "toolchain" && version != "" && version[0] >= '0' && version[0] <= '9' {
		parts.Version = "v" + version
	}
	p, err := assay.NewPURL(parts)
	if err != nil {
		return assay.PURL{}
	}
	return p
}
