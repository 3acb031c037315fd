package npm

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay"
)

// maxYAMLDepth bounds nested mappings.
const maxYAMLDepth = 64

// maxYAMLKey is YAML's own bound on a key that stands before its colon (YAML 1.2,
// 7.4.2), in bytes.
const maxYAMLKey = 1024

// readYAML reads the part of YAML in which pnpm and Yarn write lock files, and calls
// f for each member of a mapping in order, with the keys that lead to it and its
// value as written, "" for a value that is no scalar. Lists and what is in them are
// passed over. path is reused after f returns.
//
// A full YAML reader builds a tree of some hundred times the size of a hostile file;
// here memory does not depend on the file. What these programs do not write (anchors,
// aliases, tags, tabs, directives, keys that are no scalars) is an error of kind
// [assay.ErrInvalid], and so is a key that a mapping has twice. A "---" begins
// another document, which gives an empty path.
func readYAML(name string, data []byte, f func(path []string, value string) error) error {
	r := &yamlReader{name: name, rest: strings.TrimPrefix(string(data), "\xef\xbb\xbf"), f: f}
	if !utf8.ValidString(r.rest) {
		return r.bad("a byte", "UTF-8")
	}
	for i, c := range r.rest {
		// Line breaks that only some readers know, and what YAML does not allow.
		if c < ' ' && c != '\n' && c != '\t' && (c != '\r' || !strings.HasPrefix(r.rest[i+1:], "\n")) ||
			c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfffe || c == 0xffff || c == 0xfeff {
			return r.bad(strconv.QuoteRune(c), "printable characters")
		}
	}
	for r.next() {
		if err := r.line(r.indent, r.text); err != nil {
			return err
		}
	}
	return r.answered()
}

// answered reports a "? key" that is without its value where the document ends.
func (r *yamlReader) answered() error {
	for _, l := range r.levels {
		if l.state == yamlExplicit {
			return r.bad("? key", `": " and the value of a key`)
		}
	}
	return nil
}

type yamlReader struct {
	name string
	rest string
	n    int // of the line
	f    func([]string, string) error

	indent int    // of the current line
	text   string // of it, without indentation, not blank and no comment
	noted  bool   // a line of comment came before it
	levels []yamlLevel
	path   []string
}

// yamlLevel is a mapping that is open.
type yamlLevel struct {
	indent int
	keys   map[string]bool
	state  yamlState
	list   int // the indentation of the list
}

// yamlState is what may follow the last key of a mapping.
type yamlState uint8

const (
	yamlDone     yamlState = iota // another key
	yamlOpen                      // its value, on deeper lines
	yamlPlain                     // more of a plain scalar
	yamlList                      // more of a list
	yamlExplicit                  // ": value" of "? key"
)

func (r *yamlReader) bad(value, want string) error {
	return &assay.Error{Op: "read lock file", Kind: assay.ErrInvalid, Subject: r.name, Field: "line " + strconv.Itoa(r.n), Value: value, Bound: want}
}

// raw gives the next line, whatever it is.
func (r *yamlReader) raw() (string, bool) {
	if r.rest == "" {
		return "", false
	}
	line, after, _ := strings.Cut(r.rest, "\n")
	r.rest = after
	r.n++
	return strings.TrimRight(line, " \r"), true
}

// next goes to the next line that says something.
func (r *yamlReader) next() bool {
	r.noted = false
	for {
		line, ok := r.raw()
		if !ok {
			return false
		}
		r.text = strings.TrimLeft(line, " ")
		r.indent = len(line) - len(r.text)
		switch {
		case r.text == "":
		case r.text[0] == '#':
			r.noted = true
		default:
			return true
		}
	}
}

