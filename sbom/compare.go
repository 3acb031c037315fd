package sbom

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Difference is what tells a claimed SBOM from what is really there.
type Difference struct {
	// Missing are components that are there and not claimed.
	Missing []assay.Component
	// Phantom are components that are claimed and not there.
	Phantom []assay.Component
	// Changed are components that are there otherwise than claimed.
	Changed []Change
	// Uncompared are the types of components that were left out, because only one of
	// the SBOMs lists any, or lists files of a kind that the other does not.
	Uncompared []Uncompared
	// Undescribed are executables that are there and belong to no package, and of which
	// the claimed SBOM says nothing: it neither lists them nor claims to be complete. It
	// is not false for that, but it does not describe all that can run.
	Undescribed []assay.Component
	// Unproven are components that prove nothing although they are on one side only,
	// because the actual SBOM says that it could not read everything.
	Unproven []Unproven
	// Incomplete are the scopes of components that the actual SBOM says are incomplete,
	// such as "components:deb": what was not read there may differ, or not. Even an SBOM
	// that agrees in all that was read is not proven then.
	Incomplete []string
}

// Unproven is a component that is on one side only, and may be on the other.
type Unproven struct {
	Component assay.Component
	// Claimed tells a component that was not found, of an ecosystem that was not read
	// whole, from a program or file that was found and may belong to a claimed package
	// whose record could not be read.
	Claimed bool
	// Scope is the statement of Incomplete that leaves it open.
	Scope string
}

// Change is one component, as it is claimed and as it is.
type Change struct {
	// Field is what differs: "version", "purl qualifier arch", "hash sha256".
	Field           string
	Claimed, Actual assay.Component
}

// Uncompared is a type of component that was not compared.
type Uncompared struct {
	Type assay.ComponentType
	// Claimed and Actual are how many the SBOMs list.
	Claimed, Actual int
}

// Empty reports whether nothing differs. What was not compared, not described or not
// proven is no difference, and no agreement either, see [Difference.Agrees].
func (d Difference) Empty() bool {
	return len(d.Missing) == 0 && len(d.Phantom) == 0 && len(d.Changed) == 0
}

// Agrees reports whether the claimed SBOM was shown to say all that there is: nothing
// differs, nothing that runs is left undescribed, and the actual SBOM is complete as far
// as it goes. Types that only the claimed SBOM lists were not looked for, so with any of
// these it does not agree; those that it leaves out are no matter.
func (d Difference) Agrees() bool {
	return d.Empty() && len(d.Undescribed) == 0 && len(d.Unproven) == 0 && len(d.Incomplete) == 0 &&
		!slices.ContainsFunc(d.Uncompared, func(u Uncompared) bool { return u.Claimed > 0 })
}

// String gives one line for each difference.
func (d Difference) String() string {
	var b strings.Builder
	line := func(what string, c *assay.Component, more string) {
		fmt.Fprintf(&b, "%s %s%s", what, describe(c), more)
		if len(c.Locations) > 0 {
			fmt.Fprintf(&b, " at %s", printable(c.Locations[0].Path))
		}
		b.WriteByte('\n')
	}
	for i := range d.Missing {
		line("missing", &d.Missing[i], "")
	}
	for i := range d.Phantom {
		line("phantom", &d.Phantom[i], "")
	}
	for i := range d.Changed {
		c := &d.Changed[i]
		line("changed", &c.Claimed, " is "+describe(&c.Actual)+" ("+c.Field+")")
	}
	for i := range d.Undescribed {
		line("not described", &d.Undescribed[i], "")
	}
	for i := range d.Unproven {
		what := "found and not proven missing"
		if d.Unproven[i].Claimed {
			what = "not found and not proven phantom"
		}
		line(what, &d.Unproven[i].Component, "")
	}
	for _, s := range d.Incomplete {
		fmt.Fprintf(&b, "incomplete %s\n", printable(s))
	}
	for _, s := range d.Uncompared {
		fmt.Fprintf(&b, "not compared %s: %d claimed, %d actual\n", s.Type, s.Claimed, s.Actual)
	}
	return b.String()
}

func describe(c *assay.Component) string {
	if !c.PURL.IsZero() {
		return c.PURL.String()
	}
	return printable(strings.TrimSpace(string(c.Type) + " " + c.Name + " " + c.Version))
}

