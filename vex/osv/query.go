package osv

import (
	"cmp"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/version"
)

// Query is a question to a [Database]: what is known of one version of a package.
type Query struct {
	// Ecosystem is without a release: "Debian".
	Ecosystem string
	// Release is that of the distribution the package is of, as its advisories write
	// it: "12", "22.04", "v3.20". It is empty for ecosystems without releases.
	Release string
	// Name is in its normal form ([NormalName]).
	Name string
	// Version is empty if it is not known.
	Version string
	// Beside says that the database need not know the ecosystem for an answer to be
	// whole: another query asks for the same component.
	Beside bool
}

// Queries says what to ask about a component, which takes its package URL. A package
// of a distribution that builds several of one source is asked for by the source
// package and its version, from Source or the qualifier "upstream"; where neither is
// given the source has the package's name, as in Debian's control files. Advisories
// of rpm distributions are of either, so both are asked for.
//
// A package that Root patched, which its name tells, is asked for by that name and by
// that of what it patched.
//
// The release is that of the qualifier "distro": "debian-12", "12" or "bookworm".
// System is the operating system of the image, which is asked where the package URL
// does not say; it may be nil.
//
// What no ecosystem of the OSV schema has, and a distribution's package without version
// or of an unknown release, is an error of kind [assay.ErrUnchecked]: there is no question
// that would tell. Of other packages the Version may be empty, as of a Go program built
// from a folder: whatever advisory there is of such a one cannot be decided.
func Queries(c *assay.Component, system *assay.Component) ([]Query, error) {
	if c.PURL.IsZero() {
		return nil, unasked(c, "purl", "", "a package URL")
	}
	p := c.PURL.Parts()
	v := cmp.Or(p.Version, c.Version)
	switch p.Type {
	case "deb", "apk", "rpm":
		if v == "" {
			return nil, unasked(c, "version", "", "a version")
		}
		return distroQueries(c, p, v, system)
	}
	ecosystem, name := languagePackage(p)
	if ecosystem == "" {
		return nil, unasked(c, "type", p.Type, "a type that advisories are written for")
	}
	if name == "" {
		return nil, unasked(c, "namespace", p.Namespace, "the group of the artifact")
	}
	q := Query{Ecosystem: ecosystem, Name: NormalName(ecosystem, name), Version: v}
	if patched := rootName(q.Ecosystem, q.Name); patched != "" {
		return rootQueries(q, patched, ""), nil
	}
	if ecosystem != "Go" {
		return []Query{q}, nil
	}
	if q.Version = version.FromGo(v); v != "" && isGoItself(q.Name) {
		q.Version = version.FromGoRelease(v)
	}
	out := []Query{q}
	if strings.HasPrefix(q.Name, "k8s.io/") {
		q.Ecosystem, q.Beside = "Kubernetes", true
		out = append(out, q)
	}
	return out, nil
}

// isGoItself reports the modules that stand for a release of Go: the standard library
// and the go command (go.dev/security/vuln/database).
func isGoItself(name string) bool { return name == "stdlib" || name == "toolchain" }

func unasked(c *assay.Component, field, value, bound string) error {
	return &assay.Error{Op: "ask for advisories", Kind: assay.ErrUnchecked, Subject: cmp.Or(c.PURL.String(), c.Name), Field: field, Value: value, Bound: bound}
}

// languagePackage gives the ecosystem and the name in it of a package URL; both are
// empty if there is none.
func languagePackage(p assay.PURLParts) (ecosystem, name string) {
	full := p.Name
	if p.Namespace != "" {
		full = p.Namespace + "/" + p.Name
	}
	switch p.Type {
	case "golang":
		return "Go", full
	case "npm":
		return "npm", full
	case "pypi":
		return "PyPI", full
	case "maven":
		if p.Namespace == "" {
			return "Maven", ""
		}
		return "Maven", p.Namespace + ":" + p.Name
	case "gem":
		return "RubyGems", full
	case "cargo":
		return "crates.io", full
	case "composer":
		return "Packagist", full
	case "nuget":
		return "NuGet", full
	case "hex":
		return "Hex", full
	case "pub":
		return "Pub", full
	case "conan":
		return "ConanCenter", p.Name // the namespace is who packaged it
	case "hackage":
		return "Hackage", full
	case "cran":
		return "CRAN", full
	case "bioconductor":
		return "Bioconductor", full
	case "swift":
		return "SwiftURL", full
	case "githubactions":
		return "GitHub Actions", full
	case "bitnami":
		return "Bitnami", full
	case "julia":
		return "Julia", full
	case "opam":
		return "opam", full
	case "vscode-extension":
		return "VSCode", strings.ReplaceAll(full, "/", ".")
	}
	return "", ""
}
