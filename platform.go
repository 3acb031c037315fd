package assay

import (
	"cmp"
	"strings"
)

// Platform is what an image runs on (OCI image-spec v1.1, image-index.md). It is
// comparable; its zero value is "any".
type Platform struct {
	OS           string `json:"os,omitempty"`
	Architecture string `json:"architecture,omitempty"`
	Variant      string `json:"variant,omitempty"`
	OSVersion    string `json:"os.version,omitempty"`
}

// ParsePlatform reads "os/architecture[/variant]", with ":osversion" after the os
// allowed, as container tools write it. Common spellings of architectures are
// brought to Go's (x86_64 to amd64, aarch64 to arm64), and the variant that is
// implied is dropped (arm64/v8, amd64/v1).
func ParsePlatform(s string) (Platform, error) {
	bad := &Error{Op: "parse platform", Kind: ErrInvalid, Value: s, Bound: "os/architecture[/variant]"}
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return Platform{}, bad
	}
	for i, p := range parts {
		if p == "" || strings.ContainsFunc(p, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
				r == '_' || r == '-' || r == '.' || r == ':' && i == 0)
		}) {
			return Platform{}, bad
		}
	}
	os, version, hasVersion := strings.Cut(parts[0], ":")
	if os == "" || hasVersion && (version == "" || strings.Contains(version, ":")) {
		return Platform{}, bad
	}
	p := Platform{OS: strings.ToLower(os), Architecture: strings.ToLower(parts[1]), OSVersion: version}
	if len(parts) == 3 {
		p.Variant = strings.ToLower(parts[2])
	}
	return p.Normalize(), nil
}

// Normalize gives the canonical spelling of the platform.
func (p Platform) Normalize() Platform {
	p.OS, p.Architecture, p.Variant = strings.ToLower(p.OS), strings.ToLower(p.Architecture), strings.ToLower(p.Variant)
	if p.OS == "macos" {
		p.OS = "darwin"
	}
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	case "i386", "i686":
		p.Architecture = "386"
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	}
	if len(p.Variant) == 1 && p.Variant[0] >= '5' && p.Variant[0] <= '8' { // "arm/7"
		p.Variant = "v" + p.Variant
	}
	if p.Architecture == "arm64" && p.Variant == "v8" || p.Architecture == "amd64" && p.Variant == "v1" {
		p.Variant = ""
	}
	return p
}

// IsZero reports whether p is "any".
func (p Platform) IsZero() bool { return p == Platform{} }

// Covers reports whether q is what p asks for: every field that p states is equal,
// both normalized. The zero platform covers all.
func (p Platform) Covers(q Platform) bool {
	p, q = p.Normalize(), q.Normalize()
	covers := func(a, b string) bool { return a == "" || a == b }
	return covers(p.OS, q.OS) && covers(p.Architecture, q.Architecture) && covers(p.Variant, q.Variant) && covers(p.OSVersion, q.OSVersion)
}

// Compare orders platforms by os, architecture, variant and os version.
func (p Platform) Compare(q Platform) int {
	return cmp.Or(cmp.Compare(p.OS, q.OS), cmp.Compare(p.Architecture, q.Architecture),
		cmp.Compare(p.Variant, q.Variant), cmp.Compare(p.OSVersion, q.OSVersion))
}

// String gives the form that [ParsePlatform] reads, or "" for any. What is not
// known of a platform is "unknown" in it.
func (p Platform) String() string {
	if p.IsZero() {
		return ""
	}
	s := cmp.Or(p.OS, "unknown")
	if p.OSVersion != "" {
		s += ":" + p.OSVersion
	}
	s += "/" + cmp.Or(p.Architecture, "unknown")
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}
