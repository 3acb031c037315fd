package cyclonedx

import (
	"encoding/xml"
	"io"
	"regexp"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/shape"
)

var versionPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)

// readXML brings a document in XML to the shape of JSON, by the grammar of the
// version that its namespace names. What XML alone does not know is kept as foreign.
// Required members and values are left to the checker.
//
// Nearly all documents have nothing of what makes XML intricate, and are read by a
// scanner that knows only the rest. What it does not take, for whatever reason, the
// other one reads from the start; it alone says what is wrong.
func readXML(name string, data []byte) (*tree, error) {
	if t, err := readXMLBy(&scanner{name: name, data: data, plain: newPlainXML(data)}); err == nil {
		return t, nil
	}
	return readXMLBy(newScanner(name, data))
}

func readXMLBy(s *scanner) (*tree, error) {
	r := &xmlReader{scanner: s}
	root, _, err := r.token()
	if err != nil {
		if err == io.EOF {
			return nil, r.fail("an empty file", "a bom")
		}
		return nil, err
	}
	version, ok := strings.CutPrefix(root.space, namespace)
	switch r.version = minor(version); {
	case !ok || root.local != "bom" || r.version < 0 && !versionPattern.MatchString(version):
		return nil, r.fail(root.space+" "+root.local, "bom in a namespace "+namespace+"1.x")
	case r.version < 0:
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrUnchecked, Subject: s.name, Field: "xmlns", Value: root.space,
			Bound: "a version that can be read: 1.0, 1.1, " + strings.Join(versions, ", ")}
	}
	r.space = root.space
	t := &tree{kind: '{', fields: []field{{"bomFormat", newString("CycloneDX")}, {"specVersion", newString(version)}}}
	if err := r.object(grammar(), root, nil, t); err != nil {
		return nil, err
	}
	if _, _, err := r.token(); err != io.EOF {
		if err == nil {
			err = r.fail("another element", "nothing outside of the root element")
		}
		return nil, err
	}
	return t, nil
}

type xmlReader struct {
	*scanner
	space   string
	version int
	nodes   []tree
}

// texts joins the parts of a text, of which there is nearly always one.
type texts struct {
	first string
	all   strings.Builder // if there are more
}

func (t *texts) add(s string) {
	switch {
	case t.first == "":
		t.first = s
		return
	case t.all.Len() == 0:
		t.all.WriteString(t.first)
	}
	t.all.WriteString(s)
}

func (t *texts) String() string {
	if t.all.Len() > 0 {
		return t.all.String()
	}
	return t.first
}

// next gives the next child element, nil at the end of the element. Text is added to
// the texts, or refused if there are none.
func (r *xmlReader) next(text *texts, t *tree) (*element, error) {
	for {
		start, s, err := r.token()
		switch {
		case err != nil:
			return nil, err
		case start == nil && s == "":
			return nil, nil
		case start == nil && text != nil:
			text.add(s)
		case start == nil:
			if strings.Trim(s, " \t\r\n") != "" {
				return nil, r.fail(excerpt(strings.TrimSpace(s)), "elements and no text")
			}
		case start.space == r.space:
			return start, nil
		case strings.HasPrefix(start.space, namespace) || start.space == "":
			return nil, r.fail(start.local, "an element of the namespace "+r.space)
		default:
			if r.plain != nil {
				return nil, errNotPlain
			}
			raw, err := r.foreign()
			if err != nil {
				return nil, err
			}
			if t.foreign == nil {
				t.foreign = new(foreign)
			}
			t.foreign.elements = append(t.foreign.elements, raw)
		}
	}
}

// attributes sorts out those of CycloneDX.
func (r *xmlReader) attributes(e *element, known func(xml.Attr) (bool, error), open bool, t *tree) error {
	for i, a := range e.attrs {
		if a.Name.Space == "" {
			ok, err := known(a)
			if err != nil {
				return err
			}
			if ok {
				continue
			}
			if !open {
				return r.fail(a.Name.Local, "an attribute that the format knows here")
			}
		}
		if t.foreign == nil {
			t.foreign = new(foreign)
		}
		t.foreign.attrs = append(t.foreign.attrs, foreignAttr{a.Name.Space, e.prefixes[i], a.Name.Local, a.Value})
	}
	return nil
}

