package sbom

import (
	"cmp"
	"slices"
	"strings"

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
		if order, ok := compareSemantic(a, b); ok {
			return order, true
		}
	}
	return compareNumbers(a, b)
}

// compareSemantic is the precedence of semantic versions (semver.org 2.0.0, 11), with
// or without a "v" before them, as Go has it. Build metadata do not count.
func compareSemantic(a, b string) (order int, ok bool) {
	parse := func(s string) (core, pre []string, ok bool) {
		s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "+")
		s, tail, dash := strings.Cut(s, "-")
		if core = strings.Split(s, "."); dash {
			pre = strings.Split(tail, ".")
		}
		return core, pre, len(core) == 3 && isNumber(core[0]) && isNumber(core[1]) && isNumber(core[2]) && !slices.Contains(pre, "")
	}
	x, xpre, ok1 := parse(a)
	y, ypre, ok2 := parse(b)
	if !ok1 || !ok2 {
		return 0, false
	}
	order = slices.CompareFunc(x, y, compareNumber)
	switch {
	case order != 0:
	case len(xpre) == 0 || len(ypre) == 0: // a release is later than what came before it
		order = cmp.Compare(len(ypre), len(xpre))
	default:
		order = slices.CompareFunc(xpre, ypre, func(p, q string) int {
			switch m, n := isNumber(p), isNumber(q); {
			case m && n:
				return compareNumber(p, q)
			case m:
				return -1
			case n:
				return 1
			}
			return strings.Compare(p, q)
		})
	}
	return order, true
}

// compareNumber compares numbers of any length.
func compareNumber(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

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
			order = compareNumber(x[i], y[i])
		}
	}
	return order, true
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
