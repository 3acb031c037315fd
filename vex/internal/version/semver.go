package version

import (
	"cmp"
	"strings"
)

// semver is a version of SemVer 2.0.0, which most advisories are about: comparing two
// of them allocates nothing. Build metadata has no part in the order.
type semver struct {
	major, minor, patch string
	pre                 string
}

// parseSemVer reads a version as semver.org spells it, and reports false for others.
func parseSemVer(s string) (semver, bool) {
	var v semver
	var ok bool
	if v.major, s, ok = cutNumber(s); !ok || s == "" || s[0] != '.' {
		return semver{}, false
	}
	if v.minor, s, ok = cutNumber(s[1:]); !ok || s == "" || s[0] != '.' {
		return semver{}, false
	}
	if v.patch, s, ok = cutNumber(s[1:]); !ok {
		return semver{}, false
	}
	s, build, hasBuild := strings.Cut(s, "+")
	if hasBuild && !identifiers(build, false) {
		return semver{}, false
	}
	if s != "" {
		if s[0] != '-' || !identifiers(s[1:], true) {
			return semver{}, false
		}
		v.pre = s[1:]
	}
	return v, true
}

// cutNumber cuts a number without leading zeros off.
func cutNumber(s string) (number, rest string, ok bool) {
	i := 0
	for i < len(s) && IsDigit(s[i]) {
		i++
	}
	return s[:i], s[i:], i == 1 || i > 1 && s[0] != '0'
}

// identifiers reports whether s is a list of identifiers, separated by dots; numbers
// in those of a pre-release have no leading zeros.
func identifiers(s string, pre bool) bool {
	for id := range strings.SplitSeq(s, ".") {
		if id == "" {
			return false
		}
		number := true
		for i := range len(id) {
			c := id[i]
			if IsDigit(c) {
				continue
			}
			number = false
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-') {
				return false
			}
		}
		if pre && number && len(id) > 1 && id[0] == '0' {
			return false
		}
	}
	return true
}

// compare is the precedence of semver.org, section 11.
func (v *semver) compare(w *semver) int {
	if d := cmp.Or(compareNumbers(v.major, w.major), compareNumbers(v.minor, w.minor), compareNumbers(v.patch, w.patch)); d != 0 {
		return d
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return +1
	case w.pre == "":
		return -1
	}
	a, b := v.pre, w.pre
	for {
		x, restA, moreA := strings.Cut(a, ".")
		y, restB, moreB := strings.Cut(b, ".")
		if d := compareIdentifiers(x, y); d != 0 {
			return d
		}
		switch {
		case !moreA && !moreB:
			return 0
		case !moreA:
			return -1
		case !moreB:
			return +1
		}
		a, b = restA, restB
	}
}

// compareNumbers orders decimal numbers of any size without leading zeros.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func compareIdentifiers(a, b string) int {
	na, nb := IsNumber(a), IsNumber(b)
	switch {
	case na && nb:
		return compareNumbers(a, b)
	case na:
		return -1
	case nb:
		return +1
	}
	return strings.Compare(a, b)
}

// IsNumber reports digits, one or more.
func IsNumber(s string) bool {
	for i := range len(s) {
		if !IsDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
