package sbom

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/assaykit/assay"
)

// WriteTable writes the components for a person to read: name, version, kind,
// licenses and first location, sorted by kind and name, and their number. The kind
// is the type of the purl, or else of the component. What could steer a terminal
// is written as U+FFFD, because an image decides on names.
func WriteTable(w io.Writer, doc *assay.SBOM) error {
	rows := slices.Clone(doc.Components)
	slices.SortFunc(rows, func(a, b assay.Component) int {
		return cmp.Or(cmp.Compare(tableKind(&a), tableKind(&b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.ID, b.ID))
	})
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tVERSION\tKIND\tLICENSES\tLOCATION")
	for i := range rows {
		c := &rows[i]
		var licenses []string
		for _, l := range c.Licenses {
			licenses = append(licenses, cmp.Or(l.Expression, l.Name))
		}
		location := ""
		if len(c.Locations) > 0 {
			location = c.Locations[0].Path
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", printable(c.Name), printable(c.Version), printable(tableKind(c)), printable(strings.Join(licenses, ", ")), printable(location))
	}
	noun := "components"
	if len(rows) == 1 {
		noun = "component"
	}
	fmt.Fprintf(t, "%d %s\n", len(rows), noun)
	if err := t.Flush(); err != nil {
		return &assay.Error{Op: "write table", Kind: assay.ErrUnchecked, Subject: doc.Root.Name, Err: err}
	}
	return nil
}

func tableKind(c *assay.Component) string {
	return cmp.Or(c.PURL.Type(), string(c.Type))
}

func printable(s string) string {
	if s == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
