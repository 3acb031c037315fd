package dpkg

import (
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Package is one binary package of the status database.
type Package struct {
	Name, Version string
	// Architecture is Debian's word for it: "amd64", "all".
	Architecture string
	// MultiArch is "same", "foreign", "allowed" or "".
	MultiArch string
	// Source is the source package, Name and Version if the database names no other.
	Source assay.SourcePackage
	// Maintainer is "Name <address>".
	Maintainer string
	// Summary is the first line of the description.
	Summary string
	// Section is such as "libs", Homepage a URL.
	Section, Homepage string
	// State is the third word of Status, such as "installed". It is "" where the
	// database has no Status, as status.d has not.
	State string
	// Essential packages are ones that dpkg refuses to remove.
	Essential bool
	// Depends has Pre-Depends and Depends, in this order.
	Depends []Group
	// Provides are the virtual packages.
	Provides []Provided
}

// Unpacked reports whether files of the package are on disk (dpkg(1), package
// states). That is so in all states but not-installed and config-files: a package
// that is half-installed or not configured ships its code all the same.
func (p *Package) Unpacked() bool {
	return p.State != "not-installed" && p.State != "config-files"
}

var statusFields = []string{
	"package", "version", "architecture", "multi-arch", "source", "maintainer", "description",
	"section", "homepage", "status", "essential", "depends", "pre-depends", "provides",
}

// MaxPackages is how many packages one database may have: several times what the
// largest distribution offers.
const MaxPackages = 250_000

// Size is about how many bytes the package takes in memory.
func (p *Package) Size() int {
	n := 512 + len(p.Name) + 2*len(p.Version) + len(p.Maintainer) + len(p.Summary) + len(p.Homepage) + len(p.Section)
	for _, g := range p.Depends {
		n += 32
		for _, d := range g {
			n += 64 + len(d.Name) + len(d.Version)
		}
	}
	for _, v := range p.Provides {
		n += 32 + len(v.Name) + len(v.Version)
	}
	return n
}

// ParseStatus reads a status database (var/lib/dpkg/status, or one file of
// var/lib/dpkg/status.d) and gives the packages in its order, those that are not
// unpacked included. The faults are of records that are not among them, in order: of
// kind [assay.ErrInvalid], naming the line, or of kind [assay.ErrBound] if there are
// more than [MaxPackages].
func ParseStatus(data []byte) (packages []Package, faults []error) {
	var out []Package
	faults = eachParagraph(data, func(f string) bool { return slices.Contains(statusFields, f) },
		func(p paragraph, line int) error {
			if len(out) == MaxPackages {
				return &assay.Error{Op: "read dpkg database", Kind: assay.ErrBound, Field: "line " + strconv.Itoa(line),
					Value: "more packages", Bound: "at most " + strconv.Itoa(MaxPackages)}
			}
			pkg, err := parsePackage(p, line)
			if err == nil {
				out = append(out, pkg)
			}
			return err
		})
	return out, faults
}

func parsePackage(p paragraph, line int) (Package, error) {
	pkg := Package{
		Name: p["package"], Version: p["version"], Architecture: p["architecture"], MultiArch: p["multi-arch"],
		Maintainer: oneLine(p["maintainer"]), Section: p["section"], Homepage: p["homepage"],
		Essential: p["essential"] == "yes",
	}
	pkg.Summary, _, _ = strings.Cut(p["description"], "\n")
	if !validName(pkg.Name) {
		return pkg, invalid(line, pkg.Name, "a package name in Package")
	}
	if status, ok := p["status"]; ok {
		words := strings.Fields(status)
		if len(words) != 3 || !slices.Contains(states, words[2]) {
			return pkg, invalid(line, status, `"want flag state" in Status of `+pkg.Name)
		}
		pkg.State = words[2]
	}
	if pkg.Version == "" && pkg.Unpacked() {
		return pkg, invalid(line, pkg.Name, "a Version")
	}
	if strings.ContainsAny(pkg.Version, " \t\n") {
		return pkg, invalid(line, pkg.Version, "a version in Version of "+pkg.Name)
	}
	pkg.Source = assay.SourcePackage{Name: pkg.Name, Version: pkg.Version}
	if src := oneLine(p["source"]); src != "" {
		name, version, _ := strings.Cut(src, " ")
		pkg.Source.Name = name
		if v := strings.Trim(strings.TrimSpace(version), "()"); v != "" {
			pkg.Source.Version = v
		}
	}
	pkg.Depends = append(parseDepends(p["pre-depends"]), parseDepends(p["depends"])...)
	pkg.Provides = parseProvides(p["provides"])
	return pkg, nil
}

var states = []string{
	"not-installed", "config-files", "half-installed", "unpacked", "half-configured",
	"triggers-awaited", "triggers-pending", "installed",
}

// validName is laxer than Debian Policy 5.6.1, which dpkg does not enforce on what
// is installed: it excludes what could not be told from the syntax around it.
func validName(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t\r\n/:,|()[]<>")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
