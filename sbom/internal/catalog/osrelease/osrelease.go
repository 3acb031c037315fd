// Package osrelease reads os-release(5) files.
package osrelease

import "strings"

// Release is what distribution an image is of.
type Release struct {
	// ID is a lowercase word such as "debian", VersionID such as "12"; each may be "".
	ID, VersionID string
	// Name, Version, PrettyName are for people.
	Name, Version, PrettyName string
	// Codename is such as "bookworm", VariantID such as "server".
	Codename, VariantID string
	// CPE is CPE_NAME, Vendor is VENDOR_NAME.
	CPE, Vendor string
}

// Parse reads the file as a shell would read such assignments; a line that is no
// assignment is ignored, as the specification asks. The last of several counts.
func Parse(data []byte) Release {
	var r Release
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		value = unquote(value)
		switch key {
		case "ID":
			r.ID = strings.ToLower(value)
		case "VERSION_ID":
			r.VersionID = value
		case "NAME":
			r.Name = value
		case "VERSION":
			r.Version = value
		case "PRETTY_NAME":
			r.PrettyName = value
		case "VERSION_CODENAME":
			r.Codename = value
		case "VARIANT_ID":
			r.VariantID = value
		case "CPE_NAME":
			r.CPE = value
		case "VENDOR_NAME":
			r.Vendor = value
		}
	}
	return r
}

// IsZero reports whether the file names no distribution.
func (r Release) IsZero() bool { return r.ID == "" }

// Distro is the value of the qualifier "distro" of package URLs: "debian-12". A
// distribution that has no version, such as Debian unstable, gives its codename, or
// the ID alone.
func (r Release) Distro() string {
	switch {
	case r.ID == "":
		return ""
	case r.VersionID != "":
		return r.ID + "-" + r.VersionID
	case r.Codename != "":
		return r.ID + "-" + r.Codename
	}
	return r.ID
}

// unquote undoes the quoting of a shell's assignment, which the specification
// limits to one pair of quotes and backslashes before $, ", \ and backtick.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
