package osv

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// A record in the file is one piece of bytes:
//
//	4 bytes  length of the head
//	32 bytes SHA-256 of what the record was read from, zero if it is never compared
//	head     the lengths of the parts and the releases they are about, then the advisory
//	         without what it affects
//	4 bytes  CRC-32C of all that is above
//	parts    what it affects, by package, each followed by its CRC-32C
//
// Each part can be read by itself: a question about one package does not read what the
// advisory says of the others. Where a record is, is said by the tables and not in it,
// so that it can be copied into the next index as it is.
const (
	headAt   = 4 + sha256.Size
	crcSize  = 4
	maxChunk = 1 << 28 // of a head or a part
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendCRC(b []byte, from int) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// checked gives a chunk without its checksum, false if that is not right.
func checked(b []byte) ([]byte, bool) {
	n := len(b) - crcSize
	if n < 0 || binary.BigEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli) {
		return nil, false
	}
	return b[:n], true
}

// gitEcosystem is where osv.dev has what names a repository and no package.
const gitEcosystem = "GIT"

// packageKey is what a package is found by.
func packageKey(ecosystem, name string) string { return ecosystem + "\x00" + name }

// keys are the packages that a row is found by: mostly one, and the repositories of a
// row that has no package.
func (a *Affected) keys() []string {
	if a.Ecosystem != "" {
		base, _ := splitEcosystem(a.Ecosystem)
		return []string{packageKey(base, NormalName(base, a.Name))}
	}
	var out []string
	for _, r := range a.Ranges {
		if r.Type == RangeGit {
			out = append(out, packageKey(gitEcosystem, r.Repo))
		}
	}
	return unique(out)
}

// encodeRecord gives the bytes of a record. The raw digest is of what it was read from.
func encodeRecord(a *Advisory, raw [sha256.Size]byte) []byte {
	type row struct {
		key string
		at  int
	}
	rows := make([]row, 0, len(a.Affected))
	for i := range a.Affected {
		for _, k := range a.Affected[i].keys() {
			rows = append(rows, row{k, i})
		}
	}
	slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(x.key, y.key) })
	var parts encoder
	var lengths []int
	for i := 0; i < len(rows); {
		n := i + 1
		for n < len(rows) && rows[n].key == rows[i].key {
			n++
		}
		from := len(parts.b)
		parts.text(rows[i].key)
		parts.text(string(a.ID))
		parts.time(a.Withdrawn)
		parts.uint(n - i)
		for ; i < n; i++ {
			parts.affected(&a.Affected[rows[i].at])
		}
		parts.b = appendCRC(parts.b, from)
		lengths = append(lengths, len(parts.b)-from)
	}
	e := encoder{make([]byte, headAt, headAt+256+len(parts.b))}
	e.uint(len(lengths))
	for _, n := range lengths {
		e.uint(n)
	}
	texts(&e, a.releases())
	e.advisory(a)
	binary.BigEndian.PutUint32(e.b, uint32(len(e.b)+crcSize))
	copy(e.b[4:], raw[:])
	e.b = appendCRC(e.b, 0)
	return append(e.b, parts.b...)
}

// rawDigest is that of what a record was read from.
func rawDigest(record []byte) (d [sha256.Size]byte) {
	copy(d[:], record[4:])
	return d
}

// contentDigest is over what a record says, and not over how its source wrote it.
func contentDigest(record []byte) [sha256.Size]byte {
	head := binary.BigEndian.Uint32(record)
	h := sha256.New()
	h.Write(record[:4])
	h.Write(record[headAt : head-crcSize])
	h.Write(record[head:])
	var out [sha256.Size]byte
	h.Sum(out[:0])
	return out
}

// releases are the ecosystems of the rows that have a release, with it, sorted.
func (a *Advisory) releases() []string {
	var out []string
	for i := range a.Affected {
		if e := a.Affected[i].Ecosystem; strings.IndexByte(e, ':') >= 0 && (len(out) == 0 || out[len(out)-1] != e) {
			out = append(out, e)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// head is the first chunk of a record.
type head struct {
	advisory *Advisory
	parts    []int // their lengths
	releases []string
}

// decodeHead reads the first chunk of a record, with its checksum.
func decodeHead(chunk []byte) (h head, ok bool) {
	b, ok := checked(chunk)
	if !ok || len(b) < headAt || int(binary.BigEndian.Uint32(b)) != len(chunk) {
		return head{}, false
	}
	d := decoder{s: string(b[headAt:])}
	h.parts = make([]int, d.count(1))
	for i := range h.parts {
		h.parts[i] = d.uint(maxChunk)
	}
	h.releases = textsOf[string](&d)
	h.advisory = d.advisory()
	return h, !d.bad && d.s == ""
}

// partKey reads the first text of a part whose checksum was compared.
func partKey(part []byte) (string, bool) {
	n, size := binary.Uvarint(part)
	if size <= 0 || n > uint64(len(part)-size) {
		return "", false
	}
	return string(part[size : size+int(n)]), true
}

// decodePart reads what an advisory says of one package.
func decodePart(chunk []byte) (key string, e Entry, ok bool) {
	b, ok := checked(chunk)
	if !ok {
		return "", Entry{}, false
	}
	d := decoder{s: string(b)}
	key = d.text()
	e = Entry{Advisory: assay.VulnID(d.text()), Withdrawn: d.time()}
	e.Affected = make([]Affected, d.count(8))
	for i := range e.Affected {
		d.affected(&e.Affected[i])
	}
	return key, e, !d.bad && d.s == ""
}

// merge adds what a record says to another with the same id. Neither is older than the
// other, so the vulnerability is withdrawn only if both say so.
func (a *Advisory) merge(o *Advisory) {
	if o.marksOnly() {
		a.Exploited = cmp.Or(a.Exploited, o.Exploited)
		return
	}
	if a.marksOnly() {
		exploited := a.Exploited
		*a = *o
		a.Exploited = cmp.Or(exploited, o.Exploited)
		return
	}
	a.Aliases = union(a.Aliases, o.Aliases)
	a.Upstream = union(a.Upstream, o.Upstream)
	a.Related = union(a.Related, o.Related)
	a.Summary = cmp.Or(a.Summary, o.Summary)
	a.Published = earlier(a.Published, o.Published)
	if a.Modified.Before(o.Modified) {
		a.Modified = o.Modified
	}
	a.Withdrawn = bothWithdrawn(a.Withdrawn, o.Withdrawn)
	a.Severities = union(a.Severities, o.Severities)
	a.Fix = cmp.Or(a.Fix, o.Fix)
	a.Exploited = cmp.Or(a.Exploited, o.Exploited)
}

// marksOnly reports whether a record says only that a vulnerability is in use, as those
// of a catalogue do.
func (a *Advisory) marksOnly() bool {
	return a.Exploited != nil && len(a.Affected)+len(a.Aliases)+len(a.Upstream)+len(a.Severities) == 0 && a.Published.IsZero() && a.Modified.IsZero()
}

func union[T comparable](a, b []T) []T {
	if len(b) == 0 {
		return a
	}
	return unique(append(slices.Clip(a), b...))
}

// unique keeps the first of equal values, in its place.
func unique[T comparable](list []T) []T {
	if len(list) < 2 {
		return list
	}
	seen := make(map[T]bool, len(list))
	return slices.DeleteFunc(list, func(v T) bool {
		if seen[v] {
			return true
		}
		seen[v] = true
		return false
	})
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func bothWithdrawn(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.Before(b) {
		return b
	}
	return a
}
