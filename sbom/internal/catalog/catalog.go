// Package catalog finds the software in the files of an image: it has the visitors
// for the one pass over the layers, and makes an inventory of the facts that they
// kept.
//
// Start with [New], give [Catalog.Visitors] to the pass, then call
// [Catalog.Inventory]. The parsers of each ecosystem are in the packages below.
//
// # What is a component
//
// Only the merged tree counts. A component is a package URL; if it is found at
// several paths it is one component with several locations. Two finds of one
// package URL whose digests contradict each other are two components, because at
// least one of them is not what it says.
//
// The layer of a location is the one that brought the component, not the one that
// last wrote the file it is listed in: each layer that installs a package rewrites
// the database, so the versions of the database in all layers are compared.
package catalog

import (
	"iter"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/osrelease"
	"github.com/assaykit/assay/sbom/internal/catalog/tool"
)

// Names of the visitors, which are what components are found by.
const (
	dpkgName = "dpkg"
	apkName  = "apk"
	goName   = "go"
	npmName  = "npm"
)

// ecosystem is one kind of packages: what looks at files, and what makes components
// of the facts that it kept.
type ecosystem struct {
	// name is the visitor's, and what components are found by.
	name string
	// scope is the ecosystem in statements of completeness: a package URL type.
	scope string
	// visitor is nil where another ecosystem's visitor keeps the facts.
	visitor func(*budget) layers.Visitor
	take    func(*maker) error
	// owned tells the components whose files another package may have installed.
	owned func(*assay.Component) bool
	// minor tells files that can be skipped without leaving a component out.
	minor func(path string) bool
}

// ecosystems are taken in this order: distributions first, because what they
// installed owns what the others find.
func ecosystems() []ecosystem {
	none := func(*assay.Component) bool { return false }
	return []ecosystem{
		{dpkgName, "deb", func(b *budget) layers.Visitor { return dpkgVisitor{b} }, (*maker).dpkg, none, isDpkgMinor},
		{apkName, "apk", func(b *budget) layers.Visitor { return apkVisitor{b} }, (*maker).apk, none, nil},
		{rpmName, "rpm", newRPM, (*maker).rpm, none, nil},
		{pacmanName, "alpm", func(b *budget) layers.Visitor { return pacmanVisitor{b} }, (*maker).pacman, none, isPacmanFiles},
		{opkgName, "opkg", func(b *budget) layers.Visitor { return opkgVisitor{b} }, (*maker).opkg, none, isOpkgList},
		{goName, "golang", func(b *budget) layers.Visitor { return goVisitor{b} }, (*maker).golang, isApplication, nil},
		{npmName, "npm", func(b *budget) layers.Visitor { return npmVisitor{b} }, (*maker).npm, nil, isLock},
		{pythonName, "pypi", func(b *budget) layers.Visitor { return pythonVisitor{b} }, (*maker).python, nil, isPythonMinor},
		{gemName, "gem", func(b *budget) layers.Visitor { return gemVisitor{b} }, (*maker).gems, nil, nil},
		{composerName, "composer", func(b *budget) layers.Visitor { return composerVisitor{b} }, (*maker).composer, nil, nil},
		{javaName, "maven", newJava, (*maker).java, nil, nil},
		{dotnetName, "nuget", func(b *budget) layers.Visitor { return dotnetVisitor{b} }, (*maker).dotnet, nil, nil},
		{rustName, "cargo", nil, (*maker).rust, isApplication, nil},
		// The last: what all others found explains executables.
		{exeName, "generic", func(b *budget) layers.Visitor { return exeVisitor{b, tool.New()} }, (*maker).executables, none, nil},
	}
}

func isApplication(c *assay.Component) bool { return c.Type == assay.TypeApplication }

// Catalog is what the visitors of one pass share.
type Catalog struct {
	budget *budget
	// LockFiles makes components of what lock files of npm, pnpm and Yarn resolved and
	// is not installed.
	LockFiles bool
	// External are the caller's catalogers.
	External []External
}

// New gives a catalog whose facts take up to about memory bytes. Zero means 256 MiB.
func New(memory int64) *Catalog {
	if memory <= 0 {
		memory = 256 << 20
	}
	b := &budget{limit: memory}
	b.left.Store(memory)
	return &Catalog{budget: b}
}

// Visitors are for one pass.
func (c *Catalog) Visitors() []layers.Visitor {
	var out []layers.Visitor
	for _, e := range c.ecosystems() {
		if e.visitor != nil {
			out = append(out, e.visitor(c.budget))
		}
	}
	return out
}

// budget bounds what facts keep until the pass ends. All layers add up, so whether
// it is exceeded does not depend on which is read first.
type budget struct {
	limit int64
	left  atomic.Int64

	mu    sync.Mutex
	taken map[int]int64 // by layer
}

func (b *budget) take(f *layers.File, n int) error {
	b.mu.Lock()
	if b.taken == nil {
		b.taken = map[int]int64{}
	}
	b.taken[f.Layer] += int64(n)
	b.mu.Unlock()
	if b.left.Add(-int64(n)) >= 0 {
		return nil
	}
	return &assay.Error{Op: "keep package databases", Kind: assay.ErrBound, Subject: f.Path,
		Value: "more than " + strconv.FormatInt(b.limit, 10) + " bytes in all layers",
		Bound: "at most Memory " + strconv.FormatInt(b.limit, 10)}
}

// Inventory is the software of one image.
type Inventory struct {
	// Components have unique IDs, and are ordered by them.
	Components []assay.Component
	// Top are the components that no other one brings, in order.
	Top []assay.ComponentID
	// Relations are ordered, and none is there twice.
	Relations []assay.Relation
	// Completeness has a statement for each ecosystem that was found.
	Completeness []assay.Completeness
	// Skipped and Past are in no order.
	Skipped []Skipped
	Past    []Past
	// Release is the distribution, zero if unknown.
	Release osrelease.Release

	ownership *ownership
}

// Owner gives the component that installed a file of the tree, if one did.
func (inv *Inventory) Owner(f *layers.File) (assay.ComponentID, bool) {
	if n := inv.ownership.of(f); n != nil {
		return n.c.ID, true
	}
	return "", false
}

// Owners are all files that somebody installed, in the order of the tree.
func (inv *Inventory) Owners() iter.Seq2[*layers.File, assay.ComponentID] {
	return func(yield func(*layers.File, assay.ComponentID) bool) {
		for f := range inv.ownership.tree.All() {
			if id, ok := inv.Owner(f); ok && !yield(f, id) {
				return
			}
		}
	}
}

// Skipped is a file that could not be read or understood.
type Skipped struct {
	Visitor, Path string
	Layer         int
	Size          int64
	Reason        string
	History       bool
	// Err is why, nil if it is of no kind.
	Err error
}

// Past is a component of a lower layer that is gone.
type Past struct {
	Component assay.Component
	Layer, By int
	Replaced  assay.ComponentID
}

// faulty is the fact about a file of interest that could not be understood. It is
// a fact and no error because whether it matters is known when the layers are
// merged.
type faulty struct{ err error }

// maxRelations bounds the edges of one inventory. Real images have some ten
// thousands; without it n packages that all provide and want one name have n².
const maxRelations = 2_000_000
