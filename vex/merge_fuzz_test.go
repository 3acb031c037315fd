package vex_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// drawn makes documents of the bytes: a handful of authors, identifiers, vulnerabilities
// with aliases, products with parts, times and texts, so that they meet.
func drawn(in []byte) []*assay.VEX {
	next := func(n int) int {
		if len(in) == 0 {
			return 0
		}
		b := int(in[0])
		in = in[1:]
		return b % n
	}
	products := []assay.Product{image, other, zlib, parts(image, zlib), parts(image, zlib, ssl), vex.PURLProduct(assay.MustPURL("pkg:deb/debian/zlib1g"))}
	statuses := []assay.Status{assay.NotAffected, assay.Affected, assay.Fixed, assay.UnderInvestigation}
	why := []assay.Justification{assay.ComponentNotPresent, assay.InlineMitigationsAlreadyExist}
	ids := []assay.VulnID{"CVE-2026-0001", "CVE-2026-0002", "GHSA-aaaa-bbbb-cccc"}
	var docs []*assay.VEX
	for len(in) > 0 && len(docs) < 6 {
		author := string(rune('a' + next(3)))
		v := &assay.VEX{
			ID: "https://example.com/" + strconv.Itoa(next(3)), Author: author, Timestamp: on(0), Version: 1 + next(2), Format: "openvex/0.2.0",
		}
		if next(4) == 0 {
			v.AuthorRole = "vendor"
		}
		for range 1 + next(4) {
			s := assay.VEXStatement{
				Vulnerability: assay.Vulnerability{ID: ids[next(len(ids))]}, Status: statuses[next(len(statuses))], Timestamp: on(next(6)),
				Products: []assay.Product{products[next(len(products))]},
			}
			switch flags := next(256); {
			case flags&1 != 0:
				s.LastUpdated = s.Timestamp.Add(time.Duration(flags>>5) * 12 * time.Hour)
			case flags&2 != 0:
				s.StatusNotes = "n" + strconv.Itoa(flags>>6)
			case flags&4 != 0:
				if a := ids[flags>>4%len(ids)%len(ids)]; a != s.Vulnerability.ID {
					s.Vulnerability.Aliases = []assay.VulnID{a}
				}
			case flags&8 != 0:
				s.ID, s.Version = "https://example.com/s/"+strconv.Itoa(flags>>6), 1+flags>>7
			case flags&16 != 0:
				s.Products = append(s.Products, products[flags>>5%len(products)%len(products)])
			}
			switch s.Status {
			case assay.NotAffected:
				s.Justification = why[next(2)]
			case assay.Affected:
				s.ActionStatement = "Upgrade."
			}
			v.Statements = append(v.Statements, s)
		}
		docs = append(docs, v)
	}
	return docs
}

func encoded(t *testing.T, docs []*assay.VEX) string {
	t.Helper()
	var all []byte
	for _, v := range docs {
		data, err := vex.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return string(all)
}

// Merging and compiling do not depend on order, change nothing that is merged, and leave
// every answer at every time as it was.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 2, 0, 0, 1, 0, 3, 0, 0, 1, 1, 0, 1, 2, 1, 1, 2, 0, 0, 0})
	f.Add([]byte("one author, who says it again and again, and another, who does not agree"))
	f.Add([]byte{0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 4, 0, 0, 1, 1, 0, 1, 3, 0, 1, 5, 4, 64, 8})
	f.Fuzz(func(t *testing.T, in []byte) {
		docs := drawn(in)
		m, err := vex.Merge(docs, vex.Options{})
		if err != nil {
			if e, ok := errors.AsType[*assay.Error](err); !ok || m != nil || e.Rule == "" {
				t.Fatalf("got %v with the error %v", m, err)
			}
			return
		}
		turned := slices.Clone(docs)
		slices.Reverse(turned)
		again, err := vex.Merge(turned, vex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		merged := encoded(t, m.Documents)
		if got := encoded(t, again.Documents); got != merged {
			t.Fatalf("in another order\n%s\nwas\n%s", got, merged)
		}
		if again, err = vex.Merge(m.Documents, vex.Options{}); err != nil || len(again.Repeated) > 0 {
			t.Fatalf("merged twice: %v, left out %v", err, again.Repeated)
		}
		if got := encoded(t, again.Documents); got != merged {
			t.Fatalf("merged twice\n%s\nwas\n%s", got, merged)
		}
		one, contradictions, err := vex.Compile("c", docs, vex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		two, _, err := vex.Compile("c", turned, vex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := encoded(t, []*assay.VEX{one}), encoded(t, []*assay.VEX{two}); a != b {
			t.Fatalf("compiled in another order\n%s\nwas\n%s", b, a)
		}
		// Merging keeps apart what an author says in two roles, so that it may have one twice.
		if len(contradictions) > len(m.Contradictions) || (len(contradictions) > 0) != (len(m.Contradictions) > 0) {
			t.Fatalf("contradictions %v compiled, %v merged", contradictions, m.Contradictions)
		}
		// What a document says of itself is no part of it: the merged one is newer.
		asOf := func(docs []*assay.VEX) []*assay.VEX {
			var out []*assay.VEX
			for i, v := range docs {
				c := *v
				c.Timestamp, c.LastUpdated, c.Version = on(0), time.Time{}, 1
				c.ID += "/" + strconv.Itoa(i) // so that none supersedes another
				out = append(out, &c)
			}
			return out
		}
		var counts []*assay.VEX
		for _, v := range docs {
			if !slices.ContainsFunc(m.Superseded, func(o *assay.VEX) bool { return o.ID == v.ID && o.Author == v.Author && o.Version == v.Version }) {
				counts = append(counts, v)
			}
		}
		for half := range 20 {
			at := on(0).Add(time.Duration(half) * 12 * time.Hour)
			was, is, compiled := vex.NewTimeline(asOf(counts), at), vex.NewTimeline(asOf(m.Documents), at), vex.NewTimeline(asOf([]*assay.VEX{one}), at)
			for _, p := range []assay.Product{image, other, zlib, parts(image, zlib), parts(image, ssl)} {
				for _, id := range []assay.VulnID{"CVE-2026-0001", "CVE-2026-0002", "GHSA-aaaa-bbbb-cccc"} {
					q := assay.Vulnerability{ID: id}
					a, b, c := was.Status(p, q), is.Status(p, q), compiled.Status(p, q)
					if a.Status != b.Status || a.Status != c.Status || (len(a.Contradictions) > 0) != (len(b.Contradictions) > 0) {
						t.Fatalf("%v, %s in %s: %q became %q merged, %q compiled\n%v\n%v", at, id, p.ID, a.Status, b.Status, c.Status, a.Contradictions, b.Contradictions)
					}
				}
			}
		}
	})
}
