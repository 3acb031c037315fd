package catalog

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/python"
)

const pythonName = "python"

// The facts of the Python visitor, beside *python.Package of metadata.
type (
	pyArchive struct { // of a wheel or an egg
		*python.Package
		sum assay.Digest
	}
	pyRecord   []string // of RECORD or installed-files.txt: the files, as written
	pyRequires struct { // of requires.txt
		list    []python.Requirement
		partial bool
	}
)

type pythonVisitor struct{ budget *budget }

func (pythonVisitor) Name() string { return pythonName }

func (pythonVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular {
		return layers.WantNothing
	}
	p := f.Path
	switch p[len(p)-1] {
	case 'A', 'O', 'D', 'n', 't', 'o':
		if pythonFile(p) {
			return layers.WantContent | layers.WantOptional
		}
	case 'l', 'g':
		if isPythonArchive(p) {
			return layers.WantPeek
		}
	}
	return layers.WantNothing
}

// pythonFile tells the files that are read from others.
func pythonFile(p string) bool {
	dir, base := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	switch base {
	case "METADATA", "RECORD", "direct_url.json":
		return strings.HasSuffix(dir, ".dist-info")
	case "PKG-INFO", "requires.txt":
		return strings.HasSuffix(dir, ".egg-info") || strings.HasSuffix(dir, ".egg/EGG-INFO")
	case "installed-files.txt":
		return strings.HasSuffix(dir, ".egg-info")
	}
	return strings.HasSuffix(base, ".egg-info") && base != ".egg-info"
}

func isPythonArchive(p string) bool {
	return strings.HasSuffix(p, ".whl") || strings.HasSuffix(p, ".egg")
}

// isPythonMinor tells the files that packages can be listed without.
func isPythonMinor(p string) bool {
	switch path.Base(p) {
	case "RECORD", "direct_url.json", "requires.txt", "installed-files.txt":
		return true
	}
	return false
}

func (pythonVisitor) Peek(_ *layers.File, head []byte) layers.Want {
	if !strings.HasPrefix(string(head[:min(len(head), 4)]), "PK\x03\x04") {
		return layers.WantNothing
	}
	return layers.WantContent | layers.WantOptional
}

func (v pythonVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	if isPythonArchive(f.Path) {
		p, err := python.ParseArchive(f.Path, c.Bytes)
		switch {
		case errors.Is(err, python.ErrNoMetadata):
			return nil, nil
		case err != nil:
			return faulty{err}, nil
		}
		return pyArchive{p, sum256(c.Bytes)}, v.budget.take(f, p.Size())
	}
	switch f.Base() {
	case "RECORD", "installed-files.txt":
		files := pyRecord(python.ParseRecord(c.Bytes))
		size := 0
		for _, one := range files {
			size += 16 + len(one)
		}
		return files, v.budget.take(f, size)
	case "direct_url.json":
		d, err := python.ParseDirectURL(f.Path, c.Bytes)
		if err != nil {
			return faulty{err}, nil
		}
		return d, v.budget.take(f, d.Size())
	case "requires.txt":
		list, partial := python.ParseRequires(c.Bytes)
		size := 0
		for i := range list {
			size += list[i].Size()
		}
		return pyRequires{list, partial}, v.budget.take(f, size)
	}
	p, err := python.ParseMetadata(f.Path, c.Bytes)
	if err != nil {
		return faulty{err}, nil
	}
	return p, v.budget.take(f, p.Size())
}

// pyPackage is one installed package.
type pyPackage struct {
	*python.Package
	folder string // that it is imported from
	node   *node
}

// pyWorld is the installed packages by folder and name.
type pyWorld struct {
	m       *maker
	all     []*pyPackage
	folders map[string]map[string]*pyPackage // by folder and normalized name
	envs    map[string]pyEnv
	index   map[pyGroup]map[string]*pyPackage // made when all are known
}

