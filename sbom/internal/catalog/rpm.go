package catalog

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/sqlite"
	"github.com/assaykit/assay/sbom/internal/license"
)

func (m *maker) rpm() error {
	m.faults(rpmName, "rpm")
	m.rpmBeyond()
	dbs, err := m.rpmDatabases()
	if err != nil {
		return err
	}
	known := unbroken(m, rpmName, dbs)
	lost := append(lostPaths(known), emptied(dbs, (*rpmDB).wrong)...)
	if anyCurrent(dbs) {
		lost = nil // the database was converted, or moved
	}
	m.lostDatabase(rpmName, "rpm", false, lost)
	m.rpmFaults(dbs)

	var pkgs []*rpm.Package
	var nodes []*node
	current(dbs, func(path string, layer int, db *rpmDB, i int) {
		c := m.rpmComponent(db.packages[i])
		c.Locations = []assay.Location{m.location(path, layer)}
		n := m.add(c)
		n.top = true
		pkgs, nodes = append(pkgs, db.packages[i]), append(nodes, n)
		m.found["rpm"] = true
	})
	for _, f := range m.res.Facts(rpmName) {
		if _, bad := f.Value.(faulty); !bad || path.Base(f.Path) != rpmLog {
			continue
		}
		for i := range known { // what the log before it told is not known to be gone
			if l := &known[i]; path.Dir(l.path) == path.Dir(f.Path) && l.current {
				l.versions = l.versions[len(l.versions)-1:]
			}
		}
	}
	history(m, sound(known, (*rpmDB).wrong), func(db *rpmDB, i int) assay.Component { return m.rpmComponent(db.packages[i]) })
	return m.rpmEdges(pkgs, nodes)
}

// rpmBeyond looks for databases that a container would find through a link of a
// folder to where the visitor did not look.
func (m *maker) rpmBeyond() {
	seen := map[string]bool{}
	for _, f := range m.res.Facts(rpmName) {
		seen[f.File.Path] = true
	}
	for _, s := range m.res.Skipped {
		if s.Visitor == rpmName {
			seen[s.Path] = true
		}
	}
	for _, dir := range rpmDirs {
		for _, name := range []string{rpmBDB, rpmNDB, rpmSQLite} {
			f, err := m.res.Tree.Lookup("/" + dir + name)
			if err != nil || f.Type != layers.Regular || seen[f.Path] {
				continue
			}
			seen[f.Path] = true
			m.found["rpm"] = true
			m.partial["components:rpm"], m.partial["dependencies:rpm"] = true, true
			m.skipped = append(m.skipped, Skipped{Visitor: rpmName, Path: f.Path, Layer: f.Layer, Size: f.Size,
				Reason: "a package database that " + dir + name + " leads to was not read there"})
		}
	}
}

// rpmFaults notes what of the databases was not understood, and where two of them
// contradict.
func (m *maker) rpmFaults(dbs []lineage[*rpmDB]) {
	incomplete := func() {
		m.found["rpm"] = true
		m.partial["components:rpm"], m.partial["dependencies:rpm"] = true, true
	}
	var first *version[*rpmDB]
	for _, l := range dbs {
		for i := range l.versions {
			v := &l.versions[i]
			if v.value.broken != nil {
				m.skip(rpmName, v.fact, v.value.broken)
			}
			for _, err := range v.value.faults {
				m.skip(rpmName, v.fact, err)
			}
			if v.fact.Removed >= 0 {
				continue
			}
			if v.value.broken != nil || len(v.value.faults) > 0 {
				incomplete()
			}
			if first == nil {
				first = v
				continue
			}
			same := func(a, b int) bool { return true }
			if !maps.EqualFunc(first.keys, v.keys, same) {
				incomplete()
				m.skipped = append(m.skipped, Skipped{Visitor: rpmName, Path: v.fact.Path, Layer: v.fact.File.Layer,
					Reason: "this package database and " + first.fact.Path + " list different packages; those of both are components"})
			}
		}
	}
}

