package scan

import (
	"cmp"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/internal/imports"
)

// Difference is what two scans, of one image at two times or of an image and what it
// was rebuilt as, have in common and have not. All lists are sorted as findings are.
type Difference struct {
	// New are findings of the new scan only.
	New []assay.Finding
	// Gone are findings of the old scan that the new one does not report, and says
	// nothing of that keeps it from knowing. Whether it asked, its Coverage tells.
	Gone []assay.Finding
	// Undecided are findings of the old scan that the new one does not report, where
	// it could not evaluate the vulnerability, the component, or something that it does
	// not name. They are not gone.
	Undecided []assay.Finding
	// Changed are findings of both scans that are not the same.
	Changed []Change
	// Same are findings of both scans, as the new one has them.
	Same []assay.Finding
}

// Change is a finding in both scans.
type Change struct {
	Old, New assay.Finding
	// What names the fields that differ, in this order: "vulnerability", "component",
	// "severities", "published", "fix", "exploited", "advisories", "imports", "reachable".
	What []string
}

// Diff compares the findings of two scans. They are the same one if the vulnerability
// has a name in common, or one with a third that either scan takes for the same, and
// the package does, in whatever version: an image that is rebuilt with a version that
// is still vulnerable has not got rid of it. Of several that are, those with the same
// identifier and the same version are compared first. A finding without package URL is
// known by its component. FirstSeen is no difference. A nil scan is an
// [assay.ErrInvalid].
func Diff(old, new *assay.Scan) (*Difference, error) {
	if old == nil || new == nil {
		return nil, &assay.Error{Op: "compare scans", Kind: assay.ErrInvalid, Bound: "two scans, not nil"}
	}
	names := unify(old, new)
	type place struct {
		vulnerability assay.VulnID
		in            string
	}
	at := func(f *assay.Finding) place {
		return place{names.of(f.Vulnerability.ID), packageOf(f.PURL, f.Component)}
	}
	before := map[place][]*assay.Finding{}
	for i := range old.Findings {
		f := &old.Findings[i]
		before[at(f)] = append(before[at(f)], f)
	}
	pairs := make([]*assay.Finding, len(new.Findings))
	// The more alike are paired first, so that the rest is not paired with them.
	for _, alike := range []func(a, b *assay.Finding) bool{
		func(a, b *assay.Finding) bool {
			return a.Vulnerability.ID == b.Vulnerability.ID && a.PURL == b.PURL && a.Component == b.Component
		},
		func(a, b *assay.Finding) bool { return a.Vulnerability.ID == b.Vulnerability.ID && a.PURL == b.PURL },
		func(a, b *assay.Finding) bool { return a.PURL == b.PURL },
		func(a, b *assay.Finding) bool { return a.Vulnerability.ID == b.Vulnerability.ID },
		func(a, b *assay.Finding) bool { return true },
	} {
		for i := range new.Findings {
			if pairs[i] != nil {
				continue
			}
			f := &new.Findings[i]
			left := before[at(f)]
			if j := slices.IndexFunc(left, func(o *assay.Finding) bool { return alike(o, f) }); j >= 0 {
				pairs[i] = left[j]
				before[at(f)] = slices.Delete(left, j, j+1)
			}
		}
	}
	d := &Difference{}
	for i, f := range new.Findings {
		if pairs[i] == nil {
			d.New = append(d.New, f)
		} else if what := changes(pairs[i], &f); len(what) > 0 {
			d.Changed = append(d.Changed, Change{*pairs[i], f, what})
		} else {
			d.Same = append(d.Same, f)
		}
	}
	for _, left := range before {
		for _, f := range left {
			if slices.ContainsFunc(new.Unevaluated, func(u assay.Unevaluated) bool { return names.hides(u, f) }) {
				d.Undecided = append(d.Undecided, *f)
			} else {
				d.Gone = append(d.Gone, *f)
			}
		}
	}
	for _, list := range [][]assay.Finding{d.New, d.Gone, d.Undecided, d.Same} {
		slices.SortStableFunc(list, assay.Finding.Compare)
	}
	slices.SortStableFunc(d.Changed, func(a, b Change) int { return cmp.Or(a.New.Compare(b.New), a.Old.Compare(b.Old)) })
	return d, nil
}

// packageOf is what stays the same when a version is replaced.
func packageOf(p assay.PURL, c assay.ComponentID) string {
	if p.IsZero() {
		return "component " + string(c)
	}
	return p.Package().String()
}

// aliases are the names of vulnerabilities as sets that do not overlap: each name has
// another one of its set, or itself.
type aliases map[assay.VulnID]assay.VulnID

func unify(scans ...*assay.Scan) aliases {
	a := aliases{}
	for _, s := range scans {
		for _, f := range s.Findings {
			for _, other := range f.Vulnerability.Aliases {
				// The lesser name stands for the set, whatever the order of findings.
				if x, y := a.of(f.Vulnerability.ID), a.of(other); x < y {
					a[y] = x
				} else if y < x {
					a[x] = y
				}
			}
		}
	}
	return a
}

func (a aliases) of(id assay.VulnID) assay.VulnID {
	root := id
	for {
		next, ok := a[root]
		if !ok || next == root {
			break
		}
		root = next
	}
	for id != root { // shorter for the next who asks
		id, a[id] = a[id], root
	}
	return root
}

// hides reports whether an unanswered question may be that of a finding.
func (a aliases) hides(u assay.Unevaluated, f *assay.Finding) bool {
	if u.Vulnerability != "" && a.of(u.Vulnerability) != a.of(f.Vulnerability.ID) {
		return false
	}
	return u.PURL.IsZero() && u.Component == "" || packageOf(u.PURL, u.Component) == packageOf(f.PURL, f.Component) ||
		u.Component != "" && u.Component == f.Component
}

func changes(old, new *assay.Finding) (what []string) {
	for _, c := range []struct {
		name string
		same bool
	}{
		{"vulnerability", old.Vulnerability.ID == new.Vulnerability.ID && old.Vulnerability.IRI == new.Vulnerability.IRI && old.Vulnerability.Description == new.Vulnerability.Description && slices.Equal(old.Vulnerability.Aliases, new.Vulnerability.Aliases)},
		{"component", old.Component == new.Component && old.PURL == new.PURL},
		{"severities", slices.Equal(old.Severities, new.Severities)},
		{"published", old.Published.Equal(new.Published)},
		{"fix", sameFix(old.Fix, new.Fix)},
		{"exploited", sameExploited(old.Exploited, new.Exploited)},
		{"advisories", slices.Equal(old.Advisories, new.Advisories)},
		{"imports", imports.Same(old.Imports, new.Imports)},
		{"reachable", old.Reachable == new.Reachable},
	} {
		if !c.same {
			what = append(what, c.name)
		}
	}
	return what
}

func sameFix(a, b assay.Fix) bool {
	return a.Version == b.Version && a.State == b.State && a.AvailableBy == b.AvailableBy && a.Available.Equal(b.Available)
}

func sameExploited(a, b *assay.Exploited) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Catalogue == b.Catalogue && a.Added.Equal(b.Added) && a.Due.Equal(b.Due)
}