func (m *maker) python() error {
	m.pythonFaults()
	direct, records, requires := map[string]*python.DirectURL{}, map[string]pyRecord{}, map[string]pyRequires{}
	for f, v := range layers.Facts[*python.DirectURL](m.res, pythonName) {
		direct[path.Dir(f.Path)] = v
	}
	for f, v := range layers.Facts[pyRecord](m.res, pythonName) {
		records[path.Dir(f.Path)] = v
	}
	for f, v := range layers.Facts[pyRequires](m.res, pythonName) {
		requires[path.Dir(f.Path)] = v
	}
	w := &pyWorld{m: m, folders: map[string]map[string]*pyPackage{}, envs: map[string]pyEnv{}}
	key := func(p *python.Package) string { return p.Name + "\x00" + p.Version }
	installed := lineages(m.res, pythonName, func(p *python.Package) map[string]int { return map[string]int{key(p): 0} })
	for i := range installed {
		l := &installed[i]
		v, ok := l.last()
		if !ok {
			continue
		}
		info, folder := path.Dir(l.path), path.Dir(path.Dir(l.path))
		switch {
		case strings.HasSuffix(info, ".egg/EGG-INFO"):
			folder = path.Dir(folder) // the folder that the egg is in
		case strings.HasSuffix(l.path, ".egg-info"):
			info, folder = "", info // a file, which has nothing beside it
		}
		if isStandard(l.path, v.value) {
			continue
		}
		c := pythonComponent(v.value)
		d := direct[info]
		if strings.HasSuffix(info, ".dist-info") && d != nil {
			from(&c, d)
		}
		c.Locations = []assay.Location{m.location(l.path, l.introduced(len(l.versions)-1, key(v.value)))}
		p := &pyPackage{v.value, folder, m.add(c)}
		m.found["pypi"] = true
		if r, ok := requires[info]; ok && len(p.Requires) == 0 {
			whole := *p.Package
			whole.Requires, whole.Partial = r.list, whole.Partial || r.partial
			p.Package = &whole
		}
		w.add(p)
		base := folder
		if strings.HasSuffix(info, ".egg-info") {
			base = info // what installed-files.txt is relative to
		}
		for _, file := range records[info] {
			if err := m.alive(); err != nil {
				return err
			}
			if file = python.Resolve(base, file); file != "" && m.owner(file) == nil {
				m.own(file, p.node)
			}
		}
	}
	installed = slices.DeleteFunc(installed, func(l lineage[*python.Package]) bool { return isStandard(l.path, l.versions[0].value) })
	history(m, unbroken(m, pythonName, installed), func(p *python.Package, _ int) assay.Component { return pythonComponent(p) })

	archives := lineages(m.res, pythonName, func(a pyArchive) map[string]int { return map[string]int{key(a.Package) + a.sum.String(): 0} })
	current(archives, func(file string, layer int, a pyArchive, _ int) {
		c := pythonArchive(file, a)
		c.Locations = []assay.Location{m.location(file, layer)}
		p := &pyPackage{a.Package, path.Dir(file), m.add(c)}
		m.found["pypi"] = true
		if strings.HasSuffix(file, ".egg") {
			w.add(p) // it is imported as it is
		} else {
			w.all = append(w.all, &pyPackage{Package: &python.Package{}, node: p.node}) // not installed: nothing of it is looked for
		}
	})
	for _, l := range intact(m, pythonName, "pypi", archives) {
		history(m, []lineage[pyArchive]{l}, func(a pyArchive, _ int) assay.Component { return pythonArchive(l.path, a) })
	}
	return w.edges()
}

// isStandard tells what Python 2 recorded of itself and of modules of its standard
// library, which are in no index under that version. pip does not list them either.
func isStandard(file string, p *python.Package) bool {
	if !strings.HasSuffix(file, ".egg-info") {
		return false
	}
	switch path.Base(path.Dir(file)) {
	case "site-packages", "dist-packages":
		return false
	}
	switch strings.ToLower(p.Name) {
	case "python", "wsgiref", "argparse":
		return true
	}
	return false
}

func (m *maker) pythonFaults() {
	for _, facts := range [][]layers.Fact{m.res.Facts(pythonName), m.res.HistoryFacts(pythonName)} {
		for _, f := range facts {
			bad, ok := f.Value.(faulty)
			if !ok {
				continue
			}
			m.skip(pythonName, f, bad.err)
			if f.Removed < 0 && !isPythonMinor(f.Path) {
				m.found["pypi"], m.partial["components:pypi"] = true, true
			}
		}
	}
}