func noAttribute(xml.Attr) (bool, error) { return false, nil }

// object reads one to the end of its element, of which the first child may have
// been opened already.
func (r *xmlReader) object(t *typ, e *element, first *element, out *tree) error {
	err := r.attributes(e, func(a xml.Attr) (bool, error) {
		m := t.byAttr[a.Name.Local]
		if m == nil || !m.in(r.version) {
			return false, nil
		}
		v, err := r.scalar(m.typ.scalar, a.Value)
		out.fields = append(out.fields, field{m.name, v})
		return true, err
	}, t.attrs, out)
	if err != nil {
		return err
	}
	var content texts
	var text *texts
	if t.content != nil && t.content.in(r.version) {
		text = &content
	}
	order := 0
	for child := first; ; {
		if child == nil {
			if child, err = r.next(text, out); err != nil {
				return err
			}
			if child == nil {
				break
			}
		}
		m := t.byElem[child.local]
		if m == nil || !m.in(r.version) {
			return r.fail(child.local, "an element that the format knows here")
		}
		if m.order < order && !t.unordered {
			return r.fail(child.local, "the elements in their order, this one before "+t.members[order].xml)
		}
		order = m.order
		if err := r.member(t, m, child, out); err != nil {
			return err
		}
		child = nil
	}
	if text != nil {
		v, err := r.scalar(t.content.typ.scalar, content.String())
		if err != nil {
			return err
		}
		out.fields = append(out.fields, field{t.content.name, v})
	}
	return nil
}

func (r *xmlReader) member(t *typ, m *member, e *element, out *tree) error {
	old := out.get(m.name)
	if m.list == repeated && r.version >= m.listSince {
		v, err := r.value(m.typ, e)
		if err != nil {
			return err
		}
		if old == nil {
			old = &tree{kind: '['}
			out.fields = append(out.fields, field{m.name, old})
		}
		old.items = append(old.items, v)
		return nil
	}
	if old != nil {
		return r.fail(m.xml, "the element once")
	}
	var v *tree
	var err error
	switch {
	case t.name == "dataflow" && m.name == "classification":
		// Its attribute is another member of the same object.
		class := &tree{kind: '{'}
		if err := r.object(classification(), e, nil, class); err != nil {
			return err
		}
		out.fields = append(out.fields, class.fields...)
		return nil
	case m.list == wrapped:
		v, err = r.list(m, e)
	case m.list == repeated:
		v, err = r.value(m.object, e)
	default:
		v, err = r.value(m.typ, e)
	}
	out.fields = append(out.fields, field{m.name, v})
	return err
}

func classification() *typ {
	data := grammar().byName["services"].typ.byName["data"].typ
	return data.alts[1].typ
}

// value reads an element as a value of the type.
func (r *xmlReader) value(t *typ, e *element) (*tree, error) {
	if t.alts == nil && t.scalar != nil {
		return r.leaf(t, e)
	}
	out := r.node('{')
	switch {
	case t.alts != nil && t.alts[0].elem == ".":
		return r.either(t, e)
	case t.alts != nil:
		if err := r.attributes(e, noAttribute, false, out); err != nil {
			return nil, err
		}
		child, err := r.next(nil, out)
		if err != nil {
			return nil, err
		}
		if child == nil {
			return nil, r.fail(e.local, "one of the elements "+t.elements())
		}
		v, err := r.alternative(t, child)
		if err != nil {
			return nil, err
		}
		if v.foreign == nil {
			v.foreign = out.foreign
		}
		if child, err = r.next(nil, v); child != nil {
			return nil, r.fail(child.local, "one element only")
		}
		return v, err
	}
	return out, r.object(t, e, nil, out)
}

