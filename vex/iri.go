package vex

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// isIRI reports whether s is an absolute IRI (RFC 3987, section 2.2): a scheme and
// something after it, without the characters that the grammar leaves out.
func isIRI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || rest == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, excluded) {
		return false
	}
	if c := scheme + "0"; c[0]|0x20 < 'a' || c[0]|0x20 > 'z' {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && validPercent(s)
}

func excluded(r rune) bool {
	return r <= ' ' || 0x7f <= r && r <= 0x9f || strings.ContainsRune("<>\"{}|\\^`", r) ||
		0xe000 <= r && r <= 0xf8ff || r >= 0xf0000 || 0xfff0 <= r && r <= 0xffff
}

// validPercent: url.Parse leaves the escapes of an opaque part unchecked.
func validPercent(s string) bool {
	for {
		_, rest, ok := strings.Cut(s, "%")
		if !ok {
			return true
		}
		if len(rest) < 2 || !isHex(rest[0]) || !isHex(rest[1]) {
			return false
		}
		s = rest
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
