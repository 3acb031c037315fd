package npm

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/assaykit/assay"
)

// Bounds of a lock file in YAML. The largest known are of some megabytes.
const (
	maxYAMLBytes = 32 << 20
	maxYAMLEntry = 256 << 10 // of one entry of the file, or of one of its first mappings
	maxYAMLKeys  = 1 << 18
	maxYAMLDepth = 64
	// yamlPart is how much of a file is parsed at once: enough that starting a parser
	// does not count, little enough that its tree, some tens of times the size of the
	// text, is nothing to speak of.
	yamlPart = 16 << 10
)

// readYAML reads a lock file of pnpm or Yarn, and calls f for each member of a mapping
// in order, with the keys that lead to it and its value, "" for a value that is no
// scalar. Lists and what is in them are passed over. path is reused after f returns. A
// "---" begins another document, which gives an empty path.
//
// The parser is yaml/v3's, which makes a tree; so that memory does not depend on the
// file it gets some entries of the file, or of one mapping at its top, at a time.
// Where an entry begins is told by indentation, and each part must be a whole document
// of its own: an entry goes on as far as the next line that is not indented deeper, so
// no text means one thing in parts and another as a whole. What says otherwise, such
// as a value in quotes whose later lines are not indented, is refused, although YAML
// may allow it.
//
// What these programs do not write is refused too: anchors, aliases, tags, merge keys,
// keys that are no scalars, directives, and line breaks that only some readers know. So
// is a key that a mapping has twice. The error is of kind [assay.ErrInvalid], or
// [assay.ErrBound].
func readYAML(name string, data []byte, f func(path []string, value string) error) error {
	return newYAMLReader(name, f).read(data, yamlPart, maxYAMLEntry)
}

type yamlReader struct {
	name string
	f    func([]string, string) error
	path []string
	top  map[string]bool // keys of the document
	n    int             // keys in maps that last
}

func newYAMLReader(name string, f func([]string, string) error) *yamlReader {
	return &yamlReader{name: name, f: f, top: map[string]bool{}}
}

func (r *yamlReader) fail(kind error, line int, value, want string) error {
	return &assay.Error{Op: "read lock file", Kind: kind, Subject: r.name, Field: "line " + strconv.Itoa(line), Value: strings.Clone(value[:min(len(value), 256)]), Bound: want}
}

func (r *yamlReader) bad(line int, value, want string) error {
	return r.fail(assay.ErrInvalid, line, value, want)
}

// text is lines of the file, and the number of the first one.
type text struct {
	s    string
	line int
}

func (t text) cut(n int) (head, rest text) {
	return text{t.s[:n], t.line}, text{t.s[n:], t.line + strings.Count(t.s[:n], "\n")}
}

// read parses parts of about part bytes, and entries of at most entry bytes.
func (r *yamlReader) read(data []byte, part, entry int) error {
	if len(data) > maxYAMLBytes {
		return r.fail(assay.ErrBound, 1, strconv.Itoa(len(data))+" bytes", "at most "+strconv.Itoa(maxYAMLBytes))
	}
	rest := text{strings.TrimPrefix(string(data), "\xef\xbb\xbf"), 1}
	if err := r.characters(rest); err != nil {
		return err
	}
	for rest.s != "" {
		// A document goes up to a line of "---".
		end := 0
		for end < len(rest.s) {
			line, _, _ := strings.Cut(rest.s[end:], "\n")
			if strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...") || strings.HasPrefix(line, "%") {
				break
			}
			end = min(end+len(line)+1, len(rest.s))
		}
		var doc text
		doc, rest = rest.cut(end)
		if err := r.mapping(doc, "", 0, part, entry); err != nil {
			return err
		}
		if rest.s == "" {
			break
		}
		line, _, _ := strings.Cut(rest.s, "\n")
		if strings.TrimRight(line, " \r") != "---" {
			return r.bad(rest.line, line, `nothing but "---" between documents`)
		}
		_, rest = rest.cut(min(len(line)+1, len(rest.s)))
		clear(r.top)
		if err := r.f(nil, ""); err != nil {
			return err
		}
	}
	return nil
}