func (r *yamlReader) line(indent int, text string) error {
	if strings.IndexByte(text, '\t') >= 0 {
		return r.bad(text, "no tab")
	}
	if indent == 0 && (strings.HasPrefix(text, "--- ") || strings.HasPrefix(text, "... ")) {
		return r.bad(text, "nothing after the mark of a document")
	}
	if indent == 0 && (text == "---" || text == "...") {
		if err := r.answered(); err != nil {
			return err
		}
		r.levels, r.path = r.levels[:0], r.path[:0]
		if text == "---" {
			return r.f(nil, "")
		}
		return nil
	}
	for n := len(r.levels); n > 0 && indent < r.levels[n-1].indent; n-- {
		if r.levels[n-1].state == yamlExplicit {
			return r.bad(text, `": " and the value of a key`)
		}
		r.levels, r.path = r.levels[:n-1], r.path[:n-1]
	}
	var top *yamlLevel
	if n := len(r.levels); n > 0 {
		top = &r.levels[n-1]
	}
	dash := text == "-" || strings.HasPrefix(text, "- ")
	switch {
	case top != nil && indent > top.indent && top.state == yamlPlain:
		// More of the scalar; a comment ends it.
		if plainKey(text) >= 0 || text[0] == '#' || r.noted {
			return r.bad(text, "one value")
		}
		if strings.Contains(text, " #") {
			top.state = yamlDone
		}
		return nil
	case top != nil && dash && indent >= top.indent && (top.state == yamlOpen || top.state == yamlList):
		return r.item(top, indent, text)
	case top == nil && indent == 0, top != nil && indent > top.indent && top.state == yamlOpen:
		if len(r.levels) >= maxYAMLDepth {
			return r.bad(text, "at most 64 levels")
		}
		if top != nil {
			top.state = yamlDone
		}
		r.levels = append(r.levels, yamlLevel{indent: indent, keys: map[string]bool{}})
		r.path = append(r.path, "")
		top = &r.levels[len(r.levels)-1]
	case top == nil || indent != top.indent:
		return r.bad(text, "the indentation of its mapping")
	}
	if top.state == yamlExplicit {
		rest, ok := strings.CutPrefix(text, ":")
		if !ok || rest != "" && rest[0] != ' ' {
			return r.bad(text, `": " and the value of a key`)
		}
		value := strings.TrimLeft(rest, " ")
		if inner := indent + len(text) - len(value); value != "" && isMember(value) {
			top.state = yamlOpen
			if err := r.f(r.path, ""); err != nil {
				return err
			}
			return r.line(inner, value) // a mapping that begins on this line
		}
		return r.value(value)
	}
	if key, ok := strings.CutPrefix(text, "? "); ok {
		k, after, err := r.scalar(strings.TrimLeft(key, " "), false)
		if err != nil {
			return err
		}
		if strings.TrimSpace(after) != "" {
			return r.bad(text, "a key")
		}
		top.state = yamlExplicit
		return r.key(k)
	}
	key, value, err := r.member(text)
	if err != nil {
		return err
	}
	if err := r.key(key); err != nil {
		return err
	}
	return r.value(value)
}

// item passes over an item of a list, which must be a scalar.
func (r *yamlReader) item(top *yamlLevel, indent int, text string) error {
	if top.state == yamlList && indent != top.list {
		return r.bad(text, "the indentation of its list")
	}
	top.state, top.list = yamlList, indent
	_, after, err := r.scalar(strings.TrimLeft(text[1:], " "), false)
	if err != nil {
		return err
	}
	if after = strings.TrimLeft(after, " "); after != "" && after[0] != '#' {
		return r.bad(text, "one scalar")
	}
	return nil
}

func (r *yamlReader) key(k string) error {
	top := &r.levels[len(r.levels)-1]
	if top.keys[k] {
		return r.bad(k, "each key once")
	}
	top.keys[k] = true
	r.path[len(r.path)-1] = k
	return nil
}

// isMember reports whether a text begins with a key.
func isMember(s string) bool {
	if s[0] == '"' || s[0] == '\'' {
		if i := strings.IndexByte(s[1:], s[0]); i >= 0 {
			rest := s[i+2:]
			return rest == ":" || strings.HasPrefix(rest, ": ")
		}
		return false
	}
	return s[0] != '{' && s[0] != '[' && plainKey(s) >= 0
}

// plainKey gives the length of a plain key: up to a colon that ends the line or that
// a blank follows.
func plainKey(s string) int {
	for i := range len(s) {
		if s[i] == ':' && (i+1 == len(s) || s[i+1] == ' ') {
			return i
		}
		if s[i] == '#' && i > 0 && s[i-1] == ' ' {
			return -1
		}
	}
	return -1
}

// member splits "key: value".
func (r *yamlReader) member(text string) (key, value string, err error) {
	switch text[0] {
	case '"', '\'':
		k, after, err := r.quoted(text, false)
		if err != nil {
			return "", "", err
		}
		rest, ok := strings.CutPrefix(strings.TrimLeft(after, " "), ":")
		if !ok || rest != "" && rest[0] != ' ' || len(text)-len(rest) > maxYAMLKey {
			return "", "", r.bad(text, `"key: value"`)
		}
		return k, strings.TrimLeft(rest, " "), nil
	}
	n := plainKey(text)
	if n <= 0 || n > maxYAMLKey || !plainStart(text) {
		return "", "", r.bad(text, `"key: value"`)
	}
	return strings.TrimRight(text[:n], " "), strings.TrimLeft(text[n+1:], " "), nil
}

