package npm

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// person reads who made a package, as "name <contact>", in both forms that there are:
// an object of name, email and url, and one text of all of them (docs.npmjs.com,
// package.json, people fields). It is "" without a name, and where the text is
// something else; a contact that is none is left out.
func person(v jsontext.Value) string {
	var name, mail, home string
	switch v.Kind() {
	case '"':
		name = str(v)
		name, home = bracketed(name, '(', ')')
		name, mail = bracketed(name, '<', '>')
	case '{':
		m := members(v)
		name, mail, home = str(m["name"]), str(m["email"]), str(m["url"])
	}
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 256 || !utf8.ValidString(name) || strings.ContainsAny(name, "<>()") || strings.IndexFunc(name, unicode.IsControl) >= 0 {
		return ""
	}
	switch {
	case isMail(mail):
		return name + " <" + mail + ">"
	case isHome(home):
		return name + " <" + home + ">"
	}
	return name
}

// bracketed takes what is in brackets off the end of a text.
func bracketed(s string, open, end byte) (rest, inner string) {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, open); i >= 0 && s[len(s)-1] == end {
		return s[:i], strings.TrimSpace(s[i+1 : len(s)-1])
	}
	return s, ""
}

func isMail(s string) bool {
	local, host, ok := strings.Cut(s, "@")
	return ok && local != "" && host != "" && len(s) <= 254 && !strings.ContainsAny(s, "<>() \t\r\n\"") && !strings.Contains(host, "@") &&
		utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

func isHome(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(s) <= 2048 && !strings.ContainsAny(s, "<> ") && utf8.ValidString(s)
}
