// Package pacman reads the database of installed packages of Arch Linux's package
// manager: the files desc and files of each folder in var/lib/pacman/local.
//
// Start with [ParseDesc].
package pacman

import (
	"cmp"
	"iter"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Package is one installed package.
type Package struct {
	Name string
	// Version is "epoch:version-release", of which the epoch may be missing.
	Version string
	// Base is the package that it was built with, "" if the database does not say.
	Base string
	// Arch is such as "x86_64" or "any".
	Arch                   string
	Summary, URL, Packager string
	// Licenses are as they are, such as "GPL-3.0-or-later" or "custom:ISC".
	Licenses []string
	// Validation is how pacman checked the package before it installed it: "pgp",
	// "sha256", "md5", "none".
	Validation []string
	// Explicit tells a package that somebody asked for from one that another needed.
	Explicit bool
	// Depends and Provides are in the order of the database, optional dependencies
	// left out.
	Depends, Provides []Dependency
}

// Dependency is a wanted or provided name: a package, or a library such as
// "libz.so".
type Dependency struct {
	Name string
	// Op is "<", "<=", "=", ">=", ">", or "" if any version will do.
	Op, Version string
}

// maxValues of all sections of one file.
const maxValues = 200_000

// Size is about how many bytes the package takes in memory.
func (p *Package) Size() int {
	n := 512 + len(p.Name) + len(p.Version) + len(p.Base) + len(p.Summary) + len(p.URL) + len(p.Packager)
	for _, l := range p.Licenses {
		n += 16 + len(l)
	}
	for _, list := range [][]Dependency{p.Depends, p.Provides} {
		for _, d := range list {
			n += 64 + len(d.Name) + len(d.Version)
		}
	}
	return n
}

// ParseDesc reads a desc file: "%SECTION%" on a line, then its values, one a line, to
// the next empty line. Sections that are not known are ignored. An error is of kind
// [assay.ErrInvalid] and names the line, or of kind [assay.ErrBound].
func ParseDesc(data string) (*Package, error) {
	p := &Package{Explicit: true}
	seen := map[string]bool{}
	once := map[string]*string{
		"NAME": &p.Name, "VERSION": &p.Version, "BASE": &p.Base, "ARCH": &p.Arch, "DESC": &p.Summary, "URL": &p.URL, "PACKAGER": &p.Packager,
	}
	for f, err := range sections(data) {
		if err != nil {
			return nil, err
		}
		if f.value == "" {
			if seen[f.section] {
				return nil, invalid(f.line, "%"+f.section+"%", "each section once")
			}
			seen[f.section] = true
			continue
		}
		if to := once[f.section]; to != nil {
			if *to != "" {
				return nil, invalid(f.line, f.value, "one value in "+f.section)
			}
			*to = f.value
			continue
		}
		switch f.section {
		case "LICENSE":
			p.Licenses = append(p.Licenses, f.value)
		case "VALIDATION":
			p.Validation = append(p.Validation, f.value)
		case "REASON":
			p.Explicit = f.value == "0"
		case "DEPENDS":
			p.Depends = append(p.Depends, parseDependency(f.value))
		case "PROVIDES":
			p.Provides = append(p.Provides, parseDependency(f.value))
		}
	}
	for _, s := range []struct{ name, value string }{{"NAME", p.Name}, {"VERSION", p.Version}} {
		if s.value == "" || strings.ContainsAny(s.value, " \t/") {
			return nil, &assay.Error{Op: "read pacman database", Kind: assay.ErrInvalid, Field: "%" + s.name + "%", Value: s.value, Bound: "a word without slashes"}
		}
	}
	return p, nil
}

// ParseFiles reads a files file and gives the paths of the package's files, without
// a leading slash, folders left out. An error is of kind [assay.ErrInvalid] or
// [assay.ErrBound].
func ParseFiles(data string) ([]string, error) {
	var out []string
	for f, err := range sections(data) {
		if err != nil {
			return nil, err
		}
		if f.section == "FILES" && f.value != "" && !strings.HasSuffix(f.value, "/") {
			out = append(out, strings.TrimLeft(f.value, "/"))
		}
	}
	return out, nil
}

type field struct {
	section string
	value   string // "" for the line that begins the section
	line    int
}

// maxFiles is above any real package; texlive has some ten thousands.
const maxFiles = 2_000_000

func sections(data string) iter.Seq2[field, error] {
	return func(yield func(field, error) bool) {
		section, n, values := "", 0, 0
		for line := range strings.Lines(data) {
			n++
			line = strings.TrimRight(line, "\r\n")
			if line == "" {
				section = ""
				continue
			}
			if section == "" {
				name, ok := strings.CutPrefix(line, "%")
				if name, ok = cutSuffix(name, ok); !ok || name == "" {
					yield(field{}, invalid(n, line, `"%SECTION%"`))
					return
				}
				section = name
				if !yield(field{section, "", n}, nil) {
					return
				}
				continue
			}
			values++
			if limit := limits(section); values > limit {
				yield(field{}, &assay.Error{Op: "read pacman database", Kind: assay.ErrBound, Field: "line " + strconv.Itoa(n), Value: "more values", Bound: "at most " + strconv.Itoa(limit)})
				return
			}
			if !yield(field{section, line, n}, nil) {
				return
			}
		}
	}
}

func limits(section string) int {
	if section == "FILES" || section == "BACKUP" {
		return maxFiles
	}
	return maxValues
}

func cutSuffix(s string, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, "%")
}

