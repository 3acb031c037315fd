package assay

import (
	"strings"
	"unicode/utf8"
)

// EscapePath gives the name of a file the form that documents can carry, which have
// UTF-8 only: each byte that is not of a valid sequence becomes \xNN, in lower case,
// and a backslash that would then read as the beginning of one becomes \x5c. All other
// names, which is all but a few, stay what they are. Different names stay different,
// and [UnescapePath] gives them back.
func EscapePath(name string) string {
	if utf8.ValidString(name) && escapeAt(name) < 0 {
		return name
	}
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n == 1 || isEscape(name[i:]) {
			b.WriteString(`\x`)
			b.WriteByte(digits[name[i]>>4])
			b.WriteByte(digits[name[i]&15])
			n = 1
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}

// UnescapePath gives the name of the file that [EscapePath] wrote, byte for byte, as it
// is in the image.
func UnescapePath(text string) string {
	i := escapeAt(text)
	if i < 0 {
		return text
	}
	var b strings.Builder
	for ; i >= 0; i = escapeAt(text) {
		b.WriteString(text[:i])
		b.WriteByte(nibble(text[i+2])<<4 | nibble(text[i+3]))
		text = text[i+4:]
	}
	b.WriteString(text)
	return b.String()
}

// escapeAt is where the first escape stands, -1 if there is none.
func escapeAt(s string) int {
	for i := 0; ; i++ {
		n := strings.Index(s[i:], `\x`)
		if n < 0 {
			return -1
		}
		if i += n; isEscape(s[i:]) {
			return i
		}
	}
}

// isEscape reports whether s begins with an escape: of a byte that is not ASCII, or of
// the backslash. Others, such as the \x2d of systemd, are names.
func isEscape(s string) bool {
	if len(s) < 4 || s[0] != '\\' || s[1] != 'x' || nibble(s[3]) > 15 {
		return false
	}
	high := nibble(s[2])
	return high >= 8 && high < 16 || s[2:4] == "5c"
}

// nibble is the value of a lower-case hexadecimal digit, 255 for others.
func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}
