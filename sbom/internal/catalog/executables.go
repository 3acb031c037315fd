package catalog

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/elfnote"
	"github.com/assaykit/assay/sbom/internal/catalog/executable"
	"github.com/assaykit/assay/sbom/internal/catalog/rust"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
	"github.com/assaykit/assay/sbom/internal/catalog/tool"
)

const exeName = "executable"

// program is the fact about an executable.
type program struct {
	Kind        executable.Kind
	Sum         assay.Digest
	Interpreter string // of a script
	Crates      []rust.Crate
	CrateErr    error
	Note        *elfnote.Package
	NoteErr     error
	Damage      error // the file was cut: nothing else is read of it
	Tools       []tool.Found
}

func (p *program) size() int {
	n := 256 + len(p.Interpreter) + 64*len(p.Tools)
	for i := range p.Crates {
		n += 128 + len(p.Crates[i].Name) + len(p.Crates[i].Version) + 8*len(p.Crates[i].Depends)
	}
	return n
}

// exeVisitor reads each executable once for all that is looked for in it. Whatever
// its name and mode, what can be copied and run is an executable; but a script that
// nobody may execute is a text.
type exeVisitor struct {
	budget *budget
	tools  *tool.Scanner
}

func (exeVisitor) Name() string { return exeName }

func (exeVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular || f.Size < 4 {
		return layers.WantNothing
	}
	if isHome(f.Path) && f.Size <= 64<<10 {
		return layers.WantContent | layers.WantOptional | layers.WantAnyName
	}
	return layers.WantPeek | layers.WantAnyName
}

func (exeVisitor) Peek(f *layers.File, head []byte) layers.Want {
	switch executable.KindOf(head) {
	case "":
		return layers.WantNothing
	case executable.Script:
		if !f.Executable() {
			return layers.WantNothing
		}
	}
	return layers.WantContent | layers.WantHash | layers.WantOptional
}

func (v exeVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	if isHome(f.Path) && c.SHA256.IsZero() {
		if h := parseHome(f.Base(), c.Bytes); h != (home{}) {
			return h, v.budget.take(f, 256)
		}
		return nil, nil
	}
	p := inspect(c.Bytes, c.SHA256, sparse.Whole(c.Bytes), func(e *executable.File) []tool.Found { return v.tools.Scan(e.Strings()) })
	return p, v.budget.take(f, p.size())
}

// inspect looks for all that is looked for in an executable.
func inspect(head []byte, sum assay.Digest, content *sparse.Content, tools func(*executable.File) []tool.Found) *program {
	p := &program{Kind: executable.KindOf(head), Sum: sum}
	if p.Kind == executable.Script {
		p.Interpreter = executable.Interpreter(head[:min(len(head), layers.PeekSize)])
		return p
	}
	f, err := executable.OpenAt(content)
	if err != nil {
		// What its kind promises, it does not keep; it is listed as a file.
		if p.Kind == executable.ELF {
			p.Damage = err
		}
		return p
	}
	if p.Damage = f.Damage(); p.Damage != nil {
		return p
	}
	if p.Crates, p.CrateErr = rust.Parse(f); p.Crates == nil {
		p.Note, p.NoteErr = elfnote.Parse(f)
	}
	// The texts of Go programs are those of all their modules, which are known.
	if !f.IsGo() {
		p.Tools = tools(f)
	}
	return p
}

// executables makes components of what no distribution's package owns: packages by
// the notes in files, programs by their texts, and files that nothing explains.
func (m *maker) executables() error {
	x := &unowned{m: m, patterns: tool.Patterns(), described: map[string]*node{}, located: map[string]*node{}, replaced: m.replaced()}
	x.above.at = x.claimant
	m.partial["dependencies:generic"] = true // nothing states them
	var spoilt *spoiling
	for _, f := range m.res.Facts(exeName) {
		p, ok := f.Value.(*program)
		if !ok || m.installs().of(f.File).distributes() {
			continue
		}
		for _, err := range []error{p.NoteErr, p.Damage} {
			if err == nil {
				continue
			}
			if spoilt == nil {
				spoilt = m.spoiling()
			}
			spoilt.tell(exeName, f, err)
			m.partial["components:generic"], m.found["generic"] = true, true
		}
		x.files = append(x.files, exeFile{f.File.Path, f, p})
	}
	for _, n := range m.nodes {
		m.claimScripts(n)
		for _, l := range n.c.Locations {
			at, _, _ := strings.Cut(l.Path, "!/")
			if old := x.located[at]; old == nil || old.c.Type != assay.TypeApplication && n.c.Type == assay.TypeApplication {
				x.located[at] = n
			}
			m.claimPackage(n, l.Path)
		}
	}
	if err := x.homes(); err != nil {
		return err
	}
	x.notes()
	if err := x.tools(); err != nil {
		return err
	}
	x.unclaimed()
	if err := x.libraries(); err != nil {
		return err
	}
	x.past()
	return nil
}

