// Package opkg reads the database of installed packages of opkg, the package manager
// of OpenWrt and of Yocto's images: its status file, and the control files and file
// lists in the folder info. Their form is dpkg's.
//
// Start with [ParseStatus].
package opkg

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
)

// Package is one package of the status file, or of one control file.
type Package struct {
	Name, Version string
	// Arch is such as "x86_64", "mipsel_24kc" or "all".
	Arch string
	// Source is what the package was built of: OpenWrt writes a path of its feeds,
	// Yocto the recipe's archive.
	Source string
	// SourceName is the name of the source package, where it is written.
	SourceName string
	// Maintainer is "Name <address>", Summary the first line of the description.
	Maintainer, Summary string
	// License is as it is; CPE is the identifier of the product without a version.
	License, CPE string
	// Section is such as "libs", Homepage a URL.
	Section, Homepage string
	// State is the third word of Status, such as "installed"; "" in control files.
	State     string
	Essential bool
	Depends   []dpkg.Group
	Provides  []dpkg.Provided
}

// MaxPackages is how many packages one database may have.
const MaxPackages = 100_000

// states of opkg (libopkg, pkg_state_status_t).
var states = []string{"not-installed", "unpacked", "half-installed", "installed", "half-configured", "config-files", "post-inst-failed", "removal-failed"}

// Unpacked reports whether files of the package are on disk.
func (p *Package) Unpacked() bool { return p.State != "not-installed" && p.State != "config-files" }

// Size is about how many bytes the package takes in memory.
func (p *Package) Size() int {
	n := 512 + len(p.Name) + len(p.Version) + len(p.Source) + len(p.Maintainer) + len(p.Summary) + len(p.License) + len(p.CPE) + len(p.Homepage)
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

var fields = []string{
	"package", "version", "architecture", "source", "sourcename", "maintainer", "description", "license", "cpe-id",
	"section", "homepage", "url", "status", "essential", "depends", "pre-depends", "provides",
}

// ParseStatus reads a status file, or a control file, which has one package and no
// state. It gives the packages in order, those that are not unpacked included. The
// faults are of records that are not among them: of kind [assay.ErrInvalid], naming the
// line, or of kind [assay.ErrBound] if there are more than [MaxPackages].
func ParseStatus(data []byte) (packages []Package, faults []error) {
	var out []Package
	faults = dpkg.Paragraphs(data, func(f string) bool { return slices.Contains(fields, f) }, func(f map[string]string, line int) error {
		if len(out) == MaxPackages {
			return &assay.Error{Op: "read opkg database", Kind: assay.ErrBound, Field: "line " + strconv.Itoa(line),
				Value: "more packages", Bound: "at most " + strconv.Itoa(MaxPackages)}
		}
		p, err := parse(f, line)
		if err == nil {
			out = append(out, p)
		}
		return err
	})
	for i, err := range faults {
		if e, ok := errors.AsType[*assay.Error](err); ok {
			own := *e
			own.Op = "read opkg database"
			faults[i] = &own
		}
	}
	return out, faults
}

func parse(f map[string]string, line int) (Package, error) {
	p := Package{
		Name: f["package"], Version: f["version"], Arch: f["architecture"], Source: oneLine(f["source"]), SourceName: f["sourcename"],
		Maintainer: oneLine(f["maintainer"]), License: oneLine(f["license"]), CPE: f["cpe-id"], Section: f["section"], Homepage: f["homepage"],
		Essential: f["essential"] == "yes",
	}
	if p.Homepage == "" {
		p.Homepage = f["url"]
	}
	p.Summary, _, _ = strings.Cut(f["description"], "\n")
	if p.Name == "" || strings.ContainsAny(p.Name, " \t\r\n/:,|()[]<>") {
		return p, invalid(line, p.Name, "a package name in Package")
	}
	if status, ok := f["status"]; ok {
		words := strings.Fields(status)
		if len(words) != 3 || !slices.Contains(states, words[2]) {
			return p, invalid(line, status, `"want flag state" in Status of `+p.Name)
		}
		p.State = words[2]
	}
	if p.Version == "" && p.Unpacked() || strings.ContainsAny(p.Version, " \t\n") {
		return p, invalid(line, p.Version, "a version in Version of "+p.Name)
	}
	p.Depends = append(dpkg.ParseDepends(f["pre-depends"]), dpkg.ParseDepends(f["depends"])...)
	p.Provides = dpkg.ParseProvides(f["provides"])
	return p, nil
}

// ListFiles gives the paths, without a leading slash, of a file list
// (info/*.list): folders may be among them. Newer versions of opkg write the mode
// and the target of a link behind the path, separated by tabs.
func ListFiles(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(list) {
			p, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
			if p = strings.Trim(strings.TrimPrefix(p, "."), "/"); p != "" && !yield(p) {
				return
			}
		}
	}
}

// NewIndex indexes the packages. The order of versions and the rules for what is
// provided are Debian's; other than there, packages of all architectures that are
// installed together work together.
func NewIndex(packages []*Package) *dpkg.Index {
	like := make([]dpkg.Package, len(packages))
	for i, p := range packages {
		like[i] = dpkg.Package{Name: p.Name, Version: p.Version, Architecture: "all", State: p.State, Provides: p.Provides}
	}
	return dpkg.NewIndex(like)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func invalid(line int, value, want string) *assay.Error {
	value = value[:min(len(value), 256)] // a fault is kept with the database
	return &assay.Error{Op: "read opkg database", Kind: assay.ErrInvalid, Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}
