package toc

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Limits bound a table. All of them are needed.
type Limits struct {
	Bytes   int64 // of the JSON document
	Entries int   // files, folders, links and so on
	Content int64 // of all files together
	Window  int64 // of a zstd decoder
}

// document is a table as it is written. The members that nobody needs are named, so
// that their names in another case are seen.
type document struct {
	Version        int                       `json:"version"`
	Entries        builder                   `json:"entries"`
	TarSplitDigest string                    `json:"tarSplitDigest"`
	Rest           map[string]jsontext.Value `json:",embed"`
}

type entry struct {
	Type        string                    `json:"type"`
	Name        string                    `json:"name"`
	LinkName    string                    `json:"linkName"`
	Mode        int64                     `json:"mode"`
	Size        int64                     `json:"size"`
	UID         int64                     `json:"uid"`
	GID         int64                     `json:"gid"`
	Xattrs      map[string][]byte         `json:"xattrs"`
	Digest      string                    `json:"digest"`
	Offset      int64                     `json:"offset"`
	EndOffset   int64                     `json:"endOffset"`
	InnerOffset int64                     `json:"innerOffset"`
	ChunkOffset int64                     `json:"chunkOffset"`
	ChunkSize   int64                     `json:"chunkSize"`
	ChunkDigest string                    `json:"chunkDigest"`
	ChunkType   string                    `json:"chunkType"`
	DevMajor    int64                     `json:"devMajor"`
	DevMinor    int64                     `json:"devMinor"`
	UserName    jsontext.Value            `json:"userName"`
	GroupName   jsontext.Value            `json:"groupName"`
	ModTime     jsontext.Value            `json:"modtime"`
	AccessTime  jsontext.Value            `json:"accesstime"`
	ChangeTime  jsontext.Value            `json:"changetime"`
	Rest        map[string]jsontext.Value `json:",embed"`
}

var (
	documentNames = []string{"version", "entries", "tarSplitDigest"}
	entryNames    = []string{"type", "name", "linkName", "mode", "size", "uid", "gid", "xattrs", "digest", "offset", "endOffset",
		"innerOffset", "chunkOffset", "chunkSize", "chunkDigest", "chunkType", "devMajor", "devMinor", "userName", "groupName",
		"modtime", "accesstime", "changetime"}
)

// builder makes a table of entries one by one, so that a document of very many costs
// no more memory than the bound allows.
type builder struct {
	subject string
	limits  Limits
	t       *Table
	content int64
	covered int64 // of the content of the last file, by its chunks
	stored  Chunk // the last that is not of zeros
}

// Parse reads a table of a blob whose contents end at end. An error is of kind
// [assay.ErrInvalid] or [assay.ErrBound], or an [Unusable].
func Parse(subject string, data []byte, end int64, l Limits) (*Table, error) {
	doc := document{Entries: builder{subject: subject, limits: l, t: &Table{End: end}}}
	b := &doc.Entries
	err := strictjson.Unmarshal(subject+" table of contents", data, &doc, strictjson.Limits{MaxBytes: l.Bytes, MaxDepth: 8})
	if inner, ok := errors.AsType[*ruleError](err); ok {
		return nil, inner.err // strictjson calls all invalid
	}
	if err != nil {
		return nil, err
	}
	if name, ok := otherCase(doc.Rest, documentNames); ok {
		return nil, invalid(subject, "/"+name, name, "a member in the case of its meaning", nil)
	}
	if doc.Version != 1 {
		return nil, invalid(subject, "/version", strconv.Itoa(doc.Version), "1", nil)
	}
	if err := b.complete(); err != nil {
		return nil, err
	}
	if err := b.extents(); err != nil {
		return nil, err
	}
	return b.t, nil
}

// ruleError carries an error through the decoder.
type ruleError struct{ err error }

func (e *ruleError) Error() string { return e.err.Error() }
func (e *ruleError) Unwrap() error { return e.err }

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (b *builder) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() != '[' {
		return &ruleError{invalid(b.subject, "/entries", tok.String(), "an array", nil)}
	}
	for i := 0; dec.PeekKind() != ']'; i++ {
		var e entry
		if err := json.UnmarshalDecode(dec, &e); err != nil {
			return err
		}
		if err := b.add(&e, "/entries/"+strconv.Itoa(i)); err != nil {
			return &ruleError{err}
		}
	}
	_, err = dec.ReadToken()
	return err
}

