package catalog

import (
	"cmp"
	"context"
	"path"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/java"
	"github.com/assaykit/assay/sbom/internal/license"
)

const javaName = "java"

// javaArchive is the fact about an archive.
type javaArchive = *java.Archive

// javaVisitor looks into archives by what is in them: a zip file needs the name of
// an archive, or the manifest of one at its beginning.
type javaVisitor struct {
	budget *budget
	shared *java.Shared
}

func newJava(b *budget) layers.Visitor { return javaVisitor{b, new(java.Shared)} }

func (javaVisitor) Name() string { return javaName }

func (javaVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular || f.Size < 64 {
		return layers.WantNothing
	}
	return layers.WantPeek | layers.WantAnyName
}

func (javaVisitor) Peek(f *layers.File, head []byte) layers.Want {
	if !java.IsArchive(f.Path, head) {
		return layers.WantNothing
	}
	return layers.WantContent | layers.WantHash | layers.WantOptional
}

func (v javaVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	a, err := v.shared.Parse(c.Bytes, c.SHA256, java.Limits{})
	if err != nil {
		return faulty{err}, nil
	}
	return a, v.budget.take(f, a.Size())
}

// javaStream is an archive that goes by.
type javaStream struct {
	*java.Stream
	budget *budget
}

// Stream implements [layers.Streamer].
func (v javaVisitor) Stream(f *layers.File, asked any) layers.Stream {
	a, _ := asked.(*java.Asked)
	return javaStream{java.NewStream(f.Size, java.Limits{}, a, v.shared), v.budget}
}

func (s javaStream) Visit(_ context.Context, f *layers.File, c layers.Content) (fact, ask any, err error) {
	a, asked, full, err := s.Parse(c.SHA256)
	switch {
	case full:
		return nil, layers.Beyond("has a directory that is too large to be kept while it is read"), nil
	case asked != nil:
		return nil, asked, nil
	case err != nil:
		return faulty{err}, nil, nil
	}
	return a, nil, s.budget.take(f, a.Size())
}

// javaItem is one component of an archive: an archive, or a project that was merged
// into one.
type javaItem struct {
	c       assay.Component
	parent  int           // index of the item that it is in, -1 for the outermost
	project *java.Project // nil if there is none
	inner   string        // where it is in the outermost archive
	key     string        // tells it from the others of one version of the file
}

func (m *maker) java() error {
	for _, facts := range [][]layers.Fact{m.res.Facts(javaName), m.res.HistoryFacts(javaName)} {
		for _, f := range facts {
			switch v := f.Value.(type) {
			case faulty:
				m.skip(javaName, f, v.err)
			case javaArchive:
				if !m.javaFaults(f, v, "") {
					continue
				}
			}
			if _, ok := f.Value.(faulty); ok && !java.HasExtension(f.Path) {
				continue // some other zip file
			}
			if f.Removed < 0 {
				m.found["maven"], m.partial["components:maven"] = true, true
			}
		}
	}
	files := lineages(m.res, javaName, func(javaArchive) map[string]int { return nil })
	for _, l := range files { // what an archive is can depend on its name
		for i := range l.versions {
			keys := map[string]int{}
			for j, item := range javaItems(l.path, l.versions[i].value) {
				keys[item.key] = j
			}
			l.versions[i].keys = keys
		}
	}
	all := javaIndex{here: map[string]map[string]*node{}, folder: map[string]map[string]*node{}}
	known := sound(intact(m, javaName, "maven", files), archiveFaults)
	for i := range known {
		history(m, known[i:i+1], func(a javaArchive, n int) assay.Component { return javaItems(known[i].path, a)[n].c })
	}
	var found []javaFound
	for i := range files {
		l := &files[i]
		v, ok := l.last()
		if !ok {
			continue
		}
		items := javaItems(l.path, v.value)
		nodes := make([]*node, len(items))
		for j, item := range items {
			m.found["maven"] = true
			at := l.path
			if item.inner != "" {
				at += "!/" + item.inner
			}
			item.c.Locations = []assay.Location{m.location(at, l.introduced(len(l.versions)-1, item.key))}
			n := m.add(item.c)
			nodes[j] = n
			if item.parent < 0 {
				n.top = true
			} else if err := m.relate(nodes[item.parent], assay.Contains, n); err != nil {
				return err
			}
			if p := item.project; p != nil {
				all.put(l.path, p.Group+":"+p.Artifact, n)
			}
			found = append(found, javaFound{l.path, item.project, n})
		}
	}
	return m.javaEdges(found, all)
}

// javaFaults records what could not be read of an archive, and reports whether
// there is any.
func (m *maker) javaFaults(f layers.Fact, a *java.Archive, inner string) bool {
	any := false
	for _, fault := range a.Faults {
		any = true
		s := Skipped{Visitor: javaName, Path: f.Path, Layer: f.Layer, History: f.Removed >= 0, Reason: reason(fault.Err)}
		if at := path.Join(inner, fault.Path); at != "" {
			s.Path += "!/" + strings.ToValidUTF8(at, "\uFFFD")
		}
		m.skipped = append(m.skipped, s)
	}
	for _, n := range a.Nested {
		if m.javaFaults(f, n, path.Join(inner, n.Path)) {
			any = true
		}
	}
	return any
}

