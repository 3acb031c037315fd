package catalog

import (
	"maps"
	"strconv"

	"github.com/assaykit/assay"
)

// apart is an ecosystem that is taken on the side, by a maker of its own: what it finds
// depends on nothing that others found, and nothing that it finds is theirs.
type apart struct {
	m    *maker
	err  error
	done chan struct{}
}

// isApart tells the ecosystems that are taken apart. Images with npm's packages have
// many, and finding what each depends on takes as long as all the rest; others are not
// worth it.
func isApart(e ecosystem) bool { return e.name == npmName }

// takeApart begins with the ecosystems that can be taken on the side. Who calls it waits
// for all of them.
func (m *maker) takeApart(all []ecosystem) map[string]*apart {
	out := map[string]*apart{}
	for _, e := range all {
		if !isApart(e) {
			continue
		}
		a := &apart{m: newMaker(m.stopped, m.res), done: make(chan struct{})}
		a.m.late, a.m.release, a.m.lockFiles = m.late, m.release, m.lockFiles
		out[e.name] = a
		go func() {
			defer close(a.done)
			a.err = e.take(a.m)
		}()
	}
	return out
}

// join adds what was found apart, as if it were found now. It reports whether it could:
// a component that was found before must be merged with that, one by one.
func (m *maker) join(a *apart) (bool, error) {
	<-a.done
	if a.err != nil {
		return true, a.err
	}
	for k := range a.m.byKey {
		if m.byKey[k] != nil {
			return false, nil
		}
	}
	if m.relations += a.m.relations; m.relations > maxRelations {
		return true, tooManyRelations()
	}
	m.nodes = append(m.nodes, a.m.nodes...)
	maps.Copy(m.byKey, a.m.byKey)
	maps.Copy(m.byHash, a.m.byHash)
	maps.Copy(m.found, a.m.found)
	maps.Copy(m.partial, a.m.partial)
	maps.Copy(m.unknown, a.m.unknown)
	m.skipped = append(m.skipped, a.m.skipped...)
	m.past = append(m.past, a.m.past...)
	return true, nil
}

func tooManyRelations() error {
	return &assay.Error{Op: "relate packages", Kind: assay.ErrBound, Value: "more relations", Bound: "at most " + strconv.Itoa(maxRelations)}
}
