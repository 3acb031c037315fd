package assay

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// VulnID is the identifier of a vulnerability in some database: "CVE-2026-0001",
// "GHSA-xxxx-xxxx-xxxx", "GO-2026-0001". It is in canonical spelling; the zero
// value is none.
type VulnID string

// ParseVulnID accepts printable identifiers without space, and brings those of
// databases with a grammar to its spelling: CVE upper case with four or more digits
// after the year, GHSA with its letters in lower case. An IRI whose last segment is
// such an identifier is kept whole.
func ParseVulnID(s string) (VulnID, error) {
	bad := &Error{Op: "parse vulnerability id", Kind: ErrInvalid, Value: s}
	if s == "" || len(s) > 512 || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) || r == '"' || r == '<' || r == '>' }) {
		bad.Bound = "1 to 512 printable characters without space"
		return "", bad
	}
	switch prefix, rest, _ := strings.Cut(upper(s), "-"); prefix {
	case "CVE":
		year, number, ok := strings.Cut(rest, "-")
		if !ok || len(year) != 4 || !digits(year) || len(number) < 4 || !digits(number) {
			bad.Bound = "CVE-YYYY-NNNN"
			return "", bad
		}
		return VulnID("CVE-" + rest), nil
	case "GHSA":
		if len(rest) != 14 || rest[4] != '-' || rest[9] != '-' || strings.Trim(rest[:4]+rest[5:9]+rest[10:], "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			bad.Bound = "GHSA-xxxx-xxxx-xxxx"
			return "", bad
		}
		return VulnID("GHSA-" + strings.ToLower(rest)), nil
	}
	return VulnID(s), nil
}

// upper folds ASCII only: Unicode has other letters whose upper case is in ASCII,
// and an identifier spelt with one is not the database's.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func (v VulnID) String() string { return string(v) }

// MarshalText implements [encoding.TextMarshaler].
func (v VulnID) MarshalText() ([]byte, error) { return []byte(v), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by [ParseVulnID]; empty text
// is none.
func (v *VulnID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*v = ""
		return nil
	}
	id, err := ParseVulnID(string(b))
	if err == nil {
		*v = id
	}
	return err
}