// otherCase finds a name that differs from a known one in case only. The readers of
// these formats do not mind the case, so it would be another document for them.
func otherCase(rest map[string]jsontext.Value, known []string) (string, bool) {
	for name := range rest {
		if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			return name, true
		}
	}
	return "", false
}

var typeFlags = map[string]byte{
	"reg": tar.TypeReg, "dir": tar.TypeDir, "symlink": tar.TypeSymlink, "hardlink": tar.TypeLink,
	"char": tar.TypeChar, "block": tar.TypeBlock, "fifo": tar.TypeFifo,
}

var sizeNames = [...]string{"size", "offset", "endOffset", "innerOffset", "chunkOffset", "chunkSize", "uid", "gid"}

func (b *builder) add(e *entry, at string) error {
	bad := func(member, value, bound string) error {
		return invalid(b.subject, at+"/"+member, value, bound, nil)
	}
	if name, ok := otherCase(e.Rest, entryNames); ok {
		return bad(name, name, "a member in the case of its meaning")
	}
	for i, n := range [...]int64{e.Size, e.Offset, e.EndOffset, e.InnerOffset, e.ChunkOffset, e.ChunkSize, e.UID, e.GID} {
		if n < 0 || n > 1<<50 {
			return bad(sizeNames[i], strconv.FormatInt(n, 10), "0 to 2^50")
		}
	}
	// What the tar archive has and JSON cannot say was replaced by this.
	if strings.Contains(e.Name, "\uFFFD") || strings.Contains(e.LinkName, "\uFFFD") {
		return Unusable{"has a name that is not UTF-8"}
	}
	if e.Type == "chunk" {
		return b.chunk(e, at)
	}
	flag, ok := typeFlags[e.Type]
	if !ok {
		return bad("type", e.Type, "the type of an entry")
	}
	if err := b.complete(); err != nil {
		return err
	}
	if len(b.t.Files) >= b.limits.Entries {
		return &assay.Error{Op: "read table of contents", Kind: assay.ErrBound, Subject: b.subject, Field: "/entries",
			Value: "more than " + strconv.Itoa(b.limits.Entries), Bound: "at most Entries " + strconv.Itoa(b.limits.Entries)}
	}
	if int64(int(e.UID)) != e.UID || int64(int(e.GID)) != e.GID || e.Mode < 0 || e.Mode > math.MaxInt32 {
		return bad("mode", strconv.FormatInt(e.Mode, 10), "mode and owner of a file")
	}
	f := File{Name: e.Name, Link: e.LinkName, Type: flag, Mode: e.Mode, UID: e.UID, GID: e.GID,
		Capabilities: string(e.Xattrs[capability]), First: len(b.t.Chunks), Last: len(b.t.Chunks)}
	b.covered = 0
	if flag != tar.TypeReg {
		b.t.Files = append(b.t.Files, f)
		return nil // a size means nothing there; tar ignores it, too
	}
	f.Size = e.Size
	if b.content += f.Size; b.content > b.limits.Content {
		return &assay.Error{Op: "read table of contents", Kind: assay.ErrBound, Subject: b.subject, Field: at + "/size",
			Value: "more than " + strconv.FormatInt(b.limits.Content, 10) + " bytes of content", Bound: "at most Inflated " + strconv.FormatInt(b.limits.Content, 10) + " bytes"}
	}
	var err error
	if f.Sum, f.HasSum, err = b.sum(e.Digest, at+"/digest"); err != nil {
		return err
	}
	b.t.Files = append(b.t.Files, f)
	if f.Size > 0 {
		return b.chunk(e, at)
	}
	if f.HasSum && f.Sum != sha256.Sum256(nil) {
		return bad("digest", e.Digest, "the digest of an empty file")
	}
	return nil
}

