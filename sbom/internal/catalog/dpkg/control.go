// Package dpkg reads what the Debian package manager leaves in an image: its
// status database, the file lists of packages, and copyright files.
//
// Start with [ParseStatus]. All parsers are pure: bytes in, facts out.
package dpkg

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// paragraph is the fields of one paragraph of a control file (deb-control(5),
// Debian Policy 5.1), by lowercase name. Values of several lines
// have the line breaks, and the spaces after them, that the file has.
type paragraph map[string]string

// MaxFaults is how many faults of one database are told one by one. Their number does
// not matter to what they mean: that not all is known.
const MaxFaults = 100

// Faults are the records of a database that were not understood, in order. A record
// says which are missing, not what the others mean, so those are read all the same.
type Faults struct {
	list []error
	more int
}

// Add notes one.
func (f *Faults) Add(err error) {
	if len(f.list) < MaxFaults {
		f.list = append(f.list, err)
	} else {
		f.more++
	}
}

// List gives them; the last one stands for those beyond [MaxFaults].
func (f *Faults) List() []error {
	if f.more == 0 {
		return f.list
	}
	return append(f.list[:len(f.list):len(f.list)], &assay.Error{Op: "read package database", Kind: assay.ErrInvalid,
		Value: strconv.Itoa(f.more) + " records more", Bound: "records that can be read"})
}

// eachParagraph calls f for the paragraphs of a control file in order. want says
// which fields (lowercase) are kept. f's map is reused after it returns. A paragraph
// that breaks the form is a fault, and so is one for which f gives an error; reading
// goes on behind it. An error of kind [assay.ErrBound] is a fault that ends it.
func eachParagraph(data []byte, want func(field string) bool, f func(p paragraph, line int) error) []error {
	var faults Faults
	var bad error // of the paragraph
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
	flush := func() (goOn bool) {
		keep()
		if bad == nil && len(seen) > 0 {
			bad = f(p, start)
		}
		err := bad
		bad = nil
		clear(p)
		clear(seen)
		if err != nil {
			faults.Add(err)
		}
		return !errors.Is(err, assay.ErrBound)
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
			if !flush() {
				return faults.List()
			}
		case bad != nil: // up to the end of the paragraph
		case line[0] == ' ' || line[0] == '\t':
			if len(seen) == 0 {
				bad = invalid(n, string(line), "a field before its continuation")
			}
			to = end
		default:
			keep()
			name, _, ok := bytes.Cut(line, []byte(":"))
			if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
				bad = invalid(n, string(line), `"Field: value"`)
				continue
			}
			if len(seen) == 0 {
				start = n
			}
			lower := strings.ToLower(string(name))
			if seen[lower] {
				bad = invalid(n, string(name), "each field once in a paragraph")
				continue
			}
			seen[lower] = true
			if want(lower) {
				field, from, to = lower, begin+len(name)+1, end
			}
		}
	}
	flush()
	return faults.List()
}

// Whole leaves out of a database the last line if it is without its line break: it was
// cut, and what is left of it may mean something else. The error says so.
func Whole(data []byte) ([]byte, error) {
	if len(data) == 0 || data[len(data)-1] == '\n' {
		return data, nil
	}
	i := bytes.LastIndexByte(data, '\n') + 1
	err := invalid(bytes.Count(data, []byte("\n"))+1, string(data[i:min(len(data), i+256)]), "a line break at the end of the file, which was cut")
	err.Op = "read package database"
	return data[:i], err
}

func invalid(line int, value, want string) *assay.Error {
	value = value[:min(len(value), 256)] // a fault is kept with the database
	return &assay.Error{Op: "read dpkg database", Kind: assay.ErrInvalid,
		Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}
