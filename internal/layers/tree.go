package layers

import "iter"

// Tree is a merged file system. It is safe for concurrent use.
type Tree struct {
	files []*File // ordered by path
	root  *node
}

// Len is the number of files, folders included.
func (t *Tree) Len() int { return len(t.files) }

// All gives the files ordered by path, the root folder (".") first.
func (t *Tree) All() iter.Seq[*File] { panic("follows") }

// Under gives what lies below a folder, at any depth, ordered by path. Links are not
// followed; "." is everything.
func (t *Tree) Under(folder string) iter.Seq[*File] { panic("follows") }

// Get gives the file of that very name, links not followed, or nil.
func (t *Tree) Get(path string) *File { panic("follows") }

// Lookup gives the file that the name leads to, following symbolic links in all
// parts as a process with this root would. A path without a leading slash starts
// at the root. The error is of kind [assay.ErrAbsent] if it leads nowhere,
// [assay.ErrInvalid] if it leads through more than 255 links.
func (t *Tree) Lookup(path string) (*File, error) { panic("follows") }

type node struct{}
