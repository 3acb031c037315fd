package osv

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// maxSkipped is how many skipped records of each source are kept by name.
const maxSkipped = 100

// fileWriter knows where in the file it is.
type fileWriter struct {
	w  *bufio.Writer
	at int64
}

func (f *fileWriter) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.at += int64(n)
	return n, err
}

// writer makes the file: records as they come, then the table.
type writer struct {
	out     *fileWriter
	sort    *sorter
	records uint32
	meta    meta
	skipped map[string]int // by source, of those in meta
	// releases are those of each record, by its number.
	releases releaseSets

	key, value []byte // scratch

	// Of the second pass:
	table  tableWriter
	ids    []idRecord
	id     assay.VulnID
	lost   []uint64 // a bit for each record that does not stand
	groups groups
	digest hash.Hash
	open   bool // pointers of a key are being collected
	before int64
}

func newWriter(w io.Writer, spill string, memory int) (*writer, error) {
	out := &fileWriter{w: bufio.NewWriterSize(w, 1<<20)}
	if _, err := out.Write(header()); err != nil {
		return nil, err
	}
	return &writer{out: out, sort: &sorter{spill: spill, memory: memory}, skipped: map[string]int{}}, nil
}

// source begins the records of a source.
func (w *writer) source(s SourceInfo) {
	s.Advisories, s.Skipped = 0, 0
	w.meta.Info.Sources = append(w.meta.Info.Sources, s)
	w.meta.Extents = append(w.meta.Extents, metaExtent{At: w.out.at})
}

func (w *writer) current() (*SourceInfo, *metaExtent) {
	n := len(w.meta.Info.Sources) - 1
	return &w.meta.Info.Sources[n], &w.meta.Extents[n]
}

// skip notes a record of the current source that could not be read.
func (w *writer) skip(file, reason string) {
	s, _ := w.current()
	w.unread(1)
	w.note(Skipped{Source: s.Name, File: file, Reason: reason})
}

// unread counts records of the current source that could not be read.
func (w *writer) unread(n int) {
	s, e := w.current()
	s.Skipped += n
	e.Skipped += n
}

func (w *writer) note(s Skipped) {
	if w.skipped[s.Source] < maxSkipped {
		w.skipped[s.Source]++
		// Names in an archive are any bytes.
		s.File, s.Reason = strings.ToValidUTF8(s.File, "\ufffd"), strings.ToValidUTF8(s.Reason, "\ufffd")
		w.meta.Skipped = append(w.meta.Skipped, s)
	}
}

// apart notes a record whose aliases are not unified. It is found anew by each build.
func (w *writer) apart(s Skipped) {
	if len(w.meta.Apart) < maxSkipped {
		w.meta.Apart = append(w.meta.Apart, s)
	}
}

// add writes a record as one of the current source.
func (w *writer) add(record []byte) error {
	headLen := int(binary.BigEndian.Uint32(record))
	h, ok := decodeHead(record[:headLen])
	if !ok {
		return fmt.Errorf("a record does not read as it was written")
	}
	a, parts := h.advisory, h.parts
	if err := w.releases.note(h.releases); err != nil {
		return err
	}
	s, e := w.current()
	at, number := w.out.at, w.records
	w.records++
	e.Records++
	if a.Modified.After(s.Modified) {
		s.Modified = a.Modified
	}
	if _, err := w.out.Write(record); err != nil {
		return err
	}
	e.Size = w.out.at - e.At

	sum := contentDigest(record)
	w.key = append(append(w.key[:0], keyRecord), a.ID...)
	v := encoder{binary.BigEndian.AppendUint32(w.value[:0], number)}
	v.uint(len(w.meta.Info.Sources) - 1)
	v.offset(at)
	v.uint(headLen)
	v.b = append(v.b, sum[:]...)
	v.time(a.Modified)
	if a.marksOnly() {
		v.uint(1)
	} else {
		v.uint(0)
	}
	if a.Withdrawn.IsZero() {
		texts(&v, a.Aliases)
	} else {
		v.uint(0) // with the record is withdrawn what it says of names
	}
	if err := w.sort.add(w.key, v.b); err != nil {
		return err
	}
	if a.Exploited != nil {
		w.key[0] = keyMark
		if err := w.sort.add(w.key, appendPlace(v.b[:0], number, extent{at, int64(headLen)})); err != nil {
			return err
		}
	}
	from := headLen
	for _, n := range parts {
		key, ok := partKey(record[from : from+n])
		if !ok {
			return fmt.Errorf("a part of a record does not read as it was written")
		}
		w.key = append(append(append(append(w.key[:0], keyPackage), key...), 0), a.ID...)
		v.b = appendPlace(v.b[:0], number, extent{at + int64(from), int64(n)})
		if err := w.sort.add(w.key, v.b); err != nil {
			return err
		}
		from += n
	}
	w.value = v.b[:0]
	return nil
}

