package dpkg

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// ParseCopyright reads the licences that a package's copyright file states, in the
// order of the file, each once.
//
// A machine-readable file (Debian copyright format 1.0) states a licence by short
// name for each set of files; a name that SPDX has under this or another name
// becomes an expression, any other stays as it is. If all are expressions and some
// offer a choice or an exception, they are joined to one by AND. Of other files only references
// to the texts in /usr/share/common-licenses are read; these name the text, not
// what the package allows ("GPL-2" may mean only or later), so they stay names.
func ParseCopyright(data []byte) []assay.License {
	if names, ok := machineReadable(data); ok {
		var out []assay.License
		for _, n := range names {
			for _, l := range conjuncts(fromShortName(n)) {
				if !slices.Contains(out, l) {
					out = append(out, l)
				}
			}
		}
		return joined(out)
	}
	return commonLicenses(string(data))
}

// conjuncts takes "A AND B" apart, since all licences of a list apply anyway.
func conjuncts(l assay.License) []assay.License {
	if l.Expression == "" || strings.Contains(l.Expression, "(") || strings.Contains(l.Expression, " OR ") {
		return []assay.License{l}
	}
	var out []assay.License
	for part := range strings.SplitSeq(l.Expression, " AND ") {
		out = append(out, assay.License{Expression: part})
	}
	return out
}

// joined makes one expression of a list that has nothing but expressions, where
// some are not mere identifiers: CycloneDX has an expression only on its own.
func joined(list []assay.License) []assay.License {
	compound := false
	for _, l := range list {
		if l.Expression == "" {
			return list
		}
		compound = compound || strings.Contains(l.Expression, " ")
	}
	if !compound || len(list) < 2 {
		return list
	}
	parts := make([]string, len(list))
	for i, l := range list {
		if parts[i] = l.Expression; strings.Contains(l.Expression, " OR ") {
			parts[i] = "(" + l.Expression + ")"
		}
	}
	return []assay.License{license.Declared(strings.Join(parts, " AND "))}
}

func machineReadable(data []byte) (names []string, ok bool) {
	want := func(f string) bool { return f == "format" || f == "files" || f == "license" }
	first := true
	err := eachParagraph(data, want, func(p paragraph, _ int) error {
		if first {
			ok = strings.Contains(p["format"], "copyright-format") || strings.Contains(p["format"], "dep5")
			first = false
		}
		// A paragraph without Files, but for the header, is the text of a licence
		// that others refer to.
		_, header := p["format"]
		if _, files := p["files"]; files || header {
			name, _, _ := strings.Cut(p["license"], "\n")
			if name = oneLine(name); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return nil
	})
	return names, ok && err == nil
}

// fromShortName reads "GPL-2+ or Artistic", "A and B", "GPL-2+ with OpenSSL
// exception" (copyright format 1.0, section 7).
func fromShortName(s string) assay.License {
	words := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, ",", " "), "(", " ( "), ")", " ) "))
	out := make([]string, 0, len(words))
	for _, w := range words {
		switch l := strings.ToLower(w); l {
		case "and", "or", "with":
			out = append(out, strings.ToUpper(l))
		case "(", ")":
			out = append(out, l)
		default:
			out = append(out, spdxID(w))
		}
	}
	// A comma binds "and" and "or" in a way of its own; only plain lists survive
	// its removal.
	and, or := slices.Contains(out, "AND"), slices.Contains(out, "OR")
	if strings.Contains(s, ",") && and && or {
		return assay.License{Name: s}
	}
	if l := license.Declared(strings.Join(out, " ")); l.Expression != "" {
		return l
	}
	return assay.License{Name: s}
}

// spdxID gives the SPDX identifier for a short name of Debian's, or the name.
func spdxID(name string) string {
	switch strings.ToLower(name) {
	case "expat":
		return "MIT"
	case "bsd-2-clause", "bsd-3-clause", "bsd-4-clause":
		return "BSD" + name[3:]
	case "zope-2.1":
		return "ZPL-2.1"
	case "psf-2":
		return "PSF-2.0"
	case "cc0":
		return "CC0-1.0"
	}
	family, version, ok := strings.Cut(name, "-")
	if !ok {
		return name
	}
	suffix := "-only"
	if v, later := strings.CutSuffix(version, "+"); later {
		version, suffix = v, "-or-later"
	}
	switch strings.ToUpper(family) {
	case "GPL", "LGPL", "AGPL", "GFDL":
		if strings.Trim(version, "0123456789.") != "" {
			return name
		}
		if !strings.Contains(version, ".") {
			version += ".0"
			if strings.EqualFold(family, "GFDL") {
				return name // GFDL-1.x only
			}
		}
		return strings.ToUpper(family) + "-" + version + suffix
	case "APACHE", "MPL", "EPL", "CDDL", "LPPL":
		if strings.Trim(version, "0123456789.") == "" && !strings.Contains(version, ".") {
			return family + "-" + version + ".0"
		}
	}
	return name
}

func commonLicenses(text string) []assay.License {
	const dir = "/usr/share/common-licenses/"
	var out []assay.License
	for {
		_, rest, ok := strings.Cut(text, dir)
		if !ok {
			return out
		}
		n := 0
		for n < len(rest) && (rest[n] == '-' || rest[n] == '.' || rest[n] >= '0' && rest[n] <= '9' ||
			rest[n] >= 'A' && rest[n] <= 'Z' || rest[n] >= 'a' && rest[n] <= 'z') {
			n++
		}
		if name := strings.TrimRight(rest[:n], "."); name != "" {
			if l := (assay.License{Name: name}); !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
		text = rest[n:]
	}
}
