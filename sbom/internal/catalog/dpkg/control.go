// Package dpkg reads what the Debian package manager leaves in an image: its
// status database, the file lists of packages, and copyright files.
//
// Start with [ParseStatus]. All parsers are pure: bytes in, facts out.
package dpkg

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// paragraph is the fields of one paragraph of a control file (deb-control(5),
// Debian Policy 5.1), by lowercase name. Values of several lines
// have the line breaks, and the spaces after them, that the file has.
type paragraph map[string]string

// eachParagraph calls f for the paragraphs of a control file in order. want says
// which fields (lowercase) are kept. f's map is reused after it returns.
func eachParagraph(data []byte, want func(field string) bool, f func(p paragraph, line int) error) error {
	p := paragraph{}
	seen := map[string]bool{}
	var field string // the field that continuation lines belong to, "" for one that is not kept
	var from, to int // where its value is, line breaks and all
	start, n := 1, 0 // lines
	keep := func() {
		if field != "" {
			p[field] = string(bytes.TrimSpace(data[from:to]))
		}
		field = ""
	}
	flush := func() error {
		keep()
		if len(seen) == 0 {
			return nil
		}
		err := f(p, start)
		clear(p)
		clear(seen)
		return err
	}
	for at := 0; at < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i
		}
		line := bytes.TrimSuffix(data[at:end], []byte("\r"))
		begin := at
		at = end + 1
		n++
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			if err := flush(); err != nil {
				return err
			}
		case line[0] == ' ' || line[0] == '\t':
			if len(seen) == 0 {
				return invalid(n, string(line), "a field before its continuation")
			}
			to = end
		default:
			keep()
			name, _, ok := bytes.Cut(line, []byte(":"))
			if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
				return invalid(n, string(line), `"Field: value"`)
			}
			if len(seen) == 0 {
				start = n
			}
			lower := strings.ToLower(string(name))
			if seen[lower] {
				return invalid(n, string(name), "each field once in a paragraph")
			}
			seen[lower] = true
			if want(lower) {
				field, from, to = lower, begin+len(name)+1, end
			}
		}
	}
	return flush()
}

func invalid(line int, value, want string) *assay.Error {
	return &assay.Error{Op: "read dpkg database", Kind: assay.ErrInvalid,
		Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}
