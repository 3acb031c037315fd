package layers

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// The form of a layer in the cache:
//
//	layer   = format diffID inflated entries trailing charged
//	          count entry... count fact... count skipped...
//	entry   = flags path mode uid gid position
//	          [size] [link] [hard link] [capabilities] [seen any] [SHA-256]
//	fact    = visitor entry value
//	skipped = visitor path size reason
//
// Numbers are varints, texts have their length before them. A fact names its entry by
// the distance from that of the fact before.

// The flags of an entry, above two bits of op and three of type.
const (
	formSize = 1 << (iota + 5)
	formLink
	formHard
	formCaps
	formSeen
	formSum
)

// keptLayer is what is kept of a layer beside entries, facts and what was skipped.
type keptLayer struct {
	inflated, trailing, charged int64
	entries                     int
	facts                       int64 // their bytes
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (c *collector) encodeLayer(s *stream, h *harvest) ([]byte, error) {
	b := make([]byte, 0, 64*len(h.entries)+1<<10)
	b = appendText(b, cacheFormat)
	b = appendText(b, s.diffID.String())
	for _, n := range [...]int64{s.info.Inflated, s.entries.Load(), s.info.Trailing, c.opts.Cache.Codec.Charged(s.index)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(len(h.entries)))
	for _, e := range h.entries {
		b = appendEntry(b, e)
	}
	b = binary.AppendUvarint(b, uint64(len(h.facts)))
	at := 0
	for _, f := range h.facts {
		step := 0
		for h.entries[at].file != f.file { // facts are in the order of the entries
			at, step = at+1, step+1
		}
		b = binary.AppendUvarint(b, uint64(f.visitor))
		b = binary.AppendUvarint(b, uint64(step))
		value, err := c.opts.Cache.Codec.Append(nil, c.visitors[f.visitor].Name(), f.value)
		if err != nil {
			return nil, h.fail("keep layer", assay.ErrInvalid, f.file.Path, "", "", err)
		}
		b = append(binary.AppendUvarint(b, uint64(len(value))), value...)
	}
	b = binary.AppendUvarint(b, uint64(len(h.skipped)))
	for _, k := range h.skipped {
		b = appendText(b, k.Visitor)
		b = appendText(b, k.Path)
		b = binary.AppendUvarint(b, uint64(k.Size))
		b = appendText(b, k.Reason)
	}
	return b, nil
}

func appendEntry(b []byte, e entry) []byte {
	f := e.file
	flags := uint64(e.op) | uint64(f.Type)<<2
	set := func(flag uint64, is bool) {
		if is {
			flags |= flag
		}
	}
	set(formSize, f.Size != 0)
	set(formLink, f.Link != "")
	set(formHard, f.HardLink != "")
	set(formCaps, f.Capabilities != "")
	set(formSeen, f.seen != 0)
	set(formSum, f.sum != nil)
	b = binary.AppendUvarint(b, flags)
	b = appendText(b, f.Path)
	for _, n := range [...]uint64{uint64(f.Mode), uint64(f.UID), uint64(f.GID), uint64(f.pos)} {
		b = binary.AppendUvarint(b, n)
	}
	if f.Size != 0 {
		b = binary.AppendUvarint(b, uint64(f.Size))
	}
	for _, s := range [...]string{f.Link, f.HardLink, f.Capabilities} {
		if s != "" {
			b = appendText(b, s)
		}
	}
	if f.seen != 0 {
		b = binary.AppendUvarint(b, f.seen)
		b = binary.AppendUvarint(b, f.any)
	}
	if f.sum != nil {
		b = append(b, f.sum[:]...)
	}
	return b
}

// formReader reads from the front of s. After a failure all reads give zero.
type formReader struct {
	s   string
	bad bool
}

func (r *formReader) spoil() { r.s, r.bad = "", true }

func (r *formReader) number() uint64 {
	var n uint64
	for i, shift := 0, 0; i < len(r.s) && i < binary.MaxVarintLen64; i, shift = i+1, shift+7 {
		c := r.s[i]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			r.s = r.s[i+1:]
			return n
		}
	}
	r.spoil()
	return 0
}

// upTo reads a number that is at most max.
func (r *formReader) upTo(max uint64) uint64 {
	n := r.number()
	if n > max {
		r.spoil()
		return 0
	}
	return n
}

