// Package shape checks a JSON document against the grammar of its format, and
// tells which of its members the evidence model has no home for.
//
// The formats' official schemas are not ours to ship, and a schema validator
// cannot say what a reader drops. A grammar here is a tree of [Node]; where a
// node is marked by [Drop], the value is checked as any other and then reported.
//
// Start with [Walk].
package shape

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Node is what a value may be. The zero Node allows nothing; kinds of values are
// added to it. Nodes are made once and never changed.
type Node struct {
	object  *object
	array   *Node
	str     *text
	number  *number
	boolean bool
	any     bool
	drop    bool
	label   string
	min     int // of members of the array
}

type object struct {
	members  map[string]*Node
	required []string
	exactly  []string // one of these, and no other of them
	open     bool     // unknown members are allowed, and dropped
}

type text struct {
	ok   func(string) bool
	want string
}

type number struct {
	integer  bool
	min, max float64
	bounded  bool
}

// Members are those of an object. A name with the suffix "!" is required.
type Members map[string]*Node

// Object allows objects with these members and no other.
func Object(m Members) *Node {
	o := &object{members: make(map[string]*Node, len(m))}
	for name, n := range m {
		if bare, ok := strings.CutSuffix(name, "!"); ok {
			o.required = append(o.required, bare)
			name = bare
		}
		o.members[name] = n
	}
	slices.Sort(o.required)
	return &Node{object: o}
}

// Fill gives a node made empty the contents of n, for grammars that recurse.
func (n *Node) Fill(from *Node) { *n = *from }

// Member gives the node of one member of an object, for grammars that reuse it.
func (n *Node) Member(name string) *Node { return n.object.members[name] }

// Item gives the node of the values of an array.
func (n *Node) Item() *Node { return n.array }

// Required names the members that an object must have, sorted.
func (n *Node) Required() []string { return n.object.required }

// Dropped reports whether the model has no home for the value.
func (n *Node) Dropped() bool { return n.drop }

// IsText reports whether the value is a string, and nothing else.
func (n *Node) IsText() bool { return n.str != nil && n.array == nil && n.object == nil }

// Allows reports whether the string, by itself, can be the value. Labels are the caller's.
func (n *Node) Allows(s string) bool { return n.str != nil && (n.str.ok == nil || n.str.ok(s)) }

// ExactlyOne allows the object only with one of the named members.
func (n *Node) ExactlyOne(names ...string) *Node {
	c := *n
	o := *n.object
	o.exactly = names
	c.object = &o
	return &c
}

// Open allows members that are not named, each of which is dropped.
func (n *Node) Open() *Node {
	c := *n
	o := *n.object
	o.open = true
	c.object = &o
	return &c
}

// Any allows any value, which is not looked into except by [Visitor].Any.
func Any() *Node { return &Node{any: true} }

// List allows an array of values.
func List(item *Node) *Node { return &Node{array: item} }

// NonEmpty allows an array of one value or more.
func NonEmpty(item *Node) *Node { return &Node{array: item, min: 1} }

// String allows any string.
func String() *Node { return &Node{str: &text{}} }

// Text allows strings for which ok holds; want says in words which.
func Text(want string, ok func(string) bool) *Node { return &Node{str: &text{ok, want}} }

// Enum allows these strings.
func Enum(values ...string) *Node {
	return Text("one of "+strings.Join(values, ", "), func(s string) bool { return slices.Contains(values, s) })
}

// Bool allows true and false.
func Bool() *Node { return &Node{boolean: true} }

// Integer allows whole numbers of at least min.
func Integer(min float64) *Node {
	return &Node{number: &number{integer: true, min: min, max: 1 << 53, bounded: true}}
}

// Number allows any number.
func Number() *Node { return &Node{number: &number{}} }

// Between allows numbers from min to max.
func Between(min, max float64) *Node {
	return &Node{number: &number{min: min, max: max, bounded: true}}
}

