package sbom

import (
	"cmp"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
)

// direction is where a version of a type of package went.
func direction(typ, old, new string) Direction {
	c, ok := compareVersions(typ, old, new)
	switch {
	case !ok || c == 0:
		return UnknownDirection
	case c < 0:
		return Up
	}
	return Down
}

// compareVersions orders two versions, if how the type of package orders them is
// known: those of Debian (deb-version(7)), semantic ones (semver.org 2.0.0), and all
// that are nothing but numbers with dots.
func compareVersions(typ, a, b string) (order int, ok bool) {
	if a == "" || b == "" {
		return 0, false
	}
	switch typ {
	case "deb":
		return dpkg.CompareVersions(a, b), true
	case "golang", "npm", "cargo":
		if x, y := withV(a), withV(b); semver.IsValid(x) && semver.IsValid(y) {
			return semver.Compare(x, y), true
		}
	}
	return compareNumbers(a, b)
}

func withV(s string) string { return "v" + strings.TrimPrefix(s, "v") }

// compareNumbers orders versions that are numbers with dots. "1.0" and "1" are the
// same to some ecosystems and not to others, and so not ordered.
func compareNumbers(a, b string) (order int, ok bool) {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		if i >= len(x) || i >= len(y) {
			rest := strings.Join(append(x[min(i, len(x)):], y[min(i, len(y)):]...), "")
			if order == 0 && strings.Trim(rest, "0") == "" {
				return 0, false
			}
			if order == 0 {
				order = cmp.Compare(len(x), len(y))
			}
		}
		for _, part := range [][]string{x, y} {
			if i < len(part) && !isNumber(part[i]) {
				return 0, false
			}
		}
		if order == 0 && i < len(x) && i < len(y) {
			m, n := strings.TrimLeft(x[i], "0"), strings.TrimLeft(y[i], "0")
			order = cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n))
		}
	}
	return order, true
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
