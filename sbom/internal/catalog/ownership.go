package catalog

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// ownership is which package installed which file.
type ownership struct {
	tree   *layers.Tree
	owners []*node // by place in the tree
	// folders of file lists, by their names there; the last of them.
	folders    map[string]*layers.Folder
	lastDir    string
	lastFolder *layers.Folder // nil if there is none

	pulse
	skipped []Skipped // of lists
}

// pulse asks now and then whether to go on.
type pulse struct {
	stopped func() error // why to stop, nil to go on
	steps   int
}

// alive reports the end of the context.
func (p *pulse) alive() error {
	if p.steps++; p.steps%1024 != 0 {
		return nil
	}
	if err := p.stopped(); err != nil {
		return &assay.Error{Op: "take inventory", Kind: assay.ErrUnchecked, Err: err}
	}
	return nil
}

func newOwnership(tree *layers.Tree, stopped func() error) *ownership {
	return &ownership{tree: tree, owners: make([]*node, tree.Len()), folders: map[string]*layers.Folder{}, pulse: pulse{stopped: stopped}}
}

// maxFolders is how many names of folders are remembered; further ones are looked up
// whenever they occur. Real images have fewer.
const maxFolders = 1 << 18

// own notes the owner of a file that a list names. Lists have the paths of the
// package; if a folder in them is a link in the image, the file is where that
// leads. Folders have no owner, because packages share them.
func (o *ownership) own(file string, n *node) {
	dir, base := "", file
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		dir, base = file[:i], file[i+1:]
	}
	// Lists name what is in one folder one after the other.
	if o.lastFolder == nil || o.lastDir != dir {
		folder := o.folders[dir]
		if folder == nil {
			found, _ := o.tree.Folder("/" + dir) // an empty one if it leads nowhere
			folder = &found
			// A hostile list can name any number of folders that are not there.
			if len(o.folders) < maxFolders {
				o.folders[dir] = folder
			}
		}
		o.lastDir, o.lastFolder = dir, folder
	}
	if f := o.lastFolder.Get(base); f != nil && f.Type != layers.Dir {
		o.owners[o.tree.Place(f)] = n
	}
}

// of gives what installed a file, nil if nothing did or it is not in the tree.
func (o *ownership) of(f *layers.File) *node {
	if at := o.tree.Place(f); at >= 0 {
		return o.owners[at]
	}
	return nil
}

// done keeps what is asked for when the inventory is made.
func (o *ownership) done() { *o = ownership{tree: o.tree, owners: o.owners} }

// installing has the files of packages noted on the side: the lists of a distribution
// are long, and much of an inventory can do without. Who needs it calls
// [maker.installs].
func (m *maker) installing(note func(*ownership) error) {
	o := m.installs()
	done := make(chan error, 1)
	m.noting = done
	go func() { done <- note(o) }()
}

// installs gives what was noted, all of it.
func (m *maker) installs() *ownership {
	if m.noting != nil {
		if err := <-m.noting; err != nil {
			m.failed = err
		}
		m.noting = nil
		m.skipped = append(m.skipped, m.ownership.skipped...)
		m.ownership.skipped = nil
	}
	return m.ownership
}

// own is [ownership.own].
func (m *maker) own(file string, n *node) { m.installs().own(file, n) }

// owner gives what installed the file of that very path, or nil.
func (m *maker) owner(path string) *node { return m.installs().of(m.res.Tree.Get(path)) }
