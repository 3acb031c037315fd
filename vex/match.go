package vex

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Basis says what two products were found to be the same by, the weakest first.
type Basis string

const (
	NoMatch Basis = ""
	// ByCPE: a CPE name stated covers one asked about, attribute by attribute
	// (NISTIR 7696, superset or equal), whichever of the versions 2.2 and 2.3 they
	// are spelt in.
	ByCPE Basis = "cpe"
	// ByID: the IRIs are the same.
	ByID Basis = "id"
	// ByPURL: the stated purl covers the one asked about ([assay.PURL.Matches]; the
	// versions of Go modules with or without "v"), or its range of versions
	// (qualifier "vers") has the one asked about in it.
	ByPURL Basis = "purl"
	// ByDigest: they share a digest of a strong algorithm, among the hashes or as
	// version of an image's purl.
	ByDigest Basis = "digest"
	// ByProduct, for components only: the statement is about the product as a whole,
	// and so about each of its parts.
	ByProduct Basis = "product"
)

// Matching says how a stated product covers one that is asked about.
type Matching struct {
	Product Basis
	// Component is about the subcomponents; ByProduct if the statement has none.
	Component Basis
	// Undecided: the statement may be about what was asked, but whether the version is in
	// its range cannot be told. It is not OK then.
	Undecided bool
}

// OK reports whether the statement is about what was asked.
func (m Matching) OK() bool {
	return m.Product != NoMatch && m.Component != NoMatch && !m.Undecided
}

// Match reports whether a statement about the product stated says something about
// the product asked. The subcomponents of asked are the parts that one asks about;
// without any one asks about the product as a whole.
//
// Digests decide where both have one of the same strong algorithm: equal ones match,
// different ones do not, whatever the names say. Else a purl matches as a pattern,
// what it leaves out being any, qualifiers and subpath too, and so does a CPE; an IRI
// matches only itself. MD5 and SHA-1 match nothing.
//
// A purl without version and with the qualifier "vers" is about the versions in that
// range. The order of versions is known for the range schemes alpine and apk, cargo,
// composer, cran, deb, gem, golang, hackage, hex, maven, npm, nuget, pub, pypi, rpm,
// semver and swift; with another scheme, or a version that is none of it, only equality
// is decided, and a range that hangs on more is Undecided.
//
// A statement that has subcomponents says nothing about other parts, or about the
// product as a whole. One that has none is about every part.
func Match(stated, asked assay.Product) Matching {
	m := Matching{}
	m.Product, m.Undecided = matchOne(stated, asked)
	if m.Product == NoMatch && !m.Undecided {
		return Matching{}
	}
	if len(stated.Subcomponents) == 0 {
		m.Component = ByProduct
		return m
	}
	// Nothing asked about is NoMatch: the whole is more than the parts stated.
	for i, part := range asked.Subcomponents {
		best, unsure := NoMatch, false
		for _, s := range stated.Subcomponents {
			b, u := matchOne(s, part)
			if rank(b) > rank(best) {
				best = b
			}
			unsure = unsure || u
		}
		if best == NoMatch && !unsure {
			return Matching{Product: m.Product}
		}
		m.Undecided = m.Undecided || best == NoMatch
		// The match of several parts is as good as that of the worst.
		if i == 0 || rank(best) < rank(m.Component) {
			m.Component = best
		}
	}
	m.Undecided = m.Undecided && len(asked.Subcomponents) > 0
	return m
}

func rank(b Basis) int {
	return slices.Index([]Basis{NoMatch, ByCPE, ByID, ByPURL, ByDigest, ByProduct}, b)
}

// matchOne looks at the products alone; undecided comes with NoMatch only.
func matchOne(stated, asked assay.Product) (basis Basis, undecided bool) {
	a, okA := digests(stated)
	b, okB := digests(asked)
	share, contradict := compareDigests(a, b)
	switch {
	case !okA || !okB || contradict:
		return NoMatch, false
	case share:
		return ByDigest, false
	}
	if a, b := stated.PURL, asked.PURL; !a.IsZero() && a == b {
		return ByPURL, false
	}
	for _, p := range purls(stated) {
		for _, q := range purls(asked) {
			switch purlCovers(p, q) {
			case assay.Proven:
				return ByPURL, false
			case assay.Unknown:
				undecided = true
			}
		}
	}
	if stated.ID != "" && stated.ID == asked.ID {
		return ByID, false
	}
	for _, s := range stated.CPEs {
		for _, q := range asked.CPEs {
			if cpeCovers(s, q) {
				return ByCPE, false
			}
		}
	}
	return NoMatch, undecided
}

// purls gives the identifier and, where that is another purl, the @id: the
// specification's own example has two.
func purls(p assay.Product) []assay.PURL {
	var ps []assay.PURL
	if !p.PURL.IsZero() {
		ps = append(ps, p.PURL)
	}
	if strings.HasPrefix(p.ID, "pkg:") && p.ID != p.PURL.String() {
		if q, err := assay.ParsePURL(p.ID); err == nil && q != p.PURL {
			ps = append(ps, q)
		}
	}
	return ps
}

// digests gives the digests of a product with those in its image purls, and false if
// they contradict each other: such a product names nothing.
func digests(p assay.Product) (assay.DigestSet, bool) {
	if len(p.Digests) == 0 && !isImage(p.PURL) && (p.ID == "" || p.ID == p.PURL.String()) {
		return nil, true // most products, and matching is hot
	}
	all := slices.Clone(p.Digests)
	for _, q := range purls(p) {
		if d := purlDigest(q); !d.IsZero() {
			all = append(all, d)
		}
	}
	set, err := assay.NewDigestSet(all...)
	return set, err == nil
}

// compareDigests looks at the strong algorithms that both have.
func compareDigests(a, b assay.DigestSet) (share, contradict bool) {
	for _, d := range a {
		if !d.Algorithm().Strong() {
			continue
		}
		switch o := b.Get(d.Algorithm()); {
		case o == d:
			share = true
		case !o.IsZero():
			contradict = true
		}
	}
	return share, contradict
}