// archiveFaults are what could not be read of an archive and those in it.
func archiveFaults(a *java.Archive) []error {
	var out []error
	for _, f := range a.Faults {
		out = append(out, f.Err)
	}
	for _, n := range a.Nested {
		out = append(out, archiveFaults(n)...)
	}
	return out
}

// javaItems are the components of an archive, parents first.
func javaItems(file string, a *java.Archive) []javaItem {
	var out []javaItem
	used := map[string]int{}
	put := func(i javaItem) int {
		i.key = i.inner + "\x00" + identity(&i.c)
		if used[i.key]++; used[i.key] > 1 {
			i.key += "\x00" + strconv.Itoa(used[i.key])
		}
		out = append(out, i)
		return len(out) - 1
	}
	var walk func(a *java.Archive, name, inner string, parent int)
	walk = func(a *java.Archive, name, inner string, parent int) {
		id := a.Identity(name)
		at := parent
		if id.Project >= 0 || a.Classes || len(a.Manifest) > 0 || len(a.Nested) > 0 && parent < 0 {
			c := javaComponent(id, a)
			if inner == "" && (len(a.Nested) > 0 || a.Manifest["Main-Class"] != "") {
				c.Type = assay.TypeApplication
			}
			item := javaItem{c: c, parent: parent, inner: inner}
			if id.Project >= 0 {
				item.project = &a.Projects[id.Project]
			}
			at = put(item)
		}
		for i := range a.Projects {
			p := &a.Projects[i]
			if i == id.Project || p.Artifact == "" {
				continue
			}
			merged := java.Identity{Group: p.Group, Artifact: p.Artifact, Version: p.Version, Evidence: java.FromProperties, Project: i}
			if !p.Properties {
				merged.Evidence = java.FromPOM
			}
			c := javaComponent(merged, &java.Archive{Projects: a.Projects})
			put(javaItem{c: c, parent: at, inner: inner, project: p})
		}
		for _, n := range a.Nested {
			walk(n, path.Base(n.Path), path.Join(inner, n.Path), at)
		}
	}
	walk(a, path.Base(file), "", -1)
	return out
}

func javaComponent(id java.Identity, a *java.Archive) assay.Component {
	c := assay.Component{Type: assay.TypeLibrary, Name: id.Artifact, Version: id.Version, FoundBy: javaName}
	if id.Group != "" {
		c.PURL = purl("maven", id.Group, id.Artifact, id.Version, nil)
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("java:" + cmp.Or(id.Artifact, "unnamed") + "@" + id.Version)
	}
	for _, d := range []assay.Digest{a.SHA1, a.SHA256} {
		if !d.IsZero() {
			c.Hashes = append(c.Hashes, d)
		}
	}
	c.Supplier = cmp.Or(a.Manifest["Implementation-Vendor"], a.Manifest["Bundle-Vendor"])
	c.Properties = withProperty(c.Properties, "assay:java:evidence", id.Evidence)
	if id.Implied {
		c.Properties = withProperty(c.Properties, "assay:java:group", "implied by the name of the bundle or module")
	}
	refer(&c, assay.RefWebsite, cmp.Or(link(a.Manifest["Bundle-DocURL"]), a.Manifest["Implementation-URL"]), "")
	var names []string
	if id.Project >= 0 {
		p := &a.Projects[id.Project]
		names = p.Licenses
		c.Supplier = cmp.Or(p.Organization, c.Supplier)
		c.Description = p.Name
		c.Creator = p.Organization
		refer(&c, assay.RefWebsite, p.URL, "")
		refer(&c, assay.RefVCS, p.SCM, "")
		refer(&c, assay.RefIssueTracker, p.Issues, "")
	}
	if l := a.Manifest["Bundle-License"]; len(names) == 0 && l != "" {
		l, _, _ = strings.Cut(l, ";")
		names = []string{l}
	}
	for _, n := range names {
		l := license.Declared(java.License(n))
		if l != (assay.License{}) {
			c.Licenses = append(c.Licenses, l)
		}
	}
	return c
}

// javaFound is a component with what its project says.
type javaFound struct {
	path    string
	project *java.Project
	node    *node
}

// javaIndex has the projects by group and artifact: those of one archive, and those
// in one folder.
type javaIndex struct{ here, folder map[string]map[string]*node }

func (x *javaIndex) put(file, key string, n *node) {
	for _, at := range []struct {
		m map[string]map[string]*node
		k string
	}{{x.here, file}, {x.folder, path.Dir(file)}} {
		if at.m[at.k] == nil {
			at.m[at.k] = map[string]*node{}
		}
		if at.m[at.k][key] == nil {
			at.m[at.k][key] = n
		}
	}
}

// javaEdges relates projects to their dependencies, of those that are in the same
// archive, or in the same folder. The version that is there counts: which one a
// build takes of several is not in the archives.
func (m *maker) javaEdges(found []javaFound, all javaIndex) error {
	for _, f := range found {
		if f.project == nil || !f.project.XML {
			m.partial["dependencies:maven"] = true
			continue
		}
		for _, d := range f.project.Depends {
			key := d.Group + ":" + d.Artifact
			to := all.here[f.path][key]
			if to == nil {
				to = all.folder[path.Dir(f.path)][key]
			}
			if to == nil {
				if !d.Optional {
					m.partial["dependencies:maven"] = true
				}
				if err := m.alive(); err != nil {
					return err
				}
				continue
			}
			if err := m.relate(f.node, assay.DependsOn, to); err != nil {
				return err
			}
		}
	}
	return nil
}
