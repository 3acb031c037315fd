package catalog

import (
	"path"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
)

// dpkgDB is the fact about a status file, or a file of status.d.
type dpkgDB struct {
	packages []dpkg.Package
	faults   []error // of records that are not among them
}

func (db dpkgDB) size() int {
	size := 512 * len(db.faults)
	for i := range db.packages {
		size += db.packages[i].Size()
	}
	return size
}

// readDpkg reads a status file, or a file of status.d. Only dpkg itself always ends
// its file with a line break, so only that shows where it was cut.
func readDpkg(file string, data []byte) dpkgDB {
	var cut error
	if file == dpkgStatus {
		data, cut = dpkg.Whole(data)
	}
	var db dpkgDB
	db.packages, db.faults = dpkg.ParseStatus(data)
	if cut != nil {
		db.faults = append(db.faults, cut)
	}
	return db
}

func (m *maker) dpkg() error {
	dbs := lineages(m.res, dpkgName, func(db dpkgDB) map[string]int {
		keys := map[string]int{}
		for i := range db.packages {
			if p := &db.packages[i]; p.Unpacked() {
				keys[p.Name+"\x00"+p.Version+"\x00"+p.Architecture] = i
			}
		}
		return keys
	})
	faults := func(db dpkgDB) []error { return db.faults }
	recordFaults(m, dpkgName, "deb", dbs, faults)
	known := sound(unbroken(m, dpkgName, dbs), faults)
	m.lostDatabase(dpkgName, "deb", anyCurrent(dbs), append(lostPaths(known), emptied(dbs, faults)...))

	var pkgs []dpkg.Package
	var nodes []*node
	current(dbs, func(path string, layer int, db dpkgDB, i int) {
		c := m.deb(&db.packages[i])
		c.Licenses = m.copyright(db.packages[i].Name)
		c.Locations = []assay.Location{m.location(path, layer)}
		n := m.add(c)
		n.top = true
		pkgs, nodes = append(pkgs, db.packages[i]), append(nodes, n)
		m.found["deb"] = true
	})
	history(m, known, func(db dpkgDB, i int) assay.Component { return m.deb(&db.packages[i]) })

	index := dpkg.NewIndex(pkgs)
	for i := range pkgs {
		for _, g := range pkgs[i].Depends {
			found := index.Satisfying(g, pkgs[i].Architecture)
			if len(found) == 0 {
				m.partial["dependencies:deb"] = true
			}
			for _, j := range found {
				if err := m.relate(nodes[i], assay.DependsOn, nodes[j]); err != nil {
					return err
				}
			}
		}
	}
	return m.debFiles(pkgs, nodes)
}

func (m *maker) deb(p *dpkg.Package) assay.Component {
	c := assay.Component{
		Type: assay.TypeLibrary, Name: p.Name, Version: p.Version, Supplier: p.Maintainer, Description: p.Summary,
		Source: p.Source, FoundBy: dpkgName,
		PURL: purl("deb", m.release.ID, p.Name, p.Version, map[string]string{"arch": p.Architecture, "distro": m.release.Distro()}),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("deb:" + p.Name + "@" + p.Version + ":" + p.Architecture)
	}
	c.Properties = withProperty(c.Properties, "assay:deb:section", p.Section)
	referOr(&c, assay.RefWebsite, p.Homepage, "assay:deb:homepage")
	if p.Essential {
		c.Properties = withProperty(c.Properties, "assay:deb:essential", "yes")
	}
	if p.State != "installed" {
		c.Properties = withProperty(c.Properties, "assay:deb:state", p.State)
	}
	return c
}

// copyright finds the licences of a package: its folder in usr/share/doc is often a
// link to that of another one.
func (m *maker) copyright(name string) []assay.License {
	want := docDir + name + copyrightName
	f, err := m.res.Tree.Lookup(want)
	if err != nil {
		return nil
	}
	if m.copyrights == nil {
		m.copyrights = map[*layers.File][]assay.License{}
		for fact, l := range layers.Facts[copyright](m.res, dpkgName) {
			m.copyrights[fact.File] = l
			if there := m.res.Tree.Get(fact.Path); there != nil {
				m.copyrights[there] = l
			}
		}
	}
	return m.copyrights[f]
}