// Or allows what either node does. They must differ in the kind of JSON value.
func (n *Node) Or(o *Node) *Node {
	c := *n
	if o.object != nil {
		c.object = o.object
	}
	if o.array != nil {
		c.array, c.min = o.array, o.min
	}
	if o.str != nil {
		c.str = o.str
	}
	return &c
}

// Drop marks a value that the model has no home for.
func Drop(n *Node) *Node {
	c := *n
	c.drop = true
	return &c
}

// Label makes [Walk] hand over each string value of this node.
func (n *Node) Label(label string) *Node {
	c := *n
	c.label = label
	return &c
}

// Visitor is told of what [Walk] comes across. Pointers are made only if called for.
type Visitor struct {
	// Dropped is called for each value that is dropped, not again for what is in it.
	Dropped func(pointer string)
	// Labeled is called for each string of a labeled node; what it returns ends the
	// walk.
	Labeled func(label, value string, pointer func() string) error
	// AnyName and Any hand over strings that are members of this name inside values
	// of [Any].
	AnyName string
	Any     func(value string)
}

// Walk checks data against the grammar, and refuses on the way what package strictjson
// does, except for its size. Errors are of [assay.ErrInvalid], or of [assay.ErrBound]
// where values are nested too deep, and name the file, the JSON pointer and the value.
func Walk(op, name string, data []byte, root *Node, v Visitor) error {
	w := &walker{dec: jsontext.NewDecoder(bytes.NewBuffer(data)), v: v}
	err := w.value(root, false)
	if err == nil {
		if _, err = w.dec.ReadToken(); err == io.EOF {
			return nil
		} else if err == nil {
			err = errors.New("there is something after the value")
		}
	}
	if out, ok := errors.AsType[*assay.Error](err); ok {
		out.Op, out.Subject = op, name
		if out.Kind == nil {
			out.Kind = assay.ErrInvalid
		}
		return out
	}
	return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: w.pointer(), Err: err}
}

// Pointer is the JSON pointer of one member of an array.
func Pointer(array string, index int) string { return array + "/" + strconv.Itoa(index) }

type walker struct {
	dec *jsontext.Decoder
	v   Visitor
}

func (w *walker) pointer() string {
	if p := w.dec.StackPointer(); p != "" {
		return string(p)
	}
	return "/"
}

func (w *walker) fail(value, want string) error {
	return &assay.Error{Field: w.pointer(), Value: value, Bound: want}
}

// enter reads the start of an object or an array.
func (w *walker) enter() error {
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	return w.depth()
}

func (w *walker) depth() error {
	if d := w.dec.StackDepth(); d > strictjson.DefaultMaxDepth {
		return &assay.Error{Kind: assay.ErrBound, Field: w.pointer(), Value: "depth " + strconv.Itoa(d), Bound: "at most " + strconv.Itoa(strictjson.DefaultMaxDepth)}
	}
	return nil
}

// value reads the next value. In a dropped one nothing more is reported.
func (w *walker) value(n *Node, dropped bool) error {
	kind := w.dec.PeekKind()
	switch {
	case n.any:
		return w.anything(dropped || !n.drop)
	case kind == '{' && n.object != nil:
		return w.object(n, dropped)
	case kind == '[' && n.array != nil:
		if err := w.enter(); err != nil {
			return err
		}
		if n.drop && !dropped {
			dropped = true
			w.v.Dropped(w.pointer())
		}
		count := 0
		for w.dec.PeekKind() != ']' {
			if err := w.value(n.array, dropped); err != nil {
				return err
			}
			count++
		}
		if _, err := w.dec.ReadToken(); err != nil {
			return err
		}
		if count < n.min {
			return w.fail("[]", strconv.Itoa(n.min)+" members or more")
		}
		return nil
	}
	raw, err := w.dec.ReadValue()
	if err != nil {
		return err
	}
	switch {
	case kind == '"' && n.str != nil:
		if err := w.string(n, raw); err != nil {
			return err
		}
	case kind == '0' && n.number != nil:
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || n.number.integer && f != float64(int64(f)) {
			return w.fail(string(raw), "a whole number")
		}
		if n.number.bounded && (f < n.number.min || f > n.number.max) {
			return w.fail(string(raw), "a number in range")
		}
	case (kind == 't' || kind == 'f') && n.boolean:
	default:
		return w.fail(string(raw), n.want())
	}
	if n.drop && !dropped {
		w.v.Dropped(w.pointer())
	}
	return nil
}

