package osv

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// The properties of an rpm package with the label of the module that it was built in,
// "nodejs:18:8090020240301110609:rhel8": that of a scan of ours, Syft's and Trivy's.
const (
	propertyRPM        = "assay:rpm:"
	propertyModularity = propertyRPM + "modularity"
	propertySyftLabel  = "syft:metadata:modularityLabel"
	propertyTrivyLabel = "aquasecurity:trivy:Modularitylabel"
)

// moduleOf gives the stream of the module that an rpm package is of, "nodejs:18". None
// says that it is known to be of none: rpm's database was read, and has no label.
func moduleOf(c *assay.Component) (stream string, none bool) {
	qualifiers := c.PURL.Parts().Qualifiers
	label := cmp.Or(c.Properties[propertyModularity], c.Properties[propertySyftLabel], c.Properties[propertyTrivyLabel],
		qualifiers["rpmmod"], qualifiers["modularitylabel"])
	if label != "" {
		return moduleStream(label), false
	}
	if strings.Contains(c.Version, ".module") {
		return "", false
	}
	for k := range c.Properties {
		if strings.HasPrefix(k, propertyRPM) {
			return "", true
		}
	}
	return "", false
}

// moduleStream takes "nodejs:18" of a label, "" if it has none.
func moduleStream(label string) string {
	name, rest, _ := strings.Cut(label, ":")
	stream, _, _ := strings.Cut(rest, ":")
	if name == "" || stream == "" {
		return ""
	}
	return name + ":" + stream
}

// inModule leaves out the rows that are about other streams of the module that a package
// is of, and those about modules if it is of none.
func inModule(c *assay.Component, rows []*Affected) []*Affected {
	if c.PURL.Type() != "rpm" || !slices.ContainsFunc(rows, (*Affected).inModule) {
		return rows
	}
	own, none := moduleOf(c)
	if own == "" && !none {
		return rows
	}
	return slices.DeleteFunc(rows, func(r *Affected) bool {
		return r.inModule() && (none || otherStream(own, r.Modules))
	})
}

// otherStream reports whether streams of a module are named and this is none of them.
func otherStream(own string, named []string) bool {
	module, _, _ := strings.Cut(own, ":")
	same := func(s string) bool { return strings.HasPrefix(s, module+":") }
	return slices.ContainsFunc(named, same) && !slices.Contains(named, own)
}

// inModule reports a row about a package as it was built in a module: one that names the
// module, or whose fixes all have the mark that builds of modules have.
func (a *Affected) inModule() bool {
	if len(a.Modules) > 0 {
		return true
	}
	if len(a.Versions) > 0 {
		return false
	}
	fixes := 0
	for _, r := range a.Ranges {
		for _, e := range r.Events {
			if e.Kind != Fixed && e.Kind != LastAffected {
				continue
			}
			if !modular(e.Version) {
				return false
			}
			fixes++
		}
	}
	return fixes > 0
}

// modular reports the version of a build of a module: "18.20.4-1.module+el8.10.0+22202+
// 761b9a65", of AlmaLinux "…-1.module_el8.5.0+2604+960c7771".
func modular(version string) bool {
	return strings.Contains(version, ".module+el") || strings.Contains(version, ".module_el")
}

// modulesOf are the streams that a record names for a row: in the package URL, in what is
// specific to the ecosystem, or in its title, "Important: nodejs:18 security update". A
// title counts for rows that are about builds of modules alone.
func modulesOf(row *Affected, specific string, summary string) []string {
	switch base, _ := splitEcosystem(row.Ecosystem); base {
	case "Red Hat", "AlmaLinux", "Rocky Linux":
	default:
		return nil
	}
	label := specific
	if !row.PURL.IsZero() && row.PURL.Parts().Qualifiers["rpmmod"] != "" {
		label = row.PURL.Parts().Qualifiers["rpmmod"]
	}
	if label != "" {
		if s := moduleStream(label); s != "" {
			return []string{s}
		}
		return nil
	}
	if !row.inModule() {
		return nil
	}
	var out []string
	for word := range strings.FieldsSeq(summary) {
		word = strings.Trim(word, "(),;")
		if s := moduleStream(word); s == word && s != "" {
			out = append(out, s)
		}
	}
	return unique(out)
}
