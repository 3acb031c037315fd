package vex

import "github.com/assaykit/assay/vex/internal/version"

// orderOf gives the order of an ecosystem's versions by the scheme of its ranges, "" if
// there is none.
func orderOf(scheme string) version.Order {
	switch scheme {
	case "alpine", "apk":
		return version.Alpine
	case "cran":
		return version.CRAN
	case "hackage":
		return version.Hackage
	case "maven":
		return version.Maven
	case "nuget":
		return version.NuGet
	case "composer":
		return version.Packagist
	case "pub":
		return version.Pub
	case "gem":
		return version.RubyGems
	case "pypi":
		return version.PyPI
	}
	return ""
}

// compareByEcosystem orders versions as the ecosystem's own tools do. Only what looks
// like a version there has a place: "latest" would be below or above a bound by chance.
func compareByEcosystem(scheme, a, b string) (n int, ok bool) {
	o := orderOf(scheme)
	if o == "" {
		return 0, false
	}
	v, err := version.ParseStrict(o, a)
	if err != nil {
		return 0, false
	}
	w, err := version.ParseStrict(o, b)
	if err != nil {
		return 0, false
	}
	n, err = v.Compare(&w)
	return n, err == nil
}
