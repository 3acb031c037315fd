package cyclonedx

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay/sbom/internal/quick"
	"github.com/assaykit/assay/sbom/internal/quote"
	"github.com/assaykit/assay/sbom/internal/shape"
)

// wireXML reads plain XML (see [plainXML]) into the wire types, and holds it to the
// grammar on the way, as [readXML], [checker] and [readDocument] do one after the other.
// It knows the parts of the format that the model has, and values that it has not. All
// else, and all that is wrong, sets odd: then what was read is not to be used, and the
// others say what there is, and what is wrong with it.
type wireXML struct {
	rest    []byte
	version int
	odd     bool
	empty   bool // the element that was opened last ends with its tag
	nested  int  // components in components
	d       *decoder
	used    map[string]bool // references to what is not defined yet
	kept    quick.Keeper
	path    []step
	scratch []byte
}

// step is a member, or an item of an array.
type step struct {
	name string
	item int
}

// readWire gives the document, or false.
func (d *decoder) readWire(data []byte) (*document, bool) {
	x := &wireXML{rest: data, d: d, used: make(map[string]bool)}
	for _, head := range [...]string{`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version="1.0" encoding="utf-8"?>`, `<?xml version="1.0"?>`} {
		if rest, ok := bytes.CutPrefix(x.rest, []byte(head)); ok {
			x.rest = rest
			break
		}
	}
	doc := &document{BOMFormat: "CycloneDX"}
	if string(x.open()) != "bom" {
		return nil, false
	}
	x.bom(doc)
	if x.odd || len(bytes.Trim(x.rest, " \t\n")) > 0 {
		return nil, false
	}
	for ref := range x.used {
		if !d.refs[ref] && !strings.HasPrefix(ref, "urn:cdx:") {
			return nil, false
		}
	}
	return doc, true
}

func (x *wireXML) fail() { x.rest, x.odd = nil, true }

// pointer is that of what is being read.
func (x *wireXML) pointer() string {
	out := ""
	for _, s := range x.path {
		if s.name == "" {
			out = shape.Pointer(out, s.item)
		} else {
			out += "/" + escapePointer(s.name)
		}
	}
	return out
}

// space passes over white space, and gives the byte after it, 0 at the end.
func (x *wireXML) space() byte {
	for i, c := range x.rest {
		if c != ' ' && c != '\n' && c != '\t' {
			x.rest = x.rest[i:]
			return c
		}
	}
	x.rest = nil
	return 0
}

// name takes one off.
func (x *wireXML) name() []byte {
	for i, c := range x.rest {
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '.' || c == '-'):
		default:
			name := x.rest[:i]
			x.rest = x.rest[i:]
			if i == 0 {
				x.fail()
			}
			return name
		}
	}
	x.fail()
	return nil
}

// open takes the start of an element, up to its attributes. It is nil at the end of the
// element around it.
func (x *wireXML) open() []byte {
	if x.space() != '<' || len(x.rest) < 2 {
		x.fail()
		return nil
	}
	if x.rest[1] == '/' {
		return nil
	}
	x.rest = x.rest[1:]
	return x.name()
}

// end takes the end of the element.
func (x *wireXML) end(name string) {
	n := len(name)
	if r := x.rest; len(r) < n+3 || r[0] != '<' || r[1] != '/' || string(r[2:2+n]) != name || r[2+n] != '>' {
		x.fail()
		return
	}
	x.rest = x.rest[n+3:]
}

// attributes takes those of the start tag, and the end of it, and gives which members
// were there.
func (x *wireXML) attributes(t *typ, set func(m *member, value []byte)) (found uint64) {
	for {
		spaced := len(x.rest)
		switch x.space() {
		case '>':
			x.rest = x.rest[1:]
			return found
		case '/':
			if len(x.rest) < 2 || x.rest[1] != '>' {
				x.fail()
				return found
			}
			x.rest = x.rest[2:]
			x.empty = true
			return found
		}
		if spaced == len(x.rest) {
			x.fail()
			return found
		}
		name := x.name()
		if len(x.rest) < 2 || x.rest[0] != '=' || x.rest[1] != '"' {
			x.fail()
			return found
		}
		x.rest = x.rest[2:]
		n := bytes.IndexByte(x.rest, '"')
		if n < 0 {
			x.fail()
			return found
		}
		value := x.resolve(x.rest[:n], true)
		if x.odd {
			return found
		}
		x.rest = x.rest[n+1:]
		if t == grammar() && string(name) == "xmlns" {
			x.namespace(value)
			continue
		}
		var m *member
		if t != nil {
			m = t.byAttr[string(name)]
		}
		if m == nil || !m.in(x.version) || found&(1<<m.order) != 0 {
			x.fail()
			return found
		}
		found |= 1 << m.order
		switch {
		case m.drop:
			x.dropped(m, value)
		case set != nil:
			set(m, value)
		default:
			x.fail()
		}
	}
}

// namespace takes the document's, which is before all other attributes.
func (x *wireXML) namespace(value []byte) {
	version, ok := bytes.CutPrefix(value, []byte(namespace))
	if x.version = minor(string(version)); !ok || x.d.version != "" || x.version < 0 || string(version) != "1."+strconv.Itoa(x.version) {
		x.fail()
		return
	}
	x.d.version = string(version)
}

// dropped holds a value that the model does not have to the grammar.
func (x *wireXML) dropped(m *member, value []byte) {
	if m.watched || m.typ.scalar == nil || m.typ.scalar.kind != '"' {
		x.fail()
		return
	}
	x.path = append(x.path, step{name: m.name})
	x.check(m.typ.scalar, value)
	x.d.lose(x.pointer(), "the model has no place for it")
	x.path = x.path[:len(x.path)-1]
}