// plainStart reports whether a plain scalar may begin so (YAML 1.2, 7.3.3).
func plainStart(s string) bool {
	if strings.IndexByte("[]{},#&*!|>%@`\"'", s[0]) >= 0 {
		return false
	}
	return strings.IndexByte("-?:", s[0]) < 0 || len(s) > 1 && s[1] != ' '
}

// value takes the value of the last key.
func (r *yamlReader) value(v string) error {
	top := &r.levels[len(r.levels)-1]
	top.state = yamlDone
	switch {
	case v == "" || v[0] == '#':
		top.state = yamlOpen
		return r.f(r.path, "")
	case v[0] == '{' || v[0] == '[':
		if err := r.f(r.path, ""); err != nil {
			return err
		}
		return r.flow(v)
	case v[0] == '|' || v[0] == '>':
		if head := v[1:]; head != "" && head != "-" && head != "+" {
			return r.bad(v, "a text whose indentation is that of its first line")
		}
		least, first := top.indent+1, true // the indentation is that of the first line
		for r.rest != "" {
			line, _, _ := strings.Cut(r.rest, "\n")
			line = strings.TrimSuffix(line, "\r")
			text := strings.TrimLeft(line, " ")
			if line != "" {
				if text == "" || text[0] == '\t' {
					return r.bad(line, "no line of blanks, and no tab")
				}
				if len(line)-len(text) < least {
					break
				}
				if first {
					least, first = len(line)-len(text), false
				}
			}
			r.raw()
		}
		return r.f(r.path, "")
	}
	s, after, err := r.scalar(v, false)
	if err != nil {
		return err
	}
	if after = strings.TrimLeft(after, " "); after != "" && after[0] != '#' {
		return r.bad(v, "one value")
	}
	if v[0] != '"' && v[0] != '\'' && after == "" {
		top.state = yamlPlain
	}
	return r.f(r.path, s)
}

// scalar reads one from the beginning of s.
func (r *yamlReader) scalar(s string, flow bool) (text, after string, err error) {
	if s == "" {
		return "", "", r.bad(s, "a scalar")
	}
	if s[0] == '"' || s[0] == '\'' {
		return r.quoted(s, true)
	}
	if !plainStart(s) {
		return "", "", r.bad(s, "a scalar without anchor, alias or tag")
	}
	if flow && len(s) > 1 && strings.IndexByte("-?:", s[0]) >= 0 && strings.IndexByte(",[]{}:", s[1]) >= 0 {
		return "", "", r.bad(s, "a scalar")
	}
	end := len(s)
	for i := range len(s) {
		c := s[i]
		if flow && c == '?' && (i+1 == len(s) || s[i+1] == ' ') {
			return "", "", r.bad(s, "no question mark before a blank, which readers take in two ways")
		}
		if flow && c == ':' && i+1 < len(s) && strings.IndexByte(",[]{}", s[i+1]) >= 0 {
			return "", "", r.bad(s, "a blank after the colon")
		}
		if c == '#' && i > 0 && s[i-1] == ' ' || c == ':' && (i+1 == len(s) || s[i+1] == ' ') ||
			flow && strings.IndexByte(",[]{}", c) >= 0 {
			if c == ':' && !flow {
				return "", "", r.bad(s, "one value")
			}
			end = i
			break
		}
	}
	return strings.TrimRight(s[:end], " "), s[end:], nil
}

