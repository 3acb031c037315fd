package catalog

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/npm"
)

// npmTree is the installed packages by their folder.
type npmTree struct {
	m       *maker
	byDir   map[string]*npmPackage
	ordered []*npmPackage
	// archived are the projects, "" for any, by "name@version" of what Yarn runs out of
	// archives.
	archived map[string][]string
	levels   map[string]*npmLevel // by folder
}

// npmLevel is the folder where packages are looked for, seen from one below, and the
// next one above.
type npmLevel struct {
	path    string
	modules layers.Folder
	up      *npmLevel
}

type npmPackage struct {
	dir      string
	manifest *npm.Manifest
	node     *node
	app      bool
}

func (m *maker) npm() error {
	files := lineages(m.res, npmName, func(f manifest) map[string]int {
		if f.Name == "" || f.Version == "" {
			return nil
		}
		return map[string]int{f.Name + "\x00" + f.Version: 0}
	})
	t := &npmTree{m: m, byDir: map[string]*npmPackage{}, archived: map[string][]string{}, levels: map[string]*npmLevel{}}
	linked := m.linkedFolders()
	locks := m.locks()
	for i := range files {
		l := &files[i]
		v, ok := l.last()
		if !ok {
			continue
		}
		t.add(l, v, linked, locks)
	}
	for _, f := range m.res.Facts(npmName) {
		if bad, ok := f.Value.(faulty); ok && (isLock(f.Path) || isYarnArchive(f.Path) || m.installed(f.Path, linked)) {
			m.skip(npmName, f, bad.err)
			if !isLock(f.Path) {
				m.found["npm"], m.partial["components:npm"] = true, true
			}
		}
	}
	for _, f := range m.res.HistoryFacts(npmName) {
		if bad, ok := f.Value.(faulty); ok && (isYarnArchive(f.Path) || m.installed(f.Path, nil)) {
			m.skip(npmName, f, bad.err)
		}
	}
	var old []lineage[manifest]
	for _, l := range sound(unbroken(m, npmName, files), nameless) {
		if name, _ := installedName(l.path); name != "" {
			old = append(old, l)
		}
	}
	history(m, old, func(f manifest, _ int) assay.Component { return npmComponent(f) })
	if err := t.edges(); err != nil {
		return err
	}
	archived, err := t.archives(locks)
	if err != nil {
		return err
	}
	nodes := archived
	for _, p := range t.ordered {
		nodes = append(nodes, p.node)
	}
	if m.lockFiles {
		resolved, err := t.resolved(locks)
		if err != nil {
			return err
		}
		nodes = append(nodes, resolved...)
	}
	reach(nodes)
	return nil
}

// installed reports whether the package.json of that path is of an installed
// package, not one that lies about.
func (m *maker) installed(file string, linked map[string]bool) bool {
	name, _ := installedName(file)
	return name != "" || linked[path.Dir(file)]
}

// linkedFolders are the folders outside of node_modules that are linked into one:
// workspaces, and packages under development.
func (m *maker) linkedFolders() map[string]bool {
	linked := map[string]bool{}
	for f := range m.res.Tree.All() {
		if f.Type != layers.Symlink {
			continue
		}
		if name, _ := installedName(f.Path + "/package.json"); name == "" {
			continue
		}
		if to, err := m.res.Tree.Lookup("/" + f.Path); err == nil && to.Type == layers.Dir {
			linked[to.Path] = true
		}
	}
	return linked
}

func (t *npmTree) add(l *lineage[manifest], v version[manifest], linked map[string]bool, locks *npmLocks) {
	m, f := t.m, v.value
	dir := path.Dir(l.path)
	p := &npmPackage{dir: dir, manifest: f}
	if !m.installed(l.path, linked) {
		// The top of an application has its packages beside it.
		mods := m.res.Tree.Get(path.Join(dir, nodeModules))
		if f.Name == "" || mods == nil || mods.Type == layers.Regular {
			return
		}
		p.app = true
	} else if f.Name == "" || f.Version == "" {
		before := slices.ContainsFunc(l.versions, func(v version[manifest]) bool { return len(v.keys) > 0 })
		if f.Name == "" && f.Version == "" && !before {
			return // a mark such as {"type":"module"}, not a package
		}
		m.found["npm"], m.partial["components:npm"] = true, true
		m.skipped = append(m.skipped, Skipped{Visitor: npmName, Path: l.path, Layer: v.fact.File.Layer, Reason: errNameless.Error()})
		return
	}
	c := npmComponent(f)
	layer := v.fact.File.Layer
	if len(v.keys) > 0 {
		layer = l.introduced(len(l.versions)-1, f.Name+"\x00"+f.Version)
	}
	c.Locations = []assay.Location{m.location(l.path, layer)}
	if p.app {
		c.Type = assay.TypeApplication
		if f.Private || f.Version == "" {
			c.PURL = assay.PURL{}
			c.ID = assay.ComponentID("npm-application:" + l.path)
		}
	}
	if lock, ok := locks.find(dir, f.Name, f.Version); ok && !p.app {
		c.Hashes = lock.Integrity
		resolved(&c, lock)
	}
	p.node = m.add(c)
	p.node.top = p.node.top || p.app
	m.found["npm"] = true
	t.byDir[dir] = p
	t.ordered = append(t.ordered, p)
}

