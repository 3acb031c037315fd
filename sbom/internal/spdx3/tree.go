package spdx3

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// node is a JSON value: a string or number with its text, or an object or array
// with its items.
type node struct {
	kind  jsontext.Kind
	text  string
	items []item
}

// item is a member of an object, or of an array and without a name.
type item struct {
	name  string
	value node
}

// get finds a member of an object.
func (n *node) get(name string) *node {
	for i := range n.items {
		if n.items[i].name == name {
			return &n.items[i].value
		}
	}
	return nil
}

// values gives the members of an array, or a single value as the only one.
func (n *node) values() []item {
	if n == nil {
		return nil
	}
	if n.kind == '[' {
		return n.items
	}
	return []item{{value: *n}}
}

// parse reads strict JSON: what package strictjson refuses is refused here, in the
// one pass that also makes the tree. Texts are parts of one copy of the data.
func parse(name string, data []byte) (*node, error) {
	p := &parser{dec: jsontext.NewDecoder(bytes.NewBuffer(data)), text: string(data)}
	fail := func(err error) error {
		out := &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: name, Field: orRoot(string(p.dec.StackPointer())), Err: err}
		if p.deep {
			out.Kind, out.Value, out.Bound, out.Err = assay.ErrBound, "depth "+strconv.Itoa(strictjson.DefaultMaxDepth+1), "at most "+strconv.Itoa(strictjson.DefaultMaxDepth), nil
		}
		return out
	}
	var root node
	if err := p.value(&root); err != nil {
		return nil, fail(err)
	}
	if _, err := p.dec.ReadToken(); err != io.EOF {
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: name, Field: "offset " + strconv.FormatInt(p.dec.InputOffset(), 10), Bound: "nothing after the value"}
	}
	return &root, nil
}

func orRoot(pointer string) string {
	if pointer == "" {
		return "/"
	}
	return pointer
}

type parser struct {
	dec   *jsontext.Decoder
	text  string
	stack []item // of the values that are open
	arena []item // room for those that are closed
	deep  bool
}

func (p *parser) value(out *node) error {
	out.kind = p.dec.PeekKind()
	if out.kind != '{' && out.kind != '[' {
		raw, err := p.dec.ReadValue()
		if err != nil {
			return err
		}
		out.text, err = p.scalar(raw)
		return err
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	if p.dec.StackDepth() > strictjson.DefaultMaxDepth {
		p.deep = true
		return io.ErrShortBuffer
	}
	base := len(p.stack)
	for {
		if k := p.dec.PeekKind(); k == '}' || k == ']' {
			break
		}
		var it item
		if out.kind == '{' {
			raw, err := p.dec.ReadValue()
			if err != nil {
				return err
			}
			if it.name, err = p.scalar(raw); err != nil {
				return err
			}
		}
		if err := p.value(&it.value); err != nil {
			return err
		}
		p.stack = append(p.stack, it)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	n := len(p.stack) - base
	if len(p.arena) < n {
		p.arena = make([]item, max(n, 1024))
	}
	out.items = p.arena[:n:n]
	p.arena = p.arena[n:]
	copy(out.items, p.stack[base:])
	clear(p.stack[base:])
	p.stack = p.stack[:base]
	return nil
}

// scalar gives the text of a value that was just read.
func (p *parser) scalar(raw jsontext.Value) (string, error) {
	end := int(p.dec.InputOffset())
	s := p.text[end-len(raw) : end]
	if s[0] != '"' {
		return s, nil
	}
	if strings.IndexByte(s, '\\') < 0 {
		return s[1 : len(s)-1], nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
}
