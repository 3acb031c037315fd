// Package record writes Go values of registered types as bytes and reads them back,
// so that what a scan found in a layer can be kept.
//
// Start with [New], which is given an example of each type that will occur.
//
// The form follows from the types by reflection, so that a type that changes needs no
// code here; one with fields that are not exported gives them by [Opener]. It is
// deterministic, and it is no format to exchange: [Codec.Fingerprint] changes whenever a registered type does, and belongs
// to the key under which records are kept.
//
// Fields with the tag `record:"-"` are left out. Types that have MarshalText and
// UnmarshalText are written by them, errors as what they say and which kind of
// [assay.Error] they are. Functions, channels and other interfaces have no form: a
// type that has them is refused by New. Pointers that are shared become values of
// their own; circles are an error.
//
// What is read is bounded by the bytes it is read from, and no input panics. But it
// is not checked to be what a parser would have made: read only what you wrote.
package record

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"

	"github.com/assaykit/assay"
)

// maxDepth of values in values.
const maxDepth = 200

// Codec writes and reads values of its types. It is safe for concurrent use.
type Codec struct {
	types       []reflect.Type
	ids         map[reflect.Type]int
	forms       map[reflect.Type]*form
	fingerprint string
}

// New makes a codec for values of the types of the examples.
func New(examples ...any) (*Codec, error) {
	c := &Codec{ids: map[reflect.Type]int{}, forms: map[reflect.Type]*form{}}
	h := sha256.New()
	for _, x := range examples {
		t := reflect.TypeOf(x)
		if _, ok := c.ids[t]; ok {
			continue
		}
		if _, err := c.form(t); err != nil {
			return nil, err
		}
		c.ids[t] = len(c.types)
		c.types = append(c.types, t)
		describe(h, t, map[reflect.Type]bool{})
	}
	c.fingerprint = hex.EncodeToString(h.Sum(nil))
	return c, nil
}

// Fingerprint tells the form apart from that of other types.
func (c *Codec) Fingerprint() string { return c.fingerprint }

// Append writes a value of a registered type.
func (c *Codec) Append(b []byte, value any) ([]byte, error) {
	t := reflect.TypeOf(value)
	id, ok := c.ids[t]
	if !ok {
		return nil, fail(fmt.Sprintf("%T", value), "a registered type")
	}
	v := reflect.New(t).Elem() // so that it has an address
	v.Set(reflect.ValueOf(value))
	w := &writer{b: appendUint(b, uint64(id))}
	if err := c.forms[t].write(w, v, 0); err != nil {
		return nil, err
	}
	return w.b, nil
}

// Decode reads the value that is the whole of s. Strings in it are parts of s.
func (c *Codec) Decode(s string) (any, error) {
	r := &reader{s: s}
	id := r.uint()
	if r.bad || id >= uint64(len(c.types)) {
		return nil, fail("type "+strconv.FormatUint(id, 10), "one of "+strconv.Itoa(len(c.types)))
	}
	t := c.types[id]
	v := reflect.New(t).Elem()
	if err := c.forms[t].read(r, v, 0); err != nil {
		return nil, err
	}
	if r.bad || r.s != "" {
		return nil, fail(t.String(), "a record that ends where its value does")
	}
	return v.Interface(), nil
}

func fail(value, bound string) error {
	return &assay.Error{Op: "read or write record", Kind: assay.ErrInvalid, Value: value, Bound: bound}
}

var (
	errorType       = reflect.TypeFor[error]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isText reports whether a type has a text form of its own.
func isText(t reflect.Type) bool {
	return t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer &&
		t.Implements(textMarshaler) && reflect.PointerTo(t).Implements(textUnmarshaler)
}

// describe writes all that the form of a type depends on.
func describe(w interface{ Write([]byte) (int, error) }, t reflect.Type, seen map[reflect.Type]bool) {
	fmt.Fprintf(w, "%s %s %s;", t.PkgPath(), t, t.Kind())
	if seen[t] || isText(t) {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(w, "%s %q ", f.Name, f.Tag.Get("record"))
			if f.Tag.Get("record") != "-" {
				describe(w, f.Type, seen)
			}
		}
	case reflect.Map:
		describe(w, t.Key(), seen)
		describe(w, t.Elem(), seen)
	case reflect.Array:
		fmt.Fprintf(w, "%d ", t.Len())
		describe(w, t.Elem(), seen)
	case reflect.Slice, reflect.Pointer:
		describe(w, t.Elem(), seen)
	}
}
