package osv

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Index is a file of advisories that [Build] or [Update] wrote. It is a [Database].
//
// The file is never changed, and opened for reading only: any number of processes use
// it at once, each question reads the few pieces of it that answer it, and nothing is
// kept in memory but where they are. An update puts a new file in its place; an Index
// that is open keeps the old one. All methods can be called at once.
//
// Each piece has a checksum, which is compared when it is read: a file that is cut off
// or changed on the disk gives an error of kind [assay.ErrInvalid], and never fewer
// advisories than were written. The checksums keep out accidents and not people, as
// they are in the file itself: compare the digest of [Info] with one that is known from
// elsewhere, and let [Index.Check] tell whether it is that of the records.
type Index struct {
	path  string
	file  readerAtCloser
	table *table
	meta  meta
	// end of what pointers can point to.
	end int64
}

var _ Database = (*Index)(nil)

// meta is what an index says of itself.
type meta struct {
	Info       Info     `json:"info"`
	Ecosystems []string `json:"ecosystems,omitempty"`
	// Releases are the ecosystems with a release, as records write them: "Debian:12".
	Releases []string `json:"releases,omitempty"`
	// Extents are where the records of the sources in Info are.
	Extents []metaExtent `json:"extents,omitempty"`
	Skipped []Skipped    `json:"skipped,omitempty"`
	// Apart are records whose aliases are not unified.
	Apart []Skipped `json:"apart,omitempty"`
	// Parts counts what the packages of the table point to.
	Parts int `json:"parts"`
	// Marks counts the vulnerabilities that are said to be exploited.
	Marks int `json:"marks,omitzero"`
}

type metaExtent struct {
	At      int64 `json:"at"`
	Size    int64 `json:"size"`
	Records int   `json:"records"`
	Skipped int   `json:"skipped,omitzero"`
}

