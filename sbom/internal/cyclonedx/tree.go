package cyclonedx

import (
	"slices"
	"strconv"

	"github.com/assaykit/assay/sbom/internal/quick"
	"github.com/assaykit/assay/sbom/internal/quote"
)

// tree is a document, or a part of one, in the shape of its JSON. XML is read into
// it and written from it, so that there is one reader of both.
type tree struct {
	kind    byte // of the JSON value: '{' '[' '"' '0' 't' 'f' 'n'
	text    string
	fields  []field
	items   []*tree
	foreign *foreign // of XML only
}

type field struct {
	name  string
	value *tree
}

// foreign is what an element of XML has that is not CycloneDX.
type foreign struct {
	attrs    []foreignAttr
	elements []string // each complete in itself, with its namespaces
}

type foreignAttr struct{ space, prefix, local, value string }

func newString(s string) *tree { return &tree{kind: '"', text: s} }

func (t *tree) get(name string) *tree {
	if t == nil {
		return nil
	}
	for i := range t.fields {
		if t.fields[i].name == name {
			return t.fields[i].value
		}
	}
	return nil
}

func (t *tree) has(name string) bool { return t.get(name) != nil }

func (t *tree) set(name string, value *tree) {
	for i := range t.fields {
		if t.fields[i].name == name {
			t.fields[i].value = value
			return
		}
	}
	t.fields = append(t.fields, field{name, value})
}

func (t *tree) remove(name string) {
	t.fields = slices.DeleteFunc(t.fields, func(f field) bool { return f.name == name })
}

// str is the string that a member is, or "".
func (t *tree) str(name string) string {
	if v := t.get(name); v != nil && v.kind == '"' {
		return v.text
	}
	return ""
}

// append writes it as compact JSON.
func (t *tree) append(b []byte) []byte {
	switch t.kind {
	case '{':
		b = append(b, '{')
		for i, f := range t.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = quote.AppendJSON(b, f.name)
			b = append(b, ':')
			b = f.value.append(b)
		}
		return append(b, '}')
	case '[':
		b = append(b, '[')
		for i, v := range t.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.append(b)
		}
		return append(b, ']')
	case '"':
		return quote.AppendJSON(b, t.text)
	case '0':
		return append(b, t.text...)
	case 't':
		return append(b, "true"...)
	case 'f':
		return append(b, "false"...)
	}
	return append(b, "null"...)
}

// equal compares what they say: the order of members and the way that a number is
// written do not count. Foreign parts do.
func (t *tree) equal(o *tree) bool {
	if t == nil || o == nil {
		return t == o
	}
	if t.kind != o.kind || !t.foreign.equal(o.foreign) {
		return false
	}
	switch t.kind {
	case '{':
		if len(t.fields) != len(o.fields) {
			return false
		}
		for i := range t.fields {
			other := (*tree)(nil)
			if o.fields[i].name == t.fields[i].name { // as nearly always
				other = o.fields[i].value
			} else {
				other = o.get(t.fields[i].name)
			}
			if !t.fields[i].value.equal(other) {
				return false
			}
		}
		return true
	case '[':
		return slices.EqualFunc(t.items, o.items, (*tree).equal)
	case '0':
		a, err1 := strconv.ParseFloat(t.text, 64)
		b, err2 := strconv.ParseFloat(o.text, 64)
		return t.text == o.text || err1 == nil && err2 == nil && a == b
	}
	return t.text == o.text
}

// says is equal to the next value of JSON that was written here, without a member of
// it. A tree with something foreign is equal to none.
func (t *tree) says(r *quick.Reader, without string) bool {
	if t.foreign != nil {
		return false
	}
	switch t.kind {
	case '{':
		if r.Peek() != '{' {
			return false
		}
		count := 0
		for r.Into('{'); r.More('}'); {
			name := r.Name()
			if without != "" && string(name) == without {
				r.Skip()
				continue
			}
			count++
			var v *tree
			for i := range t.fields {
				if t.fields[i].name == string(name) {
					v = t.fields[i].value
					break
				}
			}
			if v == nil || !v.says(r, "") {
				return false
			}
		}
		return count == len(t.fields)
	case '[':
		if r.Peek() != '[' {
			return false
		}
		count := 0
		for r.Into('['); r.More(']'); count++ {
			if count == len(t.items) || !t.items[count].says(r, "") {
				return false
			}
		}
		return count == len(t.items)
	case '"':
		return r.Peek() == '"' && r.Is(t.text)
	}
	o, err := parseTree(r.Raw())
	return err == nil && t.equal(o)
}

func (f *foreign) equal(o *foreign) bool {
	if f == nil || o == nil {
		return f == o
	}
	return slices.Equal(f.attrs, o.attrs) && slices.Equal(f.elements, o.elements)
}

// hasForeign reports whether there is anything foreign in it.
func (t *tree) hasForeign() bool {
	if t.foreign != nil {
		return true
	}
	for _, f := range t.fields {
		if f.value.hasForeign() {
			return true
		}
	}
	return slices.ContainsFunc(t.items, (*tree).hasForeign)
}
