package osv

import "strings"

// NormalName gives the one spelling of a package's name by which an index is asked.
// Registries take several spellings for the same package, and package URLs keep only
// one of them: PyPI by PEP 503, crates.io with "-" for "_", those that do not tell
// case apart in lower case. Go's paths are folded too, because package URLs of type
// golang are: two paths that differ in case only are asked about together. A SwiftURL
// is without its scheme and ".git". Other ecosystems have one spelling, and keep it.
//
// The ecosystem may have a release ("Debian:12"), which changes nothing. The result
// is its own normal name.
func NormalName(ecosystem, name string) string {
	base, _ := splitEcosystem(ecosystem)
	switch base {
	case "PyPI":
		return pypiName(name)
	case "crates.io":
		return strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case "SwiftURL":
		return swiftName(name)
	case "Root": // of several registries; packages that differ in case only are asked about together
		return strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case "Go", "NuGet", "Packagist", "Hex", "GitHub Actions", "Bitnami", "ConanCenter", "Pub", "VSCode",
		"Debian", "Ubuntu", "Echo", "Alpine", "Alpaquita", "BellSoft Hardened Containers", "Chainguard", "Wolfi", "MinimOS", "CleanStart", "Docker Hardened Images":
		return strings.ToLower(name)
	}
	return name
}

// spelledEcosystem gives an ecosystem the capitals that the schema has: a record about
// "pypi" would never be asked for. What the schema does not have stays as it is.
func spelledEcosystem(ecosystem string) string {
	base, _ := splitEcosystem(ecosystem)
	all := [...]string{
		"AlmaLinux", "Alpaquita", "Alpine", "Android", "Azure Linux", "BellSoft Hardened Containers", "Bioconductor", "Bitnami", "Chainguard", "CleanStart",
		"ConanCenter", "CRAN", "crates.io", "Debian", "Docker Hardened Images", "Echo", "FreeBSD", "GHC", "GIT", "GitHub Actions", "Go", "Hackage", "Hex", "Julia",
		"Kubernetes", "Linux", "Mageia", "Maven", "MinimOS", "npm", "NuGet", "opam", "openEuler", "openSUSE", "OSS-Fuzz", "Packagist", "Photon OS", "Pub", "PyPI",
		"Red Hat", "Rocky Linux", "Root", "RubyGems", "SUSE", "SwiftURL", "TuxCare", "Ubuntu", "VSCode", "Wolfi",
	}
	for _, known := range all { // as nearly all are written
		if base == known {
			return ecosystem
		}
	}
	for _, known := range all {
		if strings.EqualFold(base, known) {
			return known + ecosystem[len(base):]
		}
	}
	return ecosystem
}

// splitEcosystem cuts the release off: "Ubuntu:22.04:LTS" is "Ubuntu" and
// "22.04:LTS".
func splitEcosystem(ecosystem string) (base, release string) {
	base, release, _ = strings.Cut(ecosystem, ":")
	return base, release
}

// pypiName is the normalization of PEP 503: runs of "-", "_" and "." are one "-".
func pypiName(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	run := false
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' || r == '.' {
			run = true
			continue
		}
		if run {
			b.WriteByte('-')
			run = false
		}
		b.WriteRune(r)
	}
	if run {
		b.WriteByte('-')
	}
	return b.String()
}

// swiftName takes off what spellings of the same Git URL differ in.
func swiftName(name string) string {
	name = strings.ToLower(name)
	if i := strings.LastIndex(name, "://"); i >= 0 {
		name = name[i+len("://"):]
	}
	for {
		rest := strings.TrimSuffix(strings.TrimSuffix(name, "/"), ".git")
		if rest == name {
			return name
		}
		name = rest
	}
}
