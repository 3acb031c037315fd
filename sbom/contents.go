package sbom

import (
	"iter"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

// Contents is what one pass over the layers of an image, or over a folder, found:
// the SBOM, and the facts on files that others judge, such as package
// attest/posture, without reading the image again. It is complete or there is none.
//
// Everything in it was computed from bytes whose digests were checked on the way, or,
// of a layer that is [Layer.Cached], in an earlier scan. With [Options.TrustTOC] it
// can rest on tables of contents, see [Layer.TOC].
// It is safe for concurrent use; what it gives must not be changed.
type Contents struct {
	// SBOM is the inventory. It was normalized.
	SBOM *assay.SBOM
	// Manifest is the digest of the image's manifest; zero for a folder.
	Manifest assay.Digest
	// ConfigDigest is the digest of the image configuration; zero for a folder.
	ConfigDigest assay.Digest
	// Config is the image configuration; the zero value for a folder.
	Config v1.ConfigFile
	// Annotations are those of the manifest.
	Annotations map[string]string
	// Platform is what the configuration says; zero for a folder.
	Platform assay.Platform
	// Layers are in order, base first. A folder has one, of which only the number
	// of entries is known.
	Layers []Layer
	// Skipped is what could not be read or understood and was left out of the
	// SBOM, ordered by layer and path. Where that leaves out components of the
	// merged tree, an [assay.Completeness] of the SBOM says "incomplete"; a lock
	// file or os-release that was skipped costs hashes or names only.
	Skipped []Skipped
	// Ambiguous is where container runtimes differ in what they make of the
	// layers, ordered by layer and path.
	Ambiguous []Ambiguity
	// History is every component that a layer brought and an upper layer removed
	// or replaced, so that it is in the image's bytes and not in the SBOM. It is
	// ordered by component, then by layer.
	History []Past

	res *layers.Result
	inv *catalog.Inventory
}

// Layer is one layer of an image. The digests, sizes and counts were computed from
// its bytes, unless it is Cached or TOC is set.
type Layer struct {
	// Digest is that of the blob as stored, DiffID that of the uncompressed tar.
	Digest, DiffID assay.Digest
	MediaType      string
	// Size and Inflated are the lengths in bytes of the blob and of the tar.
	Size, Inflated int64
	// Entries is the number of entries, whiteouts included.
	Entries int
	// Trailing is the number of bytes after the end of the tar archive, from the
	// first that is not zero. No runtime unpacks them.
	Trailing int64
	// CreatedBy, Comment and Author are from the history of the image
	// configuration. Nothing proves them.
	CreatedBy, Comment, Author string
	// Cached tells a layer whose blob was not read, because Options.Cache had what an
	// earlier scan made of bytes with that diffID. DiffID, Inflated, Entries and
	// Trailing are of those bytes; Digest and Size are stated by the manifest, and were
	// not compared with any blob.
	Cached bool
	// TOC is the digest of the table of contents that the layer was read by; zero if it
	// was read whole. Digest, DiffID and Size are stated by manifest and configuration
	// then, and were compared with nothing; Inflated and Trailing are not known. See
	// [Options.TrustTOC] for what that proves.
	TOC assay.Digest
	// Fetched is how many bytes of the blob were fetched, if TOC is set.
	Fetched int64
	// NoTOC says in words why a layer with a table of contents was read whole, where
	// Options.TrustTOC would have let it be read by that. Such a layer is verified.
	NoTOC string
}

// Skipped is a file that was of interest and was left out.
type Skipped struct {
	// Visitor is who wanted it: "dpkg", "apk", "go", "npm", "os-release".
	Visitor string
	Path    string
	// Layer is the index of the layer that brought it, base first.
	Layer int
	// Size is the file's, in bytes, where it was left out for its size.
	Size int64
	// Reason is in words, and names the bound or the error.
	Reason string
	// History tells a file that an upper layer removed or replaced.
	History bool
}

// Ambiguity is an entry of a layer that runtimes treat differently.
type Ambiguity struct {
	Layer  int
	Path   string
	Reason string
}

// Past is a component of a lower layer that is not in the image any more.
type Past struct {
	// Component is as it would stand in the SBOM of the layers up to the one that
	// removed it.
	Component assay.Component
	// Layer introduced it and By removed or replaced it, by index, base first.
	Layer, By int
	// Replaced is the component of the SBOM that stands in its place: another
	// version of the same package. Empty if there is none.
	Replaced assay.ComponentID
}

// Removed is a file that a layer ships and a container does not see.
type Removed struct {
	// File is the file as it was; its Layer brought it.
	File File
	// By is the index of the layer that removed or replaced it.
	By int
	// Deleted tells a deletion from a replacement by another file.
	Deleted bool
}

// Files gives every file of the merged tree, ordered by path part by part, so that
// a folder is followed by all that it holds; the root folder (".") is first.
func (c *Contents) Files() iter.Seq[File] {
	return func(yield func(File) bool) {
		for f := range c.res.Tree.All() {
			if !yield(c.file(f)) {
				return
			}
		}
	}
}

// Len is the number of files of the merged tree, folders included.
func (c *Contents) Len() int { return c.res.Tree.Len() }

// Get gives the file of that very name, links not followed.
func (c *Contents) Get(path string) (File, bool) {
	f := c.res.Tree.Get(clean(path))
	if f == nil {
		return File{}, false
	}
	return c.file(f), true
}

// Lookup gives the file that a path leads to in a container: symbolic links are
// followed in all its parts, and a path without a leading slash starts at the
// root. The error is of kind [assay.ErrAbsent] if it leads nowhere, and
// [assay.ErrInvalid] if it leads through too many links.
func (c *Contents) Lookup(path string) (File, error) {
	f, err := c.res.Tree.Lookup(path)
	if err != nil {
		return File{}, err
	}
	return c.file(f), nil
}

// SmallFiles are the paths that [Contents.ReadSmall] can read.
func SmallFiles() []string { return layers.RetainedPaths() }

// ReadSmall gives the content of one of the files that every scan keeps, see
// [SmallFiles]: those it takes to resolve users and to name the distribution.
// Symbolic links are followed. The error is of kind [assay.ErrAbsent] if the image
// has no such file, [assay.ErrBound] if it is larger than [Bounds.Retained],
// [assay.ErrInvalid] if path is not one of [SmallFiles]. The bytes must not be
// changed.
func (c *Contents) ReadSmall(path string) ([]byte, error) { return c.res.Content(clean(path)) }

// Removed gives every file that a layer ships and a container does not see, ordered
// by path, then by the layer that brought it.
func (c *Contents) Removed() iter.Seq[Removed] {
	return func(yield func(Removed) bool) {
		for _, r := range c.res.History {
			if !yield(Removed{File: c.file(r.File), By: r.By, Deleted: r.Deleted}) {
				return
			}
		}
	}
}

// Owner gives the component of the SBOM that installed the file of that path, by
// the file lists of the distribution's package manager. Symbolic links to folders
// are resolved in the lists (a package that lists bin/ls owns usr/bin/ls if bin
// is a link), so the path must be one of [Contents.Files]. Folders have no owner.
func (c *Contents) Owner(path string) (assay.ComponentID, bool) {
	return c.inv.Owner(c.res.Tree.Get(clean(path)))
}