// nameless is a fault of the package.json of a package.
func nameless(f manifest) []error {
	if f.Name == "" || f.Version == "" {
		return []error{errNameless}
	}
	return nil
}

var errNameless = errors.New("has no name or no version")

func npmComponent(f *npm.Manifest) assay.Component {
	scope, name := "", f.Name
	if i := strings.LastIndexByte(f.Name, '/'); i >= 0 {
		scope, name = f.Name[:i], f.Name[i+1:]
	}
	c := assay.Component{
		Type: assay.TypeLibrary, Name: f.Name, Version: f.Version, Licenses: f.Licenses, Description: f.Description, Creator: f.Author,
		FoundBy: npmName, PURL: purl("npm", scope, name, f.Version, nil),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("npm:" + f.Name + "@" + f.Version)
	}
	refer(&c, assay.RefWebsite, f.Homepage, "")
	refer(&c, assay.RefVCS, hosted(f.Repository), "")
	refer(&c, assay.RefIssueTracker, f.Bugs, "")
	return c
}

// hosted writes out npm's short forms of repositories, "github:user/name" and without a
// host "user/name" (docs.npmjs.com, package.json, repository).
func hosted(s string) string {
	host, rest, ok := strings.Cut(s, ":")
	if !ok {
		host, rest = "github", s
	}
	site := ""
	switch host {
	case "github", "gitlab":
		site = host + ".com/"
	case "bitbucket":
		site = "bitbucket.org/"
	case "gist":
		site = "gist.github.com/"
	}
	if site == "" || strings.HasPrefix(rest, "/") || host != "gist" && strings.Count(rest, "/") != 1 {
		return s
	}
	return "https://" + site + rest
}

// resolved notes where an entry of a lock file came from.
func resolved(c *assay.Component, l *npm.Locked) {
	t := assay.RefDistribution
	if strings.HasPrefix(l.Resolved, "git") {
		t = assay.RefVCS
	}
	refer(c, t, l.Resolved, "")
	if !l.Registry() {
		c.Properties = withProperty(c.Properties, "assay:npm:resolved", l.Resolved)
	}
}

// edges resolves the dependencies as Node.js does: the nearest node_modules folder,
// going up from the package's real folder, that has the name (nodejs.org, modules,
// loading from node_modules folders).
func (t *npmTree) edges() error {
	for _, p := range t.ordered {
		for _, d := range p.manifest.Depends {
			to := t.resolve(p.dir, d.Name)
			if to == nil {
				if !d.Optional {
					t.m.partial["dependencies:npm"] = true
				}
				if err := t.m.alive(); err != nil {
					return err
				}
				continue
			}
			if err := t.m.relate(p.node, assay.DependsOn, to.node); err != nil {
				return err
			}
		}
		if p.app {
			for _, name := range p.manifest.Dev {
				if to := t.resolve(p.dir, name); to != nil {
					if err := t.m.relate(p.node, assay.DependsOn, to.node); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func (t *npmTree) resolve(dir, name string) *npmPackage {
	scope, base, scoped := strings.Cut(name, "/")
	if !scoped {
		scope, base = "", name
	}
	plain := plainPart(base) && (!scoped || plainPart(scope))
	for l := t.level(dir); l != nil; l = l.up {
		if plain {
			in := l.modules
			if scoped {
				in = in.In(scope)
			}
			if f := in.Get(base); f != nil && f.Type == layers.Dir {
				return t.byDir[f.Path]
			} else if f == nil && (!scoped || l.modules.Get(scope) == nil) {
				continue
			}
		}
		// There are links on the way, or there is something odd.
		if f, err := t.m.res.Tree.Lookup("/" + path.Join(l.path, name)); err == nil && f.Type == layers.Dir {
			// A folder that is no package ends the search, as it does in Node.js
			// unless it has no entry point at all.
			return t.byDir[f.Path]
		}
	}
	return nil
}

// plainPart reports whether a text is one part of a path, and leads down.
func plainPart(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.Contains(s, "/")
}

// level gives the nearest folder of packages from a folder up, nil if there is none.
func (t *npmTree) level(dir string) *npmLevel {
	l, ok := t.levels[dir]
	if ok {
		return l
	}
	if up := path.Dir(dir); up != dir {
		l = t.level(up)
	}
	if path.Base(dir) != nodeModules {
		at := path.Join(dir, nodeModules)
		if folder, ok := t.m.res.Tree.Folder("/" + at); ok {
			l = &npmLevel{at, folder, l}
		}
	}
	t.levels[dir] = l
	return l
}