// rpmDatabases gives the databases of all formats. One of SQLite is its file and its
// log together, so it changes when either does.
func (m *maker) rpmDatabases() ([]lineage[*rpmDB], error) {
	out := lineages(m.res, rpmName, rpmKeys)
	logs := map[string]lineage[rpmLogged]{}
	for _, l := range lineages(m.res, rpmName, func(rpmLogged) map[string]int { return nil }) {
		logs[l.path] = l
	}
	b := &budget{limit: rpmTables}
	b.left.Store(rpmTables)
	share := newRPMShare(b)
	for _, t := range lineages(m.res, rpmName, func(*rpmTable) map[string]int { return nil }) {
		l, err := m.rpmStates(share, t, logs[path.Dir(t.path)+"/"+rpmLog])
		if err != nil {
			return nil, err
		}
		if len(l.versions) > 0 {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b lineage[*rpmDB]) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

// rpmStates gives the versions of a database whose log changes at its own pace.
func (m *maker) rpmStates(share *rpmShare, t lineage[*rpmTable], log lineage[rpmLogged]) (lineage[*rpmDB], error) {
	out := lineage[*rpmDB]{path: t.path, current: t.current}
	put := func(v version[*rpmTable], l *sqlite.Log, from, to int) error {
		if err := m.stopped(); err != nil {
			return &assay.Error{Op: "take inventory", Kind: assay.ErrUnchecked, Err: err}
		}
		db, err := v.value.rows(share, v.fact.File, l)
		if err != nil {
			return err
		}
		file := *v.fact.File
		file.Layer = from
		fact := v.fact
		fact.File, fact.Removed = &file, to
		out.versions = append(out.versions, version[*rpmDB]{fact, db, rpmKeys(db)})
		return nil
	}
	if len(log.versions) == 0 {
		for _, v := range t.versions {
			if err := put(v, nil, v.fact.File.Layer, v.fact.Removed); err != nil {
				return out, err
			}
		}
		return out, nil
	}
	// The layers in which either file appears or goes.
	var changes []int
	for _, v := range t.versions {
		changes = append(changes, v.fact.File.Layer, v.fact.Removed)
	}
	for _, v := range log.versions {
		changes = append(changes, v.fact.File.Layer, v.fact.Removed)
	}
	slices.Sort(changes)
	changes = slices.DeleteFunc(slices.Compact(changes), func(l int) bool { return l < 0 })
	for i, from := range changes {
		to := -1
		if i+1 < len(changes) {
			to = changes[i+1]
		}
		v, ok := t.at(from)
		if !ok {
			continue
		}
		var l *sqlite.Log
		if lv, ok := log.at(from); ok {
			l = lv.value
		}
		if err := put(v, l, from, to); err != nil {
			return out, err
		}
	}
	return out, nil
}

// at is the version that a layer leaves behind.
func (l *lineage[T]) at(layer int) (version[T], bool) {
	for _, v := range l.versions {
		if v.fact.File.Layer <= layer && (v.fact.Removed < 0 || v.fact.Removed > layer) {
			return v, true
		}
	}
	return version[T]{}, false
}

func rpmKeys(db *rpmDB) map[string]int {
	keys := make(map[string]int, len(db.packages))
	for i, p := range db.packages {
		keys[p.Name+"\x00"+p.EVR()+"\x00"+p.Arch+"\x00"+p.SigMD5] = i
	}
	return keys
}

func (m *maker) rpmComponent(p *rpm.Package) assay.Component {
	source := p.SourceRPM
	if source == "(none)" {
		source = ""
	}
	v := p.Version + "-" + p.Release
	c := assay.Component{
		Type: assay.TypeLibrary, Name: p.Name, Version: p.EVR(), Supplier: p.Vendor, Description: p.Summary,
		Source: p.Source(), FoundBy: rpmName,
		PURL: purl("rpm", rpmVendor(m.release.ID), p.Name, v, map[string]string{
			"arch": p.Arch, "epoch": p.Epoch, "upstream": source, "distro": m.release.Distro(),
		}),
	}
	if c.Supplier == "" {
		c.Supplier = p.Packager
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("rpm:" + p.Name + "@" + p.EVR() + ":" + p.Arch)
	}
	if l := license.Declared(p.License); l != (assay.License{}) {
		c.Licenses = []assay.License{l}
	}
	set := func(k, v string) { c.Properties = withProperty(c.Properties, "assay:rpm:"+k, v) }
	referOr(&c, assay.RefWebsite, p.URL, "assay:rpm:url")
	set("modularity", p.Modularity)
	set("sigmd5", p.SigMD5)
	set("signatures", strings.Join(p.Signatures, ", "))
	if !p.HeaderDigest.IsZero() {
		set("header-digest", p.HeaderDigest.String())
	}
	if !p.PayloadDigest.IsZero() {
		set("payload-digest", p.PayloadDigest.String())
	}
	return c
}

// rpmVendor is the namespace of package URLs, which is that of the vendor (purl-spec,
// rpm): those distributions whose vendors write another name than ID in os-release
// in their own advisories.
func rpmVendor(id string) string {
	switch {
	case id == "rhel":
		return "redhat"
	case id == "opensuse" || strings.HasPrefix(id, "opensuse-"):
		return "opensuse"
	case id == "sles" || id == "sled" || id == "sles_sap" || id == "sle-micro" || id == "sl-micro" || id == "suse-microos":
		return "suse"
	}
	return id
}

// rpmEdges notes the owners of files and what depends on what.
func (m *maker) rpmEdges(pkgs []*rpm.Package, nodes []*node) error {
	byNode := map[*node]int{}
	for i, p := range pkgs {
		byNode[nodes[i]] = i
		for f := range p.Files() {
			if err := m.alive(); err != nil {
				return err
			}
			m.own(f, nodes[i])
		}
	}
	index := rpm.NewIndex(pkgs, func(path string) (int, bool) {
		f, err := m.res.Tree.Lookup(path)
		if err != nil {
			return 0, false
		}
		i, ok := byNode[m.installs().of(f)]
		return i, ok
	})
	for i, p := range pkgs {
		for _, d := range p.Requires {
			found, ok, err := index.Satisfying(d)
			if err != nil {
				return err
			}
			if !ok {
				m.partial["dependencies:rpm"] = true
			}
			for _, j := range found {
				if err := m.relate(nodes[i], assay.DependsOn, nodes[j]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
