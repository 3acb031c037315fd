package catalog

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func TestLink(t *testing.T) {
	for s, want := range map[string]string{
		" https://x.example/a?b#c ":             "https://x.example/a?b#c",
		"http://x.example":                      "http://x.example",
		"https://bücher.example/ä":              "https://bücher.example/ä",
		"git+https://x.example/a.git":           "git+https://x.example/a.git",
		"git://x.example/a.git":                 "git://x.example/a.git",
		"ssh://git@x.example/a.git":             "ssh://git@x.example/a.git",
		"git@x.example:o/a.git":                 "ssh://git@x.example/o/a.git",
		"scm:git:git@x.example:o/a.git":         "ssh://git@x.example/o/a.git",
		"scm:git:https://x.example/a.git":       "https://x.example/a.git",
		"":                                      "",
		"x.example/a":                           "",
		"/etc/passwd":                           "",
		"//x.example/a":                         "",
		"file:///a":                             "",
		"javascript:alert(1)":                   "",
		"data:text/html,a":                      "",
		"https://":                              "",
		"https:///a":                            "",
		"https://user:secret@x.example/":        "",
		"https://token@x.example/":              "",
		"git+ssh://a:secret@x.example/":         "",
		"ssh://a:secret@x.example/":             "",
		"https://x.example/a b":                 "",
		"https://x.example/\x1b[2J":             "",
		"https://x.example/\u202egnp":           "",
		"https://x.example/\u0085a":             "",
		"https://x.example/\xff":                "",
		"https://x.example/<script>":            "",
		"https://x.example/" + long(maxURL):     "",
		"git@x.example:/absolute":               "",
		"C:\\a@b.c:d":                           "",
		"https://x.example/\nhttps://y.example": "",
		"scm:git":                               "",
	} {
		if got := repository(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }

func TestHosted(t *testing.T) {
	for s, want := range map[string]string{
		"o/r": "https://github.com/o/r", "github:o/r": "https://github.com/o/r", "gitlab:o/r": "https://gitlab.com/o/r",
		"bitbucket:o/r": "https://bitbucket.org/o/r", "gist:11": "https://gist.github.com/11",
		"https://x.example/r": "https://x.example/r", "github:r": "github:r", "a/b/c": "a/b/c", "": "",
	} {
		if got := hosted(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestReferences(t *testing.T) {
	var c assay.Component
	labeled(&c, "Bug-Tracker", "https://x.example/i")
	labeled(&c, "source_code", "git@x.example:o/r")
	labeled(&c, "Sponsor", "https://x.example/s")
	labeled(&c, "a\nb", "https://x.example/c")
	labeled(&c, "docs", "docs")
	labeled(&c, "Issues", "https://x.example/i") // again
	referOr(&c, assay.RefWebsite, "www.x.example", "p:a")
	referOr(&c, assay.RefWebsite, "https://user:secret@x.example", "p:b")
	referOr(&c, assay.RefWebsite, "user:secret@x.example", "p:c")
	referOr(&c, assay.RefWebsite, "a\x1b[2Jb", "p:d")
	want := assay.Component{Properties: map[string]string{"p:a": "www.x.example"}, References: []assay.Reference{
		{Type: assay.RefIssueTracker, URL: "https://x.example/i"}, {Type: assay.RefVCS, URL: "ssh://git@x.example/o/r"},
		{Type: assay.RefOther, URL: "https://x.example/s", Comment: "Sponsor"}, {Type: assay.RefOther, URL: "https://x.example/c"},
	}}
	if d := cmp.Diff(want, c, cmp.AllowUnexported(assay.PURL{}, assay.Digest{})); d != "" {
		t.Error(d)
	}
	for i := range 1000 {
		refer(&c, assay.RefOther, "https://x.example/"+long(i), "")
	}
	if len(c.References) != maxReferences {
		t.Errorf("%d references", len(c.References))
	}
}

func FuzzLink(f *testing.F) {
	for _, s := range []string{"https://x.example/a", "git@x.example:a/b", "scm:git:git@x:y", "https://u:p@x.example", "o/r", "github:o/r", "http://[::1]:80/%41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := repository(hosted(s))
		if got == "" {
			return
		}
		if link(got) != got || len(got) > maxURL || strings.ContainsFunc(got, unicode.IsControl) || strings.Contains(got, " ") || !strings.Contains(got, "://") {
			t.Errorf("%q became %q", s, got)
		}
	})
}
