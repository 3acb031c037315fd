package osv

import (
	"cmp"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/version"
)

// distro is a distribution with advisories.
type distro struct {
	ecosystem string
	// release makes of a version in os-release, or a codename, the release as the
	// ecosystem writes it, "" if it is none; nil if the distribution has none.
	release func(version string) string
	// binary says that advisories may also be of the installed package's name.
	binary bool
}

// distroOf knows a distribution by the namespace of its package URLs, which is the ID
// of os-release in most.
func distroOf(typ, namespace string) (distro, bool) {
	switch typ + "/" + namespace {
	case "deb/debian":
		return distro{"Debian", debianRelease, false}, true
	case "deb/ubuntu":
		return distro{"Ubuntu", ubuntuRelease, false}, true
	case "deb/echo":
		return distro{"Echo", nil, false}, true
	case "deb/dhi":
		return distro{"Docker Hardened Images", func(v string) string { return lineage("Debian", debianRelease(v)) }, true}, true
	case "apk/dhi":
		return distro{"Docker Hardened Images", func(v string) string { return lineage("Alpine", alpineRelease(v)) }, true}, true
	case "apk/alpine":
		return distro{"Alpine", alpineRelease, false}, true
	case "apk/alpaquita":
		return distro{"Alpaquita", firstWord, false}, true
	case "apk/bellsoft-hardened-containers":
		return distro{"BellSoft Hardened Containers", firstWord, false}, true
	case "apk/cleanstart", "apk/clnstrt":
		return distro{"CleanStart", nil, true}, true
	case "apk/wolfi":
		return distro{"Wolfi", nil, true}, true
	case "apk/chainguard":
		return distro{"Chainguard", nil, true}, true
	case "apk/minimos":
		return distro{"MinimOS", nil, true}, true
	case "rpm/redhat", "rpm/rhel":
		return distro{"Red Hat", majorRelease, true}, true
	case "rpm/rocky", "rpm/rocky-linux":
		return distro{"Rocky Linux", majorRelease, true}, true
	case "rpm/almalinux", "rpm/alma":
		return distro{"AlmaLinux", majorRelease, true}, true
	case "rpm/opensuse":
		return distro{"openSUSE", openSUSERelease, true}, true
	case "rpm/suse":
		return distro{"SUSE", suseRelease, true}, true
	case "rpm/mageia":
		return distro{"Mageia", majorRelease, true}, true
	case "rpm/openeuler", "rpm/openEuler":
		return distro{"openEuler", firstWord, true}, true
	case "rpm/photon":
		return distro{"Photon OS", firstWord, true}, true
	case "rpm/azurelinux", "rpm/mariner", "rpm/cbl-mariner":
		return distro{"Azure Linux", majorRelease, true}, true
	}
	// Some tools write the ID of os-release where the vendor's name belongs.
	if other := distroNamespace(namespace); typ == "rpm" && other != namespace {
		return distroOf(typ, other)
	}
	return distro{}, false
}

// lineage is a release of a distribution whose packages were built again.
func lineage(of, release string) string {
	if release == "" {
		return ""
	}
	return of + ":" + release
}

func distroQueries(c *assay.Component, p assay.PURLParts, v string, system *assay.Component) ([]Query, error) {
	d, ok := distroOf(p.Type, p.Namespace)
	if !ok {
		return nil, unasked(c, "namespace", p.Namespace, "a distribution that advisories are written for")
	}
	q := Query{Ecosystem: d.ecosystem, Version: v}
	if d.release != nil {
		stated := cmp.Or(p.Qualifiers["distro"], p.Qualifiers["os_version"])
		if stated == "" && system != nil {
			stated = systemRelease(system)
		}
		id, number := cutID(stated)
		if other, ok := distroOf(p.Type, distroNamespace(id)); id == "" || ok && other.ecosystem == d.ecosystem {
			q.Release = d.release(number)
		}
		if q.Release == "" {
			return nil, unasked(c, "distro", stated, "the release of "+d.ecosystem)
		}
	}
	if epoch := p.Qualifiers["epoch"]; epoch != "" && !strings.Contains(q.Version, ":") {
		q.Version = epoch + ":" + q.Version
	} else if strings.HasSuffix(c.Version, ":"+q.Version) {
		q.Version = c.Version
	}
	source, sourceVersion := sourceOf(c, p, q.Version)
	var out []Query
	if source != "" {
		s := q
		s.Name, s.Version = NormalName(q.Ecosystem, source), sourceVersion
		out = append(out, s)
	}
	if q.Name = NormalName(q.Ecosystem, p.Name); len(out) == 0 || d.binary && q.Name != out[0].Name {
		q.Beside = len(out) > 0
		out = append(out, q)
	}
	for i := range out {
		if strings.HasPrefix(out[i].Name, rootPrefix) {
			return rootQueries(out[i], strings.TrimPrefix(out[i].Name, rootPrefix), strings.TrimPrefix(q.Release, "v")), nil
		}
	}
	return out, nil
}

