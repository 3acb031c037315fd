package sbom_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

const many = 12000

// clonePURLs copies two documents' components into one map by purl, which is the
// least that joining them takes.
func clonePURLs(docs ...*assay.SBOM) error {
	byPURL := make(map[assay.PURL]assay.Component)
	n := 0
	var relations []assay.Relation
	for _, doc := range docs {
		for i := range doc.Components {
			c := doc.Components[i]
			c.Locations, c.Licenses = slices.Clone(c.Locations), slices.Clone(c.Licenses)
			byPURL[c.PURL] = c
			n++
		}
		relations = append(relations, doc.Relations...)
	}
	slices.SortFunc(relations, assay.Relation.Compare)
	if len(byPURL) != n/2 {
		return fmt.Errorf("%d of %d", len(byPURL), n)
	}
	return nil
}

// BenchmarkMerge has as its floor a map of all components by purl, and one sort of
// all relations.
func BenchmarkMerge(b *testing.B) {
	x, y := debian(b, many), debian(b, many)
	against(b, func() error {
		out, _, err := sbom.Merge(sbom.MergeOptions{}, x, y)
		if err == nil && len(out.Components) != many {
			err = fmt.Errorf("%d components", len(out.Components))
		}
		return err
	}, func() error { return clonePURLs(x, y) })
}

// BenchmarkDiff has as its floor a look-up of each component by its purl.
func BenchmarkDiff(b *testing.B) {
	x, y := debian(b, many), debian(b, many)
	for i := range y.Components {
		if i%10 == 0 {
			c := &y.Components[i]
			c.Version = "1.2.3-5"
			c.PURL = purl(b, fmt.Sprintf("pkg:deb/debian/%s@1.2.3-5?arch=amd64", c.Name))
		}
	}
	against(b, func() error {
		if d := sbom.Diff(x, y); len(d.Changed) != many/10 || len(d.Added)+len(d.Removed) > 0 {
			return fmt.Errorf("%d changed, %d added", len(d.Changed), len(d.Added))
		}
		return nil
	}, func() error {
		key := func(c *assay.Component) string {
			p := c.PURL.Parts()
			return p.Type + "/" + p.Namespace + "/" + p.Name
		}
		byName := make(map[string]*assay.Component)
		for i := range x.Components {
			byName[key(&x.Components[i])] = &x.Components[i]
		}
		for i := range y.Components {
			if byName[key(&y.Components[i])] == nil {
				return fmt.Errorf("no %s", y.Components[i].PURL)
			}
		}
		return nil
	})
}
