package cyclonedx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/shape"
)

// fitter brings a tree to what a version has, in JSON or XML. It removes what has
// no place there and reports each.
type fitter struct {
	version int
	xml     bool
	report  func(pointer, owner, reason string)
	owner   string          // the bom-ref of the component that is being looked at
	loose   bool            // bom-refs may repeat here in JSON; in XML they never may
	refs    map[string]bool // those of the other parts, and of the loose ones up to here
	path    []byte          // the JSON pointer of what is being looked at
}

// enter goes to a member of what is looked at, and gives what leave takes to go back.
func (f *fitter) enter(member string) (from int) {
	from = len(f.path)
	f.path = append(f.path, '/')
	if strings.ContainsAny(member, "~/") {
		member = escapePointer(member)
	}
	f.path = append(f.path, member...)
	return from
}

// at is enter for a member of an array.
func (f *fitter) at(index int) (from int) {
	from = len(f.path)
	f.path = strconv.AppendInt(append(f.path, '/'), int64(index), 10)
	return from
}

func (f *fitter) leave(from int) { f.path = f.path[:from] }

// document fits a whole one.
func (f *fitter) document(t *tree) bool {
	if f.xml {
		f.refs = make(map[string]bool)
		definedStrictly(t, grammar(), f.refs)
	}
	return f.object(grammar(), t)
}

// unique gives a bom-ref of a loose part that repeats another name, or drops it, since
// the schema of XML has each once. References to it are to the first.
func (f *fitter) unique(v *tree, m *member) bool {
	if !f.xml || !f.loose || m.typ.scalar == nil || m.typ.scalar.label != labelDefined {
		return true
	}
	name := v.text
	if !f.refs[name] {
		f.refs[name] = true
		return true
	}
	if !m.needed(f.version, true) {
		f.lose("", "XML has each bom-ref once; it is left out")
		return false
	}
	for n := 2; f.refs[v.text]; n++ {
		v.text = fmt.Sprintf("%s-%d", name, n)
	}
	f.refs[v.text] = true
	f.lose("", "XML has each bom-ref once; %s is written", v.text)
	return true
}

// definedStrictly collects the bom-refs that are unique in JSON too.
func definedStrictly(t *tree, as *typ, refs map[string]bool) {
	if as == nil {
		return
	}
	for _, f := range t.fields {
		m := as.byName[f.name]
		switch {
		case m == nil || m.loose:
		case m.typ.scalar != nil && m.typ.scalar.label == labelDefined:
			refs[f.value.text] = true
		case f.value.kind == '{' && m.object != nil:
			definedStrictly(f.value, m.object, refs)
		case f.value.kind == '{':
			definedStrictly(f.value, m.typ.resolve(f.value), refs)
		default:
			for _, item := range f.value.items {
				definedStrictly(item, m.typ.resolve(item), refs)
			}
		}
	}
}

// resolve gives the type of an object where there are several.
func (t *typ) resolve(v *tree) *typ {
	if t.alts == nil {
		return t
	}
	a := t.choose(v.kind, v.has, newest, true)
	switch {
	case a == nil:
		return nil
	case a.wrap:
		return a.outer
	}
	return a.typ
}

// lose reports the loss of what is looked at, or of a part of it.
func (f *fitter) lose(part, format string, args ...any) {
	f.report(pointerOrRoot(string(f.path)+part), f.owner, fmt.Sprintf(format, args...))
}

func (f *fitter) format() string {
	if f.xml {
		return fmt.Sprintf("CycloneDX 1.%d in XML", f.version)
	}
	return fmt.Sprintf("CycloneDX 1.%d", f.version)
}