// characters refuses line breaks that only some readers know, and what YAML does not
// allow (YAML 1.2, 5.1 and 5.4).
func (r *yamlReader) characters(t text) error {
	if !utf8.ValidString(t.s) {
		return r.bad(t.line, "a byte", "UTF-8")
	}
	for i, c := range t.s {
		if c < ' ' && c != '\n' && c != '\t' && (c != '\r' || !strings.HasPrefix(t.s[i+1:], "\n")) ||
			c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfffe || c == 0xffff || c == 0xfeff {
			return r.bad(t.line+strings.Count(t.s[:i], "\n"), strconv.QuoteRune(c), "printable characters")
		}
	}
	return nil
}

// begins reports whether a line begins an entry of a mapping at that indentation, by
// what stands there: not deeper, no item of a list and no value of a key above.
func begins(line string, indent int) bool {
	if len(line) <= indent || strings.Trim(line[:indent], " ") != "" {
		return false
	}
	c, next := line[indent], byte(' ')
	if indent+1 < len(line) {
		next = line[indent+1]
	}
	switch c {
	case ' ', '\t', '\r', '#':
		return false
	case '-', ':':
		return next != ' ' && next != '\t' && next != '\r'
	}
	return true
}

// mapping reads the entries at an indentation; header is the line of the key that
// leads to them, if one does.
func (r *yamlReader) mapping(t text, header string, indent, part, entry int) error {
	for t.s != "" {
		end, first := 0, 0 // of the entries so far, and of the first alone
		for at := 0; at < len(t.s); {
			next := at
			for {
				line, _, _ := strings.Cut(t.s[next:], "\n")
				next = min(next+len(line)+1, len(t.s))
				line, _, _ = strings.Cut(t.s[next:], "\n")
				if next == len(t.s) || begins(line, indent) {
					break
				}
			}
			if end > 0 && next > part {
				break
			}
			if first == 0 {
				first = next
			}
			at, end = next, next
		}
		var now text
		now, t = t.cut(end)
		if end == first && end > entry {
			if header != "" {
				return r.fail(assay.ErrBound, now.line, strconv.Itoa(end)+" bytes", "entries of at most "+strconv.Itoa(entry))
			}
			if err := r.inner(now, part, entry); err != nil {
				return err
			}
			continue
		}
		if err := r.parse(now, header, indent); err != nil {
			return err
		}
	}
	return nil
}

// inner reads an entry of the file that is itself a large mapping, one entry of that
// after the other.
func (r *yamlReader) inner(t text, part, entry int) error {
	lead := 0 // blank lines and comments before it
	for lead < len(t.s) && !begins(t.s[lead:], 0) {
		line, _, _ := strings.Cut(t.s[lead:], "\n")
		if bare := strings.TrimLeft(strings.TrimRight(line, " \r"), " "); bare != "" && bare[0] != '#' {
			return r.bad(t.line+strings.Count(t.s[:lead], "\n"), line, "a key that is not indented")
		}
		lead = min(lead+len(line)+1, len(t.s))
	}
	if lead == len(t.s) {
		return nil // nothing else
	}
	_, t = t.cut(lead)
	line, _, _ := strings.Cut(t.s, "\n")
	_, body := t.cut(min(len(line)+1, len(t.s)))
	indent := -1
	for l := range strings.Lines(body.s) {
		if bare := strings.TrimLeft(l, " "); strings.TrimRight(bare, "\r\n") != "" && bare[0] != '#' {
			indent = len(l) - len(bare)
			break
		}
	}
	header := strings.TrimRight(line, " \r")
	if indent < 1 || !strings.HasSuffix(header, ":") || len(header) > entry {
		return r.fail(assay.ErrBound, t.line, strconv.Itoa(len(t.s))+" bytes", "entries of at most "+strconv.Itoa(entry)+", or a mapping of such")
	}
	// The key itself, and that it is one.
	if err := r.parse(text{header + "\n", t.line}, "", 0); err != nil {
		return err
	}
	keys := r.top
	r.top = map[string]bool{}
	defer func() { r.top = keys }()
	return r.mapping(body, header+"\n", indent, part, entry)
}