func appendPlace(b []byte, number uint32, e extent) []byte {
	b = binary.BigEndian.AppendUint32(b, number)
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.at)), uint64(e.n))
}

func place(b []byte) (number uint32, e extent) {
	d := decoder{s: string(b[4:])}
	return binary.BigEndian.Uint32(b), extent{d.offset(), d.offset()}
}

// finish writes the table and what follows it.
func (w *writer) finish(ctx context.Context) error {
	w.lost = make([]uint64, w.records/64+1)
	w.digest = newContentDigest()
	w.table.out = w.out
	var last byte = keyRecord
	done := 0
	err := w.sort.each(func(key, value []byte) error {
		if done++; done%every == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if key[0] != last {
			if err := w.endKind(last); err != nil {
				return err
			}
			last = key[0]
		}
		switch key[0] {
		case keyRecord:
			return w.record(key, value)
		case keyPackage:
			key = key[:bytes.LastIndexByte(key, 0)]
		}
		return w.pointer(key, value)
	})
	if err == nil {
		err = w.endKind(last)
	}
	if err == nil {
		err = w.table.flush()
	}
	if err != nil {
		return err
	}
	info := &w.meta.Info
	info.Digest = assay.MustDigest(fmt.Sprintf("sha256:%x", w.digest.Sum(nil)))
	for _, s := range info.Sources {
		info.Skipped += s.Skipped
		if s.Read.After(info.Updated) {
			info.Updated = s.Read
		}
	}
	slices.Sort(w.meta.Ecosystems)
	w.meta.Releases = w.releases.kept()
	return w.tail()
}

// tail writes what says where everything is.
func (w *writer) tail() error {
	about, err := strictjson.Marshal(w.meta)
	if err != nil {
		return err
	}
	f := footer{topCRC: crc32.Checksum(w.table.top.b, castagnoli), metaCRC: crc32.Checksum(about, castagnoli)}
	f.top = extent{w.out.at, int64(len(w.table.top.b))}
	f.meta = extent{f.top.at + f.top.n, int64(len(about))}
	f.size = f.meta.at + f.meta.n + footerSize
	for _, b := range [][]byte{w.table.top.b, about, f.encode()} {
		if _, err := w.out.Write(b); err != nil {
			return err
		}
	}
	return w.out.w.Flush()
}

// endKind ends what the table says of one kind of key.
func (w *writer) endKind(kind byte) error {
	if kind != keyRecord {
		return w.endPointers()
	}
	if err := w.resolve(); err != nil {
		return err
	}
	return w.writeGroups()
}

// idRecord is one of the records of an id.
type idRecord struct {
	number   uint32
	source   int
	at       extent
	sum      [sha256.Size]byte
	modified time.Time
	mark     bool
	aliases  []assay.VulnID
}

func (w *writer) record(key, value []byte) error {
	if id := assay.VulnID(key[1:]); id != w.id {
		if err := w.resolve(); err != nil {
			return err
		}
		w.id = id
	}
	d := decoder{s: string(value[4:])}
	r := idRecord{number: binary.BigEndian.Uint32(value)}
	r.source = d.uint(len(w.meta.Info.Sources))
	r.at = extent{d.offset(), d.offset()}
	copy(r.sum[:], d.s)
	d.s = d.s[len(r.sum):]
	r.modified = d.time()
	r.mark = d.uint(1) == 1
	r.aliases = textsOf[assay.VulnID](&d)
	w.ids = append(w.ids, r)
	return nil
}

