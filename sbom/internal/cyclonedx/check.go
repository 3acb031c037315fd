package cyclonedx

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

// checker holds JSON against the grammar of one version.
type checker struct {
	dec     *jsontext.Decoder
	version int
	xml     bool // it says what a document in XML says

	dropped func(pointer string)                                                      // for each value that the model has no place for, not for those inside of it
	labeled func(label string, value []byte, loose bool, pointer func() string) error // for each labeled string

	seen []sighting // of watched members, those of the innermost object last
}

type sighting struct {
	member *member
	value  string
}

// state is what a value inherits from those around it.
type state struct {
	dropped bool // it was reported with one of them
	loose   bool
}

// errNotStrict is replaced by what package strictjson says.
var errNotStrict = errors.New("not strict JSON")

// check reads the document, and holds it to strict JSON on the way. Errors name the
// file, the JSON pointer and the value.
func (c *checker) check(name string, data []byte) error {
	c.dec = jsontext.NewDecoder(bytes.NewBuffer(data))
	err := c.object(grammar(), state{})
	if err == nil {
		if _, err = c.dec.ReadToken(); err == io.EOF {
			return nil
		}
	}
	// What is wrong with the JSON comes before what is wrong with the document.
	if err := strictjson.Check(name, data, strictjson.Limits{}); err != nil {
		return err
	}
	if out, ok := errors.AsType[*assay.Error](err); ok {
		out.Op, out.Subject = opRead, name
		if out.Kind == nil {
			out.Kind = assay.ErrInvalid
		}
		return out
	}
	return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: name, Field: c.pointer(), Err: err}
}

func (c *checker) pointer() string {
	if p := c.dec.StackPointer(); p != "" {
		return string(p)
	}
	return "/"
}

func (c *checker) fail(value, want string) error {
	return &assay.Error{Field: c.pointer(), Value: value, Bound: want}
}

func (c *checker) drop(s *state) {
	if !s.dropped {
		s.dropped = true
		c.dropped(c.pointer())
	}
}

// member reads the value of one.
func (c *checker) member(m *member, s state) error {
	s.loose = s.loose || m.loose
	kind := byte(c.dec.PeekKind())
	if m.list != single && kind == '[' {
		if c.version < m.listSince {
			return c.fail("an array", "an object, in CycloneDX 1."+strconv.Itoa(c.version))
		}
		return c.array(m, s)
	}
	switch {
	case m.list == single:
		return c.value(m.typ, m.drop, s)
	case m.object != nil && kind == '{' && c.version >= m.objectSince:
		return c.value(m.object, m.drop, s)
	}
	raw, err := c.dec.ReadValue()
	if err != nil {
		return err
	}
	return c.fail(string(raw), "an array")
}

