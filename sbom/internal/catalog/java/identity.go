package java

import (
	"path"
	"regexp"
	"strings"
)

// Where an [Identity] is from, best first.
const (
	FromProperties = "pom.properties"
	FromPOM        = "pom.xml"
	FromManifest   = "manifest"
	FromName       = "file name"
)

// Identity is what an archive is.
type Identity struct {
	// Group is "" where nothing states or implies it: then there are no Maven
	// coordinates.
	Group, Artifact, Version string
	// Evidence says what the version is from, and the name with it.
	Evidence string
	// Implied tells that the group was concluded from the name of the bundle or
	// module, and not stated.
	Implied bool
	// Project is the index of the archive's own project, -1 if it has none.
	Project int
}

// Identity tells what the archive is, whose file has that name.
//
// The coordinates of its project count. Of several projects the one that the file
// is named after is its own, or the one that the manifest names; the others were
// merged into it. A single project is its own unless the file has another name and
// another version.
func (a *Archive) Identity(name string) Identity {
	stem, version := SplitName(name)
	if i := a.own(stem, version); i >= 0 {
		p := &a.Projects[i]
		id := Identity{p.Group, p.Artifact, p.Version, FromProperties, false, i}
		if !p.Properties {
			id.Evidence = FromPOM
		}
		if id.Version == "" {
			id.Version = or(a.Manifest.version(), version)
		}
		return id
	}
	m := a.Manifest
	id := Identity{Project: -1, Artifact: stem, Version: version, Evidence: FromName}
	// What the plugin for Jenkins plugins writes is coordinates.
	if short := or(m["Artifact-Id"], or(m["Short-Name"], m["Extension-Name"])); m["Group-Id"] != "" && short != "" && token(short) {
		return Identity{Group: m["Group-Id"], Artifact: short, Version: or(firstWord(m["Plugin-Version"]), or(m.version(), version)), Evidence: FromManifest, Project: -1}
	}
	if v := m.version(); v != "" && !strings.HasPrefix(version, v) {
		id.Version, id.Evidence = v, FromManifest
	} else if v != "" {
		id.Evidence = FromManifest // it confirms what the name says
	}
	if version == "" { // then the stem is the name of a file and no more
		if t := m["Implementation-Title"]; t != "" && token(t) && !strings.Contains(t, ".") {
			id.Artifact = t
		}
	}
	id.Group = m.group(id.Artifact)
	id.Implied = id.Group != "" && id.Group != m["Implementation-Vendor-Id"]
	return id
}

// own gives the index of the archive's own project, -1 if there is none.
func (a *Archive) own(stem, version string) int {
	named := make([]int, 0, 8)
	for i := range a.Projects {
		if a.Projects[i].Artifact != "" {
			named = append(named, i)
		}
	}
	if len(named) == 1 {
		p := &a.Projects[named[0]]
		if stem == p.Artifact || strings.HasPrefix(stem, p.Artifact+"-") || a.Manifest.names(p) {
			return named[0]
		}
		if version != "" && version != p.Version || a.Manifest.isOther(p) {
			return -1
		}
		return named[0]
	}
	best, rank := -1, 0
	for _, i := range named {
		p := &a.Projects[i]
		r := 0
		switch {
		case stem == p.Artifact && version == p.Version:
			r = 1 << 20
		case stem == p.Artifact:
			r = 1 << 19
		case a.Manifest.names(p):
			r = 1 << 18
		case version == p.Version && version != "" && strings.HasPrefix(stem, p.Artifact):
			r = len(p.Artifact) // the longest name
		}
		if r > rank {
			best, rank = i, r
		}
	}
	return best
}

// names reports whether the manifest is that of the project.
func (m Manifest) names(p *Project) bool {
	if p.Artifact == "" {
		return false
	}
	symbolic := firstPart(m["Bundle-SymbolicName"])
	return symbolic == p.Group+"."+p.Artifact || symbolic == p.Artifact || m["Implementation-Title"] == p.Artifact ||
		m["Implementation-Title"] == p.Group+":"+p.Artifact || m["Automatic-Module-Name"] == p.Group+"."+p.Artifact
}

