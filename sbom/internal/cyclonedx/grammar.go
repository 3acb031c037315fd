package cyclonedx

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// One description of the format serves all that reads and writes it: what JSON may
// hold, how XML says the same, and since when. The official schemas are not ours to
// ship, and cannot say what the model has no place for; tests hold what is written
// against them.
//
//go:embed grammar.txt
var grammarText string

// typ is what a value may be: a scalar, an object, or one of several.
type typ struct {
	name string

	scalar *scalar // the rest is unset

	alts []alternative // the rest is unset

	members  []*member // in the order of XML
	byName   map[string]*member
	byElem   map[string]*member
	byAttr   map[string]*member
	content  *member  // the text of the element
	one      []string // exactly one of these
	any      []string // one or more of these
	not      []string // at most one of these
	rule     *rule
	open     bool // other members are allowed in JSON
	attrs    bool // other attributes without a namespace are allowed in XML
	required []*member

	unordered bool // XML has the elements in any order
}

type listKind uint8

const (
	single   listKind = iota
	wrapped           // an element, in it an element for each value
	repeated          // an element for each value
)

type member struct {
	name, xml     string
	typ           *typ
	list          listKind
	item          string // the element of a value of a wrapped list; empty for alternatives
	itemAttr      string // the attribute of it that has the value
	object        *typ   // what there is alternatively to a list
	listSince     int
	objectSince   int
	attr, content bool
	jsonOnly      bool
	drop          bool // the model has no place for it
	loose         bool // bom-refs in it are not those of the document
	watched       bool // a rule of the object is about it
	told          bool // and about what it is
	since, until  int
	min           int
	req           requirement
	order         int
}

// requirement says in which versions a member must be there.
type requirement struct {
	json, xml [2]int // from and until
}

func (m *member) in(version int) bool { return m.since <= version && version <= m.until }

func (m *member) needed(version int, xml bool) bool {
	r := m.req.json
	if xml {
		r = m.req.xml
	}
	return r[0] <= version && version <= r[1] && m.in(version) && !(xml && m.jsonOnly)
}

type alternative struct {
	elem  string // "." is the element itself
	typ   *typ
	wrap  bool // in JSON it is an object with the one member elem
	when  []string
	str   bool // it is a string in JSON
	since int
	outer *typ // of wrap: the object around it
}

const newest = 7

// grammar gives the type of the document.
var grammar = sync.OnceValue(func() *typ {
	g := &parser{types: make(map[string]*typ)}
	for name, s := range scalars {
		g.types[name] = &typ{name: name, scalar: &s}
	}
	if err := g.parse(grammarText); err != nil {
		panic(err) // it is a part of the program, and every test parses it
	}
	return g.types["bom"]
})

type parser struct {
	types map[string]*typ
}

func (g *parser) typ(name string) *typ {
	t, ok := g.types[name]
	if !ok {
		t = &typ{name: name}
		g.types[name] = t
	}
	return t
}

func (g *parser) parse(text string) error {
	g.types["dependencies"] = &typ{name: "dependencies"}
	var cur *typ
	alt := false
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		var err error
		switch {
		case strings.HasPrefix(line, "\t") && alt:
			err = g.alternative(cur, words)
		case strings.HasPrefix(line, "\t"):
			err = g.member(cur, words)
		case words[0] == "enum":
			s := enum(words[2:])
			g.typ(words[1]).scalar = &s
		case words[0] == "object" || words[0] == "alt":
			cur, alt = g.typ(words[1]), words[0] == "alt"
			if !alt {
				cur.byName, cur.byElem, cur.byAttr = make(map[string]*member), make(map[string]*member), make(map[string]*member)
				err = cur.rules(words[2:])
			}
		default:
			err = fmt.Errorf("unknown word")
		}
		if err != nil {
			return fmt.Errorf("grammar.txt:%d: %w: %s", n+1, err, line)
		}
	}
	g.derive()
	for name, t := range g.types {
		if t.scalar == nil && t.alts == nil && t.byName == nil {
			return fmt.Errorf("grammar.txt: type %s is not defined", name)
		}
	}
	return nil
}