func parseDependency(s string) Dependency {
	// "name: why" is how optional ones are written.
	if i := strings.Index(s, ": "); i >= 0 {
		s = s[:i]
	}
	i := strings.IndexAny(s, "<>=")
	if i < 0 {
		return Dependency{Name: s}
	}
	n := i + 1
	for n < len(s) && n < i+2 && s[n] == '=' {
		n++
	}
	return Dependency{s[:i], s[i:n], s[n:]}
}

func invalid(line int, value, want string) *assay.Error {
	return &assay.Error{Op: "read pacman database", Kind: assay.ErrInvalid, Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}

// Index finds what satisfies a dependency among the packages of one image.
type Index struct {
	packages []*Package
	byName   map[string][]int
	virtual  map[string][]provider
	work     int
}

type provider struct {
	pkg     int
	version string
}

// maxWork bounds the comparisons of all dependencies with all that is provided.
const maxWork = 100_000_000

// NewIndex indexes the packages.
func NewIndex(packages []*Package) *Index {
	x := &Index{packages, map[string][]int{}, map[string][]provider{}, 0}
	for i, p := range packages {
		x.byName[p.Name] = append(x.byName[p.Name], i)
		for _, v := range p.Provides {
			x.virtual[v.Name] = append(x.virtual[v.Name], provider{i, v.Version})
		}
	}
	return x
}

// Satisfying gives the indexes of all packages that satisfy the dependency;
// repetitions are possible. A provision without a version satisfies no dependency
// with one. The error is of kind [assay.ErrBound]: all dependencies of the index
// together take too many comparisons.
func (x *Index) Satisfying(d Dependency) ([]int, error) {
	var out []int
	x.work += len(x.byName[d.Name]) + len(x.virtual[d.Name])
	if x.work > maxWork {
		return nil, &assay.Error{Op: "resolve pacman dependencies", Kind: assay.ErrBound, Value: "more comparisons", Bound: "at most " + strconv.Itoa(maxWork)}
	}
	for _, i := range x.byName[d.Name] {
		if fits(x.packages[i].Version, d) {
			out = append(out, i)
		}
	}
	for _, v := range x.virtual[d.Name] {
		if d.Op == "" || v.version != "" && fits(v.version, d) {
			out = append(out, v.pkg)
		}
	}
	return out, nil
}

func fits(have string, d Dependency) bool {
	c := CompareVersions(have, d.Version)
	switch d.Op {
	case "":
		return true
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case "=":
		return c == 0
	case ">=":
		return c >= 0
	case ">":
		return c > 0
	}
	return false
}

// CompareVersions orders versions as vercmp(8) does. A missing epoch is 0; a release
// counts if both have one.
func CompareVersions(a, b string) int {
	if a == b {
		return 0
	}
	ea, va, ra := split(a)
	eb, vb, rb := split(b)
	if c := cmp.Or(comparePart(ea, eb), comparePart(va, vb)); c != 0 || ra == "" || rb == "" {
		return c
	}
	return comparePart(ra, rb)
}

func split(s string) (epoch, version, release string) {
	epoch = "0"
	if e, rest, ok := strings.Cut(s, ":"); ok && strings.Trim(e, "0123456789") == "" {
		if e != "" {
			epoch = e
		}
		s = rest
	}
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		return epoch, s[:i], s[i+1:]
	}
	return epoch, s, ""
}

// comparePart compares runs of digits and of letters one by one. Digits are newer
// than letters; letters that one has more make it older ("1.0rc" before "1.0"),
// anything else newer.
func comparePart(a, b string) int {
	if a == b {
		return 0
	}
	for a != "" && b != "" {
		sa, sb := separators(a), separators(b)
		a, b = a[sa:], b[sb:]
		if a == "" || b == "" {
			break
		}
		if sa != sb {
			return cmp.Compare(sa, sb)
		}
		digits := class(a[0]) == 1
		na, nb := run(a, class(a[0])), run(b, class(a[0]))
		if nb == 0 {
			if digits {
				return 1
			}
			return -1
		}
		pa, pb := a[:na], b[:nb]
		a, b = a[na:], b[nb:]
		if digits {
			pa, pb = strings.TrimLeft(pa, "0"), strings.TrimLeft(pb, "0")
			if c := cmp.Compare(len(pa), len(pb)); c != 0 {
				return c
			}
		}
		if c := strings.Compare(pa, pb); c != 0 {
			return c
		}
	}
	switch {
	case a == "" && b == "":
		return 0
	case a == "" && class(b[0]) != 2, a != "" && class(a[0]) == 2:
		return -1
	}
	return 1
}

// class is 1 for digits, 2 for letters.
func class(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return 1
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return 2
	}
	return 0
}

func separators(s string) int { return run(s, 0) }

func run(s string, kind int) int {
	for i := range len(s) {
		if class(s[i]) != kind {
			return i
		}
	}
	return len(s)
}
