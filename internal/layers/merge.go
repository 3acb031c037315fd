package layers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// op is what an entry of a layer does to the tree.
type op uint8

const (
	opAdd    op = iota
	opHide      // a whiteout: file.Path is the name that is hidden
	opOpaque    // an opaque whiteout: file.Path is the folder whose lower contents are hidden
)

type entry struct {
	op   op
	file *File
}

// merger applies layers to a tree, lowest first.
type merger struct {
	bounds    Bounds
	root      *node
	layer     int
	subject   string // names the layer in errors
	history   []Removed
	ambiguous []Ambiguity
	// names of each content with several of them: attributes are shared.
	links map[*File][]*File
	added int // entries
	// near is the folder that was last written to, nearPath its path, without links.
	// It holds until something is removed.
	near     *node
	nearPath string
	// fresh are nodes that were made many at once and are not used yet.
	fresh []node
}

func newMerger(b Bounds) *merger {
	return &merger{
		bounds: b,
		root:   &node{file: impliedDir(".", -1)},
		links:  make(map[*File][]*File),
	}
}

func impliedDir(path string, layer int) *File {
	return &File{Path: path, Type: Dir, Implied: true, Mode: 0o755, Layer: layer, ContentLayer: layer}
}

// apply puts one layer on top of what is there.
func (m *merger) apply(layer int, subject string, entries []entry) error {
	m.layer, m.subject = layer, subject
	for _, e := range entries {
		var err error
		switch e.op {
		case opAdd:
			err = m.add(e.file)
		case opHide:
			err = m.hide(e.file.Path)
		case opOpaque:
			err = m.opaque(e.file.Path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) invalid(path, value, bound string) error {
	return &assay.Error{Op: "merge layer", Kind: assay.ErrInvalid, Subject: m.subject, Field: path, Value: value, Bound: bound}
}

// node makes one that is not in the tree yet.
func (m *merger) node(name string, f *File) *node {
	const atOnce = 128
	if len(m.fresh) == 0 {
		m.fresh = make([]node, atOnce)
	}
	n := &m.fresh[0]
	m.fresh = m.fresh[1:]
	n.name, n.file = name, f
	return n
}

// add makes f a file of the tree, in place of what has its name.
func (m *merger) add(f *File) error {
	m.added++
	if f.Path == "." {
		if f.Type != Dir || f.HardLink != "" {
			return m.invalid(f.Path, f.Type.String(), "a folder as the root")
		}
		m.root.file.gone = int32(m.layer) + 1
		m.root.file = f
		return nil
	}
	wrote := f.Path
	parent, linked, err := m.folder(f.Parent(), wrote, true)
	if err != nil {
		return err
	}
	base := f.Base()
	if linked {
		f.wrote, f.Path = wrote, join(parent.file.Path, base)
		m.note(wrote, "is written through a folder that is a symbolic link, to "+f.Path)
		if err := checkPath(f.Path, m.bounds, m.subject); err != nil {
			return err
		}
	}
	old := parent.kid(base)
	if f.HardLink != "" {
		if err := m.link(f, old); err != nil {
			return err
		}
	}
	switch {
	case old == nil:
		parent.put(m.node(base, f))
	case old.file.Type == Dir && f.Type == Dir:
		old.file.gone = int32(m.layer) + 1
		old.file = f // what it holds stays
	default:
		m.drop(old, false)
		old.become(f)
	}
	return nil
}

// link makes f another name of what it names as its target. The target must be
// there already: no runtime can link to what is not.
func (m *merger) link(f *File, old *node) error {
	var target *node
	dir, _, err := m.folder((&File{Path: f.HardLink}).Parent(), f.Path, false)
	if err != nil {
		return err
	}
	if dir != nil {
		target = dir.kid((&File{Path: f.HardLink}).Base())
	}
	switch {
	case target == nil:
		return m.invalid(f.Path, f.HardLink, "a hard link to a file that exists")
	case target.file.Type == Dir:
		return m.invalid(f.Path, f.HardLink, "a hard link to something else than a folder")
	case target == old:
		return m.invalid(f.Path, f.HardLink, "a hard link to another name")
	}
	t := target.file
	f.HardLink = t.Path
	f.Type, f.Size, f.Link = t.Type, t.Size, t.Link
	f.same, f.ContentLayer = t, t.ContentLayer
	content := f.content()
	names := m.links[content]
	if names == nil {
		names = []*File{content}
	}
	if content != t && !slices.Contains(names, t) {
		names = append(names, t)
	}
	names = append(names, f)
	m.links[content] = names
	// Runtimes differ in whether the header of a link changes the permissions of
	// the file. To miss a permission would be worse than to report one too many.
	mode, caps := f.Mode|t.Mode, cmp.Or(f.Capabilities, t.Capabilities)
	for _, n := range names {
		n.Mode, n.UID, n.GID, n.Capabilities = mode, f.UID, f.GID, caps
	}
	return nil
}

// folder walks to a folder, following symbolic links inside the root. With create
// it makes what is missing; without, it gives nil. It reports whether links were
// followed.
func (m *merger) folder(path, wanted string, create bool) (at *node, linked bool, err error) {
	at = m.root
	if path == "." {
		return at, false, nil
	}
	// The quick way, without links, is nearly always right, and nearly always not far
	// from where the last one led.
	rest := path
	if m.near != nil && strings.HasPrefix(path, m.nearPath) {
		if len(path) == len(m.nearPath) {
			return m.near, false, nil
		}
		if path[len(m.nearPath)] == '/' {
			at, rest = m.near, path[len(m.nearPath)+1:]
		}
	}
	for {
		part, more, isMore := strings.Cut(rest, "/")
		k := at.kid(part)
		if k == nil || k.file.Type != Dir {
			break
		}
		at = k
		if !isMore {
			m.near, m.nearPath = at, path
			return at, false, nil
		}
		rest = more
	}
	stack := []*node{m.root}
	todo := pushParts(nil, path)
	for links := 0; len(todo) > 0; {
		part := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if part == ".." {
			stack = stack[:max(1, len(stack)-1)]
			continue
		}
		at := stack[len(stack)-1]
		next := at.kid(part)
		switch {
		case next == nil && !create:
			return nil, linked, nil
		case next == nil:
			implied := impliedDir(join(at.file.Path, part), m.layer)
			if err := checkPath(implied.Path, m.bounds, m.subject); err != nil {
				return nil, linked, err
			}
			stack = append(stack, at.put(m.node(part, implied)))
		case next.file.Type == Symlink:
			if links++; links > maxLinks {
				return nil, linked, m.invalid(wanted, next.file.Path, "no loop of symbolic links")
			}
			linked = true
			if strings.HasPrefix(next.file.Link, "/") {
				stack = stack[:1]
			}
			todo = pushParts(todo, next.file.Link)
		case next.file.Type != Dir && !create:
			return nil, linked, nil
		case next.file.Type != Dir:
			if next.file.Layer == m.layer {
				return nil, linked, m.invalid(wanted, next.file.Path, "a folder")
			}
			m.note(wanted, "lies in "+next.file.Path+", which a lower layer has as something else than a folder")
			m.drop(next, false)
			next.become(impliedDir(next.file.Path, m.layer))
			stack = append(stack, next)
		default:
			stack = append(stack, next)
		}
	}
	return stack[len(stack)-1], linked, nil
}

// hide removes what lower layers have under a name.
func (m *merger) hide(path string) error {
	f := File{Path: path}
	dir, linked, err := m.folder(f.Parent(), path, false)
	if err != nil || dir == nil {
		return err
	}
	if linked {
		m.note(path, "is deleted through a folder that is a symbolic link, from "+dir.file.Path)
	}
	if old := dir.kid(f.Base()); old != nil && !m.hideLower(old) {
		dir.remove(old)
	}
	return nil
}

// opaque removes what lower layers have in a folder.
func (m *merger) opaque(path string) error {
	dir, linked, err := m.folder(path, path, false)
	if err != nil || dir == nil {
		return err
	}
	if linked {
		m.note(path, "is emptied through a symbolic link, which leads to "+dir.file.Path)
	}
	m.hideIn(dir)
	return nil
}

// hideIn removes what is in a folder as far as it is of lower layers.
func (m *merger) hideIn(dir *node) {
	for _, k := range dir.living() {
		if !m.hideLower(k) {
			dir.remove(k)
		}
	}
}

// hideLower removes n as far as it is of lower layers, and reports whether anything
// of this layer remains.
func (m *merger) hideLower(n *node) bool {
	m.hideIn(n)
	if n.file.Layer >= m.layer {
		return true
	}
	m.remove(n.file, true)
	if len(n.living()) == 0 {
		return false
	}
	// This layer wrote into the folder that it hides: a new folder, which nothing
	// describes, has that name.
	n.file = impliedDir(n.file.Path, m.layer)
	return true
}

// drop records that n and what it holds are replaced.
func (m *merger) drop(n *node, deleted bool) {
	m.remove(n.file, deleted)
	for _, k := range n.living() {
		m.drop(k, deleted)
	}
}

func (m *merger) remove(f *File, deleted bool) {
	m.near = nil
	f.gone = int32(m.layer) + 1
	if !f.Implied {
		m.history = append(m.history, Removed{File: f, By: m.layer, Deleted: deleted})
	}
}

func (m *merger) note(path, reason string) {
	if len(m.ambiguous) < m.bounds.Ambiguities {
		m.ambiguous = append(m.ambiguous, Ambiguity{Layer: m.layer, Path: path, Reason: reason})
	} else if len(m.ambiguous) == m.bounds.Ambiguities {
		m.ambiguous = append(m.ambiguous, Ambiguity{Layer: m.layer, Path: path,
			Reason: "is one of more than " + strconv.Itoa(m.bounds.Ambiguities) + "; no more are listed"})
	}
}

// finish gives what was merged.
func (m *merger) finish() (*Tree, []Removed, []Ambiguity) {
	slices.SortFunc(m.history, func(a, b Removed) int {
		return cmp.Or(comparePaths(a.File.Path, b.File.Path), cmp.Compare(a.File.Layer, b.File.Layer), cmp.Compare(a.File.pos, b.File.pos))
	})
	slices.SortStableFunc(m.ambiguous, func(a, b Ambiguity) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), comparePaths(a.Path, b.Path))
	})
	return newTree(m.root, m.added+1), m.history, m.ambiguous
}