// Compare holds what an SBOM claims against what was found in the bytes. Its
// components are joined, whatever their ids:
//
//   - by purl: type, namespace, name and subpath; without a purl, by type and name,
//     and files by a hash as well. A component with a purl never joins one without.
//   - Versions must be equal; an epoch may stand in the version or in the
//     qualifier. A qualifier that one side lacks adds detail and is no difference;
//     one that both have must be equal.
//   - Two digests of one algorithm that differ contradict each other. The same
//     package at other or more places is no difference.
//   - What remains of one name on both sides is a [Change], the rest is Missing or
//     Phantom.
//
// Components of the types file, operating-system and container are compared only
// if both sides list some, because many tools list none. Files are not compared
// either if one side lists none but executables that no package has, as [Scan] does
// by default, and the other lists files of packages, or no such executable. Roots are not compared:
// that the document is about this image is for its subject digest to show.
//
// A claim is held against bytes only if actual is of a scan that read them: of
// [Contents] with a [Layer.TOC] the actual SBOM is itself what tables claim, and no
// difference proves no more than that both agree.
//
// The result is sorted, and does not depend on the order of components.
func Compare(claimed, actual *assay.SBOM) Difference {
	var d Difference
	skip := skippedTypes(claimed, actual)
	for t, n := range skip {
		d.Uncompared = append(d.Uncompared, Uncompared{t, n[0], n[1]})
	}
	slices.SortFunc(d.Uncompared, func(a, b Uncompared) int { return cmp.Compare(a.Type, b.Type) })

	groups := make(map[string]*group)
	collect := func(list []assay.Component, side int) {
		for i := range list {
			c := newComparand(&list[i])
			if _, ok := skip[c.Type]; ok {
				continue
			}
			g := groups[c.key]
			if g == nil {
				g = new(group)
				groups[c.key] = g
			}
			g.side[side] = append(g.side[side], c)
		}
	}
	collect(claimed.Components, 0)
	collect(actual.Components, 1)
	open := openScopes(actual)
	d.Incomplete = slices.Sorted(maps.Keys(open))

	var phantom, missing []*comparand
	for _, g := range groups {
		c, a := g.compare(&d)
		phantom, missing = append(phantom, c...), append(missing, a...)
	}
	renamedFiles(phantom, missing)
	if _, ok := skip[assay.TypeFile]; ok {
		missing = append(missing, d.undescribed(claimed, actual)...)
	}
	for _, c := range phantom {
		switch scope := c.openScope(d.Incomplete); {
		case c.matched:
		case scope != "":
			d.Unproven = append(d.Unproven, Unproven{*c.Component, true, scope})
		default:
			d.Phantom = append(d.Phantom, *c.Component)
		}
	}
	for _, a := range missing {
		switch {
		case a.matched:
		case open[scopeGeneric] && (a.PURL.Type() == "generic" || unclaimed(a.Component)):
			d.Unproven = append(d.Unproven, Unproven{*a.Component, false, scopeGeneric})
		default:
			d.Missing = append(d.Missing, *a.Component)
		}
	}
	slices.SortFunc(d.Unproven, func(x, y Unproven) int {
		return cmp.Or(compareComponents(x.Component, y.Component), strings.Compare(fmt.Sprint(x.Claimed), fmt.Sprint(y.Claimed)))
	})
	slices.SortFunc(d.Undescribed, compareComponents)
	slices.SortFunc(d.Phantom, compareComponents)
	slices.SortFunc(d.Missing, compareComponents)
	slices.SortFunc(d.Changed, func(x, y Change) int {
		return cmp.Or(compareComponents(x.Claimed, y.Claimed), compareComponents(x.Actual, y.Actual), cmp.Compare(x.Field, y.Field))
	})
	return d
}

// skippedTypes gives the optional types that one side alone lists, with counts.
func skippedTypes(claimed, actual *assay.SBOM) map[assay.ComponentType][2]int {
	counts := make(map[assay.ComponentType][2]int)
	var strays [2]int // files that a scan lists by default
	for side, doc := range []*assay.SBOM{claimed, actual} {
		for i := range doc.Components {
			switch t := doc.Components[i].Type; t {
			case assay.TypeFile, assay.TypeOperatingSystem, assay.TypeContainer:
				n := counts[t]
				n[side]++
				counts[t] = n
				if doc.Components[i].Properties["assay:executable"] != "" {
					strays[side]++
				}
			}
		}
	}
	for t, n := range counts {
		otherKind := t == assay.TypeFile && (n[0] == strays[0]) != (n[1] == strays[1])
		if n[0] > 0 && n[1] > 0 && !otherKind {
			delete(counts, t)
		}
	}
	return counts
}

func compareComponents(a, b assay.Component) int {
	return cmp.Or(a.PURL.Compare(b.PURL), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
		slices.CompareFunc(a.Hashes, b.Hashes, assay.Digest.Compare), slices.CompareFunc(a.Locations, b.Locations, assay.Location.Compare), cmp.Compare(a.ID, b.ID))
}

// comparand is a component with the parts of its purl, taken apart once.
type comparand struct {
	*assay.Component
	key        string
	version    string
	qualifiers map[string]string
	matched    bool
}

