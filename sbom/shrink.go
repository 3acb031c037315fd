package sbom

import (
	"fmt"
	"slices"

	"github.com/assaykit/assay"
)

// longLicense is the length in bytes from which a license that is no expression
// counts as a text.
const longLicense = 64

// propUnclaimed marks the executables that no package claims: they are in no other
// component, so that leaving them out would hide software.
const propUnclaimed = "assay:unclaimed"

// shrinkStep leaves out one kind of things. It gives how many.
type shrinkStep struct {
	field string
	what  string // in the plural
	drop  func(doc *assay.SBOM) int
}

// shrinkSteps are in the order in which [EncodeOptions.MaxBytes] documents them.
var shrinkSteps = []shrinkStep{
	{"rest", "what the document that was read says beyond the SBOM", func(doc *assay.SBOM) int {
		if doc.Rest.Format == "" {
			return 0
		}
		doc.Rest = assay.Rest{}
		return 1
	}},
	{"components", "components that are files, and their relations,", dropFiles},
	{"locations", "locations beyond the first of each component", eachComponent(func(c *assay.Component) int {
		n := len(c.Locations) - 1
		if n <= 0 {
			return 0
		}
		c.Locations = slices.Clone(c.Locations)
		slices.SortFunc(c.Locations, assay.Location.Compare)
		c.Locations = c.Locations[:1]
		return n
	})},
	{"properties", "properties", eachComponent(func(c *assay.Component) int {
		n := len(c.Properties)
		c.Properties = nil
		return n
	})},
	{"description", "descriptions", eachComponent(func(c *assay.Component) int {
		if c.Description == "" {
			return 0
		}
		c.Description = ""
		return 1
	})},
	{"references", "references, but for where a component or its source code can be had,", eachComponent(func(c *assay.Component) int {
		kept := slices.DeleteFunc(slices.Clone(c.References), func(r assay.Reference) bool {
			return r.Type != assay.RefDistribution && r.Type != assay.RefSource
		})
		n := len(c.References) - len(kept)
		c.References = kept
		return n
	})},
	{"cpes", "CPEs of components that have a purl", eachComponent(func(c *assay.Component) int {
		if c.PURL.IsZero() {
			return 0
		}
		n := len(c.CPEs)
		c.CPEs = nil
		return n
	})},
	{"licenses", "licenses of components of which one is a text (the others alone would say less than applies)", eachComponent(func(c *assay.Component) int {
		if !slices.ContainsFunc(c.Licenses, func(l assay.License) bool { return l.Expression == "" && len(l.Name) > longLicense }) {
			return 0
		}
		n := len(c.Licenses)
		c.Licenses = nil
		return n
	})},
	{"locations", "first locations", eachComponent(func(c *assay.Component) int {
		n := len(c.Locations)
		c.Locations = nil
		return n
	})},
	{"foundBy", "names of catalogers", eachComponent(func(c *assay.Component) int {
		if c.FoundBy == "" {
			return 0
		}
		c.FoundBy = ""
		return 1
	})},
}

func dropFiles(doc *assay.SBOM) int {
	n := len(doc.Components)
	*doc = *Filter(doc, func(c *assay.Component) bool {
		return c.Type != assay.TypeFile || !c.PURL.IsZero() || c.Properties[propUnclaimed] != ""
	})
	return n - len(doc.Components)
}

// eachComponent makes a step of what is done to each component but the root.
func eachComponent(drop func(*assay.Component) int) func(*assay.SBOM) int {
	return func(doc *assay.SBOM) int {
		doc.Components = slices.Clone(doc.Components)
		n := 0
		for i := range doc.Components {
			n += drop(&doc.Components[i])
		}
		return n
	}
}

// encodeWithin is Encode for EncodeOptions.MaxBytes.
func encodeWithin(doc *assay.SBOM, f Format, opts EncodeOptions) ([]byte, []Loss, error) {
	limit := opts.MaxBytes
	opts.MaxBytes = 0
	small := *doc
	data, lost, err := Encode(&small, f, opts)
	if err != nil || int64(len(data)) <= limit {
		return data, lost, err
	}
	var dropped losses
	for _, step := range shrinkSteps {
		n := step.drop(&small)
		if n == 0 {
			continue
		}
		dropped.add(step.field, "", fmt.Sprintf("%s left out to keep the document within %d bytes: %d", step.what, limit, n))
		if data, lost, err = Encode(&small, f, opts); err != nil {
			return nil, nil, err
		}
		if int64(len(data)) <= limit {
			return data, append(dropped, lost...), nil
		}
	}
	return nil, nil, &assay.Error{Op: "write SBOM", Kind: assay.ErrBound, Subject: doc.Root.Name, Field: "MaxBytes",
		Value: fmt.Sprintf("%d bytes without all that may be left out", len(data)), Bound: fmt.Sprintf("at most %d bytes", limit)}
}
