// Package apk reads the database of installed packages of Alpine's package manager
// (apk-tools 2 and 3, lib/apk/db/installed).
//
// Start with [ParseInstalled].
package apk

import (
	"errors"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
)

// Package is one installed package.
type Package struct {
	Name, Version, Architecture string
	// License is the field L as it is.
	License string
	// Origin is the source package, "" if the database does not say.
	Origin     string
	Maintainer string
	Summary    string
	URL        string
	// Commit is of the package repository.
	Commit string
	// Checksum is the identity of the package, "Q1" and the base64 form of the SHA-1
	// digest of its control section, or "Q2" and that of a SHA-256 digest. It is not
	// the digest of the package's file.
	Checksum string
	// Depends and Provides are in the order of the database, conflicts left out.
	Depends, Provides []Dependency
	// Files are paths without a leading slash, folders not among them.
	Files []string
}

// Dependency is a wanted or provided name: a package, "so:libc.musl-x86_64.so.1",
// "cmd:sh", "pc:zlib", or a path with a leading slash.
type Dependency struct {
	Name string
	// Constraint is the operator and version, such as ">=1.2", or "".
	Constraint string
}

// MaxPackages is how many packages one database may have: several times what the
// distribution offers.
const MaxPackages = 250_000

// Size is about how many bytes the package takes in memory.
func (p *Package) Size() int {
	n := 512 + len(p.Name) + 2*len(p.Version) + len(p.License) + len(p.Maintainer) + len(p.Summary) + len(p.URL) + len(p.Checksum)
	for _, d := range p.Depends {
		n += 64 + len(d.Name) + len(d.Constraint)
	}
	for _, d := range p.Provides {
		n += 64 + len(d.Name) + len(d.Constraint)
	}
	for _, f := range p.Files {
		n += 32 + len(f)
	}
	return n
}

// ParseInstalled reads the database and gives the packages in its order. The faults
// are of records that are not among them, in order: of kind [assay.ErrInvalid], naming
// the line, or of kind [assay.ErrBound] if there are more than [MaxPackages].
func ParseInstalled(data string) (packages []Package, faults []error) {
	r := reader{}
	for line := range strings.Lines(data) {
		r.n++
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			r.line(line)
		} else if !r.flush() {
			break
		}
	}
	r.flush()
	return r.out, r.faults.List()
}

type reader struct {
	out    []Package
	faults dpkg.Faults
	n      int // of the line

	p      Package
	any    bool
	bad    error // of the record
	folder string
}

// flush ends a record, and reports whether to read another.
func (r *reader) flush() bool {
	if r.bad == nil && r.any {
		switch {
		case r.p.Name == "" || r.p.Version == "":
			r.bad = invalid(r.n, r.p.Name+"-"+r.p.Version, "a package with P and V")
		case len(r.out) == MaxPackages:
			r.bad = &assay.Error{Op: "read apk database", Kind: assay.ErrBound, Field: "line " + strconv.Itoa(r.n),
				Value: "more packages", Bound: "at most " + strconv.Itoa(MaxPackages)}
		default:
			r.out = append(r.out, r.p)
		}
	}
	err := r.bad
	r.p, r.any, r.bad, r.folder = Package{}, false, nil, ""
	if err != nil {
		r.faults.Add(err)
	}
	return !errors.Is(err, assay.ErrBound)
}

// line takes a line of a record, and passes over what is behind a fault in it.
func (r *reader) line(line string) {
	if r.bad != nil {
		return
	}
	if len(line) < 2 || line[1] != ':' {
		r.bad = invalid(r.n, line, `"K:value"`)
		return
	}
	r.any = true
	value := line[2:]
	once := func(field *string) {
		if *field != "" {
			r.bad = invalid(r.n, line, line[:1]+" once in a package")
		}
		*field = value
	}
	p := &r.p
	switch line[0] {
	case 'P':
		once(&p.Name)
	case 'V':
		once(&p.Version)
	case 'A':
		once(&p.Architecture)
	case 'L':
		once(&p.License)
	case 'o':
		once(&p.Origin)
	case 'm':
		once(&p.Maintainer)
	case 'T':
		once(&p.Summary)
	case 'U':
		once(&p.URL)
	case 'c':
		once(&p.Commit)
	case 'C':
		once(&p.Checksum)
	case 'D':
		p.Depends = append(p.Depends, parseDependencies(value)...)
	case 'p':
		p.Provides = append(p.Provides, parseDependencies(value)...)
	case 'F':
		r.folder = strings.Trim(value, "/")
	case 'R':
		name := value
		if r.folder != "" {
			name = r.folder + "/" + value
		}
		p.Files = append(p.Files, name)
	}
	if r.bad == nil && (line[0] == 'P' || line[0] == 'V') && (value == "" || strings.ContainsAny(value, " \t/")) {
		r.bad = invalid(r.n, line, "a name without spaces and slashes")
	}
}

func invalid(line int, value, want string) *assay.Error {
	value = strings.Clone(value[:min(len(value), 256)]) // a fault is kept, and the database's text is not
	return &assay.Error{Op: "read apk database", Kind: assay.ErrInvalid,
		Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}

func parseDependencies(s string) []Dependency {
	var out []Dependency
	for word := range strings.FieldsSeq(s) {
		if word[0] == '!' {
			continue
		}
		if d := parseDependency(word); d.Name != "" {
			out = append(out, d)
		}
	}
	return out
}

func parseDependency(word string) Dependency {
	// "name@repository" pins where a package may come from; it is no part of the name.
	if i := strings.IndexAny(word, "<>=~"); i >= 0 {
		name, _, _ := strings.Cut(word[:i], "@")
		return Dependency{name, word[i:]}
	}
	if word[0] != '/' {
		word, _, _ = strings.Cut(word, "@")
	}
	return Dependency{Name: word}
}

// Index finds what satisfies a dependency among the packages of one image. Versions
// are not compared: one version of a name is installed at a time, and apk keeps the
// set consistent.
type Index struct {
	provides map[string][]int
	files    map[string]int
}

// NewIndex indexes the packages.
func NewIndex(packages []Package) *Index {
	x := &Index{map[string][]int{}, map[string]int{}}
	for i := range packages {
		p := &packages[i]
		x.provides[p.Name] = append(x.provides[p.Name], i)
		for _, v := range p.Provides {
			x.provides[v.Name] = append(x.provides[v.Name], i)
		}
		for _, d := range p.Depends {
			if strings.HasPrefix(d.Name, "/") {
				x.files[d.Name] = -1
			}
		}
	}
	if len(x.files) == 0 {
		return x
	}
	for i := range packages {
		for _, f := range packages[i].Files {
			if _, wanted := x.files["/"+f]; wanted {
				x.files["/"+f] = i
			}
		}
	}
	return x
}

// Satisfying gives the indexes of the packages that provide what is wanted.
func (x *Index) Satisfying(d Dependency) []int {
	if out := x.provides[d.Name]; len(out) > 0 {
		return out
	}
	if i, ok := x.files[d.Name]; ok && i >= 0 {
		return []int{i}
	}
	return nil
}
