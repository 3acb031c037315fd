package vex

import (
	"cmp"
	"strings"
)

// compareVersions orders two versions by the rules of a range scheme; it is not ok if
// the scheme's order is not known here or a version is none of it.
func compareVersions(scheme, a, b string) (n int, ok bool) {
	switch scheme {
	case "deb":
		return compareEVR(a, b, compareDeb)
	case "rpm":
		return compareEVR(a, b, compareRPM)
	case "npm", "golang", "cargo", "hex", "swift", "semver":
		x, ok := parseSemver(a)
		if !ok {
			return 0, false
		}
		y, ok := parseSemver(b)
		if !ok {
			return 0, false
		}
		return compareSemver(x, y), true
	}
	return compareByEcosystem(scheme, a, b)
}

// semver is a version of Semantic Versioning 2.0.0; build metadata has no rank.
type semver struct {
	core [3]string
	pre  []string
}

func parseSemver(s string) (v semver, ok bool) {
	s, _, _ = strings.Cut(s, "+")
	s, pre, hasPre := strings.Cut(s, "-")
	core := strings.Split(s, ".")
	if len(core) != 3 {
		return v, false
	}
	for i, c := range core {
		if !allDigits(c) || len(c) > 1 && c[0] == '0' {
			return v, false
		}
		v.core[i] = c
	}
	if hasPre {
		v.pre = strings.Split(pre, ".")
		for _, p := range v.pre {
			if p == "" {
				return v, false
			}
		}
	}
	return v, true
}

func compareSemver(a, b semver) int {
	for i := range a.core {
		if n := compareDigits(a.core[i], b.core[i]); n != 0 {
			return n
		}
	}
	switch {
	case len(a.pre) == 0 || len(b.pre) == 0: // a release is above its previews
		return cmp.Compare(len(b.pre), len(a.pre))
	}
	for i := range min(len(a.pre), len(b.pre)) {
		x, y := a.pre[i], b.pre[i]
		n := 0
		switch dx, dy := allDigits(x), allDigits(y); {
		case dx && dy:
			n = compareDigits(x, y)
		case dx:
			n = -1
		case dy:
			n = 1
		default:
			n = strings.Compare(x, y)
		}
		if n != 0 {
			return n
		}
	}
	return cmp.Compare(len(a.pre), len(b.pre))
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// compareDigits compares numbers of any length.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// compareEVR compares epoch, version and revision in turn.
func compareEVR(a, b string, part func(a, b string) int) (int, bool) {
	ea, va, ra, ok := splitEVR(a)
	if !ok {
		return 0, false
	}
	eb, vb, rb, ok := splitEVR(b)
	if !ok {
		return 0, false
	}
	return cmp.Or(compareDigits(ea, eb), part(va, vb), part(ra, rb)), true
}

func splitEVR(s string) (epoch, version, revision string, ok bool) {
	if s == "" || strings.ContainsAny(s, " \t\n") {
		return "", "", "", false
	}
	if e, rest, found := strings.Cut(s, ":"); found {
		if !allDigits(e) {
			return "", "", "", false
		}
		epoch, s = e, rest
	}
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		s, revision = s[:i], s[i+1:]
	}
	return epoch, s, revision, s != ""
}

// compareDeb is the order of deb-version(7): "~" before the end, letters before other
// characters, numbers by value.
func compareDeb(a, b string) int {
	rank := func(s string, i int) int {
		if i >= len(s) || isDigit(s[i]) {
			return 0
		}
		switch c := s[i]; {
		case c == '~':
			return -1
		case 'a' <= c|0x20 && c|0x20 <= 'z':
			return int(c)
		default:
			return int(c) + 256
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		for i < len(a) && !isDigit(a[i]) || j < len(b) && !isDigit(b[j]) {
			if n := cmp.Compare(rank(a, i), rank(b, j)); n != 0 {
				return n
			}
			i, j = i+1, j+1
		}
		x, y := digitsAt(a, i), digitsAt(b, j)
		if n := compareDigits(x, y); n != 0 {
			return n
		}
		i, j = min(i, len(a))+len(x), min(j, len(b))+len(y)
	}
	return 0
}

// compareRPM is rpm's rpmvercmp: alphanumeric segments, "~" before the end, "^" after
// it, and a number above letters.
func compareRPM(a, b string) int {
	word := func(s string) int {
		n := 0
		for n < len(s) && 'a' <= s[n]|0x20 && s[n]|0x20 <= 'z' {
			n++
		}
		return n
	}
	skip := func(s string) string {
		return strings.TrimLeftFunc(s, func(r rune) bool {
			return r != '~' && r != '^' && (r > 127 || !isDigit(byte(r)) && ('a' > r|0x20 || r|0x20 > 'z'))
		})
	}
	for a != "" || b != "" {
		a, b = skip(a), skip(b)
		at, bt := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~")
		if at || bt {
			if at != bt {
				return pick(at, -1)
			}
			a, b = a[1:], b[1:]
			continue
		}
		ac, bc := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^")
		switch {
		case ac && bc:
			a, b = a[1:], b[1:]
			continue
		case ac: // after the end, before anything else
			return pick(b == "", 1)
		case bc:
			return pick(a == "", -1)
		case a == "" || b == "":
			return cmp.Compare(len(a), len(b))
		}
		an, bn := isDigit(a[0]), isDigit(b[0])
		if an != bn {
			return pick(an, 1)
		}
		var x, y string
		n := 0
		if an {
			x, y = digitsAt(a, 0), digitsAt(b, 0)
			n = compareDigits(x, y)
		} else {
			x, y = a[:word(a)], b[:word(b)]
			n = strings.Compare(x, y)
		}
		if n != 0 {
			return n
		}
		a, b = a[len(x):], b[len(y):]
	}
	return 0
}

// pick gives n, or its opposite.
func pick(ok bool, n int) int {
	if ok {
		return n
	}
	return -n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func digitsAt(s string, i int) string {
	if i >= len(s) {
		return ""
	}
	n := i
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return s[i:n]
}
