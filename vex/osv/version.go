package osv

import "github.com/assaykit/assay/vex/internal/version"

// MaxVersion is the length in bytes up to which a version is read.
const MaxVersion = version.Max

// Compare orders two versions as the ecosystem's own tools do: -1 if a is before b, 0
// if they are the same to them, +1 if a is after b. The ecosystem may have a release
// ("Debian:12"), which changes nothing but for those that build packages of others again
// ("Root:Debian:12"), which have the order of these. Versions of Go may be spelled "v1.2.3" or, as
// its releases are, "go1.22rc1".
//
// An ecosystem whose order is not known is an error of kind [assay.ErrUnchecked]: it
// says nothing about the versions. One that the order has no place for is
// [assay.ErrInvalid], one longer than [MaxVersion] [assay.ErrBound]. Some orders have
// a place for any text; [Match] asks for more, so that "latest" is not before 1.0.
func Compare(ecosystem, a, b string) (int, error) {
	base, release := splitEcosystem(ecosystem)
	o := version.In(base, release)
	if o == "" {
		return 0, version.Unordered(ecosystem)
	}
	if base == "Go" {
		a, b = version.FromGo(a), version.FromGo(b)
	}
	v, err := version.Parse(o, a)
	if err != nil {
		return 0, err
	}
	w, err := version.Parse(o, b)
	if err != nil {
		return 0, err
	}
	return v.Compare(&w)
}