// isOther reports whether the manifest names something else than the project and gives
// that another version: the project was merged into it, as Guice merges cglib.
func (m Manifest) isOther(p *Project) bool {
	name := or(firstPart(m["Bundle-SymbolicName"]), m["Implementation-Title"])
	v := m.version()
	return name != "" && !strings.Contains(name, p.Artifact) && v != "" && p.Version != "" &&
		!strings.HasPrefix(v, p.Version) && !strings.HasPrefix(p.Version, v)
}

func (m Manifest) version() string {
	for _, k := range []string{"Implementation-Version", "Bundle-Version", "Plugin-Version", "Specification-Version"} {
		if v := m[k]; v != "" && token(v) && strings.ContainsAny(v, "0123456789") {
			return v
		}
	}
	return ""
}

// group is stated as the vendor's id, or it is what tools make the name of a bundle
// from: group and artifact, where the artifact's beginning is left out if the group
// ends in it (Maven Bundle Plugin, Default Behavior, Bundle-SymbolicName); or, as
// Eclipse does it, the artifact begins with its group. The name of the module, which
// authors choose freely, says so only where there is no name of a bundle.
func (m Manifest) group(artifact string) string {
	if v := m["Implementation-Vendor-Id"]; isGroup(v) {
		return v
	}
	if artifact == "" {
		return ""
	}
	for _, k := range []string{"Bundle-SymbolicName", "Automatic-Module-Name"} {
		name := firstPart(m[k])
		if !isGroup(name) {
			continue
		}
		if g, ok := strings.CutSuffix(name, "."+artifact); ok && isGroup(g) {
			return g
		}
		i := strings.LastIndexByte(name, '.')
		if name == artifact {
			if isGroup(name[:i]) {
				return name[:i]
			}
			break
		}
		last := name[i+1:]
		if artifact == last && isGroup(name[:i]) {
			return name[:i]
		}
		// org.apache.commons.lang3 is org.apache.commons:commons-lang3.
		if g := name[:i]; isGroup(g) && artifact == g[strings.LastIndexByte(g, '.')+1:]+"-"+last {
			return g
		}
		break
	}
	return ""
}

var groupName = regexp.MustCompile(`^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+$`)

func isGroup(s string) bool { return len(s) <= 255 && groupName.MatchString(s) }

func token(s string) bool { return !strings.ContainsAny(s, " \t/\\:@?#%,;\"'()") }

func firstPart(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.TrimSpace(s)
}

func firstWord(s string) string {
	s, _, _ = strings.Cut(s, " ")
	return s
}

// qualifier is what follows the numbers of a version.
var qualifier = regexp.MustCompile(`^(?i:jre\d*|jdk\d*|java\d*|android|snapshot|release|final|ga|sp\d*|alpha.*|beta.*|rc.*|m\d+|cr\d+|b\d+|r\d+|incubating|redhat.*|pre.*|jbossorg.*|v\d.*|\d.*)$`)

// SplitName takes the name of a file apart, as Maven makes it of artifact and
// version: "guava-31.1-jre.jar". The version is "" if there is none.
func SplitName(name string) (stem, version string) {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	if HasExtension(base) {
		base = base[:strings.LastIndexByte(base, '.')]
	}
	parts := strings.Split(base, "-")
	last := -1
	for i := len(parts) - 1; i > 0; i-- {
		if parts[i] == "" || !qualifier.MatchString(parts[i]) {
			break
		}
		if parts[i][0] >= '0' && parts[i][0] <= '9' || len(parts[i]) > 1 && parts[i][0] == 'v' && parts[i][1] >= '0' && parts[i][1] <= '9' {
			last = i
		}
	}
	if last < 0 {
		return base, ""
	}
	return strings.Join(parts[:last], "-"), strings.Join(parts[last:], "-")
}
