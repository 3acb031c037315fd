package osv

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

// Check reads the whole index and proves that it is what its [Info] says: every piece
// is as it was written, all packages of all records are found by their names, and the
// digest is that of the records.
//
// The error is of kind [assay.ErrInvalid] for a piece that is not as it was written,
// [assay.ErrRefuted] if all are but do not add up, [assay.ErrUnchecked] for a failure
// to read and when ctx ends.
func (x *Index) Check(ctx context.Context) error {
	done := 0
	step := func() error {
		if done++; done%256 == 0 && ctx.Err() != nil {
			return &assay.Error{Op: "check advisory index", Kind: assay.ErrUnchecked, Subject: x.path, Err: ctx.Err()}
		}
		return nil
	}
	// All records, those that do not stand among them.
	for _, e := range x.meta.Extents {
		if err := x.records(e, func([]byte, extent) error { return step() }); err != nil {
			return err
		}
	}
	c := checker{x: x, step: step, releases: map[string]bool{}}
	digest := newContentDigest()
	last := ""
	for i := range x.table.blocks {
		first := true
		var failed error
		err := x.table.entries(i, func(key, value []byte) bool {
			k := string(key)
			switch {
			case k == "" || k <= last && last != "" || first && k != x.table.blocks[i].first:
				failed = damaged(x.path, "table", k, "keys in order")
			case k[0] == keyRecord:
				var sums [][sha256.Size]byte
				if sums, failed = c.record(assay.VulnID(k[1:]), value); failed == nil {
					addContent(digest, assay.VulnID(k[1:]), sums)
				}
			case k[0] == keyGroup:
				_, failed = x.Names(assay.VulnID(k[1:]))
			case k[0] == keyMark:
				c.marks++
				_, failed = x.record(keyMark, assay.VulnID(k[1:]))
			case k[0] == keyPackage:
				failed = c.packages(k[1:], value)
			default:
				failed = damaged(x.path, "table", k, "a key of a known kind")
			}
			last, first = k, false
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
	}
	refuted := func(field, value, bound string) error {
		return &assay.Error{Op: "check advisory index", Kind: assay.ErrRefuted, Subject: x.path, Field: field, Value: value, Bound: bound}
	}
	if got := fmt.Sprintf("sha256:%x", digest.Sum(nil)); got != x.meta.Info.Digest.String() {
		return refuted("digest", got, x.meta.Info.Digest.String())
	}
	if c.found != c.parts || c.found != x.meta.Parts {
		return refuted("packages", strconv.Itoa(c.found), strconv.Itoa(c.parts)+" that are in the records")
	}
	if got := slices.Sorted(maps.Keys(c.releases)); !slices.Equal(got, x.meta.Releases) {
		return refuted("releases", strconv.Itoa(len(x.meta.Releases)), strconv.Itoa(len(got))+", those that the records are about")
	}
	if c.marks != x.meta.Marks {
		return refuted("marks", strconv.Itoa(x.meta.Marks), strconv.Itoa(c.marks))
	}
	return nil
}

type checker struct {
	x    *Index
	step func() error
	// parts are in the records that stand, found in the table.
	parts, found, marks int
	releases            map[string]bool
}

// record gives the content digests of the records of an id.
func (c *checker) record(id assay.VulnID, value []byte) ([][sha256.Size]byte, error) {
	pieces, err := c.x.table.pointers(value, c.x.end)
	if err != nil {
		return nil, err
	}
	var sums [][sha256.Size]byte
	for _, p := range pieces {
		if err := c.step(); err != nil {
			return nil, err
		}
		chunk, err := c.x.read(p)
		if err != nil {
			return nil, err
		}
		h, ok := decodeHead(chunk)
		if !ok || h.advisory.ID != id {
			return nil, c.x.damagedAt(p)
		}
		for _, r := range h.releases {
			c.releases[r] = true
		}
		whole := p
		for _, n := range h.parts {
			whole.n += int64(n)
		}
		record, err := c.x.recordAt(whole)
		if err != nil {
			return nil, err
		}
		c.parts += len(h.parts)
		sums = append(sums, contentDigest(record))
	}
	return sums, nil
}

// packages reads what is known of a package.
func (c *checker) packages(key string, value []byte) error {
	if err := c.step(); err != nil {
		return err
	}
	pieces, err := c.x.table.pointers(value, c.x.end)
	if err != nil {
		return err
	}
	c.found += len(pieces)
	_, err = c.x.entries(key, pieces, func() error { return nil })
	return err
}