// quoted reads a scalar in quotes, over several lines if lines is set.
func (r *yamlReader) quoted(s string, lines bool) (text, after string, err error) {
	var b strings.Builder
	q := s[0]
	for i := 1; ; i++ {
		if i >= len(s) {
			more, ok := "", false
			if lines {
				more, ok = r.raw()
			}
			if !ok {
				return "", "", r.bad(string(q), "a closing quote")
			}
			// Lines are folded into one.
			if s, i = strings.TrimLeft(more, " "), -1; s == "" || strings.IndexByte(s, '\t') >= 0 {
				return "", "", r.bad(s, "no empty line and no tab")
			}
			b.WriteByte(' ')
			if b.Len() > 1<<20 {
				return "", "", r.bad("a scalar", "at most 1048576 bytes")
			}
			continue
		}
		switch c := s[i]; {
		case c == q && q == '\'' && i+1 < len(s) && s[i+1] == q:
			b.WriteByte(q)
			i++
		case c == q:
			return b.String(), s[i+1:], nil
		case c == '\\' && q == '"':
			i++
			if i >= len(s) {
				return "", "", r.bad(s, "no escaped line break")
			}
			switch s[i] {
			case '"', '\\', '/':
				b.WriteByte(s[i])
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case '0':
				b.WriteByte(0)
			case ' ':
				b.WriteByte(' ')
			case 'x', 'u', 'U':
				n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
				if i+n >= len(s) {
					return "", "", r.bad(s, "an escape sequence")
				}
				v, err := strconv.ParseUint(s[i+1:i+1+n], 16, 32)
				if err != nil || !utf8.ValidRune(rune(v)) {
					return "", "", r.bad(s, "an escape sequence")
				}
				b.WriteRune(rune(v))
				i += n
			default:
				return "", "", r.bad(s[i-1:i+1], "an escape sequence that lock files have")
			}
		default:
			b.WriteByte(c)
		}
	}
}

// flow reads a mapping or a list in braces, which may go on over several lines.
func (r *yamlReader) flow(s string) error {
	base := len(r.path)
	type open struct {
		brace byte
		keys  map[string]bool
	}
	var stack []open
	lists := 0  // that are open: what is in them is passed over
	want := 'v' // a value, a 'k'ey, or ',' after a value
	for {
		s = strings.TrimLeft(s, " ")
		if s == "" || s[0] == '#' {
			var ok bool
			if s, ok = r.raw(); !ok {
				return r.bad("", "a closing brace")
			}
			if strings.IndexByte(s, '\t') >= 0 {
				return r.bad(s, "no tab")
			}
			continue
		}
		n := len(stack)
		switch c := s[0]; {
		case (c == '{' || c == '[') && want == 'v':
			if len(r.path) >= maxYAMLDepth {
				return r.bad(s, "at most 64 levels")
			}
			stack = append(stack, open{c, map[string]bool{}})
			r.path = append(r.path, "")
			if want = 'k'; c == '[' {
				want = 'v'
				lists++
			}
			s = s[1:]
		case n > 0 && (c == '}' && stack[n-1].brace == '{' || c == ']' && stack[n-1].brace == '['):
			if c == ']' {
				lists--
			}
			stack, r.path = stack[:n-1], r.path[:len(r.path)-1]
			s, want = s[1:], ','
			if n == 1 {
				r.path = r.path[:base]
				if s = strings.TrimLeft(s, " "); s != "" && s[0] != '#' {
					return r.bad(s, "one value")
				}
				return nil
			}
		case c == ',' && want == ',':
			if s, want = s[1:], 'v'; stack[n-1].brace == '{' {
				want = 'k'
			}
		case want == 'k':
			k, after, err := r.scalar(s, true)
			if err != nil {
				return err
			}
			after = strings.TrimLeft(after, " ")
			rest, ok := strings.CutPrefix(after, ":")
			if !ok || k == "" || !strings.HasPrefix(rest, " ") || len(s)-len(rest) > maxYAMLKey {
				return r.bad(s, `"key: value"`)
			}
			if stack[n-1].keys[k] {
				return r.bad(k, "each key once")
			}
			stack[n-1].keys[k] = true
			r.path[len(r.path)-1] = k
			s, want = strings.TrimLeft(rest, " "), 'v'
			if s == "" || s[0] == '#' {
				return r.bad(k, "its value on the same line")
			}
			if strings.IndexByte("{[,}", s[0]) >= 0 {
				if lists == 0 {
					if err := r.f(r.path, ""); err != nil {
						return err
					}
				}
				if s[0] == ',' || s[0] == '}' {
					want = ','
				}
			}
		case want == 'v':
			v, after, err := r.scalar(s, true)
			if err != nil {
				return err
			}
			if strings.HasPrefix(after, ":") {
				return r.bad(s, "no mapping in a list")
			}
			if lists == 0 {
				if err := r.f(r.path, v); err != nil {
					return err
				}
			}
			s, want = after, ','
		default:
			return r.bad(s, "a comma or a closing brace")
		}
	}
}
