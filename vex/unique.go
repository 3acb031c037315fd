package vex

import (
	"encoding/binary"
	"hash/maphash"
	"reflect"
	"strconv"
	"time"

	"github.com/assaykit/assay"
)

// repeated gives the index of a product that occurs before, or -1.
func repeated(ps []assay.Product) int {
	if len(ps) < 2 {
		return -1
	}
	seen := make(map[uint64][]int, len(ps))
	seed := maphash.MakeSeed()
	for i := range ps {
		f := fingerprint{}
		f.h.SetSeed(seed)
		f.product(&ps[i])
		sum := f.h.Sum64()
		for _, j := range seen[sum] {
			if sameProduct(ps[i], ps[j]) {
				return i
			}
		}
		seen[sum] = append(seen[sum], i)
	}
	return -1
}

// uniqueStatements compares statements as they are after inheritance: two that say
// the same, one of them with the document's time spelt out, are one too many.
func uniqueStatements(ss []assay.VEXStatement) *assay.Error {
	seen := make(map[uint64][]int, len(ss))
	seed := maphash.MakeSeed()
	for i := range ss {
		f := fingerprint{}
		f.h.SetSeed(seed)
		f.statement(&ss[i])
		sum := f.h.Sum64()
		for _, j := range seen[sum] {
			if sameStatement(&ss[i], &ss[j]) {
				return broken(6, "/statements/"+strconv.Itoa(i), string(ss[i].Vulnerability.ID), "each statement once; it repeats /statements/"+strconv.Itoa(j))
			}
		}
		seen[sum] = append(seen[sum], i)
	}
	return nil
}

// fingerprint hashes so that only equal things need to be compared. Its seed is
// random, so nobody can make a document whose statements all collide.
type fingerprint struct{ h maphash.Hash }

func (f *fingerprint) text(s string) {
	f.num(len(s))
	f.h.WriteString(s)
}

func (f *fingerprint) num(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	f.h.Write(b[:])
}

func (f *fingerprint) time(t time.Time) {
	f.num(int(t.Unix()))
	f.num(t.Nanosecond())
}

func (f *fingerprint) statement(s *assay.VEXStatement) {
	for _, t := range []string{s.ID, s.Vulnerability.IRI, string(s.Vulnerability.ID), s.Vulnerability.Description, string(s.Status),
		s.StatusNotes, string(s.Justification), s.ImpactStatement, s.ActionStatement, s.Supplier} {
		f.text(t)
	}
	f.num(s.Version)
	f.num(len(s.Vulnerability.Aliases))
	f.time(s.Timestamp)
	f.time(s.LastUpdated)
	f.time(s.ActionStatementTimestamp)
	f.num(len(s.Products))
	// The order of products is no difference.
	var sum uint64
	for i := range s.Products {
		g := fingerprint{}
		g.h.SetSeed(f.h.Seed())
		g.product(&s.Products[i])
		sum += g.h.Sum64()
	}
	f.num(int(sum))
}

func (f *fingerprint) product(p *assay.Product) {
	f.text(p.ID)
	f.text(p.PURL.String())
	f.num(len(p.CPEs))
	for _, d := range p.Digests {
		f.text(d.Hex())
	}
	f.num(len(p.Subcomponents))
	var sum uint64
	for i := range p.Subcomponents {
		g := fingerprint{}
		g.h.SetSeed(f.h.Seed())
		g.product(&p.Subcomponents[i])
		sum += g.h.Sum64()
	}
	f.num(int(sum))
}

func sameStatement(a, b *assay.VEXStatement) bool {
	x, y := cloneStatement(a), cloneStatement(b)
	normalizeStatement(&x)
	normalizeStatement(&y)
	return reflect.DeepEqual(x, y)
}

func sameProduct(a, b assay.Product) bool {
	x, y := cloneProduct(a), cloneProduct(b)
	normalizeProduct(&x)
	normalizeProduct(&y)
	return compareProduct(x, y) == 0
}