// object reports whether what is left can be there.
func (f *fitter) object(t *typ, v *tree) bool {
	if t.name == "component" && v.str("bom-ref") != "" {
		defer func(owner string) { f.owner = owner }(f.owner)
		f.owner = v.str("bom-ref")
	}
	f.foreign(v)
	kept := v.fields[:0]
	for _, fld := range v.fields {
		above := f.enter(fld.name)
		m := t.byName[fld.name]
		switch {
		case m == nil && t.open && !f.xml:
			kept = append(kept, fld)
		case m == nil || !m.in(f.version) || f.xml && m.jsonOnly && !(above == 0 && slices.Contains(impliedInXML, fld.name)):
			f.lose("", "%s has no such member", f.format())
		case f.xml && m.jsonOnly: // its namespace says as much
			kept = append(kept, fld)
		default:
			loose := f.loose
			f.loose = loose || m.loose
			if fld.value = f.member(m, fld.value); fld.value != nil && f.unique(fld.value, m) {
				kept = append(kept, fld)
			}
			f.loose = loose
		}
		f.leave(above)
	}
	v.fields = kept
	for _, m := range t.required {
		if !m.needed(f.version, f.xml) || v.has(m.name) {
			continue
		}
		if t == grammar() && m.name == "version" { // which XML has by default
			v.fields = append(v.fields, field{m.name, &tree{kind: '0', text: "1"}})
			continue
		}
		if m.list != single || m.typ.scalar == nil || m.typ.scalar.kind != '"' || m.typ.scalar.ok != nil {
			f.lose("", "%s requires %s in it", f.format(), m.name)
			return false
		}
		v.fields = append(v.fields, field{m.name, newString("")})
	}
	value := func(name string) string {
		switch m := v.get(name); {
		case m == nil:
			return ""
		case m.kind == 't':
			return "true"
		default:
			return m.text
		}
	}
	if want := t.broken(v.has, value, f.xml); want != "" {
		f.lose("", "%s requires %s", f.format(), want)
		return false
	}
	return true
}

func (f *fitter) foreign(v *tree) {
	if v.foreign == nil || f.xml {
		return
	}
	f.lose("", "JSON has no place for what is not of CycloneDX in XML")
	v.foreign = nil
}

// member gives what is left of one, or nil.
func (f *fitter) member(m *member, v *tree) *tree {
	switch {
	case m.list == single:
		return f.value(m.typ, v)
	case v.kind == '{' && f.version >= m.objectSince && (m.list != repeated || !f.xml || f.version < m.listSince):
		if !f.object(m.object, v) {
			return nil
		}
		return v
	case v.kind == '{' && m.list == repeated: // XML has only the list
		v = &tree{kind: '[', items: []*tree{v}}
	case v.kind == '{':
		v = f.legacyTools(v)
	case f.version < m.listSince:
		for i := range v.items[min(1, len(v.items)):] {
			f.lose(shape.Pointer("", i+1), "%s has one only", f.format())
		}
		if len(v.items) == 0 {
			return nil
		}
		defer f.leave(f.at(0))
		if !f.object(m.object, v.items[0]) {
			return nil
		}
		return v.items[0]
	}
	f.foreign(v)
	f.expressions(m, v)
	kept := v.items[:0]
	for i, item := range v.items {
		above := f.at(i)
		if item = f.value(m.typ, item); item != nil {
			kept = append(kept, item)
		}
		f.leave(above)
	}
	v.items = kept
	if len(kept) < m.min {
		f.lose("", "%s has no empty list here", f.format())
		return nil
	}
	return v
}

// expressions makes licenses of those that are not alone, where a version has them
// only so.
func (f *fitter) expressions(m *member, v *tree) {
	if m.typ.name != "licenseChoice" || len(v.items) < 2 || !exclusive(f.version, f.xml) {
		return
	}
	for i, item := range v.items {
		expression := item.str("expression")
		if !item.has("expression") {
			continue
		}
		license := &tree{kind: '{', fields: []field{{"name", newString(expression)}}}
		for _, name := range []string{"bom-ref", "acknowledgement", "licensing", "properties"} {
			if x := item.get(name); x != nil {
				license.fields = append(license.fields, field{name, x})
			}
		}
		if item.has("expressionDetails") {
			f.lose(shape.Pointer("", i)+"/expressionDetails", "%s has no such member", f.format())
		}
		f.lose(shape.Pointer("", i)+"/expression", "%s has an expression only where there is no other license: %s is written as a name", f.format(), expression)
		v.items[i] = &tree{kind: '{', fields: []field{{"license", license}}}
	}
}

