package sbom

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// isLogical reports whether a component is taken for a logical one (3.2.2, 8.1.3).
func isLogical(c *assay.Component) bool {
	switch c.Type {
	case assay.TypeOperatingSystem, assay.TypeContainer, assay.TypeFramework, assay.TypePlatform, assay.TypeDevice:
		return c.Properties[propFilename] == ""
	}
	return false
}

// ofFiles applies a question to what is a file, and not to logical components.
func ofFiles(ask func(c *assay.Component) *fault) func(*inspection, *assay.Component) *fault {
	return func(_ *inspection, c *assay.Component) *fault {
		if isLogical(c) {
			return nil
		}
		return ask(c)
	}
}

// oneOf wants a property to have one of two values.
func oneOf(name, yes, no string) func(c *assay.Component) *fault {
	return func(c *assay.Component) *fault {
		v := c.Properties[name]
		return onlyIf(v != yes && v != no, lacks("properties/"+name, yes+" or "+no))
	}
}

// named reports whether all licenses are identified by an expression, as 6.1 wants.
func named(list []assay.License) bool {
	return !slices.ContainsFunc(list, func(l assay.License) bool { return !license.Valid(l.Expression) })
}

// propsEffective are the names of the property of the effective licence: that of the
// taxonomy, and that of the guideline's own table (8.2, table 12).
var propsEffective = []string{"bsi:component:effectiveLicence", "bsi:component:effectiveLicense"}

// isURI reports whether a text is an absolute URI.
func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != ""
}

// found applies a question to the references of the types. Without any the fault is
// none if what they lead to need not exist.
func found(missing string, optional bool, types ...assay.ReferenceType) func(c *assay.Component) *fault {
	field := "references/" + string(types[0])
	return func(c *assay.Component) *fault {
		here := false
		for _, r := range c.References {
			if !slices.Contains(types, r.Type) || r.URL == "" {
				continue
			}
			if isURI(r.URL) {
				return nil
			}
			here = true
		}
		switch {
		case here:
			return lacks(field, missing)
		case optional:
			return nil
		}
		return mayLack(field, missing)
	}
}

// hasVulnerabilities looks into the document that the SBOM was read from, of which
// the SBOM says nothing. One that holds no more than the SBOM has none.
func hasVulnerabilities(in *inspection) *fault {
	if in.Rest.Format == "" {
		return nil
	}
	const field, want = "rest", "a document without vulnerabilities"
	_, lost, err := ReadReport("the document that was read", in.Rest.Data)
	if err != nil {
		return mayLack(field, want)
	}
	for _, l := range lost {
		if l.Field == "/vulnerabilities" || strings.HasPrefix(l.Field, "/vulnerabilities/") || strings.Contains(l.Reason, " security_") {
			return lacks(field, want+", as at "+l.Field)
		}
	}
	return nil
}

