package cyclonedx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Namespaces of CycloneDX are this and the version.
const namespace = "http://cyclonedx.org/schema/bom/"

const (
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// scanner reads XML strictly: well-formed, namespaces declared, no attribute twice,
// no document type and so no entities but those of XML, bounded in depth.
// encoding/xml alone checks none of the last four.
type scanner struct {
	name  string
	data  []byte
	dec   *xml.Decoder
	stack []element
	plain *plainXML // reads instead of dec
}

// element is the start of one.
type element struct {
	space, local string
	raw          xml.Name // as it was written: prefix and name
	attrs        []xml.Attr
	prefixes     []string // of attrs
	declared     []binding
	start, end   int64 // the bytes of the start tag
}

type binding struct{ prefix, space string }

func newScanner(name string, data []byte) *scanner {
	s := &scanner{name: name, data: data, dec: xml.NewDecoder(bytes.NewReader(data))}
	s.dec.Entity = nil
	return s
}

func (s *scanner) path() string {
	var b strings.Builder
	for i := range s.stack {
		b.WriteString("/" + s.stack[i].local)
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

func (s *scanner) fail(value, want string) error {
	if s.plain != nil {
		return errNotPlain
	}
	line, _ := s.dec.InputPos()
	return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: s.name, Field: s.path() + " in line " + strconv.Itoa(line), Value: value, Bound: want}
}

func (s *scanner) resolve(prefix string, attr bool) (string, bool) {
	switch {
	case prefix == "" && attr:
		return "", true
	case prefix == "xml":
		return xmlNamespace, true
	}
	for i := len(s.stack) - 1; i >= 0; i-- {
		for _, b := range s.stack[i].declared {
			if b.prefix == prefix {
				return b.space, b.space != "" || prefix == ""
			}
		}
	}
	return "", prefix == ""
}

// token is the start of an element, text, or the end of an element (nil, "").
func (s *scanner) token() (start *element, text string, err error) {
	if s.plain != nil {
		return s.plainToken()
	}
	for {
		before := s.dec.InputOffset()
		tok, err := s.dec.RawToken()
		if err != nil {
			if err == io.EOF {
				if len(s.stack) > 0 {
					return nil, "", s.fail("the end of the file", "the end of the element")
				}
				return nil, "", io.EOF
			}
			return nil, "", s.syntax(err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			e, err := s.open(t, before)
			return e, "", err
		case xml.EndElement:
			if len(s.stack) == 0 || s.stack[len(s.stack)-1].raw != t.Name {
				return nil, "", s.fail("</"+t.Name.Local+">", "the end of the element that was opened last")
			}
			s.stack = s.stack[:len(s.stack)-1]
			return nil, "", nil
		case xml.CharData:
			if len(t) == 0 { // as an empty CDATA section is
				continue
			}
			if len(s.stack) > 0 {
				return nil, string(t), nil
			}
			if strings.Trim(string(t), " \t\r\n\ufeff") != "" {
				return nil, "", s.fail(excerpt(string(t)), "nothing outside of the root element")
			}
		case xml.Directive:
			return nil, "", s.fail(excerpt("<!"+string(t)), "no document type: entities are not read")
		case xml.ProcInst:
			if t.Target == "xml" && before > 0 && strings.Trim(string(s.data[:before]), "\ufeff") != "" {
				return nil, "", s.fail("<?xml", "the XML declaration at the start only")
			}
		}
	}
}

func (s *scanner) syntax(err error) error {
	line, _ := s.dec.InputPos()
	if syn, ok := errors.AsType[*xml.SyntaxError](err); ok {
		err = errors.New(syn.Msg)
	}
	return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: s.name, Field: s.path() + " in line " + strconv.Itoa(line), Err: fmt.Errorf("XML: %w", err)}
}

func (s *scanner) open(t xml.StartElement, before int64) (*element, error) {
	if len(s.stack) >= strictjson.DefaultMaxDepth {
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrBound, Subject: s.name, Field: s.path(),
			Value: "depth " + strconv.Itoa(len(s.stack)+1), Bound: "at most " + strconv.Itoa(strictjson.DefaultMaxDepth)}
	}
	s.stack = append(s.stack, element{raw: t.Name, local: t.Name.Local, start: before, end: s.dec.InputOffset()})
	e := &s.stack[len(s.stack)-1]
	// The offset before a token is that before the text that was merged with it,
	// never: a tag starts where the token before it ended.
	for _, a := range t.Attr {
		prefix, space := "", ""
		switch {
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			space = a.Value
		case a.Name.Space == "xmlns":
			prefix, space = a.Name.Local, a.Value
			if space == "" {
				return nil, s.fail("xmlns:"+prefix, "the namespace of a prefix")
			}
		default:
			continue
		}
		if slices.ContainsFunc(e.declared, func(b binding) bool { return b.prefix == prefix }) {
			return nil, s.fail("xmlns:"+prefix, "each attribute once")
		}
		e.declared = append(e.declared, binding{prefix, space})
	}
	var ok bool
	if e.space, ok = s.resolve(t.Name.Space, false); !ok {
		return nil, s.fail(t.Name.Space+":"+t.Name.Local, "a prefix that is declared")
	}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		prefix := a.Name.Space
		if a.Name.Space, ok = s.resolve(prefix, true); !ok {
			return nil, s.fail(prefix+":"+a.Name.Local, "a prefix that is declared")
		}
		if slices.ContainsFunc(e.attrs, func(o xml.Attr) bool { return o.Name == a.Name }) {
			return nil, s.fail(a.Name.Local, "each attribute once")
		}
		e.attrs = append(e.attrs, a)
		e.prefixes = append(e.prefixes, prefix)
	}
	return e, nil
}

// foreign reads an element to its end, which was opened just now, and gives it with
// all the namespaces that it is in.
func (s *scanner) foreign() (string, error) {
	depth := len(s.stack)
	top := s.stack[depth-1]
	inScope := make(map[string]string)
	for i := range s.stack[:depth-1] {
		for _, b := range s.stack[i].declared {
			inScope[b.prefix] = b.space
		}
	}
	for len(s.stack) >= depth {
		if _, _, err := s.token(); err != nil {
			return "", err
		}
	}
	raw := string(s.data[top.start:s.dec.InputOffset()])
	name := top.raw.Local
	if top.raw.Space != "" {
		name = top.raw.Space + ":" + name
	}
	var b strings.Builder
	b.WriteString("<" + name)
	// The document's own namespace is the default where it will be written.
	if strings.HasPrefix(inScope[""], namespace) {
		delete(inScope, "")
	} else if _, ok := inScope[""]; !ok && top.raw.Space == "" {
		inScope[""] = ""
	}
	prefixes := make([]string, 0, len(inScope))
	for p := range inScope {
		if p == "" || strings.Contains(raw, p+":") {
			prefixes = append(prefixes, p)
		}
	}
	prefixes = slices.DeleteFunc(prefixes, func(p string) bool {
		return slices.ContainsFunc(top.declared, func(b binding) bool { return b.prefix == p })
	})
	slices.Sort(prefixes)
	for _, p := range prefixes {
		b.WriteString(" xmlns")
		if p != "" {
			b.WriteString(":" + p)
		}
		b.WriteString(`="`)
		escapeXML(&b, inScope[p], true)
		b.WriteString(`"`)
	}
	b.WriteString(raw[1+len(name):])
	return b.String(), nil
}

func excerpt(s string) string {
	if len(s) > 32 {
		s = strings.ToValidUTF8(s[:32], "") + "…"
	}
	return s
}
