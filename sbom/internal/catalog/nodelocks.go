package catalog

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/npm"
)

// isLock tells the lock files among the files of the npm visitor.
func isLock(p string) bool { return path.Base(p) != "package.json" && !isYarnArchive(p) }

// npmLock is one lock file of the merged tree.
type npmLock struct {
	fact layers.Fact
	dir  string // of the project that it is of
	rank int    // 0 for what a package manager recorded of what it installed
	*npm.Lock
}

// npmLocks are all of them, the most trusted first.
type npmLocks struct {
	all    []npmLock
	byDir  map[string]*npm.Locked            // by folder of the package, of npm's lock files
	byName map[string]map[string]*npm.Locked // by project, then "name@version", of the others
	near   upward[map[string]*npm.Locked]    // the project that a folder is in
}

// locks gives what lock files say. npm's record of what it installed goes before what
// was asked for.
func (m *maker) locks() *npmLocks {
	out := &npmLocks{byDir: map[string]*npm.Locked{}, byName: map[string]map[string]*npm.Locked{}}
	out.near.at = func(dir string) (map[string]*npm.Locked, bool, bool) {
		names := out.byName[dir]
		return names, names != nil, false
	}
	for f, lock := range layers.Facts[lockFile](m.res, npmName) {
		l := npmLock{fact: f, dir: path.Dir(f.Path), rank: 2, Lock: lock}
		switch path.Base(f.Path) {
		case ".package-lock.json":
			l.rank, l.dir = 0, path.Dir(l.dir)
		case "lock.yaml": // node_modules/.pnpm/lock.yaml
			l.rank, l.dir = 0, path.Dir(path.Dir(l.dir))
		case "npm-shrinkwrap.json": // npm prefers it to package-lock.json
			l.rank = 1
		}
		out.all = append(out.all, l)
	}
	slices.SortStableFunc(out.all, func(a, b npmLock) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.fact.Path, b.fact.Path))
	})
	for _, l := range out.all {
		for i := range l.Packages {
			p := &l.Packages[i]
			if p.Path != "" {
				if at := path.Join(l.dir, p.Path); out.byDir[at] == nil {
					out.byDir[at] = p
				}
				continue
			}
			names := out.byName[l.dir]
			if names == nil {
				names = map[string]*npm.Locked{}
				out.byName[l.dir] = names
			}
			if id := p.Name + "@" + p.Version; names[id] == nil {
				names[id] = p
			}
		}
	}
	return out
}

// find gives what a lock file says of the package of that name and version that is
// installed in a folder. Lock files that do not name folders count for all below
// their project.
func (l *npmLocks) find(dir, name, version string) (*npm.Locked, bool) {
	if p := l.byDir[dir]; p != nil && p.Version == version {
		return p, true
	}
	if len(l.byName) == 0 {
		return nil, false
	}
	if dir == "." {
		return nil, false
	}
	p := l.near.find(above(dir))[name+"@"+version]
	return p, p != nil
}

// resolved makes components of what lock files resolved and is not installed below
// them, related as they say. What a package manager recorded of what it installed is
// left out: if that is not there it was removed.
func (t *npmTree) resolved(locks *npmLocks) ([]*node, error) {
	m := t.m
	installed := map[string][]string{} // folders by "name@version"
	for _, p := range t.ordered {
		id := p.manifest.Name + "@" + p.manifest.Version
		installed[id] = append(installed[id], p.dir)
	}
	for _, dirs := range installed {
		slices.Sort(dirs)
	}
	var out []*node
	for _, l := range locks.all {
		if l.rank == 0 {
			continue
		}
		nodes := make([]*node, len(l.Packages))
		for i := range l.Packages {
			p := &l.Packages[i]
			if err := m.alive(); err != nil {
				return nil, err
			}
			id := p.Name + "@" + p.Version
			if below(installed[id], l.dir) || slices.ContainsFunc(t.archived[id], func(dir string) bool { return dir == "" || dir == l.dir }) {
				continue
			}
			m.found["npm"] = true
			nodes[i] = m.add(m.lockedComponent(&l, p))
			out = append(out, nodes[i])
		}
		if l.Partial {
			m.partial["dependencies:npm"] = true
		}
		for i := range l.Packages {
			if nodes[i] == nil {
				continue
			}
			for _, d := range l.Packages[i].Depends {
				if nodes[d] == nil {
					// It is installed, under an entry of its own.
					m.partial["dependencies:npm"] = true
					continue
				}
				if err := m.relate(nodes[i], assay.DependsOn, nodes[d]); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// below reports whether one of the folders, which are sorted, is below another.
func below(dirs []string, dir string) bool {
	if dir == "." {
		return len(dirs) > 0
	}
	i, _ := slices.BinarySearch(dirs, dir+"/")
	return i < len(dirs) && strings.HasPrefix(dirs[i], dir+"/")
}

func (m *maker) lockedComponent(l *npmLock, p *npm.Locked) assay.Component {
	c := npmComponent(&npm.Manifest{Name: p.Name, Version: p.Version})
	c.Hashes = p.Integrity
	c.Locations = []assay.Location{m.location(l.fact.Path, l.fact.Layer)}
	c.Properties = map[string]string{"assay:npm:lock": l.fact.Path, "assay:lifecycle": "pre-build"}
	resolved(&c, p)
	if p.Dev {
		c.Properties = withProperty(c.Properties, "assay:npm:dev", "true")
	}
	return c
}
