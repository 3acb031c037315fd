package vex

import (
	"strings"
)

// cpeName is the attributes of a CPE name in the spelling of the formatted string of
// CPE 2.3 (NISTIR 7695, section 6.2), lower case: part, vendor, product, version,
// update, edition, language, sw_edition, target_sw, target_hw, other. "*" is any,
// "-" is not applicable, and a backslash quotes.
type cpeName [11]string

const (
	cpeVendor   = 1
	cpeProduct  = 2
	cpeVersion  = 3
	cpeEdition  = 5
	cpeLanguage = 6
)

// cpeCovers reports whether the stated name is a superset of the one asked about, or
// equal to it (NISTIR 7696, section 6.3). Names that do not parse cover themselves.
func cpeCovers(stated, asked string) bool {
	if stated == asked {
		return true
	}
	a, ok := parseCPE(stated)
	if !ok {
		return false
	}
	b, ok := parseCPE(asked)
	if !ok {
		return false
	}
	for i := range a {
		if !attributeCovers(a[i], b[i]) {
			return false
		}
	}
	return true
}

// attributeCovers is table 6-2: any covers all; an unquoted wildcard in what is asked
// about is covered by any and by itself only.
func attributeCovers(a, b string) bool {
	switch {
	case a == "*" || a == b:
		return true
	case a == "-" || b == "-" || b == "*":
		return false
	}
	return !unquoted(b) && glob(a, b)
}

// unquoted reports whether there is a wildcard.
func unquoted(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '*', '?':
			return true
		}
	}
	return false
}

// glob matches s against a pattern in which "*" and "?" stand at the ends only: "*"
// is any text, and each "?" is at most one character.
func glob(pattern, s string) bool {
	core, lead, trail := pattern, 0, 0 // -1 is "*"
	for core != "" && (core[0] == '*' || core[0] == '?') {
		if core[0] == '*' {
			lead = -1
		} else if lead >= 0 {
			lead++
		}
		core = core[1:]
	}
	for n := len(core); n > 0 && (core[n-1] == '*' || core[n-1] == '?') && (n == 1 || quotes(core[:n-1])%2 == 0); n = len(core) {
		if core[n-1] == '*' {
			trail = -1
		} else if trail >= 0 {
			trail++
		}
		core = core[:n-1]
	}
	for i := 0; i+len(core) <= len(s); i++ {
		if s[i:i+len(core)] == core && quotes(s[:i])%2 == 0 &&
			(lead < 0 || characters(s[:i]) <= lead) && (trail < 0 || characters(s[i+len(core):]) <= trail) {
			return true
		}
	}
	return false
}

// quotes counts the backslashes that end s.
func quotes(s string) int { return len(s) - len(strings.TrimRight(s, `\`)) }

func characters(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		n++
	}
	return n
}

// parseCPE reads a name of CPE 2.3 or 2.2.
func parseCPE(s string) (cpeName, bool) {
	if rest, ok := strings.CutPrefix(s, prefixCPE23); ok {
		return parseCPE23(strings.ToLower(rest))
	}
	if rest, ok := strings.CutPrefix(s, prefixCPE22); ok {
		return parseCPE22(strings.ToLower(rest))
	}
	return cpeName{}, false
}

func parseCPE23(s string) (n cpeName, ok bool) {
	at, start := 0, 0
	for i := 0; i <= len(s); i++ {
		switch {
		case i < len(s) && s[i] == '\\':
			if i++; i >= len(s) {
				return n, false
			}
		case i == len(s) || s[i] == ':':
			if at == len(n) || i == start {
				return n, false
			}
			n[at] = canonicalQuotes(s[start:i])
			at, start = at+1, i+1
		}
	}
	return n, at == len(n)
}

// canonicalQuotes drops the backslash before characters that need none, so that one
// attribute has one spelling.
func canonicalQuotes(s string) string {
	if s == "*" || s == "-" || !strings.Contains(s, `\`) {
		return s
	}
	if s == `\-` { // the text, which is not "not applicable"
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if i++; !plainCPE(s[i]) {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// plainCPE: letters, digits, and what formatted strings leave unquoted.
func plainCPE(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'
}

// parseCPE22 reads the URI binding (NISTIR 7695, section 6.1): up to seven components,
// empty ones being any; an edition that begins with "~" packs the attributes that
// version 2.2 has no place for.
func parseCPE22(s string) (n cpeName, ok bool) {
	for i := range n {
		n[i] = "*"
	}
	parts := strings.Split(s, ":")
	if len(parts) > cpeLanguage+1 || parts[0] == "" {
		return n, false
	}
	for i, p := range parts {
		if i == cpeEdition && strings.HasPrefix(p, "~") {
			packed := strings.Split(p, "~")
			if len(packed) != 6 {
				return n, false
			}
			for j, to := range []int{5, 7, 8, 9, 10} {
				if n[to], ok = unbind(packed[j+1]); !ok {
					return n, false
				}
			}
			continue
		}
		if n[i], ok = unbind(p); !ok {
			return n, false
		}
	}
	return n, true
}

// unbind brings a component of the URI into the spelling of the formatted string.
func unbind(s string) (string, bool) {
	switch s {
	case "":
		return "*", true
	case "-":
		return "-", true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", false
			}
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
			if c == 1 || c == 2 { // the wildcards
				b.WriteByte(" ?*"[c])
				continue
			}
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
		}
		if !plainCPE(c) {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	if b.String() == "-" {
		return `\-`, true
	}
	return b.String(), true
}

func unhex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