// legacyTools writes tools as versions before 1.5 have them.
func (f *fitter) legacyTools(v *tree) *tree {
	out := &tree{kind: '['}
	if v.has("services") {
		f.lose("/services", "%s has no such member", f.format())
	}
	list := v.get("components")
	if list == nil {
		return out
	}
	for i, c := range list.items {
		here := shape.Pointer("/components", i)
		tool := &tree{kind: '{'}
		for _, fld := range c.fields {
			switch fld.name {
			case "version", "hashes", "externalReferences":
				tool.fields = append(tool.fields, fld)
			case "name":
				tool.fields = append(tool.fields, field{"name", newString(strings.TrimPrefix(c.str("group")+"/"+fld.value.text, "/"))})
			case "manufacturer", "supplier":
				if name := fld.value.str("name"); name != "" && !tool.has("vendor") {
					tool.fields = append(tool.fields, field{"vendor", newString(name)})
				}
				if len(fld.value.fields) > 1 || fld.name == "supplier" && c.has("manufacturer") {
					f.lose(here+"/"+fld.name, "%s has only the name of one vendor of a tool", f.format())
				}
			case "group":
			case "type":
				if fld.value.text != "application" {
					f.lose(here+"/type", "%s has no such member", f.format())
				}
			default:
				f.lose(here+"/"+escapePointer(fld.name), "%s has no such member", f.format())
			}
		}
		out.items = append(out.items, tool)
	}
	return out
}

// value gives what is left of a value, or nil.
func (f *fitter) value(t *typ, v *tree) *tree {
	switch {
	case t.alts != nil:
		a := t.choose(v.kind, v.has, f.version, f.xml)
		if a == nil {
			f.lose("", "%s has %s here", f.format(), t.alternatives())
			return nil
		}
		if a.wrap {
			above := f.enter(a.elem)
			inner := f.value(a.typ, v.get(a.elem))
			f.leave(above)
			if inner == nil {
				return nil
			}
			for _, fld := range v.fields {
				if fld.name != a.elem {
					f.lose("/"+escapePointer(fld.name), "%s has no such member", f.format())
				}
			}
			if len(v.fields) != 1 || v.fields[0].value != inner {
				v.fields = []field{{a.elem, inner}}
			}
			return v
		}
		return f.value(a.typ, v)
	case t.scalar == nil:
		if !f.object(t, v) {
			return nil
		}
		return v
	}
	f.foreign(v)
	return f.scalar(t.scalar, v)
}

// impliedInXML are members of the document that its namespace says.
var impliedInXML = []string{"$schema", "bomFormat", "specVersion"}

// plainText reports whether all characters are of ASCII that XML has.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

// isWord reports whether all characters are of ASCII, and none is white space.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || c <= ' ' {
			return false
		}
	}
	return true
}

// typeFallbacks are what components are that a version does not know yet.
var typeFallbacks = map[string]string{"platform": "application", "device-driver": "firmware", "machine-learning-model": "file", "data": "file", "cryptographic-asset": "library"}

func (f *fitter) scalar(s *scalar, v *tree) *tree {
	if f.xml && v.kind == '"' && !plainText(v.text) && strings.ContainsFunc(v.text, func(r rune) bool { return !xmlRune(r) }) {
		var b strings.Builder
		for _, r := range v.text {
			if xmlRune(r) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "\ufffd%04X", r) // so that references remain different
			}
		}
		v.text = b.String()
		f.lose("", "XML does not have all of its characters; U+FFFD and the number is written")
	}
	// White space in addresses does not count in XML.
	if f.xml && s.kind == '"' && s.collapse && s.ok == nil && !isWord(v.text) && strings.Join(strings.Fields(v.text), " ") != v.text {
		v.text = canon.Word(v.text)
		f.lose("", "%s", canon.Encoded)
	}
	text := v.text
	if s.ok == nil || s.ok(text, f.version) {
		return v
	}
	if slices.Contains(s.values, text) {
		fallback := typeFallbacks[text]
		if fallback == "" || !slices.Contains(s.values, fallback) {
			fallback = "other"
		}
		if s.ok(fallback, f.version) {
			f.lose("", "%s has no %s; written as %s", f.format(), text, fallback)
			return newString(fallback)
		}
	}
	f.lose("", "%s has no %s here", f.format(), text)
	return nil
}
