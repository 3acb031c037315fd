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
// Debian Policy 5.1), by lowercase name. Continuation lines keep their line breaks.
type paragraph map[string]string

// eachParagraph calls f for the paragraphs of a control file in order. want says
// which fields (lowercase) are kept. f's map is reused after it returns.
func eachParagraph(data []byte, want func(field string) bool, f func(p paragraph, line int) error) error {
	p := paragraph{}
	seen := map[string]bool{}
	var field string // the field that continuation lines belong to, "" for one that is not kept
	inField := false
	start, n := 1, 0
	flush := func() error {
		if len(seen) == 0 {
			return nil
		}
		err := f(p, start)
		clear(p)
		clear(seen)
		inField = false
		return err
	}
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		n++
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			if err := flush(); err != nil {
				return err
			}
		case line[0] == ' ' || line[0] == '\t':
			if !inField {
				return invalid(n, string(line), "a field before its continuation")
			}
			if field != "" {
				p[field] += "\n" + strings.TrimRight(string(line), " \t")
			}
		default:
			name, value, ok := bytes.Cut(line, []byte(":"))
			if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
				return invalid(n, string(line), `"Field: value"`)
			}
			if len(seen) == 0 {
				start = n
			}
			field = strings.ToLower(string(name))
			if seen[field] {
				return invalid(n, string(name), "each field once in a paragraph")
			}
			seen[field], inField = true, true
			if !want(field) {
				field = ""
				continue
			}
			p[field] = string(bytes.TrimSpace(value))
		}
	}
	return flush()
}

func invalid(line int, value, want string) *assay.Error {
	return &assay.Error{Op: "read dpkg database", Kind: assay.ErrInvalid,
		Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}
