// Package imports joins what several advisories say of where in a Go module a
// vulnerability is.
package imports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Join makes one of imports of the same package for the same systems, and sorts. Of a
// package that one import is wholly about, the symbols that another names are no limit.
// What it is given stays as it is.
func Join(all []assay.Import) []assay.Import {
	type key struct{ path, goos, goarch string }
	at := map[key]int{}
	var out []assay.Import
	for _, i := range all {
		i.Symbols, i.GOOS, i.GOARCH = unique(i.Symbols), unique(i.GOOS), unique(i.GOARCH)
		k := key{i.Path, strings.Join(i.GOOS, "\x00"), strings.Join(i.GOARCH, "\x00")}
		n, ok := at[k]
		switch {
		case !ok:
			at[k] = len(out)
			out = append(out, i)
		case len(i.Symbols) == 0:
			out[n].Symbols = nil
		case len(out[n].Symbols) > 0:
			out[n].Symbols = unique(slices.Concat(out[n].Symbols, i.Symbols))
		}
	}
	slices.SortFunc(out, func(a, b assay.Import) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), slices.Compare(a.GOOS, b.GOOS), slices.Compare(a.GOARCH, b.GOARCH))
	})
	return out
}

// Same reports whether two lists, of [Join], say the same.
func Same(a, b []assay.Import) bool {
	return slices.EqualFunc(a, b, func(a, b assay.Import) bool {
		return a.Path == b.Path && slices.Equal(a.Symbols, b.Symbols) && slices.Equal(a.GOOS, b.GOOS) && slices.Equal(a.GOARCH, b.GOARCH)
	})
}

// unique is a copy, in order and each once.
func unique(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