func (r *formReader) bytes(n uint64) string {
	if n > uint64(len(r.s)) {
		r.spoil()
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *formReader) text() string { return r.bytes(r.number()) }

// decodeLayer fills h with what was kept of a layer. It checks what the engine relies
// on; that the facts are those of the layer, the store is trusted with.
func (c *collector) decodeLayer(diffID assay.Digest, h *harvest, data string) (keptLayer, error) {
	bad := func(what string) error {
		return h.fail("read cached layer", assay.ErrInvalid, what, "", "what was put into the cache", nil)
	}
	r := &formReader{s: data}
	if r.text() != cacheFormat || r.text() != diffID.String() {
		return keptLayer{}, bad("format or diffID")
	}
	const most = 1 << 62
	var k keptLayer
	k.inflated, k.entries, k.trailing, k.charged = int64(r.upTo(most)), int(r.upTo(uint64(c.opts.Bounds.Entries))), int64(r.upTo(most)), int64(r.upTo(most))
	const leastEntry, leastFact = 6, 3 // bytes
	n := r.upTo(uint64(min(len(r.s)/leastEntry, c.opts.Bounds.Entries)))
	files := make([]File, n)
	h.entries = make([]entry, n)
	names := keptNames{bounds: c.opts.Bounds}
	for i := range files {
		f := &files[i]
		if !c.readEntry(r, h, f, &h.entries[i]) || !names.ok(f.Path) {
			return keptLayer{}, bad("entry " + strconv.Itoa(i))
		}
	}
	n = r.upTo(uint64(len(r.s) / leastFact))
	h.facts = make([]rawFact, 0, n)
	at := uint64(0)
	for i := range n {
		visitor := r.upTo(uint64(len(c.visitors) - 1))
		at += r.upTo(uint64(len(files)))
		value := r.text()
		k.facts += int64(len(value))
		if r.bad || at >= uint64(len(files)) {
			return keptLayer{}, bad("fact " + strconv.FormatUint(i, 10))
		}
		fact, err := c.opts.Cache.Codec.Decode(c.visitors[visitor].Name(), &files[at], value)
		if err != nil {
			return keptLayer{}, h.fail("read cached layer", assay.ErrInvalid, files[at].Path, "", "", err)
		}
		h.facts = append(h.facts, rawFact{visitor: int(visitor), file: &files[at], value: fact})
	}
	for range r.upTo(uint64(len(r.s) / leastFact)) {
		h.skipped = append(h.skipped, Skipped{Visitor: r.text(), Path: r.text(), Layer: h.index, Size: int64(r.upTo(most)), Reason: r.text()})
	}
	if r.bad || r.s != "" {
		return keptLayer{}, bad("end")
	}
	return k, nil
}

func (c *collector) readEntry(r *formReader, h *harvest, f *File, e *entry) bool {
	flags := r.upTo(formSum<<1 - 1)
	f.Layer, f.ContentLayer = h.index, h.index
	f.Type = Type(flags >> 2 & 7)
	f.Path = r.text()
	f.Mode = uint32(r.upTo(0o7777))
	f.UID, f.GID = int(r.upTo(1<<32-1)), int(r.upTo(1<<32-1))
	f.pos = int(r.upTo(uint64(c.opts.Bounds.Entries)))
	if flags&formSize != 0 {
		f.Size = int64(r.upTo(1 << 62))
	}
	if flags&formLink != 0 {
		f.Link = r.text()
	}
	if flags&formHard != 0 {
		f.HardLink = r.text()
	}
	if flags&formCaps != 0 {
		f.Capabilities = r.text()
	}
	if flags&formSeen != 0 {
		all := uint64(1)<<len(c.visitors) - 1
		f.seen, f.any = r.upTo(all), r.upTo(all)
	}
	if flags&formSum != 0 {
		var sum [32]byte
		copy(sum[:], r.bytes(32))
		f.sum = &sum
	}
	// A flag for what is then empty is not what was put in, and would be lost.
	if flags&formSize != 0 && f.Size == 0 || flags&formLink != 0 && f.Link == "" || flags&formHard != 0 && f.HardLink == "" ||
		flags&formCaps != 0 && f.Capabilities == "" || flags&formSeen != 0 && f.seen == 0 {
		return false
	}
	*e = entry{op(flags & 3), f}
	return !r.bad && e.op <= opOpaque && f.Type <= Fifo && (f.Type == Symlink) == (f.Link != "")
}

// keptNames checks names one after the other. What is in one folder mostly follows one
// another, and the folder is looked at once.
type keptNames struct {
	bounds Bounds
	folder string // of the last one, "" for none
	depth  int    // its parts
}

// ok reports whether a name is one that a layer was read with.
func (k *keptNames) ok(path string) bool {
	if path == "." {
		return k.bounds.PathLength >= 1 && k.bounds.PathDepth >= 1
	}
	rest, depth := path, 0
	if n := len(k.folder); n > 0 && len(path) > n && path[n] == '/' && path[:n] == k.folder {
		rest, depth = path[n+1:], k.depth
	}
	if !isClean(rest) || len(path) > k.bounds.PathLength {
		return false
	}
	depth += strings.Count(rest, "/") + 1
	if at := strings.LastIndexByte(rest, '/'); at >= 0 {
		k.folder, k.depth = path[:len(path)-len(rest)+at], depth-1
	}
	return depth <= k.bounds.PathDepth
}
