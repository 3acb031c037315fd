package record

import (
	"encoding"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"strings"
)

// form is how the values of one type are written and read. Values have an address.
type form struct {
	write func(w *writer, v reflect.Value, depth int) error
	read  func(r *reader, v reflect.Value, depth int) error
	// min is the fewest bytes that a value takes.
	min int
}

type writer struct{ b []byte }

func (w *writer) string(s string) {
	w.b = appendUint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

func appendUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// reader reads from the front of s. After a failure all reads give zero.
type reader struct {
	s   string
	bad bool
}

func (r *reader) uint() uint64 {
	var n uint64
	for i, shift := 0, 0; i < len(r.s) && i < binary.MaxVarintLen64; i, shift = i+1, shift+7 {
		c := r.s[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			r.s = r.s[i+1:]
			return n | uint64(c)<<shift
		}
		n |= uint64(c&0x7f) << shift
	}
	r.s, r.bad = "", true
	return 0
}

func (r *reader) string() string {
	n := r.uint()
	if n > uint64(len(r.s)) {
		r.s, r.bad = "", true
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

// count reads the length of a list whose elements take at least min bytes each; it is
// one more than that, and zero for nil.
func (r *reader) count(min int) (n int, isNil bool) {
	c := r.uint()
	if c == 0 {
		return 0, true
	}
	c--
	if c > uint64(len(r.s)) || c*uint64(max(1, min)) > uint64(len(r.s)) {
		r.s, r.bad = "", true
		return 0, true
	}
	return int(c), false
}

var errShort = fail("", "a record that is as long as it says")

// form gives the form of a type, made once. Recursive types refer to the one in the
// making.
func (c *Codec) form(t reflect.Type) (*form, error) {
	if f, ok := c.forms[t]; ok {
		return f, nil
	}
	f := &form{}
	c.forms[t] = f
	if err := c.fill(f, t); err != nil {
		return nil, err
	}
	return f, nil
}

func (c *Codec) fill(f *form, t reflect.Type) error {
	f.min = 1
	switch {
	case t == errorType:
		f.write, f.read = writeErrorValue, readErrorValue
		return nil
	case isText(t):
		f.write, f.read = writeText, readText
		return nil
	case t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic":
		return fail(t.String(), "a type without locks")
	}
	switch t.Kind() {
	case reflect.Bool:
		f.write = func(w *writer, v reflect.Value, _ int) error {
			n := uint64(0)
			if v.Bool() {
				n = 1
			}
			w.b = appendUint(w.b, n)
			return nil
		}
		f.read = func(r *reader, v reflect.Value, _ int) error { v.SetBool(r.uint() == 1); return nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f.write = func(w *writer, v reflect.Value, _ int) error { w.b = binary.AppendVarint(w.b, v.Int()); return nil }
		f.read = func(r *reader, v reflect.Value, _ int) error {
			u := r.uint()
			n := int64(u>>1) ^ -int64(u&1)
			if v.OverflowInt(n) {
				return fail(t.String(), "a number of its size")
			}
			v.SetInt(n)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		f.write = func(w *writer, v reflect.Value, _ int) error { w.b = appendUint(w.b, v.Uint()); return nil }
		f.read = func(r *reader, v reflect.Value, _ int) error {
			n := r.uint()
			if v.OverflowUint(n) {
				return fail(t.String(), "a number of its size")
			}
			v.SetUint(n)
			return nil
		}
	case reflect.Float32, reflect.Float64:
		f.write = func(w *writer, v reflect.Value, _ int) error {
			w.b = appendUint(w.b, math.Float64bits(v.Float()))
			return nil
		}
		f.read = func(r *reader, v reflect.Value, _ int) error {
			v.SetFloat(math.Float64frombits(r.uint()))
			return nil
		}
	case reflect.String:
		f.write = func(w *writer, v reflect.Value, _ int) error { w.string(v.String()); return nil }
		f.read = func(r *reader, v reflect.Value, _ int) error { v.SetString(r.string()); return nil }
	case reflect.Slice:
		return c.slice(f, t)
	case reflect.Array:
		return c.array(f, t)
	case reflect.Map:
		return c.mapping(f, t)
	case reflect.Pointer:
		return c.pointer(f, t)
	case reflect.Struct:
		return c.structure(f, t)
	default:
		return fail(t.String(), "a type that has a form")
	}
	return nil
}

func tooDeep(depth int) error {
	if depth > maxDepth {
		return fail("", "values that are not nested so deep, or in circles")
	}
	return nil
}

func (c *Codec) slice(f *form, t reflect.Type) error {
	if t.Elem().Kind() == reflect.Uint8 {
		f.write = func(w *writer, v reflect.Value, _ int) error {
			if v.IsNil() {
				w.b = append(w.b, 0)
				return nil
			}
			w.b = appendUint(w.b, uint64(v.Len())+1)
			w.b = append(w.b, v.Bytes()...)
			return nil
		}
		f.read = func(r *reader, v reflect.Value, _ int) error {
			n, isNil := r.count(1)
			if !isNil {
				v.SetBytes([]byte(r.s[:n]))
				r.s = r.s[n:]
			}
			return nil
		}
		return nil
	}
	elem, err := c.form(t.Elem())
	if err != nil {
		return err
	}
	f.write = func(w *writer, v reflect.Value, depth int) error {
		if v.IsNil() {
			w.b = append(w.b, 0)
			return nil
		}
		if err := tooDeep(depth); err != nil {
			return err
		}
		w.b = appendUint(w.b, uint64(v.Len())+1)
		for i := range v.Len() {
			if err := elem.write(w, v.Index(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	f.read = func(r *reader, v reflect.Value, depth int) error {
		n, isNil := r.count(elem.min)
		if isNil || r.bad {
			return nil
		}
		if err := tooDeep(depth); err != nil {
			return err
		}
		s := reflect.MakeSlice(t, n, n)
		for i := range n {
			if err := elem.read(r, s.Index(i), depth+1); err != nil {
				return err
			}
		}
		v.Set(s)
		return nil
	}
	return nil
}

func (c *Codec) array(f *form, t reflect.Type) error {
	elem, err := c.form(t.Elem())
	if err != nil {
		return err
	}
	f.min = t.Len() * elem.min
	f.write = func(w *writer, v reflect.Value, depth int) error {
		for i := range v.Len() {
			if err := elem.write(w, v.Index(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	f.read = func(r *reader, v reflect.Value, depth int) error {
		for i := range v.Len() {
			if err := elem.read(r, v.Index(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

func (c *Codec) mapping(f *form, t reflect.Type) error {
	key, err := c.form(t.Key())
	if err != nil {
		return err
	}
	elem, err := c.form(t.Elem())
	if err != nil {
		return err
	}
	f.write = func(w *writer, v reflect.Value, depth int) error {
		if v.IsNil() {
			w.b = append(w.b, 0)
			return nil
		}
		if err := tooDeep(depth); err != nil {
			return err
		}
		var pairs []string
		for it := v.MapRange(); it.Next(); {
			one := &writer{}
			for _, part := range []struct {
				f *form
				v reflect.Value
			}{{key, it.Key()}, {elem, it.Value()}} {
				if err := part.f.write(one, addressable(part.v), depth+1); err != nil {
					return err
				}
			}
			pairs = append(pairs, string(one.b))
		}
		slices.Sort(pairs)
		w.b = appendUint(w.b, uint64(len(pairs))+1)
		for _, p := range pairs {
			w.b = append(w.b, p...)
		}
		return nil
	}
	f.read = func(r *reader, v reflect.Value, depth int) error {
		n, isNil := r.count(key.min + elem.min)
		if isNil || r.bad {
			return nil
		}
		if err := tooDeep(depth); err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(t, n)
		for range n {
			k, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			if err := key.read(r, k, depth+1); err != nil {
				return err
			}
			if err := elem.read(r, e, depth+1); err != nil {
				return err
			}
			m.SetMapIndex(k, e)
		}
		if !r.bad && m.Len() != n {
			return fail(t.String(), "keys that are all different")
		}
		v.Set(m)
		return nil
	}
	return nil
}

// addressable copies a value that has no address into one that has.
func addressable(v reflect.Value) reflect.Value {
	at := reflect.New(v.Type()).Elem()
	at.Set(v)
	return at
}

func (c *Codec) pointer(f *form, t reflect.Type) error {
	elem, err := c.form(t.Elem())
	if err != nil {
		return err
	}
	f.write = func(w *writer, v reflect.Value, depth int) error {
		if v.IsNil() {
			w.b = append(w.b, 0)
			return nil
		}
		if err := tooDeep(depth); err != nil {
			return err
		}
		w.b = append(w.b, 1)
		return elem.write(w, v.Elem(), depth+1)
	}
	f.read = func(r *reader, v reflect.Value, depth int) error {
		if r.uint() == 0 {
			return nil
		}
		if err := tooDeep(depth); err != nil {
			return err
		}
		p := reflect.New(t.Elem())
		if err := elem.read(r, p.Elem(), depth+1); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	return nil
}

// Opener is a struct with fields that are not exported. RecordFields gives pointers to
// all of these that are written, in their order.
type Opener interface{ RecordFields() []any }

var openerType = reflect.TypeFor[Opener]()

// opens compares what RecordFields gives with the fields that are not exported: a type
// that gains one and forgets it here is refused, not read back without.
func opens(t reflect.Type) error {
	var missing []int
	for i := range t.NumField() {
		if f := t.Field(i); !f.IsExported() && f.Tag.Get("record") != "-" {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	name := func(i int) string { return t.String() + "." + t.Field(i).Name }
	if !reflect.PointerTo(t).Implements(openerType) {
		return fail(name(missing[0]), "a field that is exported, or that RecordFields gives")
	}
	v := reflect.New(t)
	given := v.Interface().(Opener).RecordFields()
	for n, i := range missing {
		at := v.Elem().Field(i).Addr()
		if n >= len(given) || reflect.TypeOf(given[n]) != at.Type() || reflect.ValueOf(given[n]).Pointer() != at.Pointer() {
			return fail(name(i), "a field that RecordFields gives, in its place")
		}
	}
	if len(given) != len(missing) {
		return fail(t.String(), "RecordFields that gives each field once")
	}
	return nil
}

func (c *Codec) structure(f *form, t reflect.Type) error {
	type field struct {
		i    int // or -1 for the next of those that are not exported
		form *form
	}
	if err := opens(t); err != nil {
		return err
	}
	var fields []field
	closed := false
	f.min = 0
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("record") == "-" {
			continue
		}
		one, err := c.form(t.Field(i).Type)
		if err != nil {
			return fail(t.String()+"."+t.Field(i).Name, err.Error())
		}
		f.min += max(1, one.min)
		if !t.Field(i).IsExported() {
			closed, i = true, -1
		}
		fields = append(fields, field{i, one})
	}
	if len(fields) == 0 {
		return fail(t.String(), "a struct with fields that are written")
	}
	each := func(v reflect.Value, do func(f *form, v reflect.Value) error) error {
		var inner []any
		if closed {
			inner = v.Addr().Interface().(Opener).RecordFields()
		}
		for _, x := range fields {
			var err error
			if x.i >= 0 {
				err = do(x.form, v.Field(x.i))
			} else {
				err = do(x.form, reflect.ValueOf(inner[0]).Elem())
				inner = inner[1:]
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	f.write = func(w *writer, v reflect.Value, depth int) error {
		return each(v, func(f *form, v reflect.Value) error { return f.write(w, v, depth+1) })
	}
	f.read = func(r *reader, v reflect.Value, depth int) error {
		if err := each(v, func(f *form, v reflect.Value) error { return f.read(r, v, depth+1) }); err != nil {
			return err
		}
		if r.bad {
			return errShort
		}
		return nil
	}
	return nil
}

func writeText(w *writer, v reflect.Value, _ int) error {
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return err
	}
	w.string(string(text))
	return nil
}

func readText(r *reader, v reflect.Value, _ int) error {
	text := r.string()
	if text == "" {
		return nil // the zero value
	}
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(strings.Clone(text)))
}