// resolve decides which records of an id stand. Several sources have the same record,
// as one of npm and PyPI is in the dumps of both; of two that differ, the one that was
// modified last replaces those that say they were modified before. Records that do not
// say when can be as new as any: they all stand, and are merged when they are read.
func (w *writer) resolve() error {
	if len(w.ids) == 0 {
		return nil
	}
	var newest time.Time
	for _, r := range w.ids {
		if r.modified.After(newest) {
			newest = r.modified
		}
	}
	w.value = w.value[:0]
	var before int64
	var sums [][sha256.Size]byte
	seen := map[[sha256.Size]byte]bool{}
	inSources := map[int]bool{}
	advisory := false
	for _, r := range w.ids {
		if !inSources[r.source] {
			inSources[r.source] = true
			w.meta.Info.Sources[r.source].Advisories++
		}
		if seen[r.sum] || !r.modified.IsZero() && r.modified.Before(newest) {
			w.lost[r.number/64] |= 1 << (r.number % 64)
			continue
		}
		w.releases.keep(r.number)
		advisory = advisory || !r.mark
		seen[r.sum] = true
		sums = append(sums, r.sum)
		w.value = appendPointer(w.value, before, r.at)
		before = r.at.at + r.at.n
		for _, alias := range r.aliases {
			if !w.groups.join(w.id, alias) {
				w.apart(Skipped{Source: w.meta.Info.Sources[r.source].Name, File: string(w.id),
					Reason: fmt.Sprintf("the alias %s would make more than %d names of one vulnerability; the two are not taken to be the same", alias, maxGroup)})
				break
			}
		}
	}
	if advisory {
		w.meta.Info.Advisories++
	}
	if newest.After(w.meta.Info.Modified) {
		w.meta.Info.Modified = newest
	}
	addContent(w.digest, w.id, sums)
	w.ids = w.ids[:0]
	w.key = append(append(w.key[:0], keyRecord), w.id...)
	return w.table.add(w.key, w.value)
}

// The digest of the content is over the ids in order, each with the digests of its
// records in order: it depends on what the records say, and not on the names or the
// order of the sources that say it.
func newContentDigest() hash.Hash {
	h := sha256.New()
	io.WriteString(h, "assay advisories 1\n")
	return h
}

func addContent(h hash.Hash, id assay.VulnID, sums [][sha256.Size]byte) {
	slices.SortFunc(sums, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	for _, s := range sums {
		fmt.Fprintf(h, "%s %x\n", id, s)
	}
}

// writeGroups writes each group once, and where it is for each of its names.
func (w *writer) writeGroups() error {
	all := w.groups.all()
	type member struct {
		name  assay.VulnID
		group int
	}
	var members []member
	places := make([]extent, len(all))
	for i, names := range all {
		var e encoder
		texts(&e, names)
		e.b = appendCRC(e.b, 0)
		places[i] = extent{w.out.at, int64(len(e.b))}
		if _, err := w.out.Write(e.b); err != nil {
			return err
		}
		for _, n := range names {
			members = append(members, member{n, i})
		}
	}
	w.groups = groups{}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(string(a.name), string(b.name)) })
	for _, m := range members {
		w.key = append(append(w.key[:0], keyGroup), m.name...)
		if err := w.table.add(w.key, appendPointer(nil, 0, places[m.group])); err != nil {
			return err
		}
	}
	return nil
}

// pointer adds a piece of a record to what a key points to.
func (w *writer) pointer(key, value []byte) error {
	number, e := place(value)
	if w.lost[number/64]&(1<<(number%64)) != 0 {
		return nil
	}
	if !w.open || !bytes.Equal(w.key, key) {
		if err := w.endPointers(); err != nil {
			return err
		}
		if key[0] == keyMark {
			w.meta.Marks++
		}
		w.key, w.value, w.before, w.open = append(w.key[:0], key...), w.value[:0], 0, true
		if key[0] == keyPackage {
			base, _, _ := bytes.Cut(key[1:], []byte{0})
			if n := len(w.meta.Ecosystems); n == 0 || w.meta.Ecosystems[n-1] != string(base) {
				if n == maxReleases {
					return &assay.Error{Op: buildOp, Kind: assay.ErrBound, Field: "ecosystems", Value: string(base), Bound: "at most " + strconv.Itoa(maxReleases)}
				}
				w.meta.Ecosystems = append(w.meta.Ecosystems, string(base))
			}
		}
	}
	if key[0] == keyPackage {
		w.meta.Parts++
	}
	w.value = appendPointer(w.value, w.before, e)
	w.before = e.at + e.n
	return nil
}

func (w *writer) endPointers() error {
	if !w.open {
		return nil
	}
	w.open = false
	return w.table.add(w.key, w.value)
}
