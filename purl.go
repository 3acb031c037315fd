package assay

import (
	"errors"
	"strings"

	packageurl "github.com/package-url/packageurl-go"
)

// PURL is a package URL in its canonical form (ECMA-427, Package-URL
// specification, and the rules of each type). It is comparable: two purls are the
// same package URL exactly if they are ==, so it serves as a map key. The zero
// value is no purl.
type PURL struct {
	// canonical is ASCII, and split never has to decode it: every "/", "@", "?",
	// "#", "&" and "=" in it that is not percent-encoded is a separator.
	canonical string
}

// PURLParts are the components of a package URL, decoded.
type PURLParts struct {
	Type       string            // lower case
	Namespace  string            // segments joined by "/"
	Name       string            // contains "/" for type git only, or where it was encoded
	Version    string            // empty if none is given
	Qualifiers map[string]string // by lower-case key, no empty values; never nil after Parts
	Subpath    string            // segments joined by "/"
}

// ParsePURL reads a package URL and brings it to canonical form. What the
// specification calls equal (a type in upper case, an encoded character that need
// not be, qualifiers in another order) becomes equal; what breaks one of its rules
// is an error of kind [ErrInvalid]. [NormalizePURL] also reads purls that break the
// rules in ways that leave no doubt of what was meant.
func ParsePURL(s string) (PURL, error) {
	p, err := packageurl.FromString(s)
	if err != nil {
		return PURL{}, invalidPURL(s, err)
	}
	if err := checkSpelling(s, p.Type); err != nil {
		return PURL{}, invalidPURL(s, err)
	}
	return canonicalPURL(s, p)
}

// NormalizePURL reads a package URL as [ParsePURL] does, and mends it where the
// specification recommends so for data found in the wild: keys of qualifiers are
// brought to lower case, and so is the path of a git purl on a host that is known
// not to tell case apart.
func NormalizePURL(s string) (PURL, error) {
	p, err := packageurl.FromString(s)
	if err != nil {
		return PURL{}, invalidPURL(s, err)
	}
	if err := checkText(s); err != nil {
		return PURL{}, invalidPURL(s, err)
	}
	foldGit(&p)
	return canonicalPURL(s, p)
}

// MustPURL is [ParsePURL] for constants; it panics where that gives an error.
func MustPURL(s string) PURL {
	p, err := ParsePURL(s)
	if err != nil {
		panic(err)
	}
	return p
}

// NewPURL makes a package URL of its parts, brought to canonical form. Qualifiers
// with an empty value are left out; two keys that differ in case only are an error.
func NewPURL(parts PURLParts) (PURL, error) {
	p := packageurl.PackageURL{
		Type: parts.Type, Namespace: parts.Namespace, Name: parts.Name, Version: parts.Version,
		Qualifiers: packageurl.QualifiersFromMap(parts.Qualifiers), Subpath: parts.Subpath,
	}
	shown := p.ToString()
	if err := checkText(shown); err != nil && errors.Is(err, errNotUTF8) {
		return PURL{}, invalidPURL(shown, err)
	}
	if err := p.Normalize(); err != nil {
		return PURL{}, invalidPURL(shown, err)
	}
	return canonicalPURL(shown, p)
}

func invalidPURL(s string, err error) error {
	return &Error{Op: "parse purl", Kind: ErrInvalid, Value: s, Err: err}
}

// split cuts the canonical form at its separators. The parts are still encoded;
// path is "type/namespace/name".
func (p PURL) split() (path, version, qualifiers, subpath string) {
	path = strings.TrimPrefix(p.canonical, "pkg:")
	path, subpath, _ = strings.Cut(path, "#")
	path, qualifiers, _ = strings.Cut(path, "?")
	path, version, _ = strings.Cut(path, "@")
	return path, version, qualifiers, subpath
}

// Parts takes the purl apart.
func (p PURL) Parts() PURLParts {
	if p.IsZero() {
		return PURLParts{}
	}
	path, version, qualifiers, subpath := p.split()
	out := PURLParts{Version: decode(version), Subpath: decode(subpath), Qualifiers: map[string]string{}}
	out.Type, path, _ = strings.Cut(path, "/")
	out.Namespace, out.Name = splitName(out.Type, path)
	out.Namespace, out.Name = decode(out.Namespace), decode(out.Name)
	for pair := range strings.SplitSeq(qualifiers, "&") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			out.Qualifiers[k] = decode(v)
		}
	}
	return out
}

// Type is the first part: "deb", "golang", "npm".
func (p PURL) Type() string {
	t, _, _ := strings.Cut(strings.TrimPrefix(p.canonical, "pkg:"), "/")
	return t
}

// Version is the version, decoded; empty if there is none.
func (p PURL) Version() string {
	_, version, _, _ := p.split()
	return decode(version)
}

// Qualifier gives the decoded value of one qualifier, "" if there is none.
func (p PURL) Qualifier(key string) string {
	_, _, qualifiers, _ := p.split()
	v, _ := encodedQualifier(qualifiers, key)
	return decode(v)
}

// Package gives type, namespace and name alone. All versions of one package have
// the same; it is the key to join by before versions are compared.
func (p PURL) Package() PURL {
	if i := strings.IndexAny(p.canonical, "@?#"); i >= 0 {
		return PURL{p.canonical[:i]}
	}
	return p
}

// Matches reports whether p, read as a pattern, covers q: type, namespace and name
// are equal; version, each qualifier and the subpath are equal where p states them.
// The zero purl matches nothing. It does not allocate.
func (p PURL) Matches(q PURL) bool {
	if p.IsZero() || q.IsZero() {
		return false
	}
	if p == q {
		return true
	}
	// One canonical spelling each: encoded parts are equal where decoded ones are.
	ppath, pversion, pquals, psub := p.split()
	qpath, qversion, qquals, qsub := q.split()
	if ppath != qpath || pversion != "" && pversion != qversion || psub != "" && psub != qsub {
		return false
	}
	for pair := range strings.SplitSeq(pquals, "&") {
		k, v, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if have, ok := encodedQualifier(qquals, k); !ok || have != v {
			return false
		}
	}
	return true
}

func encodedQualifier(qualifiers, key string) (string, bool) {
	for pair := range strings.SplitSeq(qualifiers, "&") {
		if k, v, ok := strings.Cut(pair, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// IsZero reports whether p is no purl.
func (p PURL) IsZero() bool { return p.canonical == "" }

// String gives the canonical form, which is ASCII; "" for no purl.
func (p PURL) String() string { return p.canonical }

// Compare orders purls by their canonical form.
func (p PURL) Compare(q PURL) int { return strings.Compare(p.canonical, q.canonical) }

// MarshalText implements [encoding.TextMarshaler].
func (p PURL) MarshalText() ([]byte, error) { return []byte(p.canonical), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by [ParsePURL]; empty text is
// no purl.
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
