package catalog

import (
	"cmp"
	"context"
	"path"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
	"github.com/assaykit/assay/sbom/internal/catalog/opkg"
	"github.com/assaykit/assay/sbom/internal/license"
)

const opkgName = "opkg"

// opkgDirs are where the database is: in OpenWrt, and in Yocto's images.
var opkgDirs = [...]string{"usr/lib/opkg/", "var/lib/opkg/"}

// The facts of the opkg visitor, beside fileList.
type (
	opkgDB struct { // of a status file
		packages []opkg.Package
		faults   []error // of records that are not among them
	}
	opkgControl opkgDB // of a control file
)

type opkgVisitor struct{ budget *budget }

func (opkgVisitor) Name() string { return opkgName }

func (opkgVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular && f.Type != layers.Symlink {
		return layers.WantNothing
	}
	for _, dir := range opkgDirs {
		name, ok := strings.CutPrefix(f.Path, dir)
		if !ok {
			continue
		}
		if name == "status" {
			return layers.WantContent | layers.WantOptional
		}
		if name, ok = strings.CutPrefix(name, "info/"); ok && !strings.Contains(name, "/") && (strings.HasSuffix(name, ".control") || isOpkgList(name)) {
			return layers.WantContent | layers.WantOptional
		}
	}
	return layers.WantNothing
}

func isOpkgList(p string) bool { return strings.HasSuffix(p, ".list") }

func (v opkgVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	if isOpkgList(f.Path) {
		return fileList(c.Bytes), v.budget.take(f, len(c.Bytes))
	}
	data, status := c.Bytes, f.Base() == "status"
	var cut error
	if status {
		data, cut = dpkg.Whole(data)
	}
	pkgs, faults := opkg.ParseStatus(data)
	if cut != nil {
		faults = append(faults, cut)
	}
	size := 512 * len(faults)
	for i := range pkgs {
		size += pkgs[i].Size()
	}
	if status {
		return opkgDB{pkgs, faults}, v.budget.take(f, size)
	}
	return opkgControl{pkgs, faults}, v.budget.take(f, size)
}

func (m *maker) opkg() error {
	keys := func(db []opkg.Package) map[string]int {
		keys := map[string]int{}
		for i := range db {
			if p := &db[i]; p.Unpacked() {
				keys[p.Name+"\x00"+p.Version+"\x00"+p.Arch] = i
			}
		}
		return keys
	}
	dbs := lineages(m.res, opkgName, func(db opkgDB) map[string]int { return keys(db.packages) })
	faults := func(db opkgDB) []error { return db.faults }
	recordFaults(m, opkgName, "opkg", dbs, faults)
	known := sound(unbroken(m, opkgName, dbs), faults)
	single := lineages(m.res, opkgName, func(db opkgControl) map[string]int { return keys(db.packages) })
	controlFaults := func(db opkgControl) []error { return db.faults }
	recordFaults(m, opkgName, "opkg", single, controlFaults)
	m.lostDatabase(opkgName, "opkg", anyCurrent(dbs), append(lostPaths(known), emptied(dbs, faults)...))
	// Control files say more than the status does of the same packages.
	control := map[string]*opkg.Package{}
	for _, file := range layers.Facts[opkgControl](m.res, opkgName) {
		for i := range file.packages {
			control[file.packages[i].Name+"\x00"+file.packages[i].Version] = &file.packages[i]
		}
	}
	var pkgs []*opkg.Package
	var nodes []*node
	byName := map[string]*node{}
	add := func(file string, layer int, p *opkg.Package) {
		full := *p
		if more := control[p.Name+"\x00"+p.Version]; more != nil {
			full = merged(p, more)
		}
		c := m.opkgComponent(&full)
		c.Locations = []assay.Location{m.location(file, layer)}
		n := m.add(c)
		n.top = true
		pkgs, nodes = append(pkgs, &full), append(nodes, n)
		byName[p.Name] = n
		m.found["opkg"] = true
	}
	current(dbs, func(file string, layer int, db opkgDB, i int) { add(file, layer, &db.packages[i]) })
	history(m, known, func(db opkgDB, i int) assay.Component { return m.opkgComponent(&db.packages[i]) })
	if len(dbs) == 0 {
		// Images that are made without opkg's status have the control files alone.
		current(single, func(file string, layer int, db opkgControl, i int) { add(file, layer, &db.packages[i]) })
		history(m, sound(unbroken(m, opkgName, single), controlFaults), func(db opkgControl, i int) assay.Component { return m.opkgComponent(&db.packages[i]) })
	}
	for f, list := range layers.Facts[fileList](m.res, opkgName) {
		n := byName[strings.TrimSuffix(path.Base(f.Path), ".list")]
		if n == nil {
			continue
		}
		for file := range opkg.ListFiles(string(list)) {
			if err := m.alive(); err != nil {
				return err
			}
			m.own(file, n)
		}
	}
	index := opkg.NewIndex(pkgs)
	for i, p := range pkgs {
		for _, g := range p.Depends {
			found := index.Satisfying(g, "all")
			if len(found) == 0 {
				m.partial["dependencies:opkg"] = true
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

// merged fills in what a package's entry in the status file does not say.
func merged(p, more *opkg.Package) opkg.Package {
	out := *p
	for _, f := range []struct{ to, from *string }{
		{&out.Arch, &more.Arch}, {&out.Source, &more.Source}, {&out.SourceName, &more.SourceName}, {&out.Maintainer, &more.Maintainer},
		{&out.Summary, &more.Summary}, {&out.License, &more.License}, {&out.CPE, &more.CPE}, {&out.Section, &more.Section}, {&out.Homepage, &more.Homepage},
	} {
		*f.to = cmp.Or(*f.to, *f.from)
	}
	if len(out.Depends) == 0 {
		out.Depends = more.Depends
	}
	if len(out.Provides) == 0 {
		out.Provides = more.Provides
	}
	return out
}

func (m *maker) opkgComponent(p *opkg.Package) assay.Component {
	c := assay.Component{
		Type: assay.TypeLibrary, Name: p.Name, Version: p.Version, Supplier: p.Maintainer, Description: p.Summary, FoundBy: opkgName,
		PURL: purl("opkg", m.release.ID, p.Name, p.Version, map[string]string{"arch": p.Arch, "distro": m.release.Distro()}),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("opkg:" + p.Name + "@" + p.Version + ":" + p.Arch)
	}
	if p.SourceName != "" {
		c.Source = assay.SourcePackage{Name: p.SourceName, Version: p.Version}
	}
	if l := license.Declared(p.License); l != (assay.License{}) {
		c.Licenses = []assay.License{l}
	}
	c.Properties = withProperty(c.Properties, "assay:opkg:source", p.Source)
	c.Properties = withProperty(c.Properties, "assay:opkg:section", p.Section)
	referOr(&c, assay.RefWebsite, p.Homepage, "assay:opkg:homepage")
	c.Properties = withProperty(c.Properties, "assay:opkg:cpe", p.CPE)
	if p.Essential {
		c.Properties = withProperty(c.Properties, "assay:opkg:essential", "yes")
	}
	if p.State != "" && p.State != "installed" {
		c.Properties = withProperty(c.Properties, "assay:opkg:state", p.State)
	}
	return c
}