// resolve resolves the references of a text or the value of an attribute. What it
// gives is valid until the next call.
func (x *wireXML) resolve(raw []byte, attr bool) []byte {
	out, last := x.scratch[:0], 0
	for i := quote.IndexMarkup(raw, 0); i < len(raw); {
		c, size := raw[i], 1
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRune(raw[i:]); !xmlRune(r) || r == utf8.RuneError && size == 1 {
				x.fail()
				return nil
			}
		case c == '&':
			name, _, ends := bytes.Cut(raw[i+1:min(len(raw), i+6)], []byte(";"))
			of := byte(0)
			switch string(name) {
			case "amp":
				of = '&'
			case "lt":
				of = '<'
			case "gt":
				of = '>'
			case "quot":
				of = '"'
			case "apos":
				of = '\''
			}
			if !ends || of == 0 {
				x.fail()
				return nil
			}
			out = append(append(out, raw[last:i]...), of)
			size = len(name) + 2
			last = i + size
		case c == '>':
			if bytes.HasSuffix(raw[:i], []byte("]]")) {
				x.fail()
				return nil
			}
		case c == '<' || c < ' ' && (attr || c != '\t' && c != '\n'):
			x.fail()
			return nil
		}
		i = quote.IndexMarkup(raw, i+size)
	}
	if last == 0 {
		return raw
	}
	x.scratch = append(out, raw[last:]...)
	return x.scratch
}

// check holds a value to the grammar, and gives it as JSON has it.
func (x *wireXML) check(s *scalar, value []byte) []byte {
	if s.collapse && !isBareWord(value) {
		value = bytes.Join(bytes.Fields(value), []byte(" "))
	}
	ok := s.kind == '"'
	switch {
	case s.since != nil:
		since, known := s.since[string(value)]
		ok = ok && known && since <= x.version
	case s.bytes != nil:
		ok = ok && s.bytes(value)
	case s.ok != nil:
		ok = ok && s.ok(string(value), x.version)
	}
	known := s.label != "" && x.d.refs[string(value)]
	switch {
	case !ok || known && s.label == labelDefined:
		x.fail()
	case s.label == labelDefined:
		x.d.refs[string(value)] = true
	case s.label == labelUsed && !known:
		x.used[string(value)] = true
	}
	return value
}

// isBareWord is isWord.
func isBareWord(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 || c <= ' ' })
}

func (x *wireXML) keep(s *scalar, value []byte) string {
	return x.kept.Keep(x.check(s, value), len(x.rest))
}

// content takes the text of an element, and its end.
func (x *wireXML) content(name string) []byte {
	if x.empty {
		x.empty = false
		return nil
	}
	n := bytes.IndexByte(x.rest, '<')
	if n < 0 {
		x.fail()
		return nil
	}
	text := x.resolve(x.rest[:n], false)
	if !x.odd {
		x.rest = x.rest[n:]
		x.end(name)
	}
	return text
}

// text reads an element that is a value.
func (x *wireXML) text(m *member) string {
	x.attributes(nil, nil)
	return x.keep(m.typ.scalar, x.content(m.xml))
}

// elements reads those of an element to its end. Each reads all of one; those that the
// model does not have are read here. found are the attributes.
func (x *wireXML) elements(t *typ, name string, found uint64, each func(m *member)) {
	for last := 0; !x.empty; {
		child := x.open()
		if child == nil {
			break
		}
		m := t.byElem[string(child)]
		again := m != nil && found&(1<<m.order) != 0
		if m == nil || !m.in(x.version) || m.order < last && !t.unordered || again && (m.list != repeated || x.version < m.listSince || t.unordered) {
			x.fail()
			return
		}
		last = m.order
		found |= 1 << m.order
		if m.drop {
			if m.list != single {
				x.fail()
				return
			}
			x.attributes(nil, nil)
			x.dropped(m, x.content(m.xml))
			continue
		}
		x.path = append(x.path, step{name: m.name})
		each(m)
		x.path = x.path[:len(x.path)-1]
	}
	if x.empty {
		x.empty = false
	} else if !x.odd {
		x.end(name)
	}
	for _, m := range t.required {
		if found&(1<<m.order) == 0 && m.needed(x.version, true) {
			x.fail()
		}
	}
}

// items reads the elements of a list, each of which has the name.
func items[T any](x *wireXML, m *member, read func(v *T)) []T {
	out := []T{}
	x.attributes(nil, nil)
	for !x.empty {
		child := x.open()
		if child == nil {
			break
		}
		if string(child) != m.item {
			x.fail()
			return out
		}
		x.path = append(x.path, step{item: len(out)})
		out = grown(out)
		read(&out[len(out)-1])
		x.path = x.path[:len(x.path)-1]
	}
	if x.empty {
		x.empty = false
	} else if !x.odd {
		x.end(m.xml)
	}
	return out
}

// grown has one more.
func grown[T any](list []T) []T {
	if len(list) == cap(list) {
		list = slices.Grow(list, max(4, len(list)))
	}
	return list[:len(list)+1]
}

// references reads the elements of a list, whose attribute ref is the value.
func (x *wireXML) references(m *member) []string {
	return items(x, m, func(v *string) { *v = x.reference(m.item, m.typ.scalar) })
}

var refMember = &member{name: "ref", until: newest}
var refType = &typ{byAttr: map[string]*member{"ref": refMember}}

func (x *wireXML) reference(name string, s *scalar) (ref string) {
	if x.attributes(refType, func(_ *member, value []byte) { ref = x.keep(s, value) }) == 0 {
		x.fail()
	}
	if x.empty {
		x.empty = false
	} else if x.space(); !x.odd {
		x.end(name)
	}
	return ref
}
