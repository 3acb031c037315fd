package osv

import (
	"cmp"
	"strings"

	"github.com/google/osv-scalibr/semantic"

	"github.com/assaykit/assay"
)

// MaxVersion is the length in bytes up to which a version is read. Orders that take
// time more than linear in it stay cheap.
const MaxVersion = 512

// order is a way to order versions, named by an ecosystem that has it.
type order string

// The orders there are (google/osv-scalibr/semantic).
const (
	orderSemVer    order = "Go"
	orderAlpine    order = "Alpine"
	orderCRAN      order = "CRAN"
	orderDebian    order = "Debian"
	orderHackage   order = "Hackage"
	orderMaven     order = "Maven"
	orderNuGet     order = "NuGet"
	orderPackagist order = "Packagist"
	orderPub       order = "Pub"
	orderPyPI      order = "PyPI"
	orderRPM       order = "Red Hat"
	orderRubyGems  order = "RubyGems"
)

// orderOf gives the order of an ecosystem without its release, "" if none is known.
// It is a function so that nothing can change it.
func orderOf(ecosystem string) order {
	switch ecosystem {
	case "Go", "npm", "crates.io", "Bioconductor", "Bitnami", "ConanCenter", "Docker Hardened Images", "GHC", "Hex", "Julia", "SwiftURL":
		return orderSemVer
	case "Alpine", "Alpaquita", "BellSoft Hardened Containers", "Chainguard", "MinimOS", "Wolfi":
		return orderAlpine
	case "Debian", "Ubuntu", "Echo":
		return orderDebian
	case "AlmaLinux", "Azure Linux", "Mageia", "openEuler", "openSUSE", "Photon OS", "Red Hat", "Rocky Linux", "SUSE":
		return orderRPM
	case "CRAN", "Hackage", "Maven", "NuGet", "Packagist", "Pub", "PyPI", "RubyGems":
		return order(ecosystem)
	}
	return ""
}

// Compare orders two versions as the ecosystem's own tools do: -1 if a is before b, 0
// if they are the same to them, +1 if a is after b. The ecosystem may have a release
// ("Debian:12"), which changes nothing. Versions of Go may be spelled "v1.2.3" or, as
// its releases are, "go1.22rc1".
//
// An ecosystem whose order is not known is an error of kind [assay.ErrUnchecked]: it
// says nothing about the versions. One that the order has no place for is
// [assay.ErrInvalid], one longer than [MaxVersion] [assay.ErrBound]. Some orders have
// a place for any text; [Match] asks for more, so that "latest" is not before 1.0.
func Compare(ecosystem, a, b string) (int, error) {
	base, _ := splitEcosystem(ecosystem)
	o := orderOf(base)
	if o == "" {
		return 0, noOrder(ecosystem)
	}
	if base == "Go" {
		a, b = goVersion(a), goVersion(b)
	}
	v, err := parseVersion(o, a)
	if err != nil {
		return 0, err
	}
	w, err := parseVersion(o, b)
	if err != nil {
		return 0, err
	}
	return v.compare(&w)
}

func noOrder(ecosystem string) error {
	return &assay.Error{Op: "compare versions", Kind: assay.ErrUnchecked, Field: "ecosystem", Value: ecosystem, Bound: "an ecosystem whose order of versions is known"}
}

// version is a version that was read once, to be compared often.
type version struct {
	text  string
	order order
	// lib is nil if the text is a version of SemVer 2.0.0, and the order is that:
	// then it is sem.
	lib semantic.Version
	sem semver
}

func badVersion(o order, text string) *assay.Error {
	return &assay.Error{Op: "parse version", Kind: assay.ErrInvalid, Subject: string(o), Field: "version", Value: text}
}

// parseVersion reads whatever the order has a place for.
func parseVersion(o order, text string) (version, error) {
	switch {
	case text == "":
		bad := badVersion(o, text)
		bad.Bound = "a version"
		return version{}, bad
	case len(text) > MaxVersion:
		bad := badVersion(o, text)
		bad.Kind, bad.Bound = assay.ErrBound, "512 bytes"
		return version{}, bad
	}
	if o == orderSemVer {
		if s, ok := parseSemVer(text); ok {
			return version{text: text, order: o, sem: s}, nil
		}
	}
	lib, err := semantic.Parse(text, string(o))
	if err != nil {
		bad := badVersion(o, text)
		bad.Err = err
		return version{}, bad
	}
	return version{text: text, order: o, lib: lib}, nil
}

// strictVersion reads what the ecosystem's grammar allows: what its order means
// something for.
func strictVersion(o order, text string) (version, error) {
	if len(text) <= MaxVersion && !wellFormed(o, text) {
		bad := badVersion(o, text)
		bad.Bound = "a version as the ecosystem spells it"
		return version{}, bad
	}
	return parseVersion(o, text)
}

// compare is the order of v relative to w, which are of the same order.
func (v *version) compare(w *version) (int, error) {
	if v.lib == nil && w.lib == nil {
		return v.sem.compare(&w.sem), nil
	}
	vl, wl := v.lib, w.lib
	if vl == nil {
		vl = semantic.ParseSemverVersion(v.text)
	}
	if wl == nil {
		wl = semantic.ParseSemverVersion(w.text)
	}
	d, err := vl.Compare(wl)
	if err != nil { // some orders read parts of a version only when they compare them
		bad := badVersion(v.order, v.text)
		bad.Bound, bad.Err = "what can be compared with "+w.text, err
		return 0, bad
	}
	return d, nil
}

// goVersion takes off the "v" of modules, and makes a version of SemVer of the tag of
// a release of Go: "go1.22rc1" is 1.22.0-rc.1 (the database writes it so). What
// follows a space, such as enabled experiments, is no part of the version. What is
// neither is given back as it is.
func goVersion(text string) string {
	if strings.HasPrefix(text, "go") {
		return goRelease(text)
	}
	return cmp.Or(strings.TrimPrefix(text, "v"), text)
}

// goRelease is [goVersion] for what is known to be a release of Go: "1.22rc1".
func goRelease(text string) string {
	tag := strings.TrimPrefix(strings.TrimPrefix(text, "go"), "v")
	tag, _, _ = strings.Cut(tag, " ")
	i := 0
	dots := 0
	for i < len(tag) && (isDigit(tag[i]) || tag[i] == '.') {
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

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
