package rpm

import (
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Sense is the flags of a dependency (rpm's rpmds.h).
type Sense uint32

// The flags that are kept.
const (
	Less      Sense = 1 << 1
	Greater   Sense = 1 << 2
	Equal     Sense = 1 << 3
	MissingOK Sense = 1 << 19 // a hint; nothing fails without it
	RPMLib    Sense = 1 << 24 // a feature of rpm itself

	compares  = Less | Greater | Equal
	senseKept = compares | MissingOK | RPMLib
)

// Dependency is a wanted or provided name: a package, a capability such as
// "libc.so.6(GLIBC_2.4)(64bit)", a path, or, if wanted, an expression of several
// ("(a >= 1 or b)").
type Dependency struct {
	Name  string
	Flags Sense
	// EVR is "epoch:version-release", of which all but the version may be missing.
	EVR string
}

// Index finds what satisfies a dependency among the packages of one image.
type Index struct {
	provides map[string][]provider
	files    map[string][]int
	beyond   func(path string) (int, bool)
	work     int
}

// maxWork bounds the comparisons of all dependencies with all that is provided.
// Images of some thousand packages take less than a million; without it n packages
// that provide and want n versions of one name take n³.
const maxWork = 50_000_000

type provider struct {
	pkg int
	Dependency
}

// NewIndex indexes the packages. owner, if not nil, tells which package has a file
// that no file list has under the path that is wanted, because a folder of that path
// is a link.
func NewIndex(packages []*Package, owner func(path string) (int, bool)) *Index {
	x := &Index{map[string][]provider{}, map[string][]int{}, owner, 0}
	for i, p := range packages {
		for _, d := range p.Provides {
			x.provides[d.Name] = append(x.provides[d.Name], provider{i, d})
		}
		// Packages of old do not provide themselves.
		self := Dependency{p.Name, Equal, p.EVR()}
		x.provides[p.Name] = append(x.provides[p.Name], provider{i, self})
		for _, d := range p.Requires {
			x.want(d.Name)
		}
	}
	if len(x.files) == 0 {
		return x
	}
	for i, p := range packages {
		for f := range p.Files() {
			if found, wanted := x.files["/"+f]; wanted {
				x.files["/"+f] = append(found, i)
			}
		}
	}
	return x
}

// want notes the paths in a requirement, so that file lists are searched for those.
func (x *Index) want(name string) {
	if strings.HasPrefix(name, "/") {
		x.files[name] = nil
		return
	}
	if !strings.HasPrefix(name, "(") {
		return
	}
	for word := range strings.FieldsSeq(name) {
		if word = strings.Trim(word, "()"); strings.HasPrefix(word, "/") {
			x.files[word] = nil
		}
	}
}

// Satisfying gives the indexes of all packages that satisfy the requirement;
// repetitions are possible. ok is true if it holds, which it can without any
// package: for features of rpm, for hints, and for what is wanted under a condition.
// The error is of kind [assay.ErrBound]: all dependencies of the index together take
// too many comparisons.
func (x *Index) Satisfying(d Dependency) (found []int, ok bool, err error) {
	if d.Flags&RPMLib != 0 || strings.HasPrefix(d.Name, "rpmlib(") {
		return nil, true, nil
	}
	if strings.HasPrefix(d.Name, "(") {
		found, ok = x.rich(d.Name)
	} else {
		found = x.simple(d)
		ok = len(found) > 0
	}
	if x.work > maxWork {
		return nil, false, &assay.Error{Op: "resolve rpm dependencies", Kind: assay.ErrBound, Value: "more comparisons", Bound: "at most " + strconv.Itoa(maxWork)}
	}
	return found, ok || d.Flags&MissingOK != 0, nil
}

func (x *Index) simple(d Dependency) []int {
	var out []int
	for _, p := range x.provides[d.Name] {
		if x.work += 1 + (len(p.EVR)+len(d.EVR))/64; x.work > maxWork {
			return nil
		}
		if overlap(p.Dependency, d) {
			out = append(out, p.pkg)
		}
	}
	if strings.HasPrefix(d.Name, "/") {
		out = append(out, x.files[d.Name]...)
		if len(out) == 0 && x.beyond != nil {
			if i, ok := x.beyond(d.Name); ok {
				out = append(out, i)
			}
		}
	}
	return out
}

// overlap reports whether a version can be in both ranges. What states none is in
// all.
func overlap(a, b Dependency) bool {
	if a.Flags&compares == 0 || b.Flags&compares == 0 || a.EVR == "" || b.EVR == "" {
		return true
	}
	switch c := CompareEVR(a.EVR, b.EVR); {
	case c < 0:
		return a.Flags&Greater != 0 || b.Flags&Less != 0
	case c > 0:
		return a.Flags&Less != 0 || b.Flags&Greater != 0
	}
	return a.Flags&b.Flags&compares != 0
}

// maxNesting of boolean dependencies; rpm's own packages have two levels.
const maxNesting = 32

// rich evaluates a boolean dependency (rpm's manual, "Boolean Dependencies"). What
// is malformed holds not.
func (x *Index) rich(s string) ([]int, bool) {
	p := richParser{x: x, rest: s}
	found, ok := p.group(0)
	if p.bad || strings.TrimSpace(p.rest) != "" {
		return nil, false
	}
	return found, ok
}

type richParser struct {
	x    *Index
	rest string
	bad  bool
}

// group reads "(dependency operator dependency …)".
func (p *richParser) group(depth int) (found []int, ok bool) {
	if depth > maxNesting || !p.take("(") {
		p.bad = true
		return nil, false
	}
	found, ok = p.operand(depth)
	for !p.bad && !p.take(")") {
		op := p.word()
		more, holds := p.operand(depth)
		switch op {
		case "and":
			found, ok = append(found, more...), ok && holds
		case "or":
			found, ok = append(found, more...), ok || holds
		case "with":
			found = keep(found, more, true)
			ok = len(found) > 0
		case "without":
			found = keep(found, more, false)
			ok = len(found) > 0
		case "if", "unless":
			var other []int
			otherwise := true
			if p.peek() == "else" {
				p.word()
				other, otherwise = p.operand(depth)
			}
			if holds != (op == "if") {
				found, ok = other, otherwise
			}
		default:
			p.bad = true
		}
	}
	return found, ok
}

// keep gives those of the packages that are, or are not, among the others.
func keep(packages, others []int, among bool) []int {
	set := make(map[int]bool, len(others))
	for _, i := range others {
		set[i] = true
	}
	return slices.DeleteFunc(slices.Clone(packages), func(i int) bool { return set[i] != among })
}

func (p *richParser) operand(depth int) ([]int, bool) {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if strings.HasPrefix(p.rest, "(") {
		return p.group(depth + 1)
	}
	d := Dependency{Name: p.word()}
	if d.Name == "" {
		p.bad = true
		return nil, false
	}
	if op := p.peek(); op != "" && strings.Trim(op, "<>=") == "" {
		p.word()
		for _, c := range op {
			d.Flags |= map[rune]Sense{'<': Less, '>': Greater, '=': Equal}[c]
		}
		if d.EVR = p.word(); d.EVR == "" {
			p.bad = true
		}
	}
	found := p.x.simple(d)
	return found, len(found) > 0
}

func (p *richParser) take(s string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t")
	rest, ok := strings.CutPrefix(p.rest, s)
	p.rest = rest
	return ok
}

func (p *richParser) peek() string {
	q := *p
	return q.word()
}

// word reads up to a blank or a parenthesis that closes more than the word opened:
// names have parentheses of their own.
func (p *richParser) word() string {
	p.rest = strings.TrimLeft(p.rest, " \t")
	open := 0
	for i := range len(p.rest) {
		switch p.rest[i] {
		case ' ', '\t':
			if open == 0 {
				w := p.rest[:i]
				p.rest = p.rest[i:]
				return w
			}
		case '(':
			open++
		case ')':
			if open--; open < 0 {
				w := p.rest[:i]
				p.rest = p.rest[i:]
				return w
			}
		}
	}
	w := p.rest
	p.rest = ""
	return w
}
