package layers

import (
	"iter"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// Result is all that one pass found out. It is complete or there is none.
type Result struct {
	// Manifest is the digest of the image's manifest, recomputed; zero for a folder.
	Manifest assay.Digest
	// MediaType is that of the manifest; "" for a folder.
	MediaType string
	// ConfigDigest is the digest of the image configuration, recomputed; zero for
	// a folder.
	ConfigDigest assay.Digest
	// Config is the image configuration; nil for a folder.
	Config *v1.ConfigFile
	// Annotations are those of the manifest.
	Annotations map[string]string
	// Platform is what the configuration says; zero for a folder.
	Platform assay.Platform
	// Layers are in order, base first. A folder has one.
	Layers []Layer
	// Tree is what a container would see.
	Tree *Tree
	// History is every file that is in a layer and not in the tree, ordered by
	// path, then by the layer that introduced it.
	History []Removed
	// Skipped is what a visitor wanted and did not get, ordered by layer and path.
	Skipped []Skipped
	// Ambiguous is where runtimes differ in what they make of the layers, ordered
	// by layer and path.
	Ambiguous []Ambiguity

	facts map[string][]Fact
	gone  map[string][]Fact
}

// Layer is one layer, all of it recomputed from its bytes but for the media type
// and what the history says. Of a folder only Entries is known.
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
	// configuration; nothing proves them. They are "" if it has no history.
	CreatedBy, Comment, Author string
	// Cached tells a layer that was not read, because a cache had what bytes of that
	// diffID gave. Digest and Size are those that the manifest states then.
	Cached bool
	// TOC is the digest of the table of contents that the layer was read by; zero if it
	// was read whole. Then the manifest vouches for the table, and the table for the
	// files and the contents of those that were wanted. Digest, DiffID and Size are
	// those that manifest and configuration state, and were compared with nothing;
	// Inflated and Trailing are not known. A table that lies about its blob goes
	// unnoticed: a runtime that unpacks the blob sees other files then.
	TOC assay.Digest
	// Fetched is how many bytes of the blob were asked for, if TOC is set.
	Fetched int64
	// NoTOC says why a layer was read whole that has a table of contents, where
	// Options.TrustTOC would allow to go by it.
	NoTOC string
}

// Fact is one fact of one visitor about one file.
type Fact struct {
	// Path is the name under which the file was wanted.
	Path string
	// File is the file with that content. Its path differs from Path if Path is a
	// symbolic link.
	File *File
	// Layer is the index of the layer with the content.
	Layer int
	// Removed is the index of the layer that shadowed or deleted the file; -1 for
	// a file that is there.
	Removed int
	// Value is what Visit returned.
	Value any
}

// Removed is a file that a layer ships and a container does not see.
type Removed struct {
	// File is the file as it was. Its Layer introduced it.
	File *File
	// By is the index of the layer that removed it; equal to File.Layer if the
	// name occurs twice in that layer.
	By int
	// Deleted tells a whiteout from a replacement by another file.
	Deleted bool
}

// Skipped is a file that a visitor wanted the content of, and could do without.
type Skipped struct {
	Visitor string
	Path    string
	Layer   int
	Size    int64
	// Reason is in words and names the bound.
	Reason string
}

// Ambiguity is an entry that runtimes treat differently.
type Ambiguity struct {
	Layer  int
	Path   string
	Reason string
}

// Facts gives the facts of one visitor about the files that are there, ordered by
// path.
func (r *Result) Facts(visitor string) []Fact { return r.facts[visitor] }

// HistoryFacts gives the facts of one visitor about files that upper layers
// shadowed or deleted, ordered by path, then by layer.
func (r *Result) HistoryFacts(visitor string) []Fact { return r.gone[visitor] }

// Facts gives those facts of one visitor that have values of type T, ordered by
// path.
func Facts[T any](r *Result, visitor string) iter.Seq2[Fact, T] {
	return func(yield func(Fact, T) bool) {
		for _, f := range r.facts[visitor] {
			if v, ok := f.Value.(T); ok && !yield(f, v) {
				return
			}
		}
	}
}

// RetainedPaths are the files whose content every pass keeps, for [Result.Content].
// They are what it takes to resolve users and to name the distribution.
func RetainedPaths() []string { return slices.Clone(retainedPaths[:]) }

var retainedPaths = [...]string{
	"etc/group", "etc/os-release", "etc/passwd", "etc/shadow", "etc/shells", "usr/lib/os-release",
}

// Content gives the content of a retained file, following symbolic links. The error
// is of kind [assay.ErrAbsent] if the image has no such file, [assay.ErrBound] if it
// is larger than [Bounds.Retained], [assay.ErrInvalid] if path is not one of
// [RetainedPaths]. The bytes must not be changed.
func (r *Result) Content(path string) ([]byte, error) { return r.retained(path) }
