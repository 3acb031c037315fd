package cyclonedx

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay/internal/strictjson"
)

// plainXML reads XML of elements, attributes and text, with no more than the references
// &amp; &lt; &gt; &quot; and &apos; in them, no names with a colon, and lines that end as
// XML has them. Its tokens are those of encoding/xml, as parts of one copy of the
// document; all else is [errNotPlain].
type plainXML struct {
	rest   string
	closed bool // the element that was opened last ends with its tag
}

var errNotPlain = errors.New("XML that is not plain")

func newPlainXML(data []byte) *plainXML {
	p := &plainXML{rest: string(data)}
	for _, head := range [...]string{`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0"?>`} {
		if rest, ok := strings.CutPrefix(p.rest, head); ok {
			p.rest = rest
			break
		}
	}
	return p
}

// plainToken is token.
func (s *scanner) plainToken() (*element, string, error) {
	p := s.plain
	if p.closed {
		p.closed = false
		s.stack = s.stack[:len(s.stack)-1]
		return nil, "", nil
	}
	for {
		n := strings.IndexByte(p.rest, '<')
		switch {
		case n < 0:
			if len(s.stack) > 0 || strings.Trim(p.rest, " \t\n") != "" {
				return nil, "", errNotPlain
			}
			return nil, "", io.EOF
		case n > 0:
			text, ok := plainValue(p.rest[:n])
			p.rest = p.rest[n:]
			switch {
			case !ok:
				return nil, "", errNotPlain
			case len(s.stack) > 0:
				return nil, text, nil
			case strings.Trim(text, " \t\n") != "":
				return nil, "", errNotPlain
			}
			continue
		}
		if end, ok := strings.CutPrefix(p.rest, "</"); ok {
			if len(s.stack) == 0 {
				return nil, "", errNotPlain
			}
			if end, ok = strings.CutPrefix(end, s.stack[len(s.stack)-1].local); !ok || end == "" || end[0] != '>' {
				return nil, "", errNotPlain
			}
			p.rest = end[1:]
			s.stack = s.stack[:len(s.stack)-1]
			return nil, "", nil
		}
		e, err := s.plainStart()
		return e, "", err
	}
}

// plainStart reads the tag that starts an element.
func (s *scanner) plainStart() (*element, error) {
	p := s.plain
	name, rest := plainName(p.rest[1:])
	if name == "" || len(s.stack) >= strictjson.DefaultMaxDepth {
		return nil, errNotPlain
	}
	if len(s.stack) < cap(s.stack) { // with the room that it had before
		s.stack = s.stack[:len(s.stack)+1]
	} else {
		s.stack = append(s.stack, element{})
	}
	e := &s.stack[len(s.stack)-1]
	*e = element{local: name, raw: xml.Name{Local: name}, attrs: e.attrs[:0], prefixes: e.prefixes[:0], declared: e.declared[:0]}
	for {
		trimmed := strings.TrimLeft(rest, " \t\n")
		if after, ok := strings.CutPrefix(trimmed, ">"); ok {
			rest = after
			break
		}
		if after, ok := strings.CutPrefix(trimmed, "/>"); ok {
			rest, p.closed = after, true
			break
		}
		if len(trimmed) == len(rest) {
			return nil, errNotPlain
		}
		attr, after := plainName(trimmed)
		quoted, ok := strings.CutPrefix(after, `="`)
		end := strings.IndexByte(quoted, '"')
		if attr == "" || !ok || end < 0 {
			return nil, errNotPlain
		}
		value, ok := plainValue(quoted[:end])
		if !ok || strings.ContainsAny(quoted[:end], "<\t\n") || !e.plainAttr(attr, value) {
			return nil, errNotPlain
		}
		rest = quoted[end+1:]
	}
	p.rest = rest
	e.space, _ = s.resolve("", false)
	return e, nil
}

// plainAttr is false for one that is there already.
func (e *element) plainAttr(name, value string) bool {
	if name == "xmlns" {
		if len(e.declared) > 0 {
			return false
		}
		e.declared = append(e.declared, binding{"", value})
		return true
	}
	for i := range e.attrs {
		if e.attrs[i].Name.Local == name {
			return false
		}
	}
	e.attrs = append(e.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: value})
	e.prefixes = append(e.prefixes, "")
	return true
}

// plainName takes a name off.
func plainName(s string) (name, rest string) {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '.' || c == '-'):
		default:
			return s[:i], s[i:]
		}
	}
	return "", s
}

var plainReferences = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'")

// plainValue resolves the references of a text or the value of an attribute.
func plainValue(s string) (string, bool) {
	ascii, references, brackets := true, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case c < ' ' && c != '\t' && c != '\n':
			return "", false
		case c == '&':
			references++
		case c == ']':
			brackets = true
		}
	}
	if brackets && strings.Contains(s, "]]>") {
		return "", false
	}
	if !ascii {
		for i, r := range s {
			if !xmlRune(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
				return "", false
			}
		}
	}
	if references == 0 {
		return s, true
	}
	for i := range len(s) {
		if s[i] != '&' {
			continue
		}
		name, _, ends := strings.Cut(s[i+1:min(len(s), i+6)], ";")
		if !ends || name != "amp" && name != "lt" && name != "gt" && name != "quot" && name != "apos" {
			return "", false
		}
	}
	return plainReferences.Replace(s), true
}
