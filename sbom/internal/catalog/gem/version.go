package gem

import (
	"cmp"
	"strings"
)

// Compare orders versions as Gem::Version does: parts of digits as numbers, parts
// of letters before them, zeros at the end do not count.
func Compare(a, b string) int {
	as, bs := segments(a), segments(b)
	for i := range max(len(as), len(bs)) {
		x, y := "0", "0"
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		xn, yn := isDigit(x[0]), isDigit(y[0])
		switch {
		case xn && !yn:
			return 1
		case !xn && yn:
			return -1
		case !xn:
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
		default:
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
		}
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// segments splits into runs of digits and of letters. A hyphen means ".pre.".
func segments(v string) []string {
	v = strings.ReplaceAll(strings.TrimSpace(v), "-", ".pre.")
	var out []string
	for i := 0; i < len(v); {
		c := v[i]
		if !isIdentByte(c) || c == '_' {
			i++
			continue
		}
		n := i + 1
		for n < len(v) && isIdentByte(v[n]) && v[n] != '_' && isDigit(v[n]) == isDigit(c) {
			n++
		}
		out = append(out, v[i:n])
		i = n
	}
	return out
}

// Satisfies reports whether a version meets all requirements (Gem::Requirement). A
// requirement that is not understood is not met.
func Satisfies(version string, allowed []string) bool {
	for _, one := range allowed {
		one = strings.TrimSpace(one)
		n := 0
		for n < len(one) && strings.IndexByte("<>=!~", one[n]) >= 0 {
			n++
		}
		op, want := one[:n], strings.TrimSpace(one[n:])
		if want == "" || !isDigit(want[0]) || strings.ContainsFunc(want, func(r rune) bool { return r > '~' || r != '.' && r != '-' && !isIdentByte(byte(r)) }) {
			return false
		}
		c := Compare(version, want)
		ok := false
		switch op {
		case "", "=":
			ok = c == 0
		case "!=":
			ok = c != 0
		case ">":
			ok = c > 0
		case ">=":
			ok = c >= 0
		case "<":
			ok = c < 0
		case "<=":
			ok = c <= 0
		case "~>":
			ok = c >= 0 && Compare(numbers(version), bump(want)) < 0
		}
		if !ok {
			return false
		}
	}
	return true
}

// numbers is the version up to its first part of letters (Gem::Version#release).
func numbers(v string) string {
	var out []string
	for _, s := range segments(v) {
		if !isDigit(s[0]) {
			break
		}
		out = append(out, s)
	}
	return strings.Join(out, ".")
}

// bump is the version that "~>" ends before: the last part is dropped, the one
// before it counted up (Gem::Version#bump).
func bump(v string) string {
	s := segments(numbers(v))
	if len(s) > 1 {
		s = s[:len(s)-1]
	}
	if len(s) == 0 {
		return "0"
	}
	s[len(s)-1] = increment(s[len(s)-1])
	return strings.Join(s, ".")
}

func increment(digits string) string {
	b := []byte(digits)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] <= '9' {
			return string(b)
		}
		b[i] = '0'
	}
	return "1" + string(b)
}
