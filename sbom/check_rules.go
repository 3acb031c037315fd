package sbom

import (
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// rule is how one element is decided: by the document, by each component, or not.
type rule struct {
	element, section string
	document         func(*inspection) *fault
	component        func(*inspection, *assay.Component) *fault
	undecided        string
}

// fault is what a rule found missing; nil if nothing is.
type fault struct {
	field, missing string
	state          assay.State
}

func lacks(field, missing string) *fault   { return &fault{field, missing, assay.Refuted} }
func mayLack(field, missing string) *fault { return &fault{field, missing, assay.Unknown} }
func onlyIf(broken bool, f *fault) *fault {
	if broken {
		return f
	}
	return nil
}

// The questions that several standards ask.

// said reports whether a text says anything: white space does not, nor does the word by
// which SPDX declines to, which converters write into other formats.
func said(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && s != "NOASSERTION"
}

func hasName(_ *inspection, c *assay.Component) *fault {
	return onlyIf(!said(c.Name), lacks("name", "a name"))
}

func hasVersion(_ *inspection, c *assay.Component) *fault {
	return onlyIf(!said(c.Version) && c.PURL.Version() == "", lacks("version", "a version"))
}

// hasSupplier is of NTIA, which means by it who creates, defines and identifies a
// component: that is the creator as well.
func hasSupplier(_ *inspection, c *assay.Component) *fault {
	return onlyIf(!said(c.Supplier) && !said(c.Creator), lacks("supplier", "a name"))
}

// hasProducer is of CISA. A supplier may be no more than that, but where nobody else
// is named it is who answers for the component.
func hasProducer(_ *inspection, c *assay.Component) *fault {
	return onlyIf(!said(c.Creator) && !said(c.Supplier), lacks("creator", "a name"))
}

func identified(c *assay.Component) bool { return !c.PURL.IsZero() || len(c.CPEs) > 0 }

func hasTime(in *inspection) *fault {
	return onlyIf(in.Created.IsZero(), lacks("created", "a time"))
}

func hasRoot(in *inspection) *fault {
	return onlyIf(in.Root.ID == "", lacks("root", "the component that the document is about"))
}

// isRelated wants each component in the graph, if there is more than one.
func isRelated(in *inspection, c *assay.Component) *fault {
	if in.related[c.ID] || len(in.components) == 1 {
		return nil
	}
	return lacks("relations", "a relation from or to the component")
}

// knownUnknowns wants a statement on the dependencies of some component: where there
// is none, what has no dependencies cannot be told from what was not looked at.
func knownUnknowns(in *inspection) *fault {
	if len(in.components) == 0 {
		return nil
	}
	for s := range in.stated {
		if what, _, _ := strings.Cut(s.Scope, ":"); what == "dependencies" {
			return nil
		}
	}
	return lacks("completeness", "a statement on whether the dependencies are all listed")
}

func digestOfContent(c *assay.Component) bool {
	return slices.ContainsFunc(c.Hashes, func(d assay.Digest) bool { return d.Algorithm().Strong() })
}

// formatOf takes "cyclonedx-json/1.6" apart. An SBOM that is in no document has none.
func formatOf(in *inspection) (family, encoding, version string) {
	name, version, _ := strings.Cut(in.Format, "/")
	family, encoding, _ = strings.Cut(name, "-")
	return strings.TrimRight(family, "0123456789"), encoding, version // "spdx3-json/3.0.1"
}

// atLeast compares versions of numbers with dots. What is not one is not.
func atLeast(version string, want ...int) bool {
	parts := strings.Split(version, ".")
	for i, w := range want {
		n := 0
		if i < len(parts) {
			var err error
			if n, err = strconv.Atoi(parts[i]); err != nil {
				return false
			}
		}
		if n != w {
			return n > w
		}
	}
	return true
}

// isContact reports whether a text is, or has in angle brackets or parentheses, an
// email address or a URL, as "Name <name@example.com>" has.
func isContact(s string) bool {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" <>(),;", r) }) {
		if a, err := mail.ParseAddress(word); err == nil && a.Address == word {
			return true
		}
		if u, err := url.Parse(word); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			return true
		}
	}
	return false
}

const outside = "is about how SBOMs are made and handed on, not what is in one"

var rules = map[Profile][]rule{
	NTIA2021: ntia2021,
	CISA2025: cisa2025,
	CISA2026: cisa2026,
	BSI210:   bsi210,
}

// ntia2021 follows chapter IV of the report.
var ntia2021 = []rule{
	{element: "Supplier Name", section: "IV, Data Fields", component: hasSupplier},
	{element: "Component Name", section: "IV, Data Fields", component: hasName},
	{element: "Version of the Component", section: "IV, Data Fields", component: hasVersion},
	{element: "Other Unique Identifiers", section: "IV, Data Fields", component: func(_ *inspection, c *assay.Component) *fault {
		return onlyIf(!identified(c), mayLack("purl", "a package URL or a CPE"))
	}},
	{element: "Dependency Relationship", section: "IV, Data Fields", document: hasRoot, component: isRelated},
	{element: "Author of SBOM Data", section: "IV, Data Fields", document: func(in *inspection) *fault {
		// The source of the data can be an analysis tool.
		return onlyIf(!slices.ContainsFunc(in.Authors, said) && !slices.ContainsFunc(in.Tools, func(t assay.Tool) bool { return said(t.Name) }), lacks("authors", "an author or a tool"))
	}},
	{element: "Timestamp", section: "IV, Data Fields", document: hasTime},
	{element: "Automation Support", section: "IV, Automation Support", document: isProcessable},
	{element: "Depth", section: "IV, Practices and Processes", document: func(in *inspection) *fault {
		return onlyIf(in.Root.ID != "" && len(in.components) > 1 && !in.related[in.Root.ID], lacks("relations", "the top-level dependencies of the root"))
	}},
	{element: "Known Unknowns", section: "IV, Practices and Processes", document: knownUnknowns},
	{element: "Frequency", section: "IV, Practices and Processes", undecided: outside},
	{element: "Distribution and Delivery", section: "IV, Practices and Processes", undecided: outside},
	{element: "Access Control", section: "IV, Practices and Processes", undecided: outside},
	{element: "Accommodation of Mistakes", section: "IV, Practices and Processes", undecided: outside},
}
