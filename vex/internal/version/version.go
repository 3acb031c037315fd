// Package version orders versions as the tools of their ecosystems do, and knows what a
// version looks like there.
//
// [Parse] reads whatever the order has a place for, [ParseStrict] what the ecosystem's
// grammar allows, so that "latest" is not before 1.0 by chance.
package version

import (
	"cmp"
	"strings"

	"github.com/google/osv-scalibr/semantic"

	"github.com/assaykit/assay"
)

// Max is the length in bytes up to which a version is read. Orders that take time more
// than linear in it stay cheap.
const Max = 512

// Order is a way to order versions, named by an ecosystem that has it.
type Order string

// The orders there are (google/osv-scalibr/semantic).
const (
	SemVer    Order = "Go"
	Alpine    Order = "Alpine"
	CRAN      Order = "CRAN"
	Debian    Order = "Debian"
	Hackage   Order = "Hackage"
	Maven     Order = "Maven"
	NuGet     Order = "NuGet"
	Packagist Order = "Packagist"
	Pub       Order = "Pub"
	PyPI      Order = "PyPI"
	RPM       Order = "Red Hat"
	RubyGems  Order = "RubyGems"
)

// Of gives the order of an ecosystem without its release, "" if none is known.
// It is a function so that nothing can change it.
func Of(ecosystem string) Order {
	switch ecosystem {
	case "Go", "npm", "crates.io", "Bioconductor", "Bitnami", "ConanCenter", "GHC", "Hex", "Julia", "Kubernetes", "SwiftURL":
		return SemVer
	case "Alpine", "Alpaquita", "BellSoft Hardened Containers", "Chainguard", "CleanStart", "MinimOS", "Wolfi":
		return Alpine
	case "Debian", "Ubuntu", "Echo":
		return Debian
	case "AlmaLinux", "Azure Linux", "Mageia", "openEuler", "openSUSE", "Photon OS", "Red Hat", "Rocky Linux", "SUSE":
		return RPM
	case "CRAN", "Hackage", "Maven", "NuGet", "Packagist", "Pub", "PyPI", "RubyGems":
		return Order(ecosystem)
	}
	return ""
}

// In gives the order of an ecosystem with its release, "" if none is known. It is that of
// the ecosystem alone, but for those that build the packages of others again and name
// which in the place of the release: "Root:Debian:12", "TuxCare:npm", "Echo:PyPI".
func In(ecosystem, release string) Order {
	switch ecosystem {
	case "Root", "TuxCare", "Docker Hardened Images":
	case "Echo":
		if release == "" {
			return Debian
		}
	default:
		return Of(ecosystem)
	}
	inner, _, _ := strings.Cut(release, ":")
	if o := Of(inner); o != "" {
		return o
	}
	for _, e := range [...]string{"PyPI", "Maven", "npm", "Alpine", "Debian"} {
		if strings.EqualFold(e, inner) {
			return Of(e)
		}
	}
	return ""
}

// Unordered is the error of an ecosystem of which no order is known: it says nothing of
// versions.
func Unordered(ecosystem string) error {
	return &assay.Error{Op: "compare versions", Kind: assay.ErrUnchecked, Field: "ecosystem", Value: ecosystem, Bound: "an ecosystem whose order of versions is known"}
}

// Version is a version that was read once, to be compared often.
type Version struct {
	Text  string
	Order Order
	// lib is nil if the text is a version of SemVer 2.0.0, and the order is that:
	// then it is sem.
	lib semantic.Version
	sem semver
}

func badVersion(o Order, text string) *assay.Error {
	return &assay.Error{Op: "parse version", Kind: assay.ErrInvalid, Subject: string(o), Field: "version", Value: text}
}

// Parse reads whatever the order has a place for.
func Parse(o Order, text string) (Version, error) {
	switch {
	case text == "":
		bad := badVersion(o, text)
		bad.Bound = "a version"
		return Version{}, bad
	case len(text) > Max:
		bad := badVersion(o, text)
		bad.Kind, bad.Bound = assay.ErrBound, "512 bytes"
		return Version{}, bad
	}
	if o == SemVer {
		if s, ok := parseSemVer(text); ok {
			return Version{Text: text, Order: o, sem: s}, nil
		}
	}
	lib, err := semantic.Parse(text, string(o))
	if err != nil {
		bad := badVersion(o, text)
		bad.Err = err
		return Version{}, bad
	}
	return Version{Text: text, Order: o, lib: lib}, nil
}

// ParseStrict reads what the ecosystem's grammar allows: what its order means
// something for.
func ParseStrict(o Order, text string) (Version, error) {
	if len(text) <= Max && !wellFormed(o, text) {
		bad := badVersion(o, text)
		bad.Bound = "a version as the ecosystem spells it"
		return Version{}, bad
	}
	return Parse(o, text)
}

// compare is the order of v relative to w, which are of the same order.
func (v *Version) Compare(w *Version) (int, error) {
	if v.lib == nil && w.lib == nil {
		return v.sem.compare(&w.sem), nil
	}
	vl, wl := v.lib, w.lib
	if vl == nil {
		vl = semantic.ParseSemverVersion(v.Text)
	}
	if wl == nil {
		wl = semantic.ParseSemverVersion(w.Text)
	}
	d, err := vl.Compare(wl)
	if err != nil { // some orders read parts of a version only when they compare them
		bad := badVersion(v.Order, v.Text)
		bad.Bound, bad.Err = "what can be compared with "+w.Text, err
		return 0, bad
	}
	return d, nil
}

// FromGo takes off the "v" of modules, and makes a version of SemVer of the tag of
// a release of Go: "go1.22rc1" is 1.22.0-rc.1 (the database writes it so). What
// follows a space, such as enabled experiments, is no part of the version. What is
// neither is given back as it is.
func FromGo(text string) string {
	if strings.HasPrefix(text, "go") {
		return FromGoRelease(text)
	}
	return cmp.Or(strings.TrimPrefix(text, "v"), text)
}

// FromGoRelease is [FromGo] for what is known to be a release of Go: "1.22rc1".
func FromGoRelease(text string) string {
	tag := strings.TrimPrefix(strings.TrimPrefix(text, "go"), "v")
	tag, _, _ = strings.Cut(tag, " ")
	i := 0
	dots := 0
	for i < len(tag) && (IsDigit(tag[i]) || tag[i] == '.') {
		if tag[i] == '.' {
			dots++
		}
		i++
	}
	number, rest := tag[:i], tag[i:]
	if number == "" || dots > 2 {
		return text
	}
	for ; dots < 2; dots++ {
		number += ".0"
	}
	for _, kind := range []string{"beta", "rc"} {
		if n, ok := strings.CutPrefix(rest, kind); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			return number + "-" + kind + "." + n
		}
	}
	return number + rest
}

// IsDigit reports a digit of ASCII.
func IsDigit(c byte) bool { return c >= '0' && c <= '9' }
