package osv

import "strings"

// rows gives the rows of an entry that say something of the release asked for. A row
// without a release is of all of them, and so is every row of an ecosystem that has
// none: what follows the colon there is where a registry is.
func rows(q *Query, all []Affected) []*Affected {
	var out, pro []*Affected
	for i := range all {
		base, release := splitEcosystem(all[i].Ecosystem)
		if base != q.Ecosystem {
			continue
		}
		if base == "Echo" && release != "" {
			continue // its packages of Python and others, which nothing asks about
		}
		if release == "" || q.Release == "" {
			out = append(out, &all[i])
			continue
		}
		switch base {
		case "Ubuntu":
			switch plain, ok := ubuntuRow(release, q); {
			case ok && plain:
				out = append(out, &all[i])
			case ok:
				pro = append(pro, &all[i])
			}
		default:
			if releaseMatches(base, release, q.Release) {
				out = append(out, &all[i])
			}
		}
	}
	// What Ubuntu fixed in Pro only is not fixed without it: there the rows of Pro
	// are all that is said of the release. Where there are both, a package that came
	// from Pro is told by its version.
	if len(pro) > 0 && (len(out) == 0 || strings.Contains(q.Version, "esm") || isFIPS(q.Version)) {
		return pro
	}
	return out
}

func isFIPS(v string) bool { return strings.Contains(strings.ToLower(v), "fips") }

// ubuntuRow reports whether "22.04:LTS", "Pro:22.04:LTS" or "Pro:FIPS:22.04:LTS" is
// about the release, and whether it is plain. Rows of FIPS are of packages that are
// built apart, and have it in their versions.
func ubuntuRow(row string, q *Query) (plain, ok bool) {
	plain = true
	fips := false
	for part := range strings.SplitSeq(row, ":") {
		switch {
		case part == q.Release, ubuntuRelease(part) == q.Release:
			ok = true
		case part == "Pro":
			plain = false
		case strings.HasPrefix(part, "FIPS"):
			fips = true
		}
	}
	return plain, ok && (!fips || isFIPS(q.Version))
}

// releaseMatches reports whether the release of a row is the one asked for.
func releaseMatches(ecosystem, row, want string) bool {
	switch ecosystem {
	case "Debian": // a codename is the release, too
		return row == want || debianRelease(row) == want
	case "Alpine":
		return row == want || alpineRelease(row) == want
	case "openSUSE": // "Leap 15.6 NonFree"
		return row == want || strings.HasPrefix(row, want+" ")
	case "Red Hat":
		// A CPE without its prefix: "enterprise_linux:9::baseos". Minor releases
		// are one stream of updates. Streams that are kept up for longer, and
		// layered products, have rows of their own, and packages of theirs.
		product, rest, _ := strings.Cut(row, ":")
		number, _, _ := strings.Cut(rest, ":")
		return product == "enterprise_linux" && majorRelease(number) == want
	case "Rocky Linux", "AlmaLinux", "Azure Linux", "Mageia":
		return majorRelease(row) == want
	case "SUSE":
		return suseRow(row, want)
	case "Docker Hardened Images": // "Alpine:3.23", "Debian:trixie"
		of, release, _ := strings.Cut(row, ":")
		normal := debianRelease
		if of == "Alpine" {
			normal = alpineRelease
		}
		return lineage(of, normal(release)) == want
	case "openEuler": // "24.03-LTS-SP1": os-release does not say which service pack
		return row == want || strings.HasPrefix(row, want+"-")
	}
	return row == want
}

// suseRow reports whether the name of a product, or of a module, is one of a release:
// "Linux Enterprise Module for Basesystem 15 SP5" or "Linux Enterprise Server 15
// SP5-LTSS" of "15 SP5". What is kept up for longer is about the same packages.
func suseRow(row, want string) bool {
	i := strings.LastIndex(row, " "+want)
	if i < 0 || strings.Contains(row, "Micro ") != strings.HasPrefix(want, "Micro ") {
		return false
	}
	rest := row[i+1+len(want):]
	return rest == "" || rest[0] == '-' || rest[0] == ' ' && !strings.HasPrefix(rest, " SP")
}
