package spdx3

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

const opRead = "read SPDX 3"

// place is where a value stands: an item of the graph, and a pointer below it.
type place struct {
	index int // -1 for a document that is one object
	below string
}

func (p place) String() string {
	if p.index < 0 {
		return orRoot(p.below)
	}
	return "/@graph/" + strconv.Itoa(p.index) + p.below
}

func (p place) member(name string) place {
	if strings.ContainsAny(name, "~/") {
		name = strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return place{p.index, p.below + "/" + name}
}

func (p place) at(i int) place { return place{p.index, p.below + "/" + strconv.Itoa(i)} }

// object is an object of a class of the specification.
type object struct {
	class *class
	id    string // its spdxId or @id, "" for one without
	node  *node
	place place
}

// graph is a document whose objects have been checked and found.
type graph struct {
	name     string
	version  string
	prefixes map[string]string
	objects  []*object // elements, and all that has an id, in order of appearance
	byID     map[string]*object
	unknown  []place // of classes that the specification does not have
	pending  []reference
}

// reference is one that must be of a class if its object is in the document.
type reference struct {
	to    string
	at    *trail
	prop  *prop
	index int
}

// trail is a place while it may not be needed: that of an object in a property of
// the object above; the index is that in a list, or -1.
type trail struct {
	top   place // without one above
	above *trail
	prop  *prop
	index int
}

func (t *trail) place() place {
	if t.above == nil {
		return t.top
	}
	return where(t.above, t.prop, t.index)
}

// where gives the place of a value of a property.
func where(at *trail, p *prop, index int) place {
	if index < 0 {
		return at.place().member(p.name)
	}
	return at.place().member(p.name).at(index)
}

func (g *graph) invalid(at place, value, want string) error {
	return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: g.name, Field: at.String(), Value: value, Bound: want}
}

// check holds the tree to the model.
func check(name string, root *node) (*graph, error) {
	g := &graph{name: name}
	top := place{index: -1}
	if root.kind != '{' {
		return nil, g.invalid(top, "", "an object")
	}
	context := root.get("@context")
	if err := g.context(context); err != nil {
		return nil, err
	}
	items := root.get("@graph")
	g.byID = make(map[string]*object, len(items.values()))
	if items == nil {
		single := *root
		single.items = slices.DeleteFunc(slices.Clone(root.items), func(it item) bool { return it.name == "@context" })
		if err := g.object(&single, &trail{top: top}, nil); err != nil {
			return nil, err
		}
		return g, g.resolve()
	}
	for _, it := range root.items {
		if it.name != "@context" && it.name != "@graph" {
			return nil, g.invalid(top.member(it.name), it.name, "@context and @graph")
		}
	}
	if items.kind != '[' {
		return nil, g.invalid(top.member("@graph"), "", "an array")
	}
	trails := make([]trail, len(items.items))
	for i := range items.items {
		trails[i].top.index = i
		if err := g.object(&items.items[i].value, &trails[i], nil); err != nil {
			return nil, err
		}
	}
	return g, g.resolve()
}

// context accepts the official context, alone or with prefixes of namespaces
// (SPDX 3.0.1, 4.5). Anything else could give any name another meaning.
func (g *graph) context(n *node) error {
	at := place{-1, "/@context"}
	for i, it := range n.values() {
		v := &it.value
		switch {
		case i == 0 && v.kind == '"':
			version, ok := strings.CutPrefix(v.text, contextPrefix)
			if ok {
				version, ok = strings.CutSuffix(version, contextSuffix)
			}
			if !ok {
				return g.invalid(at, v.text, contextPrefix+"3.0.1"+contextSuffix)
			}
			if version != "3.0.0" && version != "3.0.1" {
				return &assay.Error{Op: opRead, Kind: assay.ErrUnchecked, Subject: g.name, Field: at.String(), Value: v.text, Bound: "a version that can be read: 3.0.0, 3.0.1"}
			}
			g.version = version
		case i > 0 && v.kind == '{':
			for _, p := range v.items {
				if p.value.kind != '"' || !isPrefix(p.name) || !isIRI(p.value.text) {
					return g.invalid(at.at(i).member(p.name), p.value.text, "a prefix and the IRI that it stands for")
				}
				if g.prefixes == nil {
					g.prefixes = make(map[string]string)
				}
				if _, twice := g.prefixes[p.name]; twice {
					return g.invalid(at.at(i).member(p.name), p.name, "a prefix that is defined once")
				}
				g.prefixes[p.name] = p.value.text
			}
		default:
			return g.invalid(at, v.text, "the context of SPDX 3")
		}
	}
	if g.version == "" {
		return g.invalid(place{-1, ""}, "", "a member @context")
	}
	return nil
}