// derive makes the types that are variants of others.
func (g *parser) derive() {
	// Of the components that are tools, name, version and who made them are kept.
	component, tool := g.types["component"], g.types["toolComponent"]
	*tool = *component
	tool.name, tool.members, tool.required = "toolComponent", nil, nil
	tool.byName, tool.byElem, tool.byAttr = make(map[string]*member), make(map[string]*member), make(map[string]*member)
	for _, m := range component.members {
		c := *m
		switch c.name {
		case "type", "bom-ref", "group", "name", "version", "supplier", "manufacturer":
			c.drop = false
			if c.typ == g.types["maker"] {
				c.typ = g.types["entity"] // of which the name alone is kept
			}
		default:
			c.drop = true
		}
		tool.add(&c)
	}
	for _, t := range g.types {
		for _, m := range t.members {
			m.told = t.rule != nil && slices.Contains(t.rule.watch, m.name)
			m.watched = m.told || slices.Contains(t.one, m.name) || slices.Contains(t.any, m.name) || slices.Contains(t.not, m.name)
		}
	}
	// The dependencies have a form of their own in XML.
	d := g.types["dependencies"]
	d.byName, d.byElem, d.byAttr = make(map[string]*member), make(map[string]*member), make(map[string]*member)
	always, never := [2]int{0, newest}, [2]int{1, 0}
	used := g.types["used"]
	for _, m := range []*member{
		{name: "ref", xml: "ref", typ: used, attr: true, until: newest, req: requirement{always, always}},
		{name: "dependsOn", xml: "dependency", typ: used, list: repeated, until: newest, req: requirement{never, never}},
		{name: "provides", xml: "provides", typ: used, list: repeated, since: 6, until: newest, drop: true, req: requirement{never, never}},
	} {
		d.add(m)
	}
}

func (t *typ) rules(words []string) error {
	for _, w := range words {
		name, args, _ := strings.Cut(strings.TrimSuffix(w, ")"), "(")
		list := strings.Split(args, ",")
		switch name {
		case "one":
			t.one = list
		case "any":
			t.any = list
		case "not":
			t.not = list
		case "open":
			t.open = true
		case "unordered":
			t.unordered = true
		case "attrs":
			t.attrs = true
		default:
			if t.rule = rules[name]; t.rule == nil {
				return fmt.Errorf("unknown rule %s", name)
			}
		}
	}
	return nil
}

func (t *typ) add(m *member) {
	m.order = len(t.members)
	t.members = append(t.members, m)
	t.byName[m.name] = m
	switch {
	case m.jsonOnly:
	case m.attr:
		t.byAttr[m.xml] = m
	case m.content:
		t.content = m
	default:
		t.byElem[m.xml] = m
	}
	if m.req.json[0] <= m.req.json[1] || m.req.xml[0] <= m.req.xml[1] {
		t.required = append(t.required, m)
	}
}

