package sbom

import (
	"cmp"
	"errors"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

// maxOffences is how many are told at once.
const maxOffences = 20

// nothingSkipped gives the errors that [Options.Strict] makes of what was left out of
// the merged file system.
func nothingSkipped(skipped []catalog.Skipped) error {
	left := slices.DeleteFunc(slices.Clone(skipped), func(s catalog.Skipped) bool { return s.History })
	slices.SortStableFunc(left, func(a, b catalog.Skipped) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Visitor, b.Visitor))
	})
	var all []error
	for i, s := range left {
		if i == maxOffences {
			break
		}
		all = append(all, offence(s))
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

func offence(s catalog.Skipped) error {
	kind := assay.ErrUnchecked
	switch assay.KindOf(s.Err) {
	case assay.ErrBound:
		kind = assay.ErrBound
	case assay.ErrInvalid, assay.ErrRefuted: // a digest in metadata is no claim on the image
		kind = assay.ErrInvalid
	}
	e := &assay.Error{Op: "read packages of " + s.Visitor, Kind: kind, Subject: s.Path}
	if own, ok := errors.AsType[*assay.Error](s.Err); ok {
		e.Field, e.Value, e.Bound, e.Rule, e.Err = own.Field, own.Value, own.Bound, own.Rule, own.Err
	} else {
		e.Value, e.Bound = s.Reason, "metadata that can be read"
	}
	return e
}
