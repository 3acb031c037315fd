package python

import (
	"strings"

	"github.com/assaykit/assay"
)

// Requirement is a dependency specifier (packaging.python.org, Dependency
// specifiers; PEP 508). The versions that it allows are not kept: of one package
// one version is installed, whatever was asked for.
type Requirement struct {
	// Name is normalized, see [NormalName].
	Name string
	// Extras of that package are wanted too, normalized.
	Extras []string
	// Marker says when it is required; nil means always.
	Marker *Marker
}

// Size is about how many bytes the requirement takes in memory.
func (r *Requirement) Size() int {
	n := 96 + len(r.Name)
	for _, e := range r.Extras {
		n += 16 + len(e)
	}
	return n + r.Marker.size()
}

// maxRequirement bounds the length of one specifier in bytes.
const maxRequirement = 8192

// ParseRequirement reads one dependency specifier. Versions may be in parentheses,
// as old metadata have them. The error is of kind [assay.ErrInvalid] or
// [assay.ErrBound].
func ParseRequirement(text string) (Requirement, error) {
	if len(text) > maxRequirement {
		return Requirement{}, &assay.Error{Op: "read Python dependency", Kind: assay.ErrBound, Value: text, Bound: "at most 8192 bytes"}
	}
	bad := func(want string) (Requirement, error) {
		return Requirement{}, &assay.Error{Op: "read Python dependency", Kind: assay.ErrInvalid, Value: text, Bound: want, Rule: "PEP 508"}
	}
	s := strings.TrimSpace(text)
	n := 0
	for n < len(s) && isNameByte(s[n]) {
		n++
	}
	name, rest := s[:n], strings.TrimSpace(s[n:])
	if !ValidName(name) {
		return bad("a name first")
	}
	r := Requirement{Name: NormalName(name)}
	if inner, ok := strings.CutPrefix(rest, "["); ok {
		list, after, ok := strings.Cut(inner, "]")
		if !ok {
			return bad(`"]" after extras`)
		}
		for e := range strings.SplitSeq(list, ",") {
			if e = strings.TrimSpace(e); e != "" {
				if !ValidName(e) {
					return bad("names of extras")
				}
				r.Extras = append(r.Extras, NormalName(e))
			}
		}
		rest = strings.TrimSpace(after)
	}
	// In a URL a semicolon may stand; white space ends it.
	sep := ";"
	if strings.HasPrefix(rest, "@") {
		sep = " ;"
	}
	spec, marker, marked := strings.Cut(rest, sep)
	if spec = strings.TrimSpace(spec); spec != "" && !strings.ContainsRune("=<>!~(@", rune(spec[0])) {
		return bad("a version, a URL or a marker after the name")
	}
	if marked {
		m, err := ParseMarker(marker)
		if err != nil {
			return Requirement{}, err
		}
		r.Marker = m
	}
	return r, nil
}

// ParseRequires reads requires.txt of an egg-info folder, in which a section
// "[extra:marker]" holds for the lines below it (setuptools, "The .egg-info
// directory"). partial tells that a line could not be understood.
func ParseRequires(data []byte) (out []Requirement, partial bool) {
	var section *Marker
	known := true // the section's header was understood
	for line := range strings.Lines(string(data)) {
		line = strings.Clone(strings.TrimSpace(line)) // a part would keep the whole text
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && line[len(line)-1] == ']':
			extra, cond, _ := strings.Cut(line[1:len(line)-1], ":")
			section, known = nil, true
			if strings.TrimSpace(cond) != "" {
				m, err := ParseMarker(cond)
				if err != nil {
					known, partial = false, true
				}
				section = m
			}
			if extra = strings.TrimSpace(extra); extra != "" {
				e := &Marker{op: "==", left: operand{name: "extra"}, right: operand{text: extra}}
				if section == nil {
					section = e
				} else {
					section = &Marker{op: "and", kids: []*Marker{section, e}}
				}
			}
		case !known:
		default:
			r, err := ParseRequirement(line)
			if err != nil || len(out) >= maxRequires {
				partial = true
				continue
			}
			switch {
			case r.Marker == nil:
				r.Marker = section
			case section != nil:
				r.Marker = &Marker{op: "and", kids: []*Marker{section, r.Marker}}
			}
			out = append(out, r)
		}
	}
	return out, partial
}

// ValidName reports whether a name is one of a project or an extra (PEP 508).
func ValidName(s string) bool {
	if s == "" || !isAlnum(s[0]) || !isAlnum(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}

func isNameByte(c byte) bool { return isAlnum(c) || c == '-' || c == '_' || c == '.' }

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