func (g *parser) member(t *typ, words []string) error {
	m := &member{until: newest, req: requirement{[2]int{1, 0}, [2]int{1, 0}}}
	name := words[0]
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		name, m.attr = rest, true
	} else if rest, ok := strings.CutPrefix(name, "="); ok {
		name, m.content = rest, true
	}
	always := [2]int{0, newest}
	for name != "" {
		var ok bool
		if name, ok = strings.CutSuffix(name, "~"); ok {
			m.drop = true
		} else if name, ok = strings.CutSuffix(name, "^"); ok {
			m.loose = true
		} else if name, ok = strings.CutSuffix(name, "!"); ok {
			m.req = requirement{always, always}
		} else if name, ok = strings.CutSuffix(name, "!j"); ok {
			m.req.json = always
		} else if name, ok = strings.CutSuffix(name, "!x"); ok {
			m.req.xml = always
		} else {
			break
		}
	}
	m.name, m.xml = name, name
	// The type ends where the options start, and may have a space in it.
	words = words[1:]
	end := 1
	for open := strings.Count(words[0], "[") + strings.Count(words[0], "{"); end < len(words) && open > 0 && !strings.ContainsAny(words[end-1], "]}"); end++ {
	}
	if err := g.memberType(m, strings.Join(words[:end], " ")); err != nil {
		return err
	}
	for _, w := range words[end:] {
		key, value, hasValue := strings.Cut(w, "=")
		n, err := strconv.Atoi(strings.TrimLeft(value, "-"))
		switch {
		case key == "xml":
			m.xml, err = value, nil
		case key == "json":
			m.jsonOnly, err = true, nil
		case key == "list":
			m.listSince = n
		case key == "obj":
			m.objectSince = n
		case key == "min":
			m.min = n
		case strings.HasPrefix(key, "!"):
			from, until, _ := strings.Cut(key[1:], "-")
			a, err1 := strconv.Atoi(from)
			b, err2 := strconv.Atoi(until)
			if err = err1; err == nil {
				err = err2
			}
			m.req.json = [2]int{a, b}
			if m.req.xml[0] > m.req.xml[1] {
				m.req.xml = [2]int{a, min(b, 3)}
				if m.attr {
					m.req.xml = [2]int{1, 0} // serialNumber and version of the document have defaults
				}
			}
		case !hasValue:
			m.since, err = strconv.Atoi(w)
		default:
			err = fmt.Errorf("unknown option %s", w)
		}
		if err != nil {
			return err
		}
	}
	t.add(m)
	return nil
}

func (g *parser) memberType(m *member, s string) error {
	s, object, both := strings.Cut(s, "|")
	if both {
		m.object = g.typ(object)
	}
	switch {
	case s == "dependencies":
		m.list, m.typ = wrapped, g.types["dependencies"]
		m.item = "dependency"
	case strings.HasPrefix(s, "["):
		m.list = wrapped
		name, item, _ := strings.Cut(strings.Trim(s, "[]"), " ")
		m.typ = g.typ(name)
		m.item, m.itemAttr, _ = strings.Cut(item, "@")
	case strings.HasPrefix(s, "{"):
		m.list = repeated
		name, item, _ := strings.Cut(strings.Trim(s, "{}"), " ")
		m.typ, m.xml = g.typ(name), item
	default:
		m.typ = g.typ(s)
	}
	return nil
}

func (g *parser) alternative(t *typ, words []string) error {
	if len(words) < 3 || !strings.HasPrefix(words[2], "?") {
		return fmt.Errorf("an alternative without a condition")
	}
	a := alternative{typ: g.typ(words[1])}
	a.elem, a.wrap = strings.CutSuffix(words[0], ">")
	if words[2] == `?""` {
		a.str = true
	} else {
		a.when = strings.Split(words[2][1:], ",")
	}
	if len(words) > 3 {
		var err error
		if a.since, err = strconv.Atoi(words[3]); err != nil {
			return err
		}
	}
	if a.wrap {
		a.outer = &typ{byName: map[string]*member{a.elem: {name: a.elem, typ: a.typ, until: newest}}}
	}
	t.alts = append(t.alts, a)
	return nil
}

// choose finds the alternative that a JSON value is, by its kind and the names of
// its members. What XML tells by the name of an element, JSON may leave open: then
// it is the last one, if that is asked for.
func (t *typ) choose(kind byte, has func(string) bool, version int, last bool) *alternative {
	for i := range t.alts {
		a := &t.alts[i]
		switch {
		case a.since > version:
		case a.str && kind == '"':
			return a
		case !a.str && kind == '{' && (a.when[0] == "*" || slices.ContainsFunc(a.when, has)):
			return a
		}
	}
	if a := &t.alts[len(t.alts)-1]; last && kind == '{' && !a.str && a.since <= version {
		return a
	}
	return nil
}

func (t *typ) alternatives() string {
	var names []string
	for _, a := range t.alts {
		if a.str {
			names = append(names, "a string")
		} else {
			names = append(names, "an object of "+a.typ.name)
		}
	}
	return strings.Join(names, " or ")
}