// distributed reports whether a package of a distribution installed the file.
func (m *maker) distributed(file string) bool { return m.owner(file).distributes() }

// distributes reports whether it is a package of a distribution.
func (n *node) distributes() bool {
	if n == nil {
		return false
	}
	switch n.c.FoundBy {
	case dpkgName, apkName, rpmName, pacmanName, opkgName:
		return true
	}
	return false
}

// claimScripts claims what a package manager runs when it installs or removes the
// package: no file list has it.
func (m *maker) claimScripts(n *node) {
	var dirs []string
	switch n.c.FoundBy {
	case dpkgName:
		dirs = []string{dpkgInfo + n.c.Name, dpkgInfo + n.c.Name + ":" + n.c.PURL.Qualifier("arch")}
	case opkgName:
		dirs = []string{"usr/lib/opkg/info/" + n.c.Name, "var/lib/opkg/info/" + n.c.Name}
	}
	for _, d := range dirs {
		for _, script := range [...]string{".preinst", ".postinst", ".prerm", ".postrm", ".config"} {
			m.claim(d+script, n)
		}
	}
}

// claimPackage claims the folder of a package that lists no files, by where what
// describes it is.
func (m *maker) claimPackage(n *node, file string) {
	dir, base := path.Split(file)
	dir = strings.TrimSuffix(dir, "/")
	switch n.c.FoundBy {
	case npmName:
		if base == "package.json" {
			m.claimFolder(dir, n)
		}
	case gemName: // specifications/NAME-VERSION.gemspec, gems/NAME-VERSION/
		name, ok := strings.CutSuffix(base, ".gemspec")
		top, found := strings.CutSuffix(strings.TrimSuffix(dir, "/default"), "specifications")
		if ok && found {
			m.claimFolder(path.Join(top, "gems", name), n)
		}
	case composerName: // vendor/composer/installed.json, vendor/NAME/
		if top, ok := strings.CutSuffix(dir, "/composer"); ok && n.c.Type == assay.TypeLibrary {
			m.claimFolder(path.Join(top, n.c.Name), n)
		}
	}
}

// claim notes that a component explains a file, where no file list of a
// distribution does.
func (m *maker) claim(file string, n *node) {
	if m.claims == nil {
		m.claims = map[string]*node{}
	}
	if m.claims[file] == nil {
		m.claims[file] = n
	}
}

// claimFolder notes that a component explains all files below a folder.
func (m *maker) claimFolder(dir string, n *node) {
	if m.folderClaims == nil {
		m.folderClaims = map[string]*node{}
	}
	if dir != "." && dir != "" && m.folderClaims[dir] == nil {
		m.folderClaims[dir] = n
	}
}

// exeFile is an executable that no distribution's package owns.
type exeFile struct {
	path string
	fact layers.Fact
	*program
}

// unowned is the making of components of executables that no package owns.
type unowned struct {
	m         *maker
	patterns  []tool.Pattern
	files     []exeFile
	described map[string]*node // by path: what the making itself found out
	located   map[string]*node // by path: what was found there before
	replaced  map[string]*node // by path: the package whose file was there
	above     upward[*node]    // what claims a folder, of so many claims
	claims    int
}

// describes gives the component that a file by its path is of: what the making itself
// found out, else what has it in a list of files, a language's too, else what was found
// there, else what claims it.
func (x *unowned) describes(file string) *node {
	if n := x.described[file]; n != nil {
		return n
	}
	if n := x.m.owner(file); n != nil {
		return n
	}
	if n := x.located[file]; n != nil {
		return n
	}
	return x.m.claims[file]
}

// explains gives the component that explains a file: by its path, or by a folder
// above it.
func (x *unowned) explains(file string) *node {
	if n := x.describes(file); n != nil {
		return n
	}
	if n := len(x.m.folderClaims); n != x.claims {
		x.claims = n // claims are only ever added
		x.above.forget()
	}
	return x.above.find(above(file))
}

