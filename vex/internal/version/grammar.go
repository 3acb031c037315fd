package version

import "strings"

// wellFormed reports whether text is a version by the grammar of the ecosystems that
// have the order. Their orders give a place to more than that: to "latest", which
// would be before every fix or after all of them by chance.
func wellFormed(o Order, text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return false
		}
	}
	s := scanner{text}
	switch o {
	case SemVer: // with fewer than three numbers too, as Go and npm write
		s.skip("v")
		return s.numbers(1, 3) && s.preAndBuild()
	case NuGet: // NuGet's versions have up to four numbers
		s.skip("v")
		return s.numbers(1, 4) && s.preAndBuild()
	case Pub:
		return s.numbers(3, 3) && s.preAndBuild()
	case Alpine:
		return alpineVersion(&s)
	case Debian: // deb-version(7)
		s.epoch()
		return s.s != "" && s.all(".+~:-") && anyDigit(text)
	case RPM:
		s.epoch()
		return s.s != "" && s.all("._+~^-") && anyDigit(text)
	case CRAN:
		for s.digits() {
			if s.s == "" {
				return true
			}
			if !s.skip(".") && !s.skip("-") {
				return false
			}
		}
		return false
	case Hackage:
		return s.numbers(1, Max) && s.s == ""
	case Maven: // "r09" and "Finchley.SR2" are versions, "LATEST" is not
		return s.all("._+~-") && anyDigit(text)
	case Packagist: // not "dev-main", which is a branch
		_ = s.skip("v") || s.skip("V")
		return s.digits() && s.all("._+~-") && !strings.HasSuffix(text, "-dev")
	case RubyGems:
		return s.digits() && s.all(".-")
	case PyPI:
		return pypiVersion(strings.ToLower(text))
	}
	return false
}

// scanner is what of a version is not read yet.
type scanner struct{ s string }

func (s *scanner) skip(prefix string) bool {
	rest, ok := strings.CutPrefix(s.s, prefix)
	s.s = rest
	return ok
}

// digits skips one digit or more.
func (s *scanner) digits() bool {
	rest := strings.TrimLeft(s.s, "0123456789")
	ok := len(rest) < len(s.s)
	s.s = rest
	return ok
}

// numbers skips numbers with dots between them.
func (s *scanner) numbers(least, most int) bool {
	for n := 1; ; n++ {
		if !s.digits() || n > most {
			return false
		}
		if !s.skip(".") {
			return n >= least
		}
	}
}

// preAndBuild skips "-pre.release" and "+build", and reports whether that is all.
func (s *scanner) preAndBuild() bool {
	main, build, hasBuild := strings.Cut(s.s, "+")
	if hasBuild && !identifiers(build, false) {
		return false
	}
	return main == "" || main[0] == '-' && identifiers(main[1:], false)
}

// epoch skips "1:".
func (s *scanner) epoch() {
	if e, rest, ok := strings.Cut(s.s, ":"); ok && IsNumber(e) {
		s.s = rest
	}
}

// all reports whether what is left is ASCII letters, digits and others.
func (s *scanner) all(others string) bool {
	for i := range len(s.s) {
		c := s.s[i]
		if !(IsDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(others, c) >= 0) {
			return false
		}
	}
	return true
}

func anyDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// alpineVersion is apk-package(5): number{.number}…{letter}{_suffix{number}}…{~hash}{-r#}.
// Two versions outside of it are ordered as text, 1.10p1 before 1.9p1.
func alpineVersion(s *scanner) bool {
	if !s.numbers(1, Max) {
		return false
	}
	if s.s != "" && s.s[0] >= 'a' && s.s[0] <= 'z' {
		s.s = s.s[1:]
	}
	for s.skip("_") {
		known := false
		for _, suffix := range [...]string{"alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"} {
			if s.skip(suffix) {
				known = true
				break
			}
		}
		if !known {
			return false
		}
		s.digits()
	}
	if s.skip("~") {
		rest := strings.TrimLeft(s.s, "0123456789abcdef")
		if len(rest) == len(s.s) {
			return false
		}
		s.s = rest
	}
	if s.skip("-r") && !s.digits() {
		return false
	}
	return s.s == ""
}

// pypiVersion is PEP 440, appendix B, of text in lower case. Others are ordered before
// all that are, whatever they say.
func pypiVersion(text string) bool {
	s := scanner{text}
	s.skip("v")
	if e, rest, ok := strings.Cut(s.s, "!"); ok {
		if !IsNumber(e) {
			return false
		}
		s.s = rest
	}
	for {
		if !s.digits() {
			return false
		}
		// A dot may also stand before a suffix.
		if len(s.s) < 2 || s.s[0] != '.' || !IsDigit(s.s[1]) {
			break
		}
		s.s = s.s[1:]
	}
	s.suffix("alpha", "beta", "preview", "pre", "rc", "a", "b", "c")
	if len(s.s) > 1 && s.s[0] == '-' && IsDigit(s.s[1]) { // an implicit post release
		s.s = s.s[1:]
		s.digits()
	} else {
		s.suffix("post", "rev", "r")
	}
	s.suffix("dev")
	if s.skip("+") {
		for part := range strings.FieldsFuncSeq(s.s, func(r rune) bool { return r == '.' || r == '-' || r == '_' }) {
			if rest := (scanner{part}); !rest.all("") {
				return false
			}
		}
		return s.s != "" && !strings.ContainsAny(s.s[:1]+s.s[len(s.s)-1:], ".-_") && !strings.ContainsAny(s.s, "+!") && !doubled(s.s)
	}
	return s.s == ""
}

// doubled reports two separators side by side.
func doubled(s string) bool {
	for i := 1; i < len(s); i++ {
		if strings.IndexByte(".-_", s[i]) >= 0 && strings.IndexByte(".-_", s[i-1]) >= 0 {
			return true
		}
	}
	return false
}

// suffix skips one of the words, longer ones first, with an optional separator before
// it, and after it before an optional number.
func (s *scanner) suffix(words ...string) {
	rest := scanner{s.s}
	rest.separator()
	for _, w := range words {
		if !rest.skip(w) {
			continue
		}
		after := rest
		after.separator()
		if after.digits() {
			rest = after
		}
		s.s = rest.s
		return
	}
}

func (s *scanner) separator() {
	if s.s != "" && strings.IndexByte("-_.", s.s[0]) >= 0 {
		s.s = s.s[1:]
	}
}
