package dpkg

import "strings"

// Group is the alternatives of one dependency ("a | b"); one of them must hold.
type Group []Dependency

// Dependency is a wanted package or virtual package.
type Dependency struct {
	Name string
	// Arch is the qualifier after the colon: "any", an architecture, or "".
	Arch string
	// Op is "<<", "<=", "=", ">=", ">>", or "" if any version will do.
	Op, Version string
}

// Provided is a virtual package.
type Provided struct {
	Name string
	// Version is what "=" states, or "".
	Version string
}

// parseDepends reads a dependency field (Debian Policy 7.1). What it cannot read
// becomes a dependency on a name that no package has, so that the edges are seen
// to be incomplete.
func parseDepends(s string) []Group {
	if s == "" {
		return nil
	}
	var out []Group
	for group := range strings.SplitSeq(s, ",") {
		var g Group
		for alt := range strings.SplitSeq(group, "|") {
			if d := parseDependency(alt); d.Name != "" {
				g = append(g, d)
			}
		}
		if len(g) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func parseDependency(s string) Dependency {
	s = strings.TrimSpace(s)
	// Restrictions on architecture and build profile are for source packages.
	if i := strings.IndexAny(s, "[<"); i >= 0 && !strings.Contains(s[:i], "(") {
		s = strings.TrimSpace(s[:i])
	}
	var d Dependency
	name, constraint, ok := strings.Cut(s, "(")
	d.Name, d.Arch, _ = strings.Cut(strings.TrimSpace(name), ":")
	if !ok {
		return d
	}
	constraint, _, _ = strings.Cut(constraint, ")")
	constraint = strings.TrimSpace(constraint)
	n := 0
	for n < len(constraint) && strings.IndexByte("<>=", constraint[n]) >= 0 {
		n++
	}
	d.Op, d.Version = constraint[:n], strings.TrimSpace(constraint[n:])
	switch d.Op {
	case "<": // deprecated spellings, which dpkg reads so
		d.Op = "<="
	case ">":
		d.Op = ">="
	case "":
		d.Op = "="
	}
	return d
}

func parseProvides(s string) []Provided {
	if s == "" {
		return nil
	}
	var out []Provided
	for item := range strings.SplitSeq(s, ",") {
		if d := parseDependency(item); d.Name != "" {
			p := Provided{Name: d.Name}
			if d.Op == "=" {
				p.Version = d.Version
			}
			out = append(out, p)
		}
	}
	return out
}

// Index finds what satisfies a dependency among the packages of one image.
type Index struct {
	packages []Package
	byName   map[string][]int
	virtual  map[string][]provider
}

type provider struct {
	pkg     int
	version string
}

// NewIndex indexes the packages. Those that are not unpacked satisfy nothing.
func NewIndex(packages []Package) *Index {
	x := &Index{packages, make(map[string][]int, len(packages)), map[string][]provider{}}
	for i := range packages {
		p := &packages[i]
		if !p.Unpacked() {
			continue
		}
		x.byName[p.Name] = append(x.byName[p.Name], i)
		for _, v := range p.Provides {
			x.virtual[v.Name] = append(x.virtual[v.Name], provider{i, v.Version})
		}
	}
	return x
}

// Satisfying gives the indexes of all packages that satisfy some alternative of the
// group for a package of architecture arch; repetitions are possible.
func (x *Index) Satisfying(g Group, arch string) []int {
	var out []int
	for _, d := range g {
		for _, i := range x.byName[d.Name] {
			if p := &x.packages[i]; p.architectureFits(d, arch) && versionFits(p.Version, d) {
				out = append(out, i)
			}
		}
		for _, v := range x.virtual[d.Name] {
			// A provision without a version satisfies no versioned dependency
			// (Debian Policy 7.5).
			if d.Op != "" && v.version == "" {
				continue
			}
			if p := &x.packages[v.pkg]; p.architectureFits(d, arch) && versionFits(v.version, d) {
				out = append(out, v.pkg)
			}
		}
	}
	return out
}

// architectureFits applies the multiarch rules of deb-control(5): a dependency is
// satisfied by the depending package's own architecture unless either side says
// otherwise. "all" counts as whatever the native architecture is.
func (p *Package) architectureFits(d Dependency, arch string) bool {
	switch {
	case d.Arch == "any":
		return p.MultiArch == "allowed" || p.MultiArch == "foreign" || same(p.Architecture, arch)
	case d.Arch != "":
		return same(p.Architecture, d.Arch)
	}
	return p.MultiArch == "foreign" || same(p.Architecture, arch)
}

func same(a, b string) bool { return a == b || a == "all" || b == "all" || a == "" || b == "" }

func versionFits(have string, d Dependency) bool {
	c := CompareVersions(have, d.Version)
	switch d.Op {
	case "":
		return true
	case "<<":
		return c < 0
	case "<=":
		return c <= 0
	case "=":
		return c == 0
	case ">=":
		return c >= 0
	case ">>":
		return c > 0
	}
	return false
}
