package dpkg

import (
	"cmp"
	"strings"
)

// CompareVersions orders Debian versions (deb-version(7)).
func CompareVersions(a, b string) int {
	ea, ua, ra := splitVersion(a)
	eb, ub, rb := splitVersion(b)
	return cmp.Or(compareDigits(ea, eb), comparePart(ua, ub), comparePart(ra, rb))
}

func splitVersion(v string) (epoch, upstream, revision string) {
	if e, rest, ok := strings.Cut(v, ":"); ok {
		epoch, v = e, rest
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:]
	}
	return epoch, v, ""
}

// comparePart compares alternating runs of non-digits and digits.
func comparePart(a, b string) int {
	for a != "" || b != "" {
		na, nb := digitsAt(a, false), digitsAt(b, false)
		for i := range max(na, nb) {
			if c := cmp.Compare(weight(a[:na], i), weight(b[:nb], i)); c != 0 {
				return c
			}
		}
		a, b = a[na:], b[nb:]
		na, nb = digitsAt(a, true), digitsAt(b, true)
		if c := compareDigits(a[:na], b[:nb]); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
	}
	return 0
}

// weight orders characters: tilde, then the end, then letters, then the rest.
func weight(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	c := s[i]
	switch {
	case c == '~':
		return -1
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return int(c)
	}
	return int(c) + 256
}

// digitsAt is the length of the run of digits, or of others, that s starts with.
func digitsAt(s string, digits bool) int {
	for i := range len(s) {
		if (s[i] >= '0' && s[i] <= '9') != digits {
			return i
		}
	}
	return len(s)
}

// compareDigits compares decimal numbers of any length.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
