package vex

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/assaykit/assay"
)

// normalize brings a document into the one form that equal documents share: lists
// that are sets sorted, empty lists nil, times in UTC without a monotonic part.
func normalize(v *assay.VEX) {
	v.Timestamp, v.LastUpdated = v.Timestamp.UTC().Round(0), v.LastUpdated.UTC().Round(0)
	for i := range v.Statements {
		normalizeStatement(&v.Statements[i])
	}
}

func normalizeStatement(s *assay.VEXStatement) {
	s.Timestamp, s.LastUpdated = s.Timestamp.UTC().Round(0), s.LastUpdated.UTC().Round(0)
	s.ActionStatementTimestamp = s.ActionStatementTimestamp.UTC().Round(0)
	s.Vulnerability.Aliases = sorted(s.Vulnerability.Aliases, cmp.Compare[assay.VulnID])
	for i := range s.Products {
		normalizeProduct(&s.Products[i])
	}
	s.Products = sorted(s.Products, compareProduct)
}

func normalizeProduct(p *assay.Product) {
	p.CPEs = sorted(p.CPEs, cmp.Compare[string])
	p.Digests = sorted(p.Digests, assay.Digest.Compare)
	for i := range p.Subcomponents {
		normalizeProduct(&p.Subcomponents[i])
	}
	p.Subcomponents = sorted(p.Subcomponents, compareProduct)
}

func sorted[S ~[]E, E any](s S, compare func(a, b E) int) S {
	if len(s) == 0 {
		return nil
	}
	slices.SortFunc(s, compare)
	return s
}

// compareProduct is a total order, unlike assay.Product.Compare: what compares equal
// is equal.
func compareProduct(a, b assay.Product) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), a.PURL.Compare(b.PURL), slices.Compare(a.CPEs, b.CPEs),
		slices.CompareFunc(a.Digests, b.Digests, assay.Digest.Compare),
		slices.CompareFunc(a.Subcomponents, b.Subcomponents, compareProduct))
}

func clone(v *assay.VEX) *assay.VEX {
	c := *v
	c.Statements = make([]assay.VEXStatement, len(v.Statements))
	for i := range v.Statements {
		c.Statements[i] = cloneStatement(&v.Statements[i])
	}
	return &c
}

func cloneStatement(s *assay.VEXStatement) assay.VEXStatement {
	c := *s
	c.Vulnerability.Aliases = slices.Clone(s.Vulnerability.Aliases)
	c.Products = cloneProducts(s.Products)
	return c
}

func cloneProducts(ps []assay.Product) []assay.Product {
	if ps == nil {
		return nil
	}
	c := make([]assay.Product, len(ps))
	for i, p := range ps {
		c[i] = cloneProduct(p)
	}
	return c
}

func cloneProduct(p assay.Product) assay.Product {
	p.CPEs, p.Digests = slices.Clone(p.CPEs), slices.Clone(p.Digests)
	p.Subcomponents = cloneProducts(p.Subcomponents)
	return p
}

// sameDocument compares normalized documents, the format they came in aside.
func sameDocument(a, b *assay.VEX) bool {
	x, y := *a, *b
	x.Format, y.Format = "", ""
	return reflect.DeepEqual(x, y)
}

// statementKey is text that equal normalized statements share, and only they: every
// field is printed, and text in it quoted.
func statementKey(s *assay.VEXStatement) string { return fmt.Sprintf("%#v", *s) }