// isPrefix leaves out schemes, which a prefix would redefine, and names of the model.
func isPrefix(s string) bool {
	if slices.Contains([]string{"http", "https", "urn", "pkg", "spdx", "file", "git", "_"}, s) || model()[s] != nil {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (i == 0 || (s[i] < '0' || s[i] > '9') && s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	return s != ""
}

// isIRI is the pattern of the JSON schema.
func isIRI(s string) bool {
	i := strings.LastIndexByte(s, ':')
	return i > 0 && !strings.HasPrefix(s, "_:") && (i+1 < len(s) || strings.IndexByte(s[1:i], ':') >= 0) && !strings.ContainsAny(s, "\n\r")
}

// iri expands a prefix.
func (g *graph) iri(s string) string {
	if len(g.prefixes) > 0 {
		if prefix, rest, ok := strings.Cut(s, ":"); ok && !strings.HasPrefix(rest, "//") {
			if long, ok := g.prefixes[prefix]; ok {
				return long + rest
			}
		}
	}
	return s
}

// term takes the namespace of the specification off a name: classes, values of
// enumerations and individuals may be written as IRIs.
func term(s string) (namespace, name string) {
	rest, ok := strings.CutPrefix(s, "spdx:")
	if !ok {
		if rest, ok = strings.CutPrefix(s, contextPrefix+"3.0.1/terms/"); !ok {
			rest, ok = strings.CutPrefix(s, contextPrefix+"3.0.0/terms/")
		}
	}
	if !ok {
		return "", s
	}
	i := strings.LastIndexByte(rest, '/')
	return rest[:max(i, 0)], rest[i+1:]
}

// className gives "software_Package" for the IRI of Software/Package.
func className(s string) string {
	namespace, name := term(s)
	if namespace == "" || namespace == "Core" {
		return name
	}
	return strings.ToLower(namespace) + "_" + name
}

// object checks an object that must be of the class, or of any if it is nil.
func (g *graph) object(n *node, at *trail, want *class) error {
	if n.kind != '{' {
		return g.invalid(at.place(), n.text, "an object")
	}
	typ, id := n.get("type"), n.get("spdxId")
	if typ == nil {
		typ = n.get("@type")
	}
	if typ != nil && typ.kind == '[' && len(typ.items) == 1 {
		typ = &typ.items[0].value
	}
	if typ == nil || typ.kind != '"' {
		return g.invalid(at.place(), "", `a member "type"`)
	}
	c := model()[typ.text]
	if c == nil {
		c = model()[className(typ.text)]
	}
	if c == nil && isIRI(typ.text) && className(typ.text) == typ.text && (want == nil || want.name == "extension_Extension") {
		g.unknown = append(g.unknown, at.place())
		for _, name := range []string{"spdxId", "@id"} {
			if id := n.get(name); id != nil && id.kind == '"' {
				if err := g.define(&object{id: g.iri(id.text), node: n, place: at.place()}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if c == nil || c.abstract || want != nil && !c.is(want) {
		expected := "a class of SPDX 3.0.1"
		if want != nil {
			expected = "a class of SPDX 3.0.1 that is a " + want.name
		}
		return g.invalid(at.place().member("type"), typ.text, expected)
	}
	if id == nil || !c.element {
		if id != nil {
			return g.invalid(at.place().member("spdxId"), id.text, "@id, as it is not an element")
		}
		id = n.get("@id")
	} else if n.get("@id") != nil {
		return g.invalid(at.place().member("@id"), n.get("@id").text, "one id")
	}
	switch {
	case id == nil && c.element:
		return g.invalid(at.place(), "", `a member "spdxId"`)
	case id == nil:
	case id.kind != '"' || !isIRI(id.text) && (c.element || !isBlank(id.text)):
		return g.invalid(at.place().member("spdxId"), id.text, "an IRI")
	default:
		if err := g.define(&object{c, g.iri(id.text), n, at.place()}); err != nil {
			return err
		}
	}
	found := 0
	for i := range n.items {
		it := &n.items[i]
		if it.name == "type" || it.name == "@type" || it.name == "spdxId" || it.name == "@id" {
			continue
		}
		p := c.props[it.name]
		if p == nil {
			return g.invalid(at.place().member(it.name), it.name, "a property that "+c.name+" has")
		}
		if p.required {
			found++
		}
		if err := g.property(&it.value, at, p); err != nil {
			return err
		}
	}
	if found < len(c.required) {
		for _, p := range c.required {
			if n.get(p.name) == nil {
				return g.invalid(at.place(), "", `a member "`+p.name+`"`)
			}
		}
	}
	return nil
}

func isBlank(s string) bool { return strings.HasPrefix(s, "_:") && len(s) > 2 }

func (g *graph) define(o *object) error {
	if g.byID[o.id] != nil {
		return g.invalid(o.place.member("spdxId"), o.id, "an id that is unique in the document")
	}
	g.byID[o.id] = o
	g.objects = append(g.objects, o)
	return nil
}

func (g *graph) property(v *node, at *trail, p *prop) error {
	if v.kind != '[' {
		return g.value(v, at, p, -1)
	}
	if !p.list && len(v.items) != 1 || len(v.items) < p.min {
		return g.invalid(at.place().member(p.name), "an array of "+strconv.Itoa(len(v.items)), "one value"+map[bool]string{true: " or more"}[p.list])
	}
	for i := range v.items {
		if err := g.value(&v.items[i].value, at, p, i); err != nil {
			return err
		}
	}
	return nil
}

var (
	semver    = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	mediaType = regexp.MustCompile(`^[^/\n]+/[^/\n]+$`)
	decimal   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]*)?$`)
)

// value checks one value; the index is that in a list.
func (g *graph) value(v *node, at *trail, p *prop, index int) error {
	fail := func(want string) error { return g.invalid(where(at, p, index), v.text, want) }
	if p.class != nil {
		if v.kind == '{' {
			return g.object(v, &trail{above: at, prop: p, index: index}, p.class)
		}
		if v.kind != '"' || !isIRI(v.text) && !isBlank(v.text) && !slices.Contains(individuals, v.text) {
			return fail("a " + p.class.name + ", or the IRI of one")
		}
		if !p.anything || isBlank(v.text) {
			g.pending = append(g.pending, reference{g.iri(v.text), at, p, index})
		}
		return nil
	}
	if p.enum != nil {
		if v.kind == '"' {
			if p.enum[v.text] {
				return nil
			}
			if _, name := term(v.text); p.enum[name] {
				return nil
			}
		}
		return fail("one of " + strings.Join(slices.Sorted(maps.Keys(p.enum)), ", "))
	}
	want, ok := "", false
	switch p.kind {
	case "bool":
		want, ok = "true or false", v.kind == 't' || v.kind == 'f'
	case "integer", "natural":
		i, err := strconv.ParseInt(v.text, 10, 64)
		least := map[string]int64{"integer": 1}[p.kind]
		want, ok = "a whole number of "+strconv.FormatInt(least, 10)+" or more", v.kind == '0' && err == nil && i >= least
	case "decimal":
		want, ok = "a number", v.kind == '0' || v.kind == '"' && decimal.MatchString(v.text)
	case "time":
		_, err := time.Parse(timeFormat, v.text)
		want, ok = "a date and time such as "+timeFormat, v.kind == '"' && err == nil
	case "semver":
		want, ok = "a semantic version", v.kind == '"' && (v.text == "3.0.1" || semver.MatchString(v.text))
	case "mediatype":
		want, ok = "a media type", v.kind == '"' && mediaType.MatchString(v.text)
	default:
		want, ok = "a string", v.kind == '"'
	}
	if !ok {
		return fail(want)
	}
	return nil
}

// resolve checks references that must be to objects of a class.
func (g *graph) resolve() error {
	for _, r := range g.pending {
		o := g.byID[r.to]
		if o == nil && isBlank(r.to) {
			return g.invalid(where(r.at, r.prop, r.index), r.to, "the id of an object of the document")
		}
		if o != nil && o.class != nil && !o.class.is(r.prop.class) {
			return g.invalid(where(r.at, r.prop, r.index), r.to, "a "+r.prop.class.name)
		}
	}
	return nil
}