// debFiles notes which package installed which file, by the lists in info/ and, for
// packages without one, as in distroless images, by the md5sums beside the status.
func (m *maker) debFiles(pkgs []dpkg.Package, nodes []*node) error {
	byName := map[string]int{}
	for i := range pkgs {
		// "name:arch" is how dpkg calls the lists of packages that can be installed
		// for several architectures.
		byName[pkgs[i].Name+":"+pkgs[i].Architecture] = i
		if _, ok := byName[pkgs[i].Name]; !ok {
			byName[pkgs[i].Name] = i
		}
	}
	diverted := map[string]dpkg.Diversion{}
	for _, text := range layers.Facts[diversions](m.res, dpkgName) {
		for _, d := range dpkg.ParseDiversions(string(text)) {
			diverted[d.From] = d
		}
	}
	m.installing(func(o *ownership) error { return o.deb(m.res, pkgs, nodes, byName, diverted) })
	return nil
}

// deb takes over what the lists say.
func (o *ownership) deb(res *layers.Result, pkgs []dpkg.Package, nodes []*node, byName map[string]int, diverted map[string]dpkg.Diversion) error {
	own := func(i int, file string) {
		if len(diverted) > 0 {
			if d, ok := diverted[file]; ok && d.Owner != pkgs[i].Name {
				file = d.To
			}
		}
		o.own(file, nodes[i])
	}
	listed := map[int]bool{}
	for f, list := range layers.Facts[fileList](res, dpkgName) {
		if i, ok := byName[strings.TrimSuffix(path.Base(f.Path), ".list")]; ok {
			listed[i] = true
			text, err := dpkg.CheckList(string(list))
			if err != nil {
				o.skipped = append(o.skipped, notUnderstood(dpkgName, f, err))
			}
			for file := range dpkg.ListFiles(text) {
				if err := o.alive(); err != nil {
					return err
				}
				own(i, file)
			}
		}
	}
	for f, sums := range layers.Facts[sumList](res, dpkgName) {
		if i, ok := byName[strings.TrimSuffix(path.Base(f.Path), ".md5sums")]; ok && !listed[i] {
			if err := dpkg.CheckSums(string(sums)); err != nil {
				o.skipped = append(o.skipped, notUnderstood(dpkgName, f, err))
			}
			for file := range dpkg.SumFiles(string(sums)) {
				if err := o.alive(); err != nil {
					return err
				}
				own(i, file)
			}
		}
	}
	return nil
}

func anyCurrent[T any](ls []lineage[T]) bool {
	for _, l := range ls {
		if v, ok := l.last(); ok && len(v.keys) > 0 {
			return true
		}
	}
	return false
}

// lostPaths gives the facts on the last versions of databases that are gone.
func lostPaths[T any](ls []lineage[T]) []layers.Fact {
	var out []layers.Fact
	for _, l := range ls {
		if v := l.versions[len(l.versions)-1]; !l.current && len(v.keys) > 0 {
			out = append(out, v.fact)
		}
	}
	return out
}

// lostDatabase notes that a database was deleted, and with it the knowledge of what
// is installed, while the files of the packages may be there still.
func (m *maker) lostDatabase(visitor, eco string, current bool, lost []layers.Fact) {
	for _, f := range lost {
		what := "removed"
		if f.Removed < 0 {
			what = "emptied"
		}
		// In status.d a file is one package; that it goes is how packages go.
		if current && strings.HasPrefix(f.Path, dpkgStatusD) {
			continue
		}
		m.found[eco] = true
		m.partial["components:"+eco], m.partial["dependencies:"+eco] = true, true
		m.skipped = append(m.skipped, Skipped{Visitor: visitor, Path: f.Path, Layer: f.File.Layer,
			Reason: "the package database was " + what + " by an upper layer; packages that it listed may be there still"})
	}
}
