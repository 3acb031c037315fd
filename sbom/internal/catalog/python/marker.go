package python

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Marker is an environment marker: a condition on the interpreter and the platform
// (packaging.python.org, Dependency specifiers, "Environment Markers").
type Marker struct {
	op          string // "and", "or", or a comparison
	kids        []*Marker
	left, right operand
}

type operand struct{ name, text string } // a variable, or a text if name is ""

func (m *Marker) size() int {
	if m == nil {
		return 0
	}
	n := 128 + len(m.left.name) + len(m.left.text) + len(m.right.name) + len(m.right.text)
	for _, k := range m.kids {
		n += k.size()
	}
	return n
}

// Environment is what is known of the variables of markers. One that is missing is
// not known. The "extra" is asked for apart.
type Environment map[string]string

// Truth is the value of a marker: what is not known of the environment is not
// guessed.
type Truth int8

// The values of [Marker.Holds].
const (
	Unknown Truth = iota
	False
	True
)

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Holds tells whether the marker is true in an environment, for one extra ("" for
// none). A nil marker always is.
func (m *Marker) Holds(env Environment, extra string) Truth {
	if m == nil {
		return True
	}
	switch m.op {
	case "and", "or":
		decides := False
		if m.op == "or" {
			decides = True
		}
		out := True + False - decides // the other one
		for _, k := range m.kids {
			switch k.Holds(env, extra) {
			case decides:
				return decides
			case Unknown:
				out = Unknown
			}
		}
		return out
	}
	if m.left.name == "extra" || m.right.name == "extra" {
		name := m.left.text + m.right.text
		switch m.op {
		case "==", "===":
			return truth(NormalName(name) == extra)
		case "!=":
			return truth(NormalName(name) != extra)
		}
		return Unknown
	}
	left, ok := m.left.value(env)
	right, known := m.right.value(env)
	if !ok || !known {
		// Of a full version that is not known the first two parts may be.
		if m.left.name == "python_full_version" && known && env["python_version"] != "" {
			return compareVersions(env["python_version"], m.op, right, true)
		}
		return Unknown
	}
	switch m.op {
	case "in":
		return truth(strings.Contains(right, left))
	case "not in":
		return truth(!strings.Contains(right, left))
	}
	if t := compareVersions(left, m.op, right, false); t != Unknown {
		return t
	}
	switch m.op {
	case "==", "===":
		return truth(left == right)
	case "!=":
		return truth(left != right)
	}
	return Unknown // the order of texts that are no versions is not defined
}

func (o operand) value(env Environment) (string, bool) {
	if o.name == "" {
		return o.text, true
	}
	v := env[o.name]
	return v, v != ""
}

// compareVersions compares versions that are numbers and dots only (PEP 440), the
// right one of which may end in ".*". A prefix stands for all versions that begin
// with it.
func compareVersions(left, op, right string, prefix bool) Truth {
	right, wild := strings.CutSuffix(right, ".*")
	l, okL := release(left)
	r, okR := release(right)
	if !okL || !okR || wild && op != "==" && op != "!=" {
		return Unknown
	}
	if prefix {
		n := min(len(l), len(r))
		if slices.Equal(l[:n], r[:n]) && !(wild && len(r) <= len(l)) {
			return Unknown
		}
	}
	if wild {
		for len(l) < len(r) {
			l = append(l, 0)
		}
		same := slices.Equal(l[:len(r)], r)
		return truth(same == (op == "=="))
	}
	c := 0
	for i := range max(len(l), len(r)) {
		var a, b int
		if i < len(l) {
			a = l[i]
		}
		if i < len(r) {
			b = r[i]
		}
		if c = cmp.Compare(a, b); c != 0 {
			break
		}
	}
	switch op {
	case "==":
		return truth(c == 0)
	case "!=":
		return truth(c != 0)
	case "<":
		return truth(c < 0)
	case "<=":
		return truth(c <= 0)
	case ">":
		return truth(c > 0)
	case ">=":
		return truth(c >= 0)
	case "~=":
		if len(r) < 2 {
			return Unknown
		}
		for len(l) < len(r) {
			l = append(l, 0)
		}
		return truth(c >= 0 && slices.Equal(l[:len(r)-1], r[:len(r)-1]))
	}
	return Unknown
}

func release(s string) ([]int, bool) {
	var out []int
	for part := range strings.SplitSeq(strings.TrimSpace(s), ".") {
		n, err := strconv.Atoi(part)
		if err != nil || part[0] < '0' || part[0] > '9' || len(out) > 16 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// maxMarkerDepth bounds parentheses.
const maxMarkerDepth = 32

// ParseMarker reads a marker. The error is of kind [assay.ErrInvalid] or
// [assay.ErrBound].
func ParseMarker(text string) (*Marker, error) {
	if len(text) > maxRequirement {
		return nil, &assay.Error{Op: "read Python marker", Kind: assay.ErrBound, Value: text, Bound: "at most 8192 bytes"}
	}
	p := markerParser{rest: text}
	m := p.or(0)
	if p.space(); m == nil || p.rest != "" {
		return nil, &assay.Error{Op: "read Python marker", Kind: assay.ErrInvalid, Value: text,
			Bound: "comparisons joined by and, or", Rule: "PEP 508"}
	}
	return m, nil
}

// markerParser gives nil for what is no marker.
type markerParser struct{ rest string }

func (p *markerParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *markerParser) word(w string) bool {
	p.space()
	after, ok := strings.CutPrefix(p.rest, w)
	if !ok || after != "" && (isNameByte(after[0])) {
		return false
	}
	p.rest = after
	return true
}

func (p *markerParser) or(depth int) *Marker { return p.list("or", depth) }

func (p *markerParser) list(op string, depth int) *Marker {
	next := func() *Marker {
		if op == "or" {
			return p.list("and", depth)
		}
		return p.one(depth)
	}
	first := next()
	if first == nil {
		return nil
	}
	kids := []*Marker{first}
	for p.word(op) {
		k := next()
		if k == nil {
			return nil
		}
		kids = append(kids, k)
	}
	if len(kids) == 1 {
		return first
	}
	return &Marker{op: op, kids: kids}
}

func (p *markerParser) one(depth int) *Marker {
	p.space()
	if after, ok := strings.CutPrefix(p.rest, "("); ok {
		if depth >= maxMarkerDepth {
			return nil
		}
		p.rest = after
		m := p.or(depth + 1)
		p.space()
		if m == nil || !strings.HasPrefix(p.rest, ")") {
			return nil
		}
		p.rest = p.rest[1:]
		return m
	}
	m := &Marker{}
	var ok bool
	if m.left, ok = p.operand(); !ok {
		return nil
	}
	if m.op = p.operator(); m.op == "" {
		return nil
	}
	if m.right, ok = p.operand(); !ok {
		return nil
	}
	return m
}

func (p *markerParser) operator() string {
	p.space()
	for _, op := range []string{"===", "==", "!=", "<=", ">=", "~=", "<", ">"} {
		if after, ok := strings.CutPrefix(p.rest, op); ok {
			p.rest = after
			return op
		}
	}
	if p.word("in") {
		return "in"
	}
	if p.word("not") && p.word("in") {
		return "not in"
	}
	return ""
}

func (p *markerParser) operand() (operand, bool) {
	p.space()
	if p.rest == "" {
		return operand{}, false
	}
	if q := p.rest[0]; q == '\'' || q == '"' {
		text, after, ok := strings.Cut(p.rest[1:], string(q))
		p.rest = after
		return operand{text: text}, ok
	}
	n := 0
	for n < len(p.rest) && (isNameByte(p.rest[n])) {
		n++
	}
	name := p.rest[:n]
	// What PEP 345 called them.
	switch name {
	case "os.name":
		name = "os_name"
	case "sys.platform":
		name = "sys_platform"
	case "platform.machine":
		name = "platform_machine"
	case "platform.python_implementation", "python_implementation":
		name = "platform_python_implementation"
	case "platform.version":
		name = "platform_version"
	}
	switch name {
	case "os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release",
		"platform_system", "platform_version", "python_version", "python_full_version", "implementation_name",
		"implementation_version", "extra", "extras", "dependency_groups":
		p.rest = p.rest[n:]
		return operand{name: name}, true
	}
	return operand{}, false
}
