package catalog

import (
	"path"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/npm"
)

// npmArchive is the fact about an archive in Yarn's cache.
type npmArchive struct{ *npm.Manifest }

// The folders of archives: of a project, and the one that all projects share.
const (
	yarnCache  = ".yarn/cache"
	yarnShared = ".yarn/berry/cache"
)

func isYarnArchive(p string) bool {
	if !strings.HasSuffix(p, ".zip") {
		return false
	}
	dir := "/" + path.Dir(p)
	return strings.HasSuffix(dir, "/"+yarnCache) || strings.HasSuffix(dir, "/"+yarnShared)
}

// yarnProject is the folder whose archives lie in a cache, "" for one that projects
// share.
func yarnProject(archive string) string {
	dir := path.Dir(archive)
	if strings.HasSuffix("/"+dir, "/"+yarnShared) {
		return ""
	}
	return path.Clean(strings.TrimSuffix(dir, yarnCache))
}

// archives makes components of the packages that Yarn runs out of their archives
// (Plug'n'Play). What depends on what is in the project's lock file: there are no
// folders to look into.
func (t *npmTree) archives(locks *npmLocks) ([]*node, error) {
	m := t.m
	files := lineages(m.res, npmName, func(a npmArchive) map[string]int {
		if a.Name == "" || a.Version == "" {
			return nil
		}
		return map[string]int{a.Name + "\x00" + a.Version: 0}
	})
	history(m, sound(intact(m, npmName, "npm", files), func(a npmArchive) []error { return nameless(a.Manifest) }), func(a npmArchive, _ int) assay.Component { return npmComponent(a.Manifest) })
	type place struct{ project, id string }
	at := map[place]*node{}
	resolved := map[*node]bool{}
	needs := map[*node]bool{}
	var out []*node
	for i := range files {
		l := &files[i]
		v, ok := l.last()
		if !ok {
			continue
		}
		a := v.value
		if len(v.keys) == 0 {
			m.found["npm"], m.partial["components:npm"] = true, true
			m.skipped = append(m.skipped, Skipped{Visitor: npmName, Path: l.path, Layer: v.fact.File.Layer, Reason: errNameless.Error()})
			continue
		}
		c := npmComponent(a.Manifest)
		c.Locations = []assay.Location{m.location(l.path, l.introduced(len(l.versions)-1, a.Name+"\x00"+a.Version))}
		c.Properties = withProperty(c.Properties, "assay:npm:archive", "yarn")
		n := m.add(c)
		m.found["npm"] = true
		out = append(out, n)
		project := yarnProject(l.path)
		id := a.Name + "@" + a.Version
		at[place{project, id}] = n
		t.archived[id] = append(t.archived[id], project)
		for _, d := range a.Depends {
			needs[n] = needs[n] || !d.Optional
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	for _, l := range locks.all {
		find := func(i int) *node {
			id := l.Packages[i].Name + "@" + l.Packages[i].Version
			if n := at[place{l.dir, id}]; n != nil {
				return n
			}
			return at[place{"", id}]
		}
		for i := range l.Packages {
			if l.Packages[i].Path != "" {
				break // of npm, which unpacks
			}
			n := find(i)
			if n == nil {
				continue
			}
			resolved[n] = true
			for _, d := range l.Packages[i].Depends {
				to := find(d)
				if to == nil {
					m.partial["dependencies:npm"] = true
				} else if err := m.relate(n, assay.DependsOn, to); err != nil {
					return nil, err
				}
			}
			if err := m.alive(); err != nil {
				return nil, err
			}
		}
	}
	for _, n := range out {
		if needs[n] && !resolved[n] {
			m.partial["dependencies:npm"] = true
		}
	}
	return out, nil
}

func (v npmVisitor) archive(f *layers.File, c layers.Content) (any, error) {
	p, err := npm.ParseArchive(f.Path, c.Bytes)
	if err != nil {
		return faulty{err}, nil
	}
	if p == nil {
		return nil, nil
	}
	return npmArchive{p}, v.budget.take(f, p.Size())
}
