package layers

import (
	"iter"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// maxLinks is how many symbolic links one name may lead through, the number that
// container runtimes allow.
const maxLinks = 255

// Tree is a merged file system. It is safe for concurrent use.
//
// Its order is that of the paths compared part by part, so a folder is followed by
// all that it holds.
type Tree struct {
	files []*File
	root  *node
}

// newTree is told about how many files there are.
func newTree(root *node, about int) *Tree {
	t := &Tree{root: root, files: make([]*File, 0, about)}
	t.collect(root)
	return t
}

func (t *Tree) collect(n *node) {
	t.files = append(t.files, n.file)
	n.file.place = int32(len(t.files))
	for _, k := range n.tidy() {
		t.collect(k)
	}
}

// Len is the number of files, folders and the root included.
func (t *Tree) Len() int { return len(t.files) }

// Place is the index of a file in the order of All, -1 of one that is not in the tree.
func (t *Tree) Place(f *File) int {
	if f == nil || f.place == 0 || int(f.place) > len(t.files) || t.files[f.place-1] != f {
		return -1
	}
	return int(f.place) - 1
}

// All gives the files in order, the root folder (".") first.
func (t *Tree) All() iter.Seq[*File] { return slices.Values(t.files) }

// Under gives what lies below a folder, at any depth, in order. Links are not
// followed; "." is everything but the root itself.
func (t *Tree) Under(folder string) iter.Seq[*File] {
	f := t.Get(folder)
	if f == nil || f.Type != Dir {
		return func(func(*File) bool) {}
	}
	i, ok := slices.BinarySearchFunc(t.files, f.Path, func(f *File, p string) int { return comparePaths(f.Path, p) })
	if !ok {
		return func(func(*File) bool) {}
	}
	rest := t.files[i+1:]
	return func(yield func(*File) bool) {
		for _, g := range rest {
			if f.Path != "." && !strings.HasPrefix(g.Path, f.Path+"/") || !yield(g) {
				return
			}
		}
	}
}

// comparePaths compares part by part; the root comes first.
func comparePaths(a, b string) int {
	if a == b {
		return 0
	}
	if a == "." {
		return -1
	}
	if b == "." {
		return 1
	}
	n := min(len(a), len(b))
	for i := range n {
		x, y := a[i], b[i]
		switch {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// Get gives the file of that very name, links not followed, or nil. A leading slash
// is allowed.
func (t *Tree) Get(path string) *File {
	n := t.root
	for more := true; more; {
		var part string
		part, path, more = strings.Cut(path, "/")
		if part == "" || part == "." {
			continue
		}
		if n = n.kid(part); n == nil {
			return nil
		}
	}
	return n.file
}

// Lookup gives the file that the name leads to, following symbolic links in all
// parts as a process with this root would; ".." at the root stays there. A path
// without a leading slash starts at the root. The error is of kind
// [assay.ErrAbsent] if the name leads nowhere, [assay.ErrInvalid] if it leads
// through more than 255 links or through something that is not a folder.
func (t *Tree) Lookup(path string) (*File, error) {
	n, err := t.lookup(path)
	if err != nil {
		return nil, err
	}
	return n.file, nil
}

func (t *Tree) lookup(path string) (*node, error) {
	if n := t.direct(path); n != nil {
		return n, nil
	}
	fail := func(kind error, field, bound string) error {
		return &assay.Error{Op: "look up file", Kind: kind, Subject: path, Field: field, Bound: bound}
	}
	stack := []*node{t.root}
	todo := pushParts(nil, path)
	for links := 0; len(todo) > 0; {
		part := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at := stack[len(stack)-1]
		if at.file.Type != Dir {
			return nil, fail(assay.ErrInvalid, at.file.Path, "a folder")
		}
		if part == ".." {
			stack = stack[:max(1, len(stack)-1)]
			continue
		}
		next := at.kid(part)
		switch {
		case next == nil:
			return nil, fail(assay.ErrAbsent, join(at.file.Path, part), "")
		case next.file.Type == Symlink:
			if links++; links > maxLinks {
				return nil, fail(assay.ErrInvalid, next.file.Path, "no loop of symbolic links")
			}
			if strings.HasPrefix(next.file.Link, "/") {
				stack = stack[:1]
			}
			todo = pushParts(todo, next.file.Link)
		default:
			stack = append(stack, next)
		}
	}
	return stack[len(stack)-1], nil
}

// direct is lookup of a path without links and without ".."; nil where there are some,
// or nothing.
func (t *Tree) direct(path string) *node {
	n := t.root
	for more := true; more; {
		var part string
		part, path, more = strings.Cut(path, "/")
		if part == "" || part == "." {
			continue
		}
		if n = n.kid(part); n == nil || n.file.Type == Symlink {
			return nil
		}
	}
	return n
}

// Folder is a folder of a [Tree], for who looks for many files in one. The zero value
// is an empty one. It is not safe for concurrent use.
type Folder struct {
	n    *node
	next int // where the next name in order is
}

// Folder gives the folder that a path leads to, as [Tree.Lookup] does; ok tells whether
// it does.
func (t *Tree) Folder(path string) (folder Folder, ok bool) {
	n, err := t.lookup(path)
	if err != nil || n.file.Type != Dir {
		return Folder{}, false
	}
	return Folder{n: n}, true
}

// Get gives the file of that very name in the folder, a link not followed, or nil. A
// name is one part of a path. It is quickest for names in order.
func (f *Folder) Get(name string) *File {
	if f.n == nil || f.n.in == nil {
		return nil
	}
	kids := f.n.in.kids // sorted, as in all of a Tree
	low, high := 0, len(kids)
	// Not far from the last one: the distance is doubled until it is too far.
	for at, step := f.next, 1; at < high; at, step = at+step, 2*step {
		switch c := strings.Compare(kids[at].name, name); {
		case c == 0:
			f.next = at + 1
			return kids[at].file
		case c < 0:
			low = at + 1
		default:
			high = at
		}
	}
	i, ok := slices.BinarySearchFunc(kids[low:high], name, func(k *node, name string) int { return strings.Compare(k.name, name) })
	if !ok {
		return nil
	}
	f.next = low + i + 1
	return kids[low+i].file
}

// In gives the folder of that very name in the folder, an empty one for a link or
// anything else.
func (f Folder) In(name string) Folder {
	if f.n != nil {
		if k := f.n.kid(name); k != nil && k.file.Type == Dir {
			return Folder{n: k}
		}
	}
	return Folder{}
}

// pushParts puts the parts of a path on a stack of parts to walk, the first on top.
func pushParts(todo []string, path string) []string {
	start := len(todo)
	for part := range strings.SplitSeq(path, "/") {
		if part != "" && part != "." {
			todo = append(todo, part)
		}
	}
	slices.Reverse(todo[start:])
	return todo
}

func join(folder, name string) string {
	if folder == "." {
		return name
	}
	return folder + "/" + name
}
