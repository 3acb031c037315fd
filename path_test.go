package assay_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/assaykit/assay"
)

func TestEscapePath(t *testing.T) {
	for name, want := range map[string]string{
		"":                            "",
		"usr/bin/sh":                  "usr/bin/sh",
		"héllo/\uFFFD":                "héllo/\uFFFD",
		`system-a\x2db.slice`:         `system-a\x2db.slice`,
		"caf\xe9":                     `caf\xe9`,
		`caf\xe9`:                     `caf\x5cxe9`,
		`caf\x5cxe9`:                  `caf\x5cx5cxe9`,
		`caf\xE9`:                     `caf\xE9`,
		"\\\xff":                      `\\xff`,
		"\\x\xff\xc3\xa4\xc3":         `\x\xffä\xc3`,
		`a\x5`:                        `a\x5`,
		"\xed\xa0\x80":                `\xed\xa0\x80`,
		strings.Repeat("\xc3\xa4", 2): "ää",
	} {
		got := assay.EscapePath(name)
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		if back := assay.UnescapePath(got); back != name {
			t.Errorf("%q comes back as %q", name, back)
		}
	}
}

func FuzzEscapePath(f *testing.F) {
	for _, s := range []string{"a/b", "\xff", `\x5c`, `\xff`, "\\\xff", `\\x5c\x`, "\\x5\xc3\xa4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text := assay.EscapePath(name)
		if !utf8.ValidString(text) {
			t.Errorf("%q gives %q", name, text)
		}
		if back := assay.UnescapePath(text); back != name {
			t.Errorf("%q gives %q, and that %q", name, text, back)
		}
	})
}