func pythonComponent(p *python.Package) assay.Component {
	c := assay.Component{
		Type: assay.TypeLibrary, Name: p.Name, Version: p.Version, Licenses: p.Licenses, Description: p.Summary, Supplier: p.Supplier, Creator: p.Author,
		FoundBy: pythonName, PURL: purl("pypi", "", python.NormalName(p.Name), p.Version, nil),
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("pypi:" + p.Name + "@" + p.Version)
	}
	refer(&c, assay.RefWebsite, p.HomePage, "")
	refer(&c, assay.RefDistribution, p.Download, "")
	for _, l := range p.Links {
		labeled(&c, l.Label, l.URL)
	}
	return c
}

func pythonArchive(file string, a pyArchive) assay.Component {
	c := pythonComponent(a.Package)
	c.Hashes = assay.DigestSet{a.sum}
	c.Properties = withProperty(c.Properties, "assay:pypi:archive", path.Ext(file)[1:])
	return c
}

// from notes where a package came from that no index has by its name, so that its
// package URL does not claim that one does.
func from(c *assay.Component, d *python.DirectURL) {
	c.Hashes = d.Hashes
	c.Properties = withProperty(c.Properties, "assay:pypi:direct-url", d.URL)
	if d.Editable {
		c.Properties = withProperty(c.Properties, "assay:pypi:editable", "true")
	}
	qualifier := "download_url"
	switch {
	case d.VCS:
		qualifier = "vcs_url"
	case !strings.HasPrefix(d.URL, "https:") && !strings.HasPrefix(d.URL, "http:"):
		return // a folder of the machine that built it
	}
	if u := link(d.URL); d.VCS {
		refer(c, assay.RefVCS, d.URL, "")
	} else if u != "" {
		addReferences(c, assay.Reference{Type: assay.RefDistribution, URL: u, Hashes: d.Hashes})
	}
	parts := c.PURL.Parts()
	if p := purl("pypi", "", parts.Name, parts.Version, map[string]string{qualifier: d.URL}); !p.IsZero() {
		c.PURL = p
	}
}

func (w *pyWorld) add(p *pyPackage) {
	w.all = append(w.all, p)
	names := w.folders[p.folder]
	if names == nil {
		names = map[string]*pyPackage{}
		w.folders[p.folder] = names
	}
	// Of two Python takes the first it comes across; the order here is that of paths.
	if n := python.NormalName(p.Name); names[n] == nil {
		names[n] = p
	}
}

// edges relates packages to what they require. Extras count where another installed
// package asks for them.
func (w *pyWorld) edges() error {
	type ask struct {
		p     *pyPackage
		extra string
	}
	seen := map[ask]bool{}
	var todo []ask
	for _, p := range w.all {
		todo = append(todo, ask{p, ""})
	}
	for len(todo) > 0 {
		a := todo[len(todo)-1]
		if todo = todo[:len(todo)-1]; seen[a] {
			continue
		}
		seen[a] = true
		if a.p.Partial {
			w.m.partial["dependencies:pypi"] = true
		}
		env := w.env(a.p.folder)
		for i := range a.p.Requires {
			r := &a.p.Requires[i]
			if err := w.m.alive(); err != nil {
				return err
			}
			switch r.Marker.Holds(env.vars, a.extra) {
			case python.Unknown:
				w.m.partial["dependencies:pypi"] = true
				continue
			case python.False:
				continue
			}
			to := w.find(env, a.p.folder, r.Name)
			if to == nil {
				w.m.partial["dependencies:pypi"] = true
				continue
			}
			if err := w.m.relate(a.p.node, assay.DependsOn, to.node); err != nil {
				return err
			}
			for _, e := range r.Extras {
				todo = append(todo, ask{to, e})
			}
		}
	}
	nodes := make([]*node, len(w.all))
	for i, p := range w.all {
		nodes[i] = p.node
	}
	reach(nodes)
	return nil
}

// pyEnv is what is known of the interpreter that a folder is for.
type pyEnv struct {
	vars python.Environment
	// others are the folders that it searches besides.
	others []pyGroup
}

