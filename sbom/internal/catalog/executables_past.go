package catalog

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// past notes the packages and programs of executables that are gone, and what was linked
// into them. Where a distribution's packages are there, the files in its folders were
// theirs, and their history is in its database.
func (x *unowned) past() {
	m := x.m
	if len(m.res.HistoryFacts(exeName)) == 0 {
		return
	}
	managed := m.found["deb"] || m.found["apk"] || m.found["rpm"] || m.found["alpm"]
	account := func(file string) bool {
		top, _, _ := strings.Cut(file, "/")
		return m.distributed(file) || managed && !strings.HasPrefix(file, "usr/local/") &&
			(top == "usr" || top == "bin" || top == "sbin" || strings.HasPrefix(top, "lib"))
	}
	isGo := map[string]bool{} // what they are made of, their build information says
	for _, facts := range [][]layers.Fact{m.res.Facts(goName), m.res.HistoryFacts(goName)} {
		for _, f := range facts {
			isGo[f.Path] = true
		}
	}
	files := lineages(m.res, exeName, x.tells)
	files = slices.DeleteFunc(files, func(l lineage[*program]) bool { return isGo[l.path] || account(l.path) })
	known := sound(intact(m, exeName, "generic", files), (*program).damage)
	history(m, known, x.told)
	x.pastHomes(account)
}

// tells are the components that an executable tells by itself: the package that it is
// of, else the programs that it is, and the libraries in it.
func (x *unowned) tells(p *program) map[string]int {
	if p.Note == nil && len(p.Tools) == 0 {
		return nil
	}
	keys := map[string]int{}
	noted := p.Note != nil && p.Note.Name != ""
	if noted {
		keys[p.Note.Type+"\x00"+p.Note.Name+"\x00"+p.Note.Version] = -1
	}
	for i, t := range p.Tools {
		if pattern := &x.patterns[t.Pattern]; pattern.Library || !noted && len(p.Crates) == 0 {
			keys[pattern.Name+"\x00"+t.Version] = i
		}
	}
	return keys
}

// told makes one of them.
func (x *unowned) told(p *program, i int) assay.Component {
	if i < 0 {
		return notePackage(p.Note)
	}
	return toolComponent(&x.patterns[p.Tools[i].Pattern], p.Tools[i].Version)
}

// pastHomes notes the runtimes that said themselves what they were, if their program was
// there.
func (x *unowned) pastHomes(account func(string) bool) {
	m := x.m
	files := lineages(m.res, exeName, func(h home) map[string]int { return map[string]int{h.Name + "\x00" + h.Version: 0} })
	files = slices.DeleteFunc(files, func(l lineage[home]) bool {
		return l.current && len(l.versions) == 1 || account(l.path)
	})
	if len(files) == 0 {
		return
	}
	gone := map[string]bool{}
	for _, r := range m.res.History {
		gone[r.File.Path] = true
	}
	var known []lineage[home]
	for _, l := range files {
		last, dir := l.versions[len(l.versions)-1], path.Dir(l.path)
		there := func(inside string) bool {
			file := path.Join(dir, inside)
			return gone[file] || m.res.Tree.Get(file) != nil
		}
		if !slices.ContainsFunc(last.value.evidence(), there) {
			continue
		}
		if f := m.res.Tree.Get(l.path); !l.current && f != nil && f.Type == layers.Regular {
			m.partial["components:generic"], m.found["generic"] = true, true
			m.skip(exeName, layers.Fact{Path: l.path, Layer: f.ContentLayer, Removed: -1}, &assay.Error{Op: "read version of a runtime", Kind: assay.ErrInvalid,
				Value: "no version", Err: errors.New("in a lower layer it had that of " + last.value.Name)})
			continue
		}
		known = append(known, l)
	}
	history(m, known, func(h home, _ int) assay.Component { return x.home(h) })
}
