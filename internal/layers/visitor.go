package layers

import (
	"bytes"
	"context"

	"github.com/assaykit/assay"
)

// Want is what a visitor wants of one file: a set of flags. Zero is nothing.
type Want uint8

const (
	// WantVisit calls Visit without content, for instance for a folder.
	WantVisit Want = 1 << iota
	// WantPeek shows the first [PeekSize] bytes of a regular file to
	// [Peeker.Peek], which decides what else is wanted.
	WantPeek
	// WantContent calls Visit with the whole content in memory. A file larger
	// than [Bounds.File] is an error, see [WantOptional].
	WantContent
	// WantHash calls Visit with the SHA-256 digest of the content, computed
	// while streaming; it is kept in [File.SHA256] too.
	WantHash
	// WantHash512 calls Visit with the SHA-512 digest of the content, computed while
	// streaming. It costs more than reading does, and is not kept.
	WantHash512
	// WantOptional makes a file that is too large an entry of [Result.Skipped]
	// where it would be an error.
	WantOptional
	// WantAnyName promises that the fact depends on the content alone. Then a file
	// with several hard links is visited once and its fact counts for all names
	// that were wanted. Without it a name that is a hard link is visited again
	// under that name, at the price of reading the layer again.
	WantAnyName

	// WantNothing is the zero Want.
	WantNothing Want = 0
)

const needsContent = WantPeek | WantContent | WantHash | WantHash512

// PeekSize is how many bytes of a file [Peeker.Peek] sees; shorter files are shown
// whole.
const PeekSize = 512

// Visitor turns files into facts. Its methods are called from several goroutines
// at once, one for each layer being read, so what they share must be guarded or,
// better, not exist: keep it in the facts.
type Visitor interface {
	// Name tells visitors apart in a [Result]; it is unique in one pass.
	Name() string
	// Match says what is wanted of an entry, from its header alone. It is called
	// for all entries of all layers, so it must be quick, and it may be called
	// several times for one file. The name is cleaned and has no leading slash.
	//
	// For a symbolic link, wanting content means wanting what it points to in the
	// merged tree; it is visited under the name of the link unless this visitor has
	// a fact about it already. Visitors that match by mode or extension should
	// want nothing of symbolic links.
	Match(f *File) Want
	// Visit is called with what was wanted. The fact it returns is kept if it is
	// not nil; an error ends the pass. It must not keep f or c.Bytes.
	Visit(ctx context.Context, f *File, c Content) (fact any, err error)
}

// Peeker is a [Visitor] that returns [WantPeek]: it decides on seeing the first
// bytes, so that only files of the right kind are buffered.
type Peeker interface {
	Visitor
	// Peek returns what is wanted besides; WantPeek in it is ignored. It must not
	// keep head.
	Peek(f *File, head []byte) Want
}

// Content is what Visit gets of a file's content. It is valid during the call only.
type Content struct {
	// Bytes is the whole content, if [WantContent] was wanted.
	Bytes []byte
	// SHA256 is the digest of the content, if [WantHash] was wanted.
	SHA256 assay.Digest
	// SHA512 is the digest of the content, if [WantHash512] was wanted.
	SHA512 assay.Digest
}

// Reader gives random access to the content, as readers of executables and of zip
// files need it.
func (c Content) Reader() *bytes.Reader { return bytes.NewReader(c.Bytes) }
