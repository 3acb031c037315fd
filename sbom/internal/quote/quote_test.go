package quote_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay/sbom/internal/quote"
)

// Every byte is found at every place, whatever is behind it, and no other is.
func TestIndex(t *testing.T) {
	for name, f := range map[string]struct {
		index func(string, int) int
		bytes func([]byte, int) int
		meant func(c byte) bool
	}{
		"JSON":    {quote.IndexJSON[string], quote.IndexJSON[[]byte], func(c byte) bool { return c < ' ' || c >= 0x80 || strings.IndexByte(`"\`, c) >= 0 }},
		"control": {quote.IndexControl[string], quote.IndexControl[[]byte], func(c byte) bool { return c < ' ' || c >= 0x7f }},
		"markup": {quote.IndexMarkup[string], quote.IndexMarkup[[]byte],
			func(c byte) bool { return c < ' ' || c >= 0x7f || strings.IndexByte(`"&<>`, c) >= 0 }},
	} {
		for c := range 256 {
			for at := range 20 {
				for _, behind := range []string{"", "a", "\x00", "\xff", "\x01\x80\"&<>\\ ", "!!!!!!!!!!!", "\x7f\x1f\x20"} {
					s := strings.Repeat("~", at) + string([]byte{byte(c)}) + behind
					want := at
					for want < len(s) && !f.meant(s[want]) {
						want++
					}
					for from := range at + 1 {
						if got := f.index(s, from); got != want || f.bytes([]byte(s), from) != want {
							t.Fatalf("%s: %q from %d: %d, want %d", name, s, from, got, want)
						}
					}
				}
			}
		}
	}
}

func FuzzAppendJSON(f *testing.F) {
	for _, s := range []string{"", "plain", `a "quoted" \ one`, "line\nand\ttab", "é", "\u2028", "</script>", "\x7f", "12345678\"", `\\\\\\\\`, "\x00", "a long text without anything in it"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		want, err := jsontext.AppendQuote([]byte("before"), s)
		if err != nil {
			t.Fatal(err)
		}
		if got := quote.AppendJSON([]byte("before"), s); !bytes.Equal(want, got) {
			t.Fatalf("%q: %s, want %s", s, got, want)
		}
		if got := quote.AppendJSON([]byte("before"), []byte(s)); !bytes.Equal(want, got) {
			t.Fatalf("%q: %s, want %s", s, got, want)
		}
	})
}
