package vex

import (
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// maxOrdered is the length up to which versions are ordered: some orders take time more
// than linear in it.
const maxOrdered = 512

// ecosystemOrder is the order of an ecosystem, and what its versions look like. The
// orders have a place for any text, "latest" too, which would be below or above a
// bound by chance.
type ecosystemOrder struct {
	ecosystem string
	grammar   *regexp.Regexp
}

var (
	apkOrder      = ecosystemOrder{"Alpine", regexp.MustCompile(`^[0-9]+(\.[0-9]+)*[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*(~[0-9a-f]+)?(-r[0-9]+)?$`)}
	cranOrder     = ecosystemOrder{"CRAN", regexp.MustCompile(`^[0-9]+([.-][0-9]+)*$`)}
	hackageOrder  = ecosystemOrder{"Hackage", regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$`)}
	mavenOrder    = ecosystemOrder{"Maven", regexp.MustCompile(`^[0-9A-Za-z._+~-]*[0-9][0-9A-Za-z._+~-]*$`)}
	nugetOrder    = ecosystemOrder{"NuGet", regexp.MustCompile(`^v?[0-9]+(\.[0-9]+){0,3}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)}
	composerOrder = ecosystemOrder{"Packagist", regexp.MustCompile(`^[vV]?[0-9][0-9A-Za-z._+~-]*$`)}
	pubOrder      = ecosystemOrder{"Pub", regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)}
	gemOrder      = ecosystemOrder{"RubyGems", regexp.MustCompile(`^[0-9]+[0-9A-Za-z.-]*$`)}
	pypiOrder     = ecosystemOrder{"PyPI", regexp.MustCompile(`^(?i:v?([0-9]+!)?[0-9]+(\.[0-9]+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?([-_.]?dev[-_.]?[0-9]*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?)$`)}
)

func orderOf(scheme string) *ecosystemOrder {
	switch scheme {
	case "alpine", "apk":
		return &apkOrder
	case "cran":
		return &cranOrder
	case "hackage":
		return &hackageOrder
	case "maven":
		return &mavenOrder
	case "nuget":
		return &nugetOrder
	case "composer":
		return &composerOrder
	case "pub":
		return &pubOrder
	case "gem":
		return &gemOrder
	case "pypi":
		return &pypiOrder
	}
	return nil
}

// compareByEcosystem orders versions as the ecosystem's own tools do.
func compareByEcosystem(scheme, a, b string) (n int, ok bool) {
	o := orderOf(scheme)
	if o == nil || !o.has(a) || !o.has(b) {
		return 0, false
	}
	v, err := semantic.Parse(a, o.ecosystem)
	if err != nil {
		return 0, false
	}
	n, err = v.CompareStr(b)
	return n, err == nil
}

func (o *ecosystemOrder) has(version string) bool {
	return len(version) <= maxOrdered && o.grammar.MatchString(version) &&
		(o.ecosystem != "Packagist" || !strings.HasSuffix(version, "-dev")) // a branch
}