// sourceOf gives the source package of a package and its version; no name if there is
// none stated.
func sourceOf(c *assay.Component, p assay.PURLParts, v string) (name, sourceVersion string) {
	name, sourceVersion = c.Source.Name, c.Source.Version
	if up := p.Qualifiers["upstream"]; name == "" && up != "" {
		if p.Type == "rpm" {
			// "openssl-3.0.7-24.el9.src.rpm": the version is that of the package
			// in nearly all cases, and the name is before the last two hyphens.
			up = strings.TrimSuffix(strings.TrimSuffix(up, ".rpm"), ".src")
			up = strings.TrimSuffix(up, ".nosrc")
			if i := strings.LastIndexByte(up, '-'); i > 0 {
				if j := strings.LastIndexByte(up[:i], '-'); j > 0 {
					name, sourceVersion = up[:j], up[j+1:]
				}
			}
		} else {
			name, sourceVersion, _ = strings.Cut(up, "@")
		}
	}
	switch p.Type {
	case "rpm":
		// The name of the source's file has no epoch, and advisories compare with it.
		if epoch, _, ok := strings.Cut(v, ":"); ok && sourceVersion != "" && !strings.Contains(sourceVersion, ":") {
			sourceVersion = epoch + ":" + sourceVersion
		}
	case "deb":
		if name != "" && sourceVersion == "" {
			sourceVersion = withoutRebuild(v)
		}
		if name == "" {
			v = withoutRebuild(v)
			return p.Name, v
		}
	}
	return name, cmp.Or(sourceVersion, v)
}

// withoutRebuild takes off "+b1", which Debian adds where it builds a binary package
// again of the same source.
func withoutRebuild(v string) string {
	if i := strings.LastIndex(v, "+b"); i > 0 && version.IsNumber(v[i+2:]) {
		return v[:i]
	}
	return v
}

// systemRelease gives the release of the operating system as the qualifier "distro"
// has it.
func systemRelease(system *assay.Component) string {
	if v := cmp.Or(system.Version, system.Properties["assay:os:codename"]); v != "" {
		return system.Name + "-" + v
	}
	return system.Name
}

// distroNamespace gives the namespace in package URLs of an ID of os-release.
func distroNamespace(id string) string {
	switch {
	case id == "rhel":
		return "redhat"
	case strings.HasPrefix(id, "opensuse"):
		return "opensuse"
	case isSUSE(id):
		return "suse"
	}
	return id
}

func isSUSE(id string) bool { return strings.HasPrefix(id, "sle") || strings.HasPrefix(id, "sl-micro") }

// cutID takes "debian-12" apart. SUSE's IDs stay with the version, because they tell
// its products apart.
func cutID(stated string) (id, number string) {
	i := strings.LastIndexByte(stated, '-')
	if i < 0 {
		return "", stated
	}
	if id = stated[:i]; strings.HasPrefix(stated, "opensuse") || isSUSE(stated) {
		return id, stated
	}
	return id, stated[i+1:]
}

// majorRelease is the number before the first dot.
func majorRelease(v string) string {
	major, _, _ := strings.Cut(v, ".")
	if !version.IsNumber(major) {
		return ""
	}
	return major
}

// firstWord is the version up to a space.
func firstWord(v string) string {
	v, _, _ = strings.Cut(v, " ")
	return v
}

func debianRelease(v string) string {
	for i, name := range [...]string{"etch", "lenny", "squeeze", "wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke"} {
		if v == name {
			return [...]string{"4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"}[i]
		}
	}
	if v == "sid" || v == "unstable" {
		return "sid"
	}
	return majorRelease(v)
}

func ubuntuRelease(v string) string {
	for _, r := range [...][2]string{
		{"trusty", "14.04"}, {"xenial", "16.04"}, {"bionic", "18.04"}, {"focal", "20.04"}, {"jammy", "22.04"}, {"kinetic", "22.10"},
		{"lunar", "23.04"}, {"mantic", "23.10"}, {"noble", "24.04"}, {"oracular", "24.10"}, {"plucky", "25.04"}, {"questing", "25.10"},
		{"resolute", "26.04"},
	} {
		if v == r[0] {
			return r[1]
		}
	}
	year, month, ok := strings.Cut(v, ".")
	month, _, _ = strings.Cut(month, ".")
	if !ok || !version.IsNumber(year) || !version.IsNumber(month) {
		return ""
	}
	return year + "." + month
}

// alpineRelease makes "v3.20" of 3.20.3. Versions of edge are those of the release to
// come, and have a date.
func alpineRelease(v string) string {
	if v == "edge" || strings.Contains(v, "_alpha") {
		return "edge"
	}
	major, rest, ok := strings.Cut(strings.TrimPrefix(v, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	if !ok || !version.IsNumber(major) || !version.IsNumber(minor) {
		return ""
	}
	return "v" + major + "." + minor
}

// openSUSERelease makes "Leap 15.6" of "opensuse-leap-15.6", which is ID and version.
func openSUSERelease(v string) string {
	switch id, number := cutVersion(v); {
	case strings.HasPrefix(v, "opensuse-tumbleweed"):
		return "Tumbleweed"
	case id == "opensuse-leap-micro" && number != "":
		return "Leap Micro " + number
	case (id == "opensuse-leap" || id == "opensuse" || id == "") && number != "":
		return "Leap " + number
	}
	return ""
}

// suseRelease makes "15 SP5" of "sles-15.5" and "Micro 5.5" of "sle-micro-5.5": what
// the names of all the products and modules of a release end with.
func suseRelease(v string) string {
	id, number := cutVersion(v)
	major, pack, _ := strings.Cut(number, ".")
	switch {
	case number == "":
		return ""
	case id == "sle-micro" || id == "sl-micro":
		return "Micro " + number
	case len(major) == 2 && major < "16" && (pack == "" || pack == "0"):
		return major
	case len(major) == 2 && major < "16":
		return major + " SP" + pack
	}
	return number
}

// cutVersion takes "opensuse-leap-15.6" apart.
func cutVersion(v string) (id, number string) {
	i := strings.LastIndexByte(v, '-')
	if number = v[i+1:]; number == "" || !version.IsDigit(number[0]) {
		return v, ""
	}
	return v[:max(i, 0)], number
}