// leaf reads an element with text only.
func (r *xmlReader) leaf(t *typ, e *element) (*tree, error) {
	var out tree // what is foreign in it
	if err := r.attributes(e, noAttribute, false, &out); err != nil {
		return nil, err
	}
	var text texts
	child, err := r.next(&text, &out)
	switch {
	case err != nil:
		return nil, err
	case child != nil:
		return nil, r.fail(child.local, "text and no elements")
	}
	v, err := r.scalar(t.scalar, text.String())
	if err == nil {
		v.foreign = out.foreign
	}
	return v, err
}

// either reads text or an object.
func (r *xmlReader) either(t *typ, e *element) (*tree, error) {
	out := &tree{kind: '{'}
	start := *e
	var text texts
	child, err := r.next(&text, out)
	switch {
	case err != nil:
		return nil, err
	case child == nil:
		v, err := r.scalar(t.alts[0].typ.scalar, text.String())
		if err == nil {
			err = r.attributes(&start, noAttribute, false, v)
			if out.foreign != nil && v.foreign == nil {
				v.foreign = out.foreign
			}
		}
		return v, err
	case r.version < t.alts[1].since || strings.TrimSpace(text.String()) != "":
		return nil, r.fail(child.local, "text and no elements")
	}
	return out, r.object(t.alts[1].typ, &start, child, out)
}

func (t *typ) elements() string {
	var names []string
	for _, a := range t.alts {
		names = append(names, a.elem)
	}
	return strings.Join(names, ", ")
}

func (r *xmlReader) alternative(t *typ, e *element) (*tree, error) {
	for _, a := range t.alts {
		if a.elem != e.local || a.since > r.version {
			continue
		}
		v, err := r.value(a.typ, e)
		if err == nil && a.wrap {
			v = &tree{kind: '{', fields: []field{{a.elem, v}}}
		}
		return v, err
	}
	return nil, r.fail(e.local, "one of the elements "+t.elements())
}

// list reads an element that wraps those of the values.
func (r *xmlReader) list(m *member, e *element) (*tree, error) {
	out := &tree{kind: '['}
	if err := r.attributes(e, noAttribute, true, out); err != nil {
		return nil, err
	}
	for {
		child, err := r.next(nil, out)
		switch {
		case err != nil:
			return nil, err
		case child == nil:
			return out, nil
		}
		var v *tree
		switch {
		case out.kind == '{' || m.object != nil && len(out.items) == 0 && r.version >= m.objectSince && m.object.byElem[child.local] != nil:
			out.kind = '{'
			known := m.object.byElem[child.local]
			if known == nil || !known.in(r.version) {
				return nil, r.fail(child.local, "an element that the format knows here")
			}
			if err := r.member(m.object, known, child, out); err != nil {
				return nil, err
			}
			continue
		case m.typ.name == "dependencies":
			if child.local != m.item {
				return nil, r.fail(child.local, "an element "+m.item)
			}
			if err := r.dependency(child, out); err != nil {
				return nil, err
			}
			continue
		case m.item == "":
			v, err = r.alternative(m.typ, child)
		case child.local != m.item:
			return nil, r.fail(child.local, "an element "+m.item)
		case m.itemAttr != "":
			v, err = r.reference(m.itemAttr, child)
		default:
			v, err = r.value(m.typ, child)
		}
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, v)
	}
}

// reference reads an empty element whose attribute is the value.
func (r *xmlReader) reference(attr string, e *element) (*tree, error) {
	var v *tree
	extra := new(tree)
	local := e.local
	err := r.attributes(e, func(a xml.Attr) (bool, error) {
		if a.Name.Local == attr {
			v = r.str(a.Value)
		}
		return a.Name.Local == attr, nil
	}, false, extra)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, r.fail(local, "an attribute "+attr)
	}
	child, err := r.next(nil, extra)
	if child != nil {
		return nil, r.fail(child.local, "no element in it")
	}
	v.foreign = extra.foreign
	return v, err
}

