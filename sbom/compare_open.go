package sbom

import (
	"strings"

	"github.com/assaykit/assay"
)

// scopeGeneric is about what no package manager knows.
const scopeGeneric = "components:generic"

// openScopes gives the scopes of components of which the SBOM says that there is more,
// or that what it lists may be something else.
func openScopes(doc *assay.SBOM) map[string]bool {
	out := make(map[string]bool)
	for _, s := range doc.Completeness {
		if s.Aggregate == incomplete && strings.HasPrefix(s.Scope, "components") && (s.Of == "" || s.Of == doc.Root.ID) {
			out[s.Scope] = true
		}
	}
	return out
}

// claimsExecutables reports whether the SBOM says that it lists everything, or
// everything that no package manager knows.
func claimsExecutables(doc *assay.SBOM) bool {
	all := false
	for _, s := range doc.Completeness {
		if s.Of != "" && s.Of != doc.Root.ID || s.Scope != "components" && s.Scope != scopeGeneric {
			continue
		}
		if s.Aggregate != complete {
			return false
		}
		all = true
	}
	return all
}

// openScope gives the statement that leaves open whether the component is there, ""
// if none does. What has no package URL may be of any ecosystem.
func (c *comparand) openScope(scopes []string) string {
	for _, s := range scopes {
		if _, eco, _ := strings.Cut(s, ":"); eco == "" || c.PURL.IsZero() || c.PURL.Type() == eco {
			return s
		}
	}
	return ""
}

// unclaimed tells a file that can run and that no package has.
func unclaimed(c *assay.Component) bool {
	return c.Type == assay.TypeFile && c.PURL.IsZero() && c.Properties["assay:unclaimed"] == "true"
}

// undescribed looks for the executables that no package has among all that is claimed,
// where files as such are not compared. It gives those that are missing, because the
// claim is that there are no others.
func (d *Difference) undescribed(claimed, actual *assay.SBOM) []*comparand {
	digests, paths := make(map[assay.Digest]bool), make(map[string]bool)
	note := func(p string) { paths[strings.Trim(strings.TrimPrefix(p, "."), "/")] = true }
	for i := range claimed.Components {
		c := &claimed.Components[i]
		for _, h := range c.Hashes {
			if h.Algorithm().Strong() {
				digests[h] = true
			}
		}
		for _, l := range c.Locations {
			note(l.Path)
		}
		if c.Type == assay.TypeFile {
			note(c.Name)
		}
	}
	described := func(c *assay.Component) bool {
		for _, h := range c.Hashes {
			if digests[h] {
				return true
			}
		}
		for _, l := range c.Locations {
			if paths[l.Path] {
				return true
			}
		}
		return false
	}
	all := claimsExecutables(claimed)
	var missing []*comparand
	for i := range actual.Components {
		c := &actual.Components[i]
		switch {
		case !unclaimed(c) || described(c):
		case all:
			missing = append(missing, newComparand(c))
		default:
			d.Undescribed = append(d.Undescribed, *c)
		}
	}
	return missing
}
