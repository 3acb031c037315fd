package assay

import (
	"maps"
	"slices"
	"strings"

	packageurl "github.com/package-url/packageurl-go"
)

// PURL is a package URL in its canonical form (purl-spec, PURL-SPECIFICATION.rst
// and the rules of each type). It is comparable: two purls name the same package
// exactly if they are ==. The zero value is no purl.
type PURL struct {
	canonical string
}

// PURLParts are the components of a package URL, decoded.
type PURLParts struct {
	Type       string
	Namespace  string // segments joined by "/"
	Name       string
	Version    string
	Qualifiers map[string]string
	Subpath    string // segments joined by "/"
}

// ParsePURL reads a package URL and brings it to canonical form.
func ParsePURL(s string) (PURL, error) {
	p, err := packageurl.FromString(s)
	if err != nil {
		return PURL{}, &Error{Op: "parse purl", Kind: ErrInvalid, Value: s, Err: err}
	}
	return NewPURL(PURLParts{p.Type, p.Namespace, p.Name, p.Version, p.Qualifiers.Map(), p.Subpath})
}

// NewPURL makes a package URL of its parts, brought to canonical form.
func NewPURL(parts PURLParts) (PURL, error) {
	q := packageurl.QualifiersFromMap(parts.Qualifiers)
	p := packageurl.NewPackageURL(parts.Type, parts.Namespace, parts.Name, parts.Version, q, parts.Subpath)
	if err := p.Normalize(); err != nil {
		return PURL{}, &Error{Op: "make purl", Kind: ErrInvalid, Value: p.ToString(), Err: err}
	}
	return PURL{p.ToString()}, nil
}

// Parts takes the purl apart.
func (p PURL) Parts() PURLParts {
	if p.IsZero() {
		return PURLParts{}
	}
	v, err := packageurl.FromString(p.canonical)
	if err != nil { // canonical was made by NewPURL; it reads back
		panic("assay: canonical purl does not parse: " + p.canonical)
	}
	return PURLParts{v.Type, v.Namespace, v.Name, v.Version, v.Qualifiers.Map(), v.Subpath}
}

// Type is the part before the first slash: "deb", "golang", "npm".
func (p PURL) Type() string {
	t, _, _ := strings.Cut(strings.TrimPrefix(p.canonical, "pkg:"), "/")
	return t
}

// Matches reports whether p, read as a pattern, covers q: type, namespace and name
// are equal; version, each qualifier and the subpath are equal where p states them.
func (p PURL) Matches(q PURL) bool {
	if p == q {
		return !p.IsZero()
	}
	if p.IsZero() || q.IsZero() || p.Type() != q.Type() {
		return false
	}
	a, b := p.Parts(), q.Parts()
	if a.Namespace != b.Namespace || a.Name != b.Name ||
		a.Version != "" && a.Version != b.Version || a.Subpath != "" && a.Subpath != b.Subpath {
		return false
	}
	for _, k := range slices.Sorted(maps.Keys(a.Qualifiers)) {
		if a.Qualifiers[k] != b.Qualifiers[k] {
			return false
		}
	}
	return true
}

// IsZero reports whether p is no purl.
func (p PURL) IsZero() bool { return p.canonical == "" }

// String gives the canonical form.
func (p PURL) String() string { return p.canonical }

// Compare orders purls by their canonical form.
func (p PURL) Compare(q PURL) int { return strings.Compare(p.canonical, q.canonical) }

// MarshalText implements [encoding.TextMarshaler].
func (p PURL) MarshalText() ([]byte, error) { return []byte(p.canonical), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; empty text is no purl.
func (p *PURL) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*p = PURL{}
		return nil
	}
	v, err := ParsePURL(string(b))
	if err == nil {
		*p = v
	}
	return err
}