// Skipped is a record of a source that could not be read, and is not in the index.
type Skipped struct {
	Source string `json:"source"`
	// File is a name in the source: a path in the folder or archive, a package of a
	// tracker.
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Open opens an index.
//
// The error is of kind [assay.ErrInvalid] for a file that is no index or not a whole
// one, and [assay.ErrUnchecked] for one of a format that this version does not know or
// a file that cannot be read; [io/fs.ErrNotExist] is among its causes if there is none.
func Open(path string) (*Index, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &assay.Error{Op: "open advisory index", Kind: assay.ErrUnchecked, Subject: path, Err: err}
	}
	stat, err := file.Stat()
	if err != nil {
		err = unread(path, err)
	} else if !stat.Mode().IsRegular() {
		err = damaged(path, "", stat.Mode().Type().String(), "a file")
	}
	var x *Index
	if err == nil {
		x, err = open(path, file, stat.Size())
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return x, nil
}

type readerAtCloser interface {
	io.ReaderAt
	io.Closer
}

func open(path string, file readerAtCloser, size int64) (*Index, error) {
	f, err := readFooter(path, file, size)
	if err != nil {
		return nil, err
	}
	top, err := readPiece(path, "table", file, f.top, f.topCRC)
	if err != nil {
		return nil, err
	}
	b, err := readPiece(path, "meta", file, f.meta, f.metaCRC)
	if err != nil {
		return nil, err
	}
	x := &Index{path: path, file: file, end: f.top.at}
	if err := strictjson.Unmarshal(path, b, &x.meta, strictjson.Limits{MaxBytes: maxMeta}); err != nil {
		return nil, err
	}
	if err := x.meta.check(path, f.top.at); err != nil {
		return nil, err
	}
	if x.table, err = newTable(path, file, top, f.top.at); err != nil {
		return nil, err
	}
	return x, nil
}

func (m *meta) check(path string, end int64) error {
	if len(m.Extents) != len(m.Info.Sources) {
		return damaged(path, "meta", strconv.Itoa(len(m.Extents)), "where the records of "+strconv.Itoa(len(m.Info.Sources))+" sources are")
	}
	for _, e := range m.Extents {
		if !(extent{e.At, e.Size}).within(end, end) {
			return damaged(path, "meta", strconv.FormatInt(e.At, 10), "records that are in the file")
		}
	}
	return nil
}

// Close closes the file.
func (x *Index) Close() error { return x.file.Close() }

// Info implements [Database].
func (x *Index) Info() Info {
	info := x.meta.Info
	info.Sources = slices.Clone(info.Sources)
	return info
}

// Skipped are records of the sources that could not be read: the first 100 of each
// source, as [Info] counts all. What such a record says is not known here.
func (x *Index) Skipped() []Skipped { return slices.Clone(x.meta.Skipped) }

// Apart are the first 100 records with more aliases than are taken to be names of one
// vulnerability (64). They are in the index with all that they say; but what else has
// one of the names is not taken to be the same, see [Index.Names].
func (x *Index) Apart() []Skipped { return slices.Clone(x.meta.Apart) }

// Ecosystems are those of which there are records, without releases, sorted. "GIT"
// stands for what names a repository and no package.
func (x *Index) Ecosystems() []string { return slices.Clone(x.meta.Ecosystems) }

// Knows implements [Database].
func (x *Index) Knows(ecosystem string) bool {
	_, ok := slices.BinarySearch(x.meta.Ecosystems, ecosystem)
	return ok
}

// Releases implements [Database]. Of some ecosystems what follows the colon is no
// release but a registry.
func (x *Index) Releases(ecosystem string) []string {
	all := x.meta.Releases
	from, _ := slices.BinarySearch(all, ecosystem+":")
	var out []string
	for _, e := range all[from:] {
		base, release := splitEcosystem(e)
		if base != ecosystem {
			break
		}
		out = append(out, release)
	}
	return out
}

// Entries implements [Database]. What names a repository and no package is found under
// ecosystem "GIT" and the repository as the records write it.
func (x *Index) Entries(ctx context.Context, ecosystem, name string) ([]Entry, error) {
	key := packageKey(ecosystem, name)
	value, err := x.table.get(string(keyPackage) + key)
	if err != nil || value == nil {
		return nil, err
	}
	pieces, err := x.table.pointers(value, x.end)
	if err != nil {
		return nil, err
	}
	n := 0
	return x.entries(key, pieces, func() error {
		if n++; n%256 == 1 && ctx.Err() != nil {
			return &assay.Error{Op: "read advisory index", Kind: assay.ErrUnchecked, Subject: x.path, Err: ctx.Err()}
		}
		return nil
	})
}

// entries reads the parts about a package. Several of one advisory, that stand beside
// each other, make one entry.
func (x *Index) entries(key string, pieces []extent, step func() error) ([]Entry, error) {
	out := make([]Entry, 0, len(pieces))
	buf := x.table.buffers.Get().(*[]byte)
	defer x.table.buffers.Put(buf)
	for _, p := range pieces {
		if err := step(); err != nil {
			return nil, err
		}
		if err := x.fill(buf, p); err != nil {
			return nil, err
		}
		k, e, ok := decodePart(*buf)
		if !ok || k != key || len(out) > 0 && out[len(out)-1].Advisory > e.Advisory {
			return nil, x.damagedAt(p)
		}
		if last := len(out) - 1; last >= 0 && out[last].Advisory == e.Advisory {
			out[last].Withdrawn = bothWithdrawn(out[last].Withdrawn, e.Withdrawn)
			out[last].Affected = append(out[last].Affected, e.Affected...)
			continue
		}
		out = append(out, e)
	}
	return out, nil
}

func (x *Index) read(e extent) ([]byte, error) {
	b := make([]byte, e.n)
	if _, err := x.file.ReadAt(b, e.at); err != nil {
		return nil, unread(x.path, err)
	}
	return b, nil
}

// fill reads a piece into a buffer, which it makes larger if it has to.
func (x *Index) fill(buf *[]byte, e extent) error {
	*buf = slices.Grow((*buf)[:0], int(e.n))[:e.n]
	if _, err := x.file.ReadAt(*buf, e.at); err != nil {
		return unread(x.path, err)
	}
	return nil
}

func (x *Index) damagedAt(e extent) error {
	return damaged(x.path, "offset "+strconv.FormatInt(e.at, 10), "", "a record as it was written")
}

// Advisory implements [Database]. The aliases are all names of the vulnerability that
// any record of the index tells, see [Index.Names]; Exploited is from the catalogues
// that have one of its names, or one of those it is upstream of.
func (x *Index) Advisory(ctx context.Context, id assay.VulnID) (*Advisory, error) {
	if err := ctx.Err(); err != nil {
		return nil, &assay.Error{Op: "read advisory index", Kind: assay.ErrUnchecked, Subject: x.path, Err: err}
	}
	a, err := x.record(keyRecord, id)
	if a == nil || err != nil {
		return nil, err
	}
	names, err := x.Names(id)
	if err != nil {
		return nil, err
	}
	if names = slices.DeleteFunc(names, func(n assay.VulnID) bool { return n == id }); len(names) > 0 {
		a.Aliases = union(names, a.Aliases)
		slices.Sort(a.Aliases)
	}
	return a, x.mark(a)
}

// mark fills in Exploited by the names of the vulnerability.
func (x *Index) mark(a *Advisory) error {
	if x.meta.Marks == 0 {
		return nil
	}
	asked := append([]assay.VulnID{a.ID}, a.Aliases...)
	for _, u := range a.Upstream {
		names, err := x.Names(u)
		if err != nil {
			return err
		}
		asked = append(asked, names...)
	}
	for _, id := range asked {
		if a.Exploited != nil {
			return nil
		}
		m, err := x.record(keyMark, id)
		if err != nil {
			return err
		}
		if m != nil {
			a.Exploited = m.Exploited
		}
	}
	return nil
}

// record merges the records of an id; nil if there are none.
func (x *Index) record(kind byte, id assay.VulnID) (*Advisory, error) {
	value, err := x.table.get(string(kind) + string(id))
	if err != nil || value == nil {
		return nil, err
	}
	pieces, err := x.table.pointers(value, x.end)
	if err != nil {
		return nil, err
	}
	var out *Advisory
	for _, p := range pieces {
		chunk, err := x.read(p)
		if err != nil {
			return nil, err
		}
		h, ok := decodeHead(chunk)
		if !ok || h.advisory.ID != id {
			return nil, x.damagedAt(p)
		}
		if out == nil {
			out = h.advisory
		} else {
			out.merge(h.advisory)
		}
	}
	return out, nil
}

// Names are all identifiers of the vulnerability that has this one, itself among them,
// sorted: the aliases of its records, theirs, and so on. What records say that are
// withdrawn does not count. Of a vulnerability that has no other name it is that one
// alone, whether there is a record of it or not.
func (x *Index) Names(id assay.VulnID) ([]assay.VulnID, error) {
	value, err := x.table.get(string(keyGroup) + string(id))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return []assay.VulnID{id}, nil
	}
	pieces, err := x.table.pointers(value, x.end)
	if err != nil {
		return nil, err
	}
	if len(pieces) != 1 {
		return nil, damaged(x.path, "table", string(id), "one group of names")
	}
	chunk, err := x.read(pieces[0])
	if err != nil {
		return nil, err
	}
	b, ok := checked(chunk)
	d := decoder{s: string(b)}
	names := textsOf[assay.VulnID](&d)
	if !ok || d.bad || !slices.Contains(names, id) {
		return nil, x.damagedAt(pieces[0])
	}
	return names, nil
}

// earliest is the time before which a date says that it is not known.
var earliest = time.Unix(0, 0)
