package rpm

import (
	"cmp"
	"strings"
)

// CompareEVR orders "epoch:version-release" as rpm does. A missing epoch is 0; a
// release counts if both have one.
func CompareEVR(a, b string) int {
	ea, va, ra := splitEVR(a)
	eb, vb, rb := splitEVR(b)
	if c := cmp.Or(CompareVersions(ea, eb), CompareVersions(va, vb)); c != 0 || ra == "" || rb == "" {
		return c
	}
	return CompareVersions(ra, rb)
}

func splitEVR(s string) (epoch, version, release string) {
	epoch = "0"
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n < len(s) && s[n] == ':' {
		if n > 0 {
			epoch = s[:n]
		}
		s = s[n+1:]
	}
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		return epoch, s[:i], s[i+1:]
	}
	return epoch, s, ""
}

// CompareVersions orders versions, or releases, by rpm's rules (rpm-version(7)):
// runs of digits and of letters are compared one by one, digits are newer than
// letters, what stands between does not matter; "~" is older than the end, "^"
// newer than the end and older than all else.
func CompareVersions(a, b string) int {
	if a == b {
		return 0
	}
	for a != "" || b != "" {
		a, b = strings.TrimLeftFunc(a, separates), strings.TrimLeftFunc(b, separates)
		at, bt := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~")
		if at || bt {
			if at && bt {
				a, b = a[1:], b[1:]
				continue
			}
			if at {
				return -1
			}
			return 1
		}
		ac, bc := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^")
		if ac || bc {
			switch {
			case ac && bc:
				a, b = a[1:], b[1:]
				continue
			case a == "":
				return -1
			case b == "":
				return 1
			case ac:
				return -1
			}
			return 1
		}
		if a == "" || b == "" {
			break
		}
		digits := isDigit(a[0])
		na, nb := run(a, digits), run(b, digits)
		if nb == 0 {
			if digits {
				return 1
			}
			return -1
		}
		sa, sb := a[:na], b[:nb]
		a, b = a[na:], b[nb:]
		if digits {
			sa, sb = strings.TrimLeft(sa, "0"), strings.TrimLeft(sb, "0")
			if c := cmp.Compare(len(sa), len(sb)); c != 0 {
				return c
			}
		}
		if c := strings.Compare(sa, sb); c != 0 {
			return c
		}
	}
	switch {
	case a == b:
		return 0
	case a == "":
		return -1
	}
	return 1
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func separates(r rune) bool {
	return r >= 0x80 || !isDigit(byte(r)) && !isLetter(byte(r)) && r != '~' && r != '^'
}

// run is the length of the digits, or of the letters, that s starts with.
func run(s string, digits bool) int {
	for i := range len(s) {
		if digits && !isDigit(s[i]) || !digits && !isLetter(s[i]) {
			return i
		}
	}
	return len(s)
}