// dependency appends the entry of one component, and those of the elements nested
// deeper than JSON has them.
func (r *xmlReader) dependency(e *element, list *tree) error {
	out := r.node('{')
	err := r.attributes(e, func(a xml.Attr) (bool, error) {
		if a.Name.Local == "ref" {
			out.fields = append(out.fields, field{"ref", r.str(a.Value)})
		}
		return a.Name.Local == "ref", nil
	}, false, out)
	if err != nil {
		return err
	}
	list.items = append(list.items, out)
	for {
		child, err := r.next(nil, out)
		if child == nil || err != nil {
			return err
		}
		name := ""
		switch child.local {
		case "dependency":
			name = "dependsOn"
		case "provides":
			name = "provides"
		}
		if name == "" || name == "provides" && r.version < 6 {
			return r.fail(child.local, "an element dependency")
		}
		nested := &tree{kind: '['}
		var ref *tree
		if name == "provides" {
			ref, err = r.reference("ref", child)
		} else if err = r.dependency(child, nested); err == nil {
			entry := nested.items[0]
			if ref = entry.get("ref"); ref == nil {
				return r.fail(child.local, "an attribute ref")
			}
			if len(entry.fields) > 1 {
				list.items = append(list.items, nested.items...)
			} else {
				ref.foreign = entry.foreign
			}
		}
		if err != nil {
			return err
		}
		refs := out.get(name)
		if refs == nil {
			refs = &tree{kind: '['}
			out.fields = append(out.fields, field{name, refs})
		}
		refs.items = append(refs.items, ref)
	}
}

var decimalPattern = regexp.MustCompile(`^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)

// scalar reads the text of an element or attribute.
func (r *xmlReader) scalar(s *scalar, text string) (*tree, error) {
	if s.collapse && !isWord(text) {
		text = strings.Join(strings.Fields(text), " ")
	}
	switch s.kind {
	case 't':
		switch text {
		case "true", "1":
			return &tree{kind: 't'}, nil
		case "false", "0":
			return &tree{kind: 'f'}, nil
		}
		return nil, r.fail(excerpt(text), "true or false")
	case '0':
		if !decimalPattern.MatchString(text) {
			return nil, r.fail(excerpt(text), "a decimal number")
		}
		return &tree{kind: '0', text: jsonNumber(text)}, nil
	}
	if s.want == wantTime && !isTime(text, 0) && isTime(text+"Z", 0) {
		text += "Z" // XML has times without a zone
	}
	return r.str(text), nil
}

// node makes one of many at once.
func (r *xmlReader) node(kind byte) *tree {
	if len(r.nodes) == 0 {
		r.nodes = make([]tree, 256)
	}
	t := &r.nodes[0]
	r.nodes = r.nodes[1:]
	t.kind = kind
	return t
}

func (r *xmlReader) str(text string) *tree {
	t := r.node('"')
	t.text = text
	return t
}

// jsonNumber writes a decimal number as JSON has it: "+07." is "7".
func jsonNumber(text string) string {
	sign := ""
	if text[0] == '-' {
		sign = "-"
	}
	whole, fraction, _ := strings.Cut(strings.TrimLeft(text, "+-"), ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// foreignPaths calls report for each place with something foreign. What only helps
// a validator to find schemas says nothing of the contents.
func (t *tree) foreignPaths(pointer string, report func(pointer, reason string)) {
	if t.foreign != nil {
		for _, a := range t.foreign.attrs {
			if a.space != xsiNamespace && a.space != xmlNamespace {
				report(pointerOrRoot(pointer), "the attribute "+a.local+" is not of CycloneDX")
			}
		}
		if n := len(t.foreign.elements); n > 0 {
			report(pointerOrRoot(pointer), "an element that is not of CycloneDX")
		}
	}
	for _, f := range t.fields {
		f.value.foreignPaths(pointer+"/"+escapePointer(f.name), report)
	}
	for i, v := range t.items {
		v.foreignPaths(shape.Pointer(pointer, i), report)
	}
}

func pointerOrRoot(p string) string {
	if p == "" {
		return "/"
	}
	return p
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(name string) string { return pointerEscaper.Replace(name) }
