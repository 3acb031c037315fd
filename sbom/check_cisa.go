package sbom

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// The questions that both of CISA's documents ask.

func hasAuthor(in *inspection) *fault {
	return onlyIf(!slices.ContainsFunc(in.Authors, said), lacks("authors", "an author; the tool is an element of its own"))
}

func hasIdentifier(_ *inspection, c *assay.Component) *fault {
	return onlyIf(!identified(c), lacks("purl", "at least one identifier: a package URL or a CPE"))
}

func hasHash(_ *inspection, c *assay.Component) *fault {
	switch {
	case digestOfContent(c):
		return nil
	case len(c.Hashes) > 0:
		return mayLack("hashes", "a digest by a strong algorithm")
	}
	return lacks("hashes", "a digest")
}

// hasLicense: a document can say that the licence is unknown, and the SBOM cannot.
func hasLicense(_ *inspection, c *assay.Component) *fault {
	return onlyIf(len(c.Licenses) == 0, mayLack("licenses", "a license, or that it is unknown"))
}

func hasTool(in *inspection) *fault {
	return onlyIf(!slices.ContainsFunc(in.Tools, func(t assay.Tool) bool { return said(t.Name) }), lacks("tools", "the name of a tool"))
}

func hasContext(in *inspection) *fault {
	switch in.Lifecycle {
	case "design", "pre-build", "build", "post-build", "operations", "discovery", "decommission":
		return nil
	case "":
		return lacks("lifecycle", "before, during or after the build")
	}
	return mayLack("lifecycle", "a phase of CycloneDX, which tells before, during and after the build apart")
}

func isProcessable(in *inspection) *fault {
	family, _, _ := formatOf(in)
	return onlyIf(family != "cyclonedx" && family != "spdx", mayLack("format", "SPDX or CycloneDX"))
}

func covers(in *inspection) *fault {
	switch in.stated.whole("components") {
	case complete:
		return nil
	case incomplete:
		return lacks("completeness", "all components, transitive dependencies included")
	}
	return mayLack("completeness", "a statement that all components are listed")
}

// cisa2025 follows the draft's data fields, then its automation and practices.
var cisa2025 = []rule{
	{element: "SBOM Author", section: "Data Fields, SBOM Author", document: hasAuthor},
	{element: "Software Producer", section: "Data Fields, Software Producer", component: hasProducer},
	{element: "Component Name", section: "Data Fields, Component Name", component: hasName},
	{element: "Component Version", section: "Data Fields, Component Version", component: hasVersion},
	{element: "Software Identifiers", section: "Data Fields, Software Identifiers", component: hasIdentifier},
	{element: "Component Hash", section: "Data Fields, Component Hash", component: hasHash},
	{element: "License", section: "Data Fields, License", component: hasLicense},
	{element: "Dependency Relationship", section: "Data Fields, Dependency Relationship", document: hasRoot, component: isRelated},
	{element: "Tool Name", section: "Data Fields, Tool Name", document: hasTool},
	{element: "Timestamp", section: "Data Fields, Timestamp", document: hasTime},
	{element: "Generation Context", section: "Data Fields, Generation Context", document: hasContext},
	{element: "Automation Support", section: "Automation Support", document: isProcessable},
	{element: "Coverage", section: "Practices and Processes, Coverage", document: covers},
	{element: "Known Unknowns", section: "Practices and Processes, Known Unknowns", document: knownUnknowns},
	{element: "Frequency", section: "Practices and Processes, Frequency", undecided: outside},
	{element: "Distribution and Delivery", section: "Practices and Processes, Distribution and Delivery", undecided: outside},
	{element: "Accommodation of Updates to SBOM Data", section: "Practices and Processes, Accommodation of Updates to SBOM Data", undecided: outside},
}

// cisa2026 follows the data fields of the document and of the component, then the
// practices.
var cisa2026 = []rule{
	{element: "SBOM Author", section: "SBOM Metadata, SBOM Author", document: hasAuthor},
	{element: "SBOM Author Signature", section: "SBOM Metadata, SBOM Author Signature", undecided: "is over the bytes of the document; package verify checks those of attestations"},
	{element: "SBOM Data Format Name", section: "SBOM Metadata, SBOM Data Format Name", document: func(in *inspection) *fault {
		family, _, _ := formatOf(in)
		return onlyIf(family == "", mayLack("format", "the name of a format"))
	}},
	{element: "SBOM Data Format Version", section: "SBOM Metadata, SBOM Data Format Version", document: func(in *inspection) *fault {
		_, _, version := formatOf(in)
		return onlyIf(version == "", mayLack("format", "the version of a format"))
	}},
	{element: "SBOM Generation Context", section: "SBOM Metadata, SBOM Generation Context", document: hasContext},
	{element: "SBOM Timestamp", section: "SBOM Metadata, SBOM Timestamp", document: hasTime},
	{element: "SBOM Tool Name", section: "SBOM Metadata, SBOM Tool Name", document: hasTool},
	{element: "SBOM Tool Version", section: "SBOM Metadata, SBOM Tool Version", document: func(in *inspection) *fault {
		// That it is unknown may be stated.
		return onlyIf(len(in.Tools) == 0 || slices.ContainsFunc(in.Tools, func(t assay.Tool) bool { return strings.TrimSpace(t.Version) == "" }), lacks("tools", "the version of each tool, or that it is unknown"))
	}},
	{element: "SBOM Version", section: "SBOM Metadata, SBOM Version", document: func(in *inspection) *fault {
		return onlyIf(in.Version < 1, mayLack("version", "a version of 1 or more, which is written where there is none"))
	}},
	{element: "Component Producer", section: "Component Data, Component Producer", component: hasProducer},
	{element: "Component Dependency Relationship", section: "Component Data, Component Dependency Relationship", document: hasRoot, component: isRelated},
	{element: "Component Hash Value", section: "Component Data, Component Hash Value", component: func(_ *inspection, c *assay.Component) *fault {
		return onlyIf(len(c.Hashes) == 0, lacks("hashes", "a digest"))
	}},
	{element: "Component Hash Algorithm", section: "Component Data, Component Hash Algorithm", component: func(_ *inspection, c *assay.Component) *fault {
		return onlyIf(!digestOfContent(c), mayLack("hashes", "a digest by an algorithm that an authority approves"))
	}},
	{element: "Component Identifiers", section: "Component Data, Component Identifiers", component: hasIdentifier},
	{element: "Component License", section: "Component Data, Component License", component: hasLicense},
	{element: "Component Name", section: "Component Data, Component Name", component: hasName},
	{element: "Component Version", section: "Component Data, Component Version", component: hasVersion},
	{element: "Accommodation of Updates to SBOM Data", section: "Practices and Processes, Accommodation of Updates to SBOM Data", undecided: outside},
	{element: "Coverage", section: "Practices and Processes, Coverage", document: covers},
	{element: "Distribution and Delivery", section: "Practices and Processes, Distribution and Delivery", undecided: outside},
	{element: "Explicitly Identifying Unknown Information", section: "Practices and Processes, Explicitly Identifying Unknown Information", document: knownUnknowns},
	{element: "Frequency", section: "Practices and Processes, Frequency", undecided: outside},
	{element: "Machine-Processable Data", section: "Practices and Processes, Machine-Processable Data", document: isProcessable},
}