// claimant is what explains all in a folder.
func (x *unowned) claimant(dir string) (n *node, ok, last bool) {
	n = x.m.folderClaims[dir]
	// Below these are packages, which the interpreter above does not explain.
	site := strings.HasSuffix(dir, "site-packages") || strings.HasSuffix(dir, "dist-packages")
	return n, n != nil, site && (len(dir) == len("site-packages") || dir[len(dir)-len("/site-packages")] == '/')
}

// notes makes packages of what files say they were built for.
func (x *unowned) notes() {
	for _, f := range x.files {
		if f.Note == nil || f.Note.Name == "" || x.explains(f.path) != nil {
			continue
		}
		c := notePackage(f.Note)
		c.Locations = []assay.Location{x.m.location(f.path, f.fact.Layer)}
		n := x.m.add(c)
		n.top = true
		x.described[f.path] = n
		x.m.found["generic"] = true
	}
}

func notePackage(p *elfnote.Package) assay.Component {
	c := assay.Component{Type: assay.TypeLibrary, Name: p.Name, Version: p.Version, FoundBy: "elf-note"}
	q := map[string]string{"arch": p.Architecture}
	if p.OS != "" && p.OSVersion != "" {
		q["distro"] = p.OS + "-" + p.OSVersion
	}
	switch p.Type {
	case "rpm":
		v := p.Version
		if epoch, rest, ok := strings.Cut(v, ":"); ok {
			q["epoch"], v = epoch, rest
		}
		c.PURL = purl(p.Type, rpmVendor(p.OS), p.Name, v, q)
	case "deb", "apk", "alpm":
		c.PURL = purl(p.Type, p.OS, p.Name, p.Version, q)
	default:
		c.PURL = purl("generic", "", p.Name, p.Version, nil)
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID("elf-note:" + p.Name + "@" + p.Version)
	}
	c.Source = assay.SourcePackage{Name: p.Name, Version: p.Version}
	c.Properties = withProperty(c.Properties, "assay:elf:os-cpe", p.OSCPE)
	c.Properties = withProperty(c.Properties, "assay:elf:debuginfo", p.DebugInfoURL)
	return c
}

// tools makes programs of the texts in files.
func (x *unowned) tools() error {
	byTool := map[tool.Found][]exeFile{}
	for _, f := range x.files {
		for _, t := range f.Tools {
			if !x.patterns[t.Pattern].Library {
				byTool[t] = append(byTool[t], f)
			}
		}
	}
	for _, t := range sortedTools(byTool) {
		pattern, files := &x.patterns[t.Pattern], byTool[t]
		var one *node
		for _, f := range files {
			if old := x.explains(f.path); old != nil && old != one && !strings.HasPrefix(old.c.PURL.String(), "pkg:generic/"+pattern.Name+"@") {
				continue // a package installed it, or its list of crates says better
			}
			c := toolComponent(pattern, t.Version)
			c.Locations = []assay.Location{x.m.location(f.path, f.fact.Layer)}
			if same(files) {
				c.Hashes = assay.DigestSet{f.Sum}
			}
			one = x.m.add(c)
			one.top = true
			x.described[f.path] = one
			x.m.found["generic"] = true
			for _, folder := range pattern.Folders {
				minor := t.Version
				if parts := strings.SplitN(minor, ".", 3); len(parts) == 3 {
					minor = parts[0] + "." + parts[1]
				}
				x.m.claimFolder(path.Join(path.Dir(path.Dir(f.path)), strings.ReplaceAll(folder, "{minor}", minor)), one)
			}
		}
		if one == nil || same(files) {
			continue
		}
		// Several files make the program; each has its own digest.
		for _, f := range files {
			if x.describes(f.path) != one {
				continue
			}
			if err := x.m.relate(one, assay.Contains, x.m.add(fileComponent(x.m, f, false))); err != nil {
				return err
			}
		}
	}
	return nil
}

func same(files []exeFile) bool {
	return !slices.ContainsFunc(files, func(f exeFile) bool { return f.Sum != files[0].Sum })
}

func sortedTools[V any](m map[tool.Found]V) []tool.Found {
	out := make([]tool.Found, 0, len(m))
	for t := range m {
		out = append(out, t)
	}
	slices.SortFunc(out, tool.Found.Compare)
	return out
}

func toolComponent(p *tool.Pattern, version string) assay.Component {
	c := assay.Component{Type: assay.TypeApplication, Name: p.Name, Version: version, FoundBy: exeName,
		PURL: purl("generic", "", p.Name, version, nil)}
	if p.Library {
		c.Type = assay.TypeLibrary
	}
	if cpe := p.CPE(version); cpe != "" {
		c.CPEs = []string{cpe}
	}
	return c
}

