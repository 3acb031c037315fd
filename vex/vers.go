package vex

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// purlCovers is [assay.PURL.Matches] and two things that are no matter of spelling:
// versions of Go with or without "v", and ranges. It is unknown if all but the version
// matches, and whether that is in the range cannot be told.
func purlCovers(stated, asked assay.PURL) assay.State {
	if stated.Matches(asked) {
		return assay.Proven
	}
	s := stated.String()
	if !strings.Contains(s, "vers=") && stated.Type() != "golang" {
		return assay.Refuted
	}
	at := strings.IndexByte(s, '@')
	if at < 0 {
		if rest, vers := cutVers(stated); vers != "" && rest.Matches(asked) {
			return inRange(vers, asked.Version())
		}
		return assay.Refuted
	}
	if stated.Type() != "golang" || stated.Package() != asked.Package() || plainVersion(stated) != plainVersion(asked) {
		return assay.Refuted
	}
	// The same version: what is left is the rest of the pattern.
	end := at + strings.IndexAny(s[at:]+"?", "?#")
	p, err := assay.ParsePURL(s[:at] + s[end:])
	return decided(err == nil && p.Matches(asked))
}

func decided(ok bool) assay.State {
	if ok {
		return assay.Proven
	}
	return assay.Refuted
}

// plainVersion is the version without what writers of Go's purls add or leave out:
// "v", and "go" for the standard library and the toolchain.
func plainVersion(p assay.PURL) string {
	v := p.Version()
	if p.Type() != "golang" {
		return v
	}
	if pkg := p.Package().String(); pkg == "pkg:golang/stdlib" || pkg == "pkg:golang/toolchain" {
		v = cutBeforeDigit(v, "go")
	}
	return cutBeforeDigit(v, "v")
}

func cutBeforeDigit(v, prefix string) string {
	if rest, ok := strings.CutPrefix(v, prefix); ok && rest != "" && '0' <= rest[0] && rest[0] <= '9' {
		return rest
	}
	return v
}

// cutVers takes the qualifier "vers" out of a purl.
func cutVers(p assay.PURL) (assay.PURL, string) {
	if !strings.Contains(p.String(), "vers=") {
		return p, ""
	}
	parts := p.Parts()
	vers := parts.Qualifiers["vers"]
	delete(parts.Qualifiers, "vers")
	q, err := assay.NewPURL(parts)
	if err != nil {
		return p, ""
	}
	return q, vers
}

type constraint struct{ op, version string }

// parseVers reads "vers:scheme/constraint|constraint" (VERS specification, Version
// range specifier syntax). Without constraints it is not ok.
func parseVers(s string) (scheme string, cs []constraint, ok bool) {
	rest, ok := strings.CutPrefix(s, "vers:")
	scheme, list, found := strings.Cut(rest, "/")
	if !ok || !found || scheme == "" || strings.ToLower(scheme) != scheme {
		return "", nil, false
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(list, "|") {
		part = strings.TrimSpace(part)
		c := constraint{"=", part}
		for _, op := range []string{">=", "<=", "!=", "=", "<", ">"} {
			if v, ok := strings.CutPrefix(part, op); ok {
				c = constraint{op, strings.TrimSpace(v)}
				break
			}
		}
		if part == "*" {
			c = constraint{"*", "*"}
		}
		v, good := unescape(c.version)
		if !good || v == "" || seen[v] { // versions are unique in a range
			return "", nil, false
		}
		seen[v] = true
		c.version = v
		cs = append(cs, c)
	}
	if len(cs) > 1 && slices.ContainsFunc(cs, func(c constraint) bool { return c.op == "*" }) {
		return "", nil, false
	}
	return scheme, cs, true
}

func unescape(s string) (string, bool) {
	if !validPercent(s) {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			c = unhex(s[i+1]|0x20)<<4 | unhex(s[i+2]|0x20)
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// inRange decides as the specification's algorithm does (Checking if a version is
// contained within a range). It is unknown if the range is none, or hangs on an order
// that is not known. A question about no version in particular is not about a range.
func inRange(vers, version string) assay.State {
	scheme, cs, ok := parseVers(vers)
	switch {
	case version == "":
		return assay.Refuted
	case !ok:
		return assay.Unknown
	case cs[0].op == "*":
		return assay.Proven
	}
	if scheme == "golang" {
		version = cutBeforeDigit(version, "v")
		for i := range cs {
			cs[i].version = cutBeforeDigit(cs[i].version, "v")
		}
	}
	var bounds []constraint
	excluded, exact, unordered := false, false, false
	for _, c := range cs {
		same := c.version == version
		n, ok := compareVersions(scheme, c.version, version)
		same = same || ok && n == 0
		unordered = unordered || !ok && !same
		switch c.op {
		case "!=":
			if same {
				return assay.Refuted
			}
			excluded = true
		case "=":
			if same {
				return assay.Proven
			}
			exact = true
		case "<=", ">=":
			if same {
				return assay.Proven
			}
			bounds = append(bounds, c)
		default:
			if same {
				return assay.Refuted
			}
			bounds = append(bounds, c)
		}
	}
	switch {
	case len(bounds) > 0 && unordered:
		return assay.Unknown
	case len(bounds) == 0:
		// Nothing but exclusions is everything else.
		return decided(excluded && !exact)
	}
	return decided(between(scheme, version, bounds))
}

// between places the version among bounds that it is not equal to, all of which have an
// order with it.
func between(scheme, version string, bounds []constraint) bool {
	slices.SortFunc(bounds, func(a, b constraint) int {
		n, _ := compareVersions(scheme, a.version, b.version)
		return n
	})
	// The nearest bound on either side has to let the version in.
	below, above := "", ""
	for _, b := range bounds {
		if n, _ := compareVersions(scheme, b.version, version); n < 0 {
			below = b.op
		} else if above == "" {
			above = b.op
		}
	}
	return (below == "" || below[0] == '>') && (above == "" || above[0] == '<')
}