func (w *walker) string(n *Node, raw jsontext.Value) error {
	if n.str.ok == nil && n.label == "" {
		return nil
	}
	s, err := unquote(raw)
	if err != nil {
		return err
	}
	if n.str.ok != nil && !n.str.ok(s) {
		return w.fail(s, n.str.want)
	}
	if n.label != "" {
		return w.v.Labeled(n.label, s, w.pointer)
	}
	return nil
}

func (w *walker) object(n *Node, dropped bool) error {
	if err := w.enter(); err != nil {
		return err
	}
	if n.drop && !dropped {
		dropped = true
		w.v.Dropped(w.pointer())
	}
	o := n.object
	var room [4]string
	found, choice := room[:0], 0 // the required and the exclusive members seen
	for w.dec.PeekKind() != '}' {
		raw, err := w.dec.ReadValue()
		if err != nil {
			return err
		}
		member, known := o.members[string(raw[1:len(raw)-1])]
		var name string
		if !known {
			if name, err = unquote(raw); err != nil {
				return err
			}
			member, known = o.members[name]
		}
		switch {
		case known:
			if len(o.required) > 0 || len(o.exactly) > 0 {
				if name == "" {
					name, _ = unquote(raw)
				}
				if slices.Contains(o.required, name) {
					found = append(found, name)
				}
				if slices.Contains(o.exactly, name) {
					choice++
				}
			}
		case o.open:
			member = &Node{any: true, drop: true}
		default:
			return &assay.Error{Field: w.pointer(), Value: name, Bound: "a member that the format knows here"}
		}
		if err := w.value(member, dropped); err != nil {
			return err
		}
	}
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	if len(found) < len(o.required) { // names are unique in strict JSON
		for _, r := range o.required {
			if !slices.Contains(found, r) {
				return &assay.Error{Field: w.pointer(), Bound: "a member " + strconv.Quote(r)}
			}
		}
	}
	if len(o.exactly) > 0 && choice != 1 {
		return &assay.Error{Field: w.pointer(), Value: strconv.Itoa(choice) + " of them", Bound: "exactly one of the members " + strings.Join(o.exactly, ", ")}
	}
	return nil
}

// anything reads a value of unknown shape, looking only for members of one name.
func (w *walker) anything(dropped bool) error {
	start := w.dec.StackDepth()
	inner := ""
	for {
		tok, err := w.dec.ReadToken()
		if err == nil {
			err = w.depth()
		}
		if err != nil {
			return err
		}
		if !dropped {
			dropped = true
			w.v.Dropped(w.pointer())
		}
		if tok.Kind() == '"' && w.v.AnyName != "" && w.dec.StackDepth() > start {
			kind, length := w.dec.StackIndex(w.dec.StackDepth())
			switch {
			case kind == '{' && length%2 == 1: // a name
				inner = tok.String()
			case kind == '{' && inner == w.v.AnyName:
				w.v.Any(tok.String())
			}
		}
		if w.dec.StackDepth() == start {
			return nil
		}
	}
}

func (n *Node) want() string {
	var kinds []string
	for _, k := range []struct {
		ok   bool
		name string
	}{{n.object != nil, "an object"}, {n.array != nil, "an array"}, {n.str != nil, "a string"}, {n.number != nil, "a number"}, {n.boolean, "a boolean"}} {
		if k.ok {
			kinds = append(kinds, k.name)
		}
	}
	return strings.Join(kinds, " or ")
}

func unquote(raw jsontext.Value) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
}
