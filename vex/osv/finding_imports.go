package osv

import (
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/imports"
)

// imports joins what the records say of where in a Go module a vulnerability is. A record
// of which one row that includes the component names no package is about all of it, and
// says nothing here.
func (v *vulnerability) imports() []assay.Import {
	var all []assay.Import
	for _, h := range v.hits {
		if h.verdict != affected || slices.ContainsFunc(h.matched, func(r *Affected) bool { return len(r.Imports) == 0 }) {
			continue
		}
		for _, row := range h.matched {
			all = append(all, row.Imports...)
		}
	}
	return imports.Join(all)
}
