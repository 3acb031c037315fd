package cyclonedx

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// writeXML writes a document that fits the version as XML: the elements in the
// order of the schema, without white space between them. The size is what it will have
// at least.
func writeXML(t *tree, version, size int) []byte {
	w := &xmlWriter{version: version}
	w.b.Grow(size)
	w.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	w.object("bom", ` xmlns="`+namespace+"1."+strconv.Itoa(version)+`"`, grammar(), t)
	return w.b.Bytes()
}

type xmlWriter struct {
	b       bytes.Buffer
	version int
}

func (w *xmlWriter) open(name, attrs string) {
	w.b.WriteByte('<')
	w.b.WriteString(name)
	w.b.WriteString(attrs)
}

func (w *xmlWriter) attr(name, value string) {
	w.b.WriteByte(' ')
	w.b.WriteString(name)
	w.b.WriteString(`="`)
	escapeXML(&w.b, value, true)
	w.b.WriteByte('"')
}

func (w *xmlWriter) foreignAttrs(f *foreign) {
	if f == nil {
		return
	}
	declared := make(map[string]bool)
	for i, a := range f.attrs {
		name := a.local
		switch {
		case a.space == xmlNamespace:
			name = "xml:" + name
		case a.space != "":
			prefix := a.prefix
			for j := range f.attrs[:i] { // one prefix for two namespaces cannot be in one element
				if f.attrs[j].prefix == prefix && f.attrs[j].space != a.space {
					prefix = "ns" + strconv.Itoa(i)
				}
			}
			if !declared[prefix] {
				declared[prefix] = true
				w.attr("xmlns:"+prefix, a.space)
			}
			name = prefix + ":" + name
		}
		w.attr(name, a.value)
	}
}

func (w *xmlWriter) end(name string) {
	w.b.WriteString("</")
	w.b.WriteString(name)
	w.b.WriteByte('>')
}

// body writes what is in an element, whose start tag is open, and its end.
func (w *xmlWriter) body(name string, f *foreign, elements func()) {
	before := w.b.Len()
	w.b.WriteString(">")
	if elements != nil {
		elements()
	}
	if f != nil {
		for _, e := range f.elements {
			w.b.WriteString(e)
		}
	}
	if w.b.Len() == before+1 {
		w.b.Truncate(before)
		w.b.WriteString("/>")
		return
	}
	w.end(name)
}

func (w *xmlWriter) object(name, attrs string, t *typ, v *tree) {
	w.open(name, attrs)
	// The members that are there, in the order of XML.
	var room [40]*tree
	ordered := append(room[:0], make([]*tree, len(t.members))...)
	for _, f := range v.fields {
		if m := t.byName[f.name]; m != nil {
			ordered[m.order] = f.value
		}
	}
	for i, value := range ordered {
		if m := t.members[i]; value != nil && m.attr && !m.jsonOnly && m.in(w.version) {
			w.attr(m.xml, scalarText(value))
		}
	}
	w.foreignAttrs(v.foreign)
	if m := t.content; m != nil {
		w.b.WriteString(">")
		if value := v.get(m.name); value != nil {
			escapeXML(&w.b, scalarText(value), false)
		}
		w.end(name)
		return
	}
	w.body(name, v.foreign, func() {
		for i, value := range ordered {
			if m := t.members[i]; value != nil && !m.attr && !m.jsonOnly {
				w.member(t, m, v, value)
			}
		}
	})
}

func (w *xmlWriter) member(t *typ, m *member, parent, v *tree) {
	switch {
	case t.name == "dataflow" && m.name == "flow":
	case t.name == "dataflow" && m.name == "classification":
		w.object(m.xml, "", classification(), parent)
	case m.list != single && v.kind == '{':
		w.object(m.xml, "", m.object, v)
	case m.list == wrapped:
		w.list(m, v)
	case m.list == repeated:
		for _, item := range v.items {
			w.value(m.xml, m.typ, item)
		}
	default:
		w.value(m.xml, m.typ, v)
	}
}

func (w *xmlWriter) value(name string, t *typ, v *tree) {
	switch {
	case t.alts != nil && t.alts[0].elem == ".":
		a := t.choose(v.kind, v.has, w.version, true)
		w.value(name, a.typ, v)
	case t.alts != nil:
		w.open(name, "")
		w.body(name, nil, func() { w.alternative(t, v) })
	case t.scalar == nil:
		w.object(name, "", t, v)
	default:
		w.open(name, "")
		w.foreignAttrs(v.foreign)
		w.b.WriteString(">")
		escapeXML(&w.b, scalarText(v), false)
		w.end(name)
	}
}

