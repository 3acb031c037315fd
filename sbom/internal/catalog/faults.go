package catalog

import (
	"slices"
	"strings"
)

// faults skips the files of an ecosystem that were not understood.
func (m *maker) faults(visitor, eco string) {
	for _, f := range m.res.Facts(visitor) {
		if bad, ok := f.Value.(faulty); ok {
			m.skip(visitor, f, bad.err)
			m.incomplete(eco)
		}
	}
	for _, f := range m.res.HistoryFacts(visitor) {
		if bad, ok := f.Value.(faulty); ok {
			m.skip(visitor, f, bad.err)
		}
	}
}

// incomplete notes that there may be more of an ecosystem than was found.
func (m *maker) incomplete(eco string) {
	m.found[eco] = true
	m.partial["components:"+eco], m.partial["dependencies:"+eco] = true, true
}

// recordFaults skips the records of databases that were not understood. The others
// stand.
func recordFaults[T any](m *maker, visitor, eco string, dbs []lineage[T], faults func(T) []error) {
	for _, l := range dbs {
		for _, v := range l.versions {
			bad := faults(v.value)
			for _, err := range bad {
				m.skip(visitor, v.fact, err)
			}
			if len(bad) > 0 && v.fact.Removed < 0 {
				m.incomplete(eco)
			}
		}
	}
}

// unbroken leaves out the files whose newest version was not understood: whether what
// the older ones list is gone is not known.
func unbroken[T any](m *maker, visitor string, ls []lineage[T]) []lineage[T] {
	bad := map[string]bool{}
	for _, f := range m.res.Facts(visitor) {
		if _, ok := f.Value.(faulty); ok {
			bad[f.Path] = true
		}
	}
	for _, s := range m.res.Skipped {
		if s.Visitor == visitor {
			bad[s.Path] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(ls), func(l lineage[T]) bool { return bad[l.path] && !l.current })
}

// sound leaves out what was before a database that could not be read to its end:
// what is missing there is not known to be gone.
func sound[T any](dbs []lineage[T], faults func(T) []error) []lineage[T] {
	out := slices.Clone(dbs)
	for n, l := range out {
		for i := len(l.versions) - 1; i > 0; i-- {
			if len(faults(l.versions[i].value)) > 0 {
				out[n].versions = l.versions[i:]
				break
			}
		}
	}
	return out
}

// ownersUnknown notes that executables which no package seems to have may belong to
// one all the same: of a distribution's packages, or of their file lists, not all was
// read.
func (m *maker) ownersUnknown() {
	unread := false
	for _, eco := range []string{"deb", "apk", "rpm", "alpm", "opkg"} {
		unread = unread || m.partial["components:"+eco]
	}
	for _, s := range m.skipped {
		list := s.Visitor == dpkgName && isDpkgList(s.Path) || s.Visitor == pacmanName && isPacmanFiles(s.Path) || s.Visitor == opkgName && isOpkgList(s.Path)
		unread = unread || list && !s.History
	}
	if !unread {
		return
	}
	m.partial["components:generic"] = true
	for _, n := range m.nodes {
		if n.c.Properties["assay:unclaimed"] != "" {
			m.found["generic"] = true
		}
	}
}

// isDpkgList tells what says which files a package of dpkg has.
func isDpkgList(p string) bool {
	return p == dpkgDiversions || strings.HasPrefix(p, dpkgInfo) || strings.HasPrefix(p, dpkgStatusD) && strings.HasSuffix(p, ".md5sums")
}

// isDpkgMinor tells the files without which all packages are known.
func isDpkgMinor(p string) bool { return isCopyright(p) || isDpkgList(p) }
