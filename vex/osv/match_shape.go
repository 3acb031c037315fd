package osv

import (
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

// shape is what the relations of an SBOM tell of its components.
type shape struct {
	// parts have the components that others are made of, or installed.
	parts map[assay.ComponentID]bool
	// platforms are those of the binaries that a component is part of; one that is
	// zero is any. Components that no binary is known to have are not in it.
	platforms map[assay.ComponentID][]assay.Platform
	platform  assay.Platform
}

// The properties of a Go binary that say what it runs on.
const (
	propertyGOOS   = "assay:go:build:GOOS"
	propertyGOARCH = "assay:go:build:GOARCH"
)

func shapeOf(sbom *assay.SBOM, platform assay.Platform) shape {
	s := shape{parts: map[assay.ComponentID]bool{}, platforms: map[assay.ComponentID][]assay.Platform{}, platform: platform}
	binaries := map[assay.ComponentID]assay.Platform{}
	for i := range sbom.Components {
		c := &sbom.Components[i]
		if p := (assay.Platform{OS: c.Properties[propertyGOOS], Architecture: c.Properties[propertyGOARCH]}); p.OS != "" && p.Architecture != "" {
			binaries[c.ID] = p
		}
	}
	isGo := map[assay.ComponentID]bool{}
	for i := range sbom.Components {
		isGo[sbom.Components[i].ID] = sbom.Components[i].PURL.Type() == "golang"
	}
	for _, r := range sbom.Relations {
		switch r.Kind {
		case assay.DependsOn, assay.Contains, assay.OwnedBy:
			s.parts[r.From] = true
		}
		// A component that something else uses, too, is on a platform that is not
		// known.
		if isGo[r.To] && !isGo[r.From] && r.From != sbom.Root.ID {
			if p := binaries[r.From]; !slices.Contains(s.platforms[r.To], p) {
				s.platforms[r.To] = append(s.platforms[r.To], p)
			}
		}
	}
	return s
}

// isWhole reports a component that is asked about by its parts, or by the package
// that it is a file of.
func (s *shape) isWhole(c *assay.Component) bool {
	return c.PURL.IsZero() && (c.Type == assay.TypeOperatingSystem || s.parts[c.ID])
}

// onPlatform leaves out the rows that say of all they affect that it is not on any of
// the component's platforms. They are Go's.
func (s *shape) onPlatform(c *assay.Component, rows []*Affected) []*Affected {
	if !slices.ContainsFunc(rows, func(r *Affected) bool { return len(r.Imports) > 0 }) {
		return rows
	}
	platforms := s.platforms[c.ID]
	if s.platform != (assay.Platform{}) {
		platforms = []assay.Platform{s.platform}
	}
	if len(platforms) == 0 {
		return rows
	}
	return slices.DeleteFunc(rows, func(r *Affected) bool {
		return len(r.Imports) > 0 && !slices.ContainsFunc(r.Imports, func(i assay.Import) bool {
			return slices.ContainsFunc(platforms, func(p assay.Platform) bool { return runsOn(i, p) })
		})
	})
}

func runsOn(i assay.Import, p assay.Platform) bool {
	return (p.OS == "" || len(i.GOOS) == 0 || slices.Contains(i.GOOS, p.OS)) &&
		(p.Architecture == "" || len(i.GOARCH) == 0 || slices.Contains(i.GOARCH, p.Architecture))
}

// operatingSystem finds the one operating system of the SBOM, nil if there are more or
// none: which of several a package is of, its package URL has to say.
func operatingSystem(sbom *assay.SBOM) *assay.Component {
	var out *assay.Component
	for i := range sbom.Components {
		if c := &sbom.Components[i]; c.Type == assay.TypeOperatingSystem {
			if out != nil {
				return nil
			}
			out = c
		}
	}
	return out
}

// isArtifact reports a root that is an image or the like, and no package.
func isArtifact(c *assay.Component) bool {
	switch c.PURL.Type() {
	case "oci", "docker", "generic":
		return true
	}
	return false
}

func skippedReason(n int) string {
	if n == 1 {
		return "one record of the database could not be read when it was built"
	}
	return strconv.Itoa(n) + " records of the database could not be read when it was built"
}