func newComparand(c *assay.Component) *comparand {
	out := &comparand{Component: c, version: c.Version, key: "\x00" + string(c.Type) + "\x00" + c.Name}
	if c.PURL.IsZero() {
		return out
	}
	p := c.PURL.Parts()
	out.key = p.Type + "\x00" + p.Namespace + "\x00" + p.Name + "\x00" + p.Subpath
	out.qualifiers = p.Qualifiers
	if p.Version != "" {
		out.version = p.Version
	}
	if p.Type == "deb" || p.Type == "rpm" {
		if epoch := p.Qualifiers["epoch"]; epoch != "" && !strings.Contains(out.version, ":") {
			out.version = epoch + ":" + out.version
		}
		delete(out.qualifiers, "epoch") // Parts gives a map of its own
		out.version = strings.TrimPrefix(out.version, "0:")
	}
	return out
}

// differs gives the first field in which two components of one name differ.
func (c *comparand) differs(a *comparand) string {
	if c.version != a.version {
		return "version"
	}
	field := ""
	for k, v := range c.qualifiers {
		if w, ok := a.qualifiers[k]; ok && v != w && (field == "" || k < field) {
			field = k
		}
	}
	if field != "" {
		return "purl qualifier " + field
	}
	for _, d := range c.Hashes {
		if e := a.Hashes.Get(d.Algorithm()); !e.IsZero() && e != d {
			return "hash " + string(d.Algorithm())
		}
	}
	return ""
}

// group is the components of one name: claimed, and actual.
type group struct{ side [2][]*comparand }

// compare matches the two sides, adds changes, and gives what remains of each.
func (g *group) compare(d *Difference) (phantom, missing []*comparand) {
	for _, list := range g.side {
		slices.SortFunc(list, func(x, y *comparand) int { return compareComponents(*x.Component, *y.Component) })
	}
	unmatched := func(list []*comparand) []*comparand {
		return slices.DeleteFunc(slices.Clone(list), func(c *comparand) bool { return c.matched })
	}
	small := len(g.side[0])*len(g.side[1]) <= maxPairs
	if small {
		for _, c := range g.side[0] {
			for _, a := range g.side[1] {
				if (!c.matched || !a.matched) && c.differs(a) == "" {
					c.matched, a.matched = true, true
				}
			}
		}
	} else {
		g.matchExact()
	}
	phantom, missing = unmatched(g.side[0]), unmatched(g.side[1])
	change := func(c, a *comparand, field string) {
		c.matched, a.matched = true, true
		d.Changed = append(d.Changed, Change{field, *c.Component, *a.Component})
	}
	// Pair what differs least first, so that a version that changed is not told as
	// one of another architecture that came and went.
	for _, least := range []string{"hash", "purl", "version"} {
		for _, c := range phantom {
			for _, a := range missing {
				if !small || c.matched {
					break
				}
				if a.matched {
					continue
				}
				field := c.differs(a)
				if strings.HasPrefix(field, least) && (least != "version" || c.sameDetail(a)) {
					change(c, a, field)
				}
			}
		}
	}
	phantom, missing = unmatched(phantom), unmatched(missing)
	n := min(len(phantom), len(missing))
	for i := range n {
		change(phantom[i], missing[i], cmp.Or(phantom[i].differs(missing[i]), "detail"))
	}
	return phantom[n:], missing[n:]
}

// maxPairs bounds the comparisons inside of one name. Real images have tens of
// components of one name; documents that are made to be slow have many more.
const maxPairs = 1 << 22

// matchExact matches by purl, version and hashes as they are written, in one pass.
// It finds fewer matches than comparing all pairs would, never more.
func (g *group) matchExact() {
	same := make(map[string][]*comparand)
	key := func(c *comparand) string { return fmt.Sprint(c.PURL, "\x00", c.version, "\x00", c.Hashes) }
	for _, a := range g.side[1] {
		same[key(a)] = append(same[key(a)], a)
	}
	for _, c := range g.side[0] {
		k := key(c)
		for i, a := range same[k] {
			if i > 0 && a.matched {
				break
			}
			c.matched, a.matched = true, true
		}
	}
}

// sameDetail reports whether no qualifier contradicts, whatever the version.
func (c *comparand) sameDetail(a *comparand) bool {
	for k, v := range c.qualifiers {
		if w, ok := a.qualifiers[k]; ok && v != w {
			return false
		}
	}
	return true
}

// renamedFiles matches files that share a strong digest under different names, as
// tools write paths with and without a leading slash.
func renamedFiles(phantom, missing []*comparand) {
	byDigest := make(map[assay.Digest][]*comparand)
	for _, a := range missing {
		if a.Type != assay.TypeFile || !a.PURL.IsZero() {
			continue
		}
		for _, d := range a.Hashes {
			if d.Algorithm().Strong() {
				byDigest[d] = append(byDigest[d], a)
			}
		}
	}
	for _, c := range phantom {
		if c.Type != assay.TypeFile || !c.PURL.IsZero() {
			continue
		}
		for _, d := range c.Hashes {
			for _, a := range byDigest[d] {
				c.matched, a.matched = true, true
			}
		}
	}
}
