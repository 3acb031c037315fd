package catalog

import (
	"errors"
	"path"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// intact leaves out of the lineages of files that visitors know by their content and not
// by their name those whose newest version was not understood, like [unbroken]. A file that an upper layer replaced by what nobody can make anything of
// is one of them: it is told, and the ecosystem is incomplete. One that was replaced
// by an executable or archive of another kind, by a link or by nothing is gone.
func intact[T any](m *maker, visitor, eco string, ls []lineage[T]) []lineage[T] {
	out := unbroken(m, visitor, ls)
	left := map[string]bool{}
	for _, l := range out {
		left[l.path] = true
	}
	var spoilt *spoiling
	for _, l := range ls {
		if l.current || len(l.versions[len(l.versions)-1].keys) == 0 {
			continue
		}
		if !left[l.path] {
			m.incomplete(eco) // that it was not understood is told already
			continue
		}
		f := m.res.Tree.Get(l.path)
		if f == nil || f.Type != layers.Regular || f.Size == 0 {
			continue // a file of nothing has nothing in it
		}
		if spoilt == nil {
			spoilt = m.spoiling()
		}
		if err := spoilt.why(l.path); err != nil {
			m.incomplete(eco)
			spoilt.tell(visitor, layers.Fact{Path: l.path, Layer: f.ContentLayer, Removed: -1}, err)
			left[l.path] = false
		}
	}
	return slices.DeleteFunc(out, func(l lineage[T]) bool { return !left[l.path] })
}

// spoiling tells the files that nobody can make anything of.
type spoiling struct {
	m     *maker
	known map[string]*program // by path: what somebody knows; nil for no executable
	told  map[[2]string]bool  // path and reason
}

func (m *maker) spoiling() *spoiling {
	s := &spoiling{m, map[string]*program{}, map[[2]string]bool{}}
	for _, visitor := range [...]string{exeName, goName, javaName, pythonName} {
		for _, f := range m.res.Facts(visitor) {
			if p, ok := f.Value.(*program); ok || s.known[f.Path] == nil {
				s.known[f.Path] = p
			}
		}
	}
	for _, one := range m.skipped {
		if !one.History {
			s.told[[2]string{one.Path, one.Reason}] = true
		}
	}
	return s
}

// why says why nobody knows what a file is that was an executable or an archive in a
// lower layer; nil if somebody does.
func (s *spoiling) why(path string) error {
	p, ok := s.known[path]
	switch {
	case !ok:
		return &assay.Error{Op: "read file", Kind: assay.ErrInvalid, Subject: path, Value: "nothing that is known",
			Err: errors.New("a lower layer had packages in its place")}
	case p != nil && p.Damage != nil:
		return p.Damage
	}
	return nil
}

// tell is skip, once for each file and reason: several ecosystems look at executables.
func (s *spoiling) tell(visitor string, f layers.Fact, err error) {
	one := notUnderstood(visitor, f, err)
	if key := [2]string{one.Path, one.Reason}; !s.told[key] {
		s.told[key] = true
		s.m.skipped = append(s.m.skipped, one)
	}
}

// damage is what of an executable could not be read.
func (p *program) damage() []error {
	var out []error
	for _, err := range []error{p.Damage, p.CrateErr, p.NoteErr} {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// emptied gives the facts on databases that had packages in a lower layer and have none
// in the merged tree, though nothing of them is broken.
func emptied[T any](ls []lineage[T], faults func(T) []error) []layers.Fact {
	var out []layers.Fact
	for _, l := range ls {
		v, ok := l.last()
		if !ok || len(v.keys) > 0 || len(faults(v.value)) > 0 {
			continue
		}
		if slices.ContainsFunc(l.versions, func(v version[T]) bool { return len(v.keys) > 0 }) {
			out = append(out, v.fact)
		}
	}
	return out
}

// removal is what upper layers removed, by path: the last layer that did.
type removal map[string]int

// removals has the files that are gone and, if folders is set, the folders that they
// were in.
func (m *maker) removals(folders bool) removal {
	out := removal{}
	for _, r := range m.res.History {
		for p := r.File.Path; p != "." && p != ""; p = path.Dir(p) {
			if by, ok := out[p]; ok && by >= r.By {
				break
			}
			out[p] = r.By
			if !folders {
				break
			}
		}
	}
	return out
}