// bsi210 follows sections 3 to 5 of the guideline.
var bsi210 = []rule{
	{element: "No vulnerability information", section: "3.1", document: hasVulnerabilities},
	{element: "SBOM format", section: "4", document: func(in *inspection) *fault {
		family, encoding, version := formatOf(in)
		const want = "CycloneDX 1.6 or SPDX 3.0.1, or higher, in JSON or XML"
		switch {
		case in.Format == "":
			return mayLack("format", want)
		case family == "cyclonedx" && atLeast(version, 1, 6), family == "spdx" && atLeast(version, 3, 0, 1):
			return onlyIf(!strings.HasPrefix(encoding, "json") && encoding != "xml", lacks("format", want))
		}
		return lacks("format", want)
	}},
	{element: "Level of detail", section: "5.1", document: func(in *inspection) *fault {
		switch in.stated.whole("components") {
		case complete:
			return nil
		case incomplete:
			return lacks("completeness", "all components in the scope of delivery")
		}
		return mayLack("completeness", "a statement that all components are listed")
	}},
	{element: "Creator of the SBOM", section: "5.2.1", document: func(in *inspection) *fault {
		return onlyIf(!slices.ContainsFunc(in.Authors, isContact), lacks("authors", "an author with an email address, or a URL"))
	}},
	{element: "Timestamp", section: "5.2.1", document: hasTime},
	{element: "Component creator", section: "5.2.2", component: func(_ *inspection, c *assay.Component) *fault {
		// Who supplies it stands for who made it where the document names nobody else.
		return onlyIf(!isContact(cmp.Or(c.Creator, c.Supplier)), lacks("creator", "an email address or a URL"))
	}},
	{element: "Component name", section: "5.2.2", component: hasName},
	{element: "Component version", section: "5.2.2", component: hasVersion},
	{element: "Filename of the component", section: "5.2.2", component: ofFiles(func(c *assay.Component) *fault {
		name := c.Properties[propFilename]
		switch {
		case name == "":
			return lacks("properties/"+propFilename, "the name of the file")
		case strings.ContainsRune(name, '/'):
			return lacks("properties/"+propFilename, "the name of the file without its path")
		}
		return nil
	})},
	{element: "Dependencies on other components", section: "5.2.2", document: hasRoot, component: func(in *inspection, c *assay.Component) *fault {
		if f := isRelated(in, c); f != nil {
			return f
		}
		return onlyIf(!in.coverage(c), lacks("completeness", "a statement on whether its dependencies are all listed"))
	}},
	{element: "Distribution licences", section: "5.2.2, 6.1", component: func(_ *inspection, c *assay.Component) *fault {
		// 8.2 maps them to concluded licenses.
		list := licensesOf(c, true)
		switch {
		case len(list) == 0:
			return lacks("licenses", "a concluded license")
		case !named(list):
			return lacks("licenses", "an SPDX expression for each concluded license")
		}
		return nil
	}},
	{element: "Hash value of the deployable component", section: "5.2.2", component: ofFiles(func(c *assay.Component) *fault {
		of := slices.ContainsFunc(c.References, func(r assay.Reference) bool {
			return r.Type == assay.RefDistribution && !r.Hashes.Get(assay.SHA512).IsZero()
		})
		return onlyIf(!of && c.Hashes.Get(assay.SHA512).IsZero(), lacks("references/distribution", "a SHA-512 digest"))
	})},
	{element: "Executable property", section: "5.2.2, 8.1.4", component: ofFiles(oneOf(propExecutable, "executable", "non-executable"))},
	{element: "Archive property", section: "5.2.2, 8.1.5", component: ofFiles(oneOf(propArchive, "archive", "no archive"))},
	{element: "Structured property", section: "5.2.2, 8.1.6", component: ofFiles(oneOf(propStructured, "structured", "unstructured"))},
	{element: "SBOM-URI", section: "5.2.3", document: func(in *inspection) *fault {
		if in.Serial == "" {
			return mayLack("serial", "a URI; one is derived when the SBOM is written")
		}
		return onlyIf(!isURI(in.Serial), lacks("serial", "a URI"))
	}},
	{element: "Source code URI", section: "5.2.4", component: ofFiles(found("the URI of the source code", false, assay.RefSource, assay.RefVCS))},
	{element: "URI of the deployable form of the component", section: "5.2.4", component: ofFiles(found("the URI of the component itself", false, assay.RefDistribution))},
	{element: "Other unique identifiers", section: "5.2.4", component: func(_ *inspection, c *assay.Component) *fault {
		return onlyIf(!identified(c), mayLack("purl", "a package URL or a CPE"))
	}},
	{element: "Original licences", section: "5.2.4, 6.1", component: func(_ *inspection, c *assay.Component) *fault {
		// 8.2 maps them to declared licenses.
		list := licensesOf(c, false)
		switch {
		case len(list) == 0:
			return mayLack("licenses", "a declared license")
		case !named(list):
			return lacks("licenses", "an SPDX expression for each declared license")
		}
		return nil
	}},
	// What is optional is wrong only where it is there and wrong.
	{element: "Effective licence", section: "5.2.5, 6.1", component: func(_ *inspection, c *assay.Component) *fault {
		for _, name := range propsEffective {
			if v, ok := c.Properties[name]; ok && !license.Valid(v) {
				return lacks("properties/"+name, "an SPDX expression")
			}
		}
		return nil
	}},
	{element: "Hash value of the source code of the component", section: "5.2.5", undecided: "is optional, and the guideline has not determined how it is made"},
	{element: "URL of the security.txt", section: "5.2.5", component: func(_ *inspection, c *assay.Component) *fault {
		return found("a URL", true, assay.RefSecurityTxt)(c)
	}},
}