func (w *xmlWriter) alternative(t *typ, v *tree) {
	a := t.choose(v.kind, v.has, w.version, true)
	if a.wrap {
		v = v.get(a.elem)
	}
	w.value(a.elem, a.typ, v)
}

func (w *xmlWriter) list(m *member, v *tree) {
	w.open(m.xml, "")
	w.foreignAttrs(v.foreign)
	w.body(m.xml, v.foreign, func() {
		// The elements of one list are all of the kind that carries more.
		flows := false
		for _, item := range v.items {
			if m.typ.name == "serviceData" && m.typ.choose('{', item.has, w.version, true).elem == "dataflow" {
				flows = true
			}
		}
		for _, item := range v.items {
			switch {
			case m.typ.name == "dependencies":
				w.dependency(item)
			case flows:
				w.object("dataflow", "", m.typ.alts[0].typ, item)
			case m.item == "":
				w.alternative(m.typ, item)
			case m.itemAttr != "":
				w.open(m.item, "")
				w.attr(m.itemAttr, item.text)
				w.foreignAttrs(item.foreign)
				w.b.WriteString("/>")
			default:
				w.value(m.item, m.typ, item)
			}
		}
	})
}

func (w *xmlWriter) dependency(v *tree) {
	w.open("dependency", "")
	w.attr("ref", v.str("ref"))
	w.foreignAttrs(v.foreign)
	w.body("dependency", v.foreign, func() {
		for _, m := range [...][2]string{{"dependsOn", "dependency"}, {"provides", "provides"}} {
			list := v.get(m[0])
			if list == nil {
				continue
			}
			for _, ref := range list.items {
				w.open(m[1], "")
				w.attr("ref", ref.text)
				w.foreignAttrs(ref.foreign)
				w.b.WriteString("/>")
			}
		}
	})
}

// scalarText gives the text of a value as XML has it.
func scalarText(v *tree) string {
	switch v.kind {
	case 't':
		return "true"
	case 'f':
		return "false"
	case '0':
		if strings.ContainsAny(v.text, "eE") { // xs:decimal has no exponents
			if f, err := strconv.ParseFloat(v.text, 64); err == nil {
				return strconv.FormatFloat(f, 'f', -1, 64)
			}
		}
	}
	return v.text
}

// escapeXML is [appendXML]. What is lost, [fitter] reports.
func escapeXML(b io.StringWriter, s string, attr bool) {
	if ordinary(s) {
		b.WriteString(s)
		return
	}
	out, _ := appendXML(nil, s, attr)
	b.WriteString(string(out))
}

// ordinary reports whether no character of the text needs to be looked at.
func ordinary(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x80 || c == '&' || c == '<' || c == '>' || c == '"' {
			return false
		}
	}
	return true
}

// xmlRune reports whether XML 1.0 has the character.
func xmlRune(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
}

// IndentXML puts the elements of a document that was written here on lines of their
// own. Elements with text in them stay as they are, and so do those that are not of
// CycloneDX.
func IndentXML(data []byte) ([]byte, error) {
	s := newScanner("the document that was written", data)
	var out bytes.Buffer
	out.Grow(2 * len(data))
	line := func(depth int) { out.WriteString("\n" + strings.Repeat("  ", depth)) }
	last, ended := int64(0), false
	for {
		start, text, err := s.token()
		if err == io.EOF {
			out.Write(data[last:])
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case start != nil:
			out.Write(data[last:start.start])
			line(len(s.stack) - 1)
			last, ended = start.start, false
			if !strings.HasPrefix(start.space, namespace) {
				for depth := len(s.stack); len(s.stack) >= depth; {
					if _, _, err := s.token(); err != nil {
						return nil, err
					}
				}
				ended = true
			}
		case text == "":
			end := s.dec.InputOffset()
			if tag := bytes.LastIndexByte(data[:end], '<'); ended && int64(tag) >= last {
				out.Write(data[last:tag])
				line(len(s.stack))
				last = int64(tag)
			}
			ended = true
		}
	}
}