// env tells what is known of the interpreter from where the folder is, what lies in
// its bin folder, and the platform of the image.
func (w *pyWorld) env(folder string) pyEnv {
	if e, ok := w.envs[folder]; ok {
		return e
	}
	tree := w.m.res.Tree
	e := pyEnv{vars: python.Environment{}}
	if w.m.res.Platform.OS == "linux" {
		e.vars["os_name"], e.vars["sys_platform"], e.vars["platform_system"] = "posix", "linux", "Linux"
		switch w.m.res.Platform.Architecture {
		case "amd64":
			e.vars["platform_machine"] = "x86_64"
		case "arm64":
			e.vars["platform_machine"] = "aarch64"
		case "s390x", "ppc64le", "riscv64":
			e.vars["platform_machine"] = w.m.res.Platform.Architecture
		}
	}
	prefix, version, kind := pythonFolder(folder)
	if version == "" && kind == "dist-packages" {
		// Debian's folder is for all its versions; python3 is a link to the one.
		if f := tree.Get("usr/bin/python3"); f != nil && f.Type == layers.Symlink {
			version, _ = strings.CutPrefix(path.Base(f.Link), "python")
			if !strings.HasPrefix(version, "3.") {
				version = ""
			}
		}
	}
	if version != "" {
		e.vars["python_version"] = version
		for _, bin := range []string{path.Join(prefix, "bin"), "usr/bin"} {
			if tree.Get(path.Join(bin, "python"+version)) == nil {
				continue
			}
			if tree.Get(path.Join(bin, "graalpy")) == nil && tree.Get(path.Join(bin, "pypy3")) == nil {
				e.vars["implementation_name"], e.vars["platform_python_implementation"] = "cpython", "CPython"
			}
			break
		}
	}
	// A virtual environment searches its own folders only, other folders those of the
	// system too.
	switch {
	case kind != "" && tree.Get(path.Join(prefix, "pyvenv.cfg")) != nil:
		e.others = []pyGroup{{prefix: prefix, kind: kind}}
	case kind == "" || version == "":
		e.others = []pyGroup{{kind: kind, any: true}}
	default:
		e.others = []pyGroup{{kind: kind, version: version}, {kind: kind}}
	}
	w.envs[folder] = e
	return e
}

// pyGroup is folders that are searched together: those of one prefix, or of the system.
type pyGroup struct {
	prefix, kind, version string
	any                   bool // of any version; without a kind, of any kind too
}

// groups makes an index of each group, once: an image can be made to have very many
// folders.
func (w *pyWorld) groups() map[pyGroup]map[string]*pyPackage {
	folders := slices.Collect(maps.Keys(w.folders))
	slices.SortFunc(folders, w.before)
	out := map[pyGroup]map[string]*pyPackage{}
	for _, folder := range folders {
		prefix, version, kind := pythonFolder(folder)
		if kind == "" {
			continue
		}
		of := []pyGroup{{prefix: prefix, kind: kind}}
		if prefix == "usr" || prefix == "usr/local" {
			of = append(of, pyGroup{kind: kind, version: version}, pyGroup{kind: kind, any: true}, pyGroup{any: true})
		}
		for _, g := range of {
			if out[g] == nil {
				out[g] = map[string]*pyPackage{}
			}
			for name, p := range w.folders[folder] {
				if out[g][name] == nil {
					out[g][name] = p
				}
			}
		}
	}
	return out
}

// before orders folders: what was installed by hand goes before what the distribution
// has.
func (w *pyWorld) before(a, b string) int {
	x, _, _ := pythonFolder(a)
	y, _, _ := pythonFolder(b)
	return cmp.Or(cmp.Compare(y, x), cmp.Compare(a, b))
}

// pythonFolder takes "PREFIX/lib/pythonVERSION/site-packages" apart. All is "" for
// another folder; the version is "" for "python3".
func pythonFolder(folder string) (prefix, version, kind string) {
	up, kind := path.Split(folder)
	if kind != "site-packages" && kind != "dist-packages" {
		return "", "", ""
	}
	up, dir := path.Split(strings.TrimSuffix(up, "/"))
	version, ok := strings.CutPrefix(dir, "python")
	lib := path.Base(up)
	if !ok || lib != "lib" && lib != "lib64" {
		return "", "", ""
	}
	if !strings.Contains(version, ".") {
		version = ""
	}
	return path.Dir(strings.TrimSuffix(up, "/")), version, kind
}

func (w *pyWorld) find(env pyEnv, folder, name string) *pyPackage {
	if p := w.folders[folder][name]; p != nil {
		return p
	}
	if w.index == nil {
		w.index = w.groups()
	}
	var first *pyPackage
	for _, g := range env.others {
		if p := w.index[g][name]; p != nil && (first == nil || w.before(p.folder, first.folder) < 0) {
			first = p
		}
	}
	return first
}