// unclaimed lists the files that nothing explains.
func (x *unowned) unclaimed() {
	for _, f := range x.files {
		if x.explains(f.path) != nil {
			continue
		}
		c := fileComponent(x.m, f, true)
		if old := x.replaced[f.path]; old != nil {
			c.Properties = withProperty(c.Properties, "assay:replaces", old.c.PURL.String())
		}
		n := x.m.add(c)
		n.top = true
		x.described[f.path] = n
	}
}

func fileComponent(m *maker, f exeFile, unclaimed bool) assay.Component {
	c := assay.Component{ID: assay.ComponentID("file:" + f.path), Type: assay.TypeFile, Name: f.path, FoundBy: exeName,
		Hashes: assay.DigestSet{f.Sum}, Locations: []assay.Location{m.location(f.path, f.fact.Layer)}}
	c.Properties = withProperty(c.Properties, "assay:executable", string(f.Kind))
	c.Properties = withProperty(c.Properties, "assay:interpreter", f.Interpreter)
	if unclaimed {
		c.Properties = withProperty(c.Properties, "assay:unclaimed", "true")
	}
	return c
}

// libraries makes components of what is linked into the files, contained in what
// explains them.
func (x *unowned) libraries() error {
	for _, f := range x.files {
		for _, t := range f.Tools {
			pattern := &x.patterns[t.Pattern]
			if !pattern.Library {
				continue
			}
			c := toolComponent(pattern, t.Version)
			c.Locations = []assay.Location{x.m.location(f.path, f.fact.Layer)}
			n := x.m.add(c)
			x.m.found["generic"] = true
			by := x.explains(f.path)
			if by == nil {
				n.top = true
				continue
			}
			if err := x.m.relate(by, assay.Contains, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// home is what the file at the top of a runtime's folder says.
type home struct{ Name, Version, Vendor string }

// isHome reports whether files of that name tell what is installed in their folder:
// "release" of a JDK or JRE (JEP 220), "VERSION" of Go.
func isHome(p string) bool {
	base := p[strings.LastIndexByte(p, '/')+1:]
	return base == "release" || base == "VERSION"
}

func parseHome(base string, text []byte) home {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if base == "VERSION" {
		if v, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("go")); ok && isVersion(string(v)) {
			return home{Name: "go", Version: string(v)}
		}
		return home{}
	}
	h := home{Name: "openjdk"}
	for line := range bytes.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		v = strings.Trim(v, `"`)
		switch {
		case len(v) > 128:
		case k == "JAVA_VERSION" && isVersion(v):
			h.Version = v
		case k == "IMPLEMENTOR":
			h.Vendor = v
		}
	}
	if h.Version == "" {
		return home{}
	}
	return h
}

func isVersion(v string) bool {
	return v != "" && len(v) < 64 && v[0] >= '0' && v[0] <= '9' && strings.Trim(v, "0123456789._-+abcdefghijklmnopqrstuvwxyz") == ""
}

// evidence are the files that are there if the runtime is, from its folder.
func (h home) evidence() []string {
	if h.Name == "go" {
		return []string{"bin/go", "pkg/tool"}
	}
	return []string{"bin/java", "lib/server/libjvm.so", "lib/modules", "lib/rt.jar", "jre/lib/rt.jar"}
}

func (x *unowned) home(h home) assay.Component {
	p := tool.Pattern{Name: "go", Vendor: "golang", Product: "go"}
	if i := slices.IndexFunc(x.patterns, func(p tool.Pattern) bool { return p.Name == h.Name }); i >= 0 {
		p = x.patterns[i]
	}
	c := toolComponent(&p, h.Version)
	c.Supplier = h.Vendor
	return c
}

// homes makes components of runtimes that say themselves what they are, if their
// program is there.
func (x *unowned) homes() error {
	for f, h := range layers.Facts[home](x.m.res, exeName) {
		at := f.File.Path
		if x.m.distributed(at) {
			continue
		}
		dir := path.Dir(at)
		var evidence string
		for _, inside := range h.evidence() {
			if there := x.m.res.Tree.Get(path.Join(dir, inside)); there != nil {
				evidence = there.Path
				break
			}
		}
		if evidence == "" || x.m.distributed(evidence) {
			continue
		}
		c := x.home(h)
		c.Locations = []assay.Location{x.m.location(at, f.Layer)}
		n := x.m.add(c)
		n.top = true
		x.m.found["generic"] = true
		x.m.claimFolder(dir, n)
	}
	return nil
}
