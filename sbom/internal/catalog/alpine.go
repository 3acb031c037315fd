package catalog

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/apk"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
	"github.com/assaykit/assay/sbom/internal/license"
)

// apkDB is the fact about a database.
type apkDB struct {
	packages []apk.Package
	faults   []error // of records that are not among them
}

func (db apkDB) size() int {
	size := 512 * len(db.faults)
	for i := range db.packages {
		size += db.packages[i].Size()
	}
	return size
}

func readApk(data []byte) apkDB {
	data, cut := dpkg.Whole(data)
	var db apkDB
	db.packages, db.faults = apk.ParseInstalled(string(data))
	if cut != nil {
		db.faults = append(db.faults, cut)
	}
	return db
}

func (m *maker) apk() error {
	dbs := lineages(m.res, apkName, func(db apkDB) map[string]int {
		keys := map[string]int{}
		for i := range db.packages {
			p := &db.packages[i]
			keys[p.Name+"\x00"+p.Version+"\x00"+p.Architecture+"\x00"+p.Checksum] = i
		}
		return keys
	})
	faults := func(db apkDB) []error { return db.faults }
	recordFaults(m, apkName, "apk", dbs, faults)
	known := sound(unbroken(m, apkName, dbs), faults)
	m.lostDatabase(apkName, "apk", anyCurrent(dbs), append(lostPaths(known), emptied(dbs, faults)...))

	var pkgs []apk.Package
	var nodes []*node
	current(dbs, func(path string, layer int, db apkDB, i int) {
		c := m.alpine(&db.packages[i])
		c.Locations = []assay.Location{m.location(path, layer)}
		n := m.add(c)
		n.top = true
		pkgs, nodes = append(pkgs, db.packages[i]), append(nodes, n)
		m.found["apk"] = true
	})
	history(m, known, func(db apkDB, i int) assay.Component { return m.alpine(&db.packages[i]) })

	index := apk.NewIndex(pkgs)
	for i := range pkgs {
		for _, d := range pkgs[i].Depends {
			found := index.Satisfying(d)
			if len(found) == 0 {
				m.partial["dependencies:apk"] = true
			}
			for _, j := range found {
				if err := m.relate(nodes[i], assay.DependsOn, nodes[j]); err != nil {
					return err
				}
			}
		}
		for _, f := range pkgs[i].Files {
			if err := m.alive(); err != nil {
				return err
			}
			m.own(strings.Trim(f, "/"), nodes[i])
		}
	}
	return nil
}

func (m *maker) alpine(p *apk.Package) assay.Component {
	c := assay.Component{
		Type: assay.TypeLibrary, Name: p.Name, Version: p.Version, Supplier: p.Maintainer, Description: p.Summary,
		FoundBy: apkName,
		PURL:    purl("apk", m.release.ID, p.Name, p.Version, map[string]string{"arch": p.Architecture, "distro": m.release.Distro()}),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("apk:" + p.Name + "@" + p.Version + ":" + p.Architecture)
	}
	if p.Origin != "" {
		c.Source = assay.SourcePackage{Name: p.Origin, Version: p.Version}
	}
	if l := license.Declared(p.License); l != (assay.License{}) {
		c.Licenses = []assay.License{l}
	}
	c.Properties = withProperty(c.Properties, "assay:apk:checksum", p.Checksum)
	c.Properties = withProperty(c.Properties, "assay:apk:commit", p.Commit)
	referOr(&c, assay.RefWebsite, p.URL, "assay:apk:url")
	return c
}