func (c *checker) array(m *member, s state) error {
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	if m.drop {
		c.drop(&s)
	}
	count, expressions := 0, 0
	for c.dec.PeekKind() != ']' {
		if m.typ.name == "licenseChoice" {
			before := len(c.seen)
			if err := c.choice(m.typ, s, &expressions); err != nil {
				return err
			}
			c.seen = c.seen[:before]
		} else if err := c.value(m.typ, false, s); err != nil {
			return err
		}
		count++
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	switch {
	case count < m.min:
		return c.fail("[]", strconv.Itoa(m.min)+" members or more")
	case expressions > 0 && count > 1 && exclusive(c.version, c.xml):
		return c.fail(strconv.Itoa(count)+" of them", "an expression alone, or licenses only")
	}
	return nil
}

// exclusive says that a license expression is the only one where it is. XML has
// always had it so, JSON has in 1.5 and 1.6 only.
func exclusive(version int, xml bool) bool { return version < 7 && (xml || version >= 5) }

// value reads a value of the type.
func (c *checker) value(t *typ, drop bool, s state) error {
	kind := byte(c.dec.PeekKind())
	switch {
	case t.alts != nil:
		if drop {
			c.drop(&s) // the pointer is that of the value, whose name was read last
		}
		return c.choice(t, s, nil)
	case t.scalar == nil && kind == '{':
		if drop {
			c.drop(&s)
		}
		return c.object(t, s)
	}
	raw, err := c.dec.ReadValue()
	if err != nil {
		return err
	}
	if t.scalar == nil {
		return c.fail(string(raw), "an object")
	}
	if err := c.scalar(t.scalar, kind, raw, s); err != nil {
		return err
	}
	if drop {
		c.drop(&s)
	}
	return nil
}

func (c *checker) scalar(t *scalar, kind byte, raw jsontext.Value, s state) error {
	if kind == 'f' {
		kind = 't'
	}
	if kind != t.kind {
		return c.fail(string(raw), map[byte]string{'"': "a string", '0': "a number", 't': "a boolean"}[t.kind])
	}
	if t.ok == nil && t.label == "" {
		return nil
	}
	// Nothing is allocated for a value that is right.
	text := []byte(raw)
	if kind == '"' {
		if text = raw[1 : len(raw)-1]; bytes.IndexByte(raw, '\\') >= 0 {
			var err error
			if text, err = jsontext.AppendUnquote(nil, raw); err != nil {
				return err
			}
		}
	}
	ok := true
	switch {
	case t.since != nil:
		since, known := t.since[string(text)]
		ok = known && since <= c.version
	case t.bytes != nil:
		ok = t.bytes(text)
	case t.ok != nil:
		ok = t.ok(string(text), c.version)
	}
	if !ok {
		return c.fail(string(text), t.want)
	}
	if t.label != "" {
		return c.labeled(t.label, text, s.loose, c.pointer)
	}
	return nil
}

// choice reads one of several. It looks at the names of the members first, and
// then reads the value as the alternative that they tell.
func (c *checker) choice(t *typ, s state, expressions *int) error {
	kind := byte(c.dec.PeekKind())
	if kind != '{' {
		a := t.choose(kind, nil, c.version, false)
		if a == nil {
			raw, err := c.dec.ReadValue()
			if err != nil {
				return err
			}
			return c.fail(string(raw), t.alternatives())
		}
		return c.value(a.typ, false, s)
	}
	if a, expression := c.foresee(t); a != nil {
		if expression && expressions != nil {
			*expressions++
		}
		if a.wrap {
			return c.object(a.outer, s)
		}
		return c.object(a.typ, s)
	}
	raw, err := c.dec.ReadValue()
	if err != nil {
		return err
	}
	names, err := memberNames(raw)
	if err != nil {
		return err
	}
	a := t.choose(kind, func(n string) bool { return slices.Contains(names, n) }, c.version, c.xml)
	if a == nil {
		return c.fail(strings.Join(names, ", "), t.alternatives())
	}
	if expressions != nil && slices.Contains(names, "expression") {
		*expressions++
	}
	inner := &checker{dec: jsontext.NewDecoder(bytes.NewBuffer(raw)), version: c.version, xml: c.xml}
	here := c.pointer()
	inner.dropped = func(pointer string) { c.dropped(here + strings.TrimSuffix(pointer, "/")) }
	inner.labeled = func(label string, value []byte, loose bool, pointer func() string) error {
		return c.labeled(label, value, loose, func() string { return here + strings.TrimSuffix(pointer(), "/") })
	}
	if a.wrap {
		err = inner.object(a.outer, s)
	} else {
		err = inner.object(a.typ, s)
	}
	if out, ok := errors.AsType[*assay.Error](err); ok {
		out.Field = here + strings.TrimSuffix(out.Field, "/")
	}
	return err
}

// foresee tells the alternative by the first member, where that is enough: of a
// license, and of an expression as long as there are none with details. Nearly all
// choices are these.
func (c *checker) foresee(t *typ) (a *alternative, expression bool) {
	if t.name != "licenseChoice" {
		return nil, false
	}
	rest := bytes.TrimLeft(c.dec.UnreadBuffer(), ", \t\r\n")
	if len(rest) == 0 || rest[0] != '{' {
		return nil, false
	}
	rest = bytes.TrimLeft(rest[1:], " \t\r\n")
	switch {
	case bytes.HasPrefix(rest, []byte(`"license"`)):
		return &t.alts[0], false
	case c.version < 7 && bytes.HasPrefix(rest, []byte(`"expression"`)):
		return &t.alts[2], true
	}
	return nil, false
}

func (c *checker) object(t *typ, s state) error {
	if c.dec.PeekKind() != '{' {
		raw, err := c.dec.ReadValue()
		if err != nil {
			return err
		}
		return c.fail(string(raw), "an object")
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	if c.dec.StackDepth() > strictjson.DefaultMaxDepth {
		return errNotStrict
	}
	base := len(c.seen)
	var found uint64 // by order; no object of the format has more than 64 members
	for c.dec.PeekKind() != '}' {
		raw, err := c.dec.ReadValue()
		if err != nil {
			return err
		}
		m, known := t.byName[string(raw[1:len(raw)-1])]
		if !known {
			name, err := unquote(raw)
			if err != nil {
				return err
			}
			if m, known = t.byName[name]; !known {
				if !t.open {
					return &assay.Error{Field: c.pointer(), Value: name, Bound: "a member that the format knows here"}
				}
				if err := c.dec.SkipValue(); err != nil {
					return err
				}
				c.drop(&state{dropped: s.dropped})
				continue
			}
		}
		if !m.in(c.version) {
			return &assay.Error{Field: c.pointer(), Value: m.name, Bound: "a member that CycloneDX 1." + strconv.Itoa(c.version) + " has here"}
		}
		found |= 1 << m.order
		if m.watched {
			value := ""
			if m.told && m.typ.scalar != nil && m.list == single {
				value = c.peekScalar()
			}
			c.seen = append(c.seen, sighting{m, value})
		}
		if err := c.member(m, s); err != nil {
			return err
		}
	}
	if _, err := c.dec.ReadToken(); err != nil {
		return err
	}
	for _, m := range t.required {
		if found&(1<<m.order) == 0 && m.needed(c.version, c.xml) {
			return &assay.Error{Field: c.pointer(), Bound: "a member " + strconv.Quote(m.name)}
		}
	}
	err := c.rules(t, c.seen[base:])
	c.seen = c.seen[:base]
	return err
}

// peekScalar gives the text of the next value without reading it. Only rules ask
// for it, which few objects have.
func (c *checker) peekScalar() string {
	rest := c.dec.UnreadBuffer()
	rest = bytes.TrimLeft(rest, ": \t\r\n")
	dec := jsontext.NewDecoder(bytes.NewBuffer(rest))
	tok, err := dec.ReadToken()
	if err != nil {
		return ""
	}
	return tok.String()
}

func (c *checker) rules(t *typ, seen []sighting) error {
	if t.one == nil && t.any == nil && t.not == nil && t.rule == nil {
		return nil
	}
	has := func(name string) bool {
		return slices.ContainsFunc(seen, func(s sighting) bool { return s.member.name == name })
	}
	value := func(name string) string {
		for _, s := range seen {
			if s.member.name == name {
				return s.value
			}
		}
		return ""
	}
	if want := t.broken(has, value, c.xml); want != "" {
		return &assay.Error{Field: c.pointer(), Bound: want}
	}
	return nil
}

// broken gives what the rules of the object want, or "" if they hold.
func (t *typ) broken(has func(string) bool, value func(string) string, xml bool) string {
	count := func(names []string) (n int) {
		for _, name := range names {
			if has(name) {
				n++
			}
		}
		return n
	}
	switch {
	case len(t.one) > 0 && count(t.one) != 1:
		return "exactly one of the members " + strings.Join(t.one, ", ")
	case len(t.any) > 0 && count(t.any) == 0:
		return "one or more of the members " + strings.Join(t.any, ", ")
	case len(t.not) > 0 && count(t.not) > 1:
		return "not more than one of the members " + strings.Join(t.not, ", ")
	case t.rule != nil:
		return t.rule.check(has, value, xml)
	}
	return ""
}

// memberNames gives the names of the members of an object.
func memberNames(raw jsontext.Value) ([]string, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var names []string
	for dec.PeekKind() == '"' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		names = append(names, tok.String())
		if err := dec.SkipValue(); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func unquote(raw jsontext.Value) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
}
