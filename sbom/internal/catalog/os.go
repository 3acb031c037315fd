package catalog

import (
	"errors"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/osrelease"
)

// os finds the distribution, which packages are named after.
func (m *maker) os() {
	for _, path := range []string{"etc/os-release", "usr/lib/os-release"} { // in the order of os-release(5)
		text, err := m.res.Content(path)
		if err != nil {
			if !errors.Is(err, assay.ErrAbsent) {
				layer := 0
				if f, err := m.res.Tree.Lookup(path); err == nil {
					layer = f.Layer
				}
				m.skipped = append(m.skipped, Skipped{Visitor: "os-release", Path: path, Layer: layer, Reason: reason(err)})
			}
			continue
		}
		r := osrelease.Parse(text)
		if r.IsZero() {
			continue
		}
		m.release = r
		c := assay.Component{
			ID: assay.ComponentID("os:" + r.Distro()), Type: assay.TypeOperatingSystem, Name: r.ID, Version: r.VersionID,
			Description: r.PrettyName, Supplier: r.Vendor, FoundBy: "os-release",
		}
		if r.CPE != "" {
			c.CPEs = []string{r.CPE}
		}
		c.Properties = withProperty(c.Properties, "assay:os:codename", r.Codename)
		c.Properties = withProperty(c.Properties, "assay:os:variant", r.VariantID)
		if f, err := m.res.Tree.Lookup(path); err == nil {
			c.Locations = []assay.Location{m.location(f.Path, f.Layer)}
		}
		m.add(c).top = true
		return
	}
}
