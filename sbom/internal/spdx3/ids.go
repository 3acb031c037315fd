package spdx3

import (
	"strings"

	"github.com/assaykit/assay"
)

// namespace gives the IRIs of a document's elements: those below the document's
// own IRI, after "#". What is no component has a "/" there first.
type namespace struct {
	base string // the document's IRI
}

// iri is the spdxId of a component. An id that is a global one already, such as an
// element's of a document that was read, stays what it is.
func (n namespace) iri(id assay.ComponentID) string {
	s := string(id)
	if n.isGlobal(s) {
		return s
	}
	return n.base + "#" + escape(s)
}

func (n namespace) isGlobal(s string) bool {
	return (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "urn:")) &&
		s != n.base && !strings.HasPrefix(s, n.base+"#") && isIRI(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"{}|\\^`", r)
	})
}

// own is the spdxId of what is no component.
func (n namespace) own(name string) string { return n.base + "#/" + name }

// id is the reverse of iri. An IRI that iri would not give is an id as it is.
func (n namespace) id(iri string) assay.ComponentID {
	if fragment, ok := strings.CutPrefix(iri, n.base); ok && len(fragment) > 1 && fragment[0] == '#' {
		if id := assay.ComponentID(unescape(fragment[1:])); n.iri(id) == iri {
			return id
		}
	}
	return assay.ComponentID(iri)
}

const hexDigits = "0123456789ABCDEF"

// escape makes a fragment of a URI (RFC 3986, 3.5), without "/" at its start.
func escape(s string) string {
	clean := true
	for i := range len(s) {
		clean = clean && isFragment(s, i)
	}
	if clean {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		if isFragment(s, i) {
			b = append(b, s[i])
		} else {
			b = append(b, '%', hexDigits[s[i]>>4], hexDigits[s[i]&15])
		}
	}
	return string(b)
}

func isFragment(s string, i int) bool {
	c := s[i]
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@?", c) >= 0 || c == '/' && i > 0
}

func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := strings.IndexByte(hexDigits, s[i+1]), strings.IndexByte(hexDigits, s[i+2])
			if high >= 0 && low >= 0 {
				b = append(b, byte(high<<4|low))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
