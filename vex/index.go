package vex

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// bucket is the statements under one name of a vulnerability. A few are looked at one
// by one; of many, those that can match are found by keys of their products.
type bucket struct {
	entries []Entry
	byKey   map[string][]int32 // nil for a few
}

// few is how many statements are tried without index: each costs a fraction of a
// microsecond.
const few = 8

func put(m map[assay.VulnID]*bucket, id assay.VulnID, e Entry) {
	b := m[id]
	if b == nil {
		b = &bucket{}
		m[id] = b
	}
	b.entries = append(b.entries, e)
}

func (b *bucket) index() {
	if len(b.entries) <= few {
		return
	}
	b.byKey = map[string][]int32{}
	for i, e := range b.entries {
		for _, p := range e.Statement().Products {
			for _, k := range keysOf(p, false) {
				if l := b.byKey[k]; len(l) == 0 || l[len(l)-1] != int32(i) {
					b.byKey[k] = append(l, int32(i))
				}
			}
		}
	}
}

// candidates gives every statement that can match a product with these keys, and
// some that do not.
func (b *bucket) candidates(keys []string) []Entry {
	if b == nil {
		return nil
	}
	if b.byKey == nil {
		return b.entries
	}
	var found []int32
	for _, k := range keys {
		found = append(found, b.byKey[k]...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	out := make([]Entry, len(found))
	for i, n := range found {
		out[i] = b.entries[n]
	}
	return out
}

// keysOf gives keys of which a stated product and one that is asked about share one
// if the first can match the second: Match has a way to succeed for each kind. A
// pattern has one key, and what is asked about those of every pattern over it.
func keysOf(p assay.Product, asked bool) []string {
	var keys []string
	if all, ok := digests(p); ok {
		for _, d := range all {
			if d.Algorithm().Strong() {
				keys = append(keys, "d"+d.String())
			}
		}
	}
	for _, q := range purls(p) {
		pkg := q.Package().String()
		version := plainVersion(q)
		switch {
		case version == "":
			keys = append(keys, "p"+pkg)
		case asked:
			keys = append(keys, "p"+pkg, "p"+pkg+"@"+version)
		default:
			keys = append(keys, "p"+pkg+"@"+version)
		}
	}
	if p.ID != "" {
		keys = append(keys, "i"+p.ID)
	}
	for _, s := range p.CPEs {
		keys = append(keys, "c"+s)
		n, ok := parseCPE(s)
		if !ok {
			continue
		}
		vendor, product := n[cpeVendor], n[cpeProduct]
		switch {
		case asked:
			keys = append(keys, "c", "c"+vendor+"\x00"+product)
		case isPattern(vendor) || isPattern(product):
			keys = append(keys, "c")
		default:
			keys = append(keys, "c"+vendor+"\x00"+product)
		}
	}
	return keys
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?") }