// parse reads some entries of the document, or, with a header, of one of its mappings,
// which is indented so.
func (r *yamlReader) parse(t text, header string, indent int) error {
	root, err := parseYAML(header + t.s)
	if err != nil {
		what := strings.TrimPrefix(err.Error(), "yaml: ")
		if n, rest, ok := strings.Cut(strings.TrimPrefix(what, "line "), ": "); ok {
			if n, err := strconv.Atoi(n); err == nil {
				return r.bad(max(t.line, t.line+n-1-strings.Count(header, "\n")), rest, "YAML")
			}
		}
		// The parser does not always say where.
		return &assay.Error{Op: "read lock file", Kind: assay.ErrInvalid, Subject: r.name, Value: what, Bound: "YAML",
			Field: fmt.Sprintf("lines %d to %d", t.line, t.line+strings.Count(strings.TrimSuffix(t.s, "\n"), "\n"))}
	}
	if root == nil {
		return nil // comments alone
	}
	// A first part that is indented otherwise would be right alone, and wrong before the
	// others.
	entries := func(n *yaml.Node, indent int) bool {
		return n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle == 0 && n.Column == indent+1
	}
	if !entries(root, 0) {
		return r.bad(t.line, root.Value, "a mapping, one entry a line")
	}
	at := func(n *yaml.Node) int { return max(t.line, t.line+n.Line-1-strings.Count(header, "\n")) }
	r.path = r.path[:0]
	if header != "" {
		inner := root.Content[1]
		if err := r.plain(root, at); err != nil {
			return err
		}
		if inner.Kind == yaml.ScalarNode && inner.Value == "" && inner.Tag == "!!null" && len(root.Content) == 2 {
			return nil // comments alone
		}
		if len(root.Content) != 2 || !entries(inner, indent) {
			return r.bad(t.line, inner.Value, "a mapping, one entry a line")
		}
		r.path = append(r.path, root.Content[0].Value)
		root = inner
	}
	return r.walk(root, r.top, at)
}

// plain refuses what has an anchor, an alias or a tag.
func (r *yamlReader) plain(n *yaml.Node, at func(*yaml.Node) int) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return r.bad(at(n), n.Value, "no anchor, alias or tag")
	}
	return nil
}

// walk tells the members of a mapping. keys is nil, but where the mapping goes on in
// other parts.
func (r *yamlReader) walk(n *yaml.Node, keys map[string]bool, at func(*yaml.Node) int) error {
	if err := r.plain(n, at); err != nil {
		return err
	}
	if len(r.path) >= maxYAMLDepth {
		return r.fail(assay.ErrBound, at(n), "a deeper mapping", "at most "+strconv.Itoa(maxYAMLDepth)+" levels")
	}
	lasting := keys != nil
	if !lasting {
		keys = make(map[string]bool, len(n.Content)/2)
	}
	r.path = append(r.path, "")
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if err := r.plain(k, at); err != nil {
			return err
		}
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			return r.bad(at(k), k.Value, "a key that is a scalar")
		}
		if keys[k.Value] {
			return r.bad(at(k), k.Value, "each key once")
		}
		keys[k.Value] = true
		if lasting {
			if r.n++; r.n > maxYAMLKeys {
				return r.fail(assay.ErrBound, at(k), "more keys", "at most "+strconv.Itoa(maxYAMLKeys))
			}
		}
		r.path[len(r.path)-1] = k.Value
		value := ""
		if v.Kind == yaml.ScalarNode {
			value = v.Value
		}
		if err := r.plain(v, at); err != nil {
			return err
		}
		if err := r.f(r.path, value); err != nil {
			return err
		}
		var err error
		switch v.Kind {
		case yaml.MappingNode:
			err = r.walk(v, nil, at)
		case yaml.SequenceNode:
			err = r.list(v, len(r.path), at)
		}
		if err != nil {
			return err
		}
	}
	r.path = r.path[:len(r.path)-1]
	return nil
}

// list passes over a list, in which nothing may refer to anything either.
func (r *yamlReader) list(n *yaml.Node, depth int, at func(*yaml.Node) int) error {
	if depth >= maxYAMLDepth {
		return r.fail(assay.ErrBound, at(n), "a deeper list", "at most "+strconv.Itoa(maxYAMLDepth)+" levels")
	}
	for _, c := range n.Content {
		if err := r.plain(c, at); err != nil {
			return err
		}
		if err := r.list(c, depth+1, at); err != nil {
			return err
		}
	}
	return nil
}

// parseYAML gives the one value that a text is, nil if it is none. The parser panics
// for errors of its own and lets other panics through; a lock file of an image must
// not end the program, whatever is found in the parser one day.
func parseYAML(s string) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("the parser failed: %v", p)
		}
	}()
	d := yaml.NewDecoder(strings.NewReader(s))
	var doc, more yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	switch err := d.Decode(&more); {
	case err == nil:
		return nil, errors.New("one value and another")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("not one value")
	}
	return doc.Content[0], nil
}
