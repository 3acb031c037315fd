package cyclonedx

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// treeParser reads JSON that was checked, or written here, into a tree. Its strings
// are parts of one copy of the document, and its nodes are made many at once: there
// are a hundred for each component.
type treeParser struct {
	s     string
	nodes []tree
	// What was read of the objects and arrays around, the innermost last.
	fields []field
	items  []*tree
	// Where lists of them are kept.
	fieldRoom []field
	itemRoom  []*tree
}

// keep copies the list to the front of the room, and gives what is left of that. The
// copy has no room to grow into what follows it.
func keep[T any](room, list []T) (kept, rest []T) {
	n := len(list)
	if n > len(room) {
		room = make([]T, max(n, 256))
	}
	copy(room, list)
	return room[:n:n], room[n:]
}

var errNoTree = errors.New("not JSON")

func parseTree(data []byte) (*tree, error) {
	p := &treeParser{s: string(data)}
	t, err := p.value(0)
	if err == nil && p.space() != 0 {
		err = errNoTree
	}
	return t, err
}

// maxTreeDepth is more than what a document that was checked has.
const maxTreeDepth = 1000

// space skips white space, and gives the byte after it, 0 at the end.
func (p *treeParser) space() byte {
	for len(p.s) > 0 {
		if c := p.s[0]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
		p.s = p.s[1:]
	}
	return 0
}

func (p *treeParser) node(kind byte) *tree {
	if len(p.nodes) == 0 {
		p.nodes = make([]tree, 256)
	}
	t := &p.nodes[0]
	p.nodes = p.nodes[1:]
	t.kind = kind
	return t
}

func (p *treeParser) value(depth int) (*tree, error) {
	if depth > maxTreeDepth {
		return nil, errNoTree
	}
	switch c := p.space(); c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		text, err := p.text()
		t := p.node('"')
		t.text = text
		return t, err
	case 't', 'f', 'n':
		word := map[byte]string{'t': "true", 'f': "false", 'n': "null"}[c]
		rest, ok := strings.CutPrefix(p.s, word)
		if !ok {
			return nil, errNoTree
		}
		p.s = rest
		return p.node(c), nil
	default:
		n := strings.IndexFunc(p.s, func(r rune) bool { return !strings.ContainsRune("+-.0123456789eE", r) })
		if n < 0 {
			n = len(p.s)
		}
		if n == 0 {
			return nil, errNoTree
		}
		t := p.node('0')
		t.text, p.s = p.s[:n], p.s[n:]
		return t, nil
	}
}

func (p *treeParser) text() (string, error) {
	escaped := false
	for i := 1; i < len(p.s); i++ {
		switch p.s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			quoted := p.s[:i+1]
			p.s = p.s[i+1:]
			if !escaped {
				return quoted[1:i], nil
			}
			text, err := jsontext.AppendUnquote(nil, quoted)
			return string(text), err
		}
	}
	return "", errNoTree
}

// more tells after a value whether another follows, before the end.
func (p *treeParser) more(end byte) (bool, error) {
	c := p.space()
	if c != ',' && c != end {
		return false, errNoTree
	}
	p.s = p.s[1:]
	return c == ',', nil
}

func (p *treeParser) object(depth int) (*tree, error) {
	t := p.node('{')
	p.s = p.s[1:]
	if p.space() == '}' {
		p.s = p.s[1:]
		return t, nil
	}
	start := len(p.fields)
	for next := true; next; {
		if p.space() != '"' {
			return nil, errNoTree
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if p.space() != ':' {
			return nil, errNoTree
		}
		p.s = p.s[1:]
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		p.fields = append(p.fields, field{name, v})
		if next, err = p.more('}'); err != nil {
			return nil, err
		}
	}
	t.fields, p.fieldRoom = keep(p.fieldRoom, p.fields[start:])
	p.fields = p.fields[:start]
	return t, nil
}

func (p *treeParser) array(depth int) (*tree, error) {
	t := p.node('[')
	p.s = p.s[1:]
	if p.space() == ']' {
		p.s = p.s[1:]
		return t, nil
	}
	start := len(p.items)
	for next := true; next; {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		p.items = append(p.items, v)
		if next, err = p.more(']'); err != nil {
			return nil, err
		}
	}
	t.items, p.itemRoom = keep(p.itemRoom, p.items[start:])
	p.items = p.items[:start]
	return t, nil
}