// chunk adds a piece of the last file, which its own entry is the first of.
func (b *builder) chunk(e *entry, at string) error {
	bad := func(member, value, bound string) error {
		return invalid(b.subject, at+"/"+member, value, bound, nil)
	}
	if len(b.t.Files) == 0 {
		return bad("type", e.Type, "a file before its chunks")
	}
	f := &b.t.Files[len(b.t.Files)-1]
	size := e.ChunkSize
	if size == 0 {
		size = f.Size - e.ChunkOffset
	}
	switch {
	case f.Type != tar.TypeReg || e.Name != "" && e.Name != f.Name:
		return bad("name", e.Name, "a chunk of the file before it, "+f.Name)
	case e.ChunkOffset != b.covered:
		return bad("chunkOffset", strconv.FormatInt(e.ChunkOffset, 10), "the end of the chunk before it, "+strconv.FormatInt(b.covered, 10))
	case size <= 0 || size > f.Size-b.covered:
		return bad("chunkSize", strconv.FormatInt(e.ChunkSize, 10), "1 to the end of the file, "+strconv.FormatInt(f.Size-b.covered, 10))
	}
	c := Chunk{Offset: e.Offset, End: e.EndOffset, Inner: e.InnerOffset, Size: size}
	switch e.ChunkType {
	case "":
	case "zeros":
		c.Zeros = true
	default:
		return bad("chunkType", e.ChunkType, "zeros")
	}
	sum, ok, err := b.sum(e.ChunkDigest, at+"/chunkDigest")
	switch {
	case err != nil:
		return err
	case ok && size == f.Size && f.HasSum && sum != f.Sum:
		return bad("chunkDigest", e.ChunkDigest, "the digest of the file, of which it is the only chunk")
	case ok:
		c.Sum = sum
	case size == f.Size && f.HasSum:
		c.Sum = f.Sum
	case !c.Zeros:
		return Unusable{"has no digest of a chunk of " + f.Name}
	}
	// The end of the first entry of zstd:chunked is that of the whole file.
	if e.Type != "chunk" && size < f.Size {
		c.End = 0
	}
	if e.EndOffset != 0 && e.EndOffset <= e.Offset {
		return bad("endOffset", strconv.FormatInt(e.EndOffset, 10), "an end after the offset "+strconv.FormatInt(e.Offset, 10))
	}
	switch {
	case e.Offset == 0 && e.InnerOffset == 0 && !c.Zeros: // a tar header is before it
		return bad("offset", "0", "a place in the blob")
	case max(e.Offset, e.EndOffset) > b.t.End || e.Offset == b.t.End && !c.Zeros:
		return bad("offset", strconv.FormatInt(max(e.Offset, e.EndOffset), 10), "a place before the end of the contents, "+strconv.FormatInt(b.t.End, 10))
	}
	if !c.Zeros {
		last := b.stored
		if c.Offset < last.Offset || c.Offset == last.Offset && c.Inner < last.Inner+last.Size {
			return bad("offset", strconv.FormatInt(c.Offset, 10), "a place after the chunk before it, which begins at "+strconv.FormatInt(last.Offset, 10))
		}
		b.stored = c
	}
	b.t.Chunks = append(b.t.Chunks, c)
	f.Last = len(b.t.Chunks)
	b.covered += size
	return nil
}

// complete checks that the last file is covered by its chunks.
func (b *builder) complete() error {
	if len(b.t.Files) == 0 {
		return nil
	}
	if f := &b.t.Files[len(b.t.Files)-1]; b.covered != f.Size {
		return invalid(b.subject, f.Name, strconv.FormatInt(b.covered, 10)+" bytes in chunks", "chunks of all its "+strconv.FormatInt(f.Size, 10)+" bytes", nil)
	}
	return nil
}

// extents gives the chunks the ends that are not stated: where the next member begins.
func (b *builder) extents() error {
	end := b.t.End  // of the member that is looked at
	next := b.t.End // its successor's offset
	for i := len(b.t.Chunks) - 1; i >= 0; i-- {
		c := &b.t.Chunks[i]
		if c.Zeros {
			continue
		}
		if c.Offset != next {
			end, next = next, c.Offset
		}
		if c.End > end {
			return invalid(b.subject, "/entries", strconv.FormatInt(c.End, 10), "chunks that do not overlap, the next begins at "+strconv.FormatInt(end, 10), nil)
		}
		if c.End == 0 {
			c.End = end
		}
	}
	return nil
}

func (b *builder) sum(text, at string) (sum [sha256.Size]byte, ok bool, err error) {
	if text == "" {
		return sum, false, nil
	}
	d, err := assay.ParseDigest(text)
	if err != nil || d.Algorithm() != assay.SHA256 {
		return sum, false, invalid(b.subject, at, text, "a digest by sha256", err)
	}
	_, err = hex.Decode(sum[:], []byte(d.Hex()))
	return sum, true, err
}
