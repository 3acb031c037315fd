package gem

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxText bounds one string, in bytes.
const maxText = 64 << 10

// parser reads the literals that RubyGems writes. Each method that gives false may
// have moved on.
type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take takes a prefix and the white space before it, or nothing.
func (p *parser) take(prefix string) bool {
	after, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " \t\r\n"), prefix)
	if ok {
		p.rest = after
	}
	return ok
}

// ends reports whether the statement ends here, but for a condition.
func (p *parser) ends() bool {
	line, _, _ := strings.Cut(p.rest, "\n")
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#' || strings.HasPrefix(line, "if ")
}

// text reads a string in double or single quotes or %q<>, frozen or not. A text with
// an interpolation is none.
func (p *parser) text() (string, bool) {
	p.space()
	var s string
	var ok bool
	switch {
	case strings.HasPrefix(p.rest, `"`):
		p.rest = p.rest[1:]
		s, ok = p.quoted()
	case strings.HasPrefix(p.rest, "'"):
		s, ok = p.single('\'', 0)
	case strings.HasPrefix(p.rest, "%q<"):
		p.rest = p.rest[2:]
		s, ok = p.single('>', '<')
	}
	if !ok {
		return "", false
	}
	for _, call := range []string{".freeze", ".dup"} {
		if after, found := strings.CutPrefix(p.rest, call); found {
			p.rest = after
			break
		}
	}
	return s, true
}

// single reads up to the closing quote. Only that, the opening one and the backslash
// can be escaped. Pairs of brackets nest.
func (p *parser) single(end, open byte) (string, bool) {
	var b strings.Builder
	depth := 0
	for i := 1; i < min(len(p.rest), maxText); i++ {
		c := p.rest[i]
		switch {
		case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == '\\' || p.rest[i+1] == end || open != 0 && p.rest[i+1] == open):
			i++
			c = p.rest[i]
		case c == end && depth == 0:
			p.rest = p.rest[i+1:]
			return b.String(), true
		case c == end:
			depth--
		case open != 0 && c == open:
			depth++
		}
		b.WriteByte(c)
	}
	return "", false
}

// quoted reads what String#dump and String#inspect write, after the opening quote.
func (p *parser) quoted() (string, bool) {
	var b strings.Builder
	for i := 0; i < min(len(p.rest), maxText); {
		c := p.rest[i]
		i++
		switch {
		case c == '"':
			p.rest = p.rest[i:]
			return b.String(), true
		case c == '#' && i < len(p.rest) && (p.rest[i] == '{' || p.rest[i] == '$' || p.rest[i] == '@'):
			return "", false
		case c != '\\':
			b.WriteByte(c)
			continue
		}
		if i >= len(p.rest) {
			return "", false
		}
		c = p.rest[i]
		i++
		switch c {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'e':
			b.WriteByte(0x1b)
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'v':
			b.WriteByte('\v')
		case 's':
			b.WriteByte(' ')
		case '\n': // a line that goes on
		case 'x':
			n := digits(p.rest[i:], 2, isHex)
			v, err := strconv.ParseUint(p.rest[i:i+n], 16, 8)
			if err != nil {
				return "", false
			}
			b.WriteByte(byte(v))
			i += n
		case 'u':
			if !strings.HasPrefix(p.rest[i:], "{") {
				n := digits(p.rest[i:], 4, isHex)
				if n != 4 || !writeRune(&b, p.rest[i:i+n]) {
					return "", false
				}
				i += n
				continue
			}
			inner, _, ok := strings.Cut(p.rest[i+1:], "}")
			if !ok {
				return "", false
			}
			for one := range strings.FieldsSeq(inner) {
				if !writeRune(&b, one) {
					return "", false
				}
			}
			i += len(inner) + 2
		default:
			if '0' <= c && c <= '7' {
				n := digits(p.rest[i-1:], 3, func(c byte) bool { return '0' <= c && c <= '7' })
				v, err := strconv.ParseUint(p.rest[i-1:i-1+n], 8, 8)
				if err != nil {
					return "", false
				}
				b.WriteByte(byte(v))
				i += n - 1
				continue
			}
			b.WriteByte(c)
		}
	}
	return "", false
}

func writeRune(b *strings.Builder, hex string) bool {
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		return false
	}
	b.WriteRune(rune(v))
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// digits counts those at the start of s, at most most.
func digits(s string, most int, is func(byte) bool) int {
	n := 0
	for n < min(len(s), most) && is(s[n]) {
		n++
	}
	return n
}

// list reads "[...]" of strings.
func (p *parser) list() ([]string, bool) {
	if !p.take("[") {
		return nil, false
	}
	var out []string
	for {
		if p.take("]") {
			if after, ok := strings.CutPrefix(p.rest, ".freeze"); ok {
				p.rest = after
			}
			return out, true
		}
		if len(out) > 0 && !p.take(",") {
			return nil, false
		}
		s, ok := p.text()
		if !ok || len(out) >= maxStatements {
			return nil, false
		}
		out = append(out, s)
	}
}

// maxLinks bounds the URLs of one specification; RubyGems knows nine keys.
const maxLinks = 32

// links reads "{ "key" => "value", ... }" of strings, and gives those whose key ends
// in "_uri". Of a repeated key the last counts, as in Ruby.
func (p *parser) links() ([]Link, bool) {
	if !p.take("{") {
		return nil, false
	}
	found := map[string]string{}
	for n := 0; ; n++ {
		if p.take("}") {
			break
		}
		if n > 0 && !p.take(",") || n > maxStatements {
			return nil, false
		}
		if n > 0 && p.take("}") {
			break
		}
		key, ok := p.text()
		if !ok || !p.take("=>") {
			return nil, false
		}
		value, ok := p.text()
		if !ok {
			return nil, false
		}
		if _, again := found[key]; strings.HasSuffix(key, "_uri") && (again || len(found) < maxLinks) {
			found[key] = value
		}
	}
	if after, ok := strings.CutPrefix(p.rest, ".freeze"); ok {
		p.rest = after
	}
	var out []Link
	for _, key := range slices.Sorted(maps.Keys(found)) {
		out = append(out, Link{key, found[key]})
	}
	return out, true
}

// dependency reads the arguments of add_dependency: a name, then requirements one by
// one or in a list.
func (p *parser) dependency() (Dependency, bool) {
	paren := p.take("(")
	var d Dependency
	var ok bool
	if d.Name, ok = p.text(); !ok || d.Name == "" {
		return d, false
	}
	for p.take(",") {
		if p.space(); strings.HasPrefix(p.rest, "[") {
			list, ok := p.list()
			if !ok {
				return d, false
			}
			d.Allowed = append(d.Allowed, list...)
			continue
		}
		one, ok := p.text()
		if !ok || len(d.Allowed) >= maxStatements {
			return d, false
		}
		d.Allowed = append(d.Allowed, one)
	}
	if paren && !p.take(")") {
		return d, false
	}
	return d, p.ends()
}
